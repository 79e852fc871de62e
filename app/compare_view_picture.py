"""One of two pictures: a viewport on a document of its own that holds what this side shows."""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer

from app.compare_view import same_picture
from app.compare_view_scale import Layers
from app.connections import Connections
from app.document import Document
from app.label_control import LabelControl
from app.theme import Theme
from app.view.viewport import Viewport
from geo.model import Layer

if TYPE_CHECKING:
    from app.main_window import MainWindow

HELD_AT_MOST_MS = 3000  # without a new layer before what there is, is drawn
MOMENT_S = 0.05  # seconds at a time for bringing layers


class PictureOfSide(QObject):
    """A viewport whose layers are set from outside; what is selected in it is selected in the window, and back.

    Attributes
    ----------
    viewport : Viewport
    """

    def __init__(self, window: MainWindow, *, parent: QObject) -> None:
        super().__init__(parent)
        self._window = window
        self._following = self._released = False
        bench = window.bench
        self._own = Document(window.document.scene.frame)
        self._to_come: list[tuple[int, Layer]] = []
        self._next = QTimer(self)
        self._next.setSingleShot(True)
        self._next.timeout.connect(self._bring)
        self._held = QTimer(self)
        self._held.setSingleShot(True)
        self._held.setInterval(HELD_AT_MOST_MS)
        self._held.timeout.connect(self._draw_again)
        self.viewport = Viewport(self._own, theme=bench.theme, quality=bench.settings.quality, submit=self._submit)
        self.viewport.picker.take_from(window.viewport.picker)
        self.labelling = LabelControl(self.viewport, submit=self._aside, parent=self)
        self._connections = Connections()
        self._connections.add(self._own.selection.changed, self._on_own_selection)
        self._connections.add(window.document.selection.changed, self._on_selection)
        self.set_sun(window.timeline.sun())
        self.viewport.set_time(window.timeline.day, window.timeline.minute)

    def _submit(self, work: Callable[[], Any], on_done: Callable[[Any], None]) -> None:
        """Layers come one by one: the picture is drawn when the last of them is there, not once for each."""

        def done(answer: Any) -> None:
            on_done(answer)
            self._after_answer()

        self._aside(work, done)

    def _aside(self, work: Callable[[], Any], on_done: Callable[[Any], None]) -> None:
        """Have work done beside the window; nothing is answered to a picture that was closed."""
        waiting, me = [on_done], weakref.ref(self)  # the list of jobs remembers what is over: not the picture with it

        def done(answer: Any) -> None:
            take, picture = waiting.pop(), me()
            if picture is not None and not picture._released:
                take(answer)

        self._window.bench.submit_for_view(work, done)

    def _after_answer(self) -> None:
        if self._to_come or self.viewport.stage.is_expecting:
            self.viewport.canvas.setUpdatesEnabled(False)
            self._held.start()
        else:
            self._draw_again()

    def _draw_again(self) -> None:
        self._held.stop()
        if not self._released and not self.viewport.canvas.updatesEnabled():
            self.viewport.canvas.setUpdatesEnabled(True)

    def set_sun(self, sun: tuple[float, float] | None) -> None:
        """Where the sun stands; see `Viewport.set_sun`."""
        if sun is None:
            self.viewport.set_sun(None)
        else:
            self.viewport.set_sun(*sun)

    def set_theme(self, theme: Theme) -> None:
        """In other colours."""
        self.viewport.set_theme(theme)
        self.labelling.refresh_theme(theme)

    def show_layers(self, layers: Layers) -> None:
        """Show these layers and no others; what looks the same stays as it is."""
        scene = self._own.scene
        wanted = {layer.id: layer for layer in layers}
        for layer in scene:
            if layer.id not in wanted:
                scene.remove(layer.id)
        if scene.frame is None and self._window.document.scene.frame is not None:
            scene.set_frame(self._window.document.scene.frame)
        self._to_come = list(enumerate(layers))
        self._bring()

    def _bring(self) -> None:
        """As many layers as a moment allows: the window stays awake while a town comes."""
        until = time.perf_counter() + MOMENT_S
        while self._to_come and time.perf_counter() < until:
            self._show_layer(*self._to_come.pop(0))
        if self._to_come:
            self.viewport.canvas.setUpdatesEnabled(False)
            self._next.start()
        else:
            self._on_selection()
            self._after_answer()

    def _show_layer(self, position: int, layer: Layer) -> None:
        scene = self._own.scene
        before = scene.get(layer.id)
        if before is None:
            scene.add(layer, position=position)
        elif not same_picture(before, layer):
            only_style = before.with_(style=layer.style)
            scene.replace(layer, "style" if same_picture(only_style, layer) else "data")

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
        self._released = True
        self._held.stop()
        self._next.stop()
        self._connections.close()
        self.labelling.release()
        self.viewport.shutdown()
        # Buildings of an alternative and their search trees belong to this picture only: gone with it, at once.
        self.viewport.picker.prepare(())
        for layer in self._own.scene:
            self._own.scene.remove(layer.id)
