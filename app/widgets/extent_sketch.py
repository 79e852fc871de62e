"""A small map: where a file lies against the project."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from app.appearance import colours, mix
from app.language import tr
from app.theme import Theme

Rectangle = tuple[float, float, float, float]
MARGIN = 14
LEAST_PIXELS = 4.0
FAR_SIZES = 4.0  # an old place further away than this many times the picture is only pointed at
FAR_M = 3000.0  # further from the project than this is worth saying


class ExtentSketch(QWidget):
    """Draws rectangles (west, south, east, north) [m] of the project and of a file to one scale, north up."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._project: Rectangle | None = None
        self._file: Rectangle | None = None
        self._before: Rectangle | None = None
        self.setMinimumHeight(120)

    def sizeHint(self) -> QSize:
        """A square would be too tall beside the text."""
        return QSize(220, 150)

    def show_extents(
        self, project: Rectangle | None, file: Rectangle | None, *, before: Rectangle | None = None
    ) -> None:
        """Draw these; `before` is where the file lies without a repair."""
        self._project, self._file, self._before = project, file, before
        self.update()

    def show_file(self, file: Rectangle | None, *, before: Rectangle | None = None) -> None:
        """Draw the file elsewhere."""
        self.show_extents(self._project, file, before=before)

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
        if self._before is not None and self._before_is_near(shown):
            shown.append(self._before)
        if not shown:
            painter.setPen(QColor(c["soft"]))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, tr("import.no_extent"))
            painter.end()
            return
        scale = self._scale(shown)
        if self._project is not None:
            self._paint(painter, self._project, scale, c["soft"], mix(c["card"], c["ink"], 0.12))
        if self._before is not None and self._file is not None:
            self._paint_way(painter, self._before, self._file, scale)
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

    def _before_is_near(self, shown: list[Rectangle]) -> bool:
        """Whether the old place can be drawn to scale without making the new one a dot."""
        size = max(max(r[2] - r[0], r[3] - r[1]) for r in shown) if shown else 0.0
        return not shown or self._away() <= FAR_SIZES * size

    def _away(self) -> float:
        """Distance between the places before and after a repair [m]."""
        if self._before is None or self._file is None:
            return 0.0
        (x, y), (to_x, to_y) = _middle(self._before), _middle(self._file)
        return math.hypot(to_x - x, to_y - y)

    def _paint_way(
        self, painter: QPainter, before: Rectangle, after: Rectangle, scale: tuple[float, float, float]
    ) -> None:
        """The place before a repair, dashed, and the way from there; only its direction when it is far outside."""
        colour = QColor(colours(self._theme)["doubt"])
        pixels, middle_x, middle_y = scale
        start, end = (
            QPointF(self.width() / 2 + (x - middle_x) * pixels, (self.height() - 12) / 2 - (y - middle_y) * pixels)
            for x, y in (_middle(before), _middle(after))
        )
        painter.setPen(QPen(colour, 1.5, Qt.PenStyle.DashLine))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        room = QRectF(self.rect()).adjusted(MARGIN, MARGIN, -MARGIN, -MARGIN - 12)
        if room.contains(start):
            width = max(LEAST_PIXELS, (before[2] - before[0]) * pixels)
            height = max(LEAST_PIXELS, (before[3] - before[1]) * pixels)
            painter.drawRect(QRectF(start.x() - width / 2, start.y() - height / 2, width, height))
        else:
            start = _at_border(end, start, room)
        painter.drawLine(start, end)
        painter.setPen(colour)
        text = f"{tr('doctor.before')} · {length_text(self._away())}"
        width = painter.fontMetrics().horizontalAdvance(text)
        x = min(max(start.x() + 8, 6.0), self.width() - width - 6.0)
        y = min(max(start.y() + 4, 16.0), self.height() - 22.0)
        painter.fillRect(QRectF(x - 3, y - 13, width + 6, 17), QColor(colours(self._theme)["window"]))
        painter.drawText(QPointF(x, y), text)

    def _paint_size(self, painter: QPainter, box: Rectangle, colour: str) -> None:
        painter.setPen(QColor(colour))
        width, depth = box[2] - box[0], box[3] - box[1]
        place = QRectF(0, self.height() - 18, self.width(), 16)
        text = f"{length_text(width)} × {length_text(depth)}"
        if self._project is not None:
            away = math.hypot(*(_middle(box)[axis] - _middle(self._project)[axis] for axis in (0, 1)))
            text += f"  ·  {tr('import.away', distance=length_text(away))}" if away > FAR_M else ""
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)


def _at_border(inside: QPointF, outside: QPointF, room: QRectF) -> QPointF:
    """Where the straight line from a point inside to one outside leaves a rectangle."""
    way = outside - inside
    parts = [1.0]
    for low, high, start, step in (
        (room.left(), room.right(), inside.x(), way.x()),
        (room.top(), room.bottom(), inside.y(), way.y()),
    ):
        if step:
            parts.append(max((low - start) / step, (high - start) / step))
    return inside + way * max(0.0, min(parts))


def _middle(box: Rectangle) -> tuple[float, float]:
    return ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)


def length_text(metres: float) -> str:
    """Metres or kilometres."""
    return f"{metres / 1000:,.1f} km" if metres >= 2000 else f"{metres:,.0f} m"
