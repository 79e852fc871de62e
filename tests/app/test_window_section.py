"""Storeys, plan, section and walk in the window, by mouse and keys."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtTest import QTest

from app.commands import AddLayers
from app.view.camera import project
from app.viewpoints import add_viewpoint
from geo.model import ElementRef
from tests.app.house import house, rooms
from tests.app.view_scene import FRAME, need_graphics
from tests.app.window_hands import settle

pytestmark = pytest.mark.gl


@pytest.fixture
def opened(window: Any, qtbot: Any) -> Any:
    need_graphics()
    window.document.do(AddLayers((house(stairs=True), rooms(visible=False)), frame=FRAME))
    window.bench.document_opened.emit()
    settle(window, qtbot)
    return window


def rest(window: Any, qtbot: Any) -> None:
    """Until cut faces are made and the frame is drawn."""
    view = window.viewport
    qtbot.waitUntil(lambda: view.section_work.resting and not view.canvas.stale, timeout=20_000)


def click(window: Any, *point: float) -> None:
    view = window.viewport
    places, _ = project(view.camera, np.array([point]), (view.width(), view.height()))
    QTest.mouseClick(view, Qt.MouseButton.LeftButton, pos=QPoint(round(places[0, 0]), round(places[0, 1])))


def open_storeys(window: Any, qtbot: Any) -> Any:
    window.actions_["storeys"].trigger()
    storeys = window.modes.storeys
    qtbot.waitUntil(lambda: bool(storeys.buildings), timeout=20_000)
    rest(window, qtbot)
    return storeys


def test_a_storey_is_chosen_by_mouse_and_left_by_escape(opened: Any, qtbot: Any) -> None:
    storeys = open_storeys(opened, qtbot)
    work = opened.viewport.section_work
    assert opened.actions_["storeys"].isChecked()
    assert work.section.storey.level == pytest.approx(1.2)
    assert [b.text() for b in storeys.strip.buttons.values()] == ["All", "2F", "1F"]
    QTest.mouseClick(storeys.strip.buttons[1], Qt.MouseButton.LeftButton)
    rest(opened, qtbot)
    assert work.section.storey.floor == pytest.approx(3.0)
    assert len(work.caps) > 0
    assert "Level 2" in storeys.title.text()
    click(opened, 1.0, 0.0, 3.0)  # through where the roof was
    assert opened.document.selection.items == (ElementRef("house", "slab2"),)
    opened.viewport.setFocus()
    QTest.keyClick(opened.viewport, Qt.Key.Key_Escape)  # lets go of the selection
    assert not opened.document.selection.items
    assert opened.modes.mode == "storey"
    QTest.keyClick(opened.viewport, Qt.Key.Key_Escape)
    assert opened.modes.mode == ""
    assert not work.section.is_open
    assert not storeys.strip.isVisible()


def test_the_cut_follows_the_slider(opened: Any, qtbot: Any) -> None:
    storeys = open_storeys(opened, qtbot)
    storeys.strip.cut_slider.setValue(25)
    assert opened.viewport.section_work.section.storey.height == pytest.approx(2.5)
    rest(opened, qtbot)
    assert np.allclose(opened.viewport.section_work.caps[0].vertices[:, 2], 2.5)


def test_plan_has_rooms_and_gives_the_view_back(opened: Any, qtbot: Any) -> None:
    storeys = open_storeys(opened, qtbot)
    before = opened.viewport.camera
    QTest.mouseClick(storeys.strip.plan_button, Qt.MouseButton.LeftButton)
    rest(opened, qtbot)
    assert opened.viewport.camera.is_parallel
    assert opened.actions_["plan"].isChecked()
    assert [room.name for room in storeys._labels.rooms] == ["Shop"]
    image = opened.viewport.grab_picture(400, 300)
    labels = QRect(150, 130, 100, 40)  # the middle of the only room
    dark = [image.pixelColor(x, y) for x in range(labels.left(), labels.right()) for y in range(130, 170)]
    assert min(colour.lightness() for colour in dark) < 60
    height = opened.viewport.camera.parallel_height
    opened.viewport.set_camera(opened.viewport.camera)
    QTest.keyClick(opened.viewport, Qt.Key.Key_Plus)
    assert opened.viewport.camera.parallel_height < height
    opened.actions_["plan"].trigger()
    assert opened.viewport.camera == before


def test_rooms_are_coloured_by_use_and_put_back(opened: Any, qtbot: Any) -> None:
    storeys = open_storeys(opened, qtbot)
    QTest.mouseClick(storeys.strip.uses_button, Qt.MouseButton.LeftButton)
    assert opened.document.scene["rooms"].style.colour_by == "use"
    opened.modes.leave()
    assert opened.document.scene["rooms"].style.colour_by == ""


def test_a_section_is_drawn_by_two_clicks_slid_and_turned(opened: Any, qtbot: Any) -> None:
    opened.actions_["view_top"].trigger()
    rest(opened, qtbot)
    opened.actions_["section"].trigger()
    click(opened, -5.0, 0.0, 6.3)
    click(opened, 5.0, 0.0, 6.3)
    rest(opened, qtbot)
    (plane,) = opened.viewport.section_work.section.planes
    assert abs(plane.normal[1]) == pytest.approx(1.0, abs=0.05)
    assert plane.point[1] == pytest.approx(0.0, abs=0.2)
    assert opened.modes.bar.isVisible()
    opened.modes.bar.slider.setValue(opened.modes.bar.slider.value() + 40)
    (slid,) = opened.viewport.section_work.section.planes
    assert slid.beyond(np.array(plane.point)) < -0.1
    QTest.mouseClick(opened.modes.bar.flip, Qt.MouseButton.LeftButton)
    (turned,) = opened.viewport.section_work.section.planes
    assert np.dot(turned.normal, slid.normal) == pytest.approx(-1.0)
    QTest.mouseClick(opened.modes.bar.close_button, Qt.MouseButton.LeftButton)
    assert not opened.viewport.section_work.section.is_open


def test_handle_drags_the_plane_along_its_normal() -> None:
    from app.look import ClipPlane
    from app.view.section_handle import distance_along

    plane = ClipPlane((1.0, 2.0, 3.0), (0.0, 1.0, 0.0))
    eye = np.array([10.0, -5.0, 8.0])
    target = np.array(plane.point) + 4.0 * np.array(plane.normal)
    direction = (target - eye) / np.linalg.norm(target - eye)
    assert distance_along(plane, eye, direction) == pytest.approx(4.0)


def test_box_around_the_selection(opened: Any, qtbot: Any) -> None:
    assert not opened.actions_["section_box"].isEnabled()
    opened.document.selection.set([ElementRef("house", "door1")])
    opened.actions_["section_box"].trigger()
    rest(opened, qtbot)
    box = opened.viewport.section_work.section.box
    assert box.low[0] == pytest.approx(-1.5)
    assert box.high[2] == pytest.approx(3.1)
    opened.actions_["section_box"].trigger()
    assert not opened.viewport.section_work.section.is_open


def test_walking_by_keys_and_escape(opened: Any, qtbot: Any) -> None:
    before = opened.viewport.camera
    qtbot.waitUntil(lambda: opened.viewport.picker.ray_target(opened.document.scene["house"]) is not None)
    opened.modes.walk_from(np.array([0.0, 0.0, 0.1]))
    walk = opened.modes.walk
    assert walk.walker.feet[2] == pytest.approx(0.0, abs=1e-3)
    QTest.keyPress(opened.viewport, Qt.Key.Key_W)
    qtbot.waitUntil(lambda: np.hypot(*walk.walker.feet[:2]) > 0.2, timeout=10_000)
    QTest.keyRelease(opened.viewport, Qt.Key.Key_W)
    assert opened.viewport.camera.position[2] == pytest.approx(1.6, abs=0.2)
    QTest.keyClick(opened.viewport, Qt.Key.Key_Escape)
    assert opened.modes.mode == ""
    assert opened.viewport.camera == before


def test_an_opened_building_that_is_removed_is_closed(opened: Any, qtbot: Any) -> None:
    from app.commands import RemoveLayers

    open_storeys(opened, qtbot)
    opened.document.do(RemoveLayers(("house",)))
    assert opened.modes.mode == ""
    assert not opened.viewport.section_work.section.is_open


def test_a_saved_viewpoint_opens_its_storey_again(opened: Any, qtbot: Any) -> None:
    storeys = open_storeys(opened, qtbot)
    storeys.choose(1)
    storeys.set_cut(1.5)
    view = opened.viewpoints.view_here("upstairs")
    assert view.storey is not None
    assert (view.storey.label, view.storey.cut) == (storeys.chosen.storeys[1].label, 1.5)
    opened.bench.do(add_viewpoint(opened.document, view))
    opened.modes.leave()
    opened.viewport.set_view("north")
    opened.viewpoints.go_to(view.id)
    qtbot.waitUntil(lambda: opened.viewport.section_work.section.storey is not None, timeout=20_000)
    rest(opened, qtbot)
    assert storeys.opened == view.storey
    assert opened.viewport.section_work.section.storey.floor == pytest.approx(3.0)
    assert opened.viewport.camera == view.camera
    assert opened.modes.mode == "storey"
