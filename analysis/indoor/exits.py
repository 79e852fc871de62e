"""How far every room is from the nearest exit, for a profile and by wheelchair, and from the nearest stair."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.indoor.costs import Arcs, arcs_of, graph_of
from analysis.indoor.network import Walks
from analysis.indoor.rules import Profile, Rules
from analysis.kernels.routing import make_graph, reversed_graph, shortest

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class WaysOut(NamedTuple):
    """One value for each room.

    Attributes
    ----------
    room : (k,) int64
        Node of the room.
    exit : (k,) int64
        Node of the exit that is reached first, -1 for none.
    seconds, length : (k,) float64 [s], [m]
        Infinite without a way.
    wheelchair : (k,) float64 [m]
    to_stair : (k,) float64 [m]
        Walking distance to the nearest stair or exit on the way.
    """

    room: Ints
    exit: Ints
    seconds: Floats
    length: Floats
    wheelchair: Floats
    to_stair: Floats


def ways_out(walks: Walks, profile: Profile, rules: Rules, *, deduct: float) -> WaysOut:
    """Search from all exits at once against the direction of walking."""
    room, exits = walks.of_kind("room"), walks.of_kind("exit")
    arcs = arcs_of(walks, profile, rules, deduct=deduct)
    graph = reversed_graph(graph_of(walks, arcs, rules))
    tree = shortest(graph, exits)
    seconds, source = tree.cost[room], tree.source[room]
    wheels = arcs_of(walks, rules.profiles["wheelchair"], rules, deduct=deduct)
    chair = _lengths_to(walks, wheels, rules, exits)[room]
    stair = walks.of_kind("stair")
    level = np.tile(np.array([way not in ("stair", "lift", "escalator") for way in walks.way], dtype=bool), 2)
    flat = arcs._replace(seconds=np.where(level, arcs.seconds, np.inf))
    to_stair = _shortest_length(walks, flat, np.concatenate([stair, exits]))[room]
    return WaysOut(
        room,
        np.where(np.isfinite(seconds), source, -1),
        seconds,
        _lengths_to(walks, arcs, rules, exits)[room],
        chair,
        to_stair,
    )


def _lengths_to(walks: Walks, arcs: Arcs, rules: Rules, goals: Ints) -> Floats:
    """Length [m] of the quickest way from every node to the nearest of some goals."""
    graph = reversed_graph(graph_of(walks, arcs, rules))
    tree = shortest(graph, goals)
    length = np.full(graph.nodes, np.inf)
    length[np.unique(goals)] = 0.0
    step = {(a, b): arcs.length[arc] for a, b, arc in zip(graph.tail, graph.head, graph.arc, strict=True)}
    for node in np.argsort(tree.cost, kind="stable").tolist():
        before = int(tree.before[node])
        if before >= 0:
            length[node] = length[before] + step[before, node]
    return length


def _shortest_length(walks: Walks, arcs: Arcs, goals: Ints) -> Floats:
    tail = np.array([*walks.tail, *walks.head], dtype=np.int64)
    head = np.array([*walks.head, *walks.tail], dtype=np.int64)
    cost = np.where(np.isfinite(arcs.seconds), arcs.length, np.inf)
    return shortest(reversed_graph(make_graph(len(walks.id), tail, head, cost)), goals).cost
