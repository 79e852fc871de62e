"""The cheapest plan that sees a given share: a plan, and a proven lower bound on the cost of any.

At prices lam and a worth theta of one unit of budget, a plan of cost B is worth at most

    sum_j sum_k max(0, w_jk - lam_j) + theta B + max_x sum_i x_i (profit_i - theta c_i)

so whatever reaches the value wanted costs at least (wanted - the rest) / theta: proven for every lam and theta.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from analysis.siting.columns import Master
from analysis.siting.dual import SCALE, Dual, SiteOrder, base_of, scaled, site_order
from analysis.siting.matrix import Columns, taken
from analysis.siting.plan import UNBOUNDED, Limits, Moment, Plan, limits_for, with_layers
from analysis.siting.pricing import Priced, Pricer
from analysis.siting.primal import Exchanges, greedy, search, value_of
from analysis.siting.state import State, Tell
from geo.model import Feedback, UserError

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

ITERATIONS = 200
MOST_ROUNDS = 60
SETTLED_AFTER = 4  # rounds without any gain
MOVES, RESTARTS = 30, 2
SEARCH_SHARE = 0.15  # of the time left, at most, for one attempt at a cheaper plan
CHEAPER = 0.01  # of the cost: how much cheaper the next attempt is where costs differ
CLOSE = 1e-9


def solve_share(
    columns: Columns,
    weights: NDArray[np.integer],
    wanted: int,
    *,
    by_count: bool = False,
    per_site: int | NDArray[np.int32] = 2,
    pricer: Pricer | None = None,
    candidate: Whole | None = None,
    seconds: float = 60.0,
    gap: float = 0.02,
    seed: int = 0,
    feedback: Feedback | None = None,
    tell: Tell | None = None,
) -> Plan:
    """The cheapest choice of columns whose value is at least `wanted`.

    Parameters
    ----------
    weights : (n,) or (n, k) integer
    wanted : int
        In units of the weights.
    by_count : bool
        Every column counts one, whatever it costs.
    pricer, candidate, seconds, seed, feedback
        As for `solve_coverage`.
    gap : float
        Enough when the cost is no further above its bound, as a share of the cost.
    tell : callable(cost, bound), optional

    Returns
    -------
    plan : Plan
        `cost` and `cost_bound` are what counts; `value` reaches `wanted`.

    Raises
    ------
    UserError
        ``siting.share_unreachable``: with the most that was reached.
    """
    worth = with_layers(np.asarray(weights))
    sites = max(int(columns.site.max(initial=-1)) + 1, pricer.sites if pricer is not None else 0)
    columns, limits = (
        limits_for(columns, count=1, budget=None, per_site=per_site, sites=sites)
        if by_count
        else limits_for(columns, count=None, budget=0.0, per_site=per_site, sites=sites)
    )
    state = State(base=0, seconds=seconds, gap=gap, feedback=feedback)
    master = Master(columns, np.full(len(columns), -1, dtype=np.int64) if candidate is None else candidate)
    work = _Share(master, worth, limits, wanted, state, pricer, by_count=by_count, seed=seed, tell=tell)
    work.reach()
    while not work.finished:
        work.round()
    return work.plan()


class _Share:
    """One problem on its way."""

    def __init__(
        self, master: Master, worth: Whole, limits: Limits, wanted: int, state: State, pricer: Pricer | None, *,
        by_count: bool, seed: int, tell: Tell | None,
    ) -> None:  # fmt: skip
        self.master, self.worth, self.limits, self.wanted = master, worth, limits, wanted
        self.state, self.pricer, self.by_count, self.seed, self.tell = state, pricer, by_count, seed, tell
        self.chosen: Whole = np.zeros(0, dtype=np.int64)
        self.cost, self.bound = math.inf, 0.0
        self.rounds = self.idle = 0
        self.history: list[Moment] = []
        self._prices = worth[:, 0] / 2.0
        self._share: Floats = np.zeros(len(master.columns))
        self._omega = 1.0
        self._attempts = 0

    @property
    def finished(self) -> bool:
        """Whether it is enough, or no use to go on."""
        close = self.cost <= self.bound * (1 + CLOSE) or self.cost - self.bound <= self.state.gap * self.cost
        return close or self.state.out_of_time or self.idle >= SETTLED_AFTER or self.rounds >= MOST_ROUNDS

    def _free(self) -> Limits:
        return self.limits._replace(budget=1e18)

    def reach(self) -> None:
        """A first plan, writing out candidates until one reaches the value."""
        reached = -1
        while True:
            self.state.step("a first plan")
            columns = self.master.columns
            plan = greedy(columns, self.worth, self._free()) if len(columns) else self.chosen
            value = value_of(columns, self.worth, plan) if len(plan) else 0
            if value >= self.wanted:
                self._offer(plan)
                return
            if self.pricer is None or value <= reached or self.state.out_of_time:
                raise unreachable(value, self.wanted, int(self.worth[:, :-1].sum()))
            reached = value
            views = np.bincount(taken(columns, plan).idx, minlength=len(self.worth)) if len(plan) else None
            prices = _left(self.worth, views).astype(np.float64)
            room = max(int(self.limits.capacity.max(initial=1)), 1)
            self._add(self.pricer.price(prices, per_site=room, least=0.0), 0.0)

    def _add(self, found: Priced, least: float) -> int:
        if self.pricer is None:
            return 0
        site, place = np.nonzero((found.candidate >= 0) & (found.value > least))
        added = self.master.add(self.pricer, site, found.candidate[site, place], unit=self.by_count)
        self._share = np.concatenate([self._share, np.zeros(added)])
        return added

    def _offer(self, plan: Whole) -> bool:
        """Keep a plan that reaches the value, without what it can do without, if it is the cheapest."""
        plan = self._pruned(plan)
        cost = float(self.master.columns.cost[plan].sum())
        if cost >= self.cost * (1 - CLOSE):
            return False
        self.chosen, self.cost = np.sort(plan), cost
        self._note()
        return True

    def _pruned(self, plan: Whole) -> Whole:
        columns, kept = self.master.columns, plan.tolist()
        for column in sorted(kept, key=lambda one: (-columns.cost[one], one)):
            fewer = [one for one in kept if one != column]
            if value_of(columns, self.worth, np.array(fewer, dtype=np.int64)) >= self.wanted:
                kept = fewer
        return np.array(kept, dtype=np.int64)

    def _note(self) -> None:
        self.history.append(Moment(self.state.elapsed, round(self.cost), math.ceil(self.bound - CLOSE)))
        if self.tell is not None:
            self.tell(self.history[-1].value, self.history[-1].bound)

    def round(self) -> None:
        """Prices at the cost that the bound has reached, candidates at these prices, and a cheaper plan."""
        before = (self.cost, self.bound)
        budget = max(self.bound, 0.5 * self.cost) if self.bound else 0.9 * self.cost
        self.state.step("proving a bound")
        dual = Dual(
            self.master.columns, self.worth, self.limits._replace(budget=budget), prices=self._prices,
            share=self._share, omega=self._omega,
        )  # fmt: skip
        dual.run(ITERATIONS, until=self.state.until, target=0, feedback=self.state.watch)
        self._prices, self._omega, self._share = dual.best_prices, dual.omega, dual.best_share
        added = self._prove(dual)
        dual.close()
        self._cheaper()
        self.rounds += 1
        # New candidates raise the bound only after the prices have felt them.
        self.idle = 0 if before != (self.cost, self.bound) or added else self.idle + 1

    def _prove(self, dual: Dual) -> int:
        whole = scaled(self._prices, self.worth)
        profit = dual.bound.profit
        missing = self.wanted * SCALE - base_of(whole, self.worth)
        sites = site_order(self.master.columns.site, self.limits)
        money, bound = cost_bound(profit, self.master.columns.cost, sites, missing)
        added = 0
        if self.pricer is not None and money > 0.0:
            room = max(int(self.limits.capacity.max(initial=1)), 1)
            self.state.step("pricing all candidates")
            charge = 0.0 if self.by_count else money / SCALE
            found = self.pricer.price(
                whole / SCALE, per_site=room, least=money / SCALE if self.by_count else 0.0, money=charge
            )
            bound = _priced_bound(found, self.master, profit, money, missing, self.limits, by_count=self.by_count)
            added = self._add(found, (0.9 * money / SCALE) if self.by_count else 0.0)
        if self.by_count:
            bound = float(math.ceil(bound - 1e-6))
        bound = min(bound, self.cost)
        if bound > self.bound * (1 + CLOSE):
            self.bound = bound
            self._note()
        return added

    def _cheaper(self) -> None:
        """Plans of less cost that reach the value: greedy by shares, then exchanges."""
        columns = self.master.columns
        while not self.finished:
            less = self.cost - 1.0 if self.by_count else self.cost * (1.0 - CHEAPER)
            limits = self.limits._replace(budget=max(less, self.bound))
            self.state.step("looking for a cheaper plan")
            self._attempts += 1
            start = greedy(columns, self.worth, limits, weight=0.05 + self._share)
            without = self._shortened(limits)
            if value_of(columns, self.worth, without) > value_of(columns, self.worth, start):
                start = without
            moves = Exchanges(columns, self.worth, limits, start, seed=self.seed + self._attempts)
            search(
                moves, rounds=RESTARTS, moves=MOVES, until=self.state.share_of_time(SEARCH_SHARE),
                target=self.wanted, share=self._share, feedback=self.state.watch,
            )  # fmt: skip
            if moves.value < self.wanted or not self._offer(moves.best):
                return

    def _shortened(self, limits: Limits) -> Whole:
        """The best plan less what it misses least, until the budget holds."""
        columns, kept = self.master.columns, self.chosen.tolist()
        while columns.cost[kept].sum() > limits.budget and kept:
            values = [
                value_of(columns, self.worth, np.array([one for one in kept if one != out], dtype=np.int64))
                for out in kept
            ]
            kept.pop(int(np.argmax(values)))
        return np.array(kept, dtype=np.int64)

    def plan(self) -> Plan:
        """The answer."""
        value = value_of(self.master.columns, self.worth, self.chosen)
        optimal = self.cost <= self.bound * (1 + CLOSE)
        close = self.cost - self.bound <= self.state.gap * self.cost
        stopped = "optimal" if optimal else "gap" if close else "time" if self.state.out_of_time else "settled"
        return Plan(
            self.chosen, self.master.columns, value, UNBOUNDED, self.master.candidate, cost=self.cost,
            cost_bound=self.bound, history=tuple(self.history),
            proven_against="columns" if self.pricer is None else "candidates", stopped=stopped,
        )  # fmt: skip


def _left(worth: Whole, views: Whole | None) -> Whole:
    """What the next view of each target is worth (n,)."""
    if views is None:
        return worth[:, 0]
    at = np.minimum(views, worth.shape[1] - 1)
    return np.asarray(worth[np.arange(len(worth)), at])


def cost_bound(profit: Whole, cost: Floats, sites: SiteOrder, missing: int) -> tuple[float, float]:
    """The worth of a unit of budget that proves most, and what any plan costs at least.

    Parameters
    ----------
    profit : (m,) int64 [1/1024]
    missing : int [1/1024]
        What the chosen columns must earn at these prices.
    """
    if missing <= 0 or len(profit) == 0:
        return 0.0, 0.0
    low, high = 0.0, float((profit / np.maximum(cost, 1e-9)).max(initial=0.0))
    best, best_money = 0.0, 0.0
    for _ in range(50):
        money = 0.5 * (low + high)
        if money <= 0.0:
            break
        surplus, earned = _surplus(profit, cost, sites, money)
        bound = (missing - surplus) / money * (1 - CLOSE)
        if bound > best:
            best, best_money = bound, money
        if earned > missing:
            low = money
        else:
            high = money
        if high - low <= 1e-9 * high:
            break
    return best_money, best


def _surplus(profit: Whole, cost: Floats, sites: SiteOrder, money: float) -> tuple[int, int]:
    """What columns earn beyond their cost, and what those that do earn in all [1/1024]."""
    from analysis.kernels.siting_dual import best_of_sites

    net = profit - np.floor(money * cost).astype(np.int64)
    out, column = np.empty(len(profit), np.int64), np.empty(len(profit), np.int64)
    count = best_of_sites(net, sites.order, sites.starts, sites.room, out, column)
    return int(out[:count].sum()), int(profit[column[:count]].sum())


def _priced_bound(
    found: Priced, master: Master, profit: Whole, money: float, missing: int, limits: Limits, *, by_count: bool
) -> float:
    """What any plan of candidates and columns costs at least, at one worth of money."""
    value = np.where(np.isfinite(found.value), found.value, -1.0) * SCALE
    net = np.ceil(value - 1e-6).astype(np.int64) - (int(math.floor(money)) if by_count else 0)
    own = master.candidate < 0
    mine = (profit - np.floor(money * master.columns.cost).astype(np.int64))[own]
    all_net = np.concatenate([net.ravel(), mine])
    all_sites = np.concatenate([np.repeat(np.arange(len(net)), net.shape[1]), master.columns.site[own]])
    good = np.flatnonzero(all_net > 0)
    order = good[np.lexsort((-all_net[good], all_sites[good]))]
    first = np.flatnonzero(np.diff(all_sites[order], prepend=-1))
    rank = np.arange(len(order)) - np.repeat(first, np.diff([*first, len(order)]))
    surplus = int(all_net[order[rank < limits.capacity[all_sites[order]]]].sum())
    return max((missing - surplus) / money * (1 - CLOSE), 0.0)


def unreachable(value: int, wanted: int, total: int) -> UserError:
    """No plan reaches the share."""
    reached = 100.0 * value / total if total else 0.0
    share = 100.0 * wanted / total if total else 0.0
    return UserError(
        f"{share:.1f} % cannot be reached.",
        f"All candidates together see {reached:.1f} %.",
        "Allow more places, a better camera or a lower class, or ask for less.",
        code="siting.share_unreachable",
        values={"wanted": f"{share:.1f}", "reached": f"{reached:.1f}"},
    )
