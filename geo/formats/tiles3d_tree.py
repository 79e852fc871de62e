"""The tree of a 3D Tiles tileset: nested tilesets, transformations, bounding volumes; content is not opened here.

Specification: OGC 22-025r4, 3D Tiles 1.1.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from geo import geocentric
from geo.formats import tiles3d_implicit
from geo.formats.mesh_model import FAULTS, damaged, fault_reason, read_whole
from geo.formats.nearby import Nearby
from geo.model import UserError

Floats = NDArray[np.float64]
DEEPEST = 96
MOST_TILES = 300_000
FARTHEST = 1.0e8  # [m] from the middle of the Earth
ON_EARTH = 5.0e6  # [m] positions farther from zero than this are geocentric


@dataclass(frozen=True)
class Tile:
    """One tile.

    Attributes
    ----------
    data : mapping
        Its JSON.
    transform : (4, 4) float64
        From the tile's content to the tileset's coordinates, all parents applied.
    volume_transform : (4, 4) float64
        The same, for its bounding volume.
    refine : {"ADD", "REPLACE"}
    error : float [m]
        Geometric error.
    nearby : Nearby
        Where its addresses start.
    above : frozenset of Path
        Tilesets it is nested in.
    """

    data: Mapping[str, Any]
    transform: Floats
    refine: str
    error: float
    nearby: Nearby
    above: frozenset[Path]
    depth: int

    @property
    def uris(self) -> list[str]:
        """Addresses of its contents (3D Tiles 1.0 called them ``url``)."""
        entries = self.data.get("contents") or ([self.data["content"]] if self.data.get("content") else [])
        return [str(entry["uri"] if "uri" in entry else entry["url"]) for entry in entries]

    def children(self) -> list[Tile]:
        """Tiles right below, not those of nested tilesets. Raises `UserError` where a subtree file is missing."""
        if tiles3d_implicit.KEY in self.data:
            return [child_of(self, data) for data in tiles3d_implicit.children(self.data[tiles3d_implicit.KEY])]
        return [child_of(self, data) for data in self.data.get("children") or []]

    def nested(self, path: Path) -> Tile:
        """The root of another tileset that is this tile's content. Raises `UserError` when it is already open above."""
        if path in self.above or self.depth > DEEPEST:
            raise _cyclic(self.nearby.name, path.name)
        document = document_of(path)
        nearby = self.nearby.within(path)
        return _tile(document["root"], self.transform, self.refine, nearby, self.above | {path}, self.depth + 1)

    def corners(self) -> Floats | None:
        """Corners (n, 3) of the bounding volume in the tileset's coordinates; geocentric for a region. None if none."""
        volume = self.data.get("boundingVolume") or {}
        if "region" in volume:
            west, south, east, north, low, high = _numbers(volume["region"], 6).tolist()
            lon, lat, height = np.meshgrid(
                np.degrees(np.linspace(west, east, 5)), np.degrees(np.linspace(south, north, 5)), [low, high]
            )
            return _sane(geocentric.from_geodetic(lon.ravel(), lat.ravel(), height.ravel()))
        signs = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], dtype=np.float64)
        if "box" in volume:
            box = _numbers(volume["box"], 12).reshape(4, 3)
            points = box[0] + signs @ box[1:]
        elif "sphere" in volume:
            sphere = _numbers(volume["sphere"], 4)
            points = sphere[:3] + signs * sphere[3]
        else:
            return None
        return _sane(points @ self.transform[:3, :3].T + self.transform[:3, 3])


def _sane(points: Floats) -> Floats | None:
    """The points, or None where one lies farther away than anything on Earth."""
    return points if bool((np.abs(points) < FARTHEST).all()) else None


def _numbers(values: Any, count: int) -> Floats:
    found = np.asarray(values, dtype=np.float64)
    if found.shape != (count,) or not np.isfinite(found).all():
        raise ValueError(f"{count} numbers are wanted")
    return found


def child_of(parent: Tile, data: Mapping[str, Any]) -> Tile:
    """A tile below another."""
    if parent.depth > DEEPEST:
        raise ValueError("its tiles are nested too deeply")
    return _tile(data, parent.transform, parent.refine, parent.nearby, parent.above, parent.depth + 1)


def _tile(data: Any, above: Floats, refine: str, nearby: Nearby, tilesets: frozenset[Path], depth: int) -> Tile:
    if not isinstance(data, dict):
        raise ValueError("a tile is no object")
    if "implicitTiling" in data:
        node = tiles3d_implicit.root_node(data, nearby)
        listed = {} if node is None else tiles3d_implicit.described(node)
        data = {**{key: value for key, value in data.items() if key not in ("content", "contents")}, **listed}
    elif "3DTILES_implicit_tiling" in (data.get("extensions") or {}):
        raise _implicit(nearby.name)
    transform = above
    if data.get("transform") is not None:
        transform = above @ _numbers(data["transform"], 16).reshape(4, 4).T
    wish = str(data.get("refine", refine)).upper()
    error = float(data.get("geometricError", 0.0))
    error = error if math.isfinite(error) else 0.0
    return Tile(data, transform, wish if wish in ("ADD", "REPLACE") else refine, error, nearby, tilesets, depth)


def document_of(path: Path) -> dict[str, Any]:
    """JSON of a tileset. Raises `UserError`."""
    try:
        document = orjson.loads(read_whole(path))
        if not isinstance(document, dict) or not isinstance(document["root"], dict):
            raise ValueError("it has no root tile")
        if not isinstance(document.get("asset"), dict):
            raise ValueError("it has no asset description")
    except FAULTS as error:
        raise damaged(path.name, fault_reason(error)) from error
    return document


def root_of(path: Path, document: Mapping[str, Any]) -> Tile:
    """The root tile of a tileset file."""
    place = path.absolute().resolve()
    return _tile(document["root"], np.eye(4), "REPLACE", Nearby.beside(path), frozenset({place}), 0)


def is_tileset(uri: str) -> bool:
    """Whether an address means a nested tileset rather than content."""
    return uri.split("?", 1)[0].split("#", 1)[0].lower().endswith(".json")


def all_tiles(root: Tile, *, most: int = MOST_TILES) -> Iterator[Tile]:
    """The root and everything below it in the same file, at most so many."""
    stack, count = [root], 0
    while stack and count < most:
        tile = stack.pop()
        count += 1
        yield tile
        stack += reversed(tile.children())


def _implicit(name: str) -> UserError:
    return UserError(
        f"{name} uses implicit tiling of a draft.",
        "Its tiles are computed in the way of an extension to 3D Tiles 1.0, which is not read; that of 1.1 is.",
        "Export the tileset as 3D Tiles 1.1, or with explicit tiles.",
        code="tiles3d.implicit",
        values={"name": name},
    )


def _cyclic(name: str, other: str) -> UserError:
    return UserError(
        f"{name} contains itself.",
        f"It refers to {other}, which refers back to it.",
        "Export the tileset again.",
        code="tiles3d.cyclic",
        values={"name": name, "other": other},
    )
