"""The flow of one wind on a lattice downwind, and what it costs the air to go from place to place on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.corridor.city import Downwind
from analysis.wind.levels import Solved
from analysis.wind.scene_map import SceneMap, laid
from analysis.wind.tunnel import Tunnel

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Window = tuple[slice, slice]
Cost = Callable[[Window, Window, tuple[float, float], float], Floats]

SLOWEST = 0.05  # of the wind outside: air that rests or comes back is taken along this fast by mixing
FORM_OPEN = 0.05  # frontal area index added, so that open land has a length too
STEPS = ((0, 1), (1, 1), (1, 0), (1, -1))  # (row, column) of half of the neighbours


class Lattice(NamedTuple):
    """Square cells over the area of a `Downwind`, in its axes; row 0 at the right of the wind, column 0 windward.

    Attributes
    ----------
    x, y : (cols,), (rows,) float [m]
        Middles.
    cell : float [m]
    place : SceneMap
        The middles in the tunnel's axes.
    closed : (rows, cols) bool
        In a building, of the flow's cells or of the raster.
    """

    x: Floats
    y: Floats
    cell: float
    place: SceneMap
    closed: Bools

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, cols)."""
        return len(self.y), len(self.x)

    def number(self, xy: Floats) -> NDArray[np.int64]:
        """(n, 2) row and column below positions in the axes, clipped."""
        start = np.array([self.x[0], self.y[0]])
        place = np.round((xy - start) / self.cell).astype(np.int64)
        return np.asarray(np.clip(place, 0, np.array(self.shape[::-1]) - 1)[:, ::-1])


def lattice_of(city: Downwind, tunnel: Tunnel, cell: float) -> Lattice:
    """A lattice of about this cell [m] that fits the area."""
    columns, rows = (max(3, round(side / cell)) for side in (city.length, city.width))
    size = city.length / columns
    x, y = (np.asarray((np.arange(n) - 0.5 * (n - 1)) * size, dtype=np.float64) for n in (columns, rows))
    xx, yy = np.meshgrid(x, y)
    flat = np.column_stack([xx.ravel(), yy.ravel()])
    scene = city.axes.to_scene(flat)
    cos, sin = np.cos(np.radians(tunnel.turn_deg)), np.sin(np.radians(tunnel.turn_deg))
    east, north = (scene - tunnel.pivot).T
    there = np.column_stack([east * cos + north * sin, north * cos - east * sin])
    place = SceneMap(float(x[0]), float(y[0]), size, there, np.ones((rows, columns), dtype=bool))
    closed = np.isnan(laid(np.where(tunnel.building >= 0, np.nan, 1.0), tunnel, place))
    return Lattice(x, y, size, place, closed | city.built_at(flat).reshape(rows, columns))


class Air(NamedTuple):
    """The wind on a lattice over the wind outside at the same height.

    Attributes
    ----------
    along, left : (rows, cols) float
        Mean velocity downwind and to the left; 0 in buildings.
    ratio : (rows, cols) float
        Mean scalar speed over the reference; NaN in buildings.
    """

    along: Floats
    left: Floats
    ratio: Floats


def air_on(lattice: Lattice, city: Downwind, solved: Solved, height: float, reference: float) -> Air:
    """The wind of a flow on a lattice. reference : float [m/s], what `ratio` is over."""
    tunnel, found = solved.tunnel, solved.map_at(height)

    def on(values: NDArray[np.float32]) -> Floats:
        return laid(np.where(tunnel.building >= 0, np.nan, values), tunnel, lattice.place)

    outside = float(solved.wind.speed(np.array([height]))[0])
    u, v = np.nan_to_num(on(found.u)) / outside, np.nan_to_num(on(found.v)) / outside
    turn_rad = np.radians(tunnel.turn_deg - city.axes.turn_deg)
    along, left = u * np.cos(turn_rad) - v * np.sin(turn_rad), u * np.sin(turn_rad) + v * np.cos(turn_rad)
    return Air(along, left, on(found.scalar_speed) / reference)


class Steps(NamedTuple):
    """Steps between neighbouring cells: flat numbers of both cells, and what the step costs [m of open land]."""

    start: NDArray[np.int64]
    end: NDArray[np.int64]
    cost: Floats


def steps_by_flow(lattice: Lattice, air: Air) -> Steps:
    """The time the air needs for each step, times the speed outside: its way over the speed along that way."""

    def cost(rows: tuple[slice, slice], others: tuple[slice, slice], way: tuple[float, float], length: float) -> Floats:
        carried = 0.5 * ((air.along[rows] + air.along[others]) * way[1] + (air.left[rows] + air.left[others]) * way[0])
        return np.asarray(length / np.maximum(carried, SLOWEST))

    return _steps(lattice, cost)


def steps_by_form(lattice: Lattice, frontal: Floats) -> Steps:
    """The frontal area index on the way, without any flow (Wong et al. 2010). frontal : (rows, cols)."""

    def cost(
        rows: tuple[slice, slice], others: tuple[slice, slice], _way: tuple[float, float], length: float
    ) -> Floats:
        return np.asarray(length * (FORM_OPEN + 0.5 * (frontal[rows] + frontal[others])) / FORM_OPEN)

    return _steps(lattice, cost)


def _steps(lattice: Lattice, cost: Cost) -> Steps:
    """Steps to the eight neighbours, both ways; none through a building nor around its very corner."""
    rows, columns = lattice.shape
    number = np.arange(rows * columns).reshape(rows, columns)
    free = ~lattice.closed
    starts, ends, costs = [], [], []
    for down, right in STEPS:
        here = (slice(0, rows - down), slice(max(0, -right), columns - max(0, right)))
        there = (slice(down, rows), slice(max(0, right), columns + min(0, right)))
        passable = free[here] & free[there]
        if down and right:
            passable &= free[here[0], there[1]] & free[there[0], here[1]]
        size = float(np.hypot(down, right))
        for a, b, sign in ((here, there, 1.0), (there, here, -1.0)):
            value = cost(a, b, (sign * down / size, sign * right / size), size * lattice.cell)
            starts.append(number[a][passable])
            ends.append(number[b][passable])
            costs.append(value[passable])
    return Steps(np.concatenate(starts), np.concatenate(ends), np.concatenate(costs))
