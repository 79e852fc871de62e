"""Triangles of many shapes in a few flat arrays, and what is checked and made of them for all shapes at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

NO_COLOUR = -1
LARGEST_ELEMENT = 1e5  # [m] a body wider than this is a fault of the kernel or of the file

Floats = NDArray[np.float64]
Integers = NDArray[np.int32]
Counts = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Shape:
    """Triangles of one shape in its own coordinates.

    Attributes
    ----------
    vertices : (n, 3) float64 [m]
    faces : (m, 3) int32
        Counter-clockwise seen from outside where the volume tells.
    colour : (m,) int32
        0xRRGGBB of the surface style, `NO_COLOUR` without one.
    transparency : (m,) float32
        0 opaque .. 1 clear.
    edges : (k, 2) int32
        Lines, only of shapes that have no faces (alignments, axes).
    """

    vertices: Floats
    faces: Integers
    colour: Integers
    transparency: NDArray[np.float32]
    edges: Integers


@dataclass(frozen=True, eq=False)
class RawShape:
    """What a kernel delivers: as `Shape`, with a style number per face (-1 = none) and the styles (k, 4) RGBA."""

    vertices: Floats
    faces: Integers
    edges: Integers
    style: Integers
    rgba: Floats


@dataclass(frozen=True, eq=False)
class ShapeStore:
    """Shapes one after another. Faces and edges count the vertices of their own shape from zero.

    Attributes
    ----------
    vertices, faces, colour, transparency, edges
        As in `Shape`, of all shapes.
    vertex_stop, face_stop, edge_stop : (s,) int64
        Where each shape ends.
    """

    vertices: Floats
    faces: Integers
    colour: Integers
    transparency: NDArray[np.float32]
    edges: Integers
    vertex_stop: Counts
    face_stop: Counts
    edge_stop: Counts

    def __len__(self) -> int:
        return len(self.vertex_stop)

    @property
    def vertex_count(self) -> Counts:
        """(s,) vertices of each shape."""
        return np.diff(self.vertex_stop, prepend=0)

    @property
    def face_count(self) -> Counts:
        """(s,) triangles of each shape."""
        return np.diff(self.face_stop, prepend=0)

    @property
    def edge_count(self) -> Counts:
        """(s,) edges of each shape."""
        return np.diff(self.edge_stop, prepend=0)

    def shape(self, number: int) -> Shape:
        """One shape, as views of the store."""
        vertices = slice(*_span(self.vertex_stop, number))
        faces = slice(*_span(self.face_stop, number))
        edges = slice(*_span(self.edge_stop, number))
        return Shape(
            self.vertices[vertices], self.faces[faces], self.colour[faces], self.transparency[faces], self.edges[edges]
        )

    def boxes(self) -> tuple[Floats, Floats]:
        """Lowest and highest corner (s, 3) of each shape; empty shapes have infinite ones the wrong way round."""
        low, high = np.full((len(self), 3), np.inf), np.full((len(self), 3), -np.inf)
        some = np.flatnonzero(self.vertex_count)
        if len(some):
            starts = (self.vertex_stop - self.vertex_count)[some]
            low[some] = np.minimum.reduceat(self.vertices, starts)
            high[some] = np.maximum.reduceat(self.vertices, starts)
        return low, high


def _span(stop: Counts, number: int) -> tuple[int, int]:
    return (int(stop[number - 1]) if number else 0), int(stop[number])


def rows_of(stop: Counts, count: Counts, chosen: NDArray[np.integer]) -> Counts:
    """Rows of flat arrays that belong to chosen shapes, shape after shape."""
    mine = count[chosen]
    first = (stop - count)[chosen]
    ends = np.cumsum(mine)
    return np.arange(int(ends[-1]) if len(ends) else 0) + np.repeat(first - (ends - mine), mine)


def joined(stores: Sequence[ShapeStore]) -> ShapeStore:
    """Several stores as one, in their order."""
    if len(stores) == 1:
        return stores[0]
    parts = {
        item.name: np.concatenate([getattr(s, item.name) for s in stores]) if stores else None
        for item in fields(ShapeStore)
        if not item.name.endswith("_stop")
    }
    if not stores:
        return finished([])[0]
    counts = {
        f"{name}_stop": np.cumsum(np.concatenate([getattr(s, f"{name}_count") for s in stores]))
        for name in ("vertex", "face", "edge")
    }
    return ShapeStore(**parts, **counts)  # type: ignore[arg-type]


def finished(raw: Sequence[RawShape]) -> tuple[ShapeStore, dict[int, str]]:
    """A store of what the kernels delivered, with colours and faces turned outwards; and what is wrong with some.

    Returns
    -------
    store : ShapeStore
    faults : dict
        By number of the shape; a faulty shape is empty in the store.
    """
    faults = _faults(raw)
    kept = [_EMPTY if number in faults else shape for number, shape in enumerate(raw)]
    vertices = _stack([shape.vertices for shape in kept], np.float64, 3)
    faces = _stack([shape.faces for shape in kept], np.int32, 3)
    edges = _stack([shape.edges for shape in kept], np.int32, 2)
    vertex_count, face_count, edge_count = (
        np.array([len(getattr(shape, name)) for shape in kept], dtype=np.int64)
        for name in ("vertices", "faces", "edges")
    )
    colour, transparency = _face_colours(kept, face_count)
    stops = [np.cumsum(count) for count in (vertex_count, face_count, edge_count)]
    turned = _outward(vertices, faces, vertex_first=stops[0] - vertex_count, face_count=face_count)
    return ShapeStore(vertices, turned, colour, transparency, edges, *stops), faults


def _stack(parts: Sequence[NDArray[np.generic]], dtype: type, width: int) -> NDArray[np.generic]:
    return np.concatenate([np.zeros((0, width), dtype), *parts])


def _faults(raw: Sequence[RawShape]) -> dict[int, str]:
    """What is wrong with a shape, by its number."""
    counts = np.array([len(shape.vertices) for shape in raw], dtype=np.int64)
    vertices = _stack([shape.vertices for shape in raw], np.float64, 3)
    owner = np.repeat(np.arange(len(raw)), counts)
    faults: dict[int, str] = {}
    broken = _outside(raw, counts)
    for number, shape in enumerate(raw):
        if len(shape.faces) == 0 and len(shape.edges) == 0:
            faults[number] = "the kernel gave no triangles"
    faults.update(dict.fromkeys(broken.tolist(), "its triangles name points that are not there"))
    finite = np.isfinite(vertices).all(axis=1)
    faults.update(dict.fromkeys(np.unique(owner[~finite]).tolist(), "its coordinates are not numbers"))
    some = np.flatnonzero(counts)
    if len(some):
        starts = (np.cumsum(counts) - counts)[some]
        with np.errstate(invalid="ignore"):
            size = (np.maximum.reduceat(vertices, starts) - np.minimum.reduceat(vertices, starts)).max(axis=1)
        for number in some[size > LARGEST_ELEMENT].tolist():
            faults.setdefault(number, "it would be wider than 100 km")
        for number in some[size == 0.0].tolist():
            faults.setdefault(number, "it has no size: all its points are the same")
    return faults


def _outside(raw: Sequence[RawShape], counts: Counts) -> Counts:
    """Numbers of the shapes whose faces or edges name points beyond their own."""
    found = []
    for name, width in (("faces", 3), ("edges", 2)):
        corners = _stack([getattr(shape, name) for shape in raw], np.int32, width)
        rows = np.array([len(getattr(shape, name)) for shape in raw], dtype=np.int64)
        owner = np.repeat(np.arange(len(raw)), rows)
        wrong = (corners < 0).any(axis=1) | (corners >= np.repeat(counts, rows)[:, None]).any(axis=1)
        found.append(owner[wrong])
    return np.unique(np.concatenate(found))


def _face_colours(shapes: Sequence[RawShape], face_count: Counts) -> tuple[Integers, NDArray[np.float32]]:
    """Colour code (m,) and transparency (m,) of each face from its style number."""
    rgba = _stack([shape.rgba for shape in shapes], np.float64, 4)
    style_count = np.array([len(shape.rgba) for shape in shapes], dtype=np.int64)
    style = np.concatenate([np.zeros(0, np.int32), *(shape.style for shape in shapes)])
    levels = np.rint(np.clip(np.nan_to_num(rgba[:, :3]), 0.0, 1.0) * 255.0).astype(np.int32)
    codes = np.append((levels[:, 0] << 16) | (levels[:, 1] << 8) | levels[:, 2], NO_COLOUR).astype(np.int32)
    clear = np.append(np.clip(1.0 - np.nan_to_num(rgba[:, 3], nan=1.0), 0.0, 1.0), 0.0).astype(np.float32)
    first = np.repeat(np.cumsum(style_count) - style_count, face_count)
    known = np.where((style >= 0) & (style < np.repeat(style_count, face_count)), first + style, len(rgba))
    return codes[known], clear[known]


def _outward(vertices: Floats, faces: Integers, *, vertex_first: Counts, face_count: Counts) -> Integers:
    """Faces turned round where a closed body has a clearly negative volume; anything else stays as it is."""
    some = np.flatnonzero(face_count >= 4)
    if len(some) == 0:
        return faces
    starts = (np.cumsum(face_count) - face_count)[some]
    rows = rows_of(np.cumsum(face_count), face_count, some)
    owner = np.repeat(np.arange(len(some)), face_count[some])
    corners = faces[rows] + np.repeat(vertex_first[some], face_count[some])[:, None]
    origin = vertices[faces[starts, 0] + vertex_first[some]][owner]
    a, b, c = (vertices[corners[:, k]] - origin for k in range(3))
    cross = _cross(b - a, c - a)
    local = np.cumsum(face_count[some]) - face_count[some]
    area = np.add.reduceat(np.sqrt(np.einsum("ij,ij->i", cross, cross)), local)
    # The area vectors of a closed surface add up to nothing.
    total = np.linalg.norm(np.add.reduceat(cross, local), axis=1)
    volume = np.add.reduceat(np.einsum("ij,ij->i", a, _cross(b, c)), local) / 6.0
    inside_out = (area > 0.0) & (total <= 1e-4 * area) & (volume < -1e-6 * (area / 2.0) ** 1.5)
    turned = faces.copy()
    mine = rows[inside_out[owner]]
    turned[mine] = faces[mine][:, ::-1]
    return turned


def _cross(a: Floats, b: Floats) -> Floats:
    """Cross products row by row; NumPy's own moves axes about for each call."""
    return np.stack(
        [
            a[:, 1] * b[:, 2] - a[:, 2] * b[:, 1],
            a[:, 2] * b[:, 0] - a[:, 0] * b[:, 2],
            a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0],
        ],
        axis=1,
    )


_EMPTY = RawShape(
    np.zeros((0, 3)), np.zeros((0, 3), np.int32), np.zeros((0, 2), np.int32), np.zeros(0, np.int32), np.zeros((0, 4))
)
