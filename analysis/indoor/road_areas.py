"""Roads drawn as areas (carriageways, footpaths) walked cell by cell, and the crooked way pulled straight again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from analysis.indoor.network import OUTDOOR, Walks
from geo.model import Issue, Layer, Mesh, unique_rows

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CELL = 2.0  # [m]
MOST_CELLS = 40_000  # more would make the search slow; the cell grows instead
AROUND = 200.0  # [m]
LOOK = 0.5  # [m] between the points at which a straight piece is looked at
# Half of the eight neighbours; the others are the same edges the other way.
NEIGHBOURS = ((0, 1), (1, 0), (1, 1), (1, -1))


def add_road_areas(walks: Walks, layers: Sequence[Layer], near: Floats) -> None:
    """Every cell that a road touches is a node, joined to its eight neighbours; said as an issue.

    Parameters
    ----------
    near : (n, 3) float64 [local m]
        Places that matter; only roads in the rectangle around them and the buildings, with some way round, are walked.
    """
    meshes = [layer.geometry for layer in layers if isinstance(layer.geometry, Mesh)]
    triangles = [mesh.vertices[mesh.faces] for mesh in meshes if len(mesh.faces)]
    if not triangles:
        return
    corners = np.concatenate(triangles)
    wanted = np.concatenate([walks.points, near])[:, :2]
    low, high = wanted.min(axis=0) - AROUND, wanted.max(axis=0) + AROUND
    flat = corners[:, :, :2]
    corners = corners[((flat.max(axis=1) >= low) & (flat.min(axis=1) <= high)).all(axis=1)]
    if not len(corners):
        return
    area = 0.5 * np.abs(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])[:, 2]).sum()
    cell = max(CELL, float(np.sqrt(area / MOST_CELLS)))
    points = _samples(corners, cell / 2.0)
    key, _, member, count = unique_rows(np.floor(points[:, :2] / cell).astype(np.int64))
    middle = np.column_stack([np.bincount(member, points[:, axis]) / count for axis in range(3)])
    middle[:, :2] = (key + 0.5) * cell
    name = next(layer.name for layer in layers if isinstance(layer.geometry, Mesh))
    first = len(walks.id)
    for number, point in enumerate(middle):
        walks.add_node(f"road-cell:{number}", name, OUTDOOR, point)
    for a, b in _neighbours(key):
        walks.add_edge(first + a, first + b, "outside", middle[[a, b]])
    walks.straighten = _Straightener(key, middle, cell)
    walks.issues.append(
        Issue(
            "indoor.road_areas",
            f"{len(triangles)} layers of roads are areas, not centre lines; they are walked in cells of {cell:.1f} m.",
            count=len(triangles),
            values={"cell": f"{cell:.1f}"},
        )
    )


def _samples(corners: Floats, spacing: float) -> Floats:
    """Points (n, 3) on triangles (m, 3, 3), no farther apart than `spacing` [m]."""
    edges = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).max(axis=1)
    parts = np.maximum(1, np.ceil(edges / spacing)).astype(np.int64)
    found = []
    for n in np.unique(parts).tolist():
        i, j = np.meshgrid(np.arange(n + 1), np.arange(n + 1), indexing="ij")
        keep = i + j <= n
        weight = np.stack([i[keep], j[keep], n - i[keep] - j[keep]], axis=1) / n
        found.append(np.einsum("kc,mcx->mkx", weight, corners[parts == n]).reshape(-1, 3))
    return np.concatenate(found)


def _neighbours(key: Ints) -> list[tuple[int, int]]:
    number = {(int(x), int(y)): k for k, (x, y) in enumerate(key.tolist())}
    pairs = []
    for (x, y), k in number.items():
        for dx, dy in NEIGHBOURS:
            other = number.get((x + dx, y + dy))
            if other is not None:
                pairs.append((k, other))
    return pairs


class _Straightener:
    """Leaves out the corners of a way over cells that can be cut without leaving the road."""

    def __init__(self, key: Ints, middle: Floats, cell: float) -> None:
        self._cells = {(int(x), int(y)) for x, y in key.tolist()}
        self._corners = {tuple(np.round(point, 3).tolist()) for point in middle}
        self._cell = cell

    def __call__(self, line: Floats) -> Floats:
        """The way (n, 3) with fewer corners; points that are no cells (doors, links) stay."""
        kept = [0]
        while kept[-1] < len(line) - 1:
            start = kept[-1]
            reach = start + 1
            while reach < len(line) - 1 and self._is_cell(line[reach]) and self._sees(line[start], line[reach + 1]):
                reach += 1
            kept.append(reach)
        return line[kept]

    def _is_cell(self, point: Floats) -> bool:
        return tuple(np.round(point, 3).tolist()) in self._corners

    def _sees(self, a: Floats, b: Floats) -> bool:
        count = max(2, int(np.hypot(*(b - a)[:2]) / LOOK))
        points = a[:2] + np.linspace(0.0, 1.0, count)[1:-1, None] * (b - a)[:2]
        cells = np.floor(points / self._cell).astype(np.int64)
        return all((x, y) in self._cells for x, y in cells.tolist())
