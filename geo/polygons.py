"""Planar polygons with holes in 3D to triangles: one at a time, or a whole city at once.

The plane is fitted by Newell's method (Sutherland, Sproull and Schumacker 1974), the triangles of polygons with more
than four corners or with holes come from ear clipping (Eberly 2002, as in mapbox/earcut). Triangles keep the sense
of rotation of the outer ring. A polygon that cannot be triangulated is named with its reason, never dropped silently.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

# What a code in `Triangulation.reason` means. Codes below FAULTY are remarks: the polygon has its triangles.
REASONS = (
    "",
    "a hole without area was left out",
    "the rings cross each other or themselves",
    "fewer than three different corners",
    "no area",
    "a corner is not a finite number",
)
GOOD, HOLE_LEFT_OUT, CROSSING, TOO_FEW_CORNERS, NO_AREA, NOT_FINITE = range(len(REASONS))
FAULTY = TOO_FEW_CORNERS
AT_ONCE = 5_000  # triangles made into polygons: some thousandths of a second

# A polygon is flat as a line when area / perimeter^2 is below this: reprojection noise of 1e-9 m on a 1 m edge.
SLIVER = 1e-9
# Triangles must add up to the polygon's area within this share of it.
AREA_TOLERANCE = 1e-6


class Triangulation(NamedTuple):
    """Triangles of many polygons.

    Attributes
    ----------
    faces : (m, 3) int64
        Into the vertices given.
    surface : (m,) int64
        Which polygon each triangle belongs to; ascending.
    reason : (k,) int8
        Index into `REASONS` for each polygon; from `FAULTY` on the polygon has no triangles.
    """

    faces: Indices
    surface: Indices
    reason: NDArray[np.int8]


class Triangles(NamedTuple):
    """Triangles of one polygon: faces (m, 3) int64 and, where something is wrong, the reason (else ``""``)."""

    faces: Indices
    reason: str


def triangulate_rings(vertices: ArrayLike, rings: Sequence[ArrayLike]) -> Triangles:
    """Triangles of one polygon.

    Parameters
    ----------
    vertices : (n, 3) float [m]
    rings : sequence of (k,) int
        Corner indices; the outer ring first, then the holes. Not closed (a repeated last corner is tolerated).

    Examples
    --------
    >>> square = [[0, 0, 0], [2, 0, 0], [2, 2, 0], [0, 2, 0]]
    >>> triangulate_rings(square, [[0, 1, 2, 3]]).faces.tolist()
    [[0, 1, 2], [0, 2, 3]]
    """
    pieces = [np.asarray(ring, dtype=np.int64).reshape(-1) for ring in rings]
    if not pieces:
        return Triangles(np.zeros((0, 3), np.int64), REASONS[TOO_FEW_CORNERS])
    ring_start = np.cumsum([0, *(len(piece) for piece in pieces)])
    done = triangulate_surfaces(vertices, np.concatenate(pieces), ring_start, np.array([0, len(pieces)]))
    return Triangles(done.faces, REASONS[int(done.reason[0])])


def triangulate_surfaces(
    vertices: ArrayLike, corners: ArrayLike, ring_start: ArrayLike, surface_start: ArrayLike
) -> Triangulation:
    """Triangles of many polygons; those with three or four corners in one stroke.

    Parameters
    ----------
    vertices : (n, 3) float [m]
    corners : (c,) int
        Vertex indices of all rings, one after the other; each must be within 0..n-1.
    ring_start : (r + 1,) int
        Ring i has corners ring_start[i] .. ring_start[i + 1] - 1.
    surface_start : (k + 1,) int
        Polygon j has rings surface_start[j] .. surface_start[j + 1] - 1, the outer one first.
    """
    points = np.asarray(vertices, dtype=np.float64).reshape(-1, 3)
    corner = np.asarray(corners, dtype=np.int64)
    starts, first_ring = np.asarray(ring_start, dtype=np.int64), np.asarray(surface_start, dtype=np.int64)
    count = len(first_ring) - 1
    reason = np.zeros(count, dtype=np.int8)
    rings = np.diff(first_ring)
    outer = np.minimum(first_ring[:-1], max(len(starts) - 2, 0))
    size = np.diff(starts)[outer] if len(starts) > 1 else np.zeros(count, np.int64)
    reason[(rings == 0) | (size < 3)] = TOO_FEW_CORNERS
    single = (rings == 1) & (reason == GOOD)

    triangle = np.flatnonzero(single & (size == 3))
    faces_3 = corner[starts[outer[triangle], None] + np.arange(3)]
    reason[triangle] = _flatness(points[faces_3])
    quad = np.flatnonzero(single & (size == 4))
    faces_4, split = _split_quads(points, corner[starts[outer[quad], None] + np.arange(4)])
    good_3 = reason[triangle] == GOOD

    rest = np.setdiff1d(np.flatnonzero(reason == GOOD), np.concatenate([triangle, quad[split]]), assume_unique=True)
    faces_n, surface_n = _ear_clipped(points, corner, starts, first_ring, rest, reason)

    faces = np.concatenate([faces_3[good_3], faces_4.reshape(-1, 3), faces_n])
    surface = np.concatenate([triangle[good_3], np.repeat(quad[split], 2), surface_n])
    order = np.argsort(surface, kind="stable")
    return Triangulation(faces[order], surface[order], reason)


def areas_of_triangles(corners: ArrayLike) -> NDArray[np.object_]:
    """Shapely polygons (t,) of triangles (t, 3, 2 or more), seen from above.

    Some thousands at a time: shapely makes them with the interpreter held, and other threads get it in between.
    """
    import shapely

    flat = np.asarray(corners, dtype=np.float64)[:, [0, 1, 2, 0], :2]
    parts = [shapely.polygons(flat[first : first + AT_ONCE]) for first in range(0, len(flat), AT_ONCE)]
    return np.concatenate(parts) if parts else np.zeros(0, dtype=object)


def newell_normals(points: Floats, ring_start: Indices) -> Floats:
    """Area vectors (r, 3) [m2] of rings: normal to the plane of best fit, as long as the ring's area.

    points : (c, 3) corners of all rings in order; every ring has at least one corner.
    """
    size = np.diff(ring_start)
    if len(size) == 0:
        return np.zeros((0, 3))
    origin = np.repeat(points[ring_start[:-1]], size, axis=0)
    cross = np.cross(points - origin, points[_next_corner(ring_start)] - origin)
    return 0.5 * np.add.reduceat(cross, ring_start[:-1], axis=0)


def _next_corner(ring_start: Indices) -> Indices:
    """For each corner the position of the next one in its ring."""
    following = np.arange(1, int(ring_start[-1]) + 1)
    following[ring_start[1:] - 1] = ring_start[:-1]
    return following


def _flatness(triangles: Floats) -> NDArray[np.int8]:
    """Reason codes of triangles (m, 3, 3)."""
    edge = np.roll(triangles, -1, axis=1) - triangles
    with np.errstate(invalid="ignore", over="ignore"):
        perimeter = np.linalg.norm(edge, axis=2).sum(axis=1)
        area = 0.5 * np.linalg.norm(np.cross(edge[:, 0], edge[:, 1]), axis=1)
        flat = ~(area > SLIVER * perimeter**2)
    code = np.where(flat, NO_AREA, GOOD)
    return np.where(np.isfinite(area), code, NOT_FINITE).astype(np.int8)


def _split_quads(points: Floats, quads: Indices) -> tuple[Indices, NDArray[np.bool_]]:
    """Two triangles for every simple quadrilateral: faces (s, 2, 3), and which quads they are of (k,) bool.

    Of the two diagonals the one with the larger smallest triangle; both triangles must turn like the polygon, which
    also holds for one diagonal of a concave quadrilateral and for none of a crossed one.
    """
    p = points[quads] - points[quads[:, :1]]
    with np.errstate(invalid="ignore", over="ignore"):
        normal = np.cross(p[:, 2], p[:, 3] - p[:, 1])
        length = np.linalg.norm(normal, axis=1)
        unit = normal / np.where(length > 0, length, 1.0)[:, None]
        edge = np.roll(p, -1, axis=1) - p
        limit = 2.0 * SLIVER * np.linalg.norm(edge, axis=2).sum(axis=1) ** 2
        # corner[i]: twice the area of the triangle cut off at corner i, negative where it turns the wrong way
        corner = np.einsum("kij,kj->ki", np.cross(np.roll(edge, 1, axis=1), edge), unit)
        across_13 = np.minimum(corner[:, 0], corner[:, 2])
        across_02 = np.minimum(corner[:, 1], corner[:, 3])
        simple = np.maximum(across_02, across_13) > limit
    # of two equal diagonals always the same one, whatever the rounding
    first = across_02 >= across_13 * (1.0 - 1e-9)
    pattern = np.where(first[:, None, None], [[[0, 1, 2], [0, 2, 3]]], [[[0, 1, 3], [1, 2, 3]]])
    row = np.arange(len(quads))[:, None, None]
    return quads[row, pattern][simple], simple


class _Rings(NamedTuple):
    """Rings of several polygons, cleaned: corners without repetition, only rings with area."""

    corner: Indices  # (c,) vertex index
    start: Indices  # (r + 1,)
    area: Floats  # (r, 3) area vectors
    surface: Indices  # (r,) which polygon
    is_outer: NDArray[np.bool_]  # (r,)


def _ear_clipped(
    points: Floats,
    corner: Indices,
    ring_start: Indices,
    surface_start: Indices,
    wanted: Indices,
    reason: NDArray[np.int8],
) -> tuple[Indices, Indices]:
    """Triangles of the wanted polygons and the polygon of each; writes their reason codes."""
    empty = np.zeros((0, 3), np.int64), np.zeros(0, np.int64)
    if len(wanted) == 0:
        return empty
    rings = _clean_rings(points, corner, ring_start, surface_start, wanted, reason)
    if len(rings.surface) == 0:
        return empty
    flat = _in_plane(points, rings)
    pieces, owners = _clip(flat, rings)
    faces = np.concatenate(pieces) if pieces else empty[0]
    owner = np.repeat(np.array(owners, dtype=np.int64), [len(piece) for piece in pieces])
    twice = _twice_area(flat, faces)
    faces[twice < 0] = faces[twice < 0][:, ::-1]
    _compare_areas(rings, owner, np.abs(twice) / 2, reason)
    return rings.corner[faces], owner


def _clean_rings(
    points: Floats,
    corner: Indices,
    ring_start: Indices,
    surface_start: Indices,
    wanted: Indices,
    reason: NDArray[np.int8],
) -> _Rings:
    """The usable rings of the wanted polygons; what is wrong with the others goes into `reason`."""
    ring, owner = _ranges(surface_start, wanted)
    is_outer = ring == surface_start[owner]
    place, ring_of = _ranges(ring_start, ring, number=np.arange(len(ring)))
    index = corner[place]
    # A ring ends where the next begins; rings without corners have no place here and fall out below.
    keep = np.ones(len(index), dtype=bool)
    if len(index):
        boundary = np.flatnonzero(np.diff(ring_of, prepend=-1, append=-1))
        keep = np.any(points[index] != points[index[_next_corner(boundary)]], axis=1)
    index, ring_of = index[keep], ring_of[keep]
    size = np.bincount(ring_of, minlength=len(ring))
    finite = np.bincount(ring_of, ~np.isfinite(points[index]).all(axis=1), minlength=len(ring)) == 0

    code = np.where(size < 3, TOO_FEW_CORNERS, np.where(finite, GOOD, NOT_FINITE))
    area = np.zeros((len(ring), 3))
    usable = np.flatnonzero(code == GOOD)
    taken = np.isin(ring_of, usable)
    start = np.concatenate([[0], np.cumsum(size[usable])])
    xyz = points[index[taken]]
    if len(usable):
        area[usable] = newell_normals(xyz, start)
        step = np.linalg.norm(xyz[_next_corner(start)] - xyz, axis=1)
        perimeter = np.add.reduceat(step, start[:-1])
        flat = ~(np.linalg.norm(area[usable], axis=1) > SLIVER * perimeter**2)
        code[usable[flat]] = NO_AREA
    reason[owner[is_outer]] = code[is_outer]
    np.maximum.at(reason, owner[~is_outer & (code != GOOD)], np.int8(HOLE_LEFT_OUT))
    np.maximum.at(reason, owner[code == NOT_FINITE], np.int8(NOT_FINITE))
    good = (code == GOOD) & (reason[owner] < FAULTY)
    kept = good[ring_of]
    return _Rings(index[kept], np.concatenate([[0], np.cumsum(size[good])]), area[good], owner[good], is_outer[good])


def _ranges(start: Indices, wanted: Indices, *, number: Indices | None = None) -> tuple[Indices, Indices]:
    """All positions in start[i] .. start[i + 1] - 1 for the wanted i in turn, and the number (default i) of each."""
    size = start[wanted + 1] - start[wanted]
    before = np.repeat(np.cumsum(size) - size, size)
    place = np.arange(int(size.sum())) - before + np.repeat(start[wanted], size)
    return place, np.repeat(wanted if number is None else number, size)


def _in_plane(points: Floats, rings: _Rings) -> Floats:
    """Corners (c, 2) [m] in their polygon's plane, the outer ring counter-clockwise, origin at its first corner."""
    first = np.flatnonzero(rings.is_outer)
    polygon = np.cumsum(rings.is_outer) - 1
    normal = rings.area[first] / np.linalg.norm(rings.area[first], axis=1, keepdims=True)
    # the coordinate axis that lies flattest in the plane starts the basis
    axis = np.eye(3)[np.argmin(np.abs(normal), axis=1)]
    u = np.cross(axis, normal)
    u /= np.linalg.norm(u, axis=1, keepdims=True)
    v = np.cross(normal, u)
    of_corner = np.repeat(polygon, np.diff(rings.start))
    relative = points[rings.corner] - points[rings.corner[rings.start[first]]][of_corner]
    return np.stack(
        [np.einsum("ij,ij->i", relative, u[of_corner]), np.einsum("ij,ij->i", relative, v[of_corner])], axis=1
    )


