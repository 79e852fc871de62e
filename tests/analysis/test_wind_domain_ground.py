"""The wind tunnel made from a scene: what is told, ground, trees, memory, real cities."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from analysis.wind import domain, honesty, terrain, trees, voxels
from analysis.wind.declaration import TunnelParams
from analysis.wind.geometry import build_levels, build_tunnel
from analysis.wind.plan import plan_tunnel, same_tunnel
from analysis.wind.tunnel import AIR, BUILDING, GROUND, Tunnel
from geo.model import Feedback, Grid, Instances, Layer, Mesh, UserError
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
from tests.tiny import box_mesh, tiny_frame


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
