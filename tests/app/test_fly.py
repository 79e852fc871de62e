"""Flying: where the eye goes, how fast, and that keys and mouse are given back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QPoint, Qt
from PySide6.QtGui import QKeyEvent

from app.fly import FAST, FASTEST, SLOWEST, Flight, flight_of, flown, speed_at, turned
from app.main_window import MainWindow
from app.view import camera as cameras
from geo.model import Bounds
from tests.app.view_scene import need_graphics
from tests.app.window_hands import settle

LEVEL = Flight((0.0, 0.0, 50.0), azimuth=90.0, pitch=0.0)


def test_keys_go_where_they_say() -> None:
    assert flown(LEVEL, ahead=1, right=0, up=0, metres=10).eye == pytest.approx((10, 0, 50))
    assert flown(LEVEL, ahead=0, right=1, up=0, metres=10).eye == pytest.approx(
        (0, -10, 50)
    )  # south of an eastward look
    assert flown(LEVEL, ahead=0, right=0, up=-1, metres=10).eye == pytest.approx((0, 0, 40))
    assert flown(LEVEL, ahead=1, right=1, up=1, metres=3).eye == pytest.approx(
        tuple(np.array([0, 0, 50]) + 3 / np.sqrt(3) * np.array([1, -1, 1]))
    )
    assert flown(LEVEL, ahead=0, right=0, up=0, metres=10) is LEVEL
    down = turned(LEVEL, turn=0.0, tilt=-30.0)
    assert flown(down, ahead=1, right=0, up=0, metres=10).eye == pytest.approx((10 * np.cos(np.pi / 6), 0, 45))


def test_looking_straight_up_stops_short_of_it() -> None:
    assert turned(LEVEL, turn=300.0, tilt=200.0).pitch < 90.0
    assert turned(LEVEL, turn=300.0, tilt=0.0).azimuth == pytest.approx(30.0)


def test_a_flight_begins_where_the_picture_is_taken() -> None:
    camera = cameras.looking(np.array([10.0, 20.0, 30.0]), azimuth=75.0, pitch=-30.0, distance=180.0)
    again = flight_of(camera).camera
    assert again.position == pytest.approx(camera.position)
    assert again.focus == pytest.approx(camera.focus)
    plan = cameras.plan_of(Bounds((-50.0, -50.0, 0.0), (50.0, 50.0, 10.0)), level=0.0, aspect=1.0)
    flight = flight_of(plan)
    assert not flight.camera.is_parallel
    corners = np.array([[-50.0, -50.0, 0.0], [50.0, 50.0, 0.0]])
    before, _ = cameras.project(plan, corners, (400, 400))
    after, _ = cameras.project(flight.camera, corners, (400, 400))
    assert after == pytest.approx(before, abs=12.0)  # it shows as much


def test_low_is_slow_and_nothing_stands_still() -> None:
    assert speed_at(0.0) == SLOWEST
    assert speed_at(100.0) > speed_at(20.0) > SLOWEST
    assert speed_at(20.0, fast=True) == FAST * speed_at(20.0)
    assert speed_at(1e6, fast=True, factor=10.0) == FASTEST
    assert speed_at(-80.0) == speed_at(80.0)


def test_a_person_flies_by_keys_and_mouse_and_stays_there(city: MainWindow, qtbot: Any) -> None:
    need_graphics()
    window, viewport = city, city.viewport
    camera = cameras.looking(np.array([0.0, 0.0, 30.0]), azimuth=0.0, pitch=-20.0, distance=200.0)
    viewport.set_camera(camera)
    action = window.actions_["fly"]
    assert action.shortcut().toString() == "Shift+V"
    action.trigger()
    assert action.isChecked()
    assert viewport.camera.position == pytest.approx(camera.position)
    qtbot.keyPress(viewport, Qt.Key.Key_W)
    qtbot.waitUntil(lambda: viewport.camera.position[1] > camera.position[1] + 5.0, timeout=5000)
    qtbot.keyRelease(viewport, Qt.Key.Key_W)
    qtbot.wait(80)
    there = viewport.camera
    qtbot.wait(120)
    assert viewport.camera == there  # nothing moves without a key
    height = there.position[2]
    qtbot.keyPress(viewport, Qt.Key.Key_E)
    qtbot.waitUntil(lambda: viewport.camera.position[2] > height + 1.0, timeout=5000)
    qtbot.keyRelease(viewport, Qt.Key.Key_E)
    qtbot.mousePress(viewport, Qt.MouseButton.LeftButton, pos=QPoint(200, 200))
    qtbot.mouseMove(viewport, QPoint(300, 200))
    qtbot.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=QPoint(300, 200))
    assert viewport.camera.azimuth == pytest.approx(20.0, abs=1.0)
    qtbot.wait(50)
    end = viewport.camera
    qtbot.keyClick(viewport, Qt.Key.Key_Escape)
    assert window.modes.mode == ""
    assert not action.isChecked()
    assert viewport.camera == end
    qtbot.keyClick(viewport, Qt.Key.Key_Left)  # turns about the picture again
    assert viewport.camera.azimuth != end.azimuth
    assert viewport.camera.distance == pytest.approx(end.distance, rel=0.01)
    settle(window, qtbot)


def test_going_to_a_viewpoint_ends_a_flight(city: MainWindow, qtbot: Any) -> None:
    need_graphics()
    from app.viewpoints import add_viewpoint

    view = city.viewpoints.view_here("here")
    city.bench.do(add_viewpoint(city.document, view))
    city.modes.toggle_fly()
    city.viewpoints.go_to(view.id)
    assert city.modes.mode == ""
    assert city.viewport.camera == view.camera
    settle(city, qtbot)


def test_saving_in_the_middle_of_a_walk_saves_and_does_not_step_back(city: MainWindow, qtbot: Any) -> None:
    need_graphics()
    city.modes.walk_from(np.array([0.0, -60.0, 0.0]))
    assert city.modes.mode == "walk"
    before = city.viewport.camera
    override = QKeyEvent(QEvent.Type.ShortcutOverride, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    override.ignore()
    QCoreApplication.sendEvent(city.viewport, override)
    assert not override.isAccepted()  # left to the window's Ctrl+S
    qtbot.keyPress(city.viewport, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    qtbot.wait(100)
    assert city.viewport.camera == before
    qtbot.keyClick(city.viewport, Qt.Key.Key_X)
    assert city.modes.walk.through_walls
    qtbot.keyClick(city.viewport, Qt.Key.Key_Escape)
    assert city.modes.mode == ""
    settle(city, qtbot)
