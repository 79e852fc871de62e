"""Loops of the dual of maximum coverage: products with the columns, one step of PDHG, best columns of each site.

Import this module inside functions: it loads Numba. The kernels release the interpreter lock.

References
----------
A. Chambolle, T. Pock: A first-order primal-dual algorithm for convex problems with applications to imaging. Journal of
Mathematical Imaging and Vision 40, 2011. doi:10.1007/s10851-010-0251-1 (preconditioned: doi:10.1109/ICCV.2011.6126441)
D. Applegate et al.: Practical large-scale linear programming using primal-dual hybrid gradient. NeurIPS, 2021.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Ints = NDArray[np.int32]


@njit(cache=True, nogil=True, fastmath=False)
def gather(ptr: Whole, idx: Ints, prices: Floats, start: int, stop: int, out: Floats) -> None:
    """Sum of the prices of what each column ``start..stop`` sees, written to `out` (m,)."""
    for column in range(start, stop):
        total = 0.0
        for k in range(ptr[column], ptr[column + 1]):
            total += prices[idx[k]]
        out[column] = total


@njit(cache=True, nogil=True)
def gather_whole(ptr: Whole, idx: Ints, prices: Whole, start: int, stop: int, out: Whole) -> None:
    """The same in whole numbers."""
    for column in range(start, stop):
        total = 0
        for k in range(ptr[column], ptr[column + 1]):
            total += prices[idx[k]]
        out[column] = total


@njit(cache=True, nogil=True)
def spread(ptr: Whole, idx: Ints, share: Floats, out: Floats) -> None:
    """Views of each target, written to `out` (n,), when `share` (m,) of each column is taken."""
    out[:] = 0.0
    for column in range(len(share)):
        taken = share[column]
        if taken != 0.0:
            for k in range(ptr[column], ptr[column + 1]):
                out[idx[k]] += taken


@njit(cache=True, nogil=True)
def step_prices(prices: Floats, views: Floats, size: Floats, worth: Whole, omega: float, ahead: Floats) -> None:
    """One proximal step of the prices (n,), in place; `ahead` (n,) receives twice the new less the old.

    The price of a target falls where it has more views than pay and rises where it has less; between two layers of
    `worth` it stays on the edge.
    """
    layers = worth.shape[1] - 1
    for j in range(len(prices)):
        length = omega * size[j]
        base = prices[j] - length * views[j]
        new = 0.0
        for paid in range(layers + 1):  # this many layers are worth more than the new price
            candidate = base + length * paid
            upper = 4.0e18 if paid == 0 else float(worth[j, paid - 1])
            lower = float(worth[j, paid])
            if candidate >= upper:  # between `paid - 1` and `paid` layers: on the edge
                new = upper
                break
            if candidate >= lower:
                new = candidate
                break
        first = float(worth[j, 0])
        new = min(max(new, 0.0), first)
        ahead[j] = 2.0 * new - prices[j]
        prices[j] = new


@njit(cache=True, nogil=True)
def step_shares(
    share: Floats,
    profit: Floats,
    weight: Floats,
    cost: Floats,
    budget: float,
    omega: float,
    work: Floats,
) -> None:
    """One projected step of the shares (m,), in place: towards their profit, between 0 and 1, within the budget."""
    spent = 0.0
    count = 0
    steepest = 0.0
    for i in range(len(share)):
        value = share[i] + profit[i] / (omega * weight[i])
        work[i] = value
        if value > 0.0:
            spent += cost[i] * min(value, 1.0)
            count += 1
            if cost[i] > 0.0:
                steepest = max(steepest, value * weight[i] / cost[i])
    theta = 0.0
    if spent > budget:
        active = np.empty(count, dtype=np.int64)
        count = 0
        for i in range(len(share)):
            if work[i] > 0.0:
                active[count] = i
                count += 1
        low, high = 0.0, steepest
        for _ in range(60):
            theta = 0.5 * (low + high)
            spent = 0.0
            for k in range(count):
                i = active[k]
                value = work[i] - theta * cost[i] / weight[i]
                if value > 0.0:
                    spent += cost[i] * min(value, 1.0)
            if spent > budget:
                low = theta
            else:
                high = theta
            if high - low <= 1e-12 * steepest:
                break
        theta = high
    for i in range(len(share)):
        share[i] = min(max(work[i] - theta * cost[i] / weight[i], 0.0), 1.0)


@njit(cache=True, nogil=True)
def best_of_sites(profit: Whole, order: Whole, starts: Whole, room: Ints, out: Whole, column: Whole) -> int:
    """The most profitable columns of every site, as many as it has room for, and only those with a profit.

    Parameters
    ----------
    order, starts : (m,), (s + 1,) int64
        Columns site by site.
    room : (s,) int32
    out, column : (m,) int64
        Receive profits and columns.

    Returns
    -------
    count : int
    """
    count = 0
    for s in range(len(starts) - 1):
        begin = count
        for q in range(starts[s], starts[s + 1]):
            i = order[q]
            value = profit[i]
            if value <= 0:
                continue
            if count - begin < room[s]:
                place = count
                count += 1
            elif room[s] > 0 and value > out[count - 1]:
                place = count - 1
            else:
                continue
            while place > begin and out[place - 1] < value:
                out[place] = out[place - 1]
                column[place] = column[place - 1]
                place -= 1
            out[place] = value
            column[place] = i
    return count
