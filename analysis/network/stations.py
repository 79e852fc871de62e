"""The stations of a profile: heights of ground, pipe and invert along a run, and what crosses it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.network.built import Built
from analysis.network.pipes import PipeSet
from analysis.network.run import Run
from geo.model import Grid, Layer, Mesh

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Texts = NDArray[np.object_]

SAME = 1e-6  # [m] stations nearer than this are one
SLACK = 0.02  # of a step that a stretch may be longer, for pipes are measured along their fall
TALL = 1e6  # [m] half the height of a box that meets everything over and under it
BUILDING_STEP = 0.5  # [m] between the places where a profile asks for a building


class Stations(NamedTuple):
    """Places along a run, piece after piece; where two pieces meet there is one for each.

    Attributes
    ----------
    station : (n,) float64 [m]
        In plan, from the start of the run.
    point : (n, 3) float64 [local m]
        On the axis.
    piece : (n,) int64
        Number in the run.
    top, invert, ground : (n,) float64 [local m]
        NaN where unknown. Without an invert in the data it is the axis less half the size.
    """

    station: Floats
    point: Floats
    piece: Indices
    top: Floats
    invert: Floats
    ground: Floats

    @property
    def cover(self) -> Floats:
        """(n,) from the ground to the top of the pipe [m]."""
        return np.asarray(self.ground - self.top)

    @property
    def slope(self) -> Floats:
        """(n,) fall of the invert to the next station of the same piece [%], positive where it falls along the run."""
        run, drop = np.diff(self.station), -np.diff(self.invert)
        same = (np.diff(self.piece) == 0) & (run > SAME)
        forward = np.where(same, drop / np.where(run > SAME, run, 1.0) * 100.0, np.nan)
        out = np.append(forward, np.nan)
        last = np.flatnonzero(np.isnan(out))
        out[last[last > 0]] = out[last[last > 0] - 1]
        return np.asarray(out)


def stations_of(built: Built, run: Run, terrain: Layer | None, step: float) -> Stations:
    """Every bend, every end of a piece, and places in between at most `step` metres apart."""
    parts, begin = [], 0.0
    for number in range(len(run.line)):
        part = _piece_stations(built.pipes, run, number, step)
        parts.append(part._replace(station=part.station + begin))
        begin += float(part.station[-1])
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    found = Stations(*columns)
    ground = found.ground
    if terrain is not None and isinstance(terrain.geometry, Grid):
        seen = terrain.geometry.sample(found.point[:, 0], found.point[:, 1])
        ground = np.where(np.isfinite(seen), seen, ground)
    return found._replace(ground=ground)


def _piece_stations(pipes: PipeSet, run: Run, number: int, step: float) -> Stations:
    line = int(run.line[number])
    rows = slice(int(pipes.offsets[line]), int(pipes.offsets[line + 1]))
    along, points = pipes.along[rows], pipes.vertices[rows]
    start, stop = float(run.start[number]), float(run.stop[number])
    low, high = min(start, stop), max(start, stop)
    bends = along[(along > low + SAME) & (along < high - SAME)]
    knots = np.concatenate([[low], bends, [high]])
    parts = np.maximum(np.ceil(np.diff(knots) / step - SLACK), 1).astype(np.int64)
    extra = [np.linspace(a, b, n + 1)[:-1] for a, b, n in zip(knots[:-1], knots[1:], parts, strict=True)]
    at = np.concatenate([*extra, [high]])
    at = at[::-1] if start > stop else at
    point = np.column_stack([np.interp(at, along, points[:, axis]) for axis in range(3)])
    station = np.concatenate([np.zeros(1), np.cumsum(np.hypot(*np.diff(point[:, :2], axis=0).T))])
    half = pipes.half_height[line]
    invert = point[:, 2] - half
    up, down = pipes.invert_up[line], pipes.invert_down[line]
    if np.isfinite(up) and np.isfinite(down):
        invert = up + (down - up) * at / along[-1]
    ground = point[:, 2] + half + pipes.cover[line]
    piece = np.full(len(at), number, dtype=np.int64)
    return Stations(station, point, piece, point[:, 2] + half, invert, ground)


class Crossings(NamedTuple):
    """Other pipes over or under a run.

    Attributes
    ----------
    line : (c,) int64
    station : (c,) float64 [m]
    point : (c, 3) float64 [local m]
        On the axis of the other pipe.
    clearance : (c,) float64 [m]
        Between the two pipes, measured upright; negative where they overlap.
    above : (c,) bool
        Whether the other pipe is above.
    """

    line: Indices
    station: Floats
    point: Floats
    clearance: Floats
    above: NDArray[np.bool_]

    def kept(self, keep: Indices) -> Crossings:
        """Some of them, in that order."""
        return Crossings(self.line[keep], self.station[keep], self.point[keep], self.clearance[keep], self.above[keep])


def crossings_of(built: Built, run: Run, stations: Stations, *, tolerance: float) -> Crossings:
    """Pipes that cross a run in plan, without those that are joined to it there."""
    from analysis.kernels.boxtree import BoxTree
    from analysis.kernels.network import segments_of

    pipes = built.pipes
    first, owner = segments_of(pipes.polylines("all"))
    a, b = pipes.vertices[first], pipes.vertices[first + 1]
    tree = BoxTree(np.minimum(a, b), np.maximum(a, b))
    inner = np.flatnonzero(np.diff(stations.piece) == 0)
    p, q = stations.point[inner], stations.point[inner + 1]
    tall = np.array([0.0, 0.0, TALL])
    pairs = tree.meeting(np.minimum(p, q) - tall, np.maximum(p, q) + tall)
    own, other = pairs[:, 0], pairs[:, 1]
    keep = ~np.isin(owner[other], run.line)
    own, other = own[keep], other[keep]
    share, across, meets = _cross(p[own], q[own], a[other], b[other])
    own, other, share, across = own[meets], other[meets], share[meets], across[meets]
    at = stations.station[inner[own]] + share * (stations.station[inner[own] + 1] - stations.station[inner[own]])
    mine = p[own] + share[:, None] * (q[own] - p[own])
    point = a[other] + across[:, None] * (b[other] - a[other])
    gap = np.abs(point[:, 2] - mine[:, 2])
    half = pipes.half_height
    clearance = gap - half[run.line[stations.piece[inner[own]]]] - half[owner[other]]
    found = Crossings(owner[other], at, point, clearance, point[:, 2] > mine[:, 2])
    keep = ~_joined(built, run, found, tolerance)
    order = np.lexsort((found.line[keep], found.station[keep]))
    return _once(found.kept(np.flatnonzero(keep)[order]))


def _cross(p: Floats, q: Floats, a: Floats, b: Floats) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Where segments pq and ab cross in plan: shares along each, and whether they do."""
    d, e, r = (q - p)[:, :2], (b - a)[:, :2], (a - p)[:, :2]
    area = d[:, 0] * e[:, 1] - d[:, 1] * e[:, 0]
    safe = np.where(area != 0, area, 1.0)
    share = (r[:, 0] * e[:, 1] - r[:, 1] * e[:, 0]) / safe
    across = (r[:, 0] * d[:, 1] - r[:, 1] * d[:, 0]) / safe
    meets = (area != 0) & (share >= 0) & (share <= 1) & (across >= 0) & (across <= 1)
    return share, across, meets


