"""Where the windows of buildings are: along facades storey by storey, or in the mesh of a window itself.

A facade is cut at the height of every storey's windows; what the cut meets of the wall, in one piece, is shared out
among as many dwellings as fit. So steps, gaps and gables need no special case: where there is no wall at that height
there is no window.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.model import unique_rows

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Bools = NDArray[np.bool_]

TOUCHING = 0.05  # [m] pieces of wall this close along the wall are one
UPRIGHT = 0.26  # |nz| of a wall tilted 15 degrees; anything flatter is a roof
LEAST_WALL = 2.0  # [m] a shorter piece of wall has no living-room window
LEAST_STOREYS = 2.0  # a wall that starts above the first storey and is lower than this many is a lift house or a step


class FacadeWindows(NamedTuple):
    """Windows made along facades, ordered by element, storey, wall and place along it.

    Attributes
    ----------
    centre, normal : (n, 3) float
        On the wall [local m]; outward, horizontal unit vector.
    width : (n,) float [m]
        Length of wall that each one has.
    element, storey : (n,) int64
        Row of the element; storeys counted from 0.
    """

    centre: Floats
    normal: Floats
    width: Floats
    element: Indices
    storey: Indices


class WindowFrame(NamedTuple):
    """Place and size of one window: centre (3,), horizontal unit axis across it (3,), half depth, width, height [m]."""

    centre: Floats
    across: Floats
    half_depth: float
    width: float
    height: float


def facade_windows(
    corners: Floats,
    element: Indices,
    base: Floats,
    storeys: Indices,
    storey_height: Floats,
    *,
    above_floor: float,
    spacing: float,
) -> FacadeWindows:
    """One window per storey and per `spacing` [m] of facade.

    Parameters
    ----------
    corners : (m, 3, 3) float [local m]
        Triangles of walls, counter-clockwise seen from outside. Flat ones are left out.
    element : (m,) int64
        Building of each triangle: index of `base`, `storeys`, `storey_height`.
    base : (b,) float [local m]
        Height of the lowest floor.
    storeys : (b,) int64
    storey_height : (b,) float [m]
    above_floor : float [m]
        Height of the window's centre above its floor.
    spacing : float [m]
    """
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    flat, length = np.hypot(cross[:, 0], cross[:, 1]), np.linalg.norm(cross, axis=1)
    use = (length > 1e-9) & (flat > np.sqrt(1 - UPRIGHT**2) * length)
    corners, element = corners[use], np.asarray(element[use], dtype=np.int64)
    if len(corners) == 0:
        nothing = np.zeros((0, 3))
        return FacadeWindows(nothing, nothing, np.zeros(0), np.zeros(0, np.int64), np.zeros(0, np.int64))
    normal = cross[use, :2] / flat[use, None]
    plane, leader = _wall_planes(corners, normal, element)
    shared = normal[leader][plane]
    along = shared[:, None, 1] * -corners[:, :, 0] + shared[:, None, 0] * corners[:, :, 1]
    depth = (shared[:, None, :] * corners[:, :, :2]).sum(axis=2).mean(axis=1)
    tall = _has_rooms(corners, along, plane, element, base, storey_height)
    triangle, storey = _cuts(corners, element, base + above_floor, storeys, storey_height, tall)
    height = (base + above_floor)[element[triangle]] + storey * storey_height[element[triangle]]
    low, high = _cut_at(along[triangle], corners[triangle, :, 2], height)
    part = _pieces(plane[triangle], storey, low, high)
    return _shared_out(part, plane, element, shared, depth, base + above_floor, storey_height, spacing)


def _wall_planes(corners: Floats, normal: Floats, element: Indices) -> tuple[Indices, Indices]:
    """(m,) number of each triangle's plane (same element, half a degree, 5 cm) and (p,) one triangle of each."""
    azimuth = np.rint(np.degrees(np.arctan2(normal[:, 0], normal[:, 1])) * 2).astype(np.int64) % 720
    order = np.argsort(element, kind="stable")
    first = order[np.searchsorted(element[order], element)]
    offset = np.rint((normal * (corners[:, 0, :2] - corners[first, 0, :2])).sum(axis=1) * 20).astype(np.int64)
    key = np.column_stack([element, azimuth, offset])
    found = unique_rows(key)
    return found.group, found.first


