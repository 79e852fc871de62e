"""Cameras into files and back: nothing of them changes on the way."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from analysis.cctv.cameras import Camera, camera_layer, cameras_of
from analysis.cctv.catalogue import catalogue
from app.cctv.exchange import read_cameras, write_cameras
from app.importer import ImportOptions, import_files
from geo.crs import make_frame
from geo.model import Column, ElementTable, Feedback, Layer, Points, UserError
from tests.tiny import terrain, tiny_frame


def plan() -> Layer:
    models = catalogue()
    ptz = models["ptz-2mp-30x"]
    cameras = [
        Camera("c-01", "정문, \"동쪽\"", models["bullet-4mp"], (12.3456, -7.891, 25.5), 233.4567, 12.34, 1.5, 3.333),
        Camera("c-02", "광장", ptz, (0.1, 0.2, 26.0), 0.0, -3.0, 0.0, ptz.focal_min_mm, "roof", "existing",
               ((90.0, 5.0, 12.0),)),
        Camera("c-03", "주차장", models["fisheye-12mp"], (-30.0, 4.0, 23.0), 10.0, 90.0, 0.0,
               models["fisheye-12mp"].focal_min_mm, "ceiling", "movable"),
    ]  # fmt: skip
    return camera_layer(cameras)


def same(first: Layer, second: Layer) -> None:
    """Cameras of two layers are the same but for a tenth of a millimetre."""
    before, doubts = cameras_of(first, catalogue())
    after, more = cameras_of(second, catalogue())
    assert not doubts
    assert not more
    for a, b in zip(before, after, strict=True):
        assert np.allclose(a.position, b.position, atol=1e-4)
        assert a.with_(position=(0.0, 0.0, 0.0)) == b.with_(position=(0.0, 0.0, 0.0))


@pytest.mark.parametrize("crs", [None, "EPSG:5186", "EPSG:5179"])
@pytest.mark.parametrize("suffix", ["geojson", "csv"])
def test_maps_and_tables_give_the_same_cameras_back(tmp_path: Path, suffix: str, crs: str | None) -> None:
    path = write_cameras(tmp_path / f"plan.{suffix}", [plan()], tiny_frame(), crs=crs)
    named = crs if suffix == "csv" else None  # a table does not name its system
    (back,) = read_cameras(path, tiny_frame(), crs=named)
    same(plan(), back)


@pytest.mark.parametrize("suffix", ["geojson", "csv"])
def test_the_ordinary_import_knows_cameras_by_their_columns(tmp_path: Path, suffix: str) -> None:
    path = write_cameras(tmp_path / f"things.{suffix}", [plan()], tiny_frame())
    (layer,) = import_files([path], frame=tiny_frame()).layers
    assert (layer.theme, layer.kind) == ("camera", "points")
    same(plan(), layer)
    (other,) = import_files([path], frame=tiny_frame(), options=ImportOptions(kind="sensor")).layers
    assert other.theme == "sensor"


def test_a_project_with_another_grid_north_turns_the_cameras(tmp_path: Path) -> None:
    here, there = tiny_frame(), make_frame("EPSG:32652", 349_000.0, 4_042_000.0)
    turn = here.convergence_deg - there.convergence_deg
    assert abs(turn) > 0.5
    path = write_cameras(tmp_path / "plan.csv", [plan()], here)
    (layer,) = read_cameras(path, there)
    before, after = cameras_of(plan(), catalogue())[0], cameras_of(layer, catalogue())[0]
    for a, b in zip(before, after, strict=True):
        assert (b.pan - a.pan - turn + 180.0) % 360.0 - 180.0 == pytest.approx(0.0, abs=1e-9)
    assert after[1].presets[0][0] == pytest.approx((before[1].presets[0][0] + turn) % 360.0, abs=1e-6)
    assert [issue.code for issue in layer.issues if "north" in issue.code] == ["cameras.other_north"]


def test_ifc_gives_the_same_cameras_back(tmp_path: Path) -> None:
    path = write_cameras(tmp_path / "plan.ifc", [plan()], tiny_frame())
    (back,) = read_cameras(path, tiny_frame())
    same(plan(), back)
    assert not back.issues
    (other,) = read_cameras(path, make_frame("EPSG:5186", 229_050.0, 435_400.0))
    assert np.allclose(np.asarray(other.geometry.vertices) + [50.0, -100.0, 0.0], plan().geometry.vertices, atol=1e-6)


def test_ifc_is_valid_and_says_what_it_is(tmp_path: Path) -> None:
    import ifcopenshell
    import ifcopenshell.util.element
    import ifcopenshell.util.placement
    import ifcopenshell.validate

    path = write_cameras(tmp_path / "plan.ifc", [plan()], tiny_frame())
    file = ifcopenshell.open(str(path))
    log = ifcopenshell.validate.json_logger()
    ifcopenshell.validate.validate(file, log)
    assert not log.statements
    cameras = file.by_type("IfcAudioVisualAppliance")
    assert [camera.PredefinedType for camera in cameras] == ["CAMERA"] * 3
    assert {camera.ContainedInStructure[0].RelatingStructure.is_a() for camera in cameras} == {"IfcSite"}
    matrix = np.array(ifcopenshell.util.placement.get_local_placement(cameras[0].ObjectPlacement))
    pan, tilt = np.radians(233.4567), np.radians(12.34)
    ahead = [np.sin(pan) * np.cos(tilt), np.cos(pan) * np.cos(tilt), -np.sin(tilt)]
    assert np.allclose(matrix[:3, 0], ahead, atol=1e-9), "its x axis looks where the camera looks"
    kind = ifcopenshell.util.element.get_type(cameras[0])
    standard = ifcopenshell.util.element.get_pset(kind, "Pset_AudioVisualApplianceTypeCamera")
    assert standard["VideoResolutionWidth"] == catalogue()["bullet-4mp"].pixels_wide
    again = write_cameras(tmp_path / "again.ifc", [plan()], tiny_frame())
    ids = [camera.GlobalId for camera in ifcopenshell.open(str(again)).by_type("IfcAudioVisualAppliance")]
    assert ids == [camera.GlobalId for camera in cameras], "the same camera keeps its id"


def test_ifc_of_another_program_leaves_unknown_what_it_does_not_say(tmp_path: Path) -> None:
    import ifcopenshell

    path = write_cameras(tmp_path / "plan.ifc", [plan()], tiny_frame())
    file = ifcopenshell.open(str(path))
    for held in file.by_type("IfcRelDefinesByProperties"):
        file.remove(held)
    file.write(str(path))
    (layer,) = read_cameras(path, tiny_frame())
    assert np.isnan(layer.table.columns["pan"].values).all()
    assert [i.code for i in layer.issues] == ["cameras.no_orientation"]
    assert layer.table.columns["camera_model"].values[0] == "bullet-4mp", "its type still names the model"


def test_a_camera_turned_in_another_program_is_told(tmp_path: Path) -> None:
    import ifcopenshell

    path = write_cameras(tmp_path / "plan.ifc", [plan()], tiny_frame())
    file = ifcopenshell.open(str(path))
    camera = file.by_type("IfcAudioVisualAppliance")[0]
    camera.ObjectPlacement.RelativePlacement.RefDirection.DirectionRatios = (1.0, 0.0, 0.0)
    camera.ObjectPlacement.RelativePlacement.Axis.DirectionRatios = (0.0, 0.0, 1.0)
    file.write(str(path))
    (layer,) = read_cameras(path, tiny_frame())
    assert [issue.code for issue in layer.issues] == ["cameras.placement_differs"]


def test_unknown_angles_stay_unknown_through_every_file(tmp_path: Path) -> None:
    columns = {"name": Column(np.array(["a", "b"], dtype=object)), "pan": Column(np.array([np.nan, 20.0]), "deg")}
    shape = Points(np.array([[0.0, 0.0, 25.0], [5.0, 0.0, 25.0]]), np.arange(2))
    layer = Layer("cameras", "Cameras", "camera", shape, ElementTable(["a", "b"], columns))
    for suffix in ("geojson", "csv", "ifc"):
        path = write_cameras(tmp_path / f"unknown.{suffix}", [layer], tiny_frame())
        (back,) = read_cameras(path, tiny_frame())
        pan = back.table.columns["pan"].values
        assert np.isnan(pan[0])
        assert pan[1] == 20.0
        assert "cameras.no_orientation" in {issue.code for issue in back.issues}
        assert "tilt" not in back.table.columns or np.isnan(back.table.columns["tilt"].values).all()


def test_a_map_is_geojson_others_read(tmp_path: Path) -> None:
    import pyogrio

    path = write_cameras(tmp_path / "plan.geojson", [plan()], tiny_frame(), crs="EPSG:5186")
    assert pyogrio.read_info(str(path))["crs"] == "EPSG:5186"
    data = json.loads(write_cameras(tmp_path / "wgs.geojson", [plan()], tiny_frame()).read_text(encoding="utf-8"))
    assert "crs" not in data, "RFC 7946 knows longitude and latitude only"
    assert data["features"][0]["geometry"]["coordinates"][0] == pytest.approx(127.3, abs=0.1)


def test_a_table_of_rows_on_the_ground_is_raised_and_told(tmp_path: Path) -> None:
    path = tmp_path / "street.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "camera_model", "easting", "northing", "설치높이"])
        writer.writerow(["x", "bullet-4mp", "229000", "435500", "6"])
        writer.writerow(["y", "bullet-4mp", "229010", "435500", ""])
    (layer,) = read_cameras(path, tiny_frame(), crs="EPSG:5186", layers=[terrain()])
    assert np.allclose(layer.geometry.vertices[:, 2], [26.0, 24.0])
    codes = {issue.code: issue.count for issue in layer.issues}
    assert codes["cameras.height_assumed"] == 1
    assert codes["cameras.no_orientation"] == 2


def test_a_citys_list_of_cameras_comes_as_cameras_with_its_gaps(shared_data: Path) -> None:
    path = shared_data / "cctv/daejeon_cctv_2015.csv"
    imported = import_files([path], frame=make_frame("EPSG:5186", 233_000.0, 417_000.0))
    (layer,) = imported.layers
    assert (layer.theme, layer.kind) == ("camera", "points")
    assert len(layer.table) == 3295, "2,328 rows say 0 degrees and one lies in the Pacific"
    lost = [issue.count for issue in layer.issues if issue.code == "csv.no_place"]
    assert lost == [2329]
    doubts = {issue.code: issue.count for issue in layer.issues if issue.severity == "doubt"}
    assert doubts["cameras.no_orientation"] == len(layer.table)
    assert doubts["cameras.no_model"] == len(layer.table)
    assert "pan" not in layer.table.columns
    cameras, left_out = cameras_of(layer, catalogue())
    assert not cameras, "nothing is guessed"
    assert len(left_out) == len(layer.table)


def test_what_cannot_be_exchanged_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be exchanged"):
        write_cameras(tmp_path / "plan.xlsx", [plan()], tiny_frame())
    with pytest.raises(UserError, match="no camera to write"):
        write_cameras(tmp_path / "plan.csv", [], tiny_frame())
    with pytest.raises(UserError, match="no coordinate system"):
        read_cameras(tmp_path / "plan.csv", None)
    broken = tmp_path / "broken.ifc"
    broken.write_bytes(b"ISO-10303-21;\nHEADER;\nrubbish")
    with pytest.raises(UserError):
        read_cameras(broken, tiny_frame(), feedback=Feedback())
