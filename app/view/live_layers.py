"""The answers of a live study in the picture: drawn, but in no scene, no list and no undo."""

from __future__ import annotations

import dataclasses

import numpy as np

from app.colour import value_colours
from app.live_study import STATE_RAMP, STATES, LiveGround, RightsAnswer
from app.view.viewport import Viewport
from geo.model import Field, Layer, Style

WINDOWS, GROUND = "live:windows", "live:ground"
RAMP = "sun_hours"


class LiveLayers:
    """Draws windows and ground of a live study over the picture of the scene; results of the sun step back meanwhile.

    Parameters
    ----------
    viewport : Viewport
    """

    def __init__(self, viewport: Viewport) -> None:
        self._viewport, self._stage = viewport, viewport.stage
        self._aside: list[str] = []
        self.put_aside()

    def put_aside(self) -> None:
        """Results on the same surfaces are not drawn while the live ones are; the scene is left alone."""
        for layer in self._viewport.document.scene:
            if layer.theme != "result" or layer.geometry is None or not layer.style.visible:
                continue
            if layer.id not in self._aside and self._stage.drawn(layer.id) is not None:
                self._aside.append(layer.id)
                self._stage.change(layer.with_(style=dataclasses.replace(layer.style, visible=False)), "style")

    def show_windows(self, answer: RightsAnswer) -> None:
        """Windows in the colour of their state."""
        windows = answer.windows
        states = np.repeat(windows.states, 2)
        field = Field("state", "1", "face", states, categories=STATES, ramp=STATE_RAMP)
        layer = Layer(WINDOWS, "windows", "result", windows.mesh, fields=(field,), style=Style(colour_by="state"))
        self._draw(layer, "data")

    def show_ground(self, answer: LiveGround) -> None:
        """Hours of sun on the ground; only the cells that changed are coloured anew."""
        if answer.index is not None and self._stage.drawn(GROUND) is not None:
            values = answer.grid.values.reshape(-1)[answer.index]
            colours, known = value_colours(values, ramp_name=RAMP, limits=(0.0, answer.top), theme=self._viewport.theme)
            if self._stage.patch(GROUND, answer.index, colours, known):
                self._viewport.redraw()
                return
        field = Field("sun_hours", "h", "cell", answer.grid.values, ramp=RAMP, range=(0.0, answer.top))
        style = Style(colour_by="sun_hours")
        self._draw(Layer(GROUND, "ground", "result", answer.grid, fields=(field,), style=style), "data")

    def _draw(self, layer: Layer, what: str) -> None:
        self._stage.change(layer, what)
        self._viewport.redraw()

    def release(self) -> None:
        """Take them away and bring the results back."""
        for layer_id in (WINDOWS, GROUND):
            self._stage.remove(layer_id)
        for layer_id in self._aside:
            layer = self._viewport.document.scene.get(layer_id)
            if layer is not None:
                self._stage.change(layer, "style")
        self._aside = []
        self._viewport.redraw()
