"""Doors of an IFC model as passages: what the space boundaries say, what the geometry says, and which to believe."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bim.attributes import at, by_type, is_entity, number, plain_text, text
from bim.elements import Storeys, element_ids
from bim.indoor_bodies import Body, PlanBox, bodies_of, plan_boxes
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
# Places of attributes, the same in every schema.
NAME, TAG, OVERALL_WIDTH = 2, 7, 9  # of IfcDoor
OPENING, FILLING = 4, 5  # of IfcRelFillsElement
SPACE, ELEMENT = 4, 5  # of IfcRelSpaceBoundary
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
        element, space = at(boundary, ELEMENT), at(boundary, SPACE)
        if is_entity(element) and is_entity(space):
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
    holes = openings(file)
    wanted = [holes.get(door.id(), door.id()) for door in doors]
    bodies = bodies_of(file, shapes, [*wanted, *(door.id() for door in doors)], feedback)
    boundaries = boundaries_by_element(file)
    found: list[tuple[entity_instance, str, Body]] = []
    for door, name, hole in zip(doors, element_ids(file, [door.id() for door in doors]), wanted, strict=True):
        body = bodies.get(hole) or bodies.get(door.id())
        if body is None:
            report.nowhere.append(name)
        else:
            found.append((door, name, body))
    feedback.step(1.0, "joining rooms by doors")
    made = _doors(found, storeys)
    feedback.step(1.0, "joining rooms by doors")
    sides = zip(_sides(made, finder, 1.0), _sides(made, finder, -1.0), strict=True)
    for done, (door, (front, back)) in enumerate(zip(made, sides, strict=True)):
        if done % 500 == 0:
            feedback.step(1.0, "joining rooms by doors")
        stated = [number_of[space] for space in boundaries.get(door.step, ()) if space in number_of]
        _add(report, door, finder, stated, sides=(front, back))
    return report


def openings(file: ifcopenshell.file) -> dict[int, int]:
    """Step id of the hole in the wall that an element fills, by the element's step id; the first found counts."""
    found: dict[int, int] = {}
    for relation in by_type(file, "IfcRelFillsElement"):
        opening, element = at(relation, OPENING), at(relation, FILLING)
        if is_entity(opening) and is_entity(element):
            found.setdefault(element.id(), opening.id())
    return found


@dataclass(frozen=True, eq=False)
class _Door:
    """A door with the box of its opening."""

    step: int
    id: str
    box: PlanBox
    width: float
    storey: str
    title: str


def _doors(found: Sequence[tuple[entity_instance, str, Body]], storeys: Storeys) -> list[_Door]:
    widths = [number(at(door, OVERALL_WIDTH), math.nan) * storeys.metres_per_unit for door, _, _ in found]
    boxes = plan_boxes([body.vertices for _, _, body in found], widths)
    levels: dict[int, str] = {}
    made = []
    for (door, name, _), box, width in zip(found, boxes, widths, strict=True):
        storey = storeys.of(door)
        step = 0 if storey is None else storey.id()
        if step not in levels:
            levels[step] = text(storey, "Name") or ""
        title = plain_text(at(door, NAME)) or plain_text(at(door, TAG)) or name
        made.append(_Door(door.id(), name, box, width if width > 0 else box.length, levels[step], title))
    return made


def _sides(doors: Sequence[_Door], finder: CellFinder, sign: float) -> list[tuple[int, Floats]]:
    """The cell on one side of each door, -1 for none, and the point where one stands there."""
    if not doors:
        return []
    centre, across = (np.array([getattr(door.box, name) for door in doors]) for name in ("centre", "across"))
    half, low = np.array([door.box.width / 2 for door in doors]), np.array([door.box.low for door in doors])
    cell = np.full(len(doors), -1, dtype=np.int64)
    reach = np.full(len(doors), PROBES[-1])
    for away in PROBES:
        for height in PROBE_HEIGHTS:
            left = np.flatnonzero(cell < 0)
            place = centre[left] + sign * across[left] * (half[left] + away)[:, None]
            cell[left] = finder.at(np.column_stack([place, low[left] + height]))
            reach[left[cell[left] >= 0]] = away
    points = np.column_stack([centre + sign * across * (half + reach)[:, None], low])
    return list(zip(cell.tolist(), points, strict=True))


def _add(
    report: DoorReport,
    door: _Door,
    finder: CellFinder,
    stated: Sequence[int],
    *,
    sides: tuple[tuple[int, Floats], tuple[int, Floats]],
) -> None:
    from geo.indoor.network import Passage, Side

    report.boxes[door.id] = door.box
    (one, first), (two, second) = sides
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
    both = (Side(one, first), Side(two, second))
    report.passages.append(Passage(door.id, door.title, "door", centre, both, door.width, derived, door.storey))


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
