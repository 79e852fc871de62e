"""Headless. Numbers and texts sorted into a few classes to colour by: quantiles, equal intervals, single values."""

from __future__ import annotations

import numpy as np

from app.colour import FALLBACK_RAMP, ClassedField, codes_of, counts_of, number_text, ramp_names
from geo.model import Field

METHODS = ("quantiles", "equal", "unique")
MOST_CLASSES = 12
USUAL_CLASSES = 5
SAMPLE = 200_000  # values from which the limits of quantiles are found
OTHERS = "…"  # name of the class of all that is too rare for one of its own


def classed(field: Field, *, method: str = "", classes: int = 0, ramp: str = "") -> Field:
    """A field as a style asks for it.

    Parameters
    ----------
    method : {"", "quantiles", "equal", "unique"}
        Quantiles give each class as many values; equal gives each the same width; unique makes a class of each
        value. Empty: numbers stay on a continuous ramp (equal intervals when `classes` is given), texts are classes.
    classes : int
        At most; 0 = five for numbers, twelve for single values.
    ramp : str
        Empty = the field's own.

    Notes
    -----
    Of more than `MOST_CLASSES` different values the most frequent have a class each; the others share one.
    """
    if ramp and ramp in ramp_names():
        field = Field(field.name, field.unit, field.on, field.values, field.categories, ramp, field.range)
    if field.categories and field.ramp in ramp_names() and field.ramp != FALLBACK_RAMP and not method:
        return field  # its classes have an order: none of them is an odd one out
    if field.categories:
        return _frequent(field, classes or MOST_CLASSES)
    method = method or ("equal" if classes else "")
    if method == "unique":
        return _frequent(_by_value(field), classes or MOST_CLASSES)
    if method not in METHODS:
        return field
    return _ordered(field, method, min(max(classes or USUAL_CLASSES, 2), MOST_CLASSES))


def _ordered(field: Field, method: str, classes: int) -> Field:
    values = np.asarray(field.values, dtype=np.float64)
    known = values[np.isfinite(values)]
    if known.size == 0:
        return field
    if method == "quantiles":
        sample = known[:: max(known.size // SAMPLE, 1)]
        limits = np.quantile(sample, np.linspace(0, 1, classes + 1))
        limits[0], limits[-1] = known.min(), known.max()
    else:
        low, high = field.range or (float(known.min()), float(known.max()))
        limits = np.linspace(low, high, classes + 1)
    limits = np.unique(limits)
    if len(limits) < 2:
        limits = np.array([limits[0], limits[0] + 1.0])
    codes = np.clip(np.searchsorted(limits, values, side="right") - 1, 0, len(limits) - 2).astype(np.int16)
    codes[~np.isfinite(values)] = -1
    texts = tuple(
        f"{number_text(low)} – {number_text(high)}" for low, high in zip(limits[:-1], limits[1:], strict=True)
    )
    ends = tuple(float(limit) for limit in limits)
    return ClassedField(field.name, field.unit, field.on, codes, texts, field.ramp, None, limits=ends)


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
