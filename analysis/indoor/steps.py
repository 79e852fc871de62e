"""A way through the network as steps a person can follow."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.indoor.costs import Arcs
from analysis.indoor.network import OUTDOOR, Walks
from analysis.kernels.routing import Graph, Tree, way_to

Floats = NDArray[np.float64]

CLIMBS = ("stair", "ramp", "lift", "escalator")


class Step(NamedTuple):
    """One step: how (`way`), through what (`through`, a door or link), into which room, and its line.

    Attributes
    ----------
    text : str
        Plain English, such as "through door D12 into Room 104, 12.3 m".
    way, through, into, storey : str
        Through which door, up which stair, by which lift or along which road; into which room, or to which door from
        the street; the storey where the step ends.
    length, rise, seconds, width : float [m], [m], [s], [m]
    line : (n, 3) float64 [local m]
    """

    text: str
    way: str
    through: str
    into: str
    length: float
    rise: float
    seconds: float
    width: float
    line: Floats
    storey: str = ""


class Route(NamedTuple):
    """A way from a start to a goal.

    Attributes
    ----------
    nodes : tuple of int
    steps : tuple of Step
    length, seconds : float [m], [s]
    climb, descent : float [m]
    """

    nodes: tuple[int, ...]
    steps: tuple[Step, ...]
    length: float
    seconds: float
    climb: float
    descent: float


def route_to(walks: Walks, arcs: Arcs, graph: Graph, tree: Tree, goal: int) -> Route | None:
    """The way of a tree to a goal as steps, None where there is none."""
    nodes, used = way_to(graph, tree, goal)
    if len(nodes) == 0:
        return None
    count = len(walks.tail)
    pieces = []
    for tail, head, arc in zip(nodes[:-1].tolist(), nodes[1:].tolist(), used.tolist(), strict=True):
        edge = arc % count
        line = walks.line[edge] if arc < count else walks.line[edge][::-1]
        seconds = float(tree.cost[head] - tree.cost[tail])
        pieces.append((edge, tail, head, line, float(arcs.length[arc]), seconds))
    steps = tuple(_step(walks, group) for group in _groups(walks, pieces))
    rise = [piece[3][-1, 2] - piece[3][0, 2] for piece in pieces]
    return Route(
        tuple(nodes.tolist()),
        steps,
        sum(step.length for step in steps),
        sum(step.seconds for step in steps),
        float(sum(r for r in rise if r > 0)),
        float(-sum(r for r in rise if r < 0)),
    )


def joined(first: Route, second: Route) -> Route:
    """One way after another, where the first one ends."""
    return Route(
        (*first.nodes, *second.nodes[1:]),
        first.steps + second.steps,
        first.length + second.length,
        first.seconds + second.seconds,
        first.climb + second.climb,
        first.descent + second.descent,
    )


Piece = tuple[int, int, int, Floats, float, float]  # edge, tail, head, line, length, seconds


def _groups(walks: Walks, pieces: list[Piece]) -> list[list[Piece]]:
    """Pieces of one step together: along a road, in one room between two doors, or in one lift."""
    groups: list[list[Piece]] = []
    for piece in pieces:
        if groups and _continues(walks, groups[-1][-1], piece):
            groups[-1].append(piece)
        else:
            groups.append([piece])
    return groups


def _continues(walks: Walks, last: Piece, piece: Piece) -> bool:
    same_way = walks.way[last[0]] == walks.way[piece[0]]
    if not same_way:
        return False
    if walks.way[piece[0]] in ("lift", "outside"):
        return True
    return walks.edge_room[last[0]] == walks.edge_room[piece[0]] and walks.node[piece[1]] in ("room", "landing")


def _step(walks: Walks, group: list[Piece]) -> Step:
    edge, start, end = group[0][0], group[0][1], group[-1][2]
    lines = [group[0][3], *(piece[3][1:] for piece in group[1:])]
    line = np.concatenate(lines)
    length = walked = sum(piece[4] for piece in group)
    if walks.way[edge] == "outside" and walks.straighten is not None:
        line = walks.straighten(line)
        length = float(np.linalg.norm(np.diff(line, axis=0), axis=1).sum())
    rise = float(line[-1, 2] - line[0, 2])
    way = walks.way[edge]
    room = _room_name(walks, walks.edge_room[edge])
    named = walks.node[start] in ("door", "exit") or way in CLIMBS
    enters = way == "outside" and walks.node[end] == "door"  # from the step outside to the door itself
    through = walks.name[start] if named and not enters else ""
    return Step(
        _sentence(walks, way, start, end, through, room, length, rise),
        way,
        through,
        _into(walks, way, end, room),
        length,
        rise,
        sum(piece[5] for piece in group) * (length / walked if walked > 0 else 1.0),
        walks.width[start],
        line,
        walks.storey[end],
    )


def _into(walks: Walks, way: str, end: int, room: str) -> str:
    """Where a step ends, for people: the room, or the door that a way along the street leads to."""
    if way == "outside":
        return walks.name[end] if walks.node[end] != OUTDOOR else ""
    return room or _room_name(walks, walks.room[end])


def _room_name(walks: Walks, room: str) -> str:
    if not room:
        return ""
    return next((walks.name[k] for k, own in enumerate(walks.room) if own == room and walks.node[k] == "room"), room)


def _sentence(walks: Walks, way: str, start: int, end: int, through: str, room: str, length: float, rise: float) -> str:
    far = f"{length:.1f} m"
    turn = "up" if rise > 0 else "down"
    if way in CLIMBS and way != "lift":
        return f"{turn} the {way} {walks.name[start]}, {far}"
    if way == "lift":
        return f"{turn} by the lift {walks.name[start]} to {walks.storey[end] or _room_name(walks, walks.room[end])}"
    if way == "outside":
        if walks.node[end] == "door" and walks.node[start] != OUTDOOR:
            return f"in by {walks.name[end]}"
        if walks.node[start] != OUTDOOR:
            return f"out by {walks.name[start]} and along the road, {far}"
        goal = f" to {walks.name[end]}" if walks.node[end] != OUTDOOR else ""
        return f"along the road{goal}, {far}"
    if through:
        return f"through {through} into {room}, {far}" if room else f"through {through}, {far}"
    return f"cross {room}, {far}" if room else f"walk {far}"
