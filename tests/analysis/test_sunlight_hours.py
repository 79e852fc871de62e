"""Hours of sun against closed forms, and what must not change the answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from analysis.contract import Result, describe_inputs
from analysis.kernels import sun
from analysis.registry import get
from geo.model import Cancelled, Feedback, Field, Frame, Grid, Instances, Layer, Mesh, UserError
from tests.analysis.test_rays import box
from tests.tiny import buildings, tiny_frame

SOLSTICE = date(2026, 12, 22)
STUDY = get("sunlight.hours")
LOW = {"ground_cell": 2.0, "facade_spacing": 2.0, "margin": 40.0}


def frame(convergence: float | None = None) -> Frame:
    made = tiny_frame()
    return made if convergence is None else replace(made, convergence_deg=convergence)


def layer(mesh: Mesh, *, theme: str = "building", name: str = "b") -> Layer:
    return Layer(name, name, theme, mesh)


def plain(height: float = 0.0, half: float = 100.0, cell: float = 2.0) -> Layer:
    count = int(2 * half / cell) + 1
    return Layer("t", "t", "terrain", Grid(np.full((count, count), height), -half, -half, cell))


def study(
    *blockers: Layer,
    terrain: Layer | None = None,
    trees: tuple[Layer, ...] = (),
    relief: tuple[Layer, ...] = (),
    at: Frame | None = None,
    **params: object,
) -> Result:
    inputs = STUDY.inputs(frame=at or frame(), terrain=terrain, blockers=blockers, trees=trees, relief=relief)
    return STUDY.run(inputs, STUDY.params(**{**LOW, **params}), Feedback())


def part(result: Result, name: str) -> Layer:
    return next(item for item in result.layers if item.id == name)


def hours(result: Result, name: str, field: str = "sun_hours") -> np.ndarray:
    found = part(result, name).field_named(field)
    assert found is not None
    return np.asarray(found.values)


def possible(result: Result) -> float:
    return float(result.summary["possible_hours"].value)


def test_open_field_has_the_whole_day() -> None:
    result = study(terrain=plain(30.0), step=7.0, ground_cell=10.0)
    found = hours(result, "ground")
    assert np.isfinite(found[:20, :20]).all()
    assert np.nanmin(found) == np.nanmax(found) == pytest.approx(possible(result), abs=1e-4)
    assert hours(result, "ground", "longest_run")[5, 5] == pytest.approx(found[5, 5])
    # the centre of the sun rises after its upper edge: three minutes in the day
    length = float(result.summary["day_length"].value)
    assert 0.03 < length - possible(result) < 0.07


def test_hours_beside_a_box_follow_the_closed_form() -> None:
    """North of the middle of a wall: dark while the sun is over the wall's width and lower than its top."""
    width, depth, height = 40.0, 10.0, 15.0
    result = study(layer(box(width, depth, height)), terrain=plain(), step=5.0, ground_cell=1.0)
    grid = part(result, "ground").geometry
    assert isinstance(grid, Grid)
    place = frame()
    minutes = sun.times_of_day(SOLSTICE, 6.0, 19.0, 0.25, place.longitude)
    position = sun.sun_position(minutes.times, place.longitude, place.latitude)
    up = position.apparent_elevation > 0
    towards = sun.sun_vectors(place.grid_azimuth(position.azimuth), position.apparent_elevation)[up]
    weight = minutes.weights[up]
    for x, y in ((0.5, 8.5), (0.5, 20.5), (-12.5, 15.5), (25.5, 12.5), (0.5, 33.5)):
        row, col = round((y - grid.y0) / grid.cell), round((x - grid.x0) / grid.cell)
        x, y = grid.x[col], grid.y[row]
        hidden = np.zeros(len(weight), dtype=bool)
        for wall in np.linspace(-depth / 2, depth / 2, 201):  # the box as many walls across the line of sight
            along = (wall - y) / towards[:, 1]
            hit = (along > 0) & (np.abs(x + along * towards[:, 0]) < width / 2) & (along * towards[:, 2] < height)
            hidden |= hit
        assert grid.values[row, col] == pytest.approx(weight[~hidden].sum(), abs=5 / 60 + 0.01), (x, y)


