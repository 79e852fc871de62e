"""Distances of pipes: closed forms, an independent optimiser, and the index against every pair."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from analysis.kernels.boxtree import BoxTree
from analysis.kernels.capsules import CapsuleIndex, Pipes, inside_solids, pipe_distances, points_inside
from analysis.kernels.distances import box_box, box_triangle, segment_box, segment_triangle, segments_squared
from tests.tiny import box_mesh

Floats = np.ndarray
number = st.floats(-10, 10, allow_nan=False, width=32)
point = st.tuples(number, number, number).map(np.array)


def p(*values: float) -> Floats:
    return np.array(values, dtype=float)


def optimum(a: Floats, b: Floats, c: Floats, d: Floats) -> float:
    """Distance of segments ab and cd as a bounded least-squares problem."""

    def square(x: Floats) -> float:
        gap = a + x[0] * (b - a) - c - x[1] * (d - c)
        return float(gap @ gap)

    tries = [
        minimize(square, start, bounds=[(0, 1)] * 2, tol=1e-14).fun for start in ((0.1, 0.1), (0.9, 0.2), (0.5, 0.9))
    ]
    return float(np.sqrt(min(tries)))


@pytest.mark.parametrize(
    ("a", "b", "c", "d", "distance"),
    [
        (p(0, 0, 0), p(10, 0, 0), p(5, -5, 3), p(5, 5, 3), 3.0),  # crossing over
        (p(0, 0, 0), p(10, 0, 0), p(12, 0, 0), p(20, 0, 0), 2.0),  # in line
        (p(0, 0, 0), p(10, 0, 0), p(2, 4, 0), p(8, 4, 0), 4.0),  # side by side
        (p(0, 0, 0), p(10, 0, 0), p(13, 4, 0), p(13, 9, 0), 5.0),  # corner to end
        (p(0, 0, 0), p(0, 0, 0), p(3, 4, 0), p(3, 4, 0), 5.0),  # points
        (p(0, 0, 0), p(10, 0, 0), p(5, 2, 0), p(5, 2, 0), 2.0),  # a point beside
    ],
)
def test_segments_in_closed_form(a: Floats, b: Floats, c: Floats, d: Floats, distance: float) -> None:
    assert np.sqrt(segments_squared(a, b, c, d)) == pytest.approx(distance, abs=1e-12)
    assert np.sqrt(segments_squared(d, c, a, b)) == pytest.approx(distance, abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(point, point, point, point)
def test_segments_agree_with_an_optimiser(a: Floats, b: Floats, c: Floats, d: Floats) -> None:
    ours = float(np.sqrt(segments_squared(a, b, c, d)))
    assert ours == pytest.approx(optimum(a, b, c, d), abs=2e-4)
    assert ours == pytest.approx(float(np.sqrt(segments_squared(d, c, b, a))), abs=1e-9)


@pytest.mark.parametrize("angle", [1e-3, 1e-6, 1e-8, 1e-10, 1e-12, 0.0])
def test_nearly_parallel_pipes_are_exact(angle: float) -> None:
    """Two pipes of 200 m that cross at a tiny angle, half a metre above each other, far from the origin."""
    shift = p(400.0, -300.0, 20.0)
    a, b = p(-100, 0, 0) + shift, p(100, 0, 0) + shift
    c, d = p(-100, -100 * angle, 0.5) + shift, p(100, 100 * angle, 0.5) + shift
    assert np.sqrt(segments_squared(a, b, c, d)) == pytest.approx(0.5, abs=1e-12)


def test_triangles_in_closed_form() -> None:
    triangle = np.array([[0.0, 0, 0], [4, 0, 0], [0, 4, 0]])
    assert segment_triangle(p(1, 1, 2), p(1, 1, 5), triangle) == 2.0  # above the face
    assert segment_triangle(p(1, 1, -2), p(1, 1, 5), triangle) == 0.0  # through it
    assert segment_triangle(p(1, 1, 0), p(1.5, 1, 0), triangle) == 0.0  # in its plane
    assert segment_triangle(p(1, -3, -4), p(2, -3, -4), triangle) == pytest.approx(5.0)  # beside an edge
    assert segment_triangle(p(-1, -1, 3), p(-1, -1, 9), triangle) == pytest.approx(np.sqrt(11))  # at a corner
    line = np.array([[0.0, 0, 0], [2, 0, 0], [4, 0, 0]])
    assert segment_triangle(p(1, 1, 0), p(1, 3, 0), line) == pytest.approx(1.0)  # a triangle of no area


@settings(max_examples=40, deadline=None)
@given(point, point, st.tuples(point, point, point))
def test_triangle_is_never_nearer_than_its_points(a: Floats, b: Floats, corners: tuple[Floats, ...]) -> None:
    triangle = np.array(corners)
    ours = segment_triangle(a, b, triangle)
    u, v = np.meshgrid(np.linspace(0, 1, 30), np.linspace(0, 1, 30))
    u, v = u[u + v <= 1], v[u + v <= 1]
    spots = triangle[0] + u[:, None] * (triangle[1] - triangle[0]) + v[:, None] * (triangle[2] - triangle[0])
    along = a + np.linspace(0, 1, 60)[:, None] * (b - a)
    sampled = np.linalg.norm(spots[:, None] - along[None], axis=2).min()
    assert ours <= sampled + 1e-9
    assert sampled - ours < 2.5  # no more than the spacing of the samples


def test_boxes_in_closed_form() -> None:
    a, b = p(0, 0, 0), p(10, 0, 0)  # 4 m wide, 2 m high
    assert segment_box(p(5, 5, 0), p(5, 9, 0), a, b, 2.0, 1.0) == pytest.approx(3.0)
    assert segment_box(p(5, 0, 4), p(6, 0, 9), a, b, 2.0, 1.0) == pytest.approx(3.0)
    assert segment_box(p(13, 6, 0), p(20, 6, 0), a, b, 2.0, 1.0) == pytest.approx(5.0)
    assert segment_box(p(-5, 1, 0.5), p(15, 1, 0.5), a, b, 2.0, 1.0) == 0.0
    assert box_box(a, b, 2.0, 1.0, p(0, 10, 0), p(10, 10, 0), 1.0, 1.0) == pytest.approx(7.0)
    assert box_box(a, b, 2.0, 1.0, p(4, 0, 0), p(6, 0, 0), 0.1, 0.1) == 0.0  # one inside the other
    assert box_triangle(a, b, 2.0, 1.0, np.array([[0.0, 0, 3], [9, 0, 3], [0, 9, 3]])) == pytest.approx(2.0)


@settings(max_examples=40, deadline=None)
@given(point, point, point, point)
def test_segment_and_box_agree_with_samples(a: Floats, b: Floats, c: Floats, d: Floats) -> None:
    if np.hypot(*(d - c)[:2]) < 0.1:
        return
    axis = (d - c) / np.linalg.norm(d - c)
    side = np.array([axis[1], -axis[0], 0.0]) / np.hypot(*axis[:2])
    frame = np.array([axis, side, np.cross(side, axis)])
    spots = (a + np.linspace(0, 1, 2001)[:, None] * (b - a) - (c + d) / 2) @ frame.T
    out = np.maximum(np.abs(spots) - [np.linalg.norm(d - c) / 2, 0.7, 0.4], 0.0)
    sampled = np.linalg.norm(out, axis=1).min()
    ours = segment_box(a, b, c, d, 0.7, 0.4)
    assert -1e-9 <= sampled - ours <= np.linalg.norm(b - a) / 2000 + 1e-9


def city(count: int, seed: int) -> Pipes:
    """Pipes of all directions, some upright, some boxes, some of no length."""
    rng = np.random.default_rng(seed)
    a = rng.uniform(0, 100, (count, 3)) * [1, 1, 0.05]
    b = a + rng.normal(0, 6, (count, 3)) * [1, 1, 0.1]
    b[::17] = a[::17]
    b[1::17, :2] = a[1::17, :2]
    box = np.arange(count) % 5 == 0
    size = rng.uniform(0.05, 0.8, count)
    return Pipes(a, b, np.where(box, 0, size), np.where(box, size, 0), np.where(box, 0.5 * size, 0))


def test_index_equals_every_pair() -> None:
    pipes, others = city(1500, 1), city(40, 2)
    other, own, distance = CapsuleIndex(pipes).near_pipes(others, reach=3.0)
    i, j = (m.ravel() for m in np.meshgrid(np.arange(40), np.arange(1500), indexing="ij"))
    every = pipe_distances(others, i, pipes, j)
    near = every <= 3.0
    assert np.array_equal(np.column_stack([other, own]), np.column_stack([i[near], j[near]]))
    assert np.abs(distance - every[near]).max() < 1e-9
    assert near.sum() > 300


def test_triangle_index_equals_every_pair() -> None:
    pipes = city(800, 3)
    boxes = [(20.0, 20.0, -2.0, 30.0, 20.0, 4.0), (70.0, 10.0, 0.0, 3.0, 3.0, 9.0), (50.0, 80.0, 1.0, 9.0, 9.0, 1.0)]
    mesh, _ = box_mesh(boxes)
    triangles, solid = mesh.vertices[mesh.faces], mesh.face_element.astype(np.int64)
    found = CapsuleIndex(pipes).near_solids(triangles, solid, reach=2.5)
    ours = dict(zip(zip(found.solid.tolist(), found.piece.tolist(), strict=True), found.distance, strict=True))
    for k in range(3):
        for n in range(len(pipes.a)):
            if pipes.half_width[n] > 0:
                gap = min(
                    box_triangle(pipes.a[n], pipes.b[n], pipes.half_width[n], pipes.half_height[n], t)
                    for t in triangles[solid == k]
                )
            else:
                gap = min(segment_triangle(pipes.a[n], pipes.b[n], t) for t in triangles[solid == k]) - pipes.radius[n]
            if gap <= 2.5:
                assert ours.pop((k, n)) == pytest.approx(gap, abs=1e-9)
    assert not ours


def test_points_inside_boxes_and_a_torus() -> None:
    import trimesh

    rng = np.random.default_rng(4)
    boxes = [(0.0, 0.0, 0.0, 4.0, 4.0, 4.0), (2.0, 2.0, 2.0, 4.0, 4.0, 4.0)]
    mesh, _ = box_mesh(boxes)
    points = rng.uniform(-1, 7, (4000, 3))
    points[:100] = np.round(points[:100])  # on corners, edges and seams in plan
    points[:100, 2] += 0.5
    pairs = inside_solids(points, mesh.vertices[mesh.faces], mesh.face_element.astype(np.int64))
    for k, (x, y, z, w, d, h) in enumerate(boxes):
        strictly = ((points > [x, y, z]) & (points < [x + w, y + d, z + h])).all(axis=1)
        closed = ((points >= [x, y, z]) & (points <= [x + w, y + d, z + h])).all(axis=1)
        mine = np.zeros(len(points), bool)
        mine[pairs[pairs[:, 0] == k, 1]] = True
        assert (mine[strictly]).all()
        assert not mine[~closed].any()
    torus = trimesh.creation.torus(3.0, 1.0)
    points = rng.uniform(-4, 4, (2000, 3)) * [1, 1, 0.3]
    ring = np.hypot(points[:, 0], points[:, 1]) - 3.0
    depth = np.hypot(ring, points[:, 2])
    sure = np.abs(depth - 1.0) > 0.06  # the mesh is a polygon
    triangles = np.asarray(torus.vertices)[np.asarray(torus.faces)]
    assert np.array_equal(points_inside(points, triangles)[sure], (depth < 1.0)[sure])
    assert np.array_equal(points_inside(points, triangles[:, ::-1])[sure], (depth < 1.0)[sure])


def test_tree_finds_what_a_table_finds_and_never_a_hole_in_the_data() -> None:
    rng = np.random.default_rng(5)
    low = rng.uniform(0, 50, (700, 3))
    high = low + rng.uniform(0, 6, (700, 3))
    low[3], high[5] = np.nan, np.nan
    asked = rng.uniform(0, 50, (60, 3))
    pairs = BoxTree(low, high).meeting(asked, asked + 3.0)
    with np.errstate(invalid="ignore"):
        meets = ((low[None] <= asked[:, None] + 3.0) & (asked[:, None] <= high[None])).all(axis=2)
    assert {tuple(pair) for pair in pairs.tolist()} == set(zip(*(w.tolist() for w in np.nonzero(meets)), strict=True))
    assert len(BoxTree(np.zeros((0, 3)), np.zeros((0, 3))).meeting(asked, asked)) == 0
