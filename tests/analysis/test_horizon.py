"""Sky view from horizons: closed forms, turns, the stored results of UMEP, gaps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from analysis.kernels.horizon import sky_view_horizon
from geo.model import Grid


def grid(values: np.ndarray, cell: float = 1.0) -> Grid:
    return Grid(values, 0.0, 0.0, cell)


@pytest.mark.parametrize("ratio", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("turned", [False, True])
def test_the_middle_of_a_long_street(ratio: float, turned: bool) -> None:
    """Johnson and Watson (1984): the cosine of the angle up to the eaves, which stand 10.5 to 11 cells away."""
    heights = np.full((401, 401), 20.0 * ratio)
    heights[:, 190:211] = 0.0
    found = sky_view_horizon(grid(heights.T.copy() if turned else heights), azimuths=128)[200, 200]
    near, far = (np.cos(np.arctan(20.0 * ratio / wall)) for wall in (10.5, 11.0))
    assert near - 0.005 < found < far + 0.005


def test_a_round_basin_whatever_the_cell() -> None:
    """A rim of equal height all round: cos(h)**2 of the angle up to it."""
    for cell in (1.0, 2.0):
        axis = (np.arange(201) - 100) * cell
        heights = np.where(np.hypot(*np.meshgrid(axis, axis)) < 60.0, 0.0, 30.0)
        found = sky_view_horizon(grid(heights, cell))[100, 100]
        assert found == pytest.approx(1.0 / (1.0 + 0.5**2), abs=0.01)


def test_plains_see_all_and_quarter_turns_turn_the_answer() -> None:
    np.testing.assert_array_equal(sky_view_horizon(grid(np.full((7, 9), 3.0))), 1.0)
    heights = np.random.default_rng(1).uniform(0, 30, (40, 40))
    straight = sky_view_horizon(grid(heights), threads=1)
    np.testing.assert_array_equal(straight, sky_view_horizon(grid(heights), threads=2))
    for quarter in (1, 2, 3):
        turned = sky_view_horizon(grid(np.rot90(heights, quarter).copy()))
        np.testing.assert_allclose(np.rot90(turned, -quarter), straight, atol=1e-12)


def test_gaps_hide_nothing_and_stay_gaps() -> None:
    heights = np.zeros((30, 30))
    heights[10:20, 10:20] = 15.0
    holed = heights.copy()
    holed[12:18, 12:18] = np.nan
    whole, found = sky_view_horizon(grid(heights)), sky_view_horizon(grid(holed))
    assert np.isnan(found[12:18, 12:18]).all()
    assert np.isfinite(found).sum() == 900 - 36
    np.testing.assert_allclose(found[:5], whole[:5], atol=0.02)


def test_the_stored_results_of_umep(shared_data: Path) -> None:
    with np.load(shared_data / "solar" / "umep_golden" / "umep_shadow_svf.npz") as stored:
        heights, expected = stored["input_dsm"].astype(np.float64)[::-1], stored["svf_total"].astype(np.float64)[::-1]
    found = sky_view_horizon(grid(heights))
    assert np.sqrt(np.mean((found - expected) ** 2)) < 0.015
    assert abs(float((found - expected).mean())) < 0.002
