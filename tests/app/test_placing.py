"""A building model is put into the city: typed, by two points, with room made for it; undone; opened again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt

from app import project_file
from app.cli import run_command_line
from app.commands import AddLayers
from app.importer import ImportOptions, import_files
from app.main_window import MainWindow
from app.view.camera import project
from geo.model import ElementRef, Mesh
from geo.pose import pose_of
from tests.app.window_hands import settle

pytestmark = [pytest.mark.gl, pytest.mark.usefixtures("screen")]


@pytest.fixture
def house(city: MainWindow, qtbot: Any, shared_data: Path) -> MainWindow:
    """The tiny city with a house in the middle of it."""
    read = import_files(
        [shared_data / "ifc" / "AC20-FZK-Haus.ifc"],
        frame=city.document.scene.frame,
        layers=tuple(city.document.scene),
        options=ImportOptions(own={"placement": "scene"}),
    )
    city.document.do(AddLayers(read.layers))
    settle(city, qtbot)
    model = next(layer for layer in city.document.scene if layer.theme == "bim")
    city.document.selection.set([ElementRef(model.id)])
    return city


def _middle(window: MainWindow) -> np.ndarray:
    body = next(layer.geometry for layer in window.document.scene if layer.theme == "bim")
    return np.asarray(body.bounds.centre)  # type: ignore[union-attr]


def test_typed_coordinates_move_the_model_and_the_block_makes_room(
    house: MainWindow, qtbot: Any, tmp_path: Path
) -> None:
    before = _middle(house)
    house.actions_["place_model"].trigger()
    dialog = house.placing.dialog
    assert dialog is not None
    # The block at (40, -50) is 20 m by 14 m; the house is 12 m by 10 m and must cover half of it, turned by nothing.
    pose = dialog.pose
    dialog.east.set_value(pose.east + 50.0 - before[0])
    dialog.north.set_value(pose.north - 43.0 - before[1])
    qtbot.mouseClick(dialog.apply_button, Qt.MouseButton.LeftButton)
    settle(house, qtbot)
    np.testing.assert_allclose(_middle(house)[:2], [50.0, -43.0], atol=0.01)
    hidden = [layer.style.hidden for layer in house.document.scene if layer.theme == "building"]
    assert [len(ids) for ids in hidden] == [1]  # the block it stands on, and no other
    path = tmp_path / "placed.twin"
    project_file.save(house.document, path)
    opened, _ = project_file.open_document(path)
    body = next(layer.geometry for layer in opened.scene if layer.theme == "bim")
    shown = next(layer.geometry for layer in house.document.scene if layer.theme == "bim")
    assert isinstance(body, Mesh)
    np.testing.assert_allclose(body.vertices, shown.vertices, atol=1e-3)  # type: ignore[union-attr]
    house.document.history.undo()
    np.testing.assert_allclose(_middle(house), before, atol=1e-9)
    assert all(not layer.style.hidden for layer in house.document.scene)


def test_two_clicked_points_bring_the_model_to_its_place(house: MainWindow, qtbot: Any) -> None:
    house.viewport.set_view("top")
    house.actions_["place_model"].trigger()
    qtbot.mouseClick(house.placing.dialog.points_button, Qt.MouseButton.LeftButton)  # type: ignore[union-attr]
    low, high = (np.array(v) for v in next(x.geometry for x in house.document.scene if x.theme == "bim").bounds)  # type: ignore[union-attr]
    middle = (low + high) / 2
    model = [middle + [-2.0, 0.0, 0.0], middle + [2.0, 0.0, 0.0]]
    ground = [np.array([60.0, 60.0, 24.0]), np.array([60.0, 64.0, 24.0])]
    for point in (model[0], ground[0], model[1], ground[1]):
        size = (house.viewport.width(), house.viewport.height())
        x, y = project(house.viewport._camera, point[None], size)[0][0]
        qtbot.mouseClick(house.viewport, Qt.MouseButton.LeftButton, pos=QPointF(x, y).toPoint())
    settle(house, qtbot)
    pose, _ = pose_of([layer for layer in house.document.scene if layer.source.path])  # type: ignore[misc]
    # From pointing east to pointing north is a turn of 270 degrees clockwise; pixels are coarse.
    start = 0.0
    assert abs((pose.rotation_deg - start - 270.0 + 180.0) % 360.0 - 180.0) < 60.0
    assert np.hypot(*(_middle(house)[:2] - [60.0, 62.0])) < 6.0


def test_the_command_line_writes_a_georeferenced_copy(shared_data: Path, tmp_path: Path) -> None:
    source = shared_data / "ifc" / "AC20-FZK-Haus.ifc"
    target = tmp_path / "there.ifc"
    start = ["georeference", str(source), str(target), "--crs", "EPSG:5186"]
    assert run_command_line([*start, "--at", "229110,435795,20"]) == 0
    text = target.read_text(encoding="utf-8", errors="replace")
    assert "IFCMAPCONVERSION" in text
    assert "EPSG:5186" in text
    assert run_command_line([*start, "--at", "here"]) == 2
