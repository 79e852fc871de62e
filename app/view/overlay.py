"""Cards over the picture: legend, north arrow, scale bar, hover label, note. Qt paints them, never VTK.

Each card has a paint function that takes any QPainter, so an exported picture carries the same cards.
"""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from app.theme import Theme
from app.view.furniture import (
    CARD_ALPHA,
    CARD_PAD,
    CARD_RADIUS,
    CLASS_ROW,
    COMPASS_SIZE,
    LEGEND_WIDTH,
    LETTER,
    NEEDLE,
    NEEDLE_WIDTH,
    RAMP_HEIGHT,
    SUBTITLE_ROW,
    ScaleBar,
    scale_text,
    tick_labels,
)
from app.view.hatch import swatch_lines
from app.view.legend import Legend, bands_of, lines_of

TITLE_SIZE, TEXT_SIZE = 14, 11  # pixels
NEEDLE_RED = "#e2423c"
SWATCH, LEAST_WIDTH = 26, 150  # pixels of a class's colour with its gap; of the narrowest legend
WIDEST = 340  # pixels of the widest: more would hide the picture on a small screen
SCALE_PADDING = 8  # pixels between the scale bar and the edge of its plate


def card_font(size: float, *, bold: bool = False) -> QFont:
    """The card's font: the application's own face, so that Korean is set as everywhere else."""
    font = QFont()
    font.setPixelSize(round(size))
    font.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
    return font


def paint_card(painter: QPainter, area: QRectF, theme: Theme) -> None:
    """A rounded translucent plate."""
    plate = QColor(theme["card"])
    plate.setAlpha(CARD_ALPHA)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(theme["card_line"]), 1.0))
    painter.setBrush(plate)
    painter.drawRoundedRect(area.adjusted(0.5, 0.5, -0.5, -0.5), CARD_RADIUS, CARD_RADIUS)


def legend_size(legend: Legend) -> QSizeF:
    """Size of a legend card [pixels]."""
    height = CARD_PAD + 20 + SUBTITLE_ROW * len(_subtitle(legend, WIDEST - 2 * CARD_PAD)) + 6
    height += len(legend.hatches) * CLASS_ROW
    if legend.ramp is not None:
        height += CLASS_ROW if legend.missing else 0
        return QSizeF(_ramp_width(legend), height + RAMP_HEIGHT + 26 + (6 if legend.hatches or legend.missing else 0))
    rows = len(legend.classes) + (1 if legend.more else 0) + (1 if legend.missing else 0)
    return QSizeF(_classes_width(legend), height + rows * CLASS_ROW + CARD_PAD - 4)


def _ramp_width(legend: Legend) -> float:
    """Wider than usual where the line below the title needs it: day, step and date of a run are read whole."""
    small, bold = QFontMetricsF(card_font(TEXT_SIZE)), QFontMetricsF(card_font(TITLE_SIZE, bold=True))
    lines = _subtitle(legend, WIDEST - 2 * CARD_PAD)
    widest = max(bold.horizontalAdvance(legend.title), *map(small.horizontalAdvance, lines), 0.0)
    return float(min(max(widest + 2 * CARD_PAD + 6, LEGEND_WIDTH), WIDEST))


def _classes_width(legend: Legend) -> float:
    """As wide as the texts need, so that a list of short names leaves the picture free."""
    small, bold = QFontMetricsF(card_font(TEXT_SIZE)), QFontMetricsF(card_font(TITLE_SIZE, bold=True))
    shown = (*(text for text, _ in legend.classes), legend.missing, *(text for text, _ in legend.hatches))
    names = [small.horizontalAdvance(text) + SWATCH for text in shown]
    lines = map(small.horizontalAdvance, _subtitle(legend, WIDEST - 2 * CARD_PAD))
    widest = max(bold.horizontalAdvance(legend.title), *lines, *names)
    return float(min(max(widest + 2 * CARD_PAD + 6, LEAST_WIDTH), WIDEST))


def _subtitle(legend: Legend, width: float) -> tuple[str, ...]:
    return lines_of(legend.subtitle, width, QFontMetricsF(card_font(TEXT_SIZE)).horizontalAdvance)


