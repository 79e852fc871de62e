"""Best orientations by the fused kernel against the closed forms of optics, one camera and one target at a time."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.cctv.cameras import Camera, views_of
from analysis.cctv.catalogue import CameraModel, catalogue
from analysis.cctv.optics import density, in_view
from analysis.cctv.poles import Poles, fine_grid, join_poles, make_poles
from analysis.cctv.pricing import CameraPricer, Visible, Wanted, seen_densities, wanted
from analysis.cctv.refine import Aim, Room, aims_of, refine

BULLET, MULTI, FISHEYE = "bullet-2mp", "multi-4x4mp", "fisheye-12mp"


def scattered(count: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Points around the origin; a third of them on surfaces that look about."""
    rng = np.random.default_rng(seed)
    xyz = np.column_stack([rng.uniform(-60, 60, (count, 2)), rng.uniform(0, 4, count)])
    normal = rng.normal(size=(count, 3))
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    normal[rng.random(count) < 0.67] = np.nan
    return xyz, normal


def places(count: int, seed: int = 2) -> Poles:
    rng = np.random.default_rng(seed)
    xyz = np.column_stack([rng.uniform(-30, 30, (count, 2)), np.full(count, 5.0)])
    open_ones = make_poles(xyz[: count // 2], "road", height=5.0, mount="pole")
    half = np.full(count - count // 2, 60.0)
    walls = make_poles(
        xyz[count // 2 :], "facade", height=5.0, mount="facade", sector=(rng.uniform(0, 360, len(half)), half)
    )
    return join_poles([open_ones, walls])


def everything(poles: Poles, targets: Wanted) -> Visible:
    count = len(targets.xyz)
    return Visible(np.arange(len(poles) + 1) * count, np.tile(np.arange(count), len(poles)))


def by_optics(model: CameraModel, position: np.ndarray, way, targets: Wanted) -> np.ndarray:  # noqa: ANN001
    """Density of each target by the closed forms, 0 where it is not seen."""
    camera = Camera("c", "c", model, tuple(position), way.pan, way.tilt, way.roll, way.focal_mm)
    away = targets.xyz - position
    behind = np.nan_to_num((away * targets.normal).sum(axis=1), nan=-1.0) >= 0
    out = np.zeros(len(targets.xyz))
    for view in views_of(camera):
        found = np.where(in_view(view, targets.xyz), density(view, targets.xyz, targets.normal), 0.0)
        out = np.maximum(out, np.nan_to_num(found))
    out[behind | (np.linalg.norm(away, axis=1) > model.reach_m)] = 0.0
    return out


@pytest.mark.parametrize("name", [BULLET, MULTI, FISHEYE])
def test_densities_are_those_of_optics(name: str) -> None:
    model = catalogue()[name]
    xyz, normal = scattered(4000)
    targets = wanted(xyz, 20.0, normal=normal)
    poles = places(2)
    pricer = CameraPricer(poles, everything(poles, targets), targets, [fine_grid(model)])
    every = np.arange(len(xyz), dtype=np.int32)
    for candidate in np.random.default_rng(3).integers(0, pricer.candidates, 12).tolist():
        way = pricer.orientation(candidate)
        mine = seen_densities(model, poles.xyz[0], way, every, pricer.rows)
        theirs = by_optics(model, poles.xyz[0], way, targets)
        assert np.array_equal(mine > 0, theirs > 0)
        np.testing.assert_allclose(mine, theirs, rtol=1e-9)
        people = np.isnan(normal[:, 0])
        if name != FISHEYE:
            assert np.array_equal(mine[people], theirs[people])  # to the bit: the same operations in the same order


@pytest.mark.parametrize("names", [(BULLET,), (MULTI,), (FISHEYE,), (BULLET, FISHEYE)])
def test_best_two_are_those_of_a_full_search(names: tuple[str, ...]) -> None:
    xyz, normal = scattered(300)
    rng = np.random.default_rng(5)
    need = np.column_stack([np.full(300, 20.0), rng.choice([80.0, 125.0, np.inf], 300)])  # two classes
    targets = wanted(xyz, need, normal=normal, dark=rng.random(300) < 0.3)
    poles = places(4)
    grids = [fine_grid(catalogue()[name], pan_step=30.0, tilts=(5.0, 25.0, 45.0), focal_steps=3) for name in names]
    pricer = CameraPricer(poles, everything(poles, targets), targets, grids)
    prices = rng.uniform(0, 7, targets.rows)
    found = pricer.price(prices, per_site=2, least=-np.inf)
    for pole in range(len(poles)):
        sums = []
        for candidate in range(pricer.candidates):
            model, way = pricer.model(candidate), pricer.orientation(candidate)
            heads = model.heads or (0.0,)
            turned = [abs((way.pan + h - poles.sector_middle[pole] + 180) % 360 - 180) for h in heads]
            if model.kind != "fisheye" and max(turned) > poles.sector_half[pole] + 1e-9:
                continue
            seen = by_optics(model, poles.xyz[pole], way, targets)
            far = np.linalg.norm(xyz - poles.xyz[pole], axis=1) > model.ir_range_m
            seen[targets.dark & far] = 0.0
            is_seen = (seen[:, None] >= targets.need.reshape(300, 2)) & (seen[:, None] > 0)
            sums.append((float(prices[is_seen.ravel()].sum()), candidate))
            if candidate == found.candidate[pole, 0]:
                assert np.array_equal(pricer.seen(pole, candidate), np.flatnonzero(is_seen.ravel()))
        best = sorted((value for value, _ in sums), reverse=True)
        best += [-np.inf] * (2 - len(best))
        for k in range(2):
            value = found.value[pole, k]
            assert best[k] <= value + 1e-9 or value == best[k]  # never below: it is a bound
            assert value == pytest.approx(best[k], abs=1e-6)


def test_forbidden_and_penalised_rows() -> None:
    xyz = np.array([[0.0, 10.0, 1.6], [3.0, 10.0, 1.6], [0.0, -10.0, 1.6]])
    poles = make_poles(np.array([[0.0, 0.0, 4.0]]), "road", height=4.0, mount="pole")
    grid = fine_grid(catalogue()[BULLET], focal_steps=1)
    prices = np.array([1.0, 0.0, 0.6])
    for change, north in (({}, True), ({"forbidden": np.array([False, True, False])}, True),
                          ({"penalty": np.array([0, 5, 0])}, True)):  # fmt: skip
        targets = wanted(xyz, 20.0, **change)
        pricer = CameraPricer(poles, everything(poles, targets), targets, [grid])
        best = pricer.price(prices, per_site=1, least=-np.inf)
        seen = pricer.seen(0, int(best.candidate[0, 0]))
        assert (0 in seen) == north
        if change:
            assert 1 not in seen
    # Where the good cannot be had without the bad, the penalty is charged and the forbidden avoided.
    near = np.array([[0.0, 10.0, 1.6], [0.01, 10.0, 1.6]])
    targets = wanted(near, 20.0, penalty=np.array([0, 3]))
    pricer = CameraPricer(poles, everything(poles, targets), targets, [grid])
    best = pricer.price(np.array([5.0, 0.0]), per_site=1, least=-np.inf)
    assert best.value[0, 0] == pytest.approx(2.0)
    column = pricer.columns(np.zeros(1, np.int32), best.candidate[0])
    assert column.value_offset.tolist() == [-3]
    assert column.idx.tolist() == [0]
    targets = wanted(near, 20.0, forbidden=np.array([False, True]))
    pricer = CameraPricer(poles, everything(poles, targets), targets, [grid])
    assert pricer.price(np.array([5.0, 0.0]), per_site=1, least=-np.inf).value[0, 0] == 0.0


def test_threads_and_turns_change_no_bit() -> None:
    xyz, normal = scattered(3000)
    poles = places(40)
    grid = fine_grid(catalogue()[BULLET])
    prices = np.random.default_rng(0).uniform(0, 3, 3000)
    targets = wanted(xyz, 80.0, normal=normal)
    answers = [
        CameraPricer(poles, everything(poles, targets), targets, [grid], threads=n).price(
            prices, per_site=2, least=-np.inf
        )
        for n in (1, 4)
    ]
    assert np.array_equal(answers[0].value, answers[1].value)
    assert np.array_equal(answers[0].candidate, answers[1].candidate)
    # All turned by 90 degrees: the same values.
    turned = wanted(xyz[:, [1, 0, 2]] * [1, -1, 1], 80.0, normal=normal[:, [1, 0, 2]] * [1, -1, 1])
    there = make_poles(
        poles.xyz[:, [1, 0, 2]] * [1, -1, 1], "road", height=5.0, mount="pole",
        sector=(poles.sector_middle + 90.0, poles.sector_half),
    )  # fmt: skip
    again = CameraPricer(there, everything(there, turned), turned, [grid]).price(prices, per_site=2, least=-np.inf)
    np.testing.assert_allclose(again.value, answers[0].value, rtol=1e-12)


def test_a_site_below_the_least_gets_a_bound_and_cost_is_charged() -> None:
    xyz, normal = scattered(500)
    poles = places(6)
    poles.cost[:] = 1.0e6
    targets = wanted(xyz, 40.0, normal=normal)
    pricer = CameraPricer(poles, everything(poles, targets), targets, [fine_grid(catalogue()[BULLET])])
    prices = np.ones(500)
    exact = pricer.price(prices, per_site=2, least=-np.inf)
    assert np.isfinite(pricer.price(prices, per_site=2, least=1e300).value).all()
    bounded = pricer.price(prices, per_site=2, least=1.0e6)
    assert (bounded.candidate == -1).all()
    assert (bounded.value >= exact.value).all()
    charged = pricer.price(prices, per_site=1, least=-np.inf, money=1e-6)
    cost = pricer.cost(np.arange(6), charged.candidate[:, 0])
    assert cost[0] == 1.0e6 + catalogue()[BULLET].cost
    np.testing.assert_allclose(charged.value[:, 0], exact.value[:, 0] - 1e-6 * cost, atol=1e-5)


def test_coarse_set_lies_on_the_fine_grid() -> None:
    grid = fine_grid(catalogue()[BULLET])
    assert len(grid) == 1944
    ways = [grid.at(int(number)) for number in grid.coarse(pans=12, tilts=(15.0,), focals=2)]
    assert len(ways) == 24
    assert {way.pan for way in ways} == {30.0 * k for k in range(12)}
    assert {way.tilt for way in ways} == {15.0}
    assert {round(way.focal_mm, 9) for way in ways} == {2.8, 12.0}
    ratio = grid.focals[1:] / grid.focals[:-1]
    np.testing.assert_allclose(ratio, ratio[0])
    assert len(fine_grid(catalogue()[FISHEYE])) == 1


def test_refinement_finds_what_the_grid_misses_and_is_never_worse() -> None:
    rng = np.random.default_rng(8)
    xyz = np.column_stack([rng.uniform(-60, 60, (2000, 2)), np.full(2000, 1.6)])
    targets = wanted(xyz, 80.0)
    weight = rng.integers(1, 9, 2000)
    poles = places(6)
    grid = fine_grid(catalogue()[BULLET], pan_step=30.0, tilts=(15.0, 35.0), focal_steps=2)
    pricer = CameraPricer(poles, everything(poles, targets), targets, [grid])
    best = pricer.price(weight.astype(float), per_site=1, least=-np.inf).candidate[:, 0]
    refined = refine(aims_of(pricer, range(6), best.tolist()), targets, weight)
    assert refined.after > refined.before
    count = np.zeros(2000, bool)
    for aim in refined.aims:
        count |= by_optics(aim.model, np.asarray(aim.position), aim.way, targets) >= 80.0
        assert aim.model.focal_min_mm <= aim.way.focal_mm <= aim.model.focal_max_mm
    assert weight[count].sum() == refined.after  # by the closed forms, on all targets
    turned = [
        abs((aim.way.pan - poles.sector_middle[k] + 180) % 360 - 180) <= poles.sector_half[k] + 1e-9
        for k, aim in enumerate(refined.aims)
    ]
    assert all(turned)


def test_shifting_keeps_to_the_wall_and_traces_every_place() -> None:
    xyz = np.column_stack([np.linspace(-30, 30, 200), np.full(200, 20.0), np.full(200, 1.6)])
    targets = wanted(xyz, 80.0)
    model = catalogue()[BULLET]
    grid = fine_grid(model)
    asked: list[np.ndarray] = []

    def retrace(place: np.ndarray) -> np.ndarray:
        asked.append(np.array(place))
        return np.arange(200, dtype=np.int32) if place[0] > 2.0 else np.zeros(0, np.int32)

    room = Room(np.array([0.0, 0.0, 4.0]), np.array([1.0, 0.0]), 3.0, 3.5, 4.5)
    aim = Aim(model, np.array([0.0, 0.0, 4.0]), grid.at(3), np.zeros(0, np.int32), (0.0, 80.0), room)
    refined = refine([aim], targets, np.ones(200, np.int64), retrace=retrace)
    assert refined.before == 0
    assert refined.after > 20
    assert refined.aims[0].position[0] == pytest.approx(3.0)
    places_asked = np.array(asked)
    assert (np.abs(places_asked[:, 0]) <= 3.0 + 1e-12).all()
    assert (places_asked[:, 1] == 0.0).all()
    assert (places_asked[:, 2] >= 3.5).all()
    assert (places_asked[:, 2] <= 4.5).all()


def test_candidates_written_out_together_are_those_written_out_alone() -> None:
    xyz, normal = scattered(800)
    need = np.column_stack([np.full(800, 20.0), np.full(800, 80.0)])
    penalty = np.zeros(1600, np.int64)
    penalty[::7] = 2
    targets = wanted(xyz, need, normal=normal, penalty=penalty)
    poles = places(8)
    grids = [fine_grid(catalogue()[name]) for name in (BULLET, MULTI, FISHEYE)]
    pricer = CameraPricer(poles, everything(poles, targets), targets, grids, threads=3)
    rng = np.random.default_rng(11)
    site, candidate = rng.integers(0, 8, 700).astype(np.int32), rng.integers(0, pricer.candidates, 700)
    candidate[:5] = pricer.candidates - 1  # the fisheye
    columns = pricer.columns(site, candidate)
    for k in range(700):
        seen = pricer.seen(int(site[k]), int(candidate[k]))
        assert np.array_equal(columns.seen(k), seen[penalty[seen] == 0])
        assert columns.value_offset[k] == -penalty[seen].sum()
    assert len(pricer.columns(np.zeros(0, np.int32), np.zeros(0, np.int64))) == 0
