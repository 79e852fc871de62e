"""EPW weather against published means and the statistics that come with a file; damaged files."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from geo import crs
from geo.formats.contract import ReadOptions
from geo.formats.epw import FORMAT
from geo.model import Feedback, Layer, UserError
from geo.weather import Weather, read_epw
from tests.geo.damage import damaged_bytes, survives_damage
from tests.tiny import tiny_frame

HEADER = (
    "LOCATION,Sejong,-,KOR,TMYx,471290,36.48,127.29,9.0,60.0\nDESIGN CONDITIONS,0\nTYPICAL/EXTREME PERIODS,0\n"
    "GROUND TEMPERATURES,0\nHOLIDAYS/DAYLIGHT SAVINGS,No,0,0,0\nCOMMENTS 1,\nCOMMENTS 2,\n"
    "DATA PERIODS,1,1,Data,Sunday,1/1,12/31\n"
)


def line(month: int = 1, day: int = 1, hour: int = 1, **changed: object) -> str:
    values: list[object] = [2020, month, day, hour, 0, "?9", 3.5, -1.0, 70, 101000, 0, 0, 250, 5, 6, 7, 0, 0, 0, 0,
                            270, 2.5, 3, 3]  # fmt: skip
    for field, value in changed.items():
        values[int(field.removeprefix("f"))] = value
    return ",".join(map(str, values)) + "\n"


def save(folder: Path, *lines: str, header: str = HEADER) -> Path:
    path = folder / "w.epw"
    path.write_text(header + "".join(lines), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "mean_wind"),
    [("KOR_HN_Gongju*", 1.65), ("KOR_TJ_Daejeon*", 1.51), ("KOR_HB_Cheongju*", 1.36), ("KOR_SO_Seoul*", 2.55)],
)
def test_published_mean_wind(shared_data: Path, name: str, mean_wind: float) -> None:
    weather = read_epw(next((shared_data / "weather").glob(name)))
    assert len(weather) == 8760
    assert not weather.issues
    assert weather.wind_speed.mean() == pytest.approx(mean_wind, abs=0.005)


def monthly(weather: Weather, values: np.ndarray) -> list[float]:
    return [float(values[weather.month == month].mean()) for month in range(1, 13)]


def test_chicago_agrees_with_its_statistics_report(shared_data: Path) -> None:
    weather = read_epw(shared_data / "weather" / "chicago.epw")
    report = (shared_data / "weather" / "chicago.stat").read_text(encoding="latin-1")
    after = report.split("Monthly Statistics for Wind Speed", 1)[1]
    said = re.search(r"Daily Avg\s+((?:[\d.]+\s+){12})", after)
    assert said is not None
    np.testing.assert_allclose(monthly(weather, weather.wind_speed), np.array(said[1].split(), float), atol=0.051)
    assert weather.wind_speed.max() == 15.4
    assert weather.month[weather.wind_speed.argmax()] == 3
    # The report's eight sectors are not equally wide: directions come in steps of 10 degrees. Calm counts as north.
    table = report.split("Monthly Wind Direction %", 1)[1]
    edges = np.array([25, 65, 105, 145, 195, 235, 285, 335])
    sector = np.digitize(weather.wind_from % 360, edges) % 8
    words = ["North", "NorthEast", "East", "SouthEast", "South", "SouthWest", "West", "NorthWest"]
    for number, word in enumerate(words):
        row = re.search(rf"\n\s*{word}\s+((?:\d+\s+){{12}})", table)
        assert row is not None
        share = monthly(weather, 100.0 * (sector == number))
        np.testing.assert_allclose(share, np.array(row[1].split(), float), atol=0.501)


def test_station_lies_where_the_header_says(shared_data: Path) -> None:
    path = next((shared_data / "weather").glob("KOR_HN_Gongju*"))
    frame = crs.make_frame("EPSG:5186", 229_000.0, 435_500.0)
    station, hours = FORMAT.read(path, frame, ReadOptions(), Feedback())
    east, north, height = frame.to_map(station.geometry.vertices)[0]  # type: ignore[union-attr]
    lon, lat = crs.to_lonlat(east, north, "EPSG:5186")
    assert (float(lon), float(lat), height) == (pytest.approx(127.2, abs=1e-9), pytest.approx(36.5, abs=1e-9), 32.9)
    assert hours.kind == "table"
    assert len(hours.table) == 8760
    assert hours.table.columns["wind_speed"].unit == "m/s"
    assert len(set(hours.table.ids)) == 8760


def test_values_stand_for_the_hour_that_ends(tmp_path: Path) -> None:
    weather = read_epw(save(tmp_path, line(6, 21, 13, f13=812, f14=640, f15=201), line(6, 21, 14)))
    assert (weather.month[0], weather.day[0], weather.hour_end[0]) == (6, 21, 13)
    assert (weather.global_horizontal[0], weather.direct_normal[0], weather.diffuse_horizontal[0]) == (812, 640, 201)
    assert weather.time_zone == 9.0
    assert [issue.code for issue in weather.issues] == ["epw.not_a_year"]
    with pytest.raises(ValueError, match="read-only"):
        weather.wind_speed[0] = 1.0


def test_missing_and_impossible_values_are_empty_and_said(tmp_path: Path) -> None:
    path = save(tmp_path, line(f6=99.9, f21=999), line(hour=2, f6=-300, f20=400), line(hour=3))
    weather = read_epw(path)
    assert np.isnan(weather.dry_bulb).tolist() == [True, True, False]
    assert np.isnan(weather.wind_speed).tolist() == [True, False, False]
    assert np.isnan(weather.wind_from).tolist() == [False, True, False]
    said = {(issue.code, issue.values.get("quantity")) for issue in weather.issues}
    assert {("epw.missing", "dry_bulb"), ("epw.absurd", "dry_bulb"), ("epw.absurd", "wind_from")} <= said


def test_broken_lines_are_counted(tmp_path: Path) -> None:
    weather = read_epw(save(tmp_path, line(), "2020,1,1,2,0,?9,3.5\n", line(month=13), "rubbish\n", line(hour=3)))
    assert len(weather) == 2
    assert next(issue for issue in weather.issues if issue.code == "epw.lines_lost").count == 3


@pytest.mark.parametrize(
    ("header", "lines"),
    [
        (HEADER, ()),
        (HEADER.replace("36.48", "north"), (line(),)),
        (HEADER.replace("36.48", "136.48"), (line(),)),
        (HEADER.replace("127.29", "nan"), (line(),)),
        (HEADER.replace("PERIODS,1,1,Data", "PERIODS,1,2,Data"), (line(),)),
        ("LOCATION,x\n", (line(),)),
        ("", ("hello\n",)),
    ],
)
def test_unusable_files_are_refused(tmp_path: Path, header: str, lines: tuple[str, ...]) -> None:
    with pytest.raises(UserError) as caught:
        read_epw(save(tmp_path, *lines, header=header))
    assert caught.value.code == "epw.damaged"


def test_a_time_zone_that_does_not_fit_is_doubted(tmp_path: Path) -> None:
    weather = read_epw(save(tmp_path, line(), header=HEADER.replace("9.0,60", "-6.0,60")))
    assert "epw.time_zone" in {issue.code for issue in weather.issues}


def test_damaged_files(tmp_path: Path) -> None:
    data = (HEADER + "".join(line(hour=hour) for hour in range(1, 25))).encode()
    found = survives_damage(FORMAT, tmp_path / "d.epw", lambda seed: damaged_bytes(data, seed), tiny_frame(), count=90)
    assert found["read"] > 10
    assert found["refused"] > 10


def test_table_has_no_place_and_store_keeps_it(tmp_path: Path) -> None:
    layers: list[Layer] = FORMAT.read(save(tmp_path, line()), tiny_frame(), ReadOptions(), Feedback())
    assert [layer.source.part for layer in layers] == ["station", "hours"]
    assert layers[1].geometry is None
