"""Which cells, faces and elements of two result layers are the same place."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.model import Grid, Layer, Mesh

Indices = NDArray[np.int64]
SAME_PLACE = 0.001  # [m] middles of faces this near are one place
SAME_CELL = 1e-6  # part of a cell by which lattices may differ


class Pairing(NamedTuple):
    """Values of the layer after (`there`) that belong to those of the layer before (`here`); flat indices.

    `size` is the number of values of the layer after, on which the difference is drawn.
    """

    here: Indices
    there: Indices
    size: int


def part_of(layer: Layer) -> str:
    """Which of the layers of its run a result layer is."""
    return str(layer.source.part or layer.id)


def paired_layers(before: tuple[Layer, ...], after: tuple[Layer, ...]) -> list[tuple[Layer, Layer]]:
    """Layers of the same part and kind, in the order of `after`."""
    known = {(part_of(layer), layer.kind): layer for layer in before}
    return [(known[part_of(layer), layer.kind], layer) for layer in after if (part_of(layer), layer.kind) in known]


def pair(before: Layer, after: Layer) -> Pairing | None:
    """The pairs of two layers of one sort; None when nothing of them can be compared."""
    if isinstance(before.geometry, Grid) and isinstance(after.geometry, Grid):
        return pair_grids(before, after)
    if isinstance(before.geometry, Mesh) and isinstance(after.geometry, Mesh):
        return pair_meshes(before, after)
    return None


def pair_grids(before: Layer, after: Layer) -> Pairing | None:
    """Cells of two grids on one lattice; None when they are not."""
    one, other = before.geometry, after.geometry
    if not isinstance(one, Grid) or not isinstance(other, Grid):
        return None
    if abs(one.cell - other.cell) > SAME_CELL * one.cell:
        return None
    shift = np.array([other.x0 - one.x0, other.y0 - one.y0]) / one.cell
    whole = np.rint(shift)
    if np.abs(shift - whole).max() > 1e-3:
        return None
    columns, rows = (int(value) for value in whole)
    height, width = one.values.shape
    tall, wide = other.values.shape
    first_row, last_row = max(0, rows), min(height, rows + tall)
    first_col, last_col = max(0, columns), min(width, columns + wide)
    if first_row >= last_row or first_col >= last_col:
        return None
    r, c = np.meshgrid(np.arange(first_row, last_row), np.arange(first_col, last_col), indexing="ij")
    there = ((r - rows) * wide + (c - columns)).ravel()
    here = (r * width + c).ravel()
    return Pairing(here, there, tall * wide)


def pair_meshes(before: Layer, after: Layer) -> Pairing:
    """Faces of the same element: in their order where it has as many in both, else those at the same place."""
    one, other = before.geometry, after.geometry
    if not isinstance(one, Mesh) or not isinstance(other, Mesh):
        raise TypeError("both layers hold triangles")
    here, there = [], []
    groups_before, groups_after = _faces_by_element(before, one), _faces_by_element(after, other)
    for element, theirs in groups_after.items():
        mine = groups_before.get(element)
        if mine is None:
            continue
        if len(mine) == len(theirs):
            here.append(mine)
            there.append(theirs)
            continue
        found_here, found_there = _same_place(one, mine, other, theirs)
        here.append(found_here)
        there.append(found_there)
    first = np.concatenate(here) if here else np.zeros(0, np.int64)
    second = np.concatenate(there) if there else np.zeros(0, np.int64)
    return Pairing(first, second, len(other.faces))


def _faces_by_element(layer: Layer, mesh: Mesh) -> dict[str, Indices]:
    order = np.argsort(mesh.face_element, kind="stable")
    elements, start = np.unique(mesh.face_element[order], return_index=True)
    ids = layer.table.ids
    names = [str(ids[row]) if row < len(ids) else str(row) for row in elements.tolist()]
    return dict(zip(names, np.split(order, start[1:]), strict=True))


def _same_place(one: Mesh, mine: Indices, other: Mesh, theirs: Indices) -> tuple[Indices, Indices]:
    from scipy.spatial import cKDTree

    middle = one.vertices[one.faces[mine]].mean(axis=1)
    wanted = other.vertices[other.faces[theirs]].mean(axis=1)
    distance, index = cKDTree(middle).query(wanted, distance_upper_bound=SAME_PLACE)
    found = np.isfinite(distance)
    return mine[index[found]], theirs[found]


def pair_rows(before: Layer, after: Layer) -> tuple[Indices, Indices, NDArray[np.object_]]:
    """Rows of two tables that are about the same thing, and its name.

    The name is the id; in a table without a place of its own (whose ids only count), the first column of texts that
    names every row once.
    """
    names_before, names_after = _names(before), _names(after)
    rows = {name: row for row, name in enumerate(names_before)}
    pairs = [(rows[name], row) for row, name in enumerate(names_after) if name in rows]
    here = np.array([a for a, _ in pairs], dtype=np.int64)
    there = np.array([b for _, b in pairs], dtype=np.int64)
    return here, there, np.array([names_after[row] for row in there], dtype=object)


def _names(layer: Layer) -> list[str]:
    if layer.geometry is None:
        for column in layer.table.columns.values():
            values = [str(value) for value in column.values]
            if not column.is_number and len(set(values)) == len(values):
                return values
    return [str(value) for value in layer.table.ids]
