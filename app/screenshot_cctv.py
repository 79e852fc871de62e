"""Picture of a camera of the sample district with its ground, its handles and what it sees, for `app.screenshots`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.screenshot_views import Until
from app.view.camera import looking
from geo.model import ElementRef, Points

if TYPE_CHECKING:
    from app.main_window import MainWindow

CAMERA = "CAM-13"  # four lenses over a car park
AWAY = 75.0  # metres to the eye


def show_camera(window: MainWindow, until: Until) -> None:
    """One camera in hand: ground by class of picture quality, live picture and figures."""
    scene = window.bench.document.scene
    if window.underground.has_xray():
        window.underground.toggle_xray()
    layer = next(layer for layer in scene if layer.theme == "camera")
    row = list(layer.table.ids).index(CAMERA)
    if not isinstance(layer.geometry, Points):
        raise TypeError("cameras are points")
    window.viewport.set_camera(looking(layer.geometry.vertices[row], azimuth=35.0, pitch=-38.0, distance=AWAY))
    window.bench.document.selection.set([ElementRef(layer.id, CAMERA)])
    window.cameras.open_panel()
    until(lambda: not window.bench.jobs.busy)
    window.notice_area.clear()
