"""Doors of an IFC model as passages: what the space boundaries say, what the geometry says, and which to believe."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bim.attributes import attribute, by_type, members, number, related, text
from bim.elements import Storeys, element_ids
from bim.indoor_bodies import Body, PlanBox, bodies_of, plan_box
from bim.tessellation import Tessellation
from geo.model import Feedback, Issue

if TYPE_CHECKING:
    import ifcopenshell
    from ifcopenshell import entity_instance

    from geo.indoor.cells import Cell, CellFinder
    from geo.indoor.network import Passage

Floats = NDArray[np.float64]

PROBES = (0.1, 0.25, 0.5)  # [m] beyond each face of the opening
PROBE_HEIGHTS = (0.3, 1.0)  # [m] above the sill
MOST_SIDES = 2
ISSUE_ELEMENTS = 200


@dataclass
class DoorReport:
    """Passages, and how the two ways of finding them compare."""

    passages: list[Passage] = field(default_factory=list)
    boxes: dict[str, PlanBox] = field(default_factory=dict)
    doors: int = 0
    stated: int = 0
    agreeing: int = 0
    disagreeing: list[str] = field(default_factory=list)
    furniture: list[str] = field(default_factory=list)
    nowhere: list[str] = field(default_factory=list)

    def issues(self) -> list[Issue]:
        """What a user should know about the doors."""
        found = []
        if self.disagreeing:
            found.append(
                Issue(
                    "indoor.doors_disagree",
                    f"At {len(self.disagreeing)} of {self.stated} doors the space boundaries and the geometry name "
                    "different rooms.",
                    severity="doubt",
                    count=len(self.disagreeing),
                    elements=tuple(self.disagreeing[:ISSUE_ELEMENTS]),
                    values={"count": len(self.disagreeing), "stated": self.stated},
                )
            )
        if self.doors and not self.stated:
            found.append(
                Issue(
                    "indoor.derived",
                    "The file does not say which rooms a door joins; the network is derived from the geometry.",
                    count=self.doors,
                )
            )
        if self.furniture:
            found.append(
                Issue(
                    "indoor.furniture_doors",
                    f"{len(self.furniture)} doors have the same room on both sides (partitions) and are no way.",
                    count=len(self.furniture),
                    elements=tuple(self.furniture[:ISSUE_ELEMENTS]),
                )
            )
        if self.nowhere:
            found.append(
                Issue(
                    "indoor.doors_nowhere",
                    f"{len(self.nowhere)} doors have no room on either side and are not part of the network.",
                    severity="doubt",
                    count=len(self.nowhere),
                    elements=tuple(self.nowhere[:ISSUE_ELEMENTS]),
                )
            )
        return found


def boundaries_by_element(file: ifcopenshell.file) -> dict[int, list[int]]:
    """Step ids of the spaces whose boundary names an element, by the element's step id, in the order of the file."""
    found: dict[int, list[int]] = {}
    for boundary in by_type(file, "IfcRelSpaceBoundary"):
        element, space = related(boundary, "RelatedBuildingElement"), related(boundary, "RelatingSpace")
        if element is not None and space is not None:
            spaces = found.setdefault(element.id(), [])
            if space.id() not in spaces:
                spaces.append(space.id())
    return found


def door_passages(
    file: ifcopenshell.file,
    shapes: Tessellation | None,
    finder: CellFinder,
    number_of: dict[int, int],
    *,
    storeys: Storeys,
    feedback: Feedback,
) -> DoorReport:
    """Every door that joins two rooms or a room and the outside.

    Parameters
    ----------
    number_of : cell number by the space's step id
    """
    doors = by_type(file, "IfcDoor")
    report = DoorReport(doors=len(doors))
    openings = {door.id(): opening_of(door) for door in doors}
    wanted = [openings[d.id()].id() if openings[d.id()] is not None else d.id() for d in doors]  # type: ignore[union-attr]
    bodies = bodies_of(file, shapes, [*wanted, *(door.id() for door in doors)], feedback)
    boundaries = boundaries_by_element(file)
    ids = element_ids(file, [door.id() for door in doors])
    for door, name, hole in zip(doors, ids, wanted, strict=True):
        feedback.step(1.0, "joining rooms by doors")
        body = bodies.get(hole) or bodies.get(door.id())
        if body is None:
            report.nowhere.append(name)
            continue
        stated = [number_of[space] for space in boundaries.get(door.id(), ()) if space in number_of]
        _add(report, _Door(door, name, body, storeys), finder, stated)
    return report


