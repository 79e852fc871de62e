"""Outlines in plan, and walking along them: where kerbs and walls run, and which way their free side looks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.model import Lines, Mesh, unique_rows

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Box = tuple[tuple[float, float], tuple[float, float]]  # low and high corner [local m]

SNAP = 0.01  # [m] corners nearer than this are one
THIN = 1e-4  # [m2] triangles smaller than this in plan have no area
FOLDED = 0.002  # share of the area by which an outline from border edges may differ from its triangles
FEW = 32  # triangles that are joined one by one
SMOOTH = 0.25  # [m] crooks of an outline smaller than this are none
CORNER_TURN = 30.0  # [degrees] an outline that turns less goes straight on


class Walk(NamedTuple):
    """Stations along outlines.

    Attributes
    ----------
    xy : (n, 2) float64 [local m]
    outward : (n, 2) float64
        Unit vectors to the free side: away from the area, square to its edge, halving the angle at a corner.
    turn : (n,) float64 [degrees]
        By how much the outline turns at a corner: positive where it juts out, negative in a nook, 0 along an edge.
    slide : (n,) float64 [m]
        To either side, how far a station may be shifted along a straight edge without meeting the next one.
    """

    xy: Floats
    outward: Floats
    turn: Floats
    slide: Floats

    def kept(self, keep: Bools) -> Walk:
        """Those of a mask."""
        return Walk(*(part[keep] for part in self))


def triangles_of(mesh: Mesh, faces: Bools | None = None) -> Floats:
    """(m, 3, 3) corners of the faces of a mesh."""
    return np.asarray(mesh.vertices[mesh.faces if faces is None else mesh.faces[faces]])


def outline_of(triangles: Floats) -> BaseGeometry:
    """The area that triangles (m, 3, 3) cover in plan."""
    import shapely

    flat = triangles[:, :, :2]
    one, two = flat[:, 1] - flat[:, 0], flat[:, 2] - flat[:, 0]
    flat = flat[np.abs(one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]) > 2 * THIN]
    if len(flat) == 0:
        return shapely.Polygon()
    rings = np.concatenate([flat, flat[:, :1]], axis=1)
    return shapely.union_all(shapely.polygons(rings), grid_size=SNAP)


def part_within(mesh: Mesh, box: Box | None) -> Mesh:
    """The faces of a mesh that touch a rectangle in plan."""
    if box is None:
        return mesh
    flat = triangles_of(mesh)[:, :, :2]
    near = ((flat.max(axis=1) >= np.asarray(box[0])) & (flat.min(axis=1) <= np.asarray(box[1]))).all(axis=1)
    return Mesh(mesh.vertices, mesh.faces[near], mesh.face_element[near])


def inside_box(xy: Floats, box: Box | None) -> Bools:
    """(n,) whether points lie in a rectangle."""
    if box is None:
        return np.ones(len(xy), dtype=np.bool_)
    return np.asarray(((xy >= np.asarray(box[0])) & (xy <= np.asarray(box[1]))).all(axis=1))


def surface_outline(mesh: Mesh) -> BaseGeometry:
    """The area that a draped surface covers in plan: of each element the edges that only one of its triangles has.

    As `outline_of`, and many times quicker.
    """
    import shapely

    flat = triangles_of(mesh)[:, :, :2]
    one, two = flat[:, 1] - flat[:, 0], flat[:, 2] - flat[:, 0]
    area = 0.5 * np.abs(one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0])
    key, _, corner, _ = unique_rows(np.rint(flat.reshape(-1, 2) / SNAP).astype(np.int64))
    corner = corner.reshape(-1, 3)
    order = np.argsort(mesh.face_element, kind="stable")
    starts = np.flatnonzero(np.diff(mesh.face_element[order], prepend=-1))
    points, parts = np.asarray(key * SNAP, dtype=np.float64), []
    for faces in np.split(order, starts[1:]):
        parts += _bordered(points, corner[faces], area[faces])
    return shapely.union_all(parts, grid_size=SNAP) if parts else shapely.Polygon()


def _bordered(points: Floats, corner: NDArray[np.int64], area: Floats) -> list[BaseGeometry]:
    """Areas of triangles that share edges; those that fold over themselves (a ring road) are halved."""
    import shapely

    edges = np.sort(corner[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    edges, _, _, count = unique_rows(edges[edges[:, 0] != edges[:, 1]])
    border = edges[count % 2 == 1]
    if len(border):
        try:
            shape = shapely.build_area(shapely.multilinestrings(shapely.linestrings(points[border])))
        except shapely.errors.GEOSException:  # the border crosses itself
            shape = shapely.Polygon()
        if shape.is_valid and abs(shape.area - area.sum()) <= FOLDED * area.sum():
            return [shape]
    if len(corner) <= FEW:
        return [outline_of(np.dstack([points[corner], np.zeros(corner.shape)]))]
    half = len(corner) // 2
    return [*_bordered(points, corner[:half], area[:half]), *_bordered(points, corner[half:], area[half:])]


def closed_rings(lines: Lines) -> BaseGeometry:
    """The area within the closed lines of a layer."""
    import shapely

    rings = []
    for first, last in zip(lines.offsets[:-1].tolist(), lines.offsets[1:].tolist(), strict=True):
        line = lines.vertices[first:last, :2]
        if len(line) >= 4 and np.allclose(line[0], line[-1], atol=SNAP):
            rings.append(shapely.make_valid(shapely.Polygon(line)))
    return shapely.union_all(rings) if rings else shapely.Polygon()


def within(shape: BaseGeometry, xy: Floats) -> Bools:
    """(n,) whether points lie in an area or on its edge."""
    import shapely

    if shape.is_empty or len(xy) == 0:
        return np.zeros(len(xy), dtype=np.bool_)
    shapely.prepare(shape)
    return np.asarray(shapely.intersects_xy(shape, xy[:, 0], xy[:, 1]))


def walk_around(
    shape: BaseGeometry, spacing: float, *, offset: float, inward: bool = False, smooth: float = SMOOTH
) -> Walk:
    """Stations at the corners of an area and every `spacing` [m] between them, `offset` [m] outside (or inside) it.

    Straight edges are divided evenly, so that no gap is larger than `spacing`. Corners are mitred; crooks smaller than
    `smooth` [m] are evened out first.
    """
    import shapely

    grown = shapely.buffer(
        shapely.simplify(shape, smooth), -offset if inward else offset, join_style="mitre", mitre_limit=2.0
    )
    stations = [
        _walk_ring(np.asarray(ring.coords)[:-1, :2], spacing, inward)
        for polygon in shapely.get_parts(grown)
        if polygon.geom_type == "Polygon"
        for ring in _oriented(polygon)
    ]
    return _joined([each for each in stations if len(each.xy)])


def _oriented(polygon: BaseGeometry) -> list[BaseGeometry]:
    """Rings with the area on their left: outer ones counter-clockwise, holes clockwise."""
    from shapely.geometry.polygon import orient

    turned = orient(polygon)
    return [turned.exterior, *turned.interiors]


def _joined(parts: Sequence[Walk]) -> Walk:
    if not parts:
        return Walk(np.zeros((0, 2)), np.zeros((0, 2)), np.zeros(0), np.zeros(0))
    return Walk(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _walk_ring(ring: Floats, spacing: float, inward: bool) -> Walk:
    """Stations of one ring (k, 2), open, with the area on its left."""
    edge = np.roll(ring, -1, axis=0) - ring
    length = np.hypot(edge[:, 0], edge[:, 1])
    ring, edge, length = ring[length > 0], edge[length > 0], length[length > 0]
    if len(ring) < 3:
        return _joined([])
    way = edge / length[:, None]
    side = np.column_stack([way[:, 1], -way[:, 0]])  # to the right: outside
    turn = _turns(way)
    corner = _corners(turn)
    middle = (side + np.roll(side, 1, axis=0))[corner]
    size = np.hypot(middle[:, 0], middle[:, 1])
    halving = np.where((size > 1e-6)[:, None], middle / np.maximum(size, 1e-6)[:, None], -way[corner])
    number, along, free = _between(length, corner, spacing)
    sign = -1.0 if inward else 1.0
    return Walk(
        np.concatenate([ring[corner], ring[number] + way[number] * along[:, None]]),
        sign * np.concatenate([halving, side[number]]),
        sign * np.concatenate([turn[corner], np.zeros(len(number))]),
        np.concatenate([np.zeros(len(corner)), free]),
    )


def _turns(way: Floats) -> Floats:
    """(k,) by how much a ring turns where each edge begins; left turns are positive [degrees]. `way`: unit vectors."""
    before = np.roll(way, 1, axis=0)
    return np.asarray(
        np.degrees(np.arctan2(before[:, 0] * way[:, 1] - before[:, 1] * way[:, 0], (before * way).sum(axis=1)))
    )


def _corners(turn: Floats) -> NDArray[np.int64]:
    """Points of a ring that count as corners: a bend of many small turns has one at every `CORNER_TURN` of it."""
    chosen, bend = [], 0.0
    for number, value in enumerate(turn.tolist()):
        bend += value
        if abs(bend) > CORNER_TURN:
            chosen.append(number)
            bend = 0.0
    return np.array(chosen or [0], dtype=np.int64)


def _between(length: Floats, corner: NDArray[np.int64], spacing: float) -> tuple[NDArray[np.int64], Floats, Floats]:
    """Stations between corners: the edge of each, its place along that edge [m], how far it may be shifted [m]."""
    start = np.concatenate([[0.0], np.cumsum(length)])
    first = start[corner]
    gap = np.diff(np.concatenate([first, [first[0] + start[-1]]]))
    pieces = np.maximum(1, np.ceil(gap / spacing - 1e-9)).astype(np.int64)
    between = pieces - 1
    which = np.repeat(np.arange(len(corner)), between)
    step = np.arange(len(which)) - np.repeat(np.cumsum(between) - between, between) + 1
    place = (first[which] + gap[which] * step / pieces[which]) % start[-1]
    edge = np.clip(np.searchsorted(start, place, side="right") - 1, 0, len(length) - 1)
    along = place - start[edge]
    free = np.minimum((gap / pieces)[which] / 2.0, np.minimum(along, length[edge] - along))
    return edge, along, free
