"""Lines of a result in colours, with a rim that sets them off from maps in the same colours."""

from __future__ import annotations

import numpy as np

from app.view.layer_actors import unlit_actor
from app.view.legend import shown_field
from app.view.lines import GROUND_PULL, LinesActors
from app.view.polydata import segments, set_cell_colours, set_segments
from app.view.sky import shown_elements
from geo.model import Layer, Lines

WIDTH, RIM = 2.0, 4.2  # pixels of the line, and of the rim around it
RIM_COLOUR, RIM_OPACITY = (20, 26, 34), 0.6


def is_rimmed(layer: Layer) -> bool:
    """Whether the lines of a result show a quantity: arrows and streamlines lie over maps of the same quantity."""
    if layer.theme != "result" or layer.stratum != "outdoor" or not isinstance(layer.geometry, Lines):
        return False
    field = shown_field(layer)
    return field is not None and not field.categories and field.ramp == "wind"


class RimmedLinesActors(LinesActors):
    """The lines twice: a wider dark one behind, the lines themselves before it."""

    def build(self, prepared: object) -> None:
        """Two actors over one geometry."""
        super().build(prepared)
        self._rim = unlit_actor(segments(self._lines().vertices, self._pairs), pull=0.9 * GROUND_PULL)
        self._rim.GetProperty().SetLineWidth(RIM)
        self._actor.GetProperty().SetLineWidth(WIDTH)
        self.actors = [self._rim, self._actor]

    def recolour(self) -> None:
        """Colours of the lines that are shown."""
        super().recolour()
        keep = shown_elements(self.layer)[self._lines().line_element[self._owner]]
        data = self._rim.GetMapper().GetInput()
        set_segments(data, self._pairs[keep])
        rim = np.array(RIM_COLOUR, dtype=np.uint8)
        set_cell_colours(data, np.tile(rim, (int(keep.sum()), 1)))
        self._rim.GetProperty().SetOpacity(RIM_OPACITY * self.layer.style.opacity)
