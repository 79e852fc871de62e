"""Band: how far the benefit may be off by diffusivity, direction of the wind, sources and efficiency."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.dust.classes import SECTORS
from analysis.dust.winds import Case

Floats = NDArray[np.float64]

SCHMIDT_BAND = (0.5, 1.0)  # most of the published values of the turbulent Schmidt number lie between


class Doubt(NamedTuple):
    """One cause of doubt: the benefit [ug/m3] at its low and its high end; NaN where it was not calculated."""

    name: str
    low: float
    high: float


class Band(NamedTuple):
    """The benefit [ug/m3], its doubts, and all of them together."""

    value: float
    doubts: tuple[Doubt, ...]
    low: float
    high: float


def band_of(value: float, doubts: Sequence[Doubt]) -> Band:
    """Join doubts as independent ones: the root of the sum of squares of what each takes off, or adds."""
    below = [max(value - min(one.low, one.high), 0.0) for one in doubts if np.isfinite([one.low, one.high]).all()]
    above = [max(max(one.low, one.high) - value, 0.0) for one in doubts if np.isfinite([one.low, one.high]).all()]
    less, more = (float(np.hypot.reduce([0.0, *parts])) for parts in (below, above))
    return Band(value, tuple(doubts), value - less, value + more)


def of_diffusivity(value: float, factors: Mapping[float, float]) -> Doubt:
    """From the factors by which other Schmidt numbers change the benefit; unknown where none was calculated."""
    values = [value * factor for factor in factors.values()]
    return Doubt("diffusivity", min(values), max(values)) if values else Doubt("diffusivity", np.nan, np.nan)


def of_direction(cases: Sequence[Case], benefits: Sequence[float]) -> Doubt:
    """If every wind came one class of direction further left, or right, as often as it comes.

    Each case is given the benefit of the neighbouring direction's case of the nearest speed, brought to its own speed
    by one over the speed. Cases whose neighbour was not calculated change like the others. Unknown for a single wind.
    """
    value = sum(case.share * benefit for case, benefit in zip(cases, benefits, strict=True))
    ends = [value * _turned(cases, benefits, turn) for turn in (-1, 1)]
    return Doubt("direction", min(ends), max(ends)) if np.isfinite(ends).all() else Doubt("direction", np.nan, np.nan)


def _turned(cases: Sequence[Case], benefits: Sequence[float], turn: int) -> float:
    """Factor on the benefit of the cases that have a neighbour."""
    turned, own = 0.0, 0.0
    for case, benefit in zip(cases, benefits, strict=True):
        sector = (case.sector + turn) % SECTORS
        near = [(abs(other.speed - case.speed), k) for k, other in enumerate(cases) if other.sector == sector]
        if near:
            other = min(near)[1]
            turned += case.share * benefits[other] * cases[other].speed / case.speed
            own += case.share * benefit
    return turned / own if own > 0.0 else float("nan")


def of_sources(value: float, source_share: float, doubt: float) -> Doubt:
    """If all sources were stronger or weaker by a share.

    Parameters
    ----------
    source_share : float
        Of the dust that the units take in, what comes from the sources of the city and not from outside.
    doubt : float
        0.5 for 50 %.
    """
    part = value * source_share * doubt
    return Doubt("sources", value - part, value + part)


def of_efficiency(value: float, efficiency: float, doubt: float) -> Doubt:
    """If the units kept less or more by a share of their efficiency, but never more than all."""
    high = min(1.0 + doubt, 1.0 / efficiency) if efficiency > 0.0 else 1.0
    return Doubt("efficiency", value * max(1.0 - doubt, 0.0), value * high)