def test_finer_steps_converge() -> None:
    exact = study(layer(box(40, 10, 15)), step=1.0, facades=False).summary["ground_mean"].value
    errors = [
        abs(float(study(layer(box(40, 10, 15)), step=s, facades=False).summary["ground_mean"].value) - exact)
        for s in (60.0, 15.0, 4.0)
    ]
    assert errors[2] < errors[0]
    assert errors[2] < 0.02


def test_city_and_north_turned_together_change_nothing() -> None:
    """Turn the buildings by 90 degrees clockwise and let grid north lie 90 degrees further west."""
    meshes = [box(20, 10, 18, at=(4, 3, 0)), box(8, 30, 9, at=(-20, 11, 0))]
    turned = [Mesh(m.vertices[:, [1, 0, 2]] * [1, -1, 1], m.faces, m.face_element) for m in meshes]
    straight = study(*(layer(m, name=f"b{k}") for k, m in enumerate(meshes)), at=frame(0.0))
    quarter = study(*(layer(m, name=f"b{k}") for k, m in enumerate(turned)), at=frame(-90.0))
    assert hours(quarter, "ground") == pytest.approx(np.rot90(hours(straight, "ground"), 1), nan_ok=True, abs=0.35)
    for name in ("ground", "facades", "roofs"):
        a, b = (float(r.summary[f"{name}_mean"].value) for r in (straight, quarter))
        assert a == pytest.approx(b, abs=0.01), name


def test_grid_convergence_turns_the_sun() -> None:
    """Half a degree of convergence: the shadow falls where the azimuth from grid north says."""
    result = study(
        layer(box(2, 2, 60)), terrain=plain(), at=frame(10.0), start=12.0, stop=12.25, step=15.0, ground_cell=1.0
    )
    grid = part(result, "ground").geometry
    assert isinstance(grid, Grid)
    rows, cols = np.nonzero(grid.values == 0.0)
    far = np.hypot(grid.x[cols], grid.y[rows]) > 10
    shadow = np.degrees(np.arctan2(grid.x[cols][far].mean(), grid.y[rows][far].mean())) % 360
    instant = sun.hour_of_day(SOLSTICE, 12.125, frame().longitude)
    azimuth = float(sun.sun_position([instant], frame().longitude, frame().latitude).azimuth[0])
    assert shadow == pytest.approx((azimuth - 10.0 + 180.0) % 360, abs=1.0)


def test_moving_the_origin_changes_nothing() -> None:
    shift = np.array([4000.0, -3000.0, 0.0])
    near = study(layer(box(20, 10, 18)), at=frame())
    moved = replace(frame(), origin=tuple(np.array(frame().origin) - shift))
    far = study(layer(box(20, 10, 18, at=tuple(shift))), at=moved)
    assert hours(far, "ground") == pytest.approx(hours(near, "ground"), nan_ok=True)
    assert hours(far, "facades") == pytest.approx(hours(near, "facades"))


def test_a_terrain_of_triangles_serves_like_a_grid() -> None:
    """A slope of one in ten to the north, once as a grid and once as its triangles."""
    slope = Grid(np.repeat(-0.2 * np.arange(101.0)[:, None], 101, axis=1), -100.0, -100.0, 2.0)
    house = layer(box(20, 10, 30, at=(0, 0, -12.0)))
    by_grid = study(house, terrain=Layer("t", "t", "terrain", slope))
    by_triangles = study(house, relief=(Layer("t", "t", "terrain", slope.surface()),))
    assert "sunlight.flat_ground" not in [issue.code for issue in by_triangles.issues]
    a, b = hours(by_grid, "ground"), hours(by_triangles, "ground")
    assert (np.isnan(a) == np.isnan(b)).all()
    assert np.nanmax(np.abs(a - b)) < 0.35
    alone = study(relief=(Layer("t", "t", "terrain", slope.surface()),), ground_cell=10.0)
    assert np.isfinite(hours(alone, "ground")).any()


