"""The instants of the day studied and where the sun stands at each."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.kernels import sun
from analysis.sunlight.declaration import SunlightParams
from geo.model import Frame, UserError

Floats = NDArray[np.float64]


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
    offset = sun.utc_offset_of(*place) if params.utc_offset == "auto" else float(params.utc_offset)
    if params.stop <= params.start:
        raise UserError(
            f"The hours from {params.start:g} to {params.stop:g} are empty.",
            "The end must be later than the start.",
            "Give a later end.",
            code="sunlight.empty_hours",
            values={"start": params.start, "stop": params.stop},
        )
    day = sun.sun_day(params.day, *place, utc_offset_h=offset)
    first, last = (
        sun.hour_of_day(params.day, hour, frame.longitude, time_basis=params.time_basis, utc_offset_h=offset)
        for hour in (params.start, params.stop)
    )
    rise, fall = sun.sun_above(params.minimum_elevation, day.noon, *place)
    first, last = (max(first, rise) if rise else first), (min(last, fall) if fall else last)
    instants = sun.instants_between(first, last, params.step)
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
