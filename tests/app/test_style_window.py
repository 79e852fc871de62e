"""The legend edited in the real window: what is seen while it is edited, one step of it, copies and files."""

from __future__ import annotations

import dataclasses
import random
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QFileDialog

from app import project_file
from app.colour import ramp
from app.commands import SetStyle
from app.legend_editor import LegendEditor
from app.main_window import MainWindow
from app.view.legend import legend_of
from app.widgets.class_table import HIGH, LOW, TITLE
from geo.model import ElementRef, Style
from geo.store import style_from_dict, style_to_dict
from tests.app.window_hands import settle

BLOCKS = "houses"


def editor(city: MainWindow, **style: object) -> LegendEditor:
    layer = city.document.scene[BLOCKS]
    city.document.scene.replace(layer.with_(style=Style(colour_by="height", **style)), "style")
    city.document.selection.set([ElementRef(BLOCKS)])
    city.actions_["edit_legend"].trigger()
    found = city.layers.styles.editor
    assert found is not None
    assert found.isVisible()
    return found


def shown(city: MainWindow) -> Style:
    return city.document.scene[BLOCKS].style


def test_everything_in_the_dialog_is_seen_at_once_and_is_one_step(city: MainWindow, qtbot: Any) -> None:
    dialog = editor(city, method="equal", classes=3)
    before = shown(city)
    dialog.table.item(0, HIGH).setText("20.5")
    assert shown(city).method == "breaks"
    assert shown(city).breaks[1] == 20.5
    dialog.table.item(1, TITLE).setText("중간")
    dialog.table.cellWidget(2, 0).choose("#ff0000")
    dialog.reversed_box.setChecked(True)
    dialog.missing_button.choose("#00ff00")
    dialog.title_edit.setText("건물 높이")
    assert city.document.history.undo_title == "edit_legend"
    legend = legend_of(city.document.scene[BLOCKS])
    assert legend is not None
    assert legend.classes[1][0] == "중간"
    assert legend.classes[2][1] == (255, 0, 0)
    dialog.accept()  # the title is still being written
    assert shown(city).title == "건물 높이"
    assert city.document.history.undo_title == "edit_legend"
    edited = shown(city)
    city.actions_["undo"].trigger()
    assert shown(city) == before
    city.actions_["redo"].trigger()
    assert shown(city) == edited
    settle(city, qtbot)
    assert city.viewport.cards.legend.legend.title == "건물 높이"


def test_cancel_takes_all_back_and_leaves_no_step(city: MainWindow, qtbot: Any) -> None:
    dialog = editor(city)
    before, steps = shown(city), city.document.history.state
    dialog.method_box.setCurrentIndex(dialog.method_box.findData("quantiles"))
    dialog.method_box.activated.emit(dialog.method_box.currentIndex())
    assert shown(city).method == "quantiles"
    dialog.reject()
    assert shown(city) == before
    assert city.document.history.state == steps
    assert city.document.history.redo_title is None
    assert city.layers.styles.editor is None


def test_other_steps_while_the_dialog_is_open_are_kept(city: MainWindow, qtbot: Any) -> None:
    dialog = editor(city)
    before = shown(city)
    dialog.reversed_box.setChecked(True)
    city.actions_["undo"].trigger()  # by a program: the dialog is modal
    assert shown(city) == before
    assert not dialog.reversed_box.isChecked()
    dialog.missing_button.choose("#111111")
    ground = city.document.scene["ground"]
    city.document.do(SetStyle("ground", dataclasses.replace(ground.style, opacity=0.5), "set_opacity"))
    dialog.reject()
    assert shown(city) == before
    assert city.document.scene["ground"].style.opacity == 0.5
    for _ in range(3):
        city.actions_["undo"].trigger()
    assert shown(city) == before
    assert city.document.scene["ground"].style.opacity == 1.0


def test_the_ends_of_a_ramp_are_typed_and_given_back(city: MainWindow, qtbot: Any) -> None:
    dialog = editor(city)
    dialog.low_edit.setText("5")
    dialog.high_edit.setText("1,000")
    dialog.high_edit.editingFinished.emit()
    assert shown(city).range == (5.0, 1000.0)
    dialog.high_edit.setText("2")  # below the low end: as before
    dialog.high_edit.editingFinished.emit()
    assert shown(city).range == (5.0, 1000.0)
    dialog.low_edit.setText("")
    dialog.high_edit.setText("")
    dialog.high_edit.editingFinished.emit()
    assert shown(city).range is None
    dialog.reject()


def test_classes_are_halved_joined_and_reset(city: MainWindow, qtbot: Any) -> None:
    dialog = editor(city, method="equal", classes=2)
    dialog.table.setCurrentCell(0, TITLE)
    qtbot.mouseClick(dialog.split_button, Qt.MouseButton.LeftButton)
    assert dialog.table.rowCount() == 3
    dialog.table.setCurrentCell(0, TITLE)
    qtbot.mouseClick(dialog.join_button, Qt.MouseButton.LeftButton)
    assert dialog.table.rowCount() == 2
    qtbot.mouseClick(dialog.reset_button, Qt.MouseButton.LeftButton)
    assert shown(city) == Style(colour_by="height")
    dialog.reject()