def test_south_wall_north_wall_and_roof() -> None:
    result = study(layer(box(20, 10, 12)), terrain=plain(), at=frame(0.0), step=5.0)
    walls = part(result, "facades")
    assert isinstance(walls.geometry, Mesh)
    found, normal = hours(result, "facades"), walls.geometry.face_normal
    all_day = possible(result)
    assert found[normal[:, 1] < -0.9] == pytest.approx(all_day, abs=1e-3)  # azimuth 118 to 242: in front all day
    assert found[normal[:, 1] > 0.9].max() == 0.0
    east, west = found[normal[:, 0] > 0.9], found[normal[:, 0] < -0.9]
    assert east.mean() + west.mean() == pytest.approx(all_day, abs=0.09)
    assert hours(result, "roofs") == pytest.approx(all_day, abs=1e-3)
    table = result.tables[0]
    assert len(table) == 1
    assert table.columns["roofs_area"].values[0] == pytest.approx(200.0)
    assert table.columns["facades_area"].values[0] == pytest.approx(720.0)


def test_ground_inside_buildings_has_no_value() -> None:
    result = study(layer(box(20, 10, 12)), terrain=plain(), ground_cell=1.0)
    grid = part(result, "ground").geometry
    assert isinstance(grid, Grid)
    x, y = np.meshgrid(grid.x, grid.y)
    inside = (np.abs(x) < 10) & (np.abs(y) < 5)
    assert np.isnan(grid.values[inside]).all()
    assert np.isfinite(grid.values[~inside]).all()
    assert float(result.summary["ground_area"].value) == (~inside).sum()


def test_ground_under_a_floating_building_and_under_a_bridge() -> None:
    terrain = plain(-4.0)
    mesh = box(20, 10, 12)
    codes = np.where(mesh.face_normal[:, 2] < -0.5, 2, np.where(mesh.face_normal[:, 2] > 0.5, 0, 1)).astype(np.int8)
    said = Field("surface", "1", "face", codes, categories=("roof", "wall", "ground", "other"))
    for fields, empty in (((said,), True), ((), False)):
        result = study(Layer("b", "b", "building", mesh, fields=fields), terrain=terrain, ground_cell=1.0)
        grid = part(result, "ground").geometry
        assert isinstance(grid, Grid)
        middle = grid.values[round(-grid.y0), round(-grid.x0)]
        assert np.isnan(middle) == empty


def test_spaces_do_not_block_and_trees_only_on_request() -> None:
    accepted = {spec.name: spec for spec in describe_inputs(STUDY.inputs)}
    room = layer(box(20, 10, 12), theme="space")
    assert not any(spec.accepts(room) for spec in accepted.values() if not spec.named)
    shape = box(6, 6, 15)
    tree = Instances(
        (shape,),
        np.zeros(1, np.int32),
        np.eye(3, 4)[None] + [[[0, 0, 0, 0], [0, 0, 0, -6], [0, 0, 0, 0]]],
        np.zeros(1, np.int32),
    )
    wood = Layer("w", "w", "tree", tree)
    house = layer(box(10, 10, 6, at=(0, 12, 0)))
    bare = study(house, trees=(wood,), ground=False)
    shaded = study(house, trees=(wood,), trees_block=True, ground=False)
    assert "sunlight.trees_left_out" in [issue.code for issue in bare.issues]
    assert "sunlight.trees_block" in [issue.code for issue in shaded.issues]
    assert float(shaded.summary["facades_mean"].value) < float(bare.summary["facades_mean"].value) - 0.1
    assert study(house, ground=False).summary["facades_mean"] == bare.summary["facades_mean"]


def test_inner_walls_of_a_model_are_left_out() -> None:
    outer, inner = box(20, 10, 12), box(4, 4, 2, at=(0, 0, 1))
    result = study(layer(outer, theme="bim"), layer(inner, theme="bim", name="c"), ground=False)
    assert float(result.summary["facades_area"].value) == pytest.approx(720.0)
    assert {"sunlight.hidden_facades", "sunlight.hidden_roofs"} <= {issue.code for issue in result.issues}


def test_true_solar_hours_are_symmetric_in_east_and_west() -> None:
    result = study(layer(box(10, 10, 10)), at=frame(0.0), time_basis="solar", start=9.0, stop=15.0, ground=False)
    mesh = part(result, "facades").geometry
    assert isinstance(mesh, Mesh)
    found = hours(result, "facades")
    assert possible(result) == pytest.approx(6.0, abs=0.003)
    assert found[mesh.face_normal[:, 0] > 0.9].mean() == pytest.approx(
        found[mesh.face_normal[:, 0] < -0.9].mean(), abs=0.17
    )
    clock = study(layer(box(10, 10, 10)), at=frame(0.0), start=9.0, stop=15.0, ground=False)
    assert possible(clock) == pytest.approx(6.0)


