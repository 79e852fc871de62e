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

from analysis.registry import find_analysis
from app.alternatives import BASE, change_elements, switch_alternative
from app.commands import SetStyle
from app.layouts import STUDY
from app.place_texts import point_text
from app.screenshot_cctv import show_camera
from app.screenshot_dig import show_excavation
from app.screenshot_views import Until, open_plan, open_storey, show_way
from app.settings import LayoutName
from app.shown_runs import Run, runs_of
from app.view.camera import Camera, fitted, looking
from geo.alternatives import Change
from geo.model import Bounds, ElementRef, Grid, Mesh

if TYPE_CHECKING:
    from app.main_window import MainWindow

BUILDINGS = "buildings-building"
REACH, HEIGHT = 260.0, 15.0  # metres around the middle of the district; above its ground
AWAY = 620.0  # metres to the eye
NEAR = 130.0  # the same for one building
DAY = date(2026, 10, 15)  # on show: pictures of another year are the same
WINTER_DAY = "2026-12-22"
NORTH = 45.0  # metres from the building to the middle of the picture that compares
RAISED = 3.0  # times as high: what is compared
SIDE_PITCHES = (-24.0, -32.0, -40.0)  # degrees: storeys are told apart from the side
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
    """As a user finds the window: nothing in hand, nothing cut, no window beside it, docks where they were at first."""
    window.masses.finish()
    window.modes.storeys.set_uses(False)
    window.modes.leave()
    if window.underground.has_xray():
        window.underground.toggle_xray()
    for dialog in window.findChildren(QDialog):
        dialog.close()
    window.document.selection.clear()
    if window.document.alternatives.active != BASE:
        window.bench.do(switch_alternative(window.document, BASE))
    lay_out(window, "plan")
    window.timeline.set_day(DAY)
    window.notice_area.clear()


def lay_out(window: MainWindow, name: LayoutName) -> None:
    """A layout as the program first shows it, with the form of its own study."""
    window.set_layout(name)
    window.reset_layout()
    window.show_analysis(STUDY[name])


def look(window: MainWindow, *, azimuth: float = 35.0, pitch: float = -38.0, distance: float = AWAY) -> None:
    """The middle of the district from the side [degrees, m]."""
    window.viewport.set_camera(
        looking(middle_of(window) + [0, 0, HEIGHT], azimuth=azimuth, pitch=pitch, distance=distance)
    )


def show_only(window: MainWindow, analysis_id: str) -> None:
    """Of all results those of one study on the base, as the study itself shows them; ``""`` for none."""
    run = run_of(window, analysis_id)
    kept: set[str] = set()
    if run is not None:
        name, pictures = f"shown {run.id}", [layer for layer in run.layers if layer.geometry is not None]
        if window.property(name) is None:  # the first time: it has just been made
            seen = [layer.id for layer in pictures if layer.style.visible]
            window.setProperty(name, seen or [layer.id for layer in pictures])
        kept = set(window.property(name))
    for layer in window.document.scene:
        wanted = layer.id in kept
        if layer.theme == "result" and layer.style.visible != wanted:
            window.bench.do(SetStyle(layer.id, dataclasses.replace(layer.style, visible=wanted)))


def run_of(window: MainWindow, analysis_id: str) -> Run | None:
    """The newest run of a study on the base."""
    runs = runs_of(tuple(window.document.scene))
    return next((run for run in runs if run.analysis_id == analysis_id and run.alternative == BASE), None)


def run_once(window: MainWindow, until: Until, analysis_id: str, params: Mapping[str, Any]) -> None:
    """Run a study unless its result is there, show it alone as the study itself would, and its card."""
    if run_of(window, analysis_id) is None:
        window.show_analysis(analysis_id)
        if window.analyses.form is not None:
            window.analyses.form.set_values(params)
        window.run_analysis()
        until(lambda: not window.bench.jobs.busy)
        window.reset_layout()
    show_only(window, analysis_id)
    show_card(window, analysis_id)


def show_card(window: MainWindow, analysis_id: str) -> None:
    """The card of a study at the top of the results."""
    run = run_of(window, analysis_id)
    window.show_panel("results")
    if run is not None:
        window.results.show_card(run.id)


def _start(window: MainWindow, until: Until) -> None:
    window.refresh_state()


def _overview(window: MainWindow, until: Until) -> None:
    show_only(window, "")
    window.show_panel("analyses")
    window.show_analysis("sunlight.hours")
    look(window, azimuth=30.0, pitch=-32.0, distance=900.0)


def _sun(window: MainWindow, until: Until) -> None:
    run_once(window, until, "sunlight.hours", {"day": WINTER_DAY})
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
    window.show_analysis("site.figures")
    house = _house(window)
    window.viewport.set_camera(looking(house.place, azimuth=35.0, pitch=-35.0, distance=NEAR + 3.0 * house.height))
    window.masses.take(house.ref)
    until(lambda: not window.bench.jobs.busy)


