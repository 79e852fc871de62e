"""From coarse to fine: a rough flow after a moment, carried to finer grids, until the map no longer changes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.wind.crew import Crew
from analysis.wind.flow import Flow, Heading, Solver, flipped
from analysis.wind.profile import Inflow
from analysis.wind.sample import Fields, HeightMap, Sampler, at_height, centred, levels_for
from analysis.wind.surfaces import GHOSTS
from analysis.wind.tunnel import Tunnel
from geo.model import Feedback

Singles = NDArray[np.float32]
Floats = NDArray[np.float64]

MEASURED_EVERY = 20
CHECKED_EVERY = 10
DIVERGENCE = 1e-3  # sum of the cells' net flows over the inflow
SWING_LOOKS = 5  # a flow swings when so many measured changes are no smaller than as many before them ...
SWING_GAIN = 0.85  # ... times this; its mean is then what settles
MEAN_EVERY, MEAN_LEAST = 4, 100  # iterations between flows taken into the mean, and fewest a mean may hold


@dataclass(frozen=True)
class Settings:
    """How long and how finely to calculate.

    Attributes
    ----------
    iterations : tuple of int
        Per level, coarse to fine; the last number holds for all further levels. The last level may stop earlier.
    cfl : float
    change : float
        The map has settled when it changes by less than this share in 20 iterations, twice in a row.
    map_height : float [m]
        Above ground; where the change is measured.
    threads : int
        0 for all.
    """

    iterations: tuple[int, ...] = (200, 150, 600)
    cfl: float = 3.0
    change: float = 0.005
    map_height: float = 1.75
    threads: int = 0

    def steps(self, level: int, levels: int) -> int:
        """Iterations of a level; a single level takes the last number."""
        if level == levels - 1:
            return self.iterations[-1]
        return self.iterations[min(level, len(self.iterations) - 1)]


class Kept(NamedTuple):
    """A flow with the grid it was calculated on, in the solver's mirror: what a warm start needs."""

    flow: Flow
    tunnel: Tunnel
    heading: Heading


@dataclass(frozen=True)
class Solved:
    """A steady wind.

    Attributes
    ----------
    tunnel : Tunnel
        The finest, in its own axes.
    kept : Kept
    change : float
        Share by which the map changed over the last 20 iterations.
    divergence : float
        Sum of the cells' net flows over the inflow.
    iterations : tuple of int
        Per level.
    converged : bool
    cost : float
        Nanoseconds per cell and iteration on the last level.
    sealed : int
        Cells of air without a way out.
    history : tuple of (iteration, change)
    averaged : int
        Iterations the flow is the mean of, where it swung about a steady one; else 0.
    swing : float
        Share by which the map changed in 20 iterations while it swung; 0 where it did not.
    """

    tunnel: Tunnel
    kept: Kept
    wind: Inflow
    change: float
    divergence: float
    iterations: tuple[int, ...]
    converged: bool
    cost: float
    sealed: int
    history: tuple[tuple[int, float], ...] = field(default=())
    averaged: int = 0
    swing: float = 0.0

    @property
    def flow(self) -> Flow:
        """Arrays with ghosts, in the solver's mirror."""
        return self.kept.flow

    def fields(self, levels: int | None = None) -> Fields:
        """Cell-centred values in the tunnel's own axes, of the lowest levels or all."""
        return centred(self.kept.flow, self.kept.heading, levels=levels)

    def map_at(self, height: float) -> HeightMap:
        """Values at a height above ground [m] over all columns of the tunnel."""
        return at_height(self.fields(levels_for(self.tunnel, height)), self.tunnel, height)

    def sampler(self) -> Sampler:
        """Values at any points."""
        return Sampler(self.fields(), self.tunnel)


def solve(
    levels: Sequence[Tunnel],
    wind: Inflow,
    *,
    settings: Settings,
    feedback: Feedback,
    start: Kept | None = None,
    on_level: Callable[[int, Solved], None] | None = None,
) -> Solved:
    """Steady wind on the last of the tunnels.

    Parameters
    ----------
    levels : sequence of Tunnel
        Coarse to fine, the same ground.
    wind : Inflow
    start : Kept, optional
        An earlier flow, on whatever grid: calculation begins with it on the last level only.
    on_level : callable(number, Solved), optional
        Told of each level that has ended.
    """
    with Crew(settings.threads) as crew:
        chosen = list(levels[-1:]) if start is not None else list(levels)
        work = np.array([settings.steps(n, len(chosen)) * float(np.prod(t.shape)) for n, t in enumerate(chosen)])
        ends = np.concatenate([[0.0], np.cumsum(work) / work.sum()])
        counts: list[int] = []
        last: Solved | None = None
        for number, tunnel in enumerate(chosen):
            part = feedback.part(float(ends[number]), float(ends[number + 1]))
            run = _Run(tunnel, wind, crew, settings, start)
            last = run.until(settings.steps(number, len(chosen)), number == len(chosen) - 1, counts, part)
            counts.append(run.solver.steps)
            start = last.kept
            if on_level is not None:
                on_level(number, last)
    if last is None:
        raise ValueError("no level to solve")
    return last


