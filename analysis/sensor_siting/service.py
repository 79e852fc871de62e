"""Sensors near to what they serve: least mean distance (k-median) or least longest distance (k-centre).

Small cases are enumerated or proven by HiGHS; larger ones are searched by exchanges (Teitz and Bart 1968) and bounded
by prices. Where nothing is proven the answer says so.
"""

from __future__ import annotations

import itertools
import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.sensor_siting.declaration import SensorParams
from analysis.sensor_siting.median_bound import median_bound
from analysis.sensor_siting.scene import Scene, whole_weights
from analysis.siting import mip
from analysis.siting.cover import solve_cover
from analysis.siting.matrix import columns_of
from geo.model import Feedback, UserError

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

MOST_SETS = 3_000  # sets of places enumerated
MOST_PAIRS = 60_000  # of places and cells that HiGHS is given
MOST_TABLE = 20_000_000  # distances held at a time
PARTS = 100.0  # distances are whole centimetres


class Served(NamedTuple):
    """A plan for service.

    places : sites chosen (c,); order : the same, the one that helps most first; value : distance [m] by the measure;
    bound : proven to be reached by no plan, NaN where nothing is proven; nearest : (n,) distance of each cell [m];
    steps : (c + 1,) measure with the existing sensors alone (infinite without) and after each in the order.
    """

    order: Whole
    value: float
    bound: float
    nearest: Floats
    steps: Floats


def serve(scene: Scene, params: SensorParams, feedback: Feedback) -> Served:
    """Choose places so that the distance to the nearest sensor is short."""
    weight = whole_weights(scene.ground.weight)
    cells = np.flatnonzero(weight > 0)
    points = scene.sites.points
    if len(cells) * len(points) > MOST_TABLE:
        raise UserError(
            "There are too many distances between places and cells.",
            f"{len(points):,} places and {len(cells):,} cells are more than {MOST_TABLE:,} pairs.",
            "Choose a larger cell of the ground, or a larger distance between possible places.",
            code="sensor.siting.too_many_pairs",
            values={"places": len(points), "cells": len(cells), "pairs": MOST_TABLE},
        )
    feedback.step(0.05, "measuring distances")
    apart = scene.ground.points[cells, None, :2] - points[None, :, :2]
    table = Table(np.hypot(apart[..., 0], apart[..., 1]), weight[cells], scene.sites.existing, params.measure)
    count = min(params.count, table.distance.shape[1] - table.existing)
    chosen, bound = solve(table, count, params.seconds, feedback.part(0.1, 0.95))
    order, steps = _in_order(table, chosen)
    away = scene.ground.points[:, None, :2] - points[None, [*range(table.existing), *chosen], :2]
    nearest = np.hypot(away[..., 0], away[..., 1]).min(axis=1)
    return Served(np.array(order, dtype=np.int64), table.value(chosen), bound, nearest, steps)


class Table(NamedTuple):
    """Distances (n, s) [m] of cells to places (the first `existing` are there), whole weights (n,), and the measure."""

    distance: Floats
    weight: Whole
    existing: int
    measure: str

    def reached(self, places: tuple[int, ...] | list[int]) -> Floats:
        """(n,) distance to the nearest of the places and the existing sensors."""
        columns = [*range(self.existing), *places]
        if not columns:
            return np.full(len(self.weight), np.inf)
        return np.asarray(self.distance[:, columns].min(axis=1))

    def measured(self, nearest: Floats) -> float:
        """The measure of nearest distances."""
        if self.measure == "centre":
            return float(nearest.max())
        return float((self.weight * nearest).sum() / self.weight.sum())

    def value(self, places: tuple[int, ...] | list[int]) -> float:
        """The measure of a plan [m]."""
        return self.measured(self.reached(places))


