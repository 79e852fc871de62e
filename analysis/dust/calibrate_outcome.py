"""What a calibration hands back: factors ready for the next map, scores of held-out stations, charts and layers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.contract import Chart, Quantity, Series, Table
from analysis.dust.calibrate import LEAST_FAC2, MOST_BIAS, MOST_ERROR, Calibration
from analysis.dust.factors import FACTOR, GROUP, factors_text
from analysis.dust.posts import Posts
from analysis.dust.readings import Readings
from analysis.dust.reference import Rows
from analysis.wind import scene_map
from analysis.wind.scores import Scores, scores
from analysis.wind.tunnel import Tunnel
from geo.model import Column, ElementTable, Field, Issue, Layer, Points, Style
from geo.model import conventions as words

Floats = NDArray[np.float64]
Moments = NDArray[np.datetime64]

UNIT = "ug/m3"
MOST_MARKS = 400  # of a station in the chart
MOST_STATIONS = 8  # that have marks of their own
RAMP, RESIDUAL_RAMP = "exposure", "difference"


class Found(NamedTuple):
    """A calibration and what it was made from.

    Attributes
    ----------
    answer : Calibration
    rows : Rows
    readings : Readings
        The stations and times of the rows.
    posts : Posts
        Of the same stations, in their order; NaN where the place of a background station is not known.
    groups : tuple of str
    before : (groups,) float
        Factors that were given.
    strength : (groups,) float [g/s]
        Before the calibration.
    """

    answer: Calibration
    rows: Rows
    readings: Readings
    posts: Posts
    groups: tuple[str, ...]
    before: Floats
    strength: Floats

    @property
    def factor(self) -> Floats:
        """(groups,) on the strengths of the layers."""
        return self.before * self.answer.factor

    @property
    def uncertainty(self) -> Floats:
        """(groups,) one standard error of `factor`."""
        return self.before * self.answer.uncertainty

    @property
    def outside(self) -> float:
        """Mean of the air outside over the times, less what the sources add there and with the offset [ug/m3]."""
        own = self.rows.added @ self.answer.factor
        return float(np.nanmean((self.rows.outside - own)[np.unique(self.rows.time)])) + self.answer.offset

    @property
    def text(self) -> str:
        """Ready for the parameter of other studies."""
        return factors_text(dict(zip(self.groups, self.factor.tolist(), strict=True)))


def summary(found: Found) -> dict[str, Quantity]:
    """Key figures."""
    answer, measured = found.answer, found.rows.measured
    sensors = len(np.unique(measured.sensor))
    return {
        "factors": Quantity(found.text, ""),
        "identified": Quantity(int(answer.is_identified.sum()), "1"),
        "groups": Quantity(len(found.groups), "1"),
        "accepted": Quantity("yes" if answer.is_accepted else "no", ""),
        "held_out_bias": Quantity(round(answer.total.bias, 3), "1"),
        "held_out_error": Quantity(round(answer.total.error, 3), "1"),
        "held_out_fac2": Quantity(round(answer.total.fac2, 3), "1"),
        "held_out_correlation": Quantity(round(answer.total.correlation, 3), "1"),
        "increment_fac2": Quantity(round(answer.increment.fac2, 3), "1"),
        "increment_correlation": Quantity(round(answer.increment.correlation, 3), "1"),
        "offset": Quantity(round(answer.offset, 2), UNIT),
        "background": Quantity(round(found.outside, 1), UNIT),
        "stations": Quantity(sensors, "1"),
        "values": Quantity(int(np.isfinite(answer.held_out).sum()), "1"),
    }


def plainly(found: Found) -> list[Issue]:
    """What is said before all figures: what the stations can tell, and whether the map is met where none was used."""
    answer = found.answer
    known = [group for group, told in zip(found.groups, answer.is_identified, strict=True) if told]
    names = ", ".join(known) or "-"
    message = f"The stations tell the strength of {len(known)} of {len(found.groups)} groups of sources: {names}."
    values = {"groups": len(found.groups), "names": names}
    said = [Issue("dust.calibrate.honesty.strengths", message, "note", len(known), values=values)]
    fac2 = round(100.0 * answer.increment.fac2)
    values = {"fac2": fac2, "least": round(100.0 * LEAST_FAC2)}
    if answer.is_accepted and _passes(answer.increment):
        message = f"What the city adds is met within a factor of two at {fac2} % of the values of stations left out."
        said.append(Issue("dust.calibrate.honesty.met", message, "note", values=values))
    else:
        message = (
            f"What the city adds is met within a factor of two at {fac2} % only of the values of stations left out, or "
            "is too high or too low: that totals look right is owed to the air from outside."
        )
        said.append(Issue("dust.calibrate.honesty.not_met", message, "doubt", values=values))
    return said


def _passes(score: Scores) -> bool:
    """Whether scores lie within the limits for dispersion in cities."""
    return abs(score.bias) <= MOST_BIAS and score.error <= MOST_ERROR and score.fac2 >= LEAST_FAC2


# --- tables


def _factor_columns(found: Found) -> dict[str, Column]:
    verdict = np.where(found.answer.is_identified, "measured", "prior").astype(object)
    low = np.maximum(found.factor - 2.0 * found.uncertainty, 0.0)
    return {
        GROUP: Column(np.array(found.groups, dtype=object)),
        FACTOR: Column(found.factor, "1"),
        "standard_error": Column(found.uncertainty, "1"),
        "factor_low": Column(low, "1"),
        "factor_high": Column(found.factor + 2.0 * found.uncertainty, "1"),
        "resolved": Column(found.answer.resolution, "1"),
        "known_by": Column(verdict),
        "strength_before": Column(found.strength, "g/s"),
        "strength": Column(found.strength * found.answer.factor, "g/s"),
    }


def tables(found: Found) -> tuple[Table, ...]:
    """Factors (other studies take them as their input ``calibration``), scores with their limits, stations."""
    return (
        Table("factors", "Strengths of the groups", _factor_columns(found)),
        _score_table(found),
        Table("station_means", "Stations", _station_columns(found)),
    )


def _score_table(found: Found) -> Table:
    answer = found.answer
    rows = (("held_out_total", answer.total), ("held_out_increment", answer.increment), ("before", answer.before))
    numbers = [(score.bias, score.error, score.fac2, score.correlation) for _, score in rows]
    bias, error, fac2, together = np.array(numbers).T
    passed = [_passes(score) for _, score in rows]
    columns = {
        "scored": Column(np.array([name for name, _ in rows], dtype=object)),
        "values": Column(np.array([score.points for _, score in rows])),
        "fb": Column(bias, "1"),
        "fb_limit": Column(np.full(len(rows), MOST_BIAS), "1"),
        "nmse": Column(error, "1"),
        "nmse_limit": Column(np.full(len(rows), MOST_ERROR), "1"),
        "fac2": Column(fac2, "1"),
        "fac2_limit": Column(np.full(len(rows), LEAST_FAC2), "1"),
        "r": Column(together, "1"),
        "within_limits": Column(np.where(passed, "yes", "no").astype(object)),
    }
    return Table("scores", "How well stations are met that were left out", columns)


class _Station(NamedTuple):
    hours: int
    reference_hours: int
    measured: float
    computed: float
    before: float
    score: Scores


def _stations(found: Found) -> list[_Station]:
    measured, answer = found.rows.measured, found.answer
    before = measured.background + measured.transfer.sum(axis=1)
    out = []
    for number in range(len(found.readings.station)):
        mine = (measured.sensor == number) & np.isfinite(answer.held_out)
        used = int(found.rows.reference[:, number].sum())
        own, held_out, prior = (
            float(part[mine].mean()) if mine.any() else np.nan for part in (measured.value, answer.held_out, before)
        )
        out.append(
            _Station(int(mine.sum()), used, own, held_out, prior, scores(answer.held_out[mine], measured.value[mine]))
        )
    return out


def _station_columns(found: Found) -> dict[str, Column]:
    each = _stations(found)

    def column(name: str, unit: str) -> Column:
        return Column(np.array([getattr(one, name) for one in each], dtype=np.float64), unit)

    residual = np.array([one.measured - one.computed for one in each], dtype=np.float64)
    return {
        words.STATION: Column(np.array(found.readings.station, dtype=object)),
        "hours": Column(np.array([one.hours for one in each]), "1"),
        "reference_hours": Column(np.array([one.reference_hours for one in each]), "1"),
        "measured": column("measured", UNIT),
        "computed": column("computed", UNIT),
        "computed_before": column("before", UNIT),
        "residual": Column(residual, UNIT),
        "fac2": Column(np.array([one.score.fac2 for one in each]), "1"),
        "r": Column(np.array([one.score.correlation for one in each]), "1"),
    }


# --- layers


def station_layer(found: Found) -> Layer | None:
    """Stations with what they measured, what was calculated without them, and the difference."""
    columns = _station_columns(found)
    rows = np.flatnonzero(np.isfinite(found.posts.point[:, :2]).all(axis=1) & np.isfinite(columns["measured"].values))
    if len(rows) == 0:
        return None
    kept = {name: Column(column.values[rows], column.unit) for name, column in columns.items()}
    fields = tuple(
        Field(name, UNIT, "element", np.asarray(kept[name].values, dtype=np.float64), ramp=ramp, range=span)
        for name, ramp, span in (
            ("residual", RESIDUAL_RAMP, _even(kept["residual"].values)),
            ("measured", RAMP, None),
            ("computed", RAMP, None),
        )
    )  # fmt: skip
    shape = Points(found.posts.point[rows], np.arange(len(rows), dtype=np.int32))
    table = ElementTable([found.readings.station[row] for row in rows], kept)
    name = "Stations: measured less calculated"
    return Layer("stations", name, "result", shape, table, fields, style=Style(colour_by="residual"))


def _even(values: NDArray[np.generic]) -> tuple[float, float]:
    """Colours as far below zero as above."""
    most = float(np.nanmax(np.abs(np.asarray(values, dtype=np.float64)), initial=0.0)) or 1.0
    return -most, most


def next_sensor_layer(gain: Floats, error: Floats, tunnel: Tunnel, cell: float, height: float) -> Layer:
    """Where a further sensor would teach most: fields of the tunnel's columns (ny, nx), NaN where nobody can stand."""
    where = scene_map.scene_map(tunnel, cell)
    laid = scene_map.laid(gain, tunnel, where)
    fields = (
        Field("gain", "1", "cell", laid, ramp=RAMP),
        Field("expected_error", "1", "cell", scene_map.laid(error, tunnel, where), ramp=RAMP),
    )
    level = tunnel.base + float(np.median(tunnel.ground)) + height
    shape = scene_map.grid_of(where, laid, level)
    style = Style(colour_by="gain", visible=False)
    return Layer("next_sensor", "Where a further sensor would teach most (a hint)", "result", shape, fields=fields,
                 style=style)  # fmt: skip


