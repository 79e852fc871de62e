"""The instants of the days studied and where the sun stands at each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.kernels import sun
from analysis.sunlight.declaration import SunlightParams
from geo.model import Frame, UserError

Floats = NDArray[np.float64]
Times = NDArray[np.datetime64]


class Day(NamedTuple):
    """The instants of the day and where the sun stands at each."""

    day: sun.SunDay
    utc_offset: float
    instants: sun.Instants
    towards_sun: Floats

    @property
    def hours(self) -> float:
        """Hours of sun that an open field gets."""
        return float(self.instants.weights.sum())


def sun_of_day(frame: Frame, params: SunlightParams) -> Day:
    """Instants between sunrise and sunset within the wanted hours; directions in the scene's axes (grid north)."""
    place = (frame.longitude, frame.latitude)
    offset = clock_offset(frame, params)
    check_hours(params)
    day = sun.sun_day(params.day, *place, utc_offset_h=offset)
    first, last = _wanted(frame, params, params.day, offset)
    rise, fall = sun.sun_above(params.minimum_elevation, day.noon, *place)
    instants = _instants(_spans(frame, params, (first, last), day.noon, (rise, fall)), params.step)
    position = sun.sun_position(instants.times, *place)
    up = position.apparent_elevation > params.minimum_elevation
    instants = sun.Instants(instants.times[up], instants.weights[up])
    if not up.any():
        raise UserError(
            f"The sun is not up on {params.day} in the hours chosen.",
            "It stays below the horizon or below the lowest elevation asked for.",
            "Choose other hours, another day or a lower limit.",
            code="sunlight.no_sun",
            values={"day": str(params.day)},
        )
    azimuth = frame.grid_azimuth(position.azimuth[up])
    return Day(day, offset, instants, sun.sun_vectors(azimuth, position.apparent_elevation[up]))


class DaySun(NamedTuple):
    """One day of a period: direction towards the sun at each instant (t, 3), time each stands for (t,) [h].

    A day without sun in the hours wanted has no instants.
    """

    date: date
    towards_sun: Floats
    weights: Floats

    @property
    def hours(self) -> float:
        """Hours of sun that an open field gets."""
        return float(self.weights.sum())


def suns_of_days(frame: Frame, params: SunlightParams, days: Sequence[date]) -> list[DaySun]:
    """As `sun_of_day` for many days, with the same instants, all days at once: a year takes a second."""
    place = (frame.longitude, frame.latitude)
    offset = clock_offset(frame, params)
    check_hours(params)
    wanted = [_wanted(frame, params, day, offset) for day in days]
    noon = _noons(days, frame.longitude, offset)
    rise, fall = (_crossings(frame, params.minimum_elevation, noon, reach) for reach in (-12.0, 12.0))
    parts = []
    for number, span in enumerate(wanted):
        edges = (_known(rise[number]), _known(fall[number]))
        parts.append(_instants(_spans(frame, params, span, noon[number], edges), params.step))
    times = np.concatenate([part.times for part in parts]) if parts else np.zeros(0, "datetime64[ms]")
    if len(times) == 0:
        return [DaySun(day, np.zeros((0, 3)), np.zeros(0)) for day in days]
    position = sun.sun_position(times, *place)
    up = position.apparent_elevation > params.minimum_elevation
    towards = sun.sun_vectors(frame.grid_azimuth(position.azimuth), position.apparent_elevation)
    cuts = np.cumsum([len(part.times) for part in parts])[:-1]
    return [
        DaySun(day, ways[there], part.weights[there])
        for day, part, ways, there in zip(days, parts, np.split(towards, cuts), np.split(up, cuts), strict=True)
    ]


def clock_offset(frame: Frame, params: SunlightParams) -> float:
    """Clock time minus UTC [h]."""
    if params.utc_offset == "auto":
        return sun.utc_offset_of(frame.longitude, frame.latitude)
    return float(params.utc_offset)


def check_hours(params: SunlightParams) -> None:
    """Refuse hours of the day that are empty."""
    if params.stop <= params.start:
        raise UserError(
            f"The hours from {params.start:g} to {params.stop:g} are empty.",
            "The end must be later than the start.",
            "Give a later end.",
            code="sunlight.empty_hours",
            values={"start": params.start, "stop": params.stop},
        )


