"""What ``sunlight.hours`` gives back for many days: fields, key figures, the course of the days, doubts."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from analysis.contract import Chart, Quantity, Series
from analysis.kernels.rays import SunTime
from analysis.kernels.sampling import FaceCells, GroundPoints
from analysis.sunlight.outcome import Names, answer_first, layers_of, place_summary
from analysis.sunlight.period import Days, PeriodTime
from analysis.sunlight.surfaces import Surface
from geo.model import Field, Issue, Layer, Style

Floats = NDArray[np.float64]
Ground = tuple[GroundPoints, PeriodTime] | None
Surfaces = Mapping[str, tuple[FaceCells, PeriodTime]]

MEAN = "mean_hours"


def period_layers(ground: Ground, surfaces: Surfaces, names: Names, days: Days) -> tuple[Layer, ...]:
    """The layers of one day, with the fields of the period instead."""
    plain = layers_of(as_day(ground), as_days(surfaces), names, days.mean_hours)
    out = []
    for layer in plain:
        if layer.id == "ground" and ground is not None:
            cells, time = ground
            fields = period_fields(time, days, "cell", cells.spread)
        else:
            cells_of, time = surfaces[layer.id]
            fields = period_fields(time, days, "face", lambda values, of=cells_of.cell_of_face: values[of])
        out.append(layer.with_(fields=fields, style=Style(colour_by=MEAN)))
    return tuple(out)


def period_fields(time: PeriodTime, days: Days, on: str, spread: object) -> tuple[Field, ...]:
    """Mean hours a day, hours of the period, of the least day, that day of the year, the longest run of any day."""

    def shaped(values: Floats) -> Floats:
        return spread(values) if callable(spread) else values

    top = max(1.0, float(np.ceil(days.mean_hours)))
    of_year = np.array([day.timetuple().tm_yday for day in days.dates], dtype=np.float64)
    long = max(1.0, float(np.ceil(max(sun.hours for sun in days.suns))))
    parts = (
        (MEAN, "h", time.mean, "sun_hours", (0.0, top)),
        ("total_hours", "h", time.mean * days.span, "sun_hours", (0.0, top * days.span)),
        ("least_hours", "h", time.least, "sun_hours", (0.0, top)),
        ("least_day", "d", of_year[time.least_day], "viridis", (1.0, 366.0)),
        ("longest_run", "h", time.longest, "sun_hours", (0.0, long)),
    )
    return tuple(Field(name, unit, on, shaped(v), ramp=ramp, range=limits) for name, unit, v, ramp, limits in parts)  # type: ignore[arg-type]


def period_summary(ground: Ground, surfaces: Surfaces, days: Days) -> dict[str, Quantity]:
    """Key figures; the hours are means a day."""
    hours = [sun.hours for sun in days.suns]
    least = int(np.argmin(hours))
    figures = {
        "first_day": Quantity(str(days.first), ""),
        "last_day": Quantity(str(days.last), ""),
        "days": Quantity(days.span, "d"),
        "days_traced": Quantity(len(days.suns), "d"),
        "possible_hours": Quantity(round(days.mean_hours, 4), "h"),
        "shortest_day": Quantity(str(days.dates[least]), ""),
        "shortest_hours": Quantity(round(hours[least], 4), "h"),
    }
    return answer_first(figures | place_summary(as_day(ground), as_days(surfaces)))


def period_chart(ground: Ground, surfaces: Surfaces, days: Days) -> tuple[Chart, ...]:
    """Mean hours of each day through the period; nothing for a single day."""
    if len(days.suns) < 2:
        return ()
    x = np.array([(day - days.first).days + 1 for day in days.dates], dtype=np.float64)
    open_field = np.array([sun.hours for sun in days.suns])
    series = [Series("Open field", x, open_field, "dashed")]
    if ground is not None:
        series.append(Series("Ground", x, ground[1].daily))
    titles = {"facades": "Facades", "roofs": "Roofs"}
    series += [Series(titles[name], x, time.daily) for name, (_, time) in surfaces.items()]
    return (Chart("days", "Sun hours through the period", "Day of the period", "d", "Sun hours", "h", tuple(series)),)


def period_issues(days: Days) -> list[Issue]:
    """What was taken for granted of the days."""
    made = []
    if len(days.suns) < days.span:
        text = f"{len(days.suns)} of {days.span} days were traced; each stands for those that follow it."
        values = {"traced": len(days.suns), "span": days.span}
        made.append(Issue("sunlight.days_thinned", text, values=values))
    dark = sum(len(sun.weights) == 0 for sun in days.suns)
    if dark:
        made.append(Issue("sunlight.days_without_sun", f"On {dark} days the sun is not up at all.", count=dark))
    return made


def as_day(ground: Ground) -> tuple[GroundPoints, SunTime] | None:
    """The mean day on the ground."""
    return None if ground is None else (ground[0], ground[1].as_day)


def as_days(surfaces: Surfaces) -> dict[str, Surface]:
    """The mean day on walls and roofs."""
    return {name: Surface(cells, time.as_day) for name, (cells, time) in surfaces.items()}
