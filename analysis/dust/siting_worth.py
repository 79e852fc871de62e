"""Worth: what units on some places bring, over all winds, by the near field of each and what they take from another.

A unit lowers the dust at the intake of its neighbours, which then keep less. With the change each makes in its box,
``(I + G) a = 1`` tells by how much each is weakened; ``G_mn`` is the share by which unit n lowers the dust at the
intake of m. Beyond the box nothing is taken off: the number that is told in the end comes from the whole grid.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.dust.faces import Faces
from analysis.dust.near_field import Box, Local, Setting, box_around, box_benefit, own_flow
from analysis.dust.run import CaseFields, Prepared
from analysis.dust.siting_candidates import Candidates
from analysis.dust.unit import Ports
from analysis.dust.winds import Case
from analysis.threads import thread_count
from geo.model import UserError

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]

MARGIN = 0.005  # on top of ceilings
KEPT = 400  # places whose near fields are kept


class Near(NamedTuple):
    """What a unit does around it in one case.

    Attributes
    ----------
    benefit : float [ug/m3]
    intake, untouched : float [ug/m3]
    box : Box
    change : box shape float32 [ug/m3]
    """

    benefit: float
    intake: float
    untouched: float
    box: Box
    change: Singles

    @property
    def own_air(self) -> float:
        """Concentration taken in over that without the unit."""
        return self.intake / self.untouched if self.untouched > 0.0 else 1.0


def settings_of(prepared: Prepared, fields: Sequence[CaseFields]) -> tuple[Setting, ...]:
    """What units are placed into, one for each case. `fields` must hold their adjoint."""
    return tuple(setting_of(prepared, one) for one in fields)


def setting_of(prepared: Prepared, fields: CaseFields) -> Setting:
    """Of one case."""
    if fields.adjoint is None:
        raise ValueError("the adjoint of the case is needed")
    case = fields.case
    return Setting(
        light_faces(prepared, case), fields.total(prepared.outside.value), fields.adjoint.values, case.ratio,
        prepared.particle, prepared.mixing, prepared.leaf_area, case.share,
    )  # fmt: skip


def light_faces(prepared: Prepared, case: Case) -> Faces:
    """Faces of a case in single precision, as they are kept: boxes need no better."""
    air, tunnel = prepared.winds.airs[case.sector], prepared.winds.tunnel
    return Faces(
        tunnel.x, tunnel.y, tunnel.z, air.viscosity > 0.0,
        air.viscosity, air.east, air.north, air.up,  # type: ignore[arg-type]
    )  # fmt: skip


class Worth:
    """What candidates bring [ug/m3 of the people's mean], asked for lazily; a context that holds a few threads.

    Parameters
    ----------
    settings : sequence of Setting
        With their shares of the time.
    candidates : Candidates
    around : int, optional
        Cells of the box on each side; the usual ones if None.
    """

    def __init__(self, settings: Sequence[Setting], candidates: Candidates) -> None:
        self._settings, self._candidates = tuple(settings), candidates
        self._near: OrderedDict[int, tuple[Near, ...]] = OrderedDict()
        self._pool = ThreadPoolExecutor(thread_count())
        self.known: dict[int, float] = {}
        self.calculated = 0
        self.failed: list[int] = []

    def __enter__(self) -> Worth:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)

    def alone(self, option: int) -> float:
        """Of one unit over all winds; nothing where its air finds no way."""
        if option not in self.known:
            near = self.near(option)
            self.known[option] = float(sum(s.share * one.benefit for s, one in zip(self._settings, near, strict=True)))
        return self.known[option]

    def together(self, chosen: tuple[int, ...]) -> float:
        """Of several units over all winds."""
        return float(sum(self.parts(chosen))) if chosen else 0.0

    def parts(self, chosen: tuple[int, ...]) -> list[float]:
        """What each of several brings while all run [ug/m3]."""
        near = [self.near(option) for option in chosen]
        ports = [self._candidates.ports[option] for option in chosen]
        out = np.zeros(len(chosen))
        for number, setting in enumerate(self._settings):
            here = [one[number] for one in near]
            amplitude = amplitudes(here, ports, setting.faces.shape)
            out += setting.share * amplitude * np.array([one.benefit for one in here])
        return [float(value) for value in out]

    def near(self, option: int) -> tuple[Near, ...]:
        """What a unit does around it, in every case."""
        if option in self._near:
            self._near.move_to_end(option)
            return self._near[option]
        self.calculated += 1
        self._near[option] = found = self._calculated(option)
        while len(self._near) > KEPT:
            self._near.popitem(last=False)
        return found

    def _calculated(self, option: int) -> tuple[Near, ...]:
        unit = self._candidates.ports[option]
        first = self._settings[0]
        try:
            # The unit's own flow depends on the walls only: one for all winds.
            own = own_flow(first.faces, (unit,), box_around((unit,), first.faces.shape))
        except UserError:
            self.failed.append(option)
            return tuple(_nothing(setting, unit) for setting in self._settings)

        def one(setting: Setting) -> Near:
            return _near(box_benefit(setting, unit, own=own, grow=False))

        return tuple(self._pool.map(one, self._settings))


def _near(found: Local) -> Near:
    return Near(
        found.benefit, float(found.intake[0]), float(found.untouched[0]), found.box, found.change.astype(np.float32)
    )


def _nothing(setting: Setting, unit: Ports) -> Near:
    box = box_around((unit,), setting.faces.shape)
    taken = unit.at_intake(setting.concentration)
    return Near(0.0, taken, taken, box, np.zeros(box.shape, np.float32))


def amplitudes(near: Sequence[Near], ports: Sequence[Ports], shape: tuple[int, int, int]) -> Floats:
    """(k,) by how much of its effect alone each unit acts beside the others, 1 for one that is alone."""
    count = len(near)
    if count == 1:
        return np.ones(1)
    system = np.eye(count)
    for m, unit in enumerate(ports):
        for n, other in enumerate(near):
            if m != n and near[m].untouched > 0.0:
                system[m, n] = -change_at(other, unit, shape) / near[m].untouched
    return np.asarray(np.linalg.solve(system, np.ones(count)), dtype=np.float64)


def change_at(near: Near, unit: Ports, shape: tuple[int, int, int]) -> float:
    """What a unit changes at the intake of another [ug/m3]; 0 outside its box."""
    at = np.array(np.unravel_index(unit.intake, shape)) - np.array(near.box.low)[:, None]
    inside = ((at >= 0) & (at < np.array(near.box.shape)[:, None])).all(axis=0)
    if not inside.any():
        return 0.0
    return float(unit.intake_weight[inside] @ near.change[tuple(at[:, inside])].astype(np.float64))
