"""The wind tunnel made from a scene: axes, bodies, gaps, turned and mirrored cities."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.wind import domain, honesty, voxels
from analysis.wind.declaration import TunnelParams
from analysis.wind.plan import plan_tunnel
from analysis.wind.tunnel import AIR, BUILDING, GROUND
from geo.model import Feedback, Mesh
from tests.analysis.wind_tunnels import (
    BLOCK,
    CITY,
    Box,
    build,
    codes,
    flat,
    inputs_of,
    mesh_layer,
    oblique,
    relief,
    tree_layer,
)
from tests.tiny import BOX_FACES, box_mesh


@pytest.mark.parametrize("length", [30.0, 171.3, 900.0])
@pytest.mark.parametrize("offset", [0, 3])
def test_stretched_cells_fill_their_length_within_the_rules(length: float, offset: int) -> None:
    cells = domain.stretched(length, 4.0, 16.0, factor=1.15, multiple=8, offset=offset)
    assert cells.sum() == pytest.approx(length, abs=1e-9)
    assert (len(cells) + offset) % 8 == 0
    whole = np.concatenate([[4.0], cells])
    assert (whole[1:] / whole[:-1]).max() <= 1.15 + 1e-9
    assert cells.max() <= 16.0 + 1e-9


def test_every_level_has_the_same_border_and_halves_well() -> None:
    built = build(inputs_of(BLOCK))
    coarse, middle, fine = built.levels
    for level in (coarse, middle):
        np.testing.assert_allclose(level.x[[0, -1]], fine.x[[0, -1]])
        np.testing.assert_allclose(level.y[[0, -1]], fine.y[[0, -1]])
        assert level.z[-1] == pytest.approx(fine.z[-1])
    for level, cell in zip(built.levels, (16.0, 8.0, 4.0), strict=True):
        assert all(count % 8 == 0 for count in level.shape)
        inside = (level.x > level.study[0]) & (level.x < level.study[2])
        np.testing.assert_allclose(np.diff(level.x)[inside[:-1]], cell)
        for faces in (level.x, level.y, level.z):
            steps = np.diff(faces)
            assert (steps > 0).all()
            ratio = steps[1:] / steps[:-1]
            assert max(ratio.max(), (1 / ratio).max()) < 1.2
            assert steps.max() <= 4 * cell + 1e-6
    assert built.plan.size.cells == tuple(int(np.prod(level.shape)) for level in built.levels)


def test_map_height_lies_between_two_cells_of_air() -> None:
    tunnel = build(inputs_of(BLOCK, ground=flat(20.0))).finest
    middles = 0.5 * (tunnel.z[1:] + tunnel.z[:-1])
    assert tunnel.base == pytest.approx(20.0)
    assert middles[0] == pytest.approx(0.5)
    assert (middles < 1.75).sum() >= 2
    assert (tunnel.solid[:2] != GROUND).all()


def test_distances_of_the_border_follow_the_guides() -> None:
    tall: list[Box] = [(-20.0, -20.0, 0.0, 40.0, 40.0, 60.0)]
    everywhere = build(inputs_of(tall)).finest
    one = plan_tunnel(inputs_of(tall), TunnelParams(size=100.0), Feedback(), wind_from=np.array([270.0])).extent
    assert everywhere.study[0] - everywhere.x[0] >= 10 * 60
    assert one.border[2] - one.study[2] >= 10 * 60
    assert 5 * 60 <= one.study[0] - one.border[0] < 10 * 60
    assert one.top >= 6 * 60


def test_axes_follow_the_walls() -> None:
    rng = np.random.default_rng(1)
    walls = np.concatenate([30.0 + rng.normal(0, 0.5, 200), 120.0 + rng.normal(0, 0.5, 200), rng.uniform(0, 180, 100)])
    assert domain.dominant_turn(walls, np.ones(500)) == pytest.approx(30.0, abs=0.3)
    assert domain.dominant_turn(-walls, np.ones(500)) == pytest.approx(-30.0, abs=0.3)
    assert domain.dominant_turn(walls + 90.0, np.ones(500)) == pytest.approx(30.0, abs=0.3)
    assert domain.dominant_turn(np.array([0.0, 90.0, 180.0]), np.ones(3)) == 0.0
    assert domain.dominant_turn(np.zeros(0), np.zeros(0)) == 0.0


def test_axes_go_there_and_back() -> None:
    axes = domain.Axes(33.0, np.array([10.0, -5.0]))
    points = np.array([[1.0, 2.0], [-30.0, 70.0]])
    np.testing.assert_allclose(axes.to_scene(axes.to_tunnel(points)), points)
    ahead = axes.to_scene(np.array([[1.0, 0.0]]))[0] - axes.pivot
    assert np.degrees(np.arctan2(ahead[1], ahead[0])) == pytest.approx(33.0)


def voxels_of(mesh: Mesh, cell: float = 1.0, *, theme: str = "building", half: float = 16.0) -> tuple:
    solids = voxels.solids_of([mesh_layer(mesh, theme)])
    faces = np.arange(-half, half + 0.1, cell)
    z = np.arange(0.0, 20.1, cell)
    solid = np.zeros((len(z) - 1, len(faces) - 1, len(faces) - 1), np.int8)
    found = voxels.voxelise(
        solids, domain.Axes(0.0, np.zeros(2)), faces, faces, z, base=0.0,
        ground=np.zeros(solid.shape[1:]), solid=solid, feedback=Feedback(),
    )  # fmt: skip
    return found, solids


def test_prism_is_exact_at_every_column() -> None:
    """Against an independent test of the same points in the footprint."""
    import shapely

    from geo.buildings import extrude

    rng = np.random.default_rng(7)
    for turn in (0.0, 17.0, 45.0):
        shape = shapely.Polygon([(-9.3, -7.1), (8.2, -7.1), (8.2, 0.4), (1.1, 0.4), (1.1, 9.7), (-9.3, 9.7)])
        shape = shapely.affinity.rotate(shape, turn + rng.uniform(0, 1), origin=(0, 0))
        mesh, _ = extrude(np.array([shape], dtype=object), np.zeros(1), np.full(1, 7.3))
        found, _ = voxels_of(mesh)
        middle = np.arange(-15.5, 16.0)
        xx, yy = np.meshgrid(middle, middle)
        inside = shapely.contains_xy(shape, xx, yy)
        np.testing.assert_array_equal(found.solid[:7] == BUILDING, np.broadcast_to(inside, (7, *inside.shape)))
        assert (found.solid[7:] == AIR).all()
        assert not found.open_bodies.any()


def test_walls_through_cell_middles_keep_the_width() -> None:
    mesh, _ = box_mesh([(-8.5, -3.5, 0.0, 7.0, 7.0, 5.0), (1.5, -3.5, 0.0, 7.0, 7.0, 5.0)])
    found, _ = voxels_of(mesh)
    plan = found.solid[0] == BUILDING
    assert plan.any(axis=0).sum() == 14
    assert plan.any(axis=1).sum() == 7 + 1  # a wall on each side of the middle is drawn towards it
    np.testing.assert_array_equal(plan, plan[:, ::-1])


def open_box(keep: np.ndarray, *, flip: bool = False, twice: bool = False) -> Mesh:
    mesh, _ = box_mesh([(-5.0, -4.0, 0.0, 10.0, 8.0, 6.0)])
    faces = BOX_FACES[keep]
    faces = faces[:, ::-1] if flip else faces
    faces = np.concatenate([faces, faces[:, ::-1]]) if twice else faces
    return Mesh(mesh.vertices, faces, np.zeros(len(faces)))


@pytest.mark.parametrize(
    ("mesh", "is_open", "is_turned"),
    [
        (open_box(np.arange(12)), False, False),
        (open_box(np.arange(12), flip=True), False, True),
        (open_box(np.arange(2, 12)), True, False),  # no floor
        (open_box(np.arange(2, 12), flip=True), True, False),
        (open_box(np.arange(12), twice=True), True, False),  # every face from both sides
        (open_box(np.array([2, 3])), True, False),  # a roof alone, in the air
    ],
    ids=["closed", "inside out", "no floor", "no floor, inside out", "both sides", "roof only"],
)
def test_bodies_of_every_sort_are_solid(mesh: Mesh, is_open: bool, is_turned: bool) -> None:
    found, solids = voxels_of(mesh)
    roof_only = len(mesh.faces) == 2
    cells = 0 if roof_only else 10 * 8 * 6
    assert found.cells[0] == cells
    assert bool(found.open_bodies[0]) is is_open
    assert bool(found.turned[0]) is is_turned
    told = {i.code for i in voxels.voxel_issues(solids, found, np.ones(1, bool), np.ones((32, 32), bool), 1.0)}
    assert ("wind.open_bodies" in told) is is_open
    assert ("wind.turned_bodies" in told) is is_turned


def test_a_gable_roof_and_a_passage_are_kept() -> None:
    """A house of 10 x 8 m, eaves at 4 m, ridge at 8 m; beside it a bridge block over open ground."""
    x, y = 5.0, 4.0
    corners = np.array([
        [-x, -y, 0], [x, -y, 0], [x, y, 0], [-x, y, 0], [-x, -y, 4], [x, -y, 4], [x, y, 4], [-x, y, 4],
        [-x, 0, 8], [x, 0, 8],
    ])  # fmt: skip
    faces = np.array([
        [0, 2, 1], [0, 3, 2], [0, 1, 5], [0, 5, 4], [2, 3, 7], [2, 7, 6], [1, 2, 6], [1, 6, 5], [3, 0, 4], [3, 4, 7],
        [5, 6, 9], [7, 4, 8], [4, 5, 9], [4, 9, 8], [6, 7, 8], [6, 8, 9],
    ])  # fmt: skip
    found, _ = voxels_of(Mesh(corners, faces, np.zeros(len(faces))), 0.5)
    assert found.cells[0] * 0.125 == pytest.approx(10 * 8 * 4 + 10 * 8 * 4 / 2, rel=0.05)
    assert not found.open_bodies.any()
    bridge, _ = box_mesh([(-5.0, -4.0, 5.0, 10.0, 8.0, 4.0)])
    above, _ = voxels_of(bridge)
    assert (above.solid[:5] == AIR).all()
    assert above.cells[0] == 10 * 8 * 4


def test_models_with_rooms_are_filled() -> None:
    """Four walls, a floor and a roof of 0.3 m: between them there is no open air."""
    parts: list[Box] = [
        (-8, -8, 0, 16, 16, 0.3), (-8, -8, 9.7, 16, 16, 0.3),
        (-8, -8, 0.3, 0.3, 16, 9.4), (7.7, -8, 0.3, 0.3, 16, 9.4),
    ]  # fmt: skip
    mesh, _ = box_mesh(parts)
    found, solids = voxels_of(mesh, theme="bim")
    assert len(solids) == 1
    assert found.cells[0] == 16 * 16 * 10
    rooms, _ = voxels_of(mesh, theme="building")  # as buildings the parts stand for themselves
    assert rooms.cells.sum() < 16 * 16 * 2


def test_a_body_a_little_above_the_ground_stands_on_it() -> None:
    low = build(inputs_of([(-20.0, -20.0, 21.5, 40.0, 40.0, 20.0)], ground=flat(20.0))).finest
    high = build(inputs_of([(-20.0, -20.0, 26.0, 40.0, 40.0, 20.0)], ground=flat(20.0))).finest
    assert (low.solid[0] == BUILDING).any()
    assert not (high.solid[:4] == BUILDING).any()
    assert (high.solid == BUILDING).any()


def test_thin_buildings_and_closed_gaps_are_told() -> None:
    city: list[Box] = [
        (-40.0, -40.0, 0.0, 20.0, 20.0, 12.0),
        (-18.7, -40.0, 0.0, 20.0, 20.0, 12.0),  # a gap of 1.3 m
        (20.0, 20.0, 0.0, 12.0, 12.0, 12.0),
        (32.0, 20.0, 0.0, 12.0, 12.0, 12.0),  # wall to wall: no gap
        (-30.9, 31.0, 0.0, 0.4, 12.0, 9.0),  # a wall
    ]
    built = build(inputs_of(city, ground=flat()), area="229000, 435500")
    issues = {issue.code: issue for issue in built.issues}
    assert issues["wind.closed_gaps"].count == 1
    assert set(issues["wind.closed_gaps"].elements) == {"b0", "b1"}
    assert issues["wind.closed_gaps"].values["widest"] == pytest.approx(1.3)
    assert issues["wind.thin_buildings"].elements == ("b4",)


def test_an_alley_of_one_cell_stays_open_and_each_level_is_made_from_the_vectors() -> None:
    """8 m between two blocks are open at 8 m, where merged cells of 4 m would have closed them."""
    city: list[Box] = [(-46.0, -40.0, 0.0, 42.0, 80.0, 16.0), (4.0, -40.0, 0.0, 42.0, 80.0, 16.0)]
    built = build(inputs_of(city, ground=flat()), area="229000, 435500")
    for level in built.levels[1:]:
        row = level.solid[0, level.shape[1] // 2] == BUILDING
        edges = np.flatnonzero(np.diff(row.astype(int)))
        assert len(edges) == 4, "two blocks with an alley between"
    assert "wind.closed_gaps" not in codes(built)
    cells = honesty.resolution(built.finest)
    alley = cells[built.finest.shape[1] // 2, built.finest.shape[2] // 2]
    assert alley <= 2
    assert honesty.trust(np.array([[alley]], dtype=np.float32))[0, 0] == honesty.INDICATIVE


def mirrored(boxes: list[Box]) -> list[Box]:
    return [(-x - w, y, z, w, d, h) for x, y, z, w, d, h in boxes]


def quarter(boxes: list[Box]) -> list[Box]:
    return [(-y - d, x, z, d, w, h) for x, y, z, w, d, h in boxes]


def test_a_mirrored_and_a_turned_city_have_mirrored_and_turned_masks() -> None:
    one = build(inputs_of(CITY, ground=flat()), size=160.0).finest
    other = build(inputs_of(mirrored(CITY), ground=flat()), size=160.0).finest
    turned = build(inputs_of(quarter(CITY), ground=flat()), size=160.0).finest
    np.testing.assert_allclose(one.x, -other.x[::-1], atol=1e-9)
    np.testing.assert_array_equal(one.solid, other.solid[:, :, ::-1])
    np.testing.assert_array_equal(one.building, other.building[:, ::-1])
    np.testing.assert_array_equal(one.solid, np.rot90(turned.solid, 1, axes=(1, 2)))
    seen, same = honesty.resolution(one), honesty.resolution(other)[:, ::-1]
    np.testing.assert_allclose(seen, same, rtol=1e-5)


def test_an_oblique_city_on_a_hill_under_trees_is_mirrored_too() -> None:
    x = np.arange(-900.0, 901.0, 10.0)
    xx, yy = np.meshgrid(x, x)
    hills = 20.0 * np.exp(-((xx - 60.0) ** 2 + (yy - 30.0) ** 2) / 100.0**2)
    points = np.random.default_rng(0).uniform(-90.0, 90.0, (60, 2))
    grids = []
    for side in (1.0, -1.0):
        mesh = oblique(CITY, 28.0).geometry
        assert isinstance(mesh, Mesh)
        faces = mesh.faces if side > 0 else mesh.faces[:, ::-1]
        city = mesh_layer(Mesh(mesh.vertices * np.array([side, 1.0, 1.0]), faces, mesh.face_element))
        ground = relief(hills if side > 0 else hills[:, ::-1], -900.0, 10.0)
        planted = tree_layer([(side * px, py, 0.0) for px, py in points])
        grids.append(build(inputs_of(layers=(city,), ground=ground, trees=(planted,)), size=160.0).finest)
    one, other = grids
    assert one.turn_deg == -other.turn_deg == pytest.approx(28.0)
    np.testing.assert_array_equal(one.solid, other.solid[:, :, ::-1])
    np.testing.assert_allclose(one.ground, other.ground[:, ::-1], atol=1e-6)
    assert one.leaf_area is not None
    assert other.leaf_area is not None
    np.testing.assert_allclose(one.leaf_area, other.leaf_area[:, :, ::-1], atol=1e-4)


def test_the_grid_turns_with_the_city() -> None:
    straight = build(inputs_of(layers=(oblique(CITY, 0.0),), ground=flat()), area="229000, 435500").finest
    turned = build(inputs_of(layers=(oblique(CITY, 28.0),), ground=flat()), area="229000, 435500").finest
    assert straight.turn_deg == 0.0
    assert turned.turn_deg == pytest.approx(28.0, abs=1e-3)
    np.testing.assert_array_equal(straight.solid == BUILDING, turned.solid == BUILDING)
    assert turned.wind_angle(270.0) == pytest.approx(332.0, abs=1e-3)
