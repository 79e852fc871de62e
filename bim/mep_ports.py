"""Ports of distribution elements: whose they are, where they are, and which is joined with which."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bim.attributes import attribute, by_type, members, related
from bim.georeference_entities import Matrix, placement_matrix

if TYPE_CHECKING:
    import ifcopenshell
    from ifcopenshell import entity_instance

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Port:
    """One port.

    Attributes
    ----------
    step, owner : int
        Step ids of the port and of its element.
    place : (3,) float64 [model m] or None
    system : str
        Predefined type of the system it is made for, "" unsaid.
    """

    step: int
    owner: int
    place: Floats | None
    system: str


@dataclass(frozen=True)
class Ports:
    """All ports of a model.

    Attributes
    ----------
    of : mapping of element to its ports, in the order of the file
    mates : mapping of port to the ports joined with it
    pairs : list of (relation, port, port), by step id
    """

    by_step: dict[int, Port] = field(default_factory=dict)
    of: dict[int, list[Port]] = field(default_factory=dict)
    mates: dict[int, list[int]] = field(default_factory=dict)
    pairs: list[tuple[int, int, int]] = field(default_factory=list)

    def joined_with(self, port: Port) -> list[Port]:
        """The ports that this one is joined with."""
        return [self.by_step[step] for step in self.mates.get(port.step, ()) if step in self.by_step]


def read_ports(file: ifcopenshell.file, metres_per_unit: float) -> Ports:
    """Ports by nesting (IFC4) and by their own relation (IFC2x3), and their connections."""
    found = Ports()
    known: dict[int, Matrix | None] = {}
    for owner, port in _owned(file):
        if port.id() in found.by_step:
            continue
        matrix = placement_matrix(related(port, "ObjectPlacement"), known)
        place = None if matrix is None or attribute(port, "ObjectPlacement") is None else matrix[:3, 3]
        place = None if place is None else place * metres_per_unit
        system = attribute(port, "SystemType")
        one = Port(port.id(), owner.id(), place, system if isinstance(system, str) else "")
        found.by_step[one.step] = one
        found.of.setdefault(one.owner, []).append(one)
    for relation in by_type(file, "IfcRelConnectsPorts"):
        a, b = related(relation, "RelatingPort"), related(relation, "RelatedPort")
        if a is not None and b is not None:
            found.mates.setdefault(a.id(), []).append(b.id())
            found.mates.setdefault(b.id(), []).append(a.id())
            found.pairs.append((relation.id(), a.id(), b.id()))
    return found


def _owned(file: ifcopenshell.file) -> list[tuple[entity_instance, entity_instance]]:
    """Pairs of element and port."""
    pairs = []
    for relation in by_type(file, "IfcRelNests"):
        owner = related(relation, "RelatingObject")
        if owner is not None:
            pairs += [(owner, part) for part in members(relation, "RelatedObjects") if part.is_a("IfcPort")]
    for relation in by_type(file, "IfcRelConnectsPortToElement"):
        owner, port = related(relation, "RelatedElement"), related(relation, "RelatingPort")
        if owner is not None and port is not None:
            pairs.append((owner, port))
    return pairs
