"""CityGML: real files against independent counts and against what their text says."""

# ruff: noqa: E501 - XML is easier to check in one line

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from geo import crs
from geo.formats.citygml import FORMAT
from geo.formats.citygml_values import colour_of
from geo.formats.contract import HEAD_BYTES
from tests.geo.citygml_files import KOMATSU, NAGAOKA, REAL, codes, field_of, frame_for, mesh_of, read, volumes

READABLE = [one for one in REAL if "water" not in one[0] and "_lv" not in one[0] and "Testfeld" not in one[0]]


def written_positions(path: Path) -> NDArray[np.float64]:
    """All positions of a file by a pattern over its text: no XML, no reader of ours."""
    found = re.findall(r"<gml:pos(?:List)?[^>]*>([^<]*)<", path.read_text(encoding="utf-8-sig"))
    return np.array([float(value) for text in found for value in text.split()]).reshape(-1, 3)


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "version", "system", "known", "around"), REAL, ids=[one[0].split("/")[-1] for one in REAL]
)
def test_real_file_is_described_as_its_text_says(
    shared_data: Path, name: str, version: str, system: str, known: dict[str, int], around: tuple[float, ...]
) -> None:
    path = shared_data / name
    head = path.open("rb").read(HEAD_BYTES)
    assert FORMAT.sniff(path, head)
    info = FORMAT.inspect(path)
    assert (info.format, info.version, info.crs) == ("citygml", version, system)
    assert known.items() <= info.counts.items()
    opened = Counter(re.findall(r"<\w+:(\w+)[ >]", path.read_text(encoding="utf-8-sig")))
    assert {key: opened[key] for key in info.counts} == dict(info.counts)
    points = written_positions(path)
    if "6697" in system or "10169" in system:
        points = points[:, [1, 0, 2]]
    assert info.bounds is not None
    assert np.allclose(info.bounds, [*points.min(axis=0), *points.max(axis=0)], rtol=0, atol=1e-9)
    longitude, latitude = crs.to_lonlat(*np.array(info.bounds).reshape(2, 3).T[:2], system)
    west, south, east, north = around
    assert west < longitude.min() < longitude.max() < east
    assert south < latitude.min() < latitude.max() < north
    assert not {"city.outside_area", "city.not_degrees"} & {one.code for one in info.issues}


@pytest.mark.data
@pytest.mark.parametrize("name", [one[0] for one in READABLE], ids=[one[0].split("/")[-1] for one in READABLE])
def test_real_file_is_read_where_it_lies(shared_data: Path, name: str) -> None:
    path = shared_data / name
    frame = frame_for(path)
    layers = read(path, frame)
    info = FORMAT.inspect(path)
    assert info.bounds is not None
    assert layers
    for layer in layers:
        if layer.id in ("pipes", "nodes"):
            continue  # test_citygml_utility.py
        mesh = mesh_of(layer)
        assert set(mesh.face_element.tolist()) == set(range(len(layer.table)))
        assert (mesh.face_area > 0).all()
        assert mesh.vertices[:, 2].min() >= info.bounds[2] - 1e-9
        assert mesh.vertices[:, 2].max() <= info.bounds[5] + 1e-9
        east, north, _ = frame.to_map(mesh.vertices).T
        x, y = crs.transform(east, north, frame.crs, info.crs or "")
        assert (info.bounds[0] - 1e-6 <= x).all()
        assert (x <= info.bounds[3] + 1e-6).all()
        assert (info.bounds[1] - 1e-6 <= y).all()
        assert (y <= info.bounds[4] + 1e-6).all()


@pytest.mark.data
def test_plateau_blocks_have_the_volume_of_their_footprint(shared_data: Path) -> None:
    """Level 1 of PLATEAU is the roof outline of level 0 times the height: area by Shapely, height from the text."""
    from shapely import Polygon

    path = shared_data / KOMATSU
    frame = frame_for(path)
    (layer,) = read(path, frame, lod="1")
    assert len(layer.table) == 192
    found = dict(zip(layer.table.ids.tolist(), volumes(layer).tolist(), strict=True))
    assert min(found.values()) > 0
    text = path.read_text(encoding="utf-8-sig")
    checked = 0
    for part in text.split("<bldg:Building gml:id=")[1:]:
        name = part.split('"')[1]
        outline = np.array(re.findall(r"lod0RoofEdge>.*?posList>([^<]*)<", part, re.S)[0].split(), float).reshape(-1, 3)
        solid = re.findall(r"<bldg:lod1Solid>(.*?)</bldg:lod1Solid>", part, re.S)[0]
        z = [float(v) for text in re.findall(r"posList>([^<]*)<", solid) for v in text.split()[2::3]]
        east, north = crs.transform(outline[:, 1], outline[:, 0], "EPSG:6697", frame.crs)
        expected = Polygon(np.stack([east, north], axis=1)).area * (max(z) - min(z))
        assert found[name] == pytest.approx(expected, rel=1e-3)
        checked += 1
    assert checked == 192


