"""The live picture of a camera: its pixels, the bands of density over them, the outlines of private windows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPen, QPolygonF, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.theme import Theme

LEAST_HEIGHT, MOST_HEIGHT = 120, 180  # pixels
USUAL_SHAPE = 9 / 16
MASK_FILL = QColor(20, 20, 20, 150)
MASK_LINE = QColor("#ff5fa2")


class CameraView(QWidget):
    """Shows a picture at the width of the panel.

    Attributes
    ----------
    image : QImage or None
    masks : sequence of (k, 2) float
        Outlines, in shares of width and height of the picture.
    """

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.image: QImage | None = None
        self.masks: Sequence[NDArray[np.float64]] = ()
        self.text = ""
        self._shape = USUAL_SHAPE
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(self.heightForWidth(288))

    def sizeHint(self) -> QSize:
        """In the proportions of the picture."""
        return QSize(288, self.heightForWidth(288))

    def heightForWidth(self, width: int) -> int:
        """Height at a width [pixels]."""
        return min(max(round(width * self._shape), LEAST_HEIGHT), MOST_HEIGHT)

    def show_picture(self, pixels: NDArray[np.uint8] | None, masks: Sequence[NDArray[np.float64]] = ()) -> None:
        """Show these pixels (rows, columns, 3), or none."""
        self.masks = masks
        if pixels is None:
            self.image = None
        else:
            rows, columns = pixels.shape[:2]
            kept = np.ascontiguousarray(pixels)
            self.image = QImage(kept.data, columns, rows, 3 * columns, QImage.Format.Format_RGB888).copy()
            if abs(rows / columns - self._shape) > 0.005:
                self._shape = rows / columns
                self.setFixedHeight(self.heightForWidth(self.width()))
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """As high as its width asks for."""
        super().resizeEvent(event)
        self.setFixedHeight(self.heightForWidth(self.width()))

    def say(self, text: str) -> None:
        """A line over the picture, or none."""
        self.text = text
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The picture in the middle, nothing stretched."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), QColor("#14181c"))
        if self.image is not None:
            area = self._area()
            painter.drawImage(area, self.image)
            painter.setPen(QPen(MASK_LINE, 1.5))
            painter.setBrush(MASK_FILL)
            for mask in self.masks:
                corners = [QPointF(area.left() + x * area.width(), area.top() + y * area.height()) for x, y in mask]
                painter.drawPolygon(QPolygonF(corners))
        if self.text:
            painter.setPen(QColor("#e8edf2"))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect().adjusted(12, 8, -12, -8), int(flags), self.text)
        painter.end()

    def _area(self) -> QRectF:
        width, height = float(self.width()), float(self.height())
        shown_width = min(width, height / self._shape)
        shown_height = shown_width * self._shape
        return QRectF((width - shown_width) / 2, (height - shown_height) / 2, shown_width, shown_height)
