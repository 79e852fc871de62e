"""Rays and samples against closed forms."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from analysis.kernels import sampling
from analysis.kernels.rays import Occluder, sun_time
from analysis.kernels.sky import sky_patches, sky_view_rays, sky_view_sweep, sweep_lit
from analysis.kernels.sun import sun_vectors
from geo.model import Cancelled, Feedback, Grid, Mesh, merge_meshes


def box(
    width: float, depth: float, height: float, *, turn: float = 0.0, at: tuple[float, float, float] = (0, 0, 0)
) -> Mesh:
    """A box standing on z = at[2], centred on at; outward faces."""
    corners = np.array(
        [[x, y, z] for z in (0, height) for y in (-depth / 2, depth / 2) for x in (-width / 2, width / 2)]
    )
    c, s = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    corners = corners @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]]) + at
    quads = ((0, 2, 3, 1), (4, 5, 7, 6), (0, 1, 5, 4), (2, 6, 7, 3), (0, 4, 6, 2), (1, 3, 7, 5))
    faces = np.array([t for a, b, c, d in quads for t in ((a, b, c), (a, c, d))], np.int32)
    return Mesh(corners, faces, np.zeros(12, np.int32))


def test_shadow_of_a_box_is_height_over_tangent() -> None:
    occluder = Occluder([box(10, 10, 20)])
    for elevation in (10.0, 30.0, 60.0):
        length = 20 / np.tan(np.radians(elevation))
        north = 5 + length + np.array([-0.05, 0.05])
        points = np.column_stack([np.zeros(2), north, np.zeros(2)])
        assert occluder.occluded(points, sun_vectors(180.0, elevation)).tolist() == [True, False]


def test_far_from_the_origin_the_answer_is_the_same() -> None:
    shift = np.array([233_000.0, 435_000.0, 0.0])
    near, far = Occluder([box(10, 10, 20)]), Occluder([box(10, 10, 20, at=tuple(shift))])
    rng = np.random.default_rng(3)
    points = np.column_stack([rng.uniform(-60, 60, (5000, 2)), np.zeros(5000)])
    way = sun_vectors(200.0, 25.0)
    assert (near.occluded(points, way) == far.occluded(points + shift, way)).mean() > 0.9995


def test_reach_ends_a_ray() -> None:
    occluder = Occluder([box(10, 10, 20)])
    point, way = np.array([[0.0, 30.0, 1.0]]), np.array([[0.0, -1.0, 0.0]])
    assert occluder.occluded(point, way, 24.0).tolist() == [False]
    assert occluder.occluded(point, way, 26.0).tolist() == [True]
    hit = occluder.first_hit(point, way)
    assert hit.distance[0] == pytest.approx(25.0, abs=1e-4)
    assert hit.face[0] in (6, 7)


def test_face_numbers_run_through_many_meshes() -> None:
    terrain = Grid(np.zeros((250, 250)), -250, -250, 2.0).surface()  # more faces than are handed over at a time
    occluder = Occluder([terrain, box(10, 10, 20)])
    hit = occluder.first_hit(np.array([[0, 0, 50.0], [100.3, 90.2, 50.0], [9999.0, 0, 50.0]]), np.array([[0, 0, -1.0]]))
    assert hit.face[0] - len(terrain.faces) in (2, 3)
    below = terrain.vertices[terrain.faces[hit.face[1]]]
    assert below[:, 0].min() <= 100.3 <= below[:, 0].max()
    assert hit.face[2] == -1
    assert hit.distance[2] == np.inf


def test_nothing_blocks_nothing() -> None:
    empty = Occluder([])
    assert empty.occluded(np.zeros((3, 3)), np.array([[0, 0, 1.0]])).tolist() == [False] * 3
    assert sun_time(empty, np.zeros((0, 3)), np.array([[0, 0, 1.0]]), np.array([1.0])).rays == 0


def many_boxes() -> Mesh:
    rng = np.random.default_rng(5)
    parts = [
        box(*rng.uniform(5, 15, 2), rng.uniform(5, 40), turn=rng.uniform(0, 90), at=(*rng.uniform(-100, 100, 2), 0.0))
        for _ in range(60)
    ]
    return merge_meshes(parts)


def day_of_ways() -> tuple[np.ndarray, np.ndarray]:
    azimuth = np.linspace(120, 240, 25)
    return sun_vectors(azimuth, 30 - ((azimuth - 180) / 15) ** 2), np.full(25, 0.4)


def test_same_bits_for_any_number_of_threads() -> None:
    occluder = Occluder([many_boxes()])
    rng = np.random.default_rng(6)
    points = np.column_stack([rng.uniform(-120, 120, (30_000, 2)), np.zeros(30_000)])
    normals = rng.normal(size=(30_000, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    ways, weights = day_of_ways()
    one, two, five = (sun_time(occluder, points, ways, weights, normals=normals, threads=n) for n in (1, 2, 5))
    for other in (two, five):
        assert other.rays == one.rays
        assert other.total.tobytes() == one.total.tobytes()
        assert other.longest.tobytes() == one.longest.tobytes()


def test_bundles_answer_like_single_rays() -> None:
    """The fast way held to the slow one: Embree's library with 16 rays at once, and embreex one by one."""
    meshes = [many_boxes(), Grid(np.random.default_rng(2).uniform(-1, 1, (80, 80)), -160, -160, 4.0).surface()]
    fast, slow = Occluder(meshes), Occluder(meshes, bundles=False)
    if fast.packets is None:
        pytest.skip("Embree's library was not found beside embreex")
    rng = np.random.default_rng(9)
    points = np.column_stack([rng.uniform(-120, 120, (20_001, 2)), np.full(20_001, 1.5)])
    normals = rng.normal(size=points.shape)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    ways, weights = day_of_ways()
    for facing in (None, normals):
        one, other = (sun_time(o, points, ways, weights, normals=facing) for o in (fast, slow))
        assert one.rays == other.rays
        assert (one.total != other.total).mean() < 1e-3
        assert (one.longest != other.longest).mean() < 1e-3
    spread = rng.normal(size=points.shape)
    spread /= np.linalg.norm(spread, axis=1, keepdims=True)
    for reach in (5.0, 1e30):
        assert (fast.occluded(points, spread, reach) != slow.occluded(points, spread, reach)).mean() < 1e-3
        near, far = (o.first_hit(points, spread, reach) for o in (fast, slow))
        assert (near.face != far.face).mean() < 1e-3
        both = (near.face == far.face) & (near.face >= 0)
        assert near.distance[both] == pytest.approx(far.distance[both], abs=1e-3)


