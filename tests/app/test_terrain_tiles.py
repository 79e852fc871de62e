"""Terrain tiles imported together or one after another carry buildings as one ground."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyogrio
import pytest
import shapely

from app.importer import import_files, terrain_of
from geo.crs import make_frame
from geo.formats.geotiff import write_grid
from geo.model import Grid, Mesh

SEJONG = make_frame("EPSG:5186", 229_000, 435_500)


def tiles(folder: Path) -> tuple[Path, Path]:
    """Two tiles side by side that rise to the east, 1 m in 10."""
    paths = folder / "west.tif", folder / "east.tif"
    for path, x0 in zip(paths, (-95.0, 5.0), strict=True):
        heights = np.tile(20 + (x0 + 10 * np.arange(10)) / 10, (10, 1))
        write_grid(path, Grid(heights, x0, -45.0, 10.0), SEJONG)
    return paths


def houses(folder: Path) -> Path:
    path = folder / "houses.gpkg"
    shapes = np.array([shapely.box(x, 0, x + 8, 8) for x in (-60, -4, 60)], object)
    moved = shapely.transform(shapes, lambda c: c + (229_000, 435_500))
    height = np.array([6.0, 6.0, 6.0])
    pyogrio.raw.write(str(path), shapely.to_wkb(moved), [height], ["height"], crs="EPSG:5186", geometry_type="Polygon")
    return path


@pytest.mark.parametrize("together", [True, False])
def test_houses_on_both_tiles_and_across_their_seam_stand_on_the_ground(tmp_path: Path, together: bool) -> None:
    west, east = tiles(tmp_path)
    place = houses(tmp_path)
    if together:
        layers = import_files([place, east, west], frame=SEJONG).layers
    else:
        first = import_files([west], frame=SEJONG).layers
        second = import_files([east], frame=SEJONG, layers=first).layers
        layers = (*first, *second, *import_files([place], frame=SEJONG, layers=[*first, *second]).layers)
    house = next(layer for layer in layers if layer.theme == "building")
    assert isinstance(house.geometry, Mesh)
    np.testing.assert_allclose(house.table.columns["base_used"].values, [14.0, 19.6, 26.0], atol=1e-4)
    assert "footprints.no_ground" not in {issue.code for issue in house.issues}
    notes = [issue for layer in layers for issue in layer.issues if issue.code == "terrain.tiles"]
    assert [issue.severity for issue in notes] == (["note"] if together else [])
    whole = terrain_of(layers)
    assert whole is not None
    assert whole.values.shape == (10, 20)
