"""Several purifiers in one wind: how much they take from each other, and the whole grid solved again with all of them.

Far from its box a unit is a source of its deficit. What the deficits of the others leave at its intake tells how much
less it can do: ``(I + G) a = 1``, ``G_mn = -dc_n(I_m) / c0(I_m)``, benefit ``sum a_n dJ_n``. Units that stand close
together are solved in one box and count as one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.dust.faces import Faces
from analysis.dust.near_field import AROUND, LAYERS, Box, Local, OwnFlow, Setting, box_around, boxed, cut_out, own_flow
from analysis.dust.operator import INNER, Operator, make_operator
from analysis.dust.solver import Transport
from analysis.dust.unit import Ports
from analysis.wind.crew import Crew, thread_count
from geo.model import Feedback

Floats = NDArray[np.float64]
Field = NDArray[Any]

CLOSE = 6  # cells between ports of units that are solved in one box
WIDER = 2  # own flow over the whole grid reaches so many times farther than the first box


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


class Resolved(NamedTuple):
    """The whole grid solved with the units and their own flow.

    Attributes
    ----------
    change : (nz, ny, nx) [ug/m3]
        Of the concentration: add it to the setting's.
    intake, untouched : (n,) float [ug/m3]
        At each intake, with all units and without.
    removed : (n,) float [ug/s]
    iterations : int
    """

    change: Field
    intake: Floats
    untouched: Floats
    removed: Floats
    iterations: int

    def benefit(self, weights: Field) -> float:
        """By which the mean over the people falls [ug/m3]; weights (nz, ny, nx) sum 1, as of `Exposure.on`."""
        return -float((weights * self.change).sum(dtype=np.float64))


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
                self._forward = Transport(self._operator(), self._crew)
            self._columns[key] = self._forward.solve(right, feedback, tolerance=self._tolerance).values
        return self._columns[key]

    def reached_by(self, unit: Ports, feedback: Feedback) -> Field:
        """(nz, ny, nx) change at a unit's intake by an emission anywhere [s/m3]."""
        if unit.key not in self._reached:
            weights = np.zeros(self.setting.faces.shape)
            weights.reshape(-1)[unit.intake] = unit.intake_weight
            if self._backward is None:
                self._backward = Transport(self._operator(), self._crew, transpose=True)
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

    def _operator(self) -> Operator:
        return _still(self.setting, self._dtype)

    @property
    def _tolerance(self) -> float | None:
        return 1e-10 if self._dtype is np.float64 else None


def _key(units: Sequence[Ports]) -> object:
    return tuple(unit.key for unit in units)


def _still(setting: Setting, dtype: type[np.floating[Any]]) -> Operator:
    particle = setting.particle.in_wind(setting.ratio)
    return make_operator(
        setting.faces, mixing=setting.mixing, particle=particle, leaf_area=setting.leaf_area, dtype=dtype
    )


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


def flows_of(faces: Faces, units: Sequence[Ports]) -> list[OwnFlow]:
    """Own flow of each unit in a wide box of the grid; they add up."""
    around, layers = WIDER * AROUND, WIDER * LAYERS
    boxes = [box_around((unit,), faces.shape, around=around, layers=layers) for unit in units]
    return [own_flow(faces, (unit,), box) for unit, box in zip(units, boxes, strict=True)]


def with_units(faces: Faces, units: Sequence[Ports], *, ratio: float = 1.0) -> Faces:
    """The wind with the own flow of all units laid over it.

    Air now enters at the outlets and leaves at the intakes: `UnitTransport` knows what dust that brings. `ratio` is
    that of the setting: a unit's flow counts for more in weak wind.
    """
    return _laid_over(faces, flows_of(faces, units), ratio)


def _laid_over(faces: Faces, flows: Sequence[OwnFlow], ratio: float) -> Faces:
    east, north, up = (np.array(flux, dtype=np.float64) for flux in faces[5:])
    for flow in flows:
        for total, more, axis in zip((east, north, up), flow[1:], (2, 1, 0), strict=True):
            total[flow.box.faces(axis)] += more / ratio
    return faces._replace(east=east, north=north, up=up)


class UnitTransport(Transport):
    """Solver of the equations with units: what they take in is let out again as far as they do not keep it.

    Parameters
    ----------
    operator : Operator
        Of the wind `with_units`, with `taken_in` as sink.
    units : sequence of Ports
        In the setting's wind (`Ports.in_wind`).
    frozen : bool
        Without own flow: what a unit keeps is missing at its outlet, and nothing is a sink.
    """

    def __init__(self, operator: Operator, units: Sequence[Ports], crew: Crew, *, frozen: bool = False) -> None:
        self._units = [(unit, _ghosted(unit.intake, operator), _ghosted(unit.outlet, operator)) for unit in units]
        self._frozen = frozen
        super().__init__(operator, crew)

    def times(self, x: Field, out: Field) -> None:
        """The equations times x, arrays with ghosts; 0 in ghosts and solids of x."""
        super().times(x, out)
        flat, result = x.reshape(-1), out.reshape(-1)
        for unit, intake, outlet in self._units:
            returned = _returned(unit, self._frozen) * float(unit.intake_weight @ flat[intake])
            result[outlet] -= (returned * unit.outlet_weight).astype(out.dtype)


