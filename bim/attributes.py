"""Attributes of IFC entities, read so that a damaged file gives gaps instead of surprises.

In a damaged file an attribute may be absent, dangling, or hold a number where an entity belongs.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ifcopenshell
    from ifcopenshell import entity_instance


def attribute(thing: Any, name: str) -> Any:
    """Any attribute, or None where the schema or the file lacks it."""
    if thing is None:
        return None
    try:
        return getattr(thing, name)
    except (AttributeError, RuntimeError):
        return None


def at(thing: Any, place: int) -> Any:
    """An attribute by its place, or None where the file lacks it: several times faster than by its name."""
    try:
        return thing[place]
    except (AttributeError, RuntimeError, IndexError):
        return None


def is_entity(value: Any) -> bool:
    """Whether a value is an entity that stands in the file (a typed number such as ``IFCLENGTHMEASURE(3.)`` is not)."""
    return hasattr(value, "is_a") and value.id() != 0


def related(thing: Any, name: str) -> entity_instance | None:
    """The entity an attribute refers to, or None."""
    value = attribute(thing, name)
    return value if is_entity(value) else None


def members(thing: Any, name: str) -> tuple[entity_instance, ...]:
    """The entities an attribute refers to, one or many."""
    return entities(attribute(thing, name))


def entities(value: Any) -> tuple[entity_instance, ...]:
    """The entities in a value, one or many."""
    values = value if isinstance(value, tuple | list) else (value,)
    return tuple(item for item in values if is_entity(item))


def plain(value: Any) -> Any:
    """The number or text inside a typed value; anything else as it is."""
    return attribute(value, "wrappedValue") if hasattr(value, "is_a") else value


def number(value: Any, default: float = 0.0) -> float:
    """A finite number, or the default."""
    value = plain(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return default
    return float(value)


def plain_text(value: Any) -> str | None:
    """The text in a value, None when it is empty or no text."""
    value = plain(value)
    return value if isinstance(value, str) and value else None


def text(thing: Any, name: str) -> str | None:
    """A text attribute, None when absent or empty."""
    return plain_text(attribute(thing, name))


def by_type(file: ifcopenshell.file, name: str) -> tuple[entity_instance, ...]:
    """All entities of a class and those below it; none where the schema lacks the class."""
    try:
        return tuple(file.by_type(name))
    except RuntimeError:
        return ()


def unit_scale(file: ifcopenshell.file, kind: str) -> float:
    """SI size of a unit of the project; 1 where the file declares none, not-a-number where it makes no sense."""
    import ifcopenshell.util.unit

    try:
        scale = float(ifcopenshell.util.unit.calculate_unit_scale(file, kind))
    except (AttributeError, TypeError, KeyError, ValueError, RuntimeError):
        return math.nan
    return scale if math.isfinite(scale) else math.nan