@dataclass(frozen=True)
class House:
    """A building: its element, the middle of its corners (3,) [local m] and its height [m]."""

    ref: ElementRef
    place: NDArray[np.float64]
    height: float


def _house(window: MainWindow) -> House:
    """The building next to the middle of those that are worth a picture."""
    layer = window.document.scene[BUILDINGS]
    mesh = layer.geometry
    if not isinstance(mesh, Mesh):
        raise TypeError("buildings are a mesh")
    places = np.zeros((len(layer.table.ids), 3))
    heights = np.zeros(len(places))
    for row in range(len(places)):
        corners = mesh.vertices[np.unique(mesh.faces[mesh.face_element == row])]
        if len(corners):
            places[row], heights[row] = corners.mean(axis=0), np.ptp(corners[:, 2])
    away = np.hypot(*(places[:, :2] - middle_of(window)[:2]).T)
    row = int(np.argmin(np.where(heights > HOUSE, away, np.inf)))
    return House(ElementRef(BUILDINGS, str(layer.table.ids[row])), places[row], float(heights[row]))


def _compare(window: MainWindow, until: Until) -> None:
    """The hours of sun with a building as it is and as a tower."""
    run_once(window, until, "sunlight.hours", {"day": WINTER_DAY})
    document, base = window.document, run_of(window, "sunlight.hours")
    house = _house(window)
    if not document.alternatives.items:
        name = f"{house.height:.0f} m → {RAISED * house.height:.0f} m"  # the same in every language
        window.bench.do(change_elements(document, {house.ref: Change(height_factor=RAISED)}, name=name))
        window.bench.do(switch_alternative(document, BASE))
    tower = document.alternatives.items[0]
    runs = runs_of(tuple(document.scene))
    raised = next((run for run in runs if run.alternative == tower.id), None)
    if raised is None:
        study = find_analysis("sunlight.hours")
        if study is not None and base is not None:
            window.bench.run(study, base.record["provenance"]["params"], alternatives=[tower.id])
        until(lambda: not window.bench.jobs.busy)
        raised = next(run for run in runs_of(tuple(document.scene)) if run.alternative == tower.id)
        show_only(window, "sunlight.hours")
    shade = house.place + [0.0, NORTH, 0.0]  # of a day in winter: seen from the side, not from behind the tower
    window.viewport.set_camera(looking(shade, azimuth=80.0, pitch=-46.0, distance=2.4 * NEAR))
    if base is not None:
        window.comparing.open_runs(base.id, raised.id)
    until(lambda: not window.bench.jobs.busy)


def _indoor(window: MainWindow, until: Until) -> None:
    show_only(window, "")
    window.show_analysis("indoor.exits")
    open_storey(window, until)


def _plan(window: MainWindow, until: Until) -> None:
    show_only(window, "")
    window.show_analysis("indoor.exits")
    open_plan(window, until)


def _way(window: MainWindow, until: Until) -> None:
    show_only(window, "")
    show_way(window, until)
    show_only(window, "indoor.route")
    show_card(window, "indoor.route")


def _underground(window: MainWindow, until: Until) -> None:
    show_only(window, "")
    show_excavation(window, until)
    show_only(window, "utility.excavation")
    show_card(window, "utility.excavation")


def _camera(window: MainWindow, until: Until) -> None:
    show_only(window, "")
    window.show_analysis("cctv.coverage")
    show_camera(window, until)


def _report(window: MainWindow, until: Until) -> None:
    _sun(window, until)
    window.files.ask_report()


def _progress(window: MainWindow, until: Until) -> None:
    """A building in the middle of its work: done from below, late, and a veil where nothing is yet."""
    lay_out(window, "build")
    run_once(window, until, "construction.progress", {"day": date(2026, 11, 20).isoformat()})
    run = run_of(window, "construction.progress")
    layers = run.layers if run is not None else ()
    boxes = [layer.geometry.bounds for layer in layers if layer.geometry is not None]
    box = Bounds.union([one for one in boxes if one is not None])
    if box is not None:
        window.viewport.set_camera(_free_sight(window, box))
    window.timeline.set_day(date(2026, 9, 15))
    until(lambda: not window.bench.jobs.busy)


def _free_sight(window: MainWindow, box: Bounds) -> Camera:
    """All of a building from a side from which no other stands before the upper half of it."""
    from app.view.free_sight import boxes_of, free_view, others

    aspect = window.viewport.width() / max(window.viewport.height(), 1)
    upper = Bounds(box.low, (*box.high[:2], box.centre[2]))
    town = others(boxes_of(tuple(window.document.scene)), box)
    free = free_view(upper, town, azimuth=35.0, pitches=SIDE_PITCHES, aspect=aspect)
    return fitted(box, azimuth=free.azimuth, pitch=free.pitch, aspect=aspect, margin=1.1)


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
