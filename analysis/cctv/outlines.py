"""Plans of roads, rooms and areas on a raster."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from analysis.kernels.inside import Raster, cells_inside
from geo.model import Bounds, Grid, Layer, Mesh

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Bools = NDArray[np.bool_]

ROOM_RASTER = 0.5  # [m]
POKES = 0.3  # [m] a floor may lie this far above the terrain and the terrain still be taken away


def edges_of(mesh: Mesh, faces: NDArray[np.integer] | NDArray[np.bool_]) -> tuple[Floats, Floats]:  # type: ignore[type-arg]
    """Edges (start, stop), (e, 2) each, of some triangles in plan, all counter-clockwise."""
    corners = mesh.vertices[mesh.faces[faces], :2]
    a, b, c = (corners[:, k] for k in range(3))
    turned = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0]) < 0
    corners[turned] = corners[turned][:, ::-1]
    return corners.reshape(-1, 2), np.roll(corners, -1, axis=1).reshape(-1, 2)


def cells_of_faces(mesh: Mesh, faces: Bools, raster: Raster) -> Indices:
    """Flat numbers of the cells whose middles lie within the plan of some triangles."""
    flat = np.flatnonzero(faces & (np.abs(mesh.face_cross[:, 2]) > 1e-12))
    if len(flat) == 0:
        return np.zeros(0, dtype=np.int64)
    return cells_inside(*edges_of(mesh, flat), raster, odd=False)


def cut_rooms(relief: Mesh, terrain: Grid | Mesh, rooms: Sequence[Layer]) -> Mesh:
    """The triangles of a terrain without those that touch the plan of rooms which it would run through.

    A room counts whose floor lies below the terrain (or up to `POKES` above) and whose ceiling lies above it.
    """
    shapes = [layer.geometry for layer in rooms if isinstance(layer.geometry, Mesh) and len(layer.geometry.faces)]
    box = Bounds.union(shape.bounds for shape in shapes if shape.bounds is not None)
    if box is None or len(relief.faces) == 0:
        return relief
    cols, rows = (int(np.ceil(box.size[k] / ROOM_RASTER)) + 1 for k in range(2))
    raster = Raster(box.low[0], box.low[1], ROOM_RASTER, (rows, cols))
    dug = np.zeros(rows * cols, dtype=bool)
    for shape in shapes:
        through = _run_through(shape, terrain)
        upward = shape.face_cross[:, 2] > 0
        dug[cells_of_faces(shape, through[shape.face_element] & upward, raster)] = True
    points = np.concatenate([relief.vertices[relief.faces[:, k], :2] for k in range(3)])
    col, row = (np.rint((points[:, k] - box.low[k]) / ROOM_RASTER).astype(np.int64) for k in range(2))
    inside = (col >= 0) & (col < cols) & (row >= 0) & (row < rows)
    touched = np.zeros(len(points), dtype=bool)
    touched[inside] = dug[row[inside] * cols + col[inside]]
    keep = ~touched.reshape(3, -1).any(axis=0)
    return relief if keep.all() else Mesh(relief.vertices, relief.faces[keep], relief.face_element[keep])


def _run_through(shape: Mesh, terrain: Grid | Mesh) -> Bools:
    """(e,) rooms that the terrain runs through, by its height at their middles."""
    count = int(shape.face_element.max()) + 1
    low, high = np.full((count, 3), np.inf), np.full((count, 3), -np.inf)
    for corner in range(3):
        np.minimum.at(low, shape.face_element, shape.vertices[shape.faces[:, corner]])
        np.maximum.at(high, shape.face_element, shape.vertices[shape.faces[:, corner]])
    there = np.isfinite(low[:, 0])
    middle = np.where(there[:, None], (low + high) / 2.0, 0.0)
    ground = height_at(terrain, middle[:, 0], middle[:, 1])
    with np.errstate(invalid="ignore"):
        return np.asarray(there & (low[:, 2] < ground + POKES) & (high[:, 2] > ground))


def height_at(terrain: Grid | Mesh | None, x: Floats, y: Floats, *, otherwise: float = np.nan) -> Floats:
    """(n,) height of the terrain's triangles [local m]; not-a-number beside it, `otherwise` without a terrain."""
    from analysis.kernels.rays import Occluder
    from analysis.kernels.sampling import surface_height

    if terrain is None:
        return np.full(len(x), otherwise)
    if isinstance(terrain, Grid):
        return surface_height(terrain, x, y)
    box = terrain.bounds
    top = (box.high[2] if box is not None else 0.0) + 1.0
    starts = np.column_stack([x, y, np.full(len(x), top)])
    distance = Occluder([terrain]).first_hit(starts, np.array([[0.0, 0.0, -1.0]])).distance
    return np.asarray(np.where(np.isfinite(distance), top - distance, np.nan))
