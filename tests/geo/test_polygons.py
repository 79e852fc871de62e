"""Polygons to triangles: areas, holes, orientation, and polygons that cannot be triangulated."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from geo.polygons import AT_ONCE, REASONS, areas_of_triangles, newell_normals, triangulate_rings, triangulate_surfaces

Floats = NDArray[np.float64]

# Any plane: two orthonormal directions and an origin far from zero.
U = np.array([2.0, 1.0, 2.0]) / 3.0
V = np.array([-2.0, 2.0, 1.0]) / 3.0
NORMAL = np.cross(U, V)
ORIGIN = np.array([1200.0, -800.0, 45.0])


def on_plane(points: Floats | list[list[float]]) -> Floats:
    flat = np.asarray(points, dtype=float)
    return ORIGIN + flat[:, :1] * U + flat[:, 1:] * V


def areas(vertices: Floats, faces: NDArray[np.int64]) -> Floats:
    """Area of each triangle along NORMAL, negative where it turns the other way."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    return 0.5 * np.cross(b - a, c - a) @ NORMAL


def shoelace(points: Floats) -> float:
    x, y = points.T
    return 0.5 * float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))


def star(corners: int, inner: float) -> Floats:
    angle = 2 * np.pi * np.arange(2 * corners) / (2 * corners)
    radius = np.where(np.arange(2 * corners) % 2, inner, 10.0)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


L_SHAPE = np.array([[0, 0], [6, 0], [6, 2], [2, 2], [2, 5], [0, 5]], dtype=float)
ARROW = np.array([[0, 0], [4, 2], [0, 4], [1, 2]], dtype=float)  # concave quadrilateral


@pytest.mark.parametrize("shape", [L_SHAPE, ARROW, np.roll(ARROW, 1, axis=0), star(5, 3.0), star(40, 9.0)])
@pytest.mark.parametrize("turn", [1, -1])
def test_area_and_orientation_of_concave_shapes(shape: Floats, turn: int) -> None:
    vertices = on_plane(shape[::turn])
    faces, reason = triangulate_rings(vertices, [np.arange(len(shape))])
    assert reason == ""
    found = areas(vertices, faces)
    assert (found * turn > 0).all()
    assert found.sum() == pytest.approx(shoelace(shape) * turn, rel=1e-12)


@pytest.mark.parametrize("hole_turn", [1, -1])
def test_holes_are_cut_out_whatever_their_sense(hole_turn: int) -> None:
    outer = np.array([[0, 0], [10, 0], [10, 8], [0, 8]], dtype=float)
    holes = [np.array([[1, 1], [1, 3], [4, 3], [4, 1]], dtype=float)[::hole_turn], 6.0 + 0.1 * star(6, 5.0)]
    vertices = on_plane(np.concatenate([outer, *holes]))
    rings = np.split(np.arange(len(vertices)), [4, 8])
    faces, reason = triangulate_rings(vertices, rings)
    assert reason == ""
    found = areas(vertices, faces)
    assert (found > 0).all()
    assert found.sum() == pytest.approx(80.0 - 6.0 - abs(shoelace(holes[1])), rel=1e-12)
    # no triangle may cover a hole: none of its middles lies in the first one
    middle = (vertices[faces].mean(axis=1) - ORIGIN) @ np.stack([U, V], axis=1)
    assert not np.any((middle > [1, 1]).all(axis=1) & (middle < [4, 3]).all(axis=1))


