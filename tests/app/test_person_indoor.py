"""A person finds a room of the sample's tall building, its properties, and the way to it, in the real window."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("PySide6")

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QMenu

from app.commands import AddLayers, SetStyle
from app.importer import import_files
from app.main_window import MainWindow
from app.room_search import matching_rooms
from app.sample import mixed_use, terrain
from app.sample.district import plan_district
from app.sheet import sheet_of
from app.shown_runs import runs_of
from app.view.camera import Camera, looking, project
from app.view.free_sight import hidden_points
from app.view.stage import read_pixels
from app.way_steps import steps_of, ways_of
from app.widgets.place_edit import PlaceEdit
from app.widgets.step_list import StepList
from geo.model import Column, ElementRef, ElementTable, Feedback, Layer, Lines
from tests.app.window_hands import settle

pytestmark = [pytest.mark.gl, pytest.mark.usefixtures("screen")]

SEED, WAIT_MS = 51, 60_000
ROOM, RAMP, PARKING = "705-1", "1F-17", "B1-03"
CONTROL, NONE = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.NoModifier


@pytest.fixture(scope="module")
def layers(tmp_path_factory: pytest.TempPathFactory) -> tuple[tuple[Layer, ...], Any]:
    """The layers of the building, and a street along its front and its east side."""
    plan = plan_district(SEED, Feedback())
    path: Path = tmp_path_factory.mktemp("person") / "mixed_use.ifc"
    mixed_use.write(plan, terrain.build(plan, SEED, Feedback()), path, seed=SEED, feedback=Feedback())
    done = import_files([path], frame=None)
    return (*done.layers, street(done.layers)), done.frame


def street(layers: list[Layer]) -> Layer:
    """A road 9 m before the front doors, round the corner, and 9 m before the drive of the parking."""
    nodes = next(layer for layer in layers if layer.id.endswith("network_nodes"))
    place = {str(n): v for n, v in zip(nodes.table.columns["name"].values, nodes.geometry.vertices, strict=True)}
    front, drive = place["주출입문"], place["주차장 출입구"]
    along = place["식당 출입문"] - place["편의점 출입문"]
    along = along / np.hypot(along[0], along[1])
    away = np.array([along[1], -along[0], 0.0])
    away = away if away @ (front - drive) > 0 else -away
    start, east = front + 9 * away - 40 * along, drive + 9 * along
    corner = start + along * ((east - start) @ along)
    end = east - 25 * away
    line = Lines(np.array([start, corner, east, end]), [0, 4], [0])
    return Layer("street", "Street", "road", line, ElementTable(["S1"], {}))


@pytest.fixture
def tower(window: MainWindow, qtbot: Any, layers: tuple[tuple[Layer, ...], Any]) -> MainWindow:
    window.resize(1366, 768)
    window.bench.do(AddLayers(layers[0], frame=layers[1]))
    window.bench.document_opened.emit()
    window.document.history.clear()
    settle(window, qtbot)
    return window


def rooms_of(window: MainWindow) -> Layer:
    return next(layer for layer in window.document.scene if layer.theme == "space")


def room_id(window: MainWindow, number: str) -> str:
    layer = rooms_of(window)
    return str(layer.table.ids[list(layer.table.columns["number"].values).index(number)])


def find(window: MainWindow, qtbot: Any, words: str) -> None:
    """Ctrl+K, type, Return."""
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow, timeout=WAIT_MS)
    window.viewport.setFocus()
    qtbot.keyClick(window.viewport, Qt.Key.Key_K, CONTROL)
    assert window._search is not None
    window._search.line.setText(words)
    qtbot.keyClick(window._search.line, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not window._search.isVisible(), timeout=WAIT_MS)  # whoever types fast waits for the best


def click_at(window: MainWindow, qtbot: Any, point: np.ndarray) -> None:
    size = (window.viewport.width(), window.viewport.height())
    (pixel,), _ = project(window.viewport.camera, point[None], size)
    qtbot.mouseClick(window.viewport, Qt.MouseButton.LeftButton, NONE, QPoint(*np.rint(pixel).astype(int).tolist()))


def ask_way(window: MainWindow, qtbot: Any, profile: str = "walk", via: str = "") -> Layer:
    """Pick the start in the picture, take the goal from the tree's selection, run by key; the way that was found."""
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow, timeout=WAIT_MS)
    window.show_analysis("indoor.route")
    form = window.analyses.form
    assert form is not None
    start, goal = (form.editors[name] for name in ("start", "goal"))
    assert isinstance(start, PlaceEdit)
    assert isinstance(goal, PlaceEdit)
    window.document.selection.set([ElementRef(rooms_of(window).id, room_id(window, ROOM))])
    qtbot.mouseClick(goal.selection_button, Qt.MouseButton.LeftButton)
    assert goal.text.endswith(room_id(window, ROOM))
    window.set_view("top")
    road = window.document.scene["street"].geometry.vertices
    qtbot.mouseClick(start.pick_button, Qt.MouseButton.LeftButton)
    click_at(window, qtbot, road[3] if via else road[0] * 0.9 + road[1] * 0.1)
    qtbot.waitUntil(lambda: bool(start.text), timeout=WAIT_MS)
    form.set_values({"profile": profile, "via": via})
    before = len(runs_of(tuple(window.document.scene)))
    qtbot.keyClick(window, Qt.Key.Key_Return, CONTROL)
    qtbot.waitUntil(lambda: len(runs_of(tuple(window.document.scene))) > before, timeout=WAIT_MS)
    settle(window, qtbot)
    return ways_of(runs_of(tuple(window.document.scene))[0])[0]


