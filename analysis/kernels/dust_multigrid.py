"""Approximate inverse of the first-order part: incomplete factors (DILU) in slabs, and sums over blocks of cells.

Import this module inside functions: it loads Numba. Arrays as in `dust_transport`. Slabs of rows are independent of
each other whatever the number of threads, so the bits do not depend on it.

In a row each cell waits for the one before it. Row j of plane k, row j - 1 of plane k + 1 and so on do not wait for
each other: four of them are done at the same time, which changes no bit.

Barrett, R. and others (1994), Templates for the Solution of Linear Systems, SIAM, 3.4.3 (D-ILU).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from analysis.kernels import wind_vectors  # noqa: F401  must come before the first compilation
from analysis.kernels.dust_transport import Upwind, lack

Field = NDArray[Any]
Row = NDArray[Any]
Bools = NDArray[np.bool_]

SLAB_ROWS = 32  # as few iterations as with 64, and work for twice as many threads; with 16 some need one more
FIRST = 2  # slabs are counted from here, as rows are after the ghosts
ABREAST = 4  # rows at the same time
ORDERED = {"contract", "nnan", "ninf", "nsz"}  # what a cell waits for is added last


@njit(cache=True, nogil=True, error_model="numpy")
def factorise(low: int, high: int, equations: Upwind, air: Field, inverse: Field) -> None:
    """Inverse pivots of slabs low to high, 0 where `air` is not; the transposed equations have the same."""
    el, eh, nl, nh, ul, uh, dg = equations
    one, none = inverse.dtype.type(1), inverse.dtype.type(0)
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
                    inverse[k, j, i] = one / pivot if pivot > 0 else none


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def forward(low: int, high: int, equations: Upwind, inverse: Field, right: Field, out: Field) -> None:
    """Forward substitution in slabs low to high."""
    for slab in range(low, high):
        first = 2 + (slab - FIRST) * SLAB_ROWS
        last = min(first + SLAB_ROWS, right.shape[1] - 2) - 1
        for k in range(2, right.shape[0] - 2, ABREAST):
            planes = min(ABREAST, right.shape[0] - 2 - k)
            for diagonal in range(first, last + planes):
                for m in range(planes):
                    if first <= diagonal - m <= last:
                        row = right[k + m, diagonal - m][2:]
                        _from_before(k + m, diagonal - m, first, equations, inverse, row, out)
                _chains(k, diagonal, planes, first, last, equations[0], inverse, out)


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def forward_of_lack(low: int, high: int, equations: Upwind, inverse: Field, right: Field, x: Field, out: Field) -> None:
    """Forward substitution for what the first-order part times x lacks of the right side, in slabs low to high."""
    row = np.empty(right.shape[2] - 4, right.dtype)
    for slab in range(low, high):
        first = 2 + (slab - FIRST) * SLAB_ROWS
        last = min(first + SLAB_ROWS, right.shape[1] - 2) - 1
        for k in range(2, right.shape[0] - 2, ABREAST):
            planes = min(ABREAST, right.shape[0] - 2 - k)
            for diagonal in range(first, last + planes):
                for m in range(planes):
                    if first <= diagonal - m <= last:
                        lack(k + m, diagonal - m, equations, right, x, row)
                        _from_before(k + m, diagonal - m, first, equations, inverse, row, out)
                _chains(k, diagonal, planes, first, last, equations[0], inverse, out)


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def _from_before(k: int, j: int, first: int, equations: Upwind, inverse: Field, right: Row, out: Field) -> None:
    """A row of the forward substitution but for what comes from the row itself."""
    ul, nl, pivot = equations[4][k, j][2:], equations[2][k, j][2:], inverse[k, j][2:]
    here, below, south = out[k, j][2:], out[k - 1, j][2:], out[k, j - 1][2:]
    if j > first:
        for i in range(len(right)):
            here[i] = pivot[i] * (right[i] + ul[i] * below[i] + nl[i] * south[i])
    else:
        for i in range(len(right)):
            here[i] = pivot[i] * (right[i] + ul[i] * below[i])


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def _chains(
    k: int, diagonal: int, planes: int, first: int, last: int, carried: Field, inverse: Field, out: Field
) -> None:
    """Add what comes from the row itself, in the rows of one diagonal."""
    if planes == ABREAST and first <= diagonal - 3 and diagonal <= last:
        _four(
            (carried[k, diagonal], carried[k + 1, diagonal - 1], carried[k + 2, diagonal - 2],
             carried[k + 3, diagonal - 3]),
            (inverse[k, diagonal], inverse[k + 1, diagonal - 1], inverse[k + 2, diagonal - 2],
             inverse[k + 3, diagonal - 3]),
            (out[k, diagonal], out[k + 1, diagonal - 1], out[k + 2, diagonal - 2], out[k + 3, diagonal - 3]),
        )  # fmt: skip
        return
    for m in range(planes):
        if first <= diagonal - m <= last:
            _one(carried[k + m, diagonal - m], inverse[k + m, diagonal - m], out[k + m, diagonal - m])


@njit(cache=True, nogil=True, fastmath=ORDERED, error_model="numpy")
def _one(carried: Row, pivot: Row, out: Row) -> None:
    value = out.dtype.type(0)
    e, p, y = carried[2:], pivot[2:], out[2:]
    for i in range(len(out) - 4):
        value = y[i] + (p[i] * e[i]) * value
        y[i] = value


Rows = tuple[Row, Row, Row, Row]


@njit(cache=True, nogil=True, fastmath=ORDERED, error_model="numpy")
def _four(carried: Rows, pivot: Rows, out: Rows) -> None:
    """As `_one` in four rows."""
    zero = out[0].dtype.type(0)
    v0, v1, v2, v3 = zero, zero, zero, zero
    e0, e1, e2, e3 = carried[0][2:], carried[1][2:], carried[2][2:], carried[3][2:]
    p0, p1, p2, p3 = pivot[0][2:], pivot[1][2:], pivot[2][2:], pivot[3][2:]
    y0, y1, y2, y3 = out[0][2:], out[1][2:], out[2][2:], out[3][2:]
    for i in range(len(out[0]) - 4):
        v0 = y0[i] + (p0[i] * e0[i]) * v0
        v1 = y1[i] + (p1[i] * e1[i]) * v1
        v2 = y2[i] + (p2[i] * e2[i]) * v2
        v3 = y3[i] + (p3[i] * e3[i]) * v3
        y0[i], y1[i], y2[i], y3[i] = v0, v1, v2, v3


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def backward(low: int, high: int, equations: Upwind, inverse: Field, out: Field, x: Field, add: bool) -> None:
    """Backward substitution in slabs low to high; if `add`, what comes out is added to x."""
    for slab in range(low, high):
        first = 2 + (slab - FIRST) * SLAB_ROWS
        last = min(first + SLAB_ROWS, out.shape[1] - 2) - 1
        for k in range(out.shape[0] - 3, 1, -ABREAST):
            planes = min(ABREAST, k - 1)
            for diagonal in range(last, first - planes, -1):
                for m in range(planes):
                    if first <= diagonal + m <= last:
                        _from_after(k - m, diagonal + m, last, equations, inverse, out)
                _chains_back(k, diagonal, planes, first, last, equations[1], inverse, out)
                if add:
                    for m in range(planes):
                        if first <= diagonal + m <= last:
                            _add(out[k - m, diagonal + m], x[k - m, diagonal + m])


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def _from_after(k: int, j: int, last: int, equations: Upwind, inverse: Field, out: Field) -> None:
    """A row of the backward substitution but for what comes from the row itself."""
    uh, nh, pivot = equations[5][k + 1, j][2:], equations[3][k, j + 1][2:], inverse[k, j][2:]
    here, above, north = out[k, j][2:], out[k + 1, j][2:], out[k, j + 1][2:]
    if j < last:
        for i in range(out.shape[2] - 4):
            here[i] += pivot[i] * (uh[i] * above[i] + nh[i] * north[i])
    else:
        for i in range(out.shape[2] - 4):
            here[i] += pivot[i] * (uh[i] * above[i])


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def _chains_back(
    k: int, diagonal: int, planes: int, first: int, last: int, carried: Field, inverse: Field, out: Field
) -> None:
    """Add what comes from the row itself, backward, in the rows of one diagonal."""
    if planes == ABREAST and diagonal + 3 <= last and first <= diagonal:
        _four_back(
            (carried[k, diagonal], carried[k - 1, diagonal + 1], carried[k - 2, diagonal + 2],
             carried[k - 3, diagonal + 3]),
            (inverse[k, diagonal], inverse[k - 1, diagonal + 1], inverse[k - 2, diagonal + 2],
             inverse[k - 3, diagonal + 3]),
            (out[k, diagonal], out[k - 1, diagonal + 1], out[k - 2, diagonal + 2], out[k - 3, diagonal + 3]),
        )  # fmt: skip
        return
    for m in range(planes):
        if first <= diagonal + m <= last:
            _one_back(carried[k - m, diagonal + m], inverse[k - m, diagonal + m], out[k - m, diagonal + m])


@njit(cache=True, nogil=True, fastmath=ORDERED, error_model="numpy")
def _one_back(carried: Row, pivot: Row, out: Row) -> None:
    value = out.dtype.type(0)
    e, p, y = carried[3:], pivot[2:], out[2:]
    for i in range(len(out) - 5, -1, -1):
        value = y[i] + (p[i] * e[i]) * value
        y[i] = value


@njit(cache=True, nogil=True, fastmath=ORDERED, error_model="numpy")
def _four_back(carried: Rows, pivot: Rows, out: Rows) -> None:
    """As `_one_back` in four rows."""
    zero = out[0].dtype.type(0)
    v0, v1, v2, v3 = zero, zero, zero, zero
    e0, e1, e2, e3 = carried[0][3:], carried[1][3:], carried[2][3:], carried[3][3:]
    p0, p1, p2, p3 = pivot[0][2:], pivot[1][2:], pivot[2][2:], pivot[3][2:]
    y0, y1, y2, y3 = out[0][2:], out[1][2:], out[2][2:], out[3][2:]
    for i in range(len(out[0]) - 5, -1, -1):
        v0 = y0[i] + (p0[i] * e0[i]) * v0
        v1 = y1[i] + (p1[i] * e1[i]) * v1
        v2 = y2[i] + (p2[i] * e2[i]) * v2
        v3 = y3[i] + (p3[i] * e3[i]) * v3
        y0[i], y1[i], y2[i], y3[i] = v0, v1, v2, v3


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def _add(a: Row, out: Row) -> None:
    for i in range(2, len(out) - 2):
        out[i] += a[i]


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def gather_lack(low: int, high: int, equations: Upwind, right: Field, x: Field, coarse: Field) -> None:
    """Sum what the children of every coarse cell lack, coarse rows low to high; solids lack nothing."""
    nz, ny, nx = x.shape[0] - 4, x.shape[1] - 4, x.shape[2] - 4
    row, total = np.empty(nx, x.dtype), np.empty(nx + 1, x.dtype)
    for k in range(2, coarse.shape[0] - 2):
        for j in range(low, high):
            total[:] = 0
            for kk in range(2 * k - 2, min(2 * k, nz + 2)):
                for jj in range(2 * j - 2, min(2 * j, ny + 2)):
                    lack(kk, jj, equations, right, x, row)
                    for i in range(nx):
                        total[i] += row[i]
            out = coarse[k, j][2:]
            for i in range((nx + 1) // 2):
                out[i] = total[2 * i] + total[2 * i + 1]


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def spread(low: int, high: int, coarse: Field, air: Bools, fine: Field) -> None:
    """Add the value of each coarse cell to its children that are air, coarse rows low to high."""
    nz, ny, nx = fine.shape[0] - 4, fine.shape[1] - 4, fine.shape[2] - 4
    row, zero = np.empty(nx + 1, fine.dtype), fine.dtype.type(0)
    for k in range(2, coarse.shape[0] - 2):
        for j in range(low, high):
            value = coarse[k, j][2:]
            for i in range((nx + 1) // 2):
                row[2 * i], row[2 * i + 1] = value[i], value[i]
            for kk in range(2 * k - 2, min(2 * k, nz + 2)):
                for jj in range(2 * j - 2, min(2 * j, ny + 2)):
                    out, here = fine[kk, jj][2:], air[kk, jj][2:]
                    for i in range(nx):
                        out[i] += row[i] if here[i] else zero
