"""A tree of boxes built once and asked often: which boxes meet a given box.

Import this module inside functions: it loads Numba. Boxes are sorted along a Morton curve and put into a complete
binary tree (a linear bounding volume hierarchy). Building and asking release the interpreter lock.

References
----------
C. Lauterbach et al.: Fast BVH construction on GPUs. Computer Graphics Forum 28(2), 2009.
doi:10.1111/j.1467-8659.2009.01377.x
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

LEAF = 4  # boxes in a leaf
STACK = 128  # twice the depth of a tree of 2**60 leaves
MORTON_BITS = 10  # of each axis


class Tree(NamedTuple):
    """The arrays of a tree, as kernels take them. A box is (low x, y, z, high x, y, z).

    Attributes
    ----------
    order : (n,) int64
        Box numbers along the curve; leaf i holds ``order[LEAF * i : LEAF * (i + 1)]``.
    boxes : (n, 6) float64
        In that order.
    nodes : (2 * leaves - 1, 6) float64
        Box of each node in heap order, the leaves last; an empty node has ``low > high``.
    """

    order: Indices
    boxes: Floats
    nodes: Floats


class BoxTree:
    """Boxes, found by overlap.

    Parameters
    ----------
    low, high : (n, 3) float64
        Corners. A box with a value that is not a number is never found.

    Examples
    --------
    >>> tree = BoxTree(np.array([[0.0, 0, 0], [5, 0, 0]]), np.array([[1.0, 1, 1], [6, 1, 1]]))
    >>> tree.meeting(np.array([[4.0, 0, 0]]), np.array([[5.5, 1, 1]])).tolist()
    [[0, 1]]
    """

    def __init__(self, low: Floats, high: Floats) -> None:
        self.count = len(low)
        self.arrays = _build(_joined(low, high))

    def __len__(self) -> int:
        return self.count

    def meeting(self, low: Floats, high: Floats) -> Indices:
        """Pairs (m, 2) of the number of an asked box (n, 3) and of a box of the tree that meets it, touching included.

        In no particular but always the same order.
        """
        asked = _joined(low, high)
        if len(self.arrays.order) == 0 or len(asked) == 0:
            return np.zeros((0, 2), dtype=np.int64)
        turn = np.argsort(_morton(asked), kind="stable")  # neighbours after each other: the cache stays warm
        return np.column_stack(_meeting(*self.arrays, asked, turn))


def _joined(low: Floats, high: Floats) -> Floats:
    both = (np.asarray(low, dtype=np.float64).reshape(-1, 3), np.asarray(high, dtype=np.float64).reshape(-1, 3))
    return np.ascontiguousarray(np.concatenate(both, axis=1))


def _build(boxes: Floats) -> Tree:
    used = np.flatnonzero(np.isfinite(boxes).all(axis=1))
    order = used[np.argsort(_morton(boxes[used]), kind="stable")]
    leaves = 1
    while leaves * LEAF < max(len(order), 1):
        leaves *= 2
    nodes = np.empty((2 * leaves - 1, 6))
    nodes[:, :3], nodes[:, 3:] = np.inf, -np.inf
    if len(order):
        starts = np.arange(0, len(order), LEAF)
        leaf = nodes[leaves - 1 : leaves - 1 + len(starts)]
        leaf[:, :3] = np.minimum.reduceat(boxes[order, :3], starts, axis=0)
        leaf[:, 3:] = np.maximum.reduceat(boxes[order, 3:], starts, axis=0)
    width = leaves // 2
    while width:  # a level from its children
        children = nodes[2 * width - 1 : 4 * width - 1].reshape(width, 2, 6)
        nodes[width - 1 : 2 * width - 1, :3] = children[:, :, :3].min(axis=1)
        nodes[width - 1 : 2 * width - 1, 3:] = children[:, :, 3:].max(axis=1)
        width //= 2
    return Tree(order.astype(np.int64), np.ascontiguousarray(boxes[order]), nodes)


def _morton(boxes: Floats) -> Indices:
    """(n,) int64 places of the middles of boxes (n, 6) along the curve."""
    if len(boxes) == 0:
        return np.zeros(0, dtype=np.int64)
    points = np.nan_to_num((boxes[:, :3] + boxes[:, 3:]) / 2, nan=0.0, posinf=0.0, neginf=0.0)
    low = points.min(axis=0)
    span = np.maximum(points.max(axis=0) - low, 1e-12).max()
    cells = np.minimum((points - low) / span * 2**MORTON_BITS, 2**MORTON_BITS - 1).astype(np.int64)
    code = np.zeros(len(points), dtype=np.int64)
    for bit in range(MORTON_BITS):
        for axis in range(3):
            code |= ((cells[:, axis] >> bit) & 1) << (3 * bit + axis)
    return code


@njit(cache=True, nogil=True, inline="always")
def apart(boxes: Floats, i: int, others: Floats, j: int) -> bool:
    """Whether box i of one array (n, 6) and box j of another do not even touch."""
    return bool(
        boxes[i, 0] > others[j, 3]
        or others[j, 0] > boxes[i, 3]
        or boxes[i, 1] > others[j, 4]
        or others[j, 1] > boxes[i, 4]
        or boxes[i, 2] > others[j, 5]
        or others[j, 2] > boxes[i, 5]
    )


@njit(cache=True, nogil=True)
def _meeting(order: Indices, boxes: Floats, nodes: Floats, asked: Floats, turn: Indices) -> tuple[Indices, Indices]:
    first, second = np.empty(1024, dtype=np.int64), np.empty(1024, dtype=np.int64)
    count = 0
    stack = np.empty(STACK, dtype=np.int64)
    first_leaf = len(nodes) // 2
    for turn_place in range(len(turn)):
        k = turn[turn_place]
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
                if count == len(first):
                    first, second = np.concatenate((first, first)), np.concatenate((second, second))
                first[count], second[count] = k, order[place]
                count += 1
    return first[:count].copy(), second[:count].copy()
