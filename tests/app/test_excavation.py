"""Excavations: drawn in the picture, deep as told, undone, changed, saved and opened again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt

from app import project_file
from app.drawing_actions import on_ground
from app.main_window import MainWindow
from geo.excavation import excavation_layer, ring_of
from geo.model import ElementRef, UserError
from tests.app import tiny_city

RING = np.array([[0.0, 0.0, 20.0], [10.0, 0.0, 22.0], [10.0, 5.0, 22.0], [0.0, 5.0, 20.0]])


def test_a_pit_is_closed_and_as_deep_as_told() -> None:
    layer = excavation_layer(RING, 4.0, name="pit", layer_id="excavation")
    low, high = layer.geometry.bounds  # type: ignore[union-attr]
    assert (low[2], high[2]) == (18.0, 22.0)
    row = layer.table.row_at(0)
    assert row["area"] == pytest.approx(50.0)
    assert row["volume"] == pytest.approx(50.0 * 3.0)  # below the mean of the ground, 21 m
    assert np.linalg.norm(layer.geometry.face_cross.sum(axis=0)) < 1e-9  # type: ignore[union-attr]
    np.testing.assert_allclose(ring_of(layer)[:, 2], 22.0)


@pytest.mark.parametrize("ring", [RING[:2], np.repeat(RING[:1], 4, axis=0), RING[[0, 1, 0]]])
def test_a_ring_without_area_is_refused(ring: np.ndarray) -> None:
    with pytest.raises(UserError) as told:
        excavation_layer(ring, 4.0, name="pit", layer_id="excavation")
    assert told.value.code == "excavation.no_area"


@pytest.mark.gl
@pytest.mark.usefixtures("screen")
def test_a_person_draws_a_pit_and_changes_its_depth(city: MainWindow, qtbot: Any, tmp_path: Path) -> None:
    window = city
    window.viewport.set_view("top")
    window.actions_["draw_excavation"].trigger()
    middle = window.viewport.rect().center()
    for dx, dy in ((-60, -40), (60, -40), (60, 40), (-60, 40)):
        qtbot.mouseClick(window.viewport, Qt.MouseButton.LeftButton, pos=middle + QPoint(dx, dy))
    qtbot.keyClick(window.viewport, Qt.Key.Key_Return)
    window.drawing.dialog.depth_edit.set_value(12)  # type: ignore[union-attr]
    window.drawing.dialog.accept()  # type: ignore[union-attr]
    layer = next(layer for layer in window.document.scene if layer.theme == "excavation")
    assert layer.table.row_at(0)["depth"] == 12
    path = tmp_path / "dig.twin"
    project_file.save(window.document, path)
    window.document.selection.set([ElementRef(layer.id, str(layer.table.ids[0]))])
    window.actions_["edit_excavation"].trigger()
    window.drawing.dialog.depth_edit.set_value(5)  # type: ignore[union-attr]
    window.drawing.dialog.accept()  # type: ignore[union-attr]
    project_file.save(window.document, path)
    opened, _ = project_file.open_document(path)
    assert opened.scene[layer.id].table.row_at(0)["depth"] == 5
    window.document.history.undo()
    assert window.document.scene[layer.id].table.row_at(0)["depth"] == 12


@pytest.mark.gl
@pytest.mark.usefixtures("screen")
def test_a_place_is_picked_in_the_picture(city: MainWindow, qtbot: Any) -> None:
    picked: list[str] = []
    city.bench.place_requested.emit(picked.append)
    qtbot.mouseClick(city.viewport, Qt.MouseButton.LeftButton, pos=city.viewport.rect().center())
    east, north, _height = (float(part) for part in picked[0].split(","))
    frame = city.document.scene.frame
    assert abs(east - frame.origin[0]) < 500  # type: ignore[union-attr]
    assert abs(north - frame.origin[1]) < 500  # type: ignore[union-attr]


@pytest.mark.parametrize("depth", [0.0, -3.0, float("nan"), float("inf"), 1e300])
def test_a_depth_that_is_none_is_refused(depth: float) -> None:
    ring = np.array([[0.0, 0, 20], [8, 0, 20], [8, 6, 20], [0, 6, 20]])
    with pytest.raises(UserError) as caught:
        excavation_layer(ring, depth, name="x", layer_id="e")
    assert caught.value.code == "excavation.depth"
    with pytest.raises(UserError):
        excavation_layer(np.where(ring == 8, np.nan, ring), 3.0, name="x", layer_id="e")


def test_a_corner_clicked_on_a_roof_is_let_down_to_the_ground() -> None:
    clicked = np.array([[40.0, 40.0, 68.0], [0.0, 0.0, 22.0], [900.0, 0.0, 30.0]])  # a roof, the ground, outside
    heights = on_ground(clicked, [tiny_city.terrain()])[:, 2]
    assert heights == pytest.approx([20.0 + 0.02 * 137.5, 20.0 + 0.02 * 97.5, 30.0])
    np.testing.assert_array_equal(on_ground(clicked, [tiny_city.buildings()]), clicked)
