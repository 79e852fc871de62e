"""A pipe network from geometry: which ends meet, which ends meet a pipe in its middle, and what nearly meets.

Import this module inside functions: it loads SciPy and Numba.

Joined are, within one group (a kind of utility):

- ends of pipes that lie within `tolerance` in plan and `height_tolerance` in height,
- an end and the inside of another pipe under the same tolerances (a T-joint splits that pipe there),
- a node (manhole, valve ...) and every end and pipe within `tolerance` in plan at whatever height: a manhole is tall
  (one that is not `tall`, such as a tap on a storey, meets them within `height_tolerance`),
- two ends that are said to be `joined`, of whatever group,
- an end and the node that the data name for it, however far it lies. Where the data name both ends of a pipe, no end
  or node with a named connection of its own joins it in the middle: the data know better than the drawing.

Two pipes that cross without an end or a node at the crossing are not joined.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from analysis.kernels.boxtree import BoxTree

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Bools = NDArray[np.bool_]

TALL = 1e6  # [m] half the height of the box in which pipes at a node are looked for


class Polylines(NamedTuple):
    """Pipes as they come: vertices (n, 3) [m], offsets (k + 1,), group (k,) int64."""

    vertices: Floats
    offsets: Indices
    group: Indices

    @property
    def number(self) -> int:
        """Number of polylines."""
        return len(self.offsets) - 1

    def along(self) -> Floats:
        """(n,) length from the first vertex of each polyline, in space [m]."""
        step = np.zeros(len(self.vertices))
        step[1:] = np.linalg.norm(np.diff(self.vertices, axis=0), axis=1)
        step[self.offsets[:-1][self.offsets[:-1] < len(step)]] = 0.0
        total = np.cumsum(step)
        return np.asarray(total - np.repeat(total[self.offsets[:-1]], np.diff(self.offsets)))


class Nodes(NamedTuple):
    """Manholes, valves and so on: vertices (p, 3) [m], group (p,) int64, whether each is tall (p,) (None: all)."""

    vertices: Floats
    group: Indices
    tall: Bools | None = None


class Network(NamedTuple):
    """A graph. A pipe (polyline) is one edge, or several where others join it in the middle.

    Attributes
    ----------
    place : (m, 3) float64 [m]
        Of each junction: of its node where it has one, else the mean of the ends.
    group : (m,) int64
    of_end : (k, 2) int64
        Junction of the first and last vertex of each polyline.
    of_node : (p,) int64
        Junction of each node.
    line : (e,) int64
        Polyline of each edge.
    tail, head : (e,) int64
        Junctions at its start and end, in the direction in which the polyline is drawn.
    start, stop : (e,) float64 [m]
        Where the edge begins and ends along the polyline.
    begin : (m + 1,) int64; other, via : (2 e,) int64; forward : (2 e,) bool
        Half-edges of junction j are ``begin[j] : begin[j + 1]``: the junction at the other side, the edge, and whether
        it is gone along as drawn.
    """

    place: Floats
    group: Indices
    of_end: Indices
    of_node: Indices
    line: Indices
    tail: Indices
    head: Indices
    start: Floats
    stop: Floats
    begin: Indices
    other: Indices
    via: Indices
    forward: Bools

    @property
    def length(self) -> Floats:
        """(e,) length of each edge [m]."""
        return np.asarray(self.stop - self.start)

    def degree(self) -> Indices:
        """(m,) edge ends at each junction."""
        return np.diff(self.begin)

    def parts(self) -> Indices:
        """(m,) number of the connected part of each junction; parts are numbered by falling total length."""
        from scipy.sparse import coo_matrix
        from scipy.sparse.csgraph import connected_components

        count = len(self.place)
        links = coo_matrix((np.ones(len(self.line)), (self.tail, self.head)), shape=(count, count))
        number, label = connected_components(links, directed=False)
        length = np.bincount(label[self.tail], weights=self.length, minlength=number)
        rank = np.empty(number, dtype=np.int64)
        rank[np.lexsort((np.arange(number), -length))] = np.arange(number)
        return np.asarray(rank[label], dtype=np.int64)


def half_edges(tail: Indices, head: Indices, count: int) -> tuple[Indices, Indices, Indices, Bools]:
    """Compressed rows (begin, other, via, forward) of the edges between `count` junctions."""
    edges = np.arange(len(tail), dtype=np.int64)
    own, other = np.concatenate([tail, head]), np.concatenate([head, tail])
    order = np.argsort(own, kind="stable")
    begin = np.concatenate([np.zeros(1, np.int64), np.cumsum(np.bincount(own, minlength=count))])
    forward = np.concatenate([np.ones(len(tail), bool), np.zeros(len(tail), bool)])
    return begin.astype(np.int64), other[order], np.concatenate([edges, edges])[order], forward[order]


def segments_of(pipes: Polylines) -> tuple[Indices, Indices]:
    """First vertex and polyline of every segment, both (s,) int64."""
    counts = np.maximum(np.diff(pipes.offsets) - 1, 0)
    line = np.repeat(np.arange(pipes.number, dtype=np.int64), counts)
    before = np.repeat(np.cumsum(counts) - counts, counts)
    return pipes.offsets[:-1][line] + np.arange(len(line), dtype=np.int64) - before, line


def build_network(
    pipes: Polylines,
    nodes: Nodes,
    *,
    tolerance: float,
    height_tolerance: float,
    stated: Indices | None = None,
    joined: Indices | None = None,
) -> Network:
    """Junctions and edges of pipes.

    Parameters
    ----------
    pipes : Polylines
        Each of at least two vertices, all finite.
    nodes : Nodes
    tolerance, height_tolerance : float [m]
    stated : (k, 2) int64, optional
        The node that the data name for the first and the last vertex of each pipe, -1 for none.
    joined : (q, 2) int64, optional
        Pairs of ends that are one place: twice the number of the pipe, plus 1 for its last vertex.
    """
    ends = pipes.vertices[np.column_stack([pipes.offsets[:-1], pipes.offsets[1:] - 1]).reshape(-1)]
    points = np.concatenate([ends, nodes.vertices])
    group = np.concatenate([np.repeat(pipes.group, 2), nodes.group])
    is_node = np.arange(len(points)) >= len(ends)
    tall = is_node if nodes.tall is None else np.concatenate([np.zeros(len(ends), bool), nodes.tall])
    named = _named_pairs(stated, len(ends))
    if joined is not None:
        named = np.concatenate([named, joined.reshape(-1, 2)])
    label = _clusters(points, group, tall, named, tolerance, height_tolerance)
    place = _places(points, is_node, label)
    point, line, at = _joints(pipes, points, group, tall, tolerance, height_tolerance)
    # A node that is already at an end of the pipe does not cut it: the end was drawn a little past the node.
    done = is_node[point] & (label[point][:, None] == label[: len(ends)].reshape(-1, 2)[line]).any(axis=1)
    told_point, told_line = _told(stated, len(points), pipes.number)
    done |= told_point[point] & told_line[line]
    point, line, at = point[~done], line[~done], at[~done]
    return _split(pipes, label, place, group, (label[point], line, at), tolerance)


def _named_pairs(stated: Indices | None, end_count: int) -> Indices:
    if stated is None:
        return np.zeros((0, 2), dtype=np.int64)
    node = stated.reshape(-1)
    end = np.flatnonzero(node >= 0)
    return np.column_stack([end, node[end] + end_count])


def _told(stated: Indices | None, points: int, lines: int) -> tuple[Bools, Bools]:
    """Points (n,) and pipes (k,) whose connections the data name: between them geometry adds no joint."""
    point, line = np.zeros(points, dtype=bool), np.zeros(lines, dtype=bool)
    if stated is not None:
        known = stated >= 0
        point[: 2 * lines] = known.reshape(-1)
        point[2 * lines + stated[known]] = True
        line[:] = known.all(axis=1)
    return point, line


def _clusters(
    points: Floats, group: Indices, tall: Bools, named: Indices, tolerance: float, height_tolerance: float
) -> Indices:
    """(n,) junction of each point, numbered in the order in which they first appear."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    same, first = _distinct(points, group, tall)
    tree = cKDTree(points[first, :2]) if len(first) else None
    near = tree.query_pairs(tolerance, output_type="ndarray") if tree is not None else np.zeros((0, 2), np.int64)
    a, b = first[near[:, 0]], first[near[:, 1]]
    level = (np.abs(points[a, 2] - points[b, 2]) <= height_tolerance) | tall[a] | tall[b]
    near = near[(group[a] == group[b]) & level]
    pairs = np.concatenate([near, same[named]])
    links = coo_matrix((np.ones(len(pairs), bool), (pairs[:, 0], pairs[:, 1])), shape=(len(first), len(first)))
    label = connected_components(links, directed=False)[1][same] if len(first) else np.zeros(0, np.int64)
    return np.asarray(np.unique(label, return_inverse=True)[1].reshape(-1), dtype=np.int64)


