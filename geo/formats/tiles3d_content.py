"""Content of tiles: GLB, glTF, b3dm, i3dm and cmpt into pieces in the tileset's coordinates."""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from geo import geocentric
from geo.formats import gltf_file
from geo.formats.mesh_model import (
    FAULTS,
    MOST_TRIANGLES,
    MeshModel,
    Piece,
    damaged,
    fault_reason,
    too_large,
    z_up,
)
from geo.formats.nearby import Nearby
from geo.model import Feedback, Issue, UserError

Floats = NDArray[np.float64]
DEEPEST = 4  # composite tiles inside composite tiles
TYPES = {
    "BYTE": "i1", "UNSIGNED_BYTE": "u1", "SHORT": "<i2", "UNSIGNED_SHORT": "<u2", "INT": "<i4", "UNSIGNED_INT": "<u4",
    "FLOAT": "<f4", "DOUBLE": "<f8",
}  # fmt: skip
WIDTH = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}


@dataclasses.dataclass(frozen=True)
class Content:
    """Pieces of one tile in the tileset's coordinates, and what was said while reading them."""

    pieces: list[Piece]
    issues: tuple[Issue, ...] = ()

    @property
    def triangles(self) -> int:
        """Number of triangles."""
        return sum(len(piece.faces) for piece in self.pieces)


def load(data: bytes, nearby: Nearby, transform: Floats, up: str, feedback: Feedback) -> Content:
    """The content of a tile. Raises `UserError` for what is damaged or of a kind that is not read.

    Parameters
    ----------
    transform : (4, 4) float64
        From tile to tileset.
    up : {"y", "z"}
        Axis that points up in the glTF inside (``gltfUpAxis`` of old tilesets; else y).
    """
    try:
        return _load(data, nearby, transform, up, feedback, 0)
    except FAULTS as error:
        raise damaged(nearby.name, fault_reason(error)) from error


def _load(data: bytes, nearby: Nearby, transform: Floats, up: str, feedback: Feedback, depth: int) -> Content:
    magic = data[:4]
    if magic == b"cmpt":
        return _composite(data, nearby, transform, up, feedback, depth)
    if magic == b"b3dm":
        return _batched(data, nearby, transform, up, feedback)
    if magic == b"i3dm":
        return _instanced(data, nearby, transform, up, feedback)
    if magic == b"glTF" or data.lstrip()[:1] == b"{":
        return _placed(gltf_file.load(data, nearby, feedback), transform, up, np.zeros(3), {})
    kind = "points" if magic == b"pnts" else repr(magic)[2:-1]
    raise UserError(
        f"{nearby.name} is a tile of a kind that is not read.",
        f"Its content is called {kind}.",
        "Export the tileset with b3dm or glTF content; points can be imported as LAS.",
        code="tiles3d.content",
        values={"name": nearby.name, "kind": kind},
    )


def renumbered(pieces: list[Piece], numbers: dict[tuple[int, int], int], part: int) -> list[Piece]:
    """Pieces whose objects have numbers of their own among several parts; `numbers` is filled on the way."""
    return [dataclasses.replace(piece, node=numbers.setdefault((part, piece.node), len(numbers))) for piece in pieces]


def _composite(data: bytes, nearby: Nearby, transform: Floats, up: str, feedback: Feedback, depth: int) -> Content:
    if depth >= DEEPEST:
        raise ValueError("composite tiles are nested too deeply")
    _, length, count = struct.unpack_from("<III", data, 4)
    pieces: list[Piece] = []
    issues: list[Issue] = []
    numbers: dict[tuple[int, int], int] = {}
    place = 16
    for number in range(count):
        size = struct.unpack_from("<I", data, place + 8)[0]
        if size < 16 or place + size > min(length, len(data)):
            raise ValueError("a tile inside a composite is cut short")
        inner = _load(data[place : place + size], nearby, transform, up, feedback, depth + 1)
        pieces += renumbered(inner.pieces, numbers, number)
        issues += inner.issues
        place += size
    return Content(pieces, tuple(issues))


@dataclasses.dataclass(frozen=True)
class _Tables:
    """Feature table, batch table and body of a b3dm or i3dm."""

    feature: Mapping[str, Any]
    feature_binary: bytes
    batch: Mapping[str, Any]
    batch_binary: bytes
    body: bytes

    @staticmethod
    def of(data: bytes, header: int) -> _Tables:
        version, length, *sizes = struct.unpack_from("<6I", data, 4)
        if version != 1 or length > len(data) or header + sum(sizes) > length:
            raise ValueError("the sizes in the head of a tile do not fit")
        parts, place = [], header
        for size in sizes:
            parts.append(data[place : place + size])
            place += size
        feature, batch = (orjson.loads(part.rstrip(b"\0 ") or b"{}") for part in (parts[0], parts[2]))
        if not isinstance(feature, dict) or not isinstance(batch, dict):
            raise ValueError("the tables of a tile are no objects")
        return _Tables(feature, parts[1], batch, parts[3], data[place:length])

    def values(self, name: str, kind: str, width: int, count: int) -> Floats | None:
        """A property (count, width) of the feature table, None without it."""
        found = self.feature.get(name)
        if found is None:
            return None
        offset = int(found["byteOffset"])
        return _block(self.feature_binary, offset, kind, width, count)

    @property
    def centre(self) -> Floats:
        """RTC_CENTER, zero without one."""
        found = self.feature.get("RTC_CENTER")
        if found is None:
            return np.zeros(3)
        if isinstance(found, dict):
            return _block(self.feature_binary, int(found["byteOffset"]), "<f4", 3, 1)[0]
        centre = np.asarray(found, dtype=np.float64)
        if centre.shape != (3,) or not np.isfinite(centre).all():
            raise ValueError("the centre of a tile is no place")
        return centre

    def attributes(self, count: int) -> dict[str, list[Any]]:
        """Columns of the batch table as lists; nested ones are left out."""
        out: dict[str, list[Any]] = {}
        for name, found in self.batch.items():
            if isinstance(found, list):
                out[str(name)] = [None if isinstance(value, dict | list) else value for value in found]
            elif isinstance(found, dict) and "byteOffset" in found and found.get("type") == "SCALAR":
                block = _block(self.batch_binary, int(found["byteOffset"]), TYPES[found["componentType"]], 1, count)
                whole = TYPES[found["componentType"]][-2] in "iu"
                out[str(name)] = (block[:, 0].astype(np.int64) if whole else block[:, 0]).tolist()
        return out


