"""How a layer looks besides its colours: labels of its elements, edges, light and shade."""

from __future__ import annotations

import dataclasses

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QFormLayout, QHBoxLayout, QLabel, QSpinBox, QWidget

from app.language import tr
from app.widgets.edge import off_the_edge
from app.widgets.wording import say
from geo.model import Layer, Style

SMALLEST, LARGEST = 8, 36  # pixels of letters
FARTHEST, STEP = 20_000, 50  # metres
SOLID = ("mesh", "instances")  # kinds that take light and shade
EDGED = ("building", "bim", "furniture", "other")


class LookForm(QObject):
    """Rows added to a form. `changed(Style)` is emitted when the user has chosen otherwise."""

    changed = Signal(object)

    def __init__(self, form: QFormLayout, parent: QWidget) -> None:
        super().__init__(parent)
        self._form, self._filling = form, False
        self._layer: Layer | None = None
        self.label_box = QComboBox()
        self.label_box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.label_box.setMinimumContentsLength(8)
        say(self.label_box, tip="labels.by.tip")
        self.size_box = say(off_the_edge(QSpinBox()), tip="labels.size.tip")
        self.size_box.setRange(SMALLEST, LARGEST)
        self.size_box.setSuffix(" px")
        self.reach_box = say(off_the_edge(QSpinBox()), tip="labels.reach.tip")
        self.reach_box.setRange(0, FARTHEST)
        self.reach_box.setSingleStep(STEP)
        self.reach_box.setSuffix(" m")
        self.reach_box.setKeyboardTracking(False)
        self.edges_box = say(QCheckBox(), "look.edges", tip="look.edges.tip")
        self.shaded_box = say(QCheckBox(), "look.shaded", tip="look.shaded.tip")
        self._size_row, self._look_row = QHBoxLayout(), QHBoxLayout()
        self._size_row.addWidget(self.size_box)
        self._size_row.addWidget(self.reach_box, 1)
        self._look_row.addWidget(self.edges_box)
        self._look_row.addWidget(self.shaded_box)
        self._look_row.addStretch(1)
        form.addRow(say(QLabel(), "labels.by"), self.label_box)
        form.addRow(say(QLabel(), "labels.size"), self._size_row)
        form.addRow(say(QLabel(), "look.title"), self._look_row)
        self.label_box.activated.connect(self._choose_label)
        self.size_box.valueChanged.connect(lambda value: self._change(label_size=value))
        self.reach_box.valueChanged.connect(lambda value: self._change(label_reach=float(value)))
        self.edges_box.toggled.connect(lambda on: self._change(edges=on))
        self.shaded_box.toggled.connect(lambda on: self._change(shaded=on))

    def show_layer(self, layer: Layer | None, choices: list[tuple[str, str]]) -> None:
        """Show the style of a layer. `choices`: title and name of the attributes that can be written."""
        self._layer, self._filling = layer, True
        style = layer.style if layer is not None else Style()
        can_label = (
            layer is not None and len(layer.table) > 0 and layer.kind in ("mesh", "lines", "points", "instances")
        )
        self.label_box.clear()
        self.label_box.addItem(tr("labels.none"), "")
        for title, name in choices:
            self.label_box.addItem(title, name)
        written = style.label_by if style.labelled else ""
        self.label_box.setCurrentIndex(max(0, self.label_box.findData(written)))
        self.size_box.setValue(style.label_size)
        self.reach_box.setSpecialValueText(tr("labels.any_reach"))
        self.reach_box.setValue(round(style.label_reach))
        self.edges_box.setChecked(style.edges)
        self.shaded_box.setChecked(style.shaded)
        self.edges_box.setVisible(layer is not None and layer.kind == "mesh" and layer.theme in EDGED)
        self._form.setRowVisible(self.label_box, can_label)
        self._form.setRowVisible(self._size_row, can_label and bool(written))
        self._form.setRowVisible(self._look_row, layer is not None and layer.kind in SOLID)
        self._filling = False

    def _choose_label(self, _row: int) -> None:
        name = str(self.label_box.currentData() or "")
        if name:
            self._change(labelled=True, label_by=name)
        else:
            self._change(labelled=False)

    def _change(self, **values: object) -> None:
        if self._layer is not None and not self._filling:
            style = dataclasses.replace(self._layer.style, **values)  # type: ignore[arg-type]
            if style != self._layer.style:
                self.changed.emit(style)


def look_title(style: Style, before: Style) -> str:
    """Title of the step from one look to another."""
    names = ("labelled", "label_by", "label_size", "label_reach")
    return "set_labels" if any(getattr(style, name) != getattr(before, name) for name in names) else "set_style"
