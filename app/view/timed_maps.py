"""Results drawn as they are at the time on show. Like the sun it belongs to the picture, not to the scene."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from app.progress_days import at_day
from app.shadow_instants import at_instant
from geo.model import Layer


class TimedMaps:
    """Which results are drawn as the map of a time, in place of what their style says."""

    def __init__(self) -> None:
        self._maps: dict[str, Layer] = {}
        self._day: date | None = None

    def show(self, layers: Sequence[Layer], day: date, minute: int) -> list[Layer]:
        """The layers to be drawn anew: shadows with a map near that time, progress when the date was changed.

        Without such a map the last one stays.
        """
        is_new_day = self._day is not None and day != self._day
        self._day = day
        seen = [layer for layer in layers if layer.style.visible]
        changed = [shown for layer in seen if (shown := self._shadow(layer, day, minute)) is not None]
        if is_new_day:
            changed += [shown for layer in seen if (shown := at_day(layer, day)) is not None]
        self._maps |= {layer.id: layer for layer in changed}
        return changed

    def _shadow(self, layer: Layer, day: date, minute: int) -> Layer | None:
        shown, name = at_instant(layer, day, minute)
        return shown if name and shown.style != self._maps.get(layer.id, layer).style else None

    def forget(self, layer_id: str) -> None:
        """The scene says anew how a layer looks."""
        self._maps.pop(layer_id, None)

    def over(self, layers: Sequence[Layer]) -> tuple[Layer, ...]:
        """The layers of the scene as they are seen."""
        return tuple(self._maps.get(layer.id, layer) for layer in layers)
