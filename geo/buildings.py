"""Footprint and height to solid: walls, roof and ground of many buildings at once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo.model import Field, Mesh, merge_meshes
from geo.terrain import triangulate

Floats = NDArray[np.float64]
SURFACES = ("roof", "wall", "ground", "other")
ROOF, WALL, GROUND = 0, 1, 2
SMALLEST_AREA = 0.5  # [m2]; a footprint below it is a drawing error, not a building
STRAIGHT = 1e-5  # [m]; a vertex closer to the line between its neighbours does not bend the wall


class CleanAreas(NamedTuple):
    """Single valid polygons, whose they are, and what had to be done."""

    polygons: NDArray[np.object_]
    owner: NDArray[np.int64]
    repaired: int
    slivers: int


def clean_areas(areas: NDArray[np.object_], *, smallest: float = SMALLEST_AREA) -> CleanAreas:
    """Polygons ready to be triangulated: repaired, split into single ones, without slivers and straight vertices.

    Parameters
    ----------
    areas : (n,) shapely geometries (None and empty ones are skipped) in local metres
    smallest : float [m2]

    Notes
    -----
    `repaired` counts areas whose rings crossed or touched themselves (`shapely.make_valid`);
    `slivers` counts areas of which nothing as large as `smallest` is left.
    """
    import shapely

    present = np.flatnonzero(~(shapely.is_missing(areas) | shapely.is_empty(areas)))
    flat = shapely.force_2d(areas[present])
    valid = shapely.is_valid(flat)
    flat[~valid] = shapely.make_valid(flat[~valid])
    parts, index = _polygons_of(flat)
    good = shapely.area(parts) >= smallest
    parts, index = _straightened(parts[good], index[good])
    kept = np.unique(index)
    polygons = shapely.orient_polygons(parts, exterior_cw=False)
    return CleanAreas(polygons, present[index], int((~valid).sum()), len(present) - len(kept))


def _polygons_of(areas: NDArray[np.object_]) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    """All polygons inside (nested) collections and the index of the area each came from."""
    import shapely

    parts, index = shapely.get_parts(areas, return_index=True)
    deeper = shapely.get_type_id(parts) >= 4
    if deeper.any():
        inner, inner_index = shapely.get_parts(parts[deeper], return_index=True)
        index = np.concatenate([index[~deeper], index[deeper][inner_index]])
        parts = np.concatenate([parts[~deeper], inner])
        order = np.argsort(index, kind="stable")
        parts, index = parts[order], index[order]
    is_polygon = shapely.get_type_id(parts) == 3
    return parts[is_polygon], index[is_polygon]


def _straightened(
    polygons: NDArray[np.object_], index: NDArray[np.int64]
) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    """Without repeated and straight vertices; a polygon that this would break keeps its own."""
    import shapely

    simple = polygons
    rings, ring_polygon = shapely.get_rings(polygons, return_index=True)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    keep = _bends(xy, ring)
    kept_ring = ring[keep]
    count = np.bincount(kept_ring, minlength=len(rings))
    enough = count >= 3
    keep &= enough[ring]
    if len(rings) and enough.any():
        new_rings = np.full(len(rings), None, dtype=object)
        new_rings[enough] = shapely.linearrings(xy[keep], indices=_renumbered(ring[keep]))
        outer = np.concatenate([[True], np.diff(ring_polygon) > 0])
        shells, holes = new_rings[outer], ~outer & enough
        simple = polygons.copy()
        usable = enough[outer]
        made = np.full(len(polygons), None, dtype=object)
        if usable.any():
            made[usable] = shapely.polygons(shells[usable])
        with_holes = np.unique(ring_polygon[holes])
        begin = np.searchsorted(ring_polygon, np.arange(len(polygons) + 1))
        for polygon in with_holes[usable[with_holes]]:
            mine = slice(begin[polygon], begin[polygon + 1])
            made[polygon] = shapely.Polygon(shells[polygon], list(new_rings[mine][holes[mine]]))
        fine = shapely.is_valid(made)
        simple[fine] = made[fine]
    return simple, index


def _renumbered(values: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.unique(values, return_inverse=True)[1].ravel()


def _bends(xy: Floats, ring: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which vertices of closed rings are corners; the closing vertex never counts."""
    if len(xy) == 0:
        return np.zeros(0, bool)
    last = np.append(np.diff(ring) > 0, True)
    first = np.roll(last, 1)
    number = np.arange(len(xy))
    starts, stops = number[first], number[last]
    before, after = number - 1, number + 1
    before[starts] = stops - 1
    after[stops] = starts + 1
    a, b = xy - xy[before], xy[after] - xy
    long_a, long_b = np.hypot(*a.T), np.hypot(*b.T)
    off = np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])
    chord = np.maximum(np.hypot(*(a + b).T), 1e-12)
    onward = (a * b).sum(axis=1) > 0
    return ~last & (long_a > STRAIGHT) & ((off / chord > STRAIGHT) | ~onward | (long_b <= STRAIGHT))


