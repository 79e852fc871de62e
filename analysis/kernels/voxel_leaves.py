"""Boxes shared out over the cells of a stretched grid by the volume they have in common."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@njit(cache=True, nogil=True)
def share_out(boxes: Floats, x: Floats, y: Floats, z: Floats, density: float, out: NDArray[np.float32]) -> None:
    """Add `density` times the share of each cell that a box takes.

    Parameters
    ----------
    boxes : (n, 6) float [m]
        x low, x high, y low, y high, z low, z high.
    x, y, z : (nx + 1,), (ny + 1,), (nz + 1,) float [m]
        Faces, rising.
    out : (nz, ny, nx) float32
        Added to. Over a whole box the sum of value times cell volume is `density` times its volume.
    """
    for n in range(len(boxes)):
        i0 = max(np.searchsorted(x, boxes[n, 0], side="right") - 1, 0)
        j0 = max(np.searchsorted(y, boxes[n, 2], side="right") - 1, 0)
        k0 = max(np.searchsorted(z, boxes[n, 4], side="right") - 1, 0)
        for k in range(k0, len(z) - 1):
            if z[k] >= boxes[n, 5]:
                break
            high = max(min(z[k + 1], boxes[n, 5]) - max(z[k], boxes[n, 4]), 0.0) / (z[k + 1] - z[k])
            for j in range(j0, len(y) - 1):
                if y[j] >= boxes[n, 3]:
                    break
                deep = max(min(y[j + 1], boxes[n, 3]) - max(y[j], boxes[n, 2]), 0.0) / (y[j + 1] - y[j])
                for i in range(i0, len(x) - 1):
                    if x[i] >= boxes[n, 1]:
                        break
                    wide = max(min(x[i + 1], boxes[n, 1]) - max(x[i], boxes[n, 0]), 0.0) / (x[i + 1] - x[i])
                    out[k, j, i] += np.float32(density * high * deep * wide)
