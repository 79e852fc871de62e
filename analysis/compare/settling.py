"""Flows that had not settled: part of their difference is of the calculation, not of the alternatives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from geo.model import Issue

NOT_SETTLED = ".not_settled"  # ending of the issue by which a run says so; its value: percent


def settling_issues(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Issue]:
    """A doubt where one of two runs had not settled; empty for studies that have nothing to settle."""
    changes = [_change(record) for record in (before, after)]
    if changes == [None, None]:
        return []
    said = [0.5 if change is None else change for change in changes]
    message = (
        f"Not both results have settled: in 20 iterations the one before still changed by {said[0]:g} %, the one after "
        f"by {said[1]:g} %. Differences of that order are of the calculation: run both again until they have settled."
    )
    values = {"before": said[0], "after": said[1]}
    return [Issue("compare.not_settled", message, "doubt", values=values)]


def _change(record: Mapping[str, Any]) -> float | None:
    """By how many percent the map of a run was still changing; None where it had settled or there is no such thing."""
    for issue in record.get("issues") or ():
        if str(issue.get("code", "")).endswith(NOT_SETTLED):
            return float((issue.get("values") or {}).get("percent", 100.0))
    return None
