"""CityJSON: real city models against independent counts, there and back."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from geo import crs
from geo.formats.cityjson import FORMAT
from geo.formats.contract import HEAD_BYTES, MapBox
from geo.model import Feedback, Frame
from tests.geo.cityjson_files import issue, mesh_of, read, surface_counts, triangles, volumes

REAL = {
    "3-20-DELFSHAVEN": ("2.0", "EPSG:28992", ""),
    "DenHaag_01": ("1.0", "EPSG:7415", "NAP height"),
    "delft_3dfier": ("1.0", "EPSG:7415", "NAP height"),
    "mamre_lod1": ("2.0", "EPSG:32734", ""),
}


def real(shared_data: Path, name: str) -> tuple[Path, Frame]:
    path = shared_data / "city" / f"{name}.city.json"
    info = FORMAT.inspect(path)
    assert info.crs is not None
    assert info.bounds is not None
    x, y = (info.bounds[0] + info.bounds[3]) / 2, (info.bounds[1] + info.bounds[4]) / 2
    return path, crs.make_frame(info.crs, x, y, vertical=info.vertical)


@pytest.mark.parametrize("name", REAL)
def test_real_file_describes_itself(shared_data: Path, name: str) -> None:
    path = shared_data / "city" / f"{name}.city.json"
    head = path.open("rb").read(HEAD_BYTES)
    assert FORMAT.sniff(path, head)
    info = FORMAT.inspect(path)
    plain = json.loads(path.read_bytes())
    assert (info.version, info.crs, info.vertical) == REAL[name]
    assert info.counts == Counter(item["type"] for item in plain["CityObjects"].values())
    if name != "mamre_lod1":  # see test_vertices_translated_twice
        np.testing.assert_allclose(info.bounds, plain["metadata"]["geographicalExtent"], atol=0.01)
        assert info.issues == ()


def rings_of(boundaries: Any) -> list[Any]:
    """Surfaces of boundaries of any depth, the slow and obvious way."""
    if boundaries and isinstance(boundaries[0][0], int):
        return [boundaries]
    return [surface for inner in boundaries for surface in rings_of(inner)]


@pytest.mark.parametrize("name", REAL)
def test_real_file_keeps_every_object_and_its_area(shared_data: Path, name: str) -> None:
    path, frame = real(shared_data, name)
    plain = json.loads(path.read_bytes())
    layers = read(path, frame)
    with_geometry = [key for key, item in plain["CityObjects"].items() if item.get("geometry")]
    assert sorted(i for layer in layers for i in layer.table) == sorted(with_geometry)
    vertices = np.array(plain["vertices"], dtype=float) * plain.get("transform", {}).get("scale", 1)
    expected = 0.0
    for key in with_geometry:
        for surface in rings_of(plain["CityObjects"][key]["geometry"][0]["boundaries"]):
            sizes = []
            for ring in surface:
                p = vertices[ring] - vertices[ring[0]]
                sizes.append(np.linalg.norm(np.cross(p, np.roll(p, -1, axis=0)).sum(axis=0)) / 2)
            expected += sizes[0] - sum(sizes[1:])
    found = sum(mesh_of(layer).face_area.sum() for layer in layers)
    # surfaces are plane to a centimetre or so, and triangles follow every bump
    assert found == pytest.approx(expected, rel=2e-4)


def test_the_hague_ridge_heights_agree_with_the_attributes(shared_data: Path) -> None:
    layers = read(*real(shared_data, "DenHaag_01"))
    building = next(layer for layer in layers if layer.theme == "building")
    terrain = next(layer for layer in layers if layer.theme == "terrain")
    assert (len(building.table), len(terrain.table), terrain.kind) == (1990, 1, "mesh")
    assert Counter(building.table.columns["object_type"].values.tolist()) == {"BuildingPart": 1653, "Building": 337}
    mesh = mesh_of(building)
    top = np.full(len(building.table), -np.inf)
    np.maximum.at(top, mesh.face_element, mesh.vertices[mesh.faces, 2].max(axis=1))
    ridge = building.table.columns["AbsoluteRidgeHeight"].values
    assert np.abs(top - ridge).max() < 0.0015


def test_the_hague_roofs_slope_as_the_file_says(shared_data: Path) -> None:
    """The file gives Slope = elevation of each roof's normal, even for overhanging parts that look down."""
    path, frame = real(shared_data, "DenHaag_01")
    building = next(layer for layer in read(path, frame) if layer.theme == "building")
    plain = json.loads(path.read_bytes())["CityObjects"]
    mesh, surface = mesh_of(building), building.field_named("surface")
    assert surface is not None
    cross = np.where((surface.values == 0)[:, None], mesh.face_cross, 0.0)
    # roofs are plane only to decimetres; the sum over the triangles is what the file's own figure stands for
    total = np.stack([np.bincount(mesh.face_element, cross[:, k]) for k in range(3)], axis=1)
    found = np.degrees(np.arcsin(total[:, 2] / np.linalg.norm(total, axis=1)))
    said = np.full(len(building.table), np.nan)
    for row, key in enumerate(building.table.ids):
        surfaces = plain[key]["geometry"][0]["semantics"]["surfaces"]
        roofs = [one["Slope"] for one in surfaces if one["type"] == "RoofSurface"]
        said[row] = roofs[0] if len(roofs) == 1 else np.nan
    known = np.isfinite(said)
    assert known.sum() > 1000
    assert np.abs(found - said)[known].max() < 0.6


