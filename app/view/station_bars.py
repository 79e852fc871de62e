"""Stations with what they measured beside what was calculated: two upright bars each, of one size on the screen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.element_edit import vertex_of
from app.language import tr
from app.numbers import number_text, unit_text, with_unit
from app.view.symbols import MOST_SYMBOLS, SymbolActors, faces_of_quads
from geo.model import Layer, Points

Floats = NDArray[np.float64]

MEASURED, COMPUTED = "measured", "computed"  # fields of a layer of stations
ROLES = ("ink", "accent")  # of the two bars
TALLEST, LOWEST = 1.0, 0.04  # length of the largest value's bar, and of one near zero
_BOX = [(x, y, z) for x in (0.03, 0.22) for y in (-0.1, 0.1) for z in (0.0, 1.0)]
_QUADS = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
_TONES = (0.78, 0.78, 0.88, 0.88, 0.7, 1.2)


def is_stations(layer: Layer) -> bool:
    """Whether a layer is one of stations with both values."""
    fields = [layer.field_named(name) for name in (MEASURED, COMPUTED)]
    count = len(layer.table)
    return (
        layer.theme == "result"
        and isinstance(layer.geometry, Points)
        and 0 < count <= MOST_SYMBOLS
        and all(field is not None and field.on == "element" and len(field.values) == count for field in fields)
    )


def station_text(layer: Layer, row: int) -> str:
    """Both values of a station in one line; empty for what is none."""
    if not is_stations(layer) or not 0 <= row < len(layer.table):
        return ""
    parts = []
    for name in (MEASURED, COMPUTED):
        field = layer.field_named(name)
        if field is not None:
            parts.append(f"{tr(f'stations.{name}')} {number_text(round(float(field.values[row]), 1))}")
    unit = unit_text(layer.field_named(MEASURED).unit)  # type: ignore[union-attr]
    return with_unit(f"{layer.table.ids[row]}: {' · '.join(parts)}", unit)


class StationBars(SymbolActors):
    """The left bar is measured, the right one calculated; their lengths are to one scale in a layer."""

    shape = np.array(_BOX)
    faces = faces_of_quads(_QUADS)
    tones = np.repeat(np.array(_TONES), 2)
    pixels = 46.0

    def signs(self) -> tuple[NDArray[np.int64], Floats, Floats]:
        """Two bars for each station in turn: the first mirrored, so that it stands on the other side."""
        shape = self.layer.geometry
        rows = [row for row in range(len(self.layer.table)) if vertex_of(self.layer, row) >= 0]
        if not isinstance(shape, Points):
            raise TypeError("stations are points")
        places = np.array([shape.vertices[vertex_of(self.layer, row)] for row in rows]).reshape(-1, 3)
        lengths = self._lengths()[rows]
        axes = np.zeros((len(rows), 2, 3, 3))
        axes[:, :, 0, 0], axes[:, :, 1, 1] = [-1.0, 1.0], 1.0
        axes[:, :, 2, 2] = lengths
        return np.repeat(np.array(rows, dtype=np.int64), 2), np.repeat(places, 2, axis=0), axes.reshape(-1, 3, 3)

    def _lengths(self) -> Floats:
        """(n, 2) of measured and calculated, the largest 1; nothing where a value is missing."""
        fields = [self.layer.field_named(name) for name in (MEASURED, COMPUTED)]
        values = np.stack([np.asarray(f.values, dtype=np.float64) for f in fields if f is not None], axis=1)
        most = np.nanmax(values, initial=0.0)
        length = TALLEST * values / most if most > 0.0 else np.zeros_like(values)
        return np.where(np.isfinite(length), np.maximum(length, LOWEST), 0.0)

    def roles(self, numbers: NDArray[np.int64]) -> list[str]:
        """In turn."""
        return [ROLES[number % 2] for number in range(len(numbers))]

    def tints(self, numbers: NDArray[np.int64]) -> Floats:
        """Always by what the bar is, whatever field the legend tells of."""
        return np.array([self.look.theme.rgb(role) for role in self.roles(numbers)], dtype=np.float64).reshape(-1, 3)
