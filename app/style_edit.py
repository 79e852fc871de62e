"""Headless. Changes of a style: limits, colours and names of its classes; styles that go from layer to layer."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from app.classes import MOST_CLASSES, class_key, limits_of
from app.colour import ClassedField, category_colours, counts_of
from app.view.legend import HEIGHT_FIELD, class_name, shown_field
from geo.model import Layer, Points, Style

OWN = ("visible", "hidden", "faded")  # of the layer itself: no style brings them to another one


@dataclass(frozen=True)
class ClassRow:
    """One class of a layer as it is shown.

    Attributes
    ----------
    key : str
        How a style names the class.
    colour : str
        ``"#rrggbb"``
    title : str
    low, high : float
        Limits of an ordered class, else NaN.
    count : int
        Values in it.
    """

    key: str
    colour: str
    title: str
    low: float
    high: float
    count: int


def class_rows(layer: Layer) -> list[ClassRow]:
    """The classes of a layer; none where it is plain or on a continuous ramp. Single values that do not occur are left
    out.
    """
    field = shown_field(layer)
    if field is None or not field.categories:
        return []
    limits = field.limits if isinstance(field, ClassedField) else ()
    colours, counts = category_colours(field), counts_of(field)
    rows = []
    for row in range(len(field.categories)):
        if limits or counts[row]:
            red, green, blue = (int(value) for value in colours[row])
            low, high = limits[row : row + 2] if limits else (math.nan, math.nan)
            rows.append(
                ClassRow(
                    class_key(field, row),
                    f"#{red:02x}{green:02x}{blue:02x}",
                    class_name(field, row),
                    low,
                    high,
                    int(counts[row]),
                )
            )
    return rows


def known_values(layer: Layer) -> tuple[int, int]:
    """How many values there are, and how many of them are in no class."""
    field = shown_field(layer)
    if field is None:
        return 0, 0
    size = int(np.asarray(field.values).size)
    return size, size - int(counts_of(field).sum()) if field.categories else 0


def with_colour(style: Style, key: str, colour: str) -> Style:
    """A class in a colour of its own; an empty one gives back that of the ramp."""
    return replace(style, class_colours=_with(style.class_colours, key, colour))


def with_title(style: Style, key: str, title: str) -> Style:
    """A class with a name of its own; an empty one gives back the usual one."""
    return replace(style, class_titles=_with(style.class_titles, key, title))


def _with(pairs: tuple[tuple[str, str], ...], key: str, text: str) -> tuple[tuple[str, str], ...]:
    said = dict(pairs)
    said.pop(key, None)
    return (*said.items(), (key, text)) if text else tuple(said.items())


def with_limit(style: Style, layer: Layer, number: int, value: float) -> Style:
    """The limit of that number moved, 0 the lowest; what is beyond others is held by them. The limits are the user's
    own from now on.
    """
    limits = _limits(layer)
    if not 0 <= number < len(limits) or not math.isfinite(value):
        return style
    lowest = math.nextafter(limits[number - 1], math.inf) if number > 0 else -math.inf
    highest = math.nextafter(limits[number + 1], -math.inf) if number + 1 < len(limits) else math.inf
    if not lowest <= value <= highest:
        return style
    limits[number] = value
    return _with_limits(style, limits)


def split_class(style: Style, layer: Layer, row: int) -> Style:
    """A class halved; the upper half takes its colour of the ramp."""
    limits = _limits(layer)
    if not 0 <= row < len(limits) - 1 or len(limits) > MOST_CLASSES:
        return style
    limits.insert(row + 1, (limits[row] + limits[row + 1]) / 2)
    moved = _renumbered(style, lambda number: number if number <= row else number + 1)
    return _with_limits(moved, limits)


def join_class(style: Style, layer: Layer, row: int) -> Style:
    """A class together with the next one."""
    limits = _limits(layer)
    if not 0 <= row < len(limits) - 2:
        return style
    del limits[row + 1]
    moved = _renumbered(style, lambda number: number if number <= row else number - 1 if number > row + 1 else -1)
    return _with_limits(moved, limits)


def _limits(layer: Layer) -> list[float]:
    field = shown_field(layer)
    return list(limits_of(field)) if field is not None and not (field.categories and not _ordered(field)) else []


def _ordered(field: object) -> bool:
    return isinstance(field, ClassedField) and bool(field.limits)


def _with_limits(style: Style, limits: list[float]) -> Style:
    return replace(style, method="breaks", breaks=tuple(limits), classes=0)


def _renumbered(style: Style, new: Callable[[int], int]) -> Style:
    """Colours and names of ordered classes by their new numbers; -1 = gone."""

    def moved(pairs: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
        return tuple((str(new(int(key))), text) for key, text in pairs if key.isdigit() and new(int(key)) >= 0)

    return replace(style, class_colours=moved(style.class_colours), class_titles=moved(style.class_titles))


def brought_to(style: Style, layer: Layer) -> Style:
    """A style of another layer as this one takes it: what is its own stays, attributes it lacks are left out."""
    kept = replace(style, **{name: getattr(layer.style, name) for name in OWN})
    if kept.colour_by and not has_attribute(layer, kept.colour_by):
        kept = replace(kept.coloured_by(""), missing="", title="")
    if kept.label_by and not has_attribute(layer, kept.label_by):
        kept = replace(kept, label_by="", labelled=False)
    return kept


def lacking(style: Style, layer: Layer) -> list[str]:
    """Attributes that a style speaks of and a layer does not have."""
    names = dict.fromkeys(name for name in (style.colour_by, style.label_by) if name)
    return [name for name in names if not has_attribute(layer, name)]


def has_attribute(layer: Layer, name: str) -> bool:
    """Whether a layer has a field or a column of that name, or heights of points."""
    heights = name == HEIGHT_FIELD and isinstance(layer.geometry, Points)
    return layer.field_named(name) is not None or name in layer.table.columns or heights
