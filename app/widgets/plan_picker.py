"""The plan of a building with its corners, of which two are chosen by clicking."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from app.numbers import number_text
from app.theme import Theme

Floats = NDArray[np.float64]

MARGIN, DOT, MARK = 26.0, 3.0, 9.0  # pixels
SMALLEST = (300, 210)  # pixels


class PlanPicker(QWidget):
    """An outline; the corner nearest to a click becomes point 1 and point 2 in turn.

    Attributes
    ----------
    chosen : [int, int]
        Numbers of the two corners.

    Signals
    -------
    changed()
    """

    changed = Signal()

    def __init__(self, ring: Floats, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._ring = np.asarray(ring, dtype=np.float64)[:, :2]
        self._theme = theme
        self._next = 0
        self.chosen = longest_edge(self._ring)
        self.setMinimumSize(*SMALLEST)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.CrossCursor)

    @property
    def points(self) -> Floats:
        """(2, 2) the chosen corners [m of the model]."""
        return self._ring[self.chosen]

    @property
    def length(self) -> float:
        """How far they are apart [m]."""
        return float(np.hypot(*(self.points[1] - self.points[0])))

    def choose(self, first: int, second: int) -> None:
        """Take two corners by their numbers."""
        self.chosen = [first, second]
        self.update()
        self.changed.emit()

    def at(self, corner: int) -> QPointF:
        """Pixel of a corner."""
        x, y = self._pixels()[corner]
        return QPointF(float(x), float(y))

    def _pixels(self) -> Floats:
        low, high = self._ring.min(axis=0), self._ring.max(axis=0)
        size = np.maximum(high - low, 1e-6)
        room = np.array([self.width() - 2 * MARGIN, self.height() - 2 * MARGIN])
        scale = float((room / size).min())
        about = (self._ring - (low + high) / 2) * scale
        return np.column_stack([self.width() / 2 + about[:, 0], self.height() / 2 - about[:, 1]])

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """The corner nearest to the click."""
        place = np.array([event.position().x(), event.position().y()])
        corner = int(np.argmin(np.hypot(*(self._pixels() - place).T)))
        if corner != self.chosen[1 - self._next]:
            self.chosen[self._next] = corner
            self._next = 1 - self._next
            self.update()
            self.changed.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrow keys walk the pair around the outline; X swaps the two."""
        step = {Qt.Key.Key_Right: 1, Qt.Key.Key_Down: 1, Qt.Key.Key_Left: -1, Qt.Key.Key_Up: -1}.get(event.key())  # type: ignore[call-overload]
        if step is not None:
            self.choose(*((corner + step) % len(self._ring) for corner in self.chosen))
        elif event.key() == Qt.Key.Key_X:
            self.choose(self.chosen[1], self.chosen[0])
        else:
            super().keyPressEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Outline, corners, and the two with their numbers."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), QColor(self._theme["card"]))
        corners = [QPointF(float(x), float(y)) for x, y in self._pixels()]
        text, accent = QColor(self._theme["ink"]), QColor(self._theme["accent"])
        fill = QColor(text)
        fill.setAlpha(30)
        painter.setBrush(fill)
        painter.setPen(QPen(text, 1.2))
        painter.drawPolygon(QPolygonF(corners))
        painter.setBrush(text)
        for corner in corners:
            painter.drawEllipse(corner, DOT, DOT)
        first, second = (corners[number] for number in self.chosen)
        painter.setPen(QPen(accent, 2.4))
        painter.drawLine(first, second)
        self._mark(painter, first, "1")
        self._mark(painter, second, "2")
        middle = (first + second) / 2
        painter.setPen(text)
        painter.drawText(
            QRectF(middle.x() - 50, middle.y() - 22, 100, 18),
            Qt.AlignmentFlag.AlignCenter,
            f"{number_text(round(self.length, 2))} m",
        )

    def _mark(self, painter: QPainter, place: QPointF, number: str) -> None:
        painter.setPen(QPen(QColor(self._theme["card"]), 1.5))
        painter.setBrush(QColor(self._theme["accent"]))
        painter.drawEllipse(place, MARK, MARK)
        painter.setPen(QColor(self._theme["card"]))
        painter.drawText(
            QRectF(place.x() - MARK, place.y() - MARK, 2 * MARK, 2 * MARK), Qt.AlignmentFlag.AlignCenter, number
        )


def longest_edge(ring: Floats) -> list[int]:
    """Numbers of the ends of the longest edge of a ring (n, 2)."""
    length = np.hypot(*(np.roll(ring, -1, axis=0) - ring).T)
    first = int(np.argmax(length))
    return [first, (first + 1) % len(ring)]
