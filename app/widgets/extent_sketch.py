"""A small map: where a file lies against the project."""

from __future__ import annotations

import math

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from app.appearance import colours, mix
from app.language import tr
from app.theme import Theme

Rectangle = tuple[float, float, float, float]
MARGIN = 14
LEAST_PIXELS = 4.0
FAR_M = 3000.0  # further from the project than this is worth saying


class ExtentSketch(QWidget):
    """Draws rectangles (west, south, east, north) [m] of the project and of a file to one scale, north up."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._project: Rectangle | None = None
        self._file: Rectangle | None = None
        self.setMinimumHeight(120)

    def sizeHint(self) -> QSize:
        """A square would be too tall beside the text."""
        return QSize(220, 150)

    def show_extents(self, project: Rectangle | None, file: Rectangle | None) -> None:
        """Draw these."""
        self._project, self._file = project, file
        self.update()

    def show_file(self, file: Rectangle | None) -> None:
        """Draw the file elsewhere."""
        self.show_extents(self._project, file)

    def _scale(self, shown: list[Rectangle]) -> tuple[float, float, float]:
        """Pixels a metre, and the middle of everything [m]."""
        west, south = min(r[0] for r in shown), min(r[1] for r in shown)
        east, north = max(r[2] for r in shown), max(r[3] for r in shown)
        width, depth = max(east - west, 1.0), max(north - south, 1.0)
        pixels = min((self.width() - 2 * MARGIN) / width, (self.height() - 2 * MARGIN - 12) / depth)
        return pixels, (west + east) / 2, (south + north) / 2

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Project grey, file in the accent colour, and the size of the file."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        c = colours(self._theme)
        painter.setPen(QPen(QColor(c["border"]), 1))
        painter.setBrush(QColor(c["window"]))
        painter.drawRoundedRect(QRectF(0.5, 0.5, self.width() - 1, self.height() - 1), 6, 6)
        shown = [r for r in (self._project, self._file) if r is not None]
        if not shown:
            painter.setPen(QColor(c["soft"]))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, tr("import.no_extent"))
            painter.end()
            return
        scale = self._scale(shown)
        if self._project is not None:
            self._paint(painter, self._project, scale, c["soft"], mix(c["card"], c["ink"], 0.12))
        if self._file is not None:
            self._paint(painter, self._file, scale, c["accent"], mix(c["card"], c["accent"], 0.25))
            self._paint_size(painter, self._file, c["soft"])
        painter.end()

    def _paint(
        self, painter: QPainter, box: Rectangle, scale: tuple[float, float, float], edge: str, fill: str
    ) -> None:
        pixels, middle_x, middle_y = scale
        x = self.width() / 2 + (box[0] - middle_x) * pixels
        y = (self.height() - 12) / 2 - (box[3] - middle_y) * pixels
        width = max(LEAST_PIXELS, (box[2] - box[0]) * pixels)
        height = max(LEAST_PIXELS, (box[3] - box[1]) * pixels)
        ground = QColor(fill)
        ground.setAlpha(170)
        painter.setPen(QPen(QColor(edge), 1.5))
        painter.setBrush(ground)
        painter.drawRect(QRectF(x, y, width, height))

    def _paint_size(self, painter: QPainter, box: Rectangle, colour: str) -> None:
        painter.setPen(QColor(colour))
        width, depth = box[2] - box[0], box[3] - box[1]
        place = QRectF(0, self.height() - 18, self.width(), 16)
        text = f"{length_text(width)} × {length_text(depth)}"
        if self._project is not None:
            away = math.hypot(*(_middle(box)[axis] - _middle(self._project)[axis] for axis in (0, 1)))
            text += f"  ·  {tr('import.away', distance=length_text(away))}" if away > FAR_M else ""
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)


def _middle(box: Rectangle) -> tuple[float, float]:
    return ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)


def length_text(metres: float) -> str:
    """Metres or kilometres."""
    return f"{metres / 1000:,.1f} km" if metres >= 2000 else f"{metres:,.0f} m"
