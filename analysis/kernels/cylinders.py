"""Points of a scan in cylinders around known normals: distance, spread and number, and places that lie open.

Import this module inside functions: it loads Numba. The kernels release the interpreter lock; each cylinder is worked
out by itself, so the answer is the same with any number of threads.

References
----------
D. Lague, N. Brodu, J. Leroux: Accurate 3D comparison of complex topography with terrestrial laser scanner: application
to the Rangitikei canyon (N-Z). ISPRS J. Photogramm. Remote Sens. 82, 2013. doi:10.1016/j.isprsjprs.2013.04.009
(the method M3C2; here the normal is that of the design and need not be estimated).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from analysis.threads import thread_count
from geo.model import Feedback

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Codes = NDArray[np.int8]

NOTHING, FOUND, UNCLEAR = 0, 1, 2  # of `Measured.state`
BLOCK = 4096  # cylinders of one task
INNER = 0.15  # of the points of a disc that is filled evenly a quarter lies within half its radius
LEAN = 0.25  # of the radius: the middle of the points of a filled disc lies nearer to its centre


class Voxels(NamedTuple):
    """Points sorted by the cube they lie in.

    Attributes
    ----------
    points : (n, 3) float [m]
    keys : (n,) int64, rising
    low : (3,) float [m]
    size : float [m]
    shape : (3,) int64
    """

    points: Floats
    keys: Indices
    low: Floats
    size: float
    shape: Indices


class Measured(NamedTuple):
    """What cylinders hold, one row for each.

    Attributes
    ----------
    mean : (n,) float [m]
        Along the normal from the core point, positive outward; NaN where nothing was measured.
    spread : (n,) float [m]
        Standard deviation (n - 1) of the same points.
    number : (n,) int64
        Points of the surface; where there is none, all points within reach.
    state : (n,) int8
        `NOTHING`, `FOUND` or `UNCLEAR`.
    """

    mean: Floats
    spread: Floats
    number: Indices
    state: Codes


def sorted_points(points: Floats, size: float) -> Voxels:
    """Points (n, 3) [m] sorted into cubes of `size` [m]."""
    low = points.min(axis=0) if len(points) else np.zeros(3)
    cell = np.floor((points - low) / size).astype(np.int64)
    shape = cell.max(axis=0, initial=0) + 1
    keys = (cell[:, 0] * shape[1] + cell[:, 1]) * shape[2] + cell[:, 2]
    order = np.argsort(keys, kind="stable")
    return Voxels(np.ascontiguousarray(points[order]), keys[order], low, float(size), shape)


def measure(
    voxels: Voxels,
    core: Floats,
    normal: Floats,
    radius: Floats,
    inward: Floats,
    outward: Floats,
    *,
    gap: float,
    least: int,
    most_spread: float,
    feedback: Feedback,
) -> Measured:
    """The surface of a scan at core points, along known normals.

    Points of a cylinder that follow each other by less than `gap` along its axis are one surface. Of the surfaces with
    at least `least` points whose mean lies within reach the one nearest to the core point counts. It is unclear when
    another is hardly farther (by less than `gap`), or when its points spread more than `most_spread`: then they are no
    surface across the normal but a corner, a bush or two things at once.

    Parameters
    ----------
    core, normal : (n, 3) float [m], unit vectors
    radius, inward, outward : (n,) float [m]
        Of each cylinder, and how far its surface may lie against and along the normal.
    gap, most_spread : float [m]
    """
    count = len(core)
    out = Measured(
        np.full(count, np.nan), np.full(count, np.nan), np.zeros(count, np.int64), np.zeros(count, dtype=np.int8)
    )

    def work(part: slice) -> None:
        _measure_all(
            *voxels,
            core[part],
            normal[part],
            radius[part],
            inward[part],
            outward[part],
            gap,
            least,
            most_spread,
            out.mean[part],
            out.spread[part],
            out.number[part],
            out.state[part],
        )

    _in_blocks(work, count, feedback)
    return out


def lying_open(
    voxels: Voxels,
    core: Floats,
    normal: Floats,
    radius: Floats,
    depth: Floats,
    empty_to: Floats,
    *,
    outward: float,
    least: int,
    feedback: Feedback,
) -> NDArray[np.bool_]:
    """(n,) whether a scan sees the place where a body should rest, and nothing of the body over it.

    It does where at least `least` points fill the disc of a core point, from `outward` in front of it to `depth` behind
    it, and fewer lie from there to `empty_to` behind it. A strip along an edge fills no disc: a body that stands a
    little aside lays open only that.

    Parameters
    ----------
    core, normal : (n, 3) float [m], unit vectors
    radius, depth, empty_to : (n,) float [m]
        Behind: against the normal.
    """
    out = np.zeros(len(core), dtype=np.bool_)

    def work(part: slice) -> None:
        given = (core[part], normal[part], radius[part], depth[part], empty_to[part])
        _open_all(*voxels, *given, outward, least, out[part])

    _in_blocks(work, len(core), feedback)
    return out


def _in_blocks(work: Callable[[slice], None], count: int, feedback: Feedback) -> None:
    parts = [slice(start, min(start + BLOCK, count)) for start in range(0, count, BLOCK)]
    with ThreadPoolExecutor(thread_count()) as pool:
        futures = [pool.submit(work, part) for part in parts]
        try:
            for number, future in enumerate(futures):
                future.result()
                feedback.step((number + 1) / len(parts), "measuring the scan")
        finally:
            for future in futures:
                future.cancel()


@njit(cache=True, nogil=True)
def _first_at(keys: Indices, key: int) -> int:
    """Row of the first key that is not smaller."""
    low, high = 0, len(keys)
    while low < high:
        middle = (low + high) // 2
        if keys[middle] < key:
            low = middle + 1
        else:
            high = middle
    return low


@njit(cache=True, nogil=True)
def _gather(
    points: Floats,
    keys: Indices,
    corner: Floats,
    size: float,
    shape: Indices,
    core: Floats,
    normal: Floats,
    radius: float,
    low: float,
    high: float,
    along: Floats,
    aside: Floats,
) -> int:
    """Put distances along the axis and offsets (3) from it of the points of a cylinder into arrays; their number.

    The number may be larger than the arrays are long: then what is left over is not put in.
    """
    pieces = max(1, int(math.ceil((high - low) / max(2.0 * radius, size))))
    step = (high - low) / pieces
    found = 0
    first, last = np.empty(3, np.int64), np.empty(3, np.int64)
    for piece in range(pieces):
        start, stop = low + piece * step, low + (piece + 1) * step
        inside = True
        for axis in range(3):
            middle = core[axis] + 0.5 * (start + stop) * normal[axis] - corner[axis]
            tilt = math.sqrt(max(0.0, 1.0 - normal[axis] * normal[axis]))
            half = 0.5 * step * abs(normal[axis]) + radius * tilt
            first[axis] = max(0, int(math.floor((middle - half) / size)))
            last[axis] = min(shape[axis] - 1, int(math.floor((middle + half) / size)))
            inside = inside and first[axis] <= last[axis]
        if not inside:
            continue
        for i in range(first[0], last[0] + 1):
            for j in range(first[1], last[1] + 1):
                column = (i * shape[1] + j) * shape[2]
                row = _first_at(keys, column + first[2])
                while row < len(keys) and keys[row] <= column + last[2]:
                    dx, dy, dz = (
                        points[row, 0] - core[0],
                        points[row, 1] - core[1],
                        points[row, 2] - core[2],
                    )
                    row += 1
                    distance = dx * normal[0] + dy * normal[1] + dz * normal[2]
                    if distance < start or distance > stop or (distance == stop and piece + 1 < pieces):
                        continue
                    dx -= distance * normal[0]
                    dy -= distance * normal[1]
                    dz -= distance * normal[2]
                    if dx * dx + dy * dy + dz * dz > radius * radius:
                        continue
                    if found < len(along):
                        along[found] = distance
                        aside[found, 0], aside[found, 1], aside[found, 2] = dx, dy, dz
                    found += 1
    return found


@njit(cache=True, nogil=True)
def _measure_all(
    points: Floats, keys: Indices, corner: Floats, size: float, shape: Indices,
    core: Floats, normal: Floats, radius: Floats, inward: Floats, outward: Floats,
    gap: float, least: int, most_spread: float,
    mean: Floats, spread: Floats, count: Indices, state: Codes,
) -> None:  # fmt: skip
    along, aside = np.empty(1024), np.empty((1024, 3))
    for n in range(len(core)):
        # A surface may reach out of the space where its mean must lie.
        low, high = -inward[n] - gap, outward[n] + gap
        found = _gather(
            points, keys, corner, size, shape, core[n], normal[n], radius[n], low, high, along, aside
        )  # fmt: skip
        if found > len(along):
            along, aside = np.empty(2 * found), np.empty((2 * found, 3))
            _gather(points, keys, corner, size, shape, core[n], normal[n], radius[n], low, high, along, aside)
        count[n] = found
        if found < least:
            continue
        best, second = np.inf, np.inf
        distances = np.sort(along[:found])
        start = 0
        for stop in range(1, found + 1):
            if stop < found and distances[stop] - distances[stop - 1] <= gap:
                continue
            one = distances[start:stop]
            start = stop
            if len(one) < least:
                continue
            middle = one.mean()
            if middle < -inward[n] or middle > outward[n]:
                continue
            if abs(middle) >= best:
                second = min(second, abs(middle))
                continue
            second, best = best, abs(middle)
            mean[n], count[n] = middle, len(one)
            spread[n] = math.sqrt(((one - middle) ** 2).sum() / max(len(one) - 1, 1))
        if best == np.inf:
            continue
        state[n] = FOUND
        if second - best < gap or spread[n] > most_spread:
            state[n] = UNCLEAR
            mean[n] = np.nan


@njit(cache=True, nogil=True)
def _open_all(
    points: Floats, keys: Indices, corner: Floats, size: float, shape: Indices,
    core: Floats, normal: Floats, radius: Floats, depth: Floats, empty_to: Floats,
    outward: float, least: int, out: NDArray[np.bool_],
) -> None:  # fmt: skip
    along, aside = np.empty(4096), np.empty((4096, 3))
    for n in range(len(core)):
        found = _gather(
            points, keys, corner, size, shape, core[n], normal[n], radius[n], -empty_to[n], outward, along, aside
        )  # fmt: skip
        if found > len(along):
            along, aside = np.empty(2 * found), np.empty((2 * found, 3))
            _gather(
                points, keys, corner, size, shape, core[n], normal[n], radius[n], -empty_to[n], outward, along, aside
            )  # fmt: skip
        here, behind, inner = 0, 0, 0
        lean = np.zeros(3)
        for k in range(found):
            if along[k] < -depth[n]:
                behind += 1
                continue
            here += 1
            lean += aside[k]
            if (aside[k] ** 2).sum() <= 0.25 * radius[n] * radius[n]:
                inner += 1
        if here < least or behind >= least or inner < INNER * here:
            continue
        out[n] = math.sqrt((lean**2).sum()) <= LEAN * radius[n] * here
