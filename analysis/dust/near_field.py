"""What one purifier brings: at once as an estimate for every place, and exactly from a small box of cells around it.

Taking air in does not change its dust, and clean air let out dilutes: the unit's own flow carries the difference. In a
box around the unit this flow is laid over the wind and the deficit is solved for; the adjoint field of the whole city
then tells what it is worth to the people. Equations divided by the wind's ratio as everywhere (`Particle.in_wind`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.dust.catalogue import Purifier
from analysis.dust.faces import Faces, open_faces
from analysis.dust.operator import PASSIVE, USUAL_MIXING, Mixing, Particle
from analysis.dust.people import breathing_cells
from analysis.dust.unit import Ports
from analysis.wind.tunnel import Tunnel
from geo.model import UserError

Floats = NDArray[np.float64]
Field = NDArray[Any]

AROUND, LAYERS = 10, 18  # cells beside the unit on each side, layers of the box
BELOW = 6  # layers of them under the lowest port, where there are so many
STEADY = 0.002  # change of the benefit from one box to the next larger one at which it is taken
LARGER, MOST_GROWTH = 1.5, 4
FLOW_TOLERANCE, DEFICIT_TOLERANCE, MOST_ITERATIONS = 1e-6, 1e-5, 300  # benefits within 1e-4 of tighter ones
UNSOLVED = 1e-4


class Setting(NamedTuple):
    """What a unit is placed into: the air, the dust and the worth of clean air under one wind.

    Attributes
    ----------
    faces : Faces
        Of the calculated wind, as it is kept: float32 arrays that gain and lose 1e-5 of the inflow will do. Boxes and
        `units.resolve` solve for the change alone.
    concentration : (nz, ny, nx) [ug/m3]
        Without new units.
    adjoint : (nz, ny, nx) [s/m3]
        Change of the people's mean by an emission anywhere: transposed solution of this setting's equations for the
        weights of the people.
    ratio : float
        Speed of the wind over that of the faces.
    particle : Particle
        As it is; the ratio is applied here.
    mixing : Mixing
    leaf_area : (nz, ny, nx) [1/m], optional
    share : float
        Of the time; for means over several settings.
    """

    faces: Faces
    concentration: Field
    adjoint: Field
    ratio: float = 1.0
    particle: Particle = PASSIVE
    mixing: Mixing = USUAL_MIXING
    leaf_area: Field | None = None
    share: float = 1.0


class Box(NamedTuple):
    """Cells from `low` up to but without `high`, as (layer, row, column)."""

    low: tuple[int, int, int]
    high: tuple[int, int, int]

    @property
    def cells(self) -> tuple[slice, slice, slice]:
        """Where they are in an array of cells."""
        (a, b, c), (d, e, f) = self
        return slice(a, d), slice(b, e), slice(c, f)

    def faces(self, axis: int) -> tuple[slice, ...]:
        """Where their faces across an axis of the array are, one more than cells."""
        return tuple(slice(s.start, s.stop + (a == axis)) for a, s in enumerate(self.cells))

    @property
    def shape(self) -> tuple[int, int, int]:
        """Cells: (nz, ny, nx)."""
        (a, b, c), (d, e, f) = self
        return d - a, e - b, f - c

    def overlaps(self, other: Box) -> bool:
        """Whether a cell is in both."""
        return all(max(a, b) < min(c, d) for a, b, c, d in zip(self.low, other.low, self.high, other.high, strict=True))


class OwnFlow(NamedTuple):
    """Flow of units through a box with closed borders [m3/s], faces as in `Faces`."""

    box: Box
    east: Floats
    north: Floats
    up: Floats


class Local(NamedTuple):
    """What units in one box bring under one wind.

    Attributes
    ----------
    benefit : float [ug/m3]
        By which the people's mean falls; above zero is good.
    intake : (n,) float [ug/m3]
        Concentration that each unit takes in while all of the box run.
    untouched : (n,) float [ug/m3]
        The same without them. The ratio of both tells how much a unit breathes its own clean air.
    removed : (n,) float [ug/s]
        Dust that each keeps.
    box : Box
    change : box shape [ug/m3]
        Of the concentration, below zero where it is cleaner.
    source : box shape [ug/s over the wind's ratio]
        Right side of the setting's own equations that has the same effect on everything outside.
    iterations : int
    """

    benefit: float
    intake: Floats
    untouched: Floats
    removed: Floats
    box: Box
    change: Floats
    source: Floats
    iterations: int

    @property
    def own_air(self) -> Floats:
        """(n,) concentration at the intake over the one without units; 1 is none of its own air."""
        return self.intake / np.where(self.untouched > 0.0, self.untouched, 1.0)


def bound(setting: Setting, unit: Ports) -> float:
    """Benefit if all the dust taken in from the untouched air were missing at the outlet [ug/m3].

    ``eta Q c0(intake) lambda(outlet)``. A first estimate: far too good in still corners, where a unit breathes its own
    air, and too low over roads, where its own flow lifts dust away from people. For a bound see `ceiling.ceilings`.
    """
    clean = unit.efficiency * unit.flow / setting.ratio
    return clean * unit.at_intake(setting.concentration) * unit.at_outlet(setting.adjoint)


def screen(setting: Setting, model: Purifier, tunnel: Tunnel, size: str) -> Floats:
    """(ny, nx) `bound` of a model in the middle of every column of open ground; NaN where it cannot stand.

    Intake and outlet right above each other: exact bounds of placed units need `ports_of` and `bound`.
    """
    ground = breathing_cells(tunnel, 0.0)
    intake, outlet = (breathing_cells(tunnel, height) for height in (model.intake_height, model.outlet_height))
    open_ground = (ground >= 0) & (intake >= 0) & (outlet >= 0)
    taken = np.where(open_ground, setting.concentration.reshape(-1)[intake], np.nan).astype(np.float64)
    worth = setting.adjoint.reshape(-1)[outlet].astype(np.float64)
    return np.asarray(model.clean_air(size) / setting.ratio * taken * worth)


def box_around(
    units: Sequence[Ports], shape: tuple[int, int, int], *, around: int = AROUND, layers: int = LAYERS
) -> Box:
    """Box of cells around units, cut at the borders of a grid of this shape."""
    cell = np.concatenate([part for unit in units for part in (unit.intake, unit.outlet)])
    at = np.array(np.unravel_index(cell, shape))
    low, high = at.min(axis=1), at.max(axis=1) + 1
    first = np.maximum(low - [BELOW * layers // LAYERS, around, around], 0)
    last = np.minimum(high + around, shape)
    last[0] = min(max(first[0] + layers, high[0] + layers // 2), shape[0])
    return Box((int(first[0]), int(first[1]), int(first[2])), (int(last[0]), int(last[1]), int(last[2])))


def own_flow(faces: Faces, units: Sequence[Ports], box: Box) -> OwnFlow:
    """Air that units move through a box: from the outlets to the intakes, without turning, around all walls.

    It depends on the walls only, not on the wind: one serves all settings of a city. Raises `UserError`.
    """
    from analysis.kernels.dust_box import potential

    source = np.zeros(box.shape)
    for unit in units:
        _add(source, _inside(unit.outlet, box, faces.shape), unit.flow * unit.outlet_weight)
        _add(source, _inside(unit.intake, box, faces.shape), -unit.flow * unit.intake_weight)
    air = np.array(faces.air[box.cells], order="C")
    if not source.any():
        zero = [np.zeros([n + (a == axis) for a, n in enumerate(box.shape)]) for axis in (2, 1, 0)]
        return OwnFlow(box, *zero)
    east, north, up, missing = potential(air, _widths(faces, box), source, FLOW_TOLERANCE, MOST_ITERATIONS)
    if not missing <= UNSOLVED:
        raise _no_way()
    return OwnFlow(box, east, north, up)


def box_benefit(
    setting: Setting, unit: Ports, *, own: OwnFlow | None = None, around: int = AROUND, grow: bool = True,
    frozen: bool = False,
) -> Local:  # fmt: skip
    """Exact benefit of one unit: see `boxed`."""
    return boxed(setting, (unit,), own=own, around=around, grow=grow, frozen=frozen)


def boxed(
    setting: Setting,
    units: Sequence[Ports],
    *,
    own: OwnFlow | None = None,
    around: int = AROUND,
    grow: bool = True,
    frozen: bool = False,
) -> Local:
    """Benefit of units whose boxes touch, with their own flow. Raises `UserError`.

    Parameters
    ----------
    own : OwnFlow, optional
        Of these units in the first box: the same for all winds, so that it is calculated once per place.
    around : int
        Cells on each side of the first box.
    grow : bool
        Enlarge the box until the benefit changes by less than 0.2 %. Costs some five times one box; for a search over
        many places one box is enough (within 1 % of the whole grid).
    frozen : bool
        Without the units' own flow: what they keep is missing at the outlet. For small units in wind, and as a check.
    """
    box = own.box if own is not None else box_around(units, setting.faces.shape, around=around)
    found = _solved(setting, units, own or _flow(setting, units, box, frozen), frozen)
    for step in range(1, MOST_GROWTH + 1 if grow else 1):
        wide = LARGER**step
        larger = box_around(units, setting.faces.shape, around=round(wide * around), layers=round(wide * LAYERS))
        if larger == found.box:
            break
        before, found = found, _solved(setting, units, _flow(setting, units, larger, frozen), frozen)
        if abs(found.benefit - before.benefit) <= STEADY * abs(found.benefit):
            break
    return found


def _flow(setting: Setting, units: Sequence[Ports], box: Box, frozen: bool) -> OwnFlow:
    return own_flow(setting.faces, () if frozen else units, box)


def _solved(setting: Setting, units: Sequence[Ports], own: OwnFlow, frozen: bool) -> Local:
    """The deficit in one box."""
    from analysis.kernels.dust_box import deficit, equations

    faces, box = setting.faces, own.box
    cut = cut_out(setting, box)
    still = equations(*cut)
    moved = still
    if not frozen:
        taken = cut.sink.copy()
        for unit in units:
            _add(taken, _inside(unit.intake, box, faces.shape), unit.flow / setting.ratio * unit.intake_weight)
        (east, north, up), ratio = cut.fluxes, setting.ratio
        laid = east + own.east / ratio, north + own.north / ratio, up + own.up / ratio
        moved = equations(laid, *cut[1:4], taken)
    before = np.where(cut.air, _double(setting.concentration, box.cells), 0.0)
    couplings = _couplings(units, box, faces.shape, setting.ratio, frozen)
    change, source, iterations, left = deficit(still, moved, couplings, before, DEFICIT_TOLERANCE, MOST_ITERATIONS)
    if not left <= UNSOLVED:
        raise _unsolved(left)
    worth = np.where(cut.air, _double(setting.adjoint, box.cells), 0.0)
    untouched = np.array([unit.at_intake(setting.concentration) for unit in units])
    less = [unit.intake_weight @ change.reshape(-1)[_inside(unit.intake, box, faces.shape)] for unit in units]
    taken_in = untouched + np.array(less)
    kept = np.array([unit.efficiency * unit.flow for unit in units]) * taken_in
    return Local(-float((worth * source).sum()), taken_in, untouched, kept, box, change, source, iterations)


class Cut(NamedTuple):
    """What the equations of a box are made of, for `analysis.kernels.dust_box.equations`."""

    fluxes: tuple[Floats, Floats, Floats]
    diffusivity: Floats
    air: NDArray[np.bool_]
    widths: tuple[Floats, Floats, Floats]
    sink: Floats


def cut_out(setting: Setting, box: Box) -> Cut:
    """A box of a setting's air, without new units."""
    faces, mixing = setting.faces, setting.mixing
    diffusivity = np.maximum(_double(faces.viscosity, box.cells) / mixing.schmidt, mixing.least)
    air = np.array(faces.air[box.cells], order="C")
    return Cut(_fluxes(setting, box), diffusivity, air, _widths(faces, box), _sink(setting, box))


def _double(values: Field, where: tuple[slice, ...]) -> Floats:
    return np.array(values[where], dtype=np.float64, order="C")  # a copy: kernels are compiled for writable arrays


def _widths(faces: Faces, box: Box) -> tuple[Floats, Floats, Floats]:
    (a, b, c), (d, e, f) = box
    return np.diff(faces.x[c : f + 1]), np.diff(faces.y[b : e + 1]), np.diff(faces.z[a : d + 1])


def _fluxes(setting: Setting, box: Box) -> tuple[Floats, Floats, Floats]:
    """Through the faces of a box across x, y and z, with what settles through the horizontal ones."""
    faces = setting.faces
    east, north, up = (_double(flux, box.faces(axis)) for flux, axis in zip(faces[5:], (2, 1, 0), strict=True))
    settling = setting.particle.settling / setting.ratio
    if settling > 0.0:
        dx, dy, _ = _widths(faces, box)
        up -= settling * (dy[:, None] * dx[None, :]) * _passable(faces.air, box)
    return east, north, up


def _passable(air: NDArray[np.bool_], box: Box) -> NDArray[np.bool_]:
    """Horizontal faces of a box between two cells of air; the top of the grid too, the ground not."""
    (a, _, _), (d, _, _) = box
    low = max(a - 1, 0)
    opened = open_faces(np.ascontiguousarray(air[(slice(low, d + 1), *box.cells[1:])]), 0)
    opened = opened[a - low : a - low + d - a + 1].copy()
    if a == 0:
        opened[0] = False
    return opened


def _sink(setting: Setting, box: Box) -> Floats:
    """What the ground and leaves take in a box [m3/s]."""
    faces, particle = setting.faces, setting.particle.in_wind(setting.ratio)
    air = faces.air[box.cells]
    dx, dy, dz = _widths(faces, box)
    area = dy[:, None] * dx[None, :]
    below = np.ones(box.shape, bool)
    below[1:] = ~air[:-1]
    if box.low[0] > 0:
        below[0] = ~faces.air[box.low[0] - 1][box.cells[1:]]
    out = max(particle.deposition, particle.settling) * area * (air & below)
    if setting.leaf_area is not None and particle.deposition > 0.0:
        out = out + particle.deposition * _double(setting.leaf_area, box.cells) * dz[:, None, None] * area * air
    return np.ascontiguousarray(out, dtype=np.float64)


def _inside(cell: NDArray[np.int64], box: Box, shape: tuple[int, int, int], *, ghosts: int = 0) -> NDArray[np.int64]:
    """Flat numbers in the box, with so many ghosts around it, of flat numbers in the grid."""
    at = np.array(np.unravel_index(cell, shape)) - np.array(box.low)[:, None] + ghosts
    return np.asarray(np.ravel_multi_index(tuple(at), [n + 2 * ghosts for n in box.shape]), dtype=np.int64)


def _add(values: Floats, cell: NDArray[np.int64], more: Floats) -> None:
    np.add.at(values.reshape(-1), cell, more)


def _couplings(units: Sequence[Ports], box: Box, shape: tuple[int, int, int], ratio: float, frozen: bool) -> Any:
    from analysis.kernels.dust_box import GHOSTS, Couplings

    starts = np.zeros((len(units) + 1, 2), dtype=np.int64)
    starts[1:, 0] = np.cumsum([len(unit.intake) for unit in units])
    starts[1:, 1] = np.cumsum([len(unit.outlet) for unit in units])
    flow = np.array([unit.flow / ratio for unit in units])
    kept = np.array([unit.efficiency for unit in units])
    return Couplings(
        starts,
        np.concatenate([_inside(unit.intake, box, shape, ghosts=GHOSTS) for unit in units]),
        np.concatenate([unit.intake_weight for unit in units]),
        np.concatenate([_inside(unit.outlet, box, shape, ghosts=GHOSTS) for unit in units]),
        np.concatenate([unit.outlet_weight for unit in units]),
        flow,
        flow * (-kept if frozen else 1.0 - kept),
    )


def _no_way() -> UserError:
    return UserError(
        "A purifier's air finds no way from its outlet to its intake.",
        "In the grid of the wind, walls lie between them.",
        "Move or turn it, or calculate the wind on smaller cells.",
        code="dust.unit.no_way",
    )


def _unsolved(left: float) -> UserError:
    return UserError(
        "What a purifier changes in the dust around it could not be solved.",
        f"The residual is {left:.2g} of the right side.",
        "Move it out of the closed corner in which it stands, or calculate the wind again with more iterations.",
        code="dust.unit.unsolved",
        values={"residual": left},
    )
