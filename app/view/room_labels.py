"""Names and areas of rooms over a plan: painted by Qt, so that Korean is set as everywhere else."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from app.storeys import Room
from app.theme import Theme
from app.view.camera import Camera, project
from app.view.overlay import card_font

NAME_SIZE, AREA_SIZE = 12, 11  # pixels
WIDEST = 150.0  # pixels
RIM = 3.0  # pixels of the halo around letters


def room_lines(room: Room) -> tuple[str, str]:
    """What a label says: number and name, area."""
    first = room.number.partition("-")[0]
    number = "" if first and first in room.name else room.number  # 705-1 and 705호 거실 say the same
    name = " ".join(part for part in (number, room.name) if part)
    area = f"{room.area:,.1f} m²" if math.isfinite(room.area) else ""
    return name, area


class RoomLabels(QWidget):
    """Labels of the rooms of a storey; where two would overlap the larger room keeps its label."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.theme = theme
        self.rooms: tuple[Room, ...] = ()
        self._camera: Camera | None = None
        self.hide()

    def show_rooms(self, rooms: Sequence[Room], camera: Camera) -> None:
        """Show the labels of these rooms; none hides them."""
        self.rooms = tuple(sorted(rooms, key=lambda room: -room.area if math.isfinite(room.area) else 0.0))
        self._camera = camera
        self.setVisible(bool(rooms))
        self.update()

    def follow(self, camera: Camera) -> None:
        """The camera has moved."""
        if self.rooms:
            self._camera = camera
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the labels."""
        if self._camera is not None:
            paint_rooms(QPainter(self), self.rooms, self._camera, (self.width(), self.height()), theme=self.theme)


def paint_rooms(
    painter: QPainter, rooms: Sequence[Room], camera: Camera, size: tuple[int, int], *, theme: Theme
) -> list[str]:
    """Paint the labels that have room; returns the ids of their elements."""
    if not rooms:
        return []
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    places, _ = project(camera, np.array([room.centre for room in rooms]), size)
    taken: list[QRectF] = []
    painted = []
    for room, place in zip(rooms, places, strict=True):
        lines = [
            (text, font)
            for text, font in zip(
                room_lines(room), (card_font(NAME_SIZE, bold=True), card_font(AREA_SIZE)), strict=True
            )
            if text
        ]
        widths = [min(QFontMetricsF(font).horizontalAdvance(text), WIDEST) for text, font in lines]
        height = 15.0 * len(lines)
        area = QRectF(0, 0, max(widths, default=0.0) + 4, height)
        area.moveCenter(QPointF(float(place[0]), float(place[1])))
        if not lines or any(area.intersects(other) for other in taken):
            continue
        taken.append(area)
        painted.append(room.ref.element_id)
        for number, (text, font) in enumerate(lines):
            metrics = QFontMetricsF(font)
            shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, WIDEST)
            path = QPainterPath()
            start = area.center().x() - metrics.horizontalAdvance(shown) / 2
            path.addText(start, area.top() + 15.0 * number + metrics.ascent(), font, shown)
            painter.strokePath(path, QPen(QColor(theme["card"]), RIM))
            painter.fillPath(path, QColor(theme["ink" if number == 0 else "soft_ink"]))
    return painted
