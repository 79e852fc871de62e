"""A morning of the city's CCTV office: one camera by hand, then a plan by the program, its privacy, its papers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPointF, Qt

from app.cctv.edit import camera_rows
from app.main_window import MainWindow
from app.shown_runs import Run, runs_of
from geo.model import ElementRef
from tests.app.test_camera_window import drag, pixel, put, rest, row, send
from tests.app.view_scene import need_graphics
from tests.app.window_hands import settle

WAIT_MS = 240_000
FEW = {  # a small search: what is tested is the way through it
    "count": 2,
    "around": 60.0,
    "ground_cell": 4.0,
    "most_places": 24,
    "wall_spacing": 20.0,
    "pan_step": 30.0,
    "tilt_step": 10.0,
    "zooms": 1,
    "seconds": 10.0,
    "keep": "none",
}


@pytest.fixture
def desk(city: MainWindow, qtbot: Any) -> MainWindow:
    need_graphics()
    city.resize(1366, 768)
    city.actions_["view_home"].trigger()
    settle(city, qtbot)
    return city


def newest(window: MainWindow, analysis: str) -> Run:
    return next(run for run in runs_of(tuple(window.document.scene)) if run.analysis_id == analysis)


def wait_for(window: MainWindow, qtbot: Any, analysis: str, count: int = 1) -> Run:
    def ran() -> bool:
        return sum(run.analysis_id == analysis for run in runs_of(tuple(window.document.scene))) >= count

    qtbot.waitUntil(ran, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: not window.bench.jobs.busy, timeout=WAIT_MS)
    return newest(window, analysis)


def figure(run: Run, name: str) -> float:
    return float(run.record["summary"][name]["value"])


def test_from_the_first_camera_to_the_plan_on_paper(desk: MainWindow, qtbot: Any, tmp_path: Path) -> None:
    window, cameras = desk, desk.cameras
    at_first, state = [layer.id for layer in window.document.scene], window.document.history.state
    # A camera by hand before the flats of Dogwood, turned while the figures follow.
    ref = put(window, qtbot, (40.0, 5.0, 22.0))
    toward = cameras.gizmo.middle + cameras.gizmo.radius * cameras.gizmo.way(0.0, 0.0)
    knob = cameras.gizmo.knob("pan")
    send(window, QEvent.Type.MouseButtonPress, knob)
    send(window, QEvent.Type.MouseMove, QPointF(pixel(window, toward)))
    qtbot.waitUntil(lambda: cameras.live.answer is not None and cameras.live.resting, timeout=WAIT_MS)
    assert "%" in cameras.live.card.figures.text()
    send(window, QEvent.Type.MouseButtonRelease, QPointF(pixel(window, toward)))
    assert row(window, ref).pan == pytest.approx(0.0, abs=2.0) or row(window, ref).pan == pytest.approx(360.0, abs=2.0)
    rest(window, qtbot)
    followed = 100.0 * cameras.live.answer.now[0]
    # What it covers, and where nobody looks.
    window.actions_["cctv_coverage"].trigger()
    coverage = wait_for(window, qtbot, "cctv.coverage")
    table = next(layer for layer in coverage.layers if "day_share" in layer.table.columns)
    assert table.table.columns["day_share"].values[0] == pytest.approx(followed, abs=1e-9)
    window.actions_["cctv_blind"].trigger()
    settle(window, qtbot)
    before = window.viewport.camera
    assert window.table.layer_box.currentData() == window.cctv.blind_spots()
    view = window.table.view
    place = view.visualRect(view.model().index(0, 0)).center()
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    qtbot.mouseDClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    qtbot.waitUntil(lambda: window.viewport.camera != before, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: blind_chosen(window), timeout=WAIT_MS)
    # The program sites two cameras: value, bound and gap stand on the card.
    window.actions_["cctv_siting"].trigger()
    assert window.analyses.form is not None
    window.analyses.form.set_values(FEW)
    qtbot.mouseClick(window.analyses.run_button, Qt.MouseButton.LeftButton)
    siting = wait_for(window, qtbot, "cctv.siting")
    value, bound, gap = (figure(siting, name) for name in ("value", "bound", "gap"))
    assert 0.0 < value <= bound + 1e-9 <= 100.0
    assert gap == pytest.approx(100.0 * (bound - value) / bound, abs=0.02)
    assert figure(siting, "planned") == 2
    # Taken over, the planned cameras are the user's own.
    window.actions_["cctv_take_over"].trigger()
    own = window.document.scene[window.document.selection.items[0].layer_id]
    assert own.id != ref.layer_id
    assert not own.source.provenance
    planned = camera_rows(own)
    assert len(planned) == 2
    assert {found.state for found in planned} == {"planned"}
    assert all(np.isfinite(found.place).all() for found in planned)
    # The first camera looks into flats: a mask hides each window of them in its picture.
    window.actions_["cctv_privacy"].trigger()
    privacy = wait_for(window, qtbot, "cctv.privacy")
    window.document.selection.set([ref])
    rest(window, qtbot)
    qtbot.waitUntil(lambda: len(cameras.panel.view.masks) > 0, timeout=WAIT_MS)
    assert all(((mask >= -1e-9) & (mask <= 1 + 1e-9)).all() for mask in cameras.panel.view.masks)
    assert hidden_windows(window, privacy, ref, qtbot) > 0
    # A mask holds for one direction: turned, the camera shows none until the report is made again.
    drag(window, cameras.gizmo.knob("pan"), cameras.gizmo.knob("pan") + QPointF(12, 8))
    rest(window, qtbot)
    qtbot.waitUntil(lambda: len(cameras.panel.view.masks) == 0, timeout=WAIT_MS)
    window.actions_["undo"].trigger()
    # Papers and files.
    window.cctv.write_document(tmp_path / "plan.html", statements={"purpose": "crime", "organisation": "합강동"})
    qtbot.waitUntil((tmp_path / "plan.html").exists, timeout=WAIT_MS)  # by a program of its own
    qtbot.waitUntil(lambda: not window.bench.jobs.busy, timeout=WAIT_MS)
    text = (tmp_path / "plan.html").read_text(encoding="utf-8")
    assert "합강동" in text
    assert "Camera 1" in text
    window.cctv.write_cameras(tmp_path / "cameras.geojson")
    qtbot.waitUntil((tmp_path / "cameras.geojson").exists, timeout=WAIT_MS)
    settle(window, qtbot)
    features = json.loads((tmp_path / "cameras.geojson").read_text(encoding="utf-8"))["features"]
    assert len(features) == 3
    # All of it is undone.
    window.document.selection.clear()
    while window.document.history.state != state:
        window.document.history.undo()
    assert [layer.id for layer in window.document.scene] == at_first
    rest(window, qtbot)
    assert cameras.gizmo is None


def blind_chosen(window: MainWindow) -> bool:
    return any(ref.element_id.startswith("blind-") for ref in window.document.selection.items)


def hidden_windows(window: MainWindow, privacy: Run, ref: ElementRef, qtbot: Any) -> int:
    """Windows that the privacy result says are masked; their middles lie in the outlines on the picture."""
    import shapely

    from analysis.cctv.cameras import views_of
    from analysis.cctv.optics import project

    layer = next(layer for layer in privacy.layers if "private_state" in layer.table.columns)
    state = layer.table.columns["private_state"].values
    by = layer.table.columns["best_camera"].values
    mine = np.flatnonzero((state == "masked") & (by == row(window, ref).name))
    mesh = layer.geometry
    middles = np.array([mesh.vertices[mesh.faces[mesh.face_element == k]].reshape(-1, 3).mean(axis=0) for k in mine])
    camera = window.cameras.camera_of(row(window, ref))
    (view,) = views_of(camera)
    u, v, z = project(view, middles)
    masks = shapely.union_all([shapely.Polygon(mask) for mask in window.cameras.panel.view.masks])
    share = shapely.points(u / view.pixels_wide, v / view.pixels_high)
    inside = (z > 0) & (u > 0) & (u < view.pixels_wide) & (v > 0) & (v < view.pixels_high)
    assert shapely.covers(masks, share[inside]).all()
    return int(inside.sum())
