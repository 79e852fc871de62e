"""A form made from the declaration of an analysis' parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from PySide6.QtCore import QDate, Qt, Signal
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QCheckBox, QComboBox, QDateEdit, QFormLayout, QLabel, QLineEdit, QWidget

from analysis.contract import ParamInfo
from app.language import LANGUAGES, language, tr
from app.widgets.day_slider import DAYS
from app.widgets.edge import off_the_edge
from app.widgets.place_edit import PlaceEdit
from app.widgets.quantity_edit import QuantityEdit, range_text

# Pixels a title may take in one line, alone and beside its editor: the panel is not wider on a small screen.
WIDEST, WIDEST_BESIDE, WIDEST_EDITOR = 264, 168, 114
LEAST_CHARACTERS = 14  # of a line to type in, of which the frame takes a few
ARROW_WIDTH = 48  # pixels of a choice beside its words


class ParamForm(QWidget):
    """One row for each parameter: label, editor, unit; range and help in the tooltip.

    `selection_asked` and `pick_asked` carry the name of a parameter that wants a place of the scene.

    Parameters
    ----------
    prefix : str
        Translation ids are ``<prefix>.<parameter>``, ``.help`` and ``<prefix>.<parameter>.<option>``.
    """

    changed = Signal()
    selection_asked = Signal(str)
    pick_asked = Signal(str)

    def __init__(self, prefix: str, infos: Sequence[ParamInfo], *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._prefix = prefix
        self._infos = {info.name: info for info in infos}
        self._labels: dict[str, QLabel] = {}
        self._errors: dict[str, QLabel] = {}
        self.editors: dict[str, QWidget] = {}
        self._layout = QFormLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setHorizontalSpacing(8)
        self._layout.setVerticalSpacing(6)
        self._layout.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self._layout.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        for info in infos:
            self._add(info)
        self.retranslate()

    def _add(self, info: ParamInfo) -> None:
        editor = self._editor(info)
        editor.setObjectName(f"param_{info.name}")
        label, error = QLabel(), QLabel()
        label.setBuddy(editor)
        error.setObjectName("field_error")
        error.setWordWrap(True)
        error.setVisible(False)
        self.editors[info.name], self._labels[info.name], self._errors[info.name] = editor, label, error
        if info.sort == "switch":
            self._layout.addRow(editor)
        elif isinstance(editor, QComboBox) and self._widest(info, editor) > WIDEST_EDITOR:
            self._layout.addRow(label)
            self._layout.addRow(editor)
        else:
            self._layout.addRow(label, editor)
        self._layout.addRow(error)

    def _widest(self, info: ParamInfo, box: QComboBox) -> int:
        """Width of a choice with its longest words of any language [pixels]."""
        widest = 0
        for code in LANGUAGES:
            with language.spoken(code):
                words = [self._words(info.name, option) for option in info.options]
            widest = max(widest, *(box.fontMetrics().horizontalAdvance(one) for one in words))
        return widest + ARROW_WIDTH

    def _words(self, name: str, option: str) -> str:
        return tr(f"{self._prefix}.{name}.{option}", option.replace("_", " "))

    def _editor(self, info: ParamInfo) -> QWidget:
        if info.sort == "number":
            quantity = QuantityEdit(
                info.default or 0, unit=info.unit, low=info.low, high=info.high, integer=info.is_integer
            )
            quantity.changed.connect(self.changed)
            return quantity
        if info.sort == "switch":
            box = QCheckBox()
            box.setChecked(bool(info.default))
            box.toggled.connect(lambda _on: self.changed.emit())
            return box
        if info.sort == "date":
            return self._date_editor(info)
        if info.sort == "place":
            place = PlaceEdit(str(info.default or ""))
            place.changed.connect(self.changed)
            place.selection_asked.connect(lambda name=info.name: self.selection_asked.emit(name))
            place.pick_asked.connect(lambda name=info.name: self.pick_asked.emit(name))
            return place
        if info.options:
            return self._choice_editor(info)
        line = QLineEdit("" if info.default is None else str(info.default))
        line.setMinimumWidth(line.fontMetrics().horizontalAdvance("0" * LEAST_CHARACTERS))
        line.textChanged.connect(lambda _text: self.changed.emit())
        return line

    def _date_editor(self, info: ParamInfo) -> QDateEdit:
        edit = off_the_edge(QDateEdit())
        edit.setDateRange(*DAYS)
        edit.setCalendarPopup(True)
        edit.setDisplayFormat("yyyy-MM-dd")
        edit.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        if isinstance(info.default, date):
            edit.setDate(QDate(info.default.year, info.default.month, info.default.day))
        edit.dateChanged.connect(lambda _date: self.changed.emit())
        return edit

    def _choice_editor(self, info: ParamInfo) -> QComboBox:
        box = QComboBox()
        box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        for option in info.options:
            box.addItem(option, option)
        box.setCurrentIndex(max(0, box.findData(str(info.default))))
        box.currentIndexChanged.connect(lambda _index: self.changed.emit())
        return box

    def values(self) -> dict[str, Any]:
        """Plain values by parameter name, ready to be checked by the declaration."""
        return {name: self._value(name) for name in self._infos}

    def _value(self, name: str) -> Any:
        editor = self.editors[name]
        if isinstance(editor, QuantityEdit):
            return editor.value
        if isinstance(editor, PlaceEdit):
            return editor.text
        if isinstance(editor, QCheckBox):
            return editor.isChecked()
        if isinstance(editor, QDateEdit):
            chosen = editor.date()
            return date(chosen.year(), chosen.month(), chosen.day()).isoformat()
        if isinstance(editor, QComboBox):
            return self._typed(name, str(editor.currentData()))
        return editor.text() if isinstance(editor, QLineEdit) else None

    def _typed(self, name: str, text: str) -> Any:
        """The option of the declaration whose text this is: a choice may be among numbers."""
        from typing import get_args

        return next((option for option in get_args(self._infos[name].annotation) if str(option) == text), text)

    def set_values(self, values: Mapping[str, Any]) -> None:
        """Show values, those of an earlier run for example; unknown names are left out."""
        for name, value in values.items():
            editor = self.editors.get(name)
            if isinstance(editor, QuantityEdit):
                editor.set_value(value)
            elif isinstance(editor, PlaceEdit):
                editor.set_text(str(value))
            elif isinstance(editor, QCheckBox):
                editor.setChecked(bool(value))
            elif isinstance(editor, QDateEdit):
                editor.setDate(QDate.fromString(str(value), Qt.DateFormat.ISODate))
            elif isinstance(editor, QComboBox):
                editor.setCurrentIndex(max(0, editor.findData(str(value))))
            elif isinstance(editor, QLineEdit):
                editor.setText(str(value))

    def reset(self) -> None:
        """Back to the declared defaults."""
        self.set_values({name: info.default for name, info in self._infos.items()})

    def show_error(self, name: str, text: str) -> None:
        """Write what is wrong below a parameter; ``""`` takes it away."""
        if name in self._errors:
            self._errors[name].setText(text)
            self._errors[name].setVisible(bool(text))

    def clear_errors(self) -> None:
        """Take all away."""
        for name in self._errors:
            self.show_error(name, "")

    def retranslate(self) -> None:
        """Labels, tooltips and options in the current language."""
        for name, info in self._infos.items():
            title = tr(f"{self._prefix}.{name}", info.title)
            tip = "\n".join(
                text
                for text in (
                    tr(f"{self._prefix}.{name}.help", info.help),
                    range_text(info.low, info.high, info.unit) if info.sort == "number" else "",
                )
                if text
            )
            editor = self.editors[name]
            self._labels[name].setText(folded(title, self._labels[name].fontMetrics(), WIDEST_BESIDE))
            for widget in (editor, editor.focusProxy()):  # a number is a box in its editor
                if widget is not None:
                    widget.setAccessibleName(title)
            for widget in (self._labels[name], editor):
                widget.setToolTip(tip)
            if isinstance(editor, QCheckBox):
                editor.setText(folded(title, editor.fontMetrics(), WIDEST))
            if isinstance(editor, QComboBox):
                for index in range(editor.count()):
                    editor.setItemText(index, self._words(name, str(editor.itemData(index))))
                _make_room(editor)


def folded(title: str, metrics: QFontMetrics, widest: float) -> str:
    """A title in as many lines as it needs; boxes to tick cannot fold theirs themselves."""
    lines: list[str] = []
    for word in title.split(" "):
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and metrics.horizontalAdvance(longer) <= widest:
            lines[-1] = longer
        else:
            lines.append(word)
    return "\n".join(lines)


def _make_room(box: QComboBox) -> None:
    """At least as much as its longest words take; Qt keeps the room of the words it first had."""
    longest = max((box.fontMetrics().horizontalAdvance(box.itemText(n)) for n in range(box.count())), default=0)
    box.setMinimumWidth(min(longest + ARROW_WIDTH, WIDEST))
