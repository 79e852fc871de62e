"""Implicit tiling of 3D Tiles 1.1: tiles that are not listed but stand as bits in subtree files."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from geo.formats.nearby import Nearby

KEY = "\0implicit"  # where a tile's JSON keeps its node; no file can hold this name by chance
DEEPEST = 30
MOST_SUBTREE_LEVELS = 10  # a subtree of ten levels has a million tiles in its last one
MOST_SUBTREE_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Scheme:
    """What the root says: how tiles are split and named."""

    axes: int
    subtree_levels: int
    levels: int
    subtree_uri: str
    content_uris: tuple[str, ...]
    volume: Mapping[str, Any]
    error: float
    refine: str
    nearby: Nearby


@dataclass(frozen=True)
class Subtree:
    """Bits of one subtree: which tiles, contents and subtrees below there are."""

    tiles: NDArray[np.bool_] | bool
    contents: tuple[NDArray[np.bool_] | bool, ...]
    below: NDArray[np.bool_] | bool


@dataclass(frozen=True)
class Node:
    """One implicit tile: its place in the whole tree and in its subtree."""

    scheme: Scheme
    subtree: Subtree
    level: int
    place: tuple[int, ...]
    local_level: int
    morton: int


def root_node(data: Mapping[str, Any], nearby: Nearby) -> Node | None:
    """The first node of a tile that says ``implicitTiling``; None where its subtree has no tile. Opens the subtree."""
    said = data["implicitTiling"]
    axes = {"QUADTREE": 2, "OCTREE": 3}[str(said["subdivisionScheme"])]
    contents = data.get("contents") or ([data["content"]] if data.get("content") else [])
    levels, subtree_levels = int(said["availableLevels"]), int(said["subtreeLevels"])
    if not (1 <= levels <= DEEPEST and 1 <= subtree_levels <= MOST_SUBTREE_LEVELS):
        raise ValueError("its implicit tiling has too many levels")
    scheme = Scheme(
        axes, subtree_levels, levels, str(said["subtrees"]["uri"]), tuple(str(c["uri"]) for c in contents),
        data["boundingVolume"], float(data.get("geometricError", 0.0)), str(data.get("refine", "REPLACE")), nearby,
    )  # fmt: skip
    place = (0,) * axes
    subtree = _subtree(scheme, 0, place)
    return Node(scheme, subtree, 0, place, 0, 0) if _bit(subtree.tiles, 0) else None


def described(node: Node) -> dict[str, Any]:
    """The JSON such a tile would have if it were listed."""
    scheme = node.scheme
    number = _offset(scheme.axes, node.local_level) + node.morton
    contents = [
        {"uri": _named(uri, node.level, node.place)}
        for uri, bits in zip(scheme.content_uris, node.subtree.contents, strict=False)
        if _bit(bits, number)
    ]
    return {
        "boundingVolume": _volume(scheme.volume, node.level, node.place),
        "geometricError": scheme.error / 2**node.level,
        "refine": scheme.refine,
        "contents": contents,
        KEY: node,
    }


def children(node: Node) -> list[dict[str, Any]]:
    """JSON of the tiles below; the first of the next level opens the next subtree."""
    scheme, found = node.scheme, []
    if node.level + 1 >= scheme.levels:
        return []
    for part in range(2**scheme.axes):
        place = tuple(2 * value + (part >> axis & 1) for axis, value in enumerate(node.place))
        morton = (node.morton << scheme.axes) + part
        if node.local_level + 1 < scheme.subtree_levels:
            if _bit(node.subtree.tiles, _offset(scheme.axes, node.local_level + 1) + morton):
                found.append(Node(scheme, node.subtree, node.level + 1, place, node.local_level + 1, morton))
        elif _bit(node.subtree.below, morton):
            subtree = _subtree(scheme, node.level + 1, place)
            if _bit(subtree.tiles, 0):
                found.append(Node(scheme, subtree, node.level + 1, place, 0, 0))
    return [described(one) for one in found]


def _offset(axes: int, level: int) -> int:
    """Number of tiles in the levels above one of a subtree."""
    return ((1 << axes * level) - 1) // ((1 << axes) - 1)


def _bit(bits: NDArray[np.bool_] | bool, number: int) -> bool:
    if isinstance(bits, bool):
        return bits
    if number >= len(bits):
        raise ValueError("a subtree has fewer bits than tiles")
    return bool(bits[number])


def _named(template: str, level: int, place: tuple[int, ...]) -> str:
    for key, value in zip(("{x}", "{y}", "{z}"), place, strict=False):
        template = template.replace(key, str(value))
    return template.replace("{level}", str(level))


def _subtree(scheme: Scheme, level: int, place: tuple[int, ...]) -> Subtree:
    data = scheme.nearby.read(_named(scheme.subtree_uri, level, place), most=MOST_SUBTREE_BYTES)
    binary = b""
    if data[:4] == b"subt":
        _, size, length = struct.unpack_from("<IQQ", data, 4)
        if 24 + size + length > len(data):
            raise ValueError("a subtree is cut short")
        binary, data = data[24 + size : 24 + size + length], data[24 : 24 + size]
    document = orjson.loads(data)
    content = document.get("contentAvailability") or []
    content = content if isinstance(content, list) else [content]
    return Subtree(
        _bits(document, document["tileAvailability"], binary, scheme.nearby),
        tuple(_bits(document, entry, binary, scheme.nearby) for entry in content),
        _bits(document, document["childSubtreeAvailability"], binary, scheme.nearby),
    )


def _bits(
    document: Mapping[str, Any], entry: Mapping[str, Any], binary: bytes, nearby: Nearby
) -> NDArray[np.bool_] | bool:
    """Availability: one answer for all, or a bit for each, the lowest bit of a byte first."""
    if "constant" in entry:
        return bool(entry["constant"])
    view = document["bufferViews"][int(entry["bitstream"])]
    buffer = document["buffers"][int(view["buffer"])]
    data = nearby.read(str(buffer["uri"]), most=MOST_SUBTREE_BYTES) if buffer.get("uri") else binary
    start, size = int(view.get("byteOffset", 0)), int(view["byteLength"])
    if start < 0 or size < 0 or start + size > len(data):
        raise ValueError("the bits of a subtree reach beyond its data")
    return np.unpackbits(np.frombuffer(data, np.uint8, size, start), bitorder="little").astype(bool)


def _volume(volume: Mapping[str, Any], level: int, place: tuple[int, ...]) -> dict[str, Any]:
    """Bounding volume of a tile: the root's, halved once per level along each split axis."""
    count = 2**level
    if "region" in volume:
        west, south, east, north, low, high = (float(value) for value in volume["region"])
        width, depth = (east - west) / count, (north - south) / count
        if len(place) == 3:
            low, high = (low + (high - low) * (place[2] + k) / count for k in (0, 1))
        x, y = place[:2]
        return {
            "region": [west + x * width, south + y * depth, west + (x + 1) * width, south + (y + 1) * depth, low, high]
        }
    box = np.asarray(volume["box"], dtype=np.float64).reshape(4, 3)
    centre, half = box[0].copy(), box[1:].copy()
    for axis, value in enumerate(place):
        centre += half[axis] * ((2 * value + 1) / count - 1)
        half[axis] /= count
    return {"box": [*centre.tolist(), *half.ravel().tolist()]}
