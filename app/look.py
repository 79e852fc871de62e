"""Headless. How a scene is looked into: cut open by planes, by a box, at a storey. Numbers only; `app.view` draws it.

The part of a layer that is kept is an intersection of half-spaces, so it is convex: a line of sight is inside it over
one stretch only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from app.view.xray import XRay

Vector = tuple[float, float, float]
Coordinates = NDArray[np.float64]

MOST_PLANES = 6  # planes that a layer can be cut by at once: what graphics drivers promise
CUT_HEIGHT = 1.2  # metres above the floor at which a storey and a plan are cut: through doors and most windows


@dataclass(frozen=True)
class ClipPlane:
    """A plane; what lies on the side that the normal points to is cut away.

    Attributes
    ----------
    point : (3,) [local m]
    normal : (3,)
        Brought to unit length.
    """

    point: Vector
    normal: Vector

    def __post_init__(self) -> None:
        length = math.sqrt(sum(v * v for v in self.normal))
        if not length > 0.0 or not all(math.isfinite(v) for v in (*self.point, *self.normal)):
            raise ValueError("a section plane needs a finite point and a direction")
        object.__setattr__(self, "point", _triple(self.point))
        object.__setattr__(self, "normal", _triple([v / length for v in self.normal]))

    def beyond(self, points: Coordinates) -> Coordinates:
        """(...,) signed distance of points (..., 3) to the plane [m]; positive where they are cut away."""
        return np.asarray((np.asarray(points) - np.array(self.point)) @ np.array(self.normal))

    @property
    def flipped(self) -> ClipPlane:
        """The same plane, cutting the other side away."""
        return ClipPlane(self.point, _triple([-v for v in self.normal]))

    def moved(self, distance: float) -> ClipPlane:
        """The plane moved along its normal [m]."""
        return ClipPlane(_triple([p + distance * n for p, n in zip(self.point, self.normal, strict=True)]), self.normal)


@dataclass(frozen=True)
class StoreyCut:
    """A storey of a building, seen from above.

    Attributes
    ----------
    layer_ids : frozenset of str
        The layers of the building; of them everything above the cut is gone but for faint lines. Others stay whole.
    floor : float [local m]
        Height of the storey's floor.
    height : float [m]
        Of the cut above the floor.
    pit : (west, south, east, north) [local m] or None
        Where the ground over a basement is left out.
    """

    layer_ids: frozenset[str]
    floor: float
    height: float = CUT_HEIGHT
    pit: tuple[float, float, float, float] | None = None

    @property
    def level(self) -> float:
        """Height of the cut [local m]."""
        return self.floor + self.height

    @property
    def plane(self) -> ClipPlane:
        """The cut as a plane."""
        return ClipPlane((0.0, 0.0, self.level), (0.0, 0.0, 1.0))


@dataclass(frozen=True)
class SectionBox:
    """A box along the axes; what lies outside is cut away. Corners [local m]."""

    low: Vector
    high: Vector

    def __post_init__(self) -> None:
        if not all(a < b for a, b in zip(self.low, self.high, strict=True)):
            raise ValueError("a section box needs low corners below its high ones")

    @property
    def planes(self) -> tuple[ClipPlane, ...]:
        """Its six sides."""
        sides = []
        for axis in range(3):
            for corner, sign in ((self.low, -1.0), (self.high, 1.0)):
                sides.append(ClipPlane(corner, _triple(sign * np.eye(3)[axis])))
        return tuple(sides)


@dataclass(frozen=True)
class Section:
    """All that cuts a scene open.

    Attributes
    ----------
    planes : tuple of ClipPlane
        Cut every layer.
    box : SectionBox or None
        Cuts every layer.
    storey : StoreyCut or None
        Cuts the layers of one building.
    """

    planes: tuple[ClipPlane, ...] = ()
    box: SectionBox | None = None
    storey: StoreyCut | None = None

    def __post_init__(self) -> None:
        count = len(self.planes) + (6 if self.box else 0) + (1 if self.storey else 0)
        if count > MOST_PLANES:
            raise ValueError(f"a section has at most {MOST_PLANES} planes, not {count}")

    @property
    def is_open(self) -> bool:
        """Whether anything is cut at all."""
        return bool(self.planes or self.box or self.storey)

    def planes_of(self, layer_id: str) -> tuple[ClipPlane, ...]:
        """The planes that cut a layer."""
        mine = self.planes + (self.box.planes if self.box else ())
        return (*mine, self.storey.plane) if self.storey and layer_id in self.storey.layer_ids else mine

    def keeps(self, layer_id: str, points: Coordinates) -> NDArray[np.bool_]:
        """(n,) whether points (n, 3) of a layer are still there."""
        kept = np.ones(np.shape(points)[:-1], dtype=np.bool_)
        for plane in self.planes_of(layer_id):
            kept &= plane.beyond(points) <= 1e-6
        return kept

    def stretch(self, layer_id: str, origin: Coordinates, direction: Coordinates) -> tuple[float, float] | None:
        """Where along a ray [m] a layer is still there: from and to; None where it is nowhere."""
        start, stop = 0.0, math.inf
        for plane in self.planes_of(layer_id):
            beyond = float(plane.beyond(origin))
            rate = float(np.dot(direction, plane.normal))
            if abs(rate) < 1e-12:
                if beyond > 0.0:
                    return None
            elif rate > 0.0:
                stop = min(stop, -beyond / rate)
            else:
                start = max(start, beyond / -rate)
        return (start, stop) if stop > start else None


NO_SECTION = Section()


@dataclass(frozen=True)
class Look:
    """How the scene is looked into.

    Attributes
    ----------
    section : Section
    xray : XRay or None
        The ground made translucent around a place.
    """

    section: Section = NO_SECTION
    xray: XRay | None = None


def _triple(values: object) -> Vector:
    x, y, z = np.asarray(values, dtype=np.float64)
    return (float(x), float(y), float(z))
