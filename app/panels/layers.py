"""Scene: the layers by stratum, with visibility, opacity, colouring and doubts."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFormLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QMenu,
    QSlider,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)

from app.alternatives_made import take_out
from app.appearance import colours, icon
from app.commands import ReplaceLayer, SetStyle
from app.hatch_switch import add_hatch_switch
from app.language import tr
from app.names import element_name, layer_title
from app.numbers import unit_text
from app.panels.panel import Panel, line, small_button
from app.sheet import sheet_of
from app.style_actions import StyleActions
from app.widgets.colouring_form import ColouringForm
from app.widgets.elided_label import ElidedLabel
from app.widgets.later import Later
from app.widgets.look_form import LookForm, look_title
from app.widgets.wording import say
from app.words import column_name, heading
from geo.model import ElementRef, Layer, Style

if TYPE_CHECKING:
    from app.workbench import Workbench

GROUPS = ("outdoor", "indoor", "underground", "bim", "sensors", "results")
ELEMENTS_SHOWN = 200
ROLE_LAYER = Qt.ItemDataRole.UserRole
ROLE_ELEMENT = Qt.ItemDataRole.UserRole + 1
# Worst first: the badge of a layer speaks of the gravest doubt.
SEVERITIES = ("error", "doubt", "note")


def group_of(layer: Layer) -> str:
    """The heading a layer stands under."""
    if layer.theme == "result":
        return "results"
    if layer.theme in ("sensor", "camera", "purifier"):
        return "sensors"
    if layer.theme == "bim":
        return "bim"
    return layer.stratum


def colour_choices(layer: Layer) -> list[str]:
    """Names of what a layer can be coloured by: its fields, then its columns."""
    names = [field.name for field in layer.fields]
    names += layer.table.columns
    return list(dict.fromkeys(names))


class LayersPanel(Panel):
    """The tree of layers and the style of the one chosen."""

    name = "layers"
    help_page = "layers"

    def __init__(self, bench: Workbench, parent: QWidget | None = None) -> None:
        super().__init__(bench, parent)
        self._filling = False
        self._groups: dict[str, QTreeWidgetItem] = {}
        self._items: dict[str, QTreeWidgetItem] = {}
        self.styles = StyleActions(self)
        self.tree = self._make_tree()
        self.empty = say(QLabel(), "layers.empty")
        self.empty.setObjectName("soft")
        self.empty.setWordWrap(True)
        self.style_area = self._make_style_area()
        self.layout_.setContentsMargins(0, 4, 0, 8)
        self.layout_.addWidget(self.empty)
        self.empty.setContentsMargins(12, 8, 12, 8)
        self.layout_.addWidget(self.tree, 1)
        self.layout_.addWidget(line())
        self.layout_.addWidget(self.style_area)
        self._later = Later(self, self.rebuild)
        scene = self.document.scene
        self.connections.add(scene.added, self._on_layers)
        self.connections.add(scene.removed, self._on_layers)
        self.connections.add(scene.changed, self._on_changed)
        self.connections.add(self.document.selection.changed, self._on_selection)
        self.rebuild()

    def _make_tree(self) -> QTreeWidget:
        tree = QTreeWidget()
        tree.setColumnCount(2)
        tree.setHeaderHidden(True)
        tree.setIndentation(14)
        tree.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        tree.setEditTriggers(
            QAbstractItemView.EditTrigger.EditKeyPressed | QAbstractItemView.EditTrigger.NoEditTriggers
        )
        tree.setUniformRowHeights(True)
        tree.header().setStretchLastSection(False)
        tree.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        tree.header().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        tree.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        tree.customContextMenuRequested.connect(self._show_menu)
        tree.itemChanged.connect(self._on_item_changed)
        tree.itemSelectionChanged.connect(self._on_tree_selection)
        tree.itemDoubleClicked.connect(self._on_double_click)
        tree.itemExpanded.connect(self._fill_elements)
        say(tree, tip="")
        tree.setAccessibleName("layers")
        return tree

    def _make_style_area(self) -> QWidget:
        area = QWidget()
        form = QFormLayout(area)
        form.setContentsMargins(12, 0, 8, 0)
        form.setVerticalSpacing(6)
        self.layer_name = ElidedLabel()  # long names: no wider
        self.layer_name.setObjectName("section")
        buttons = QHBoxLayout()
        buttons.setSpacing(2)
        buttons.addWidget(self.layer_name, 1)
        for icon_name, tip, slot in (
            ("zoom", "layers.zoom", self.zoom_to_layer),
            ("table", "layers.table", self.show_table),
            ("rename", "layers.rename", self.start_rename),
            ("remove", "layers.remove", self.remove_layers),
        ):
            button = small_button(icon_name, tip)
            button.clicked.connect(slot)
            buttons.addWidget(button)
        self.opacity = QSlider(Qt.Orientation.Horizontal)
        self.opacity.setRange(0, 100)
        self.opacity.valueChanged.connect(self._set_opacity)
        form.addRow(buttons)
        form.addRow(say(QLabel(), "layers.opacity"), self.opacity)
        self.colouring = ColouringForm(form, area)
        self.colouring.changed.connect(self._set_colouring)
        self.colouring.edit_asked.connect(lambda: self.styles.edit_legend())
        self.look = LookForm(form, area)
        self.look.changed.connect(self._set_look)
        return area

    # ---- the tree -----------------------------------------------------------------------------------------------

    def rebuild(self) -> None:
        """Fill the tree from the scene."""
        self._filling = True
        opened = {layer_id for layer_id, item in self._items.items() if item.isExpanded()}
        self.tree.clear()
        self._items.clear()
        self._groups = {group: self._add_group(group) for group in GROUPS}
        for layer in self.document.scene:
            self._items[layer.id] = self._add_layer(layer)
        for group in self._groups.values():
            group.setHidden(group.childCount() == 0)
            group.setExpanded(True)
        self._filling = False
        for layer_id in opened & set(self._items):
            self._items[layer_id].setExpanded(True)
        self.empty.setVisible(len(self.document.scene) == 0)
        self._on_selection()

    def _add_group(self, group: str) -> QTreeWidgetItem:
        item = QTreeWidgetItem(self.tree, [tr(f"group.{group}")])
        item.setFlags(Qt.ItemFlag.ItemIsEnabled)
        font = item.font(0)
        font.setBold(True)
        item.setFont(0, font)
        item.setFirstColumnSpanned(True)
        return item

    def _add_layer(self, layer: Layer) -> QTreeWidgetItem:
        item = QTreeWidgetItem(self._groups[group_of(layer)])
        item.setData(0, ROLE_LAYER, layer.id)
        item.setFlags(
            Qt.ItemFlag.ItemIsEnabled
            | Qt.ItemFlag.ItemIsSelectable
            | Qt.ItemFlag.ItemIsUserCheckable
            | Qt.ItemFlag.ItemIsEditable
        )
        if len(layer.table) and layer.kind != "table":
            item.setChildIndicatorPolicy(QTreeWidgetItem.ChildIndicatorPolicy.ShowIndicator)
        self._write_layer(item, layer)
        return item

    def _write_layer(self, item: QTreeWidgetItem, layer: Layer) -> None:
        c = colours(self.bench.theme)
        item.setText(0, layer_title(layer))
        item.setIcon(0, icon(layer.kind, c["soft"] if layer.style.visible else c["border"]))
        item.setCheckState(0, Qt.CheckState.Checked if layer.style.visible else Qt.CheckState.Unchecked)
        item.setToolTip(0, self._tip(layer))
        count = sum(1 for issue in layer.issues if issue.severity != "note")
        item.setText(1, tr("layers.doubts", count=count) if count else "")
        item.setToolTip(1, self._issue_tip(layer))
        worst = next((s for s in SEVERITIES if any(i.severity == s for i in layer.issues)), "note")
        if count:
            item.setForeground(1, _brush(c["danger" if worst == "error" else "doubt"]))

    def _tip(self, layer: Layer) -> str:
        lines = [layer_title(layer), f"{tr(f'theme.{layer.theme}')} · {tr(f'kind.{layer.kind}')}"]
        if len(layer.table):
            lines.append(tr("layers.elements", count=f"{len(layer.table):,}"))
        if layer.source.path:
            lines.append(layer.source.path)
        return "\n".join(lines)

    def _issue_tip(self, layer: Layer) -> str:
        from app.language import issue_text

        return "\n".join(f"{tr(f'severity.{i.severity}')}: {issue_text(i)}" for i in layer.issues[:12])

    def _fill_elements(self, item: QTreeWidgetItem) -> None:
        layer = self.document.scene.get(str(item.data(0, ROLE_LAYER) or ""))
        if layer is None or item.childCount() or item.data(0, ROLE_ELEMENT) is not None:
            return
        self._filling = True
        for element_id in layer.table.ids[:ELEMENTS_SHOWN]:
            self._add_element(item, layer, str(element_id))
        if len(layer.table) > ELEMENTS_SHOWN:
            more = QTreeWidgetItem(item, [tr("layers.more", count=f"{len(layer.table) - ELEMENTS_SHOWN:,}")])
            more.setFlags(Qt.ItemFlag.NoItemFlags)
        self._filling = False

    def _add_element(self, parent: QTreeWidgetItem, layer: Layer, element_id: str) -> QTreeWidgetItem:
        child = QTreeWidgetItem(parent, [element_name(layer, element_id)])
        child.setData(0, ROLE_LAYER, layer.id)
        child.setData(0, ROLE_ELEMENT, element_id)
        child.setToolTip(0, element_id)
        child.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable)
        return child

    def item_of(self, layer_id: str) -> QTreeWidgetItem | None:
        """The row of a layer."""
        return self._items.get(layer_id)

    def current_layer(self) -> Layer | None:
        """The layer whose style is shown: that of the last thing selected."""
        items = self.document.selection.items
        return self.document.scene.get(items[-1].layer_id) if items else None

    # ---- the model changes --------------------------------------------------------------------------------------

    def _on_layers(self, _layer: Layer) -> None:
        self._later.ask()

    def _on_changed(self, layer: Layer, what: str) -> None:
        item = self._items.get(layer.id)
        if item is None:
            return
        if what == "data":
            self._later.ask()
            return
        self._filling = True
        self._write_layer(item, layer)
        self._filling = False
        self._write_style_area()

    def _on_selection(self) -> None:
        """Show the document's selection: rows of elements where they are open, else the row of their layer."""
        if self._filling:
            return
        self._filling = True
        chosen = set(self.document.selection.items)
        layer_ids = {ref.layer_id for ref in chosen}
        for layer_id, item in self._items.items():
            shown = False
            for index in range(item.childCount()):
                child = item.child(index)
                selected = ElementRef(layer_id, str(child.data(0, ROLE_ELEMENT))) in chosen
                child.setSelected(selected)
                shown = shown or (selected and item.isExpanded())
            item.setSelected(layer_id in layer_ids and not shown)
        self._filling = False
        self._scroll_to_selection()
        self._write_style_area()

    def _scroll_to_selection(self) -> None:
        rows = self.tree.selectedItems()
        if rows and not self.tree.hasFocus():
            self.tree.scrollToItem(rows[-1])

    def _write_style_area(self) -> None:
        layer = self.current_layer()
        self.style_area.setEnabled(layer is not None)
        self._filling = True
        self.layer_name.setText(layer_title(layer) if layer is not None else tr("layers.none_chosen"))
        self.opacity.setValue(100)
        if layer is not None:
            self.opacity.setValue(round(layer.style.opacity * 100))
        names = colour_choices(layer) if layer is not None else []
        titled = [(field_title(layer, name), name) for name in names] if layer is not None else []
        self.colouring.show_layer(layer, titled)
        columns = sheet_of(layer).columns if layer is not None else {}
        self.look.show_layer(layer, [(field_title(layer, name), name) for name in columns] if layer is not None else [])
        self._filling = False

    # ---- the user acts ------------------------------------------------------------------------------------------

    def _on_item_changed(self, item: QTreeWidgetItem, column: int) -> None:
        layer = self.document.scene.get(str(item.data(0, ROLE_LAYER) or ""))
        if self._filling or layer is None or column != 0 or item.data(0, ROLE_ELEMENT) is not None:
            return
        visible = item.checkState(0) == Qt.CheckState.Checked
        if visible != layer.style.visible:
            title = "show_layer" if visible else "hide_layer"
            self.document.do(SetStyle(layer.id, dataclasses.replace(layer.style, visible=visible), title))
        elif item.text(0).strip() and item.text(0) != layer_title(layer):
            self.document.do(ReplaceLayer(layer.with_(name=item.text(0).strip()), "name", "rename_layer"))
        else:
            self._filling = True
            item.setText(0, layer_title(layer))
            self._filling = False

    def _on_tree_selection(self) -> None:
        if self._filling:
            return
        refs = [
            ElementRef(str(item.data(0, ROLE_LAYER)), str(item.data(0, ROLE_ELEMENT) or ""))
            for item in self.tree.selectedItems()
        ]
        self._filling = True
        self.document.selection.set(refs)
        self._filling = False
        self._write_style_area()

    def _on_double_click(self, item: QTreeWidgetItem, _column: int) -> None:
        if item.data(0, ROLE_LAYER):
            self.bench.zoom_to([ElementRef(str(item.data(0, ROLE_LAYER)), str(item.data(0, ROLE_ELEMENT) or ""))])

    def zoom_to_layer(self) -> None:
        """Show the chosen layer as a whole."""
        layer = self.current_layer()
        if layer is not None:
            self.bench.zoom_to([ElementRef(layer.id)])

    def show_table(self) -> None:
        """Show the attributes of the chosen layer's elements."""
        layer = self.current_layer()
        if layer is not None:
            self.bench.table_requested.emit(layer.id)

    def start_rename(self) -> None:
        """Let the user type a new name in the tree."""
        layer = self.current_layer()
        if layer is not None and layer.id in self._items:
            self.tree.editItem(self._items[layer.id], 0)

    def remove_layers(self) -> None:
        """Take the selected layers out of the scene; undo brings them back."""
        ids = self.document.selection.by_layer
        if ids:
            self.document.do(take_out(self.document, tuple(ids)))

    def show_only(self) -> None:
        """Hide every layer but the selected ones."""
        kept = set(self.document.selection.by_layer)
        for layer in self.document.scene:
            if layer.style.visible != (layer.id in kept):
                style = dataclasses.replace(layer.style, visible=layer.id in kept)
                self.document.do(SetStyle(layer.id, style, "show_layer" if style.visible else "hide_layer"))

    def _set_opacity(self, value: int) -> None:
        layer = self.current_layer()
        if not self._filling and layer is not None:
            self.document.do(SetStyle(layer.id, dataclasses.replace(layer.style, opacity=value / 100), "set_opacity"))

    def _set_colouring(self, style: Style) -> None:
        layer = self.current_layer()
        if layer is not None:
            title = "set_colour" if style.colour_by != layer.style.colour_by else "set_classes"
            self.document.do(SetStyle(layer.id, style, title))

    def _set_look(self, style: Style) -> None:
        layer = self.current_layer()
        if layer is not None:
            self.document.do(SetStyle(layer.id, style, look_title(style, layer.style)))

    def _show_menu(self, place: QPoint) -> None:
        item = self.tree.itemAt(place)
        if item is None or not item.data(0, ROLE_LAYER):
            return
        if not item.isSelected():
            self.tree.setCurrentItem(item)
        menu = QMenu(self)
        for text_id, slot in (
            ("layers.zoom", self.zoom_to_layer),
            ("layers.only", self.show_only),
            ("layers.table", self.show_table),
            ("layers.rename", self.start_rename),
            ("layers.remove", self.remove_layers),
        ):
            menu.addAction(tr(text_id)).triggered.connect(slot)
        layer = self.document.scene.get(str(item.data(0, ROLE_LAYER)))
        if layer is not None:
            add_hatch_switch(menu, self.document, layer)
            self.styles.add_to_menu(menu)
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(self.tree.viewport().mapToGlobal(place))

    # ---- language, theme ----------------------------------------------------------------------------------------

    def refresh_words(self) -> None:
        """Groups, badges and tooltips in the current language."""
        self.rebuild()

    def refresh_theme(self) -> None:
        """Icons and badges in the colours of the theme."""
        self.rebuild()


def field_title(layer: Layer, name: str) -> str:
    """Name of a field or column with its unit."""
    field = layer.field_named(name)
    column = layer.table.columns.get(name)
    unit = field.unit if field is not None else column.unit if column is not None else ""
    title = heading(column_name(layer.theme, name, column.title if column is not None else ""))
    return f"{title} [{unit_text(unit)}]" if unit_text(unit) else title


def _brush(colour: str) -> object:
    from PySide6.QtGui import QBrush, QColor

    return QBrush(QColor(colour))
