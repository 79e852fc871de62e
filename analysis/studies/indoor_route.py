"""A way from place to place: through the rooms of buildings, by stairs or lift, along roads and links."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from analysis.contract import Result, analysis
from analysis.indoor.costs import Arcs, arcs_of, graph_of
from analysis.indoor.declaration import (
    ACCESS_ACT,
    DIJKSTRA_1959,
    RIMEA,
    WEIDMANN_1993,
    RouteInputs,
    RouteParams,
)
from analysis.indoor.network import OUTDOOR, Walks, building_walks, drop_high_exits
from analysis.indoor.outdoors import add_links, add_roads, join_exits
from analysis.indoor.places import Stand, points_of, stand_at
from analysis.indoor.road_areas import add_road_areas
from analysis.indoor.route_outcome import ASSUMPTIONS, no_way, route_layer, route_summary, said, step_table
from analysis.indoor.rules import Rules, rules
from analysis.indoor.steps import Route, joined, route_to
from analysis.kernels.routing import Graph, shortest
from analysis.places import SEPARATOR
from geo.model import Feedback, UserError


@analysis(
    id="indoor.route",
    title="Way to a room",
    description=(
        "The quickest way between two places, on foot, by wheelchair or in an evacuation: through rooms and doors, by "
        "stairs, ramps and lifts, and along roads; with its length, its time and its steps, and the nearest exit."
    ),
    version=2,
    inputs=RouteInputs,
    params=RouteParams,
    references=(DIJKSTRA_1959, WEIDMANN_1993, RIMEA, ACCESS_ACT),
    headline=("profile",),
)
def indoor_route(inputs: RouteInputs, params: RouteParams, feedback: Feedback) -> Result:
    """Find the way."""
    limits = rules()
    feedback.step(0.0, "joining the networks")
    walks = building_walks(inputs.networks, inputs.rooms)
    drop_high_exits(walks, params.high_exit)
    layers = (*inputs.networks, *inputs.rooms, *inputs.roads, *inputs.links)
    if inputs.roads:
        add_roads(walks, inputs.roads)
        add_road_areas(walks, inputs.roads, points_of((params.start, params.via, params.goal), layers, inputs.frame))
        feedback.step(0.3, "joining buildings and roads")
        if add_links(walks, inputs.links) == 0:
            join_exits(walks, params.reach)
    if not params.start.strip():
        raise UserError(
            "The way has no start.",
            "Neither a room nor a point was named.",
            "Select a room, or click a point in the picture, as the start.",
            code="indoor.no_start",
        )
    start = stand_at(params.start, walks, layers, inputs.frame, "start")
    goal = stand_at(params.goal, walks, layers, inputs.frame, "goal") if params.goal.strip() else None
    between = [text for text in params.via.split(SEPARATOR) if text.strip()]
    via = tuple(stand_at(text, walks, layers, inputs.frame, "via") for text in between)
    feedback.step(0.5, "finding the way")
    return _result(walks, (start, *via, goal), params, limits, feedback)


def _result(
    walks: Walks, stands: tuple[Stand | None, ...], params: RouteParams, limits: Rules, feedback: Feedback
) -> Result:
    start, *via, goal = stands
    if start is None:
        raise TypeError("a way has a start")
    profile = limits.profiles[params.profile]
    arcs = arcs_of(walks, profile, limits, deduct=params.deduct)
    graph = graph_of(walks, arcs, limits)
    tree = shortest(graph, np.array([start.node]))
    feedback.step(0.8, "writing the steps")
    out = _way_out(walks, arcs, graph, tree.cost, start.node)
    found = out if goal is None else route_to(walks, arcs, graph, tree, goal.node)
    between = [stand.node for stand in via if stand is not None]
    if between:
        ends = [start.node, *between, *([goal.node] if goal is not None else [])]
        found = _by_way_of(walks, arcs, graph, ends, to_exit=goal is None, profile=params.profile)
    if found is None:
        raise no_way(walks, start.node, goal.node if goal else None, params.profile)
    layers = [route_layer(found, "route", "Way")]
    if walks.node[start.node] in (OUTDOOR, "exit"):
        out = None  # who stands in the street or at the door needs no way out
    if out is not None and goal is not None and len(out.steps):
        layers.append(route_layer(out, "way_out", "Nearest exit"))
    feedback.step(1.0, "done")
    return Result(
        layers=tuple(layers),
        summary=route_summary(walks, found, out, params.profile),
        tables=(step_table(found),),
        issues=said(walks, found, stands, params, limits),
        assumptions=ASSUMPTIONS,
    )


def _by_way_of(walks: Walks, arcs: Arcs, graph: Graph, ends: Sequence[int], *, to_exit: bool, profile: str) -> Route:
    """From place to place in their order, and from the last one to the exit nearest to it if so."""
    found: Route | None = None
    for tail, head in pairwise(ends):
        part = route_to(walks, arcs, graph, shortest(graph, np.array([tail])), head)
        if part is None:
            raise no_way(walks, tail, head, profile)
        found = part if found is None else joined(found, part)
    if to_exit:
        last = _way_out(walks, arcs, graph, shortest(graph, np.array([ends[-1]])).cost, ends[-1])
        if last is None:
            raise no_way(walks, ends[-1], None, profile)
        found = last if found is None else joined(found, last)
    if found is None:
        raise ValueError("a way by way of a place has two ends at least")
    return found


def _way_out(walks: Walks, arcs: Arcs, graph: Graph, cost: np.ndarray, start: int) -> Route | None:
    """The way from the start to the exit that is reached first."""
    exits = walks.of_kind("exit")
    if len(exits) == 0 or not np.isfinite(cost[exits]).any():
        return None
    nearest = int(exits[int(np.argmin(cost[exits]))])
    return route_to(walks, arcs, graph, shortest(graph, np.array([start])), nearest)
