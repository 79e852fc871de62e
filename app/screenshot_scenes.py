"""What each picture of `app.screenshots` shows, and what is done in the window for it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtWidgets import QDialog

from app.commands import SetStyle
from app.place_texts import point_text
from app.screenshot_cctv import show_camera
from app.screenshot_dig import show_excavation
from app.screenshot_views import Until, open_plan, open_storey, show_way
from app.shown_runs import runs_of
from app.view.camera import looking
from geo.model import Bounds, ElementRef, Grid, Mesh

if TYPE_CHECKING:
    from app.main_window import MainWindow

BUILDINGS = "buildings-building"
REACH, HEIGHT = 260.0, 15.0  # metres around the middle of the district; above its ground
AWAY = 620.0  # metres to the eye
NEAR = 130.0  # the same for one building
DAY = date(2026, 10, 15)  # on show: pictures of another year are the same
HOUSE = 12.0  # metres: buildings of this height and more are worth a picture
ROSE = {"thoroughness": "preview", "directions": "strongest8", "cell": 20.0, "size": 700.0}


@dataclass(frozen=True)
class SceneShot:
    """One thing to show: its name in file names, and what brings it about."""

    name: str
    prepare: Callable[[MainWindow, Until], None]
    empty: bool = False  # taken before a project is open


def middle_of(window: MainWindow) -> NDArray[np.float64]:
    """The middle of the district on its ground (3,) [local m]."""
    scene = window.document.scene
    whole = scene[BUILDINGS].geometry
    x, y = whole.bounds.centre[:2] if whole is not None and whole.bounds is not None else (0.0, 0.0)
    ground = next(layer.geometry for layer in scene if isinstance(layer.geometry, Grid) and layer.kind == "terrain")
    return np.array([x, y, float(ground.sample(np.array([x]), np.array([y]))[0])])


def tidy(window: MainWindow) -> None:
    """As a user finds the window: nothing in hand, nothing cut, no window beside it."""
    window.masses.finish()
    window.modes.leave()
    if window.underground.has_xray():
        window.underground.toggle_xray()
    for dialog in window.findChildren(QDialog):
        dialog.close()
    window.document.selection.clear()
    window.timeline.set_day(DAY)
    window.notice_area.clear()


def look(window: MainWindow, *, azimuth: float = 35.0, pitch: float = -38.0, distance: float = AWAY) -> None:
    """The middle of the district from the side [degrees, m]."""
    window.viewport.set_camera(
        looking(middle_of(window) + [0, 0, HEIGHT], azimuth=azimuth, pitch=pitch, distance=distance)
    )


def show_only(window: MainWindow, analysis_id: str) -> None:
    """Of all results those of one study; ``""`` for none."""
    chosen = next((run for run in runs_of(tuple(window.document.scene)) if run.analysis_id == analysis_id), None)
    first = {layer.id for layer in chosen.layers if layer.geometry is not None} if chosen else set()
    kept = window.property(f"shown {analysis_id}") or first
    for layer in window.document.scene:
        wanted = layer.id in kept
        if layer.theme == "result" and layer.style.visible != wanted:
            window.bench.do(SetStyle(layer.id, dataclasses.replace(layer.style, visible=wanted)))


def run_once(window: MainWindow, until: Until, analysis_id: str, params: Mapping[str, Any]) -> None:
    """Run a study unless its result is there, and show it alone as the study itself would."""
    if not any(run.analysis_id == analysis_id for run in runs_of(tuple(window.document.scene))):
        window.show_analysis(analysis_id)
        if window.analyses.form is not None:
            window.analyses.form.set_values(params)
        window.run_analysis()
        until(lambda: not window.bench.jobs.busy)
    for run in runs_of(tuple(window.document.scene)):
        name = f"shown {run.analysis_id}"
        if window.property(name) is None:
            window.setProperty(name, [layer.id for layer in run.layers if layer.style.visible])
    show_only(window, analysis_id)
    window.show_panel("results")


def _start(window: MainWindow, until: Until) -> None:
    window.refresh_state()


def _overview(window: MainWindow, until: Until) -> None:
    show_only(window, "")
    window.show_panel("analyses")
    window.show_analysis("sunlight.hours")
    look(window, azimuth=30.0, pitch=-32.0, distance=900.0)


def _sun(window: MainWindow, until: Until) -> None:
    run_once(window, until, "sunlight.hours", {"day": "2026-12-22"})
    look(window)


def _wind(window: MainWindow, until: Until) -> None:
    frame = window.document.scene.frame
    if frame is not None:
        place = point_text(middle_of(window), frame)
        run_once(window, until, "wind.field", {"area": place, "size": 400.0, "cell": 8.0, "thoroughness": "preview"})
    look(window, pitch=-52.0)


def _dust(window: MainWindow, until: Until) -> None:
    frame = window.document.scene.frame
    if frame is not None:
        run_once(window, until, "dust.dispersion", {"area": point_text(middle_of(window), frame), **ROSE})
    look(window, pitch=-60.0, distance=900.0)


def _coverage(window: MainWindow, until: Until) -> None:
    run_once(window, until, "cctv.coverage", {"ground_cell": 4.0, "indoors": "none", "around": 60.0})
    look(window, pitch=-62.0, distance=900.0)


def _massing(window: MainWindow, until: Until) -> None:
    """A building in hand with its sun verdicts and the figures of its plot."""
    show_only(window, "")
    layer = window.document.scene[BUILDINGS]
    mesh = layer.geometry
    if layer.table is None or not isinstance(mesh, Mesh):
        return
    places = np.zeros((len(layer.table.ids), 3))
    heights = np.zeros(len(places))
    for row in range(len(places)):
        corners = mesh.vertices[np.unique(mesh.faces[mesh.face_element == row])]
        if len(corners):
            places[row], heights[row] = corners.mean(axis=0), np.ptp(corners[:, 2])
    away = np.hypot(*(places[:, :2] - middle_of(window)[:2]).T)
    row = int(np.argmin(np.where(heights > HOUSE, away, np.inf)))
    window.viewport.set_camera(looking(places[row], azimuth=35.0, pitch=-35.0, distance=NEAR + 3.0 * heights[row]))
    window.masses.take(ElementRef(BUILDINGS, str(layer.table.ids[row])))
    until(lambda: not window.bench.jobs.busy)


def _compare(window: MainWindow, until: Until) -> None:
    run_once(window, until, "sunlight.hours", {"day": "2026-12-22"})
    look(window, pitch=-50.0)
    window.comparing.open()
    until(lambda: not window.bench.jobs.busy)


def _indoor(window: MainWindow, until: Until) -> None:
    show_only(window, "")
    open_storey(window, until)


def _plan(window: MainWindow, until: Until) -> None:
    show_only(window, "")
    open_plan(window, until)


def _way(window: MainWindow, until: Until) -> None:
    show_only(window, "")
    show_way(window, until)


def _underground(window: MainWindow, until: Until) -> None:
    show_only(window, "")
    show_excavation(window, until)


def _camera(window: MainWindow, until: Until) -> None:
    show_only(window, "")
    show_camera(window, until)


def _report(window: MainWindow, until: Until) -> None:
    _sun(window, until)
    window.files.ask_report()


def _progress(window: MainWindow, until: Until) -> None:
    """A building in the middle of its work: done from below, late, and a veil where nothing is yet."""
    run_once(window, until, "construction.progress", {"day": date(2026, 11, 20).isoformat()})
    run = next(one for one in runs_of(tuple(window.document.scene)) if one.analysis_id == "construction.progress")
    boxes = [layer.geometry.bounds for layer in run.layers if layer.geometry is not None]
    box = Bounds.union([one for one in boxes if one is not None])
    if box is not None:
        window.viewport.set_camera(looking(np.array(box.centre), azimuth=35.0, pitch=-25.0, distance=NEAR))
    window.timeline.set_day(date(2026, 9, 15))
    until(lambda: not window.bench.jobs.busy)


def _settings(window: MainWindow, until: Until) -> None:
    show_only(window, "")
    look(window)
    window.actions_["settings"].trigger()


def _search(window: MainWindow, until: Until) -> None:
    show_only(window, "")
    look(window)
    window.open_search()
    box = next(dialog for dialog in window.findChildren(QDialog) if dialog.isVisible())
    box.line.setText("height > 60")


SCENES = (
    SceneShot("start", _start, empty=True),
    SceneShot("overview", _overview),
    SceneShot("search", _search),
    SceneShot("settings", _settings),
    SceneShot("sun", _sun),
    SceneShot("report", _report),
    SceneShot("progress", _progress),
    SceneShot("massing", _massing),
    SceneShot("compare", _compare),
    SceneShot("camera", _camera),
    SceneShot("coverage", _coverage),
    SceneShot("wind", _wind),
    SceneShot("dust", _dust),
    SceneShot("indoor", _indoor),
    SceneShot("plan", _plan),
    SceneShot("way", _way),
    SceneShot("underground", _underground),
)
