"""Count, sum, mean and ends of a column of a sheet, for all rows and for each class of another column."""

from __future__ import annotations

import math

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QFormLayout,
    QHeaderView,
    QLabel,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.language import tr
from app.sheet import ID_KEY, MISSING, Rows, Sheet, SheetColumn, Statistics, by_class, statistics
from app.widgets.wording import say

CLASSES_SHOWN = 60
WIDEST = 520  # pixels
MOST_CLASSES = 5_000  # of a column that can be grouped by: not ids
HEADS = ("class", "count", "missing", "sum", "mean", "low", "high")


class StatisticsView(QWidget):
    """Two choices and a small table. `show_rows` says what to look at."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sheet: Sheet | None = None
        self._rows: Rows | None = None
        self.column_box, self.class_box = QComboBox(), QComboBox()
        for box, name in ((self.column_box, "table.of"), (self.class_box, "table.by")):
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(8)
            box.activated.connect(self.refresh)
            say(box, tip=name)
        self.table = QTableWidget(0, len(HEADS))
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setShowGrid(False)
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(24)
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.scope = QLabel()
        self.scope.setObjectName("soft")
        self.setMaximumWidth(WIDEST)
        form = QFormLayout()
        form.setContentsMargins(0, 0, 0, 0)
        form.addRow(say(QLabel(), "table.of"), self.column_box)
        form.addRow(say(QLabel(), "table.by"), self.class_box)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 0, 0, 0)
        layout.addLayout(form)
        layout.addWidget(self.scope)
        layout.addWidget(self.table, 1)

    def set_sheet(self, sheet: Sheet | None, titles: dict[str, str]) -> None:
        """Offer the columns of a sheet, keeping what was chosen where it has that too."""
        self._sheet, self._rows = sheet, None
        columns = list(sheet.columns.values()) if sheet is not None else []
        first = next((c.key for c in columns if c.is_number), ID_KEY)
        _fill(self.column_box, [(titles[c.key], c.key) for c in columns], first)
        groups = [c for c in columns if not c.is_number and c.key != ID_KEY]
        _fill(self.class_box, [(tr("table.no_classes"), ""), *((titles[c.key], c.key) for c in groups)], "")

    def choose(self, key: str) -> None:
        """Look at a column."""
        self.column_box.setCurrentIndex(max(0, self.column_box.findData(key)))
        self.refresh()

    def show_rows(self, rows: Rows, scope: str) -> None:
        """Look at these rows; `scope` says in words which they are."""
        self._rows = rows
        self.scope.setText(scope)
        self.refresh()

    def refresh(self, _index: int = 0) -> None:
        """Add up anew."""
        sheet, rows = self._sheet, self._rows
        self.table.setHorizontalHeaderLabels([tr(f"table.stat.{head}") for head in HEADS])
        column = sheet.columns.get(str(self.column_box.currentData())) if sheet is not None else None
        if sheet is None or rows is None or column is None or not self.isVisible():
            self.table.setRowCount(0)
            return
        lines = [(tr("table.all_classes"), statistics(column, rows))]
        classes = sheet.columns.get(str(self.class_box.currentData() or ""))
        if classes is not None and len(classes.coded.names) <= MOST_CLASSES:
            lines += [(name or MISSING, found) for name, found in by_class(column, classes, rows)[:CLASSES_SHOWN]]
        self.table.setRowCount(len(lines))
        for row, (name, found) in enumerate(lines):
            for place, text in enumerate(_cells(name, found, column)):
                item = QTableWidgetItem(text)
                side = Qt.AlignmentFlag.AlignLeft if place == 0 else Qt.AlignmentFlag.AlignRight
                item.setTextAlignment(side | Qt.AlignmentFlag.AlignVCenter)
                self.table.setItem(row, place, item)

    def text(self, row: int, head: str) -> str:
        """A cell by the name of its column."""
        item = self.table.item(row, HEADS.index(head))
        return item.text() if item is not None else ""


def _cells(name: str, found: Statistics, column: SheetColumn) -> tuple[str, ...]:
    numbers = [found.sum, found.mean, found.low, found.high]
    return (name, f"{found.count:,}", f"{found.missing:,}", *(_number(value, column.decimals) for value in numbers))


def _number(value: float, decimals: int) -> str:
    return f"{value:,.{max(decimals, 1)}f}" if math.isfinite(value) else MISSING


def _fill(box: QComboBox, items: list[tuple[str, str]], first: str) -> None:
    before = box.currentData()
    box.clear()
    for title, key in items:
        box.addItem(title, key)
    index = box.findData(before) if before else -1
    box.setCurrentIndex(index if index >= 0 else max(0, box.findData(first)))
