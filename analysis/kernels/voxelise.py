"""Triangles to solid cells, by vertical rays through the middles of the columns.

Import this module inside functions: it loads Numba. Method: for every triangle and every column centre in it, one
crossing with its height and its turning number; the crossings of a closed body add up to nothing in every column, and
a point is inside where the turning numbers above it do not (non-zero rule, so a body turned inside out is as solid).
A column exactly above an edge falls to one side only: each edge is judged once, in one order of its ends, whichever
triangle asks (Edelsbrunner and Muecke 1990 on such ties, doi:10.1145/77635.77639).
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]
Indices = NDArray[np.int64]

NO_HEIGHT = 1e-6  # [m] intervals shorter than this hold nothing
BODY, FILLED = 0, 1  # how an element is filled: by its turning number, or from its lowest to its highest crossing


@njit(cache=True, nogil=True)
def _crosses(ax: float, ay: float, bx: float, by: float, px: float, py: float) -> int:
    """+1 or -1 where the edge a -> b passes the ray from p towards +x upwards or downwards, else 0."""
    if (ay <= py) == (by <= py):
        return 0
    swapped = ay > by or (ay == by and ax > bx)
    if swapped:
        ax, ay, bx, by = bx, by, ax, ay
    if ax + (py - ay) * ((bx - ax) / (by - ay)) <= px:
        return 0
    return -1 if swapped else 1


@njit(cache=True, nogil=True)
def _turning(t: Floats, px: float, py: float) -> int:
    """Turning number of a triangle (3, 3) about a point in plan: 1 facing up, -1 facing down, 0 outside."""
    turns = _crosses(t[0, 0], t[0, 1], t[1, 0], t[1, 1], px, py)
    turns += _crosses(t[1, 0], t[1, 1], t[2, 0], t[2, 1], px, py)
    return turns + _crosses(t[2, 0], t[2, 1], t[0, 0], t[0, 1], px, py)


@njit(cache=True, nogil=True)
def _height(t: Floats, px: float, py: float) -> float:
    """Height of a triangle's plane over a point, kept between its corners."""
    ux, uy, uz = t[1, 0] - t[0, 0], t[1, 1] - t[0, 1], t[1, 2] - t[0, 2]
    vx, vy, vz = t[2, 0] - t[0, 0], t[2, 1] - t[0, 1], t[2, 2] - t[0, 2]
    low, high = min(t[0, 2], t[1, 2], t[2, 2]), max(t[0, 2], t[1, 2], t[2, 2])
    area = ux * vy - uy * vx
    if area == 0.0:
        return float(high)
    dx, dy = px - t[0, 0], py - t[0, 1]
    z = t[0, 2] + (uz * (dx * vy - dy * vx) + vz * (ux * dy - uy * dx)) / area
    return float(min(max(z, low), high))


@njit(cache=True, nogil=True)
def crossing_count(triangles: Floats, windows: Indices, x: Floats, y: Floats) -> int:
    """How many crossings `crossings` finds."""
    count = 0
    for n in range(len(triangles)):
        for j in range(windows[n, 2], windows[n, 3]):
            for i in range(windows[n, 0], windows[n, 1]):
                if _turning(triangles[n], x[i], y[j]) != 0:
                    count += 1
    return count


@njit(cache=True, nogil=True)
def crossings(
    triangles: Floats, windows: Indices, x: Floats, y: Floats, face: Indices, column: Indices, z: Floats, turn: Ints
) -> None:
    """Write every crossing of a triangle with a column.

    Parameters
    ----------
    triangles : (m, 3, 3) float [m]
        Corners x, y, z, counter-clockwise from outside.
    windows : (m, 4) int64
        Columns each may meet: first and last-but-one of x, then of y.
    x, y : (nx,), (ny,) float [m]
        Middles of the columns.
    face, column, z, turn : (n,) arrays
        Filled: number of the triangle, ``j * nx + i`` of the column, height [m], +1 facing up or -1 facing down.
    """
    at = 0
    for n in range(len(triangles)):
        for j in range(windows[n, 2], windows[n, 3]):
            for i in range(windows[n, 0], windows[n, 1]):
                turns = _turning(triangles[n], x[i], y[j])
                if turns != 0:
                    face[at], column[at], turn[at] = n, j * len(x) + i, turns
                    z[at] = _height(triangles[n], x[i], y[j])
                    at += 1


