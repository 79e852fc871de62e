"""Costs: what units cost a year, and for each person and microgram."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from analysis.dust.catalogue import Purifier

DAY = 86_400.0  # [s]
MICRO = 1e-6  # g in ug


class Costs(NamedTuple):
    """Of some units.

    Attributes
    ----------
    price : float [KRW]
    year : float [KRW/a]
        Running cost and price over lifetime.
    each : float [KRW/a per person and ug/m3]
        NaN where no people are given or nothing is gained.
    """

    price: float
    year: float
    each: float


def costs_of(models: Sequence[Purifier], *, lifetime: float, persons: float, reduction: float) -> Costs:
    """Costs of units that take `reduction` [ug/m3] off the mean air of so many persons; lifetime in years."""
    price = sum(model.cost for model in models)
    year = sum(yearly(model, lifetime) for model in models)
    gained = persons * reduction
    return Costs(price, year, year / gained if gained > 0.0 else np.nan)


def yearly(model: Purifier, lifetime: float) -> float:
    """Running cost and price over lifetime [KRW/a]."""
    return model.running_cost + model.cost / lifetime


def grams_a_day(strength: float) -> float:
    """From ug/s."""
    return strength * MICRO * DAY
