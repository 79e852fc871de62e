"""Asks for the name and depth of an excavation that was drawn."""

from __future__ import annotations

from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFormLayout, QLineEdit, QVBoxLayout, QWidget

from app.language import tr
from app.widgets.quantity_edit import QuantityEdit
from app.widgets.wording import say

USUAL_DEPTH = 3.0  # [m]
SHALLOWEST, DEEPEST = 0.1, 120.0  # [m]


class ExcavationDialog(QDialog):
    """Name and depth. `area` [m2] is shown beside them."""

    def __init__(self, *, name: str, area: float, depth: float = USUAL_DEPTH, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        say(self, "excavation.title")
        self.name_edit = QLineEdit(name)
        self.depth_edit = QuantityEdit(depth, unit="m", low=SHALLOWEST, high=DEEPEST, integer=False)
        form = QFormLayout()
        form.addRow(tr("excavation.name"), self.name_edit)
        form.addRow(tr("excavation.depth"), self.depth_edit)
        lead = say(QLineEdit(), "")
        lead.setReadOnly(True)
        lead.setText(f"{area:,.1f} m²")
        form.addRow(tr("excavation.area"), lead)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        buttons.button(QDialogButtonBox.StandardButton.Ok).setText(tr("excavation.ok"))
        buttons.button(QDialogButtonBox.StandardButton.Cancel).setText(tr("dialog.cancel"))
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setSpacing(12)
        layout.addLayout(form)
        layout.addWidget(buttons)

    @property
    def depth(self) -> float:
        """Depth [m]."""
        return float(self.depth_edit.value)

    @property
    def name(self) -> str:
        """Name, never empty."""
        return self.name_edit.text().strip() or tr("excavation.unnamed")
