"""Points of a GIS file as cameras: at their own height, above the ground by a column, or told that it was assumed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from geo.formats.contract import ReadOptions
from geo.formats.vector import FORMAT
from geo.model import Feedback, Layer, Points
from tests.tiny import terrain, tiny_frame


def write(path: Path, z: float | None, **columns: object) -> Path:
    place = [229_010.0, 435_520.0] + ([] if z is None else [z])
    feature = {"type": "Feature", "properties": columns, "geometry": {"type": "Point", "coordinates": place}}
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::5186"}}
    path.write_text(json.dumps({"type": "FeatureCollection", "crs": crs, "features": [feature]}), encoding="utf-8")
    return path


def read(path: Path, kind: str | None = None) -> Layer:
    ground = terrain(20.0).geometry
    (layer,) = FORMAT.read(path, tiny_frame(), ReadOptions(kind=kind, terrain=ground), Feedback())  # type: ignore[arg-type]
    return layer


def height(layer: Layer) -> float:
    assert isinstance(layer.geometry, Points)
    return float(layer.geometry.vertices[0, 2])


def test_a_point_with_a_height_keeps_it(tmp_path: Path) -> None:
    layer = read(write(tmp_path / "points.geojson", 26.5, camera_model="bullet-4mp", pan="12.5", tilt=10), "camera")
    assert layer.theme == "camera"
    assert height(layer) == pytest.approx(26.5)
    assert layer.table.columns["pan"].values.dtype == np.float64
    assert layer.table.columns["pan"].unit == "deg"
    assert layer.table.columns["camera_model"].values.tolist() == ["bullet-4mp"]
    assert "cameras.height_assumed" not in [issue.code for issue in layer.issues]


def test_a_flat_point_stands_above_the_ground(tmp_path: Path) -> None:
    told = read(write(tmp_path / "points.geojson", None, 설치높이=5.5, 모델="dome-4mp", 방위각=90), "camera")
    assert height(told) == pytest.approx(25.5)
    assert told.table.columns["camera_model"].values.tolist() == ["dome-4mp"]
    assert told.table.columns["pan"].values.tolist() == [90.0]
    assumed = read(write(tmp_path / "more.geojson", None, name="x"), "camera")
    assert height(assumed) == pytest.approx(24.0)
    assert "cameras.height_assumed" in [issue.code for issue in assumed.issues]


@pytest.mark.parametrize("name", ["cctv.geojson", "Cameras_2026.geojson", "방범카메라.geojson"])
def test_files_of_that_name_are_taken_for_cameras(tmp_path: Path, name: str) -> None:
    assert read(write(tmp_path / name, 30.0)).theme == "camera"
