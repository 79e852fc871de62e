"""Ground heights: sampled, draped over, patched."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo.model import Feedback, Grid, Lines, Mesh

Floats = NDArray[np.float64]
MOST_BOXES = 400_000  # lattice boxes a draped layer is cut into at most; beyond that the lattice is made coarser
COARSE_TO_FINE = (32, 8, 4, 2, 1)  # sizes of the boxes, in steps of the lattice
AT_ONCE = 4_000  # boxes between two looks at whether the user wants to stop
SLIVER = 1e-6  # [m2]; smaller pieces of a cut polygon are numerical dust


def ground_at(grid: Grid | None, x: ArrayLike, y: ArrayLike, *, default: float = np.nan) -> Floats:
    """Ground height [local m] at points of any shape; `default` where there is no terrain."""
    east = np.asarray(x, dtype=np.float64)
    if grid is None or grid.values.size == 0:
        return np.full(east.shape, default)
    z = grid.sample(east, y)
    return np.where(np.isfinite(z), z, default)


def ground_or_nearest(grid: Grid | None, x: ArrayLike, y: ArrayLike) -> tuple[Floats, NDArray[np.bool_]]:
    """Ground height [local m]; where there is none the nearest known height, or 0 without any terrain.

    Returns the heights and where they are real.
    """
    z = ground_at(grid, x, y)
    real = np.isfinite(z)
    if grid is None or real.all() or not grid.is_finite.any():
        return np.nan_to_num(z), real
    from scipy import ndimage

    near = ndimage.distance_transform_edt(~grid.is_finite, return_distances=False, return_indices=True)
    rows, cols = grid.values.shape
    row = np.clip(np.round((np.asarray(y)[~real] - grid.y0) / grid.cell), 0, rows - 1).astype(np.int64)
    col = np.clip(np.round((np.asarray(x)[~real] - grid.x0) / grid.cell), 0, cols - 1).astype(np.int64)
    z[~real] = grid.values[tuple(near[:, row, col])]
    return z, real


def lowest_under(grid: Grid, areas: NDArray[np.object_]) -> Floats:
    """Lowest ground under each polygon (n,) [local m]; NaN where no terrain lies under any of its points.

    Looks at the outline, stepped by at most one cell, and at a point inside.
    """
    import shapely

    dense = shapely.segmentize(areas, max_segment_length=max(grid.cell, 0.5))
    points, owner = shapely.get_coordinates(dense, return_index=True)
    inside = shapely.get_coordinates(shapely.point_on_surface(areas))
    has_inside = np.flatnonzero(~shapely.is_empty(areas))
    x = np.concatenate([points[:, 0], inside[:, 0]])
    y = np.concatenate([points[:, 1], inside[:, 1]])
    owner = np.concatenate([owner, has_inside])
    z = grid.sample(x, y)
    lowest = np.full(len(areas), np.inf)
    np.fmin.at(lowest, owner, z)
    return np.where(np.isfinite(lowest), lowest, np.nan)


def drape_lines(lines: NDArray[np.object_], grid: Grid | None, *, lift: float) -> tuple[Lines, NDArray[np.bool_]]:
    """LineStrings laid on the ground `lift` metres above it, with a vertex at least every two cells.

    Returns the lines and, per line, whether ground was found everywhere; elsewhere the nearest ground is taken.
    """
    import shapely

    dense = lines if grid is None else shapely.segmentize(lines, max_segment_length=2 * grid.cell)
    points, owner = shapely.get_coordinates(dense, return_index=True)
    z, real = ground_or_nearest(grid, points[:, 0], points[:, 1])
    grounded = np.bincount(owner, weights=~real, minlength=len(lines)) == 0
    vertices = np.column_stack([points, z + lift])
    offsets = np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=len(lines)))])
    return Lines(vertices, offsets, np.arange(len(lines))), grounded


def drape_areas(
    areas: NDArray[np.object_],
    grid: Grid | None,
    *,
    lift: float,
    flat: Floats | None = None,
    feedback: Feedback | None = None,
) -> tuple[Mesh, NDArray[np.bool_]]:
    """Polygons laid on the ground as triangles `lift` metres above it, cut along the cells of the terrain.

    Parameters
    ----------
    areas : (n,) shapely Polygons or MultiPolygons in local metres
    grid : Grid or None
        Terrain; None leaves the polygons at height 0.
    lift : float [m]
    flat : (n,) float [local m], optional
        Heights at which each polygon lies level instead (water); NaN = follow the ground.

    Returns
    -------
    mesh : Mesh
        `face_element` is the index of the polygon.
    grounded : (n,) bool
        Whether ground was found under every vertex; elsewhere the nearest ground is taken.
    """
    level = np.full(len(areas), np.nan) if flat is None else np.asarray(flat, dtype=np.float64)
    uneven = np.isnan(level) & (grid is not None)
    pieces, owner = _parts(areas, np.flatnonzero(~uneven))
    squares: Floats = np.empty((0, 4))
    square_owner = np.empty(0, np.int64)
    if grid is not None and uneven.any():
        cut, cut_owner, squares, square_owner = cut_by_cells(
            areas, np.flatnonzero(uneven), grid, tolerance=max(0.4 * lift, 0.01), feedback=feedback or Feedback()
        )
        pieces, owner = np.concatenate([pieces, cut]), np.concatenate([owner, cut_owner])
    points, faces, face_owner = triangulate(pieces, owner)
    square_points, square_faces = _square_mesh(squares)
    points = np.concatenate([points, square_points])
    faces = np.concatenate([faces, square_faces + (len(points) - len(square_points))])
    face_owner = np.concatenate([face_owner, np.repeat(square_owner, 2)])
    vertex_owner = np.zeros(len(points), np.int64)
    vertex_owner[faces] = face_owner[:, None]
    ground, real = ground_or_nearest(grid, points[:, 0], points[:, 1])
    is_flat = ~np.isnan(level[vertex_owner])
    grounded = np.bincount(vertex_owner, weights=~(real | is_flat), minlength=len(areas)) == 0
    vertices = np.column_stack([points, np.where(is_flat, level[vertex_owner], ground) + lift])
    return Mesh(vertices, faces.astype(np.int32), face_owner.astype(np.int32)), grounded


def _parts(areas: NDArray[np.object_], chosen: NDArray[np.int64]) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    """Single polygons of the chosen areas and whose they are."""
    import shapely

    parts, index = shapely.get_parts(areas[chosen], return_index=True)
    good = shapely.get_type_id(parts) == 3
    return parts[good], chosen[index[good]]


def cut_by_cells(
    areas: NDArray[np.object_], chosen: NDArray[np.int64], grid: Grid, *, tolerance: float, feedback: Feedback
) -> tuple[NDArray[np.object_], NDArray[np.int64], Floats, NDArray[np.int64]]:
    """Polygons cut along the lattice of the terrain's cell centres, so that they bend where the terrain bends.

    Cut coarsely first and on only where the ground leaves the plane of a box by more than `tolerance` [m]: even
    ground needs few triangles. Returns pieces on the rim as polygons with their owners, and whole boxes
    (x0, y0, x1, y1) with theirs.
    """
    import shapely

    cells = (shapely.area(areas[chosen]) + shapely.length(areas[chosen]) * grid.cell) / grid.cell**2
    doubling = _doubling(float(cells.sum()))
    even = [_even_blocks(grid.values[::doubling, ::doubling], factor, tolerance) for factor in COARSE_TO_FINE]
    groups = np.split(chosen, np.flatnonzero(np.diff(np.cumsum(cells) // AT_ONCE)) + 1)
    found = []
    for number, group in enumerate(groups):
        feedback.step(number / len(groups), "cutting along the terrain")
        found.append(_cut_group(areas[group], group, grid, grid.cell * doubling, even))
    pieces, owner, squares, square_owner = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return pieces, owner, squares, square_owner


def _cut_group(
    areas: NDArray[np.object_], owner: NDArray[np.int64], grid: Grid, step: float, even: list[NDArray[np.bool_]]
) -> tuple[NDArray[np.object_], NDArray[np.int64], Floats, NDArray[np.int64]]:
    """`cut_by_cells` of some polygons, from coarse to fine; what lies in an even block is finished there."""
    import shapely

    done_pieces, done_owner, done_squares, done_square_owner = [], [], [], []
    pieces, squares, square_owner = areas, np.empty((0, 4)), np.empty(0, np.int64)
    previous = COARSE_TO_FINE[0]
    for factor, blocks in zip(COARSE_TO_FINE, even, strict=True):
        ratio = previous // factor
        squares, square_owner = _subdivided(squares, ratio), np.repeat(square_owner, ratio * ratio)
        pieces, owner, whole, whole_owner = _cut_once(pieces, owner, grid, step * factor)
        squares, square_owner = np.concatenate([squares, whole]), np.concatenate([square_owner, whole_owner])
        flat = _in_even_block(shapely.bounds(pieces), blocks, grid, step * factor)
        flat_square = _in_even_block(squares, blocks, grid, step * factor)
        done_pieces.append(pieces[flat])
        done_owner.append(owner[flat])
        done_squares.append(squares[flat_square])
        done_square_owner.append(square_owner[flat_square])
        pieces, owner = pieces[~flat], owner[~flat]
        squares, square_owner, previous = squares[~flat_square], square_owner[~flat_square], factor
    return tuple(np.concatenate(part) for part in (done_pieces, done_owner, done_squares, done_square_owner))  # type: ignore[return-value]


def _even_blocks(values: Floats, factor: int, tolerance: float) -> NDArray[np.bool_]:
    """Which blocks of factor x factor cells lie within `tolerance` [m] of the plane through their corners.

    The distance is to the bilinear surface of the corners, plus how far that is from any two triangles on them.
    A block with a gap is uneven; blocks of one cell count as even, for there is nothing finer.
    """
    rows, cols = (max(math.ceil((n - 1) / factor), 1) for n in values.shape)
    if factor == 1:
        return np.ones((rows, cols), bool)
    missing = (rows * factor + 1 - values.shape[0], cols * factor + 1 - values.shape[1])
    z = np.pad(values, ((0, missing[0]), (0, missing[1])), mode="edge")
    corner = z[::factor, ::factor]
    a, b, c, d = corner[:-1, :-1], corner[:-1, 1:], corner[1:, :-1], corner[1:, 1:]
    off = np.zeros((rows, cols))
    for row in range(factor + 1):
        v = row / factor
        for col in range(factor + 1):
            u = col / factor
            smooth = (1 - v) * ((1 - u) * a + u * b) + v * ((1 - u) * c + u * d)
            here = z[row : row + (rows - 1) * factor + 1 : factor, col : col + (cols - 1) * factor + 1 : factor]
            np.maximum(off, np.abs(here - smooth), out=off)
    return np.asarray(off + np.abs(a + d - b - c) / 4 <= tolerance)


def _in_even_block(boxes: Floats, even: NDArray[np.bool_], grid: Grid, side: float) -> NDArray[np.bool_]:
    """Whether the middle of each box (x0, y0, x1, y1) lies in an even block; beyond the terrain the nearest counts."""
    col = np.floor(((boxes[:, 0] + boxes[:, 2]) / 2 - grid.x0) / side)
    row = np.floor(((boxes[:, 1] + boxes[:, 3]) / 2 - grid.y0) / side)
    rows, cols = even.shape
    return np.asarray(even[np.clip(row, 0, rows - 1).astype(np.int64), np.clip(col, 0, cols - 1).astype(np.int64)])


def _doubling(cells: float) -> int:
    """How often cells must be doubled (1, 2, 4 ...) to keep the number of boxes bearable."""
    return int(2 ** max(0, math.ceil(math.log2(max(cells / MOST_BOXES, 1e-9)) / 2)))


def _cut_once(
    areas: NDArray[np.object_], owner: NDArray[np.int64], grid: Grid, step: float
) -> tuple[NDArray[np.object_], NDArray[np.int64], Floats, NDArray[np.int64]]:
    """Polygons cut by boxes of one size: pieces with owners, and boxes that lie wholly inside with theirs."""
    import shapely

    shapely.prepare(areas)
    limits = shapely.bounds(areas)
    first = np.floor((limits[:, :2] - (grid.x0, grid.y0)) / step).astype(np.int64)
    last = np.ceil((limits[:, 2:] - (grid.x0, grid.y0)) / step).astype(np.int64)
    wide, high = np.maximum(last - first, 1).T
    count = wide * high
    index = np.repeat(np.arange(len(areas)), count)
    within = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
    x = grid.x0 + (first[index, 0] + within % wide[index]) * step
    y = grid.y0 + (first[index, 1] + within // wide[index]) * step
    boxes = shapely.box(x, y, x + step, y + step)
    touches = shapely.intersects(areas[index], boxes)
    whole = np.zeros(len(boxes), bool)
    whole[touches] = shapely.contains(areas[index[touches]], boxes[touches])
    rim = touches & ~whole
    squares = np.column_stack([x, y, x + step, y + step])
    # Clipping by a rectangle takes half the time of a general intersection.
    clipped = [
        shapely.clip_by_rect(area, *square)
        for area, square in zip(areas[index[rim]], squares[rim].tolist(), strict=True)
    ]
    pieces, part = shapely.get_parts(np.array(clipped, dtype=object), return_index=True)
    good = (shapely.get_type_id(pieces) == 3) & (shapely.area(pieces) > SLIVER)
    return pieces[good], owner[index[rim][part[good]]], squares[whole], owner[index[whole]]


def _subdivided(boxes: Floats, factor: int) -> Floats:
    """Each box as factor x factor smaller ones."""
    side = (boxes[:, 2:3] - boxes[:, :1]) / factor
    col, row = (k.ravel() for k in np.meshgrid(np.arange(factor), np.arange(factor)))
    x, y = boxes[:, :1] + side * col, boxes[:, 1:2] + side * row
    return np.stack([x, y, x + side, y + side], axis=-1).reshape(-1, 4)


def _square_mesh(squares: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """Two triangles for each box, split from south-west to north-east as the terrain surface is."""
    x0, y0, x1, y1 = squares.T
    points = np.stack([x0, y0, x1, y0, x1, y1, x0, y1], axis=1).reshape(-1, 2)
    start = 4 * np.arange(len(squares))[:, None]
    return points, np.concatenate([start + (0, 1, 2), start + (0, 2, 3)], axis=1).reshape(-1, 3)


def triangulate(
    polygons: NDArray[np.object_], owner: NDArray[np.int64]
) -> tuple[Floats, NDArray[np.int64], NDArray[np.int64]]:
    """Triangles of polygons with holes, seen from above counter-clockwise.

    Returns points (n, 2), faces (m, 3) and the owner of each face (m,).
    """
    import mapbox_earcut
    import shapely

    rings, ring_polygon = shapely.get_rings(polygons, return_index=True)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    keep = np.ones(len(xy), bool)
    keep[np.flatnonzero(np.diff(ring)) if len(ring) else []] = False
    keep[-1:] = False
    xy, ring = xy[keep], ring[keep]
    ring_ends = np.cumsum(np.bincount(ring, minlength=len(rings)))
    last_ring = np.cumsum(np.bincount(ring_polygon, minlength=len(polygons)))
    single = np.diff(last_ring, prepend=0) == 1
    starts = np.concatenate([[0], ring_ends])[np.concatenate([[0], last_ring[:-1]])] if len(polygons) else last_ring
    sizes = np.concatenate([[0], ring_ends])[last_ring] - starts
    convex = single & (sizes >= 3) & _convex(xy, starts, sizes, single)
    faces, owners = _fans(starts[convex], sizes[convex], owner[convex])
    for number in np.flatnonzero(~convex & (sizes >= 3)).tolist():
        begin, stop = int(starts[number]), int(starts[number] + sizes[number])
        ends = ring_ends[last_ring[number - 1] if number else 0 : last_ring[number]] - begin
        found = mapbox_earcut.triangulate_float64(xy[begin:stop] - xy[begin], ends.astype(np.uint32))
        faces.append(found.reshape(-1, 3).astype(np.int64) + begin)
        owners.append(np.full(len(found) // 3, owner[number]))
    return xy, _facing_up(xy, np.concatenate(faces)), np.concatenate(owners)


def _convex(
    xy: Floats, starts: NDArray[np.int64], sizes: NDArray[np.int64], single: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Which polygons of one ring turn the same way at every vertex."""
    polygon = np.repeat(np.arange(len(sizes)), sizes)
    number = np.arange(len(xy))
    after, before = number + 1, number - 1
    filled = sizes > 0
    after[(starts + sizes)[filled] - 1] = starts[filled]
    before[starts[filled]] = (starts + sizes)[filled] - 1
    a, b = xy - xy[before], xy[after] - xy
    turn = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
    left = np.bincount(polygon[turn < 0], minlength=len(sizes)) == 0
    right = np.bincount(polygon[turn > 0], minlength=len(sizes)) == 0
    # A ring that turns one way but goes round twice is no valid polygon, so it does not come here.
    return single & (left | right)


