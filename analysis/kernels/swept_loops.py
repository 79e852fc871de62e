"""Compiled loops of `swept`. Import inside functions: Numba is slow to load.

Words are uint64; bit k % 64 of word k // 64 belongs to instant k.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from analysis.kernels.embree_packets import FAR_ROW, LANES, _call, _load

REACH = 1e30  # [m]


@njit(nogil=True, cache=True)
def free_bits(  # type: ignore[no-untyped-def]  # noqa: ANN201
    function,  # noqa: ANN001
    scene,  # noqa: ANN001
    arguments,  # noqa: ANN001
    origins,  # noqa: ANN001
    facing,  # noqa: ANN001
    ways,  # noqa: ANN001
    least,  # noqa: ANN001
    words,  # noqa: ANN001
    front,  # noqa: ANN001
    bundle,  # noqa: ANN001
    lanes,  # noqa: ANN001
    stop,  # noqa: ANN001
):
    """Set the bits of the instants at which nothing blocks; count those with the sun in front of the surface."""
    count, turned = len(origins), len(facing) > 0
    who = np.zeros(LANES, np.int64)
    for instant in range(len(ways)):
        if stop[0]:
            break
        way, word = ways[instant], instant // 64
        bit = np.uint64(1) << np.uint64(instant % 64)
        filled = 0
        lanes[:] = 0
        for point in range(count):
            away = turned and (
                facing[point, 0] * way[0] + facing[point, 1] * way[1] + facing[point, 2] * way[2] <= least
            )
            if not away:
                _load(bundle, lanes, filled, origins[point], way, REACH)
                who[filled] = point
                front[point] += 1
                filled += 1
            if filled == LANES or (point == count - 1 and filled > 0):
                _call(function, lanes.ctypes.data, scene, bundle.ctypes.data, arguments)  # type: ignore[call-arg]
                for lane in range(filled):
                    if not bundle[FAR_ROW, lane] < 0.0:
                        words[who[lane], word] |= bit
                filled = 0
                lanes[:] = 0


@njit(nogil=True, cache=True)
def meets_box(x, y, z, way, box, slack_x, slack_y, slack_z):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Whether the ray from (x, y, z) along `way` meets a box (low, high) grown by the slacks."""
    near, far = 0.0, np.inf
    for axis in range(3):
        start = x if axis == 0 else (y if axis == 1 else z)
        slack = slack_x if axis == 0 else (slack_y if axis == 1 else slack_z)
        low, high = box[axis] - slack, box[3 + axis] + slack
        if way[axis] == 0.0:
            if start < low or start > high:
                return False
        else:
            a, b = (low - start) / way[axis], (high - start) / way[axis]
            near, far = max(near, min(a, b)), min(far, max(a, b))
    return near <= far


