"""Rooms that run into one another: virtual elements, and floors that touch without a wall between."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bim.attributes import by_type
from bim.elements import element_ids
from bim.indoor_doors import boundaries_by_element

if TYPE_CHECKING:
    import ifcopenshell

    from geo.indoor.cells import CellFinder
    from geo.indoor.network import Passage


def open_passages(file: ifcopenshell.file, finder: CellFinder, number_of: dict[int, int]) -> list[Passage]:
    """Passages by virtual elements (stated), then by touching floors (derived)."""
    from geo.indoor.open_sides import passage_between, touching_passages

    found: list[Passage] = []
    joined: set[tuple[int, int]] = set()
    boundaries = boundaries_by_element(file)
    virtual = by_type(file, "IfcVirtualElement")
    for element, name in zip(virtual, element_ids(file, [e.id() for e in virtual]), strict=True):
        cells = sorted({number_of[s] for s in boundaries.get(element.id(), ()) if s in number_of})
        if len(cells) == 2 and (cells[0], cells[1]) not in joined:
            joined.add((cells[0], cells[1]))
            passage = passage_between(finder.cells, cells[0], cells[1], name, derived=False, least=0.0)
            if passage is not None:
                found.append(passage)
    return found + touching_passages(finder, joined)
