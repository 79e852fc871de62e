"""Cameras as small signs that show where they look: a body and a horn, of one size on the screen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analysis.cctv.optics import axes, view_at
from app.cctv.edit import camera_row, camera_rows, is_cameras
from app.view.symbols import MOST_SYMBOLS, SymbolActors, faces_of_quads
from geo.model import Layer, Points

Floats = NDArray[np.float64]

ROLE_OF_STATE = {"existing": "camera", "movable": "camera", "planned": "accent", "off": "missing"}

# The sign in the camera's own axes: forward, right, up. Its lens is at the origin.
_BODY = [(x, y, z) for x in (-0.62, 0.0) for y in (-0.2, 0.2) for z in (-0.2, 0.2)]
_HORN = [(0.0, -0.12, -0.1), (0.0, 0.12, -0.1), (0.0, 0.12, 0.1), (0.0, -0.12, 0.1)]
_RIM = [(0.38, -0.34, -0.26), (0.38, 0.34, -0.26), (0.38, 0.34, 0.26), (0.38, -0.34, 0.26)]
_QUADS = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
_QUADS += [(8, 9, 13, 12), (9, 10, 14, 13), (10, 11, 15, 14), (11, 8, 12, 15), (12, 13, 14, 15)]
_TONES = (0.72, 0.72, 0.82, 0.82, 0.6, 1.12, 0.62, 0.85, 1.15, 0.85, 0.42)  # of the quads, seen in daylight


def is_symbols(layer: Layer) -> bool:
    """Whether a layer is drawn as signs of cameras."""
    return is_cameras(layer) and isinstance(layer.geometry, Points) and len(layer.geometry.vertices) <= MOST_SYMBOLS


def camera_axes(pan: float, tilt: float, roll: float) -> Floats:
    """(3, 3) unit vectors forward, right, up of a camera from its angles [deg]."""
    return np.array(axes(view_at(np.zeros(3), pan, tilt, roll, focal_px=1.0, pixels=(2, 2))))


class CameraSymbols(SymbolActors):
    """One sign for each camera."""

    shape = np.array([*_BODY, *_HORN, *_RIM])
    faces = faces_of_quads(_QUADS)
    tones = np.repeat(np.array(_TONES), 2)
    pixels = 20.0

    def signs(self) -> tuple[NDArray[np.int64], Floats, Floats]:
        """Lens and view of each camera."""
        rows = camera_rows(self.layer)
        number = self.layer.table.index
        turned = [camera_axes(row.pan, row.tilt, row.roll) for row in rows]
        return (
            np.array([number[row.id] for row in rows], dtype=np.int64),
            np.array([row.place for row in rows]).reshape(-1, 3),
            np.array(turned).reshape(-1, 3, 3),
        )

    def roles(self, numbers: NDArray[np.int64]) -> list[str]:
        """By state."""
        rows = [camera_row(self.layer, number) for number in numbers.tolist()]
        return [ROLE_OF_STATE.get(row.state if row is not None else "", "camera") for row in rows]
