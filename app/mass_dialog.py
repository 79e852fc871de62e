"""Asks for the storeys, name and use of a new mass: when its footprint was drawn, and later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PySide6.QtWidgets import QCheckBox, QDialog, QDialogButtonBox, QFormLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from app.language import tr
from app.mass_edit import MOST_STOREYS
from app.numbers import number_text
from app.widgets.quantity_edit import QuantityEdit
from app.widgets.use_edit import UseEdit
from app.widgets.wording import say
from geo.alternatives import Mass
from geo.massing import towers_on

USUAL_STOREYS, USUAL_STOREY_HEIGHT = 10, 3.0  # [1], [m]
LOWEST_STOREY, HIGHEST_STOREY = 1.0, 50.0  # [m]
USUAL_PODIUM, USUAL_INSET = 3, 4.0  # [1], [m]
LEAST_INSET, MOST_INSET = 0.5, 200.0  # [m]


class MassDialog(QDialog):
    """Storeys, height of a storey, name and use, podium and tower.

    Parameters
    ----------
    ring : (n, 2) float [local m]
        The footprint; what comes of the numbers is shown below them.
    name : str
    mass : Mass or None
        What is changed; None for a new one.
    uses : sequence of str
        Words that are offered as its use.
    """

    def __init__(
        self,
        ring: NDArray[np.float64],
        *,
        name: str,
        mass: Mass | None = None,
        uses: Sequence[str] = (),
        parent: QWidget | None = None,
    ) -> None:
        import shapely

        super().__init__(parent)
        say(self, "mass.new_title" if mass is None else "mass.edit_title")
        self._polygon = shapely.make_valid(shapely.Polygon(ring))
        self._area = float(shapely.area(self._polygon))
        self._make_edits(name, mass, uses)
        self.sums = QLabel()
        self.sums.setObjectName("soft")
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        self.ok_button = self.buttons.button(QDialogButtonBox.StandardButton.Ok)
        self.ok_button.setText(tr("mass.add" if mass is None else "mass.change"))
        self.buttons.button(QDialogButtonBox.StandardButton.Cancel).setText(tr("dialog.cancel"))
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self._lay_out()
        for edit in (self.storeys_edit, self.storey_height_edit, self.podium_edit, self.inset_edit):
            edit.changed.connect(self._write_sums)
        self.tower_box.toggled.connect(self._write_sums)
        self._write_sums()

    def _make_edits(self, name: str, mass: Mass | None, uses: Sequence[str]) -> None:
        storeys, high = (USUAL_STOREYS, USUAL_STOREY_HEIGHT) if mass is None else (mass.storeys, mass.storey_height)
        has_tower = mass is not None and mass.podium_storeys > 0
        podium, inset = (mass.podium_storeys, mass.inset) if has_tower and mass else (USUAL_PODIUM, USUAL_INSET)
        self.name_edit, self.use_edit = QLineEdit(name), UseEdit("" if mass is None else mass.use, uses)
        self.storeys_edit = QuantityEdit(storeys, unit="1", low=1, high=MOST_STOREYS, integer=True)
        self.storey_height_edit = QuantityEdit(high, unit="m", low=LOWEST_STOREY, high=HIGHEST_STOREY, integer=False)
        self.tower_box = say(QCheckBox(), "massing.tower", tip="massing.tower.tip")
        self.tower_box.setChecked(has_tower)
        self.podium_edit = QuantityEdit(podium, unit="1", low=1, high=MOST_STOREYS - 1, integer=True)
        self.inset_edit = QuantityEdit(inset, unit="m", low=LEAST_INSET, high=MOST_INSET, integer=False)

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.addRow(tr("mass.name"), self.name_edit)
        form.addRow(tr("mass.use"), self.use_edit)
        form.addRow(tr("mass.storeys"), self.storeys_edit)
        form.addRow(tr("mass.storey_height"), self.storey_height_edit)
        form.addRow("", self.tower_box)
        form.addRow(tr("massing.podium_storeys"), self.podium_edit)
        form.addRow(tr("massing.inset"), self.inset_edit)
        form.addRow("", self.sums)
        layout = QVBoxLayout(self)
        layout.setSpacing(12)
        layout.addLayout(form)
        layout.addWidget(self.buttons)

    def _write_sums(self) -> None:
        """What comes of the numbers, or what is wrong with them."""
        self.podium_edit.setEnabled(self.has_tower)
        self.inset_edit.setEnabled(self.has_tower)
        problem = self._problem()
        self.ok_button.setEnabled(not problem)
        if problem:
            self.sums.setText(tr(problem))
            return
        height = self.storeys * self.storey_height
        podium = int(self.podium_edit.value) if self.has_tower else self.storeys
        floor = podium * self._area + (self.storeys - podium) * self._tower_area()
        numbers = {"area": self._area, "height": height, "floor": floor}
        self.sums.setText(tr("mass.sums", **{key: number_text(round(value, 1)) for key, value in numbers.items()}))

    def _problem(self) -> str:
        """Id of the text that says why this makes no mass; empty where it makes one."""
        if self.has_tower and self.podium_edit.value >= self.storeys:
            return "massing.podium_too_high"
        return "massing.no_room" if self.has_tower and self._tower_area() == 0.0 else ""

    def _tower_area(self) -> float:
        import shapely

        return float(sum(shapely.area(part) for part in towers_on(self._polygon, float(self.inset_edit.value))))

    def changed(self, mass: Mass) -> Mass:
        """A mass with what was asked for."""
        podium = int(self.podium_edit.value) if self.has_tower else 0
        return replace(
            mass,
            storeys=self.storeys,
            storey_height=self.storey_height,
            name=self.name,
            use=self.use,
            podium_storeys=podium,
            inset=float(self.inset_edit.value) if self.has_tower else 0.0,
        )

    @property
    def has_tower(self) -> bool:
        """Whether a tower stands on a podium."""
        return self.tower_box.isChecked()

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
