"""Layers for dust: what they are is known by name or column, their columns get the program's own names and units."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from geo.formats.contract import ReadOptions
from geo.formats.vector import FORMAT
from geo.formats.vector_fields import meaning_of
from geo.model import Column, Feedback, Layer, Mesh, Points
from tests.tiny import terrain, tiny_frame

EAST, NORTH = 229_010.0, 435_520.0
POINT = {"type": "Point", "coordinates": [EAST, NORTH]}
SQUARE = {"type": "Polygon", "coordinates": [[[EAST + x, NORTH + y] for x, y in
                                               ((0, 0), (40, 0), (40, 30), (0, 30), (0, 0))]]}  # fmt: skip
LINE = {"type": "LineString", "coordinates": [[EAST, NORTH], [EAST + 40, NORTH]]}


def layer(path: Path, shape: dict, *, kind: str | None = None, **columns: object) -> Layer:
    feature = {"type": "Feature", "properties": columns, "geometry": shape}
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::5186"}}
    text = json.dumps({"type": "FeatureCollection", "crs": crs, "features": [feature]}, ensure_ascii=False)
    path.write_text(text, encoding="utf-8")
    options = ReadOptions(kind=kind, terrain=terrain(20.0).geometry)  # type: ignore[arg-type]
    (found,) = FORMAT.read(path, tiny_frame(), options, Feedback())
    return found


def values(found: Layer, name: str) -> list:
    return found.table.columns[name].values.tolist()


@pytest.mark.parametrize(
    ("name", "shape", "theme"),
    [
        ("dust_sources", POINT, "emission"), ("비산먼지배출원", SQUARE, "emission"),
        ("건설현장_2026", SQUARE, "emission"),
        ("대기측정소", POINT, "sensor"), ("air_stations", POINT, "sensor"), ("공기정화기", POINT, "purifier"),
        ("purifiers_2026", POINT, "purifier"),
    ],
)  # fmt: skip
def test_files_are_known_by_their_names(tmp_path: Path, name: str, shape: dict, theme: str) -> None:
    assert layer(tmp_path / f"{name}.geojson", shape, name="x").theme == theme


def test_what_was_known_before_is_still_known() -> None:
    for name, flat, word in (
        ("bus_station", "point", "other"), ("railway_station", "point", "rail"), ("road_construction", "line", "road"),
        ("building_population", "area", "building"), ("weather_station", "point", "other"),
    ):  # fmt: skip
        assert meaning_of(name, "file", {}, flat).word == word
    roofs = {"height": Column(np.array([9.0]))}
    assert meaning_of("a", "file", roofs, "area").word == "building"


@pytest.mark.parametrize(
    ("column", "shape", "word"),
    [("source_kind", "area", "emission"), ("strength_pm10", "point", "emission"), ("place_group", "area", "people"),
     ("purifier_model", "point", "purifier")],
)  # fmt: skip
def test_files_are_known_by_their_columns(column: str, shape: str, word: str) -> None:
    assert meaning_of("a", "file", {column: Column(np.array(["x"], dtype=object))}, shape).word == word


def test_a_site_is_a_surface_and_its_sort_a_word_of_the_program(tmp_path: Path) -> None:
    found = layer(tmp_path / "배출원.geojson", SQUARE, 현장명="1공구", 종류="건설공사장", active_share="0.3")
    assert isinstance(found.geometry, Mesh)
    corners = found.geometry.vertices[found.geometry.faces][:, :, :2]
    a, b = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    assert 0.5 * np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum() == pytest.approx(1200.0, rel=1e-6)
    assert values(found, "name") == ["1공구"]
    assert values(found, "source_kind") == ["construction"]
    assert values(found, "active_share") == [0.3]


def test_a_sort_by_the_name_alone_is_told(tmp_path: Path) -> None:
    found = layer(tmp_path / "공사장.geojson", SQUARE, name="x")
    assert values(found, "source_kind") == ["construction"]
    assert "emission.kind_by_name" in [issue.code for issue in found.issues]
    plain = layer(tmp_path / "배출원.geojson", SQUARE, name="x")
    assert "source_kind" not in plain.table.columns


@pytest.mark.parametrize(
    ("column", "given", "grams"),
    [("strength_pm10", 0.5, 0.5), ("PM10배출량(kg/년)", 31_536.0, 1.0), ("pm10_emission (t/yr)", "31.536", 1.0),
     ("emission_pm10_kg/h", 3.6, 1.0)],
)  # fmt: skip
def test_strengths_come_in_grams_a_second(tmp_path: Path, column: str, given: object, grams: float) -> None:
    found = layer(tmp_path / "emission.geojson", POINT, **{column: given})
    assert values(found, "strength_pm10") == [pytest.approx(grams)]
    assert found.table.columns["strength_pm10"].unit == "g/s"


def test_people_of_areas_are_surfaces_and_of_points_stand_on_the_ground(tmp_path: Path) -> None:
    park = layer(tmp_path / "인구.geojson", SQUARE, 시설명="합강공원", 유형="근린공원", 이용자수="1,200명")
    assert isinstance(park.geometry, Mesh)
    assert (values(park, "name"), values(park, "place_group")) == (["합강공원"], ["park"])
    assert values(park, "persons") == [1200.0]
    stop = layer(tmp_path / "people.geojson", POINT, name="S", place_group="stop", persons=30, hours=0.2)
    assert isinstance(stop.geometry, Points)
    assert stop.geometry.vertices[0, 2] == pytest.approx(20.0)
    assert stop.table.columns["hours"].unit == "h"


def test_purifiers_without_a_model_are_told(tmp_path: Path) -> None:
    told = layer(
        tmp_path / "purifiers.geojson", POINT, 기종="tower-30000", 상태="운영중", 토출방향="90", 설치일="2025-06-01"
    )
    assert values(told, "purifier_model") == ["tower-30000"]
    assert values(told, "purifier_state") == ["existing"]
    assert values(told, "outlet_towards") == [90.0]
    assert values(told, "runs_since") == ["2025-06-01"]
    assert not [issue for issue in told.issues if issue.severity != "note"]
    unknown = layer(tmp_path / "정화기.geojson", POINT, name="x")
    assert "purifiers.no_model" in [issue.code for issue in unknown.issues]


def test_stations_bear_the_name_of_their_measurements(tmp_path: Path) -> None:
    assert values(layer(tmp_path / "대기측정소.geojson", POINT, 측정소명="한솔동"), "station") == ["한솔동"]
    assert values(layer(tmp_path / "s.geojson", POINT, kind="sensor", name="A1"), "station") == ["A1"]


def test_roads_say_their_traffic(tmp_path: Path) -> None:
    found = layer(tmp_path / "도로.geojson", LINE, 일교통량="34,000", 차도폭=20, width=30)
    assert found.theme == "road"
    assert values(found, "traffic") == [34_000.0]
    assert found.table.columns["traffic"].unit == "1/d"
    assert values(found, "carriageway") == [20.0]


def test_a_line_may_be_a_source(tmp_path: Path) -> None:
    found = layer(tmp_path / "dust_sources.geojson", LINE, source_kind="도로", strength_pm10=0.01)
    assert (found.theme, found.kind) == ("emission", "lines")
    assert values(found, "source_kind") == ["road"]
