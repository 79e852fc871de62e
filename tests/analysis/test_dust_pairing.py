"""Measured tables beside winds: times, gaps, units and years that do not fit are told, and pairs are right."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from analysis.dust.pairing import pair, times_of, wind_layer
from analysis.dust.readings import moments, readings_of
from geo.model import Column, ElementTable, Issue, Layer, UserError
from tests.tiny_sensors import START, changing_winds, measured, times, weather
from tests.tiny_weather import weather_layers


def codes(issues: Sequence[Issue]) -> set[str]:
    return {issue.code for issue in issues}


def table(rows: list[tuple[str, str, float]], unit: str = "ug/m3", column: str = "pm10") -> Layer:
    station, time, value = zip(*rows, strict=True)
    columns = {
        "station": Column(np.array(station, dtype=object)),
        "time": Column(np.array(time, dtype=object)),
        column: Column(np.array(value, dtype=np.float64), unit),
    }
    return Layer("t", "T", "sensor", None, ElementTable([str(k) for k in range(len(rows))], columns))


def typical(year: int | Sequence[int]) -> Layer:
    """A year of hours as an EPW file gives it."""
    hours = weather_layers()[1]
    count = len(hours.table)
    years = np.resize(np.asarray(year), 12)[hours.table.columns["month"].values - 1]
    columns = {
        "year": Column(years),
        "wind_speed": Column(np.full(count, 3.0), "m/s"),
        "wind_from": Column(np.arange(count) % 360.0, "deg"),
    }
    return hours.with_(table=hours.table.with_columns(columns))


def test_the_same_moment_in_every_way_of_writing_it() -> None:
    same = ["2024-01-31 24:00", "2024-02-01T00:00", "2024-02-01 0:00", "2024-01-31T15:00Z", "2024-01-31 10:00-05:00"]
    assert len(set(moments(same).tolist())) == 1
    assert np.isnat(moments(["", "-", "2024-02-30 01:00", "2024-01-01 25:00", "1월"])).all()


def test_measurements_are_laid_by_station_and_time() -> None:
    rows = [("b", "2024-03-01T02:00", 3.0), ("a", "2024-03-01T01:00", 1.0), ("b", "2024-03-01T01:00", 2.0),
            ("a", "2024-03-01T01:00", 9.0)]  # fmt: skip
    found = readings_of([table(rows)], "pm10", [])
    assert found.station == ("a", "b")
    np.testing.assert_array_equal(found.value, [[5.0, 2.0], [np.nan, 3.0]])  # two readings of an hour: their mean
    assert not found.is_daily


def test_ten_minutes_become_hours_and_thin_hours_are_gaps() -> None:
    stamps = START + np.arange(-50, 130, 10).astype("timedelta64[m]")  # three hours from 0:10 on
    rows = [("a", str(stamp), float(k)) for k, stamp in enumerate(stamps)]
    del rows[13:17]  # of the third hour two readings are left
    found = readings_of([table(rows)], "pm10", [])
    assert found.time.astype(str).tolist() == ["2024-03-01T01:00", "2024-03-01T02:00"]
    assert found.value[:, 0].tolist() == [2.5, 8.5]


def test_units_are_converted_and_unknown_ones_refused() -> None:
    rows = [("a", "2024-03-01T01:00", 0.03)]
    assert readings_of([table(rows, "mg/m3")], "pm10", []).value[0, 0] == pytest.approx(30.0)
    issues: list[Issue] = []
    readings_of([table(rows, "")], "pm10", issues)
    assert codes(issues) == {"dust.pairing.no_unit"}
    with pytest.raises(UserError) as caught:
        readings_of([table(rows, "ppm")], "pm10", [])
    assert caught.value.code == "dust.pairing.unit"


def test_a_station_in_milligrams_among_others_is_left_out_and_named() -> None:
    value = np.column_stack([np.full(30, 40.0), np.full(30, 0.04), np.full(30, 35.0)])
    issues: list[Issue] = []
    found = readings_of([measured(value, ("a", "b", "c"))], "pm10", issues)
    assert found.station == ("a", "c")
    assert issues[0].code == "dust.pairing.milligrams"
    assert issues[0].elements == ("b",)


def test_days_beside_hours_are_left_out_and_nothing_measured_is_refused() -> None:
    hours = measured(np.ones((5, 1)), ("a",))
    days = table([("a", "2024-03-01", 2.0)])
    issues: list[Issue] = []
    assert not readings_of([days, hours], "pm10", issues).is_daily
    assert codes(issues) == {"dust.pairing.days_left"}
    with pytest.raises(UserError) as caught:
        readings_of([hours], "pm25", [])
    assert caught.value.code == "dust.pairing.nothing_measured"
    with pytest.raises(UserError) as caught:
        readings_of([measured(np.full((5, 2), np.nan), ("a", "b"))], "pm10", [])
    assert caught.value.code == "dust.pairing.all_gaps"


def test_each_hour_gets_its_own_wind() -> None:
    speed, wind_from = changing_winds(48)
    readings = readings_of(
        [measured(np.arange(24.0)[:, None] + 1.0, ("a",), stamp=times(24, START + 12 * 60))], "pm10", []
    )
    paired = pair(readings, weather(speed, wind_from), [])
    np.testing.assert_array_equal(paired.wind.speed, speed[12:36])
    np.testing.assert_array_equal(paired.row, np.arange(24))
    assert paired.mean(np.arange(24.0)).tolist() == list(range(24))


def test_a_day_goes_with_its_twenty_four_hours() -> None:
    speed, wind_from = changing_winds(72)
    days = table([("a", "2024-03-02", 5.0), ("a", "2024-03-09", 6.0)])
    issues: list[Issue] = []
    paired = pair(readings_of([days], "pm10", []), weather(speed, wind_from), issues)
    np.testing.assert_array_equal(paired.wind.speed, speed[24:48])  # 1:00 on the 2nd to 0:00 on the 3rd
    assert len(paired.readings.time) == 1
    assert codes(issues) == {"dust.pairing.no_wind_then"}
    # Of a day with too few hours of wind nothing is said.
    with pytest.raises(UserError) as caught:
        pair(readings_of([days], "pm10", []), weather(speed[:40], wind_from[:40]), [])
    assert caught.value.code == "dust.pairing.apart"


def test_hours_without_wind_direction_are_left_out_but_calm_ones_stay() -> None:
    speed, wind_from = np.array([3.0, 3.0, 0.2]), np.array([90.0, np.nan, np.nan])
    readings = readings_of([measured(np.ones((3, 1)), ("a",))], "pm10", [])
    paired = pair(readings, weather(speed, wind_from), [])
    assert paired.readings.time.tolist() == times(3)[[0, 2]].astype("datetime64[m]").tolist()


def test_a_typical_year_is_not_the_measured_month() -> None:
    readings = readings_of([measured(np.ones((48, 2)), ("a", "b"))], "pm10", [])
    with pytest.raises(UserError) as caught:
        pair(readings, typical((2004, 1997, 2011)), [])
    assert caught.value.code == "dust.pairing.other_year"
    assert "1997 to 2011" in caught.value.why
    issues: list[Issue] = []
    paired = pair(readings, typical(2007), issues, other_year=True)
    assert codes(issues) == {"dust.pairing.another_year"}
    assert issues[0].severity == "error"
    assert len(paired.row) == 48
    # The first of March, one o'clock, is hour 31 + 28 days of a year without a leap day.
    np.testing.assert_array_equal(paired.wind.wind_from, (59 * 24 + np.arange(48)) % 360.0)


def test_an_epw_of_the_measured_year_is_taken_as_it_is() -> None:
    readings = readings_of([measured(np.ones((48, 2)), ("a", "b"))], "pm10", [])
    issues: list[Issue] = []
    paired = pair(readings, typical(2024), issues)
    assert len(paired.row) == 48
    assert issues == []


def test_the_table_that_meets_the_measurements_is_chosen() -> None:
    readings = readings_of([measured(np.ones((48, 1)), ("a",))], "pm10", [])
    asos = weather(*changing_winds(48))
    assert wind_layer([typical(2007), asos], [], readings, []) is asos
    beside = measured(np.ones((48, 2)), ("a", "b"))
    columns = {"wind_speed": Column(np.full(96, 2.0), "m/s"), "wind_from": Column(np.full(96, 10.0), "deg")}
    beside = beside.with_(table=beside.table.with_columns(columns))
    issues: list[Issue] = []
    layer = wind_layer([typical(2007)], [beside], readings, issues)
    assert codes(issues) == {"dust.pairing.wind_beside"}
    assert len(pair(readings, layer, []).row) == 48
    with pytest.raises(UserError) as caught:
        wind_layer([], [], readings, [])
    assert caught.value.code == "dust.pairing.no_wind"


def test_no_hour_in_common_and_tables_without_times_are_refused() -> None:
    readings = readings_of([measured(np.ones((10, 1)), ("a",))], "pm10", [])
    far = weather(*changing_winds(10), start=np.datetime64("2024-07-01T01:00"))
    with pytest.raises(UserError) as caught:
        pair(readings, far, [])
    assert caught.value.code == "dust.pairing.apart"
    untimed = far.with_(table=ElementTable(far.table.ids, {k: v for k, v in far.table.columns.items() if k != "일시"}))
    with pytest.raises(UserError) as caught:
        pair(readings, untimed, [])
    assert caught.value.code == "dust.pairing.no_times"


def test_months_and_hours_of_the_day() -> None:
    readings = readings_of([measured(np.ones((48, 1)), ("a",))], "pm10", [])
    asos = weather(*changing_winds(48))
    night = pair(readings, asos, [], times=(22, 6))
    assert len(night.row) == 16
    # The hour from 22 to 23 bears the stamp 23:00.
    assert str(night.readings.time[6]) == "2024-03-01T23:00"
    with pytest.raises(UserError) as caught:
        pair(readings, asos, [], months=(6, 7, 8))
    assert caught.value.code == "dust.pairing.apart"


def test_times_of_the_kma_in_digits() -> None:
    columns = {"tm": Column(np.array([202403010100.0, 202403010200.0]))}
    layer = Layer("k", "K", "other", None, ElementTable(["1", "2"], columns))
    assert times_of(layer).astype(str).tolist() == ["2024-03-01T01:00", "2024-03-01T02:00"]
