"""What stations measured and what was calculated there, written over the picture in the colours of their bars."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from app.language import tr
from app.theme import Theme
from app.view.camera import Camera, project
from app.view.overlay import card_font
from app.view.station_bars import COMPUTED, MEASURED, ROLES, is_stations
from geo.model import Layer, Points

SIZE, EDGE, ROW = 11, 4.0, 14.0  # pixels
BELOW = 6.0  # pixels under the foot of the bars


@dataclass(frozen=True)
class StationValues:
    """One station with both values [unit of the layer], NaN where there is none."""

    name: str
    place: tuple[float, float, float]
    measured: float
    computed: float

    @property
    def texts(self) -> tuple[str, str]:
        """Both values as they are written."""
        return _number(self.measured), _number(self.computed)


def _number(value: float) -> str:
    return f"{value:.0f}" if math.isfinite(value) else "–"


def values_of(layer: Layer) -> list[StationValues]:
    """The stations of a layer that have a place."""
    shape = layer.geometry
    fields = [layer.field_named(name) for name in (MEASURED, COMPUTED)]
    if not is_stations(layer) or not isinstance(shape, Points) or fields[0] is None or fields[1] is None:
        return []
    return [
        StationValues(
            str(layer.table.ids[row]), tuple(place), float(fields[0].values[row]), float(fields[1].values[row])
        )
        for row, place in zip(shape.element.tolist(), shape.vertices.tolist(), strict=True)
    ]


class StationLabels(QWidget):
    """Labels under the bars; where two would overlap the first keeps its label."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.setObjectName("station_labels")
        self.theme = theme
        self.stations: tuple[StationValues, ...] = ()
        self._camera: Camera | None = None
        self.hide()

    def show_stations(self, stations: Sequence[StationValues], camera: Camera) -> None:
        """Show the labels of these stations; none hides them."""
        self.stations, self._camera = tuple(stations), camera
        self.setVisible(bool(self.stations))
        self.update()

    def follow(self, camera: Camera) -> None:
        """The camera has moved."""
        if self.stations:
            self._camera = camera
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the labels."""
        if self._camera is not None:
            painter = QPainter(self)
            paint_stations(painter, self.stations, self._camera, (self.width(), self.height()), theme=self.theme)
            painter.end()


def paint_stations(
    painter: QPainter, stations: Sequence[StationValues], camera: Camera, size: tuple[int, int], *, theme: Theme
) -> list[str]:
    """Paint the labels that have room, and what the colours mean under the first; returns the names of stations."""
    if not stations:
        return []
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    font = card_font(SIZE, bold=True)
    painter.setFont(font)
    metrics = QFontMetricsF(font)
    places, depth = project(camera, np.array([one.place for one in stations]), size)
    taken: list[QRectF] = []
    painted: list[str] = []
    for one, place, away in zip(stations, places, depth, strict=True):
        words = one.texts if painted else _told(one.texts)
        widths = [metrics.horizontalAdvance(word) for word in words]
        area = QRectF(0.0, 0.0, sum(widths) + 4 * EDGE, ROW + EDGE)
        area.moveCenter(QPointF(float(place[0]), float(place[1]) + BELOW + area.height() / 2))
        if away <= 0.0 or any(area.intersects(other) for other in taken):
            continue
        taken.append(area)
        painted.append(one.name)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme["card"]))
        painter.drawRoundedRect(area, 3.0, 3.0)
        left = area.left() + EDGE
        for word, width, role in zip(words, widths, ROLES, strict=True):
            painter.setPen(QColor(theme[role]))
            painter.drawText(QPointF(left, area.top() + ROW - 1.0), word)
            left += width + 2 * EDGE
    return painted


def _told(texts: tuple[str, str]) -> tuple[str, str]:
    """With the words for what they are."""
    return f"{tr('stations.measured')} {texts[0]}", f"{tr('stations.computed')} {texts[1]}"
