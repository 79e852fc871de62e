"""Rooms of models as what cameras must not see: what each is by its words, and points and boxes within it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.cctv.masks import Pieces
from analysis.cctv.privacy_rules import privacy_rules
from geo.model import Layer, Mesh
from geo.model.conventions import STOREY

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Bools = NDArray[np.bool_]
Texts = NDArray[np.object_]

TOLD_BY = ("use", "name", "long_name", "number", "type")  # columns of rooms that may say what a room is
SPACING = 0.6  # [m] between points in plan
HEIGHTS = (0.5, 1.1, 1.7)  # [m] above the floor: lying or sitting, standing
FROM_THE_WALL = 0.1  # [m] that points keep from the faces of their room's box
BOX_FACES = np.array(
    [[0, 1, 3, 2], [4, 5, 7, 6], [0, 1, 5, 4], [2, 3, 7, 6], [0, 2, 6, 4], [1, 3, 7, 5]], dtype=np.int64
)  # of the corners numbered by x, y, z: 4 x + 2 y + z


class Rooms(NamedTuple):
    """Rooms of all models.

    Attributes
    ----------
    id, storey : (n,) object
    kind : (n,) object
        A key of the rules' words, ``"other"``, or ``""`` where nothing is said.
    centre : (n, 3) float [local m]
    triangles : (t, 3, 3) float [local m]
    solid : (t,) int64
        Room of each triangle, ascending.
    """

    id: Texts
    storey: Texts
    kind: Texts
    centre: Floats
    triangles: Floats
    solid: Indices

    def only(self, keep: Bools) -> Rooms:
        """Those where `keep` (n,) is true."""
        new = np.cumsum(keep) - 1
        mine = keep[self.solid] if len(self.solid) else np.zeros(0, dtype=bool)
        return Rooms(
            self.id[keep], self.storey[keep], self.kind[keep], self.centre[keep], self.triangles[mine],
            new[self.solid[mine]],
        )  # fmt: skip


def rooms_of(layers: Sequence[Layer]) -> Rooms:
    """The rooms of layers of theme ``space`` that have a body."""
    ids, storeys, kinds, centres, triangles, solids = [], [], [], [], [], []
    count = 0
    for layer in layers:
        mesh = layer.geometry
        if not isinstance(mesh, Mesh) or len(mesh.faces) == 0:
            continue
        order = np.argsort(mesh.face_element, kind="stable")
        present, solid = np.unique(mesh.face_element[order], return_inverse=True)
        corners = mesh.vertices[mesh.faces[order]]
        for number, row in enumerate(present.tolist()):
            ids.append(_id_of(layer, row))
            storeys.append(_text(layer, STOREY, row))
            kinds.append(privacy_rules().room_kind(*(_text(layer, name, row) for name in TOLD_BY)))
            mine = corners[solid.reshape(-1) == number].reshape(-1, 3)
            centres.append((mine.min(axis=0) + mine.max(axis=0)) / 2.0)
        triangles.append(corners)
        solids.append(solid.reshape(-1).astype(np.int64) + count)
        count += len(present)
    if not ids:
        text = np.zeros(0, dtype=object)
        return Rooms(text, text, text, np.zeros((0, 3)), np.zeros((0, 3, 3)), np.zeros(0, np.int64))
    told, where, what = (np.array(column, dtype=object) for column in (ids, storeys, kinds))
    return Rooms(told, where, what, np.array(centres), np.concatenate(triangles), np.concatenate(solids))


def rooms_within(rooms: Rooms, points: Floats) -> Indices:
    """(n,) the room that each point lies in, -1 none."""
    out = np.full(len(points), -1, dtype=np.int64)
    if len(rooms.id) == 0 or len(points) == 0:
        return out
    from analysis.kernels.capsules import inside_solids

    pairs = inside_solids(points, rooms.triangles, rooms.solid)
    out[pairs[:, 1]] = pairs[:, 0]
    return out


def room_pieces(rooms: Rooms) -> tuple[Pieces, Indices]:
    """Boxes about points in each room, and the room of each.

    A box reaches to the neighbouring points on all sides, as far as the room's own box: what is seen between two
    points is hidden with either.
    """
    points, item, low, high = _points_in(rooms)
    count = len(points)
    reach = np.array([SPACING, SPACING, HEIGHTS[1] - HEIGHTS[0]])
    least, most = np.maximum(points - reach, low[item]), np.minimum(points + reach, high[item])
    pick = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], dtype=bool)
    corners = np.where(pick[None], most[:, None], least[:, None])
    quads = corners[:, BOX_FACES].reshape(-1, 4, 3)
    number = np.arange(count)
    pieces = Pieces(quads, np.repeat(number, len(BOX_FACES)), points, np.full((count, 3), np.nan), number)
    return pieces, item


def _points_in(rooms: Rooms) -> tuple[Floats, Indices, Floats, Floats]:
    """Points within the rooms, the room of each; and the low and high corner (n, 3) of each room's box."""
    count = len(rooms.id)
    low, high = np.full((count, 3), np.inf), np.full((count, 3), -np.inf)
    for corner in range(3):
        np.minimum.at(low, rooms.solid, rooms.triangles[:, corner])
        np.maximum.at(high, rooms.solid, rooms.triangles[:, corner])
    found = [_lattice(low[k], high[k]) for k in range(count)]
    asked = np.concatenate(found) if found else np.zeros((0, 3))
    owner = np.repeat(np.arange(count), [len(part) for part in found]).astype(np.int64)
    if len(asked) == 0:
        return asked, owner, low, high
    from analysis.kernels.capsules import inside_solids

    pairs = inside_solids(asked, rooms.triangles, rooms.solid)
    mine = np.zeros(len(asked), dtype=bool)
    mine[pairs[owner[pairs[:, 1]] == pairs[:, 0], 1]] = True
    return asked[mine], owner[mine], low, high


def _lattice(low: Floats, high: Floats) -> Floats:
    """Points over a box at the heights of people."""
    sides = []
    for a, b in zip(low[:2], high[:2], strict=True):
        inner = (a + FROM_THE_WALL, b - FROM_THE_WALL)
        steps = max(int(np.ceil((inner[1] - inner[0]) / SPACING)), 1)
        sides.append(np.linspace(*inner, steps + 1) if inner[1] > inner[0] else np.array([(a + b) / 2.0]))
    rising = [low[2] + h for h in HEIGHTS if low[2] + h < high[2] - FROM_THE_WALL] or [(low[2] + high[2]) / 2.0]
    x, y, z = np.meshgrid(sides[0], sides[1], np.array(rising), indexing="ij")
    return np.column_stack([x.ravel(), y.ravel(), z.ravel()])


def _id_of(layer: Layer, row: int) -> str:
    name = _text(layer, "name", row)
    own = str(layer.table.ids[row]) if row < len(layer.table) else str(row)
    return f"{name} ({own})" if name and name != own else own


def _text(layer: Layer, name: str, row: int) -> str:
    column = layer.table.columns.get(name)
    value = column.values[row] if column is not None and row < len(column.values) else None
    return "" if value is None else str(value)
