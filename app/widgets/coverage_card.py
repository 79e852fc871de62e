"""What a plan of cameras covers while one is in hand: shares by class now, and since it was taken."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QToolButton, QVBoxLayout, QWidget

from app.appearance import set_icon
from app.cctv.bands import class_title
from app.cctv.live_coverage import Answer
from app.language import error_texts, tr
from app.widgets.wording import say
from geo.model import UserError

WIDTH = 268  # pixels
LEAST = 0.00005  # of a share that is worth a sign
SMALL = 0.0005  # below which a change is told more finely


class CoverageCard(QFrame):
    """Signals: `keep_asked()`, `closed()`."""

    keep_asked = Signal()
    closed = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._picture = parent
        self.setObjectName("live_card")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setAutoFillBackground(True)
        self.title = say(QLabel(), "coverage.title")
        self.title.setObjectName("card_title")
        self.keep_button = say(QPushButton(), "coverage.keep", tip="coverage.keep.tip")
        self.keep_button.clicked.connect(self.keep_asked)
        close = say(QToolButton(), tip="coverage.close")
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
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 8, 10, 8)
        layout.setSpacing(4)
        layout.addLayout(head)
        layout.addWidget(self.figures)
        layout.addWidget(self.rest)
        self.setFixedWidth(WIDTH)
        self.hide()

    def tell(self, text: str) -> None:
        """One line and nothing else."""
        self._fill(text, "")
        self.keep_button.setEnabled(False)

    def tell_error(self, error: UserError) -> None:
        """Why the figures cannot follow."""
        what, why, todo = error_texts(error)
        self._fill(f"{what} {why}", todo)
        self.keep_button.setEnabled(False)

    def mark_waiting(self) -> None:
        """The figures are of a pose that the camera has left."""
        self.figures.setEnabled(False)

    def show_answer(self, answer: Answer, *, waiting: bool) -> None:
        """Shares of the classes that anything is seen in, and of what is seen twice."""
        rows = []
        for name, now, before in zip(answer.names, answer.now.tolist(), answer.before.tolist(), strict=True):
            if now < LEAST and before < LEAST:
                continue
            rows.append(
                f"<tr><td>{class_title(name)}</td><td align='right'>&nbsp;<b>{100 * now:.1f} %</b></td>"
                f"<td align='right'>&nbsp;&nbsp;{change_text(now - before)}</td></tr>"
            )
        table = f"<table cellspacing='0' cellpadding='1'>{''.join(rows)}</table>"
        figures = table if rows else tr("coverage.nothing")
        if answer.fault:
            figures = f"<b>{tr(f'coverage.fault.{answer.fault}')}</b><br>{figures}"
        rest = tr("coverage.rest", cameras=answer.cameras, twice=f"{100 * answer.twice:.1f}")
        self._fill(figures, rest)
        self.keep_button.setEnabled(True)
        self.figures.setEnabled(not waiting)

    def _fill(self, figures: str, rest: str) -> None:
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


def change_text(change: float) -> str:
    """A difference in points of a hundred, with its sign."""
    if abs(change) < LEAST:
        return "±0"
    sign = "▲" if change > 0 else "▼"
    return f"{sign} {100 * abs(change):.{1 if abs(change) >= SMALL else 2}f}"
