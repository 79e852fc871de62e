"""A number with its unit and range."""

from __future__ import annotations

import math

from PySide6.QtCore import QLocale, Qt, Signal
from PySide6.QtWidgets import QDoubleSpinBox, QHBoxLayout, QLabel, QSpinBox, QWidget

from app.numbers import number_text, unit_text, with_unit
from app.widgets.edge import off_the_edge

LARGEST_INT = 2_000_000_000
MOST_DECIMALS = 6
LEAST_WIDTH, ARROWS_WIDTH = 84, 44  # pixels


class _PlainDoubleSpinBox(QDoubleSpinBox):
    """Shows 30 rather than 30.00."""

    def textFromValue(self, value: float) -> str:
        """The number without zeros that say nothing."""
        text = super().textFromValue(value)
        return text.rstrip("0").rstrip(".") if "." in text else text


class QuantityEdit(QWidget):
    """Spin box, unit and allowed range. `value` is int or float by `integer`."""

    changed = Signal()

    def __init__(
        self,
        value: float,
        *,
        unit: str,
        low: float | None,
        high: float | None,
        integer: bool,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._box: QSpinBox | QDoubleSpinBox = (
            _integer_box(low, high) if integer else _float_box(value, low=low, high=high)
        )
        self._box.setLocale(QLocale.c())
        self._box.setKeyboardTracking(False)
        self._box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._box.valueChanged.connect(lambda _value: self.changed.emit())
        self.setFocusProxy(self._box)
        label = QLabel(unit_text(unit))
        label.setObjectName("unit")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._box, 1)
        layout.addWidget(label)
        label.setVisible(bool(unit) and unit != "1")
        self.set_value(value)
        shown = self._box.fontMetrics().horizontalAdvance(self._box.text())
        self._box.setMinimumWidth(max(LEAST_WIDTH, shown + ARROWS_WIDTH))

    @property
    def value(self) -> int | float:
        """The number."""
        return self._box.value()

    def set_value(self, value: float) -> None:
        """Show a number; one outside the range becomes the nearest in it."""
        if isinstance(self._box, QSpinBox):
            self._box.setValue(round(value))
        else:
            self._box.setValue(float(value))

    @property
    def spin_box(self) -> QSpinBox | QDoubleSpinBox:
        """The box itself."""
        return self._box


def range_text(low: float | None, high: float | None, unit: str) -> str:
    """``"1 … 60 min"``, or ``""`` without limits."""
    if low is None or high is None:
        return ""
    return with_unit(f"{number_text(low)} … {number_text(high)}", unit)


def _integer_box(low: float | None, high: float | None) -> QSpinBox:
    box = off_the_edge(QSpinBox())
    box.setRange(
        round(max(low if low is not None else -LARGEST_INT, -LARGEST_INT)),
        round(min(high if high is not None else LARGEST_INT, LARGEST_INT)),
    )
    return box


def _float_box(value: float, *, low: float | None, high: float | None) -> QDoubleSpinBox:
    box = off_the_edge(_PlainDoubleSpinBox())
    least = low if low is not None else -1e12
    most = high if high is not None else 1e12
    box.setDecimals(_decimals(value, least))
    box.setRange(least, most)
    box.setSingleStep(_step(value, least, most))
    return box


def _decimals(*values: float) -> int:
    """Places that show the default and the smallest allowed value exactly, at least two."""
    wanted = 2
    for value in values:
        text = f"{value:.{MOST_DECIMALS}f}".rstrip("0")
        wanted = max(wanted, len(text.partition(".")[2]))
    return min(wanted, MOST_DECIMALS)


def _step(value: float, low: float, high: float) -> float:
    """A step of 1, 2 or 5 times a power of ten, about a tenth of the default."""
    size = abs(value) or min(abs(high), abs(low)) or 1.0
    power = 10.0 ** math.floor(math.log10(size))
    return power / 10.0 if size / power < 5 else power / 2.0
