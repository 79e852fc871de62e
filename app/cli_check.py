"""Headless. ``twin check``: a model by the rules of an IDS file."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from app.cli_output import DONE, emit, finish_bar, say
from app.ids_texts import SYMBOLS, rule_remarks, rule_title, status_text, summary_text
from app.language import tr
from bim.ids_result import CheckedModel
from geo.model import Feedback, UserError
from resources import path as resource_path

OWN = ("basic", "fire_access")  # rules that come with the program, by name


def own_rules(name: str) -> Path:
    """File of rules that come with the program."""
    return Path(str(resource_path(f"ids/{name}.ids")))


def check(args: argparse.Namespace, feedback: Feedback) -> int:
    """``twin check``: ends well also when the model fails, which the answer says."""
    from app.ids_report import write_csv, write_report

    model = Path(args.model)
    rules = own_rules(args.rules) if args.rules in OWN and not Path(args.rules).exists() else Path(args.rules)
    for file in (model, rules):
        if not file.is_file():
            raise UserError(
                f"{file} does not exist.",
                "There is no file of that name.",
                "Check the name.",
                code="file.absent",
                values={"path": str(file)},
            )
    checked = _ask(model, rules, args, feedback.part(0.0, 0.95))
    written = []
    if args.out:
        written.append(write_report(checked, Path(args.out), model=model.name, rules=rules.name))
    if args.csv:
        write_csv(checked, Path(args.csv), feedback=feedback.part(0.95, 1.0))
        written.append(Path(args.csv))
    feedback.step(1.0, "checked")
    finish_bar()
    if args.json:
        emit(_answer(checked, model, rules, written))
        return DONE
    _tell(checked)
    for file in written:
        say(tr("cli.written", path=file))
    return DONE


def _ask(model: Path, rules: Path, args: argparse.Namespace, feedback: Feedback) -> CheckedModel:
    """In a process of its own, as the window does: a file that brings the library down is told of."""
    from app.model_service import ModelService

    service = ModelService()
    arguments = {"rules": str(rules.resolve()), "limit_s": args.limit, "any_version": args.any_version}
    try:
        return CheckedModel.from_dict(service.ask(model.resolve(), "ids", arguments, feedback=feedback))
    finally:
        service.close()


def _answer(checked: CheckedModel, model: Path, rules: Path, written: list[Path]) -> dict[str, Any]:
    return {
        "model": str(model),
        "rules": str(rules),
        "title": checked.title,
        "schema": checked.schema,
        "passed": checked.failed_rules == 0 and checked.complete,
        "complete": checked.complete,
        "failed_rules": checked.failed_rules,
        "specifications": [
            {
                "name": rule.name,
                "identifier": rule.identifier,
                "status": rule.status,
                "checked": rule.checked,
                "passed": rule.passed,
                "failed": rule.failed,
                "unclear": rule.unclear,
                "left_out": dict(rule.left_out),
                "failed_ids": [checked.elements[row].id for row in checked.failed_rows(rule)],
            }
            for rule in checked.rules
        ],
        "written": [str(file) for file in written],
        "elapsed_s": checked.seconds,
    }


def _tell(checked: CheckedModel) -> None:
    say(summary_text(checked))
    for rule in checked.rules:
        counts = tr("ids.counts", checked=f"{rule.checked:,}", passed=f"{rule.passed:,}", failed=f"{rule.failed:,}")
        say(f"  {SYMBOLS[rule.status]} {rule_title(rule)}: {status_text(rule)}, {counts}")
        for remark in rule_remarks(rule, checked.schema):
            say(f"      {remark}")
