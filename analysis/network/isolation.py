"""Which valves shut a broken pipe off, and who then has no supply."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analysis.contract import Quantity, Result, Table
from analysis.network.built import SERVICES, SOURCES, Built, Located, build, locate
from analysis.network.declaration import IsolationParams, NetworkInputs
from analysis.network.outcome import line_layer, node_columns, pieces, pipe_columns, point_layer
from geo.model import Column, Feedback, Field, Issue, Layer, UserError

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Bools = NDArray[np.bool_]

PARTS = ("isolated", "cut off")
ACTIONS = ("close", "already closed", "shut down source")
REASONS = ("isolated", "cut off")

# The translations count these from 0 (``utility.isolation.assumption.0``): keep the order.
ASSUMPTIONS = (
    "The nearest valves on every way from the break are closed; a valve that the data call closed stays closed.",
    "Every valve can be found and works.",
    "Whoever has a pipe to a source that is still open is taken to be supplied, whatever the pressure.",
    "Valves are points of the node layers; a valve that is not on a pipe within the tolerance is not seen.",
)


def isolation(inputs: NetworkInputs, params: IsolationParams, feedback: Feedback) -> Result:
    """Shut off the named places."""
    from analysis.kernels.network_search import isolate

    issues: list[Issue] = []
    built = build(
        inputs.pipes, inputs.nodes, issues, feedback.part(0.0, 0.6),
        tolerance=params.tolerance, height_tolerance=params.height_tolerance, join=params.join,
    )  # fmt: skip
    places = locate(params.broken, built, inputs.frame, what="broken pipe")
    broken = _broken(built, places, whole=params.whole)
    feedback.step(0.6, "looking for valves")
    found = isolate(
        built.network,
        broken,
        valves=built.junctions_of(built.nodes.is_a("valve")),
        closed=built.closed,
        sources=built.junctions_of(built.nodes.is_a(*SOURCES)),
    )
    feedback.step(0.9, "writing the result")
    net = built.network
    cut = (found.cut_off[net.tail] | found.cut_off[net.head]) & ~found.edges
    edges = np.concatenate([np.flatnonzero(found.edges), np.flatnonzero(cut)])
    part = np.repeat([0, 1], [int(found.edges.sum()), int(cut.sum())])
    valves = _valves(built, found.to_close, found.already_closed, found.sources_inside)
    feeding = dict(zip(found.to_close.tolist(), found.feeding.tolist(), strict=True))
    customers, why = _customers(built, found.junctions, found.cut_off, found.to_close)
    issues += _issues(built, broken, found.sources_inside, valves)
    return _result(built, edges, part, valves, feeding, (customers, why), issues)


def _broken(built: Built, places: list[Located], *, whole: bool) -> Indices:
    """Edges that are broken: the one at each place, or all of the pipe that was chosen."""
    edges: set[int] = set()
    for located in places:
        if located.spot.edge < 0:
            raise UserError(
                f"{located.place.element_id} is a node, not a pipe.",
                "What is shut off is a pipe.",
                "Choose the pipe that is broken.",
                code="utility.not_a_pipe",
                values={"element": located.place.element_id},
            )
        edges.add(located.spot.edge)
        if whole and located.place.layer is not None:
            pipes, net = built.pipes, built.network
            mine = (pipes.layer == pipes.layer[located.line]) & (pipes.row == pipes.row[located.line])
            edges.update(np.flatnonzero(mine[net.line]).tolist())
    return np.array(sorted(edges), dtype=np.int64)


def _valves(built: Built, to_close: Indices, closed: Indices, sources: Indices) -> list[tuple[int, int]]:
    """Nodes to act on, as (node, index into `ACTIONS`)."""
    out = []
    kinds = ((to_close, "valve"), (closed, "valve"), (sources, "source"))
    for action, (junctions, sort) in enumerate(kinds):
        wanted = built.nodes.is_a("valve") if sort == "valve" else built.nodes.is_a(*SOURCES)
        nodes = np.flatnonzero(np.isin(built.network.of_node, junctions) & wanted)
        out += [(int(node), action) for node in nodes]
    return out


def _customers(built: Built, inside: Bools, cut_off: Bools, to_close: Indices) -> tuple[Indices, Indices]:
    """Service nodes that lose their supply, and why (index into `REASONS`)."""
    at = built.network.of_node
    service = built.nodes.is_a(*SERVICES)
    # A service right at a closed valve hangs on its far side: it is lost only if that side is.
    isolated = service & inside[at] & ~np.isin(at, to_close)
    lost = service & cut_off[at]
    nodes = np.flatnonzero(isolated | lost)
    return nodes, np.where(isolated[nodes], 0, 1)


def _issues(built: Built, broken: Indices, sources: Indices, valves: list[tuple[int, int]]) -> list[Issue]:
    issues = []
    part = built.network.parts()
    mine = np.isin(part, np.unique(part[built.network.tail[broken]]))
    known = built.junctions_of(built.nodes.is_a(*SOURCES))
    if not (known & mine).any():
        text = "The network of the break has no source: nobody outside the isolated part can be said to lose supply."
        issues.append(Issue("utility.no_source", text, "doubt"))
    if not built.junctions_of(built.nodes.is_a("valve"))[mine].any():
        text = "The network of the break has no valve: all of it is shut off."
        issues.append(Issue("utility.no_valve", text, "error"))
    if len(sources):
        text = f"{len(sources)} sources lie inside the isolated part: no valve shuts them off."
        issues.append(Issue("utility.source_inside", text, "error", count=len(sources)))
    unknown = [node for node, action in valves if action == 0 and built.nodes.status[node] == ""]
    if unknown:
        ids = tuple(str(built.nodes.id[node]) for node in unknown)
        text = f"{len(ids)} valves do not say whether they are open; they are taken as open."
        issues.append(Issue("utility.valve_status", text, "note", count=len(ids), elements=ids))
    return issues


def _result(
    built: Built,
    edges: Indices,
    part: Indices,
    valves: list[tuple[int, int]],
    feeding: dict[int, bool],
    lost: tuple[Indices, Indices],
    issues: list[Issue],
) -> Result:
    net, pipes = built.network, built.pipes
    line, length = net.line[edges], net.length[edges]
    columns = pipe_columns(pipes, line) | {
        "length": Column(length, "m"),
        "part": Column(np.array(PARTS, dtype=object)[part]),
    }
    codes = (part + 1).astype(np.int8)  # the first hue is nearly that of water
    field = Field("part", "1", "element", codes, categories=("supplied", *PARTS), ramp="classes")
    shape = pieces(pipes, line, net.start[edges], net.stop[edges])
    layers: list[Layer] = [line_layer("isolated", "Pipes without supply", shape, columns, field)]
    node, action = (np.array(column, dtype=np.int64) for column in (zip(*valves, strict=True) if valves else ([], [])))
    feeds = [feeding.get(int(net.of_node[n]), False) and a == 0 for n, a in valves]
    valve_columns = node_columns(built, node) | {
        "action": Column(np.array(ACTIONS, dtype=object)[action]),
        "feeding": Column(np.array(feeds, dtype=bool)),
    }
    if len(node):
        field = Field("action", "1", "element", action.astype(np.int8), categories=ACTIONS, ramp="classes")
        layers.append(point_layer("valves", "Valves", built.nodes.vertices[node], valve_columns, field))
    customers, why = lost
    customer_columns = node_columns(built, customers) | {"part": Column(np.array(REASONS, dtype=object)[why])}
    if len(customers):
        codes = (why + 1).astype(np.int8)
        field = Field("part", "1", "element", codes, categories=("supplied", *REASONS), ramp="classes")
        points = built.nodes.vertices[customers]
        layers.append(point_layer("customers", "Without supply", points, customer_columns, field))
    isolated = part == 0
    summary = {
        "to_close": Quantity(int((action == 0).sum()), "1"),
        "already_closed": Quantity(int((action == 1).sum()), "1"),
        "sources_inside": Quantity(int((action == 2).sum()), "1"),
        "isolated_length": Quantity(float(length[isolated].sum()), "m"),
        "cut_off_length": Quantity(float(length[~isolated].sum()), "m"),
        "customers": Quantity(len(customers), "1"),
        "customers_isolated": Quantity(int((why == 0).sum()), "1"),
        "customers_cut_off": Quantity(int((why == 1).sum()), "1"),
    }
    return Result(
        layers=tuple(layers),
        summary=summary,
        tables=(
            Table("valve_list", "Valves", valve_columns),
            Table("customer_list", "Without supply", customer_columns),
            Table("isolated_pipes", "Pipes without supply", columns),
        ),
        issues=tuple(issues),
        assumptions=ASSUMPTIONS,
    )
