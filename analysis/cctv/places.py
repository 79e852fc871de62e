"""Rooms in which cameras stand, doors that people come out of, and lanes along which plates are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.cctv.outlines import address_of, cells_of_faces
from analysis.kernels.inside import Raster
from geo.model import Layer, Lines, Mesh, Points
from geo.model.conventions import FROM_NODE, NODE, ROOM_NAME, STOREY, TO_NODE

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Bools = NDArray[np.bool_]

ROOM_SLACK = 0.3  # [m] a camera this far above the ceiling or below the floor still hangs in the room
VEHICLE_WORDS = ("lanes", "carriageway")  # columns of roads that vehicles use
AXIS_CELL = 1.0  # [m] of the raster on which the middle of a road is found
AXIS_REACH = 12.0  # [m] along the road over which its direction is taken
NARROWEST = 1.25  # [m] half the width of a lane


class RoomCells(NamedTuple):
    """Cells of the floors of rooms.

    Attributes
    ----------
    points : (n, 3) float64 [local m]
        Middles, on the floor.
    room : (n,) int64
        Room of each.
    rooms : tuple of (Layer, row)
    names : tuple of str
        Name and storey of each room.
    cell : float [m]
    """

    points: Floats
    room: Indices
    rooms: tuple[tuple[Layer, int], ...]
    names: tuple[str, ...]
    cell: float


def rooms_looked_at(layers: Sequence[Layer], cameras: Floats, which: str, cell: float) -> RoomCells:
    """Cells of the rooms in which cameras stand, of all rooms on their storeys, or of all.

    Parameters
    ----------
    cameras : (c, 3) float [local m]
    which : {"with_cameras", "storeys", "all"}
    cell : float [m]
    """
    points, room = [np.zeros((0, 3))], [np.zeros(0, dtype=np.int64)]
    rooms: list[tuple[Layer, int]] = []
    names: list[str] = []
    for layer in layers:
        if not isinstance(layer.geometry, Mesh) or len(layer.geometry.faces) == 0:
            continue
        for row in _chosen(layer, layer.geometry, cameras, which):
            found = _floor_cells(layer.geometry, row, cell)
            points.append(found)
            room.append(np.full(len(found), len(rooms), dtype=np.int64))
            rooms.append((layer, row))
            names.append(_room_name(layer, row))
    return RoomCells(np.concatenate(points), np.concatenate(room), tuple(rooms), tuple(names), cell)


def _room_name(layer: Layer, row: int) -> str:
    columns = [layer.table.columns.get(name) for name in (STOREY, ROOM_NAME)]
    words = [str(column.values[row]) for column in columns if column is not None and column.values[row]]
    return " ".join(words) or address_of(layer, row)


def _chosen(layer: Layer, mesh: Mesh, cameras: Floats, which: str) -> list[int]:
    everything = [int(row) for row in np.unique(mesh.face_element)]
    if which == "all":
        return everything
    held = sorted({row for camera in cameras for row in rooms_holding(mesh, camera)})
    storey = layer.table.columns.get(STOREY)
    if which == "with_cameras" or storey is None:
        return held
    wanted = {str(storey.values[row]) for row in held}
    return [row for row in everything if row < len(layer.table) and str(storey.values[row]) in wanted]


def rooms_holding(mesh: Mesh, point: Floats) -> list[int]:
    """Rooms (elements of a mesh of closed bodies) in which a point lies, up to `ROOM_SLACK` above or below."""
    corners = mesh.vertices[mesh.faces]
    low, high = corners.min(axis=1), corners.max(axis=1)
    near = ((low[:, :2] <= point[:2]) & (high[:, :2] >= point[:2])).all(axis=1) & (mesh.face_cross[:, 2] > 0)
    faces = np.flatnonzero(near)
    if len(faces) == 0:
        return []
    a, b, c = (corners[faces, k, :2] for k in range(3))
    sides = [(q[:, 0] - p[:, 0]) * (point[1] - p[:, 1]) - (q[:, 1] - p[:, 1]) * (point[0] - p[:, 0])
             for p, q in ((a, b), (b, c), (c, a))]  # fmt: skip
    inside = faces[np.all(np.array(sides) >= 0, axis=0)]
    out = []
    for row in np.unique(mesh.face_element[inside]).tolist():
        mine = mesh.face_element == row
        if low[mine, 2].min() - ROOM_SLACK <= point[2] <= high[mine, 2].max() + ROOM_SLACK:
            out.append(int(row))
    return out


def _floor_cells(mesh: Mesh, row: int, cell: float) -> Floats:
    """Middles of the cells of a room's plan, on its floor; at least one."""
    mine = mesh.face_element == row
    corners = mesh.vertices[mesh.faces[mine]].reshape(-1, 3)
    low, high = corners.min(axis=0), corners.max(axis=0)
    first = np.floor(low[:2] / cell)
    cols, rows = (int(np.ceil(high[k] / cell) - first[k]) for k in range(2))
    raster = Raster((first[0] + 0.5) * cell, (first[1] + 0.5) * cell, cell, (rows, cols))
    number = cells_of_faces(mesh, mine & (mesh.face_cross[:, 2] > 0), raster)
    if len(number) == 0:
        return np.array([[*(low[:2] + high[:2]) / 2, low[2]]])
    x, y = raster.x0 + cell * (number % cols), raster.y0 + cell * (number // cols)
    return np.column_stack([x, y, np.full(len(number), low[2])])


# --- doors


def entrance_places(ways: Sequence[Layer]) -> tuple[Floats, Floats, list[str]]:
    """Exits of walking networks: place (n, 3), level way out (n, 3), names. The way out leads away from the way in."""
    nodes = [layer for layer in ways if isinstance(layer.geometry, Points)]
    inward = dict(_neighbours([layer for layer in ways if isinstance(layer.geometry, Lines)]))
    points, ahead, names = [], [], []
    for layer in nodes:
        kind = layer.table.columns.get(NODE)
        shape = layer.geometry
        if kind is None or not isinstance(shape, Points):
            continue
        for place, row in zip(shape.vertices, shape.element.tolist(), strict=True):
            inner = inward.get(str(layer.table.ids[row]))
            if kind.values[row] != "exit" or inner is None:
                continue
            way = place[:2] - inner[:2]
            length = float(np.hypot(*way))
            if length > 1e-6:
                points.append(place)
                ahead.append([way[0] / length, way[1] / length, 0.0])
                names.append(address_of(layer, row))
    return np.array(points).reshape(-1, 3), np.array(ahead).reshape(-1, 3), names


def _neighbours(edges: Sequence[Layer]) -> Iterator[tuple[str, Floats]]:
    """For each node the next point of a way that ends there."""
    for layer in edges:
        lines = layer.geometry
        ends = [layer.table.columns.get(name) for name in (FROM_NODE, TO_NODE)]
        if not isinstance(lines, Lines) or ends[0] is None or ends[1] is None:
            continue
        for k, row in enumerate(lines.line_element.tolist()):
            line = lines.vertices[lines.offsets[k] : lines.offsets[k + 1]]
            if len(line) >= 2:
                yield str(ends[0].values[row]), line[1]
                yield str(ends[1].values[row]), line[-2]


# --- lanes


def plate_places(
    roads: Sequence[Layer], spacing: float, near: Callable[[Floats], Bools]
) -> tuple[Floats, Floats, Indices, tuple[str, ...]]:
    """Places of plates every `spacing` [m] along roads, one for each direction of travel, to the right of the middle.

    Returns
    -------
    points, ahead : (n, 3) float [local m]
        Place on the road and the way the plate looks (that of travel).
    row : (n,) int64
        Road of each.
    names : tuple of str
    """
    points, ahead, row, names = [], [], [], []
    for layer in roads:
        for number, middle, way, half in _axes(layer, spacing, near):
            names.append(address_of(layer, number))
            for sign in (1.0, -1.0):
                right = np.column_stack([way[:, 1], -way[:, 0], np.zeros(len(way))]) * sign
                points.append(middle + right * (half / 2.0)[:, None])
                ahead.append(way * sign)
                row.append(np.full(len(middle), len(names) - 1, dtype=np.int64))
    if not points:
        return np.zeros((0, 3)), np.zeros((0, 3)), np.zeros(0, dtype=np.int64), ()
    return np.concatenate(points), np.concatenate(ahead), np.concatenate(row), tuple(names)


def _axes(
    layer: Layer, spacing: float, near: Callable[[Floats], Bools]
) -> Iterator[tuple[int, Floats, Floats, Floats]]:
    """Points of the middle of each road (n, 3), the way along it (n, 3), and half its width (n,)."""
    shape = layer.geometry
    if isinstance(shape, Lines):
        for k, row in enumerate(shape.line_element.tolist()):
            line = shape.vertices[shape.offsets[k] : shape.offsets[k + 1]]
            middle, way = _along(line, spacing)
            keep = near(middle)
            if keep.any():
                yield int(row), middle[keep], way[keep], np.full(int(keep.sum()), 2.0 * NARROWEST)
    elif isinstance(shape, Mesh) and len(shape.faces):
        for row in np.unique(shape.face_element).tolist():
            if not _for_vehicles(layer, row):
                continue
            mine = shape.face_element == row
            if near(shape.vertices[np.unique(shape.faces[mine])]).any():
                middle, way, half = _middle_of(shape, mine, spacing)
                keep = near(middle)
                if keep.any():
                    yield int(row), middle[keep], way[keep], half[keep]


def _for_vehicles(layer: Layer, row: int) -> bool:
    """Whether vehicles use a road, by the columns that say so; yes where none does."""
    for name in VEHICLE_WORDS:
        column = layer.table.columns.get(name)
        if column is not None and row < len(layer.table) and column.values.dtype.kind in "fi":
            return bool(column.values[row] > 0)
    return True


def _along(line: Floats, spacing: float) -> tuple[Floats, Floats]:
    step = np.diff(line, axis=0)
    length = np.hypot(step[:, 0], step[:, 1])
    total = np.concatenate([[0.0], np.cumsum(length)])
    at = np.arange(spacing / 2.0, total[-1], spacing)
    piece = np.clip(np.searchsorted(total, at, side="right") - 1, 0, max(len(step) - 1, 0))
    if len(at) == 0:
        return np.zeros((0, 3)), np.zeros((0, 3))
    share = ((at - total[piece]) / np.where(length[piece] > 0, length[piece], 1.0))[:, None]
    way = np.column_stack([step[piece, 0], step[piece, 1], np.zeros(len(at))])
    return line[piece] + share * step[piece], way / np.maximum(np.linalg.norm(way, axis=1), 1e-12)[:, None]


def _middle_of(mesh: Mesh, mine: Bools, spacing: float) -> tuple[Floats, Floats, Floats]:
    """Points along the middle of an area that is long and narrow: the cells furthest from its edge, thinned out."""
    from scipy.ndimage import distance_transform_edt, maximum_filter
    from scipy.spatial import cKDTree

    corners = mesh.vertices[mesh.faces[mine]].reshape(-1, 3)
    low, high = corners.min(axis=0) - 2 * AXIS_CELL, corners.max(axis=0) + 2 * AXIS_CELL
    cols, rows = (int(np.ceil((high[k] - low[k]) / AXIS_CELL)) + 1 for k in range(2))
    raster = Raster(low[0], low[1], AXIS_CELL, (rows, cols))
    flat = np.zeros(rows * cols, dtype=bool)
    flat[cells_of_faces(mesh, mine, raster)] = True
    depth = distance_transform_edt(flat.reshape(rows, cols)) * AXIS_CELL
    ridge = (depth >= NARROWEST) & (depth >= maximum_filter(depth, size=3) - 1e-9)
    r, c = np.nonzero(ridge)
    none = np.zeros((0, 3)), np.zeros((0, 3)), np.zeros(0)
    if len(r) < 2:
        return none
    place = np.column_stack([raster.x0 + AXIS_CELL * c, raster.y0 + AXIS_CELL * r])
    tree = cKDTree(place)
    chosen, free = [], np.ones(len(place), dtype=bool)
    for number in range(len(place)):
        if free[number]:
            chosen.append(number)
            free[tree.query_ball_point(place[number], spacing)] = False
    middle, way, half = [], [], []
    for number in chosen:
        around = place[tree.query_ball_point(place[number], AXIS_REACH)] - place[number]
        spread = np.linalg.eigh(around.T @ around)
        if spread[0][1] > 4.0 * spread[0][0]:  # longer than wide: there is a direction
            along = spread[1][:, 1]
            middle.append([*place[number], float(corners[:, 2].mean())])
            way.append([along[0], along[1], 0.0])
            half.append(depth[r[number], c[number]])
    return (np.array(middle), np.array(way), np.array(half)) if middle else none
