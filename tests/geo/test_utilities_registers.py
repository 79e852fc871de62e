"""Utility maps: names and codes, registers beside maps, real networks, writing, damaged files."""

from __future__ import annotations

import time
from pathlib import Path

import ezdxf
import numpy as np
import openpyxl
import pyogrio
import pytest
import shapely

from app.importer import ImportOptions, import_files
from geo import utilities, utility_fields
from geo.crs import transform
from geo.formats import csv_table, dxf, gltf, vector
from geo.formats.contract import ReadOptions
from geo.model import Feedback, Grid, Lines, Mesh, Points, UserError
from geo.tube import tubes
from tests.geo.damage import damaged_bytes
from tests.geo.utility_files import (
    EAST,
    FLAT_RUN,
    FRAME,
    NORTH,
    SLOPE,
    codes,
    heights,
    issue,
    read,
    read_all,
    write_lines,
)


@pytest.mark.parametrize(
    ("layer", "flat", "utility"),
    [
        ("WTL_PIPE_LM", "line", "water"),
        ("UF_UFL_HPIP_LM", "line", "heat"),
        ("ufl_kpip_ls_2023", "line", "telecom"),
        ("SWL_MANH_PS", "point", "sewer"),
        ("세종_우수관거", "line", "storm"),
        ("오수관로", "line", "sewage"),
        ("도시가스", "line", "gas"),
        ("지역난방 열배관", "line", "heat"),
        ("통신", "line", "telecom"),
        ("송유관", "line", "oil"),
        ("공동구", "line", "tunnel"),
        ("자동집하관로", "line", "waste"),
        ("gas_pipes", "line", "gas"),
        ("streets", "line", None),
        ("water", "line", None),
        ("water", "area", None),
        ("railway", "line", None),
        ("상수원보호구역", "line", None),
        ("contours", "line", None),
        ("우수맨홀", "point", "storm"),
        ("소화전", "point", "water"),
        ("road_junctions", "point", None),
        ("우수건축물", "point", None),
        ("가스판매소", "point", None),
        ("storm_tracks", "line", None),
        ("전기철도", "line", None),
    ],
)
def test_names_tell_the_utility(layer: str, flat: str, utility: str | None) -> None:
    found = utility_fields.recognised(layer, "file", [], flat)
    assert (found.utility if found else None) == utility


def test_unknown_schemas_are_mapped_by_hand(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "strange.gpkg", [FLAT_RUN], A1=[300], B2=[150], C3=["DCIP"])
    layer = read(
        path, kind="utility", utility="water", field_diameter="A1", field_cover="b2", depth_unit="cm",
        field_material="C3",
    )  # fmt: skip
    assert heights(layer, 0)[0, 2] == pytest.approx(20 - 1.5 - 0.15)
    assert layer.table.row_at(0)["material"] == "ductile iron"
    with pytest.raises(UserError, match="no column 'Z9'"):
        read(path, kind="utility", field_cover="Z9")


REGISTER = """FTR_IDN,PIP_DIP,심도,MOP_CDE,설치일
1,300,1.2,MOP001,2012.03.05
2,0,1200,강관,
2,150,0.9,강관,1999
9,200,1.5,PE,2001-07
4,100,1.1,PE,
"""


@pytest.mark.parametrize("encoding", ["cp949", "utf-8-sig"])
def test_the_register_gives_sizes_and_depths(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "대장.csv").write_bytes(REGISTER.encode(encoding))
    path = write_lines(
        tmp_path / "WTL_PIPE_LM.shp", [FLAT_RUN] * 4, FTR_IDN=[1, 2, 3, 4], 관라벨=["가", "나", "다", "라"]
    )
    layer, rest = read_all(path, join="대장.csv")
    columns = layer.table.columns
    assert layer.table.ids.tolist() == ["1", "2", "3", "4"]
    assert columns["관라벨"].values.tolist() == ["가", "나", "다", "라"]
    np.testing.assert_allclose(columns["cover"].values, [1.2, 1.2, 1.2, 1.1])
    assert columns["depth_quality"].values.tolist() == ["register", "register", "assumed", "register"]
    assert columns["installed"].values.tolist() == ["2012-03-05", None, None, None]
    assert issue(layer, "utility.cover_other_unit").elements == ("2",)
    assert issue(layer, "join.unmatched").elements == ("3",)
    assert issue(layer, "join.duplicates").elements == ("2",)
    assert rest.table.ids.tolist() == ["9"], "a row without a map is kept as a table"
    assert rest.geometry is None
    assert issue(rest, "register.without_map").count == 1


