"""The dialog in which a legend is edited: attribute, classes, their limits, colours and names. The picture follows."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.classes import MOST_CLASSES, USUAL_CLASSES, limits_of
from app.colour import field_range
from app.commands import Command, SetStyle
from app.document import Document
from app.language import tr
from app.names import layer_title
from app.numbers import plain_number, unit_text
from app.style_edit import class_rows, join_class, known_values, split_class, with_colour, with_limit, with_title
from app.view.legend import plain_field, shown_field, title_of
from app.widgets.class_table import ClassTable
from app.widgets.colour_button import ColourButton
from app.widgets.colouring_form import METHODS, is_quantity
from app.widgets.edge import off_the_edge
from app.widgets.ramp_box import RampBox
from app.widgets.wording import say
from geo.model import Layer, Style

MARGIN = 64  # pixels between the dialog and the upper right corner of the window


@dataclass
class EditLegend(SetStyle):
    """All changes in one dialog are one step.

    Attributes
    ----------
    session : object
        The dialog.
    """

    session: object = None

    def merge(self, later: Command) -> Command | None:
        """What the same dialog has done before is part of this step."""
        if isinstance(later, EditLegend) and later.session is self.session and later.layer_id == self.layer_id:
            return EditLegend(self.layer_id, later.style, self.title, self._before, self.session)
        return None


class LegendEditor(QDialog):
    """Shows every change at once, all of them as one step; rejecting takes it back.

    Parameters
    ----------
    choices : list of (title, name)
        What the layer can be coloured by.
    """

    def __init__(self, document: Document, layer: Layer, *, choices: list[tuple[str, str]], parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(f"{tr('style.title')} — {layer_title(layer)}")
        self._document, self._layer_id, self._before = document, layer.id, layer.style
        self._filling, self._ended, self._doing = False, False, False
        self._session = object()
        self._shown: Style | None = None
        self._make_fields(choices)
        self._lay_out()
        self._connect()
        document.scene.removed.connect(self._on_removed)
        document.scene.changed.connect(self._on_changed)
        self.finished.connect(self._stop_listening)
        self.resize(520, 560)
        self._fill()

    def open_beside(self, window: QWidget) -> None:
        """Open at the right of a window, so that legend and picture stay in sight."""
        self.open()
        corner = window.mapToGlobal(window.rect().topRight())
        self.move(corner.x() - self.frameGeometry().width() - MARGIN, corner.y() + MARGIN)

    @property
    def layer(self) -> Layer:
        """The layer as it is shown now."""
        return self._document.scene[self._layer_id]

    # ---- making

    def _make_fields(self, choices: list[tuple[str, str]]) -> None:
        self.by_box, self.method_box, self.ramp_box = QComboBox(), QComboBox(), RampBox()
        self.by_box.addItem(tr("layers.plain"), "")
        for title, name in choices:
            self.by_box.addItem(title, name)
        for box in (self.by_box, self.method_box):
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(12)
        self.classes_box = say(off_the_edge(QSpinBox()), tip="layers.classes")
        self.classes_box.setRange(2, MOST_CLASSES)
        self.reversed_box = say(QCheckBox(), "style.reversed", tip="style.reversed.tip")
        self.title_edit = say(QLineEdit(), tip="style.legend_title.tip")
        self.low_edit, self.high_edit = (say(QLineEdit(), tip=f"style.{name}.tip") for name in ("low", "high"))
        self.unit_label = QLabel()
        self.colour_button = ColourButton("", tip="style.plain_colour.tip")
        self.missing_button = ColourButton("", tip="style.missing.tip")
        self.table = ClassTable()
        self.split_button = say(QPushButton(), "style.split", tip="style.split.tip")
        self.join_button = say(QPushButton(), "style.join", tip="style.join.tip")
        self.note = QLabel()
        self.note.setObjectName("soft")
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        self.ok_button = self.buttons.button(QDialogButtonBox.StandardButton.Ok)
        self.ok_button.setText(tr("style.apply"))
        self.ok_button.setObjectName("primary")
        self.buttons.button(QDialogButtonBox.StandardButton.Cancel).setText(tr("dialog.cancel"))
        self.reset_button = say(QPushButton(), "style.reset", tip="style.reset.tip")
        self.buttons.addButton(self.reset_button, QDialogButtonBox.ButtonRole.ResetRole)

    def _lay_out(self) -> None:
        self.form = QFormLayout()
        self._method_row = _row(self.method_box, self.classes_box)
        self._ramp_row = _row(self.ramp_box, self.reversed_box)
        self._ends_row = _row(self.low_edit, QLabel("–"), self.high_edit, self.unit_label)
        self._edit_row = _row(self.split_button, self.join_button, None)
        for text_id, part in (
            ("layers.colour_by", self.by_box),
            ("style.plain_colour", self.colour_button),
            ("layers.method", self._method_row),
            ("layers.ramp", self._ramp_row),
            ("style.ends", self._ends_row),
            ("style.legend_title", self.title_edit),
            ("style.missing", self.missing_button),
        ):
            self.form.addRow(tr(text_id), part)
        layout = QVBoxLayout(self)
        layout.setSpacing(8)
        layout.addLayout(self.form)
        layout.addWidget(self.table, 1)
        layout.addLayout(self._edit_row)
        layout.addWidget(self.note)
        layout.addWidget(self.buttons)

    def _connect(self) -> None:
        self.by_box.activated.connect(self._choose_attribute)
        self.method_box.activated.connect(self._choose_method)
        self.classes_box.valueChanged.connect(self._choose_classes)
        self.ramp_box.activated.connect(lambda _row: self._change(ramp=self.ramp_box.name))
        self.reversed_box.toggled.connect(lambda on: self._change(reversed=on))
        self.title_edit.textChanged.connect(lambda text: self._change(title=text))
        self.low_edit.editingFinished.connect(self._take_ends)
        self.high_edit.editingFinished.connect(self._take_ends)
        self.colour_button.chosen.connect(lambda colour: self._change(colour=colour))
        self.missing_button.chosen.connect(lambda colour: self._change(missing=colour))
        self.table.coloured.connect(lambda key, colour: self._show(with_colour(self.layer.style, key, colour)))
        self.table.named.connect(lambda key, title: self._show(with_title(self.layer.style, key, title)))
        self.table.limited.connect(self._take_limit)
        self.table.itemSelectionChanged.connect(self._enable)
        self.split_button.clicked.connect(lambda: self._on_row(split_class))
        self.join_button.clicked.connect(lambda: self._on_row(join_class))
        self.reset_button.clicked.connect(self._reset)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self.ok_button.setAutoDefault(False)  # Return in a cell or a line belongs to that
        for button in self.buttons.buttons():
            button.setAutoDefault(False)

    # ---- showing

    def _fill(self) -> None:
        """Write all that the style says."""
        self._filling = True
        layer, style = self.layer, self.layer.style
        self.by_box.setCurrentIndex(max(0, self.by_box.findData(style.colour_by)))
        field, plain = shown_field(layer), plain_field(layer)
        quantity = plain is not None and not plain.categories
        self._fill_methods(style, quantity=quantity)
        self.ramp_box.choose(style.ramp)
        self.reversed_box.setChecked(style.reversed)
        continuous = field is not None and not field.categories
        if self.title_edit.text() != style.title:
            self.title_edit.setText(style.title)
        self.title_edit.setPlaceholderText(title_of(field) if field is not None else "")
        if field is not None and continuous:
            for edit, value in zip((self.low_edit, self.high_edit), field_range(field), strict=True):
                edit.setText(plain_number(value))
            self.unit_label.setText(unit_text(field.unit))
        self.colour_button.show_colour(style.colour)
        self.missing_button.show_colour(style.missing)
        rows = class_rows(layer)
        self.table.show_rows(rows)
        for part, shown in (
            (self.colour_button, field is None),
            (self._method_row, field is not None),
            (self._ramp_row, field is not None),
            (self._ends_row, continuous),
            (self.title_edit, field is not None),
            (self.missing_button, field is not None and layer.kind in ("mesh", "lines", "points", "instances")),
        ):
            self.form.setRowVisible(part, shown)
        self.table.setVisible(bool(rows))
        ordered = bool(rows) and math.isfinite(rows[0].low)
        self.split_button.setVisible(ordered)
        self.join_button.setVisible(ordered)
        self._write_note(layer)
        self._filling = False
        self._enable()

    def _fill_methods(self, style: Style, *, quantity: bool) -> None:
        self.method_box.clear()
        for method in METHODS if quantity else ("unique",):
            self.method_box.addItem(tr(f"layers.method.{method or 'continuous'}"), method)
        method = style.method or ("" if quantity and not style.classes else "equal" if quantity else "unique")
        self.method_box.setCurrentIndex(max(0, self.method_box.findData(method)))
        self.method_box.setEnabled(quantity)
        self.classes_box.setEnabled(method not in ("", "breaks"))
        count = style.classes or (MOST_CLASSES if method == "unique" else USUAL_CLASSES)
        self.classes_box.setValue(max(len(style.breaks) - 1, 2) if method == "breaks" else count)

    def _write_note(self, layer: Layer) -> None:
        total, outside = known_values(layer)
        text = tr("style.values", count=f"{total:,}") if total else ""
        self.note.setText(text + (" · " + tr("style.outside", count=f"{outside:,}") if outside else ""))

    def _enable(self) -> None:
        row, count = self.table.currentRow(), self.table.rowCount()
        self.split_button.setEnabled(row >= 0 and count < MOST_CLASSES)
        self.join_button.setEnabled(0 <= row < count - 1 and count > 1)

    # ---- changing

    def _show(self, style: Style) -> None:
        """The picture with this style."""
        if self._ended or self._layer_id not in self._document.scene:
            return
        if not self._filling and style != self.layer.style:
            self._do(style)
        self._fill()

    def _do(self, style: Style) -> None:
        self._doing = True
        self._document.do(EditLegend(self._layer_id, style, "edit_legend", session=self._session))
        self._doing = False
        self._shown = style

    def _change(self, **values: object) -> None:
        if not self._filling and not self._ended and self._layer_id in self._document.scene:
            self._show(dataclasses.replace(self.layer.style, **values))  # type: ignore[arg-type]

    def _choose_attribute(self, _row: int) -> None:
        name = str(self.by_box.currentData() or "")
        if name != self.layer.style.colour_by:
            style = self.layer.style
            self._show(style.coloured_by(name, ramp=style.ramp if is_quantity(self.layer, name) else ""))

    def _choose_method(self, _row: int) -> None:
        style, field = self.layer.style, shown_field(self.layer)
        method = str(self.method_box.currentData() or "")
        changed = style.coloured_by(style.colour_by, method=method, ramp=style.ramp)
        breaks = limits_of(field) if method == "breaks" and field is not None else ()
        if method == "breaks" and field is not None and not breaks:
            breaks = field_range(field)
        self._show(dataclasses.replace(changed, reversed=style.reversed, range=style.range, breaks=breaks))

    def _choose_classes(self, count: int) -> None:
        if not self._filling:
            style = self.layer.style
            said = {} if style.method == "unique" else {"class_colours": (), "class_titles": ()}
            self._change(classes=count, **said)

    def _take_ends(self) -> None:
        """The ends of the ramp as written; what is empty is what the values have, what is no number is as before."""
        if self._filling or self._ended or self._layer_id not in self._document.scene:
            return
        style = dataclasses.replace(self.layer.style, range=None)
        field = shown_field(self.layer.with_(style=style))
        if field is None or field.categories:
            return
        usual = field_range(field)
        ends = [
            number_of(edit.text(), value) for edit, value in zip((self.low_edit, self.high_edit), usual, strict=True)
        ]
        if not ends[0] < ends[1]:
            self._fill()
            return
        same = all(plain_number(end) == plain_number(value) for end, value in zip(ends, usual, strict=True))
        self._show(dataclasses.replace(style, range=None if same else (ends[0], ends[1])))

    def _take_limit(self, number: int, text: str) -> None:
        self._show(with_limit(self.layer.style, self.layer, number, number_of(text, math.nan)))

    def _on_row(self, change: object) -> None:
        row = self.table.currentRow()
        if row >= 0 and callable(change):
            self._show(change(self.layer.style, self.layer, row))
            self.table.setCurrentCell(min(row, self.table.rowCount() - 1), 3)

    def _reset(self) -> None:
        """The attribute as the program would show it."""
        style = self.layer.style
        self._show(dataclasses.replace(style.coloured_by(style.colour_by), missing="", title="", colour=""))

    # ---- the end

    def done(self, code: int) -> None:
        """Keep what was chosen, or take it back."""
        if code == QDialog.DialogCode.Accepted:  # what is being written is taken
            self.setFocus()
            self._take_ends()
        self._ended = True
        if self._layer_id in self._document.scene:
            self._end(accepted=code == QDialog.DialogCode.Accepted)
        super().done(code)

    def _end(self, *, accepted: bool) -> None:
        style, last = self.layer.style, self._document.history.last
        mine = isinstance(last, EditLegend) and last.session is self._session
        if accepted and style.title != style.title.strip():
            style = dataclasses.replace(style, title=style.title.strip())
            self._do(style)
        if mine and (not accepted or style == self._before):
            self._document.history.withdraw()
        elif not accepted and style == self._shown:  # something else was done in between
            self._document.do(SetStyle(self._layer_id, self._before, "edit_legend"))

    def _stop_listening(self, _code: int) -> None:
        self._document.scene.removed.disconnect(self._on_removed)
        self._document.scene.changed.disconnect(self._on_changed)

    def _on_changed(self, layer: Layer, _what: str) -> None:
        """Somebody else has changed the layer: show it."""
        if layer.id == self._layer_id and not self._filling and not self._ended and not self._doing:
            self._fill()

    def _on_removed(self, layer: Layer) -> None:
        if layer.id == self._layer_id:
            self.reject()


def number_of(text: str, otherwise: float) -> float:
    """A number as people write it, or what stands in for it."""
    try:
        value = float(text.replace(",", "").replace("−", "-").strip())
    except ValueError:
        return otherwise
    return value if math.isfinite(value) else otherwise


def _row(*parts: QWidget | None) -> QHBoxLayout:
    row = QHBoxLayout()
    for part in parts:
        if part is None:
            row.addStretch(1)
        else:
            row.addWidget(part, 0 if isinstance(part, QLabel | QSpinBox | QCheckBox | QPushButton) else 1)
    return row
