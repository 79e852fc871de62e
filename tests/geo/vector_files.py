"""GIS files written for the tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyogrio
import shapely

from geo.crs import make_frame
from geo.formats import vector
from geo.formats.contract import ReadOptions
from geo.model import (
    Feedback,
    Frame,
    Layer,
)

NAMYANGJU = make_frame("EPSG:5186", 215_500, 557_500)


ZURICH = make_frame("EPSG:32732", 463_000, 15_225_000)


SEJONG = make_frame("EPSG:5186", 229_000, 435_500)


def read(path: Path, frame: Frame, **options: object) -> list[Layer]:
    return vector.read(path, frame, ReadOptions(**options), Feedback())


def one(path: Path, frame: Frame, **options: object) -> Layer:
    layers = read(path, frame, **options)
    assert len(layers) == 1
    return layers[0]


def codes(layer: Layer) -> dict[str, int]:
    return {issue.code: issue.count for issue in layer.issues}


def save(path: Path, shapes: list, columns: dict[str, list], **options: object) -> Path:
    """A GIS file written by pyogrio in EPSG:5186, easting and northing round the Sejong frame's origin."""
    moved = shapely.transform(np.array(shapes, object), lambda c: c + (229_000, 435_500))
    data = [np.array(values) for values in columns.values()]
    settings = {"crs": "EPSG:5186", "geometry_type": "Unknown", **options}
    pyogrio.raw.write(str(path), shapely.to_wkb(moved), data, list(columns), **settings)
    return path


def square(x: float, y: float, side: float = 10) -> shapely.Polygon:
    return shapely.box(x, y, x + side, y + side)
