"""Viewpoints: saved views with their names and small pictures; a click shows one again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtGui import QIcon, QImage, QKeyEvent, QPixmap
from PySide6.QtWidgets import QHBoxLayout, QLabel, QListWidget, QListWidgetItem, QMenu, QWidget

from app.language import tr
from app.panels.panel import Panel, small_button
from app.viewpoints import SavedView, order_viewpoints, remove_viewpoint, rename_viewpoint
from app.widgets.later import Later
from app.widgets.wording import say

if TYPE_CHECKING:
    from app.workbench import Workbench

THUMBNAIL = QSize(96, 60)


class _ViewItems(QListWidget):
    """The list; Enter shows, Delete removes, dragging puts in another order."""

    entered_item = Signal(QListWidgetItem)
    delete_asked = Signal()
    ordered = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter shows the view, Delete takes it away; while a name is typed the keys are its own."""
        item = self.currentItem()
        typing = self.state() == QListWidget.State.EditingState
        if not typing and event.key() == Qt.Key.Key_Delete:
            self.delete_asked.emit()
        elif not typing and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and item is not None:
            self.entered_item.emit(item)
        else:
            super().keyPressEvent(event)


class ViewpointsPanel(Panel):
    """The dock of saved viewpoints.

    Signals
    -------
    save_asked(), go_asked(id), renew_asked(id), topic_asked(id)
    """

    name = "viewpoints"
    help_page = "views"

    save_asked = Signal()
    go_asked = Signal(str)
    renew_asked = Signal(str)
    topic_asked = Signal(str)

    def __init__(self, bench: Workbench, parent: QWidget | None = None) -> None:
        super().__init__(bench, parent)
        self._icons: dict[bytes, QIcon] = {}
        self._make_bar()
        self.empty = say(QLabel(), "viewpoints.empty")
        self.empty.setObjectName("soft")
        self.empty.setWordWrap(True)
        self.list = self._make_list()
        self.layout_.addWidget(self.empty)
        self.layout_.addWidget(self.list, 1)
        # Not at once: the list may be in the middle of taking a name or a dragged row.
        self._later = Later(self, self.rebuild)
        self.connections.add(self.document.viewpoints.changed, self._later.ask)
        self.rebuild()

    # ---- making

    def _make_bar(self) -> None:
        self.save_button = small_button("new", "viewpoints.save")
        self.renew_button = small_button("redo", "viewpoints.renew")
        self.rename_button = small_button("rename", "viewpoints.rename")
        self.up_button = small_button("up", "viewpoints.up")
        self.down_button = small_button("down", "viewpoints.down")
        self.topic_button = small_button("picture", "viewpoints.topic")
        self.remove_button = small_button("remove", "viewpoints.remove")
        self.save_button.clicked.connect(self.save_asked)
        self.renew_button.clicked.connect(lambda: self.renew_asked.emit(self.current_id))
        self.rename_button.clicked.connect(self.start_rename)
        self.up_button.clicked.connect(lambda: self.move_current(-1))
        self.down_button.clicked.connect(lambda: self.move_current(1))
        self.topic_button.clicked.connect(lambda: self.topic_asked.emit(self.current_id))
        self.remove_button.clicked.connect(self.remove)
        row = QHBoxLayout()
        row.setSpacing(4)
        for button in (self.save_button, self.renew_button, self.rename_button, self.up_button, self.down_button):
            row.addWidget(button)
        row.addStretch(1)
        row.addWidget(self.topic_button)
        row.addWidget(self.remove_button)
        self.layout_.addLayout(row)

    def _make_list(self) -> _ViewItems:
        made = _ViewItems()
        made.setIconSize(THUMBNAIL)
        made.setSpacing(1)
        made.setWordWrap(True)
        made.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        made.setDragDropMode(QListWidget.DragDropMode.InternalMove)
        made.setEditTriggers(QListWidget.EditTrigger.EditKeyPressed)
        made.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        made.customContextMenuRequested.connect(self._show_menu)
        made.currentItemChanged.connect(lambda _now, _before: self._refresh_buttons())
        made.itemClicked.connect(self._on_item)
        made.entered_item.connect(self._on_item)
        made.delete_asked.connect(self.remove)
        made.itemChanged.connect(self._renamed)
        made.model().rowsMoved.connect(lambda *_what: self._ordered())
        return made

    # ---- showing

    @property
    def current_id(self) -> str:
        """Id of the viewpoint in hand, or ``""``."""
        item = self.list.currentItem()
        return "" if item is None else str(item.data(Qt.ItemDataRole.UserRole))

    def take(self, view_id: str) -> None:
        """Take a viewpoint in hand, without going to it."""
        for row in range(self.list.count()):
            if self.list.item(row).data(Qt.ItemDataRole.UserRole) == view_id:
                self.list.setCurrentRow(row)

    def rebuild(self) -> None:
        """The list anew."""
        self._later.stop()  # a name that is typed from now on would be lost
        view_id = self.current_id
        self.list.blockSignals(True)
        self.list.clear()
        for view in self.document.viewpoints:
            item = QListWidgetItem(self._icon(view), view.name)
            item.setData(Qt.ItemDataRole.UserRole, view.id)
            item.setFlags((item.flags() | Qt.ItemFlag.ItemIsEditable) & ~Qt.ItemFlag.ItemIsDropEnabled)
            item.setToolTip(tip_of(view))
            self.list.addItem(item)
        kept = {view.picture for view in self.document.viewpoints}
        self._icons = {key: icon for key, icon in self._icons.items() if key in kept}
        self.take(view_id)
        self.list.blockSignals(False)
        self.empty.setVisible(len(self.document.viewpoints) == 0)
        self.list.setVisible(len(self.document.viewpoints) > 0)
        self.layout_.setAlignment(self.empty, Qt.AlignmentFlag.AlignTop)
        self._refresh_buttons()

    def _icon(self, view: SavedView) -> QIcon:
        data = view.picture
        if data not in self._icons:
            tile = QPixmap(THUMBNAIL * 2)
            tile.fill(self.palette().color(self.palette().ColorRole.AlternateBase))
            image = QImage.fromData(data) if data else QImage()
            self._icons[data] = QIcon(tile if image.isNull() else QPixmap.fromImage(image))
        return self._icons[data]

    def _refresh_buttons(self) -> None:
        row, count = self.list.currentRow(), self.list.count()
        for button in (self.renew_button, self.rename_button, self.topic_button, self.remove_button):
            button.setEnabled(row >= 0)
        self.up_button.setEnabled(row > 0)
        self.down_button.setEnabled(0 <= row < count - 1)

    def refresh_words(self) -> None:
        """In the current language."""
        self.rebuild()

    # ---- doing

    def _on_item(self, item: QListWidgetItem) -> None:
        self.go_asked.emit(str(item.data(Qt.ItemDataRole.UserRole)))

    def start_rename(self) -> None:
        """Let the name be typed where it stands."""
        item = self.list.currentItem()
        if item is not None:
            self.list.editItem(item)

    def _renamed(self, item: QListWidgetItem) -> None:
        view_id, name = str(item.data(Qt.ItemDataRole.UserRole)), item.text().strip()
        view = self.document.viewpoints.get(view_id)
        if view is None or name == view.name:
            return
        if name:
            self.bench.do(rename_viewpoint(self.document, view_id, name))
        else:
            self._later.ask()

    def move_current(self, rows: int) -> None:
        """Put the viewpoint in hand higher or lower."""
        ids, view_id = [view.id for view in self.document.viewpoints], self.current_id
        if view_id not in ids:
            return
        place = min(max(ids.index(view_id) + rows, 0), len(ids) - 1)
        ids.remove(view_id)
        ids.insert(place, view_id)
        self.bench.do(order_viewpoints(self.document, ids))

    def _ordered(self) -> None:
        """The list was put in another order by dragging."""
        ids = [str(self.list.item(row).data(Qt.ItemDataRole.UserRole)) for row in range(self.list.count())]
        if ids != [view.id for view in self.document.viewpoints]:
            self.bench.do(order_viewpoints(self.document, ids))

    def remove(self) -> None:
        """Take the viewpoint in hand out of the project."""
        if self.current_id:
            self.bench.do(remove_viewpoint(self.document, self.current_id))

    def release(self) -> None:
        """Stop listening."""
        self._later.stop()
        super().release()

    def _show_menu(self, place: QPoint) -> None:
        item = self.list.itemAt(place)
        if item is None:
            return
        self.list.setCurrentItem(item)
        view_id = self.current_id
        menu = QMenu(self)
        for text, act in (
            ("viewpoints.go", lambda: self.go_asked.emit(view_id)),
            ("viewpoints.renew", lambda: self.renew_asked.emit(view_id)),
            ("viewpoints.rename", self.start_rename),
            ("viewpoints.topic", lambda: self.topic_asked.emit(view_id)),
            ("viewpoints.remove", self.remove),
        ):
            menu.addAction(tr(text)).triggered.connect(act)
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(self.list.mapToGlobal(place))


def tip_of(view: SavedView) -> str:
    """What a viewpoint brings back, in a few lines."""
    lines = [view.name]
    if view.day is not None:
        lines.append(f"{view.day:%Y-%m-%d} {view.minute // 60:02d}:{view.minute % 60:02d}")
    if view.storey is not None:
        lines.append(tr("viewpoints.tip.storey", storey=view.storey.label or "–"))
    elif view.planes or view.box is not None:
        lines.append(tr("viewpoints.tip.section"))
    lines.append(tr("viewpoints.tip.layers", count=len(view.visible)))
    return "\n".join(lines)
