"""What a before-and-after comparison hands back: what could be seen, what was seen, and what happened elsewhere."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analysis.contract import Chart, Quantity, Series, Table
from analysis.dust.before_after import Comparison
from analysis.dust.effect import Effect
from analysis.dust.readings import HOUR, Readings
from geo.model import Column, ElementTable, Field, Grid, Issue, Layer, Points, Style, UserError
from geo.model import conventions as words

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Bools = NDArray[np.bool_]

UNIT = "ug/m3"
REDUCTION = "reduction"  # field of a siting result's map [ug/m3], above zero: cleaner
BEFORE, AFTER, CHANGED = "#7a7a7a", "#2c7fb8", "#d95f0e"


def of_the_day(readings: Readings, first: int, last: int, issues: list[Issue]) -> Readings:
    """Hours between two clock hours (22 to 6 goes through midnight); days are taken whole."""
    if first == 0 and last == 24:
        return readings
    if readings.is_daily:
        message = "The measurements are means of days: hours of the day cannot be chosen."
        issues.append(Issue("dust.effect.whole_days", message, "doubt"))
        return readings
    start = readings.time - HOUR
    hour = (start - start.astype("datetime64[D]")).astype(np.int64) // 60
    keep = ((hour >= first) & (hour < last)) if first < last else ((hour >= first) | (hour < last))
    return readings._replace(time=readings.time[keep], value=readings.value[keep])


def predicted_change(given: float, layer: Layer | None, chosen: Comparison, issues: list[Issue]) -> float | None:
    """The change that was promised at the station [ug/m3], below zero cleaner; None where nothing was."""
    if given != 0.0:
        return given
    if layer is None:
        return None
    field = next((one for one in layer.fields if one.name == REDUCTION), None)
    if not isinstance(layer.geometry, Grid) or field is None:
        raise UserError(
            f"{layer.name} holds no predicted reduction.",
            f"A map of a siting result has a field '{REDUCTION}'.",
            "Choose that map, or write the change that was predicted.",
            code="dust.effect.no_reduction",
            values={"layer": layer.name},
        )
    grid, point = layer.geometry, chosen.posts.point[chosen.treated]
    inside = np.isfinite(point[:2]).all()
    column, row = (np.rint((point[:2] - [grid.x0, grid.y0]) / grid.cell) if inside else np.array([-1, -1])).astype(int)
    values = np.asarray(field.values, dtype=np.float64)
    if 0 <= row < values.shape[0] and 0 <= column < values.shape[1] and np.isfinite(values[row, column]):
        return -float(values[row, column])
    name = chosen.readings.station[chosen.treated]
    message = f"{layer.name} says nothing about the place of {name}: nothing predicted is compared."
    values_said = {"layer": layer.name, "station": name}
    issues.append(Issue("dust.effect.not_on_map", message, "doubt", values=values_said))
    return None


def summary(found: Effect, chosen: Comparison, predicted: float | None) -> dict[str, Quantity]:
    """Key figures: what could be seen at all comes first."""
    names = chosen.readings.station
    verdict = "not_seen" if not found.is_seen else "cleaner" if found.change < 0.0 else "dustier"
    out = {
        "detectable": Quantity(round(found.detectable, 2), UNIT),
        "verdict": Quantity(verdict, ""),
        "change": Quantity(round(found.change, 2), UNIT),
        "low": Quantity(round(found.low, 2), UNIT),
        "high": Quantity(round(found.high, 2), UNIT),
        "percent": Quantity(round(found.percent, 1) if np.isfinite(found.percent) else None, "%"),
        "judged_by": Quantity(found.judged_by.replace(" ", "_"), ""),
    }
    if predicted is not None:
        out["predicted"] = Quantity(round(predicted, 3), UNIT)
        out["agrees"] = Quantity("yes" if found.agrees_with(predicted) else "no", "")
    out |= {
        "treated": Quantity(names[chosen.treated], ""),
        "controls": Quantity(", ".join(names[k] for k in chosen.controls), ""),
        "since": Quantity(str(chosen.since), ""),
        "days_before": Quantity(found.days_before, "d"),
        "days_after": Quantity(found.days_after, "d"),
        "trend": Quantity(round(found.trend, 2), UNIT),
    }
    return out


def plainly(found: Effect) -> list[Issue]:
    """What is said before all figures: what such measurements can see at all, and then what they saw."""
    values = {"before": found.days_before, "after": found.days_after, "detectable": f"{found.detectable:.3g}"}
    message = (
        f"With {found.days_before} days before and {found.days_after} after, a change of {found.detectable:.3g} ug/m3 "
        "or more would be found."
    )
    said = [Issue("dust.effect.honesty.detectable", message, "note", values=values)]
    low, high = f"{found.low:+.3g}", f"{found.high:+.3g}"
    values = {"change": f"{found.change:+.3g}", "low": low, "high": high}
    if not found.is_seen:
        message = (
            f"No effect is seen: the change of {found.change:+.3g} ug/m3 ({low} to {high}) is of the size that comes "
            "by itself."
        )
        said.append(Issue("dust.effect.honesty.not_seen", message, "note", values=values))
    elif found.change < 0.0:
        message = f"It became cleaner beside the unit: {found.change:+.3g} ug/m3 ({low} to {high})."
        said.append(Issue("dust.effect.honesty.cleaner", message, "note", values=values))
    else:
        message = f"It became dustier beside the unit: {found.change:+.3g} ug/m3 ({low} to {high})."
        said.append(Issue("dust.effect.honesty.dustier", message, "doubt", values=values))
    return said


# --- days


class _Near:
    """Times within the window in which all stations measured, by day."""

    def __init__(self, chosen: Comparison, window: int) -> None:
        readings, start = chosen.readings, int(chosen.since.astype(np.int64))
        every = readings.value[:, [chosen.treated, *chosen.controls.tolist()]]
        day = readings.day - start
        near = (
            ((day >= -window) & (day < 0)) | ((day >= chosen.pause) & (day < chosen.pause + window))
            if window
            else np.ones(len(day), dtype=bool)
        )
        keep = near & chosen.used & np.isfinite(every).all(axis=1)
        self.value = every[keep]
        self.days, self.number = np.unique(day[keep], return_inverse=True)
        self.after = self.days >= 0

    def mean(self, values: Floats) -> Floats:
        """(days,) daily means."""
        return np.asarray(np.bincount(self.number, values) / np.bincount(self.number), dtype=np.float64)

    @property
    def gap(self) -> Floats:
        """(days,) treated less controls [ug/m3]."""
        return self.mean(self.value[:, 0] - self.value[:, 1:].mean(axis=1))


def tables(found: Effect, chosen: Comparison, window: int) -> tuple[Table, ...]:
    """Stations with their changes, days, and changes where nothing was installed."""
    return _station_table(chosen, window), _day_table(chosen, window), _placebo_table(found, chosen)


def _changes(chosen: Comparison, window: int) -> tuple[Floats, Floats, Floats]:
    """(stations,) means before and after, and the change against the mean of the other controls [ug/m3]."""
    near = _Near(chosen, window)
    after = near.after[near.number]
    before, then = near.value[~after].mean(axis=0), near.value[after].mean(axis=0)
    change = then - before
    total, count = change[1:].sum(), len(change) - 1
    others = [change[1:].mean(), *((total - own) / (count - 1) if count > 1 else np.nan for own in change[1:])]
    return before, then, np.asarray(change - np.array(others), dtype=np.float64)


def _station_table(chosen: Comparison, window: int) -> Table:
    before, then, against = _changes(chosen, window)
    names = [chosen.readings.station[k] for k in (chosen.treated, *chosen.controls.tolist())]
    role = ["treated", *["control"] * len(chosen.controls)]
    columns = {
        words.STATION: Column(np.array(names, dtype=object)),
        "role": Column(np.array(role, dtype=object)),
        "mean_before": Column(before, UNIT),
        "mean_after": Column(then, UNIT),
        "change": Column(then - before, UNIT),
        "change_against_others": Column(against, UNIT),
    }
    return Table("station_changes", "Stations before and after", columns)


def _day_table(chosen: Comparison, window: int) -> Table:
    near = _Near(chosen, window)
    date = [str(chosen.since + int(day)) for day in near.days]
    columns = {
        "day": Column(np.array(date, dtype=object)),
        "period": Column(np.where(near.after, "after", "before").astype(object)),
        "hours": Column(np.bincount(near.number), "1"),
        "treated": Column(near.mean(near.value[:, 0]), UNIT),
        "control": Column(near.mean(near.value[:, 1:].mean(axis=1)), UNIT),
        "difference": Column(near.gap, UNIT),
    }
    return Table("days", "Days", columns)


def _placebo_table(found: Effect, chosen: Comparison) -> Table:
    names = [chosen.readings.station[k] for k in chosen.controls]
    what = ["unit", *(f"earlier {k + 1}" for k in range(len(found.earlier)))]
    what += [name for name, _ in zip(names, found.others, strict=False)]
    sort = ["unit", *["earlier_date"] * len(found.earlier), *["other_station"] * len(found.others)]
    columns = {
        "compared": Column(np.array(what, dtype=object)),
        "compared_sort": Column(np.array(sort, dtype=object)),
        "change": Column(np.array([found.change, *found.earlier, *found.others]), UNIT),
    }
    return Table("placebos", "Changes where nothing was installed, beside that of the unit", columns)


# --- charts and layer


def charts(found: Effect, chosen: Comparison, window: int, predicted: float | None) -> tuple[Chart, ...]:
    """Daily differences with the two means, and the unit's change among those where nothing was installed."""
    near = _Near(chosen, window)
    days, gap, after = near.days.astype(np.float64), near.gap, near.after
    ends = {False: days[~after][[0, -1]], True: days[after][[0, -1]]}
    flat = np.ones(2)
    series = [
        Series("interval", ends[True], (found.before_gap + found.high) * flat, role="area", colour=CHANGED,
               base=(found.before_gap + found.low) * flat),
        Series("before", days[~after], gap[~after], role="marks", colour=BEFORE),
        Series("after", days[after], gap[after], role="marks", colour=AFTER),
        Series("mean_before", np.array([ends[False][0], ends[True][1]]), found.before_gap * flat, colour=BEFORE),
        Series("mean_after", ends[True], found.after_gap * flat, colour=CHANGED),
    ]  # fmt: skip
    if predicted is not None:
        series.append(Series("predicted", ends[True], (found.before_gap + predicted) * flat, role="dashed"))
    title = "Station beside the unit less control stations"
    return (
        Chart("differences", title, "days since the unit began", "d", "difference", UNIT, tuple(series)),
        *([] if not (found.earlier or found.others) else [_placebo_chart(found, chosen)]),
    )


