"""What a person's hands do in the window, and waiting for it to come to rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton

from analysis.contract import Analysis, Inputs, Result
from analysis.params import Params, quantity
from app.main_window import MainWindow
from geo.model import Feedback

WAIT_MS = 60_000


def settle(window: MainWindow, qtbot: Any) -> None:
    """Until the window has its tools and nothing runs any more."""
    window.furnish()
    qtbot.wait(120)
    qtbot.waitUntil(lambda: not window.bench.jobs.busy, timeout=WAIT_MS)
    qtbot.wait(20)


def click(qtbot: Any, button: QAbstractButton) -> None:
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


class WaitParams(Params):
    """Parameters of the analysis below."""

    rounds: int = quantity("Rounds", "1", ge=1, le=100_000, default=5)


def made_analysis(run: Callable[[Any, Any, Feedback], Result]) -> Analysis:
    return Analysis("test.wait", "Waiting", "Waits.", 1, Inputs, WaitParams, run)
