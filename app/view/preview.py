"""What there is of a file while the rest of it is being read: drawn, but in no scene, no list and no undo."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from app.view.actors import is_heavy, prepare
from app.view.picking import Submit
from app.view.stage import Stage
from geo.model import Layer


class Previews:
    """Layers of readings under way in the picture.

    Parameters
    ----------
    stage : Stage
        Draws them.
    submit : callable(work, on_done)
        How larger ones are prepared beside the main thread.
    changed : callable()
        Told after each change of the picture.
    """

    def __init__(self, stage: Stage, submit: Submit, changed: Callable[[], None]) -> None:
        self._stage, self._submit, self._changed = stage, submit, changed
        self._shown: dict[str, list[str]] = {}
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
        self._over.clear()
        self._changed()

    def release(self) -> None:
        """Forget everything; the stage goes too."""
        self._shown.clear()
        self._over.clear()
