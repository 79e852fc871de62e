"""Purifiers: the chosen one's model, direction and state, what the model does, and what it brings where it stands."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QComboBox, QFormLayout, QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from analysis.dust.catalogue import purifiers
from app.dust.edit import PurifierRow
from app.dust.words import purifier_facts, purifier_title
from app.language import tr
from app.panels.panel import Panel, scrolled
from app.widgets.choice import fill_choice
from app.widgets.quantity_edit import QuantityEdit
from app.widgets.wording import say
from geo.model.conventions import PURIFIER_STATES

if TYPE_CHECKING:
    from app.workbench import Workbench


class PurifierPanel(Panel):
    """The chosen purifier.

    Signals
    -------
    typed(object, str)
        The `PurifierRow` with the one thing that was changed, and which.
    place_asked(), remove_asked(), fly_asked()
    released()
        The window closes.
    """

    name = "purifier"
    help_page = "dust_window"

    typed = Signal(object, str)
    place_asked = Signal()
    remove_asked = Signal()
    fly_asked = Signal()
    released = Signal()

    def __init__(self, bench: Workbench, parent: QWidget | None = None) -> None:
        super().__init__(bench, parent)
        self.row: PurifierRow | None = None
        self.empty = say(QLabel(), "purifier.empty")
        self.empty.setWordWrap(True)
        self.empty.setObjectName("soft")
        self.name_edit, self.since_edit = QLineEdit(), QLineEdit()
        self.since_edit.setPlaceholderText("yyyy-mm-dd")
        self.model_box, self.state_box = QComboBox(), QComboBox()
        self.towards_edit = QuantityEdit(0.0, unit="deg", low=0.0, high=360.0, integer=False)
        self.towards_edit.spin_box.setSingleStep(5.0)  # type: ignore[arg-type]
        self.towards_edit.spin_box.setWrapping(True)
        self.facts, self.brings = QLabel(), QLabel()
        for label in (self.facts, self.brings):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.RichText)
        self.facts.setObjectName("soft")
        self.place_button = say(QPushButton(), "purifier.place", tip="purifier.place.tip")
        self.place_button.setObjectName("primary")
        self.fly_button = say(QPushButton(), "purifier.fly", tip="purifier.fly.tip")
        self.remove_button = say(QPushButton(), "purifier.remove", tip="purifier.remove.tip")
        self._lay_out()
        self._connect()
        self.show_none()

    def _lay_out(self) -> None:
        self.content = QWidget()
        column = QVBoxLayout(self.content)
        column.setContentsMargins(0, 0, 4, 0)
        column.setSpacing(6)
        form = QFormLayout()
        form.setHorizontalSpacing(8)
        form.setVerticalSpacing(4)
        rows: tuple[tuple[str, QWidget], ...] = (
            ("name", self.name_edit),
            ("model", self.model_box),
            ("towards", self.towards_edit),
            ("state", self.state_box),
            ("since", self.since_edit),
        )
        for name, widget in rows:
            label = say(QLabel(), f"purifier.{name}", tip=f"purifier.{name}.tip")
            label.setBuddy(widget)
            widget.setObjectName(f"purifier_{name}")
            form.addRow(label, widget)
        column.addWidget(self.brings)
        column.addLayout(form)
        column.addWidget(self.facts)
        buttons = QHBoxLayout()
        buttons.addWidget(self.fly_button)
        buttons.addWidget(self.remove_button)
        column.addLayout(buttons)
        column.addStretch(1)
        self.area = scrolled(self.content)
        self.layout_.addWidget(self.empty)
        self.layout_.addWidget(self.place_button, 0, Qt.AlignmentFlag.AlignLeft)
        self.layout_.addWidget(self.area, 1)
        self.layout_.addStretch(0)

    def _connect(self) -> None:
        self.name_edit.editingFinished.connect(lambda: self._type("name", self.name_edit.text().strip()))
        self.since_edit.editingFinished.connect(lambda: self._type("since", self.since_edit.text().strip()))
        self.model_box.activated.connect(lambda _i: self._type("model", str(self.model_box.currentData())))
        self.state_box.activated.connect(lambda _i: self._type("state", str(self.state_box.currentData())))
        self.towards_edit.changed.connect(lambda: self._type("towards", float(self.towards_edit.value) % 360.0))
        self.place_button.clicked.connect(self.place_asked)
        self.fly_button.clicked.connect(self.fly_asked)
        self.remove_button.clicked.connect(self.remove_asked)

    def show_none(self, text_id: str = "purifier.empty") -> None:
        """No purifier is chosen."""
        self.row = None
        say(self.empty, text_id)
        self.empty.show()
        self.place_button.show()
        self.area.hide()

    def show_purifier(self, row: PurifierRow, *, editable: bool) -> None:
        """The properties of a purifier."""
        if self.row is None or self.row.id != row.id:
            self.show_brings("")
        self.row = row
        self.empty.hide()
        self.place_button.hide()
        self.area.show()
        for widget in (self.name_edit, self.model_box, self.state_box, self.towards_edit, self.since_edit):
            widget.setEnabled(editable)
        self.remove_button.setEnabled(editable)
        for edit, text in ((self.name_edit, row.name), (self.since_edit, row.since)):
            if not edit.hasFocus() or edit.text() != text:
                edit.setText(text)
        known = purifiers()
        fill_choice(self.model_box, [(purifier_title(model), key) for key, model in known.items()], row.model)
        fill_choice(self.state_box, [(tr(f"purifier.state.{s}"), s) for s in PURIFIER_STATES], row.state)
        with QSignalBlocker(self.towards_edit), QSignalBlocker(self.towards_edit.spin_box):
            self.towards_edit.set_value(row.towards)
        model = known.get(row.model)
        self.facts.setText(
            purifier_facts(model) if model is not None else tr("purifier.no_model", model=row.model or "–")
        )

    def show_brings(self, text: str) -> None:
        """What it brings where it stands; empty where nothing is known."""
        self.brings.setText(text)
        self.brings.setVisible(bool(text))

    def _type(self, name: str, value: float | str) -> None:
        row = self.row
        if row is None or getattr(row, name) == value or (value == "" and name != "since"):
            return
        self.typed.emit(dataclasses.replace(row, **{name: value}), name)  # type: ignore[arg-type]

    def refresh_words(self) -> None:
        """In the current language."""
        if self.row is not None:
            self.show_purifier(self.row, editable=self.name_edit.isEnabled())

    def release(self) -> None:
        """The window closes."""
        self.released.emit()
        super().release()
