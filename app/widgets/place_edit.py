"""Editor of a place: an id or coordinates, taken from the selection or picked in the picture."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QToolButton, QWidget

from app.appearance import set_icon
from app.widgets.wording import say

LEAST_WIDTH = 150  # pixels: coordinates are read whole


class PlaceEdit(QWidget):
    """A line of text with two buttons.

    Signals
    -------
    changed()
    selection_asked(), pick_asked()
        Whoever knows the scene answers by `set_text`.
    """

    changed = Signal()
    selection_asked = Signal()
    pick_asked = Signal()

    def __init__(self, text: str = "", *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.line = QLineEdit(text)
        self.line.setMinimumWidth(LEAST_WIDTH)
        self.line.textChanged.connect(lambda _text: self.changed.emit())
        self.setFocusProxy(self.line)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.line, 1)
        self.selection_button = self._button("select", "param.use_selection", self.selection_asked)
        self.pick_button = self._button("target", "param.pick", self.pick_asked)
        layout.addWidget(self.selection_button)
        layout.addWidget(self.pick_button)

    def _button(self, icon: str, tip: str, asked: Signal) -> QToolButton:
        button: QToolButton = say(QToolButton(), tip=tip)
        set_icon(button, icon)
        button.clicked.connect(lambda _checked=False: asked.emit())  # type: ignore[attr-defined]
        return button

    @property
    def text(self) -> str:
        """What it holds."""
        return self.line.text()

    def set_text(self, text: str) -> None:
        """Show another place."""
        self.line.setText(text)
