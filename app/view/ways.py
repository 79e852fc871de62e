"""Ways through buildings: thick lines, clear where they are in sight, softly seen through walls elsewhere."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from vtkmodules.vtkRenderingCore import vtkActor

from app.view.layer_actors import unlit_actor
from app.view.lines import LinesActors
from app.view.polydata import segments, set_cell_colours, set_segments
from app.view.shader import POSITION_TAG
from app.view.sky import shown_elements
from geo.model import Layer, Lines
from geo.model.conventions import WAY

PULL = 0.004  # share of the distance
WIDTH, RIM = 5.0, 7.5  # pixels of the way, and of the light rim around it
SOFT = 0.75  # opacity behind walls
IN_FRONT = POSITION_TAG + "\n  gl_Position.z = -0.9995 * gl_Position.w;\n"  # nearer than all that has a depth


def is_way(layer: Layer) -> bool:
    """Whether the lines of a result are the steps of a way."""
    steps = layer.theme == "result" and layer.stratum == "indoor" and layer.field_named(WAY) is not None
    return steps and isinstance(layer.geometry, Lines)


class WayActors(LinesActors):
    """The way three times: a soft line over everything, a rim, and the line itself where it is in sight."""

    def build(self, prepared: object) -> None:
        """Three actors over one geometry."""
        super().build(prepared)
        lines = self._lines()
        self._soft = unlit_actor(segments(lines.vertices, self._pairs), pull=0.0)
        self._soft.GetShaderProperty().ClearAllVertexShaderReplacements()
        self._soft.GetShaderProperty().AddVertexShaderReplacement(POSITION_TAG, True, IN_FRONT, False)
        self._rim = unlit_actor(segments(lines.vertices, self._pairs), pull=0.8 * PULL)
        self._actor = unlit_actor(segments(lines.vertices, self._pairs), pull=PULL)
        for actor, width in ((self._soft, WIDTH), (self._rim, RIM), (self._actor, WIDTH)):
            actor.GetProperty().SetLineWidth(width)
            actor.GetProperty().SetRenderLinesAsTubes(False)
        self.actors = [self._soft, self._rim, self._actor]

    def recolour(self) -> None:
        """Colours of the steps that are shown; the rim has the colour of the card under letters."""
        super().recolour()
        lines = self._lines()
        element = lines.line_element[self._owner]
        keep = shown_elements(self.layer)[element]
        colours = self._colours(element)[keep]
        self._fill(self._soft, keep, colours)
        self._fill(self._rim, keep, np.tile(np.array(self.look.theme.rgb("halo"), dtype=np.uint8), (len(colours), 1)))
        opacity = self.layer.style.opacity
        self._soft.GetProperty().SetOpacity(SOFT * opacity)
        self._rim.GetProperty().SetOpacity(min(opacity, 0.99))

    def _fill(self, actor: vtkActor, keep: NDArray[np.bool_], colours: NDArray[np.uint8]) -> None:
        data = actor.GetMapper().GetInput()
        set_segments(data, self._pairs[keep])
        set_cell_colours(data, colours)
