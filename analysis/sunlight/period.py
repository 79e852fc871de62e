"""Sun over many days: a range of days or a year, day by day in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.kernels.rays import Occluder, SunTime, sun_time
from analysis.sunlight.crowns import Screens
from analysis.sunlight.day import DaySun, suns_of_days
from analysis.sunlight.declaration import SunlightParams
from analysis.sunlight.trace import Trace
from geo.model import Feedback, Frame, UserError

Floats = NDArray[np.float64]

CHUNK_POINTS = 1_000_000  # points taken through all days at a time: some 50 MB beside the results
MOST_DAYS = 3660  # looked at in one run

DayTime = Callable[[Floats, DaySun, Floats | None, Feedback], SunTime]


class PeriodTime(NamedTuple):
    """Sun of points over the days looked at.

    Attributes
    ----------
    mean, least, longest : (n,) float [h]
        Mean hours a day; hours of the least sunny day; longest unbroken run of any day.
    least_day : (n,) int16
        First day of the least hours: its place among the days looked at.
    daily : (d,) float [h]
        Mean over the area on each day.
    rays : int
    """

    mean: Floats
    least: Floats
    longest: Floats
    least_day: NDArray[np.int16]
    daily: Floats
    rays: int

    @property
    def as_day(self) -> SunTime:
        """The mean day."""
        return SunTime(self.mean, self.longest, self.rays)


class Days(NamedTuple):
    """The days looked at, the first and last day of the period, and how many days the period has."""

    suns: list[DaySun]
    first: date
    last: date
    span: int

    @property
    def dates(self) -> list[date]:
        """The days looked at."""
        return [sun.date for sun in self.suns]

    @property
    def mean_hours(self) -> float:
        """Mean hours a day that an open field gets."""
        return float(np.mean([sun.hours for sun in self.suns]))


def days_of(frame: Frame, params: SunlightParams) -> Days:
    """The days of the period with their sun."""
    first, last = _ends(params)
    if last < first:
        raise UserError(
            f"The period from {first} to {last} is empty.",
            "Its last day lies before its first day.",
            "Give a later last day.",
            code="sunlight.empty_period",
            values={"first": str(first), "last": str(last)},
        )
    span = (last - first).days + 1
    count = -(-span // params.every)
    if count > MOST_DAYS:
        raise UserError(
            f"The period has {count} days to look at.",
            f"At most {MOST_DAYS} are looked at in one run.",
            "Choose a shorter period, or look at every n-th day.",
            code="sunlight.long_period",
            values={"count": count, "most": MOST_DAYS},
        )
    suns = suns_of_days(frame, params, [first + timedelta(days=k * params.every) for k in range(count)])
    if not any(len(sun.weights) for sun in suns):
        raise UserError(
            f"The sun is not up from {first} to {last} in the hours chosen.",
            "It stays below the horizon or below the lowest elevation asked for.",
            "Choose other hours, other days or a lower limit.",
            code="sunlight.no_sun_in_period",
            values={"first": str(first), "last": str(last)},
        )
    return Days(suns, first, last, span)


def _ends(params: SunlightParams) -> tuple[date, date]:
    if params.period == "year":
        return date(params.day.year, 1, 1), date(params.day.year, 12, 31)
    if params.period == "range":
        return params.day, params.last_day
    return params.day, params.day


def plain_time(occluder: Occluder) -> DayTime:
    """Hours of a day where what blocks lets nothing through."""

    def time(points: Floats, day: DaySun, normals: Floats | None, feedback: Feedback) -> SunTime:
        return sun_time(occluder, points, day.towards_sun, day.weights, normals=normals, feedback=feedback)

    return time


def crown_time(screens: Screens) -> DayTime:
    """Hours of a day with the light through crowns."""

    def time(points: Floats, day: DaySun, normals: Floats | None, feedback: Feedback) -> SunTime:
        return screens.sun_time(points, day, normals=normals, feedback=feedback)

    return time


def one_day_trace(time: DayTime, day: DaySun) -> Trace[SunTime]:
    """Looks at points on one day."""

    def trace(points: Floats, normals: Floats | None, area: Floats, feedback: Feedback) -> SunTime:
        return time(points, day, normals, feedback)

    return trace


def period_trace(time: DayTime, suns: Sequence[DaySun]) -> Trace[PeriodTime]:
    """Looks at points on many days, some points at a time; the answer is the same for any number of them."""

    def trace(points: Floats, normals: Floats | None, area: Floats, feedback: Feedback) -> PeriodTime:
        found = _Sums.empty(len(points), len(suns))
        steps = max(1, -(-len(points) // CHUNK_POINTS)) * len(suns)
        for chunk, low in enumerate(range(0, len(points), CHUNK_POINTS)):
            part = slice(low, min(low + CHUNK_POINTS, len(points)))
            facing = None if normals is None else normals[part]
            for number, day in enumerate(suns):
                done = chunk * len(suns) + number
                share = feedback.part(done / steps, (done + 1) / steps)
                share.step(0.0, "tracing the sun")
                found.add(part, number, time(points[part], day, facing, share), area[part])
        feedback.step(1.0, "tracing the sun")
        return found.as_period(float(area.sum()))

    return trace


class _Sums(NamedTuple):
    """What is kept of the days already looked at, changed in place."""

    total: Floats
    least: Floats
    longest: Floats
    least_day: NDArray[np.int16]
    daily: Floats
    rays: NDArray[np.int64]

    @classmethod
    def empty(cls, points: int, days: int) -> _Sums:
        nothing = (np.zeros(points), np.full(points, np.inf), np.zeros(points), np.zeros(points, np.int16))
        return cls(*nothing, np.zeros(days), np.zeros(1, np.int64))

    def add(self, part: slice, number: int, day: SunTime, area: Floats) -> None:
        self.total[part] += day.total
        less = day.total < self.least[part]
        self.least[part][less] = day.total[less]
        self.least_day[part][less] = number
        np.maximum(self.longest[part], day.longest, out=self.longest[part])
        self.daily[number] += float((day.total * area).sum())
        self.rays[0] += day.rays

    def as_period(self, area: float) -> PeriodTime:
        days = max(1, len(self.daily))
        np.divide(self.total, days, out=self.total)
        daily = self.daily / area if area > 0 else self.daily
        return PeriodTime(self.total, self.least, self.longest, self.least_day, daily, int(self.rays[0]))
