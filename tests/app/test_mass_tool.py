"""A building in hand, as a person moves it: select, M, drag, let go, undo; numbers typed; a new mass drawn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.alternatives import BASE, change_of, switch_alternative
from app.jobs import StallMeter
from app.mass_edit import Ground, body_of, moved_mass
from app.view.camera import project
from app.view.mass_tool import nearest_hit
from geo.alternatives import MASSES, Change, Mass
from geo.model import ElementRef, Mesh
from tests.app import tiny_city
from tests.app.view_scene import need_graphics
from tests.app.window_hands import settle

TOWER = ElementRef("houses", "B4")  # 20 m x 14 m at (30, 30), 48 m high, standing at 20 m
BIRCH = ElementRef("houses", "B2")


@pytest.fixture
def still(city: Any, qtbot: Any) -> Any:
    """The tiny city from above the south, without the live sun."""
    need_graphics()
    city.masses.live.wanted = False
    city.resize(1100, 800)
    city.actions_["view_home"].trigger()
    settle(city, qtbot)
    return city


def pixel(window: Any, point: Any) -> QPoint:
    view = window.viewport
    places, _ = project(view.camera, np.array([point], dtype=np.float64), (view.width(), view.height()))
    return QPoint(round(places[0, 0]), round(places[0, 1]))


def send(window: Any, kind: QEvent.Type, place: QPoint, modifiers: Any = Qt.KeyboardModifier.NoModifier) -> None:
    """A mouse event with the left button held."""
    left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
    view, held = window.viewport, none if kind == QEvent.Type.MouseButtonRelease else left
    button = none if kind == QEvent.Type.MouseMove else left
    at = QPointF(place)
    QApplication.sendEvent(view, QMouseEvent(kind, at, view.mapToGlobal(at), button, held, modifiers))


def drag(window: Any, start: QPoint, stop: QPoint, modifiers: Any = Qt.KeyboardModifier.NoModifier) -> None:
    send(window, QEvent.Type.MouseButtonPress, start)
    for share in (0.3, 0.7, 1.0):
        send(window, QEvent.Type.MouseMove, start + (stop - start) * share, modifiers)
    send(window, QEvent.Type.MouseButtonRelease, stop, modifiers)


def take(window: Any, ref: ElementRef = TOWER) -> Any:
    window.document.selection.set([ref])
    action = window.actions_["mass_move"]
    assert action.shortcut().toString() == "M"
    action.trigger()
    assert window.masses.tool is not None
    return window.masses.tool


def low(window: Any, ref: ElementRef) -> np.ndarray:
    """Lowest corner of an element as the scene has it."""
    layer = window.document.scene[ref.layer_id]
    mesh: Mesh = layer.geometry
    mine = mesh.faces[mesh.face_element == layer.table.index[ref.element_id]]
    return mesh.vertices[mine.ravel()].min(axis=0)


def test_select_press_m_drag_release_undo(still: Any, qtbot: Any) -> None:
    window, before = still, low(still, TOWER)
    QTest.mouseClick(window.viewport, Qt.MouseButton.LeftButton, pos=pixel(window, (40.0, 37.0, 68.0)))
    assert window.document.selection.items == (TOWER,)
    tool = take(window)
    layer = window.document.scene["houses"]
    start, stop = pixel(window, (40.0, 37.0, 68.0)), pixel(window, (30.2, 57.1, 68.0))
    send(window, QEvent.Type.MouseButtonPress, start)
    send(window, QEvent.Type.MouseMove, stop)
    assert window.document.scene["houses"] is layer  # only the ghost moves
    assert tool.ghost.mesh.vertices[:, 0].min() == pytest.approx(20.0, abs=0.6)
    send(window, QEvent.Type.MouseButtonRelease, stop)
    change = change_of(window.document, TOWER)
    assert change.move[0] == pytest.approx(-10.0, abs=0.5)
    assert change.move[1] == pytest.approx(20.0, abs=0.5)
    assert all(value % 0.5 == 0.0 for value in change.move[:2])
    assert change.move[2] == pytest.approx(0.02 * change.move[1], abs=1e-9)  # the ground rises 2 % to the north
    np.testing.assert_allclose(low(window, TOWER), before + np.array(change.move))
    assert [one.name for one in window.document.alternatives.items] == ["Alternative"]
    window.actions_["undo"].trigger()
    np.testing.assert_array_equal(low(window, TOWER), before)
    assert window.masses.tool.change.is_nothing  # the ghost goes back with it
    assert window.masses.tool.ghost.mesh.vertices[:, 0].min() == 30.0
    window.actions_["redo"].trigger()
    assert window.masses.tool.change == change
    QTest.keyClick(window.viewport, Qt.Key.Key_Return)
    assert window.masses.tool is None
    assert change_of(window.document, TOWER) == change


def test_a_drag_beside_the_building_still_turns_the_camera(still: Any) -> None:
    take(still)
    camera = still.viewport.camera
    drag(still, QPoint(30, 400), QPoint(120, 400))
    assert still.viewport.camera != camera
    assert change_of(still.document, TOWER).is_nothing


def test_shift_is_free_of_steps_and_the_ground_can_be_left(still: Any) -> None:
    tool = take(still)
    still.masses.bar.follow.setChecked(False)
    start = pixel(still, (40.0, 37.0, 68.0))
    drag(still, start, start + QPoint(37, -23), Qt.KeyboardModifier.ShiftModifier)
    change = change_of(still.document, TOWER)
    assert change.move[0] % 0.5 != 0.0
    assert change.move[2] == 0.0
    assert tool.body.change == change


def test_the_top_is_pulled_and_the_ring_turned(still: Any) -> None:
    tool = take(still)
    knob = tool.arrow.toPoint()
    rise = pixel(still, (40.0, 37.0, 68.0)) - pixel(still, (40.0, 37.0, 80.0))
    drag(still, knob, knob - rise)
    height = 48.0 * change_of(still.document, TOWER).height_factor
    assert height == pytest.approx(60.0, abs=1.0)
    assert height % 0.5 == pytest.approx(0.0, abs=1e-9)
    ring = tool.ring
    drag(still, tool.knob.toPoint(), pixel(still, ring[len(ring) // 4]))
    turn = change_of(still.document, TOWER).turn_deg
    assert turn != 0.0
    assert turn % 5.0 == pytest.approx(0.0, abs=1e-9)
    assert len(still.document.alternatives.items) == 1
    assert still.document.history.undo_title == "change_elements"


def test_typing_is_the_same_as_dragging_and_escape_puts_it_back(still: Any, qtbot: Any) -> None:
    window, before = still, low(still, TOWER)
    take(window)
    bar = window.masses.bar
    for field, text in (("east", "12.25"), ("turn", "90"), ("height", "24")):
        box = bar.edits[field].spin_box
        box.selectAll()
        QTest.keyClicks(box, text)
        QTest.keyClick(box, Qt.Key.Key_Return)
    change = change_of(window.document, TOWER)
    assert (change.move[0], change.turn_deg, change.height_factor) == (12.25, 90.0, 0.5)
    assert window.masses.tool.change == change
    QTest.keyClick(bar.edits["height"].spin_box, Qt.Key.Key_Escape)
    assert window.masses.tool is None
    np.testing.assert_allclose(low(window, TOWER), before)
    assert change_of(window.document, TOWER).is_nothing
    assert window.document.alternatives.items == ()  # the one it made has gone with it


def test_enter_takes_the_number_over_and_then_ends(still: Any) -> None:
    take(still)
    box = still.masses.bar.edits["up"].spin_box
    box.selectAll()
    QTest.keyClicks(box, "3")
    QTest.keyClick(box, Qt.Key.Key_Return)
    assert still.masses.tool is not None
    assert change_of(still.document, TOWER).move == (0.0, 0.0, 3.0)
    QTest.keyClick(box, Qt.Key.Key_Return)
    assert still.masses.tool is None


def test_escape_in_a_drag_takes_back_that_drag_only(still: Any) -> None:
    tool = take(still)
    start = pixel(still, (40.0, 37.0, 68.0))
    drag(still, start, start + QPoint(60, 0))
    done = change_of(still.document, TOWER)
    again = pixel(still, np.array((40.0, 37.0, 68.0)) + np.array(done.move))
    send(still, QEvent.Type.MouseButtonPress, again)
    send(still, QEvent.Type.MouseMove, again + QPoint(0, 50))
    assert tool.change != done
    QTest.keyClick(still.viewport, Qt.Key.Key_Escape)
    assert tool.change == done
    send(still, QEvent.Type.MouseButtonRelease, again)
    assert change_of(still.document, TOWER) == done
    assert still.masses.tool is tool


def test_the_drawn_layer_leaves_out_what_is_in_hand_and_gets_it_back(still: Any, qtbot: Any) -> None:
    actors = still.viewport.stage._layers["houses"]
    alpha = lambda: actors._texture._pixels.reshape(-1, 4)[: len(actors._tiled.element), 3]  # noqa: E731
    mine = actors._tiled.element == 3
    assert (alpha()[mine] == 255).all()
    take(still)
    assert (alpha()[mine] == 0).all()
    assert (alpha()[~mine] == 255).all()
    start = pixel(still, (40.0, 37.0, 68.0))
    drag(still, start, start + QPoint(60, 0))
    settle(still, qtbot)
    assert (alpha()[mine] == 0).all()  # drawn anew, and still in hand
    still.masses.finish()
    assert (alpha()[mine] == 255).all()


def test_another_alternative_while_in_hand(still: Any) -> None:
    take(still)
    start = pixel(still, (40.0, 37.0, 68.0))
    drag(still, start, start + QPoint(60, 0))
    still.bench.do(switch_alternative(still.document, BASE))
    assert still.masses.tool.change.is_nothing
    assert still.masses.tool.ghost.mesh.vertices[:, 0].min() == 30.0


def test_delete_and_the_context_menu(still: Any, qtbot: Any) -> None:
    still.document.selection.set([BIRCH])
    still.actions_["mass_delete"].trigger()
    assert change_of(still.document, BIRCH).removed
    from PySide6.QtWidgets import QMenu

    menu = QMenu(still)
    still.masses.add_to_menu(menu, TOWER)
    texts = [action.text() for action in menu.actions() if action.text()]
    assert texts[0] == "Move building"
    menu.actions()[1].trigger()
    assert still.masses.tool.body.ref == TOWER
    menu.deleteLater()


def test_a_new_mass_is_drawn_moved_and_undone(still: Any, qtbot: Any) -> None:
    window = still
    window.actions_["view_top"].trigger()
    settle(window, qtbot)
    window.actions_["mass_new"].trigger()
    for corner in ((-20.0, -20.0, 21.6), (0.0, -20.0, 21.6), (0.0, 0.0, 22.0), (-20.0, 0.0, 22.0)):
        QTest.mouseClick(window.viewport, Qt.MouseButton.LeftButton, pos=pixel(window, corner))
    QTest.keyClick(window.viewport, Qt.Key.Key_Return)
    asked = window.masses.dialog
    asked.storeys_edit.set_value(6)
    asked.storey_height_edit.set_value(3.5)
    asked.accept()
    (mass,) = window.document.alternatives.items[0].masses
    assert (mass.storeys, mass.storey_height, mass.height) == (6, 3.5, 21.0)
    assert mass.base == pytest.approx(21.5, abs=0.1)  # the ground at its lowest corner
    tool = window.masses.tool
    assert tool.body.ref == ElementRef(MASSES, mass.id)
    bar = window.masses.bar
    bar.storeys.spin_box.setValue(9)
    bar.edits["north"].spin_box.setValue(10.0)
    (raised,) = window.document.alternatives.items[0].masses
    assert raised.storeys == 9
    assert raised.ring[0][1] == pytest.approx(mass.ring[0][1] + 10.0)
    window.actions_["undo"].trigger()
    assert window.document.alternatives.items[0].masses[0].ring == mass.ring
    assert window.masses.tool is not None
    window.masses.delete(ElementRef(MASSES, mass.id))
    assert MASSES not in window.document.scene


def test_nothing_stalls_while_dragging(still: Any, qtbot: Any) -> None:
    """A frame aside, which software draws as fast as it can, the window answers."""
    take(still)
    settle(still, qtbot)
    start = pixel(still, (40.0, 37.0, 68.0))
    meter = StallMeter(still)
    send(still, QEvent.Type.MouseButtonPress, start)
    meter.start()
    for step in range(12):
        send(still, QEvent.Type.MouseMove, start + QPoint(4 * step, 0))
        QApplication.processEvents()
    longest = meter.stop()
    send(still, QEvent.Type.MouseButtonRelease, start)
    print(f"longest stall while dragging: {longest * 1000:.0f} ms")
    assert meter.worked_s < 0.2
    assert not change_of(still.document, TOWER).is_nothing


def test_a_ray_meets_the_nearest_face() -> None:
    mesh = tiny_city.box(0.0, 0.0, 10.0)  # 20 m x 14 m, from 20 to 30 m
    assert nearest_hit(mesh, np.array([10.0, 7.0, 50.0]), np.array([0.0, 0.0, -1.0])) == pytest.approx(20.0)
    assert nearest_hit(mesh, np.array([-5.0, 7.0, 25.0]), np.array([1.0, 0.0, 0.0])) == pytest.approx(5.0)
    assert nearest_hit(mesh, np.array([-5.0, 7.0, 25.0]), np.array([-1.0, 0.0, 0.0])) is None


def test_a_mass_turns_about_the_middle_of_its_box_and_keeps_whole_storeys() -> None:
    mass = Mass("m", ((0.0, 0.0), (20.0, 0.0), (20.0, 10.0), (0.0, 10.0)), 5.0, 10, 3.0)
    moved = moved_mass(mass, Change(move=(1.0, 2.0, 3.0), turn_deg=90.0, height_factor=1.26))
    assert moved.storeys == 13
    assert moved.base == 8.0
    np.testing.assert_allclose(moved.ring[0], (16.0, -3.0), atol=1e-9)  # the corner (0, 0) seen from (10, 5)


def test_the_ground_is_unknown_outside_the_terrain(city: Any) -> None:
    ground = Ground(city.document)
    body = body_of(city.document, TOWER)
    assert ground.height(0.0, 0.0) == pytest.approx(20.0 + 97.5 * 0.02)
    assert ground.height(5000.0, 0.0) is None
    assert ground.rise(body, 5000.0, 0.0) == 0.0
