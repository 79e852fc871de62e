"""The report builder in the window: ticks, order, pictures, preview, and what is written then."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QPlainTextEdit, QPushButton

from analysis.registry import get
from analysis.run import execute
from app.commands import AddLayers, SetStyle
from app.report_builder import ReportBuilder
from app.report_choice import ReportChoice, RunChoice, in_order
from app.shown_runs import with_free_ids
from tests.app.window_hands import WAIT_MS

if TYPE_CHECKING:
    from app.main_window import MainWindow

QUICK = {"step": 60, "ground_cell": 10.0, "facades": False}


@pytest.fixture
def results(city: MainWindow) -> MainWindow:
    """The window with two runs."""
    scene = city.document.scene
    for day in ("2026-12-22", "2026-06-21"):
        layers = tuple(layer for layer in scene if layer.theme != "result")
        params = {**QUICK, "day": day}
        result = execute(get("sunlight.hours"), layers=layers, frame=scene.frame, params=params)
        city.document.do(AddLayers(with_free_ids(scene, result.layers)))
    return city


def opened(window: MainWindow) -> ReportBuilder:
    window.actions_["report"].trigger()
    return next(one for one in window.findChildren(ReportBuilder) if one.isVisible())


def preview(dialog: ReportBuilder) -> list[str]:
    return [dialog.preview.item(row).text().strip() for row in range(dialog.preview.count())]


def test_a_person_builds_a_report(results: MainWindow, qtbot: Any, monkeypatch: Any, tmp_path: Path) -> None:
    first, second = (run.id for run in in_order(tuple(results.document.scene)))
    dialog = opened(results)
    assert dialog.choice.runs is None
    dialog.title.setText("Two days")
    dialog.before.setPlainText("Why.")
    tree = dialog.tree
    tree.setCurrentItem(tree.topLevelItem(1))
    tree.up_button.click()
    assert [one.run for one in dialog.choice.runs] == [second, first]
    tree.topLevelItem(1).setCheckState(0, Qt.CheckState.Unchecked)
    tree.topLevelItem(0).child(0).setCheckState(0, Qt.CheckState.Unchecked)
    assert dialog.choice.runs == (RunChoice(second, pictures=False),)
    dialog.shown_button.click()
    qtbot.waitUntil(lambda: dialog.pictures.count() == 1, timeout=WAIT_MS)  # it is drawn in short parts
    dialog.pictures.item(0).setText("From the south")
    assert dialog.choice.pictures[0].data.startswith(b"\x89PNG")
    told = preview(dialog)
    assert told[0] == "Cover: Two days"
    assert "From the south" in told
    assert any("Introduction" in line for line in told)
    asked: list[str] = []
    written: list[Path] = []
    monkeypatch.setattr(
        QFileDialog, "getSaveFileName", lambda *a, **_k: (asked.append(a[3]), (str(tmp_path / "r.pdf"), a[3]))[1]
    )
    monkeypatch.setattr(results.bench, "write_report", written.append)
    dialog.form.setCurrentIndex(1)
    dialog.write_button.click()
    assert written == [tmp_path / "r.pdf"]
    assert "*.pdf" in asked[0]
    again = opened(results)
    assert again.choice == results.document.report
    assert again.choice.title == "Two days"
    assert again.choice.runs == (RunChoice(second, pictures=False),)
    again.tree.all_button.click()
    assert len(again.choice.runs or ()) == 2
    again.reject()


def test_from_the_keyboard_alone(results: MainWindow, qtbot: Any, monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_a, **_k: (str(tmp_path / "r"), ""))
    written: list[Path] = []
    monkeypatch.setattr(results.bench, "write_report", written.append)
    dialog = opened(results)
    qtbot.keyClick(dialog.tree, Qt.Key.Key_Down)
    assert dialog.tree.currentItem() is dialog.tree.topLevelItem(1)
    qtbot.keyClick(dialog.tree, Qt.Key.Key_Space)
    assert len(dialog.choice.runs or ()) == 1
    qtbot.keyClick(dialog.title, Qt.Key.Key_Return)
    assert written == [tmp_path / "r.html"]
    assert not dialog.isVisible()


def test_leaving_changes_nothing(results: MainWindow) -> None:
    dialog = opened(results)
    dialog.title.setText("x")
    dialog.reject()
    assert results.document.report is None


def test_files_that_are_no_pictures_are_told(results: MainWindow, tmp_path: Path) -> None:
    good, bad = tmp_path / "a.png", tmp_path / "b.png"
    Image.new("RGB", (4, 4)).save(good)
    bad.write_text("no", encoding="utf-8")
    dialog = opened(results)
    dialog.take_files([good, bad])
    assert len(dialog.choice.pictures) == 1
    assert "b.png" in dialog.trouble.text()
    dialog.drop_button.click()
    assert dialog.choice.pictures == ()
    dialog.reject()


def test_a_project_without_results_says_so(city: MainWindow) -> None:
    dialog = opened(city)
    assert dialog.choice == ReportChoice(author=city.settings.author)
    assert "No results yet" in dialog.tree.topLevelItem(0).text(0)
    assert not dialog.tree.up_button.isEnabled()
    dialog.reject()


def test_everything_in_it_can_be_told_aloud(results: MainWindow) -> None:
    dialog = opened(results)
    for kind in (QPushButton, QPlainTextEdit):
        for widget in dialog.findChildren(kind):
            assert widget.accessibleName() or widget.property("text"), widget
    assert dialog.tree.accessibleName()
    assert dialog.preview.accessibleName()
    dialog.reject()


def test_saved_viewpoints_become_pictures_and_the_window_stays(results: MainWindow, qtbot: Any) -> None:
    view, scene = results.viewport, results.document.scene
    results.actions_["view_top"].trigger()
    results.actions_["viewpoint_save"].trigger()
    shown = next(layer for layer in scene if layer.id == "houses")
    results.bench.do(SetStyle("houses", dataclasses.replace(shown.style, visible=False)))
    results.actions_["view_south"].trigger()
    camera, steps = view.camera, results.document.history.state
    dialog = opened(results)
    dialog.views_button.click()
    (picture,) = dialog.choice.pictures
    assert picture.caption == results.document.viewpoints.items[0].name
    assert view.camera == camera
    assert not scene["houses"].style.visible
    assert results.document.history.state == steps  # nothing to undo
    image = Image.open(io.BytesIO(picture.data)).convert("RGB")
    assert image.size == (1600, 900)
    # From above, with the houses that are hidden now: their roofs are paler than the ground around them.
    dialog.reject()
    results.bench.do(SetStyle("houses", dataclasses.replace(scene["houses"].style, visible=True)))
    results.actions_["view_top"].trigger()
    now = view.grab_picture(160, 90, cards=False)
    small = image.resize((160, 90))
    middle = [(x, y) for x in range(40, 120, 8) for y in range(20, 70, 8)]
    apart = [abs(now.pixelColor(x, y).red() - small.getpixel((x, y))[0]) for x, y in middle]
    assert sorted(apart)[len(apart) // 2] < 12