def _wanted(frame: Frame, params: SunlightParams, day: date, offset: float) -> tuple[np.datetime64, np.datetime64]:
    """First and last instant asked for on a day."""
    first, last = (
        sun.hour_of_day(day, hour, frame.longitude, time_basis=params.time_basis, utc_offset_h=offset)
        for hour in (params.start, params.stop)
    )
    return first, last


Span = tuple[np.datetime64, np.datetime64]


def _spans(
    frame: Frame,
    params: SunlightParams,
    wanted: Span,
    noon: np.datetime64,
    edges: tuple[np.datetime64 | None, np.datetime64 | None],
) -> list[Span]:
    """The parts of the wanted hours with the sun up.

    Around midsummer near a polar circle the sun of the evening before may set after midnight: a part of its own.
    """
    (first, last), (rise, fall) = wanted, edges
    spans = [(max(first, rise) if rise else first, min(last, fall) if fall else last)]
    if rise is None and fall is None:
        return spans

    def height(instants: Sequence[np.datetime64]) -> Floats:
        position = sun.sun_position(np.array(instants), frame.longitude, frame.latitude)
        return position.apparent_elevation - params.minimum_elevation

    up = height([first, last]) > 0
    half_day = np.timedelta64(12 * 3_600_000, "ms")
    if up[0] and rise and first < noon - half_day:
        spans.insert(0, (first, _change(height, first, noon - half_day)))
    if up[1] and fall and last > noon + half_day:
        spans.append((_change(height, last, noon + half_day), last))
    return spans


def _change(
    height: Callable[[Sequence[np.datetime64]], Floats], up: np.datetime64, down: np.datetime64
) -> np.datetime64:
    """The instant nearest to `down` at which the sun is still up, to a millisecond."""
    while abs(down - up) > np.timedelta64(1, "ms"):
        # many points at once: a call costs the same for one time as for many
        times = [up + (down - up) * k // 32 for k in range(33)]
        last = int(np.argmin(height(times) > 0)) - 1
        up, down = times[last], times[last + 1]
    return up


def _instants(spans: Sequence[Span], step: float) -> sun.Instants:
    """The instants of all spans, in order."""
    parts = [sun.instants_between(first, last, step) for first, last in spans]
    if len(parts) == 1:
        return parts[0]
    return sun.Instants(np.concatenate([p.times for p in parts]), np.concatenate([p.weights for p in parts]))


def _noons(days: Sequence[date], longitude: float, offset: float) -> Times:
    """(d,) passage of the meridian within the 24 hours after each local midnight, as `sun.sun_day` has it."""
    local = np.array(days, dtype="datetime64[D]").astype("datetime64[ms]")
    middle: Times = np.asarray(local + _milliseconds(-offset) + _milliseconds(12.0), dtype="datetime64[ms]")
    mean = middle
    for _ in range(3):
        start = mean.astype("datetime64[D]").astype("datetime64[ms]")
        minutes = sun.sun_position(mean, longitude, 0.0).equation_of_time
        candidate = np.asarray(start + _milliseconds(12.0 - longitude / 15.0 - minutes / 60.0), dtype="datetime64[ms]")
        turns = np.rint((middle - candidate).astype(np.float64) / (24 * sun.MS_PER_HOUR))
        mean = np.asarray(candidate + _milliseconds(24.0 * turns), dtype="datetime64[ms]")
    return mean


def _milliseconds(hours: Floats | float) -> NDArray[np.timedelta64]:
    return np.rint(np.asarray(hours) * sun.MS_PER_HOUR).astype("timedelta64[ms]")


def _crossings(frame: Frame, limit: float, noon: Times, reach_h: float) -> Times:
    """(d,) last instants above `limit` [degrees] on the way from noon to noon + `reach_h`, NaT where it is not passed.

    The same millisecond as `sun.sun_above`, which looks at one day only.
    """

    def above(times: Times) -> NDArray[np.bool_]:
        return np.asarray(sun.sun_position(times, frame.longitude, frame.latitude).apparent_elevation > limit)

    far = noon + _milliseconds(reach_h)
    passed = above(noon) & ~above(far)
    inside, outside = noon.copy(), far
    while (np.abs(outside - inside) > np.timedelta64(1, "ms")).any():
        middle = inside + (outside - inside) // 2
        lit = above(middle)
        inside, outside = np.where(lit, middle, inside), np.where(lit, outside, middle)
    return np.where(passed, inside, np.datetime64("NaT", "ms"))


def _known(instant: np.datetime64) -> np.datetime64 | None:
    return None if np.isnat(instant) else instant
