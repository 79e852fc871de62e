"""The wind tunnel made from a scene: axes, faces, ground, buildings, leaves, and what is said of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from analysis.wind import domain, honesty, terrain, trees, voxels
from analysis.wind.declaration import CityInputs, TunnelParams
from analysis.wind.geometry import Built, build_levels, build_tunnel
from analysis.wind.plan import plan_tunnel, same_tunnel
from analysis.wind.tunnel import AIR, BUILDING, GROUND, Tunnel
from geo.model import Feedback, Grid, Instances, Layer, Mesh, UserError
from geo.trees import plant
from tests.tiny import BOX_FACES, box_mesh, buildings, tiny_frame

Box = tuple[float, float, float, float, float, float]


def inputs_of(
    boxes: list[Box] | None = None, *, layers: tuple[Layer, ...] = (), ground: Layer | None = None,
    trees: tuple[Layer, ...] = (),
) -> CityInputs:  # fmt: skip
    given = (buildings(boxes),) if boxes else ()
    return CityInputs(tiny_frame(), terrain=ground, relief=(), buildings=(*given, *layers), trees=trees)


def flat(height: float = 0.0, half: float = 900.0) -> Layer:
    return relief(np.full((int(half / 10) + 1, int(half / 10) + 1), height), -half, 20.0)


def relief(values: np.ndarray, start: float, cell: float) -> Layer:
    return Layer("terrain", "Terrain", "terrain", Grid(values, start, start, cell))


def build(inputs: CityInputs, **params: object) -> Built:
    given = {"size": 100.0, "cell": 4.0, "leaves": "summer", **params}
    return build_tunnel(inputs, TunnelParams(**given), Feedback())


def codes(built: Built) -> set[str]:
    return {issue.code for issue in built.issues}


def mesh_layer(mesh: Mesh, theme: str = "building") -> Layer:
    return Layer("m", "Mesh", theme, mesh)


def built_volume(tunnel: Tunnel) -> float:
    cell = np.diff(tunnel.z)[:, None, None] * np.diff(tunnel.y)[None, :, None] * np.diff(tunnel.x)[None, None, :]
    return float((cell * (tunnel.solid == BUILDING)).sum())


BLOCK: list[Box] = [(-20.0, -20.0, 0.0, 40.0, 40.0, 20.0)]


# --- faces


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


# --- buildings


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


CITY: list[Box] = [
    (-70.0, -50.0, 0.0, 20.0, 36.0, 15.0), (-42.0, -50.0, 0.0, 10.0, 10.0, 33.0), (-18.0, -30.0, 0.0, 30.0, 12.0, 21.0),
    (26.0, -14.0, 0.0, 14.0, 60.0, 27.0), (-50.0, 14.0, 0.0, 44.0, 16.0, 9.0), (50.0, 34.0, 0.0, 20.0, 16.0, 12.0),
]  # fmt: skip


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


def oblique(boxes: list[Box], angle: float) -> Layer:
    mesh, _ = box_mesh(boxes)
    a = np.radians(angle)
    turn = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    return mesh_layer(Mesh(mesh.vertices @ turn.T, mesh.faces, mesh.face_element))


def test_the_grid_turns_with_the_city() -> None:
    straight = build(inputs_of(layers=(oblique(CITY, 0.0),), ground=flat()), area="229000, 435500").finest
    turned = build(inputs_of(layers=(oblique(CITY, 28.0),), ground=flat()), area="229000, 435500").finest
    assert straight.turn_deg == 0.0
    assert turned.turn_deg == pytest.approx(28.0, abs=1e-3)
    np.testing.assert_array_equal(straight.solid == BUILDING, turned.solid == BUILDING)
    assert turned.wind_angle(270.0) == pytest.approx(332.0, abs=1e-3)


# --- bad cities


def test_a_tower_of_500_m_in_a_low_district_is_told() -> None:
    low: list[Box] = [(x, y, 0.0, 30.0, 30.0, 9.0) for x in (-120, -70, 20, 80) for y in (-120, -60, 0, 60)]
    built = build(inputs_of([*low, (-15.0, -15.0, 0.0, 20.0, 20.0, 500.0)]), size=300.0, cell=8.0)
    tower = next(issue for issue in built.issues if issue.code == "wind.tall_buildings")
    assert tower.values["building"] == "b16"
    slab = build(inputs_of([*low, (-150.0, -10.0, 0.0, 300.0, 2.0, 300.0)]), size=300.0, cell=8.0)
    wide = next(issue for issue in slab.issues if issue.code == "wind.blockage")
    assert wide.values["building"] == "b16"
    assert float(wide.values["percent"]) > 3.0  # type: ignore[arg-type]
    assert built.finest.z[-1] >= 1.5 * 500.0
    assert (built.finest.solid[-1] == AIR).all()


def test_a_building_that_covers_the_area_is_refused() -> None:
    with pytest.raises(UserError) as caught:
        build(inputs_of([(-90.0, -90.0, 0.0, 180.0, 180.0, 10.0)]), size=100.0)
    assert caught.value.code == "wind.no_open_ground"


def test_no_buildings_is_told_and_nothing_at_all_refused() -> None:
    built = build(inputs_of(ground=flat()))
    assert "wind.no_buildings" in codes(built)
    assert not (built.finest.solid == BUILDING).any()
    with pytest.raises(UserError) as caught:
        build(inputs_of())
    assert caught.value.code == "wind.nothing"


def test_buildings_keep_clear_of_the_border() -> None:
    row: list[Box] = [(x, -10.0, 0.0, 20.0, 20.0, 12.0) for x in np.arange(-1500.0, 1500.0, 40.0)]
    tunnel = build(inputs_of(row), area="229000, 435500").finest
    across = (tunnel.solid == BUILDING).any(axis=(0, 1))
    middles = 0.5 * (tunnel.x[1:] + tunnel.x[:-1])
    assert not across[(middles < tunnel.x[0] + 60) | (middles > tunnel.x[-1] - 60)].any()
    assert across[np.abs(middles) < 300].any()
    assert (tunnel.building[:, ~across] < 0).all()


def test_memory_is_asked_before_and_the_proposal_fits() -> None:
    extent = plan_tunnel(inputs_of(CITY), TunnelParams(size=2000.0, cell=1.0), Feedback()).extent
    domain.check_memory(extent, None)
    with pytest.raises(UserError) as caught:
        domain.check_memory(extent, 2 * 2**30)
    assert caught.value.code == "wind.memory"
    fits = float(caught.value.values["fits"])  # type: ignore[arg-type]
    assert domain.size_of(domain.with_cell(extent, fits)).memory <= 2 * 2**30
    assert domain.size_of(domain.with_cell(extent, 0.6 * fits)).memory > 2 * 2**30


# --- ground


def hill(height: float) -> Layer:
    x = np.arange(-900.0, 901.0, 10.0)
    xx, yy = np.meshgrid(x, x)
    return relief(50.0 + height * np.exp(-(xx**2 + yy**2) / 200.0**2) + 0.02 * xx, -900.0, 10.0)


def test_ground_is_true_inside_and_level_along_the_border() -> None:
    ground = hill(25.0)
    built = build(inputs_of(ground=ground), size=300.0)
    tunnel = built.finest
    assert "wind.relief_coarse" not in codes(built)
    assert "wind.relief_coarse" in codes(build(inputs_of(ground=hill(400.0)), size=300.0))
    for edge in (tunnel.ground[0], tunnel.ground[-1], tunnel.ground[:, 0], tunnel.ground[:, -1]):
        np.testing.assert_allclose(edge, tunnel.ground[0, 0], atol=1e-3)
    mx, my = 0.5 * (tunnel.x[1:] + tunnel.x[:-1]), 0.5 * (tunnel.y[1:] + tunnel.y[:-1])
    xx, yy = np.meshgrid(mx, my)
    inside = (np.abs(xx) < 150) & (np.abs(yy) < 150)
    grid = ground.geometry
    assert isinstance(grid, Grid)
    np.testing.assert_allclose(tunnel.ground[inside] + tunnel.base, grid.sample(xx[inside], yy[inside]), atol=1e-3)
    middles = 0.5 * (tunnel.z[1:] + tunnel.z[:-1])
    np.testing.assert_array_equal(tunnel.solid == GROUND, middles[:, None, None] < tunnel.ground)
    fine = np.interp(tunnel.ground[inside] + 2.0, middles, np.diff(tunnel.z))
    assert np.quantile(fine, 0.95) <= 1.01, "fine cells at the ground of the study area, on the hill too"


def test_a_cliff_and_a_short_terrain_are_told() -> None:
    x = np.arange(-100.0, 101.0, 2.0)
    values = np.where(np.meshgrid(x, x)[0] > 0.0, 40.0, 10.0)
    built = build(inputs_of(ground=relief(values, -100.0, 2.0)), size=100.0)
    assert {"wind.cliff", "wind.terrain_short"} <= codes(built)
    assert np.isfinite(built.finest.ground).all()


def test_without_terrain_the_feet_of_the_buildings_are_the_ground() -> None:
    level = build(inputs_of(BLOCK))
    assert "wind.flat_ground" in codes(level)
    slope: list[Box] = [(40.0 * i, 40.0 * j, 2.0 * i, 12.0, 12.0, 9.0) for i in range(-5, 6) for j in range(-5, 6)]
    built = build(inputs_of(slope), size=200.0)
    assert "wind.ground_from_feet" in codes(built)
    tunnel = built.finest
    row = tunnel.shape[1] // 2
    left, right = np.interp([-100.0, 100.0], 0.5 * (tunnel.x[1:] + tunnel.x[:-1]), tunnel.ground[row])
    assert right - left == pytest.approx(10.0, abs=2.0)
    on_a_roof = build(inputs_of([*slope, (2.0, 2.0, 9.0, 6.0, 6.0, 4.0)]), size=200.0).finest
    np.testing.assert_allclose(on_a_roof.ground, tunnel.ground, atol=1.0)


def test_triangles_serve_as_ground() -> None:
    ground = hill(25.0)
    assert isinstance(ground.geometry, Grid)
    surface = Layer("tin", "TIN", "terrain", ground.geometry.surface())
    xy = np.array([[0.0, 0.0], [33.0, -71.0], [2000.0, 0.0]])
    found = terrain.heights(terrain.Ground(surface=surface.geometry), xy)  # type: ignore[arg-type]
    np.testing.assert_allclose(found[:2], ground.geometry.sample(xy[:2, 0], xy[:2, 1]), atol=0.05)
    assert np.isnan(found[2])


# --- trees


def tree_layer(points: list[tuple[float, float, float]], height: float = 10.0, crown: float = 6.0) -> Layer:
    planted = plant(np.array(points), np.full(len(points), height), crown=np.full(len(points), crown))
    return Layer("trees", "Trees", "tree", planted)


def leaves_of(tunnel: Tunnel) -> float:
    if tunnel.leaf_area is None:
        return 0.0
    cell = np.diff(tunnel.z)[:, None, None] * np.diff(tunnel.y)[None, :, None] * np.diff(tunnel.x)[None, None, :]
    return float((cell * tunnel.leaf_area).sum())


def test_leaves_are_shared_out_without_loss() -> None:
    """A crown of 6 m from 2.4 m to 10 m holds pi 9 7.6 m3; a fifth of its leaves in winter; none where asked."""
    points = [(-50.0, 0.0, 0.0), (30.0, 13.0, 0.0), (61.0, -50.0, 0.0)]
    given = inputs_of(ground=flat(), trees=(tree_layer(points),))
    summer, winter = build(given, size=200.0), build(given, size=200.0, leaves="winter")
    whole = 3 * np.pi * 9.0 * 7.6
    assert leaves_of(summer.finest) == pytest.approx(whole, rel=0.02)
    for level in summer.levels:
        assert leaves_of(level) == pytest.approx(leaves_of(summer.finest), rel=1e-3)
    assert leaves_of(winter.finest) == pytest.approx(0.2 * leaves_of(summer.finest), rel=1e-4)
    assert build(given, size=200.0, leaves="none").finest.leaf_area is None
    assert not (summer.finest.solid == BUILDING).any()


def test_crowns_that_grow_into_each_other_are_no_denser_than_one() -> None:
    given = inputs_of(ground=flat(), trees=(tree_layer([(0.0, 0.0, 0.0)] * 5, crown=20.0),))
    tunnel = build(given).finest
    assert tunnel.leaf_area is not None
    assert tunnel.leaf_area.max() <= 1.0


def test_a_tree_inside_a_house_is_told_and_has_no_leaves_there() -> None:
    given = inputs_of(BLOCK, ground=flat(), trees=(tree_layer([(0.0, 0.0, 0.0)]),))
    built = build(given, size=200.0)
    assert next(i for i in built.issues if i.code == "wind.trees_in_houses").count == 1
    assert leaves_of(built.finest) == 0.0


def test_trees_of_a_mesh_are_taken_as_boxes() -> None:
    mesh, _ = box_mesh([(-2.0, -2.0, 0.0, 4.0, 4.0, 10.0)])
    crowns = trees.crowns_of([mesh_layer(mesh, "tree")])
    assert len(crowns) == 1
    assert crowns.bottom[0] == pytest.approx(2.4)
    assert crowns.width[0] ** 2 == pytest.approx(16.0 * np.pi / 4.0)
    assert (
        len(trees.crowns_of([Layer("i", "I", "tree", Instances((), np.zeros(0), np.zeros((0, 3, 4)), np.zeros(0)))]))
        == 0
    )


# --- honesty


def test_cells_to_a_height_and_across_a_gap() -> None:
    """Two blocks of 40 m, 24 m apart, at 4 m: ten cells to the height, six across the gap."""
    city: list[Box] = [(-52.0, -60.0, 0.0, 40.0, 120.0, 40.0), (12.0, -60.0, 0.0, 40.0, 120.0, 40.0)]
    tunnel = build(inputs_of(city, ground=flat()), size=120.0).finest
    cells = honesty.resolution(tunnel)
    j, i = tunnel.shape[1] // 2, tunnel.shape[2] // 2
    assert cells[j, i] == 6
    beside = int(np.searchsorted(tunnel.x, 56.0))
    assert cells[j, beside] == pytest.approx(10.0, abs=0.5)
    assert np.isnan(cells[tunnel.building >= 0]).all()
    assert set(np.unique(honesty.trust(cells))) <= {-1, 0, 1, 2}
    assert 0.0 <= honesty.indicative_share(tunnel, cells) <= 1.0


# --- the whole


def test_the_same_scene_gives_the_same_bits_and_can_be_cancelled() -> None:
    from geo.model import Cancelled

    given = inputs_of(CITY, ground=hill(20.0), trees=(tree_layer([(0.0, 0.0, 0.0)]),))
    one, two = build(given), build(given)
    for a, b in zip(one.levels, two.levels, strict=True):
        for name in ("x", "y", "z", "solid", "ground", "leaf_area", "ground_roughness", "building", "study"):
            np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
    steps: list[float] = []
    stopped = Feedback(lambda fraction, _: steps.append(fraction), lambda: len(steps) > 3)
    with pytest.raises(Cancelled):
        build_tunnel(given, TunnelParams(size=100.0), stopped)
    assert steps == sorted(steps)


def test_a_changed_scene_keeps_the_tunnel() -> None:
    """Another turn, another height and another number of buildings: the same cells, so that flows can be compared."""
    before = build(inputs_of(CITY, ground=flat()), size=160.0)
    changed = [(*CITY[0][:5], 40.0), *CITY[1:], (0.0, 60.0, 0.0, 10.0, 30.0, 30.0)]
    given = inputs_of(layers=(oblique(changed, 3.0),), ground=flat())
    params = TunnelParams(size=160.0)
    plan = same_tunnel(before.plan, given, params, Feedback())
    after = build_levels(plan, params, Feedback())
    for one, two in zip(before.levels, after.levels, strict=True):
        for name in ("x", "y", "z", "pivot", "study"):
            np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
        assert (one.turn_deg, one.base) == (two.turn_deg, two.base)
    assert (before.finest.solid != after.finest.solid).any()
    tower = inputs_of([*CITY, (0.0, 60.0, 0.0, 10.0, 30.0, 300.0)], ground=flat())
    assert same_tunnel(before.plan, tower, params, Feedback()).extent.top > before.plan.extent.top


def test_corners_that_are_no_places_are_left_out_and_told() -> None:
    mesh, _ = box_mesh(CITY)
    corners = np.array(mesh.vertices)
    corners[4] = np.nan
    built = build(inputs_of(layers=(mesh_layer(Mesh(corners, mesh.faces, mesh.face_element)),), ground=flat()))
    assert "wind.broken_faces" in codes(built)
    assert np.isfinite(built.finest.x).all()


def test_rough_ground_and_buildings_far_apart() -> None:
    assert "wind.rough_ground" in codes(build(inputs_of(CITY, ground=flat()), ground_roughness=0.5))
    assert "wind.rough_ground" not in codes(build(inputs_of(CITY, ground=flat())))
    far: list[Box] = [*CITY, (30_000.0, 30_000.0, 0.0, 10.0, 10.0, 10.0)]
    plan = plan_tunnel(inputs_of(far), TunnelParams(size=160.0), Feedback())
    assert np.abs(plan.axes.pivot).max() < 100.0


def test_study_area_by_corners_and_by_element() -> None:
    frame = tiny_frame()
    e, n = frame.origin[:2]
    given = inputs_of(CITY, ground=flat())
    corners = plan_tunnel(given, TunnelParams(area=f"{e - 30}, {n - 40}; {e + 50}, {n + 60}"), Feedback())
    np.testing.assert_allclose(corners.axes.pivot, [10.0, 10.0])
    np.testing.assert_allclose(corners.extent.study, [-40.0, -50.0, 40.0, 50.0])
    element = plan_tunnel(given, TunnelParams(area="b3", size=80.0), Feedback())
    np.testing.assert_allclose(element.axes.pivot, [33.0, 16.0])
    np.testing.assert_allclose(element.extent.study, [-40.0, -40.0, 40.0, 40.0])


REAL = ("DenHaag_01.city.json", "mamre_lod1.city.json", "plateau_komatsu_54363371_bldg_6697.gml")


def read_city(path: Path) -> list[Layer]:
    from app.catalog import detect
    from geo import crs
    from geo.formats.contract import ReadOptions

    found = detect(path)
    info = found.inspect(path)
    assert info.crs is not None
    assert info.bounds is not None
    x, y = (np.array(info.bounds[:2]) + np.array(info.bounds[3:5])) / 2
    project = crs.project_crs_for(info.crs, x, y)
    east, north = crs.transform(x, y, info.crs, project)
    frame = crs.make_frame(project, float(east), float(north))
    return [layer for layer in found.read(path, frame, ReadOptions(), Feedback()) if layer.theme == "building"]


@pytest.mark.parametrize("name", REAL)
def test_real_cities_keep_their_volume(name: str, shared_data: Path) -> None:
    """Solid cells of 2 m hold what the closed bodies hold (volumes by the divergence theorem)."""
    from geo.buildings import volume

    layers = [layer for layer in read_city(shared_data / "city" / name) if isinstance(layer.geometry, Mesh)]
    layer = max(layers, key=lambda one: len(one.geometry.faces))  # type: ignore[union-attr]
    mesh = layer.geometry
    assert isinstance(mesh, Mesh)
    solids = voxels.solids_of([layer])
    low, high = solids.low.min(axis=0), solids.high.max(axis=0)
    x, y, z = (np.arange(low[k] - 4.0, high[k] + 6.0, 2.0) for k in range(3))
    shape = (len(z) - 1, len(y) - 1, len(x) - 1)
    got = voxels.voxelise(
        solids, domain.Axes(0.0, np.zeros(2)), x, y, z - z[0], base=float(z[0]),
        ground=np.full(shape[1:], -100.0), solid=np.zeros(shape, np.int8), feedback=Feedback(),
    )  # fmt: skip
    exact = np.nan_to_num(volume(mesh, int(mesh.face_element.max()) + 1))[np.unique(mesh.face_element)]
    sound = ~got.open_bodies & ~got.turned & (exact > 500.0)
    assert sound.sum() >= 10
    gaps = voxels.closed_gaps(solids, got, np.ones(shape[1:], bool))
    assert all(gap < 2.0 for _, _, gap in gaps), "a gap as wide as a cell is never closed"
    assert 8.0 * got.cells[sound].sum() == pytest.approx(float(exact[sound].sum()), rel=0.06)