@njit(cache=True, nogil=True)
def fill(
    starts: Indices, element: Indices, column: Indices, z: Floats, turn: Ints, way: Ints, base: Floats,
    ground: Floats, float_gap: float, middles: Floats, solid: NDArray[np.int8], code: int,
    building: Ints, top: Floats, cells: Indices, doubt: Ints,
) -> None:  # fmt: skip
    """Mark the cells of columns as solid.

    Parameters
    ----------
    starts : (g + 1,) int64
        First crossing of each group of one element in one column; crossings are sorted by height in a group.
    element, column : (g,) int64
        Of each group.
    z, turn : (n,) crossings.
    way : (elements,) int32
        `BODY` or `FILLED`.
    base : (elements,) float [m]
        Lowest point of each element: an open one is filled from there.
    ground : (columns,) float [m]
        A body that floats less than `float_gap` above it stands on it.
    middles : (nz,) float [m]
    solid : (nz, columns) int8
        Air cells (0) get `code`.
    building, top : (columns,) int32, float [m]
        Element of the highest roof and its height, updated.
    cells : (elements,) int64
        Solid cells of each, counted up.
    doubt : (elements,) int32
        Filled: bit 1 open (top surface taken), bit 2 turned inside out.
    """
    for g in range(len(element)):
        first, last = starts[g], starts[g + 1]
        who, here = element[g], column[g]
        total = 0
        for n in range(first, last):
            total += turn[n]
        found = 0.0
        if way[who] == BODY and total == 0:
            turns, lowest = 0, True
            for n in range(first, last - 1):
                turns -= turn[n]
                length = z[n + 1] - z[n]
                if turns == 0 or length <= NO_HEIGHT:
                    continue
                if turns < 0:
                    doubt[who] |= 2
                found += length
                low = z[n]
                if lowest and low - ground[here] <= float_gap:
                    low = min(low, ground[here])
                lowest = False
                _mark(low, z[n + 1], who, here, middles, solid, code, building, top, cells)
        if found == 0.0:
            low = z[first] if way[who] == FILLED else base[who]
            if way[who] == BODY:
                doubt[who] |= 1
            if low - ground[here] <= float_gap:
                low = min(low, ground[here])
            _mark(low, z[last - 1], who, here, middles, solid, code, building, top, cells)


@njit(cache=True, nogil=True)
def _mark(
    low: float, high: float, who: int, here: int, middles: Floats, solid: NDArray[np.int8], code: int,
    building: Ints, top: Floats, cells: Indices,
) -> None:  # fmt: skip
    """Cells of a column whose middle lies in low <= z < high."""
    first = np.searchsorted(middles, low)
    last = np.searchsorted(middles, high)
    for k in range(first, last):
        if solid[k, here] == 0 or solid[k, here] == code:
            solid[k, here] = code
            cells[who] += 1
            if high > top[here]:
                top[here] = high
                building[here] = who


@njit(cache=True, nogil=True)
def open_runs(is_open: NDArray[np.bool_], most: int) -> NDArray[np.float32]:
    """Cells across the open space at each open cell: the least of four directions, walls on both sides.

    A direction whose wall is more than `most` cells away, or that leaves the grid, does not count. Solid cells and
    cells without such a gap get `most`.
    """
    rows, cols = is_open.shape
    out = np.full((rows, cols), most, dtype=np.float32)
    for j in range(rows):
        for i in range(cols):
            if not is_open[j, i]:
                continue
            for way in range(4):
                dj, di = (0, 1, 1, 1)[way], (1, 0, 1, -1)[way]
                ahead = _wall(is_open, j, i, dj, di, most)
                behind = _wall(is_open, j, i, -dj, -di, most)
                if ahead < 0 or behind < 0:
                    continue
                count = ahead + behind - 1
                # a diagonal step is 1.41 cells long, and such a gap that much wider
                width = count * (1.4142135 if way > 1 else 1.0)
                if width < out[j, i]:
                    out[j, i] = width
    return out


@njit(cache=True, nogil=True)
def _wall(is_open: NDArray[np.bool_], j: int, i: int, dj: int, di: int, most: int) -> int:
    """Steps to the first solid cell, -1 if there is none within `most` or before the border."""
    for step in range(1, most + 1):
        y, x = j + step * dj, i + step * di
        if y < 0 or x < 0 or y >= is_open.shape[0] or x >= is_open.shape[1]:
            return -1
        if not is_open[y, x]:
            return step
    return -1


@njit(cache=True, nogil=True)
def segments_gap(first: Floats, second: Floats, enough: float) -> float:
    """Least distance between two sets of segments (n, 4) in plan [m]; the search ends below `enough`."""
    least = np.inf
    for a in range(len(first)):
        for b in range(len(second)):
            gap = min(
                _to_segment(first[a, 0], first[a, 1], second[b]), _to_segment(first[a, 2], first[a, 3], second[b]),
                _to_segment(second[b, 0], second[b, 1], first[a]), _to_segment(second[b, 2], second[b, 3], first[a]),
            )  # fmt: skip
            if gap < least:
                least = gap
                if least <= enough:
                    return least
    return least


@njit(cache=True, nogil=True)
def _to_segment(px: float, py: float, s: Floats) -> float:
    dx, dy = s[2] - s[0], s[3] - s[1]
    length = dx * dx + dy * dy
    share = 0.0
    if length > 0.0:
        share = min(max(((px - s[0]) * dx + (py - s[1]) * dy) / length, 0.0), 1.0)
    return float(np.hypot(px - s[0] - share * dx, py - s[1] - share * dy))
