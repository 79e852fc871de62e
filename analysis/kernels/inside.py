"""Which cells of a raster lie inside outlines: counted along each row from the edges it crosses.

Every row of cell middles is crossed by the edges of an outline; a middle is inside where the edges to its left add up
to something: an odd number for rings (holes are rings too), a turning number other than zero for triangles. An edge
counts at its lower end and not at its upper, so that no corner counts twice.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]


class Raster(NamedTuple):
    """Square cells: middle of the south-west one (x0, y0), cell [m], shape (rows, cols)."""

    x0: float
    y0: float
    cell: float
    shape: tuple[int, int]


def cells_inside(start: Floats, stop: Floats, raster: Raster, *, odd: bool) -> Indices:
    """Flat numbers of the cells whose middles lie inside.

    Parameters
    ----------
    start, stop : (e, 2) float
        Ends of the edges (x, y).
    odd : bool
        True: inside where the number of crossings is odd (rings in any direction). False: where the crossings, counted
        by their direction, do not cancel out (triangles, all counter-clockwise).
    """
    rows, cols = raster.shape
    scaled = [(ends - [raster.x0, raster.y0]) / raster.cell for ends in (start, stop)]
    upward = scaled[1][:, 1] > scaled[0][:, 1]
    low, high = (np.where(upward[:, None], *pair) for pair in (scaled, scaled[::-1]))
    first = np.maximum(np.ceil(low[:, 1]), 0).astype(np.int64)
    last = np.minimum(np.ceil(high[:, 1]), rows).astype(np.int64)  # the row at the upper end does not count
    count = np.maximum(last - first, 0)
    edge = np.repeat(np.arange(len(start)), count)
    if len(edge) == 0:
        return np.zeros(0, dtype=np.int64)
    row = first[edge] + np.arange(len(edge)) - np.repeat(np.cumsum(count) - count, count)
    share = (row - low[edge, 1]) / (high[edge, 1] - low[edge, 1])
    x = low[edge, 0] + share * (high[edge, 0] - low[edge, 0])
    column = np.clip(np.ceil(x), 0, cols).astype(np.int64)
    south, north = int(row.min()), int(row.max()) + 1
    west = int(column.min())
    window = np.zeros((north - south, int(column.max()) - west + 1), dtype=np.int32)
    np.add.at(window, (row - south, column - west), np.where(upward[edge], 1, -1) if not odd else 1)
    turns = np.cumsum(window, axis=1)
    inside = (turns % 2 == 1) if odd else (turns != 0)
    r, c = np.nonzero(inside[:, : max(0, cols - west)])
    return np.asarray((r + south) * cols + c + west, dtype=np.int64)