@pytest.mark.parametrize(("name", "solids"), [("DenHaag_01", 1990), ("mamre_lod1", 2344)])
def test_solids_are_closed_and_face_outward(shared_data: Path, name: str, solids: int) -> None:
    building = next(layer for layer in read(*real(shared_data, name)) if layer.theme == "building")
    mesh = mesh_of(building)
    rest = np.stack([np.bincount(mesh.face_element, mesh.face_cross[:, k]) for k in range(3)], axis=1)
    closed = np.linalg.norm(rest, axis=1) < 1e-6 * np.bincount(mesh.face_element, 2 * mesh.face_area)
    assert len(closed) == solids
    assert closed.sum() >= solids - 2  # two parts of one house in The Hague have crossing rings in the file
    assert (volumes(building) > 0).all()


def test_one_file_with_many_themes(shared_data: Path) -> None:
    layers = read(*real(shared_data, "delft_3dfier"))
    found = {layer.id: (layer.theme, len(layer.table)) for layer in layers}
    assert found == {
        "building": ("building", 160),
        "road": ("road", 143),
        "water": ("water", 3),
        "bridge": ("other", 3),
        "plant_cover": ("other", 126),
        "land_use": ("other", 81),
        "other": ("other", 54),
    }
    assert issue(layers[0], "city.open_solid").count == 160  # 3dfier leaves out the floor
    assert set(surface_counts(layers[0])) == {"roof", "wall"}


def test_vertices_translated_twice(shared_data: Path) -> None:
    """The Mamre file holds full coordinates and a translation on top: taken twice, the village lies in Libya."""
    path, frame = real(shared_data, "mamre_lod1")
    assert frame.latitude == pytest.approx(-33.51, abs=0.02)
    assert frame.longitude == pytest.approx(18.47, abs=0.03)
    building = read(path, frame)[0]
    assert issue(building, "cityjson.translated_twice").severity == "doubt"
    mesh = mesh_of(building)
    low, high = np.full(2344, np.inf), np.full(2344, -np.inf)
    np.minimum.at(low, mesh.face_element, mesh.vertices[mesh.faces, 2].min(axis=1))
    np.maximum.at(high, mesh.face_element, mesh.vertices[mesh.faces, 2].max(axis=1))
    assert np.median(np.abs(low - building.table.columns["ground_height"].values)) < 0.01
    assert np.median(np.abs(high - building.table.columns["roof_height"].values)) < 0.01


@pytest.mark.parametrize("name", ["DenHaag_01", "delft_3dfier"])
@pytest.mark.parametrize("ending", ["city.json", "city.jsonl.gz"])
def test_real_file_survives_a_round_trip(shared_data: Path, tmp_path: Path, name: str, ending: str) -> None:
    path, frame = real(shared_data, name)
    before = read(path, frame)
    copy_path = tmp_path / f"copy.{ending}"
    assert FORMAT.write is not None
    FORMAT.write(copy_path, before, frame, Feedback())
    info = FORMAT.inspect(copy_path)
    assert (info.version, info.crs, info.vertical) == ("2.0", REAL[name][1], "NAP height")
    assert info.counts == FORMAT.inspect(path).counts
    after = {layer.id: layer for layer in read(copy_path, frame)}
    for layer in before:
        twin = after[layer.id]
        np.testing.assert_array_equal(triangles(mesh_of(layer)), triangles(mesh_of(twin)))
        assert set(twin.table) == set(layer.table)
        assert set(twin.table.columns) == set(layer.table.columns)
        for element in layer.table.ids[:: max(1, len(layer.table) // 40)]:
            assert repr(twin.table.row(element)) == repr(layer.table.row(element))
        if layer.theme == "building":
            assert surface_counts(twin) == surface_counts(layer)


def test_box_of_a_real_file_gives_what_touches_it(shared_data: Path) -> None:
    path, frame = real(shared_data, "3-20-DELFSHAVEN")
    whole = read(path, frame)[0]
    e, n = frame.origin[:2]
    part = read(path, frame, box=MapBox(e - 50, n - 50, e + 50, n + 50))[0]
    mesh = mesh_of(whole)
    corners = mesh.vertices[mesh.faces, :2]
    low, high = np.full((853, 2), np.inf), np.full((853, 2), -np.inf)
    np.minimum.at(low, mesh.face_element, corners.min(axis=1))
    np.maximum.at(high, mesh.face_element, corners.max(axis=1))
    touching = ((low <= 50) & (high >= -50)).all(axis=1)
    assert 0 < touching.sum() < 853
    assert set(part.table) == set(whole.table.ids[touching])
    assert read(path, frame, box=MapBox(0, 0, 1, 1)) == []
