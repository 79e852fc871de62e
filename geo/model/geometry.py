"""Mesh, Lines, Points, Instances, Grid, Image and Volume: frozen arrays with checked shapes, local metres."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo.model.cached import cached_property

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]


class Bounds(NamedTuple):
    """An axis-parallel box [local m]."""

    low: tuple[float, float, float]
    high: tuple[float, float, float]

    @staticmethod
    def of(points: Floats) -> Bounds | None:
        """Box around points (n, 3), or None for none."""
        if len(points) == 0:
            return None
        low, high = points.min(axis=0), points.max(axis=0)
        return Bounds((float(low[0]), float(low[1]), float(low[2])), (float(high[0]), float(high[1]), float(high[2])))

    @staticmethod
    def union(boxes: Iterable[Bounds]) -> Bounds | None:
        """Box around boxes, or None for none."""
        corners = np.array([corner for box in boxes for corner in (box.low, box.high)], dtype=np.float64)
        return Bounds.of(corners.reshape(-1, 3))

    @property
    def size(self) -> tuple[float, float, float]:
        """Extent along x, y, z [m]."""
        return (self.high[0] - self.low[0], self.high[1] - self.low[1], self.high[2] - self.low[2])

    @property
    def centre(self) -> tuple[float, float, float]:
        """Middle of the box [local m]."""
        return tuple((a + b) / 2 for a, b in zip(self.low, self.high, strict=True))  # type: ignore[return-value]


def _frozen(values: ArrayLike, dtype: type, tail: tuple[int, ...], name: str) -> NDArray[np.generic]:
    """`values` as a read-only C-ordered array of `dtype` with shape (n, *tail)."""
    array: NDArray[np.generic] = np.ascontiguousarray(values, dtype=dtype)
    if array.size == 0:
        array = array.reshape((0, *tail))
    if array.ndim != len(tail) + 1 or array.shape[1:] != tail:
        raise ValueError(f"{name} must have shape (n{''.join(f', {t}' for t in tail)}), got {array.shape}")
    view = array.view()
    view.flags.writeable = False
    return view


def _checked_index(index: NDArray[np.generic], limit: int, name: str) -> None:
    if index.size and (int(index.min()) < 0 or int(index.max()) >= limit):
        raise ValueError(f"{name} points outside 0..{limit - 1}")


@dataclass(frozen=True, eq=False)
class Geometry:
    """Base of everything that has a place. `kind` names the sort of geometry."""

    kind: ClassVar[str] = ""

    @property
    def bounds(self) -> Bounds | None:
        """Box around it [local m], None when empty."""
        raise NotImplementedError


@dataclass(frozen=True, eq=False)
class Mesh(Geometry):
    """Triangles.

    Attributes
    ----------
    vertices : (n, 3) float64 [local m]
    faces : (m, 3) int32
        Counter-clockwise seen from outside.
    face_element : (m,) int32
        Row of the layer's ElementTable each face belongs to.
    """

    vertices: Floats
    faces: Ints
    face_element: Ints
    kind: ClassVar[str] = "mesh"

    def __post_init__(self) -> None:
        object.__setattr__(self, "vertices", _frozen(self.vertices, np.float64, (3,), "vertices"))
        object.__setattr__(self, "faces", _frozen(self.faces, np.int32, (3,), "faces"))
        object.__setattr__(self, "face_element", _frozen(self.face_element, np.int32, (), "face_element"))
        if len(self.face_element) != len(self.faces):
            raise ValueError("face_element must have one value per face")
        _checked_index(self.faces, len(self.vertices), "faces")

    @cached_property
    def _bounds(self) -> Bounds | None:
        return Bounds.of(self.vertices)

    @property
    def bounds(self) -> Bounds | None:
        """Box around the vertices."""
        return self._bounds

    @cached_property
    def face_cross(self) -> Floats:
        """(m, 3) cross product of two edges: outward normal times twice the area [m2]."""
        a, b, c = (self.vertices[self.faces[:, k]] for k in range(3))
        return np.asarray(np.cross(b - a, c - a), dtype=np.float64)

    @cached_property
    def face_area(self) -> Floats:
        """(m,) area of each face [m2]."""
        return np.asarray(0.5 * np.linalg.norm(self.face_cross, axis=1), dtype=np.float64)

    @cached_property
    def face_normal(self) -> Floats:
        """(m, 3) outward unit normal of each face; zero for a degenerate face."""
        length = np.linalg.norm(self.face_cross, axis=1, keepdims=True)
        unit = np.divide(self.face_cross, length, out=np.zeros_like(self.face_cross), where=length > 0)
        return np.asarray(unit, dtype=np.float64)


def merge_meshes(meshes: Sequence[Mesh]) -> Mesh:
    """All triangles in one mesh; `face_element` becomes the index of the mesh in `meshes`."""
    if not meshes:
        return Mesh(np.zeros((0, 3)), np.zeros((0, 3), np.int32), np.zeros(0, np.int32))
    start = np.cumsum([0] + [len(m.vertices) for m in meshes[:-1]])
    return Mesh(
        np.concatenate([m.vertices for m in meshes]),
        np.concatenate([m.faces + np.int32(s) for m, s in zip(meshes, start, strict=True)]),
        np.repeat(np.arange(len(meshes), dtype=np.int32), [len(m.faces) for m in meshes]),
    )


@dataclass(frozen=True, eq=False)
class Lines(Geometry):
    """Polylines.

    Attributes
    ----------
    vertices : (n, 3) float64 [local m]
    offsets : (k + 1,) int32
        Polyline i has vertices offsets[i] .. offsets[i + 1] - 1.
    line_element : (k,) int32
    """

    vertices: Floats
    offsets: Ints
    line_element: Ints
    kind: ClassVar[str] = "lines"

    def __post_init__(self) -> None:
        object.__setattr__(self, "vertices", _frozen(self.vertices, np.float64, (3,), "vertices"))
        object.__setattr__(self, "offsets", _frozen(self.offsets, np.int32, (), "offsets"))
        object.__setattr__(self, "line_element", _frozen(self.line_element, np.int32, (), "line_element"))
        if len(self.offsets) != len(self.line_element) + 1 or int(self.offsets[-1]) != len(self.vertices):
            raise ValueError("offsets must have one value more than lines and end at the number of vertices")
        if np.any(np.diff(self.offsets) < 0):
            raise ValueError("offsets must not go back")

    @cached_property
    def _bounds(self) -> Bounds | None:
        return Bounds.of(self.vertices)

    @property
    def bounds(self) -> Bounds | None:
        """Box around the vertices."""
        return self._bounds


@dataclass(frozen=True, eq=False)
class Points(Geometry):
    """Points: vertices (n, 3) float64 [local m]; element (n,) int32."""

    vertices: Floats
    element: Ints
    kind: ClassVar[str] = "points"

    def __post_init__(self) -> None:
        object.__setattr__(self, "vertices", _frozen(self.vertices, np.float64, (3,), "vertices"))
        object.__setattr__(self, "element", _frozen(self.element, np.int32, (), "element"))
        if len(self.element) != len(self.vertices):
            raise ValueError("element must have one value per point")

    @cached_property
    def _bounds(self) -> Bounds | None:
        return Bounds.of(self.vertices)

    @property
    def bounds(self) -> Bounds | None:
        """Box around the points."""
        return self._bounds


@dataclass(frozen=True, eq=False)
class Instances(Geometry):
    """A few shapes repeated many times: trees, sleepers, chairs.

    Attributes
    ----------
    shapes : tuple of Mesh
        In their own coordinates [m]. A shape's `face_element` is a material slot (e.g. 0 crown, 1 trunk).
    shape : (k,) int32
        Which shape each instance repeats.
    transform : (k, 3, 4) float64
        Local = transform[:, :, :3] @ p + transform[:, :, 3].
    element : (k,) int32
    """

    shapes: tuple[Mesh, ...]
    shape: Ints
    transform: Floats
    element: Ints
    kind: ClassVar[str] = "instances"

    def __post_init__(self) -> None:
        object.__setattr__(self, "shapes", tuple(self.shapes))
        object.__setattr__(self, "shape", _frozen(self.shape, np.int32, (), "shape"))
        object.__setattr__(self, "transform", _frozen(self.transform, np.float64, (3, 4), "transform"))
        object.__setattr__(self, "element", _frozen(self.element, np.int32, (), "element"))
        if not len(self.shape) == len(self.transform) == len(self.element):
            raise ValueError("shape, transform and element must have the same length")
        _checked_index(self.shape, len(self.shapes), "shape")

    @cached_property
    def _bounds(self) -> Bounds | None:
        boxes = []
        for number, shape in enumerate(self.shapes):
            mine = self.transform[self.shape == number]
            if shape.bounds is None or len(mine) == 0:
                continue
            low, high = np.array(shape.bounds.low), np.array(shape.bounds.high)
            centre = mine[:, :, :3] @ ((low + high) / 2) + mine[:, :, 3]
            half = np.abs(mine[:, :, :3]) @ ((high - low) / 2)
            box = Bounds.of(np.concatenate([centre - half, centre + half]))
            if box is not None:
                boxes.append(box)
        return Bounds.union(boxes)

    @property
    def bounds(self) -> Bounds | None:
        """Box around the boxes of all instances."""
        return self._bounds

    @property
    def face_count(self) -> int:
        """Triangles that `baked` would make."""
        return int(np.array([len(s.faces) for s in self.shapes], dtype=np.int64)[self.shape].sum())

    def baked(self) -> Mesh:
        """Every instance written out as triangles; `face_element` is the instance's element."""
        vertices, faces, elements, start = [], [], [], 0
        for number, shape in enumerate(self.shapes):
            mine = np.flatnonzero(self.shape == number)
            if len(mine) == 0 or len(shape.faces) == 0:
                continue
            matrix = self.transform[mine]
            points = np.einsum("kij,nj->kni", matrix[:, :, :3], shape.vertices) + matrix[:, None, :, 3]
            shift = start + np.arange(len(mine), dtype=np.int64) * len(shape.vertices)
            vertices.append(points.reshape(-1, 3))
            faces.append((shape.faces[None] + shift[:, None, None]).reshape(-1, 3).astype(np.int32))
            elements.append(np.repeat(self.element[mine], len(shape.faces)))
            start += len(mine) * len(shape.vertices)
        if not vertices:
            return merge_meshes(())
        return Mesh(np.concatenate(vertices), np.concatenate(faces), np.concatenate(elements))


