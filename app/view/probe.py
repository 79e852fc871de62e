"""What the hover label says: the value under the cursor, where it is, and whose it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.colour import number_text
from app.numbers import unit_text
from app.view.legend import class_name, plain_field
from app.view.picking import Hit
from app.view.pins import is_pins
from app.view.pipe_text import pipe_text
from app.view.station_bars import station_text
from app.words import field_name
from geo.model import ElementRef, Field, Frame, Grid, Layer, Mesh

NAME_COLUMNS = ("name", "Name", "이름", "address", "use")


@dataclass(frozen=True)
class HoverInfo:
    """What lies under the cursor.

    Attributes
    ----------
    ref : ElementRef or None
    easting, northing, height : float [m]
        In the map's coordinate system.
    longitude, latitude : float or None [degrees]
    name : str
        Of the element, else of its layer.
    value, unit, quantity : str
        Of the field shown there; empty when nothing is coloured.
    text : str
        What is said about a pipe besides.
    """

    ref: ElementRef | None
    easting: float
    northing: float
    height: float
    longitude: float | None
    latitude: float | None
    name: str = ""
    value: str = ""
    unit: str = ""
    quantity: str = ""
    text: str = ""

    @property
    def value_text(self) -> str:
        """Quantity, value and unit in one line, or what is said about a pipe; empty when there is neither."""
        if self.text:
            return self.text
        return " ".join(part for part in (self.quantity, self.value, self.unit) if part) if self.value else ""


def element_hit(hits: Sequence[Hit]) -> Hit | None:
    """What a click means among hits at one place: a finding, else an element of the city, not the result on it."""
    pins = [hit for hit in hits if is_pins(hit.layer)]
    things = [hit for hit in hits if hit.layer.theme != "result"]
    return next(iter(pins or things or hits), None)


def hover_info(hits: Sequence[Hit], layers: Sequence[Layer], *, frame: Frame | None) -> HoverInfo | None:
    """Everything there is to say about a place; None over the sky."""
    hit = element_hit(hits)
    if hit is None:
        return None
    point = frame.to_map(hit.point[None])[0] if frame is not None else hit.point
    longitude: float | None = None
    latitude: float | None = None
    if frame is not None:
        from geo.crs import to_lonlat

        lon, lat = to_lonlat(point[0], point[1], frame.crs)
        longitude, latitude = float(lon), float(lat)
    field, value = _value(hits, layers)
    name = element_name(hit.layer, hit.ref.element_id)
    about = pipe_text(hit.layer, hit.layer.table.index.get(hit.ref.element_id, -1)) or _station(hits)
    if field is None or about:
        return HoverInfo(hit.ref, *(float(p) for p in point), longitude, latitude, name, text=about)
    quantity = field_name(field.name)
    unit = "" if field.categories else unit_text(field.unit)
    return HoverInfo(
        hit.ref, *(float(p) for p in point), longitude, latitude, name, _text(field, value), unit, quantity
    )


def _station(hits: Sequence[Hit]) -> str:
    """What is said of the station among hits, which may lie on the point of its sensor."""
    texts = (station_text(hit.layer, hit.layer.table.index.get(hit.ref.element_id, -1)) for hit in hits)
    return next((text for text in texts if text), "")


def element_name(layer: Layer, element_id: str) -> str:
    """A name for people: a name column of the element, its id, or the layer's name."""
    row = layer.table.index.get(element_id)
    if row is None:
        return layer.name
    for column in NAME_COLUMNS:
        values = layer.table.columns.get(column)
        if values is not None and values.values[row]:
            return str(values.values[row])
    return element_id


def _value(hits: Sequence[Hit], layers: Sequence[Layer]) -> tuple[Field | None, float]:
    """The field shown at a place and its value there: of a surface hit, else of a grid draped over the ground."""
    for hit in sorted(hits, key=lambda h: h.layer.theme != "result"):
        field = plain_field(hit.layer)
        if field is not None and field.on != "cell":
            return field, _value_at(field, hit)
    ground = next((hit for hit in hits if hit.layer.theme in ("terrain", "road", "water", "parcel")), None)
    if ground is None:
        return None, float("nan")
    for layer in reversed(layers):
        field = plain_field(layer) if layer.style.visible and isinstance(layer.geometry, Grid) else None
        if field is None or not isinstance(layer.geometry, Grid):
            continue
        value = _cell_value(layer.geometry, field, float(ground.point[0]), float(ground.point[1]))
        if np.isfinite(value):
            return field, value
    return None, float("nan")


def _value_at(field: Field, hit: Hit) -> float:
    geometry = hit.layer.geometry
    row = hit.face
    if field.on == "element":
        row = hit.layer.table.index.get(hit.ref.element_id, -1)
    elif field.on == "vertex":
        if not isinstance(geometry, Mesh):
            return float("nan")
        return float(np.mean(field.values[geometry.faces[hit.face]].astype(np.float64)))
    return float(field.values[row]) if 0 <= row < len(field.values) else float("nan")


def _cell_value(grid: Grid, field: Field, x: float, y: float) -> float:
    """Value of the cell a point lies in."""
    values = field.values if field.values.shape == grid.values.shape else grid.values
    col, row = round((x - grid.x0) / grid.cell), round((y - grid.y0) / grid.cell)
    if 0 <= row < values.shape[0] and 0 <= col < values.shape[1]:
        return float(values[row, col])
    return float("nan")


def _text(field: Field, value: float) -> str:
    if not np.isfinite(value):
        return "–"
    if field.categories:
        code = int(value)
        return class_name(field, code) if 0 <= code < len(field.categories) else "–"
    return number_text(value)
