"""Asks for the storeys, name and use of a new mass: when its footprint was drawn, and later."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFormLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from app.language import tr
from app.mass_edit import MOST_STOREYS
from app.numbers import number_text
from app.widgets.quantity_edit import QuantityEdit
from app.widgets.wording import say
from geo.alternatives import Mass

USUAL_STOREYS, USUAL_STOREY_HEIGHT = 10, 3.0  # [1], [m]
LOWEST_STOREY, HIGHEST_STOREY = 1.0, 50.0  # [m]


class MassDialog(QDialog):
    """Storeys, height of a storey, name and use. `area` [m2] of the footprint is shown beside them."""

    def __init__(self, *, name: str, area: float, mass: Mass | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        say(self, "mass.new_title" if mass is None else "mass.edit_title")
        self._area = area
        storeys, high = (USUAL_STOREYS, USUAL_STOREY_HEIGHT) if mass is None else (mass.storeys, mass.storey_height)
        self.name_edit, self.use_edit = QLineEdit(name), QLineEdit("" if mass is None else mass.use)
        self.storeys_edit = QuantityEdit(storeys, unit="1", low=1, high=MOST_STOREYS, integer=True)
        self.storey_height_edit = QuantityEdit(high, unit="m", low=LOWEST_STOREY, high=HIGHEST_STOREY, integer=False)
        self.sums = QLabel()
        self.sums.setObjectName("soft")
        form = QFormLayout()
        form.addRow(tr("mass.name"), self.name_edit)
        form.addRow(tr("mass.use"), self.use_edit)
        form.addRow(tr("mass.storeys"), self.storeys_edit)
        form.addRow(tr("mass.storey_height"), self.storey_height_edit)
        form.addRow("", self.sums)
        for edit in (self.storeys_edit, self.storey_height_edit):
            edit.changed.connect(self._write_sums)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        buttons.button(QDialogButtonBox.StandardButton.Ok).setText(tr("mass.add" if mass is None else "mass.change"))
        buttons.button(QDialogButtonBox.StandardButton.Cancel).setText(tr("dialog.cancel"))
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setSpacing(12)
        layout.addLayout(form)
        layout.addWidget(buttons)
        self._write_sums()

    def _write_sums(self) -> None:
        height, floor = self.storeys * self.storey_height, self.storeys * self._area
        numbers = {"area": self._area, "height": height, "floor": floor}
        self.sums.setText(tr("mass.sums", **{key: number_text(round(value, 1)) for key, value in numbers.items()}))

    def changed(self, mass: Mass) -> Mass:
        """A mass with what was asked for."""
        return replace(mass, storeys=self.storeys, storey_height=self.storey_height, name=self.name, use=self.use)

    @property
    def storeys(self) -> int:
        """Number of storeys."""
        return int(self.storeys_edit.value)

    @property
    def storey_height(self) -> float:
        """Height of each storey [m]."""
        return float(self.storey_height_edit.value)

    @property
    def name(self) -> str:
        """Name, empty for none."""
        return self.name_edit.text().strip()

    @property
    def use(self) -> str:
        """Use, empty for none."""
        return self.use_edit.text().strip()
