"""What lies upstream or downstream of a place, or is connected with it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.contract import Quantity, Result, Table
from analysis.network.built import EVIDENCE, Built, Flow, Located, build, flow_of, locate
from analysis.network.declaration import TraceInputs, TraceParams
from analysis.network.outcome import line_layer, node_columns, pieces, pipe_columns, point_layer, sums_by
from geo.model import Column, Feedback, Field, Issue, Layer, UserError

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Bools = NDArray[np.bool_]

WAY_OF_FLOW = {"downstream": 1, "upstream": -1, "connected": 0}
ISSUE_IDS = 50

# The translations count these from 0 (``utility.trace.assumption.0``): keep the order.
ASSUMPTIONS = (
    "Pipes are joined where their ends meet within the tolerance; two that only cross are not.",
    "A sewer runs by its inverts, else by the fall of its axis where the depth was measured or registered.",
    "In a network under pressure only the way of what has a single supply is certain; in loops it is not.",
    "A trace from a pipe starts at the middle of the box around it.",
    "A link between the street and a building that its rule found broken is not followed.",
)


class Traced(NamedTuple):
    """Pieces of pipes that a trace reaches: edge, where it is entered and left along the polyline, distance there."""

    edge: Indices
    start: Floats
    stop: Floats
    distance: Floats
    junctions: Floats
    blocked: Indices


def trace(inputs: TraceInputs, params: TraceParams, feedback: Feedback) -> Result:
    """Trace a network from the named places."""
    issues: list[Issue] = []
    built = build(
        inputs.pipes, inputs.nodes, issues, feedback.part(0.0, 0.5),
        tolerance=params.tolerance, height_tolerance=params.height_tolerance, join=params.join, links=inputs.links,
    )  # fmt: skip
    starts = locate(params.start, built, inputs.frame, what="start")
    feedback.step(0.5, "finding the way of the flow")
    flow = flow_of(built, params.unknown)
    stop_at = built.closed if params.closed_valves else np.zeros(len(built.network.place), dtype=bool)
    feedback.step(0.7, "tracing")
    found = follow(built, flow, starts, WAY_OF_FLOW[params.direction], stop_at)
    issues += _issues(built, flow, found, params)
    feedback.step(0.9, "writing the result")
    return _result(built, flow, found, params, issues)


def follow(built: Built, flow: Flow, starts: list[Located], sense: int, stop_at: Bools) -> Traced:
    """Pieces reached from places: with the flow (`sense` 1), against it (-1) or both ways (0)."""
    from analysis.kernels.network_search import reach

    net = built.network
    allowed = np.ones((len(net.line), 2), dtype=bool)
    if sense:
        allowed = np.column_stack([flow.way == sense, flow.way == -sense])
    junctions, begin_at, stubs = [], [], []
    for located in starts:
        spot = located.spot
        if spot.edge < 0:
            junctions.append(spot.junction)
            begin_at.append(0.0)
            continue
        here = float(net.start[spot.edge]) + spot.at
        ends = ((net.tail, net.start, 1), (net.head, net.stop, 0))
        for end, at, column in ends:
            if allowed[spot.edge, column]:
                junctions.append(int(end[spot.edge]))
                begin_at.append(abs(float(at[spot.edge]) - here))
                stubs.append((spot.edge, here, float(at[spot.edge])))
    found = reach(net, np.array(junctions, np.int64), np.array(begin_at), allowed=allowed, stop_at=stop_at)
    return _collect(built, found.distance, allowed, stop_at, stubs, {s.spot.edge for s in starts})


def _collect(
    built: Built, distance: Floats, allowed: Bools, stop_at: Bools, stubs: list[tuple[int, float, float]], own: set[int]
) -> Traced:
    net = built.network
    passed = np.where(stop_at, np.inf, distance)
    # Entered from its tail if gone as drawn is allowed, from its head if against; from the nearer if both.
    by_tail = np.where(allowed[:, 0], passed[net.tail], np.inf)
    by_head = np.where(allowed[:, 1], passed[net.head], np.inf)
    near = np.minimum(by_tail, by_head)
    edge = np.flatnonzero(np.isfinite(near) & ~np.isin(np.arange(len(near)), list(own)))
    drawn = by_tail[edge] <= by_head[edge]
    start = np.where(drawn, net.start[edge], net.stop[edge])
    stop = np.where(drawn, net.stop[edge], net.start[edge])
    first = [np.array(column) for column in zip(*stubs, strict=True)] or [np.zeros(0, np.int64), *[np.zeros(0)] * 2]
    edges = np.concatenate([first[0].astype(np.int64), edge])
    far = np.concatenate([np.zeros(len(first[0])), near[edge]])
    order = np.lexsort((edges, far))
    touched = np.isfinite(passed)
    shut = ~allowed.any(axis=1) & (touched[net.tail] | touched[net.head])
    return Traced(
        edges[order],
        np.concatenate([first[1], start])[order],
        np.concatenate([first[2], stop])[order],
        far[order],
        distance,
        np.flatnonzero(shut),
    )


def _issues(built: Built, flow: Flow, found: Traced, params: TraceParams) -> list[Issue]:
    issues = []
    if params.direction != "connected":
        if len(found.blocked):
            lines = built.network.line[found.blocked]
            ids = tuple(dict.fromkeys(built.pipes.id[lines].tolist()))
            text = f"The direction of {len(ids)} pipes at the traced run is not known; the trace stops there."
            issues.append(Issue("utility.direction_unknown", text, "doubt", count=len(ids), elements=ids[:ISSUE_IDS]))
        for name in ("drawn", "shortest"):
            count = int((flow.evidence[found.edge] == EVIDENCE.index(name)).sum())
            if count:
                text = f"The direction of {count} traced pieces is taken from the choice '{name}', not from data."
                issues.append(Issue(f"utility.direction_{name}", text, "doubt", count=count))
    if len(found.edge) == 0:
        text = "Nothing is reached: the direction of the pipe at the start is not known, or nothing follows it."
        issues.append(Issue("utility.nothing_reached", text, "doubt"))
    return issues


def _result(built: Built, flow: Flow, found: Traced, params: TraceParams, issues: list[Issue]) -> Result:
    if len(found.edge) == 0 and not np.isfinite(found.junctions).any():
        raise UserError(
            "The trace reaches nothing.",
            "The direction of the flow at the start is not known.",
            "Trace what is connected, or choose what counts where the direction is not known.",
            code="utility.trace_nothing",
        )
    net, pipes = built.network, built.pipes
    line = net.line[found.edge]
    length = np.abs(found.stop - found.start)
    count = len(found.edge)
    columns = pipe_columns(pipes, line) | {
        "length": Column(length, "m"),
        "distance": Column(found.distance, "m"),
        "order": Column(np.arange(1, count + 1), "1"),
        "direction": Column(np.array(EVIDENCE, dtype=object)[flow.evidence[found.edge]]),
    }
    layers: list[Layer] = []
    if count:
        field = Field("distance", "m", "element", found.distance)
        layers.append(line_layer("trace", "Traced pipes", pieces(pipes, line, found.start, found.stop), columns, field))
    nodes = np.flatnonzero(np.isfinite(found.junctions)[net.of_node])
    nodes = nodes[np.lexsort((nodes, found.junctions[net.of_node[nodes]]))]
    node_table = node_columns(built, nodes) | {"distance": Column(found.junctions[net.of_node[nodes]], "m")}
    if len(nodes):
        field = Field("distance", "m", "element", found.junctions[net.of_node[nodes]])
        layers.append(point_layer("trace_nodes", "Traced nodes", built.nodes.vertices[nodes], node_table, field))
    area = np.pi / 4 * np.nan_to_num(pipes.diameter[line]) ** 2
    reached = found.junctions[np.isfinite(found.junctions)]
    summary = {
        "pipes": Quantity(len(set(zip(pipes.layer[line].tolist(), pipes.row[line].tolist(), strict=True))), "1"),
        "length": Quantity(float(length.sum()), "m"),
        "farthest": Quantity(float(max(reached.max() if len(reached) else 0.0, 0.0)), "m"),
        "volume": Quantity(float((area * length).sum()), "m3"),
        "nodes": Quantity(len(nodes), "1"),
        "services": Quantity(int(built.nodes.is_a("service", "hydrant", "meter")[nodes].sum()), "1"),
        "unknown": Quantity(len(found.blocked), "1"),
    }
    return Result(
        layers=tuple(layers),
        summary=summary,
        tables=(
            Table("traced_pipes", "Traced pipes", columns),
            Table("traced_nodes", "Traced nodes", node_table),
            sums_by("by_utility", "Length by utility", pipes.utility[line], length),
        ),
        issues=tuple(issues),
        assumptions=ASSUMPTIONS,
    )
