"""What sensors reach: by radius, and by line of sight where asked."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.sensor_siting.declaration import SensorParams
from analysis.sensor_siting.scene import Scene, whole_weights
from analysis.siting.matrix import Columns
from analysis.siting.plan import Plan
from analysis.siting.solve import solve_coverage
from geo.model import Feedback

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

CLEARANCE = 0.02  # [m] before a target at which a line of sight ends
RAYS = 200_000  # traced at a time


class Covered(NamedTuple):
    """A plan for coverage.

    order : (c,) int64 sites chosen, the one that adds most first; value : (c + 1,) whole weight watched with the
    existing sensors alone and after each; total : weight of all cells; watchers : (n,) sensors that watch each cell.
    """

    plan: Plan
    order: Whole
    value: Whole
    total: int
    watchers: Whole


def cover(scene: Scene, params: SensorParams, feedback: Feedback) -> Covered:
    """Choose sites that watch as much weight as possible."""
    columns = columns_of_sites(scene, params, feedback.part(0.0, 0.5))
    weight = whole_weights(scene.ground.weight)
    existing = np.arange(scene.sites.existing, dtype=np.int64)
    plan = solve_coverage(
        columns,
        weight,
        count=params.count,
        per_site=1,
        fixed=existing,
        seconds=params.seconds,
        gap=params.gap / 100.0,
        feedback=feedback.part(0.5, 1.0),
    )
    watchers = np.zeros(len(weight), dtype=np.int64)
    for column in existing.tolist():
        watchers[columns.seen(column)] += 1
    order, value = [], [int(weight[watchers > 0].sum())]
    waiting = plan.chosen.tolist()
    while waiting:
        gains = [int(weight[columns.seen(c)][watchers[columns.seen(c)] == 0].sum()) for c in waiting]
        best = waiting.pop(int(np.argmax(gains)))
        watchers[columns.seen(best)] += 1
        order.append(best)
        value.append(value[-1] + max(gains))
    return Covered(plan, np.array(order, dtype=np.int64), np.array(value), int(weight.sum()), watchers)


def columns_of_sites(scene: Scene, params: SensorParams, feedback: Feedback) -> Columns:
    """The cells that each site watches."""
    from scipy.spatial import cKDTree

    watched = scene.ground.points + [0.0, 0.0, params.watched_height]
    tree = cKDTree(watched)
    points = scene.sites.points
    lists: list[NDArray[np.int64]] = []
    step = max(1, int(RAYS / max(1.0, np.pi * params.radius**2 / params.cell**2)))
    for start in range(0, len(points), step):
        feedback.step(start / len(points), "looking from every place")
        part = points[start : start + step]
        near = [np.sort(np.array(one, dtype=np.int64)) for one in tree.query_ball_point(part, params.radius)]
        lists += _in_sight(scene, part, watched, near) if params.line_of_sight else near
    ptr = np.concatenate([[0], np.cumsum([len(one) for one in lists])]).astype(np.int64)
    idx = np.concatenate(lists) if lists else np.zeros(0)
    count = len(points)
    return Columns(
        ptr,
        idx.astype(np.int32),
        np.arange(count, dtype=np.int32),
        np.ones(count),
        np.zeros(count, dtype=np.int64),
        len(watched),
    )


def _in_sight(scene: Scene, sites: Floats, watched: Floats, near: list[Whole]) -> list[Whole]:
    """Of the cells near each site those that nothing hides."""
    origin = np.repeat(sites, [len(one) for one in near], axis=0)
    target = watched[np.concatenate(near)] if near else np.zeros((0, 3))
    way = target - origin
    length = np.linalg.norm(way, axis=1)
    share = np.divide(length - CLEARANCE, length, out=np.zeros_like(length), where=length > CLEARANCE)
    free = ~scene.occluder.occluded(origin, way * share[:, None], 1.0) if len(way) else np.zeros(0, dtype=np.bool_)
    split = np.split(free, np.cumsum([len(one) for one in near])[:-1]) if near else []
    return [one[keep] for one, keep in zip(near, split, strict=True)]
