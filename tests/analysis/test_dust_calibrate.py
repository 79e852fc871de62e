"""Calibration of source strengths: planted strengths come back, what cannot be known is said, held-out scores."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import nnls

from analysis.dust.calibrate import Calibration, Measured, calibrate, sensor_gain
from geo.model import Issue, UserError

TRUTH = np.array([2.0, 0.5, 1.4])


def town(*, sensors: int = 12, hours: int = 200, noise: float = 0.5, hidden: bool = False, seed: int = 1) -> Measured:
    """Sensors of which each sees the groups in its own proportions, in changing winds."""
    rng = np.random.default_rng(seed)
    near = rng.uniform(0.0, 1.0, (sensors, 3)) ** 2
    if hidden:
        near[:, 2] = 1e-4
    wind = rng.lognormal(1.0, 0.6, (hours, 1, 3))
    transfer = (near[None] * wind).reshape(-1, 3) * 4.0
    background = np.repeat(rng.uniform(15.0, 60.0, hours), sensors)
    value = background + 3.0 + transfer @ TRUTH + noise * rng.standard_normal(len(transfer))
    return Measured(transfer, value, background, np.tile(np.arange(sensors), hours), np.ones(3))


def solved(measured: Measured) -> tuple[Calibration, list[str]]:
    issues: list[Issue] = []
    return calibrate(measured, issues), [issue.code for issue in issues]


def test_planted_strengths_and_offset_come_back() -> None:
    found, codes = solved(town())
    np.testing.assert_allclose(found.strength, TRUTH, rtol=0.05)
    assert found.offset == pytest.approx(3.0, abs=0.3)
    assert found.is_identified.all()
    assert found.is_accepted
    assert codes == []
    assert found.total.correlation > 0.99
    assert abs(found.increment.bias) < 0.02
    assert found.total.error < found.before.error


def test_errors_grow_with_what_the_model_does_not_catch() -> None:
    quiet, loud = solved(town(noise=0.5))[0], solved(town(noise=12.0))[0]
    assert quiet.excess == 1.0
    assert loud.excess > 5.0
    assert (loud.error > 2.0 * quiet.error).all()
    assert (np.abs(loud.factor - TRUTH) < 3.0 * loud.uncertainty).all()


def test_units_of_the_prior_do_not_matter() -> None:
    here = town()
    scale = np.array([1e-3, 10.0, 1e6])
    other = here._replace(transfer=here.transfer / scale, prior=scale)
    np.testing.assert_allclose(solved(other)[0].factor, solved(here)[0].factor, rtol=1e-6)


def test_the_answer_is_that_of_the_whole_system() -> None:
    here = town(noise=2.0)
    found, _ = solved(here)
    weight = 1.0 / np.sqrt(4.0 + (0.3 * here.transfer.sum(axis=1)) ** 2)
    one = np.ones((len(weight), 1))
    rows = np.column_stack([here.transfer, one, -one]) * weight[:, None]
    pull = np.sqrt(found.prior_weight) * np.eye(3, 5)
    right = np.concatenate([weight * (here.value - here.background), np.full(3, np.sqrt(found.prior_weight))])
    answer, _ = nnls(np.vstack([rows, pull]), right)
    np.testing.assert_allclose(found.factor, answer[:3], rtol=1e-8)
    assert found.offset == pytest.approx(answer[3] - answer[4])


def test_a_group_no_sensor_sees_stays_at_its_prior_and_is_named() -> None:
    found, codes = solved(town(hidden=True))
    assert found.resolution[2] < 0.1
    assert found.factor[2] == pytest.approx(1.0, abs=0.1)
    assert found.is_identified.tolist() == [True, True, False]
    # As unknown as before, although leaving out sensors does not move it.
    assert found.uncertainty[2] == pytest.approx(1.0, abs=0.3)
    assert (found.uncertainty[:2] < 0.1).all()
    assert "dust.calibrate.not_identified" in codes


def test_two_groups_that_always_come_together_are_not_told_apart() -> None:
    here = town()
    transfer = here.transfer.copy()
    transfer[:, 1] = transfer[:, 0]
    value = here.background + transfer @ np.array([2.0, 0.5, 1.4])
    found, _ = solved(here._replace(transfer=transfer, value=value))
    assert found.factor[:2].sum() == pytest.approx(2.5, rel=0.05)
    assert (found.resolution[:2] <= 0.51).all()


def test_strengths_never_fall_below_zero() -> None:
    here = town()
    found, _ = solved(here._replace(value=here.background + here.transfer @ np.array([1.0, -0.8, 1.0])))
    assert (found.strength >= 0.0).all()
    assert found.strength[1] < 0.05


def test_scores_are_of_sensors_that_were_left_out() -> None:
    here = town()
    wrong = here.sensor == 4
    found, _ = solved(here._replace(value=here.value + 40.0 * wrong))
    missed = (here.value + 40.0 * wrong - found.held_out)[wrong]
    assert missed.mean() == pytest.approx(40.0, abs=6.0)


def test_gaps_many_groups_and_bad_maps_are_told() -> None:
    here = town(sensors=4)
    value = here.value.copy()
    value[::5] = np.nan
    found, codes = solved(here._replace(value=value))
    assert np.isnan(found.held_out[::5]).all()
    assert np.isnan(found.residual[::5]).all()
    assert {"dust.calibrate.missing", "dust.calibrate.many_groups"} <= set(codes)
    noisy = town(noise=0.1)
    rng = np.random.default_rng(2)
    nonsense = noisy._replace(background=noisy.background * 0.0 + 0.1, value=rng.lognormal(0.0, 3.0, len(noisy.value)))
    assert "dust.calibrate.not_accepted" in solved(nonsense)[1]


def test_too_few_sensors_and_sources_that_reach_none_are_refused() -> None:
    with pytest.raises(UserError) as error:
        calibrate(town(sensors=2), [])
    assert error.value.code == "dust.calibrate.few_values"
    here = town()
    with pytest.raises(UserError) as error:
        calibrate(here._replace(transfer=here.transfer * 0.0), [])
    assert error.value.code == "dust.calibrate.nothing_arrives"


def test_the_next_sensor_teaches_most_where_the_unknown_source_is_seen() -> None:
    found, _ = solved(town(hidden=True))
    blind, seeing = np.zeros((10, 3)), np.zeros((10, 3))
    seeing[:, 2] = 5.0
    gain, error = sensor_gain(np.stack([blind, seeing]), found)
    assert gain[0] == pytest.approx(0.0)
    assert gain[1] > 0.0
    assert error[1] < error[0]
    assert error[0] == pytest.approx(np.sqrt((found.error**2).mean()))
