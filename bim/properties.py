"""Everything an IFC file says about one element: attributes, property sets, quantities, materials, type, place.

Values come in the program's units (see `bim.measures`). What is said of the type alone is marked as such; where the
element says otherwise, the element is right.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bim.attributes import attribute, is_entity, members, plain, related, text
from bim.measures import Measures
from geo.model import UserError

if TYPE_CHECKING:
    import ifcopenshell
    from ifcopenshell import entity_instance

Value = str | float | int | bool | None
DEEPEST = 8  # of properties within properties, and of references above references
CHAIN = 100  # steps up through parts, rooms and storeys; more than this is a circle
NOT_SHOWN = ("OwnerHistory", "ObjectPlacement", "Representation")


@dataclass(frozen=True)
class Property:
    """One value with its unit; `ref` is the GlobalId of what it names, if that is an element."""

    name: str
    value: Value
    unit: str = ""
    ref: str = ""


@dataclass(frozen=True)
class Group:
    """Values that belong together.

    Attributes
    ----------
    kind : str
        ``attributes``, ``set``, ``quantities``, ``type``, ``materials``, ``classification``, ``place``, ``systems`` or
        ``relations``.
    name : str
        Name of the property set, of the material set, of the type; ``""`` where the kind says it all.
    from_type : bool
        Whether the type says so rather than the element.
    """

    kind: str
    name: str
    rows: tuple[Property, ...]
    from_type: bool = False


@dataclass(frozen=True)
class ElementProperties:
    """All groups of one element."""

    id: str
    ifc_class: str
    name: str
    groups: tuple[Group, ...]


def find_element(file: ifcopenshell.file, element_id: str) -> entity_instance:
    """The entity of a GlobalId, or of ``GlobalId#step`` where a file uses one twice."""
    _, _, step = element_id.partition("#")
    try:
        return file.by_id(int(step)) if step.isdigit() else file.by_guid(element_id)
    except RuntimeError as error:
        raise UserError(
            "The file knows no such element.",
            f"The model in the file has no element {element_id}.",
            "The file was probably exported again since it was imported; import it once more.",
            code="model.no_element",
            values={"element": element_id},
        ) from error


def element_properties(
    file: ifcopenshell.file, element_id: str, *, measures: Measures | None = None
) -> ElementProperties:
    """Everything of one element."""
    measures = measures or Measures(file)
    element = find_element(file, element_id)
    kind = type_of(element)
    own = _sets(element, measures)
    groups = [
        Group("attributes", "", (Property("Class", element.is_a()), *attributes_of(element, measures))),
        *own,
        *_type_groups(kind, own, measures),
        *_materials(element, kind, measures),
        Group("classification", "", tuple(classifications_of(element, kind))),
        Group("place", "", tuple(_place(element))),
        Group("systems", "", tuple(_systems(element))),
        Group("relations", "", tuple(_relations(element))),
    ]
    return ElementProperties(
        element_id, element.is_a(), text(element, "Name") or "", tuple(group for group in groups if group.rows)
    )


# ---- attributes ---------------------------------------------------------------------------------------------------


def attributes_of(entity: entity_instance, measures: Measures) -> Iterator[Property]:
    """Attributes with plain values; those that refer to other entities are told elsewhere."""
    for place, (name, measure) in enumerate(_attribute_measures(entity)):
        if name in NOT_SHOWN:
            continue
        try:
            value = entity[place]
        except (RuntimeError, IndexError):
            continue
        if value is None or is_entity(value) or (isinstance(value, tuple) and any(map(is_entity, value))):
            continue
        yield _quantified(name, value, measures.of(measure))


def _attribute_measures(entity: entity_instance) -> Iterator[tuple[str, str]]:
    """Name of each attribute and the measure it is declared with, ``""`` if it is none."""
    import ifcopenshell

    wrapper = ifcopenshell.ifcopenshell_wrapper
    declaration = wrapper.schema_by_name(entity.file.schema_identifier).declaration_by_name(entity.is_a())
    for item in declaration.all_attributes():
        declared = item.type_of_attribute()
        named = declared.as_named_type() if declared is not None else None
        yield item.name(), named.declared_type().name() if named is not None else ""


