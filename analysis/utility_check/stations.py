"""Points along every pipe, and what lies above, below and around them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.network.pipes import PipeSet
from geo.model import Grid, Layer, Lines, Mesh

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Bools = NDArray[np.bool_]

HIGH = 10_000.0  # [m] above everything: rays go down from there
WIDTH_COLUMNS = ("width", "carriageway", "도로폭", "폭")
UNKNOWN_HALF = 5.0  # [m] half a road of which only the centre line is known


@dataclass(frozen=True, eq=False)
class Stations:
    """Points along pipes, pipe after pipe, equally spaced on each.

    Attributes
    ----------
    line : (n,) int64
        Pipe of each.
    at : (n,) float64 [m]
        Along the pipe.
    spacing : (n,) float64 [m]
        Length each stands for.
    point : (n, 3) float64 [local m]
        On the axis.
    """

    line: Indices
    at: Floats
    spacing: Floats
    point: Floats

    def sum_by_line(self, which: Bools, count: int) -> Floats:
        """(count,) length of each pipe on which something holds [m]."""
        return np.bincount(self.line[which], weights=self.spacing[which], minlength=count).astype(np.float64)


def stations_of(pipes: PipeSet, step: float) -> Stations:
    """Middles of equal pieces of about `step` [m]."""
    from analysis.kernels.network import Polylines
    from analysis.kernels.network_health import points_along

    length = pipes.along[pipes.offsets[1:] - 1]
    number = np.maximum(np.ceil(length / step), 2).astype(np.int64)
    line = np.repeat(np.arange(len(pipes)), number)
    spacing = (length / number)[line]
    place = np.arange(len(line)) - np.repeat(np.cumsum(number) - number, number)
    at = (place + 0.5) * spacing
    shape = Polylines(pipes.vertices, pipes.offsets, pipes.layer)
    return Stations(line, at, spacing, points_along(shape, line, at))


def covers(pipes: PipeSet, stations: Stations, ground: Grid | None) -> Floats:
    """(n,) from the ground to the top of the pipe [m]; NaN without ground, negative above it."""
    if ground is None:
        return np.full(len(stations.line), np.nan)
    height = ground.sample(stations.point[:, 0], stations.point[:, 1])
    return np.asarray(height - stations.point[:, 2] - pipes.half_height[stations.line])


@dataclass(frozen=True, eq=False)
class Above:
    """What is met by looking straight down on each point: number in `owner` lists, -1 for nothing."""

    layer: Indices
    row: Indices


def looked_down(layers: Sequence[Layer], points: Floats) -> Above:
    """The topmost element of mesh layers over each point (n, 3)."""
    from analysis.kernels.rays import Occluder

    shapes = [(number, layer.geometry) for number, layer in enumerate(layers) if isinstance(layer.geometry, Mesh)]
    layer_of, row = np.full(len(points), -1, dtype=np.int64), np.full(len(points), -1, dtype=np.int64)
    if not shapes or len(points) == 0:
        return Above(layer_of, row)
    occluder = Occluder([shape for _, shape in shapes])
    top = max(shape.bounds.high[2] for _, shape in shapes if shape.bounds is not None) + 1.0
    origins = np.column_stack([points[:, :2], np.full(len(points), top)])
    down = np.tile(np.array([0.0, 0.0, -1.0]), (len(points), 1))
    face = occluder.first_hit(origins, down).face
    start = 0
    for number, shape in shapes:
        mine = (face >= start) & (face < start + len(shape.faces))
        layer_of[mine] = number
        row[mine] = shape.face_element[face[mine] - start]
        start += len(shape.faces)
    return Above(layer_of, row)


def road_widths(layers: Sequence[Layer], points: Floats, *, margin: float) -> Floats:
    """(n,) width of the road each point lies in [m]: NaN in none, 0 in one of unknown width.

    Parameters
    ----------
    layers : sequence of Layer
        Areas (meshes), or centre lines with a column of widths.
    margin : float [m]
        Points this far outside count as inside.
    """
    areas = [layer for layer in layers if isinstance(layer.geometry, Mesh)]
    above = looked_down(areas, points)
    out = np.full(len(points), np.nan)
    for number, layer in enumerate(areas):
        mine = above.layer == number
        out[mine] = np.nan_to_num(_widths(layer)[above.row[mine]])
    for layer in layers:
        if isinstance(layer.geometry, Lines):
            out = np.fmax(out, _by_centre_line(layer, layer.geometry, points, margin))
    return out


def _widths(layer: Layer) -> Floats:
    for name in WIDTH_COLUMNS:
        column = layer.table.columns.get(name)
        if column is not None and column.is_number:
            return np.asarray(column.values, dtype=np.float64)
    return np.full(len(layer.table), np.nan)


def _by_centre_line(layer: Layer, lines: Lines, points: Floats, margin: float) -> Floats:
    """Width of the widest centre line that reaches each point."""
    from analysis.kernels.boxtree import BoxTree

    width = _widths(layer)
    owner = np.repeat(np.arange(len(lines.line_element)), np.diff(lines.offsets))
    first = np.flatnonzero(owner[:-1] == owner[1:])
    a, b = lines.vertices[first, :2], lines.vertices[first + 1, :2]
    own = width[lines.line_element[owner[first]]] if len(width) else np.full(len(first), np.nan)
    half = np.where(np.isfinite(own) & (own > 0), own / 2, UNKNOWN_HALF) + margin
    low, high = np.minimum(a, b) - half[:, None], np.maximum(a, b) + half[:, None]
    flat = np.column_stack([points[:, :2], np.zeros(len(points))])
    tree = BoxTree(np.column_stack([low, np.full(len(low), -1.0)]), np.column_stack([high, np.full(len(high), 1.0)]))
    pairs = tree.meeting(flat, flat)
    point, segment = pairs[:, 0], pairs[:, 1]
    way = b[segment] - a[segment]
    offset = points[point, :2] - a[segment]
    share = np.clip((offset * way).sum(axis=1) / np.maximum((way**2).sum(axis=1), 1e-12), 0.0, 1.0)
    apart = np.hypot(*(offset - share[:, None] * way).T)
    inside = apart <= half[segment]
    out = np.full(len(points), -1.0)
    np.maximum.at(out, point[inside], np.nan_to_num(own[segment[inside]]))
    return np.where(out >= 0, out, np.nan)
