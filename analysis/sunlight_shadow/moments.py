"""The days and instants of a shadow study, and where the sun stands at each."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.kernels import seasons, sun
from analysis.sunlight_shadow.declaration import ShadowParams
from geo.model import Frame, Issue, UserError

Floats = NDArray[np.float64]

MOST_INSTANTS = 100  # each is a field that stays in memory and is written into the project
LOWEST_SUN = 0.5  # [degrees] of an instant: lower, a shadow is 115 times as long as its building is high


class Instant(NamedTuple):
    """One instant to be shown.

    Attributes
    ----------
    day : date
    name : str
        ``"2026-12-22 0900"``, clock time: the name of its field.
    azimuth, altitude : float [degrees]
        Of the sun, from **true** north, with refraction.
    towards : (3,) float
        Unit vector towards the sun in the scene's axes.
    """

    day: date
    name: str
    azimuth: float
    altitude: float
    towards: Floats

    @property
    def hour(self) -> float:
        """Clock hour of the day."""
        return int(self.name[-4:-2]) + int(self.name[-2:]) / 60.0


class Course(NamedTuple):
    """The sun of one day between the hours asked for: directions (t, 3) and the time each stands for (t,) [h]."""

    day: date
    towards: Floats
    weights: Floats

    @property
    def hours(self) -> float:
        """Hours with the sun up."""
        return float(self.weights.sum())


class Moments(NamedTuple):
    """All instants to be shown, and the courses for durations (none when one instant was asked for)."""

    instants: tuple[Instant, ...]
    courses: tuple[Course, ...]
    offset: float
    dark: int

    @property
    def hours(self) -> float:
        """Hours with the sun up, of all days together."""
        return sum(course.hours for course in self.courses)


def moments_of(frame: Frame, params: ShadowParams, issues: list[Issue]) -> Moments:
    """Instants and courses; raises `UserError` where the sun does not shine at all."""
    if params.stop < params.start:
        raise UserError(
            f"The hours from {params.start:g} to {params.stop:g} are empty.",
            "The end must be later than the start.",
            "Give a later end.",
            code="sunlight.empty_hours",
            values={"start": params.start, "stop": params.stop},
        )
    offset = (
        sun.utc_offset_of(frame.longitude, frame.latitude) if params.utc_offset == "auto" else float(params.utc_offset)
    )
    days = days_of(frame, params, offset)
    wanted = _marks(params.start, params.stop, params.interval)
    if len(wanted) * len(days) > MOST_INSTANTS:
        raise UserError(
            f"{len(wanted) * len(days)} instants are more than {MOST_INSTANTS}.",
            "Each becomes a map of its own.",
            "Choose a longer interval or fewer days.",
            code="sunlight.shadow.too_many",
            values={"count": len(wanted) * len(days), "most": MOST_INSTANTS},
        )
    instants = [instant for day in days for instant in _instants(frame, params, day, wanted, offset)]
    courses = tuple(_course(frame, params, day, offset) for day in days) if params.stop > params.start else ()
    lit = tuple(instant for instant in instants if instant.altitude > LOWEST_SUN)
    if not lit:
        raise UserError(
            f"The sun is not up on {', '.join(map(str, days))} in the hours chosen.",
            "It stays below the horizon or below the lowest elevation asked for.",
            "Choose other hours, another day or a lower limit.",
            code="sunlight.no_sun",
            values={"day": ", ".join(map(str, days))},
        )
    dark = len(instants) - len(lit)
    if dark:
        text = (
            f"At {dark} of {len(instants)} instants the sun stands lower than {LOWEST_SUN:g} degrees: no map of them."
        )
        issues.append(Issue("sunlight.shadow.dark", text, count=dark, values={"all": len(instants)}))
    return Moments(lit, courses, offset, dark)


def days_of(frame: Frame, params: ShadowParams, offset: float) -> tuple[date, ...]:
    """The days meant; winter is when the sun is lowest at this latitude."""
    if params.days == "day":
        return (params.day,)
    found = seasons.season_days(params.day.year, offset)
    summer, winter = (found["june"], found["december"]) if frame.latitude >= 0 else (found["december"], found["june"])
    if params.days == "seasons":
        return tuple(sorted((found["march"], summer, winter)))
    return ({"winter": winter, "summer": summer, "equinox": found["march"]}[params.days],)


def _marks(start: float, stop: float, interval: float) -> list[float]:
    """Hours start, start + interval ... up to stop."""
    count = int(np.floor((stop - start) * 60.0 / interval + 1e-9)) + 1
    return [start + k * interval / 60.0 for k in range(count)]


def _instants(frame: Frame, params: ShadowParams, day: date, hours: list[float], offset: float) -> list[Instant]:
    times = np.array(
        [
            sun.hour_of_day(day, hour, frame.longitude, time_basis=params.time_basis, utc_offset_h=offset)
            for hour in hours
        ]
    )
    position = sun.sun_position(times, frame.longitude, frame.latitude)
    towards = sun.sun_vectors(frame.grid_azimuth(position.azimuth), position.apparent_elevation)
    # Named to the minute by the clock, so that a clock can find them.
    clock = times + np.timedelta64(round(offset * sun.MS_PER_HOUR), "ms") + np.timedelta64(30_000, "ms")
    names = [f"{text[:10]} {text[11:13]}{text[14:16]}" for text in map(str, clock.astype("datetime64[m]"))]
    found = zip(names, position.azimuth.tolist(), position.apparent_elevation.tolist(), towards, strict=True)
    return [Instant(day, name, azimuth, altitude, way) for name, azimuth, altitude, way in found]


def _course(frame: Frame, params: ShadowParams, day: date, offset: float) -> Course:
    """Steps between the later of start and sunrise and the earlier of stop and sunset."""
    place = (frame.longitude, frame.latitude)
    noon = sun.sun_day(day, *place, utc_offset_h=offset).noon
    first, last = (
        sun.hour_of_day(day, hour, frame.longitude, time_basis=params.time_basis, utc_offset_h=offset)
        for hour in (params.start, params.stop)
    )
    rise, fall = sun.sun_above(0.0, noon, *place)
    steps = sun.instants_between(max(first, rise) if rise else first, min(last, fall) if fall else last, params.step)
    position = sun.sun_position(steps.times, *place)
    up = position.apparent_elevation > 0.0
    azimuth = frame.grid_azimuth(position.azimuth[up])
    return Course(day, sun.sun_vectors(azimuth, position.apparent_elevation[up]), steps.weights[up])
