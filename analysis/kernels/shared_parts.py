"""How thick the part is that two closed bodies of triangles share, and where points and rays lie in a body.

Import this module inside functions: it loads Numba. Triangles of all bodies lie in one array (t, 3, 3) [m], body after
body.

Thickness: the width of a convex body is the least of its longest chords over all directions, so the longest chord of
the shared part is taken along the main face normals of both bodies and the axes, and the least of them counts. It is
exact where two faces bound the shared part (walls, slabs, boxes at any angle) and never too small elsewhere but for
what the rays miss. Chords are found by winding numbers along rays, which bears bodies made of overlapping parts.

References
----------
C. Ericson: Real-Time Collision Detection. Morgan Kaufmann, 2005: chapter 4.4 (separating axes).
A. Jacobson, L. Kavan, O. Sorkine-Hornung: Robust inside-outside segmentation using generalized winding numbers.
ACM Transactions on Graphics 32(4), 2013. doi:10.1145/2461912.2461916
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

RAYS = 9  # in each direction across the shared box: an odd number, one in the middle
CLOSED = 1e-3  # of the surface: the sum of the faces' vectors of a closed body is below it
FLAT = 1e-4  # [m] a shared part thinner than this along an axis is not narrowed down there
SLANT = 0.4142135623730951  # irrational shift of rays, so that they do not run along edges


@njit(cache=True, nogil=True)
def _span(triangles: Floats, start: int, stop: int, way: Floats) -> tuple[float, float]:
    low, high = np.inf, -np.inf
    for t in range(start, stop):
        for k in range(3):
            value = triangles[t, k, 0] * way[0] + triangles[t, k, 1] * way[1] + triangles[t, k, 2] * way[2]
            low, high = min(low, value), max(high, value)
    return low, high


@njit(cache=True, nogil=True)
def main_directions(triangles: Floats, start: int, stop: int) -> Floats:
    """The two normals with most area of a body and what is square to both, as rows (3, 3).

    Normals nearer than some 15 degrees to one another count together with the first of them.
    """
    normals = np.zeros((24, 3))
    areas = np.zeros(24)
    count = 0
    for t in range(start, stop):
        ux, uy, uz = triangles[t, 1] - triangles[t, 0]
        vx, vy, vz = triangles[t, 2] - triangles[t, 0]
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        size = math.sqrt(nx * nx + ny * ny + nz * nz)
        if size <= 0.0:
            continue
        nx, ny, nz = nx / size, ny / size, nz / size
        slot = -1
        for k in range(count):
            if abs(normals[k, 0] * nx + normals[k, 1] * ny + normals[k, 2] * nz) > 0.9998:
                slot = k
                break
        if slot < 0 and count < 24:
            normals[count, 0], normals[count, 1], normals[count, 2] = nx, ny, nz
            slot, count = count, count + 1
        if slot >= 0:
            areas[slot] += size
    out = np.eye(3)
    if count == 0:
        return out
    first = int(np.argmax(areas[:count]))
    out[0] = normals[first]
    best, second = 0.0, -1
    for k in range(count):
        along = abs(normals[k, 0] * out[0, 0] + normals[k, 1] * out[0, 1] + normals[k, 2] * out[0, 2])
        if along < 0.25 and areas[k] > best:
            best, second = areas[k], k
    side = normals[second].copy() if second >= 0 else np.array([0.0, 0.0, 1.0])
    if second < 0 and abs(out[0, 2]) > 0.9:
        side = np.array([1.0, 0.0, 0.0])
    along = side[0] * out[0, 0] + side[1] * out[0, 1] + side[2] * out[0, 2]
    side = side - along * out[0]
    out[1] = side / math.sqrt(side[0] ** 2 + side[1] ** 2 + side[2] ** 2)
    out[2] = np.cross(out[0], out[1])
    return out


@njit(cache=True, nogil=True)
def crossings(
    triangles: Floats, start: int, stop: int, frame: Floats, y: float, z: float, places: Floats, turns: Indices
) -> int:
    """Where the line along the first axis of a frame at (y, z) goes through a body: places along it, +1 in, -1 out.

    Returns how many, or -1 where there are too many or the body is not closed along the line.
    """
    count, total = 0, 0
    for t in range(start, stop):
        y0 = triangles[t, 0, 0] * frame[1, 0] + triangles[t, 0, 1] * frame[1, 1] + triangles[t, 0, 2] * frame[1, 2] - y
        y1 = triangles[t, 1, 0] * frame[1, 0] + triangles[t, 1, 1] * frame[1, 1] + triangles[t, 1, 2] * frame[1, 2] - y
        y2 = triangles[t, 2, 0] * frame[1, 0] + triangles[t, 2, 1] * frame[1, 1] + triangles[t, 2, 2] * frame[1, 2] - y
        if (y0 > 0.0 and y1 > 0.0 and y2 > 0.0) or (y0 < 0.0 and y1 < 0.0 and y2 < 0.0):
            continue
        z0 = triangles[t, 0, 0] * frame[2, 0] + triangles[t, 0, 1] * frame[2, 1] + triangles[t, 0, 2] * frame[2, 2] - z
        z1 = triangles[t, 1, 0] * frame[2, 0] + triangles[t, 1, 1] * frame[2, 1] + triangles[t, 1, 2] * frame[2, 2] - z
        z2 = triangles[t, 2, 0] * frame[2, 0] + triangles[t, 2, 1] * frame[2, 1] + triangles[t, 2, 2] * frame[2, 2] - z
        e0, e1, e2 = y1 * z2 - y2 * z1, y2 * z0 - y0 * z2, y0 * z1 - y1 * z0
        if not ((e0 > 0.0 and e1 > 0.0 and e2 > 0.0) or (e0 < 0.0 and e1 < 0.0 and e2 < 0.0)):
            continue
        if count == len(places):
            return -1
        x0 = triangles[t, 0, 0] * frame[0, 0] + triangles[t, 0, 1] * frame[0, 1] + triangles[t, 0, 2] * frame[0, 2]
        x1 = triangles[t, 1, 0] * frame[0, 0] + triangles[t, 1, 1] * frame[0, 1] + triangles[t, 1, 2] * frame[0, 2]
        x2 = triangles[t, 2, 0] * frame[0, 0] + triangles[t, 2, 1] * frame[0, 1] + triangles[t, 2, 2] * frame[0, 2]
        whole = e0 + e1 + e2
        places[count] = (e0 * x0 + e1 * x1 + e2 * x2) / whole
        turns[count] = -1 if whole > 0.0 else 1
        total += turns[count]
        count += 1
    return count if total == 0 else -1


@njit(cache=True, nogil=True)
def _longest_shared(
    first: Floats, first_turns: Indices, n: int, second: Floats, second_turns: Indices, m: int
) -> tuple[float, float, float]:
    """Longest stretch inside both bodies, its middle, and the sum of all such stretches."""
    a, b = np.argsort(first[:n]), np.argsort(second[:m])
    i, j, inside_a, inside_b = 0, 0, 0, 0
    longest, middle, total = 0.0, 0.0, 0.0
    begin, is_in = 0.0, False
    while i < n or j < m:
        take_first = j == m or (i < n and first[a[i]] <= second[b[j]])
        if take_first:
            place = first[a[i]]
            inside_a += first_turns[a[i]]
            i += 1
        else:
            place = second[b[j]]
            inside_b += second_turns[b[j]]
            j += 1
        now = inside_a != 0 and inside_b != 0
        if now and not is_in:
            begin = place
        elif is_in and not now:
            total += place - begin
            if place - begin > longest:
                longest, middle = place - begin, 0.5 * (place + begin)
        is_in = now
    return longest, middle, total


@njit(cache=True, nogil=True)
def is_inside(triangles: Floats, start: int, stop: int, point: Floats) -> bool:
    """Whether a point lies in a body, by the winding along a slanted line; of open bodies no point does."""
    frame = np.array([[0.8, 0.36, 0.48], [-0.6, 0.48, 0.64], [0.0, -0.8, 0.6]])
    places, turns = np.empty(512), np.empty(512, dtype=np.int64)
    at = frame @ point
    count = crossings(triangles, start, stop, frame, at[1], at[2], places, turns)
    winding = 0
    for k in range(count):
        if places[k] < at[0]:
            winding += turns[k]
    return winding != 0


@njit(cache=True, nogil=True)
def tighten(directions: Floats, sizes: Floats, corners: Floats) -> None:
    """Narrow where rays are sent to the box of the shared part, in each frame where its corners span one."""
    if len(corners) < 4:
        return
    for d in range(len(directions)):
        low, high = np.empty(3), np.empty(3)
        flat = False
        for axis in range(3):
            along = corners @ directions[d, axis]
            low[axis], high[axis] = along.min(), along.max()
            flat = flat or high[axis] - low[axis] < FLAT
        if not flat:
            for axis in range(3):
                sizes[d, axis, 0] = max(sizes[d, axis, 0], low[axis])
                sizes[d, axis, 1] = min(sizes[d, axis, 1], high[axis])


@njit(cache=True, nogil=True)
def shared_part(
    triangles: Floats, a0: int, a1: int, b0: int, b1: int, directions: Floats, sizes: Floats, limit: float
) -> tuple[float, Floats, float, bool]:
    """Thickness [m] of what two bodies share, a point in it, its volume [m3], and whether enough rays could be judged.

    `sizes` (k, 3, 2): overlap of the two bodies along each direction and the two axes square to it. Ends early once
    a direction has shown that the thickness is not above `limit`.
    """
    thickness, volume, known = np.inf, 0.0, False
    point = np.zeros(3)
    place_a, place_b = np.empty(512), np.empty(512)
    turn_a, turn_b = np.empty(512, dtype=np.int64), np.empty(512, dtype=np.int64)
    for d in range(len(directions)):
        frame = directions[d]
        low_y, high_y, low_z, high_z = sizes[d, 1, 0], sizes[d, 1, 1], sizes[d, 2, 0], sizes[d, 2, 1]
        longest, sum_, judged = 0.0, 0.0, 0
        spot = np.zeros(3)
        for row in range(RAYS):
            for column in range(RAYS):
                y = low_y + (high_y - low_y) * (row + 0.5 + 0.1 * SLANT * (column % 3 - 1)) / RAYS
                z = low_z + (high_z - low_z) * (column + 0.5 + 0.1 * SLANT * (row % 3 - 0.7)) / RAYS
                n = crossings(triangles, a0, a1, frame, y, z, place_a, turn_a)
                if n < 0:
                    continue
                m = crossings(triangles, b0, b1, frame, y, z, place_b, turn_b)
                if m < 0:
                    continue
                judged += 1
                if n == 0 or m == 0:
                    continue
                length, middle, total = _longest_shared(place_a, turn_a, n, place_b, turn_b, m)
                sum_ += total
                if length > longest:
                    longest = length
                    spot = middle * frame[0] + y * frame[1] + z * frame[2]
        if judged * 2 < RAYS * RAYS:
            continue
        known = True
        if longest < thickness:
            thickness, point = longest, spot
            volume = sum_ / judged * (high_y - low_y) * (high_z - low_z)
        if thickness <= limit:
            break
    return (thickness if known else np.nan), point, volume, known


@njit(cache=True, nogil=True)
def is_closed(triangles: Floats, start: int, stop: int) -> bool:
    """Whether the faces of a body turn outward in all directions alike, as those of a closed surface do."""
    x, y, z, total = 0.0, 0.0, 0.0, 0.0
    for t in range(start, stop):
        ux, uy, uz = triangles[t, 1] - triangles[t, 0]
        vx, vy, vz = triangles[t, 2] - triangles[t, 0]
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        x, y, z = x + nx, y + ny, z + nz
        total += math.sqrt(nx * nx + ny * ny + nz * nz)
    return math.sqrt(x * x + y * y + z * z) < CLOSED * total


@njit(cache=True, nogil=True)
def frames_of(triangles: Floats, a0: int, a1: int, b0: int, b1: int) -> tuple[Floats, Floats, float]:
    """Directions to measure along with what is square to them (k, 3, 3), the overlaps there, and the least overlap."""
    own = np.empty((9, 3))
    own[0:3] = main_directions(triangles, a0, a1)
    own[3:6] = main_directions(triangles, b0, b1)
    own[6:9] = np.eye(3)
    low, high = np.empty(9), np.empty(9)
    thinnest = np.inf
    for k in range(9):
        la, ha = _span(triangles, a0, a1, own[k])
        lb, hb = _span(triangles, b0, b1, own[k])
        low[k], high[k] = max(la, lb), min(ha, hb)
        thinnest = min(thinnest, high[k] - low[k])
    order = np.argsort(high - low)  # the thinnest first: it decides most pairs
    directions, sizes = np.empty((9, 3, 3)), np.empty((9, 3, 2))
    count = 0
    for k in order:
        seen = False
        for d in range(count):
            along = own[k, 0] * directions[d, 0, 0] + own[k, 1] * directions[d, 0, 1] + own[k, 2] * directions[d, 0, 2]
            seen = seen or abs(along) > 0.9999999
        if seen:
            continue
        base = 3 * (k // 3)
        for axis in range(3):
            source = base + (k - base + axis) % 3
            directions[count, axis] = own[source]
            sizes[count, axis, 0], sizes[count, axis, 1] = low[source], high[source]
        count += 1
    return directions[:count], sizes[:count], thinnest
