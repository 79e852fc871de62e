"""The bar while a camera is being placed: which model, and how high a pole on the ground is."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QFrame, QHBoxLayout, QLabel, QPushButton, QWidget

from analysis.cctv.catalogue import CameraModel
from app.cctv.bands import model_title
from app.widgets.quantity_edit import QuantityEdit
from app.widgets.wording import say

USUAL_MODEL = "bullet-4mp"
USUAL_POLE = 5.0  # [m]
LOWEST_POLE, HIGHEST_POLE = 1.0, 30.0  # [m]
EDGE, ABOVE = 16, 46  # pixels beside the bar and below it


class CameraBar(QFrame):
    """Signals: `cancel_asked()`."""

    cancel_asked = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._picture = parent
        self.setObjectName("mass_bar")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setAutoFillBackground(True)
        self.title = say(QLabel(), "camera.placing")
        self.title.setObjectName("card_title")
        self.model_box = QComboBox()
        self.model_box.setMinimumWidth(150)
        say(self.model_box, tip="camera.model.tip")
        self.pole_edit = QuantityEdit(USUAL_POLE, unit="m", low=LOWEST_POLE, high=HIGHEST_POLE, integer=False)
        self.pole_edit.spin_box.setSingleStep(0.5)  # type: ignore[arg-type]
        say(self.pole_edit.spin_box, tip="camera.pole.tip")
        self.cancel_button = say(QPushButton(), "camera.leave", tip="camera.leave.tip")
        self.cancel_button.clicked.connect(self.cancel_asked)
        pole = say(QLabel(), "camera.pole")
        pole.setObjectName("soft")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.setSpacing(8)
        for widget in (self.title, self.model_box, pole, self.pole_edit, self.cancel_button):
            layout.addWidget(widget)
        self.hide()

    @property
    def model(self) -> str:
        """Id of the model."""
        return str(self.model_box.currentData() or USUAL_MODEL)

    @property
    def pole(self) -> float:
        """Height of the lens over the ground [m]."""
        return float(self.pole_edit.value)

    def open(self, models: Mapping[str, CameraModel]) -> None:
        """Show the bar with these models to choose from; the choice is as it was."""
        chosen = self.model
        self.model_box.clear()
        for key, model in models.items():
            self.model_box.addItem(model_title(model), key)
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
