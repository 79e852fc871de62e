"""The axis and the size of a pipe from the surfaces of its body.

A swept body is a chain of equal rings of corners, from one end to the other: the middles of the rings are the axis.
A body that is no such chain is taken as straight, along the longest axis of its corners (or a given direction).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.model import unique_rows

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

WELD = 1e-4  # [m] corners nearer than this are one
MOST_RINGS = 2000
FLAT = 0.9995  # cosine between the normals of triangles of one flat face
BOX_CORNERS = 4
ALONG = 0.9  # cosine between the way of an axis and the one expected
USUAL_RINGS = 0.8  # share of the rings that must have the usual number of corners
ROUND = 0.1  # share of the radius by which the corners of a straight round body may differ
MOST_CORNERS = 4000  # a larger body is taken as straight


@dataclass(frozen=True)
class Axis:
    """The course of a pipe.

    Attributes
    ----------
    points : (k, 3) float64 [m]
    diameter : float [m]
        Of round bodies, NaN of boxes.
    width, height : float [m]
        Of boxes, NaN of round bodies.
    is_swept : bool
        Found ring by ring; else it is only the longest axis of the body.
    """

    points: Floats
    diameter: float
    width: float
    height: float
    is_swept: bool


def axis_of(vertices: Floats, faces: Indices, *, direction: Floats | None = None) -> Axis:
    """The axis of one body.

    Parameters
    ----------
    vertices : (n, 3) float [m]
    faces : (m, 3) int
        Only the vertices they name count.
    direction : (3,) float, optional
        Way from end to end, where it is known: a body that is shorter than it is wide needs it.
    """
    used, faces = np.unique(faces, return_inverse=True)
    points = np.asarray(vertices, dtype=np.float64)[used]
    if len(points) <= MOST_CORNERS:
        grid = unique_rows(np.round(points / WELD).astype(np.int64))
        corners = np.asarray(grid.rows * WELD, dtype=np.float64)
        rings = _rings(corners, grid.group[faces.reshape(-1, 3)], direction)
        if rings:
            return _swept(corners, rings)
    return _straight(points, direction)


def straight_axis(vertices: Floats, direction: Floats) -> Floats:
    """(2, 3) ends of the axis of a straight body of known direction: through its middle, from end to end."""
    return _straight(np.asarray(vertices, dtype=np.float64), direction).points


def _rings(points: Floats, faces: Indices, direction: Floats | None) -> list[Indices]:
    """Corners ring by ring from one end of a swept body to the other; empty if it is none."""
    faces = faces[(faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 0] != faces[:, 2])]
    if len(faces) < BOX_CORNERS:
        return []
    neighbours: dict[int, set[int]] = defaultdict(set)
    for a, b, c in faces.tolist():
        neighbours[a] |= {b, c}
        neighbours[b] |= {a, c}
        neighbours[c] |= {a, b}
    middle = points[faces].mean(axis=(0, 1))
    start = int(np.argmax(((points - middle) ** 2).sum(axis=1)))
    best: list[Indices] = []
    for cap in _flat_faces_at(points, faces, start):
        rings = _levels(neighbours, cap)
        if not _is_chain(rings, len(points)) or (direction is not None and not _is_along(points, rings, direction)):
            continue
        if not best or _length(points, rings) > _length(points, best):
            best = rings
    return best


def _is_along(points: Floats, rings: list[Indices], direction: Floats) -> bool:
    """Whether the way from the first ring to the last is that direction, or its opposite."""
    way = points[rings[-1]].mean(axis=0) - points[rings[0]].mean(axis=0)
    size = float(np.linalg.norm(way) * np.linalg.norm(direction))
    return size > 0 and abs(float(way @ direction)) >= ALONG * size


def _flat_faces_at(points: Floats, faces: Indices, corner: int) -> list[set[int]]:
    """The corners of each flat face of the body that touches a corner."""
    sides = points[faces[:, 1:]] - points[faces[:, :1]]
    normal = np.cross(sides[:, 0], sides[:, 1])
    size = np.linalg.norm(normal, axis=1)
    normal = normal / np.where(size > 0, size, 1.0)[:, None]
    found: list[set[int]] = []
    for face in np.flatnonzero((faces == corner).any(axis=1)).tolist():
        level = np.abs((points[faces] - points[corner]) @ normal[face]).max(axis=1) < 10 * WELD
        alike = level & (normal @ normal[face] > FLAT)
        members = set(faces[alike].reshape(-1).tolist())
        if members not in found:
            found.append(members)
    return found


def _levels(neighbours: dict[int, set[int]], cap: set[int]) -> list[Indices]:
    seen, rings, front = set(cap), [np.array(sorted(cap))], cap
    while front and len(rings) < MOST_RINGS:
        front = set().union(*(neighbours[corner] for corner in front)) - seen
        if front:
            seen |= front
            rings.append(np.array(sorted(front)))
    return rings


def _is_chain(rings: list[Indices], count: int) -> bool:
    """Whether nearly all rings have as many corners as the first; now and then two come together."""
    sizes = np.array([len(ring) for ring in rings])
    usual = int(sizes[0])
    alike = sizes == usual
    return (
        usual > 2
        and int(alike.sum()) > 1
        and float(alike.mean()) >= USUAL_RINGS
        and bool((sizes <= 2 * usual).all())
        and int(sizes[alike].sum()) * 2 > count
    )


def _length(points: Floats, rings: list[Indices]) -> float:
    course = np.array([points[ring].mean(axis=0) for ring in rings])
    return float(np.linalg.norm(np.diff(course, axis=0), axis=1).sum())


def _swept(points: Floats, rings: list[Indices]) -> Axis:
    whole = [ring for ring in rings if len(ring) == len(rings[0])]
    course = np.array([points[ring].mean(axis=0) for ring in whole])
    first = points[whole[0]] - course[0]
    if len(whole[0]) == BOX_CORNERS:
        width, height = _box_size(first, course[1] - course[0])
        return Axis(course, np.nan, width, height, is_swept=True)
    return Axis(course, 2.0 * float(np.linalg.norm(first, axis=1).max()), np.nan, np.nan, is_swept=True)


def _box_size(ring: Floats, along: Floats) -> tuple[float, float]:
    """Width and height of a four-cornered section, (4, 3) around its middle."""
    level = np.cross(along, [0.0, 0.0, 1.0])
    size = float(np.linalg.norm(level))
    if size < 1e-9:  # stands upright: both sides are level
        sides = np.sort(np.linalg.norm(ring[:, None] - ring[None], axis=2)[0])
        return float(sides[2]), float(sides[1])
    across = ring @ (level / size)
    return float(np.ptp(across)), float(np.ptp(ring[:, 2]))


def _straight(points: Floats, direction: Floats | None) -> Axis:
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    if direction is None:
        spread = points - points.mean(axis=0)
        direction = np.linalg.svd(spread, full_matrices=False)[2][0]
    way = np.asarray(direction, dtype=np.float64) / np.linalg.norm(direction)
    along = (points - middle) @ way
    away = points - middle - along[:, None] * way
    centre = middle + _middle_of(away, way)
    radius = np.linalg.norm(points - centre - ((points - centre) @ way)[:, None] * way, axis=1)
    ends = np.array([centre + way * t for t in (along.min(), along.max())])
    usual = float(np.median(radius))
    diameter = 2.0 * usual if float(np.ptp(radius)) <= ROUND * usual else np.nan
    return Axis(ends, diameter, np.nan, np.nan, is_swept=False)


def _middle_of(away: Floats, way: Floats) -> Floats:
    """Middle of the box around points in the plane across `way`."""
    helper = np.eye(3)[int(np.argmin(np.abs(way)))]
    first = np.cross(way, helper)
    first /= np.linalg.norm(first)
    second = np.cross(way, first)
    out = np.zeros(3)
    for axis in (first, second):
        at = away @ axis
        out += axis * (at.min() + at.max()) / 2
    return out
