"""Headless. Numbers to colours: ramps from ``resources/ramps``, ranges, ticks of a legend."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import ArrayLike, NDArray

from app.theme import Theme, rgb_of
from geo.model import Column, Field
from resources import load_json, path

Colours = NDArray[np.uint8]
TRANSITION_RAMP, UNCHANGED = "difference", "unchanged"  # of changes from class to class
RAMP_SIZE = 256
REVERSED = "-"  # before the name of a ramp that runs from high to low
FALLBACK_RAMP = "viridis"
OTHERS_GREY = (126, 132, 138)
BLOCK = 1 << 22  # values looked at in one go: a point cloud may have fifty million
SURVEY_FIELD = "class"  # of surveyed points: colours people know from elsewhere, names as the ASPRS has them
SURVEY_COLOURS = {
    "never classified": "#cfd3d7",
    "unclassified": "#a9b0b6",
    "ground": "#a5815b",
    "low vegetation": "#a9c466",
    "medium vegetation": "#6fab55",
    "high vegetation": "#2f7d46",
    "building": "#cf6257",
    "water": "#4477aa",
    "rail": "#5b4a8a",
    "road surface": "#7f8792",
    "bridge deck": "#c8a23c",
}


@dataclass(frozen=True, eq=False)
class StyledField(Field):
    """A field with a colour of its own for what has no value; made by `app.classes.styled`.

    Attributes
    ----------
    missing : str
        ``"#rrggbb"``; empty = the theme's.
    """

    missing: str = ""


@dataclass(frozen=True, eq=False)
class ClassedField(StyledField):
    """A field sorted into classes, its values their numbers; made by `app.classes.classed`.

    Attributes
    ----------
    limits : tuple of float
        Ends of ordered classes, one more than there are; empty for single values.
    has_others : bool
        Whether the last class holds what is too rare for one of its own.
    colours, titles : tuple of str
        ``"#rrggbb"`` and name that somebody has given to each class, empty where nobody has; or no tuple at all.
    """

    limits: tuple[float, ...] = ()
    has_others: bool = False
    colours: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()


@cache
def ramp_names() -> tuple[str, ...]:
    """Names of all ramps for quantities."""
    names = sorted(e.name.removesuffix(".json") for e in path("ramps").iterdir() if e.name.endswith(".json"))
    return tuple(n for n in names if n != "classes")


def has_ramp(name: str) -> bool:
    """Whether there is a ramp of that name, reversed or not."""
    return name.removeprefix(REVERSED) in ramp_names()


@cache
def ramp(name: str) -> Colours:
    """A ramp as (256, 3) uint8, low to high. An unknown name gives viridis."""
    if name.startswith(REVERSED):
        return ramp(name.removeprefix(REVERSED))[::-1]
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
    name = name.removeprefix(REVERSED)
    return bool(name in ramp_names() and load_json(f"ramps/{name}.json")["kind"] == "diverging")


@cache
def _class_stops() -> Colours:
    return np.array([rgb_of(stop) for stop in load_json("ramps/classes.json")["stops"]], dtype=np.uint8)


def class_colours(count: int, *, ramp_name: str = "") -> Colours:
    """Colours (count, 3) of classes: from the ramp when one is named (ordered classes), else ten distinct hues."""
    if has_ramp(ramp_name) and ramp_name != FALLBACK_RAMP:
        return ramp(ramp_name)[np.linspace(0, RAMP_SIZE - 1, max(count, 2)).astype(np.int64)[:count]]
    stops = _class_stops()
    return stops[np.arange(count) % len(stops)]


def category_colours(field: Field) -> Colours:
    """Colours (categories, 3) of a class map: those somebody has chosen, else what `usual_colours` gives."""
    found = usual_colours(field)
    chosen = field.colours if isinstance(field, ClassedField) else ()
    if any(chosen):
        found = found.copy()
        for row, colour in enumerate(chosen):
            if colour:
                found[row] = rgb_of(colour)
    return found


def usual_colours(field: Field) -> Colours:
    """Colours (categories, 3) of a class map: of a ramp where the classes have an order, else distinct hues."""
    count = len(field.categories)
    if field.ramp == TRANSITION_RAMP and UNCHANGED in field.categories:
        return _transition_colours(field)
    if isinstance(field, ClassedField) and field.limits:
        return ramp(field.ramp)[np.linspace(0, RAMP_SIZE - 1, max(count, 2)).astype(np.int64)[:count]]
    colours = class_colours(count, ramp_name=field.ramp).copy()
    stops = len(_class_stops())
    if count > stops and field.ramp in ("", FALLBACK_RAMP):  # hues come again: not among the categories that occur
        present = np.flatnonzero(counts_of(field))
        colours[present] = class_colours(len(present))
    if isinstance(field, ClassedField) and field.has_others:
        colours[-1] = OTHERS_GREY
    if field.name == SURVEY_FIELD:
        for row, name in enumerate(field.categories):
            if name in SURVEY_COLOURS:
                colours[row] = rgb_of(SURVEY_COLOURS[name])
    return colours


def _transition_colours(field: Field) -> Colours:
    """Of changes from class to class: what stayed is neutral, towards earlier classes blue, towards later orange."""
    stays, count = field.categories.index(UNCHANGED), len(field.categories)
    places = np.full(count, 0.5)
    places[:stays] = np.linspace(0.0, 0.3, stays)
    places[stays + 1 :] = np.linspace(0.7, 1.0, count - stays - 1)
    return ramp(TRANSITION_RAMP)[np.round(places * (RAMP_SIZE - 1)).astype(np.int64)]


_counted: WeakKeyDictionary[Field, NDArray[np.int64]] = WeakKeyDictionary()


def counts_of(field: Field) -> NDArray[np.int64]:
    """How often each category of a field occurs; counted once."""
    found = _counted.get(field)
    if found is None:
        found = np.zeros(len(field.categories) + 1, dtype=np.int64)
        flat = np.asarray(field.values).reshape(-1)
        for start in range(0, len(flat), BLOCK):
            found += np.bincount(
                codes_of(flat[start : start + BLOCK], len(field.categories)), minlength=len(field.categories) + 1
            )
        _counted[field] = found
    return found[:-1]


def codes_of(values: NDArray[np.generic], count: int) -> NDArray[np.int64]:
    """Category numbers 0 .. count - 1; `count` for what is missing or unknown."""
    if values.dtype.kind == "f":
        values = np.where(np.isfinite(values.astype(np.float64)), values, -1)
    codes = values.astype(np.int64)
    codes[(codes < 0) | (codes >= count)] = count
    return codes


_limits: WeakKeyDictionary[Field, tuple[float, float]] = WeakKeyDictionary()


def _known_limits(field: Field) -> tuple[float, float]:
    """Least and greatest value there is, looked for once; 0 and 1 when there is none."""
    found = _limits.get(field)
    if found is None:
        low, high = np.inf, -np.inf
        flat = np.asarray(field.values).reshape(-1)
        for start in range(0, len(flat), BLOCK):
            part = flat[start : start + BLOCK].astype(np.float64)
            part = part[np.isfinite(part)]
            if part.size:
                low, high = min(low, float(part.min())), max(high, float(part.max()))
        found = _limits[field] = (low, high) if low <= high else (0.0, 1.0)
    return found


def field_range(field: Field) -> tuple[float, float]:
    """Low and high end of a field's legend; a diverging ramp is centred on zero; never of zero width."""
    if field.range is not None:
        low, high = field.range
    else:
        low, high = _known_limits(field)
        if is_diverging(field.ramp):
            high = max(abs(low), abs(high))
            low = -high
    return (low, high) if high > low else (low, low + 1.0)


