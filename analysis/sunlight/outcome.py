"""What ``sunlight.hours`` gives back: layers, the table of buildings, key figures, and what was taken for granted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.contract import Quantity, Table
from analysis.kernels import sun
from analysis.kernels.rays import SunTime
from analysis.kernels.sampling import GroundPoints
from analysis.sunlight.city import City, element_count
from analysis.sunlight.day import Day
from analysis.sunlight.declaration import SunlightInputs, SunlightParams
from analysis.sunlight.surfaces import Surface
from geo.model import Column, ElementTable, Field, Grid, Issue, Layer, Mesh, Style

Floats = NDArray[np.float64]

ANSWER = ("ground_mean", "ground_share_2h", "facades_mean", "facades_share_2h")  # what is asked for first
HOUR_STEPS = (2.0, 4.0)  # [h] of the summary: 2 h and 4 h are the two limits of Korean courts


class Names(NamedTuple):
    """Per element through all layers: unique name, id in its layer, name of the layer, id of the layer."""

    unique: NDArray[np.object_]
    own: NDArray[np.object_]
    layer: NDArray[np.object_]
    layer_id: NDArray[np.object_]


def element_names(city: City) -> Names:
    """Names of all elements; an id that two layers share gets the layer's id in front."""
    own: list[str] = []
    layers: list[str] = []
    layer_ids: list[str] = []
    for layer, mesh, _ in city.buildings:
        count = element_count(layer, mesh)
        ids = [str(i) for i in layer.table.ids]
        own += ids + [f"{layer.id}-{k}" for k in range(len(ids), count)]
        layers += [layer.name] * count
        layer_ids += [layer.id] * count
    twice = {name for name, seen in _counted(own).items() if seen > 1}
    unique = [f"{lid}:{name}" if name in twice else name for lid, name in zip(layer_ids, own, strict=True)]
    return Names(*(np.array(column, dtype=object) for column in (unique, own, layers, layer_ids)))


def _counted(names: list[str]) -> Mapping[str, int]:
    values, counts = np.unique(np.array(names, dtype=str), return_counts=True)
    return dict(zip(values.tolist(), counts.tolist(), strict=True))


def hour_fields(total: NDArray[np.float64], longest: NDArray[np.float64], on: str, hours: float) -> tuple[Field, Field]:
    """Hours and longest run; `hours` is what an open field gets [h]."""
    top = max(1.0, float(np.ceil(hours)))
    return (
        Field("sun_hours", "h", on, total, ramp="sun_hours", range=(0.0, top)),  # type: ignore[arg-type]
        Field("longest_run", "h", on, longest, ramp="sun_hours", range=(0.0, top)),  # type: ignore[arg-type]
    )


def result_layers(
    ground: tuple[GroundPoints, SunTime] | None, surfaces: dict[str, Surface], names: Names, day: Day
) -> tuple[Layer, ...]:
    """The layers ``ground`` (cells), ``facades`` and ``roofs`` (small faces), coloured by hours."""
    return layers_of(ground, surfaces, names, day.hours)


def layers_of(
    ground: tuple[GroundPoints, SunTime] | None, surfaces: dict[str, Surface], names: Names, possible: float
) -> tuple[Layer, ...]:
    """As `result_layers`; `possible` is what an open field gets [h], the top of the legends."""
    layers = []
    style = Style(colour_by="sun_hours")
    if ground is not None:
        points, time = ground
        hours, longest = points.spread(time.total), points.spread(time.longest)
        level = float(points.points[:, 2].mean()) if len(points.points) else 0.0
        grid = Grid(hours, points.x0, points.y0, points.cell, z=level)
        fields = hour_fields(hours, longest, "cell", possible)
        layers.append(Layer("ground", "Sun hours on the ground", "result", grid, fields=fields, style=style))
    titles = {"facades": "Sun hours on facades", "roofs": "Sun hours on roofs"}
    for name, surface in surfaces.items():
        cells, time = surface
        if len(cells.area) == 0:
            continue
        used, element = np.unique(cells.mesh.face_element, return_inverse=True)
        mesh = Mesh(cells.mesh.vertices, cells.mesh.faces, element.astype(np.int32))
        total, longest = time.total[cells.cell_of_face], time.longest[cells.cell_of_face]
        stats = _per_element(surface, len(names.unique))
        table = ElementTable(
            names.unique[used],
            {
                "building": Column(names.own[used]),
                "layer": Column(names.layer[used]),
                "mean_hours": Column(stats["mean"][used], "h"),
                "min_hours": Column(stats["min"][used], "h"),
                "area": Column(stats["area"][used], "m2"),
            },
        )
        fields = hour_fields(total, longest, "face", possible)
        layers.append(Layer(name, titles[name], "result", mesh, table=table, fields=fields, style=style))
    return tuple(layers)


def _per_element(surface: Surface, count: int) -> dict[str, Floats]:
    """Mean (by area), least hours and area per element; not-a-number where it has no such surface."""
    cells, time = surface
    area = np.bincount(cells.element, cells.area, count)
    weighted = np.bincount(cells.element, cells.area * time.total, count)
    least = np.full(count, np.inf)
    np.minimum.at(least, cells.element, time.total)
    none = area == 0
    mean = np.divide(weighted, area, out=np.full(count, np.nan), where=~none)
    return {"mean": mean, "min": np.where(none, np.nan, least), "area": area}


