"""Headless. What is said of a run: its title, when it was made, its figures, parameters and doubts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from analysis.contract import ParamInfo, describe_params
from analysis.registry import find_analysis
from app.honesty import lead_of
from app.language import issue_text, tr
from app.numbers import figure_text as number_with_unit
from app.numbers import quantity_text
from app.shown_runs import Run
from app.words import figure_word, heading
from geo.model import Layer

PART_FIGURES = 3  # from so many figures with the same first word on they have a heading of their own
Figures = list[tuple[str, Mapping[str, Any]]]


def run_title(run: Run) -> str:
    """Title of the analysis that was run."""
    found = find_analysis(run.analysis_id)
    return tr(f"{run.analysis_id}.title", found.title if found else run.analysis_id)


def made_line(run: Run) -> str:
    """When it was made and how long it took."""
    from datetime import datetime

    provenance = run.record["provenance"]
    started = datetime.fromisoformat(str(provenance["started"])).astimezone()
    return tr("results.made", time=f"{started:%Y-%m-%d %H:%M}", seconds=f"{float(provenance['duration_s']):.1f}")


def summary_title(run: Run, name: str) -> str:
    """Title of a key figure."""
    return tr(f"{run.analysis_id}.summary.{name}", heading(name.replace("_", " ")))


def figures_of(run: Run) -> tuple[Figures, Figures, dict[str, Figures]]:
    """Key figures that come first, those of the whole, and those of each part.

    ``roofs_mean`` and ``roofs_area`` belong to the roofs. Figures of a part come first when the study tells them
    before everything else, apart from the rest of their part: they are its answer.
    """
    figures = list(run.record.get("summary", {}).items())
    count = Counter(_part(name) for name, _ in figures)
    is_loose = [count[_part(name)] < PART_FIGURES for name, _ in figures]
    head = is_loose.index(True) if True in is_loose else 0
    later = {_part(name) for name, _ in figures[head:]}
    lead = [figure for figure in figures[:head] if _part(figure[0]) in later]
    loose: Figures = []
    parts: dict[str, Figures] = {}
    for name, quantity in figures:
        if (name, quantity) not in lead:
            alone = count[_part(name)] < PART_FIGURES
            (loose if alone else parts.setdefault(_part(name), [])).append((name, quantity))
    return lead, loose, parts


def _part(name: str) -> str:
    return name.partition("_")[0]


def figure_text(run: Run, name: str, quantity: Mapping[str, Any]) -> str:
    """A key figure with its unit; the choice of a parameter in the user's words."""
    found = find_analysis(run.analysis_id)
    infos = {info.name: info for info in describe_params(found.params)} if found else {}
    if name in infos and infos[name].options and isinstance(quantity["value"], str):
        return value_text(run.analysis_id, infos[name], quantity["value"])
    if quantity["value"] in ("yes", "no"):
        return tr(str(quantity["value"]))
    if isinstance(quantity["value"], str):
        return figure_word(run.analysis_id, name, quantity["value"])
    return figure_value(quantity)


def part_title(run: Run, part: str, name: str) -> str:
    """Title of a figure under the heading of its part, which it need not say again."""
    title, word = summary_title(run, name), tr(f"results.part.{part}", part)
    rest = title.removeprefix(word).lstrip(": ")
    return rest[:1].upper() + rest[1:] if title.startswith((f"{word} ", f"{word}:")) and rest else title


def main_params(run: Run) -> list[str]:
    """Names of the parameters that tell runs apart: the day, the step, and what is not as usual."""
    found = find_analysis(run.analysis_id)
    infos = {info.name: info for info in describe_params(found.params)} if found else {}
    names = []
    params = run.record["provenance"]["params"]
    for name, value in params.items():
        info = infos.get(name)
        if info is not None and info.sort == "place":
            continue  # ids and coordinates: the key figures name the places
        if _is_idle(name, params):
            continue
        if info is None or info.annotation is date or name in ("day", "step") or value != info.default:
            names.append(name)
    return names


def _is_idle(name: str, params: Mapping[str, Any]) -> bool:
    """Whether a parameter says nothing beside the others: the last day, where no range of days was asked for."""
    return name == "last_day" and params.get("period", "range") != "range"


def params_line(run: Run, names: Sequence[str] | None = None) -> str:
    """Parameters with their units; all of them without `names`."""
    found = find_analysis(run.analysis_id)
    infos = {info.name: info for info in describe_params(found.params)} if found else {}
    parts = []
    params = run.record["provenance"]["params"]
    for name, value in params.items():
        if (names is not None and name not in names) or _is_idle(name, params):
            continue
        info = infos.get(name)
        title = tr(f"{run.analysis_id}.{name}", info.title if info else name)
        parts.append(f"{title}: {value_text(run.analysis_id, info, value)}")
    return " · ".join(parts)


def value_text(analysis_id: str, info: ParamInfo | None, value: object) -> str:
    """A parameter's value as people read it."""
    if isinstance(value, bool):
        return tr("yes") if value else tr("no")
    if info is not None and isinstance(value, str):
        return tr(f"{analysis_id}.{info.name}.{value}", value.replace("_", " "))
    return quantity_text(value, info.unit if info else "")


def notes_of(run: Run) -> list[str]:
    """Assumptions and doubts, each one line."""
    lines = [
        f"{tr('results.assumed')}: {tr(f'{run.analysis_id}.assumption.{number}', str(text))}"
        for number, text in enumerate(run.record.get("assumptions", ()))
    ]
    return lines + [f"{tr(f'severity.{issue.severity}')}: {issue_text(issue)}" for issue in lead_of(run.issues)[1]]


def figure_value(quantity: Mapping[str, Any]) -> str:
    """A figure with its unit."""
    return number_with_unit(quantity["value"], quantity["unit"])


def table_of(run: Run) -> str:
    """The layer whose table a person wants to go through: findings, else lines, points, surfaces, else any table."""
    rows = [layer for layer in run.layers if len(layer.table)]
    order = ("lines", "points", "mesh", "instances", "table")
    rows.sort(key=lambda layer: (not is_finding(layer), order.index(layer.kind) if layer.kind in order else len(order)))
    return rows[0].id if rows else ""


def is_finding(layer: Layer) -> bool:
    """Whether the elements are findings with a severity, each at its place."""
    return layer.kind == "points" and "severity" in layer.table.columns
