"""Before and after a purifier: a planted effect is found, none is not invented, the interval holds what it says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from analysis.dust.effect import Effect, effect
from geo.formats.contract import ReadOptions
from geo.formats.sensor_table import read
from geo.model import Feedback, Frame, Issue, UserError


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
    assert 0.92 <= covered <= 1.0
    # The difference of two means of 20 days, each day 2 apart: standard error 2 sqrt(2 / 20). Days that do not hang
    # together are judged by their scatter or, with four degrees of freedom, by the spells (3.72).
    error = 2 * np.sqrt(2 / 20)
    by_days = [run.detectable for run in runs if run.judged_by == "days"]
    assert np.mean(by_days) == pytest.approx(2.80 * error, rel=0.1)
    assert 2.80 * error < np.mean([run.detectable for run in runs]) < 4.2 * error


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


def test_slow_weather_widens_the_interval() -> None:
    rng = np.random.default_rng(7)
    slow = np.repeat(rng.standard_normal(16) * 3.0, 5)  # spells of five days
    gap, day = np.repeat(slow, 24), np.repeat(np.arange(80), 24)
    control = np.full(len(day), 30.0)
    found = effect(control + gap, control, day, day >= 40, [])
    alone = 1.96 * np.sqrt(slow[:40].var() / 40 + slow[40:].var() / 40)
    assert found.judged_by == "spells"
    assert (found.high - found.low) / 2 > 1.5 * alone


def drifting(seed: int, days: int, stations: int) -> np.ndarray:
    """Stations of one weather, each of which drifts by itself over weeks."""
    rng = np.random.default_rng(seed)
    drift = np.zeros((days, stations))
    for k in range(1, days):
        drift[k] = 0.95 * drift[k - 1] + 0.5 * rng.standard_normal(stations)
    return 30.0 + 10.0 * rng.standard_normal((days, 1)) + drift + 0.5 * rng.standard_normal((days, stations))


def test_drift_is_not_taken_for_an_effect_where_others_or_earlier_dates_show_it() -> None:
    day = np.arange(200)
    wide, alone, judges = [], [], set()
    for seed in range(60):
        here = drifting(seed, 200, 6)
        wide.append(effect(here[:, 0], here[:, 1:], day, day >= 150, [], window=28).is_seen)
        one = effect(here[:, 0], here[:, 1], day, day >= 150, [], window=28)
        alone.append(one.is_seen)
        judges.add(one.judged_by)
        assert len(one.earlier) == 4
        assert one.others == ()
    assert np.mean(wide) <= 0.07
    assert np.mean(alone) <= 0.1
    assert "earlier dates" in judges


def test_changes_of_other_stations_are_against_the_rest() -> None:
    day = np.arange(60)
    here = np.full((60, 4), 30.0)
    here[30:, 2] += 6.0
    found = effect(here[:, 0] - 2.0 * (day >= 30), here[:, 1:], day, day >= 30, [])
    assert found.others == pytest.approx((-3.0, 6.0, -3.0))
    assert found.change == pytest.approx(-4.0)
    assert not found.is_seen
    assert found.judged_by == "other stations"


def test_the_window_keeps_days_near_the_date() -> None:
    day = np.arange(100)
    gap = np.where(day < 22, 50.0, np.where(day < 50, 1.0, np.where(day < 78, -1.0, 70.0)))
    found = effect(30.0 + gap, np.full(100, 30.0), day, day >= 50, [], window=28)
    assert found.change == pytest.approx(-2.0)
    assert (found.days_before, found.days_after) == (28, 28)


def test_nothing_is_found_at_most_dates_at_which_nothing_was_installed(shared_data: Path) -> None:
    """Seoul 2022: a random station against three others at a random date."""
    series = days_of_seoul(shared_data)
    rng, seen = np.random.default_rng(3), {1: [], 3: []}
    for controls, found in seen.items():
        while len(found) < 100:
            chosen = rng.choice(series.shape[1], 1 + controls, replace=False)
            start = int(rng.integers(60, len(series) - 28))
            day = np.arange(len(series))
            try:
                one = effect(series[:, chosen[0]], series[:, chosen[1:]], day, day >= start, [], window=28)
            except UserError:
                continue  # gaps
            found.append(one.is_seen)
    assert np.mean(seen[3]) <= 0.07
    assert np.mean(seen[1]) <= 0.1


def days_of_seoul(shared_data: Path) -> np.ndarray:
    """(days, stations) PM10 of 2022."""
    frame = Frame("EPSG:5186", (200_000.0, 550_000.0, 0.0), longitude=127.0, latitude=37.5)
    path = shared_data / "sensors" / "seoul_air_daily_2022.csv"
    columns = read(path, frame, ReadOptions(), Feedback())[0].table.columns
    stations, station = np.unique(columns["station"].values.astype(str), return_inverse=True)
    days, day = np.unique(columns["time"].values.astype(str), return_inverse=True)
    out = np.full((len(days), len(stations)), np.nan)
    out[day, station] = columns["pm10"].values
    return out


def test_too_few_days_are_refused() -> None:
    day = np.repeat(np.arange(10), 24)
    with pytest.raises(UserError) as error:
        effect(np.ones(240), np.ones(240), day, day >= 7, [])
    assert error.value.code == "dust.effect.few_days"


def test_the_same_seed_gives_the_same_numbers() -> None:
    assert month(3, -1.0) == month(3, -1.0)
