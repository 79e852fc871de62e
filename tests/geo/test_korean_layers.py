"""Layers of the Korean address map and of national open data are known by their names; bridges keep their height."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyogrio
import pytest
import shapely

from geo.crs import make_frame
from geo.formats import vector
from geo.formats.contract import ReadOptions
from geo.formats.vector_fields import meaning_of
from geo.model import Feedback, Grid, Layer, Mesh

SEJONG = make_frame("EPSG:5186", 229_000, 435_500)
GROUND = Grid(np.full((60, 60), 20.0), -300.0, -300.0, 10.0)


def layer_of(path: Path, shapes: list, columns: dict[str, list], kind: str = "Polygon") -> Layer:
    moved = shapely.transform(np.array(shapes, object), lambda c: c + (229_000, 435_500))
    data = [np.array(values, dtype=object if isinstance(values[0], str) else None) for values in columns.values()]
    pyogrio.raw.write(
        str(path), shapely.to_wkb(moved), data, list(columns), crs="EPSG:5186", geometry_type=kind, encoding="CP949"
    )
    (layer,) = vector.read(path, SEJONG, ReadOptions(terrain=GROUND), Feedback())
    return layer


@pytest.mark.parametrize(
    ("name", "flat", "word"),
    [
        ("TL_SPBD_BULD", "area", "building"),
        ("Z_KAIS_TL_SPBD_BULD_36110", "area", "building"),
        ("TL_SPBD_ENTRC", "point", "other"),
        ("TL_SPRD_MANAGE", "line", "road"),
        ("TL_SPRD_RW", "area", "road"),
        ("AL_D010_36_20240101", "area", "building"),
        ("LSMD_CONT_LDREG_36110", "area", "parcel"),
        ("N3L_A0070000", "line", "road"),
    ],
)
def test_names_of_national_layers(name: str, flat: str, word: str) -> None:
    assert meaning_of(name, "file", {}, flat).word == word


def test_address_buildings_stand_as_high_as_their_storeys(tmp_path: Path) -> None:
    layer = layer_of(
        tmp_path / "TL_SPBD_BULD.shp",
        [shapely.box(0, 0, 20, 10), shapely.box(40, 0, 60, 10)],
        {
            "BD_MGT_SN": ["3611010100100010000000001", "3611010100100010000000002"],
            "GRO_FLO_CO": [15, 2],
            "UND_FLO_CO": [2, 0],
            "BULD_NM": ["한솔마을", "가게"],
        },
    )
    assert layer.theme == "building"
    assert layer.table.columns["height_used"].values.tolist() == [45.0, 6.0]
    assert layer.table.ids.tolist() == ["3611010100100010000000001", "3611010100100010000000002"]
    assert layer.table.columns["BULD_NM"].values.tolist() == ["한솔마을", "가게"]


def test_address_roads_are_as_wide_as_said(tmp_path: Path) -> None:
    lines = [shapely.LineString([(0, 0), (100, 0)]), shapely.LineString([(0, 50), (100, 50)])]
    columns = {"RN": ["한누리대로", "가름로"], "ROAD_BT": [40.0, 12.0]}
    layer = layer_of(tmp_path / "TL_SPRD_MANAGE.shp", lines, columns, "LineString")
    assert isinstance(layer.geometry, Mesh)
    assert layer.table.columns["width_used"].values.tolist() == [40.0, 12.0]
    y, road = layer.geometry.vertices[layer.geometry.faces, 1], layer.geometry.face_element
    span = [np.ptp(y[road == number]) for number in (0, 1)]
    np.testing.assert_allclose(span, [40.0, 12.0])


@pytest.mark.parametrize("kind", ["LineString", "Polygon"])
def test_a_bridge_lies_at_the_height_of_its_deck(tmp_path: Path, kind: str) -> None:
    line = shapely.LineString([(0, 0), (100, 0)])
    shapes = [line, shapely.affinity.translate(line, 0, 50), shapely.affinity.translate(line, 0, 100)]
    shapes = shapes if kind == "LineString" else [shape.buffer(4, cap_style="flat") for shape in shapes]
    layer = layer_of(tmp_path / "roads.gpkg", shapes, {"deck_height": [31.5, 0.0, np.nan], "width": [8.0] * 3}, kind)
    assert isinstance(layer.geometry, Mesh)
    z = layer.geometry.vertices[layer.geometry.faces, 2]
    for row, height in enumerate((31.5, 20.05, 20.05)):
        np.testing.assert_allclose(z[layer.geometry.face_element == row], height, atol=1e-9)
    assert {issue.code: issue.count for issue in layer.issues}["roads.deck"] == 1