def _quantified(name: str, value: Any, unit: tuple[float, str]) -> Property:
    factor, written = unit
    value = plain(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return Property(name, _worded(value))
    return Property(name, value if factor == 1.0 else value * factor, written)


def _worded(value: Any) -> Value:
    """Text or number of any value; several as one text."""
    value = plain(value)
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, tuple | list):
        return ", ".join(str(_worded(item)) for item in value)
    return str(attribute(value, "Name") or "") if is_entity(value) else str(value)


# ---- property sets and quantities ---------------------------------------------------------------------------------


def type_of(element: entity_instance) -> entity_instance | None:
    """The type of an element, or None."""
    for relation in (*members(element, "IsTypedBy"), *members(element, "IsDefinedBy")):
        if relation.is_a("IfcRelDefinesByType"):
            return related(relation, "RelatingType")
    return None


def definitions_of(relation: entity_instance) -> tuple[entity_instance, ...]:
    """Property definitions that a relation attaches; one may be a set of several."""
    definition = attribute(relation, "RelatingPropertyDefinition")
    if hasattr(definition, "is_a") and definition.is_a() == "IfcPropertySetDefinitionSet":
        return tuple(item for item in plain(definition) or () if is_entity(item))
    return (definition,) if is_entity(definition) else ()


def _sets(element: entity_instance, measures: Measures) -> list[Group]:
    found = []
    for relation in members(element, "IsDefinedBy"):
        if relation.is_a("IfcRelDefinesByProperties"):
            found += [set_group(definition, measures) for definition in definitions_of(relation)]
    return _merged(found)


def _merged(groups: Iterable[Group]) -> list[Group]:
    """Sets of one name as one, the first value of a name kept."""
    found: dict[str, Group] = {}
    for group in groups:
        before = found.get(group.name)
        if before is None:
            found[group.name] = group
            continue
        names = {row.name for row in before.rows}
        more = tuple(row for row in group.rows if row.name not in names)
        found[group.name] = Group(before.kind, before.name, before.rows + more, before.from_type)
    return list(found.values())


def set_group(definition: entity_instance, measures: Measures, *, from_type: bool = False) -> Group:
    """A property set, a set of quantities, or one that the schema declares itself (lining of a door)."""
    kind = "quantities" if definition.is_a("IfcElementQuantity") else "set"
    return Group(kind, text(definition, "Name") or "", tuple(values_of(definition, measures)), from_type)


def values_of(definition: entity_instance, measures: Measures) -> Iterator[Property]:
    """The values of any property definition."""
    if definition.is_a("IfcElementQuantity"):
        for quantity in members(definition, "Quantities"):
            yield from _quantity(quantity, measures, "", 0)
    elif definition.is_a("IfcPropertySet"):
        for item in members(definition, "HasProperties"):
            yield from _property(item, measures, "", 0)
    else:
        known = ("GlobalId", "Name", "Description", "OwnerHistory")
        yield from (row for row in attributes_of(definition, measures) if row.name not in known)


def _quantity(quantity: entity_instance, measures: Measures, before: str, depth: int) -> Iterator[Property]:
    name = before + (text(quantity, "Name") or "")
    if quantity.is_a("IfcPhysicalComplexQuantity"):
        for part in members(quantity, "HasQuantities") if depth < DEEPEST else ():
            yield from _quantity(part, measures, f"{name} / ", depth + 1)
        return
    for attribute_name, measure in _attribute_measures(quantity):
        if attribute_name.endswith("Value"):
            yield _quantified(
                name, attribute(quantity, attribute_name), measures.of(measure, attribute(quantity, "Unit"))
            )


def _property(item: entity_instance, measures: Measures, before: str, depth: int) -> Iterator[Property]:
    name = before + (text(item, "Name") or "")
    if item.is_a("IfcComplexProperty"):
        for part in members(item, "HasProperties") if depth < DEEPEST else ():
            yield from _property(part, measures, f"{name} / ", depth + 1)
    elif item.is_a("IfcPropertySingleValue"):
        value = attribute(item, "NominalValue")
        yield _quantified(name, value, _unit(value, item, measures))
    elif item.is_a("IfcPropertyEnumeratedValue"):
        yield _several(name, attribute(item, "EnumerationValues"), item, measures)
    elif item.is_a("IfcPropertyListValue"):
        yield _several(name, attribute(item, "ListValues"), item, measures)
    elif item.is_a("IfcPropertyBoundedValue"):
        yield _bounded(name, item, measures)
    elif item.is_a("IfcPropertyTableValue"):
        yield _table(name, item)
    elif item.is_a("IfcPropertyReferenceValue"):
        yield Property(name, _worded(attribute(item, "PropertyReference")))