def paint_legend(painter: QPainter, area: QRectF, legend: Legend, *, theme: Theme) -> None:
    """Title, subtitle, then a ramp with ticks or the classes."""
    paint_card(painter, area, theme)
    left, width = area.left() + CARD_PAD, area.width() - 2 * CARD_PAD
    top = area.top() + CARD_PAD - 2
    painter.setPen(QColor(theme["ink"]))
    painter.setFont(card_font(TITLE_SIZE, bold=True))
    _line(painter, left, top, width, text=legend.title)
    top += 20
    painter.setFont(card_font(TEXT_SIZE))
    painter.setPen(QColor(theme["soft_ink"]))
    for line in _subtitle(legend, WIDEST - 2 * CARD_PAD):
        _line(painter, left, top, width, text=line)
        top += SUBTITLE_ROW
    top += 6
    if legend.ramp is None:
        _paint_classes(painter, QRectF(left, top, width, 0), legend, theme=theme)
    else:
        _paint_ramp(painter, QRectF(left, top, width, RAMP_HEIGHT), legend, theme=theme)
        _paint_missing(painter, QRectF(left, top + RAMP_HEIGHT + 26, width, 0), legend, theme=theme)
    foot = area.bottom() - CARD_PAD + 4 - len(legend.hatches) * CLASS_ROW
    _paint_hatches(painter, QRectF(left, foot, width, 0), legend, theme=theme)


def _line(painter: QPainter, left: float, top: float, width: float, *, text: str) -> None:
    metrics = QFontMetricsF(painter.font())
    shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, width)
    painter.drawText(QRectF(left, top, width, 20), Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown)


def _paint_ramp(painter: QPainter, bar: QRectF, legend: Legend, *, theme: Theme) -> None:
    if legend.ramp is None:
        return
    row = QImage(legend.ramp.tobytes(), len(legend.ramp), 1, 3 * len(legend.ramp), QImage.Format.Format_RGB888)
    painter.drawImage(bar, row.copy())
    metrics = QFontMetricsF(painter.font())
    for x, start, label in tick_labels(legend, bar.left(), bar.width(), metrics.horizontalAdvance):
        painter.setPen(QPen(QColor(theme["soft_ink"]), 1.0))
        painter.drawLine(QPointF(x, bar.bottom()), QPointF(x, bar.bottom() + 4))
        painter.setPen(QColor(theme["ink"]))
        painter.drawText(QPointF(start, bar.bottom() + 6 + metrics.ascent()), label)


def _paint_hatches(painter: QPainter, area: QRectF, legend: Legend, *, theme: Theme) -> None:
    for number, (text, hatch) in enumerate(legend.hatches):
        top = area.top() + number * CLASS_ROW
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(theme["soft_ink"]), 0.5))
        painter.drawRect(QRectF(area.left(), top + 3, 18, 11))
        painter.setPen(QPen(QColor(theme["ink"]), 1.0))
        for x0, y0, x1, y1 in swatch_lines(18, 11, hatch):
            painter.drawLine(QPointF(area.left() + x0, top + 3 + y0), QPointF(area.left() + x1, top + 3 + y1))
        _line(painter, area.left() + SWATCH, top - 1, area.width() - SWATCH, text=text)


def _paint_classes(painter: QPainter, area: QRectF, legend: Legend, *, theme: Theme) -> None:
    top = area.top()
    for number, (text, colour) in enumerate(legend.classes):
        painter.setPen(QPen(QColor(theme["soft_ink"]), 0.5))
        painter.setBrush(QColor(*colour))
        painter.drawRect(QRectF(area.left(), top + 3, 18, 11))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(255, 255, 255, 190))
        for first, last in bands_of(legend, number):
            painter.drawRect(QRectF(area.left() + 18 * first, top + 3.5, 18 * (last - first), 10))
        painter.setPen(QColor(theme["ink"]))
        _line(painter, area.left() + 26, top - 1, area.width() - 26, text=text)
        top += CLASS_ROW
    if legend.missing:
        _paint_missing(painter, QRectF(area.left(), top, area.width(), 0), legend, theme=theme)
        top += CLASS_ROW
    if legend.more:
        painter.setPen(QColor(theme["soft_ink"]))
        _line(painter, area.left() + 26, top - 1, area.width() - 26, text=f"+ {legend.more}")


def _paint_missing(painter: QPainter, area: QRectF, legend: Legend, *, theme: Theme) -> None:
    """The row of what has no value."""
    if legend.missing:
        painter.setPen(QColor(theme["soft_ink"]))
        painter.setBrush(QColor(*(legend.missing_colour or theme.rgb("missing"))))
        painter.drawRect(QRectF(area.left(), area.top() + 3, 18, 11))
        _line(painter, area.left() + 26, area.top() - 1, area.width() - 26, text=legend.missing)


