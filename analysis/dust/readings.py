"""Tables of measured dust, as stations at common times: gaps, units and times are told, never bent.

Hours bear the time at which they end, in Korean time (`geo.model.conventions`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.dust.rules import Size
from geo.model import Issue, Layer, UserError
from geo.model import conventions as words

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Moments = NDArray[np.datetime64]

COLUMN: dict[Size, str] = {"pm10": words.PM10, "pm25": words.PM25}
SCALES = {"ug/m3": 1.0, "mg/m3": 1e3, "g/m3": 1e6, "ng/m3": 1e-3, "": 1.0}
SPELLINGS = {"µg/m3": "ug/m3", "μg/m3": "ug/m3", "㎍/㎥": "ug/m3", "㎎/㎥": "mg/m3", "µg/m³": "ug/m3", "mg/m³": "mg/m3"}
STAMP = re.compile(
    r"^(\d{4})\D?(\d{1,2})\D?(\d{1,2})(?:[ T:]+(\d{1,2})(?::?(\d{2}))?(?::?\d{2}(?:\.\d+)?)?)?\s*(Z|[+-]\d{2}:?\d{2})?$"
)
KOREA = 9 * 60  # [min]
HOUR = np.timedelta64(60, "m")
LEAST_OF_HOUR = 0.5  # of its readings that an hour needs
LIKE_MILLIGRAMS = 100.0  # times less than the others: a station is in another unit
NAMED = 3  # names said in a message


class Readings(NamedTuple):
    """Measurements of some stations at common times.

    Attributes
    ----------
    station : tuple of str
    time : (n,) datetime64[m]
        Ends of hours, or days, rising.
    value : (n, stations) float [ug/m3]
        NaN missing.
    is_daily : bool
    """

    station: tuple[str, ...]
    time: Moments
    value: Floats
    is_daily: bool

    def only(self, stations: Sequence[int]) -> Readings:
        """Some of the stations."""
        kept = list(stations)
        return self._replace(station=tuple(self.station[k] for k in kept), value=self.value[:, kept])

    @property
    def day(self) -> Indices:
        """(n,) number of the day each hour, or day, lies in."""
        back = np.timedelta64(0 if self.is_daily else 1, "m")
        return np.asarray((self.time - back).astype("datetime64[D]").astype(np.int64))


def moments(texts: Sequence[str]) -> Moments:
    """Times (n,) of texts in Korean time, NaT where none can be read; 24:00 is 0:00 of the next day."""
    out = np.full(len(texts), np.datetime64("NaT"), dtype="datetime64[m]")
    for number, text in enumerate(texts):
        found = STAMP.match(text.strip())
        if found is None:
            continue
        year, month, day, hour, minute, offset = found.groups()
        try:
            moment = np.datetime64(f"{year}-{int(month):02d}-{int(day):02d}", "m")
        except ValueError:
            continue
        if int(hour or 0) > 24 or int(minute or 0) > 59:
            continue
        moment += np.timedelta64(60 * int(hour or 0) + int(minute or 0), "m")
        if offset:
            east = 0 if offset == "Z" else int(offset[0] + "1") * (60 * int(offset[1:3]) + int(offset[-2:]))
            moment += np.timedelta64(KOREA - east, "m")
        out[number] = moment
    return out


class _Table(NamedTuple):
    station: NDArray[np.object_]
    time: Moments
    value: Floats
    is_daily: bool
    name: str


def readings_of(layers: Sequence[Layer], size: Size, issues: list[Issue]) -> Readings:
    """Measurements of all tables together. Raises `UserError` where there are none of the size.

    Of a station and time that two tables hold, the first counts; readings more often than hourly become means of hours.
    Where some tables hold hours and others days, the hours are taken.
    """
    tables = [table for layer in layers if (table := _table(layer, size, issues)) is not None]
    if not tables:
        raise _nothing_measured(layers, size)
    if len({table.is_daily for table in tables}) > 1:
        left = [table.name for table in tables if table.is_daily]
        tables = [table for table in tables if not table.is_daily]
        message = f"Daily means of {', '.join(left)} were left out: other tables hold hours."
        issues.append(Issue("dust.pairing.days_left", message, "doubt", len(left), values={"layers": ", ".join(left)}))
    found = _laid(tables)
    if not np.isfinite(found.value).any():
        raise _all_gaps(found, size)
    return _with_known(_in_one_unit(found, issues))


def _table(layer: Layer, size: Size, issues: list[Issue]) -> _Table | None:
    columns = layer.table.columns
    value, time = columns.get(COLUMN[size]), columns.get(words.MEASURED_AT)
    if value is None or time is None or not value.is_number or len(layer.table) == 0:
        return None
    texts = ["" if text is None else str(text) for text in time.values.tolist()]
    moment = moments(texts)
    number = np.asarray(value.values, dtype=np.float64) * _scale(layer, size, value.unit, issues)
    names = columns[words.STATION].values if words.STATION in columns else np.full(len(texts), layer.name, dtype=object)
    known = ~np.isnat(moment)
    if not known.any():
        return None
    is_daily = all(len(text.strip()) <= 10 for text, there in zip(texts, known, strict=True) if there)
    station = np.array([str(name).strip() for name in names], dtype=object)
    made = _Table(station[known], moment[known], np.where(number >= 0.0, number, np.nan)[known], is_daily, layer.name)
    return made if is_daily else _of_hours(made)


def _scale(layer: Layer, size: Size, unit: str, issues: list[Issue]) -> float:
    plain = SPELLINGS.get(unit.strip(), unit.strip())
    if plain not in SCALES:
        raise UserError(
            f"{COLUMN[size]} of {layer.name} is in a unit that is not known.",
            f"The column says {unit}; known are {', '.join(name for name in SCALES if name)}.",
            "Correct the unit in the file, or convert the values, and import it again.",
            code="dust.pairing.unit",
            values={"column": COLUMN[size], "layer": layer.name, "unit": unit},
        )
    if not plain:
        message = f"{COLUMN[size]} of {layer.name} says no unit: ug/m3 was taken."
        issues.append(Issue("dust.pairing.no_unit", message, "doubt", values={"layer": layer.name}))
    return SCALES[plain]


def _of_hours(table: _Table) -> _Table:
    """Means of hours, named by their ends, from readings at any times; hours need half of their usual readings."""
    end = table.time - (table.time - np.timedelta64(0, "m")).astype(np.int64) % 60 * np.timedelta64(1, "m")
    end = np.where(end < table.time, end + HOUR, end)
    names, station = np.unique(table.station.astype(str), return_inverse=True)
    hours, hour = np.unique(end, return_inverse=True)
    known = np.isfinite(table.value)
    key = station * len(hours) + hour
    count = np.bincount(key[known], minlength=len(names) * len(hours))
    if count.max(initial=0) <= 1:
        return table._replace(time=end)
    total = np.bincount(key[known], table.value[known], minlength=len(count))
    usual = float(np.median(count[count > 0]))
    mean = np.divide(total, count, out=np.full(len(count), np.nan), where=count >= max(LEAST_OF_HOUR * usual, 1.0))
    used = np.flatnonzero(count > 0)
    return _Table(
        names[used // len(hours)].astype(object), hours[used % len(hours)], mean[used], False, table.name
    )  # fmt: skip


def _laid(tables: Sequence[_Table]) -> Readings:
    names = list(dict.fromkeys(name for table in tables for name in table.station.tolist()))
    number = {name: k for k, name in enumerate(names)}
    times = np.unique(np.concatenate([table.time for table in tables]))
    value = np.full((len(times), len(names)), np.nan)
    for table in tables:
        row = np.searchsorted(times, table.time)
        column = np.array([number[name] for name in table.station.tolist()])
        free = np.isnan(value[row, column])
        value[row[free], column[free]] = table.value[free]
    return Readings(tuple(names), times, value, tables[0].is_daily)


def _in_one_unit(found: Readings, issues: list[Issue]) -> Readings:
    """Leave out stations that are a thousand times below the others: nobody says that they are in milligrams."""
    middle = np.array([np.median(part[np.isfinite(part)]) if np.isfinite(part).any() else np.nan
                       for part in found.value.T])  # fmt: skip
    usual = float(np.nanmedian(middle))
    wrong = np.flatnonzero(middle * LIKE_MILLIGRAMS < usual)
    if len(wrong) == 0:
        return found
    names = tuple(found.station[k] for k in wrong)
    message = f"{some(names)} measured a hundred times less than the other stations (mg/m3?) and were left out."
    values = {"stations": some(names)}
    issues.append(Issue("dust.pairing.milligrams", message, "error", len(names), names, values))
    return found.only([k for k in range(len(found.station)) if k not in set(wrong.tolist())])


def _with_known(found: Readings) -> Readings:
    """Without stations and times at which nothing was measured."""
    there = np.isfinite(found.value)
    kept = found.only(np.flatnonzero(there.any(axis=0)).tolist())
    rows = there.any(axis=1)
    return kept._replace(time=kept.time[rows], value=kept.value[rows])


def some(names: Sequence[str]) -> str:
    """The first few of some names."""
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")


def _nothing_measured(layers: Sequence[Layer], size: Size) -> UserError:
    title = {"pm10": "PM10", "pm25": "PM2.5"}[size]
    found = ", ".join(layer.name for layer in layers) or "no tables"
    return UserError(
        f"There are no measurements of {title}.",
        f"Given: {found}. A table needs a column {COLUMN[size]} and one with times that can be read.",
        "Import a table of air quality with that column, or choose the other size of particles.",
        code="dust.pairing.nothing_measured",
        values={"size": title, "column": COLUMN[size], "layers": found},
    )


def _all_gaps(found: Readings, size: Size) -> UserError:
    count = found.value.size
    return UserError(
        "The tables hold no measured value.",
        f"All {count} values of {COLUMN[size]} are missing or could not be read.",
        "Open the file and see what stands in its columns; notes of the import say what was missing.",
        code="dust.pairing.all_gaps",
        values={"count": count, "column": COLUMN[size]},
    )
