"""X-ray: a soft hole in the ground through which one sees what lies beneath. Numbers only; the stage draws it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Coordinates = NDArray[np.float64]

INNER, OUTER = 42.0, 78.0  # metres: clear to here, closed from there
LEAST_COVER = 0.10  # what is left of the ground in the middle of the hole
SEE_THROUGH = 0.5  # share of the hole from which a click goes through the ground
GLASS_REACH = 0.62  # share of the way from inner to outer radius to which buildings become glass
SMALLEST, LARGEST = 8.0, 600.0  # outer radius that a user may choose [m]


@dataclass(frozen=True)
class XRay:
    """A round hole in the ground.

    Attributes
    ----------
    focus : (x, y) [local m]
        Its middle.
    inner, outer : float [m]
        Radius to which the ground is gone, and from which it is whole again.
    """

    focus: tuple[float, float]
    inner: float = INNER
    outer: float = OUTER

    def __post_init__(self) -> None:
        if not (0.0 < self.inner < self.outer and np.isfinite(self.outer)):
            raise ValueError("an x-ray hole needs radii 0 < inner < outer")
        object.__setattr__(self, "focus", (float(self.focus[0]), float(self.focus[1])))

    @classmethod
    def of_radius(cls, focus: tuple[float, float], outer: float) -> XRay:
        """A hole of an outer radius [m] with the usual soft edge."""
        outer = min(max(outer, SMALLEST), LARGEST)
        return cls(focus, outer * INNER / OUTER, outer)

    def at(self, focus: tuple[float, float]) -> XRay:
        """The same hole elsewhere."""
        return replace(self, focus=focus)

    @property
    def glass_radius(self) -> float:
        """Distance from the middle within which buildings become glass [m]."""
        return self.inner + GLASS_REACH * (self.outer - self.inner)

    def share(self, points: Coordinates) -> Coordinates:
        """(n,) how far the hole is open at points (n, 2 or 3): 1 in the middle, 0 outside; as the shader has it."""
        away = np.hypot(points[..., 0] - self.focus[0], points[..., 1] - self.focus[1])
        place = np.clip((away - self.inner) / (self.outer - self.inner), 0.0, 1.0)
        return np.asarray(1.0 - place * place * (3.0 - 2.0 * place))

    def lets_through(self, point: Coordinates) -> bool:
        """Whether a click on the ground at a point means what lies beneath."""
        return float(self.share(np.asarray(point)[None])[0]) > SEE_THROUGH


def boxes_within(low: Coordinates, high: Coordinates, xray: XRay) -> NDArray[np.bool_]:
    """(k,) whether boxes (k, 2) to (k, 2) come within the glass radius of a hole; none that is larger than the hole."""
    focus = np.array(xray.focus)
    outside = np.maximum(np.maximum(low - focus, focus - high), 0.0)
    near = np.hypot(outside[:, 0], outside[:, 1]) < xray.glass_radius
    small = (high - low).max(axis=1, initial=0.0) < 3.0 * xray.outer
    return np.asarray(near & small)
