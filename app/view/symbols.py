"""Elements as small signs with a direction, of one size on the screen: one actor for all of a layer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from app.colour import field_colours
from app.view.camera import Camera, pixels_per_metre
from app.view.layer_actors import LayerActors, unlit_actor
from app.view.legend import shown_field
from app.view.polydata import set_cell_colours, triangles
from app.view.sky import shown_elements

Floats = NDArray[np.float64]

MOST_SYMBOLS = 3000  # beyond it elements are dots
POINT_PULL = 0.008  # so that a sign on a wall is not sunk into it


def faces_of_quads(quads: Sequence[tuple[int, int, int, int]]) -> NDArray[np.int64]:
    """(2 n, 3) triangles of quads."""
    return np.array(quads)[:, [0, 1, 2, 0, 2, 3]].reshape(-1, 3)


class SymbolActors(LayerActors):
    """One sign for each element that is shown.

    Attributes
    ----------
    shape : (k, 3) float
        Corners in the sign's own axes; the place of the element is the origin.
    faces : (m, 3) int
    tones : (m,) float
        How bright each face is, as seen in daylight.
    pixels : float
        A length of 1 of the shape on the screen.
    smallest : float [m]
        What it is not smaller than, seen from near.
    """

    shape: Floats
    faces: NDArray[np.int64]
    tones: Floats
    pixels: float
    smallest: float = 0.35

    def signs(self) -> tuple[NDArray[np.int64], Floats, Floats]:
        """Of all elements: number of the row (n,), place (n, 3) [local m], and axes (n, 3, 3) the shape stands in."""
        raise NotImplementedError

    def roles(self, numbers: NDArray[np.int64]) -> list[str]:
        """Roles of colours of the elements with these rows."""
        raise NotImplementedError

    def lengths(self, numbers: NDArray[np.int64]) -> Floats:
        """(n,) what no sign is smaller than, seen from near [m]."""
        return np.full(len(numbers), self.smallest)

    def build(self, prepared: object) -> None:
        """One actor for all."""
        self._actor = unlit_actor(triangles(np.zeros((0, 3)), np.zeros((0, 3), np.int32)), pull=POINT_PULL)
        self._scales = np.ones(0)
        self.actors = [self._actor]

    def recolour(self) -> None:
        """Shown elements, by their state or what the style says."""
        numbers, places, axes = self.signs()
        shown = shown_elements(self.layer)[numbers]
        numbers, self._places, axes = numbers[shown], places[shown], axes[shown]
        self._turned = self.shape @ axes
        colours = self.tints(numbers)[:, None, :] * self.tones[None, :, None]
        self._colours = np.clip(colours, 0, 255).astype(np.uint8).reshape(-1, 3)
        self._least = self.lengths(numbers)
        if len(self._scales) != len(numbers):
            self._scales = self._least
        self._draw()

    def tints(self, numbers: NDArray[np.int64]) -> Floats:
        """(n, 3) colours 0..255 of the elements with these rows: of the field shown, the style, else by role."""
        field = shown_field(self.layer)
        if field is not None and field.on in ("element", "point"):
            return field_colours(field, self.look.theme)[0][numbers, :3].astype(np.float64)
        if self.layer.style.colour:
            return np.tile(np.array(self.plain_rgb(), dtype=np.float64), (len(numbers), 1))
        colours = [self.look.theme.rgb(role) for role in self.roles(numbers)]
        return np.array(colours, dtype=np.float64).reshape(-1, 3)

    def look_from(self, camera: Camera, size: tuple[int, int]) -> None:
        """Of one size on the screen."""
        away = np.linalg.norm(self._places - camera.eye, axis=1)
        scales = np.maximum(self.pixels / pixels_per_metre(camera, away, height=max(size[1], 1)), self._least)
        if len(scales) and not np.allclose(scales, self._scales, rtol=0.02):
            self._scales = scales
            self._draw()

    def _draw(self) -> None:
        points = self._places[:, None, :] + self._scales[:, None, None] * self._turned
        first = len(self.shape) * np.arange(len(self._places))
        faces = (self.faces[None] + first[:, None, None]).reshape(-1, 3).astype(np.int32)
        data = triangles(points.reshape(-1, 3), faces)
        set_cell_colours(data, self._colours)
        self._actor.GetMapper().SetInputData(data)
