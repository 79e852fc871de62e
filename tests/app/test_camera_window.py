"""Cameras as a person handles them: set by a click, dragged by handles, zoomed by the wheel, typed, undone."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from analysis.registry import get
from analysis.run import execute
from app.cctv.edit import CameraRow, camera_rows, change_camera, layer_of, row_of
from app.commands import AddLayers
from app.main_window import MainWindow
from app.view.camera import looking, project
from geo.model import ElementRef, ElementTable, Layer, Mesh, Source
from tests.app.tiny_city import box
from tests.app.view_scene import need_graphics
from tests.app.window_hands import settle

WAIT_MS = 60_000
HERE = (0.0, 0.0, 21.95)  # on the slope, 1.95 m over its foot
TURN = 40.0  # pixels


@pytest.fixture
def yard(city: MainWindow, qtbot: Any) -> MainWindow:
    """The tiny city from above the south, without the figures that follow."""
    need_graphics()
    city.cameras.live.wanted = False
    city.resize(1366, 768)
    city.actions_["view_home"].trigger()
    settle(city, qtbot)
    return city


def rest(window: MainWindow, qtbot: Any) -> None:
    """Until the newest pose has its picture and its figures."""
    qtbot.wait(180)
    cameras = window.cameras
    qtbot.waitUntil(
        lambda: cameras.sight.resting and cameras.live.resting and not window.bench.jobs.busy, timeout=WAIT_MS
    )


def pixel(window: MainWindow, point: Any) -> QPoint:
    view = window.viewport
    places, _ = project(view.camera, np.array([point], dtype=np.float64), (view.width(), view.height()))
    return QPoint(round(places[0, 0]), round(places[0, 1]))


def send(
    window: MainWindow, kind: QEvent.Type, place: QPointF, modifiers: Any = Qt.KeyboardModifier.NoModifier
) -> None:
    left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
    view, held = window.viewport, none if kind == QEvent.Type.MouseButtonRelease else left
    button = none if kind == QEvent.Type.MouseMove else left
    QApplication.sendEvent(view, QMouseEvent(kind, place, view.mapToGlobal(place), button, held, modifiers))


def drag(window: MainWindow, start: QPointF, stop: QPointF, modifiers: Any = Qt.KeyboardModifier.NoModifier) -> None:
    send(window, QEvent.Type.MouseButtonPress, start)
    for share in (0.25, 0.6, 1.0):
        send(window, QEvent.Type.MouseMove, start + (stop - start) * share, modifiers)
    send(window, QEvent.Type.MouseButtonRelease, stop, modifiers)


def put(window: MainWindow, qtbot: Any, point: Any = HERE) -> ElementRef:
    """Press K and click."""
    action = window.actions_["camera_place"]
    assert action.shortcut().toString() == "K"
    action.trigger()
    QTest.mouseClick(window.viewport, Qt.MouseButton.LeftButton, pos=pixel(window, point))
    rest(window, qtbot)
    (ref,) = window.cameras.refs
    return ref


def row(window: MainWindow, ref: ElementRef) -> CameraRow:
    found = row_of(window.document.scene, ref)
    assert found is not None
    return found


def test_k_and_a_click_on_the_ground_set_a_pole(yard: MainWindow, qtbot: Any) -> None:
    yard.cameras.placing.bar.pole_edit.set_value(6.0)
    ref = put(yard, qtbot)
    found = row(yard, ref)
    assert found.mount == "pole"
    assert found.place[:2] == pytest.approx(HERE[:2], abs=0.6)
    assert yard.cameras.height_of(found) == pytest.approx(6.0, abs=0.05)
    assert found.pan == pytest.approx(yard.viewport.camera.azimuth, abs=0.6)  # away from who looks
    assert not yard.cameras.placing.bar.isVisible()
    assert yard.panels["camera"].isVisible()
    yard.actions_["undo"].trigger()
    rest(yard, qtbot)
    assert ref.layer_id not in yard.document.scene
    assert yard.cameras.gizmo is None


def test_escape_leaves_without_a_camera(yard: MainWindow, qtbot: Any) -> None:
    yard.actions_["camera_place"].trigger()
    assert yard.cameras.placing.active
    assert yard.cameras.placing.bar.isVisible()
    QTest.keyClick(yard.viewport, Qt.Key.Key_Escape)
    assert not yard.cameras.placing.active
    assert not yard.cameras.placing.bar.isVisible()
    assert not [layer for layer in yard.document.scene if layer.theme == "camera"]


def test_a_click_on_a_wall_sets_a_camera_that_looks_outward(yard: MainWindow, qtbot: Any) -> None:
    found = row(yard, put(yard, qtbot, (50.0, -50.0, 32.0)))  # south wall of Birch, 12 m up
    assert found.mount == "facade"
    assert found.pan == pytest.approx(180.0, abs=0.2)
    assert found.place[1] == pytest.approx(-50.4, abs=0.02)
    assert found.place[2] == pytest.approx(32.0, abs=0.6)


def test_under_a_ceiling_lower_than_the_pole_the_camera_hangs_there(yard: MainWindow, qtbot: Any) -> None:
    slab = box(-4.0, -4.0, 0.3)
    raised = Mesh(slab.vertices + [0.0, 0.0, 4.5], slab.faces, slab.face_element)
    yard.document.do(AddLayers((Layer("deck", "Deck", "building", raised, ElementTable(["deck"])),)))
    rest(yard, qtbot)
    yard.viewport.set_camera(looking(np.array([0.0, 0.0, 22.0]), azimuth=0.0, pitch=-5.0, distance=60.0))
    rest(yard, qtbot)
    found = row(yard, put(yard, qtbot, (0.0, 1.0, 21.97)))
    assert found.mount == "ceiling"
    assert found.place[2] == pytest.approx(24.4, abs=0.01)


def test_a_camera_on_a_wall_is_dragged_along_it(yard: MainWindow, qtbot: Any) -> None:
    ref = put(yard, qtbot, (46.0, -50.0, 32.0))
    knob = yard.cameras.gizmo.knob("body")
    drag(yard, knob, QPointF(pixel(yard, (54.0, -50.0, 36.0))))
    found = row(yard, ref)
    assert found.place[1] == pytest.approx(-50.4, abs=0.02)
    assert found.place[0] == pytest.approx(54.0, abs=0.6)
    assert found.place[2] == pytest.approx(36.0, abs=0.6)
    assert found.pan == pytest.approx(180.0, abs=0.2)


def test_a_pole_slides_over_the_ground_and_keeps_its_height(yard: MainWindow, qtbot: Any) -> None:
    ref = put(yard, qtbot)
    before = row(yard, ref)
    knob = yard.cameras.gizmo.knob("body")
    layer = yard.document.scene[ref.layer_id]
    send(yard, QEvent.Type.MouseButtonPress, knob)
    send(yard, QEvent.Type.MouseMove, knob + QPointF(30, -60))
    assert yard.document.scene[ref.layer_id] is layer  # only the picture moves
    assert yard.cameras.gizmo.row.place != before.place
    QTest.keyClick(yard.viewport, Qt.Key.Key_Escape)
    assert yard.cameras.gizmo.row == before
    drag(yard, knob, knob + QPointF(30, -60))
    after = row(yard, ref)
    assert after.place[1] > before.place[1] + 5.0
    assert after.place[2] - before.place[2] == pytest.approx(0.02 * (after.place[1] - before.place[1]), abs=0.02)
    assert round(after.place[0] * 10) == pytest.approx(after.place[0] * 10)
    assert yard.document.history.undo_title == "move_camera"
    yard.actions_["undo"].trigger()
    rest(yard, qtbot)
    assert row(yard, ref) == before
    assert yard.cameras.gizmo.row == before


def test_handles_pan_tilt_raise_and_zoom(yard: MainWindow, qtbot: Any) -> None:
    ref = put(yard, qtbot)
    cameras = yard.cameras
    before = row(yard, ref)
    east = cameras.gizmo.middle + cameras.gizmo.radius * np.array([1.0, 0.0, 0.0])
    drag(yard, cameras.gizmo.knob("pan"), QPointF(pixel(yard, east)))
    assert row(yard, ref).pan == pytest.approx(90.0, abs=2.0)
    assert row(yard, ref).pan == round(row(yard, ref).pan)
    steep = cameras.gizmo.middle + 1.3 * cameras.gizmo.radius * cameras.gizmo.way(row(yard, ref).pan, 45.0)
    drag(yard, cameras.gizmo.knob("tilt"), QPointF(pixel(yard, steep)))
    assert row(yard, ref).tilt == pytest.approx(45.0, abs=2.0)
    drag(yard, cameras.gizmo.knob("height"), cameras.gizmo.knob("height") + QPointF(0, -TURN))
    assert row(yard, ref).place[2] > before.place[2] + 1.0
    assert row(yard, ref).place[:2] == before.place[:2]
    foot, knob = cameras.gizmo.knob("body"), cameras.gizmo.knob("zoom")
    drag(yard, knob, foot + (knob - foot) * 1.5)
    assert row(yard, ref).focal == pytest.approx(1.5 * before.focal, abs=0.15)
    for _ in range(4):
        yard.actions_["undo"].trigger()
    assert row(yard, ref) == before


def test_wheel_and_keys_turn_by_steps_that_are_one_step_to_undo(yard: MainWindow, qtbot: Any) -> None:
    ref = put(yard, qtbot)
    before, view = row(yard, ref), yard.viewport
    camera = view.camera
    control = Qt.KeyboardModifier.ControlModifier
    for _ in range(3):
        QTest.keyClick(view, Qt.Key.Key_Right, control)
    QTest.keyClick(view, Qt.Key.Key_Down, control | Qt.KeyboardModifier.ShiftModifier)
    assert row(yard, ref).pan == pytest.approx((before.pan + 3.0) % 360.0)
    assert row(yard, ref).tilt == pytest.approx(before.tilt + 10.0)
    place = yard.cameras.gizmo.knob("body")
    wheel = QWheelEvent(
        place, view.mapToGlobal(place), QPoint(), QPoint(0, 240), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(view, wheel)
    assert row(yard, ref).focal == pytest.approx(before.focal * 1.08**2, rel=0.01)
    assert view.camera == camera  # over a handle the wheel is the camera's
    yard.actions_["undo"].trigger()
    assert row(yard, ref).focal == before.focal
    yard.actions_["undo"].trigger()
    assert row(yard, ref) == before


def test_a_drag_beside_the_handles_turns_the_picture(yard: MainWindow, qtbot: Any) -> None:
    ref = put(yard, qtbot)
    before, camera = row(yard, ref), yard.viewport.camera
    drag(yard, QPointF(30, 500), QPointF(130, 500))
    assert yard.viewport.camera != camera
    assert row(yard, ref) == before


def test_a_click_on_the_sign_selects_and_the_table_does_too(yard: MainWindow, qtbot: Any) -> None:
    ref = put(yard, qtbot)
    yard.document.selection.clear()
    rest(yard, qtbot)
    assert yard.cameras.gizmo is None
    QTest.mouseClick(yard.viewport, Qt.MouseButton.LeftButton, pos=pixel(yard, row(yard, ref).place))
    assert yard.document.selection.items == (ref,)
    qtbot.waitUntil(lambda: yard.cameras.gizmo is not None, timeout=WAIT_MS)
    yard.document.selection.clear()
    yard.show_table(ref.layer_id)
    settle(yard, qtbot)
    yard.table.view.selectRow(0)
    qtbot.waitUntil(lambda: yard.document.selection.items == (ref,), timeout=WAIT_MS)
    rest(yard, qtbot)
    assert yard.cameras.gizmo is not None


def test_numbers_are_typed_in_the_panel(yard: MainWindow, qtbot: Any) -> None:
    ref = put(yard, qtbot)
    cameras, panel = yard.cameras, yard.cameras.panel
    panel.edits["pan"].spin_box.setValue(200.0)
    panel.edits["tilt"].spin_box.setValue(35.0)
    panel.edits["height"].spin_box.setValue(8.0)
    found = row(yard, ref)
    assert (found.pan, found.tilt) == (200.0, 35.0)
    assert cameras.height_of(found) == pytest.approx(8.0, abs=0.01)
    panel.model_box.setCurrentIndex(panel.model_box.findData("dome-4mp"))
    panel.model_box.activated.emit(panel.model_box.currentIndex())
    assert (row(yard, ref).model, row(yard, ref).focal) == ("dome-4mp", 2.8)
    assert not panel.edits["focal"].isEnabled()  # a lens of one focal length
    assert "zoom" not in cameras.gizmo.handles
    yard.actions_["camera_switch"].trigger()
    assert row(yard, ref).state == "off"
    yard.actions_["camera_remove"].trigger()
    assert ref.layer_id not in yard.document.scene
    for _ in range(6):
        yard.actions_["undo"].trigger()
    assert row(yard, ref).pan != 200.0


def test_the_picture_follows_and_the_ground_is_drawn(yard: MainWindow, qtbot: Any) -> None:
    ref = put(yard, qtbot)
    cameras, panel = yard.cameras, yard.cameras.panel
    first = panel.view.image
    assert first is not None
    assert first.width() == 480
    assert len(cameras.answer.parts[ref]) == 1
    assert len(cameras._actors.actors) == 2  # ground, and its lines
    panel.edits["pan"].spin_box.setValue(10.0)
    rest(yard, qtbot)
    assert panel.view.image != first
    banded = panel.view.image
    panel.bands.setChecked(False)
    assert panel.view.image != banded
    yard.actions_["camera_ground_none"].trigger()
    rest(yard, qtbot)
    assert cameras._actors.actors == ()
    yard.actions_["camera_ground_all"].trigger()
    yard.document.selection.clear()
    rest(yard, qtbot)
    assert len(cameras._actors.actors) >= 1
    panel.edition_box.setCurrentIndex(panel.edition_box.findData("2014"))
    panel.edition_box.activated.emit(panel.edition_box.currentIndex())
    rest(yard, qtbot)
    assert cameras.edition.id == "2014"


def shares(window: MainWindow, **params: object) -> np.ndarray:
    """Of the study in full, by class [%]."""
    frame = window.document.scene.frame
    assert frame is not None
    result = execute(get("cctv.coverage"), layers=tuple(window.document.scene), frame=frame, params=params)
    table = next(table for table in result.tables if table.id == "classes")
    return np.asarray(table.columns["day_share"].values)


def test_the_figures_that_follow_are_those_of_the_study(yard: MainWindow, qtbot: Any) -> None:
    put(yard, qtbot, (-30.0, -10.0, 21.7))
    yard.document.selection.clear()
    put(yard, qtbot)
    cameras = yard.cameras
    cameras.live.wanted = True
    at_first = shares(yard)
    drag(yard, cameras.gizmo.knob("pan"), cameras.gizmo.knob("pan") + QPointF(TURN, TURN))
    rest(yard, qtbot)
    answer = cameras.live.answer
    assert answer is not None
    assert answer.traced == 0  # turning traces nothing
    assert cameras.live.card.isVisible()
    np.testing.assert_array_equal(100.0 * answer.before, at_first)
    np.testing.assert_array_equal(100.0 * answer.now, shares(yard))
    assert answer.cameras == 2
    assert not np.array_equal(answer.now, answer.before)
    # Moved, it looks at other ground: at rest the figures are those of a full run again.
    drag(yard, cameras.gizmo.knob("body"), cameras.gizmo.knob("body") + QPointF(TURN, -TURN / 2))
    rest(yard, qtbot)
    rest(yard, qtbot)
    np.testing.assert_array_equal(100.0 * cameras.live.answer.now, shares(yard))
    yard.actions_["undo"].trigger()
    rest(yard, qtbot)
    rest(yard, qtbot)
    np.testing.assert_array_equal(100.0 * cameras.live.answer.now, shares(yard))


def test_a_camera_in_a_wall_does_not_count_and_it_is_said(yard: MainWindow, qtbot: Any) -> None:
    put(yard, qtbot, (-30.0, -10.0, 21.7))
    yard.document.selection.clear()
    ref = put(yard, qtbot)
    inside = dataclasses.replace(row(yard, ref), place=(50.0, -43.0, 30.0), mount="other")
    yard.cameras.live.wanted = True
    yard.cameras.live.start(ref)
    yard.bench.do(change_camera(yard.document, ref, inside))
    rest(yard, qtbot)
    assert yard.cameras.live.answer.fault == "inside"
    assert yard.cameras.live.answer.cameras == 1
    assert "inside a building" in yard.cameras.live.card.figures.text()


def proposal(window: MainWindow) -> ElementRef:
    """What an analysis leaves: a layer of cameras with the record of its run."""
    rows = [CameraRow(f"p{k}", f"P{k}", "bullet-4mp", (10.0 * k, 5.0, 27.0), pan=90.0 * k, focal=4.0) for k in range(2)]
    layer = layer_of(rows, layer_id="siting-plan", name="Plan")
    window.document.do(AddLayers((layer.with_(source=Source(provenance={"run": "r1"})),)))
    return ElementRef("siting-plan", "p0")


def test_a_proposal_is_looked_at_and_taken_over(yard: MainWindow, qtbot: Any) -> None:
    ref = proposal(yard)
    yard.document.selection.set([ref])
    rest(yard, qtbot)
    assert yard.cameras.panel.view.image is not None
    assert yard.cameras.gizmo is None  # it cannot be changed before it is taken over
    assert not yard.cameras.panel.edits["pan"].isEnabled()
    assert yard.actions_["cctv_take_over"].isEnabled()
    yard.actions_["cctv_take_over"].trigger()
    own = [layer for layer in yard.document.scene if layer.theme == "camera" and not layer.source.provenance]
    assert [found.name for found in camera_rows(own[0])] == ["P0", "P1"]
    assert not yard.document.scene["siting-plan"].style.visible
    yard.document.selection.set([ElementRef(own[0].id, "p1")])
    rest(yard, qtbot)
    assert yard.cameras.gizmo is not None
    yard.document.selection.clear()
    yard.actions_["undo"].trigger()
    assert yard.document.scene["siting-plan"].style.visible
    assert own[0].id not in yard.document.scene


def test_plans_are_compared_before_the_same_targets(yard: MainWindow, qtbot: Any) -> None:
    put(yard, qtbot)
    proposal(yard)
    settle(yard, qtbot)
    yard.actions_["cctv_compare"].trigger()
    dialog = yard.cctv.comparison
    assert dialog is not None
    qtbot.waitUntil(lambda: len(dialog.figures) == 2, timeout=WAIT_MS)
    mine, other = dialog.figures
    assert (mine.cameras, other.cameras) == (1, 2)
    assert other.cost == 2 * mine.cost
    assert other.shares[0] != mine.shares[0]
    assert dialog.table.columnCount() == 2
    dialog.close()


def test_a_camera_without_a_model_says_so(yard: MainWindow, qtbot: Any) -> None:
    layer = layer_of([CameraRow("x", "X", "no-such", (0.0, 0.0, 27.0))], layer_id="cctv", name="cctv")
    yard.document.do(AddLayers((layer,)))
    yard.document.selection.set([ElementRef("cctv", "x")])
    yard.show_panel("camera")
    rest(yard, qtbot)
    assert "no-such" in yard.cameras.panel.view.text
    assert yard.cameras.gizmo is None
