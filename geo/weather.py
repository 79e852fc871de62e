"""Hourly weather of a station for one year, as an EPW file holds it.

Source of the format: EnergyPlus Auxiliary Programs, "EnergyPlus Weather File (EPW) Data Dictionary".
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo.model import Column, ElementTable, Issue, UserError

Floats = NDArray[np.float64]
Hours = NDArray[np.int64]

HOURS_OF_YEAR = (8760, 8784)
MOST_BYTES = 64 * 2**20  # a year of hours takes 1.5 MB
HEADER_LINES = 8
FIELDS_NEEDED = 22  # up to and with the wind speed
DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@dataclass(frozen=True)
class Quantity:
    """One column of an EPW file: where it stands, its unit, the mark for "missing" and what can be true."""

    field: int
    unit: str
    missing: float
    low: float
    high: float


# Missing marks and limits are those of the data dictionary; the limits of dew point and wind speed are widened a bit.
QUANTITIES: Mapping[str, Quantity] = {
    "dry_bulb": Quantity(6, "degC", 99.9, -90.0, 70.0),
    "dew_point": Quantity(7, "degC", 99.9, -100.0, 70.0),
    "relative_humidity": Quantity(8, "%", 999.0, 0.0, 110.0),
    "pressure": Quantity(9, "Pa", 999999.0, 31000.0, 120000.0),
    "horizontal_infrared": Quantity(12, "Wh/m2", 9999.0, 0.0, 9998.0),
    "global_horizontal": Quantity(13, "Wh/m2", 9999.0, 0.0, 9998.0),
    "direct_normal": Quantity(14, "Wh/m2", 9999.0, 0.0, 9998.0),
    "diffuse_horizontal": Quantity(15, "Wh/m2", 9999.0, 0.0, 9998.0),
    "wind_from": Quantity(20, "deg", 999.0, 0.0, 360.0),
    "wind_speed": Quantity(21, "m/s", 999.0, 0.0, 110.0),
}


@dataclass(frozen=True, eq=False)
class Weather:
    """A year of hours at one station. Arrays are read-only, (n,), in the order of the file; NaN = missing.

    Attributes
    ----------
    name, country, source, station : str
        City, country, data source and WMO number as the file says them.
    latitude, longitude : float [degrees]
        North and east positive.
    elevation : float [m]
        Of the station above sea level.
    time_zone : float [h]
        Ahead of UTC; local **standard** time, never summer time.
    month, day, hour_end : (n,) int64
        Hour 1 is the time from 0:00 to 1:00: every value stands for the hour that **ends** there, so the sun of a
        row is to be taken at ``hour_end - 0.5``.
    year : (n,) int64
        Years the months were taken from; a typical year is put together from several.
    dry_bulb, dew_point : (n,) float [degC]
    relative_humidity : (n,) float [%]
    pressure : (n,) float [Pa]
    horizontal_infrared, global_horizontal, direct_normal, diffuse_horizontal : (n,) float [Wh/m2]
        Sums over the hour; the direct one on a plane that faces the sun.
    wind_from : (n,) float [degrees]
        Where the wind comes from, clockwise from **true** north; without meaning where `wind_speed` is 0.
    wind_speed : (n,) float [m/s]
        Usually at 10 m above open ground.
    issues : tuple of Issue
    """

    name: str
    country: str
    source: str
    station: str
    latitude: float
    longitude: float
    elevation: float
    time_zone: float
    year: Hours
    month: Hours
    day: Hours
    hour_end: Hours
    dry_bulb: Floats
    dew_point: Floats
    relative_humidity: Floats
    pressure: Floats
    horizontal_infrared: Floats
    global_horizontal: Floats
    direct_normal: Floats
    diffuse_horizontal: Floats
    wind_from: Floats
    wind_speed: Floats
    issues: tuple[Issue, ...] = ()

    def __len__(self) -> int:
        return len(self.hour_end)

    @property
    def is_calm(self) -> NDArray[np.bool_]:
        """(n,) hours without wind, whose direction means nothing."""
        return np.asarray(self.wind_speed <= 0.0)

    def table(self) -> ElementTable:
        """One row per hour, ids such as ``"12-21 09"`` (month, day, hour that ends), columns with units."""
        times = zip(self.month.tolist(), self.day.tolist(), self.hour_end.tolist(), strict=True)
        ids = [f"{month:02d}-{day:02d} {hour:02d}" for month, day, hour in times]
        seen: dict[str, int] = {}
        for row, wish in enumerate(ids):
            seen[wish] = seen.get(wish, 0) + 1
            if seen[wish] > 1:
                ids[row] = f"{wish} ({seen[wish]})"
        columns = {name: Column(getattr(self, name)) for name in ("year", "month", "day", "hour_end")}
        columns |= {name: Column(getattr(self, name), q.unit) for name, q in QUANTITIES.items()}
        return ElementTable(ids, columns)


def read_epw(path: Path) -> Weather:
    """The weather of an EPW file. Raises `UserError` where it is none or nothing in it can be used."""
    rows = list(_rows(path))
    place = next((row for row in rows[:HEADER_LINES] if row and row[0].strip().upper() == "LOCATION"), None)
    if place is None or len(place) < 10:
        raise _damaged(path, "the line LOCATION is missing or too short")
    latitude = _number(path, place[6], "latitude", -90.0, 90.0)
    longitude = _number(path, place[7], "longitude", -180.0, 180.0)
    time_zone = _number(path, place[8], "time zone", -12.0, 14.0)
    elevation = _number(path, place[9], "elevation", -1000.0, 9999.9)
    _check_hourly(path, rows[:HEADER_LINES])
    values, times, issues = _data(path, rows[HEADER_LINES:])
    return Weather(
        name=place[1].strip(), country=place[3].strip(), source=place[4].strip(), station=place[5].strip(),
        latitude=latitude, longitude=longitude, elevation=elevation, time_zone=time_zone,
        year=times[:, 0], month=times[:, 1], day=times[:, 2], hour_end=times[:, 3],
        **values, issues=(*issues, *_zone_doubt(longitude, time_zone)),
    )  # fmt: skip


def _rows(path: Path) -> list[list[str]]:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise _damaged(path, "it is far larger than a year of hours can be")
        raw = path.read_bytes()
    except OSError as error:
        raise UserError(
            f"{path.name} cannot be opened.",
            f"The system says: {error.strerror or error}.",
            "Check that you may read it and that no other program holds it.",
            code="file.not_opened",
            values={"path": str(path), "reason": error.strerror or str(error)},
        ) from error
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("cp1252", errors="replace")
    try:
        return list(csv.reader(text.replace("\0", "").splitlines()))
    except csv.Error as error:
        raise _damaged(path, str(error)) from error


def _number(path: Path, text: str, what: str, low: float, high: float) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not low <= value <= high:
        raise _damaged(path, f"the {what} reads {text.strip()[:40]!r}")
    return value


def _check_hourly(path: Path, header: Sequence[Sequence[str]]) -> None:
    """Refuse a file with more than one record per hour; its sums would be taken for those of hours."""
    for row in header:
        if row and row[0].strip().upper() == "DATA PERIODS" and len(row) > 2 and row[2].strip() not in ("1", ""):
            raise _damaged(path, f"it holds {row[2].strip()[:20]} records per hour, and only hourly values are read")


def _data(path: Path, rows: Sequence[Sequence[str]]) -> tuple[dict[str, Floats], Hours, list[Issue]]:
    """Values by name, (n, 4) year, month, day and hour, and what was wrong."""
    good, times, lost = [], [], 0
    for row in rows:
        if not row or not "".join(row).strip():
            continue
        time = _time(row)
        numbers = _numbers(row) if time else None
        if time is None or numbers is None:
            lost += 1
        else:
            good.append(numbers)
            times.append(time)
    if not good:
        raise _damaged(path, "none of its lines holds an hour of weather")
    issues = []
    if lost:
        issues.append(Issue("epw.lines_lost", f"{lost} lines could not be read and were left out.", "error", lost))
    if len(good) not in HOURS_OF_YEAR:
        message = f"The file holds {len(good)} hours; a year has 8760."
        issues.append(Issue("epw.not_a_year", message, "doubt", len(good)))
    table = np.array(good, dtype=np.float64)
    values: dict[str, Floats] = {}
    for column, (name, quantity) in enumerate(QUANTITIES.items()):
        values[name] = _known(table[:, column], name, quantity, issues)
    return values, _read_only(np.array(times, dtype=np.int64)), issues


def _time(row: Sequence[str]) -> tuple[int, int, int, int] | None:
    """Year, month, day, hour of a line, or None where they are no date."""
    try:
        year, month, day, hour = (int(float(text)) for text in row[:4])
    except (ValueError, OverflowError):
        return None
    fits = 0 <= year <= 9999 and 1 <= month <= 12 and 1 <= hour <= 24 and 1 <= day <= DAYS[month - 1]
    return (year, month, day, hour) if fits else None


def _numbers(row: Sequence[str]) -> list[float] | None:
    if len(row) < FIELDS_NEEDED:
        return None
    try:
        return [float(row[quantity.field]) for quantity in QUANTITIES.values()]
    except ValueError:
        return None


def _known(column: Floats, name: str, quantity: Quantity, issues: list[Issue]) -> Floats:
    """Values with NaN for the marks of "missing" and for what cannot be true; both are told."""
    marked = column >= quantity.missing
    absurd = ~marked & ~((column >= quantity.low) & (column <= quantity.high))
    for mask, code, word in ((marked, "epw.missing", "missing"), (absurd, "epw.absurd", "impossible")):
        count = int(mask.sum())
        if count:
            severity = "doubt" if word == "impossible" else "note"
            message = f"{count} hours of {name} are {word} and were left empty."
            issues.append(Issue(code, message, severity, count, values={"quantity": name}))  # type: ignore[arg-type]
    return _read_only(np.where(marked | absurd, np.nan, column))


def _read_only(values: NDArray[Any]) -> NDArray[Any]:
    values.flags.writeable = False
    return values


def _zone_doubt(longitude: float, time_zone: float) -> list[Issue]:
    """A time zone more than three hours from the sun's is a slip more often than the truth."""
    if abs((time_zone - longitude / 15.0 + 12.0) % 24.0 - 12.0) <= 3.0:
        return []
    message = f"The time zone {time_zone:+g} h does not fit the longitude {longitude:.2f} degrees."
    return [Issue("epw.time_zone", message, "doubt", values={"zone": time_zone, "longitude": longitude})]


def _damaged(path: Path, reason: str) -> UserError:
    return UserError(
        f"{path.name} is not a weather file the program can use.",
        f"In it, {reason}." if not reason.startswith("it ") else f"{reason[0].upper()}{reason[1:]}.",
        "Fetch the file again, for example from climate.onebuilding.org.",
        code="epw.damaged",
        values={"name": path.name, "reason": reason},
    )
