"""The walking network of a building from its rooms, passages and climbs: nodes, edges and what is wrong with them.

Every room is a node, joined to the passages of its outline by paths inside its floor, and these to one another. A
door, an open side or the end of a stair is a node too; a door with nothing on its other side leads to an exit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from geo.indoor.cells import Cell, standing_points
from geo.model import Feedback, Issue

Floats = NDArray[np.float64]

OUTSIDE = -1
STEP_OUT = 1.0  # [m] from a door to the exit node in front of it
ISSUE_ELEMENTS = 200


@dataclass(frozen=True, eq=False)
class Side:
    """One side of a passage: the cell (`OUTSIDE` for none) and where one stands there (3,) [m]."""

    cell: int
    point: Floats


@dataclass(frozen=True, eq=False)
class Passage:
    """A door or an open side.

    Attributes
    ----------
    kind : {"door", "opening"}
    centre : (3,) float64 [m]
        On the sill.
    sides : tuple of Side
        Two; a side that is `OUTSIDE` leads to an exit.
    width : float [m]
        NaN unknown.
    derived : bool
        Found by geometry.
    """

    id: str
    name: str
    kind: str
    centre: Floats
    sides: tuple[Side, ...]
    width: float = np.nan
    derived: bool = True
    storey: str = ""


@dataclass(frozen=True, eq=False)
class Climb:
    """A flight of stairs, ramp, lift or escalator.

    Attributes
    ----------
    way : {"stair", "ramp", "lift", "escalator"}
    line : (n, 3) float64 [m]
        From the lowest point to the highest; a lift has one point for every stop.
    cells : tuple of int
        Cell at each end (of a lift: at each stop), `OUTSIDE` for none.
    group : str
        Flights of one stair have the same; they meet at landings.
    doors : tuple of str
        Ids of passages that lead into the lift at each stop, ``""`` for none.
    """

    id: str
    name: str
    way: str
    line: Floats
    cells: tuple[int, ...]
    width: float = np.nan
    derived: bool = True
    group: str = ""
    doors: tuple[str, ...] = ()


@dataclass(frozen=True)
class Node:
    """A node; `room` is the id of its room or ``""``."""

    id: str
    name: str
    node: str
    point: tuple[float, float, float]
    room: str = ""
    storey: str = ""
    width: float = np.nan
    derived: bool = False


@dataclass(frozen=True, eq=False)
class Edge:
    """An edge between two nodes (ids) along a line (n, 3) [m] from the first to the second."""

    start: str
    end: str
    way: str
    line: Floats
    room: str = ""
    width: float = np.nan
    derived: bool = False

    @property
    def length(self) -> float:
        """Along the line [m]."""
        return float(np.linalg.norm(np.diff(self.line, axis=0), axis=1).sum())


@dataclass
class Network:
    """Nodes and edges under construction, and what is doubtful about them."""

    nodes: dict[str, Node] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)

    def add(self, node: Node) -> str:
        """Add a node; one of the same id stays."""
        self.nodes.setdefault(node.id, node)
        return node.id

    def reach_exit(self) -> set[str]:
        """Ids of the nodes from which an exit can be reached."""
        neighbours: dict[str, list[str]] = {}
        for edge in self.edges:
            neighbours.setdefault(edge.start, []).append(edge.end)
            neighbours.setdefault(edge.end, []).append(edge.start)
        todo = [node.id for node in self.nodes.values() if node.node == "exit"]
        seen = set(todo)
        while todo:
            for other in neighbours.get(todo.pop(), ()):
                if other not in seen:
                    seen.add(other)
                    todo.append(other)
        return seen


@dataclass(frozen=True, eq=False)
class Stop:
    """Where a passage or a climb touches a cell: the node, and the points (1 or 2, 3) from the node to the floor."""

    node: str
    lead: Floats
    width: float
    derived: bool


def build_network(
    cells: Sequence[Cell], passages: Iterable[Passage], climbs: Iterable[Climb], feedback: Feedback
) -> Network:
    """Join rooms by their passages and climbs."""
    from geo.indoor.walks import walks

    network = Network()
    stops: list[list[Stop]] = [[] for _ in cells]
    middles = standing_points(np.array([cell.floor for cell in cells], dtype=object)).tolist()
    for cell, (x, y) in zip(cells, middles, strict=True):
        network.add(Node(cell.id, cell.label, "room", (x, y, cell.low), cell.id, cell.storey))
    for passage in passages:
        _add_passage(network, cells, stops, passage)
    _add_climbs(network, cells, stops, list(climbs))
    edges, blocked = walks([network.nodes[cell.id] for cell in cells], cells, stops, feedback)
    network.edges += edges
    network.issues += _findings(network, cells, blocked)
    return network


def _add_passage(network: Network, cells: Sequence[Cell], stops: list[list[Stop]], passage: Passage) -> None:
    kind = "door" if passage.kind == "door" else "landing"
    centre = tuple(float(v) for v in passage.centre)
    node = network.add(
        Node(passage.id, passage.name, kind, centre, "", passage.storey, passage.width, passage.derived)  # type: ignore[arg-type]
    )
    for side in passage.sides:
        if side.cell != OUTSIDE:
            point = np.array([side.point[0], side.point[1], cells[side.cell].low])
            if abs(passage.centre[2] - point[2]) > 1.5:  # a door high up in a tall room: a gallery stands there
                point[2] = passage.centre[2]
            stops[side.cell].append(Stop(node, np.stack([passage.centre, point]), passage.width, passage.derived))
            continue
        step = side.point - passage.centre
        away = np.hypot(step[0], step[1])
        out = passage.centre + (step * STEP_OUT / away if away > 1e-6 else 0.0)
        out = np.array([out[0], out[1], passage.centre[2]])
        exit_node = network.add(
            Node(
                f"{passage.id}:exit", passage.name, "exit", tuple(out.tolist()), "", passage.storey, passage.width, True
            )
        )
        line = np.stack([passage.centre, out])
        network.edges.append(Edge(node, exit_node, "outside", line, "", passage.width, passage.derived))


def _add_climbs(network: Network, cells: Sequence[Cell], stops: list[list[Stop]], climbs: list[Climb]) -> None:
    ends: list[tuple[str, Floats, str, int]] = []  # node, point, group, climb
    for number, climb in enumerate(climbs):
        is_lift = climb.way == "lift"
        kind = climb.way if climb.way in ("lift", "ramp") else "stair"
        points = climb.line if is_lift else climb.line[[0, -1]]
        names = []
        for k, (point, cell) in enumerate(zip(points, climb.cells, strict=True)):
            room = cells[cell] if cell != OUTSIDE else None
            node = Node(
                f"{climb.id}:{k}", climb.name, kind, tuple(point.tolist()), room.id if room else "",
                room.storey if room else "", climb.width, climb.derived,
            )  # fmt: skip
            names.append(network.add(node))
            if room is not None and not (is_lift and climb.doors[k : k + 1] not in ((), ("",))):
                stops[cell].append(Stop(node.id, point[None], climb.width, climb.derived))
            if is_lift and climb.doors[k : k + 1] not in ((), ("",)) and climb.doors[k] in network.nodes:
                door = network.nodes[climb.doors[k]]
                line = np.array([door.point, point])
                network.edges.append(Edge(door.id, node.id, "walk", line, "", door.width, climb.derived))
            if not is_lift:
                ends.append((node.id, point, climb.group, number))
        for a, b in zip(range(len(names) - 1), range(1, len(names)), strict=True):
            line = climb.line[[a, b]] if is_lift else climb.line
            network.edges.append(Edge(names[a], names[b], climb.way, line, "", climb.width, climb.derived))
    _join_landings(network, ends)


def _join_landings(network: Network, ends: list[tuple[str, Floats, str, int]]) -> None:
    """Flights of one stair meet where their ends are at one height."""
    for i, (a, p, group, climb) in enumerate(ends):
        for b, q, other_group, other in ends[i + 1 :]:
            same = group and group == other_group
            reach = 4.0 if same else 1.2
            level = abs(p[2] - q[2]) <= (0.45 if same else 0.25)
            if climb != other and level and np.hypot(*(p - q)[:2]) <= reach:
                network.edges.append(Edge(a, b, "walk", np.stack([p, q]), "", np.nan, True))


def _findings(network: Network, cells: Sequence[Cell], blocked: list[str]) -> list[Issue]:
    issues = []
    if blocked:
        issues.append(
            Issue(
                "indoor.blocked_floor",
                f"In {len(blocked)} rooms no way inside the floor leads to one of their doors.",
                severity="doubt",
                count=len(blocked),
                elements=tuple(blocked[:ISSUE_ELEMENTS]),
            )
        )
    reached = network.reach_exit()
    lost = [cell.id for cell in cells if cell.id not in reached]
    if lost and cells:
        issues.append(
            Issue(
                "indoor.no_way_out",
                f"{len(lost)} of {len(cells)} rooms have no way to an exit.",
                severity="doubt",
                count=len(lost),
                elements=tuple(lost[:ISSUE_ELEMENTS]),
                values={"count": len(lost), "rooms": len(cells)},
            )
        )
    return issues
