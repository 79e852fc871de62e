"""The bar while a camera is being placed: which model, and how high a pole on the ground is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtWidgets import QLabel, QWidget

from analysis.cctv.catalogue import CameraModel
from app.cctv.bands import model_title
from app.widgets.place_bar import PlaceBar
from app.widgets.quantity_edit import QuantityEdit
from app.widgets.wording import say

USUAL_MODEL = "bullet-4mp"
USUAL_POLE = 5.0  # [m]
LOWEST_POLE, HIGHEST_POLE = 1.0, 30.0  # [m]


class CameraBar(PlaceBar):
    """Signals: `cancel_asked()`."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, words="camera", usual=USUAL_MODEL)

    def more(self) -> Sequence[QWidget]:
        """The height of a pole."""
        self.pole_edit = QuantityEdit(USUAL_POLE, unit="m", low=LOWEST_POLE, high=HIGHEST_POLE, integer=False)
        self.pole_edit.spin_box.setSingleStep(0.5)  # type: ignore[arg-type]
        say(self.pole_edit.spin_box, tip="camera.pole.tip")
        pole = say(QLabel(), "camera.pole")
        pole.setObjectName("soft")
        return pole, self.pole_edit

    @property
    def pole(self) -> float:
        """Height of the lens over the ground [m]."""
        return float(self.pole_edit.value)

    def open(self, models: Mapping[str, CameraModel]) -> None:
        """Show the bar with these models to choose from; the choice is as it was."""
        self.offer([(model_title(model), key) for key, model in models.items()])
