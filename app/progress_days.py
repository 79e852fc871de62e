"""Headless. Results of progress that follow the date: what stands on the day on show, and what is not there yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from weakref import WeakKeyDictionary

import numpy as np

from analysis.construction.progress import STATES, Plan, fields_of, plan_in, states_of
from app.shadow_instants import made_by
from geo.model import ElementTable, Layer

ANALYSIS = "construction.progress"
_PLANS: WeakKeyDictionary[ElementTable, tuple[Plan, bool] | None] = WeakKeyDictionary()
NOT_THERE = STATES.index("not_due")


def at_day(layer: Layer, day: date) -> Layer | None:
    """A result of progress as it would be had it been made for a day; None for other layers.

    What is not due and has not begun is drawn as a veil: the building grows with the date.
    """
    found = plan_of(layer)
    if found is None:
        return None
    plan, says_actual = found
    today = np.datetime64(day, "D")
    code = states_of(plan, today, says_actual=says_actual)
    fields = {field.name: field for field in fields_of(plan, code, today)}
    veiled = frozenset(str(key) for key in layer.table.ids[code == NOT_THERE])
    return layer.with_(
        fields=tuple(fields.get(field.name, field) for field in layer.fields),
        style=replace(layer.style, faded=layer.style.faded | veiled),
        source=replace(layer.source, provenance=moved_to(layer.source.provenance, day)),
    )


def made_way(model: Layer, result: Layer) -> Layer | None:
    """A model without what its result of progress shows as a veil; None for a model of something else."""
    same = model.theme == "bim" and len(model.table) == len(result.table)
    if not same or not np.array_equal(model.table.ids, result.table.ids):
        return None
    return model.with_(style=replace(model.style, hidden=model.style.hidden | result.style.faded))


def plan_of(layer: Layer) -> tuple[Plan, bool] | None:
    """The days in a result of progress, and whether they say what is actual; None for other layers.

    Read once for each table: while the date runs it is asked for many times a second.
    """
    if layer.theme != "result" or made_by(layer) != ANALYSIS:
        return None
    table = layer.table
    if table not in _PLANS:
        _PLANS[table] = plan_in(table)
    return _PLANS[table]


def moved_to(provenance: Mapping[str, object], day: date) -> Mapping[str, object]:
    """The same record for another day: legends say which."""
    record = provenance.get("provenance")
    if not isinstance(record, dict):
        return provenance
    params = record.get("params")
    changed = {**(params if isinstance(params, dict) else {}), "day": day.isoformat()}
    return {**provenance, "provenance": {**record, "params": changed}}
