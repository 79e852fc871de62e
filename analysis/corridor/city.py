"""The buildings seen along one wind: a fine raster whose x axis is downwind, and what is measured on it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.wind import voxels
from analysis.wind.domain import Axes
from analysis.wind.plan import Plan
from analysis.wind.terrain import heights
from geo.model import Feedback, UserError

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int32]

REACH = 100.0  # [m] around the area within which buildings are looked at
MOST_COLUMNS = 40_000_000
FINE_CELLS = 4.0  # columns of the raster to a cell of the flow
FINEST, COARSEST = 1.0, 3.0  # [m]


class Downwind(NamedTuple):
    """Buildings in axes whose x points downwind and whose y points to the left of it; row 0 at the right.

    Attributes
    ----------
    axes : Axes
        Origin in the middle of the area.
    length, width : float [m]
        Of the area looked at, along and across the wind; the raster reaches `REACH` further on all sides.
    fine : float [m]
        Width of the columns.
    above : (rows, cols) float [m]
        Height of the highest roof above the foot of its building, 0 in the open.
    element : (rows, cols) int32
        Which building, -1 none.
    """

    axes: Axes
    length: float
    width: float
    fine: float
    above: Floats
    element: Ints

    @property
    def built(self) -> Bools:
        """(rows, cols) whether a building stands there."""
        return np.asarray(self.element >= 0)

    @property
    def corner(self) -> Floats:
        """(2,) position of the raster's low corner in its axes."""
        return -0.5 * self.fine * np.array(self.above.shape[::-1], dtype=np.float64)

    def number(self, xy: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64], Bools]:
        """Row and column below positions (n, 2) in its axes, clipped, and whether they lie on the raster."""
        place = np.floor((xy - self.corner) / self.fine).astype(np.int64)
        shape = np.array(self.above.shape[::-1])
        inside = ((place >= 0) & (place < shape)).all(axis=-1)
        place = np.clip(place, 0, shape - 1)
        return place[..., 1], place[..., 0], np.asarray(inside)

    def built_at(self, xy: Floats) -> Bools:
        """(n,) whether positions lie in a building; beyond the raster none."""
        row, column, inside = self.number(xy)
        return np.asarray(inside & self.built[row, column])

    def middle(self, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> Floats:
        """(n, 2) middles of columns in its axes."""
        return np.asarray(self.corner + self.fine * (np.column_stack([columns, rows]) + 0.5))

    @property
    def area(self) -> tuple[slice, slice]:
        """Rows and columns of the area itself."""
        rows, columns = self.above.shape
        margin_y = round(0.5 * (rows - self.width / self.fine))
        margin_x = round(0.5 * (columns - self.length / self.fine))
        return slice(margin_y, rows - margin_y), slice(margin_x, columns - margin_x)


def fine_for(cell: float) -> float:
    """Width of the raster's columns for a flow in cells of a size [m]."""
    return float(np.clip(cell / FINE_CELLS, FINEST, COARSEST))


def seen_downwind(plan: Plan, wind_from: float, fine: float, least: float, feedback: Feedback) -> Downwind:
    """Cut the buildings of a plan into columns along a wind.

    Parameters
    ----------
    wind_from : float [degrees]
        Clockwise from **grid** north.
    fine : float [m]
    least : float [m]
        What is lower above its foot is no obstacle.
    """
    study = plan.extent.study
    middle = plan.axes.to_scene(0.5 * (study[:2] + study[2:])[None])[0]
    axes = Axes(float((270.0 - wind_from) % 360.0), middle)
    length, width = _area(study, plan.axes.turn_deg - axes.turn_deg, fine)
    columns, rows = (2 * round(0.5 * side / fine + REACH / fine) for side in (length, width))
    if rows * columns > MOST_COLUMNS:
        raise UserError(
            f"A raster of {fine:g} m over {length / 1000:.1f} x {width / 1000:.1f} km is too large.",
            f"It would have more than {MOST_COLUMNS // 10**6} million columns.",
            "Choose a smaller study area, or larger cells.",
            code="wind.corridor.too_large",
            values={"fine": fine, "most": MOST_COLUMNS // 10**6},
        )
    x, y = (np.asarray((np.arange(n + 1) - 0.5 * n) * fine, dtype=np.float64) for n in (columns, rows))
    if len(plan.solids) == 0:
        return Downwind(axes, length, width, fine, np.zeros((rows, columns)), np.full((rows, columns), -1, np.int32))
    feet = heights(plan.ground, plan.solids.feet[:, :2])
    feet = np.where(np.isnan(feet), plan.solids.low[:, 2], feet)
    top, element = voxels.roofs(plan.solids.without_walls(), axes, x, y, feedback)
    above = np.where(element >= 0, top - feet[element], 0.0)
    stands = above >= least
    return Downwind(axes, length, width, fine, np.where(stands, above, 0.0), np.where(stands, element, np.int32(-1)))


def _area(study: Floats, turn_deg: float, fine: float) -> tuple[float, float]:
    """Length along and width across the wind of the area [m].

    Of a square they are its sides whatever the wind, so that a lane is as long as the area is wide; its corners reach a
    little into the surroundings. Multiples of two columns.
    """
    cos2 = np.cos(np.radians(turn_deg)) ** 2
    sides = study[2:] - study[:2]
    length, width = cos2 * sides[0] + (1.0 - cos2) * sides[1], cos2 * sides[1] + (1.0 - cos2) * sides[0]
    return tuple(2.0 * fine * max(1, round(side / (2.0 * fine) + 1e-9)) for side in (length, width))


class Strips(NamedTuple):
    """Open share of vertical sections across the wind.

    Attributes
    ----------
    distance : (n,) float [m]
        Middle of each strip from the windward edge of the area.
    open_share : (n,) float
        0 to 1, of the lowest `layer` metres.
    depth, layer : float [m]
    """

    distance: Floats
    open_share: Floats
    depth: float
    layer: float

    @property
    def least(self) -> float:
        """Of the most closed strip."""
        return float(self.open_share.min())


def strips_of(city: Downwind, depth: float, layer: float) -> Strips:
    """Buildings of each strip, as deep as `depth` [m], projected along the wind onto a wall `layer` [m] high.

    Of a row of buildings with gaps the open share is that of the gaps; what is higher than the layer is cut.
    """
    rows, columns = city.area
    seen = np.minimum(city.above[rows, columns], layer)
    count = max(1, round(city.length / depth))
    edges = np.round(np.linspace(0, seen.shape[1], count + 1)).astype(np.int64)
    share = [1.0 - seen[:, a:b].max(axis=1).mean() / layer for a, b in zip(edges[:-1], edges[1:], strict=True)]
    middle = np.asarray(0.5 * (edges[1:] + edges[:-1]) * city.fine, dtype=np.float64)
    return Strips(middle, np.array(share), city.length / count, layer)


def runs_along(is_open: Bools) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Row, first and one past the last column of each stretch that is **not** open, in order."""
    edge = np.zeros((len(is_open), 1), dtype=np.int8)
    change = np.diff(np.concatenate([edge, (~is_open).astype(np.int8), edge], axis=1), axis=1)
    row, first = np.nonzero(change == 1)
    _, last = np.nonzero(change == -1)
    return row, first, last


def open_across(is_open: Bools) -> Ints:
    """(rows, cols) length of the open stretch across (along the columns) through each place, in columns; 0 built."""
    turned = is_open.T
    out = np.zeros(turned.shape, dtype=np.int32)
    row, first, last = runs_along(~turned)
    number = np.zeros((turned.shape[0], turned.shape[1] + 1), dtype=np.int32)
    np.add.at(number, (row, first), (last - first).astype(np.int32))
    np.add.at(number, (row, last), -(last - first).astype(np.int32))
    out[:] = np.cumsum(number[:, :-1], axis=1)
    return np.ascontiguousarray(out.T)
