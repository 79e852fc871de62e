"""Where a camera goes that is set by a click: on a pole over the ground, before a wall, under a ceiling."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF

from app.cctv.edit import CameraRow
from geo.model import Grid

if TYPE_CHECKING:
    from app.view.viewport import Viewport

FROM_CEILING = 0.1  # [m] of a lens under its ceiling
CEILING_TILT = 35.0  # [deg]
LEAST_ROOM = 1.5  # [m] over a floor: what is lower is furniture


def mounted(viewport: Viewport, point: NDArray[np.float64], *, pole: float, ground: Grid | None = None) -> CameraRow:
    """A camera at a point that was clicked (3,) [local m]; `pole` [m] is its height over ground or floor.

    Where the click met nothing at all, it is taken as one on the `ground`.

    Before a wall it looks outward, on a pole away from the eye, under a ceiling likewise. Where a ceiling is lower than
    the pole, as in a storey seen from above, it hangs under that ceiling.
    """
    from app.view.camera import project
    from app.view.surface_under import Surface, wall_mount

    size = (max(viewport.width(), 1), max(viewport.height(), 1))
    places, _depth = project(viewport.camera, np.asarray(point)[None], size)
    surface = Surface.under(viewport, QPointF(float(places[0, 0]), float(places[0, 1])))
    if surface is None and ground is not None:
        point = _on_ground(viewport, point, ground)
    x, y, z = (float(value) for value in point)
    away = viewport.camera.azimuth
    if surface is not None and surface.is_wall:
        place, outward = wall_mount(surface)
        return CameraRow("", "", "", place, pan=round(outward, 1), mount="facade")
    if surface is not None and surface.is_ceiling:
        return CameraRow("", "", "", (x, y, z - FROM_CEILING), pan=round(away), tilt=CEILING_TILT, mount="ceiling")
    above = ceiling_over(viewport, np.array([x, y, z]), pole)
    if above is not None:
        return CameraRow("", "", "", (x, y, above - FROM_CEILING), pan=round(away), tilt=CEILING_TILT, mount="ceiling")
    return CameraRow("", "", "", (x, y, z + pole), pan=round(away), mount="pole")


def _on_ground(viewport: Viewport, point: NDArray[np.float64], ground: Grid) -> NDArray[np.float64]:
    """Where the line of sight through a point meets the ground; the point itself where it does not [local m]."""
    eye = np.asarray(viewport.camera.position, dtype=np.float64)
    way = np.asarray(point, dtype=np.float64) - eye
    level = float(ground.sample(float(point[0]), float(point[1])))
    if not (np.isfinite(level) and way[2] < 0.0 and eye[2] > level):
        return point
    return np.asarray(eye + way * ((level - eye[2]) / way[2]), dtype=np.float64)


def ceiling_over(viewport: Viewport, point: NDArray[np.float64], pole: float) -> float | None:
    """Height of the lowest thing of a building over a point that a pole would reach [local m]; None under the sky."""
    start, up = (point + [0.0, 0.0, LEAST_ROOM])[None], np.array([[0.0, 0.0, 1.0]])
    nearest = np.inf
    for layer in viewport.document.scene:
        target = viewport.picker.ray_target(layer) if layer.theme in ("building", "bim") else None
        if target is not None and layer.style.visible:
            nearest = min(nearest, float(target.occluder.first_hit(start, up).distance[0]))
    return float(start[0, 2] + nearest) if nearest + LEAST_ROOM <= pole + FROM_CEILING else None
