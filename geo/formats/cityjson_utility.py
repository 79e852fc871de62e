"""Utility networks in CityJSON: pipes as ``+UtilityPipe``, nodes as ``+UtilityNode``, by an extension of our own.

The extension file lies beside the city model. The root member ``+utilityLayers`` says which layers there are and what
their columns are, so that they can be read again as they were; every other program sees lines and points with
attributes.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from geo.formats.city_objects import CityFile, CityObject
from geo.formats.city_table import column_of, json_value
from geo.model import Column, ElementTable, Issue, Layer, Lines, Points, Source, Style

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

EXTENSION, EXTENSION_VERSION = "UtilityNetwork", "1.0"
PIPE, NODE = "+UtilityPipe", "+UtilityNode"
LAYERS = "+utilityLayers"
LAYER, ELEMENT = "utilityLayer", "elementId"  # attributes: which layer; the id where the file had to change it
LOD = "1"
STRATA = ("outdoor", "indoor", "underground")


def is_network(layer: Layer) -> bool:
    """Whether a layer is written by this extension."""
    return layer.theme == "utility" and isinstance(layer.geometry, Lines | Points)


def add_network(objects: dict[str, dict[str, Any]], layer: Layer, number: Indices, ids: Sequence[str]) -> None:
    """Add the elements of a network layer to the city objects.

    Parameters
    ----------
    number : (n,) int
        Vertex of the file for each vertex of the layer.
    ids : sequence of str
        Free ids, one for each element.
    """
    shape = layer.geometry
    parts: list[list[Any]] = [[] for _ in ids]
    if isinstance(shape, Lines):
        for line, row in enumerate(shape.line_element.tolist()):
            parts[row].append(number[shape.offsets[line] : shape.offsets[line + 1]].tolist())
    elif isinstance(shape, Points):
        for vertex, row in zip(number.tolist(), shape.element.tolist(), strict=True):
            parts[row].append(vertex)
    lines = isinstance(shape, Lines)
    kind = "MultiLineString" if lines else "MultiPoint"
    for row, (name, boundaries) in enumerate(zip(ids, parts, strict=True)):
        values = layer.table.row_at(row)
        attributes = {key: plain for key, value in values.items() if (plain := json_value(value)) is not None}
        attributes[LAYER] = layer.id
        if str(layer.table.ids[row]) != name:
            attributes[ELEMENT] = str(layer.table.ids[row])
        data: dict[str, Any] = {"type": PIPE if lines else NODE, "attributes": attributes}
        if boundaries:
            data["geometry"] = [{"type": kind, "lod": LOD, "boundaries": boundaries}]
        objects[name] = data


def describe(layers: Sequence[Layer]) -> dict[str, Any]:
    """Members of the document's root that the extension adds."""
    told = {
        layer.id: {
            "name": layer.name,
            "kind": layer.kind,
            "stratum": layer.stratum,
            "visible": layer.style.visible,
            "columns": {
                key: {"type": _type_of(column), "unit": column.unit, "title": column.title}
                for key, column in layer.table.columns.items()
            },
        }
        for layer in layers
    }
    named = {EXTENSION: {"url": f"{EXTENSION}.ext.json", "version": EXTENSION_VERSION}}
    return {"extensions": named, LAYERS: told}


def _type_of(column: Column) -> str:
    return {"f": "number", "i": "integer", "b": "boolean"}.get(column.values.dtype.kind, "string")


def write_schema(folder: Path) -> None:
    """The extension file beside the city model, as CityJSON 2.0 asks for it."""
    target = folder / f"{EXTENSION}.ext.json"
    draft = target.with_name(target.name + ".part")
    draft.write_bytes(orjson.dumps(_schema(), option=orjson.OPT_INDENT_2))
    os.replace(draft, target)


def _schema() -> dict[str, Any]:
    def object_type(name: str, kind: str) -> dict[str, Any]:
        geometry = {"type": "array", "items": {"$ref": f"geomprimitives.schema.json#/{kind}"}}
        return {
            "allOf": [
                {"$ref": "cityobjects.schema.json#/_AbstractCityObject"},
                {"properties": {"type": {"enum": [name]}, "geometry": geometry}, "required": ["type"]},
            ]
        }

    column = {"type": "object", "properties": {key: {"type": "string"} for key in ("type", "unit", "title")}}
    layer = {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "kind": {"enum": ["lines", "points"]},
            "stratum": {"enum": list(STRATA)},
            "visible": {"type": "boolean"},
            "columns": {"type": "object", "additionalProperties": column},
        },
    }
    return {
        "type": "CityJSONExtension",
        "name": EXTENSION,
        "url": f"{EXTENSION}.ext.json",
        "version": EXTENSION_VERSION,
        "versionCityJSON": "2.0",
        "description": "Pipes and cables as lines along their axis, manholes, valves and the like as points.",
        "extraAttributes": {},
        "extraCityObjects": {PIPE: object_type(PIPE, "MultiLineString"), NODE: object_type(NODE, "MultiPoint")},
        "extraRootProperties": {LAYERS: {"type": "object", "additionalProperties": layer}},
        "extraSemanticSurfaces": {},
    }


