"""Headless. What a run says plainly before all figures: whether it is worth it, and what to expect."""

from __future__ import annotations

from collections.abc import Sequence

from geo.model import Issue

LEAD = ".honesty."  # part of the codes of such sentences


def lead_of(issues: Sequence[Issue]) -> tuple[list[Issue], list[Issue]]:
    """The plain sentences in their order, and all other doubts."""
    lead = [issue for issue in issues if LEAD in issue.code]
    return lead, [issue for issue in issues if LEAD not in issue.code]
