"""Cameras as small signs that show where they look: a body and a horn, of one size on the screen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analysis.cctv.optics import axes, view_at
from app.cctv.edit import CameraRow, camera_rows, is_cameras
from app.colour import field_colours
from app.view.camera import Camera, pixels_per_metre
from app.view.layer_actors import LayerActors, unlit_actor
from app.view.legend import shown_field
from app.view.polydata import set_cell_colours, triangles
from app.view.sky import shown_elements
from geo.model import Layer, Points

Floats = NDArray[np.float64]

MOST_SYMBOLS = 3000  # beyond it cameras are dots
PIXELS = 20.0  # length of a sign on the screen
SMALLEST = 0.35  # [m] length of a sign seen from near
POINT_PULL = 0.008  # so that a camera on a wall is not sunk into it
ROLE_OF_STATE = {"existing": "camera", "movable": "camera", "planned": "accent", "off": "missing"}

# The sign in the camera's own axes: forward, right, up. Its lens is at the origin.
_BODY = [(x, y, z) for x in (-0.62, 0.0) for y in (-0.2, 0.2) for z in (-0.2, 0.2)]
_HORN = [(0.0, -0.12, -0.1), (0.0, 0.12, -0.1), (0.0, 0.12, 0.1), (0.0, -0.12, 0.1)]
_RIM = [(0.38, -0.34, -0.26), (0.38, 0.34, -0.26), (0.38, 0.34, 0.26), (0.38, -0.34, 0.26)]
SHAPE = np.array([*_BODY, *_HORN, *_RIM])
_QUADS = np.array(
    [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    + [(8, 9, 13, 12), (9, 10, 14, 13), (10, 11, 15, 14), (11, 8, 12, 15), (12, 13, 14, 15)]
)
FACES = _QUADS[:, [0, 1, 2, 0, 2, 3]].reshape(-1, 3)
_TONES = (0.72, 0.72, 0.82, 0.82, 0.6, 1.12, 0.62, 0.85, 1.15, 0.85, 0.42)  # of the quads, seen in daylight
TONES = np.repeat(np.array(_TONES), 2)


def is_symbols(layer: Layer) -> bool:
    """Whether a layer is drawn as signs of cameras."""
    return is_cameras(layer) and isinstance(layer.geometry, Points) and len(layer.geometry.vertices) <= MOST_SYMBOLS


def camera_axes(pan: float, tilt: float, roll: float) -> Floats:
    """(3, 3) unit vectors forward, right, up of a camera from its angles [deg]."""
    return np.array(axes(view_at(np.zeros(3), pan, tilt, roll, focal_px=1.0, pixels=(2, 2))))


class CameraSymbols(LayerActors):
    """One sign for each camera."""

    def build(self, prepared: object) -> None:
        """One actor for all."""
        self._actor = unlit_actor(triangles(np.zeros((0, 3)), np.zeros((0, 3), np.int32)), pull=POINT_PULL)
        self._scales = np.ones(0)
        self.actors = [self._actor]

    def recolour(self) -> None:
        """Shown cameras, by their state or what the style says."""
        rows = camera_rows(self.layer)
        number = self.layer.table.index
        shown = shown_elements(self.layer)
        self._rows: list[CameraRow] = [row for row in rows if shown[number[row.id]]]
        self._turned = np.array([SHAPE @ camera_axes(row.pan, row.tilt, row.roll) for row in self._rows])
        self._turned = self._turned.reshape(-1, len(SHAPE), 3)
        self._places = np.array([row.place for row in self._rows]).reshape(-1, 3)
        tint = self._tints([number[row.id] for row in self._rows])
        colours = tint[:, None, :] * TONES[None, :, None]
        self._colours = np.clip(colours, 0, 255).astype(np.uint8).reshape(-1, 3)
        if len(self._scales) != len(self._rows):
            self._scales = np.full(len(self._rows), SMALLEST)
        self._draw()

    def _tints(self, numbers: list[int]) -> Floats:
        field = shown_field(self.layer)
        if field is not None and field.on in ("element", "point"):
            return field_colours(field, self.look.theme)[0][numbers, :3].astype(np.float64)
        if self.layer.style.colour:
            return np.tile(np.array(self.plain_rgb(), dtype=np.float64), (len(self._rows), 1))
        roles = [ROLE_OF_STATE.get(row.state, "camera") for row in self._rows]
        return np.array([self.look.theme.rgb(role) for role in roles], dtype=np.float64).reshape(-1, 3)

    def look_from(self, camera: Camera, size: tuple[int, int]) -> None:
        """Of one size on the screen."""
        away = np.linalg.norm(self._places - camera.eye, axis=1)
        scales = np.maximum(PIXELS / pixels_per_metre(camera, away, height=max(size[1], 1)), SMALLEST)
        if len(scales) and not np.allclose(scales, self._scales, rtol=0.02):
            self._scales = scales
            self._draw()

    def _draw(self) -> None:
        points = self._places[:, None, :] + self._scales[:, None, None] * self._turned
        first = len(SHAPE) * np.arange(len(self._rows))
        faces = (FACES[None] + first[:, None, None]).reshape(-1, 3).astype(np.int32)
        data = triangles(points.reshape(-1, 3), faces)
        set_cell_colours(data, self._colours)
        self._actor.GetMapper().SetInputData(data)
