"""Brings layers of a document onto a stage: small ones at once, large ones as soon as their arrays are made."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QObject

from app.document import Document
from app.view.actors import is_heavy, prepare
from app.view.picking import Submit, at_once
from app.view.stage import Stage
from app.widgets.later import Later
from geo.model import Layer

AT_ONCE_S = 0.03  # of small layers in one turn of the event loop; further ones wait as large ones do


class LayerBringer(QObject):
    """Draws layers that came or changed.

    Parameters
    ----------
    submit : callable(work, on_done) or None
        How arrays are made beside the main thread; without it everything is done at once.
    as_seen : callable(Layer) -> Layer
        A layer as the picture shows it now.
    after : callable()
        What follows from layers that came, changed or were drawn: once for all of a turn of the event loop.
    """

    def __init__(
        self,
        document: Document,
        stage: Stage,
        submit: Submit | None,
        after: Callable[[], None],
        *,
        as_seen: Callable[[Layer], Layer],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._document, self._stage, self._after = document, stage, after
        self._submit, self._waits = submit or at_once, submit is not None
        self._as_seen = as_seen
        self._closed = False
        self._spent = 0.0
        self._later = Later(self, self._act)

    def close(self) -> None:
        """Draw no more."""
        self._closed = True
        self._later.stop()

    def told(self) -> None:
        """The scene is another: act on it soon."""
        self._later.ask()
        if not self._waits:
            self.settle()

    def settle(self) -> None:
        """Act now on what has come."""
        if self._later.isActive():
            self._later.stop()
            self._act()

    def _act(self) -> None:
        self._spent = 0.0
        self._after()

    def bring(self, layer: Layer, what: str) -> None:
        """Draw a layer: at once when it is small, else as soon as its arrays are made beside the main thread."""
        if is_heavy(layer) or self._spent > AT_ONCE_S:
            self._stage.expect(layer)
            self._submit(lambda: (layer, prepare(layer)), self._on_prepared)
        else:
            began = time.perf_counter()
            self._stage.change(layer, what)
            self._spent += (time.perf_counter() - began) if self._waits else 0.0
        self.told()

    def change(self, layer: Layer, what: str) -> None:
        """Follow a change of a layer."""
        known = self._stage.expected(layer.id) or self._stage.drawn(layer.id)  # what it will be drawn as
        if known is None or known.geometry is not layer.geometry or known.theme != layer.theme:
            self.bring(layer, what)
        elif self._stage.expected(layer.id) is not None:
            self._stage.expect(layer)
        else:
            self._stage.change(layer, what)
        self.told()

    def _on_prepared(self, result: tuple[Layer, object]) -> None:
        """Draw what was prepared, unless the layer has gone or got another shape meanwhile."""
        prepared_for, prepared = result
        layer = self._document.scene.get(prepared_for.id) if not self._closed else None
        if layer is not None and layer.geometry is prepared_for.geometry and layer.theme == prepared_for.theme:
            self._stage.change(self._as_seen(layer), "data", prepared)
            self.told()
