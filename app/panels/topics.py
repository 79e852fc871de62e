"""Topics: what people noted, each with its picture; one click shows what they saw."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, QUrl, Signal
from PySide6.QtGui import QIcon, QImage, QKeyEvent, QPixmap
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QSplitter,
    QTextBrowser,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.appearance import colours
from app.language import tr
from app.panels.panel import Panel, small_button
from app.topic_html import GO, status_line, topic_html
from app.topics import ChangeTopic, RemoveTopics, changed_by, with_comment
from app.widgets.wording import say
from bim.bcf.model import VERSIONS, Topic

if TYPE_CHECKING:
    from app.workbench import Workbench

THUMBNAIL = QSize(64, 44)
LIST_HEIGHT, DETAIL_HEIGHT = 220, 260


class _TopicItems(QListWidget):
    """The list; Enter does what a click does, Delete removes."""

    entered_item = Signal(QListWidgetItem)
    delete_asked = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter shows the view, Delete removes the topic."""
        item = self.currentItem()
        if event.key() == Qt.Key.Key_Delete:
            self.delete_asked.emit()
            return
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and item is not None:
            self.entered_item.emit(item)
            return
        super().keyPressEvent(event)


class TopicsPanel(Panel):
    """The dock of topics.

    Signals
    -------
    go_asked(topic guid, viewpoint guid)
    new_asked(), view_asked(topic guid), edit_asked(topic guid), import_asked(), export_asked(version)
    """

    name = "topics"
    help_page = "topics"

    go_asked = Signal(str, str)
    new_asked = Signal()
    view_asked = Signal(str)
    edit_asked = Signal(str)
    import_asked = Signal()
    export_asked = Signal(str)

    def __init__(self, bench: Workbench, parent: QWidget | None = None) -> None:
        super().__init__(bench, parent)
        self._icons: dict[bytes, QIcon] = {}
        self._make_bar()
        self._make_list()
        self._make_detail()
        self.connections.add(self.document.topics.changed, self.rebuild)
        self.rebuild()

    # ---- making

    def _make_bar(self) -> None:
        self.new_button = small_button("picture", "topics.new")
        self.view_button = small_button("image", "topics.add_view")
        self.edit_button = small_button("rename", "topics.edit")
        self.remove_button = small_button("remove", "topics.remove")
        self.import_button = small_button("import", "topics.import")
        self.export_button = small_button("export", "topics.export")
        self.export_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self.export_button)
        for version in reversed(VERSIONS):
            menu.addAction(f"BCF {version}").triggered.connect(
                lambda _checked=False, v=version: self.export_asked.emit(v)
            )
        self.export_button.setMenu(menu)
        self.new_button.clicked.connect(self.new_asked)
        self.view_button.clicked.connect(lambda: self.view_asked.emit(self.current_guid))
        self.edit_button.clicked.connect(lambda: self.edit_asked.emit(self.current_guid))
        self.remove_button.clicked.connect(self.remove)
        self.import_button.clicked.connect(self.import_asked)
        row = QHBoxLayout()
        row.setSpacing(4)
        for button in (self.new_button, self.view_button, self.edit_button, self.remove_button):
            row.addWidget(button)
        row.addStretch(1)
        for button in (self.import_button, self.export_button):
            row.addWidget(button)
        self.layout_.addLayout(row)

    def _make_list(self) -> None:
        self.empty = say(QLabel(), "topics.empty")
        self.empty.setObjectName("soft")
        self.empty.setWordWrap(True)
        self.list = _TopicItems()
        self.list.setIconSize(THUMBNAIL)
        self.list.setWordWrap(True)
        self.list.setSpacing(1)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.currentItemChanged.connect(lambda _now, _before: self._show_detail())
        self.list.itemClicked.connect(self._on_item)
        self.list.entered_item.connect(self._on_item)
        self.list.delete_asked.connect(self.remove)

    def _make_detail(self) -> None:
        self.detail = QTextBrowser()
        self.detail.setOpenLinks(False)
        self.detail.anchorClicked.connect(self._on_link)
        self.comment_edit = say(QLineEdit(), "topics.comment")
        self.comment_edit.returnPressed.connect(self.add_comment)
        below = QWidget()
        layout = QVBoxLayout(below)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.detail, 1)
        layout.addWidget(self.comment_edit)
        self.splitter = QSplitter(Qt.Orientation.Vertical)
        self.splitter.addWidget(self.list)
        self.splitter.addWidget(below)
        self.splitter.setSizes([LIST_HEIGHT, DETAIL_HEIGHT])
        self.splitter.setChildrenCollapsible(False)
        self.layout_.addWidget(self.empty)
        self.layout_.addWidget(self.splitter, 1)

    # ---- showing

    @property
    def current_guid(self) -> str:
        """Guid of the topic in hand, or ``""``."""
        item = self.list.currentItem()
        return "" if item is None else str(item.data(Qt.ItemDataRole.UserRole))

    @property
    def current(self) -> Topic | None:
        """The topic in hand."""
        return self.document.topics.get(self.current_guid)

    def show_topic(self, guid: str) -> None:
        """Take a topic in hand, without going to it."""
        for row in range(self.list.count()):
            if self.list.item(row).data(Qt.ItemDataRole.UserRole) == guid:
                self.list.setCurrentRow(row)

    def rebuild(self) -> None:
        """The list anew."""
        guid = self.current_guid
        self.list.blockSignals(True)
        self.list.clear()
        for topic in self.document.topics:
            item = QListWidgetItem(self._icon(topic), f"{topic.title}\n{status_line(topic)}")
            item.setData(Qt.ItemDataRole.UserRole, topic.guid)
            item.setToolTip(topic.title)
            self.list.addItem(item)
        self._icons = {t.snapshot: self._icons[t.snapshot] for t in self.document.topics if t.snapshot in self._icons}
        self.show_topic(guid)
        self.list.blockSignals(False)
        has_topics = len(self.document.topics) > 0
        self.empty.setVisible(not has_topics)
        self.splitter.setVisible(has_topics)
        self.export_button.setEnabled(has_topics)
        self.layout_.setAlignment(self.empty, Qt.AlignmentFlag.AlignTop)
        self._show_detail()

    def _icon(self, topic: Topic) -> QIcon:
        """The picture of a topic, small; an empty frame without one."""
        data = topic.snapshot
        if data not in self._icons:
            tile = QPixmap(THUMBNAIL * 2)
            tile.fill(self.palette().color(self.palette().ColorRole.AlternateBase))
            image = QImage.fromData(data) if data else QImage()
            if not image.isNull():
                fill = Qt.AspectRatioMode.KeepAspectRatioByExpanding
                scaled = image.scaled(tile.size(), fill, Qt.TransformationMode.SmoothTransformation)
                left, top = (scaled.width() - tile.width()) // 2, (scaled.height() - tile.height()) // 2
                tile = QPixmap.fromImage(scaled.copy(left, top, tile.width(), tile.height()))
            self._icons[data] = QIcon(tile)
        return self._icons[data]

    def _show_detail(self) -> None:
        topic = self.current
        palette = colours(self.bench.theme)
        text = "" if topic is None else topic_html(topic, soft=palette["soft"])
        self.detail.setHtml(text or f'<p style="color:{palette["soft"]}">{tr("topics.choose")}</p>')
        self.comment_edit.setEnabled(topic is not None)
        self.view_button.setEnabled(topic is not None)
        self.edit_button.setEnabled(topic is not None)
        self.remove_button.setEnabled(topic is not None)

    # ---- doing

    def _on_item(self, item: QListWidgetItem) -> None:
        self.go_asked.emit(str(item.data(Qt.ItemDataRole.UserRole)), "")

    def _on_link(self, link: QUrl) -> None:
        text = link.toString()
        if text.startswith(GO):
            self.go_asked.emit(self.current_guid, text.removeprefix(GO))

    def remove(self) -> None:
        """Take the topic in hand out of the project."""
        if self.current is not None:
            self.bench.do(RemoveTopics([self.current_guid]))

    def add_comment(self) -> None:
        """Add what was typed as a comment."""
        topic, text = self.current, self.comment_edit.text().strip()
        if topic is None or not text:
            return
        author = self.bench.settings.author
        self.comment_edit.clear()
        self.bench.do(ChangeTopic(changed_by(with_comment(topic, text, author=author), author)))

    def refresh_words(self) -> None:
        """In the current language."""
        self.rebuild()

    def refresh_theme(self) -> None:
        """In the current colours."""
        self._icons.clear()
        self.rebuild()
