"""Topics in the real window: a click, a new one, comments, runs and findings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton

from app import project_file
from app.commands import AddLayers, SetStyle
from app.importer import ImportOptions, import_files
from app.language import tr
from app.look import ClipPlane
from app.main_window import MainWindow
from app.model_view import ModelView, is_model_layer
from app.shown_runs import runs_of
from app.topic_place import model_anchor
from app.topics import AddTopics
from app.view.camera import Camera, looking
from bim.bcf.model import Component, ModelFile, Topic, Viewpoint
from bim.bcf.read import read_bcf
from bim.bcf.write import write_bcf
from geo.model import ElementRef, Layer, Source
from tests.app.topic_models import FRAME, IDS, POSE, findings
from tests.app.window_hands import settle
from tests.bim.test_bcf import topic

WAIT_MS = 60_000


@pytest.fixture
def house(window: MainWindow, qtbot: Any, shared_data: Path) -> MainWindow:
    """The window with the architect's model of the BCF test cases, placed and turned by hand."""
    options = ImportOptions(own=POSE.as_options())
    done = import_files([shared_data / "bcf/Architectural.ifc"], frame=FRAME, options=options)
    window.bench.do(AddLayers(tuple(done.layers), frame=done.frame))
    window.bench.document_opened.emit()
    settle(window, qtbot)
    return window


def bring(window: MainWindow, qtbot: Any, path: Path) -> None:
    """Drop a BCF file on the window."""
    before = len(window.document.topics)
    window.files.open_paths([path])
    qtbot.waitUntil(lambda: len(window.document.topics) > before, timeout=WAIT_MS)
    settle(window, qtbot)


def told(window: MainWindow) -> list[str]:
    """Texts of the notices on show."""
    return [card.text for card in window.notice_area.cards]


def click_topic(window: MainWindow, qtbot: Any, row: int) -> None:
    view = window.topics.panel.list
    place = view.visualItemRect(view.item(row)).center()
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    settle(window, qtbot)


def on_model(camera: Camera) -> tuple[np.ndarray, np.ndarray]:
    """Position and direction of a camera in the model's own frame."""
    anchor = model_anchor("", POSE, FRAME)
    return np.array(anchor.from_scene(camera.position)), np.array(anchor.direction_from_scene(camera.forward))


@pytest.mark.data
def test_a_click_shows_what_the_author_saw(house: MainWindow, qtbot: Any, shared_data: Path) -> None:
    bring(house, qtbot, shared_data / "bcf/v3.0_PerspectiveCamera.bcf")
    bring(house, qtbot, shared_data / "bcf/v2.0_Clippingplane.bcfzip")
    bring(house, qtbot, shared_data / "bcf/v2.1_SingleInvisibleWall.bcf")
    assert len(house.document.scene) > 0
    click_topic(house, qtbot, 0)
    position, direction = on_model(house.viewport.camera)
    assert position == pytest.approx((17.774198, -28.595697, 8.034313), abs=1e-5)
    assert direction == pytest.approx((-0.430630, 0.899486, -0.074049), abs=1e-5)
    click_topic(house, qtbot, 1)
    assert on_model(house.viewport.camera)[0] == pytest.approx((11.251526, -30.721103, 18.233184), abs=1e-5)
    (plane,) = house.viewport.section_work.section.planes
    assert plane.point[2] == pytest.approx(30.0 + 7.66512, abs=1e-5)
    assert plane.normal == pytest.approx((0.0, 0.0, 1.0))
    click_topic(house, qtbot, 2)
    assert not house.viewport.section_work.section.is_open
    hidden = {guid for layer in house.document.scene for guid in layer.style.hidden}
    assert {guid.partition("#")[0] for guid in hidden} == {"1E8YkwPMfB$h99jtn_uAjI"}
    house.document.history.undo()
    assert not {guid for layer in house.document.scene for guid in layer.style.hidden} & hidden


