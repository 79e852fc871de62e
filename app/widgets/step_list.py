"""A list of the steps of a way; a click on one shows it in the picture."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QFrame, QHBoxLayout, QLabel, QListWidget, QListWidgetItem, QWidget

from app.way_steps import WayStep, length_text, time_text

MARGIN = 3  # pixels above and below a step
NUMBER_WIDTH, FIGURE_WIDTH = 20, 88  # pixels
ROWS_AT_MOST = 400


class StepList(QListWidget):
    """Steps as high as they are: the card they stand in is scrolled.

    Signals
    -------
    step_chosen(ElementRef)
    """

    step_chosen = Signal(object)

    def __init__(self, steps: Sequence[WayStep]) -> None:
        super().__init__()
        self.setObjectName("steps")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setResizeMode(QListWidget.ResizeMode.Adjust)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.steps = tuple(steps[:ROWS_AT_MOST])
        for number, step in enumerate(self.steps, start=1):
            item = QListWidgetItem(self)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, step.text)
            item.setToolTip(step.text)
            self.setItemWidget(item, _row(number, step))
        self.itemActivated.connect(self._chosen)
        self.itemClicked.connect(self._chosen)
        self._set_heights()

    def _chosen(self, item: QListWidgetItem) -> None:
        self.step_chosen.emit(self.steps[self.row(item)].ref)

    def resizeEvent(self, event: object) -> None:
        """Sentences break anew at another width."""
        super().resizeEvent(event)  # type: ignore[arg-type]
        self._set_heights()

    def _set_heights(self) -> None:
        whole = 0
        for number in range(self.count()):
            row = self.itemWidget(self.item(number))
            text = row.findChild(QLabel, "step_text") if row is not None else None
            if not isinstance(text, QLabel):
                continue
            width = max(self.viewport().width() - NUMBER_WIDTH - FIGURE_WIDTH - 16, 60)
            height = max(text.heightForWidth(width), 16) + 2 * MARGIN
            self.item(number).setSizeHint(QSize(0, height))
            whole += height
        self.setFixedHeight(whole + 4)


def _row(number: int, step: WayStep) -> QWidget:
    row = QWidget()
    row.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
    layout = QHBoxLayout(row)
    layout.setContentsMargins(2, MARGIN, 2, MARGIN)
    layout.setSpacing(6)
    count = QLabel(f"{number}")
    count.setObjectName("soft")
    count.setFixedWidth(NUMBER_WIDTH)
    text = QLabel(step.text)
    text.setObjectName("step_text")
    text.setWordWrap(True)
    figures = QLabel(f"{length_text(step.length)} · {time_text(step.seconds)}")
    figures.setObjectName("soft")
    figures.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    for label in (count, text, figures):
        layout.addWidget(label, 1 if label is text else 0)
    return row