def building_table(city: City, surfaces: dict[str, Surface], names: Names) -> Table:
    """One row per building: least and mean hours and area of its walls and of its roof."""
    columns = {
        "id": Column(names.own, title="Building"),
        "layer": Column(names.layer, title="Layer"),
    }
    for name, title in (("facades", "walls"), ("roofs", "roof")):
        if name in surfaces:
            stats = _per_element(surfaces[name], len(names.unique))
            columns[f"{name}_mean"] = Column(stats["mean"], "h", f"Mean hours, {title}")
            columns[f"{name}_min"] = Column(stats["min"], "h", f"Least hours, {title}")
            columns[f"{name}_area"] = Column(stats["area"], "m2", f"Area, {title}")
    keep = np.zeros(len(names.unique), dtype=bool)
    for surface in surfaces.values():
        keep[surface.cells.element] = True
    kept = {key: Column(column.values[keep], column.unit, column.title) for key, column in columns.items()}
    return Table("buildings", "Hours of sun per building", kept)


def summary(day: Day, ground: tuple[GroundPoints, SunTime] | None, surfaces: dict[str, Surface]) -> dict[str, Quantity]:
    """Key figures, lengths of time in hours, shares in percent of the area."""

    def clock(instant: np.datetime64 | None) -> str:
        if instant is None:  # no sunrise or no sunset on this day
            return "-"
        return str(instant + np.timedelta64(round(day.utc_offset * 3_600_000), "ms"))[11:19]

    out = {
        "sunrise": Quantity(clock(day.day.sunrise), ""),
        "solar_noon": Quantity(clock(day.day.noon), ""),
        "sunset": Quantity(clock(day.day.sunset), ""),
        "day_length": Quantity(round(day.day.length_h, 4), "h"),
        "possible_hours": Quantity(round(day.hours, 4), "h"),
    }
    return answer_first(out | place_summary(ground, surfaces))


def answer_first(figures: dict[str, Quantity]) -> dict[str, Quantity]:
    """The same figures, those that answer the question before the times of the day and the rest."""
    return {name: figures[name] for name in ANSWER if name in figures} | figures


def place_summary(ground: tuple[GroundPoints, SunTime] | None, surfaces: dict[str, Surface]) -> dict[str, Quantity]:
    """Hours of ground, facades and roofs; points looked at and rays traced."""
    out: dict[str, Quantity] = {}
    rays = points = 0
    if ground is not None:
        cells, time = ground
        each = np.full(len(time.total), cells.cell**2)
        out |= _statistics("ground", time.total, each)
        rays, points = rays + time.rays, points + len(each)
    for name, surface in surfaces.items():
        out |= _statistics(name, surface.time.total, surface.cells.area)
        rays, points = rays + surface.time.rays, points + len(surface.cells.area)
    return out | {"points": Quantity(points, "1"), "rays": Quantity(rays, "1")}


def _statistics(name: str, hours: Floats, area: Floats) -> dict[str, Quantity]:
    """Area, mean, median, 10th percentile and the share with enough hours, weighted by area."""
    total = float(area.sum())
    out = {f"{name}_area": Quantity(round(total, 3), "m2")}
    if total == 0:
        return out
    order = np.argsort(hours, kind="stable")
    reached = np.cumsum(area[order]) / total

    def percentile(share: float) -> float:
        return round(float(hours[order][min(int(np.searchsorted(reached, share)), len(order) - 1)]), 4)

    out[f"{name}_mean"] = Quantity(round(float((hours * area).sum() / total), 4), "h")
    out[f"{name}_median"] = Quantity(percentile(0.5), "h")
    out[f"{name}_p10"] = Quantity(percentile(0.1), "h")
    for least in HOUR_STEPS:
        # hours are sums of steps: a ten-billionth forgives the rounding of twelve tenths of an hour
        enough = float(area[hours >= least - 1e-10].sum()) / total
        out[f"{name}_share_{least:.0f}h"] = Quantity(round(100 * enough, 3), "%")
    return out


# The translations count these from 0 (``sunlight.hours.assumption.0``): keep the order.
ASSUMPTIONS = (
    "The sun is a point: true shadow edges are blurred by 0.27 degrees to each side.",
    "The sun's height includes refraction at sea level (1013 hPa, 12 degrees C).",
    "Each time step is judged at its middle, from the rise of the sun's centre to its setting on a plain.",
    "The sky is clear; glass blocks like a wall.",
    "The horizon is made by the loaded terrain and obstacles; hills beyond them do not block.",
    "Walls that touch a neighbour count as facade without sun.",
    "Means, percentiles and shares are weighted by area.",
)


def choices_made(inputs: SunlightInputs, params: SunlightParams, day: Day) -> list[Issue]:
    """What was decided for the user, with its figures."""
    return choices_at(inputs, params, day.utc_offset)


def choices_at(inputs: SunlightInputs, params: SunlightParams, utc_offset: float) -> list[Issue]:
    """As `choices_made`; `utc_offset` is the clock time minus UTC [h]."""
    clock = params.time_basis == "clock"
    basis = "clock time" if clock else "true solar time"
    made = [
        Issue(
            "sunlight.clock_time" if clock else "sunlight.solar_time",
            f"Hours of the day are {basis}; the clock shows UTC{utc_offset:+g} h.",
            values={"offset": f"{utc_offset:+g}"},
        )
    ]
    if params.utc_offset == "auto" and not sun.in_korea(inputs.frame.longitude, inputs.frame.latitude):
        made.append(
            Issue(
                "sunlight.offset_assumed",
                f"UTC{utc_offset:+g} h was taken from the longitude; the legal time of the place may differ.",
                severity="doubt",
                values={"offset": f"{utc_offset:+g}"},
            )
        )
    if inputs.trees:
        code, said = (
            ("sunlight.trees_block", "block") if params.trees_block else ("sunlight.trees_left_out", "do not block")
        )
        made.append(Issue(code, f"Trees {said} the sun.", count=len(inputs.trees)))
    return made
