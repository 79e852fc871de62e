"""Flying in the window: keys move, a dragged mouse looks around, the wheel sets the speed, Escape ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

from app.fly import Flight, flown, speed_at, turned
from app.view.eye_mode import EyeMode

if TYPE_CHECKING:
    from app.view.viewport import Viewport

LOOK_PER_PIXEL = 0.2  # degrees
TURN_SPEED = 60.0  # degrees a second, by keys
NOTCH = 1.25  # of the wheel, on the speed
LEAST_FACTOR, MOST_FACTOR = 0.1, 10.0
AHEAD = {Qt.Key.Key_W: 1, Qt.Key.Key_S: -1}
ASIDE = {Qt.Key.Key_D: 1, Qt.Key.Key_A: -1}
UPWARD = {Qt.Key.Key_E: 1, Qt.Key.Key_Q: -1}
TURN = {Qt.Key.Key_Right: 1, Qt.Key.Key_Left: -1}
TILT = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1}


class FlyMode(EyeMode):
    """One flight, from the present view until it is left; the picture stays where it was flown to.

    Parameters
    ----------
    viewport : Viewport
        Its mouse and keys are taken over.
    flight : Flight
        Where it begins.
    """

    longest_step = 0.25
    moving = frozenset({*AHEAD, *ASIDE, *UPWARD, *TURN, *TILT})

    def __init__(self, viewport: Viewport, flight: Flight) -> None:
        super().__init__(viewport)
        self.flight = flight
        self.factor = 1.0
        viewport.set_camera(flight.camera)

    def look(self, right: float, down: float) -> None:
        """Turn the head."""
        self._go(turned(self.flight, turn=right * LOOK_PER_PIXEL, tilt=-down * LOOK_PER_PIXEL))

    def turn_wheel(self, notches: float) -> None:
        """Faster or slower."""
        self.factor = min(max(self.factor * NOTCH**notches, LEAST_FACTOR), MOST_FACTOR)

    def step(self, seconds: float) -> None:
        """Fly for a time with the keys that are held."""
        if not self._pressed:
            self._timer.stop()
            return
        angle = TURN_SPEED * seconds
        flight = turned(self.flight, turn=angle * self.held(TURN), tilt=angle * self.held(TILT))
        ground = self._viewport.stage.ground_level(flight.eye[0], flight.eye[1])
        speed = speed_at(flight.eye[2] - ground, factor=self.factor, fast=self._fast)
        self._go(
            flown(
                flight,
                ahead=self.held(AHEAD),
                right=self.held(ASIDE),
                up=self.held(UPWARD),
                metres=speed * seconds,
            )
        )

    def _go(self, flight: Flight) -> None:
        if flight != self.flight:
            self.flight = flight
            self._viewport.set_camera(flight.camera)
