"""Tables of measurements as offices hand them out: hourly weather as the KMA writes it, air quality as a city does."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from analysis.wind.climate import POINTS_IN_TENS
from app.sample.dust_air import BELOW, Air, Wind
from app.sample.dust_plan import Station
from app.sample.plan import SYNTHETIC_KO

ENCODING = "cp949"  # what Korean offices still write
WEATHER_STATION, WEATHER_NAME = "999", f"합강표본({SYNTHETIC_KO})"
WEATHER_NAMES = ("지점", "지점명", "일시", "기온(°C)", "풍속(m/s)", "풍향(16방위)")
AIR_NAMES = ("측정소명", "측정망", "측정일시", "PM10(㎍/㎥)", "PM2.5(㎍/㎥)", "비고")
GAP = "-"


def write_weather(wind: Wind, path: Path) -> None:
    """Hours of the year: speeds in tenths, sixteen points in tens of degrees, north as 360 and calm as 0."""
    speed = np.round(wind.speed, 1)
    tens = np.array([360, *POINTS_IN_TENS[1:]])
    wind_from = np.where(speed < BELOW, 0, tens[np.round(wind.wind_from / 22.5).astype(np.int64) % 16])
    times = np.datetime_as_string(wind.end.astype("datetime64[m]"))
    rows = [
        (WEATHER_STATION, WEATHER_NAME, time.replace("T", " "), f"{warm:.1f}", f"{fast:.1f}", str(turn))
        for time, warm, fast, turn in zip(times.tolist(), wind.temperature, speed, wind_from, strict=True)
    ]
    _write(path, WEATHER_NAMES, rows)


def write_air(air: Air, stations: Sequence[Station], numbers: Sequence[int], path: Path) -> None:
    """Station by station; the hour that ends at midnight is 24:00 of its day, a gap is a dash."""
    times = [_stamp(moment) for moment in air.end]
    rows = []
    for number in numbers:
        one = stations[number]
        for time, coarse, fine in zip(times, air.pm10[:, number], air.pm25[:, number], strict=True):
            rows.append((one.name, one.network, time, _value(coarse), _value(fine), SYNTHETIC_KO))
    _write(path, AIR_NAMES, rows)


def _stamp(end: np.datetime64) -> str:
    day = (end - np.timedelta64(1, "h")).astype("datetime64[D]")
    return f"{day} {int((end - day).astype('timedelta64[h]').astype(int)):02d}:00"


def _value(number: float) -> str:
    return f"{number:.0f}" if np.isfinite(number) else GAP


def _write(path: Path, names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\r\n")
    table.writerow(names)
    table.writerows(rows)
    path.write_bytes(text.getvalue().encode(ENCODING))
