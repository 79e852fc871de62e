"""Instead: how much less the sources would have to emit for the same gain, or how far a site would have to move."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.dust.run import Prepared
from analysis.dust.siting_costs import grams_a_day
from analysis.wind.tunnel import Tunnel

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

COMPACT = 150.0  # [m] mean distance of a group's cells from its middle, up to which it is one site that could move
FARTHEST = 1_000.0  # [m]


class Alternative(NamedTuple):
    """Of one group of sources.

    Attributes
    ----------
    group : str
    emits : float [g/d]
    adds : float [ug/m3]
        To the people's mean.
    cut : float [g/d]
        That brings the same as the units.
    percent : float [%]
        Of what it emits; above 100 it cannot.
    away : float [m]
        Least distance by which it would have to move for the same; NaN where it is no site or no place near does.
    """

    group: str
    emits: float
    adds: float
    cut: float
    percent: float
    away: float


class Reach:
    """What an emission anywhere does to the people's mean, over all winds: ``sum share lambda / ratio``.

    Cases are added one by one as they are solved.
    """

    def __init__(self, shape: tuple[int, int, int]) -> None:
        self.values = np.zeros(shape)

    def add(self, share: float, adjoint: NDArray[np.floating], ratio: float) -> None:
        """One case."""
        self.values += (share / ratio) * adjoint


def alternatives_of(prepared: Prepared, reach: Reach, reduction: float, ground: Indices) -> tuple[Alternative, ...]:
    """For every group, the one that has to cut the least first.

    Parameters
    ----------
    reduction : float [ug/m3]
        What the units bring.
    ground : (ny, nx) int64
        Flat number of the lowest cell of air of open columns, -1 elsewhere.
    """
    found = []
    flat = reach.values.reshape(-1)
    for one in prepared.emissions:
        strength = float(one.strength.sum())
        adds = float(flat[one.cell] @ one.strength)
        if strength <= 0.0 or adds <= 0.0:
            continue
        cut = reduction / adds
        away = _away(one.cell, one.strength, (adds - reduction) / strength, flat, ground, prepared.winds.tunnel)
        emits = grams_a_day(strength)
        found.append(Alternative(one.group, emits, adds, cut * emits, 100.0 * cut, away))
    return tuple(sorted(found, key=lambda one: one.cut))


def _away(cell: Indices, strength: Floats, goal: float, reach: Floats, ground: Indices, tunnel: Tunnel) -> float:
    """Least distance from the middle of a site to open ground from which emissions reach people as little as asked."""
    _, ny, nx = tunnel.shape
    x, y = 0.5 * (tunnel.x[1:] + tunnel.x[:-1]), 0.5 * (tunnel.y[1:] + tunnel.y[:-1])
    column = cell % (ny * nx)
    at = np.column_stack([x[column % nx], y[column // nx]])
    share = strength / strength.sum()
    middle = share @ at
    if share @ np.hypot(*(at - middle).T) > COMPACT:
        return float("nan")
    away = np.hypot(x[None, :] - middle[0], y[:, None] - middle[1])
    good = (ground >= 0) & (away <= FARTHEST)
    good &= np.where(ground >= 0, reach[ground], np.inf) <= goal
    return float(away[good].min()) if good.any() else float("nan")


def least_cut(alternatives: Sequence[Alternative]) -> Alternative | None:
    """The group that has to cut the smallest part of what it emits."""
    return min(alternatives, key=lambda one: one.percent, default=None)
