"""Headless. The key figures of a run of progress on the day its map is drawn for, which follows the timeline."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np

from analysis.construction.progress import Plan, figures_of, states_of
from app.progress_days import ANALYSIS, moved_to, plan_of
from app.shown_runs import Run
from geo.model import Layer

Days = Mapping[str, date]  # for each run whose map is of another day than the run: that day


def days_on_show(layers: Sequence[Layer], seen: Sequence[Layer]) -> dict[str, date]:
    """The runs of progress that are drawn for another day than their own, and that day.

    layers, seen
        The layers of the scene, and the same as the picture shows them.
    """
    found = {}
    for layer, drawn in zip(layers, seen, strict=True):
        if drawn is layer or layer.geometry is None or plan_of(layer) is None:
            continue
        before, now = _day_of(layer), _day_of(drawn)
        if now is not None and now != before:
            found[str(layer.source.provenance.get("run", ""))] = now
    return found


def run_on_day(run: Run, day: date) -> Run:
    """A run of progress as it would be had it been made for a day: its figures and its parameters say that day."""
    plans = [found for layer in run.layers if layer.geometry is not None and (found := plan_of(layer)) is not None]
    if run.analysis_id != ANALYSIS or not plans:
        return run
    plan = Plan(*(np.concatenate(days) for days in zip(*(own for own, _ in plans), strict=True)))
    says_actual, today = all(said for _, said in plans), np.datetime64(day, "D")
    code = states_of(plan, today, says_actual=says_actual)
    summary = {
        name: {"value": quantity.value, "unit": quantity.unit}
        for name, quantity in figures_of(plan, code, today, says_actual=says_actual).items()
    }
    return dataclasses.replace(run, record={**moved_to(run.record, day), "summary": summary})


def _day_of(layer: Layer) -> date | None:
    record = layer.source.provenance.get("provenance")
    params = record.get("params") if isinstance(record, dict) else None
    try:
        return date.fromisoformat(str(params["day"])) if isinstance(params, dict) else None
    except (KeyError, ValueError):
        return None
