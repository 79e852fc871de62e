"""Headless. Names of layers for people: those the program gave are translated, those the user gave are left alone."""

from __future__ import annotations

import datetime as dt

from analysis.contract import ParamInfo, describe_params
from analysis.registry import find_analysis
from app.language import tr
from app.numbers import quantity_text
from geo.model import Layer

SEPARATORS = (" – ", ": ")
# Columns with what people call an element, the best first.
NAME_COLUMNS = ("name", "Name", "NAME", "이름", "건물명", "station", "측정소", "측정소명", "address")


def layer_title(layer: Layer) -> str:
    """The name of a layer in the current language. Of ``"file – buildings"`` the second half is translated."""
    whole = tr(f"name.{layer.name}", "")
    if whole:
        return whole
    for separator in SEPARATORS:
        head, found, tail = layer.name.rpartition(separator)
        if found:
            return f"{head}{separator}{tr(f'name.{tail}', tail)}"
    return layer.name


def element_name(layer: Layer, element_id: str) -> str:
    """What people call an element: its name column where it has one, else its address, else its id."""
    row = layer.table.index.get(element_id)
    for key in NAME_COLUMNS:
        column = layer.table.columns.get(key)
        if column is not None and row is not None and column.values[row]:
            return str(column.values[row])
    return element_id


def run_title(layer: Layer) -> str:
    """What a result layer was computed for and when: ``"Tower B · 2026-12-22 · made 2026-11-21"``; empty otherwise."""
    record = layer.source.provenance.get("provenance")
    declared = find_analysis(str(record.get("analysis"))) if isinstance(record, dict) else None
    if declared is None or not isinstance(record, dict):
        return ""
    infos = {info.name: info for info in describe_params(declared.params)}
    params = record.get("params", {})
    parts = [_value(declared.id, infos[name], params[name]) for name in declared.headline if name in params]
    alternative = [str(record["alternative_name"])] if record.get("alternative_name") else []
    return " · ".join([*alternative, *parts, tr("legend.made", day=_local_day(str(record.get("started", ""))))])


def _value(analysis_id: str, info: ParamInfo, value: object) -> str:
    if info.sort == "choice" and info.options:
        return tr(f"{analysis_id}.{info.name}.{value}", str(value).replace("_", " "))
    return quantity_text(value, info.unit)


def _local_day(started: str) -> str:
    """The day of a moment in UTC, as the user's calendar has it."""
    try:
        return f"{dt.datetime.fromisoformat(started).astimezone():%Y-%m-%d}"
    except ValueError:
        return started[:10]