def ways_in(way: Layer) -> list[str]:
    return [str(value) for value in way.table.columns["way"].values]


def test_a_person_finds_a_room_its_properties_and_the_ways_to_it(tower: MainWindow, qtbot: Any) -> None:
    # The room, by what is written on its door; its layer is not drawn.
    assert not rooms_of(tower).style.visible
    find(tower, qtbot, "705 거실")
    (ref,) = tower.document.selection.items
    assert ref == ElementRef(rooms_of(tower).id, room_id(tower, ROOM))
    storeys = tower.modes.storeys
    qtbot.waitUntil(lambda: storeys.level is not None, timeout=WAIT_MS)
    assert storeys.level is not None
    assert (tower.modes.mode, storeys.level.label) == ("storey", "7")
    # Its properties, read from the file.
    qtbot.waitUntil(lambda: tower.properties.bim.answer is not None, timeout=WAIT_MS)
    texts = tower.properties.texts()
    assert texts["Class"] == "Room (IfcSpace)"
    assert texts["Storey"] == "7F"
    qtbot.keyClick(tower.viewport, Qt.Key.Key_T, Qt.KeyboardModifier.ShiftModifier)
    assert storeys.plan
    tower.modes.leave()
    # The way from the street, on foot: in by a door of the ground floor, up by the lift, into the room.
    walk = ask_way(tower, qtbot)
    ways = ways_in(walk)
    assert (ways[0], ways.count("lift")) == ("outside", 1)
    assert "출입문" in str(walk.table.columns["into"].values[0])
    assert str(walk.table.columns["into"].values[-1]).endswith("705호 거실")
    length = float(walk.table.columns["length"].values.sum())
    ends = walk.geometry.vertices[[0, -1]]
    straight = float(np.abs(ends[1] - ends[0]).sum())  # around corners
    assert 0.6 * straight < length < 2.0 * straight
    # By wheelchair no stairs; and by way of the ramp of the parking, from the street beside it.
    assert "stair" not in ways_in(ask_way(tower, qtbot, "wheelchair"))
    driven = ask_way(tower, qtbot, via=f"{room_id(tower, RAMP)}; {room_id(tower, PARKING)}")
    assert "주차장 출입구" in {str(value) for value in driven.table.columns["through"].values}
    assert ways_in(driven).count("lift") == 1
    low = float(driven.geometry.vertices[:, 2].min())
    assert low < ends[0][2] - 2.5  # below the street
    # All of it can be taken back.
    while tower.document.history.undo_title is not None:
        tower.document.history.undo()
    assert not runs_of(tuple(tower.document.scene))
    assert not rooms_of(tower).style.visible


def test_a_step_of_the_way_opens_its_storey(tower: MainWindow, qtbot: Any) -> None:
    way = ask_way(tower, qtbot)
    steps = steps_of(way)
    assert all(step.text and "{" not in step.text for step in steps)
    (card,) = tower.results.cards
    shown = card.findChild(StepList)
    assert isinstance(shown, StepList)
    last = shown.item(shown.count() - 1)
    shown.scrollToItem(last)
    qtbot.mouseClick(shown.viewport(), Qt.MouseButton.LeftButton, pos=shown.visualItemRect(last).center())
    qtbot.waitUntil(lambda: tower.modes.storeys.level is not None, timeout=WAIT_MS)
    assert tower.modes.storeys.level is not None
    assert tower.modes.storeys.level.label == "7"
    assert tower.document.selection.items == (steps[-1].ref,)
    first = shown.item(0)
    shown.scrollToItem(first)
    qtbot.mouseClick(shown.viewport(), Qt.MouseButton.LeftButton, pos=shown.visualItemRect(first).center())
    assert tower.modes.mode == ""  # the street is in no storey


