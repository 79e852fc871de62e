"""What is drawn in the picture and becomes part of the scene: excavations, devices, and places for parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QObject, Qt

from app.commands import AddLayers, ReplaceLayer
from app.device_dialog import DeviceDialog
from app.devices import LAYER, add_device, remove_devices, room_at
from app.excavation_dialog import ExcavationDialog
from app.language import tr
from app.place_texts import point_text
from geo.excavation import excavation_layer, ring_of
from geo.model import Grid, Layer, UserError
from geo.terrain import ground_at

if TYPE_CHECKING:
    from app.main_window import MainWindow


class DrawingActions(QObject):
    """Draws for the window; changes come by commands."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.window = window
        self.dialog: ExcavationDialog | None = None
        self.device_dialog: DeviceDialog | None = None
        window.bench.place_requested.connect(self.pick_place)

    def pick_place(self, on_done: Callable[[str], None]) -> None:
        """Hand the next point clicked in the picture to `on_done`, as text."""
        frame = self.window.document.scene.frame
        if frame is None:
            return
        self.window.viewport.start_drawing(
            "point", lambda points: on_done(point_text(points[0], frame)), hint=tr("param.pick.hint")
        )

    def draw_excavation(self) -> None:
        """Draw a ring on the ground, then ask how deep."""
        self._make_room()
        self.window.viewport.start_drawing("polygon", self._ask_depth, hint=tr("excavation.hint"))

    def _make_room(self) -> None:
        """Mere notes go: they would lie on the hint of what to draw."""
        area = self.window.notice_area
        for card in area.cards:
            if card.notice.severity == "note":
                area.drop(card)

    def edit_excavation(self) -> None:
        """Ask again for name and depth of the selected excavation."""
        layer = self.selected_excavation()
        if layer is not None:
            depth = float(layer.table.columns["depth"].values[0])
            self._open(layer.name, ring_of(layer), depth, lambda: self._change(layer))

    def selected_excavation(self) -> Layer | None:
        """The one excavation that is selected and was drawn here."""
        document = self.window.document
        ids = set(document.selection.by_layer)
        layer = document.scene.get(next(iter(ids))) if len(ids) == 1 else None
        return layer if layer is not None and layer.theme == "excavation" and not layer.source.path else None

    def place_device(self) -> None:
        """Click a place, then say what stands there."""
        self._make_room()
        self.window.viewport.start_drawing("point", self._ask_device, hint=tr("device.hint"))

    def _ask_device(self, points: Any) -> None:
        point = np.asarray(points, dtype=np.float64)[0]
        _, room, storey = room_at(tuple(self.window.document.scene), point)
        self.device_dialog = DeviceDialog(room=" · ".join(t for t in (storey, room) if t), parent=self.window)
        self.device_dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.device_dialog.accepted.connect(lambda: self._add_device(point))
        self.device_dialog.open()

    def _add_device(self, point: np.ndarray) -> None:
        asked = self.device_dialog
        if asked is not None:
            scene = self.window.document.scene
            step = add_device(scene, point, kind=asked.kind, name=asked.name, height=asked.mounting_height)
            self.window.bench.do(step)

    def remove_devices(self) -> None:
        """Take the selected devices away."""
        layer, ids = self.selected_devices()
        if layer is not None:
            self.window.document.selection.clear()
            self.window.bench.do(remove_devices(layer, ids))

    def selected_devices(self) -> tuple[Layer | None, list[str]]:
        """The layer of devices and the ids that are selected in it; None without any."""
        refs = [ref for ref in self.window.document.selection.items if ref.layer_id == LAYER and ref.element_id]
        layer = self.window.document.scene.get(LAYER)
        return (layer, [ref.element_id for ref in refs]) if refs and layer is not None else (None, [])

    def _ask_depth(self, points: Any) -> None:
        number = 1 + sum(layer.theme == "excavation" for layer in self.window.document.scene)
        ring = on_ground(np.asarray(points, dtype=np.float64), self.window.document.scene)
        self._open(tr("excavation.numbered", number=number), ring, None, lambda: self._add(ring))

    def _open(self, name: str, ring: np.ndarray, depth: float | None, done: Callable[[], None]) -> None:
        from app.view.draw_tool import plan_area

        more = {} if depth is None else {"depth": depth}
        self.dialog = ExcavationDialog(name=name, area=plan_area(ring), parent=self.window, **more)
        self.dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.dialog.accepted.connect(done)
        self.dialog.open()

    def _add(self, ring: np.ndarray) -> None:
        layer = self._made(ring, self.window.document.scene.free_id("excavation"))
        if layer is not None:
            self.window.bench.do(AddLayers((layer,), title="add_excavation"))

    def _change(self, before: Layer) -> None:
        layer = self._made(ring_of(before), before.id)
        if layer is not None:
            self.window.bench.do(ReplaceLayer(layer.with_(style=before.style), "data", "change_excavation"))

    def _made(self, ring: np.ndarray, layer_id: str) -> Layer | None:
        if self.dialog is None:
            return None
        try:
            return excavation_layer(ring, self.dialog.depth, name=self.dialog.name, layer_id=layer_id)
        except UserError as error:
            self.window.bench.notices.report(error)
            return None


def on_ground(points: np.ndarray, layers: Iterable[Layer]) -> np.ndarray:
    """Corners (n, 3) [local m] let down to the terrain; as they are where there is none.

    Who draws beside a building may click its roof: a pit that begins up there would hang in the air and hit nothing.
    """
    low = points.copy()
    for layer in layers:
        if layer.kind == "terrain" and isinstance(layer.geometry, Grid):
            heights = ground_at(layer.geometry, low[:, 0], low[:, 1])
            low[:, 2] = np.where(np.isfinite(heights), heights, low[:, 2])
    return low
