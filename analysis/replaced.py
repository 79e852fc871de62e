"""Blocks of the city in whose place a model stands: studies are given the model, not both."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from geo.model import Bounds, Field, Layer, Mesh


def without_replaced(found: Sequence[Layer], layers: Sequence[Layer]) -> list[Layer]:
    """The layers without the triangles of buildings that are hidden and lie under a model.

    The block that stood for a building is hidden when its model is placed; it would go on to block the model's own
    windows. Buildings that are hidden for another reason (to look behind them) still count. Rows of the table stay.
    """
    models = [box for layer in layers if layer.theme == "bim" and (box := _box(layer)) is not None]
    return [_without(layer, models) if models else layer for layer in found]


def _box(layer: Layer) -> Bounds | None:
    return layer.geometry.bounds if layer.geometry is not None and layer.style.visible else None


def _without(layer: Layer, models: Sequence[Bounds]) -> Layer:
    mesh = layer.geometry
    if layer.theme != "building" or not layer.style.hidden or not isinstance(mesh, Mesh):
        return layer
    rows = np.array([layer.table.index[one] for one in layer.style.hidden if one in layer.table.index], dtype=np.int64)
    gone = [row for row in np.sort(rows).tolist() if _stands_in(mesh, row, models)]
    if not gone:
        return layer
    kept = ~np.isin(mesh.face_element, gone)
    shape = Mesh(mesh.vertices, mesh.faces[kept], mesh.face_element[kept])
    return layer.with_(geometry=shape, fields=tuple(_kept(item, kept) for item in layer.fields))


def _stands_in(mesh: Mesh, row: int, models: Sequence[Bounds]) -> bool:
    """Whether the middle of an element lies within the plan of a model's box."""
    corners = mesh.vertices[mesh.faces[mesh.face_element == row]].reshape(-1, 3)
    if len(corners) == 0:
        return False
    x, y = ((corners.min(axis=0) + corners.max(axis=0)) / 2)[:2]
    return any(box.low[0] <= x <= box.high[0] and box.low[1] <= y <= box.high[1] for box in models)


def _kept(item: Field, kept: NDArray[np.bool_]) -> Field:
    return dataclasses.replace(item, values=np.asarray(item.values)[kept]) if item.on == "face" else item
