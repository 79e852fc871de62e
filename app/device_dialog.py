"""Asks what a device is that was set into the picture."""

from __future__ import annotations

from PySide6.QtWidgets import QComboBox, QDialog, QDialogButtonBox, QFormLayout, QLineEdit, QVBoxLayout, QWidget

from app.devices import KINDS
from app.language import tr
from app.widgets.quantity_edit import QuantityEdit
from app.widgets.wording import say

USUAL_HEIGHT = {"sensor": 1.5, "camera": 2.5, "equipment": 0.0}  # [m]


class DeviceDialog(QDialog):
    """Kind, name and height above the point that was clicked."""

    def __init__(self, *, room: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        say(self, "device.title")
        self.kind_box = QComboBox()
        for kind in KINDS:
            self.kind_box.addItem(tr(f"device.kind.{kind}"), kind)
        self.kind_box.currentIndexChanged.connect(lambda _index: self._on_kind())
        self.name_edit = QLineEdit()
        self.height_edit = QuantityEdit(USUAL_HEIGHT["sensor"], unit="m", low=0.0, high=50.0, integer=False)
        place = QLineEdit(room or tr("device.outside"))
        place.setReadOnly(True)
        form = QFormLayout()
        form.addRow(tr("device.kind"), self.kind_box)
        form.addRow(tr("device.name"), self.name_edit)
        form.addRow(tr("device.height"), self.height_edit)
        form.addRow(tr("device.room"), place)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        buttons.button(QDialogButtonBox.StandardButton.Ok).setText(tr("device.ok"))
        buttons.button(QDialogButtonBox.StandardButton.Cancel).setText(tr("dialog.cancel"))
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setSpacing(12)
        layout.addLayout(form)
        layout.addWidget(buttons)

    def _on_kind(self) -> None:
        self.height_edit.set_value(USUAL_HEIGHT[self.kind])

    @property
    def kind(self) -> str:
        """One of `KINDS`."""
        return str(self.kind_box.currentData())

    @property
    def name(self) -> str:
        """As typed, or the kind."""
        return self.name_edit.text().strip() or self.kind_box.currentText()

    @property
    def mounting_height(self) -> float:
        """Above the point [m]."""
        return float(self.height_edit.value)
