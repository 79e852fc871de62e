"""Plans of roads, rooms and areas on a raster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.cctv.classes import Edition
from analysis.kernels.inside import Raster, cells_inside
from geo.model import Bounds, Grid, Layer, Lines, Mesh, UserError

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Bools = NDArray[np.bool_]

ROOM_RASTER = 0.5  # [m]
MOST_RASTER = 30_000_000
CLOSED = 1e-6  # [m] between the ends of a closed line
NAMES = ("address", "주소", "도로명주소", "name", "이름", "명칭")
POKES = 0.3  # [m] a floor may lie this far above the terrain and the terrain still be taken away


def edges_of(mesh: Mesh, faces: Indices | Bools) -> tuple[Floats, Floats]:
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
    gone = _faces_over(relief, np.flatnonzero(dug), raster, box)
    if len(gone) == 0:
        return relief
    keep = np.ones(len(relief.faces), dtype=bool)
    keep[gone] = False
    return Mesh(relief.vertices, relief.faces[keep], relief.face_element[keep])


def _faces_over(relief: Mesh, cells: Indices, raster: Raster, box: Bounds) -> Indices:
    """Faces of a terrain with a corner in one of some cells, or with the middle of one within."""
    from analysis.kernels.rays import Occluder

    corners = relief.vertices[relief.faces]
    low, high = corners.min(axis=1), corners.max(axis=1)
    near = np.flatnonzero(((low <= np.array(box.high))[:, :2] & (high >= np.array(box.low))[:, :2]).all(axis=1))
    rows, cols = raster.shape
    dug = np.zeros(rows * cols, dtype=bool)
    dug[cells] = True
    col, row = (
        np.rint((corners[near, :, k] - start) / raster.cell).astype(np.int64)
        for k, start in ((0, raster.x0), (1, raster.y0))
    )
    inside = (col >= 0) & (col < cols) & (row >= 0) & (row < rows)
    touched = (inside & dug[np.where(inside, row * cols + col, 0)]).any(axis=1)
    part = Mesh(relief.vertices, relief.faces[near], np.zeros(len(near), np.int32))
    x, y = raster.x0 + raster.cell * (cells % cols), raster.y0 + raster.cell * (cells // cols)
    top = float(high[near, 2].max(initial=0.0)) + 1.0
    over = Occluder([part]).first_hit(np.column_stack([x, y, np.full(len(x), top)]), np.array([[0.0, 0.0, -1.0]])).face
    return np.unique(np.concatenate([near[touched], near[over[over >= 0]]]))


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


@dataclass(frozen=True, eq=False)
class AreaCells:
    """Cells of areas on one raster.

    Attributes
    ----------
    raster : Raster
    cell : (n,) int64
        Flat numbers, ascending; each once (of areas that overlap the first counts).
    area : (n,) int32
        Place in `names`.
    importance : (n,) float64
    required : (n,) int8
        Class asked for; -1 where the area says none.
    names : tuple of str
    """

    raster: Raster
    cell: Indices
    area: NDArray[np.int32]
    importance: Floats
    required: NDArray[np.int8]
    names: tuple[str, ...]

    @staticmethod
    def plain(raster: Raster, cell: Indices) -> AreaCells:
        """Cells without areas."""
        count = len(cell)
        none = np.zeros(count, dtype=np.int32), np.ones(count), np.full(count, -1, dtype=np.int8)
        return AreaCells(raster, cell, *none, ("-",))

    def kept(self, keep: Bools) -> AreaCells:
        """Only the cells where `keep` (n,) is true."""
        return AreaCells(
            self.raster, self.cell[keep], self.area[keep], self.importance[keep], self.required[keep], self.names
        )


IMPORTANCE = ("importance", "중요도", "weight", "가중치")
REQUIRED = ("required", "class_asked", "요구등급")


def area_cells(layers: Sequence[Layer], cell: float, edition: Edition) -> AreaCells:
    """The cells of named areas: closed lines or surfaces; columns may give importance and the class asked for."""
    outlines = [outline for layer in layers for outline in outlines_of(layer)]
    if not outlines:
        raise UserError(
            "No area was found in the layers named.",
            "They have no closed outlines or surfaces.",
            "Name a layer with areas.",
            code="cctv.no_areas",
        )
    points = np.concatenate([np.concatenate([one.start, one.stop]) for one in outlines])
    first = np.floor(points.min(axis=0) / cell)
    cols, rows = (int(value) for value in np.ceil(points.max(axis=0) / cell) - first)
    raster = Raster(float((first[0] + 0.5) * cell), float((first[1] + 0.5) * cell), cell, (rows, cols))
    if rows * cols > MOST_RASTER:
        raise UserError(
            f"The areas spread over {rows * cols / 1e6:.0f} million cells, more than this computer should hold.",
            "The cell is small for areas that lie so far apart.",
            "Choose a larger ground cell, or fewer areas.",
            code="cctv.too_many_area_cells",
            values={"cells": round(rows * cols / 1e6)},
        )
    owner = np.full(rows * cols, -1, dtype=np.int32)
    for number, one in enumerate(outlines):
        inside = cells_inside(one.start, one.stop, raster, odd=one.odd)
        owner[inside[owner[inside] < 0]] = number
    held = np.flatnonzero(owner >= 0)
    area = owner[held]
    importance = np.array([_importance(one.layer, one.row) for one in outlines])[area]
    required = np.array([_class_asked(one.layer, one.row, edition) for one in outlines], dtype=np.int8)[area]
    return AreaCells(
        raster, held, area, importance, required, tuple(address_of(one.layer, one.row) for one in outlines)
    )


def address_of(layer: Layer, row: int) -> str:
    """Address or name of an element, else its id."""
    for name in NAMES:
        column = layer.table.columns.get(name)
        if column is not None and row < len(layer.table) and column.values[row]:
            return str(column.values[row])
    return str(layer.table.ids[row]) if row < len(layer.table) else f"{layer.name} {row}"


class Outline(NamedTuple):
    """Edges (e, 2) of one area in plan; `odd`: rings, where holes are rings too."""

    layer: Layer
    row: int
    start: Floats
    stop: Floats
    odd: bool


def outlines_of(layer: Layer) -> Iterator[Outline]:
    """The areas of a layer by element: closed lines, or the upper faces of surfaces."""
    shape = layer.geometry
    if isinstance(shape, Mesh) and len(shape.faces):
        up = shape.face_cross[:, 2] > 0
        for row in np.unique(shape.face_element).tolist():
            mine = shape.face_element == row
            faces = mine & up if (mine & up).any() else mine & (shape.face_cross[:, 2] < 0)
            if faces.any():
                yield Outline(layer, int(row), *edges_of(shape, faces), odd=False)
    elif isinstance(shape, Lines):
        rings: dict[int, list[Floats]] = {}
        for k, row in enumerate(shape.line_element.tolist()):
            line = shape.vertices[shape.offsets[k] : shape.offsets[k + 1], :2]
            if len(line) > 3 and np.abs(line[0] - line[-1]).max() < CLOSED:
                rings.setdefault(int(row), []).append(line)
        for row, parts in rings.items():
            start, stop = (np.concatenate([p[side] for p in parts]) for side in (slice(None, -1), slice(1, None)))
            yield Outline(layer, row, start, stop, odd=True)


def _value(layer: Layer, row: int, names: Sequence[str]) -> object:
    for name in names:
        column = layer.table.columns.get(name)
        if column is not None and row < len(layer.table):
            return column.values[row]
    return None


def _importance(layer: Layer, row: int) -> float:
    value = _value(layer, row, IMPORTANCE)
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return 1.0
    return number if np.isfinite(number) and number >= 0 else 1.0


def _class_asked(layer: Layer, row: int, edition: Edition) -> int:
    value = str(_value(layer, row, REQUIRED) or "").strip()
    return edition.number(value) if value in edition.names else -1