def paint_compass(painter: QPainter, area: QRectF, azimuth: float, *, theme: Theme) -> None:
    """A needle with its letter at the tip; `azimuth` is the direction of view, clockwise from grid north [degrees]."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setFont(card_font(TEXT_SIZE, bold=True))
    disc = QRectF(area.left(), area.top(), area.width(), area.width())
    plate = QColor(theme["card"])
    plate.setAlpha(CARD_ALPHA)
    painter.setPen(QPen(QColor(theme["card_line"]), 1.0))
    painter.setBrush(plate)
    painter.drawEllipse(disc.adjusted(0.5, 0.5, -0.5, -0.5))
    away, turn = disc.width() * LETTER, math.radians(-azimuth)
    place = disc.center() + QPointF(away * math.sin(turn), -away * math.cos(turn))
    painter.setPen(QColor(theme["ink"]))
    painter.drawText(QRectF(place.x() - 10, place.y() - 10, 20, 20), Qt.AlignmentFlag.AlignCenter, "N")
    painter.save()
    painter.translate(disc.center())
    painter.rotate(-azimuth)
    length, half = disc.width() * NEEDLE, disc.width() * NEEDLE_WIDTH
    painter.setPen(Qt.PenStyle.NoPen)
    for sign, colour in ((-1.0, NEEDLE_RED), (1.0, theme["soft_ink"])):
        painter.setBrush(QColor(colour))
        painter.drawPolygon(QPolygonF([QPointF(0, sign * length), QPointF(half, 0), QPointF(-half, 0)]))
    painter.restore()


def paint_scale(painter: QPainter, area: QRectF, bar: ScaleBar, *, theme: Theme) -> None:
    """A bar of a round length on a plate, at the lower right corner of its area."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    right, bottom = area.right() - SCALE_PADDING, area.bottom() - SCALE_PADDING
    left = right - bar.pixels
    plate = QRectF(left - SCALE_PADDING, bottom - 24, bar.pixels + 2 * SCALE_PADDING, 24 + SCALE_PADDING)
    paint_card(painter, plate, theme)
    painter.setPen(QPen(QColor(theme["ink"]), 1.6))
    painter.drawPolyline(
        QPolygonF(
            [QPointF(left, bottom - 6), QPointF(left, bottom), QPointF(right, bottom), QPointF(right, bottom - 6)]
        )
    )
    painter.setFont(card_font(TEXT_SIZE))
    middle = QRectF((left + right) / 2 - 60, bottom - 24, 120, 16)
    painter.drawText(middle, Qt.AlignmentFlag.AlignCenter, scale_text(bar))


def paint_note(painter: QPainter, area: QRectF, text: str, *, theme: Theme) -> None:
    """One line on a plate."""
    paint_card(painter, area, theme)
    painter.setFont(card_font(TEXT_SIZE))
    painter.setPen(QColor(theme["soft_ink"]))
    painter.drawText(area, Qt.AlignmentFlag.AlignCenter, text)


def note_size(text: str) -> QSizeF:
    """Size of a note's plate [pixels]."""
    metrics = QFontMetricsF(card_font(TEXT_SIZE))
    return QSizeF(metrics.horizontalAdvance(text) + 20, 24)


class _Card(QWidget):
    """Base of the cards: translucent, never in the mouse's way."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.theme = theme
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.hide()

    def set_theme(self, theme: Theme) -> None:
        """Change the palette."""
        self.theme = theme
        self.update()


class LegendCard(_Card):
    """The legend of the shown result."""

    legend: Legend | None = None
    _is_covered = False

    def make_room(self, covered: bool) -> None:
        """Hide while something lies over it: half a legend misleads."""
        self._is_covered = covered
        self.setVisible(self.legend is not None and not covered)

    def set_legend(self, legend: Legend | None) -> None:
        """Show this legend, or none."""
        self.legend = legend
        self.setVisible(legend is not None and not self._is_covered)
        if legend is not None:
            self.resize(legend_size(legend).toSize())
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the card."""
        if self.legend is not None:
            paint_legend(QPainter(self), QRectF(self.rect()), self.legend, theme=self.theme)


class Compass(_Card):
    """The north arrow."""

    azimuth = 0.0

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(theme, parent)
        self.resize(COMPASS_SIZE, COMPASS_SIZE)

    def set_azimuth(self, azimuth: float) -> None:
        """Direction of view from grid north [degrees]."""
        if abs(azimuth - self.azimuth) > 0.05:
            self.azimuth = azimuth
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the needle."""
        paint_compass(QPainter(self), QRectF(self.rect()), self.azimuth, theme=self.theme)


class ScaleCard(_Card):
    """The scale bar; hidden when the view is too flat for one scale."""

    bar: ScaleBar | None = None

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(theme, parent)
        self.resize(180, 30)

    def set_bar(self, bar: ScaleBar | None) -> None:
        """Show this bar, or none."""
        if bar != self.bar:
            self.bar = bar
            self.setVisible(bar is not None)
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the bar."""
        if self.bar is not None:
            paint_scale(QPainter(self), QRectF(self.rect()), self.bar, theme=self.theme)


class NoteCard(_Card):
    """One line of text on a plate: the hover label and the remark about synthetic data."""

    text = ""

    def set_text(self, text: str) -> None:
        """Show this text; an empty one hides the card."""
        if text != self.text:
            self.text = text
            self.resize(note_size(text).toSize())
            self.update()
        self.setVisible(bool(text))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the line."""
        paint_note(QPainter(self), QRectF(self.rect()), self.text, theme=self.theme)
