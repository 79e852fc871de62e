"""A slider over one day that shows how high the sun stands."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QDate, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSlider, QWidget

from app.appearance import colours, mix
from app.theme import Theme

MINUTES = 24 * 60
DAYS = QDate(1900, 1, 1), QDate(2199, 12, 31)  # the sun's place is known well in these years
MARGIN = 10
LABEL_HEIGHT = 14
HOURS_LABELLED = (0, 3, 6, 9, 12, 15, 18, 21, 24)
LEAST_TOP = 40.0  # degrees at the upper edge: a winter day looks lower than a summer day
SUN_COLOUR = "#f0b429"


class DaySlider(QSlider):
    """Minutes since midnight, 0 to 1439, over the curve of the sun's elevation."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.setRange(0, MINUTES - 1)
        self.setSingleStep(5)
        self.setPageStep(60)
        self.setMinimumWidth(180)
        self._theme = theme
        self._elevation: NDArray[np.float64] | None = None

    def sizeHint(self) -> QSize:
        """Room for the curve and the hours."""
        return QSize(420, 52)

    def minimumSizeHint(self) -> QSize:
        """The least that can be read."""
        return QSize(180, 46)

    def set_theme(self, theme: Theme) -> None:
        """Colours of a theme."""
        self._theme = theme
        self.update()

    def set_elevation(self, elevation: NDArray[np.float64] | None) -> None:
        """Elevation of the sun [degrees] at each minute of the day."""
        self._elevation = elevation
        self.update()

    def _x(self, minute: float) -> float:
        return MARGIN + (self.width() - 2 * MARGIN) * minute / MINUTES

    def _minute(self, x: float) -> int:
        share = (x - MARGIN) / max(1, self.width() - 2 * MARGIN)
        return int(np.clip(round(share * MINUTES / 5) * 5, 0, MINUTES - 1))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Go to the place clicked and drag on from there."""
        if event.button() == Qt.MouseButton.LeftButton and self.isEnabled():
            self.setSliderDown(True)
            self.setValue(self._minute(event.position().x()))
            event.accept()
        else:
            super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow the mouse."""
        if self.isSliderDown():
            self.setValue(self._minute(event.position().x()))
        else:
            super().mouseMoveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End of a drag."""
        self.setSliderDown(False)
        super().mouseReleaseEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Band of the day, curve of the sun, hours, and the present time."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        c = colours(self._theme)
        band = QRectF(MARGIN, 3, self.width() - 2 * MARGIN, self.height() - LABEL_HEIGHT - 6)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(c["raised"]))
        painter.drawRoundedRect(band, 4, 4)
        self._paint_curve(painter, band)
        self._paint_hours(painter, band, c)
        x = self._x(self.value())
        accent = QColor(c["accent"] if self.isEnabled() else c["strong_border"])
        painter.setPen(QPen(accent, 2))
        painter.drawLine(QPointF(x, band.top()), QPointF(x, band.bottom()))
        painter.setBrush(QColor(c["card"]))
        painter.drawEllipse(QPointF(x, self._height(band, self.value())), 5.5, 5.5)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(c["accent"]), 1))
            painter.drawRoundedRect(band.adjusted(-1, -1, 1, 1), 5, 5)
        painter.end()

    def _height(self, band: QRectF, minute: int) -> float:
        """Place of the sun's elevation in the band [pixels]; the lower edge is the horizon."""
        if self._elevation is None:
            return band.center().y()
        elevation = max(0.0, float(self._elevation[min(minute, len(self._elevation) - 1)]))
        top = max(LEAST_TOP, float(np.max(self._elevation)))
        return band.bottom() - 6 - (band.height() - 12) * elevation / top

    def _paint_curve(self, painter: QPainter, band: QRectF) -> None:
        if self._elevation is None:
            return
        minutes = range(0, MINUTES, 10)
        points = [QPointF(self._x(m), self._height(band, m) + 6) for m in minutes if self._elevation[m] > 0]
        if not points:
            return
        ground = [QPointF(points[-1].x(), band.bottom()), QPointF(points[0].x(), band.bottom())]
        share = 0.4 if self._theme.is_dark else 0.55
        painter.setBrush(QColor(mix(colours(self._theme)["card"], SUN_COLOUR, share)))
        painter.drawPolygon(QPolygonF(points + ground))

    def _paint_hours(self, painter: QPainter, band: QRectF, c: dict[str, str]) -> None:
        font = self.font()
        font.setPointSizeF(max(6.5, font.pointSizeF() - 1.5))
        painter.setFont(font)
        painter.setPen(QColor(c["soft"]))
        for hour in HOURS_LABELLED:
            x = self._x(hour * 60)
            painter.drawText(
                QRectF(x - 14, band.bottom() + 2, 28, LABEL_HEIGHT), Qt.AlignmentFlag.AlignCenter, str(hour)
            )
