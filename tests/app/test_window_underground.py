"""The underground in the window: keys, the card of the x-ray, labels, trench and section drawing."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt

from app.view.camera import looking, project
from tests.app.test_view_underground import lines_of, pipes
from tests.app.view_scene import FRAME, ground, need_graphics, town
from tests.app.window_hands import settle

pytestmark = pytest.mark.gl


@pytest.fixture
def dug(window, qtbot):
    """The window on two houses and a network between them."""
    need_graphics()
    settle(window, qtbot)
    scene = window.document.scene
    scene.set_frame(FRAME)
    network = pipes(
        lines_of([(-80, -25, -2), (80, -25, -2)], [(-80, -28, -1.5), (80, -28, -1.5)]),
        ["water", "gas"],
        [1.0, 0.4],
        cover=[1.5, 1.3],
    )
    for layer in (ground(), town(), network):
        scene.add(layer)
    settle(window, qtbot)
    window.viewport.set_camera(looking(np.array([0.0, -25.0, 0.0]), azimuth=0.0, pitch=-60.0, distance=90.0))
    return window


def click(qtbot, window, *points) -> None:
    viewport = window.viewport
    size = (viewport.width(), viewport.height())
    for x, y in project(viewport.camera, np.array(points, float), size)[0]:
        qtbot.mouseClick(viewport, Qt.MouseButton.LeftButton, pos=QPoint(round(x), round(y)))


def test_the_key_opens_a_hole_that_follows_the_view_and_lets_clicks_through(dug, qtbot) -> None:
    viewport = dug.viewport
    click(qtbot, dug, (5.0, -25.0, -1.5))
    assert not viewport.document.selection.items
    dug.actions_["xray"].trigger()
    hole = viewport.xray_work.xray
    assert hole.focus == pytest.approx((0.0, -25.0), abs=0.5)
    assert dug.actions_["xray"].isChecked()
    assert viewport.xray_work.card.isVisible()
    click(qtbot, dug, (5.0, -25.0, -1.5))
    assert {ref.element_id for ref in viewport.document.selection.items} == {"p0"}
    viewport.set_camera(looking(np.array([40.0, -25.0, 0.0]), azimuth=0.0, pitch=-60.0, distance=90.0))
    assert viewport.xray_work.xray.focus == pytest.approx((40.0, -25.0), abs=0.5)
    before = viewport.xray_work.xray.outer
    viewport.xray_work.card.slider.setValue(viewport.xray_work.card.slider.value() + 20)
    assert viewport.xray_work.xray.outer > 1.5 * before
    viewport.xray_work.card.close_button.click()
    assert viewport.xray_work.xray is None
    assert not dug.actions_["xray"].isChecked()


def test_labels_say_size_and_cover_and_never_overlap(dug, qtbot) -> None:
    dug.actions_["labels"].trigger()
    labels = dug.viewport.labels.labels
    assert {label.text for label in labels} <= {"W Ø1,000 mm ↧1.5 m", "G Ø400 mm ↧1.3 m"}
    assert labels
    assert not any(a.area.intersects(b.area) for a in labels for b in labels if a is not b)
    dug.actions_["labels"].trigger()
    assert not dug.viewport.labels.isVisible()


def test_a_trench_is_drawn_with_its_section_and_filled_again(dug, qtbot, tmp_path) -> None:
    dug.actions_["trench"].trigger()
    click(qtbot, dug, (0.0, -36.0, 0.0), (0.0, -14.0, 0.0))
    assert dug.viewport.trench is not None
    assert dug.viewport.trench.length == pytest.approx(22.0, abs=1.0)
    drawing = dug.underground.drawing
    assert "Ø 1000 mm" in drawing.svg
    for name, start in (("a.svg", b"<svg"), ("a.pdf", b"%PDF")):
        drawing.save_drawing(tmp_path / name)
        assert (tmp_path / name).read_bytes().startswith(start)
    drawing.close()
    dug.actions_["trench"].trigger()
    assert dug.viewport.trench is None


def test_from_below_the_eye_is_under_the_ground_and_looks_up(dug, qtbot) -> None:
    dug.actions_["view_below"].trigger()
    camera = dug.viewport.camera
    assert camera.position[2] < 0.0
    assert camera.pitch > 10.0
