"""The sky of a year as directions from which light comes, made from hours of weather.

Direct light and the bright spot around the sun come from where the sun stands; dome and horizon from patches. The sun
of an hour is taken at several instants of it, and only of the part of the hour when it is up. Instants with nearly
the same sun (same time of day, same half of the year, declination within `BAND_WIDTH`) may share one direction; what
they bring is added up as a vector, so that the angle to a surface stays that of each.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.irradiation.weather import MS, Hours
from analysis.kernels.irradiance import (
    BAND,
    DOME,
    LOWEST_COSINE,
    MONTHS,
    Patches,
    Sky,
    extraterrestrial,
    perez,
    sky_patches,
)
from analysis.kernels.sun import sun_position, sun_vectors
from geo.model import Frame, Issue, unique_rows

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

PARTS = 2  # instants of an hour
BAND_WIDTH = 3.0  # [degrees] of declination that share a direction
UNBALANCED = 0.02  # share of the year's radiation by which the three columns may disagree


class Suns(NamedTuple):
    """Where the sun stands in the parts of each hour.

    Attributes
    ----------
    ways : (n, parts, 3) float64
        Towards the sun, scene axes (grid north).
    cosine : (n,) float64
        Mean cosine of the zenith angle over the lit part of the hour; 0 where the sun stays down.
    lit : (n,) float64
        Share of the hour with the sun up.
    declination, day : (n,) float64 [degrees], [day of the year]
    """

    ways: Floats
    cosine: Floats
    lit: Floats
    declination: Floats
    day: Floats


class YearSky(NamedTuple):
    """The sky of a year, the patches it was made with, and the days that count."""

    sky: Sky
    patches: Patches
    sun_directions: int


def year_sky(
    hours: Hours,
    frame: Frame,
    issues: list[Issue],
    *,
    division: int = 1,
    exact: bool = False,
    parts: int = PARTS,
    band_width: float = BAND_WIDTH,
) -> YearSky:
    """Directions and what each brings; doubts are added to `issues`.

    Parameters
    ----------
    division : int
        Of the patches: 1 Tregenza, 2 Reinhart.
    exact : bool
        A direction for every part of every hour, instead of sharing.
    parts : int
        Instants of an hour.
    band_width : float [degrees]
        Of the declination, for sharing.
    """
    suns = suns_of(hours, frame, parts)
    direct, diffuse = balanced(hours, suns.cosine, issues)
    up = suns.lit > 0
    strength = np.where(up, 1.0 / np.maximum(suns.lit, 1e-3), 1.0)  # means over the lit part
    bright = perez(diffuse * strength, direct * strength, np.maximum(suns.cosine, 1e-3), extraterrestrial(suns.day))
    spot, band = np.where(up, bright.spot, 0.0), np.where(up, bright.band, 0.0)
    beam = direct + spot * diffuse / np.maximum(suns.cosine, LOWEST_COSINE)
    number = hours.month - 1
    dome_sum = np.bincount(number, (1.0 - spot) * diffuse, MONTHS) / 1000.0
    band_sum = np.bincount(number, band * diffuse, MONTHS) / 1000.0
    open_field = dome_sum + np.bincount(number, beam * suns.cosine, MONTHS) / 1000.0
    patches = sky_patches(division)
    lists = _patch_entries(patches), _sun_entries(suns, beam, number, exact, band_width)
    sky = _joined(lists, dome_sum, band_sum, open_field)
    return YearSky(sky, patches, len(sky.ways) - len(patches.ways))


def suns_of(hours: Hours, frame: Frame, parts: int) -> Suns:
    """Where the sun stands in equal parts of the lit part of each hour."""
    station = hours.station
    place = (station.longitude, station.latitude)
    middle = hours.label - _ms(hours.lead)
    ends = np.stack([_height(middle - _ms(0.5), *place), _height(middle + _ms(0.5), *place)])
    start, stop = _lit_part(ends)
    lit = stop - start
    ways, cosines = np.zeros((len(lit), parts, 3)), np.zeros((len(lit), parts))
    declination = np.zeros(len(lit))
    for part in range(parts):
        at = middle + _ms(start + lit * (part + 0.5) / parts - 0.5)
        sun = sun_position(at, *place)
        ways[:, part] = sun_vectors(frame.grid_azimuth(sun.azimuth), sun.apparent_elevation)
        cosines[:, part] = np.where(lit > 0, np.maximum(np.sin(np.radians(sun.apparent_elevation)), 0.0), 0.0)
        if part == 0:
            declination = _declination(sun.azimuth, sun.elevation, station.latitude)
    day = (middle.astype("datetime64[D]") - middle.astype("datetime64[Y]").astype("datetime64[D]")).astype(np.int64)
    return Suns(ways, cosines.mean(axis=1), lit, declination, day + 1.0)


def _ms(hours: Floats | float) -> NDArray[np.timedelta64]:
    return np.rint(np.asarray(hours) * MS).astype(np.int64).astype("timedelta64[ms]")


def _height(times: NDArray[np.datetime64], longitude: float, latitude: float) -> Floats:
    return sun_position(times, longitude, latitude).apparent_elevation


def _lit_part(ends: Floats) -> tuple[Floats, Floats]:
    """Start and stop (n,) of the sun's time above the horizon within each hour, 0..1, from its height at both ends."""
    before, after = ends
    share = np.clip(before / np.where(before == after, 1.0, before - after), 0.0, 1.0)
    start = np.where(before > 0, 0.0, np.where(after > 0, share, 0.0))
    stop = np.where(after > 0, 1.0, np.where(before > 0, share, 0.0))
    return start, stop


