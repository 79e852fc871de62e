"""A tiny city made in memory: a flat terrain, two boxes and a tree line, in EPSG:5186."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from geo.crs import make_frame
from geo.model import Column, ElementTable, Field, Frame, Grid, Layer, Mesh, Source

SURFACES = ("roof", "wall", "ground", "other")
BOX_FACES = np.array(
    [
        [0, 2, 1], [0, 3, 2],  # ground, seen from below
        [4, 5, 6], [4, 6, 7],  # roof
        [0, 1, 5], [0, 5, 4],
        [1, 2, 6], [1, 6, 5],
        [2, 3, 7], [2, 7, 6],
        [3, 0, 4], [3, 4, 7],
    ]
)  # fmt: skip
BOX_SURFACE = np.array([2, 2, 0, 0, *[1] * 8], dtype=np.int8)


def tiny_frame() -> Frame:
    return make_frame("EPSG:5186", 229_000.0, 435_500.0)


def box_mesh(boxes: list[tuple[float, float, float, float, float, float]]) -> tuple[Mesh, np.ndarray]:
    """Boxes (x, y, z, width, depth, height) as one mesh, and the surface code of every face."""
    vertices, faces = [], []
    for number, (x, y, z, w, d, h) in enumerate(boxes):
        base = [(x, y), (x + w, y), (x + w, y + d), (x, y + d)]
        vertices += [(px, py, z) for px, py in base] + [(px, py, z + h) for px, py in base]
        faces.append(BOX_FACES + 8 * number)
    element = np.repeat(np.arange(len(boxes)), len(BOX_FACES))
    return Mesh(np.array(vertices), np.concatenate(faces), element), np.tile(BOX_SURFACE, len(boxes))


def buildings(boxes: list[tuple[float, float, float, float, float, float]] | None = None) -> Layer:
    boxes = boxes or [(-10.0, -10.0, 20.0, 20.0, 12.0, 30.0), (30.0, 10.0, 20.0, 15.0, 15.0, 9.0)]
    mesh, surface = box_mesh(boxes)
    table = ElementTable(
        [f"b{k}" for k in range(len(boxes))],
        {
            "height": Column(np.array([b[5] for b in boxes]), "m"),
            "name": Column(np.array(["가온마을 1동", None, *["x"] * len(boxes)][: len(boxes)], dtype=object)),
            "storeys": Column(np.arange(len(boxes), dtype=np.int64)),
            "listed": Column(np.zeros(len(boxes), dtype=bool)),
        },
    )
    field = Field("surface", "1", "face", surface, categories=SURFACES)
    return Layer("buildings", "Buildings", "building", mesh, table, (field,), source=Source(part="buildings"))


def terrain(height: float = 20.0, half: float = 80.0, cell: float = 2.0) -> Layer:
    count = int(2 * half / cell) + 1
    grid = Grid(np.full((count, count), height), -half, -half, cell)
    return Layer("terrain", "Terrain", "terrain", grid, source=Source(part="terrain"))


def tiny_layers() -> list[Layer]:
    return [terrain(), buildings()]


def write_terrain_tif(path: Path, *, height: float = 20.0, half: float = 80.0) -> Path:
    """The tiny terrain as a GeoTIFF."""
    from geo.formats.geotiff import write_grid

    grid = terrain(height, half).geometry
    write_grid(path, grid, tiny_frame(), description="terrain", unit="m")  # type: ignore[arg-type]
    return path


def write_city_json(path: Path, *, crs: str | None = "EPSG:5186", shift: tuple[float, float] = (0.0, 0.0)) -> Path:
    """The two boxes as CityJSON 2.0, written by hand."""
    origin = np.array([229_000.0 + shift[0], 435_500.0 + shift[1], 0.0])
    mesh, _ = box_mesh([(-10.0, -10.0, 20.0, 20.0, 12.0, 30.0), (30.0, 10.0, 20.0, 15.0, 15.0, 9.0)])
    points = mesh.vertices + origin
    objects = {}
    for number in range(2):
        b = 8 * number
        quads = [[0, 3, 2, 1], [4, 5, 6, 7], [0, 1, 5, 4], [1, 2, 6, 5], [2, 3, 7, 6], [3, 0, 4, 7]]
        shell = [[[b + k for k in quad]] for quad in quads]
        objects[f"b{number}"] = {
            "type": "Building",
            "attributes": {"storeys": number + 1, "name": "가온마을"},
            "geometry": [{"type": "Solid", "lod": "1", "boundaries": [shell]}],
        }
    data = {
        "type": "CityJSON",
        "version": "2.0",
        "transform": {"scale": [0.001, 0.001, 0.001], "translate": origin.tolist()},
        "CityObjects": objects,
        "vertices": np.round((points - origin) * 1000).astype(int).tolist(),
    }
    if crs:
        data["metadata"] = {"referenceSystem": f"https://www.opengis.net/def/crs/EPSG/0/{crs.split(':')[1]}"}
    path.write_text(json.dumps(data), encoding="utf-8")
    return path
