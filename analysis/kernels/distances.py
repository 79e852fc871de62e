"""Exact distances between segments, triangles and boxes: scalar kernels that others are built from.

Import this module inside functions: it loads Numba. Points are (3,) float64, triangles (3, 3).

References
----------
C. Ericson: Real-Time Collision Detection. Morgan Kaufmann, 2005: chapters 5.1.5 (point and triangle), 5.1.9 (segments).
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]

PARALLEL = 1e-26  # squared sine of the angle below which two segments are parallel
FLAT = 1e-300  # squared length below which a segment is a point


@njit(cache=True, nogil=True)
def segments_squared(p1: Floats, q1: Floats, p2: Floats, q2: Floats) -> float:
    """Squared distance of two segments [m2] (Ericson 5.1.9, exact for nearly parallel ones too)."""
    d1x, d1y, d1z = q1[0] - p1[0], q1[1] - p1[1], q1[2] - p1[2]
    d2x, d2y, d2z = q2[0] - p2[0], q2[1] - p2[1], q2[2] - p2[2]
    rx, ry, rz = p1[0] - p2[0], p1[1] - p2[1], p1[2] - p2[2]
    a = d1x * d1x + d1y * d1y + d1z * d1z
    e = d2x * d2x + d2y * d2y + d2z * d2z
    f = d2x * rx + d2y * ry + d2z * rz
    c = d1x * rx + d1y * ry + d1z * rz
    s, t = 0.0, 0.0
    if a <= FLAT and e <= FLAT:
        return float(rx * rx + ry * ry + rz * rz)
    if a <= FLAT:
        t = min(max(f / e, 0.0), 1.0)
    elif e <= FLAT:
        s = min(max(-c / a, 0.0), 1.0)
    else:
        b = d1x * d2x + d1y * d2y + d1z * d2z
        nx, ny, nz = d1y * d2z - d1z * d2y, d1z * d2x - d1x * d2z, d1x * d2y - d1y * d2x
        square = nx * nx + ny * ny + nz * nz  # = a e - b b, and s from cross products: neither cancels
        if square > PARALLEL * a * e:
            mx, my, mz = ry * d2z - rz * d2y, rz * d2x - rx * d2z, rx * d2y - ry * d2x
            s = min(max(-(mx * nx + my * ny + mz * nz) / square, 0.0), 1.0)
        t = (b * s + f) / e
        if t < 0.0:
            t, s = 0.0, min(max(-c / a, 0.0), 1.0)
        elif t > 1.0:
            t, s = 1.0, min(max((b - c) / a, 0.0), 1.0)
    x, y, z = rx + s * d1x - t * d2x, ry + s * d1y - t * d2y, rz + s * d1z - t * d2z
    return float(x * x + y * y + z * z)


@njit(cache=True, nogil=True)
def point_triangle_squared(p: Floats, triangle: Floats) -> float:
    """Squared distance of a point and a triangle (3, 3) [m2] (Ericson 5.1.5)."""
    a, b, c = triangle[0], triangle[1], triangle[2]
    abx, aby, abz = b[0] - a[0], b[1] - a[1], b[2] - a[2]
    acx, acy, acz = c[0] - a[0], c[1] - a[1], c[2] - a[2]
    apx, apy, apz = p[0] - a[0], p[1] - a[1], p[2] - a[2]
    d1 = abx * apx + aby * apy + abz * apz
    d2 = acx * apx + acy * apy + acz * apz
    if d1 <= 0.0 and d2 <= 0.0:
        return float(apx * apx + apy * apy + apz * apz)
    bpx, bpy, bpz = p[0] - b[0], p[1] - b[1], p[2] - b[2]
    d3 = abx * bpx + aby * bpy + abz * bpz
    d4 = acx * bpx + acy * bpy + acz * bpz
    if d3 >= 0.0 and d4 <= d3:
        return float(bpx * bpx + bpy * bpy + bpz * bpz)
    cpx, cpy, cpz = p[0] - c[0], p[1] - c[1], p[2] - c[2]
    d5 = abx * cpx + aby * cpy + abz * cpz
    d6 = acx * cpx + acy * cpy + acz * cpz
    if d6 >= 0.0 and d5 <= d6:
        return float(cpx * cpx + cpy * cpy + cpz * cpz)
    vc, vb, va = d1 * d4 - d3 * d2, d5 * d2 - d1 * d6, d3 * d6 - d5 * d4
    if vc <= 0.0 and d1 >= 0.0 and d3 <= 0.0 and d1 > d3:
        t = d1 / (d1 - d3)
        x, y, z = apx - t * abx, apy - t * aby, apz - t * abz
    elif vb <= 0.0 and d2 >= 0.0 and d6 <= 0.0 and d2 > d6:
        t = d2 / (d2 - d6)
        x, y, z = apx - t * acx, apy - t * acy, apz - t * acz
    elif va <= 0.0 and d4 - d3 >= 0.0 and d5 - d6 >= 0.0 and d4 - d3 + d5 - d6 > 0.0:
        t = (d4 - d3) / (d4 - d3 + d5 - d6)
        x, y, z = bpx - t * (c[0] - b[0]), bpy - t * (c[1] - b[1]), bpz - t * (c[2] - b[2])
    elif va + vb + vc <= 0.0:  # the triangle is a line
        return min(segments_squared(p, p, a, b), segments_squared(p, p, b, c), segments_squared(p, p, c, a))
    else:
        v, w = vb / (va + vb + vc), vc / (va + vb + vc)
        x, y, z = apx - v * abx - w * acx, apy - v * aby - w * acy, apz - v * abz - w * acz
    return float(x * x + y * y + z * z)


@njit(cache=True, nogil=True)
def _pierces(p: Floats, q: Floats, triangle: Floats) -> bool:
    """Whether a segment goes through the inside of a triangle (its rim is left to the edges)."""
    a, b, c = triangle[0], triangle[1], triangle[2]
    abx, aby, abz = b[0] - a[0], b[1] - a[1], b[2] - a[2]
    acx, acy, acz = c[0] - a[0], c[1] - a[1], c[2] - a[2]
    nx, ny, nz = aby * acz - abz * acy, abz * acx - abx * acz, abx * acy - aby * acx
    up = (p[0] - a[0]) * nx + (p[1] - a[1]) * ny + (p[2] - a[2]) * nz
    down = (q[0] - a[0]) * nx + (q[1] - a[1]) * ny + (q[2] - a[2]) * nz
    if (up > 0.0 and down > 0.0) or (up < 0.0 and down < 0.0) or up == down:
        return False
    t = up / (up - down)
    x, y, z = p[0] + t * (q[0] - p[0]) - a[0], p[1] + t * (q[1] - p[1]) - a[1], p[2] + t * (q[2] - p[2]) - a[2]
    d00, d11 = abx * abx + aby * aby + abz * abz, acx * acx + acy * acy + acz * acz
    d01 = abx * acx + aby * acy + abz * acz
    d20, d21 = x * abx + y * aby + z * abz, x * acx + y * acy + z * acz
    denominator = d00 * d11 - d01 * d01
    if denominator <= 0.0:
        return False
    v, w = (d11 * d20 - d01 * d21) / denominator, (d00 * d21 - d01 * d20) / denominator
    return bool(v >= 0.0 and w >= 0.0 and v + w <= 1.0)


@njit(cache=True, nogil=True)
def segment_triangle(p: Floats, q: Floats, triangle: Floats) -> float:
    """Distance of a segment and a triangle (3, 3) [m]; 0 where they meet."""
    if _pierces(p, q, triangle):
        return 0.0
    best = min(point_triangle_squared(p, triangle), point_triangle_squared(q, triangle))
    for k in range(3):
        best = min(best, segments_squared(p, q, triangle[k], triangle[(k + 1) % 3]))
    return math.sqrt(best)


@njit(cache=True, nogil=True)
def box_frame(a: Floats, b: Floats) -> Floats:
    """Axis, side and up of a box along a segment, as rows (3, 3); the side is level."""
    frame = np.zeros((3, 3))
    x, y, z = b[0] - a[0], b[1] - a[1], b[2] - a[2]
    length = math.sqrt(x * x + y * y + z * z)
    if length > 0.0:
        frame[0, 0], frame[0, 1], frame[0, 2] = x / length, y / length, z / length
    else:
        frame[0, 0] = 1.0
    level = math.hypot(frame[0, 0], frame[0, 1])
    if level > 1e-12:
        frame[1, 0], frame[1, 1] = frame[0, 1] / level, -frame[0, 0] / level
    else:
        frame[1, 0] = 1.0
    frame[2, 0] = frame[1, 1] * frame[0, 2] - frame[1, 2] * frame[0, 1]
    frame[2, 1] = frame[1, 2] * frame[0, 0] - frame[1, 0] * frame[0, 2]
    frame[2, 2] = frame[1, 0] * frame[0, 1] - frame[1, 1] * frame[0, 0]
    return frame


@njit(cache=True, nogil=True)
def segment_box(p: Floats, q: Floats, a: Floats, b: Floats, half_width: float, half_height: float) -> float:
    """Distance of the segment pq and the box along ab [m]; 0 where they meet.

    Along pq the squared distance is a convex chain of parabolas that meet where pq leaves a slab of the box.
    """
    frame = box_frame(a, b)
    half = np.array(
        [0.5 * math.sqrt((b[0] - a[0]) ** 2 + (b[1] - a[1]) ** 2 + (b[2] - a[2]) ** 2), half_width, half_height]
    )
    start, way = np.empty(3), np.empty(3)
    for axis in range(3):
        start[axis], way[axis] = 0.0, 0.0
        for k in range(3):
            start[axis] += frame[axis, k] * (p[k] - 0.5 * (a[k] + b[k]))
            way[axis] += frame[axis, k] * (q[k] - p[k])
    breaks = np.empty(8)
    breaks[0], breaks[1], count = 0.0, 1.0, 2
    for axis in range(3):
        if way[axis] != 0.0:
            for side in (-1.0, 1.0):
                t = (side * half[axis] - start[axis]) / way[axis]
                if 0.0 < t < 1.0:
                    breaks[count] = t
                    count += 1
    breaks = np.sort(breaks[:count])
    best = np.inf
    for piece in range(count - 1):
        low, high = breaks[piece], breaks[piece + 1]
        best = min(best, _parabola(start, way, half, low, high))
    return math.sqrt(best)


@njit(cache=True, nogil=True)
def _parabola(start: Floats, way: Floats, half: Floats, low: float, high: float) -> float:
    """Least squared distance to a box about the origin between two places of a segment within the same slabs."""
    middle = 0.5 * (low + high)
    slope, bend = 0.0, 0.0
    for axis in range(3):
        value = start[axis] + middle * way[axis]
        if abs(value) > half[axis]:
            over = start[axis] - math.copysign(half[axis], value)
            slope += over * way[axis]
            bend += way[axis] * way[axis]
    t = middle if bend == 0.0 else min(max(-slope / bend, low), high)
    best = 0.0
    for axis in range(3):
        over = max(abs(start[axis] + t * way[axis]) - half[axis], 0.0)
        best += over * over
    return best


@njit(cache=True, nogil=True)
def box_corners(a: Floats, b: Floats, half_width: float, half_height: float) -> Floats:
    """Corners (8, 3) of the box along ab; corner k lies at b if k & 1, to the side if k & 2, up if k & 4."""
    frame = box_frame(a, b)
    out = np.empty((8, 3))
    for k in range(8):
        side, up = (half_width if k & 2 else -half_width), (half_height if k & 4 else -half_height)
        for axis in range(3):
            out[k, axis] = (b[axis] if k & 1 else a[axis]) + side * frame[1, axis] + up * frame[2, axis]
    return out


@njit(cache=True, nogil=True)
def box_box(a1: Floats, b1: Floats, w1: float, h1: float, a2: Floats, b2: Floats, w2: float, h2: float) -> float:
    """Distance of two boxes [m]; 0 where they meet: the least of the edges of each to the other."""
    best = np.inf
    first, second = box_corners(a1, b1, w1, h1), box_corners(a2, b2, w2, h2)
    for k in range(8):
        for bit in (1, 2, 4):
            if not k & bit:
                best = min(best, segment_box(first[k], first[k | bit], a2, b2, w2, h2))
                best = min(best, segment_box(second[k], second[k | bit], a1, b1, w1, h1))
    return best


@njit(cache=True, nogil=True)
def box_triangle(a: Floats, b: Floats, half_width: float, half_height: float, triangle: Floats) -> float:
    """Distance of a box and a triangle [m]; 0 where they meet."""
    best = np.inf
    corners = box_corners(a, b, half_width, half_height)
    for k in range(3):
        best = min(best, segment_box(triangle[k], triangle[(k + 1) % 3], a, b, half_width, half_height))
    for k in range(8):
        for bit in (1, 2, 4):
            if not k & bit:
                best = min(best, segment_triangle(corners[k], corners[k | bit], triangle))
    return best
