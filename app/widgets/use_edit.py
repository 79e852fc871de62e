"""A line for the use of a building that offers words as one types, and all of them by its arrow or the Down key."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import QCompleter, QLineEdit, QWidget

from app.appearance import set_icon
from app.language import tr


class UseEdit(QLineEdit):
    """Any text; `names` are offered. A word that was chosen ends the editing, as Enter does."""

    def __init__(self, text: str, names: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        offered = QCompleter(list(names), self)
        offered.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        offered.setFilterMode(Qt.MatchFlag.MatchContains)
        offered.setMaxVisibleItems(10)
        offered.activated.connect(self._take)
        self.setCompleter(offered)
        self.setPlaceholderText(tr("mass.use.hint"))
        arrow = QAction(self)
        set_icon(arrow, "down")
        arrow.setToolTip(tr("mass.use.all"))
        arrow.triggered.connect(self.offer_all)
        self.addAction(arrow, QLineEdit.ActionPosition.TrailingPosition)

    def offer_all(self) -> None:
        """All words, whatever stands in the line."""
        self.setFocus()
        offered = self.completer()
        offered.setCompletionPrefix("")
        offered.complete()

    def _take(self, word: str) -> None:
        self.setText(word)
        self.editingFinished.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Down opens the list."""
        if event.key() == Qt.Key.Key_Down and not self.completer().popup().isVisible():
            self.offer_all()
            return
        super().keyPressEvent(event)
