"""The network of the chosen layers, the way water runs in it, and places on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.network.declaration import Join, Unknown
from analysis.network.joints import linked_ends
from analysis.network.pipes import NodeSet, PipeSet, nodes_of, pipes_of, stated_nodes
from analysis.places import Place, read_places
from geo.model import Feedback, Frame, Issue, Layer, UserError

if TYPE_CHECKING:
    from analysis.kernels.network import Network
    from analysis.kernels.network_search import Spot

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Bools = NDArray[np.bool_]

SOURCES = ("tank", "reservoir", "pump")
SERVICES = ("service", "hydrant", "meter")
FLAT = 0.001  # [m] ends nearer in height do not say which way water runs
FARTHEST = 20.0  # [m] from a place on the map to the pipe meant by it
EVIDENCE = ("invert", "slope", "source", "drawn", "shortest", "unknown")


@dataclass(frozen=True, eq=False)
class Built:
    """Pipes, nodes, and the graph they make."""

    pipes: PipeSet
    nodes: NodeSet
    network: Network

    def junctions_of(self, which: Bools) -> Bools:
        """(m,) junctions that have one of the nodes where `which` (p,) is true."""
        out = np.zeros(len(self.network.place), dtype=bool)
        out[self.network.of_node[which]] = True
        return out

    @property
    def closed(self) -> Bools:
        """(m,) junctions with a closed valve."""
        return self.junctions_of(self.nodes.is_closed_valve)


def build(
    pipe_layers: Sequence[Layer],
    node_layers: Sequence[Layer],
    issues: list[Issue],
    feedback: Feedback,
    *,
    tolerance: float,
    height_tolerance: float,
    join: Join,
    links: Sequence[Layer] = (),
) -> Built:
    """Read the layers and join what meets, and what links join. Raises `UserError` when there is no pipe.

    The last network is kept: the next question to the same layers is answered at once.
    """
    feedback.step(0.0, "reading the pipes")
    layers = (*pipe_layers, *node_layers, *links)
    asked = (
        *((layer.id, layer.name, id(layer.geometry), id(layer.table)) for layer in layers),
        len(pipe_layers),
        len(links),
    )
    key = (asked, tolerance, height_tolerance, join)
    kept = _last.get("network")
    if kept is None or kept.key != key:
        said: list[Issue] = []
        built = _build(pipe_layers, node_layers, links, said, feedback, (tolerance, height_tolerance, join))
        kept = _Kept(key, layers, built, tuple(said))
        _last["network"] = kept
    issues += kept.issues
    feedback.step(1.0, "joining the pipes")
    return kept.built


class _Kept(NamedTuple):
    """A network, what it was made from, and what was said of it. Holding the layers keeps their identities unique."""

    key: tuple[object, ...]
    layers: tuple[Layer, ...]
    built: Built
    issues: tuple[Issue, ...]


_last: dict[str, _Kept] = {}


def _build(
    pipe_layers: Sequence[Layer],
    node_layers: Sequence[Layer],
    links: Sequence[Layer],
    issues: list[Issue],
    feedback: Feedback,
    choices: tuple[float, float, Join],
) -> Built:
    from analysis.kernels.network import build_network

    tolerance, height_tolerance, join = choices
    pipes = pipes_of(pipe_layers, issues)
    if len(pipes) == 0:
        raise UserError(
            "The layers hold no pipe.",
            "They are empty, or no line in them has a length and finite coordinates.",
            "Choose a layer with pipes.",
            code="utility.no_pipes",
        )
    nodes = nodes_of(node_layers, pipes, issues, tolerance=tolerance)
    feedback.step(0.3, "joining the pipes")
    network = build_network(
        pipes.polylines(join),
        nodes.nodes(join),
        tolerance=tolerance,
        height_tolerance=height_tolerance,
        stated=stated_nodes(pipes, nodes),
        joined=linked_ends(pipes, links, issues),
    )
    return Built(pipes, nodes, network)


class Flow(NamedTuple):
    """The way water runs in each edge.

    Attributes
    ----------
    way : (e,) int64
        1 as drawn, -1 against, 0 not known.
    evidence : (e,) int64
        Index into `EVIDENCE`.
    """

    way: Indices
    evidence: Indices


def flow_of(built: Built, unknown: Unknown) -> Flow:
    """The way of the flow: by inverts, by the fall of the axis, outward from sources; else as `unknown` says.

    A fall counts only where the depth was measured or comes from a register: an assumed depth follows the ground and
    says nothing of the flow.
    """
    net, pipes = built.network, built.pipes
    way = np.zeros(len(net.line), dtype=np.int64)
    evidence = np.full(len(net.line), EVIDENCE.index("unknown"), dtype=np.int64)
    gravity = pipes.gravity[net.line]
    first, last = pipes.vertices[pipes.offsets[:-1], 2], pipes.vertices[pipes.offsets[1:] - 1, 2]
    falls = (
        ("invert", pipes.invert_up - pipes.invert_down),
        ("slope", np.where(pipes.quality.astype(str) == "assumed", np.nan, first - last)),
    )
    for name, fall in falls:
        drop = np.nan_to_num(fall[net.line])
        found = gravity & (way == 0) & (np.abs(drop) > FLAT)
        if name == "slope":  # inverts that are level are no reason to believe the axis
            found &= ~np.isfinite((pipes.invert_up - pipes.invert_down)[net.line])
        way[found], evidence[found] = np.sign(drop[found]).astype(np.int64), EVIDENCE.index(name)
    certain, shortest = _pressure(built, ~gravity)
    for name, guess in (("source", certain), ("drawn", np.ones_like(way)), ("shortest", shortest)):
        if name in ("source", unknown):
            found = (way == 0) & (guess != 0)
            way[found], evidence[found] = guess[found], EVIDENCE.index(name)
    return Flow(way, evidence)


def _pressure(built: Built, pressure: Bools) -> tuple[Indices, Indices]:
    """Certain way (only of edges under pressure) and the shortest way: from sources, or toward outfalls."""
    from analysis.kernels.network_search import flow_from_sources, with_closed

    open_net = with_closed(built.network, built.closed)
    sources = np.flatnonzero(built.junctions_of(built.nodes.is_a(*SOURCES)))
    outfalls = np.flatnonzero(built.junctions_of(built.nodes.is_a("outfall")))
    certain, outward = flow_from_sources(open_net, sources)
    _, upward = flow_from_sources(open_net, outfalls)
    return np.where(pressure, certain, 0), np.where(pressure, outward, -upward)


class Located(NamedTuple):
    """A place on the network: what was named, where on the graph, and where in space."""

    place: Place
    spot: Spot
    line: int
    point: Floats


def locate(text: str, built: Built, frame: Frame, *, what: str) -> list[Located]:
    """The places in a parameter on the network. Raises `UserError` when there is none, or no pipe is near."""
    places = read_places(text, (*built.pipes.layers, *built.nodes.layers), frame)
    if not places:
        raise UserError(
            f"No place is named for: {what}.",
            "The study needs to know where on the network it is.",
            "Select a pipe or a node, click a place, or give easting and northing.",
            code="utility.no_place",
            values={"what": what},
        )
    return [_located(place, built) for place in places]


def _located(place: Place, built: Built) -> Located:
    from analysis.kernels.network_search import Spot

    node = _node_of(place, built)
    if node >= 0:
        junction = int(built.network.of_node[node])
        return Located(place, Spot(junction), -1, built.network.place[junction])
    lines = _lines_of(place, built)
    line, at, point, distance = nearest_on(built.pipes, lines, place.point)
    if place.layer is None and distance > FARTHEST:
        raise UserError(
            f"No pipe lies within {FARTHEST:g} m of the place.",
            f"The nearest is {distance:.0f} m away.",
            "Choose a place on a pipe, or select a pipe.",
            code="utility.far_place",
            values={"reach": f"{FARTHEST:g}", "distance": f"{distance:.0f}"},
        )
    edge = _edge_at(built.network, line, at)
    return Located(place, Spot(-1, edge, at - float(built.network.start[edge])), line, point)


def _node_of(place: Place, built: Built) -> int:
    for number, layer in enumerate(built.nodes.layers):
        if place.layer is layer:
            found = np.flatnonzero((built.nodes.layer == number) & (built.nodes.row == place.row))
            if len(found):
                return int(found[0])
            raise _no_shape(place)
    return -1


def _lines_of(place: Place, built: Built) -> Indices:
    if place.layer is None:
        return np.arange(len(built.pipes))
    number = next(k for k, layer in enumerate(built.pipes.layers) if layer is place.layer)
    lines = np.flatnonzero((built.pipes.layer == number) & (built.pipes.row == place.row))
    if len(lines) == 0:
        raise _no_shape(place)
    return lines


def _no_shape(place: Place) -> UserError:
    return UserError(
        f"{place.element_id} has no usable place.",
        "It has no length or no finite coordinates.",
        "Choose another element.",
        code="utility.no_shape",
        values={"element": place.element_id},
    )


def _edge_at(network: Network, line: int, at: float) -> int:
    edges = np.flatnonzero(network.line == line)
    inside = edges[(network.start[edges] <= at) & (at <= network.stop[edges])]
    return int(inside[0] if len(inside) else edges[-1])


def nearest_on(pipes: PipeSet, lines: Indices, point: Floats) -> tuple[int, float, Floats, float]:
    """The place on some polylines nearest to a point: polyline, length along it, point there, distance [m].

    In plan; where the point has a height and several lie equally near, the nearest in height.
    """
    part = pipes.kept(lines)
    first = np.delete(np.arange(len(part.vertices)), part.offsets[1:] - 1)
    a, b = part.vertices[first], part.vertices[first + 1]
    way = b - a
    square = (way[:, :2] ** 2).sum(axis=1)
    share = ((point[:2] - a[:, :2]) * way[:, :2]).sum(axis=1) / np.where(square > 0, square, 1.0)
    share = np.clip(share, 0.0, 1.0)
    foot = a + share[:, None] * way
    distance = np.hypot(*(foot[:, :2] - point[:2]).T)
    drop = np.abs(foot[:, 2] - point[2]) if np.isfinite(point[2]) else np.zeros(len(foot))
    best = int(np.lexsort((drop, np.round(distance, 3)))[0])
    along = part.along
    at = along[first[best]] + share[best] * (along[first[best] + 1] - along[first[best]])
    line = int(np.searchsorted(part.offsets, first[best], side="right")) - 1
    return int(lines[line]), float(at), foot[best], float(distance[best])


def piece(pipes: PipeSet, line: int, start: float, stop: float) -> Floats:
    """Points (n, 3) of a polyline between two lengths along it [m], backwards when start > stop."""
    low, high = min(start, stop), max(start, stop)
    rows = slice(int(pipes.offsets[line]), int(pipes.offsets[line + 1]))
    along, points = pipes.along[rows], pipes.vertices[rows]
    inner = (along > low + 1e-9) & (along < high - 1e-9)
    at = np.concatenate([[low], along[inner], [high]])
    out = np.column_stack([np.interp(at, along, points[:, axis]) for axis in range(3)])
    return out[::-1] if start > stop else out
