"""Setting a camera: the bar that says which and how high, the click in the picture, the step."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QEvent, QObject

from app.camera_mount import mounted
from app.cctv.edit import camera_layers, is_result, place_camera
from app.language import tr
from app.widgets.camera_bar import CameraBar

if TYPE_CHECKING:
    from app.camera_actions import CameraActions


class CameraPlacing(QObject):
    """Lets the user click where a camera goes.

    Attributes
    ----------
    active : bool
        Whether a click is awaited.
    """

    def __init__(self, cameras: CameraActions) -> None:
        super().__init__(cameras)
        self.cameras, self.window = cameras, cameras.window
        self.bench, self.document = cameras.bench, cameras.document
        self.active = self._closed = False
        self.bar = CameraBar(self.window.viewport)
        self.bar.cancel_asked.connect(self.stop)
        self.window.viewport.installEventFilter(self)

    def toggle(self) -> None:
        """Await a click on the ground, a wall or a ceiling; or no longer."""
        if self.active:
            self.stop()
            return
        self.document.selection.clear()
        self.active = True
        self.bar.open(self.cameras.models())
        self.window.viewport.start_drawing("point", self._on_click, on_cancel=self._left, hint=tr("camera.place_hint"))

    def stop(self) -> None:
        """Set none."""
        self.window.viewport.stop_drawing()
        self._left()

    def _left(self) -> None:
        self.active = False
        self.bar.hide()
        if not self._closed:
            self.window.refresh_state()

    def _on_click(self, points: Any) -> None:
        model, pole = self.cameras.models().get(self.bar.model), self.bar.pole
        self._left()
        if model is None:
            return
        row = mounted(self.window.viewport, np.asarray(points)[0], pole=pole, ground=self.cameras.ground.grid)
        count = sum(len(layer.table) for layer in camera_layers(self.document.scene) if not is_result(layer))
        row = dataclasses.replace(
            row,
            name=tr("camera.numbered", number=count + 1),
            model=model.id,
            focal=model.focal_min_mm,
            tilt=90.0 if model.kind == "fisheye" else row.tilt,
        )
        command, ref = place_camera(self.document, row, layer_name=tr("camera.layer"))
        if self.bench.do(command):
            self.document.selection.set([ref])
            self.cameras.open_panel()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The bar stays where it is when the picture changes its size."""
        if event.type() == QEvent.Type.Resize and self.bar.isVisible():
            self.bar.place()
        return False

    def release(self) -> None:
        """The window closes."""
        self._closed = True
