"""What walking an edge costs in time, for each profile and direction; what cannot be walked costs infinity."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.indoor.network import Walks
from analysis.indoor.rules import Profile, Rules
from analysis.kernels.routing import Graph, make_graph

Floats = NDArray[np.float64]

LEVEL_RISE = 0.02  # [m] a ramp that rises less is level


class Arcs(NamedTuple):
    """Every edge twice, forward then backward: edge k is arc k, and arc k + m turned round.

    Attributes
    ----------
    length, rise, seconds : (2 m,) float64 [m], [m], [s]
        `seconds` is infinite where the profile cannot go.
    """

    length: Floats
    rise: Floats
    seconds: Floats


def arcs_of(walks: Walks, profile: Profile, rules: Rules, *, deduct: float = 0.0) -> Arcs:
    """Lengths and times of all edges in both directions.

    Parameters
    ----------
    deduct : float [m]
        Taken off the stated width of a door to get its clear width.
    """
    steps = [np.diff(line, axis=0) for line in walks.line]
    length = np.array([np.linalg.norm(step, axis=1).sum() for step in steps])
    flat = np.array([np.hypot(step[:, 0], step[:, 1]).sum() for step in steps])
    rise = np.array([line[-1, 2] - line[0, 2] for line in walks.line])
    up = np.array([_seconds(walks, k, profile, rules, (length[k], flat[k], rise[k])) for k in range(len(length))])
    down = np.array([_seconds(walks, k, profile, rules, (length[k], flat[k], -rise[k])) for k in range(len(length))])
    if profile.door_width > 0:
        barred = too_narrow(walks, profile.door_width, deduct)
        shut = barred[np.array(walks.tail)] | barred[np.array(walks.head)]
        shut |= np.array(walks.edge_width) - deduct < profile.door_width - 1e-6
        up, down = np.where(shut, np.inf, up), np.where(shut, np.inf, down)
    return Arcs(np.tile(length, 2), np.concatenate([rise, -rise]), np.concatenate([up, down]))


def too_narrow(walks: Walks, least: float, deduct: float) -> NDArray[np.bool_]:
    """(n,) doors whose clear width is known and less than `least` [m]."""
    is_door = np.array([node in ("door", "exit") for node in walks.node], dtype=bool)
    return np.asarray(is_door & (np.array(walks.width) - deduct < least - 1e-6))


def _seconds(walks: Walks, edge: int, profile: Profile, rules: Rules, way: tuple[float, float, float]) -> float:
    length, flat, rise = way
    kind = walks.way[edge]
    if kind == "stair":
        speed = profile.stair_up if rise > 0 else profile.stair_down
        return float(max(flat, abs(rise) * rules.going) / speed) if speed else float("inf")
    if kind == "escalator":
        return length / profile.escalator if profile.escalator else float("inf")
    if kind == "lift":
        return abs(rise) / rules.lift_speed if profile.lift else float("inf")
    slope = abs(rise) / max(flat, 1e-6)
    if kind == "ramp":
        if slope > profile.slope + 1e-6 and abs(rise) > LEVEL_RISE:
            return float("inf")
        return length / (profile.ramp_up if rise > 0 else profile.ramp_down)
    return length / profile.level


def graph_of(walks: Walks, arcs: Arcs, rules: Rules) -> Graph:
    """The network to search: boarding a lift costs the wait once, however many storeys it goes."""
    tail = np.array([*walks.tail, *walks.head], dtype=np.int64)
    head = np.array([*walks.head, *walks.tail], dtype=np.int64)
    cost = arcs.seconds.copy()
    lifts = np.array([node == "lift" for node in walks.node], dtype=bool)
    is_ride = np.tile(np.array([way == "lift" for way in walks.way], dtype=bool), 2)
    # Half of the wait on entering and half on leaving: a ride begins and ends once.
    half = (rules.waiting + rules.doors) / 2.0
    cost = cost + np.where(~is_ride & lifts[tail], half, 0.0) + np.where(~is_ride & lifts[head], half, 0.0)
    return make_graph(len(walks.id), tail, head, cost)
