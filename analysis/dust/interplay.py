"""Several purifiers in one wind: how much they take from each other, without solving the grid again for every choice.

Far from its box a unit is a source of its deficit. What the deficits of the others leave at its intake tells how much
less it can do: ``(I + G) a = 1``, ``G_mn = -dc_n(I_m) / c0(I_m)``, benefit ``sum a_n dJ_n``. Units that stand close
together are solved in one box and count as one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.dust.near_field import Local, OwnFlow, Setting, box_around, boxed, own_flow
from analysis.dust.solver import Transport
from analysis.dust.unit import Ports
from analysis.dust.units import still_operator
from analysis.threads import thread_count
from analysis.wind.crew import Crew
from geo.model import Feedback

Floats = NDArray[np.float64]
Field = NDArray[Any]

CLOSE = 10  # cells between ports of units that are solved in one box: farther apart amplitudes are within 3 %


class Joint(NamedTuple):
    """Units together under one wind.

    Attributes
    ----------
    benefit : float [ug/m3]
        By which the people's mean falls.
    groups : tuple of tuples of int
        Units solved in one box each, by their place in what was asked.
    amplitude : (groups,) float
        Share of what each group does alone that is left of it beside the others.
    alone : (groups,) float [ug/m3]
        Benefit of each group alone.
    intake, removed : (units,) float [ug/m3], [ug/s]
    """

    benefit: float
    groups: tuple[tuple[int, ...], ...]
    amplitude: Floats
    alone: Floats
    intake: Floats
    removed: Floats


def benefits(
    settings: Sequence[Setting],
    units: Sequence[Ports],
    *,
    own: OwnFlow | None = None,
    grow: bool = False,
    threads: int = 0,
) -> Iterator[Local]:
    """Units in one box under several winds, one answer after the other: the mean is ``sum share benefit``.

    The own flow is calculated once. The first answer comes as soon as it is there, for a unit that is being dragged.

    Parameters
    ----------
    own : OwnFlow, optional
        If it is known already.
    threads : int
        0 takes all processors.
    """
    if not settings:
        return
    first = settings[0].faces
    flow = own if own is not None else own_flow(first, units, box_around(units, first.shape))
    count = min(threads or thread_count(), len(settings))
    if count == 1:
        for setting in settings:
            yield boxed(setting, units, own=flow, grow=grow)
        return
    with ThreadPoolExecutor(count) as pool:
        yield from pool.map(lambda setting: boxed(setting, units, own=flow, grow=grow), settings)


class Interplay:
    """What units leave to each other under one wind. Boxes and columns are kept: ask as often as you like.

    Parameters
    ----------
    setting : Setting
    crew : Crew
    forward, backward : Transport, optional
        Solvers of the setting's own equations and their transpose where they are at hand; made when first needed.
    dtype : numpy.dtype
        Of the columns; float64 for checks.
    grow : bool
        Whether boxes grow until the benefit stands still.
    close : int
        Units with fewer cells between their ports are solved in one box.
    frozen : bool
        Without the units' own flow, as a check.
    """

    def __init__(
        self,
        setting: Setting,
        crew: Crew,
        *,
        forward: Transport | None = None,
        backward: Transport | None = None,
        dtype: type[np.floating[Any]] = np.float32,
        grow: bool = False,
        close: int = CLOSE,
        frozen: bool = False,
    ) -> None:
        self.setting, self._crew = setting, crew
        self._forward, self._backward, self._dtype = forward, backward, dtype
        self._grow, self._close, self._frozen = grow, close, frozen
        self._locals: dict[object, Local] = {}
        self._columns: dict[object, Field] = {}
        self._reached: dict[object, Field] = {}

    def local(self, units: Sequence[Ports]) -> Local:
        """Units in one box, kept."""
        key = _key(units)
        if key not in self._locals:
            self._locals[key] = boxed(self.setting, units, grow=self._grow, frozen=self._frozen)
        return self._locals[key]

    def know(self, unit: Ports, feedback: Feedback) -> None:
        """Solve once forward and once back for a unit that is chosen: any other beside it then needs no solve."""
        self.column((unit,), feedback.part(0.0, 0.5))
        self.reached_by(unit, feedback.part(0.5, 1.0))

    def column(self, units: Sequence[Ports], feedback: Feedback) -> Field:
        """(nz, ny, nx) change of the concentration far from units that stand in one box [ug/m3]."""
        key = _key(units)
        if key not in self._columns:
            found = self.local(units)
            right = np.zeros(self.setting.faces.shape)
            right[found.box.cells] = found.source
            if self._forward is None:
                self._forward = Transport(still_operator(self.setting, self._dtype), self._crew)
            self._columns[key] = self._forward.solve(right, feedback, tolerance=self._tolerance).values
        return self._columns[key]

    def reached_by(self, unit: Ports, feedback: Feedback) -> Field:
        """(nz, ny, nx) change at a unit's intake by an emission anywhere [s/m3]."""
        if unit.key not in self._reached:
            weights = np.zeros(self.setting.faces.shape)
            weights.reshape(-1)[unit.intake] = unit.intake_weight
            if self._backward is None:
                self._backward = Transport(still_operator(self.setting, self._dtype), self._crew, transpose=True)
            self._reached[unit.key] = self._backward.solve(weights, feedback, tolerance=self._tolerance).values
        return self._reached[unit.key]

    def joint(self, units: Sequence[Ports], feedback: Feedback | None = None) -> Joint:
        """Benefit of units together. Solves only for pairs of which nothing is known yet."""
        feedback = feedback or Feedback()
        groups = groups_of(units, self.setting.faces.shape, self._close)
        members = [tuple(units[n] for n in group) for group in groups]
        alone = [self.local(group) for group in members]
        weakened = np.zeros((len(groups), len(groups)))
        for to, group in enumerate(members):
            for by, others in enumerate(members):
                if to != by:
                    part = feedback.part((to + by / len(groups)) / len(groups), (to + 1) / len(groups))
                    weakened[to, by] = self._weakened(group, alone[to], others, alone[by], part)
        amplitude = np.asarray(np.linalg.solve(np.eye(len(groups)) + weakened, np.ones(len(groups))), np.float64)
        benefit = np.array([found.benefit for found in alone], dtype=np.float64)
        intake, removed = np.zeros(len(units)), np.zeros(len(units))
        for number, numbers in enumerate(groups):
            intake[list(numbers)] = amplitude[number] * alone[number].intake
            removed[list(numbers)] = amplitude[number] * alone[number].removed
        return Joint(float(amplitude @ benefit), groups, amplitude, benefit, intake, removed)

    def _weakened(
        self, group: Sequence[Ports], found: Local, others: Sequence[Ports], their: Local, feedback: Feedback
    ) -> float:
        """Part of the dust at a group's intakes that others take away, by what each of the group removes."""
        less = np.array([self._change_at(unit, others, their, feedback) for unit in group])
        part = -less / np.where(found.untouched > 0.0, found.untouched, 1.0)
        total = float(found.removed.sum())
        return float(part @ found.removed) / total if total > 0.0 else 0.0

    def _change_at(self, unit: Ports, others: Sequence[Ports], their: Local, feedback: Feedback) -> float:
        if unit.key in self._reached and _key(others) not in self._columns:
            reach = self._reached[unit.key][their.box.cells].astype(np.float64)
            return float((reach * their.source).sum())
        return unit.at_intake(self.column(others, feedback))

    @property
    def _tolerance(self) -> float | None:
        return 1e-10 if self._dtype is np.float64 else None


def groups_of(units: Sequence[Ports], shape: tuple[int, int, int], close: int = CLOSE) -> tuple[tuple[int, ...], ...]:
    """Units that stand so close that they must be solved in one box, each unit in one group."""
    spans = []
    for unit in units:
        at = np.array(np.unravel_index(np.concatenate([unit.intake, unit.outlet]), shape))
        spans.append((at.min(axis=1), at.max(axis=1)))
    groups: list[list[int]] = []
    for number, (low, high) in enumerate(spans):
        touching = [
            group
            for group in groups
            if any(np.all(np.maximum(low - spans[n][1], spans[n][0] - high) <= close) for n in group)
        ]
        merged = sorted([number, *(n for group in touching for n in group)])
        groups = [group for group in groups if group not in touching] + [merged]
    return tuple(tuple(group) for group in sorted(groups))


def _key(units: Sequence[Ports]) -> object:
    return tuple(unit.key for unit in units)
