"""Sources of dust in the window: sites drawn on the ground, chimneys, and traffic; each change is one step."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QObject, Qt

from app.commands import AddLayers, Command, ReplaceLayer, Together
from app.dust.source_edit import (
    SourceValues,
    is_road,
    is_source,
    site_layer,
    stack_layer,
    traffic_of,
    values_of,
    with_traffic,
    with_values,
)
from app.dust_source_dialog import SourceDialog, TrafficDialog
from app.language import tr
from geo.model import Layer, Mesh, UserError
from geo.model.conventions import TRAFFIC, VEHICLE_WEIGHT

if TYPE_CHECKING:
    from app.main_window import MainWindow


class DustSources(QObject):
    """Draws sources and asks what they are."""

    def __init__(self, window: MainWindow, *, parent: QObject) -> None:
        super().__init__(parent)
        self.window, self.bench, self.document = window, window.bench, window.document
        self.dialog: SourceDialog | None = None
        self.traffic_dialog: TrafficDialog | None = None

    # ---- sites and chimneys

    def draw_site(self) -> None:
        """Draw a ring on the ground, then ask what is done there."""
        self.window.viewport.start_drawing("polygon", self._ask_site, hint=tr("dust_source.site_hint"))

    def place_stack(self) -> None:
        """Click the foot of a chimney or an outlet, then ask how high and strong."""
        self.window.viewport.start_drawing("point", self._ask_stack, hint=tr("dust_source.stack_hint"))

    def _ask_site(self, points: Any) -> None:
        from app.view.draw_tool import plan_area

        ring = np.asarray(points, dtype=np.float64)
        name = tr("dust_source.site_numbered", number=1 + self._count("construction"))
        values = SourceValues(name, tr("dust_source.site_group"), "construction")
        self._open(values, plan_area(ring), lambda: self._add_site(ring))

    def _ask_stack(self, points: Any) -> None:
        place = np.asarray(points, dtype=np.float64)[0]
        name = tr("dust_source.stack_numbered", number=1 + self._count("stack"))
        self._open(SourceValues(name, "", "stack"), None, lambda: self._add_stack(place))

    def _count(self, kind: str) -> int:
        return sum(is_source(layer) and values_of(layer).kind == kind for layer in self.document.scene)

    def _open(self, values: SourceValues, area: float | None, done: Callable[[], None]) -> None:
        self.dialog = SourceDialog(values, area=area, parent=self.window)
        self.dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.dialog.accepted.connect(done)
        self.dialog.open()

    def _add_site(self, ring: np.ndarray) -> None:
        if self.dialog is None:
            return
        layer_id, ground = self.document.scene.free_id("dust-site"), self.window.cameras.ground.grid
        try:
            layer = site_layer(ring, self.dialog.values, layer_id=layer_id, ground=ground)
        except UserError as error:
            self.bench.notices.report(error)
            return
        self.bench.do(AddLayers((layer,), title="add_dust_source"))

    def _add_stack(self, place: np.ndarray) -> None:
        if self.dialog is not None:
            layer = stack_layer(place, self.dialog.values, layer_id=self.document.scene.free_id("dust-stack"))
            self.bench.do(AddLayers((layer,), title="add_dust_source"))

    def selected(self) -> Layer | None:
        """The one source that is selected and was set here."""
        ids = set(self.document.selection.by_layer)
        layer = self.document.scene.get(next(iter(ids))) if len(ids) == 1 else None
        return layer if is_source(layer) else None

    def edit(self) -> None:
        """Ask again what the selected source is."""
        layer = self.selected()
        if layer is None:
            return
        shape = layer.geometry
        area = None
        if isinstance(shape, Mesh):
            flat = shape.vertices[shape.faces][:, :, :2]
            (ax, ay), (bx, by) = (flat[:, 1] - flat[:, 0]).T, (flat[:, 2] - flat[:, 0]).T
            area = float(0.5 * np.abs(ax * by - ay * bx).sum())
        self._open(values_of(layer), area, lambda: self._change(layer))

    def _change(self, layer: Layer) -> None:
        if self.dialog is not None:
            self.bench.do(ReplaceLayer(with_values(layer, self.dialog.values), "data", "change_dust_source"))

    # ---- traffic

    def roads(self) -> dict[str, list[str]]:
        """Selected roads by layer; all of a layer where it is selected as a whole."""
        found: dict[str, list[str]] = {}
        for layer_id, ids in self.document.selection.by_layer.items():
            layer = self.document.scene.get(layer_id)
            if layer is not None and is_road(layer):
                found[layer_id] = [str(road) for road in layer.table.ids] if "" in ids else list(ids)
        return found

    def ask_traffic(self) -> None:
        """How much traffic the selected roads have."""
        roads = self.roads()
        if not roads:
            return
        first = next(iter(roads))
        said = traffic_of(self.document.scene[first], roads[first])
        count = sum(len(ids) for ids in roads.values())
        self.traffic_dialog = TrafficDialog(
            count=count, traffic=said[TRAFFIC], weight=said[VEHICLE_WEIGHT], parent=self.window
        )
        self.traffic_dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.traffic_dialog.accepted.connect(lambda: self._set_traffic(roads))
        self.traffic_dialog.open()

    def _set_traffic(self, roads: dict[str, list[str]]) -> None:
        asked = self.traffic_dialog
        if asked is None:
            return
        steps: list[Command] = []
        for layer_id, ids in roads.items():
            changed = with_traffic(self.document.scene[layer_id], ids, traffic=asked.traffic, weight=asked.weight)
            steps.append(ReplaceLayer(changed, "data", "set_traffic"))
        self.bench.do(Together(tuple(steps), "set_traffic"))
