"""Purifiers together: amplitudes and one box for close ones, against the whole grid with all of them."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.dust import interplay
from analysis.dust.borders import balance
from analysis.dust.interplay import Interplay, groups_of
from analysis.dust.near_field import Setting, boxed
from analysis.dust.unit import Ports
from analysis.dust.units import SharedWithUnits, resolve, still_operator, taken_in, with_units
from analysis.wind.crew import Crew
from geo.model import Feedback
from tests.analysis.test_dust_operator import city
from tests.tiny_dust import DUST, SITES, placed, setting, town

TOWER, SHELTER = "tower-30000", "shelter-3000"
FAR = [(-74.0, -74.0), (-10.0, -24.0), (-20.0, 72.0), (76.0, 20.0)]


@pytest.fixture(scope="module")
def crew():
    with Crew(2) as one:
        yield one


def test_frozen_wind_amplitudes_are_exact(crew: Crew) -> None:
    """Boxes as large as the grid: what is left is the algebra of the k by k system."""
    faces = city(7, (10, 34, 34))
    rng = np.random.default_rng(1)
    weights = rng.uniform(size=faces.shape) * faces.air
    where = Setting(faces, rng.uniform(20.0, 40.0, faces.shape) * faces.air, np.zeros(faces.shape), 0.5, DUST)
    with Crew(1) as one:
        from analysis.dust.solver import Transport

        back = Transport(still_operator(where, np.float64), one, transpose=True)
        where = where._replace(adjoint=back.solve(weights, Feedback(), tolerance=1e-12).values)
    open_cells = [(j, i) for j in range(8, 28, 5) for i in range(8, 28, 5) if faces.air[:5, j, i].all()]
    units = [_column(faces.shape, j, i) for j, i in open_cells[:5]]
    assert len(units) == 5
    exact = resolve(where, units, crew, Feedback(), dtype=np.float64, frozen=True).benefit(weights)
    together = Interplay(where, crew, dtype=np.float64, frozen=True, grow=True, close=-99)
    assert together.joint(units).benefit == pytest.approx(exact, rel=1e-5)


def _column(shape: tuple[int, int, int], j: int, i: int) -> Ports:
    intake, outlet = (np.array([np.ravel_multi_index((k, j, i), shape)], dtype=np.int64) for k in (3, 0))
    return Ports(intake, np.ones(1), outlet, np.ones(1), 8.0, 0.7)


@pytest.mark.parametrize("ratio", [1.0, pytest.param(0.25, marks=pytest.mark.slow)])
def test_four_towers_by_amplitudes_are_within_three_percent(ratio: float, crew: Crew) -> None:
    where = setting(ratio)
    units = [placed(TOWER, *place) for place in FAR]
    exact = resolve(where, units, crew, Feedback())
    found = Interplay(where, crew).joint(units)
    assert len(found.groups) == 4
    assert found.benefit == pytest.approx(exact.benefit(town().weights), rel=0.03)
    assert found.intake == pytest.approx(exact.intake, rel=0.03)
    assert found.removed == pytest.approx(exact.removed, rel=0.03)
    assert found.alone.sum() >= found.benefit


def test_close_units_are_solved_in_one_box(crew: Crew) -> None:
    """Two towers 12 m apart in weak wind: amplitudes are a tenth off, one box is within one percent."""
    where = setting(0.25)
    units = [placed(TOWER, -10.0, -24.0, 90.0), placed(TOWER, 2.0, -24.0, 90.0), placed(TOWER, *FAR[3])]
    exact = resolve(where, units, crew, Feedback()).benefit(town().weights)
    found = Interplay(where, crew).joint(units)
    assert found.groups == ((0, 1), (2,))
    assert found.benefit == pytest.approx(exact, rel=0.01)
    apart = Interplay(where, crew, close=-99).joint(units)
    assert abs(apart.benefit / exact - 1.0) > 0.03, "the amplitudes alone would do"


@pytest.mark.slow
@pytest.mark.parametrize("model", [TOWER, SHELTER])
@pytest.mark.parametrize("ratio", [1.0, 0.25])
@pytest.mark.parametrize("gap", [4.0, 12.0, 24.0, 36.0, 48.0, 64.0])
def test_pairs_at_any_distance(gap: float, ratio: float, model: str, crew: Crew) -> None:
    """Along a street and across one: one box within 0.5 %, amplitudes farther apart within 3 %."""
    where = setting(ratio)
    for second in ((-10.0 + gap, -24.0), (-24.0, -66.0 + gap)):
        units = [placed(model, -10.0, -24.0, 90.0) if second[1] == -24.0 else placed(model, -24.0, -66.0, 90.0)]
        units.append(placed(model, *second, 90.0))
        exact = resolve(where, units, crew, Feedback()).benefit(town().weights)
        assert boxed(where, units, grow=False).benefit == pytest.approx(exact, rel=0.005)
        assert Interplay(where, crew).joint(units).benefit == pytest.approx(exact, rel=0.03)


def test_chosen_units_need_no_more_solves(crew: Crew, monkeypatch: pytest.MonkeyPatch) -> None:
    where = setting(1.0)
    units = [placed(SHELTER, *place) for place in FAR[:3]]
    plain = Interplay(where, crew).joint(units)
    known = Interplay(where, crew)
    for unit in units[:2]:
        known.know(unit, Feedback())
    monkeypatch.setattr(interplay, "Transport", None)  # a further solver could not be made
    monkeypatch.setattr(type(known._forward), "solve", None)
    found = known.joint(units)
    assert found.benefit == pytest.approx(plain.benefit, rel=1e-4)
    assert found.amplitude == pytest.approx(plain.amplitude, rel=1e-3)


def test_nothing_is_lost_but_what_the_filters_keep(crew: Crew) -> None:
    where = setting(1.0)
    units = [placed(TOWER, *place) for place in FAR[:2]]
    found = resolve(where, units, crew, Feedback(), dtype=np.float64)
    laid = where._replace(faces=with_units(where.faces, units))
    operator = taken_in(still_operator(laid, np.float64), units)
    assert isinstance(operator.share, SharedWithUnits)
    after = where.concentration + found.change
    entered = operator.share.inflow * 30.0
    told = balance(operator, after, np.zeros(operator.shape), 30.0)
    before = balance(still_operator(where, np.float64), where.concentration, np.zeros(operator.shape), 30.0)
    returned = sum((1.0 - unit.efficiency) * unit.flow * c for unit, c in zip(units, found.intake, strict=True))
    gone = told.left + told.on_ground - returned - (before.left + before.on_ground)
    assert told.entered == pytest.approx(float(entered.sum()))
    assert gone == pytest.approx(0.0, abs=1e-4 * float(found.removed.sum()))


def test_air_as_it_is_kept_needs_no_projection(crew: Crew) -> None:
    """Single precision, and cells that gain and lose far more than kept winds do."""
    where, units = setting(1.0), [placed(TOWER, *place) for place in FAR[1:3]]
    rng = np.random.default_rng(8)
    rough = where.faces._replace(
        **{
            name: (flux * (1.0 + 1e-6 * rng.normal(size=flux.shape))).astype(np.float32)
            for name, flux in where.faces._asdict().items()
            if name in ("viscosity", "east", "north", "up")
        }
    )
    assert rough.imbalance() > 1e-5
    exact = resolve(where, units, crew, Feedback(), dtype=np.float64).benefit(town().weights)
    kept = where._replace(faces=rough, concentration=where.concentration.astype(np.float32))
    assert resolve(kept, units, crew, Feedback()).benefit(town().weights) == pytest.approx(exact, rel=1e-4)


def test_units_far_apart_are_alone_and_chains_are_one_group() -> None:
    shape = town().faces.shape
    far = [placed(SHELTER, *place) for place in SITES]
    assert groups_of(far[:1], shape) == ((0,),)
    row = [placed(SHELTER, -80.0 + 30.0 * n, -24.0) for n in range(5)]
    assert groups_of(row, shape) == ((0, 1, 2, 3, 4),)
    assert groups_of([row[0], far[4], row[1]], shape) == ((0, 2), (1,))
