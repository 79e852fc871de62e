"""A month of dust in the tiny city: two roads and a site, six stations, and a weather table of the measured hours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from geo.model import Column, ElementTable, Layer, Lines, Mesh, Points, Source

START = np.datetime64("2024-03-01T01:00")
PLACES = {
    "북측": (0.0, 35.0), "남측": (5.0, -38.0), "동측": (62.0, 2.0), "서측": (-45.0, 4.0), "공사장": (-35.0, -42.0),
    "큰길": (22.0, -20.0),
}  # fmt: skip


def roads() -> Layer:
    """A busy road in the south-east and a quiet one in the north, each a group of its own."""
    points = np.array([[-60.0, -25.0, 20.0], [70.0, -25.0, 20.0], [-60.0, 28.0, 20.0], [70.0, 28.0, 20.0]])
    shape = Lines(points, np.array([0, 2, 4], np.int32), np.arange(2, dtype=np.int32))
    columns = {
        "group": Column(np.array(["main road", "side road"], dtype=object)),
        "strength_pm10": Column(np.array([0.004, 0.002]), "g/s"),
        "carriageway": Column(np.array([10.0, 6.0]), "m"),
    }
    return Layer("roads", "Roads", "road", shape, ElementTable(["r1", "r2"], columns), source=Source(part="roads"))


def site() -> Layer:
    """A building site in the south-west."""
    corners = np.array([[-60.0, -60.0, 20.0], [-40.0, -60.0, 20.0], [-40.0, -45.0, 20.0], [-60.0, -45.0, 20.0]])
    shape = Mesh(corners, np.array([[0, 1, 2], [0, 2, 3]]), np.zeros(2, np.int32))
    columns = {
        "group": Column(np.array(["site"], dtype=object)),
        "strength_pm10": Column(np.array([0.003]), "g/s"),
    }
    return Layer("site", "Site", "emission", shape, ElementTable(["s1"], columns), source=Source(part="site"))


def stations(places: dict[str, tuple[float, float]] | None = None) -> Layer:
    """Points with the column ``station``."""
    chosen = PLACES if places is None else places
    points = np.array([[x, y, 20.0] for x, y in chosen.values()]).reshape(-1, 3)
    columns = {"station": Column(np.array(list(chosen), dtype=object))}
    table = ElementTable([f"p{k}" for k in range(len(chosen))], columns)
    shape = Points(points, np.arange(len(chosen), dtype=np.int32))
    return Layer("stations", "Stations", "sensor", shape, table, source=Source(part="stations"))


def times(count: int, start: np.datetime64 = START) -> np.ndarray:
    """Ends of hours."""
    return start + np.arange(count) * np.timedelta64(1, "h")


def weather(speed: np.ndarray, wind_from: np.ndarray, start: np.datetime64 = START) -> Layer:
    """An hourly table such as the KMA's."""
    stamp = np.datetime_as_string(times(len(speed), start).astype("datetime64[m]")).astype(object)
    columns = {
        "일시": Column(np.array([text.replace("T", " ") for text in stamp], dtype=object)),
        "wind_speed": Column(np.asarray(speed, dtype=np.float64), "m/s"),
        "wind_from": Column(np.asarray(wind_from, dtype=np.float64), "deg"),
    }
    table = ElementTable([f"h{k}" for k in range(len(speed))], columns)
    return Layer("asos", "ASOS", "other", None, table, source=Source(part="asos"))


def changing_winds(count: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Speeds and directions that go round the compass."""
    rng = np.random.default_rng(seed)
    return 1.5 + 2.0 * rng.random(count), np.round(rng.uniform(0.0, 360.0, count), 1)


def measured(
    value: np.ndarray,
    names: Sequence[str] = tuple(PLACES),
    *,
    stamp: np.ndarray | None = None,
    column: str = "pm10",
    unit: str = "ug/m3",
) -> Layer:
    """A table as the reader of air quality makes it. `value`: (hours, stations), NaN missing."""
    moment = times(len(value)) if stamp is None else stamp
    text = np.datetime_as_string(moment.astype("datetime64[m]") if stamp is None else moment).astype(object)
    columns = {
        "station": Column(np.repeat(np.array(names, dtype=object), len(value))),
        "time": Column(np.tile(text, len(names))),
        column: Column(value.T.ravel(), unit),
    }
    ids = [f"{name} {when}" for name in names for when in text]
    return Layer("measured", "Measured", "sensor", None, ElementTable(ids, columns), source=Source(part="measured"))


def three_days() -> list[Layer]:
    """All that a calibration needs besides the tiny city: a west wind and what the stations measured in it."""
    rng = np.random.default_rng(4)
    value = 30.0 + 5.0 * rng.random((72, 1)) + np.array([0.0, 3.0, 4.0, 0.5, 5.0, 6.0]) + rng.random((72, 6))
    return [roads(), site(), stations(), weather(np.full(72, 3.0), np.full(72, 270.0)), measured(value)]


def two_months(change: float = -4.0) -> list[Layer]:
    """Six stations over sixty days; the first is cleaner from the 31st day on."""
    rng = np.random.default_rng(6)
    hours = 60 * 24
    value = 35.0 + 12.0 * np.repeat(rng.standard_normal((60, 1)), 24, axis=0) + rng.standard_normal((hours, 6))
    value[hours // 2 :, 0] += change
    return [stations(), measured(value)]