def _joined(built: Built, run: Run, found: Crossings, tolerance: float) -> NDArray[np.bool_]:
    """Whether a pipe meets the run in a junction at the crossing."""
    net = built.network
    on_run = np.unique(np.concatenate([net.tail[run.edge], net.head[run.edge]]))
    edges = np.flatnonzero(np.isin(net.tail, on_run) | np.isin(net.head, on_run))
    out = np.zeros(len(found.line), dtype=bool)
    for k, line in enumerate(found.line):
        mine = edges[net.line[edges] == line]
        ends = np.intersect1d(np.concatenate([net.tail[mine], net.head[mine]]), on_run)
        away = np.hypot(*(net.place[ends] - found.point[k])[:, :2].T)
        out[k] = bool((away <= 5 * tolerance).any())
    return out


def _once(found: Crossings) -> Crossings:
    """A crossing in a bend of the other pipe belongs to two of its segments: it is named once."""
    new = np.ones(len(found.line), dtype=bool)
    for k in range(1, len(new)):
        near = np.abs(found.station[:k] - found.station[k]) < 1e-3
        new[k] = not (near & (found.line[:k] == found.line[k])).any()
    return found.kept(np.flatnonzero(new))


class Buildings(NamedTuple):
    """Stretches of a run under or through buildings: name, station from and to [m], lowest height there [local m]."""

    name: Texts
    start: Floats
    stop: Floats
    lowest: Floats


def buildings_of(layers: tuple[Layer, ...], stations: Stations) -> Buildings:
    """Buildings over a run, found every half metre."""
    from analysis.kernels.boxtree import BoxTree

    total = float(stations.station[-1])
    at = np.linspace(0.0, total, max(int(np.ceil(total / BUILDING_STEP)) + 1, 2))
    x, y = (np.interp(at, stations.station, stations.point[:, axis]) for axis in range(2))
    points = np.column_stack([x, y, np.zeros(len(at))])
    tall = np.array([0.0, 0.0, TALL])
    rows: list[tuple[str, float, float, float]] = []
    for layer in layers:
        mesh = layer.geometry
        if not isinstance(mesh, Mesh) or len(mesh.faces) == 0:
            continue
        corners = mesh.vertices[mesh.faces]
        pairs = BoxTree(corners.min(axis=1), corners.max(axis=1)).meeting(points - tall, points + tall)
        pairs = pairs[_covers(corners[pairs[:, 1]], points[pairs[:, 0]])]
        element, low = mesh.face_element[pairs[:, 1]], corners[pairs[:, 1], :, 2].min(axis=1)
        for number in np.unique(element):
            mine = element == number
            name = str(layer.table.ids[number]) if number < len(layer.table) else layer.name
            hit = np.unique(pairs[mine, 0])
            for stretch in np.split(hit, np.flatnonzero(np.diff(hit) > 1) + 1):
                rows.append((name, float(at[stretch[0]]), float(at[stretch[-1]]), float(low[mine].min())))
    rows.sort(key=lambda row: (row[1], row[0]))
    columns = list(zip(*rows, strict=True)) or [(), (), (), ()]
    return Buildings(np.array(columns[0], dtype=object), *(np.array(c, dtype=np.float64) for c in columns[1:]))


def _covers(triangles: Floats, points: Floats) -> NDArray[np.bool_]:
    """(n,) whether a triangle (n, 3, 3) covers a point (n, 3) in plan; upright ones cover nothing."""
    side = []
    for k in range(3):
        a, b = triangles[:, k], triangles[:, (k + 1) % 3]
        side.append((b[:, 0] - a[:, 0]) * (points[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (points[:, 0] - a[:, 0]))
    turn = np.array(side)
    flat = np.abs(turn.sum(axis=0)) > 1e-9
    return np.asarray(flat & ((turn >= 0).all(axis=0) | (turn <= 0).all(axis=0)))
