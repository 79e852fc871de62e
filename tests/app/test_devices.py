"""Devices are set into rooms; studies start at what lies under the pointer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt

from analysis.registry import get
from app.commands import AddLayers
from app.devices import LAYER, add_device, room_at
from app.document import Document
from app.main_window import MainWindow
from app.study_here import start_study, studies_at
from geo.model import Column, ElementRef, ElementTable, Layer, Lines
from geo.model import conventions as words
from tests.app.window_hands import settle
from tests.tiny import buildings, tiny_frame


def rooms() -> Layer:
    """Two rooms over one another and one beside them."""
    body = buildings([(0, 0, 0, 5, 4, 2.8), (0, 0, 3, 5, 4, 2.8), (5.2, 0, 0, 3, 4, 2.8)])
    names = Column(np.array(["Living", "Sleeping", "Hall"], dtype=object))
    storeys = Column(np.array(["1F", "2F", "1F"], dtype=object))
    table = ElementTable(["r1", "r2", "r3"], {words.ROOM_NAME: names, words.STOREY: storeys})
    return body.with_(id="rooms", theme="space", table=table, fields=(), stratum="indoor")


@pytest.mark.parametrize(
    ("point", "room"),
    [
        ((2, 2, 0), "r1"),
        ((2, 2, 3.0), "r2"),
        ((2, 2, 2.85), ""),
        ((6, 1, 1), "r3"),
        ((5.1, 1, 1), ""),
        ((20, 0, 0), ""),
    ],
)
def test_a_point_lies_in_its_room(point: tuple[float, float, float], room: str) -> None:
    assert room_at([rooms()], np.array(point))[0] == room


def test_devices_are_added_removed_and_undone() -> None:
    document = Document()
    document.scene.set_frame(tiny_frame())
    document.scene.add(rooms())
    document.do(add_device(document.scene, np.array([2.0, 2.0, 3.0]), kind="camera", name="Eye", height=2.5))
    document.do(add_device(document.scene, np.array([6.0, 1.0, 0.0]), kind="camera", name="Other", height=2.5))
    layer = document.scene[LAYER]
    assert list(layer.table.ids) == ["camera-1", "camera-2"]
    assert [layer.table.row_at(k)["room_name"] for k in range(2)] == ["Sleeping", "Hall"]
    assert layer.geometry.vertices[0].tolist() == [2.0, 2.0, 5.5]  # type: ignore[union-attr]
    document.history.undo()
    assert list(document.scene[LAYER].table.ids) == ["camera-1"]
    document.history.undo()
    assert LAYER not in document.scene


def pipes() -> Layer:
    line = Lines(np.array([[-40.0, 0, 18], [0, 0, 18], [0, 0, 18], [40, 0, 18]]), np.array([0, 2, 4]), np.array([0, 1]))
    table = ElementTable(["p1", "p2"], {words.UTILITY: Column(np.array(["water", "water"], dtype=object))})
    return Layer("water", "Water", "utility", line, table, stratum="underground")


@pytest.mark.gl
@pytest.mark.usefixtures("screen")
def test_a_trace_starts_at_the_pipe_under_the_pointer(city: MainWindow, qtbot: Any) -> None:
    city.document.do(AddLayers((pipes(),)))
    settle(city, qtbot)
    assert {"utility.trace", "utility.isolation"} <= {a.id for a in studies_at(pipes())}
    start_study(city, get("utility.trace"), ElementRef("water", "p1"))
    settle(city, qtbot)
    result = [layer for layer in city.document.scene if layer.theme == "result" and layer.kind == "lines"]
    assert result
    start_study(city, get("utility.path"), ElementRef("water", "p1"))
    start_study(city, get("utility.path"), ElementRef("water", "p2"))
    form = city.analyses.form
    assert form is not None
    assert (form.values()["origin"], form.values()["target"]) == ("p1", "p2")


@pytest.mark.gl
@pytest.mark.usefixtures("screen")
def test_a_person_places_a_camera(city: MainWindow, qtbot: Any) -> None:
    city.actions_["place_device"].trigger()
    qtbot.mouseClick(city.viewport, Qt.MouseButton.LeftButton, pos=city.viewport.rect().center())
    dialog = city.drawing.device_dialog
    assert dialog is not None
    dialog.kind_box.setCurrentIndex(1)
    assert dialog.mounting_height == 2.5
    dialog.accept()
    assert list(city.document.scene[LAYER].table.ids) == ["camera-1"]
    city.document.selection.set([ElementRef(LAYER, "camera-1")])
    city.actions_["remove_device"].trigger()
    assert len(city.document.scene[LAYER].table) == 0
