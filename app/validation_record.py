"""Headless. The scores of a validation case as a record for later, and its pairs as a drawing."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from analysis.wind.scores import ABSOLUTE, Scores, scores
from app.cases.contract import CaseResult, Comparison
from app.export import write_text
from app.language import tr
from app.scatter_svg import Panel, scatter_svg
from app.theme import theme_named
from geo.model import UserError

DIGITS = 5  # of the pairs in a record
THEME = "light"


def case_name(path: Path) -> str:
    """Name of a case's files: of its folder, or of its file without the ending."""
    path = path.resolve()
    return path.name if path.is_dir() else path.parent.name if path.name == "fixture.json" else path.stem


def record_of(name: str, title: str, scored: CaseResult, *, seconds: float) -> dict[str, Any]:
    """Everything that was found, as plain values for JSON; what is no number is null."""
    return {
        "case": name,
        "title": title,
        "kind": scored.kind,
        "metrics": {key: plain(value) for key, value in scored.metrics.items()},
        "limits": {key: dict(limit) for key, limit in scored.limits.items()},
        "passed": scored.passed,
        "notes": list(scored.notes),
        "elapsed_s": round(seconds, 1),
        "comparisons": [
            {
                "name": part.name,
                "observed": [plain(round(float(value), DIGITS)) for value in part.observed],
                "predicted": [plain(round(float(value), DIGITS)) for value in part.predicted],
            }
            for part in scored.comparisons
        ],
    }


def plain(value: float) -> float | None:
    """A number for JSON; None for what is none."""
    return float(value) if math.isfinite(value) else None


def read_record(path: Path) -> dict[str, Any]:
    """A record that `write_record` has written. Raises `UserError` for anything else."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        [comparison_of(part) for part in record["comparisons"]]
        good = isinstance(record["metrics"], dict) and isinstance(record["limits"], dict)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _no_record(path, error) from error
    if not good:
        raise _no_record(path, "its metrics are missing")
    return dict(record)


def comparison_of(part: Mapping[str, Any]) -> Comparison:
    """Pairs of a record."""
    observed, predicted = (np.array(part[key], dtype=np.float64) for key in ("observed", "predicted"))
    if observed.shape != predicted.shape or observed.ndim != 1:
        raise ValueError("as many calculated as measured values are needed")
    return Comparison(str(part["name"]), observed, predicted)


def write_record(record: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write the record and, where pairs were compared, their drawing in the current language."""
    text = json.dumps(record, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
    written = [write_text(folder / f"{record['case']}.json", text)]
    parts = [comparison_of(part) for part in record["comparisons"]]
    if parts:
        drawn = drawing(str(record["title"]), parts, absolute=0.0 if record["kind"] == "dust" else ABSOLUTE)
        written.append(write_text(folder / f"{record['case']}.svg", drawn))
    return written


def drawing(title: str, parts: Sequence[Comparison], *, absolute: float = ABSOLUTE) -> str:
    """Scatter plots of all parts of a case; `absolute` is the difference that counts as a hit whatever the size."""
    panels = [Panel(part_title(part.name), scores_line(scores(part.predicted, part.observed, absolute=absolute)),
                    part.observed, part.predicted) for part in parts]  # fmt: skip
    axes = tr("validation.observed", "Reference"), tr("validation.predicted", "Calculated")
    return scatter_svg(panels, title=title, axes=axes, theme=theme_named(THEME))


def part_title(name: str) -> str:
    """Heading of a part: a direction in degrees, or its name in the current language."""
    try:
        return f"{float(name):g}°"
    except ValueError:
        return tr(f"validation.part.{name}", name.replace("_", " "))


def scores_line(found: Scores) -> str:
    """Hit rate, FAC2, correlation and bias in one line."""
    return f"q {found.hit_rate:.2f}  FAC2 {found.fac2:.2f}  R {found.correlation:.2f}  FB {found.bias:+.2f}"


def _no_record(path: Path, why: object) -> UserError:
    return UserError(
        f"{path.name} is not a record of a validation.",
        f"Something is wrong with it: {why}.",
        "Make it with: twin validate CASE --plots FOLDER",
        code="validation.no_record",
        values={"name": path.name, "why": str(why)},
    )
