"""The search for places against trying every choice, and its bound."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from analysis.dust.siting_bound import Limits, Options, programmed, upper_bound
from analysis.dust.siting_search import search
from geo.model import Cancelled, Feedback


class Overlapping:
    """Worths that take something from one another the nearer they stand, and how often they were asked for."""

    def __init__(self, options: Options, alone: np.ndarray, share: float) -> None:
        away = np.hypot(*(options.xy[:, None] - options.xy[None]).transpose(2, 0, 1))
        self.loss = share * np.minimum(alone[:, None], alone[None]) * np.exp(-away / 30.0)
        self.values, self.asked = alone, 0

    def alone(self, option: int) -> float:
        self.asked += 1
        return float(self.values[option])

    def together(self, chosen: tuple[int, ...]) -> float:
        pairs = sum(self.loss[a, b] for a, b in combinations(chosen, 2))
        return float(self.values[list(chosen)].sum() - pairs)


def problem(seed: int, *, count: int = 14, share: float = 0.3, costs: bool = True) -> tuple[Options, Overlapping]:
    rng = np.random.default_rng(seed)
    alone = rng.gamma(1.0, 1.0, count)
    cost = rng.choice([1.0, 3.0, 10.0], count) if costs else np.ones(count)
    options = Options(
        alone * rng.uniform(1.0, 1.8, count), cost, np.arange(count) // 2, rng.uniform(0.0, 100.0, (count, 2))
    )
    return options, Overlapping(options, alone, share)


def is_allowed(options: Options, limits: Limits, chosen: tuple[int, ...]) -> bool:
    if options.cost[list(chosen)].sum() > limits.budget + 1e-9 or len(set(options.place[list(chosen)])) < len(chosen):
        return False
    pairs = combinations(options.xy[list(chosen)], 2)
    return all(np.hypot(*(a - b)) >= limits.spacing - 1e-9 for a, b in pairs)


def best_of_all(options: Options, limits: Limits, worth: Overlapping) -> float:
    numbers = range(len(options.cost))
    choices = (c for size in range(1, limits.count + 1) for c in combinations(numbers, size))
    return max(worth.together(c) for c in choices if is_allowed(options, limits, c))


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("limits", [Limits(3), Limits(4, 12.0), Limits(3, spacing=40.0), Limits(4, 9.0, 25.0)])
def test_choice_is_near_the_best_of_all_and_the_bound_holds(seed: int, limits: Limits) -> None:
    options, worth = problem(seed)
    best = best_of_all(options, limits, worth)
    found = search(options, limits, worth, Feedback())
    assert is_allowed(options, limits, found.options)
    assert len(found.options) <= limits.count
    assert found.value == pytest.approx(worth.together(found.options))
    assert found.value <= best * (1.0 + 1e-9) <= found.bound * (1.0 + 2e-9)
    assert found.value >= 0.85 * best
    assert found.proven


@pytest.mark.parametrize("seed", range(5))
def test_units_that_do_not_meet_are_chosen_exactly_and_few_are_asked(seed: int) -> None:
    options, worth = problem(seed, count=400, share=0.0, costs=False)
    options = options._replace(place=np.arange(400))
    found = search(options, Limits(5), worth, Feedback())
    best = np.sort(worth.values)[::-1][:5].sum()
    assert found.value == pytest.approx(best)
    assert found.bound == pytest.approx(best)  # nothing is left to doubt
    assert found.gap == pytest.approx(0.0, abs=1e-12)
    # Those whose bound is below the fifth best worth were never asked for.
    assert worth.asked <= int((options.bound >= np.sort(worth.values)[-5]).sum())


def test_money_is_not_spent_on_one_dear_unit_that_brings_less() -> None:
    xy = np.arange(11)[:, None] * np.array([[100.0, 0.0]])
    options = Options(np.r_[5.0, np.ones(10)], np.r_[10.0, np.ones(10)], np.arange(11), xy)
    worth = Overlapping(options, options.bound, 0.0)
    assert search(options, Limits(10, 10.0), worth, Feedback()).value == pytest.approx(10.0)
    # And the other way: by worth for money the cheap one bars the good one.
    options = Options(np.array([2.0, 10.0]), np.array([1.0, 10.0]), np.arange(2), xy[:2])
    assert search(options, Limits(5, 10.0), Overlapping(options, options.bound, 0.0), Feedback()).options == (1,)


def test_an_exchange_leads_out_of_a_greedy_choice() -> None:
    """The best single unit stands between two that are better together."""
    options = Options(np.array([1.1, 1.0, 1.0]), np.ones(3), np.arange(3), np.array([[0, 0], [-12, 0], [12, 0]]) * 1.0)
    worth = Overlapping(options, options.bound, 0.9)
    found = search(options, Limits(2), worth, Feedback())
    assert set(found.options) == {1, 2}
    assert found.exchanged == 1


def test_units_that_are_there_take_from_the_gain_and_keep_their_place() -> None:
    options = Options(np.array([3.0, 2.0, 1.9]), np.ones(3), np.arange(3), np.array([[0, 0], [5, 0], [300, 0]]) * 1.0)
    worth = Overlapping(options, options.bound, 0.9)
    found = search(options, Limits(1), worth, Feedback(), fixed=(0,))
    assert found.options == (2,)
    assert found.value == pytest.approx(1.9, rel=1e-3)


def test_a_search_cut_short_says_so_and_its_bound_still_holds() -> None:
    options, worth = problem(3, count=60, share=0.0, costs=False)
    found = search(options, Limits(4), worth, Feedback(), most=4)
    assert not found.proven
    assert found.evaluated == 4
    assert found.bound >= np.sort(worth.values)[::-1][:4].sum() - 1e-9


def test_nothing_helps_nothing_is_bought() -> None:
    options, worth = problem(1)
    assert search(options._replace(bound=0.0 * options.bound), Limits(3), worth, Feedback()).options == ()
    assert upper_bound(options.bound, options, Limits(3, budget=0.5)) == 0.0


@pytest.mark.parametrize("seed", range(6))
def test_program_knows_distances_that_squares_do_not(seed: int) -> None:
    """Without interaction its bound is the best of all choices, shortlist or not."""
    options, worth = problem(seed, share=0.0)
    for limits in (Limits(4, spacing=45.0), Limits(5, 14.0, 30.0)):
        best = best_of_all(options, limits, worth)
        found = programmed(worth.values, options, limits)
        assert found.bound == pytest.approx(best, rel=1e-4)
        assert is_allowed(options, limits, found.options)
        assert found.bound <= upper_bound(worth.values, options, limits) * (1.0 + 1e-4)
        assert search(options, limits, worth, Feedback()).bound >= best * (1.0 - 1e-9)


def test_options_behind_the_shortlist_stay_in_the_bound() -> None:
    rng = np.random.default_rng(2)
    options, worth = problem(2, count=500, share=0.0, costs=False)
    options = options._replace(place=np.arange(500), xy=rng.uniform(0.0, 3.0, (500, 2)))
    options.xy[np.argsort(-worth.values)[160:]] += 1000.0 * rng.uniform(1.0, 9.0, (340, 2))  # only these are apart
    best = np.sort(worth.values)[::-1]
    found = programmed(worth.values, options, Limits(4, spacing=50.0))
    assert found.bound >= best[0] + 3 * best[160] - 1e-9


def test_cancel_ends_the_search() -> None:
    options, worth = problem(1)
    with pytest.raises(Cancelled):
        search(options, Limits(3), worth, Feedback(is_cancelled=lambda: True))
