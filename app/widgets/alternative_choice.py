"""Which alternatives a study runs on: the one shown, or those ticked."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from app.alternatives import BASE, AlternativeList
from app.language import tr
from app.widgets.wording import say

ROW_HEIGHT = 26
MOST_ROWS = 4


class AlternativeChoice(QWidget):
    """A list to tick; out of sight while the document has no alternatives."""

    def __init__(self, alternatives: AlternativeList) -> None:
        super().__init__()
        self._alternatives = alternatives
        self._shown: str | None = None
        label = say(QLabel(), "analyses.alternatives")
        self.list = QListWidget()
        self.list.setSelectionMode(QListWidget.SelectionMode.NoSelection)
        self.list.setAccessibleName(tr("analyses.alternatives"))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(label)
        layout.addWidget(self.list)
        self.fill()

    def fill(self) -> None:
        """List the base and the alternatives; at first, and after a switch, the one shown is ticked."""
        shown = self._alternatives.active
        ticked = set(self.chosen()) if shown == self._shown else {shown}
        self._shown = shown
        self.list.clear()
        for key, name in ((BASE, tr("alternatives.base")), *((a.id, a.name) for a in self._alternatives.items)):
            item = QListWidgetItem(name, self.list)
            item.setData(Qt.ItemDataRole.UserRole, key)
            item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(Qt.CheckState.Checked if key in ticked else Qt.CheckState.Unchecked)
        self.list.setFixedHeight(ROW_HEIGHT * min(self.list.count(), MOST_ROWS) + 4)
        self.setVisible(bool(self._alternatives.items))

    def chosen(self) -> list[str]:
        """Ids ticked, in their order."""
        rows = [self.list.item(row) for row in range(self.list.count())]
        return [str(r.data(Qt.ItemDataRole.UserRole)) for r in rows if r.checkState() == Qt.CheckState.Checked]

    def choose(self, ids: list[str]) -> None:
        """Tick exactly these."""
        for row in range(self.list.count()):
            item = self.list.item(row)
            on = str(item.data(Qt.ItemDataRole.UserRole)) in ids
            item.setCheckState(Qt.CheckState.Checked if on else Qt.CheckState.Unchecked)
