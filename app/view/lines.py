"""Lines: centre lines, pipes as plain lines, outlines."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.colour import field_colours
from app.view.layer_actors import LayerActors, unlit_actor
from app.view.legend import shown_field
from app.view.polydata import segments, set_cell_colours, set_segments
from app.view.sky import shown_elements
from geo.model import Lines

WIDTH = {"utility": 3.0, "road": 1.6, "rail": 1.8, "parcel": 1.0}  # pixels
GROUND_PULL = 0.006  # share of the distance: lines on the ground lie over roads


def line_pairs(lines: Lines) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Segments (k, 2) as rows of vertices, and the line (k,) each belongs to."""
    owner = np.repeat(np.arange(len(lines.line_element), dtype=np.int32), np.diff(lines.offsets))
    first = np.arange(max(len(lines.vertices) - 1, 0), dtype=np.int32)
    inner = owner[:-1] == owner[1:]
    return np.stack([first, first + 1], axis=1)[inner], owner[:-1][inner]


class LinesActors(LayerActors):
    """Polylines, unlit, coloured each."""

    def build(self, prepared: object) -> None:
        """One actor for all."""
        lines = self._lines()
        self._pairs, self._owner = line_pairs(lines)
        self._actor = unlit_actor(segments(lines.vertices, self._pairs), pull=GROUND_PULL)
        self._actor.GetProperty().SetLineWidth(WIDTH.get(self.layer.theme, 1.6))
        self.actors = [self._actor]

    def recolour(self) -> None:
        """Segments of shown elements, in their colours."""
        lines = self._lines()
        element = lines.line_element[self._owner]
        keep = shown_elements(self.layer)[element]
        data = self._actor.GetMapper().GetInput()
        set_segments(data, self._pairs[keep])
        set_cell_colours(data, self._colours(element)[keep])
        self._actor.GetProperty().SetOpacity(min(self.layer.style.opacity, 0.99))

    def _colours(self, element: NDArray[np.int32]) -> NDArray[np.uint8]:
        field = shown_field(self.layer)
        if field is not None and field.on in ("element", "vertex"):
            colours, _known = field_colours(field, self.look.theme)
            return colours[element] if field.on == "element" else colours[self._pairs[:, 0]]
        role = "parcel_line" if self.layer.theme in ("parcel", "road") and not self.layer.style.colour else ""
        plain = self.look.theme.rgb(role) if role else self.plain_rgb()
        return np.tile(np.array(plain, dtype=np.uint8), (len(element), 1))

    def _lines(self) -> Lines:
        if not isinstance(self.layer.geometry, Lines):
            raise TypeError(f"{self.layer.kind} is not lines")
        return self.layer.geometry
