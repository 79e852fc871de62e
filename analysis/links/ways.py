"""Joints for people and cars: entrances and station exits to roads, ramps to parking."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from analysis.links.found import Link, Links, limit
from analysis.links.plan import nearest_road
from geo.model import Grid, Layer, Lines, Points
from geo.model.conventions import CLEAR_WIDTH, FROM_NODE, NODE, ROOM, ROOM_NAME, ROOM_USE, TO_NODE, WAY

Floats = NDArray[np.float64]
SEARCH = 2.0  # times the reach: roads a little too far are named
VEHICLE_WIDTH = 2.3  # [m] of a gate for cars
NO_WAY_FOR_CARS = ("stair", "lift", "escalator")
PARKING_WORDS = ("park", "garage", "주차", "차고")


def find_ways(
    found: Links,
    networks: Sequence[Layer],
    rooms: Sequence[Layer],
    roads: Sequence[Layer],
    ground: Grid | None,
    *,
    reach: float,
) -> None:
    """Add a link for every exit at the ground, and for every ramp that leads out."""
    ramps = _ramp_nodes(networks)
    parking = _parking_rooms(rooms)
    for layer in networks:
        shape = layer.geometry
        if not isinstance(shape, Points):
            continue
        node = _texts(layer, NODE)
        below = layer.stratum == "underground"
        for point, row in zip(shape.vertices, shape.element.tolist(), strict=True):
            if node[row] != "exit":
                continue
            name = str(layer.table.ids[row])
            step = _above_ground(ground, point)
            if abs(step) > limit("entrance_storey"):
                found.balconies += 1
                continue
            sort = "parking_ramp" if name in ramps else "station_exit" if below else "entrance"
            found.items.append(_to_road(layer, name, point, roads, sort, step, ramps.get(name, ()), parking, reach))


def _to_road(
    layer: Layer,
    name: str,
    point: Floats,
    roads: Sequence[Layer],
    sort: str,
    step: float,
    leads_to: Sequence[str],
    parking: frozenset[str],
    reach: float,
) -> Link:
    gap, foot, number, row = nearest_road(roads, point, reach=SEARCH * reach)
    to_layer = roads[number].id if number >= 0 else ""
    to_id = str(roads[number].table.ids[row]) if number >= 0 else ""
    line = np.stack([point, foot if number >= 0 else point])
    rule, why = "entrance_reach", ""
    if gap > reach:
        why = "too_far"
    elif abs(step) > limit("entrance_level") and sort != "parking_ramp":
        rule, why = "entrance_level", "step"
    elif sort == "parking_ramp" and parking and not parking & set(leads_to):
        rule, why = "ramp_to_parking", "no_parking"
    return Link(sort, layer.id, name, to_layer, to_id, line, min(gap, 1e6), rule, bool(why), why)


def _above_ground(ground: Grid | None, point: Floats) -> float:
    """How far a point lies above the terrain [m]; 0 where there is none."""
    if ground is None:
        return 0.0
    height = float(ground.sample(point[0], point[1]))
    return float(point[2] - height) if np.isfinite(height) else 0.0


def _texts(layer: Layer, name: str) -> NDArray[np.object_]:
    column = layer.table.columns.get(name)
    return np.full(len(layer.table), "", dtype=object) if column is None else np.asarray(column.values, dtype=object)


def _too_narrow(layer: Layer, kinds: NDArray[np.object_]) -> set[str]:
    """Ids of doors and exits that no car passes; an exit of unknown width may be a gate."""
    column = layer.table.columns.get(CLEAR_WIDTH)
    width = np.full(len(layer.table), np.nan) if column is None else np.asarray(column.values, dtype=np.float64)
    door = (kinds == "door") & ~(width >= VEHICLE_WIDTH)
    gate = (kinds == "exit") & (width < VEHICLE_WIDTH)
    return {str(name) for name in layer.table.ids[door | gate]}


def _ramp_nodes(networks: Sequence[Layer]) -> dict[str, list[str]]:
    """Places a car can reach from a ramp, each with the rooms that can be reached so.

    A car passes neither stairs nor lifts nor doors narrower than `VEHICLE_WIDTH`.
    """
    room_of: dict[str, str] = {}
    neighbours: dict[str, set[str]] = {}
    at_ramp: set[str] = set()
    narrow: set[str] = set()
    for layer in networks:
        if isinstance(layer.geometry, Points):
            rooms = _texts(layer, ROOM)
            kinds = _texts(layer, NODE)
            narrow |= _too_narrow(layer, kinds)
            for row, name in enumerate(layer.table.ids.tolist()):
                room_of[str(name)] = str(rooms[row] or (name if kinds[row] == "room" else ""))
        if isinstance(layer.geometry, Lines):
            for a, b, way in zip(_texts(layer, FROM_NODE), _texts(layer, TO_NODE), _texts(layer, WAY), strict=True):
                if way not in NO_WAY_FOR_CARS:
                    neighbours.setdefault(str(a), set()).add(str(b))
                    neighbours.setdefault(str(b), set()).add(str(a))
                if way == "ramp":
                    at_ramp |= {str(a), str(b)}
    out: dict[str, list[str]] = {}
    for start in sorted(at_ramp):
        reached, todo = {start}, [start]
        while todo:
            for other in sorted(neighbours.get(todo.pop(), ())):
                if other not in reached and other not in narrow:
                    reached.add(other)
                    todo.append(other)
        for name in reached:
            out[name] = sorted({room_of.get(n, "") for n in reached} - {""})
    return out


def _parking_rooms(rooms: Sequence[Layer]) -> frozenset[str]:
    """Ids of rooms that are named or used as parking."""
    found = set()
    for layer in rooms:
        texts = [_texts(layer, name) for name in (ROOM_NAME, ROOM_USE, "long_name")]
        for row, room in enumerate(layer.table.ids.tolist()):
            said = " ".join(str(column[row] or "") for column in texts).lower()
            if any(word in said for word in PARKING_WORDS):
                found.add(str(room))
    return frozenset(found)
