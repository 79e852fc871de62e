"""Storm drains and sewers: a tree of straight pipes between manholes that falls from every street to an outfall."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import LineString
from shapely.ops import substring

from app.sample.plan import Ground, Plan
from app.sample.utility_mains import Register
from app.sample.utility_plan import KINDS
from app.sample.utility_streets import Edge, Graph, lane_course

Floats = NDArray[np.float64]
MANHOLE = 45.0  # [m] between manholes, at most
STRAIGHT = 0.5  # [m] that a street may leave the line between two manholes
NEAREST = 4.0  # [m] between manholes, at least
CLIMB = 250.0  # [m] of way that one metre of rising ground costs
SLOPE = {"storm": 0.002, "sewage": 0.0025}  # least fall
APART = 0.65  # [m] from the inside bottom of the storm drain to the top of the sewer below it
DEEPEST = 7.5  # [m] of cover before another outfall is made
SHORTEST = 20.0  # [m] of a sewer of its own
STUB = 16.0  # [m] from a crossing that the tunnel closes to the first manhole
SIZES = {
    "storm": ((0.0, 0.45), (250.0, 0.6), (700.0, 0.8), (1600.0, 1.0), (3500.0, 1.2)),
    "sewage": ((0.0, 0.25), (400.0, 0.3), (1200.0, 0.4), (3000.0, 0.5)),
}  # diameter [m] from so many metres of street above


@dataclass
class _Reach:
    """A street's way down: from a place to a place, numbers of `_Tree.places`."""

    up: int
    down: int
    edge: Edge
    line: LineString


@dataclass
class _Tree:
    """Places, the ground there, streets between them, and for each place the street down (-1: an outfall)."""

    places: list[tuple[float, float]]
    reaches: list[_Reach] = field(default_factory=list)
    crossing: list[int] = field(default_factory=list)  # of the graph, -1 for stubs


def lay_sewers(
    graph: Graph, plan: Plan, ground: Ground, register: Register, *, least_cover: Floats, tunnel: tuple[int, ...]
) -> None:
    """Both networks side by side, the sewer below the storm drain."""
    tree = _streets(graph, plan, tunnel)
    level = _level(ground, np.array(tree.places))
    cover = np.array([least_cover[k] if k >= 0 else least_cover.max() for k in tree.crossing])
    roots: set[int] = _lowest(tree, level)
    skipped: set[int] = set()
    while True:
        down, order = _downhill(tree, level, roots)
        laid = _Laid(*_with_branches(tree, level, down, order, skipped), ground, cover)
        deep = laid.deep_places()
        branches = {laid.source[laid.down[place]] for place in deep if place >= len(tree.places)}
        skipped |= branches
        if not deep:
            break
        if not branches:
            roots.add(deep[0])
    _write(graph, laid, register, roots)


def _streets(graph: Graph, plan: Plan, tunnel: tuple[int, ...]) -> _Tree:
    """Streets without those over the tunnel and those that cross the stream."""
    tree = _Tree([(float(x), float(y)) for x, y in graph.places])
    tree.crossing = list(range(len(tree.places)))
    closed = {node for k in tunnel for node in (graph.edges[k].a, graph.edges[k].b)}
    stream = shapely.union_all([shape for _, kind, shape in plan.water if kind in ("stream", "river")])
    for number, edge in enumerate(graph.edges):
        if number in tunnel or edge.line.intersects(stream) or edge.line.length < 3 * STUB:
            continue
        line, ends = edge.line, [edge.a, edge.b]
        length = line.length
        cut = [STUB if end in closed else 0.0 for end in ends]
        if any(cut):
            line = substring(line, cut[0], length - cut[1])
            for side, point in ((0, line.coords[0]), (1, line.coords[-1])):
                if cut[side]:
                    ends[side] = len(tree.places)
                    tree.places.append((float(point[0]), float(point[1])))
                    tree.crossing.append(-1)
        tree.reaches.append(_Reach(ends[0], ends[1], edge, line))
    return tree


def _level(ground: Ground, points: Floats) -> Floats:
    return np.asarray(ground.sample(points[:, 0], points[:, 1]))


def _neighbours(tree: _Tree) -> dict[int, list[tuple[int, int]]]:
    out: dict[int, list[tuple[int, int]]] = {}
    for number, reach in enumerate(tree.reaches):
        out.setdefault(reach.up, []).append((reach.down, number))
        out.setdefault(reach.down, []).append((reach.up, number))
    return out


def _lowest(tree: _Tree, level: Floats) -> set[int]:
    """The lowest place of each connected part."""
    beside, seen, found = _neighbours(tree), set[int](), set[int]()
    for start in sorted(beside):
        if start in seen:
            continue
        part, queue = [], [start]
        seen.add(start)
        while queue:
            place = queue.pop()
            part.append(place)
            for other, _ in beside[place]:
                if other not in seen:
                    seen.add(other)
                    queue.append(other)
        found.add(min(part, key=lambda k: (level[k], k)))
    return found


