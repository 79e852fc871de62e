"""Where an analysis looks: cells on the ground, and small cells on walls and roofs.

A wall is cut into near-square cells in its own plane, horizontal along the wall and upright. Nothing is lost: the
cells of a mesh have together exactly its area, and every face has at least one cell.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.model import Feedback, Grid, Mesh, merge_meshes, unique_rows

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Bools = NDArray[np.bool_]

CLIP_PAIRS = 40_000  # triangle-cell pairs clipped at a time: about 30 MB and 0.1 s
UPRIGHT = 0.999  # a plane whose normal is closer to vertical than this has no "horizontal along the wall"
FULL_CELL = 1.0 - 1e-9
SLIVER = 1e-8  # [m2] triangles smaller than a tenth of a millimetre squared have no direction
UNIT_SQUARE = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])


class GroundPoints(NamedTuple):
    """Cells on the ground.

    Attributes
    ----------
    points : (n, 3) float [local m]
        On the ground, in the middle of the cells.
    number : (n,) int64
        Flat index of each point in a grid of `shape`.
    shape : (rows, cols)
    x0, y0, cell : float [local m]
        As in `Grid`.
    """

    points: Floats
    number: Indices
    shape: tuple[int, int]
    x0: float
    y0: float
    cell: float

    def spread(self, values: Floats) -> Floats:
        """(rows, cols) of values (n,); not-a-number where there is no point."""
        out = np.full(self.shape[0] * self.shape[1], np.nan)
        out[self.number] = values
        return out.reshape(self.shape)


class FaceCells(NamedTuple):
    """Cells on the faces of a mesh.

    Attributes
    ----------
    mesh : Mesh
        Triangles of the cells; `face_element` is that of the face the cell lies on.
    cell_of_face : (m,) int64
        Cell each triangle of `mesh` belongs to.
    points, normals : (n, 3) float
        A point in each cell [local m] and the outward unit normal there.
    area : (n,) float [m2]
    element : (n,) int32
    """

    mesh: Mesh
    cell_of_face: Indices
    points: Floats
    normals: Floats
    area: Floats
    element: NDArray[np.int32]

    def kept(self, keep: Bools) -> FaceCells:
        """Only the cells where `keep` (n,) is true."""
        number = np.cumsum(keep) - 1
        faces = keep[self.cell_of_face]
        used, corners = np.unique(self.mesh.faces[faces], return_inverse=True)
        mesh = Mesh(self.mesh.vertices[used], corners.reshape(-1, 3).astype(np.int32), self.mesh.face_element[faces])
        cells = number[self.cell_of_face[faces]]
        return FaceCells(mesh, cells, self.points[keep], self.normals[keep], self.area[keep], self.element[keep])


def ground_points(
    terrain: Grid | float, cell: float, low: tuple[float, float], high: tuple[float, float]
) -> GroundPoints:
    """Middles of square cells over the rectangle low..high (x, y) [local m], on the terrain or at one height [m].

    Cells off the terrain are left out. Cell edges lie on multiples of `cell` from `low`.
    """
    cols, rows = (max(1, int(np.ceil((high[k] - low[k]) / cell - 1e-9))) for k in range(2))
    x0, y0 = low[0] + cell / 2, low[1] + cell / 2
    x, y = np.meshgrid(x0 + cell * np.arange(cols), y0 + cell * np.arange(rows))
    z = surface_height(terrain, x.ravel(), y.ravel()) if isinstance(terrain, Grid) else np.full(x.size, float(terrain))
    index = np.flatnonzero(np.isfinite(z))
    points = np.stack([x.ravel()[index], y.ravel()[index], z[index]], axis=1)
    return GroundPoints(points, index, (rows, cols), x0, y0, cell)


def surface_height(terrain: Grid, x: Floats, y: Floats) -> Floats:
    """Height of the triangles of ``terrain.surface()`` at points [local m]; not-a-number outside or in a gap.

    Bilinear heights would lie some centimetres under the triangles in places, and then the ground would shade itself.
    """
    rows, cols = terrain.values.shape
    if rows < 2 or cols < 2:
        return np.full(np.shape(x), np.nan)
    col, row = (x - terrain.x0) / terrain.cell, (y - terrain.y0) / terrain.cell
    inside = (col >= 0) & (col <= cols - 1) & (row >= 0) & (row <= rows - 1)
    c = np.clip(np.floor(np.where(inside, col, 0)).astype(np.int64), 0, cols - 2)
    r = np.clip(np.floor(np.where(inside, row, 0)).astype(np.int64), 0, rows - 2)
    u, v = col - c, row - r
    a, b = terrain.values[r, c], terrain.values[r, c + 1]
    d, e = terrain.values[r + 1, c], terrain.values[r + 1, c + 1]
    height = np.where(u >= v, a + u * (b - a) + v * (e - b), a + v * (d - a) + u * (e - d))
    return np.where(inside, height, np.nan)


def face_cells(mesh: Mesh, spacing: float, *, feedback: Feedback | None = None) -> FaceCells:
    """Cut the faces of a mesh into cells of about `spacing` [m].

    Faces of one element in one plane share a grid. Degenerate faces (no area) have no cell.
    """
    feedback = feedback or Feedback()
    use = np.flatnonzero(mesh.face_area > 1e-9)
    if len(use) == 0:
        return _no_cells()
    corners = mesh.vertices[mesh.faces[use]]
    normals, element = mesh.face_normal[use], mesh.face_element[use]
    group = _planes(corners, normals, element)
    flat, frame = _flatten(corners, normals, mesh.face_area[use], group)
    low, size, counts = _grids(flat, group, spacing)
    plain = _rectangles(flat, group, low, size * counts)
    pieces = _squares(group, plain, low, counts)
    pieces += _cut(flat, group, ~plain[group], low, size, counts, feedback)
    return _assemble(pieces, frame, normals, element, size[group])


def _planes(corners: Floats, normals: Floats, element: NDArray[np.int32]) -> Indices:
    """(m,) number of the plane of each face: same element, same normal (0.1 %), same offset (1 cm)."""
    if len(corners) == 0:
        return np.zeros(0, np.int64)
    # Offsets are taken from the first vertex of the element, where normals that differ in the last bits agree.
    order = np.argsort(element, kind="stable")
    starts = order[np.searchsorted(element[order], element)]
    offset = np.einsum("ij,ij->i", normals, corners[:, 0] - corners[starts, 0])
    key = np.column_stack([element, np.rint(normals * 1000), np.rint(offset * 100)]).astype(np.int64)
    return unique_rows(key).group


class _PlaneFrames(NamedTuple):
    """Per face: origin, two axes in the plane and the normal, (m, 3) each."""

    origin: Floats
    along: Floats
    up: Floats
    normal: Floats


def _flatten(corners: Floats, normals: Floats, area: Floats, group: Indices) -> tuple[Floats, _PlaneFrames]:
    """Corners (m, 3, 2) in the plane of each face, and that plane's frame (the same for all faces of a group)."""
    count = int(group.max()) + 1 if len(group) else 0
    # The largest face of a group stands for it.
    leader = _largest(group, area, count)
    normal, origin = normals[leader], corners[leader, 0]
    relative = corners - origin[group][:, None]
    along = np.stack([-normal[:, 1], normal[:, 0], np.zeros(count)], axis=1)
    level = np.abs(normal[:, 2]) > UPRIGHT
    along[level] = _tightest(relative, group, corners[leader], normal)[level]
    along = _unit_in_plane(along, normal)
    up = np.cross(normal, along)
    flat = _in_plane(relative, along[group], up[group])
    return flat, _PlaneFrames(origin[group], along[group], up[group], normal[group])


