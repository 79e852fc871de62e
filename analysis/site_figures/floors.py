"""Floors of a building, from its triangles: the area it has at the middle of each storey."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.sunlight_setback.cutting import cut

Floats = NDArray[np.float64]

SAME = 0.01  # [m] heights this near are one
STOREYS = (2.2, 8.0)  # [m] per storey: a number of storeys that says less or more is doubted


class Floors(NamedTuple):
    """Storeys above the ground.

    Attributes
    ----------
    area : float [m2]
        Of all floors together.
    storeys : int
    told : bool
        Whether the data said the number of storeys; else it follows from the height.
    odd : bool
        Whether the number told and the height give a storey that hardly can be.
    """

    area: float
    storeys: int
    told: bool
    odd: bool


def floors_of(triangles: Floats, outline_area: float, storeys: float, *, storey_height: float) -> Floors:
    """Floors of a solid.

    Parameters
    ----------
    triangles : (t, 3, 3) float [local m]
        Outward; a bottom is not needed.
    outline_area : float [m2]
        Of its plan.
    storeys : float
        As told; NaN unknown.
    storey_height : float [m]
        Where they are not told.
    """
    low, high = float(triangles[:, :, 2].min()), float(triangles[:, :, 2].max())
    told = storeys == storeys and storeys >= 1.0
    count = int(round(storeys)) if told else max(int(round((high - low) / storey_height)), 1)
    each = (high - low) / count
    odd = told and not STOREYS[0] <= each <= STOREYS[1]
    if is_prism(triangles):
        return Floors(outline_area * count, count, told, odd)
    middles = low + (np.arange(count) + 0.5) * each
    return Floors(float(sum(area_at(triangles, z) for z in middles)), count, told, odd)


def is_prism(triangles: Floats) -> bool:
    """Whether there are upright walls and one flat roof only: every storey then has the area of the plan."""
    first, second = triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]
    plan = np.abs(first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]) / 2.0
    spread = np.ptp(triangles[:, :, 2], axis=1)
    if np.any((plan > SAME**2) & (spread > SAME)):
        return False
    z = triangles[:, :, 2]
    return bool(np.all((z - z.min() <= SAME) | (z.max() - z <= SAME)))


def area_at(triangles: Floats, height: float) -> float:
    """Area inside a closed solid at a height [m2]: what looks up above it less what looks down."""
    above = triangles[triangles[:, :, 2].max(axis=1) > height]
    if len(above) == 0:
        return 0.0
    parts = cut(above, np.tile([0.0, 0.0, 1.0, -height], (len(above), 1)))[0]
    first, second = parts[:, 1] - parts[:, 0], parts[:, 2] - parts[:, 0]
    return max(float((first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]).sum() / 2.0), 0.0)
