"""Points: sensors, devices, samples, as round dots of constant size on the screen; smaller where many stand close."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from app.colour import field_colours
from app.view.camera import Camera, pixels_per_metre
from app.view.layer_actors import LayerActors, unlit_actor
from app.view.legend import shown_field
from app.view.polydata import point_cloud, set_cell_colours
from app.view.sky import shown_elements
from geo.model import Points, unique_rows

SIZE = {"sensor": 11.0, "camera": 11.0, "emission": 9.0, "purifier": 11.0, "result": 7.0}  # pixels
USUAL_SIZE = 6.0
POINT_PULL = 0.008
MANY = 50  # points from which they make way for each other: a few are signs to be found
LEAST_SIZE = 2.0  # pixels
OF_SPACING = 0.4  # of the way to the next point that a dot covers at the most: seen aslant they stand closer


class PointsActors(LayerActors):
    """Dots, unlit."""

    def build(self, prepared: object) -> None:
        """One actor for all."""
        self._actor = unlit_actor(point_cloud(self._points().vertices), pull=POINT_PULL)
        self._size = SIZE.get(self.layer.theme, USUAL_SIZE)
        property_ = self._actor.GetProperty()
        property_.SetPointSize(self._size)
        property_.SetRenderPointsAsSpheres(True)
        self.actors = [self._actor]
        self._middle, self._spacing = middle_and_spacing(self._points().vertices)

    def look_from(self, camera: Camera, size: tuple[int, int]) -> None:
        """From far off dots that would lie over each other become smaller."""
        if not np.isfinite(self._spacing):
            return
        away = np.array([np.linalg.norm(self._middle - camera.eye)])
        apart = self._spacing * float(pixels_per_metre(camera, away, height=max(size[1], 1))[0])
        self._actor.GetProperty().SetPointSize(float(np.clip(OF_SPACING * apart, LEAST_SIZE, self._size)))

    def recolour(self) -> None:
        """Shown points in their colours."""
        points = self._points()
        keep = shown_elements(self.layer)[points.element]
        field = shown_field(self.layer)
        if field is not None and field.on in ("element", "point", "vertex"):
            colours, _known = field_colours(field, self.look.theme)
            colours = colours[points.element] if field.on == "element" else colours
        else:
            colours = np.tile(np.array(self.plain_rgb(), dtype=np.uint8), (len(points.vertices), 1))
        data = point_cloud(points.vertices[keep])
        set_cell_colours(data, colours[keep])
        self._actor.GetMapper().SetInputData(data)
        self._actor.GetProperty().SetOpacity(min(self.layer.style.opacity, 0.99))

    def _points(self) -> Points:
        if not isinstance(self.layer.geometry, Points):
            raise TypeError(f"{self.layer.kind} is not points")
        return self.layer.geometry


def middle_and_spacing(vertices: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Middle (3,) of points (n, 3) and the usual way from one place to the next [m]; infinite for a few places."""
    places = unique_rows(vertices[np.isfinite(vertices).all(axis=1)]).rows  # several may stand at one place
    if len(places) < MANY:
        return np.zeros(3), float("inf")
    away, _ = cKDTree(places).query(places, k=2)
    return np.median(places, axis=0), float(np.median(away[:, 1]))