def _clip(flat: Floats, rings: _Rings) -> tuple[list[Indices], list[int]]:
    """Ear clipping, polygon by polygon: triangles into the corners, and the polygon of each piece."""
    from mapbox_earcut import triangulate_float64

    first = np.flatnonzero(rings.is_outer)
    limits = np.append(first, len(rings.surface))
    pieces: list[Indices] = []
    for low, high in zip(limits[:-1].tolist(), limits[1:].tolist(), strict=True):
        begin = rings.start[low]
        ends = (rings.start[low + 1 : high + 1] - begin).astype(np.uint32)
        found = triangulate_float64(flat[begin : rings.start[high]], ends)
        pieces.append(found.reshape(-1, 3).astype(np.int64) + begin)
    return pieces, rings.surface[first].tolist()


def _twice_area(flat: Floats, faces: Indices) -> Floats:
    """Twice the signed area [m2] of triangles in the plane, positive counter-clockwise."""
    a, b, c = flat[faces[:, 0]], flat[faces[:, 1]], flat[faces[:, 2]]
    return (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])


def _compare_areas(rings: _Rings, owner: Indices, area: Floats, reason: NDArray[np.int8]) -> None:
    """Mark polygons whose triangles do not add up to outer ring minus holes: their rings cross."""
    outer = rings.area[rings.is_outer]
    polygon = np.cumsum(rings.is_outer) - 1
    unit = outer / np.linalg.norm(outer, axis=1, keepdims=True)
    ring_area = np.abs(np.einsum("ij,ij->i", rings.area, unit[polygon]))
    expected = np.bincount(polygon, np.where(rings.is_outer, ring_area, -ring_area))
    surface = rings.surface[rings.is_outer]
    place = np.searchsorted(surface, owner)
    found = np.bincount(place, area, minlength=len(surface))
    bad = np.abs(found - expected) > AREA_TOLERANCE * ring_area[rings.is_outer]
    np.maximum.at(reason, surface[bad], np.int8(CROSSING))
    reason[surface[found == 0.0]] = NO_AREA
