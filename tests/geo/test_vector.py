"""GIS files: right place, right meaning, right heights, nothing lost in silence, and hostile files."""

from __future__ import annotations

import json
import shutil
import sqlite3
import zipfile
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
from geo.formats.vector_source import text_encoding
from geo.model import (
    Cancelled,
    Column,
    ElementTable,
    Feedback,
    Frame,
    Grid,
    Instances,
    Layer,
    Lines,
    Mesh,
    MissingCrs,
    Points,
    UserError,
)

NAMYANGJU = make_frame("EPSG:5186", 215_500, 557_500)
POHANG = make_frame("EPSG:5187", 228_000, 379_000)
ZURICH = make_frame("EPSG:32732", 463_000, 15_225_000)
SEJONG = make_frame("EPSG:5186", 229_000, 435_500)
FLAT = Grid(np.full((200, 200), 42.0), -2000.0, -2000.0, 20.0)


def read(path: Path, frame: Frame, **options: object) -> list[Layer]:
    return vector.read(path, frame, ReadOptions(**options), Feedback())


def one(path: Path, frame: Frame, **options: object) -> Layer:
    layers = read(path, frame, **options)
    assert len(layers) == 1
    return layers[0]


def codes(layer: Layer) -> dict[str, int]:
    return {issue.code: issue.count for issue in layer.issues}


def save(path: Path, shapes: list, columns: dict[str, list], **options: object) -> Path:
    """A GIS file written by pyogrio in EPSG:5186, easting and northing round the Sejong frame's origin."""
    moved = shapely.transform(np.array(shapes, object), lambda c: c + (229_000, 435_500))
    data = [np.array(values) for values in columns.values()]
    settings = {"crs": "EPSG:5186", "geometry_type": "Unknown", **options}
    pyogrio.raw.write(str(path), shapely.to_wkb(moved), data, list(columns), **settings)
    return path


def geojson(path: Path, features: list[dict], **more: object) -> Path:
    path.write_text(json.dumps({"type": "FeatureCollection", **more, "features": features}), encoding="utf-8")
    return path


def feature(kind: str, coordinates: list, **properties: object) -> dict:
    return {"type": "Feature", "properties": properties, "geometry": {"type": kind, "coordinates": coordinates}}


def square(x: float, y: float, side: float = 10) -> shapely.Polygon:
    return shapely.box(x, y, x + side, y + side)


# --- real files


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


# --- meaning and heights


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


# --- what real shapefiles lack


def shapefile(folder: Path, *, encoding: str = "CP949", name: str = "건물") -> Path:
    columns = {"이름": ["행복아파트", "세종청사"], "층수": [12, 5]}
    return save(
        folder / f"{name}.shp", [square(0, 0), square(30, 0)], columns, geometry_type="Polygon", encoding=encoding
    )


@pytest.mark.parametrize(
    ("encoding", "cpg"), [("CP949", None), ("UTF-8", None), ("CP949", "UTF-8"), ("CP949", "EUC-KR")]
)
def test_korean_texts_in_any_encoding(tmp_path: Path, encoding: str, cpg: str | None) -> None:
    path = shapefile(tmp_path, encoding=encoding)
    path.with_suffix(".cpg").unlink(missing_ok=True)
    if cpg:
        path.with_suffix(".cpg").write_text(cpg)
    layer = one(path, SEJONG)
    assert layer.table.columns["이름"].values.tolist() == ["행복아파트", "세종청사"]
    assert layer.table.columns["height_used"].values.tolist() == [36.0, 15.0]


def test_accented_latin_is_not_taken_for_korean(tmp_path: Path) -> None:
    texts = {"name": ["Brücke über Fluß", "Gebäude für Öl"]}
    path = save(
        tmp_path / "a.shp", [square(0, 0), square(30, 0)], texts, geometry_type="Polygon", encoding="ISO-8859-1"
    )
    path.with_suffix(".cpg").unlink(missing_ok=True)
    assert text_encoding(path.with_suffix(".dbf"), path.with_suffix(".cpg"))[0] == "ISO-8859-1"
    assert one(path, SEJONG).table.columns["name"].values.tolist() == texts["name"]


def test_missing_companions_of_a_shapefile(tmp_path: Path) -> None:
    path = shapefile(tmp_path)
    before = sorted(p.name for p in tmp_path.iterdir() if p.suffix != ".shx")
    path.with_suffix(".shx").unlink()
    layer = one(path, SEJONG)
    assert "vector.shx_rebuilt" in codes(layer)
    assert len(layer.table) == 2
    assert sorted(p.name for p in tmp_path.iterdir()) == before, "the source folder is left as it was"
    path.with_suffix(".prj").write_text("GEOGCS[nonsense")
    with pytest.raises(MissingCrs):
        read(path, SEJONG)
    path.with_suffix(".prj").unlink()
    with pytest.raises(MissingCrs):
        read(path, SEJONG)
    path.with_suffix(".dbf").unlink()
    layer = one(path, SEJONG, crs="EPSG:5186")
    assert isinstance(layer.geometry, Mesh)
    assert layer.geometry.bounds.low[:2] == pytest.approx((0, 0), abs=1e-6)


