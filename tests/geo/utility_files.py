"""Small utility maps and registers written by hand, and what is asked of the layers read from them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyogrio
import shapely

from geo.crs import make_frame, transform
from geo.formats import vector
from geo.formats.contract import ReadOptions
from geo.model import Feedback, Grid, Issue, Layer, Lines

FRAME = make_frame("EPSG:5186", 229_000, 435_500)


EAST, NORTH = FRAME.origin[:2]


# Ground z = 20 + x / 10 over 0..400 m in x, exact under bilinear sampling.
SLOPE = Grid(20 + np.tile(np.arange(-5, 86) * 0.5, (21, 1)), -25.0, -50.0, 5.0)


def write_lines(path: Path, lines: list[object], crs: str = "EPSG:5186", **columns: list[object]) -> Path:
    """A map of lines given in local metres."""
    shapes = np.array(
        [
            line if isinstance(line, shapely.Geometry) else shapely.linestrings(np.array(line, float))
            for line in lines
        ],
        dtype=object,
    )  # fmt: skip
    points = shapely.get_coordinates(shapes, include_z=bool(shapely.has_z(shapes).any()))
    points[:, :2] = np.column_stack(transform(points[:, 0] + EAST, points[:, 1] + NORTH, FRAME.crs, crs))
    shapes = shapely.set_coordinates(shapes, points)
    several = any(shape.geom_type.startswith("Multi") for shape in shapes)
    kind = "Unknown" if several else "LineString Z" if shapely.has_z(shapes).any() else "LineString"
    values = [np.array(v, dtype=object if any(isinstance(x, str) or x is None for x in v) else None)
              for v in columns.values()]  # fmt: skip
    more = {"encoding": "CP949"} if path.suffix == ".shp" else {}
    pyogrio.raw.write(str(path), shapely.to_wkb(shapes), values, list(columns), crs=crs, geometry_type=kind, **more)
    return path


def read_all(path: Path, terrain: Grid | None = SLOPE, kind: str | None = None, **own: object) -> list[Layer]:
    options = ReadOptions(kind=kind, terrain=terrain, own=vector.VectorOptions(**own))
    return vector.read(path, FRAME, options, Feedback())


def read(path: Path, terrain: Grid | None = SLOPE, kind: str | None = None, **own: object) -> Layer:
    return read_all(path, terrain, kind, **own)[0]


def issue(layer: Layer, code: str) -> Issue:
    return next(issue for issue in layer.issues if issue.code == code)


def codes(layer: Layer) -> set[str]:
    return {issue.code for issue in layer.issues}


def heights(layer: Layer, row: int) -> np.ndarray:
    assert isinstance(layer.geometry, Lines)
    lines = layer.geometry
    (number,) = np.flatnonzero(lines.line_element == row)
    return lines.vertices[lines.offsets[number] : lines.offsets[number + 1]]


FLAT_RUN = [[0, 0], [100, 0]]
