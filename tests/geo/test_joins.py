"""Tables, and the building register joined to footprints: nothing matched by chance, nothing lost in silence."""

from __future__ import annotations

import csv
import random
from pathlib import Path

import numpy as np
import pyogrio
import pytest
import shapely

from app.importer import ImportOptions, import_files
from geo import joins
from geo.crs import make_frame
from geo.formats import csv_table, vector
from geo.formats.contract import MapBox, ReadOptions
from geo.model import Column, ElementTable, Feedback, Grid, Layer, MissingCrs, Points, UserError
from tests.geo.damage import damaged_bytes, survives

SEJONG = make_frame("EPSG:5186", 229_000, 435_500)
POHANG = make_frame("EPSG:5187", 228_000, 379_000)
REGISTER = """관리건축물대장PK,대지위치,건물명,주용도코드명,지상층수,지하층수,높이(m),연면적(㎡),세대수,사용승인일
36110-1000001,세종특별자치시 한솔동 1,"가람, 1동",공동주택,25,2,74.9,"12,345.6",100,20120105
36110-1000002,세종특별자치시 한솔동 2,,교육연구시설,4,1,0,3200,,20140301
36110-1000002,세종특별자치시 한솔동 2,별동,교육연구시설,1,0,4.5,120,,20150301
36110-1000009,세종특별자치시 한솔동 9,나래,업무시설,9,3,38.2,9000,,20160708
"""


def table(path: Path, text: str = REGISTER, encoding: str = "cp949") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def footprints(path: Path, keys: list[str | None], name: str = "건축물대장키") -> Path:
    shapes = np.array([shapely.box(229_000 + 40 * k, 435_500, 229_020 + 40 * k, 435_510) for k in range(len(keys))])
    columns = [np.array(keys, dtype=object), np.arange(len(keys), dtype=np.int64)]
    pyogrio.raw.write(
        str(path), shapely.to_wkb(shapes), columns, [name, "번호"], crs="EPSG:5186", geometry_type="Polygon"
    )
    return path


def read(path: Path, **own: object) -> Layer:
    options = ReadOptions(kind="building", own=vector.VectorOptions(**own))
    (layer,) = vector.read(path, SEJONG, options, Feedback())
    return layer


def codes(layer: Layer) -> dict[str, int]:
    return {issue.code: issue.count for issue in layer.issues}


KEYS = ["36110-1000009", "36110-1000001", "36110-1000002", "36110-7777777", None]


@pytest.mark.parametrize("encoding", ["cp949", "utf-8", "utf-8-sig", "utf-16"])
def test_the_register_gives_heights_storeys_and_use(tmp_path: Path, encoding: str) -> None:
    table(tmp_path / "대장.csv", encoding=encoding)
    layer = read(footprints(tmp_path / "houses.gpkg", KEYS), join="대장.csv")
    columns = layer.table.columns
    np.testing.assert_allclose(columns["height_used"].values, [38.2, 74.9, 4 * 3.0, 3.0, 3.0])
    assert columns["height_from"].values.tolist() == ["column", "column", "storeys", "assumed", "assumed"]
    assert columns["주용도코드명"].values.tolist() == ["업무시설", "공동주택", "교육연구시설", None, None]
    assert columns["건물명"].values[1] == "가람, 1동"
    assert columns["연면적(㎡)"].values[1] == 12_345.6
    found = codes(layer)
    assert (found["join.matched"], found["join.unmatched"], found["join.duplicates"]) == (3, 2, 1)
    guessed = next(issue for issue in layer.issues if issue.code == "join.key_found")
    assert guessed.severity == "doubt"
    assert guessed.values["table"] == "관리건축물대장PK"


def test_named_keys_count_and_wrong_ones_are_refused(tmp_path: Path) -> None:
    table(tmp_path / "r.csv")
    path = footprints(tmp_path / "houses.gpkg", KEYS)
    layer = read(path, join="r.csv", join_key="건축물대장키", join_column="관리건축물대장PK")
    assert codes(layer)["join.matched"] == 3
    assert "join.key_found" not in codes(layer)
    for own, code in (
        ({"join": "r.csv", "join_key": "없는열"}, "join.no_column"),
        ({"join": "r.csv", "join_key": "건축물대장키", "join_column": "없는열"}, "join.no_column"),
        ({"join": "r.csv", "join_key": "row"}, "join.rows_differ"),
        ({"join": "r.csv", "join_key": "centroid"}, "join.no_places"),
        ({"join": "absent.csv"}, "join.absent"),
    ):
        with pytest.raises(UserError) as told:
            read(path, **own)
        assert told.value.code == code
    table(tmp_path / "other.csv", "코드,값\nQQ1,5\nQQ2,6\n")
    with pytest.raises(UserError) as told:
        read(path, join="other.csv")
    assert told.value.code == "join.no_key"


