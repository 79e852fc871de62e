"""A scene as 3D Tiles 1.1: a quadtree of GLB tiles on the globe.

Heights go out as they are in the project; a viewer takes them for heights above the ellipsoid, which is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from geo import crs as coordinates
from geo import geocentric
from geo.formats.gltf_write import (
    KEY,
    GlbBuilder,
    column_values,
    face_looks,
    full_table,
    meshes_of,
    primitives,
    save,
    y_up,
)
from geo.model import ElementTable, Feedback, Frame, Issue, Layer, Mesh, UserError

Floats = NDArray[np.float64]
MOST_TRIANGLES = 40_000  # in one tile
SMALLEST_SIDE = 40.0  # [m]
DEEPEST = 14
BIG_ELEMENT = 5_000  # triangles; a larger element (a terrain) is cut along the tiles instead of staying whole


@dataclass(frozen=True)
class _Item:
    """A layer to be written: its triangles, where each belongs, and its vertices on the globe."""

    number: int
    layer: Layer
    mesh: Mesh
    table: ElementTable
    looks: tuple[NDArray[np.int32], NDArray[np.int8]]
    anchor: Floats
    globe: Floats
    lonlat: Floats


def write(path: Path, layers: Sequence[Layer], frame: Frame, feedback: Feedback) -> None:
    """Mesh, instance and terrain layers as ``tileset.json`` with its tiles in a folder beside it."""
    usable = meshes_of(layers)
    if not usable:
        raise UserError(
            "There is nothing to write as 3D Tiles.",
            "3D Tiles hold surfaces; none of the chosen layers has any.",
            "Choose buildings, trees or terrain, or another format.",
            code="tiles3d.nothing_to_write",
        )
    items = [_item(number, *one, frame) for number, one in enumerate(usable)]
    feedback.step(0.2, "tiles")
    folder = path.parent / f"{path.stem}-tiles"
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise UserError(
            f"{folder} cannot be written.",
            f"The system says: {error.strerror or error}.",
            "Choose another folder, or make room on the disk.",
            code="file.not_written",
            values={"path": str(folder), "reason": error.strerror or str(error)},
        ) from error
    tree = _Tree(folder, items, frame, feedback.part(0.2, 0.95))
    root = tree.tile(*_square(items), [np.arange(len(item.mesh.faces)) for item in items], "0")
    described = [
        {"id": i.layer.id, "name": i.layer.name, "theme": i.layer.theme,
         "units": {name: column.unit for name, column in i.table.columns.items() if column.unit}}
        for i in items
    ]  # fmt: skip
    own = {"version": 1, "crs": frame.crs, "vertical": frame.vertical, "layers": described}
    document = {
        "asset": {"version": "1.1", "extras": {KEY: own}},
        "geometricError": root["geometricError"] * 2,
        "root": {**root, "refine": "ADD"},
    }
    save(path, orjson.dumps(document))
    message = "Heights were written as they are in the project; viewers take them for heights above the ellipsoid."
    feedback.note(Issue("tiles3d.heights_as_they_are", message, "doubt"))
    feedback.step(1.0, "written")


def _item(number: int, layer: Layer, mesh: Mesh, origin: NDArray[np.int64], frame: Frame) -> _Item:
    on_map = frame.to_map(mesh.vertices)
    lon, lat = coordinates.to_lonlat(on_map[:, 0], on_map[:, 1], frame.crs)
    globe = geocentric.from_geodetic(lon, lat, on_map[:, 2])
    return _Item(number, layer, mesh, full_table(layer, mesh), face_looks(layer, origin), _anchors(mesh), globe,
                 np.stack([lon, lat, on_map[:, 2]], axis=1))  # fmt: skip


def _anchors(mesh: Mesh) -> Floats:
    """(m, 2) the point that decides to which tile a face goes: the middle of its element, of big ones its own."""
    middle = mesh.vertices[mesh.faces, :2].mean(axis=1)
    element = mesh.face_element.astype(np.int64)
    count = np.bincount(element)
    mean = np.stack([np.bincount(element, middle[:, k]) for k in (0, 1)], axis=1) / np.maximum(count, 1)[:, None]
    return np.where((count[element] > BIG_ELEMENT)[:, None], middle, mean[element])


def _square(items: Sequence[_Item]) -> tuple[float, float, float]:
    """West, south and side of the square that holds all anchors [local m]."""
    low = np.min([item.anchor.min(axis=0) for item in items], axis=0)
    high = np.max([item.anchor.max(axis=0) for item in items], axis=0)
    side = float(max(*(high - low), SMALLEST_SIDE)) * 1.0001
    return float(low[0]), float(low[1]), side


class _Tree:
    """The quadtree while it is written."""

    def __init__(self, folder: Path, items: Sequence[_Item], frame: Frame, feedback: Feedback) -> None:
        self.folder, self.items, self.frame, self.feedback = folder, items, frame, feedback
        self.total = sum(len(item.mesh.faces) for item in items)
        self.written = 0

    def tile(self, west: float, south: float, side: float, faces: list[NDArray[np.int64]], name: str) -> dict[str, Any]:
        """JSON of a tile and all below it; its content is written on the way."""
        count = sum(len(chosen) for chosen in faces)
        region = self._region(faces)
        if count <= MOST_TRIANGLES or side < 2 * SMALLEST_SIDE or len(name) > DEEPEST:
            self.written += count
            self.feedback.step(self.written / self.total, f"tile {name}")
            return {"boundingVolume": {"region": region}, "geometricError": 0, **self._content(faces, name)}
        half = side / 2
        children = []
        for quarter, (x, y) in enumerate(((west, south), (west + half, south), (west, south + half),
                                          (west + half, south + half))):  # fmt: skip
            mine = [self._inside(item, chosen, west + half, south + half, quarter)
                    for item, chosen in zip(self.items, faces, strict=True)]  # fmt: skip
            if any(len(chosen) for chosen in mine):
                children.append(self.tile(x, y, half, mine, f"{name}{quarter}"))
        return {"boundingVolume": {"region": region}, "geometricError": round(side, 3), "children": children}

    @staticmethod
    def _inside(item: _Item, chosen: NDArray[np.int64], x: float, y: float, quarter: int) -> NDArray[np.int64]:
        anchor = item.anchor[chosen]
        return chosen[((anchor[:, 0] >= x) == (quarter % 2 == 1)) & ((anchor[:, 1] >= y) == (quarter >= 2))]

    def _region(self, faces: list[NDArray[np.int64]]) -> list[float]:
        """West, south, east, north [radians], lowest and highest height [m] of the real vertices."""
        lows, highs = [], []
        for item, chosen in zip(self.items, faces, strict=True):
            if len(chosen):
                points = item.lonlat[np.unique(item.mesh.faces[chosen])]
                lows.append(points.min(axis=0))
                highs.append(points.max(axis=0))
        low, high = np.min(lows, axis=0), np.max(highs, axis=0)
        return [*np.radians(low[:2]).tolist(), *np.radians(high[:2]).tolist(), float(low[2]), float(high[2])]

    def _content(self, faces: list[NDArray[np.int64]], name: str) -> dict[str, Any]:
        region = self._region(faces)
        lon, lat = np.degrees([(region[0] + region[2]) / 2, (region[1] + region[3]) / 2]).tolist()
        matrix = geocentric.east_north_up(lon, lat, region[4])
        back = np.linalg.inv(matrix)
        builder = GlbBuilder()
        roots = []
        for item, chosen in zip(self.items, faces, strict=True):
            if len(chosen):
                roots.append(_add(builder, item, chosen, back))
        save(self.folder / f"{name}.glb", builder.packed(roots, {}))
        return {"transform": matrix.T.ravel().tolist(), "content": {"uri": f"{self.folder.name}/{name}.glb"}}


def _add(builder: GlbBuilder, item: _Item, chosen: NDArray[np.int64], back: Floats) -> int:
    """A node with some faces of a layer; features are numbered within the tile, attributes are lists by number."""
    used, index = np.unique(item.mesh.faces[chosen], return_inverse=True)
    points = item.globe[used] @ back[:3, :3].T + back[:3, 3]
    rows, features = np.unique(item.mesh.face_element[chosen], return_inverse=True)
    looks = (item.looks[0][chosen], item.looks[1][chosen])
    made = primitives(builder, item.layer, y_up(points), index.reshape(-1, 3), looks, features.reshape(-1))
    extras: dict[str, Any] = {
        name: column_values(column.values[rows]) for name, column in item.table.columns.items() if name != "layer"
    }
    extras |= {"id": item.table.ids[rows].tolist(), "layer": item.number}
    return builder.add_mesh(item.layer.name, made, extras=extras)
