"""Pipes as closed surfaces for files: a prism round every segment, mitred where two meet, capped at the ends.

The view sweeps its own; this one is for export, where every segment may have vertices of its own.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from geo.model import Lines, Mesh, merge_meshes

Floats = NDArray[np.float64]
SHARPEST = -0.5  # cosine of a bend from which segments end square: a mitre would reach far out
UPRIGHT = 0.99  # upward part of a direction from which the section is turned by east instead of up
PLAIN_RADIUS = 0.05  # [m] where no size is known


def tubes(lines: Lines, radius: Floats, half_width: Floats, half_height: Floats, *, sides: int = 12) -> Mesh:
    """Surface of pipes and boxes.

    Parameters
    ----------
    radius : (elements,) float [m]
        NaN or 0 where unknown: drawn thin.
    half_width, half_height : (elements,) float [m]
        Of boxes; NaN for round pipes.
    sides : int
        Of a round pipe; its corners lie on the circle.
    """
    start, stop, line = _segments(lines)
    if len(start) == 0:
        return merge_meshes(())
    a, b = lines.vertices[start], lines.vertices[stop]
    along = (b - a) / np.linalg.norm(b - a, axis=1, keepdims=True)
    joined = np.zeros(len(start), dtype=bool)
    joined[1:] = line[1:] == line[:-1]
    planes = _planes(along, joined)
    element = lines.line_element[line].astype(np.int64)
    box = np.isfinite(half_width[element]) & np.isfinite(half_height[element])
    size = np.where(np.nan_to_num(radius) > 0, radius, PLAIN_RADIUS)[element]
    ends = (~joined, np.append(~joined[1:], True))
    angle = (np.arange(sides) * 2 * math.pi) / sides
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    corners = np.array([[1.0, -1.0], [1.0, 1.0], [-1.0, 1.0], [-1.0, -1.0]])
    found = []
    for rows, section, across, up in (
        (np.flatnonzero(~box), circle, size, size),
        (np.flatnonzero(box), corners, half_width[element], half_height[element]),
    ):
        if len(rows):
            scale = np.stack([across[rows], up[rows]], axis=1)
            outline = section[None] * scale[:, None]
            ring = _rings(a[rows], b[rows], along[rows], (planes[0][rows], planes[1][rows]), outline)
            found.append(_prisms(ring, element[rows], (ends[0][rows], ends[1][rows])))
    vertices = np.concatenate([mesh.vertices for mesh in found])
    shift = np.cumsum([0, *(len(mesh.vertices) for mesh in found[:-1])])
    faces = np.concatenate([mesh.faces + np.int32(step) for mesh, step in zip(found, shift, strict=True)])
    return Mesh(vertices, faces, np.concatenate([mesh.face_element for mesh in found]))


def _segments(lines: Lines) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """First and last vertex and line of every segment that has a length."""
    line = np.repeat(np.arange(len(lines.line_element)), np.diff(lines.offsets))
    first = np.flatnonzero(line[1:] == line[:-1])
    long = np.linalg.norm(lines.vertices[first + 1] - lines.vertices[first], axis=1) > 1e-6
    first = first[long]
    return first, first + 1, line[first]


def _planes(along: Floats, joined: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Normals of the planes that cut each segment at its two ends: halfway to its neighbour, else square."""
    begin, end = along.copy(), along.copy()
    with_next = np.flatnonzero(joined) - 1
    cosine = (along[with_next] * along[with_next + 1]).sum(axis=1)
    with_next = with_next[cosine > SHARPEST]
    middle = along[with_next] + along[with_next + 1]
    middle /= np.linalg.norm(middle, axis=1, keepdims=True)
    end[with_next] = middle
    begin[with_next + 1] = middle
    return begin, end


def _rings(a: Floats, b: Floats, along: Floats, planes: tuple[Floats, Floats], outline: Floats) -> Floats:
    """Corners (segments, 2, sides, 3): the section moved along the segment into the planes at its ends."""
    up = np.where(np.abs(along[:, 2:]) > UPRIGHT, [[1.0, 0.0, 0.0]], [[0.0, 0.0, 1.0]])
    side = np.cross(along, up)
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    top = np.cross(side, along)
    offset = outline[:, :, :1] * side[:, None] + outline[:, :, 1:] * top[:, None]
    rings = []
    for end, normal in zip((a, b), planes, strict=True):
        slide = -np.einsum("ksj,kj->ks", offset, normal) / (along * normal).sum(axis=1)[:, None]
        rings.append(end[:, None] + offset + slide[:, :, None] * along[:, None])
    return np.stack(rings, axis=1)


def _prisms(ring: Floats, element: NDArray[np.int64], ends: tuple[NDArray[np.bool_], NDArray[np.bool_]]) -> Mesh:
    """Walls of every prism, and caps where a line begins or ends."""
    count, _, sides, _ = ring.shape
    base = (np.arange(count) * 2 * sides)[:, None]
    here = np.arange(sides)
    following = (here + 1) % sides
    p, q, r, s = (base + k for k in (here, following, sides + following, sides + here))
    walls = np.concatenate([np.stack([p, r, q], -1), np.stack([p, s, r], -1)], axis=1).reshape(-1, 3)
    fan = np.stack([np.zeros(sides - 2, int), here[1:-1], here[2:]], axis=1)
    first = (base[ends[0]][:, :, None] + fan[None]).reshape(-1, 3)
    last = (base[ends[1]][:, :, None] + sides + fan[None, :, ::-1]).reshape(-1, 3)
    faces = np.concatenate([walls, first, last])
    owner = np.concatenate([
        np.repeat(element, 2 * sides), np.repeat(element[ends[0]], sides - 2), np.repeat(element[ends[1]], sides - 2)
    ])  # fmt: skip
    return Mesh(ring.reshape(-1, 3), faces.astype(np.int32), owner.astype(np.int32))
