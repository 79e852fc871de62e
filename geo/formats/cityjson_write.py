"""Mesh layers to CityJSON 2.0, or CityJSONSeq for names that end in ``.jsonl``; both packed with ``.gz``."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from geo import crs as coordinates
from geo.formats.city_layers import GROUND, PLAIN_SEMANTICS, ROOF, WALL
from geo.formats.city_table import LOD, OBJECT_TYPE, OWN_COLUMNS, PARENT, json_value
from geo.formats.cityjson_text import collector_paused
from geo.formats.cityjson_utility import add_network, describe, is_network, write_schema
from geo.model import ElementTable, Feedback, Frame, Instances, Issue, Layer, Mesh, UserError, unique_rows

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

SCALE = 0.001  # [m]
DEFAULT_LOD = "2"
TYPE_OF_THEME = {
    "building": "Building",
    "road": "Road",
    "rail": "Railway",
    "water": "WaterBody",
    "tree": "SolitaryVegetationObject",
    "terrain": "TINRelief",
    "furniture": "CityFurniture",
}
SEMANTIC_OF_SURFACE = {ROOF: "RoofSurface", WALL: "WallSurface", GROUND: "GroundSurface"}
# Second-level types cannot stand alone; their parent is of this type where the layer does not hold it.
PARENT_TYPE = {"Building": "Building", "Bridge": "Bridge", "Tunnel": "Tunnel"}
ATTRIBUTE_MARK = " (attribute)"


def write(path: Path, layers: Sequence[Layer], frame: Frame, feedback: Feedback) -> None:
    """Write the elements of mesh and instance layers as city objects, rounded to millimetres.

    Pipes and nodes of utility networks are written by an extension, whose file lies beside. Heights are those of the
    project. The file appears only when it is complete.
    """
    with collector_paused():
        _write(path, layers, frame, feedback)


def _write(path: Path, layers: Sequence[Layer], frame: Frame, feedback: Feedback) -> None:
    usable, meshes, left_out = [], [], []
    networks = [layer for layer in layers if is_network(layer)]
    for layer in layers:
        if isinstance(layer.geometry, Mesh | Instances):
            usable.append(layer)
            meshes.append(layer.geometry.baked() if isinstance(layer.geometry, Instances) else layer.geometry)
        elif not is_network(layer):
            left_out.append(layer.name)
    if not usable and not networks:
        raise UserError(
            "There is nothing to write as CityJSON.",
            "CityJSON holds buildings, other bodies and utility networks; none of the chosen layers has any.",
            "Choose layers with surfaces or pipes, or another format.",
            code="cityjson.nothing_to_write",
        )
    shapes = [*meshes, *(layer.geometry for layer in networks)]
    points = np.concatenate([frame.to_map(shape.vertices) for shape in shapes])  # type: ignore[union-attr]
    translate = np.floor(points.min(axis=0)) if len(points) else np.zeros(3)
    rounded = np.rint((points - translate) / SCALE).astype(np.int64)
    vertices, _, number, _ = unique_rows(rounded)
    feedback.step(0.3, "objects")
    objects: dict[str, dict[str, Any]] = {}
    start, lost = 0, 0
    for step, (layer, mesh) in enumerate(zip(usable, meshes, strict=True)):
        feedback.step(0.3 + 0.4 * step / len(usable), layer.name)
        faces = number[mesh.faces.astype(np.int64) + start]
        start += len(mesh.vertices)
        lost += _add_layer(objects, layer, mesh, faces)
    _link_families(objects)
    for layer in networks:
        size = len(layer.geometry.vertices)  # type: ignore[union-attr]
        add_network(objects, layer, number[start : start + size], _free_ids(objects, layer.table))
        start += size
    if left_out:
        named = ", ".join(left_out)
        message = f"Layers without surfaces or pipes, not written: {named}."
        feedback.note(Issue("cityjson.not_written", message, "doubt", len(left_out), values={"layers": named}))
    if lost:
        message = f"Triangles smaller than a millimetre, not written: {lost}."
        feedback.note(Issue("cityjson.too_small", message, "note", lost))
    document = _document(objects, vertices, translate, frame)
    if networks:
        document |= describe(networks)
    feedback.step(0.8, "writing")
    _save(path, document)
    if networks:
        write_schema(path.parent)
    feedback.step(1.0, "done")


def _add_layer(objects: dict[str, dict[str, Any]], layer: Layer, mesh: Mesh, faces: Indices) -> int:
    """Add the elements of a layer; returns how many triangles vanished in rounding."""
    a, b, c = faces.T
    kept = (a != b) & (b != c) & (c != a)
    element = mesh.face_element[kept].astype(np.int64)
    order = np.argsort(element, kind="stable")
    element, faces = element[order], faces[kept][order]
    count = len(layer.table) or (int(element.max()) + 1 if len(element) else 0)
    table = layer.table if len(layer.table) else ElementTable([f"{layer.id}-{row + 1}" for row in range(count)])
    limits = np.searchsorted(element, np.arange(count + 1))
    closed = _closed(faces, element, count)
    names, codes = _semantics(layer, kept, order)
    free = _free_ids(objects, table)
    for row in range(count):
        data = _object(layer, table, row)
        part = slice(int(limits[row]), int(limits[row + 1]))
        if part.start < part.stop:
            lod = data.pop(LOD)
            data["geometry"] = [_geometry(data["type"], faces[part], bool(closed[row]), lod, names, codes[part])]
        data.pop(LOD, None)
        objects[free[row]] = data
    return int((~kept).sum())


def _free_ids(objects: dict[str, dict[str, Any]], table: ElementTable) -> list[str]:
    """Ids of the table; one that another layer has used already gets a number."""
    found = []
    taken = set(objects)
    for element_id in table.ids.tolist():
        wish, number = element_id, 2
        while wish in taken:
            wish, number = f"{element_id}-{number}", number + 1
        taken.add(wish)
        found.append(wish)
    return found


def _object(layer: Layer, table: ElementTable, row: int) -> dict[str, Any]:
    """Type, attributes, parent and (to be taken out again) level of detail of one element."""
    values = table.row_at(row)
    own = values.get(OBJECT_TYPE)
    data: dict[str, Any] = {
        "type": own if isinstance(own, str) else TYPE_OF_THEME.get(layer.theme, "GenericCityObject")
    }
    attributes = {}
    for name, value in values.items():
        plain = None if name in OWN_COLUMNS else json_value(value)
        if plain is not None:
            attributes[name.removesuffix(ATTRIBUTE_MARK)] = plain
    if attributes:
        data["attributes"] = attributes
    parent = values.get(PARENT)
    if isinstance(parent, str) and parent:
        data["parents"] = [parent]
    lod = values.get(LOD)
    data[LOD] = lod if isinstance(lod, str) and lod else DEFAULT_LOD
    return data


def _semantics(layer: Layer, kept: NDArray[np.bool_], order: Indices) -> tuple[list[str], Indices]:
    """Names of semantic surfaces and the code of each face (-1 none), from the exact names or roof, wall, ground."""
    exact, plain = layer.field_named("semantic"), layer.field_named("surface")
    names = list(exact.categories) if exact is not None and exact.on == "face" else []
    codes = np.full(len(kept), -1, dtype=np.int64)
    if names and exact is not None and len(exact.values) == len(kept):
        codes[:] = exact.values
    elif plain is not None and plain.on == "face" and len(plain.values) == len(kept):
        names = list(PLAIN_SEMANTICS)
        for code, name in SEMANTIC_OF_SURFACE.items():
            codes[plain.values == code] = names.index(name)
    return names, codes[kept][order]


def _geometry(
    object_type: str, faces: Indices, closed: bool, lod: str, names: list[str], codes: Indices
) -> dict[str, Any]:
    """Triangles as a solid where they enclose a volume without gaps, else as surfaces."""
    surfaces = faces[:, None, :].tolist()
    solid = closed and object_type != "TINRelief"
    kind = "CompositeSurface" if object_type == "TINRelief" else "Solid" if solid else "MultiSurface"
    geometry: dict[str, Any] = {"type": kind, "lod": lod, "boundaries": [surfaces] if solid else surfaces}
    used = np.unique(codes[codes >= 0])
    if len(used):
        values = [None if code < 0 else int(np.searchsorted(used, code)) for code in codes.tolist()]
        geometry["semantics"] = {
            "surfaces": [{"type": names[code]} for code in used.tolist()],
            "values": [values] if solid else values,
        }
    return geometry


def _closed(faces: Indices, element: Indices, count: int) -> NDArray[np.bool_]:
    """(count,) whether the triangles of each element are watertight: every edge has its opposite exactly once."""
    start = faces.reshape(-1)
    end = np.roll(faces, -1, axis=1).reshape(-1)
    owner = np.repeat(element, 3)
    turn = np.where(start < end, 1, -1)
    edge = np.stack([owner, np.minimum(start, end), np.maximum(start, end)], axis=1)
    found = unique_rows(edge)
    balance = np.bincount(found.group, turn, minlength=len(found.rows))
    closed = np.bincount(element, minlength=count) > 0
    closed[found.rows[balance != 0, 0]] = False
    return closed


def _link_families(objects: dict[str, dict[str, Any]]) -> None:
    """Give parents their children; a parent that no layer holds is written without geometry."""
    for object_id in list(objects):
        if _is_own_ancestor(objects, object_id):
            del objects[object_id]["parents"]
    for object_id in list(objects):
        data = objects[object_id]
        for parent in data.get("parents", ()):
            kind = next((t for start, t in PARENT_TYPE.items() if data["type"].startswith(start)), "CityObjectGroup")
            above = objects.setdefault(parent, {"type": kind})
            above.setdefault("children", []).append(object_id)
        if "parents" not in data and data["type"] == "BuildingPart":
            data["type"] = "Building"


def _is_own_ancestor(objects: dict[str, dict[str, Any]], object_id: str) -> bool:
    seen: set[str] = set()
    parents = objects[object_id].get("parents", ())
    while parents and parents[0] not in seen:
        seen.add(parents[0])
        parents = objects.get(parents[0], {}).get("parents", ())
    return object_id in seen


def _document(objects: dict[str, dict[str, Any]], vertices: Indices, translate: Floats, frame: Frame) -> dict[str, Any]:
    extent = np.zeros(6)
    if len(vertices):
        extent = np.concatenate([vertices.min(axis=0), vertices.max(axis=0)]) * SCALE + np.tile(translate, 2)
    return {
        "type": "CityJSON",
        "version": "2.0",
        "metadata": {
            "geographicalExtent": np.round(extent, 3).tolist(),
            "referenceSystem": reference_system(frame),
        },
        "transform": {"scale": [SCALE] * 3, "translate": translate.tolist()},
        "CityObjects": objects,
        "vertices": vertices.tolist(),
    }


def reference_system(frame: Frame) -> str:
    """OGC address of the frame's system, with its height datum where one code names both; WKT where none does."""
    if frame.vertical:
        try:
            both = coordinates.crs_of(f"{coordinates.title(frame.crs)} + {frame.vertical}").to_authority()
        except UserError:
            both = None
        if both:
            return f"https://www.opengis.net/def/crs/{both[0]}/0/{both[1]}"
    authority, _, code = frame.crs.partition(":")
    return f"https://www.opengis.net/def/crs/{authority}/0/{code}" if code.isdigit() else frame.crs


