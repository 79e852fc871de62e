"""The bar of a volume under the picture: level slice, upright slice, surface of one value, drifting particles."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QCheckBox, QFrame, QGridLayout, QLabel, QSlider, QToolButton, QWidget

from app.appearance import set_icon
from app.language import tr
from app.numbers import quantity_text
from app.volume_view import VolumeView
from app.widgets.wording import say

STEPS = 400  # of a slider over its range
SLIDER_WIDTH, VALUE_WIDTH = 170, 110  # pixels
Limits = tuple[float, float]


class _Row:
    """A switch, a slider and its value."""

    def __init__(self, text_id: str, changed: Callable[[], None]) -> None:
        self.switch: QCheckBox = say(QCheckBox(), text_id, tip=f"{text_id}.tip")
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, STEPS)
        self.slider.setFixedWidth(SLIDER_WIDTH)
        self.text = QLabel()
        self.text.setMinimumWidth(VALUE_WIDTH)
        self.limits: Limits = (0.0, 1.0)
        self.switch.toggled.connect(lambda _on: changed())
        self.slider.valueChanged.connect(lambda _step: changed())

    @property
    def value(self) -> float | None:
        """What is chosen; None when it is switched off."""
        return self.place if self.switch.isChecked() else None

    @property
    def place(self) -> float:
        """Where the slider stands."""
        low, high = self.limits
        return low + (high - low) * self.slider.value() / STEPS

    def show_value(self, value: float | None, limits: Limits) -> None:
        """Stand at a value; the slider stays where it is when there is none."""
        self.limits = limits
        with QSignalBlocker(self.switch), QSignalBlocker(self.slider):
            self.switch.setChecked(value is not None)
            if value is not None:
                span = max(limits[1] - limits[0], 1e-9)
                self.slider.setValue(round(STEPS * (value - limits[0]) / span))
        self.slider.setEnabled(value is not None)

    @property
    def widgets(self) -> tuple[QWidget, ...]:
        """From left to right."""
        return self.switch, self.slider, self.text


class VolumeBar(QFrame):
    """Controls of one volume.

    Signals
    -------
    level_changed(object), value_changed(object)
        Height [local m] of the level slice and value of the surface; None: not shown.
    line_asked(bool)
        Let the user draw the line of the upright slice, or take it away.
    play_asked(bool), closed()
    """

    level_changed = Signal(object)
    value_changed = Signal(object)
    line_asked = Signal(bool)
    play_asked = Signal(bool)
    closed = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("volume_bar")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setAutoFillBackground(True)
        self._unit, self._foot = "1", 0.0
        self.title = QLabel()
        self.title.setObjectName("card_title")
        self.play: QToolButton = say(QToolButton(), "volume.particles", tip="volume.particles.tip")
        self.play.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.play.clicked.connect(self.play_asked)
        self.line: QToolButton = say(QToolButton(), "volume.upright", tip="volume.upright.tip")
        self.line.clicked.connect(self.line_asked)
        self.close_button: QToolButton = say(QToolButton(), tip="volume.close")
        set_icon(self.close_button, "close")
        self.close_button.clicked.connect(self.closed)
        for button in (self.play, self.line):
            button.setCheckable(True)
        self.level = _Row("volume.level", self._level_moved)
        self.surface = _Row("volume.surface", self._value_moved)
        self._lay_out()
        self.set_playing(False)
        self.hide()

    def _lay_out(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(10, 5, 8, 5)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(2)
        for row, parts in enumerate((self.level.widgets, self.surface.widgets), start=1):
            for column, widget in enumerate(parts):
                grid.addWidget(widget, row, column)
        grid.addWidget(self.title, 0, 0, 1, 3)
        grid.addWidget(self.close_button, 0, 3, Qt.AlignmentFlag.AlignRight)
        grid.addWidget(self.line, 1, 3)
        grid.addWidget(self.play, 2, 3)

    def show_volume(
        self,
        title: str,
        view: VolumeView,
        *,
        heights: Limits,
        values: Limits,
        unit: str,
        has_wind: bool,
        is_drawing: bool,
    ) -> None:
        """Say what a volume shows.

        heights : (lowest, highest) [local m]; values : (least, greatest) of the field, in `unit`.
        """
        self._unit, self._foot = unit, heights[0]
        self.title.setText(title)
        self.level.show_value(view.level, heights)
        self.surface.show_value(view.value, values)
        self.line.setChecked(view.line is not None or is_drawing)
        self.play.setVisible(has_wind)
        self._write()
        self.adjustSize()
        self.show()
        self.raise_()

    def set_playing(self, playing: bool) -> None:
        """The button offers the other of the two."""
        self.play.setChecked(playing)
        set_icon(self.play, "pause" if playing else "play")

    def _level_moved(self) -> None:
        self._write()
        self.level_changed.emit(self.level.value)

    def _value_moved(self) -> None:
        self._write()
        self.value_changed.emit(self.surface.value)

    def _write(self) -> None:
        height = self.level.place
        above = f"{height - self._foot:.1f}"
        self.level.text.setText(tr("volume.level.value", above=above, height=f"{height:.1f}"))
        self.surface.text.setText(quantity_text(round(self.surface.place, 3), self._unit))
        for row in (self.level, self.surface):
            row.slider.setEnabled(row.switch.isChecked())
