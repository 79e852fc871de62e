"""What each group of sources adds at stations hour by hour: answers of the cases, mixed by the winds of the hours.

One forward answer per group and case, looked up at the stations, also tells what a station anywhere else would see.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.dust.classes import hourly
from analysis.dust.pairing import Paired
from analysis.dust.posts import Sampling
from analysis.dust.run import CaseFields
from analysis.dust.winds import Case
from analysis.wind.climate import WindHours

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

LEAST_SHARE = 0.5  # of an hour's winds that must have been calculated


class Seen(NamedTuple):
    """Dust of one case at some places.

    Attributes
    ----------
    part : (places, groups) float [ug/m3]
    share : (places,) float
        Of the background.
    """

    part: Floats
    share: Floats


class Mix(NamedTuple):
    """How the cases make up the times of the measurements.

    Attributes
    ----------
    slowness : (n, cases) float
        Factor on what sources add in a case: share of the time over its speed of dilution, times the case's speed.
    share : (n, cases) float
        Of the time; rows add up to 1.
    known : (n,) bool
        Whether the calculated winds make up most of the time.
    """

    slowness: Floats
    share: Floats
    known: Bools

    def parts(self, seen: Sequence[Seen]) -> Floats:
        """(n, places, groups) [ug/m3]."""
        return np.asarray(np.einsum("tc,cpg->tpg", self.slowness, np.stack([one.part for one in seen])))

    def shares(self, seen: Sequence[Seen]) -> Floats:
        """(n, places) of the background."""
        return np.asarray(self.share @ np.stack([one.share for one in seen]))


def mix_of(paired: Paired, cases: Sequence[Case], *, factor: float) -> Mix:
    """Mix of the cases for each time of the measurements.

    factor : float
        Wind over the site over that of the weather station.
    """
    slowness, share = _of_hours(paired.wind, cases, factor)
    total = paired.mean(share.sum(axis=1))
    known = total >= LEAST_SHARE
    part = 1.0 / np.maximum(total, LEAST_SHARE)[:, None]
    return Mix(paired.mean(slowness) * part, paired.mean(share) * part, known)


def _of_hours(wind: WindHours, cases: Sequence[Case], factor: float) -> tuple[Floats, Floats]:
    """(m, cases) factors on what sources add, and shares of each hour, of all winds and not those calculated alone."""
    each = hourly(wind, factor=factor)
    sector = np.array([case.sector for case in cases])
    speed = np.array([case.speed for case in cases])
    share = np.zeros((len(wind.speed), len(cases)))
    blowing = np.where(np.isfinite(each.speed), each.speed, 1.0)
    for k in np.unique(sector).tolist():
        members = np.flatnonzero(sector == k)
        # Of several speeds of one direction the nearest counts: deposition takes more of slow air.
        nearest = np.abs(np.log(blowing)[:, None] - np.log(speed[members])[None, :]).argmin(axis=1)
        share[np.arange(len(share)), members[nearest]] = each.weight[:, k]
    return share * speed[None, :] / blowing[:, None], share


def seen_at(fields: CaseFields, sampling: Sampling) -> Seen:
    """What stations see of a case, looked up in its fields."""
    parts = [sampling.of(part.values) for part in fields.parts]
    return Seen(np.stack(parts, axis=1), sampling.of(fields.share.values))