def _downhill(tree: _Tree, level: Floats, roots: set[int]) -> tuple[dict[int, int], list[int]]:
    """For each place the street that leads down, by the cheapest way; and the places, outfalls first."""
    beside = _neighbours(tree)
    cost, down, order = dict.fromkeys(roots, 0.0), dict[int, int](), list[int]()
    queue = [(0.0, root) for root in sorted(roots)]
    done: set[int] = set()
    while queue:
        spent, place = heapq.heappop(queue)
        if place in done:
            continue
        done.add(place)
        order.append(place)
        for other, number in beside.get(place, []):
            climb = max(level[place] - level[other], 0.0)
            new = spent + tree.reaches[number].line.length + CLIMB * climb
            if new < cost.get(other, np.inf) and other not in done:
                cost[other], down[other] = new, number
                heapq.heappush(queue, (new, other))
    return down, order


def _with_branches(
    tree: _Tree, level: Floats, down: dict[int, int], order: list[int], skipped: set[int]
) -> tuple[_Tree, dict[int, int], list[int], dict[int, int]]:
    """Streets on no way down get a sewer of their own, from a first manhole near their upper end."""
    used, known = set(down.values()), set(order)
    more = _Tree(list(tree.places), list(tree.reaches), list(tree.crossing))
    down, order, source = dict(down), list(order), dict[int, int]()
    for number, reach in enumerate(tree.reaches):
        if number in used | skipped or reach.up not in known or reach.line.length < 2 * STUB + SHORTEST:
            continue
        falls = level[reach.up] >= level[reach.down]
        length = reach.line.length
        line = substring(reach.line, STUB, length) if falls else substring(reach.line, 0.0, length - STUB)
        start = len(more.places)
        point = line.coords[0] if falls else line.coords[-1]
        more.places.append((float(point[0]), float(point[1])))
        more.crossing.append(-1)
        ends = (start, reach.down) if falls else (reach.up, start)
        down[start] = len(more.reaches)
        source[len(more.reaches)] = number
        more.reaches.append(_Reach(*ends, reach.edge, line))
        order.append(start)
    return more, down, order, source


def _manholes(line: LineString) -> Floats:
    """Where manholes stand, as shares of a street's length: at bends, and not too far from one another."""
    bends = [line.project(shapely.Point(p)) for p in line.simplify(STRAIGHT).coords[1:-1]]
    stops = [0.0]
    for at in [*bends, line.length]:
        last = at == line.length
        if at - stops[-1] < NEAREST and not last or line.length - at < NEAREST and not last:
            continue
        number = max(int(np.ceil((at - stops[-1]) / MANHOLE)), 1)
        stops += [stops[-1] + (at - stops[-1]) * k / number for k in range(1, number + 1)]
    return np.asarray(np.array(stops) / line.length)


def _size(utility: str, above: float) -> float:
    return [size for least, size in SIZES[utility] if above >= least][-1]


@dataclass
class _Run:
    """Manholes of a street from its upper to its lower end: share of its length, ground, and inverts by utility."""

    share: Floats
    ground: Floats
    sag: Floats
    invert: dict[str, Floats]
    size: dict[str, float]


