"""Results drawn as they are at the time on show. Like the sun it belongs to the picture, not to the scene."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from app.progress_days import at_day, made_way
from app.shadow_instants import at_instant
from geo.model import Layer


class TimedMaps:
    """Which results are drawn as the map of a time, in place of what their style says."""

    def __init__(self) -> None:
        self._maps: dict[str, Layer] = {}
        self._made_way: dict[str, str] = {}  # models, and the result for which some of each is left out
        self._progressing: set[str] = set()  # results of progress that follow the date
        self._day: date | None = None
        self._is_asked = False  # a date other than that of the runs

    def show(self, layers: Sequence[Layer], day: date, minute: int) -> list[Layer]:
        """The layers to be drawn anew: shadows with a map near that time, progress when the date was changed.

        Without such a map the last one stays.
        """
        is_new_day = self._day is not None and day != self._day
        self._day = day
        seen = [layer for layer in layers if layer.style.visible]
        changed = [shown for layer in seen if (shown := self._shadow(layer, day, minute)) is not None]
        self._is_asked = self._is_asked or is_new_day
        if is_new_day:
            changed += self._progress(seen, day)
        self._maps |= {layer.id: layer for layer in changed}
        return changed

    def _shadow(self, layer: Layer, day: date, minute: int) -> Layer | None:
        shown, name = at_instant(layer, day, minute)
        return shown if name and shown.style != self._maps.get(layer.id, layer).style else None

    def _progress(self, seen: Sequence[Layer], day: date) -> list[Layer]:
        """Results of progress on a day, and the models in which what is not there yet makes way for its veil."""
        results = [shown for layer in seen if (shown := at_day(layer, day)) is not None]
        self._progressing |= {result.id for result in results}
        models: dict[str, Layer] = {}
        for result in results:
            for layer in seen:
                model = made_way(layer, result)
                if model is not None and layer.id not in models:
                    models[layer.id] = model
                    self._made_way[layer.id] = result.id
        return [*results, *models.values()]

    def has_progress(self, layer: Layer) -> bool:
        """Whether a visible layer has a part in a progress that follows the date: its result, or what makes way.

        Once a date was asked for, so has a result that is shown again, and every model that may have one.
        """
        known = layer.id in self._progressing or layer.id in self._made_way
        may = self._is_asked and (layer.theme == "bim" or at_day(layer, self._day or date.min) is not None)
        return layer.style.visible and (known or may)

    def progress_again(self, layers: Sequence[Layer]) -> list[Layer]:
        """Progress on the day on show, with the looks that the layers have now: to be drawn anew."""
        if self._day is None or not self._is_asked:
            return []
        changed = self._progress([layer for layer in layers if layer.style.visible], self._day)
        self._maps |= {layer.id: layer for layer in changed}
        return changed

    def start_again(self) -> None:
        """Another scene: its results of progress are of the day of their runs until somebody asks for a date."""
        self._maps.clear()
        self._made_way.clear()
        self._progressing.clear()
        self._is_asked = False

    def forget(self, layer_id: str) -> list[str]:
        """The scene says anew how a layer looks. The models that had made way for it look as usual again."""
        self._maps.pop(layer_id, None)
        self._made_way.pop(layer_id, None)
        self._progressing.discard(layer_id)
        free = [model for model, result in self._made_way.items() if result == layer_id]
        for model in free:
            self._maps.pop(model, None)
            del self._made_way[model]
        return free

    def seen(self, layer: Layer) -> Layer:
        """A layer as it is seen."""
        return self._maps.get(layer.id, layer)

    def over(self, layers: Sequence[Layer]) -> tuple[Layer, ...]:
        """The layers of the scene as they are seen."""
        return tuple(self._maps.get(layer.id, layer) for layer in layers)
