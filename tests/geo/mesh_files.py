"""Meshes in files of glTF, OBJ, PLY and STL, made and read for the tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import trimesh

from geo.formats import gltf, obj, ply, stl
from geo.formats.contract import ReadOptions
from geo.formats.mesh_place import MeshOptions
from geo.model import Feedback, Field, Frame, Layer, Mesh
from tests.geo.damage import glb_of
from tests.tiny import tiny_frame

FRAME = tiny_frame()


FORMATS = {"gltf": gltf.FORMAT, "obj": obj.FORMAT, "ply": ply.FORMAT, "stl": stl.FORMAT}


def read(path: Path, frame: Frame = FRAME, **options: Any) -> list[Layer]:
    own = MeshOptions(**options.pop("own", {}))
    suffix = path.suffix.removeprefix(".").replace("glb", "gltf")
    return FORMATS[suffix].read(path, frame, ReadOptions(own=own, **options), Feedback())


def one(path: Path, **options: Any) -> tuple[Layer, Mesh]:
    (layer,) = read(path, **options)
    assert isinstance(layer.geometry, Mesh)
    return layer, layer.geometry


def codes(layer: Layer) -> set[str]:
    return {issue.code for issue in layer.issues}


def painted(layer: Layer) -> Layer:
    assert isinstance(layer.geometry, Mesh)
    colours = (np.arange(len(layer.geometry.faces)) * 0x0A0305) % 0xFFFFFF
    colours[3] = -1
    return layer.with_(id="painted", fields=(*layer.fields, Field("colour", "1", "face", colours)))


def box_file(folder: Path, suffix: str, move: tuple[float, float, float] = (0, 0, 0), **export: Any) -> Path:
    box = trimesh.creation.box([2, 4, 6])
    box.visual.face_colors = [200, 10, 20, 255]
    box.apply_translation(move)
    path = folder / f"box.{suffix}"
    box.export(path, **export)
    return path


def triangle_glb(nodes: Any, *, material: Any = None, more: Any = None, attributes: Any = None) -> bytes:
    """One triangle (0,0,0) (1,0,0) (0,0,-1) in glTF axes, that is east and north."""
    corner = np.array([[0, 0, 0], [1, 0, 0], [0, 0, -1]], "<f4").tobytes()
    uv = np.array([[0.2, 0.2]] * 3, "<f4").tobytes()
    document = {
        "asset": {"version": "2.0"}, "scene": 0, "scenes": [{"nodes": [0]}], "nodes": nodes,
        "meshes": [{"name": "shape", "primitives": [{"attributes": {"POSITION": 0, **(attributes or {})}}]}],
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3"},
            {"bufferView": 1, "componentType": 5126, "count": 3, "type": "VEC2"},
        ],
        "bufferViews": [{"buffer": 0, "byteLength": 36}, {"buffer": 0, "byteOffset": 36, "byteLength": 24}],
        "buffers": [{"byteLength": 60}],
        **(more or {}),
    }  # fmt: skip
    if material is not None:
        document["materials"] = [material]
        document["meshes"][0]["primitives"][0]["material"] = 0
    return glb_of(document, corner + uv)
