"""What a user can ask for about results that are out of date: rows of the table of actions."""

from __future__ import annotations

from app.action_spec import ActionSpec

REFRESH_ACTIONS: tuple[ActionSpec, ...] = (
    ActionSpec(
        "refresh_results",
        lambda w: w.results.refresher.refresh(),
        "redo",
        "F5",
        lambda w: any(w.bench.stale.values()) and not w.results.refresher.running,
    ),
)
REFRESH_ENTRIES = ("refresh_results",)
