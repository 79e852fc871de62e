"""Storey plans as rooms: floors drawn as areas on numbered levels, doors as lines or points on their outlines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.buildings import extrude
from geo.indoor.cells import Cell, CellFinder, cleaned
from geo.indoor.layers import network_layers, text_column
from geo.indoor.network import Climb, Passage, Side, build_network
from geo.indoor.open_sides import passage_between
from geo.model import Column, ElementTable, Feedback, Issue, Layer, Source, Style
from geo.model.conventions import AREA, ELEVATION, ROOM_HEIGHT, ROOM_NAME, ROOM_NUMBER, ROOM_USE, STOREY

Floats = NDArray[np.float64]

SLAB = 0.3  # [m] between a ceiling and the floor above
PROBES = (0.15, 0.3, 0.6, 1.0)  # [m] beyond a door line
POINT_REACH = 0.6  # [m] from a door drawn as a point to the outlines of its rooms
SAME_STAIR = 0.3  # share of the smaller plan that stairs over one another have in common
CLIMB_WORDS = {
    "stairs": "stair",
    "steps": "stair",
    "staircase": "stair",
    "elevator": "lift",
    "lift": "lift",
    "escalator": "escalator",
    "ramp": "ramp",
    "movingwalkway": "escalator",
}
OPEN_USES = ("walkway", "corridor", "area", "stairs", "steps", "ramp", "opentobelow", "lobby", "escalator")


@dataclass(frozen=True, eq=False)
class PlanRoom:
    """An area on a level: `floor` in local metres, `level` as a number (0 = ground)."""

    id: str
    name: str
    number: str
    use: str
    floor: shapely.Geometry
    level: float
    building: str = ""

    @property
    def climbs(self) -> str:
        """``"stair"``, ``"lift"`` ... for a room that leads to other levels, else ``""``."""
        return CLIMB_WORDS.get(self.use.split(".")[0].lower(), "")


@dataclass(frozen=True, eq=False)
class PlanDoor:
    """A door as a line or a point in local metres on a level; `width` NaN unknown."""

    id: str
    name: str
    shape: shapely.Geometry
    level: float
    width: float = np.nan


def plan_layers(
    rooms: Sequence[PlanRoom], doors: Sequence[PlanDoor], name: str, *, ground: float, storey: float, feedback: Feedback
) -> list[Layer]:
    """Layers ``rooms``, ``network_nodes`` and ``network_edges``.

    Parameters
    ----------
    ground : float [local m]
        Height of level 0.
    storey : float [m]
        From floor to floor.
    """
    cells = [_cell(room, ground, storey) for room in rooms]
    finder = CellFinder(cells)
    feedback.step(0.3, "joining rooms by doors")
    passages, lost = _passages(rooms, doors, finder, ground, storey)
    passages += _open_sides(rooms, finder)
    climbs = _climbs(rooms, cells)
    network = build_network(cells, passages, climbs, feedback.part(0.4, 0.9))
    network.issues += _door_issues(doors, lost)
    layers = [_room_layer(rooms, cells, name, storey)] if rooms else []
    return layers + network_layers(network, name, lambda points: points)


def _cell(room: PlanRoom, ground: float, storey: float) -> Cell:
    low = ground + room.level * storey
    return Cell(
        room.id, room.name, cleaned(room.floor), low, low + storey - SLAB, room.number, room.use, f"{room.level:g}"
    )


def _room_layer(rooms: Sequence[PlanRoom], cells: Sequence[Cell], name: str, storey: float) -> Layer:
    parts = [(row, part) for row, cell in enumerate(cells) for part in shapely.get_parts(cell.floor)]
    polygons = np.array([shapely.geometry.polygon.orient(part, 1.0) for _, part in parts], dtype=object)
    owner = np.array([row for row, _ in parts], dtype=np.int32)
    mesh, _ = extrude(polygons, np.array([cells[row].low for row in owner]), storey - SLAB)
    geometry = type(mesh)(mesh.vertices, mesh.faces, owner[mesh.face_element])
    columns = {
        ROOM_NAME: text_column([room.name for room in rooms]),
        ROOM_NUMBER: text_column([room.number for room in rooms]),
        ROOM_USE: text_column([room.use for room in rooms]),
        STOREY: text_column([f"{room.level:g}" for room in rooms]),
        ELEVATION: Column(np.array([cell.low for cell in cells]), "m", "floor, by the assumed storey height"),
        ROOM_HEIGHT: Column(np.full(len(cells), storey - SLAB), "m", "assumed"),
        AREA: Column(np.array([cell.floor.area for cell in cells]), "m2"),
    }
    assumed = Issue(
        "indoor.storey_height_assumed",
        f"The plan has no heights; storeys are drawn {storey:g} m apart.",
        severity="doubt",
        count=len(cells),
        values={"storey": f"{storey:g}"},
    )
    return Layer(
        "rooms", f"{name}: rooms", "space", geometry, ElementTable([room.id for room in rooms], columns),
        style=Style(opacity=0.5, colour_by=ROOM_USE), stratum="indoor", source=Source(part="rooms"), issues=(assumed,),
    )  # fmt: skip


def _passages(
    rooms: Sequence[PlanRoom], doors: Sequence[PlanDoor], finder: CellFinder, ground: float, storey: float
) -> tuple[list[Passage], list[str]]:
    found, lost = [], []
    for door in doors:
        z = ground + door.level * storey
        sides = _line_sides(door, finder, z) if door.shape.geom_type == "LineString" else _point_sides(door, finder, z)
        cells = [side.cell for side in sides]
        if len(cells) != 2 or cells[0] == cells[1]:
            lost.append(door.id)
            continue
        centre = np.array([door.shape.centroid.x, door.shape.centroid.y, z])
        found.append(Passage(door.id, door.name, "door", centre, tuple(sides), door.width, True, f"{door.level:g}"))
    return found, lost


def _line_sides(door: PlanDoor, finder: CellFinder, z: float) -> list[Side]:
    ends = shapely.get_coordinates(door.shape)[[0, -1]]
    run = ends[1] - ends[0]
    size = float(np.hypot(*run))
    if size < 1e-6:
        return []
    across, middle = np.array([-run[1], run[0]]) / size, ends.mean(axis=0)
    sides = []
    for sign in (1.0, -1.0):
        points = np.array([(*(middle + sign * away * across), z) for away in PROBES])
        cells = finder.at(points + [0.0, 0.0, 0.3])
        hit = np.flatnonzero(cells >= 0)
        which = int(hit[0]) if len(hit) else len(points) - 1
        sides.append(Side(int(cells[which]), points[which]))
    return sides


def _point_sides(door: PlanDoor, finder: CellFinder, z: float) -> list[Side]:
    """The two rooms nearest to a door drawn as a point; one alone leads outside."""
    near = []
    for number in finder.touching(door.shape.buffer(POINT_REACH)).tolist():
        cell = finder.cells[number]
        if abs(cell.low - z) < 0.5:
            near.append((float(cell.floor.boundary.distance(door.shape)), number))
    sides = []
    x, y = door.shape.x, door.shape.y
    for _, number in sorted(near)[:2]:
        foot = shapely.get_coordinates(shapely.shortest_line(finder.cells[number].floor.buffer(-0.3), door.shape))
        inner = foot[0] if len(foot) else np.array([x, y])
        sides.append(Side(number, np.array([*inner, z])))
    if len(sides) == 1:
        out = np.array([x, y]) * 2 - sides[0].point[:2]
        sides.append(Side(-1, np.array([*out, z])))
    return sides


def _open_sides(rooms: Sequence[PlanRoom], finder: CellFinder) -> list[Passage]:
    """Corridors and other open areas that share a side; rooms are joined by doors only."""
    found = []
    is_open = [room.use.split(".")[0].lower() in OPEN_USES for room in rooms]
    for i, cell in enumerate(finder.cells):
        if not is_open[i]:
            continue
        for j in finder.touching(cell.floor.buffer(0.05)).tolist():
            other = finder.cells[j]
            if j > i and is_open[j] and abs(other.low - cell.low) < 0.25:
                passage = passage_between(finder.cells, i, j, f"{cell.id}|{other.id}", derived=True, least=0.8)
                if passage is not None:
                    found.append(passage)
    return found


def _climbs(rooms: Sequence[PlanRoom], cells: Sequence[Cell]) -> list[Climb]:
    """Stairs, lifts and ramps over one another on neighbouring levels of one building."""
    found = []
    chosen = [k for k, room in enumerate(rooms) if room.climbs]
    for low in chosen:
        above = [
            k
            for k in chosen
            if rooms[k].climbs == rooms[low].climbs
            and rooms[k].building == rooms[low].building
            and rooms[k].level > rooms[low].level
            and _share(cells[k].floor, cells[low].floor) > SAME_STAIR
        ]
        if not above:
            continue
        high = min(above, key=lambda k: (rooms[k].level, -_share(cells[k].floor, cells[low].floor)))
        point = shapely.intersection(cells[low].floor, cells[high].floor).representative_point()
        line = np.array([(point.x, point.y, cells[low].low), (point.x, point.y, cells[high].low)])
        title = rooms[low].name or rooms[low].use
        id = f"{rooms[low].id}^{rooms[high].id}"
        found.append(Climb(id, title, rooms[low].climbs, line, (low, high), np.nan, True, ""))
    return found


def _share(a: shapely.Geometry, b: shapely.Geometry) -> float:
    return float(shapely.intersection(a, b).area / max(min(a.area, b.area), 1e-9))


def _door_issues(doors: Sequence[PlanDoor], lost: list[str]) -> list[Issue]:
    if not lost:
        return []
    return [
        Issue(
            "indoor.doors_nowhere",
            f"{len(lost)} of {len(doors)} doors join no two rooms of the plan and are not part of the network.",
            severity="doubt",
            count=len(lost),
            elements=tuple(lost[:200]),
        )
    ]
