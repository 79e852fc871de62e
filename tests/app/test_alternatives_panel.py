"""The panel of alternatives, as a person uses it: add, rename, switch, duplicate, put back, remove."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QLineEdit

from app.alternative_diff import change_texts, difference_text, differing
from app.alternatives import BASE, change_elements, change_of, set_mass
from app.language import language
from app.panels.alternatives import AlternativesPanel
from geo.alternatives import MASSES, Alternative, Change, Mass, Tree
from geo.model import ElementRef, Mesh
from tests.app.window_hands import settle

ALDER, TOWER = ElementRef("houses", "B1"), ElementRef("houses", "B4")
MOVED = Change(move=(30.0, -40.0, 1.5), turn_deg=-15.0, height_factor=1.25)


@pytest.fixture
def panel(city: Any, qtbot: Any) -> AlternativesPanel:
    made = city.panel_of(AlternativesPanel)
    city.resize(1200, 900)
    city.show_panel("alternatives")
    settle(city, qtbot)
    return made


def names(panel: AlternativesPanel) -> list[str]:
    return [panel.list.item(row).text() for row in range(panel.list.count())]


def rows(panel: AlternativesPanel) -> list[list[str]]:
    items = [panel.changes.topLevelItem(row) for row in range(panel.changes.topLevelItemCount())]
    return [[item.text(column) for column in range(2)] for item in items]


def click_row(panel: AlternativesPanel, row: int) -> None:
    place = panel.list.visualItemRect(panel.list.item(row)).center()
    QTest.mouseClick(panel.list.viewport(), Qt.MouseButton.LeftButton, pos=place)


def bold(panel: AlternativesPanel) -> list[bool]:
    return [panel.list.item(row).font().bold() for row in range(panel.list.count())]


def east(window: Any, ref: ElementRef) -> float:
    layer = window.document.scene[ref.layer_id]
    mesh: Mesh = layer.geometry
    mine = mesh.faces[mesh.face_element == layer.table.index[ref.element_id]]
    return float(mesh.vertices[mine.ravel(), 0].min())


def test_add_rename_switch_duplicate_remove(city: Any, panel: AlternativesPanel, qtbot: Any) -> None:
    document = city.document
    assert names(panel) == ["Present state"]
    panel.add_button.click()
    assert names(panel) == ["Present state", "Alternative"]
    panel.list.currentItem().setText("Courtyard")  # what the line in the list does at Enter
    settle(city, qtbot)
    assert [one.name for one in document.alternatives.items] == ["Courtyard"]
    document.do(change_elements(document, {TOWER: MOVED}, name="x"))
    settle(city, qtbot)
    assert rows(panel) == [["Dogwood", "50.0 m ↘ +1.5 m ↕ · -15° · × 1.25"]]
    assert bold(panel) == [False, True]
    panel.copy_button.click()
    settle(city, qtbot)
    assert names(panel)[2] == "Copy of Courtyard"
    assert change_of(document, TOWER) == MOVED
    click_row(panel, 0)
    settle(city, qtbot)
    assert document.alternatives.active == BASE
    assert east(city, TOWER) == 30.0
    assert rows(panel) == []
    assert "present state stays" in panel.empty.text()
    click_row(panel, 1)
    settle(city, qtbot)
    assert east(city, TOWER) != 30.0
    panel.remove_button.click()
    settle(city, qtbot)
    assert names(panel) == ["Present state", "Copy of Courtyard"]
    assert document.alternatives.active == BASE
    panel.undo_button.click()
    settle(city, qtbot)
    assert names(panel) == ["Present state", "Courtyard", "Copy of Courtyard"]


def test_a_taken_name_is_told_and_not_given(city: Any, panel: AlternativesPanel, qtbot: Any) -> None:
    panel.add()
    panel.add()
    panel.list.currentItem().setText("Alternative")
    settle(city, qtbot)
    assert names(panel) == ["Present state", "Alternative", "Alternative 2"]
    assert any("cannot be called" in label.text() for label in city.notice_area.findChildren(QLabel))


def test_rows_select_their_buildings_and_are_put_back(city: Any, panel: AlternativesPanel, qtbot: Any) -> None:
    document = city.document
    mass = Mass("mass-1", ((0.0, 0.0), (9.0, 0.0), (9.0, 9.0)), 20.0, 4, 3.0, "Pavilion")
    document.do(change_elements(document, {TOWER: MOVED, ALDER: Change(removed=True)}, name="A"))
    document.do(set_mass(document, mass, name="A"))
    settle(city, qtbot)
    assert rows(panel)[1] == ["Alder", "deleted"]
    assert rows(panel)[2] == ["Pavilion", "new · 4 storeys · 12 m"]
    item = panel.changes.topLevelItem(2)
    place = panel.changes.visualItemRect(item).center()
    QTest.mouseClick(panel.changes.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert document.selection.items == (ElementRef(MASSES, "mass-1"),)
    document.selection.set([TOWER])  # as by a click in the picture
    assert [panel.changes.topLevelItem(row).isSelected() for row in range(3)] == [True, False, False]
    camera = city.viewport.camera
    panel.zoom_button.click()
    assert city.viewport.camera != camera
    panel.reset_button.click()
    settle(city, qtbot)
    assert change_of(document, TOWER).is_nothing
    assert east(city, TOWER) == 30.0
    assert [row[0] for row in rows(panel)] == ["Alder", "Pavilion"]
    document.selection.set([ElementRef(MASSES, "mass-1")])
    panel.reset()
    assert MASSES not in document.scene
    city.actions_["undo"].trigger()
    np.testing.assert_array_equal(document.alternatives.items[0].masses[0].ring, mass.ring)


def test_the_panel_asks_for_a_new_mass_and_speaks_korean(city: Any, panel: AlternativesPanel, qtbot: Any) -> None:
    panel.mass_button.click()
    drawing = city.viewport._drawing
    assert drawing.mode == "polygon"
    assert drawing.snap is not None
    drawing.cancel()
    language.set("ko")
    settle(city, qtbot)
    assert names(panel) == ["현재 상태"]
    panel.add()
    assert names(panel)[1] == "대안"
    assert panel.changes.headerItem().text(0) == "건물"


def test_moves_are_said_by_length_and_side() -> None:
    assert change_texts(Change(move=(0.0, 12.0, 0.0)))[0] == "12.0 m ↑"
    assert change_texts(Change(move=(-3.0, 0.0, -0.01)))[0] == "3.0 m ←"
    assert change_texts(Change(turn_deg=90.0)) == ("", "+90°", "")


def test_an_empty_window_offers_nothing(window: Any) -> None:
    panel = window.panel_of(AlternativesPanel)
    assert not panel.add_button.isEnabled()
    assert not panel.mass_button.isEnabled()
    assert not window.actions_["mass_move"].isEnabled()
    window.masses.take()
    assert window.masses.tool is None


def test_the_name_of_a_new_one_is_typed_at_once(city: Any, panel: AlternativesPanel, qtbot: Any) -> None:
    """The editor is still open when the window has caught up with the new alternative."""
    for button, name in ((panel.add_button, "High"), (panel.copy_button, "Low")):
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        settle(city, qtbot)
        editor = panel.list.findChild(QLineEdit)
        assert editor is not None
        QTest.keyClicks(editor, name)
        QTest.keyClick(editor, Qt.Key.Key_Return)
        settle(city, qtbot)
    assert names(panel) == ["Present state", "High", "Low"]


def test_two_alternatives_are_compared_thing_by_thing(city: Any, panel: AlternativesPanel, qtbot: Any) -> None:
    document = city.document
    ring = ((0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0))
    city.bench.do(set_mass(document, Mass("m", ring, 20.0, 12, 3.0, name="Hall"), name="High"))
    city.bench.do(change_elements(document, {TOWER: Change(removed=True), ALDER: MOVED}, name="High"))
    settle(city, qtbot)
    assert not panel.against.isVisible()  # nothing to choose from
    panel.duplicate()
    settle(city, qtbot)
    place = panel.against.findText("High")
    panel.against.setCurrentIndex(place)
    panel.against.activated.emit(place)
    assert panel.empty.text() == "Both alternatives are the same."
    lower = Mass("m", tuple((x + 3.0, y + 4.0) for x, y in ring), 20.0, 9, 3.5, name="Hall")
    city.bench.do(set_mass(document, lower, name="Low"))
    city.bench.do(change_elements(document, {TOWER: Change()}, name="Low"))
    settle(city, qtbot)
    assert panel.against.currentText() == "High"
    assert rows(panel) == [
        ["Dogwood", "deleted → as it is"],
        ["Hall", "Storeys 12 → 9 · Storey height 3 → 3.50 m · 5.0 m ↗"],
    ]


def test_what_only_one_has() -> None:
    tree = Tree("t", (0.0, 0.0, 0.0), 8.0, 5.0)
    planted = Alternative("a", "A", trees=(tree,))
    (row,) = differing(None, planted)
    assert (row.name, difference_text(row)) == ("Tree", "none → new · 8 m")
    assert difference_text(differing(planted, None)[0]) == "new · 8 m → none"
    assert differing(planted, planted) == ()