def _fans(
    starts: NDArray[np.int64], sizes: NDArray[np.int64], owner: NDArray[np.int64]
) -> tuple[list[NDArray[np.int64]], list[NDArray[np.int64]]]:
    """Triangles of convex rings, all from their first vertex."""
    faces, owners = [np.empty((0, 3), np.int64)], [np.empty(0, np.int64)]
    for size in np.unique(sizes).tolist():
        mine = sizes == size
        spokes = np.stack([np.zeros(size - 2, int), np.arange(1, size - 1), np.arange(2, size)], axis=1)
        faces.append((starts[mine][:, None, None] + spokes).reshape(-1, 3))
        owners.append(np.repeat(owner[mine], size - 2))
    return faces, owners


def _facing_up(xy: Floats, faces: NDArray[np.int64]) -> NDArray[np.int64]:
    a, b, c = xy[faces[:, 0]], xy[faces[:, 1]], xy[faces[:, 2]]
    turned = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) < (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    return np.where(turned[:, None], faces[:, ::-1], faces)


def fill_small_holes(grid: Grid, *, most_cells: int = 200) -> tuple[Grid, int]:
    """Close holes of at most `most_cells` cells by the nearest known height, then smooth them in; rim gaps stay.

    Returns the grid and the number of cells filled. Each filled cell is the mean of its neighbours, iterated,
    which is the discrete Laplace equation with the rim of the hole as boundary.
    """
    from scipy import ndimage

    values = np.array(grid.values)
    label, count = ndimage.label(~np.isfinite(values))
    if count == 0:
        return grid, 0
    size = np.bincount(label.ravel(), minlength=count + 1)
    on_rim = np.unique(np.concatenate([label[0], label[-1], label[:, 0], label[:, -1]]))
    small = size <= most_cells
    small[0] = False
    small[on_rim] = False
    hole = small[label]
    if not hole.any():
        return grid, 0
    nearest = ndimage.distance_transform_edt(~np.isfinite(values), return_distances=False, return_indices=True)
    values[hole] = values[tuple(nearest)][hole]
    rows, cols = np.nonzero(hole)
    for _ in range(50):
        around = [values[rows - 1, cols], values[rows + 1, cols], values[rows, cols - 1], values[rows, cols + 1]]
        values[rows, cols] = np.nanmean(around, axis=0)
    return Grid(values, grid.x0, grid.y0, grid.cell, grid.z), int(hole.sum())
