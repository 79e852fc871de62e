"""Headless. Sources of dust set by hand: sites drawn as areas, chimneys, and the traffic of roads."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.element_edit import number_of, owned_here, with_value
from geo.model import Column, ElementTable, Grid, Layer, Lines, Mesh, Points, Style, UserError
from geo.model.conventions import (
    ACTIVE_SHARE,
    SOURCE_GROUP,
    SOURCE_HEIGHT,
    SOURCE_KIND,
    SOURCE_KINDS,
    SOURCE_NAME,
    STRENGTH_PM10,
    STRENGTH_PM25,
    TRAFFIC,
    VEHICLE_WEIGHT,
)

Floats = NDArray[np.float64]

EDITED = "dust_source.edited_here"
LIFT = 0.25  # [m] of a site over the ground, so that it is seen
SMALLEST_SITE = 1.0  # [m2]
UNITS = {ACTIVE_SHARE: "1", STRENGTH_PM10: "g/s", STRENGTH_PM25: "g/s", SOURCE_HEIGHT: "m"}
ROAD_UNITS = {TRAFFIC: "1/d", VEHICLE_WEIGHT: "t"}


@dataclass(frozen=True)
class SourceValues:
    """What a source says of itself; NaN where it does not.

    Attributes
    ----------
    name, group : str
    kind : one of `SOURCE_KINDS`
    active_share : float
        Of a site that is worked on, 0 to 1.
    pm10, pm25 : float [g/s]
        Stated strengths.
    height : float [m]
        Above the ground, of points.
    """

    name: str
    group: str
    kind: str
    active_share: float = math.nan
    pm10: float = math.nan
    pm25: float = math.nan
    height: float = math.nan

    def columns(self) -> dict[str, Column]:
        """As columns of one row; numbers that are not stated are left out."""
        texts = {SOURCE_NAME: self.name, SOURCE_GROUP: self.group, SOURCE_KIND: self.kind}
        numbers = {
            ACTIVE_SHARE: self.active_share,
            STRENGTH_PM10: self.pm10,
            STRENGTH_PM25: self.pm25,
            SOURCE_HEIGHT: self.height,
        }
        made = {name: Column(np.array([text], dtype=object)) for name, text in texts.items()}
        stated = {name: value for name, value in numbers.items() if math.isfinite(value)}
        return {**made, **{name: Column(np.array([value]), UNITS[name]) for name, value in stated.items()}}


def is_source(layer: Layer | None) -> bool:
    """Whether a layer is one source that was set here and may be asked about again."""
    return layer is not None and layer.theme == "emission" and not layer.source.path and len(layer.table) == 1


def values_of(layer: Layer) -> SourceValues:
    """What the one source of a layer says."""
    columns = layer.table.columns

    def text(name: str, default: str = "") -> str:
        return str(columns[name].values[0]) if name in columns else default

    def number(name: str) -> float:
        found = number_of(columns[name].values[0]) if name in columns else None
        return math.nan if found is None else found

    kind = text(SOURCE_KIND, "other")
    return SourceValues(
        text(SOURCE_NAME, layer.name),
        text(SOURCE_GROUP),
        kind if kind in SOURCE_KINDS else "other",
        number(ACTIVE_SHARE),
        number(STRENGTH_PM10),
        number(STRENGTH_PM25),
        number(SOURCE_HEIGHT),
    )


def site_layer(ring: Floats, values: SourceValues, *, layer_id: str, ground: Grid | None) -> Layer:
    """An area on the ground that emits, from its corners (n, 3) [local m] in order. Raises `UserError`."""
    import shapely

    from geo.buildings import clean_areas
    from geo.terrain import drape_areas

    corners = np.asarray(ring, dtype=np.float64)[:, :2]
    areas = clean_areas(np.array([shapely.Polygon(corners)], dtype=object), smallest=SMALLEST_SITE).polygons
    if len(areas) == 0:
        raise UserError(
            "The site encloses no area.",
            "Its corners lie on one line or too close together.",
            "Draw at least three corners around it.",
            code="dust_source.no_area",
        )
    mesh, _grounded = drape_areas(areas, ground, lift=LIFT)
    if ground is None:
        mesh = Mesh(mesh.vertices + [0.0, 0.0, float(np.mean(ring[:, 2]))], mesh.faces, mesh.face_element)
    one = Mesh(mesh.vertices, mesh.faces, np.zeros(len(mesh.faces), np.int32))
    return _layer(one, values, layer_id)


def stack_layer(place: Floats, values: SourceValues, *, layer_id: str) -> Layer:
    """A chimney or an outlet over a point (3,) on the ground [local m]."""
    points = np.asarray(place, dtype=np.float64)[None]
    return _layer(Points(points, np.zeros(1, np.int32)), values, layer_id)


def _layer(shape: Mesh | Points, values: SourceValues, layer_id: str) -> Layer:
    table = ElementTable(["source-1"], values.columns())
    return Layer(layer_id, values.name, "emission", shape, table, style=Style(opacity=0.8))


def with_values(layer: Layer, values: SourceValues) -> Layer:
    """The same source with other values."""
    return layer.with_(name=values.name, table=ElementTable(layer.table.ids, values.columns()))


# ---- roads


def is_road(layer: Layer | None) -> bool:
    """Whether the elements of a layer may bear traffic."""
    return layer is not None and layer.theme == "road" and isinstance(layer.geometry, Lines | Mesh)


def traffic_of(layer: Layer, ids: Collection[str]) -> Mapping[str, float]:
    """Traffic [1/d] and weight [t] that the chosen roads have in common; NaN where they differ or say nothing."""
    rows = [layer.table.index[road] for road in ids]
    found = {}
    for name in ROAD_UNITS:
        column = layer.table.columns.get(name)
        said = {number_of(column.values[row]) for row in rows} if column is not None else {None}
        only = said.pop() if len(said) == 1 else None
        found[name] = math.nan if only is None else only
    return found


def with_traffic(layer: Layer, ids: Collection[str], *, traffic: float, weight: float) -> Layer:
    """The chosen roads with this traffic [1/d] and mean weight of vehicles [t]; NaN leaves what they say."""
    table, count = layer.table, len(layer.table)
    for name, value in ((TRAFFIC, traffic), (VEHICLE_WEIGHT, weight)):
        if not math.isfinite(value):
            continue
        one = Column(np.array([value]), ROAD_UNITS[name])
        column = table.columns.get(name)
        for road in ids:
            column = with_value(column, table.index[road], one, count)
        if column is not None:
            table = table.with_columns({name: column})
    return owned_here(layer, EDITED).with_(table=table)
