"""Before and after a purifier: a planted effect is found, none is not invented, the interval holds what it says."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.dust.effect import Effect, effect
from geo.model import Issue, UserError


def month(seed: int, change: float, days: int = 60, spread: float = 2.0) -> Effect:
    """Two stations under the same weather, whose difference varies from day to day and from hour to hour."""
    rng = np.random.default_rng(seed)
    day = np.repeat(np.arange(days), 24)
    weather = 30.0 + 15.0 * np.repeat(rng.standard_normal(days), 24) + 3.0 * rng.standard_normal(days * 24)
    apart = np.repeat(spread * rng.standard_normal(days), 24) + rng.standard_normal(days * 24)
    after = day >= days // 2
    weather = weather + 10.0 * after  # the season changes as well
    return effect(weather + 4.0 + apart + change * after, weather, day, after, [])


def test_a_planted_effect_is_found_although_the_season_changes_too() -> None:
    found = month(1, -5.0)
    assert found.low < -5.0 < found.high
    assert found.is_seen
    assert found.agrees_with(-5.0)
    assert not found.agrees_with(0.0)
    assert found.percent == pytest.approx(-100 * 5 / 44, abs=4)


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    runs = [month(seed, -1.0, days=40) for seed in range(120)]
    covered = np.mean([run.low <= -1.0 <= run.high for run in runs])
    assert 0.88 <= covered <= 0.99
    # The difference of two means of 20 days, each day 2 apart: standard error 2 sqrt(2 / 20).
    assert np.mean([run.detectable for run in runs]) == pytest.approx(2.80 * 2 * np.sqrt(2 / 20), rel=0.1)


def test_hours_taken_as_independent_would_be_too_sure() -> None:
    found = month(2, 0.0)
    alone = 2 * 1.96 * np.sqrt(2 * (4 + 1) / (30 * 24))
    assert found.high - found.low > 2.5 * alone


def test_gaps_are_left_out_in_pairs() -> None:
    rng = np.random.default_rng(5)
    day = np.repeat(np.arange(40), 24)
    control = 30 + rng.standard_normal(len(day))
    treated = control + 1.0
    treated[day >= 20] -= 3.0
    dirty = control.copy()
    dirty[::3] = np.nan
    issues: list[Issue] = []
    found = effect(treated, dirty, day, day >= 20, issues)
    assert found.change == pytest.approx(-3.0)
    assert {issue.code for issue in issues} == {"dust.effect.unpaired", "dust.effect.short"}
    several = effect(treated, np.column_stack([control, dirty]), day, day >= 20, [])
    assert several.hours_before == found.hours_before


def test_stations_that_drift_apart_before_are_told() -> None:
    day = np.repeat(np.arange(60), 24)
    rng = np.random.default_rng(6)
    control = 30 + rng.standard_normal(len(day))
    issues: list[Issue] = []
    effect(control + 0.2 * day, control, day, day >= 30, issues)
    assert "dust.effect.drift" in [issue.code for issue in issues]


def test_blocks_of_days_widen_the_interval_of_slow_weather() -> None:
    rng = np.random.default_rng(7)
    slow = np.repeat(rng.standard_normal(16) * 3.0, 5)  # spells of five days
    gap, day = np.repeat(slow, 24), np.repeat(np.arange(80), 24)
    control = np.full(len(day), 30.0)
    one, five = (effect(control + gap, control, day, day >= 40, [], block_days=days) for days in (1, 5))
    assert five.high - five.low > 1.5 * (one.high - one.low)


def test_too_few_days_are_refused() -> None:
    day = np.repeat(np.arange(10), 24)
    with pytest.raises(UserError) as error:
        effect(np.ones(240), np.ones(240), day, day >= 7, [])
    assert error.value.code == "dust.effect.few_days"


def test_the_same_seed_gives_the_same_numbers() -> None:
    assert month(3, -1.0) == month(3, -1.0)