def extrude(polygons: NDArray[np.object_], base: ArrayLike, height: ArrayLike) -> tuple[Mesh, NDArray[np.int8]]:
    """Closed solids over polygons with holes.

    Parameters
    ----------
    polygons : (n,) shapely Polygons, shells counter-clockwise, holes clockwise (as `clean_areas` gives them)
    base : (n,) float [local m]
        Height of the ground plate.
    height : (n,) float [m]
        Of the walls; must be positive.

    Returns
    -------
    mesh : Mesh
        `face_element` is the index of the polygon; faces look outward.
    surface : (m,) int8
        Code of each face into `SURFACES`.
    """
    import shapely

    polygons = np.asarray(polygons, dtype=object)
    low = np.broadcast_to(np.asarray(base, dtype=np.float64), len(polygons))
    high = low + np.broadcast_to(np.asarray(height, dtype=np.float64), len(polygons))
    if len(polygons) == 0:
        return merge_meshes(()), np.empty(0, np.int8)
    xy, roof, roof_owner = watertight_triangles(polygons)
    rings, ring_polygon = shapely.get_rings(polygons, return_index=True)
    ring = np.repeat(np.arange(len(rings)), shapely.get_num_coordinates(rings) - 1)
    owner = ring_polygon[ring]
    count = len(xy)
    bottom, top = np.column_stack([xy, low[owner]]), np.column_stack([xy, high[owner]])
    here = np.arange(count)
    there = here + 1
    last = np.append(np.diff(ring) > 0, True)
    there[last] = here[np.append(True, np.diff(ring) > 0)]
    walls = np.concatenate(
        [np.stack([here, there, there + count], 1), np.stack([here, there + count, here + count], 1)]
    )
    faces = np.concatenate([roof + count, walls, roof[:, ::-1]])
    element = np.concatenate([roof_owner, owner, owner, roof_owner])
    surface = np.repeat(np.array([ROOF, WALL, GROUND], np.int8), [len(roof), len(walls), len(roof)])
    order = np.argsort(element, kind="stable")
    mesh = Mesh(np.concatenate([bottom, top]), faces[order].astype(np.int32), element[order].astype(np.int32))
    return mesh, surface[order]


def watertight_triangles(
    polygons: NDArray[np.object_],
) -> tuple[Floats, NDArray[np.int64], NDArray[np.int64]]:
    """Triangles that use every vertex of every ring, so that walls can stand on them without gaps.

    Ear clipping leaves out a vertex that comes to lie straight between two others; such a polygon is done again by
    constrained Delaunay triangulation. Returns points (n, 2), faces (m, 3) and the polygon of each face (m,).
    """
    import shapely

    xy, faces, owner = triangulate(polygons, np.arange(len(polygons)))
    rings, ring_polygon = shapely.get_rings(polygons, return_index=True)
    sizes = shapely.get_num_coordinates(rings) - 1
    point_owner = np.repeat(ring_polygon, sizes)
    holes = np.bincount(ring_polygon, minlength=len(polygons)) - 1
    expected = np.bincount(point_owner, minlength=len(polygons)) - 2 + 2 * holes
    wrong = np.flatnonzero(np.bincount(owner, minlength=len(polygons)) != expected)
    if len(wrong) == 0:
        return xy, faces, owner
    start = np.searchsorted(point_owner, np.arange(len(polygons) + 1))
    again = [_delaunay(polygons[k], xy[start[k] : start[k + 1]]) for k in wrong]
    better = [found is not None for found in again]
    redone = wrong[better]
    keep = ~np.isin(owner, redone)
    extra = [found + start[k] for k, found in zip(wrong, again, strict=True) if found is not None]
    sizes_new = [len(found) for found in extra]
    faces = np.concatenate([faces[keep], *extra])
    return xy, faces, np.concatenate([owner[keep], np.repeat(redone, sizes_new)])


def _delaunay(polygon: object, xy: Floats) -> NDArray[np.int64] | None:
    """Constrained Delaunay triangles of one polygon as indices into its ring points; None if points do not match."""
    import shapely

    parts = shapely.get_parts(shapely.constrained_delaunay_triangles(polygon))
    corners = shapely.get_coordinates(shapely.orient_polygons(parts, exterior_cw=False)).reshape(-1, 4, 2)[:, :3]
    number = {point: k for k, point in enumerate(map(tuple, xy.tolist()))}
    found = [[number.get(tuple(p), -1) for p in triangle] for triangle in corners.tolist()]
    triangles = np.array(found, dtype=np.int64).reshape(-1, 3)
    return triangles if len(triangles) and (triangles >= 0).all() else None


def surface_field(codes: NDArray[np.int8]) -> Field:
    """The roof, wall, ground field of a building mesh."""
    return Field("surface", "1", "face", codes, categories=SURFACES)


def volume(mesh: Mesh, elements: int) -> Floats:
    """Volume enclosed by each element (elements,) [m3] by the divergence theorem; right for closed meshes only."""
    middle = mesh.vertices.mean(axis=0) if len(mesh.vertices) else np.zeros(3)
    a = mesh.vertices[mesh.faces[:, 0]] - middle
    signed = (a * mesh.face_cross).sum(axis=1) / 6.0
    return np.bincount(mesh.face_element, weights=signed, minlength=elements)
