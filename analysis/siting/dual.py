"""The dual of maximum coverage by PDHG: prices of targets, and from any prices a proven upper bound.

With prices lam between 0 and the worth of a target's first view,

    L(lam) = sum_j sum_k max(0, w_jk - lam_j) + max_x sum_i x_i (o_i + sum_j a_ij lam_j)

over all x that keep budget and sites is never below the value of any plan, whatever the prices (Lagrange). Prices are
rounded to 1/1024 before L is taken, so that it is a sum of whole numbers, exact; with costs the knapsack is relaxed by
one multiplier, rounded upwards.
"""

from __future__ import annotations

import math
import time
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.siting.matrix import Columns
from analysis.siting.plan import Limits
from geo.model import Feedback

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Ints = NDArray[np.int32]

SCALE = 1024  # parts of one in which prices are whole
EVALUATE_EVERY = 10
RESTART_EVERY = 60
OMEGA_LOW, OMEGA_HIGH = 1e-4, 1e4
ENTRIES_PER_THREAD = 200_000
THREADS = 2


class Bound(NamedTuple):
    """What prices prove.

    Attributes
    ----------
    value : int
        No plan is worth more.
    profit : (m,) int64
        Of each column at the prices, in 1/1024.
    money : float
        What one unit of budget is worth in the bound [1/1024 of value].
    base : int
        Part of the bound that no column earns [1/1024].
    """

    value: int
    profit: Whole
    money: float
    base: int


class SiteOrder(NamedTuple):
    """Columns site by site: `order` (m,), `starts` (s + 1,), `room` (s,)."""

    order: Whole
    starts: Whole
    room: Ints


def site_order(site: Ints, limits: Limits) -> SiteOrder:
    """Columns grouped by site."""
    order = np.argsort(site, kind="stable").astype(np.int64)
    starts = np.flatnonzero(np.diff(site[order], prepend=-1, append=-2)).astype(np.int64)
    return SiteOrder(order, starts, limits.capacity[site[order[starts[:-1]]]].astype(np.int32))


def scaled(prices: Floats, worth: Whole) -> Whole:
    """Prices in whole 1/1024, between 0 and the worth of the first view."""
    return np.clip(np.rint(prices * SCALE).astype(np.int64), 0, worth[:, 0] * SCALE)


def base_of(prices: Whole, worth: Whole) -> int:
    """What targets earn beyond their prices [1/1024], exact."""
    return int(sum(np.maximum(worth[:, k] * SCALE - prices, 0).sum() for k in range(worth.shape[1] - 1)))


def best_total(profit: Whole, cost: Floats, sites: SiteOrder, budget: float) -> tuple[int, float]:
    """An upper bound on the profit of any choice within budget and sites, and the worth of one unit of budget.

    Where all costs are equal it is exact, else the knapsack is relaxed.
    """
    if len(profit) == 0:
        return 0, 0.0
    if np.ptp(cost) == 0:
        return _best_count(profit, float(cost[0]), sites, budget)
    low, high = 0.0, float((profit / np.maximum(cost, 1e-9)).max(initial=0.0))
    best, best_money = _relaxed(profit, cost, sites, budget, 0.0)[0], 0.0
    for _ in range(40):
        money = 0.5 * (low + high)
        total, spent = _relaxed(profit, cost, sites, budget, money)
        if total < best:
            best, best_money = total, money
        if spent > budget:
            low = money
        else:
            high = money
        if high - low <= 1e-9 * high:
            break
    return best, best_money


def _best_count(profit: Whole, cost: float, sites: SiteOrder, budget: float) -> tuple[int, float]:
    from analysis.kernels.siting_dual import best_of_sites

    out, column = np.empty(len(profit), np.int64), np.empty(len(profit), np.int64)
    found = out[: best_of_sites(profit, sites.order, sites.starts, sites.room, out, column)]
    count = len(found) if cost <= 0 else int(math.floor(budget / cost * (1 + 1e-9)))
    if len(found) <= count:
        return int(found.sum()), 0.0
    if count == 0:
        return 0, float(found.max()) / max(cost, 1e-9)
    top = np.partition(found, len(found) - count)[len(found) - count :]
    return int(top.sum()), float(top.min()) / cost if cost > 0 else 0.0


