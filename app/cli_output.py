"""Headless. What the commands of the command line share: printing, settings, opening a project."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from app.document import Document
from app.language import issue_text, tr
from geo.model import Feedback, Issue, UserError

DONE = 0


def emit(value: Mapping[str, Any]) -> None:
    """One JSON object on stdout."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, default=_plain) + "\n")


def say(text: str) -> None:
    """One line for people on stdout."""
    sys.stdout.write(text + "\n")


def _plain(value: object) -> object:
    item = getattr(value, "item", None)
    return item() if callable(item) else str(value)


def finish_bar() -> None:
    """Leave the progress bar's line before anything else is printed."""
    if sys.stderr.isatty():
        sys.stderr.write("\r" + " " * 110 + "\r")


def settings_of(pairs: Sequence[str]) -> dict[str, str]:
    """``["a=1"]`` as ``{"a": "1"}``."""
    out = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.strip():
            raise UserError(
                f"'{pair}' is not a setting.",
                "A setting has the form name=value.",
                "Write for example --set day=2026-12-22.",
                code="cli.setting",
                values={"setting": pair},
            )
        out[name.strip()] = value.strip()
    return out


def print_issues(issues: Sequence[Issue], limit: int = 30) -> None:
    """The notes and doubts, the first `limit` of them."""
    if issues:
        say(tr("cli.issues") + ":")
    for issue in issues[:limit]:
        say(f"  [{tr('severity.' + issue.severity)}] {issue_text(issue)}")
    if len(issues) > limit:
        say(f"  ... +{len(issues) - limit}")


def open_project(project: str, feedback: Feedback) -> tuple[Document, Sequence[Issue]]:
    """A project file as a document, and what was doubtful about opening it."""
    from app.project_file import open_document

    document, loaded = open_document(Path(project), feedback)
    return document, loaded.issues