def _save(path: Path, document: dict[str, Any]) -> None:
    """Write beside the target and move into place, so that a full disk leaves no half a file."""
    name = path.name.removesuffix(".gz")
    lines = _sequence(document) if name.endswith(".jsonl") else iter([orjson.dumps(document)])
    draft = path.with_name(path.name + ".part")
    try:
        with gzip.open(draft, "wb") if path.name.endswith(".gz") else draft.open("wb") as stream:
            for line in lines:
                stream.write(line + b"\n")
        os.replace(draft, path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise UserError(
            f"{path.name} cannot be written.",
            f"The system says: {error}.",
            "Choose a folder that may be written and has room.",
            code="cityjson.unwritable",
            values={"name": path.name, "error": str(error)},
        ) from error


def _sequence(document: dict[str, Any]) -> Iterator[bytes]:
    """CityJSONSeq: a line with the header, then a line for each first-level object with its children."""
    objects, vertices = document["CityObjects"], document["vertices"]
    yield orjson.dumps({**document, "CityObjects": {}, "vertices": []})
    for object_id, data in objects.items():
        if "parents" in data:
            continue
        family = {object_id: data}
        waiting = list(data.get("children", ()))
        while waiting:
            child = waiting.pop()
            if child not in family:
                family[child] = objects[child]
                waiting += objects[child].get("children", ())
        numbers: dict[int, int] = {}
        own = {key: _renumbered(value, numbers) for key, value in family.items()}
        feature = {"type": "CityJSONFeature", "id": object_id, "CityObjects": own}
        yield orjson.dumps({**feature, "vertices": [vertices[old] for old in numbers]})


def _renumbered(data: dict[str, Any], numbers: dict[int, int]) -> dict[str, Any]:
    """A copy whose boundaries count the vertices of its own feature; `numbers` grows as they appear."""
    if "geometry" not in data:
        return data

    def renumber(value: Any) -> Any:
        if isinstance(value, list):
            return [renumber(inner) for inner in value]
        return numbers.setdefault(value, len(numbers))

    return {**data, "geometry": [{**g, "boundaries": renumber(g["boundaries"])} for g in data["geometry"]]}
