"""What the checks of a building's shapes find, and how each is found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from analysis.bim_check.bodies import Bodies
from analysis.bim_check.judge import judge, pairs_near
from analysis.indoor.costs import arcs_of, graph_of
from analysis.indoor.network import Walks
from analysis.indoor.rules import Rules
from analysis.kernels.routing import reversed_graph, shortest
from geo.model import Feedback

Floats = NDArray[np.float64]

CHECKS = ("duplicate", "overlap", "no_door", "no_way_out", "narrow_door", "far")
SAME_AREA = 1e-4  # of the surface: bodies that lie twice differ by rounding only
FAR_TIMES = 3.0  # the spread of nine in ten elements that a model may reach beyond its middle


@dataclass(frozen=True)
class Finding:
    """One doubt.

    Attributes
    ----------
    check : str
        One of `CHECKS`.
    element, other : str
        Ids.
    point : (x, y, z) [local m]
    measured, limit : float [m]
        NaN where there is no number.
    """

    check: str
    element: str
    point: tuple[float, float, float]
    entity: str = ""
    name: str = ""
    storey: str = ""
    layer: str = ""
    other: str = ""
    measured: float = float("nan")
    limit: float = float("nan")


@dataclass
class Findings:
    """Findings as they come in."""

    bodies: Bodies
    items: list[Finding] = field(default_factory=list)

    def add_body(
        self, check: str, body: int, point: Floats, *, other: str = "", measured: float = np.nan, limit: float = np.nan
    ) -> None:
        """Note one about an element with a shape."""
        layer = self.bodies.layers[int(self.bodies.layer[body])]
        row = layer.table.row_at(int(self.bodies.row[body]))
        texts = {key: "" if row.get(key) is None else str(row.get(key)) for key in ("class", "name", "storey")}
        x, y, z = (float(value) for value in point)
        self.items.append(
            Finding(
                check, str(self.bodies.id[body]), (x, y, z), texts["class"], texts["name"], texts["storey"],
                layer.name, other, float(measured), float(limit),
            )
        )  # fmt: skip

    def add_node(self, check: str, walks: Walks, node: int, *, measured: float = np.nan, limit: float = np.nan) -> None:
        """Note one about a place of a walking network."""
        x, y, z = (float(value) for value in walks.points[node])
        name, storey = walks.name[node], walks.storey[node]
        self.items.append(
            Finding(check, walks.id[node], (x, y, z), walks.node[node], name, storey, "", "", float(measured), limit)
        )

    def in_order(self) -> list[Finding]:
        """Sorted by check and id: the same data give the same list."""
        return sorted(self.items, key=lambda item: (CHECKS.index(item.check), item.element, item.other))


def find_duplicates(found: Findings, *, tolerance: float) -> None:
    """Elements with the same box, surface and middle within the tolerance [m]: they lie twice."""
    from analysis.kernels.boxtree import BoxTree

    bodies = found.bodies
    if len(bodies) == 0:
        return
    area, middle = bodies.areas_and_middles()
    near = BoxTree(middle, middle).meeting(middle - tolerance, middle + tolerance)
    one, other = near[:, 0], near[:, 1]
    same = (one < other) & (np.abs(bodies.boxes[one] - bodies.boxes[other]) <= tolerance).all(axis=1)
    same &= np.abs(area[one] - area[other]) <= SAME_AREA * np.maximum(area[one], area[other])
    themes = np.array([layer.theme for layer in bodies.layers] or [""], dtype=object)[bodies.layer]
    same &= themes[one] == themes[other]
    for first, second in sorted(near[same].tolist()):
        found.add_body("duplicate", second, middle[second], other=str(bodies.id[first]))


def find_far(found: Findings, *, far: float) -> None:
    """Elements much farther from the middle of their model than nine in ten others, and than `far` [m]."""
    bodies = found.bodies
    centre = (bodies.boxes[:, :3] + bodies.boxes[:, 3:]) / 2
    sources = [layer.source.path or layer.id for layer in bodies.layers]
    for source in dict.fromkeys(sources):
        numbers = [k for k, name in enumerate(sources) if name == source]
        mine = np.flatnonzero(np.isin(bodies.layer, numbers))
        if len(mine) < 4:
            continue
        away = np.linalg.norm(centre[mine] - np.median(centre[mine], axis=0), axis=1)
        limit = max(far, FAR_TIMES * float(np.quantile(away, 0.9, method="lower")))
        for body, distance in zip(mine[away > limit].tolist(), away[away > limit].tolist(), strict=True):
            found.add_body("far", body, centre[body], measured=distance, limit=limit)


def find_overlaps(found: Findings, rooms: NDArray[np.bool_], feedback: Feedback, *, tolerance: float) -> None:
    """Rooms that share more than a layer of the tolerance [m]."""
    bodies = found.bodies
    judged = judge(bodies, pairs_near(bodies, rooms, rooms, reach=0.0), feedback, tolerance=tolerance, clearance=0.0)
    for k in np.flatnonzero(np.nan_to_num(judged.depth) > tolerance).tolist():
        first, second = judged.pairs[k].tolist()
        found.add_body(
            "overlap", first, judged.point[k], other=str(bodies.id[second]), measured=judged.depth[k], limit=tolerance
        )


def find_closed_rooms(found: Findings, walks: Walks, rules: Rules) -> None:
    """Rooms without any door or opening, and rooms with one from which no exit is reached on foot."""
    rooms = walks.of_kind("room")
    joined = {*walks.tail, *walks.head}
    arcs = arcs_of(walks, rules.profiles["walk"], rules, deduct=0.0)
    cost = shortest(reversed_graph(graph_of(walks, arcs, rules)), walks.of_kind("exit")).cost
    for node in rooms.tolist():
        if node not in joined:
            found.add_node("no_door", walks, node)
        elif not np.isfinite(cost[node]):
            found.add_node("no_way_out", walks, node)


def find_narrow_doors(found: Findings, walks: Walks, *, width: float) -> None:
    """Doors whose stated width is below a limit [m]; doors without one are not judged."""
    for node in walks.of_kind("door").tolist():
        if walks.width[node] < width - 1e-6:
            found.add_node("narrow_door", walks, node, measured=walks.width[node], limit=width)


def columns_of(items: Sequence[Finding]) -> dict[str, NDArray[np.generic]]:
    """The findings as arrays by name."""
    texts = {name: np.array([getattr(item, name) for item in items], dtype=object) for name in
             ("check", "element", "entity", "name", "storey", "other", "layer")}  # fmt: skip
    numbers = {name: np.array([getattr(item, name) for item in items], dtype=np.float64) for name in
               ("measured", "limit")}  # fmt: skip
    return {**texts, **numbers}