@njit(nogil=True, cache=True)
def meeting_bits(  # type: ignore[no-untyped-def]  # noqa: ANN201
    function,  # noqa: ANN001
    scene,  # noqa: ANN001
    arguments,  # noqa: ANN001
    origins,  # noqa: ANN001
    free,  # noqa: ANN001
    groups,  # noqa: ANN001
    first,  # noqa: ANN001
    last,  # noqa: ANN001
    ways,  # noqa: ANN001
    whole,  # noqa: ANN001
    boxes,  # noqa: ANN001
    slack,  # noqa: ANN001
    out,  # noqa: ANN001
    bundle,  # noqa: ANN001
    lanes,  # noqa: ANN001
    stop,  # noqa: ANN001
):
    """Set the bits of the free instants at which the rays of groups first..last of points meet a solid.

    `groups` (g, 8): first and last point, then the box of each group. `whole` is the box of the solid and `boxes`
    those of its parts. Only rays that meet the boxes are traced; their number is returned.
    """
    who, when = np.zeros(LANES, np.int64), np.zeros(LANES, np.int64)
    filled, rays = 0, 0
    one = np.uint64(1)
    lanes[:] = 0
    for group in range(first, last):
        if stop[0]:
            break
        start, end, row = int(groups[group, 0]), int(groups[group, 1]), groups[group, 2:]
        x, y, z = (row[0] + row[3]) / 2, (row[1] + row[4]) / 2, (row[2] + row[5]) / 2
        wide, deep, high = (row[3] - row[0]) / 2, (row[4] - row[1]) / 2, (row[5] - row[2]) / 2
        for instant in range(len(ways)):
            way = ways[instant]
            if not meets_box(x, y, z, way, whole, wide + slack, deep + slack, high + slack):
                continue
            word, place = instant // 64, np.uint64(instant % 64)
            for point in range(start, end):
                if (free[point, word] >> place) & one == 0:
                    continue
                px, py, pz = origins[point, 0], origins[point, 1], origins[point, 2]
                if not meets_box(px, py, pz, way, whole, slack, slack, slack):
                    continue
                near = len(boxes) == 1
                for part in range(len(boxes)):
                    if near:
                        break
                    near = meets_box(px, py, pz, way, boxes[part], slack, slack, slack)
                if not near:
                    continue
                _load(bundle, lanes, filled, origins[point], way, REACH)
                who[filled], when[filled] = point, instant
                filled += 1
                if filled == LANES:
                    _call(function, lanes.ctypes.data, scene, bundle.ctypes.data, arguments)  # type: ignore[call-arg]
                    for lane in range(filled):
                        if bundle[FAR_ROW, lane] < 0.0:
                            out[who[lane], when[lane] // 64] |= one << np.uint64(when[lane] % 64)
                    rays += filled
                    filled = 0
                    lanes[:] = 0
    if filled > 0:
        _call(function, lanes.ctypes.data, scene, bundle.ctypes.data, arguments)  # type: ignore[call-arg]
        for lane in range(filled):
            if bundle[FAR_ROW, lane] < 0.0:
                out[who[lane], when[lane] // 64] |= one << np.uint64(when[lane] % 64)
        rays += filled
    return rays


@njit(nogil=True, cache=True)
def time_of_bits(free, met, weights, total, longest):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Total and longest run of the instants that are free and not met, added up in order of time."""
    one = np.uint64(1)
    for point in range(len(free)):
        whole, run, best = 0.0, 0.0, 0.0
        for instant in range(len(weights)):
            word, place = instant // 64, np.uint64(instant % 64)
            if ((free[point, word] & ~met[point, word]) >> place) & one:
                whole += weights[instant]
                run += weights[instant]
                best = max(best, run)
            else:
                run = 0.0
        total[point], longest[point] = whole, best


@njit(nogil=True, cache=True)
def can_meet(starts, normals, ways, box, around, spread, least, out):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Which points have a ray that comes near a box; see `swept.can_meet`."""
    for point in range(len(starts)):
        x, y, z = starts[point, 0], starts[point, 1], starts[point, 2]
        far_x = max(abs(box[0] - x), abs(box[3] - x))
        far_y = max(abs(box[1] - y), abs(box[4] - y))
        far_z = max(abs(box[2] - z), abs(box[5] - z))
        slack = around[point] + spread * np.sqrt(far_x * far_x + far_y * far_y + far_z * far_z)
        for instant in range(len(ways)):
            way = ways[instant]
            facing = normals[point, 0] * way[0] + normals[point, 1] * way[1] + normals[point, 2] * way[2]
            if facing > least and meets_box(x, y, z, way, box, slack, slack, slack):
                out[point] = True
                break


@njit(nogil=True, cache=True)
def rays_near(starts, ways, lit, box, slack, point, instant):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Write down the lit rays (point, instant) that meet a box, instant by instant; how many there are."""
    found = 0
    for k in range(len(ways)):
        for row in range(len(starts)):
            if lit[row, k] and meets_box(
                starts[row, 0], starts[row, 1], starts[row, 2], ways[k], box, slack, slack, slack
            ):
                point[found], instant[found] = row, k
                found += 1
    return found
