"""The streets as a graph, and lanes along them: where in the cross-section each kind of pipe runs."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import LineString, Point
from shapely.ops import nearest_points, substring

from app.sample.plan import Plan, Street

Floats = NDArray[np.float64]
RANK = ("ring", "collector", "local", "lane")
GRID = 0.01  # [m] to which crossings are rounded
REACH = 12.0  # [m] that a street which ends short is drawn on to meet another
SHORT = 16.0  # [m] two crossings nearer than this are one
STUMP = 20.0  # [m] dead ends shorter than this are none
BEND = 12.0  # [m] before a crossing in which a street may turn to meet others there
STEP = 5.0  # [m] between points of a lane
APPROACH = 13.0  # [m] before a crossing at which pipes leave their lane
SPREAD = 3.0  # [m] from the middle of a crossing to where the outermost pipes meet
BEARING_DEG = 30.0  # of the line across a crossing on which pipes meet


@dataclass(frozen=True)
class Edge:
    """A street between two crossings `a` and `b`, drawn from `a` to `b`."""

    a: int
    b: int
    line: LineString
    street: Street

    @property
    def half(self) -> float:
        """Half the carriageway [m]."""
        return self.street.carriageway / 2


@dataclass(frozen=True)
class Graph:
    """Crossings (n, 2) [m] and the streets between them."""

    places: Floats
    edges: tuple[Edge, ...]

    def at(self, node: int) -> list[int]:
        """Numbers of the edges at a crossing."""
        return [k for k, edge in enumerate(self.edges) if node in (edge.a, edge.b)]


def street_graph(plan: Plan) -> Graph:
    """Streets cut at their crossings; crossings that lie close are one, stumps are left out."""
    streets = [street for street in plan.streets if street.kind in RANK]
    lines = _reaching([street.line for street in streets])
    pieces = shapely.get_parts(shapely.line_merge(shapely.unary_union(lines, grid_size=GRID)))
    pieces = [piece for piece in _cut(pieces) if piece.length > GRID]
    edges = _named(pieces, streets)
    return _directed(_joined(_without_stumps(edges)))


def _reaching(lines: list[LineString]) -> list[LineString]:
    """Lines drawn on at either end to the nearest other line within reach."""
    out = []
    for number, line in enumerate(lines):
        others = shapely.union_all([other for k, other in enumerate(lines) if k != number])
        points = [*line.coords]
        for end, place in ((Point(points[0]), 0), (Point(points[-1]), len(points))):
            gap = end.distance(others)
            if GRID < gap < REACH:
                near = nearest_points(end, others)[1]
                beyond = np.array(near.coords[0]) + (np.array(near.coords[0]) - end.coords[0]) / gap * 0.05
                points.insert(0 if place == 0 else len(points), (float(beyond[0]), float(beyond[1])))
        out.append(LineString(points))
    return out


def _cut(pieces: NDArray[np.object_]) -> list[LineString]:
    """Closed rings are cut in two, so that every piece has two ends."""
    out = []
    for piece in pieces:
        if piece.is_closed:
            half = piece.length / 2
            out += [substring(piece, 0, half), substring(piece, half, piece.length)]
        else:
            out.append(piece)
    return out


def _named(pieces: list[LineString], streets: list[Street]) -> list[tuple[LineString, Street]]:
    """Each piece with the street it belongs to, the widest of several."""
    tree = shapely.STRtree([street.line for street in streets])
    out = []
    for piece in pieces:
        middle = piece.interpolate(0.5, normalized=True)
        near = tree.query(middle, predicate="dwithin", distance=0.5)
        if len(near):
            out.append((piece, min((streets[k] for k in near), key=lambda s: (RANK.index(s.kind), s.name))))
    return out


def _key(point: tuple[float, ...]) -> tuple[int, int]:
    return round(point[0] / (5 * GRID)), round(point[1] / (5 * GRID))


def _without_stumps(edges: list[tuple[LineString, Street]]) -> list[tuple[LineString, Street]]:
    for _ in range(3):
        count: dict[tuple[int, int], int] = {}
        for line, _street in edges:
            for end in (line.coords[0], line.coords[-1]):
                count[_key(end)] = count.get(_key(end), 0) + 1
        edges = [
            (line, street)
            for line, street in edges
            if line.length > STUMP or min(count[_key(line.coords[0])], count[_key(line.coords[-1])]) > 1
        ]
    return edges


def _joined(edges: list[tuple[LineString, Street]]) -> Graph:
    """Numbered crossings; the ends of short edges become one crossing, in their middle."""
    number: dict[tuple[int, int], int] = {}
    places: list[tuple[float, float]] = []
    ends = []
    for line, _ in edges:
        pair = []
        for end in (line.coords[0], line.coords[-1]):
            if _key(end) not in number:
                number[_key(end)] = len(places)
                places.append((end[0], end[1]))
            pair.append(number[_key(end)])
        ends.append(pair)
    root = list(range(len(places)))

    def find(k: int) -> int:
        while root[k] != k:
            k = root[k]
        return k

    for (line, _), (a, b) in zip(edges, ends, strict=True):
        if line.length < SHORT:
            root[max(find(a), find(b))] = min(find(a), find(b))
    groups: dict[int, list[int]] = {}
    for k in range(len(places)):
        groups.setdefault(find(k), []).append(k)
    order = {old: new for new, old in enumerate(sorted(groups))}
    middle = np.array([np.mean([places[k] for k in groups[old]], axis=0) for old in sorted(groups)])
    out = []
    for (line, street), (a, b) in zip(edges, ends, strict=True):
        first, last = order[find(a)], order[find(b)]
        if first != last:
            inner = line.segmentize(BEND).coords[1:-1]  # only the last metres bend toward the crossing
            points = [tuple(middle[first]), *inner, tuple(middle[last])]
            out.append(Edge(first, last, LineString(points), street))
    return Graph(middle, tuple(out))


def _directed(graph: Graph) -> Graph:
    """All edges drawn eastward or northward, so that lanes keep their side from one to the next."""
    edges = []
    for edge in graph.edges:
        way = np.array(edge.line.coords[-1]) - edge.line.coords[0]
        forward = way[0] > 0 if abs(way[0]) >= abs(way[1]) else way[1] > 0
        edges.append(edge if forward else replace(edge, a=edge.b, b=edge.a, line=edge.line.reverse()))
    return Graph(graph.places, tuple(edges))


def meeting(graph: Graph, node: int, lane: float) -> Floats:
    """Where the pipes of a lane meet in a crossing (2,)."""
    turn = np.radians(BEARING_DEG)
    return np.asarray(graph.places[node] + SPREAD * lane * np.array([np.cos(turn), np.sin(turn)]))


def lane_course(graph: Graph, edge: Edge, lane: float) -> Floats:
    """Points (n, 2) of a lane from crossing to crossing; first and last are where the pipes meet."""
    start, end = meeting(graph, edge.a, lane), meeting(graph, edge.b, lane)
    length = edge.line.length
    approach = min(APPROACH, 0.3 * length)
    along = np.linspace(approach, length - approach, max(int((length - 2 * approach) / STEP), 1) + 1)
    middle = shapely.get_coordinates(shapely.line_interpolate_point(edge.line, along))
    ahead = shapely.get_coordinates(shapely.line_interpolate_point(edge.line, np.minimum(along + 4.0, length)))
    behind = shapely.get_coordinates(shapely.line_interpolate_point(edge.line, np.maximum(along - 4.0, 0.0)))
    way = ahead - behind
    way /= np.linalg.norm(way, axis=1)[:, None]
    right = np.column_stack([way[:, 1], -way[:, 0]])
    inner = middle + right * lane * edge.half
    near, far = (start + inner[0]) / 2, (inner[-1] + end) / 2
    return np.round(np.vstack([start, near, inner, far, end]), 3)
