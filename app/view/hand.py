"""The hand on the camera: what a dragged mouse and the keys do to it. Widgets call it; it changes nothing itself."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, Qt

from app.view import camera as cameras
from app.view.camera import Camera

DRAG_PIXELS = 4  # a press that moves less is a click
ORBIT_PER_PIXEL = 0.3  # degrees
KEY_ORBIT, KEY_PAN = 6.0, 0.08  # degrees; share of the picture
# Direction of the arrow keys: right, down.
ARROWS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}
ZOOM_KEYS = {Qt.Key.Key_Plus: 1.0, Qt.Key.Key_Equal: 1.0, Qt.Key.Key_Minus: -1.0}

Size = tuple[int, int]


class Drag:
    """A pressed button and what it has become."""

    def __init__(self, button: Qt.MouseButton = Qt.MouseButton.NoButton, start: QPointF | None = None) -> None:
        self.button = button
        self.start = start or QPointF()
        self.last = self.start
        self.moving = False
        self.pans = False
        self.pivot = np.zeros(3)

    def is_click(self, place: QPointF) -> bool:
        """Whether the mouse is still so near the press that it is no drag yet."""
        return not self.moving and (place - self.start).manhattanLength() < DRAG_PIXELS

    def moved(self, camera: Camera, place: QPointF, size: Size) -> Camera:
        """The camera after the mouse went to `place`: held at the grabbed point, or turned about it."""
        step = place - self.last
        self.last = place
        if self.pans:
            return cameras.pan(camera, self.pivot, (place.x(), place.y()), size)
        turn, tilt = -step.x() * ORBIT_PER_PIXEL, -step.y() * ORBIT_PER_PIXEL
        return cameras.orbit(camera, self.pivot, turn=turn, tilt=tilt)


def camera_by_key(camera: Camera, key: Qt.Key, *, pans: bool, size: Size, middle: NDArray[np.float64]) -> Camera | None:
    """The camera after a key: arrows turn about `middle` or move, plus and minus zoom; None for other keys."""
    if key in ZOOM_KEYS:
        return cameras.zoom(camera, np.array(camera.focus), notches=ZOOM_KEYS[key])
    if key not in ARROWS:
        return None
    right, down = ARROWS[key]
    if pans or camera.is_parallel:
        place = (size[0] * (0.5 - KEY_PAN * right), size[1] * (0.5 - KEY_PAN * down))
        return cameras.pan(camera, np.array(camera.focus), place, size)
    return cameras.orbit(camera, middle, turn=right * KEY_ORBIT, tilt=down * KEY_ORBIT)
