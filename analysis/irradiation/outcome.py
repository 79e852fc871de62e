"""What ``sunlight.irradiation`` gives back: layers, tables, key figures, the chart of months."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.contract import Chart, Quantity, Series, Table
from analysis.irradiation.exposed import Exposed, Ground, Surface
from analysis.irradiation.modules import Modules
from analysis.irradiation.sky import YearSky
from analysis.irradiation.weather import Hours
from analysis.kernels.irradiance import MONTHS
from analysis.sunlight.outcome import Names
from geo.model import Column, ElementTable, Field, Frame, Grid, Layer, Mesh, Style

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]

FIELD = "irradiation"
UNIT = "kWh/m2"
SECTORS = ("north", "northeast", "east", "southeast", "south", "southwest", "west", "northwest")
RAMP = "sun_hours"

# The translations count these from 0 (``sunlight.irradiation.assumption.0``): keep the order.
ASSUMPTIONS = (
    "The sky of every hour is that of Perez (1990): an even dome, a bright spot around the sun, a band on the horizon.",
    "Global radiation is kept to the weather file; its diffuse part is what direct radiation leaves of it.",
    "The sun is a point; it is taken twice in every hour and only while it is up on a plain.",
    "Reflected light is one bounce: mean ground and mean building times their albedo; glass reflects like a wall.",
    "A ray through several crowns is dimmed once; crowns let the same share through everywhere, evergreens too.",
    "The horizon is made by the loaded terrain and obstacles; hills beyond them do not block.",
    "Modules lie flat on their surface; snow, dirt and age are in the performance ratio.",
)


class Outcome(NamedTuple):
    """All that the result is made from."""

    frame: Frame
    hours: Hours
    year: YearSky
    exposed: Exposed
    modules: Modules
    names: Names


def result_layers(outcome: Outcome) -> tuple[Layer, ...]:
    """The layers ``ground``, ``facades`` and ``roofs``, coloured by what falls on them in a year."""
    found = outcome.exposed
    top = _top(outcome)
    layers = []
    if found.ground is not None:
        layers.append(_ground_layer(found.ground, top))
    for name, surface in found.surfaces.items():
        if len(surface.cells.area):
            layers.append(_surface_layer(name, surface, outcome.names, top))
    return tuple(layers)


def _top(outcome: Outcome) -> float:
    """End of the legend: one for all layers, a round number."""
    highest = float(outcome.year.sky.open_field.sum())
    for surface in outcome.exposed.surfaces.values():
        if len(surface.months):
            highest = max(highest, float(np.percentile(surface.months.sum(axis=1), 99.5)))
    return float(np.ceil(highest / 100.0) * 100.0)


def _fields(months: Singles, on: str, top: float) -> list[Field]:
    """The year, then the months; rows of (n, 12) in the order of the geometry."""
    year = Field(FIELD, UNIT, on, months.sum(axis=-1), ramp=RAMP, range=(0.0, top))  # type: ignore[arg-type]
    named = [
        Field(f"{FIELD}_{month + 1:02d}", UNIT, on, np.ascontiguousarray(months[..., month]), ramp=RAMP)  # type: ignore[arg-type]
        for month in range(MONTHS)
    ]
    return [year, *named]


def _ground_layer(ground: Ground, top: float) -> Layer:
    cells, months = ground
    spread = np.stack([cells.spread(months[:, month].astype(np.float64)) for month in range(MONTHS)], axis=-1)
    level = float(cells.points[:, 2].mean()) if len(cells.points) else 0.0
    grid = Grid(spread.sum(axis=-1), cells.x0, cells.y0, cells.cell, z=level)
    fields = tuple(_fields(spread.astype(np.float32), "cell", top))
    return Layer("ground", "Irradiation of the ground", "result", grid, fields=fields, style=Style(colour_by=FIELD))


def _surface_layer(name: str, surface: Surface, names: Names, top: float) -> Layer:
    cells, months = surface
    used, element = np.unique(cells.mesh.face_element, return_inverse=True)
    mesh = Mesh(cells.mesh.vertices, cells.mesh.faces, element.astype(np.int32))
    stats = per_element(surface, len(names.unique))
    table = ElementTable(
        names.unique[used],
        {
            "building": Column(names.own[used]),
            "layer": Column(names.layer[used]),
            "irradiation": Column(stats["mean"][used], UNIT),
            "irradiation_sum": Column(stats["total"][used] / 1000.0, "MWh"),
            "area": Column(stats["area"][used], "m2"),
        },
    )
    title = {"facades": "Irradiation of facades", "roofs": "Irradiation of roofs"}[name]
    fields = tuple(_fields(months[cells.cell_of_face], "face", top))
    return Layer(name, title, "result", mesh, table=table, fields=fields, style=Style(colour_by=FIELD))


def per_element(surface: Surface, count: int) -> dict[str, Floats]:
    """Area [m2], sum [kWh] and mean [kWh/m2] of a year per element; the mean is not-a-number without such a surface."""
    cells, months = surface
    year = months.sum(axis=1, dtype=np.float64)
    area = np.bincount(cells.element, cells.area, count)
    total = np.bincount(cells.element, cells.area * year, count)
    return {"area": area, "total": total, "mean": np.divide(total, area, out=np.full(count, np.nan), where=area > 0)}


def tables(outcome: Outcome, best: int) -> tuple[Table, ...]:
    """Buildings, the best roofs, facades by orientation, months."""
    if not outcome.exposed.surfaces:
        return (_months_table(outcome),)
    buildings = _building_table(outcome)
    return (buildings, _best_table(buildings, best), _sector_table(outcome), _months_table(outcome))


def _building_table(outcome: Outcome) -> Table:
    """One row per building: walls, roof, modules."""
    names, modules = outcome.names, outcome.modules
    count = len(names.unique)
    columns = {"id": Column(names.own, title="Building"), "layer": Column(names.layer, title="Layer")}
    keep = np.zeros(count, dtype=bool)
    for name, title in (("roofs", "roof"), ("facades", "walls")):
        surface = outcome.exposed.surfaces[name]
        stats = per_element(surface, count)
        columns[f"{name}_area"] = Column(stats["area"], "m2", f"Area, {title}")
        columns[f"{name}_irradiation"] = Column(stats["mean"], UNIT, f"Irradiation, {title}")
        columns[f"{name}_energy"] = Column(stats["total"] / 1000.0, "MWh", f"Sum of a year, {title}")
        keep[surface.cells.element] = True
    columns["pv_area"] = Column(modules.area, "m2", "Area of modules")
    columns["pv_power"] = Column(modules.power, "kW", "Peak power")
    columns["pv_energy"] = Column(modules.energy, "kWh", "Electricity in a year")
    per_power = np.divide(modules.energy, modules.power, out=np.full(count, np.nan), where=modules.power > 0)
    columns["pv_yield"] = Column(per_power, "kWh/kW", "Yield of a year")
    kept = {key: Column(column.values[keep], column.unit, column.title) for key, column in columns.items()}
    return Table("buildings", "Irradiation per building", kept)


def _best_table(buildings: Table, best: int) -> Table:
    """The buildings with the most electricity, best first."""
    energy = np.asarray(buildings.columns["pv_energy"].values)
    order = np.argsort(-energy, kind="stable")[:best]
    order = order[energy[order] > 0]
    names = ("id", "layer", "roofs_area", "roofs_irradiation", "pv_area", "pv_power", "pv_energy", "pv_yield")
    columns = {"rank": Column(np.arange(1, len(order) + 1, dtype=np.int64), title="Rank")}
    columns |= {
        name: Column(buildings.columns[name].values[order], buildings.columns[name].unit, buildings.columns[name].title)
        for name in names
    }
    return Table("best", "Best buildings for modules", columns)


def sectors_of(normals: Floats, frame: Frame) -> NDArray[np.int64]:
    """(n,) number in `SECTORS` of upright surfaces by where they face, from true north."""
    azimuth = np.degrees(np.arctan2(normals[:, 0], normals[:, 1])) + frame.convergence_deg
    return np.floor(np.mod(azimuth + 22.5, 360.0) / 45.0).astype(np.int64) % 8


def _sector_table(outcome: Outcome) -> Table:
    """Walls by where they face."""
    cells, months = outcome.exposed.surfaces["facades"]
    sector = sectors_of(cells.normals, outcome.frame)
    year = months.sum(axis=1, dtype=np.float64)
    area = np.bincount(sector, cells.area, len(SECTORS))
    total = np.bincount(sector, cells.area * year, len(SECTORS))
    mean = np.divide(total, area, out=np.full(len(SECTORS), np.nan), where=area > 0)
    columns = {
        "facing": Column(np.array(SECTORS, dtype=object), title="Facing"),
        "area": Column(area, "m2", "Area"),
        "irradiation": Column(mean, UNIT, "Irradiation"),
        "irradiation_sum": Column(total / 1000.0, "MWh", "Sum of a year"),
    }
    return Table("orientations", "Facades by orientation", columns)


def _month_means(outcome: Outcome) -> dict[str, Floats]:
    """Means by month (12,) [kWh/m2] of the open field and of each sort of surface, by area."""
    out = {"open_field": outcome.year.sky.open_field}
    found = outcome.exposed
    for name, surface in found.surfaces.items():
        if surface.cells.area.sum() > 0:
            out[name] = np.average(surface.months.astype(np.float64), axis=0, weights=surface.cells.area)
    if found.ground is not None and len(found.ground.months):
        out["ground"] = found.ground.months.mean(axis=0, dtype=np.float64)
    return out


TITLES = {"open_field": "Open field", "roofs": "Roofs", "facades": "Facades", "ground": "Ground"}


def _months_table(outcome: Outcome) -> Table:
    columns = {"month": Column(np.arange(1, MONTHS + 1, dtype=np.int64), title="Month")}
    for name, values in _month_means(outcome).items():
        columns[name] = Column(values, UNIT, TITLES[name])
    columns["pv_energy"] = Column(outcome.modules.months, "kWh", "Electricity")
    return Table("months", "Irradiation by month", columns)


def month_chart(outcome: Outcome) -> Chart:
    """Means of each sort of surface over the months."""
    months = np.arange(1.0, MONTHS + 1)
    series = tuple(
        Series(TITLES[name], months, values, role="dashed" if name == "open_field" else "line")
        for name, values in _month_means(outcome).items()
    )
    return Chart("months", "Irradiation by month", "Month", "1", "Irradiation", UNIT, series)


def summary(outcome: Outcome) -> dict[str, Quantity]:
    """Key figures of the year."""
    found = outcome.exposed
    out = {
        "station": Quantity(outcome.hours.station.name, ""),
        "open_field": Quantity(round(float(outcome.year.sky.open_field.sum()), 1), UNIT),
    }
    if found.ground is not None and len(found.ground.months):
        out["ground_mean"] = Quantity(round(float(found.ground.months.mean(axis=0).sum()), 1), UNIT)
    points = len(found.ground.months) if found.ground is not None else 0
    for name, surface in found.surfaces.items():
        area = float(surface.cells.area.sum())
        total = float(surface.cells.area @ surface.months.sum(axis=1, dtype=np.float64))
        points += len(surface.cells.area)
        out[f"{name}_area"] = Quantity(round(area, 1), "m2")
        if area > 0:
            out[f"{name}_mean"] = Quantity(round(total / area, 1), UNIT)
            out[f"{name}_energy"] = Quantity(round(total / 1000.0, 1), "MWh")
    modules = outcome.modules
    out["pv_area"] = Quantity(round(float(modules.area.sum()), 1), "m2")
    out["pv_power"] = Quantity(round(float(modules.power.sum()), 1), "kW")
    out["pv_energy"] = Quantity(round(float(modules.energy.sum()) / 1000.0, 1), "MWh")
    out["sun_directions"] = Quantity(outcome.year.sun_directions, "1")
    return out | {"points": Quantity(points, "1"), "rays": Quantity(found.rays, "1")}
