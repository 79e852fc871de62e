"""Roads and links joined to the walking networks of buildings, so that one way leads from the street to a room."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from analysis.indoor.network import OUTDOOR, Walks
from geo.model import Issue, Layer, Lines
from geo.model.conventions import LINK, STATUS

Floats = NDArray[np.float64]

SAME_POINT = 0.1  # [m] ends of roads nearer than this are one crossing
LINK_REACH = 5.0  # [m] in plan, from the end of a link to what it joins
LINK_HEIGHT = 3.0  # [m] the same, in height
WAY_OF_LINK = {"parking_ramp": "ramp"}


def add_roads(walks: Walks, roads: Sequence[Layer]) -> None:
    """Road lines; they meet where their corners are the same point in plan."""
    known: dict[tuple[int, int, int], int] = {}
    for layer in roads:
        lines = layer.geometry
        if not isinstance(lines, Lines):
            continue
        for k, row in enumerate(lines.line_element.tolist()):
            points = lines.vertices[lines.offsets[k] : lines.offsets[k + 1]]
            numbers = [_road_node(walks, known, layer, row, p) for p in points]
            for a, b, p, q in zip(numbers[:-1], numbers[1:], points[:-1], points[1:], strict=True):
                if a != b:
                    walks.add_edge(a, b, "outside", np.stack([p, q]), title=str(layer.table.ids[row]))


def _road_node(walks: Walks, known: dict[tuple[int, int, int], int], layer: Layer, row: int, point: Floats) -> int:
    # Roads over one another (bridges) meet only at one height, within a storey.
    key = (round(point[0] / SAME_POINT), round(point[1] / SAME_POINT), round(point[2] / 3.0))
    if key not in known:
        known[key] = walks.add_node(f"{layer.id}:{len(known)}", layer.name, OUTDOOR, point, storey="")
    return known[key]


def _road_edges(walks: Walks) -> list[int]:
    outdoor = {k for k, node in enumerate(walks.node) if node == OUTDOOR}
    return [e for e, (a, b) in enumerate(zip(walks.tail, walks.head, strict=True)) if a in outdoor and b in outdoor]


def nearest_on_roads(walks: Walks, point: Floats, edges: Sequence[int]) -> tuple[float, int, Floats]:
    """Plan distance [m], edge, and the point (3,) nearest to a point on straight road edges."""
    if not edges:
        return np.inf, -1, point
    a = np.array([walks.line[e][0] for e in edges])
    b = np.array([walks.line[e][-1] for e in edges])
    run = b - a
    size = np.maximum((run[:, :2] ** 2).sum(axis=1), 1e-12)
    share = np.clip(((point[:2] - a[:, :2]) * run[:, :2]).sum(axis=1) / size, 0.0, 1.0)
    foot = a + share[:, None] * run
    away = np.hypot(foot[:, 0] - point[0], foot[:, 1] - point[1])
    best = int(np.argmin(away))
    return float(away[best]), edges[best], foot[best]


def join_to_road(walks: Walks, point: Floats, edges: Sequence[int]) -> tuple[int, float]:
    """A node on the nearest road (its edge gains a branch at that point), and the plan distance to it [m]."""
    away, edge, foot = nearest_on_roads(walks, point, edges)
    if edge < 0:
        return -1, np.inf
    node = walks.add_node(f"on-road:{len(walks.id)}", walks.name[walks.tail[edge]], OUTDOOR, foot)
    for end in (walks.tail[edge], walks.head[edge]):
        walks.add_edge(end, node, "outside", np.stack([walks.point[end], foot]), title=walks.title[edge])
    return node, away


def add_links(walks: Walks, links: Sequence[Layer]) -> int:
    """Links that are not broken; how many could be joined at both ends."""
    joined = 0
    loose: list[str] = []
    roads = _road_edges(walks)
    for layer in links:
        lines = layer.geometry
        if not isinstance(lines, Lines):
            continue
        status, sort = layer.table.columns.get(STATUS), layer.table.columns.get(LINK)
        for k, row in enumerate(lines.line_element.tolist()):
            id = str(layer.table.ids[row])
            line = lines.vertices[lines.offsets[k] : lines.offsets[k + 1]]
            kind = str(sort.values[row]) if sort is not None else "entrance"
            if (status is not None and status.values[row] == "broken") or kind not in (
                "entrance", "parking_ramp", "station_exit",
            ):  # fmt: skip
                continue
            ends = [_end_of_link(walks, point, roads) for point in (line[0], line[-1])]
            if min(ends) < 0 or ends[0] == ends[1]:
                loose.append(id)
                continue
            points = [walks.point[ends[0]], *line, walks.point[ends[1]]]
            walks.add_edge(ends[0], ends[1], WAY_OF_LINK.get(kind, "outside"), np.stack(points), title=id)
            joined += 1
    if loose:
        walks.issues.append(
            Issue(
                "indoor.loose_links",
                f"{len(loose)} links end at no place of a walking network or road and were not used.",
                severity="doubt",
                count=len(loose),
                elements=tuple(loose[:200]),
            )
        )
    return joined


def _end_of_link(walks: Walks, point: Floats, roads: Sequence[int]) -> int:
    """The indoor place nearest to the end of a link, else a new node on the nearest road, else -1."""
    indoor = np.array([k for k, node in enumerate(walks.node) if node != OUTDOOR], dtype=np.int64)
    if len(indoor):
        step = walks.points[indoor] - point
        away = np.where(np.abs(step[:, 2]) <= LINK_HEIGHT, np.hypot(step[:, 0], step[:, 1]), np.inf)
        if float(away.min()) <= LINK_REACH:
            return int(indoor[int(np.argmin(away))])
    if nearest_on_roads(walks, point, roads)[0] <= LINK_REACH:
        return join_to_road(walks, point, roads)[0]
    return -1


def join_exits(walks: Walks, reach: float) -> None:
    """Every exit to the nearest road within reach, where no links were given; said as an issue."""
    roads = _road_edges(walks)
    near, far = [], []
    for exit in walks.of_kind("exit").tolist():
        point = walks.point[exit]
        if nearest_on_roads(walks, point, roads)[0] > reach:
            far.append(walks.id[exit])
            continue
        node, _ = join_to_road(walks, point, roads)
        walks.add_edge(exit, node, "outside", np.stack([point, walks.point[node]]))
        near.append(walks.id[exit])
    if near:
        walks.issues.append(
            Issue(
                "indoor.exits_joined",
                f"{len(near)} exits were joined to the nearest road in a straight line, because no links were given.",
                count=len(near),
                elements=tuple(near[:200]),
            )
        )
    if far:
        walks.issues.append(
            Issue(
                "indoor.exits_far",
                f"{len(far)} exits have no road within {reach:g} m.",
                severity="doubt",
                count=len(far),
                elements=tuple(far[:200]),
                values={"count": len(far), "reach": f"{reach:g}"},
            )
        )
