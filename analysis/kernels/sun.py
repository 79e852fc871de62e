"""Where the sun stands: positions by the NREL algorithm, times of day, sunrise and sunset, the winter solstice.

All times are UTC as ``datetime64[ms]``. Azimuths are degrees from **true** north, clockwise; elevations are degrees
above the horizontal. pvlib is imported inside the functions, since it is slow to load.

References
----------
I. Reda, A. Andreas, Solar position algorithm for solar radiation applications. Solar Energy 76(5), 577-589, 2004.
doi:10.1016/j.solener.2003.12.003 (stated accuracy 0.0003 degrees)
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Times = NDArray[np.datetime64]
TimeBasis = Literal["clock", "solar"]

STANDARD_PRESSURE = 101325.0  # [Pa] at sea level, ISO 2533
STANDARD_TEMPERATURE = 12.0  # [degrees C] the default of the algorithm's authors
SUNRISE_ELEVATION = -0.8333  # [degrees] refraction at the horizon 34' and half the sun's disc 16': upper edge appears
KOREA = (124.0, 33.0, 132.0, 39.0)  # west, south, east, north [degrees]
KOREA_UTC_OFFSET = 9.0  # [h] meridian 135 E
MS_PER_HOUR = 3_600_000.0


class SunPosition(NamedTuple):
    """Direction of the sun's centre.

    Attributes
    ----------
    azimuth : (n,) float [degrees]
        From true north, clockwise.
    apparent_elevation, elevation : (n,) float [degrees]
        With and without refraction.
    equation_of_time : (n,) float [min]
        True solar time minus mean solar time.
    """

    azimuth: Floats
    apparent_elevation: Floats
    elevation: Floats
    equation_of_time: Floats


class SunDay(NamedTuple):
    """One local day. Sunrise and sunset are None when the sun does not rise or does not set."""

    sunrise: np.datetime64 | None
    noon: np.datetime64
    sunset: np.datetime64 | None
    noon_elevation: float

    @property
    def length_h(self) -> float:
        """Hours from sunrise to sunset: 24 without sunset, 0 without sunrise."""
        if self.sunrise is None or self.sunset is None:
            return 24.0 if self.noon_elevation > SUNRISE_ELEVATION else 0.0
        return hours_between(self.sunrise, self.sunset)


class Instants(NamedTuple):
    """Instants that stand for intervals of a day.

    Attributes
    ----------
    times : (n,) datetime64[ms], UTC
        Middle of each interval.
    weights : (n,) float [h]
        Length of each interval; their sum is the time covered.
    """

    times: Times
    weights: Floats


def sun_position(
    times_utc: ArrayLike,
    longitude: float,
    latitude: float,
    *,
    altitude: float = 0.0,
    pressure: float = STANDARD_PRESSURE,
    temperature: float = STANDARD_TEMPERATURE,
    delta_t: float | None = None,
) -> SunPosition:
    """Position of the sun.

    Parameters
    ----------
    times_utc : (n,) datetime64 or datetimes
        UTC where they carry no zone.
    longitude, latitude : float [degrees]
        East and north positive, WGS 84.
    altitude : float [m]
    pressure, temperature : float [Pa], [degrees C]
        Yearly means, for refraction.
    delta_t : float, optional [s]
        Terrestrial minus universal time; estimated from the date when not given.

    Examples
    --------
    >>> noon = sun_position(np.array(["2026-12-22T03:29:05"], "datetime64[ms]"), 127.325, 36.520)
    >>> round(float(noon.apparent_elevation[0]), 1)
    30.1
    """
    import pandas as pd
    from pvlib.solarposition import spa_python

    times = _utc(times_utc)
    table = spa_python(
        pd.DatetimeIndex(times, tz="UTC"),
        latitude,
        longitude,
        altitude=altitude,
        pressure=pressure,
        temperature=temperature,
        delta_t=delta_t,
        how="numpy",
    )
    names = ("azimuth", "apparent_elevation", "elevation", "equation_of_time")
    return SunPosition(*(table[name].to_numpy(dtype=np.float64) for name in names))


def _utc(times: ArrayLike) -> Times:
    """Any times as datetime64[ms] in UTC; datetimes with a zone are converted."""
    if isinstance(times, np.ndarray) and times.dtype.kind == "M":
        return np.atleast_1d(times.astype("datetime64[ms]"))
    plain = [
        moment.astimezone(UTC).replace(tzinfo=None) if isinstance(moment, datetime) and moment.tzinfo else moment
        for moment in np.atleast_1d(np.asarray(times, dtype=object))
    ]
    return np.array(plain, dtype="datetime64[ms]")


def sun_vectors(azimuth: ArrayLike, elevation: ArrayLike) -> Floats:
    """(n, 3) unit vectors towards the sun (x east, y north, z up); the azimuth counts from the y axis, clockwise."""
    azimuth_rad, elevation_rad = np.radians(np.atleast_1d(azimuth)), np.radians(np.atleast_1d(elevation))
    flat = np.cos(elevation_rad)
    return np.stack([np.sin(azimuth_rad) * flat, np.cos(azimuth_rad) * flat, np.sin(elevation_rad)], axis=1)


def utc_offset_of(longitude: float, latitude: float) -> float:
    """Clock time minus UTC [h] where nobody has said it: Korean time in Korea, else that of the nearest meridian."""
    return KOREA_UTC_OFFSET if in_korea(longitude, latitude) else float(round(longitude / 15.0))


def in_korea(longitude: float, latitude: float) -> bool:
    """Whether a place [degrees] lies in the box around Korea where Korean time is taken for granted."""
    west, south, east, north = KOREA
    return west <= longitude <= east and south <= latitude <= north


def hours_between(start: np.datetime64, stop: np.datetime64) -> float:
    """Hours from one instant to another."""
    return float((stop - start) / np.timedelta64(1, "ms")) / MS_PER_HOUR


def hour_of_day(
    day: date, hour: float, longitude: float, *, time_basis: TimeBasis = "clock", utc_offset_h: float = KOREA_UTC_OFFSET
) -> np.datetime64:
    """UTC of an hour of a local day, by the clock or by the sun (true solar time, 진태양시: 12 = sun in the south)."""
    offset = utc_offset_h if time_basis == "clock" else longitude / 15.0
    instant = _shifted(np.datetime64(day, "ms"), hour - offset)
    if time_basis == "clock":
        return instant
    mean = instant
    for _ in range(3):  # the equation of time changes by 30 s a day at most: converges at once
        correction = float(sun_position([instant], longitude, 0.0).equation_of_time[0])
        instant = _shifted(mean, -correction / 60.0)
    return instant


def times_of_day(
    day: date,
    start: float,
    stop: float,
    step_min: float,
    longitude: float,
    *,
    time_basis: TimeBasis = "clock",
    utc_offset_h: float = KOREA_UTC_OFFSET,
) -> Instants:
    """Middles of the half-open steps from `start` to `stop` [h]; the last step may be shorter."""
    first = hour_of_day(day, start, longitude, time_basis=time_basis, utc_offset_h=utc_offset_h)
    last = hour_of_day(day, stop, longitude, time_basis=time_basis, utc_offset_h=utc_offset_h)
    return instants_between(first, last, step_min)


def instants_between(start: np.datetime64, stop: np.datetime64, step_min: float) -> Instants:
    """Cut start..stop at every `step_min` counted from midnight UTC; each piece is represented by its middle."""
    midnight = start.astype("datetime64[D]").astype("datetime64[ms]")
    low, high = hours_between(midnight, start) * 60.0, hours_between(midnight, stop) * 60.0
    if high <= low:
        return Instants(np.zeros(0, "datetime64[ms]"), np.zeros(0))
    inner = np.arange(np.floor(low / step_min) + 1, np.ceil(high / step_min)) * step_min
    # A millisecond is the resolution of the times: a cut that close to an end would make an empty piece.
    inner = inner[(inner > low + 1e-4) & (inner < high - 1e-4)]
    edges = np.concatenate([[low], inner, [high]])
    middle_ms = np.rint((edges[1:] + edges[:-1]) / 2 * 60_000.0).astype("timedelta64[ms]")
    return Instants(midnight + middle_ms, np.diff(edges) / 60.0)


def sun_day(
    day: date, longitude: float, latitude: float, *, altitude: float = 0.0, utc_offset_h: float = KOREA_UTC_OFFSET
) -> SunDay:
    """Sunrise, solar noon and sunset of a local day: the upper edge of the disc at the horizon of a plain."""
    midnight = _shifted(np.datetime64(day, "ms"), -utc_offset_h)
    noon = _solar_noon(midnight, longitude, latitude)
    top = float(sun_position([noon], longitude, latitude, altitude=altitude).elevation[0])
    rise, fall = sun_above(SUNRISE_ELEVATION, noon, longitude, latitude, altitude=altitude, apparent=False)
    return SunDay(rise, noon, fall, top)


def sun_above(
    limit: float,
    noon: np.datetime64,
    longitude: float,
    latitude: float,
    *,
    altitude: float = 0.0,
    apparent: bool = True,
) -> tuple[np.datetime64 | None, np.datetime64 | None]:
    """When the sun's centre passes the elevation `limit` [degrees] before and after `noon`; None if it does not."""

    def height(times: Times) -> Floats:
        position = sun_position(times, longitude, latitude, altitude=altitude)
        return (position.apparent_elevation if apparent else position.elevation) - limit

    return _crossing(height, noon, -12.0), _crossing(height, noon, 12.0)


