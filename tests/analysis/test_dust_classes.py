"""Classes of wind for dust: shares that add up, the meander of weak winds, calm hours."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.dust import classes
from analysis.wind.climate import WindHours
from geo.model import Issue, UserError


def hours_of(speed: list[float], wind_from: list[float], step: float = 22.5) -> WindHours:
    count = len(speed)
    zero = np.zeros(count, np.int64)
    return WindHours(np.array(speed), np.array(wind_from), zero, zero, zero, step, "test")


def test_shares_are_the_hours_where_nothing_meanders() -> None:
    hours = hours_of([0.6, 1.5, 1.5, 2.5, 4.0, 9.0, 0.2], [0, 90, 90, 90, 180, 270, 0])
    issues: list[Issue] = []
    found = classes.wind_classes(hours, issues, meander=0.0)
    shares = {(one.sector, one.band): (one.share, one.speed) for one in found.classes}
    assert shares[4, 2] == (pytest.approx(2 / 6), pytest.approx(1.5))
    assert shares[0, 1][0] == shares[4, 3][0] == shares[8, 4][0] == shares[12, 5][0] == pytest.approx(1 / 6)
    assert found.classes[0].wind_from == 90.0
    assert (found.hours, found.calm_hours) == (7, 1)
    assert [issue.code for issue in issues] == ["dust.calm_hours"]


@pytest.mark.parametrize("speed", [0.5, 1.0, 2.0, 8.0])
@pytest.mark.parametrize("meander", [0.2, 0.3, 0.5])
def test_the_spread_of_a_wind_is_what_was_asked_for(speed: float, meander: float) -> None:
    shares = classes.spread_over_sectors(speed, meander, sectors=720)
    assert shares.sum() == pytest.approx(1.0)
    even = 2 * meander**2 / (speed**2 + 2 * meander**2)
    angle = np.radians(np.arange(720) * 0.5)
    # First moment of a wrapped bell: exp(-sigma^2 / 2); the even part adds nothing to it.
    assert (shares * np.cos(angle)).sum() == pytest.approx((1 - even) * np.exp(-((meander / speed) ** 2) / 2), rel=1e-4)
    assert (shares * np.sin(angle)).sum() == pytest.approx(0.0, abs=1e-12)


def test_weak_winds_are_spread_and_strong_ones_are_not() -> None:
    weak, strong = classes.spread_over_sectors(0.5), classes.spread_over_sectors(8.0)
    assert weak[8] > 0.02
    assert weak[0] < 0.5
    assert strong[0] > 0.99


def test_calm_hours_blow_slowly_from_everywhere() -> None:
    found = classes.wind_classes(hours_of([0.0, 0.4, 3.0], [np.nan, 10.0, 90.0]), [])
    calm = [one for one in found.classes if one.indicative]
    assert len(calm) == 16
    assert sum(one.share for one in calm) == pytest.approx(2 / 3)
    assert calm[0].speed == pytest.approx(0.424, abs=0.001)
    assert sum(one.share for one in found.classes) == pytest.approx(1.0)


def test_speed_of_a_class_keeps_the_mean_of_what_a_source_adds() -> None:
    found = classes.wind_classes(hours_of([1.0, 1.9, 1.9], [0.0, 0.0, 0.0]), [], meander=0.0)
    (only,) = found.classes
    assert 1.0 / only.speed == pytest.approx((1 / 1.0 + 2 / 1.9) / 3)


def test_hours_turned_with_the_city_give_turned_classes() -> None:
    rng = np.random.default_rng(3)
    speed, wind_from = rng.weibull(2.0, 500) * 2.0, rng.integers(0, 16, 500) * 22.5
    here = classes.hourly(hours_of(list(speed), list(wind_from)))
    turned = classes.hourly(hours_of(list(speed), list((wind_from + 90.0) % 360.0)))
    np.testing.assert_allclose(np.roll(here.weight, 4, axis=1), turned.weight, atol=1e-12)
    np.testing.assert_allclose(here.weight.sum(axis=1), 1.0)


def test_shelter_slows_the_wind_but_makes_no_calm() -> None:
    each = classes.hourly(hours_of([0.8, 0.3], [0.0, 0.0]), factor=0.5)
    assert each.band.tolist() == [1, 0]
    assert each.speed[0] == pytest.approx(np.sqrt(0.16 + 0.18))


def test_unknown_hours_are_told_and_no_wind_is_refused() -> None:
    issues: list[Issue] = []
    found = classes.wind_classes(hours_of([2.0, np.nan, 3.0], [0.0, 0.0, np.nan]), issues)
    assert (found.hours, found.unknown_hours) == (1, 2)
    assert "dust.unknown_wind" in [issue.code for issue in issues]
    with pytest.raises(UserError) as error:
        classes.wind_classes(hours_of([np.nan], [0.0]), [])
    assert error.value.code == "wind.no_wind"
