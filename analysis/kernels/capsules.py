"""Exact distances of pipes (swept cylinders and boxes) to each other and to triangles.

Import this module inside functions: it loads Numba. The kernels release the interpreter lock.

A round pipe is a segment with a radius: all points within the radius of the segment, so its ends are round. A box is a
segment with half a width (level, across the axis) and half a height, with flat ends. Distances are those between the
surfaces; below zero the two overlap, by at least that much for round pipes, by an unknown depth (0 and the radius of a
round partner) where boxes are concerned.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from analysis.kernels.boxtree import LEAF, STACK, BoxTree, apart
from analysis.kernels.distances import box_box, box_triangle, segment_box, segment_triangle, segments_squared

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Bools = NDArray[np.bool_]


class Pipes(NamedTuple):
    """Straight pieces of pipes.

    Attributes
    ----------
    a, b : (n, 3) float64 [m]
        Ends of the axis.
    radius : (n,) float64 [m]
        0 for boxes.
    half_width, half_height : (n,) float64 [m]
        0 for round pipes.
    """

    a: Floats
    b: Floats
    radius: Floats
    half_width: Floats
    half_height: Floats

    @staticmethod
    def round(a: Floats, b: Floats, radius: Floats | float) -> Pipes:
        """Round pipes only."""
        a, b = (np.ascontiguousarray(p, dtype=np.float64).reshape(-1, 3) for p in (a, b))
        nothing = np.zeros(len(a))
        return Pipes(a, b, np.ascontiguousarray(np.broadcast_to(radius, len(a)), dtype=np.float64), nothing, nothing)

    def boxes(self) -> tuple[Floats, Floats]:
        """Low and high corners (n, 3) of boxes around the pieces."""
        wide = self.radius + np.hypot(self.half_width, self.half_height)
        return np.minimum(self.a, self.b) - wide[:, None], np.maximum(self.a, self.b) + wide[:, None]

    def kept(self, keep: Indices) -> Pipes:
        """Some of them."""
        return Pipes(*(np.ascontiguousarray(column[keep]) for column in self))


class Nearest(NamedTuple):
    """Nearest place of triangles to each pipe piece.

    Attributes
    ----------
    distance : (n,) float64 [m]
        Between the surfaces, inf where nothing lies within reach.
    face : (n,) int64
        Triangle, -1 for none.
    """

    distance: Floats
    face: Indices


class CapsuleIndex:
    """Pipes, indexed once and asked often.

    Parameters
    ----------
    pipes : Pipes

    Examples
    --------
    >>> index = CapsuleIndex(Pipes.round(np.array([[0.0, 0, 0]]), np.array([[10.0, 0, 0]]), 0.5))
    >>> other = Pipes.round(np.array([[5.0, 3, 0]]), np.array([[5.0, 9, 0]]), 0.25)
    >>> index.near_pipes(other, reach=5.0)[2].tolist()
    [2.25]
    """

    def __init__(self, pipes: Pipes) -> None:
        self.pipes = Pipes(*(np.ascontiguousarray(column, dtype=np.float64) for column in pipes))
        self.tree = BoxTree(*self.pipes.boxes())

    def __len__(self) -> int:
        return len(self.pipes.a)

    def near_pipes(self, others: Pipes, *, reach: float) -> tuple[Indices, Indices, Floats]:
        """Pieces within `reach` [m] of other pieces: number of the other (m,), own number (m,), distance (m,) [m]."""
        low, high = others.boxes()
        pairs = self.tree.meeting(low - reach, high + reach)
        pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
        other, own = np.ascontiguousarray(pairs[:, 0]), np.ascontiguousarray(pairs[:, 1])
        distance = pipe_distances(others, other, self.pipes, own)
        near = distance <= reach
        return other[near], own[near], distance[near]

    def near_triangles(self, triangles: Floats, *, reach: float) -> Nearest:
        """The nearest of triangles (t, 3, 3) [m] to every piece, within `reach` [m]."""
        triangles = np.ascontiguousarray(triangles, dtype=np.float64)
        asked = np.concatenate([triangles.min(axis=1) - reach, triangles.max(axis=1) + reach], axis=1)
        tree = self.tree.arrays
        return Nearest(*_near_triangles(*tree, asked, triangles, *self.pipes, float(reach)))

    def inside(self, triangles: Floats, pieces: Indices | None = None) -> Bools:
        """(n,) whether the first end of each piece lies inside the solid that closed triangles (t, 3, 3) bound."""
        points = self.pipes.a if pieces is None else self.pipes.a[pieces]
        return points_inside(points, triangles)


def points_inside(points: Floats, triangles: Floats) -> Bools:
    """(n,) whether points (n, 3) lie inside closed triangles (t, 3, 3), however these are turned.

    Faces above a point are counted with their sense. In plan a triangle owns its edges by the half-open rule, so that
    neighbours neither share nor leave a point.
    """
    flat = np.ascontiguousarray(triangles, dtype=np.float64)
    tree = BoxTree(flat.min(axis=1), flat.max(axis=1))
    top = float(flat[:, :, 2].max()) if len(flat) else 0.0
    high = points.copy()
    high[:, 2] = np.maximum(points[:, 2], top)
    pairs = tree.meeting(points, high)
    crossing = _above(points, flat, np.ascontiguousarray(pairs[:, 0]), np.ascontiguousarray(pairs[:, 1]))
    count = np.bincount(pairs[:, 0], weights=crossing, minlength=len(points))
    return np.asarray(np.abs(count) > 0.5)


def pipe_distances(first: Pipes, i: Indices, second: Pipes, j: Indices) -> Floats:
    """(m,) distance between the surfaces of pieces i of one set and pieces j of another [m]."""
    return np.asarray(_pipe_distances(*first, i, *second, j))


@njit(cache=True, nogil=True)
def _pipe_distances(
    a1: Floats, b1: Floats, r1: Floats, w1: Floats, h1: Floats, i: Indices,
    a2: Floats, b2: Floats, r2: Floats, w2: Floats, h2: Floats, j: Indices,
) -> Floats:  # fmt: skip
    out = np.empty(len(i))
    for k in range(len(i)):
        p, q = i[k], j[k]
        first_box, second_box = w1[p] > 0 and h1[p] > 0, w2[q] > 0 and h2[q] > 0
        if not first_box and not second_box:
            out[k] = math.sqrt(segments_squared(a1[p], b1[p], a2[q], b2[q])) - r1[p] - r2[q]
        elif first_box and not second_box:
            out[k] = segment_box(a2[q], b2[q], a1[p], b1[p], w1[p], h1[p]) - r2[q]
        elif second_box and not first_box:
            out[k] = segment_box(a1[p], b1[p], a2[q], b2[q], w2[q], h2[q]) - r1[p]
        else:
            out[k] = box_box(a1[p], b1[p], w1[p], h1[p], a2[q], b2[q], w2[q], h2[q])
    return out


@njit(cache=True, nogil=True)
def _near_triangles(
    order: Indices, boxes: Floats, nodes: Floats, asked: Floats, triangles: Floats,
    a: Floats, b: Floats, radius: Floats, half_width: Floats, half_height: Floats, reach: float,
) -> tuple[Floats, Indices]:  # fmt: skip
    distance, face = np.full(len(a), np.inf), np.full(len(a), -1, dtype=np.int64)
    stack = np.empty(STACK, dtype=np.int64)
    first_leaf = len(nodes) // 2
    for k in range(len(triangles)):
        if apart(nodes, 0, asked, k):
            continue
        stack[0], top = 0, 1
        while top:
            top -= 1
            node = stack[top]
            if node < first_leaf:
                for child in (2 * node + 1, 2 * node + 2):
                    if not apart(nodes, child, asked, k):
                        stack[top] = child
                        top += 1
                continue
            start = (node - first_leaf) * LEAF
            for place in range(start, min(start + LEAF, len(order))):
                if apart(boxes, place, asked, k):
                    continue
                pipe = order[place]
                if half_width[pipe] > 0 and half_height[pipe] > 0:
                    gap = box_triangle(a[pipe], b[pipe], half_width[pipe], half_height[pipe], triangles[k])
                else:
                    gap = segment_triangle(a[pipe], b[pipe], triangles[k]) - radius[pipe]
                if gap <= reach and gap < distance[pipe]:
                    distance[pipe], face[pipe] = gap, k
    return distance, face


@njit(cache=True, nogil=True)
def _above(points: Floats, triangles: Floats, point: Indices, face: Indices) -> Floats:
    """(m,) +1 or -1 where a triangle lies over (or at) a point and covers it in plan, by the way it faces; else 0."""
    out = np.zeros(len(point))
    for m in range(len(point)):
        x, y, z = points[point[m]]
        tri = triangles[face[m]]
        inside = False
        for k in range(3):
            # Each edge is looked at from its lower end, so that neighbours come to the same answer bit for bit.
            i, j = k, (k + 1) % 3
            if tri[i, 1] > tri[j, 1] or (tri[i, 1] == tri[j, 1] and tri[i, 0] > tri[j, 0]):
                i, j = j, i
            if tri[i, 1] <= y < tri[j, 1]:
                side = (tri[j, 0] - tri[i, 0]) * (y - tri[i, 1]) - (x - tri[i, 0]) * (tri[j, 1] - tri[i, 1])
                if side > 0.0:
                    inside = not inside
        if not inside:
            continue
        abx, aby, abz = tri[1, 0] - tri[0, 0], tri[1, 1] - tri[0, 1], tri[1, 2] - tri[0, 2]
        acx, acy, acz = tri[2, 0] - tri[0, 0], tri[2, 1] - tri[0, 1], tri[2, 2] - tri[0, 2]
        up = abx * acy - aby * acx
        if up == 0.0:
            continue
        nx, ny = aby * acz - abz * acy, abz * acx - abx * acz
        height = tri[0, 2] - (nx * (x - tri[0, 0]) + ny * (y - tri[0, 1])) / up
        if height >= z:
            out[m] = 1.0 if up > 0.0 else -1.0
    return out
