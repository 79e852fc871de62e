"""Which windows of a model belong to living rooms, where its rooms are known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from geo.model import Issue, Layer, Mesh

if TYPE_CHECKING:
    from analysis.sunlight_rights.windows import Windows

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

LIVING_WORDS = ("거실", "living", "lounge", "ldk")
TOLD_BY = ("name", "long_name", "use", "type")  # columns of rooms that may say what a room is
INWARD = (0.4, 0.8, 1.2)  # [m] behind the outer face: behind the wall, within the room
UNKNOWN, OTHER, LIVING = -1, 0, 1


def living_only(windows: Windows, rooms: Sequence[Layer], issues: list[Issue]) -> Windows:
    """Windows without those of a model that lie in other rooms than living rooms.

    Models that name no living room keep all their windows; so do windows behind which no room is known.
    """
    sort = room_sorts(windows, rooms)
    homes = np.unique(windows.building[sort == LIVING])
    gone = (sort == OTHER) & np.isin(windows.building, homes)
    if len(homes):
        kept, left = int((sort == LIVING).sum()), int(gone.sum())
        message = f"{kept} windows of living rooms are judged; {left} of other rooms in the same models were left out."
        issues.append(Issue("sunlight.rights.living_rooms", message, count=left, values={"kept": kept, "left": left}))
    return windows.kept(~gone)


def room_sorts(windows: Windows, rooms: Sequence[Layer]) -> NDArray[np.int8]:
    """(n,) what lies behind a window of a model: `LIVING`, `OTHER`, or `UNKNOWN` (always so for made windows)."""
    from analysis.kernels.capsules import inside_solids

    out = np.full(len(windows.id), UNKNOWN, dtype=np.int8)
    asked = np.flatnonzero(windows.origin == "model")
    shapes = [layer for layer in rooms if isinstance(layer.geometry, Mesh) and len(layer.geometry.faces)]
    if len(asked) == 0 or not shapes:
        return out
    triangles, solid, living, first = [], [], [], 0
    for layer in shapes:
        mesh = layer.geometry
        if not isinstance(mesh, Mesh):
            continue
        triangles.append(mesh.vertices[mesh.faces])
        solid.append(mesh.face_element.astype(np.int64) + first)
        named = _says_living(layer, int(mesh.face_element.max()) + 1)
        living.append(named)
        first += len(named)
    is_living = np.concatenate(living)
    for inward in INWARD:
        open_ = asked[out[asked] == UNKNOWN]
        if len(open_) == 0:
            break
        points = windows.centre[open_] - inward * windows.normal[open_]
        pairs = inside_solids(points, np.concatenate(triangles), np.concatenate(solid))
        for room, point in pairs:
            row = open_[point]
            out[row] = max(out[row], LIVING if is_living[room] else OTHER)
    return out


def _says_living(layer: Layer, count: int) -> Bools:
    """(e,) rooms one of whose texts names a living room."""
    out = np.zeros(max(count, len(layer.table)), dtype=bool)
    for name in TOLD_BY:
        column = layer.table.columns.get(name)
        if column is None or column.values.dtype != object:
            continue
        for row, value in enumerate(column.values):
            if value is not None and any(word in str(value).lower() for word in LIVING_WORDS):
                out[row] = True
    return out