def _has_rooms(
    corners: Floats, along: Floats, plane: Indices, element: Indices, base: Floats, storey_height: Floats
) -> Bools:
    """(m,) whether the stretch of wall of a triangle starts in the first storey or is at least two storeys high."""
    stretch = _stretches(plane, along.min(axis=1), along.max(axis=1))
    count = int(stretch.max()) + 1
    low, high = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(low, stretch, corners[:, :, 2].min(axis=1))
    np.maximum.at(high, stretch, corners[:, :, 2].max(axis=1))
    storey, foot = storey_height[element], low[stretch]
    return np.asarray((foot < base[element] + storey) | (high[stretch] - foot >= LEAST_STOREYS * storey))


def _cuts(
    corners: Floats, element: Indices, first: Floats, storeys: Indices, storey_height: Floats, tall: Bools
) -> tuple[Indices, Indices]:
    """Pairs (triangle, storey) where the height of that storey's windows lies within the triangle."""
    step, start = storey_height[element], first[element]
    low = np.ceil((corners[:, :, 2].min(axis=1) - start) / step).astype(np.int64)
    high = np.floor((corners[:, :, 2].max(axis=1) - start) / step).astype(np.int64)
    low, high = np.maximum(low, 0), np.minimum(high, storeys[element] - 1)
    count = np.where(tall, np.maximum(high - low + 1, 0), 0)
    triangle = np.repeat(np.arange(len(corners)), count)
    return triangle, np.arange(len(triangle)) - np.repeat(np.cumsum(count) - count, count) + low[triangle]


def _cut_at(along: Floats, z: Floats, height: Floats) -> tuple[Floats, Floats]:
    """(k,) ends of the piece that a level line cuts from each triangle, from the corners' place along the wall."""
    low, high = np.full(len(height), np.inf), np.full(len(height), -np.inf)
    for a, b in ((0, 1), (1, 2), (2, 0)):
        za, zb = z[:, a] - height, z[:, b] - height
        crossing = (za * zb <= 0) & (za != zb)
        share = np.divide(za, za - zb, out=np.zeros_like(za), where=crossing)
        spot = along[:, a] + share * (along[:, b] - along[:, a])
        low = np.where(crossing, np.minimum(low, spot), low)
        high = np.where(crossing, np.maximum(high, spot), high)
    return low, high


class _Piece(NamedTuple):
    """Unbroken pieces of wall: plane and storey, and the two ends along it [m]."""

    plane: Indices
    storey: Indices
    low: Floats
    high: Floats


def _stretches(line: Indices, low: Floats, high: Floats) -> Indices:
    """(n,) number of the unbroken stretch that each interval low..high on its line belongs to."""
    if len(line) == 0:
        return np.zeros(0, dtype=np.int64)
    order = np.lexsort((high, low, line))
    sorted_line, start, stop = line[order], low[order] - low.min(), high[order] - low.min()
    new_line = np.append(True, sorted_line[1:] != sorted_line[:-1])
    # A shift per line larger than any length keeps the running maximum from reaching into the next line.
    shift = (np.cumsum(new_line) - 1) * (float(stop.max()) + 1.0)
    reached = np.maximum.accumulate(stop + shift)
    begins = new_line.copy()
    begins[1:] |= start[1:] + shift[1:] > reached[:-1] + TOUCHING
    out = np.empty(len(line), dtype=np.int64)
    out[order] = np.cumsum(begins) - 1
    return out


