"""Setting a camera: the bar that says which and how high, the click in the picture, the step."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from app.camera_mount import mounted
from app.catalogue_placing import CataloguePlacing
from app.cctv.edit import camera_layers, is_result, place_camera
from app.language import tr
from app.widgets.camera_bar import CameraBar

if TYPE_CHECKING:
    from app.camera_actions import CameraActions


class CameraPlacing(CataloguePlacing):
    """Lets the user click where a camera goes: the ground, a wall or a ceiling."""

    def __init__(self, cameras: CameraActions) -> None:
        self.cameras = cameras
        self.bar = CameraBar(cameras.window.viewport)
        super().__init__(cameras.window, self.bar, hint="camera.place_hint", parent=cameras)

    def open_bar(self) -> None:
        """The models of the catalogue and of the project."""
        self.bar.open(self.cameras.models())

    def set_at(self, point: NDArray[np.float64]) -> None:
        """Set the chosen model there."""
        model, pole = self.cameras.models().get(self.bar.model), self.bar.pole
        if model is None:
            return
        row = mounted(self.window.viewport, point, pole=pole, ground=self.cameras.ground.grid)
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
