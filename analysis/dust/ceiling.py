"""Ceiling: what purifiers can bring at most, for thousands of places at once.

The screening ``eta Q c0(intake) lambda(outlet)`` alone is no bound: over a road, a unit's own flow lifts dusty air away
from the people on top of what the unit keeps. Measured between blocks with roads (three models, two speeds, 150 places
each): the exact benefit passed the screening by up to a fifth of the best benefit; it passed the ceiling below by at
most 0.8 % of the best benefit, at places of little benefit. The ceiling is 1.4 to 2.2 times the exact one on most
places; some ten to twenty boxes prove the best five of 150.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from analysis.dust.near_field import Setting
from analysis.dust.unit import Ports

Floats = NDArray[np.float64]


def ceilings(setting: Setting, units: Sequence[Ports]) -> Floats:
    """(n,) most that each unit alone can bring under one wind [ug/m3]: sort candidates by it and stop by it."""
    from analysis.kernels.dust_ceiling import ceilings as calculate

    out = np.zeros(len(units))
    if not units:
        return out
    shape = setting.faces.shape
    cells = [[_main(unit.outlet, unit.outlet_weight), _main(unit.intake, unit.intake_weight)] for unit in units]
    at = np.array(np.unravel_index(np.array(cells, dtype=np.int64), shape))  # (3, n, 2)
    places = np.ascontiguousarray(at.transpose(1, 2, 0).reshape(len(units), 6), dtype=np.int64)
    flow = np.array([unit.flow for unit in units]) / setting.ratio
    efficiency = np.array([unit.efficiency for unit in units])
    calculate(places, flow, efficiency, setting.faces.air, setting.concentration, setting.adjoint, out)
    return out


def _main(cell: NDArray[np.int64], weight: Floats) -> int:
    return int(cell[np.argmax(weight)])