def _distinct(points: Floats, group: Indices, tall: Bools) -> tuple[Indices, Indices]:
    """Number of each point among the distinct ones (n,), and the first point of each of those (d,).

    Many ends at one and the same spot would otherwise make a pair each with each.
    """
    keys = (points[:, 0], points[:, 1], points[:, 2], group, tall)
    order = np.lexsort(keys)
    new = np.zeros(len(points), dtype=bool)
    new[:1] = True
    for key in keys:
        new[1:] |= key[order][1:] != key[order][:-1]
    same = np.empty(len(points), dtype=np.int64)
    same[order] = np.cumsum(new) - 1
    return same, order[new]


def _places(points: Floats, is_node: Bools, label: Indices) -> Floats:
    """Place of each junction: the mean of its nodes where it has some, else of its ends."""
    count = int(label.max()) + 1 if len(label) else 0
    has_node = np.bincount(label, weights=is_node, minlength=count) > 0
    weight = np.where(has_node[label], is_node, True).astype(np.float64)
    total = np.bincount(label, weights=weight, minlength=count)
    sums = [np.bincount(label, weights=weight * points[:, axis], minlength=count) for axis in range(3)]
    return np.column_stack(sums) / np.maximum(total, 1.0)[:, None]


def near_segments(
    tree: BoxTree, a: Floats, b: Floats, points: Floats, *, reach: Floats | float, height: Floats
) -> tuple[Indices, Indices, Floats, Floats, Floats]:
    """Segments near points in plan.

    Parameters
    ----------
    tree : BoxTree
        Of the segments a, b (s, 3).
    points : (n, 3); reach : (n,) or float [m] in plan; height : (n,) [m] above and below

    Returns
    -------
    point, segment : (m,) int64
    share : (m,) float64
        Nearest place on the segment, in plan, 0 at a and 1 at b.
    distance, drop : (m,) float64 [m]
        In plan; height of the point over the segment there.
    """
    wide = np.broadcast_to(np.asarray(reach, dtype=np.float64), (len(points),))
    half = np.column_stack([wide, wide, height])
    pairs = tree.meeting(points - half, points + half)
    share, distance, drop = _feet(a, b, points, pairs)
    point, segment = pairs[:, 0], pairs[:, 1]
    keep = (distance <= wide[point]) & (np.abs(drop) <= height[point])
    return point[keep], segment[keep], share[keep], distance[keep], drop[keep]


