"""The user's eye in the scene: keys that are held move it, a dragged mouse looks around, Escape ends."""

from __future__ import annotations

import time
from collections.abc import Mapping, Set
from typing import TYPE_CHECKING, ClassVar

from PySide6.QtCore import QEvent, QObject, QPointF, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QWheelEvent

if TYPE_CHECKING:
    from app.view.viewport import Viewport

TICK_MS = 16


class EyeMode(QObject):
    """Base of walking and flying: what the hands do; a kind says where the eye goes.

    Parameters
    ----------
    viewport : Viewport
        Its mouse and keys are taken over until `end`.

    Attributes
    ----------
    longest_step : float
        Seconds that one step may stand for, however long a frame took.
    moving : set of keys
        That move while they are held.
    pressed_once : set of keys
        That do something when they are pressed.

    Signals
    -------
    left()
        Escape was pressed.
    """

    left = Signal()
    longest_step: ClassVar[float]
    moving: ClassVar[Set[Qt.Key]]
    pressed_once: ClassVar[Set[Qt.Key]] = frozenset()

    def __init__(self, viewport: Viewport) -> None:
        super().__init__(viewport)
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

    # ---- what a kind says

    def step(self, seconds: float) -> None:
        """Move for a time with the keys that are held."""
        raise NotImplementedError

    def look(self, right: float, down: float) -> None:
        """The mouse was dragged by so many pixels."""
        raise NotImplementedError

    def turn_wheel(self, notches: float) -> None:
        """The wheel was turned; nothing unless the kind has a use for it."""

    def press(self, key: Qt.Key) -> None:
        """One of `pressed_once` was pressed."""

    # ---- hands

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
            self.turn_wheel(event.angleDelta().y() / 120.0)
            return True
        return False

    def _is_own(self, event: QKeyEvent) -> bool:
        key = Qt.Key(event.key())
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            return False  # saving, searching
        return key in self.moving or key in (Qt.Key.Key_Escape, Qt.Key.Key_Shift) or key in self.pressed_once

    def _key(self, event: QKeyEvent) -> bool:
        if not self._is_own(event):
            return False
        key = Qt.Key(event.key())
        event.accept()
        if event.type() == QEvent.Type.ShortcutOverride:
            return True
        self._fast = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if event.type() == QEvent.Type.KeyRelease:
            if not event.isAutoRepeat():
                self._pressed.discard(key)
        elif key == Qt.Key.Key_Escape:
            self.left.emit()
        elif key in self.moving:
            self._hold(key)
        elif not event.isAutoRepeat():
            self.press(key)
        return True

    def _hold(self, key: Qt.Key) -> None:
        if key in self._pressed:
            return
        self._pressed.add(key)
        if not self._timer.isActive():
            self._then = time.perf_counter()
            self._timer.start()

    def _mouse(self, event: QMouseEvent) -> bool:
        if event.type() == QEvent.Type.MouseButtonPress:
            self._viewport.setFocus()
            self._last = event.position()
        elif event.type() == QEvent.Type.MouseButtonRelease:
            self._last = None
        elif event.type() == QEvent.Type.MouseMove and self._last is not None:
            moved = event.position() - self._last
            self._last = event.position()
            self.look(moved.x(), moved.y())
        return True

    def _tick(self) -> None:
        now = time.perf_counter()
        seconds, self._then = min(now - self._then, self.longest_step), now
        self.step(seconds)

    def held(self, meaning: Mapping[Qt.Key, int]) -> float:
        """The keys that are held, by their meaning: the sum of their signs."""
        return float(sum(meaning.get(key, 0) for key in self._pressed))
