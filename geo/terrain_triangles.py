"""Terrain through scattered heights: triangles between contours and spot heights, laid on a grid."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo.model import Feedback, Grid, UserError, unique_rows

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
CELLS_AT_ONCE = 500_000  # cells between two looks at whether the user wants to stop
ON_EDGE = 1e-7  # [cells]; a cell so near an edge belongs to the triangles on both sides


def grid_from_points(
    points: ArrayLike, *, cell: float, longest_edge: float = 0.0, feedback: Feedback | None = None
) -> Grid:
    """Terrain through scattered heights: a Delaunay triangulation, linear within each triangle.

    Each triangle is drawn onto the grid row by row. Asking the triangulation for each cell's triangle instead takes
    minutes with contours, between which the triangles are long and thin.

    Parameters
    ----------
    points : (n, 3) float [local m]
        Vertices of contours, spot heights. Of points at one place the mean height counts.
    cell : float [m]
        Cell of the grid, aligned with multiples of it.
    longest_edge : float [m]
        Triangles with a longer side give no height (bays of the outline); 0 = all count.
    """
    from scipy.spatial import Delaunay, QhullError

    told = feedback or Feedback()
    xyz = np.asarray(points, dtype=np.float64)
    xyz = xyz[np.isfinite(xyz).all(axis=1)]
    place, height = _one_height_a_place(xyz)
    if len(place) < 3:
        raise _too_few_heights(len(xyz))
    low, high = np.ceil(place.min(axis=0) / cell), np.floor(place.max(axis=0) / cell)
    if (high < low).any():
        raise _too_few_heights(len(xyz))
    told.step(0.0, "triangles between the heights")
    try:
        triangles = Delaunay(place - place.mean(axis=0)).simplices.astype(np.int64)
    except QhullError as error:
        raise _too_few_heights(len(xyz)) from error
    if longest_edge > 0:
        corner = place[triangles]
        triangles = triangles[np.linalg.norm(corner - np.roll(corner, 1, axis=1), axis=2).max(axis=1) <= longest_edge]
    columns, rows = (high - low).astype(np.int64) + 1
    values = _drawn(place / cell - low, height, triangles, (int(rows), int(columns)), told)
    return Grid(values, float(low[0] * cell), float(low[1] * cell), cell)


def _one_height_a_place(xyz: Floats) -> tuple[Floats, Floats]:
    """Places (n, 2) that differ by a millimetre at least, and the mean height at each."""
    if not len(xyz):
        return np.empty((0, 2)), np.empty(0)
    found = unique_rows(np.round(xyz[:, :2], 3))
    return xyz[found.first, :2], np.bincount(found.group, weights=xyz[:, 2]) / found.times


def _drawn(place: Floats, height: Floats, triangles: Indices, shape: tuple[int, int], feedback: Feedback) -> Floats:
    """Heights (rows, columns) of the triangles; NaN outside all. `place` in cells from the south-west cell's centre."""
    values = np.full(shape, np.nan)
    corner = place[triangles]
    for part in _portions(corner):
        feedback.step(0.2 + 0.8 * part.start / len(triangles), "reading heights off the triangles")
        _draw(values, corner[part], height[triangles[part]])
    return values


def _portions(corner: Floats) -> Iterator[slice]:
    """Consecutive triangles (m, 3, 2) that cover about `CELLS_AT_ONCE` cells, rows counted too."""
    side = corner[:, 1:] - corner[:, :1]
    area = np.abs(side[:, 0, 0] * side[:, 1, 1] - side[:, 0, 1] * side[:, 1, 0]) / 2
    cells = np.cumsum(area + np.ptp(corner[..., 1], axis=1) + 1)
    ends = np.flatnonzero(np.diff(cells // CELLS_AT_ONCE, append=math.inf)) + 1
    start = 0
    for end in ends.tolist():
        yield slice(start, end)
        start = end


def _draw(values: Floats, corner: Floats, height: Floats) -> None:
    """Write the heights of some triangles (m, 3, 2), (m, 3) into the cells whose centres they cover."""
    rows, columns = values.shape
    v = corner[..., 1]
    triangle, row = _spread(v.min(axis=1), v.max(axis=1), rows)
    left, right, low, high = _crossings(corner[triangle], height[triangle], row)
    span, column = _spread(left, right, columns)
    width = right - left
    share = np.divide(column - left[span], width[span], out=np.zeros(len(span)), where=width[span] > ON_EDGE)
    values[row[span], column] = low[span] + np.clip(share, 0.0, 1.0) * (high - low)[span]


def _spread(begin: Floats, end: Floats, count: int) -> tuple[Indices, Indices]:
    """Whole numbers 0 .. count-1 within each interval: the interval's index and the number, both (k,)."""
    first = np.maximum(np.ceil(begin - ON_EDGE), 0).astype(np.int64)
    last = np.minimum(np.floor(end + ON_EDGE), count - 1).astype(np.int64)
    sizes = np.maximum(last - first + 1, 0)
    owner = np.repeat(np.arange(len(begin)), sizes)
    return owner, first[owner] + np.arange(len(owner)) - (np.cumsum(sizes) - sizes)[owner]


def _crossings(corner: Floats, height: Floats, row: Indices) -> tuple[Floats, Floats, Floats, Floats]:
    """Where a row enters and leaves a triangle [cells], and the heights there [m]; all (k,)."""
    left, right = np.full(len(row), np.inf), np.full(len(row), -np.inf)
    low, high = np.zeros(len(row)), np.zeros(len(row))
    for a, b in ((0, 1), (1, 2), (2, 0)):
        from_v, rise = corner[:, a, 1], corner[:, b, 1] - corner[:, a, 1]
        # An edge along the row is bounded by the two others, which cross the row where it begins and ends.
        share = np.divide(row - from_v, rise, out=np.full(len(row), -1.0), where=np.abs(rise) > ON_EDGE)
        reach = np.divide(ON_EDGE, np.abs(rise), out=np.zeros(len(row)), where=np.abs(rise) > ON_EDGE)
        crosses = (share >= -reach) & (share <= 1 + reach)
        u = corner[:, a, 0] + share * (corner[:, b, 0] - corner[:, a, 0])
        z = height[:, a] + share * (height[:, b] - height[:, a])
        low, left = np.where(crosses & (u < left), z, low), np.where(crosses & (u < left), u, left)
        high, right = np.where(crosses & (u > right), z, high), np.where(crosses & (u > right), u, right)
    empty = left > right
    left[empty], right[empty] = 1.0, 0.0  # a triangle that only touches the row with an edge along it
    return left, right, low, high


def _too_few_heights(count: int) -> UserError:
    return UserError(
        f"{count} heights are not enough for a terrain.",
        "At least three points that do not lie on one line, further apart than a cell, are needed.",
        "Choose contours or spot heights that cover an area, or a smaller cell.",
        code="terrain.too_few_heights",
        values={"count": count},
    )
