"""Finds by geometry what a person would see as cut off, covered or left in the other language."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QAction, QFontMetrics, QPainter, QTextDocument
from PySide6.QtGui import Qt as GuiQt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractScrollArea,
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QDockWidget,
    QGroupBox,
    QHeaderView,
    QLabel,
    QLineEdit,
    QListView,
    QMenu,
    QPushButton,
    QRadioButton,
    QScrollArea,
    QStyle,
    QStyleOptionComboBox,
    QTabBar,
    QToolButton,
    QTreeView,
    QWidget,
)

from app.widgets.elided_label import ElidedLabel

SLACK = 2  # pixels by which rounding differs
HANGUL = re.compile("[가-힣ㄱ-ㅎㅏ-ㅣ]")
WORD = re.compile(r"[A-Za-z]{2,}")
# In English a term of Korean law or a word to be typed stands in brackets or as an example.
KOREAN_TERM = re.compile(r"\([^)]*\)|such as [^;:.]*")
PATH = re.compile(r"(/|[A-Z]:\\)?[\w.-]+(/|\\|\.\w{2,4}$)")  # files are called what they are called
TAB_PADDING = 8
HEADER_PADDING = 6
LEAST_CHARACTERS = 8  # fewer are no line to type in


@dataclass(frozen=True)
class Fault:
    """One text that is not seen as it should be."""

    kind: str
    where: str
    text: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.text!r} in {self.where}"


def faults_of_fit(root: QWidget) -> list[Fault]:
    """Every visible text under a widget that its box does not hold."""
    found = []
    for widget in _visible(root):
        found += [Fault("cut", place_of(widget), text) for text in _cut_texts(widget)]
        if (lost := _outside(widget)) is not None:
            found.append(Fault("outside", place_of(widget), lost))
    return found


def faults_of_language(root: QWidget, code: str, allowed: frozenset[str], data: frozenset[str]) -> list[Fault]:
    """Every visible text under a widget that is in the other language.

    Parameters
    ----------
    code : str
        Language of the window.
    allowed : frozenset of str
        Words of Latin letters that stay as they are in Korean: units, names, file types.
    data : frozenset of str
        What comes from the layers and files on show.
    """
    found = []
    for widget in _visible(root):
        for text in _texts(widget):
            if text not in data and is_foreign(text, code, allowed):
                found.append(Fault("language", place_of(widget), text))
    return found


def is_foreign(text: str, code: str, allowed: frozenset[str]) -> bool:
    """Whether a text is in the other language."""
    plain = _plain(text)
    if code == "en":
        return bool(HANGUL.search(KOREAN_TERM.sub("", plain)))
    if HANGUL.search(plain) or PATH.match(plain):
        return False
    return any(word not in allowed for word in WORD.findall(plain))


def place_of(widget: QWidget) -> str:
    """Class names and object names from the window to the widget, for the message."""
    names: list[str] = []
    one: QWidget | None = widget
    while one is not None and len(names) < 4:
        own = one.property("text_id") or one.objectName()
        names.append(f"{type(one).__name__}#{own}" if own else type(one).__name__)
        one = one.parentWidget()
    return f"{' < '.join(names)} {widget.width()}x{widget.height()}"


def _visible(root: QWidget) -> Iterator[QWidget]:
    for widget in [root, *root.findChildren(QWidget)]:
        if widget.isVisible() and not _is_behind(widget):
            yield widget


def _is_behind(widget: QWidget) -> bool:
    """Whether a widget is in a panel of which another tab is in front."""
    one: QWidget | None = widget
    while one is not None and not isinstance(one, QDockWidget):
        one = None if one.isWindow() else one.parentWidget()
    return one is not None and one.visibleRegion().isEmpty()


def _plain(text: str) -> str:
    if GuiQt.mightBeRichText(text):
        document = QTextDocument()
        document.setHtml(text)
        return document.toPlainText()
    return text.replace("&&", "\0").replace("&", "").replace("\0", "&")


# ---- does it fit ------------------------------------------------------------------------------------------------


def _cut_texts(widget: QWidget) -> list[str]:
    if isinstance(widget, QLabel):
        return _cut_label(widget)
    if isinstance(widget, QCheckBox | QRadioButton):
        return [widget.text()] if widget.text() and widget.width() + SLACK < widget.sizeHint().width() else []
    if isinstance(widget, QPushButton | QToolButton):
        return _cut_button(widget)
    if isinstance(widget, QComboBox):
        return _cut_choice(widget)
    if isinstance(widget, QLineEdit):
        return _cut_line(widget)
    if isinstance(widget, QAbstractSpinBox):
        return _cut_number(widget)
    if isinstance(widget, QHeaderView):
        return _cut_header(widget)
    if isinstance(widget, QTabBar):
        return _cut_tabs(widget)
    if isinstance(widget, QGroupBox):
        wide = widget.fontMetrics().horizontalAdvance(_plain(widget.title()))
        return [widget.title()] if wide > widget.width() - 2 * HEADER_PADDING else []
    if isinstance(widget, QDockWidget) and widget.titleBarWidget() is None:
        wide = widget.fontMetrics().horizontalAdvance(widget.windowTitle())
        return [widget.windowTitle()] if wide > widget.width() - 50 else []
    return []


def _cut_label(label: QLabel) -> list[str]:
    text = label.text()
    if not text or not label.pixmap().isNull():
        return []
    if isinstance(label, ElidedLabel):  # names and paths, told whole by the tooltip
        return [] if label.toolTip() == text else [text]
    area = label.contentsRect().size()
    if label.wordWrap() or GuiQt.mightBeRichText(text):
        high = label.heightForWidth(label.width()) if label.wordWrap() else label.sizeHint().height()
        wide = max((label.fontMetrics().horizontalAdvance(word) for word in _plain(text).split()), default=0)
        return [text] if high > label.height() + SLACK or wide > area.width() + SLACK else []
    metrics = label.fontMetrics()
    lines = _plain(text).split("\n")
    wide = max(metrics.horizontalAdvance(line) for line in lines)
    high = metrics.height() * len(lines)
    room = area.width() - 2 * label.margin(), area.height() - 2 * label.margin()
    return [text] if wide > room[0] + SLACK or high > room[1] + SLACK else []


def _cut_button(button: QPushButton | QToolButton) -> list[str]:
    text = button.text()
    icons_only = isinstance(button, QToolButton) and (
        button.toolButtonStyle() == Qt.ToolButtonStyle.ToolButtonIconOnly and not button.icon().isNull()
    )
    if not text or icons_only:
        return []
    wide = button.fontMetrics().horizontalAdvance(_plain(text))
    if not button.icon().isNull():
        wide += button.iconSize().width() + 4
    inner = button.contentsRect()
    return [text] if wide > inner.width() or button.fontMetrics().height() > inner.height() + SLACK else []


def _cut_choice(box: QComboBox) -> list[str]:
    option = QStyleOptionComboBox()
    box.initStyleOption(option)
    field = box.style().subControlRect(
        QStyle.ComplexControl.CC_ComboBox, option, QStyle.SubControl.SC_ComboBoxEditField, box
    )
    text = box.currentText()
    wide = box.fontMetrics().horizontalAdvance(text)
    if not box.itemIcon(box.currentIndex()).isNull():
        wide += box.iconSize().width() + 4
    return [text] if text and wide > field.width() + SLACK else []


def _cut_line(line: QLineEdit) -> list[str]:
    hint = line.placeholderText()
    if isinstance(line.parentWidget(), QComboBox | QAbstractSpinBox):
        return []
    if line.width() < line.fontMetrics().horizontalAdvance("0" * LEAST_CHARACTERS):
        return [f"a line of {line.width()} pixels"]
    if line.text() or not hint:
        return []
    margins = line.textMargins()
    room = line.contentsRect().width() - margins.left() - margins.right() - 6
    return [hint] if line.fontMetrics().horizontalAdvance(hint) > room else []


def _cut_number(box: QAbstractSpinBox) -> list[str]:
    text, line = box.text(), box.lineEdit()
    return [text] if line is not None and box.fontMetrics().horizontalAdvance(text) > line.width() else []


def _cut_header(header: QHeaderView) -> list[str]:
    model = header.model()
    if model is None or header.orientation() is not Qt.Orientation.Horizontal or header.isHidden():
        return []
    found = []
    for section in range(header.count()):
        text = model.headerData(section, Qt.Orientation.Horizontal, Qt.ItemDataRole.DisplayRole)
        if header.isSectionHidden(section) or not isinstance(text, str):
            continue
        wide = max((header.fontMetrics().horizontalAdvance(line) for line in text.split("\n")), default=0)
        if wide + HEADER_PADDING > header.sectionSize(section):
            found.append(text)
    return found


def _cut_tabs(bar: QTabBar) -> list[str]:
    found = []
    for index in range(bar.count()):
        wide = bar.fontMetrics().horizontalAdvance(_plain(bar.tabText(index)))
        if bar.isTabVisible(index) and wide + TAB_PADDING > bar.tabRect(index).width():
            found.append(bar.tabText(index))
    return found


def _outside(widget: QWidget) -> str | None:
    """Text of a widget that sticks out of what it lies in, where nothing scrolls to it."""
    if not isinstance(widget, QLabel | QAbstractButton | QComboBox) or not _own_text(widget):
        return None
    inner, one = QRect(QPoint(0, 0), widget.size()), widget
    while (parent := one.parentWidget()) is not None and not one.isWindow():
        inner = QRect(one.mapTo(parent, inner.topLeft()), inner.size())
        area = parent.parentWidget()
        room = parent.rect().adjusted(-SLACK, -SLACK, SLACK, SLACK)
        if isinstance(area, QAbstractScrollArea) and parent is area.viewport():
            never = Qt.ScrollBarPolicy.ScrollBarAlwaysOff
            across = area.horizontalScrollBarPolicy() == never and isinstance(area, QScrollArea)
            return (
                _own_text(widget) if across and (inner.left() < room.left() or inner.right() > room.right()) else None
            )
        if not room.contains(inner):
            return _own_text(widget)
        one = parent
    return None


# ---- what it says -----------------------------------------------------------------------------------------------


def _own_text(widget: QWidget) -> str:
    if isinstance(widget, QComboBox):
        return widget.currentText()
    return widget.text() if isinstance(widget, QLabel | QAbstractButton) else ""


def _texts(widget: QWidget) -> Iterator[str]:
    if widget.toolTip():
        yield widget.toolTip()
    if isinstance(widget, QLabel | QAbstractButton):
        yield widget.text()
    elif isinstance(widget, QComboBox):
        yield from (widget.itemText(index) for index in range(widget.count()))
    elif isinstance(widget, QLineEdit):
        yield widget.placeholderText()
    elif isinstance(widget, QGroupBox):
        yield widget.title()
    elif isinstance(widget, QTabBar):
        yield from (widget.tabText(index) for index in range(widget.count()))
    elif isinstance(widget, QMenu):
        yield from (action.text() for action in widget.actions())
    elif isinstance(widget, QHeaderView) and widget.model() is not None:
        across = widget.orientation()
        yield from (str(widget.model().headerData(n, across) or "") for n in range(widget.count()))
    elif isinstance(widget, QTreeView | QListView) and widget.model() is not None:
        yield from _rows(widget)
    if widget.isWindow() or isinstance(widget, QDockWidget):
        yield widget.windowTitle().replace("[*]", "")


def _rows(view: QAbstractItemView) -> Iterator[str]:
    model = view.model()
    columns = 1 if isinstance(view, QListView) else min(model.columnCount(view.rootIndex()), 10)
    for row in range(min(model.rowCount(view.rootIndex()), 100)):
        for column in range(columns):
            value = model.index(row, column, view.rootIndex()).data()
            if isinstance(value, str):
                yield value


def texts_of_actions(actions: dict[str, QAction]) -> list[str]:
    """Titles of commands, as menus show them."""
    return [action.text() for action in actions.values()]


# ---- what is painted --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Painted:
    """A text put on a device by a painter, with the box that its letters take there [pixels]."""

    device: int
    text: str
    box: QRectF
    room: QRectF


@contextmanager
def painted_texts() -> Iterator[list[Painted]]:
    """Collects every text that a painter of the program draws meanwhile."""
    drawn: list[Painted] = []
    original = QPainter.drawText

    def note(painter: QPainter, *arguments: object) -> object:
        answer = original(painter, *arguments)
        place, text = arguments[0], next(a for a in reversed(arguments) if isinstance(a, str))
        metrics = QFontMetrics(painter.font(), painter.device())
        if isinstance(place, QRect | QRectF):
            flags = next((int(a) for a in arguments[1:] if isinstance(a, int | Qt.AlignmentFlag)), 0)
            box = QRectF(metrics.boundingRect(QRectF(place).toRect(), flags, text))
            room = QRectF(place)
        elif isinstance(place, QPoint | QPointF):
            wide = metrics.horizontalAdvance(text)
            top = QPointF(place) - QPointF(0.0, metrics.ascent())
            box = QRectF(top.x(), top.y(), wide, metrics.height())
            room = box
        else:
            return answer
        turn = painter.worldTransform()
        drawn.append(Painted(id(painter.device()), text, turn.mapRect(box), turn.mapRect(room)))
        return answer

    QPainter.drawText = note  # type: ignore[method-assign]
    try:
        yield drawn
    finally:
        QPainter.drawText = original  # type: ignore[method-assign]


def faults_of_painting(drawn: list[Painted]) -> list[Fault]:
    """Painted texts that lie on each other, do not fit their place or end in dots."""
    found = []
    for number, one in enumerate(drawn):
        if one.text.endswith("…"):
            found.append(Fault("shortened", "painted", one.text))
        if one.box.width() > one.room.width() + SLACK or one.box.height() > one.room.height() + 3 * SLACK:
            found.append(Fault("painted beyond", "painted", one.text))
        for other in drawn[number + 1 :]:
            shared = one.box & other.box
            if one.device == other.device and shared.width() > SLACK and shared.height() > 2 * SLACK:
                found.append(Fault("painted over", "painted", f"{one.text} / {other.text}"))
    return found
