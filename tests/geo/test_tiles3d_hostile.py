"""3D Tiles: implicit tiling, addresses that are not followed, broken, deep and damaged trees."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from geo import geocentric
from geo.formats import tiles3d_tree
from geo.formats.contract import HEAD_BYTES, MapBox, ReadOptions
from geo.formats.tiles3d import FORMAT
from geo.model import Cancelled, Feedback, Issue, Mesh, UserError
from tests.geo.damage import damaged_bytes, damaged_json, survives, survives_damage
from tests.geo.tiles3d_files import (
    FRAME,
    LAT,
    LON,
    b3dm,
    cmpt,
    codes,
    glb,
    i3dm,
    one,
    padded,
    place,
    read,
    tile,
    tileset,
)


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
