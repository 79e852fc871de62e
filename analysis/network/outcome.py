"""Result layers and tables that the studies of pipe networks share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from analysis.contract import Table
from analysis.network.built import Built
from analysis.network.pipes import PipeSet
from geo.model import Column, ElementTable, Field, Layer, Lines, Points, Style

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Texts = NDArray[np.object_]

TINY = 1e-7  # [m] vertices nearer to the end of a piece are that end


def pieces(pipes: PipeSet, line: Indices, start: Floats, stop: Floats) -> Lines:
    """Pieces of polylines between two lengths along each [m], one polyline and element each; backwards if start > stop.

    Parameters
    ----------
    line : (n,) int64; start, stop : (n,) float64 [m]
    """
    from analysis.kernels.network import Polylines
    from analysis.kernels.network_health import points_along

    low, high = np.minimum(start, stop), np.maximum(start, stop)
    total = pipes.along[pipes.offsets[1:] - 1]
    base = np.concatenate([np.zeros(1), np.cumsum(total + 1.0)])
    rising = pipes.along + np.repeat(base[:-1], np.diff(pipes.offsets))
    first = np.searchsorted(rising, base[line] + low + TINY)
    inner = np.maximum(np.searchsorted(rising, base[line] + high - TINY) - first, 0)
    counts = inner + 2
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
    place = np.arange(offsets[-1]) - np.repeat(offsets[:-1], counts)
    last = np.repeat(counts - 1, counts)
    place = np.where(np.repeat(start > stop, counts), last - place, place)
    owner = np.repeat(np.arange(len(line)), counts)
    shape = Polylines(pipes.vertices, pipes.offsets, pipes.layer)
    ends = points_along(shape, np.concatenate([line, line]), np.concatenate([low, high]))
    middle = np.clip(np.repeat(first, counts) + place - 1, 0, len(pipes.vertices) - 1)
    points = pipes.vertices[middle]
    points = np.where((place == 0)[:, None], ends[owner], points)
    points = np.where((place == last)[:, None], ends[len(line) + owner], points)
    return Lines(points, offsets.astype(np.int32), np.arange(len(line), dtype=np.int32))


def unique_ids(ids: Sequence[object]) -> list[str]:
    """Ids with a number after those that repeat."""
    seen: dict[str, int] = {}
    out = []
    for value in ids:
        text = str(value)
        seen[text] = seen.get(text, 0) + 1
        out.append(text if seen[text] == 1 else f"{text}#{seen[text]}")
    return out


def pipe_columns(pipes: PipeSet, line: Indices) -> dict[str, Column]:
    """What is said of pipes in every table: which, of what utility, how thick."""
    names = np.array([layer.name for layer in pipes.layers], dtype=object)
    return {
        "element": Column(pipes.id[line]),
        "layer": Column(names[pipes.layer[line]]),
        "utility": Column(pipes.utility[line]),
        "diameter": Column(pipes.diameter[line], "m"),
    }


def line_layer(
    layer_id: str, name: str, shape: Lines, columns: Mapping[str, Column], field: Field, *, colour: str = ""
) -> Layer:
    """Lines of a result with one row each."""
    table = ElementTable(unique_ids(columns["element"].values.tolist()), columns)
    style = Style(colour_by=field.name, colour=colour)
    return Layer(layer_id, name, "result", shape, table, (field,), style, stratum="underground")


def node_columns(built: Built, nodes: Indices) -> dict[str, Column]:
    """What is said of nodes in every table."""
    names = np.array([layer.name for layer in built.nodes.layers] or [""], dtype=object)
    return {
        "element": Column(built.nodes.id[nodes]),
        "layer": Column(names[built.nodes.layer[nodes]]),
        "utility": Column(built.nodes.utility[nodes]),
        "node": Column(built.nodes.node[nodes]),
    }


def point_layer(layer_id: str, name: str, points: Floats, columns: Mapping[str, Column], field: Field) -> Layer:
    """Points of a result with one row each."""
    table = ElementTable(unique_ids(columns["element"].values.tolist()), columns)
    shape = Points(points, np.arange(len(points), dtype=np.int32))
    style = Style(colour_by=field.name)
    return Layer(layer_id, name, "result", shape, table, (field,), style, stratum="underground")


def sums_by(table_id: str, title: str, key: Texts, length: Floats) -> Table:
    """How many and how long, by a text."""
    names, place = np.unique(key.astype(str), return_inverse=True)
    place = place.reshape(-1)
    return Table(
        table_id,
        title,
        {
            "utility": Column(names.astype(object)),
            "pieces": Column(np.bincount(place, minlength=len(names)), "1"),
            "length": Column(np.bincount(place, weights=length, minlength=len(names)), "m"),
        },
    )
