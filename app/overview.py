"""Headless. One card of all studies: what each alternative does to sun, wind, cameras, dust and the rules.

Only figures that decide are taken from each study, and of each it is known which way is better; what a study finds
besides stands in its own card (`app.scorecard`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from analysis.registry import find_analysis
from app.alternatives import BASE
from app.language import tr
from app.scorecard import TINY, Figure, figure_text, is_number, newest_by_alternative
from app.shown_runs import Run, runs_of
from geo.model import Layer

UP, DOWN, NEITHER = 1, -1, 0
# Studies in the order of the card, their deciding figures, and which way is better.
DECIDING: Mapping[str, tuple[tuple[str, int], ...]] = {
    "site.figures": (
        ("coverage", NEITHER), ("floor_area_ratio", NEITHER), ("floor_area", NEITHER), ("dwellings", NEITHER),
        ("parking", NEITHER), ("breaks", DOWN),
    ),
    "sunlight.setback": (("breaks", DOWN), ("needs_review", DOWN)),
    "sunlight.rights": (("share_passing", UP), ("failing", DOWN), ("newly_failing", DOWN), ("minutes_lost", DOWN)),
    "sunlight.hours": (("ground_mean", UP), ("facades_share_2h", UP)),
    "wind.comfort": (("ratio_mean", UP), ("weak_share", DOWN), ("danger_share", DOWN)),
    "wind.corridor": (("local_ratio", UP), ("calm_share", DOWN), ("air_change", UP)),
    "wind.field": (("ratio_mean", UP), ("calm_share", DOWN)),
    "cctv.coverage": (("seen", UP), ("met", UP), ("blind_spots", DOWN)),
    "dust.dispersion": (("exposure", DOWN), ("exposure_increment", DOWN), ("above_area", DOWN)),
}  # fmt: skip


class Row(NamedTuple):
    """One deciding figure.

    Attributes
    ----------
    study, name : str
    better : int
        `UP`, `DOWN` or `NEITHER`.
    figures : tuple of Figure or None
        A column for the base and for each alternative; None where it was not run.
    stale : tuple of bool
        Whether the run is out of date.
    """

    study: str
    name: str
    better: int
    figures: tuple[Figure | None, ...]
    stale: tuple[bool, ...]

    def judgement(self, column: int) -> int:
        """Whether a column is better (1) or worse (-1) than the base, 0 where it is as good or nobody can say."""
        figure = self.figures[column]
        if figure is None or figure.more is None or abs(figure.more) < TINY:
            return NEITHER
        return self.better if figure.more > 0 else -self.better


class Overview(NamedTuple):
    """All studies; `names` of the columns, the base first."""

    names: tuple[str, ...]
    rows: tuple[Row, ...]


def overview(layers: Sequence[Layer], alternatives: Sequence[tuple[str, str]], stale: Mapping[str, Any]) -> Overview:
    """The card.

    Parameters
    ----------
    alternatives : sequence of (id, name)
        Of the document, in order; the base is put before them.
    stale : mapping
        Runs that are out of date, by id, with a true value.
    """
    columns = [BASE, *(key for key, _ in alternatives)]
    run_studies = {run.analysis_id for run in runs_of(layers)}
    rows: list[Row] = []
    for study, figures in DECIDING.items():
        if study in run_studies:
            runs = {run.alternative: run for run in newest_by_alternative(layers, study)}
            rows += [_row(study, name, better, [runs.get(key) for key in columns], stale) for name, better in figures]
    kept = tuple(row for row in rows if any(figure is not None for figure in row.figures))
    return Overview((tr("alternatives.base"), *(name for _, name in alternatives)), kept)


def studies_of_overview(layers: Sequence[Layer]) -> list[str]:
    """Studies of the card that were run on anything, in its order."""
    there = {run.analysis_id for run in runs_of(layers)}
    return [study for study in DECIDING if study in there]


def _row(study: str, name: str, better: int, runs: Sequence[Run | None], stale: Mapping[str, Any]) -> Row:
    told = [(run.record.get("summary") or {}).get(name) if run is not None else None for run in runs]
    figures: list[Figure | None] = []
    for number, item in enumerate(told):
        if item is None:
            figures.append(None)
            continue
        value: Any = item["value"]
        first: Any = told[0]["value"] if told[0] is not None else None
        more = float(value) - float(first) if number and is_number(value) and is_number(first) else None
        figures.append(Figure(value, str(item["unit"]), more))
    old = tuple(run is not None and bool(stale.get(run.id)) for run in runs)
    return Row(study, name, better, tuple(figures), old)


def texts_of_overview(card: Overview, *, only_changed: bool) -> tuple[list[str], list[list[str]]]:
    """Heads, and rows that begin with study and figure; better and worse are marked by an arrow, old ones by a star."""
    heads = [tr("compare.figure"), *card.names]
    rows = []
    for row in card.rows:
        if only_changed and not _is_telling(row):
            continue
        declared = find_analysis(row.study)
        study = tr(f"{row.study}.title", declared.title if declared is not None else row.study)
        title = f"{study} · {tr(f'{row.study}.summary.{row.name}', row.name.replace('_', ' '))}"
        rows.append([title, *(_cell(row, column) for column in range(len(row.figures)))])
    return heads, rows


def _is_telling(row: Row) -> bool:
    """Whether a column differs from the base, or has not been worked out."""
    return any(f is None or (f.more is not None and abs(f.more) >= TINY) for f in row.figures)


def _cell(row: Row, column: int) -> str:
    mark = {UP: " ▲", DOWN: " ▼", NEITHER: ""}[row.judgement(column)]
    return figure_text(row.figures[column]) + mark + (" *" if row.stale[column] else "")