@pytest.mark.data
def test_selected_elements_are_selected_and_missing_ones_told(
    house: MainWindow, qtbot: Any, shared_data: Path, tmp_path: Path
) -> None:
    model = next(layer for layer in house.document.scene if is_model_layer(layer) and layer.theme == "bim")
    guid = str(model.table.ids[0]).partition("#")[0]
    view = Viewpoint("33333333-3333-4333-8333-333333333333", selected=(Component(guid), Component(IDS[0])))
    write_bcf(
        tmp_path / "a.bcf", [Topic("11111111-1111-4111-8111-111111111111", "t", viewpoints=(view,))], version="2.1"
    )
    bring(house, qtbot, tmp_path / "a.bcf")
    click_topic(house, qtbot, 0)
    assert {ref.element_id.partition("#")[0] for ref in house.document.selection.items} == {guid}
    assert any(IDS[0] in text for text in told(house))


@pytest.mark.data
def test_a_topic_is_made_saved_and_exported(house: MainWindow, qtbot: Any, tmp_path: Path) -> None:
    view = ModelView.of(house.document.scene, next(iter(house.bench.models.paths())))
    chosen = view.layers[0].table.ids[0]
    house.document.selection.set([ElementRef(view.layers[0].id, str(chosen))])
    house.document.do(
        SetStyle(view.layers[0].id, replace(view.layers[0].style, hidden=frozenset([str(view.layers[0].table.ids[1])])))
    )
    house.modes.show_plane(ClipPlane((20.0, 10.0, 33.0), (0.0, 0.0, 1.0)))
    house.viewport.set_camera(
        looking(np.array([22.0, 12.0, 33.0]), azimuth=200.0, pitch=-25.0, distance=30.0, fov=30.0)
    )
    before = house.viewport.camera
    house.actions_["topic_new"].trigger()
    dialog = house.topics.dialog
    assert dialog is not None
    assert not dialog.ok.isEnabled()
    qtbot.keyClicks(dialog.title_edit, "Door too narrow")
    qtbot.mouseClick(dialog.ok, Qt.MouseButton.LeftButton)
    (made,) = house.document.topics.items
    assert made.title == "Door too narrow"
    assert made.files == (ModelFile("Architectural.ifc"),)
    assert made.snapshot.startswith(b"\x89PNG")
    assert made.viewpoints[0].selected == (Component(str(chosen).partition("#")[0]),)
    house.document.history.undo()
    assert len(house.document.topics) == 0
    house.document.history.redo()
    path = tmp_path / "city.twin"
    job = house.bench.save(path)
    qtbot.waitUntil(lambda: job.is_over, timeout=WAIT_MS)
    assert project_file.load(path).topics == house.document.topics.items
    for version in ("2.1", "3.0"):
        job = house.topics.export_topics(tmp_path / f"{version}.bcf", version)
        qtbot.waitUntil(lambda job=job: job.is_over, timeout=WAIT_MS)
        (back,) = read_bcf(tmp_path / f"{version}.bcf").topics
        assert (back.title, back.viewpoints[0].selected) == (made.title, made.viewpoints[0].selected)
        assert len(back.viewpoints[0].planes) == 1
    house.modes.leave()
    house.viewport.set_view("top")
    house.document.selection.clear()
    click_topic(house, qtbot, 0)
    assert house.viewport.camera.position == pytest.approx(before.position, abs=1e-5)
    assert house.viewport.camera.focus == pytest.approx(before.focus, abs=1e-3)
    assert len(house.viewport.section_work.section.planes) == 1
    assert [ref.element_id for ref in house.document.selection.items] == [str(chosen)]


def test_comments_and_removal_from_the_keyboard(city: MainWindow, qtbot: Any) -> None:
    city.bench.do(AddTopics([replace(topic(), on_map=True)]))
    city.show_panel("topics")
    panel = city.topics.panel
    panel.show_topic(topic().guid)
    qtbot.keyClicks(panel.comment_edit, "seen on site")
    qtbot.keyClick(panel.comment_edit, Qt.Key.Key_Return)
    assert city.document.topics.items[0].comments[-1].text == "seen on site"
    assert "seen on site" in panel.detail.toPlainText()
    panel.list.setFocus()
    qtbot.keyClick(panel.list, Qt.Key.Key_Delete)
    assert len(city.document.topics) == 0
    city.actions_["undo"].trigger()
    assert len(city.document.topics) == 1


