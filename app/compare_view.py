"""Headless. Two pictures to be seen together: what each of them can show, and the layers that belong to it."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from analysis.registry import find_analysis
from app.alternatives import BASE, layers_of
from app.compare_view_scale import Known, Layers, with_common_scale
from app.document import Document
from app.language import tr
from app.names import run_title
from app.overview import overview, texts_of_overview
from app.scorecard import card_of, newest_by_alternative, run_name, studies_to_compare, texts_of
from app.shown_runs import Run, runs_of
from geo.model import Layer


class Side(NamedTuple):
    """What one picture shows: an alternative (empty: the base), and a run on it or none."""

    alternative: str = BASE
    run: str = ""


def run_of(document: Document, side: Side) -> Run | None:
    """The run that a side shows."""
    return next((run for run in runs_of(tuple(document.scene)) if run.id == side.run), None) if side.run else None


def sides_of(document: Document) -> list[Side]:
    """Everything a picture can show: the base, each alternative, and each run that has a picture, newest first."""
    plain = [Side(), *(Side(item.id) for item in document.alternatives.items)]
    runs = [run for run in runs_of(tuple(document.scene)) if _has_picture(run)]
    return [*plain, *(Side(run.alternative, run.id) for run in runs)]


def side_title(document: Document, side: Side) -> str:
    """``"Tower B"``, or ``"Sun hours · Tower B"``; with what tells runs of one study on one alternative apart."""
    run = run_of(document, side)
    item = document.alternatives.get(side.alternative)
    if run is None:
        return item.name if item is not None else tr("alternatives.base")
    name = item.name if item is not None else run_name(run)
    declared = find_analysis(run.analysis_id)
    title = f"{tr(f'{run.analysis_id}.title', declared.title if declared else run.analysis_id)} · {name}"
    others = [one for one in runs_of(tuple(document.scene)) if one.analysis_id == run.analysis_id]
    same = [one for one in others if one.alternative == run.alternative]
    return f"{title} · {_difference(run, same)}" if len(same) > 1 else title


def _difference(run: Run, others: Sequence[Run]) -> str:
    """Settings in which runs of one study differ; the moment they were made where there are none."""
    title = run_title(run.layers[0])
    made = str(run.record["provenance"]["started"])[11:19]
    return title if len({run_title(one.layers[0]) for one in others}) == len(others) else f"{title} {made} UTC"


def is_removed(document: Document, side: Side) -> bool:
    """Whether the alternative that a run was made on is not in the project any more."""
    return side.alternative != BASE and document.alternatives.get(side.alternative) is None


def can_compare(document: Document) -> bool:
    """Whether there are two different things to be seen together."""
    return bool(document.alternatives.items) or any(layer.theme == "result" for layer in document.scene)


def first_sides(document: Document) -> tuple[Side, Side]:
    """What is shown first: a study made on two alternatives, else the alternatives, else two runs of one study.

    Of several the run in the picture is taken before newer ones; two sides differ wherever something differs.
    """
    layers = tuple(document.scene)
    # Those in the picture first, each group the newest first.
    runs = sorted((run for run in runs_of(layers) if _has_picture(run)), key=lambda run: not _is_seen(run))
    order = [run.analysis_id for run in runs]
    studies = sorted(studies_to_compare(layers), key=lambda one: order.index(one) if one in order else len(order))
    for study in studies[:1]:
        return _on_two_alternatives(document, study, [run for run in runs if run.analysis_id == study])
    items = sorted(
        document.alternatives.items, key=lambda item: (item.is_empty, item.id != document.alternatives.active)
    )
    if items:
        return Side(), Side(items[0].id)
    for new in runs:
        for old in runs:
            if old is not new and old.analysis_id == new.analysis_id:
                first, second = sorted((old, new), key=lambda run: str(run.record["provenance"]["started"]))
                return Side(first.alternative, first.id), Side(second.alternative, second.id)
    return Side(), Side(runs[0].alternative, runs[0].id) if runs else Side()


def _on_two_alternatives(document: Document, study: str, runs: Sequence[Run]) -> tuple[Side, Side]:
    """The best pair of runs of a study, the base first: one in the picture, on what is shown, with like settings."""
    newest = newest_by_alternative(tuple(document.scene), study, [item.id for item in document.alternatives.items])
    before = [run for run in runs if run.alternative == newest[0].alternative] or [newest[0]]
    after = [run for run in runs if run.alternative != newest[0].alternative] or [newest[1]]

    def rank(pair: tuple[Run, Run]) -> tuple[bool, bool, bool]:
        first, second = (run.record["provenance"]["params"] for run in pair)
        seen = any(_is_seen(run) for run in pair)
        return not seen, pair[1].alternative != document.alternatives.active, first != second

    first, second = min(itertools.product(before, after), key=rank)
    return Side(first.alternative, first.id), Side(second.alternative, second.id)


def _has_picture(run: Run) -> bool:
    return any(layer.geometry is not None for layer in run.layers)


def _is_seen(run: Run) -> bool:
    """Whether a run is in the picture now."""
    return any(layer.style.visible and layer.geometry is not None for layer in run.layers)


def layers_of_sides(document: Document, left: Side, right: Side, known: Known | None = None) -> tuple[Layers, Layers]:
    """The layers of both pictures, with one colour scale for what both show; see `with_common_scale` for `known`."""
    return with_common_scale(_layers_of(document, left), _layers_of(document, right), known)


def _layers_of(document: Document, side: Side) -> Layers:
    """The scene of an alternative with the results of one run and of no other."""
    shown = BASE if is_removed(document, side) else side.alternative
    run = run_of(document, side)
    mine = visible_of(run) if run is not None else frozenset()
    out = []
    for layer in layers_of(document, shown):
        if layer.theme == "result" and layer.style.visible != (layer.id in mine):
            layer = layer.with_(style=dataclasses.replace(layer.style, visible=layer.id in mine))
        out.append(layer)
    return tuple(out)


def visible_of(run: Run) -> frozenset[str]:
    """Layers of a run to be seen: those that are visible now, all of them where the whole run is hidden."""
    now = frozenset(layer.id for layer in run.layers if layer.style.visible and layer.geometry is not None)
    return now or frozenset(layer.id for layer in run.layers)


Texts = tuple[list[str], list[list[str]]]


def figures_of(document: Document, left: Side, right: Side, stale: Mapping[str, Any]) -> Texts:
    """Key figures of both: of the study where both show a run of it, else the deciding ones of all studies."""
    first, second = run_of(document, left), run_of(document, right)
    if first is not None and second is not None and first.analysis_id == second.analysis_id:
        card = card_of(first.analysis_id, (first, second))
        heads, rows = texts_of(card)
        order = sorted(range(len(rows)), key=lambda row: not card.changed(row))  # what differs comes first
        rows = [rows[row] for row in order]
        if first.alternative == second.alternative:
            heads = [heads[0], _difference(first, (first, second)), _difference(second, (first, second))]
        return heads, rows
    shown = [run for run in (first, second) if run is not None]
    if shown and _state(document, left) == _state(document, right):
        return _figures_of_each(document, left, right, shown)
    items = [(item.id, item.name) for item in document.alternatives.items]
    card = overview(tuple(document.scene), items, stale)
    columns = [BASE, *(key for key, _ in items)]
    wanted = [columns.index(side.alternative) + 1 for side in (left, right) if side.alternative in columns]
    heads, rows = texts_of_overview(card, only_changed=False)
    chosen = [0, *wanted]
    return [heads[k] for k in chosen], [[row[k] for k in chosen] for row in rows]


def _state(document: Document, side: Side) -> str:
    """The alternative of which a side shows the city."""
    return BASE if is_removed(document, side) else side.alternative


def _figures_of_each(document: Document, left: Side, right: Side, runs: Sequence[Run]) -> Texts:
    """Both sides show the same city: the figures of what each shows on it, under the names of the runs."""
    rows = []
    for run in runs:
        _, own = texts_of(card_of(run.analysis_id, (run,)))
        rows += [[name, *(text if side.run == run.id else "–" for side in (left, right))] for name, text in own]
    return [tr("compare.figure"), side_title(document, left), side_title(document, right)], rows


def same_picture(first: Layer, second: Layer) -> bool:
    """Whether two layers of one id look the same."""
    if first is second:
        return True
    same = first.geometry is second.geometry and first.table is second.table and first.style == second.style
    fields = len(first.fields) == len(second.fields) and all(
        a is b for a, b in zip(first.fields, second.fields, strict=True)
    )
    return same and fields and (first.name, first.theme) == (second.name, second.theme)
