"""Making the equations of carried and mixed dust from the flow through the faces, and those of blocks of cells.

Import this module inside functions: it loads Numba. Arrays with ghosts as in `dust_transport`; those of the faces of a
grid have none. Numbers are put together in float64 cell by cell, so that no array of float64 is ever made.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from analysis.kernels import wind_vectors  # noqa: F401  must come before the first compilation
from analysis.kernels.dust_transport import Upwind

Field = NDArray[Any]
Row = NDArray[Any]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

Widths = tuple[Floats, Floats, Floats]
Numbers = tuple[float, float, float]
Faces = tuple[Field, Field, Field]


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def low_faces(
    low: int, high: int, fluxes: Faces, viscosity: Field, air: Bools, widths: Widths, numbers: Numbers,
    lo: Faces, hi: Faces, second: Faces,
) -> None:  # fmt: skip
    """What passes the low faces of rows low to high (counted with ghosts): both ways, and the corrected fluxes.

    fluxes, viscosity: of the faces and cells, without ghosts. air: with them. numbers: Schmidt number, least
    diffusivity [m2/s], speed of settling [m/s]. The borders pass nothing here.
    """
    dx, dy, dz = widths
    nz, nx = viscosity.shape[0], viscosity.shape[2]
    sink, over = np.zeros(nx), np.empty(nx)
    for z in range(nz):
        for row in range(low, high):
            k, j, y = z + 2, row, row - 2
            a = air[k, j]
            for i in range(1, nx):
                over[i] = 2.0 * dy[y] * dz[z] / (dx[i - 1] + dx[i])
            sink[:] = 0.0
            _pass(fluxes[0][z, y][1:nx], sink, over[1:], numbers, viscosity[z, y], viscosity[z, y][1:],
                  (a[1:], a[2:], a[3:], a[4:]), lo[0][k, j][3:], hi[0][k, j][3:], second[0][k, j][3:])  # fmt: skip
            if y > 0:
                for i in range(nx):
                    over[i] = 2.0 * dx[i] * dz[z] / (dy[y - 1] + dy[y])
                _pass(fluxes[1][z, y], sink, over, numbers, viscosity[z, y - 1], viscosity[z, y],
                      (air[k, j - 2][2:], air[k, j - 1][2:], a[2:], air[k, j + 1][2:]),
                      lo[1][k, j][2:], hi[1][k, j][2:], second[1][k, j][2:])  # fmt: skip
            if z > 0:
                for i in range(nx):
                    over[i] = 2.0 * dx[i] * dy[y] / (dz[z - 1] + dz[z])
                    sink[i] = numbers[2] * dx[i] * dy[y]
                _pass(fluxes[2][z, y], sink, over, numbers, viscosity[z - 1, y], viscosity[z, y],
                      (air[k - 2, j][2:], air[k - 1, j][2:], a[2:], air[k + 1, j][2:]),
                      lo[2][k, j][2:], hi[2][k, j][2:], second[2][k, j][2:])  # fmt: skip


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def _pass(flux: Row, fall: Row, over: Row, numbers: Numbers, below: Row, here: Row,
          air: tuple[Row, Row, Row, Row], lo: Row, hi: Row, second: Row) -> None:  # fmt: skip
    """One face an entry. fall: flux by settling [m3/s]. over: area over distance [m]. air: of two cells a side."""
    schmidt, least, _ = numbers
    a0, a1, a2, a3 = air
    for i in range(len(flux)):
        between = a1[i] & a2[i]
        moved = np.float64(flux[i]) - fall[i]
        mean = 0.5 * (max(below[i] / schmidt, least) + max(here[i] / schmidt, least)) * over[i]
        corrected = a0[i] if moved > 0.0 else a3[i]
        lo[i] = max(moved, 0.0) + mean if between else 0.0
        hi[i] = max(-moved, 0.0) + mean if between else 0.0
        second[i] = moved if between & corrected else 0.0


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def diagonals(low: int, high: int, equations: Upwind, sink: Field, air: Bools) -> None:
    """The diagonal: what leaves each cell of rows low to high; 1 where nothing does, in solids and in ghosts."""
    el, eh, nl, nh, ul, uh, dg = equations
    one = dg.dtype.type(1)
    for k in range(2, dg.shape[0] - 2):
        for j in range(low, high):
            a, b, c, d = el[k, j][3:], eh[k, j][2:], nl[k, j + 1][2:], nh[k, j][2:]
            e, f, out, gone, here = ul[k + 1, j][2:], uh[k, j][2:], dg[k, j][2:], sink[k, j][2:], air[k, j][2:]
            for i in range(len(out) - 2):
                total = np.float64(gone[i]) + a[i] + b[i] + c[i] + d[i] + e[i] + f[i]
                out[i] = total if here[i] & (total > 0.0) else one


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def block_faces(low: int, high: int, axis: int, share: float, fine: Faces, finest: bool, coarse: Faces) -> None:
    """Low faces across one axis of blocks of two cells a side, in the coarse rows low to high.

    Sums over the four faces in each; mixing times `share`. fine, coarse: up and down the axis, and the mixed part of
    both; of the finest level that is the smaller of both, because air goes one way only (its third array is not read).
    """
    lo, hi, both = fine
    second_z, second_y, second_x = 0 if axis == 0 else 1, 0 if axis == 1 else 1, 0 if axis == 2 else 1
    for k in range(2, coarse[0].shape[0] - 2):
        for j in range(low, high):
            for i in range(2, coarse[0].shape[2] - 2):
                up, down, mixing = 0.0, 0.0, 0.0
                for kk in range(2 * k - 2, 2 * k - 1 + second_z):
                    for jj in range(2 * j - 2, 2 * j - 1 + second_y):
                        for ii in range(2 * i - 2, 2 * i - 1 + second_x):
                            m = min(lo[kk, jj, ii], hi[kk, jj, ii]) if finest else both[kk, jj, ii]
                            up += lo[kk, jj, ii] - m
                            down += hi[kk, jj, ii] - m
                            mixing += m
                coarse[0][k, j, i] = up + share * mixing
                coarse[1][k, j, i] = down + share * mixing
                coarse[2][k, j, i] = share * mixing


@njit(cache=True, nogil=True, error_model="numpy")
def blocks(low: int, high: int, sink: Field, air: Bools, coarse_sink: Field, coarse_air: Bools) -> None:
    """Sums of what sinks in the children of the coarse rows low to high, and whether any of them is air."""
    for k in range(2, coarse_sink.shape[0] - 2):
        for j in range(low, high):
            for i in range(2, coarse_sink.shape[2] - 2):
                total, some = 0.0, False
                for kk in range(2 * k - 2, 2 * k):
                    for jj in range(2 * j - 2, 2 * j):
                        for ii in range(2 * i - 2, 2 * i):
                            total += sink[kk, jj, ii]
                            some |= air[kk, jj, ii]
                coarse_sink[k, j, i], coarse_air[k, j, i] = total, some
