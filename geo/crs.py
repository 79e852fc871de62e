"""All of pyproj: names of coordinate systems, reprojection, grid convergence, choice of a project CRS.

Axis order is always easting/longitude first, whatever the registry says (``always_xy``).
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo.model import Frame, UserError

if TYPE_CHECKING:
    from pyproj import CRS, Transformer

Floats = NDArray[np.float64]
KOREA = (124.0, 33.0, 132.0, 39.0)  # west, south, east, north [degrees]
KOREA_BELTS = ((126.0, "EPSG:5185"), (128.0, "EPSG:5186"), (130.0, "EPSG:5187"), (133.0, "EPSG:5188"))


@lru_cache(maxsize=64)
def crs_of(text: str) -> CRS:
    """The pyproj CRS a string names. Raises `UserError` for nonsense."""
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        return CRS.from_user_input(text)
    except CRSError as error:
        raise UserError(
            f"'{text[:80]}' is not a coordinate system the program knows.",
            "It is neither an EPSG code nor a readable description.",
            "Use a code such as EPSG:5186.",
            code="crs.unknown",
            values={"crs": text[:80]},
        ) from error


def canonical(text: str) -> str:
    """``"EPSG:n"`` for what names a registered CRS, else its WKT. Compound systems give their horizontal part."""
    crs = horizontal(crs_of(text))
    authority = crs.to_authority(min_confidence=70)
    return f"{authority[0]}:{authority[1]}" if authority else str(crs.to_wkt())


def horizontal(crs: CRS) -> CRS:
    """The horizontal part of a CRS: of a compound or 3D one the 2D part."""
    if crs.is_compound:
        crs = crs.sub_crs_list[0]
    return crs.to_2d() if len(crs.axis_info) > 2 else crs


def vertical_name(text: str) -> str:
    """Height datum of a compound CRS (``""`` when it has none); ``ellipsoid`` for a 3D CRS."""
    crs = crs_of(text)
    if crs.is_compound:
        return str(crs.sub_crs_list[-1].name)
    return "ellipsoid" if len(crs.axis_info) > 2 else ""


def is_geographic(text: str) -> bool:
    """Whether coordinates are degrees."""
    return bool(horizontal(crs_of(text)).is_geographic)


def title(text: str) -> str:
    """Name of a CRS for people."""
    return str(crs_of(text).name)


def metres_per_unit(text: str) -> float:
    """Length of one horizontal unit of a projected CRS [m]."""
    return float(horizontal(crs_of(text)).axis_info[0].unit_conversion_factor)


def height_metres_per_unit(text: str) -> float:
    """Length of one height unit [m]: of the vertical part of a compound or 3D CRS, else 1."""
    crs = crs_of(text)
    if crs.is_compound:
        return float(crs.sub_crs_list[-1].axis_info[0].unit_conversion_factor)
    return float(crs.axis_info[2].unit_conversion_factor) if len(crs.axis_info) > 2 else 1.0


@lru_cache(maxsize=64)
def transformer(source: str, target: str) -> Transformer:
    """Horizontal transformation, easting/longitude first."""
    from pyproj import Transformer

    return Transformer.from_crs(horizontal(crs_of(source)), horizontal(crs_of(target)), always_xy=True)


def transform(x: ArrayLike, y: ArrayLike, source: str, target: str) -> tuple[Floats, Floats]:
    """Points of any shape from one CRS to another; not-a-number where the transformation fails."""
    east, north = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if crs_of(source) == crs_of(target):
        return east, north
    e, n = transformer(source, target).transform(east, north)
    e, n = np.asarray(e, dtype=np.float64), np.asarray(n, dtype=np.float64)
    bad = ~(np.isfinite(e) & np.isfinite(n))
    return np.where(bad, np.nan, e), np.where(bad, np.nan, n)


def to_local(points: Floats, crs: str, frame: Frame) -> Floats:
    """Map points (n, 3) in `crs` (heights in metres or its height unit) to local metres of the frame (n, 3)."""
    points = np.asarray(points, dtype=np.float64)
    e, n = transform(points[:, 0], points[:, 1], crs, frame.crs)
    return frame.to_local(np.stack([e, n, points[:, 2] * height_metres_per_unit(crs)], axis=1))


def to_lonlat(x: ArrayLike, y: ArrayLike, crs: str) -> tuple[Floats, Floats]:
    """WGS 84 longitude and latitude [degrees]."""
    return transform(x, y, crs, "EPSG:4326")


def convergence(crs: str, longitude: float, latitude: float) -> float:
    """Grid north minus true north [degrees], positive when grid north lies east of true north.

    PROJ's ``meridian_convergence`` has the same sign: +0.193 for EPSG:5186 at Sejong (east of the central meridian).
    """
    from pyproj import Proj

    return float(Proj(horizontal(crs_of(crs))).get_factors(longitude, latitude).meridian_convergence)


def make_frame(crs: str, easting: float, northing: float, *, vertical: str = "") -> Frame:
    """A frame whose origin lies at map coordinates of a projected, metric CRS; height 0 stays height 0."""
    name = canonical(crs)
    system = horizontal(crs_of(name))
    if not system.is_projected or abs(metres_per_unit(name) - 1.0) > 1e-9:
        raise UserError(
            f"{system.name} cannot be the coordinate system of a project.",
            "A project needs a projected system in metres, so that lengths and areas are true.",
            "Choose one with --project-crs, for example EPSG:5186.",
            code="crs.not_metric",
            values={"crs": system.name},
        )
    longitude, latitude = to_lonlat(easting, northing, name)
    if not (math.isfinite(float(longitude)) and math.isfinite(float(latitude))):
        raise UserError(
            f"The point {easting:.0f}, {northing:.0f} does not exist in {system.name}.",
            "The coordinates lie outside what the system can describe.",
            "Check the coordinate system of the file, or name the right one with --crs.",
            code="crs.outside",
            values={"crs": system.name},
        )
    return Frame(
        crs=name,
        origin=(float(easting), float(northing), 0.0),
        longitude=float(longitude),
        latitude=float(latitude),
        convergence_deg=convergence(name, float(longitude), float(latitude)),
        vertical=vertical,
    )


def project_crs_for(crs: str, x: float, y: float) -> str:
    """A projected metric CRS for data at a point: the data's own if it fits, a Korean belt in Korea, else UTM."""
    name = canonical(crs)
    system = horizontal(crs_of(name))
    # UTM-K (5179) shortens lengths by 0.04 %: data may come in it, but a project is not measured in it.
    if system.is_projected and abs(metres_per_unit(name) - 1.0) < 1e-9 and name not in ("EPSG:5179", "EPSG:3857"):
        return name
    lon, lat = (float(v) for v in to_lonlat(x, y, name))
    west, south, east, north = KOREA
    if west <= lon <= east and south <= lat <= north:
        return next(code for limit, code in KOREA_BELTS if lon < limit)
    zone = min(int((lon + 180.0) // 6.0) + 1, 60)
    return f"EPSG:{(32600 if lat >= 0 else 32700) + zone}"


def grid_convergence_at(frame: Frame, x: float, y: float) -> float:
    """Convergence at a local point of the frame [degrees]; differs from the origin's by millidegrees per km."""
    east, north = frame.origin[0] + x, frame.origin[1] + y
    lon, lat = to_lonlat(east, north, frame.crs)
    return convergence(frame.crs, float(lon), float(lat))
