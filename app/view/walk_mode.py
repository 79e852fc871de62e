"""Walking in the window: keys move, a dragged mouse looks around, Escape ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal

from app.view.eye_mode import EyeMode
from app.view.obstacles import Obstacles
from app.view.walk import Walker, looked, walked

if TYPE_CHECKING:
    from app.view.viewport import Viewport

LOOK_PER_PIXEL = 0.25  # degrees
TURN_SPEED = 90.0  # degrees a second, by keys
AHEAD = {Qt.Key.Key_W: 1, Qt.Key.Key_Up: 1, Qt.Key.Key_S: -1, Qt.Key.Key_Down: -1}
ASIDE = {Qt.Key.Key_D: 1, Qt.Key.Key_A: -1}
TURN = {Qt.Key.Key_Right: 1, Qt.Key.Key_E: 1, Qt.Key.Key_Left: -1, Qt.Key.Key_Q: -1}


class WalkMode(EyeMode):
    """One walk, from where somebody was put until they leave.

    Parameters
    ----------
    viewport : Viewport
        Its mouse and keys are taken over.
    walker : Walker
        Where the walk begins.
    obstacles : Obstacles

    Signals
    -------
    passing_changed(bool)
        Whether walls are passed, switched by X.
    """

    passing_changed = Signal(bool)
    longest_step = 0.12  # nobody jumps through a wall
    moving = frozenset({*AHEAD, *ASIDE, *TURN})
    pressed_once = frozenset({Qt.Key.Key_X})

    def __init__(self, viewport: Viewport, walker: Walker, obstacles: Obstacles) -> None:
        super().__init__(viewport)
        self.walker = walker
        self.through_walls = False
        self._obstacles = obstacles
        viewport.set_camera(walker.camera)

    def press(self, key: Qt.Key) -> None:
        """Pass walls, or no longer."""
        self.through_walls = not self.through_walls
        self.passing_changed.emit(self.through_walls)

    def look(self, right: float, down: float) -> None:
        """Turn the head."""
        self._go(looked(self.walker, turn=right * LOOK_PER_PIXEL, tilt=-down * LOOK_PER_PIXEL))

    def step(self, seconds: float) -> None:
        """Walk for a time with the keys that are held."""
        before = self.walker
        walker = looked(before, turn=self.held(TURN) * TURN_SPEED * seconds, tilt=0.0)
        walker = walked(
            walker,
            self._obstacles.cast,
            ahead=self.held(AHEAD),
            right=self.held(ASIDE),
            seconds=seconds,
            fast=self._fast,
            through_walls=self.through_walls,
        )
        self._go(walker)
        if not self._pressed and abs(walker.feet[2] - before.feet[2]) < 1e-3:
            self._timer.stop()

    def _go(self, walker: Walker) -> None:
        if walker != self.walker:
            self.walker = walker
            self._viewport.set_camera(walker.camera)
