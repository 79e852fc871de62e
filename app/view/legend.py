"""What a legend says: title, ramp or classes, ticks. The Qt card and the painted picture show the same."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.colour import class_colours, column_field, field_range, nice_ticks, number_text, ramp
from app.language import tr
from app.names import layer_title
from geo.model import Field, Grid, Layer

MOST_CLASSES = 12
PAINTED_FIELD = "colour"  # per-face colours of a model, 0xRRGGBB: a look, not a quantity


@dataclass(frozen=True)
class Legend:
    """Contents of a legend card.

    Attributes
    ----------
    title, subtitle, unit : str
    ramp : (256, 3) uint8 or None
    low, high : float
        Ends of the ramp.
    ticks : tuple of (value, text)
    classes : tuple of (text, (r, g, b))
        For class maps; then there is no ramp.
    more : int
        Classes left out of the card.
    """

    title: str
    subtitle: str
    unit: str
    ramp: NDArray[np.uint8] | None = None
    low: float = 0.0
    high: float = 1.0
    ticks: tuple[tuple[float, str], ...] = ()
    classes: tuple[tuple[str, tuple[int, int, int]], ...] = ()
    more: int = 0


def shown_field(layer: Layer) -> Field | None:
    """The field a layer is coloured by, or None when it is plain."""
    name = layer.style.colour_by
    if name == PAINTED_FIELD:
        return None
    if name:
        column = layer.table.columns.get(name)
        return layer.field_named(name) or (column_field(name, column) if column is not None else None)
    if layer.theme != "result":
        return None
    if layer.fields:
        return layer.fields[0]
    if isinstance(layer.geometry, Grid):
        return Field(name=layer.name, unit="1", on="cell", values=layer.geometry.values)
    return None


def legend_of(layer: Layer) -> Legend | None:
    """The legend of a layer, or None when it is not coloured by anything."""
    field = shown_field(layer)
    if field is None or not layer.style.visible:
        return None
    title = tr(f"field.{field.name}", field.name.replace("_", " ").capitalize())
    if field.categories:
        return _class_legend(field, title, layer_title(layer))
    low, high = field_range(field)
    ticks = tuple((value, number_text(value)) for value in nice_ticks(low, high, count=6))
    unit = "" if field.unit == "1" else field.unit
    return Legend(title, layer_title(layer), unit, ramp(field.ramp), low, high, ticks)


def _class_legend(field: Field, title: str, subtitle: str) -> Legend:
    colours = class_colours(len(field.categories), ramp_name=field.ramp)
    codes = np.asarray(field.values, dtype=np.float64)
    present = np.unique(codes[np.isfinite(codes)]).astype(np.int64)
    rows = [int(code) for code in present if 0 <= code < len(field.categories)]
    classes = tuple(
        (
            tr(f"class.{field.name}.{field.categories[row]}", field.categories[row]),
            (int(colours[row][0]), int(colours[row][1]), int(colours[row][2])),
        )
        for row in rows[:MOST_CLASSES]
    )
    return Legend(title, subtitle, "", classes=classes, more=max(len(rows) - MOST_CLASSES, 0))


def legend_for(layers: Iterable[Layer]) -> Legend | None:
    """The legend of the picture: of the last coloured layer that is shown, results before others."""
    found = [(layer.theme == "result", number, layer) for number, layer in enumerate(layers) if shown_field(layer)]
    for _result, _number, layer in sorted(found, key=lambda entry: entry[:2], reverse=True):
        legend = legend_of(layer)
        if legend is not None:
            return legend
    return None
