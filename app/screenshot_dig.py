"""Pictures of an excavation that is checked against the pipes of the sample, for `app.screenshots`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from app.commands import AddLayers, RemoveLayers
from app.language import tr
from app.screenshot_views import Until
from app.shown_runs import Run, runs_of
from app.view.camera import looking
from geo.excavation import excavation_layer
from geo.model import Grid, Lines, Scene

if TYPE_CHECKING:
    from app.main_window import MainWindow

STUDY = "utility.excavation"
HALF = (9.0, 6.0)  # metres of the pit to either side
PIT_DEPTH = 12.0  # metres: deep enough for what the law asks for
NEAR = 12.0  # metres within which pipes count as being there
REACH, AWAY = 45.0, 95.0  # metres of radius of the hole, and to the eye


def show_excavation(window: MainWindow, until: Until) -> None:
    """A pit in the street with most pipes, checked, seen through the ground, with the list below."""
    scene = window.bench.document.scene
    place, name = _busiest(scene), tr("excavation.numbered", number=1)
    if not any(layer.name == name for layer in scene if layer.theme == "excavation"):
        _remove_old(window)  # named in another language, in its table too
        ring = place + np.array([(x * HALF[0], y * HALF[1], 0.0) for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))])
        pit = excavation_layer(ring, PIT_DEPTH, name=name, layer_id="excavation")
        window.bench.do(AddLayers((pit,), title="add_excavation"))
        window.show_analysis(STUDY)
        window.run_analysis()
        until(lambda: not window.bench.jobs.busy and _run(scene) is not None)
    window.viewport.set_camera(looking(place, azimuth=30.0, pitch=-40.0, distance=AWAY))
    if not window.underground.has_xray():
        window.underground.toggle_xray()
    window.viewport.xray_work.set_radius(REACH)
    run = _run(scene)
    if run is not None:
        window.results.open_table(run)
    window.notice_area.clear()


def _run(scene: Scene) -> Run | None:
    return next((run for run in runs_of(tuple(scene)) if run.analysis_id == STUDY), None)


def _remove_old(window: MainWindow) -> None:
    """The pit of an earlier picture and what was found about it."""
    scene = tuple(window.bench.document.scene)
    found = [layer for run in runs_of(scene) if run.analysis_id == STUDY for layer in run.layers]
    old = [layer.id for layer in (*found, *(layer for layer in scene if layer.theme == "excavation"))]
    if old:
        window.bench.do(RemoveLayers(tuple(old)))


def _busiest(scene: Scene) -> NDArray[np.float64]:
    """The place on the ground near which most kinds of pipes run (3,) [local m]."""
    from scipy.spatial import cKDTree

    pipes = [layer.geometry for layer in scene if layer.theme == "utility" and layer.stratum == "underground"]
    clouds = [shape.vertices for shape in pipes if isinstance(shape, Lines) and len(shape.vertices)]
    ground = next(layer.geometry for layer in scene if isinstance(layer.geometry, Grid) and layer.kind == "terrain")
    spots = max(clouds, key=len)[::20, :2]
    near = np.sum([cKDTree(cloud[:, :2]).query(spots)[0] < NEAR for cloud in clouds], axis=0)
    x, y = spots[int(np.argmax(near))]
    return np.array([x, y, float(ground.sample(np.array([x]), np.array([y]))[0])])
