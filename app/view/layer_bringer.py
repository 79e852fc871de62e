"""Brings layers of a document onto a stage: small ones at once, large ones as soon as their arrays are made."""

from __future__ import annotations

from collections.abc import Callable

from app.document import Document
from app.view.actors import is_heavy, prepare
from app.view.picking import Submit
from app.view.stage import Stage
from geo.model import Layer


class LayerBringer:
    """Draws layers that came or changed.

    Parameters
    ----------
    submit : callable(work, on_done)
        How arrays are made beside the main thread.
    on_drawn : callable()
        Told when a layer that was prepared has been drawn.
    """

    def __init__(self, document: Document, stage: Stage, submit: Submit, on_drawn: Callable[[], None]) -> None:
        self._document, self._stage, self._submit, self._on_drawn = document, stage, submit, on_drawn
        self._closed = False

    def close(self) -> None:
        """Draw no more."""
        self._closed = True

    def bring(self, layer: Layer, what: str) -> None:
        """Draw a layer: at once when it is small, else as soon as its arrays are made beside the main thread."""
        if not is_heavy(layer):
            self._stage.change(layer, what)
            return
        self._stage.expect(layer)
        self._submit(lambda: (layer, prepare(layer)), self._on_prepared)

    def change(self, layer: Layer, what: str) -> None:
        """Follow a change of a layer."""
        drawn = self._stage.drawn(layer.id) or self._stage.expected(layer.id)
        if drawn is None or drawn.geometry is not layer.geometry or drawn.theme != layer.theme:
            self.bring(layer, what)
        elif self._stage.expected(layer.id) is not None:
            self._stage.expect(layer)
        else:
            self._stage.change(layer, what)

    def _on_prepared(self, result: tuple[Layer, object]) -> None:
        """Draw what was prepared, unless the layer has gone or got another shape meanwhile."""
        prepared_for, prepared = result
        layer = self._document.scene.get(prepared_for.id) if not self._closed else None
        if layer is not None and layer.geometry is prepared_for.geometry and layer.theme == prepared_for.theme:
            self._stage.change(layer, "data", prepared)
            self._on_drawn()
