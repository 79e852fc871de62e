"""Raster shade against closed forms: the length of a shadow, the sky over an endless street."""

from __future__ import annotations

import math

import numpy as np
import pytest

from analysis.kernels.shade import EVERYTHING, shadow_height, sky_view, surface_raster


@pytest.mark.parametrize("azimuth", [0.0, 31.0, 90.0, 135.0, 180.0, 211.0, 270.0, 333.0])
@pytest.mark.parametrize("altitude", [12.0, 29.6, 55.0])
def test_a_wall_throws_a_shadow_of_height_over_tangent(azimuth: float, altitude: float) -> None:
    cell, height, size = 0.5, 10.0, 301
    middle = size // 2
    away = np.array([-math.sin(math.radians(azimuth)), -math.cos(math.radians(azimuth))])
    offset = (np.arange(size) - middle) * cell
    along = offset[None, :] * away[0] + offset[:, None] * away[1]  # metres down-sun of the wall's far face
    surface = np.where((along <= 0) & (along > -5.0), height, 0.0).astype(np.float32)
    shade = shadow_height(surface, cell=cell, azimuth=azimuth, altitude=altitude)
    centre = np.hypot(offset[None, :] - away[0] * along, offset[:, None] - away[1] * along) < 10.0  # far from the ends
    dark = along[centre & (shade > 0.0) & (along > 0)]
    assert dark.max() == pytest.approx(height / math.tan(math.radians(altitude)), abs=1.5 * cell)
    lit_side = (along < -5.0 - cell) & centre
    assert (shade[lit_side] <= 0.0).all()


def test_shadow_height_falls_along_the_ray() -> None:
    surface = np.zeros((40, 200), np.float32)
    surface[:, 100] = 20.0
    shade = shadow_height(surface, cell=1.0, azimuth=90.0, altitude=45.0)  # sun in the east, shade to the west
    np.testing.assert_allclose(shade[20, 85:100], 20.0 - np.arange(15, 0, -1), atol=1e-4)
    assert (shade[20, 101:] <= 0.0).all()


def test_no_sun_is_shade_and_no_data_casts_none() -> None:
    surface = np.zeros((20, 20), np.float32)
    assert (shadow_height(surface, cell=1.0, azimuth=180.0, altitude=-1.0) == EVERYTHING).all()
    surface[10] = np.nan
    assert (shadow_height(surface, cell=1.0, azimuth=180.0, altitude=20.0) <= 0.0).all()


@pytest.mark.parametrize("along_north", [True, False])
def test_sky_over_the_middle_of_an_endless_street(along_north: bool) -> None:
    cell, half_width, height = 0.5, 10.0, 15.0
    size = 801
    across = np.abs(np.arange(size) - size // 2) * cell
    profile = np.where(across >= half_width, height, 0.0).astype(np.float32)
    surface = np.ascontiguousarray(
        np.broadcast_to(profile, (size, size)) if along_north else profile[:, None] + np.zeros((1, size), np.float32)
    )
    window = (slice(380, 421), slice(380, 421))
    seen = sky_view(surface, np.zeros_like(surface), cell=cell, directions=32, radius=190.0)[window]
    expected = math.cos(math.atan(height / half_width))
    assert seen[20, 20] == pytest.approx(expected, abs=0.02)


def test_open_ground_sees_all_the_sky_and_a_shaft_none() -> None:
    surface = np.zeros((101, 101), np.float32)
    assert sky_view(surface, surface, cell=1.0).min() == pytest.approx(1.0)
    walls = np.full((101, 101), 200.0, np.float32)
    walls[50, 50] = 0.0
    ground = np.zeros_like(walls)
    assert sky_view(walls, ground, cell=1.0)[50, 50] < 0.001


def test_triangles_become_heights() -> None:
    vertices = np.array(
        [[0, 0, 1.0], [10, 0, 1.0], [10, 10, 11.0], [0, 10, 11.0], [2, 2, 50.0], [2, 2, 0.0], [8, 2, 0.0]]
    )
    faces = np.array([[0, 1, 2], [0, 2, 3], [4, 5, 6]], np.int32)  # a ramp, and an upright wall that covers nothing
    raster = surface_raster(vertices, faces, x0=0.5, y0=0.5, cell=1.0, shape=(12, 12))
    np.testing.assert_allclose(raster[:10, :10], np.broadcast_to(1.5 + np.arange(10)[:, None], (10, 10)), atol=1e-5)
    assert np.isnan(raster[10:, :]).all()
    start = np.full((12, 12), 5.0, np.float32)
    raised = surface_raster(vertices, faces, x0=0.5, y0=0.5, cell=1.0, shape=(12, 12), start=start)
    assert raised[0, 0] == 5.0
    assert raised[9, 0] == pytest.approx(10.5)
    assert (start == 5.0).all()
