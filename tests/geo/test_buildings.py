"""Footprints to solids: closed, right volume, right place; trees and roads beside them."""

from __future__ import annotations

import time

import numpy as np
import pytest
import shapely

from geo import buildings, roads, trees
from geo.model import Grid, Mesh

SQUARE = shapely.box(0, 0, 10, 20)
COURT = shapely.Polygon([(0, 0), (30, 0), (30, 30), (0, 30)], [[(10, 10), (20, 10), (20, 20), (10, 20)]])
# Ear clipping leaves out vertices that come to lie straight in such symmetric plans.
COMB = shapely.union_all([shapely.box(0, 0, 70, 10), *[shapely.box(20 * k, 10, 20 * k + 10, 30) for k in range(4)]])


def open_edges(mesh: Mesh) -> int:
    """Edges that are not met exactly once in each direction."""
    ways = np.concatenate([mesh.faces[:, [0, 1]], mesh.faces[:, [1, 2]], mesh.faces[:, [2, 0]]]).astype(np.int64)
    forward, backward = ways[:, 0] << 32 | ways[:, 1], ways[:, 1] << 32 | ways[:, 0]
    return len(np.setxor1d(forward, backward)) + len(forward) - len(np.unique(forward))


@pytest.mark.parametrize("plan", [SQUARE, COURT, COMB])
def test_solid_is_closed_and_holds_area_times_height(plan: shapely.Polygon) -> None:
    clean = buildings.clean_areas(np.array([plan], dtype=object))
    mesh, codes = buildings.extrude(clean.polygons, [12.0], [7.5])
    assert open_edges(mesh) == 0
    assert buildings.volume(mesh, 1)[0] == pytest.approx(plan.area * 7.5)
    area = [mesh.face_area[codes == code].sum() for code in range(3)]
    assert area == pytest.approx([plan.area, plan.length * 7.5, plan.area])
    assert (mesh.bounds.low[2], mesh.bounds.high[2]) == (12.0, 19.5)
    assert mesh.face_normal[codes == buildings.ROOF, 2].min() == pytest.approx(1)
    assert mesh.face_normal[codes == buildings.GROUND, 2].max() == pytest.approx(-1)


def test_walls_look_outward() -> None:
    mesh, codes = buildings.extrude(buildings.clean_areas(np.array([COURT], object)).polygons, [0.0], [3.0])
    wall = codes == buildings.WALL
    middle = mesh.vertices[mesh.faces[wall]].mean(axis=1)[:, :2]
    outside = shapely.points(middle + 0.1 * mesh.face_normal[wall, :2])
    assert not shapely.contains(COURT, outside).any()


def test_broken_outlines_are_repaired_counted_and_slivers_left_out() -> None:
    bow_tie = shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])
    sliver = shapely.box(0, 0, 0.01, 20)
    parts = shapely.MultiPolygon([SQUARE, shapely.box(50, 0, 60, 10)])
    repeated = shapely.Polygon([(0, 0), (0, 0), (5, 0), (10, 0), (10, 10), (10, 10), (0, 10)])
    areas = np.array([bow_tie, sliver, parts, None, repeated, shapely.Polygon()], dtype=object)
    clean = buildings.clean_areas(areas)
    assert (clean.repaired, clean.slivers) == (1, 1)
    assert sorted(set(clean.owner.tolist())) == [0, 2, 4]
    mesh, _ = buildings.extrude(clean.polygons, np.zeros(len(clean.owner)), np.ones(len(clean.owner)))
    assert open_edges(mesh) == 0
    total = np.bincount(clean.owner, weights=buildings.volume(mesh, len(clean.owner)), minlength=6)
    np.testing.assert_allclose(total, [50, 0, 300, 0, 100, 0])


