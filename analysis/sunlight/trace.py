"""How points are looked at: the sun of one day, or of many, with or without the light through crowns."""

from __future__ import annotations

from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from analysis.kernels.rays import Occluder, SunTime, sun_time
from geo.model import Feedback

Floats = NDArray[np.float64]
Found = TypeVar("Found", covariant=True)


class Trace(Protocol[Found]):
    """Looks at points (n, 3) [local m] with outward normals (n, 3), or None for level ground, and areas (n,) [m2]."""

    def __call__(self, points: Floats, normals: Floats | None, area: Floats, feedback: Feedback) -> Found:
        """What is found at the points."""


def day_trace(occluder: Occluder, towards_sun: Floats, weights: Floats) -> Trace[SunTime]:
    """Hours of one day; directions (t, 3) and weights (t,) [h] as in `sun_time`."""

    def trace(points: Floats, normals: Floats | None, area: Floats, feedback: Feedback) -> SunTime:
        return sun_time(occluder, points, towards_sun, weights, normals=normals, feedback=feedback)

    return trace
