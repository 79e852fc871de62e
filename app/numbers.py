"""Headless. How the program writes numbers, lengths of time and sizes for people.

The rule for units: a unit of time that stands alone (s, min, h, d, a) is a word of the language wherever a quantity is
shown (figures, legends, heads of tables, axes, forms): in Korean 초, 분, 시간, 일, 년, written onto the number without
a space. All other units, and time within a compound one (m³/h, kWh/m²), are the international symbols in both
languages. A key figure of 60 s or more is said in minutes and seconds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from app.language import tr

MINUTE = 60  # seconds
TIME_UNITS = ("s", "min", "h", "d", "a", "y")
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
    """A unit as people write it: ``m2`` is m², ``min`` in Korean 분; that of pure numbers (``"1"``) is not written."""
    if unit in TIME_UNITS:
        return tr(f"unit.{unit}", unit)
    return "" if unit == "1" else UNIT_SIGNS.get(unit, unit)


def with_unit(text: str, unit: str) -> str:
    """A number that is a text already, and its unit: ``3 min``, ``3분``, ``30°``."""
    sign = unit_text(unit)
    if not sign or text == "–":
        return text
    return f"{text}{sign}" if sign == "°" or _is_hangul(sign) else f"{text} {sign}"


def unit_suffix(unit: str) -> str:
    """What a box of numbers writes behind its number."""
    return with_unit("", unit)


def _is_hangul(text: str) -> bool:
    return "가" <= text[:1] <= "힣"


def quantity_text(value: object, unit: str) -> str:
    """A number with its unit."""
    return with_unit(number_text(value), unit)


def figure_text(value: object, unit: str) -> str:
    """A key figure with its unit; a minute or more that is counted in seconds is ``3 min 10 s``."""
    return duration_text(float(value)) if is_duration(value, unit) else quantity_text(value, unit)  # type: ignore[arg-type]


def is_duration(value: object, unit: str) -> bool:
    """Whether a figure is a length of time that is said in minutes and seconds."""
    return unit == "s" and isinstance(value, int | float) and math.isfinite(value) and value >= MINUTE


def duration_text(seconds: float) -> str:
    """A length of time in words: ``45 s``, ``2 min 34 s``, ``1 h 5 min``; a dash where it is not known."""
    if not math.isfinite(seconds):
        return "–"
    minutes, rest = divmod(round(seconds), MINUTE)
    hours, over = divmod(minutes, 60)
    if hours:
        return tr("time.hours", hours=hours, minutes=over)
    return tr("time.minutes", minutes=minutes, seconds=rest) if minutes else tr("time.seconds", seconds=rest)


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
