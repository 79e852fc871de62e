"""How a layer is coloured: by which attribute, in which classes, with which ramp."""

from __future__ import annotations

import dataclasses

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QComboBox, QFormLayout, QHBoxLayout, QLabel, QSpinBox, QToolButton, QWidget

from app.appearance import set_icon
from app.classes import MOST_CLASSES, USUAL_CLASSES, limits_of
from app.language import tr
from app.view.legend import shown_field
from app.widgets.edge import off_the_edge
from app.widgets.ramp_box import RampBox
from app.widgets.wording import say
from geo.model import Layer, Style

METHODS = ("", "equal", "quantiles", "unique", "breaks")


class ColouringForm(QObject):
    """Rows added to a form. `changed(Style)` is emitted when the user has chosen otherwise, `edit_asked` when the
    whole legend is to be edited.
    """

    changed = Signal(object)
    edit_asked = Signal()

    def __init__(self, form: QFormLayout, parent: QWidget) -> None:
        super().__init__(parent)
        self._form, self._filling = form, False
        self._layer: Layer | None = None
        self.by_box = _narrow_box()
        self.method_box = _narrow_box()
        self.classes_box = off_the_edge(QSpinBox())
        self.classes_box.setRange(2, MOST_CLASSES)
        self.ramp_box = RampBox()
        self.reset_button = say(QToolButton(), tip="layers.reset_style")
        set_icon(self.reset_button, "undo")
        say(self.classes_box, tip="layers.classes")
        self.edit_button = say(QToolButton(), tip="action.edit_legend")
        set_icon(self.edit_button, "rename")
        self.edit_button.clicked.connect(self.edit_asked)
        self._by_row = QHBoxLayout()
        self._by_row.addWidget(self.by_box, 1)
        self._by_row.addWidget(self.edit_button)
        self._method_row, self._ramp_row = QHBoxLayout(), QHBoxLayout()
        self._method_row.addWidget(self.method_box, 1)
        self._method_row.addWidget(self.classes_box)
        self._ramp_row.addWidget(self.ramp_box, 1)
        self._ramp_row.addWidget(self.reset_button)
        form.addRow(say(QLabel(), "layers.colour_by"), self._by_row)
        form.addRow(say(QLabel(), "layers.method"), self._method_row)
        form.addRow(say(QLabel(), "layers.ramp"), self._ramp_row)
        self.by_box.activated.connect(self._choose_attribute)
        self.method_box.activated.connect(self._choose_method)
        self.classes_box.valueChanged.connect(self._choose)
        self.ramp_box.activated.connect(self._choose)
        self.reset_button.clicked.connect(self._reset)

    def show_layer(self, layer: Layer | None, choices: list[tuple[str, str]]) -> None:
        """Show the style of a layer. `choices`: title and name of what it can be coloured by."""
        self._layer, self._filling = layer, True
        style = layer.style if layer is not None else Style()
        self.by_box.clear()
        self.by_box.addItem(tr("layers.plain"), "")
        for title, name in choices:
            self.by_box.addItem(title, name)
        self.by_box.setCurrentIndex(max(0, self.by_box.findData(style.colour_by)))
        coloured = bool(self.by_box.currentData())
        self._fill_methods(layer, style)
        self.ramp_box.refresh_words()
        self.ramp_box.choose(style.ramp)
        for row in (self._method_row, self._ramp_row):
            self._form.setRowVisible(row, coloured)
        self._filling = False

    def _fill_methods(self, layer: Layer | None, style: Style) -> None:
        texts = layer is not None and not is_quantity(layer, style.colour_by)
        self.method_box.clear()
        for method in ("unique",) if texts else METHODS:
            self.method_box.addItem(tr(f"layers.method.{method or 'continuous'}"), method)
        method = style.method or ("unique" if texts else "equal" if style.classes else "")
        self.method_box.setCurrentIndex(max(0, self.method_box.findData(method)))
        self.method_box.setEnabled(not texts)
        self.classes_box.setEnabled(method not in ("", "breaks"))
        usual = MOST_CLASSES if method == "unique" else USUAL_CLASSES
        self.classes_box.setValue(max(len(style.breaks) - 1, 2) if method == "breaks" else style.classes or usual)

    def _choose_attribute(self, _index: int) -> None:
        """Another attribute has classes of its own; the ramp stays where there is an order to show."""
        if self._layer is not None and not self._filling:
            name = str(self.by_box.currentData() or "")
            ramp = self._layer.style.ramp if is_quantity(self._layer, name) else ""
            self._emit(self._layer.style.coloured_by(name, ramp=ramp))

    def _choose_method(self, _index: int) -> None:
        """Another method begins with its usual number of classes."""
        if self._layer is not None and not self._filling:
            method = str(self.method_box.currentData() or "")
            style = self._layer.style
            shown = shown_field(self._layer)
            breaks = limits_of(shown) if method == "breaks" and shown is not None else ()
            changed = style.coloured_by(style.colour_by, method=method, ramp=style.ramp)
            self._emit(dataclasses.replace(changed, breaks=breaks, reversed=style.reversed, range=style.range))

    def _choose(self, _value: int) -> None:
        if self._layer is None or self._filling:
            return
        style = self._layer.style
        method = str(self.method_box.currentData() or "")
        usual = MOST_CLASSES if method == "unique" else USUAL_CLASSES
        count = self.classes_box.value()
        classes = 0 if not method or count == (style.classes or usual) == usual else count
        if method == "breaks":
            classes = style.classes
        changed = dataclasses.replace(style, method=method, classes=classes, ramp=self.ramp_box.name)
        if classes != style.classes and method != "unique":  # the third of five is not the third of eight
            changed = dataclasses.replace(changed, class_colours=(), class_titles=())
        self._emit(changed)

    def _reset(self) -> None:
        if self._layer is not None:
            self._emit(dataclasses.replace(self._layer.style.coloured_by(""), missing="", title=""))

    def _emit(self, style: Style) -> None:
        if self._layer is not None and style != self._layer.style:
            self.changed.emit(style)


def is_quantity(layer: Layer, name: str) -> bool:
    """Whether a field or column holds numbers that can be put on a scale."""
    field = layer.field_named(name)
    if field is not None:
        return not field.categories
    column = layer.table.columns.get(name)
    return column is not None and column.is_number


def _narrow_box() -> QComboBox:
    box = QComboBox()
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(8)
    return box
