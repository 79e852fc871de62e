"""The two layers of a walking network: nodes as points, edges as lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from geo.indoor.network import Edge, Network, Node
from geo.model import Column, ElementTable, Issue, Layer, Lines, Points, Source, Style
from geo.model.conventions import (
    CLEAR_WIDTH,
    DERIVED,
    FROM_NODE,
    LENGTH,
    NODE,
    RISE,
    ROOM,
    STOREY,
    TO_NODE,
    WAY,
)

Floats = NDArray[np.float64]
ToFrame = Callable[[Floats], Floats]


def network_layers(network: Network, name: str, to_frame: ToFrame) -> list[Layer]:
    """Layers ``network_nodes`` and ``network_edges``; the edges carry what is doubtful.

    Parameters
    ----------
    to_frame : (n, 3) model coordinates -> (n, 3) local metres
    """
    nodes = list(network.nodes.values())
    edges = network.edges
    if not nodes:
        return []
    issues = tuple(network.issues)
    layers = [_node_layer(nodes, name, to_frame, issues=() if edges else issues)]
    return [*layers, _edge_layer(edges, name, to_frame, issues=issues)] if edges else layers


def _node_layer(nodes: list[Node], name: str, to_frame: ToFrame, *, issues: tuple[Issue, ...]) -> Layer:
    points = to_frame(np.array([node.point for node in nodes]))
    return Layer(
        "network_nodes",
        f"{name}: places of the walking network",
        "network",
        Points(points, np.arange(len(nodes), dtype=np.int32)),
        _node_table(nodes),
        style=Style(visible=False, colour_by=NODE),
        stratum="indoor",
        source=Source(part="network_nodes"),
        issues=issues,
    )


def _edge_layer(edges: list[Edge], name: str, to_frame: ToFrame, *, issues: tuple[Issue, ...]) -> Layer:
    vertices = to_frame(np.concatenate([edge.line for edge in edges]))
    offsets = np.concatenate([[0], np.cumsum([len(edge.line) for edge in edges])])
    return Layer(
        "network_edges",
        f"{name}: walking network",
        "network",
        Lines(vertices, offsets, np.arange(len(edges), dtype=np.int32)),
        _edge_table(edges, vertices, offsets),
        style=Style(visible=False, colour_by=WAY),
        stratum="indoor",
        source=Source(part="network_edges"),
        issues=issues,
    )


def text_column(values: Sequence[str], title: str = "") -> Column:
    """A column of text."""
    column = np.empty(len(values), dtype=object)
    column[:] = list(values)
    return Column(column, "", title)


def _node_table(nodes: list[Node]) -> ElementTable:
    return ElementTable(
        [node.id for node in nodes],
        {
            "name": text_column([node.name for node in nodes]),
            NODE: text_column([node.node for node in nodes]),
            ROOM: text_column([node.room for node in nodes]),
            STOREY: text_column([node.storey for node in nodes]),
            CLEAR_WIDTH: Column(np.array([node.width for node in nodes], dtype=np.float64), "m"),
            DERIVED: Column(np.array([node.derived for node in nodes], dtype=bool)),
        },
    )


def _edge_table(edges: list[Edge], vertices: Floats, offsets: NDArray[np.int64]) -> ElementTable:
    step = np.linalg.norm(np.diff(vertices, axis=0), axis=1)
    along = np.concatenate([[0.0], np.cumsum(step)])
    # Lengths of whole lines: what lies between the end of one line and the start of the next is not counted.
    length = along[offsets[1:] - 1] - along[offsets[:-1]]
    rise = vertices[offsets[1:] - 1, 2] - vertices[offsets[:-1], 2]
    return ElementTable(
        [f"{edge.start}>{edge.end}#{number}" for number, edge in enumerate(edges)],
        {
            WAY: text_column([edge.way for edge in edges]),
            FROM_NODE: text_column([edge.start for edge in edges]),
            TO_NODE: text_column([edge.end for edge in edges]),
            LENGTH: Column(length, "m"),
            RISE: Column(rise, "m"),
            CLEAR_WIDTH: Column(np.array([edge.width for edge in edges], dtype=np.float64), "m"),
            ROOM: text_column([edge.room for edge in edges]),
            DERIVED: Column(np.array([edge.derived for edge in edges], dtype=bool)),
        },
    )
