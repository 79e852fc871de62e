"""A volume of cells: its outline and three slices through its middle in the colours of its field."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from vtkmodules.vtkRenderingCore import vtkActor

from app.colour import field_colours
from app.view.layer_actors import LayerActors, unlit_actor
from app.view.legend import shown_field
from app.view.polydata import ArrayTexture, segments, textured_quads
from geo.model import Field, Volume

LARGEST_SLICE = 2048  # texels
SLICE_OPACITY = 0.85
_EDGES = ((0, 1), (1, 3), (3, 2), (2, 0), (4, 5), (5, 7), (7, 6), (6, 4), (0, 4), (1, 5), (2, 6), (3, 7))


class VolumeActors(LayerActors):
    """Outline and slices, unlit."""

    def build(self, prepared: object) -> None:
        """A box of lines and a quad for each axis, through the middle."""
        bounds = self._volume().bounds
        self._slices: list[tuple[int, vtkActor, ArrayTexture]] = []
        if bounds is None or self._volume().values.size == 0:
            return
        low, high = np.array(bounds.low), np.array(bounds.high)
        corners = np.array([np.where([k & 1, k & 2, k & 4], high, low) for k in range(8)])
        self._outline = unlit_actor(segments(corners, np.array(_EDGES, np.int32)), pull=0.0)
        self._outline.GetProperty().SetLineWidth(1.4)
        self._slices = [(axis, *_slice(low, high, self._middle(axis), axis=axis)) for axis in range(3)]
        self.actors = [self._outline, *(actor for _axis, actor, _texture in self._slices)]

    def recolour(self) -> None:
        """Colours of the cells that the slices cut; nothing where there is no value."""
        if not self._slices:
            return
        self._outline.GetProperty().SetColor(self.look.theme.unit_rgb("soft_ink"))
        field, shape = self._field(), self._volume().values.shape
        opacity = round(255 * SLICE_OPACITY * self.layer.style.opacity)
        numbers = np.arange(field.values.size).reshape(shape)
        for axis, _actor, texture in self._slices:
            cut = np.take(numbers, shape[2 - axis] // 2, axis=2 - axis)
            step = max(-(-max(cut.shape) // LARGEST_SLICE), 1)
            colours, known = field_colours(field, self.look.theme, rows=cut[::step, ::step])
            alpha = np.where(known, opacity, 0).astype(np.uint8)
            texture.write(np.concatenate([colours, alpha[..., None]], axis=2))

    def _middle(self, axis: int) -> float:
        """Where the slice across an axis (0 = x) lies: the centre of its middle cell [local m]."""
        volume = self._volume()
        start, cell = ((volume.x0, volume.cell), (volume.y0, volume.cell), (volume.z0, volume.cell_z))[axis]
        return float(start + cell * (volume.values.shape[2 - axis] // 2))

    def _field(self) -> Field:
        field = shown_field(self.layer)
        values = self._volume().values
        if field is not None and field.values.size == values.size:
            return field
        other = next((f for f in self.layer.fields if f.values.size == values.size), None)
        return other or Field(self.layer.name or "value", "1", "cell", values)

    def _volume(self) -> Volume:
        if not isinstance(self.layer.geometry, Volume):
            raise TypeError(f"{self.layer.kind} is not a volume")
        return self.layer.geometry


def _slice(
    low: NDArray[np.float64], high: NDArray[np.float64], place: float, *, axis: int
) -> tuple[vtkActor, ArrayTexture]:
    """A quad across an axis (0 = x) and its texture: u along the first of the other axes, v along the second."""
    across = [other for other in range(3) if other != axis]
    sides = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], dtype=np.float32)
    corners = np.full((4, 3), place)
    for column, other in enumerate(across):
        corners[:, other] = np.where(sides[:, column] > 0, high[other], low[other])
    actor = unlit_actor(textured_quads(corners, np.array([[0, 1, 2, 3]], np.int32), sides), pull=0.0)
    texture = ArrayTexture(np.zeros((1, 1, 4), np.uint8), smooth=False)
    actor.SetTexture(texture.texture)
    actor.ForceTranslucentOn()
    return actor, texture
