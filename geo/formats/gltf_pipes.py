"""Pipes as painted tubes for formats that hold surfaces only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geo.model import Field, Layer, Lines, Mesh
from geo.model import conventions as words
from geo.tube import tubes
from resources import load_json

MANY = 20_000  # lines from which tubes get fewer sides
SIDES, FEW_SIDES = 12, 6


def with_tubes(layer: Layer) -> tuple[Layer, Mesh] | None:
    """The tubes of a layer of pipes, and the layer with the colour of each of their faces; None for other layers."""
    if layer.theme != "utility" or not isinstance(layer.geometry, Lines):
        return None
    count = max(len(layer.table), int(layer.geometry.line_element.max(initial=-1)) + 1)
    radius, width, height = (_half(layer, name, count) for name in (words.DIAMETER, words.WIDTH, words.HEIGHT))
    sides = SIDES if len(layer.geometry.line_element) < MANY else FEW_SIDES
    mesh = tubes(layer.geometry, radius, width, height, sides=sides)
    colours = _colours(layer, count)
    if colours is None or layer.style.colour:
        return layer, mesh
    field = Field("colour", "1", "face", colours[mesh.face_element])
    return layer.with_(fields=(field,)), mesh


def _half(layer: Layer, name: str, count: int) -> NDArray[np.float64]:
    column = layer.table.columns.get(name)
    if column is None or not column.is_number:
        return np.full(count, np.nan)
    values = column.values.astype(np.float64) / 2
    return np.pad(values, (0, count - len(values)), constant_values=np.nan)


def _colours(layer: Layer, count: int) -> NDArray[np.int32] | None:
    """0xRRGGBB of each element by its utility; None without that column."""
    column = layer.table.columns.get(words.UTILITY)
    if column is None:
        return None
    kinds = load_json("utility/kinds.json")["kinds"]
    codes = {kind: int(entry["light"][1:], 16) for kind, entry in kinds.items()}
    values = [codes.get(str(kind), codes["other"]) for kind in column.values.tolist()]
    return np.array(values + [codes["other"]] * (count - len(values)), dtype=np.int32)
