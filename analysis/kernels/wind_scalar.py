"""A passive scalar carried and mixed by a frozen wind: sweeps of upright lines in the order of the wind.

Import this module inside functions: it loads Numba. Arrays ``[z, y, x]`` with two ghost cells on every side, as in the
solver of the wind. Finite volumes, upwind: in every cell of air ``sum of a_nb (c - c_nb) = source``, with a_nb what
flows in over the volume plus what is mixed, ``nut / 0.7`` over the squared distance [1/s]. What enters the tunnel
brings nothing; walls and the other sides let nothing through. Each upright line is solved at once (Thomas), because
mixing is strongest between the thin cells at the ground, with the newest values of the lines beside it (Gauss-Seidel):
what the wind carries arrives in one sweep along it.

Patankar, S. V. (1980), Numerical Heat Transfer and Fluid Flow, ch. 5 and 6.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Singles = NDArray[np.float32]
Floats = NDArray[np.float64]

PER_SCHMIDT = 1.0 / 0.7  # turbulent Schmidt number 0.7
LEAST_PIVOT = 1e-9
NOTHING = 1e-12  # smaller values only cost time


@njit(cache=True, nogil=True, error_model="numpy")
def _mixed(own: float, other: float) -> float:
    """Diffusivity of the face between two cells; a wall lets nothing through."""
    return PER_SCHMIDT * 0.5 * (own + other) if own > 0.0 and other > 0.0 else 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def sweep(
    u: Singles, v: Singles, w: Singles, nut: Singles, source: Floats, cell: tuple[Floats, Floats, Floats],
    face: tuple[Floats, Floats, Floats], east: bool, north: bool, value: Floats,
) -> None:  # fmt: skip
    """One sweep over all upright lines; x rising if `east`, y rising if `north`.

    Parameters
    ----------
    u, v, w : float32 [m/s]
        On the low faces.
    nut : float32 [m2/s]
        0 in solids.
    source : (ny, nx) float [1/s times the scalar's unit]
        Of the columns, without ghosts.
    cell, face : three (n + 4,) float [1/m]
        One over the width of the cells, and over the distance of a cell's centre to the one before.
    value : float64
        Changed in place; 0 in solids and ghosts.
    """
    nz, ny, nx = value.shape[0] - 4, value.shape[1] - 4, value.shape[2] - 4
    ratio, right = np.zeros(nz + 1), np.zeros(nz + 1)
    for j_step in range(ny):
        j = 2 + (j_step if north else ny - 1 - j_step)
        for i_step in range(nx):
            i = 2 + (i_step if east else nx - 1 - i_step)
            _line(u, v, w, nut, source[j - 2, i - 2], cell, face, j, i, nz, ny, nx, ratio, right, value)


@njit(cache=True, nogil=True, error_model="numpy")
def _line(
    u: Singles, v: Singles, w: Singles, nut: Singles, source: float, cell: tuple[Floats, Floats, Floats],
    face: tuple[Floats, Floats, Floats], j: int, i: int, nz: int, ny: int, nx: int, ratio: Floats, right: Floats,
    value: Floats,
) -> None:  # fmt: skip
    """Solve one upright line with its neighbours in x and y held."""
    cx, cy, cz = cell[0][i], cell[1][j], cell[2]
    # Nothing is mixed through the sides of the tunnel.
    west, east = (cx * face[0][i] if i > 2 else 0.0), (cx * face[0][i + 1] if i < nx + 1 else 0.0)
    south, north = (cy * face[1][j] if j > 2 else 0.0), (cy * face[1][j + 1] if j < ny + 1 else 0.0)
    for n in range(nz):
        k = n + 2
        own = float(nut[k, j, i])
        if own <= 0.0:
            ratio[n + 1], right[n + 1] = 0.0, 0.0
            continue
        # Ghosts and solids hold 0: what flows in from outside is new, and nothing flows out of a solid.
        a_w = cx * max(u[k, j, i], 0.0) + west * _mixed(own, nut[k, j, i - 1])
        a_e = cx * max(-u[k, j, i + 1], 0.0) + east * _mixed(own, nut[k, j, i + 1])
        a_s = cy * max(v[k, j, i], 0.0) + south * _mixed(own, nut[k, j - 1, i])
        a_n = cy * max(-v[k, j + 1, i], 0.0) + north * _mixed(own, nut[k, j + 1, i])
        a_b, a_t = cz[k] * max(w[k, j, i], 0.0), cz[k] * max(-w[k + 1, j, i], 0.0)
        if n > 0:
            a_b += cz[k] * face[2][k] * _mixed(own, nut[k - 1, j, i])
        if n < nz - 1:
            a_t += cz[k] * face[2][k + 1] * _mixed(own, nut[k + 1, j, i])
        gain = source + a_w * value[k, j, i - 1] + a_e * value[k, j, i + 1]
        gain += a_s * value[k, j - 1, i] + a_n * value[k, j + 1, i]
        diagonal = a_w + a_e + a_s + a_n + a_b + a_t
        pivot = diagonal - a_b * ratio[n]
        if pivot <= LEAST_PIVOT * diagonal or diagonal <= LEAST_PIVOT:
            ratio[n + 1], right[n + 1] = 0.0, value[k, j, i]  # nothing brings this air on
            continue
        ratio[n + 1], right[n + 1] = a_t / pivot, (gain + a_b * right[n]) / pivot
    above = 0.0
    for n in range(nz - 1, -1, -1):
        above = right[n + 1] + ratio[n + 1] * above
        value[n + 2, j, i] = above if above > NOTHING else 0.0
