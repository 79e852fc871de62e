"""Lanes: ways of least resistance with their open width, their narrowest places and the buildings beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.corridor.city import REACH, Downwind
from analysis.corridor.lattice import Air, Lattice, Steps
from analysis.corridor.paths import best_path, course

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int32]

WIDEST = 150.0  # [m] to each side within which a wall bounds a lane
TANGENT = 4  # places before and after by which the direction of a lane is measured
SHARED = 0.5  # of a way in cells of an earlier lane: it is the same lane
NARROW = 0.8  # of the usual width: a bottleneck
APART = 40.0  # [m] between two bottlenecks
MOST_BOTTLENECKS = 4  # of a lane


class Sides(NamedTuple):
    """What bounds a lane at each of its places; side 0 on the right, 1 on the left, seen downwind.

    Attributes
    ----------
    distance : (2, n) float [m]
        To the wall, at most `WIDEST`.
    element : (2, n) int32
        Building of the wall, -1 none within `WIDEST`.
    height : (2, n) float [m]
        Of the wall, 0 without.
    """

    distance: Floats
    element: Ints
    height: Floats

    @property
    def width(self) -> Floats:
        """(n,) [m]; at least this where a side is not bounded."""
        return np.asarray(self.distance.sum(axis=0))

    @property
    def bounded(self) -> Bools:
        """(n,) a wall on both sides."""
        return np.asarray((self.element >= 0).all(axis=0))


class Bottleneck(NamedTuple):
    """A narrow place of a lane between two walls.

    Attributes
    ----------
    place : int
        Which place of the lane.
    width, usual : float [m]
        There, and of the lane.
    elements : (int, int)
        Buildings on the right and on the left.
    lost : (float, float) [m]
        What it would be wider, up to the usual, without each of them.
    confined : float
        Share of the section within 100 m to both sides that is built: 1 where air can go nowhere else.
    """

    place: int
    width: float
    usual: float
    elements: tuple[int, int]
    lost: tuple[float, float]
    confined: float


@dataclass(frozen=True, eq=False)
class Lane:
    """One lane.

    Attributes
    ----------
    xy : (n, 2) float [m]
        Its course in the axes of the wind, windward first.
    cost : float [m of open land]
    sides : Sides
    ratio : (n,) float
        Mean speed over the reference.
    bottlenecks : tuple of Bottleneck
    """

    xy: Floats
    cost: float
    sides: Sides
    ratio: Floats
    bottlenecks: tuple[Bottleneck, ...]

    @property
    def length(self) -> float:
        """Along its course [m]."""
        return float(np.linalg.norm(np.diff(self.xy, axis=0), axis=1).sum())

    @property
    def straightness(self) -> float:
        """Distance of its ends over its length."""
        return float(np.linalg.norm(self.xy[-1] - self.xy[0]) / max(self.length, 1e-9))

    @property
    def resistance(self) -> float:
        """Cost over the distance of its ends: how many times as long as in the wind outside at that height it takes."""
        return self.cost / max(float(np.linalg.norm(self.xy[-1] - self.xy[0])), 1e-9)

    @property
    def width(self) -> float:
        """Usual width (median over its course) [m]."""
        return float(np.median(self.sides.width))

    @property
    def least_width(self) -> float:
        """[m]."""
        return float(self.sides.width.min())

    @property
    def mean_ratio(self) -> float:
        """Mean speed over the reference."""
        known = self.ratio[np.isfinite(self.ratio)]
        return float(known.mean()) if len(known) else float("nan")


def find_lanes(lattice: Lattice, steps: Steps, city: Downwind, air: Air, most: int) -> list[Lane]:
    """The `most` best lanes at most, cheapest first; each keeps clear of those before it."""
    used = np.zeros(lattice.shape, dtype=bool)
    lanes: list[Lane] = []
    for _ in range(2 * most):
        found = best_path(lattice, steps, used if lanes else None)
        if found is None or len(lanes) == most or (used | lattice.closed).all():
            break
        shared = float(used.ravel()[found.cells].mean())
        xy, cost = to_the_edges(course(lattice, city, found.cells), found.cost, city)
        lane = lane_along(lattice, city, air, xy, cost)
        used |= ground_of(lattice, city, lane)
        if shared <= SHARED:
            lanes.append(lane)
    return sorted(lanes, key=lambda lane: round(lane.resistance, 6))


def to_the_edges(xy: Floats, cost: float, city: Downwind) -> tuple[Floats, float]:
    """A course from edge to edge of the area instead of from middle to middle of its outer cells, and its cost."""
    ends = np.array([[-0.5 * city.length, xy[0, 1]], [0.5 * city.length, xy[-1, 1]]])
    before, after = xy[-1, 0] - xy[0, 0], city.length
    return np.concatenate([ends[:1], xy, ends[1:]]), cost * after / before


def lane_along(lattice: Lattice, city: Downwind, air: Air, xy: Floats, cost: float) -> Lane:
    """A lane with its sides measured."""
    sides = sides_of(city, xy)
    place = lattice.number(xy)
    return Lane(xy, cost, sides, air.ratio[place[:, 0], place[:, 1]], bottlenecks_of(city, xy, sides))


def directions(xy: Floats) -> Floats:
    """(n, 2) unit vectors along a course, over some places before and after."""
    count = len(xy)
    number = np.arange(count)
    before, after = np.maximum(number - TANGENT, 0), np.minimum(number + TANGENT, count - 1)
    way = xy[after] - xy[before]
    return np.asarray(way / np.maximum(np.linalg.norm(way, axis=1), 1e-9)[:, None])


def sides_of(city: Downwind, xy: Floats) -> Sides:
    """Walls to the right and left of each place of a course."""
    way = directions(xy)
    left = np.column_stack([-way[:, 1], way[:, 0]])
    reach = _reach(city, WIDEST)
    distance, element = np.full((2, len(xy)), WIDEST), np.full((2, len(xy)), -1, dtype=np.int32)
    height = np.zeros((2, len(xy)))
    for side, sign in ((0, -1.0), (1, 1.0)):
        points = xy[:, None] + sign * left[:, None] * reach[None, :, None]
        row, column, inside = city.number(points)
        wall = inside & city.built[row, column]
        hit = wall.any(axis=1)
        first = np.argmax(wall, axis=1)
        which = (np.flatnonzero(hit), first[hit])
        distance[side, hit] = reach[first[hit]] - 0.25 * city.fine  # the wall's face lies half a step before
        element[side, hit] = city.element[row, column][which]
        height[side, hit] = city.above[row, column][which]
    return Sides(distance, element, height)


def _reach(city: Downwind, most: float) -> Floats:
    """Distances at which a section is looked at [m]."""
    return np.arange(0.5 * city.fine, most, 0.5 * city.fine)


def bottlenecks_of(city: Downwind, xy: Floats, sides: Sides) -> tuple[Bottleneck, ...]:
    """The narrowest places between two walls, the narrowest first, well apart from one another."""
    width, usual = sides.width, float(np.median(sides.width))
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(xy, axis=0), axis=1))])
    order = np.argsort(np.round(width, 3), kind="stable")
    order = order[sides.bounded[order] & (width[order] <= NARROW * usual)]
    found: list[Bottleneck] = []
    for place in order:
        if len(found) == MOST_BOTTLENECKS:
            break
        if any(abs(along[place] - along[other.place]) < APART for other in found):
            continue
        found.append(_bottleneck(city, xy, sides, int(place), usual))
    return tuple(found)


def _bottleneck(city: Downwind, xy: Floats, sides: Sides, place: int, usual: float) -> Bottleneck:
    """One narrow place, and how wide it would be without the building on either side."""
    way = directions(xy)[place]
    left = np.array([-way[1], way[0]])
    typical = np.median(sides.distance, axis=1)
    reach = _reach(city, WIDEST)
    lost, built = [], []
    for side, sign in ((0, -1.0), (1, 1.0)):
        row, column, inside = city.number(xy[place] + sign * reach[:, None] * left)
        element = np.where(inside, city.element[row, column], -1)
        built.append(element[reach < REACH] >= 0)
        others = (element >= 0) & (element != sides.element[side, place])
        without = float(reach[np.argmax(others)]) if others.any() else WIDEST
        lost.append(max(min(without, float(typical[side])) - float(sides.distance[side, place]), 0.0))
    elements = (int(sides.element[0, place]), int(sides.element[1, place]))
    width = float(sides.width[place])
    return Bottleneck(place, width, usual, elements, (lost[0], lost[1]), float(np.concatenate(built).mean()))


def ground_of(lattice: Lattice, city: Downwind, lane: Lane) -> Bools:
    """(rows, cols) cells of the lane across its open width."""
    way = directions(lane.xy)
    left = np.column_stack([-way[:, 1], way[:, 0]])
    out = np.zeros(lattice.shape, dtype=bool)
    most = float(np.hypot(city.length, city.width))
    reach = np.arange(-most, most + 1e-9, 0.5 * lattice.cell)
    points = lane.xy[:, None] + left[:, None] * reach[None, :, None]
    # What has no wall within sight is one open field.
    to_right, to_left = np.where(lane.sides.element >= 0, lane.sides.distance, most)[:, :, None]
    within = (reach >= -to_right) & (reach <= to_left)
    flat = points[within]
    start = np.array([lattice.x[0], lattice.y[0]]) - 0.5 * lattice.cell
    place = np.floor((flat - start) / lattice.cell).astype(np.int64)
    good = ((place >= 0) & (place < np.array(lattice.shape[::-1]))).all(axis=1)
    out[place[good, 1], place[good, 0]] = True
    return out