def solve(table: Table, count: int, seconds: float, feedback: Feedback) -> tuple[list[int], float]:
    """Places of a plan and its proven bound (not-a-number: none)."""
    places = range(table.existing, table.distance.shape[1])
    if math.comb(len(places), count) <= MOST_SETS:
        return _enumerated(table, count, feedback)
    start = _exchanged(table, count, feedback.part(0.0, 0.4))
    if table.measure == "centre":
        return _centre(table, count, start, seconds, feedback.part(0.4, 1.0))
    if len(table.weight) * table.distance.shape[1] > MOST_PAIRS:
        cost = table.distance * table.weight[:, None]
        total = float(table.weight.sum())
        best = table.value(start) * total
        return start, median_bound(cost, count, table.existing, best, feedback.part(0.4, 1.0)) / total
    return _median(table, count, start, seconds, feedback.part(0.4, 1.0))


def _enumerated(table: Table, count: int, feedback: Feedback) -> tuple[list[int], float]:
    best, value = [], math.inf
    for number, places in enumerate(itertools.combinations(range(table.existing, table.distance.shape[1]), count)):
        if number % 200 == 0:
            feedback.step(number / MOST_SETS, "trying every set of places")
        found = table.value(places)
        if found < value:
            best, value = list(places), found
    return best, value


def _exchanged(table: Table, count: int, feedback: Feedback) -> list[int]:
    """Greedy choice, then the best exchange of one for one until none helps."""
    free = np.ones(table.distance.shape[1], dtype=np.bool_)
    free[: table.existing] = False
    chosen: list[int] = []
    for number in range(count):
        feedback.step(0.3 * number / count, "choosing places")
        chosen.append(_best_addition(table, chosen, free)[0])
        free[chosen[-1]] = False
    value, improved, rounds = table.value(chosen), True, 0
    while improved:
        improved, rounds = False, rounds + 1
        for number in range(count):
            feedback.step(0.3 + 0.7 * (1.0 - 0.8**rounds), "exchanging places")
            others = chosen[:number] + chosen[number + 1 :]
            free[chosen[number]] = True
            place, found = _best_addition(table, others, free)
            if found < value - 1e-9:
                value, improved = found, True
                chosen = [*others[:number], place, *others[number:]]
            free[chosen[number]] = False
    return sorted(chosen)


