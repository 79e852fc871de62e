"""Cover all that can be covered at least cost: reductions, a search, and the proof by HiGHS."""

from __future__ import annotations

import math
import time
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.siting import mip
from analysis.siting.matrix import Columns, taken, transposed, undominated
from analysis.siting.plan import Moment, Plan
from geo.model import Feedback

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Bools = NDArray[np.bool_]

SEARCH_STEPS = 2_000  # of the search between two looks at the clock
SEARCH_SHARE = 0.2  # of the time, at most
SETTLED_AFTER = 20  # blocks of steps without a cheaper cover
MOST_PASSES = 10  # of the reductions
CLOSE = 1e-6


class Reduced(NamedTuple):
    """What is left of a cover: `columns` over the targets kept; `number` (c,) and `target` (t,) before; `need` (t,)."""

    columns: Columns
    need: Whole
    number: Whole
    target: Whole


def unseen(columns: Columns, need: int | Whole = 1) -> Whole:
    """Targets that fewer columns see than they need: no plan can cover them."""
    return np.flatnonzero(np.bincount(columns.idx, minlength=columns.targets) < need)


def reduced(columns: Columns, need: Whole, *, across_sites: bool) -> Reduced:
    """Leave out columns within others that cost no more, and targets that are covered whenever another is.

    `across_sites`: also columns of different sites (only where sites take any number of columns).
    """
    from analysis.kernels.siting_matrix import contained, renumber

    number, target = np.arange(len(columns)), np.arange(columns.targets)
    simple = bool((need <= 1).all())
    for _ in range(MOST_PASSES):
        before = (len(number), len(target))
        if across_sites and simple:
            rows = transposed(columns)
            keep = contained(columns.ptr, columns.idx, rows.ptr, rows.idx, columns.cost, np.diff(columns.ptr), True)
        else:
            keep = undominated(columns) if simple else np.diff(columns.ptr) > 0
        keep &= np.diff(columns.ptr) > 0
        columns, number = taken(columns, keep), number[keep]
        rows = transposed(columns)
        kept = contained(rows.ptr, rows.idx, columns.ptr, columns.idx, np.zeros(len(need)), need, False)
        kept &= need > 0
        new = np.cumsum(kept) - 1
        ptr, idx = renumber(columns.ptr, columns.idx, kept, new)
        columns = Columns(ptr, idx, columns.site, columns.cost, columns.value_offset, int(kept.sum()))
        need, target = need[kept], target[kept]
        if (len(number), len(target)) == before:
            break
    return Reduced(columns, need, number.astype(np.int64), target.astype(np.int64))


def solve_cover(
    columns: Columns,
    *,
    need: int | NDArray[np.integer] = 1,
    capacity: NDArray[np.int32] | None = None,
    seconds: float = 60.0,
    seed: int = 0,
    feedback: Feedback | None = None,
) -> Plan:
    """The cheapest choice that covers every target that can be covered.

    Parameters
    ----------
    need : int or (targets,) int
        How many columns must see each target; less where fewer see it at all (see `unseen`).
    capacity : (sites,) int32, optional
        How many columns each site takes; any number when not given.

    Returns
    -------
    plan : Plan
        `cost` and `cost_bound` are what counts; `value` is the number of targets covered. No column is chosen where
        the sites have too little room for any cover.
    """
    feedback = feedback or Feedback()
    began = time.monotonic()
    seen_by = np.bincount(columns.idx, minlength=columns.targets)
    needs = np.minimum(np.broadcast_to(np.asarray(need, dtype=np.int64), (columns.targets,)), seen_by)
    feedback.step(0.0, "leaving out what is needless")
    left = reduced(columns, needs, across_sites=capacity is None)
    nothing = np.zeros(0, dtype=np.int64)
    if len(left.target) == 0:
        return _plan(columns, nothing, 0.0, [Moment(0.0, 0, 0)], "optimal")
    start = _searched(left, capacity, seconds, seed, feedback) if (left.need <= 1).all() else None
    feedback.step(0.3, "proving with the solver")
    solved = mip.solve(
        _program(left, capacity), seconds=max(seconds - (time.monotonic() - began), 0.1),
        start=None if start is None else start.astype(np.float64),
        absolute_gap=_least_difference(left.columns.cost), feedback=feedback.part(0.3, 0.99),
    )  # fmt: skip
    inside = start if solved.x is None else solved.x > 0.5
    if inside is None:
        return _plan(columns, nothing, 0.0, [], "infeasible" if solved.infeasible else "time")
    chosen = np.sort(left.number[inside])
    cost = float(columns.cost[chosen].sum())
    bound = cost if solved.optimal else _rounded_up(solved.bound, left.columns.cost)
    feedback.step(1.0, "done")
    taken_s = time.monotonic() - began
    return _plan(
        columns, chosen, min(bound, cost), [Moment(taken_s, int(cost), int(bound))],
        "optimal" if bound >= cost - CLOSE else "time",
    )  # fmt: skip


