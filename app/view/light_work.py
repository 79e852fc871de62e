"""The light of a window: rasters made beside it when the scene has changed, the sun set once a frame."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer

from app.document import Document
from app.view.picking import Picker, Submit
from app.view.sky import DEFAULT_SUN, SkyInputs, build_sky_inputs
from app.view.stage import Stage

REST_MS = 60  # without a change of the scene before its light is worked out


class LightWork(QObject):
    """Keeps the light of a stage in step with the layers and the sun asked for.

    Parameters
    ----------
    picker : Picker
        Made ready for the same layers.
    """

    def __init__(
        self,
        document: Document,
        stage: Stage,
        picker: Picker,
        *,
        submit: Submit,
        redraw: Callable[[], None],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._document, self._stage, self._picker = document, stage, picker
        self._submit, self._redraw = submit, redraw
        self._sun: tuple[float, float] | None = None
        self._sun_moved = False
        self._key: tuple[object, ...] = ()
        self._closed = False
        self.timer = QTimer(self)
        self.timer.setSingleShot(True)
        self.timer.setInterval(REST_MS)
        self.timer.timeout.connect(self._rebuild)

    def set_sun(self, sun: tuple[float, float] | None) -> None:
        """Where the sun stands, azimuth from **true** north and altitude [degrees]; None = a pleasant afternoon."""
        self._sun = sun
        self.turn()

    def turn(self) -> None:
        """The sun or grid north has moved."""
        self._sun_moved = True
        self._redraw()

    def apply_sun(self) -> None:
        """Shadows for the sun last asked for: once a frame, however often a slider moved in between."""
        if not self._sun_moved:
            return
        self._sun_moved = False
        frame = self._document.scene.frame
        if self._sun is None:
            self._stage.set_sun(*DEFAULT_SUN)
        else:
            azimuth, altitude = self._sun
            grid = float(frame.grid_azimuth(azimuth)) if frame is not None else azimuth
            self._stage.set_sun(grid, altitude)

    def close(self) -> None:
        """Work no more."""
        self._closed = True
        self.timer.stop()

    def _rebuild(self) -> None:
        """Compute the rasters of the light for the scene as it is, unless they are the same as before."""
        if self._closed:
            return
        layers = tuple(self._document.scene)
        self._picker.prepare(layers)
        key = tuple(
            (id(layer.geometry), layer.style.visible, layer.style.hidden | layer.style.faded) for layer in layers
        )
        if key == self._key:
            return
        self._key = key
        self._submit(lambda: (key, build_sky_inputs(layers)), self._built)

    def _built(self, result: tuple[tuple[object, ...], SkyInputs | None]) -> None:
        key, inputs = result
        if not self._closed and key == self._key:
            self._stage.set_sky(inputs)
            self._redraw()
