"""Layers as GLB: y up as the standard wants it, with the place on the map, the elements and their attributes.

The scene's ``extras`` carry coordinate system and origin, each layer's its table. Positions are stored as float32
around the middle of each object, whose place is a double in the node's translation: millimetres survive anywhere.
"""

from __future__ import annotations

import os
import struct
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from geo.formats.gltf_colour import to_linear
from geo.formats.gltf_pipes import with_tubes
from geo.formats.mesh_file import SURFACES
from geo.model import ElementTable, Feedback, Frame, Grid, Instances, Layer, Mesh, UserError, unique_rows

Floats = NDArray[np.float64]
KEY = "sejong_twin"  # of our own entry in the extras
VERSION = 1
NODE_PER_ELEMENT = 2000  # layers with more elements are written as square blocks with feature numbers
BLOCK_M = 1000.0  # float32 steps by 0.06 mm at this distance
MOST_BYTES = 2**32 - 1024
PLAIN_COLOURS = {"roof": "#b5654a", "wall": "#e8e0d2", "ground": "#9c9c94", "other": "#cfcfc8"}


def meshes_of(layers: Sequence[Layer]) -> list[tuple[Layer, Mesh, NDArray[np.int64]]]:
    """Layers that have a surface, their triangles, and which face of the layer each triangle was (-1: none).

    Pipes become tubes.
    """
    out = []
    for layer in layers:
        geometry = layer.geometry
        if isinstance(geometry, Mesh):
            out.append((layer, geometry, np.arange(len(geometry.faces))))
            continue
        pipes = with_tubes(layer)
        if pipes is not None:
            out.append((*pipes, np.arange(len(pipes[1].faces))))
            continue
        if isinstance(geometry, Instances):
            mesh = geometry.baked()
        elif isinstance(geometry, Grid) and layer.kind == "terrain":
            mesh = geometry.surface()
        else:
            continue
        out.append((layer, mesh, np.full(len(mesh.faces), -1)))
    return [item for item in out if len(item[1].faces)]