@given(st.integers(3, 30), st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_star_shaped_polygons_keep_their_area(corners: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    angle = np.linspace(0, 2 * np.pi, corners, endpoint=False) + random.uniform(0, 0.5 / corners, corners)
    radius = random.uniform(1.0, 30.0, corners)
    shape = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    vertices = on_plane(shape)
    faces, reason = triangulate_rings(vertices, [np.arange(corners)])
    assert reason == ""
    assert areas(vertices, faces).sum() == pytest.approx(shoelace(shape), rel=1e-9)


def test_wall_of_a_quadrilateral_with_a_straight_corner_has_no_flat_triangle() -> None:
    vertices = np.array([[0, 0, 0], [2, 0, 0], [4, 0, 0], [0, 0, 3]], dtype=float)
    faces, reason = triangulate_rings(vertices, [[0, 1, 2, 3]])
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    assert reason == ""
    assert np.linalg.norm(np.cross(b - a, c - a), axis=1).min() > 1.0


@pytest.mark.parametrize(
    ("rings", "reason"),
    [
        ([[0, 1]], "fewer than three different corners"),
        ([[0, 0, 1, 1]], "fewer than three different corners"),
        ([], "fewer than three different corners"),
        ([[]], "fewer than three different corners"),
        ([[0, 1, 4]], "no area"),
        ([[0, 1, 4, 1]], "no area"),
        ([[0, 1, 5]], "a corner is not a finite number"),
        ([[0, 1, 2, 5]], "a corner is not a finite number"),
        ([[0, 2, 1, 3]], "no area"),
        ([[0, 2, 1, 6]], "the rings cross each other or themselves"),
        ([[0, 1, 2, 3], [7, 8, 9]], "the rings cross each other or themselves"),
        ([[0, 1, 2, 3], [0, 1, 4]], "a hole without area was left out"),
        ([[0, 1, 2, 3], []], "a hole without area was left out"),
    ],
)
def test_polygons_that_are_wrong_say_why(rings: list[list[int]], reason: str) -> None:
    square, nowhere = [[0, 0, 0], [2, 0, 0], [2, 2, 0], [0, 2, 0]], [np.nan, 0, 0]
    outside = [[5, 5, 0], [6, 5, 0], [6, 6, 0]]
    vertices = np.array([*square, [4, 0, 0], nowhere, [0, 1, 0], *outside])
    assert triangulate_rings(vertices, rings).reason == reason


def test_closing_corner_and_repeated_corners_do_no_harm() -> None:
    vertices = on_plane(L_SHAPE)
    faces, reason = triangulate_rings(vertices, [[0, 1, 1, 2, 3, 4, 5, 0]])
    assert reason == ""
    assert areas(vertices, faces).sum() == pytest.approx(shoelace(L_SHAPE))


def test_many_at_once_equals_one_by_one_and_one_bad_harms_no_other() -> None:
    random = np.random.default_rng(5)
    surfaces: list[list[list[int]]] = []
    pieces: list[Floats] = []
    for number in range(300):
        size = int(random.integers(3, 9))
        angle = np.sort(random.uniform(0, 2 * np.pi, size))
        ring = on_plane(np.stack([np.cos(angle), np.sin(angle)], axis=1) * random.uniform(2, 9))
        first = sum(len(piece) for piece in pieces)
        pieces.append(ring if number % 50 else np.repeat(ring[:1], size, axis=0))
        surfaces.append([list(range(first, first + size))])
    vertices = np.concatenate(pieces)
    rings = [ring for surface in surfaces for ring in surface]
    starts = np.cumsum([0, *map(len, rings)])
    done = triangulate_surfaces(vertices, np.concatenate(rings), starts, np.arange(len(surfaces) + 1))
    assert (np.diff(done.surface) >= 0).all()
    assert np.flatnonzero(done.reason).tolist() == [0, 50, 100, 150, 200, 250]
    for number, surface in enumerate(surfaces):
        alone = triangulate_rings(vertices, surface)
        assert REASONS[done.reason[number]] == alone.reason
        np.testing.assert_array_equal(done.faces[done.surface == number], alone.faces)


def test_newell_normal_is_the_area_vector() -> None:
    vertices = on_plane(L_SHAPE)
    np.testing.assert_allclose(newell_normals(vertices, np.array([0, 6])), [shoelace(L_SHAPE) * NORMAL], atol=1e-9)


def test_a_city_of_quadrilaterals_is_one_stroke() -> None:
    count = 100_000
    corner = np.array([[0, 0, 0], [3, 0, 0], [3, 0, 2], [0, 0, 2]], dtype=float)
    vertices = (corner + 5.0 * np.arange(count)[:, None, None]).reshape(-1, 3)
    begin = time.perf_counter()
    done = triangulate_surfaces(vertices, np.arange(4 * count), np.arange(0, 4 * count + 1, 4), np.arange(count + 1))
    elapsed = time.perf_counter() - begin
    assert len(done.faces) == 2 * count
    # one Python call for each polygon would take at least ten microseconds each even on a fast machine
    assert elapsed < 2.0


def test_triangles_as_areas_keep_their_order_over_the_pieces() -> None:
    count = 2 * AT_ONCE + 3
    size = np.linspace(1.0, 9.0, count)
    corners = np.zeros((count, 3, 3))
    corners[:, 1, 0], corners[:, 2, 1], corners[:, :, 2] = size, size, 7.0
    areas = areas_of_triangles(corners)
    assert len(areas) == count
    np.testing.assert_allclose([area.area for area in areas], size**2 / 2)
    assert len(areas_of_triangles(np.zeros((0, 3, 2)))) == 0