def test_longest_run_is_unbroken() -> None:
    # A thin wall in the south hides the sun in the middle of the day only.
    occluder = Occluder([box(4, 0.5, 60, at=(0, -10, 0))])
    azimuth = np.arange(130.0, 231.0, 10.0)
    found = sun_time(occluder, np.zeros((1, 3)), sun_vectors(azimuth, np.full(11, 20.0)), np.full(11, 0.5))
    assert found.total[0] == pytest.approx(0.5 * 8)  # 170, 180, 190 are hidden: atan(2 / 9.75) = 11.6 degrees
    assert found.longest[0] == pytest.approx(0.5 * 4)


def test_a_surface_turned_away_is_dark_without_rays() -> None:
    found = sun_time(
        Occluder([]),
        np.zeros((2, 3)),
        sun_vectors(180.0, 20.0),
        np.ones(1),
        normals=np.array([[0, 1.0, 0], [0, -1.0, 0]]),
    )
    assert found.total.tolist() == [0.0, 1.0]
    assert found.rays == 1


def test_a_stop_is_heard_at_once() -> None:
    occluder = Occluder([many_boxes()])
    rng = np.random.default_rng(7)
    points = np.column_stack([rng.uniform(-120, 120, (2_000_000, 2)), np.zeros(2_000_000)])
    ways, weights = day_of_ways()
    stop = threading.Event()
    asked = []
    timer = threading.Timer(0.3, lambda: (asked.append(time.perf_counter()), stop.set()))
    timer.start()
    with pytest.raises(Cancelled):
        sun_time(occluder, points, ways, weights, feedback=Feedback(is_cancelled=stop.is_set))
    timer.join()
    assert time.perf_counter() - asked[0] < 1.0  # 0.2 s on an idle machine


