"""Good plans quickly: greedy choice, rounding of shares, and exchanges with a tabu list."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from analysis.siting.matrix import Columns, Transposed, transposed
from analysis.siting.plan import Limits
from geo.model import Feedback

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

NOTHING = np.zeros(0, dtype=np.int64)
LEAST_TENURE, MOST_TENURE = 5, 8


def value_of(columns: Columns, worth: Whole, chosen: Whole) -> int:
    """Value of a plan, exact."""
    from analysis.kernels import siting_search

    return int(siting_search.value_of(columns.ptr, columns.idx, columns.value_offset, worth, chosen))


def greedy(
    columns: Columns, worth: Whole, limits: Limits, *, weight: Floats | None = None, first: Whole = NOTHING
) -> Whole:
    """The greedy plan: the better of most value and, where costs differ, most value per cost.

    Parameters
    ----------
    weight : (m,) float64, optional
        Factors of the gains in the order of choice.
    first : (f,) int64
        Taken before all others.
    """
    from analysis.kernels.siting_search import lazy_greedy

    factor = np.ones(len(columns)) if weight is None else weight
    ways = (False,) if len(columns) == 0 or np.ptp(columns.cost) == 0 else (False, True)
    plans = [
        lazy_greedy(
            columns.ptr, columns.idx, columns.site, columns.cost, columns.value_offset, worth,
            limits.capacity, limits.budget, first, by_cost, factor,
        )
        for by_cost in ways
    ]  # fmt: skip
    return max(plans, key=lambda plan: value_of(columns, worth, plan))


def rounded(columns: Columns, worth: Whole, limits: Limits, share: Floats, *, seed: int = 0) -> Whole:
    """A plan from shares (m,) of a relaxed solution: greedy among what has a share, then among all.

    With a seed other than 0 the order is shaken.
    """
    weight = 0.02 + share
    if seed:
        weight = weight * np.random.default_rng(seed).uniform(0.5, 1.5, len(columns))
    return greedy(columns, worth, limits, weight=weight)


class Exchanges:
    """A plan that is bettered by exchanging one column at a time, restarted from shaken plans.

    Parameters
    ----------
    columns, worth, limits
    start : (c,) int64
    seed : int
    locked : (f,) int64
        Columns of the start that stay.
    """

    def __init__(
        self, columns: Columns, worth: Whole, limits: Limits, start: Whole, *, seed: int = 0, locked: Whole = NOTHING
    ) -> None:
        self._columns, self._worth, self._limits = columns, worth, limits
        self._rows: Transposed = transposed(columns)
        self._random = np.random.default_rng(seed)
        self._locked = locked
        self._clock = 0
        self._free_at = np.zeros(len(columns), dtype=np.int64)
        self.best = np.asarray(start, dtype=np.int64)
        self.value = value_of(columns, worth, self.best)
        self._set(self.best)

    def _set(self, plan: Whole) -> None:
        from analysis.kernels.siting_search import gains

        free = plan[~np.isin(plan, self._locked)]
        self._count = len(self._locked) + len(free)
        self._chosen = np.zeros(len(self._columns), dtype=np.int64)
        self._chosen[: self._count] = np.concatenate([self._locked, free])
        ptr, idx = self._columns.ptr, self._columns.idx
        self._views = np.zeros(self._columns.targets, dtype=np.int32)
        for column in plan:
            self._views[idx[ptr[column] : ptr[column + 1]]] += 1
        self._gain = gains(ptr, idx, self._columns.value_offset, self._worth, self._views)
        self._now = value_of(self._columns, self._worth, self._chosen[: self._count])

    def run(self, moves: int, *, until: Callable[[], bool] = lambda: False, chunk: int = 8) -> int:
        """Make moves until none of the last `moves` has bettered the best plan; returns the best value."""
        from analysis.kernels.siting_search import exchanges

        columns, idle = self._columns, 0
        while idle < moves and not until():
            tenure = int(self._random.integers(LEAST_TENURE, MOST_TENURE + 1))
            before = self._now
            change, self._count, self._clock = exchanges(
                columns.ptr, columns.idx, self._rows.ptr, self._rows.idx, columns.site, columns.cost,
                columns.value_offset, self._worth, self._limits.capacity, self._limits.budget, chunk, self._clock,
                self._chosen, self._count, self._views, self._gain, self._free_at, tenure, len(self._locked),
                self.value - before,
            )  # fmt: skip
            self._now = before + change
            if self._now > self.value:
                self.value, self.best, idle = self._now, np.sort(self._chosen[: self._count]), 0
            else:
                idle += chunk
        return self.value

    def shake(self, parts: int, share: Floats | None = None) -> None:
        """Start again from the best plan less some of its columns, filled up greedily with shaken gains."""
        free = self.best[~np.isin(self.best, self._locked)]
        if len(free) == 0:
            return
        gone = self._random.choice(free, size=min(parts, len(free)), replace=False)
        kept = self.best[~np.isin(self.best, gone)]
        weight = self._random.uniform(0.7, 1.0, len(self._columns))
        weight[gone] *= 0.5
        if share is not None:
            weight = weight * (0.2 + share)
        self._set(greedy(self._columns, self._worth, self._limits, weight=weight, first=kept))


def search(
    exchanges: Exchanges,
    *,
    rounds: int,
    moves: int,
    until: float,
    target: int,
    share: Floats | None = None,
    feedback: Feedback | None = None,
) -> int:
    """Exchanges and shaken restarts until a value is reached, a time of `time.monotonic` or a number of rounds."""
    feedback = feedback or Feedback()

    def enough() -> bool:
        feedback.step(0.0)
        return exchanges.value >= target or time.monotonic() >= until

    exchanges.run(moves, until=enough)
    for number in range(rounds):
        if enough():
            break
        exchanges.shake(2 + number % 4, share if number % 2 else None)
        exchanges.run(moves, until=enough)
    return exchanges.value
