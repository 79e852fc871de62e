"""Compiled loops of lines of sight: which targets each pole sees, 16 rays to Embree at a time. Import in functions.

Targets are sorted by square cells, row by row, so that those within reach of a pole are a few runs of neighbours. A
ray goes from the pole to the target, as long as the way between them less what `short` says, with a reach of 1.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from analysis.kernels.embree_packets import _call, _load

LANES = 16
NEAR_ROW, WAY_ROW, TIME_ROW = 3, 4, 7
FAR_ROW, PRIMITIVE_ROW, GEOMETRY_ROW, INSTANCE_ROW = 8, 17, 18, 19
NONE = np.uint32(0xFFFFFFFF)
MOST_HITS = 16  # of one ray on panes and crowns: eight that are gone through
STEP_BEHIND = 1e-3  # [m] a ray goes on this far behind a hit
CHORD_SLACK = 1e-6  # [m] for rounding; every target is held against the reach itself
NEAREST = 0.05  # [m] a target nearer than this to the lens is not looked at


@njit(nogil=True, cache=True)
def _run(start, grid, pole, reach, row):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """First and last place of the targets in a row of cells that may be within reach: the chord of its nearest edge."""
    west, south, cell, _, cols = grid
    low = (south + row) * cell - pole[1]
    away = max(low, -(low + cell), 0.0)
    half = np.sqrt(max(reach * reach - away * away, 0.0)) + CHORD_SLACK
    first = max(0, int(np.floor((pole[0] - half) / cell) - west))
    last = min(int(cols) - 1, int(np.floor((pole[0] + half) / cell) - west))
    if first > last:
        return 0, 0
    base = row * int(cols)
    return start[base + first], start[base + last + 1]


@njit(nogil=True, cache=True)
def _rows(grid, pole, reach):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    _, south, cell, rows, _ = grid
    first = max(0, int(np.floor((pole[1] - reach) / cell) - south))
    last = min(int(rows) - 1, int(np.floor((pole[1] + reach) / cell) - south))
    return first, last


@njit(nogil=True, cache=True)
def near(start, grid, pole, reach):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """How many targets lie in the cells within reach of a pole."""
    count = 0
    first, last = _rows(grid, pole, reach)
    for row in range(first, last + 1):
        begin, end = _run(start, grid, pole, reach, row)
        count += end - begin
    return count


@njit(nogil=True, cache=True)
def _seen_lanes(bundle, who, filled, out, count):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    for lane in range(filled):
        if not bundle[FAR_ROW, lane] < 0.0:
            out[count] = who[lane]
            count += 1
    return count


@njit(nogil=True, cache=True)
def visible(function, scene, arguments, pole, centre, reach, points, normals, start, grid, short, bundle, lanes, out):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201, E501
    """Targets that one pole sees, in order of place; how many, and how many rays it took.

    `points`, `normals` (n, 3) float64; `start` first place of each cell; `grid` west and south cell number, cell [m],
    rows, columns; `out` int32, long enough for all that `near` counts.
    """
    who = np.empty(LANES, np.int32)
    for axis in range(3):  # all rays begin at the pole: what they share is written once
        bundle[axis, :] = np.float32(pole[axis] - centre[axis])
    bundle[NEAR_ROW, :] = 0.0
    bundle[TIME_ROW, :] = 0.0
    lanes[:] = -1
    count, filled, rays = 0, 0, 0
    first, last = _rows(grid, pole, reach)
    for row in range(first, last + 1):
        begin, end = _run(start, grid, pole, reach, row)
        for place in range(begin, end):
            x, y, z = points[place, 0] - pole[0], points[place, 1] - pole[1], points[place, 2] - pole[2]
            squared = x * x + y * y + z * z
            if squared > reach * reach or squared < NEAREST * NEAREST:
                continue
            # turned away: no ray; people (no normal) compare as false
            if normals[place, 0] * x + normals[place, 1] * y + normals[place, 2] * z >= 0.0:
                continue
            share = 1.0 - short / np.sqrt(squared)
            bundle[WAY_ROW, filled] = x * share
            bundle[WAY_ROW + 1, filled] = y * share
            bundle[WAY_ROW + 2, filled] = z * share
            bundle[FAR_ROW, filled] = 1.0
            who[filled] = place
            filled += 1
            if filled == LANES:
                _call(function, lanes.ctypes.data, scene, bundle.ctypes.data, arguments)  # type: ignore[call-arg]
                count = _seen_lanes(bundle, who, filled, out, count)
                rays += filled
                filled = 0
    if filled > 0:
        lanes[filled:] = 0
        _call(function, lanes.ctypes.data, scene, bundle.ctypes.data, arguments)  # type: ignore[call-arg]
        count = _seen_lanes(bundle, who, filled, out, count)
        rays += filled
    return count, rays


@njit(nogil=True, cache=True)
def _pass_through(distances, elements, count, length, outward, shares, leaves):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Share of the light that passes the panes and crowns a ray has met; each of them counts once."""
    light = 1.0
    for number in range(count):
        element = elements[number]
        earlier = False
        for before in range(number):
            earlier = earlier or elements[before] == element
        if earlier:
            continue
        if leaves[element] <= 0.0:
            light *= shares[element]
            continue
        path, entered, inside = 0.0, 0.0, outward[number]  # met from within first: the ray begins inside
        for later in range(number, count):
            if elements[later] != element or outward[later] != inside:
                continue
            if inside:
                path += distances[later] - entered
            inside, entered = not inside, distances[later]
        if inside:
            path += 1.0 - entered
        light *= np.exp(-leaves[element] * path * length)
    return light


