"""Stairs, ramps, lifts and escalators of an IFC model: where each end lies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bim.attributes import attribute, by_type, members, plain, related, text
from bim.elements import element_ids
from bim.indoor_bodies import Body, bodies_of, plan_box
from bim.tessellation import Tessellation
from geo.model import Feedback, Issue

if TYPE_CHECKING:
    import ifcopenshell
    from ifcopenshell import entity_instance

    from bim.indoor_doors import DoorReport
    from geo.indoor.cells import CellFinder
    from geo.indoor.network import Climb

Floats = NDArray[np.float64]

END_HEIGHT = 0.3  # [m] of a flight that counts as its lowest and highest part
PROLONGED = (0.0, 0.3, 0.6, 1.0, 1.5)  # [m] along the run
# [m] back along the run where nothing lies ahead: a ramp that ends in the gate has its room over its last metre.
SET_BACK = (-0.3, -0.6, -1.0)
END_PROBES = (0.3, 0.05, 0.8)  # [m] above the end
FLOOR_REACH = 0.6  # [m] between the end of a flight and the floor it leads to
SLICE = 0.25  # [m] between the heights at which a turning stair is looked at
RAILING = 1.3  # [m] by which the body of a whole stair may rise over the floor it leads to
STRAIGHT = 0.6  # share of the length of a straight flight that lies between the middles of its ends
LIFT_REACH = 1.5  # [m] from a lift to the room before it
LIFT_DOOR_REACH = 0.6  # [m] from a lift's shaft to the middle of its door
FLAT = 0.05  # [m] a body that rises less is no climb
ISSUE_ELEMENTS = 200

ESCALATORS = ("ESCALATOR", "MOVINGWALKWAY")
NOT_LIFTS = ("CRANEWAY", "LIFTINGGEAR")


def climbs_of(
    file: ifcopenshell.file,
    shapes: Tessellation | None,
    finder: CellFinder,
    doors: DoorReport,
    feedback: Feedback,
) -> tuple[list[Climb], list[Issue]]:
    """All climbs, and what is doubtful about them."""
    flights = [*_flights(file, "IfcStairFlight", "IfcStair"), *_flights(file, "IfcRampFlight", "IfcRamp")]
    moving = list(by_type(file, "IfcTransportElement"))
    everything = [*flights, *moving]
    bodies = bodies_of(file, shapes, [thing.id() for thing in everything], feedback)
    ids = element_ids(file, [thing.id() for thing in everything])
    found: list[Climb] = []
    loose: list[str] = []
    for thing, name in zip(everything, ids, strict=True):
        feedback.step(1.0, "joining storeys by stairs and lifts")
        body, sort = bodies.get(thing.id()), _sort(thing)
        if body is None or not sort:
            continue
        climb = _lift(thing, name, body, finder, doors) if sort == "lift" else _flight(thing, name, sort, body, finder)
        if climb is None or all(cell < 0 for cell in climb.cells):
            loose.append(name)
        if climb is not None:
            found.append(climb)
    return found, _issues(loose, len(everything))


def _issues(loose: Sequence[str], total: int) -> list[Issue]:
    if not loose:
        return []
    return [
        Issue(
            "indoor.loose_climbs",
            f"{len(loose)} of {total} flights, ramps and lifts begin and end in no room.",
            count=len(loose),
            elements=tuple(loose[:ISSUE_ELEMENTS]),
            values={"count": len(loose), "total": total},
        )
    ]


def _flights(file: ifcopenshell.file, part: str, whole: str) -> list[entity_instance]:
    """Flights, and the stairs that have a body of their own and no flights."""
    flights = list(by_type(file, part))
    wholes = [
        stair
        for stair in by_type(file, whole)
        if related(stair, "Representation") is not None
        and not any(p.is_a(part) for relation in members(stair, "IsDecomposedBy") for p in _parts(relation))
    ]
    return flights + wholes


def _parts(relation: entity_instance) -> tuple[entity_instance, ...]:
    return members(relation, "RelatedObjects")


def _sort(thing: entity_instance) -> str:
    if thing.is_a("IfcTransportElement"):
        word = plain(attribute(thing, "PredefinedType")) or plain(attribute(thing, "OperationType"))
        word = str(word or "").upper()
        return "escalator" if word in ESCALATORS else "" if word in NOT_LIFTS else "lift"
    return "ramp" if thing.is_a("IfcRamp") or thing.is_a("IfcRampFlight") else "stair"


def _group(thing: entity_instance) -> str:
    for relation in members(thing, "Decomposes"):
        whole = related(relation, "RelatingObject")
        if whole is not None:
            return text(whole, "GlobalId") or f"#{whole.id()}"
    return ""


def _flight(thing: entity_instance, name: str, way: str, body: Body, finder: CellFinder) -> Climb | None:
    from geo.indoor.network import Climb

    ends = flight_ends(body.vertices)
    if ends is None:
        return None
    low, high = ends
    box = plan_box(body.vertices)
    run = (high - low)[:2]
    distance = float(np.hypot(*run))
    straight = distance > STRAIGHT * box.length
    if distance > 1e-3:
        direction = run / distance
    else:
        direction = box.along
    ways = [direction] if straight else _around(direction)
    railing = 0.0 if thing.is_a("IfcStairFlight") or thing.is_a("IfcRampFlight") else RAILING
    bottom = _landing(low, [-d for d in ways], finder)
    top = _landing(high, ways, finder, railing=min(railing, (high[2] - low[2]) / 2))
    if top[0] >= 0:
        high = np.array([high[0], high[1], min(high[2], finder.cells[top[0]].low)])
    between = np.zeros((0, 3)) if straight else _turning(body.vertices, low[2], high[2])
    line = np.concatenate([p[None] for p in (bottom[1], low) if p is not None] + [between])
    line = np.concatenate([line, *(p[None] for p in (high, top[1]) if p is not None)])
    width = _across(body.vertices, direction) if straight else np.nan
    return Climb(
        name, text(thing, "Name") or name, way, line, (bottom[0], top[0]), width, True,
        _group(thing) or (text(thing, "GlobalId") or name),
    )  # fmt: skip


def flight_ends(vertices: Floats) -> tuple[Floats, Floats] | None:
    """Middle of the lowest and of the highest 0.3 m of a flight (3,), at its lowest and highest point."""
    z = vertices[:, 2]
    bottom, top = float(z.min()), float(z.max())
    if top - bottom < FLAT:
        return None
    part = min(END_HEIGHT, (top - bottom) / 4)
    low, high = vertices[z <= bottom + part], vertices[z >= top - part]
    return (
        np.array([*((low.min(axis=0) + low.max(axis=0)) / 2)[:2], bottom]),
        np.array([*((high.min(axis=0) + high.max(axis=0)) / 2)[:2], top]),
    )


def _turning(vertices: Floats, low: float, high: float) -> Floats:
    """Middles (n, 3) of the treads of a stair that turns, from slices of its body between two heights [m]."""
    middles = []
    for z in np.arange(low + SLICE, high - SLICE / 2, SLICE):
        tread = vertices[np.abs(vertices[:, 2] - z) <= SLICE / 2]
        if len(tread):
            middles.append([*((tread.min(axis=0) + tread.max(axis=0)) / 2)[:2], z])
    return np.array(middles, dtype=np.float64).reshape(-1, 3)


def _around(direction: Floats) -> list[Floats]:
    """Eight directions, the given one first."""
    turns = np.radians([0, 45, -45, 90, -90, 135, -135, 180])
    aside = np.array([-direction[1], direction[0]])
    return [np.cos(turn) * direction + np.sin(turn) * aside for turn in turns]


def _across(vertices: Floats, direction: Floats) -> float:
    offsets = vertices[:, :2] @ np.array([-direction[1], direction[0]])
    return float(offsets.max() - offsets.min())


def _landing(
    end: Floats, directions: Sequence[Floats], finder: CellFinder, *, railing: float = 0.0
) -> tuple[int, Floats | None]:
    """The cell whose floor the end of a flight meets, and the point there; -1 and None for none."""
    ahead = _met(end, directions, finder, PROLONGED, railing=railing)
    return ahead if ahead[0] >= 0 else _met(end, directions, finder, SET_BACK, railing=railing)


def _met(
    end: Floats, directions: Sequence[Floats], finder: CellFinder, steps: Sequence[float], *, railing: float
) -> tuple[int, Floats | None]:
    """The cell that fits best at some steps along the directions."""
    points = np.array([(*(end[:2] + away * d), end[2] + up) for away in steps for d in directions for up in END_PROBES])
    cells = finder.at(points)
    best: tuple[float, int] | None = None
    for number, cell in enumerate(cells.tolist()):
        if cell < 0:
            continue
        over = end[2] - finder.cells[cell].low
        gap = abs(over)
        if -FLOOR_REACH <= over <= max(FLOOR_REACH, railing) and (best is None or gap < best[0] - 0.05):
            best = (gap, number)
    if best is None:
        return -1, None
    number = best[1]
    cell = int(cells[number])
    point = np.array([points[number, 0], points[number, 1], finder.cells[cell].low])
    same = np.linalg.norm(point - end) < 1e-6
    return cell, None if same else point


def _lift(thing: entity_instance, name: str, body: Body, finder: CellFinder, doors: DoorReport) -> Climb | None:
    """A lift stops at the floors of the rooms before it: by its landing doors, or the nearest room of each level."""
    import shapely

    from geo.indoor.network import Climb

    flat = shapely.MultiPoint(body.vertices[:, :2]).convex_hull
    centre = np.array([flat.centroid.x, flat.centroid.y])
    stops = {**_stops_by_room(flat, finder), **_stops_by_door(flat, doors, finder)}
    levels = sorted(stops)
    merged = [z for k, z in enumerate(levels) if k == 0 or z - levels[k - 1] > 1.0 or stops[z][1]]
    if len(merged) < 2:
        return None
    line = np.array([(*centre, z) for z in merged])
    cells = tuple(stops[z][0] for z in merged)
    return Climb(
        name, text(thing, "Name") or name, "lift", line, cells, np.nan, True, name, tuple(stops[z][1] for z in merged)
    )


def _stops_by_door(flat: object, doors: DoorReport, finder: CellFinder) -> dict[float, tuple[int, str]]:
    """Doors with a room on one side and the shaft on the other."""
    import shapely

    near = shapely.buffer(flat, LIFT_DOOR_REACH)
    stops: dict[float, tuple[int, str]] = {}
    for passage in doors.passages:
        inner = next((side.cell for side in passage.sides if side.cell >= 0), -1)
        empty = [side for side in passage.sides if side.cell < 0]
        if empty and inner >= 0 and near.intersects(shapely.Point(empty[0].point[:2])):
            stops[float(finder.cells[inner].low)] = (inner, passage.id)
    return stops


def _stops_by_room(flat: object, finder: CellFinder) -> dict[float, tuple[int, str]]:
    """The room that a lift stands in or next to at each level."""
    import shapely

    stops: dict[float, tuple[float, int]] = {}
    for cell in finder.touching(shapely.buffer(flat, LIFT_REACH)).tolist():
        floor = finder.cells[cell]
        away = float(shapely.distance(floor.floor, flat)) - 1e-3 * float(
            shapely.area(shapely.intersection(floor.floor, flat))
        )
        level = next((z for z in stops if abs(z - floor.low) < 1.0), float(floor.low))
        if level not in stops or away < stops[level][0] - 1e-9:
            stops.pop(level, None)
            stops[float(floor.low)] = (away, cell)
    return {level: (cell, "") for level, (_, cell) in stops.items()}