def winter_solstice(year: int, utc_offset_h: float = KOREA_UTC_OFFSET) -> date:
    """Local day on which the sun reaches its southernmost declination (동지): 21 or 22 December."""
    return _shifted(solstice_instant(year), utc_offset_h).astype("datetime64[D]").item()  # type: ignore[no-any-return]


def solstice_instant(year: int) -> np.datetime64:
    """UTC instant at which the sun's right ascension is 270 degrees."""
    from pvlib import spa

    def ahead(instant: np.datetime64) -> float:
        seconds = np.array([hours_between(np.datetime64(0, "ms"), instant) * 3600.0])
        delta_t = spa.calculate_deltat(year, 12)
        _, ascension, _ = spa.solar_position_numpy(seconds, 0, 0, 0, 0, 0, delta_t, 0, 1, sst=True)
        return float(ascension[0]) - 270.0

    low, high = np.datetime64(f"{year}-12-19", "ms"), np.datetime64(f"{year}-12-24", "ms")
    while high - low > np.timedelta64(1, "s"):
        middle = low + (high - low) // 2
        low, high = (middle, high) if ahead(middle) < 0 else (low, middle)
    return high


def _shifted(instant: np.datetime64, hours: float) -> np.datetime64:
    return instant + np.timedelta64(round(hours * MS_PER_HOUR), "ms")


