"""Tables of measured dust: real files against published means, and every way in which such files are unclean."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.catalog import detect
from geo.crs import make_frame
from geo.formats.contract import ReadOptions
from geo.formats.sensor_table import FORMAT, unit_of
from geo.model import Feedback, Layer, UserError
from tests.geo.damage import survives_damage

FRAME = make_frame("EPSG:5186", 229_000, 435_500)


def save(folder: Path, text: str, encoding: str = "utf-8", name: str = "air.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def loaded(folder: Path, text: str, encoding: str = "utf-8") -> list[Layer]:
    path = save(folder, text, encoding)
    assert detect(path) is FORMAT
    return FORMAT.read(path, FRAME, ReadOptions(), Feedback())


def column(layer: Layer, name: str) -> list[object]:
    return layer.table.columns[name].values.tolist()


def counts(layer: Layer) -> dict[str, int]:
    return {issue.code: issue.count for issue in layer.issues}


@pytest.mark.data
def test_a_year_of_seoul_has_its_published_means_and_gaps(shared_data: Path) -> None:
    path = shared_data / "sensors" / "seoul_air_daily_2022.csv"
    assert detect(path) is FORMAT
    (layer,) = FORMAT.read(path, FRAME, ReadOptions(), Feedback())
    for name, mean, gaps in (("pm25", 18.21, 128), ("pm10", 33.76, 135)):
        values = layer.table.columns[name].values
        assert np.nanmean(values) == pytest.approx(mean, abs=0.005)
        assert np.isnan(values).sum() == gaps
    assert len(layer.table) == 50 * 365
    assert layer.theme == "sensor"
    assert column(layer, "time")[0] == "2022-01-01"


def test_hours_end_at_24_and_dashes_are_missing(tmp_path: Path) -> None:
    text = (
        "측정소명,dataTime,pm10Value,pm25Value\n아름동,2024-02-28 24:00,41,-\n아름동,2024-02-28 23:00,40,통신장애\n"
        "아름동,2024-02-29 24:00,-999,12\n한솔동,2024-02-28 24:00,39,\n"
    )
    (layer,) = loaded(tmp_path, text, "cp949")
    assert column(layer, "time") == ["2024-02-28T23:00", "2024-02-29T00:00", "2024-03-01T00:00", "2024-02-29T00:00"]
    np.testing.assert_array_equal(column(layer, "pm10"), [40, 41, np.nan, 39])
    np.testing.assert_array_equal(column(layer, "pm25"), [np.nan, np.nan, 12, np.nan])
    assert counts(layer)["sensor.missing"] == 4
    assert "sensor.end_assumed" not in counts(layer)


@pytest.mark.parametrize(
    "stamp",
    ["2024013124", "2024-01-31 24:00", "2024.1.31 24시", "2024/01/31 24:00:00", "2024-02-01T00:00", "202402010000",
     "2024-02-01 0:00", "2024-01-31T15:00Z", "2024-02-01T00:00:00+09:00"],
)  # fmt: skip
def test_ways_to_write_a_time(tmp_path: Path, stamp: str) -> None:
    (layer,) = loaded(tmp_path, f"time,PM10\n{stamp},10\n2024-02-01 05:00,11\n")
    assert column(layer, "time")[0] == "2024-02-01T00:00"


@pytest.mark.parametrize("stamp", ["2024-13-01 01:00", "2024-02-30 01:00", "20241301", "2024115", "2024-01-01 25:00",
                                   "2024-01-01 24:30", "yesterday", ""])  # fmt: skip
def test_times_that_are_none_are_counted(tmp_path: Path, stamp: str) -> None:
    (layer,) = loaded(tmp_path, f"time,PM10\n{stamp},10\n2024-02-01 05:00,11\n")
    assert column(layer, "pm10") == [11.0]
    assert counts(layer)["sensor.no_time"] == 1


def test_units_of_columns_rows_and_values_are_brought_together(tmp_path: Path) -> None:
    text = (
        "time,PM10(mg/m3),PM2.5,unit\n2024-01-01 01:00,0.045,20,\n2024-01-01 02:00,0.05,0.021,mg/m³\n"
        "2024-01-01 03:00,51 ㎍/㎥,22,µg/m3\n2024-01-01 04:00,52 ppm,23,㎍/㎥\n2024-01-01 05:00,12abc,1,ug/m3\n"
    )
    (layer,) = loaded(tmp_path, text)
    np.testing.assert_allclose(column(layer, "pm10"), [45, 50, 51, np.nan, np.nan])
    np.testing.assert_allclose(column(layer, "pm25"), [20, 21, 22, 23, 1])
    assert layer.table.columns["pm10"].unit == "ug/m3"
    found = counts(layer)
    assert (found["sensor.unit_unknown"], found["sensor.unreadable"], found["sensor.unit_changed"]) == (1, 1, 3)


def test_a_column_in_milligrams_that_does_not_say_so_is_doubted(tmp_path: Path) -> None:
    rows = "".join(f"2024-01-01 {hour:02d}:00,0.0{hour + 10}\n" for hour in range(20))
    (layer,) = loaded(tmp_path, "time,PM10\n" + rows)
    found = counts(layer)
    assert found["sensor.like_milligrams"] == found["sensor.unit_assumed"] == 1
    assert found["sensor.end_assumed"] == 20


def test_the_bracket_tells_which_dust(tmp_path: Path) -> None:
    text = "일시,미세먼지(PM2.5),미세먼지(PM10),NO2(ppb)\n20240101,10,20,30\n20240102,11,21,31\n"
    (layer,) = loaded(tmp_path, text)
    assert column(layer, "pm25") == [10, 11]
    assert column(layer, "pm10") == [20, 21]
    np.testing.assert_allclose(column(layer, "no2"), [0.03, 0.031])


def test_repeated_and_missing_hours_are_told(tmp_path: Path) -> None:
    hours = [1, 2, 2, 3, 7, 8]
    rows = "".join(f"2024-01-01 {hour:02d}:00,a,{number}\n" for number, hour in enumerate(hours))
    (layer,) = loaded(tmp_path, "time,station,pm10\n" + rows)
    assert column(layer, "pm10") == [0, 1, 3, 4, 5]
    found = counts(layer)
    assert (found["sensor.twice"], found["sensor.gaps"]) == (1, 3)
    assert len(set(layer.table.ids)) == 5


def test_stations_of_one_name_in_two_cities_are_kept_apart(tmp_path: Path) -> None:
    text = (
        "지역,측정소코드,측정소명,측정일시,PM10\n서울,111121,중구,2024010101,10\n부산,221112,중구,2024010101,20\n"
        "서울,111123,종로구,2024010124,30\n"
    )
    (layer,) = loaded(tmp_path, text, "cp949")
    assert column(layer, "station") == ["종로구", "중구 (111121)", "중구 (221112)"]
    assert column(layer, "pm10") == [30, 10, 20]
    assert "sensor.twice" not in counts(layer)


def test_stations_with_coordinates_become_points(tmp_path: Path) -> None:
    text = (
        "time,station,lon,lat,pm10\n2024-01-01 01:00,b,127.33,36.52,10\n2024-01-01 01:00,a,127.32,36.51,20\n"
        "2024-01-01 02:00,a,127.32,36.51,40\n"
    )
    measured, stations = loaded(tmp_path, text)
    assert len(measured.table) == 3
    assert list(stations.table.ids) == ["a", "b"]
    assert column(stations, "mean_pm10") == [30, 10]
    assert stations.kind == "points"
    east = stations.geometry.vertices[1] - stations.geometry.vertices[0]
    assert east[0] == pytest.approx(0.01 * 111_320 * np.cos(np.radians(36.5)), rel=0.02)


def test_places_without_a_system_are_told(tmp_path: Path) -> None:
    text = "time,station,x,y,pm10\n2024-01-01 01:00,b,229000,435500,10\n2024-01-01 02:00,b,229000,435500,10\n"
    (layer,) = loaded(tmp_path, text)
    assert counts(layer)["sensor.no_crs"] == 1
    found = FORMAT.read(save(tmp_path, text), FRAME, ReadOptions(crs="EPSG:5186"), Feedback())
    np.testing.assert_allclose(found[1].geometry.vertices[0, :2], 0.0, atol=1e-6)


def test_other_tables_are_left_to_the_general_reader(tmp_path: Path) -> None:
    for header in ("id,height,use", "일시,풍속(m/s),풍향(16방위)", "time,temperature", "pm10,pm25"):
        assert not FORMAT.sniff(save(tmp_path, header + "\n1,2,3\n"), (header + "\n1,2,3\n").encode())


def test_a_file_without_any_time_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError) as error:
        loaded(tmp_path, "time,pm10\nnever,1\n,2\n")
    assert error.value.code == "csv.unreadable"


def test_units_are_known_in_every_spelling() -> None:
    assert {unit_of(text) for text in ("㎍/㎥", "µg/m³", "ug/m3", "μg/m^3", "PM10, ㎍/㎥")} == {"ug/m3"}
    assert [unit_of(text) for text in ("mg/m3", "ppb", "", "PM-2.5", "%", "g/km")] == ["mg/m3", "ppb", "", "", "?", "?"]


def test_damaged_files_are_read_or_refused(tmp_path: Path) -> None:
    rows = "".join(f"2024-01-{1 + n // 24:02d} {n % 24 + 1:02d}:00,{n % 3},{n},{n / 2}\n" for n in range(60))
    text = ("측정일시,측정소명,PM10(㎍/㎥),PM2.5(㎍/㎥)\n" + rows).encode("cp949")
    rng = np.random.default_rng(4)

    def make(number: int) -> bytes:
        data = bytearray(text)
        if number % 3 == 0:
            return bytes(data[: rng.integers(1, len(data))])
        for _ in range(1 + number % 7):
            data[rng.integers(0, len(data))] = rng.integers(0, 256)
        return bytes(data)

    survives_damage(FORMAT, tmp_path / "damaged.csv", make, FRAME, count=24)
