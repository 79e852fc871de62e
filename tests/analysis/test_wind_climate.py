"""The wind's rose, its Weibull distributions, and the way from the station to the site."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from analysis.wind import climate, transfer
from geo.model import Column, ElementTable, Feedback, Issue, Layer, UserError
from tests.tiny import tiny_frame


def hours(speed: np.ndarray, wind_from: np.ndarray, *, step: float = 0.0) -> climate.WindHours:
    count = len(speed)
    rows = np.arange(count)
    return climate.WindHours(
        np.asarray(speed, float), np.mod(np.asarray(wind_from, float), 360.0), rows // 24, rows // 730 + 1,
        rows % 24 + 1, step, "test",
    )  # fmt: skip


def table(speed: object, wind_from: object, names: tuple[str, str] = ("wind_speed", "wind_from")) -> Layer:
    columns = {names[0]: Column(np.asarray(speed)), names[1]: Column(np.asarray(wind_from))}
    rows = ElementTable([str(k) for k in range(len(np.asarray(speed)))], columns)
    return Layer("w", "Weather", "other", None, rows)


def rose(given: climate.WindHours, sectors: int = 16) -> tuple[climate.Rose, set[str]]:
    issues: list[Issue] = []
    return climate.rose_of(given, sectors, issues), {issue.code for issue in issues}


# --- sectors


def test_direction_360_is_direction_0_and_sectors_are_centred_on_north() -> None:
    read = climate.hours_of(table([2.0] * 4, [360.0, 0.0, 11.2, 348.8]))
    found, _ = rose(read)
    assert found.hours[0] == 4.0
    assert found.frequency[0] == 1.0
    edge, _ = rose(hours(np.full(2, 2.0), np.array([11.3, 348.7])))
    assert edge.hours[1] == edge.hours[15] == 1.0


@pytest.mark.parametrize("sectors", [8, 12, 16, 36])
def test_shares_and_calm_add_up_to_one(sectors: int) -> None:
    rng = np.random.default_rng(3)
    speed = rng.weibull(1.6, 8760) * 2.0
    given = hours(speed, rng.uniform(0, 360, 8760))
    for step in (0.0, 10.0, 22.5):
        found, _ = rose(given._replace(step=step), sectors)
        assert found.frequency.sum() + found.calm == pytest.approx(1.0, abs=1e-12)
        assert found.calm == pytest.approx((speed < 0.5).mean())
        assert found.hours.sum() == pytest.approx((speed >= 0.5).sum())


def test_directions_in_tens_of_degrees_do_not_favour_sectors() -> None:
    """Evenly from all 36 directions: sixteen sectors would get two or three of them; shared out, all are alike."""
    read = climate.hours_of(table(np.full(3600, 3.0), np.tile(np.arange(10.0, 361.0, 10.0), 100)))
    assert read.step == 10.0
    found, _ = rose(read)
    np.testing.assert_allclose(found.frequency, 1 / 16, atol=1e-12)


def test_sixteen_points_of_the_kma_in_tens_and_in_words() -> None:
    tens = np.tile(np.array(climate.POINTS_IN_TENS, float), 20)
    read = climate.hours_of(table(np.full(len(tens), 3.0), tens, ("풍속(m/s)", "풍향(16방위)")))
    assert read.step == 22.5
    found, _ = rose(read)
    np.testing.assert_allclose(found.frequency, 1 / 16)
    words = climate.hours_of(table(np.array(["2.5", "", "3"], object), np.array(["NNE", "북서", "동남동"], object)))
    np.testing.assert_allclose(words.speed, [2.5, np.nan, 3.0])
    np.testing.assert_allclose(words.wind_from, [22.5, np.nan, 112.5])


def test_hours_without_speed_or_direction_are_left_out_and_told() -> None:
    speed = np.array([np.nan, 3.0, 3.0, 0.2] * 600)
    wind_from = np.array([10.0, np.nan, 90.0, np.nan] * 600)
    found, codes = rose(climate.hours_of(table(speed, wind_from)))
    assert found.known == 1200
    assert found.calm == pytest.approx(0.5)
    assert found.frequency[4] == pytest.approx(0.5)
    assert {"wind.unknown_hours", "wind.few_hours", "wind.empty_sectors"} <= codes


def test_an_hourly_table_of_the_kma_as_it_is_downloaded(tmp_path: Path) -> None:
    """In CP949, the hour in a text, sixteen points in tens of degrees, 360 for north."""
    from geo.formats import csv_table
    from geo.formats.contract import ReadOptions

    lines = ["지점,지점명,일시,기온(°C),풍속(m/s),풍향(16방위)"]
    lines += [
        f"133,대전,2023-01-{1 + k // 24:02d} {k % 24:02d}:00,3.1,{(2.0, 0.3, '')[k % 3]},{(360, 0, 50)[k % 3]}"
        for k in range(240)
    ]
    path = tmp_path / "OBS_ASOS_TIM.csv"
    path.write_bytes("\n".join(lines).encode("cp949"))
    layer = climate.weather_layer(csv_table.read(path, tiny_frame(), ReadOptions(), Feedback()))
    assert layer is not None
    read = climate.hours_of(layer)
    assert read.speed[0] == 2.0
    assert read.wind_from[0] == 0.0
    assert (read.month[:2].tolist(), read.hour[:2].tolist()) == ([12, 1], [24, 1])
    assert read.day[1] == read.day[24] != read.day[0]
    assert len(climate.season(read, times=(0, 6)).speed) == 60
    found, _ = rose(read)
    assert found.known == 160
    assert found.calm == pytest.approx(0.5)
    mixed = ElementTable(layer.table.ids, {**layer.table.columns, "지점": Column(np.arange(240) % 2)})
    with pytest.raises(UserError) as caught:
        climate.hours_of(layer.with_(table=mixed))
    assert caught.value.code == "wind.several_stations"


def test_calm_files() -> None:
    mostly = np.concatenate([np.full(5000, 0.1), np.full(3760, 2.0)])
    _, codes = rose(hours(mostly, np.arange(8760.0)))
    assert "wind.mostly_calm" in codes
    with pytest.raises(UserError) as caught:
        rose(hours(np.full(8760, 0.3), np.zeros(8760)))
    assert caught.value.code == "wind.no_wind"
    with pytest.raises(UserError) as caught:
        climate.hours_of(table([1.0], [2.0], ("a", "b")))
    assert caught.value.code == "wind.no_wind_columns"
    assert climate.weather_layer([table([1.0], [2.0], ("a", "b"))]) is None


def test_petals_of_the_rose_add_up_to_its_sectors() -> None:
    rng = np.random.default_rng(8)
    given = hours(rng.weibull(1.5, 4000) * 4.0, rng.uniform(0, 360, 4000), step=10.0)
    found, _ = rose(given)
    petals = climate.speed_classes(given, 16)
    np.testing.assert_allclose(petals.sum(axis=1), found.frequency, atol=1e-12)
    assert petals[:, -1].sum() == pytest.approx((given.speed >= 10.0).mean())
    assert found.weights.sum() == pytest.approx(1.0)


# --- Weibull


@pytest.mark.parametrize(("scale", "shape"), [(1.6, 1.2), (3.0, 2.0), (6.5, 3.4)])
def test_weibull_is_found_again_and_agrees_with_scipy(scale: float, shape: float) -> None:
    from scipy.stats import weibull_min

    speed = weibull_min.rvs(shape, scale=scale, size=20_000, random_state=5)
    c, k = climate.weibull_fit(speed)
    assert c == pytest.approx(scale, rel=0.02)
    assert k == pytest.approx(shape, rel=0.02)
    expected_k, _, expected_c = weibull_min.fit(speed, floc=0)
    assert k == pytest.approx(expected_k, rel=1e-3)
    assert c == pytest.approx(expected_c, rel=1e-3)
    assert climate.weibull_misfit(speed, np.ones(len(speed)), c, k) < 0.01


def test_weights_count_like_repeats() -> None:
    speed = np.array([1.0, 2.0, 3.0, 4.0])
    times = np.array([3, 5, 2, 1])
    np.testing.assert_allclose(
        climate.weibull_fit(speed, times.astype(float)), climate.weibull_fit(np.repeat(speed, times)), rtol=1e-9
    )


def test_thin_sectors_take_the_distribution_of_all_and_odd_ones_are_told() -> None:
    rng = np.random.default_rng(4)
    north = rng.weibull(2.0, 5000) * 3.0 + 0.5
    east = np.where(rng.uniform(size=3000) < 0.5, 1.0, 9.0)  # two speeds are no Weibull distribution
    speed = np.concatenate([north, east, [4.0] * 10])
    wind_from = np.concatenate([np.zeros(5000), np.full(3000, 90.0), np.full(10, 180.0)])
    found, codes = rose(hours(speed, wind_from))
    assert not found.own_fit[8]
    scale, shape = climate.weibull_fit(speed[speed >= 0.5])
    assert (found.scale[8], found.shape[8]) == pytest.approx((scale, shape))
    assert found.misfit[4] > 0.2 > found.misfit[0]
    assert {"wind.thin_sectors", "wind.weibull_misfit", "wind.empty_sectors"} <= codes
    assert list(found.strongest_first[:2]) == [0, 4]
    assert len(found.strongest_first) == 3


def test_equal_speeds_do_not_break_the_fit() -> None:
    found, _ = rose(hours(np.full(5000, 3.0), np.zeros(5000)))
    assert math.isfinite(found.shape[0])
    assert found.scale[0] == pytest.approx(3.0, rel=0.05)


# --- seasons, names


def test_months_and_hours_through_midnight() -> None:
    given = hours(np.full(8760, 2.0), np.zeros(8760))
    night = climate.season(given, times=(22, 6))
    assert len(night.speed) == 365 * 8
    assert set(night.hour.tolist()) == {23, 24, 1, 2, 3, 4, 5, 6}
    assert set(climate.season(given, (6, 7, 8)).month.tolist()) == {6, 7, 8}


def test_sector_names() -> None:
    assert [climate.sector_name(k, 8) for k in (0, 1, 6)] == ["N", "NE", "W"]
    assert climate.sector_name(13, 16) == "WNW"
    assert climate.sector_name(3, 36) == "030"


# --- from the station to the site


def test_the_same_ground_and_height_change_nothing() -> None:
    for category in "ABCD":
        assert transfer.power_factor(category, category, site_height=10.0) == pytest.approx(1.0)
    assert transfer.log_factor(0.03, 0.03, site_height=10.0) == pytest.approx(1.0)


def test_power_law_through_the_gradient_height_by_hand() -> None:
    """Open low houses (C) to the suburb (B) at 2 m: (350/10)^0.15 (2/450)^0.22 = 0.518."""
    assert transfer.power_factor("C", "B", site_height=2.0) == pytest.approx(35.0**0.15 * (2.0 / 450.0) ** 0.22)
    assert transfer.power_factor("C", "B", site_height=2.0) == pytest.approx(0.518, abs=0.001)
    assert transfer.power_factor("C", "A", site_height=10.0) < transfer.power_factor("C", "B", site_height=10.0) < 1.0
    top = transfer.power_factor("C", "A", site_height=550.0)
    assert transfer.power_factor("C", "A", site_height=900.0) == top


def test_log_law_through_the_blending_height_by_hand() -> None:
    expected = math.log(60 / 0.03) / math.log(10 / 0.03) * math.log(10 / 0.5) / math.log(60 / 0.5)
    assert transfer.log_factor(0.03, 0.5, site_height=10.0) == pytest.approx(expected)
    assert transfer.log_factor(0.03, 0.5, site_height=5.0, displacement=6.0) == 0.0


@pytest.mark.parametrize(("category", "below"), [("A", 0.58), ("B", 0.81), ("C", 1.00), ("D", 1.13)])
def test_exposure_coefficients_of_the_korean_code(category: str, below: float) -> None:
    """Values of KDS 41 12 00:2022 below zb. For D the printed 1.13 and the formula's 1.15 differ by two hundredths."""
    assert transfer.exposure_coefficient(category, 1.0) == pytest.approx(below, abs=0.0215)
    assert transfer.exposure_coefficient(category, 1.0) == transfer.exposure_coefficient(
        category, transfer.CATEGORIES[category].constant_height
    )


