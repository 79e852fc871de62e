"""Small 3D Tiles tilesets made for the tests."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np

from geo import geocentric
from geo.formats.contract import ReadOptions
from geo.formats.tiles3d import FORMAT, TilesOptions
from geo.model import Feedback, Layer, Mesh
from tests.geo.damage import glb_of
from tests.tiny import tiny_frame

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
