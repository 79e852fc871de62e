"""Which stations and days a before-and-after comparison takes, chosen by the user or in a way that is told."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.dust.columns import texts_of
from analysis.dust.posts import Posts, posts_of
from analysis.dust.readings import Readings, some
from analysis.dust.reference import named_stations
from geo.model import Issue, Layer, Points, UserError
from geo.model import conventions as words

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Bools = NDArray[np.bool_]

NEAR = 50.0  # [m] from the unit, where a control station may gain from it as well
FAR = 300.0  # [m] from the unit to the station that is to show its effect
MOST_CONTROLS = 8
FEWEST = 3  # times before, by which it is judged how well a station goes along
LEAST_KNOWN = 0.8  # of the times of the treated station that a control must have measured
DAY = re.compile(r"^(\d{4})\D{0,2}(\d{1,2})\D{0,2}(\d{1,2})(?!\d)")


class Unit(NamedTuple):
    """A purifier that runs: its name, place (2,) [local m] and first day."""

    name: str
    place: Floats
    since: np.datetime64


class Comparison(NamedTuple):
    """What is compared.

    Attributes
    ----------
    readings : Readings
    treated : int
        Number of the station.
    controls : (m,) int64
    since : datetime64[D]
        First day of the unit.
    pause : int
        Days from then on that belong to neither side.
    posts : Posts
        Of the stations of the readings, NaN where not known.
    """

    readings: Readings
    treated: int
    controls: Indices
    since: np.datetime64
    pause: int
    posts: Posts

    @property
    def used(self) -> Bools:
        """(n,) times that belong to one of the sides."""
        start = int(self.since.astype("datetime64[D]").astype(np.int64))
        day = self.readings.day
        return np.asarray((day < start) | (day >= start + self.pause))

    @property
    def after(self) -> Bools:
        """(n,) times at which the unit ran."""
        return np.asarray(self.readings.day >= int(self.since.astype("datetime64[D]").astype(np.int64)))


def units_of(layers: Sequence[Layer], issues: list[Issue]) -> tuple[Unit, ...]:
    """Purifiers that stand and say since when they run."""
    found, unsaid = [], 0
    for layer in layers:
        shape = layer.geometry
        if not isinstance(shape, Points):
            continue
        state, since = texts_of(layer, (words.PURIFIER_STATE,)), texts_of(layer, (words.RUNS_SINCE,))
        names = texts_of(layer, (words.PURIFIER_NAME,))
        for row, place in zip(shape.element.tolist(), shape.vertices, strict=True):
            if state[row] not in ("existing", ""):
                continue
            day = read_day(since[row])
            unsaid += int(np.isnat(day))
            if not np.isnat(day):
                found.append(Unit(names[row] or str(layer.table.ids[row]), place[:2], day))
    if unsaid:
        message = f"{unsaid} purifiers that stand do not say since when they run."
        issues.append(Issue("dust.effect.unknown_start", message, "note", unsaid))
    return tuple(found)


def read_day(text: str) -> np.datetime64:
    """A day such as ``"2024-03-15"``, ``"2024.3.15"`` or ``"20240315"``; NaT where it is none."""
    match = DAY.match(text.strip())
    if match is None:
        return np.datetime64("NaT", "D")
    try:
        return np.datetime64(f"{match[1]}-{int(match[2]):02d}-{int(match[3]):02d}", "D")
    except ValueError:
        return np.datetime64("NaT", "D")


def compared(
    readings: Readings,
    stations: Sequence[Layer],
    units: Sequence[Unit],
    issues: list[Issue],
    *,
    treated: str,
    controls: str,
    since: str,
    pause: int,
    window: int,
) -> Comparison:
    """The stations and the day; what the user did not say is found from places and told. Raises `UserError`.

    window : int
        Days on each side within which controls must have measured, 0 for all.
    """
    posts = _beside(readings, posts_of(stations))
    unit, station = _treated(readings, posts, units, treated, issues)
    day = _since(since, unit)
    _check_span(readings, day)
    chosen = named_stations(controls, readings.station)
    if station in chosen.tolist():
        raise UserError(
            f"{readings.station[station]} cannot be its own control.",
            "A control station tells what the air did where no unit ran.",
            "Name other stations as controls, or leave the field empty.",
            code="dust.effect.own_control",
            values={"station": readings.station[station]},
        )
    if len(chosen) == 0:
        near = np.abs(readings.day - int(day.astype(np.int64))) <= (window + pause if window else np.inf)
        chosen = _controls(readings, posts, station, unit, day, near, issues)
    else:
        _tell_near(readings, posts, chosen, unit, issues)
    return Comparison(readings, station, chosen, day, pause, posts)


def _beside(readings: Readings, posts: Posts) -> Posts:
    """Places in the order of the stations that measured."""
    rows = {"".join(name.split()).casefold(): row for row, name in enumerate(posts.name)}
    at = np.array([rows.get("".join(name.split()).casefold(), -1) for name in readings.station], dtype=np.int64)
    point, height = np.full((len(at), 3), np.nan), np.full(len(at), np.nan)
    point[at >= 0], height[at >= 0] = posts.point[at[at >= 0]], posts.height[at[at >= 0]]
    return Posts(readings.station, point, height)


def _treated(
    readings: Readings, posts: Posts, units: Sequence[Unit], name: str, issues: list[Issue]
) -> tuple[Unit | None, int]:
    """The station and the unit beside it; None where no unit is known."""
    if name.strip():
        station = int(named_stations(name, readings.station)[0])
        away = [_distance(unit.place, posts.point[station]) for unit in units]
        known = [(far, k) for k, far in enumerate(away) if np.isfinite(far)]
        return (units[min(known)[1]] if known else None), station
    pairs = [
        (_distance(unit.place, posts.point[k]), number, k)
        for number, unit in enumerate(units)
        for k in range(len(readings.station))
    ]
    pairs = [pair for pair in pairs if np.isfinite(pair[0])]
    if not pairs:
        raise UserError(
            "Nobody says which station is to show the effect.",
            f"No station is named, and no purifier with a date stands in the scene beside a station with a place; "
            f"measured have {some(readings.station)}.",
            "Name the station beside the unit, or give the purifier the day it began (runs_since) and import the "
            "places of the stations.",
            code="dust.effect.no_treated",
            values={"stations": some(readings.station)},
        )
    far, number, station = min(pairs)
    message = f"{readings.station[station]} is the station nearest to {units[number].name}: {far:.0f} m."
    values = {"station": readings.station[station], "unit": units[number].name, "distance": round(far)}
    issues.append(Issue("dust.effect.nearest", message, "doubt" if far > FAR else "note", values=values))
    return units[number], station


def _distance(place: Floats, point: Floats) -> float:
    return float(np.hypot(*(point[:2] - place[:2])))


def _since(text: str, unit: Unit | None) -> np.datetime64:
    day = read_day(text)
    if text.strip() and np.isnat(day):
        raise UserError(
            f"'{text}' is not a day.",
            "The day the unit began is needed to tell before from after.",
            "Write it as year, month and day: 2024-03-15.",
            code="dust.effect.bad_day",
            values={"text": text},
        )
    if not np.isnat(day):
        return day
    if unit is None:
        raise UserError(
            "Nobody says when the unit began.",
            "No day is given, and no purifier of the scene says since when it runs.",
            "Write the day, or set it at the purifier (runs_since).",
            code="dust.effect.no_day",
        )
    return unit.since


def _check_span(readings: Readings, since: np.datetime64) -> None:
    first, last = (np.datetime64(int(day), "D") for day in (readings.day.min(), readings.day.max()))
    if first < since <= last:
        return
    raise UserError(
        "The measurements do not lie on both sides of the day the unit began.",
        f"The unit began on {since}; the measurements reach from {first} to {last}.",
        "Load measurements of the time before and after, or correct the day.",
        code="dust.effect.one_side",
        values={"since": str(since), "first": str(first), "last": str(last)},
    )


def _controls(
    readings: Readings,
    posts: Posts,
    treated: int,
    unit: Unit | None,
    since: np.datetime64,
    near: Bools,
    issues: list[Issue],
) -> Indices:
    """Stations that went along with the treated one before the unit ran, at most `MOST_CONTROLS`, none beside it."""
    before = readings.day < int(since.astype(np.int64))
    own = readings.value[:, treated]
    place = unit.place if unit is not None else posts.point[treated]
    found: list[tuple[float, int]] = []
    for k in range(len(readings.station)):
        known = np.isfinite(own) & np.isfinite(readings.value[:, k])
        if k == treated or (known & near).sum() < LEAST_KNOWN * (np.isfinite(own) & near).sum():
            continue
        if (known & before).sum() < FEWEST or _distance(place, posts.point[k]) < NEAR:
            continue
        a, b = own[known & before], readings.value[known & before, k]
        together = float(np.corrcoef(a, b)[0, 1]) if a.std() > 0.0 and b.std() > 0.0 else 0.0
        found.append((-together, k))
    if not found:
        raise UserError(
            "There is no control station.",
            f"Besides {readings.station[treated]} no station measured at the same times, farther than {NEAR:g} m from "
            "the unit.",
            "Load a second station that the unit does not reach, best upwind of it and of the same surroundings.",
            code="dust.effect.no_control",
            values={"station": readings.station[treated], "near": NEAR},
        )
    chosen = np.array(sorted(k for _, k in sorted(found)[:MOST_CONTROLS]), dtype=np.int64)
    names = tuple(readings.station[k] for k in chosen)
    message = f"Controls are the {len(names)} stations that went along best before: {', '.join(names)}."
    issues.append(Issue("dust.effect.controls", message, "note", len(names), names, {"stations": ", ".join(names)}))
    return chosen


def _tell_near(readings: Readings, posts: Posts, chosen: Indices, unit: Unit | None, issues: list[Issue]) -> None:
    if unit is None:
        return
    near = tuple(readings.station[k] for k in chosen if _distance(unit.place, posts.point[k]) < NEAR)
    if near:
        message = f"Control stations within {NEAR:g} m of the unit gain from it too, and hide its effect: {some(near)}."
        values = {"stations": some(near), "near": NEAR}
        issues.append(Issue("dust.effect.control_near", message, "doubt", len(near), near, values))