def _tightest(relative: Floats, group: Indices, leader: Floats, normal: Floats) -> Floats:
    """(g, 3) that edge of the leading face along which the group's box is smallest: a side, not a diagonal."""
    edges = np.roll(leader, -1, axis=1) - leader
    best, smallest = edges[:, 0].copy(), np.full(len(leader), np.inf)
    for k in range(3):
        along = _unit_in_plane(edges[:, k], normal)
        low, high = _boxes(_in_plane(relative, along[group], np.cross(normal, along)[group]), group, len(leader))
        size = (high - low).prod(axis=1)
        # a hair smaller is not smaller: the choice must not hang on rounding
        better = size < smallest * (1.0 - 1e-6)
        best[better], smallest[better] = edges[better, k], size[better]
    return best


def _unit_in_plane(direction: Floats, normal: Floats) -> Floats:
    flat = direction - np.einsum("ij,ij->i", direction, normal)[:, None] * normal
    return flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-300)  # type: ignore[no-any-return]


def _in_plane(relative: Floats, along: Floats, up: Floats) -> Floats:
    return np.stack([np.einsum("mij,mj->mi", relative, axis) for axis in (along, up)], axis=2)


def _boxes(flat: Floats, group: Indices, count: int) -> tuple[Floats, Floats]:
    """Low and high corner (g, 2) of each group."""
    low, high = np.full((count, 2), np.inf), np.full((count, 2), -np.inf)
    np.minimum.at(low, group, flat.min(axis=1))
    np.maximum.at(high, group, flat.max(axis=1))
    return low, high