class _Laid:
    """Heights of the sewers of a tree."""

    def __init__(
        self, tree: _Tree, down: dict[int, int], order: list[int], source: dict[int, int], ground: Ground, cover: Floats
    ) -> None:
        self.source = source  # street of each branch
        self.tree, self.ground, self.cover = tree, ground, cover
        self.down, self.order = down, order
        self.runs: dict[int, _Run] = {}
        self.invert: dict[str, dict[int, float]] = {"storm": {}, "sewage": {}}
        above = self._above()
        for place in reversed(order):
            self._place(place, above)

    def _above(self) -> dict[int, float]:
        """Length of streets [m] that drain through each place."""
        above = dict.fromkeys(self.order, 0.0)
        for place in reversed(self.order):
            if place in self.down:
                reach = self.tree.reaches[self.down[place]]
                below = reach.down if reach.up == place else reach.up
                above[below] += above[place] + reach.line.length
        return above

    def _place(self, place: int, above: dict[int, float]) -> None:
        """The inverts at a place are known once all that lie above it are: then the street below it is laid."""
        if place not in self.down:
            return
        number = self.down[place]
        reach = self.tree.reaches[number]
        below = reach.down if reach.up == place else reach.up
        line = reach.line if reach.up == place else reach.line.reverse()
        run = self._stations(line)
        cover = max(self.cover[min(k, len(self.cover) - 1)] for k in (place, below))
        run.size = {u: _size(u, above[place] + 0.5 * line.length) for u in SLOPE}
        roof = run.ground - cover - run.sag
        for utility in ("storm", "sewage"):
            size = run.size[utility]
            top = roof - size if utility == "storm" else np.minimum(roof, run.invert["storm"] - APART) - size
            invert = np.empty(len(top))
            invert[0] = min(self.invert[utility].get(place, np.inf), float(top[0]))
            for k in range(1, len(top)):
                fall = SLOPE[utility] * line.length * (run.share[k] - run.share[k - 1])
                invert[k] = min(invert[k - 1] - fall, float(top[k]))
            run.invert[utility] = invert
            self.invert[utility][place] = float(invert[0])
            known = self.invert[utility].get(below, np.inf)
            self.invert[utility][below] = min(known, float(invert[-1]))
        self.runs[number] = run

    def _stations(self, line: LineString) -> _Run:
        share = _manholes(line)
        number = len(share) - 1
        fine = np.interp(np.arange(number * 8 + 1) / 8, np.arange(number + 1), share)
        points = shapely.get_coordinates(shapely.line_interpolate_point(line, fine, normalized=True))
        level = _level(self.ground, points)
        at = level[::8]
        chord = np.interp(fine, share, at)
        hollow = np.maximum(chord - level, 0.0)
        worst = [float(hollow[8 * k : 8 * k + 9].max()) for k in range(number)]
        sag = np.maximum(np.array([0.0, *worst]), np.array([*worst, 0.0]))
        return _Run(share, at, sag, {}, {})

    def deep_places(self) -> list[int]:
        """Places above streets where the drain lies too deep, the lowest ground first."""
        found = []
        for place in self.order:
            if place in self.down:
                run = self.runs[self.down[place]]
                if (run.ground - run.invert["storm"] - run.size["storm"]).max() > DEEPEST:
                    found.append((float(run.ground[0]), place))
        return [place for _, place in sorted(found)]


def _write(graph: Graph, laid: _Laid, register: Register, roots: set[int]) -> None:
    for utility in ("storm", "sewage"):
        kind = KINDS[utility]
        known: dict[tuple[float, float], float] = {}
        level: dict[tuple[float, float], float] = {}
        for number, run in sorted(laid.runs.items()):
            reach = laid.tree.reaches[number]
            upward = laid.down.get(reach.up) == number
            course = LineString(_course(graph, reach, kind.lane))
            if not upward:
                course = course.reverse()
            points = shapely.get_coordinates(shapely.line_interpolate_point(course, run.share, normalized=True))
            points = np.round(points, 3)
            inverts = np.round(run.invert[utility], 3)
            inverts[0] = round(laid.invert[utility][reach.up if upward else reach.down], 3)
            inverts[-1] = round(laid.invert[utility][reach.down if upward else reach.up], 3)
            laid_on = register.date()
            for k in range(len(points) - 1):
                register.pipe(
                    kind, points[k : k + 2], run.size[utility], edge=reach.edge, installed=laid_on,
                    inverts=(float(inverts[k]), float(inverts[k + 1])),
                )  # fmt: skip
            for point, invert in zip(points, inverts, strict=True):
                place = (float(point[0]), float(point[1]))
                known[place] = min(known.get(place, np.inf), float(invert))
        grounds = _level(laid.ground, np.array(list(known)))
        level = dict(zip(known, grounds.tolist(), strict=True))
        ends = {tuple(np.round(_root_place(graph, laid, root, kind.lane), 3)) for root in roots}
        for place, invert in known.items():
            sort = ("outfall" if utility == "storm" else "pump") if place in ends else "manhole"
            register.node(kind, sort, np.array(place), invert=invert, ground=round(level[place], 3))


def _course(graph: Graph, reach: _Reach, lane: float) -> Floats:
    """Lane of a reach as its edge is drawn; cut where it does not reach the crossing."""
    course = LineString(lane_course(graph, reach.edge, lane))
    whole, part = reach.edge.line.length, reach.line.length
    if part > whole - 1.0:
        return np.array(course.coords)
    start = reach.edge.line.project(shapely.Point(reach.line.coords[0])) / whole * course.length
    return np.array(substring(course, start, start + part / whole * course.length).coords)


def _root_place(graph: Graph, laid: _Laid, root: int, lane: float) -> Floats:
    from app.sample.utility_streets import meeting

    crossing = laid.tree.crossing[root]
    if crossing >= 0:
        return meeting(graph, crossing, lane)
    reach = next(r for r in laid.tree.reaches if root in (r.up, r.down))
    course = _course(graph, reach, lane)
    return np.asarray(course[0] if reach.up == root else course[-1])