def test_random_rings_and_stars_stay_closed() -> None:
    rng = np.random.default_rng(3)
    areas = []
    for _ in range(200):
        angle = np.sort(rng.uniform(0, 2 * np.pi, rng.integers(5, 40)))
        radius = rng.uniform(5, 20, len(angle))
        star = shapely.Polygon(np.column_stack([radius * np.cos(angle), radius * np.sin(angle)]))
        areas.append(star.difference(shapely.Point(rng.uniform(-5, 5, 2)).buffer(2)))
    clean = buildings.clean_areas(np.array(areas, dtype=object))
    height = rng.uniform(1, 90, len(clean.owner))
    mesh, _ = buildings.extrude(clean.polygons, np.zeros(len(height)), height)
    assert open_edges(mesh) == 0
    expected = shapely.area(clean.polygons) * height
    np.testing.assert_allclose(buildings.volume(mesh, len(height)), expected, rtol=1e-9)
    assert shapely.area(clean.polygons).sum() == pytest.approx(shapely.area(shapely.make_valid(areas)).sum(), rel=1e-3)


def test_ten_thousand_buildings_in_two_seconds() -> None:
    plans = np.array(
        [shapely.transform(COMB, lambda c, k=k: c + (100 * (k % 100), 100 * (k // 100))) for k in range(10_000)]
    )
    start = time.perf_counter()
    clean = buildings.clean_areas(plans)
    mesh, _ = buildings.extrude(clean.polygons, np.zeros(10_000), np.full(10_000, 9.0))
    assert time.perf_counter() - start < 4.0  # 2 s on a quiet machine, with room for a busy one
    assert len(mesh.faces) == 10_000 * (2 * 16 + 2 * 14)  # 16 corners: 32 triangles of walls, 14 of roof, 14 of ground


def test_road_strip_has_its_width_and_lies_on_the_ground() -> None:
    yy, xx = np.mgrid[0:101, 0:101] * 2.0
    hill = Grid(10 + 0.2 * xx + 5 * np.sin(yy / 20), 0.0, 0.0, 2.0)
    mesh, grounded = roads.strips(np.array([shapely.LineString([(20, 100), (180, 100)])]), [8.0], hill)
    assert grounded.all()
    flat = shapely.union_all(shapely.polygons(mesh.vertices[mesh.faces][:, :, :2]), grid_size=1e-6)
    assert flat.bounds[3] - flat.bounds[1] == pytest.approx(8.0)
    assert flat.area == pytest.approx(160 * 8 + np.pi * 16, rel=0.01)
    middle = mesh.vertices[mesh.faces].mean(axis=1)
    ground = hill.sample(middle[:, 0], middle[:, 1])
    assert np.abs(middle[:, 2] - ground - roads.LIFT).max() < 0.04, "it neither floats nor sinks within a triangle"
    assert mesh.face_normal[:, 2].min() > 0.5


def test_road_class_widths() -> None:
    assert roads.width_of_class("primary_link") == roads.width_of_class("primary")
    assert roads.width_of_class("도시계획 중로 1류") == 15.0
    assert np.isnan(roads.width_of_class("spaceway"))


def test_trees_have_the_height_and_crown_they_say() -> None:
    foot = np.array([(0, 0, 5.0), (50, 0, 7.0), (100, 0, 0)])
    planted = trees.plant(foot, [10.0, 6.0, 20.0], crown=[8.0, np.nan, 4.0], shape=[trees.BROAD, trees.OVAL, 2])
    baked = planted.baked()
    for row, (low, high, wide) in enumerate([(5, 15, 8.0), (7, 13, 2 * 0.31 * 6), (0, 20, 4.0)]):
        points = baked.vertices[np.unique(baked.faces[baked.face_element == row])]
        assert (points[:, 2].min(), points[:, 2].max()) == pytest.approx((low, high))
        reach = 2 * np.hypot(points[:, 0] - foot[row, 0], points[:, 1]).max()
        assert reach == pytest.approx(wide, rel=0.25)
        assert reach <= wide * 1.001
    for shape in trees.tree_shapes():
        crown = shape.faces[shape.face_element == trees.CROWN]
        assert len(crown) == 80
        middle = shape.vertices[crown].mean(axis=1) - (0, 0, 0.62)
        assert ((shape.face_normal[shape.face_element == trees.CROWN] * middle).sum(axis=1) > 0).mean() > 0.95
    assert trees.species_shape("소나무", fallback=0) == trees.CONIFER
    again = trees.plant(foot, [10.0, 6.0, 20.0])
    np.testing.assert_array_equal(again.transform, trees.plant(foot, [10.0, 6.0, 20.0]).transform)
