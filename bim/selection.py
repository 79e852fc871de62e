"""Which products of a model get a body, by which kernel, and in which order: first what makes the picture."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from bim.attributes import at, attribute, by_type, is_entity, members, related

if TYPE_CHECKING:
    import ifcopenshell
    from ifcopenshell import entity_instance

PLAIN_KERNEL = "hybrid-cgal-simple-manifold-opencascade"
CLIPPED_KERNEL = "hybrid-cgal-simple-opencascade"
SWEPT_KERNEL = "opencascade"  # the others cannot, and write pages about it

LEFT_OUT = (
    "IfcFeatureElementSubtraction",
    "IfcAnnotation",
    "IfcGrid",
    "IfcAlignmentSegment",  # hangs the iterator for ever where it has a representation of its own
    "IfcReferent",
    "IfcVirtualElement",
)
# What shows the building and is quick to make; then what is mostly repeated; then the rest.
FRAME_CLASSES = (
    "IfcSlab",
    "IfcWall",
    "IfcColumn",
    "IfcBeam",
    "IfcFooting",
    "IfcRoof",
    "IfcPlate",
    "IfcMember",
    "IfcCurtainWall",
    "IfcCourse",
    "IfcPavement",
    "IfcTrackElement",
    "IfcRail",
)
REPEATED_CLASSES = ("IfcDoor", "IfcWindow", "IfcFurnishingElement", "IfcSpace")
PARTS_OF_A_BODY = ("IfcRepresentationItem", "IfcRepresentation", "IfcProductDefinitionShape", "IfcRepresentationMap")
# Places of attributes, the same in every schema: of IfcProduct, of IfcRelVoidsElement.
REPRESENTATION, PIERCED = 6, 4
SWEPT = (
    "IfcSectionedSolidHorizontal",
    "IfcSectionedSurface",
    "IfcFixedReferenceSweptAreaSolid",
    "IfcDirectrixDerivedReferenceSweptAreaSolid",
    "IfcSurfaceCurveSweptAreaSolid",
)


@dataclass(frozen=True)
class Task:
    """Products (step ids) for one run of one kernel."""

    kernel: str
    products: tuple[int, ...]


@dataclass(frozen=True)
class Selection:
    """Which products get a body by which way (step ids), and how many have none in the file.

    Attributes
    ----------
    plain, clipped, swept : tuple of step ids
    groups : tuple of tuples of step ids
        `plain` in the order of work.
    classes : dict
        Class of each product with a body, by step id.
    """

    plain: tuple[int, ...]
    clipped: tuple[int, ...]
    swept: tuple[int, ...]
    without_representation: int
    left_out: int
    groups: tuple[tuple[int, ...], ...] = ()
    classes: dict[int, str] = dataclasses.field(default_factory=dict, compare=False)

    @property
    def wanted(self) -> tuple[int, ...]:
        """All that should give triangles."""
        return self.plain + self.clipped + self.swept

    def without_spaces(self) -> Selection:
        """The same without rooms."""
        rooms = {product for product, name in self.classes.items() if name == "IfcSpace"}
        plain, clipped, swept, *groups = (
            tuple(p for p in products if p not in rooms)
            for products in (self.plain, self.clipped, self.swept, *self.groups)
        )
        return dataclasses.replace(
            self,
            plain=plain,
            clipped=clipped,
            swept=swept,
            left_out=self.left_out + len(rooms),
            groups=tuple(group for group in groups if group),
        )

    def tasks(self) -> list[Task]:
        """The work in its order, the slow and the difficult last."""
        tasks = [Task(PLAIN_KERNEL, group) for group in self.groups or (self.plain,)]
        tasks += [Task(CLIPPED_KERNEL, self.clipped), Task(SWEPT_KERNEL, self.swept)]
        return [task for task in tasks if task.products]


def select_products(file: ifcopenshell.file) -> Selection:
    """Sort the products that have a representation by the kernel they need."""
    frame, repeated, other = [], [], []
    classes: dict[int, str] = {}
    without = out = 0
    for name, products in _by_class(file):
        bodies = [product for product in products if _has_body(product)]
        without += len(products) - len(bodies)
        if not bodies:
            continue
        if _is_any(bodies[0], LEFT_OUT):
            out += len(bodies)
            continue
        steps = [body.id() for body in bodies]
        classes.update(dict.fromkeys(steps, name))
        place = frame if _is_any(bodies[0], FRAME_CLASSES) else other
        (repeated if _is_any(bodies[0], REPEATED_CLASSES) else place).extend(steps)
    clipped = _products_using(file, _half_space_cuts(file))
    swept = _products_using(file, (item for name in SWEPT for item in by_type(file, name))) - clipped
    swept |= {product.id() for product in by_type(file, "IfcLinearPositioningElement")}
    pierced = _pierced(file)
    difficult = clipped | swept
    early = [[p for p in group if p not in difficult and p not in pierced] for group in (frame, repeated, other)]
    late = [p for p in classes if p in pierced and p not in difficult]
    groups = tuple(tuple(group) for group in (*early, late) if group)
    return Selection(
        tuple(p for group in groups for p in group),
        tuple(p for p in classes if p in clipped),
        tuple(p for p in classes if p in swept),
        without,
        out,
        groups,
        classes,
    )


def _by_class(file: ifcopenshell.file) -> Iterator[tuple[str, tuple[entity_instance, ...]]]:
    """Products of each exact class, in the order of the schema's names."""
    for name in sorted(file.types()):
        # Asked of the schema first: a list of all property values would cost more than the products themselves.
        if "IfcProduct" in class_chain(file.schema_identifier, name):
            yield name, tuple(file.by_type(name, include_subtypes=False))


@lru_cache(maxsize=4096)
def class_chain(schema: str, name: str) -> tuple[str, ...]:
    """A class of a schema and the classes above it."""
    import ifcopenshell

    declaration = ifcopenshell.schema_by_name(schema).declaration_by_name(name)
    chain = []
    while declaration is not None:
        chain.append(declaration.name())
        entity = declaration.as_entity()
        declaration = entity.supertype() if entity is not None else None
    return tuple(chain)


def _has_body(product: entity_instance) -> bool:
    return is_entity(at(product, REPRESENTATION))


def _is_any(entity: entity_instance, names: Iterable[str]) -> bool:
    return any(entity.is_a(name) for name in names)


def _pierced(file: ifcopenshell.file) -> set[int]:
    """Step ids of the products with openings: each is a cut of its own."""
    hosts = (at(relation, PIERCED) for relation in by_type(file, "IfcRelVoidsElement"))
    return {host.id() for host in hosts if is_entity(host)}


def _half_space_cuts(file: ifcopenshell.file) -> Iterator[entity_instance]:
    for half in by_type(file, "IfcHalfSpaceSolid"):
        yield from (user for user in file.get_inverse(half) if user.is_a("IfcBooleanResult"))


def _products_using(file: ifcopenshell.file, items: Iterable[entity_instance]) -> set[int]:
    """Step ids of the products whose body is made with any of the items, also through mapped items and openings."""
    found: set[int] = set()
    seen: set[int] = set()
    todo = list(items)
    while todo:
        item = todo.pop()
        if item.id() in seen:
            continue
        seen.add(item.id())
        if item.is_a("IfcProduct"):
            found.add(item.id())
            # An opening is cut out of its host with the host's kernel.
            for relation in members(item, "VoidsElements"):
                todo += members(relation, "RelatingBuildingElement")
        elif any(item.is_a(name) for name in PARTS_OF_A_BODY):
            todo += file.get_inverse(item)
    return found


def sampled(selection: Selection, most: int) -> Selection:
    """Every n-th of the plain and clipped products, about `most` in all; courses along a curve are left out."""
    step = max(1, -(-len(selection.plain + selection.clipped) // max(most, 1)))
    return dataclasses.replace(
        selection, plain=selection.plain[::step], clipped=selection.clipped[::step], swept=(), groups=()
    )


def circular_placements(file: ifcopenshell.file) -> set[int]:
    """Step ids of the products whose placement hangs on itself; a kernel would follow it until its stack is full."""
    if not _may_be_circular(file):
        return set()
    verdict: dict[int, bool] = {}
    found = set()
    for product in by_type(file, "IfcProduct"):
        place = related(product, "ObjectPlacement")
        if place is not None and _is_circular(place, verdict):
            found.add(product.id())
    return found


def _may_be_circular(file: ifcopenshell.file) -> bool:
    """Whether any placement hangs on one further down in the file: a circle has such a link, hardly any file else."""
    places = by_type(file, "IfcLocalPlacement")
    if len(places) != len(by_type(file, "IfcObjectPlacement")):
        return True
    try:
        above = [place[0] for place in places]  # PlacementRelTo; by its place it costs a third
    except (AttributeError, RuntimeError):
        return True  # a damaged file
    return any(
        other is not None and (not is_entity(other) or other.id() >= place.id())
        for place, other in zip(places, above, strict=True)
    )


def _is_circular(place: entity_instance, verdict: dict[int, bool]) -> bool:
    chain: dict[int, None] = {}
    at: entity_instance | None = place
    while at is not None and at.id() not in verdict and at.id() not in chain:
        chain[at.id()] = None
        at = related(at, "PlacementRelTo") if attribute(at, "PlacementRelTo") is not None else None
    answer = at is not None and (at.id() in chain or verdict.get(at.id(), False))
    verdict.update(dict.fromkeys(chain, answer))
    return answer
