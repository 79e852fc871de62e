"""Headless. One colour scale for two pictures: the same thing on both has the same ends, classes and colours."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from app.classes import MOST_CLASSES, styled
from app.colour import field_range
from app.view.legend import Legend, plain_field
from geo.model import Field, Layer, Style

Layers = tuple[Layer, ...]
# Fields brought to one scale, by the two they were made of and the style: those are kept, so that no id is used again.
Known = dict[tuple[int, int, Style], tuple[Field, Field, Field, Field]]


def with_common_scale(
    left: Sequence[Layer], right: Sequence[Layer], known: Known | None = None
) -> tuple[Layers, Layers]:
    """The layers of two pictures with one scale for each quantity that both show.

    Two layers belong together that are the same, else of one kind, depth, quantity and unit. The style of the left one
    (its ramp, its classes) holds for both. What is in `known` is not made again.
    """
    known = {} if known is None else known
    first, second = {layer.id: layer for layer in left}, {layer.id: layer for layer in right}
    for mine, other in _pairs(left, right):
        scaled = _scaled(mine, other, known)
        if scaled is not None:
            first[mine.id], second[other.id] = scaled
    return tuple(first.values()), tuple(second.values())


def _pairs(left: Sequence[Layer], right: Sequence[Layer]) -> list[tuple[Layer, Layer]]:
    """Layers that differ and show the same quantity; each has one partner at most."""
    free = {layer.id: layer for layer in right if layer.style.visible and plain_field(layer) is not None}
    found = []
    for layer in left:
        field = plain_field(layer) if layer.style.visible else None
        if field is None:
            continue
        partner = free.get(layer.id) or next((one for one in free.values() if _alike(layer, one)), None)
        if partner is not None:
            del free[partner.id]
            if partner is not layer:
                found.append((layer, partner))
    return found


def _alike(first: Layer, second: Layer) -> bool:
    mine, other = plain_field(first), plain_field(second)
    if mine is None or other is None:
        return False
    same_place = (first.kind, first.stratum) == (second.kind, second.stratum)
    return same_place and (mine.name, mine.unit, mine.on) == (other.name, other.unit, other.on)


def _scaled(left: Layer, right: Layer, known: Known) -> tuple[Layer, Layer] | None:
    first, second = plain_field(left), plain_field(right)
    if first is None or second is None or first is second or bool(first.categories) != bool(second.categories):
        return None
    key = (id(first), id(second), dataclasses.replace(left.style, opacity=1.0, hidden=frozenset(), faded=frozenset()))
    if key not in known:
        known[key] = (*_pooled(first, second, left.style), first, second)
    mine, other = known[key][:2]
    # The field has its classes and colours by now; the titles of the legends stay.
    return _with_field(left, mine), _with_field(right, other)


def _pooled(first: Field, second: Field, style: Style) -> tuple[Field, Field]:
    """Both fields as one scale has them: sorted into classes together, or between common ends."""
    names = tuple(dict.fromkeys((*first.categories, *second.categories)))
    given = [first.values, _renumbered(second, names) if names else second.values]
    if names:
        given[0] = _renumbered(first, names)
    ends = (field_range(first), field_range(second)) if not names else ()
    span = (min(low for low, _ in ends), max(high for _, high in ends)) if ends else None
    together = np.concatenate([np.asarray(values).reshape(-1) for values in given])
    joined = Field(first.name, first.unit, first.on, together, names, first.ramp, span)
    # One class less than usual: the class of all others must not be counted as one too many when it is drawn.
    classes = (
        min(style.classes or MOST_CLASSES, MOST_CLASSES - 1) if names or style.method == "unique" else style.classes
    )
    done = styled(joined, dataclasses.replace(style, classes=classes))
    count = np.asarray(given[0]).size
    parts = done.values.reshape(-1)[:count], done.values.reshape(-1)[count:]
    mine, other = (
        dataclasses.replace(done, values=part.reshape(np.shape(one.values)), on=one.on)
        for part, one in zip(parts, (first, second), strict=True)
    )
    return mine, other


def _renumbered(field: Field, names: tuple[str, ...]) -> np.ndarray:
    """Codes of a field's classes in a list of names that holds them all."""
    number = np.array([*(names.index(name) for name in field.categories), -1], dtype=np.int32)
    codes = np.asarray(field.values)
    known = np.isfinite(codes) & (codes >= 0) & (codes < len(field.categories))
    return np.asarray(number[np.where(known, codes, -1).astype(np.int64)])


def _with_field(layer: Layer, field: Field) -> Layer:
    """The layer coloured by this field."""
    others = tuple(one for one in layer.fields if one.name != field.name)
    fields = (field, *others) if not layer.style.colour_by else (*others, field)
    style = dataclasses.replace(layer.style.coloured_by(layer.style.colour_by), missing="")
    return layer.with_(fields=fields, style=style)


def same_scale(first: Legend | None, second: Legend | None) -> bool:
    """Whether one legend says what the other says, but for the run it is of."""
    if first is None or second is None:
        return first is second
    if (first.ramp is None) != (second.ramp is None):
        return False
    if first.ramp is not None and second.ramp is not None and not np.array_equal(first.ramp, second.ramp):
        return False
    return _scale_of(first) == _scale_of(second)


def _scale_of(legend: Legend) -> tuple[object, ...]:
    return (legend.title, legend.unit, legend.low, legend.high, legend.ticks, legend.classes, legend.patterns)
