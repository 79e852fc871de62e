"""The bar while something of a catalogue is being placed: which model, and what else belongs to it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QFrame, QHBoxLayout, QLabel, QPushButton, QWidget

from app.widgets.wording import say

EDGE, ABOVE = 16, 56  # pixels beside the bar and below it


class PlaceBar(QFrame):
    """A bar; its texts are ``<words>.placing``, ``.model.tip``, ``.leave`` and ``.leave.tip``.

    Signals: `cancel_asked()`.
    """

    cancel_asked = Signal()

    def __init__(self, parent: QWidget, *, words: str, usual: str) -> None:
        super().__init__(parent)
        self._picture, self._usual = parent, usual
        self.setObjectName("mass_bar")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setAutoFillBackground(True)
        self.title = say(QLabel(), f"{words}.placing")
        self.title.setObjectName("card_title")
        self.model_box = QComboBox()
        self.model_box.setObjectName(f"{words}_place_model")
        self.model_box.setMinimumWidth(150)
        say(self.model_box, tip=f"{words}.model.tip")
        self.cancel_button = say(QPushButton(), f"{words}.leave", tip=f"{words}.leave.tip")
        self.cancel_button.clicked.connect(self.cancel_asked)
        self.row = QHBoxLayout(self)
        self.row.setContentsMargins(8, 6, 8, 6)
        self.row.setSpacing(8)
        for widget in (self.title, self.model_box, *self.more(), self.cancel_button):
            self.row.addWidget(widget)
        self.hide()

    def more(self) -> Sequence[QWidget]:
        """What stands between the model and the button."""
        return ()

    @property
    def model(self) -> str:
        """Id of the model."""
        return str(self.model_box.currentData() or self._usual)

    def offer(self, entries: Sequence[tuple[str, str]]) -> None:
        """Show the bar with these titles and ids to choose from; the choice is as it was."""
        chosen = self.model
        self.model_box.clear()
        for title, key in entries:
            self.model_box.addItem(title, key)
        self.model_box.setCurrentIndex(max(self.model_box.findData(chosen), 0))
        self.show()
        self.raise_()
        self.place()

    def place(self) -> None:
        """In the middle of the lower edge of the picture."""
        self.adjustSize()
        width = min(self.sizeHint().width(), self._picture.width() - EDGE)
        self.resize(width, self.sizeHint().height())
        self.move((self._picture.width() - width) // 2, self._picture.height() - self.height() - ABOVE)
