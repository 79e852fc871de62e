"""Compiled loop of `irradiance`: bundles of 16 rays towards each part of the sky. Import inside functions."""

from __future__ import annotations

from numba import njit
from numpy import int64, zeros

from analysis.kernels.embree_packets import FAR_ROW, LANES, _call, _load

GRAZING = 1e-4  # as in `irradiance`
FAR = 1e30


@njit(nogil=True, cache=True)
def gather(  # type: ignore[no-untyped-def]  # noqa: ANN201
    function,  # noqa: ANN001
    scene,  # noqa: ANN001
    tree_scene,  # noqa: ANN001
    arguments,  # noqa: ANN001
    origins,  # noqa: ANN001
    normals,  # noqa: ANN001
    ways,  # noqa: ANN001
    start,  # noqa: ANN001
    column,  # noqa: ANN001
    vector,  # noqa: ANN001
    free,  # noqa: ANN001
    dimmed,  # noqa: ANN001
    bundle,  # noqa: ANN001
    lanes,  # noqa: ANN001
    stop,  # noqa: ANN001
):
    """See `irradiance._gather_plain`. `tree_scene` 0: no trees."""
    count, rays = len(origins), 0
    who = zeros(LANES, int64)
    for number in range(len(ways)):
        if stop[0]:
            break
        way = ways[number]
        filled = 0
        lanes[:] = 0
        for point in range(count):
            facing = normals[point, 0] * way[0] + normals[point, 1] * way[1] + normals[point, 2] * way[2]
            if facing > GRAZING:
                _load(bundle, lanes, filled, origins[point], way, FAR)
                who[filled] = point
                filled += 1
            if filled == LANES or (point == count - 1 and filled > 0):
                _call(function, lanes.ctypes.data, scene, bundle.ctypes.data, arguments)  # type: ignore[call-arg]
                rays += filled
                left = 0
                for lane in range(filled):
                    if bundle[FAR_ROW, lane] < 0.0:
                        lanes[lane] = 0
                    else:
                        left += 1
                if tree_scene != 0 and left > 0:
                    _call(function, lanes.ctypes.data, tree_scene, bundle.ctypes.data, arguments)  # type: ignore[call-arg]
                for lane in range(filled):
                    if lanes[lane] != 0:
                        lit = who[lane]
                        for entry in range(start[number], start[number + 1]):
                            gain = (
                                normals[lit, 0] * vector[entry, 0]
                                + normals[lit, 1] * vector[entry, 1]
                                + normals[lit, 2] * vector[entry, 2]
                            )
                            if gain > 0.0:
                                if bundle[FAR_ROW, lane] < 0.0:
                                    dimmed[lit, column[entry]] += gain
                                else:
                                    free[lit, column[entry]] += gain
                filled = 0
                lanes[:] = 0
    return rays