def _declination(azimuth: Floats, elevation: Floats, latitude: float) -> Floats:
    """(n,) [degrees] from the horizontal coordinates of the sun."""
    a, h, p = np.radians(azimuth), np.radians(elevation), np.radians(latitude)
    sine = np.sin(p) * np.sin(h) + np.cos(p) * np.cos(h) * np.cos(a)
    return np.asarray(np.degrees(np.arcsin(np.clip(sine, -1.0, 1.0))))


def balanced(hours: Hours, cosine: Floats, issues: list[Issue]) -> tuple[Floats, Floats]:
    """Direct and diffuse light (n,) [Wh/m2] that add up to the global radiation, which is the measured one."""
    total = hours.global_horizontal
    off = float((hours.diffuse + hours.direct * cosine).sum() / total.sum() - 1.0)
    if abs(off) > UNBALANCED:
        message = f"Direct and diffuse radiation of the file add up to {100 * (1 + off):.1f} % of its global radiation."
        issues.append(Issue("irradiation.unbalanced", message, "doubt", values={"percent": round(100 * (1 + off), 1)}))
    direct = np.where(cosine > 0, np.minimum(hours.direct, total / np.maximum(cosine, 1e-3)), 0.0)
    return direct, np.maximum(total - direct * cosine, 0.0)


Entries = tuple[Floats, Indices, Indices, Floats]  # ways, number of entries of each, columns, vectors


def _patch_entries(patches: Patches) -> Entries:
    """Each patch brings its share of the dome; those of the lowest row stand for the band along the horizon too."""
    dome = patches.ways * (patches.solid_angle / np.pi)[:, None]
    low = patches.row == 0
    flat = patches.ways[low] * [1.0, 1.0, 0.0]
    flat = flat / np.linalg.norm(flat, axis=1, keepdims=True) * (patches.width[low] / 2.0)[:, None]
    count = np.where(low, 2, 1)
    order = np.argsort(np.concatenate([np.arange(len(low)), np.flatnonzero(low)]), kind="stable")
    columns = np.concatenate([np.full(len(low), DOME), np.full(len(flat), BAND)])[order]
    return patches.ways, count.astype(np.int64), columns, np.concatenate([dome, flat])[order]


def _sun_entries(suns: Suns, beam: Floats, month: Indices, exact: bool, band_width: float) -> Entries:
    """What the sun brings from each direction in each month, as vectors [kWh/m2]."""
    rows = np.flatnonzero((beam > 0) & (suns.lit > 0))
    parts = suns.ways.shape[1]
    ways = suns.ways[rows].reshape(-1, 3)
    energy = np.repeat(beam[rows] / parts / 1000.0, parts)
    above = ways[:, 2] > 0
    months = np.repeat(month[rows], parts)
    key = np.arange(len(ways)) if exact else _alike(suns, rows, band_width)
    ways, energy, months, key = ways[above], energy[above], months[above], key[above]
    if len(ways) == 0:
        return np.zeros((0, 3)), np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, 3))
    pair, _, pair_of, _ = unique_rows(np.stack([key, months], axis=1))
    sums = [np.bincount(pair_of, energy * ways[:, axis], len(pair)) for axis in range(3)]
    vectors = np.stack(sums, axis=1).astype(np.float64)
    _, group, count = np.unique(pair[:, 0], return_inverse=True, return_counts=True)
    total = np.stack([np.bincount(group, vectors[:, axis], len(count)) for axis in range(3)], axis=1)
    ways = np.asarray(total / np.linalg.norm(total, axis=1, keepdims=True))
    return ways, count.astype(np.int64), pair[:, 1].astype(np.int64), vectors


def _alike(suns: Suns, rows: Indices, band_width: float) -> Indices:
    """(rows * parts,) number of the group of instants with nearly the same sun."""
    parts = suns.ways.shape[1]
    band = np.floor((suns.declination[rows] + 90.0) / band_width).astype(np.int64)
    rising = ((suns.day[rows] > 172) & (suns.day[rows] <= 355)).astype(np.int64)
    key = ((rows % 24) * 2 + rising) * 200 + band
    return np.asarray((key[:, None] * parts + np.arange(parts)).ravel())


def _joined(lists: tuple[Entries, Entries], dome: Floats, band: Floats, open_field: Floats) -> Sky:
    ways, count, column, vector = (np.concatenate(parts) for parts in zip(*lists, strict=True))
    start = np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
    return Sky(
        np.ascontiguousarray(ways),
        start,
        column.astype(np.int64),
        np.ascontiguousarray(vector),
        dome,
        band,
        open_field,
    )