# --- charts


def charts(found: Found) -> tuple[Chart, ...]:
    """Measured beside calculated: what the city adds at each station, the whole as a cloud, and over time."""
    return _added(found), _cloud(found), _course(found)


def _added(found: Found) -> Chart:
    """Means over the air outside, station by station: in the whole, the air outside hides what the model misses."""
    measured, answer = found.rows.measured, found.answer
    known = np.isfinite(answer.held_out)
    numbers = np.unique(measured.sensor[known]).tolist()
    rows = [known & (measured.sensor == k) for k in numbers]
    own, held_out = (
        np.array([float((part - measured.background)[mine].mean()) for mine in rows])
        for part in (measured.value, answer.held_out)
    )
    ends = np.array([min(own.min(), held_out.min(), 0.0), max(own.max(), held_out.max(), 1.0)])
    names = tuple(found.readings.station[k] for k in numbers)
    series = (Series("equal", ends, ends), Series("stations", own, held_out, role="marks", labels=names))
    return Chart("added", "What the city adds, at stations left out", "measured", UNIT, "calculated", UNIT, series)


def _cloud(found: Found) -> Chart:
    measured, answer = found.rows.measured, found.answer
    known = np.isfinite(answer.held_out)
    most = float(max(measured.value[known].max(), answer.held_out[known].max(), 1.0))
    line = np.array([0.0, most])
    series = [Series("equal", line, line), Series("twice", line / [1.0, 2.0], line, role="dashed"),
              Series("half", line, line / 2.0, role="dashed")]  # fmt: skip
    numbers = np.unique(measured.sensor[known]).tolist()
    if len(numbers) > MOST_STATIONS:
        series.append(_marks("all_stations", measured.value[known], answer.held_out[known]))
    else:
        series += [
            _marks(found.readings.station[k], measured.value[mine], answer.held_out[mine])
            for k in numbers
            for mine in (known & (measured.sensor == k),)
        ]
    return Chart("held_out", "Stations that were left out", "measured", UNIT, "calculated", UNIT, tuple(series))


def _marks(name: str, x: Floats, y: Floats) -> Series:
    step = max(1, -(-len(x) // MOST_MARKS))
    return Series(name, x[::step], y[::step], role="marks")


def _course(found: Found) -> Chart:
    """Mean of all stations, day by day."""
    measured, answer = found.rows.measured, found.answer
    known = np.isfinite(answer.held_out)
    day = found.readings.day[found.rows.time[known]]
    days, number = np.unique(day, return_inverse=True)
    count = np.bincount(number)
    before = measured.background + measured.transfer.sum(axis=1)
    x = (days - days[0] + 1).astype(np.float64)

    def mean(values: Floats) -> Floats:
        return np.asarray(np.bincount(number, values[known]) / count, dtype=np.float64)

    series = (
        Series("measured", x, mean(measured.value), role="marks"),
        Series("left_out", x, mean(answer.held_out)),
        Series("before", x, mean(before), role="dashed"),
        Series("air_outside", x, mean(measured.background), role="dashed"),
    )
    return Chart("course", "Mean of the stations", "day", "d", "concentration", UNIT, series)