def _grids(flat: Floats, group: Indices, spacing: float) -> tuple[Floats, Floats, Indices]:
    """Per group: low corner (g, 2), cell size (g, 2) and number of cells (g, 2), fitted to the group's extent."""
    count = int(group.max()) + 1 if len(group) else 0
    low, high = _boxes(flat, group, count)
    extent = np.maximum(high - low, 1e-9)
    counts = np.maximum(1, np.rint(extent / spacing)).astype(np.int64)
    return low, extent / counts, counts


class _Pieces(NamedTuple):
    """Convex pieces of faces: polygon (k, p, 2) in units of cells, corners used (k,), face (k,), cell key (k, 3)."""

    polygon: Floats
    corners: Indices
    face: Indices
    key: Indices
    low: Floats


def _rectangles(flat: Floats, group: Indices, low: Floats, extent: Floats) -> Bools:
    """(g,) whether the faces of a plane fill its box: most walls do, and need no clipping.

    Equal area alone could be one triangle given twice; then the middle of the faces is not that of the box.
    """
    edges = flat[:, 1:] - flat[:, :1]
    area = 0.5 * np.abs(edges[:, 0, 0] * edges[:, 1, 1] - edges[:, 0, 1] * edges[:, 1, 0])
    count = len(low)
    filled = np.bincount(group, area, count)
    middle = np.stack([np.bincount(group, area * flat[:, :, k].mean(axis=1), count) for k in range(2)], axis=1)
    centroid = middle / np.maximum(filled, 1e-300)[:, None]
    centred = (np.abs(centroid - low - extent / 2) < 1e-6 * extent).all(axis=1)
    return np.asarray(centred & (np.abs(filled / extent.prod(axis=1) - 1.0) < 1e-9))