def test_titles_are_text_not_markup(city: MainWindow) -> None:
    city.bench.do(AddTopics([replace(topic(), title="<img src=x> <b>bold</b>", description="<script>1</script>")]))
    city.topics.panel.show_topic(topic().guid)
    assert "<b>bold</b>" in city.topics.panel.detail.toPlainText()


def test_a_file_that_is_none_is_told_and_changes_nothing(city: MainWindow, qtbot: Any, tmp_path: Path) -> None:
    (tmp_path / "bad.bcf").write_bytes(b"nothing")
    job = city.topics.import_topics([tmp_path / "bad.bcf"])
    qtbot.waitUntil(lambda: job.is_over, timeout=WAIT_MS)
    settle(city, qtbot)
    assert len(city.document.topics) == 0
    assert any("bad.bcf" in text for text in told(city))


def test_a_topic_about_a_model_that_is_not_there(city: MainWindow, qtbot: Any) -> None:
    before = city.viewport.camera
    city.bench.do(AddTopics([topic()]))
    city.topics.go_to(topic().guid)
    assert city.viewport.camera == before
    assert any("Architectural.ifc" in text for text in told(city))


def run_layers() -> tuple[Layer, ...]:
    """What a run of a study leaves in the scene: pins with a record of how they were made."""
    record = {
        "run": "r1",
        "provenance": {
            "analysis": "utility.check",
            "version": 1,
            "started": "2026-11-21T05:00:00+00:00",
            "duration_s": 1.5,
            "inputs": [],
            "libraries": {"numpy": "2"},
            "params": {"step": 2.0},
        },
        "summary": {"pipes": {"value": 3, "unit": "1"}},
        "assumptions": ["Pipes are straight."],
        "issues": [],
        "charts": [],
    }
    _, pins = findings()
    return (pins.with_(source=Source(provenance=record)),)


@pytest.mark.parametrize("code", ["en", "ko"])
def test_a_run_is_written_as_pdf(city: MainWindow, qtbot: Any, tmp_path: Path, code: str) -> None:
    city.bench.do(AddLayers(run_layers()))
    settle(city, qtbot)
    city.set_language(code)
    (run,) = runs_of(list(city.document.scene))
    job = city.topics.write_pdf(tmp_path / "run.pdf", run)
    qtbot.waitUntil(lambda: job.is_over, timeout=WAIT_MS)
    data = (tmp_path / "run.pdf").read_bytes()
    assert data.startswith(b"%PDF-1.")
    assert data.rstrip().endswith(b"%%EOF")
    assert data.count(b"/Type /Page\n") >= 1
    assert b"/Subtype /Image" in data
    card = city.results.cards[0]
    texts = {button.text() for button in card.findChildren(QPushButton)}
    assert {tr("results.topics"), tr("results.pdf")} <= texts


def test_findings_of_a_run_and_of_a_selection_become_topics(city: MainWindow, qtbot: Any) -> None:
    city.bench.do(AddLayers(run_layers()))
    settle(city, qtbot)
    button = next(b for b in city.results.cards[0].findChildren(QPushButton) if b.text() == tr("results.topics"))
    button.click()
    assert len(city.document.topics) == 3
    assert city.topics.panel.current is not None
    city.actions_["undo"].trigger()
    assert len(city.document.topics) == 0
    layer = next(la for la in city.document.scene if len(la.table) and la.geometry is not None and la.id != "pins")
    chosen = str(layer.table.ids[0])
    city.document.selection.set([ElementRef(layer.id, chosen)])
    city.actions_["topics_of_selection"].trigger()
    (made,) = city.document.topics.items
    city.document.selection.clear()
    city.topics.go_to(made.guid)
    assert [ref.element_id for ref in city.document.selection.items] == [chosen]
    assert not made.snapshot
    city.topics.panel.show_topic(made.guid)
    city.topics.panel.view_button.click()
    (pictured,) = city.document.topics.items
    assert pictured.snapshot.startswith(b"\x89PNG")
    assert len(pictured.viewpoints) == 1
    city.topics.panel.view_button.click()
    assert len(city.document.topics.items[0].viewpoints) == 2
    box = city.viewport.stage.element_bounds(layer, chosen)
    assert box is not None
    assert city.viewport.camera.focus == pytest.approx(box.centre, abs=1e-3)
