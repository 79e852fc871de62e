"""What cameras should see: points at the height of a person, on facades and doors, in rooms and along lanes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Index = NDArray[np.int64] | NDArray[np.bool_]

TARGET_KINDS = ("ground", "facade", "entrance", "room", "plate")
GROUND, FACADE, ENTRANCE, ROOM, PLATE = range(5)
CELL = 10.0  # [m] of the order in which targets are kept, and of the search for those near a pole
SURFACE_SHIFT = 0.02  # [m] targets on surfaces stand this far in front of them
WEIGHT_UNIT = 100.0  # weight of a square metre of importance 1: weights are whole numbers, so that sums are exact
NO_AREA = "-"


@dataclass(frozen=True, eq=False)
class Cells:
    """Where the targets of each cell begin: `start` (rows * cols + 1,), `grid` (west, south, cell, rows, cols)."""

    start: Indices
    grid: tuple[int, int, float, int, int]


@dataclass(frozen=True, eq=False)
class Targets:
    """Points that should be seen, sorted by cells of `CELL` from south-west, row by row.

    Attributes
    ----------
    xyz : (n, 3) float64 [local m]
        Those on surfaces stand `SURFACE_SHIFT` in front.
    weight : (n,) int64
        Area [m2] times importance times `WEIGHT_UNIT`.
    normal : (n, 3) float64
        Outward unit normals; rows of not-a-number for people, who are taken as looking to the camera.
    kind : (n,) int8
        Place in `TARGET_KINDS`.
    area : (n,) int32
        Place in `areas`.
    required : (n,) int8
        Class asked for: place in the edition's classes; -1 none.
    cell_area : (n,) float64 [m2]
        That each stands for.
    number : (n,) int64
        What its maker counts it by (a cell of its grid, a cell of a facade); -1 nothing.
    lux : (n,) float64 [lx]
        Light at night; not-a-number unknown.
    areas : tuple of str
        Names of rooms, roads, areas of study.
    """

    xyz: Floats
    weight: Indices
    normal: Floats
    kind: NDArray[np.int8]
    area: NDArray[np.int32]
    required: NDArray[np.int8]
    cell_area: Floats
    number: Indices
    lux: Floats
    areas: tuple[str, ...] = (NO_AREA,)

    def __len__(self) -> int:
        return len(self.weight)

    @cached_property
    def cells(self) -> Cells:
        """Where those of each cell begin. Raises ValueError when they are not in order."""
        return _cells(self.xyz)

    def taken(self, index: Index) -> Targets:
        """Some of them; `index` must keep their order."""
        return Targets(
            self.xyz[index], self.weight[index], self.normal[index], self.kind[index], self.area[index],
            self.required[index], self.cell_area[index], self.number[index], self.lux[index], self.areas,
        )  # fmt: skip


def make_targets(
    xyz: ArrayLike,
    *,
    kind: int | NDArray[np.int8],
    cell_area: ArrayLike,
    importance: ArrayLike = 1.0,
    normal: ArrayLike | None = None,
    area: ArrayLike = 0,
    areas: Sequence[str] = (NO_AREA,),
    required: ArrayLike = -1,
    number: ArrayLike = -1,
    lux: ArrayLike = np.nan,
) -> Targets:
    """Targets in the order they are kept in; single values stand for all.

    Parameters
    ----------
    xyz : (n, 3) float [local m]
    cell_area : (n,) or float [m2]
    importance : (n,) or float
        0 or more; a target of importance 0 is looked at but does not count.
    """
    points = np.ascontiguousarray(xyz, dtype=np.float64).reshape(-1, 3)
    count = len(points)
    sizes = _spread(cell_area, count, np.float64)
    weight = np.rint(sizes * _spread(importance, count, np.float64) * WEIGHT_UNIT).astype(np.int64)
    faces = np.full((count, 3), np.nan) if normal is None else np.ascontiguousarray(normal, dtype=np.float64)
    found = Targets(
        points, weight, faces.reshape(-1, 3), _spread(kind, count, np.int8), _spread(area, count, np.int32),
        _spread(required, count, np.int8), sizes, _spread(number, count, np.int64), _spread(lux, count, np.float64),
        tuple(areas),
    )  # fmt: skip
    return found.taken(order_of(points))


def _spread(values: ArrayLike, count: int, dtype: type) -> NDArray:  # type: ignore[type-arg]
    return np.ascontiguousarray(np.broadcast_to(np.asarray(values, dtype=dtype), (count,)))


def _cells(xyz: Floats) -> Cells:
    if len(xyz) == 0:
        return Cells(np.zeros(1, dtype=np.int64), (0, 0, CELL, 0, 0))
    cell = np.floor(xyz[:, :2] / CELL).astype(np.int64)
    west, south = (int(value) for value in cell.min(axis=0))
    cols, rows = (int(value) + 1 for value in cell.max(axis=0) - [west, south])
    number = (cell[:, 1] - south) * cols + cell[:, 0] - west
    if np.any(np.diff(number) < 0):
        raise ValueError("targets are not in the order of their cells; make them by make_targets or join")
    return Cells(np.searchsorted(number, np.arange(rows * cols + 1)), (west, south, CELL, rows, cols))


def order_of(points: Floats) -> Indices:
    """(n,) order by cells of `CELL` on the lattice of the map, within a cell along a Z-curve of metres."""
    if len(points) == 0:
        return np.zeros(0, dtype=np.int64)
    cell = np.floor(points[:, :2] / CELL).astype(np.int64)
    inner = np.clip((points[:, :2] - cell * CELL) / CELL * 16.0, 0, 15).astype(np.int64)
    code = np.zeros(len(points), dtype=np.int64)
    for bit in range(4):
        code |= ((inner[:, 0] >> bit) & 1) << (2 * bit) | ((inner[:, 1] >> bit) & 1) << (2 * bit + 1)
    return np.asarray(np.lexsort((points[:, 2], code, cell[:, 0], cell[:, 1])), dtype=np.int64)


def join(parts: Sequence[Targets]) -> Targets:
    """Several in one; names of areas that are alike become one."""
    parts = [part for part in parts if len(part)]
    if not parts:
        return make_targets(np.zeros((0, 3)), kind=GROUND, cell_area=1.0)
    names: dict[str, int] = {}
    areas = []
    for part in parts:
        places = np.array([names.setdefault(name, len(names)) for name in part.areas], dtype=np.int32)
        areas.append(places[part.area])
    columns = zip(
        *((p.xyz, p.weight, p.normal, p.kind, p.required, p.cell_area, p.number, p.lux) for p in parts), strict=True
    )
    xyz, weight, normal, kind, required, cell_area, number, lux = (np.concatenate(column) for column in columns)
    whole = Targets(
        xyz, weight, normal, kind, np.concatenate(areas), required, cell_area, number, lux, tuple(names)
    )  # fmt: skip
    return whole.taken(order_of(xyz))


def ground_targets(
    points: ArrayLike, *, cell: float, height: float = 1.6, importance: ArrayLike = 1.0, area: ArrayLike = 0,
    areas: Sequence[str] = (NO_AREA,), required: ArrayLike = -1, number: ArrayLike = -1, lux: ArrayLike = np.nan,
) -> Targets:  # fmt: skip
    """People on the ground: points (n, 3) of it [local m], `height` [m] above."""
    raised = np.asarray(points, dtype=np.float64).reshape(-1, 3) + [0.0, 0.0, height]
    return make_targets(
        raised, kind=GROUND, cell_area=cell * cell, importance=importance, area=area, areas=areas, required=required,
        number=number, lux=lux,
    )  # fmt: skip


def facade_targets(
    points: ArrayLike, normal: ArrayLike, *, cell_area: ArrayLike, importance: ArrayLike = 1.0, area: ArrayLike = 0,
    areas: Sequence[str] = (NO_AREA,), required: ArrayLike = -1, number: ArrayLike = -1, lux: ArrayLike = np.nan,
) -> Targets:  # fmt: skip
    """Cells of walls: points (n, 3) on them [local m] and outward unit normals."""
    return _on_surfaces(
        FACADE, points, normal, cell_area=cell_area, importance=importance, area=area, areas=areas, required=required,
        number=number, lux=lux,
    )  # fmt: skip


def entrance_targets(
    points: ArrayLike, outward: ArrayLike, *, height: float = 1.6, weight_area: float = 10.0,
    importance: ArrayLike = 1.0, area: ArrayLike = 0, areas: Sequence[str] = (NO_AREA,), required: ArrayLike = -1,
    number: ArrayLike = -1, lux: ArrayLike = np.nan,
) -> Targets:  # fmt: skip
    """Faces of people who come out of doors: points (n, 3) on the threshold and the level way out (n, 3).

    `weight_area` [m2] is what one door counts.
    """
    raised = np.asarray(points, dtype=np.float64).reshape(-1, 3) + [0.0, 0.0, height]
    return _on_surfaces(
        ENTRANCE, raised, outward, cell_area=weight_area, importance=importance, area=area, areas=areas,
        required=required, number=number, lux=lux,
    )  # fmt: skip


def room_targets(
    points: ArrayLike, *, cell: float, height: float = 1.6, importance: ArrayLike = 1.0, area: ArrayLike = 0,
    areas: Sequence[str] = (NO_AREA,), required: ArrayLike = -1, number: ArrayLike = -1, lux: ArrayLike = np.nan,
) -> Targets:  # fmt: skip
    """People in rooms: points (n, 3) of the floor [local m]."""
    raised = np.asarray(points, dtype=np.float64).reshape(-1, 3) + [0.0, 0.0, height]
    return make_targets(
        raised, kind=ROOM, cell_area=cell * cell, importance=importance, area=area, areas=areas, required=required,
        number=number, lux=lux,
    )  # fmt: skip


def plate_targets(
    points: ArrayLike, ahead: ArrayLike, *, height: float = 0.6, weight_area: float = 10.0,
    importance: ArrayLike = 1.0, area: ArrayLike = 0, areas: Sequence[str] = (NO_AREA,), required: ArrayLike = -1,
    number: ArrayLike = -1, lux: ArrayLike = np.nan,
) -> Targets:  # fmt: skip
    """Plates of vehicles: points (n, 3) of lanes [local m] and the way the plate looks (n, 3)."""
    raised = np.asarray(points, dtype=np.float64).reshape(-1, 3) + [0.0, 0.0, height]
    return _on_surfaces(
        PLATE, raised, ahead, cell_area=weight_area, importance=importance, area=area, areas=areas,
        required=required, number=number, lux=lux,
    )  # fmt: skip


def _on_surfaces(
    kind: int, points: ArrayLike, normal: ArrayLike, *, cell_area: ArrayLike, importance: ArrayLike, area: ArrayLike,
    areas: Sequence[str], required: ArrayLike, number: ArrayLike, lux: ArrayLike,
) -> Targets:  # fmt: skip
    way = np.ascontiguousarray(normal, dtype=np.float64).reshape(-1, 3)
    shifted = np.asarray(points, dtype=np.float64).reshape(-1, 3) + SURFACE_SHIFT * way
    return make_targets(
        shifted, kind=kind, normal=way, cell_area=cell_area, importance=importance, area=area, areas=areas,
        required=required, number=number, lux=lux,
    )  # fmt: skip
