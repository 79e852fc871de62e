"""Names, classes, storeys and types of IFC products, as tables. Asked once after the geometry, not during it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from bim.attributes import at, attribute, entities, is_entity, members, number, plain_text, related, text, unit_scale
from geo.model import Column, ElementTable

if TYPE_CHECKING:
    import ifcopenshell
    from ifcopenshell import entity_instance

CHAIN_DEPTH = 100  # storey > building > site > project takes four steps; more than this is a circle
# Floor area of a room by the names that programs give it, the first found wins.
AREA_QUANTITIES = ("NetFloorArea", "GrossFloorArea", "GSA BIM Area", "NSA BIM Area", "Area")


@dataclass(frozen=True)
class Storeys:
    """Which storey a product is on, by step id."""

    parent: dict[int, entity_instance]
    metres_per_unit: float
    known: dict[int, entity_instance | None] = field(default_factory=dict)

    def of(self, product: entity_instance) -> entity_instance | None:
        """The storey, through the assembly, the room, or the opening that the product belongs to."""
        return product if product.is_a("IfcBuildingStorey") else self.of_part(product.id())

    def of_part(self, step: int) -> entity_instance | None:
        """The storey of a product that is no storey itself, by its step id."""
        whole = self.parent.get(step)
        if whole is None:
            return None
        above = whole.id()
        if above not in self.known:
            self.known[above] = self._above(whole)
        return self.known[above]

    def _above(self, thing: entity_instance | None) -> entity_instance | None:
        for _ in range(CHAIN_DEPTH):
            if thing is None or thing.is_a("IfcBuildingStorey"):
                return thing
            thing = self.parent.get(thing.id())
        return None

    def elevation(self, storey: entity_instance | None) -> float:
        """Elevation of a storey above the building's zero [m], not-a-number if the file does not say."""
        return number(attribute(storey, "Elevation"), math.nan) * self.metres_per_unit


# Relation, place of the attribute with the part or parts, of that with the whole; earlier rows win.
BELONGS = (
    ("IfcRelContainedInSpatialStructure", 4, 5),
    ("IfcRelAggregates", 5, 4),
    ("IfcRelNests", 5, 4),
    ("IfcRelFillsElement", 5, 4),
    ("IfcRelVoidsElement", 5, 4),
)
# Places of attributes, the same in every schema: of the relation, the sets, and what they hold.
DEFINITION, QUANTITIES, AREA_VALUE = 5, 5, 3


def read_storeys(file: ifcopenshell.file, metres_per_unit: float) -> Storeys:
    """One pass over the relations that say what belongs to what."""
    parent: dict[int, entity_instance] = {}
    for kind, part_place, whole_place in BELONGS:
        for relation in file.by_type(kind):
            whole = at(relation, whole_place)
            for part in entities(at(relation, part_place)) if is_entity(whole) else ():
                parent.setdefault(part.id(), whole)
    return Storeys(parent, metres_per_unit)


def read_types(file: ifcopenshell.file) -> dict[int, str]:
    """Name of the type of each product that has one, by step id."""
    found: dict[int, str] = {}
    for relation in file.by_type("IfcRelDefinesByType"):
        name = text(related(relation, "RelatingType"), "Name")
        if name:
            found.update({thing.id(): name for thing in members(relation, "RelatedObjects")})
    return found


def _objects(values: Sequence[str | None]) -> Column:
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return Column(column)


def element_ids(file: ifcopenshell.file, products: Sequence[int]) -> list[str]:
    """GlobalIds, made unique where a file repeats one (``id#step``)."""
    return _ids([file.by_id(product) for product in products], products)


def _ids(found: Sequence[entity_instance], products: Sequence[int]) -> list[str]:
    seen: set[str] = set()
    ids = []
    for entity, product in zip(found, products, strict=True):
        name = plain_text(at(entity, 0)) or f"#{product}"
        ids.append(name if name not in seen else f"{name}#{product}")
        seen.add(name)
    return ids


def element_table(
    file: ifcopenshell.file,
    products: Sequence[int],
    *,
    storeys: Storeys,
    types: Mapping[int, str],
    classes: Mapping[int, str],
) -> ElementTable:
    """One row per product: class, name, storey, elevation of the storey, type.

    Parameters
    ----------
    classes, types : by step id
        Of the products known already; a class that is not there is asked for.
    """
    found = [file.by_id(product) for product in products]
    levels = [
        entity if classes.get(p) == "IfcBuildingStorey" else storeys.of_part(p)
        for p, entity in zip(products, found, strict=True)
    ]
    steps = [0 if level is None else level.id() for level in levels]
    present = {step: level for step, level in zip(steps, levels, strict=True) if level is not None}
    storey_names = {step: text(level, "Name") for step, level in present.items()}
    heights = {step: storeys.elevation(level) for step, level in present.items()}
    return ElementTable(
        _ids(found, products),
        {
            "class": _objects([classes.get(p) or entity.is_a() for p, entity in zip(products, found, strict=True)]),
            "name": _objects([plain_text(at(entity, 2)) for entity in found]),
            "storey": _objects([storey_names.get(step) for step in steps]),
            "elevation": Column(np.array([heights.get(step, math.nan) for step in steps], dtype=np.float64), "m"),
            "type": _objects([types.get(product) for product in products]),
        },
    )


def space_columns(file: ifcopenshell.file, products: Sequence[int], areas: Sequence[float]) -> dict[str, Column]:
    """Columns of rooms beyond those of every element.

    Parameters
    ----------
    areas : (n,) float [m2]
        Floor area worked out from the geometry.
    """
    found = [file.by_id(product) for product in products]
    area_unit = unit_scale(file, "AREAUNIT")
    stated = [_stated_area(entity, area_unit) for entity in found]
    names = {name for name, _ in stated if name}
    columns = {
        "long_name": _objects([text(entity, "LongName") for entity in found]),
        "area": Column(np.asarray(areas, dtype=np.float64), "m2", "floor area of the geometry"),
    }
    if names:
        title = f"stated in the file: {', '.join(sorted(names))}"
        columns["stated_area"] = Column(np.array([area for _, area in stated], dtype=np.float64), "m2", title)
    return columns


def _stated_area(space: entity_instance, area_unit: float) -> tuple[str, float]:
    """Name and value [m2] of the area quantity of a room; `area_unit` is the file's unit in m2."""
    found = area_quantities(space, area_unit)
    return next(((name, found[name]) for name in AREA_QUANTITIES if name in found), ("", math.nan))


def area_quantities(thing: entity_instance, area_unit: float) -> dict[str, float]:
    """Area quantities of a product by name [m2]; `area_unit` is the file's unit in m2."""
    found: dict[str, float] = {}
    for item in facts(thing, "IfcElementQuantity", QUANTITIES):
        value = number(at(item, AREA_VALUE), math.nan) if item.is_a("IfcQuantityArea") else math.nan
        if math.isfinite(value):
            found.setdefault(plain_text(at(item, 0)) or "", value * area_unit)
    return found


def facts(thing: entity_instance, kind: str, place: int) -> Iterator[entity_instance]:
    """What the property or quantity sets of a product hold, at their attribute of this place."""
    for relation in members(thing, "IsDefinedBy"):
        definition = at(relation, DEFINITION)
        if is_entity(definition) and definition.is_a(kind):
            yield from entities(at(definition, place) or ())
