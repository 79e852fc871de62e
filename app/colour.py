"""Headless. Numbers to colours: ramps from ``resources/ramps``, ranges, ticks of a legend."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from app.theme import Theme, rgb_of
from geo.model import Column, Field
from resources import load_json, path

Colours = NDArray[np.uint8]
RAMP_SIZE = 256
FALLBACK_RAMP = "viridis"


@cache
def ramp_names() -> tuple[str, ...]:
    """Names of all ramps for quantities."""
    names = sorted(e.name.removesuffix(".json") for e in path("ramps").iterdir() if e.name.endswith(".json"))
    return tuple(n for n in names if n != "classes")


@cache
def ramp(name: str) -> Colours:
    """A ramp as (256, 3) uint8, low to high. An unknown name gives viridis."""
    data = load_json(f"ramps/{name if name in ramp_names() else FALLBACK_RAMP}.json")
    stops = np.array([rgb_of(stop) for stop in data["stops"]], dtype=np.float64)
    low, high = data.get("cut", (0.0, 1.0))
    places = np.linspace(low, high, RAMP_SIZE) * (len(stops) - 1)
    channels = [np.interp(places, np.arange(len(stops)), stops[:, channel]) for channel in range(3)]
    colours = np.round(np.stack(channels, axis=1)).astype(np.uint8)
    colours.flags.writeable = False
    return colours


def is_diverging(name: str) -> bool:
    """Whether a ramp has a neutral middle that belongs to zero."""
    return bool(name in ramp_names() and load_json(f"ramps/{name}.json")["kind"] == "diverging")


@cache
def _class_stops() -> Colours:
    return np.array([rgb_of(stop) for stop in load_json("ramps/classes.json")["stops"]], dtype=np.uint8)


def class_colours(count: int, *, ramp_name: str = "") -> Colours:
    """Colours (count, 3) of classes: from the ramp when one is named (ordered classes), else ten distinct hues."""
    if ramp_name in ramp_names() and ramp_name != FALLBACK_RAMP:
        return ramp(ramp_name)[np.linspace(0, RAMP_SIZE - 1, max(count, 2)).astype(np.int64)[:count]]
    stops = _class_stops()
    return stops[np.arange(count) % len(stops)]


def field_range(field: Field) -> tuple[float, float]:
    """Low and high end of a field's legend; a diverging ramp is centred on zero; never of zero width."""
    if field.range is not None:
        low, high = field.range
    else:
        values = np.asarray(field.values, dtype=np.float64)
        known = values[np.isfinite(values)]
        low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
        if is_diverging(field.ramp):
            high = max(abs(low), abs(high))
            low = -high
    return (low, high) if high > low else (low, low + 1.0)


def field_colours(field: Field, theme: Theme) -> tuple[Colours, NDArray[np.bool_]]:
    """Colours of a field's values.

    Returns
    -------
    colours : (*values.shape, 3) uint8
        The theme's ``missing`` colour where there is no value.
    known : values.shape bool
    """
    if field.categories:
        return _category_colours(field, theme)
    return value_colours(field.values, ramp_name=field.ramp, limits=field_range(field), theme=theme)


def value_colours(
    values: ArrayLike, *, ramp_name: str, limits: tuple[float, float], theme: Theme
) -> tuple[Colours, NDArray[np.bool_]]:
    """Colours (..., 3) of values on a ramp between two limits, and where there is a value."""
    numbers = np.asarray(values, dtype=np.float64)
    known = np.isfinite(numbers)
    low, high = limits
    place = np.clip((np.where(known, numbers, low) - low) / (high - low), 0.0, 1.0)
    colours = ramp(ramp_name)[np.round(place * (RAMP_SIZE - 1)).astype(np.int64)]
    colours[~known] = theme.rgb("missing")
    return colours, known


def _category_colours(field: Field, theme: Theme) -> tuple[Colours, NDArray[np.bool_]]:
    raw = np.asarray(field.values, dtype=np.float64)
    codes = np.where(np.isfinite(raw), raw, -1).astype(np.int64)
    known = (codes >= 0) & (codes < len(field.categories))
    table = class_colours(len(field.categories), ramp_name=field.ramp)
    colours = table[np.where(known, codes, 0)]
    colours[~known] = theme.rgb("missing")
    return colours, known


def column_field(name: str, column: Column) -> Field:
    """A table's column as a field on elements: numbers as they are, texts as classes in alphabetic order."""
    if column.is_number:
        return Field(name=name, unit=column.unit or "1", on="element", values=column.values.astype(np.float64))
    texts = ["" if value is None else str(value) for value in column.values]
    categories = tuple(sorted({text for text in texts if text}))
    number = {text: code for code, text in enumerate(categories)}
    codes = np.array([number.get(text, -1) for text in texts], dtype=np.int32)
    return Field(name=name, unit="1", on="element", values=codes, categories=categories, ramp="")


def nice_step(span: float, *, count: int = 6) -> float:
    """A step of 1, 2, 2.5 or 5 times a power of ten that divides `span` into at most `count` parts."""
    if not (math.isfinite(span) and span > 0):
        return 1.0
    raw = span / count
    power = 10.0 ** math.floor(math.log10(raw))
    return next((m * power for m in (1.0, 2.0, 2.5, 5.0, 10.0) if m * power >= raw * (1 - 1e-9)), 10.0 * power)


def nice_ticks(low: float, high: float, *, count: int = 6) -> list[float]:
    """Round values between `low` and `high` for a legend or an axis.

    Examples
    --------
    >>> nice_ticks(0.0, 12.0)
    [0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0]
    """
    step = nice_step(high - low, count=count)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(k * step, 12) + 0.0 for k in range(first, last + 1)]


def number_text(value: float) -> str:
    """A number for a legend or a hover label: three or four figures, no exponent for everyday sizes."""
    if not math.isfinite(value):
        return "–"
    size = abs(value)
    if size >= 1e6 or 0 < size < 1e-3:
        return f"{value:.3g}"
    digits = 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 1 else 3
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
