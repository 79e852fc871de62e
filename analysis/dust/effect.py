"""Did it work? Difference-in-differences of measured dust at a treated and at a control station.

    effect = (after - before at the treated) - (after - before at the control)

Weather and background change both stations; what remains is the unit's effect. How sure it is follows from the widest
of four answers, because stations drift apart for weeks without any purifier (in Seoul a bootstrap of days alone finds
an effect at four of ten dates at which nothing happened):

- a bootstrap of whole days (hours of one day hang together): Kuensch (1989), Ann. Statist. 17, 1217-1241,
  doi:10.1214/aos/1176347265;
- the scatter of a few long spells on each side: Ibragimov and Mueller (2010), J. Bus. Econ. Stat. 28, 453-468,
  doi:10.1198/jbes.2009.08046;
- changes at earlier dates, and changes of each control station against the others, where nothing was installed either:
  Abadie, Diamond and Hainmueller (2010), J. Am. Stat. Assoc. 105, 493-505, doi:10.1198/jasa.2009.ap08746.

What the measurements could see at all is told before what they saw.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo.model import Issue, UserError

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Bools = NDArray[np.bool_]
Changes = tuple[float, ...]

FEWEST_DAYS = 7  # on each side: below, a week's rhythm alone can look like an effect
ENOUGH_DAYS = 28
HOURS_OF_DAY = 12  # a day with fewer pairs counts, but is told
DRAWS = 2000
# Normal quantiles: an effect is found in 8 of 10 cases at a 5 % two-sided level if it is 1.96 + 0.84 errors large.
DETECTABLE = 2.80
LEVEL = 95.0  # [%] of the interval
FOUND = 0.8  # of the cases, in which an effect of the detectable size is found
SPELLS = 3  # of each side: more are shorter than the spells in which stations drift
WINDOW = 28  # [days] on each side: longer ones bring more drift than days
FEWEST_PLACEBOS = 3  # changes where nothing happened

Judged = Literal["days", "spells", "earlier dates", "other stations"]


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
    judged_by : str
        Which of the four answers was the widest and gave the interval.
    earlier : tuple of float [ug/m3]
        Changes between spells as long as the time after, all before the unit ran.
    others : tuple of float [ug/m3]
        Changes of each control station against the other ones at the unit's date; empty for fewer than
        `FEWEST_PLACEBOS` stations.
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
    judged_by: Judged
    earlier: tuple[float, ...]
    others: tuple[float, ...]

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


class _Width(NamedTuple):
    """Half an interval and the change that would be found in `FOUND` of the cases [ug/m3]."""

    judged_by: Judged
    half: float
    detectable: float


def effect(
    treated: ArrayLike,
    control: ArrayLike,
    day: ArrayLike,
    after: ArrayLike,
    issues: list[Issue],
    *,
    block_days: int = 1,
    window: int = 0,
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
    window : int
        Days on each side that are compared, 0 for all; what lies before serves as a measure of how stations drift.

    Raises
    ------
    UserError
        Fewer than `FEWEST_DAYS` days with both stations on one side.
    """
    own = np.asarray(treated, dtype=np.float64)
    stations = np.asarray(control, dtype=np.float64).reshape(len(own), -1)
    number, running = np.asarray(day, dtype=np.int64), np.asarray(after, dtype=bool)
    if not (own.shape == number.shape == running.shape):
        raise ValueError("stations, days and 'after' must be of the same hours")
    if block_days < 1:
        raise ValueError("a block has one day or more")
    gap = own - stations.mean(axis=1)
    known = np.isfinite(gap)
    near = _near(number, running, window)
    before, then = known & near & ~running, known & near & running
    before_days, after_days = _by_day(gap, number, before), _by_day(gap, number, then)
    _check_days(len(before_days.hours), len(after_days.hours))
    rng = np.random.default_rng(seed)
    drawn = _drawn(after_days, block_days, rng) - _drawn(before_days, block_days, rng)
    change = after_days.mean - before_days.mean
    low, high = _interval(drawn)
    earlier = _earlier(gap, number, known & ~running, int(np.ptp(number[then])) + 1)
    others = _others(stations, before, then)
    width = _widest(drawn, (low, high), before_days, after_days, earlier, others)
    if width.judged_by != "days":
        low, high = min(low, change - width.half), max(high, change + width.half)
    without = float(own[then].mean()) - change
    trend, trend_low, trend_high = _trend(before_days, block_days, rng)
    scale = 100.0 / without if without > 0.0 else float("nan")
    found = Effect(
        width.detectable, change, low, high, change * scale, low * scale, high * scale,
        before_days.mean, after_days.mean, len(before_days.hours), len(after_days.hours),
        int(before_days.hours.sum()), int(after_days.hours.sum()), trend, trend_low, trend_high,
        width.judged_by, earlier, others,
    )  # fmt: skip
    issues += _doubts(found, before_days, after_days, int((near & ~known).sum()))
    return found