def _placebo_chart(found: Effect, chosen: Comparison) -> Chart:
    names = [chosen.readings.station[k] for k in chosen.controls]
    rows = (("earlier_dates", found.earlier, ()), ("other_stations", found.others, tuple(names[: len(found.others)])))
    series, at = [], 1.0
    for name, changes, labels in rows:
        if changes:
            x = at + np.arange(len(changes), dtype=np.float64)
            series.append(Series(name, x, np.array(changes), role="marks", labels=labels))
            at += len(changes)
    ends = np.array([0.0, at])
    series += [
        Series("unit", np.zeros(1), np.array([found.change]), role="marks", colour=CHANGED),
        Series("none", ends, np.zeros(2), role="dashed", colour=BEFORE),
    ]
    title = "The unit's change beside changes where nothing was installed"
    return Chart("placebos", title, "number", "1", "change", UNIT, tuple(series))


def station_layer(chosen: Comparison, window: int) -> Layer | None:
    """Stations with a place, coloured by their change against the others."""
    before, then, against = _changes(chosen, window)
    numbers = np.array([chosen.treated, *chosen.controls.tolist()])
    point = chosen.posts.point[numbers]
    rows = np.flatnonzero(np.isfinite(point[:, :2]).all(axis=1))
    if len(rows) == 0:
        return None
    point = np.where(np.isfinite(point), point, 0.0)
    role = np.where(rows == 0, "treated", "control").astype(object)
    columns = {
        words.STATION: Column(np.array([chosen.readings.station[numbers[k]] for k in rows], dtype=object)),
        "role": Column(role),
        "mean_before": Column(before[rows], UNIT),
        "mean_after": Column(then[rows], UNIT),
        "change_against_others": Column(against[rows], UNIT),
    }
    most = float(np.nanmax(np.abs(against[rows]), initial=0.0)) or 1.0
    field = Field("change_against_others", UNIT, "element", against[rows], ramp="difference", range=(-most, most))
    table = ElementTable([chosen.readings.station[numbers[k]] for k in rows], columns)
    return Layer(
        "stations", "Change beside the unit and elsewhere", "result",
        Points(point[rows], np.arange(len(rows), dtype=np.int32)), table, (field,),
        style=Style(colour_by="change_against_others"),
    )  # fmt: skip
