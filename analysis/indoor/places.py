"""Which node of the walking network a place of the scene stands for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.indoor.network import OUTDOOR, Walks
from analysis.indoor.outdoors import join_to_road, nearest_on_roads
from analysis.places import Place, read_places
from geo.model import Frame, Layer, UserError

Floats = NDArray[np.float64]

HEIGHT_WEIGHT = 4.0  # a storey up counts as this many times its height in plan
FAR = 200.0  # [m] no place of the network nearer than this: the place named is elsewhere


class Stand(NamedTuple):
    """A node, and the straight way [m] between it and the place named."""

    node: int
    away: float


def stand_at(text: str, walks: Walks, layers: Sequence[Layer], frame: Frame, what: str) -> Stand:
    """The node of a place: its room or door where it is one, else the nearest node or road.

    Parameters
    ----------
    what : {"start", "goal"}
        For the message of an error.
    """
    own = _by_id(text.strip(), walks)
    if own >= 0:
        return Stand(own, 0.0)
    places = read_places(text, layers, frame)
    if len(places) != 1:
        raise UserError(
            "A way has one start and one goal.",
            f"The parameter {what} names {len(places)} places.",
            "Name one room, door or point.",
            code="indoor.one_place",
            values={"what": what, "count": len(places)},
        )
    place = places[0]
    own = _by_id(place.element_id, walks)
    return Stand(own, 0.0) if own >= 0 else _nearest(place, walks, text)


def points_of(texts: Sequence[str], layers: Sequence[Layer], frame: Frame) -> Floats:
    """Points (n, 3) of the places named; what cannot be read is left for `stand_at` to say."""
    found = [np.zeros((0, 3))]
    for text in texts:
        try:
            found += [place.point[None] for place in read_places(text, layers, frame)]
        except UserError:
            continue
    points = np.concatenate(found)
    return np.asarray(points[np.isfinite(points[:, :2]).all(axis=1)])


def _by_id(id: str, walks: Walks) -> int:
    """The node of that id, or of the room of that id; -1 for none."""
    if not id:
        return -1
    if id in walks.id:
        return walks.id.index(id)
    rooms = [k for k, room in enumerate(walks.room) if room == id]
    return next((k for k in rooms if walks.node[k] == "room"), rooms[0] if rooms else -1)


def _nearest(place: Place, walks: Walks, text: str) -> Stand:
    indoor = np.array([k for k, node in enumerate(walks.node) if node != OUTDOOR], dtype=np.int64)
    step = walks.points[indoor] - place.point
    flat = np.hypot(step[:, 0], step[:, 1])
    height = np.abs(step[:, 2])
    if not np.isfinite(place.point[2]):  # no height given: the ground
        height = np.abs(walks.points[indoor, 2] - _ground(walks))
    best = int(np.argmin(np.hypot(flat, HEIGHT_WEIGHT * height)))
    roads = [e for e, (a, b) in enumerate(zip(walks.tail, walks.head, strict=True)) if _outdoor(walks, a, b)]
    road_away = nearest_on_roads(walks, place.point, roads)[0]
    if min(road_away, float(flat[best])) > FAR or not np.isfinite(flat[best]):
        raise UserError(
            f"The place {text} is far from every way.",
            f"The nearest place of the walking network is {flat[best]:.0f} m away.",
            "Name a place in or near the building, or add roads to the study.",
            code="indoor.far_place",
            values={"place": text, "away": f"{flat[best]:.0f}"},
        )
    if road_away < float(flat[best]):
        node, away = join_to_road(walks, place.point, roads)
        return Stand(node, away)
    return Stand(int(indoor[best]), float(flat[best]))


def _outdoor(walks: Walks, a: int, b: int) -> bool:
    return walks.node[a] == OUTDOOR and walks.node[b] == OUTDOOR


def _ground(walks: Walks) -> float:
    """Height of the lowest exit, else of the lowest node [m]."""
    exits = walks.of_kind("exit")
    return float(walks.points[exits if len(exits) else slice(None), 2].min())
