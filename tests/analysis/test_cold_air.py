"""Cold air against closed forms: rest, slope flow, dam break, lakes, balances, symmetry; and what buildings hold."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import brentq

from analysis.cold_air.layer import ColdLayer, Land
from analysis.cold_air.night import run_night
from analysis.contract import Result
from analysis.kernels.cold_pool import GRAVITY, KARMAN, TEMPERATURE
from analysis.registry import get
from analysis.run import execute
from geo.model import Cancelled, Feedback, Grid, Layer, UserError
from tests.tiny import buildings, terrain, tiny_frame

Floats = NDArray[np.float64]
DEFICIT = 5.0
REDUCED = GRAVITY * DEFICIT / TEMPERATURE


def land(
    ground: Floats, *, cell: float = 10.0, made: float | Floats = 0.0, roughness: float = 0.1, walls: bool = True,
    built: Floats | None = None,
) -> Land:  # fmt: skip
    def full(value: float | Floats) -> Floats:
        return np.broadcast_to(np.asarray(value, dtype=np.float64), ground.shape).copy()

    return Land(cell, ground, full(0.0) if built is None else built, full(roughness), full(made), full(DEFICIT), walls)


def drag(depth: float, roughness: float) -> float:
    return float((KARMAN / (np.log(depth / roughness) - 1.0 + roughness / depth)) ** 2)


def test_a_level_lake_over_any_ground_does_not_move() -> None:
    ground = np.random.default_rng(1).uniform(0.0, 12.0, (25, 31))  # some of it stands out
    built = np.zeros_like(ground)
    built[5:8, 10:20] = 30.0
    layer = ColdLayer(land(ground, built=built))
    layer.fill(np.maximum(8.0 - ground - built, 0.0), DEFICIT)
    before = layer.depth
    layer.until(1800.0, Feedback())
    np.testing.assert_allclose(layer.depth, before, atol=1e-10)
    assert max(np.abs(part).max() for part in layer.velocity) < 1e-10


def test_slope_flow_carries_all_that_is_made_above_and_falls_as_fast_as_friction_lets_it() -> None:
    slope, made, count = 0.08, 14.0 / 3600.0, 500
    ground = np.tile(-slope * 10.0 * np.arange(count), (4, 1))
    layer = ColdLayer(land(ground, made=made, walls=False), mixing=False)
    layer.until(3.0 * 3600.0, Feedback())
    depth, speed = layer.depth[1], layer.velocity[0][1]
    for place in (150, 300, 450):
        assert speed[place] * depth[place] == pytest.approx(made * 10.0 * (place + 0.5), rel=0.01)
        balance = np.sqrt(REDUCED * depth[place] * slope / drag(depth[place], 0.1))
        # Slower than without inertia: the air gains speed down the slope and drags along what is made on the way.
        assert 0.94 * balance < speed[place] < balance


@pytest.mark.parametrize("turned", [False, True])
def test_dam_break_stands_at_stokers_depth(turned: bool) -> None:
    left, right, count = 20.0, 5.0, 400

    def jump(middle: float) -> float:
        speed = 2.0 * (np.sqrt(REDUCED * left) - np.sqrt(REDUCED * middle))
        return speed - (middle - right) * np.sqrt(REDUCED * (middle + right) / (2.0 * middle * right))

    middle = brentq(jump, right + 1e-6, left - 1e-6)
    speed = 2.0 * (np.sqrt(REDUCED * left) - np.sqrt(REDUCED * middle))
    depth = np.tile(np.where(np.arange(count) < count // 2, left, right), (4, 1))
    depth = depth.T.copy() if turned else depth
    layer = ColdLayer(land(np.zeros(depth.shape), roughness=1e-9), mixing=False)
    layer.fill(depth, DEFICIT)
    layer.until(300.0, Feedback())
    profile = layer.depth[:, 1] if turned else layer.depth[1]
    velocity = layer.velocity[1][:, 1] if turned else layer.velocity[0][1]
    front = np.flatnonzero(profile > (middle + right) / 2).max()
    shock = middle * speed / (middle - right)
    assert front * 10.0 - 2000.0 == pytest.approx(shock * 300.0, abs=40.0)
    plateau = slice(count // 2 + 3, front - 6)
    np.testing.assert_allclose(profile[plateau], middle, rtol=0.01)
    np.testing.assert_allclose(velocity[plateau], speed, rtol=0.02)


def test_a_basin_fills_like_a_lake() -> None:
    y, x = np.mgrid[0:61, 0:61] * 10.0
    ground = 0.0004 * ((x - 300.0) ** 2 + (y - 300.0) ** 2)
    layer = ColdLayer(land(ground, made=14.0 / 3600.0), mixing=False)
    layer.until(2.0 * 3600.0, Feedback())
    volume = 2.0 * 14.0 * (610.0**2)
    assert layer.volume == pytest.approx(volume, rel=1e-9)

    def filled(level: float) -> float:
        return float(np.maximum(level - ground, 0.0).sum() * 100.0 - volume)

    level = brentq(filled, 0.0, 500.0)
    deep = layer.depth > 5.0
    surface = (ground + layer.depth)[deep]
    np.testing.assert_allclose(surface, level, atol=1.0)  # it still rocks a little


def test_nothing_is_lost_or_made_up_and_heat_follows_the_air() -> None:
    rng = np.random.default_rng(4)
    ground = rng.uniform(0.0, 3.0, (40, 50)) + np.linspace(0.0, 40.0, 50)
    built = np.where(rng.random((40, 50)) > 0.9, 15.0, 0.0)
    layer = ColdLayer(land(ground, made=12.0 / 3600.0, walls=False, built=built))
    layer.until(3600.0, Feedback())
    there = layer.volume + layer.left
    assert there == pytest.approx(layer.produced + layer.entrained, rel=1e-9)
    assert layer.left > 0.0
    assert layer.entrained > 0.0
    assert (layer.depth >= 0.0).all()
    wet = layer.depth > 0.01
    assert (layer.deficit[wet] <= DEFICIT + 1e-9).all()  # mixing only makes it warmer
    assert (layer.deficit[wet] < DEFICIT).any()


def test_a_mirrored_and_a_turned_land_have_the_mirrored_and_the_turned_air() -> None:
    ground = np.random.default_rng(7).uniform(0.0, 10.0, (24, 24))
    built = np.where(np.random.default_rng(8).random((24, 24)) > 0.9, 20.0, 0.0)

    def night(turn: str) -> Floats:
        change = {"": lambda a: a, "mirror": np.fliplr, "turn": np.transpose}[turn]
        made = land(change(ground).copy(), made=14.0 / 3600.0, built=change(built).copy(), walls=False)
        layer = ColdLayer(made)
        layer.until(1200.0, Feedback())
        return np.asarray(change(layer.depth))

    base = night("")
    np.testing.assert_allclose(night("mirror"), base, atol=1e-9)
    np.testing.assert_allclose(night("turn"), base, atol=1e-9)


def test_the_number_of_threads_changes_no_bit() -> None:
    ground = np.random.default_rng(9).uniform(0.0, 10.0, (210, 210))
    depths = []
    for threads in (1, 2, 3):
        layer = ColdLayer(land(ground, made=0.004), threads=threads)
        layer.until(300.0, Feedback())
        depths.append(layer.depth)
    np.testing.assert_array_equal(depths[0], depths[1])
    np.testing.assert_array_equal(depths[0], depths[2])


def test_a_wall_across_a_valley_holds_air_back_until_it_flows_over() -> None:
    count = 120
    ground = np.tile(-0.05 * 10.0 * np.arange(count), (20, 1))
    built = np.zeros_like(ground)
    built[:, 80] = 12.0
    free = run_night(
        land(ground, made=0.004, walls=False), np.ones_like(ground, bool), 1.0, mixing=False, feedback=Feedback()
    )
    dammed = run_night(
        land(ground, made=0.004, walls=False, built=built), np.ones_like(ground, bool), 1.0, mixing=False,
        feedback=Feedback(),
    )  # fmt: skip
    assert dammed.depth[10, 78] > free.depth[10, 78] + 5.0
    assert dammed.depth[10, 79] + ground[10, 79] > ground[10, 80] + 12.0  # it has risen above the wall
    assert dammed.depth[10, 100] < free.depth[10, 100] + 0.5
    assert dammed.balance_error < 1e-9


def hillside() -> Layer:
    flat = terrain(20.0, 300.0, 10.0)
    grid = flat.geometry
    assert isinstance(grid, Grid)
    rise = (grid.y + 300.0)[:, None] * 0.06 * np.ones(len(grid.x))
    return flat.with_(geometry=Grid(20.0 + rise, grid.x0, grid.y0, grid.cell))


BOXES = [(-110.0, -20.0, 37.0, 220.0, 30.0, 25.0), (30.0, -120.0, 30.0, 15.0, 15.0, 9.0)]


def study(layers: list[Layer], **params: object) -> Result:
    values = {"hours": 1.0, "cell": 10.0, "catchment": 300.0, **params}
    return execute(get("wind.cold_air"), layers=layers, frame=tiny_frame(), params=values)


def test_a_long_house_below_a_slope_is_named_as_the_dam_and_leaving_it_out_frees_the_air() -> None:
    result = study([hillside(), buildings(BOXES)], checked=1)
    dams = next(table for table in result.tables if table.id == "dams")
    first = dict(zip(dams.columns, next(dams.rows()), strict=True))
    assert first["buildings"] == "b0"
    assert first["held_volume"] > 1000.0
    assert first["freed_volume"] == pytest.approx(first["held_volume"], rel=0.5)
    assert first["width_across"] == pytest.approx(220.0, abs=30.0)
    assert result.summary["balance_error"].value < 1e-6
    grid = next(layer for layer in result.layers if layer.source.part == "cold_air")
    held = grid.field_named("held_depth")
    assert held is not None
    assert np.nanmax(held.values) > 1.0


def test_without_buildings_or_dams_and_on_flat_land() -> None:
    result = study([hillside()], area="229000, 435500")
    assert "dams" not in result.summary
    flat = study([terrain(20.0, 150.0, 10.0), buildings()])
    assert "cold_air.flat" in {issue.code for issue in flat.issues}
    assert flat.summary["study_depth"].value > 5.0


def test_bad_requests_say_what_to_do() -> None:
    with pytest.raises(UserError) as caught:
        study([hillside().with_(geometry=None, theme="other")])
    assert caught.value.code == "cold_air.nothing"
    with pytest.raises(UserError) as caught:
        study([buildings()], cell=2.0, catchment=20_000.0)
    assert caught.value.code == "cold_air.too_many_cells"
    assert "cell" in caught.value.todo


def test_it_can_be_stopped_in_the_night() -> None:
    steps: list[float] = []
    feedback = Feedback(lambda fraction, _: steps.append(fraction), lambda: len(steps) > 6)
    with pytest.raises(Cancelled):
        execute(
            get("wind.cold_air"), layers=[hillside(), buildings(BOXES)], frame=tiny_frame(),
            params={"hours": 4.0, "cell": 5.0}, feedback=feedback,
        )  # fmt: skip
