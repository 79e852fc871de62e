"""The attribute table in the real window, driven like a person; asserted on the document."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("PySide6")

from PySide6.QtCore import QItemSelectionModel, QPoint, Qt
from PySide6.QtWidgets import QApplication

from app.commands import AddLayers
from app.jobs import StallMeter
from app.main_window import MainWindow
from geo.model import ElementRef
from tests.app.test_table import COUNT, large_layer
from tests.app.window_hands import click, settle

pytestmark = [pytest.mark.gl, pytest.mark.usefixtures("screen")]


@pytest.fixture
def table(city: MainWindow, qtbot: Any) -> MainWindow:
    """The window with the table open on four houses."""
    city.actions_["table"].trigger()
    qtbot.waitUntil(lambda: city.table.model.rowCount() == 4, timeout=5_000)
    return city


def shown(window: MainWindow) -> list[str]:
    """Ids of the rows in the order shown."""
    model = window.table.model
    return [model.data(model.index(row, 0)) for row in range(model.rowCount())]


def test_rows_and_scene_share_one_selection(table: MainWindow, qtbot: Any) -> None:
    panel, selection = table.table, table.document.selection
    assert panel.layer is not None
    assert panel.layer.id == "houses"
    rectangle = panel.view.visualRect(panel.model.index(1, 0))
    qtbot.mouseClick(panel.view.viewport(), Qt.MouseButton.LeftButton, pos=rectangle.center())
    qtbot.waitUntil(lambda: selection.items == (ElementRef("houses", "B2"),), timeout=2_000)
    selection.set([ElementRef("houses", "B1"), ElementRef("houses", "B3")])
    chosen = panel.view.selectionModel()
    qtbot.waitUntil(lambda: {i.row() for i in chosen.selectedRows()} == {0, 2}, timeout=2_000)
    assert panel.selected_rows().tolist() == [0, 2]
    assert "2 selected" in panel.count.text()


def test_typing_filters_and_the_rows_are_selected(table: MainWindow, qtbot: Any) -> None:
    panel = table.table
    qtbot.keyClicks(panel.filter_line, "height > 20 and not name = Birch")
    qtbot.waitUntil(lambda: shown(table) == ["B3", "B4"], timeout=3_000)
    click(qtbot, panel.buttons["table.select"])
    assert table.document.selection.of_layer("houses") == ("B3", "B4")
    panel.filter_line.setText("nonsense > 3")
    qtbot.waitUntil(lambda: not panel.error.isHidden(), timeout=3_000)
    assert "no column 'nonsense'" in panel.error.text()
    assert shown(table) == ["B3", "B4"]


def test_a_click_on_the_header_sorts_and_units_stand_in_it(table: MainWindow, qtbot: Any) -> None:
    panel = table.table
    header = panel.view.horizontalHeader()
    titles = [panel.model.headerData(n, Qt.Orientation.Horizontal) for n in range(panel.model.columnCount())]
    section = next(n for n, title in enumerate(titles) if title.endswith("[m]"))
    place = header.sectionViewportPosition(section) + 10
    for wanted in (["B1", "B2", "B3", "B4"], ["B4", "B3", "B2", "B1"]):
        qtbot.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(place, 8))
        assert shown(table) == wanted


def test_others_are_hidden_and_come_back_by_undo(table: MainWindow, qtbot: Any) -> None:
    document = table.document
    document.selection.set([ElementRef("houses", "B2")])
    qtbot.waitUntil(lambda: len(table.table.selected_rows()) == 1, timeout=2_000)
    click(qtbot, table.table.buttons["table.only"])
    assert document.scene["houses"].style.hidden == {"B1", "B3", "B4"}
    click(qtbot, table.table.buttons["table.show_all"])
    assert not document.scene["houses"].style.hidden
    document.history.undo()
    document.history.undo()
    assert not document.scene["houses"].style.hidden
    assert document.history.undo_title != "hide_elements"


def test_csv_opens_in_excel_and_the_clipboard_has_rows(table: MainWindow, qtbot: Any, tmp_path: Path) -> None:
    panel = table.table
    panel.filter_line.setText("height >= 36")
    qtbot.waitUntil(lambda: table.table.model.rowCount() == 2, timeout=2_000)
    target = tmp_path / "표.csv"
    panel.export(target, "filtered")
    settle(table, qtbot)
    raw = target.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(raw.decode("utf-8-sig"))))
    assert [row[0] for row in rows[1:]] == ["B3", "B4"]
    assert list(tmp_path.glob("*.part")) == []
    panel.copy()
    settle(table, qtbot)
    assert QApplication.clipboard().text().splitlines()[1].startswith("B3\tCedar\t36")
    panel.export(tmp_path / "nowhere" / "x.csv", "all")
    settle(table, qtbot)
    assert any("could not be written" in card.text for card in table.notice_area.cards)


def test_statistics_of_the_rows_shown(table: MainWindow, qtbot: Any) -> None:
    panel = table.table
    panel.show_statistics("height")
    qtbot.waitUntil(lambda: panel.statistics.text(0, "sum") == "120.0", timeout=2_000)
    assert panel.statistics.text(0, "count") == "4"
    panel.filter_line.setText("height > 30")
    qtbot.waitUntil(lambda: panel.statistics.text(0, "mean") == "42.0", timeout=2_000)


def test_a_hundred_thousand_rows_do_not_stall_the_window(table: MainWindow, qtbot: Any) -> None:
    table.document.do(AddLayers((large_layer(),)))
    settle(table, qtbot)
    panel = table.table
    meter = StallMeter()
    meter.start()
    panel.show_layer("large")
    settle(table, qtbot)
    panel.filter_line.setText("n1 > 50 and t2 ~ 7")
    settle(table, qtbot)
    qtbot.wait(300)
    settle(table, qtbot)
    kept = panel.model.rowCount()
    assert 0 < kept < COUNT / 2
    panel.view.sortByColumn(3, Qt.SortOrder.DescendingOrder)
    settle(table, qtbot)
    panel.view.scrollToBottom()
    qtbot.wait(50)
    click(qtbot, panel.buttons["table.select"])
    settle(table, qtbot)
    assert len(table.document.selection) == kept
    panel.filter_line.setText("")
    qtbot.waitUntil(lambda: panel.model.rowCount() == COUNT, timeout=20_000)
    settle(table, qtbot)
    assert int(panel.model.marked.sum()) == kept
    panel.view.setFocus()
    qtbot.keyClick(panel.view, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: len(table.document.selection) == COUNT, timeout=20_000)
    settle(table, qtbot)
    longest = meter.stop()
    print(f"longest stall: {longest:.3f} s")  # noqa: T201 - read by people
    flags = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
    panel.view.selectionModel().select(panel.model.index(5, 0), flags)
    qtbot.waitUntil(lambda: len(table.document.selection) == 1, timeout=3_000)
    assert meter.worked_s < 0.75


def test_both_languages_and_the_layer_removed(table: MainWindow, qtbot: Any) -> None:
    panel = table.table
    table.set_language("ko")
    assert panel.model.headerData(0, Qt.Orientation.Horizontal) == "식별자"
    table.document.selection.set([ElementRef("houses")])
    table.layers.remove_layers()
    settle(table, qtbot)
    assert panel.model.rowCount() == 0
    assert not panel.empty.isHidden()
    table.document.history.undo()
    settle(table, qtbot)
    assert panel.model.rowCount() == 4
