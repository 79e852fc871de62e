"""What classified point clouds are good for: a terrain from the ground points, heights of buildings from the roofs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from geo.model import Grid, UserError
from geo.terrain import fill_small_holes, ground_or_nearest

Floats = NDArray[np.float64]
Codes = NDArray[np.integer]

GROUND, BUILDING = 2, 6  # classes of the ASPRS
MOST_CELLS = 100_000_000
# Buildings and trees hide the ground below them: holes up to this area [m2] are bridged.
HOLE_AREA = 20_000.0
MOST_WAITING = 4_000_000  # cells of single bits kept before they are summed up


@dataclass(frozen=True)
class GroundGrid:
    """A terrain and how many of its cells had no point of their own."""

    grid: Grid
    filled: int


def cell_values(
    points: Floats, *, cell: float, statistic: Literal["median", "lowest", "highest"] = "median"
) -> tuple[Grid, NDArray[np.int64]]:
    """Height of the points in each cell, and the number of points in it.

    Parameters
    ----------
    points : (n, 3) float [local m]
    cell : float [m]
        Cell centres lie on multiples of it, so that neighbouring clouds fit together.

    Returns
    -------
    grid : Grid
        NaN in cells without points.
    count : (rows, cols) int64
    """
    if len(points) == 0:
        raise _no_points("any class")
    col = np.floor(points[:, 0] / cell + 0.5).astype(np.int64)
    row = np.floor(points[:, 1] / cell + 0.5).astype(np.int64)
    col0, row0 = int(col.min()), int(row.min())
    cols, rows = int(col.max()) - col0 + 1, int(row.max()) - row0 + 1
    if rows * cols > MOST_CELLS:
        raise _too_fine(cell, rows, cols)
    number = (row - row0) * cols + (col - col0)
    order = np.lexsort((points[:, 2], number))
    number, z = number[order], points[order, 2]
    count = np.bincount(number, minlength=rows * cols)
    stop = np.cumsum(count)
    start = stop - count
    full = count > 0
    values = np.full(rows * cols, np.nan)
    if statistic == "lowest":
        values[full] = z[start[full]]
    elif statistic == "highest":
        values[full] = z[stop[full] - 1]
    else:
        middle = start[full] + (count[full] - 1) // 2
        values[full] = (z[middle] + z[start[full] + count[full] // 2]) / 2
    grid = Grid(values.reshape(rows, cols), col0 * cell, row0 * cell, cell)
    return grid, count.reshape(rows, cols)


class GroundCells:
    """Mean ground height per cell, gathered from any number of points bit by bit.

    Parameters
    ----------
    cell : float [m]
        Cell centres lie on multiples of it.
    """

    def __init__(self, cell: float) -> None:
        self.cell = cell
        self._parts: list[tuple[NDArray[np.int64], NDArray[np.int64], Floats, NDArray[np.int64]]] = []
        self._waiting = 0

    def add(self, points: Floats) -> None:
        """Ground points (n, 3) [local m]; those that are not finite do not count."""
        points = points[np.isfinite(points).all(axis=1)]
        if len(points) == 0:
            return
        col, row = (np.floor(points[:, axis] / self.cell + 0.5).astype(np.int64) for axis in (0, 1))
        self._parts.append(_summed(row, col, points[:, 2], np.ones(len(points), np.int64)))
        self._waiting += len(self._parts[-1][0])
        if len(self._parts) > 1 and self._waiting > MOST_WAITING:
            self._merge()

    def _merge(self) -> None:
        self._parts = [_summed(*(np.concatenate(values) for values in zip(*self._parts, strict=True)))]
        self._waiting = 0

    def grid(self, *, hole_area: float = HOLE_AREA) -> GroundGrid:
        """The terrain, small holes bridged as in `ground_grid`."""
        if not self._parts:
            raise _no_points("class 2 (ground)")
        self._merge()
        row, col, total, count = self._parts[0]
        row0, col0 = int(row.min()), int(col.min())
        rows, cols = int(row.max()) - row0 + 1, int(col.max()) - col0 + 1
        if rows * cols > MOST_CELLS:
            raise _too_fine(self.cell, rows, cols)
        values = np.full((rows, cols), np.nan)
        values[row - row0, col - col0] = total / count
        grid = Grid(values, col0 * self.cell, row0 * self.cell, self.cell)
        filled, number = fill_small_holes(grid, most_cells=max(int(hole_area / self.cell**2), 1))
        return GroundGrid(filled, number)


def _summed(
    row: NDArray[np.int64], col: NDArray[np.int64], total: Floats, count: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats, NDArray[np.int64]]:
    """Sums and counts with one entry per cell."""
    order = np.lexsort((col, row))
    row, col = row[order], col[order]
    first = np.flatnonzero(np.concatenate([[True], (np.diff(row) != 0) | (np.diff(col) != 0)]))
    return row[first], col[first], np.add.reduceat(total[order], first), np.add.reduceat(count[order], first)


def ground_grid(
    points: Floats,
    classes: Codes,
    *,
    cell: float,
    statistic: Literal["median", "lowest"] = "median",
    hole_area: float = HOLE_AREA,
) -> GroundGrid:
    """Terrain from the points of class 2 (ground).

    Parameters
    ----------
    points : (n, 3) float [local m]
    classes : (n,) int
        Classes of the ASPRS.
    cell : float [m]
    statistic : {"median", "lowest"}
        Of the ground points in a cell. The median withstands single wrong points.
    hole_area : float [m2]
        Holes up to this size (below buildings, trees, ponds) are bridged smoothly; larger ones and bays of the rim
        stay without data.
    """
    ground = points[np.asarray(classes) == GROUND]
    if len(ground) == 0:
        raise _no_points("class 2 (ground)")
    grid, _ = cell_values(ground, cell=cell, statistic=statistic)
    filled, number = fill_small_holes(grid, most_cells=max(int(hole_area / cell**2), 1))
    return GroundGrid(filled, number)


@dataclass(frozen=True)
class BuildingHeights:
    """Heights from points, one value per footprint; NaN where too few points lie on it.

    Attributes
    ----------
    ground : (n,) float [local m]
        Lowest ground along the outline.
    heights : (n, p) float [m]
        Roof points above `ground` at each of the `percentiles`.
    percentiles : tuple of float
    count : (n,) int64
        Roof points found.
    """

    ground: Floats
    heights: Floats
    percentiles: tuple[float, ...]
    count: NDArray[np.int64]


def building_heights(
    footprints: NDArray[np.object_],
    points: Floats,
    classes: Codes,
    *,
    ground: Grid,
    percentiles: tuple[float, ...] = (50.0, 90.0, 99.0),
    least_points: int = 5,
) -> BuildingHeights:
    """Heights of buildings from the points of class 6 that lie over their footprints.

    Parameters
    ----------
    footprints : (n,) shapely Polygons or MultiPolygons in local metres
    points : (n, 3) float [local m]
    classes : (n,) int
    ground : Grid
        Terrain, for example of `ground_grid`.
    percentiles : tuple of float
        The median is near the height of a flat roof or the middle of a pitched one; the 99th percentile near the
        ridge, less shaken by antennas than the highest point.
    least_points : int
        With fewer the heights stay NaN.
    """
    from geo.terrain import lowest_under

    roof = points[np.asarray(classes) == BUILDING]
    base = lowest_under(ground, footprints)
    missing = ~np.isfinite(base)
    if missing.any():
        base[missing] = _nearest_ground(footprints[missing], ground)
    owner, inside = _over(footprints, roof)
    count = np.bincount(owner, minlength=len(footprints)).astype(np.int64)
    heights = np.full((len(footprints), len(percentiles)), np.nan)
    order = np.argsort(owner, kind="stable")
    z = roof[inside[order], 2]
    start = np.concatenate([[0], np.cumsum(count)])
    for row in np.flatnonzero(count >= least_points):
        heights[row] = np.percentile(z[start[row] : start[row + 1]], percentiles) - base[row]
    return BuildingHeights(base, heights, tuple(percentiles), count)


def _over(footprints: NDArray[np.object_], roof: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs (footprint, point) where the point lies over the footprint."""
    import shapely

    if len(roof) == 0 or len(footprints) == 0:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    order = np.argsort(roof[:, 0], kind="stable")
    x = roof[order, 0]
    west, south, east, north = shapely.bounds(footprints).T
    owners, found = [], []
    shapely.prepare(footprints)
    for row, footprint in enumerate(footprints):
        if not math.isfinite(west[row]):
            continue
        near = order[np.searchsorted(x, west[row]) : np.searchsorted(x, east[row], side="right")]
        near = near[(roof[near, 1] >= south[row]) & (roof[near, 1] <= north[row])]
        near = near[shapely.contains_xy(footprint, roof[near, 0], roof[near, 1])]
        owners.append(np.full(len(near), row, np.int64))
        found.append(near.astype(np.int64))
    return np.concatenate([np.empty(0, np.int64), *owners]), np.concatenate([np.empty(0, np.int64), *found])


def _nearest_ground(footprints: NDArray[np.object_], ground: Grid) -> Floats:
    import shapely

    base = np.full(len(footprints), np.nan)
    real = ~shapely.is_empty(footprints)
    centre = shapely.get_coordinates(shapely.centroid(footprints[real]))
    base[real], _ = ground_or_nearest(ground, centre[:, 0], centre[:, 1])
    return base


def _no_points(what: str) -> UserError:
    return UserError(
        f"The point cloud has no points of {what}.",
        "A terrain can only be made from points that are classified as ground.",
        "Classify the cloud first, or read a file that is classified.",
        code="pointcloud.no_class",
        values={"class": what},
    )


def _too_fine(cell: float, rows: int, cols: int) -> UserError:
    return UserError(
        f"Cells of {cell:g} m are too fine for this point cloud.",
        f"They would make {cols} x {rows} cells.",
        "Choose larger cells, or read a part of the cloud with a rectangle.",
        code="pointcloud.too_fine",
        values={"cell": f"{cell:g}", "rows": rows, "cols": cols},
    )
