"""Where bodies of triangles meet: the distance of two bodies, and the judgement on pairs of them.

Import this module inside functions: it loads Numba. Triangles of all bodies lie in one array (t, 3, 3) [m], body after
body; pairs of bodies are judged one after another, and the kernels release the interpreter lock.

References
----------
C. Ericson: Real-Time Collision Detection. Morgan Kaufmann, 2005: chapter 5.1.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from analysis.kernels.distances import segment_triangle
from analysis.kernels.shared_parts import frames_of, is_closed, is_inside, shared_part, tighten

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

CONTACT = 1e-6  # [m] surfaces nearer than this touch
MOST_CORNERS, MOST_TESTED = 4096, 200  # of a shared part; more would not make its box better


@njit(cache=True, nogil=True)
def triangles_distance(first: Floats, second: Floats) -> float:
    """Distance of two triangles (3, 3) [m]; 0 where they meet."""
    best = np.inf
    for k in range(3):
        best = min(best, segment_triangle(first[k], first[(k + 1) % 3], second))
        best = min(best, segment_triangle(second[k], second[(k + 1) % 3], first))
    return best


@njit(cache=True, nogil=True)
def _gap(a: Floats, i: int, b: Floats, j: int) -> float:
    """Squared distance of box i of (n, 6) and box j of (m, 6)."""
    total = 0.0
    for axis in range(3):
        over = max(a[i, axis] - b[j, axis + 3], b[j, axis] - a[i, axis + 3])
        if over > 0.0:
            total += over * over
    return total


@njit(cache=True, nogil=True)
def _near(boxes: Floats, start: int, stop: int, other: Floats, reach: float) -> Indices:
    """Triangles of a body whose boxes come within reach of a box (1, 6), sorted by their low x."""
    found = np.empty(stop - start, dtype=np.int64)
    count = 0
    for t in range(start, stop):
        if _gap(boxes, t, other, 0) <= reach * reach:
            found[count] = t
            count += 1
    found = found[:count]
    return found[np.argsort(boxes[found, 0])]


@njit(cache=True, nogil=True)
def _distance(triangles: Floats, boxes: Floats, a: Indices, b: Indices, reach: float) -> tuple[float, int, int]:
    """Distance of two bodies where it is below `reach` (else infinite), and the two triangles."""
    best, first, second = np.inf, -1, -1
    limit = reach
    widest = 0.0
    for t in b:
        widest = max(widest, boxes[t, 3] - boxes[t, 0])
    lows = boxes[b, 0]
    for s in a:
        begin = np.searchsorted(lows, boxes[s, 0] - widest - limit)
        for place in range(begin, len(b)):
            t = b[place]
            if boxes[t, 0] > boxes[s, 3] + limit:
                break
            if _gap(boxes, s, boxes, t) > limit * limit:
                continue
            distance = triangles_distance(triangles[s], triangles[t])
            if distance <= limit and distance < best:
                best, first, second, limit = distance, s, t, distance
                if best <= 0.0:
                    return best, first, second
    return best, first, second


def surfaces_distance(first: Floats, second: Floats) -> tuple[float, int, int]:
    """Least distance of two surfaces (n, 3, 3) and (m, 3, 3) [m], and the triangle of each that it lies at."""
    together = np.concatenate([first, second])
    boxes = np.concatenate([together.min(axis=1), together.max(axis=1)], axis=1)
    a, b = np.arange(len(first)), np.arange(len(first), len(together))
    # No two corners are nearer than the surfaces: the first such pair bounds the search.
    middle = second.reshape(-1, 3).mean(axis=0)
    near = first.reshape(-1, 3)[np.argmin(np.linalg.norm(first.reshape(-1, 3) - middle, axis=1))]
    reach = float(np.linalg.norm(second.reshape(-1, 3) - near, axis=1).min()) + 1e-9
    distance, i, j = _distance(together, boxes, a, b[np.argsort(boxes[b, 0])], reach)
    return float(distance), int(i), int(j) - len(first)


@njit(cache=True, nogil=True)
def _pierced(p: Floats, q: Floats, triangle: Floats, margin: float, out: Floats) -> bool:
    """Whether a segment goes through a triangle; the place goes to `out`.

    It reaches farther than `margin` on either side, and goes through as far from the rim.
    """
    ux, uy, uz = triangle[1] - triangle[0]
    vx, vy, vz = triangle[2] - triangle[0]
    nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
    a = (p[0] - triangle[0, 0]) * nx + (p[1] - triangle[0, 1]) * ny + (p[2] - triangle[0, 2]) * nz
    b = (q[0] - triangle[0, 0]) * nx + (q[1] - triangle[0, 1]) * ny + (q[2] - triangle[0, 2]) * nz
    size = math.sqrt(nx * nx + ny * ny + nz * nz)
    least = margin * size
    if not ((a > least and b < -least) or (a < -least and b > least)):
        return False
    t = a / (a - b)
    x, y, z = p[0] + t * (q[0] - p[0]), p[1] + t * (q[1] - p[1]), p[2] + t * (q[2] - p[2])
    wx, wy, wz = x - triangle[0, 0], y - triangle[0, 1], z - triangle[0, 2]
    uu, vv, uv = ux * ux + uy * uy + uz * uz, vx * vx + vy * vy + vz * vz, ux * vx + uy * vy + uz * vz
    wu, wv = wx * ux + wy * uy + wz * uz, wx * vx + wy * vy + wz * vz
    whole = uu * vv - uv * uv
    if whole <= 0.0:
        return False
    g, h = (vv * wu - uv * wv) / whole, (uu * wv - uv * wu) / whole
    out[0], out[1], out[2] = x, y, z
    rest = 1.0 - g - h
    if margin <= 0.0:
        return bool(g >= 0.0 and h >= 0.0 and rest >= 0.0)
    longest = math.sqrt(max(uu, vv, uu + vv - 2.0 * uv))
    return bool(min(g, h, rest) * size > margin * longest)


@njit(cache=True, nogil=True)
def _corners(
    triangles: Floats, boxes: Floats, bodies: Floats, i: int, j: int, stops: Indices, a: Indices, b: Indices,
    margin: float,
) -> Floats:  # fmt: skip
    """Corners (n, 3) of what two bodies share: edges of each through faces of the other, and corners inside.

    With a margin only edges that reach farther than it on both sides of a face.
    """
    out, spot = np.empty((MOST_CORNERS, 3)), np.empty(3)
    count = 0
    widest = 0.0
    for t in b:
        widest = max(widest, boxes[t, 3] - boxes[t, 0])
    lows = boxes[b, 0]
    for s in a:
        for t in b[np.searchsorted(lows, boxes[s, 0] - widest - CONTACT) :]:
            if boxes[t, 0] > boxes[s, 3] + CONTACT:
                break
            if _gap(boxes, s, boxes, t) > 0.0:
                continue
            for k in range(3):
                if count < MOST_CORNERS and _pierced(
                    triangles[s, k], triangles[s, (k + 1) % 3], triangles[t], margin, spot
                ):
                    out[count] = spot
                    count += 1
                if count < MOST_CORNERS and _pierced(
                    triangles[t, k], triangles[t, (k + 1) % 3], triangles[s], margin, spot
                ):
                    out[count] = spot
                    count += 1
    if margin > 0.0:
        return out[:count]
    for other, near in ((j, a), (i, b)):
        tested = 0
        for t in near:
            for k in range(3):
                within = True
                for axis in range(3):
                    value = triangles[t, k, axis]
                    within = within and bodies[other, axis] < value < bodies[other, axis + 3]
                if not within or tested == MOST_TESTED or count == MOST_CORNERS:
                    continue
                tested += 1
                if is_inside(triangles, stops[other], stops[other + 1], triangles[t, k]):
                    out[count] = triangles[t, k]
                    count += 1
    return out[:count]


@njit(cache=True, nogil=True)
def judge_pairs(
    triangles: Floats, boxes: Floats, stops: Indices, bodies: Floats, pairs: Indices, tolerance: float, clearance: float
) -> tuple[Floats, Floats]:
    """Judge pairs of bodies.

    Parameters
    ----------
    triangles : (t, 3, 3) float64 [m]
    boxes : (t, 6) float64
        Of the triangles.
    stops : (n + 1,) int64
        Body i has triangles ``stops[i] .. stops[i + 1] - 1``.
    bodies : (n, 6) float64
        Boxes of the bodies.
    pairs : (p, 2) int64
    tolerance : float [m]
        Shared parts that are not thicker are contacts.
    clearance : float [m]
        Distances below it are measured; 0 = only whether surfaces touch.

    Returns
    -------
    measured : (p, 4) float64
        Distance [m] (0 where they meet, infinite beyond the clearance), thickness of the shared part [m] (0 none, NaN
        where surfaces cross but the bodies are not closed), its volume [m3], 1 where the thickness is known.
    point : (p, 3) float64 [m]
        In the shared part, else half-way between the surfaces.
    """
    measured, point = np.zeros((len(pairs), 4)), np.zeros((len(pairs), 3))
    for p in range(len(pairs)):
        i, j = pairs[p, 0], pairs[p, 1]
        a0, a1, b0, b1 = stops[i], stops[i + 1], stops[j], stops[j + 1]
        measured[p, 0], measured[p, 3] = np.inf, 1.0
        reach = max(clearance, CONTACT)
        first = _near(boxes, a0, a1, bodies[j : j + 1], reach)
        second = _near(boxes, b0, b1, bodies[i : i + 1], reach)
        if len(first) and len(second):
            distance, s, t = _distance(triangles, boxes, first, second, reach)
            measured[p, 0] = distance
            if s >= 0:
                point[p] = _between(triangles[s], triangles[t])
        if not (is_closed(triangles, a0, a1) and is_closed(triangles, b0, b1)):
            crossed = measured[p, 0] <= CONTACT and (
                len(_corners(triangles, boxes, bodies, i, j, stops, first, second, max(tolerance, CONTACT))) > 0
            )
            measured[p, 1], measured[p, 3] = (np.nan, 0.0) if crossed else (0.0, 1.0)
            continue
        directions, sizes, thinnest = frames_of(triangles, a0, a1, b0, b1)
        if thinnest <= max(tolerance, CONTACT):
            continue
        if measured[p, 0] > CONTACT and not _may_contain(bodies, i, j):
            continue
        if measured[p, 0] <= CONTACT:
            tighten(directions, sizes, _corners(triangles, boxes, bodies, i, j, stops, first, second, 0.0))
        thickness, spot, volume, known = shared_part(
            triangles, a0, a1, b0, b1, directions, sizes, max(tolerance, CONTACT)
        )
        if known:
            measured[p, 1] = 0.0 if thickness <= CONTACT else thickness
            measured[p, 2] = volume
            if thickness > CONTACT:
                point[p] = spot
                measured[p, 0] = 0.0
        elif measured[p, 0] <= CONTACT:
            measured[p, 1], measured[p, 3] = np.nan, 0.0
    return measured, point


@njit(cache=True, nogil=True)
def _may_contain(bodies: Floats, i: int, j: int) -> bool:
    """Whether the box of one body lies in that of the other."""
    ij, ji = True, True
    for axis in range(3):
        ij = ij and bodies[i, axis] <= bodies[j, axis] and bodies[i, axis + 3] >= bodies[j, axis + 3]
        ji = ji and bodies[j, axis] <= bodies[i, axis] and bodies[j, axis + 3] >= bodies[i, axis + 3]
    return ij or ji


@njit(cache=True, nogil=True)
def _between(first: Floats, second: Floats) -> Floats:
    """A place between two triangles that are near one another: the middle of what their boxes share."""
    out = np.empty(3)
    for axis in range(3):
        low = max(first[:, axis].min(), second[:, axis].min())
        high = min(first[:, axis].max(), second[:, axis].max())
        out[axis] = 0.5 * (low + high)
    return out
