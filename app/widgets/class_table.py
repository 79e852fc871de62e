"""The classes of a legend as a table: colour, limits, name, number of values. Cells are edited where they stand."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem, QWidget

from app.language import tr
from app.numbers import plain_number
from app.style_edit import ClassRow
from app.widgets.colour_button import ColourButton

COLOUR, LOW, HIGH, TITLE, COUNT = range(5)
HEADS = ("colour", "from", "to", "label", "count")
ROW_HEIGHT = 26  # pixels


class ClassTable(QTableWidget):
    """Emits what the user has changed; it is shown when somebody gives the rows that come of it.

    Signals
    -------
    coloured(str, str), named(str, str)
        Key of a class, its new colour or name; empty for the usual one.
    limited(int, str)
        Number of a limit, 0 the lowest, and the text of its new value.
    """

    coloured = Signal(str, str)
    named = Signal(str, str)
    limited = Signal(int, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(0, len(HEADS), parent)
        self._rows: list[ClassRow] = []
        self.setObjectName("class_table")
        self.setAccessibleName(tr("style.classes"))
        self.setHorizontalHeaderLabels([tr(f"style.head.{name}") for name in HEADS])
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
        self.setTabKeyNavigation(False)  # Tab goes to the colours, arrows to the cells
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(TITLE, QHeaderView.ResizeMode.Stretch)
        self.itemChanged.connect(self._on_changed)

    def show_rows(self, rows: Sequence[ClassRow]) -> None:
        """Show these classes."""
        blocker = QSignalBlocker(self)
        self._rows = list(rows)
        if self.rowCount() != len(rows):
            self.setRowCount(len(rows))
        ordered = bool(rows) and math.isfinite(rows[0].low)
        for column in (LOW, HIGH):
            self.setColumnHidden(column, not ordered)
        for number, row in enumerate(rows):
            self._show_colour(number, row)
            self._write(number, LOW, plain_number(row.low) if ordered else "", edited=ordered)
            self._write(number, HIGH, plain_number(row.high) if ordered else "", edited=ordered)
            self._write(number, TITLE, row.title, edited=True)
            self._write(number, COUNT, f"{row.count:,}", edited=False)
        blocker.unblock()
        self.viewport().update()

    def _show_colour(self, number: int, row: ClassRow) -> None:
        button = self.cellWidget(number, COLOUR)
        if isinstance(button, ColourButton):
            button.show_colour(row.colour)
            return
        button = ColourButton(row.colour, tip="style.class_colour.tip")
        button.setAutoRaise(True)
        button.chosen.connect(lambda colour, number=number: self.coloured.emit(self._rows[number].key, colour))
        self.setCellWidget(number, COLOUR, button)

    def _write(self, number: int, column: int, text: str, *, edited: bool) -> None:
        item = self.item(number, column)
        if item is None:
            item = QTableWidgetItem()
            self.setItem(number, column, item)
            if column != TITLE:
                item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        item.setFlags(flags | Qt.ItemFlag.ItemIsEditable if edited else flags)
        if item.text() != text:
            item.setText(text)

    def _on_changed(self, item: QTableWidgetItem) -> None:
        number, text = item.row(), item.text().strip()
        if item.column() == TITLE:
            self.named.emit(self._rows[number].key, text)
        elif item.column() in (LOW, HIGH):
            self.limited.emit(number + (item.column() == HIGH), text)
