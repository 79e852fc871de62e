"""Labels of elements over the picture, and on exported ones: written by Qt, so that Korean is set as everywhere."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPainterPath, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import QWidget

from app.look import Section
from app.theme import Theme
from app.view.camera import Camera, project
from app.view.label_places import (
    LIFT,
    Anchors,
    Label,
    Sight,
    anchors_of,
    is_labelled,
    known_anchors,
    label_column,
    pieces_of,
    placed,
)
from app.view.overlay import card_font
from geo.model import Layer

PAUSE_MS = 60  # without a move before labels are chosen anew
RIM = 3.0  # pixels of the halo around letters
FEW_PIECES = 100_000  # faces, vertices or elements whose middles are found in a few hundredths of a second
PIXMAPS = 2000  # kept
Submit = Callable[[Callable[[], object], Callable[[object], None]], object]


def measured(text: str, letters: int) -> tuple[float, float]:
    """Width and height of a label [pixels]."""
    metrics = QFontMetricsF(card_font(letters))
    return metrics.horizontalAdvance(text) + 2 * RIM, metrics.height() + RIM


def paint_label(painter: QPainter, label: Label, theme: Theme) -> None:
    """Letters with a halo, to be read over anything."""
    font = card_font(label.size)
    path = QPainterPath()
    path.addText(label.left + RIM, label.top + RIM / 2 + QFontMetricsF(font).ascent(), font, label.text)
    halo = QPen(QColor(theme["card"]), RIM)
    halo.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.strokePath(path, halo)
    painter.fillPath(path, QColor(theme["ink"]))


class ElementLabels(QWidget):
    """The labels over a viewport.

    Parameters
    ----------
    layers, camera, section : callables
        What is in the picture, and how it is looked at.
    kept : callable(size)
        Parts of a picture of that size that stay free.
    sight : callable(camera)
        What tells places that are seen from those behind something.
    submit : callable(work, on_done)
        Looks for places beside the main thread.
    """

    def __init__(
        self,
        picture: QWidget,
        *,
        layers: Callable[[], Sequence[Layer]],
        camera: Callable[[], Camera],
        section: Callable[[], Section],
        kept: Callable[[QSize], Sequence[QRectF]],
        sight: Callable[[Camera], Sight | None],
        submit: Submit,
        theme: Theme,
    ) -> None:
        super().__init__(picture)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.setObjectName("element_labels")
        self.labels: list[Label] = []
        self.theme = theme
        self._layers, self._camera, self._section, self._submit = layers, camera, section, submit
        self._kept, self._sight = kept, sight
        self._anchors: dict[str, Anchors] = {}
        self._looked_for: set[int] = set()
        self._pixmaps: dict[tuple[str, int], QPixmap] = {}
        self._ended = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(PAUSE_MS)
        self._timer.timeout.connect(self.place)
        self.hide()

    # ---- following

    def refresh(self) -> None:
        """Layers have changed: their labels are chosen anew when the picture rests."""
        if self._ended:
            return
        wanted = [layer for layer in self._layers() if is_labelled(layer)]
        if not wanted:
            self.labels = []
            self.hide()
            self._timer.stop()
            return
        for layer in wanted:
            self._look_for(layer)
        self._timer.start()

    def _look_for(self, layer: Layer) -> None:
        """The places of a layer and what is written there, found in a job."""
        column, mark = label_column(layer), id(layer.geometry)
        if column is None or known_anchors(layer) is not None or mark in self._looked_for:
            return
        if pieces_of(layer) < FEW_PIECES:  # done before a job would have begun
            anchors_of(layer)
            return
        self._looked_for.add(mark)

        def work() -> object:
            column.known  # noqa: B018  prepared here: of texts it takes a while
            return anchors_of(layer)

        def done(_anchors: object) -> None:
            self._looked_for.discard(mark)
            if not self._ended:
                self._timer.start()

        self._submit(work, done)

    def follow(self) -> None:
        """The camera has moved: what is written moves along, and is chosen anew when it rests."""
        if self._ended or not (self.labels or self.isVisible()):
            return
        if self.labels:
            points = np.array([label.point for label in self.labels])
            places, depth = project(self._camera(), points, (max(self.width(), 1), max(self.height(), 1)))
            moved = zip(self.labels, places.tolist(), depth.tolist(), strict=True)
            self.labels = [
                dataclasses.replace(label, left=x - label.width / 2, top=y - LIFT - label.height)
                for label, (x, y), away in moved
                if away > 0
            ]
            self.update()
        self._timer.start()

    def set_theme(self, theme: Theme) -> None:
        """Change the palette."""
        self.theme = theme
        self._pixmaps.clear()
        self.update()

    def end(self) -> None:
        """Work no more."""
        self._ended = True
        self._timer.stop()
        self.hide()

    # ---- placing and painting

    def place(self) -> None:
        """Choose the labels for the picture as it is."""
        if self._ended:
            return
        self.setGeometry(self.parentWidget().rect())
        self.labels = self._placed(self._camera(), (max(self.width(), 1), max(self.height(), 1)), wait=False)
        self.setVisible(any(is_labelled(layer) for layer in self._layers()))
        self.lower()
        self.stackUnder(self._lowest_card())
        self.update()

    def _lowest_card(self) -> QWidget:
        return self.parentWidget().cards.legend  # type: ignore[attr-defined, no-any-return]

    def _placed(self, camera: Camera, size: tuple[int, int], *, wait: bool) -> list[Label]:
        layers = [layer for layer in self._layers() if is_labelled(layer)]
        known = None
        if not wait:
            known = {layer.id: found for layer in layers if (found := known_anchors(layer)) is not None}
        kept = [(area.left(), area.top(), area.right(), area.bottom()) for area in self._kept(QSize(*size))]
        section = self._section()
        sight = self._sight(camera) if layers and not section.is_open else None
        return placed(layers, camera, size, measured, section=section, kept=kept, anchors=known, sight=sight)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Letters are painted once and laid down again while the camera moves."""
        painter = QPainter(self)
        for label in self.labels:
            painter.drawPixmap(QPointF(round(label.left), round(label.top)), self._pixmap(label))
        painter.end()

    def _pixmap(self, label: Label) -> QPixmap:
        key = (label.text, label.size)
        found = self._pixmaps.get(key)
        if found is None:
            if len(self._pixmaps) > PIXMAPS:
                self._pixmaps.clear()
            ratio = self.devicePixelRatioF()
            found = QPixmap(QSize(round(label.width * ratio) + 1, round(label.height * ratio) + 1))
            found.setDevicePixelRatio(ratio)
            found.fill(Qt.GlobalColor.transparent)
            painter = QPainter(found)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            paint_label(painter, dataclasses.replace(label, left=0.0, top=0.0), self.theme)
            painter.end()
            self._pixmaps[key] = found
        return found

    def paint_on(self, painter: QPainter, camera: Camera, size: QSize) -> None:
        """The same on an exported picture, chosen for its size."""
        if self._ended:
            return
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for label in self._placed(camera, (size.width(), size.height()), wait=True):
            paint_label(painter, label, self.theme)
        painter.restore()