def test_a_double_click_on_the_legend_opens_it_and_a_click_goes_no_further(city: MainWindow, qtbot: Any) -> None:
    layer = city.document.scene[BLOCKS]
    city.document.scene.replace(layer.with_(style=Style(colour_by="height")), "style")
    settle(city, qtbot)
    card = city.viewport.cards.legend
    assert card.isVisible()
    place = card.geometry().center()
    city.document.selection.clear()
    qtbot.mouseClick(city.viewport, Qt.MouseButton.LeftButton, pos=place)
    assert len(city.document.selection) == 0
    qtbot.mouseDClick(city.viewport, Qt.MouseButton.LeftButton, pos=place)
    dialog = city.layers.styles.editor
    assert dialog is not None
    assert dialog.layer.id == BLOCKS
    dialog.reject()
    qtbot.mouseDClick(city.viewport, Qt.MouseButton.LeftButton, pos=QPoint(5, city.viewport.height() - 5))
    assert city.layers.styles.editor is None


def test_a_layer_that_goes_takes_its_dialog_with_it(city: MainWindow, qtbot: Any) -> None:
    dialog = editor(city)
    dialog.reversed_box.setChecked(True)
    city.document.scene.remove(BLOCKS)
    assert city.layers.styles.editor is None


def test_styles_are_copied_saved_and_loaded(
    city: MainWindow, qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layer = city.document.scene[BLOCKS]
    rich = Style(colour_by="height", method="breaks", breaks=(0.0, 10.0, 40.0), class_colours=(("0", "#abcdef"),))
    city.document.scene.replace(layer.with_(style=rich), "style")
    city.document.selection.set([ElementRef(BLOCKS)])
    city.actions_["copy_style"].trigger()
    path = tmp_path / "높이.twinstyle"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_a: (str(path), ""))
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_a: (str(path), ""))
    city.actions_["save_style"].trigger()
    city.document.scene.replace(city.document.scene[BLOCKS].with_(style=Style(opacity=0.5)), "style")
    city.actions_["paste_style"].trigger()
    assert shown(city) == rich
    city.actions_["undo"].trigger()
    assert shown(city) == Style(opacity=0.5)
    city.actions_["load_style"].trigger()
    assert shown(city) == rich
    path.write_text('{"format": "sejong-twin-style", "version": 1, "style": {"opacity": 9}}')
    city.actions_["load_style"].trigger()
    assert shown(city) == rich  # refused, and said so


def test_the_edited_legend_is_saved_with_the_project(city: MainWindow, qtbot: Any, tmp_path: Path) -> None:
    layer = city.document.scene[BLOCKS]
    style = Style(colour_by="height", range=(1.0, 9.0), reversed=True, title="높이", missing="#123456", edges=False)
    city.document.scene.replace(layer.with_(style=style), "style")
    project_file.save(city.document, tmp_path / "a.twin")
    again, _loaded = project_file.open_document(tmp_path / "a.twin")
    assert again.scene[BLOCKS].style == style
    legend = legend_of(again.scene[BLOCKS])
    assert legend is not None
    assert legend.ramp is not None
    assert legend.ramp[0].tolist() == ramp("viridis")[-1].tolist()
    assert dataclasses.replace(style, range=None) != style


WRITTEN = ("", "0", "-1", "1e9", "12.5", "abc", "30", "24", "x" * 300, "#ff0000", "nan", "−5", "1,000")


def test_whatever_is_done_in_the_dialog_can_be_taken_back(city: MainWindow, qtbot: Any) -> None:
    chance = random.Random(5)
    dialog = editor(city)
    before, steps = shown(city), city.document.history.state

    def choose(box: Any) -> None:
        if box.count():
            box.setCurrentIndex(chance.randrange(box.count()))
            box.activated.emit(box.currentIndex())

    def write_cell() -> None:
        if dialog.table.rowCount():
            item = dialog.table.item(chance.randrange(dialog.table.rowCount()), chance.choice((LOW, HIGH, TITLE)))
            item.setText(chance.choice(WRITTEN))

    def colour() -> None:
        if dialog.table.rowCount():
            button = dialog.table.cellWidget(chance.randrange(dialog.table.rowCount()), 0)
            button.choose(chance.choice(("", "#010203", "#ffffff")))

    def row() -> None:
        if dialog.table.rowCount():
            dialog.table.setCurrentCell(chance.randrange(dialog.table.rowCount()), TITLE)

    def write_end() -> None:
        edit = chance.choice((dialog.low_edit, dialog.high_edit))
        edit.setText(chance.choice(WRITTEN))
        edit.editingFinished.emit()

    hands = (
        lambda: choose(dialog.by_box),
        lambda: choose(dialog.method_box),
        lambda: choose(dialog.ramp_box),
        lambda: dialog.classes_box.setValue(chance.randint(2, 12)),
        lambda: dialog.reversed_box.toggle(),
        lambda: dialog.title_edit.setText(chance.choice(WRITTEN)),
        lambda: dialog.missing_button.choose(chance.choice(("", "#445566"))),
        *(write_cell, colour, row, write_end, write_cell),
        lambda: dialog.split_button.click(),
        lambda: dialog.join_button.click(),
        lambda: dialog.reset_button.click() if chance.random() < 0.2 else None,
    )
    for _ in range(250):
        chance.choice(hands)()
        style = shown(city)
        assert style_from_dict(style_to_dict(style)) == style
        assert list(style.breaks) == sorted(set(style.breaks))
        legend_of(city.document.scene[BLOCKS])
    settle(city, qtbot)
    dialog.reject()
    assert shown(city) == before
    assert city.document.history.state == steps
