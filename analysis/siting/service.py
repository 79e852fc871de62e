"""Sites by distance of service: least total distance (p-median) and least greatest distance (p-centre), proven.

References
----------
S. L. Hakimi: Optimum locations of switching centers and the absolute centers and medians of a graph. Operations
Research 12(3), 1964. doi:10.1287/opre.12.3.450
C. ReVelle, R. Swain: Central facilities location. Geographical Analysis 2(1), 1970.
doi:10.1111/j.1538-4632.1970.tb00142.x
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.siting import mip
from analysis.siting.cover import solve_cover, unseen
from analysis.siting.matrix import columns_of
from geo.model import Feedback

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]


class Service(NamedTuple):
    """Chosen sites (p,), what they reach, and what no choice can better."""

    chosen: Whole
    value: float
    bound: float


def median_sites(
    distance: Floats, weight: Floats, count: int, *, seconds: float = 60.0, feedback: Feedback | None = None
) -> Service:
    """`count` sites of least total of weight times distance to the nearest of them.

    Parameters
    ----------
    distance : (sites, demands) float64 [m]
    weight : (demands,) float64
    """
    sites, demands = distance.shape
    cost = distance * weight
    scale = max(float(cost.max(initial=0.0)), 1.0)
    # x_i, then z_ij by site: sum_i z_ij = 1; z_ij - x_i <= 0; sum_i x_i <= count
    served = sites + np.arange(sites)[None, :] * demands + np.arange(demands)[:, None]
    links = np.stack([sites + np.arange(sites * demands), np.repeat(np.arange(sites), demands)], axis=1)
    idx = np.concatenate([served.ravel(), links.ravel(), np.arange(sites)])
    length = np.concatenate([np.full(demands, sites), np.full(sites * demands, 2), [sites]])
    value = np.concatenate([np.ones(served.size), np.tile([1.0, -1.0], sites * demands), np.ones(sites)])
    low = np.concatenate([np.ones(demands), np.full(sites * demands + 1, -np.inf)])
    high = np.concatenate([np.ones(demands), np.zeros(sites * demands), [float(count)]])
    program = mip.Program(
        np.concatenate([np.zeros(sites), cost.ravel() / scale]), np.arange(sites + sites * demands) < sites,
        np.concatenate([[0], np.cumsum(length)]), idx.astype(np.int32), value, low, high, maximise=False,
    )  # fmt: skip
    solved = mip.solve(program, seconds=seconds, absolute_gap=1e-9, feedback=feedback)
    if solved.x is None:
        return Service(np.zeros(0, dtype=np.int64), math.inf, solved.bound * scale)
    chosen = np.flatnonzero(solved.x[:sites] > 0.5)
    total = float(cost[chosen].min(axis=0).sum())
    return Service(chosen, total, total if solved.optimal else min(solved.bound * scale, total))


def centre_sites(distance: Floats, count: int, *, seconds: float = 60.0, feedback: Feedback | None = None) -> Service:
    """`count` sites of least greatest distance to the nearest of them: covers at distances found by bisection."""
    feedback = feedback or Feedback()
    steps = np.unique(distance[np.isfinite(distance)])
    low, high, best = -1, len(steps) - 1, np.zeros(0, dtype=np.int64)
    proven = 0.0
    while high - low > 1:
        middle = (low + high) // 2
        feedback.step(1.0 - (high - low) / len(steps))
        columns = columns_of([np.flatnonzero(row <= steps[middle]) for row in distance], distance.shape[1])
        if len(unseen(columns)):
            low = middle
            proven = max(proven, float(steps[middle + 1]))
            continue
        plan = solve_cover(columns, seconds=seconds)
        if plan.cost <= count:
            high, best = middle, plan.chosen
        else:
            low = middle
            if plan.cost_bound > count:
                proven = max(proven, float(steps[middle + 1]))
    if len(best) == 0:
        best = np.arange(min(count, len(distance)))
    reached = float(distance[best].min(axis=0).max())
    return Service(best, reached, min(proven, reached))