def test_a_place_outside_korea_says_which_clock_was_taken() -> None:
    hague = replace(frame(), longitude=4.3, latitude=52.07)
    result = study(layer(box(10, 10, 10)), at=hague, ground=False)
    assert "sunlight.offset_assumed" in [issue.code for issue in result.issues]
    given = study(layer(box(10, 10, 10)), at=hague, ground=False, utc_offset="1")
    assert "sunlight.offset_assumed" not in [issue.code for issue in given.issues]
    assert str(given.summary["sunrise"].value).startswith("08:4")  # KNMI: 08:48 in The Hague on 22 December
    assert given.summary["facades_mean"] == result.summary["facades_mean"]


def test_two_layers_with_the_same_ids_stay_apart() -> None:
    second = Layer("more", "More", "building", box(5, 5, 5, at=(60, 0, 0)), buildings().table)
    result = study(replace(buildings(), id="first"), second, ground=False)
    ids = list(part(result, "roofs").table.ids)
    assert len(set(ids)) == len(ids) == 3
    assert result.tables[0].columns["id"].values.tolist() == ["b0", "b1", "b0"]


def test_nothing_to_do_is_said_calmly() -> None:
    for blockers, params, code in (
        ((), {}, "sunlight.nothing"),
        ((layer(box(5, 5, 5)),), {"start": 1.0, "stop": 3.0}, "sunlight.no_sun"),
        ((layer(box(5, 5, 5)),), {"start": 12.0, "stop": 9.0}, "sunlight.empty_hours"),
        ((layer(box(5, 5, 5)), layer(box(5, 5, 5, at=(90_000, 90_000, 0)))), {}, "sunlight.too_many_cells"),
        ((layer(box(900, 900, 900)),), {"facade_spacing": 0.5, "ground": False}, "sunlight.too_many_facade_cells"),
    ):
        with pytest.raises(UserError) as caught:
            study(*blockers, **params)
        assert caught.value.code == code
    apart = replace(plain(), geometry=Grid(np.zeros((9, 9)), 50_000.0, 0.0, 2.0))
    with pytest.raises(UserError) as caught:
        study(layer(box(5, 5, 5)), terrain=apart)
    assert caught.value.code == "sunlight.terrain_apart"


def test_no_terrain_is_a_doubt_and_a_huge_one_is_thinned(monkeypatch: pytest.MonkeyPatch) -> None:
    codes = [issue.code for issue in study(layer(box(5, 5, 5)), ground_cell=10.0).issues]
    assert "sunlight.flat_ground" in codes
    monkeypatch.setattr("analysis.sunlight.city.TERRAIN_CELLS", 500)
    result = study(layer(box(5, 5, 5)), terrain=plain(), ground_cell=10.0)
    assert "sunlight.terrain_thinned" in [issue.code for issue in result.issues]
    assert np.nanmax(hours(result, "ground")) == pytest.approx(possible(result), abs=1e-3)


def test_progress_ends_at_one_and_a_stop_leaves_nothing() -> None:
    seen: list[float] = []
    inputs = STUDY.inputs(frame=frame(), terrain=plain(), blockers=(layer(box(20, 10, 12)),), trees=(), relief=())
    STUDY.run(inputs, STUDY.params(**LOW), Feedback(lambda fraction, _: seen.append(fraction)))
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    for stop_at in (0.01, 0.3, 0.6, 0.9):
        reached: list[float] = []
        feedback = Feedback(
            lambda fraction, _, r=reached: r.append(fraction), lambda r=reached, s=stop_at: bool(r) and r[-1] >= s
        )
        with pytest.raises(Cancelled):
            STUDY.run(inputs, STUDY.params(**LOW), feedback)


@pytest.mark.parametrize("text", ["twelve", "15", "-13", ""])
def test_a_wrong_clock_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        STUDY.params(utc_offset=text)
