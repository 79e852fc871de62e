"""Shortest ways in a network: Dijkstra (1959), doi:10.1007/BF01386390, on compressed sparse rows.

Costs are of any unit, but never negative. Of several arcs between the same two nodes the cheapest counts, the first of
equal ones, so that the same arrays give the same way.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NOWHERE = -9999  # as SciPy marks a node without predecessor
LEAST = 1e-9  # an arc without cost would vanish from the sparse matrix


class Graph(NamedTuple):
    """A directed network.

    Attributes
    ----------
    nodes : int
        How many.
    tail, head : (m,) int64
    cost : (m,) float64
    arc : (m,) int64
        Number of the arc as it was given; only the cheapest of parallel arcs is kept. Sorted by tail and head.
    """

    nodes: int
    tail: Ints
    head: Ints
    cost: Floats
    arc: Ints


class Tree(NamedTuple):
    """Ways from the nearest of some sources to every node.

    Attributes
    ----------
    cost : (n,) float64
        Infinite where there is no way.
    before : (n,) int64
        The node before on the way, `NOWHERE` at sources and where there is no way.
    source : (n,) int64
        The source the way begins at, `NOWHERE` without a way.
    """

    cost: Floats
    before: Ints
    source: Ints


def make_graph(count: int, tail: Ints, head: Ints, cost: Floats) -> Graph:
    """A network of the arcs whose cost is finite.

    Raises
    ------
    ValueError
        For a negative cost.
    """
    arc = np.flatnonzero(np.isfinite(cost))
    if len(arc) and float(cost[arc].min()) < 0:
        raise ValueError("a cost is negative")
    order = arc[np.lexsort((arc, cost[arc], head[arc], tail[arc]))]
    first = np.ones(len(order), dtype=bool)
    first[1:] = (tail[order][1:] != tail[order][:-1]) | (head[order][1:] != head[order][:-1])
    kept = order[first]
    return Graph(count, tail[kept], head[kept], np.maximum(cost[kept], LEAST), kept)


def reversed_graph(graph: Graph) -> Graph:
    """The same network with every arc turned round."""
    order = np.lexsort((graph.tail, graph.head))
    return Graph(graph.nodes, graph.head[order], graph.tail[order], graph.cost[order], graph.arc[order])


def _matrix(graph: Graph) -> Any:
    from scipy.sparse import csr_array

    start = np.searchsorted(graph.tail, np.arange(graph.nodes + 1))
    return csr_array((graph.cost, graph.head.astype(np.int32), start.astype(np.int32)), shape=(graph.nodes,) * 2)


def shortest(graph: Graph, sources: Ints) -> Tree:
    """Ways from the nearest of `sources` to every node."""
    from scipy.sparse.csgraph import dijkstra

    nobody = np.full(graph.nodes, NOWHERE, dtype=np.int64)
    if graph.nodes == 0 or len(sources) == 0:
        return Tree(np.full(graph.nodes, np.inf), nobody, nobody)
    cost, before, source = dijkstra(
        _matrix(graph), directed=True, indices=np.unique(sources), return_predecessors=True, min_only=True
    )
    return Tree(np.asarray(cost, dtype=np.float64), before.astype(np.int64), source.astype(np.int64))


def way_to(graph: Graph, tree: Tree, goal: int) -> tuple[Ints, Ints]:
    """Nodes (k,) and arcs (k - 1,) as they were given, from the source to `goal`; empty where there is no way."""
    if not np.isfinite(tree.cost[goal]):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    nodes = [goal]
    while tree.before[nodes[-1]] != NOWHERE:
        nodes.append(int(tree.before[nodes[-1]]))
    nodes.reverse()
    arcs = [_arc(graph, a, b) for a, b in zip(nodes[:-1], nodes[1:], strict=True)]
    return np.array(nodes, dtype=np.int64), np.array(arcs, dtype=np.int64)


def _arc(graph: Graph, tail: int, head: int) -> int:
    low, high = np.searchsorted(graph.tail, [tail, tail + 1])
    return int(graph.arc[low + int(np.searchsorted(graph.head[low:high], head))])
