"""Rooms of an IFC model: cells for the walking network, and the columns that describe them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bim.attributes import at, by_type, plain_text, text, unit_scale
from bim.elements import Storeys, area_quantities, element_ids, facts
from bim.indoor_bodies import Body
from geo.model import Column, Issue
from geo.model.conventions import AREA, ELEVATION, ROOM_HEIGHT, ROOM_NAME, ROOM_NUMBER, ROOM_USE

if TYPE_CHECKING:
    import ifcopenshell
    from ifcopenshell import entity_instance

    from geo.indoor.cells import Cell

# Quantities to compare the floor with, the first found wins. Net areas leave out low parts and shares of walls; areas
# such as Revit's GSA area reach to the middle of the walls.
AREA_QUANTITIES = ("GrossFloorArea", "NetFloorArea", "Area", "GSA BIM Area", "NSA BIM Area")
AREA_TOLERANCE = 0.01
USE_PROPERTIES = ("OccupancyType", "Category", "Occupancy Type", "SpaceType", "Department")
ISSUE_ELEMENTS = 200
# Places of attributes, the same in every schema: of IfcPropertySet, of IfcPropertySingleValue.
PROPERTIES, VALUE = 4, 2


def space_cells(
    file: ifcopenshell.file, bodies: Mapping[int, Body], storeys: Storeys
) -> tuple[list[int], list[Cell], list[entity_instance]]:
    """Step ids, cells and entities of the rooms that have a floor, in the order of the file."""
    from geo.indoor.cells import Cell, floors_of_meshes

    spaces = [space for space in by_type(file, "IfcSpace") if space.id() in bodies]
    if not spaces:
        return [], [], []
    found = [bodies[space.id()] for space in spaces]
    floors, low, high = floors_of_meshes([(body.vertices, body.faces) for body in found])
    ids = element_ids(file, [space.id() for space in spaces])
    steps, cells, entities = [], [], []
    for space, name, floor, bottom, top in zip(spaces, ids, floors, low.tolist(), high.tolist(), strict=True):
        if floor.is_empty or top - bottom < 0.1:
            continue
        storey = text(storeys.of(space), "Name") or ""
        words = room_words(space)
        cells.append(Cell(name, words[0], floor, bottom, top, words[1], words[2], storey))
        steps.append(space.id())
        entities.append(space)
    return steps, cells, entities


def room_words(space: entity_instance) -> tuple[str, str, str]:
    """Name, number and use of a room.

    Programs write the number into ``Name`` and what people call the room into ``LongName``; a name that is alone is
    both.
    """
    short, long = text(space, "Name") or "", text(space, "LongName") or ""
    return long or short, short, _use(space)


def _use(space: entity_instance) -> str:
    stated = text(space, "ObjectType")
    if stated:
        return stated
    found = _properties(space)
    return next((found[name] for name in USE_PROPERTIES if found.get(name)), "")


def _properties(thing: entity_instance) -> dict[str, str]:
    """Texts of the single properties of a product."""
    found: dict[str, str] = {}
    for item in facts(thing, "IfcPropertySet", PROPERTIES):
        value = plain_text(at(item, VALUE))
        if value and item.is_a("IfcPropertySingleValue"):
            found.setdefault(plain_text(at(item, 0)) or "", value)
    return found


def room_columns(cells: Sequence[Cell], spaces: Sequence[Any], heights: Sequence[float]) -> dict[str, Column]:
    """The columns of `geo.model.conventions` for rooms; `heights` are the floors in the scene [m]."""
    from geo.indoor.layers import text_column

    return {
        ROOM_NAME: text_column([cell.name for cell in cells]),
        ROOM_NUMBER: text_column([cell.number for cell in cells]),
        ROOM_USE: text_column([cell.use for cell in cells]),
        ELEVATION: Column(np.asarray(heights, dtype=np.float64), "m", "floor"),
        ROOM_HEIGHT: Column(np.array([cell.high - cell.low for cell in cells]), "m"),
        AREA: Column(np.array([cell.floor.area for cell in cells]), "m2", "floor area of the geometry"),
    }


def area_issues(file: ifcopenshell.file, cells: Sequence[Cell], spaces: Sequence[entity_instance]) -> list[Issue]:
    """Rooms whose floor differs from the area that the file states, by kind of quantity."""
    unit = unit_scale(file, "AREAUNIT")
    off: list[tuple[str, str, float]] = []
    compared = 0
    for cell, space in zip(cells, spaces, strict=True):
        stated = area_quantities(space, unit)
        name = next((n for n in AREA_QUANTITIES if stated.get(n, 0.0) > 0.0), "")
        if not name:
            continue
        compared += 1
        share = cell.floor.area / stated[name] - 1.0
        if abs(share) > AREA_TOLERANCE:
            off.append((cell.id, name, share))
    if not off:
        return []
    worst = max(off, key=lambda item: abs(item[2]))
    names = ", ".join(sorted({name for _, name, _ in off}))
    return [
        Issue(
            "indoor.area_differs",
            f"The floors of {len(off)} of {compared} rooms differ by more than 1 % from the area that the file states "
            f"({names}); the largest difference is {worst[2]:+.1%}.",
            severity="doubt",
            count=len(off),
            elements=tuple(item[0] for item in off[:ISSUE_ELEMENTS]),
            values={"count": len(off), "compared": compared, "names": names, "worst": f"{worst[2]:+.1%}"},
        )
    ]
