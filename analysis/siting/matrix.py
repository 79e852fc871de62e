"""Columns over targets as compressed rows, their transpose, and what may be left out without loss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Ints = NDArray[np.int32]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Columns:
    """What may be chosen, and what each of it sees.

    Attributes
    ----------
    ptr : (m + 1,) int64
        Where the targets of each column begin in `idx`.
    idx : (k,) int32
        Targets, ascending and each once within a column.
    site : (m,) int32
        The place a column stands on; a place takes only so many of its columns.
    cost : (m,) float64
    value_offset : (m,) int64
        Added to the value of a plan that takes the column; never positive (a privacy penalty).
    targets : int
        How many targets there are.
    """

    ptr: Whole
    idx: Ints
    site: Ints
    cost: Floats
    value_offset: Whole
    targets: int

    def __post_init__(self) -> None:
        count = len(self.ptr) - 1
        for name, values in (("site", self.site), ("cost", self.cost), ("value_offset", self.value_offset)):
            if values.shape != (count,):
                raise ValueError(f"{name} has the shape {values.shape}, not ({count},)")
        if len(self.idx) != self.ptr[-1] or (
            len(self.idx) and not 0 <= self.idx.min() <= self.idx.max() < self.targets
        ):
            raise ValueError("the targets of the columns do not fit")
        if (self.value_offset > 0).any():
            raise ValueError("an offset of a column must not be positive")

    def __len__(self) -> int:
        return len(self.ptr) - 1

    def seen(self, column: int) -> Ints:
        """Targets of one column."""
        return self.idx[self.ptr[column] : self.ptr[column + 1]]

    def rows(self) -> Ints:
        """The column of each entry of `idx` (k,)."""
        return np.repeat(np.arange(len(self), dtype=np.int32), np.diff(self.ptr))


def columns_of(
    seen: Sequence[NDArray[np.integer]],
    targets: int,
    *,
    site: NDArray[np.integer] | None = None,
    cost: Floats | None = None,
    value_offset: Whole | None = None,
) -> Columns:
    """Columns from a list of targets for each; every column on a site of its own where none is given."""
    count = len(seen)
    ptr = np.zeros(count + 1, dtype=np.int64)
    ptr[1:] = np.cumsum([len(one) for one in seen])
    idx = np.concatenate([np.unique(one) for one in seen]) if count else np.zeros(0)
    return Columns(
        ptr,
        idx.astype(np.int32),
        np.arange(count, dtype=np.int32) if site is None else np.asarray(site, dtype=np.int32),
        np.ones(count) if cost is None else np.asarray(cost, dtype=np.float64),
        np.zeros(count, dtype=np.int64) if value_offset is None else np.asarray(value_offset, dtype=np.int64),
        targets,
    )


def joined(parts: Sequence[Columns]) -> Columns:
    """Columns of several sets over the same targets, one after the other."""
    if len(parts) == 1:
        return parts[0]
    starts = np.cumsum([0, *(len(part.idx) for part in parts[:-1])])
    ptr = [part.ptr[:-1] + start for part, start in zip(parts, starts, strict=True)]
    total = int(starts[-1] + len(parts[-1].idx))
    return Columns(
        np.concatenate([*ptr, [total]]).astype(np.int64),
        np.concatenate([part.idx for part in parts]),
        np.concatenate([part.site for part in parts]),
        np.concatenate([part.cost for part in parts]),
        np.concatenate([part.value_offset for part in parts]),
        parts[0].targets,
    )


def taken(columns: Columns, which: NDArray[np.generic]) -> Columns:
    """Some of the columns, by index or by a mask, in the order given."""
    rows = np.flatnonzero(which) if which.dtype == np.bool_ else np.asarray(which, dtype=np.int64)
    length = np.diff(columns.ptr)[rows]
    ptr = np.concatenate([[0], np.cumsum(length)]).astype(np.int64)
    entries = np.repeat(columns.ptr[rows] - ptr[:-1], length) + np.arange(ptr[-1])
    return Columns(
        ptr,
        columns.idx[entries],
        columns.site[rows],
        columns.cost[rows],
        columns.value_offset[rows],
        columns.targets,
    )


class Transposed(NamedTuple):
    """The columns of each target: ``idx[ptr[j]:ptr[j + 1]]``, ascending."""

    ptr: Whole
    idx: Ints


def transposed(columns: Columns) -> Transposed:
    """The columns of each target."""
    from analysis.kernels.siting_matrix import transpose

    ptr = np.zeros(columns.targets + 1, dtype=np.int64)
    np.cumsum(np.bincount(columns.idx, minlength=columns.targets), out=ptr[1:])
    idx = np.empty(len(columns.idx), dtype=np.int32)
    transpose(columns.ptr, columns.idx, ptr, idx)
    return Transposed(ptr, idx)


class Merged(NamedTuple):
    """Columns over merged targets.

    Attributes
    ----------
    columns : Columns
    worth : (t, k) int64
        Sums of the merged targets.
    group : (targets,) int64
        The merged target of each; -1 where no column sees it.
    """

    columns: Columns
    worth: Whole
    group: Whole


def merge_targets(columns: Columns, worth: Whole) -> Merged:
    """Merge targets that exactly the same columns see, and drop those that none sees.

    Two 64-bit sums of random numbers of the columns tell them apart (a mistake is as likely as 2^-128 for a pair).
    Targets with different shares of their value in the layers may be merged too: values of layers add up.
    """
    from analysis.kernels.siting_matrix import hashes, renumber

    draws = np.random.default_rng(20240229).integers(0, 2**64, size=(2, len(columns)), dtype=np.uint64)
    first, second = hashes(columns.ptr, columns.idx, draws, columns.targets)
    seen = np.flatnonzero((first != 0) | (second != 0))
    order = seen[np.lexsort((seen, second[seen], first[seen]))]
    new = np.ones(len(order), dtype=np.bool_)
    new[1:] = (first[order[1:]] != first[order[:-1]]) | (second[order[1:]] != second[order[:-1]])
    leader = order[new]  # the lowest target of each group
    number = np.empty(len(leader), dtype=np.int64)
    number[np.argsort(leader, kind="stable")] = np.arange(len(leader))
    group = np.full(columns.targets, -1, dtype=np.int64)
    group[order] = number[np.cumsum(new) - 1]
    total = np.zeros((len(leader), worth.shape[1]), dtype=np.int64)
    np.add.at(total, group[seen], worth[seen])
    is_leader = np.zeros(columns.targets, dtype=np.bool_)
    is_leader[leader] = True
    ptr, idx = renumber(columns.ptr, columns.idx, is_leader, group)
    fewer = Columns(ptr, idx, columns.site, columns.cost, columns.value_offset, len(leader))
    return Merged(fewer, total, group)


def undominated(columns: Columns) -> Bools:
    """Which columns (m,) to keep: not those within another of the same site that costs no more and loses no more.

    With room for several on a site nothing is lost either: beside the wider column the narrower one adds nothing.
    """
    from analysis.kernels.siting_matrix import keep_undominated

    order = np.lexsort((np.arange(len(columns)), -np.diff(columns.ptr), columns.site))
    starts = np.flatnonzero(np.diff(columns.site[order], prepend=-1, append=-1))
    return keep_undominated(
        columns.ptr, columns.idx, columns.cost, columns.value_offset, order.astype(np.int64), starts.astype(np.int64)
    )
