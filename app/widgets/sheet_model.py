"""A sheet for Qt's table view: nothing is made for a cell before it is looked at."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QAbstractTableModel, QItemSelection, QItemSelectionRange, QModelIndex, QObject, Qt
from PySide6.QtGui import QColor

from app.sheet import MISSING, Mask, Rows, Sheet, SheetColumn

Index = QModelIndex
MOST_RANGES = 300  # Qt looks through every range for every cell it draws
NOWHERE = QModelIndex()
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


class SheetModel(QAbstractTableModel):
    """Some rows of a sheet, in some order.

    Attributes
    ----------
    rows : (shown,) int64
        Row of the sheet that each row of the view shows.
    marked : (all,) bool
        Rows drawn as selected where there are too many ranges for Qt's own selection.
    hidden : (all,) bool
        Rows whose elements are not drawn in the scene; written faintly.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._columns: list[SheetColumn] = []
        self._titles: list[str] = []
        self.rows: Rows = np.empty(0, dtype=np.int64)
        self.marked: Mask = np.empty(0, dtype=np.bool_)
        self.hidden: Mask = np.empty(0, dtype=np.bool_)
        self._mark_colour, self._faint_colour = QColor("#cccccc"), QColor("#888888")
        self.sort_asked: Callable[[int, bool], None] | None = None

    def set_sheet(self, sheet: Sheet | None, titles: dict[str, str], rows: Rows) -> None:
        """Show another sheet, or none."""
        self.beginResetModel()
        self._columns = list(sheet.columns.values()) if sheet is not None else []
        self._titles = [titles.get(column.key, column.key) for column in self._columns]
        self.rows = rows
        count = len(sheet) if sheet is not None else 0
        self.marked, self.hidden = np.zeros(count, dtype=np.bool_), np.zeros(count, dtype=np.bool_)
        self.endResetModel()

    def set_rows(self, rows: Rows) -> None:
        """Show other rows of the same sheet."""
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()

    def set_titles(self, titles: dict[str, str]) -> None:
        """Name the columns in another language."""
        self._titles = [titles.get(column.key, column.key) for column in self._columns]
        if self._columns:
            self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(self._columns) - 1)

    def set_colours(self, *, mark: str, faint: str) -> None:
        """Ground of marked rows and ink of hidden ones."""
        self._mark_colour, self._faint_colour = QColor(mark), QColor(faint)
        self.look_again()

    def look_again(self) -> None:
        """Marked or hidden rows have changed."""
        if len(self.rows) and self._columns:
            last = self.index(len(self.rows) - 1, len(self._columns) - 1)
            roles = [Qt.ItemDataRole.BackgroundRole, Qt.ItemDataRole.ForegroundRole]
            self.dataChanged.emit(self.index(0, 0), last, roles)

    def column_at(self, section: int) -> SheetColumn | None:
        """The column of a section of the header."""
        return self._columns[section] if 0 <= section < len(self._columns) else None

    def rowCount(self, parent: Index = NOWHERE) -> int:
        """Rows shown."""
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = NOWHERE) -> int:
        """Columns of the sheet."""
        return 0 if parent.isValid() else len(self._columns)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """What a cell shows."""
        if not index.isValid() or index.row() >= len(self.rows):
            return None
        column, row = self._columns[index.column()], int(self.rows[index.row()])
        if role == Qt.ItemDataRole.DisplayRole:
            return column.shown_at(row) or MISSING
        if role == Qt.ItemDataRole.ToolTipRole:
            return column.shown_at(row) or None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return RIGHT if column.is_number else LEFT
        if role == Qt.ItemDataRole.BackgroundRole and self.marked[row]:
            return self._mark_colour
        if role == Qt.ItemDataRole.ForegroundRole and (self.hidden[row] or not column.text_at(row)):
            return self._faint_colour
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Title with unit; the number of the row."""
        if orientation == Qt.Orientation.Vertical:
            return str(section + 1) if role == Qt.ItemDataRole.DisplayRole else None
        if section >= len(self._columns):
            return None
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return self._titles[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return RIGHT if self._columns[section].is_number else LEFT
        return None

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Ask for another order; -1 is that of the file."""
        if self.sort_asked is not None:
            self.sort_asked(column, order == Qt.SortOrder.DescendingOrder)

    def selection_of(self, chosen: Mask) -> QItemSelection | None:
        """Rows of the sheet as Qt's selection; None where they lie in too many pieces."""
        places = np.flatnonzero(chosen[self.rows])
        selection = QItemSelection()
        if len(places) == 0:
            return selection
        breaks = np.flatnonzero(np.diff(places) > 1)
        if len(breaks) >= MOST_RANGES:
            return None
        firsts, lasts = np.concatenate([[0], breaks + 1]), np.concatenate([breaks, [len(places) - 1]])
        last_column = len(self._columns) - 1
        for first, last in zip(places[firsts].tolist(), places[lasts].tolist(), strict=True):
            selection.append(QItemSelectionRange(self.index(first, 0), self.index(last, last_column)))
        return selection

    def rows_in(self, selection: QItemSelection) -> Rows:
        """Rows of the sheet in Qt's selection, in the order shown."""
        places = [np.arange(part.top(), part.bottom() + 1) for part in selection]
        return self.rows[np.unique(np.concatenate(places))] if places else np.empty(0, dtype=np.int64)
