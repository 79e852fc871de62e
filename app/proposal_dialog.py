"""A proposal from a file: the two points on it, where they belong, its height, and what its figures are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.language import tr
from app.numbers import number_text
from app.proposal_read import ReadProposal
from app.theme import Theme
from app.widgets.plan_picker import PlanPicker
from app.widgets.quantity_edit import QuantityEdit
from app.widgets.use_edit import UseEdit
from app.widgets.wording import say
from geo.proposals import Proposal, Told

DEEPEST, HIGHEST = -1_000.0, 9_000.0  # [m] map heights
LARGEST = 10_000_000.0  # [m2]
SAME_SIZE = 1e-6  # of a scale


@dataclass(frozen=True)
class Asked:
    """What the dialog says besides the two points.

    Attributes
    ----------
    level : float or None [m, map height]
        Where the ground level of the building goes; None: on the terrain.
    """

    name: str
    use: str
    storeys: int
    floor_area: float
    told: Told
    level: float | None
    fit_size: bool
    make_room: bool


class ProposalDialog(QDialog):
    """Stays open beside the picture until it is closed.

    Signals
    -------
    places_asked()
        Click the two places in the scene.
    changed()
        A number or a switch is another.
    taken()
        Take the building in hand.
    """

    places_asked = Signal()
    changed = Signal()
    taken = Signal()

    def __init__(
        self,
        read: ReadProposal,
        theme: Theme,
        *,
        use: str = "",
        uses: Sequence[str] = (),
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowFlag(Qt.WindowType.Tool)
        self.setWindowTitle(tr("proposal.title", name=read.model.file))
        self._read = read
        self.plan = PlanPicker(read.outline, theme)
        say(self.plan, tip="proposal.plan.tip")
        self.plan.changed.connect(self.changed)
        self.said = _soft(self._said())
        self.told = _soft("")
        self.told.hide()
        self._make_edits(use, uses)
        self._make_buttons()
        self._lay_out()

    def _said(self) -> str:
        read, mesh = self._read, self._read.model.mesh.vertices
        size = mesh.max(axis=0) - mesh.min(axis=0)
        numbers = [number_text(round(float(value), 1)) for value in size]
        area = number_text(round(read.floor_area))
        storeys = str(read.storeys) if read.storeys else tr("proposal.unknown")
        return tr(
            f"proposal.said.{read.told}",
            east=numbers[0],
            north=numbers[1],
            height=numbers[2],
            storeys=storeys,
            area=area,
        )

    def _make_edits(self, use: str, uses: Sequence[str]) -> None:
        read = self._read
        self.name_edit, self.use_edit = QLineEdit(read.name), UseEdit(use, uses)
        self.storeys_edit = QuantityEdit(read.storeys, unit="1", low=0, high=300, integer=True)
        self.storeys_edit.spin_box.setSpecialValueText(tr("proposal.unknown"))
        self.area_edit = QuantityEdit(read.floor_area, unit="m2", low=0.0, high=LARGEST, integer=False)
        self.level_edit = QuantityEdit(0.0, unit="m", low=DEEPEST, high=HIGHEST, integer=False)
        self.level_edit.setEnabled(False)
        self.on_ground = say(QCheckBox(), "proposal.on_ground", tip="proposal.on_ground.tip")
        self.on_ground.setChecked(True)
        self.fit_size = say(QCheckBox(), "proposal.fit_size", tip="proposal.fit_size.tip")
        self.make_room = say(QCheckBox(), "proposal.make_room", tip="proposal.make_room.tip")
        self.make_room.setChecked(True)
        self.on_ground.toggled.connect(lambda on: self.level_edit.setEnabled(not on))
        for box in (self.on_ground, self.fit_size, self.make_room):
            box.toggled.connect(lambda _on: self.changed.emit())
        for edit in (self.storeys_edit, self.area_edit, self.level_edit):
            edit.changed.connect(self.changed)
        for line in (self.name_edit, self.use_edit):
            line.editingFinished.connect(self.changed)

    def _make_buttons(self) -> None:
        self.places_button = say(QPushButton(), "proposal.places", tip="proposal.places.tip")
        self.places_button.setObjectName("primary")
        self.places_button.clicked.connect(self.places_asked)
        self.take_button = say(QPushButton(), "proposal.take", tip="proposal.take.tip")
        self.take_button.setEnabled(False)
        self.take_button.clicked.connect(self.taken)
        self.close_button = say(QPushButton(), "dialog.close")
        self.close_button.clicked.connect(self.reject)
        for button in (self.places_button, self.take_button, self.close_button):
            button.setAutoDefault(False)

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.addRow(tr("mass.name"), self.name_edit)
        form.addRow(tr("mass.use"), self.use_edit)
        form.addRow(tr("proposal.storeys"), self.storeys_edit)
        form.addRow(tr("proposal.floor_area"), self.area_edit)
        height = QHBoxLayout()
        height.addWidget(self.on_ground)
        height.addWidget(self.level_edit, 1)
        form.addRow(tr("proposal.level"), height)
        form.addRow("", self.fit_size)
        form.addRow("", self.make_room)
        last = QHBoxLayout()
        last.addStretch(1)
        for button in (self.close_button, self.take_button, self.places_button):
            last.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setSpacing(8)
        layout.addWidget(self.said)
        layout.addWidget(_soft(tr("proposal.plan.hint")))
        layout.addWidget(self.plan, 1)
        layout.addLayout(form)
        layout.addWidget(self.told)
        layout.addLayout(last)
        self.resize(380, 0)

    @property
    def asked(self) -> Asked:
        """What the fields say; a number that was typed over is told by the user."""
        read = self._read
        area, storeys = float(self.area_edit.value), int(self.storeys_edit.value)
        typed = abs(area - read.floor_area) > 0.05
        return Asked(
            self.name_edit.text().strip() or read.name,
            self.use_edit.text().strip(),
            storeys,
            area,
            "typed" if typed and area > 0.0 else read.told,
            None if self.on_ground.isChecked() else float(self.level_edit.value),
            self.fit_size.isChecked(),
            self.make_room.isChecked(),
        )

    def show_level(self, level: float) -> None:
        """Write where the ground level is now [m, map height]."""
        with QSignalBlocker(self.level_edit), QSignalBlocker(self.level_edit.spin_box):
            self.level_edit.set_value(round(level, 2))

    def show_standing(self, proposal: Proposal, *, level: float, on_ground: bool) -> None:
        """Fields as a proposal that stands has them; nothing of it is changed by that. level : float [m, map height]"""
        for box, on in ((self.on_ground, on_ground), (self.fit_size, abs(proposal.scale - 1.0) > SAME_SIZE)):
            with QSignalBlocker(box):
                box.setChecked(on)
        self.level_edit.setEnabled(not on_ground)
        self.show_level(level)
        self.take_button.setEnabled(True)
        self.tell(tr("proposal.stands"))

    def tell(self, text: str, *, doubt: bool = False) -> None:
        """Say how the fit came out; a doubt stands out."""
        self.told.setObjectName("badge" if doubt else "soft")
        self.told.style().unpolish(self.told)
        self.told.style().polish(self.told)
        self.told.setText(text)
        self.told.setVisible(bool(text))
        self._grow()

    def _grow(self) -> None:
        """Make room for what is told: nothing is squeezed."""
        layout = self.layout()
        if layout is not None:
            layout.activate()
            self.resize(self.width(), max(self.height(), layout.totalHeightForWidth(self.width())))

    def showEvent(self, event: QShowEvent) -> None:
        """As high as its texts need."""
        super().showEvent(event)
        self._grow()


def _soft(text: str) -> QLabel:
    label = QLabel(text)
    label.setObjectName("soft")
    label.setWordWrap(True)
    return label
