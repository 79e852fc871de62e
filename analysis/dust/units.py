"""The whole grid with purifiers: the wind with their own flow, and what they change in the dust everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.dust.faces import Faces
from analysis.dust.near_field import AROUND, LAYERS, Box, OwnFlow, Setting, box_around, cut_out, own_flow
from analysis.dust.operator import INNER, Operator, Share, make_operator
from analysis.dust.solver import Transport
from analysis.dust.unit import Ports
from analysis.wind.crew import Crew
from geo.model import Feedback

Floats = NDArray[np.float64]
Field = NDArray[Any]

WIDER = 2  # own flow over the whole grid reaches so many times farther than the first box


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


def still_operator(setting: Setting, dtype: type[np.floating[Any]]) -> Operator:
    """Equations of a setting's whole grid without new units."""
    particle = setting.particle.in_wind(setting.ratio)
    return make_operator(
        setting.faces, mixing=setting.mixing, particle=particle, leaf_area=setting.leaf_area, dtype=dtype
    )


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

    def _times(self, x: Field, out: Field, other: Field) -> tuple[float, float]:
        """The equations times x, with the products of that with another field and with itself."""
        along, length = super()._times(x, out, other)
        flat, result, beside = x.reshape(-1), out.reshape(-1), other.reshape(-1)
        for unit, intake, outlet in self._units:
            before = result[outlet].astype(np.float64), beside[outlet].astype(np.float64)
            returned = _returned(unit, self._frozen) * float(unit.intake_weight @ flat[intake])
            result[outlet] -= (returned * unit.outlet_weight).astype(out.dtype)
            after = result[outlet].astype(np.float64), beside[outlet].astype(np.float64)  # `other` may be `out`
            along += float(after[0] @ after[1] - before[0] @ before[1])
            length += float(after[0] @ after[0] - before[0] @ before[0])
        return along, length


def _returned(unit: Ports, frozen: bool) -> float:
    """What a unit lets out for each ug/m3 it takes in [m3/s]."""
    return -unit.efficiency * unit.flow if frozen else (1.0 - unit.efficiency) * unit.flow


def _ghosted(cell: NDArray[np.int64], operator: Operator) -> NDArray[np.int64]:
    at = np.unravel_index(cell, operator.shape)
    return np.ravel_multi_index(tuple(a + s.start for a, s in zip(at, INNER, strict=True)), operator.air.shape)


@dataclass(frozen=True)
class SharedWithUnits(Share):
    """Where dust enters and leaves a grid with units: what they take in counts as what leaves through the borders."""

    taken: Floats | float = 0.0

    @property
    def outflow(self) -> Floats:
        """What leaves through the borders and into the units."""
        return np.asarray(super().outflow + self.taken)

    @property
    def sink(self) -> Floats:
        """All that leaves."""
        return np.asarray(super().sink + self.taken)


def taken_in(operator: Operator, units: Sequence[Ports]) -> Operator:
    """An operator with the units' intakes as sinks."""
    taken, diagonal = np.zeros(operator.shape), operator.upwind.diagonal.copy()
    for unit in units:
        more = unit.flow * unit.intake_weight
        np.add.at(taken.reshape(-1), unit.intake, more)
        np.add.at(diagonal.reshape(-1), _ghosted(unit.intake, operator), more.astype(diagonal.dtype))
    share = operator.share
    return replace(
        operator,
        upwind=operator.upwind._replace(diagonal=diagonal),
        share=SharedWithUnits(share.faces, share.particle, share.leaf_area, taken),
    )


def resolve(
    setting: Setting,
    units: Sequence[Ports],
    crew: Crew,
    feedback: Feedback,
    *,
    dtype: type[np.floating[Any]] = np.float32,
    start: Field | None = None,
    flows: Sequence[OwnFlow] | None = None,
    frozen: bool = False,
) -> Resolved:
    """Solve the whole grid with the units and their own flow: the number that counts in the end. Raises `UserError`.

    Solved for the change, so that a benefit of a ten-thousandth keeps its digits in float32.

    Parameters
    ----------
    start : (nz, ny, nx), optional
        An earlier change, such as the sum of the columns.
    flows : sequence of OwnFlow, optional
        Of `flows_of` for these units: they depend on the walls only, so that one call serves all winds.
    frozen : bool
        Without own flow, as a check.
    """
    if frozen:
        flows = ()
    elif flows is None:
        flows = flows_of(setting.faces, units)
    laid = setting._replace(faces=_laid_over(setting.faces, flows, setting.ratio))
    slowed = [unit.in_wind(setting.ratio) for unit in units]
    right = _gained(setting, laid, slowed, flows)
    operator = still_operator(laid, dtype)
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
