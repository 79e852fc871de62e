"""One of two pictures: a viewport on a document of its own that holds what this side shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app.compare_view import same_picture
from app.compare_view_scale import Layers
from app.connections import Connections
from app.document import Document
from app.view.viewport import Viewport

if TYPE_CHECKING:
    from app.main_window import MainWindow


class PictureOfSide(QObject):
    """A viewport whose layers are set from outside; what is selected in it is selected in the window, and back.

    Attributes
    ----------
    viewport : Viewport
    """

    def __init__(self, window: MainWindow, *, parent: QObject) -> None:
        super().__init__(parent)
        self._window = window
        self._following = False
        bench = window.bench
        self._own = Document(window.document.scene.frame)
        self.viewport = Viewport(
            self._own, theme=bench.theme, quality=bench.settings.quality, submit=bench.submit_for_view
        )
        self.viewport.picker.take_from(window.viewport.picker)
        self._connections = Connections()
        self._connections.add(self._own.selection.changed, self._on_own_selection)
        self._connections.add(window.document.selection.changed, self._on_selection)
        self.set_sun(window.timeline.sun())
        self.viewport.set_time(window.timeline.day, window.timeline.minute)

    def set_sun(self, sun: tuple[float, float] | None) -> None:
        """Where the sun stands; see `Viewport.set_sun`."""
        if sun is None:
            self.viewport.set_sun(None)
        else:
            self.viewport.set_sun(*sun)

    def show_layers(self, layers: Layers) -> None:
        """Show these layers and no others; what looks the same stays as it is."""
        scene = self._own.scene
        wanted = {layer.id: layer for layer in layers}
        for layer in scene:
            if layer.id not in wanted:
                scene.remove(layer.id)
        if scene.frame is None and self._window.document.scene.frame is not None:
            scene.set_frame(self._window.document.scene.frame)
        for position, layer in enumerate(layers):
            before = scene.get(layer.id)
            if before is None:
                scene.add(layer, position=position)
            elif not same_picture(before, layer):
                only_style = before.with_(style=layer.style)
                scene.replace(layer, "style" if same_picture(only_style, layer) else "data")
        self._on_selection()

    def _on_own_selection(self) -> None:
        if self._following:
            return
        selection, scene = self._window.document.selection, self._window.document.scene
        self._following = True  # what only this side has stays selected here
        try:
            selection.set(ref for ref in self._own.selection.items if ref.layer_id in scene)
        finally:
            self._following = False

    def _on_selection(self) -> None:
        if self._following:
            return
        mine = self._own.scene
        self._following = True
        try:
            self._own.selection.set(ref for ref in self._window.document.selection.items if ref.layer_id in mine)
        finally:
            self._following = False

    def release(self) -> None:
        """Let go of the window's document and of VTK."""
        self._connections.close()
        self.viewport.shutdown()
