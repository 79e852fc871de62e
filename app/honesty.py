"""Headless. What a run says plainly before all figures: whether it is worth it, and what to expect."""

from __future__ import annotations

from collections.abc import Sequence

from app.language import issue_text
from app.numbers import unit_text
from geo.model import Issue

LEAD = ".honesty."  # part of the codes of such sentences
UNITS = ("ug/m3", "m2")  # as the sentences write them


def lead_of(issues: Sequence[Issue]) -> tuple[list[Issue], list[Issue]]:
    """The plain sentences in their order, and all other doubts."""
    lead = [issue for issue in issues if LEAD in issue.code]
    return lead, [issue for issue in issues if LEAD not in issue.code]


def lead_text(issue: Issue) -> str:
    """A sentence in the language in use, units as people write them."""
    text = issue_text(issue)
    for unit in UNITS:
        text = text.replace(unit, unit_text(unit))
    return text
