"""The strip of storeys at the edge of the picture: choose a building, a storey, the height of the cut."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QSlider, QToolButton, QVBoxLayout, QWidget

from app.appearance import set_icon
from app.language import tr
from app.numbers import number_text
from app.storeys import Building, Storey
from app.widgets.elided_box import ElidedBox
from app.widgets.wording import say

LOWEST_CUT, HIGHEST_CUT = 2, 35  # decimetres above the floor
STRIP_WIDTH, BUTTON_WIDTH, BUTTON_HEIGHT = 118, 92, 24  # pixels
NAMES_WIDTH = 240  # pixels of the list of buildings when it is open
LEAST_ROWS = 3  # storeys seen at once in the lowest picture
WHOLE = -1  # number of the button that shows the building uncut


class StoreyStrip(QFrame):
    """Storeys of one building, the highest on top.

    Signals
    -------
    building_chosen(int), storey_chosen(int)
        `WHOLE` = uncut.
    cut_moved(float) [m above the floor]
    uses_toggled(bool), plan_toggled(bool), closed()
    """

    building_chosen = Signal(int)
    storey_chosen = Signal(int)
    cut_moved = Signal(float)
    uses_toggled = Signal(bool)
    plan_toggled = Signal(bool)
    closed = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("storey_strip")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setAutoFillBackground(True)
        self.setFixedWidth(STRIP_WIDTH)
        self._buildings: tuple[Building, ...] = ()
        self.buttons: dict[int, QToolButton] = {}
        layout = QVBoxLayout(self)
        layout.setContentsMargins(5, 5, 5, 5)
        layout.setSpacing(3)
        self.building_box = ElidedBox()
        self.building_box.setSizeAdjustPolicy(ElidedBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.building_box.activated.connect(self.building_chosen)
        layout.addWidget(self.building_box)
        self.building_box.view().setMinimumWidth(NAMES_WIDTH)
        rows = QWidget()
        self._rows = QVBoxLayout(rows)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(2)
        self.scroll = QScrollArea()
        self.scroll.setFrameShape(QFrame.Shape.NoFrame)
        self.scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.scroll.setWidgetResizable(True)
        self.scroll.setWidget(rows)
        layout.addWidget(self.scroll)
        self.cut_label = QLabel()
        self.cut_label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        layout.addWidget(self.cut_label)
        self.cut_slider = QSlider(Qt.Orientation.Horizontal)
        self.cut_slider.setRange(LOWEST_CUT, HIGHEST_CUT)
        self.cut_slider.valueChanged.connect(self._cut_moved)
        layout.addWidget(self.cut_slider)
        self.plan_button = self._switch("plan", self.plan_toggled)
        self.uses_button = self._switch("uses", self.uses_toggled)
        layout.addWidget(self.plan_button)
        layout.addWidget(self.uses_button)
        self.close_button = say(QToolButton(), tip="section.close")
        set_icon(self.close_button, "close")
        self.close_button.clicked.connect(self.closed)
        layout.addWidget(self.close_button, 0, Qt.AlignmentFlag.AlignHCenter)
        self.hide()

    def _switch(self, name: str, signal: object) -> QToolButton:
        button = say(QToolButton(), f"section.{name}", tip=f"section.{name}.tip")
        button.setObjectName(f"storey_{name}")
        button.setCheckable(True)
        button.setFixedWidth(STRIP_WIDTH - 12)
        button.clicked.connect(signal)  # type: ignore[arg-type]
        return button

    def show_buildings(self, buildings: Sequence[Building], chosen: int) -> None:
        """The buildings to choose from, and the storeys of the chosen one."""
        self._buildings = tuple(buildings)
        with QSignalBlocker(self.building_box):
            self.building_box.clear()
            self.building_box.addItems([building_title(building) for building in buildings])
            self.building_box.setCurrentIndex(chosen)
        self.building_box.setToolTip(self.building_box.currentText())
        self.building_box.setVisible(len(buildings) > 1)
        self._make_buttons(self._buildings[chosen].storeys)
        self.adjustSize()

    def _make_buttons(self, storeys: Sequence[Storey]) -> None:
        for button in self.buttons.values():
            self._rows.removeWidget(button)
            button.deleteLater()
        self.buttons = {}
        names = [(WHOLE, tr("section.whole"), tr("section.whole.tip"))]
        names += [(n, storey_label(storey), storey_title(storey)) for n, storey in reversed(list(enumerate(storeys)))]
        for number, text, tip in names:
            button = QToolButton()
            button.setObjectName(f"storey_{number}")
            button.setText(text)
            button.setToolTip(tip)
            button.setCheckable(True)
            button.setFixedSize(BUTTON_WIDTH, BUTTON_HEIGHT)
            button.clicked.connect(lambda _on=False, n=number: self.storey_chosen.emit(n))
            self._rows.addWidget(button)
            self.buttons[number] = button

    def fit_into(self, height: int) -> None:
        """As high as all storeys need, at most a height [pixels]; then the storeys can be scrolled."""
        row = BUTTON_HEIGHT + self._rows.spacing()
        wanted = row * len(self.buttons)
        self.scroll.setFixedHeight(wanted)
        rest = self.sizeHint().height() - wanted
        self.scroll.setFixedHeight(min(wanted, max(height - rest, LEAST_ROWS * row)))
        self.adjustSize()
        chosen = next((button for button in self.buttons.values() if button.isChecked()), None)
        if chosen is not None:
            self.scroll.ensureWidgetVisible(chosen, 0, row)

    def show_state(self, storey: int, *, cut: float, plan: bool, uses: bool) -> None:
        """What is chosen now."""
        for number, button in self.buttons.items():
            button.setChecked(number == storey)
        with QSignalBlocker(self.cut_slider):
            self.cut_slider.setValue(round(10 * cut))
        self.cut_label.setText(tr("section.cut", height=f"{cut:.1f}"))
        self.cut_slider.setEnabled(storey != WHOLE)
        self.plan_button.setEnabled(storey != WHOLE)
        self.plan_button.setChecked(plan)
        self.uses_button.setChecked(uses)

    def _cut_moved(self, decimetres: int) -> None:
        self.cut_label.setText(tr("section.cut", height=f"{decimetres / 10:.1f}"))
        self.cut_moved.emit(decimetres / 10)


def building_title(building: Building) -> str:
    """What a building is called in the current language."""
    return tr(f"name.{building.name}", building.name)


def storey_label(storey: Storey) -> str:
    """The storey on its button: B1, 1, RF in English, 지하1층, 1층, 지붕 in Korean."""
    if storey.label == "RF":
        return tr("section.label.roof")
    if storey.label.startswith("B"):
        return tr("section.label.basement", number=storey.label[1:])
    return tr("section.label.storey", number=storey.label)


def storey_title(storey: Storey) -> str:
    """Label, the file's name, height of the floor."""
    label = storey_label(storey)
    name = f" {storey.name}" if storey.name and storey.name != label else ""
    return f"{label}{name} · {tr('section.floor', height=number_text(round(storey.floor, 2)))}"
