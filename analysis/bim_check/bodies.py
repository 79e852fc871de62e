"""The elements of layers as bodies of triangles, one after another, with their boxes and columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from geo.model import Instances, Layer, Mesh

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Bodies:
    """Elements that have a shape.

    Attributes
    ----------
    triangles : (t, 3, 3) float64 [local m]
        Body after body.
    stops : (n + 1,) int64
        Body i has triangles ``stops[i] .. stops[i + 1] - 1``.
    layer : (n,) int64
        Number of the layer in `layers`.
    row : (n,) int64
        Of the element in its table.
    """

    layers: tuple[Layer, ...]
    triangles: Floats
    stops: Ints
    layer: Ints
    row: Ints

    def __len__(self) -> int:
        return len(self.row)

    @cached_property
    def triangle_boxes(self) -> Floats:
        """(t, 6) low and high corners of the triangles."""
        if len(self.triangles) == 0:
            return np.zeros((0, 6))
        return np.concatenate([self.triangles.min(axis=1), self.triangles.max(axis=1)], axis=1)

    @cached_property
    def boxes(self) -> Floats:
        """(n, 6) low and high corners of the bodies."""
        if len(self) == 0:
            return np.zeros((0, 6))
        low = np.minimum.reduceat(self.triangle_boxes[:, :3], self.stops[:-1], axis=0)
        high = np.maximum.reduceat(self.triangle_boxes[:, 3:], self.stops[:-1], axis=0)
        return np.concatenate([low, high], axis=1)

    @cached_property
    def id(self) -> NDArray[np.object_]:
        """(n,) ids of the elements."""
        return self.texts("")

    def texts(self, name: str) -> NDArray[np.object_]:
        """(n,) a column as texts, empty where a layer or an element has none; no name means the ids."""
        found = np.full(len(self), "", dtype=object)
        for number, layer in enumerate(self.layers):
            mine = self.layer == number
            if not name:
                found[mine] = layer.table.ids[self.row[mine]]
            elif name in layer.table.columns:
                values = layer.table.columns[name].values[self.row[mine]]
                found[mine] = ["" if value is None else str(value) for value in values.tolist()]
        return found

    @cached_property
    def layer_names(self) -> NDArray[np.object_]:
        """(n,) names of the layers."""
        return np.array([layer.name for layer in self.layers] or [""], dtype=object)[self.layer]

    def areas_and_middles(self) -> tuple[Floats, Floats]:
        """Surface (n,) [m2], and the middle (n, 3) of it [local m]."""
        cross = np.cross(self.triangles[:, 1] - self.triangles[:, 0], self.triangles[:, 2] - self.triangles[:, 0])
        area = 0.5 * np.linalg.norm(cross, axis=1)
        weighted = self.triangles.mean(axis=1) * area[:, None]
        total = np.add.reduceat(area, self.stops[:-1]) if len(self) else np.zeros(0)
        summed = np.add.reduceat(weighted, self.stops[:-1], axis=0) if len(self) else np.zeros((0, 3))
        flat = total <= 0.0
        middle = summed / np.where(flat, 1.0, total)[:, None]
        middle[flat] = (self.boxes[flat, :3] + self.boxes[flat, 3:]) / 2
        return total, middle


def bodies_of(layers: Sequence[Layer]) -> Bodies:
    """The elements of mesh and instance layers. Triangles with a corner that is not a number are left out."""
    triangles, layer, element = [], [], []
    for number, item in enumerate(layers):
        shape = item.geometry.baked() if isinstance(item.geometry, Instances) else item.geometry
        if not isinstance(shape, Mesh) or len(shape.faces) == 0:
            continue
        order = np.argsort(shape.face_element, kind="stable")
        corners = shape.vertices[shape.faces[order]]
        good = np.isfinite(corners).all(axis=(1, 2))
        triangles.append(corners[good])
        element.append(shape.face_element[order][good].astype(np.int64))
        layer.append(np.full(int(good.sum()), number, dtype=np.int64))
    if not triangles:
        empty = np.zeros(0, dtype=np.int64)
        return Bodies(tuple(layers), np.zeros((0, 3, 3)), np.zeros(1, dtype=np.int64), empty, empty)
    of_layer, of_element = np.concatenate(layer), np.concatenate(element)
    new = np.ones(len(of_layer), dtype=np.bool_)
    new[1:] = (of_layer[1:] != of_layer[:-1]) | (of_element[1:] != of_element[:-1])
    starts = np.flatnonzero(new)
    stops = np.append(starts, len(of_layer)).astype(np.int64)
    return Bodies(
        tuple(layers), np.ascontiguousarray(np.concatenate(triangles)), stops, of_layer[starts], of_element[starts]
    )
