"""The one selection of a document."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
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
        self._by_layer: dict[str, tuple[str, ...]] = {}

    @property
    def items(self) -> tuple[ElementRef, ...]:
        """What is selected, the last picked at the end."""
        return self._items

    @property
    def by_layer(self) -> Mapping[str, tuple[str, ...]]:
        """Element ids by layer, both in the order picked; the id "" stands for a layer as a whole.

        After each change many parts ask what the selection is made of; of a hundred thousand elements they ask
        by layer.
        """
        if self._items and not self._by_layer:
            found: dict[str, list[str]] = {}
            for layer_id, element_id in self._items:
                found.setdefault(layer_id, []).append(element_id)
            self._by_layer = {layer_id: tuple(ids) for layer_id, ids in found.items()}
        return self._by_layer

    def elements_where(self, accept: Callable[[str], bool]) -> list[ElementRef]:
        """The elements, not whole layers, of those layers whose id is accepted, in the order picked."""
        accepted = {layer_id for layer_id in self.by_layer if accept(layer_id)}
        return [item for item in self._items if item.element_id and item.layer_id in accepted] if accepted else []

    @property
    def few_elements(self) -> tuple[ElementRef, ...]:
        """The elements, not whole layers, where there are one or two; else nothing: most tools work on no more."""
        count = sum(len(ids) - ids.count("") for ids in self.by_layer.values())
        return tuple(item for item in self._items if item.element_id) if count in (1, 2) else ()

    def __contains__(self, item: object) -> bool:
        return item in self._items

    def __len__(self) -> int:
        return len(self._items)

    def set(self, items: Iterable[ElementRef]) -> None:
        """Replace the selection."""
        new = tuple(dict.fromkeys(items))
        if new != self._items:
            self._items, self._by_layer = new, {}
            self.changed.emit()

    def toggle(self, item: ElementRef) -> None:
        """Add an element, or take it out if it is in."""
        self.set([i for i in self._items if i != item] if item in self._items else [*self._items, item])

    def clear(self) -> None:
        """Select nothing."""
        self.set(())

    def of_layer(self, layer_id: str) -> tuple[str, ...]:
        """Element ids selected in one layer."""
        return self.by_layer.get(layer_id, ())
