"""GIS files: right place, right meaning, right heights."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyogrio
import pytest
import shapely
from pyproj import Transformer

from geo import buildings
from geo.crs import make_frame
from geo.formats import vector
from geo.formats.contract import MapBox, ReadOptions
from geo.formats.vector_fields import meaning_of, number_in
from geo.model import (
    Cancelled,
    Column,
    Feedback,
    Grid,
    Instances,
    Lines,
    Mesh,
    UserError,
)
from tests.geo.vector_files import NAMYANGJU, SEJONG, ZURICH, codes, one, read, save, square

POHANG = make_frame("EPSG:5187", 228_000, 379_000)


FLAT = Grid(np.full((200, 200), 42.0), -2000.0, -2000.0, 20.0)


def test_korean_footprints_stand_where_pyproj_says_and_none_is_lost(shared_data: Path) -> None:
    path = shared_data / "city/kr_footprint-with-height.geojson"
    layer = one(path, NAMYANGJU, terrain=FLAT)
    assert isinstance(layer.geometry, Mesh)
    assert (layer.theme, len(layer.table)) == ("building", 177)
    source = json.loads(path.read_text())["features"]
    heights = [f["properties"]["height"] for f in source]
    without = sum(not h for h in heights)
    assert codes(layer)["footprints.height_assumed"] == without > 1
    move = Transformer.from_crs(4326, 5186, always_xy=True)
    volumes = buildings.volume(layer.geometry, 177)
    for row in range(177):
        plan = shapely.geometry.shape(source[row]["geometry"])
        plan = shapely.make_valid(shapely.transform(plan, lambda c: np.column_stack(move.transform(c[:, 0], c[:, 1]))))
        points = layer.geometry.vertices[np.unique(layer.geometry.faces[layer.geometry.face_element == row])]
        corner = points.min(axis=0)
        np.testing.assert_allclose(corner[:2] + (215_500, 557_500), plan.bounds[:2], atol=1e-3)
        used = heights[row] or 3.0
        assert (corner[2], np.ptp(points[:, 2])) == pytest.approx((42.0, used))
        assert volumes[row] == pytest.approx(plan.area * used, rel=1e-4)


def test_korean_sheet_without_attributes_agrees_with_its_table(shared_data: Path) -> None:
    """2536 polygons; the CSV of the same sheet holds the centroids of all of them."""
    folder = shared_data / "city/kr_topomap_36914093"
    info = vector.inspect(folder / "N3A_B0010000.shp")
    assert info.counts["features"] == 2536
    assert info.crs == "EPSG:5187"
    layer = one(folder / "N3A_B0010000.shp", POHANG)
    assert isinstance(layer.geometry, Mesh)
    found = codes(layer)
    assert "vector.no_dbf" in found
    assert found["footprints.height_assumed"] == 2536
    assert found["footprints.slivers"] + len(layer.table) == 2536
    lines = (folder / "buildings_with_height.csv").read_text(encoding="utf-8-sig").splitlines()
    names = lines[0].split(",")
    east, north = names.index("longitude"), names.index("latitude")
    rng = np.random.default_rng(0)
    for row in rng.integers(0, len(layer.table), 100):
        values = lines[1 + int(layer.table.ids[row])].split(",")
        points = layer.geometry.vertices[np.unique(layer.geometry.faces[layer.geometry.face_element == row])]
        low, high = points.min(axis=0), points.max(axis=0)
        assert low[0] <= float(values[east]) - 228_000 <= high[0]
        assert low[1] <= float(values[north]) - 379_000 <= high[1]


def test_korean_road_lines_and_edges(shared_data: Path) -> None:
    folder = shared_data / "city/kr_topomap_36914093"
    centre = one(folder / "N3L_A0020000.shp", POHANG)
    assert isinstance(centre.geometry, Mesh)
    assert (centre.theme, codes(centre)["roads.width_assumed"]) == ("road", 1517)
    edges = one(folder / "N3L_A0010000.shp", POHANG)
    assert isinstance(edges.geometry, Lines), "an edge is no centre line"
    walls = one(folder / "N3L_B0020000.shp", POHANG)
    assert set(walls.table.columns) == {"구분", "재질", "UFID"}
    assert set(walls.table.columns["구분"].values) >= {"문주"}


def test_zurich_buildings_on_their_terrain(shared_data: Path) -> None:
    folder = shared_data / "solar/cea_zurich"
    ground = Grid(np.full((60, 60), 433.0), -600.0, -900.0, 30.0)
    layer = one(folder / "zone.shp", ZURICH, terrain=ground)
    assert isinstance(layer.geometry, Mesh)
    meta, _, wkb, data = pyogrio.raw.read(folder / "zone.shp")
    height = data[list(meta["fields"]).index("height_ag")]
    expected = shapely.area(shapely.from_wkb(wkb)) * height
    np.testing.assert_allclose(buildings.volume(layer.geometry, 15), expected, rtol=1e-6)
    assert layer.geometry.bounds.low[2] == pytest.approx(433.0)
    assert set(layer.table.columns["height_from"].values) == {"column"}
    assert layer.table.columns["height_ag"].unit == "m"
    assert one(folder / "streets.shp", ZURICH).theme == "road"
    assert (
        one(folder / "surroundings.shp", ZURICH).table.ids[0] == pyogrio.raw.read(folder / "surroundings.shp")[3][0][0]
    )


def test_a_box_takes_what_touches_it(shared_data: Path) -> None:
    path = shared_data / "city/kr_topomap_36914093/N3A_B0010000.shp"
    box = MapBox(228_200, 378_900, 228_500, 379_400)
    inside = shapely.intersects(shapely.from_wkb(pyogrio.raw.read(path)[2]), shapely.box(*box))
    few = one(path, POHANG, box=box)
    assert few.table.ids.tolist() == [str(row) for row in np.flatnonzero(inside)]
    assert len(few.table) > 5
    assert read(path, POHANG, box=MapBox(0, 0, 1, 1)) == []


def test_progress_goes_forward_and_a_stop_is_heard(shared_data: Path) -> None:
    path = shared_data / "city/kr_topomap_36914093/N3L_A0020000.shp"
    yy, xx = np.mgrid[0:600, 0:520] * 5.0
    ground = Grid(20 + 5 * np.sin(xx / 30) * np.cos(yy / 40), -1000.0, -1000.0, 5.0)
    seen: list[float] = []
    vector.read(path, POHANG, ReadOptions(terrain=ground), Feedback(on_progress=lambda f, _: seen.append(f)))
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    assert len(seen) > 10
    stop = Feedback(on_progress=lambda f, _: seen.append(f), is_cancelled=lambda: seen[-1] != 1.0 and seen[-1] > 0.5)
    with pytest.raises(Cancelled):
        vector.read(path, POHANG, ReadOptions(terrain=ground), stop)


def test_heights_from_column_storeys_and_nothing(tmp_path: Path) -> None:
    shapes = [square(20 * k, 0) for k in range(6)]
    path = save(
        tmp_path / "건물.gpkg",
        shapes,
        {"높이": ["12,5", "", "0", "9999", "-3", "15 m"], "지상층수": [9.0, 5.0, np.nan, 2.0, np.nan, np.nan]},
        layer="시설",
    )
    layer = one(path, SEJONG)
    assert layer.theme == "building"
    assert layer.table.columns["height_used"].values.tolist() == [12.5, 15.0, 3.0, 6.0, 3.0, 15.0]
    origin = ["column", "storeys", "assumed", "storeys", "assumed", "column"]
    assert layer.table.columns["height_from"].values.tolist() == origin
    found = codes(layer)
    assert (found["footprints.height_from_storeys"], found["footprints.height_assumed"]) == (2, 2)
    assert found["footprints.height_absurd"] == 2
    own = vector.VectorOptions(assumed_height=4.0, storey_height=2.8)
    assert one(path, SEJONG, own=own).table.columns["height_used"].values.tolist() == [12.5, 14.0, 4.0, 5.6, 4.0, 15.0]


def test_buildings_stand_on_the_lowest_ground_under_them(tmp_path: Path) -> None:
    yy, xx = np.mgrid[0:50, 0:50] * 2.0
    hill = Grid(10 + 0.5 * xx, 0.0, 0.0, 2.0)
    path = save(
        tmp_path / "footprints.gpkg", [square(20, 20), square(500, 0)], {"height": [6.0, 6.0], "base": [1.0, 7.0]}
    )
    layer = one(path, SEJONG, terrain=hill)
    assert layer.table.columns["base_used"].values.tolist() == [20.0, 7.0]
    assert codes(layer)["footprints.no_ground"] == 1


@pytest.mark.parametrize(
    ("layer", "columns", "flat", "word"),
    [
        ("N3A_B0010000", (), "area", "building"),
        ("N3L_A0010000", (), "line", "road edge"),
        ("N3P_F0020000", (), "point", "spot height"),
        ("도로중심선", (), "line", "road"),
        ("streets", (), "line", "road"),
        ("street_trees", (), "point", "tree"),
        ("연속지적도_필지", (), "area", "parcel"),
        ("data", ("measuredHeight",), "area", "building"),
        ("data", ("building:levels",), "area", "building"),
        ("data", ("수종", "수고"), "point", "tree"),
        ("data", ("price",), "area", "other"),
    ],
)
def test_what_a_layer_means(layer: str, columns: tuple[str, ...], flat: str, word: str) -> None:
    assert meaning_of(layer, "file", {name: Column(np.array([1.0])) for name in columns}, flat).word == word


def test_numbers_in_texts() -> None:
    texts = ["3.5", "3,5", "1,234", "1,234.5", "12 m", "15층", "-2", "", "n/a", None, True, 7]
    expected = [3.5, 3.5, 1234, 1234.5, 12, 15, -2, np.nan, np.nan, np.nan, np.nan, 7]
    np.testing.assert_array_equal([number_in(text) for text in texts], expected)


def test_several_layers_become_several_layers(tmp_path: Path) -> None:
    path = tmp_path / "city.gpkg"
    save(path, [square(0, 0)], {"height": [9.0]}, layer="buildings")
    road = shapely.LineString([(0, -20), (100, -20)])
    save(path, [road], {"width": [8.0]}, layer="roads", append=True)
    points = [shapely.Point(5, 40), shapely.Point(15, 40)]
    save(
        path,
        points,
        {"species": ["소나무", "느티나무"], "height": [8.0, np.nan], "crown": [3.0, 5.0]},
        layer="trees",
        append=True,
    )
    save(path, [square(0, 60, 30)], {"용도지역": ["제2종일반주거지역"]}, layer="zoning", append=True)
    save(path, [square(60, 60, 30)], {"name": ["강"]}, layer="river", append=True)
    layers = {layer.id: layer for layer in read(path, SEJONG, terrain=FLAT)}
    assert {name: layer.theme for name, layer in layers.items()} == {
        "buildings": "building", "roads": "road", "trees": "tree", "zoning": "parcel", "river": "water",
    }  # fmt: skip
    assert vector.inspect(path).counts == {
        "features": 6,
        "buildings": 1,
        "roads": 1,
        "trees": 2,
        "zoning": 1,
        "river": 1,
    }
    assert isinstance(layers["trees"].geometry, Instances)
    assert codes(layers["trees"])["trees.height_assumed"] == 1
    assert layers["trees"].geometry.bounds.low[2] == 42.0
    low, high = layers["roads"].geometry.bounds
    assert (low[1], high[1], low[2], high[2]) == pytest.approx((-24, -16, 42.05, 42.05))
    assert isinstance(layers["zoning"].geometry, Lines)
    assert layers["zoning"].table.row_at(0)["용도지역"] == "제2종일반주거지역"
    assert layers["river"].geometry.face_area.sum() == pytest.approx(900)
    again = {layer.id: layer.table.ids.tolist() for layer in read(path, SEJONG)}
    assert again == {name: layer.table.ids.tolist() for name, layer in layers.items()}
    assert one(path, SEJONG, own=vector.VectorOptions(layer="roads")).theme == "road"


def test_the_users_word_wins(tmp_path: Path) -> None:
    path = save(tmp_path / "a.gpkg", [square(0, 0)], {"n": [1]}, layer="roads")
    assert one(path, SEJONG, kind="building").theme == "building"
    assert one(path, SEJONG, kind="parcel").theme == "parcel"
    with pytest.raises(UserError, match="does not know the kind"):
        read(path, SEJONG, kind="castle")
