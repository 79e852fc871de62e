"""Text of CityGML properties to values: numbers, units, colours, matrices."""

from __future__ import annotations

import re
from functools import lru_cache

from geo.formats.citygml_xml import Element

Value = str | int | float

NUMBER = re.compile(r"-?(0|[1-9]\d{0,14})(\.\d+)?([eE][-+]?\d{1,2})?")
# The most attributes of one object; every one becomes a column of the whole layer.
MAX_ATTRIBUTES = 1000


def joined_text(element: Element) -> str:
    """All text below an element, piece by piece."""
    return ", ".join(text for text in (piece.strip() for piece in element.itertext()) if text)


def keep_value(attributes: dict[str, Value], key: str, value: Value) -> None:
    """Add an attribute; a second one of the same name is numbered."""
    if value == "" or len(attributes) >= MAX_ATTRIBUTES:
        return
    if key in attributes:
        number = 2
        while f"{key}.{number}" in attributes:
            number += 1
        key = f"{key}.{number}"
    attributes[key] = value


@lru_cache(maxsize=4096)
def value_of(text: str) -> Value:
    """Text as a number where it can only be one; ``007`` and numbers beyond 15 digits are names."""
    match = NUMBER.fullmatch(text)
    if match is None:
        return text
    return float(text) if match[2] or match[3] else int(text)


@lru_cache(maxsize=256)
def unit_of(uom: str) -> str:
    """The unit a uom names: ``#m``, ``urn:ogc:def:uom:UCUM::m`` and ``metre`` are ``m``."""
    name = re.split(r"[#:/]", uom.strip())[-1] if uom.strip() not in ("m/s", "km/h") else uom.strip()
    return {"metre": "m", "meter": "m", "M": "m", "sqm": "m2", "㎡": "m2", "deg": "°", "grad": "°"}.get(name, name)


def colour_of(text: str | None) -> int | None:
    """``"1 0.5 0"`` as 0xRRGGBB, None for what is no colour."""
    try:
        channels = [float(value) for value in (text or "").split()]
    except ValueError:
        return None
    if len(channels) != 3 or not all(0.0 <= value <= 1.0 for value in channels):
        return None
    red, green, blue = (round(255 * value) for value in channels)
    return red << 16 | green << 8 | blue


def matrix_of(text: str | None) -> tuple[float, ...] | None:
    """Sixteen numbers, None for anything else."""
    try:
        values = tuple(float(value) for value in (text or "").split())
    except ValueError:
        return None
    return values if len(values) == 16 else None