@njit(nogil=True, cache=True)
def through(  # type: ignore[no-untyped-def]  # noqa: ANN201
    functions,  # noqa: ANN001
    scene,  # noqa: ANN001
    arguments,  # noqa: ANN001
    pole,  # noqa: ANN001
    centre,  # noqa: ANN001
    points,  # noqa: ANN001
    short,  # noqa: ANN001
    owner,  # noqa: ANN001
    shares,  # noqa: ANN001
    leaves,  # noqa: ANN001
    bundle,  # noqa: ANN001
    lanes,  # noqa: ANN001
    places,  # noqa: ANN001
    light,  # noqa: ANN001
):
    """Light (0..1) that comes through panes and crowns from each visible target to one pole; exactly 1 where none is.

    Parameters
    ----------
    functions : (occluded16, intersect16)
    owner : (faces,) int32
        Pane or crown of each face.
    shares : (elements,) float64
        Share of light that passes each.
    leaves : (elements,) float64 [1/m]
        Extinction along the way within it, instead of the share where more than 0.
    places : (k,) int32
        Visible targets.
    light : (k,) float64, filled
    """
    origin, way = np.empty(3, np.float32), np.empty(3, np.float32)
    for axis in range(3):
        origin[axis] = pole[axis] - centre[axis]
    numbers = bundle.view(np.uint32)
    touched = np.empty(len(places), np.bool_)
    for begin in range(0, len(places), LANES):
        filled = min(LANES, len(places) - begin)
        lanes[:] = 0
        for lane in range(filled):
            _aim(points[places[begin + lane]], pole, short, way)
            _load(bundle, lanes, lane, origin, way, 1.0)
        _call(functions[0], lanes.ctypes.data, scene, bundle.ctypes.data, arguments)  # type: ignore[call-arg]
        for lane in range(filled):
            touched[begin + lane] = bundle[FAR_ROW, lane] < 0.0
    distances, elements = np.empty(MOST_HITS), np.empty(MOST_HITS, np.int32)
    outward = np.empty(MOST_HITS, np.bool_)
    lanes[:] = 0
    for number in range(len(places)):
        light[number] = 1.0
        if not touched[number]:
            continue
        length = _aim(points[places[number]], pole, short, way)
        nearest, hits = 0.0, 0
        while hits < MOST_HITS and nearest < 1.0:
            numbers[GEOMETRY_ROW] = NONE
            numbers[INSTANCE_ROW] = NONE
            _load(bundle, lanes, 0, origin, way, 1.0)
            bundle[NEAR_ROW, 0] = nearest
            _call(functions[1], lanes.ctypes.data, scene, bundle.ctypes.data, arguments)  # type: ignore[call-arg]
            if numbers[GEOMETRY_ROW, 0] == NONE:
                break
            facing = bundle[12, 0] * way[0] + bundle[13, 0] * way[1] + bundle[14, 0] * way[2]
            distances[hits], elements[hits] = bundle[FAR_ROW, 0], owner[numbers[PRIMITIVE_ROW, 0]]
            outward[hits] = facing > 0.0
            nearest = bundle[FAR_ROW, 0] + STEP_BEHIND / length
            hits += 1
        light[number] = _pass_through(distances, elements, hits, length, outward, shares, leaves)


@njit(nogil=True, cache=True)
def _aim(point, pole, short, way):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """The shortened way from the pole to the point; its length [m]."""
    x, y, z = point[0] - pole[0], point[1] - pole[1], point[2] - pole[2]
    length = np.sqrt(x * x + y * y + z * z)
    share = 1.0 - short / length
    way[0], way[1], way[2] = x * share, y * share, z * share
    return length * share
