"""Properties of the selection: attributes with units, place, source; a summary when much is selected."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QHeaderView,
    QLabel,
    QMenu,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)

from app.language import issue_text, tr
from app.model_view import is_model_layer
from app.names import element_name, layer_title
from app.numbers import number_text, quantity_text
from app.panels.bim_properties import TABLE_ONLY, BimProperties
from app.panels.panel import Panel
from app.widgets.wording import say
from app.words import class_name, column_name, field_name, heading
from geo.crs import to_lonlat
from geo.model import ElementRef, Field, Frame, Grid, Image, Instances, Layer, Lines, Mesh, Points
from geo.model.conventions import DIAMETER

if TYPE_CHECKING:
    from app.workbench import Workbench

Row = tuple[str, str]
Section = tuple[str, list[Row]]
ISSUES_SHOWN = 20


class PropertiesPanel(Panel):
    """Name and value of everything known about the selection."""

    name = "properties"
    help_page = "layers"

    def __init__(self, bench: Workbench, parent: QWidget | None = None) -> None:
        super().__init__(bench, parent)
        self.heading = QLabel()
        self.heading.setObjectName("title")
        self.heading.setWordWrap(True)
        self.heading.setContentsMargins(8, 4, 8, 0)
        self.tree = QTreeWidget()
        self.tree.setColumnCount(2)
        self.tree.setHeaderHidden(True)
        self.tree.setIndentation(10)
        self.tree.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.tree.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Interactive)
        self.tree.header().resizeSection(0, 130)
        self.tree.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.tree.customContextMenuRequested.connect(self._show_menu)
        self.layout_.setContentsMargins(0, 4, 0, 0)
        self.hint = say(QLabel(), "properties.hint")
        self.hint.setObjectName("soft")
        self.hint.setWordWrap(True)
        self.hint.setContentsMargins(8, 0, 8, 0)
        self.layout_.addWidget(self.heading)
        self.layout_.addWidget(self.hint)
        self.bim = BimProperties(bench, self.tree, self)
        self.layout_.addLayout(self.bim.search_row)
        self.layout_.addWidget(self.tree, 1)
        self.connections.add(self.document.selection.changed, self.refresh)
        self.connections.add(self.document.scene.changed, self._on_changed)
        self.connections.add(self.document.scene.removed, self._on_removed)
        self.refresh()

    def _on_changed(self, _layer: Layer, _what: str) -> None:
        self.refresh()

    def _on_removed(self, _layer: Layer) -> None:
        self.refresh()

    def refresh(self) -> None:
        """Show the selection."""
        refs = [ref for ref in self.document.selection.items if ref.layer_id in self.document.scene]
        self.tree.clear()
        heading, sections = self._content(refs)
        self.heading.setText(heading)
        self.hint.setVisible(not refs)
        for title, rows in sections:
            if rows:
                self._add_section(title, rows)
        self.tree.expandAll()
        only = refs[0] if len(refs) == 1 else None
        self.bim.show_element(self.document.scene[only.layer_id] if only else None, only.element_id if only else "")

    def _content(self, refs: list[ElementRef]) -> tuple[str, list[Section]]:
        scene = self.document.scene
        if not refs:
            return tr("properties.nothing"), []
        layer = scene[refs[-1].layer_id]
        if len(refs) > 1:
            chosen = {k: ids for k, ids in self.document.selection.by_layer.items() if k in scene}
            return tr("properties.many", count=f"{len(refs):,}"), summary_sections(
                [(scene[layer_id], ids) for layer_id, ids in chosen.items()]
            )
        if refs[0].element_id and refs[0].element_id in layer.table.index:
            return element_name(layer, refs[0].element_id), element_sections(layer, refs[0].element_id, scene.frame)
        return layer_title(layer), layer_sections(layer, scene.frame)

    def _add_section(self, title: str, rows: list[Row]) -> None:
        parent = QTreeWidgetItem(self.tree, [title])
        parent.setFirstColumnSpanned(True)
        parent.setFlags(Qt.ItemFlag.ItemIsEnabled)
        font = parent.font(0)
        font.setBold(True)
        parent.setFont(0, font)
        for name, value in rows:
            item = QTreeWidgetItem(parent, [name, value])
            item.setToolTip(0, name)
            item.setToolTip(1, value)

    def _show_menu(self, place: QPoint) -> None:
        item = self.tree.itemAt(place)
        if item is None or not item.text(1):
            return
        menu = QMenu(self)
        text = item.text(1)
        menu.addAction(tr("properties.copy")).triggered.connect(lambda: QApplication.clipboard().setText(text))
        if self.bim.search.isVisible():
            self.bim.extend_menu(menu, item)
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(self.tree.viewport().mapToGlobal(place))

    def texts(self) -> dict[str, str]:
        """What is shown, by name."""
        found = {}
        for index in range(self.tree.topLevelItemCount()):
            section = self.tree.topLevelItem(index)
            for row in range(section.childCount()):
                found[section.child(row).text(0)] = section.child(row).text(1)
        return found

    def refresh_words(self) -> None:
        """In the current language."""
        self.tree.setAccessibleName(tr("panel.properties"))
        self.refresh()


def element_sections(layer: Layer, element_id: str, frame: Frame | None) -> list[Section]:
    """Everything about one element."""
    row = layer.table.index[element_id]
    identity = [(tr("properties.id"), element_id), (tr("properties.layer"), layer_title(layer))]
    attributes = []
    for name, column in layer.table.columns.items():
        if is_model_layer(layer) and name in TABLE_ONLY:
            continue
        value = column.values[row]
        plain = value.item() if isinstance(value, np.generic) else value
        title = heading(column_name(layer.theme, name, column.title))
        if plain is not None and number_text(plain) != "–":
            attributes.append((title, value_text(layer, name, plain, column.unit)))
    return [
        (tr("properties.identity"), identity),
        (tr("properties.attributes"), attributes),
        (tr("properties.results"), _field_rows(layer, row)),
        (tr("properties.place"), place_rows(element_points(layer, row), frame)),
        (tr("properties.geometry"), _shape_rows(layer, row)),
    ]


def value_text(layer: Layer, name: str, value: object, unit: str) -> str:
    """A value as people say it: words of the program in their language, diameters of pipes in millimetres."""
    if isinstance(value, str):
        return class_name(name, value)
    if name == DIAMETER and unit == "m" and layer.stratum == "underground" and isinstance(value, int | float):
        return quantity_text(round(1000.0 * value, 1), "mm")
    return quantity_text(value, unit)


def _field_rows(layer: Layer, row: int) -> list[Row]:
    rows = []
    for field in layer.fields:
        values = _values_of(field, layer, row)
        if values is None or not len(values):
            continue
        title = heading(field_name(field.name))
        if field.categories:
            names = [field.categories[int(v)] for v in np.unique(values) if 0 <= int(v) < len(field.categories)]
            rows.append((title, ", ".join(class_name(field.name, name) for name in names[:6])))
        else:
            known = np.asarray(values, dtype=np.float64)
            known = known[np.isfinite(known)]
            if known.size:
                rows.append((title, _spread(known, field.unit)))
    return rows


def _spread(values: NDArray[np.float64], unit: str) -> str:
    """One value, or least … greatest (mean)."""
    low, high = float(values.min()), float(values.max())
    if low == high:
        return quantity_text(low, unit)
    mean = quantity_text(float(values.mean()), unit)
    return f"{number_text(low)} … {quantity_text(high, unit)} (⌀ {mean})"


def _values_of(field: Field, layer: Layer, row: int) -> NDArray[np.generic] | None:
    if field.on == "element" and len(field.values) > row:
        return field.values[row : row + 1]
    if field.on == "face" and isinstance(layer.geometry, Mesh):
        return field.values[layer.geometry.face_element == row]
    if field.on == "point" and isinstance(layer.geometry, Points):
        return field.values[layer.geometry.element == row]
    return None


def element_points(layer: Layer, row: int) -> NDArray[np.float64]:
    """Points (n, 3) of one element [local m]; none where the geometry has no elements."""
    geometry = layer.geometry
    if isinstance(geometry, Mesh):
        return geometry.vertices[geometry.faces[geometry.face_element == row].ravel()]
    if isinstance(geometry, Points):
        return geometry.vertices[geometry.element == row]
    if isinstance(geometry, Instances):
        return geometry.transform[geometry.element == row][:, :, 3]
    if isinstance(geometry, Lines):
        parts = [
            geometry.vertices[geometry.offsets[i] : geometry.offsets[i + 1]]
            for i in np.flatnonzero(geometry.line_element == row)
        ]
        return np.concatenate(parts) if parts else np.zeros((0, 3))
    return np.zeros((0, 3))


def place_rows(points: NDArray[np.float64], frame: Frame | None) -> list[Row]:
    """Middle in map coordinates and degrees, lowest and highest point."""
    if frame is None or not len(points):
        return []
    low, high = points.min(axis=0), points.max(axis=0)
    east, north, _ = frame.to_map((low + high) / 2)
    longitude, latitude = (float(v) for v in to_lonlat(east, north, frame.crs))
    return [
        (tr("properties.easting_northing"), f"{east:,.2f}  {north:,.2f} m"),
        (tr("properties.latitude_longitude"), f"{latitude:.6f}°  {longitude:.6f}°"),
        (tr("properties.heights"), f"{low[2] + frame.origin[2]:,.2f} … {high[2] + frame.origin[2]:,.2f} m"),
    ]


def _shape_rows(layer: Layer, row: int) -> list[Row]:
    geometry = layer.geometry
    if isinstance(geometry, Mesh):
        # Of its own faces alone: the areas of all faces of a large model would hold up the window.
        own = geometry.faces[geometry.face_element == row]
        part = Mesh(geometry.vertices, own, np.zeros(len(own), np.int32))
        rows = [
            (tr("properties.faces"), f"{len(own):,}"),
            (tr("properties.surface"), quantity_text(float(part.face_area.sum()), "m²")),
        ]
        points = element_points(layer, row)
        if len(points):
            rows.append((tr("properties.height"), quantity_text(float(np.ptp(points[:, 2])), "m")))
        return rows
    if isinstance(geometry, Lines):
        points = element_points(layer, row)
        length = float(np.linalg.norm(np.diff(points, axis=0), axis=1).sum()) if len(points) > 1 else 0.0
        return [(tr("properties.length"), quantity_text(length, "m"))]
    return []


def layer_sections(layer: Layer, frame: Frame | None) -> list[Section]:
    """Everything about a layer as a whole."""
    general = [
        (tr("properties.kind"), f"{tr(f'theme.{layer.theme}')} · {tr(f'kind.{layer.kind}')}"),
        (tr("properties.stratum"), tr(f"group.{layer.stratum}")),
    ]
    if len(layer.table):
        general.append((tr("properties.elements"), f"{len(layer.table):,}"))
    if isinstance(layer.geometry, Mesh):
        general.append((tr("properties.faces"), f"{len(layer.geometry.faces):,}"))
    if isinstance(layer.geometry, Grid | Image):
        general.append((tr("properties.cell"), quantity_text(float(layer.geometry.cell), "m")))
    issues = [(tr(f"severity.{issue.severity}"), issue_text(issue)) for issue in layer.issues[:ISSUES_SHOWN]]
    return [
        (tr("properties.general"), general),
        (tr("properties.values"), _layer_field_rows(layer)),
        (tr("properties.place"), _extent_rows(layer, frame)),
        (tr("properties.source"), _source_rows(layer)),
        (tr("properties.issues"), issues),
    ]


def _layer_field_rows(layer: Layer) -> list[Row]:
    rows = []
    for field in layer.fields:
        title = heading(field_name(field.name))
        if field.categories:
            rows.append((title, ", ".join(class_name(field.name, name) for name in field.categories[:8])))
            continue
        known = np.asarray(field.values, dtype=np.float64)
        known = known[np.isfinite(known)]
        if known.size:
            rows.append((title, _spread(known, field.unit)))
    return rows


def _extent_rows(layer: Layer, frame: Frame | None) -> list[Row]:
    box = layer.geometry.bounds if layer.geometry is not None else None
    if box is None or frame is None:
        return []
    width, depth, _ = box.size
    corners = np.array([box.low, box.high], dtype=np.float64)
    return [*place_rows(corners, frame), (tr("properties.extent"), f"{width:,.0f} × {depth:,.0f} m")]


def _source_rows(layer: Layer) -> list[Row]:
    source = layer.source
    if source.path:
        rows = [(tr("properties.file"), source.path), (tr("properties.reader"), source.reader)]
        crs = source.options.get("crs")
        return [*rows, (tr("properties.crs_given"), str(crs))] if crs else rows
    stamp = source.provenance.get("provenance")
    if isinstance(stamp, dict):
        return [
            (tr("properties.analysis"), tr(f"{stamp.get('analysis')}.title", str(stamp.get("analysis")))),
            (tr("properties.made"), str(stamp.get("started", ""))),
        ]
    return []


def summary_sections(chosen: list[tuple[Layer, tuple[str, ...]]]) -> list[Section]:
    """How many of each layer, and sum and mean of the numbers they share."""
    counts = [(layer_title(layer), f"{len(ids):,}") for layer, ids in chosen]
    sections: list[Section] = [(tr("properties.selected"), counts)]
    for layer, ids in chosen:
        index = layer.table.index
        rows = np.array([index[i] for i in ids if i in index], dtype=np.int64)
        if len(rows) > 1:
            sections.append((f"{layer_title(layer)} · {tr('properties.sum_mean')}", _column_sums(layer, rows)))
    return sections


def _column_sums(layer: Layer, rows: NDArray[np.int64]) -> list[Row]:
    out = []
    for name, column in layer.table.columns.items():
        if not column.is_number:
            continue
        values = np.asarray(column.values[rows], dtype=np.float64)
        values = values[np.isfinite(values)]
        if values.size:
            total, mean = (quantity_text(float(v), column.unit) for v in (values.sum(), values.mean()))
            out.append((heading(field_name(name, column.title)), f"Σ {total}   ⌀ {mean}"))
    return out
