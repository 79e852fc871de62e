"""Tab goes to what can be seen: panels behind the tab of another are passed over."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication, QWidget

from app.panels.panel import Panel

MOST_STEPS = 400  # of one Tab; more widgets than any panel has


def panel_around(widget: QObject | None) -> Panel | None:
    """The panel that a widget is in."""
    while widget is not None and not isinstance(widget, Panel):
        widget = widget.parent()
    return widget if isinstance(widget, Panel) else None


def is_covered(widget: QWidget | None) -> bool:
    """Whether a widget is in a panel of which nothing can be seen: Qt counts those behind a tab as visible."""
    panel = panel_around(widget)
    return panel is not None and panel.visibleRegion().isEmpty()


def step_focus(step: Callable[[], bool]) -> bool:
    """Go on by `step` until the focus is where a person can see it; whether it went anywhere."""
    moved = step()
    for _ in range(MOST_STEPS):
        if not moved or not is_covered(QApplication.focusWidget()):
            break
        moved = step()
    return moved
