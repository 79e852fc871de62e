"""Headless. What the kinds of utility look like: colour, band pattern and letter, from ``resources/utility``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from app.theme import Theme, rgb_of
from geo.model import Column, Layer
from geo.model.conventions import UTILITY
from resources import load_json

FALLBACK = "other"


@dataclass(frozen=True)
class UtilityKind:
    """How one kind of utility is drawn.

    Attributes
    ----------
    id : str
        One of `geo.model.conventions.UTILITIES`.
    symbol : str
        A letter that tells it apart without colour.
    pattern : str
        Bands along the pipe: a key of the patterns.
    light, dark : "#rrggbb"
    """

    id: str
    symbol: str
    pattern: str
    light: str
    dark: str

    def rgb(self, theme: Theme) -> tuple[int, int, int]:
        """Its colour in a theme."""
        return rgb_of(self.dark if theme.is_dark else self.light)


@dataclass(frozen=True)
class Pattern:
    """Light bands along a pipe: `bands` are (from, to) as shares of `period` [m]."""

    period: float
    bands: tuple[tuple[float, float], ...]


@cache
def utility_kinds() -> dict[str, UtilityKind]:
    """All kinds, in the order of the data file."""
    return {name: UtilityKind(name, **entry) for name, entry in load_json("utility/kinds.json")["kinds"].items()}


@cache
def patterns() -> dict[str, Pattern]:
    """All band patterns."""
    found = load_json("utility/kinds.json")["patterns"].items()
    return {
        name: Pattern(float(entry["period"]), tuple((float(a), float(b)) for a, b in entry["bands"]))
        for name, entry in found
    }


_codes: WeakKeyDictionary[Column, NDArray[np.int8]] = WeakKeyDictionary()


def kind_codes(layer: Layer) -> NDArray[np.int8]:
    """(elements,) row of `utility_kinds` of each element; that of ``other`` where nothing is said."""
    names = list(utility_kinds())
    other = names.index(FALLBACK)
    column = layer.table.columns.get(UTILITY)
    if column is None:
        return np.full(len(layer.table), other, dtype=np.int8)
    found = _codes.get(column)
    if found is None:
        number = {name: code for code, name in enumerate(names)}
        found = np.array([number.get(str(value), other) for value in column.values], dtype=np.int8)
        _codes[column] = found
    return found


def kind_colours(layer: Layer, theme: Theme) -> NDArray[np.uint8]:
    """(elements, 3) colours by kind."""
    table = np.array([kind.rgb(theme) for kind in utility_kinds().values()], dtype=np.uint8)
    return table[kind_codes(layer)]


def kind_patterns(layer: Layer) -> NDArray[np.int8]:
    """(elements,) row of `patterns` of each element."""
    names = list(patterns())
    table = np.array([names.index(kind.pattern) for kind in utility_kinds().values()], dtype=np.int8)
    return table[kind_codes(layer)]


def is_network(layer: Layer) -> bool:
    """Whether a layer is part of a utility network and drawn by the kinds of utility unless styled otherwise."""
    return layer.theme == "utility" and layer.kind in ("lines", "points")