class _Run:
    """One level."""

    def __init__(self, tunnel: Tunnel, wind: Inflow, crew: Crew, settings: Settings, start: Kept | None) -> None:
        self.tunnel, self.wind, self.settings = tunnel, wind, settings
        self.heading = Heading.of(tunnel, wind.wind_from)
        mirror = flipped(tunnel, self.heading)
        begin = None if start is None else carried_over(start, mirror)
        self.solver = Solver(mirror, wind, self.heading, crew, cfl=settings.cfl, start=begin)
        self._levels = levels_for(tunnel, settings.map_height)
        self._before: Singles | None = None
        self.history: list[tuple[int, float]] = []
        self._mean: _Mean | None = None
        self._swing = 0.0

    def until(self, most: int, last: bool, counts: Sequence[int], feedback: Feedback) -> Solved:
        """Iterate until the map has settled (on the last level) or the number is used up."""
        began = time.perf_counter()
        calm, divergence = 0, np.inf
        for step in range(most):
            feedback.step(step / most, f"wind: iteration {step + 1} of at most {most}")
            self.solver.iterate()
            if self._mean is not None and (step + 1) % MEAN_EVERY == 0:
                self._mean.add(self.solver.flow)
            if (step + 1) % CHECKED_EVERY == 0 or step + 1 == most:
                self.solver.check()
            if (step + 1) % MEASURED_EVERY == 0:
                change = self._change()
                divergence = self.solver.imbalance()
                calm = calm + 1 if change < self.settings.change and divergence < DIVERGENCE else 0
                if last and calm >= 2 and (self._mean is None or self._mean.iterations >= MEAN_LEAST):
                    break
                if last and self._mean is None and self._swings():
                    self._swing, self._before = change, None
                    self._mean = _Mean(self.solver.flow)
        cost = (time.perf_counter() - began) / max(self.solver.steps, 1) / self.solver.cells * 1e9
        change = self.history[-1][1] if self.history else np.inf
        kept = Kept(self._shown(), self.solver.tunnel, self.heading)
        return Solved(
            self.tunnel, kept, self.wind, change, divergence, (*counts, self.solver.steps), calm >= 2, cost,
            self.solver.sealed, tuple(self.history), 0 if self._mean is None else self._mean.iterations, self._swing,
        )  # fmt: skip

    def _shown(self) -> Flow:
        """What stands for the steady wind: the last flow, or the mean where it swings."""
        return self.solver.flow if self._mean is None else self._mean.flow

    def _swings(self) -> bool:
        """Whether the changes have ceased to become smaller."""
        changes = [change for _, change in self.history]
        if len(changes) < 2 * SWING_LOOKS:
            return False
        late, early = changes[-SWING_LOOKS:], changes[-2 * SWING_LOOKS : -SWING_LOOKS]
        return float(np.mean(late)) > SWING_GAIN * float(np.mean(early))

    def _change(self) -> float:
        """Root mean square change of the scalar speed since the last time over its mean, in the study window."""
        fields = centred(self._shown(), self.heading, levels=self._levels)
        speed = at_height(fields, self.tunnel, self.settings.map_height).scalar_speed[_window(self.tunnel)]
        before, self._before = self._before, speed
        if before is None:
            return np.inf
        known = np.isfinite(speed) & np.isfinite(before)
        if not known.any():  # every column of a coarse level may be built upon
            return np.inf
        change = float(
            np.sqrt(np.mean((speed - before)[known].astype(float) ** 2)) / np.mean(speed[known].astype(float))
        )
        self.history.append((self.solver.steps, change))
        return change


