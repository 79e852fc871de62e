"""What a moved building changes: the same as the full studies on the changed scene, and no more rays than needed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from analysis.contract import Result
from analysis.kernels.rays import SURFACE_OFFSET, Occluder
from analysis.kernels.sun import sun_vectors
from analysis.kernels.swept import SunBits, can_meet, meeting_box, solid_of
from analysis.registry import get
from analysis.sunlight.live import LiveHours
from analysis.sunlight_rights.live import LiveRights
from geo.model import (
    Cancelled,
    Column,
    ElementRef,
    ElementTable,
    Feedback,
    Field,
    Grid,
    Layer,
    Mesh,
    UserError,
    merge_meshes,
)
from tests.analysis.test_rays import box
from tests.tiny import SURFACES, tiny_frame

HOURS, RIGHTS = get("sunlight.hours"), get("sunlight.rights")
COARSE = {"ground_cell": 3.0, "facade_spacing": 3.0, "margin": 45.0, "step": 17.0}
# a failing example is as good as a smaller one, which takes minutes to find
SLOW = settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
MOVER = 4


def hilly() -> Layer:
    axis = np.arange(-150.0, 151.0, 5.0)
    heights = 3 * np.sin(axis / 40)[None, :] + 2 * np.cos(axis / 50)[:, None]
    return Layer("terrain", "Terrain", "terrain", Grid(heights, axis[0], axis[0], 5.0))


def block(*extra: Mesh) -> Layer:
    """Corner houses that fix the area, two towers, one that moves, and what else is given; storeys for the windows."""
    corners = [box(9, 9, 12, at=(x, y, -6)) for x in (-70, 70) for y in (-70, 70)]
    parts = [*corners, box(22, 14, 38, turn=20, at=(5, 10, -6)), box(30, 12, 20, at=(-30, 25, -6)), *extra]
    table = ElementTable([f"b{k}" for k in range(len(parts))], {"storeys": Column(np.full(len(parts), 4))})
    mesh = merge_meshes(parts)
    codes = np.where(mesh.face_normal[:, 2] > 0.5, 0, np.where(mesh.face_normal[:, 2] < -0.5, 2, 1)).astype(np.int8)
    field = Field("surface", "1", "face", codes, categories=SURFACES)
    return Layer("b", "Buildings", "building", mesh, table, (field,))


def hours_inputs(*blockers: Layer, terrain: Layer | None = None):  # noqa: ANN201
    return HOURS.inputs(frame=tiny_frame(), terrain=terrain, blockers=blockers, trees=(), relief=())


def rights_inputs(*layers: Layer, proposal: tuple[Layer, ...] = (), terrain: Layer | None = None):  # noqa: ANN201
    judged = tuple(layer for layer in layers if layer.theme in ("building", "bim"))
    return RIGHTS.inputs(
        frame=tiny_frame(),
        dwellings=judged,
        obstructions=layers,
        proposal=proposal,
        terrain=terrain,
        relief=(),
        trees=(),
    )


def turned(mesh: Mesh, *, by: tuple[float, float, float] = (0, 0, 0), degrees: float = 0.0, tall: float = 1.0) -> Mesh:
    low, high = mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)
    foot = np.array([*(low + high)[:2] / 2, low[2]])
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    local = (mesh.vertices - foot) * [1, 1, tall] @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]])
    return Mesh(local + foot + np.array(by), mesh.faces, mesh.face_element)


def nothing() -> Mesh:
    return merge_meshes(())


def assert_same(live: Result, full: Result) -> None:
    """Layers, tables, key figures and notes, to the last bit."""
    assert [item.id for item in live.layers] == [item.id for item in full.layers]
    for a, b in zip(live.layers, full.layers, strict=True):
        if isinstance(b.geometry, Mesh) and isinstance(a.geometry, Mesh):
            np.testing.assert_array_equal(a.geometry.vertices, b.geometry.vertices)
            np.testing.assert_array_equal(a.geometry.faces, b.geometry.faces)
            np.testing.assert_array_equal(a.geometry.face_element, b.geometry.face_element)
        for field, other in zip(a.fields, b.fields, strict=True):
            np.testing.assert_array_equal(field.values, other.values, err_msg=f"{a.id}.{field.name}")
        assert list(a.table.ids) == list(b.table.ids)
    for one, two in zip(live.tables, full.tables, strict=True):
        assert list(one.columns) == list(two.columns)
        for name, column in two.columns.items():
            np.testing.assert_array_equal(one.columns[name].values, column.values, err_msg=f"{two.id}.{name}")
    assert dict(live.summary) == dict(full.summary)
    assert live.issues == full.issues


moves = st.tuples(
    st.floats(-25, 25), st.floats(-25, 25), st.floats(-3, 8), st.floats(0, 360), st.sampled_from([1.0, 0.2, 2.5])
)


@SLOW
@given(st.lists(moves, min_size=1, max_size=2), st.integers(4, 5), st.booleans())
def test_hours_after_moves_are_those_of_a_full_run(
    path: list[tuple[float, float, float, float, float]], mover: int, on_hills: bool
) -> None:
    inputs = hours_inputs(block(), terrain=hilly() if on_hills else None)
    params = HOURS.params(**COARSE)
    live = LiveHours.begin(inputs, params, ElementRef("b", f"b{mover}"))
    start = live.splits["b"].mesh
    for x, y, z, degrees, tall in path:
        update = live.move(turned(start, by=(x, y, z if on_hills else 0.0), degrees=degrees, tall=tall))
        assert update.same_area
    assert_same(live.result(), HOURS.run(live.inputs, params, Feedback()))


@SLOW
@given(moves, moves)
def test_only_points_whose_rays_meet_the_building_are_touched(
    first: tuple[float, float, float, float, float], second: tuple[float, float, float, float, float]
) -> None:
    inputs, params = hours_inputs(block(), terrain=hilly()), HOURS.params(**COARSE)
    live = LiveHours.begin(inputs, params, ElementRef("b", f"b{MOVER}"))
    start = live.splits["b"].mesh
    solids = [turned(start, by=m[:3], degrees=m[3], tall=m[4]) for m in (first, second)]
    live.move(solids[0])
    before = {name: live.cell_hours(name) for name in live.standing}
    ground_before = live.ground_hours()
    update = live.move(solids[1])
    rest = Occluder([hilly().geometry.surface(), live.splits["b"].rest.geometry])  # type: ignore[union-attr, list-item]
    for name, part in live.standing.items():
        touched = _meets_either(part.cells.points, part.cells.normals, live.day.towards_sun, rest, solids)
        np.testing.assert_array_equal(update.cells[name].index, np.flatnonzero(touched))
        old, new = before[name][0], live.cell_hours(name)[0]
        assert np.array_equal(np.delete(old, update.cells[name].index), np.delete(new, update.cells[name].index))
    ground = live.standing_ground
    assert ground is not None
    touched = np.zeros(ground.cells.shape[0] * ground.cells.shape[1], dtype=bool)
    touched[ground.cells.number] = _meets_either(ground.cells.points, None, live.day.towards_sun, rest, solids)
    was, now = (~np.isnan(values.ravel()) for values in (ground_before[0], live.ground_hours()[0]))
    np.testing.assert_array_equal(update.ground.index, np.flatnonzero((touched & now) | (was != now)))
    shown = ground_before[0].ravel().copy()
    shown[update.ground.index] = update.ground.total
    np.testing.assert_array_equal(shown, live.ground_hours()[0].ravel())


def _meets_either(
    points: np.ndarray, normals: np.ndarray | None, ways: np.ndarray, rest: Occluder, solids: list[Mesh]
) -> np.ndarray:
    """(n,) by brute force: a ray that the rest leaves free meets one of the solids."""
    starts = points + SURFACE_OFFSET * (normals if normals is not None else np.array([0.0, 0.0, 1.0]))
    out = np.zeros(len(points), dtype=bool)
    scenes = [Occluder([solid], rest.centre) for solid in solids]
    for way in ways:
        ahead = np.ones(len(points), bool) if normals is None else (normals * way).sum(axis=1) > 0
        free = ahead & ~rest.occluded(starts, way[None])
        out |= free & (scenes[0].occluded(starts, way[None]) | scenes[1].occluded(starts, way[None]))
    return out


def test_building_taken_away_and_put_back() -> None:
    inputs, params = hours_inputs(block(), terrain=hilly()), HOURS.params(**COARSE)
    live = LiveHours.begin(inputs, params, ElementRef("b", f"b{MOVER}"))
    start = live.splits["b"].mesh
    update = live.move(nothing())
    assert all(len(surface.cells.area) == 0 for surface in update.own.values())
    assert_same(live.result(), HOURS.run(live.inputs, params, Feedback()))
    live.move(start)
    assert_same(live.result(), HOURS.run(inputs, params, Feedback()))


def test_new_building_of_another_shape_is_inserted() -> None:
    inputs = hours_inputs(block(nothing()), terrain=hilly())
    params = HOURS.params(**COARSE)
    live = LiveHours.begin(inputs, params, ElementRef("b", "b6"))
    tower, step = box(12, 12, 45, at=(35, -20, -5)), box(20, 16, 9, turn=30, at=(35, -20, -5))
    mass = merge_meshes([tower, step])
    live.move(Mesh(mass.vertices, mass.faces, np.full(len(mass.faces), 6)))
    assert len(live.own["roofs"].cells.area) > 0
    assert_same(live.result(), HOURS.run(live.inputs, params, Feedback()))


def test_several_buildings_of_two_layers_move_at_once() -> None:
    other = replace(block(), id="c", name="More")
    other = other.with_(geometry=turned(box(8, 30, 25, at=(40, -30, -5))), table=ElementTable(["x"]), fields=())
    inputs, params = hours_inputs(block(), other, terrain=hilly()), HOURS.params(**COARSE)
    live = LiveHours.begin(inputs, params, [ElementRef("b", "b4"), ElementRef("b", "b5"), ElementRef("c")])
    live.move({key: turned(part.mesh, by=(6, 9, 1), degrees=33) for key, part in live.splits.items()})
    assert_same(live.result(), HOURS.run(live.inputs, params, Feedback()))


def test_models_with_inner_walls_and_more_instants_than_a_word_has_bits() -> None:
    """A room within walls sees the sky or not depending on what stands before its only window."""
    slabs = [box(12, 12, 0.3, at=(-30, -30, z)) for z in (2.5, 6.0)]
    walls = [
        box(12, 0.3, 3.2, at=(-30, -36, 2.8)),
        box(0.3, 12, 3.2, at=(-36, -30, 2.8)),
        box(0.3, 12, 3.2, at=(-24, -30, 2.8)),
    ]
    house = Layer("h", "House", "bim", merge_meshes([*slabs, *walls]), ElementTable([f"w{k}" for k in range(5)]))
    inputs = hours_inputs(block(), house, terrain=hilly())
    params = HOURS.params(**{**COARSE, "step": 5.0, "facade_spacing": 1.0, "ground_cell": 5.0})
    live = LiveHours.begin(inputs, params, ElementRef("b", f"b{MOVER}"))
    assert len(live.day.instants.weights) > 64
    start = live.splits["b"].mesh
    middle = (start.vertices.min(axis=0) + start.vertices.max(axis=0)) / 2
    hidden = set()
    for spot in ((-30.0, -15.0), (-30.0, -16.9), (20.0, 0.0)):
        live.move(turned(start, by=(spot[0] - middle[0], spot[1] - middle[1], 0.0), degrees=-20.0))
        result = live.result()
        assert_same(result, HOURS.run(live.inputs, params, Feedback()))
        hidden.add(next((issue.count for issue in result.issues if issue.code == "sunlight.hidden_facades"), 0))
    assert len(hidden) > 1


def test_off_the_old_ground_the_result_is_a_full_run() -> None:
    inputs, params = hours_inputs(block()), HOURS.params(**COARSE)
    live = LiveHours.begin(inputs, params, ElementRef("b", f"b{MOVER}"))
    update = live.move(turned(live.splits["b"].mesh, by=(200.0, 0.0, 0.0)))
    assert not update.same_area
    assert_same(live.result(), HOURS.run(live.inputs, params, Feedback()))


def test_cancelled_move_leaves_the_last_one() -> None:
    inputs, params = hours_inputs(block(), terrain=hilly()), HOURS.params(**COARSE)
    live = LiveHours.begin(inputs, params, ElementRef("b", f"b{MOVER}"))
    start = live.splits["b"].mesh
    live.move(turned(start, by=(8, 0, 0)))
    before = live.ground_hours()[0]
    for after in (0, 3, 8):
        asked = iter(range(1000))
        stopping = Feedback(is_cancelled=lambda asked=asked, after=after: next(asked) >= after)  # type: ignore[misc]
        with pytest.raises(Cancelled):
            live.move(turned(start, by=(-25, 10, 0)), stopping)
    np.testing.assert_array_equal(live.ground_hours()[0], before)
    np.testing.assert_array_equal(
        live.move(turned(start, by=(8, 0, 0))).ground.total, before.ravel()[_touched(live, start)]
    )


def _touched(live: LiveHours, start: Mesh) -> np.ndarray:
    return live.move(turned(start, by=(8, 0, 0))).ground.index


def test_what_cannot_be_followed_is_refused() -> None:
    inputs = hours_inputs(block())
    with pytest.raises(UserError) as unknown:
        LiveHours.begin(inputs, HOURS.params(**COARSE), ElementRef("b", "b99"))
    assert unknown.value.code == "sunlight.live.not_there"
    with pytest.raises(UserError) as period:
        LiveHours.begin(inputs, HOURS.params(**COARSE, period="year"), ElementRef("b", "b4"))
    assert period.value.code == "sunlight.live.one_day"
    live = LiveHours.begin(inputs, HOURS.params(**COARSE), ElementRef("b", "b4"))
    with pytest.raises(ValueError, match="do not move"):
        live.move(box(5, 5, 5))


def test_bundles_and_single_rays_agree_and_a_split_scene_answers_as_a_whole_one() -> None:
    """Also for rays that graze edges to a hundredth of a millimetre."""
    rng = np.random.default_rng(7)
    still, moved = block().geometry, box(14, 18, 42, turn=33, at=(20, -25, -6))
    ways = np.concatenate([sun_vectors(150.0 + 1.5 * k, 25.0) for k in range(70)])
    edges = moved.vertices[moved.faces]
    target = edges[:, 0] + rng.random((60, len(edges), 1)) * (edges[:, 1] - edges[:, 0])
    spots = target.reshape(-1, 3) - 60.0 * ways[rng.integers(0, 70, target[..., 0].size)]
    points = np.concatenate([spots + rng.normal(size=spots.shape) * 1e-5, rng.uniform(-60, 60, (800, 3)) * [1, 1, 0.1]])
    centre = np.zeros(3)
    found = []
    for bundles in (True, False):
        rest, solid = (Occluder([m], centre, bundles=bundles) for m in (still, moved))  # type: ignore[list-item]
        bits = SunBits(rest, points, ways)
        met = bits.meeting(solid_of(solid, [moved.vertices]))
        found.append((bits.free, met.point, met.bits))
    for a, b in zip(*found, strict=True):
        np.testing.assert_array_equal(a, b)
    whole = Occluder([still, moved], centre)  # type: ignore[list-item]
    lit = np.zeros((len(points), len(ways)), dtype=bool)
    for k, way in enumerate(ways):
        lit[:, k] = ~whole.occluded(points + [0, 0, SURFACE_OFFSET], way[None])
    free, point, bits_met = found[0]
    free[point] &= ~bits_met
    got = (free[:, np.arange(70) // 64] >> (np.arange(70) % 64).astype(np.uint64)) & np.uint64(1)
    np.testing.assert_array_equal(got.astype(bool), lit)


def test_boxes_never_lose_a_ray() -> None:
    rng = np.random.default_rng(5)
    starts = rng.uniform(-20, 20, (4000, 3))
    normals = rng.normal(size=(4000, 3))
    normals /= np.linalg.norm(normals, axis=1)[:, None]
    way = sun_vectors(200.0, 15.0)
    corners = np.array([-4.0, -3.0, 0.0, 4.0, 3.0, 9.0])
    solid = Occluder([box(8, 6, 9)], np.zeros(3))
    hit = solid.occluded(starts, way)
    assert 0 < hit.sum() < len(hit)
    assert not (hit & ~meeting_box(starts, way[0], corners)).any()
    asked = sun_vectors(201.0, 15.4)  # a degree away
    near = can_meet(starts, normals, asked, corners, np.zeros(4000), 1.5)
    front = (normals * way).sum(axis=1) > 0
    assert not (hit & front & ~near).any()
    assert near.sum() < 0.8 * len(near)


rights_moves = st.tuples(st.floats(-25, 25), st.floats(-25, 25), st.floats(0, 360), st.sampled_from([1.0, 0.4, 2.5]))


@SLOW
@given(st.lists(rights_moves, min_size=1, max_size=2), st.booleans(), st.sampled_from(["1", "3"]))
def test_verdicts_after_moves_are_those_of_a_full_run(
    path: list[tuple[float, float, float, float]], proposed: bool, points: str
) -> None:
    """Numbers, verdicts, who takes the sun, and the sensitivities; before and after where the building is new."""
    inputs = rights_inputs(block(), terrain=hilly())
    params = RIGHTS.params(step=6.0, new_buildings="b4" if proposed else "", points=points)
    live = LiveRights.begin(inputs, params, ElementRef("b", "b4"))
    start = live.splits["b"].mesh
    for x, y, degrees, tall in path:
        live.move(turned(start, by=(x, y, 0.0), degrees=degrees, tall=tall))
    assert_same(live.result(), RIGHTS.run(live.inputs, params, Feedback()))


def test_changes_of_windows_add_up_and_name_the_building() -> None:
    inputs, params = rights_inputs(block(), terrain=hilly()), RIGHTS.params(step=2.0)
    live = LiveRights.begin(inputs, params, ElementRef("b", "b4"))
    start, begun = live.splits["b"].mesh, live.found
    update = live.move(turned(start, by=(-35.0, -10.0, 0.0), tall=2.0))
    changes = update.changes
    lost = changes.lost > 1.0
    others = changes.building != "b4"
    assert (lost & others).any()
    assert (changes.passed & ~changes.passes).any()
    assert (changes.mine_alone + changes.mine_joint)[lost & others].min() > 0
    assert "b4" in set(changes.worst[lost & others])
    np.testing.assert_allclose(changes.lost, 60 * (changes.total_before - changes.total))
    now = live.found
    np.testing.assert_allclose(now.now.total + now.away + now.own + now.alone + now.joint, 8.0, atol=1e-9)
    # windows that were not touched are those of the beginning
    kept = np.setdiff1d(np.arange(len(now.passes)), update.touched)
    assert len(kept) > 0
    np.testing.assert_array_equal(now.now.total[kept], begun.now.total[kept])
    back = live.move(start)
    assert len(back.changes.window) == len(back.appeared) == len(back.gone) == 0


def test_window_walled_up_goes_and_comes_back() -> None:
    inputs, params = rights_inputs(block(), terrain=hilly()), RIGHTS.params(step=10.0)
    live = LiveRights.begin(inputs, params, ElementRef("b", "b4"))
    start = live.splits["b"].mesh
    middle = (start.vertices.min(axis=0) + start.vertices.max(axis=0)) / 2
    update = live.move(turned(start, by=(-30 - middle[0], 12.0 - middle[1], 0.0), degrees=-20.0))
    assert any(str(name).startswith("b5/") for name in update.gone)
    assert_same(live.result(), RIGHTS.run(live.inputs, params, Feedback()))
    assert len(live.move(start).gone) == 0


def test_rights_with_the_building_taken_away_and_a_stop_in_between() -> None:
    inputs, params = rights_inputs(block(), terrain=hilly()), RIGHTS.params(step=10.0, new_buildings="b4")
    live = LiveRights.begin(inputs, params, ElementRef("b", "b4"))
    stopping = Feedback(is_cancelled=lambda: True)
    with pytest.raises(Cancelled):
        live.move(nothing(), stopping)
    assert_same(live.result(), RIGHTS.run(inputs, params, Feedback()))
    live.move(nothing())
    assert_same(live.result(), RIGHTS.run(live.inputs, params, Feedback()))


def test_windows_of_a_model_follow_what_stands_before_them() -> None:
    room, pane = box(6, 6, 14, at=(-20, -45, -6)), box(1.4, 0.1, 1.2, at=(-20, -48.05, 6))
    table = ElementTable(["wall", "pane"], {"class": Column(np.array(["IfcWall", "IfcWindow"], dtype=object))})
    house = Layer("h", "House", "bim", merge_meshes([room, pane]), table)
    inputs, params = rights_inputs(block(), house, terrain=hilly()), RIGHTS.params(step=10.0)
    live = LiveRights.begin(inputs, params, ElementRef("b", "b4"))
    start = live.splits["b"].mesh
    assert (live.windows.origin == "model").sum() == 1
    for by in ((-25.0, -70.0, 0.0), (-20.0, -30.0, 0.0)):
        live.move(turned(start, by=by))
        assert_same(live.result(), RIGHTS.run(live.inputs, params, Feedback()))


def test_trees_that_block_and_a_tree_that_moves() -> None:
    crown = box(7, 7, 9, at=(30, 30, 0))
    trees = Layer("t", "Trees", "tree", merge_meshes([crown, turned(crown, by=(-20, 9, 0))]), ElementTable(["x", "y"]))
    inputs = replace(hours_inputs(block(), terrain=hilly()), trees=(trees,))
    params = HOURS.params(**COARSE, trees_block=True)
    live = LiveHours.begin(inputs, params, ElementRef("t", "y"))
    update = live.move(turned(live.splits["t"].mesh, by=(12, -4, 2)))
    assert len(update.ground.index) > 0
    assert_same(live.result(), HOURS.run(live.inputs, params, Feedback()))
