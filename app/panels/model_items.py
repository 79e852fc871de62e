"""The tree of a model for Qt: items are made when they are looked at, so sixty thousand elements open at once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QAbstractItemModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from app.language import tr
from app.model_tree import ModelTree
from app.panels.ifc_words import class_title
from bim.hierarchy import REST, Branch, Hierarchy

Index = QModelIndex | QPersistentModelIndex
Mask = NDArray[np.bool_]
Rows = NDArray[np.int64]
NAME, COUNT = 0, 1
ROOM = "IfcSpace"
NOTHING = QModelIndex()


class ModelItems(QAbstractItemModel):
    """Branches and elements of one tree.

    An index carries the number of its branch, or the number of branches plus its place in the order of elements.

    Signals
    -------
    toggled(rows, shown)
        A box was ticked or cleared: rows of the products under it.
    """

    toggled = Signal(object, bool)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tree: ModelTree | None = None
        self._hierarchy: Hierarchy | None = None
        self._shaped: Mask = np.zeros(0, dtype=np.bool_)
        self._drawn: Mask = np.zeros(0, dtype=np.bool_)
        self._shaped_under: Rows = np.zeros(0, dtype=np.int64)
        self._drawn_under: Rows = np.zeros(0, dtype=np.int64)
        self._faint: Any = None

    @property
    def tree(self) -> ModelTree | None:
        """What is shown."""
        return self._tree

    def set_tree(self, hierarchy: Hierarchy | None, tree: ModelTree | None, *, shaped: Mask, drawn: Mask) -> None:
        """Show another tree, or none."""
        self.beginResetModel()
        self._hierarchy, self._tree = hierarchy, tree
        self._write_states(shaped, drawn)
        self.endResetModel()

    def set_states(self, shaped: Mask, drawn: Mask) -> None:
        """Renew what the boxes say; whoever shows the items draws them again."""
        self._write_states(shaped, drawn)

    def set_faint(self, brush: Any) -> None:
        """Colour of elements without a shape and of counts."""
        self._faint = brush

    def _write_states(self, shaped: Mask, drawn: Mask) -> None:
        """Rooms are not drawn at first: a storey of which all else is drawn counts as drawn."""
        self._shaped, self._drawn = shaped, drawn
        if self._tree is None or self._hierarchy is None:
            return
        things = np.array([ifc_class != ROOM for ifc_class in self._hierarchy.classes], dtype=np.bool_)
        shaped_things = self._tree.counts(shaped & things)
        has_things = shaped_things > 0
        self._shaped_under = np.where(has_things, shaped_things, self._tree.counts(shaped))
        self._drawn_under = np.where(has_things, self._tree.counts(drawn & things), self._tree.counts(drawn))

    # ---- structure ------------------------------------------------------------------------------------------------

    def _key(self, index: Index) -> int:
        return int(index.internalId())

    def branch_at(self, index: Index) -> int:
        """Number of the branch of an index, -1 for an element."""
        if self._tree is None or not index.isValid() or self._key(index) >= len(self._tree.branches):
            return -1
        return self._key(index)

    def row_at(self, index: Index) -> int:
        """Row of the product of an index, -1 for a branch that is none."""
        if self._tree is None or not index.isValid():
            return -1
        branch = self.branch_at(index)
        if branch >= 0:
            return self._tree.branches[branch].product
        return int(self._tree.order[self._key(index) - len(self._tree.branches)])

    def rows_under(self, index: Index) -> Rows:
        """Rows of all products that an index stands for."""
        branch = self.branch_at(index)
        if self._tree is not None and branch >= 0:
            return self._tree.rows_under(branch)
        row = self.row_at(index)
        return np.array([row] if row >= 0 else [], dtype=np.int64)

    def index_of_branch(self, branch: int) -> QModelIndex:
        """The index of a branch."""
        return self.createIndex(int(self._tree.place[branch]), 0, branch) if self._tree is not None else NOTHING

    def index_of_place(self, place: int) -> QModelIndex:
        """The index of an element at a place of the order."""
        tree = self._tree
        if tree is None:
            return NOTHING
        holder = int(tree.holder[place])
        if place < int(tree.leaves[holder]):  # the branch itself
            return self.index_of_branch(holder)
        line = len(tree.children[holder]) + place - int(tree.leaves[holder])
        return self.createIndex(line, 0, len(tree.branches) + place)

    def index(self, row: int, column: int, parent: Index = NOTHING) -> QModelIndex:
        """Branches come before elements."""
        tree = self._tree
        if tree is None or column > COUNT or row < 0 or row >= self.rowCount(parent):
            return NOTHING
        if not parent.isValid():
            return self.createIndex(row, column, tree.top[row])
        branch = self.branch_at(parent)
        children = tree.children[branch]
        if row < len(children):
            return self.createIndex(row, column, children[row])
        return self.createIndex(row, column, len(tree.branches) + int(tree.leaves[branch]) + row - len(children))

    def parent(self, index: Index = NOTHING) -> Any:  # type: ignore[override]
        """The branch that an item lies under."""
        tree = self._tree
        if tree is None or not index.isValid():
            return NOTHING
        branch = self.branch_at(index)
        above = tree.branches[branch].parent if branch >= 0 else int(tree.holder[self._key(index) - len(tree.branches)])
        return NOTHING if above < 0 else self.index_of_branch(above)

    def rowCount(self, parent: Index = NOTHING) -> int:
        """Items under an item."""
        tree = self._tree
        if tree is None or parent.column() > 0:
            return 0
        if not parent.isValid():
            return len(tree.top)
        branch = self.branch_at(parent)
        return len(tree.children[branch]) + tree.leaf_count(branch) if branch >= 0 else 0

    def columnCount(self, _parent: Index = NOTHING) -> int:
        """Name, and how many elements."""
        return 2

    # ---- data -----------------------------------------------------------------------------------------------------

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Everything can be chosen; boxes stand where there is something to draw."""
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        if index.column() == NAME and self._shaped_count(index):
            flags |= Qt.ItemFlag.ItemIsUserCheckable
        return flags

    def _shaped_count(self, index: Index) -> int:
        branch = self.branch_at(index)
        return int(self._shaped_under[branch]) if branch >= 0 else int(self._shaped[self.row_at(index)])

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Name, count, box, tip."""
        if self._tree is None or self._hierarchy is None or not index.isValid():
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self._title(index) if index.column() == NAME else self._count(index)
        if role == Qt.ItemDataRole.CheckStateRole and index.column() == NAME:
            return self._box(index)
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tip(index)
        if role == Qt.ItemDataRole.TextAlignmentRole and index.column() == COUNT:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        is_faint = index.column() == COUNT or not self._shaped_count(index)
        return self._faint if role == Qt.ItemDataRole.ForegroundRole and is_faint else None

    def _title(self, index: Index) -> str:
        branch = self.branch_at(index)
        if branch >= 0 and self._tree is not None:
            return branch_title(self._tree.branches[branch])
        row, hierarchy = self.row_at(index), self._hierarchy
        return (hierarchy.names[row] or class_title(hierarchy.classes[row])) if hierarchy is not None else ""

    def _count(self, index: Index) -> str:
        branch, tree = self.branch_at(index), self._tree
        if branch < 0 or tree is None:
            return ""
        own = int(tree.branches[branch].product >= 0)
        return f"{int(tree.stop[branch] - tree.start[branch]) - own:,}"

    def _box(self, index: Index) -> Qt.CheckState | None:
        branch = self.branch_at(index)
        shaped = self._shaped_count(index)
        if not shaped:
            return None
        drawn = int(self._drawn_under[branch]) if branch >= 0 else int(self._drawn[self.row_at(index)])
        if drawn == 0:
            return Qt.CheckState.Unchecked
        return Qt.CheckState.Checked if drawn == shaped else Qt.CheckState.PartiallyChecked

    def _tip(self, index: Index) -> str:
        row, hierarchy = self.row_at(index), self._hierarchy
        if row < 0 or hierarchy is None:
            return self._title(index)
        lines = [self._title(index), f"{class_title(hierarchy.classes[row])} · {hierarchy.classes[row]}"]
        lines.append(hierarchy.ids[row])
        if not self._shaped_count(index):
            lines.append(tr("model.no_shape"))
        return "\n".join(lines)

    def setData(self, index: Index, _value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """A click on a box: what is not wholly drawn is drawn, the rest is hidden."""
        if role != Qt.ItemDataRole.CheckStateRole:
            return False
        self.toggled.emit(self.rows_under(index), self._box(index) != Qt.CheckState.Checked)
        return True


def branch_title(branch: Branch) -> str:
    """What a branch is called: its own name, the class in the user's language, or what all the rest has in common."""
    if branch.kind == REST:
        return tr("model.rest")
    if branch.kind == "class":
        return class_title(branch.name)
    return branch.name or class_title(branch.kind)
