"""The camera's arithmetic: what is held still in the picture stays still, to a millionth of a pixel."""

from __future__ import annotations

import numpy as np
import pytest

from app.view.camera import (
    HIGHEST_PITCH,
    LOWEST_PITCH,
    NEAREST,
    VIEWS,
    clipping,
    fitted,
    looking,
    metres_per_pixel,
    orbit,
    pan,
    project,
    ray,
    view_of,
    zoom,
)
from geo.model import Bounds

SIZE = (1280, 800)
TOWN = Bounds((-300.0, -200.0, 0.0), (400.0, 500.0, 60.0))


def pixel_of(camera, point):
    return project(camera, np.array([point]), SIZE)[0][0]


def test_two_hundred_orbits_leave_the_pivot_in_its_pixel() -> None:
    camera = looking(np.array([20.0, 30.0, 5.0]), azimuth=33.0, pitch=-40.0, distance=700.0)
    pivot = np.array([120.0, -40.0, 12.0])
    before = pixel_of(camera, pivot)
    steps = np.random.default_rng(7)
    for _ in range(200):
        camera = orbit(camera, pivot, turn=steps.uniform(-9, 9), tilt=steps.uniform(-5, 5))
        assert LOWEST_PITCH - 1e-6 <= camera.pitch <= HIGHEST_PITCH + 1e-6
        assert abs(camera.basis[0][2]) < 1e-12  # the horizon stays level
    np.testing.assert_allclose(pixel_of(camera, pivot), before, atol=1e-6)


def test_a_grabbed_point_stays_under_the_cursor() -> None:
    camera = looking(np.zeros(3), azimuth=250.0, pitch=-35.0, distance=500.0)
    origin, direction = ray(camera, (400.0, 600.0), SIZE)
    grabbed = origin + direction * (-origin[2] / direction[2])
    for place in ((700.0, 500.0), (90.0, 760.0), (1200.0, 420.0)):
        camera = pan(camera, grabbed, place, SIZE)
        np.testing.assert_allclose(pixel_of(camera, grabbed), place, atol=1e-6)
        assert camera.pitch == pytest.approx(-35.0)


def test_panning_above_the_horizon_does_not_fly_away() -> None:
    camera = looking(np.zeros(3), azimuth=0.0, pitch=-5.0, distance=500.0)
    moved = pan(camera, np.array([0.0, 0.0, 0.0]), (640.0, 5.0), SIZE)
    assert np.linalg.norm(moved.eye - camera.eye) < 500.0


def test_zoom_keeps_the_point_under_the_cursor_and_stops_before_it() -> None:
    camera = looking(np.zeros(3), azimuth=10.0, pitch=-50.0, distance=300.0)
    point = np.array([40.0, 25.0, 8.0])
    before = pixel_of(camera, point)
    for _ in range(30):
        camera = zoom(camera, point, notches=1.0)
    np.testing.assert_allclose(pixel_of(camera, point), before, atol=1e-5)
    for _ in range(60):
        camera = zoom(camera, point, notches=3.0)
    assert np.linalg.norm(point - camera.eye) >= NEAREST - 1e-9


def test_wheel_in_and_out_returns() -> None:
    camera = looking(np.zeros(3), azimuth=10.0, pitch=-50.0, distance=300.0)
    back = zoom(zoom(camera, np.array([9.0, 9.0, 0.0]), notches=4.0), np.array([9.0, 9.0, 0.0]), notches=-4.0)
    np.testing.assert_allclose(back.position, camera.position, atol=1e-9)


@pytest.mark.parametrize("name", sorted(VIEWS))
@pytest.mark.parametrize("aspect", [0.5, 1.6, 4.0])
def test_named_views_show_the_whole_box(name: str, aspect: float) -> None:
    camera = view_of(TOWN, name, aspect=aspect)
    size = (round(800 * aspect), 800)
    corners = np.array([[x, y, z] for x in (-300, 400) for y in (-200, 500) for z in (0, 60)], dtype=float)
    places, depth = project(camera, corners, size)
    assert (depth > 0).all()
    assert (places >= -0.5).all()
    assert (places <= np.array(size) + 0.5).all()


@pytest.mark.parametrize("azimuth", [0.0, 20.0, 90.0, 200.0, 359.0])
def test_azimuth_reads_back(azimuth: float) -> None:
    camera = looking(np.zeros(3), azimuth=azimuth, pitch=-89.0, distance=10.0)
    assert camera.azimuth == pytest.approx(azimuth, abs=1e-6)


def test_east_view_has_north_on_the_left() -> None:
    camera = view_of(TOWN, "east", aspect=1.6)
    north, south = pixel_of(camera, (50.0, 400.0, 0.0)), pixel_of(camera, (50.0, -100.0, 0.0))
    assert north[0] < south[0]


def test_ray_and_projection_are_inverse() -> None:
    camera = looking(np.array([5.0, 6.0, 7.0]), azimuth=77.0, pitch=-33.0, distance=120.0)
    origin, direction = ray(camera, (123.0, 456.0), SIZE)
    np.testing.assert_allclose(pixel_of(camera, origin + 88.0 * direction), (123.0, 456.0), atol=1e-8)


def test_clipping_planes_hold_the_scene() -> None:
    camera = fitted(TOWN, azimuth=20.0, pitch=-38.0, aspect=1.6)
    near, far = clipping(camera, TOWN)
    corners = np.array([[x, y, z] for x in (-300, 400) for y in (-200, 500) for z in (0, 60)], dtype=float)
    depth = project(camera, corners, SIZE)[1]
    assert 0.05 <= near <= depth.min()
    assert depth.max() <= far
    inside = looking(np.array([50.0, 150.0, 2.0]), azimuth=0.0, pitch=-5.0, distance=10.0)
    near, far = clipping(inside, TOWN)
    assert near <= 0.1
    assert far / near <= 20_000 * 1.01
    assert clipping(camera, None)[0] > 0


def test_metres_per_pixel_at_the_focus() -> None:
    camera = looking(np.zeros(3), azimuth=0.0, pitch=-89.0, distance=100.0)
    apart = pixel_of(camera, (10.0, 0.0, 0.0))[0] - pixel_of(camera, (0.0, 0.0, 0.0))[0]
    assert 10.0 / apart == pytest.approx(metres_per_pixel(camera, 800), rel=1e-6)
