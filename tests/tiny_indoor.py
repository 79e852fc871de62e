"""A tiny house made in memory: two storeys, a stair and a lift, doors of known width, distances known by hand.

Seen from above, on both floors: room A (0..10, 0..10), corridor C (10..20, 0..10), room B (20..30, 0..10). On the
ground floor C has the exit at (15, 0). The stair and the lift stand in C.
"""

from __future__ import annotations

import numpy as np

from geo.model import Column, ElementTable, Layer, Lines, Points, Source, Style
from tests.tiny import box_mesh

FLOOR = {0: 20.0, 1: 24.0}  # local heights of the two floors
# id, node, room, storey, width, point
NODES = [
    ("A0", "room", "A0", "0", np.nan, (5.0, 5.0, 20.0)),
    ("C0", "room", "C0", "0", np.nan, (15.0, 5.0, 20.0)),
    ("B0", "room", "B0", "0", np.nan, (25.0, 5.0, 20.0)),
    ("dA0", "door", "", "0", 1.0, (10.0, 5.0, 20.0)),
    ("dB0", "door", "", "0", 0.8, (20.0, 5.0, 20.0)),
    ("front", "door", "", "0", 1.8, (15.0, 0.0, 20.0)),
    ("front:exit", "exit", "", "0", 1.8, (15.0, -1.0, 20.0)),
    ("A1", "room", "A1", "1", np.nan, (5.0, 5.0, 24.0)),
    ("C1", "room", "C1", "1", np.nan, (15.0, 5.0, 24.0)),
    ("B1", "room", "B1", "1", np.nan, (25.0, 5.0, 24.0)),
    ("dA1", "door", "", "1", 1.0, (10.0, 5.0, 24.0)),
    ("stair:0", "stair", "C0", "0", 1.2, (14.0, 9.0, 20.0)),
    ("stair:1", "stair", "C1", "1", 1.2, (14.0, 2.0, 24.0)),
    ("lift:0", "lift", "C0", "0", np.nan, (18.0, 9.0, 20.0)),
    ("lift:1", "lift", "C1", "1", np.nan, (18.0, 9.0, 24.0)),
    ("balcony", "door", "", "1", 0.9, (15.0, 0.0, 24.0)),
    ("balcony:exit", "exit", "", "1", 0.9, (15.0, -1.0, 24.0)),
]
# from, to, way, room; every line is straight
EDGES = [
    ("A0", "dA0", "walk", "A0"),
    ("dA0", "C0", "walk", "C0"),
    ("C0", "dB0", "walk", "C0"),
    ("dA0", "front", "walk", "C0"),
    ("C0", "front", "walk", "C0"),
    ("dB0", "B0", "walk", "B0"),
    ("front", "front:exit", "outside", ""),
    ("A1", "dA1", "walk", "A1"),
    ("dA1", "C1", "walk", "C1"),
    ("C1", "balcony", "walk", "C1"),
    ("balcony", "balcony:exit", "outside", ""),
    ("C0", "stair:0", "walk", "C0"),
    ("stair:0", "stair:1", "stair", ""),
    ("stair:1", "C1", "walk", "C1"),
    ("C0", "lift:0", "walk", "C0"),
    ("lift:0", "lift:1", "lift", ""),
    ("lift:1", "C1", "walk", "C1"),
]  # B1 has no door at all


def _texts(values: list[str]) -> Column:
    return Column(np.array(values, dtype=object))


def network() -> list[Layer]:
    """Places and ways, hidden as readers leave them."""
    where = {node[0]: np.array(node[5]) for node in NODES}
    nodes = Layer(
        "house-network_nodes", "House: places", "network",
        Points(np.array([node[5] for node in NODES]), np.arange(len(NODES))),
        ElementTable(
            [node[0] for node in NODES],
            {
                "name": _texts([node[0] for node in NODES]), "node": _texts([node[1] for node in NODES]),
                "room": _texts([node[2] for node in NODES]), "storey": _texts([node[3] for node in NODES]),
                "width": Column(np.array([node[4] for node in NODES]), "m"),
            },
        ),
        style=Style(visible=False), stratum="indoor", source=Source(part="network_nodes"),
    )  # fmt: skip
    lines = [np.stack([where[a], where[b]]) for a, b, _, _ in EDGES]
    length = np.array([np.linalg.norm(line[1] - line[0]) for line in lines])
    edges = Layer(
        "house-network_edges", "House: ways", "network",
        Lines(np.concatenate(lines), 2 * np.arange(len(lines) + 1), np.arange(len(lines))),
        ElementTable(
            [f"{a}>{b}" for a, b, _, _ in EDGES],
            {
                "way": _texts([e[2] for e in EDGES]), "from": _texts([e[0] for e in EDGES]),
                "to": _texts([e[1] for e in EDGES]), "room": _texts([e[3] for e in EDGES]),
                "length": Column(length, "m"), "width": Column(np.full(len(EDGES), np.nan), "m"),
            },
        ),
        style=Style(visible=False), stratum="indoor", source=Source(part="network_edges"),
    )  # fmt: skip
    return [nodes, edges]


def rooms() -> Layer:
    """The six rooms as boxes."""
    names = ["A0", "C0", "B0", "A1", "C1", "B1"]
    boxes = [(10.0 * (k % 3), 0.0, FLOOR[k // 3], 10.0, 10.0, 3.0) for k in range(6)]
    mesh, _ = box_mesh(boxes)
    table = ElementTable(names, {"name": _texts(names), "number": _texts(names)})
    return Layer("house-spaces", "House: rooms", "space", mesh, table, style=Style(visible=False), stratum="indoor")


def roads() -> Layer:
    """One road 20 m in front of the house, from west to east, with a bend."""
    points = np.array([(-50.0, -21.0, 20.0), (15.0, -21.0, 20.0), (60.0, -21.0, 20.0)])
    return Layer("roads", "Roads", "road", Lines(points, [0, 3], [0]), ElementTable(["r1"]))


def house() -> list[Layer]:
    """Network, rooms and road."""
    return [*network(), rooms(), roads()]
