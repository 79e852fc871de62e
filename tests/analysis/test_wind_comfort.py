"""Comfort and danger: what share of the hours a speed is exceeded, and what the schemes make of it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from analysis.wind import climate, comfort
from geo.model import UserError
from resources import load_json
from tests.analysis.test_wind_climate import hours


def single(scale: float, shape: float = 2.0, *, share: float = 1.0, sectors: int = 8) -> climate.Rose:
    """A rose whose wind comes from the north only, in `share` of the hours."""
    frequency = np.zeros(sectors)
    frequency[0] = share
    return climate.Rose(
        frequency, 1.0 - share, np.full(sectors, scale), np.full(sectors, shape), np.full(sectors, scale),
        8760 * frequency, np.zeros(sectors), np.ones(sectors, bool), 8760,
    )  # fmt: skip


def speed_exceeded(percent: float, speed: float, shape: float = 2.0) -> climate.Rose:
    """A rose of which `percent` of the hours are above `speed`."""
    return single(speed / (-math.log(percent / 100.0)) ** (1.0 / shape), shape)


def ratios(*values: float, sectors: int = 8) -> comfort.Ratios:
    return comfort.Ratios(np.tile(np.array(values), (sectors, 1)))


def judge(name: str, rose: climate.Rose, *values: float) -> comfort.Assessment:
    return comfort.assess(comfort.scheme(name), ratios(*(values or (1.0,))), comfort.Year(rose))


# --- hours


def test_percent_of_a_year_in_hours() -> None:
    assert comfort.hours_of_percent(5.0) == 438.0
    assert comfort.hours_of_percent(0.023) == pytest.approx(2.0, abs=0.02)
    assert comfort.hours_of_percent(0.022) == pytest.approx(1.93, abs=0.01)


def test_share_above_is_the_closed_form() -> None:
    rose = single(4.0, 1.7, share=0.8)
    found = comfort.Year(rose).share_above(ratios(0.5, 1.0, 0.0).of("mean"), 3.0)
    expected = [0.8 * math.exp(-((6.0 / 4.0) ** 1.7)), 0.8 * math.exp(-((3.0 / 4.0) ** 1.7)), 0.0]
    np.testing.assert_allclose(found, expected)


def test_directions_add_up_and_unknown_points_stay_unknown() -> None:
    rng = np.random.default_rng(2)
    rose = single(4.0)._replace(frequency=np.full(8, 0.1), calm=0.2, scale=rng.uniform(2, 6, 8))
    ratio = rng.uniform(0.2, 1.4, (8, 5))
    ratio[3, 4] = np.nan
    found = comfort.Year(rose).share_above(ratio, 5.0)
    by_hand = sum(0.1 * np.exp(-((5.0 / ratio[d] / rose.scale[d]) ** 2)) for d in range(8))
    np.testing.assert_allclose(found[:4], by_hand[:4])
    assert np.isnan(found[4])
    assessment = comfort.assess(comfort.scheme("nen8100"), comfort.Ratios(ratio), comfort.Year(rose))
    assert assessment.comfort[4] == -1
    assert assessment.danger[4] == -1


def test_hours_and_weibull_agree_on_weibull_hours() -> None:
    rng = np.random.default_rng(1)
    given = hours(rng.weibull(2.0, 87_600) * 4.0, rng.uniform(0, 360, 87_600))
    rose = climate.rose_of(given, 8, [])
    ratio = ratios(0.6, 1.0, 1.3).of("mean")
    exact = comfort.Year(rose, given, by_hours=True).share_above(ratio, 5.0)
    np.testing.assert_allclose(comfort.Year(rose).share_above(ratio, 5.0), exact, rtol=0.1, atol=2e-3)
    direct = (given.speed > 5.0).mean()
    assert exact[1] == pytest.approx(direct, abs=1e-12)


# --- schemes


@pytest.mark.parametrize(
    ("percent", "grade"), [(2.4, "A"), (2.6, "B"), (4.9, "B"), (5.1, "C"), (9.9, "C"), (10.1, "D"), (20.1, "E")]
)
def test_nen_8100_classes(percent: float, grade: str) -> None:
    rule = comfort.scheme("nen8100")
    found = judge("nen8100", speed_exceeded(percent, 5.0))
    assert rule.classes[found.comfort[0]] == grade
    assert found.exceedance[0] == pytest.approx(percent)


@pytest.mark.parametrize(
    ("percent", "name"), [(0.04, ""), (0.06, "limited_risk"), (0.29, "limited_risk"), (0.31, "dangerous")]
)
def test_nen_danger(percent: float, name: str) -> None:
    level = int(judge("nen8100", speed_exceeded(percent, 15.0)).danger[0])
    assert ("", *(d.name for d in comfort.scheme("nen8100").dangers))[level] == name


@pytest.mark.parametrize(
    ("scheme", "speed", "grade"),
    [
        ("lawson2001", 3.9, "sitting"), ("lawson2001", 4.1, "standing"), ("lawson2001", 7.9, "strolling"),
        ("lawson2001", 9.9, "business_walking"), ("lawson2001", 10.1, "uncomfortable"),
        ("lawson_lddc", 2.4, "frequent_sitting"), ("lawson_lddc", 8.1, "uncomfortable"),
        ("lawson_tvl", 6.1, "walking"), ("city_of_london2019", 7.9, "walking"),
        ("city_of_london2019", 8.1, "uncomfortable"),
    ],
)  # fmt: skip
def test_lawson_classes_by_the_speed_of_five_percent(scheme: str, speed: float, grade: str) -> None:
    assert comfort.scheme(scheme).classes[judge(scheme, speed_exceeded(5.0, speed)).comfort[0]] == grade


def test_davenport_by_one_and_a_half_percent() -> None:
    rule = comfort.scheme("davenport")
    for speed, grade in ((3.5, "long_sitting"), (3.7, "short_sitting"), (7.5, "strolling"), (9.9, "uncomfortable")):
        assert rule.classes[judge("davenport", speed_exceeded(1.5, speed)).comfort[0]] == grade


def test_lawson_safety_is_two_hours_of_a_year() -> None:
    names = ("", *(d.name for d in comfort.scheme("lawson2001").dangers))
    for hours_above, speed, expected in (
        (1.9, 15.0, ""), (2.1, 15.0, "unsafe_frail"), (2.1, 20.0, "unsafe_all"),
    ):  # fmt: skip
        found = judge("lawson2001", speed_exceeded(100.0 * hours_above / 8760.0, speed, 3.0))
        assert names[found.danger[0]] == expected


def test_gusts_count_where_a_scheme_says_so() -> None:
    """GEM = (1 + 3 x 0.5) / 1.85 = 1.35 of the mean: a class worse for the LDDC, none for the mean of Lawson 2001."""
    rose = speed_exceeded(5.0, 3.5)
    mean = np.ones((8, 1))
    gusty = comfort.Ratios(mean, 0.5 * mean)
    assert comfort.gust_equivalent(np.ones(1), np.full(1, 0.5))[0] == pytest.approx(2.5 / 1.85)
    for name, worse in (("lawson_lddc", True), ("lawson2001", False)):
        rule, year = comfort.scheme(name), comfort.Year(rose)
        calm = comfort.assess(rule, comfort.Ratios(mean), year).comfort[0]
        assert bool(comfort.assess(rule, gusty, year).comfort[0] > calm) is worse
    weak = comfort.Ratios(mean, 0.1 * mean)  # the gust equivalent mean may lie below the mean: the larger counts
    np.testing.assert_allclose(weak.of("largest"), mean)
    np.testing.assert_allclose(weak.of("gust"), 1.3)


def test_murakami_counts_days() -> None:
    """A year of calm days but 36 with one hour of 6 m/s: gusts of 12 m/s on 10 % of the days, none of 15 m/s."""
    speed = np.full(8760, 1.0)
    speed[np.arange(36) * 240 + 12] = 6.0
    given = hours(speed, np.zeros(8760))
    rule = comfort.scheme("murakami")
    year = comfort.Year(climate.rose_of(given, 8, []), given)
    found = comfort.assess(rule, ratios(1.0, 1.3, 0.5), year)
    np.testing.assert_allclose(found.exceedance, [100 * 36 / 365, 100 * 36 / 365, 0.0])
    assert [rule.classes[k] for k in found.comfort] == ["rank1", "beyond_ranks", "rank1"]
    with pytest.raises(ValueError, match="hours"):
        comfort.assess(rule, ratios(1.0), comfort.Year(single(3.0)))


def test_a_rounded_direction_does_not_make_two_days_of_one() -> None:
    given = hours(np.full(240, 6.0), np.full(240, 11.25), step=22.5)
    year = comfort.Year(climate.rose_of(given, 16, []), given)
    np.testing.assert_allclose(year.days_above(ratios(2.0, sectors=16).of("mean"), np.array([10.0])), [[1.0]])


# --- the data


def test_every_scheme_says_its_source_and_is_in_order() -> None:
    data = load_json(comfort.RULES)
    assert data["edition"]
    for name, rule in comfort.schemes().items():
        assert rule.source, name
        assert rule.edition, name
        assert len(rule.classes) == len(rule.limits or rule.ranks) + 1, name
        assert list(rule.limits) == sorted(rule.limits), name
        assert all(len(judged) == len(rule.classes) for judged in rule.activities.values()), name
        assert all(len(row) == len(rule.thresholds) for row in rule.ranks), name
        assert isinstance(data["schemes"][name]["verified"], bool)
    assert not comfort.scheme("city_of_london2019").verified
    assert not comfort.scheme("murakami").verified
    assert comfort.scheme("lawson2001").verified


def test_every_class_and_danger_has_a_korean_name() -> None:
    korean = load_json("translations/ko/wind_tunnel.json")
    for name, rule in comfort.schemes().items():
        assert f"comfort.{name}" in korean
        assert all(f"class.comfort.{grade}" in korean for grade in rule.classes)
        assert all(f"class.danger.{danger.name}" in korean for danger in rule.dangers)


def test_an_unknown_scheme_is_a_users_error() -> None:
    with pytest.raises(UserError) as caught:
        comfort.scheme("beaufort")
    assert caught.value.code == "wind.no_scheme"
