"""Measured dust of stations beside the wind of the same hours.

A day of measurements goes with all hours of wind in it: what a source adds is a mean over its winds, not what it adds
in a mean wind. Weather of another year is not the weather of the measured hours, and is refused unless it is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.dust.readings import HOUR, Readings, moments
from analysis.wind import climate
from analysis.wind.climate import WindHours
from geo.model import Column, ElementTable, Issue, Layer, UserError
from geo.model import conventions as words

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Bools = NDArray[np.bool_]
Moments = NDArray[np.datetime64]

LEAST_OF_DAY = 18  # hours with wind that a day needs


class Paired(NamedTuple):
    """Measurements and the wind of their hours.

    Attributes
    ----------
    readings : Readings
        Times with wind and with a value of one station at least.
    wind : WindHours
        (m,) hours.
    row : (m,) int64
        Time of the readings that each hour belongs to.
    source : str
        Name of the layer the wind is of.
    """

    readings: Readings
    wind: WindHours
    row: Indices
    source: str

    def mean(self, hourly: Floats) -> Floats:
        """(n, ...) means over the hours of each time of values (m, ...)."""
        out = np.zeros((len(self.readings.time), *hourly.shape[1:]))
        np.add.at(out, self.row, hourly)
        count = np.bincount(self.row, minlength=len(out)).astype(np.float64)
        return np.asarray(out / count.reshape(-1, *[1] * (hourly.ndim - 1)))

    def weather(self) -> Layer:
        """The hours as a table of weather."""
        stamp = [f"{number:06d}" for number in range(len(self.wind.speed))]
        columns = {
            "wind_speed": Column(self.wind.speed, "m/s"), "wind_from": Column(self.wind.wind_from, "deg"),
            "month": Column(self.wind.month), "hour_end": Column(self.wind.hour),
        }  # fmt: skip
        return Layer("hours", self.source, "other", None, ElementTable(stamp, columns))


def wind_layer(
    weather: Sequence[Layer], measurements: Sequence[Layer], readings: Readings, issues: list[Issue]
) -> Layer:
    """The table with the wind of most of the measured hours: weather, else measurements that hold wind beside the dust.

    Raises `UserError` where no table holds wind. One that holds the wind of no measured hour is returned where there
    is no other: `pair` says why it cannot serve.
    """
    tables = [layer for layer in weather if climate.weather_layer((layer,)) is not None]
    best = max(tables, key=lambda layer: len(_meet(readings, times_of(layer))[1]), default=None)
    if best is not None and len(_meet(readings, times_of(best))[1]):
        return best
    beside = climate.weather_layer(measurements)
    if beside is None and best is not None:
        return best
    if beside is None:
        raise UserError(
            "There is no wind of the measured hours.",
            "Dust is compared hour by hour with the wind that carried it, and no table holds a speed and a direction.",
            "Import an hourly table of the nearest weather station (KMA, ASOS) of the days that were measured.",
            code="dust.pairing.no_wind",
        )
    message = f"The wind is that of {beside.name}: measured in a street, it is not the wind over the city."
    issues.append(Issue("dust.pairing.wind_beside", message, "doubt", values={"layer": beside.name}))
    return _first_station(beside)


def _first_station(layer: Layer) -> Layer:
    """The rows of the first station that has wind: a table of weather holds one station."""
    column = layer.table.columns.get(words.STATION)
    if column is None:
        return layer
    names = column.values.astype(str)
    speed = next(
        (c for name, c in layer.table.columns.items() if name in climate.SPEED_NAMES and c.is_number), None
    )  # fmt: skip
    blowing = np.isfinite(speed.values.astype(np.float64)) if speed is not None else np.ones(len(names), dtype=bool)
    rows = np.flatnonzero(names == (names[blowing][0] if blowing.any() else names[0]))
    columns = {
        name: Column(c.values[rows], c.unit, c.title)
        for name, c in layer.table.columns.items()
        if name != words.STATION
    }
    return layer.with_(table=ElementTable(layer.table.ids[rows], columns))


def times_of(layer: Layer) -> Moments:
    """(n,) ends of the hours of a weather table, NaT where they are not said."""
    columns = layer.table.columns
    if all(name in columns for name in ("year", "month", "day", "hour_end")):
        year, month, day, hour = (
            np.asarray(columns[name].values, dtype=np.float64) for name in ("year", "month", "day", "hour_end")
        )
        texts = [
            f"{y:04.0f}-{m:02.0f}-{d:02.0f} {h:02.0f}:00" if np.isfinite(y + m + d + h) and y > 0 else ""
            for y, m, d, h in zip(year, month, day, hour, strict=True)
        ]
        return moments(texts)
    named = {name.lower().replace(" ", ""): name for name in columns}
    named |= {column.title.lower().replace(" ", ""): name for name, column in columns.items() if column.title}
    name = next((named[word] for word in climate.TIME_NAMES if word in named), "")
    if not name:
        return np.full(len(layer.table), np.datetime64("NaT"), dtype="datetime64[m]")
    return moments([_stamp(value) for value in columns[name].values.tolist()])


def _stamp(value: object) -> str:
    """A time as text; numbers such as 202403011300 (KMA) are written out."""
    text = f"{value:.0f}" if isinstance(value, float) and np.isfinite(value) else str(value or "")
    if text.isdigit() and len(text) in (10, 12):
        return f"{text[:4]}-{text[4:6]}-{text[6:8]} {text[8:10]}:{text[10:12] or '00'}"
    return text.replace("/", "-")


# --- together


def pair(
    readings: Readings,
    layer: Layer,
    issues: list[Issue],
    *,
    other_year: bool = False,
    months: Sequence[int] = (),
    times: tuple[int, int] | None = None,
) -> Paired:
    """Measurements with the wind of their hours. Raises `UserError` where they do not meet.

    Parameters
    ----------
    layer : Layer
        Table with the wind.
    other_year : bool
        Whether the same days and hours of another year may stand for those measured.
    months, times
        As in `analysis.wind.climate.season`; hours of the day leave out nothing of daily means.
    """
    hours, moment = climate.hours_of(layer), times_of(layer)
    if np.isnat(moment).all():
        raise _untimed(layer)
    chosen = readings._replace(time=readings.time[keep := _chosen(readings, months, times)], value=readings.value[keep])
    row, hour = _meet(chosen, moment)
    if len(hour) == 0:
        row, hour = _of_another_year(chosen, moment, layer, other_year, issues)
    blowing = (hours.speed[hour] < climate.CALM) | np.isfinite(hours.wind_from[hour])
    row, hour = row[blowing], hour[blowing]
    if chosen.is_daily:
        enough = np.bincount(row, minlength=len(chosen.time))[row] >= LEAST_OF_DAY
        row, hour = row[enough], hour[enough]
    if len(hour) == 0:
        raise _apart(chosen, moment, layer)
    kept, number = np.unique(row, return_inverse=True)
    lost = len(chosen.time) - len(kept)
    if lost:
        unit = "days" if chosen.is_daily else "hours"
        message = f"{lost} of {len(chosen.time)} {unit} were left out: {layer.name} holds no wind of them."
        values = {"times": len(chosen.time), "layer": layer.name}
        issues.append(Issue("dust.pairing.no_wind_then", message, "note", lost, values=values))
    wind = hours._replace(
        speed=hours.speed[hour], wind_from=hours.wind_from[hour], day=hours.day[hour], month=hours.month[hour],
        hour=hours.hour[hour],
    )  # fmt: skip
    used = chosen._replace(time=chosen.time[kept], value=chosen.value[kept])
    return Paired(used, wind, np.asarray(number, dtype=np.int64), layer.name)


def _chosen(readings: Readings, months: Sequence[int], times: tuple[int, int] | None) -> Bools:
    start = readings.time - (np.timedelta64(0, "m") if readings.is_daily else HOUR)
    keep = np.ones(len(start), dtype=bool)
    if months:
        keep &= np.isin(start.astype("datetime64[M]").astype(np.int64) % 12 + 1, np.asarray(months))
    if times is not None and not readings.is_daily:
        first, last = times
        hour = (start - start.astype("datetime64[D]")).astype(np.int64) // 60
        keep &= ((hour >= first) & (hour < last)) if first < last else ((hour >= first) | (hour < last))
    return keep


def _meet(readings: Readings, moment: Moments) -> tuple[Indices, Indices]:
    """Time of the readings and hour of the weather that belong together, by time; an hour that repeats counts once."""
    known = np.flatnonzero(~np.isnat(moment))
    at = moment[known]
    at, first = np.unique(at, return_index=True)
    known = known[first]
    if readings.is_daily:
        at = (at - np.timedelta64(1, "m")).astype("datetime64[D]").astype("datetime64[m]")
    if len(readings.time) == 0 or len(at) == 0:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    row = np.minimum(np.searchsorted(readings.time, at), len(readings.time) - 1)
    there = readings.time[row] == at
    return np.asarray(row[there], dtype=np.int64), np.asarray(known[there], dtype=np.int64)


def _of_another_year(
    readings: Readings, moment: Moments, layer: Layer, allowed: bool, issues: list[Issue]
) -> tuple[Indices, Indices]:
    """The same days and hours of the weather's year, if that is allowed. Raises `UserError`."""
    years = np.unique(readings.time.astype("datetime64[Y]"))
    before = moment - np.timedelta64(1, "m")
    into = moment - before.astype("datetime64[M]")
    month = before.astype("datetime64[M]").astype(np.int64) % 12
    found = [_meet(readings, (year.astype("datetime64[M]") + month.astype("timedelta64[M]")) + into) for year in years]
    row, hour = (np.concatenate([part[k] for part in found]) if found else np.zeros(0, np.int64) for k in (0, 1))
    if len(hour) == 0:
        raise _apart(readings, moment, layer)
    of, measured = _years(moment), _years(readings.time)
    values = {"layer": layer.name, "years": of, "measured": measured}
    if not allowed:
        raise UserError(
            "The weather is not that of the measured hours.",
            f"{layer.name} is of {of}, the measurements are of {measured}: a typical year, or another one, does not "
            "say how the wind blew in an hour that was measured.",
            "Import hourly weather of those days (KMA, ASOS), or allow weather of another year and doubt the result.",
            code="dust.pairing.other_year",
            values=values,
        )
    message = (
        f"{layer.name} is of {of}, not of {measured}: each hour stands beside the wind of another year. What is found "
        "says nothing about single sources."
    )
    issues.append(Issue("dust.pairing.another_year", message, "error", values=values))
    order = np.argsort(row, kind="stable")
    return row[order], hour[order]


