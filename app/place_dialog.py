"""Where a building model stands: coordinates and turn to type, two points to click, buildings that make room."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QDialog, QFormLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.language import tr
from app.widgets.quantity_edit import QuantityEdit
from app.widgets.wording import say
from geo.pose import Pose

FURTHEST = 20_000_000.0  # [m] any easting or northing
DEEPEST, HIGHEST = -1_000.0, 9_000.0  # [m]


class PlaceDialog(QDialog):
    """Stays open beside the picture until it is closed.

    Signals
    -------
    applied(Pose)
    points_asked(), ground_asked(), copy_asked()
    """

    applied = Signal(object)
    points_asked = Signal()
    ground_asked = Signal()
    copy_asked = Signal()

    def __init__(self, name: str, pose: Pose, said: str, *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowFlag(Qt.WindowType.Tool)
        self.setWindowTitle(tr("place.title", name=name))
        self.east = self._number(pose.east, "m", -FURTHEST, FURTHEST)
        self.north = self._number(pose.north, "m", -FURTHEST, FURTHEST)
        self.height_edit = self._number(pose.height, "m", DEEPEST, HIGHEST)
        self.turn = self._number(pose.rotation_deg, "deg", -360.0, 360.0)
        self.said = QLabel(said)
        self.said.setObjectName("soft")
        self.said.setWordWrap(True)
        self.told = QLabel()
        self.told.setObjectName("soft")
        self.told.setWordWrap(True)
        self.told.setVisible(False)
        form = QFormLayout()
        for text_id, editor in (
            ("place.east", self.east),
            ("place.north", self.north),
            ("place.height", self.height_edit),
            ("place.turn", self.turn),
        ):
            form.addRow(tr(text_id), editor)
        self.make_room = say(QCheckBox(), "place.make_room", tip="place.make_room.tip")
        self.make_room.setChecked(True)
        self.points_button = self._button("place.points", self.points_asked)
        self.ground_button = self._button("place.ground", self.ground_asked)
        self.copy_button = self._button("place.copy", self.copy_asked)
        self.apply_button = say(QPushButton(), "place.apply")
        self.apply_button.setObjectName("primary")
        self.apply_button.setDefault(True)
        self.apply_button.clicked.connect(lambda _checked=False: self.applied.emit(self.pose))
        close = say(QPushButton(), "dialog.close")
        close.clicked.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setSpacing(10)
        layout.addWidget(self.said)
        layout.addLayout(form)
        layout.addLayout(_row(self.points_button, self.ground_button))
        layout.addWidget(self.make_room)
        layout.addWidget(self.told)
        layout.addLayout(_row(self.copy_button, None, close, self.apply_button))
        self.resize(400, 0)

    def _number(self, value: float, unit: str, low: float, high: float) -> QuantityEdit:
        return QuantityEdit(round(value, 4), unit=unit, low=low, high=high, integer=False)

    def _button(self, text_id: str, asked: Signal) -> QPushButton:
        button: QPushButton = say(QPushButton(), text_id, tip=f"{text_id}.tip")
        button.setAutoDefault(False)
        button.clicked.connect(lambda _checked=False: asked.emit())  # type: ignore[attr-defined]
        return button

    @property
    def pose(self) -> Pose:
        """What the fields say."""
        return Pose(
            float(self.east.value), float(self.north.value), float(self.height_edit.value), float(self.turn.value)
        )

    def show_pose(self, pose: Pose) -> None:
        """Write a pose into the fields."""
        for editor, value in (
            (self.east, pose.east),
            (self.north, pose.north),
            (self.height_edit, pose.height),
            (self.turn, pose.rotation_deg),
        ):
            editor.set_value(round(value, 4))

    def tell(self, text: str) -> None:
        """Say something about what was done."""
        self.told.setText(text)
        self.told.setVisible(bool(text))


def _row(*widgets: QWidget | None) -> QHBoxLayout:
    row = QHBoxLayout()
    for widget in widgets:
        if widget is None:
            row.addStretch(1)
        else:
            row.addWidget(widget)
    return row
