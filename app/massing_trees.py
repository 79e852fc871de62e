"""Trees of an alternative: asked for, set by clicks one after the other, and taken away."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QDialog, QDialogButtonBox, QFormLayout, QVBoxLayout, QWidget

from app.alternatives import plant_tree, remove_trees
from app.document import Document
from app.language import tr
from app.mass_edit import Ground
from app.widgets.quantity_edit import QuantityEdit
from app.widgets.wording import say
from geo.alternatives import Tree
from geo.model import ElementRef, Instances
from geo.trees import CROWN_RADIUS

if TYPE_CHECKING:
    from app.main_window import MainWindow

SHAPES = ("broad", "oval", "conifer")  # in the order of `geo.trees`
USUAL_HEIGHT = 8.0  # [m] a street tree, grown


@dataclass(frozen=True)
class Sapling:
    """What is planted at every click: height and crown diameter [m], number of the shape."""

    height: float
    crown: float
    shape: int


class TreeDialog(QDialog):
    """Shape, height and crown of the trees to come."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        say(self, "action.tree_plant")
        self.shape_box = QComboBox()
        for name in SHAPES:
            self.shape_box.addItem(tr(f"massing.tree.{name}"))
        self.height_edit = QuantityEdit(USUAL_HEIGHT, unit="m", low=1.0, high=60.0, integer=False)
        self.crown_edit = QuantityEdit(self._natural(), unit="m", low=0.5, high=40.0, integer=False)
        form = QFormLayout()
        form.addRow(tr("massing.tree.shape"), self.shape_box)
        form.addRow(tr("mass.height"), self.height_edit)
        form.addRow(tr("massing.tree.crown"), self.crown_edit)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        buttons.button(QDialogButtonBox.StandardButton.Ok).setText(tr("massing.tree.plant"))
        buttons.button(QDialogButtonBox.StandardButton.Cancel).setText(tr("dialog.cancel"))
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setSpacing(12)
        layout.addLayout(form)
        layout.addWidget(buttons)
        self.shape_box.currentIndexChanged.connect(self._follow)
        self.height_edit.changed.connect(self._follow)

    def _natural(self) -> float:
        """Crown diameter that the shape has at the height by nature [m]."""
        return round(2 * CROWN_RADIUS[self.shape_box.currentIndex()] * float(self.height_edit.value), 1)

    def _follow(self) -> None:
        self.crown_edit.set_value(self._natural())

    @property
    def sapling(self) -> Sapling:
        """What was asked for."""
        return Sapling(float(self.height_edit.value), float(self.crown_edit.value), self.shape_box.currentIndex())


def ask_tree(window: MainWindow) -> TreeDialog:
    """Ask what to plant, then plant it wherever is clicked until Escape."""
    window.masses.finish()
    dialog = TreeDialog(window)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.accepted.connect(lambda: plant_at_clicks(window, dialog.sapling))
    dialog.open()
    return dialog


def plant_at_clicks(window: MainWindow, sapling: Sapling) -> None:
    """The next click plants one, and so on; Escape ends."""

    def planted(points: NDArray[np.float64]) -> None:
        x, y, z = (float(value) for value in points[0])
        ground = Ground(window.document).height(x, y)
        foot = (x, y, z if ground is None else ground)
        tree = Tree(free_tree_id(window.document), foot, sapling.height, sapling.crown, sapling.shape)
        window.bench.do(plant_tree(window.document, tree, name=window.masses.name))
        plant_at_clicks(window, sapling)

    window.viewport.start_drawing("point", planted, hint=tr("massing.tree.hint"))


def free_tree_id(document: Document) -> str:
    """An id that no tree of any alternative has."""
    taken = {tree.id for one in document.alternatives.items for tree in one.trees}
    return next(f"tree-{number}" for number in itertools.count(1) if f"tree-{number}" not in taken)


def is_tree(document: Document, ref: ElementRef) -> bool:
    """Whether an element is a tree that an alternative can do without."""
    layer = document.scene.get(ref.layer_id)
    return (
        bool(ref.element_id) and layer is not None and layer.theme == "tree" and isinstance(layer.geometry, Instances)
    )


def selected_trees(document: Document) -> list[ElementRef]:
    """The selected trees, where nothing else is selected."""
    refs = document.selection.items
    one_each = (ElementRef(layer_id, ids[0]) for layer_id, ids in document.selection.by_layer.items())
    if not all(is_tree(document, ref) for ref in one_each):
        return []
    return list(refs) if all(ref.element_id for ref in refs) else []


def remove_selected_trees(window: MainWindow, refs: Sequence[ElementRef] = ()) -> None:
    """Take the selected trees, or these, out of the alternative shown."""
    document = window.document
    chosen = list(refs) or selected_trees(document)
    if chosen:
        document.selection.clear()
        window.bench.do(remove_trees(document, chosen, name=window.masses.name))