class _Mean:
    """Mean of a flow that swings about a steady one: wakes that shed keep the last iterations from standing still.

    The mean of velocities without divergence has none. What the swing adds to the turbulent energy is added to the
    modelled k, as in unsteady RANS; pseudo-time steps give it its size, not its frequency.
    """

    def __init__(self, flow: Flow) -> None:
        self._flow = Flow(*(a.copy() for a in flow))
        self._spread = [np.zeros_like(a) for a in flow[:3]]
        self._count = 1

    @property
    def iterations(self) -> int:
        """Iterations the mean spans."""
        return (self._count - 1) * MEAN_EVERY

    @property
    def flow(self) -> Flow:
        """The mean; k with the energy of the swing."""
        energy = self._flow.k.copy()
        for axis, spread in zip((2, 1, 0), self._spread, strict=True):
            low, high = [slice(None)] * 3, [slice(None)] * 3
            low[axis], high[axis] = slice(None, -1), slice(1, None)
            energy[tuple(low)] += np.float32(0.25) * (spread[tuple(low)] + spread[tuple(high)])
        energy[self._flow.nut == 0] = self._flow.k[self._flow.nut == 0]
        return self._flow._replace(k=energy)

    def add(self, flow: Flow) -> None:
        """Take one more flow into the mean."""
        self._count += 1
        share = np.float32(1 / self._count)
        for number, (mine, its) in enumerate(zip(self._flow, flow, strict=True)):
            for level in range(len(mine)):  # plane by plane: no second copy of a field
                off = its[level] - mine[level]
                mine[level] += share * off
                if number < len(self._spread):
                    spread = self._spread[number][level]
                    spread += share * ((1 - share) * off * off - spread)


def _window(tunnel: Tunnel) -> tuple[slice, slice]:
    """Cells with their centre in the study window."""
    out = []
    for faces, low, high in (
        (tunnel.y, tunnel.study[1], tunnel.study[3]),
        (tunnel.x, tunnel.study[0], tunnel.study[2]),
    ):
        middle = (faces[1:] + faces[:-1]) / 2
        inside = np.flatnonzero((middle >= low) & (middle <= high))
        out.append(slice(int(inside[0]), int(inside[-1]) + 1) if len(inside) else slice(None))
    return out[0], out[1]


def carried_over(kept: Kept, tunnel: Tunnel) -> Flow:
    """A flow interpolated linearly to another grid (both in the same mirror); solids lend no k, epsilon, pressure."""
    old = kept.tunnel
    if _same_grid(old, tunnel):
        return _freed(kept.flow, tunnel)
    here = [(_faces(a), _middles(a)) for a in (old.x, old.y, old.z)]
    there = [(_faces(a), _middles(a)) for a in (tunnel.x, tunnel.y, tunnel.z)]
    out = []
    for number, field_ in enumerate(kept.flow):
        mine = [here[axis][0 if number == axis else 1] for axis in range(3)]
        wanted = [there[axis][0 if number == axis else 1] for axis in range(3)]
        values = field_ if number < 3 else _filled(field_, kept.flow.nut)
        out.append(_regrid(values, mine, wanted))
    return Flow(*out)


def _same_grid(a: Tunnel, b: Tunnel) -> bool:
    return all(len(m) == len(n) and np.array_equal(m, n) for m, n in ((a.x, b.x), (a.y, b.y), (a.z, b.z)))


def _freed(flow: Flow, tunnel: Tunnel) -> Flow:
    """The same grid with other solids: k, epsilon, viscosity and pressure of freed cells from the nearest air."""
    return Flow(*flow[:3], *(_filled(a, flow.nut) for a in flow[3:]))


def _filled(a: Singles, nut: Singles) -> Singles:
    """Values of solid cells replaced by those of the nearest air above (buildings stand on the ground)."""
    out = a.copy()
    for k in range(len(a) - GHOSTS - 2, GHOSTS - 1, -1):
        solid = nut[k] == 0
        out[k][solid] = out[k + 1][solid]
    return out


def _faces(faces: Floats) -> Floats:
    """Places of the low faces of all cells, ghosts too."""
    low, high = faces[1] - faces[0], faces[-1] - faces[-2]
    return np.concatenate([faces[0] - low * np.array([2, 1]), faces, faces[-1:] + high])


def _middles(faces: Floats) -> Floats:
    """Centres of all cells, ghosts too."""
    all_faces = np.append(_faces(faces), faces[-1] + 2 * (faces[-1] - faces[-2]))
    return np.asarray((all_faces[1:] + all_faces[:-1]) / 2)


def _regrid(a: Singles, old: list[Floats], new: list[Floats]) -> Singles:
    """Linear interpolation, axis by axis; order of `old` and `new`: x, y, z."""
    for axis in range(3):
        where = 2 - axis
        low = np.clip(np.searchsorted(old[axis], new[axis]) - 1, 0, len(old[axis]) - 2)
        share = np.clip((new[axis] - old[axis][low]) / (old[axis][low + 1] - old[axis][low]), 0.0, 1.0)
        form = [1, 1, 1]
        form[where] = -1
        t = share.astype(np.float32).reshape(form)
        a = np.take(a, low, axis=where) * (1 - t) + np.take(a, low + 1, axis=where) * t
    return a
