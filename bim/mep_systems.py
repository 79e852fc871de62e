"""What pipes, ducts and cables of a model carry, and what sort of node their devices are."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from bim.attributes import attribute, by_type, members, related, text
from bim.mep_ports import Ports
from bim.selection import class_chain
from resources import load_json

if TYPE_CHECKING:
    import ifcopenshell
    from ifcopenshell import entity_instance

UNKNOWN = "other"
SELF_NAMED = ("USERDEFINED", "NOTDEFINED", "")


@cache
def tables() -> Any:
    """What systems, words and classes mean."""
    return load_json("utility/ifc_systems.json")


def read_systems(file: ifcopenshell.file) -> dict[int, list[entity_instance]]:
    """The systems each element is in, by step id."""
    found: dict[int, list[entity_instance]] = {}
    for relation in by_type(file, "IfcRelAssignsToGroup"):
        group = related(relation, "RelatingGroup")
        if group is None or not group.is_a("IfcSystem"):
            continue
        for element in members(relation, "RelatedObjects"):
            found.setdefault(element.id(), []).append(group)
    return found


def utility_of_type(predefined: str) -> str:
    """Kind of utility of a predefined type of system, "" for those that are none of ours (air, control ...)."""
    return str(tables()["systems"].get(predefined.upper(), ""))


def utility_of_words(*texts: str | None) -> str:
    """Kind of utility by words in names, "" without any."""
    for said in texts:
        low = (said or "").lower()
        for word, kind in tables()["words"].items():
            if word in low:
                return str(kind)
    return ""


def utility_of(element: entity_instance, systems: list[entity_instance], ports: Ports) -> str:
    """Kind of utility of a segment: by its systems, its ports, the words of their names, or its class."""
    for system in systems:
        kind = utility_of_type(str(attribute(system, "PredefinedType") or ""))
        if kind:
            return kind
    for port in ports.of.get(element.id(), ()):
        kind = utility_of_type(port.system)
        if kind:
            return kind
    if any(_is_typed(system) for system in systems):
        return UNKNOWN  # air and the like: the words of such a system would mislead
    names = [text(system, key) for system in systems for key in ("Name", "LongName", "ObjectType")]
    kind = utility_of_words(*names) or utility_of_words(text(element, "ObjectType"), text(element, "Name"))
    return kind or str(tables()["classes"].get(element.is_a(), UNKNOWN))


def _is_typed(system: entity_instance) -> bool:
    return str(attribute(system, "PredefinedType") or "").upper() not in SELF_NAMED


def node_of(schema: str, name: str) -> str:
    """The sort of node a class is."""
    chain = class_chain(schema, name)
    return next((str(kind) for cls, kind in tables()["nodes"] if cls in chain), UNKNOWN)
