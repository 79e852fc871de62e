"""The shortest way along pipes between two places."""

from __future__ import annotations

import numpy as np

from analysis.contract import Quantity, Result, Table
from analysis.network.built import build, locate
from analysis.network.declaration import NetworkInputs, PathParams
from analysis.network.outcome import line_layer, node_columns, pieces, pipe_columns, point_layer
from analysis.network.run import run_between
from geo.model import Column, Feedback, Field, Issue, Layer

# The translations count these from 0 (``utility.path.assumption.0``): keep the order.
ASSUMPTIONS = (
    "Pipes are joined where their ends meet within the tolerance; two that only cross are not.",
    "The way is the shortest along the axes in space; it may go with or against the flow.",
    "A way from a pipe starts at the middle of the box around it.",
)


def path(inputs: NetworkInputs, params: PathParams, feedback: Feedback) -> Result:
    """Find the way."""
    issues: list[Issue] = []
    built = build(
        inputs.pipes, inputs.nodes, issues, feedback.part(0.0, 0.7),
        tolerance=params.tolerance, height_tolerance=params.height_tolerance, join=params.join,
    )  # fmt: skip
    origin = locate(params.origin, built, inputs.frame, what="from")[0]
    target = locate(params.target, built, inputs.frame, what="to")[0]
    stop_at = built.closed if params.closed_valves else np.zeros(len(built.network.place), dtype=bool)
    feedback.step(0.7, "looking for the way")
    run = run_between(built, origin, target, stop_at)
    feedback.step(0.9, "writing the result")
    length = run.length
    distance = np.concatenate([np.zeros(1), np.cumsum(length)])
    columns = pipe_columns(built.pipes, run.line) | {
        "order": Column(np.arange(1, len(length) + 1), "1"),
        "length": Column(length, "m"),
        "distance": Column(distance[:-1], "m"),
    }
    field = Field("distance", "m", "element", distance[:-1])
    shape = pieces(built.pipes, run.line, run.start, run.stop)
    layers: list[Layer] = [line_layer("path", "Way along pipes", shape, columns, field)]
    at = {int(j): float(d) for j, d in zip(run.junctions, distance, strict=True) if j >= 0}
    nodes = np.flatnonzero(np.isin(built.network.of_node, list(at)))
    along = np.array([at[int(j)] for j in built.network.of_node[nodes]], dtype=np.float64)
    order = np.lexsort((nodes, along))
    nodes, along = nodes[order], along[order]
    node_table = node_columns(built, nodes) | {"distance": Column(along, "m")}
    if len(nodes):
        field = Field("distance", "m", "element", along)
        layers.append(point_layer("path_nodes", "Nodes on the way", built.nodes.vertices[nodes], node_table, field))
    straight = float(np.linalg.norm((target.point - origin.point)[:2]))
    summary = {
        "length": Quantity(float(length.sum()), "m"),
        "straight": Quantity(straight, "m"),
        "pieces": Quantity(len(length), "1"),
        "nodes": Quantity(len(nodes), "1"),
        "valves": Quantity(int(built.nodes.is_a("valve")[nodes].sum()), "1"),
    }
    return Result(
        layers=tuple(layers),
        summary=summary,
        tables=(Table("way", "Way along pipes", columns), Table("way_nodes", "Nodes on the way", node_table)),
        issues=tuple(issues),
        assumptions=ASSUMPTIONS,
    )
