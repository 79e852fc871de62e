"""Classes of wind for dust: directions by bands of speed, with the meander of weak winds and the calm hours.

Only weights change with meander, no flow is solved anew: a share of each hour is spread over all directions, the rest
lies like a bell around the measured one. Form of the meander as in regulatory plume models (US EPA, AERMOD).
"""

from __future__ import annotations

from math import erf, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.wind.climate import CALM, WindHours, sector_shares
from geo.model import Issue, UserError

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

SECTORS = 16
BANDS = (CALM, 1.0, 2.0, 3.0, 5.0)  # [m/s] lower ends; the last is open; what is below the first is calm
MEANDER = 0.3  # [m/s] least lateral fluctuation; regulatory floors are 0.2, 0.3 and 0.5
MOST_CALM = 0.3  # share of calm hours from which a mean over the year says little
TURNS = 3  # of the circle on which the bell is folded; it is never wider than two radians


class WindClass(NamedTuple):
    """A direction and a band of speed.

    Attributes
    ----------
    sector : int
        0 is centred on true north, the next lie clockwise.
    band : int
        0 calm, then the bands of `BANDS` in turn.
    wind_from : float [degrees]
        Middle of the sector, clockwise from true north.
    speed : float [m/s]
        Speed of dilution at the height the wind was measured at: the harmonic mean, because what a source adds
        goes with one over the speed.
    share : float
        Of the known hours, 0 to 1.
    indicative : bool
        Calm: neither buoyancy nor drainage flow is in the model.
    """

    sector: int
    band: int
    wind_from: float
    speed: float
    share: float
    indicative: bool


class Hourly(NamedTuple):
    """What each hour is in the classes.

    Attributes
    ----------
    weight : (n, sectors) float
        Share of the hour that blows from each sector; rows add up to 1, or to 0 where the wind is unknown.
    speed : (n,) float [m/s]
        Of dilution, ``sqrt(U^2 + 2 sigma_v^2)``; NaN unknown.
    band : (n,) int64
        0 calm, then the bands; -1 unknown.
    """

    weight: Floats
    speed: Floats
    band: Indices


class WindClasses(NamedTuple):
    """The classes of some hours.

    Attributes
    ----------
    classes : tuple of WindClass
        By share, the largest first; shares add up to 1.
    hours, calm_hours, unknown_hours : int
        Known ones, those of them that were calm, and those left out.
    """

    classes: tuple[WindClass, ...]
    hours: int
    calm_hours: int
    unknown_hours: int

    @property
    def calm_share(self) -> float:
        """Of the known hours."""
        return self.calm_hours / self.hours


def spread_over_sectors(speed: float, meander: float = MEANDER, *, sectors: int = SECTORS) -> Floats:
    """(sectors,) shares of a wind that blows from the middle of sector 0, together 1.

    ``2 sigma_v^2 / (U^2 + 2 sigma_v^2)`` lies evenly on all; the rest is a bell of ``sigma_v / U`` radians.
    """
    even = 2.0 * meander**2 / (speed**2 + 2.0 * meander**2) if meander > 0.0 else 0.0
    bell = np.zeros(sectors)
    if speed > 0.0 and meander > 0.0:
        wide = np.degrees(meander / speed)
        edges = (np.arange(-TURNS * sectors, TURNS * sectors + 1) - 0.5) * 360.0 / sectors
        below = np.array([0.5 * (1.0 + erf(edge / wide / sqrt(2.0))) for edge in edges])
        bell = np.diff(below).reshape(2 * TURNS, sectors).sum(axis=0)
        bell /= bell.sum()
    else:
        bell[0] = 1.0
    return np.asarray(even / sectors + (1.0 - even) * bell, dtype=np.float64)


