"""Headless. What results say at one place: values of maps and volumes, the wind by direction, the profile above it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.contract import Chart, Series
from app.names import layer_title
from app.numbers import number_text, unit_text
from app.shown_runs import runs_of
from app.volume_view import profile
from app.words import class_name, field_name, heading
from geo.model import Field, Grid, Layer, Volume

WIND_FIELD = "wind.field"
RATIO, SPEED, TRUST = "speed_ratio", "scalar_speed", "trust"
PROFILE_FIELD = "speed"
FULL_TURN = 360.0


@dataclass(frozen=True)
class PlaceValue:
    """One value at a place.

    Attributes
    ----------
    layer, quantity, text, unit : str
        As people read them.
    """

    layer: str
    quantity: str
    text: str
    unit: str


@dataclass(frozen=True)
class DirectionValue:
    """What one run of the wind says at a place.

    Attributes
    ----------
    wind_from : float [degrees]
        Clockwise from true north, where the wind comes from.
    ratio, speed : float
        Speed over that outside, and speed [m/s]; NaN where there is none.
    trust, alternative : str
    """

    wind_from: float
    ratio: float
    speed: float
    trust: str
    alternative: str


def has_values(layers: Sequence[Layer], x: float, y: float) -> bool:
    """Whether a shown map or volume of a result covers a place."""
    for layer in _shown(layers):
        bounds = layer.geometry.bounds if layer.geometry is not None else None
        if bounds is not None and bounds.low[0] <= x <= bounds.high[0] and bounds.low[1] <= y <= bounds.high[1]:
            return True
    return False


def _shown(layers: Sequence[Layer]) -> list[Layer]:
    shown = [layer for layer in layers if layer.style.visible and layer.theme == "result"]
    return [layer for layer in shown if isinstance(layer.geometry, Grid | Volume)]


def values_at(layers: Sequence[Layer], point: NDArray[np.float64]) -> list[PlaceValue]:
    """Values of the shown results at a point (3,) [local m]; of volumes in the lowest cell of air at or above it."""
    found = []
    for layer in reversed(_shown(layers)):
        for field in layer.fields:
            value = _value(layer, field, point)
            if np.isfinite(value):
                unit = "" if field.categories else unit_text(field.unit)
                found.append(PlaceValue(layer_title(layer), _title(field), _text(field, value), unit))
    return found


def _title(field: Field) -> str:
    return heading(field_name(field.name))


def _text(field: Field, value: float) -> str:
    if not field.categories:
        return number_text(float(value))
    code = int(value)
    return class_name(field.name, field.categories[code]) if 0 <= code < len(field.categories) else "–"


def _value(layer: Layer, field: Field, point: NDArray[np.float64]) -> float:
    if isinstance(layer.geometry, Grid):
        return cell_value(layer.geometry, field, float(point[0]), float(point[1]))
    if isinstance(layer.geometry, Volume) and field.values.size == layer.geometry.values.size:
        heights, values = profile(layer.geometry, field, float(point[0]), float(point[1]))
        above = np.flatnonzero(heights + layer.geometry.cell_z / 2 > point[2])
        return float(values[above[0]]) if len(above) else float("nan")
    return float("nan")


def cell_value(grid: Grid, field: Field, x: float, y: float) -> float:
    """Value of the cell of a map that a place lies in; NaN outside and where there is none (of classes: -1)."""
    if field.values.shape != grid.values.shape:
        return float("nan")
    col, row = int(np.floor((x - grid.x0) / grid.cell + 0.5)), int(np.floor((y - grid.y0) / grid.cell + 0.5))
    if not (0 <= row < grid.values.shape[0] and 0 <= col < grid.values.shape[1]):
        return float("nan")
    value = float(field.values[row, col])
    return float("nan") if field.categories and value < 0 else value


def by_direction(layers: Sequence[Layer], x: float, y: float) -> list[DirectionValue]:
    """What each run of the wind in the scene says at a place; of runs of one direction the newest. By direction."""
    found: dict[tuple[str, float], DirectionValue] = {}
    for run in reversed(runs_of(layers)):  # the newest last
        if run.analysis_id != WIND_FIELD:
            continue
        for layer in run.layers:
            ratio = layer.field_named(RATIO)
            if ratio is None or not isinstance(layer.geometry, Grid):
                continue
            wind_from = float(run.record["provenance"]["params"].get("wind_from", 0.0)) % FULL_TURN
            found[(run.alternative, wind_from)] = DirectionValue(
                wind_from,
                cell_value(layer.geometry, ratio, x, y),
                _of(layer, layer.geometry, SPEED, x, y),
                _trust(layer, layer.geometry, x, y),
                run.alternative_name,
            )
    return sorted(found.values(), key=lambda value: (value.alternative, value.wind_from))


def _of(layer: Layer, grid: Grid, name: str, x: float, y: float) -> float:
    field = layer.field_named(name)
    return cell_value(grid, field, x, y) if field is not None else float("nan")


def _trust(layer: Layer, grid: Grid, x: float, y: float) -> str:
    field = layer.field_named(TRUST)
    value = _of(layer, grid, TRUST, x, y)
    return _text(field, value) if field is not None and np.isfinite(value) else ""


def direction_chart(values: Sequence[DirectionValue]) -> Chart | None:
    """Speed ratio by direction at the place, marks for each alternative; None for fewer than two directions."""
    series = []
    for alternative in dict.fromkeys(value.alternative for value in values):
        mine = [value for value in values if value.alternative == alternative and np.isfinite(value.ratio)]
        if len(mine) > 1:
            x = np.array([value.wind_from for value in mine])
            y = np.array([value.ratio for value in mine])
            # Marks alone: nothing was calculated between two directions.
            series.append(Series(alternative or "base", x, y, role="marks"))
    if not series:
        return None
    return Chart("directions", "By direction", "Wind from", "deg", "Speed ratio", "1", tuple(series))


def profile_chart(layers: Sequence[Layer], point: NDArray[np.float64]) -> Chart | None:
    """Speed over height above the place in each volume of a result, hidden or not; None where there is none."""
    series: list[Series] = []
    for layer in layers:
        if not isinstance(layer.geometry, Volume) or layer.theme != "result":
            continue
        field = layer.field_named(PROFILE_FIELD)
        if field is None or field.values.size != layer.geometry.values.size:
            continue
        heights, values = profile(layer.geometry, field, float(point[0]), float(point[1]))
        above = heights > point[2]
        if above.sum() > 1:
            name = "speed" if not series else f"{layer_title(layer)} {len(series) + 1}"
            series.append(Series(name, values[above], heights[above] - point[2]))
    if not series:
        return None
    return Chart("profile", "Profile above the place", "Speed", "m/s", "Height above the place", "m", tuple(series))
