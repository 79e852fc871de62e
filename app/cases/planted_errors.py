"""Headless. Truth checks of pipes against errors planted on purpose: a ``utilities_truth.json`` beside the maps.

The maps and registers are imported as a user would import them, ``utility.check`` is run, and each planted error must
be told of under its check. A false alarm is a pipe that is told of although nothing was done to it nor to the other
pipe that the finding names.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.cases.contract import Case, CaseResult, at_least, at_most
from geo.model import Feedback, Layer, UserError

FILE = "utilities_truth.json"
LARGEST = 20_000_000  # [bytes]
LIMITS = {"found_share": at_least(1.0), "false_alarm_share": at_most(0.02)}
NOTES = (
    "found_share: planted errors that utility.check tells of under their check.",
    "false_alarm_share: sound pipes that it tells of, among all sound pipes; findings that follow from a planted "
    "error on the other pipe are not counted.",
)
Findings = list[Mapping[str, object]]


def recognise(path: Path) -> bool:
    """Whether it is a list of planted errors, or a folder with one."""
    file = path / FILE if path.is_dir() else path
    try:
        if file.suffix.lower() != ".json" or file.stat().st_size > LARGEST:
            return False
        truth = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(truth, dict) and {"planted", "maps", "around"} <= set(truth)


def run(path: Path, feedback: Feedback) -> CaseResult:
    """Import, check, and compare with the list."""
    file = path / FILE if path.is_dir() else path
    truth = _read(file)
    layers, frame = _imported(file.parent, truth, feedback.part(0.0, 0.6))
    findings = _findings(layers, frame, feedback.part(0.6, 0.99))
    feedback.step(1.0, "scored")
    pipes = sum(len(layer.table) for layer in layers if layer.theme == "utility" and layer.kind == "lines")
    return CaseResult("utilities", score(truth["planted"], findings, pipes), LIMITS, NOTES)


def score(planted: list[dict[str, str]], findings: Findings, pipes: int) -> dict[str, float]:
    """Figures of the comparison.

    Parameters
    ----------
    planted : list
        ``id`` and ``check`` of each.
    findings : list of rows
        ``check``, ``element`` and ``other`` of each.
    pipes : int
        All pipes, sound or not.
    """
    named: dict[str, set[str]] = defaultdict(set)
    for row in findings:
        named[str(row["check"])] |= {str(row["element"]), str(row["other"])}
    spoilt = {entry["id"] for entry in planted}
    found = [entry for entry in planted if entry["id"] in named[entry["check"]]]
    false = {str(row["element"]) for row in findings if not {str(row["element"]), str(row["other"])} & spoilt}
    sound = max(pipes - len(spoilt), 1)
    out: dict[str, float] = {
        "pipes": pipes,
        "planted": len(planted),
        "found": len(found),
        "found_share": len(found) / max(len(planted), 1),
        "false_alarms": len(false),
        "false_alarm_share": len(false) / sound,
    }
    for check in sorted({entry["check"] for entry in planted}):
        out[f"planted_{check}"] = sum(entry["check"] == check for entry in planted)
        out[f"found_{check}"] = sum(entry["check"] == check for entry in found)
    return out


def _read(file: Path) -> dict[str, Any]:
    truth: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    try:
        good = all({"id", "check"} <= set(entry) for entry in truth["planted"])
        names = [*truth["around"], *(name for pair in truth["maps"] for name in pair if name)]
        missing = [name for name in names if not (file.parent / str(name)).is_file()]
    except (TypeError, ValueError) as error:
        raise _damaged(file, str(error)) from error
    if not good:
        raise _damaged(file, "an entry lacks its id or its check")
    if missing:
        raise _damaged(file, f"{', '.join(map(str, missing))} is not beside it")
    return truth


def _imported(folder: Path, truth: Mapping[str, Any], feedback: Feedback) -> tuple[list[Layer], Any]:
    from app.importer import ImportOptions, import_files

    around = import_files([folder / name for name in truth["around"]], frame=None, feedback=feedback.part(0.0, 0.5))
    layers, frame = list(around.layers), around.frame
    for number, (name, register) in enumerate(truth["maps"]):
        part = feedback.part(0.5 + 0.5 * number / len(truth["maps"]), 0.5 + 0.5 * (number + 1) / len(truth["maps"]))
        options = ImportOptions(own={"join": register} if register else {})
        layers += import_files([folder / name], frame=frame, layers=layers, options=options, feedback=part).layers
    return layers, frame


def _findings(layers: list[Layer], frame: Any, feedback: Feedback) -> Findings:
    from analysis.registry import get
    from analysis.run import execute

    result = execute(get("utility.check"), layers=layers, frame=frame, params={}, feedback=feedback)
    table = next(table for table in result.tables if table.id == "findings")
    names = [str(name) for name in table.columns]
    return [dict(zip(names, row, strict=True)) for row in table.rows()]


def _damaged(file: Path, why: str) -> UserError:
    return UserError(
        f"The planted errors of {file.name} cannot be used.",
        f"Something is wrong with the list: {why}.",
        "Make the sample district again, or fetch the case again.",
        code="case.planted_damaged",
        values={"name": file.name, "why": why},
    )


CASE = Case("utilities.planted", "Truth checks of pipes against planted errors (utilities_truth.json)", recognise, run)
