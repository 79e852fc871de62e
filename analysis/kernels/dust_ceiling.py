"""What purifiers can bring at most, from the dust and its worth in the columns around them.

Import this module inside functions: it loads Numba.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@njit(cache=True, nogil=True, error_model="numpy")
def ceilings(places: NDArray[np.int64], flow: Floats, efficiency: Floats, air: NDArray[np.bool_],
             concentration: NDArray[Any], worth: NDArray[Any], out: Floats) -> None:  # fmt: skip
    """Greatest benefit over the columns around each unit, into `out` (n,).

    Air that goes straight from the outlet to the intake takes the dust on its way along: with the layers 0 ... m from
    the outlet to the intake, ``Q (sum c_k (l_k - l_k+1) + c_m l_m - (1 - eta) c_m l_0)``; where dust and worth do not
    change on the way this is ``eta Q c_m l_0``, which is looked at as well.

    places : (n, 6) layer, row, column of the outlet and of the intake. flow : [m3/s], over the wind's ratio.
    """
    _, ny, nx = air.shape
    for n in range(len(places)):
        top, row, column, end, other_row, other_column = places[n]
        step = 1 if end >= top else -1
        best = 0.0
        for j in range(max(min(row, other_row) - 1, 0), min(max(row, other_row) + 2, ny)):
            for i in range(max(min(column, other_column) - 1, 0), min(max(column, other_column) + 2, nx)):
                if not (air[top, j, i] and air[end, j, i]):
                    continue
                taken, first = float(concentration[end, j, i]), float(worth[top, j, i])
                moved = taken * float(worth[end, j, i]) - (1.0 - efficiency[n]) * taken * first
                for k in range(top, end, step):
                    moved += float(concentration[k, j, i]) * (float(worth[k, j, i]) - float(worth[k + step, j, i]))
                best = max(best, moved, efficiency[n] * taken * first)
        out[n] = flow[n] * best
