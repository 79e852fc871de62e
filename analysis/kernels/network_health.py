"""Doubtful connections of a pipe network: ends that nearly meet, loose ends and nodes, pipes drawn twice.

Import this module inside functions: it loads SciPy and Numba.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.kernels.network import Network, Nodes, Polylines, near_segments, segment_tree

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

KINDS = ("gap", "height_gap", "dangling", "loose_node", "overlap")
NEAR = 5.0  # times the tolerance: what lies nearer than this was probably meant to meet
HEIGHT_REACH = 10.0  # [m] ends further apart in height are taken for different pipes


class Faults(NamedTuple):
    """Doubtful places.

    Attributes
    ----------
    kind : (n,) int64
        Index into `KINDS`.
    place : (n, 3) float64 [m]
    line, node : (n,) int64
        Polyline, -1 for a loose node; node, -1 for others.
    other : (n,) int64
        The polyline that it nearly meets or lies on, -1 for none.
    size : (n,) float64 [m]
        Gap in plan, gap in height, or length drawn twice; not-a-number for loose ends.
    """

    kind: Indices
    place: Floats
    line: Indices
    node: Indices
    other: Indices
    size: Floats


def find_faults(
    network: Network, pipes: Polylines, nodes: Nodes, *, tolerance: float, height_tolerance: float
) -> Faults:
    """All doubtful places of a network, sorted by kind, polyline and node."""
    parts = [
        *_loose_ends(network, pipes, tolerance=tolerance, height_tolerance=height_tolerance),
        _loose_nodes(network, nodes),
        _overlaps(network, pipes, tolerance),
    ]
    kind, line, node, other = (np.concatenate([part[k] for part in parts]) for k in (0, 2, 3, 4))
    place, size = np.concatenate([part.place for part in parts]), np.concatenate([part.size for part in parts])
    order = np.lexsort((other, node, line, kind))
    return Faults(kind[order], place[order], line[order], node[order], other[order], size[order])


def _faults(kind: str, place: Floats, line: Indices, node: Indices, other: Indices, size: Floats) -> Faults:
    return Faults(np.full(len(place), KINDS.index(kind), dtype=np.int64), place, line, node, other, size)


def _loose_ends(
    network: Network, pipes: Polylines, *, tolerance: float, height_tolerance: float
) -> tuple[Faults, Faults, Faults]:
    """Ends with nothing at them: those that nearly meet a pipe in plan, in height, and the rest."""
    has_node = np.zeros(len(network.place), dtype=bool)
    has_node[network.of_node] = True
    end_junction = network.of_end.reshape(-1)
    loose = np.flatnonzero((network.degree() == 1)[end_junction] & ~has_node[end_junction])
    ends = np.column_stack([pipes.offsets[:-1], pipes.offsets[1:] - 1]).reshape(-1)
    place, own = pipes.vertices[ends[loose]], loose // 2
    tree, a, b, line = segment_tree(pipes)
    height = np.full(len(place), max(height_tolerance, HEIGHT_REACH))
    end, segment, _, distance, drop = near_segments(tree, a, b, place, reach=NEAR * tolerance, height=height)
    other = line[segment]
    keep = (other != own[end]) & (pipes.group[other] == pipes.group[own[end]])
    end, other, distance, drop = end[keep], other[keep], distance[keep], np.abs(drop[keep])
    level = drop <= height_tolerance
    best = np.lexsort((other, distance, ~level, end))
    end, other, distance, drop, level = end[best], other[best], distance[best], drop[best], level[best]
    first = np.ones(len(end), dtype=bool)
    first[1:] = end[1:] != end[:-1]
    gap, step = first & level, first & ~level & (distance <= tolerance)
    rest = np.ones(len(place), dtype=bool)
    rest[end[gap | step]] = False
    none = np.full(int(rest.sum()), -1, dtype=np.int64)
    return (
        _faults("gap", place[end[gap]], own[end[gap]], other[gap] * 0 - 1, other[gap], distance[gap]),
        _faults("height_gap", place[end[step]], own[end[step]], other[step] * 0 - 1, other[step], drop[step]),
        _faults("dangling", place[rest], own[rest], none, none, np.full(len(none), np.nan)),
    )


def _loose_nodes(network: Network, nodes: Nodes) -> Faults:
    lone = np.flatnonzero(network.degree()[network.of_node] == 0)
    none = np.full(len(lone), -1, dtype=np.int64)
    return _faults("loose_node", nodes.vertices[lone], none, lone, none, np.full(len(lone), np.nan))


def _overlaps(network: Network, pipes: Polylines, tolerance: float) -> Faults:
    """Edges of different pipes between the same junctions, equally long and with the same middle."""
    low, high = np.minimum(network.tail, network.head), np.maximum(network.tail, network.head)
    length = network.length
    real = np.flatnonzero(length > tolerance)
    order = real[np.lexsort((network.line[real], length[real], high[real], low[real]))]
    a, b = order[:-1], order[1:]
    near = (low[a] == low[b]) & (high[a] == high[b]) & (np.abs(length[a] - length[b]) <= 2 * tolerance)
    near &= network.line[a] != network.line[b]
    a, b = a[near], b[near]
    middle = points_along(pipes, network.line[a], (network.start[a] + network.stop[a]) / 2)
    other = points_along(pipes, network.line[b], (network.start[b] + network.stop[b]) / 2)
    keep = np.hypot(*(middle - other)[:, :2].T) <= 2 * tolerance
    none = np.full(int(keep.sum()), -1, dtype=np.int64)
    a, b = a[keep], b[keep]
    first, second = np.minimum(network.line[a], network.line[b]), np.maximum(network.line[a], network.line[b])
    return _faults("overlap", middle[keep], second, none, first, length[b])


def points_along(pipes: Polylines, line: Indices, at: Floats) -> Floats:
    """Points (n, 3) at lengths `at` (n,) [m] along polylines (n,)."""
    along = pipes.along()
    # Lengths of all polylines in one rising row, so that one search finds every place.
    base = np.concatenate([np.zeros(1), np.cumsum(along[pipes.offsets[1:] - 1] + 1.0)])
    row = along + np.repeat(base[:-1], np.diff(pipes.offsets))
    first = np.searchsorted(row, at + base[line], side="right") - 1
    first = np.clip(first, pipes.offsets[line], pipes.offsets[line + 1] - 2)
    step = along[first + 1] - along[first]
    share = np.clip((at - along[first]) / np.where(step > 0, step, 1.0), 0.0, 1.0)
    return np.asarray(pipes.vertices[first] + share[:, None] * (pipes.vertices[first + 1] - pipes.vertices[first]))
