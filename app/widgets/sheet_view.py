"""The view of a sheet: how its rows, columns and header look and behave."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QItemSelectionModel, Qt
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from app.widgets.sheet_model import SheetModel

ROW_HEIGHT = 24
WIDEST, NARROWEST = 240, 56
ROWS_MEASURED = 40


class SheetView(QTableView):
    """Rows to select whole, columns to sort by and to move."""

    def __init__(self, model: SheetModel) -> None:
        super().__init__()
        self._model = model
        self.setModel(model)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setShowGrid(False)
        self.setAlternatingRowColors(True)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setCornerButtonEnabled(False)
        self.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header = self.horizontalHeader()
        header.setSectionsMovable(True)
        header.setHighlightSections(False)
        # A header asks of every row selected whether its whole column is; with one of its own it has nothing to ask.
        header.setSelectionModel(QItemSelectionModel(model, header))
        header.setSortIndicatorClearable(True)
        self.forget_order()
        self.setSortingEnabled(True)
        header.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setAccessibleName("table")

    def forget_order(self) -> None:
        """Sort by no column."""
        self.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)

    def fit_columns(self, titles: Mapping[str, str]) -> None:
        """Make each column as wide as its title and its first values need, within limits."""
        metrics = self.fontMetrics()
        for section in range(self._model.columnCount()):
            column = self._model.column_at(section)
            if column is None:
                continue
            title = titles[column.key]
            texts = [column.text_at(row) for row in range(min(ROWS_MEASURED, len(column.values)))]
            longest = max([*texts, title + "  ▲"], key=len)
            width = max(metrics.horizontalAdvance(longest), metrics.horizontalAdvance(title) + 24)
            self.setColumnWidth(section, min(max(width + 20, NARROWEST), WIDEST))

    def show_all_columns(self) -> None:
        """Show the columns that were hidden."""
        for section in range(self._model.columnCount()):
            self.showColumn(section)
