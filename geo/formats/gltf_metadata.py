"""Attributes of features in glTF: property tables of EXT_structural_metadata, named by EXT_mesh_features."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

NUMBERS = {
    "INT8": "i1", "UINT8": "u1", "INT16": "<i2", "UINT16": "<u2", "INT32": "<i4", "UINT32": "<u4", "INT64": "<i8",
    "UINT64": "<u8", "FLOAT32": "<f4", "FLOAT64": "<f8",
}  # fmt: skip
MOST_ROWS = 5_000_000
View = Callable[[Any], tuple[Any, int]]


class Metadata:
    """Property tables of one document; each is read once."""

    def __init__(self, document: Mapping[str, Any], view: View) -> None:
        found = (document.get("extensions") or {}).get("EXT_structural_metadata")
        self.found: Mapping[str, Any] = found if isinstance(found, dict) else {}
        self.view = view
        self.tables: dict[int, dict[str, list[Any]]] = {}
        self.left_out: set[str] = set()

    def of_primitive(self, primitive: Mapping[str, Any]) -> tuple[str, dict[str, list[Any]]]:
        """Name of the vertex attribute with feature numbers (``""`` without), and the attributes by number."""
        extension = (primitive.get("extensions") or {}).get("EXT_mesh_features") or {}
        for entry in extension.get("featureIds") or []:
            if entry.get("attribute") is not None:
                table = entry.get("propertyTable")
                return f"_FEATURE_ID_{int(entry['attribute'])}", {} if table is None else self.table(int(table))
        return "", {}

    def table(self, number: int) -> dict[str, list[Any]]:
        """Columns of a property table as lists."""
        if number not in self.tables:
            tables = self.found["propertyTables"]
            if not 0 <= number < len(tables):
                raise ValueError("it names a property table that does not exist")
            self.tables[number] = self._columns(tables[number])
        return self.tables[number]

    def _columns(self, table: Mapping[str, Any]) -> dict[str, list[Any]]:
        count = int(table["count"])
        if not 0 <= count <= MOST_ROWS:
            raise ValueError(f"a property table claims {count} rows")
        schema = self.found.get("schema") or {}
        described = ((schema.get("classes") or {}).get(table.get("class")) or {}).get("properties") or {}
        out: dict[str, list[Any]] = {}
        for name, stored in (table.get("properties") or {}).items():
            column = self._column(described.get(name) or {}, stored, count, schema)
            if column is None:
                self.left_out.add(str(name))
            else:
                out[str(name)] = column
        return out

    def _column(
        self, said: Mapping[str, Any], stored: Mapping[str, Any], count: int, schema: Mapping[str, Any]
    ) -> list[Any] | None:
        """Values of one property; None for sorts without a single value per feature (vectors, lists)."""
        if said.get("array"):
            return None
        sort = said.get("type")
        no_data = said.get("noData")
        if sort == "SCALAR":
            values = self._numbers(stored["values"], NUMBERS[said["componentType"]], count)
            if said.get("normalized"):
                values = values / np.iinfo(values.dtype).max
            listed = (values * float(said.get("scale", 1)) + float(said.get("offset", 0))).tolist() if (
                "scale" in said or "offset" in said) else values.tolist()  # fmt: skip
        elif sort == "BOOLEAN":
            data = self._numbers(stored["values"], "u1", (count + 7) // 8)
            listed = np.unpackbits(data, bitorder="little")[:count].astype(bool).tolist()
        elif sort == "STRING":
            listed = self._texts(stored, count)
        elif sort == "ENUM":
            enum = (schema.get("enums") or {})[said["enumType"]]
            names = {int(value["value"]): str(value["name"]) for value in enum["values"]}
            codes = self._numbers(stored["values"], NUMBERS[enum.get("valueType", "UINT16")], count)
            listed = [names.get(code) for code in codes.tolist()]
        else:
            return None
        return listed if no_data is None else [None if value == no_data else value for value in listed]

    def _numbers(self, view: Any, kind: str, count: int) -> NDArray[Any]:
        data, _ = self.view(view)
        if np.dtype(kind).itemsize * count > len(data):
            raise ValueError("a property is shorter than its table")
        return np.frombuffer(data, kind, count)

    def _texts(self, stored: Mapping[str, Any], count: int) -> list[str]:
        offsets = self._numbers(stored["stringOffsets"], NUMBERS[stored.get("stringOffsetType", "UINT32")], count + 1)
        data = bytes(self.view(stored["values"])[0])
        places = offsets.astype(np.int64)
        if (np.diff(places) < 0).any() or (count and (places[0] < 0 or places[-1] > len(data))):
            raise ValueError("the texts of a property reach beyond its data")
        return [data[a:b].decode("utf-8", "replace") for a, b in zip(places[:-1], places[1:], strict=True)]