@dataclass(frozen=True, eq=False)
class Grid(Geometry):
    """Values on square cells, such as terrain heights or sun hours.

    Attributes
    ----------
    values : (rows, cols) float64
        Row 0 is the **south** edge, column 0 the west edge. NaN = no data. For a terrain: height [local m].
    x0, y0 : float [local m]
        **Centre** of the south-west cell, values[0, 0].
    cell : float [m]
        Distance between cell centres, along x and y.
    z : float [local m]
        Height at which a grid that is not a terrain is drawn when there is no terrain to drape it on.
    """

    values: Floats
    x0: float
    y0: float
    cell: float
    z: float = 0.0
    kind: ClassVar[str] = "grid"

    def __post_init__(self) -> None:
        values = np.ascontiguousarray(self.values, dtype=np.float64)
        if values.ndim != 2:
            raise ValueError(f"values must have shape (rows, cols), got {values.shape}")
        if not (np.isfinite(self.cell) and self.cell > 0):
            raise ValueError("cell must be positive")
        values = values.view()
        values.flags.writeable = False
        object.__setattr__(self, "values", values)

    @cached_property
    def _bounds(self) -> Bounds | None:
        rows, cols = self.values.shape
        if rows == 0 or cols == 0:
            return None
        half = self.cell / 2
        low, high = self.z, self.z
        if self.is_finite.any():
            low, high = float(np.nanmin(self.values)), float(np.nanmax(self.values))
        return Bounds(
            (self.x0 - half, self.y0 - half, low),
            (self.x0 + (cols - 1) * self.cell + half, self.y0 + (rows - 1) * self.cell + half, high),
        )

    @property
    def bounds(self) -> Bounds | None:
        """Box around the cells; z from the values (meaningful for a terrain)."""
        return self._bounds

    @property
    def is_finite(self) -> NDArray[np.bool_]:
        """(rows, cols) where there is data."""
        return np.isfinite(self.values)

    @property
    def x(self) -> Floats:
        """(cols,) easting of cell centres [local m]."""
        return np.asarray(self.x0 + self.cell * np.arange(self.values.shape[1]), dtype=np.float64)

    @property
    def y(self) -> Floats:
        """(rows,) northing of cell centres [local m]."""
        return np.asarray(self.y0 + self.cell * np.arange(self.values.shape[0]), dtype=np.float64)

    def sample(self, x: ArrayLike, y: ArrayLike) -> Floats:
        """Bilinear value at points [local m]; NaN outside the outermost cell centres' half cell or beside no-data.

        Where some of the four neighbours have no data the others are weighted up; NaN only if all four lack it.
        """
        col = (np.asarray(x, dtype=np.float64) - self.x0) / self.cell
        row = (np.asarray(y, dtype=np.float64) - self.y0) / self.cell
        rows, cols = self.values.shape
        inside = (col >= -0.5) & (col <= cols - 0.5) & (row >= -0.5) & (row <= rows - 0.5)
        col, row = np.clip(np.nan_to_num(col), 0, cols - 1), np.clip(np.nan_to_num(row), 0, rows - 1)
        c0 = np.minimum(col.astype(np.int64), max(cols - 2, 0))
        r0 = np.minimum(row.astype(np.int64), max(rows - 2, 0))
        u, v = col - c0, row - r0
        c1, r1 = np.minimum(c0 + 1, cols - 1), np.minimum(r0 + 1, rows - 1)
        total = np.zeros(np.shape(u))
        weight = np.zeros(np.shape(u))
        for r, c, w in ((r0, c0, (1 - u) * (1 - v)), (r0, c1, u * (1 - v)), (r1, c0, (1 - u) * v), (r1, c1, u * v)):
            value = self.values[r, c]
            known = np.isfinite(value)
            total += np.where(known, value, 0.0) * w
            weight += w * known
        good = inside & (weight > 0)
        return np.where(good, total / np.where(good, weight, 1.0), np.nan)

    def surface(self, *, step: int = 1) -> Mesh:
        """Triangles through the cell centres (every `step`-th), two per cell, none beside no-data, facing up."""
        values = self.values[::step, ::step]
        rows, cols = values.shape
        xx, yy = np.meshgrid(self.x[::step], self.y[::step])
        known = np.isfinite(values)
        if rows < 2 or cols < 2:
            return merge_meshes(())
        number = np.full(values.shape, -1, dtype=np.int32)
        number[known] = np.arange(int(known.sum()), dtype=np.int32)
        a, b, c, d = number[:-1, :-1], number[:-1, 1:], number[1:, 1:], number[1:, :-1]
        faces = np.concatenate([np.stack([a, b, c], -1).reshape(-1, 3), np.stack([a, c, d], -1).reshape(-1, 3)])
        faces = faces[(faces >= 0).all(axis=1)]
        points = np.stack([xx[known], yy[known], values[known]], axis=1)
        return Mesh(points, faces, np.zeros(len(faces), np.int32))


