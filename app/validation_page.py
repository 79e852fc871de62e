"""Tables and pictures of the manual's page on the checks of wind, from records: ``make validation-page``.

The records are those of ``twin validate CASE --plots FOLDER``. In the pages stand, between lines that are not shown,
the parts made here: ``[//]: # (made: NAME)`` up to ``[//]: # (end)``, NAME being ``gates`` or the name of a record.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from analysis.wind.scores import Scores, scores
from app.export import write_text
from app.language import LANGUAGES, language, tr
from app.validation_record import comparison_of, drawing, part_title, read_record
from geo.model import UserError
from resources import path as resource_path

PAGE = "wind_validation"
BLOCK = re.compile(r"(\[//\]: # \(made: (\w+)\)\n).*?(\[//\]: # \(end\))", re.DOTALL)
METRICS = ("q", "fac2", "r", "fb")
MORE = ("cells", "iterations", "change", "settled")
BEST = 1.0  # of every score but the bias, whose best is zero


class Gate(NamedTuple):
    """A demand on a case: its record, the metric, the value reached, the limit, the share of the room used."""

    case: str
    metric: str
    value: float
    limit: float
    used: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the parts of the page in every language."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("records", type=Path, help="folder with the records (JSON) of twin validate --plots")
    parser.add_argument("--out", type=Path, default=Path(str(resource_path("help"))), help="folder of the manual")
    args = parser.parse_args(arguments)
    try:
        for file in make_page(args.records, args.out):
            sys.stdout.write(f"{file}\n")
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def make_page(folder: Path, manual: Path) -> list[Path]:
    """Write page and pictures of every language; returns what was written.

    Raises
    ------
    UserError
        A record is missing or damaged.
    """
    records = {path.stem: read_record(path) for path in sorted(folder.glob("*.json"))}
    written, before = [], language.code
    try:
        for code in LANGUAGES:
            language.set(code)
            written += _page(records, manual / code)
    finally:
        language.set(before)
    return written


def _page(records: Mapping[str, Mapping[str, Any]], manual: Path) -> list[Path]:
    page = manual / f"{PAGE}.md"
    text = page.read_text(encoding="utf-8")
    wanted = [found[1] for found in BLOCK.findall(text)]
    missing = [name for name in wanted if name != "gates" and name not in records]
    if missing:
        raise UserError(
            f"Records are missing: {', '.join(missing)}.",
            "The page shows these cases.",
            "Run: twin validate CASE --plots FOLDER for each of them.",
            code="validation.missing",
            values={"names": ", ".join(missing)},
        )
    shown = {name: records[name] for name in wanted if name != "gates"}
    made = {name: "\n".join(case_lines(record)) for name, record in shown.items()}
    made["gates"] = "\n".join(gate_lines(gates(shown)))
    text = BLOCK.sub(lambda found: f"{found[1]}\n{made[found[2]]}\n\n{found[3]}", text)
    written = [write_text(page, text)]
    for name, record in shown.items():
        parts = [comparison_of(part) for part in record["comparisons"]]
        written.append(write_text(manual / "pictures" / f"{name}.svg", drawing(case_title(name), parts)))
    return written


def case_title(name: str) -> str:
    """Title of a case in the current language."""
    return tr(f"validation.case.{name}", name)


# ---- gates ----------------------------------------------------------------------------------------------------------


def gates(records: Mapping[str, Mapping[str, Any]]) -> list[Gate]:
    """All demands, those with the least room left first."""
    found = [
        gate
        for name, record in records.items()
        for metric, limit in record["limits"].items()
        for gate in _gates(name, metric, record["metrics"].get(metric), limit)
    ]
    return sorted(found, key=lambda gate: -gate.used)


def _gates(name: str, metric: str, value: float | None, limit: Mapping[str, float]) -> Iterator[Gate]:
    """The share used of what is open between the best value and the limit; of lengths of wakes, of the limit itself."""
    reached = float("nan") if value is None else float(value)
    if "min" in limit:
        low = float(limit["min"])
        used = (BEST - reached) / (BEST - low) if low < BEST else low / reached
        yield Gate(name, metric, reached, low, used if used == used else float("inf"))
    if "max" in limit:
        high = float(limit["max"])
        yield Gate(name, metric, reached, high, reached / high if reached == reached else float("inf"))


def gate_lines(found: Sequence[Gate]) -> Iterator[str]:
    """The table of gates."""
    yield _row(tr(f"validation.column.{name}", name) for name in ("case", "metric", "reached", "gate", "used"))
    yield "|---" * 5 + "|"
    for gate in found:
        missed = f" **{tr('validation.missed', 'missed')}**" if gate.used > 1 else ""
        cells = (case_title(gate.case), metric_title(gate.metric), f"{gate.value:.2f}", f"{gate.limit:.2f}")
        yield _row((*cells, f"{100 * gate.used:.0f} %{missed}"))


def metric_title(metric: str) -> str:
    """A metric in words: ``q_22.5``, ``pedestrian_fac2``, ``mean_abs_fb``."""
    known = tr(f"validation.metric.{metric}", "")
    if known:
        return known
    words = metric.split("_")
    score = next((word for word in words if word in METRICS), "")
    part = "_".join(word for word in words if word != score)
    return f"{part_title(part)}: {tr(f'validation.metric.{score}', score)}" if score else metric.replace("_", " ")


# ---- one case -------------------------------------------------------------------------------------------------------


def case_lines(record: Mapping[str, Any]) -> Iterator[str]:
    """The table of a case's parts, the least correlated first, and its picture."""
    metrics = record["metrics"]
    found: list[tuple[str, Scores]] = [
        (part.name, scores(part.predicted, part.observed)) for part in map(comparison_of, record["comparisons"])
    ]
    extra = [key for key in MORE if found and f"{key}_{found[0][0]}" in metrics]
    yield _row(tr(f"validation.column.{name}", name) for name in ("part", "points", *METRICS, *extra))
    yield "|---" * (6 + len(extra)) + "|"
    for name, score in sorted(found, key=lambda item: item[1].correlation):
        cells = [part_title(name), f"{score.points}", f"{score.hit_rate:.2f}", f"{score.fac2:.2f}"]
        cells += [f"{score.correlation:.2f}", f"{score.bias:+.2f}"]
        yield _row([*cells, *(_extra(key, metrics[f"{key}_{name}"]) for key in extra)])
    yield ""
    yield f"![{case_title(str(record['case']))}](pictures/{record['case']}.svg)"


def _extra(key: str, value: float) -> str:
    if key == "settled":
        return tr("yes" if value else "no")
    return f"{100 * value:.2f} %" if key == "change" else f"{value:,.0f}"


def _row(cells: Sequence[str] | Iterator[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    raise SystemExit(main())
