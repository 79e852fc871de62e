"""Searches in a pipe network: distances along pipes, bridges, the way of the flow, isolation, shortest paths.

Import this module inside functions: it loads Numba. The kernels release the interpreter lock.

References
----------
E. W. Dijkstra: A note on two problems in connexion with graphs. Numerische Mathematik 1, 1959. doi:10.1007/BF01386390
R. E. Tarjan: A note on finding the bridges of a graph. Information Processing Letters 2(6), 1974.
doi:10.1016/0020-0190(74)90003-9
"""

from __future__ import annotations

import heapq
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from analysis.kernels.network import Network, half_edges

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Bools = NDArray[np.bool_]


class Reach(NamedTuple):
    """What a search reached.

    Attributes
    ----------
    distance : (m,) float64 [m]
        Along pipes to each junction, inf where it was not reached.
    by_edge, before : (m,) int64
        Edge and junction it was reached by; -1 at the starts and where it was not reached.
    """

    distance: Floats
    by_edge: Indices
    before: Indices


def with_closed(network: Network, closed: Bools) -> Network:
    """The same network, cut through at junctions where `closed` (m,) is true: nothing passes a closed valve.

    Each edge that ends there gets a junction of its own, numbered from m on.
    """
    tail, head, count = network.tail.copy(), network.head.copy(), len(network.place)
    at_tail, at_head = np.flatnonzero(closed[tail]), np.flatnonzero(closed[head])
    old = np.concatenate([tail[at_tail], head[at_head]])
    tail[at_tail] = count + np.arange(len(at_tail))
    head[at_head] = count + len(at_tail) + np.arange(len(at_head))
    rows = half_edges(tail, head, count + len(old))
    return network._replace(
        place=np.concatenate([network.place, network.place[old]]),
        group=np.concatenate([network.group, network.group[old]]),
        tail=tail, head=head, begin=rows[0], other=rows[1], via=rows[2], forward=rows[3],
    )  # fmt: skip


def reach(
    network: Network,
    starts: Indices,
    begin_at: Floats | None = None,
    *,
    allowed: Bools | None = None,
    stop_at: Bools | None = None,
) -> Reach:
    """Shortest ways along pipes from junctions.

    Parameters
    ----------
    starts : (s,) int64
    begin_at : (s,) float64 [m], optional
        What each start already has behind it; 0 when not given.
    allowed : (e, 2) bool, optional
        Whether each edge may be gone along as drawn (column 0) and against (column 1); all when not given.
    stop_at : (m,) bool, optional
        Junctions that are reached but not passed (also when they are starts).
    """
    count = len(network.place)
    begin_at = np.zeros(len(starts)) if begin_at is None else np.asarray(begin_at, dtype=np.float64)
    allowed = np.ones((len(network.line), 2), dtype=bool) if allowed is None else np.ascontiguousarray(allowed)
    stop_at = np.zeros(count, dtype=bool) if stop_at is None else np.ascontiguousarray(stop_at)
    found = _dijkstra(
        network.begin, network.other, network.via, network.forward, network.length,
        allowed, stop_at, np.asarray(starts, dtype=np.int64), begin_at,
    )  # fmt: skip
    return Reach(*found)


@njit(cache=True, nogil=True)
def _dijkstra(
    begin: Indices,
    other: Indices,
    via: Indices,
    forward: Bools,
    length: Floats,
    allowed: Bools,
    stop_at: Bools,
    starts: Indices,
    begin_at: Floats,
) -> tuple[Floats, Indices, Indices]:
    count = len(begin) - 1
    distance = np.full(count, np.inf)
    by_edge = np.full(count, -1, dtype=np.int64)
    before = np.full(count, -1, dtype=np.int64)
    done = np.zeros(count, dtype=np.bool_)
    heap = [(0.0, np.int64(0)) for _ in range(0)]
    for k in range(len(starts)):
        if begin_at[k] < distance[starts[k]]:
            distance[starts[k]] = begin_at[k]
            heapq.heappush(heap, (begin_at[k], starts[k]))
    while len(heap):
        travelled, junction = heapq.heappop(heap)
        if done[junction]:
            continue
        done[junction] = True
        if stop_at[junction]:
            continue
        for half in range(begin[junction], begin[junction + 1]):
            edge, there = via[half], other[half]
            if done[there] or not allowed[edge, 0 if forward[half] else 1]:
                continue
            if travelled + length[edge] < distance[there]:
                distance[there] = travelled + length[edge]
                by_edge[there], before[there] = edge, junction
                heapq.heappush(heap, (distance[there], there))
    return distance, by_edge, before


