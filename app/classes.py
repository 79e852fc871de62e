"""Headless. Numbers and texts sorted into a few classes to colour by: quantiles, equal intervals, single values, or
the user's own limits, colours and names.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from app.colour import (
    FALLBACK_RAMP,
    REVERSED,
    ClassedField,
    StyledField,
    codes_of,
    counts_of,
    has_ramp,
    number_text,
)
from geo.model import Field, Style

Floats = NDArray[np.float64]
METHODS = ("quantiles", "equal", "unique", "breaks")
MOST_CLASSES = 12
USUAL_CLASSES = 5
SAMPLE = 200_000  # values from which the limits of quantiles are found
OTHERS = "…"  # name of the class of all that is too rare for one of its own


def styled(field: Field, style: Style) -> Field:
    """A field as a style asks for it: its classes, their colours and names, the ends of the ramp."""
    if style.range is not None and not field.categories:
        field = dataclasses.replace(field, range=style.range)
    ramp = style.ramp if has_ramp(style.ramp) else field.ramp
    if style.reversed and has_ramp(ramp):
        ramp = ramp.removeprefix(REVERSED) if ramp.startswith(REVERSED) else REVERSED + ramp
    made = classed(field, method=style.method, classes=style.classes, ramp=ramp, breaks=style.breaks)
    return _dressed(made, style)


def limits_of(field: Field) -> tuple[float, ...]:
    """Limits to begin own classes with: those of the classes it has, else of usual ones of the same width."""
    if isinstance(field, ClassedField) and field.limits:
        return field.limits
    made = classed(field, method="equal") if not field.categories else field
    return made.limits if isinstance(made, ClassedField) else ()


def class_key(field: Field, row: int) -> str:
    """How a style names a class: an ordered one by its number, any other by its name."""
    ordered = isinstance(field, ClassedField) and bool(field.limits)
    return str(row) if ordered else field.categories[row]


def _dressed(field: Field, style: Style) -> Field:
    """With the colours and names that the style gives."""
    if not (style.class_colours or style.class_titles or style.missing):
        return field
    plain = {part.name: getattr(field, part.name) for part in dataclasses.fields(Field)}
    if not field.categories:
        return StyledField(**plain, missing=style.missing)
    keys = [class_key(field, row) for row in range(len(field.categories))]
    colours, titles = dict(style.class_colours), dict(style.class_titles)
    return ClassedField(
        **plain,
        missing=style.missing,
        limits=field.limits if isinstance(field, ClassedField) else (),
        has_others=isinstance(field, ClassedField) and field.has_others,
        colours=tuple(colours.get(key, "") for key in keys),
        titles=tuple(titles.get(key, "") for key in keys),
    )


def classed(
    field: Field, *, method: str = "", classes: int = 0, ramp: str = "", breaks: tuple[float, ...] = ()
) -> Field:
    """A field in classes.

    Parameters
    ----------
    method : {"", "quantiles", "equal", "unique", "breaks"}
        Quantiles give each class as many values; equal gives each the same width; unique makes a class of each
        value; breaks are the limits given. Empty: numbers stay on a continuous ramp (equal intervals when `classes`
        is given), texts are classes.
    classes : int
        At most; 0 = five for numbers, twelve for single values.
    ramp : str
        Empty = the field's own.
    breaks : tuple of float
        Rising limits for the method of that name; what lies outside is in no class.

    Notes
    -----
    Of more than `MOST_CLASSES` different values the most frequent have a class each; the others share one.
    """
    if ramp != field.ramp and has_ramp(ramp):
        field = Field(field.name, field.unit, field.on, field.values, field.categories, ramp, field.range)
    if field.categories and has_ramp(field.ramp) and field.ramp != FALLBACK_RAMP and not method:
        return field  # its classes have an order: none of them is an odd one out
    if field.categories:
        return _frequent(field, classes or MOST_CLASSES)
    method = method or ("equal" if classes else "")
    if method == "unique":
        return _frequent(_by_value(field), classes or MOST_CLASSES)
    if method not in METHODS:
        return field
    values = np.asarray(field.values, dtype=np.float64)
    if method == "breaks":
        limits = np.unique(np.array([limit for limit in breaks if np.isfinite(limit)], dtype=np.float64))
        return _between(field, values, limits[: MOST_CLASSES + 1]) if len(limits) > 1 else field
    limits = _limits(field, values, method, min(max(classes or USUAL_CLASSES, 2), MOST_CLASSES))
    if limits is None:
        return field
    return _between(field, np.where(np.isfinite(values), np.clip(values, limits[0], limits[-1]), np.nan), limits)


def _limits(field: Field, values: Floats, method: str, classes: int) -> Floats | None:
    """Limits of quantiles or of classes of the same width; None without any value."""
    known = values[np.isfinite(values)]
    if known.size == 0:
        return None
    if method == "quantiles":
        sample = known[:: max(known.size // SAMPLE, 1)]
        limits = np.quantile(sample, np.linspace(0, 1, classes + 1))
        limits[0], limits[-1] = known.min(), known.max()
    else:
        low, high = field.range or (float(known.min()), float(known.max()))
        limits = np.linspace(low, high, classes + 1)
    limits = np.unique(limits)
    return limits if len(limits) > 1 else np.array([limits[0], limits[0] + 1.0])


def _between(field: Field, values: Floats, limits: Floats) -> Field:
    """Each value in the class between two limits, the greatest in the last one; none outside of them."""
    codes = np.clip(np.searchsorted(limits, values, side="right") - 1, 0, len(limits) - 2).astype(np.int16)
    codes[~((values >= limits[0]) & (values <= limits[-1]))] = -1
    texts = tuple(
        f"{number_text(low)} – {number_text(high)}" for low, high in zip(limits[:-1], limits[1:], strict=True)
    )
    ends = tuple(float(limit) for limit in limits)
    return ClassedField(field.name, field.unit, field.on, codes, texts, field.ramp, limits=ends)


def _by_value(field: Field) -> Field:
    """Each different number as a category, in order."""
    values = np.asarray(field.values, dtype=np.float64)
    known = np.isfinite(values)
    different, codes = np.unique(values[known], return_inverse=True)
    out = np.full(values.shape, -1, dtype=np.int32)
    out[known] = codes
    texts = tuple(f"{value:g}" for value in different)
    return Field(field.name, field.unit, field.on, out, texts, "")


def _frequent(field: Field, classes: int) -> Field:
    """The most frequent categories in their order, and one for all others."""
    most = min(max(classes, 1), MOST_CLASSES)
    count = len(field.categories)
    counts = counts_of(field)
    present = np.flatnonzero(counts)
    if len(present) <= most:
        return field
    kept = np.sort(present[np.argsort(-counts[present], kind="stable")[:most]])
    number = np.full(count + 1, most, dtype=np.int16)  # the last row is that of missing values
    number[kept] = np.arange(most)
    number[-1] = -1
    codes = codes_of(field.values, count)
    names = (*(field.categories[row] for row in kept), OTHERS)
    return ClassedField(field.name, field.unit, field.on, number[codes], names, field.ramp, has_others=True)