class GlbBuilder:
    """A GLB while it grows: nodes, materials and the binary chunk."""

    def __init__(self) -> None:
        self.nodes: list[dict[str, Any]] = []
        self.meshes: list[dict[str, Any]] = []
        self.materials: list[dict[str, Any]] = []
        self.accessors: list[dict[str, Any]] = []
        self.views: list[dict[str, Any]] = []
        self.binary = bytearray()
        self._material: dict[tuple[str, str], int] = {}

    def add_values(self, values: NDArray[Any], kind: str, *, target: int = 34962, **more: Any) -> int:
        """An accessor of its own buffer view; returns its number."""
        codes = {"f4": 5126, "u4": 5125, "u2": 5123}
        self.binary += b"\0" * (-len(self.binary) % 4)
        self.views.append({"buffer": 0, "byteOffset": len(self.binary), "byteLength": values.nbytes, "target": target})
        self.binary += values.tobytes()
        if len(self.binary) > MOST_BYTES:
            raise _too_large()
        self.accessors.append(
            {
                "bufferView": len(self.views) - 1,
                "componentType": codes[values.dtype.str[1:]],
                "count": len(values),
                "type": kind,
                **more,
            }
        )
        return len(self.accessors) - 1

    def material(self, colour: str, surface: str) -> int:
        """Number of the material of a colour and, for buildings, of a sort of surface."""
        key = (colour, surface)
        if key not in self._material:
            rgb = to_linear(np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)])) if colour else np.ones(3)
            entry: dict[str, Any] = {
                "name": surface or "surface",
                "pbrMetallicRoughness": {
                    "baseColorFactor": [*rgb.tolist(), 1.0],
                    "metallicFactor": 0.0,
                    "roughnessFactor": 0.9,
                },
                "doubleSided": True,
            }
            entry["extras"] = {"surface": surface or None, "plain": bool(colour)}
            self.materials.append(entry)
            self._material[key] = len(self.materials) - 1
        return self._material[key]

    def add_primitive(
        self,
        points: Floats,
        faces: NDArray[np.int64],
        *,
        material: int | None,
        colours: NDArray[np.int32] | None = None,
        features: NDArray[np.int64] | None = None,
    ) -> dict[str, Any]:
        """Triangles with points (n, 3) in glTF axes; per-face colours and features split vertices where they meet."""
        first, vertex, index = _split(faces, [values for values in (colours, features) if values is not None])
        position = points[vertex].astype("<f4")
        attributes = {
            "POSITION": self.add_values(
                position, "VEC3", min=position.min(axis=0).tolist(), max=position.max(axis=0).tolist()
            )
        }
        if colours is not None:
            attributes["COLOR_0"] = self.add_values(
                _linear16(colours[first // 3].astype(np.int64)), "VEC4", normalized=True
            )
        if features is not None:
            attributes["_FEATURE_ID_0"] = self.add_values(features[first // 3].astype("<f4"), "SCALAR")
        index = self.add_values(index.astype("<u4"), "SCALAR", target=34963)
        primitive = {"attributes": attributes, "indices": index, "mode": 4}
        return primitive if material is None else {**primitive, "material": material}

    def add_mesh(self, name: str, primitives: list[dict[str, Any]], **node: Any) -> int:
        """A node with a mesh of its own; returns the node's number."""
        self.meshes.append({"name": name, "primitives": primitives})
        self.nodes.append({"name": name, "mesh": len(self.meshes) - 1, **node})
        return len(self.nodes) - 1

    def packed(self, roots: list[int], extras: dict[str, Any], *, asset: dict[str, Any] | None = None) -> bytes:
        """The GLB."""
        self.binary += b"\0" * (-len(self.binary) % 4)
        document: dict[str, Any] = {
            "asset": {"version": "2.0", "generator": "Sejong Twin", **(asset or {})},
            "scene": 0,
            "scenes": [{"nodes": roots, **({"extras": extras} if extras else {})}],
            "nodes": self.nodes,
            "meshes": self.meshes,
            "accessors": self.accessors,
            "bufferViews": self.views,
            "buffers": [{"byteLength": len(self.binary)}],
        }
        if self.materials:
            document["materials"] = self.materials
        text = orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)
        text += b" " * (-len(text) % 4)
        length = 12 + 8 + len(text) + 8 + len(self.binary)
        if length > MOST_BYTES:
            raise _too_large()
        head = struct.pack("<4sII", b"glTF", 2, length) + struct.pack("<I4s", len(text), b"JSON")
        return head + text + struct.pack("<I4s", len(self.binary), b"BIN\0") + bytes(self.binary)


def _split(
    faces: NDArray[np.int64], extra: list[NDArray[Any]]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Vertices split where the values of their faces (m,) differ.

    Returns for each new vertex the first corner (of 3 m) that uses it and its old number, and for each corner the
    number of its new vertex.
    """
    old = faces.reshape(-1).astype(np.int64)
    key = old
    if extra:
        code = unique_rows(np.column_stack(extra)).group
        key = old * (int(code.max()) + 1) + np.repeat(code, 3)
    _, first, index = np.unique(key, return_index=True, return_inverse=True)
    return first, old[first], index.reshape(-1)


def _linear16(packed: NDArray[np.int64]) -> NDArray[np.uint16]:
    """COLOR_0 (n, 4): linear, 16 bit, so that dark colours do not lose steps."""
    rgb = np.stack([(packed >> shift) & 255 for shift in (16, 8, 0)], axis=1)
    linear = np.rint(to_linear(rgb) * 65535)
    return np.column_stack([linear, np.full(len(rgb), 65535)]).astype("<u2")


def y_up(points: Floats) -> Floats:
    """Points (n, 3) with z up turned into glTF's axes: x east, y up, z south."""
    return np.stack([points[:, 0], points[:, 2], -points[:, 1]], axis=1)


def column_values(values: NDArray[Any]) -> list[Any]:
    """A column as JSON values; NaN as null."""
    listed = values.tolist()
    if values.dtype.kind == "f":
        return [value if np.isfinite(value) else None for value in listed]
    return [value if value is None or isinstance(value, int | float | str | bool) else str(value) for value in listed]


def _layer_extras(layer: Layer, table: ElementTable) -> dict[str, Any]:
    columns = {
        name: {"unit": c.unit, "title": c.title, "kind": c.values.dtype.kind, "values": column_values(c.values)}
        for name, c in table.columns.items()
    }
    return {"id": layer.id, "name": layer.name, "theme": layer.theme, "stratum": layer.stratum,
            "colour": layer.style.colour, "ids": table.ids.tolist(), "columns": columns}  # fmt: skip


def full_table(layer: Layer, mesh: Mesh) -> ElementTable:
    """The layer's table, or numbered rows where it has fewer than its geometry needs."""
    needed = int(mesh.face_element.max()) + 1
    if len(layer.table) >= needed:
        return layer.table
    return ElementTable([f"{layer.id}-{row + 1}" for row in range(needed)])


def face_looks(layer: Layer, origin: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.int8]]:
    """Colour 0xRRGGBB (-1 none) and code of `SURFACES` (-1 none) of each triangle."""
    colours, surface = np.full(len(origin), -1, np.int32), np.full(len(origin), -1, np.int8)
    known = origin >= 0
    painted, sort = layer.field_named("colour"), layer.field_named("surface")
    if painted is not None and painted.on == "face":
        colours[known] = painted.values[origin[known]]
    if sort is not None and sort.on == "face" and sort.categories == SURFACES:
        surface[known] = sort.values[origin[known]]
    return colours, surface


def primitives(
    builder: GlbBuilder,
    layer: Layer,
    points: Floats,
    faces: NDArray[np.int64],
    looks: tuple[NDArray[np.int32], NDArray[np.int8]],
    features: NDArray[np.int64] | None,
) -> list[dict[str, Any]]:
    """Primitives of some faces: one for each sort of surface, painted and unpainted apart."""
    colours, surface = looks
    out = []
    for code in np.unique(surface).tolist():
        word = SURFACES[code] if code >= 0 else ""
        for painted in (False, True):
            chosen = (surface == code) & ((colours >= 0) == painted)
            if not chosen.any():
                continue
            plain = layer.style.colour or PLAIN_COLOURS.get(word, "")
            # Without any colour no material is named, so that reading back gives no colour either.
            material = builder.material("" if painted else plain, word) if (word or plain or painted) else None
            out.append(
                builder.add_primitive(
                    points,
                    faces[chosen],
                    material=material,
                    colours=colours[chosen] if painted else None,
                    features=None if features is None else features[chosen],
                )
            )
    return out


def _add_layer(builder: GlbBuilder, number: int, layer: Layer, mesh: Mesh, origin: NDArray[np.int64],
               table: ElementTable, feedback: Feedback) -> list[int]:  # fmt: skip
    """Nodes of a layer: one per element, or one per square block with feature numbers."""
    element = mesh.face_element.astype(np.int64)
    by_element = len(table) <= NODE_PER_ELEMENT
    if by_element:
        group = element
    else:
        centre = mesh.vertices[mesh.faces[:, 0], :2]
        group = unique_rows(np.floor(centre / BLOCK_M).astype(np.int64)).group
    order = np.argsort(group, kind="stable")
    limits = np.flatnonzero(np.diff(group[order], prepend=-1, append=-1))
    colours, surface = face_looks(layer, origin)
    nodes = []
    for step, (start, stop) in enumerate(zip(limits[:-1].tolist(), limits[1:].tolist(), strict=True)):
        if step % 64 == 0:
            feedback.step(step / len(limits), layer.name)
        mine = order[start:stop]
        used, faces = np.unique(mesh.faces[mine], return_inverse=True)
        points = mesh.vertices[used]
        middle = np.round((points.min(axis=0) + points.max(axis=0)) / 2, 3)
        row = int(element[mine[0]])
        name = str(table.ids[row]) if by_element else f"{layer.id}-{step + 1}"
        made = primitives(builder, layer, y_up(points - middle), faces.reshape(-1, 3),
                          (colours[mine], surface[mine]), None if by_element else element[mine])  # fmt: skip
        extras = {"layer": number, "element": row} if by_element else {"layer": number}
        nodes.append(builder.add_mesh(name, made, translation=y_up(middle[None])[0].tolist(), extras=extras))
    return nodes


def write(path: Path, layers: Sequence[Layer], frame: Frame, feedback: Feedback) -> None:
    """Mesh, instance and terrain layers into one GLB; the file appears only when it is complete."""
    usable = meshes_of(layers)
    if not usable:
        raise UserError(
            "There is nothing to write as glTF.",
            "glTF holds surfaces; none of the chosen layers has any.",
            "Choose buildings, trees or terrain, or another format.",
            code="gltf.nothing_to_write",
        )
    builder = GlbBuilder()
    roots, described = [], []
    for number, (layer, mesh, origin) in enumerate(usable):
        table = full_table(layer, mesh)
        part = feedback.part(number / len(usable) * 0.9, (number + 1) / len(usable) * 0.9)
        children = _add_layer(builder, number, layer, mesh, origin, table, part)
        builder.nodes.append({"name": layer.name, "children": children})
        roots.append(len(builder.nodes) - 1)
        described.append(_layer_extras(layer, table))
    place = {"version": VERSION, "crs": frame.crs, "vertical": frame.vertical, "origin": list(frame.origin),
             "axes": "x east, y up, z south; metres from the origin", "layers": described}  # fmt: skip
    feedback.step(0.92, "writing")
    save(path, builder.packed(roots, {KEY: place}))
    feedback.step(1.0, "written")


def save(path: Path, data: bytes) -> None:
    """Bytes into a file that appears only when it is complete. Raises `UserError`."""
    temporary = None
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", dir=path.parent)
        temporary = Path(name)
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        reason = error.strerror or str(error)
        raise UserError(
            f"{path} cannot be written.",
            f"The system says: {reason}.",
            "Choose another folder, or make room on the disk.",
            code="file.not_written",
            values={"path": str(path), "reason": reason},
        ) from error


def _too_large() -> UserError:
    return UserError(
        "The scene is too large for one GLB.",
        "A GLB cannot be larger than four gigabytes.",
        "Export fewer layers, or write 3D Tiles.",
        code="gltf.too_large",
    )
