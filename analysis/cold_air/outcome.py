"""What the study of cold air hands back: maps, arrows, dams, chart, key figures, assumptions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analysis.cold_air.land import Site, rules
from analysis.cold_air.night import Dam, Night
from analysis.contract import Chart, Quantity, Series, Table
from analysis.wind.scene_map import arrow_points
from geo.model import Column, ElementTable, Field, Grid, Layer, Lines, Style

Floats = NDArray[np.float64]

CLASSES = ("hardly any", "weak", "moderate", "strong")
ARROWS_ACROSS = 60  # of the longer side of the land
LEAST_FLOW = 0.05  # [m3/(s m)] below it no arrow is drawn
ABOVE = 2.0  # [m] over ground and roofs at which arrows lie
MOST_DAMS = 200

# The translations count these from 0 (``wind.cold_air.assumption.0``): keep the order.
ASSUMPTIONS = (
    "A clear, calm night without wind from outside: the air moves by its own weight alone.",
    "One layer with one temperature deficit per column; its depth is that of a layer of even density.",
    "Cold air is made at a steady rate by the kind of land; roofs, roads and water make none.",
    "A building fills its cell where it covers more than half of it, and air flows over it when deep enough; "
    "smaller ones only slow the air.",
    "Air leaves the land where its border falls outwards; where it is level or rises, the land beyond is taken to be "
    "alike, and nothing flows in: take the catchment of the slopes into the land.",
    "Held air is the depth with buildings less the depth without any, within six cells of the nearest row.",
)


def cold_air_layers(site: Site, night: Night, held: Floats | None) -> tuple[Layer, ...]:
    """The map and the arrows."""
    limits = np.array(rules()["classes"]["limits"])
    walls = site.land.built > 0

    def shown(values: Floats) -> Floats:
        return np.where(walls, np.nan, values)

    codes = np.where(walls, -1, np.searchsorted(limits, night.flow, side="right")).astype(np.int8)
    fields = [
        Field("cold_air_depth", "m", "cell", shown(night.depth), ramp="wind"),
        Field("cold_air_flow", "m3/(s m)", "cell", shown(night.flow), ramp="wind"),
        Field("cold_air_class", "1", "cell", codes, categories=CLASSES, ramp="wind"),
        Field("cold_air_speed", "m/s", "cell", shown(np.hypot(night.east, night.north)), ramp="wind"),
        Field("cold_arrival", "h", "cell", shown(night.arrival), ramp="viridis"),
        Field("temperature_deficit", "K", "cell", shown(night.deficit), ramp="viridis"),
    ]
    if held is not None:
        top = max(float(np.nanpercentile(np.abs(held), 99.5)), 0.5)
        fields.append(Field("held_depth", "m", "cell", shown(held), ramp="difference", range=(-top, top)))
    fields += [
        Field(f"depth_hour_{hour + 1}", "m", "cell", shown(depth), ramp="wind", range=_range(night))
        for hour, depth in enumerate(night.hourly)
    ]
    grid = Grid(shown(night.depth), site.x0, site.y0, site.land.cell, z=float(np.median(site.land.ground)))
    style = Style(colour_by="cold_air_flow")
    layers = [Layer("cold_air", "Cold air at the end of the night", "result", grid, fields=tuple(fields), style=style)]
    if (arrows := _arrows(site, night)) is not None:
        layers.append(arrows)
    return tuple(layers)


def _range(night: Night) -> tuple[float, float]:
    return 0.0, max(float(np.percentile(night.depth, 99.0)), 1.0)


def _arrows(site: Site, night: Night) -> Layer | None:
    """Arrows of even density along the mean flow of the last hour, as long as their spacing at most."""
    rows, columns = site.land.shape
    step = max(1, round(max(rows, columns) / ARROWS_ACROSS))
    row, column = (part.ravel() for part in np.mgrid[step // 2 : rows : step, step // 2 : columns : step])
    flow = night.flow[row, column]
    use = (flow > LEAST_FLOW) & ~(site.land.built > 0)[row, column]
    if not use.any():
        return None
    row, column, flow = row[use], column[use], flow[use]
    way = np.column_stack([night.east[row, column], night.north[row, column]])
    speed = np.hypot(way[:, 0], way[:, 1])
    way /= np.maximum(speed, 1e-9)[:, None]
    length = step * site.land.cell * (0.35 + 0.55 * np.sqrt(flow / np.percentile(flow, 98.0)).clip(0.0, 1.0))
    z = site.land.ground[row, column] + ABOVE
    middle = np.column_stack([site.x0 + site.land.cell * column, site.y0 + site.land.cell * row])
    vertices = arrow_points(middle, way, length, z)
    count = len(row)
    shape = Lines(vertices, 5 * np.arange(count + 1, dtype=np.int32), np.arange(count, dtype=np.int32))
    table = ElementTable(
        [f"arrow-{number}" for number in range(count)],
        {"cold_air_flow": Column(flow, "m3/(s m)"), "cold_air_speed": Column(speed, "m/s")},
    )
    fields = (Field("cold_air_flow", "m3/(s m)", "element", flow, ramp="wind"),)
    return Layer(
        "arrows", "Flow of cold air", "result", shape, table=table, fields=fields, style=Style(colour="#14508c")
    )


def dam_table(dams: list[Dam]) -> Table:
    """Rows of buildings by the cold air they hold."""
    some = dams[:MOST_DAMS]
    columns = {
        "buildings": Column(np.array([", ".join(dam.buildings) for dam in some], dtype=object)),
        "count": Column(np.array([len(dam.buildings) for dam in some], dtype=np.int64)),
        "held_volume": Column(np.array([dam.held for dam in some], dtype=np.float64), "m3"),
        "held_most": Column(np.array([dam.highest for dam in some], dtype=np.float64), "m"),
        "width_across": Column(np.array([dam.width for dam in some], dtype=np.float64), "m"),
        "freed_volume": Column(np.array([dam.freed for dam in some], dtype=np.float64), "m3"),
    }
    return Table("dams", "Buildings that dam the cold air", columns)


def charts(night: Night) -> tuple[Chart, ...]:
    """Volumes over the night, and the depth in the study area."""
    names = (("made", night.made), ("in place", night.held), ("flowed out", night.left), ("mixed in", night.mixed))
    volumes = tuple(Series(name, night.hours, values / 1e6) for name, values in names)
    depth = (Series("mean depth", night.hours, night.study_depth),)
    return (
        Chart("depth", "Cold air in the study area", "Hours", "h", "Mean depth", "m", depth),
        Chart("volumes", "Cold air over the night", "Hours", "h", "Volume", "Mm3", volumes),
    )


def summary(site: Site, night: Night, dams: list[Dam], held: Floats | None) -> dict[str, Quantity]:
    """Key figures of the study area and of the whole land."""
    inside = site.inside & ~(site.land.built > 0)

    def mean(values: Floats) -> float:
        return round(float(values[inside].mean()), 3) if inside.any() else 0.0

    reached = np.isfinite(night.arrival)[inside]
    flow = np.searchsorted(rules()["classes"]["limits"], night.flow[inside], side="right")
    out = {
        "study_depth": Quantity(mean(night.depth), "m"),
        "study_flow": Quantity(mean(night.flow), "m3/(s m)"),
        "study_deficit": Quantity(mean(night.deficit), "K"),
        "study_reached": Quantity(round(100.0 * float(reached.mean()), 2) if reached.size else 0.0, "%"),
        "study_ventilated": Quantity(round(100.0 * float((flow >= 2).mean()), 2) if flow.size else 0.0, "%"),
        "first_arrival": Quantity(_first(night.arrival[inside]), "h"),
        "made": Quantity(round(float(night.made[-1]) / 1e6, 4), "Mm3"),
        "flowed_out": Quantity(round(float(night.left[-1]) / 1e6, 4), "Mm3"),
        "mixed_in": Quantity(round(float(night.mixed[-1]) / 1e6, 4), "Mm3"),
        "balance_error": Quantity(round(100.0 * night.balance_error, 6), "%"),
        "cells": Quantity(int(site.land.ground.size), "1"),
    }
    if held is not None:
        near = held[inside]
        out["dams"] = Quantity(len(dams), "1")
        out["held_volume"] = Quantity(round(sum(dam.held for dam in dams)), "m3")
        out["study_held"] = Quantity(round(float(near.mean()), 3) if near.size else 0.0, "m")
    return out


def _first(arrival: Floats) -> float | None:
    known = arrival[np.isfinite(arrival)]
    return round(float(known.min()), 3) if known.size else None
