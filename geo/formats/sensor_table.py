"""Tables of measured dust and gases: hours or days of stations, as AirKorea, cities and sensors write them."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo import crs as coordinates
from geo import terrain
from geo.formats.contract import FileInfo, Format, ReadOptions
from geo.formats.csv_table import EASTINGS, NORTHINGS, CsvTable, Places, places, read_table, unreadable
from geo.formats.vector_fields import plain
from geo.model import Column, ElementTable, Feedback, Frame, Issue, Layer, Points, Source
from geo.model import conventions as words

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Minutes = NDArray[np.datetime64]

TITLE = "Measured air quality (CSV, TSV)"
TIMES = (
    "측정일시",
    "측정시간",
    "측정시각",
    "일시",
    "날짜",
    "datatime",
    "datetime",
    "timestamp",
    "time",
    "date",
    "msrdt",
)
STATIONS = ("측정소명", "측정소", "stationname", "station", "sensor", "sensorid", "device", "측정기", "지점명")
CODES = ("측정소코드", "stationcode", "측정소번호")
UNITS = ("unit", "units", "단위")
# Name of the column in the layer, its unit, and how files call it (letters and digits only).
KINDS = {
    words.PM10: ("ug/m3", ("pm10", "pm10value", "미세먼지", "미세먼지농도", "미세먼지pm10")),
    words.PM25: ("ug/m3", ("pm25", "pm25value", "초미세먼지", "초미세먼지농도", "초미세먼지pm25")),
    "no2": ("ppm", ("no2", "no2value", "이산화질소", "이산화질소농도")),
    "o3": ("ppm", ("o3", "o3value", "오존", "오존농도")),
    "co": ("ppm", ("co", "covalue", "일산화탄소", "일산화탄소농도")),
    "so2": ("ppm", ("so2", "so2value", "아황산가스", "아황산가스농도")),
}
DUST = (words.PM10, words.PM25)
SCALES = {
    "ug/m3": {"ug/m3": 1.0, "mg/m3": 1000.0, "g/m3": 1e6, "ng/m3": 1e-3},
    "ppm": {"ppm": 1.0, "ppb": 1e-3},
}
ABSENT = ("", "-", "--", "na", "n/a", "nan", "null", "none", "점검중", "통신장애", "자료이상", "교정중", "결측")
MISSING_BELOW = -0.5  # loggers write -999, -99 or -1 for nothing
MOST = 5000.0  # [ug/m3] more is a fault, not a storm
LIKE_MILLIGRAMS = 0.5  # [ug/m3] a whole column with a median below is in another unit than it seems
KOREA = 9 * 60  # [min] east of Greenwich: times with an offset are brought to it, times without are taken as local
STAMP = re.compile(
    r"^(\d{4})\D?(\d{1,2})\D?(\d{1,2})(?:일)?(?:[ T:]*(\d{1,2})(?::?(\d{2}))?(?::?(\d{2}))?(?:\.\d+)?(?:시)?)?"
    r"\s*(Z|[+-]\d{2}:?\d{2})?$"
)
SHORT = re.compile(r"^(\d{5,7}|\d{9})(\D|$)")  # digits of which nobody can tell month, day and hour
VALUE = re.compile(r"^([+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)\s*([^\d\s].*)?$")


@dataclass
class _Doubts:
    """What is counted while texts become numbers."""

    counts: dict[str, int] = field(default_factory=dict)

    def add(self, code: str, count: int = 1) -> None:
        self.counts[code] = self.counts.get(code, 0) + count

    def issues(self) -> list[Issue]:
        said = {
            "missing": ("note", "{count} values are missing ('-', empty, or a code such as -999)."),
            "unreadable": ("doubt", "{count} values are no numbers and were left out."),
            "unit_unknown": ("doubt", "{count} values are in a unit that is not known and were left out."),
            "unit_changed": ("note", "{count} values were brought to the unit of their column."),
            "unit_assumed": ("note", "{count} columns say no unit: taken as micrograms per cubic metre (gases: ppm)."),
            "too_high": ("doubt", "{count} values are higher than dust can be and were left out."),
            "like_milligrams": ("doubt", "{count} columns look as if they were in milligrams per cubic metre."),
            "no_time": ("doubt", "{count} rows without a date and time that can be read were left out."),
            "twice": ("doubt", "{count} rows repeat a time of the same station; the first was taken."),
            "zone": ("note", "{count} times with an offset were brought to Korean time."),
            "gaps": ("note", "{count} times between first and last are not in the file."),
            "end_assumed": ("note", "Times were taken as the ends of their hours ({count} rows)."),
            "no_crs": ("doubt", "The places of {count} stations are in no named coordinate system and were left out."),
            "one_station": ("note", "The file names no stations; all rows were taken as one."),
        }  # fmt: skip
        return [
            Issue(f"sensor.{code}", said[code][1].format(count=count), said[code][0], count)  # type: ignore[arg-type]
            for code, count in self.counts.items()
            if count
        ]


class Series(NamedTuple):
    """Measurements in order of station and time.

    Attributes
    ----------
    station : (n,) object
    time : (n,) datetime64[m]
        Korean time. The end of the hour for hours ("24:00" is 0:00 of the next day), the day for days.
    values : dict of str to (n,) float
        By the names of `KINDS`, in their units; NaN missing.
    row : (n,) int64
        Row of the file.
    is_daily : bool
    """

    station: NDArray[np.object_]
    time: Minutes
    values: dict[str, Floats]
    row: NDArray[np.int64]
    is_daily: bool


def sniff(path: Path, head: bytes) -> bool:
    """Whether the first line names a time and dust; the time must come without a place of hourly weather."""
    if path.suffix.lower() not in (".csv", ".tsv") or b"\0" in head.removeprefix(b"\xff\xfe")[:1]:
        return False
    for encoding in ("utf-16",) if head.startswith((b"\xff\xfe", b"\xfe\xff")) else ("utf-8-sig", "cp949"):
        text = head[: len(head) & ~1].decode(encoding, errors="ignore").lstrip("\r\n")
        line = text.partition("\n")[0]
        names = next(csv.reader([line.replace("\0", "")], delimiter=max(",\t;|", key=line.count)), [])
        if _named(names, TIMES) >= 0 and any(_kind(name)[0] in DUST for name in names):
            return True
    return False


def _word(name: str) -> str:
    """A column's name without its unit and without anything but letters and digits."""
    return re.sub(r"[\W_]", "", re.sub(r"[(\[].*", "", name.lower().replace("pm2.5", "pm25")))


