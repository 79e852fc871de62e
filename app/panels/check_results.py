"""The tree of a check by rules: rules with their counts, under each the elements that fail."""

from __future__ import annotations

from itertools import islice

from PySide6.QtCore import Qt
from PySide6.QtGui import QBrush, QColor
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTreeWidget, QTreeWidgetItem, QWidget

from app.appearance import colours
from app.ids_texts import (
    SYMBOLS,
    element_class,
    reason_text,
    requirement_text,
    rule_advice,
    rule_note,
    rule_remarks,
    rule_title,
    status_text,
)
from app.language import tr
from app.theme import Theme
from app.widgets.wording import say
from bim.ids_result import BAD, CheckedModel, Element, Reason, Requirement, Rule

SHOWN = 100  # failing elements of a rule; all are counted, and all are in the CSV
GOOD = {"light": "#2c7a4b", "dark": "#7fd6a2"}
RULE, IDS = Qt.ItemDataRole.UserRole, Qt.ItemDataRole.UserRole + 1


class CheckResults(QTreeWidget):
    """What a check found. Elements of a rule are made when it is opened."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.checked: CheckedModel | None = None
        self._theme: Theme | None = None
        say(self, tip="checks.results")
        self.setToolTip("")
        self.setColumnCount(2)
        self.setHeaderHidden(True)
        self.setUniformRowHeights(True)
        self.setExpandsOnDoubleClick(False)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.header().setStretchLastSection(False)
        self.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.header().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self.itemExpanded.connect(self._fill)

    def show_checked(self, checked: CheckedModel | None, theme: Theme) -> None:
        """Show a result, or none; rules that fail are opened as long as there are few."""
        items = [self.topLevelItem(n) for n in range(self.topLevelItemCount())]
        opened = {n for n, item in enumerate(items) if item is not None and item.isExpanded()}
        again = checked is not None and checked is self.checked
        self.checked, self._theme = checked, theme
        self.clear()
        for number, rule in enumerate(checked.rules if checked is not None else ()):
            item = self._rule_item(number, rule)
            self.addTopLevelItem(item)
            if again and number in opened:
                item.setExpanded(True)

    def _rule_item(self, number: int, rule: Rule) -> QTreeWidgetItem:
        count = f"{rule.passed:,} / {rule.checked:,}" if rule.checked else status_text(rule)
        item = QTreeWidgetItem([f"{SYMBOLS[rule.status]}  {rule_title(rule)}", count])
        item.setData(0, RULE, number)
        brush = QBrush(QColor(self._colour(rule)))
        item.setForeground(0, brush)
        item.setForeground(1, brush)
        item.setTextAlignment(1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        text = self._tip(rule)
        for column in (0, 1):
            item.setToolTip(column, text)
        item.setData(0, Qt.ItemDataRole.AccessibleTextRole, f"{rule_title(rule)}: {status_text(rule)}, {count}")
        if rule.failures or rule_remarks(rule, self.checked.schema if self.checked else ""):
            item.setChildIndicatorPolicy(QTreeWidgetItem.ChildIndicatorPolicy.ShowIndicator)
        return item

    def _tip(self, rule: Rule) -> str:
        schema = self.checked.schema if self.checked is not None else ""
        parts = [
            rule_title(rule),
            f"{status_text(rule)}: "
            + tr("ids.counts", checked=f"{rule.checked:,}", passed=f"{rule.passed:,}", failed=f"{rule.failed:,}"),
            rule_note(rule),
            *(f"• {requirement_text(item)}" for item in rule.requirements),
            *rule_remarks(rule, schema),
            rule_advice(rule),
        ]
        return "\n".join(part for part in parts if part)

    def _colour(self, rule: Rule) -> str:
        if self._theme is None:
            return "#000000"
        own = colours(self._theme)
        if rule.status == "passed":
            return GOOD[self._theme.name]
        return own["danger"] if rule.status in BAD else own["doubt"]

    def _fill(self, item: QTreeWidgetItem) -> None:
        """Elements of a rule, when it is opened the first time."""
        number = item.data(0, RULE)
        if self.checked is None or number is None or item.childCount():
            return
        rule = self.checked.rules[number]
        faint = QBrush(QColor(colours(self._theme)["soft"])) if self._theme is not None else QBrush()
        for remark in rule_remarks(rule, self.checked.schema):
            self._add_note(item, remark, faint)
        shown = 0
        for element, said in islice(self.checked.by_element(rule), SHOWN):
            child = self._element_item(element, said, alone=len(rule.requirements) == 1)
            item.addChild(child)
            child.setFirstColumnSpanned(True)
            shown += 1
        more = len(self.checked.failed_rows(rule)) - shown
        if more > 0:
            self._add_note(item, tr("checks.more", count=f"{more:,}"), faint)

    def _add_note(self, item: QTreeWidgetItem, text: str, brush: QBrush) -> None:
        note = QTreeWidgetItem([text, ""])
        note.setToolTip(0, text)
        note.setForeground(0, brush)
        note.setFlags(Qt.ItemFlag.ItemIsEnabled)
        item.addChild(note)
        note.setFirstColumnSpanned(True)

    def _element_item(
        self, element: Element, said: list[tuple[Requirement, Reason]], *, alone: bool
    ) -> QTreeWidgetItem:
        """An element with its reasons; what is required is said only where a rule requires several things."""
        reasons = [f"{requirement_text(requirement)}: {reason_text(reason)}" for requirement, reason in said]
        name = element.name or element_class(element.entity)
        short = [reason_text(reason) for _, reason in said] if alone else reasons
        item = QTreeWidgetItem([f"{name} — {'; '.join(short)}", ""])
        item.setData(0, IDS, element.id)
        place = " · ".join(part for part in (name, element_class(element.entity), element.storey) if part)
        tip = "\n".join([place, element.id, *reasons])
        item.setToolTip(0, tip)
        return item

    def chosen_ids(self) -> list[str]:
        """Elements of the chosen rows."""
        return [str(item.data(0, IDS)) for item in self.selectedItems() if item.data(0, IDS)]

    def chosen_rule(self) -> Rule | None:
        """The rule that is chosen, or whose elements are."""
        items = self.selectedItems()
        if not items or self.checked is None:
            return None
        top = items[0].parent() or items[0]
        return self.checked.rules[int(top.data(0, RULE))]
