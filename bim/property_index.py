"""All property values of a model in columns, for filters: dictionary-coded, a few megabytes for 60,000 elements.

A value is three numbers: which property (``key``), which element (``product``), which of the different values
(``value``). The rows of one key lie together, so a condition on one property looks at its rows only.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bim.attributes import by_type, members, related, text
from bim.elements import element_ids, read_storeys
from bim.hierarchy import listed_products
from bim.measures import Measures
from bim.properties import (
    Property,
    Value,
    attributes_of,
    classifications_of,
    definitions_of,
    material_names,
    set_group,
)
from geo.model import Feedback, UserError
from geo.store import write_atomically

if TYPE_CHECKING:
    import ifcopenshell
    from ifcopenshell import entity_instance

VERSION = 1
ATTRIBUTES = ""  # set name of what every element has: Class, Name, Storey, Type, Material ...
STEP_EVERY = 500
IDENTITY = ("GlobalId", "OwnerHistory")
NUMBER, TEXT, YES_NO = 0, 1, 2


class Key(NamedTuple):
    """A property: the set it is in (``""`` for attributes), its name and the unit of its values."""

    set: str
    name: str
    unit: str


@dataclass(frozen=True, eq=False)
class PropertyIndex:
    """Values of all properties.

    Attributes
    ----------
    ids : tuple of str
        GlobalIds of the products, one row each.
    keys : tuple of Key
    first : (keys + 1,) int64
        Where the rows of each key begin.
    product, value : (n,) uint32
        Row of the product, and number of the value.
    kinds : (values,) uint8
        0 number, 1 text, 2 yes or no.
    numbers : (values,) float64
        NaN for texts; 1 and 0 for yes and no.
    texts : tuple of str
        Of each value, as it is written.
    """

    ids: tuple[str, ...]
    keys: tuple[Key, ...]
    first: NDArray[np.int64]
    product: NDArray[np.uint32]
    value: NDArray[np.uint32]
    kinds: NDArray[np.uint8]
    numbers: NDArray[np.float64]
    texts: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.product)

    @cached_property
    def row_of(self) -> dict[str, int]:
        """Row of each product."""
        return {element: row for row, element in enumerate(self.ids)}

    def rows(self, key: int) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
        """Products that have a property, and the numbers of their values."""
        part = slice(int(self.first[key]), int(self.first[key + 1]))
        return self.product[part], self.value[part]


def build_index(file: ifcopenshell.file, feedback: Feedback) -> PropertyIndex:
    """Look at every element, every property set once."""
    collector = _Collector(file)
    feedback.step(0.0, "reading properties")
    collector.add_attributes(feedback.part(0.0, 0.4))
    collector.add_sets(feedback.part(0.4, 0.7))
    collector.add_type_sets(feedback.part(0.7, 0.9))
    collector.add_associations(feedback.part(0.9, 0.95))
    return collector.finish()


class _Collector:
    """Gathers numbers of products, keys and values; what comes first for a product and key stands."""

    def __init__(self, file: ifcopenshell.file) -> None:
        self._file, self._measures = file, Measures(file)
        self._products = listed_products(file)
        self._row = {product.id(): row for row, product in enumerate(self._products)}
        self._keys: dict[Key, int] = {}
        self._values: dict[tuple[int, Value], int] = {}
        self._product: list[int] = []
        self._key: list[int] = []
        self._value: list[int] = []
        self._known: dict[int, list[tuple[int, int]]] = {}
        self._type_names: dict[int, str] = {}

    def _pair(self, set_name: str, row: Property) -> tuple[int, int] | None:
        """Numbers of a key and a value, or None where there is no value."""
        value = row.value
        if value is None or value == "":
            return None
        key = self._keys.setdefault(Key(set_name, row.name, row.unit), len(self._keys))
        kind = YES_NO if isinstance(value, bool) else TEXT if isinstance(value, str) else NUMBER
        return key, self._values.setdefault((kind, value), len(self._values))

    def _add(self, product: int, pair: tuple[int, int] | None) -> None:
        if pair is not None:
            self._product.append(product)
            self._key.append(pair[0])
            self._value.append(pair[1])

    def add_attributes(self, feedback: Feedback) -> None:
        """Class, attributes and storey of every product."""
        storeys = read_storeys(self._file, 1.0)
        for row, product in enumerate(self._products):
            if row % STEP_EVERY == 0:
                feedback.step(row / len(self._products), "reading properties")
            self._add(row, self._pair(ATTRIBUTES, Property("Class", product.is_a())))
            for item in attributes_of(product, self._measures):
                if item.name not in IDENTITY:
                    self._add(row, self._pair(ATTRIBUTES, item))
            storey = storeys.of(product)
            if storey is not None and storey != product:
                self._add(row, self._pair(ATTRIBUTES, Property("Storey", text(storey, "Name") or "")))

    def _set_pairs(self, definition: entity_instance) -> list[tuple[int, int]]:
        """Keys and values of a property set, worked out once."""
        found = self._known.get(definition.id())
        if found is None:
            group = set_group(definition, self._measures)
            pairs = (self._pair(group.name, row) for row in group.rows)
            found = self._known[definition.id()] = [pair for pair in pairs if pair is not None]
        return found

    def _rows(self, things: Iterable[entity_instance]) -> list[int]:
        return [self._row[thing.id()] for thing in things if thing.id() in self._row]

    def add_sets(self, feedback: Feedback) -> None:
        """Property sets and quantities of the elements themselves."""
        relations = by_type(self._file, "IfcRelDefinesByProperties")
        for number, relation in enumerate(relations):
            if number % STEP_EVERY == 0:
                feedback.step(number / len(relations), "reading properties")
            rows = self._rows(members(relation, "RelatedObjects"))
            for definition in definitions_of(relation) if rows else ():
                pairs = self._set_pairs(definition)
                for row in rows:
                    for pair in pairs:
                        self._add(row, pair)

    def add_type_sets(self, feedback: Feedback) -> None:
        """What types say; it stands where the element itself says nothing."""
        relations = by_type(self._file, "IfcRelDefinesByType")
        for number, relation in enumerate(relations):
            feedback.step(number / len(relations), "reading properties")
            kind, rows = related(relation, "RelatingType"), self._rows(members(relation, "RelatedObjects"))
            name = self._pair(ATTRIBUTES, Property("Type", text(kind, "Name")))
            pairs = [pair for d in members(kind, "HasPropertySets") for pair in self._set_pairs(d)]
            for row in rows:
                for pair in (name, *pairs):
                    self._add(row, pair)

    def add_associations(self, feedback: Feedback) -> None:
        """Materials, classifications, systems and groups."""
        feedback.step(0.0, "reading properties")
        of_type: dict[int, list[int]] = {}
        for relation in by_type(self._file, "IfcRelDefinesByType"):
            kind = related(relation, "RelatingType")
            if kind is not None:
                of_type.setdefault(kind.id(), []).extend(self._rows(members(relation, "RelatedObjects")))

        def rows_of(relation: entity_instance) -> list[int]:
            things = members(relation, "RelatedObjects")
            return [*self._rows(things), *(row for t in things for row in of_type.get(t.id(), ()))]

        for relation in by_type(self._file, "IfcRelAssociatesMaterial"):
            material = related(relation, "RelatingMaterial")
            words = ", ".join(material_names(material)) if material is not None else ""
            self._add_all(rows_of(relation), Property("Material", words))
        for thing, row in [(t, r) for r, t in enumerate(self._products) if members(t, "HasAssociations")]:
            for item in classifications_of(thing, None):
                self._add(row, self._pair(ATTRIBUTES, Property("Classification", item.value)))
        for relation in by_type(self._file, "IfcRelAssignsToGroup"):
            group = related(relation, "RelatingGroup")
            title = "System" if group is not None and group.is_a("IfcSystem") else "Group"
            self._add_all(self._rows(members(relation, "RelatedObjects")), Property(title, text(group, "Name")))

    def _add_all(self, rows: Sequence[int], item: Property) -> None:
        pair = self._pair(ATTRIBUTES, item)
        for row in rows:
            self._add(row, pair)

    def finish(self) -> PropertyIndex:
        """Rows sorted by key, one per product and key."""
        product, key, value = (np.array(c, dtype=np.int64) for c in (self._product, self._key, self._value))
        _, kept = np.unique(key * max(len(self._products), 1) + product, return_index=True)
        counts = np.bincount(key[kept], minlength=len(self._keys))
        values = list(self._values)
        return PropertyIndex(
            tuple(element_ids(self._file, [p.id() for p in self._products])),
            tuple(self._keys),
            np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            product[kept].astype(np.uint32),
            value[kept].astype(np.uint32),
            np.array([kind for kind, _ in values], dtype=np.uint8),
            np.array([np.nan if isinstance(v, str) or v is None else float(v) for _, v in values], dtype=np.float64),
            tuple(_written(v) for _, v in values),
        )


def _written(value: Value) -> str:
    return value if isinstance(value, str) else json.dumps(value)


# ---- on disk ------------------------------------------------------------------------------------------------------


def write_index(path: Path, index: PropertyIndex) -> None:
    """Write an index as an archive of plain arrays."""
    head = json.dumps({"version": VERSION, "keys": index.keys}).encode()
    arrays = {
        "head": np.frombuffer(head, np.uint8),
        "first": index.first,
        "product": index.product,
        "value": index.value,
        "kinds": index.kinds,
        "numbers": index.numbers,
        **_packed("ids", index.ids),
        **_packed("texts", index.texts),
    }
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    write_atomically(path, lambda file: file.write(buffer.getbuffer()))


def _packed(name: str, texts: Sequence[str]) -> dict[str, NDArray[np.generic]]:
    pieces = [item.encode("utf-8", "surrogatepass") for item in texts]
    ends = np.cumsum([len(piece) for piece in pieces], dtype=np.int64)
    return {name: np.frombuffer(b"".join(pieces), np.uint8), f"{name}_ends": ends}


def _unpacked(buffer: NDArray[np.uint8], ends: NDArray[np.int64]) -> tuple[str, ...]:
    whole, found, start = buffer.tobytes(), [], 0
    for end in ends.tolist():
        found.append(whole[start:end].decode("utf-8", "surrogatepass"))
        start = end
    return tuple(found)


def read_index(path: Path) -> PropertyIndex:
    """The index in a file made by `write_index`. Raises `UserError` when it is not whole."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            head = json.loads(stored["head"].tobytes())
            if head["version"] != VERSION:
                raise ValueError(f"version {head['version']}")
            index = PropertyIndex(
                _unpacked(stored["ids"], stored["ids_ends"]),
                tuple(Key(*key) for key in head["keys"]),
                *(stored[name] for name in ("first", "product", "value", "kinds", "numbers")),
                _unpacked(stored["texts"], stored["texts_ends"]),
            )
        _check(index)
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(
            f"{path.name} cannot be read.",
            f"It is not a whole index of properties ({error}).",
            "Delete it; it is made again from the model.",
            code="model.index_broken",
            values={"name": path.name, "reason": str(error)},
        ) from error
    return index


def _check(index: PropertyIndex) -> None:
    """Refuse numbers that point to nothing."""
    n = len(index.product)
    whole = len(index.first) == len(index.keys) + 1 and len(index.value) == n and int(index.first[-1]) == n
    whole = whole and len(index.kinds) == len(index.numbers) == len(index.texts)
    if whole and n:
        whole = int(index.product.max()) < len(index.ids) and int(index.value.max()) < len(index.texts)
    if not whole or bool((np.diff(index.first) < 0).any()):
        raise ValueError("its parts do not fit together")
