"""Shadow and sky view on a raster of heights, by sweeping the raster or with rays.

The sweep moves the whole raster one cell at a time along the longer axis towards the light and compares heights: no
interpolation, no triangles. It is the method of Ratti and Richens, used by UMEP. Rays against the triangles of the
raster are the exact counterpart of the same surface taken as a continuous one.

References
----------
C. Ratti, P. Richens, Raster analysis of urban form. Environment and Planning B 31(2), 2004. doi:10.1068/b2665
F. Lindberg, C.S.B. Grimmond, Continuous sky view factor maps from high resolution urban digital elevation models.
Climate Research 42, 2010. doi:10.3354/cr00882
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.kernels.rays import SURFACE_OFFSET, Occluder
from analysis.kernels.sun import sun_vectors
from geo.model import Feedback, Grid

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# Rings of the sky of Lindberg and Grimmond, 153 patches: upper edge, middle elevation, number, first azimuth [degrees]
RINGS = (
    (12, 6.0, 31, 0.0),
    (24, 18.0, 30, 4.0),
    (36, 30.0, 28, 2.0),
    (48, 42.0, 24, 5.0),
    (60, 54.0, 19, 8.0),
    (72, 66.0, 13, 0.0),
    (84, 78.0, 7, 10.0),
    (90, 90.0, 1, 0.0),
)


class SkyPatches(NamedTuple):
    """Patches of the sky: azimuth and elevation (n,) [degrees] of the middle, weight (n,); the weights sum to 1."""

    azimuth: Floats
    elevation: Floats
    weight: Floats


def sky_patches() -> SkyPatches:
    """153 patches weighted as a level plate sees them (Johnson and Watson 1984, annuli of one degree)."""
    azimuth, elevation, weight, lower = [], [], [], 0
    for upper, middle, count, first in RINGS:
        annulus = 90.0 - np.arange(lower, upper)  # counted from the zenith
        ring = float((np.sin(np.pi / 180.0) * np.sin(np.pi * (2 * annulus - 1) / 180.0)).sum())
        azimuth += [first + 360.0 * k / count for k in range(count)]
        elevation += [middle] * count
        weight += [ring / count] * count
        lower = upper
    return SkyPatches(np.array(azimuth), np.array(elevation), np.array(weight))


def sweep_lit(heights: Grid, azimuth: float, elevation: float) -> Bools:
    """(rows, cols) whether light from one direction reaches each cell of a raster.

    Parameters
    ----------
    heights : Grid
        Surface heights [m].
    azimuth : float [degrees]
        Where the light stands, clockwise from the grid's north.
    elevation : float [degrees]
        0 < elevation <= 90.
    """
    values = heights.values
    lit = np.ones(values.shape, dtype=bool)
    azimuth_rad, rise = np.radians(azimuth), np.tan(np.radians(elevation))
    east, north = np.sin(azimuth_rad), np.cos(azimuth_rad)
    longer = max(abs(east), abs(north))
    east, north = east / longer, north / longer
    climb = float(np.hypot(east, north) * rise * heights.cell)
    relief = float(np.nanmax(values) - np.nanmin(values))
    rows, cols = values.shape
    for step in range(1, max(rows, cols)):
        right, up = round(step * east), round(step * north)
        if step * climb > relief or abs(right) >= cols or abs(up) >= rows:
            break
        here = (_from(-up, rows), _from(-right, cols))
        there = (_from(up, rows), _from(right, cols))
        lit[here] &= ~(values[there] - step * climb > values[here])
    return lit


def _from(shift: int, size: int) -> slice:
    return slice(max(0, shift), size + min(0, shift))


def sky_view_sweep(heights: Grid, *, feedback: Feedback | None = None) -> Floats:
    """(rows, cols) share of the sky a level plate on each cell sees, 0..1, by sweeping."""
    feedback = feedback or Feedback()
    patches = sky_patches()
    seen = np.zeros(heights.values.shape)
    for number, (azimuth, elevation, weight) in enumerate(zip(*patches, strict=True)):
        feedback.step(number / len(patches.weight), "sky view by sweeping")
        seen += weight * (sweep_lit(heights, azimuth, elevation) if elevation < 90.0 else 1.0)
    feedback.step(1.0, "sky view by sweeping")
    return seen


def sky_view_rays(
    occluder: Occluder, points: Floats, *, threads: int | None = None, feedback: Feedback | None = None
) -> Floats:
    """(n,) share of the sky a level plate at each point (n, 3) [local m] sees, 0..1, with one ray per patch."""
    feedback = feedback or Feedback()
    patches = sky_patches()
    starts = points + [0.0, 0.0, SURFACE_OFFSET]
    ways = sun_vectors(patches.azimuth, patches.elevation)
    seen = np.zeros(len(points))
    for number, weight in enumerate(patches.weight):
        feedback.step(number / len(ways), "sky view with rays")
        seen += weight * ~occluder.occluded(starts, ways[number : number + 1], threads=threads)
    feedback.step(1.0, "sky view with rays")
    return seen
