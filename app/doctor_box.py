"""What the doctor says about a file in the import window: the doubt in words, and its repairs, one click each."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QLabel, QRadioButton, QVBoxLayout, QWidget

from app.language import issue_text, tr
from app.widgets.extent_sketch import length_text
from app.widgets.wording import say
from geo.crs import title
from geo.doctor import Finding, Repair, by_question

REPAIRS_SHOWN = 4


def repair_title(name: str) -> str:
    """A repair, possibly a chain, in the language in use."""
    return " + ".join(_step_title(step) for step in name.split("+"))


def _step_title(step: str) -> str:
    kind, _, value = step.partition(":")
    if kind == "crs":
        value = f"{value} · {title(value)}" if value.startswith("EPSG:") else title(value)
    return tr(f"repair.{kind}", step, value=value)


def place_text(repair: Repair) -> str:
    """Where the middle of the file would lie, and how far from the project."""
    if repair.longitude != repair.longitude:
        return ""
    text = f"{repair.latitude:.4f}°, {repair.longitude:.4f}°"
    if repair.distance:
        text += f" · {tr('import.away', distance=length_text(repair.distance))}"
    return text


class DoctorBox(QWidget):
    """Findings that compete with one another: one doubt, several explanations, at most one chosen.

    Signals
    -------
    chosen()
        The user has chosen another repair, or none.
    """

    chosen = Signal()

    def __init__(self, findings: Sequence[Finding], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._group = QButtonGroup(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        message = QLabel(issue_text(findings[0].as_issue(with_remedy=False)))
        if findings[0].severity == "error":
            message.setObjectName("field_error")
        message.setWordWrap(True)
        layout.addWidget(message)
        repairs = [finding.repair for finding in findings if finding.repair is not None][:REPAIRS_SHOWN]
        self.must_choose = findings[0].severity == "error" and bool(repairs)
        self.buttons: dict[str, QRadioButton] = {}
        if repairs and not self.must_choose:
            self._add(layout, "", say(QRadioButton(), "doctor.as_it_is")).setChecked(True)
        for repair in repairs:
            place = place_text(repair)
            text = repair_title(repair.name) + (f"\n{place}" if place else "")
            self._add(layout, repair.name, QRadioButton(text))
        if not repairs and findings[0].code != "doctor.missing_crs_none":
            layout.addWidget(say(QLabel(), "doctor.none_fits"))
        self._repairs = {repair.name: repair for repair in repairs}
        self._group.buttonClicked.connect(lambda _button: self.chosen.emit())

    def _add(self, layout: QVBoxLayout, name: str, button: QRadioButton) -> QRadioButton:
        self._group.addButton(button)
        self.buttons[name] = button
        layout.addWidget(button)
        return button

    @property
    def repair(self) -> Repair | None:
        """The repair chosen."""
        name = next((name for name, button in self.buttons.items() if button.isChecked()), "")
        return self._repairs.get(name)

    def clear(self) -> None:
        """Choose nothing."""
        self._group.setExclusive(False)
        for name, button in self.buttons.items():
            button.setChecked(name == "")
        self._group.setExclusive(True)


def boxes_for(findings: Sequence[Finding]) -> list[DoctorBox]:
    """One box for doubts about the place and one for doubts about heights: both may need a repair."""
    return [DoctorBox(group) for group in by_question(findings) if group]
