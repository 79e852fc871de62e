"""Headless. The outcome of a check by rules as a self-contained HTML page, and all its failures as CSV."""

from __future__ import annotations

import csv
import datetime as dt
import io
from itertools import islice
from pathlib import Path
from typing import Any

from app.ids_texts import (
    SYMBOLS,
    element_class,
    reason_text,
    requirement_text,
    rule_advice,
    rule_note,
    rule_remarks,
    rule_title,
    rules_title,
    status_text,
    summary_text,
)
from app.language import language, tr
from bim.ids_result import CheckedModel, Rule
from geo.model import Feedback
from geo.store import write_atomically
from resources import path as resource_path

SHOWN = 100  # failing elements of a rule in the page; all are counted, and all are in the CSV
WORDS = ("made", "model", "rules", "schema", "rule", "state", "checked", "passed", "failed", "requires", "element",
         "class", "storey", "reason", "advice", "id")  # fmt: skip
COLUMNS = ("rule", "state", "id", "class", "element", "storey", "requires", "reason", "value")


def write_report(checked: CheckedModel, path: Path, *, model: str, rules: str) -> Path:
    """Write the page.

    Parameters
    ----------
    model, rules : str
        Names of the two files.
    """
    content = report_page(checked, model=model, rules=rules).encode("utf-8")
    write_atomically(path, lambda file: file.write(content))
    return path


def report_page(checked: CheckedModel, *, model: str, rules: str) -> str:
    """The page as text."""
    from jinja2 import Environment, StrictUndefined

    from app.cli import program_version

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(resource_path("report/ids.html.j2").read_text(encoding="utf-8"))
    return template.render(
        language=language.code,
        title=rules_title(checked) or tr("ids.report"),
        made=dt.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M"),
        program=program_version(),
        t={word: tr(f"ids.word.{word}") for word in WORDS},
        model=model,
        file=rules,
        schema=checked.schema,
        summary=summary_text(checked),
        rules=[_rule(checked, rule) for rule in checked.rules],
    )


def _rule(checked: CheckedModel, rule: Rule) -> dict[str, Any]:
    shown = [
        {
            "id": element.id,
            "class": element_class(element.entity),
            "name": element.name or "–",
            "storey": element.storey or "–",
            "reasons": [f"{requirement_text(requirement)}: {reason_text(reason)}" for requirement, reason in said],
        }
        for element, said in islice(checked.by_element(rule), SHOWN)
    ]
    more = len(checked.failed_rows(rule)) - len(shown)
    return {
        "title": rule_title(rule),
        "note": rule_note(rule),
        "advice": rule_advice(rule),
        "status": rule.status,
        "state": status_text(rule),
        "symbol": SYMBOLS[rule.status],
        "checked": f"{rule.checked:,}",
        "passed": f"{rule.passed:,}",
        "failed": f"{rule.failed:,}",
        "share": 100.0 * rule.passed / rule.checked if rule.checked else 0.0,
        "remarks": rule_remarks(rule, checked.schema),
        "requirements": [requirement_text(item) for item in rule.requirements],
        "elements": shown,
        "more": tr("ids.more", count=f"{more:,}") if more > 0 else "",
    }


def write_csv(checked: CheckedModel, path: Path, *, feedback: Feedback) -> int:
    """Write one line for each failure; rules without any have one line that says their state. Gives the failures."""
    target, count = io.StringIO(newline=""), 0
    out = csv.writer(target)
    out.writerow([tr(f"ids.word.{name}") for name in COLUMNS])
    for number, rule in enumerate(checked.rules):
        feedback.step(number / len(checked.rules), rule.name)
        title, state = rule_title(rule), status_text(rule)
        if not rule.failures:
            out.writerow([_cell(title), state, *[""] * 7])
        for failure in rule.failures:
            element, reason = checked.elements[failure.element], checked.reasons[failure.reason]
            wanted = requirement_text(rule.requirements[failure.requirement])
            row = [title, state, element.id, element.entity, element.name, element.storey]
            out.writerow([_cell(text) for text in (*row, wanted, reason_text(reason), reason.actual)])
            count += 1
    content = target.getvalue().encode("utf-8-sig")  # the mark that Excel wants
    write_atomically(path, lambda file: file.write(content))
    return count


def _cell(text: str) -> str:
    """A text that a spreadsheet does not take for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "@", "\t") or (text[:1] == "-" and len(text) > 1) else text
