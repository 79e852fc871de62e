"""The part of a layer of lines or points that touches a rectangle."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geo.formats.city_shapes import Box, touch
from geo.model import Column, ElementTable, Layer, Lines, Points

Indices = NDArray[np.int64]


def within(layer: Layer, box: Box) -> Layer | None:
    """The elements of a network layer that touch a rectangle (west, south, east, north) [local m]."""
    shape = layer.geometry
    if not isinstance(shape, Lines | Points):
        return None
    if isinstance(shape, Points):
        owner = shape.element
    else:
        owner = np.repeat(shape.line_element, np.diff(shape.offsets))
    edges = np.full((len(layer.table), 4), np.inf)
    plan = shape.vertices[:, :2]
    np.minimum.at(edges, owner, np.concatenate([plan, -plan], axis=1))
    edges[:, 2:] *= -1.0
    keep = np.flatnonzero(touch(edges, box))
    return kept(layer, keep) if len(keep) else None


def kept(layer: Layer, rows: Indices) -> Layer:
    """Some elements of a layer of lines or points."""
    number = np.full(len(layer.table), -1, dtype=np.int32)
    number[rows] = np.arange(len(rows))
    columns = {k: Column(c.values[rows], c.unit, c.title) for k, c in layer.table.columns.items()}
    table = ElementTable(layer.table.ids[rows].tolist(), columns)
    shape = layer.geometry
    if isinstance(shape, Points):
        mine = number[shape.element] >= 0
        return layer.with_(geometry=Points(shape.vertices[mine], number[shape.element][mine]), table=table)
    if not isinstance(shape, Lines):
        raise TypeError(f"a network is lines or points, not {layer.kind}")
    lines = np.flatnonzero(number[shape.line_element] >= 0)
    counts = np.diff(shape.offsets)[lines]
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    take = np.repeat(shape.offsets[:-1][lines] - offsets[:-1], counts) + np.arange(offsets[-1])
    return layer.with_(
        geometry=Lines(shape.vertices[take], offsets, number[shape.line_element][lines]), table=table
    )  # fmt: skip
