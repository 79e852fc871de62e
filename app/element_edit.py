"""Headless. Elements of point layers that are set by hand (cameras, purifiers, chimneys): added, changed, removed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from app.commands import Command
from app.document import Document
from geo.model import Column, ElementTable, Issue, Layer, Points, Source

Place = tuple[float, float, float]


def vertex_of(layer: Layer, row: int) -> int:
    """Which point a row is, -1 without one."""
    if not isinstance(layer.geometry, Points):
        return -1
    found = np.flatnonzero(layer.geometry.element == row)
    return int(found[0]) if len(found) else -1


def number_of(value: object) -> float | None:
    """A finite number, or None where it is none."""
    try:
        number = float(str(value)) if value is not None else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def with_element(
    layer: Layer, element_id: str, place: Place, *, one: Mapping[str, Column], issue_code: str = ""
) -> Layer:
    """A layer in which an element has this place and these values: changed where it is there, added where it is not.

    Columns that are not among its own are kept; of an element that is added they are empty.

    Parameters
    ----------
    one : mapping of str to Column
        Its own columns, one value each.
    issue_code : str
        Of the note that what came from a file was changed here.
    """
    if not isinstance(layer.geometry, Points):
        raise TypeError("elements set by hand are points")
    points, element, table = layer.geometry.vertices, layer.geometry.element, layer.table
    number = table.index.get(element_id)
    if number is None:
        number = len(table)
        table = ElementTable([*table.ids, element_id], {n: _longer(c) for n, c in table.columns.items()})
        points, element = np.vstack([points, place]), np.append(element, np.int32(number))
    else:
        vertex = vertex_of(layer, number)
        points = points.copy()
        points[vertex] = place
    columns = {name: with_value(table.columns.get(name), number, new, len(table)) for name, new in one.items()}
    fields = layer.fields if len(table) == len(layer.table) else ()  # they have no value for one that is new
    owned = owned_here(layer, issue_code)
    return owned.with_(geometry=Points(points, element), table=table.with_columns(columns), fields=fields)


def without_elements(layer: Layer, ids: Iterable[str], *, issue_code: str = "") -> Layer:
    """A layer without some of its elements."""
    if not isinstance(layer.geometry, Points):
        raise TypeError("elements set by hand are points")
    away = set(ids)
    keep = np.array([element_id not in away for element_id in layer.table.ids], dtype=bool)
    number = np.cumsum(keep) - 1
    points = keep[layer.geometry.element]
    shape = Points(layer.geometry.vertices[points], number[layer.geometry.element[points]].astype(np.int32))
    columns = {n: Column(c.values[keep], c.unit, c.title) for n, c in layer.table.columns.items()}
    table = ElementTable(layer.table.ids[keep], columns)
    return owned_here(layer, issue_code).with_(geometry=shape, table=table, fields=())


def owned_here(layer: Layer, issue_code: str) -> Layer:
    """A layer that belongs to the project from now on: what its file says is another thing."""
    if not layer.source.path:
        return layer
    issue = Issue(
        issue_code,
        f"{layer.name} was changed here; {layer.source.path} is as it was.",
        values={"path": layer.source.path},
    )
    return layer.with_(source=Source(), issues=(*layer.issues, issue))


def _longer(column: Column) -> Column:
    """A column with one row more, empty."""
    values = column.values
    if values.dtype.kind == "f":
        return Column(np.append(values, np.nan), column.unit, column.title)
    if values.dtype.kind == "O":
        return Column(np.append(values, np.array([None], dtype=object)), column.unit, column.title)
    return Column(np.append(values, values.dtype.type(0)), column.unit, column.title)


def with_value(column: Column | None, row: int, one: Column, count: int) -> Column:
    """A column of `count` rows with the one value of a row in it."""
    if column is not None and column.values.dtype.kind == one.values.dtype.kind:
        values = column.values.copy()
    elif one.values.dtype.kind == "f":
        given = column.values if column is not None else np.full(count, np.nan)
        values = np.array([math.nan if (v := number_of(value)) is None else v for value in given])
    else:
        values = np.full(count, None, dtype=object)
    values[row] = one.values[0]
    return Column(values, one.unit, column.title if column is not None else "")


def free_element_id(layer: Layer, prefix: str) -> str:
    """An id ``prefix-number`` that no element of the layer has."""
    number = len(layer.table) + 1
    while f"{prefix}-{number}" in layer.table.index:
        number += 1
    return f"{prefix}-{number}"


@dataclass
class ChangeElement:
    """One element is otherwise than before. Changes of one drag are one step."""

    layer: Layer
    drag: str = ""
    title: str = "change_layer"
    _before: Layer | None = None

    def do(self, document: Document) -> None:
        """Swap in the changed layer."""
        before = document.scene.replace(self.layer, "data")
        self._before = self._before or before

    def undo(self, document: Document) -> None:
        """Swap back the layer before."""
        if self._before is not None:
            document.scene.replace(self._before, "data")

    def merge(self, later: Command) -> Command | None:
        """A later step of the same drag makes one step with this."""
        if not isinstance(later, ChangeElement) or not self.drag or later.drag != self.drag:
            return None
        return ChangeElement(later.layer, self.drag, self.title, self._before)
