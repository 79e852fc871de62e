"""Table: the attributes of a layer's elements, to sort, filter, select, add up and take out as Excel or CSV."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QItemSelection, QItemSelectionModel, QPoint, Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QApplication,
    QFileDialog,
    QLabel,
    QMenu,
    QSplitter,
    QWidget,
)

from app.appearance import colours
from app.element_rows import mask_of, rows_of
from app.language import error_texts, tr
from app.names import layer_title
from app.panels.layers import field_title
from app.panels.panel import Panel
from app.panels.row_actions import RowActions
from app.panels.table_bar import TableBar
from app.sheet import ID_KEY, Mask, Rows, Sheet, sheet_of
from app.sheet_output import EXCEL
from app.widgets.later import Later
from app.widgets.sheet_model import SheetModel
from app.widgets.sheet_view import SheetView
from app.widgets.statistics_view import StatisticsView
from app.widgets.wording import say
from geo.model import ElementRef, Layer, UserError

if TYPE_CHECKING:
    from app.workbench import Workbench

FILE_KINDS = "Excel (*.xlsx);;CSV (*.csv)"
TYPING_MS, DRAG_MS = 180, 30
ROWS_AT_ONCE = 20_000  # of more rows filtering and sorting goes beside the window


class TablePanel(Panel):
    """One layer's elements as rows. The rows selected are the document's selection."""

    name = "table"
    help_page = "layers"

    def __init__(self, bench: Workbench, parent: QWidget | None = None) -> None:
        super().__init__(bench, parent)
        self.acts = RowActions(bench)
        self._layer_id = ""
        self._sheet: Sheet | None = None
        self._titles: dict[str, str] = {}
        self._sort: tuple[str, bool] = ("", False)
        self._filling, self._wanted_layer = False, ""
        self.model = SheetModel(self)
        self.model.sort_asked = self._on_sort
        self.view = SheetView(self.model)
        self.statistics = StatisticsView()
        self.statistics.hide()
        self.bar = TableBar()
        self.layer_box, self.filter_line = self.bar.layer_box, self.bar.filter_line
        self.count, self.buttons = self.bar.count_label, self.bar.buttons
        self.error = QLabel()
        self.error.setObjectName("field_error")
        self.error.setWordWrap(True)
        self.error.hide()
        self.empty = say(QLabel(), "table.empty")
        self.empty.setObjectName("soft")
        self.empty.setWordWrap(True)
        self.empty.setContentsMargins(12, 8, 12, 8)
        splitter = QSplitter(Qt.Orientation.Horizontal)
        splitter.addWidget(self.view)
        splitter.addWidget(self.statistics)
        splitter.setStretchFactor(0, 3)
        splitter.setStretchFactor(1, 2)
        self.splitter = splitter
        self.layout_.setContentsMargins(0, 4, 0, 0)
        self.layout_.setSpacing(4)
        self.layout_.addLayout(self.bar)
        self.layout_.addWidget(self.error)
        self.layout_.addWidget(self.empty)
        self.layout_.addWidget(splitter, 1)
        self._layers_later = Later(self, self.refresh_layers)
        self._filter_later = Later(self, self.apply_filter, after_ms=TYPING_MS)
        self._select_later = Later(self, self._write_selection, after_ms=DRAG_MS)
        self._show_later = Later(self, self.show_selection)
        self._listen_to_the_user()
        self._listen()

    def _listen_to_the_user(self) -> None:
        view, bar = self.view, self.bar
        view.horizontalHeader().customContextMenuRequested.connect(self._show_header_menu)
        view.customContextMenuRequested.connect(self._show_menu)
        view.doubleClicked.connect(lambda _index: self.zoom_to_rows())
        for keys, slot in (("Return", self.zoom_to_rows), ("Ctrl+C", self.copy), ("Ctrl+A", self.select_filtered)):
            shortcut = QShortcut(QKeySequence(keys), view, slot)
            shortcut.setContext(Qt.ShortcutContext.WidgetShortcut)
        bar.layer_box.activated.connect(lambda _index: self.show_layer(str(self.layer_box.currentData() or "")))
        bar.filter_line.textChanged.connect(lambda _text: self._filter_later.ask())
        bar.filter_line.returnPressed.connect(self._on_filter_return)
        for text_id, slot in self._buttons_and_acts():
            bar.buttons[text_id].clicked.connect(slot)
        bar.buttons["table.statistics"].toggled.connect(self._on_statistics)
        bar.export_asked.connect(self.ask_export)
        focus = QShortcut(QKeySequence("Ctrl+F"), self, self.focus_filter)
        focus.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)

    def _buttons_and_acts(self) -> tuple[tuple[str, Callable[[], None]], ...]:
        """What the buttons and the menu of the rows do."""
        return (
            ("table.zoom", self.zoom_to_rows),
            ("table.select", self.select_filtered),
            ("table.only", self.hide_others),
            ("table.show_all", self.show_all),
            ("table.copy", self.copy),
        )

    def _listen(self) -> None:
        scene = self.document.scene
        self.connections.add(scene.added, self._on_layers)
        self.connections.add(scene.removed, self._on_layers)
        self.connections.add(scene.changed, self._on_changed)
        self.connections.add(self.document.selection.changed, self._on_selection)
        self.visibilityChanged.connect(lambda shown: self._layers_later.ask() if shown else None)
        self.view.selectionModel().selectionChanged.connect(self._on_rows)
        self.refresh_theme()

    # ---- the layer ----------------------------------------------------------------------------------------------

    @property
    def layer(self) -> Layer | None:
        """The layer on show."""
        return self.document.scene.get(self._layer_id)

    @property
    def sheet(self) -> Sheet | None:
        """Its columns."""
        return self._sheet

    def show_layer(self, layer_id: str) -> None:
        """Show the elements of a layer, without a filter, in the order of the file."""
        layer = self.document.scene.get(layer_id)
        if layer is None or not len(layer.table):
            return
        if layer_id != self._layer_id:
            self.filter_line.clear()
            self._sort = ("", False)
            self.view.forget_order()
        self._layer_id = layer_id
        self._wanted_layer = layer_id
        self._fill(layer)

    def refresh_layers(self) -> None:
        """The layers that have rows, and the one on show."""
        if not self.isVisible():
            return
        self._filling = True
        self.layer_box.clear()
        for layer in self.document.scene:
            if len(layer.table):
                self.layer_box.addItem(layer_title(layer), layer.id)
        self._filling = False
        wanted = self._wanted()
        self.empty.setVisible(not wanted)
        self.splitter.setVisible(bool(wanted))
        if wanted and (wanted != self._layer_id or self._sheet is None):
            self.show_layer(wanted)
        elif not wanted:
            self._layer_id, self._sheet = "", None
            self.model.set_sheet(None, {}, np.empty(0, dtype=np.int64))
            self._write_count()
        else:
            self.layer_box.setCurrentIndex(self.layer_box.findData(wanted))
            self.show_selection()

    def _wanted(self) -> str:
        """Id of the layer to show: of the last thing selected, else the one shown, else the first with rows."""
        scene = self.document.scene
        items = self.document.selection.items
        chosen = items[-1].layer_id if items else ""
        for layer_id in (chosen, self._wanted_layer, self._layer_id):
            layer = scene.get(layer_id)
            if layer is not None and len(layer.table):
                return layer_id
        return str(self.layer_box.itemData(0) or "")

    def _fill(self, layer: Layer) -> None:
        self._sheet = sheet_of(layer)
        self._titles = _titles(layer, self._sheet)
        self.layer_box.setCurrentIndex(self.layer_box.findData(layer.id))
        self._filling = True
        self.model.set_sheet(self._sheet, self._titles, self._sheet.all_rows)
        self._filling = False
        self.view.fit_columns(self._titles)
        self._read_hidden(layer)
        self.statistics.set_sheet(self._sheet, self._titles)
        self.apply_filter()

    def _read_hidden(self, layer: Layer) -> None:
        self.model.hidden = mask_of(layer, layer.style.hidden)
        self.model.look_again()
        self.buttons["table.show_all"].setEnabled(bool(layer.style.hidden))

    # ---- the model changes --------------------------------------------------------------------------------------

    def _on_layers(self, layer: Layer) -> None:
        if layer.id == self._layer_id:  # another project may have a layer of the same name, with other rows
            self._sheet = None
        self._layers_later.ask()

    def _on_changed(self, layer: Layer, what: str) -> None:
        if what != "style":
            if layer.id == self._layer_id and what == "data":
                self._sheet = None
            self._layers_later.ask()
        elif layer.id == self._layer_id and self._sheet is not None:
            self._read_hidden(layer)

    def _on_selection(self) -> None:
        if self.isVisible():
            self._show_later.ask()

    def show_selection(self) -> None:
        """Mark the rows of the document's selection."""
        items = self.document.selection.items
        if items and items[-1].layer_id != self._layer_id:
            wanted = self._wanted()
            if wanted != self._layer_id:
                self.show_layer(wanted)
                return
        layer = self.layer
        if layer is None or self._sheet is None or self._select_later.isActive():
            return
        chosen = mask_of(layer, self.document.selection.of_layer(layer.id))
        selection = self.model.selection_of(chosen)
        self._filling = True
        flags = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
        self.view.selectionModel().select(selection if selection is not None else QItemSelection(), flags)
        self._filling = False
        marked = chosen if selection is None else np.zeros_like(chosen)
        if not np.array_equal(marked, self.model.marked):
            self.model.marked = marked
            self.model.look_again()
        self._scroll_to(chosen)
        self._write_count()

    def _scroll_to(self, chosen: Mask) -> None:
        if not self.view.hasFocus():
            places = np.flatnonzero(chosen[self.model.rows])
            if len(places):
                self.view.scrollTo(self.model.index(int(places[0]), 0))

    def selected_rows(self) -> Rows:
        """Rows selected among those shown, in the order shown."""
        layer = self.layer
        if layer is None or self._sheet is None:
            return np.empty(0, dtype=np.int64)
        chosen = mask_of(layer, self.document.selection.of_layer(layer.id))
        return self.model.rows[chosen[self.model.rows]]

    def _selected_or_shown(self) -> Rows:
        rows = self.selected_rows()
        return rows if len(rows) else self.model.rows

    # ---- the user acts ------------------------------------------------------------------------------------------

    def focus_filter(self) -> None:
        """Type a condition."""
        self.filter_line.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.filter_line.selectAll()

    def _on_filter_return(self) -> None:
        self._filter_later.stop()
        self.apply_filter()
        self.view.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_sort(self, section: int, descending: bool) -> None:
        column = self.model.column_at(section)
        self._sort = (column.key if column is not None else "", descending)
        if self._sheet is not None and not self._filling:
            self.apply_filter()

    def apply_filter(self) -> None:
        """Find and order the rows anew; of very many beside the window."""
        sheet, text, sort = self._sheet, self.filter_line.text(), self._sort
        if sheet is None:
            return
        if len(sheet) <= ROWS_AT_ONCE:
            try:
                self._show_rows(sheet, rows_of(sheet, text, sort))
            except UserError as error:
                self._show_error(error)
            return
        self.bench.jobs.submit(
            lambda _feedback: rows_of(sheet, text, sort),
            title=tr("job.table"),
            key="table rows",
            shown=False,
            done=lambda rows: self._show_rows(sheet, rows),
            failed=self._on_failed,
        )

    def _on_failed(self, error: BaseException) -> None:
        if isinstance(error, UserError):
            self._show_error(error)
        else:
            self.bench.notices.report(error)

    def _show_error(self, error: UserError) -> None:
        self.error.setText(" ".join(error_texts(error)))
        self.error.show()

    def _show_rows(self, sheet: Sheet, rows: Rows) -> None:
        if sheet is not self._sheet:
            return
        self.error.hide()
        if not np.array_equal(rows, self.model.rows):
            self._filling = True
            self.model.set_rows(rows)
            self._filling = False
        self.show_selection()
        self._write_count()

    def _on_rows(self, selected: QItemSelection, _deselected: QItemSelection) -> None:
        if self._filling:
            return
        if self.model.marked.any():
            # Qt knows nothing of the rows marked; adding to them is still what Ctrl asks for.
            if QApplication.keyboardModifiers() & Qt.KeyboardModifier.ControlModifier:
                self.model.marked[self.model.rows_in(selected)] = True
            else:
                self.model.marked = np.zeros_like(self.model.marked)
            self.model.look_again()
        self._select_later.ask()

    def _write_selection(self) -> None:
        """Tell the document which rows are selected."""
        rows = self.model.rows_in(self.view.selectionModel().selection())
        marked = np.flatnonzero(self.model.marked)
        self._select(np.concatenate([marked, rows[~self.model.marked[rows]]]) if len(marked) else rows)
        self._write_count()

    def _select(self, rows: Rows) -> None:
        layer = self.layer
        if layer is not None and self._sheet is not None:
            ids = layer.table.ids[rows].tolist()
            self.document.selection.set([ElementRef(layer.id, element_id) for element_id in ids])

    def select_filtered(self) -> None:
        """Select every row shown."""
        self._select_later.stop()
        self._select(self.model.rows)

    def zoom_to_rows(self) -> None:
        """Show the selected elements, or all rows shown."""
        layer, rows = self.layer, self.selected_rows()
        if layer is None:
            return
        if len(rows) == 1:
            self.acts.zoom_to_one(layer, int(rows[0]))
        else:
            self.acts.zoom_to(layer, self._selected_or_shown())

    def hide_others(self) -> None:
        """Draw only the selected elements, or those shown when none is selected."""
        if self.layer is not None:
            self.acts.hide_others(self.layer, self._selected_or_shown())

    def show_all(self) -> None:
        """Draw every element of the layer again."""
        if self.layer is not None:
            self.acts.show_all(self.layer)

    def colour_by(self, key: str) -> None:
        """Colour the layer by a column."""
        if self.layer is not None:
            self.acts.colour_by(self.layer, key)

    # ---- out of the program -------------------------------------------------------------------------------------

    def rows_of_scope(self, scope: str) -> Rows:
        """Rows ``"all"``, ``"filtered"`` or ``"selected"``."""
        if self._sheet is None:
            return np.empty(0, dtype=np.int64)
        return {"all": self._sheet.all_rows, "filtered": self.model.rows}.get(scope, self.selected_rows())

    def ask_export(self, scope: str) -> None:
        """Ask for a file name and write the rows there."""
        layer = self.layer
        if layer is None:
            return
        start = self.bench.settings.folder / f"{layer_title(layer).replace('/', '-')}.xlsx"
        chosen, kind = QFileDialog.getSaveFileName(self, tr("table.export"), str(start), FILE_KINDS)
        if chosen:
            path = Path(chosen)
            self.bench.settings.folder = path.parent
            ending = ".csv" if kind.startswith("CSV") else EXCEL
            self.export(path if path.suffix else path.with_suffix(ending), scope)

    def export(self, path: Path, scope: str) -> None:
        """Write rows as an Excel sheet, or as CSV in UTF-8 with the mark that Excel wants."""
        if self._sheet is not None:
            self.acts.export(path, self._sheet, rows=self.rows_of_scope(scope), titles=dict(self._titles))

    def copy(self) -> None:
        """Put the selected rows, or those shown, on the clipboard as a spreadsheet reads them."""
        if self._sheet is not None:
            self.acts.copy(self._sheet, rows=self._selected_or_shown(), titles=dict(self._titles))

    # ---- menus, counts, words -----------------------------------------------------------------------------------

    def _show_header_menu(self, place: QPoint) -> None:
        header = self.view.horizontalHeader()
        section = header.logicalIndexAt(place)
        column = self.model.column_at(section)
        if column is None:
            return
        menu = QMenu(self)
        menu.addAction(tr("table.colour_by")).triggered.connect(lambda: self.colour_by(column.key))
        menu.addAction(tr("table.statistics_of")).triggered.connect(lambda: self.show_statistics(column.key))
        menu.addSeparator()
        menu.addAction(tr("table.hide_column")).triggered.connect(lambda: self.view.hideColumn(section))
        menu.addAction(tr("table.all_columns")).triggered.connect(self.view.show_all_columns)
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(header.mapToGlobal(place))

    def _show_menu(self, place: QPoint) -> None:
        menu = QMenu(self)
        for text_id, slot in self._buttons_and_acts():
            menu.addAction(tr(text_id)).triggered.connect(slot)
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(self.view.viewport().mapToGlobal(place))

    def show_statistics(self, key: str) -> None:
        """Open the statistics at a column."""
        self.buttons["table.statistics"].setChecked(True)
        self.statistics.choose(key)

    def _on_statistics(self, shown: bool) -> None:
        self.statistics.setVisible(shown)
        self._write_count()

    def _write_count(self) -> None:
        if self._sheet is None:
            self.count.setText("")
            return
        rows = self.selected_rows()
        self.count.setText(
            tr("table.count", shown=f"{len(self.model.rows):,}", all=f"{len(self._sheet):,}")
            + (f" · {tr('table.selected', count=f'{len(rows):,}')}" if len(rows) else "")
        )
        if self.statistics.isVisible():
            many = len(rows) > 1
            self.statistics.show_rows(
                rows if many else self.model.rows, tr("table.of_selected" if many else "table.of_filtered")
            )

    def refresh_words(self) -> None:
        """Titles of columns, counts and the messages in the current language."""
        layer = self.layer
        if layer is not None and self._sheet is not None:
            self._titles = _titles(layer, self._sheet)
            self.model.set_titles(self._titles)
            self.view.fit_columns(self._titles)
            self.statistics.set_sheet(self._sheet, self._titles)
            self.apply_filter()
        self._layers_later.ask()

    def refresh_theme(self) -> None:
        """Colours of marked and hidden rows."""
        c = colours(self.bench.theme)
        self.model.set_colours(mark=c["chosen"], faint=c["soft"])


def _titles(layer: Layer, sheet: Sheet) -> dict[str, str]:
    return {key: tr("table.id") if key == ID_KEY else field_title(layer, key) for key in sheet.columns}
