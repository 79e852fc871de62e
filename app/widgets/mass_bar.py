"""The bar of a building in hand: the same numbers that the mouse changes, typed."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QEvent, QObject, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QCheckBox,
    QDoubleSpinBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.mass_dialog import HIGHEST_STOREY, LOWEST_STOREY
from app.mass_edit import MOST_STOREYS, STEP, TURN_STEP, Body, limited_factor
from app.widgets.quantity_edit import QuantityEdit
from app.widgets.wording import say
from geo.alternatives import Change

FARTHEST = 10_000.0  # [m] that can be typed
HIGHEST = 2_000.0  # [m]
OWN_KEYS = (Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Enter)
SHORTEST_TITLE = 80  # pixels
FIELDS = ("east", "north", "up", "turn", "height")


class MassBar(QFrame):
    """Numbers of the building in hand.

    Signals
    -------
    typed(object, str)
        The `Change` that the numbers say, and the field that was changed.
    storey_height_typed(float)
        Of every storey of the new mass in hand [m].
    follow_toggled(bool), live_toggled(bool), figures_toggled(bool)
    done_asked(), cancel_asked()
        Enter or the button; Escape or the button.
    """

    typed = Signal(object, str)
    storey_height_typed = Signal(float)
    follow_toggled = Signal(bool)
    live_toggled = Signal(bool)
    figures_toggled = Signal(bool)
    done_asked = Signal()
    cancel_asked = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("mass_bar")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setAutoFillBackground(True)
        self._body: Body | None = None
        self._change = Change()
        self.edits = {name: _edit(name) for name in FIELDS}
        self.storeys = QuantityEdit(1, unit="1", low=1, high=MOST_STOREYS, integer=True)
        self.storey_height = QuantityEdit(3.0, unit="m", low=LOWEST_STOREY, high=HIGHEST_STOREY, integer=False)
        for edit in (self.storeys, self.storey_height):
            edit.spin_box.setMinimumWidth(56)
        self.title = QLabel()
        self.title.setObjectName("card_title")
        self.title.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._name = ""
        self.follow = say(QCheckBox(), "mass.follow", tip="mass.follow.tip")
        self.live = say(QCheckBox(), "mass.live", tip="mass.live.tip")
        self.figures = say(QCheckBox(), "massing.figures", tip="massing.figures.tip")
        self.done_button = say(QPushButton(), "mass.done", tip="mass.done.tip")
        self.done_button.setObjectName("primary")
        self.cancel_button = say(QPushButton(), "mass.cancel", tip="mass.cancel.tip")
        self._lay_out()
        self._connect()
        self.hide()

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.setSpacing(4)
        first, second = QHBoxLayout(), QHBoxLayout()
        first.setSpacing(8)
        second.setSpacing(8)
        first.addWidget(self.title, 1)
        self._storeys_field = _field("storeys", self.storeys)
        self._storey_height_field = _field("storey_height", self.storey_height)
        first.addWidget(self._storeys_field)
        first.addWidget(self._storey_height_field)
        for widget in (self.follow, self.live, self.figures, self.cancel_button, self.done_button):
            first.addWidget(widget)
        for name in FIELDS:
            second.addWidget(_field(name, self.edits[name]))
        second.addStretch(1)
        layout.addLayout(first)
        layout.addLayout(second)

    def _connect(self) -> None:
        for name, edit in (*self.edits.items(), ("storeys", self.storeys)):
            edit.changed.connect(lambda n=name: self._on_typed(n))
            edit.spin_box.installEventFilter(self)
        self.storey_height.changed.connect(lambda: self.storey_height_typed.emit(float(self.storey_height.value)))
        self.storey_height.spin_box.installEventFilter(self)
        self.follow.toggled.connect(self.follow_toggled)
        self.live.toggled.connect(self.live_toggled)
        self.figures.toggled.connect(self.figures_toggled)
        self.done_button.clicked.connect(self.done_asked)
        self.cancel_button.clicked.connect(self.cancel_asked)

    def show_body(self, body: Body, change: Change, *, name: str) -> None:
        """The numbers of a building."""
        self._body = body
        self._name = name
        self.title.setToolTip(name)
        self.title.setMinimumWidth(min(self.title.fontMetrics().horizontalAdvance(name) + 4, SHORTEST_TITLE))
        self._write_title()
        for field in (self._storeys_field, self._storey_height_field):
            field.setVisible(body.mass is not None)
        self.edits["height"].setEnabled(body.proposal is None)
        self.show_change(change)
        self.adjustSize()
        self.show()
        self.raise_()

    def fit(self, width: int) -> None:
        """Take at most a width [pixels]; the name is cut where it must be."""
        self.adjustSize()
        self.resize(min(self.sizeHint().width(), width), self.sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The name has what the switches leave."""
        super().resizeEvent(event)
        self._write_title()

    def _write_title(self) -> None:
        metrics = self.title.fontMetrics()
        self.title.setText(metrics.elidedText(self._name, Qt.TextElideMode.ElideRight, max(self.title.width(), 1)))

    def show_change(self, change: Change) -> None:
        """Other numbers of the same building."""
        self._change = change
        if self._body is None:
            return
        height = self._body.height * change.height_factor
        values = (*change.move, change.turn_deg, height)
        for name, value in zip(FIELDS, values, strict=True):
            with QSignalBlocker(self.edits[name]), QSignalBlocker(self.edits[name].spin_box):
                self.edits[name].set_value(value)
        if self._body.mass is not None:
            with QSignalBlocker(self.storeys), QSignalBlocker(self.storeys.spin_box):
                self.storeys.set_value(round(self._body.mass.storeys * change.height_factor))
            with QSignalBlocker(self.storey_height), QSignalBlocker(self.storey_height.spin_box):
                self.storey_height.set_value(self._body.mass.storey_height)

    def set_switches(self, *, follow: bool, live: bool, figures: bool) -> None:
        """How the switches stand."""
        for box, on in ((self.follow, follow), (self.live, live), (self.figures, figures)):
            with QSignalBlocker(box):
                box.setChecked(on)

    def _on_typed(self, field: str) -> None:
        if self._body is None:
            return
        self.typed.emit(self._body.snapped(self._said(field, self._body)), field)

    def _said(self, field: str, body: Body) -> Change:
        """The change with the one number that was typed; the others keep the digits that the boxes do not show."""
        if field in ("east", "north", "up"):
            move = list(self._change.move)
            move[("east", "north", "up").index(field)] = float(self.edits[field].value)
            return replace(self._change, move=(move[0], move[1], move[2]))
        if field == "turn":
            return replace(self._change, turn_deg=float(self.edits["turn"].value))
        if field == "storeys" and body.mass is not None:
            return replace(self._change, height_factor=limited_factor(self.storeys.value / body.mass.storeys))
        if body.height <= 0.0:
            return self._change
        return replace(self._change, height_factor=limited_factor(self.edits["height"].value / body.height))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Enter takes over a number that was typed, and ends where none was; Escape cancels."""
        if not isinstance(event, QKeyEvent) or event.key() not in OWN_KEYS or not isinstance(watched, QAbstractSpinBox):
            return False
        if event.type() == QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        if event.type() != QEvent.Type.KeyPress:
            return False
        if event.key() == Qt.Key.Key_Escape:
            self.cancel_asked.emit()
            return True
        before, body = self._change, self._body
        watched.interpretText()
        if self._change == before and self._body is body:
            self.done_asked.emit()
        watched.selectAll()
        return True

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter ends, Escape cancels, wherever the focus is in the bar."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.done_asked.emit()
        elif event.key() == Qt.Key.Key_Escape:
            self.cancel_asked.emit()
        else:
            super().keyPressEvent(event)


def _edit(name: str) -> QuantityEdit:
    limits = {"turn": (-360.0, 360.0), "height": (STEP, HIGHEST)}.get(name, (-FARTHEST, FARTHEST))
    unit = "deg" if name == "turn" else "m"
    edit = QuantityEdit(max(limits[0], 0.0), unit=unit, low=limits[0], high=limits[1], integer=False)
    if isinstance(edit.spin_box, QDoubleSpinBox):
        edit.spin_box.setSingleStep(TURN_STEP if name == "turn" else STEP)
    edit.spin_box.setMinimumWidth(72)
    edit.setObjectName(f"mass_{name}")
    return edit


def _field(name: str, edit: QuantityEdit) -> QWidget:
    """A label before its number."""
    widget = QWidget()
    label = say(QLabel(), f"mass.{name}")
    label.setObjectName("soft")
    label.setBuddy(edit)
    edit.spin_box.setAccessibleName(label.text())
    row = QHBoxLayout(widget)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(4)
    row.addWidget(label)
    row.addWidget(edit)
    return widget