@pytest.mark.data
def test_plateau_buildings_at_their_highest_level(shared_data: Path) -> None:
    path = shared_data / KOMATSU
    (layer,) = read(path, frame_for(path))
    assert Counter(layer.table.columns["lod"].values.tolist()) == {"1": 161, "2": 31}
    assert (volumes(layer) > 0).all()
    assert "city.open_solid" not in codes(layer)
    row = layer.table.row_at(0)
    assert row["class"] == "3001"
    assert row["bldgDataQualityAttribute.lod1HeightType"] == "2"
    assert layer.table.columns["measuredHeight"].unit == "m"
    assert layer.table.columns["bldgDisasterRiskAttribute.depth"].unit == "m"
    heights = np.asarray(layer.table.columns["measuredHeight"].values, float)
    assert 1.5 < np.nanmin(heights) < np.nanmax(heights) < 40.0
    tall = np.array(
        [np.ptp(mesh_of(layer).vertices[mesh_of(layer).faces[mesh_of(layer).face_element == k], 2]) for k in range(192)]
    )
    assert np.nanmedian(np.abs(tall - heights)) < 1.0
    assert codes(layer)["citygml.textures"] == 31
    assert "storeysAboveGround" not in layer.table.columns
    assert codes(layer)["citygml.unknown_values"] == 192


@pytest.mark.data
def test_road_is_its_traffic_areas_once(shared_data: Path) -> None:
    path = shared_data / "city/plateau_suginami_53394503_tran_6697.gml"
    frame = frame_for(path)
    (lanes,) = read(path, frame)
    assert Counter(lanes.table.columns["object_type"].values.tolist()) == {"TrafficArea": 2, "AuxiliaryTrafficArea": 3}
    assert set(lanes.table.columns["function"].values.tolist()) <= {"1000", "1020", "2000", "2020", "3000"}
    (road,) = read(path, frame, lod="1")
    assert road.table.columns["object_type"].values.tolist() == ["Road"]
    assert mesh_of(lanes).face_area.sum() == pytest.approx(mesh_of(road).face_area.sum(), rel=0.02)


@pytest.mark.data
def test_strata_and_themes_of_real_files(shared_data: Path) -> None:
    wanted = {
        "city/plateau_takeshiba_53393690_tun_6697.gml": [("tunnel", "other", "underground")],
        "city/plateau_tsukuba_54401008_veg_6697.gml": [
            ("tree", "tree", "outdoor"),
            ("plant_cover", "other", "outdoor"),
        ],
        "city/plateau_tamana_49303414_brid_6697.gml": [("bridge", "other", "outdoor")],
        "terrain/plateau_yokosuka_523965_dem_6697.gml": [("terrain", "terrain", "outdoor")],
        NAGAOKA + "08EE753_unf_10169_sewer.gml": [
            ("utility", "utility", "underground"),
            ("pipes", "utility", "underground"),
            ("nodes", "utility", "underground"),
        ],
    }
    for name, parts in wanted.items():
        layers = read(shared_data / name, frame_for(shared_data / name))
        assert [(layer.id, layer.theme, layer.stratum) for layer in layers] == parts
        if name.startswith(NAGAOKA):
            assert [len(layer.table) for layer in layers] == [38, 158, 52]
            assert "city.dropped" not in codes(layers[0])


@pytest.mark.data
def test_colours_are_those_of_the_materials(shared_data: Path) -> None:
    path = shared_data / "city/plateau_tamana_49303414_brid_6697.gml"
    (layer,) = read(path, frame_for(path))
    colour = field_of(layer, "colour")
    text = path.read_text(encoding="utf-8-sig")
    said = {colour_of(one) for one in re.findall(r"<app:diffuseColor>([^<]*)<", text)}
    assert set(colour.values.tolist()) == said
    assert len(colour.values) == len(mesh_of(layer).faces)
