"""Ground heights: sampled, draped over, merged, patched, and built from contours and spot heights."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo.model import Grid, Lines, Mesh, UserError

Floats = NDArray[np.float64]
MOST_BOXES = 400_000  # lattice boxes a draped layer is cut into at most; beyond that the lattice is made coarser
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
    areas: NDArray[np.object_], grid: Grid | None, *, lift: float, flat: Floats | None = None
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
        cut, cut_owner, squares, square_owner = cut_by_cells(areas, np.flatnonzero(uneven), grid)
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
    areas: NDArray[np.object_], chosen: NDArray[np.int64], grid: Grid
) -> tuple[NDArray[np.object_], NDArray[np.int64], Floats, NDArray[np.int64]]:
    """Polygons cut along the lattice of the terrain's cell centres, so that they bend where the terrain bends.

    Returns pieces on the rim as polygons with their owners, and whole boxes (x0, y0, x1, y1) with theirs.
    """
    import shapely

    shapely.prepare(areas[chosen])
    limits = shapely.bounds(areas[chosen])
    step = _lattice_step(limits, grid.cell)
    first = np.floor((limits[:, :2] - (grid.x0, grid.y0)) / step).astype(np.int64)
    last = np.ceil((limits[:, 2:] - (grid.x0, grid.y0)) / step).astype(np.int64)
    wide, high = np.maximum(last - first, 1).T
    count = wide * high
    index = np.repeat(np.arange(len(chosen)), count)
    within = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
    col = first[index, 0] + within % wide[index]
    row = first[index, 1] + within // wide[index]
    x, y = grid.x0 + col * step, grid.y0 + row * step
    boxes = shapely.box(x, y, x + step, y + step)
    owner = chosen[index]
    touches = shapely.intersects(areas[owner], boxes)
    whole = np.zeros(len(boxes), bool)
    whole[touches] = shapely.contains(areas[owner[touches]], boxes[touches])
    rim = touches & ~whole
    pieces, part = shapely.get_parts(shapely.intersection(areas[owner[rim]], boxes[rim]), return_index=True)
    good = (shapely.get_type_id(pieces) == 3) & (shapely.area(pieces) > SLIVER)
    squares = np.column_stack([x, y, x + step, y + step])[whole]
    return pieces[good], owner[rim][part[good]], squares, owner[whole]


def _lattice_step(limits: Floats, cell: float) -> float:
    """The cell, or the smallest multiple of it that keeps the number of boxes bearable [m]."""
    size = limits[:, 2:] - limits[:, :2]
    factor = 1
    while float(np.prod(np.ceil(size / (cell * factor)) + 1, axis=1).sum()) > MOST_BOXES:
        factor *= 2
    return cell * factor


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
    faces, owners, start, first = [np.empty((0, 3), np.int64)], [np.empty(0, np.int64)], 0, 0
    for number, stop_ring in enumerate(last_ring.tolist()):
        ends = ring_ends[first:stop_ring]
        first, begin = stop_ring, start
        if len(ends) == 0:
            continue
        start = int(ends[-1])
        found = mapbox_earcut.triangulate_float64(xy[begin:start] - xy[begin], (ends - begin).astype(np.uint32))
        triangles = found.reshape(-1, 3).astype(np.int64) + begin
        faces.append(triangles)
        owners.append(np.full(len(triangles), owner[number]))
    return xy, _facing_up(xy, np.concatenate(faces)), np.concatenate(owners)


def _facing_up(xy: Floats, faces: NDArray[np.int64]) -> NDArray[np.int64]:
    a, b, c = xy[faces[:, 0]], xy[faces[:, 1]], xy[faces[:, 2]]
    turned = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) < (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    return np.where(turned[:, None], faces[:, ::-1], faces)


def merge_grids(grids: Sequence[Grid]) -> Grid:
    """One grid over all, on the cells of the finest; where several have data the earlier in the list wins."""
    if not grids:
        raise ValueError("no grids to merge")
    finest = min(grids, key=lambda grid: grid.cell)
    cell = finest.cell
    low_x, low_y = min(g.x[0] for g in grids), min(g.y[0] for g in grids)
    high_x, high_y = max(g.x[-1] for g in grids), max(g.y[-1] for g in grids)
    x0 = finest.x0 - math.ceil((finest.x0 - low_x) / cell - 1e-6) * cell
    y0 = finest.y0 - math.ceil((finest.y0 - low_y) / cell - 1e-6) * cell
    cols, rows = math.floor((high_x - x0) / cell + 1e-6) + 1, math.floor((high_y - y0) / cell + 1e-6) + 1
    values = np.full((rows, cols), np.nan)
    x = x0 + cell * np.arange(cols)
    for row in range(rows):
        y = np.full(cols, y0 + row * cell)
        for grid in grids:
            gap = np.isnan(values[row])
            if not gap.any():
                break
            values[row, gap] = grid.sample(x[gap], y[gap])
    return Grid(values, x0, y0, cell, finest.z)


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


def grid_from_points(points: ArrayLike, *, cell: float, longest_edge: float = 0.0) -> Grid:
    """Terrain through scattered heights: a Delaunay triangulation, linear within each triangle.

    Parameters
    ----------
    points : (n, 3) float [local m]
        Vertices of contours, spot heights. Of points at one place the mean height counts.
    cell : float [m]
        Cell of the grid, aligned with multiples of it.
    longest_edge : float [m]
        Triangles with a longer side give no height (bays of the outline); 0 = all count.
    """
    from scipy.interpolate import LinearNDInterpolator
    from scipy.spatial import Delaunay, QhullError

    xyz = np.asarray(points, dtype=np.float64)
    xyz = xyz[np.isfinite(xyz).all(axis=1)]
    if len(xyz):
        _, first, where = np.unique(np.round(xyz[:, :2], 3), axis=0, return_index=True, return_inverse=True)
        place = xyz[first, :2]
        height = np.bincount(where.ravel(), weights=xyz[:, 2]) / np.bincount(where.ravel())
    if len(xyz) < 3 or len(place) < 3:
        raise _too_few_heights(len(xyz))
    try:
        triangles = Delaunay(place - place.mean(axis=0))
    except QhullError as error:
        raise _too_few_heights(len(xyz)) from error
    surface = LinearNDInterpolator(triangles, height)
    x = np.arange(math.ceil(place[:, 0].min() / cell), math.floor(place[:, 0].max() / cell) + 1) * cell
    y = np.arange(math.ceil(place[:, 1].min() / cell), math.floor(place[:, 1].max() / cell) + 1) * cell
    if len(x) == 0 or len(y) == 0:
        raise _too_few_heights(len(xyz))
    xx, yy = np.meshgrid(x - place[:, 0].mean(), y - place[:, 1].mean())
    values = surface(xx, yy)
    if longest_edge > 0:
        corner = triangles.points[triangles.simplices]
        side = np.linalg.norm(corner - np.roll(corner, 1, axis=1), axis=2).max(axis=1)
        found = triangles.find_simplex(np.stack([xx, yy], axis=-1))
        values[(found >= 0) & (side[found] > longest_edge)] = np.nan
    return Grid(values, float(x[0]), float(y[0]), cell)


def _too_few_heights(count: int) -> UserError:
    return UserError(
        f"{count} heights are not enough for a terrain.",
        "At least three points that do not lie on one line, further apart than a cell, are needed.",
        "Choose contours or spot heights that cover an area, or a smaller cell.",
        code="terrain.too_few_heights",
        values={"count": count},
    )
