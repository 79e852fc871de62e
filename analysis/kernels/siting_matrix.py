"""Loops over columns of targets: transpose, equal targets, columns within others.

Import this module inside functions: it loads Numba. The kernels release the interpreter lock.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Ints = NDArray[np.int32]
Bools = NDArray[np.bool_]
Words = NDArray[np.uint64]


@njit(cache=True, nogil=True)
def transpose(ptr: Whole, idx: Ints, row_ptr: Whole, out: Ints) -> None:
    """Write the columns of each target to `out` (k,), where `row_ptr` (n + 1,) says that each target begins."""
    cursor = row_ptr[:-1].copy()
    for column in range(len(ptr) - 1):
        for k in range(ptr[column], ptr[column + 1]):
            target = idx[k]
            out[cursor[target]] = column
            cursor[target] += 1


@njit(cache=True, nogil=True)
def hashes(ptr: Whole, idx: Ints, draws: Words, targets: int) -> tuple[Words, Words]:
    """Sums (n,) modulo 2^64 of two random numbers `draws` (2, m) of the columns that see each target."""
    first = np.zeros(targets, dtype=np.uint64)
    second = np.zeros(targets, dtype=np.uint64)
    for column in range(len(ptr) - 1):
        for k in range(ptr[column], ptr[column + 1]):
            first[idx[k]] += draws[0, column]
            second[idx[k]] += draws[1, column]
    return first, second


@njit(cache=True, nogil=True)
def renumber(ptr: Whole, idx: Ints, kept: Bools, number: Whole) -> tuple[Whole, Ints]:
    """Columns of kept targets only, under their new numbers; order within a column stays as it was."""
    new_ptr = np.zeros(len(ptr), dtype=np.int64)
    count = 0
    for k in range(len(idx)):
        if kept[idx[k]]:
            count += 1
    out = np.empty(count, dtype=np.int32)
    count = 0
    for column in range(len(ptr) - 1):
        for k in range(ptr[column], ptr[column + 1]):
            if kept[idx[k]]:
                out[count] = number[idx[k]]
                count += 1
        new_ptr[column + 1] = count
    return new_ptr, out


@njit(cache=True, nogil=True)
def _within(idx: Ints, start: int, stop: int, other: int, other_stop: int) -> bool:
    """Whether the sorted run ``idx[start:stop]`` lies within the sorted run ``idx[other:other_stop]``."""
    for k in range(start, stop):
        while other < other_stop and idx[other] < idx[k]:
            other += 1
        if other == other_stop or idx[other] != idx[k]:
            return False
        other += 1
    return True


@njit(cache=True, nogil=True)
def keep_undominated(ptr: Whole, idx: Ints, cost: Floats, offset: Whole, order: Whole, starts: Whole) -> Bools:
    """Which columns no other of its site makes needless.

    Parameters
    ----------
    order : (m,) int64
        Columns site by site, within each the longest first.
    starts : (s + 1,) int64
        Where each site begins in `order`.
    """
    kept = np.ones(len(ptr) - 1, dtype=np.bool_)
    signs = np.zeros(len(ptr) - 1, dtype=np.uint64)
    for column in range(len(ptr) - 1):
        for k in range(ptr[column], ptr[column + 1]):
            mixed = np.uint64(idx[k]) * np.uint64(0x9E3779B97F4A7C15)
            signs[column] |= np.uint64(1) << (mixed >> np.uint64(58))
    for s in range(len(starts) - 1):
        for a in range(starts[s], starts[s + 1]):
            inner = order[a]
            if ptr[inner] == ptr[inner + 1]:
                kept[inner] = False
                continue
            for b in range(starts[s], a):
                outer = order[b]
                if not kept[outer] or cost[outer] > cost[inner] or offset[outer] < offset[inner]:
                    continue
                if signs[inner] & ~signs[outer]:
                    continue
                if _within(idx, ptr[inner], ptr[inner + 1], ptr[outer], ptr[outer + 1]):
                    kept[inner] = False
                    break
    return kept


@njit(cache=True, nogil=True)
def contained(
    ptr: Whole, idx: Ints, row_ptr: Whole, row_idx: Ints, cost: Floats, need: Whole, drop_inner: bool
) -> Bools:
    """Which lists stay when of two, one within the other, one is needless.

    Parameters
    ----------
    ptr, idx : lists, ascending
    row_ptr, row_idx : their transpose
    cost : (m,) float64
    need : (m,) int64
    drop_inner : bool
        True: the inner list goes where the outer costs no more (columns of a cover). False: the outer list goes where
        the inner needs no less (targets of a cover). Of equal lists the first stays.
    """
    m = len(ptr) - 1
    kept = np.ones(m, dtype=np.bool_)
    for a in range(m):
        if not kept[a] or ptr[a] == ptr[a + 1]:
            continue
        rarest, fewest = idx[ptr[a]], row_ptr[-1] + 1
        for k in range(ptr[a], ptr[a + 1]):
            count = row_ptr[idx[k] + 1] - row_ptr[idx[k]]
            if count < fewest:
                rarest, fewest = idx[k], count
        size = ptr[a + 1] - ptr[a]
        for q in range(row_ptr[rarest], row_ptr[rarest + 1]):
            b = row_idx[q]
            other = ptr[b + 1] - ptr[b]
            if b == a or not kept[b] or other < size:
                continue
            if drop_inner and (cost[b] > cost[a] or (other == size and cost[b] == cost[a] and b > a)):
                continue
            if not drop_inner and (need[b] > need[a] or (other == size and need[b] == need[a] and b < a)):
                continue
            if _within(idx, ptr[a], ptr[a + 1], ptr[b], ptr[b + 1]):
                if drop_inner:
                    kept[a] = False
                    break
                kept[b] = False
    return kept
