"""Did it work? Difference-in-differences of measured dust at a treated and at a control station.

    effect = (after - before at the treated) - (after - before at the control)

Weather and background change both stations; what remains is the unit's effect. Uncertainty by a bootstrap of whole
days (hours of one day hang together): Kuensch (1989), Ann. Statist. 17, 1217-1241, doi:10.1214/aos/1176347265. What
the measurements could see at all is told before what they saw.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo.model import Issue, UserError

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Bools = NDArray[np.bool_]

FEWEST_DAYS = 7  # on each side: below, a week's rhythm alone can look like an effect
ENOUGH_DAYS = 28
HOURS_OF_DAY = 12  # a day with fewer pairs counts, but is told
DRAWS = 2000
# Normal quantiles: an effect is found in 8 of 10 cases at a 5 % two-sided level if it is 1.96 + 0.84 errors large.
DETECTABLE = 2.80
LEVEL = 95.0  # [%] of the interval


class Effect(NamedTuple):
    """What the measurements say.

    Attributes
    ----------
    detectable : float [ug/m3]
        Smallest change that these measurements would find in eight cases of ten.
    change : float [ug/m3]
        Treated minus control, after minus before; below zero is cleaner.
    low, high : float [ug/m3]
        Interval of `LEVEL` percent.
    percent, percent_low, percent_high : float [%]
        Change over what the treated station would have had without the unit.
    before_gap, after_gap : float [ug/m3]
        Treated minus control in the two periods.
    days_before, days_after, hours_before, hours_after : int
    trend, trend_low, trend_high : float [ug/m3]
        The same difference between the two halves of the time *before*, where there was no unit; its interval should
        hold zero.
    """

    detectable: float
    change: float
    low: float
    high: float
    percent: float
    percent_low: float
    percent_high: float
    before_gap: float
    after_gap: float
    days_before: int
    days_after: int
    hours_before: int
    hours_after: int
    trend: float
    trend_low: float
    trend_high: float

    @property
    def is_seen(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.low > 0.0 or self.high < 0.0

    def agrees_with(self, predicted: float) -> bool:
        """Whether a calculated change [ug/m3] lies in the interval."""
        return self.low <= predicted <= self.high


class _Days(NamedTuple):
    """Sums of the difference by day: (d,) sums, (d,) hours."""

    total: Floats
    hours: Floats

    @property
    def mean(self) -> float:
        return float(self.total.sum() / self.hours.sum())


def effect(
    treated: ArrayLike,
    control: ArrayLike,
    day: ArrayLike,
    after: ArrayLike,
    issues: list[Issue],
    *,
    block_days: int = 1,
    seed: int = 1,
) -> Effect:
    """Effect of a unit from hours of two stations.

    Parameters
    ----------
    treated, control : (n,) float [ug/m3]
        NaN missing; hours in which either is missing are left out. `control` may be (n, m): the mean of m stations,
        of hours in which all of them measured (a changing set of stations would look like an effect).
    day : (n,) int
        Number of the day of each hour.
    after : (n,) bool
        Whether the unit ran.
    block_days : int
        Days drawn together, where spells of weather last longer than one.

    Raises
    ------
    UserError
        Fewer than `FEWEST_DAYS` days with both stations on one side.
    """
    own = np.asarray(treated, dtype=np.float64)
    other = np.asarray(control, dtype=np.float64)
    other = other if other.ndim == 1 else other.mean(axis=1)
    number, running = np.asarray(day, dtype=np.int64), np.asarray(after, dtype=bool)
    if not (own.shape == other.shape == number.shape == running.shape):
        raise ValueError("stations, days and 'after' must be of the same hours")
    if block_days < 1:
        raise ValueError("a block has one day or more")
    known = np.isfinite(own) & np.isfinite(other)
    gap = own - other
    before_days = _by_day(gap, number, known & ~running)
    after_days = _by_day(gap, number, known & running)
    _check_days(len(before_days.hours), len(after_days.hours))
    rng = np.random.default_rng(seed)
    drawn = _drawn(after_days, block_days, rng) - _drawn(before_days, block_days, rng)
    change = after_days.mean - before_days.mean
    low, high = _interval(drawn)
    without = float(own[known & running].mean()) - change
    half = len(before_days.hours) // 2
    first = _Days(before_days.total[:half], before_days.hours[:half])
    second = _Days(before_days.total[half:], before_days.hours[half:])
    trend_low, trend_high = _interval(_drawn(second, block_days, rng) - _drawn(first, block_days, rng))
    scale = 100.0 / without if without > 0.0 else float("nan")
    found = Effect(
        DETECTABLE * float(drawn.std(ddof=1)), change, low, high, change * scale, low * scale, high * scale,
        before_days.mean, after_days.mean, len(before_days.hours), len(after_days.hours),
        int(before_days.hours.sum()), int(after_days.hours.sum()), second.mean - first.mean, trend_low, trend_high,
    )  # fmt: skip
    issues += _doubts(found, before_days, after_days, int((~known).sum()))
    return found


def _by_day(gap: Floats, day: Indices, chosen: Bools) -> _Days:
    """Sums of the chosen hours by day, in the order of the days."""
    _, number = np.unique(day[chosen], return_inverse=True)
    return _Days(np.bincount(number, gap[chosen]).astype(np.float64), np.bincount(number).astype(np.float64))


def _drawn(days: _Days, block: int, rng: np.random.Generator) -> Floats:
    """(DRAWS,) means of as many days drawn with replacement, in blocks of neighbouring days (circular)."""
    count = len(days.hours)
    length = min(block, count)
    blocks = -(-count // length)
    start = rng.integers(0, count, (DRAWS, blocks, 1))
    rows = ((start + np.arange(length)) % count).reshape(DRAWS, -1)[:, :count]
    return np.asarray(days.total[rows].sum(axis=1) / days.hours[rows].sum(axis=1), dtype=np.float64)


def _interval(values: Floats) -> tuple[float, float]:
    side = (100.0 - LEVEL) / 2.0
    low, high = np.percentile(values, [side, 100.0 - side])
    return float(low), float(high)


def _check_days(before: int, after: int) -> None:
    if min(before, after) >= FEWEST_DAYS:
        return
    raise UserError(
        "There are too few days to tell an effect.",
        f"Both stations measured together on {before} days before and {after} days after; "
        f"{FEWEST_DAYS} are needed on each side.",
        "Measure longer, or choose a control station with fewer gaps.",
        code="dust.effect.few_days",
        values={"before": before, "after": after, "least": FEWEST_DAYS},
    )


def _doubts(found: Effect, before: _Days, after: _Days, unpaired: int) -> list[Issue]:
    issues = []
    if unpaired:
        message = f"{unpaired} hours in which a station did not measure were left out."
        issues.append(Issue("dust.effect.unpaired", message, "note", unpaired))
    fewest = min(found.days_before, found.days_after)
    if fewest < ENOUGH_DAYS:
        message = f"One side has {fewest} days only; {ENOUGH_DAYS} or more are better."
        issues.append(Issue("dust.effect.short", message, "doubt", fewest, values={"least": ENOUGH_DAYS}))
    thin = int((before.hours < HOURS_OF_DAY).sum() + (after.hours < HOURS_OF_DAY).sum())
    if thin:
        message = f"{thin} days have fewer than {HOURS_OF_DAY} hours with both stations."
        issues.append(Issue("dust.effect.thin_days", message, "note", thin, values={"least": HOURS_OF_DAY}))
    if found.trend_low > 0.0 or found.trend_high < 0.0:
        message = "The stations drifted apart before the unit ran: part of the change may not be its effect."
        values = {"trend": round(found.trend, 2)}
        issues.append(Issue("dust.effect.drift", message, "doubt", values=values))
    return issues
