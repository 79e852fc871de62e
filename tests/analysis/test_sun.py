"""Positions of the sun against published numbers."""

from __future__ import annotations

import csv
import warnings
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest

from analysis.kernels import sun

SEJONG = (127.325, 36.520)
KST = np.timedelta64(9, "h")


def kst(instant: np.datetime64) -> str:
    return str(instant + KST)[11:19]


def seconds(clock: str) -> int:
    parts = [int(p) for p in clock.split(":")]
    return parts[0] * 3600 + parts[1] * 60 + (parts[2] if len(parts) > 2 else 0)


def test_worked_example_of_reda_and_andreas() -> None:
    position = sun.sun_position(
        np.array(["2003-10-17T19:30:30"], "datetime64[ms]"),
        -105.1786,
        39.742476,
        altitude=1830.14,
        pressure=82000.0,
        temperature=11.0,
        delta_t=67.0,
    )
    assert 90 - position.apparent_elevation[0] == pytest.approx(50.11162, abs=1e-5)
    assert position.azimuth[0] == pytest.approx(194.34024, abs=1e-5)


def test_table_of_the_japanese_observatory_on_every_day_of_2023(shared_data: Path) -> None:
    text = (shared_data / "solar" / "naoj_kaga_sun_2023.csv").read_bytes().decode("cp932")
    rows = [row for row in csv.reader(text.splitlines()) if row and row[0].startswith("2023/")]
    assert len(rows) == 365
    worst_s, worst_noon_s, worst_deg = 0.0, 0.0, 0.0
    for row in rows:
        day = sun.sun_day(date(*(int(p) for p in row[0].split("/"))), 136.3150, 36.3028)
        assert day.sunrise is not None
        assert day.sunset is not None
        worst_s = max(
            worst_s, *(abs(seconds(kst(t)) - seconds(c)) for t, c in ((day.sunrise, row[1]), (day.sunset, row[5])))
        )
        worst_noon_s = max(worst_noon_s, abs(seconds(kst(day.noon)) - seconds(row[3])))
        found = sun.sun_position(np.array([day.sunrise, day.noon, day.sunset]), 136.3150, 36.3028)
        angles = (
            found.azimuth[0] - float(row[2]),
            day.noon_elevation - float(row[4]),
            found.azimuth[2] - float(row[6]),
        )
        worst_deg = max(worst_deg, *(abs(a) for a in angles))
    print(f"worst: rise and set {worst_s:.0f} s, transit {worst_noon_s:.0f} s, angles {worst_deg:.3f} degrees")
    assert worst_s <= 60  # the table is rounded to minutes
    assert worst_noon_s <= 2
    assert worst_deg <= 0.1  # rounded to a tenth


@pytest.mark.parametrize(
    ("day", "noon", "sunset", "elevation", "equation"),
    [
        (date(2026, 12, 22), "12:29:05", "17:19:02", 30.07, 1.6),
        (date(2026, 3, 20), "12:38:14", "18:42:03", 53.31, -7.5),
        (date(2026, 6, 21), "12:32:26", "19:52:11", 76.92, -1.7),
    ],
)
def test_days_at_sejong(day: date, noon: str, sunset: str, elevation: float, equation: float) -> None:
    found = sun.sun_day(day, *SEJONG)
    at_noon = sun.sun_position([found.noon], *SEJONG)
    assert found.sunset is not None
    assert seconds(kst(found.noon)) == pytest.approx(seconds(noon), abs=1)
    assert seconds(kst(found.sunset)) == pytest.approx(seconds(sunset), abs=1)
    assert at_noon.apparent_elevation[0] == pytest.approx(elevation, abs=0.01)
    assert at_noon.equation_of_time[0] == pytest.approx(equation, abs=0.05)
    assert at_noon.azimuth[0] == pytest.approx(180.0, abs=0.01)


