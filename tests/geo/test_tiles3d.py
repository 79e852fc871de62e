"""3D Tiles: positions on the globe, refinement, nesting, old content, writing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyproj import Transformer

from geo import crs, geocentric
from geo.formats.cityjson import FORMAT as CITYJSON
from geo.formats.contract import MapBox, ReadOptions
from geo.formats.gltf_file import parts_of_glb
from geo.formats.tiles3d import FORMAT
from geo.model import ElementTable, Feedback, Layer, Mesh, UserError
from tests.geo.damage import glb_of
from tests.geo.tiles3d_files import FRAME, LAT, LON, b3dm, cmpt, codes, glb, i3dm, one, place, read, tile, tileset
from tests.tiny import box_mesh, buildings, terrain


def test_geocentric_positions_agree_with_proj() -> None:
    rng = np.random.default_rng(5)
    lon, lat, height = rng.uniform(-180, 180, 500), rng.uniform(-89.9, 89.9, 500), rng.uniform(-400, 9000, 500)
    there = np.stack(Transformer.from_crs(4979, 4978, always_xy=True).transform(lon, lat, height), axis=1)
    np.testing.assert_allclose(geocentric.from_geodetic(lon, lat, height), there, atol=1e-6)
    np.testing.assert_allclose(np.stack(geocentric.to_geodetic(there)), [lon, lat, height], rtol=0, atol=1e-8)


@pytest.mark.parametrize("way", ["transform", "b3dm centre", "glb centre", "sum of parents"])
def test_a_tile_stands_where_and_as_it_should(tmp_path: Path, way: str) -> None:
    """However a tile is placed: its corner at the place, its edges east and north, its height above the ellipsoid."""
    centre = geocentric.from_geodetic(np.array([LON]), np.array([LAT]), np.array([50.0]))[0].tolist()
    turn = geocentric.east_north_up(LON, LAT, 0.0)
    turn[:3, 3] = 0
    upright = turn.T.ravel().tolist()
    if way == "transform":
        (tmp_path / "a.glb").write_bytes(glb())
        root = tile("a.glb", transform=place())
    elif way == "sum of parents":
        (tmp_path / "a.glb").write_bytes(glb())
        shift = np.eye(4)
        shift[:3, 3] = centre
        root = tile(None, transform=shift.T.ravel().tolist(), children=[tile("a.glb", transform=upright)])
    else:
        # Positions of such tiles are geocentric differences: their axes are those of the Earth.
        east, north = turn[:3, 0], turn[:3, 1]
        corner = np.array([np.zeros(3), east, north])
        y_up = np.stack([corner[:, 0], corner[:, 2], -corner[:, 1]], axis=1).astype("<f4")
        document, _ = parts_of_glb(glb())
        if way == "glb centre":
            document = {**document, "extensions": {"CESIUM_RTC": {"center": centre}}}
        body = glb_of(document, y_up.tobytes() + b"\0" * 12)
        (tmp_path / "a.b3dm").write_bytes(
            b3dm(body, {"BATCH_LENGTH": 0, **({"RTC_CENTER": centre} if way == "b3dm centre" else {})})
        )
        root = tile("a.b3dm")
    layer, mesh = one(tileset(tmp_path, root))
    assert codes(layer) == {"crs.ellipsoid_heights"}
    longitude, latitude = crs.to_lonlat(*(FRAME.to_map(mesh.vertices)[:, k] for k in (0, 1)), FRAME.crs)
    np.testing.assert_allclose([longitude[0], latitude[0]], [LON, LAT], atol=1e-8)
    assert mesh.vertices[0, 2] == pytest.approx(50.0, abs=1e-3)
    # Grid north differs from true north by the convergence, so compare lengths and the true direction.
    edge = mesh.vertices[mesh.faces[0]] - mesh.vertices[mesh.faces[0, 0]]
    turn_rad = np.radians(FRAME.convergence_deg)
    np.testing.assert_allclose(edge[1], [np.cos(turn_rad), np.sin(turn_rad), 0], atol=2e-4)
    np.testing.assert_allclose(edge[2], [-np.sin(turn_rad), np.cos(turn_rad), 0], atol=2e-4)


def test_refined_to_the_leaves_and_coarser_below_the_limit(tmp_path: Path) -> None:
    (tmp_path / "coarse.glb").write_bytes(glb(count=5))
    (tmp_path / "fine.glb").write_bytes(glb(count=900))
    children = [tile("fine.glb", geometricError=0) for _ in range(3)]
    for refine, fine in (("REPLACE", 2700), ("ADD", 2705)):
        root = tile("coarse.glb", refine=refine, transform=place(), children=children)
        path = tileset(tmp_path, root)
        layer, mesh = one(path)
        assert len(mesh.faces) == fine
        assert "tiles3d.coarser" not in codes(layer)
        layer, mesh = one(path, own={"max_triangles": 2_000})
        assert len(mesh.faces) == 5
        assert "tiles3d.coarser" in codes(layer)


def test_nested_tilesets_add_their_transformations(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.glb").write_bytes(glb())
    up = np.eye(4)
    up[2, 3] = 100
    tileset(tmp_path, tile("a.glb", transform=up.T.ravel().tolist()), "sub/inner.json")
    _, mesh = one(tileset(tmp_path, tile("sub/inner.json", transform=place(height=7.0))))
    assert mesh.vertices[0, 2] == pytest.approx(107.0, abs=1e-3)
    counts = FORMAT.inspect(tmp_path / "tileset.json").counts
    assert counts == {"tiles": 1, "nested tilesets": 1}


def test_batch_table_gives_ids_and_attributes(tmp_path: Path) -> None:
    batch = {"id": ["가", "b", "c"], "height": [3.5, None, 9], "nested": [{}, {}, {}]}
    data = b3dm(glb(count=3, features=True, batch=True), {"BATCH_LENGTH": 3}, batch)
    (tmp_path / "a.b3dm").write_bytes(data)
    layer, mesh = one(tileset(tmp_path, tile("a.b3dm", transform=place())))
    assert layer.table.ids.tolist() == ["가", "b", "c"]
    np.testing.assert_array_equal(layer.table.columns["height"].values, [3.5, np.nan, 9])
    np.testing.assert_array_equal(mesh.face_element, [0, 1, 2])


def test_instances_and_composites(tmp_path: Path) -> None:
    positions = np.array([[0, 0, 0], [10, 0, 0], [0, 20, 5]])
    (tmp_path / "a.cmpt").write_bytes(cmpt(b3dm(glb(), {"BATCH_LENGTH": 0}), i3dm(glb(2.0), positions)))
    layer, mesh = one(tileset(tmp_path, tile("a.cmpt", transform=place())))
    assert len(mesh.faces) == 4
    assert {"tree-0", "tree-1", "tree-2"} < set(layer.table.ids)
    mine = mesh.vertices[mesh.faces[mesh.face_element == layer.table.index["tree-2"]]].reshape(-1, 3)
    low = mesh.vertices[mesh.faces[mesh.face_element == layer.table.index["tree-0"]]].reshape(-1, 3)
    np.testing.assert_allclose(np.linalg.norm(mine - low, axis=1), np.hypot(20, 5), atol=1e-3)


def test_tiles_outside_of_the_box_are_not_opened(tmp_path: Path) -> None:
    (tmp_path / "near.glb").write_bytes(glb())
    region = {"region": [*np.radians([LON - 0.001, LAT - 0.001, LON + 0.001, LAT + 0.001]).tolist(), 0, 100]}
    east = {"region": [*np.radians([LON + 0.1, LAT, LON + 0.101, LAT + 0.001]).tolist(), 0, 100]}
    children = [
        {**tile("near.glb", transform=place()), "boundingVolume": region},
        {**tile("absent.glb", transform=place()), "boundingVolume": east},
    ]
    path = tileset(tmp_path, tile(children=children))
    e, n = FRAME.origin[:2]
    layer, _ = one(path, box=MapBox(e - 50, n - 50, e + 50, n + 50))
    assert "tiles3d.lost" not in codes(layer)
    layer, _ = one(path)
    assert "tiles3d.lost" in codes(layer)
    assert read(path, box=MapBox(e + 2000, n, e + 2001, n + 1)) == []


def test_inspect_gives_longitude_latitude_and_doubts_heights(tmp_path: Path) -> None:
    degrees = [127.30, 36.50, 127.32, 36.52]
    root = {**tile(), "boundingVolume": {"region": [*np.radians(degrees).tolist(), 20.0, 150.0]}}
    info = FORMAT.inspect(tileset(tmp_path, root))
    assert info.crs == "EPSG:4979"
    np.testing.assert_allclose(info.bounds, [127.30, 36.50, 20, 127.32, 36.52, 150], atol=1e-9)  # type: ignore[arg-type]
    assert [issue.code for issue in info.issues] == ["crs.ellipsoid_heights"]
    root = {**tile(transform=place()), "boundingVolume": {"box": [0, 0, 0, 100, 0, 0, 0, 200, 0, 0, 0, 30]}}
    info = FORMAT.inspect(tileset(tmp_path, root))
    assert info.bounds is not None
    assert info.bounds[4] - info.bounds[1] == pytest.approx(400 / 111_000, rel=0.01)


def test_a_tileset_without_a_place_is_placed_like_a_mesh(tmp_path: Path) -> None:
    (tmp_path / "a.glb").write_bytes(glb())
    path = tileset(tmp_path, tile("a.glb"))
    layer, _ = one(path)
    assert codes(layer) == {"mesh.not_georeferenced"}
    assert FORMAT.inspect(path).place_is_weak
    own = {"at_east": 229_010.0, "at_north": 435_520.0, "at_height": 3.0}
    _, mesh = one(path, own=own)
    np.testing.assert_allclose(mesh.vertices.min(axis=0), (10, 20, 3), atol=1e-6)


def test_written_and_read_back_to_the_centimetre(tmp_path: Path) -> None:
    layers = [buildings(), terrain(cell=8.0)]
    feedback = Feedback()
    FORMAT.write(tmp_path / "tileset.json", layers, FRAME, feedback)  # type: ignore[misc]
    assert [issue.code for issue in feedback.issues] == ["tiles3d.heights_as_they_are"]
    back = read(tmp_path / "tileset.json")
    assert [(layer.id, layer.theme) for layer in back] == [("buildings", "building"), ("terrain", "terrain")]
    new, old = back[0], layers[0]
    assert isinstance(new.geometry, Mesh)
    assert isinstance(old.geometry, Mesh)
    assert new.issues == ()
    assert new.table.ids.tolist() == old.table.ids.tolist()
    assert new.table.columns["height"].values.tolist() == [30.0, 9.0]
    assert new.table.columns["height"].unit == "m"
    for mesh in (new.geometry, old.geometry):
        assert len(mesh.faces) == 24
    rows = []
    for layer in (new, old):
        mesh = layer.geometry
        assert isinstance(mesh, Mesh)
        middle = mesh.vertices[mesh.faces].mean(axis=1)
        surface = layer.field_named("surface")
        assert surface is not None
        table = np.column_stack([np.round(middle, 2), mesh.face_element, surface.values])
        rows.append(table[np.lexsort(table.T)])
    np.testing.assert_allclose(rows[0], rows[1], atol=0.01)


def test_real_city_split_into_tiles_comes_back_whole(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("geo.formats.tiles3d_write.MOST_TRIANGLES", 3_000)
    frame = crs.make_frame("EPSG:28992", 78_200.0, 457_800.0)
    city = CITYJSON.read(shared_data / "city" / "DenHaag_01.city.json", frame, ReadOptions(), Feedback())
    FORMAT.write(tmp_path / "tileset.json", city, frame, Feedback())  # type: ignore[misc]
    assert len(list((tmp_path / "tileset-tiles").iterdir())) > 12
    back = read(tmp_path / "tileset.json", frame)
    for new, old in zip(back, city, strict=True):
        assert isinstance(new.geometry, Mesh)
        assert isinstance(old.geometry, Mesh)
        assert len(new.geometry.faces) == len(old.geometry.faces)
        used = set(old.table.ids[np.unique(old.geometry.face_element)])
        assert set(new.table.ids) == used
        area = {}
        for layer in (new, old):
            mesh = layer.geometry
            assert isinstance(mesh, Mesh)
            sums = np.bincount(mesh.face_element, mesh.face_area)
            area[id(layer)] = dict(zip(layer.table.ids.tolist(), sums.tolist(), strict=False))
        for name in used:
            assert area[id(new)][name] == pytest.approx(area[id(old)][name], rel=2e-3, abs=0.05)
        assert new.geometry.bounds is not None
        assert old.geometry.bounds is not None
        np.testing.assert_allclose(new.geometry.bounds, old.geometry.bounds, atol=0.01)


def test_every_volume_holds_its_children_and_its_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("geo.formats.tiles3d_write.MOST_TRIANGLES", 60)
    rng = np.random.default_rng(2)
    mesh, _ = box_mesh([(float(x), float(y), 5, 8, 8, float(h)) for x, y, h in rng.uniform(0, 900, (80, 3))])
    layer = Layer("b", "B", "building", mesh, ElementTable([f"b{k}" for k in range(80)]))
    FORMAT.write(tmp_path / "tileset.json", [layer], FRAME, Feedback())  # type: ignore[misc]
    document = json.loads((tmp_path / "tileset.json").read_text())

    def check(node: dict[str, Any]) -> int:
        west, south, east, north, low, high = node["boundingVolume"]["region"]
        for child in node.get("children", []):
            w, s, e, n, lo, hi = child["boundingVolume"]["region"]
            assert all((west <= w, south <= s, east >= e, north >= n, low <= lo, high >= hi))
            assert child["geometricError"] < node["geometricError"]
        return sum(map(check, node.get("children", []))) + ("content" in node)

    assert check(document["root"]) > 4
    (back,) = read(tmp_path / "tileset.json")
    assert isinstance(back.geometry, Mesh)
    assert len(back.geometry.faces) == 80 * 12


def test_nothing_to_write(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        FORMAT.write(tmp_path / "tileset.json", [Layer("t", "T", "other", None)], FRAME, Feedback())  # type: ignore[misc]
    assert caught.value.code == "tiles3d.nothing_to_write"
