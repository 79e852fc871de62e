"""The cards over the picture, together: where they stand, what they show, and how they get onto an exported picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, QSizeF
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QWidget

from app.theme import Theme
from app.view.camera import Camera
from app.view.furniture import CARD_MARGIN, COMPASS_SIZE, is_synthetic, scale_bar, synthetic_text
from app.view.legend import Legend, legend_for
from app.view.overlay import (
    Compass,
    LegendCard,
    NoteCard,
    ScaleCard,
    legend_size,
    note_size,
    paint_compass,
    paint_legend,
    paint_note,
    paint_scale,
)
from app.view.probe import HoverInfo
from geo.model import Layer

LARGE_PICTURE = (1600, 1000)  # pixels of an exported picture beyond which its cards grow with it


class Cards:
    """Legend, compass, scale bar, note and hover label over a widget.

    Attributes
    ----------
    has_legend : bool
        False where a picture beside this one shows the legend of both.
    """

    has_legend = True

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        self._parent = parent
        self._in_hand: Legend | None = None
        self._shown: tuple[Sequence[Layer], bool] = ((), True)
        self._theme = theme
        self.legend = LegendCard(theme, parent)
        self.compass = Compass(theme, parent)
        self.scale = ScaleCard(theme, parent)
        self.note = NoteCard(theme, parent)
        self.hover = NoteCard(theme, parent)
        self.hint = NoteCard(theme, parent)
        # What else belongs on an exported picture: painter, camera, size of the picture before it is scaled.
        self.painters: list[Callable[[QPainter, Camera, QSize], None]] = []

    def set_theme(self, theme: Theme) -> None:
        """Change the palette."""
        self._theme = theme
        for card in (self.legend, self.compass, self.scale, self.note, self.hover, self.hint):
            card.set_theme(theme)

    def fits(self, *, ground_is_open: bool) -> bool:
        """Whether what is said is for the ground as one sees it now."""
        return ground_is_open == self._shown[1]

    def show_in_hand(self, legend: Legend | None, camera: Camera) -> None:
        """The legend of what is in hand, before that of the layers; None when it is let go."""
        if legend != self._in_hand:
            self._in_hand = legend
            self._say_legend()
            self.lay_out(camera)

    def _say_legend(self) -> None:
        layers, is_open = self._shown
        legend = self._in_hand or legend_for(layers, ground_is_open=is_open)
        self.legend.set_legend(legend if self.has_legend else None)

    def show_for(self, layers: Sequence[Layer], camera: Camera, *, ground_is_open: bool) -> None:
        """Say what belongs to these layers."""
        self._shown = (layers, ground_is_open)
        self._say_legend()
        self.note.set_text(synthetic_text() if is_synthetic(layers) else "")
        self.compass.setVisible(len(layers) > 0)
        self.lay_out(camera)
        self.scale.setVisible(len(layers) > 0 and self.scale.bar is not None)

    def follow(self, camera: Camera) -> None:
        """The camera has moved."""
        self.compass.set_azimuth(camera.azimuth)
        self.scale.set_bar(scale_bar(camera, self._parent.height()))

    def say(self, text: str) -> None:
        """A hint at the foot of the picture; an empty text takes it away."""
        self.hint.set_text(text)
        self._place_hint()

    def _place_hint(self) -> None:
        size = self._parent.size()
        left, foot = (size.width() - self.hint.width()) // 2, size.height() - self.hint.height() - CARD_MARGIN
        _, _, scale, note = self.areas(size)
        if left < note.right() or left + self.hint.width() > scale.left():  # a narrow picture: above both
            foot -= int(max(scale.height(), note.height())) + 8
        self.hint.move(left, foot)
        self.hint.raise_()

    def lay_out(self, camera: Camera) -> None:
        """Put the cards in their places for the size the widget has now."""
        placed = (self.legend, self.compass, self.scale, self.note)
        for card, area in zip(placed, self.areas(self._parent.size()), strict=True):
            card.setGeometry(area.toRect())
            card.raise_()
        self._place_hint()
        self.follow(camera)

    def show_hover(self, info: HoverInfo | None, place: QPointF) -> None:
        """The value under the cursor beside it; nothing where there is none."""
        self.hover.set_text(info.value_text if info is not None else "")
        x = min(place.x() + 14, self._parent.width() - self.hover.width() - 4)
        self.hover.move(int(x), int(max(place.y() - self.hover.height() - 8, 4)))
        self.hover.raise_()

    def areas(self, size: QSize) -> tuple[QRectF, QRectF, QRectF, QRectF]:
        """Places of legend, compass, scale bar and note in a picture of a size."""
        width, height = size.width(), size.height()
        legend = self.legend.legend
        card = legend_size(legend) if legend is not None else QSizeF(1, 1)
        note = note_size(self.note.text)
        margin = min(CARD_MARGIN, width // 20)
        return (
            QRectF(margin, margin, min(card.width(), width - 2 * margin - COMPASS_SIZE - 8), card.height()),
            QRectF(width - margin - COMPASS_SIZE, margin, COMPASS_SIZE, COMPASS_SIZE),
            QRectF(width - margin - 180, height - margin - 34, 180, 34),
            QRectF(margin, height - margin - note.height(), note.width(), note.height()),
        )

    def paint_on(self, image: QImage, camera: Camera) -> None:
        """The same cards on an exported picture, larger on a large one."""
        factor = max(min(image.width() / LARGE_PICTURE[0], image.height() / LARGE_PICTURE[1]), 1.0)
        size = QSize(round(image.width() / factor), round(image.height() / factor))
        legend_area, compass_area, scale_area, note_area = self.areas(size)
        painter = QPainter(image)
        painter.scale(factor, factor)
        if self.legend.legend is not None:
            paint_legend(painter, legend_area, self.legend.legend, theme=self._theme)
        paint_compass(painter, compass_area, camera.azimuth, theme=self._theme)
        bar = scale_bar(camera, size.height())
        if bar is not None:
            paint_scale(painter, scale_area, bar, theme=self._theme)
        if self.note.text:
            paint_note(painter, note_area, self.note.text, theme=self._theme)
        for paint in self.painters:
            paint(painter, camera, size)
        painter.end()
