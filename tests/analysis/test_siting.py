"""The siting engine against all plans of small cases, and its bounds at any prices."""

from __future__ import annotations

import itertools
import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.siting.columns import bound_with
from analysis.siting.cover import reduced, solve_cover, unseen
from analysis.siting.dual import Dual, Products
from analysis.siting.matrix import Columns, columns_of, joined, merge_targets, taken, transposed, undominated
from analysis.siting.plan import after_views, limits_for, sentence, with_layers
from analysis.siting.pricing import Priced
from analysis.siting.primal import greedy, value_of
from analysis.siting.service import centre_sites, median_sites
from analysis.siting.share import solve_share
from analysis.siting.solve import solve_coverage
from geo.model import Cancelled, Feedback, UserError

SITES = 5


def case(seed: int, *, layers: int = 1, most: int = 14) -> tuple[Columns, np.ndarray]:
    random = np.random.default_rng(seed)
    count, targets = int(random.integers(4, most + 1)), int(random.integers(5, 40))
    columns = columns_of(
        [np.flatnonzero(random.random(targets) < 0.3) for _ in range(count)], targets,
        site=random.integers(0, SITES, count), cost=random.integers(1, 6, count).astype(float),
        value_offset=-random.integers(0, 4, count),
    )  # fmt: skip
    return columns, np.sort(random.integers(0, 20, (targets, layers)), axis=1)[:, ::-1].copy()


def plans(columns: Columns, budget: float, per_site: int):  # noqa: ANN201
    for size in range(len(columns) + 1):
        for chosen in itertools.combinations(range(len(columns)), size):
            rows = np.array(chosen, dtype=np.int64)
            held = np.bincount(columns.site[rows], minlength=SITES) if size else np.zeros(SITES)
            if columns.cost[rows].sum() <= budget and (held <= per_site).all():
                yield rows


def optimum(columns: Columns, worth: np.ndarray, budget: float, per_site: int) -> int:
    return max(value_of(columns, worth, rows) for rows in plans(columns, budget, per_site))


def asked(seed: int, columns: Columns):  # noqa: ANN201
    random = np.random.default_rng(1000 + seed)
    if seed % 2:
        return {"count": int(random.integers(1, 5)), "budget": None}
    return {"count": None, "budget": float(random.integers(3, 12))}


@pytest.mark.parametrize("seed", range(24))
def test_small_cases_are_solved_to_the_optimum(seed: int) -> None:
    columns, weights = case(seed, layers=1 + seed % 2)
    worth, limit, per_site = with_layers(weights), asked(seed, columns), 1 + seed % 3 // 2
    counted, limits = limits_for(columns, per_site=per_site, sites=SITES, **limit)
    best = optimum(counted, worth, limits.budget, per_site)
    plan = solve_coverage(columns, weights, per_site=per_site, gap=0.0, seconds=20, **limit)
    assert plan.value == plan.bound == best == value_of(columns, worth, plan.chosen)
    assert plan.gap == 0.0
    assert plan.stopped == "optimal"
    assert [m.bound >= best >= m.value for m in plan.history] == [True] * len(plan.history)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 2**32 - 1))
def test_any_prices_give_a_bound(seed: int, price_seed: int) -> None:
    columns, weights = case(seed, layers=1 + seed % 2, most=9)
    worth, per_site = with_layers(weights), 1 + seed % 2
    counted, limits = limits_for(columns, per_site=per_site, sites=SITES, **asked(seed, columns))
    best = optimum(counted, worth, limits.budget, per_site)
    dual = Dual(counted, worth, limits)
    random = np.random.default_rng(price_seed)
    for prices in (random.random(len(worth)) * worth[:, 0], np.zeros(len(worth)), worth[:, 0] * 1.0, worth[:, 0] * 7.5):
        assert dual.keep_better(prices, dual.share).value >= best
    dual.run(40)
    assert dual.bound.value >= best
    kept = ~dual.hopeless(best - 1)  # a plan worth `best` is better than best - 1: its columns must stay
    winners = [rows for rows in plans(counted, limits.budget, per_site) if value_of(counted, worth, rows) == best]
    assert any(kept[rows].all() for rows in winners)
    assert all(kept[rows].all() for rows in winners)


