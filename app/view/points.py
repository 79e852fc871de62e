"""Points: sensors, devices, samples, as round dots of constant size on the screen."""

from __future__ import annotations

import numpy as np

from app.colour import field_colours
from app.view.layer_actors import LayerActors, unlit_actor
from app.view.legend import shown_field
from app.view.polydata import point_cloud, set_cell_colours
from app.view.sky import shown_elements
from geo.model import Points

SIZE = {"sensor": 11.0, "camera": 11.0, "emission": 9.0, "purifier": 11.0, "result": 7.0}  # pixels
POINT_PULL = 0.008


class PointsActors(LayerActors):
    """Dots, unlit."""

    def build(self, prepared: object) -> None:
        """One actor for all."""
        self._actor = unlit_actor(point_cloud(self._points().vertices), pull=POINT_PULL)
        property_ = self._actor.GetProperty()
        property_.SetPointSize(SIZE.get(self.layer.theme, 6.0))
        property_.SetRenderPointsAsSpheres(True)
        self.actors = [self._actor]

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
