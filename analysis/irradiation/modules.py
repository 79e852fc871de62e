"""What modules on roofs and facades could yield: flat on the surface, on a share of it, where enough light falls."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.irradiation.declaration import IrradiationParams
from analysis.irradiation.exposed import Exposed
from analysis.kernels.irradiance import MONTHS

Floats = NDArray[np.float64]

TEST_LIGHT = 1.0  # [kW/m2] standard test conditions (IEC 60904-3): what the power of a module is stated for


class Modules(NamedTuple):
    """Photovoltaic potential of elements.

    Attributes
    ----------
    area : (b,) float [m2]
        Of the modules.
    power : (b,) float [kW]
        Peak power at standard test conditions.
    energy : (b,) float [kWh]
        In a year.
    months : (12,) float [kWh]
        Of all elements together.
    """

    area: Floats
    power: Floats
    energy: Floats
    months: Floats


def modules(found: Exposed, params: IrradiationParams, count: int) -> Modules:
    """Potential of `count` elements.

    Energy = area x share x irradiation in the plane x efficiency x performance ratio, over the cells that get at
    least the threshold in a year.
    """
    area, light, months = np.zeros(count), np.zeros(count), np.zeros(MONTHS)
    for name, (cells, monthly) in found.surfaces.items():
        if name == "facades" and not params.pv_facades:
            continue
        year = monthly.sum(axis=1, dtype=np.float64)
        used = np.where(year >= params.pv_threshold, cells.area * params.pv_share, 0.0)
        area += np.bincount(cells.element, used, count)
        light += np.bincount(cells.element, used * year, count)
        months += used @ monthly.astype(np.float64) if len(used) else 0.0
    gain = params.pv_efficiency * params.pv_performance
    return Modules(area, area * params.pv_efficiency * TEST_LIGHT, light * gain, months * gain)
