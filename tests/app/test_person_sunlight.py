"""A designer's afternoon: drags a tower, reads the changed verdicts, compares two alternatives, hands in the report."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QEvent, Qt

from app.main_window import MainWindow
from app.panels.alternatives import AlternativesPanel
from app.shown_runs import runs_of
from geo.model import ElementRef
from tests.app.test_mass_tool import pixel, send, take
from tests.app.view_scene import need_graphics
from tests.app.window_hands import settle

WAIT_MS = 60_000
BIRCH = ElementRef("houses", "B2")


@pytest.fixture
def desk(city: MainWindow, qtbot: Any) -> MainWindow:
    need_graphics()
    city.resize(1366, 768)
    city.actions_["view_home"].trigger()
    settle(city, qtbot)
    return city


def drag_before_the_tower(window: MainWindow, qtbot: Any, height: float) -> None:
    """Birch, made `height` metres high by typing, dragged north until it stands before the tower; Enter ends."""
    live = window.masses.live
    take(window, BIRCH)
    qtbot.waitUntil(lambda: live.answer is not None and live.resting, timeout=WAIT_MS)
    window.masses.bar.edits["height"].spin_box.setValue(height)
    start, target = pixel(window, (50.0, -50.0, 40.0)), pixel(window, (40.0, 5.0, 40.0))
    send(window, QEvent.Type.MouseButtonPress, start)
    for share in (0.3, 0.6, 1.0):
        send(window, QEvent.Type.MouseMove, start + (target - start) * share)
    qtbot.waitUntil(lambda: live.resting and len(live.answer.changed) > 0, timeout=WAIT_MS)
    send(window, QEvent.Type.MouseButtonRelease, target)
    qtbot.waitUntil(lambda: live.resting, timeout=WAIT_MS)


def test_drag_read_compare_and_hand_in(desk: MainWindow, qtbot: Any, tmp_path: Path) -> None:
    window, live = desk, desk.masses.live
    # A high block before the tower: its windows lose their sun while the mouse is still down.
    drag_before_the_tower(window, qtbot, 72.0)
    failing = len(live.answer.newly_failing)
    assert failing > 5
    assert any(item.building == "B4" for item in live.answer.newly_failing)
    assert re.search(r"−?\d+ min", live.card.worst.text())
    window.masses.finish()
    settle(window, qtbot)
    # A second alternative from the first, lower: it takes less.
    window.show_panel("alternatives")
    high = window.document.alternatives.active
    window.panel_of(AlternativesPanel).copy_button.click()
    low = window.document.alternatives.active
    assert low != high
    take(window, BIRCH)
    window.masses.bar.edits["height"].spin_box.setValue(30.0)
    qtbot.waitUntil(lambda: live.resting and live.answer is not None, timeout=WAIT_MS)
    window.masses.finish()
    settle(window, qtbot)
    # The study on the present state and both alternatives.
    window.show_analysis("sunlight.rights")
    panel = window.analyses
    assert panel.form is not None
    panel.form.set_values({"step": 20})
    qtbot.waitUntil(lambda: panel.alternatives is not None and panel.alternatives.list.count() == 3, timeout=WAIT_MS)
    assert panel.alternatives is not None
    panel.alternatives.choose(["", high, low])
    qtbot.mouseClick(panel.run_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(runs_of(tuple(window.document.scene))) == 3, timeout=WAIT_MS)
    settle(window, qtbot)
    runs = {run.alternative: run.record["summary"] for run in runs_of(tuple(window.document.scene))}
    fails = {key: summary["failing"]["value"] for key, summary in runs.items()}
    assert fails[""] < fails[low] < fails[high]
    # Side by side, and the map between the two alternatives.
    window.show_panel("compare")
    qtbot.waitUntil(lambda: window.compare.table.columnCount() == 4, timeout=WAIT_MS)
    window.compare.before.setCurrentIndex(window.compare.before.count() - 2)
    window.compare.after.setCurrentIndex(window.compare.after.count() - 1)
    qtbot.mouseClick(window.compare.difference, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(runs_of(tuple(window.document.scene))) == 4, timeout=WAIT_MS)
    settle(window, qtbot)
    # The PDF of one verdict in both languages.
    verdict = next(run for run in runs_of(tuple(window.document.scene)) if run.alternative == high)
    job = window.topics.write_pdf(tmp_path / "verdict.pdf", verdict, both=True)
    qtbot.waitUntil(lambda: job.is_over, timeout=WAIT_MS)
    assert (tmp_path / "verdict.pdf").read_bytes().startswith(b"%PDF")
    # All of it is undone.
    while window.document.history.undo_title is not None:
        window.document.history.undo()
    assert not window.document.alternatives.items
    assert not runs_of(tuple(window.document.scene))
