"""glTF 2.0 and GLB parsed into pieces of triangles.

Written against the Khronos specification (glTF 2.0, 2021) rather than through a library, because positions must keep
double precision through the scene graph, feature numbers and attributes of objects must survive, and every offset in
an untrusted file must be checked before memory is taken. Tests hold it to trimesh.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from geo.formats.gltf_colour import Palette
from geo.formats.gltf_metadata import Metadata
from geo.formats.mesh_model import FAULTS, MOST_TRIANGLES, MeshModel, Piece, damaged, fault_reason, too_large
from geo.formats.nearby import Nearby
from geo.model import Feedback, Issue, UserError

Floats = NDArray[np.float64]
COMPONENTS = {5120: np.int8, 5121: np.uint8, 5122: np.int16, 5123: np.uint16, 5125: np.uint32, 5126: np.float32}
WIDTH = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}
MOST_ZEROS = 5_000_000  # elements of an accessor without data behind it
MOST_INSTANCES = 200_000
COMPRESSION = ("KHR_draco_mesh_compression", "EXT_meshopt_compression", "KHR_meshopt_compression")
TRIANGLES, STRIP, FAN = 4, 5, 6


def parts_of_glb(data: bytes) -> tuple[Any, bytes]:
    """JSON document and binary chunk of a GLB or of plain glTF. Raises `ValueError`."""
    if data[:4] != b"glTF":
        return orjson.loads(data), b""
    version, length = struct.unpack_from("<II", data, 4)
    if version != 2:
        raise ValueError(f"glTF version {version} is not read, only version 2")
    if length > len(data):
        raise ValueError(f"the header says {length} bytes, the file has {len(data)}")
    document, binary, place = None, b"", 12
    while place + 8 <= length:
        size, kind = struct.unpack_from("<I4s", data, place)
        chunk = data[place + 8 : place + 8 + size]
        if len(chunk) < size:
            raise ValueError("a chunk is cut short")
        if document is None and kind == b"JSON":
            document = orjson.loads(chunk)
        elif kind == b"BIN\0" and not binary:
            binary = chunk
        place += 8 + size
    if document is None:
        raise ValueError("it has no JSON chunk")
    return document, binary


def load(data: bytes, nearby: Nearby, feedback: Feedback | None = None) -> MeshModel:
    """Everything in the default scene. Raises `UserError`."""
    try:
        document, binary = parts_of_glb(data)
        with np.errstate(all="ignore"):  # absurd numbers become infinite and are left out further on
            return _Reader(document, binary, nearby, feedback or Feedback()).model()
    except FAULTS as error:
        raise damaged(nearby.name, fault_reason(error)) from error


class _Reader:
    """One document while it is read."""

    def __init__(self, document: Any, binary: bytes, nearby: Nearby, feedback: Feedback) -> None:
        if not isinstance(document, dict) or not isinstance(document.get("asset"), dict):
            raise ValueError("it has no asset description")
        version = str(document["asset"].get("version", ""))
        if not version.startswith("2"):
            raise ValueError(f"glTF version {version or 'unknown'} is not read, only version 2")
        self.document, self.binary, self.nearby, self.feedback = document, binary, nearby, feedback
        self.version = version
        self.buffers: dict[int, bytes] = {}
        self.lost: Counter[str] = Counter()
        self.triangles = 0
        self._check_extensions()
        self.palette = Palette(document, self.view, nearby)
        self.metadata = Metadata(document, self.view)

    def _check_extensions(self) -> None:
        required = self.document.get("extensionsRequired") or []
        for name in COMPRESSION:
            if name in required:
                raise _compressed(self.nearby.name, name)

    def model(self) -> MeshModel:
        pieces = list(self._pieces())
        scene = self._scene()
        rtc = (self.document.get("extensions") or {}).get("CESIUM_RTC")
        return MeshModel(
            pieces,
            "y",
            extras=scene.get("extras") if isinstance(scene.get("extras"), dict) else {},
            centre=None if rtc is None else _vector(rtc["center"], 3),
            issues=(*self._issues(), *self.palette.issues()),
            version=self.version,
            generator=str(self.document["asset"].get("generator", ""))[:200],
        )

    def _issues(self) -> Iterator[Issue]:
        texts = {
            "mesh.not_triangles": "{} parts that are points or lines were left out.",
            "mesh.degenerate_part": "{} parts without positions were left out.",
            "mesh.pose": "{} parts have a skeleton or morph targets; they are shown in their resting pose.",
        }
        for code, count in self.lost.items():
            severity = "note" if code == "mesh.pose" else "error"
            yield Issue(code, texts[code].format(count), severity, count)  # type: ignore[arg-type]
        if self.metadata.left_out:
            names = ", ".join(sorted(self.metadata.left_out))[:200]
            message = f"Attributes that are lists or vectors were left out: {names}."
            yield Issue("mesh.attributes", message, "note", len(self.metadata.left_out), values={"names": names})

    def _scene(self) -> Mapping[str, Any]:
        scenes = self.document.get("scenes") or []
        return scenes[_index(self.document.get("scene", 0), len(scenes))] if scenes else {}

    def _roots(self) -> list[int]:
        scene = self._scene()
        if scene:
            return [int(n) for n in scene.get("nodes") or []]
        nodes = self.document.get("nodes") or []
        children = {int(c) for node in nodes for c in node.get("children") or []}
        return [n for n in range(len(nodes)) if n not in children]

    def _pieces(self) -> Iterator[Piece]:
        """Depth first over the scene graph; every node has one parent, so a second visit is a cycle."""
        nodes = self.document.get("nodes") or []
        stack: list[tuple[int, Floats, dict[str, Any]]] = [(n, np.eye(4), {}) for n in reversed(self._roots())]
        seen: set[int] = set()
        while stack:
            number, matrix, inherited = stack.pop()
            number = _index(number, len(nodes))
            if number in seen:
                raise ValueError("its scene graph runs in a circle")
            seen.add(number)
            if len(seen) % 256 == 1:
                self.feedback.step(0.8 * len(seen) / len(nodes), "reading objects")
            node = nodes[number]
            matrix = matrix @ _local_matrix(node)
            extras = node.get("extras") if isinstance(node.get("extras"), dict) else {}
            extras = {**inherited, **extras}
            if node.get("mesh") is not None:
                yield from self._mesh(number, node, matrix, extras)
            below = {key: value for key, value in extras.items() if key == "layer"}
            stack += [(int(child), matrix, below) for child in reversed(node.get("children") or [])]

    def _mesh(self, number: int, node: Mapping[str, Any], matrix: Floats, extras: dict[str, Any]) -> Iterator[Piece]:
        meshes = self.document["meshes"]
        mesh = meshes[_index(node["mesh"], len(meshes))]
        name = str(node.get("name") or mesh.get("name") or "")
        if isinstance(mesh.get("extras"), dict):
            extras = {**mesh["extras"], **extras}
        for matrix_of_one in self._instances(node, matrix):
            for primitive in mesh.get("primitives") or []:
                piece = self._primitive(primitive, name, number, matrix_of_one, extras)
                if piece is not None:
                    yield piece

    def _instances(self, node: Mapping[str, Any], matrix: Floats) -> list[Floats]:
        """The node's matrix, or one for each instance of EXT_mesh_gpu_instancing."""
        found = ((node.get("extensions") or {}).get("EXT_mesh_gpu_instancing") or {}).get("attributes")
        if not found:
            return [matrix]
        rows = {key: self.accessor(found[key]) for key in ("TRANSLATION", "ROTATION", "SCALE") if key in found}
        count = min((len(values) for values in rows.values()), default=0)
        if count > MOST_INSTANCES:
            raise ValueError(f"it repeats one shape {count} times")
        names = {"TRANSLATION": "translation", "ROTATION": "rotation", "SCALE": "scale"}
        return [
            matrix @ _local_matrix({names[key]: values[k].tolist() for key, values in rows.items()})
            for k in range(count)
        ]

    def _primitive(
        self, primitive: Mapping[str, Any], name: str, node: int, matrix: Floats, extras: dict[str, Any]
    ) -> Piece | None:
        attributes = primitive.get("attributes") or {}
        mode = primitive.get("mode", TRIANGLES)
        if mode not in (TRIANGLES, STRIP, FAN):
            self.lost["mesh.not_triangles"] += 1
            return None
        if "POSITION" not in attributes:
            self.lost["mesh.degenerate_part"] += 1
            return None
        if primitive.get("targets") or "JOINTS_0" in attributes:
            self.lost["mesh.pose"] += 1
        points = self.accessor(attributes["POSITION"], width=3)
        faces = self._faces(primitive, len(points), mode)
        self.triangles += len(faces)
        if self.triangles > MOST_TRIANGLES:
            raise too_large(self.nearby.name, self.triangles)
        if np.linalg.det(matrix[:3, :3]) < 0:
            faces = faces[:, ::-1]
        corner = {key: self.accessor(attributes[key]) for key in ("COLOR_0", "TEXCOORD_0") if key in attributes}
        if any(len(values) < len(points) for values in corner.values()):
            raise ValueError("it has fewer colours or texture coordinates than vertices")
        named, columns = self.metadata.of_primitive(primitive)
        features = self._features(attributes, faces, len(points), named)
        if features is not None and columns:
            extras = {**columns, **extras}
        colours = self.palette.of_faces(primitive.get("material"), faces, corner)
        vertices = points @ matrix[:3, :3].T + matrix[:3, 3]
        return Piece(name, node, vertices, faces, colours, features, extras, self._material(primitive))

    def _material(self, primitive: Mapping[str, Any]) -> Mapping[str, Any]:
        if primitive.get("material") is None:
            return {}
        materials = self.document["materials"]
        material = materials[_index(primitive["material"], len(materials))]
        extras = material.get("extras")
        return {"name": str(material.get("name", "")), "extras": extras if isinstance(extras, dict) else {}}

    def _features(
        self, attributes: Mapping[str, Any], faces: NDArray[np.int64], count: int, named: str
    ) -> NDArray[np.int64] | None:
        key = next((key for key in (named, "_FEATURE_ID_0", "_BATCHID") if key in attributes), None)
        if key is None:
            return None
        numbers = self.accessor(attributes[key])[:, 0]
        if len(numbers) < count:
            raise ValueError("it has fewer feature numbers than vertices")
        clean = np.where(np.isfinite(numbers) & (numbers >= 0) & (numbers < 2**31), numbers, 0)
        return np.asarray(np.rint(clean)[faces[:, 0]], dtype=np.int64)

    def _faces(self, primitive: Mapping[str, Any], count: int, mode: int) -> NDArray[np.int64]:
        if primitive.get("indices") is None:
            index: NDArray[np.int64] = np.arange(count, dtype=np.int64)
        else:
            index = self.accessor(primitive["indices"])[:, 0].astype(np.int64)
        if len(index) and (index.min() < 0 or index.max() >= count):
            raise ValueError("a face names a vertex that does not exist")
        if mode == TRIANGLES:
            return index[: len(index) // 3 * 3].reshape(-1, 3)
        if len(index) < 3:
            return np.empty((0, 3), np.int64)
        if mode == FAN:
            return np.stack([np.full(len(index) - 2, index[0]), index[1:-1], index[2:]], axis=1)
        faces = np.stack([index[:-2], index[1:-1], index[2:]], axis=1)
        faces[1::2] = faces[1::2, [1, 0, 2]]
        return faces

    def buffer(self, number: int) -> bytes:
        """Bytes of a buffer: the chunk of the GLB, embedded, or a file beside."""
        buffers = self.document["buffers"]
        number = _index(number, len(buffers))
        if number not in self.buffers:
            uri = buffers[number].get("uri")
            self.buffers[number] = self.binary if uri is None else self.nearby.read(str(uri))
        return self.buffers[number]

    def view(self, number: Any) -> tuple[bytes | memoryview, int]:
        """Bytes of a buffer view and its stride (0 = packed)."""
        views = self.document["bufferViews"]
        found = views[_index(number, len(views))]
        if any(name in (found.get("extensions") or {}) for name in COMPRESSION):
            raise _compressed(self.nearby.name, "EXT_meshopt_compression")
        data = self.buffer(found["buffer"])
        start, size = _natural(found.get("byteOffset", 0)), _natural(found["byteLength"])
        if start + size > len(data):
            raise ValueError("a buffer view reaches beyond its buffer")
        return memoryview(data)[start : start + size], _natural(found.get("byteStride", 0))

    def accessor(self, number: Any, *, width: int = 0) -> Floats:
        """Values of an accessor (count, components) as float64; normalised integers as 0..1 or -1..1."""
        accessors = self.document["accessors"]
        found = accessors[_index(number, len(accessors))]
        kind = np.dtype(COMPONENTS[found["componentType"]]).newbyteorder("<")
        components, count = WIDTH[found["type"]], _natural(found["count"])
        if width and components != width:
            raise ValueError(f"an accessor has {components} components instead of {width}")
        if found.get("bufferView") is None:
            if count > MOST_ZEROS:
                raise ValueError(f"an accessor claims {count} elements without data")
            raw: NDArray[Any] = np.zeros((count, components), kind)
        else:
            raw = self._strided(found, kind, components, count)
        if found.get("sparse"):
            raw = self._sparse(found["sparse"], raw, kind, components)
        values = raw.astype(np.float64)
        if found.get("normalized") and kind.kind in "iu":
            values = np.maximum(values / np.iinfo(kind).max, -1.0)
        return values

    def _strided(self, found: Mapping[str, Any], kind: Any, components: int, count: int) -> NDArray[Any]:
        data, stride = self.view(found["bufferView"])
        offset, item = _natural(found.get("byteOffset", 0)), kind.itemsize * components
        stride = stride or item
        if count and (stride < item or offset + (count - 1) * stride + item > len(data)):
            raise ValueError("an accessor reaches beyond its data")
        if count == 0:
            return np.empty((0, components), kind)
        return np.ndarray((count, components), kind, data, offset, (stride, kind.itemsize))

    def _sparse(self, sparse: Mapping[str, Any], raw: NDArray[Any], kind: Any, components: int) -> NDArray[Any]:
        count = _natural(sparse["count"])
        where = {**sparse["indices"], "count": count}
        index_kind = np.dtype(COMPONENTS[where["componentType"]]).newbyteorder("<")
        index = self._strided(where, index_kind, 1, count)[:, 0].astype(np.int64)
        if count and (index.min() < 0 or index.max() >= len(raw)):
            raise ValueError("a sparse accessor changes an element that does not exist")
        out = raw.copy()
        out[index] = self._strided({**sparse["values"], "count": count}, kind, components, count)
        return out


def _index(value: Any, count: int) -> int:
    if not isinstance(value, int) or not 0 <= value < count:
        raise ValueError(f"it refers to number {str(value)[:20]} of {count}")
    return value


def _natural(value: Any) -> int:
    if not isinstance(value, int) or not 0 <= value < 2**40:
        raise ValueError(f"{str(value)[:20]} is no size")
    return value


def _vector(values: Any, count: int) -> Floats:
    found = np.asarray(values, dtype=np.float64)
    if found.shape != (count,) or not np.isfinite(found).all():
        raise ValueError(f"{count} numbers are wanted")
    return found


def _local_matrix(node: Mapping[str, Any]) -> Floats:
    """(4, 4) of a node: its matrix (stored column by column), or scale, then rotation, then translation."""
    if node.get("matrix") is not None:
        return _vector(node["matrix"], 16).reshape(4, 4).T
    matrix = np.eye(4)
    if node.get("rotation") is not None:
        matrix[:3, :3] = _rotation(_vector(node["rotation"], 4))
    if node.get("scale") is not None:
        matrix[:3, :3] *= _vector(node["scale"], 3)
    if node.get("translation") is not None:
        matrix[:3, 3] = _vector(node["translation"], 3)
    return matrix


def _rotation(quaternion: Floats) -> Floats:
    length = float(np.linalg.norm(quaternion))
    if length == 0.0:
        raise ValueError("a rotation is zero")
    x, y, z, w = quaternion / length
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


def _compressed(name: str, extension: str) -> UserError:
    return UserError(
        f"{name} is compressed in a way the program cannot unpack.",
        f"It uses {extension}.",
        "Save it without mesh compression, for example with gltf-transform or Blender.",
        code="gltf.compressed",
        values={"name": name, "extension": extension},
    )
