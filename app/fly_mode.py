"""Flying in the window: keys move, a dragged mouse looks around, the wheel sets the speed, Escape ends."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPointF, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QWheelEvent

from app.fly import Flight, flown, speed_at, turned

if TYPE_CHECKING:
    from app.view.viewport import Viewport

TICK_MS = 16
LONGEST_STEP = 0.25  # seconds that one step may stand for, however long a frame took
LOOK_PER_PIXEL = 0.2  # degrees
TURN_SPEED = 60.0  # degrees a second, by keys
NOTCH = 1.25  # of the wheel, on the speed
LEAST_FACTOR, MOST_FACTOR = 0.1, 10.0
AHEAD = {Qt.Key.Key_W: 1, Qt.Key.Key_S: -1}
ASIDE = {Qt.Key.Key_D: 1, Qt.Key.Key_A: -1}
UPWARD = {Qt.Key.Key_E: 1, Qt.Key.Key_Q: -1}
TURN = {Qt.Key.Key_Right: 1, Qt.Key.Key_Left: -1}
TILT = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1}
MOVING = frozenset({*AHEAD, *ASIDE, *UPWARD, *TURN, *TILT})
OWN_KEYS = MOVING | {Qt.Key.Key_Escape, Qt.Key.Key_Shift}


class FlyMode(QObject):
    """One flight, from the present view until it is left; the picture stays where it was flown to.

    Parameters
    ----------
    viewport : Viewport
        Its mouse and keys are taken over.
    flight : Flight
        Where it begins.

    Signals
    -------
    left()
        Escape was pressed.
    """

    left = Signal()

    def __init__(self, viewport: Viewport, flight: Flight) -> None:
        super().__init__(viewport)
        self.flight = flight
        self.factor = 1.0
        self._viewport = viewport
        self._pressed: set[Qt.Key] = set()
        self._fast = False
        self._last: QPointF | None = None
        self._then = 0.0
        self._timer = QTimer(self)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self._tick)
        viewport.installEventFilter(self)
        viewport.setFocus()
        viewport.set_camera(flight.camera)

    def end(self) -> None:
        """Give mouse and keys back."""
        self._timer.stop()
        self._viewport.removeEventFilter(self)
        self.deleteLater()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Mouse and keys of the viewport; everything else goes on to it."""
        if isinstance(event, QKeyEvent):
            return self._key(event)
        if event.type() == QEvent.Type.FocusOut:
            self._pressed.clear()
        if isinstance(event, QMouseEvent):
            return self._mouse(event)
        if isinstance(event, QWheelEvent):
            notches = event.angleDelta().y() / 120.0
            self.factor = min(max(self.factor * NOTCH**notches, LEAST_FACTOR), MOST_FACTOR)
            return True
        return False

    def _key(self, event: QKeyEvent) -> bool:
        key = Qt.Key(event.key())
        if key not in OWN_KEYS or event.modifiers() & Qt.KeyboardModifier.ControlModifier:
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
            self._go(turned(self.flight, turn=step.x() * LOOK_PER_PIXEL, tilt=-step.y() * LOOK_PER_PIXEL))
        return True

    def _tick(self) -> None:
        now = time.perf_counter()
        seconds, self._then = min(now - self._then, LONGEST_STEP), now
        self.step(seconds)

    def step(self, seconds: float) -> None:
        """Fly for a time with the keys that are held."""
        pressed = self._pressed
        if not pressed:
            self._timer.stop()
            return
        angle = TURN_SPEED * seconds
        flight = turned(self.flight, turn=angle * _sum(TURN, pressed), tilt=angle * _sum(TILT, pressed))
        ground = self._viewport.stage.ground_level(flight.eye[0], flight.eye[1])
        speed = speed_at(flight.eye[2] - ground, factor=self.factor, fast=self._fast)
        self._go(
            flown(
                flight,
                ahead=_sum(AHEAD, pressed),
                right=_sum(ASIDE, pressed),
                up=_sum(UPWARD, pressed),
                metres=speed * seconds,
            )
        )

    def _go(self, flight: Flight) -> None:
        if flight != self.flight:
            self.flight = flight
            self._viewport.set_camera(flight.camera)


def _sum(meaning: dict[Qt.Key, int], pressed: set[Qt.Key]) -> float:
    return float(sum(meaning.get(key, 0) for key in pressed))