def test_a_zipped_shapefile(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    shapefile(folder, name="bldg")
    with zipfile.ZipFile(tmp_path / "bldg.zip", "w") as archive:
        for file in folder.iterdir():
            archive.write(file, f"deep/er/{file.name}")
    path = tmp_path / "bldg.zip"
    assert vector.sniff(path, path.read_bytes()[:4096])
    assert len(one(path, SEJONG).table) == 2


# --- place


def test_geojson_in_metres_without_a_name_is_refused_and_read_when_named(tmp_path: Path) -> None:
    ring = [[229_000, 435_500], [229_010, 435_500], [229_010, 435_510], [229_000, 435_500]]
    path = geojson(tmp_path / "bldg.geojson", [feature("Polygon", [ring], height=5)])
    with pytest.raises(UserError) as caught:
        read(path, SEJONG)
    assert caught.value.code == "vector.not_degrees"
    layer = one(path, SEJONG, crs="EPSG:5186")
    assert layer.geometry.bounds.high == pytest.approx((10, 10, 5))


def test_bessel_data_are_shifted_by_the_datum_not_only_by_the_grid(tmp_path: Path) -> None:
    """EPSG:5174 against 5186 at Sejong: the same numbers lie hundreds of metres apart (beside the 100 km)."""
    east, north = Transformer.from_crs(5186, 5174, always_xy=True).transform(229_000, 435_500)
    point = shapely.to_wkb(np.array([shapely.Point(east, north)]))
    path = tmp_path / "a.gpkg"
    pyogrio.raw.write(str(path), point, [np.array([1])], ["n"], crs="EPSG:5174", geometry_type="Point", driver="GPKG")
    layer = one(path, SEJONG)
    assert isinstance(layer.geometry, Points)
    np.testing.assert_allclose(layer.geometry.vertices[0, :2], 0, atol=0.01)


def test_sniff_by_bytes(shared_data: Path) -> None:
    city = shared_data / "city"
    for path, expected in [
        (city / "kr_footprint-with-height.geojson", True),
        (city / "3-20-DELFSHAVEN.city.json", False),
        (city / "kr_topomap_36914093/N3A_A0010000.shp", True),
        (city / "kr_topomap_36914093/N3A_A0010000.dbf", False),
        (shared_data / "sensors/airkorea_obs_list.db", False),
    ]:
        assert vector.sniff(path, path.read_bytes()[:4096]) is expected, path.name


# --- write


def test_written_layers_read_back(tmp_path: Path) -> None:
    source = save(
        tmp_path / "건물.gpkg", [square(0, 0), square(30, 0, 5)], {"height": [9.0, 4.0], "name": ["가", "나"]}
    )
    layer = one(source, SEJONG)
    vector.write(tmp_path / "out.gpkg", [layer], SEJONG, Feedback())
    again = one(tmp_path / "out.gpkg", SEJONG, kind="building")
    np.testing.assert_allclose(buildings.volume(again.geometry, 2), [900, 100], rtol=1e-6)
    assert again.table.columns["name"].values.tolist() == ["가", "나"]
    vector.write(tmp_path / "out.geojson", [layer], SEJONG, Feedback())
    lon, lat = Transformer.from_crs(5186, 4326, always_xy=True).transform(229_000, 435_500)
    assert pyogrio.read_info(tmp_path / "out.geojson")["total_bounds"][:2] == pytest.approx((lon, lat), abs=1e-5)
    assert one(tmp_path / "out.geojson", SEJONG, kind="building").geometry.bounds.size == pytest.approx(
        (35, 10, 9), abs=0.01
    )
    with pytest.raises(UserError):
        vector.write(tmp_path / "absent/out.gpkg", [layer], SEJONG, Feedback())


def test_buildings_without_a_height_column_are_written_with_the_height_they_have(tmp_path: Path) -> None:
    plans = np.array([square(0, 0), square(30, 0)], object)
    mesh, _ = buildings.extrude(buildings.clean_areas(plans).polygons, [5.0, 6.0], [9.0, 21.0])
    layer = Layer("b", "b", "building", mesh, ElementTable(["x", "y"], {"name": Column(np.array(["가", "나"]))}))
    vector.write(tmp_path / "b.gpkg", [layer, layer], SEJONG, Feedback())
    first, second = read(tmp_path / "b.gpkg", SEJONG, kind="building")
    assert first.table.columns["base_used"].values.tolist() == [5.0, 6.0]
    assert first.table.ids.tolist() == second.table.ids.tolist() == ["x", "y"]
    np.testing.assert_allclose(buildings.volume(first.geometry, 2), [900, 2100])


# --- hostile files


def test_each_hostile_file_is_one_calm_error(tmp_path: Path, shared_data: Path) -> None:
    good = (shared_data / "city/kr_footprint-with-height.geojson").read_bytes()
    files = {
        "empty.geojson": b"",
        "cut.geojson": good[: len(good) // 2],
        "text.geojson": b"hello",
        "text.shp": b"x y z\n1 2 3\n" * 50,
        "text.gpkg": b"SQLite format 3\0" + b"nothing" * 100,
        "no features.geojson": b'{"type": "FeatureCollection", "features": []}',
        "strings.geojson": b'{"type":"FeatureCollection","features":[{"type":"Feature","properties":{},"geometry":'
        b'{"type":"Polygon","coordinates":"none"}}]}',
        "not a zip.zip": b"PK\x03\x04" + b"\0" * 100,
    }
    for name, data in files.items():
        path = tmp_path / name
        path.write_bytes(data)
        with pytest.raises(UserError):
            read(path, NAMYANGJU)
    sqlite3.connect(tmp_path / "plain.gpkg").execute("create table t (a)").connection.close()
    with pytest.raises(UserError):
        read(tmp_path / "plain.gpkg", NAMYANGJU)
    with pytest.raises(UserError):
        vector.inspect(tmp_path / "text.gpkg")


def test_a_shapefile_cut_short_says_what_is_lost(tmp_path: Path, shared_data: Path) -> None:
    for suffix in (".shp", ".shx", ".dbf", ".prj"):
        shutil.copyfile(shared_data / f"solar/cea_zurich/zone{suffix}", tmp_path / f"zone{suffix}")
    path = tmp_path / "zone.shp"
    path.write_bytes(path.read_bytes()[:1500])
    layer = one(path, ZURICH)
    assert codes(layer)["vector.no_geometry"] + len(layer.table) == 15
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(UserError):
        read(path, ZURICH)


def test_odd_but_legal_geojson(tmp_path: Path) -> None:
    ring = [[127.3, 36.5], [127.301, 36.5], [127.301, 36.501], [127.3, 36.5]]
    collection = {"type": "GeometryCollection", "geometries": [{"type": "Polygon", "coordinates": [ring]}]}
    features = [
        feature("Polygon", [ring], height=5, tags=["a", "b"]),
        {"type": "Feature", "properties": {"height": 4}, "geometry": None},
        {"type": "Feature", "properties": {"height": 3}, "geometry": collection},
        feature("Polygon", [[[127.3, 36.5]] * 4], height=6),
        feature("Point", [127.3, 36.5], height=7),
    ]
    layers = read(geojson(tmp_path / "buildings.geojson", features), SEJONG)
    by_id = {layer.id.rpartition("/")[2]: layer for layer in layers}
    assert set(by_id) == {"areas", "points"}
    assert by_id["areas"].table.columns["height_used"].values.tolist() == [5.0, 3.0]
    found = codes(by_id["areas"])
    assert found["vector.no_geometry"] == 1
    assert found["footprints.slivers"] == 1


@pytest.mark.parametrize("target", [".geojson", ".shp", ".dbf", ".shx", ".prj"])
def test_random_damage_gives_layers_or_a_calm_error(tmp_path: Path, shared_data: Path, target: str) -> None:
    if target == ".geojson":
        whole = json.loads((shared_data / "city/kr_footprint-with-height.geojson").read_text())
        originals = {target: json.dumps({**whole, "features": whole["features"][:8]}).encode()}
    else:
        originals = {
            s: (shared_data / f"solar/cea_zurich/zone{s}").read_bytes() for s in (".shp", ".shx", ".dbf", ".prj")
        }
    for suffix, data in originals.items():
        (tmp_path / f"zone{suffix}").write_bytes(data)
    path = tmp_path / (f"zone{target}" if target == ".geojson" else "zone.shp")
    rng = np.random.default_rng(11)
    for _ in range(25):
        broken = bytearray(originals[target])
        for place in rng.integers(0, len(broken) if rng.random() < 0.5 else min(400, len(broken)), rng.integers(1, 7)):
            broken[place] = rng.integers(48, 58) if rng.random() < 0.5 else rng.integers(0, 256)
        cut = rng.integers(1, len(broken)) if rng.random() < 0.2 else len(broken)
        (tmp_path / f"zone{target}").write_bytes(bytes(broken[:cut]))
        try:
            layers = read(path, ZURICH)
        except UserError:
            continue
        assert all(isinstance(layer, Layer) for layer in layers)
