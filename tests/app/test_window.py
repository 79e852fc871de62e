"""The window driven like a person: start page, import, layers, selection, running a study."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QAbstractButton, QLabel, QMessageBox

from analysis.contract import Result
from app import project_file
from app.commands import AddLayers
from app.document import Document
from app.import_dialog import ImportDialog
from app.importer import import_files
from app.jobs import StallMeter
from app.main_window import MainWindow
from geo.model import ElementRef, Feedback, Mesh
from tests.app import tiny_city
from tests.app.window_hands import WAIT_MS, click, made_analysis, settle

pytestmark = [pytest.mark.gl, pytest.mark.usefixtures("screen")]


def test_empty_window_offers_a_start_and_disables_what_needs_data(window: MainWindow) -> None:
    assert window.stack.currentWidget() is window.start_page
    assert set(window.start_page.tiles) == {"sample", "import", "open"}
    assert not window.actions_["save"].isEnabled()
    assert not window.actions_["run"].isEnabled()
    assert window.actions_["open"].isEnabled()


def test_import_shows_before_it_commits_then_save_and_open_again(
    window: MainWindow, qtbot: Any, tmp_path: Path
) -> None:
    files = tiny_city.write_files(tmp_path)
    window.files.open_paths(files)
    settle(window, qtbot)
    dialog = window.findChild(ImportDialog)
    assert dialog is not None
    assert dialog.isVisible()
    assert len(window.document.scene) == 0
    assert dialog.import_button.isEnabled()
    click(qtbot, dialog.import_button)
    settle(window, qtbot)
    names = {layer.theme for layer in window.document.scene}
    assert names == {"terrain", "building"}
    assert window.stack.currentWidget() is window.viewport
    assert window.isWindowModified()

    target = tmp_path / "city.twin"
    window.bench.save(target)
    settle(window, qtbot)
    assert not window.document.modified
    assert window.windowTitle().startswith("city")
    assert target in window.settings.recent

    window.actions_["new"].trigger()
    assert len(window.document.scene) == 0
    window.files.open_project(target)
    settle(window, qtbot)
    assert {layer.theme for layer in window.document.scene} == names
    assert not window.document.modified


def test_the_sample_opens_from_the_start_page_as_a_project_without_a_name(
    window: MainWindow, qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app import demo

    def small_sample(folder: Path, feedback: Feedback) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        imported = import_files(tiny_city.write_files(folder), frame=None, feedback=feedback)
        document = Document()
        document.do(AddLayers(imported.layers, frame=imported.frame))
        project_file.save(document, folder / demo.PROJECT)
        return folder / demo.PROJECT

    monkeypatch.setattr(demo, "sample_project", small_sample)
    click(qtbot, window.start_page.tiles["sample"])
    settle(window, qtbot)
    assert len(window.document.scene) == 2
    assert window.document.path is None
    assert not window.document.modified
    assert window.stack.currentWidget() is window.viewport


def test_a_moved_source_is_asked_for_and_found(window: MainWindow, qtbot: Any, tmp_path: Path) -> None:
    from app.relink_dialog import RelinkDialog

    first, later = tmp_path / "first", tmp_path / "later"
    first.mkdir()
    later.mkdir()
    files = tiny_city.write_files(first)
    window.files.open_paths(files)
    settle(window, qtbot)
    click(qtbot, window.findChild(ImportDialog).import_button)
    settle(window, qtbot)
    target = tmp_path / "city.twin"
    window.bench.save(target)
    settle(window, qtbot)
    for file in files:
        file.rename(later / file.name)
    window.actions_["new"].trigger()
    window.files.open_project(target)
    settle(window, qtbot)
    dialog = window.findChild(RelinkDialog)
    assert dialog is not None
    assert len(window.document.scene) == 0
    stored = dialog._missing[0].path
    dialog.set_place(stored, later / Path(stored).name)
    click(qtbot, dialog.open_button)
    settle(window, qtbot)
    assert len(window.document.scene) == 2


def test_unsaved_changes_are_asked_about_and_cancel_keeps_them(city: MainWindow, qtbot: Any) -> None:
    city.close()
    assert city.isVisible()
    box = city.findChild(QMessageBox)
    assert box is not None
    cancel = next(b for b in box.buttons() if b.text() == "Cancel")
    click(qtbot, cancel)
    assert len(city.document.scene) == 2


def test_autosave_is_offered_after_a_crash(
    city: MainWindow, qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    city.bench.autosave()
    settle(city, qtbot)
    monkeypatch.setattr(project_file, "_is_alive", lambda _path: False)
    assert project_file.recoverable()
    city.document.clear()
    city.files.offer_recovery()
    card = city.notice_area.cards[-1]
    click(qtbot, next(b for b in card.findChildren(QAbstractButton) if b.text() == "Recover"))
    settle(city, qtbot)
    assert len(city.document.scene) == 2
    assert city.document.modified


def test_tick_hides_a_layer_and_undo_shows_it_again(city: MainWindow) -> None:
    item = city.layers.item_of("houses")
    assert item is not None
    item.setCheckState(0, Qt.CheckState.Unchecked)
    assert not city.document.scene["houses"].style.visible
    city.actions_["undo"].trigger()
    assert city.document.scene["houses"].style.visible
    assert city.layers.item_of("houses").checkState(0) == Qt.CheckState.Checked
    city.actions_["redo"].trigger()
    assert not city.document.scene["houses"].style.visible


def test_a_drag_of_opacity_is_one_step(city: MainWindow) -> None:
    city.document.selection.set([ElementRef("houses")])
    for value in (90, 70, 40):
        city.layers.opacity.setValue(value)
    assert city.document.scene["houses"].style.opacity == 0.4
    city.actions_["undo"].trigger()
    assert city.document.scene["houses"].style.opacity == 1.0
    assert city.layers.opacity.value() == 100


def test_colour_by_and_remove_and_rename(city: MainWindow, qtbot: Any) -> None:
    city.document.selection.set([ElementRef("houses")])
    box = city.layers.colouring.by_box
    index = box.findData("height")
    assert "[m]" in box.itemText(index)
    box.setCurrentIndex(index)
    box.activated.emit(index)
    assert city.document.scene["houses"].style.colour_by == "height"
    city.layers.item_of("houses").setText(0, "Blocks")
    assert city.document.scene["houses"].name == "Blocks"
    city.actions_["layer_remove"].trigger()
    assert "houses" not in city.document.scene
    city.actions_["undo"].trigger()
    assert city.document.scene["houses"].name == "Blocks"


def test_selection_is_one_in_tree_picture_and_properties(city: MainWindow, qtbot: Any) -> None:
    item = city.layers.item_of("houses")
    item.setExpanded(True)
    item.child(1).setSelected(True)
    assert city.document.selection.items == (ElementRef("houses", "B2"),)
    assert city.properties.heading.text() == "Birch"
    assert city.properties.texts()["Height"] == "24 m"
    city.document.selection.set([ElementRef("houses", "B4")])
    assert item.child(3).isSelected()
    assert not item.child(1).isSelected()
    city.document.selection.set([ElementRef("houses", "B1"), ElementRef("houses", "B2")])
    assert "Σ 36 m" in city.properties.texts()["Height"]
    assert city.status.selection.text() == "2 selected"


def test_click_in_the_picture_selects_the_building_under_it(city: MainWindow, qtbot: Any) -> None:
    city.set_view("top")
    city.viewport.zoom_to([ElementRef("houses", "B3")])
    city.set_view("top")
    settle(city, qtbot)
    middle = place_of(city, "B3")
    qtbot.mouseClick(city.viewport, Qt.MouseButton.LeftButton, pos=middle)
    assert city.document.selection.items == (ElementRef("houses", "B3"),)
    assert city.properties.heading.text() == "Cedar"
    assert city.layers.item_of("houses").isSelected()
    qtbot.mouseMove(city.viewport, middle + QPoint(1, 1))
    qtbot.waitUntil(lambda: "Cedar" in city.status.coordinates.text())
    shown = city.status.coordinates.text()
    assert shown.startswith("E 228,9")
    assert "H 56.0 m" in shown
    assert "127.32" in shown


def place_of(window: MainWindow, element_id: str) -> QPoint:
    """The pixel of the middle of a building's roof."""
    import numpy as np

    from app.view.camera import project

    layer = window.document.scene["houses"]
    mesh = layer.geometry
    assert isinstance(mesh, Mesh)
    row = layer.table.index[element_id]
    points = mesh.vertices[mesh.faces[mesh.face_element == row].ravel()]
    middle = np.append(points[:, :2].mean(axis=0), points[:, 2].max())
    size = (window.viewport.width(), window.viewport.height())
    pixels, _depth = project(window.viewport.camera, middle[None], size)
    return QPoint(round(float(pixels[0, 0])), round(float(pixels[0, 1])))