def _plan(columns: Columns, chosen: Whole, bound: float, history: list[Moment], stopped: str) -> Plan:
    covered = len(np.unique(taken(columns, chosen).idx)) if len(chosen) else 0
    return Plan(
        chosen, columns, covered, covered, np.full(len(columns), -1, dtype=np.int64),
        cost=float(columns.cost[chosen].sum()), cost_bound=max(bound, 0.0), history=tuple(history), stopped=stopped,
    )  # fmt: skip


def _least_difference(cost: Floats) -> float:
    """An absolute gap below which two plans cost the same: just under one for whole costs."""
    return 0.999 if bool((cost == np.rint(cost)).all()) else 1e-6 * max(float(cost.max(initial=1.0)), 1.0)


def _rounded_up(bound: float, cost: Floats) -> float:
    """A proven bound, up to the next whole number where all costs are whole."""
    if not math.isfinite(bound):
        return 0.0
    return float(math.ceil(bound - CLOSE)) if bool((cost == np.rint(cost)).all()) else bound


def _searched(
    left: Reduced, capacity: NDArray[np.int32] | None, seconds: float, seed: int, feedback: Feedback
) -> Bools | None:
    """A cover by the greedy way and the search; None where it does not keep the room of the sites."""
    from analysis.kernels.siting_cover import weighted_search

    columns, rows = left.columns, transposed(left.columns)
    best = _greedy_cover(columns)
    cheapest = float(columns.cost[best].sum())
    until, idle, turn = time.monotonic() + SEARCH_SHARE * seconds, 0, 0
    cost = np.maximum(columns.cost, 1e-9)
    while idle < SETTLED_AFTER and time.monotonic() < until:
        feedback.step(0.1, "searching")
        turn += 1
        found = np.zeros(len(columns), dtype=np.bool_)
        value = weighted_search(
            columns.ptr, columns.idx, rows.ptr, rows.idx, cost, best, found, SEARCH_STEPS, seed * 1_000 + turn
        )
        idle += 1
        if value < cheapest - CLOSE:
            best, cheapest, idle = found, value, 0
    if capacity is not None and (np.bincount(columns.site[best], minlength=len(capacity)) > capacity).any():
        return None
    return best


def _greedy_cover(columns: Columns) -> Bools:
    """Most new targets per cost, until all are covered."""
    from analysis.kernels.siting_search import lazy_greedy

    worth = np.zeros((columns.targets, 2), dtype=np.int64)
    worth[:, 0] = 1
    room = np.full(int(columns.site.max(initial=0)) + 1, len(columns), dtype=np.int32)
    chosen = lazy_greedy(
        columns.ptr, columns.idx, columns.site, columns.cost, np.zeros(len(columns), dtype=np.int64), worth, room,
        math.inf, np.zeros(0, dtype=np.int64), True, np.ones(len(columns)),
    )  # fmt: skip
    out = np.zeros(len(columns), dtype=np.bool_)
    out[chosen] = True
    return out


def _program(left: Reduced, capacity: NDArray[np.int32] | None) -> mip.Program:
    columns, rows = left.columns, transposed(left.columns)
    ptr, idx, low, high = rows.ptr, rows.idx, left.need.astype(np.float64), np.full(columns.targets, np.inf)
    if capacity is not None:
        order = np.argsort(columns.site, kind="stable").astype(np.int32)
        sites, held = np.unique(columns.site, return_counts=True)
        tight = held > capacity[sites]
        ptr = np.concatenate([ptr, ptr[-1] + np.cumsum(held[tight])])
        idx = np.concatenate([idx, order[np.repeat(tight, held)]])
        low = np.concatenate([low, np.full(int(tight.sum()), -np.inf)])
        high = np.concatenate([high, capacity[sites[tight]].astype(np.float64)])
    whole = np.ones(len(columns), dtype=np.bool_)
    return mip.Program(columns.cost, whole, ptr, idx, np.ones(len(idx)), low, high, maximise=False)
