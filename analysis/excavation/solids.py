"""Closed solids of excavations: upright prisms under outlines, and tests of meshes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.model import unique_rows

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Bools = NDArray[np.bool_]

MERGE = 1e-6  # [m] corners nearer than this are one
SIDES = 16  # of a round hole


class Sheet(NamedTuple):
    """A flat piece in plan: points (n, 2) [m], faces (m, 3) counter-clockwise."""

    points: Floats
    faces: Indices


def rim(faces: Indices) -> Indices:
    """(r, 2) directed edges of a sheet that no other face shares."""
    edges = faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    size = int(faces.max()) + 1 if len(faces) else 1
    key, back = edges[:, 0] * size + edges[:, 1], edges[:, 1] * size + edges[:, 0]
    return edges[~np.isin(key, back)]


def prism(sheet: Sheet, low: Floats | float, high: Floats | float) -> Floats:
    """Triangles (t, 3, 3) of the closed solid over a sheet, from height `low` to `high` [m] (one, or per point)."""
    count = len(sheet.points)
    bottom = np.column_stack([sheet.points, np.broadcast_to(low, count)])
    top = np.column_stack([sheet.points, np.broadcast_to(high, count)])
    edge = rim(sheet.faces)
    i, j = edge[:, 0], edge[:, 1]
    walls = [np.stack([bottom[i], bottom[j], top[j]], axis=1), np.stack([bottom[i], top[j], top[i]], axis=1)]
    return np.concatenate([bottom[sheet.faces[:, ::-1]], top[sheet.faces], *walls])


def ring_sheet(rings: list[Floats]) -> Sheet | None:
    """The area inside rings (n, 2) [m], the first outside and the rest holes; None when there is none."""
    import mapbox_earcut

    open_rings = [_open(ring) for ring in rings]
    open_rings = [ring for ring in open_rings if len(ring) >= 3 and abs(_area(ring)) > MERGE]
    if not open_rings:
        return None
    points = np.ascontiguousarray(np.concatenate(open_rings), dtype=np.float64)
    ends = np.cumsum([len(ring) for ring in open_rings]).astype(np.uint32)
    centre = points.mean(axis=0)  # far from the origin earcut loses digits
    flat = mapbox_earcut.triangulate_float64(points - centre, ends)
    faces = np.asarray(flat, dtype=np.int64).reshape(-1, 3)
    return turned(Sheet(points, faces)) if len(faces) else None


def turned(sheet: Sheet) -> Sheet:
    """The sheet with all faces counter-clockwise and none of no area."""
    a, b, c = (sheet.points[sheet.faces[:, k]] for k in range(3))
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    faces = np.where((area < 0)[:, None], sheet.faces[:, ::-1], sheet.faces)
    return Sheet(sheet.points, faces[np.abs(area) > MERGE**2])


def _open(ring: Floats) -> Floats:
    keep = np.ones(len(ring), dtype=bool)
    keep[1:] = np.hypot(*np.diff(ring, axis=0).T) > MERGE
    ring = ring[keep]
    return ring[:-1] if len(ring) > 1 and np.hypot(*(ring[0] - ring[-1])) <= MERGE else ring


def _area(ring: Floats) -> float:
    x, y = (ring - ring[0]).T
    return float(0.5 * (x * np.roll(y, -1) - y * np.roll(x, -1)).sum())


def crosses_itself(ring: Floats) -> bool:
    """Whether the edges of a ring (n, 2) cross each other."""
    ring = _open(ring)
    p, q = ring, np.roll(ring, -1, axis=0)
    count = len(ring)
    i, j = np.triu_indices(count, k=2)
    apart = ~((i == 0) & (j == count - 1))
    i, j = i[apart], j[apart]

    def side(a: Floats, b: Floats, c: Floats) -> Floats:
        return np.asarray((b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0]))

    first = side(p[i], q[i], p[j]) * side(p[i], q[i], q[j]) < 0
    second = side(p[j], q[j], p[i]) * side(p[j], q[j], q[i]) < 0
    return bool((first & second).any())


def merged(vertices: Floats, faces: Indices) -> tuple[Floats, Indices]:
    """Corners at one place made one, faces that collapse dropped."""
    _, first, number, _ = unique_rows(np.round(vertices / MERGE).astype(np.int64))
    faces = number[faces]
    real = (faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 2] != faces[:, 0])
    return vertices[first], faces[real]


def is_closed(faces: Indices) -> bool:
    """Whether every edge is shared by two faces that go along it in opposite directions."""
    if len(faces) == 0:
        return False
    edges = faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    size = int(faces.max()) + 1
    key, back = edges[:, 0] * size + edges[:, 1], edges[:, 1] * size + edges[:, 0]
    return bool(np.array_equal(np.sort(key), np.sort(back)))


def round_sheet(centre: Floats, diameter: float) -> Sheet:
    """A round hole as a polygon around the circle."""
    turn = 2 * np.pi * np.arange(SIDES) / SIDES
    radius = diameter / 2 / np.cos(np.pi / SIDES)
    points = centre + radius * np.column_stack([np.cos(turn), np.sin(turn)])
    k = np.arange(1, SIDES - 1)
    return Sheet(points, np.column_stack([np.zeros_like(k), k, k + 1]))


def square_sheet(centre: Floats, width: float) -> Sheet:
    """A square hole."""
    half = width / 2
    points = centre + np.array([[-half, -half], [half, -half], [half, half], [-half, half]])
    return Sheet(points, np.array([[0, 1, 2], [0, 2, 3]]))


def hull_sheet(points: Floats) -> Sheet | None:
    """The convex outline of points (n, 2); None when they lie on a line."""
    from scipy.spatial import ConvexHull, QhullError

    try:
        corners = points[ConvexHull(points).vertices]
    except QhullError:
        return None
    k = np.arange(1, len(corners) - 1)
    return Sheet(corners, np.column_stack([np.zeros_like(k), k, k + 1]))


def sheet_area(sheet: Sheet) -> Floats:
    """(m,) area of each face [m2]."""
    a, b, c = (sheet.points[sheet.faces[:, k]] for k in range(3))
    return np.asarray(0.5 * np.abs((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]))


def extents(points: Floats) -> tuple[float, float]:
    """Short and long side of the smallest upright rectangle around points (n, 2) [m], at any turn."""
    sheet = hull_sheet(points)
    if sheet is None:
        return 0.0, float(np.hypot(*np.ptp(points, axis=0)))
    edge = np.roll(sheet.points, -1, axis=0) - sheet.points
    best = (np.inf, 0.0, 0.0)
    for x, y in edge[np.hypot(*edge.T) > MERGE]:
        length = np.hypot(x, y)
        u, v = sheet.points @ np.array([x, y]) / length, sheet.points @ np.array([-y, x]) / length
        sides = sorted((float(np.ptp(u)), float(np.ptp(v))))
        best = min(best, (sides[0] * sides[1], sides[0], sides[1]))
    return best[1], best[2]
