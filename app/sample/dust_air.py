"""A made-up year of wind, and the air that the sample's stations measured in it.

What really came from the roads and the site differs from what the emission factors say, in shares that stand in no
file of the sample: a calibration has something to find. Dust spreads by a formula (a Gaussian plume over a rough city,
Briggs' urban curves, with meander), not by the program's own engine: the two differ as a model and the world do.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from analysis.dust.rules import Size, construction_emission, paved_road, road_emission, silt_loading
from app.sample import dust_plan
from app.sample.dust_plan import DustPlan
from app.sample.plan import Plan

Floats = NDArray[np.float64]
Hours = NDArray[np.datetime64]

YEAR = 2025
GROUPS = ("ring_road", "collectors", "local_streets", dust_plan.SITE_GROUP, dust_plan.PLANT_GROUP)
DIRECTIONS = 72
STEP = 9.0  # [m] between points of a source
SIDE = 6.0  # [m] first half width of a point of a road
LIFT = 2.0  # [m] first height of what traffic and machines whirl up
SHELTER = 0.55  # wind between the houses over that of the weather station, which stands in the open
MEANDER = 0.35  # [m/s]
BELOW = 0.5  # [m/s] calm


class Wind(NamedTuple):
    """Hours of a year at the weather station.

    Attributes
    ----------
    end : (n,) datetime64[h]
        When each ends, Korean time.
    speed : (n,) float [m/s]
    wind_from : (n,) float [degrees]
        Clockwise from true north.
    temperature : (n,) float [degC]
    """

    end: Hours
    speed: Floats
    wind_from: Floats
    temperature: Floats


class Air(NamedTuple):
    """What stations measured: (hours, stations) [ug/m3], NaN where they did not."""

    end: Hours
    pm10: Floats
    pm25: Floats


def make_wind(seed: int) -> Wind:
    """A year of hours: the north-west monsoon of winter, weak southerlies in summer, calm nights."""
    rng = np.random.default_rng([seed, 10])
    end = np.arange(f"{YEAR}-01-01T01", f"{YEAR + 1}-01-01T01", dtype="datetime64[h]")
    hour = (end.astype(np.int64) - 1) % 24 + 0.5
    season = 2.0 * np.pi * (np.arange(len(end)) / len(end) - 15.0 / 365.0)  # 0 in the middle of January
    sun = np.clip(np.sin(np.pi * (hour - 7.0) / 12.0), 0.0, None)
    fluctuation = np.stack([_persistent(rng, len(end), 9.0) for _ in range(2)])
    winter = 0.5 + 0.5 * np.cos(season)
    mean = np.stack([0.7 * winter + 0.15, -0.9 * winter + 0.55 * (1.0 - winter)])  # towards east, towards north
    east, north = (mean + 1.05 * fluctuation) * (0.8 + 1.0 * sun)
    speed = np.hypot(east, north) * np.exp(0.15 * rng.standard_normal(len(end)))
    wind_from = np.degrees(np.arctan2(-east, -north)) % 360.0
    temperature = 12.5 - 14.5 * np.cos(season - 0.2) + 4.0 * np.sin(np.pi * (hour - 9.0) / 12.0)
    return Wind(end, speed, wind_from, temperature + 2.0 * _persistent(rng, len(end), 40.0))


def _persistent(rng: np.random.Generator, count: int, hours: float) -> Floats:
    """(count,) of mean 0 and variance 1 that forgets itself over so many hours."""
    from scipy.signal import lfilter

    keep = float(np.exp(-1.0 / hours))
    noise = rng.standard_normal(count + 500) * np.sqrt(1.0 - keep**2)
    return np.asarray(lfilter([1.0], [1.0, -keep], noise)[500:], dtype=np.float64)


# --- sources as points


class _Points(NamedTuple):
    """Points of a group: (n, 2) places, (n,) strengths [ug/s] of PM10 and of PM2.5, and height [m]."""

    place: Floats
    pm10: Floats
    pm25: Floats
    height: float


def source_points(plan: Plan, dust: DustPlan) -> dict[str, _Points]:
    """Every group at the strength that the emission factors say."""
    found: dict[str, list[tuple[Floats, float, float]]] = {group: [] for group in GROUPS}
    for number, (vehicles, weight) in dust.traffic.items():
        street = plan.streets[number]
        count = max(int(street.line.length / STEP), 1)
        spots = shapely.line_interpolate_point(street.line, (np.arange(count) + 0.5) / count, normalized=True)
        place = np.column_stack([shapely.get_x(spots), shapely.get_y(spots)])
        each = street.line.length / count
        pm10, pm25 = (each * _road(size, vehicles, weight) for size in ("pm10", "pm25"))
        found[dust_plan.GROUPS[street.kind]].append((place, pm10, pm25))
    side = np.sqrt(dust.site.area)
    x, y = np.meshgrid(*(np.arange(low + STEP / 2, high, STEP) for low, high in _extent(dust.site)))
    inside = shapely.contains_xy(dust.site, x.ravel(), y.ravel())
    place = np.column_stack([x.ravel()[inside], y.ravel()[inside]])
    pm10, pm25 = (construction_emission(size, share_active=dust_plan.ACTIVE_SHARE) * side**2 / len(place)
                  for size in ("pm10", "pm25"))  # fmt: skip
    found[dust_plan.SITE_GROUP].append((place, pm10, pm25))
    stack = (np.array([dust.plant]), dust_plan.PLANT_PM10 * 1e6, dust_plan.PLANT_PM25 * 1e6)
    found[dust_plan.PLANT_GROUP].append(stack)
    return {group: _joined(parts, dust_plan.PLANT_HEIGHT if group == dust_plan.PLANT_GROUP else 0.0)
            for group, parts in found.items()}  # fmt: skip


def _road(size: Size, vehicles: int, weight: float) -> float:
    return road_emission(paved_road(size, silt_loading(vehicles), mean_weight=weight), vehicles)


def _extent(shape: shapely.Polygon) -> tuple[tuple[float, float], tuple[float, float]]:
    west, south, east, north = shape.bounds
    return (west, east), (south, north)


def _joined(parts: list[tuple[Floats, float, float]], height: float) -> _Points:
    place = np.concatenate([part[0] for part in parts])
    pm10 = np.concatenate([np.full(len(part[0]), part[1]) for part in parts])
    pm25 = np.concatenate([np.full(len(part[0]), part[2]) for part in parts])
    return _Points(place, pm10, pm25, height)


# --- from sources to stations


def _transfer(points: _Points, stations: Floats) -> tuple[Floats, Floats]:
    """(directions, stations) PM10 and PM2.5 [ug/m3 at 1 m/s] by the direction the wind comes from."""
    away = stations[:, None, :] - points.place[None, :, :]
    pm10, pm25 = np.empty((DIRECTIONS, len(stations))), np.empty((DIRECTIONS, len(stations)))
    for k in range(DIRECTIONS):
        turn = np.radians(k * 360.0 / DIRECTIONS)
        along = -(away[..., 0] * np.sin(turn) + away[..., 1] * np.cos(turn))
        across = away[..., 0] * np.cos(turn) - away[..., 1] * np.sin(turn)
        shape = _plume(along, across, points.height)
        pm10[k], pm25[k] = shape @ points.pm10, shape @ points.pm25
    return pm10, pm25


def _plume(along: Floats, across: Floats, height: float) -> Floats:
    """Concentration at the ground of one per second in a wind of 1 m/s (Briggs, urban, neutral)."""
    x = np.maximum(along, 0.0) + 0.5 * SIDE
    wide = np.sqrt((0.16 * x / np.sqrt(1.0 + 4e-4 * x)) ** 2 + SIDE**2)
    high = np.sqrt((0.14 * x / np.sqrt(1.0 + 3e-4 * x)) ** 2 + LIFT**2)
    shape = np.exp(-0.5 * (across / wide) ** 2 - 0.5 * (height / high) ** 2) / (np.pi * wide * high)
    # A source is as long as it is wide: what lies up to that far ahead counts in part.
    return np.asarray(shape * np.clip(0.5 + along / (2.0 * SIDE), 0.0, 1.0), dtype=np.float64)


def _direction_weights(speed: Floats, wind_from: Floats) -> Floats:
    """(n, directions) share of each hour that blows from each direction: a bell and, in weak wind, all around."""
    even = 2.0 * MEANDER**2 / (speed**2 + 2.0 * MEANDER**2)
    wide = np.clip(np.degrees(MEANDER / np.maximum(speed, 0.1)), 12.0, 90.0)
    turned = np.abs((wind_from[:, None] - np.arange(DIRECTIONS) * 360.0 / DIRECTIONS + 180.0) % 360.0 - 180.0)
    bell = np.exp(-0.5 * (turned / wide[:, None]) ** 2)
    bell /= bell.sum(axis=1, keepdims=True)
    return np.asarray(even[:, None] / DIRECTIONS + (1.0 - even[:, None]) * bell, dtype=np.float64)


# --- what is true, and what stations make of it

TRUE_FACTORS = (1.5, 1.25, 0.9, 0.6, 1.3)  # of `GROUPS`, over the emission factors
TRAFFIC_OF_DAY = (0.68, 0.62, 0.6, 0.6, 0.63, 0.73, 0.95, 1.2, 1.28, 1.17, 1.08, 1.08, 1.08, 1.08, 1.12, 1.16, 1.24,
                  1.32, 1.32, 1.16, 1.04, 0.96, 0.88, 0.77)  # fmt: skip
WORK_HOURS, AT_REST = (7, 18), 0.45  # of the site; open ground emits at night too
STATION_ERROR, HOUR_ERROR = 0.13, 0.2  # logarithmic, of what the district adds: what no model catches
NOISE, NOISE_SHARE = 1.3, 0.03  # [ug/m3] and share, of a sensor
NOISE_FINE = 0.8  # of the noise, for PM2.5
BACKGROUND, BACKGROUND_SPREAD = 33.0, 0.38  # [ug/m3], logarithmic
BACKGROUND_OF_SEASON = 0.22  # more in March, less in September
FINE_SHARE = 0.55  # PM2.5 in the background
YELLOW = (("2025-03-12T06", 40, 165.0), ("2025-05-21T10", 26, 110.0))  # start, hours, peak of yellow dust [ug/m3]
GAPS, GAP_RUNS = 0.012, 3  # single hours lost, and longer runs for each month and station


def measured(plan: Plan, dust: DustPlan, wind: Wind, *, first: str, last: str, seed: int) -> Air:
    """All stations from the first to the last day, as they measured."""
    since, until = np.datetime64(first, "h"), np.datetime64(last, "D") + 1
    chosen = (wind.end > since) & (wind.end <= until.astype("datetime64[h]"))
    end = wind.end[chosen]
    rng = np.random.default_rng([seed, 11, int(since.astype(np.int64))])
    added = _added(plan, dust, wind.speed[chosen], wind.wind_from[chosen], end, seed)
    fluctuation = np.stack([_persistent(rng, len(end), 5.0) for _ in dust.stations], axis=1)
    wrong = _station_bias(len(dust.stations), seed) * np.exp(HOUR_ERROR * fluctuation - 0.5 * HOUR_ERROR**2)
    coarse, fine = _background(end, rng)
    pm10, pm25 = coarse[:, None] + added[0] * wrong, fine[:, None] + added[1] * wrong
    kept = 1.0 - _cleaned(dust, wind.speed[chosen], end)
    lost = _gaps(rng, pm10.shape)
    pm10 = np.where(lost, np.nan, _read(pm10 * kept, rng, NOISE))
    pm25 = np.where(lost, np.nan, np.minimum(_read(pm25 * kept, rng, NOISE_FINE * NOISE), pm10))
    return Air(end, pm10, pm25)


def _station_bias(count: int, seed: int) -> Floats:
    """Of each station, the same in every month."""
    rng = np.random.default_rng([seed, 12])
    return np.asarray(np.exp(STATION_ERROR * rng.standard_normal(count)), dtype=np.float64)


def _added(
    plan: Plan, dust: DustPlan, speed: Floats, wind_from: Floats, end: Hours, seed: int
) -> tuple[Floats, Floats]:
    """(hours, stations) PM10 and PM2.5 that the district adds."""
    places = np.array([[one.x, one.y] for one in dust.stations])
    local = SHELTER * np.sqrt(speed**2 + 2.0 * MEANDER**2)
    weight = _direction_weights(speed, wind_from)
    points = source_points(plan, dust)
    pm10, pm25 = np.zeros((len(end), len(places))), np.zeros((len(end), len(places)))
    for group, factor in zip(GROUPS, TRUE_FACTORS, strict=True):
        strength = factor * _course(group, end)[:, None] / local[:, None]
        for out, transfer in zip((pm10, pm25), _transfer(points[group], places), strict=True):
            out += strength * (weight @ transfer)
    return pm10, pm25


def _course(group: str, end: Hours) -> Floats:
    """(n,) strength of the hours over their mean."""
    hour = (end.astype(np.int64) - 1) % 24
    if group in (dust_plan.SITE_GROUP, dust_plan.PLANT_GROUP):
        works = (hour >= WORK_HOURS[0]) & (hour < WORK_HOURS[1])
        course = np.where(works, 1.0, AT_REST)
        share = (WORK_HOURS[1] - WORK_HOURS[0]) / 24.0
        return np.asarray(course / (share + AT_REST * (1.0 - share)), dtype=np.float64)
    traffic = np.array(TRAFFIC_OF_DAY)
    return np.asarray(traffic[hour] / traffic.mean(), dtype=np.float64)


def _background(end: Hours, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """(n,) PM10 and PM2.5 that come from outside: spells of days, more in the morning, and yellow dust."""
    hour = (end.astype(np.int64) - 1) % 24
    day = (end - np.datetime64(f"{YEAR}-01-01T00", "h")).astype(np.float64) / 24.0
    season = 1.0 + BACKGROUND_OF_SEASON * np.cos(2.0 * np.pi * (day - 75.0) / 365.0)
    course = 1.0 + 0.12 * np.cos(2.0 * np.pi * (hour - 9.0) / 24.0)
    spell = np.exp(BACKGROUND_SPREAD * _persistent(rng, len(end), 30.0) - 0.5 * BACKGROUND_SPREAD**2)
    coarse = BACKGROUND * season * course * spell
    fine = FINE_SHARE * coarse
    for start, hours, peak in YELLOW:
        along = (end - np.datetime64(start, "h")).astype(np.float64) / hours
        rise = np.where((along > 0.0) & (along < 1.0), np.sin(np.pi * np.clip(along, 0.0, 1.0)) ** 2, 0.0)
        coarse, fine = coarse + peak * rise, fine + 0.18 * peak * rise
    return coarse, fine


def _cleaned(dust: DustPlan, speed: Floats, end: Hours) -> Floats:
    """(hours, stations) share that the purifier takes from the station beside it, more in weak wind."""
    out = np.zeros((len(end), len(dust.stations)))
    runs = end > np.datetime64(dust_plan.PURIFIER_SINCE, "h")
    out[:, dust.treated] = np.where(runs, np.clip(0.045 * (2.0 / np.maximum(speed, 0.3)) ** 0.8, 0.0, 0.16), 0.0)
    return out


def _read(value: Floats, rng: np.random.Generator, noise: float) -> Floats:
    """What a sensor shows: whole numbers, never below one."""
    error = np.hypot(noise, NOISE_SHARE * value) * rng.standard_normal(value.shape)
    return np.maximum(np.rint(value + error), 1.0)


def _gaps(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Hours without a value: single ones, and some runs of maintenance."""
    lost = rng.random(shape) < GAPS
    for station in range(shape[1]):
        for _ in range(int(rng.integers(0, GAP_RUNS))):
            start, length = int(rng.integers(0, shape[0] - 30)), int(rng.integers(4, 28))
            lost[start : start + length, station] = True
    return lost