def opening_of(door: entity_instance) -> entity_instance | None:
    """The hole in the wall that a door fills."""
    for relation in members(door, "FillsVoids"):
        opening = related(relation, "RelatingOpeningElement")
        if opening is not None:
            return opening
    return None


class _Door:
    """A door with the box of its opening."""

    def __init__(self, door: entity_instance, name: str, body: Body, storeys: Storeys) -> None:
        self.entity, self.id = door, name
        overall = number(attribute(door, "OverallWidth"), math.nan) * storeys.metres_per_unit
        self.box = plan_box(body.vertices, stated_length=overall)
        self.width = overall if overall > 0 else self.box.length
        self.storey = text(storeys.of(door), "Name") or ""
        self.title = text(door, "Name") or text(door, "Tag") or name

    def probes(self, side: float) -> Floats:
        """Points (n, 3) beyond one face, near ones first."""
        box = self.box
        return np.array(
            [
                (*(box.centre + side * box.across * (box.width / 2 + away)), box.low + height)
                for away in PROBES
                for height in PROBE_HEIGHTS
            ]
        )

    def side(self, finder: CellFinder, sign: float) -> tuple[int, Floats]:
        """The cell on one side, -1 for none, and the point where one stands there."""
        points = self.probes(sign)
        cells = finder.at(points)
        hit = np.flatnonzero(cells >= 0)
        which = int(hit[0]) if len(hit) else len(points) - 1
        return int(cells[which]), np.array([points[which, 0], points[which, 1], self.box.low])


def _add(report: DoorReport, door: _Door, finder: CellFinder, stated: Sequence[int]) -> None:
    from geo.indoor.network import Passage, Side

    report.boxes[door.id] = door.box
    (one, first), (two, second) = door.side(finder, 1.0), door.side(finder, -1.0)
    seen = {cell for cell in (one, two) if cell >= 0}
    if stated:
        report.stated += 1
        if set(stated) == seen:
            report.agreeing += 1
        else:
            report.disagreeing.append(door.id)
    derived = set(stated) != seen
    if 0 < len(stated) <= MOST_SIDES and derived and not set(stated) < seen:
        one, first, two, second = _believing(finder.cells, door, stated, ((one, first), (two, second)))
        derived = False
    if one == two:
        (report.nowhere if one < 0 else report.furniture).append(door.id)
        return
    centre = np.array([*door.box.centre, door.box.low])
    sides = (Side(one, first), Side(two, second))
    report.passages.append(Passage(door.id, door.title, "door", centre, sides, door.width, derived, door.storey))


def _believing(
    cells: Sequence[Cell], door: _Door, stated: Sequence[int], found: tuple[tuple[int, Floats], tuple[int, Floats]]
) -> tuple[int, Floats, int, Floats]:
    """The sides as the boundaries name them: each stated room on the side where geometry saw it, or that lies free."""
    sides: list[tuple[int, Floats] | None] = [side if side[0] in stated else None for side in found]
    placed = {side[0] for side in sides if side is not None}
    for cell in stated:
        if cell in placed:
            continue
        free = [k for k, side in enumerate(sides) if side is None]
        if not free:
            break
        which = min(free, key=lambda k: _distance(cells[cell], found[k][1]))
        sides[which] = (cell, found[which][1])
    left, right = (side if side is not None else (-1, found[k][1]) for k, side in enumerate(sides))
    return left[0], left[1], right[0], right[1]


def _distance(cell: Cell, point: Floats) -> float:
    import shapely

    return float(cell.floor.distance(shapely.Point(point[:2])))
