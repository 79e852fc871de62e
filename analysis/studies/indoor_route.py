"""A way from place to place: through the rooms of buildings, by stairs or lift, along roads and links."""

from __future__ import annotations

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
    via = stand_at(params.via, walks, layers, inputs.frame, "via") if params.via.strip() else None
    feedback.step(0.5, "finding the way")
    return _result(walks, (start, via, goal), params, limits, feedback)


def _result(
    walks: Walks, stands: tuple[Stand, Stand | None, Stand | None], params: RouteParams, limits: Rules,
    feedback: Feedback,
) -> Result:  # fmt: skip
    start, via, goal = stands
    profile = limits.profiles[params.profile]
    arcs = arcs_of(walks, profile, limits, deduct=params.deduct)
    graph = graph_of(walks, arcs, limits)
    tree = shortest(graph, np.array([start.node]))
    feedback.step(0.8, "writing the steps")
    out = _way_out(walks, arcs, graph, tree.cost, start.node)
    found = out if goal is None else route_to(walks, arcs, graph, tree, goal.node)
    if via is not None:
        found = _by_way_of(walks, arcs, graph, (start, via, goal), params.profile)
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


def _by_way_of(
    walks: Walks, arcs: Arcs, graph: Graph, stands: tuple[Stand, Stand, Stand | None], profile: str
) -> Route:
    """To a place between, and from there to the goal or the exit nearest to it."""
    start, via, goal = stands
    first = route_to(walks, arcs, graph, shortest(graph, np.array([start.node])), via.node)
    if first is None:
        raise no_way(walks, start.node, via.node, profile)
    tree = shortest(graph, np.array([via.node]))
    if goal is None:
        second = _way_out(walks, arcs, graph, tree.cost, via.node)
    else:
        second = route_to(walks, arcs, graph, tree, goal.node)
    if second is None:
        raise no_way(walks, via.node, goal.node if goal is not None else None, profile)
    return joined(first, second)


def _way_out(walks: Walks, arcs: Arcs, graph: Graph, cost: np.ndarray, start: int) -> Route | None:
    """The way from the start to the exit that is reached first."""
    exits = walks.of_kind("exit")
    if len(exits) == 0 or not np.isfinite(cost[exits]).any():
        return None
    nearest = int(exits[int(np.argmin(cost[exits]))])
    return route_to(walks, arcs, graph, shortest(graph, np.array([start])), nearest)
