"""Labels of pipes over the picture, on demand: kind, size, material, cover. They never lie over each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt, QTimer
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from app.theme import Theme
from app.utility_kinds import is_network, kind_colours
from app.view.camera import Camera, project
from app.view.lines import line_pairs
from app.view.overlay import TEXT_SIZE, card_font
from app.view.pipe_text import label_text
from app.view.sky import shown_elements
from app.view.xray import XRay
from geo.model import ElementRef, Layer, Lines

MOST_LABELS = 40
TRIED = 400  # pieces of pipe that are looked at for them
PAUSE_MS = 40  # without a move before labels are placed anew
PAD, LIFT, STRIPE = 5.0, 18.0, 4.0  # pixels
OPEN_ENOUGH = 0.35  # share of the x-ray hole in which pipes are labelled


@dataclass(frozen=True)
class PipeLabel:
    """One label: what it says, its plate and the pixel it points at."""

    text: str
    area: QRectF
    place: QPointF
    colour: tuple[int, int, int]


@dataclass(frozen=True)
class Candidate:
    """A piece of pipe that may carry a label, at its pixel."""

    text: str
    x: float
    y: float
    colour: tuple[int, int, int]


def candidates(
    layers: Iterable[Layer],
    camera: Camera,
    size: tuple[int, int],
    *,
    theme: Theme,
    selected: frozenset[ElementRef],
    xray: XRay | None,
) -> list[Candidate]:
    """Pieces of pipe in the picture, one of each element, the nearest to its middle first; selected ones alone."""
    found: list[tuple[float, Candidate]] = []
    middle = np.array(size) / 2
    for layer in layers:
        if not (layer.style.visible and is_network(layer) and isinstance(layer.geometry, Lines)):
            continue
        rows, places, away = _pieces(layer, layer.geometry, camera, size, middle=middle, xray=xray)
        if selected:
            index = layer.table.index
            chosen = [index[ref.element_id] for ref in selected if ref.layer_id == layer.id and ref.element_id in index]
            keep = np.isin(rows, chosen)
            rows, places, away = rows[keep], places[keep], away[keep]
        _each, first = np.unique(rows, return_index=True)
        colours = kind_colours(layer, theme)
        for number in first[np.argsort(away[first])][:TRIED]:
            row = int(rows[number])
            colour = tuple(int(c) for c in colours[row])
            text = label_text(layer, row)
            x, y = (float(v) for v in places[number])
            found.append((float(away[number]), Candidate(text, x, y, colour)))  # type: ignore[arg-type]
    found.sort(key=lambda entry: entry[0])
    return [candidate for _away, candidate in found[:TRIED]]


def _pieces(
    layer: Layer, lines: Lines, camera: Camera, size: tuple[int, int], *, middle: NDArray[np.float64], xray: XRay | None
) -> tuple[NDArray[np.int32], NDArray[np.float64], NDArray[np.float64]]:
    """Element, pixel and distance from the middle of the picture of each segment in sight, the nearest first."""
    pairs, owner = line_pairs(lines)
    element = lines.line_element[owner]
    centre = (lines.vertices[pairs[:, 0]] + lines.vertices[pairs[:, 1]]) / 2
    places, depth = project(camera, centre, size)
    inside = (depth > 0) & (places > 0).all(axis=1) & (places < np.array(size)).all(axis=1)
    inside &= shown_elements(layer)[element] & (element < len(layer.table))
    if xray is not None:
        inside &= xray.share(centre) > OPEN_ENOUGH
    rows = np.flatnonzero(inside)
    away = np.linalg.norm(places[rows] - middle, axis=1)
    order = np.argsort(away, kind="stable")
    rows = rows[order]
    return element[rows], places[rows], away[order]


def placed(
    wanted: Sequence[Candidate], width_of: Callable[[str], float], height: float, size: tuple[int, int]
) -> list[PipeLabel]:
    """Labels over their pipes, in order, leaving out those that would cover another or leave the picture."""
    labels: list[PipeLabel] = []
    for candidate in wanted:
        if len(labels) == MOST_LABELS:
            break
        width = width_of(candidate.text) + 2 * PAD + STRIPE
        area = QRectF(candidate.x - width / 2, candidate.y - LIFT - height, width, height)
        inside = QRectF(0, 0, *size).contains(area)
        if (
            inside
            and candidate.text
            and not any(area.adjusted(-3, -3, 3, 3).intersects(label.area) for label in labels)
        ):
            labels.append(PipeLabel(candidate.text, area, QPointF(candidate.x, candidate.y), candidate.colour))
    return labels


class PipeLabels(QWidget):
    """The labels over a viewport."""

    def __init__(
        self,
        picture: QWidget,
        *,
        camera: Callable[[], Camera],
        layers: Callable[[], Sequence[Layer]],
        selected: Callable[[], frozenset[ElementRef]],
        xray: Callable[[], XRay | None],
        theme: Theme,
    ) -> None:
        super().__init__(picture)
        self.is_on = False
        self.labels: list[PipeLabel] = []
        self.theme = theme
        self._camera, self._layers, self._selected, self._xray = camera, layers, selected, xray
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(PAUSE_MS)
        self._timer.timeout.connect(self.place)
        self.hide()

    def toggle(self) -> None:
        """Show the labels, or hide them."""
        self.is_on = not self.is_on
        self.setVisible(self.is_on)
        if self.is_on:
            self.place()

    def set_theme(self, theme: Theme) -> None:
        """Change the palette."""
        self.theme = theme
        self.refresh()

    def refresh(self) -> None:
        """Camera, layers or selection have changed: new places as soon as they rest."""
        if self.is_on:
            self.labels = []
            self.update()
            self._timer.start()

    def stop(self) -> None:
        """Work no more."""
        self.is_on = False
        self._timer.stop()

    def place(self) -> None:
        """Find the labels for the picture as it is."""
        self.setGeometry(self.parentWidget().rect())
        self.labels = self._placed((max(self.width(), 1), max(self.height(), 1)))
        self.update()

    def _placed(self, size: tuple[int, int]) -> list[PipeLabel]:
        metrics = QFontMetricsF(card_font(TEXT_SIZE))
        selected = frozenset(ref for ref in self._selected() if ref.element_id)
        wanted = candidates(
            self._layers(), self._camera(), size, theme=self.theme, selected=selected, xray=self._xray()
        )
        return placed(wanted, metrics.horizontalAdvance, metrics.height() + 4, size)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Plates with a stripe in the pipe's colour and a thread to the pipe."""
        painter = QPainter(self)
        self._paint(painter, self.labels)
        painter.end()

    def paint_on(self, image: QImage) -> None:
        """The same labels on an exported picture, placed for its size."""
        if self.is_on:
            painter = QPainter(image)
            self._paint(painter, self._placed((image.width(), image.height())))
            painter.end()

    def _paint(self, painter: QPainter, labels: Sequence[PipeLabel]) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(card_font(TEXT_SIZE))
        plate = QColor(self.theme["card"])
        plate.setAlpha(225)
        for label in labels:
            colour = QColor(*label.colour)
            painter.setPen(QPen(colour, 1.2))
            painter.drawLine(QPointF(label.place.x(), label.area.bottom()), label.place)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(plate)
            painter.drawRoundedRect(label.area, 3, 3)
            painter.setBrush(colour)
            painter.drawRoundedRect(QRectF(label.area.left(), label.area.top(), STRIPE, label.area.height()), 2, 2)
            painter.setPen(QColor(self.theme["ink"]))
            painter.drawText(label.area.adjusted(STRIPE, 0, 0, 0), Qt.AlignmentFlag.AlignCenter, label.text)
