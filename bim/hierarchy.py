"""Trees of an IFC model: by place, class, system, classification and group.

A tree is a list of branches, each with the number of the branch above it; products hang on branches by their row in
one list that all trees share. So a model of sixty thousand elements is a few flat lists, quick to send and to show.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from bim.attributes import at, attribute, by_type, entities, is_entity, members, number, related, text
from bim.elements import BELONGS, CHAIN_DEPTH, element_ids
from bim.properties import classification_system, reference_code

if TYPE_CHECKING:
    import ifcopenshell
    from ifcopenshell import entity_instance

TREES = ("storey", "type", "system", "classification", "group")
# Products that are marks or parts of the description rather than things.
NOT_LISTED = (
    "IfcFeatureElement",
    "IfcAnnotation",
    "IfcGrid",
    "IfcPort",
    "IfcVirtualElement",
    "IfcAlignmentSegment",
    "IfcReferent",
    "IfcStructuralItem",
    "IfcStructuralActivity",
)
SPATIAL = ("IfcSpatialStructureElement", "IfcSpatialElement")
SYSTEMS = ("IfcSystem", "IfcZone")
DIGITS = re.compile(r"(\d+)")
REST = "rest"  # branch of what belongs to nothing of its tree


@dataclass
class Branch:
    """One branch of a tree.

    Attributes
    ----------
    kind : str
        IFC class of what it stands for; ``class``, ``type`` or ``rest`` where it stands for no entity of its own.
    name : str
        As the file gives it; the IFC class for ``class``, ``""`` for ``rest``.
    id : str
        GlobalId, or ``""``.
    parent : int
        Number of the branch above, -1 at the top; always less than its own number.
    product : int
        Row of the product that it stands for, -1 if it is none.
    rows : list of int
        Rows of the products that hang on it directly.
    """

    kind: str
    name: str
    id: str = ""
    parent: int = -1
    product: int = -1
    rows: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Hierarchy:
    """Products of a model, one row each, and its trees by name (`TREES`)."""

    ids: list[str]
    classes: list[str]
    names: list[str]
    trees: dict[str, list[Branch]]

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        trees = {name: [asdict(branch) for branch in branches] for name, branches in self.trees.items()}
        return {"ids": self.ids, "classes": self.classes, "names": self.names, "trees": trees}

    @staticmethod
    def from_dict(data: dict[str, Any]) -> Hierarchy:
        """The inverse of `as_dict`."""
        trees = {name: [Branch(**branch) for branch in branches] for name, branches in data["trees"].items()}
        return Hierarchy(data["ids"], data["classes"], data["names"], trees)


@dataclass(frozen=True)
class _Model:
    """What all trees are made from."""

    file: ifcopenshell.file
    products: Sequence[entity_instance]
    row: dict[int, int]
    parent: dict[int, entity_instance]
    type_name: dict[int, tuple[str, str]]


def listed_products(file: ifcopenshell.file) -> list[entity_instance]:
    """Products that are things or places, in the order of the file."""
    left_out = {thing.id() for name in NOT_LISTED for thing in by_type(file, name)}
    return sorted((p for p in by_type(file, "IfcProduct") if p.id() not in left_out), key=lambda p: p.id())


def read_hierarchy(file: ifcopenshell.file) -> Hierarchy:
    """All trees of a model."""
    products = listed_products(file)
    steps = [product.id() for product in products]
    model = _Model(file, products, {step: row for row, step in enumerate(steps)}, _parents(file), _types(file))
    makers: dict[str, Callable[[_Model], list[Branch]]] = {
        "storey": _by_place,
        "type": _by_class,
        "system": _by_system,
        "classification": _by_classification,
        "group": _by_group,
    }
    return Hierarchy(
        element_ids(file, steps),
        [product.is_a() for product in products],
        [_name(product) for product in products],
        {name: makers[name](model) for name in TREES},
    )


def _name(thing: entity_instance) -> str:
    """Name of a thing; of a room number and name, since people look for either."""
    name = text(thing, "Name") or ""
    long_name = text(thing, "LongName") if thing.is_a("IfcSpace") else None
    return " ".join(dict.fromkeys(part for part in (name, long_name) if part))


def _parents(file: ifcopenshell.file) -> dict[int, entity_instance]:
    """What each thing lies in or is a part of, by step id."""
    parent: dict[int, entity_instance] = {}
    for kind, parts_place, whole_place in BELONGS:
        for relation in by_type(file, kind):
            whole = at(relation, whole_place)
            for part in entities(at(relation, parts_place)) if is_entity(whole) else ():
                parent.setdefault(part.id(), whole)
    return parent


def _types(file: ifcopenshell.file) -> dict[int, tuple[str, str]]:
    """Name and GlobalId of the type of each product that has one, by step id."""
    found: dict[int, tuple[str, str]] = {}
    for relation in by_type(file, "IfcRelDefinesByType"):
        kind = related(relation, "RelatingType")
        if kind is not None:
            said = (text(kind, "Name") or kind.is_a(), text(kind, "GlobalId") or "")
            found.update({thing.id(): said for thing in members(relation, "RelatedObjects")})
    return found


def _is_spatial(thing: entity_instance) -> bool:
    return any(thing.is_a(name) for name in SPATIAL)


class _Builder:
    """Adds branches on demand, each once."""

    def __init__(self) -> None:
        self.branches: list[Branch] = []
        self._number: dict[tuple[object, ...], int] = {}

    def branch(self, key: tuple[object, ...], make: Callable[[], Branch]) -> int:
        """Number of the branch of a key."""
        found = self._number.get(key)
        if found is None:
            self.branches.append(make())  # may add the branches above it first
            found = self._number[key] = len(self.branches) - 1
        return found

    def hang(self, branch: int, row: int) -> None:
        """Hang a product on a branch."""
        self.branches[branch].rows.append(row)

    def tidy(self, order: Callable[[Branch], object]) -> list[Branch]:
        """The branches with each one's children together and in order; a parent's number is less than a child's."""
        children: dict[int, list[int]] = {}
        for number_, branch in enumerate(self.branches):
            children.setdefault(branch.parent, []).append(number_)
        for group in children.values():
            group.sort(key=lambda n: order(self.branches[n]))  # type: ignore[arg-type,return-value]
        tidied: list[Branch] = []
        waiting = [(n, -1) for n in reversed(children.get(-1, ()))]
        while waiting:
            number_, parent = waiting.pop()
            branch = self.branches[number_]
            branch.parent = parent
            tidied.append(branch)
            waiting += [(n, len(tidied) - 1) for n in reversed(children.get(number_, ()))]
        return tidied


