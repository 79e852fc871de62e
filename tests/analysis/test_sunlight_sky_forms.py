"""Sky view in closed form at the worst places: from wall to wall of a street, in the corners of courtyards."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.kernels.horizon import sky_view_horizon
from analysis.kernels.rays import Occluder
from analysis.sunlight_sky.view import Obstacles, views
from geo.model import Feedback, Grid, Mesh, merge_meshes
from tests.analysis.test_rays import box


def sky_at(mesh: Mesh, points: list[tuple[float, float, float]], directions: int = 256) -> np.ndarray:
    nothing = Occluder([box(1, 1, 1, at=(1e5, 1e5, -5.0))])
    up = np.tile([0.0, 0.0, 1.0], (len(points), 1))
    obstacles = Obstacles(nothing, Occluder([mesh]), None)
    return views(obstacles, np.array(points), up, directions=directions, feedback=Feedback()).sky


@pytest.mark.parametrize("height", [10.0, 20.0, 60.0])
def test_sky_of_a_street_from_wall_to_wall(height: float) -> None:
    """(cos a + cos b) / 2 with the angles up to both eaves; street 20 m wide, as many directions as by default."""
    walls = merge_meshes([box(8000, 10, height, at=(0, y, 0)) for y in (-15.0, 15.0)])
    across = np.array([-9.9, -9.0, -6.0, -2.0, 0.0, 3.0, 8.0, 9.7])
    expected = sum(np.cos(np.arctan(height / (10.0 + side * across))) for side in (-1, 1)) / 2
    found = sky_at(walls, [(0.0, float(y), 0.0) for y in across])
    assert np.abs(found - expected).max() < 0.02
    finer = sky_at(walls, [(0.0, float(y), 0.0) for y in across], 4096)
    assert np.abs(finer - expected).max() < 0.004


def rectangle_factor(width: float, depth: float, height: float) -> float:
    """View factor of a level spot to a level rectangle `height` above, one corner of it straight overhead."""
    a, b = width / height, depth / height
    first = a / np.hypot(1, a) * np.arctan(b / np.hypot(1, a))
    return float((first + b / np.hypot(1, b) * np.arctan(a / np.hypot(1, b))) / (2 * np.pi))


def courtyard(width: float, depth: float, height: float) -> Mesh:
    thick = 10.0
    rows = [box(width + 2 * thick, thick, height, at=(0, side * (depth + thick) / 2, 0)) for side in (-1, 1)]
    return merge_meshes(rows + [box(thick, depth, height, at=(side * (width + thick) / 2, 0, 0)) for side in (-1, 1)])


def courtyard_sky(x: float, y: float, width: float, depth: float, height: float) -> float:
    sides = [(width / 2 + u * x, depth / 2 + v * y) for u in (-1, 1) for v in (-1, 1)]
    return sum(rectangle_factor(a, b, height) for a, b in sides)


@pytest.mark.parametrize(("width", "depth", "height"), [(20.0, 30.0, 12.0), (12.0, 12.0, 30.0)])
def test_sky_of_a_courtyard_in_the_middle_and_in_its_corners(width: float, depth: float, height: float) -> None:
    """Howell, catalogue of view factors, B-4: a spot to a rectangle; four of them meet overhead."""
    spots = [(u * (width / 2 - 0.2), v * (depth / 2 - 0.2), 0.0) for u in (-1, 0, 1) for v in (-1, 0, 1)]
    expected = np.array([courtyard_sky(x, y, width, depth, height) for x, y, _ in spots])
    assert np.abs(sky_at(courtyard(width, depth, height), spots) - expected).max() < 0.02
    assert np.abs(sky_at(courtyard(width, depth, height), spots, 4096) - expected).max() < 0.004


def test_sky_of_a_courtyard_on_a_raster() -> None:
    """From horizons: the middle of each cell, against the form for a yard whose walls stand on the cell's edges."""
    raster = np.full((140, 140), 12.0)
    raster[60:80, 55:85] = 0.0  # 20 x 30 m, cells of one metre, in the middle of a roof
    found = sky_view_horizon(Grid(raster, 0.0, 0.0, 1.0))
    rows, cols = np.arange(60, 80), np.arange(55, 85)
    expected = np.array([[courtyard_sky(c - 69.5, r - 69.5, 30.0, 20.0, 12.0) for c in cols] for r in rows])
    difference = found[60:80, 55:85] - expected
    assert np.sqrt((difference**2).mean()) < 0.03
    assert np.abs(difference).max() < 0.08  # beside a wall, half a cell away from it