def _named(names: Sequence[str], wanted: Sequence[str]) -> int:
    found = [_word(name) for name in names]
    return next((found.index(word) for word in wanted if word in found), -1)


def _kind(name: str) -> tuple[str, str]:
    """What a column measures and the unit in brackets; ``""`` for others."""
    said = re.search(r"[(\[]([^)\]]*)", name)
    inside = said.group(1) if said else ""
    # "미세먼지(PM2.5)": the bracket goes before the word, which files use for both.
    bracket = _word(inside)
    in_bracket = next((key for key in DUST if bracket.startswith(key)), "")
    kinds = (key for word in (in_bracket, _word(name)) for key, (_, known) in KINDS.items() if word in known)
    return next(kinds, ""), unit_of(inside)


def unit_of(text: str) -> str:
    """A unit as `SCALES` writes it, ``""`` where the text says none, ``"?"`` where it says another."""
    short = text.strip().lower().replace("㎍", "ug").replace("㎎", "mg").replace("㎥", "m3").replace("m³", "m3")
    short = short.replace("µ", "u").replace("μ", "u").replace("m^3", "m3").replace("mcg", "ug").replace(" ", "")
    short = re.sub(r"^(pm-?10|pm-?2\.?5|,)+", "", short).replace("/m**3", "/m3")
    if any(short in scale for scale in SCALES.values()):
        return short
    return "?" if "/" in short or "%" in short or short.startswith("pp") else ""


def moments(texts: Sequence[str], doubts: _Doubts) -> tuple[Minutes, Bools]:
    """Times (n,) of texts in Korean time, NaT where none can be read, and whether each says more than a day.

    ``2024-01-31 24:00``, ``2024013124``, ``2024.1.31 24시`` and ``2024-02-01T00:00`` are the same moment.
    """
    out = np.full(len(texts), np.datetime64("NaT"), dtype="datetime64[m]")
    timed = np.zeros(len(texts), dtype=bool)
    for number, text in enumerate(texts):
        found = STAMP.match(text.strip().rstrip("."))
        if found is None or SHORT.match(text.strip()):
            continue
        year, month, day, hour, minute, _, offset = found.groups()
        if int(hour or 0) > 24 or int(minute or 0) > 59 or (hour == "24" and int(minute or 0)):
            continue
        try:
            moment = np.datetime64(f"{year}-{int(month):02d}-{int(day):02d}", "m")
        except ValueError:
            continue
        moment += np.timedelta64(60 * int(hour or 0) + int(minute or 0), "m")
        if offset:
            east = 0 if offset == "Z" else int(offset[0] + "1") * (60 * int(offset[1:3]) + int(offset[-2:]))
            moment += np.timedelta64(KOREA - east, "m")
            doubts.add("zone", int(east != KOREA))
        out[number], timed[number] = moment, hour is not None
    return out, timed


def _texts(column: Column) -> list[str]:
    """The values of a column as the file wrote them, as far as that matters."""
    if not column.is_number:
        return ["" if value is None else str(value).strip() for value in column.values.tolist()]
    return ["" if value != value else f"{value:.15g}" for value in column.values.tolist()]


