"""The small mark beside a corner that was put on something: what it was put on, and the line."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from app.language import tr
from app.massing_snap import Snapped
from app.theme import Theme
from app.view.camera import Camera, project

SIZE, WIDTH, HALO = 8.0, 2.0, 4.5  # pixels


def mark_text(snapped: Snapped) -> str:
    """What a corner was put on, in words."""
    return tr(f"massing.snap.{snapped.kind}")


def paint_mark(painter: QPainter, snapped: Snapped, camera: Camera, *, size: tuple[int, int], theme: Theme) -> None:
    """The lines, dashed, and a sign at the corner: each kind has a shape of its own."""
    points = np.vstack([snapped.guides.reshape(-1, 3), snapped.point[None]])
    places, depth = project(camera, points, size)
    if not (depth > 0).all():
        return
    corners = [QPointF(float(x), float(y)) for x, y in places]
    painter.setBrush(Qt.BrushStyle.NoBrush)
    dashed = QPen(QColor(theme["accent"]), 1.2, Qt.PenStyle.DashLine)
    for number in range(0, len(corners) - 1, 2):
        painter.setPen(dashed)
        painter.drawLine(corners[number], corners[number + 1])
    for colour, width in ((theme["halo"], HALO), (theme["accent"], WIDTH)):
        painter.setPen(QPen(QColor(colour), width))
        _paint_sign(painter, snapped.kind, corners[-1])


def _paint_sign(painter: QPainter, kind: str, at: QPointF) -> None:
    x, y = at.x(), at.y()
    box = QRectF(x - SIZE, y - SIZE, 2 * SIZE, 2 * SIZE)
    if kind == "corner":
        painter.drawRect(box)
    elif kind == "edge":
        painter.drawPolygon([QPointF(x, y - SIZE), QPointF(x + SIZE, y + SIZE), QPointF(x - SIZE, y + SIZE)])
    elif kind == "parallel":
        for shift in (-3.0, 3.0):
            painter.drawLine(QPointF(x - SIZE + shift, y + SIZE), QPointF(x + shift + 2.0, y - SIZE))
    elif kind == "meeting":
        painter.drawLine(box.topLeft(), box.bottomRight())
        painter.drawLine(box.topRight(), box.bottomLeft())
    else:  # a right angle
        painter.drawPolyline([box.topLeft(), box.bottomLeft(), box.bottomRight()])
        painter.drawRect(QRectF(x - SIZE, y + SIZE / 4, SIZE * 0.75, SIZE * 0.75))