def test_cells_have_the_area_of_the_faces() -> None:
    mesh = many_boxes()
    for spacing in (0.7, 3.0, 500.0):
        cells = sampling.face_cells(mesh, spacing)
        assert cells.area.sum() == pytest.approx(mesh.face_area.sum(), rel=1e-9)
        assert cells.mesh.face_area.sum() == pytest.approx(mesh.face_area.sum(), rel=1e-6)
        by_element = np.bincount(cells.element, cells.area)
        assert by_element == pytest.approx(np.bincount(mesh.face_element, mesh.face_area), rel=1e-9)


def test_a_wall_becomes_a_regular_grid_of_squares() -> None:
    cells = sampling.face_cells(box(10, 4, 6), 2.0)
    assert len(cells.area) == 2 * (5 * 3 + 2 * 3 + 5 * 2)
    assert cells.area == pytest.approx(4.0)
    assert len(cells.mesh.faces) == 2 * len(cells.area)


def test_awkward_faces_are_cut_without_loss() -> None:
    # an L-shaped gable roof side, a sliver and a face far smaller than a cell
    vertices = np.array(
        [
            [0, 0, 0],
            [9, 1, 2],
            [3, 7, 5],
            [20, 0, 0],
            [30, 0, 0],
            [25, 0.01, 0.3],
            [40, 0, 0],
            [40.2, 0, 0],
            [40, 0.1, 0],
        ],
        dtype=float,
    )
    mesh = Mesh(vertices, np.arange(9, dtype=np.int32).reshape(3, 3), np.arange(3, dtype=np.int32))
    cells = sampling.face_cells(mesh, 1.3)
    assert np.bincount(cells.element, cells.area) == pytest.approx(mesh.face_area, rel=1e-6)
    # every point lies in the plane of its face and within its triangle
    for element in range(3):
        a, b, c = vertices[mesh.faces[element]]
        at = cells.points[cells.element == element]
        u, v = np.linalg.lstsq(np.column_stack([b - a, c - a]), (at - a).T, rcond=None)[0]
        assert (np.abs(at - a - np.outer(u, b - a) - np.outer(v, c - a)) < 1e-6).all()
        assert ((u > -1e-9) & (v > -1e-9) & (u + v < 1 + 1e-9)).all()
    assert (np.einsum("ij,ij->i", cells.mesh.face_normal, cells.normals[cells.cell_of_face]) > 0.999).all()


def test_no_faces_no_cells() -> None:
    assert len(sampling.face_cells(merge_meshes(()), 2.0).area) == 0


def test_ground_lies_on_the_triangles_of_the_terrain() -> None:
    rng = np.random.default_rng(8)
    terrain = Grid(rng.uniform(0, 5, (20, 20)), -20.0, -20.0, 2.0)
    points = sampling.ground_points(terrain, 0.7, (-25.0, -25.0), (25.0, 25.0)).points
    assert np.abs(points[:, :2]).max() <= 20.0
    start = np.column_stack([points[:, :2], np.full(len(points), 100.0)])
    hit = Occluder([terrain.surface()]).first_hit(start, np.array([[0, 0, -1.0]]))
    assert 100.0 - hit.distance == pytest.approx(points[:, 2], abs=1e-4)


def test_sky_patches_fill_the_sky() -> None:
    assert len(sky_patches().weight) == 153
    assert sky_patches().weight.sum() == pytest.approx(1.0, abs=1e-12)


def test_sweep_and_rays_agree_on_the_sky_of_a_street() -> None:
    # Infinite street, height 20, width 20: the middle sees cos(atan(h / (w / 2))) of the sky (Oke 1988).
    heights = np.zeros((401, 41))
    heights[:, :10] = heights[:, 31:] = 20.0
    grid = Grid(heights, 0.0, 0.0, 1.0)
    expected = np.cos(np.arctan(20.0 / 10.5))
    assert sky_view_sweep(grid)[200, 20] == pytest.approx(expected, abs=0.03)
    seen = sky_view_rays(Occluder([grid.surface()]), np.array([[20.0, 200.0, 0.0]]))
    assert seen[0] == pytest.approx(expected, abs=0.03)


def test_sweep_turns_with_the_compass() -> None:
    heights = np.zeros((41, 41))
    heights[20, 20] = 10.0
    lit = sweep_lit(Grid(heights, 0.0, 0.0, 1.0), 90.0, 45.0)  # light in the east: shadow to the west
    assert not lit[20, 12:20].any()
    assert lit[20, 21:].all()
    assert lit[:20].all()
