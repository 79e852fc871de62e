"""The solstices and equinoxes of a year, computed: no date is taken from memory.

References
----------
I. Reda, A. Andreas, Solar position algorithm for solar radiation applications. Solar Energy 76(5), 577-589, 2004.
doi:10.1016/j.solener.2003.12.003
"""

from __future__ import annotations

from datetime import date
from typing import Literal

import numpy as np

from analysis.kernels.sun import KOREA_UTC_OFFSET, MS_PER_HOUR, hours_between

Season = Literal["march", "june", "september", "december"]

SEASONS: dict[Season, tuple[float, str, str, int]] = {
    # right ascension [degrees], first and last day on which it can be reached between 1900 and 2100, month
    "march": (0.0, "03-18", "03-23", 3),
    "june": (90.0, "06-19", "06-24", 6),
    "september": (180.0, "09-20", "09-26", 9),
    "december": (270.0, "12-19", "12-25", 12),
}


def season_instant(year: int, season: Season) -> np.datetime64:
    """UTC instant [ms] at which the sun's right ascension is 0, 90, 180 or 270 degrees, to a second.

    Examples
    --------
    >>> str(season_instant(2026, "june"))[:16]
    '2026-06-21T08:24'
    """
    from pvlib import spa

    wanted, first, last, month = SEASONS[season]

    def ahead(instant: np.datetime64) -> float:
        seconds = np.array([hours_between(np.datetime64(0, "ms"), instant) * 3600.0])
        delta_t = spa.calculate_deltat(year, month)
        _, ascension, _ = spa.solar_position_numpy(seconds, 0, 0, 0, 0, 0, delta_t, 0, 1, sst=True)
        return float((ascension[0] - wanted + 180.0) % 360.0 - 180.0)

    low, high = np.datetime64(f"{year}-{first}", "ms"), np.datetime64(f"{year}-{last}", "ms")
    while high - low > np.timedelta64(1, "s"):
        middle = low + (high - low) // 2
        low, high = (middle, high) if ahead(middle) < 0 else (low, middle)
    return high


def season_day(year: int, season: Season, utc_offset_h: float = KOREA_UTC_OFFSET) -> date:
    """The local day of a solstice or an equinox."""
    local = season_instant(year, season) + np.timedelta64(round(utc_offset_h * MS_PER_HOUR), "ms")
    return local.astype("datetime64[D]").item()  # type: ignore[no-any-return]


def season_days(year: int, utc_offset_h: float = KOREA_UTC_OFFSET) -> dict[Season, date]:
    """All four of a year."""
    return {season: season_day(year, season, utc_offset_h) for season in SEASONS}
