"""A row of buildings left out: the wind is solved again from where it was, and what changes is measured."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.corridor.city import Downwind
from analysis.wind.age import Age, age_at, age_of_air
from analysis.wind.declaration import TunnelParams
from analysis.wind.geometry import make_level
from analysis.wind.levels import Settings, Solved, solve
from analysis.wind.plan import Plan
from analysis.wind.scene_map import axes_of, open_columns
from analysis.wind.tunnel import Tunnel
from geo.model import Feedback

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Bools = NDArray[np.bool_]

CONFIRMED = 0.05  # the corridor's ratio rises at least by this share


class Pair(NamedTuple):
    """A figure before and after."""

    before: float
    after: float

    @property
    def change(self) -> float:
        """After less before, over before; not-a-number without a before."""
        return (self.after - self.before) / self.before if self.before > 0.0 else float("nan")


class Freed(NamedTuple):
    """What leaving a row out does.

    Attributes
    ----------
    corridor_ratio, area_ratio : Pair
        Mean speed over the reference, in the corridor that the row closes and over the study area; open ground of both.
    corridor_age, area_age : Pair [s]
    change : (ny, nx) float32
        Speed over the reference, after less before, on the tunnel's columns; NaN where either has a building.
    settled : bool
        Whether both flows had settled.
    """

    corridor_ratio: Pair
    area_ratio: Pair
    corridor_age: Pair
    area_age: Pair
    change: Singles
    settled: bool

    @property
    def confirmed(self) -> bool:
        """The corridor gets more wind without the row."""
        return self.corridor_ratio.change >= CONFIRMED


class Before(NamedTuple):
    """A flow with its buildings, carried on as far as those it is compared with."""

    solved: Solved
    age: Age | None


def carried_on(solved: Solved, age: Age | None, settings: Settings, feedback: Feedback) -> Before:
    """The flow after as many more iterations as one without buildings will get; a settled one as it is."""
    if solved.converged:
        return Before(solved, age)
    more = solve([solved.tunnel], solved.wind, settings=settings, feedback=feedback.part(0.0, 0.8), start=solved.kept)
    later = age_of_air(more, feedback.part(0.8, 1.0), start=age) if age is not None else None
    return Before(more, later)


def freed(
    before: Before, start: Before, plan: Plan, params: TunnelParams, elements: tuple[int, ...], corridor: Floats, *,
    settings: Settings, reference: float, feedback: Feedback,
) -> Freed:  # fmt: skip
    """Solve without some buildings.

    Parameters
    ----------
    before, start : Before
        What it is compared with, and where the calculation begins.
    elements : tuple of int
        Buildings of the plan that are left out.
    corridor : (n, 2) float [local m]
        Ground that they close.
    reference : float [m/s]
    """
    keep = np.ones(len(plan.solids), dtype=bool)
    keep[list(elements)] = False
    without = plan._replace(solids=plan.solids.only(keep))
    tunnel = make_level(without, params, 0, feedback.part(0.0, 0.1))
    later = solve(
        [tunnel], before.solved.wind, settings=settings, feedback=feedback.part(0.1, 0.85), start=start.solved.kept
    )
    height = settings.map_height
    mine = columns_at(tunnel, corridor)
    both = open_columns(tunnel) & open_columns(before.solved.tunnel)
    ratios = [flow.map_at(height).scalar_speed / np.float32(reference) for flow in (before.solved, later)]
    ages: list[Singles] = [np.full(mine.shape, np.nan, np.float32)] * 2
    if before.age is not None:
        younger = age_of_air(later, feedback.part(0.85, 1.0), start=start.age)
        ages = [age_at(before.age, before.solved, height), age_at(younger, later, height)]
    feedback.step(1.0, "wind without a row of buildings")
    return Freed(
        _pair(ratios, mine & both), _pair(ratios, both), _pair(ages, mine & both), _pair(ages, both),
        np.where(both, ratios[1] - ratios[0], np.float32(np.nan)), before.solved.converged and later.converged,
    )  # fmt: skip


def _pair(maps: list[Singles], where: Bools) -> Pair:
    known = where & np.isfinite(maps[0]) & np.isfinite(maps[1])
    if not known.any():
        return Pair(float("nan"), float("nan"))
    one, other = (float(values[known].mean(dtype=np.float64)) for values in maps)
    return Pair(one, other)


def columns_at(tunnel: Tunnel, scene: Floats) -> Bools:
    """(ny, nx) columns of the tunnel below positions (n, 2) [local m]."""
    there = axes_of(tunnel).to_tunnel(scene)
    column = np.searchsorted(tunnel.x, there[:, 0], side="right") - 1
    row = np.searchsorted(tunnel.y, there[:, 1], side="right") - 1
    _, rows, columns = tunnel.shape
    good = (column >= 0) & (column < columns) & (row >= 0) & (row < rows)
    out = np.zeros((rows, columns), dtype=bool)
    out[row[good], column[good]] = True
    return out


def ground_in_scene(city: Downwind, ground: Bools) -> Floats:
    """(n, 2) middles of the raster's columns that are marked [local m]."""
    return city.axes.to_scene(city.middle(*np.nonzero(ground)))
