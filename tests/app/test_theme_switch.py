"""Switching between light and dark does not hold the window up."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("PySide6")

from PySide6.QtWidgets import QApplication

from app import appearance
from app.main_window import MainWindow
from app.theme import theme_named

pytestmark = [pytest.mark.gl, pytest.mark.usefixtures("screen")]


def seconds(deed: Callable[[], object]) -> float:
    """Processor time of the main thread [s]."""
    began = time.thread_time()
    deed()
    return time.thread_time() - began


def test_widgets_are_dressed_once(city: MainWindow) -> None:
    """The first line alone would take longer while the widgets wear the sheet of the other theme."""
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    dressed, twice = [], []
    for name in ("dark", "light", "dark"):
        theme = theme_named(name)
        dressed.append(seconds(lambda theme=theme: appearance.apply(theme)))
        twice.append(
            seconds(lambda: application.setStyle("Fusion"))
            + seconds(lambda theme=theme: application.setStyleSheet(appearance.style_sheet(theme) + " "))
        )
    print(f"a theme takes {min(dressed) * 1000:.0f} ms of the main thread, over another {min(twice) * 1000:.0f} ms")
    assert min(dressed) < 0.7 * min(twice)


def test_the_window_answers_while_it_is_dressed_and_is_painted_at_the_end(city: MainWindow, qtbot: Any) -> None:
    seen = []
    city.bench.set_theme("dark")
    for _ in range(20):
        seen.append(city.updatesEnabled())
        if city.dressing.are_over:
            break
        QApplication.processEvents()
    assert seen[0] is False
    qtbot.waitUntil(lambda: city.dressing.are_over, timeout=20_000)
    assert city.updatesEnabled()
    city.bench.set_theme("light")
    city.bench.set_theme("dark")  # begun anew half-way
    qtbot.waitUntil(lambda: city.dressing.are_over, timeout=20_000)
    assert city.updatesEnabled()
    assert city.grab().toImage().pixelColor(2, city.height() - 4).lightness() < 100
