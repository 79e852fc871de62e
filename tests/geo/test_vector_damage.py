"""GIS files: encodings, companions, datums, writing, hostile and damaged files."""

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
from geo.formats import csv_table, vector
from geo.formats.contract import ReadOptions
from geo.formats.vector_source import text_encoding
from geo.model import (
    Column,
    ElementTable,
    Feedback,
    Layer,
    Mesh,
    MissingCrs,
    Points,
    UserError,
)
from tests.geo.vector_files import NAMYANGJU, SEJONG, ZURICH, codes, one, read, save, square


def geojson(path: Path, features: list[dict], **more: object) -> Path:
    path.write_text(json.dumps({"type": "FeatureCollection", **more, "features": features}), encoding="utf-8")
    return path


def feature(kind: str, coordinates: list, **properties: object) -> dict:
    return {"type": "Feature", "properties": properties, "geometry": {"type": kind, "coordinates": coordinates}}


def shapefile(folder: Path, *, encoding: str = "CP949", name: str = "건물") -> Path:
    columns = {"이름": ["행복아파트", "세종청사"], "층수": [12, 5]}
    return save(
        folder / f"{name}.shp", [square(0, 0), square(30, 0)], columns, geometry_type="Polygon", encoding=encoding
    )


@pytest.mark.parametrize("name", ["nonsense", "hex", "idna", "a\0b", "한글"])
def test_an_encoding_nobody_knows_is_one_calm_error(tmp_path: Path, name: str) -> None:
    table = tmp_path / "a.csv"
    table.write_bytes(b"name,x,y\n\xb0\xa1,1,2\n")
    map_options = ReadOptions(own=vector.VectorOptions(encoding=name))
    with pytest.raises(UserError, match="no encoding called"):
        vector.read(shapefile(tmp_path), SEJONG, map_options, Feedback())
    table_options = ReadOptions(own=csv_table.CsvOptions(encoding=name))
    with pytest.raises(UserError, match="no encoding called"):
        csv_table.read(table, SEJONG, table_options, Feedback())


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
