"""Walking in the window: keys move, a dragged mouse looks around, Escape ends."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPointF, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent

from app.view.obstacles import Obstacles
from app.view.walk import Walker, looked, walked

if TYPE_CHECKING:
    from app.view.viewport import Viewport

TICK_MS = 16
LONGEST_STEP = 0.12  # seconds that one step may stand for, however long a frame took: nobody jumps through a wall
LOOK_PER_PIXEL = 0.25  # degrees
TURN_SPEED = 90.0  # degrees a second, by keys
AHEAD = {Qt.Key.Key_W: 1, Qt.Key.Key_Up: 1, Qt.Key.Key_S: -1, Qt.Key.Key_Down: -1}
ASIDE = {Qt.Key.Key_D: 1, Qt.Key.Key_A: -1}
TURN = {Qt.Key.Key_Right: 1, Qt.Key.Key_E: 1, Qt.Key.Key_Left: -1, Qt.Key.Key_Q: -1}
MOVING = frozenset({*AHEAD, *ASIDE, *TURN})
OWN_KEYS = MOVING | {Qt.Key.Key_Escape, Qt.Key.Key_Shift, Qt.Key.Key_X}


class WalkMode(QObject):
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
    left()
        Escape was pressed.
    passing_changed(bool)
        Whether walls are passed, switched by X.
    """

    left = Signal()
    passing_changed = Signal(bool)

    def __init__(self, viewport: Viewport, walker: Walker, obstacles: Obstacles) -> None:
        super().__init__(viewport)
        self.walker = walker
        self.through_walls = False
        self._viewport, self._obstacles = viewport, obstacles
        self._pressed: set[Qt.Key] = set()
        self._fast = False
        self._last: QPointF | None = None
        self._then = 0.0
        self._timer = QTimer(self)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self._tick)
        viewport.installEventFilter(self)
        viewport.setFocus()
        viewport.set_camera(walker.camera)

    def end(self) -> None:
        """Give mouse and keys back."""
        self._timer.stop()
        self._viewport.removeEventFilter(self)
        self.deleteLater()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Mouse and keys of the viewport; everything else goes on to it."""
        kind = event.type()
        if isinstance(event, QKeyEvent):
            return self._key(event)
        if kind == QEvent.Type.FocusOut:
            self._pressed.clear()
        if isinstance(event, QMouseEvent):
            return self._mouse(event)
        return kind == QEvent.Type.Wheel

    def _key(self, event: QKeyEvent) -> bool:
        key = Qt.Key(event.key())
        if key not in OWN_KEYS:
            return False
        event.accept()
        if event.type() == QEvent.Type.ShortcutOverride:
            return True
        self._fast = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if event.type() == QEvent.Type.KeyRelease:
            if not event.isAutoRepeat():
                self._pressed.discard(key)
        elif key == Qt.Key.Key_Escape:
            self.left.emit()
        elif key == Qt.Key.Key_X and not event.isAutoRepeat():
            self.through_walls = not self.through_walls
            self.passing_changed.emit(self.through_walls)
        elif key in MOVING and key not in self._pressed:
            self._pressed.add(key)
            if not self._timer.isActive():
                self._then = time.perf_counter()
                self._timer.start()
        return True

    def _mouse(self, event: QMouseEvent) -> bool:
        if event.type() == QEvent.Type.MouseButtonPress:
            self._viewport.setFocus()
            self._last = event.position()
        elif event.type() == QEvent.Type.MouseButtonRelease:
            self._last = None
        elif event.type() == QEvent.Type.MouseMove and self._last is not None:
            step = event.position() - self._last
            self._last = event.position()
            self._go(looked(self.walker, turn=step.x() * LOOK_PER_PIXEL, tilt=-step.y() * LOOK_PER_PIXEL))
        return True

    def _tick(self) -> None:
        now = time.perf_counter()
        seconds, self._then = min(now - self._then, LONGEST_STEP), now
        self.step(seconds)

    def step(self, seconds: float) -> None:
        """Walk for a time with the keys that are held."""
        pressed = self._pressed
        turn = sum(TURN.get(key, 0) for key in pressed)
        before = self.walker
        walker = looked(before, turn=turn * TURN_SPEED * seconds, tilt=0.0)
        walker = walked(
            walker,
            self._obstacles.cast,
            ahead=float(sum(AHEAD.get(key, 0) for key in pressed)),
            right=float(sum(ASIDE.get(key, 0) for key in pressed)),
            seconds=seconds,
            fast=self._fast,
            through_walls=self.through_walls,
        )
        self._go(walker)
        if not pressed and abs(walker.feet[2] - before.feet[2]) < 1e-3:
            self._timer.stop()

    def _go(self, walker: Walker) -> None:
        if walker != self.walker:
            self.walker = walker
            self._viewport.set_camera(walker.camera)
