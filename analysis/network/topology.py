"""The health of a pipe network: connections that look broken, and the parts that do not hang together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from analysis.contract import Quantity, Result, Table
from analysis.network.built import SERVICES, SOURCES, Built, build
from analysis.network.declaration import NetworkInputs, TopologyParams
from analysis.network.outcome import line_layer, pieces, pipe_columns, point_layer
from geo.model import Column, Feedback, Field, Issue, Layer

if TYPE_CHECKING:
    from analysis.kernels.network_health import Faults

Indices = NDArray[np.int64]

SEVERITIES = ("note", "doubt", "error")
SEVERITY_OF = {"gap": 2, "height_gap": 2, "dangling": 0, "loose_node": 1, "overlap": 1}
EVIDENCE = {
    "gap": "ends {size:.3f} m from {other}",
    "height_gap": "ends {size:.2f} m above or below {other}",
    "dangling": "ends without a node and without another pipe",
    "loose_node": "no pipe at this node",
    "overlap": "lies on {other} for {size:.2f} m",
}
ISSUE_IDS = 50

# The translations count these from 0 (``utility.topology.assumption.0``): keep the order.
ASSUMPTIONS = (
    "Pipes are joined where their ends meet within the tolerance; two that only cross are not.",
    "An end that misses another pipe by up to five times the tolerance was probably meant to meet it.",
    "A pipe may rightly end in nothing, at a cap or at the edge of the map: such ends are only noted.",
)


def topology(inputs: NetworkInputs, params: TopologyParams, feedback: Feedback) -> Result:
    """Join the network and list what looks broken."""
    from analysis.kernels.network_health import find_faults

    issues: list[Issue] = []
    built = build(
        inputs.pipes, inputs.nodes, issues, feedback.part(0.0, 0.6),
        tolerance=params.tolerance, height_tolerance=params.height_tolerance, join=params.join,
    )  # fmt: skip
    feedback.step(0.6, "looking for broken connections")
    faults = find_faults(
        built.network, built.pipes.polylines(params.join), built.nodes.nodes(params.join),
        tolerance=params.tolerance, height_tolerance=params.height_tolerance,
    )  # fmt: skip
    feedback.step(0.8, "writing the result")
    part = built.network.parts()
    table = _part_table(built, part)
    columns, severity = _fault_columns(built, faults)
    layers = [_part_layer(built, part)]
    if len(faults.kind):
        codes = (severity + 1).astype(np.int8)
        field = Field("severity", "1", "element", codes, categories=("ok", *SEVERITIES), ramp="severity")
        layers.append(point_layer("faults", "Doubtful connections", faults.place, columns, field))
    return Result(
        layers=tuple(layers),
        summary=_summary(built, faults, table),
        tables=(Table("fault_list", "Doubtful connections", columns), table),
        issues=(*issues, *_issues(faults, columns, table)),
        assumptions=ASSUMPTIONS,
    )


def _fault_columns(built: Built, faults: Faults) -> tuple[dict[str, Column], Indices]:
    from analysis.kernels.network_health import KINDS

    pipes, nodes = built.pipes, built.nodes
    is_node = faults.node >= 0
    element, utility = np.full(len(faults.kind), "", object), np.full(len(faults.kind), "", object)
    for source, rows, which in ((pipes, faults.line, ~is_node), (nodes, faults.node, is_node)):
        element[which], utility[which] = source.id[rows[which]], source.utility[rows[which]]
    other = np.array(["" if o < 0 else str(pipes.id[o]) for o in faults.other], dtype=object)
    kind = np.array(KINDS, dtype=object)[faults.kind]
    severity = np.array([SEVERITY_OF[k] for k in kind], dtype=np.int64)
    evidence = [EVIDENCE[k].format(size=s, other=o) for k, s, o in zip(kind, faults.size, other, strict=True)]
    columns = {
        "element": Column(element),
        "utility": Column(utility),
        "fault": Column(kind),
        "severity": Column(np.array(SEVERITIES, dtype=object)[severity]),
        "other": Column(other),
        "size": Column(faults.size, "m"),
        "evidence": Column(np.array(evidence, dtype=object)),
    }
    return columns, severity


def _part_layer(built: Built, part: Indices) -> Layer:
    net, pipes = built.network, built.pipes
    mine = part[net.of_end[:, 0]]
    every = np.arange(len(pipes))
    total = pipes.along[pipes.offsets[1:] - 1]
    columns = pipe_columns(pipes, every) | {"part": Column(mine + 1, "1"), "length": Column(total, "m")}
    field = Field("part", "1", "element", (mine + 1).astype(np.int64))
    return line_layer("parts", "Connected parts", pieces(pipes, every, np.zeros(len(pipes)), total), columns, field)


def _part_table(built: Built, part: Indices) -> Table:
    """One row for each connected part that has a pipe, the longest first."""
    net, pipes, nodes = built.network, built.pipes, built.nodes
    of_line, of_node = part[net.of_end[:, 0]], part[net.of_node]
    count = int(of_line.max()) + 1
    has_pipe = np.bincount(of_line, minlength=count) > 0
    utility = np.full(count, "", dtype=object)
    utility[of_line[::-1]] = pipes.utility[::-1]
    inside = of_node < count

    def nodes_in(*kinds: str) -> Indices:
        return np.bincount(of_node[inside & nodes.is_a(*kinds)], minlength=count)

    columns = {
        "part": Column(np.arange(1, count + 1), "1"),
        "utility": Column(utility),
        "pipes": Column(np.bincount(of_line, minlength=count), "1"),
        "length": Column(np.bincount(part[net.tail], weights=net.length, minlength=count)[:count], "m"),
        "nodes": Column(np.bincount(of_node[inside], minlength=count), "1"),
        "sources": Column(nodes_in(*SOURCES), "1"),
        "valves": Column(nodes_in("valve"), "1"),
        "services": Column(nodes_in(*SERVICES), "1"),
    }
    kept = {name: Column(column.values[has_pipe], column.unit) for name, column in columns.items()}
    return Table("part_list", "Connected parts", kept)


def _summary(built: Built, faults: Faults, parts: Table) -> dict[str, Quantity]:
    from analysis.kernels.network_health import KINDS

    net, pipes = built.network, built.pipes
    elements = len(np.unique(pipes.layer * (int(pipes.row.max()) + 1) + pipes.row))
    joints = len(net.line) - len(pipes)
    summary = {
        "pipes": Quantity(elements, "1"),
        "length": Quantity(float(net.length.sum()), "m"),
        "junctions": Quantity(int((net.degree() > 0).sum()), "1"),
        "joints": Quantity(joints, "1"),
        "nodes": Quantity(len(built.nodes), "1"),
        "parts": Quantity(len(parts), "1"),
    }
    counts = np.bincount(faults.kind, minlength=len(KINDS))
    return summary | {kind: Quantity(int(n), "1") for kind, n in zip(KINDS, counts, strict=True)}


def _issues(faults: Faults, columns: dict[str, Column], parts: Table) -> list[Issue]:
    issues = []
    texts = {
        "gap": "{n} ends nearly meet another pipe but do not.",
        "height_gap": "{n} ends lie over or under another pipe of the same utility but do not meet it in height.",
        "loose_node": "{n} nodes have no pipe.",
        "overlap": "{n} pieces of pipes lie on another pipe of the same utility.",
    }
    for kind, text in texts.items():
        mine = columns["fault"].values == kind
        count = int(mine.sum())
        if count:
            ids = tuple(str(e) for e in columns["element"].values[mine][:ISSUE_IDS])
            severity = SEVERITIES[SEVERITY_OF[kind]]
            issues.append(
                Issue(f"utility.{kind}", text.format(n=count), severity, count=count, elements=ids)  # type: ignore[arg-type]
            )
    utility = parts.columns["utility"].values
    several = sorted({str(u) for u in utility if (utility == u).sum() > 1})
    if several:
        text = f"The network falls into parts that do not hang together: {', '.join(several)}."
        issues.append(Issue("utility.parts", text, "note", count=len(several), values={"kinds": ", ".join(several)}))
    return issues