def _natural(name: str) -> list[tuple[int, str]]:
    """Sorts 2F before 10F."""
    return [(int(piece), "") if piece.isdecimal() else (-1, piece) for piece in DIGITS.split(name.casefold())]


def _by_name(branch: Branch) -> tuple[bool, list[tuple[int, str]]]:
    return branch.kind == REST, _natural(branch.name)


def _by_place(model: _Model) -> list[Branch]:
    """Project, site, building, storey; below them classes, and below these the things; rooms hold what is in them."""
    builder, levels = _Builder(), _Levels(model)
    for row, product in enumerate(model.products):
        is_level = _is_spatial(product) and not product.is_a("IfcSpace")
        if is_level or product.id() in levels.wholes:
            levels.branch_of(product, builder)
        else:
            builder.hang(levels.class_below(product, builder), row)
    return builder.tidy(levels.order)


class _Levels:
    """Branches of the tree by place."""

    def __init__(self, model: _Model) -> None:
        self._model = model
        parts = [self._up(product) for product in model.products]
        # Rooms with things in them and assemblies are branches, as storeys are.
        self.wholes = {whole.id() for whole in parts if whole is not None}
        self._height = {thing.id(): number(attribute(thing, "Elevation")) for thing in by_type(model.file, SPATIAL[0])}
        self._by_id: dict[str, float] = {
            text(thing, "GlobalId") or "": self._height[thing.id()] for thing in by_type(model.file, SPATIAL[0])
        }

    def _up(self, thing: entity_instance) -> entity_instance | None:
        """The nearest listed thing above: openings are passed over."""
        above = self._model.parent.get(thing.id())
        for _ in range(CHAIN_DEPTH):
            if above is None or above.id() in self._model.row:
                return above
            above = self._model.parent.get(above.id())
        return None

    def branch_of(self, thing: entity_instance, builder: _Builder, depth: int = 0) -> int:
        """The branch that a thing is."""

        def make() -> Branch:
            row = self._model.row[thing.id()]
            parent = self._above(thing, builder, depth)
            return Branch(thing.is_a(), _name(thing), text(thing, "GlobalId") or "", parent, row)

        return builder.branch(("thing", thing.id()), make)

    def _above(self, thing: entity_instance, builder: _Builder, depth: int) -> int:
        above = self._up(thing)
        if above is None or depth > CHAIN_DEPTH:
            return -1 if _is_spatial(thing) else self._rest(builder)
        whole = self.branch_of(above, builder, depth + 1)
        is_level = _is_spatial(thing) and not thing.is_a("IfcSpace")
        return whole if is_level else self._class(whole, thing.is_a(), builder)

    def class_below(self, thing: entity_instance, builder: _Builder) -> int:
        """The branch of a class in the place that a thing lies in."""
        above = self._up(thing)
        whole = self._rest(builder) if above is None else self.branch_of(above, builder)
        return self._class(whole, thing.is_a(), builder)

    def _class(self, whole: int, ifc_class: str, builder: _Builder) -> int:
        return builder.branch(("class", whole, ifc_class), lambda: Branch("class", ifc_class, "", whole))

    def _rest(self, builder: _Builder) -> int:
        return builder.branch((REST,), lambda: Branch(REST, ""))

    def order(self, branch: Branch) -> tuple[object, ...]:
        """Levels before classes, the highest storey first; rooms before other classes."""
        is_class = branch.kind in ("class", REST)
        rooms = branch.name != "IfcSpace"
        return branch.kind == REST, is_class, rooms, -self._by_id.get(branch.id, 0.0), _natural(branch.name)


def _by_class(model: _Model) -> list[Branch]:
    """Class, then types by name; what has no type hangs on its class. Some programs write one type many times."""
    builder = _Builder()
    for row, product in enumerate(model.products):
        ifc_class = product.is_a()
        if _is_spatial(product) and ifc_class != "IfcSpace":
            continue
        place = builder.branch((ifc_class,), lambda c=ifc_class: Branch("class", c))  # type: ignore[misc]
        name, type_id = model.type_name.get(product.id(), ("", ""))
        if name:
            place = builder.branch(
                (ifc_class, name),
                lambda n=name, i=type_id, p=place: Branch("type", n, i, p),  # type: ignore[misc]
            )
        builder.hang(place, row)
    return builder.tidy(_by_name)


def _by_system(model: _Model) -> list[Branch]:
    return _grouped(model, [g for name in SYSTEMS for g in by_type(model.file, name)])


def _by_group(model: _Model) -> list[Branch]:
    systems = {thing.id() for name in SYSTEMS for thing in by_type(model.file, name)}
    return _grouped(model, [g for g in by_type(model.file, "IfcGroup") if g.id() not in systems])


def _grouped(model: _Model, groups: Iterable[entity_instance]) -> list[Branch]:
    """Groups, groups within groups, and their things. Of no groups at all there is no tree."""
    groups = list({group.id(): group for group in groups}.values())
    known = {group.id() for group in groups}
    above: dict[int, entity_instance] = {}
    held: dict[int, list[entity_instance]] = {}
    for relation in by_type(model.file, "IfcRelAssignsToGroup"):
        group = related(relation, "RelatingGroup")
        if group is None or group.id() not in known:
            continue
        for thing in members(relation, "RelatedObjects"):
            if thing.id() in known:
                above.setdefault(thing.id(), group)
            elif thing.id() in model.row:
                held.setdefault(group.id(), []).append(thing)
    builder = _Builder()
    for group in groups:
        place = _group_branch(group, above, builder, 0)
        for thing in held.get(group.id(), ()):
            builder.hang(place, model.row[thing.id()])
    return _with_rest(model, builder) if builder.branches else []


def _group_branch(group: entity_instance, above: dict[int, entity_instance], builder: _Builder, depth: int) -> int:
    def make() -> Branch:
        over = above.get(group.id()) if depth < CHAIN_DEPTH else None
        parent = -1 if over is None else _group_branch(over, above, builder, depth + 1)
        name = " ".join(dict.fromkeys(part for part in (text(group, "Name"), text(group, "LongName")) if part))
        return Branch(group.is_a(), name or group.is_a(), text(group, "GlobalId") or "", parent)

    return builder.branch((group.id(),), make)


def _with_rest(model: _Model, builder: _Builder) -> list[Branch]:
    """The branches with one more for what belongs to none of them; places of the building are not counted."""
    held = {row for branch in builder.branches for row in branch.rows}
    rest = [
        row
        for row, product in enumerate(model.products)
        if row not in held and (not _is_spatial(product) or product.is_a("IfcSpace"))
    ]
    if rest:
        builder.branches.append(Branch(REST, "", rows=rest))
    return builder.tidy(_by_name)


def _by_classification(model: _Model) -> list[Branch]:
    """System, references above references, things. What is said of a type holds for its things."""
    of_type: dict[str, list[int]] = {}
    for step, (_, type_id) in model.type_name.items():
        if type_id and step in model.row:
            of_type.setdefault(type_id, []).append(model.row[step])
    builder = _Builder()
    for relation in by_type(model.file, "IfcRelAssociatesClassification"):
        reference = related(relation, "RelatingClassification")
        if reference is None:
            continue
        rows = set()
        for thing in members(relation, "RelatedObjects"):
            if thing.id() in model.row:
                rows.add(model.row[thing.id()])
            rows.update(of_type.get(text(thing, "GlobalId") or "", ()))
        place = _reference_branch(reference, builder, 0)
        for row in sorted(rows - set(builder.branches[place].rows)):
            builder.hang(place, row)
    return _with_rest(model, builder) if any(branch.rows for branch in builder.branches) else []


def _reference_branch(reference: entity_instance, builder: _Builder, depth: int) -> int:
    if reference.is_a("IfcClassification"):
        name = text(reference, "Name") or "IfcClassification"
        return builder.branch(("system", name), lambda: Branch("IfcClassification", name))
    code, name = reference_code(reference), text(reference, "Name") or ""
    key = ("reference", classification_system(reference), code, name)

    def make() -> Branch:
        source = related(reference, "ReferencedSource")
        parent = -1 if source is None or depth > CHAIN_DEPTH else _reference_branch(source, builder, depth + 1)
        title = " ".join(part for part in (code, name) if part)
        return Branch("IfcClassificationReference", title or "–", "", parent)

    return builder.branch(key, make)
