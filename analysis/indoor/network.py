"""The walking network that layers of the scene make together: buildings, roads, and the links between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from geo.indoor.room_labels import room_label
from geo.model import Issue, Layer, Lines, Points, UserError
from geo.model.conventions import CLEAR_WIDTH, FROM_NODE, NODE, ROOM, STOREY, TO_NODE, WAY

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

OUTDOOR = "road"


@dataclass
class Walks:
    """Nodes and edges under construction.

    Attributes
    ----------
    Nodes: `id`, `name`, `node` (one of ``PLACES`` or ``"road"``), `room`, `storey`, `width` [m], `point` (3,) and
    `building` (number of the network layer, -1 outdoors). Edges: `tail`, `head`, `way`, `edge_width` [m],
    `line` (n, 3) from tail to head, `edge_room`, `title`.
    """

    id: list[str] = field(default_factory=list)
    name: list[str] = field(default_factory=list)
    node: list[str] = field(default_factory=list)
    room: list[str] = field(default_factory=list)
    storey: list[str] = field(default_factory=list)
    width: list[float] = field(default_factory=list)
    point: list[Floats] = field(default_factory=list)
    building: list[int] = field(default_factory=list)
    tail: list[int] = field(default_factory=list)
    head: list[int] = field(default_factory=list)
    way: list[str] = field(default_factory=list)
    edge_width: list[float] = field(default_factory=list)
    line: list[Floats] = field(default_factory=list)
    edge_room: list[str] = field(default_factory=list)
    title: list[str] = field(default_factory=list)
    layer_id: dict[int, str] = field(default_factory=dict)
    issues: list[Issue] = field(default_factory=list)
    straighten: Callable[[Floats], Floats] | None = None

    @property
    def points(self) -> Floats:
        """(n, 3) of the nodes [local m]."""
        return np.array(self.point, dtype=np.float64).reshape(-1, 3)

    def add_node(
        self, id: str, name: str, node: str, point: Floats, *, room: str = "", storey: str = "",
        width: float = np.nan, building: int = -1,
    ) -> int:  # fmt: skip
        """Add a node; its number."""
        self.id.append(id)
        self.name.append(name)
        self.node.append(node)
        self.room.append(room)
        self.storey.append(storey)
        self.width.append(width)
        self.point.append(np.asarray(point, dtype=np.float64))
        self.building.append(building)
        return len(self.id) - 1

    def add_edge(
        self, tail: int, head: int, way: str, line: Floats, *, width: float = np.nan, room: str = "", title: str = ""
    ) -> None:
        """Add an edge that can be walked both ways."""
        self.tail.append(tail)
        self.head.append(head)
        self.way.append(way)
        self.line.append(np.asarray(line, dtype=np.float64))
        self.edge_width.append(width)
        self.edge_room.append(room)
        self.title.append(title)

    def of_kind(self, *kinds: str) -> Ints:
        """Numbers of the nodes of some kinds."""
        return np.array([k for k, node in enumerate(self.node) if node in kinds], dtype=np.int64)


def building_walks(networks: Sequence[Layer], rooms: Sequence[Layer] = ()) -> Walks:
    """The networks of all buildings.

    Raises
    ------
    UserError
        Where the layers hold no network.
    """
    walks = Walks()
    nodes = [layer for layer in networks if isinstance(layer.geometry, Points)]
    edges = [layer for layer in networks if isinstance(layer.geometry, Lines)]
    room_names = _room_names(rooms)
    for number, layer in enumerate(edges):
        points = _nodes_of(layer, nodes)
        if points is None:
            walks.issues.append(
                Issue(
                    "indoor.edges_without_nodes",
                    f"The ways of {layer.name} have no layer of places to go with them; they were left out.",
                    severity="error",
                    values={"name": layer.name},
                )
            )
            continue
        walks.layer_id[number] = points.id
        _add_building(walks, number, points, layer, room_names)
    if not walks.tail:
        raise UserError(
            "There is no walking network to search.",
            "No layer of places and no layer of ways belong together.",
            "Import a building model with rooms (IFC) or an indoor model (IndoorGML, IMDF) first.",
            code="indoor.no_network",
        )
    return walks


def _texts(layer: Layer, name: str) -> list[str]:
    column = layer.table.columns.get(name)
    if column is None:
        return [""] * len(layer.table)
    return ["" if value is None else str(value) for value in column.values.tolist()]


def _numbers(layer: Layer, name: str) -> list[float]:
    column = layer.table.columns.get(name)
    if column is None or not column.is_number:
        return [np.nan] * len(layer.table)
    return [float(value) for value in column.values.tolist()]


def _room_names(rooms: Sequence[Layer]) -> dict[str, str]:
    found: dict[str, str] = {}
    for layer in rooms:
        for room, number, name in zip(layer.table.ids, _texts(layer, "number"), _texts(layer, "name"), strict=True):
            found.setdefault(str(room), room_label(number, name))
    return found


def _nodes_of(edges: Layer, candidates: Sequence[Layer]) -> Layer | None:
    """The layer of places that all ends of the edges are in; of several, the one read from the same file."""
    ends = {*_texts(edges, FROM_NODE), *_texts(edges, TO_NODE)}
    fitting = [layer for layer in candidates if ends <= set(layer.table.index)]
    same = [layer for layer in fitting if layer.source.path == edges.source.path]
    return next(iter(same or fitting), None)


def _add_building(walks: Walks, number: int, nodes: Layer, edges: Layer, room_names: dict[str, str]) -> None:
    shape, lines = nodes.geometry, edges.geometry
    if not isinstance(shape, Points) or not isinstance(lines, Lines):
        return
    where = dict(zip(shape.element.tolist(), shape.vertices, strict=True))
    number_of: dict[str, int] = {}
    columns = zip(
        nodes.table.ids, _texts(nodes, "name"), _texts(nodes, NODE), _texts(nodes, ROOM), _texts(nodes, STOREY),
        _numbers(nodes, CLEAR_WIDTH), strict=True,
    )  # fmt: skip
    for row, (id, name, node, room, storey, width) in enumerate(columns):
        if row in where:
            title = name or room_names.get(str(id), "") or str(id)
            number_of[str(id)] = walks.add_node(
                str(id), title, node, where[row], room=room, storey=storey, width=width, building=number
            )
    ways, widths = _texts(edges, WAY), _numbers(edges, CLEAR_WIDTH)
    start, end, in_room = _texts(edges, FROM_NODE), _texts(edges, TO_NODE), _texts(edges, ROOM)
    for k, row in enumerate(lines.line_element.tolist()):
        a, b = number_of.get(start[row]), number_of.get(end[row])
        line = lines.vertices[lines.offsets[k] : lines.offsets[k + 1]]
        if a is not None and b is not None and len(line) >= 2:
            walks.add_edge(a, b, ways[row] or "walk", line, width=widths[row], room=in_room[row])


def drop_high_exits(walks: Walks, above: float) -> None:
    """Exits far above the lowest one of their building are balconies and roofs: no way out; they are named."""
    exits = walks.of_kind("exit")
    if len(exits) == 0:
        return
    z, building = walks.points[exits, 2], np.array(walks.building)[exits]
    lowest = {b: float(z[building == b].min()) for b in np.unique(building).tolist()}
    high = [int(k) for k, height, b in zip(exits, z, building.tolist(), strict=True) if height > lowest[b] + above]
    for k in high:
        walks.node[k] = "landing"
    if high:
        walks.issues.append(
            Issue(
                "indoor.high_exits",
                f"{len(high)} doors to the outside lie more than {above:g} m above the lowest one of their building; "
                "they are taken for balconies and roofs, not for ways out.",
                count=len(high),
                elements=tuple(walks.id[k] for k in high[:200]),
                values={"count": len(high), "above": f"{above:g}"},
            )
        )
