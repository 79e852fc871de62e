"""Distances in plan from points to buildings and roads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.model import Layer, Lines, Mesh

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
LEVEL = 0.05  # |vertical part| of a normal below which a face is a wall: it has no area in plan


class NearestElement(NamedTuple):
    """Nearest element of layers in plan: distance (n,) [m] (inf for none, 0 inside), layer and row (n,) int64, -1."""

    distance: Floats
    layer: Indices
    row: Indices
    foot: Floats


def nearest_element(layers: Sequence[Layer], points: Floats, *, reach: float) -> NearestElement:
    """The nearest mesh element within `reach` [m] of points (n, 3), in plan."""
    from analysis.kernels.boxtree import BoxTree

    triangles, layer_of, row = _triangles(layers)
    count = len(points)
    out = NearestElement(np.full(count, np.inf), np.full(count, -1), np.full(count, -1), points[:, :2].copy())
    if len(triangles) == 0 or count == 0:
        return out
    low, high = triangles.min(axis=1), triangles.max(axis=1)
    thick = np.zeros((len(low), 1))
    tree = BoxTree(np.hstack([low, thick - 1]), np.hstack([high, thick + 1]))
    flat = np.column_stack([points[:, :2], np.zeros(count)])
    pairs = tree.meeting(flat - reach, flat + reach)
    point, face = pairs[:, 0], pairs[:, 1]
    foot = _foot(points[point, :2], triangles[face])
    distance = np.hypot(*(foot - points[point, :2]).T)
    order = np.lexsort((face, distance, point))
    first = np.ones(len(order), dtype=bool)
    first[1:] = point[order][1:] != point[order][:-1]
    best = order[first]
    best = best[distance[best] <= reach]
    out.distance[point[best]] = distance[best]
    out.layer[point[best]], out.row[point[best]] = layer_of[face[best]], row[face[best]]
    out.foot[point[best]] = foot[best]
    return out


def _triangles(layers: Sequence[Layer]) -> tuple[Floats, Indices, Indices]:
    """Plan corners (t, 3, 2) of faces that are not walls, with layer and row of each."""
    corners, layer_of, row = [np.zeros((0, 3, 2))], [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for number, layer in enumerate(layers):
        shape = layer.geometry
        if isinstance(shape, Mesh):
            flat = np.abs(shape.face_normal[:, 2]) > LEVEL
            corners.append(shape.vertices[shape.faces[flat]][:, :, :2])
            row.append(shape.face_element[flat].astype(np.int64))
            layer_of.append(np.full(int(flat.sum()), number, dtype=np.int64))
    return np.concatenate(corners), np.concatenate(layer_of), np.concatenate(row)


def _foot(points: Floats, triangles: Floats) -> Floats:
    """Point of each triangle (n, 3, 2) nearest to each point (n, 2); the point itself where it lies inside."""
    best = np.full(len(points), np.inf)
    foot = points.copy()
    sides = []
    for k in range(3):
        a, b = triangles[:, k], triangles[:, (k + 1) % 3]
        way, offset = b - a, points - a
        share = np.clip((offset * way).sum(axis=1) / np.maximum((way**2).sum(axis=1), 1e-12), 0.0, 1.0)
        near = a + share[:, None] * way
        apart = np.hypot(*(points - near).T)
        closer = apart < best
        best, foot = np.where(closer, apart, best), np.where(closer[:, None], near, foot)
        sides.append(way[:, 0] * offset[:, 1] - way[:, 1] * offset[:, 0])
    turn = np.stack(sides)
    inside = np.logical_or((turn >= 0).all(axis=0), (turn <= 0).all(axis=0)).reshape(-1, 1)
    return np.where(inside, points, foot)


def nearest_road(layers: Sequence[Layer], point: Floats, *, reach: float) -> tuple[float, Floats, int, int]:
    """Plan distance [m] to the edge of the nearest road, the point on it, layer and row.

    Roads are areas, looked for within `reach` [m], or centre lines of which half the width counts.
    """
    best: tuple[float, Floats, int, int] = (np.inf, point, -1, -1)
    for number, layer in enumerate(layers):
        lines = layer.geometry
        if isinstance(lines, Mesh):
            near = nearest_element([layer], point[None], reach=reach)
            if near.layer[0] >= 0 and near.distance[0] < best[0]:
                foot = np.array([*near.foot[0], point[2]])
                best = (float(near.distance[0]), foot, number, int(near.row[0]))
            continue
        if not isinstance(lines, Lines) or len(lines.vertices) < 2:
            continue
        owner = np.repeat(np.arange(len(lines.line_element)), np.diff(lines.offsets))
        first = np.flatnonzero(owner[:-1] == owner[1:])
        a, b = lines.vertices[first], lines.vertices[first + 1]
        way = b - a
        share = np.clip(
            ((point[:2] - a[:, :2]) * way[:, :2]).sum(axis=1) / np.maximum((way[:, :2] ** 2).sum(axis=1), 1e-12), 0, 1
        )
        foot = a + share[:, None] * way
        row = lines.line_element[owner[first]].astype(np.int64)
        gap = np.maximum(np.hypot(*(foot[:, :2] - point[:2]).T) - _half_width(layer)[row], 0.0)
        k = int(np.argmin(gap))
        if gap[k] < best[0]:
            best = (float(gap[k]), foot[k], number, int(row[k]))
    return best


def _half_width(layer: Layer) -> Floats:
    column = layer.table.columns.get("width")
    if column is None or not column.is_number:
        return np.zeros(max(len(layer.table), 1))
    return np.nan_to_num(np.asarray(column.values, dtype=np.float64)) / 2
