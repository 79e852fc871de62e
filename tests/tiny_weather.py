"""A year of weather made in memory: clear and cloudy days by turns, hours that add up exactly."""

from __future__ import annotations

from functools import cache

import numpy as np

from analysis.kernels.sun import sun_position
from geo.model import Column, ElementTable, Layer, Points, Source

DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
PLACE = (127.37, 36.37)  # longitude, latitude of the station
ZONE = 9.0


def calendar(leap: bool = False) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Month, day and hour that ends, of every hour of a year."""
    lengths = [29 if leap and month == 1 else count for month, count in enumerate(DAYS)]
    month = np.repeat(np.arange(1, 13), [24 * count for count in lengths])
    day = np.concatenate([np.repeat(np.arange(1, count + 1), 24) for count in lengths])
    return month, day, np.tile(np.arange(1, 25), sum(lengths))


@cache
def radiation(
    *, lead: float = 0.5, zone: float = ZONE, place: tuple[float, float] = PLACE, leap: bool = False
) -> dict[str, np.ndarray]:
    """Radiation (not to be changed) whose sun stands `lead` hours before the label of each hour."""
    month, day, hour = calendar(leap)
    year = 2020 if leap else 2021
    days = np.array([f"{year}-{m:02d}-{d:02d}" for m, d in zip(month, day, strict=True)], "datetime64[ms]")
    times = days + np.rint((hour - lead - zone) * 3.6e6).astype("timedelta64[ms]")
    cosine = np.maximum(np.sin(np.radians(sun_position(times, *place).apparent_elevation)), 0.0)
    clear = day % 3 != 0
    direct = np.where(clear & (cosine > 0.02), 900.0 * (1.0 - np.exp(-3.0 * cosine)), 0.0)
    diffuse = np.where(clear, 110.0, 260.0) * cosine**0.8
    return {
        "global_horizontal": diffuse + direct * cosine,
        "direct_normal": direct,
        "diffuse_horizontal": diffuse,
    }


def weather_layers(
    values: dict[str, np.ndarray] | None = None,
    *,
    zone: float = ZONE,
    place: tuple[float, float] = PLACE,
    keep: np.ndarray | None = None,
    leap: bool = False,
    name: str = "Tiny",
) -> list[Layer]:
    """The two layers of a weather file: station and hours. `keep`: only these rows of the year."""
    values = values if values is not None else radiation(leap=leap, place=place)
    month, day, hour = calendar(leap)
    rows = np.arange(len(month)) if keep is None else np.asarray(keep)
    columns = {
        "year": Column(np.full(len(rows), 2020 if leap else 2021)),
        "month": Column(month[rows]),
        "day": Column(day[rows]),
        "hour_end": Column(hour[rows]),
    }
    columns |= {key: Column(column[rows], "Wh/m2") for key, column in values.items()}
    hours = Layer(
        f"{name.lower()}-hours", f"{name} (hourly weather)", "other", None,
        ElementTable([f"{name}-{k}" for k in range(len(rows))], columns), source=Source(path=name, part="hours"),
    )  # fmt: skip
    numbers = {"latitude": (place[1], "deg"), "longitude": (place[0], "deg"), "elevation": (60.0, "m")}
    numbers["time_zone"] = (zone, "h")
    table = ElementTable([name], {key: Column(np.array([value]), unit) for key, (value, unit) in numbers.items()})
    station = Layer(
        f"{name.lower()}-station", f"{name} (weather station)", "sensor",
        Points(np.zeros((1, 3)), np.zeros(1, np.int32)), table, source=Source(path=name, part="station"),
    )  # fmt: skip
    return [station, hours]
