"""Four boxes on a slope: a scene small enough for software drawing, in memory and as real files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from app.commands import AddLayers
from app.document import Document
from geo.crs import make_frame
from geo.model import Column, ElementTable, Field, Frame, Grid, Issue, Layer, Mesh, merge_meshes

EAST, NORTH = 229_000.0, 435_800.0
SQUARE = [(0, 1, 2), (0, 2, 3)]
BOX_FACES = [
    *[(0, 2, 1), (0, 3, 2), (4, 5, 6), (4, 6, 7)],
    *[(0, 1, 5), (0, 5, 4), (1, 2, 6), (1, 6, 5)],
    *[(2, 3, 7), (2, 7, 6), (3, 0, 4), (3, 4, 7)],
]
PLACES = ((-60.0, -60.0, 12.0), (40.0, -50.0, 24.0), (-50.0, 40.0, 36.0), (30.0, 30.0, 48.0))


def frame() -> Frame:
    """Near the middle of the sample district."""
    return make_frame("EPSG:5186", EAST, NORTH)


def terrain() -> Layer:
    """200 m × 200 m, 5 m cells, rising to the north."""
    y = np.arange(40) * 5.0
    heights = np.repeat((20.0 + y * 0.02)[:, None], 40, axis=1)
    return Layer("ground", "Ground", "terrain", Grid(heights, -97.5, -97.5, 5.0))


def box(x: float, y: float, height: float) -> Mesh:
    """A building of 20 m × 14 m standing at 20 m."""
    ground = [(x, y), (x + 20, y), (x + 20, y + 14), (x, y + 14)]
    vertices = [(*p, 20.0) for p in ground] + [(*p, 20.0 + height) for p in ground]
    return Mesh(np.array(vertices), np.array(BOX_FACES, np.int32), np.zeros(len(BOX_FACES), np.int32))


def buildings() -> Layer:
    """Four boxes with names, heights and one doubt."""
    mesh = merge_meshes([box(*place) for place in PLACES])
    codes = np.tile(np.array([2, 2, 0, 0, *[1] * 8], np.int8), len(PLACES))
    surface = Field("surface", "1", "face", codes, categories=("roof", "wall", "ground", "other"))
    table = ElementTable(
        [f"B{n}" for n in range(1, 5)],
        {
            "name": Column(np.array(["Alder", "Birch", "Cedar", "Dogwood"], dtype=object)),
            "height": Column(np.array([place[2] for place in PLACES]), "m"),
        },
    )
    doubt = Issue("test.doubt", "One height is doubtful.", severity="doubt", count=1)
    return Layer("houses", "Houses", "building", mesh, table, (surface,), issues=(doubt,))


def fill(document: Document) -> None:
    """Put both into a document, as an import does."""
    document.do(AddLayers((terrain(), buildings()), frame=frame()))


def write_files(folder: Path) -> list[Path]:
    """A GeoTIFF and a GeoJSON of the same city."""
    from geo.formats.geotiff import write_grid

    grid = terrain().geometry
    assert isinstance(grid, Grid)
    tif = folder / "ground.tif"
    write_grid(tif, grid, frame(), description="height", unit="m")
    features = [_feature(number, *place) for number, place in enumerate(PLACES)]
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::5186"}}
    geojson = folder / "houses.geojson"
    geojson.write_text(json.dumps({"type": "FeatureCollection", "crs": crs, "features": features}), encoding="utf-8")
    return [tif, geojson]


def _feature(number: int, x: float, y: float, height: float) -> dict[str, object]:
    e, n = EAST + x, NORTH + y
    ring = [[e, n], [e + 20, n], [e + 20, n + 14], [e, n + 14], [e, n]]
    return {
        "type": "Feature",
        "properties": {"id": f"B{number + 1}", "name": f"House {number + 1}", "height": height},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }
