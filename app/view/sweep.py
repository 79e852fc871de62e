"""Pipes as surfaces: rings swept along an axis, mitred at its bends, closed at its ends. Pure arrays, no VTK.

Frames are carried along by the smallest rotation from one segment to the next (W. Wang et al., "Computation of
rotation minimizing frames", ACM Trans. Graph. 27(1), 2008, doi:10.1145/1330511.1330513), so that rings never twist.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.model import Layer, Lines
from geo.model.conventions import DIAMETER, HEIGHT, WIDTH

Floats = NDArray[np.float64]

SAME_PLACE = 1e-4  # metres: a vertex nearer to the one before is left out
SHARPEST = -0.5  # cosine of a bend from which a pipe is closed and begun anew: a mitre would reach far out
STEEP = 0.9  # upward part of a direction from which frames are carried along instead of taken from the vertical
PLAIN_RADIUS = 0.06  # metres, where no diameter is known
LARGEST_RADIUS = 15.0
CAP = -1.0e9  # length along the pipe that marks the corners of a cap


@dataclass(frozen=True, eq=False)
class Paths:
    """Axes of pipes without doubles, cut where they bend too sharply.

    Attributes
    ----------
    points : (n, 3) float64 [local m]
    start : (p + 1,) int64
        Piece i has points start[i] .. start[i + 1] - 1, two at least.
    line, element : (p,) int32
        Line of the geometry and row of the table each piece comes from.
    radius : (p,) float64 [m]
    half_width, half_height : (p,) float64 [m]
        Of boxes; NaN for round pipes.
    along : (n,) float64 [m]
        Length from the beginning of the piece.
    """

    points: Floats
    start: NDArray[np.int64]
    line: NDArray[np.int32]
    element: NDArray[np.int32]
    radius: Floats
    half_width: Floats
    half_height: Floats
    along: Floats

    def __len__(self) -> int:
        return len(self.line)

    @property
    def is_box(self) -> NDArray[np.bool_]:
        """(p,) pieces with a rectangular section."""
        return np.isfinite(self.half_width)

    @property
    def owner(self) -> NDArray[np.int64]:
        """(n,) piece of each point."""
        return np.repeat(np.arange(len(self)), np.diff(self.start))

    def chosen(self, pieces: NDArray[np.integer] | NDArray[np.bool_]) -> Paths:
        """Some of the pieces."""
        rows = np.arange(len(self))[pieces]
        counts = np.diff(self.start)[rows]
        start = np.concatenate([[0], np.cumsum(counts)])
        points = np.repeat(self.start[:-1][rows] - start[:-1], counts) + np.arange(start[-1])
        parts = (getattr(self, name)[rows] for name in ("line", "element", "radius", "half_width", "half_height"))
        return Paths(self.points[points], start, *parts, self.along[points])


@dataclass(frozen=True, eq=False)
class Sweep:
    """Triangles of pipes.

    Attributes
    ----------
    vertices : (n, 3) float32 [local m]
    radial : (n, 3) float32
        From the axis outward, per metre of radius; on boxes the normal.
    trace : (n, 3) float32
        Element, length along the pipe [m] (`CAP` on caps), radius [m] (0 on boxes).
    faces : (m, 3) int32
        Counter-clockwise seen from outside.
    """

    vertices: NDArray[np.float32]
    radial: NDArray[np.float32]
    trace: NDArray[np.float32]
    faces: NDArray[np.int32]


def radii_of(layer: Layer) -> tuple[Floats, Floats, Floats]:
    """(elements,) radius, half width and half height [m] by the columns of a pipe layer; NaN sizes of round pipes."""
    lines = layer.geometry
    most = int(lines.line_element.max(initial=-1)) + 1 if isinstance(lines, Lines) else 0
    count = max(len(layer.table), most)

    def column(name: str) -> Floats:
        found = layer.table.columns.get(name)
        if found is None or not found.is_number:
            return np.full(count, np.nan)
        values = found.values.astype(np.float64)
        values = np.where(np.isfinite(values) & (values > 0), values, np.nan)
        return np.pad(values, (0, count - len(values)), constant_values=np.nan)

    width, height = column(WIDTH), column(HEIGHT)
    box = np.isfinite(width) & np.isfinite(height)
    radius = np.nan_to_num(column(DIAMETER) / 2, nan=PLAIN_RADIUS)
    radius = np.where(box, np.hypot(np.nan_to_num(width), np.nan_to_num(height)) / 2, radius)
    nothing = np.full(count, np.nan)
    return np.minimum(radius, LARGEST_RADIUS), np.where(box, width / 2, nothing), np.where(box, height / 2, nothing)


def paths_of(lines: Lines, radius: Floats, half_width: Floats, half_height: Floats) -> Paths:
    """Axes ready to be swept. Sizes are by element; lines of no length and points that are no numbers are left out."""
    points, owner = lines.vertices, np.repeat(np.arange(len(lines.line_element)), np.diff(lines.offsets))
    known = np.isfinite(points).all(axis=1)
    points, owner = points[known], owner[known]
    step = np.linalg.norm(np.diff(points, axis=0), axis=1)
    kept = np.concatenate([[True], (step > SAME_PLACE) | (owner[1:] != owner[:-1])])[: len(points)]
    points, owner = points[kept], owner[kept]
    joined = owner[1:] == owner[:-1]
    way = np.diff(points, axis=0)
    way /= np.maximum(np.linalg.norm(way, axis=1, keepdims=True), 1e-12)
    sharp = np.zeros(len(points), dtype=np.bool_)
    inner = joined[:-1] & joined[1:]
    sharp[1:-1][inner] = (way[:-1] * way[1:]).sum(axis=1)[inner] < SHARPEST
    number = np.repeat(np.arange(len(points)), 1 + sharp)
    first = np.concatenate([[True], ~joined]) if len(points) else np.zeros(0, np.bool_)
    begins = first[number]
    begins[np.flatnonzero(sharp) + np.arange(1, int(sharp.sum()) + 1)] = True  # the second of a doubled point
    points, owner = points[number], owner[number]
    start = np.append(np.flatnonzero(begins), len(points)).astype(np.int64)
    made = _sized(lines, points, start, owner, (radius, half_width, half_height))
    return made.chosen(np.diff(start) > 1)


def _sized(
    lines: Lines,
    points: Floats,
    start: NDArray[np.int64],
    owner: NDArray[np.int64],
    sizes: tuple[Floats, Floats, Floats],
) -> Paths:
    line = owner[start[:-1]].astype(np.int32)
    element = lines.line_element[line]
    most = int(element.max(initial=-1)) + 1
    padded = (
        np.pad(size, (0, max(most - len(size), 0)), constant_values=fill)
        for size, fill in zip(sizes, (PLAIN_RADIUS, np.nan, np.nan), strict=True)
    )
    length = np.linalg.norm(np.diff(points, axis=0, prepend=points[:1]), axis=1)
    total = np.cumsum(length)
    along = total - np.repeat(total[start[:-1]], np.diff(start)) if len(points) else total
    return Paths(points, start, line, element, *(size[element] for size in padded), along)


def directions(paths: Paths) -> Floats:
    """(n, 3) unit direction of the segment that begins at each point; at a last point that of the one before."""
    way = np.zeros_like(paths.points)
    way[:-1] = np.diff(paths.points, axis=0)
    last = paths.start[1:] - 1
    way[last] = way[last - 1]
    return np.asarray(way / np.maximum(np.linalg.norm(way, axis=1, keepdims=True), 1e-12))


def frames(paths: Paths, way: Floats, *, upright: bool = False) -> tuple[Floats, Floats]:
    """Two unit vectors (n, 3) across each segment: sideways and up, with `way` right-handed.

    A level pipe keeps the vertical; pieces with steep segments carry their frame along. `upright` keeps it always.
    """
    level = np.hypot(way[:, 0], way[:, 1])
    side = np.stack([-way[:, 1], way[:, 0], np.zeros(len(way))], axis=1)
    side = np.where(level[:, None] > 1e-6, side / np.maximum(level, 1e-6)[:, None], (1.0, 0.0, 0.0))
    if not upright and len(way):
        steep = np.maximum.reduceat(np.abs(way[:, 2]), paths.start[:-1]) > STEEP
        _carry(side, way, paths.start[:-1][steep], np.diff(paths.start)[steep])
    return side, np.cross(way, side)


def _carry(side: Floats, way: Floats, start: NDArray[np.int64], count: NDArray[np.int64]) -> None:
    """Carry the side vector from each first segment onward; all pieces take their k-th step together."""
    order = np.argsort(-count, kind="stable")
    start, count = start[order], count[order]
    for step in range(1, int(count.max(initial=0))):
        here = start[: np.searchsorted(-count, -step, side="left")] + step
        before, now, old = way[here - 1], way[here], side[here - 1]
        turn = (old * now).sum(axis=1) / np.maximum(1.0 + (before * now).sum(axis=1), 1e-6)
        turned = old - turn[:, None] * (before + now)
        side[here] = turned / np.maximum(np.linalg.norm(turned, axis=1, keepdims=True), 1e-12)


def _mitred(offset: Floats, paths: Paths, way: Floats) -> Floats:
    """Offsets (n, k, 3) across the segment that begins at a point, slid along the pipe onto the plane that halves a
    bend; at a last point they stay square.
    """
    before = np.roll(way, 1, axis=0)
    ends = np.zeros(len(way), dtype=np.bool_)
    ends[paths.start[:-1]] = ends[paths.start[1:] - 1] = True
    before[ends] = way[ends]
    middle = before + way
    slope = (way * middle).sum(axis=1)
    shift = (offset * middle[:, None]).sum(axis=2) / np.maximum(slope, 1e-9)[:, None]
    return np.asarray(offset - shift[..., None] * way[:, None])


def swept_tubes(paths: Paths, *, sides: int, caps: bool = True) -> Sweep:
    """Round pipes with so many sides; the corners lie on the circle."""
    count = len(paths.points)
    way = directions(paths)
    across, up = frames(paths, way)
    angle = 2.0 * math.pi * np.arange(sides) / sides
    ring = np.cos(angle)[:, None] * across[:, None] + np.sin(angle)[:, None] * up[:, None]
    ring = _mitred(ring, paths, way)
    radius = paths.radius[paths.owner]
    vertices = paths.points[:, None] + radius[:, None, None] * ring
    trace = np.stack([paths.element[paths.owner], paths.along, radius], axis=1)
    inner = np.ones(count, dtype=np.bool_)
    inner[paths.start[1:] - 1] = False
    faces = _bands(np.flatnonzero(inner), sides, closed=True)
    parts = [vertices.reshape(-1, 3)], [ring.reshape(-1, 3)], [np.repeat(trace, sides, axis=0)], [faces]
    if caps and count:
        _add_caps(parts, paths, vertices, ring, trace, sides=sides)
    joined = (np.concatenate(part) for part in parts)
    return _sweep(*joined)


def _sweep(vertices: Floats, radial: Floats, trace: Floats, faces: NDArray[np.int64]) -> Sweep:
    return Sweep(
        vertices.astype(np.float32), radial.astype(np.float32), trace.astype(np.float32), faces.astype(np.int32)
    )


def _bands(segments: NDArray[np.int64], corners: int, *, closed: bool) -> NDArray[np.int64]:
    """Triangles between the ring of each point in `segments` and the next ring."""
    one = np.arange(corners if closed else corners - 1)
    two = (one + 1) % corners
    a, b = segments[:, None] * corners + one, segments[:, None] * corners + two
    c, d = b + corners, a + corners
    return np.stack([a, b, c, a, c, d], axis=-1).reshape(-1, 3)


def _add_caps(
    parts: tuple[list[Floats], ...], paths: Paths, vertices: Floats, ring: Floats, trace: Floats, *, sides: int
) -> None:
    """Fans over the first and the last ring of each piece, with corners of their own."""
    ends = np.concatenate([paths.start[:-1], paths.start[1:] - 1])
    base = len(vertices) * sides + np.arange(len(ends))[:, None] * sides
    fan = np.arange(1, sides - 1)
    forward = np.stack([np.zeros_like(fan), fan, fan + 1], axis=1)
    begin, end = base[: len(paths)], base[len(paths) :]
    marked = trace[ends].copy()
    marked[:, 1] = CAP
    for part, more in zip(
        parts,
        (
            vertices[ends].reshape(-1, 3),
            ring[ends].reshape(-1, 3),
            np.repeat(marked, sides, axis=0),
            np.concatenate([(begin[:, None] + forward[:, ::-1]), (end[:, None] + forward)]).reshape(-1, 3),
        ),
        strict=True,
    ):
        part.append(more)


def swept_boxes(paths: Paths) -> Sweep:
    """Rectangular sections with their four sides, open at the ends: floor, right, top, left."""
    way = directions(paths)
    across, up = frames(paths, way, upright=True)
    half_width, half_height = paths.half_width[paths.owner], paths.half_height[paths.owner]
    corners = np.array([[1, -1], [1, 1], [-1, 1], [-1, -1]], dtype=np.float64)
    ring = (
        corners[:, 0, None] * (half_width[:, None] * across)[:, None]
        + corners[:, 1, None] * (half_height[:, None] * up)[:, None]
    )
    ring = _mitred(ring, paths, way)
    vertices = paths.points[:, None] + ring
    trace = np.stack([paths.element[paths.owner], paths.along, np.zeros(len(paths.along))], axis=1)
    inner = np.ones(len(paths.points), dtype=np.bool_)
    inner[paths.start[1:] - 1] = False
    segments = np.flatnonzero(inner)
    parts: tuple[list[Floats], ...] = ([], [], [], [])
    for side, normal in enumerate((across, up, -across, -up)):
        pair = vertices[:, [side, (side + 1) % 4]].reshape(-1, 3)
        parts[3].append(_bands(segments, 2, closed=False) + side * len(pair))
        parts[0].append(pair)
        parts[1].append(np.repeat(normal, 2, axis=0))
        parts[2].append(np.repeat(trace, 2, axis=0))
    return _sweep(*(np.concatenate(part) for part in parts))
