"""Search for cheap covers of all targets by weights of targets that are hard to cover.

Import this module inside functions: it loads Numba. The kernel releases the interpreter lock.

Reference
---------
C. Gao, X. Yao, T. Weise, J. Li: An efficient local search heuristic with row weighting for the unicost set covering
problem. European Journal of Operational Research 246(3), 2015. doi:10.1016/j.ejor.2015.05.038
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Ints = NDArray[np.int32]
Bools = NDArray[np.bool_]

TINY = 1e-9


@njit(cache=True, nogil=True)
def _turn(
    column: int, enter: bool, ptr: Whole, idx: Ints, row_ptr: Whole, row_idx: Ints, weight: Whole, views: Ints,
    score: Whole, inside: Bools, uncovered: Whole, where: Whole, count: int,
) -> int:  # fmt: skip
    """Put a column in or take it out; the number of uncovered targets after it.

    `score` (m,): weight of what the column alone covers (inside) or would newly cover (outside).
    """
    inside[column] = enter
    for k in range(ptr[column], ptr[column + 1]):
        j = idx[k]
        before = views[j]
        views[j] = before + 1 if enter else before - 1
        after = views[j]
        for q in range(row_ptr[j], row_ptr[j + 1]):
            i = row_idx[q]
            if i == column:
                continue
            if enter and before == 0 or enter and before == 1 and inside[i]:
                score[i] -= weight[j]
            elif not enter and after == 0 or not enter and after == 1 and inside[i]:
                score[i] += weight[j]
        if enter and before == 0:
            last = uncovered[count - 1]
            uncovered[where[j]] = last
            where[last] = where[j]
            count -= 1
        elif not enter and after == 0:
            uncovered[count] = j
            where[j] = count
            count += 1
    return count


@njit(cache=True, nogil=True)
def _leaver(cost: Floats, score: Whole, stamp: Whole, inside: Bools, tabu: int) -> int:
    """The column of the plan that covers least for its cost, the one longest in it of equals; -1 for none."""
    out = -1
    for i in range(len(cost)):
        if inside[i] and i != tabu:
            if out < 0:
                out = i
                continue
            left, right = score[i] * cost[out], score[out] * cost[i]
            if left < right or (left == right and stamp[i] < stamp[out]):
                out = i
    return out


@njit(cache=True, nogil=True)
def _comer(columns: Ints, cost: Floats, score: Whole, stamp: Whole, allowed: Bools) -> int:
    """The allowed one of some columns that covers most for its cost, the one longest out of equals; -1 for none."""
    enter = -1
    for i in columns:
        if not allowed[i]:
            continue
        if enter < 0:
            enter = i
            continue
        left, right = score[i] * cost[enter], score[enter] * cost[i]
        if left > right or (left == right and stamp[i] < stamp[enter]):
            enter = i
    return enter


@njit(cache=True, nogil=True)
def weighted_search(
    ptr: Whole, idx: Ints, row_ptr: Whole, row_idx: Ints, cost: Floats, start: Bools, best: Bools, steps: int, seed: int
) -> float:
    """Search from a cover for a cheaper one; writes the cheapest to `best` (m,) and returns its cost.

    Parameters
    ----------
    start : (m,) bool
        A cover of all targets.
    """
    m, n = len(ptr) - 1, len(row_ptr) - 1
    weight = np.ones(n, dtype=np.int64)
    views = np.zeros(n, dtype=np.int32)
    score = np.zeros(m, dtype=np.int64)
    inside = np.zeros(m, dtype=np.bool_)
    open_ = np.arange(n)  # targets without a view: the first `count`
    where = np.arange(n)
    stamp = np.zeros(m, dtype=np.int64)
    allowed = np.ones(m, dtype=np.bool_)
    count = n
    total = 0.0
    for i in range(m):
        score[i] = ptr[i + 1] - ptr[i]
    for i in range(m):
        if start[i]:
            count = _turn(i, True, ptr, idx, row_ptr, row_idx, weight, views, score, inside, open_, where, count)
            total += cost[i]
    best[:] = start
    cheapest = total
    tabu = -1
    state = np.uint64(seed * 2 + 88172645463325252)
    for step in range(steps):
        while count == 0:
            if total < cheapest - TINY:
                cheapest = total
                best[:] = inside
            out = -1
            for i in range(m):
                if inside[i] and (out < 0 or score[i] * cost[out] < score[out] * cost[i]):
                    out = i
            if out < 0:
                return cheapest
            count = _turn(out, False, ptr, idx, row_ptr, row_idx, weight, views, score, inside, open_, where, count)
            total -= cost[out]
            stamp[out] = step
        out = _leaver(cost, score, stamp, inside, tabu)
        if out >= 0:
            count = _turn(out, False, ptr, idx, row_ptr, row_idx, weight, views, score, inside, open_, where, count)
            total -= cost[out]
            stamp[out] = step
            allowed[out] = False
            for k in range(ptr[out], ptr[out + 1]):
                j = idx[k]
                for q in range(row_ptr[j], row_ptr[j + 1]):
                    if row_idx[q] != out:
                        allowed[row_idx[q]] = True
        while count > 0:
            state ^= state << np.uint64(13)
            state ^= state >> np.uint64(7)
            state ^= state << np.uint64(17)
            j = open_[np.int64(state % np.uint64(count))]
            enter = _comer(row_idx[row_ptr[j] : row_ptr[j + 1]], cost, score, stamp, allowed)
            if enter < 0 or total + cost[enter] >= cheapest - TINY:
                break
            count = _turn(enter, True, ptr, idx, row_ptr, row_idx, weight, views, score, inside, open_, where, count)
            total += cost[enter]
            stamp[enter] = step
            tabu = enter
            for k in range(ptr[enter], ptr[enter + 1]):
                for q in range(row_ptr[idx[k]], row_ptr[idx[k] + 1]):
                    allowed[row_idx[q]] = True
            for u in range(count):
                j = open_[u]
                weight[j] += 1
                for q in range(row_ptr[j], row_ptr[j + 1]):
                    score[row_idx[q]] += 1
    return cheapest
