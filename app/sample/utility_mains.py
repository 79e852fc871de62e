"""Mains under pressure and cables along the streets, the utility tunnel, and the valves and hydrants on them."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import LineString

from app.sample.plan import Ground, Plan
from app.sample.utility_names import GRAVITY
from app.sample.utility_plan import (
    KINDS,
    TUNNEL_CONTENT,
    TUNNEL_SIZE,
    TUNNEL_WALL,
    Kind,
    Node,
    Pipe,
    Underground,
)
from app.sample.utility_streets import Edge, Graph, lane_course, meeting

Floats = NDArray[np.float64]
PIECE = 60.0  # [m] of a main that has one number in the register
HYDRANT = 130.0  # [m] between hydrants
VALVE = 7.0  # [m] from where mains meet
HEATED = ("apartment", "mixed", "hospital", "concert", "library", "convention", "elementary", "middle", "high")
COLLECTED = ("apartment", "mixed")
NEAR_BLOCK = 10.0  # [m] from the street's boundary to a block it serves
HOLLOW = 0.03  # [m] that the ground may leave the line between two points of a pipe
TUNNEL_LENGTH = 700.0  # [m] about
OFTEN_SURVEYED = 0.8  # share of pipes whose depth a survey found
YEARS = (2019, 2026)


class Register:
    """Sizes, years and materials of pipes, by the random numbers of the sample."""

    def __init__(self, underground: Underground, seed: int) -> None:
        self.underground = underground
        self.rng = np.random.default_rng([seed, 8])

    def pipe(
        self, kind: Kind, points: Floats, diameter: float, *, role: str = "main", edge: Edge | None = None,
        covers: tuple[float, float] | None = None, inverts: tuple[float, float] | None = None,
        installed: str = "",
    ) -> Pipe:  # fmt: skip
        """Add one; what every pipe has is made here."""
        material = kind.materials[0 if self.rng.random() < 0.75 or len(kind.materials) == 1 else 1]
        if role == "service":
            material = "PE관" if kind.utility in ("water", "gas", "telecom", "power") else kind.materials[0]
        pipe = Pipe(
            self.underground.name(kind.prefix), kind.utility, np.round(points, 3), diameter, material, kind.owner,
            installed or self.date(), covers=covers, inverts=inverts, role=role,
            surveyed=bool(self.rng.random() < OFTEN_SURVEYED), street=edge.street.name if edge else "",
            width=edge.street.width if edge else 0.0,
        )  # fmt: skip
        self.underground.pipes.append(pipe)
        return pipe

    def date(self) -> str:
        """A day of laying."""
        year, month, day = self.rng.integers(*YEARS), self.rng.integers(1, 13), self.rng.integers(1, 29)
        return f"{year}{month:02d}{day:02d}"

    def node(
        self, kind: Kind, sort: str, point: Floats, *, depth: float | None = None, invert: float | None = None,
        ground: float | None = None,
    ) -> Node:  # fmt: skip
        """Add a node."""
        name = self.underground.name(kind.prefix + "N")
        node = Node(name, kind.utility, sort, (round(float(point[0]), 3), round(float(point[1]), 3)), depth, invert,
                    ground)  # fmt: skip
        self.underground.nodes.append(node)
        return node


def lay_mains(graph: Graph, plan: Plan, register: Register, tunnel: tuple[int, ...]) -> None:
    """Everything but sewers along all streets that have it; `tunnel`: edges over the utility tunnel."""
    served = {"heat": _beside(graph, plan, HEATED), "waste": _beside(graph, plan, COLLECTED)}
    for utility, kind in KINDS.items():
        if utility in GRAVITY or utility == "tunnel":
            continue
        for number, edge in enumerate(graph.edges):
            size = kind.sizes.get(edge.street.kind)
            if size is None or (utility in served and number not in served[utility]):
                continue
            if utility in ("heat", "waste") and number in tunnel:
                continue
            _main(graph, edge, kind, size, register)
    _reservoir(graph, register)
    _tunnel(graph, tunnel, register)


def _reservoir(graph: Graph, register: Register) -> None:
    """The service reservoir that feeds the loops of water, at the northernmost crossing of the ring road."""
    ring = {node for edge in graph.edges if edge.street.kind == "ring" for node in (edge.a, edge.b)}
    north = max(ring, key=lambda node: (graph.places[node][1], node))
    kind = KINDS["water"]
    register.node(kind, "tank", meeting(graph, north, kind.lane))


def deepest_covers(graph: Graph, plan: Plan, tunnel: tuple[int, ...]) -> Floats:
    """(n,) least cover [m] that a sewer needs at each crossing to pass below all else."""
    clear = 0.35
    least = np.full(len(graph.places), KINDS["gas"].cover + 0.2 + clear)
    for utility, blocks in (("heat", HEATED), ("waste", COLLECTED)):
        kind = KINDS[utility]
        deep = kind.cover + max(kind.sizes.values()) + (clear if utility == "heat" else 0.15)
        for number in _beside(graph, plan, blocks):
            edge = graph.edges[number]
            if edge.street.kind in kind.sizes and number not in tunnel:
                least[[edge.a, edge.b]] = np.maximum(least[[edge.a, edge.b]], deep)
    return least


def _beside(graph: Graph, plan: Plan, uses: tuple[str, ...]) -> set[int]:
    """Edges along blocks of some uses."""
    tree = shapely.STRtree([block.polygon for block in plan.blocks if block.use in uses])
    found = set()
    for number, edge in enumerate(graph.edges):
        middle = edge.line.interpolate(0.5, normalized=True)
        if len(tree.query(middle, predicate="dwithin", distance=edge.street.width / 2 + NEAR_BLOCK)):
            found.add(number)
    return found


def _main(graph: Graph, edge: Edge, kind: Kind, size: float, register: Register) -> None:
    course = lane_course(graph, edge, kind.lane)
    laid = register.date()
    cover = kind.cover + round(float(register.rng.uniform(-0.02, 0.03)), 2)
    for points in pieces(course):
        register.pipe(kind, points, size, edge=edge, covers=(cover, round(cover + 0.01, 2)), installed=laid)
    if kind.utility in ("water", "gas", "heat"):
        _valves(course, kind, cover, register)
    if kind.utility == "water":
        _hydrants(course, kind, register)
    if kind.utility == "telecom":
        register.node(kind, "handhole", course[len(course) // 2], depth=1.2)
    if kind.utility == "power":
        register.node(kind, "manhole", course[len(course) // 2], depth=2.0)


def pieces(course: Floats) -> list[Floats]:
    """A course cut at its points into pieces of about equal length."""
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(course, axis=0).T))])
    number = max(round(along[-1] / PIECE), 1)
    cuts = [int(np.argmin(np.abs(along - along[-1] * k / number))) for k in range(number + 1)]
    cuts = sorted(set(cuts))
    return [course[a : b + 1] for a, b in zip(cuts[:-1], cuts[1:], strict=True)]


def _valves(course: Floats, kind: Kind, cover: float, register: Register) -> None:
    line = LineString(course)
    if line.length < 4 * VALVE:
        return
    for at in (VALVE, line.length - VALVE):
        register.node(kind, "valve", np.array(line.interpolate(at).coords[0]), depth=cover)


def _hydrants(course: Floats, kind: Kind, register: Register) -> None:
    line = LineString(course)
    number = int(line.length / HYDRANT)
    for k in range(number):
        at = line.length * (k + 0.5) / number
        register.node(kind, "hydrant", np.array(line.interpolate(at).coords[0]))


def on_ground(points: Floats, ground: Ground) -> Floats:
    """A course with further points where the ground bends, so that a pipe of constant cover keeps it in between."""
    line = LineString(points)
    along = np.linspace(0.0, line.length, max(int(np.ceil(line.length)), 1) + 1)
    at = shapely.get_coordinates(shapely.line_interpolate_point(line, along))
    profile = LineString(np.column_stack([along, ground.sample(at[:, 0], at[:, 1])]))
    bends = np.array(profile.simplify(HOLLOW).coords)[1:-1, 0]
    own = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    more = bends[np.abs(bends[:, None] - own).min(axis=1) > 0.5] if len(bends) else bends
    stops = np.concatenate([own, more])
    both = np.vstack([points, shapely.get_coordinates(shapely.line_interpolate_point(line, more))])
    return np.asarray(np.round(both[np.argsort(stops, kind="stable")], 3))


# The utility tunnel


def tunnel_edges(graph: Graph, near: tuple[float, float]) -> tuple[int, ...]:
    """Edges of one collector, one after another, nearest to a place, of about the length of the tunnel."""
    names = sorted({edge.street.name for edge in graph.edges if edge.street.kind == "collector"})
    best: tuple[float, tuple[int, ...]] = (np.inf, ())
    for name in names:
        for run in _runs(graph, name):
            length = sum(graph.edges[k].line.length for k in run)
            away = min(graph.edges[k].line.distance(shapely.Point(near)) for k in run)
            if length >= 0.6 * TUNNEL_LENGTH and away < best[0]:
                best = (away, _shortened(graph, run, near))
    return best[1]


def _runs(graph: Graph, name: str) -> list[list[int]]:
    """Edges of a street in order, run by run."""
    mine = {k for k, edge in enumerate(graph.edges) if edge.street.name == name and edge.street.kind == "collector"}
    starts = {graph.edges[k].a: k for k in sorted(mine, reverse=True)}
    ends = {graph.edges[k].b for k in mine}
    runs = []
    for k in sorted(mine):
        if graph.edges[k].a in ends:
            continue
        run = [k]
        while graph.edges[run[-1]].b in starts and starts[graph.edges[run[-1]].b] not in run:
            run.append(starts[graph.edges[run[-1]].b])
        runs.append(run)
    return runs


def _shortened(graph: Graph, run: list[int], near: tuple[float, float]) -> tuple[int, ...]:
    """Edges at either end left out, the farther from the place first, until the tunnel is as long as planned."""
    point, kept = shapely.Point(near), list(run)
    while len(kept) > 1 and sum(graph.edges[k].line.length for k in kept) > TUNNEL_LENGTH * 1.2:
        ends = [graph.edges[k].line.distance(point) for k in (kept[0], kept[-1])]
        kept.pop(0 if ends[0] >= ends[1] else -1)
    return tuple(kept)


def _tunnel(graph: Graph, edges: tuple[int, ...], register: Register) -> None:
    kind = KINDS["tunnel"]
    height = TUNNEL_SIZE[1] + 2 * TUNNEL_WALL
    for number in edges:
        edge = graph.edges[number]
        line = LineString(lane_course(graph, edge, kind.lane))
        laid = register.date()
        for part in pieces(np.array(line.coords)):
            register.pipe(kind, part, height, role="tunnel", edge=edge, covers=(kind.cover, kind.cover), installed=laid)
        for utility, size, right, below in TUNNEL_CONTENT:
            cover = round(kind.cover + TUNNEL_WALL + below, 2)
            course = np.array(_beside_line(line, right).coords)
            for part in pieces(course):
                register.pipe(KINDS[utility], part, size, role="content", edge=edge, covers=(cover, cover),
                              installed=laid)  # fmt: skip


def _beside_line(line: LineString, right: float) -> LineString:
    """A line moved to the right, point by point."""
    points = np.array(line.coords)
    way = np.gradient(points, axis=0)
    way /= np.linalg.norm(way, axis=1)[:, None]
    return LineString(points + right * np.column_stack([way[:, 1], -way[:, 0]]))