def _relaxed(profit: Whole, cost: Floats, sites: SiteOrder, budget: float, money: float) -> tuple[int, float]:
    from analysis.kernels.siting_dual import best_of_sites

    net = profit - np.floor(money * cost).astype(np.int64)
    out, column = np.empty(len(profit), np.int64), np.empty(len(profit), np.int64)
    count = best_of_sites(net, sites.order, sites.starts, sites.room, out, column)
    return math.ceil(money * budget * (1 + 1e-9)) + int(out[:count].sum()), float(cost[column[:count]].sum())


class Products:
    """Products with the columns, shared among threads column by column: the same bits whatever their number."""

    def __init__(self, columns: Columns, *, threads: int = THREADS) -> None:
        self._columns = columns
        parts = max(1, min(threads, len(columns.idx) // ENTRIES_PER_THREAD + 1))
        cuts = np.searchsorted(columns.ptr, np.linspace(0, columns.ptr[-1], parts + 1)[1:-1])
        edges = [0, *cuts.tolist(), len(columns)]
        self._parts = [(a, b) for a, b in zip(edges, edges[1:], strict=False) if b > a]
        self._pool = ThreadPoolExecutor(len(self._parts)) if len(self._parts) > 1 else None

    def earned(self, prices: Floats, out: Floats) -> None:
        """Sum of prices (n,) of what each column sees, to `out` (m,)."""
        from analysis.kernels.siting_dual import gather

        ptr, idx = self._columns.ptr, self._columns.idx
        self._shared(lambda a, b: gather(ptr, idx, prices, a, b, out))

    def earned_whole(self, prices: Whole) -> Whole:
        """The same in whole numbers (m,)."""
        from analysis.kernels.siting_dual import gather_whole

        ptr, idx, out = self._columns.ptr, self._columns.idx, np.zeros(len(self._columns), dtype=np.int64)
        self._shared(lambda a, b: gather_whole(ptr, idx, prices, a, b, out))
        return out

    def _shared(self, work: object) -> None:
        if self._pool is None:
            for a, b in self._parts:
                work(a, b)  # type: ignore[operator]
        else:
            list(self._pool.map(lambda part: work(*part), self._parts))  # type: ignore[operator]

    def close(self) -> None:
        """Let the threads go."""
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None


class Dual:
    """Prices of targets on their way to the best bound.

    Parameters
    ----------
    columns, worth, limits
    prices : (n,) float64, optional
        Where to begin; half the worth of the first view by default.
    share : (m,) float64, optional
        Shares of columns to begin with.
    threads : int
    """

    def __init__(
        self,
        columns: Columns,
        worth: Whole,
        limits: Limits,
        *,
        prices: Floats | None = None,
        share: Floats | None = None,
        omega: float = 1.0,
        threads: int = THREADS,
    ) -> None:
        self.columns, self.worth, self.limits = columns, worth, limits
        self._products = Products(columns, threads=threads)
        self._sites = site_order(columns.site, limits)
        first = worth[:, 0].astype(np.float64)
        self.prices = first / 2 if prices is None else np.clip(prices, 0.0, first)
        self.share = np.zeros(len(columns)) if share is None else np.asarray(share, dtype=np.float64).copy()
        self.omega = omega
        seen_by = np.bincount(columns.idx, minlength=columns.targets)
        self._size = first / np.maximum(seen_by, 1)
        weight = np.zeros(len(columns))
        self._products.earned(first, weight)
        self._prepare_rooms(weight)
        self._weight = np.maximum(weight + self._room_weight[self._row], 1.0)
        self.bound = self._bound_of(self.prices)
        self.best_prices = self.prices.copy()
        self.best_share = self.share.copy()
        self.iterations = 0
        self._restart()

    def _prepare_rooms(self, weight: Floats) -> None:
        """Room on sites as rows of their own: only of sites that have more columns than room."""
        sites, self._row = np.unique(self.columns.site, return_inverse=True)
        held = np.bincount(self._row, minlength=len(sites))
        self._room = self.limits.capacity[sites].astype(np.float64)
        self._tight = held > self._room
        most = np.zeros(len(sites))
        np.maximum.at(most, self._row, weight)
        self._room_weight = np.where(self._tight, 0.5 * most, 0.0)
        self._room_size = np.where(self._tight, self._room_weight / np.maximum(held, 1), 0.0)
        self._rent = np.zeros(len(sites))

    def _restart(self) -> None:
        self._prices_sum, self._share_sum = np.zeros_like(self.prices), np.zeros_like(self.share)
        self._rent_sum, self._summed = np.zeros_like(self._rent), 0
        self._prices_start, self._share_start = self.prices.copy(), self.share.copy()

    def _bound_of(self, prices: Floats) -> Bound:
        whole = scaled(prices, self.worth)
        profit = self._products.earned_whole(whole) + self.columns.value_offset * SCALE
        base = base_of(whole, self.worth)
        total, money = best_total(profit, self.columns.cost, self._sites, self.limits.budget)
        return Bound((base + total) // SCALE, profit, money, base)

    def keep_better(self, prices: Floats, share: Floats) -> Bound:
        """Evaluate prices and keep them where they prove more."""
        found = self._bound_of(prices)
        if found.value <= self.bound.value:
            self.bound, self.best_prices, self.best_share = found, prices.copy(), share.copy()
        return found

    def run(
        self, iterations: int, *, until: float = math.inf, target: int = -1, feedback: Feedback | None = None
    ) -> int:
        """Iterate until the bound reaches `target`, a time of `time.monotonic` or a number of iterations."""
        feedback = feedback or Feedback()
        for number in range(iterations):
            if self.bound.value <= target or time.monotonic() >= until:
                break
            self._iterate()
            if (number + 1) % EVALUATE_EVERY == 0 or number + 1 == iterations:
                feedback.step(0.0)
                self._evaluate()
        return self.bound.value

    def _iterate(self) -> None:
        from analysis.kernels.siting_dual import spread, step_prices, step_shares

        columns = self.columns
        views, ahead, profit = np.empty(columns.targets), np.empty(columns.targets), np.empty(len(columns))
        spread(columns.ptr, columns.idx, self.share, views)
        step_prices(self.prices, views, self._size, self.worth, self.omega, ahead)
        self._products.earned(ahead, profit)
        profit += columns.value_offset
        used = np.bincount(self._row, weights=self.share, minlength=len(self._rent))
        rent = np.maximum(self._rent + self.omega * self._room_size * (used - self._room), 0.0)
        profit -= (2.0 * rent - self._rent)[self._row]
        self._rent = rent
        work = np.empty(len(columns))
        step_shares(self.share, profit, self._weight, columns.cost, self.limits.budget, self.omega, work)
        self._prices_sum += self.prices
        self._share_sum += self.share
        self._rent_sum += rent
        self._summed += 1
        self.iterations += 1

    def _evaluate(self) -> None:
        mean = self._prices_sum / self._summed
        now = self.keep_better(self.prices, self.share)
        averaged = self.keep_better(mean, self._share_sum / self._summed)
        if self._summed < RESTART_EVERY:
            return
        if averaged.value <= now.value:
            self.prices, self.share = mean, self._share_sum / self._summed
            self._rent = self._rent_sum / self._summed
        self._rebalance()
        self._restart()

    def _rebalance(self) -> None:
        """Let prices and shares move by like lengths (Applegate 2021), in the metrics of their steps."""
        moved_prices = self.prices - self._prices_start
        moved_share = self.share - self._share_start
        size = np.maximum(self._size, 1e-12)
        by_prices = math.sqrt(float((moved_prices**2 / size).sum()))
        by_share = math.sqrt(float((moved_share**2 * self._weight).sum()))
        if by_prices > 0 and by_share > 0:
            self.omega = min(max(math.sqrt(self.omega * by_prices / by_share), OMEGA_LOW), OMEGA_HIGH)

    def hopeless(self, value: int) -> NDArray[np.bool_]:
        """Columns (m,) that no plan worth more than `value` takes (reduced costs at the best prices)."""
        top = self.bound.value * SCALE + SCALE - 1  # the bound before it was rounded down, at most
        loss = self.bound.profit - np.floor(self.bound.money * self.columns.cost).astype(np.int64)
        return top + np.minimum(loss, 0) < (value + 1) * SCALE

    def close(self) -> None:
        """Let the threads go."""
        self._products.close()