def field_colours(
    field: Field, theme: Theme, *, rows: NDArray[np.integer] | None = None
) -> tuple[Colours, NDArray[np.bool_]]:
    """Colours of a field's values, or of some of them.

    Parameters
    ----------
    rows : array of int, optional
        Which values, counted through the flat array; all when None.

    Returns
    -------
    colours : (*values.shape, 3) uint8, or (*rows.shape, 3)
        The theme's ``missing`` colour where there is no value.
    known : values.shape bool, or rows.shape
    """
    values = field.values if rows is None else field.values.reshape(-1)[rows]
    if field.categories:
        return _category_colours(field, values, theme)
    colours, known = value_colours(values, ramp_name=field.ramp, limits=field_range(field), theme=theme)
    colours[~known] = missing_colour(field, theme)
    return colours, known


def missing_colour(field: Field, theme: Theme) -> tuple[int, int, int]:
    """Colour of what has no value."""
    own = field.missing if isinstance(field, StyledField) else ""
    return rgb_of(own) if own else theme.rgb("missing")


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


def _category_colours(field: Field, values: NDArray[np.generic], theme: Theme) -> tuple[Colours, NDArray[np.bool_]]:
    codes = codes_of(values, len(field.categories))
    table = np.concatenate([category_colours(field), [missing_colour(field, theme)]]).astype(np.uint8)
    return table[codes], codes < len(field.categories)


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