def _years(times: Moments) -> str:
    """The years of some times, such as ``"2007"`` or ``"1991 to 2004 (months of different years)"``."""
    known = times[~np.isnat(times)] - np.timedelta64(1, "m")
    years = np.unique(known.astype("datetime64[Y]").astype(np.int64) + 1970)
    if len(years) == 1:
        return str(years[0])
    stitched = len(np.unique(known.astype("datetime64[M]"))) <= 12 < 12 * len(years) - 11
    return f"{years[0]} to {years[-1]}" + (" (months of different years)" if stitched and len(years) > 2 else "")


def _apart(readings: Readings, moment: Moments, layer: Layer) -> UserError:
    known = moment[~np.isnat(moment)]
    if len(readings.time) == 0:
        span = "no hours in the chosen months"
    else:
        span = f"{str(readings.time[0])[:10]} to {str(readings.time[-1])[:10]}"
    wind = f"{str(known.min())[:10]} to {str(known.max())[:10]}"
    return UserError(
        "Measurements and wind do not meet.",
        f"The measurements are of {span}, {layer.name} is of {wind}; no hour has both, with a wind that is known.",
        "Import weather of the measured days, or measurements of the days of the weather.",
        code="dust.pairing.apart",
        values={"span": span, "layer": layer.name, "wind": wind},
    )


def _untimed(layer: Layer) -> UserError:
    return UserError(
        f"{layer.name} does not say of which hours its wind is.",
        "It has no column with date and time, or none that can be read.",
        "Import a table with a column of times, such as an hourly table of the KMA (일시).",
        code="dust.pairing.no_times",
        values={"layer": layer.name},
    )