def test_a_workbook_with_title_lines_is_read(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["상수관로 대장"])
    sheet.append(["관리번호", "관경(mm)", "심도(m)", "설치일자", "관리기관"])
    sheet.append([2, 300, 1.4, "20120305", "세종시"])
    sheet.append([1, "200mm", 1.1, None, None])
    book.save(tmp_path / "대장.xlsx")
    path = write_lines(tmp_path / "상수관로.gpkg", [FLAT_RUN] * 2, 관리번호=["1", "2"])
    layer = read(path, join="대장.xlsx")
    np.testing.assert_allclose(layer.table.columns["cover"].values, [1.1, 1.4])
    np.testing.assert_allclose(layer.table.columns["diameter"].values, [0.2, 0.3])
    assert layer.table.row("2")["owner"] == "세종시"
    (tmp_path / "bad.xlsx").write_bytes(b"PK\x03\x04 no book")
    with pytest.raises(UserError):
        read(path, join="bad.xlsx")


def test_map_and_register_that_differ_are_both_kept(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("FTR_IDN,PIP_DIP,DEP\n1,300,1\n2,250,1\n")
    path = write_lines(tmp_path / "WTL_PIPE_LM.gpkg", [FLAT_RUN] * 2, FTR_IDN=["1", "2"], PIP_DIP=[0, 200])
    layer = read(path, join="r.csv")
    np.testing.assert_allclose(layer.table.columns["diameter"].values, [0.3, 0.25])
    assert layer.table.columns["PIP_DIP (map)"].values.tolist() == [0, 200]
    assert issue(layer, "register.differs").count == 1


@pytest.mark.parametrize("crs", ["EPSG:5186", "EPSG:5174", "EPSG:5179"])
def test_a_register_in_another_system_is_noticed(tmp_path: Path, crs: str) -> None:
    x = np.arange(8) * 40.0
    lines = [[[v, 0], [v + 30, 0]] for v in x]
    east, north = transform(EAST + x + 15, np.full(8, NORTH), "EPSG:5186", crs)
    rows = [f"{k},{e:.2f},{n:.2f},1.0" for k, (e, n) in enumerate(zip(east, north, strict=True))]
    (tmp_path / "r.csv").write_text("FTR_IDN,X,Y,DEP\n" + "\n".join(rows) + "\n")
    path = write_lines(tmp_path / "WTL_PIPE_LM.gpkg", lines, FTR_IDN=[str(k) for k in range(8)])
    layer = read(path, join="r.csv")
    assert ("register.elsewhere" in codes(layer)) == (crs != "EPSG:5186")
    if crs != "EPSG:5186":
        assert issue(layer, "register.elsewhere").values["fits"] == crs
    assert heights(layer, 0)[0, 0] == pytest.approx(0.0, abs=1e-6), "the map's place counts"


def test_duplicates_zero_lengths_and_several_parts_are_kept_and_said(tmp_path: Path) -> None:
    parts = shapely.multilinestrings([shapely.linestrings([[0, 0], [50, 0]]), shapely.linestrings([[60, 0], [110, 0]])])
    path = write_lines(
        tmp_path / "WTL_PIPE_LM.gpkg",
        [FLAT_RUN, FLAT_RUN, [[5, 5], [5, 5]], parts, [[0, 0], [0, 0], [100, 0]]],
        FTR_IDN=["1", "1", "2", "3", None],
        BEG_DEP=[1.0] * 5, END_DEP=[1.0, 1.0, 1.0, 2.0, 1.0],
    )  # fmt: skip
    layer = read(path)
    assert layer.table.ids.tolist() == ["1", "1#2", "2", "3", "row-5"]
    assert issue(layer, "utility.duplicate_ids").elements == ("1",)
    assert issue(layer, "utility.zero_length").elements == ("2",)
    assert issue(layer, "utility.several_lines").elements == ("3",)
    assert isinstance(layer.geometry, Lines)
    assert layer.geometry.line_element.tolist() == [0, 1, 3, 3, 4]
    second = layer.geometry.vertices[layer.geometry.offsets[3]]
    assert second[2] == pytest.approx(20 + 6 - 1.5), "cover goes on through the gap"


def test_areas_of_a_utility_map_are_outlines_below_ground(tmp_path: Path) -> None:
    shape = shapely.to_wkb(np.array([shapely.box(EAST, NORTH, EAST + 9, NORTH + 9)]))
    pyogrio.raw.write(
        str(tmp_path / "SWL_PIPE_AS.gpkg"), shape, [np.array([1])], ["FTR_IDN"], crs="EPSG:5186",
        geometry_type="Polygon",
    )  # fmt: skip
    layer = read(tmp_path / "SWL_PIPE_AS.gpkg", kind="utility")
    assert (layer.theme, layer.kind, layer.stratum) == ("utility", "lines", "underground")
    assert issue(layer, "utility.areas_flat").count == 1


def test_manholes_have_ground_invert_and_depth(tmp_path: Path) -> None:
    points = shapely.points([[EAST, NORTH], [EAST + 100, NORTH], [EAST + 200, NORTH]])
    pyogrio.raw.write(
        str(tmp_path / "SWL_MANH_PS.gpkg"), shapely.to_wkb(points),
        [np.array(["1", "2", "3"], object), np.array([2.0, 0.0, 999.0]), np.array([0.0, 27.0, 0.0])],
        ["FTR_IDN", "심도", "관저고"], crs="EPSG:5186", geometry_type="Point",
    )  # fmt: skip
    layer = read(tmp_path / "SWL_MANH_PS.gpkg")
    assert isinstance(layer.geometry, Points)
    columns = layer.table.columns
    assert columns["node"].values.tolist() == ["manhole"] * 3
    np.testing.assert_allclose(columns["ground"].values, [20, 30, 40])
    np.testing.assert_allclose(columns["invert"].values, [18, 27, np.nan])
    np.testing.assert_allclose(columns["depth"].values, [2, 3, np.nan])
    np.testing.assert_allclose(layer.geometry.vertices[:, 2], [20, 30, 40])


def test_a_written_network_reads_back_as_it_was(tmp_path: Path) -> None:
    path = write_lines(
        tmp_path / "하수관로.gpkg", [FLAT_RUN, [[0, 9], [35, 20], [70, 9]]], 관리번호=["a", "b"],
        관경=[300, 500], 심도=[1.2, np.nan], SBK_ALT=[0, 17.0], SBL_ALT=[0, 16.5], 설치일자=["20110101", None],
    )  # fmt: skip
    before = read(path)
    vector.write(tmp_path / "out.gpkg", [before.with_(name="하수관로")], FRAME, Feedback())
    assert pyogrio.read_info(tmp_path / "out.gpkg")["geometry_type"] == "LineString Z"
    after = read(tmp_path / "out.gpkg")
    assert isinstance(before.geometry, Lines)
    assert isinstance(after.geometry, Lines)
    np.testing.assert_allclose(after.geometry.vertices, before.geometry.vertices, atol=1e-3)
    np.testing.assert_array_equal(after.geometry.offsets, before.geometry.offsets)
    assert after.table.ids.tolist() == before.table.ids.tolist()
    for name, column in before.table.columns.items():
        values = after.table.columns[name].values
        if column.is_number:
            np.testing.assert_allclose(values, column.values, atol=1e-3, err_msg=name)
        else:
            assert values.tolist() == column.values.tolist(), name


def test_a_real_network_lies_under_its_terrain(shared_data: Path) -> None:
    folder = shared_data / "utilities"
    done = import_files(
        [folder / "ky4_pipes.geojson", folder / "ky4_junctions.geojson", folder / "ky4_elevation.tif"], frame=None
    )
    ground, pipes, nodes = done.layers
    assert isinstance(ground.geometry, Grid)
    assert isinstance(pipes.geometry, Lines)
    assert (len(pipes.table), len(nodes.table)) == (1156, 959)
    assert set(np.round(pipes.table.columns["diameter"].values * 1000).astype(int)) == {
        *(76, 102, 152, 203, 254, 305, 406),
    }  # inches, stored in metres
    assert set(pipes.table.columns["utility"].values) == {"water"}
    x, y, z = pipes.geometry.vertices.T
    below = ground.geometry.sample(x, y) - z
    half = pipes.table.columns["diameter"].values / 2
    line = np.repeat(pipes.geometry.line_element, np.diff(pipes.geometry.offsets))
    np.testing.assert_allclose(below, 1.2 + half[line], atol=1e-6)
    said = nodes.table.columns["ground"].values
    sampled = ground.geometry.sample(nodes.geometry.vertices[:, 0], nodes.geometry.vertices[:, 1])
    assert np.median(np.abs(said - sampled)) < 3.0, "stated in metres although the map is in feet"
    ends = dict(zip(nodes.table.ids, nodes.geometry.vertices[:, :2], strict=True))
    firsts = pipes.geometry.vertices[pipes.geometry.offsets[:-1], :2]
    starts = zip(pipes.table.columns["from"].values, firsts, strict=True)
    gaps = [np.linalg.norm(ends[name] - place) for name, place in starts if name in ends]
    assert len(gaps) > 1100
    assert np.median(gaps) < 0.01


def test_the_command_line_reads_a_map_with_its_register(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_bytes(REGISTER.encode("cp949"))
    path = write_lines(tmp_path / "WTL_PIPE_LM.shp", [FLAT_RUN] * 2, FTR_IDN=[1, 2])
    done = import_files([path], frame=None, options=ImportOptions(own={"join": "r.csv", "road_class": "narrow"}))
    assert [layer.stratum for layer in done.layers] == ["underground", "underground"]


def test_a_drawing_is_read_by_its_layers(tmp_path: Path) -> None:
    document = ezdxf.new("R2010")
    document.header["$INSUNITS"] = 6
    for name, y in (("상수관로", 0.0), ("WTL_PIPE_LM", 1.0), ("가스관", 2.0)):
        document.modelspace().add_lwpolyline([(EAST, NORTH + y), (EAST + 100, NORTH + y)], dxfattribs={"layer": name})
    document.modelspace().add_point((EAST, NORTH), dxfattribs={"layer": "소화전"})
    document.saveas(tmp_path / "plan.dxf")
    options = ReadOptions(crs="EPSG:5186", terrain=SLOPE, own=dxf.DxfOptions(road_class="narrow"))
    found = {layer.kind: layer for layer in dxf.read(tmp_path / "plan.dxf", FRAME, options, Feedback())}
    pipes = found["lines"]
    assert pipes.stratum == "underground"
    assert pipes.table.columns["utility"].values.tolist() == ["water", "water", "gas"]
    np.testing.assert_allclose(pipes.table.columns["cover"].values, [1.0, 1.0, 0.8], atol=1e-9)
    assert found["points"].table.columns["node"].values.tolist() == ["hydrant"]


def volume(mesh: Mesh) -> float:
    a, b, c = (mesh.vertices[mesh.faces[:, k]] for k in range(3))
    return float((a * np.cross(b, c)).sum() / 6)


def test_tubes_are_closed_and_as_large_as_they_should_be() -> None:
    none = np.array([np.nan])
    bent = Lines(np.array([[0, 0, 0], [10, 0, 0], [10, 10, 0], [10, 10, -5.0]]), np.array([0, 4]), np.array([0]))
    round_ = tubes(bent, np.array([0.5]), none, none, sides=12)
    assert volume(round_) == pytest.approx(25 * 3 * 0.5**2)  # area of a twelve-sided polygon: 3 r2
    box = tubes(bent, none, np.array([1.0]), np.array([0.5]))
    assert volume(box) == pytest.approx(25 * 2.0)
    straight = Lines(bent.vertices[:2], np.array([0, 2]), np.array([0]))
    edges = np.sort(np.concatenate([tubes(straight, np.array([0.5]), none, none).faces[:, pair] for pair in
                                    ([0, 1], [1, 2], [2, 0])]), axis=1)  # fmt: skip
    assert (np.unique(edges, axis=0, return_counts=True)[1] == 2).all()


def test_pipes_are_written_as_painted_tubes(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "도시가스관.gpkg", [FLAT_RUN, [[0, 0], [0, 9]]], 관경=[200, 300], 심도=[1.0, 1.0])
    gltf.FORMAT.write(tmp_path / "pipes.glb", [read(path)], FRAME, Feedback())
    (back,) = gltf.FORMAT.read(tmp_path / "pipes.glb", FRAME, ReadOptions(), Feedback())
    assert isinstance(back.geometry, Mesh)
    assert back.theme == "utility"
    assert len(back.table) == 2
    low, high = back.geometry.bounds.low, back.geometry.bounds.high  # type: ignore[union-attr]
    assert high[2] == pytest.approx(30 - 1.0, abs=0.02), "top of the pipe one metre below the ground"
    assert low[0] < -0.1


def test_a_register_without_its_map_is_a_table_or_nodes(tmp_path: Path) -> None:
    (tmp_path / "대장.csv").write_bytes(REGISTER.encode("cp949"))
    options = ReadOptions(kind="utility")
    (alone,) = csv_table.read(tmp_path / "대장.csv", FRAME, options, Feedback())
    assert (alone.kind, alone.stratum, len(alone.table)) == ("table", "underground", 5)
    assert issue(alone, "utility.register_alone").count == 5
    (tmp_path / "오수맨홀.csv").write_text(f"관리번호,X,Y,심도\nm1,{EAST},{NORTH},2.5\nm2,{EAST + 100},{NORTH},3\n")
    options = ReadOptions(kind="utility", crs="EPSG:5186", terrain=SLOPE)
    (nodes,) = csv_table.read(tmp_path / "오수맨홀.csv", FRAME, options, Feedback())
    assert nodes.table.columns["utility"].values.tolist() == ["sewage"] * 2
    np.testing.assert_allclose(nodes.table.columns["invert"].values, [17.5, 27.0])


def test_a_large_network_is_built_without_a_loop_over_it(tmp_path: Path) -> None:
    count = 200_000
    points = np.zeros((2 * count, 3))
    points[:, 0] = np.tile([0.0, 9.0], count)
    points[:, 1] = np.repeat(np.arange(count) * 0.0005, 2)
    points[:, 2] = np.nan
    line = np.repeat(np.arange(count), 2)
    begin = time.perf_counter()
    course = utilities.course_of(points, line, np.arange(count), count=count, step=10.0)
    ground, off = utilities.ground_along(course, SLOPE)
    nothing = np.full(count, np.nan)
    depths = utilities.Depths(np.ones(count), np.ones(count), nothing, nothing, np.zeros(count, bool))
    size = np.full(count, 0.2)
    pipes = utilities.place_pipes(course, ground, depths, outer=size, inner=size, has_ground=True, off=off)
    assert time.perf_counter() - begin < 5.0, "a loop in Python would take longer"
    np.testing.assert_allclose(pipes.cover, 1.0)


def test_damaged_workbooks_and_tables_are_refused_or_read(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (["관리번호", "관경", "심도"], [1, 200, 1.2], [2, "300mm", None]):
        book.active.append(row)
    book.save(tmp_path / "good.xlsx")
    path = write_lines(tmp_path / "상수관로.gpkg", [FLAT_RUN] * 2, 관리번호=["1", "2"])
    refused = 0
    for seed in range(40):
        data = damaged_bytes((tmp_path / "good.xlsx").read_bytes(), seed)
        (tmp_path / "bad.xlsx").write_bytes(data)
        (tmp_path / "bad.csv").write_bytes(damaged_bytes(REGISTER.encode("cp949"), seed))
        for name in ("bad.xlsx", "bad.csv"):
            try:
                assert len(read(path, join=name).table) == 2
            except UserError:
                refused += 1
    assert refused > 15


def test_a_loop_is_a_pipe_like_any_other(tmp_path: Path) -> None:
    ring = [[0, 0], [40, 0], [40, 40], [0, 40], [0, 0]]
    layer = read(write_lines(tmp_path / "SWL_PIPE_LM.gpkg", [ring], STD_DIP=[300], BEG_DEP=[1.0], END_DEP=[2.0]))
    points = heights(layer, 0)
    np.testing.assert_allclose(points[[0, -1], 2], [20 - 1 - 0.15, 20 - 2 - 0.15])
    assert layer.table.columns["cover"].values[0] == pytest.approx(1.5)
