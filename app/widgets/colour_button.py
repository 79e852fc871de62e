"""A button that shows a colour and lets one choose another: from swatches, or by its number."""

from __future__ import annotations

import re

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QIcon, QPainter, QPen, QPixmap
from PySide6.QtWidgets import QGridLayout, QLineEdit, QMenu, QToolButton, QVBoxLayout, QWidget, QWidgetAction

from app.colour import class_colours, ramp
from app.language import tr
from app.widgets.wording import say

SWATCH = QSize(26, 16)
PER_ROW = 10
WRITTEN = re.compile("#?([0-9a-fA-F]{6})")
SHADES = ("cividis", "viridis", "exposure")  # rows of ten colours each


class ColourButton(QToolButton):
    """`chosen(str)` is emitted with ``"#rrggbb"``, or with an empty text for the usual colour."""

    chosen = Signal(str)

    def __init__(self, colour: str, *, tip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        say(self, tip=tip)
        self.setIconSize(SWATCH)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.colour = ""
        self._menu = QMenu(self)
        self._menu.aboutToShow.connect(self._fill)
        self.setMenu(self._menu)
        self.show_colour(colour)

    def show_colour(self, colour: str) -> None:
        """Show this colour; an empty one is struck through."""
        self.colour = colour
        self.setIcon(swatch(colour))

    def choose(self, colour: str) -> None:
        """As if the user had chosen it."""
        self._menu.hide()
        self.show_colour(colour)
        self.chosen.emit(colour)

    def _fill(self) -> None:
        """Made when it is opened: a table has many of these buttons."""
        if self._menu.actions():
            self.edit.setText(self.colour)
            return
        area = QWidget()
        layout, grid = QVBoxLayout(area), QGridLayout()
        layout.setContentsMargins(8, 8, 8, 8)
        grid.setSpacing(2)
        for number, colour in enumerate(offered()):
            button = QToolButton()
            button.setIconSize(SWATCH)
            button.setIcon(swatch(colour))
            button.setToolTip(colour)
            button.setAccessibleName(colour)
            button.setAutoRaise(True)
            button.clicked.connect(lambda _on=False, c=colour: self.choose(c))
            grid.addWidget(button, number // PER_ROW, number % PER_ROW)
        self.edit = QLineEdit(self.colour)
        self.edit.setPlaceholderText("#rrggbb")
        self.edit.setAccessibleName(tr("style.colour_number"))
        self.edit.setToolTip(tr("style.colour_number"))
        self.edit.returnPressed.connect(self._take_written)
        layout.addLayout(grid)
        layout.addWidget(self.edit)
        entry = QWidgetAction(self._menu)
        entry.setDefaultWidget(area)
        self._menu.addAction(entry)
        self._menu.addAction(tr("style.usual_colour")).triggered.connect(lambda: self.choose(""))

    def _take_written(self) -> None:
        found = WRITTEN.fullmatch(self.edit.text().strip())
        if found is not None:
            self.choose(f"#{found.group(1).lower()}")


def offered() -> list[str]:
    """Colours to choose from: the distinct ones of classes, shades of ramps, greys."""
    rows = [class_colours(PER_ROW)]
    rows += [ramp(name)[[round(k * 255 / (PER_ROW - 1)) for k in range(PER_ROW)]] for name in SHADES]
    found = [f"#{int(r):02x}{int(g):02x}{int(b):02x}" for row in rows for r, g, b in row]
    return found + [f"#{v:02x}{v:02x}{v:02x}" for v in (round(255 * k / (PER_ROW - 1)) for k in range(PER_ROW))]


def swatch(colour: str) -> QIcon:
    """A filled rectangle, or an empty one with a stroke."""
    pixmap = QPixmap(SWATCH)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    area = QRectF(0.5, 0.5, SWATCH.width() - 1, SWATCH.height() - 1)
    painter.setPen(QPen(QColor(128, 128, 128), 1.0))
    painter.setBrush(QColor(colour) if colour else Qt.BrushStyle.NoBrush)
    painter.drawRect(area)
    if not colour:
        painter.drawLine(area.bottomLeft(), area.topRight())
    painter.end()
    return QIcon(pixmap)
