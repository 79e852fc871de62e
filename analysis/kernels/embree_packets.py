"""Compiled loops that hand bundles of 16 rays to Embree. Import inside functions: Numba is slow to load.

Rows of a bundle are those of RTCRayHit16: origin 0-2, near 3, direction 4-6, time 7, far 8, mask 9, id 10, flags 11,
normal 12-14, u 15, v 16, primitive 17, geometry 18, instance 19. Embree sets far to minus infinity when a ray of an
occlusion query is blocked. The function addresses are arguments, so that the compiled code can be kept on disk.
"""

from __future__ import annotations

from typing import Any

import llvmlite.ir as ir
import numpy as np
from numba import njit, types
from numba.extending import intrinsic

LANES = 16
FAR_ROW, PRIMITIVE_ROW, GEOMETRY_ROW, INSTANCE_ROW = 8, 17, 18, 19
NONE = np.uint32(0xFFFFFFFF)


@intrinsic
def _call(typing_context: Any, address: Any, lanes: Any, scene: Any, rays: Any, arguments: Any) -> Any:
    """``void function(lanes, scene, rays, arguments)`` at an address; all of them pointers as integers."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        pointer = ir.IntType(64)
        function = ir.FunctionType(ir.VoidType(), [pointer] * 4)
        builder.call(builder.inttoptr(values[0], function.as_pointer()), list(values[1:]))
        return context.get_dummy_value()

    return types.void(*[types.uintp] * 5), generate


@njit(nogil=True, cache=True)
def _load(bundle, lanes, lane, origin, way, reach):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    lanes[lane] = -1
    for axis in range(3):
        bundle[axis, lane] = origin[axis]
        bundle[4 + axis, lane] = way[axis]
    bundle[3, lane] = 0.0
    bundle[7, lane] = 0.0
    bundle[FAR_ROW, lane] = reach


@njit(nogil=True, cache=True)
def blocked(function, scene, arguments, origins, ways, reach, bundle, lanes, out):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """See `PacketScene.blocked`."""
    count = len(origins)
    for start in range(0, count, LANES):
        size = min(LANES, count - start)
        lanes[:] = 0
        for lane in range(size):
            _load(bundle, lanes, lane, origins[start + lane], ways[start + lane if len(ways) > 1 else 0], reach)
        _call(function, lanes.ctypes.data, scene, bundle.ctypes.data, arguments)  # type: ignore[call-arg]
        for lane in range(size):
            out[start + lane] = bundle[FAR_ROW, lane] < 0.0


@njit(nogil=True, cache=True)
def first_hit(function, scene, arguments, origins, ways, reach, bundle, lanes, distance, mesh, face):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201, E501
    """See `PacketScene.first_hit`."""
    count = len(origins)
    numbers = bundle.view(np.uint32)
    for start in range(0, count, LANES):
        size = min(LANES, count - start)
        lanes[:] = 0
        numbers[GEOMETRY_ROW] = NONE
        numbers[INSTANCE_ROW] = NONE
        for lane in range(size):
            _load(bundle, lanes, lane, origins[start + lane], ways[start + lane if len(ways) > 1 else 0], reach)
        _call(function, lanes.ctypes.data, scene, bundle.ctypes.data, arguments)  # type: ignore[call-arg]
        for lane in range(size):
            if numbers[GEOMETRY_ROW, lane] != NONE:
                distance[start + lane] = bundle[FAR_ROW, lane]
                mesh[start + lane] = numbers[GEOMETRY_ROW, lane]
                face[start + lane] = numbers[PRIMITIVE_ROW, lane]


@njit(nogil=True, cache=True)
def sun_block(  # type: ignore[no-untyped-def]  # noqa: ANN201
    function,  # noqa: ANN001
    scene,  # noqa: ANN001
    arguments,  # noqa: ANN001
    origins,  # noqa: ANN001
    facing,  # noqa: ANN001
    towards_sun,  # noqa: ANN001
    weights,  # noqa: ANN001
    total,  # noqa: ANN001
    longest,  # noqa: ANN001
    bundle,  # noqa: ANN001
    lanes,  # noqa: ANN001
    stop,  # noqa: ANN001
):
    """See `PacketScene.sun_block`. `facing` has no rows when every point looks at the whole sky."""
    count, turned = len(origins), len(facing) > 0
    run, who = np.zeros(count), np.zeros(LANES, np.int64)
    rays = 0
    for instant in range(len(weights)):
        if stop[0]:
            break
        sun, weight = towards_sun[instant], weights[instant]
        filled = 0
        lanes[:] = 0
        for point in range(count):
            towards = turned and (
                facing[point, 0] * sun[0] + facing[point, 1] * sun[1] + facing[point, 2] * sun[2] <= 0.0
            )
            if towards:
                run[point] = 0.0  # turned away from the sun
            else:
                _load(bundle, lanes, filled, origins[point], sun, 1e30)
                who[filled] = point
                filled += 1
            if filled == LANES or (point == count - 1 and filled > 0):
                _call(function, lanes.ctypes.data, scene, bundle.ctypes.data, arguments)  # type: ignore[call-arg]
                for lane in range(filled):
                    lit = who[lane]
                    if bundle[FAR_ROW, lane] < 0.0:
                        run[lit] = 0.0
                    else:
                        total[lit] += weight
                        run[lit] += weight
                        longest[lit] = max(longest[lit], run[lit])
                rays += filled
                filled = 0
                lanes[:] = 0
    return rays