def _near(day: Indices, after: Bools, window: int) -> Bools:
    """Hours within so many days before and after the first day on which the unit ran."""
    if window <= 0 or not after.any():
        return np.ones(len(day), dtype=bool)
    last, first = (int(day[~after].max()) if (~after).any() else 0), int(day[after].min())
    return np.asarray((~after & (day > last - window)) | (after & (day < first + window)))


def _widest(
    drawn: Floats, interval: tuple[float, float], before: _Days, after: _Days, earlier: Changes, others: Changes
) -> _Width:
    """The largest of the four answers to how sure the change is."""
    low, high = interval
    found = [_Width("days", (high - low) / 2.0, DETECTABLE * float(drawn.std(ddof=1)))]
    found.append(_student("spells", _spell_error(before, after), 2 * (SPELLS - 1)))
    for judged_by, changes in (("earlier dates", earlier), ("other stations", others)):
        if len(changes) >= FEWEST_PLACEBOS:
            # Nothing happened there: the changes scatter around zero, and no mean is taken off.
            size = float(np.sqrt(np.mean(np.square(changes))))
            freedom = len(changes) - (1 if judged_by == "other stations" else 0)
            found.append(_student(judged_by, size, freedom))  # type: ignore[arg-type]
    return max(found, key=lambda width: width.half)


def _student(judged_by: Judged, error: float, freedom: int) -> _Width:
    from scipy.stats import t

    beyond = float(t.ppf(0.5 + LEVEL / 200.0, freedom))
    return _Width(judged_by, beyond * error, (beyond + float(t.ppf(FOUND, freedom))) * error)


def _spell_error(before: _Days, after: _Days) -> float:
    """Standard error of the change from the scatter of `SPELLS` parts of each side."""
    spread = 0.0
    for side in (before, after):
        parts = zip(np.array_split(side.total, SPELLS), np.array_split(side.hours, SPELLS), strict=True)
        spread += float(np.var([total.sum() / hours.sum() for total, hours in parts], ddof=1))
    return float(np.sqrt(spread / SPELLS))


def _earlier(gap: Floats, day: Indices, before: Bools, length: int) -> Changes:
    """Changes from spell to spell of `length` days, counted back from the day before the unit ran."""
    if not before.any():
        return ()
    back = (int(day[before].max()) - day[before]) // length
    hours = np.bincount(back)
    total = np.bincount(back, gap[before])
    # The last spell is cut off by the beginning of the measurements.
    whole = [k for k in range(len(hours) - 1) if hours[k] >= 0.5 * hours.max()]
    means = {k: total[k] / hours[k] for k in whole}
    return tuple(float(means[k] - means[k + 1]) for k in whole if k + 1 in means)


def _others(stations: Floats, before: Bools, after: Bools) -> Changes:
    """Change of each control station against the mean of the other ones."""
    count = stations.shape[1]
    if count < FEWEST_PLACEBOS:
        return ()
    change = stations[after].mean(axis=0) - stations[before].mean(axis=0)
    return tuple(float(own - (change.sum() - own) / (count - 1)) for own in change)


def _trend(before: _Days, block: int, rng: np.random.Generator) -> tuple[float, float, float]:
    """Change between the two halves of the time before, and its interval."""
    half = len(before.hours) // 2
    first = _Days(before.total[:half], before.hours[:half])
    second = _Days(before.total[half:], before.hours[half:])
    low, high = _interval(_drawn(second, block, rng) - _drawn(first, block, rng))
    change = second.mean - first.mean
    wide = _student("spells", _spell_error(first, second), 2 * (SPELLS - 1)).half
    return change, min(low, change - wide), max(high, change + wide)


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