def _best_addition(table: Table, chosen: list[int], free: NDArray[np.bool_]) -> tuple[int, float]:
    """The free place that makes the measure least when added, and the measure; of equals the first."""
    nearest = table.reached(chosen)
    places = np.flatnonzero(free)
    best, value = int(places[0]), math.inf
    for part in np.array_split(places, max(1, len(places) * len(nearest) // 2_000_000)):
        reached = np.minimum(nearest[:, None], table.distance[:, part])
        if table.measure == "centre":
            # Most places leave the longest distance as it is: the mean decides among them.
            values = reached.max(axis=0) + 1e-9 * (table.weight[:, None] * reached).sum(axis=0) / table.weight.sum()
        else:
            values = (table.weight[:, None] * reached).sum(axis=0) / table.weight.sum()
        here = int(np.argmin(values))
        if values[here] < value:
            best, value = int(part[here]), float(values[here])
    return best, table.value([*chosen, best])


def _centre(table: Table, count: int, start: list[int], seconds: float, feedback: Feedback) -> tuple[list[int], float]:
    """Halve the range of distances: each is a question of covering all cells by so many places."""
    best, value = start, table.value(start)
    radii = np.unique(table.distance[table.distance < value])
    low, high = -1, len(radii)  # radii[low] is proven too short; at `high` the best plan stands
    proven = True
    rounds = max(1, math.ceil(math.log2(len(radii) + 2)))
    for number in range(rounds + 1):
        if high - low <= 1:
            break
        middle = (low + high) // 2
        part = feedback.part(number / (rounds + 1), (number + 1) / (rounds + 1))
        places, impossible = _covered_within(table, count, float(radii[middle]), seconds / rounds, part)
        if places is not None:
            best, value = places, table.value(places)
            high = int(np.searchsorted(radii, value))
        elif impossible:
            low = middle
        else:
            proven = False
            low = middle  # looked for further up, but nothing is proven
    bound = value if proven else math.nan
    return best, bound


def _covered_within(
    table: Table, count: int, radius: float, seconds: float, feedback: Feedback
) -> tuple[list[int] | None, bool]:
    """Places within whose radius all cells lie, or None and whether that is proven to be impossible."""
    left = table.reached([]) > radius
    if not left.any():
        return list(range(table.existing, table.existing + count)), False
    inside = table.distance[left][:, table.existing :] <= radius
    if not inside.any(axis=1).all():
        return None, True
    columns = columns_of([np.flatnonzero(inside[:, k]) for k in range(inside.shape[1])], int(left.sum()))
    plan = solve_cover(columns, seconds=seconds, feedback=feedback)
    if len(plan.chosen) and plan.cost <= count:
        places = [int(k) + table.existing for k in plan.chosen]
        others = [k for k in range(table.existing, table.distance.shape[1]) if k not in set(places)]
        return sorted(places + others[: count - len(places)]), False
    return None, plan.cost_bound > count


def _median(table: Table, count: int, start: list[int], seconds: float, feedback: Feedback) -> tuple[list[int], float]:
    """The p-median program: every cell is served by one place, and only by open ones."""
    cells, places = table.distance.shape
    cost = np.rint(table.distance * PARTS).astype(np.int64) * table.weight[:, None]
    profit = np.concatenate([np.zeros(places), cost.ravel().astype(np.float64)])
    whole = np.zeros(len(profit), dtype=np.bool_)
    whole[:places] = True
    pair = places + np.arange(cells * places, dtype=np.int64).reshape(cells, places)
    links = np.column_stack([pair.ravel(), np.tile(np.arange(places), cells)])  # x <= y
    idx = np.concatenate([pair.ravel(), links.ravel(), np.arange(places), np.arange(table.existing)])
    lengths = np.repeat([places, 2, places, 1], [cells, cells * places, 1, table.existing])
    ptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    value = np.concatenate(
        [np.ones(cells * places), np.tile([1.0, -1.0], cells * places), np.ones(places), np.ones(table.existing)]
    )
    total = float(count + table.existing)
    row_low = np.concatenate([np.ones(cells), np.full(cells * places, -1.0), [total], np.ones(table.existing)])
    row_high = np.concatenate([np.ones(cells), np.zeros(cells * places), [total], np.ones(table.existing)])
    program = mip.Program(profit, whole, ptr, idx.astype(np.int32), value, row_low, row_high, maximise=False)
    solved = mip.solve(program, seconds=seconds, start=_as_program(table, start), feedback=feedback)
    chosen = start
    if solved.x is not None:
        found = [int(k) for k in np.flatnonzero(solved.x[:places] > 0.5) if k >= table.existing]
        chosen = min(start, found, key=table.value)
    mine = table.value(chosen)
    if solved.optimal:
        return chosen, mine
    bound = solved.bound / (PARTS * float(table.weight.sum())) - 0.5 / PARTS
    return chosen, min(mine, bound) if math.isfinite(bound) else math.nan


def _as_program(table: Table, chosen: list[int]) -> Floats:
    """A plan as values of the program's variables."""
    cells, places = table.distance.shape
    is_open = [*range(table.existing), *chosen]
    out = np.zeros(places + cells * places)
    out[is_open] = 1.0
    nearest = np.array(is_open)[np.argmin(table.distance[:, is_open], axis=1)]
    out[places + np.arange(cells) * places + nearest] = 1.0
    return out


def _in_order(table: Table, chosen: list[int]) -> tuple[list[int], Floats]:
    """The places in the order of what each shortens, and the measure after each."""
    order: list[int] = []
    waiting = list(chosen)
    steps = [table.value([])]
    while waiting:
        best = min(waiting, key=lambda place: (table.value([*order, place]), place))
        waiting.remove(best)
        order.append(best)
        steps.append(table.value(order))
    return order, np.array(steps)