def _unit(value: Any, item: entity_instance, measures: Measures) -> tuple[float, str]:
    return measures.of(value.is_a() if hasattr(value, "is_a") else "", attribute(item, "Unit"))


def _several(name: str, values: Any, item: entity_instance, measures: Measures) -> Property:
    """One value as itself, more as a text in which each stands."""
    values = values or ()
    if len(values) == 1:
        return _quantified(name, values[0], _unit(values[0], item, measures))
    rows = [_quantified(name, value, _unit(value, item, measures)) for value in values]
    units = {row.unit for row in rows}
    return Property(name, ", ".join(str(row.value) for row in rows), units.pop() if len(units) == 1 else "")


def _bounded(name: str, item: entity_instance, measures: Measures) -> Property:
    """``low … high (set point)``."""
    ends = [attribute(item, end) for end in ("LowerBoundValue", "UpperBoundValue", "SetPointValue")]
    unit = next((_unit(end, item, measures) for end in ends if end is not None), (1.0, ""))
    low, high, point = (None if end is None else _quantified(name, end, unit).value for end in ends)
    if low is None and high is None:
        return Property(name, point, unit[1])
    words = f"{'' if low is None else low} … {'' if high is None else high}"
    return Property(name, words if point is None else f"{words} ({point})", unit[1])


def _table(name: str, item: entity_instance) -> Property:
    pairs = zip(attribute(item, "DefiningValues") or (), attribute(item, "DefinedValues") or (), strict=False)
    return Property(name, "; ".join(f"{plain(key)}: {plain(value)}" for key, value in pairs))


# ---- type, materials, classification ------------------------------------------------------------------------------


def _type_groups(kind: entity_instance | None, own: list[Group], measures: Measures) -> list[Group]:
    """The type itself, and what it says beyond what the element says."""
    if kind is None:
        return []
    shown = ("Name", "Description", "ElementType", "PredefinedType", "Tag", "GlobalId", "OperationType")
    rows = [row for row in attributes_of(kind, measures) if row.name in shown]
    groups = [Group("type", text(kind, "Name") or "", (Property("TypeClass", kind.is_a()), *rows), True)]
    said = {(group.name, row.name) for group in own for row in group.rows}
    for group in _merged(set_group(d, measures, from_type=True) for d in members(kind, "HasPropertySets")):
        rows = [row for row in group.rows if (group.name, row.name) not in said]
        groups.append(Group(group.kind, group.name, tuple(rows), True))
    return groups


def _associated(thing: Any, relation_class: str, name: str) -> list[entity_instance]:
    found = [related(r, name) for r in members(thing, "HasAssociations") if r.is_a(relation_class)]
    return [item for item in found if item is not None]


def _materials(element: entity_instance, kind: entity_instance | None, measures: Measures) -> list[Group]:
    own = _associated(element, "IfcRelAssociatesMaterial", "RelatingMaterial")
    found, from_type = (
        (own, False) if own else (_associated(kind, "IfcRelAssociatesMaterial", "RelatingMaterial"), True)
    )
    return [Group("materials", _material_name(item), tuple(material_rows(item, measures)), from_type) for item in found]


def _inner(material: entity_instance) -> entity_instance:
    """The set of layers or profiles behind its use."""
    return related(material, "ForLayerSet") or related(material, "ForProfileSet") or material


def _material_name(material: entity_instance) -> str:
    inner = _inner(material)
    return "" if inner.is_a("IfcMaterial") else text(inner, "LayerSetName") or text(inner, "Name") or ""


def material_rows(material: entity_instance, measures: Measures) -> Iterator[Property]:
    """Layers with their thickness from the first on, parts of a set, or the one material."""
    inner = _inner(material)
    if inner.is_a("IfcMaterial"):
        yield Property("Material", text(inner, "Name") or "", "")
        return
    length = measures.of("IfcLengthMeasure")
    for layer in members(inner, "MaterialLayers"):
        name = text(related(layer, "Material"), "Name") or text(layer, "Name") or "–"
        yield _quantified(name, attribute(layer, "LayerThickness"), length)
    for part in (*members(inner, "MaterialProfiles"), *members(inner, "MaterialConstituents")):
        name = text(part, "Name") or text(related(part, "Profile"), "ProfileName") or "Material"
        yield Property(name, text(related(part, "Material"), "Name") or "")
    for part in members(inner, "Materials"):
        yield Property("Material", text(part, "Name") or "")


