"""Carrying and mixing by a frozen wind: the equations of the cells, second order, and their transpose.

Import this module inside functions: it loads Numba. Arrays ``[z, y, x]`` with two ghost cells on every side; values of
faces stand at the cell after the face. The linear scheme of Fromm is first-order upwind plus a correction per face;
being linear it has an exact transpose, which limited schemes have not.

Fromm, J. E. (1968), Journal of Computational Physics 3, 176-189.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from analysis.kernels import wind_vectors  # noqa: F401  must come before the first compilation

Field = NDArray[Any]  # (nz + 4, ny + 4, nx + 4) float32 or float64
Floats = NDArray[np.float64]


class Upwind(NamedTuple):
    """First-order part [m3/s]: what each low face carries up (`east_lo` ...) and down its axis, and the diagonal."""

    east_lo: Field
    east_hi: Field
    north_lo: Field
    north_hi: Field
    up_lo: Field
    up_hi: Field
    diagonal: Field


class Weights(NamedTuple):
    """Weights of the correction along one axis by the cell after the face: of the steps across it and before it."""

    across_up: Field
    before_up: Field
    across_down: Field
    before_down: Field


class Fromm(NamedTuple):
    """Fluxes of the faces that are corrected [m3/s], 0 where they are not, with the weights of the axes."""

    east: Field
    north: Field
    up: Field
    along_x: Weights
    along_y: Weights
    along_z: Weights


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def carry(low: int, high: int, equations: Upwind, x: Field, out: Field) -> None:
    """First-order part times x, rows low to high."""
    el, eh, nl, nh, ul, uh, dg = equations
    for k in range(2, x.shape[0] - 2):
        for j in range(low, high):
            for i in range(2, x.shape[2] - 2):
                total = dg[k, j, i] * x[k, j, i]
                total -= el[k, j, i] * x[k, j, i - 1] + eh[k, j, i + 1] * x[k, j, i + 1]
                total -= nl[k, j, i] * x[k, j - 1, i] + nh[k, j + 1, i] * x[k, j + 1, i]
                total -= ul[k, j, i] * x[k - 1, j, i] + uh[k + 1, j, i] * x[k + 1, j, i]
                out[k, j, i] = total


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def lack(low: int, high: int, equations: Upwind, right: Field, x: Field, out: Field) -> None:
    """What the first-order part times x lacks of the right side, rows low to high."""
    el, eh, nl, nh, ul, uh, dg = equations
    for k in range(2, x.shape[0] - 2):
        for j in range(low, high):
            for i in range(2, x.shape[2] - 2):
                total = dg[k, j, i] * x[k, j, i]
                total -= el[k, j, i] * x[k, j, i - 1] + eh[k, j, i + 1] * x[k, j, i + 1]
                total -= nl[k, j, i] * x[k, j - 1, i] + nh[k, j + 1, i] * x[k, j + 1, i]
                total -= ul[k, j, i] * x[k - 1, j, i] + uh[k + 1, j, i] * x[k + 1, j, i]
                out[k, j, i] = right[k, j, i] - total


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy", inline="always")
def _more(flux: float, far: float, low: float, high: float, beyond: float, up: float, before_up: float, down: float,
          before_down: float) -> float:  # fmt: skip
    """Correction of the flow through a face with two cells on either side."""
    forth: float = max(flux, 0) * (up * (high - low) + before_up * (low - far))
    back: float = min(flux, 0) * (down * (low - high) + before_down * (high - beyond))
    return forth + back


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def correct(low: int, high: int, fromm: Fromm, x: Field, out: Field) -> None:
    """Add the second-order correction times x, rows low to high."""
    e, n, u, (xa, xb, xc, xd), (ya, yb, yc, yd), (za, zb, zc, zd) = fromm
    for k in range(2, x.shape[0] - 2):
        for j in range(low, high):
            for i in range(2, x.shape[2] - 2):
                here, west, east = x[k, j, i], x[k, j, i - 1], x[k, j, i + 1]
                south, north, below, above = x[k, j - 1, i], x[k, j + 1, i], x[k - 1, j, i], x[k + 1, j, i]
                total = _more(e[k, j, i + 1], west, here, east, x[k, j, i + 2],
                              xa[i + 1], xb[i + 1], xc[i + 1], xd[i + 1])  # fmt: skip
                total -= _more(e[k, j, i], x[k, j, i - 2], west, here, east, xa[i], xb[i], xc[i], xd[i])
                total += _more(n[k, j + 1, i], south, here, north, x[k, j + 2, i],
                               ya[j + 1], yb[j + 1], yc[j + 1], yd[j + 1])  # fmt: skip
                total -= _more(n[k, j, i], x[k, j - 2, i], south, here, north, ya[j], yb[j], yc[j], yd[j])
                total += _more(u[k + 1, j, i], below, here, above, x[k + 2, j, i],
                               za[k + 1], zb[k + 1], zc[k + 1], zd[k + 1])  # fmt: skip
                total -= _more(u[k, j, i], x[k - 2, j, i], below, here, above, za[k], zb[k], zc[k], zd[k])
                out[k, j, i] += total


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy", inline="always")
def _back(f0: float, f1: float, f2: float, f3: float, far: float, low: float, here: float, high: float, beyond: float,
          at: int, across_up: Field, before_up: Field, across_down: Field, before_down: Field) -> float:  # fmt: skip
    """What a cell gets by the transposed correction from four faces, the low ones of cells at - 1 ... at + 2.

    It is the cell downwind of its own near faces, the one upwind of them, and the second upwind of the far faces.
    """
    total: float = max(f1, 0) * (low - here) * across_up[at]
    total += min(f1, 0) * (low - here) * (before_down[at] - across_down[at])
    total += max(f2, 0) * (here - high) * (before_up[at + 1] - across_up[at + 1])
    total += min(f2, 0) * (here - high) * across_down[at + 1]
    total -= max(f3, 0) * (high - beyond) * before_up[at + 2] + min(f0, 0) * (far - low) * before_down[at - 1]
    return total


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def correct_back(low: int, high: int, fromm: Fromm, x: Field, out: Field) -> None:
    """Add the transposed second-order correction times x, rows low to high."""
    e, n, u, (xa, xb, xc, xd), (ya, yb, yc, yd), (za, zb, zc, zd) = fromm
    for k in range(2, x.shape[0] - 2):
        for j in range(low, high):
            for i in range(2, x.shape[2] - 2):
                here = x[k, j, i]
                total = _back(e[k, j, i - 1], e[k, j, i], e[k, j, i + 1], e[k, j, i + 2], x[k, j, i - 2],
                              x[k, j, i - 1], here, x[k, j, i + 1], x[k, j, i + 2], i, xa, xb, xc, xd)  # fmt: skip
                total += _back(n[k, j - 1, i], n[k, j, i], n[k, j + 1, i], n[k, j + 2, i], x[k, j - 2, i],
                               x[k, j - 1, i], here, x[k, j + 1, i], x[k, j + 2, i], j, ya, yb, yc, yd)  # fmt: skip
                total += _back(u[k - 1, j, i], u[k, j, i], u[k + 1, j, i], u[k + 2, j, i], x[k - 2, j, i],
                               x[k - 1, j, i], here, x[k + 1, j, i], x[k + 2, j, i], k, za, zb, zc, zd)  # fmt: skip
                out[k, j, i] += total


@njit(cache=True, nogil=True, error_model="numpy")
def products(low: int, high: int, a: Field, b: Field, sums: Floats) -> None:
    """Sum of a times b over every row, in float64 and in a fixed order: the same bits for any number of threads."""
    for k in range(2, a.shape[0] - 2):
        for j in range(low, high):
            total = 0.0
            for i in range(2, a.shape[2] - 2):
                total += np.float64(a[k, j, i]) * np.float64(b[k, j, i])
            sums[k, j] = total


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def add(low: int, high: int, out: Field, times: float, a: Field) -> None:
    """``out += times a``, rows low to high."""
    for k in range(2, a.shape[0] - 2):
        for j in range(low, high):
            for i in range(2, a.shape[2] - 2):
                out[k, j, i] += times * a[k, j, i]


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def turn(low: int, high: int, p: Field, beta: float, omega: float, v: Field, r: Field) -> None:
    """``p = r + beta (p - omega v)``, rows low to high."""
    for k in range(2, p.shape[0] - 2):
        for j in range(low, high):
            for i in range(2, p.shape[2] - 2):
                p[k, j, i] = r[k, j, i] + beta * (p[k, j, i] - omega * v[k, j, i])
