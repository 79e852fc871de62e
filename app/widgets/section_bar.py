"""The bar of a section plane under the picture: where it stands, which side is cut away."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSlider, QToolButton, QWidget

from app.appearance import set_icon
from app.language import tr
from app.widgets.wording import say

STEPS = 400  # of the slider, over the range


class SectionBar(QFrame):
    """Offset, flip and close.

    Signals
    -------
    moved(float) [m]
        The plane along its normal, from where it was drawn.
    flipped(), closed()
    """

    moved = Signal(float)
    flipped = Signal()
    closed = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("section_bar")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setAutoFillBackground(True)
        self._reach = 10.0
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 4)
        self.title = QLabel()
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(-STEPS, STEPS)
        self.slider.setFixedWidth(220)
        self.slider.valueChanged.connect(self._moved)
        self.value = QLabel()
        self.value.setMinimumWidth(64)
        self.flip = say(QToolButton(), "section.flip", tip="section.flip.tip")
        self.flip.clicked.connect(self.flipped)
        self.close_button = say(QToolButton(), tip="section.close")
        set_icon(self.close_button, "close")
        self.close_button.clicked.connect(self.closed)
        for widget in (self.title, self.slider, self.value, self.flip, self.close_button):
            layout.addWidget(widget)
        self.hide()

    def show_plane(self, *, offset: float, reach: float) -> None:
        """A plane `offset` metres from where it was drawn, of at most `reach`."""
        self._reach = max(reach, 1.0)
        self.title.setText(tr("section.plane"))
        with QSignalBlocker(self.slider):
            self.slider.setValue(round(STEPS * offset / self._reach))
        self._write(offset)
        self._show_parts(sliding=True)

    def show_box(self) -> None:
        """A box, which has nothing to set but to be closed."""
        self.title.setText(tr("section.box"))
        self._show_parts(sliding=False)

    def _show_parts(self, *, sliding: bool) -> None:
        for widget in (self.slider, self.value, self.flip):
            widget.setVisible(sliding)
        self.adjustSize()
        self.show()
        self.raise_()

    def _moved(self, step: int) -> None:
        offset = self._reach * step / STEPS
        self._write(offset)
        self.moved.emit(offset)

    def _write(self, offset: float) -> None:
        self.value.setText(f"{offset:+.2f} m")
