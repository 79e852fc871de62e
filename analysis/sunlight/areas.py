"""Open spaces and schoolyards: the cells of the ground that lie in each area the user named."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.kernels.inside import Raster, cells_inside
from analysis.kernels.sampling import GroundPoints
from analysis.sunlight.city import MOST_POINTS, City
from analysis.sunlight.ground import ground_height, is_open_ground
from geo.model import Bounds, Feedback, Issue, Layer, Lines, Mesh, UserError

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

NAMES = ("name", "이름", "명칭", "시설명", "id")
SCHOOLS = ("학교", "유치원", "school", "kindergarten")


class Area(NamedTuple):
    """One open space: where it comes from, and its cells.

    Attributes
    ----------
    layer, id, name : str
    school : bool
        Whether an attribute says that it is a school.
    cells : (k,) int64
        Places of its open cells among the points looked at.
    inside : int
        All its cells with ground, with those under buildings.
    """

    layer: str
    id: str
    name: str
    school: bool
    cells: Indices
    inside: int


class Areas(NamedTuple):
    """The points looked at, each once however many areas hold it, and the areas."""

    ground: GroundPoints
    members: list[Area]


class _Outline(NamedTuple):
    layer: Layer
    row: int
    start: Floats
    stop: Floats
    odd: bool


def areas_of(
    city: City, layers: Sequence[Layer], cell: float, words: Sequence[str], issues: list[Issue], feedback: Feedback
) -> Areas:
    """The open ground in every area of the layers, in cells of `cell` [m]; with `words`, of those that say one."""
    outlines = [outline for layer in layers for outline in _outlines(layer) if _says(layer, outline.row, words)]
    if not outlines:
        raise UserError(
            "No area was found in the layers named.",
            "They have no closed outlines or surfaces, or none says one of the words.",
            "Name a layer with areas, or other words.",
            code="sunlight.no_areas",
        )
    raster = _raster(outlines, cell)
    inside = []
    for number, outline in enumerate(outlines):
        feedback.step(0.5 * number / len(outlines), "finding the open spaces")
        inside.append(cells_inside(outline.start, outline.stop, raster, odd=outline.odd))
    everywhere = _on_the_ground(city, raster, np.unique(np.concatenate(inside)))
    is_open = is_open_ground(city, everywhere.points, feedback.part(0.5, 1.0))
    ground = everywhere._replace(points=everywhere.points[is_open], number=everywhere.number[is_open])
    members = [_member(*pair, everywhere, ground) for pair in zip(outlines, inside, strict=True)]
    lost = sum(len(member.cells) == 0 for member in members)
    if lost:
        text = f"{lost} areas have no open ground: built over, off the terrain, or smaller than a cell."
        issues.append(Issue("sunlight.areas_without_ground", text, "doubt", lost))
    return Areas(ground, members)


def _member(outline: _Outline, inside: Indices, everywhere: GroundPoints, ground: GroundPoints) -> Area:
    layer, row = outline.layer, outline.row
    place = _places(ground.number, inside)
    known = len(_places(everywhere.number, inside))
    id_ = str(layer.table.ids[row]) if row < len(layer.table) else f"{layer.id}-{row}"
    text = " ".join(_texts(layer, row))
    school = any(word in text for word in SCHOOLS)
    return Area(layer.name, id_, _name(layer, row, id_), school, place, known)


def _places(ordered: Indices, wanted: Indices) -> Indices:
    """Where the wanted numbers stand in an ordered list; those that are missing are left out."""
    if len(ordered) == 0:
        return np.zeros(0, dtype=np.int64)
    place = np.minimum(np.searchsorted(ordered, wanted), len(ordered) - 1)
    return np.asarray(place[ordered[place] == wanted], dtype=np.int64)


def _on_the_ground(city: City, raster: Raster, number: Indices) -> GroundPoints:
    rows, cols = raster.shape
    column, row = (part.astype(np.float64) for part in (number % cols, number // cols))
    x, y = np.asarray(raster.x0 + raster.cell * column), np.asarray(raster.y0 + raster.cell * row)
    z = ground_height(city, x, y)
    there = np.isfinite(z)
    points = np.column_stack([x, y, z])[there]
    return GroundPoints(points, number[there], (rows, cols), raster.x0, raster.y0, raster.cell)


def _raster(outlines: Sequence[_Outline], cell: float) -> Raster:
    box = Bounds.union(
        b for b in (Bounds.of(np.column_stack([o.start, np.zeros(len(o.start))])) for o in outlines) if b is not None
    )
    if box is None:
        raise ValueError("outlines have edges")
    cols, rows = (max(1, int(np.ceil(box.size[k] / cell - 1e-9))) for k in range(2))
    if rows * cols > MOST_POINTS:
        raise UserError(
            f"The open spaces spread over {rows * cols / 1e6:.0f} million cells, more than this computer should hold.",
            f"They lie within {box.size[0] / 1000:.1f} x {box.size[1] / 1000:.1f} km.",
            "Choose a larger cell for open spaces, or fewer areas.",
            code="sunlight.too_many_area_cells",
            values={
                "cells": round(rows * cols / 1e6),
                "width": round(box.size[0] / 1000, 1),
                "height": round(box.size[1] / 1000, 1),
            },
        )
    return Raster(box.low[0] + cell / 2, box.low[1] + cell / 2, cell, (rows, cols))


def _outlines(layer: Layer) -> Iterator[_Outline]:
    shape = layer.geometry
    if isinstance(shape, Lines):
        yield from _rings(layer, shape)
    elif isinstance(shape, Mesh) and len(shape.faces):
        yield from _upper_faces(layer, shape)


def _rings(layer: Layer, lines: Lines) -> Iterator[_Outline]:
    """Closed polylines by element; rings within rings are holes."""
    first, last = lines.offsets[:-1], lines.offsets[1:] - 1
    long = last - first >= 3
    ends = lines.vertices[np.where(long, last, 0), :2] - lines.vertices[np.where(long, first, 0), :2]
    closed = np.flatnonzero(long & (np.abs(ends).max(axis=1) < 1e-6))
    order = closed[np.argsort(lines.line_element[closed], kind="stable")]
    for row, rings in _groups(lines.line_element[order], order):
        parts = [lines.vertices[first[k] : last[k] + 1, :2] for k in rings]
        start, stop = (np.concatenate([part[side] for part in parts]) for side in (slice(None, -1), slice(1, None)))
        yield _Outline(layer, row, start, stop, odd=True)


def _upper_faces(layer: Layer, mesh: Mesh) -> Iterator[_Outline]:
    """Triangles that look up, by element; where none does (turned over), those that look down."""
    nz = mesh.face_cross[:, 2]
    order = np.argsort(mesh.face_element, kind="stable")
    for row, faces in _groups(mesh.face_element[order], order):
        flat = faces[nz[faces] > 0] if (nz[faces] > 0).any() else faces[nz[faces] < 0]
        if len(flat) == 0:
            continue
        corners = mesh.vertices[mesh.faces[flat], :2]
        yield _Outline(layer, row, corners.reshape(-1, 2), np.roll(corners, -1, axis=1).reshape(-1, 2), odd=False)


def _groups(key: NDArray[np.int32], values: Indices) -> Iterator[tuple[int, Indices]]:
    """Runs of equal keys, which are sorted."""
    if len(key) == 0:
        return
    cuts = np.flatnonzero(np.diff(key)) + 1
    for part, group in zip(np.split(values, cuts), key[np.r_[0, cuts]], strict=True):
        yield int(group), part


def _texts(layer: Layer, row: int) -> list[str]:
    """The text attributes of an element, in lower case."""
    if row >= len(layer.table):
        return []
    columns = (column.values for column in layer.table.columns.values() if column.values.dtype == object)
    return [str(values[row]).lower() for values in columns if values[row] is not None]


def _says(layer: Layer, row: int, words: Sequence[str]) -> bool:
    return not words or any(word in text for text in _texts(layer, row) for word in words)


def _name(layer: Layer, row: int, otherwise: str) -> str:
    for name in NAMES:
        column = layer.table.columns.get(name)
        if column is not None and row < len(layer.table) and column.values[row]:
            return str(column.values[row])
    return otherwise