def test_known_keys_are_a_note_and_win_over_running_numbers(tmp_path: Path) -> None:
    table(tmp_path / "r.csv", "번호,BD_MGT_SN,높이\n0,B3,30\n1,B2,20\n2,B1,10\n", "utf-8")
    layer = read(footprints(tmp_path / "houses.gpkg", ["B1", "B2", "B3"], "BD_MGT_SN"), join="r.csv")
    np.testing.assert_allclose(layer.table.columns["height_used"].values, [10, 20, 30])
    guessed = next(issue for issue in layer.issues if issue.code == "join.key_found")
    assert guessed.severity == "note"


@pytest.mark.parametrize("by", ["row", "centroid", "id"])
def test_korean_sheet_gets_the_heights_of_its_table(shared_data: Path, by: str) -> None:
    folder = shared_data / "city/kr_topomap_36914093"
    own = {"row": {"join_key": "row"}, "centroid": {"join_key": "centroid"}, "id": {}}[by]
    options = ReadOptions(own=vector.VectorOptions(join="buildings_with_height.csv", **own))
    (layer,) = vector.read(folder / "N3A_B0010000.shp", POHANG, options, Feedback())
    with (folder / "buildings_with_height.csv").open(encoding="utf-8-sig") as file:
        heights = {row["building_id"]: float(row["height_m"]) for row in csv.DictReader(file)}
    used = layer.table.columns["height_used"].values
    assert (used.min(), used.max()) == (3.0, 66.0)
    assert codes(layer)["join.matched"] == 2536
    assert [heights[row] for row in layer.table.ids] == used.tolist()


def test_rows_cannot_be_counted_in_a_part(shared_data: Path) -> None:
    path = shared_data / "city/kr_topomap_36914093/N3A_B0010000.shp"
    own = vector.VectorOptions(join="buildings_with_height.csv", join_key="row")
    with pytest.raises(UserError) as told:
        vector.read(path, POHANG, ReadOptions(own=own, box=MapBox(228_000, 380_500, 228_300, 381_000)), Feedback())
    assert told.value.code == "join.rows_differ"


def test_a_changed_register_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("app.layer_cache.WORTH_S", 0.0)
    path = footprints(tmp_path / "houses.gpkg", ["a", "b"], "ufid")
    options = ImportOptions(kind="building", own={"join": "r.csv"})
    for height in (10.0, 25.0):
        table(tmp_path / "r.csv", f"ufid,높이\na,{height}\nb,{height}\n", "utf-8")
        (layer,) = import_files([path], frame=SEJONG, options=options).layers
        assert set(layer.table.columns["height_used"].values) == {height}


def test_join_of_a_layer_counts_what_it_did() -> None:
    layer = Layer("l", "l", "building", None, ElementTable(["1", "2", "3"], {"높이": Column(np.ones(3), "m")}))
    new, report = joins.join_columns(
        layer,
        {
            "id": Column(np.array([2.0, 2.0, 1.0, 9.0])),
            "높이": Column(np.array([5, 6, 7, 8])),
            "뜻": Column(np.array(["가", "나", "다", "라"], object)),
        },
        joins.ELEMENT_ID,
        "id",
    )
    assert report == joins.JoinReport(joins.ELEMENT_ID, "id", 2, 1, 1, 1)
    np.testing.assert_array_equal(new.table.columns["높이 2"].values, [7, 5, np.nan])
    assert new.table.columns["뜻"].values.tolist() == ["다", "가", None]
    assert new.table.columns["높이"].values.tolist() == [1, 1, 1], "the layer's own column stays"
    assert joins.guess_keys(ElementTable(["x", "y"]), {"n": Column(np.array(["p", "q"], object))}) is None


# --- tables by themselves


def csv_layer(path: Path, **options: object) -> Layer:
    (layer,) = csv_table.FORMAT.read(path, SEJONG, ReadOptions(**options), Feedback())
    return layer