def test_the_way_is_seen_through_the_walls(tower: MainWindow, qtbot: Any) -> None:
    way = ask_way(tower, qtbot)
    inside = np.flatnonzero(np.array(ways_in(way)) == "lift")[0]
    lift = way.geometry.vertices[way.geometry.offsets[inside] : way.geometry.offsets[inside + 1]].mean(axis=0)
    tower.viewport.set_camera(looking(tuple(lift), azimuth=0.0, pitch=-10.0, distance=120.0, fov=30.0))
    stage = tower.viewport.stage
    stage.render()
    shown = read_pixels(stage.window).astype(int)
    tower.bench.do(SetStyle(way.id, dataclasses.replace(way.style, visible=False)))
    stage.render()
    hidden = read_pixels(stage.window).astype(int)
    height, width = shown.shape[:2]
    middle = (slice(height // 2 - 40, height // 2 + 40), slice(width // 2 - 10, width // 2 + 10))
    assert (np.abs(shown - hidden).max(axis=2)[middle] > 25).sum() > 100


def test_the_strip_of_a_tall_building_stays_in_a_low_picture(tower: MainWindow, qtbot: Any) -> None:
    tower.resize(1024, 600)
    find(tower, qtbot, ROOM)
    strip = tower.modes.storeys.strip
    qtbot.waitUntil(strip.isVisible, timeout=WAIT_MS)
    assert tower.viewport.rect().contains(strip.geometry())
    chosen = next(button for button in strip.buttons.values() if button.isChecked())
    assert chosen.text() == "7F"
    assert not chosen.visibleRegion().isEmpty()
    for button in (strip.plan_button, strip.close_button):
        assert strip.rect().contains(button.geometry())


def test_rooms_are_found_by_first_letters_and_numbers(tower: MainWindow) -> None:
    found = matching_rooms(tuple(tower.document.scene), "ㅎㅇㅅ", seconds=5.0)
    assert found
    assert all("회의실" in f"{room.title} {room.detail}" for room in found[:3])
    assert matching_rooms(tuple(tower.document.scene), ROOM, seconds=5.0)[0].rank == 0
    assert not matching_rooms(tuple(tower.document.scene), "nowhere", seconds=5.0)


def test_a_context_menu_opens_the_storey_of_an_element(tower: MainWindow, qtbot: Any) -> None:
    model = next(layer for layer in tower.document.scene if layer.theme == "bim" and layer.id.endswith("elements"))
    row = next(r for r in range(len(model.table)) if str(model.table.columns["storey"].values[r]) == "4F")
    ref = ElementRef(model.id, str(model.table.ids[row]))
    tower.document.selection.set([ref])
    tower._show_context_menu(ref, QPoint(0, 0))
    menu = next(m for m in tower.findChildren(QMenu) if m.isVisible())
    action = next(a for a in menu.actions() if a.text() == "Open the storey of the selection")
    menu.close()
    action.trigger()
    qtbot.waitUntil(lambda: tower.modes.storeys.level is not None, timeout=WAIT_MS)
    assert tower.modes.storeys.level is not None
    assert tower.modes.storeys.level.label == "4"


def test_what_stands_between_the_eye_and_a_storey_is_counted() -> None:
    camera: Camera = looking((0.0, 0.0, 10.0), azimuth=0.0, pitch=-45.0, distance=100.0, fov=30.0)
    eye = np.array(camera.position)
    points = np.array([[0.0, 0.0, 10.0], [0.0, 50.0, 10.0]])
    tower_before = np.array([[-5.0, -40.0, 0.0, 5.0, -30.0, 60.0]])
    low_before = np.array([[-5.0, -40.0, 0.0, 5.0, -30.0, 20.0]])
    assert hidden_points(points, eye, tower_before) >= 1
    assert hidden_points(points, eye, low_before) == 0
    assert hidden_points(points, eye, np.zeros((0, 6))) == 0


def test_columns_without_any_text_can_be_searched() -> None:
    empty = Column(np.array([None, None], dtype=object))
    sheet = sheet_of(Layer("a", "A", "other", None, ElementTable(["x", "y"], {"note": empty})))
    assert not sheet.columns["note"].containing("705").any()
