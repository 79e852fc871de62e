"""Model: an IFC model as a tree by place, type, system, classification or group; filters; what is drawn of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QItemSelection, QItemSelectionModel, QModelIndex, QPoint, Qt
from PySide6.QtGui import QBrush, QColor, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QMenu,
    QTreeView,
    QWidget,
)

from app.appearance import colours
from app.commands import Command
from app.language import error_texts, tr
from app.model_tree import found_branches, model_tree
from app.model_view import ModelView
from app.panels.model_filter import ModelFilter
from app.panels.model_items import ModelItems
from app.panels.panel import Panel, line, small_button
from app.widgets.later import Later
from app.widgets.wording import say
from bim.hierarchy import TREES
from bim.property_query import Answer, column_of
from geo.model import Layer, UserError

if TYPE_CHECKING:
    from app.workbench import Workbench

SEARCH_AFTER_MS = 200
OPENED_AT_MOST = 60  # branches opened by themselves: the storeys, not all that is on them
MARKED_AT_MOST = 300  # of more elements selected elsewhere the tree marks none
BUTTONS = (
    ("only", "model.isolate", "isolate"),
    ("eye", "model.show_all", "show_all"),
    ("zoom", "model.zoom", "zoom"),
)


class ModelPanel(Panel):
    """The dock of the tree."""

    name = "model"
    help_page = "model"

    def __init__(self, bench: Workbench, parent: QWidget | None = None) -> None:
        super().__init__(bench, parent)
        self.desk = bench.models
        self.path: Path | None = None
        self._answer: Answer | None = None
        self._filling = False
        self._make_head()
        self.items = ModelItems(self)
        self.view = self._make_view()
        self.note = QLabel()
        self.note.setObjectName("soft")
        self.note.setWordWrap(True)
        self.note.setContentsMargins(12, 8, 12, 8)
        self.filter = ModelFilter()
        self.layout_.setContentsMargins(0, 4, 0, 8)
        self.layout_.addWidget(self.head)
        self.layout_.addLayout(self._search_row())
        self.layout_.addWidget(self.note)
        self.layout_.addWidget(self.view, 1)
        self.layout_.addStretch(0)
        self.layout_.addWidget(line())
        self.layout_.addWidget(self.filter)
        self._search_later = Later(self, self.rebuild, after_ms=SEARCH_AFTER_MS)
        self._states_later = Later(self, self._write_states)
        self._mark_later = Later(self, self._mark_selection)
        self._listen()
        self.refresh_models()

    def _make_head(self) -> None:
        self.model_box: QComboBox = say(QComboBox(), tip="model.which")
        self.tree_box: QComboBox = say(QComboBox(), tip="model.by")
        self.search: QLineEdit = say(QLineEdit(), "model.search", tip="model.search")
        self.search.setClearButtonEnabled(True)
        for box in (self.model_box, self.tree_box):
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(4)  # the left docks stay narrow at 1366 pixels
        self.head = QWidget()
        rows = QHBoxLayout(self.head)
        rows.setContentsMargins(8, 0, 4, 0)
        rows.setSpacing(4)
        rows.addWidget(self.model_box, 1)
        rows.addWidget(self.tree_box, 1)
        self.buttons = {}
        for icon_name, tip, slot in BUTTONS:
            self.buttons[tip] = small_button(icon_name, tip)
            self.buttons[tip].clicked.connect(getattr(self, slot))
            rows.addWidget(self.buttons[tip])
        self.search.textChanged.connect(lambda _text: self._search_later.ask())

    def _search_row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setContentsMargins(8, 0, 8, 0)
        row.addWidget(self.search)
        return row

    def _make_view(self) -> QTreeView:
        view = QTreeView()
        view.setModel(self.items)
        view.setHeaderHidden(True)
        view.setUniformRowHeights(True)
        view.setIndentation(14)
        view.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        view.setExpandsOnDoubleClick(False)
        view.header().setStretchLastSection(False)
        view.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        view.header().setSectionResizeMode(1, QHeaderView.ResizeMode.Fixed)
        view.header().resizeSection(1, 44)
        view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        view.setAccessibleName("model")
        return view

    def _focus_search(self) -> None:
        self.search.setFocus()
        self.search.selectAll()

    def _listen(self) -> None:
        self.items.toggled.connect(self._on_toggled)
        self.view.selectionModel().selectionChanged.connect(lambda *_: self._on_tree_selection())
        self.view.doubleClicked.connect(lambda _index: self.zoom())
        self.view.customContextMenuRequested.connect(self._show_menu)
        for keys, owner, slot in (
            (Qt.Key.Key_Return, self.view, self.zoom),
            (QKeySequence.StandardKey.Find, self.body, self._focus_search),
        ):
            QShortcut(QKeySequence(keys), owner, slot, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)
        self.filter.asked.connect(self.run_filter)
        self.filter.isolate_asked.connect(self.isolate)
        self.filter.colour_asked.connect(self._colour_found)
        self.model_box.currentIndexChanged.connect(lambda _row: self._on_model_chosen())
        self.tree_box.currentIndexChanged.connect(lambda _row: self.rebuild())
        self.desk.models_changed.connect(self.refresh_models)
        self.desk.trees_changed.connect(self._on_trees)
        self.desk.index_changed.connect(self._on_index)
        self.desk.filter_requested.connect(self._on_filter_requested)
        self.desk.colour_requested.connect(self._on_colour_requested)
        self.connections.add(self.document.scene.changed, self._on_layer_changed)
        self.connections.add(self.document.scene.removed, self._on_layer_removed)
        self.connections.add(self.document.selection.changed, self._on_selection)

    # ---- which model and tree ---------------------------------------------------------------------------------------

    def refresh_models(self) -> None:
        """The models of the scene, the one chosen kept."""
        paths = self.desk.paths()
        self._filling = True
        self.model_box.clear()
        for path in paths:
            self.model_box.addItem(path.stem, path)
            self.model_box.setItemData(self.model_box.count() - 1, str(path), Qt.ItemDataRole.ToolTipRole)
        self.model_box.setCurrentIndex(paths.index(self.path) if self.path in paths else 0)
        self.model_box.setVisible(len(paths) > 1)
        self._filling = False
        self._on_model_chosen()

    def _on_model_chosen(self) -> None:
        if self._filling:
            return
        path = self.model_box.currentData()
        if path != self.path:
            self.path, self._answer = path, None
            self.filter.tell("")
        if self.path is not None:
            self.desk.ask_trees(self.path)
            self._on_index(self.path)
        self._fill_tree_box()
        self.rebuild()

    def _fill_tree_box(self) -> None:
        """The trees that this model has."""
        chosen = self.tree_box.currentData() or TREES[0]
        hierarchy = self.desk.known(self.path).hierarchy if self.path is not None else None
        self._filling = True
        self.tree_box.clear()
        for name in TREES:
            if hierarchy is None or hierarchy.trees.get(name):
                self.tree_box.addItem(tr(f"model.by.{name}"), name)
        self.tree_box.setCurrentIndex(max(self.tree_box.findData(chosen), 0))
        self._filling = False

    def _on_trees(self, path: object) -> None:
        if path == self.path:
            self._fill_tree_box()
            self.rebuild()

    def rebuild(self) -> None:
        """Show the tree chosen, or what the search leaves of it."""
        if self._filling:
            return
        hierarchy = self.desk.known(self.path).hierarchy if self.path is not None else None
        self._write_note()
        if hierarchy is None or self.path is None:
            empty = np.zeros(0, dtype=np.bool_)
            self.items.set_tree(None, None, shaped=empty, drawn=empty)
            return
        branches = hierarchy.trees.get(str(self.tree_box.currentData() or TREES[0]), [])
        words = self.search.text().strip()
        if words:
            branches = found_branches(branches, hierarchy, words)
        shaped, drawn = self.desk.view(self.path).states(hierarchy.ids)
        self._filling = True
        self.items.set_tree(hierarchy, model_tree(branches), shaped=shaped, drawn=drawn)
        self._filling = False
        self._open_upper()
        self._mark_selection()

    def _open_upper(self) -> None:
        """Open from the top down as long as not too much comes out."""
        tree = self.items.tree
        if tree is None:
            return
        level, opened = list(tree.top), 0
        while level and opened + len(level) <= OPENED_AT_MOST:
            below = [child for branch in level for child in tree.children[branch]]
            if not self.search.text() and any(tree.branches[branch].kind == "class" for branch in below):
                break
            for branch in level:
                self.view.setExpanded(self.items.index_of_branch(branch), True)
            opened += len(level)
            level = below

    def _write_note(self) -> None:
        """Why there is no tree, or nothing."""
        known = self.desk.known(self.path) if self.path is not None else None
        has_tree = known is not None and known.hierarchy is not None
        for widget in (self.view, self.search, self.filter, self.head):
            widget.setVisible(known is not None and (has_tree or widget is self.head))
        self.note.setVisible(not has_tree)
        if known is None:
            self.note.setText(tr("model.empty"))
        elif isinstance(known.error, UserError):
            self.note.setText("\n\n".join(text for text in error_texts(known.error) if text))
        else:
            self.note.setText(tr("model.failed" if known.error else "model.reading"))

    # ---- what is drawn ----------------------------------------------------------------------------------------------

    def _on_layer_changed(self, layer: Layer, _what: str) -> None:
        if self.path is not None and layer.source.path == str(self.path):
            self._states_later.ask()

    def _on_layer_removed(self, layer: Layer) -> None:
        if self.path is not None and layer.source.path == str(self.path):
            self._states_later.ask()

    def _write_states(self) -> None:
        hierarchy = self.desk.known(self.path).hierarchy if self.path is not None else None
        if self.path not in self.desk.paths():
            self.refresh_models()
        elif hierarchy is not None and self.path is not None:
            self.items.set_states(*self.desk.view(self.path).states(hierarchy.ids))
            self.view.viewport().update()

    def model_view(self) -> ModelView:
        """The layers of the model chosen."""
        return ModelView(()) if self.path is None else self.desk.view(self.path)

    def _ids(self, rows: object) -> list[str]:
        hierarchy = self.desk.known(self.path).hierarchy if self.path is not None else None
        return [hierarchy.ids[row] for row in np.asarray(rows)] if hierarchy is not None else []

    def _on_toggled(self, rows: object, shown: bool) -> None:
        ids, view = self._ids(rows), self.model_view()
        self._do(view.show(ids) if shown else view.hide(ids))

    def _do(self, command: Command | None) -> None:
        if command is not None:
            self.bench.do(command)

    def chosen(self) -> list[str]:
        """Elements of the model that are selected."""
        mine = {layer.id for layer in self.model_view().layers}
        return [ref.element_id for ref in self.document.selection.items if ref.layer_id in mine and ref.element_id]

    def isolate(self) -> None:
        """Draw only what is selected."""
        ids = self.chosen()
        if ids:
            self._do(self.model_view().isolate(ids))

    def hide_chosen(self) -> None:
        """Do not draw what is selected."""
        self._do(self.model_view().hide(self.chosen()))

    def show_all(self) -> None:
        """Draw the whole model again."""
        self._do(self.model_view().show_all())

    def fade_others(self) -> None:
        """Draw only a veil of all other elements of the model, so that what is selected is seen through them."""
        ids = self.chosen()
        if ids:
            self._do(self.model_view().fade_others(ids))

    def zoom(self) -> None:
        """Show what is selected."""
        refs = self.model_view().refs(self.chosen())
        if refs:
            self.bench.zoom_to(refs)

    # ---- selection --------------------------------------------------------------------------------------------------

    def _on_tree_selection(self) -> None:
        """What is chosen in the tree is what is selected everywhere."""
        if self._filling:
            return
        indexes = self.view.selectionModel().selectedRows()
        rows = [self.items.rows_under(index) for index in indexes]
        ids = self._ids(np.unique(np.concatenate(rows))) if rows else []
        self._filling = True
        self.document.selection.set(self.model_view().refs(ids))
        self._filling = False

    def _on_selection(self) -> None:
        if not self._filling:
            self._mark_later.ask()

    def _mark_selection(self) -> None:
        """Mark what is selected elsewhere; the last picked is brought to sight."""
        tree = self.items.tree
        hierarchy = self.desk.known(self.path).hierarchy if self.path is not None else None
        if tree is None or hierarchy is None or self._filling:
            return
        chosen = self.chosen()
        wanted = set(chosen[-MARKED_AT_MOST:]) if len(chosen) <= MARKED_AT_MOST else set()
        marks = QItemSelection()
        last = QModelIndex()
        for row in [row for row, element in enumerate(hierarchy.ids) if element in wanted] if wanted else []:
            places = tree.places_of(row)
            if len(places):
                index = self.items.index_of_place(int(places[0]))
                marks.select(index, index)
                last = index if hierarchy.ids[row] == chosen[-1] else last
        self._filling = True
        self.view.selectionModel().select(
            marks, QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
        )
        if last.isValid() and self.isVisible():
            self.view.scrollTo(last)
        self._filling = False

    # ---- filter -----------------------------------------------------------------------------------------------------

    def _on_index(self, path: object) -> None:
        if path != self.path or self.path is None:
            return
        self.filter.offer_names(self.desk.known(self.path).index)

    def run_filter(self, text: str) -> None:
        """Select the elements that fulfil a condition and say how many."""
        self._answer = None
        if not text.strip() or self.path is None:
            self.filter.tell("")
            return
        known = self.desk.known(self.path)
        try:
            answer = self.desk.filter(self.path, text)
        except UserError as error:
            self._tell_error(error)
            return
        if answer is None:
            self.filter.tell(tr("model.index_failed" if known.index_error else "model.indexing"))
            self.desk.ask_index(self.path, again=known.index_error is not None)
            return
        self._answer = answer
        ids = self.desk.ids_of(self.path, answer)
        refs = self.model_view().refs(ids)
        self.document.selection.set(refs)
        without = len(ids) - len(refs)
        found = tr(
            "model.found" if ids else "model.found_none", count=f"{len(ids):,}", total=f"{len(answer.products):,}"
        )
        self.filter.tell(f"{found} {tr('model.found_without', count=f'{without:,}')}" if without else found)

    def _on_filter_requested(self, path: Path, condition: str) -> None:
        self._bring(path)
        self.filter.set_condition(condition)

    def _on_colour_requested(self, path: Path, name: str) -> None:
        self._bring(path)
        self.colour_by(name.strip('"'))

    def _bring(self, path: Path) -> None:
        """Show this panel with a model."""
        self.show()
        self.raise_()
        row = self.model_box.findData(path)
        if row >= 0:
            self.model_box.setCurrentIndex(row)

    def _colour_found(self) -> None:
        """Colour by the first property of the condition; a name alone will do."""
        text = self.filter.line.text().strip()
        if not text:
            self.filter.tell(tr("model.colour_what"))
            return
        self.run_filter(text)
        if self._answer is not None and self._answer.names:
            self.colour_by(self._answer.names[0])

    def colour_by(self, name: str) -> None:
        """Colour the model by a property, named with or without its set."""
        index = self.desk.known(self.path).index if self.path is not None else None
        if index is None:
            self.filter.tell(tr("model.indexing"))
            return
        try:
            key, values = column_of(index, name)
        except UserError as error:
            self._tell_error(error)
            return
        self._do(self.model_view().coloured(index.ids, values, name=key.name, unit=key.unit))

    def _tell_error(self, error: UserError) -> None:
        what, why, todo = error_texts(error)
        self.filter.tell(f"{what} {why}", tip=todo)

    # ---- menu, language, theme --------------------------------------------------------------------------------------

    def _show_menu(self, place: QPoint) -> None:
        index = self.view.indexAt(place)
        if not index.isValid():
            return
        rows = self.items.rows_under(index)
        if not self.view.selectionModel().isSelected(index):
            self.view.setCurrentIndex(index)
        menu = QMenu(self)
        menu.addAction(tr("model.select_all")).triggered.connect(lambda: self._select_rows(rows))
        for text_id, slot in (
            ("model.zoom", self.zoom),
            ("model.isolate", self.isolate),
            ("model.hide", self.hide_chosen),
            ("model.fade_others", self.fade_others),
            ("model.show_all", self.show_all),
        ):
            menu.addAction(tr(text_id)).triggered.connect(slot)
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(self.view.viewport().mapToGlobal(place))

    def _select_rows(self, rows: object) -> None:
        self.document.selection.set(self.model_view().refs(self._ids(rows)))

    def refresh_words(self) -> None:
        """Branches and notes in the current language."""
        self._fill_tree_box()
        self.rebuild()

    def refresh_theme(self) -> None:
        """Counts in the soft colour of the theme."""
        self.items.set_faint(QBrush(QColor(colours(self.bench.theme)["soft"])))
        self.view.viewport().update()
