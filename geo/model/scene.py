"""Scene: the ordered layers of a document in one frame, and the signals that tell of changes."""

from __future__ import annotations

from collections.abc import Iterator

from psygnal import Signal

from geo.model.frame import Frame
from geo.model.geometry import Bounds
from geo.model.layer import Layer


class Scene:
    """Ordered layers in one `Frame`. Owned by the main thread; layers themselves are frozen.

    Signals
    -------
    added(Layer), removed(Layer), changed(Layer, str)
        `changed` carries the new layer and what changed: ``"style"``, ``"name"`` or ``"data"``.
    framed(Frame)
        The frame was set, once.
    """

    added = Signal(Layer)
    removed = Signal(Layer)
    changed = Signal(Layer, str)
    framed = Signal(Frame)

    def __init__(self, frame: Frame | None = None) -> None:
        self._frame = frame
        self._layers: dict[str, Layer] = {}

    @property
    def frame(self) -> Frame | None:
        """The frame, or None while the scene is empty and nobody has chosen one."""
        return self._frame

    def set_frame(self, frame: Frame | None) -> None:
        """Choose the frame. Only a scene of tables may change it, since other layers hold local metres."""
        if frame == self._frame:
            return
        if any(layer.geometry is not None for layer in self._layers.values()):
            raise ValueError("the frame of a scene with layers cannot change")
        self._frame = frame
        if frame is not None:
            self.framed.emit(frame)

    def __iter__(self) -> Iterator[Layer]:
        return iter(tuple(self._layers.values()))

    def __len__(self) -> int:
        return len(self._layers)

    def __contains__(self, layer_id: object) -> bool:
        return layer_id in self._layers

    def __getitem__(self, layer_id: str) -> Layer:
        return self._layers[layer_id]

    def get(self, layer_id: str) -> Layer | None:
        """The layer, or None."""
        return self._layers.get(layer_id)

    def add(self, layer: Layer, *, position: int | None = None) -> None:
        """Add a layer at the end, or at a position (as undo needs)."""
        if layer.id in self._layers:
            raise ValueError(f"the scene has a layer {layer.id!r} already")
        items = list(self._layers.items())
        items.insert(len(items) if position is None else position, (layer.id, layer))
        self._layers = dict(items)
        self.added.emit(layer)

    def remove(self, layer_id: str) -> tuple[Layer, int]:
        """Take a layer out; returns it and the position it had."""
        position = list(self._layers).index(layer_id)
        layer = self._layers.pop(layer_id)
        self.removed.emit(layer)
        return layer, position

    def replace(self, layer: Layer, what: str = "data") -> Layer:
        """Put a changed copy of a layer in its place; returns the old one."""
        old = self._layers[layer.id]
        if old is not layer:
            self._layers[layer.id] = layer
            self.changed.emit(layer, what)
        return old

    def bounds(self, *, visible_only: bool = False) -> Bounds | None:
        """Box around all layers that have geometry [local m], or None."""
        boxes = [
            layer.geometry.bounds
            for layer in self
            if layer.geometry is not None and (layer.style.visible or not visible_only)
        ]
        return Bounds.union([box for box in boxes if box is not None])

    def free_id(self, wish: str) -> str:
        """`wish`, or `wish-2`, `wish-3` ... if it is taken."""
        if wish not in self._layers:
            return wish
        number = 2
        while f"{wish}-{number}" in self._layers:
            number += 1
        return f"{wish}-{number}"