def trail(found: Reach, junction: int) -> list[tuple[int, int]]:
    """Edges from the start of a search to a junction, as (edge, junction before it), in order."""
    back = []
    while found.by_edge[junction] >= 0:
        back.append((int(found.by_edge[junction]), int(found.before[junction])))
        junction = int(found.before[junction])
    return back[::-1]


def flow_from_sources(network: Network, sources: Indices) -> tuple[Indices, Indices]:
    """The way water must go in a network under pressure, and the way a shortest supply would go.

    Water in a pipe that is the only way from every source to what lies behind it must flow outward. In a loop, and
    between two sources, the way depends on pressures and demands: it is not known from the plan alone.

    Parameters
    ----------
    sources : (s,) int64
        Junctions of tanks, reservoirs and pumps.

    Returns
    -------
    certain : (e,) int64
        1 as drawn, -1 against, 0 not known.
    shortest : (e,) int64
        The way by increasing distance from the nearest source; 0 where there is no source or no difference.
    """
    found = reach(network, sources)
    a, b = found.distance[network.tail], found.distance[network.head]
    known = np.isfinite(a) & np.isfinite(b)
    gap = np.where(known, np.where(known, b, 0.0) - np.where(known, a, 0.0), 0.0)
    shortest = np.where(np.abs(gap) > 1e-9, np.sign(gap), 0.0).astype(np.int64)
    # All sources as one: a way between two of them is then a loop.
    origin = len(network.place)
    tail = np.concatenate([network.tail, np.full(len(sources), origin)])
    head = np.concatenate([network.head, sources])
    bridge, order = _bridges(*half_edges(tail, head, origin + 1)[:3], len(tail), origin)
    mine = bridge[: len(network.line)]
    outward = np.where(order[network.tail] < order[network.head], 1, -1)
    return np.where(mine, outward, 0).astype(np.int64), shortest


@njit(cache=True, nogil=True)
def _bridges(begin: Indices, other: Indices, via: Indices, edges: int, root: int) -> tuple[Bools, Indices]:
    """Edges whose removal cuts something off the root, and the order in which junctions were first met."""
    count = len(begin) - 1
    order = np.full(count, -1, dtype=np.int64)
    low = np.zeros(count, dtype=np.int64)
    bridge = np.zeros(edges, dtype=np.bool_)
    place = begin[:-1].copy()
    stack, came = np.empty(count, dtype=np.int64), np.full(count, -1, dtype=np.int64)
    stack[0], top, clock = root, 1, 1
    order[root], low[root] = 0, 0
    while top:
        junction = stack[top - 1]
        if place[junction] < begin[junction + 1]:
            half = place[junction]
            place[junction] += 1
            there, edge = other[half], via[half]
            if edge == came[junction]:
                continue
            if order[there] < 0:
                order[there], low[there] = clock, clock
                clock += 1
                came[there] = edge
                stack[top] = there
                top += 1
            elif order[there] < low[junction]:
                low[junction] = order[there]
            continue
        top -= 1
        if top:
            parent = stack[top - 1]
            if low[junction] < low[parent]:
                low[parent] = low[junction]
            if low[junction] > order[parent]:
                bridge[came[junction]] = True
    return bridge, order


class Isolation(NamedTuple):
    """What is shut off around a break.

    Attributes
    ----------
    junctions : (m,) bool
        Inside the isolated part or on its rim.
    edges : (e,) bool
    to_close, already_closed : (v,) int64
        Junctions of valves on the rim.
    feeding : (v,) bool
        Of those to close: whether a source lies behind it. The others only keep water beyond from running back.
    sources_inside : (s,) int64
        Sources that no valve cuts off: they must be shut down themselves.
    cut_off : (m,) bool
        Junctions outside the part that had a source before and have none after.
    """

    junctions: Bools
    edges: Bools
    to_close: Indices
    already_closed: Indices
    feeding: Bools
    sources_inside: Indices
    cut_off: Bools