def _numbers(column: Column, key: str, unit: str, row_units: Sequence[str], doubts: _Doubts) -> Floats:
    """A column [unit of its kind]; NaN missing. A unit beside a value goes before that of its row and its column."""
    base = KINDS[key][0]
    out = np.full(len(column.values), np.nan)
    said = False
    for number, text in enumerate(_texts(column)):
        if text.lower().replace(" ", "") in ABSENT:
            doubts.add("missing")
            continue
        found = VALUE.match(text.replace(",", "") if text.count(",") == text.count(",000") else text)
        if found is None:
            doubts.add("unreadable")
            continue
        beside = unit_of(found.group(2) or "")
        if found.group(2) and not beside:
            doubts.add("unreadable")
            continue
        own = beside or (row_units[number] if row_units else "") or unit
        said |= bool(own)
        scale = SCALES[base].get(own or base)
        value = float(found.group(1))
        if value <= MISSING_BELOW:
            doubts.add("missing")
        elif scale is None:
            doubts.add("unit_unknown")
        else:
            out[number] = max(value, 0.0) * scale
            doubts.add("unit_changed", int(scale != 1.0))
    if np.isfinite(out).any():
        doubts.add("unit_assumed", int(not said))
    return _plausible(out, key, doubts)


def _plausible(values: Floats, key: str, doubts: _Doubts) -> Floats:
    if key not in DUST or not np.isfinite(values).any():
        return values
    high = values > MOST
    doubts.add("too_high", int(high.sum()))
    doubts.add("like_milligrams", int(0.0 < np.nanmedian(values) < LIKE_MILLIGRAMS))
    return np.where(high, np.nan, values)


def series_of(table: CsvTable, path: Path, *, crs: str = "") -> tuple[Series, list[Issue]]:
    """The measurements of a table, one row for each station and time. Raises `UserError`."""
    doubts = _Doubts()
    names = list(table.columns)
    time_at, station_at, unit_at = _named(names, TIMES), _named(names, (*STATIONS, *CODES)), _named(names, UNITS)
    kinds = {name: _kind(name) for name in names}
    measured = {name: found for name, found in kinds.items() if found[0]}
    if time_at < 0 or not any(kind in DUST for kind, _ in measured.values()):
        raise unreadable(path, "it names no time or no dust in its first line")
    said_times = _texts(table.columns[names[time_at]])
    time, timed = moments(said_times, doubts)
    known = ~np.isnat(time)
    doubts.add("no_time", int((~known).sum()))
    if not known.any():
        raise unreadable(path, "none of its times can be read")
    if station_at < 0:
        doubts.add("one_station")
    station = [path.stem] * table.rows if station_at < 0 else _station_names(table, names, station_at)
    row_units = [unit_of(text) for text in _texts(table.columns[names[unit_at]])] if unit_at >= 0 else []
    values: dict[str, Floats] = {}
    for name, (kind, unit) in measured.items():
        if kind not in values:
            values[kind] = _numbers(table.columns[name], kind, unit, row_units, doubts)
    rows = _in_order(np.array(station, dtype=object), time, known, doubts)
    is_daily = not timed[known].any()
    if not is_daily and not any((stamp := STAMP.match(text)) and stamp[4] == "24" for text in said_times):
        doubts.add("end_assumed", int(known.sum()))
    found = Series(np.array(station, dtype=object)[rows], time[rows], {k: v[rows] for k, v in values.items()},
                   rows, is_daily)  # fmt: skip
    doubts.add("gaps", _gaps(found))
    spots = _spots(table)
    if spots is not None and spots.crs is None and not crs:
        doubts.add("no_crs", len(set(found.station.tolist())))
    return found, doubts.issues()


def _station_names(table: CsvTable, names: Sequence[str], station_at: int) -> list[str]:
    """Names of the rows' stations; with their code where stations of several cities bear one name."""
    found, code_at = _texts(table.columns[names[station_at]]), _named(names, CODES)
    if code_at < 0 or code_at == station_at:
        return found
    codes = _texts(table.columns[names[code_at]])
    of_name: dict[str, set[str]] = {}
    for name, code in zip(found, codes, strict=True):
        of_name.setdefault(name, set()).add(code)
    return [f"{name} ({code})" if len(of_name[name]) > 1 else name for name, code in zip(found, codes, strict=True)]


def _in_order(station: NDArray[np.object_], time: Minutes, known: Bools, doubts: _Doubts) -> NDArray[np.int64]:
    """Rows by station and time, the first of those that repeat."""
    rows = np.flatnonzero(known)
    _, number = np.unique(station[rows].astype(str), return_inverse=True)
    rows, number = rows[order := np.lexsort((rows, time[rows], number))], number[order]
    again = np.zeros(len(rows), dtype=bool)
    again[1:] = (number[1:] == number[:-1]) & (time[rows][1:] == time[rows][:-1])
    doubts.add("twice", int(again.sum()))
    return np.asarray(rows[~again], dtype=np.int64)


