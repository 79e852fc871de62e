"""The handles of a camera in hand, painted over the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from app.language import tr
from app.numbers import number_text
from app.view.overlay import note_size, paint_note

if TYPE_CHECKING:
    from app.view.camera_gizmo import CameraGizmo, Part

KNOB = 7.0  # pixels, radius
HALO, LINE = 5.0, 2.2  # pixels


class CameraHandles(QWidget):
    """Ring, arc, axis, arrow, and the number of a drag."""

    def __init__(self, gizmo: CameraGizmo) -> None:
        super().__init__(gizmo.picture)
        self._gizmo = gizmo
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.setGeometry(gizmo.picture.rect())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Everything that is before the eye."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        gizmo = self._gizmo
        self._paint_line(painter, gizmo.ring, "pan", closed=True)
        self._paint_line(painter, gizmo.arc, "tilt", closed=False)
        body, height, zoom = gizmo.knob("body"), gizmo.knob("height"), gizmo.knob("zoom")
        if body is not None and height is not None:
            self._paint_between(painter, body, height, "height")
        if body is not None and zoom is not None:
            self._paint_between(painter, body, zoom, "zoom")
        for part in gizmo.handles[::-1]:
            self._paint_knob(painter, part)
        self._paint_number(painter)
        painter.end()

    def _pens(self, part: Part) -> tuple[QPen, QPen]:
        theme, gizmo = self._gizmo.theme, self._gizmo
        chosen = part in (gizmo.hover, gizmo.part)
        return QPen(QColor(theme["halo"]), HALO), QPen(QColor(theme["accent" if chosen else "selection"]), LINE)

    def _paint_line(self, painter: QPainter, points: NDArray[np.float64], part: Part, *, closed: bool) -> None:
        places, before = self._gizmo.places(points)
        if not before.all():
            return
        shape = QPolygonF([QPointF(float(x), float(y)) for x, y in places])
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for pen in self._pens(part):
            painter.setPen(pen)
            if closed:
                painter.drawPolygon(shape)
            else:
                painter.drawPolyline(shape)

    def _paint_between(self, painter: QPainter, start: QPointF, stop: QPointF, part: Part) -> None:
        if part == "zoom" and "zoom" not in self._gizmo.handles:
            return
        for pen in self._pens(part):
            painter.setPen(pen)
            painter.drawLine(start, stop)

    def _paint_knob(self, painter: QPainter, part: Part) -> None:
        place = self._gizmo.knob(part)
        if place is None:
            return
        painter.setPen(QPen(QColor(self._gizmo.theme["halo"]), 2.0))
        painter.setBrush(self._pens(part)[1].color())
        if part == "zoom":
            painter.drawRect(QRectF(place.x() - KNOB + 1, place.y() - KNOB + 1, 2 * KNOB - 2, 2 * KNOB - 2))
        elif part == "height":
            tip = QPolygonF(
                [place + QPointF(0, -KNOB - 2), place + QPointF(KNOB, KNOB - 2), place + QPointF(-KNOB, KNOB - 2)]
            )
            painter.drawPolygon(tip)
        else:
            painter.drawEllipse(place, KNOB, KNOB)
        if part == "tilt":
            painter.setBrush(QColor(self._gizmo.theme["halo"]))
            painter.drawEllipse(place, 2.5, 2.5)

    def _paint_number(self, painter: QPainter) -> None:
        gizmo = self._gizmo
        at = gizmo.knob(gizmo.part) if gizmo.is_dragging else None
        text = drag_text(gizmo) if at is not None else ""
        if at is not None and text:
            size = note_size(text)
            left = min(at.x() + 18, self.width() - size.width() - 4)
            paint_note(painter, QRectF(left, at.y() - 36, size.width(), size.height()), text, theme=gizmo.theme)


def drag_text(gizmo: CameraGizmo) -> str:
    """What is said beside the handle that is held."""
    row = gizmo.row
    if gizmo.part == "pan":
        return f"{tr('camera.pan')} {number_text(round(row.pan, 1))}°"
    if gizmo.part == "tilt":
        return f"{tr('camera.tilt')} {number_text(round(row.tilt, 1))}°"
    if gizmo.part == "zoom":
        field = number_text(round(gizmo.lens.field(row.focal), 1))
        return f"{number_text(round(row.focal, 2))} mm · {field}°"
    height = gizmo.height_over_ground
    lifted = f"{tr('camera.height')} {number_text(round(height, 2))} m" if height is not None else ""
    if gizmo.part == "height":
        return lifted or f"z {number_text(round(row.place[2], 2))} m"
    east, north = (row.place[k] - gizmo.before.place[k] for k in (0, 1))
    moved = f"{tr('mass.east')} {east:+.2f} m · {tr('mass.north')} {north:+.2f} m"
    return f"{moved} · {lifted}" if lifted else moved
