"""Differences of two results: after minus before, as layers with one colour scale and as tables."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.compare.pairs import Pairing, pair, pair_rows, part_of
from analysis.contract import Table
from geo.model import Column, ElementTable, Field, Grid, Layer, Mesh, Style

Floats = NDArray[np.float64]

RAMP = "difference"
UNCHANGED = "unchanged"
CHANGE = 1e-9  # a difference below it is rounding
SCALE_SHARE = 98.0  # percentile of the differences that change at all that the scale reaches


def numbers_of(field: Field) -> Floats | None:
    """The values of a field of numbers, flat; None for a class map."""
    if field.categories:
        return None
    return np.asarray(field.values, dtype=np.float64).reshape(-1)


def differences(before: Layer, after: Layer) -> tuple[Layer | None, Pairing | None]:
    """The layer of differences of two layers of one sort (its fields still without a range), or None."""
    found = pair(before, after)
    if found is None or len(found.here) == 0:
        return None, found
    fields = [made for item in after.fields if (made := _difference(before, item, found)) is not None]
    if not fields:
        return None, found
    geometry = after.geometry
    if isinstance(geometry, Grid):
        geometry = dataclasses.replace(geometry, values=np.asarray(fields[0].values, dtype=np.float64))
    table = after.table if isinstance(after.geometry, Mesh) else ElementTable(())
    table = ElementTable(table.ids, _texts(table))
    layer = Layer(
        f"difference-{part_of(after)}",
        f"Difference: {after.name}",
        "result",
        geometry,
        table=table,
        fields=tuple(fields),
        style=Style(colour_by=_coloured_by(after, fields)),
        stratum=after.stratum,
    )
    return layer, found


def _texts(table: ElementTable) -> Mapping[str, Column]:
    """Columns of texts: numbers of one side alone would be taken for differences."""
    return {name: column for name, column in table.columns.items() if column.values.dtype == object}


def _coloured_by(after: Layer, fields: Sequence[Field]) -> str:
    names = [item.name for item in fields]
    wanted = f"{after.style.colour_by}_difference"
    return wanted if wanted in names else names[0]


def _difference(before: Layer, field: Field, found: Pairing) -> Field | None:
    """After minus before where both have a number; from class to class for a class map."""
    mine = before.field_named(field.name)
    if mine is None or mine.on != field.on or mine.unit != field.unit or field.on not in ("cell", "face"):
        return None
    shape = np.shape(field.values)
    if int(np.prod(shape)) != found.size:
        return None
    if field.categories or mine.categories:
        return _transition(mine, field, found, shape)
    one, other = numbers_of(mine), numbers_of(field)
    if one is None or other is None:
        return None
    values = np.full(found.size, np.nan)
    values[found.there] = other[found.there] - one[found.here]
    return Field(f"{field.name}_difference", field.unit, field.on, values.reshape(shape), ramp=RAMP)


def _transition(mine: Field, field: Field, found: Pairing, shape: tuple[int, ...]) -> Field | None:
    """Which class became which; those that stayed are one class."""
    if mine.categories != field.categories:
        return None
    count = len(field.categories)
    one = np.asarray(mine.values).reshape(-1)[found.here].astype(np.int64)
    other = np.asarray(field.values).reshape(-1)[found.there].astype(np.int64)
    known = (one >= 0) & (other >= 0)
    code = np.where(one == other, -1, one * count + other)
    kinds = np.unique(code[known & (code >= 0)]).tolist()
    # To an earlier class first, then what stayed, then to a later one: the colours run from less to more.
    order = [k for k in kinds if k % count < k // count] + [-1] + [k for k in kinds if k % count > k // count]
    names = tuple(_transition_name(field.categories, k) for k in order)
    number = np.full(count * count + 1, -1, dtype=np.int16)
    number[[k if k >= 0 else count * count for k in order]] = np.arange(len(order))
    values = np.full(found.size, -1, dtype=np.int16)
    values[found.there] = np.where(known, number[np.where(code < 0, count * count, code)], -1)
    return Field(
        f"{field.name}_change", field.unit or "1", field.on, values.reshape(shape), categories=names, ramp=RAMP
    )


def _transition_name(categories: Sequence[str], code: int) -> str:
    count = len(categories)
    return UNCHANGED if code < 0 else f"{categories[code // count]} → {categories[code % count]}"


def with_scale(layers: Sequence[Layer], scale: float) -> tuple[Layer, ...]:
    """The layers with one symmetric colour scale for each quantity; `scale` > 0 sets it for all.

    By itself the scale of a quantity reaches the 98th percentile of what changes in any of the layers.
    """
    reach: dict[str, float] = {}
    for layer in layers:
        for field in layer.fields:
            if not field.categories:
                reach[field.name] = max(reach.get(field.name, 0.0), _reach(np.asarray(field.values)))
    out = []
    for layer in layers:
        fields = []
        for field in layer.fields:
            top = scale or reach.get(field.name, 0.0) or 1.0
            fields.append(field if field.categories else dataclasses.replace(field, range=(-top, top)))
        out.append(layer.with_(fields=tuple(fields)))
    return tuple(out)


def _reach(values: NDArray[Any]) -> float:
    size = np.abs(values[np.isfinite(values)])
    size = size[size > CHANGE]
    return float(np.percentile(size, SCALE_SHARE)) if len(size) else 0.0


def table_of_differences(before: Layer, after: Layer) -> Table | None:
    """Numbers of the same rows, before, after and the difference; only rows in which one of them changes."""
    here, there, names = pair_rows(before, after)
    shared = [
        name
        for name, column in after.table.columns.items()
        if column.is_number and name in before.table.columns and before.table.columns[name].is_number
    ]
    if len(here) == 0 or not shared:
        return None
    columns: dict[str, Column] = {"element": Column(names)}
    changed = np.zeros(len(here), dtype=bool)
    for name in shared:
        column = after.table.columns[name]
        one = np.asarray(before.table.columns[name].values, dtype=np.float64)[here]
        other = np.asarray(column.values, dtype=np.float64)[there]
        changed |= np.abs(other - one) > CHANGE
        title = column.title or name
        columns[f"{name}_before"] = Column(one, column.unit, f"{title}, before")
        columns[f"{name}_after"] = Column(other, column.unit, f"{title}, after")
        columns[f"{name}_difference"] = Column(other - one, column.unit, f"{title}, difference")
    kept = {key: Column(column.values[changed], column.unit, column.title) for key, column in columns.items()}
    return Table(f"rows-{part_of(after)}", f"Changed: {after.name}", kept)


def figure_table(before: Mapping[str, Any], after: Mapping[str, Any], analysis_id: str) -> Table:
    """Key figures that both runs have as numbers, before, after, and the difference."""
    one, other = before.get("summary") or {}, after.get("summary") or {}
    rows = [
        (name, float(one[name]["value"]), float(other[name]["value"]), str(other[name]["unit"]))
        for name in other
        if name in one and _is_number(one[name]["value"]) and _is_number(other[name]["value"])
    ]
    columns = {
        "figure": Column(np.array([f"{analysis_id}.summary.{name}" for name, *_ in rows], dtype=object)),
        "before": Column(np.array([a for _, a, _, _ in rows], dtype=np.float64)),
        "after": Column(np.array([b for _, _, b, _ in rows], dtype=np.float64)),
        "difference": Column(np.array([b - a for _, a, b, _ in rows], dtype=np.float64)),
        "unit": Column(np.array([unit for *_, unit in rows], dtype=object)),
    }
    return Table("figures", "Key figures", columns)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
