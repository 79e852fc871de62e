"""Rows of a layer's table: which of them pass a filter, which elements they are and where these lie."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from app.row_filter import filter_rows
from app.sheet import Mask, Rows, Sheet
from geo.model import Bounds, Instances, Layer, Lines, Mesh, Points

OWNERS = {Mesh: "face_element", Lines: "line_element", Points: "element", Instances: "element"}


def rows_of(sheet: Sheet, text: str, sort: tuple[str, bool]) -> Rows:
    """(found,) rows that fulfil the text of a filter, ordered by a column.

    sort : (key, descending)
        Column to order by; a key the sheet does not have keeps the order of the file.
    """
    rows = np.flatnonzero(filter_rows(sheet, text)).astype(np.int64)
    column = sheet.columns.get(sort[0])
    return column.order(rows, descending=sort[1]) if column is not None else rows


def mask_of(layer: Layer, element_ids: Collection[str]) -> Mask:
    """(elements,) which rows of the table these are; the layer as a whole is none of them."""
    chosen = np.zeros(len(layer.table), dtype=np.bool_)
    index = layer.table.index if element_ids else {}
    chosen[[index[element_id] for element_id in element_ids if element_id in index]] = True
    return chosen


def extent_of(layer: Layer, rows: Rows) -> Bounds | None:
    """Box around many elements of a layer [local m]."""
    geometry = layer.geometry
    if geometry is None:
        return None
    owner = np.asarray(getattr(geometry, OWNERS.get(type(geometry), ""), np.empty(0, dtype=np.int64)))
    if owner.size == 0:
        return geometry.bounds
    chosen = np.zeros(max(int(owner.max()) + 1, len(layer.table)), dtype=np.bool_)
    chosen[rows] = True
    mine = chosen[owner]
    if isinstance(geometry, Mesh):
        return Bounds.of(geometry.vertices[geometry.faces[mine].ravel()])
    if isinstance(geometry, Lines):
        return Bounds.of(geometry.vertices[np.repeat(mine, np.diff(geometry.offsets))])
    if isinstance(geometry, Instances):
        return Bounds.of(geometry.transform[mine][:, :, 3])
    return Bounds.of(geometry.vertices[mine]) if isinstance(geometry, Points) else geometry.bounds
