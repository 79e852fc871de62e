"""The manual in a window of its own (F1)."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QHBoxLayout, QListWidget, QListWidgetItem, QTextBrowser, QWidget

from app.actions import ACTIONS
from app.help_commands import commands_table
from app.help_pages import page, page_titles
from app.language import language, tr
from app.widgets.wording import say
from resources import path


def keys_table() -> str:
    """The shortcuts of the table of actions as Markdown, so that the page cannot differ from the program."""
    rows = [f"| {tr(f'action.{spec.id}').rstrip('…')} | `{spec.shortcut}` |" for spec in ACTIONS if spec.shortcut]
    return "\n".join(["", f"| {tr('help.column.command')} | {tr('help.column.key')} |", "|---|---|", *rows, ""])


def made_part(name: str) -> str:
    """What the program adds to a written page from its own tables."""
    if name == "commands":
        return commands_table()
    return keys_table() if name == "keys" else ""


class HelpWindow(QDialog):
    """Pages on the left, text on the right."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        say(self, "help.title")
        self.resize(860, 600)
        self.list = QListWidget()
        self.list.setAccessibleName(tr("help.title"))
        self.list.setFixedWidth(210)
        self.list.currentItemChanged.connect(self._on_chosen)
        self.text = QTextBrowser()
        self.text.setAccessibleName(tr("help.title"))
        self.text.setOpenLinks(False)
        self.text.anchorClicked.connect(lambda url: self.show_page(url.toString()))
        self.text.document().setDocumentMargin(20)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(1)
        layout.addWidget(self.list)
        layout.addWidget(self.text, 1)
        self.retranslate()

    @property
    def current(self) -> str:
        """Id of the page on show."""
        item = self.list.currentItem()
        return str(item.data(Qt.ItemDataRole.UserRole)) if item is not None else "overview"

    def show_page(self, name: str) -> None:
        """Open a page by its id."""
        for row in range(self.list.count()):
            if self.list.item(row).data(Qt.ItemDataRole.UserRole) == name:
                self.list.setCurrentRow(row)

    def _on_chosen(self, item: QListWidgetItem | None) -> None:
        if item is not None:
            name = str(item.data(Qt.ItemDataRole.UserRole))
            self.text.setSearchPaths([str(path(f"help/{language.code}"))])  # of pictures
            self.text.setMarkdown(page(name) + made_part(name))

    def retranslate(self) -> None:
        """Titles and text in the current language."""
        current = self.current
        self.list.clear()
        for name, title in page_titles():
            item = QListWidgetItem(("   " if name.startswith("analysis:") else "") + title, self.list)
            item.setData(Qt.ItemDataRole.UserRole, name)
        self.show_page(current)