def _pieces(plane: Indices, storey: Indices, low: Floats, high: Floats) -> _Piece:
    """Join the cuts of one wall at one height that touch or overlap."""
    good = high > low
    plane, storey, low, high = plane[good], storey[good], low[good], high[good]
    stretch = _stretches(plane * (int(storey.max(initial=0)) + 1) + storey, low, high)
    _, first = np.unique(stretch, return_index=True)
    start, stop = np.full(len(first), np.inf), np.full(len(first), -np.inf)
    np.minimum.at(start, stretch, low)
    np.maximum.at(stop, stretch, high)
    return _Piece(plane[first], storey[first], start, stop)


def _shared_out(
    part: _Piece,
    plane: Indices,
    element: Indices,
    normal: Floats,
    depth: Floats,
    first: Floats,
    storey_height: Floats,
    spacing: float,
) -> FacadeWindows:
    """Windows in the middle of equal shares of every piece."""
    count_planes = int(plane.max()) + 1
    of_plane = np.zeros(count_planes, dtype=np.int64)
    of_plane[plane] = np.arange(len(plane))
    offset = np.bincount(plane, depth, count_planes) / np.bincount(plane, minlength=count_planes)
    length = part.high - part.low
    count = np.where(length >= LEAST_WALL, np.maximum(np.rint(length / spacing), 1), 0).astype(np.int64)
    piece = np.repeat(np.arange(len(length)), count)
    place = np.arange(len(piece)) - np.repeat(np.cumsum(count) - count, count)
    width = length[piece] / count[piece]
    along = part.low[piece] + (place + 0.5) * width
    which, storey = part.plane[piece], part.storey[piece]
    n, owner = normal[of_plane[which]], element[of_plane[which]]
    x = n[:, 0] * offset[which] - n[:, 1] * along
    y = n[:, 1] * offset[which] + n[:, 0] * along
    z = first[owner] + storey * storey_height[owner]
    order = np.lexsort((along, which, storey, owner))
    centre, outward = np.column_stack([x, y, z]), np.column_stack([n, np.zeros(len(n))])
    return FacadeWindows(centre[order], outward[order], width[order], owner[order], storey[order])


def window_frame(corners: Floats) -> WindowFrame | None:
    """Place and size of a window from its own triangles (m, 3, 3) [local m]; None for one that lies flat.

    Its surface faces two horizontal directions, that of the panes and that of the jambs. The axis across is the one
    along which the window is thinner: deep jambs may have more area than the panes.
    """
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.linalg.norm(cross, axis=1)
    good = area > 1e-12
    if not good.any():
        return None
    unit = cross[good] / area[good, None]
    spread = (unit * area[good, None]).T @ unit
    if spread[2, 2] > spread[0, 0] + spread[1, 1]:
        return None
    _, axes = np.linalg.eigh(spread[:2, :2])
    points = corners.reshape(-1, 3)
    thickness = np.ptp(points[:, :2] @ axes, axis=0)
    thin = 0 if thickness[0] < 0.99 * thickness[1] else 1  # equally thin: what most of the surface faces
    across = np.array([axes[0, thin], axes[1, thin], 0.0])
    across *= 1.0 if (across[1], across[0]) > (0.0, 0.0) else -1.0
    along = np.array([-across[1], across[0], 0.0])
    axis = np.stack([along, across, [0.0, 0.0, 1.0]])
    spots = points @ axis.T
    low, high = spots.min(axis=0), spots.max(axis=0)
    size = high - low
    return WindowFrame((low + high) / 2 @ axis, across, float(size[1] / 2), float(size[0]), float(size[2]))


def grid_of_points(count: int) -> Floats:
    """(count, 2) places on a window in shares of its half width and half height; the centre is the first."""
    third = 2 / 3
    centre, upright = [(0.0, 0.0)], [(0.0, -third), (0.0, third)]
    corners = [(x, y) for x in (-third, third) for y in (-third, third)]
    sides = [(-third, 0.0), (third, 0.0)]
    return np.array(
        {1: centre, 3: centre + upright, 5: centre + corners}.get(count, centre + upright + sides + corners)
    )
