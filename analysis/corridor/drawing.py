"""Layers of the study of ventilation corridors beside its map: lanes, bottlenecks, form, sections, changes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from analysis.corridor.one_wind import CityForm, OneWind
from analysis.wind import scene_map, terrain
from analysis.wind.geometry import Built
from analysis.wind.tunnel import Tunnel
from geo.model import Column, ElementTable, Field, Grid, Layer, Lines, Points, Style

Floats = NDArray[np.float64]

ABOVE = 1.0  # [m] over the height of the map at which lanes are drawn
SECTION_POINTS = 20


def draped(tunnel: Tunnel, scene: Floats, above: float) -> Floats:
    """(n, 3) positions [local m] at a height above the ground of the tunnel."""
    there = scene_map.axes_of(tunnel).to_tunnel(scene)
    _, rows, columns = tunnel.shape
    column = np.clip(np.searchsorted(tunnel.x, there[:, 0], side="right") - 1, 0, columns - 1)
    row = np.clip(np.searchsorted(tunnel.y, there[:, 1], side="right") - 1, 0, rows - 1)
    return np.column_stack([scene, tunnel.base + tunnel.ground[row, column] + above])


def lane_name(one: OneWind, number: int) -> str:
    """Such as ``NW-1``: the wind and the rank."""
    return f"{one.direction.name}-{number + 1}"


def _lines(parts: Sequence[Floats]) -> Lines:
    counts = [len(part) for part in parts]
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    vertices = np.concatenate(parts) if parts else np.zeros((0, 3))
    return Lines(vertices, offsets, np.arange(len(parts), dtype=np.int32))


def lane_layers(winds: Sequence[OneWind], names: NDArray[np.object_], height: float) -> list[Layer]:
    """The lanes as lines and their bottlenecks as points; nothing where there are none."""
    lanes = [(one, number, lane) for one in winds for number, lane in enumerate(one.lanes)]
    if not lanes:
        return []
    parts = [draped(one.tunnel, one.city.axes.to_scene(lane.xy), height + ABOVE) for one, _, lane in lanes]
    ids = [lane_name(one, number) for one, number, _ in lanes]
    figures = {
        "lane_width": np.array([lane.width for _, _, lane in lanes]),
        "least_width": np.array([lane.least_width for _, _, lane in lanes]),
        "length": np.array([lane.length for _, _, lane in lanes]),
    }
    plain = {
        "lane_ratio": np.array([lane.mean_ratio for _, _, lane in lanes]),
        "resistance": np.array([lane.resistance for _, _, lane in lanes]),
    }
    columns = {
        "wind_direction": Column(np.array([one.direction.name for one, _, _ in lanes], dtype=object)),
        "rank": Column(np.array([number + 1 for _, number, _ in lanes], dtype=np.int64)),
        **{name: Column(values, "m") for name, values in figures.items()},
        **{name: Column(values, "1") for name, values in plain.items()},
        "criteria_failed": Column(np.array([one.judged[number].failed for one, number, _ in lanes], dtype=np.int64)),
    }
    fields = (
        Field("lane_ratio", "1", "element", plain["lane_ratio"], ramp="wind"),
        Field("lane_width", "m", "element", figures["lane_width"], ramp="viridis"),
        Field("resistance", "1", "element", plain["resistance"], ramp="exposure"),
    )
    out = [
        Layer(
            "lanes", "Lanes", "result", _lines(parts), table=ElementTable(ids, columns), fields=fields,
            style=Style(colour_by="lane_ratio"),
        )
    ]  # fmt: skip
    necks = _bottlenecks(lanes, parts, names)
    return out if necks is None else [*out, necks]


def _bottlenecks(
    lanes: Sequence[tuple[OneWind, int, object]], parts: Sequence[Floats], names: NDArray[np.object_]
) -> Layer | None:
    """Narrow places with the buildings on their sides."""
    rows = [
        (f"{lane_name(one, number)}-{count + 1}", parts[place][neck.place], neck)
        for place, (one, number, _) in enumerate(lanes)
        for count, neck in enumerate(one.lanes[number].bottlenecks)
    ]
    if not rows:
        return None

    def side(which: int) -> Column:
        return Column(np.array([str(names[neck.elements[which]]) for _, _, neck in rows], dtype=object))

    width = np.array([neck.width for _, _, neck in rows])
    columns = {
        "width": Column(width, "m"),
        "lane_width": Column(np.array([neck.usual for _, _, neck in rows]), "m"),
        "building_right": side(0),
        "building_left": side(1),
    }
    shape = Points(np.array([point for _, point, _ in rows]), np.arange(len(rows), dtype=np.int32))
    table = ElementTable([name for name, _, _ in rows], columns)
    field = Field("width", "m", "element", width, ramp="exposure")
    return Layer(
        "bottlenecks", "Bottlenecks", "result", shape, table=table, fields=(field,), style=Style(colour="#d8382f")
    )


def form_layer(winds: Sequence[OneWind], city: CityForm, built: Built) -> Layer:
    """Frontal area and roughness of large cells by each wind."""
    cells = city.cells
    x0, y0 = cells.low + 0.5 * cells.size
    level = float(np.nan_to_num(terrain.heights(built.plan.ground, cells.middle[None])[0]))
    weights = np.array([one.direction.weight for one in winds])
    frontal = np.tensordot(weights, city.form.frontal[: len(winds)], axes=1)
    rough = np.tensordot(weights, np.stack([part.length for part in city.rough]), axes=1)
    fields = [
        Field("frontal_index", "1", "cell", frontal, ramp="exposure"),
        Field("roughness_length", "m", "cell", rough, ramp="exposure"),
        Field("displacement", "m", "cell", city.rough[0].displacement),
        Field("built_share", "1", "cell", city.form.built, ramp="exposure", range=(0.0, 1.0)),
    ]
    for number, one in enumerate(winds):
        name = one.direction.name
        fields.append(Field(f"frontal_{name}", "1", "cell", city.form.frontal[number], ramp="exposure"))
        fields.append(Field(f"roughness_{name}", "m", "cell", city.rough[number].length, ramp="exposure"))
    grid = Grid(frontal, float(x0), float(y0), cells.size, z=level)
    style = Style(colour_by="frontal_index", visible=False)
    return Layer("form", "Frontal area and roughness", "result", grid, fields=tuple(fields), style=style)


def section_layer(winds: Sequence[OneWind]) -> Layer:
    """A line across the wind for each strip, with its open share."""
    parts, ids, share, name = [], [], [], []
    for one in winds:
        left = np.linspace(-0.5 * one.city.width, 0.5 * one.city.width, SECTION_POINTS)
        for number, (distance, is_open) in enumerate(zip(one.strips.distance, one.strips.open_share, strict=True)):
            along = np.full(SECTION_POINTS, distance - 0.5 * one.city.length)
            scene = one.city.axes.to_scene(np.column_stack([along, left]))
            parts.append(draped(one.tunnel, scene, ABOVE))
            ids.append(f"{one.direction.name}-section-{number + 1}")
            share.append(100.0 * is_open)
            name.append(one.direction.name)
    values = np.array(share)
    columns = {"wind_direction": Column(np.array(name, dtype=object)), "open_share": Column(values, "%")}
    field = Field("open_share", "%", "element", values, ramp="wind", range=(0.0, 100.0))
    style = Style(colour_by="open_share", visible=False)
    table = ElementTable(ids, columns)
    return Layer(
        "sections", "Sections across the wind", "result", _lines(parts), table=table, fields=(field,), style=style
    )


def freed_fields(winds: Sequence[OneWind], where: scene_map.SceneMap) -> list[Field]:
    """What each check changed: velocity ratio without the row less that with it."""
    out: list[Field] = []
    for one in winds:
        for found in one.freed.values():
            values = scene_map.laid(found.change, one.tunnel, where)
            most = float(np.nanpercentile(np.abs(values), 99.5)) if np.isfinite(values).any() else 0.0
            top = max(most, 0.01)
            out.append(Field(f"freed_{len(out) + 1}", "1", "cell", values, ramp="difference", range=(-top, top)))
    return out