@pytest.mark.parametrize("seed", range(40))
def test_greedy_keeps_its_guarantee(seed: int) -> None:
    columns, weights = case(seed)
    columns = Columns(
        columns.ptr, columns.idx, columns.site, columns.cost, np.zeros(len(columns), np.int64), columns.targets
    )
    worth = with_layers(weights)
    for per_site, share in ((len(columns), 1 - 1 / math.e), (1, 0.5)):
        counted, limits = limits_for(columns, count=3, budget=None, per_site=per_site, sites=SITES)
        value = value_of(counted, worth, greedy(counted, worth, limits))
        assert value >= share * optimum(counted, worth, 3, per_site) - 1e-9


def test_merging_and_dominance_change_no_value() -> None:
    random = np.random.default_rng(5)
    base = random.random((30, 12)) < 0.3
    seen = np.repeat(base, 4, axis=1)[:, random.permutation(48)]
    columns = columns_of([np.flatnonzero(row) for row in seen], 48, site=random.integers(0, 6, 30))
    worth = with_layers(random.integers(1, 9, (48, 2))[:, :1] * np.array([[3, 1]]))
    merged = merge_targets(columns, worth)
    assert merged.columns.targets == len({tuple(row) for row in base.T.tolist() if any(row)})
    for _ in range(20):
        chosen = np.sort(random.choice(30, 5, replace=False))
        assert value_of(columns, worth, chosen) == value_of(merged.columns, merged.worth, chosen)
    keep = undominated(columns)
    sets = [set(columns.seen(k).tolist()) for k in range(30)]
    for k in np.flatnonzero(~keep):
        assert not sets[k] or any(
            keep[other] and columns.site[other] == columns.site[k] and sets[k] <= sets[other] for other in range(30)
        )
    for k in np.flatnonzero(keep):
        assert not any(
            other != k and columns.site[other] == columns.site[k] and sets[k] < sets[other] for other in range(30)
        )


def test_transpose_and_subsets() -> None:
    columns, _ = case(3)
    rows = transposed(columns)
    dense = np.zeros((len(columns), columns.targets), bool)
    for k in range(len(columns)):
        dense[k, columns.seen(k)] = True
    for target in range(columns.targets):
        assert rows.idx[rows.ptr[target] : rows.ptr[target + 1]].tolist() == np.flatnonzero(dense[:, target]).tolist()
    some = taken(columns, np.array([2, 0]))
    assert [some.seen(k).tolist() for k in range(2)] == [columns.seen(2).tolist(), columns.seen(0).tolist()]
    both = joined([some, some])
    assert both.seen(3).tolist() == columns.seen(0).tolist()


def test_views_that_are_there_already_take_the_first_layers() -> None:
    worth = with_layers(np.array([[5, 3], [4, 4], [2, 0]]))
    assert after_views(worth, np.array([1, 0, 5])).tolist() == [[3, 0, 0], [4, 4, 0], [0, 0, 0]]


def test_fixed_columns_count_and_cost_nothing() -> None:
    columns, weights = case(8)
    plan = solve_coverage(columns, weights, count=2, per_site=9, gap=0.0, fixed=np.array([0]))
    worth = with_layers(weights)
    best = max(
        value_of(columns, worth, np.array(sorted({0, *pair})))
        for pair in itertools.combinations(range(1, len(columns)), 2)
    )
    alone = max(value_of(columns, worth, np.array(sorted({0, k}))) for k in range(1, len(columns)))
    assert plan.value == plan.bound == max(best, alone, value_of(columns, worth, np.array([0])))
    assert 0 not in plan.chosen


