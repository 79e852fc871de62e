"""Layers, tables, charts and key figures of the siting of sensors."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.contract import Chart, Quantity, Series, Table
from analysis.sensor_siting.coverage import Covered
from analysis.sensor_siting.field import FieldCells
from analysis.sensor_siting.gaussian import Picked
from analysis.sensor_siting.scene import Scene, Sites
from analysis.sensor_siting.service import Served
from geo.model import Column, ElementTable, Field, Frame, Layer, Points, Style

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

SENSOR_COLOUR = "#0a7d5a"


class Placed(NamedTuple):
    """What all modes say of the sensors: sites, those chosen in order, what each adds, and its unit."""

    sites: Sites
    order: Whole
    gain: Floats
    unit: str


def sensor_layer(placed: Placed) -> Layer:
    """The sensors that are there and those proposed, as points."""
    there = placed.sites.existing
    rows = np.concatenate([np.arange(there), placed.order]).astype(np.int64)
    points = placed.sites.points[rows]
    planned = np.arange(len(rows)) >= there
    rank = np.where(planned, np.arange(len(rows)) - there + 1, 0)
    gain = np.concatenate([np.full(there, np.nan), placed.gain])
    table = ElementTable(
        [f"there-{k + 1}" for k in range(there)] + [f"sensor-{k + 1}" for k in range(len(placed.order))],
        {
            "place": Column(np.array([str(name) for name in placed.sites.names[rows]], dtype=object)),
            "sensor_state": Column(np.where(planned, "planned", "existing").astype(object)),
            "rank": Column(rank),
            "gain": Column(gain, placed.unit),
        },
    )
    field = Field("gain", placed.unit, "element", gain)
    shape = Points(points, np.arange(len(rows), dtype=np.int32))
    return Layer(
        "sensors", "Proposed sensors", "sensor", shape, table=table, fields=(field,), style=Style(colour=SENSOR_COLOUR)
    )


def sensor_table(placed: Placed, frame: Frame) -> Table:
    """The proposed sensors with their map coordinates."""
    points = frame.to_map(placed.sites.points[placed.order])
    return Table(
        "proposed",
        "Proposed sensors",
        {
            "rank": Column(np.arange(1, len(placed.order) + 1)),
            "place": Column(np.array([str(name) for name in placed.sites.names[placed.order]], dtype=object)),
            "easting": Column(np.round(points[:, 0], 2), "m"),
            "northing": Column(np.round(points[:, 1], 2), "m"),
            "elevation": Column(np.round(points[:, 2], 2), "m"),
            "gain": Column(placed.gain, placed.unit),
        },
    )


def _by_number(
    id_: str, title: str, y_title: str, unit: str, values: Floats, more: tuple[tuple[str, Floats, str], ...] = ()
) -> Chart:
    """A curve over the number of sensors; `more`: name, values, role."""
    series = [Series("plan", np.arange(len(values), dtype=np.float64), values)]
    for name, line, role in more:
        series.append(Series(name, np.arange(len(line), dtype=np.float64), line, role=role))
    return Chart(id_, title, "Number of sensors", "1", y_title, unit, tuple(series))


def of_coverage(found: Covered, scene: Scene) -> tuple[Placed, list[Layer], Chart, dict[str, Quantity]]:
    """Coverage: how many sensors watch each cell."""
    share = 100.0 * found.value / found.total
    bound = 100.0 * min(found.plan.bound, found.total) / found.total
    placed = Placed(scene.sites, found.order, np.diff(share), "%")
    grid = scene.ground.spread(found.watchers.astype(np.float64))
    field = Field("watchers", "1", "cell", grid.values)
    layer = Layer("watched", "Sensors that watch the ground", "result", grid, fields=(field,))
    flat = np.full(len(share), bound)
    chart = _by_number(
        "watched_by_number", "Watched by number of sensors", "Watched", "%", share, (("upper bound", flat, "dashed"),)
    )
    summary = {
        "sensors": Quantity(len(found.order), "1"),
        "existing": Quantity(scene.sites.existing, "1"),
        "places": Quantity(len(scene.sites.points) - scene.sites.existing, "1"),
        "watched": Quantity(round(float(share[-1]), 3), "%"),
        "watched_before": Quantity(round(float(share[0]), 3), "%"),
        "watched_bound": Quantity(round(bound, 3), "%"),
        "gap": Quantity(round(100.0 * found.plan.gap, 3), "%"),
        "proven": Quantity("yes" if found.plan.gap == 0.0 else "no", ""),
    }
    return placed, [layer], chart, summary


def of_field(
    found: Picked,
    cells: FieldCells,
    sites: Sites,
    prior_variance: Floats,
    bound: Floats,
    random: Floats,
    shrunk: float | None,
) -> tuple[Placed, list[Layer], Chart, dict[str, Quantity]]:
    """Representativeness: which share of the variance is left in each cell."""
    left = 100.0 * found.left
    order = np.array(found.places, dtype=np.int64)
    placed = Placed(sites, order, -np.diff(left), "%")
    share = np.divide(
        found.variance, prior_variance, out=np.full(len(prior_variance), np.nan), where=prior_variance > 0
    )
    grid = cells.spread(100.0 * np.clip(share, 0.0, 1.0))
    field = Field("variance_left", "%", "cell", grid.values, range=(0.0, 100.0))
    layer = Layer("residual", "Variance left", "result", grid, fields=(field,))
    chart = _by_number(
        "left_by_number",
        "Variance left by number of sensors",
        "Variance left",
        "%",
        left,
        (("lower bound", 100.0 * bound[: len(left)], "dashed"),),
    )
    summary = {
        "sensors": Quantity(len(order), "1"),
        "existing": Quantity(sites.existing, "1"),
        "places": Quantity(len(sites.points) - sites.existing, "1"),
        "left": Quantity(round(float(left[-1]), 3), "%"),
        "left_before": Quantity(round(float(left[0]), 3), "%"),
        "left_greedy": Quantity(round(100.0 * found.greedy, 3), "%"),
        "left_bound": Quantity(round(100.0 * float(bound[min(len(order), len(bound) - 1)]), 3), "%"),
        "left_random": Quantity(round(100.0 * float(random.mean()), 3), "%"),
        "left_random_best": Quantity(round(100.0 * float(random.min()), 3), "%"),
        "exchanges": Quantity(found.exchanges, "1"),
        "heuristic": Quantity("yes", ""),
    }
    if shrunk is not None:
        summary["shrinkage"] = Quantity(round(100.0 * shrunk, 2), "%")
    return placed, [layer], chart, summary


def of_service(found: Served, scene: Scene, measure: str) -> tuple[Placed, list[Layer], Chart, dict[str, Quantity]]:
    """Service: how far each cell is from a sensor."""
    gain = -np.diff(found.steps)
    placed = Placed(scene.sites, found.order, np.where(np.isfinite(gain), gain, np.nan), "m")
    grid = scene.ground.spread(found.nearest)
    field = Field("service_distance", "m", "cell", grid.values)
    layer = Layer("distance", "Distance to the nearest sensor", "result", grid, fields=(field,))
    steps = np.where(np.isfinite(found.steps), found.steps, np.nan)
    chart = _by_number("distance_by_number", "Distance by number of sensors", "Distance", "m", steps)
    is_known = bool(np.isfinite(found.bound))
    proven = is_known and found.bound >= found.value * (1 - 1e-9)
    summary = {
        "sensors": Quantity(len(found.order), "1"),
        "existing": Quantity(scene.sites.existing, "1"),
        "places": Quantity(len(scene.sites.points) - scene.sites.existing, "1"),
        f"distance_{measure}": Quantity(round(found.value, 3), "m"),
        "proven": Quantity("yes" if proven else "no", ""),
    }
    if not is_known:
        summary["heuristic"] = Quantity("yes", "")
    else:
        summary["distance_bound"] = Quantity(round(found.bound, 3), "m")
        summary["gap"] = Quantity(round(100.0 * max(0.0, 1.0 - found.bound / max(found.value, 1e-9)), 3), "%")
    return placed, [layer], chart, summary
