"""Column generation: candidates too many to be written out are priced, and only the best become columns.

The bound is taken over all candidates of the pricer and all columns that the pricer does not know, so it is proven
against both. Prices are whole multiples of 1/1024, of which float64 sums are exact.

References
----------
P. C. Gilmore, R. E. Gomory: A linear programming approach to the cutting-stock problem. Operations Research 9(6), 1961.
doi:10.1287/opre.9.6.849
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.siting.core import core_of, finish
from analysis.siting.dual import SCALE, Dual, Products, base_of, best_total, scaled, site_order
from analysis.siting.matrix import Columns, joined, taken
from analysis.siting.plan import Limits, Plan
from analysis.siting.pricing import Priced, Pricer
from analysis.siting.primal import Exchanges, greedy, rounded, search, value_of
from analysis.siting.state import State

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

ITERATIONS = 150
ADD_ABOVE = 0.8  # of the profit of the last column that a plan would take
SKIP_BELOW = 0.9  # of the same: sites whose whole sum is less are not searched
MOST_COLUMNS = 40_000  # of the master; the least profitable are let go beyond it
SETTLED_AFTER = 8  # rounds without any gain
MOVES, RESTARTS = 24, 2
EXACT_AFTER = 4  # rounds without any gain
EXACT_SHARE, LEAST_SECONDS = 0.4, 2.0  # of the time left; not begun with less
SEARCH_SHARE = 0.12  # of the time left, at most, for one round of exchanges
EXACT = 1e-6


@dataclass
class Master:
    """Columns written out so far.

    Attributes
    ----------
    columns : Columns
    candidate : (m,) int64
        The pricer's number within the site, -1 for columns it does not know; these are never let go.
    """

    columns: Columns
    candidate: Whole

    def add(self, pricer: Pricer, site: Whole, candidate: Whole, *, unit: bool) -> int:
        """Write out candidates that are not columns yet; returns how many."""
        there = set(zip(self.columns.site.tolist(), self.candidate.tolist(), strict=True))
        pairs = dict.fromkeys(zip(site.tolist(), candidate.tolist(), strict=True))
        new = [pair for pair in pairs if pair not in there]
        if not new:
            return 0
        sites = np.array([pair[0] for pair in new], dtype=np.int32)
        numbers = np.array([pair[1] for pair in new], dtype=np.int64)
        more = pricer.columns(sites, numbers)
        if unit:
            more = replace(more, cost=np.ones(len(more)))
        self.columns = joined([self.columns, more]) if len(self.columns) else more
        self.candidate = np.concatenate([self.candidate, numbers])
        return len(new)


class GridBound(NamedTuple):
    """Bound over all candidates and columns, and the profit below which a candidate would not be taken."""

    value: int
    last: float


def grid_bound(
    prices: Whole, worth: Whole, limits: Limits, priced: Priced, master: Master, profit: Whole, money: float
) -> GridBound:
    """The Lagrangian bound at prices [1/1024] over everything that could be chosen.

    Parameters
    ----------
    profit : (m,) int64
        Of the master's columns at these prices, in 1/1024, before `money`.
    money : float
        Worth of one unit of budget [1/1024 of value]; 0 where the candidates count one each.
    """
    value = np.where(np.isfinite(priced.value), priced.value, -1.0)
    net = np.ceil(value * SCALE - EXACT).astype(np.int64)
    own = master.candidate < 0
    column_net = (profit - np.floor(money * master.columns.cost).astype(np.int64))[own]
    sites = np.repeat(np.arange(len(net)), net.shape[1])
    all_net = np.concatenate([net.ravel(), column_net])
    all_sites = np.concatenate([sites, master.columns.site[own]])
    good = np.flatnonzero(all_net > 0)
    order = good[np.lexsort((-all_net[good], all_sites[good]))]
    first = np.flatnonzero(np.diff(all_sites[order], prepend=-1))
    rank = np.arange(len(order)) - np.repeat(first, np.diff([*first, len(order)]))
    top = all_net[order[rank < limits.capacity[all_sites[order]]]]
    base = base_of(prices, worth)
    if money > 0.0:
        return GridBound((base + math.ceil(money * limits.budget * (1 + 1e-9)) + int(top.sum())) // SCALE, 0.0)
    count = int(math.floor(limits.budget * (1 + 1e-9)))
    if len(top) > count:
        top = np.partition(top, len(top) - count)[len(top) - count :] if count else top[:0]
    last = float(top.min()) / SCALE if len(top) == count and count else 0.0
    return GridBound((base + int(top.sum())) // SCALE, last)


def generate(
    columns: Columns,
    worth: Whole,
    limits: Limits,
    state: State,
    *,
    pricer: Pricer,
    candidate: Whole,
    seed: int,
    unit: bool,
) -> Plan:
    """Solve over all candidates of a pricer and the columns given."""
    most_room = max(int(limits.capacity.max(initial=1)), 1)
    master = Master(columns, candidate)
    prices, share, omega, last, idle, rounds = worth[:, 0].astype(np.float64), None, 1.0, 0.0, 0, 0
    best_prices = prices / 2
    if len(columns) == 0:
        state.step("pricing the first candidates")
        found = pricer.price(prices, per_site=most_room, least=0.0)
        _add_best(master, pricer, found, -1.0, unit=unit)
    prices = prices / 2
    while len(master.columns):
        before = (state.value, state.bound)
        state.step("proving a bound")
        dual = Dual(master.columns, worth, limits, prices=prices, share=share, omega=omega)
        dual.run(ITERATIONS, until=state.until, target=state.value, feedback=state.watch)
        prices, omega = dual.best_prices, dual.omega
        whole = scaled(prices, worth)
        money = 0.0 if unit else dual.bound.money
        state.step("pricing all candidates")
        found = pricer.price(whole / SCALE, per_site=most_room, least=SKIP_BELOW * last, money=money / SCALE)
        proven = grid_bound(whole, worth, limits, found, master, dual.bound.profit, money)
        last = proven.last
        _better(master, worth, limits, state, dual, seed + rounds)
        if state.prove(proven.value):
            best_prices = whole / SCALE
        share = dual.best_share
        if idle == EXACT_AFTER and not state.enough:
            _exactly(master, worth, limits, state, dual)
        dual.close()
        if state.enough or state.out_of_time:
            break
        added = _add_best(master, pricer, found, ADD_ABOVE * last, unit=unit)
        share = np.concatenate([share, np.zeros(added)])
        rounds += 1
        idle = idle + 1 if before == (state.value, state.bound) else 0
        if idle >= SETTLED_AFTER:
            break
    chosen = state.chosen
    return Plan(
        chosen, master.columns, state.base + state.value, state.base + state.bound, master.candidate,
        cost=float(master.columns.cost[chosen].sum()), history=tuple(state.history),
        proven_against="candidates", stopped=state.stopped(), prices=best_prices,
    )  # fmt: skip


def bound_with(
    plan: Plan, worth: Whole, limits: Limits, pricer: Pricer, more: Columns, *, unit: bool, already: int = 0
) -> int:
    """The bound at a plan's prices over all candidates and some further columns (cameras turned freely).

    Parameters
    ----------
    already : int
        Value that is there before anything is chosen.
    """
    if plan.prices is None:
        raise ValueError("the plan has no prices")
    whole = scaled(plan.prices, worth)
    own = plan.candidate < 0
    extra = joined([taken(plan.columns, own), more]) if own.any() else more
    if unit:
        extra = replace(extra, cost=np.ones(len(extra)))
    profit = Products(extra).earned_whole(whole) + extra.value_offset * SCALE
    money = 0.0
    if not unit:
        both = joined([plan.columns, more])
        all_profit = Products(both).earned_whole(whole) + both.value_offset * SCALE
        money = best_total(all_profit, both.cost, site_order(both.site, limits), limits.budget)[1]
    room = max(int(limits.capacity.max(initial=1)), 1)
    found = pricer.price(whole / SCALE, per_site=room, least=0.0, money=money / SCALE)
    master = Master(extra, np.full(len(extra), -1, dtype=np.int64))
    return already + grid_bound(whole, worth, limits, found, master, profit, money).value


def _exactly(master: Master, worth: Whole, limits: Limits, state: State, dual: Dual) -> None:
    """The best plan of the columns written out, by the solver where it can; it proves nothing of other candidates."""
    core = core_of(master.columns, worth, dual.hopeless(state.value), state.chosen)
    if not core.small or state.left < LEAST_SECONDS:
        return
    state.step("proving with the solver")
    done = finish(core, limits, state.chosen, state.value, seconds=EXACT_SHARE * state.left, feedback=state.watch)
    state.offer(value_of(master.columns, worth, done.chosen), done.chosen)


def _add_best(master: Master, pricer: Pricer, found: Priced, least: float, *, unit: bool) -> int:
    site, place = np.nonzero((found.candidate >= 0) & (found.value > max(least, 0.0)))
    return master.add(pricer, site, found.candidate[site, place], unit=unit)


def _better(master: Master, worth: Whole, limits: Limits, state: State, dual: Dual, seed: int) -> None:
    """Plans of the master, bettered by exchanges."""
    state.step("exchanging")
    columns = master.columns
    plans = [rounded(columns, worth, limits, dual.best_share, seed=seed), greedy(columns, worth, limits)]
    if len(state.chosen):
        plans.append(state.chosen)
    start = max(plans, key=lambda plan: value_of(columns, worth, plan))
    moves = Exchanges(columns, worth, limits, start, seed=seed)
    search(
        moves, rounds=RESTARTS, moves=MOVES, until=state.share_of_time(SEARCH_SHARE), target=state.target,
        share=dual.best_share, feedback=state.watch,
    )  # fmt: skip
    state.offer(moves.value, moves.best)