def isolate(network: Network, broken: Indices, *, valves: Bools, closed: Bools, sources: Bools) -> Isolation:
    """The nearest closed set of valves around broken edges.

    Parameters
    ----------
    broken : (b,) int64
        Edges.
    valves, closed, sources : (m,) bool
        Junctions with a valve; with a valve that is closed now; with a source.
    """
    starts = np.unique(np.concatenate([network.tail[broken], network.head[broken]]))
    inside = np.isfinite(reach(network, starts, stop_at=valves).distance)
    through = inside & ~valves
    edges = through[network.tail] | through[network.head]
    edges[broken] = True
    outer = np.zeros(len(inside), dtype=bool)  # junctions where a pipe outside the part ends
    outer[network.tail[~edges]] = outer[network.head[~edges]] = True
    rim = inside & valves & outer
    to_close = np.flatnonzero(rim & ~closed)
    allowed = np.repeat(~edges[:, None], 2, axis=1)
    before = _fed(network, sources, closed, None)
    after = _fed(network, sources & ~through, closed | rim, allowed)
    beyond = _fed(network, sources & ~through, closed, allowed)
    outside = ~inside
    return Isolation(
        inside,
        edges,
        to_close,
        np.flatnonzero(rim & closed),
        beyond[to_close],
        np.flatnonzero(sources & through),
        before & ~after & outside,
    )


def _fed(network: Network, sources: Bools, closed: Bools, allowed: Bools | None) -> Bools:
    """(m,) junctions that a source reaches; a closed valve is reached but not passed."""
    return np.isfinite(reach(network, np.flatnonzero(sources), allowed=allowed, stop_at=closed).distance)


class Spot(NamedTuple):
    """A place on a pipe: edge and length from its start [m], or a junction (edge -1)."""

    junction: int
    edge: int = -1
    at: float = 0.0


class Path(NamedTuple):
    """A way along pipes.

    Attributes
    ----------
    edges : (n,) int64
    start, stop : (n,) float64 [m]
        Piece of each edge, along its polyline; start > stop where it is gone against the drawing.
    length : float [m]
    """

    edges: Indices
    start: Floats
    stop: Floats
    length: float


def shortest_path(
    network: Network, origin: Spot, target: Spot, *, stop_at: Bools | None = None, allowed: Bools | None = None
) -> Path | None:
    """The shortest way between two places, or None when there is none."""
    found = reach(network, *_launch(network, origin), stop_at=stop_at, allowed=allowed)
    junctions, rest = _launch(network, target)
    total = found.distance[junctions] + rest
    best = int(np.argmin(total))
    length, direct = float(total[best]), np.inf
    if origin.edge >= 0 and origin.edge == target.edge:
        direct = abs(target.at - origin.at)
    if not np.isfinite(min(length, direct)):
        return None
    base = network.start
    if direct <= length:
        e = origin.edge
        return Path(np.array([e]), np.array([base[e] + origin.at]), np.array([base[e] + target.at]), float(direct))
    pieces: list[tuple[int, float, float]] = []
    last = int(junctions[best])
    steps = trail(found, last)
    first = steps[0][1] if steps else last
    if origin.edge >= 0:
        pieces.append(_stub(network, origin, first, outward=True))
    for edge, before in steps:
        drawn = network.tail[edge] == before
        a, b = float(network.start[edge]), float(network.stop[edge])
        pieces.append((edge, a, b) if drawn else (edge, b, a))
    if target.edge >= 0:
        pieces.append(_stub(network, target, last, outward=False))
    pieces = [piece for piece in pieces if piece[1] != piece[2]] or pieces[:1]
    columns = list(zip(*pieces, strict=True)) if pieces else [(), (), ()]
    return Path(np.array(columns[0], dtype=np.int64), np.array(columns[1]), np.array(columns[2]), length)


def _launch(network: Network, spot: Spot) -> tuple[Indices, Floats]:
    """Junctions next to a place, and how far they are."""
    if spot.edge < 0:
        return np.array([spot.junction]), np.zeros(1)
    e = spot.edge
    ends = np.array([network.tail[e], network.head[e]], dtype=np.int64)
    return ends, np.array([spot.at, float(network.length[e]) - spot.at])


def _stub(network: Network, spot: Spot, junction: int, *, outward: bool) -> tuple[int, float, float]:
    """The piece of an edge between a place on it and the nearer way to a junction at one of its ends."""
    e = spot.edge
    here = float(network.start[e]) + spot.at
    at_tail, at_head = network.tail[e] == junction, network.head[e] == junction
    tail_side = at_tail and not (at_head and spot.at > float(network.length[e]) - spot.at)
    there = float(network.start[e] if tail_side else network.stop[e])
    return (e, here, there) if outward else (e, there, here)
