"""The part of the properties that comes from the IFC file itself: every set, type, material and place of one element.

The file is asked beside the window; until it answers, the list says so. The search line leaves the rows that fit.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QApplication, QHBoxLayout, QLineEdit, QMenu, QTreeWidget, QTreeWidgetItem, QWidget

from app.hangul import contains
from app.language import error_texts, tr
from app.model_view import is_model_layer
from app.panels.ifc_words import class_title, row_title, value_text
from app.widgets.wording import say
from geo.model import Layer, UserError

if TYPE_CHECKING:
    from app.workbench import Workbench

ROLE_REF = Qt.ItemDataRole.UserRole
ROLE_CONDITION = Qt.ItemDataRole.UserRole + 1
ROLE_PART = Qt.ItemDataRole.UserRole + 2
FIRST = 1  # the file's own groups stand after the identity of the element
TABLE_ONLY = ("class", "name", "storey", "elevation", "type", "long_name")  # columns that the groups say better
COPIES = 2


class BimProperties(QObject):
    """Fills a tree of properties with what the IFC file says about the element shown.

    Attributes
    ----------
    search : QLineEdit
        Stands above the tree while an element of a model is shown.
    """

    def __init__(self, bench: Workbench, tree: QTreeWidget, parent: QWidget) -> None:
        super().__init__(parent)
        self.bench, self.tree = bench, tree
        self.search: QLineEdit = say(QLineEdit(), "model.search_properties", tip="model.search_properties")
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self.apply_search)
        self.search.hide()
        self.search_row = QHBoxLayout()
        self.search_row.setContentsMargins(8, 0, 8, 0)
        self.search_row.addWidget(self.search)
        self._shown: tuple[str, str] = ("", "")
        self.answer: dict[str, Any] | None = None
        self._path: Path | None = None
        self._folded: set[str] = set()
        self._collapsing = False
        tree.itemCollapsed.connect(lambda item: self._remember(item, folded=True))
        tree.itemExpanded.connect(lambda item: self._remember(item, folded=False))
        tree.itemDoubleClicked.connect(self._follow)

    def show_element(self, layer: Layer | None, element_id: str) -> None:
        """Ask for an element of a model; anything else ends what was shown."""
        if layer is None or not element_id or not is_model_layer(layer):
            self._shown, self.answer, self._path = ("", ""), None, None
            self.search.hide()
            return
        self.search.show()
        path = Path(layer.source.path)
        if self._shown == (layer.id, element_id) and self.answer is not None:
            self._write(self.answer)
            return
        self._shown, self.answer, self._path = (layer.id, element_id), None, path
        self._add_note(tr("model.reading"))
        shown = self._shown
        self.bench.models.ask_properties(
            path,
            element_id,
            done=lambda answer: self._arrived(shown, answer),
            failed=lambda error: self._failed(shown, error),
        )

    def _arrived(self, shown: tuple[str, str], answer: dict[str, Any]) -> None:
        if shown == self._shown:
            self.answer = answer
            self._write(answer)

    def _failed(self, shown: tuple[str, str], error: BaseException) -> None:
        if not isinstance(error, UserError):
            self.bench.notices.report(error)
        if shown == self._shown:
            texts = error_texts(error) if isinstance(error, UserError) else (tr("model.failed"), "", "")
            self._add_note("\n".join(text for text in texts if text))

    # ---- writing --------------------------------------------------------------------------------------------------

    def _clear_part(self) -> None:
        for index in range(self.tree.topLevelItemCount() - 1, -1, -1):
            if self.tree.topLevelItem(index).data(0, ROLE_PART):
                self.tree.takeTopLevelItem(index)

    def _add_note(self, text: str) -> None:
        """One line in place of the groups."""
        self._clear_part()
        item = QTreeWidgetItem([text])
        item.setData(0, ROLE_PART, True)
        item.setFlags(Qt.ItemFlag.ItemIsEnabled)
        item.setToolTip(0, text)
        self.tree.insertTopLevelItem(min(FIRST, self.tree.topLevelItemCount()), item)
        item.setFirstColumnSpanned(True)

    def _write(self, answer: dict[str, Any]) -> None:
        self._clear_part()
        place = min(FIRST, self.tree.topLevelItemCount())
        self._collapsing = True
        for number, group in enumerate(answer["groups"]):
            item = self._group_item(group)
            self.tree.insertTopLevelItem(place + number, item)
            item.setFirstColumnSpanned(True)
            item.setExpanded(item.text(0) not in self._folded)
        self._collapsing = False
        self.apply_search(self.search.text())

    def _group_item(self, group: dict[str, Any]) -> QTreeWidgetItem:
        item = QTreeWidgetItem([group_title(group)])
        item.setData(0, ROLE_PART, True)
        item.setFlags(Qt.ItemFlag.ItemIsEnabled)
        font = item.font(0)
        font.setBold(True)
        item.setFont(0, font)
        in_set = group["kind"] in ("set", "quantities")
        for row in group["rows"]:
            name = row["name"] if in_set else row_title(row["name"])
            value = value_text(row["value"], row["unit"])
            if row["name"] in ("Class", "TypeClass"):
                value = f"{class_title(str(row['value']))} ({row['value']})"
            line = QTreeWidgetItem(item, [name, value])
            line.setToolTip(0, f"{group['name']}.{row['name']}" if in_set else name)
            line.setToolTip(1, f"{value}\n{tr('model.follow')}" if row["ref"] else value)
            line.setData(0, ROLE_REF, row["ref"])
            if in_set or group["kind"] == "attributes":
                line.setData(0, ROLE_CONDITION, condition_of(group["name"] if in_set else "", row))
        return item

    def _remember(self, item: QTreeWidgetItem, *, folded: bool) -> None:
        if item.data(0, ROLE_PART) and not self._collapsing and not self.search.text():
            (self._folded.add if folded else self._folded.discard)(item.text(0))

    def apply_search(self, words: str) -> None:
        """Leave the rows whose name, value or group has the words."""
        words = words.strip()
        for index in range(self.tree.topLevelItemCount()):
            group = self.tree.topLevelItem(index)
            whole = not words or contains(group.text(0), words)
            seen = 0
            for number in range(group.childCount()):
                row = group.child(number)
                fits = whole or contains(row.text(0), words) or contains(row.text(1), words)
                row.setHidden(not fits)
                seen += fits
            group.setHidden(bool(words) and not seen and group.childCount() > 0)
            if words and seen:
                self._collapsing = True
                group.setExpanded(True)
                self._collapsing = False

    # ---- acting ---------------------------------------------------------------------------------------------------

    def _follow(self, item: QTreeWidgetItem, _column: int) -> None:
        """Select the element that a row names."""
        ref = item.data(0, ROLE_REF)
        if ref and self._path is not None:
            refs = self.bench.models.view(self._path).refs([str(ref)])
            if refs:
                self.bench.document.selection.set(refs)

    def extend_menu(self, menu: QMenu, item: QTreeWidgetItem) -> None:
        """What can be done with a row beside copying its value."""
        menu.addAction(tr("model.copy_all")).triggered.connect(self.copy_all)
        condition = item.data(0, ROLE_CONDITION)
        if condition and self._path is not None:
            name, whole = str(condition[0]), str(condition[1])
            path, desk = self._path, self.bench.models
            menu.addSeparator()
            menu.addAction(tr("model.find_same")).triggered.connect(lambda: desk.filter_requested.emit(path, whole))
            menu.addAction(tr("model.colour_by_this")).triggered.connect(lambda: desk.colour_requested.emit(path, name))
        if item.data(0, ROLE_REF):
            menu.addAction(tr("model.select_named")).triggered.connect(lambda: self._follow(item, 0))

    def copy_all(self) -> None:
        """Put everything shown on the clipboard, one row a line."""
        lines = []
        for index in range(self.tree.topLevelItemCount()):
            group = self.tree.topLevelItem(index)
            rows = [group.child(n) for n in range(group.childCount())]
            shown = ["\t".join(row.text(c) for c in range(COPIES)) for row in rows if not row.isHidden()]
            if shown:
                lines += [group.text(0), *shown, ""]
        QApplication.clipboard().setText("\n".join(lines))


def group_title(group: dict[str, Any]) -> str:
    """Heading of a group; what the type says is marked."""
    kind, name = str(group["kind"]), str(group["name"])
    title = name if kind in ("set", "quantities") and name else tr(f"model.group.{kind}")
    if kind in ("type", "materials") and name:
        title = f"{title}: {name}"
    return f"{title} · {tr('model.from_type')}" if group["from_type"] and kind != "type" else title


def condition_of(set_name: str, row: dict[str, Any]) -> tuple[str, str]:
    """Name of a property as a condition writes it, and the condition that its value is this one."""
    whole = f"{set_name}.{row['name']}" if set_name else str(row["name"])
    name = f'"{whole}"'
    value = row["value"]
    if isinstance(value, bool):
        return name, f"{name} = {'yes' if value else 'no'}"
    if isinstance(value, int | float):
        return name, f"{name} = {value:.10g}"
    return name, f'{name} = "{value}"'