def _returned(unit: Ports, frozen: bool) -> float:
    """What a unit lets out for each ug/m3 it takes in [m3/s]."""
    return -unit.efficiency * unit.flow if frozen else (1.0 - unit.efficiency) * unit.flow


def _ghosted(cell: NDArray[np.int64], operator: Operator) -> NDArray[np.int64]:
    at = np.unravel_index(cell, operator.shape)
    return np.ravel_multi_index(tuple(a + s.start for a, s in zip(at, INNER, strict=True)), operator.air.shape)


def taken_in(operator: Operator, units: Sequence[Ports]) -> Operator:
    """An operator with the units' intakes as sinks: they count as what leaves the grid."""
    outflow = operator.share.outflow.copy()
    diagonal = operator.upwind.diagonal.copy()
    for unit in units:
        more = unit.flow * unit.intake_weight
        np.add.at(outflow.reshape(-1), unit.intake, more)
        np.add.at(diagonal.reshape(-1), _ghosted(unit.intake, operator), more.astype(diagonal.dtype))
    return replace(
        operator, upwind=operator.upwind._replace(diagonal=diagonal), share=operator.share._replace(outflow=outflow)
    )


def resolve(
    setting: Setting,
    units: Sequence[Ports],
    crew: Crew,
    feedback: Feedback,
    *,
    dtype: type[np.floating[Any]] = np.float32,
    start: Field | None = None,
    frozen: bool = False,
) -> Resolved:
    """Solve the whole grid with the units and their own flow: the number that counts in the end. Raises `UserError`.

    Solved for the change, so that a benefit of a ten-thousandth keeps its digits in float32.

    Parameters
    ----------
    start : (nz, ny, nx), optional
        An earlier change, such as the sum of the columns.
    frozen : bool
        Without own flow, as a check.
    """
    flows = [] if frozen else flows_of(setting.faces, units)
    laid = setting._replace(faces=_laid_over(setting.faces, flows, setting.ratio))
    slowed = [unit.in_wind(setting.ratio) for unit in units]
    right = _gained(setting, laid, slowed, flows)
    operator = _still(laid, dtype)
    transport = UnitTransport(operator if frozen else taken_in(operator, slowed), slowed, crew, frozen=frozen)
    found = transport.solve(right, feedback, tolerance=1e-10 if dtype is np.float64 else None, start=start)
    untouched = np.array([unit.at_intake(setting.concentration) for unit in units])
    intake = untouched + np.array([unit.at_intake(found.values) for unit in units])
    removed = np.array([unit.efficiency * unit.flow for unit in units]) * intake
    return Resolved(found.values, intake, untouched, removed, found.iterations)


def _gained(setting: Setting, laid: Setting, units: Sequence[Ports], flows: Sequence[OwnFlow]) -> Floats:
    """What dust as it was gains in every cell when the units run, in float64 box by box."""
    from analysis.kernels.dust_box import difference, equations

    shape = setting.faces.shape
    out, done = np.zeros(shape), np.zeros(shape, dtype=bool)
    for flow in flows:
        box, inner = _with_margin(flow.box, shape)
        air = setting.faces.air[box.cells]
        c0 = np.where(air, setting.concentration[box.cells], 0.0).astype(np.float64)
        gained = difference(equations(*cut_out(setting, box)), equations(*cut_out(laid, box)), c0)[inner]
        here = flow.box.cells
        out[here] = np.where(done[here], out[here], gained)
        done[here] = True
    for unit in units:
        c0 = setting.concentration.reshape(-1)[unit.intake].astype(np.float64)
        returned = _returned(unit, not flows) * float(unit.intake_weight @ c0)
        if flows:
            np.add.at(out.reshape(-1), unit.intake, -unit.flow * unit.intake_weight * c0)
        np.add.at(out.reshape(-1), unit.outlet, returned * unit.outlet_weight)
    return out


def _with_margin(box: Box, shape: tuple[int, int, int], margin: int = 2) -> tuple[Box, tuple[slice, ...]]:
    """A box with the cells around it that its equations ask for, and where it lies in that."""
    low = tuple(max(a - margin, 0) for a in box.low)
    high = tuple(min(a + margin, n) for a, n in zip(box.high, shape, strict=True))
    inner = tuple(slice(a - b, c - b) for a, b, c in zip(box.low, low, box.high, strict=True))
    return Box((low[0], low[1], low[2]), (high[0], high[1], high[2])), inner