def test_turbulence_falls_with_height_and_rises_with_roughness() -> None:
    assert transfer.turbulence_intensity("C", 10.0) == pytest.approx(0.1 * (10 / 350) ** -0.2)
    assert transfer.turbulence_intensity("A", 60.0) > transfer.turbulence_intensity("C", 60.0)


def test_a_scaled_rose_keeps_its_shares() -> None:
    rng = np.random.default_rng(6)
    found, _ = rose(hours(rng.weibull(2, 5000) * 3, rng.uniform(0, 360, 5000)))
    half = found.scaled(0.5)
    np.testing.assert_allclose(half.scale, 0.5 * found.scale)
    np.testing.assert_array_equal(half.frequency, found.frequency)
    np.testing.assert_array_equal(half.shape, found.shape)


# --- real files


REAL = [("KOR_HN_Gongju.692214", 1.65), ("KOR_TJ_Daejeon.WS.471330", 1.51), ("KOR_HB_Cheongju.WS.471310", 1.36)]


@pytest.mark.parametrize(("name", "mean"), REAL, ids=[name for name, _ in REAL])
def test_real_weather_files(name: str, mean: float, shared_data: Path) -> None:
    """Against the file read by hand: mean speed, calm hours, and the strongest sector."""
    from geo.formats.contract import ReadOptions
    from geo.formats.epw import read

    path = shared_data / "weather" / f"{name}_TMYx.2009-2023.epw"
    lines = [line.split(",") for line in path.read_text(encoding="utf-8", errors="replace").splitlines()[8:]]
    speed, wind_from = np.array([[float(line[21]), float(line[20])] for line in lines]).T
    layer = climate.weather_layer(read(path, tiny_frame(), ReadOptions(), Feedback()))
    assert layer is not None
    found, _ = rose(climate.hours_of(layer))
    assert speed.mean() == pytest.approx(mean, abs=0.01)
    assert found.calm == pytest.approx((speed < 0.5).mean())
    blowing = speed >= 0.5
    assert (found.frequency * found.mean).sum() == pytest.approx(speed[blowing].sum() / len(speed))
    number = np.floor(np.mod(wind_from[blowing], 360) / 22.5 + 0.5).astype(int) % 16
    np.testing.assert_allclose(found.hours, np.bincount(number, minlength=16), atol=1e-9)
