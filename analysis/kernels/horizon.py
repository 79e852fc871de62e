"""Sky view on a raster of heights from its horizons, one line of cells at a time: some twenty times faster than rays.

In each direction the raster falls into lines of cells. Walking away from the horizon along a line, the upper convex
hull of the cells behind is kept; the corner of the hull that the next cell sees is its horizon, so each cell is put on
the hull once and taken off once. A level plate whose horizon stands at h in a narrow wedge of azimuth sees cos(h)**2
of it.

References
----------
J. Dozier, J. Bruno, P. Downey: A faster solution to the horizon problem. Computers and Geosciences 7(2), 1981.
doi:10.1016/0098-3004(81)90026-1
V. Timonen, J. Westerholm: Scalable height field self-shadowing. Computer Graphics Forum 29(2), 2010.
doi:10.1111/j.1467-8659.2009.01642.x
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from analysis.threads import thread_count
from geo.model import Feedback, Grid

Floats = NDArray[np.float64]

AZIMUTHS = 64  # Steyn (1980) takes 16 to 64


def sky_view_horizon(
    heights: Grid, *, azimuths: int = AZIMUTHS, threads: int | None = None, feedback: Feedback | None = None
) -> Floats:
    """(rows, cols) share of the sky a level plate on each cell sees, 0..1; not-a-number where the raster has no height.

    Parameters
    ----------
    heights : Grid
        Surface heights [m]. Beyond its edge the land is taken as open.
    azimuths : int
        Evenly spread; the first half a step from the raster's north, so that none runs along its axes.
    threads : int, optional
        The result is the same bit for bit for any number: directions are summed in order.
    """
    from analysis.kernels import horizon_loops

    feedback = feedback or Feedback()
    values = np.ascontiguousarray(heights.values, dtype=np.float64)
    turns = 2.0 * np.pi * (np.arange(azimuths) + 0.5) / azimuths
    workers = threads or thread_count()
    seen = np.zeros(values.shape)

    def one(turn: float) -> Floats:
        found = np.zeros(values.shape)
        horizon_loops.add_sky(values, heights.cell, float(np.sin(turn)), float(np.cos(turn)), found)
        return found

    with ThreadPoolExecutor(workers) as pool:
        for start in range(0, azimuths, workers):
            feedback.step(start / azimuths, "sky view from horizons")
            for found in pool.map(one, turns[start : start + workers]):
                seen += found
    feedback.step(1.0, "sky view from horizons")
    return np.where(np.isfinite(values), seen / azimuths, np.nan)
