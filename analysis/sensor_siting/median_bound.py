"""A proven bound of the p-median problem: each cell is paid a price for being served, and no plan can do better.

With a price of every cell, a plan costs at least the sum of the prices plus, for the places it opens, the sum over the
cells of ``min(0, weight * distance - price)``: the least over all plans is that of the places for which this sum is
lowest. Any prices give a valid bound; they are improved by subgradient steps (Cornuejols, Fisher, Nemhauser 1977,
doi:10.1287/mnsc.23.8.789).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geo.model import Feedback

Floats = NDArray[np.float64]

STEPS = 400
PATIENCE = 20  # steps without a better bound after which they are halved
ROUNDING = 1e-9  # share taken off for the rounding of long sums
PIECE = 1_000_000  # entries of the table looked at a time


def median_bound(cost: Floats, count: int, existing: int, best: float, feedback: Feedback) -> float:
    """A number that no plan of `count` further places costs less than.

    Parameters
    ----------
    cost : (n, s) float64
        Weight times distance of each cell to each place; the first `existing` places are open.
    best : float
        Cost of a plan that is known.
    """
    two = np.sort(np.partition(cost, 1, axis=1)[:, :2], axis=1) if cost.shape[1] > 1 else np.repeat(cost, 2, axis=1)
    prices = two[:, 1].copy()  # what the second nearest place would cost
    bound, stride, still = 0.0, 1.5, 0
    for step in range(STEPS):
        if step % 5 == 0:
            feedback.step(step / STEPS, "proving a bound")
        profit = _profits(cost, prices)
        order = existing + np.argsort(profit[existing:], kind="stable")[:count]
        is_open = np.concatenate([np.arange(existing), order]).astype(np.int64)
        value = float(prices.sum() + profit[is_open].sum())
        served = (cost[:, is_open] < prices[:, None]).sum(axis=1)
        if value > bound:
            bound, still = value, 0
        else:
            still += 1
            if still >= PATIENCE:
                stride, still = stride / 2.0, 0
        way = 1.0 - served
        length = float((way**2).sum())
        if length == 0.0 or best - value <= ROUNDING * best or stride < 1e-4:
            break
        prices = np.maximum(prices + stride * (best - value) / length * way, 0.0)
    return min(best, bound * (1.0 - ROUNDING))


def _profits(cost: Floats, prices: Floats) -> Floats:
    """(s,) sum of ``min(0, cost - price)`` for each place."""
    out = np.zeros(cost.shape[1])
    rows = max(1, PIECE // cost.shape[1])
    for first in range(0, len(cost), rows):
        out += np.minimum(cost[first : first + rows] - prices[first : first + rows, None], 0.0).sum(axis=0)
    return out