@dataclass(frozen=True, eq=False)
class Image(Geometry):
    """A picture laid on the ground: pixels (rows, cols, 3) uint8, row 0 **south**; x0, y0, cell as in Grid."""

    pixels: NDArray[np.uint8]
    x0: float
    y0: float
    cell: float
    kind: ClassVar[str] = "image"

    def __post_init__(self) -> None:
        pixels = np.ascontiguousarray(self.pixels, dtype=np.uint8)
        if pixels.ndim != 3 or pixels.shape[2] != 3:
            raise ValueError(f"pixels must have shape (rows, cols, 3), got {pixels.shape}")
        pixels = pixels.view()
        pixels.flags.writeable = False
        object.__setattr__(self, "pixels", pixels)

    @property
    def bounds(self) -> Bounds | None:
        """Box around the pixels at height 0: an image has no height of its own."""
        rows, cols, _ = self.pixels.shape
        half = self.cell / 2
        return Bounds(
            (self.x0 - half, self.y0 - half, 0.0),
            (self.x0 + (cols - 0.5) * self.cell, self.y0 + (rows - 0.5) * self.cell, 0.0),
        )


@dataclass(frozen=True, eq=False)
class Volume(Geometry):
    """Values in cubes: values (layers, rows, cols) float64, index 0 lowest, south, west; x0, y0, z0 centre of it."""

    values: Floats
    x0: float
    y0: float
    z0: float
    cell: float
    cell_z: float
    kind: ClassVar[str] = "volume"

    def __post_init__(self) -> None:
        values = np.ascontiguousarray(self.values, dtype=np.float64)
        if values.ndim != 3:
            raise ValueError(f"values must have shape (layers, rows, cols), got {values.shape}")
        values = values.view()
        values.flags.writeable = False
        object.__setattr__(self, "values", values)

    @property
    def bounds(self) -> Bounds | None:
        """Box around the cells."""
        layers, rows, cols = self.values.shape
        half, half_z = self.cell / 2, self.cell_z / 2
        return Bounds(
            (self.x0 - half, self.y0 - half, self.z0 - half_z),
            (
                self.x0 + (cols - 0.5) * self.cell,
                self.y0 + (rows - 0.5) * self.cell,
                self.z0 + (layers - 0.5) * self.cell_z,
            ),
        )
