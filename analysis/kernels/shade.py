"""Shadow and sky view on a raster surface: quick enough for a slider, and what the picture is shaded with.

Import this module inside functions: it loads Numba. The kernels release the interpreter lock. A raster is
(rows, cols), row 0 south, column 0 west; heights in metres. It is a 2.5D world: under a bridge or a crown all is solid.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

Raster = NDArray[np.float32]
NOTHING = np.float32(-1.0e6)  # height of what casts no shade [m]
EVERYTHING = np.float32(1.0e6)  # shadow height when the sun is down [m]
LOWEST_SUN = 0.05  # degrees; below it the tangent says nothing any more


def shadow_height(surface: Raster, *, cell: float, azimuth: float, altitude: float) -> Raster:
    """Height below which a point at each cell centre is in shade.

    One pass away from the sun, row by row (or column by column): the shadow edge of the row before is shifted
    along the ray by linear interpolation and lowered by the ray's fall. Exact for a 2.5D surface up to the
    interpolation between two neighbouring cells, so an edge is true to about one cell.

    Parameters
    ----------
    surface : (rows, cols) float32 [m]
        Terrain, buildings and trees; NaN where nothing is known (casts no shade).
    cell : float [m]
    azimuth : float [degrees]
        Where the sun stands, clockwise from **grid** north (the direction of growing row numbers).
    altitude : float [degrees]
        Above the horizon. With the sun down everything is in shade.

    Returns
    -------
    (rows, cols) float32 [m]
        Compare with a point's own height: lit where the point is higher.
    """
    if altitude < LOWEST_SUN:
        return np.full(surface.shape, EVERYTHING, dtype=np.float32)
    rows, cols = surface.shape
    azimuth_rad = math.radians(azimuth)
    east, north = -math.sin(azimuth_rad), -math.cos(azimuth_rad)  # direction in which shadows fall
    heights = np.ascontiguousarray(surface, dtype=np.float32).ravel()
    shade = np.full(heights.shape, NOTHING, dtype=np.float32)
    if abs(north) >= abs(east):
        major, minor, along, across, strides = rows, cols, north, east, (cols, 1)
    else:
        major, minor, along, across, strides = cols, rows, east, north, (1, cols)
    shift = across / abs(along)
    fall = cell * math.hypot(1.0, shift) * math.tan(math.radians(altitude))
    _sweep(heights, shade, major, minor, strides[0], strides[1], along > 0, shift, fall)
    return shade.reshape(rows, cols)


@njit(cache=True, nogil=True, fastmath=False)
def _sweep(
    heights: Raster,
    shade: Raster,
    major: int,
    minor: int,
    major_stride: int,
    minor_stride: int,
    forward: bool,
    shift: float,
    fall: float,
) -> None:
    """Carry the shadow edge from one line of cells to the next: S[m, n] = max(S, D)[m - 1, n - shift] - fall."""
    edge = np.empty(minor, dtype=np.float32)  # max(S, D) of the line before
    step = 1 if forward else -1
    line = 0 if forward else major - 1
    whole = int(math.floor(-shift))
    part = np.float32(-shift - whole)
    for count in range(major):
        base = line * major_stride
        if count > 0:
            for n in range(minor):
                low = n + whole
                a = edge[low] if 0 <= low < minor else NOTHING
                b = edge[low + 1] if 0 <= low + 1 < minor else a
                if low < 0:
                    a = b
                shade[base + n * minor_stride] = a + (b - a) * part - fall
        for n in range(minor):
            height = heights[base + n * minor_stride]
            above = shade[base + n * minor_stride]
            edge[n] = height if height > above else above  # NaN compares false and casts nothing
        line += step


def sky_view(surface: Raster, ground: Raster, *, cell: float, directions: int = 16, radius: float = 60.0) -> Raster:
    """Share of the sky seen from each cell at ground height.

    Mean over directions of cos² of the horizon angle (Dozier and Frew 1990, doi:10.1109/36.58986, for a level
    surface). The horizon is searched cell by cell to 12 cells, then in steps growing by 12 %.

    Parameters
    ----------
    surface, ground : (rows, cols) float32 [m]
        What hides the sky, and the height from which it is seen. NaN hides nothing.
    cell, radius : float [m]
    directions : int

    Returns
    -------
    (rows, cols) float32
        0..1; 1 where the ground is unknown.
    """
    row_step, col_step, distance = _horizon_steps(cell, directions, radius)
    level = np.ascontiguousarray(ground, dtype=np.float32)
    return _sky_view(np.ascontiguousarray(surface, dtype=np.float32), level, row_step, col_step, distance)


def _horizon_steps(
    cell: float, directions: int, radius: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """Cell offsets (directions, steps) to look at and their distances [m]."""
    reach = [float(k) for k in range(1, 13)]
    while reach[-1] * cell < radius:
        reach.append(max(reach[-1] * 1.12, reach[-1] + 1.0))
    steps = np.array([r for r in reach if r * cell <= radius] or [1.0])
    # The first half of a 22.5° sector off north, so that streets along the axes are not seen only end on.
    angle = 2 * math.pi * (np.arange(directions) + 0.5) / directions
    row_step = np.rint(np.cos(angle)[:, None] * steps).astype(np.int64)
    col_step = np.rint(np.sin(angle)[:, None] * steps).astype(np.int64)
    distance = (np.hypot(row_step, col_step) * cell).astype(np.float32)
    return row_step, col_step, distance


@njit(cache=True, nogil=True, fastmath=False)
def _sky_view(
    surface: Raster,
    ground: Raster,
    row_step: NDArray[np.int64],
    col_step: NDArray[np.int64],
    distance: NDArray[np.float32],
) -> Raster:
    rows, cols = surface.shape
    directions, steps = distance.shape
    out = np.ones((rows, cols), dtype=np.float32)
    for row in range(rows):
        for col in range(cols):
            level = ground[row, col]
            if not level > NOTHING:
                continue
            total = np.float32(0.0)
            for k in range(directions):
                steepest = np.float32(0.0)
                for j in range(steps):
                    r, c = row + row_step[k, j], col + col_step[k, j]
                    if r < 0 or r >= rows or c < 0 or c >= cols:
                        break
                    slope = (surface[r, c] - level) / distance[k, j]
                    if slope > steepest:
                        steepest = slope
                total += np.float32(1.0) / (np.float32(1.0) + steepest * steepest)
            out[row, col] = total / directions
    return out


def surface_raster(
    vertices: NDArray[np.float64],
    faces: NDArray[np.int32],
    *,
    x0: float,
    y0: float,
    cell: float,
    shape: tuple[int, int],
    start: Raster | None = None,
) -> Raster:
    """Height of the uppermost triangle over each cell centre.

    Parameters
    ----------
    vertices : (n, 3) float64 [local m]
    faces : (m, 3) int32
        Vertical faces cover no cell and are passed over.
    x0, y0 : float [local m]
        Centre of the south-west cell.
    shape : (rows, cols)
    start : (rows, cols) float32, optional
        Heights to begin with, e.g. the terrain; left untouched.

    Returns
    -------
    (rows, cols) float32 [m]
        NaN where there is neither a triangle nor a start height.
    """
    out = np.full(shape, np.nan, dtype=np.float32) if start is None else np.array(start, dtype=np.float32)
    points = np.array(vertices, dtype=np.float64)  # a writable copy: the kernel is compiled for one kind of array
    points[:, 0] = (points[:, 0] - x0) / cell
    points[:, 1] = (points[:, 1] - y0) / cell
    _rasterise(points, np.array(faces, dtype=np.int32), out)
    return out


@njit(cache=True, nogil=True, fastmath=False)
def _rasterise(points: NDArray[np.float64], faces: NDArray[np.int32], out: Raster) -> None:
    rows, cols = out.shape
    for f in range(faces.shape[0]):
        a, b, c = points[faces[f, 0]], points[faces[f, 1]], points[faces[f, 2]]
        twice = (b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1])
        if not abs(twice) > 1e-9:
            continue
        west, east = min(a[0], b[0], c[0]), max(a[0], b[0], c[0])
        south, north = min(a[1], b[1], c[1]), max(a[1], b[1], c[1])
        for row in range(max(0, math.ceil(south)), min(rows - 1, math.floor(north)) + 1):
            for col in range(max(0, math.ceil(west)), min(cols - 1, math.floor(east)) + 1):
                v = ((col - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (row - a[1])) / twice
                w = ((b[0] - a[0]) * (row - a[1]) - (col - a[0]) * (b[1] - a[1])) / twice
                if v < -1e-9 or w < -1e-9 or v + w > 1 + 1e-9:
                    continue
                height = np.float32(a[2] + v * (b[2] - a[2]) + w * (c[2] - a[2]))
                if not out[row, col] >= height:
                    out[row, col] = height
