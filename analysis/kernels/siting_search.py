"""Greedy choice and exchange search over columns of targets, in whole numbers.

Import this module inside functions: it loads Numba. The kernels release the interpreter lock. `worth` (n, k + 1) int64
holds what the first, second ... view of each target adds, never rising, with zeros in the last column.

References
----------
M. Minoux: Accelerated greedy algorithms for maximizing submodular set functions. Optimization Techniques, 1978.
doi:10.1007/BFb0006528
F. Glover: Tabu search, part I. ORSA Journal on Computing 1(3), 1989. doi:10.1287/ijoc.1.3.190
"""

from __future__ import annotations

import heapq

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Ints = NDArray[np.int32]
Bools = NDArray[np.bool_]

NONE = -(2**62)
CLOSE = 1e-9  # of the budget: costs that add up to it in floating point still keep it


@njit(cache=True, nogil=True)
def value_of(ptr: Whole, idx: Ints, offset: Whole, worth: Whole, chosen: Whole) -> int:
    """Value of a plan: what its views add up to, and its offsets."""
    layers = worth.shape[1] - 1
    views = np.zeros(len(worth), dtype=np.int32)
    total = 0
    for column in chosen:
        total += offset[column]
        for k in range(ptr[column], ptr[column + 1]):
            j = idx[k]
            if views[j] < layers:
                total += worth[j, views[j]]
                views[j] += 1
    return total


@njit(cache=True, nogil=True)
def gains(ptr: Whole, idx: Ints, offset: Whole, worth: Whole, views: Ints) -> Whole:
    """What each column (m,) would add to targets that have `views` (n,) views already."""
    layers = worth.shape[1] - 1
    out = np.empty(len(ptr) - 1, dtype=np.int64)
    for column in range(len(out)):
        total = offset[column]
        for k in range(ptr[column], ptr[column + 1]):
            total += worth[idx[k], min(views[idx[k]], layers)]
        out[column] = total
    return out


@njit(cache=True, nogil=True)
def lazy_greedy(
    ptr: Whole,
    idx: Ints,
    site: Ints,
    cost: Floats,
    offset: Whole,
    worth: Whole,
    capacity: Ints,
    budget: float,
    first: Whole,
    by_cost: bool,
    weight: Floats,
) -> Whole:
    """Take the column that adds most (`by_cost`: per cost) until the budget is spent.

    Parameters
    ----------
    capacity : (sites,) int32
    first : (f,) int64
        Taken before all others.
    weight : (m,) float64
        Factor of the gain in the order of choice (1: plain greedy); the value counts as it is.

    Returns
    -------
    chosen : (c,) int64
    """
    layers = worth.shape[1] - 1
    views = np.zeros(len(worth), dtype=np.int32)
    room = capacity.copy()
    taken = np.zeros(len(ptr) - 1, dtype=np.bool_)
    chosen = np.empty(len(ptr) - 1, dtype=np.int64)
    count = 0
    left = budget * (1.0 + CLOSE)
    for column in first:
        taken[column] = True
        chosen[count] = column
        count += 1
        left -= cost[column]
        room[site[column]] -= 1
        for k in range(ptr[column], ptr[column + 1]):
            views[idx[k]] += 1
    added = gains(ptr, idx, offset, worth, views)
    heap = [(0.0, np.int64(0))]
    heap.pop()
    for column in range(len(added)):
        if added[column] > 0 and not taken[column] and cost[column] <= left:
            score = added[column] * weight[column]
            heap.append((-score / max(cost[column], 1e-12) if by_cost else -score, np.int64(column)))
    heapq.heapify(heap)
    while len(heap) > 0:
        score, column = heap[0]
        if cost[column] > left or room[site[column]] <= 0:
            heapq.heappop(heap)
            continue
        gain = offset[column]
        for k in range(ptr[column], ptr[column + 1]):
            gain += worth[idx[k], min(views[idx[k]], layers)]
        if gain <= 0:
            heapq.heappop(heap)
            continue
        now = -gain * weight[column]
        if by_cost:
            now /= max(cost[column], 1e-12)
        if now > score:
            heapq.heapreplace(heap, (now, column))
            continue
        heapq.heappop(heap)
        chosen[count] = column
        count += 1
        left -= cost[column]
        room[site[column]] -= 1
        for k in range(ptr[column], ptr[column + 1]):
            views[idx[k]] += 1
    return chosen[:count].copy()


@njit(cache=True, nogil=True)
def add(
    column: int, ptr: Whole, idx: Ints, row_ptr: Whole, row_idx: Ints, worth: Whole, views: Ints, gain: Whole
) -> None:
    """Give the targets of a column one view more, and every column its new gain."""
    layers = worth.shape[1] - 1
    for k in range(ptr[column], ptr[column + 1]):
        j = idx[k]
        less = worth[j, min(views[j], layers)] - worth[j, min(views[j] + 1, layers)]
        views[j] += 1
        if less != 0:
            for q in range(row_ptr[j], row_ptr[j + 1]):
                gain[row_idx[q]] -= less


@njit(cache=True, nogil=True)
def remove(
    column: int, ptr: Whole, idx: Ints, row_ptr: Whole, row_idx: Ints, worth: Whole, views: Ints, gain: Whole
) -> None:
    """Take one view from the targets of a column, and give every column its new gain."""
    layers = worth.shape[1] - 1
    for k in range(ptr[column], ptr[column + 1]):
        j = idx[k]
        more = worth[j, min(views[j] - 1, layers)] - worth[j, min(views[j], layers)]
        views[j] -= 1
        if more != 0:
            for q in range(row_ptr[j], row_ptr[j + 1]):
                gain[row_idx[q]] += more