def material_names(material: entity_instance) -> list[str]:
    """Names of all materials in a material, a list, or a set of layers, profiles or parts."""
    inner = _inner(material)
    if inner.is_a("IfcMaterial"):
        return [text(inner, "Name") or ""]
    parts = ("MaterialLayers", "MaterialProfiles", "MaterialConstituents")
    names = [text(related(part, "Material"), "Name") for name in parts for part in members(inner, name)]
    names += [text(part, "Name") for part in members(inner, "Materials")]
    return [name for name in dict.fromkeys(names) if name]


def reference_code(reference: entity_instance) -> str:
    """The number or letters of a classification reference."""
    return text(reference, "Identification") or text(reference, "ItemReference") or ""


def classification_system(reference: entity_instance) -> str:
    """Name of the system that a reference belongs to."""
    thing: entity_instance | None = reference
    for _ in range(DEEPEST):
        if thing is None or thing.is_a("IfcClassification"):
            break
        thing = related(thing, "ReferencedSource")
    return text(thing, "Name") or ""


def classifications_of(element: entity_instance, kind: entity_instance | None) -> Iterator[Property]:
    """System, and code with name, of each classification of the element and of its type."""
    seen = set()
    for thing in (element, kind):
        for reference in _associated(thing, "IfcRelAssociatesClassification", "RelatingClassification"):
            words = " ".join(part for part in (reference_code(reference), text(reference, "Name")) if part)
            row = Property(classification_system(reference) or "Classification", words)
            if row not in seen:
                seen.add(row)
                yield row


# ---- where it is and what it belongs to ---------------------------------------------------------------------------

# Inverse attribute of the part, attribute of the relation that names the whole.
UPWARD = (
    ("ContainedInStructure", "RelatingStructure"),
    ("Decomposes", "RelatingObject"),
    ("Nests", "RelatingObject"),
    ("FillsVoids", "RelatingOpeningElement"),
    ("VoidsElements", "RelatingBuildingElement"),
)


def whole_of(thing: entity_instance) -> entity_instance | None:
    """What a thing lies in or is a part of."""
    for inverse, name in UPWARD:
        for relation in members(thing, inverse):
            whole = related(relation, name)
            if whole is not None:
                return whole
    return None


def _place(element: entity_instance) -> Iterator[Property]:
    """Room, storey, building and site, and the assembly it is a part of."""
    thing, seen = whole_of(element), 0
    while thing is not None and seen < CHAIN:
        if not thing.is_a("IfcFeatureElement") and not thing.is_a("IfcProject"):
            name = text(thing, "LongName") if thing.is_a("IfcSpace") else None
            words = " ".join(part for part in (text(thing, "Name"), name) if part)
            yield Property(thing.is_a(), words or thing.is_a(), "", text(thing, "GlobalId") or "")
        thing, seen = whole_of(thing), seen + 1


def _systems(element: entity_instance) -> Iterator[Property]:
    for relation in members(element, "HasAssignments"):
        group = related(relation, "RelatingGroup")
        if group is not None and relation.is_a("IfcRelAssignsToGroup"):
            yield Property(group.is_a(), text(group, "Name") or "")


def _relations(element: entity_instance) -> Iterator[Property]:
    """What it is set into, what is set into it, and its parts."""
    for relation in members(element, "FillsVoids"):
        host = whole_of(relation.RelatingOpeningElement)
        if host is not None:
            yield _named("Host", host)
    openings = [related(relation, "RelatedOpeningElement") for relation in members(element, "HasOpenings")]
    for opening in openings:
        fillings = [related(r, "RelatedBuildingElement") for r in members(opening, "HasFillings")]
        yield from (_named("Opening", thing) for thing in fillings or [opening] if thing is not None)
    for relation in members(element, "IsDecomposedBy"):
        yield from (_named("Part", part) for part in members(relation, "RelatedObjects"))


def _named(name: str, thing: entity_instance) -> Property:
    return Property(name, text(thing, "Name") or thing.is_a(), "", text(thing, "GlobalId") or "")
