"""Keeps the underground from being hidden: looking at pipes, or at a result among them, opens the ground there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject

from app.language import tr
from app.shown_runs import runs_of
from app.utility_kinds import is_network
from app.view.camera import project
from app.view.highlight import element_bounds
from app.widgets.later import Later
from geo.model import Bounds, ElementRef, Layer

if TYPE_CHECKING:
    from app.main_window import MainWindow

MARGIN_M = 12.0  # of a hole around what is looked at
SEEN_SHARE = 0.6  # of a result that is to be in the picture already, or else one looks at it
SEEN_SIZE = 0.12  # of the picture that it is to fill at least, across
MOST_POINTS = 2000  # of a result that are looked at for it


class UndergroundSight(QObject):
    """Opens the x-ray of a window when what the user asks to see lies under the ground.

    A user who closes it by the button beside the note is not offered it again until they have opened it themselves.
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.window = window
        self._declined = self._opened_here = self._told_of_pipes = False
        self._drawn = ""
        self._pipes_later = Later(self, self._tell_of_pipes)
        self._drawn_later = Later(self, self._show_drawn)
        bench, scene = window.bench, window.document.scene
        bench.zoom_requested.connect(self._on_zoom)
        bench.bounds_requested.connect(self._on_bounds)
        bench.result_ready.connect(self._on_result)
        bench.connections.add(scene.added, self._on_added)
        work = getattr(window.viewport, "xray_work", None)
        if work is not None:
            work.changed.connect(self._on_xray)

    # -- what the user asks to see

    def _on_zoom(self, refs: Sequence[ElementRef]) -> None:
        if refs and all(self._is_buried(ref) for ref in refs):
            self._open(self._box(refs))

    def _on_bounds(self, box: Bounds) -> None:
        chosen = self.window.document.selection.items
        if chosen and all(self._is_buried(ref) for ref in chosen):
            self._open(box)

    def _on_result(self, run_id: str) -> None:
        run = next((run for run in runs_of(list(self.window.document.scene)) if run.id == run_id), None)
        layers = [layer for layer in run.layers if layer.geometry is not None] if run is not None else []
        if not layers or any(layer.stratum != "underground" and layer.kind == "grid" for layer in layers):
            return
        buried = [ElementRef(layer.id) for layer in layers if layer.stratum == "underground"]
        box = self._box(buried)
        if box is None or not self._ground_hides():
            return
        shown = [layer for layer in layers if layer.stratum == "underground"]
        if self._share_in_view(shown) < SEEN_SHARE or self._size_in_view(box) < SEEN_SIZE:
            self.window.viewport.fit(_widened(box))
        self._open(box)

    def _open(self, box: Bounds | None) -> None:
        """Open a hole that shows all of a box, as far as a hole may reach."""
        if box is None or self._declined or self.window.underground.has_xray() or not self._ground_hides():
            return
        work = self.window.viewport.xray_work
        self._opened_here = True
        work.toggle()
        if work.xray is not None:
            away = np.hypot(*(np.subtract(_middle(box), work.xray.focus)))
            wanted = float(away) + _reach(box) + MARGIN_M
            if wanted > work.xray.outer:
                work.set_radius(wanted)
        self._opened_here = False
        self.window.bench.notices.tell("notice.xray_opened", action_id="notice.xray_close", action=self._decline)

    def _decline(self) -> None:
        self._declined = True
        if self.window.underground.has_xray():
            self.window.underground.toggle_xray()

    def _on_xray(self, xray: object) -> None:
        if xray is not None and not self._opened_here:
            self._declined = False
        done = "notice.pipes_below" if xray is not None else "notice.xray_opened"
        area = self.window.notice_area
        for card in area.cards:
            if tr(done) in card.notice.words():
                area.drop(card)

    # -- new pipes

    def _on_added(self, layer: Layer) -> None:
        if is_network(layer) and not self._told_of_pipes:
            self._pipes_later.ask()
        if layer.theme == "excavation" and not layer.source.path:
            self._drawn = layer.id
            self._drawn_later.ask()

    def _show_drawn(self) -> None:
        """What the user has drawn into the ground would be hidden by it."""
        if self.window.document.modified and self._drawn in self.window.document.scene:
            self._open(self._box([ElementRef(self._drawn)]))

    def _tell_of_pipes(self) -> None:
        """Pipes came by an import and nothing of them is seen: say how to."""
        if not self.window.document.modified or not self._ground_hides() or self.window.underground.has_xray():
            return
        self._told_of_pipes = True
        self.window.bench.notices.tell(
            "notice.pipes_below", action_id="notice.xray_open", action=self.window.underground.toggle_xray
        )

    # -- where things are

    def _is_buried(self, ref: ElementRef) -> bool:
        layer = self.window.document.scene.get(ref.layer_id)
        return layer is not None and layer.stratum == "underground" and layer.geometry is not None

    def _box(self, refs: Iterable[ElementRef]) -> Bounds | None:
        scene = self.window.document.scene
        found = [(scene.get(ref.layer_id), ref.element_id) for ref in refs]
        boxes = [element_bounds(layer, element) for layer, element in found if layer is not None]
        return Bounds.union([box for box in boxes if box is not None])

    def _ground_hides(self) -> bool:
        """Whether there is ground in the picture that one cannot look through."""
        viewport = self.window.viewport
        if getattr(viewport, "xray_work", None) is None:
            return False
        grounds = [layer for layer in self.window.document.scene if layer.theme == "terrain" and layer.style.visible]
        return any(layer.style.opacity > 0.5 for layer in grounds)

    def _share_in_view(self, layers: Sequence[Layer]) -> float:
        """How much of some layers is in the picture, between 0 and 1."""
        viewport = self.window.viewport
        size = (max(viewport.width(), 1), max(viewport.height(), 1))
        seen = total = 0
        for layer in layers:
            vertices = getattr(layer.geometry, "vertices", None)
            if vertices is None or len(vertices) == 0:
                continue
            places, depth = project(viewport.camera, vertices[:: len(vertices) // MOST_POINTS + 1], size)
            inside = (depth > 0) & (places >= 0).all(axis=1) & (places < size).all(axis=1)
            seen, total = seen + int(inside.sum()), total + len(inside)
        return seen / total if total else 1.0

    def _size_in_view(self, box: Bounds) -> float:
        """How far a box reaches across the picture; 1 is all of it."""
        viewport = self.window.viewport
        size = np.array([max(viewport.width(), 1), max(viewport.height(), 1)], dtype=np.float64)
        corners = np.array([[x, y, z] for x in (box.low[0], box.high[0]) for y in (box.low[1], box.high[1])
                            for z in (box.low[2], box.high[2])])  # fmt: skip
        places = project(viewport.camera, corners, (int(size[0]), int(size[1])))[0]
        return float((np.ptp(places, axis=0) / size).max())


def _widened(box: Bounds) -> Bounds:
    margin = np.array([MARGIN_M, MARGIN_M, 0.0])
    return Bounds(tuple(np.array(box.low) - margin), tuple(np.array(box.high) + margin))  # type: ignore[arg-type]


def _middle(box: Bounds) -> tuple[float, float]:
    return (box.low[0] + box.high[0]) / 2, (box.low[1] + box.high[1]) / 2


def _reach(box: Bounds) -> float:
    """Half of the diagonal in plan [m]."""
    return float(np.hypot(box.high[0] - box.low[0], box.high[1] - box.low[1])) / 2
