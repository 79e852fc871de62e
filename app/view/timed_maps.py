"""Shadow results drawn as the map of the time on show. Like the sun it belongs to the picture, not to the scene."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from app.shadow_instants import at_instant
from geo.model import Layer


class TimedMaps:
    """Which results are drawn as the map of a time, in place of what their style says."""

    def __init__(self) -> None:
        self._maps: dict[str, Layer] = {}

    def show(self, layers: Sequence[Layer], day: date, minute: int) -> list[Layer]:
        """The layers to be drawn anew: those with a map near that time. Without one the last map stays."""
        changed = []
        for layer in layers:
            shown, name = at_instant(layer, day, minute) if layer.style.visible else (layer, "")
            before = self._maps.get(layer.id, layer)
            if name and shown.style != before.style:
                self._maps[layer.id] = shown
                changed.append(shown)
        return changed

    def forget(self, layer_id: str) -> None:
        """The scene says anew how a layer looks."""
        self._maps.pop(layer_id, None)

    def over(self, layers: Sequence[Layer]) -> tuple[Layer, ...]:
        """The layers of the scene as they are seen."""
        return tuple(self._maps.get(layer.id, layer) for layer in layers)
