"""Ways inside rooms: from the middle of each room to its passages, and between these.

In most rooms every passage sees every other; these are joined all at once. Only the rooms that turn a corner need a
search for paths.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.indoor.cells import Cell
from geo.indoor.network import Edge, Node, Stop
from geo.indoor.paths import TOUCH, paths_within
from geo.model import Feedback

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_PASSAGES = 48  # of a room whose passages are all joined to one another; beyond, only near ones
NEAR_PASSAGES = 12
ROOMS_AT_ONCE = 256


def walks(
    rooms: Sequence[Node], cells: Sequence[Cell], stops: Sequence[list[Stop]], feedback: Feedback
) -> tuple[list[Edge], list[str]]:
    """Edges inside the rooms, and the ids of the rooms in which some passage cannot be reached.

    Parameters
    ----------
    rooms, cells, stops : same length
        Node of each room, its floor, and what touches it.
    """
    found: dict[int, list[Edge]] = {}
    blocked: list[str] = []
    used = [number for number, mine in enumerate(stops) if mine]
    for start in range(0, len(used), ROOMS_AT_ONCE):
        some = used[start : start + ROOMS_AT_ONCE]
        feedback.step(start / len(used), "finding the ways inside the rooms")
        rest = _straight([(number, rooms[number], cells[number], stops[number]) for number in some], found)
        for done, number in enumerate(rest):
            feedback.step((start + done) / len(used), "finding the ways inside the rooms")
            found[number], complete = _around_corners(rooms[number], cells[number], stops[number])
            if not complete:
                blocked.append(cells[number].id)
    return [edge for number in used for edge in found.get(number, ())], blocked


def _straight(work: Sequence[tuple[int, Node, Cell, list[Stop]]], found: dict[int, list[Edge]]) -> list[int]:
    """Join the passages of the rooms in which all see one another; the numbers of the other rooms."""
    stops = [stop for _, room, _, mine in work for stop in (_middle(room), *mine)]
    count = np.array([1 + len(mine) for *_, mine in work], dtype=np.int64)
    lead = np.array([(stop.lead[0], stop.lead[-1]) for stop in stops])
    owner, a, b = _all_pairs_of(count)
    grown = shapely.buffer(np.array([cell.floor for _, _, cell, _ in work], dtype=object), TOUCH)
    shapely.prepare(grown)
    lines = shapely.linestrings(np.stack([lead[a, 1, :2], lead[b, 1, :2]], axis=1))
    hidden = np.bincount(owner, ~shapely.covers(grown[owner], lines), minlength=len(work)) > 0
    hidden |= count > MOST_PASSAGES
    seen = ~hidden[owner]
    names = [cell.id for _, _, cell, _ in work]
    for place, edge in _straight_edges(stops, lead, owner=owner[seen], a=a[seen], b=b[seen], rooms=names):
        found.setdefault(work[place][0], []).append(edge)
    return [work[place][0] for place in np.flatnonzero(hidden)]


def _middle(room: Node) -> Stop:
    return Stop(room.id, np.array([room.point]), np.nan, False)


def _all_pairs_of(count: Ints) -> tuple[Ints, Ints, Ints]:
    """Group, first and second member of all pairs within groups whose members are numbered one after another."""
    first = np.cumsum(count) - count
    known = {size: np.triu_indices(size, 1) for size in np.unique(count).tolist()}
    pairs = [known[size] for size in count.tolist()]
    owner = np.repeat(np.arange(len(count)), [len(i) for i, _ in pairs])
    a = np.concatenate([i + start for (i, _), start in zip(pairs, first, strict=True)])
    b = np.concatenate([j + start for (_, j), start in zip(pairs, first, strict=True)])
    return owner, a, b


def _straight_edges(
    stops: Sequence[Stop], lead: Floats, *, owner: Ints, a: Ints, b: Ints, rooms: Sequence[str]
) -> list[tuple[int, Edge]]:
    """Edges straight from stop to stop, each with the number of its room in `rooms` (ids)."""
    points = np.stack([lead[a, 0], lead[a, 1], lead[b, 1], lead[b, 0]], axis=1)
    keep = np.ones(points.shape[:2], dtype=bool)
    keep[:, 1:] = np.linalg.norm(np.diff(points, axis=1), axis=2) > 1e-6
    single = keep.sum(axis=1) < 2
    keep[single] = [True, False, False, True]
    lines = np.split(points[keep], np.cumsum(keep.sum(axis=1))[:-1])
    edges = []
    for place, i, j, line in zip(owner.tolist(), a.tolist(), b.tolist(), lines, strict=False):
        one, other = stops[i], stops[j]
        if one.node != other.node:
            edge = Edge(one.node, other.node, "walk", line, rooms[place], np.nan, one.derived or other.derived)
            edges.append((place, edge))
    return edges


def _around_corners(room: Node, cell: Cell, stops: list[Stop]) -> tuple[list[Edge], bool]:
    """Edges inside a room, and whether every passage could be reached."""
    ends = [_middle(room), *stops]
    found = paths_within(cell.floor, np.array([end.lead[-1, :2] for end in ends]))
    complete = all((0, j) in found.lines for j in range(1, len(ends)))
    edges = []
    for i, j in _pairs(found.length):
        if (i, j) not in found.lines or ends[i].node == ends[j].node:
            continue
        first, last = ends[i], ends[j]
        middle = _on_floor(found.lines[i, j], first.lead[-1, 2], last.lead[-1, 2])
        line = _without_repeats(np.concatenate([first.lead, middle, last.lead[::-1]]))
        edges.append(Edge(first.node, last.node, "walk", line, cell.id, np.nan, first.derived or last.derived))
    return edges, complete


def _pairs(length: Floats) -> list[tuple[int, int]]:
    """Which points of a room are joined: all, but in a room with very many passages only the near ones."""
    count = len(length)
    if count <= MOST_PASSAGES:
        return [(i, j) for i in range(count) for j in range(i + 1, count)]
    near = np.argsort(length, axis=1, kind="stable")[:, : NEAR_PASSAGES + 1]
    pairs = {(min(i, int(j)), max(i, int(j))) for i in range(count) for j in near[i] if i != int(j)}
    return sorted(pairs | {(0, j) for j in range(1, count)})


def _on_floor(line: Floats, start: float, end: float) -> Floats:
    """A plan line (n, 2) with heights that change evenly along it."""
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    share = along / along[-1] if along[-1] > 0 else np.zeros(len(along))
    return np.column_stack([line, start + share * (end - start)])


def _without_repeats(line: Floats) -> Floats:
    keep = np.ones(len(line), dtype=bool)
    keep[1:] = np.linalg.norm(np.diff(line, axis=0), axis=1) > 1e-6
    return line[keep] if keep.sum() >= 2 else line[[0, -1]]
