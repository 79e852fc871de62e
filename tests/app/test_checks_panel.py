"""The panel of rules in the real window, driven like a person: check, click what fails, report, table, colours."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("PySide6")

from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QTreeWidgetItem

from app.commands import AddLayers
from app.importer import import_files
from app.language import language
from app.main_window import MainWindow
from app.panels.checks import ChecksPanel
from tests.app.window_hands import settle

WAIT_MS = 60_000
HOUSE = "AC20-FZK-Haus.ifc"
pytestmark = [pytest.mark.gl, pytest.mark.usefixtures("screen")]


@pytest.fixture
def panel(window: MainWindow, qtbot: Any, shared_data: Path, tmp_path: Path) -> ChecksPanel:
    """The panel in front, with a house imported."""
    file = Path(shutil.copyfile(shared_data / "ifc" / HOUSE, tmp_path / HOUSE))
    done = import_files([file], frame=None)
    window.bench.do(AddLayers(tuple(done.layers), frame=done.frame))
    window.bench.document_opened.emit()
    window.resize(1366, 768)
    window.perform(next(spec for spec in _actions() if spec.id == "checks"))
    qtbot.waitUntil(lambda: window.checks.path is not None, timeout=WAIT_MS)
    settle(window, qtbot)
    return window.checks


def _actions() -> Any:
    from app.actions import ACTIONS

    return ACTIONS


def checked(panel: ChecksPanel, qtbot: Any, rules: str = "Fire and access") -> ChecksPanel:
    panel.rules_box.setCurrentText(rules)
    qtbot.mouseClick(panel.run_button, Qt.MouseButton.LeftButton)
    assert panel.job is not None
    qtbot.waitUntil(lambda: panel.job is None, timeout=WAIT_MS)
    return panel


def rule(panel: ChecksPanel, words: str) -> QTreeWidgetItem:
    items = [panel.tree.topLevelItem(n) for n in range(panel.tree.topLevelItemCount())]
    return next(item for item in items if words in item.text(0))


def test_a_person_checks_a_model_and_finds_what_fails(panel: ChecksPanel, qtbot: Any) -> None:
    assert "Choose rules" in panel.note.text()
    assert panel.rules_box.currentText() == "Basic model quality"
    undo_before = panel.document.history.undo_title
    checked(panel, qtbot)
    assert panel.isVisible()
    assert panel.tree.topLevelItemCount() == 8
    assert "2 passed, 6 failed" in panel.note.text()
    doors = rule(panel, "fire rating")
    assert doors.text(0).startswith("✕")
    assert doors.text(1) == "0 / 5"
    assert rule(panel, "heat transmission").text(0).startswith("✓")
    seen: list[Any] = []
    panel.bench.zoom_requested.connect(seen.append)
    panel.tree.expandItem(doors)
    failing = doors.child(0)
    panel.tree.scrollToItem(failing)
    qtbot.mouseClick(panel.tree.viewport(), Qt.MouseButton.LeftButton, pos=panel.tree.visualItemRect(failing).center())
    (ref,) = panel.document.selection.items
    layer = panel.document.scene[ref.layer_id]
    assert layer.table.row(ref.element_id)["class"] == "IfcDoor"
    assert seen == [[ref]]
    assert panel.document.history.undo_title == undo_before  # looking changes nothing


def test_isolating_and_colouring_follow_the_rule_that_is_chosen_and_can_be_undone(
    panel: ChecksPanel, qtbot: Any
) -> None:
    checked(panel, qtbot)
    panel.tree.setCurrentItem(rule(panel, "Doors say whether they are a fire exit"))
    layers = panel.model_view().layers
    before = {layer.id: (layer.style, len(layer.fields)) for layer in layers}
    panel.buttons["checks.colour"].click()
    codes = {}
    for layer in panel.model_view().layers:
        field = layer.field_named("ids_check")
        if field is not None:
            assert layer.style.colour_by == "ids_check"
            codes |= dict(zip(layer.table.ids, np.asarray(field.values).tolist(), strict=True))
    doors = {e for la in panel.model_view().layers for e in la.table.ids if la.table.row(e)["class"] == "IfcDoor"}
    assert len(doors) == 5
    assert sorted(codes[door] for door in doors) == [0, 1, 1, 1, 1]
    assert all(code == -1 for element, code in codes.items() if element not in doors)
    panel.document.history.undo()
    assert {la.id: (la.style, len(la.fields)) for la in panel.model_view().layers} == before
    panel.buttons["checks.isolate"].click()
    drawn = {
        e for la in panel.model_view().layers if la.style.visible for e in la.table.ids if e not in la.style.hidden
    }
    assert len(drawn) == 4
    assert drawn < doors
    panel.document.history.undo()
    assert {la.id: la.style for la in panel.model_view().layers} == {key: style for key, (style, _) in before.items()}


def test_report_and_table_hold_what_the_panel_shows(panel: ChecksPanel, qtbot: Any, tmp_path: Path) -> None:
    checked(panel, qtbot)
    page, table = tmp_path / "report.html", tmp_path / "failures.csv"
    panel.write_report(page)
    panel.write_csv(table)
    qtbot.waitUntil(lambda: page.exists() and table.exists() and not panel.bench.jobs.busy, timeout=WAIT_MS)
    text = page.read_text(encoding="utf-8")
    assert HOUSE in text
    assert "Doors state their fire rating" in text
    assert "http" not in text.replace("http-equiv", "")  # nothing from elsewhere
    with table.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert panel.checked is not None
    failures = sum(len(found.failures) for found in panel.checked.rules)
    without = sum(not found.failures for found in panel.checked.rules)
    assert len(rows) == 1 + failures + without
    assert {len(row) for row in rows} == {9}


def test_rules_are_dropped_remembered_and_refused_in_plain_words(
    panel: ChecksPanel, qtbot: Any, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.ids"
    broken.write_text("<ids>\n<info>\n</ids>", encoding="utf-8")
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(broken))])
    copy, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    panel.dropEvent(QDropEvent(QPointF(5, 5), copy, data, left, none))
    assert panel.rules() == broken.resolve()
    assert panel.bench.settings.recent_rules == [broken.resolve()]
    qtbot.mouseClick(panel.run_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: panel.job is None, timeout=WAIT_MS)
    assert "broken.ids is not a readable XML file" in panel.note.text()
    assert "line 3" in panel.note.text()
    assert panel.checked is None
    language.set("ko")
    assert panel.run_button.text() == "검사"
    assert panel.rules() == broken.resolve()


def test_a_stopped_check_leaves_nothing(panel: ChecksPanel, qtbot: Any) -> None:
    panel.run()
    assert panel.job is not None
    panel.stop()
    qtbot.waitUntil(lambda: panel.job is None, timeout=WAIT_MS)
    assert panel.checked is None
    assert "stopped" in panel.note.text()
    checked(panel, qtbot, "Basic model quality")
    assert panel.checked is not None
    nothing = rule(panel, "Pipes and ducts")
    assert nothing.text(0).startswith("–")
    assert nothing.text(1) == "nothing to check"


def test_without_a_model_the_panel_says_so(window: MainWindow) -> None:
    window.show_panel("checks")
    assert "There is no building model" in window.checks.note.text()
    assert not window.checks.run_button.isEnabled()
    assert not window.checks.tree.isVisible()