def test_a_table_without_a_place_is_a_table(tmp_path: Path) -> None:
    path = table(tmp_path / "r.csv")
    layer = csv_layer(path)
    assert (layer.kind, len(layer.table)) == ("table", 4)
    columns = layer.table.columns
    assert columns["지상층수"].values.dtype.kind == "i"
    assert columns["세대수"].values[0] == 100
    assert np.isnan(columns["세대수"].values[1])
    info = csv_table.inspect(path)
    assert (info.counts["rows"], info.bounds, info.place_is_weak) == (4, None, True)
    (imported,) = import_files([path], frame=SEJONG).layers
    assert imported.source.reader == "csv"


def test_codes_stay_text_and_numbers_become_numbers() -> None:
    assert csv_table.typed(["3611010100100010000"]).values.tolist() == ["3611010100100010000"]
    assert csv_table.typed(["007", "12"]).values.tolist() == ["007", "12"]
    assert csv_table.typed(["1,234.5", "-2"]).values.tolist() == [1234.5, -2.0]
    assert csv_table.typed(["0.5", "1e3", ""]).values[:2].tolist() == [0.5, 1000.0]
    assert csv_table.typed(["", ""]).values.tolist() == [None, None]


def test_rows_with_coordinates_become_points(tmp_path: Path) -> None:
    path = table(tmp_path / "p.csv", "이름;X;Y\n가;229010;435520\n나;229030;435540\n다;;\n", "utf-8")
    with pytest.raises(MissingCrs):
        csv_layer(path)
    ground = Grid(np.full((20, 20), 33.0), -100.0, -100.0, 20.0)
    layer = csv_layer(path, crs="EPSG:5186", terrain=ground)
    assert isinstance(layer.geometry, Points)
    np.testing.assert_allclose(layer.geometry.vertices, [[10, 20, 33], [30, 40, 33]])
    assert layer.table.columns["이름"].values.tolist() == ["가", "나"]
    assert codes(layer)["csv.no_place"] == 1
    assert csv_layer(path, crs="EPSG:5186", kind="sensor").theme == "sensor"
    with pytest.raises(UserError):
        csv_layer(path, crs="EPSG:5186", kind="register")
    part = csv_layer(path, crs="EPSG:5186", box=MapBox(229_000, 435_500, 229_020, 435_530))
    assert len(part.table) == 1


def test_degrees_are_taken_as_such_and_said(tmp_path: Path) -> None:
    path = table(tmp_path / "p.tsv", "id\t경도\t위도\t표고\na\t127.289\t36.48\t50\n", "cp949")
    assert csv_table.inspect(path).crs == "EPSG:4326"
    layer = csv_layer(path)
    assert isinstance(layer.geometry, Points)
    assert np.hypot(*layer.geometry.vertices[0, :2]) < 50_000
    assert layer.geometry.vertices[0, 2] == 50
    assert "csv.taken_as_degrees" in codes(layer)


HOSTILE = {
    "names only": b"a,b,c\n",
    "nothing": b" \n\n",
    "one long quote": b'a,b\n"' + b"x" * 200_000,
    "many names": b"," * 5000 + b"\n1\n",
    "ragged": b"a,b\n1\n1,2,3,4\n\n,,\n",
    "same names": b"a,a,a,\n1,2,3,4\n",
    "absurd places": b"x,y\n1e308,-1e308\nnan,inf\n",
    "bytes": bytes(range(1, 256)) * 20,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_tables_are_read_or_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_bytes(HOSTILE[name])
    survives(csv_table.FORMAT, path, SEJONG, ReadOptions(crs="EPSG:5186"))


def test_damaged_tables_and_joins_are_read_or_refused(tmp_path: Path) -> None:
    good = REGISTER.replace("대지위치", "x").replace("건물명", "y").encode("cp949")
    path, houses = tmp_path / "r.csv", footprints(tmp_path / "houses.gpkg", KEYS)
    outcomes = set()
    for seed in range(200):
        path.write_bytes(damaged_bytes(good, seed) or b"a\n")
        outcomes.add(survives(csv_table.FORMAT, path, SEJONG, ReadOptions(crs="EPSG:5186")))
        try:
            read(houses, join="r.csv", join_key=random.Random(seed).choice(["", "row", "centroid", "번호"]))
        except UserError as told:
            assert told.code
    assert outcomes == {"read", "refused"}
