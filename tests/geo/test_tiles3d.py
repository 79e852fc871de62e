"""3D Tiles: positions on the globe, refinement, nesting, old and new content, writing, hostile tilesets."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyproj import Transformer

from geo import crs, geocentric
from geo.formats import tiles3d_tree
from geo.formats.cityjson import FORMAT as CITYJSON
from geo.formats.contract import HEAD_BYTES, MapBox, ReadOptions
from geo.formats.gltf_file import parts_of_glb
from geo.formats.tiles3d import FORMAT, TilesOptions
from geo.model import Cancelled, ElementTable, Feedback, Issue, Layer, Mesh, UserError
from tests.geo.damage import damaged_bytes, damaged_json, glb_of, survives, survives_damage
from tests.tiny import box_mesh, buildings, terrain, tiny_frame

FRAME = tiny_frame()
LON, LAT = FRAME.longitude, FRAME.latitude


def glb(size: float = 1.0, *, count: int = 1, features: bool = False, batch: bool = False, **more: Any) -> bytes:
    """`count` triangles east and north of the zero point, `size` metres, one above the other."""
    corner = np.array([[0, 0, 0], [size, 0, 0], [0, 0, -size]], "<f4")
    points = np.concatenate([corner + [0, k, 0] for k in range(count)]).astype("<f4")
    numbers = np.repeat(np.arange(count), 3).astype("<f4")
    attributes = {"POSITION": 0}
    if features:
        attributes["_BATCHID" if batch else "_FEATURE_ID_0"] = 1
    document = {
        "asset": {"version": "2.0"}, "scene": 0, "scenes": [{"nodes": [0]}], "nodes": [{"mesh": 0, "name": "n"}],
        "meshes": [{"primitives": [{"attributes": attributes}]}],
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "count": 3 * count, "type": "VEC3"},
            {"bufferView": 1, "componentType": 5126, "count": 3 * count, "type": "SCALAR"},
        ],
        "bufferViews": [
            {"buffer": 0, "byteLength": points.nbytes},
            {"buffer": 0, "byteOffset": points.nbytes, "byteLength": numbers.nbytes},
        ],
        "buffers": [{"byteLength": points.nbytes + numbers.nbytes}],
        **more,
    }  # fmt: skip
    return glb_of(document, points.tobytes() + numbers.tobytes())


def padded(data: bytes) -> bytes:
    return data + b" " * (-len(data) % 8)


def b3dm(body: bytes, feature: dict[str, Any], batch: dict[str, Any] | None = None) -> bytes:
    head, table = padded(json.dumps(feature).encode()), padded(json.dumps(batch).encode()) if batch else b""
    total = 28 + len(head) + len(table) + len(body)
    return struct.pack("<4s6I", b"b3dm", 1, total, len(head), 0, len(table), 0) + head + table + body


def i3dm(body: bytes, positions: np.ndarray, **feature: Any) -> bytes:
    binary = positions.astype("<f4").tobytes()
    head = padded(json.dumps({"INSTANCES_LENGTH": len(positions), "POSITION": {"byteOffset": 0}, **feature}).encode())
    batch = padded(json.dumps({"name": [f"tree-{k}" for k in range(len(positions))]}).encode())
    total = 32 + len(head) + len(binary) + len(batch) + len(body)
    sizes = (len(head), len(binary), len(batch), 0, 1)
    return struct.pack("<4s7I", b"i3dm", 1, total, *sizes) + head + binary + batch + body


def cmpt(*tiles: bytes) -> bytes:
    return struct.pack("<4s3I", b"cmpt", 1, 16 + sum(map(len, tiles)), len(tiles)) + b"".join(tiles)


SPHERE = {"sphere": [0, 0, 0, 1000]}


def place(longitude: float = LON, latitude: float = LAT, height: float = 50.0) -> list[float]:
    """Matrix of a tile that stands upright at a place, as the file stores it."""
    return [float(v) for v in geocentric.east_north_up(longitude, latitude, height).T.ravel()]


def tile(uri: str | None = None, **more: Any) -> dict[str, Any]:
    content = {"content": {"uri": uri}} if uri else {}
    return {"boundingVolume": SPHERE, "geometricError": 10, **content, **more}


def tileset(folder: Path, root: dict[str, Any], name: str = "tileset.json", **asset: Any) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"asset": {"version": "1.0", **asset}, "geometricError": 100, "root": root}))
    return path


def read(path: Path, frame: Any = FRAME, **options: Any) -> list[Layer]:
    own = TilesOptions(**options.pop("own", {}))
    return FORMAT.read(path, frame, ReadOptions(own=own, **options), Feedback())


def one(path: Path, **options: Any) -> tuple[Layer, Mesh]:
    (layer,) = read(path, **options)
    assert isinstance(layer.geometry, Mesh)
    return layer, layer.geometry


def codes(layer: Layer) -> set[str]:
    return {issue.code for issue in layer.issues}


def test_geocentric_positions_agree_with_proj() -> None:
    rng = np.random.default_rng(5)
    lon, lat, height = rng.uniform(-180, 180, 500), rng.uniform(-89.9, 89.9, 500), rng.uniform(-400, 9000, 500)
    there = np.stack(Transformer.from_crs(4979, 4978, always_xy=True).transform(lon, lat, height), axis=1)
    np.testing.assert_allclose(geocentric.from_geodetic(lon, lat, height), there, atol=1e-6)
    np.testing.assert_allclose(np.stack(geocentric.to_geodetic(there)), [lon, lat, height], rtol=0, atol=1e-8)


# ---- reading


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


# ---- writing


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


# ---- hostile tilesets


@pytest.mark.parametrize(
    ("uri", "code"),
    [
        ("https://tile.example.org/a.glb", "parts.remote"),
        ("//tile.example.org/a.glb", "parts.remote"),
        ("HTTP://example.org/inner.json", "parts.remote"),
        ("file:///etc/passwd", "parts.remote"),
        ("../../../../../../etc/passwd", "parts.outside"),
        ("%2e%2e/%2e%2e/%2e%2e/etc/hosts.json", "parts.outside"),
        ("/etc/passwd", "parts.outside"),
        ("absent.glb", "parts.absent"),
        ("tileset.json", "tiles3d.cyclic"),
        ("./x/../tileset.json", "tiles3d.cyclic"),
    ],
)
def test_addresses_that_are_not_followed(tmp_path: Path, uri: str, code: str) -> None:
    (tmp_path / "x").mkdir()
    with pytest.raises(UserError) as caught:
        read(tileset(tmp_path, tile(uri, transform=place())))
    assert caught.value.code == code


def test_tilesets_that_contain_each_other(tmp_path: Path) -> None:
    tileset(tmp_path, tile("b.json"), "a.json")
    tileset(tmp_path, tile("a.json"), "b.json")
    with pytest.raises(UserError) as caught:
        read(tmp_path / "a.json")
    assert caught.value.code == "tiles3d.cyclic"


def test_one_bad_tile_does_not_lose_the_others(tmp_path: Path) -> None:
    (tmp_path / "good.glb").write_bytes(glb())
    (tmp_path / "bad.glb").write_bytes(glb()[:60])
    (tmp_path / "points.pnts").write_bytes(b"pnts" + b"\0" * 24)
    names = ("bad.glb", "good.glb", "points.pnts", "https://example.org/x.glb")
    layer, mesh = one(tileset(tmp_path, tile(children=[tile(name, transform=place()) for name in names])))
    assert len(mesh.faces) == 1
    assert next(i for i in layer.issues if i.code == "tiles3d.lost").count == 3


def subtree(tiles: list[int], contents: list[int], below: list[int] | int) -> bytes:
    """A binary subtree; bits as lists of 0 and 1."""
    parts = [np.packbits(bits, bitorder="little").tobytes() for bits in (tiles, contents)]
    binary = b"".join(part + b"\0" * (-len(part) % 8) for part in parts)
    document: dict[str, Any] = {
        "buffers": [{"byteLength": len(binary)}],
        "bufferViews": [
            {"buffer": 0, "byteOffset": 0, "byteLength": len(parts[0])},
            {"buffer": 0, "byteOffset": 8, "byteLength": len(parts[1])},
        ],
        "tileAvailability": {"bitstream": 0},
        "contentAvailability": [{"bitstream": 1}],
        "childSubtreeAvailability": {"constant": below},
    }
    if isinstance(below, list):
        document["childSubtreeAvailability"] = {"bitstream": 2}
        document["bufferViews"].append({"buffer": 0, "byteOffset": len(binary), "byteLength": (len(below) + 7) // 8})
        binary += np.packbits(below, bitorder="little").tobytes()
        binary += b"\0" * (-len(binary) % 8)
        document["buffers"][0]["byteLength"] = len(binary)
    text = padded(json.dumps(document).encode())
    return struct.pack("<4sIQQ", b"subt", 1, len(text), len(binary)) + text + binary


def implicit(folder: Path) -> Path:
    """Two subtrees of two levels: the root and its four quarters, and four below the quarter (1, 0)."""
    (folder / "s").mkdir()
    # A subtree of two levels: 1 + 4 tiles; then 16 subtrees could follow.
    below = [0] * 16
    below[0b0101] = 1  # x = 3, y = 0 of level 2: Morton order interleaves the bits, x first
    (folder / "s" / "0-0-0.subtree").write_bytes(subtree([1, 1, 1, 0, 1], [0, 1, 1, 0, 1], below))
    (folder / "s" / "2-3-0.subtree").write_bytes(subtree([1, 0, 0, 0, 0], [1, 0, 0, 0, 0], 0))
    for level, x, y in ((1, 0, 0), (1, 1, 0), (1, 1, 1), (2, 3, 0)):
        (folder / f"c-{level}-{x}-{y}.glb").write_bytes(glb(count=10 * level + 2 * x + y))
    tiling = {"subdivisionScheme": "QUADTREE", "subtreeLevels": 2, "availableLevels": 4,
              "subtrees": {"uri": "s/{level}-{x}-{y}.subtree"}}  # fmt: skip
    root = tile("c-{level}-{x}-{y}.glb", implicitTiling=tiling, refine="ADD", transform=place())
    root["boundingVolume"] = {"box": [0, 0, 0, 400, 0, 0, 0, 400, 0, 0, 0, 50]}
    return tileset(folder, root)


def test_implicit_tiles_are_found_by_their_bits(tmp_path: Path) -> None:
    layer, mesh = one(implicit(tmp_path))
    assert len(mesh.faces) == 10 + 12 + 13 + 26
    assert codes(layer) == {"crs.ellipsoid_heights"}


def test_volumes_of_implicit_tiles_are_halved(tmp_path: Path) -> None:
    path = implicit(tmp_path)
    e, n = FRAME.origin[:2]
    (tmp_path / "c-1-0-0.glb").unlink()  # the south-west quarter: outside of the box, so it is not missed
    layer, mesh = one(path, box=MapBox(e - 10.0, n + 0.1, e + 399.0, n + 0.9))
    assert "tiles3d.lost" not in codes(layer)
    root = tiles3d_tree.root_of(path, json.loads(path.read_text()))
    quarter = root.children()[1]
    corners = quarter.corners()
    assert corners is not None
    local = geocentric.to_local(corners, FRAME)
    np.testing.assert_allclose(local[:, :2].min(axis=0), (0, -400), atol=2.0)
    np.testing.assert_allclose(local[:, :2].max(axis=0), (400, 0), atol=2.0)


def test_missing_and_broken_subtrees(tmp_path: Path) -> None:
    path = implicit(tmp_path)
    (tmp_path / "s" / "2-3-0.subtree").unlink()
    layer, mesh = one(path)
    assert len(mesh.faces) == 35
    assert "tiles3d.lost" in codes(layer)
    data = (tmp_path / "s" / "0-0-0.subtree").read_bytes()
    for seed in range(80):
        (tmp_path / "s" / "0-0-0.subtree").write_bytes(damaged_bytes(data, seed))
        survives(FORMAT, path, FRAME)
    document = json.loads(path.read_text())
    for key, value in (("subtreeLevels", 40), ("availableLevels", 10**9), ("subdivisionScheme", "HEAP")):
        changed = json.loads(json.dumps(document))
        changed["root"]["implicitTiling"][key] = value
        path.write_text(json.dumps(changed))
        with pytest.raises(UserError):
            read(path)


def test_implicit_tiling_of_the_draft_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        read(tileset(tmp_path, tile(extensions={"3DTILES_implicit_tiling": {"subdivisionScheme": "QUADTREE"}})))
    assert caught.value.code == "tiles3d.implicit"


def test_very_deep_and_very_wide_trees(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    node = tile("a.glb", transform=place())
    for _ in range(200):
        node = tile(children=[node])
    with pytest.raises(UserError):
        read(tileset(tmp_path, node))
    monkeypatch.setattr("geo.formats.tiles3d.MOST_CONTENTS", 50)
    (tmp_path / "a.glb").write_bytes(glb())
    with pytest.raises(UserError):
        read(tileset(tmp_path, tile(children=[tile("a.glb", transform=place()) for _ in range(60)])))


@pytest.mark.parametrize(
    "data",
    [
        b3dm(glb(), {"BATCH_LENGTH": 0, "RTC_CENTER": [1, 2]}),
        b3dm(glb(), {"BATCH_LENGTH": 0, "RTC_CENTER": {"byteOffset": 10**9}}),
        b3dm(b"", {}),
        struct.pack("<4s6I", b"b3dm", 1, 2**31, 2**31, 0, 0, 0),
        struct.pack("<4s6I", b"b3dm", 1, 28, 20, 0, 0, 0),
        cmpt(cmpt(cmpt(cmpt(cmpt(cmpt(b3dm(glb(), {}))))))),
        struct.pack("<4s3I", b"cmpt", 1, 16, 2**32 - 1),
        struct.pack("<4s6I", b"cmpt", 1, 28, 1, 0, 0, 0),
        i3dm(glb(), np.zeros((2, 3)), INSTANCES_LENGTH=10**9),
        i3dm(glb(), np.zeros((2, 3)), POSITION={"byteOffset": 8}),
        b"",
        b"vctr",
    ],
)
def test_broken_content(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.bin").write_bytes(data)
    with pytest.raises(UserError):
        read(tileset(tmp_path, tile("a.bin", transform=place())))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"asset": {}}', '{"asset": {}, "root": []}', '{"root": {}}'])
def test_files_that_are_no_tilesets(tmp_path: Path, text: str) -> None:
    (tmp_path / "tileset.json").write_text(text)
    for call in (FORMAT.inspect, read):
        with pytest.raises(UserError):
            call(tmp_path / "tileset.json")  # type: ignore[operator]


def test_damaged_documents(tmp_path: Path) -> None:
    (tmp_path / "a.glb").write_bytes(glb())
    region = {"region": [*np.radians([LON, LAT, LON + 0.001, LAT + 0.001]).tolist(), 0, 100]}
    child = {**tile("a.glb", transform=place(), refine="ADD"), "boundingVolume": region}
    path = tileset(tmp_path, tile("a.glb", transform=place(), children=[child, tile(children=[child])]))
    document = json.loads(path.read_text())
    found = survives_damage(
        FORMAT, path, lambda seed: json.dumps(damaged_json(document, seed)).encode(), FRAME, count=200
    )
    assert found["read"] > 20
    assert found["refused"] > 20
    survives_damage(FORMAT, path, lambda seed: damaged_bytes(json.dumps(document).encode(), seed), FRAME, count=60)


@pytest.mark.parametrize("name", ["a.glb", "a.b3dm", "a.cmpt"])
def test_damaged_content(tmp_path: Path, name: str) -> None:
    batched = b3dm(glb(count=3, features=True, batch=True), {"BATCH_LENGTH": 3}, {"id": ["a", "b", "c"]})
    data = {"a.glb": glb(), "a.b3dm": batched, "a.cmpt": cmpt(batched, i3dm(glb(), np.zeros((2, 3))))}[name]
    (tmp_path / "good.glb").write_bytes(glb())
    path = tileset(tmp_path, tile(children=[tile(uri, transform=place()) for uri in (name, "good.glb")]))
    for seed in range(80):
        (tmp_path / name).write_bytes(damaged_bytes(data, seed) or b"x")
        (layer,) = read(path)
        assert isinstance(layer.geometry, Mesh)
        assert all(isinstance(issue, Issue) for issue in layer.issues)


def test_recognised_by_its_content(tmp_path: Path) -> None:
    path = tileset(tmp_path, tile("a.glb"))
    assert FORMAT.sniff(path, path.read_bytes()[:HEAD_BYTES])
    document = json.loads(path.read_text())
    path.write_text(json.dumps({"asset": {}, "schema": {"id": "x" * 2 * HEAD_BYTES}, **document}))
    assert FORMAT.sniff(path, path.read_bytes()[:HEAD_BYTES])
    for other in (b'{"type": "CityJSON", "root": 1, "asset": 2}', b'{"type": "FeatureCollection"}', b"<xml/>", b""):
        assert not FORMAT.sniff(tmp_path / "absent.json", other)


def test_reading_can_be_stopped(tmp_path: Path) -> None:
    (tmp_path / "a.glb").write_bytes(glb())
    path = tileset(tmp_path, tile("a.glb", transform=place()))
    with pytest.raises(Cancelled):
        FORMAT.read(path, FRAME, ReadOptions(), Feedback(is_cancelled=lambda: True))
    assert tiles3d_tree.is_tileset("A.JSON?v=1")


def test_tiles_that_change_are_part_of_what_was_read(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.glb").write_bytes(glb())
    tileset(tmp_path, tile("a.glb"), "sub/inner.json")
    path = tileset(tmp_path, tile(children=[tile("sub/inner.json"), tile("https://example.org/x.glb"), tile("absent")]))
    assert FORMAT.companions is not None
    names = {found.name for found in FORMAT.companions(path)}
    assert names == {"inner.json", "a.glb"}
    path.write_text("{")
    assert FORMAT.companions(path) == []


def test_a_changed_tile_is_read_again_in_spite_of_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from app import layer_cache

    (tmp_path / "a.glb").write_bytes(glb())
    path = tileset(tmp_path, tile("a.glb", transform=place()))
    monkeypatch.setenv("TWIN_CACHE", str(tmp_path / "cache"))
    before = layer_cache.key_of(FORMAT, path, FRAME, ReadOptions()).name
    assert layer_cache.key_of(FORMAT, path, FRAME, ReadOptions()).name == before
    (tmp_path / "a.glb").write_bytes(glb(2.0, count=2))
    assert layer_cache.key_of(FORMAT, path, FRAME, ReadOptions()).name != before
