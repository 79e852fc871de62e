"""Headless. Alternatives side by side: the key figures of one study for the base and each alternative."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from app.alternatives import BASE
from app.language import tr
from app.numbers import quantity_text
from app.shown_runs import Run, runs_of
from app.words import figure_word
from geo.model import Layer

DIFFERENCE = "compare.results"
TINY = 1e-9


class Figure(NamedTuple):
    """One key figure of one run: its value and, where both are numbers, what it is more than that of the first."""

    value: object
    unit: str
    more: float | None


class Scorecard(NamedTuple):
    """Key figures of one study: a column for each run, the base first; `names` are ids of its key figures."""

    analysis_id: str
    runs: tuple[Run, ...]
    names: tuple[str, ...]
    figures: tuple[tuple[Figure | None, ...], ...]

    def changed(self, row: int) -> bool:
        """Whether a figure is another in any of the runs."""
        told = [item.value for item in self.figures[row] if item is not None]
        return any(value != told[0] for value in told)


def newest_by_alternative(layers: Sequence[Layer], analysis_id: str, order: Sequence[str] = ()) -> tuple[Run, ...]:
    """The newest run of a study on the base and on each alternative, the base first.

    order : sequence of str
        Ids of the alternatives as the project has them; others follow by name.
    """
    found: dict[str, Run] = {}
    for run in runs_of(layers):
        if run.analysis_id == analysis_id:
            found.setdefault(run.alternative, run)
    place = {key: number for number, key in enumerate(order)}
    rest = sorted(
        (run for key, run in found.items() if key != BASE),
        key=lambda run: (place.get(run.alternative, len(place)), run.alternative_name),
    )
    return (*([found[BASE]] if BASE in found else ()), *rest)


def studies_to_compare(layers: Sequence[Layer]) -> tuple[str, ...]:
    """Studies that were run on two alternatives or more, the one run last first."""
    seen: dict[str, set[str]] = {}
    for run in runs_of(layers):
        seen.setdefault(run.analysis_id, set()).add(run.alternative)
    return tuple(name for name, alternatives in seen.items() if len(alternatives) > 1 and name != DIFFERENCE)


def scorecard(layers: Sequence[Layer], analysis_id: str, order: Sequence[str] = ()) -> Scorecard:
    """The key figures of a study on the base and on every alternative it was run on, in this order of their ids."""
    return card_of(analysis_id, newest_by_alternative(layers, analysis_id, order))


def card_of(analysis_id: str, runs: Sequence[Run]) -> Scorecard:
    """The key figures of these runs of a study, compared with the first of them."""
    summaries: list[dict[str, Any]] = [dict(run.record.get("summary") or {}) for run in runs]
    names = tuple(dict.fromkeys(name for summary in summaries for name in summary))
    return Scorecard(analysis_id, tuple(runs), names, tuple(tuple(_row(summaries, name)) for name in names))


def _row(summaries: Sequence[dict[str, Any]], name: str) -> list[Figure | None]:
    first = summaries[0].get(name) if summaries else None
    out: list[Figure | None] = []
    for number, summary in enumerate(summaries):
        item = summary.get(name)
        if item is None:
            out.append(None)
            continue
        more = None
        if number and first is not None and is_number(item["value"]) and is_number(first["value"]):
            more = float(item["value"]) - float(first["value"])
        out.append(Figure(item["value"], str(item["unit"]), more))
    return out


def is_number(value: Any) -> bool:
    """Whether a value can be subtracted from another."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def run_name(run: Run) -> str:
    """What a column is called: the alternative, or the base."""
    return run.alternative_name or tr("alternatives.base")


def figure_name(card: Scorecard, row: int) -> str:
    """Title of a key figure."""
    name = card.names[row]
    return tr(f"{card.analysis_id}.summary.{name}", name.replace("_", " "))


def figure_text(figure: Figure | None) -> str:
    """A figure with its unit and, behind it, what it is more or less than in the first column."""
    if figure is None:
        return "–"
    text = tr(figure.value) if figure.value in ("yes", "no") else quantity_text(figure.value, figure.unit)  # type: ignore[arg-type]
    if figure.more is None or abs(figure.more) < TINY:
        return text
    sign = "+" if figure.more > 0 else "−"
    return f"{text} ({sign}{_more_text(abs(figure.more), figure.unit)})"


def _in_words(card: Scorecard, row: int, figure: Figure | None) -> Figure | None:
    """A figure that is a word, in the user's language."""
    if figure is None or not isinstance(figure.value, str):
        return figure
    return figure._replace(value=figure_word(card.analysis_id, card.names[row], figure.value))


def _more_text(more: float, unit: str) -> str:
    """A difference; of shares in points, which are not percent of the first."""
    points = f"{more:,.2f}".rstrip("0").rstrip(".")
    return f"{points} {tr('compare.points')}" if unit == "%" else quantity_text(more, unit)


def texts_of(card: Scorecard, *, only_changed: bool = False) -> tuple[list[str], list[list[str]]]:
    """The card as texts: heads, and rows that begin with the figure's name."""
    heads = [tr("compare.figure"), *(run_name(run) for run in card.runs)]
    rows = [
        [figure_name(card, row), *(figure_text(_in_words(card, row, figure)) for figure in card.figures[row])]
        for row in range(len(card.names))
        if card.changed(row) or not only_changed
    ]
    return heads, rows
