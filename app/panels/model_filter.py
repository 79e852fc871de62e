"""The line that finds elements by their properties, and what can be done with what it finds."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QCompleter, QHBoxLayout, QLabel, QLineEdit, QToolButton, QVBoxLayout, QWidget

from app.panels.panel import small_button
from app.widgets.wording import say
from bim.property_index import PropertyIndex
from bim.property_query import title_of

NAMES_OFFERED = 4000


class ModelFilter(QWidget):
    """A condition, what it found, and buttons.

    Signals
    -------
    asked(text)
        Return was pressed, or a condition came from elsewhere.
    isolate_asked(), colour_asked()
    """

    asked = Signal(str)
    isolate_asked = Signal()
    colour_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.line: QLineEdit = say(QLineEdit(), "model.filter", tip="model.filter.tip")
        self.line.setClearButtonEnabled(True)
        self.line.returnPressed.connect(self.ask)
        self.isolate: QToolButton = small_button("only", "model.isolate")
        self.colour: QToolButton = small_button("layers", "model.colour")
        self.isolate.clicked.connect(self.isolate_asked)
        self.colour.clicked.connect(self.colour_asked)
        self.found = QLabel()
        self.found.setObjectName("soft")
        self.found.setWordWrap(True)
        self.found.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        upper = QHBoxLayout()
        upper.setSpacing(4)
        for widget in (self.line, self.isolate, self.colour):
            upper.addWidget(widget, 1 if widget is self.line else 0)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 0, 8, 0)
        layout.setSpacing(4)
        layout.addLayout(upper)
        layout.addWidget(self.found)
        self.found.hide()

    def ask(self) -> None:
        """Look for what the line says."""
        self.asked.emit(self.line.text())

    def set_condition(self, text: str) -> None:
        """Write a condition and look for it."""
        self.line.setText(text)
        self.ask()

    def tell(self, text: str, *, tip: str = "") -> None:
        """Say what was found, or what is wrong; nothing for an empty text."""
        self.found.setText(text)
        self.found.setToolTip(tip)
        self.found.setVisible(bool(text))

    def offer_names(self, index: PropertyIndex | None) -> None:
        """Complete the names of the model's properties while somebody types the first one."""
        names: list[str] = []
        if index is not None:
            names = sorted({key.name for key in index.keys} | {title_of(key) for key in index.keys})[:NAMES_OFFERED]
        completer = QCompleter([f'"{name}"' if " " in name else name for name in names], self.line)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        completer.setMaxVisibleItems(8)
        self.line.setCompleter(completer)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape empties the line."""
        if event.key() == Qt.Key.Key_Escape and self.line.text():
            self.line.clear()
            self.tell("")
        else:
            super().keyPressEvent(event)
