"""The handle of a section plane: a round button in the picture that is dragged along the plane's normal."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from app.look import ClipPlane
from app.theme import Theme
from app.view.camera import Camera, project, ray

SIZE = 26  # pixels


def distance_along(plane: ClipPlane, origin: NDArray[np.float64], direction: NDArray[np.float64]) -> float | None:
    """Where on the normal through the plane's point a line of sight comes nearest [m]; None when it runs along it."""
    normal = np.array(plane.normal)
    between = np.array(plane.point) - origin
    slant = float(normal @ direction)
    rest = 1.0 - slant * slant
    if rest < 1e-4:
        return None
    return float((slant * (direction @ between) - normal @ between) / rest)


class SectionHandle(QWidget):
    """Follows the plane on the screen.

    Signals
    -------
    dragged(float) [m]
        The plane along its normal, from where it was drawn.
    """

    dragged = Signal(float)

    def __init__(self, theme: Theme, camera: Callable[[], Camera], parent: QWidget) -> None:
        super().__init__(parent)
        self.setFixedSize(SIZE, SIZE)
        self.setCursor(Qt.CursorShape.SizeAllCursor)
        self.setObjectName("section_handle")
        self.theme = theme
        self._camera, self._picture = camera, parent
        self._plane: ClipPlane | None = None
        self._offset = 0.0
        self.hide()

    def show_plane(self, plane: ClipPlane | None, offset: float = 0.0) -> None:
        """Stand on a plane as it was drawn, moved by an offset [m]; None hides the handle."""
        self._plane, self._offset = plane, offset
        self.follow()

    def follow(self) -> None:
        """The camera or the plane has moved."""
        if self._plane is None:
            self.hide()
            return
        size = (self._picture.width(), self._picture.height())
        point = np.array(self._plane.moved(self._offset).point)
        places, depth = project(self._camera(), point[None], size)
        self.setVisible(bool(depth[0] > 0))
        self.move(round(float(places[0, 0]) - SIZE / 2), round(float(places[0, 1]) - SIZE / 2))
        self.raise_()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold."""
        event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Pull the plane along."""
        place = QPointF(self.mapTo(self._picture, event.position().toPoint()))
        if self._plane is None:
            return
        size = (self._picture.width(), self._picture.height())
        away = distance_along(self._plane, *ray(self._camera(), (place.x(), place.y()), size))
        if away is not None:
            self.dragged.emit(away)

    def paintEvent(self, event: QPaintEvent) -> None:
        """A disc with two arrows."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(self.theme["card"]), 2.0))
        painter.setBrush(QColor(self.theme["accent"]))
        painter.drawEllipse(2, 2, SIZE - 4, SIZE - 4)
        middle = SIZE / 2
        for sign in (-1, 1):
            tip = middle + sign * 7
            painter.drawLine(QPointF(middle + sign * 2, middle), QPointF(tip, middle))
            painter.drawLine(QPointF(tip, middle), QPointF(tip - sign * 3, middle - 3))
            painter.drawLine(QPointF(tip, middle), QPointF(tip - sign * 3, middle + 3))
