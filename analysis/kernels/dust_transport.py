"""Carrying and mixing by a frozen wind: the equations of the cells, second order, and their transpose.

Import this module inside functions: it loads Numba. Arrays ``[z, y, x]`` with two ghost cells on every side; values of
faces stand at the cell after the face. The linear scheme of Fromm is first-order upwind plus a correction per face;
being linear it has an exact transpose, which limited schemes have not.

Rows are taken in strips: the five planes a strip looks at stay in the cache. Sums are made row by row in float64: they
have the same bits for any number of threads.

Fromm, J. E. (1968), Journal of Computational Physics 3, 176-189.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from analysis.kernels import wind_vectors  # noqa: F401  must come before the first compilation

Field = NDArray[Any]  # (nz + 4, ny + 4, nx + 4) float32 or float64
Row = NDArray[Any]
Floats = NDArray[np.float64]

STRIP = 16  # rows


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

    across_up: Row
    before_up: Row
    across_down: Row
    before_down: Row


class Fromm(NamedTuple):
    """Fluxes of the faces that are corrected [m3/s], 0 where they are not, with the weights of the axes."""

    east: Field
    north: Field
    up: Field
    along_x: Weights
    along_y: Weights
    along_z: Weights


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def times(
    low: int, high: int, equations: Upwind, fromm: Fromm, back: bool, x: Field, out: Field, other: Field, sums: Floats
) -> None:
    """The equations times x, transposed if `back`, rows low to high; and of each row ``out . other``, ``out . out``.

    The first-order part is given transposed where it shall be; sums: (2, nz + 4, ny + 4).
    """
    for start in range(low, high, STRIP):
        for k in range(2, x.shape[0] - 2):
            for j in range(start, min(start + STRIP, high)):
                row = out[k, j][2:]
                _carry(k, j, equations, x, row)
                if back:
                    _correct_back(k, j, fromm, x, row)
                else:
                    _correct(k, j, fromm, x, row)
                _tell(k, j, out, other, sums)


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def _carry(k: int, j: int, equations: Upwind, x: Field, out: Row) -> None:
    """First-order part times x in one row."""
    west, here, east = x[k, j][1:], x[k, j][2:], x[k, j][3:]
    south, north, below, above = x[k, j - 1][2:], x[k, j + 1][2:], x[k - 1, j][2:], x[k + 1, j][2:]
    el, eh, nl, nh = equations[0][k, j][2:], equations[1][k, j][3:], equations[2][k, j][2:], equations[3][k, j + 1][2:]
    ul, uh, dg = equations[4][k, j][2:], equations[5][k + 1, j][2:], equations[6][k, j][2:]
    for i in range(x.shape[2] - 4):
        come = el[i] * west[i] + eh[i] * east[i] + nl[i] * south[i] + nh[i] * north[i] + ul[i] * below[i]
        out[i] = dg[i] * here[i] - (come + uh[i] * above[i])


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def lack(k: int, j: int, equations: Upwind, right: Field, x: Field, out: Row) -> None:
    """What the first-order part times x lacks of the right side in one row; `out` begins with the first inner cell."""
    _carry(k, j, equations, x, out)
    want = right[k, j][2:]
    for i in range(x.shape[2] - 4):
        out[i] = want[i] - out[i]


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def _correct(k: int, j: int, fromm: Fromm, x: Field, out: Row) -> None:
    """Add the second-order correction times x in one row."""
    (e, n, u), y, z, here = fromm[:3], fromm[4], fromm[5], x[k, j]
    _along(e[k, j], here, fromm[3], out)
    _across(n[k, j], n[k, j + 1], x[k, j - 2], x[k, j - 1], here, x[k, j + 1], x[k, j + 2],
            _at(y, j), _at(y, j + 1), out)  # fmt: skip
    _across(u[k, j], u[k + 1, j], x[k - 2, j], x[k - 1, j], here, x[k + 1, j], x[k + 2, j],
            _at(z, k), _at(z, k + 1), out)  # fmt: skip


Four = tuple[float, float, float, float]


@njit(cache=True, nogil=True, error_model="numpy")
def _at(weights: Weights, face: int) -> Four:
    return weights[0][face], weights[1][face], weights[2][face], weights[3][face]


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def _across(f0: Row, f1: Row, far: Row, low: Row, here: Row, high: Row, beyond: Row, w0: Four, w1: Four,
            out: Row) -> None:  # fmt: skip
    """Across y or z: flow out through the high faces less flow in through the low ones, of the cells beside them."""
    a0, b0, c0, d0 = w0
    a1, b1, c1, d1 = w1
    zero = out.dtype.type(0)
    g0, g1, x0, x1, x2, x3, x4 = f0[2:], f1[2:], far[2:], low[2:], here[2:], high[2:], beyond[2:]
    for i in range(len(far) - 4):
        s0, s1, s2, s3 = x1[i] - x0[i], x2[i] - x1[i], x3[i] - x2[i], x4[i] - x3[i]
        leave = max(g1[i], zero) * (a1 * s2 + b1 * s1) - min(g1[i], zero) * (c1 * s2 + d1 * s3)
        enter = max(g0[i], zero) * (a0 * s1 + b0 * s0) - min(g0[i], zero) * (c0 * s1 + d0 * s2)
        out[i] += leave - enter


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def _along(flux: Row, x: Row, weights: Weights, out: Row) -> None:
    """Along x, as `_across`."""
    zero = out.dtype.type(0)
    g0, g1, x0, x1, x2, x3, x4 = flux[2:], flux[3:], x, x[1:], x[2:], x[3:], x[4:]
    a, b, c, d = weights
    a0, a1, b0, b1, c0, c1, d0, d1 = a[2:], a[3:], b[2:], b[3:], c[2:], c[3:], d[2:], d[3:]
    for i in range(len(x) - 4):
        s0, s1, s2, s3 = x1[i] - x0[i], x2[i] - x1[i], x3[i] - x2[i], x4[i] - x3[i]
        leave = max(g1[i], zero) * (a1[i] * s2 + b1[i] * s1) - min(g1[i], zero) * (c1[i] * s2 + d1[i] * s3)
        enter = max(g0[i], zero) * (a0[i] * s1 + b0[i] * s0) - min(g0[i], zero) * (c0[i] * s1 + d0[i] * s2)
        out[i] += leave - enter


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def _correct_back(k: int, j: int, fromm: Fromm, x: Field, out: Row) -> None:
    """Add the transposed second-order correction times x in one row."""
    (e, n, u), y, z, here = fromm[:3], fromm[4], fromm[5], x[k, j]
    _along_back(e[k, j], here, fromm[3], out)
    _across_back((n[k, j - 1], n[k, j], n[k, j + 1], n[k, j + 2]), x[k, j - 2], x[k, j - 1], here, x[k, j + 1],
                 x[k, j + 2], (y[1][j + 2], y[3][j - 1]), (y[0][j], y[2][j], y[3][j]),
                 (y[0][j + 1], y[1][j + 1], y[2][j + 1]), out)  # fmt: skip
    _across_back((u[k - 1, j], u[k, j], u[k + 1, j], u[k + 2, j]), x[k - 2, j], x[k - 1, j], here, x[k + 1, j],
                 x[k + 2, j], (z[1][k + 2], z[3][k - 1]), (z[0][k], z[2][k], z[3][k]),
                 (z[0][k + 1], z[1][k + 1], z[2][k + 1]), out)  # fmt: skip


Three = tuple[float, float, float]


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def _across_back(faces: tuple[Row, Row, Row, Row], far: Row, low: Row, here: Row, high: Row, beyond: Row,
                 ends: tuple[float, float], below: Three, above: Three, out: Row) -> None:  # fmt: skip
    """What cells get by the transposed correction from four faces, the low ones of the cells at - 1 ... at + 2.

    A cell is downwind of its own near faces, or the one upwind of them, or the second upwind of the far faces.
    """
    zero = out.dtype.type(0)
    up2, down0 = ends
    a1, c1, d1 = below
    a2, b2, c2 = above
    g0, g1, g2, g3 = faces[0][2:], faces[1][2:], faces[2][2:], faces[3][2:]
    x0, x1, x2, x3, x4 = far[2:], low[2:], here[2:], high[2:], beyond[2:]
    for i in range(len(far) - 4):
        near, next_ = x1[i] - x2[i], x2[i] - x3[i]
        total = near * (max(g1[i], zero) * a1 + min(g1[i], zero) * (d1 - c1))
        total += next_ * (max(g2[i], zero) * (b2 - a2) + min(g2[i], zero) * c2)
        out[i] += total - max(g3[i], zero) * (x3[i] - x4[i]) * up2 - min(g0[i], zero) * (x0[i] - x1[i]) * down0


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def _along_back(flux: Row, x: Row, weights: Weights, out: Row) -> None:
    """Along x, as `_across_back`."""
    zero = out.dtype.type(0)
    g0, g1, g2, g3, x0, x1, x2, x3, x4 = flux[1:], flux[2:], flux[3:], flux[4:], x, x[1:], x[2:], x[3:], x[4:]
    a, b, c, d = weights
    a1, a2, b2, b3, c1, c2, d0, d1 = a[2:], a[3:], b[3:], b[4:], c[2:], c[3:], d[1:], d[2:]
    for i in range(len(x) - 4):
        near, next_ = x1[i] - x2[i], x2[i] - x3[i]
        total = near * (max(g1[i], zero) * a1[i] + min(g1[i], zero) * (d1[i] - c1[i]))
        total += next_ * (max(g2[i], zero) * (b2[i] - a2[i]) + min(g2[i], zero) * c2[i])
        out[i] += total - max(g3[i], zero) * (x3[i] - x4[i]) * b3[i] - min(g0[i], zero) * (x0[i] - x1[i]) * d0[i]


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def _tell(k: int, j: int, a: Field, b: Field, sums: Floats) -> None:
    """Sums of a times b and of a times a over a row, in float64."""
    one, two = a[k, j][2:], b[k, j][2:]
    mixed, own = 0.0, 0.0
    for i in range(a.shape[2] - 4):
        value = np.float64(one[i])
        mixed += value * np.float64(two[i])
        own += value * value
    sums[0, k, j], sums[1, k, j] = mixed, own


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def square(low: int, high: int, a: Field, sums: Floats) -> None:
    """``a . a`` of each row, low to high, twice."""
    for k in range(2, a.shape[0] - 2):
        for j in range(low, high):
            _tell(k, j, a, a, sums)


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def subtract_from(low: int, high: int, right: Field, out: Field, sums: Floats) -> None:
    """``out = right - out``, rows low to high, with the sums ``out . right`` and ``out . out`` of each row."""
    for k in range(2, out.shape[0] - 2):
        for j in range(low, high):
            want, row = right[k, j], out[k, j]
            for i in range(2, out.shape[2] - 2):
                row[i] = want[i] - row[i]
            _tell(k, j, out, right, sums)


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def move(low: int, high: int, step: float, x: Field, y: Field, r: Field, v: Field, other: Field, sums: Floats) -> None:
    """``x += step y`` and ``r -= step v``, rows low to high, with the sums ``r . other`` and ``r . r`` of each row."""
    for k in range(2, x.shape[0] - 2):
        for j in range(low, high):
            answer, along, rest, lost = x[k, j], y[k, j], r[k, j], v[k, j]
            for i in range(2, x.shape[2] - 2):
                answer[i] += step * along[i]
                rest[i] -= step * lost[i]
            _tell(k, j, r, other, sums)


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def turn(low: int, high: int, p: Field, beta: float, omega: float, v: Field, r: Field) -> None:
    """``p = r + beta (p - omega v)``, rows low to high."""
    for k in range(2, p.shape[0] - 2):
        for j in range(low, high):
            mine, lost, rest = p[k, j], v[k, j], r[k, j]
            for i in range(2, p.shape[2] - 2):
                mine[i] = rest[i] + beta * (mine[i] - omega * lost[i])
