"""Headless. How the program writes numbers, lengths of time and sizes for people."""

from __future__ import annotations

import math
from collections.abc import Mapping

UNIT_SIGNS: Mapping[str, str] = {
    "m2": "m²",
    "m3": "m³",
    "m2 h": "m²·h",
    "deg": "°",
    "degC": "°C",
    "ug/m3": "µg/m³",
    "m3/h": "m³/h",
    "W/m2": "W/m²",
    "kWh/m2": "kWh/m²",
    "m2/s2": "m²/s²",
    "m3/(s m)": "m³/(s·m)",
    "m3/(m2 h)": "m³/(m²·h)",
    "Mm3": "10⁶ m³",
}


def number_text(value: object) -> str:
    """A number with thousands separated and no more digits than mean something; a dash for missing."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "✓" if value else "–"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        if not math.isfinite(value):
            return "–"
        if value == int(value) and abs(value) < 1e15:
            return f"{int(value):,}"
        digits = 3 if abs(value) < 1 else 2 if abs(value) < 1000 else 1
        return f"{value:,.{digits}f}" if abs(value) >= 1e-3 else f"{value:.3g}"
    return str(value)


def unit_text(unit: str) -> str:
    """A unit as people write it: ``m2`` is m², ``deg`` is °; ``"1"`` is the unit of pure numbers and is not written."""
    return "" if unit == "1" else UNIT_SIGNS.get(unit, unit)


def quantity_text(value: object, unit: str) -> str:
    """A number with its unit."""
    text, sign = number_text(value), unit_text(unit)
    if not sign or text == "–":
        return text
    return f"{text}{sign}" if sign == "°" else f"{text} {sign}"


def seconds_text(seconds: float) -> str:
    """``0:07``, ``12:30`` or ``1:02:30``."""
    whole = max(0, round(seconds))
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def megabytes_text(count: int) -> str:
    """Bytes as MB or GB."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


def plain_number(value: float) -> str:
    """A number to be changed by hand: no separators, six figures."""
    return f"{value:.6g}" if abs(value) < 1e6 else f"{value:.12g}"
