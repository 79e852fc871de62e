"""The one selection of a document."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from psygnal import Signal


class ElementRef(NamedTuple):
    """One element of one layer. An empty `element_id` means the layer as a whole."""

    layer_id: str
    element_id: str = ""


class Selection:
    """A set of `ElementRef`, in the order they were picked. Setting what is already set emits nothing."""

    changed = Signal()

    def __init__(self) -> None:
        self._items: tuple[ElementRef, ...] = ()

    @property
    def items(self) -> tuple[ElementRef, ...]:
        """What is selected, the last picked at the end."""
        return self._items

    def __contains__(self, item: object) -> bool:
        return item in self._items

    def __len__(self) -> int:
        return len(self._items)

    def set(self, items: Iterable[ElementRef]) -> None:
        """Replace the selection."""
        new = tuple(dict.fromkeys(items))
        if new != self._items:
            self._items = new
            self.changed.emit()

    def toggle(self, item: ElementRef) -> None:
        """Add an element, or take it out if it is in."""
        self.set([i for i in self._items if i != item] if item in self._items else [*self._items, item])

    def clear(self) -> None:
        """Select nothing."""
        self.set(())

    def of_layer(self, layer_id: str) -> tuple[str, ...]:
        """Element ids selected in one layer."""
        return tuple(i.element_id for i in self._items if i.layer_id == layer_id)
