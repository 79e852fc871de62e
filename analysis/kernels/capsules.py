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
from analysis.kernels.distances import (
    box_box,
    box_triangle,
    point_triangle_squared,
    segment_box,
    segment_triangle,
    segments_squared,
)

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


class Near(NamedTuple):
    """Pieces near solids, each pair once, in the order of the solids.

    Attributes
    ----------
    solid, piece : (m,) int64
    distance : (m,) float64 [m]
        From the outside of the piece to the surface of the solid; negative where the surface cuts the piece.
    face : (m,) int64
        The nearest triangle.
    """

    solid: Indices
    piece: Indices
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
        found = self.near_solids(triangles, np.zeros(len(triangles), np.int64), reach=reach)
        distance, face = np.full(len(self), np.inf), np.full(len(self), -1, dtype=np.int64)
        distance[found.piece], face[found.piece] = found.distance, found.face
        return Nearest(distance, face)

    def near_solids(self, triangles: Floats, solid: Indices, *, reach: float) -> Near:
        """Pieces within `reach` [m] of the surface of solids, each pair once.

        Parameters
        ----------
        triangles : (t, 3, 3) float64 [m]
        solid : (t,) int64
            Solid of each triangle, rising.
        """
        triangles = np.ascontiguousarray(triangles, dtype=np.float64)
        asked = np.concatenate([triangles.min(axis=1) - reach, triangles.max(axis=1) + reach], axis=1)
        solid = np.ascontiguousarray(solid, dtype=np.int64)
        return Near(*_near_solids(*self.tree.arrays, asked, triangles, solid, *self.pipes, float(reach)))

    def inside(self, triangles: Floats) -> Bools:
        """(n,) whether the first end of each piece lies inside the solid that closed triangles (t, 3, 3) bound."""
        return points_inside(self.pipes.a, triangles)


def points_inside(points: Floats, triangles: Floats) -> Bools:
    """(n,) whether points (n, 3) lie inside closed triangles (t, 3, 3), however these are turned."""
    out = np.zeros(len(points), dtype=bool)
    out[inside_solids(points, triangles, np.zeros(len(triangles), np.int64))[:, 1]] = True
    return out


def inside_solids(points: Floats, triangles: Floats, solid: Indices) -> Indices:
    """Pairs (m, 2) of a solid and a point (n, 3) inside it. Triangles (t, 3, 3) close the solids (t,).

    Faces above a point are counted with their sense. In plan a triangle owns its edges by the half-open rule, so that
    neighbours neither share nor leave a point.
    """
    flat = np.ascontiguousarray(triangles, dtype=np.float64)
    tree = BoxTree(flat.min(axis=1), flat.max(axis=1))
    high = np.array(points, dtype=np.float64)
    if len(flat):
        high[:, 2] = np.maximum(high[:, 2], float(flat[:, :, 2].max()))
    pairs = tree.meeting(points, high)
    point, face = np.ascontiguousarray(pairs[:, 0]), np.ascontiguousarray(pairs[:, 1])
    crossing = _above(np.ascontiguousarray(points, dtype=np.float64), flat, point, face)
    key = np.asarray(solid, dtype=np.int64)[face] * len(points) + point
    keys, place = np.unique(key, return_inverse=True)
    count = np.bincount(place.reshape(-1), weights=crossing, minlength=len(keys))
    keys = keys[np.abs(count) > 0.5]
    return np.column_stack([keys // max(len(points), 1), keys % max(len(points), 1)])


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
def _near_solids(
    order: Indices, boxes: Floats, nodes: Floats, asked: Floats, triangles: Floats, solid: Indices,
    a: Floats, b: Floats, radius: Floats, half_width: Floats, half_height: Floats, reach: float,
) -> tuple[Indices, Indices, Floats, Indices]:  # fmt: skip
    pair_solid, pair_piece = np.empty(256, dtype=np.int64), np.empty(256, dtype=np.int64)
    pair_gap, pair_face = np.empty(256), np.empty(256, dtype=np.int64)
    count = 0
    row = np.full(len(a), -1, dtype=np.int64)  # last pair of each piece
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
                if gap > reach:
                    continue
                known = row[pipe]
                if known >= 0 and pair_solid[known] == solid[k]:
                    if gap < pair_gap[known]:
                        pair_gap[known], pair_face[known] = gap, k
                    continue
                if count == len(pair_solid):
                    pair_solid, pair_piece = (
                        np.concatenate((pair_solid, pair_solid)),
                        np.concatenate((pair_piece, pair_piece)),
                    )
                    pair_gap, pair_face = np.concatenate((pair_gap, pair_gap)), np.concatenate((pair_face, pair_face))
                pair_solid[count], pair_piece[count], pair_gap[count], pair_face[count] = solid[k], pipe, gap, k
                row[pipe] = count
                count += 1
    return pair_solid[:count].copy(), pair_piece[:count].copy(), pair_gap[:count].copy(), pair_face[:count].copy()


@njit(cache=True, nogil=True)
def nearest_places(a: Floats, b: Floats, triangles: Floats) -> Floats:
    """(n, 3) place on each segment nearest to a triangle: the distance along a segment has one valley."""
    out = np.empty(a.shape)
    point = np.empty(3)
    for k in range(len(a)):
        low, high = 0.0, 1.0
        for _ in range(80):
            first, second = low + (high - low) / 3.0, high - (high - low) / 3.0
            for axis in range(3):
                point[axis] = a[k, axis] + first * (b[k, axis] - a[k, axis])
            one = point_triangle_squared(point, triangles[k])
            for axis in range(3):
                point[axis] = a[k, axis] + second * (b[k, axis] - a[k, axis])
            if one <= point_triangle_squared(point, triangles[k]):
                high = second
            else:
                low = first
        for axis in range(3):
            out[k, axis] = a[k, axis] + 0.5 * (low + high) * (b[k, axis] - a[k, axis])
    return out


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
