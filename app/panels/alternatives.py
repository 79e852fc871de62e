"""Alternatives: the base and the named sets of changes, which of them is shown, and what the shown one changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QFont, QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)

from app.alternative_diff import difference_text, differing, thing_text
from app.alternatives import (
    BASE,
    add_alternative,
    change_elements,
    remove_alternative,
    remove_mass,
    remove_trees,
    rename_alternative,
    switch_alternative,
)
from app.language import tr
from app.names import element_name, layer_title
from app.panels.panel import Panel, small_button
from app.proposals import remove_proposal
from app.widgets.later import Later
from app.widgets.wording import say
from geo.alternatives import MASSES, TREES, Alternative, Change
from geo.model import ElementRef, UserError
from geo.proposals import PREFIX

if TYPE_CHECKING:
    from app.workbench import Workbench

LIST_ROWS = 5
ID = Qt.ItemDataRole.UserRole


class _Items(QListWidget):
    """The list; Enter shows an alternative, Delete removes it."""

    shown_asked = Signal()
    delete_asked = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keys of the list."""
        if event.key() == Qt.Key.Key_Delete:
            self.delete_asked.emit()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.state() != self.State.EditingState:
            self.shown_asked.emit()
        else:
            super().keyPressEvent(event)


class AlternativesPanel(Panel):
    """The dock of alternatives.

    Signals
    -------
    mass_asked()
        Draw a new mass.
    """

    name = "alternatives"
    help_page = "alternatives"

    mass_asked = Signal()

    def __init__(self, bench: Workbench, parent: QWidget | None = None) -> None:
        super().__init__(bench, parent)
        self._make_bar()
        self._make_list()
        self._make_changes()
        self._later = Later(self, self.rebuild)
        self.connections.add(self.document.alternatives.changed, self._later.ask)
        self.connections.add(self.document.selection.changed, self._mark_selected)
        self.connections.add(self.document.scene.framed, self._later.ask)
        self.connections.add(self.document.changed, self._enable)
        self.rebuild()

    # ---- making

    def _make_bar(self) -> None:
        self.add_button = small_button("new", "alternatives.add")
        self.copy_button = small_button("copy", "alternatives.duplicate")
        self.rename_button = small_button("rename", "alternatives.rename")
        self.remove_button = small_button("remove", "alternatives.remove")
        self.mass_button = small_button("city", "alternatives.new_mass")
        self.undo_button = small_button("undo", "alternatives.undo")
        self.add_button.clicked.connect(self.add)
        self.copy_button.clicked.connect(self.duplicate)
        self.rename_button.clicked.connect(self.start_rename)
        self.remove_button.clicked.connect(self.remove)
        self.mass_button.clicked.connect(self.mass_asked)
        self.undo_button.clicked.connect(self.document.history.undo)
        row = QHBoxLayout()
        row.setSpacing(4)
        for button in (self.add_button, self.copy_button, self.rename_button, self.remove_button):
            row.addWidget(button)
        row.addStretch(1)
        row.addWidget(self.mass_button)
        row.addWidget(self.undo_button)
        self.layout_.addLayout(row)

    def _make_list(self) -> None:
        self.list = _Items()
        self.list.setEditTriggers(QAbstractItemView.EditTrigger.EditKeyPressed)
        self.list.itemClicked.connect(lambda _item: self.show_current())
        self.list.itemDoubleClicked.connect(lambda _item: self.start_rename())
        self.list.itemChanged.connect(self._on_renamed)
        self.list.shown_asked.connect(self.show_current)
        self.list.delete_asked.connect(self.remove)
        self.list.currentRowChanged.connect(lambda _row: self._enable())
        say(self.list, tip="alternatives.list")
        self.layout_.addWidget(self.list)

    def _make_changes(self) -> None:
        self.empty = QLabel()
        self.empty.setObjectName("soft")
        self.empty.setWordWrap(True)
        self.changes = QTreeWidget()
        self.changes.setRootIsDecorated(False)
        self.changes.setColumnCount(len(COLUMNS))
        self.changes.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.changes.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        header = self.changes.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.changes.itemClicked.connect(lambda item, _column: self._select(item, zoom=False))
        self.changes.itemDoubleClicked.connect(lambda item, _column: self._select(item, zoom=True))
        self.reset_button = small_button("close", "alternatives.reset")
        self.zoom_button = small_button("zoom", "alternatives.zoom")
        self.reset_button.clicked.connect(self.reset)
        self.zoom_button.clicked.connect(self.zoom)
        self.changes.itemSelectionChanged.connect(self._enable)
        row = QHBoxLayout()
        self.changes_title = QLabel()
        row.addWidget(self.changes_title, 1)
        row.addWidget(self.zoom_button)
        row.addWidget(self.reset_button)
        self.layout_.addLayout(row)
        self.against = say(QComboBox(), tip="alternatives.against.tip")
        self.against_title = say(QLabel(), "alternatives.against")
        self.against_title.setObjectName("soft")
        self.against.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.against.activated.connect(lambda _index: self.rebuild())
        beside = QHBoxLayout()
        beside.addWidget(self.against_title)
        beside.addWidget(self.against, 1)
        self.layout_.addLayout(beside)
        self.layout_.addWidget(self.empty)
        self.layout_.addWidget(self.changes, 1)

    # ---- showing

    @property
    def current_id(self) -> str:
        """Id of the row in hand; `BASE` for the base."""
        item = self.list.currentItem()
        return BASE if item is None else str(item.data(ID))

    def rebuild(self) -> None:
        """Both lists anew."""
        self._later.stop()  # else it would close the editor of a name that is opened now
        alternatives = self.document.alternatives
        with QSignalBlocker(self.list):
            self.list.clear()
            self._add_row(BASE, tr("alternatives.base"), "")
            for one in alternatives.items:
                self._add_row(
                    one.id,
                    one.name,
                    tr("alternatives.count", count=one.count),
                )
        rows = 20 + self.list.sizeHintForRow(0) * max(2, min(self.list.count(), LIST_ROWS))
        self.list.setFixedHeight(rows)
        self._show_changes(alternatives.get(alternatives.active))
        self._enable()

    def _add_row(self, alternative_id: str, name: str, tip: str) -> None:
        item = QListWidgetItem(name, self.list)
        item.setData(ID, alternative_id)
        item.setToolTip(tip)
        shown = alternative_id == self.document.alternatives.active
        if alternative_id != BASE:
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable)
        font = QFont(self.list.font())
        font.setBold(shown)
        item.setFont(font)
        if shown:
            self.list.setCurrentItem(item)

    def _show_changes(self, shown: Alternative | None) -> None:
        with QSignalBlocker(self.changes):
            self.changes.clear()
            self.changes.setHeaderLabels([tr(f"alternatives.column.{name}") for name in COLUMNS])
            other = self._fill_against(shown)
            for row in differing(other, shown):
                said = difference_text(row) if other is not None else thing_text(row.after, row)
                self._add_change(row.ref, row.name or self._name_of(row.ref), said)
        self._mark_selected()
        count = self.changes.topLevelItemCount()
        self.changes_title.setText(
            tr("alternatives.changes_of", name=shown.name) if shown is not None else tr("alternatives.base_shown")
        )
        self.changes.setVisible(count > 0)
        self.empty.setVisible(count == 0)
        nothing = "alternatives.same" if other is not None else "alternatives.empty"
        self.empty.setText(tr(nothing if shown is not None else "alternatives.empty_base"))
        self.layout_.setAlignment(self.empty, Qt.AlignmentFlag.AlignTop)

    def _fill_against(self, shown: Alternative | None) -> Alternative | None:
        """The choice of what the one shown is compared with; None is the base."""
        alternatives = self.document.alternatives
        others = [one for one in alternatives.items if shown is not None and one.id != shown.id]
        chosen = str(self.against.currentData() or BASE)
        with QSignalBlocker(self.against):
            self.against.clear()
            self.against.addItem(tr("alternatives.base"), BASE)
            for one in others:
                self.against.addItem(one.name, one.id)
            self.against.setCurrentIndex(max(self.against.findData(chosen), 0))
        for widget in (self.against, self.against_title):
            widget.setVisible(bool(others))
        return alternatives.get(str(self.against.currentData()))

    def _add_change(self, ref: ElementRef, name: str, said: str) -> None:
        item = QTreeWidgetItem(self.changes, [name, said])
        item.setData(0, ID, (ref.layer_id, ref.element_id))
        for column in range(len(COLUMNS)):
            item.setToolTip(column, f"{name}: {said}")

    def _name_of(self, ref: ElementRef) -> str:
        layer = self.document.scene.get(ref.layer_id)
        if layer is None:
            return ref.element_id
        return element_name(layer, ref.element_id) if ref.element_id else layer_title(layer)

    def _mark_selected(self) -> None:
        """The rows of what is selected in the scene."""
        chosen = set(self.document.selection.items)
        with QSignalBlocker(self.changes):
            for item in self._rows():
                item.setSelected(_ref(item) in chosen)
        self._enable()

    def _rows(self) -> list[QTreeWidgetItem]:
        items = [self.changes.topLevelItem(row) for row in range(self.changes.topLevelItemCount())]
        return [item for item in items if item is not None]

    def _enable(self) -> None:
        is_alternative = self.current_id != BASE
        self.rename_button.setEnabled(is_alternative)
        self.remove_button.setEnabled(is_alternative)
        chosen = bool(self.changes.selectedItems())
        self.reset_button.setEnabled(chosen)
        self.zoom_button.setEnabled(chosen)
        self.undo_button.setEnabled(self.document.history.undo_title is not None)
        has_scene = self.document.scene.frame is not None
        for button in (self.add_button, self.copy_button, self.mass_button):
            button.setEnabled(has_scene)

    # ---- doing

    def show_current(self) -> None:
        """Show the alternative in hand in the picture."""
        if self.current_id != self.document.alternatives.active:
            self.bench.do(switch_alternative(self.document, self.current_id))

    def add(self) -> None:
        """A new alternative, and the cursor in its name."""
        if self.bench.do(add_alternative(self.document, tr("alternatives.new_name"))):
            self.rebuild()
            self.start_rename()

    def duplicate(self) -> None:
        """A copy of the one in hand."""
        one = self.document.alternatives.get(self.current_id)
        wish = tr("alternatives.copy_name", name=one.name) if one is not None else tr("alternatives.new_name")
        if self.bench.do(add_alternative(self.document, wish, copy_of=self.current_id)):
            self.rebuild()
            self.start_rename()

    def start_rename(self) -> None:
        """Edit the name of the one in hand where it stands."""
        item = self.list.currentItem()
        if item is not None and item.data(ID) != BASE:
            self.list.editItem(item)

    def _on_renamed(self, item: QListWidgetItem) -> None:
        one = self.document.alternatives.get(str(item.data(ID)))
        if one is None or item.text() == one.name:
            return
        try:
            step = rename_alternative(self.document, one.id, item.text().strip())
        except UserError as error:
            self.bench.notices.report(error)
            self._later.ask()
            return
        self.bench.do(step)

    def remove(self) -> None:
        """Take the one in hand out of the project; its results stay."""
        if self.current_id != BASE:
            self.bench.do(remove_alternative(self.document, self.current_id))

    def _select(self, item: QTreeWidgetItem, *, zoom: bool) -> None:
        refs = [_ref(one) for one in self.changes.selectedItems()] or [_ref(item)]
        self.document.selection.set(ref for ref in refs if ref.layer_id in self.document.scene)
        if zoom:
            self.bench.zoom_to(refs)

    def zoom(self) -> None:
        """Look at the chosen rows."""
        self.bench.zoom_to([_ref(item) for item in self.changes.selectedItems()])

    def reset(self) -> None:
        """The chosen buildings as the base has them; a chosen mass goes."""
        refs = [_ref(item) for item in self.changes.selectedItems()]
        made = (MASSES, TREES, *(ref.layer_id for ref in refs if ref.layer_id.startswith(PREFIX)))
        back = {ref: Change() for ref in refs if ref.layer_id not in made}
        name = tr("alternatives.new_name")
        if back:
            self.bench.do(change_elements(self.document, back, name=name))
        planted = [ref for ref in refs if ref.layer_id == TREES]
        if planted:
            self.bench.do(remove_trees(self.document, planted, name=name))
        for ref in refs:
            if ref.layer_id == MASSES:
                self.bench.do(remove_mass(self.document, ref.element_id, name=name))
            elif ref.layer_id.startswith(PREFIX):
                self.bench.do(remove_proposal(self.document, ref.element_id, name=name))

    def refresh_words(self) -> None:
        """In the current language."""
        self.rebuild()


COLUMNS = ("building", "change")


def _ref(item: QTreeWidgetItem) -> ElementRef:
    layer_id, element_id = item.data(0, ID)
    return ElementRef(layer_id, element_id)
