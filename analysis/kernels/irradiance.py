"""The sky of an hour after Perez, its patches, and what of it reaches a surface behind obstacles.

Perez et al. divide the diffuse light of the sky into an even dome, a bright spot around the sun and a band along the
horizon. On a surface with tilt b and angle i to the sun, for the diffuse horizontal D and the zenith angle z of the sun

    E = D [(1 - F1) (1 + cos b) / 2  +  F1 a / c  +  F2 sin b],    a = max(0, cos i),  c = max(cos 85, cos z)

F1 and F2 follow from the clearness of the sky and its brightness. The spot shines from where the sun stands and is
shaded as the sun is; dome and band are cut into patches, each of which a surface sees or not.

References
----------
R. Perez, P. Ineichen, R. Seals, J. Michalsky, R. Stewart: Modeling daylight availability and irradiance components
from direct and global irradiance. Solar Energy 44(5), 1990. doi:10.1016/0038-092X(90)90055-H
P. R. Tregenza: Subdivision of the sky hemisphere for luminance measurements. Lighting Research and Technology 19(1),
1987. doi:10.1177/096032718701900103
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.kernels.embree import RAY_ROWS, _bundle
from analysis.kernels.rays import (
    SURFACE_OFFSET,
    Occluder,
    _neighbours_together,
    _slices,
)
from analysis.threads import thread_count
from geo.model import Feedback

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Indices = NDArray[np.int64]

# Perez et al. (1990), table 6: F11 F12 F13 F21 F22 F23 for the eight classes of clearness
CLEARNESS_EDGES = (1.065, 1.23, 1.5, 1.95, 2.8, 4.5, 6.2)
COEFFICIENTS = np.array(
    [
        [-0.008, 0.588, -0.062, -0.060, 0.072, -0.022],
        [0.130, 0.683, -0.151, -0.019, 0.066, -0.029],
        [0.330, 0.487, -0.221, 0.055, -0.064, -0.026],
        [0.568, 0.187, -0.295, 0.109, -0.152, -0.014],
        [0.873, -0.392, -0.362, 0.226, -0.462, 0.001],
        [1.132, -1.237, -0.412, 0.288, -0.823, 0.056],
        [1.060, -1.600, -0.359, 0.264, -1.127, 0.131],
        [0.678, -0.327, -0.250, 0.156, -1.377, 0.251],
    ]
)
KAPPA = 1.041  # of the clearness, with the zenith angle in radians
SOLAR_CONSTANT = 1366.1  # [W/m2] ASTM E490, as pvlib takes it
LOWEST_COSINE = np.cos(np.radians(85.0))  # `c` above
GRAZING = 1e-4  # n . d below which a direction lies in the surface
# Tregenza's rows from the horizon up; Reinhart cuts each in two both ways
TREGENZA = (30, 30, 24, 24, 18, 12, 6)

MONTHS = 12
CACHED_POINTS = 256  # of one task: what they gather stays in a core's cache (a third faster than 4,096)
DOME, BAND = 12, 13  # columns beside the months
COLUMNS = 14


class Brightness(NamedTuple):
    """Coefficients of the spot around the sun and of the band along the horizon, (n,) each."""

    spot: Floats
    band: Floats


class Patches(NamedTuple):
    """Patches of the sky: middle (n, 3), solid angle (n,) [sr], row (n,) from the horizon, width in azimuth [rad]."""

    ways: Floats
    solid_angle: Floats
    row: Indices
    width: Floats


class Sky(NamedTuple):
    """All directions from which light comes, and what each brings into which column.

    What a surface with normal n gets from direction k, if it sees it, is ``max(0, n . vector[e])`` in `column[e]` for
    e in ``start[k]:start[k + 1]``. Columns 0-11 are the months, `DOME` and `BAND` view factors.

    Attributes
    ----------
    ways : (d, 3) float64, unit vectors
    start : (d + 1,) int64
    column : (e,) int64
    vector : (e, 3) float64 [kWh/m2], view factors without unit
    dome, band : (12,) float64 [kWh/m2]
        What the even dome brings to an open plain and the band to an open wall, by month.
    open_field : (12,) float64 [kWh/m2]
        What an open plain gets.
    """

    ways: Floats
    start: Indices
    column: Indices
    vector: Floats
    dome: Floats
    band: Floats
    open_field: Floats


class Exposure(NamedTuple):
    """What falls on points from sun and sky.

    Attributes
    ----------
    months : (n, 12) float32 [kWh/m2]
    hidden : (n,) float32
        Share of the view above the horizon that solids hide, of a level plate's 1.
    rays : int
    """

    months: Singles
    hidden: Singles
    rays: int


def perez(diffuse: Floats, direct: Floats, cosine: Floats, extraterrestrial: Floats) -> Brightness:
    """F1 (not below zero) and F2 of hours.

    Parameters
    ----------
    diffuse, direct : (n,) float [W/m2]
        Diffuse on the horizontal, direct on a plane facing the sun.
    cosine : (n,) float
        Of the zenith angle, above zero.
    extraterrestrial : (n,) float [W/m2]
        Facing the sun, above the air.
    """
    zenith = np.arccos(np.clip(cosine, 0.0, 1.0))
    known = diffuse > 0
    safe = np.where(known, diffuse, 1.0)
    clearness = ((safe + direct) / safe + KAPPA * zenith**3) / (1.0 + KAPPA * zenith**3)
    brightness = safe * air_mass(cosine) / extraterrestrial
    f = COEFFICIENTS[np.digitize(clearness, CLEARNESS_EDGES)]
    spot = np.maximum(0.0, f[:, 0] + f[:, 1] * brightness + f[:, 2] * zenith)
    band = f[:, 3] + f[:, 4] * brightness + f[:, 5] * zenith
    return Brightness(np.where(known, spot, 0.0), np.where(known, band, 0.0))


def air_mass(cosine: Floats) -> Floats:
    """Relative optical air mass of Kasten and Young (1989, doi:10.1364/AO.28.004735)."""
    elevation = 90.0 - np.degrees(np.arccos(np.clip(cosine, 0.0, 1.0)))
    return np.asarray(1.0 / (np.clip(cosine, 0.0, 1.0) + 0.50572 * (elevation + 6.07995) ** -1.6364))


def extraterrestrial(day_of_year: Floats) -> Floats:
    """Direct radiation above the air [W/m2] by day of the year (Spencer 1971)."""
    b = 2.0 * np.pi * (day_of_year - 1.0) / 365.0
    series = 1.00011 + 0.034221 * np.cos(b) + 0.00128 * np.sin(b) + 0.000719 * np.cos(2 * b) + 7.7e-05 * np.sin(2 * b)
    return np.asarray(SOLAR_CONSTANT * series)


def sky_patches(division: int = 1) -> Patches:
    """Patches of Tregenza (`division` 1: 145) or of Reinhart (2: 577).

    Each row is turned by a quarter of a patch, to one side and the other by turns: with a patch in the very north,
    walls along the axes of the scene would have whole patches on their edge, and see up to 7 % too much of the sky.
    """
    height = 90.0 / (len(TREGENZA) * division + 0.5)
    ways, angle, rows, width = [], [], [], []
    for row in range(len(TREGENZA) * division + 1):
        top = row == len(TREGENZA) * division
        count = 1 if top else division * TREGENZA[row // division]
        low, high = np.sin(np.radians([row * height, 90.0 if top else (row + 1) * height]))
        elevation = np.radians(90.0 if top else (row + 0.5) * height)
        azimuth = 2.0 * np.pi * (np.arange(count) + (0.25 if row % 2 == 0 else -0.25)) / count
        flat = np.cos(elevation)
        ways.append(np.stack([np.sin(azimuth) * flat, np.cos(azimuth) * flat, np.full(count, np.sin(elevation))], 1))
        angle.append(np.full(count, 2.0 * np.pi * (high - low) / count))
        rows.append(np.full(count, row))
        width.append(np.full(count, 2.0 * np.pi / count))
    return Patches(np.concatenate(ways), np.concatenate(angle), np.concatenate(rows), np.concatenate(width))


def dome_factor(normals: Floats, patches: Patches) -> Floats:
    """(n,) by which the sum over patches is multiplied, so that an open surface sees (1 + cos b) / 2 of the dome."""
    out = np.empty(len(normals))
    weighted = patches.ways * (patches.solid_angle / np.pi)[:, None]
    for part in _slices(len(normals), 16384):
        cosine = normals[part] @ weighted.T
        seen = np.where(cosine > GRAZING * (patches.solid_angle / np.pi), cosine, 0.0).sum(axis=1)
        exact = (1.0 + normals[part, 2]) / 2.0
        out[part] = np.where(seen > 1e-3, exact / np.maximum(seen, 1e-3), 1.0)
    return out


def exposure(
    solids: Occluder,
    trees: Occluder | None,
    points: Floats,
    normals: Floats,
    sky: Sky,
    patches: Patches,
    through: Floats,
    *,
    threads: int | None = None,
    feedback: Feedback | None = None,
) -> Exposure:
    """What sun and sky bring to points month by month, behind solids and through trees.

    Parameters
    ----------
    solids, trees : Occluder
        What lets nothing through, and what lets `through` pass; both about the same centre.
    points, normals : (n, 3) float64 [local m]
        Rays start `SURFACE_OFFSET` along the outward unit normal.
    through : (12,) float
        Share of the light that passes a crown, by month. A ray through several crowns is dimmed once.
    threads : int, optional
        The result is the same bit for bit for any number.
    """
    if trees is not None and not np.array_equal(trees.centre, solids.centre):
        raise ValueError("solids and trees are traced about one centre")
    feedback = feedback or Feedback()
    months, hidden = np.zeros((len(points), MONTHS), np.float32), np.zeros(len(points), np.float32)
    stop = np.zeros(1, dtype=np.uint8)
    order = _neighbours_together(points)

    def work(part: slice) -> int:
        rows = order[part]
        facing = np.ascontiguousarray(normals[rows])
        shifted = points[rows] + SURFACE_OFFSET * facing
        found = (np.zeros((len(rows), COLUMNS)), np.zeros((len(rows), COLUMNS)))
        rays = _gather(solids, trees, shifted, facing, sky, found, stop)
        factor = dome_factor(facing, patches)
        months[rows], hidden[rows] = _by_month(found, factor, facing, sky, through)
        return rays

    rays = _in_threads(work, _slices(len(points), CACHED_POINTS), threads or thread_count(), stop, feedback)
    return Exposure(months, hidden, rays)


def _by_month(
    found: tuple[Floats, Floats], factor: Floats, normals: Floats, sky: Sky, through: Floats
) -> tuple[Floats, Floats]:
    """Columns to months (n, 12), and what solids hide (n,)."""
    free, dimmed = found
    dome_free, dome_dimmed = free[:, DOME] * factor, dimmed[:, DOME] * factor
    months = free[:, :MONTHS] + dimmed[:, :MONTHS] * through
    months += dome_free[:, None] * sky.dome + dome_dimmed[:, None] * (sky.dome * through)
    months += free[:, BAND, None] * sky.band + dimmed[:, BAND, None] * (sky.band * through)
    hidden = np.clip((1.0 + normals[:, 2]) / 2.0 - dome_free - dome_dimmed, 0.0, 1.0)
    return np.maximum(months, 0.0), hidden


def _gather(
    solids: Occluder,
    trees: Occluder | None,
    points: Floats,
    normals: Floats,
    sky: Sky,
    out: tuple[Floats, Floats],
    stop: NDArray[np.uint8],
) -> int:
    """Add what a block of points sees to `out` (free, through trees); the number of rays traced."""
    if solids.packets is None or (trees is not None and trees.packets is None):
        return _gather_plain(solids, trees, points, normals, sky, out, stop)
    from analysis.kernels import irradiance_packets

    starts = solids.local32(points)
    bundle, lanes = _bundle(RAY_ROWS)
    found = solids.packets.found
    tree_scene = trees.packets.handle if trees is not None and trees.packets is not None else 0
    return int(
        irradiance_packets.gather(
            found.occluded16,
            solids.packets.handle,
            tree_scene,
            found.arguments,
            starts,
            normals,
            sky.ways,
            sky.start,
            sky.column,
            sky.vector,
            out[0],
            out[1],
            bundle,
            lanes,
            stop,
        )
    )


def _gather_plain(
    solids: Occluder,
    trees: Occluder | None,
    points: Floats,
    normals: Floats,
    sky: Sky,
    out: tuple[Floats, Floats],
    stop: NDArray[np.uint8],
) -> int:
    """As the compiled loop, in NumPy: its reference, and the way where rays go one by one."""
    starts, rays = solids.local32(points), 0
    for number, way in enumerate(sky.ways):
        if stop[0]:
            break
        cosine = normals[:, 0] * way[0] + normals[:, 1] * way[1] + normals[:, 2] * way[2]
        rows = np.flatnonzero(cosine > GRAZING)
        single = way[None].astype(np.float32)
        rays += len(rows)
        rows = rows[~solids.blocked(starts[rows], single)]
        dimmed = np.zeros(len(rows), dtype=bool)
        if trees is not None:
            dimmed = trees.blocked(starts[rows], single)
        for entry in range(sky.start[number], sky.start[number + 1]):
            gain = np.maximum(0.0, normals[rows] @ sky.vector[entry])
            out[0][rows[~dimmed], sky.column[entry]] += gain[~dimmed]
            out[1][rows[dimmed], sky.column[entry]] += gain[dimmed]
    return rays


def _in_threads(
    work: Callable[[slice], int], parts: list[slice], workers: int, stop: NDArray[np.uint8], feedback: Feedback
) -> int:
    """Sum of `work` over all parts; progress and stopping through `feedback`, `stop` tells the threads."""
    done, total = 0, 0
    waiting = iter(parts)
    with ThreadPoolExecutor(workers) as pool:
        running: list[Future[int]] = []
        try:
            while done < len(parts):
                while len(running) < 2 * workers and (part := next(waiting, None)) is not None:
                    running.append(pool.submit(work, part))
                while True:
                    try:
                        total += running[0].result(timeout=0.1)
                        break
                    except TimeoutError:  # a block of many directions takes longer than a person waits for "stop"
                        feedback.step(done / len(parts), "tracing sun and sky")
                running.pop(0)
                done += 1
                feedback.step(done / len(parts), "tracing sun and sky")
        finally:
            stop[0] = 1
    feedback.step(1.0, "tracing sun and sky")
    return total