def _solar_noon(midnight: np.datetime64, longitude: float, latitude: float) -> np.datetime64:
    """The sun's passage of the meridian within the 24 hours after `midnight`."""
    mean = _shifted(midnight, 12.0)
    for _ in range(3):
        day_start = mean.astype("datetime64[D]").astype("datetime64[ms]")
        minutes = float(sun_position([mean], longitude, latitude).equation_of_time[0])
        candidate = _shifted(day_start, 12.0 - longitude / 15.0 - minutes / 60.0)
        turns = round(hours_between(candidate, _shifted(midnight, 12.0)) / 24.0)
        mean = _shifted(candidate, 24.0 * turns)
    return mean


def _crossing(height: Callable[[Times], Floats], noon: np.datetime64, reach_h: float) -> np.datetime64 | None:
    """Zero of `height` between noon and noon + reach_h, to a millisecond, or None."""
    inside, outside = noon, _shifted(noon, reach_h)
    at_noon, at_end = height(np.array([inside, outside]))
    if at_noon <= 0 or at_end > 0:
        return None
    while abs(outside - inside) > np.timedelta64(1, "ms"):
        # 32 points at once: a call costs the same for one time as for many
        steps = np.linspace(0.0, 1.0, 34)
        span = (outside - inside) / np.timedelta64(1, "ms")
        times = inside + np.rint(steps * span).astype("timedelta64[ms]")
        above = height(times) > 0
        last = int(np.flatnonzero(above)[-1]) if above.any() else 0
        nearer = (times[last], times[min(last + 1, len(times) - 1)])
        if nearer == (inside, outside):
            break
        inside, outside = nearer
    return inside