@pytest.mark.parametrize(
    ("hour", "azimuth", "elevation"), [(8, 122.1, 3.0), (9, 132.0, 12.5), (15, 216.8, 20.3), (16, 228.3, 12.2)]
)
def test_hours_of_the_winter_solstice_at_sejong(hour: int, azimuth: float, elevation: float) -> None:
    instant = sun.hour_of_day(date(2026, 12, 22), hour, SEJONG[0])
    found = sun.sun_position([instant], *SEJONG)
    assert found.azimuth[0] == pytest.approx(azimuth, abs=0.06)
    assert found.apparent_elevation[0] == pytest.approx(elevation, abs=0.06)


def test_true_solar_time_is_symmetric_about_noon() -> None:
    first, last = (sun.hour_of_day(date(2026, 12, 22), h, SEJONG[0], time_basis="solar") for h in (9.0, 15.0))
    assert kst(first)[:5] == "09:29"
    assert kst(last)[:5] == "15:29"
    azimuth = sun.sun_position([first, last], *SEJONG).azimuth
    assert 180 - azimuth[0] == pytest.approx(azimuth[1] - 180, abs=0.02)


@pytest.mark.parametrize(
    ("year", "in_korea", "at_greenwich"), [(2023, 22, 22), (2024, 21, 21), (2025, 22, 21), (2026, 22, 21)]
)
def test_winter_solstice_falls_on_the_day_of_the_place(year: int, in_korea: int, at_greenwich: int) -> None:
    assert sun.winter_solstice(year) == date(year, 12, in_korea)
    assert sun.winter_solstice(year, 0.0) == date(year, 12, at_greenwich)


def test_solstice_instants_of_the_almanac() -> None:
    # US Naval Observatory, Earth's seasons: 2024-12-21 09:20, 2025-12-21 15:03, 2026-12-21 20:50 UTC
    for said in ("2024-12-21T09:20", "2025-12-21T15:03", "2026-12-21T20:50"):
        found = sun.solstice_instant(int(said[:4]))
        assert abs(found - np.datetime64(said, "ms")) <= np.timedelta64(60, "s")


def test_instants_cover_exactly_the_time_between() -> None:
    start, stop = np.datetime64("2026-12-21T22:41:17.250", "ms"), np.datetime64("2026-12-22T08:17:03", "ms")
    found = sun.instants_between(start, stop, 10.0)
    assert found.weights.sum() == pytest.approx(sun.hours_between(start, stop), abs=1e-12)
    assert found.weights.max() <= 10 / 60 + 1e-12
    assert (np.diff(found.times) > np.timedelta64(0, "ms")).all()
    assert found.times[0] > start
    assert found.times[-1] < stop
    assert len(sun.instants_between(stop, start, 10.0).times) == 0


def test_nine_to_fifteen_has_thirty_six_steps_of_ten_minutes() -> None:
    found = sun.times_of_day(date(2026, 12, 22), 9.0, 15.0, 10.0, SEJONG[0])
    assert len(found.times) == 36
    assert kst(found.times[0]) == "09:05:00"


def test_polar_night_and_midnight_sun() -> None:
    night = sun.sun_day(date(2026, 12, 21), 20.0, 70.0, utc_offset_h=1.0)
    assert (night.sunrise, night.sunset, night.length_h) == (None, None, 0.0)
    light = sun.sun_day(date(2026, 6, 21), 20.0, 70.0, utc_offset_h=1.0)
    assert (light.sunrise, light.length_h) == (None, 24.0)


def test_datetimes_with_a_zone_are_converted() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        here = sun.sun_position([datetime(2026, 12, 22, 12, tzinfo=timezone(timedelta(hours=9)))], *SEJONG)
        there = sun.sun_position([datetime(2026, 12, 22, 3, tzinfo=UTC)], *SEJONG)
    assert here.azimuth[0] == there.azimuth[0] == sun.sun_position([datetime(2026, 12, 22, 3)], *SEJONG).azimuth[0]


def test_vectors_point_towards_the_sun() -> None:
    assert sun.sun_vectors([90.0], [0.0])[0] == pytest.approx([1, 0, 0], abs=1e-12)
    assert sun.sun_vectors([180.0], [45.0])[0] == pytest.approx([0, -np.sqrt(0.5), np.sqrt(0.5)])
