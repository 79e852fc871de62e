"""EPW weather files: the station as a point, its hours as a table. The numbers themselves: `geo.weather`."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from geo import crs as coordinates
from geo.formats.contract import FileInfo, Format, ReadOptions
from geo.model import Column, ElementTable, Feedback, Frame, Layer, Points, Source
from geo.weather import Weather, read_epw

CRS = "EPSG:4326"
MEANS = ("dry_bulb", "relative_humidity", "wind_speed")
SUMS = ("global_horizontal", "direct_normal", "diffuse_horizontal")


def sniff(path: Path, head: bytes) -> bool:
    """Whether the first line is that of an EPW file."""
    return head.removeprefix(b"\xef\xbb\xbf").lstrip()[:9].upper() == b"LOCATION,"


def inspect(path: Path) -> FileInfo:
    """Station, number of hours, means of the year."""
    weather = read_epw(path)
    x, y, z = weather.longitude, weather.latitude, weather.elevation
    return FileInfo(
        format=FORMAT.id,
        title=FORMAT.title,
        crs=CRS,
        bounds=(x, y, z, x, y, z),
        counts={"hours": len(weather)},
        issues=weather.issues,
        details={
            "station": weather.name,
            "wmo": weather.station,
            "source": weather.source,
            "time_zone": weather.time_zone,
            "mean_wind_speed": float(np.nanmean(weather.wind_speed)) if np.isfinite(weather.wind_speed).any() else None,
        },
        place_is_weak=True,  # a station may lie beside the city it stands for; it does not say where the city is
    )


def read(path: Path, frame: Frame, options: ReadOptions, feedback: Feedback) -> list[Layer]:
    """Two layers: ``station`` (a point with means and sums of the year) and ``hours`` (a table)."""
    feedback.step(0.0, f"reading {path.name}")
    weather = read_epw(path)
    place = np.array([[weather.longitude, weather.latitude, weather.elevation]])
    local = coordinates.to_local(place, CRS, frame)
    feedback.step(0.7, "station")
    name = weather.name or path.stem
    station = Layer(
        "station", f"{name} (weather station)", "sensor", Points(local, np.zeros(1, np.int32)), _station_table(weather),
        source=Source(part="station"), issues=weather.issues,
    )  # fmt: skip
    hours = Layer("hours", f"{name} (hourly weather)", "other", None, weather.table(), source=Source(part="hours"))
    feedback.step(1.0, "read")
    return [station, hours]


def _station_table(weather: Weather) -> ElementTable:
    numbers = {
        "latitude": (weather.latitude, "deg"),
        "longitude": (weather.longitude, "deg"),
        "elevation": (weather.elevation, "m"),
        "time_zone": (weather.time_zone, "h"),
    }
    columns = {"name": _text(weather.name), "country": _text(weather.country), "wmo": _text(weather.station)}
    columns |= {key: Column(np.array([value]), unit) for key, (value, unit) in numbers.items()}
    units = {**dict.fromkeys(MEANS, "degC"), "relative_humidity": "%", "wind_speed": "m/s"}
    for key in MEANS:
        known = getattr(weather, key)
        known = known[np.isfinite(known)]
        columns[f"mean_{key}"] = Column(np.array([known.mean() if len(known) else np.nan]), units[key])
    for key in SUMS:
        columns[f"{key}_of_year"] = Column(np.array([np.nansum(getattr(weather, key)) / 1000.0]), "kWh/m2")
    return ElementTable([weather.station or weather.name or "station"], columns)


def _text(value: str) -> Column:
    return Column(np.array([value or None], dtype=object))


FORMAT = Format(
    id="epw",
    title="EPW weather",
    patterns=("*.epw",),
    sniff=sniff,
    inspect=inspect,
    read=read,
)