class ListPricer:
    """Candidates given as lists, as a pricer sees them."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self.sites = SITES
        self._of_site = [np.flatnonzero(columns.site == site) for site in range(SITES)]

    def price(self, prices: np.ndarray, *, per_site: int, least: float, money: float = 0.0) -> Priced:
        value, number = np.full((SITES, per_site), -np.inf), np.full((SITES, per_site), -1, np.int64)
        for site, rows in enumerate(self._of_site):
            sums = [prices[self._columns.seen(k)].sum() + self._columns.value_offset[k] - money * self._columns.cost[k]
                    for k in rows]  # fmt: skip
            order = np.argsort(-np.array(sums), kind="stable")[:per_site]
            value[site, : len(order)], number[site, : len(order)] = np.array(sums)[order], order
        return Priced(value, number)

    def columns(self, site: np.ndarray, candidate: np.ndarray) -> Columns:
        return taken(self._columns, np.array([self._of_site[s][c] for s, c in zip(site, candidate, strict=True)]))


@pytest.mark.parametrize("seed", range(16))
def test_generated_columns_reach_what_all_columns_reach(seed: int) -> None:
    columns, weights = case(seed, layers=1 + seed % 2)
    worth, limit, per_site = with_layers(weights), asked(seed, columns), 1 + seed % 2
    counted, limits = limits_for(columns, per_site=per_site, sites=SITES, **limit)
    best = optimum(counted, worth, limits.budget, per_site)
    nothing = columns_of([], columns.targets)
    pricer = ListPricer(columns)
    plan = solve_coverage(nothing, weights, per_site=per_site, gap=0.0, seconds=5, pricer=pricer, **limit)
    assert plan.value <= best <= plan.bound
    assert plan.value >= 0.9 * best
    assert value_of(plan.columns, worth, plan.chosen) == plan.value
    assert "every camera on these poles with this grid" in sentence(plan, thing="camera", places="poles")
    better = columns_of([np.arange(columns.targets)], columns.targets, site=np.array([0]))
    unit = limit["count"] is not None
    more = bound_with(plan, worth, limits, pricer, better, unit=unit)
    everything = joined([counted, limits_for(better, per_site=per_site, sites=SITES, **limit)[0]])
    assert more >= optimum(everything, worth, limits.budget, per_site)


@pytest.mark.parametrize("seed", range(16))
def test_least_cost_for_a_share(seed: int) -> None:
    columns, weights = case(seed, most=11)
    columns = Columns(
        columns.ptr, columns.idx, columns.site, columns.cost, np.zeros(len(columns), np.int64), columns.targets
    )
    worth, by_count = with_layers(weights), bool(seed % 2)
    wanted = int(0.6 * value_of(columns, worth, np.arange(len(columns))))
    costs = [
        len(rows) if by_count else columns.cost[rows].sum() for rows in plans(columns, math.inf, 2)
        if value_of(columns, worth, rows) >= wanted
    ]  # fmt: skip
    if not costs:
        return
    pricer = ListPricer(columns) if seed % 3 == 0 else None
    given = columns_of([], columns.targets) if pricer else columns
    plan = solve_share(given, weights, wanted, by_count=by_count, per_site=2, gap=0.0, seconds=3, pricer=pricer)
    assert plan.value >= wanted
    assert plan.cost_bound <= min(costs) + 1e-6
    assert plan.cost == pytest.approx(min(costs))


def test_a_share_nobody_sees_is_refused() -> None:
    columns = columns_of([np.array([0, 1])], 4)
    with pytest.raises(UserError) as caught:
        solve_share(columns, np.ones(4, np.int64), 3, seconds=1)
    assert caught.value.code == "siting.share_unreachable"
    assert caught.value.values["reached"] == "50.0"


@pytest.mark.parametrize("seed", range(12))
def test_covers_are_the_cheapest(seed: int) -> None:
    columns, _ = case(seed, most=12)
    need = 1 + seed % 2
    capacity = None if seed % 3 else np.full(SITES, 3, np.int32)
    seen_by = np.bincount(columns.idx, minlength=columns.targets)
    wanted = np.minimum(need, seen_by)
    costs = [
        columns.cost[rows].sum() for rows in plans(columns, math.inf, 99 if capacity is None else 3)
        if (np.bincount(taken(columns, rows).idx, minlength=columns.targets) >= wanted).all()
    ]  # fmt: skip
    plan = solve_cover(columns, need=need, capacity=capacity, seconds=5)
    if not costs:
        assert plan.stopped == "infeasible"
        return
    assert plan.cost == plan.cost_bound == min(costs)
    assert unseen(columns, need).tolist() == np.flatnonzero(seen_by < need).tolist()
    left = reduced(columns, wanted, across_sites=True)
    assert len(left.columns) <= len(columns)


def test_service_distances_against_all_choices() -> None:
    random = np.random.default_rng(2)
    distance, weight = random.random((8, 15)) * 1000, random.integers(1, 9, 15).astype(float)
    choices = [list(c) for c in itertools.combinations(range(8), 3)]
    median, centre = median_sites(distance, weight, 3), centre_sites(distance, 3)
    assert median.value == pytest.approx(min((distance[c].min(axis=0) * weight).sum() for c in choices))
    assert median.bound == pytest.approx(median.value)
    assert centre.value == min(distance[c].min(axis=0).max() for c in choices) == centre.bound


def large(seed: int = 1) -> tuple[Columns, np.ndarray]:
    """Columns of discs in a square: 1,500 on 150 sites, 4,000 targets."""
    random = np.random.default_rng(seed)
    place, target = random.random((150, 2)), random.random((4000, 2))
    seen, site = [], []
    for k in range(150):
        away = target - place[k]
        angle = np.arctan2(away[:, 1], away[:, 0])
        near = np.hypot(*away.T) < 0.15
        for turn in np.arange(10) * 0.2 * np.pi:
            seen.append(np.flatnonzero(near & (np.abs((angle - turn + np.pi) % (2 * np.pi) - np.pi) < 0.6)))
            site.append(k)
    return columns_of(seen, 4000, site=np.array(site)), random.integers(1, 10, 4000)


def test_same_bits_twice_and_with_any_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    columns, weights = large()
    first = solve_coverage(columns, weights, count=12, gap=0.02, seconds=60, seed=3)
    again = solve_coverage(columns, weights, count=12, gap=0.02, seconds=60, seed=3)
    monkeypatch.setattr("analysis.siting.dual.ENTRIES_PER_THREAD", 1000)
    threaded = solve_coverage(columns, weights, count=12, gap=0.02, seconds=60, seed=3)
    assert first.gap <= 0.02
    for other in (again, threaded):
        assert (other.value, other.bound, other.chosen.tolist()) == (first.value, first.bound, first.chosen.tolist())
    one, three = Products(columns, threads=1), Products(columns, threads=3)
    prices, sums = np.random.default_rng(0).random(4000), [np.zeros(len(columns)) for _ in range(2)]
    one.earned(prices, sums[0])
    three.earned(prices, sums[1])
    assert sums[0].tobytes() == sums[1].tobytes()


def test_time_limit_gives_the_best_so_far_with_its_gap() -> None:
    columns, weights = large(2)
    began = time.monotonic()
    plan = solve_coverage(columns, weights, count=40, gap=0.0, seconds=0.3)
    assert time.monotonic() - began < 5.0
    assert plan.stopped in ("time", "optimal")
    assert len(plan.chosen) == 40
    assert 0.0 <= plan.gap < 0.5
    assert plan.value <= plan.bound


def test_cancel_is_heard() -> None:
    columns, weights = large(2)
    asked_times: list[float] = []
    feedback = Feedback(lambda fraction, _: asked_times.append(fraction), lambda: len(asked_times) > 6)
    with pytest.raises(Cancelled):
        solve_coverage(columns, weights, count=40, gap=0.0, seconds=30, feedback=feedback)


def test_what_cannot_be_is_refused() -> None:
    columns, weights = case(1)
    for bad in ({"count": 1, "budget": 2.0}, {"count": None, "budget": None}, {"budget": math.inf}):
        with pytest.raises(ValueError):
            solve_coverage(columns, weights, **bad)
    with pytest.raises(ValueError):
        solve_coverage(columns, weights.astype(float), count=1)
    with pytest.raises(ValueError):
        solve_coverage(columns, np.array([[1, 2]] * columns.targets), count=1)
    with pytest.raises(UserError) as caught:
        solve_coverage(columns_of([], 3), np.ones(3, np.int64), count=1)
    assert caught.value.code == "siting.no_candidates"
    nothing = solve_coverage(columns_of([np.array([], int)], 3), np.ones(3, np.int64), count=1)
    assert nothing.value == nothing.bound == 0
