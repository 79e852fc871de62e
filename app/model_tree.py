"""Headless. A tree of a model as arrays: counts, search and the state of check boxes without walking sixty thousand
elements in Python.

The elements of a tree are written down once in the order in which the tree lists them (an element that belongs to
two systems stands there twice). All that lies under a branch is then one stretch of that order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.hangul import contains
from bim.hierarchy import Branch, Hierarchy

Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]
NONE_SHOWN, SOME_SHOWN, ALL_SHOWN = 0, 1, 2


@dataclass(frozen=True, eq=False)
class ModelTree:
    """Branches and the order of the elements.

    Attributes
    ----------
    branches : list of Branch
    children : list of list of int
        Branches under each branch.
    top : list of int
        Branches under none.
    order : (n,) int64
        Rows of the products, as the tree lists them.
    start, leaves, stop : (branches,) int64
        All under a branch is ``order[start:stop]``; what hangs on it directly is ``order[leaves:stop]``.
    place : (branches,) int64
        Which child of the branch above it is.
    holder : (n,) int64
        The branch that each place of the order hangs on.
    """

    branches: list[Branch]
    children: list[list[int]]
    top: list[int]
    order: Rows
    start: Rows
    leaves: Rows
    stop: Rows
    place: Rows
    holder: Rows

    def leaf_count(self, branch: int) -> int:
        """Elements that hang on a branch directly."""
        return int(self.stop[branch] - self.leaves[branch])

    def rows_under(self, branch: int) -> Rows:
        """Rows of all products under a branch and of itself, each once."""
        return np.unique(self.order[self.start[branch] : self.stop[branch]])

    def counts(self, mask: Mask) -> Rows:
        """How many places under each branch hold a product of the mask."""
        total = np.concatenate([[0], np.cumsum(mask[self.order])])
        return np.asarray(total[self.stop] - total[self.start], dtype=np.int64)

    def places_of(self, row: int) -> Rows:
        """Where in the order a product stands."""
        return np.flatnonzero(self.order == row)

    def branch_of(self, row: int) -> int:
        """The branch that a product is, or -1."""
        return next((n for n, branch in enumerate(self.branches) if branch.product == row), -1)


def model_tree(branches: Sequence[Branch]) -> ModelTree:
    """Lay a list of branches out in order."""
    count = len(branches)
    children: list[list[int]] = [[] for _ in range(count)]
    top: list[int] = []
    place = np.zeros(count, dtype=np.int64)
    for number, branch in enumerate(branches):
        siblings = children[branch.parent] if branch.parent >= 0 else top
        place[number] = len(siblings)
        siblings.append(number)
    start, leaves, stop = (np.zeros(count, dtype=np.int64) for _ in range(3))
    order: list[int] = []
    waiting = [(number, False) for number in reversed(top)]
    holder: list[int] = []
    while waiting:
        number, done = waiting.pop()
        if done:
            leaves[number] = len(order)
            order += branches[number].rows
            holder += [number] * len(branches[number].rows)
            stop[number] = len(order)
            continue
        start[number] = len(order)
        if branches[number].product >= 0:
            order.append(branches[number].product)
            holder.append(number)
        waiting.append((number, True))
        waiting += [(child, False) for child in reversed(children[number])]
    return ModelTree(
        list(branches),
        children,
        top,
        np.array(order, dtype=np.int64),
        start,
        leaves,
        stop,
        place,
        np.array(holder, dtype=np.int64),
    )


def found_branches(branches: Sequence[Branch], hierarchy: Hierarchy, words: str) -> list[Branch]:
    """Only what a search finds: products by name, class or id, and all under a branch whose own name fits."""
    hit = [
        contains(name, words) or contains(ifc_class, words) or element == words
        for name, ifc_class, element in zip(hierarchy.names, hierarchy.classes, hierarchy.ids, strict=True)
    ]
    whole: list[bool] = []
    rows: list[list[int]] = []
    keep: list[bool] = []
    for branch in branches:
        inherited = whole[branch.parent] if branch.parent >= 0 else False
        own = inherited or (bool(branch.name) and contains(branch.name, words))
        whole.append(own)
        rows.append(branch.rows if own else [row for row in branch.rows if hit[row]])
        keep.append(own or bool(rows[-1]) or (branch.product >= 0 and hit[branch.product]))
    for number in range(len(branches) - 1, -1, -1):
        if keep[number] and branches[number].parent >= 0:
            keep[branches[number].parent] = True
    number_of = np.cumsum(keep) - 1
    return [
        Branch(b.kind, b.name, b.id, int(number_of[b.parent]) if b.parent >= 0 else -1, b.product, rows[number])
        for number, b in enumerate(branches)
        if keep[number]
    ]
