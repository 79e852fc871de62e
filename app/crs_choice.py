"""Headless. Which coordinate systems a file without one could be in: the usual Korean ones, the likeliest first."""

from __future__ import annotations

import math
from dataclasses import dataclass

from geo.crs import crs_of, is_geographic, project_crs_for, to_lonlat, transform
from geo.model import Frame, UserError

# Korea 2000 belts, the unified system, the older datum's belts, degrees and UTM: what Korean data come in.
USUAL = (
    "EPSG:5186",
    "EPSG:5187",
    "EPSG:5185",
    "EPSG:5188",
    "EPSG:5179",
    "EPSG:4326",
    "EPSG:5174",
    "EPSG:5181",
    "EPSG:32652",
    "EPSG:32651",
    "EPSG:3857",
)
KOREA = (124.0, 33.0, 132.0, 39.0)  # west, south, east, north [degrees]
NEAR_M = 50_000.0

MapBounds = tuple[float, float, float, float, float, float]


@dataclass(frozen=True)
class Candidate:
    """A system a file could be in.

    Attributes
    ----------
    code, name : str
    distance : float or None
        From the project's origin [m], None without a project or where the point does not exist.
    plausible : bool
        Whether the data would lie near the project, or in Korea when there is no project yet.
    """

    code: str
    name: str
    distance: float | None
    plausible: bool


def candidates(bounds: MapBounds | None, frame: Frame | None) -> list[Candidate]:
    """The usual systems for data with these bounds, the likeliest first."""
    found = [_candidate(code, bounds, frame) for code in USUAL]
    return sorted(found, key=lambda c: (not c.plausible, c.distance if c.distance is not None else math.inf))


def _candidate(code: str, bounds: MapBounds | None, frame: Frame | None) -> Candidate:
    name = str(crs_of(code).name)
    if bounds is None:
        return Candidate(code, name, None, plausible=True)
    x, y = (bounds[0] + bounds[3]) / 2, (bounds[1] + bounds[4]) / 2
    if is_geographic(code) and not (abs(x) <= 180 and abs(y) <= 90):
        return Candidate(code, name, None, plausible=False)
    try:
        longitude, latitude = (float(v) for v in to_lonlat(x, y, code))
    except UserError:
        return Candidate(code, name, None, plausible=False)
    if not (math.isfinite(longitude) and math.isfinite(latitude)):
        return Candidate(code, name, None, plausible=False)
    if frame is None:
        west, south, east, north = KOREA
        return Candidate(code, name, None, plausible=west <= longitude <= east and south <= latitude <= north)
    east_m, north_m = transform(longitude, latitude, "EPSG:4326", frame.crs)
    distance = math.hypot(float(east_m) - frame.origin[0], float(north_m) - frame.origin[1])
    if not math.isfinite(distance):
        return Candidate(code, name, None, plausible=False)
    return Candidate(code, name, distance, plausible=distance < NEAR_M)


def map_extent(bounds: MapBounds, crs: str, frame: Frame | None) -> tuple[float, float, float, float] | None:
    """West, south, east, north of bounds [m] in the project's system, or in the one a new project would get.

    None where the corners do not exist there.
    """
    middle = ((bounds[0] + bounds[3]) / 2, (bounds[1] + bounds[4]) / 2)
    target = frame.crs if frame is not None else project_crs_for(crs, *middle)
    xs, ys = transform(
        [bounds[0], bounds[3], bounds[3], bounds[0]], [bounds[1], bounds[1], bounds[4], bounds[4]], crs, target
    )
    values = (float(xs.min()), float(ys.min()), float(xs.max()), float(ys.max()))
    return values if all(math.isfinite(v) for v in values) else None
