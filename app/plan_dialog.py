"""Asks what only people can state in an installation plan: purpose, place, hours, who is responsible."""

from __future__ import annotations

from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from analysis.cctv.privacy_rules import privacy_rules
from app.cctv.plan_content import FIELDS
from app.language import tr
from app.widgets.wording import say

PURPOSE = "purpose"


class PlanDialog(QDialog):
    """What is left empty becomes a line to fill in by hand."""

    def __init__(self, *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        say(self, "action.cctv_document")
        self.purpose_box = QComboBox()
        self.purpose_box.addItem("", "")
        for purpose in privacy_rules().purposes:
            self.purpose_box.addItem(tr(f"plan.purpose.{purpose}"), purpose)
        self.edits = {name: QLineEdit() for name in FIELDS if name != PURPOSE}
        self.both = say(QCheckBox(), "plan_dialog.both")
        note = say(QLabel(), "plan_dialog.note")
        note.setWordWrap(True)
        note.setObjectName("soft")
        form = QFormLayout()
        form.addRow(tr("plan.field.purpose"), self.purpose_box)
        for name, edit in self.edits.items():
            form.addRow(tr(f"plan.field.{name}"), edit)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        buttons.button(QDialogButtonBox.StandardButton.Ok).setText(tr("plan_dialog.write"))
        buttons.button(QDialogButtonBox.StandardButton.Cancel).setText(tr("dialog.cancel"))
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setSpacing(12)
        layout.addWidget(note)
        layout.addLayout(form)
        layout.addWidget(self.both)
        layout.addWidget(buttons)
        self.setMinimumWidth(420)

    @property
    def statements(self) -> dict[str, str]:
        """What was stated, by field."""
        said = {name: edit.text().strip() for name, edit in self.edits.items()}
        said[PURPOSE] = str(self.purpose_box.currentData() or "")
        return {name: text for name, text in said.items() if text}
