"""A year of wind made in memory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from geo.model import Column, ElementTable, Layer, Source
from tests.tiny_weather import calendar


def wind_layer(speed: np.ndarray, wind_from: np.ndarray, *, times: bool = True) -> Layer:
    """The table of a weather file with these hours of wind, from the first hour of the year on."""
    columns = {"wind_speed": Column(np.asarray(speed, float), "m/s"), "wind_from": Column(np.asarray(wind_from), "deg")}
    if times:
        month, _, hour = calendar()
        columns |= {"month": Column(np.resize(month, len(speed))), "hour_end": Column(np.resize(hour, len(speed)))}
    table = ElementTable([f"hour-{number}" for number in range(len(speed))], columns)
    return Layer("windy-hours", "Windy (hourly weather)", "other", None, table, source=Source(part="hours"))


def steady_winds(
    directions: Sequence[float], *, scale: float = 4.0, shape: float = 2.0, calm: float = 0.1, count: int = 8760
) -> Layer:
    """Winds from these directions by turns, of one Weibull distribution, `calm` of the hours still."""
    share = (np.arange(count) + 0.5) / count
    speed = scale * (-np.log(1.0 - share)) ** (1.0 / shape)
    rng = np.random.default_rng(5)
    speed = rng.permutation(np.maximum(speed, 0.6))
    speed[rng.permutation(count)[: round(calm * count)]] = 0.0
    return wind_layer(speed, np.resize(np.asarray(directions, dtype=float), count))
