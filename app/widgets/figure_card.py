"""The card over the picture that follows what is in hand: a title, figures, a soft line, and keeping them."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QToolButton, QVBoxLayout, QWidget

from app.appearance import set_icon
from app.language import error_texts
from app.widgets.wording import say
from geo.model import UserError


class FigureCard(QFrame):
    """A card; its texts are ``<words>.title``, ``.keep``, ``.keep.tip`` and ``.close``.

    Signals: `keep_asked()`, `closed()`.
    """

    keep_asked = Signal()
    closed = Signal()

    def __init__(self, parent: QWidget, *, words: str, width: int) -> None:
        super().__init__(parent)
        self._picture = parent
        self.setObjectName("live_card")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setAutoFillBackground(True)
        self.title = say(QLabel(), f"{words}.title")
        self.title.setObjectName("card_title")
        self.keep_button = say(QPushButton(), f"{words}.keep", tip=f"{words}.keep.tip")
        self.keep_button.setObjectName(f"{words}_keep")
        self.keep_button.clicked.connect(self.keep_asked)
        close = say(QToolButton(), tip=f"{words}.close")
        set_icon(close, "close")
        close.clicked.connect(self.closed)
        self.figures, self.rest = QLabel(), QLabel()
        for label in (self.figures, self.rest):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.RichText)
        self.rest.setObjectName("soft")
        head = QHBoxLayout()
        head.addWidget(self.title, 1)
        head.addWidget(self.keep_button)
        head.addWidget(close)
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(10, 8, 10, 8)
        self.column.setSpacing(4)
        self.column.addLayout(head)
        self.column.addWidget(self.figures)
        self.column.addWidget(self.rest)
        self.setFixedWidth(width)
        self.hide()

    def tell(self, text: str) -> None:
        """One line and nothing else."""
        self.fill(text, "")
        self.keep_button.setEnabled(False)

    def tell_error(self, error: UserError) -> None:
        """Why the figures cannot follow."""
        what, why, todo = error_texts(error)
        self.fill(f"{what} {why}", todo)
        self.keep_button.setEnabled(False)

    def mark_waiting(self) -> None:
        """The figures are of a pose that was left."""
        self.figures.setEnabled(False)

    def fill(self, figures: str, rest: str) -> None:
        """Show these texts."""
        self.figures.setText(figures)
        self.rest.setText(rest)
        self.rest.setVisible(bool(rest))
        self.adjustSize()
        self.show()
        self.raise_()

    def place(self, edge: int) -> None:
        """In the upper right corner of the picture."""
        self.adjustSize()
        self.move(self._picture.width() - self.width() - edge, edge)