@njit(cache=True, nogil=True)
def _feet(a: Floats, b: Floats, points: Floats, pairs: Indices) -> tuple[Floats, Floats, Floats]:
    """Nearest place in plan of points on segments: share along each, distance in plan, height of the point above."""
    share, distance, drop = np.empty(len(pairs)), np.empty(len(pairs)), np.empty(len(pairs))
    for k in range(len(pairs)):
        p, s = pairs[k, 0], pairs[k, 1]
        x, y = b[s, 0] - a[s, 0], b[s, 1] - a[s, 1]
        u, v = points[p, 0] - a[s, 0], points[p, 1] - a[s, 1]
        square = x * x + y * y
        t = min(max((u * x + v * y) / square, 0.0), 1.0) if square > 0.0 else 0.0
        share[k] = t
        distance[k] = math.hypot(u - t * x, v - t * y)
        drop[k] = points[p, 2] - a[s, 2] - t * (b[s, 2] - a[s, 2])
    return share, distance, drop


def segment_tree(pipes: Polylines) -> tuple[BoxTree, Floats, Floats, Indices]:
    """Tree of the segments of pipes, their ends a, b (s, 3) and their polyline (s,)."""
    first, line = segments_of(pipes)
    a, b = pipes.vertices[first], pipes.vertices[first + 1]
    return BoxTree(np.minimum(a, b), np.maximum(a, b)), a, b, line