def test_change_the_form_run_and_read_the_card(city: MainWindow, qtbot: Any) -> None:
    meter = StallMeter()
    panel = city.analyses
    panel.choose("sunlight.hours")
    panel.form.set_values({"step": 30, "ground_cell": 4.0, "facade_spacing": 4.0})
    meter.start()
    click(qtbot, panel.run_button)
    assert panel.job is not None
    assert not panel.run_button.isEnabled()
    assert panel.cancel_button.isEnabled()
    qtbot.waitUntil(lambda: panel.job is None, timeout=WAIT_MS)
    print(f"longest stall while the analysis ran and its result was shown: {meter.stop() * 1000:.0f} ms")
    settle(city, qtbot)
    results = [layer for layer in city.document.scene if layer.theme == "result"]
    assert results
    card = city.results.cards[0]
    text = "\n".join(label.text() for label in card.findChildren(QLabel))
    assert "30 min" in text
    assert " h" in text
    assert card.badge.isHidden()
    city.actions_["undo"].trigger()
    assert not [layer for layer in city.document.scene if layer.theme == "result"]
    qtbot.waitUntil(lambda: not city.results.cards)


def test_a_changed_input_makes_the_card_say_out_of_date(city: MainWindow, qtbot: Any) -> None:
    panel = city.analyses
    panel.choose("sunlight.hours")
    panel.form.set_values({"step": 60, "ground_cell": 10.0, "facades": False})
    panel.run()
    qtbot.waitUntil(lambda: panel.job is None, timeout=WAIT_MS)
    settle(city, qtbot)
    houses = city.document.scene["houses"]
    mesh = houses.geometry
    assert isinstance(mesh, Mesh)
    higher = Mesh(mesh.vertices * [1, 1, 1.2], mesh.faces, mesh.face_element)
    city.document.scene.replace(houses.with_(geometry=higher), "data")
    qtbot.waitUntil(lambda: bool(city.bench.stale and any(city.bench.stale.values())), timeout=WAIT_MS)
    assert "Houses" in city.results.cards[0].badge.text()
    assert not city.results.cards[0].badge.isHidden()


