"""Scores of wind calculations: worked by hand, and what spoils them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from analysis.wind.scores import scores


def test_worked_by_hand() -> None:
    # 1.0: 20 % low, a hit. 0.04: 0.04 off, a hit by the absolute band but not within a factor of two. 1.5: 50 % high.
    result = scores([0.8, 0.08, 1.5], [1.0, 0.04, 1.0])
    assert result.points == 3
    assert result.hit_rate == pytest.approx(2 / 3)
    assert result.fac2 == pytest.approx(1.0)
    assert result.bias == pytest.approx(2 * (2.04 - 2.38) / (2.04 + 2.38))
    error = (0.2**2 + 0.04**2 + 0.5**2) / 3
    assert result.error == pytest.approx(error / ((2.04 / 3) * (2.38 / 3)))
    assert result.correlation == pytest.approx(np.corrcoef([0.8, 0.08, 1.5], [1.0, 0.04, 1.0])[0, 1])


def test_too_low_by_half_is_a_positive_bias_of_two_thirds() -> None:
    observed = np.array([0.4, 0.8, 1.2])
    result = scores(observed / 2, observed)
    assert result.bias == pytest.approx(2 / 3)
    assert result.fac2 == 1.0
    assert result.hit_rate == 0.0
    assert result.correlation == pytest.approx(1.0)


def test_pairs_without_a_number_are_left_out() -> None:
    assert scores([1.0, math.nan, 2.0], [1.0, 1.0, 2.0]).points == 2
    assert scores([1.0, math.nan], [math.nan, 1.0]).points == 0
    assert math.isnan(scores([1.0], [1.0]).correlation)


def test_a_flat_field_has_no_correlation_but_a_bias() -> None:
    result = scores([1.0, 1.0, 1.0], [0.5, 1.0, 1.5])
    assert math.isnan(result.correlation)
    assert result.bias == 0.0
