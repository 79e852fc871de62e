"""Attributes of city objects to the columns of an element table, and back to JSON values."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson

from geo.formats.city_objects import MAX_IDS, CityObject
from geo.model import Column, ElementTable, Feedback, Issue, UserError

# Columns of our own; an attribute of the same name is kept under another key, with its name as title.
OBJECT_TYPE, PARENT, LOD = "object_type", "parent", "lod"
OWN_COLUMNS = (OBJECT_TYPE, PARENT, LOD)
MAX_ANCESTORS = 32
EXACT_INTEGER = 2**53


def refuse_cyclic_parents(objects: Mapping[str, CityObject], name: str) -> None:
    """Raise `UserError` when an object is its own ancestor: what belongs to what is then anybody's guess."""
    family = Family(objects)
    clear: set[str] = set()
    for start, item in objects.items():
        way: list[str] = []
        current: str | None = start if family.parent(item) is not None else None
        while current is not None and current not in clear and current in objects:
            if current in way:
                loop = " -> ".join([*way[way.index(current) :], current][:6])
                raise UserError(
                    f"{name} has an object that is its own ancestor.",
                    f"Its parents go round in a circle: {loop}.",
                    "The file is damaged; export it again from the program that made it.",
                    code="cityjson.cyclic_parent",
                    values={"name": name, "loop": loop},
                )
            way.append(current)
            current = family.parent(objects[current])
        clear.update(way)


@dataclass
class Family:
    """Parents of objects, what is inherited from them, and doubts about them."""

    objects: Mapping[str, CityObject]
    cyclic: list[str] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)

    def parent(self, item: CityObject) -> str | None:
        """Id of the first parent, None without one."""
        parents = item.data.get("parents")
        first = parents[0] if isinstance(parents, list) and parents else None
        return first if isinstance(first, str) else None

    def attributes(self, item: CityObject) -> dict[str, Any]:
        """Attributes of an object and, where it lacks them, of its ancestors."""
        chain = [_attributes(item)]
        seen, parent = {item.id}, self.parent(item)
        while parent is not None:
            if parent in seen or len(chain) > MAX_ANCESTORS:
                self.cyclic.append(item.id)
                break
            above = self.objects.get(parent)
            if above is None:
                self.orphans.append(item.id)
                break
            seen.add(parent)
            chain.append(_attributes(above))
            parent = self.parent(above)
        if len(chain) == 1:
            return chain[0]
        return {name: value for attributes in reversed(chain) for name, value in attributes.items()}

    def issues(self) -> list[Issue]:
        """Doubts met so far."""
        found = []
        if self.cyclic:
            message = f"Objects that are their own ancestors and inherit nothing beyond the loop: {len(self.cyclic)}."
            ids = tuple(self.cyclic[:MAX_IDS])
            found.append(Issue("city.cyclic_parent", message, "doubt", len(self.cyclic), ids))
        if self.orphans:
            message = f"Objects whose parent is not in the file: {len(self.orphans)}."
            ids = tuple(self.orphans[:MAX_IDS])
            found.append(Issue("city.parent_missing", message, "note", len(self.orphans), ids))
        return found


def _attributes(item: CityObject) -> dict[str, Any]:
    attributes = item.data.get("attributes")
    attributes = attributes if isinstance(attributes, dict) else {}
    if "address" in item.data and "address" not in attributes:
        return {**attributes, "address": item.data["address"]}
    return attributes


def table_of(
    items: Sequence[CityObject], lods: Sequence[str], family: Family, feedback: Feedback, units: Mapping[str, str]
) -> ElementTable:
    """One row per object: type, parent, level of detail and every attribute, with its unit where that is known."""
    columns = {
        OBJECT_TYPE: Column(_texts([item.type for item in items]), title="CityObject type"),
        LOD: Column(_texts(lods), title="level of detail"),
    }
    parents = [family.parent(item) for item in items]
    if any(parent is not None for parent in parents):
        columns[PARENT] = Column(_texts(parents))
    rows = [family.attributes(item) for item in items]
    names = list(dict.fromkeys(name for row in rows for name in row))
    for number, name in enumerate(names):
        feedback.step(number / len(names), "attributes")
        column = column_of([row.get(name) for row in rows])
        key = name
        while key in columns or key in OWN_COLUMNS:
            key += " (attribute)"
        columns[key] = Column(column, unit=units.get(name, ""), title=name if key != name else "")
    return ElementTable([item.id for item in items], columns)


def _texts(values: Iterable[str | None]) -> np.ndarray[Any, np.dtype[np.object_]]:
    listed = list(values)
    column = np.empty(len(listed), dtype=object)
    column[:] = listed
    return column


def column_of(values: list[Any]) -> np.ndarray[Any, Any]:
    """Numbers as float64 (int64 where all are whole), true/false as bool, everything mixed as text, None = missing."""
    kinds = set(map(type, values))
    present = kinds - {type(None)}
    if present == {bool} and len(kinds) == 1:
        return np.array(values, dtype=bool)
    if present and present <= {int, float} and _are_exact(values):
        if kinds == {int}:
            return np.array(values, dtype=np.int64)
        return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    return _texts(None if value is None else _text(value) for value in values)


def _are_exact(values: Iterable[Any]) -> bool:
    """Whether no whole number is too large for a float: such numbers are names, not amounts."""
    return all(abs(value) <= EXACT_INTEGER for value in values if type(value) is int)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        return json.dumps(value, ensure_ascii=False)


def json_value(value: Any) -> Any:
    """A table value as JSON: numbers, text, and what `column_of` had to write as text (lists, true, false)."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    if isinstance(value, str) and (value[:1] in ("{", "[") or value in ("true", "false")):
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            return value
    return value
