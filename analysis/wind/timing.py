"""How long a calculation will take: the machine is timed for a moment on the coarser levels of the tunnel itself."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from analysis.wind.crew import Crew
from analysis.wind.flow import Heading, Solver, flipped
from analysis.wind.levels import Settings
from analysis.wind.profile import log_inflow
from analysis.wind.tunnel import Tunnel

TIMED = 4  # iterations that are timed, after one that is not
LARGER = 1.0  # cost of a cell on a level that no cache holds, over that of the next coarser one, measured


# Work besides the iterations, in iterations of the finest level; measured on the sample district.
GRID_WORK, DRAWING_WORK, SPACE_WORK = 10.0, 3.0, 10.0
LEVEL_SHRINKS = 8.0  # cells of a level over those of the next coarser one


class LevelTime(NamedTuple):
    """Seconds that a level takes to set up, and for one iteration."""

    set_up: float
    iteration: float


def time_levels(levels: Sequence[Tunnel], *, threads: int = 0) -> tuple[LevelTime, ...]:
    """What each level takes, coarse to fine: all but the finest are timed, the finest is told from the next coarser.

    A calculation of one level is timed on it.
    """
    timed = [_time_level(tunnel, threads) for tunnel in (levels[:-1] or levels)]
    if len(levels) > 1:
        more = float(np.prod(levels[-1].shape) / np.prod(levels[-2].shape))
        timed.append(LevelTime(more * timed[-1].set_up, LARGER * more * timed[-1].iteration))
    return tuple(timed)


def estimate_seconds(levels: Sequence[Tunnel], settings: Settings) -> float:
    """Seconds until all iterations of all levels are done, on the machine as busy as it is now.

    Runs that settle earlier take less.
    """
    times = time_levels(levels, threads=settings.threads)
    return float(sum(t.set_up + settings.steps(n, len(levels)) * t.iteration for n, t in enumerate(times)))


def shares(settings: Settings, *, space: bool, levels: int = 3) -> tuple[float, float]:
    """Progress when the grids are made and when the wind is known: what is left of a run is told from it."""
    blowing = sum(settings.steps(n, levels) / LEVEL_SHRINKS ** (levels - 1 - n) for n in range(levels))
    drawing = DRAWING_WORK + (SPACE_WORK if space else 0.0)
    whole = GRID_WORK + blowing + drawing
    return GRID_WORK / whole, (GRID_WORK + blowing) / whole


def _time_level(tunnel: Tunnel, threads: int) -> LevelTime:
    wind = log_inflow(270.0, speed=5.0, height=10.0, roughness=0.1)
    heading = Heading.of(tunnel, wind.wind_from)
    began = time.perf_counter()
    with Crew(threads) as crew:
        solver = Solver(flipped(tunnel, heading), wind, heading, crew)
        set_up = time.perf_counter() - began
        solver.iterate()
        began = time.perf_counter()
        for _ in range(TIMED):
            solver.iterate()
        return LevelTime(set_up, (time.perf_counter() - began) / TIMED)