def hourly(hours: WindHours, meander: float = MEANDER, *, factor: float = 1.0) -> Hourly:
    """Each hour's shares of the sectors, its speed of dilution and its band.

    Parameters
    ----------
    meander : float [m/s]
        Least lateral fluctuation sigma_v, 0 for none.
    factor : float
        Speed at the site over the speed measured (`analysis.wind.transfer`); calm is judged by what was measured.
    """
    count = len(hours.speed)
    calm = hours.speed < CALM
    row, sector, share = sector_shares(hours, SECTORS)
    direct = np.zeros((count, SECTORS))
    np.add.at(direct, (row, sector), share)
    known = calm | (direct.sum(axis=1) > 0.0)
    local = np.where(calm, 0.0, hours.speed * factor)
    weight = np.zeros((count, SECTORS))
    weight[calm] = 1.0 / SECTORS
    # Hours of equal speed are turned together: a year has a few hundred different speeds.
    blowing = np.flatnonzero(known & ~calm)
    values, number = np.unique(np.round(local[blowing], 2), return_inverse=True)
    for k, value in enumerate(values):
        rows = blowing[number == k]
        shares = spread_over_sectors(float(value), meander)
        turned = np.stack([np.roll(shares, turn) for turn in range(SECTORS)])
        weight[rows] = direct[rows] @ turned
    speed = np.where(known, np.sqrt(local**2 + 2.0 * meander**2), np.nan)
    band = np.where(calm, 0, np.searchsorted(np.asarray(BANDS), np.nan_to_num(local), side="right"))
    # A wind that the site's shelter brings below the first band stays in it: its direction is known.
    band = np.where(known, np.where(calm, 0, np.maximum(band, 1)), -1)
    return Hourly(weight, speed, np.asarray(band, dtype=np.int64))


def wind_classes(
    hours: WindHours, issues: list[Issue], *, meander: float = MEANDER, factor: float = 1.0
) -> WindClasses:
    """The classes of some hours; what is doubtful is added to `issues`. Raises `UserError` where no wind is known."""
    if meander < 0.0 or factor <= 0.0:
        raise ValueError("the meander must not be negative and the factor must be above zero")
    each = hourly(hours, meander, factor=factor)
    known = each.band >= 0
    count, calm = int(known.sum()), int((each.band == 0).sum())
    if count == 0 or (meander == 0.0 and calm == count):
        raise UserError(
            f"{hours.name} holds no wind.",
            "None of its hours has a speed of half a metre per second or more and a direction.",
            "Choose another weather file, or other months and hours.",
            code="wind.no_wind",
            values={"layer": hours.name},
        )
    found = []
    for band in range(len(BANDS) + 1):
        rows = each.band == band
        if band == 0 and meander == 0.0:
            continue  # without meander nothing moves in a calm: those hours are counted and told, not calculated
        shares = each.weight[rows].sum(axis=0)
        slowness = (each.weight[rows] / each.speed[rows][:, None]).sum(axis=0)
        found += [
            WindClass(k, band, k * 360.0 / SECTORS, float(shares[k] / slowness[k]), float(shares[k]) / count, band == 0)
            for k in np.flatnonzero(shares > 0.0).tolist()
        ]
    total = sum(one.share for one in found)
    found = [one._replace(share=one.share / total) for one in found]
    found.sort(key=lambda one: (-one.share, one.sector, one.band))
    unknown = len(known) - count
    issues += _doubts(calm, count, unknown)
    return WindClasses(tuple(found), count, calm, unknown)


def _doubts(calm: int, count: int, unknown: int) -> list[Issue]:
    issues = []
    if calm:
        share = calm / count
        message = f"{calm} of {count} hours are calm; what is shown for them is indicative only."
        values = {"hours": count}
        issues.append(Issue("dust.calm_hours", message, "doubt" if share > MOST_CALM else "note", calm, values=values))
    if unknown:
        message = f"{unknown} hours without speed or direction of the wind were left out."
        issues.append(Issue("dust.unknown_wind", message, "note", unknown))
    return issues
