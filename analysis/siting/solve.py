"""Maximum coverage for a count or a budget: a plan, a proven bound, and the gap between them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from analysis.siting.columns import generate
from analysis.siting.core import Core, core_of, finish
from analysis.siting.dual import Dual
from analysis.siting.matrix import Columns, taken
from analysis.siting.plan import Limits, Plan, after_views, limits_for, with_layers
from analysis.siting.pricing import Pricer
from analysis.siting.primal import Exchanges, greedy, rounded, search, value_of
from analysis.siting.state import State, Tell
from geo.model import Feedback, UserError

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

FIRST_ITERATIONS, MORE_ITERATIONS = 60, 100
FIX_AFTER = 400  # iterations: a loose bound leaves ten times more columns
MOST_ITERATIONS = 3_000
SETTLED_AFTER = 6  # rounds without any gain
MOVES, RESTARTS = 40, 3
SEARCH_SHARE = 0.25  # of the time limit, at most, for one round of exchanges
WORTH_NARROWING = 0.2  # share of columns that must go


def solve_coverage(
    columns: Columns,
    weights: NDArray[np.integer],
    *,
    count: int | None = None,
    budget: float | None = None,
    per_site: int | Sequence[int] | NDArray[np.int32] = 2,
    fixed: Whole | None = None,
    views: NDArray[np.integer] | None = None,
    pricer: Pricer | None = None,
    candidate: Whole | None = None,
    seconds: float = 60.0,
    gap: float = 0.01,
    seed: int = 0,
    feedback: Feedback | None = None,
    tell: Tell | None = None,
) -> Plan:
    """Choose columns so that what they see is worth most.

    Parameters
    ----------
    columns : Columns
    weights : (n,) or (n, k) integer
        Worth of a target; with k columns, of its first, second ... view, never rising.
    count, budget
        One of them: how many columns, or what they may cost together.
    per_site : int or (sites,) int
        How many columns a site takes.
    fixed : (f,) int64, optional
        Columns that are there already: they cost nothing, and their part of the value is in value and bound.
    views : (n,) int, optional
        Views that targets have already from elsewhere; they are not in the value.
    pricer : Pricer, optional
        Further candidates of the same sites, written out as they are needed.
    candidate : (m,) int64, optional
        The pricer's number of each given column, -1 for those the pricer does not know.
    seconds, gap
        Stop after that time, or when the bound is no further above the value (as a share of the bound).
    seed : int
        Of the shaken restarts.
    tell : callable(value, bound), optional
        Told whenever one of them gets better.

    Returns
    -------
    plan : Plan
        `chosen` without the fixed ones.
    """
    worth = with_layers(np.asarray(weights))
    if len(worth) != columns.targets:
        raise ValueError(f"{len(worth)} weights for {columns.targets} targets")
    if views is not None:
        worth = after_views(worth, views)
    fixed = np.zeros(0, dtype=np.int64) if fixed is None else np.asarray(fixed, dtype=np.int64)
    already = value_of(columns, worth, fixed)
    if len(fixed):
        worth = after_views(worth, np.bincount(taken(columns, fixed).idx, minlength=columns.targets))
    sites = max(int(columns.site.max(initial=-1)) + 1, pricer.sites if pricer is not None else 0)
    allowed, limits = limits_for(columns, count=count, budget=budget, per_site=per_site, sites=sites)
    taken_rooms = np.bincount(columns.site[fixed], minlength=sites).astype(np.int32)
    limits = limits._replace(capacity=np.maximum(limits.capacity - taken_rooms, 0))
    state = State(base=already, seconds=seconds, gap=gap, feedback=feedback, tell=tell)
    if pricer is not None:
        numbers = np.full(len(columns), -1, dtype=np.int64) if candidate is None else candidate
        return generate(
            allowed, worth, limits, state, pricer=pricer, candidate=numbers, seed=seed, unit=count is not None
        )
    if len(columns) == 0:
        raise no_candidates()
    usable = np.flatnonzero(allowed.cost <= limits.budget * (1 + 1e-9))
    usable = usable[~np.isin(usable, fixed)]
    _solve(taken(allowed, usable), worth, limits, state, seed)
    chosen = usable[state.chosen]
    return Plan(
        chosen, columns, already + state.value, already + state.bound, np.full(len(columns), -1, dtype=np.int64),
        cost=float(columns.cost[chosen].sum()), history=tuple(state.history), stopped=state.stopped(),
    )  # fmt: skip


def no_candidates() -> UserError:
    """Nothing can be chosen."""
    return UserError(
        "There is nothing to choose from.",
        "No candidate place is left.",
        "Allow more places, or fewer forbidden zones.",
        code="siting.no_candidates",
    )


def _solve(columns: Columns, worth: Whole, limits: Limits, state: State, seed: int) -> None:
    """Solve for columns all written out; the state then holds columns of those given."""
    state.step("leaving out what is needless")
    core = core_of(columns, worth, np.zeros(len(columns), dtype=np.bool_), np.zeros(0, dtype=np.int64))
    if len(core.columns) == 0:
        state.offer(0, np.zeros(0, dtype=np.int64))
        state.prove(0)
        return
    state.step("greedy choice")
    first = greedy(core.columns, core.worth, limits)
    state.offer(value_of(core.columns, core.worth, first), core.number[first])
    dual = Dual(core.columns, core.worth, limits, share=_share_of(core, state.chosen))
    state.prove(dual.bound.value)
    still, rounds, spent = 0, 0, 0
    while not state.enough and not state.out_of_time and still < SETTLED_AFTER:
        before = (state.value, state.bound)
        iterations = MORE_ITERATIONS if rounds else FIRST_ITERATIONS
        state.step("proving a bound")
        dual.run(iterations, until=state.until, target=state.value, feedback=state.watch)
        state.prove(dual.bound.value)
        spent += iterations
        if not state.enough:
            _better(core, limits, state, dual, seed + rounds)
        if not state.enough and spent >= FIX_AFTER:
            core, dual, shrunk = _narrowed(core, limits, state, dual)
            if core.small:
                _exactly(core, limits, state)
                break
            spent = 0 if shrunk else spent
        rounds += 1
        still = still + 1 if before == (state.value, state.bound) else 0
    dual.close()


def _share_of(core: Core, chosen: Whole) -> Floats:
    return np.isin(core.number, chosen).astype(np.float64)


def _better(core: Core, limits: Limits, state: State, dual: Dual, seed: int) -> None:
    """Plans from the shares of the dual, bettered by exchanges."""
    state.step("exchanging")
    plans = [np.flatnonzero(np.isin(core.number, state.chosen))]
    plans += [rounded(core.columns, core.worth, limits, dual.best_share, seed=3 * seed + number) for number in range(3)]
    start = max(plans, key=lambda plan: value_of(core.columns, core.worth, plan))
    moves = Exchanges(core.columns, core.worth, limits, start, seed=seed)
    search(
        moves, rounds=RESTARTS, moves=MOVES, until=state.share_of_time(SEARCH_SHARE), target=state.target,
        share=dual.best_share, feedback=state.watch,
    )  # fmt: skip
    state.offer(moves.value, core.number[moves.best])


def _narrowed(core: Core, limits: Limits, state: State, dual: Dual) -> tuple[Core, Dual, bool]:
    """The core without the columns that no better plan takes, when that is worth it."""
    hopeless = dual.hopeless(state.value)
    kept = np.flatnonzero(np.isin(core.number, state.chosen))
    if hopeless.mean() < WORTH_NARROWING:
        return core, dual, False
    state.step("fixing columns by their reduced costs")
    fewer = core_of(core.columns, core.worth, hopeless, kept)
    prices = dual.best_prices
    share = dual.best_share[fewer.number]
    group = fewer.group
    left = group >= 0
    new_prices = np.bincount(group[left], weights=prices[left], minlength=fewer.columns.targets).astype(np.float64)
    dual.close()
    number = core.number[fewer.number]
    core = Core(fewer.columns, fewer.worth, number, fewer.group)
    return core, Dual(core.columns, core.worth, limits, prices=new_prices, share=share, omega=dual.omega), True


def _exactly(core: Core, limits: Limits, state: State) -> None:
    """The solver on a small core."""
    state.step("proving with the solver")
    left = state.left
    done = finish(core, limits, state.chosen, state.value, seconds=left, feedback=state.watch)
    inside = np.flatnonzero(np.isin(core.number, done.chosen))
    state.offer(value_of(core.columns, core.worth, inside), done.chosen)
    state.prove(state.value if done.proven else done.bound)
