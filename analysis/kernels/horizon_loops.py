"""Compiled loop of `horizon`. Import inside functions: Numba is slow to load."""

from __future__ import annotations

from numba import njit
from numpy import empty, float64, floor, isfinite


@njit(nogil=True, cache=True)
def add_sky(values, cell, east, north, seen):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Add cos(horizon)**2 towards one direction (unit vector east, north) to `seen` (rows, cols).

    The line of a cell runs along the longer of the two components; the other is rounded to the nearest cell.
    """
    rows, cols = values.shape
    along_columns = abs(east) >= abs(north)
    long, wide = (cols, rows) if along_columns else (rows, cols)
    major, minor = (east, north) if along_columns else (north, east)
    slope = minor / abs(major)  # cells to the side for each cell towards the horizon
    step = cell / abs(major)  # [m] between two cells of a line
    drift = int(floor(abs(slope) * long)) + 1
    place, height = empty(long, float64), empty(long, float64)
    for line in range(-drift, wide + drift):
        kept = 0
        for walked in range(long):
            # walk from the side of the horizon: `towards` counts cells back to the far edge on that side
            side = line - int(floor(slope * walked + 0.5))
            if side < 0 or side >= wide:
                continue
            index = long - 1 - walked if major > 0 else walked
            row, col = (side, index) if along_columns else (index, side)
            here = values[row, col]
            if not isfinite(here):
                continue
            at = walked * step
            while kept > 1 and (height[kept - 1] - here) * (at - place[kept - 2]) <= (height[kept - 2] - here) * (
                at - place[kept - 1]
            ):
                kept -= 1
            if kept > 0 and height[kept - 1] > here:
                rise = (height[kept - 1] - here) / (at - place[kept - 1])
                seen[row, col] += 1.0 / (1.0 + rise * rise)
            else:
                seen[row, col] += 1.0
            place[kept] = at
            height[kept] = here
            kept += 1
