"""Asks what a source of dust is that was drawn, and how much traffic a road has."""

from __future__ import annotations

import math

from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from app.dust.source_edit import SourceValues
from app.language import tr
from app.numbers import number_text
from app.widgets.quantity_edit import QuantityEdit
from app.widgets.wording import say

AREA_KINDS, POINT_KINDS = ("construction", "yard", "other"), ("stack", "other")
USUAL_SHARE = 0.3  # of a site that is worked on
USUAL_HEIGHT = 20.0  # [m] of a chimney
USUAL_STRENGTH = 0.1  # [g/s]
USUAL_TRAFFIC, USUAL_WEIGHT = 10_000.0, 2.5  # [1/d], [t]
MOST_STRENGTH, MOST_TRAFFIC, MOST_WEIGHT, HIGHEST = 1e4, 3e5, 60.0, 400.0


class AskDialog(QDialog):
    """A form with buttons; rows are added by `add`."""

    def __init__(self, title: str, name: str, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        say(self, title)
        self.form = QFormLayout()
        self.note = QLabel()
        self.note.setObjectName("soft")
        self.note.setWordWrap(True)
        self.note.hide()
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        self.buttons.button(QDialogButtonBox.StandardButton.Ok).setText(tr("dust_source.ok"))
        self.buttons.button(QDialogButtonBox.StandardButton.Cancel).setText(tr("dialog.cancel"))
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setSpacing(12)
        layout.addLayout(self.form)
        layout.addWidget(self.note)
        layout.addWidget(self.buttons)

    def add(self, name: str, widget: QWidget) -> None:
        """A row; its label is ``dust_source.<name>``."""
        widget.setObjectName(f"source_{name}")
        label = say(QLabel(), f"dust_source.{name}", tip=f"dust_source.{name}.tip")
        label.setBuddy(widget)
        self.form.addRow(label, widget)

    def say_note(self, text: str) -> None:
        """A soft line under the form."""
        self.note.setText(text)
        self.note.setVisible(bool(text))


class SourceDialog(AskDialog):
    """Name, group, kind and strength of a source.

    Parameters
    ----------
    values : SourceValues
    area : float or None [m2]
        Of a site; None for a point.
    """

    def __init__(self, values: SourceValues, *, area: float | None, parent: QWidget | None = None) -> None:
        super().__init__("dust_source.title", "dust_source_dialog", parent)
        self._area = area
        self.name_edit, self.group_edit = QLineEdit(values.name), QLineEdit(values.group)
        self.kind_box = QComboBox()
        for kind in AREA_KINDS if area is not None else POINT_KINDS:
            self.kind_box.addItem(tr(f"class.source_kind.{kind}"), kind)
        self.kind_box.setCurrentIndex(max(self.kind_box.findData(values.kind), 0))
        share = values.active_share if math.isfinite(values.active_share) else USUAL_SHARE
        self.share_edit = QuantityEdit(100.0 * share, unit="%", low=0.0, high=100.0, integer=False)
        self.height_edit = QuantityEdit(
            _or(values.height, USUAL_HEIGHT), unit="m", low=0.0, high=HIGHEST, integer=False
        )
        self.stated = say(QCheckBox(), "dust_source.stated", tip="dust_source.stated.tip")
        self.stated.setObjectName("source_stated")
        self.stated.setChecked(math.isfinite(values.pm10) or area is None)
        self.pm10_edit, self.pm25_edit = (
            QuantityEdit(_or(value, usual), unit="g/s", low=0.0, high=MOST_STRENGTH, integer=False)
            for value, usual in ((values.pm10, USUAL_STRENGTH), (values.pm25, 0.5 * USUAL_STRENGTH))
        )
        rows: list[tuple[str, QWidget]] = [("name", self.name_edit), ("group", self.group_edit)]
        rows.append(("kind", self.kind_box))
        rows.append(("active", self.share_edit) if area is not None else ("height", self.height_edit))
        for name, widget in rows:
            self.add(name, widget)
        self.form.addRow(self.stated)
        self.add("pm10", self.pm10_edit)
        self.add("pm25", self.pm25_edit)
        self.stated.toggled.connect(lambda _on: self._follow())
        self.kind_box.currentIndexChanged.connect(lambda _index: self._follow())
        self.share_edit.changed.connect(self._follow)
        self._follow()

    def _follow(self) -> None:
        """A strength is derived for building sites alone; others must state theirs."""
        derived = self._area is not None and self.kind_box.currentData() == "construction"
        self.stated.setEnabled(derived)
        if not derived:
            self.stated.setChecked(True)
        is_stated = self.stated.isChecked()
        self.pm10_edit.setEnabled(is_stated)
        self.pm25_edit.setEnabled(is_stated)
        self.share_edit.setEnabled(not is_stated)
        self.say_note("" if is_stated else self._derived_text())

    def _derived_text(self) -> str:
        from analysis.dust.rules import construction_emission

        area, share = self._area or 0.0, 0.01 * float(self.share_edit.value)
        strength = [1e-6 * area * construction_emission(size, share_active=share) for size in ("pm10", "pm25")]
        return tr(
            "dust_source.derived",
            area=number_text(round(area)),
            pm10=number_text(round(strength[0], 4)),
            pm25=number_text(round(strength[1], 4)),
        )

    @property
    def values(self) -> SourceValues:
        """As typed."""
        stated, is_area = self.stated.isChecked(), self._area is not None
        kind = str(self.kind_box.currentData())
        return SourceValues(
            self.name_edit.text().strip() or tr("dust_source.unnamed"),
            self.group_edit.text().strip(),
            kind,
            0.01 * float(self.share_edit.value) if is_area and not stated else math.nan,
            float(self.pm10_edit.value) if stated else math.nan,
            float(self.pm25_edit.value) if stated else math.nan,
            math.nan if is_area else float(self.height_edit.value),
        )


class TrafficDialog(AskDialog):
    """Vehicles a day and their mean weight, of `count` roads; NaN where the roads differ or say nothing."""

    def __init__(self, *, count: int, traffic: float, weight: float, parent: QWidget | None = None) -> None:
        super().__init__("dust_source.traffic_title", "traffic_dialog", parent)
        self.traffic_edit = QuantityEdit(
            _or(traffic, USUAL_TRAFFIC), unit=tr("dust_source.per_day"), low=0.0, high=MOST_TRAFFIC, integer=False
        )
        self.traffic_edit.spin_box.setSingleStep(1000.0)  # type: ignore[arg-type]
        self.weighed = QCheckBox()
        self.weighed.setObjectName("source_weighed")
        self.weighed.setChecked(math.isfinite(weight))
        self.weight_edit = QuantityEdit(_or(weight, USUAL_WEIGHT), unit="t", low=0.5, high=MOST_WEIGHT, integer=False)
        self.add("traffic", self.traffic_edit)
        both = QWidget()
        row = QHBoxLayout(both)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.weighed)
        row.addWidget(self.weight_edit, 1)
        self.add("weight", both)
        self.weight_edit.setEnabled(self.weighed.isChecked())
        self.weighed.toggled.connect(self.weight_edit.setEnabled)
        self.say_note(tr("dust_source.roads", count=count))

    @property
    def traffic(self) -> float:
        """Vehicles a day."""
        return float(self.traffic_edit.value)

    @property
    def weight(self) -> float:
        """Mean weight [t], NaN where it is not known."""
        return float(self.weight_edit.value) if self.weighed.isChecked() else math.nan


def _or(value: float, usual: float) -> float:
    return value if math.isfinite(value) else usual