def test_cancel_leaves_nothing_behind_and_the_window_never_stalls(city: MainWindow, qtbot: Any) -> None:
    def endless(inputs: Any, params: Any, feedback: Feedback) -> Result:
        while True:
            feedback.step(0.3, "waiting")
            time.sleep(0.001)

    meter = StallMeter()
    before = [layer.id for layer in city.document.scene]
    job = city.bench.run(made_analysis(endless), {"rounds": 5})
    qtbot.waitUntil(lambda: job.fraction == 0.3)
    meter.start()
    qtbot.wait(800)
    city.actions_["cancel_jobs"].trigger()
    qtbot.waitUntil(lambda: job.is_over)
    stall = meter.stop()
    print(f"longest stall while a job ran and was cancelled: {stall * 1000:.0f} ms")
    assert [layer.id for layer in city.document.scene] == before
    assert not city.notice_area.cards
    assert meter.worked_s < 0.3


def test_a_wrong_parameter_is_told_beside_the_form(city: MainWindow, qtbot: Any) -> None:
    panel = city.analyses
    panel.choose("sunlight.hours")
    panel.form.set_values({"start": 15, "stop": 9})
    panel.run()
    qtbot.waitUntil(lambda: panel.job is None, timeout=WAIT_MS)
    shown = [e.text() for e in [panel.error, *panel.form.findChildren(QLabel, "field_error")] if not e.isHidden()]
    assert shown
    assert "Traceback" not in shown[0]
    assert not [layer for layer in city.document.scene if layer.theme == "result"]


def test_the_form_keeps_numbers_in_their_range(city: MainWindow) -> None:
    from app.widgets.quantity_edit import QuantityEdit

    city.analyses.choose("sunlight.hours")
    step = city.analyses.form.editors["step"]
    assert isinstance(step, QuantityEdit)
    low, high = step.spin_box.minimum(), step.spin_box.maximum()
    step.set_value(high * 10)
    assert city.analyses.form.values()["step"] == high
    assert low > 0
    city.analyses.reset()
    assert city.analyses.form.values()["step"] == 10