def _block(data: bytes, offset: int, kind: str, width: int, count: int) -> Floats:
    if offset < 0 or count < 0 or offset + np.dtype(kind).itemsize * width * count > len(data):
        raise ValueError("a table of a tile reaches beyond its data")
    return np.frombuffer(data, kind, count * width, offset).reshape(count, width).astype(np.float64)


def _batched(data: bytes, nearby: Nearby, transform: Floats, up: str, feedback: Feedback) -> Content:
    tables = _Tables.of(data, 28)
    model = gltf_file.load(tables.body, nearby, feedback)
    count = tables.feature.get("BATCH_LENGTH", 0)
    attributes = tables.attributes(int(count)) if isinstance(count, int) and count < 2**24 else {}
    return _placed(model, transform, up, tables.centre, attributes)


def _placed(
    model: MeshModel, transform: Floats, up: str, centre: Floats, attributes: Mapping[str, list[Any]]
) -> Content:
    """Pieces moved to the tileset's coordinates: up axis, then the tile's centre, then its transformation."""
    shift = centre if model.centre is None else centre + model.centre
    pieces = []
    for piece in model.pieces:
        points = (z_up(piece.vertices, up) + shift) @ transform[:3, :3].T + transform[:3, 3]
        extras = {**attributes, **piece.extras} if piece.features is not None else piece.extras
        pieces.append(dataclasses.replace(piece, vertices=points, extras=extras))
    return Content(pieces, model.issues)


def _instanced(data: bytes, nearby: Nearby, transform: Floats, up: str, feedback: Feedback) -> Content:
    tables = _Tables.of(data, 32)
    kind = struct.unpack_from("<I", data, 28)[0]
    if kind == 0:
        body = nearby.read(tables.body.rstrip(b"\0 ").decode("utf-8"))
    else:
        body = tables.body
    model = gltf_file.load(body, nearby, feedback)
    count = int(tables.feature["INSTANCES_LENGTH"])
    if model.triangles * count > MOST_TRIANGLES:
        raise too_large(nearby.name, model.triangles * count)
    matrices = _instance_matrices(tables, count, transform)
    attributes = tables.attributes(count)
    pieces = []
    for number, matrix in enumerate(matrices):
        row = {name: values[number] for name, values in attributes.items() if number < len(values)}
        name = next((row[key] for key in ("id", "name") if isinstance(row.get(key), str)), "")
        for piece in model.pieces:
            points = z_up(piece.vertices, up) @ matrix[:3, :3].T + matrix[:3, 3]
            pieces.append(
                dataclasses.replace(
                    piece, vertices=points, node=number, name=name or piece.name, features=None, extras=row
                )
            )
    return Content(pieces, model.issues)


def _instance_matrices(tables: _Tables, count: int, transform: Floats) -> Iterator[Floats]:
    """(4, 4) of each instance: scale, rotation, position, then the tile's transformation."""
    position = tables.values("POSITION", "<f4", 3, count)
    if position is None:
        packed = tables.values("POSITION_QUANTIZED", "<u2", 3, count)
        if packed is None:
            raise ValueError("instances have no positions")
        offset = np.asarray(tables.feature["QUANTIZED_VOLUME_OFFSET"], dtype=np.float64)
        position = offset + packed / 65535 * np.asarray(tables.feature["QUANTIZED_VOLUME_SCALE"], dtype=np.float64)
    position = position + tables.centre
    up = tables.values("NORMAL_UP", "<f4", 3, count)
    right = tables.values("NORMAL_RIGHT", "<f4", 3, count)
    scale = tables.values("SCALE_NON_UNIFORM", "<f4", 3, count)
    if scale is None:
        single = tables.values("SCALE", "<f4", 1, count)
        scale = np.ones((count, 3)) if single is None else np.repeat(single, 3, axis=1)
    for row in range(count):
        matrix = np.eye(4)
        if up is not None and right is not None:
            forward = np.cross(right[row], up[row])
            matrix[:3, :3] = np.stack([right[row], -forward, up[row]], axis=1)
        elif tables.feature.get("EAST_NORTH_UP"):
            world = transform[:3, :3] @ position[row] + transform[:3, 3]
            lon, lat, _ = geocentric.to_geodetic(world[None])
            turn = geocentric.east_north_up(float(lon[0]), float(lat[0]), 0.0)[:3, :3]
            matrix[:3, :3] = np.linalg.inv(transform[:3, :3]) @ turn
        matrix[:3, :3] = matrix[:3, :3] * scale[row]
        matrix[:3, 3] = position[row]
        yield transform @ matrix