def _squares(group: Indices, plain: Bools, low: Floats, counts: Indices) -> list[_Pieces]:
    """All cells of the plain planes as they are."""
    planes = np.flatnonzero(plain)
    if len(planes) == 0:
        return []
    cells = counts[planes].prod(axis=1)
    plane = np.repeat(planes, cells)
    inner = np.arange(len(plane)) - np.repeat(np.cumsum(cells) - cells, cells)
    key = np.column_stack([plane, inner % counts[plane, 0], inner // counts[plane, 0]])
    polygon = np.zeros((len(plane), 7, 2))
    polygon[:, :4] = UNIT_SQUARE
    order = np.argsort(group, kind="stable")
    face = order[np.searchsorted(group[order], plane)]
    return [_Pieces(polygon, np.full(len(plane), 4, dtype=np.int64), face, key, low[plane])]


def _cut(
    flat: Floats, group: Indices, use: Bools, low: Floats, size: Floats, counts: Indices, feedback: Feedback
) -> list[_Pieces]:
    """Every face in `use` against every cell its box touches."""
    scaled = (flat - low[group][:, None]) / size[group][:, None]
    limit = counts[group]
    first = np.clip(np.floor(scaled.min(axis=1) + 1e-9).astype(np.int64), 0, limit - 1)
    last = np.clip(np.ceil(scaled.max(axis=1) - 1e-9).astype(np.int64) - 1, first, limit - 1)
    wide = last - first + 1
    number_of_pairs = np.where(use, wide[:, 0] * wide[:, 1], 0)
    pairs = np.cumsum(number_of_pairs)
    total = int(pairs[-1]) if len(pairs) else 0
    out = []
    for start in range(0, total, CLIP_PAIRS):
        feedback.step(start / total, "cutting the facades into cells")
        number = np.arange(start, min(start + CLIP_PAIRS, total))
        face = np.searchsorted(pairs, number, side="right")
        inner = number - (pairs[face] - number_of_pairs[face])
        cell = first[face] + np.stack([inner % wide[face, 0], inner // wide[face, 0]], axis=1)
        polygon, corners = _clip_to_unit(scaled[face] - cell[:, None], wide[face].prod(axis=1) > 1)
        keep = np.flatnonzero((corners >= 3) & (_areas(polygon, corners) > 1e-12))
        key = np.column_stack([group[face], cell])[keep]
        out.append(_Pieces(polygon[keep], corners[keep], face[keep], key, low[group[face[keep]]]))
    return out


def _clip_to_unit(triangles: Floats, needed: Bools) -> tuple[Floats, Indices]:
    """Triangles (k, 3, 2) clipped to the unit square (Sutherland and Hodgman, doi:10.1145/360767.360802).

    Only where `needed`; the others lie inside already. Returns polygons (k, 7, 2) and their numbers of corners (k,).
    """
    polygon = np.zeros((len(triangles), 7, 2))
    polygon[:, :3] = triangles
    corners = np.full(len(triangles), 3, dtype=np.int64)
    todo = np.flatnonzero(needed)
    work, used = polygon[todo], corners[todo]
    for axis, sign, limit in ((0, 1.0, 0.0), (0, -1.0, -1.0), (1, 1.0, 0.0), (1, -1.0, -1.0)):
        work, used = _clip_half(work, used, sign * work[:, :, axis] - limit)
    polygon[todo], corners[todo] = work, used
    return polygon, corners


def _clip_half(polygon: Floats, corners: Indices, depth: Floats) -> tuple[Floats, Indices]:
    """Keep the part of each convex polygon with depth >= 0; `depth` (k, 7) belongs to its corners."""
    k, width = depth.shape
    slot = np.arange(width)
    valid = slot < corners[:, None]
    following = np.where(slot + 1 < corners[:, None], slot + 1, 0)
    next_depth = np.take_along_axis(depth, following, axis=1)
    inside, next_inside = depth >= 0, next_depth >= 0
    crossing = valid & (inside != next_inside)
    share = np.divide(depth, depth - next_depth, out=np.zeros_like(depth), where=crossing)
    next_corner = np.take_along_axis(polygon, following[:, :, None], axis=1)
    meeting = polygon + share[:, :, None] * (next_corner - polygon)
    own = valid & inside
    # each old corner gives itself (if inside) and then the crossing of its edge (if any)
    place = np.cumsum(own.astype(np.int64) + crossing, axis=1)
    out = np.zeros_like(polygon)
    rows, columns = np.nonzero(own)
    target = (place - crossing)[rows, columns] - 1
    fits = target < width
    out[rows[fits], target[fits]] = polygon[rows[fits], columns[fits]]
    rows, columns = np.nonzero(crossing)
    target = place[rows, columns] - 1
    fits = target < width
    out[rows[fits], target[fits]] = meeting[rows[fits], columns[fits]]
    return out, np.minimum(place[:, -1] if k else np.zeros(0, np.int64), width)


def _areas(polygon: Floats, corners: Indices) -> Floats:
    """Area of each convex polygon (in cells)."""
    first = polygon[:, :1]
    spokes = polygon[:, 1:] - first
    cross = spokes[:, :-1, 0] * spokes[:, 1:, 1] - spokes[:, :-1, 1] * spokes[:, 1:, 0]
    valid = np.arange(2, polygon.shape[1]) < corners[:, None]
    return 0.5 * np.abs(np.where(valid, cross, 0.0).sum(axis=1))  # type: ignore[no-any-return]


def _assemble(
    parts: list[_Pieces], frame: _PlaneFrames, normals: Floats, element: NDArray[np.int32], size: Floats
) -> FaceCells:
    """Join the pieces of one cell, make triangles and choose the point where each cell is looked at."""
    polygon, corners, face, key, low = (np.concatenate([p[k] for p in parts]) for k in range(5))
    cell = _numbered(key)
    share = _areas(polygon, corners)
    count = int(cell.max()) + 1
    leader = _largest(cell, share, count)
    filled = np.bincount(cell, share, count)
    # A cell that its pieces fill is drawn as a plain square by its largest piece; the other pieces fall away.
    full = filled >= FULL_CELL
    drop = full[cell]
    drop[leader] = False
    square = leader[full]
    polygon[square, :4] = UNIT_SQUARE
    corners[square] = 4
    centre = _centres(polygon, corners)[leader]
    keep = ~drop
    scale = size[face]
    start = low + key[:, 1:] * scale

    def lifted(spots: Floats, which: Indices) -> Floats:
        # spots (n, 2) in cells of the pieces `which` (n,) -> local metres (n, 3)
        metres = start[which] + spots * scale[which]
        f = face[which]
        return np.asarray(frame.origin[f] + metres[:, :1] * frame.along[f] + metres[:, 1:] * frame.up[f])

    kept = np.flatnonzero(keep)
    used = np.arange(polygon.shape[1]) < corners[kept, None]
    points = lifted(polygon[kept][used], np.repeat(kept, corners[kept]))
    mesh, owner = _fans(points, corners[kept], element[face[kept]], cell[kept])
    return FaceCells(
        mesh,
        owner,
        lifted(centre, leader),
        normals[face[leader]],
        filled * scale[leader].prod(axis=1),
        element[face[leader]],
    )


def _no_cells() -> FaceCells:
    none = merge_meshes(())
    nowhere = np.zeros((0, 3))
    return FaceCells(none, np.zeros(0, np.int64), nowhere, nowhere, np.zeros(0), np.zeros(0, np.int32))


def _numbered(key: Indices) -> Indices:
    """(k,) consecutive number of each row of keys (k, 3)."""
    span = key.max(axis=0) + 1
    # planes x cells along x cells up stays far below 2**63: the cells themselves fit into memory
    flat = (key[:, 0] * span[1] + key[:, 1]) * span[2] + key[:, 2]
    return np.unique(flat, return_inverse=True)[1].reshape(-1).astype(np.int64)


def _largest(cell: Indices, share: Floats, count: int) -> Indices:
    order = np.lexsort((-share, cell))
    return order[np.searchsorted(cell[order], np.arange(count))]


def _centres(polygon: Floats, corners: Indices) -> Floats:
    """Mean of the corners of each convex polygon: always inside it."""
    valid = (np.arange(polygon.shape[1]) < corners[:, None])[:, :, None]
    return np.where(valid, polygon, 0.0).sum(axis=1) / corners[:, None]  # type: ignore[no-any-return]


def _fans(points: Floats, corners: Indices, element: NDArray[np.int32], cell: Indices) -> tuple[Mesh, Indices]:
    """Triangle fans of convex polygons with corners (k,) whose points (n, 3) follow each other; cell per triangle."""
    triangles = corners - 2
    piece = np.repeat(np.arange(len(corners)), triangles)
    first = (np.cumsum(corners) - corners)[piece]
    step = np.arange(len(piece)) - np.repeat(np.cumsum(triangles) - triangles, triangles)
    faces = np.stack([first, first + step + 1, first + step + 2], axis=1)
    cross = np.cross(points[faces[:, 1]] - points[faces[:, 0]], points[faces[:, 2]] - points[faces[:, 0]])
    solid = np.einsum("ij,ij->i", cross, cross) > (2 * SLIVER) ** 2
    return Mesh(points, faces[solid].astype(np.int32), element[piece[solid]]), cell[piece[solid]]
