"""Tunnel: one grid of the numerical wind tunnel and what stands in it. Made by the geometry, read by the solver."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]

AIR, GROUND, BUILDING = 0, 1, 2  # codes of `Tunnel.solid`


class Tunnel(NamedTuple):
    """A Cartesian grid, turned once against the scene, with solids on its cells and leaves in its air.

    Attributes
    ----------
    x, y, z : (nx + 1,), (ny + 1,), (nz + 1,) float64 [m]
        Faces of the cells in the tunnel's own axes, rising. ``z`` counts from the lowest ground (`base`).
    turn_deg : float
        Angle of the tunnel's x axis from the scene's x axis, counter-clockwise [degrees].
    pivot : (2,) float64 [m]
        Scene position of the tunnel's point (0, 0).
    base : float [m]
        Scene height of ``z = 0``.
    solid : (nz, ny, nx) int8
        `AIR`, `GROUND` or `BUILDING`. A cell is solid when its centre is.
    ground : (ny, nx) float32 [m]
        True height of the ground above `base` at the cells' centres (the stepped ground's wall distance needs it).
    leaf_area : (nz, ny, nx) float32 [1/m] or None
        Leaf area density.
    ground_roughness : (ny, nx) float32 [m]
        Roughness length z0 of the ground below each column.
    building_roughness : float [m]
        Roughness length of walls and roofs.
    building : (ny, nx) int32
        Number of the highest building over each column, -1 where there is none.
    study : (4,) float64 [m]
        Window of the study in the tunnel's axes: x low, y low, x high, y high; uniform cells inside.
    """

    x: Floats
    y: Floats
    z: Floats
    turn_deg: float
    pivot: Floats
    base: float
    solid: NDArray[np.int8]
    ground: Singles
    leaf_area: Singles | None
    ground_roughness: Singles
    building_roughness: float
    building: NDArray[np.int32]
    study: Floats

    @property
    def shape(self) -> tuple[int, int, int]:
        """Cells: (nz, ny, nx)."""
        return len(self.z) - 1, len(self.y) - 1, len(self.x) - 1

    def wind_angle(self, wind_from_grid: float) -> float:
        """Direction the wind blows towards, counter-clockwise from the tunnel's x axis [degrees, 0 to 360).

        wind_from_grid : float
            Where the wind comes from, clockwise from the scene's y axis (grid north) [degrees].
        """
        return float((270.0 - wind_from_grid - self.turn_deg) % 360.0)
