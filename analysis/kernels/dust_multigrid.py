"""Approximate inverse of the first-order part: incomplete factors (DILU) in slabs, and sums over blocks of cells.

Import this module inside functions: it loads Numba. Arrays as in `dust_transport`. Slabs of rows are independent of
each other whatever the number of threads, so the bits do not depend on it.

Barrett, R. and others (1994), Templates for the Solution of Linear Systems, SIAM, 3.4.3 (D-ILU).
"""

from __future__ import annotations

from typing import Any

from numba import njit
from numpy.typing import NDArray

from analysis.kernels import wind_vectors  # noqa: F401  must come before the first compilation
from analysis.kernels.dust_transport import Upwind

Field = NDArray[Any]

SLAB_ROWS = 64
FIRST = 2  # slabs are counted from here, as rows are after the ghosts


@njit(cache=True, nogil=True, error_model="numpy")
def factorise(low: int, high: int, equations: Upwind, air: Field, inverse: Field) -> None:
    """Inverse pivots of slabs low to high, 0 where `air` is; the transposed equations have the same."""
    el, eh, nl, nh, ul, uh, dg = equations
    rows = dg.shape[1] - 2
    for slab in range(low, high):
        first = 2 + (slab - FIRST) * SLAB_ROWS
        for k in range(2, dg.shape[0] - 2):
            for j in range(first, min(first + SLAB_ROWS, rows)):
                for i in range(2, dg.shape[2] - 2):
                    if not air[k, j, i]:
                        continue
                    pivot = dg[k, j, i] - el[k, j, i] * eh[k, j, i] * inverse[k, j, i - 1]
                    pivot -= ul[k, j, i] * uh[k, j, i] * inverse[k - 1, j, i]
                    if j > first:
                        pivot -= nl[k, j, i] * nh[k, j, i] * inverse[k, j - 1, i]
                    inverse[k, j, i] = 1 / pivot if pivot > 0 else 0 * pivot


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def sweep(low: int, high: int, equations: Upwind, inverse: Field, right: Field, out: Field) -> None:
    """Forward and backward substitution in slabs low to high."""
    el, eh, nl, nh, ul, uh, _ = equations
    rows = right.shape[1] - 2
    for slab in range(low, high):
        first = 2 + (slab - FIRST) * SLAB_ROWS
        last = min(first + SLAB_ROWS, rows) - 1
        for k in range(2, right.shape[0] - 2):
            for j in range(first, last + 1):
                for i in range(2, right.shape[2] - 2):  # without the row itself: this loop vectorises
                    out[k, j, i] = right[k, j, i] + ul[k, j, i] * out[k - 1, j, i]
                if j > first:
                    for i in range(2, right.shape[2] - 2):
                        out[k, j, i] += nl[k, j, i] * out[k, j - 1, i]
                for i in range(2, right.shape[2] - 2):
                    out[k, j, i] = (out[k, j, i] + el[k, j, i] * out[k, j, i - 1]) * inverse[k, j, i]
        for k in range(right.shape[0] - 3, 1, -1):
            for j in range(last, first - 1, -1):
                for i in range(2, right.shape[2] - 2):
                    out[k, j, i] += inverse[k, j, i] * uh[k + 1, j, i] * out[k + 1, j, i]
                if j < last:
                    for i in range(2, right.shape[2] - 2):
                        out[k, j, i] += inverse[k, j, i] * nh[k, j + 1, i] * out[k, j + 1, i]
                for i in range(right.shape[2] - 3, 1, -1):
                    out[k, j, i] += inverse[k, j, i] * eh[k, j, i + 1] * out[k, j, i + 1]


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def gather(low: int, high: int, fine: Field, coarse: Field) -> None:
    """Sum the children of every coarse cell in coarse rows low to high; solids and ghosts hold 0."""
    for k in range(2, coarse.shape[0] - 2):
        for j in range(low, high):
            for i in range(2, coarse.shape[2] - 2):
                a, b, c = 2 * k - 2, 2 * j - 2, 2 * i - 2  # an odd last cell has a ghost for a partner
                coarse[k, j, i] = (
                    fine[a, b, c] + fine[a, b, c + 1] + fine[a, b + 1, c] + fine[a, b + 1, c + 1]
                    + fine[a + 1, b, c] + fine[a + 1, b, c + 1] + fine[a + 1, b + 1, c] + fine[a + 1, b + 1, c + 1]
                )  # fmt: skip


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def spread(low: int, high: int, coarse: Field, air: Field, fine: Field) -> None:
    """Add the value of each coarse cell to its children that are air, fine rows low to high."""
    for k in range(2, fine.shape[0] - 2):
        for j in range(low, high):
            for i in range(2, fine.shape[2] - 2):
                if air[k, j, i]:
                    fine[k, j, i] += coarse[k // 2 + 1, j // 2 + 1, i // 2 + 1]
