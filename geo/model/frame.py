"""Frame: where the scene's local metres lie on Earth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Frame:
    """A projected coordinate system, a height datum and a local origin.

    Attributes
    ----------
    crs : str
        Authority string of a projected CRS in metres, e.g. ``"EPSG:5186"``. Easting first, northing second.
    vertical : str
        Name of the height datum as the files say it, ``""`` when unknown.
    origin : (easting, northing, height) [m]
        Map coordinates of local (0, 0, 0). Chosen once per document, never changed.
    longitude, latitude : float [degrees]
        Of the origin, on WGS 84.
    convergence_deg : float [degrees]
        Grid north minus true north at the origin; positive when grid north lies east of true north.
        Made by `geo.crs.make_frame`.
    """

    crs: str
    origin: tuple[float, float, float]
    longitude: float
    latitude: float
    convergence_deg: float = 0.0
    vertical: str = ""

    def to_local(self, map_xyz: NDArray[np.float64]) -> NDArray[np.float64]:
        """Map coordinates (n, 3) [m] to local metres (n, 3)."""
        return np.asarray(map_xyz - np.asarray(self.origin), dtype=np.float64)

    def to_map(self, local_xyz: NDArray[np.float64]) -> NDArray[np.float64]:
        """Local metres (n, 3) to map coordinates (n, 3) [m]."""
        return np.asarray(local_xyz + np.asarray(self.origin), dtype=np.float64)

    def grid_azimuth(self, true_azimuth: NDArray[np.float64] | float) -> NDArray[np.float64]:
        """Azimuth from grid north (the scene's y axis), clockwise, of an azimuth given from true north [degrees].

        The one place where grid convergence is applied. Sun and wind come in from true north.
        """
        return np.mod(np.asarray(true_azimuth, dtype=np.float64) - self.convergence_deg, 360.0)
