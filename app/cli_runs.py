"""Headless. ``twin run``, ``twin rerun`` and ``twin validate``."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from app.cli_output import DONE, emit, finish_bar, print_issues, say, settings_of
from app.language import tr
from app.numbers import figure_text
from app.words import figure_word
from geo.model import Feedback, UserError


def run(args: argparse.Namespace, feedback: Feedback) -> int:
    """``twin run``."""
    from analysis.contract import describe_inputs
    from analysis.registry import get

    declared = get(args.analysis)
    params: dict[str, Any] = _params_file(args.params)
    chosen: dict[str, list[str]] = {}
    inputs = {spec.name for spec in describe_inputs(declared.inputs)}
    for name, value in settings_of(args.settings).items():
        if name in inputs:
            chosen[name] = [piece.strip() for piece in value.split(",") if piece.strip()]
        else:
            params[name] = value
    return _run_and_tell(args, declared.id, Path(args.project), params, chosen, feedback)


def _params_file(name: str | None) -> dict[str, Any]:
    if name is None:
        return {}
    try:
        values = json.loads(Path(name).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(
            f"The parameters cannot be read from {name}.",
            f"{error}.",
            "Give a JSON file with one object of names and values.",
            code="cli.params_file",
            values={"name": name, "reason": str(error)},
        ) from error
    if not isinstance(values, dict):
        raise UserError(
            f"{name} does not hold parameters.",
            "It must be one JSON object of names and values.",
            'Write for example {"day": "2026-12-22"}.',
            code="cli.params_shape",
            values={"name": name},
        )
    return values


def _run_and_tell(
    args: argparse.Namespace,
    analysis_id: str,
    project: Path,
    params: Mapping[str, Any],
    chosen: Mapping[str, Sequence[str]],
    feedback: Feedback,
    alternative: str | None = None,
) -> int:
    from app.runs import run_on_project

    started = time.perf_counter()
    done = run_on_project(
        analysis_id,
        project,
        params=params,
        chosen=chosen,
        alternative=getattr(args, "alternative", None) or alternative,
        out=Path(args.out) if args.out else None,
        feedback=feedback,
    )
    finish_bar()
    answer = {
        "analysis": analysis_id,
        "version": done.provenance.version,
        "summary": {name: {"value": q.value, "unit": q.unit} for name, q in done.result.summary.items()},
        "outputs": [str(path) for path in done.outputs],
        "issues": [issue.as_dict() for issue in done.issues],
        "elapsed_s": round(time.perf_counter() - started, 3),
    }
    if args.json:
        emit(answer)
        return DONE
    say(f"{tr(f'{analysis_id}.title', analysis_id)}")
    for name, quantity in done.result.summary.items():
        value = quantity.value
        text = figure_word(analysis_id, name, value) if isinstance(value, str) else figure_text(value, quantity.unit)
        say(f"  {tr(f'{analysis_id}.summary.{name}', name)}: {text}")
    print_issues(done.issues)
    for path in done.outputs:
        say(tr("cli.written", path=path))
    return DONE


def rerun(args: argparse.Namespace, feedback: Feedback) -> int:
    """``twin rerun``."""
    from app.runs import read_record

    record, project = read_record(Path(args.result))
    provenance = record["provenance"]
    chosen: dict[str, list[str]] = {}
    for item in provenance["inputs"]:
        chosen.setdefault(item["input"], []).append(item["layer"])
    alternative = provenance.get("alternative") or "base"
    return _run_and_tell(args, provenance["analysis"], project, provenance["params"], chosen, feedback, alternative)


def validate(args: argparse.Namespace, feedback: Feedback) -> int:
    """``twin validate``."""
    from app.cases import find_case
    from app.validation_record import case_name, record_of, write_record

    path = Path(args.case)
    if not path.exists():
        raise UserError(
            f"{path} does not exist.",
            "There is no file or folder of that name.",
            "Check the name.",
            code="file.absent",
            values={"path": str(path)},
        )
    started = time.perf_counter()
    case = find_case(path)
    scored = case.run(path, feedback)
    finish_bar()
    written: list[Path] = []
    if args.plots:
        record = record_of(case_name(path), case.title, scored, seconds=time.perf_counter() - started)
        written = write_record(record, Path(args.plots))
    answer = {
        "case": str(path),
        "kind": scored.kind,
        "metrics": dict(scored.metrics),
        "limits": dict(scored.limits),
        "passed": scored.passed,
        "notes": list(scored.notes),
        "written": written,
        "elapsed_s": round(time.perf_counter() - started, 3),
    }
    if args.json:
        emit(answer)
        return DONE
    say(f"{case.title}: {tr('cli.passed') if scored.passed else tr('cli.failed')}")
    for name, value in scored.metrics.items():
        say(f"  {name}: {value:.6g}  ({tr('cli.limit')}: {scored.limits.get(name, '-')})")
    for text in (*scored.notes, *(tr("cli.written", path=file) for file in written)):
        say(text)
    return DONE
