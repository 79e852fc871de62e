"""What there is of a file or a result while the rest is being made: drawn, but in no scene, no list and no undo."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from app.view.actors import is_heavy, prepare
from app.view.picking import Submit
from app.view.stage import Stage
from geo.model import Layer


class Previews:
    """Layers of readings and analyses under way in the picture.

    Parameters
    ----------
    stage : Stage
        Draws them.
    submit : callable(work, on_done)
        How larger ones are prepared beside the main thread.
    changed : callable()
        Told after each change of the picture.
    current : callable(layer_id)
        The layer as the scene has it now, or None: what steps aside comes back as it is then.
    """

    def __init__(
        self,
        stage: Stage,
        submit: Submit,
        changed: Callable[[], None],
        current: Callable[[str], Layer | None] = lambda _layer_id: None,
    ) -> None:
        self._stage, self._submit, self._changed, self._current = stage, submit, changed, current
        self._shown: dict[str, list[str]] = {}
        self._results: dict[str, tuple[Layer, ...]] = {}
        self._aside: dict[str, list[str]] = {}
        self._over: set[str] = set()
        self._count = 0

    def __len__(self) -> int:
        return sum(len(ids) for ids in self._shown.values())

    def show(self, key: str, layers: Sequence[Layer]) -> None:
        """Add to what is shown of a reading."""
        if key in self._over:
            return
        mine = self._shown.setdefault(key, [])
        for layer in layers:
            self._count += 1
            named = layer.with_(id=f"preview:{self._count}")
            mine.append(named.id)
            if is_heavy(named):
                self._submit(lambda layer=named: (layer, prepare(layer)), lambda made: self._draw(key, *made))
            else:
                self._draw(key, named, None)

    def replace(self, key: str, layers: Sequence[Layer], *, aside: Sequence[Layer] = ()) -> None:
        """Show these of a result instead of what was shown of it.

        aside : sequence of Layer
            Results of the scene: those on the same surfaces are not drawn meanwhile. The scene is left alone.
        """
        if key in self._over:
            return
        places = {(layer.kind, layer.stratum) for layer in layers}
        before = self._shown.pop(key, [])
        for layer in aside:
            if layer.style.visible and (layer.kind, layer.stratum) in places and layer.id not in self._all_aside():
                self._aside.setdefault(key, []).append(layer.id)
                self._stage.change(layer.with_(style=dataclasses.replace(layer.style, visible=False)), "style")
        self._results[key] = tuple(layers)
        self.show(key, layers)
        for layer_id in before:
            self._stage.remove(layer_id)
        self._changed()

    def over(self, layers: Sequence[Layer]) -> tuple[Layer, ...]:
        """The layers of a scene as the picture shows them: without those aside, with the results under way on top."""
        away = self._all_aside()
        kept = [layer for layer in layers if layer.id not in away]
        return (*kept, *(layer for some in self._results.values() for layer in some))

    def _all_aside(self) -> set[str]:
        return {layer_id for some in self._aside.values() for layer_id in some}

    def _bring_back(self, key: str) -> None:
        """What stepped aside for a result, as the scene has it now."""
        self._results.pop(key, None)
        for layer_id in self._aside.pop(key, ()):
            layer = self._current(layer_id)
            if layer is not None:
                self._stage.change(layer, "style")

    def _draw(self, key: str, layer: Layer, prepared: object) -> None:
        """Unless the reading has ended meanwhile."""
        if layer.id in self._shown.get(key, ()):
            self._stage.add(layer, prepared)
            self._changed()

    def end(self, key: str) -> None:
        """A reading has come to its end, whichever: its preview goes as soon as what it brought is drawn."""
        if key in self._shown:
            self._over.add(key)

    def settle(self) -> None:
        """Remove what readings that are over have shown, unless layers of the scene are still being prepared."""
        if not self._over or self._stage.is_expecting:
            return
        for key in self._over:
            for layer_id in self._shown.pop(key, ()):
                self._stage.remove(layer_id)
            self._bring_back(key)
        self._over.clear()
        self._changed()

    def release(self) -> None:
        """Forget everything; the stage goes too."""
        self._shown.clear()
        self._results.clear()
        self._aside.clear()
        self._over.clear()