def _gaps(found: Series) -> int:
    """Times that are not in the file between the first and the last of each station, at its usual step."""
    missing = 0
    for name in np.unique(found.station.astype(str)):
        steps = np.diff(found.time[found.station == name]).astype(np.int64)
        if len(steps):
            usual = int(np.median(steps))
            missing += int((np.round(steps / usual) - 1).clip(min=0).sum())
    return missing


def inspect(path: Path) -> FileInfo:
    """Stations, times, and where the stations lie if the file says it."""
    table = read_table(path)
    found, issues = series_of(table, path)
    counts = {"rows": len(found.time), "stations": len(set(found.station.tolist()))}
    details: dict[str, object] = {
        "from": str(found.time.min()), "to": str(found.time.max()), "daily": found.is_daily,
        "measured": sorted(found.values), "encoding": table.encoding,
    }  # fmt: skip
    spots = _spots(table)
    crs = spots.crs if spots else None
    bounds = None
    if spots is not None and crs is not None:
        low, high = np.nanmin(spots.points[:, :2], axis=0), np.nanmax(spots.points[:, :2], axis=0)
        bounds = (float(low[0]), float(low[1]), 0.0, float(high[0]), float(high[1]), 0.0)
    said = (*table.issues, *issues)
    return FileInfo(FORMAT.id, TITLE, "", crs, "", bounds, counts, said, details, place_is_weak=True)


def _spots(table: CsvTable) -> Places | None:
    """Where the rows lie, if two columns say it."""
    named = {plain(name) for name in table.columns}
    return places(table) if named & set(EASTINGS) and named & set(NORTHINGS) else None


def read(path: Path, frame: Frame, options: ReadOptions, feedback: Feedback) -> list[Layer]:
    """``measured`` (a table, one row for each station and time) and, where the file places them, ``stations``."""
    feedback.step(0.0, f"reading {path.name}")
    table = read_table(path)
    feedback.step(0.4, "times and values")
    found, issues = series_of(table, path, crs=options.crs or "")
    # Days are written as days, so that nobody takes them for an hour.
    stamp = np.datetime_as_string(found.time, unit="D" if found.is_daily else "m").astype(object)
    columns = {words.STATION: Column(found.station), words.MEASURED_AT: Column(stamp)}
    columns |= {key: Column(values, KINDS[key][0]) for key, values in found.values.items()}
    ids = [f"{station} {time}" for station, time in zip(found.station, stamp, strict=True)]
    layer = Layer("measured", path.stem, "sensor", None, ElementTable(ids, columns), source=Source(part="measured"),
                  issues=(*table.issues, *issues))  # fmt: skip
    feedback.step(0.8, "stations")
    stations = _stations(table, found, path, frame, options)
    feedback.step(1.0, "read")
    return [layer] if stations is None else [layer, stations]


def _stations(table: CsvTable, found: Series, path: Path, frame: Frame, options: ReadOptions) -> Layer | None:
    """A point for each station at its first place; None where the file says no places or not in which system."""
    spots = _spots(table)
    crs = options.crs or (spots.crs if spots else None)
    if spots is None or crs is None:
        return None
    placed = np.isfinite(spots.points[found.row, :2]).all(axis=1)
    names, first = np.unique(found.station[placed].astype(str), return_index=True)
    rows = found.row[placed][first]
    points = spots.points[rows].copy()
    flat = ~np.isfinite(points[:, 2])
    points[flat, 2] = 0.0
    local = coordinates.to_local(points, coordinates.canonical(crs), frame)
    usable = np.isfinite(local).all(axis=1)
    stood = flat & usable
    local[stood, 2], _ = terrain.ground_or_nearest(options.terrain, local[stood, 0], local[stood, 1])
    if not usable.any():
        return None
    columns = {words.STATION: Column(names[usable].astype(object))}
    for key, values in found.values.items():
        means = [np.nanmean(mine) if np.isfinite(mine := values[found.station == name]).any() else np.nan
                 for name in names[usable]]  # fmt: skip
        columns[f"mean_{key}"] = Column(np.array(means, dtype=np.float64), KINDS[key][0])
    geometry = Points(local[usable], np.arange(int(usable.sum()), dtype=np.int32))
    return Layer("stations", f"{path.stem} (stations)", "sensor", geometry,
                 ElementTable(list(names[usable]), columns), source=Source(part="stations"))  # fmt: skip


FORMAT = Format(
    id="air_quality",
    title=TITLE,
    patterns=("*.csv", "*.tsv"),
    sniff=sniff,
    inspect=inspect,
    read=read,
)