# Reading


def take_networks(file: CityFile) -> list[CityObject]:
    """Take the objects of networks out of a file; they are no surfaces."""
    found = [item for item in file.objects if item.type in (PIPE, NODE)]
    if found:
        file.objects = [item for item in file.objects if item.type not in (PIPE, NODE)]
    return found


def network_layers(items: Sequence[CityObject], file: CityFile, local: Floats) -> list[Layer]:
    """The layers of network objects; those that cannot be drawn keep their row.

    Parameters
    ----------
    local : (n, 3) float64 [local m]
        Vertices of the file.
    """
    told = file.roots.get(LAYERS)
    told = told if isinstance(told, Mapping) else {}
    groups: dict[tuple[str, bool], list[CityObject]] = {}
    for item in items:
        key = str(_attributes(item).get(LAYER, "pipes" if item.type == PIPE else "nodes"))
        groups.setdefault((key, item.type == PIPE), []).append(item)
    layers = []
    for (key, is_pipe), members in groups.items():
        described = told.get(key)
        layers.append(_layer(key, is_pipe, members, described if isinstance(described, Mapping) else {}, local))
    return layers


def _attributes(item: CityObject) -> Mapping[str, Any]:
    found = item.data.get("attributes")
    return found if isinstance(found, Mapping) else {}


def _layer(key: str, is_pipe: bool, items: Sequence[CityObject], told: Mapping[str, Any], local: Floats) -> Layer:
    parts, owner, bad = [], [], []
    for row, item in enumerate(items):
        for part in _parts(item, is_pipe, len(local)):
            points = local[np.array(part, dtype=np.int64) + item.first]
            if len(part) < (2 if is_pipe else 1) or not np.isfinite(points).all():
                bad.append(item.id)
                continue
            parts.append(points)
            owner.append(row)
    vertices = np.concatenate(parts) if parts else np.zeros((0, 3))
    rows = np.array(owner, dtype=np.int32)
    if is_pipe:
        offsets = np.concatenate([[0], np.cumsum([len(part) for part in parts])]).astype(np.int32)
        shape: Lines | Points = Lines(vertices, offsets, rows)
    else:
        shape = Points(vertices, rows)
    stratum = told.get("stratum") if told.get("stratum") in STRATA else "underground"
    issues: tuple[Issue, ...] = ()
    if bad:
        message = f"Lines or points of the network that cannot be read: {len(bad)}."
        issues = (Issue("cityjson.bad_network", message, "error", len(bad), tuple(bad[:50])),)
    return Layer(
        key,
        str(told.get("name") or key),
        "utility",
        shape,
        _table(items, told),
        style=Style(visible=told.get("visible") is not False),
        stratum=stratum,  # type: ignore[arg-type]
        source=Source(part=key),
        issues=issues,
    )


def _parts(item: CityObject, is_pipe: bool, count: int) -> list[list[int]]:
    """Lists of vertex numbers of an object; empty lists for what is damaged."""
    kind = "MultiLineString" if is_pipe else "MultiPoint"
    listed = item.data.get("geometry")
    found: list[list[int]] = []
    for geometry in listed if isinstance(listed, list) else ():
        if not isinstance(geometry, dict) or geometry.get("type") != kind:
            continue
        boundaries = geometry.get("boundaries")
        parts = boundaries if is_pipe else [[vertex] for vertex in boundaries or ()]
        for part in parts if isinstance(parts, list) else ():
            whole = isinstance(part, list) and all(type(v) is int and 0 <= v < item.count for v in part)
            found.append(part if whole else [])
    return found


def _table(items: Sequence[CityObject], told: Mapping[str, Any]) -> ElementTable:
    rows = [_attributes(item) for item in items]
    names = list(dict.fromkeys(name for row in rows for name in row if name not in (LAYER, ELEMENT)))
    said = told.get("columns")
    said = said if isinstance(said, Mapping) else {}
    columns = {}
    for name in [*said, *(name for name in names if name not in said)]:
        about = said.get(name)
        about = about if isinstance(about, Mapping) else {}
        values = _typed([row.get(name) for row in rows], str(about.get("type", "")))
        columns[str(name)] = Column(values, str(about.get("unit") or ""), str(about.get("title") or ""))
    ids = [str(row.get(ELEMENT, item.id)) for item, row in zip(items, rows, strict=True)]
    return ElementTable(ids, columns)


def _typed(values: list[Any], kind: str) -> NDArray[Any]:
    """A column of the type that was written, where the values still are of it."""
    found = column_of(values)
    if kind == "number" and all(value is None or type(value) in (int, float) for value in values):
        return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    return found
