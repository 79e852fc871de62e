"""Setting a purifier: the bar that says which, the click on the ground, the step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from analysis.dust.catalogue import purifiers
from app.camera_mount import ceiling_over
from app.catalogue_placing import CataloguePlacing
from app.dust.edit import PurifierRow, place_purifier, purifier_layers
from app.language import tr
from app.widgets.purifier_bar import PurifierBar
from geo.model import UserError

if TYPE_CHECKING:
    from app.dust_actions import DustActions

ANY_HEIGHT = 1000.0  # [m]


class PurifierPlacing(CataloguePlacing):
    """Lets the user click where a purifier stands."""

    def __init__(self, dust: DustActions) -> None:
        self.dust = dust
        self.bar = PurifierBar(dust.window.viewport)
        super().__init__(dust.window, self.bar, hint="purifier.place_hint", parent=dust)

    def open_bar(self) -> None:
        """The models of the catalogue."""
        self.bar.open()

    def set_at(self, point: NDArray[np.float64]) -> None:
        """Set the chosen model on the ground there, its clean air towards who looks."""
        model = purifiers().get(self.bar.model)
        if model is None:
            return
        x, y = float(point[0]), float(point[1])
        ground = self.dust.ground.height(x, y)
        z = float(point[2]) if ground is None else ground
        if ceiling_over(self.window.viewport, np.array([x, y, z]), ANY_HEIGHT) is not None:
            self.bench.notices.report(_in_building())
            return
        count = sum(len(layer.table) for layer in purifier_layers(self.document.scene))
        name = tr("purifier.numbered", number=count + 1)
        towards = round(self.window.viewport.camera.azimuth + 180.0) % 360.0
        row = PurifierRow("", name, model.id, (x, y, z), towards=towards)
        command, ref = place_purifier(self.document, row, layer_name=tr("purifier.layer"))
        if self.bench.do(command):
            self.document.selection.set([ref])
            self.dust.open_panel()


def _in_building() -> UserError:
    return UserError(
        "No purifier was set.",
        "A building stands here, and the air inside and on roofs is not calculated.",
        "Click open ground.",
        code="purifier.in_building",
    )
