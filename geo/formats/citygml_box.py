"""Which city objects of a CityGML file may touch a rectangle, decided while the file is read."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from geo import crs as coordinates
from geo.formats.citygml_place import reference
from geo.formats.contract import MapBox
from geo.model import Frame, UserError

Floats = NDArray[np.float64]
Keep = Callable[[Floats, str | None], bool]

STEPS = np.linspace(0.0, 1.0, 21)
# The edges of a rectangle bend in another system; the exact test follows in local metres.
MARGIN = 0.05


def box_filter(box: MapBox, frame: Frame, override: str | None) -> Keep:
    """The question whether points (n, 3) as written, of a srsName, may touch the box. In doubt the answer is yes.

    override : the system to use whatever the file says.
    """
    regions: dict[str | None, Floats | None] = {}

    def keep(points: Floats, name: str | None) -> bool:
        if name not in regions:
            regions[name] = _region(box, frame, override, name)
        region = regions[name]
        if region is None or len(points) == 0:
            return True
        low, high = np.fmin.reduce(points[:, :2]), np.fmax.reduce(points[:, :2])
        # the order of the axes may not be known before all points are
        orders = ((low, high), (low[::-1], high[::-1]))
        return any(not ((a > region[1]).any() or (b < region[0]).any()) for a, b in orders)

    return keep


def _region(box: MapBox, frame: Frame, override: str | None, name: str | None) -> Floats | None:
    """Low and high corner (2, 2) of the box in the system of the file, None where that cannot be told."""
    named = reference(name)
    system = override or (named.crs if named else None)
    if system is None:
        return None
    east, north = box.west + STEPS * (box.east - box.west), box.south + STEPS * (box.north - box.south)
    x = np.concatenate([east, east, np.full(21, box.west), np.full(21, box.east)])
    y = np.concatenate([np.full(21, box.south), np.full(21, box.north), north, north])
    try:
        place = np.stack(coordinates.transform(x, y, frame.crs, system), axis=1)
    except UserError:
        return None
    if not np.isfinite(place).all():
        return None
    low, high = place.min(axis=0), place.max(axis=0)
    slack = MARGIN * (high - low).max()
    return np.stack([low - slack, high + slack])
