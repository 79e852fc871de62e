"""Names, classes, storeys and types of IFC products, as tables. Asked once after the geometry, not during it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from bim.attributes import attribute, members, number, related, text, unit_scale
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
        whole = self.parent.get(product.id())
        if whole is None:
            return product if product.is_a("IfcBuildingStorey") else None
        step = whole.id()
        if step not in self.known:
            self.known[step] = self._above(whole)
        return self.known[step] if not product.is_a("IfcBuildingStorey") else product

    def _above(self, thing: entity_instance | None) -> entity_instance | None:
        for _ in range(CHAIN_DEPTH):
            if thing is None or thing.is_a("IfcBuildingStorey"):
                return thing
            thing = self.parent.get(thing.id())
        return None

    def elevation(self, storey: entity_instance | None) -> float:
        """Elevation of a storey above the building's zero [m], not-a-number if the file does not say."""
        return number(attribute(storey, "Elevation"), math.nan) * self.metres_per_unit


# Relation, attribute with the part or parts, attribute with the whole; earlier rows win.
BELONGS = (
    ("IfcRelContainedInSpatialStructure", "RelatedElements", "RelatingStructure"),
    ("IfcRelAggregates", "RelatedObjects", "RelatingObject"),
    ("IfcRelNests", "RelatedObjects", "RelatingObject"),
    ("IfcRelFillsElement", "RelatedBuildingElement", "RelatingOpeningElement"),
    ("IfcRelVoidsElement", "RelatedOpeningElement", "RelatingBuildingElement"),
)


def read_storeys(file: ifcopenshell.file, metres_per_unit: float) -> Storeys:
    """One pass over the relations that say what belongs to what."""
    parent: dict[int, entity_instance] = {}
    for kind, parts_name, whole_name in BELONGS:
        for relation in file.by_type(kind):
            whole = related(relation, whole_name)
            for part in members(relation, parts_name) if whole is not None else ():
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


def _root(entity: entity_instance, index: int) -> str | None:
    """A text attribute of every IfcRoot by its place (0 GlobalId, 2 Name): ten times faster than by its name."""
    try:
        value = entity[index]
    except (AttributeError, RuntimeError, IndexError):
        return None
    return value if isinstance(value, str) and value else None


def element_ids(file: ifcopenshell.file, products: Sequence[int]) -> list[str]:
    """GlobalIds, made unique where a file repeats one (``id#step``)."""
    seen: set[str] = set()
    ids = []
    for product in products:
        name = _root(file.by_id(product), 0) or f"#{product}"
        ids.append(name if name not in seen else f"{name}#{product}")
        seen.add(name)
    return ids


def element_table(
    file: ifcopenshell.file, products: Sequence[int], *, storeys: Storeys, types: dict[int, str]
) -> ElementTable:
    """One row per product: class, name, storey, elevation of the storey, type."""
    entities = [file.by_id(product) for product in products]
    levels = [storeys.of(entity) for entity in entities]
    steps = [0 if level is None else level.id() for level in levels]
    present = {step: level for step, level in zip(steps, levels, strict=True) if level is not None}
    storey_names = {step: text(level, "Name") for step, level in present.items()}
    heights = {step: storeys.elevation(level) for step, level in present.items()}
    return ElementTable(
        element_ids(file, products),
        {
            "class": _objects([entity.is_a() for entity in entities]),
            "name": _objects([_root(entity, 2) for entity in entities]),
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
    entities = [file.by_id(product) for product in products]
    area_unit = unit_scale(file, "AREAUNIT")
    stated = [_stated_area(entity, area_unit) for entity in entities]
    names = {name for name, _ in stated if name}
    columns = {
        "long_name": _objects([text(entity, "LongName") for entity in entities]),
        "area": Column(np.asarray(areas, dtype=np.float64), "m2", "floor area of the geometry"),
    }
    if names:
        title = f"stated in the file: {', '.join(sorted(names))}"
        columns["stated_area"] = Column(np.array([area for _, area in stated], dtype=np.float64), "m2", title)
    return columns


def _stated_area(space: entity_instance, area_unit: float) -> tuple[str, float]:
    """Name and value [m2] of the area quantity of a room; `area_unit` is the file's unit in m2."""
    found: dict[str, float] = {}
    for relation in members(space, "IsDefinedBy"):
        for quantity in members(related(relation, "RelatingPropertyDefinition"), "Quantities"):
            value = number(attribute(quantity, "AreaValue"), math.nan)
            if math.isfinite(value):
                found.setdefault(text(quantity, "Name") or "", value * area_unit)
    return next(((name, found[name]) for name in AREA_QUANTITIES if name in found), ("", math.nan))