def _joints(
    pipes: Polylines, points: Floats, group: Indices, tall: Bools, tolerance: float, height_tolerance: float
) -> tuple[Indices, Indices, Floats]:
    """Points that meet the inside of a pipe: point (j,), polyline (j,), place along it (j,) [m]."""
    first, _ = segments_of(pipes)
    tree, a, b, line = segment_tree(pipes)
    height = np.where(tall, TALL, height_tolerance)
    point, segment, share, distance, _ = near_segments(tree, a, b, points, reach=tolerance, height=height)
    along, own = pipes.along(), line[segment]
    at = along[first[segment]] + share * (along[first[segment] + 1] - along[first[segment]])
    total = along[pipes.offsets[1:] - 1]
    # An end within the tolerance of the pipe's own end is no joint in its middle.
    ends_near = (at <= tolerance) | (at >= total[own] - tolerance)
    keep = (group[point] == pipes.group[own]) & ~ends_near
    point, own, at, distance = point[keep], own[keep], at[keep], distance[keep]
    order = np.lexsort((at, distance, own, point))
    point, own, at = point[order], own[order], at[order]
    new = np.ones(len(point), dtype=bool)
    new[1:] = (point[1:] != point[:-1]) | (own[1:] != own[:-1])
    return point[new], own[new], at[new]


def _split(
    pipes: Polylines,
    label: Indices,
    place: Floats,
    group: Indices,
    joints: tuple[Indices, Indices, Floats],
    tolerance: float,
) -> Network:
    """Edges between junctions: pipes cut where others join them."""
    count = pipes.number
    of_end = label[: 2 * count].reshape(-1, 2)
    total = pipes.along()[pipes.offsets[1:] - 1]
    at_start = (joints[0] == of_end[joints[1], 0]) & (joints[2] <= 3 * tolerance)
    at_stop = (joints[0] == of_end[joints[1], 1]) & (joints[2] >= total[joints[1]] - 3 * tolerance)
    junction, line, at = (values[~(at_start | at_stop)] for values in joints)
    order = np.lexsort((at, junction, line))
    junction, line, at = junction[order], line[order], at[order]
    new = np.ones(len(line), dtype=bool)  # several ends of one junction cut a pipe once
    new[1:] = (junction[1:] != junction[:-1]) | (line[1:] != line[:-1]) | (np.diff(at) > 3 * tolerance)
    junction, line, at = junction[new], line[new], at[new]
    stops_line = np.concatenate([np.arange(count), line, np.arange(count)])
    stops_at = np.concatenate([np.zeros(count), at, total])
    stops_junction = np.concatenate([of_end[:, 0], junction, of_end[:, 1]])
    sort = np.repeat([0, 1, 2], [count, len(line), count])
    order = np.lexsort((stops_at, sort, stops_line))
    stops_line, stops_at, stops_junction = stops_line[order], stops_at[order], stops_junction[order]
    inner = np.flatnonzero(stops_line[1:] == stops_line[:-1])
    tail, head = stops_junction[inner], stops_junction[inner + 1]
    junction_group = np.full(len(place), -1, dtype=np.int64)
    junction_group[label] = group
    rows = half_edges(tail, head, len(place))
    return Network(
        place, junction_group, of_end, label[2 * count :], stops_line[inner], tail, head,
        stops_at[inner], stops_at[inner + 1], *rows,
    )  # fmt: skip
