"""Pictures of an excavation that is checked against the pipes of the sample, for `app.screenshots`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from app.commands import AddLayers
from app.language import tr
from app.screenshot_views import Until
from app.view.camera import looking
from geo.excavation import excavation_layer
from geo.model import Grid, Lines, Scene

if TYPE_CHECKING:
    from app.main_window import MainWindow

HALF = (9.0, 6.0)  # metres of the pit to either side
PIT_DEPTH = 12.0  # metres: deep enough for what the law asks for
NEAR = 12.0  # metres within which pipes count as being there
REACH, AWAY = 45.0, 95.0  # metres of radius of the hole, and to the eye


def show_excavation(window: MainWindow, until: Until) -> None:
    """A pit in the street with most pipes, checked, seen through the ground, with the list below."""
    scene = window.bench.document.scene
    place = _busiest(scene)
    if not any(layer.theme == "excavation" for layer in scene):
        ring = place + np.array([(x * HALF[0], y * HALF[1], 0.0) for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))])
        pit = excavation_layer(ring, PIT_DEPTH, name=tr("excavation.numbered", number=1), layer_id="excavation")
        window.bench.do(AddLayers((pit,), title="add_excavation"))
        window.show_analysis("utility.excavation")
        window.run_analysis()
        until(lambda: not window.bench.jobs.busy and bool(window.results.cards))
    window.viewport.set_camera(looking(place, azimuth=30.0, pitch=-40.0, distance=AWAY))
    if not window.underground.has_xray():
        window.underground.toggle_xray()
    window.viewport.xray_work.set_radius(REACH)
    window.results.rebuild()
    window.results.open_table(window.results.cards[0].run)
    window.notice_area.clear()


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
