"""Measuring in the window as a person does it: keys, clicks in the picture, the figures, copying, measuring again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QPushButton

from app.language import tr
from app.measure_window import MeasureWindow
from geo.model import ElementRef
from tests.app.test_mass_tool import pixel
from tests.app.view_scene import need_graphics
from tests.app.window_hands import settle

TOWER = ElementRef("houses", "B4")
BIRCH = ElementRef("houses", "B2")


@pytest.fixture
def still(city: Any, qtbot: Any) -> Any:
    need_graphics()
    city.resize(1100, 800)
    city.actions_["view_home"].trigger()
    settle(city, qtbot)
    return city


def ground(window: Any, x: float, y: float) -> tuple[float, float, float]:
    return x, y, window.viewport.stage.ground_level(x, y)


def click(window: Any, qtbot: Any, *points: tuple[float, float, float]) -> None:
    for point in points:
        qtbot.mouseClick(window.viewport, Qt.MouseButton.LeftButton, pos=pixel(window, point))


def value(shown: MeasureWindow, name: str) -> Any:
    return next(item.value for item in shown.values if item.name == name)


def press(shown: MeasureWindow, text_id: str) -> None:
    button = next(b for b in shown.findChildren(QPushButton) if b.property("text_id") == text_id)
    button.click()


def test_a_length_by_key_and_clicks(still: Any, qtbot: Any) -> None:
    action = still.actions_["measure_line"]
    assert action.shortcut().toString() == "D"
    action.trigger()
    first, second = ground(still, -60.0, -75.0), ground(still, 0.0, -75.0)
    click(still, qtbot, first, second)
    qtbot.keyClick(still.viewport, Qt.Key.Key_Return)
    shown = still.measuring.shown
    assert value(shown, "plan") == pytest.approx(60.0, abs=1.5)
    assert value(shown, "rise") == pytest.approx(second[2] - first[2], abs=0.3)
    press(shown, "measure.copy")
    lines = QApplication.clipboard().text().splitlines()
    assert lines[0].startswith(tr("measure.value.length") + "\t")
    assert lines[0].endswith(" m")
    press(shown, "measure.again")
    assert still.measuring.shown is None
    qtbot.keyClick(still.viewport, Qt.Key.Key_Escape)


def test_an_area_stays_drawn_until_the_window_closes(still: Any, qtbot: Any) -> None:
    from app.view.draw_tool import DrawingOverlay

    still.actions_["measure_area"].trigger()
    click(still, qtbot, *(ground(still, x, y) for x, y in ((-60, -85), (-20, -85), (-20, -65), (-60, -65))))
    qtbot.keyClick(still.viewport, Qt.Key.Key_Return)
    shown = still.measuring.shown
    assert value(shown, "area") == pytest.approx(800.0, rel=0.08)
    drawn = [one for one in still.viewport.findChildren(DrawingOverlay) if one.isVisible()]
    assert len(drawn) == 1
    shown.close()
    assert not [one for one in still.viewport.findChildren(DrawingOverlay) if one.isVisible()]
    assert still.measuring.shown is None


def test_sight_is_blocked_by_the_tower_and_free_beside_it(still: Any, qtbot: Any) -> None:
    eyes = [np.array(ground(still, 10.0, 37.0)), np.array(ground(still, 60.0, 37.0))]
    still.measuring._tell_sight(np.array(eyes))  # the far side of the tower cannot be clicked from here
    assert value(still.measuring.shown, "sight") == tr("measure.blocked_solid")
    assert value(still.measuring.shown, "seen_up_to") == pytest.approx(20.0, abs=0.01)
    still.actions_["measure_sight"].trigger()
    click(still, qtbot, ground(still, -60.0, -75.0), ground(still, 0.0, -75.0))
    assert value(still.measuring.shown, "sight") == tr("measure.free")


def test_the_ground_along_a_line_and_what_stands_on_it(still: Any, qtbot: Any) -> None:
    still.actions_["measure_profile"].trigger()
    click(still, qtbot, ground(still, -60.0, -75.0), ground(still, 60.0, -75.0))
    qtbot.keyClick(still.viewport, Qt.Key.Key_Return)
    shown = still.measuring.shown
    assert value(shown, "plan") == pytest.approx(120.0, abs=2.0)
    assert value(shown, "highest") > value(shown, "lowest")


def test_the_distance_of_two_selected_things(still: Any, qtbot: Any) -> None:
    assert not still.actions_["measure_clearance"].isEnabled()
    still.document.selection.set([TOWER, BIRCH])
    assert still.actions_["measure_clearance"].isEnabled()
    still.actions_["measure_clearance"].trigger()
    qtbot.waitUntil(lambda: still.measuring.shown is not None, timeout=20_000)
    assert value(still.measuring.shown, "clearance") > 0.0
    still.measuring.end()


def test_nothing_is_changed_by_measuring(still: Any, qtbot: Any) -> None:
    before = still.document.history.undo_title
    still.actions_["measure_line"].trigger()
    click(still, qtbot, ground(still, -60.0, -75.0))
    qtbot.keyClick(still.viewport, Qt.Key.Key_Escape)
    assert still.measuring.shown is None
    assert still.document.history.undo_title == before
    assert still.viewport.rect().contains(QPoint(1, 1))
