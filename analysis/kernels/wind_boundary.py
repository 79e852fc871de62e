"""What stands in the ghost cells on the open sides of the tunnel: zero gradient, and flow that may only leave.

Import this module inside functions: it loads Numba. Ghosts of inflow sides are set once and never change.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Singles = NDArray[np.float32]
ZERO = np.float32(0.0)


@njit(cache=True, nogil=True)
def extend(a: Singles, last_z: int, last_y: int, last_x: int, west: bool, south: bool) -> None:
    """Copy the outermost values into the ghosts, east, north and top always, west and south where asked."""
    for k in range(2, last_z + 1):
        for j in range(2, last_y + 1):
            row = a[k, j]
            for i in range(last_x + 1, row.shape[0]):
                row[i] = row[last_x]
            if west:
                row[0] = row[1] = row[2]
        for j in range(last_y + 1, a.shape[1]):
            a[k, j, 2:] = a[k, last_y, 2:]
        if south:
            a[k, 0, 2:] = a[k, 2, 2:]
            a[k, 1, 2:] = a[k, 2, 2:]
    for k in range(last_z + 1, a.shape[0]):
        a[k] = a[last_z]


@njit(cache=True, nogil=True)
def leave_east(u: Singles, nut: Singles) -> None:
    """Outflow through the last faces in x: as one cell before, never inwards, nothing through solids."""
    last = u.shape[2] - 2
    for k in range(2, u.shape[0] - 2):
        for j in range(2, u.shape[1] - 2):
            u[k, j, last] = max(u[k, j, last - 1], ZERO) if nut[k, j, last - 1] > ZERO else ZERO


@njit(cache=True, nogil=True)
def leave_north(v: Singles, nut: Singles) -> None:
    """Outflow through the last faces in y: as `leave_east`."""
    last = v.shape[1] - 2
    for k in range(2, v.shape[0] - 2):
        for i in range(2, v.shape[2] - 2):
            v[k, last, i] = max(v[k, last - 1, i], ZERO) if nut[k, last - 1, i] > ZERO else ZERO


@njit(cache=True, nogil=True)
def correct_outlet(u: Singles, v: Singles, phi: Singles, nut: Singles, per_x: float, per_y: float) -> None:
    """Correct the outflow: potential zero half a cell (1 / per_x, 1 / per_y; zero where closed) beyond the centre."""
    last_x, last_y = u.shape[2] - 2, v.shape[1] - 2
    for k in range(2, u.shape[0] - 2):
        for j in range(2, u.shape[1] - 2):
            if nut[k, j, last_x - 1] > ZERO:
                u[k, j, last_x] += per_x * phi[k, j, last_x - 1]
        for i in range(2, v.shape[2] - 2):
            if nut[k, last_y - 1, i] > ZERO:
                v[k, last_y, i] += per_y * phi[k, last_y - 1, i]