@njit(cache=True, nogil=True)
def _best_exchange(
    ptr: Whole, idx: Ints, row_ptr: Whole, row_idx: Ints, site: Ints, cost: Floats, offset: Whole, worth: Whole,
    chosen: Whole, locked: int, count: int, views: Ints, gain: Whole, free_at: Whole, clock: int, inside: Bools,
    room: Ints, left: float, needed: int, extra: Whole, touched: Whole,
) -> tuple[int, int, int]:  # fmt: skip
    """Change of value by the best exchange, the place in `chosen` that it frees and the column that comes (-1: none).

    `left` of the budget; a tabu column comes only for a change of more than `needed`. `extra` (m,) of zeros and
    `touched` (m,) are room to work in; the zeros are zeros again at the end.
    """
    layers = worth.shape[1] - 1
    best, best_out, best_in = NONE, -1, -1
    for c in range(locked, count):
        out = chosen[c]
        loss = offset[out]
        n_touched = 0
        for k in range(ptr[out], ptr[out + 1]):
            j = idx[k]
            loss += worth[j, min(views[j] - 1, layers)]
            more = worth[j, min(views[j] - 1, layers)] - worth[j, min(views[j], layers)]
            if more != 0:
                for q in range(row_ptr[j], row_ptr[j + 1]):
                    i = row_idx[q]
                    if extra[i] == 0:
                        touched[n_touched] = i
                        n_touched += 1
                    extra[i] += more
        free = left + cost[out]
        for i in range(len(ptr) - 1):
            total = gain[i] + extra[i] - loss
            if total <= best or inside[i] or cost[i] > free:
                continue
            if room[site[i]] + (1 if site[i] == site[out] else 0) <= 0:
                continue
            if free_at[i] > clock and total <= needed:
                continue
            best, best_out, best_in = total, c, i
        for k in range(n_touched):
            extra[touched[k]] = 0
    return best, best_out, best_in


@njit(cache=True, nogil=True)
def _best_addition(site: Ints, cost: Floats, gain: Whole, inside: Bools, room: Ints, left: float) -> int:
    """The column that adds most for its cost of those that what is `left` of the budget still bears, -1 for none."""
    fill, score = -1, 0.0
    for i in range(len(gain)):
        if gain[i] > 0 and not inside[i] and cost[i] <= left and room[site[i]] > 0:
            worthwhile = gain[i] / max(cost[i], 1e-12)
            if worthwhile > score:
                fill, score = i, worthwhile
    return fill


@njit(cache=True, nogil=True)
def exchanges(
    ptr: Whole, idx: Ints, row_ptr: Whole, row_idx: Ints, site: Ints, cost: Floats, offset: Whole, worth: Whole,
    capacity: Ints, budget: float, moves: int, clock: int, chosen: Whole, count: int, views: Ints, gain: Whole,
    free_at: Whole, tenure: int, locked: int, wanted: int,
) -> tuple[int, int, int]:  # fmt: skip
    """A number of best 1-exchanges with a tabu list; the state given is changed in place.

    Parameters
    ----------
    chosen : (m,) int64, with the plan in its first `count`
        The first `locked` of them are never taken out.
    views : (n,) int32
        Views of each target by the plan.
    gain : (m,) int64
        What each column would add to the plan now.
    free_at : (m,) int64
        Until which move a column may not come back.
    wanted : int
        The best value so far less that of the plan given. The search stops at once where it is passed, so that the
        caller can keep the plan; a tabu column may come back for that.

    Returns
    -------
    change : int
        Value of the plan now less its value at the start.
    count, clock : int
    """
    m = len(ptr) - 1
    extra = np.zeros(m, dtype=np.int64)
    touched = np.empty(m, dtype=np.int64)
    inside = np.zeros(m, dtype=np.bool_)
    room = capacity.copy()
    spent = 0.0
    for c in range(count):
        inside[chosen[c]] = True
        room[site[chosen[c]]] -= 1
        spent += cost[chosen[c]]
    limit = budget * (1.0 + CLOSE)
    change = 0
    for _ in range(moves):
        clock += 1
        best, best_out, best_in = _best_exchange(
            ptr, idx, row_ptr, row_idx, site, cost, offset, worth, chosen, locked, count, views, gain, free_at, clock,
            inside, room, limit - spent, wanted - change, extra, touched,
        )  # fmt: skip
        if best_in < 0:
            break
        out = chosen[best_out]
        remove(out, ptr, idx, row_ptr, row_idx, worth, views, gain)
        add(best_in, ptr, idx, row_ptr, row_idx, worth, views, gain)
        inside[out] = False
        inside[best_in] = True
        room[site[out]] += 1
        room[site[best_in]] -= 1
        spent += cost[best_in] - cost[out]
        free_at[out] = clock + tenure
        chosen[best_out] = best_in
        change += best
        fill = _best_addition(site, cost, gain, inside, room, limit - spent)
        while fill >= 0:
            change += gain[fill]
            add(fill, ptr, idx, row_ptr, row_idx, worth, views, gain)
            inside[fill] = True
            room[site[fill]] -= 1
            spent += cost[fill]
            chosen[count] = fill
            count += 1
            fill = _best_addition(site, cost, gain, inside, room, limit - spent)
        if change > wanted:
            break
    return change, count, clock
