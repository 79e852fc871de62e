"""A small box of cells around purifiers: their own flow, and what they change in the dust, each solved in one call.

Import this module inside functions: it loads Numba. Everything in float64, one thread a box, no interpreter in between,
so that many boxes run beside each other. Arrays are flat with two ghost cells on every side, ``[z, y, x]``; ghosts and
solids have rows of zeros, so that no loop asks for them. Rows of `Matrix.whole`: diagonal, then the cells one lower and
one higher along x, y, z, then the cells two lower and two higher; `Matrix.first` holds the first seven of upwind alone.

Fromm, J. E. (1968), Journal of Computational Physics 3, 176-189. van der Vorst, H. A. (1992), SIAM Journal on
Scientific and Statistical Computing 13, 631-644. Barrett, R. and others (1994), Templates for the Solution of Linear
Systems, SIAM, 3.4.3 (D-ILU).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from analysis.kernels import wind_vectors  # noqa: F401  must come before the first compilation

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Indices = NDArray[np.int64]

GHOSTS = 2
WEAK = 1e-12  # pivots below this share of the diagonal belong to pockets without a way out


class Matrix(NamedTuple):
    """Equations of a box: second order (13, cells), upwind part (7, cells), steps between cells along x, y, z."""

    whole: Floats
    first: Floats
    row: int
    layer: int


class Couplings(NamedTuple):
    """Units in a box: unit n takes in at `intake[starts[n, 0] : starts[n + 1, 0]]` and so on, flat with ghosts.

    flow : (n,) [m3/s]. returned : (n,) [m3/s] times the mean at the intake is let out at the outlet.
    """

    starts: Indices
    intake: Indices
    intake_weight: Floats
    outlet: Indices
    outlet_weight: Floats
    flow: Floats
    returned: Floats


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _face(whole: Floats, first: Floats, low: int, high: int, axis: int, flux: float, mixed: float, before: float,
          here: float, there: float, after: float, has_before: bool, has_after: bool) -> None:  # fmt: skip
    """Enter the face between the cells `low` and `high`; widths of the four cells around it along its axis."""
    down, up, far_down, far_up = 1 + 2 * axis, 2 + 2 * axis, 7 + 2 * axis, 8 + 2 * axis
    lo, hi = max(flux, 0.0) + mixed, max(-flux, 0.0) + mixed
    first[0, low] += lo
    first[up, low] -= hi
    first[0, high] += hi
    first[down, high] -= lo
    whole[0, low] += lo
    whole[up, low] -= hi
    whole[0, high] += hi
    whole[down, high] -= lo
    if flux > 0.0 and has_before:
        across, back = flux * here / (2.0 * (here + there)), flux * here / (2.0 * (before + here))
        whole[0, low] += back - across
        whole[up, low] += across
        whole[down, low] -= back
        whole[0, high] -= across
        whole[down, high] -= back - across
        whole[far_down, high] += back
    elif flux < 0.0 and has_after:
        across, back = flux * there / (2.0 * (here + there)), flux * there / (2.0 * (there + after))
        whole[0, low] += across
        whole[up, low] += back - across
        whole[far_up, low] -= back
        whole[down, high] -= across
        whole[0, high] -= back - across
        whole[up, high] += back


@njit(cache=True, nogil=True, error_model="numpy")
def equations(fluxes: tuple[Floats, Floats, Floats], diffusivity: Floats, air: Bools,
              widths: tuple[Floats, Floats, Floats], sink: Floats) -> Matrix:  # fmt: skip
    """Equations of a box; what leaves through its borders is a sink, what enters there is not in them.

    fluxes : through the faces across x, y, z [m3/s], one more along the own axis. diffusivity, air, sink : (nz, ny, nx)
    [m2/s], -, [m3/s]. widths : along x, y, z [m].
    """
    east, north, up = fluxes
    dx, dy, dz = widths
    nz, ny, nx = air.shape
    row, layer = nx + 4, (nx + 4) * (ny + 4)
    whole, first = np.zeros((13, (nz + 4) * layer)), np.zeros((7, (nz + 4) * layer))
    for k in range(nz):
        for j in range(ny):
            p = (k + 2) * layer + (j + 2) * row + 2
            for i in range(nx):
                if not air[k, j, i]:
                    p += 1
                    continue
                out = sink[k, j, i]
                if i == 0:
                    out += max(-east[k, j, 0], 0.0)
                if j == 0:
                    out += max(-north[k, 0, i], 0.0)
                if k == 0:
                    out += max(-up[0, j, i], 0.0)
                if i == nx - 1:
                    out += max(east[k, j, nx], 0.0)
                elif air[k, j, i + 1]:
                    mixed = 0.5 * (diffusivity[k, j, i] + diffusivity[k, j, i + 1])
                    mixed *= dy[j] * dz[k] / (0.5 * (dx[i] + dx[i + 1]))
                    _face(whole, first, p, p + 1, 0, east[k, j, i + 1], mixed, dx[max(i - 1, 0)], dx[i], dx[i + 1],
                          dx[min(i + 2, nx - 1)], i > 0 and air[k, j, i - 1],
                          i + 2 < nx and air[k, j, min(i + 2, nx - 1)])  # fmt: skip
                if j == ny - 1:
                    out += max(north[k, ny, i], 0.0)
                elif air[k, j + 1, i]:
                    mixed = 0.5 * (diffusivity[k, j, i] + diffusivity[k, j + 1, i])
                    mixed *= dx[i] * dz[k] / (0.5 * (dy[j] + dy[j + 1]))
                    _face(whole, first, p, p + row, 1, north[k, j + 1, i], mixed, dy[max(j - 1, 0)], dy[j], dy[j + 1],
                          dy[min(j + 2, ny - 1)], j > 0 and air[k, j - 1, i],
                          j + 2 < ny and air[k, min(j + 2, ny - 1), i])  # fmt: skip
                if k == nz - 1:
                    out += max(up[nz, j, i], 0.0)
                elif air[k + 1, j, i]:
                    mixed = 0.5 * (diffusivity[k, j, i] + diffusivity[k + 1, j, i])
                    mixed *= dx[i] * dy[j] / (0.5 * (dz[k] + dz[k + 1]))
                    _face(whole, first, p, p + layer, 2, up[k + 1, j, i], mixed, dz[max(k - 1, 0)], dz[k], dz[k + 1],
                          dz[min(k + 2, nz - 1)], k > 0 and air[k - 1, j, i],
                          k + 2 < nz and air[min(k + 2, nz - 1), j, i])  # fmt: skip
                whole[0, p] += out
                first[0, p] += out
                p += 1
    return Matrix(whole, first, row, layer)


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def times(matrix: Matrix, x: Floats, out: Floats) -> None:
    """The equations times x; both are 0 in ghosts and solids."""
    c, row, layer = matrix.whole, matrix.row, matrix.layer
    for p in range(2 * layer, len(x) - 2 * layer):
        out[p] = (
            c[0, p] * x[p] + c[1, p] * x[p - 1] + c[2, p] * x[p + 1] + c[3, p] * x[p - row] + c[4, p] * x[p + row]
            + c[5, p] * x[p - layer] + c[6, p] * x[p + layer] + c[7, p] * x[p - 2] + c[8, p] * x[p + 2]
            + c[9, p] * x[p - 2 * row] + c[10, p] * x[p + 2 * row]
            + c[11, p] * x[p - 2 * layer] + c[12, p] * x[p + 2 * layer]
        )  # fmt: skip


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def first_times(matrix: Matrix, x: Floats, out: Floats) -> None:
    """The first-order part times x."""
    c, row, layer = matrix.first, matrix.row, matrix.layer
    for p in range(2 * layer, len(x) - 2 * layer):
        out[p] = (
            c[0, p] * x[p] + c[1, p] * x[p - 1] + c[2, p] * x[p + 1] + c[3, p] * x[p - row] + c[4, p] * x[p + row]
            + c[5, p] * x[p - layer] + c[6, p] * x[p + layer]
        )  # fmt: skip


@njit(cache=True, nogil=True, error_model="numpy")
def factorise(matrix: Matrix) -> Floats:
    """Inverse pivots of the first-order part, 0 in ghosts, solids and at the end of pockets."""
    c, row, layer = matrix.first, matrix.row, matrix.layer
    inverse = np.zeros(c.shape[1])
    for p in range(2 * layer, c.shape[1] - 2 * layer):
        if c[0, p] > 0.0:
            pivot = c[0, p] - c[1, p] * c[2, p - 1] * inverse[p - 1] - c[3, p] * c[4, p - row] * inverse[p - row]
            pivot -= c[5, p] * c[6, p - layer] * inverse[p - layer]
            if pivot > WEAK * c[0, p]:
                inverse[p] = 1.0 / pivot
    return inverse


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def sweep(matrix: Matrix, inverse: Floats, right: Floats, out: Floats) -> None:
    """Forward and backward substitution, row by row: what does not wait for the row itself vectorises."""
    c, row, layer = matrix.first, matrix.row, matrix.layer
    layers, rows, cells = len(out) // layer, layer // row, row - 4
    for k in range(2, layers - 2):
        for j in range(2, rows - 2):
            a = k * layer + j * row + 2
            here, south, below = out[a : a + cells], out[a - row : a - row + cells], out[a - layer : a - layer + cells]
            want, turned, west = right[a : a + cells], inverse[a : a + cells], c[1, a : a + cells]
            from_south, from_below = c[3, a : a + cells], c[5, a : a + cells]
            for i in range(cells):
                here[i] = (want[i] - from_south[i] * south[i] - from_below[i] * below[i]) * turned[i]
            last = 0.0
            for i in range(cells):
                last = here[i] - west[i] * turned[i] * last
                here[i] = last
    for k in range(layers - 3, 1, -1):
        for j in range(rows - 3, 1, -1):
            a = k * layer + j * row + 2
            here, north, above = out[a : a + cells], out[a + row : a + row + cells], out[a + layer : a + layer + cells]
            turned, east = inverse[a : a + cells], c[2, a : a + cells]
            from_north, from_above = c[4, a : a + cells], c[6, a : a + cells]
            for i in range(cells):
                here[i] -= (from_north[i] * north[i] + from_above[i] * above[i]) * turned[i]
            last = 0.0
            for i in range(cells - 1, -1, -1):
                last = here[i] - east[i] * turned[i] * last
                here[i] = last


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def _dot(a: Floats, b: Floats) -> float:
    total = 0.0
    for p in range(len(a)):
        total += a[p] * b[p]
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def potential(air: Bools, widths: tuple[Floats, Floats, Floats], source: Floats, tolerance: float,
              most: int) -> tuple[Floats, Floats, Floats, float]:  # fmt: skip
    """Flow from sources of air to sinks in a closed box: from high to low potential, without turning.

    source : (nz, ny, nx) [m3/s], together 0. Returns the flow through the faces across x, y and z [m3/s], 0 at the
    borders and walls, and the norm of what is missing over that of the source.
    """
    nz, ny, nx = air.shape
    still = (np.zeros((nz, ny, nx + 1)), np.zeros((nz, ny + 1, nx)), np.zeros((nz + 1, ny, nx)))
    matrix = equations(still, np.ones(air.shape), air, widths, np.zeros(air.shape))
    row, layer = matrix.row, matrix.layer
    right = _ghosted(source)
    inverse = factorise(matrix)
    phi, turned, carried = np.zeros(len(right)), np.zeros(len(right)), np.zeros(len(right))
    lack = right.copy()
    sweep(matrix, inverse, lack, turned)
    along = turned.copy()
    now, size = _dot(lack, turned), np.sqrt(_dot(right, right))
    for _ in range(most):
        if np.sqrt(_dot(lack, lack)) <= tolerance * size or now == 0.0:
            break
        first_times(matrix, along, carried)
        step = now / _dot(along, carried)
        for p in range(len(phi)):
            phi[p] += step * along[p]
            lack[p] -= step * carried[p]
        sweep(matrix, inverse, lack, turned)
        before, now = now, _dot(lack, turned)
        for p in range(len(phi)):
            along[p] = turned[p] + now / before * along[p]
    east, north, up = still
    for k in range(nz):
        for j in range(ny):
            p = (k + 2) * layer + (j + 2) * row + 2
            for i in range(nx):
                if i > 0:
                    east[k, j, i] = matrix.first[1, p] * (phi[p] - phi[p - 1])
                if j > 0:
                    north[k, j, i] = matrix.first[3, p] * (phi[p] - phi[p - row])
                if k > 0:
                    up[k, j, i] = matrix.first[5, p] * (phi[p] - phi[p - layer])
                p += 1
    return east, north, up, np.sqrt(_dot(lack, lack)) / max(size, 1e-300)


@njit(cache=True, nogil=True, error_model="numpy")
def _ghosted(values: Floats) -> Floats:
    nz, ny, nx = values.shape
    out = np.zeros((nz + 4, ny + 4, nx + 4))
    out[2:-2, 2:-2, 2:-2] = values
    return out.ravel()


@njit(cache=True, nogil=True, error_model="numpy")
def _couple(units: Couplings, x: Floats, out: Floats, sign: float) -> None:
    """Add what the units take in and let out, times x."""
    for n in range(len(units.flow)):
        mean = 0.0
        for m in range(units.starts[n, 0], units.starts[n + 1, 0]):
            mean += units.intake_weight[m] * x[units.intake[m]]
        for m in range(units.starts[n, 1], units.starts[n + 1, 1]):
            out[units.outlet[m]] -= sign * units.returned[n] * units.outlet_weight[m] * mean


@njit(cache=True, nogil=True, error_model="numpy")
def difference(still: Matrix, moved: Matrix, before: Floats) -> Floats:
    """(nz, ny, nx) what dust gains in every cell when the equations change: ``still c - moved c`` [ug/s]."""
    c0 = _ghosted(before)
    b, t = np.zeros(len(c0)), np.zeros(len(c0))
    times(still, c0, b)
    times(moved, c0, t)
    nz, ny, nx = before.shape
    return (b - t).reshape((nz + 4, ny + 4, nx + 4))[2:-2, 2:-2, 2:-2].copy()


@njit(cache=True, nogil=True, error_model="numpy")
def deficit(
    still: Matrix, moved: Matrix, units: Couplings, before: Floats, tolerance: float, most: int
) -> tuple[Floats, Floats, int, float]:
    """What units change in the dust of a box.

    Parameters
    ----------
    still, moved : Matrix
        Without the units, and with their own flow and with `flow` as a sink at the intakes.
    before : (nz, ny, nx) [ug/m3]
        Concentration without the units.

    Returns
    -------
    change : (nz, ny, nx) [ug/m3]
    source : (nz, ny, nx) [ug/s]
        That would bring the same change in the still box.
    iterations : int
    residual : float
    """
    c0 = _ghosted(before)
    size = len(c0)
    b, t, r = np.zeros(size), np.zeros(size), np.zeros(size)
    times(still, c0, b)
    times(moved, c0, t)
    _couple(units, c0, t, 1.0)
    for p in range(size):
        b[p] -= t[p]
    inverse = factorise(moved)
    x, shadow, p_, v, s, turned = b * 0.0, b.copy(), b * 0.0, b * 0.0, b * 0.0, b * 0.0
    r[:] = b
    rho, alpha, omega = 1.0, 1.0, 1.0
    goal, norm = tolerance * np.sqrt(_dot(b, b)), np.sqrt(_dot(b, b))
    count = 0
    while norm > goal and count < most:
        old, rho = rho, _dot(shadow, r)
        if abs(rho) < 1e-30 * goal * goal or omega == 0.0:  # begin again from here
            shadow[:] = r
            p_[:] = 0.0
            v[:] = 0.0
            rho, old, alpha, omega = _dot(r, r), 1.0, 1.0, 1.0
        beta = rho / old * alpha / omega
        for q in range(size):
            p_[q] = r[q] + beta * (p_[q] - omega * v[q])
        sweep(moved, inverse, p_, turned)
        times(moved, turned, v)
        _couple(units, turned, v, 1.0)
        alpha = rho / _dot(shadow, v)
        for q in range(size):
            x[q] += alpha * turned[q]
            s[q] = r[q] - alpha * v[q]
        sweep(moved, inverse, s, turned)
        times(moved, turned, t)
        _couple(units, turned, t, 1.0)
        length = _dot(t, t)
        omega = _dot(t, s) / length if length > 0.0 else 0.0
        for q in range(size):
            x[q] += omega * turned[q]
            r[q] = s[q] - omega * t[q]
        norm = np.sqrt(_dot(r, r))
        count += 1
    # The source is the right side less what the units change in the equations: nothing far from them.
    times(moved, x, t)
    _couple(units, x, t, 1.0)
    times(still, x, v)
    for q in range(size):
        b[q] += v[q] - t[q]
    nz, ny, nx = before.shape
    shape = (nz + 4, ny + 4, nx + 4)
    change, source = x.reshape(shape)[2:-2, 2:-2, 2:-2].copy(), b.reshape(shape)[2:-2, 2:-2, 2:-2].copy()
    return change, source, count, norm / max(goal / tolerance, 1e-300)
