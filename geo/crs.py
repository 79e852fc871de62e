"""All of pyproj: names of coordinate systems, reprojection, grid convergence, choice of a project CRS.

Axis order is always easting/longitude first, whatever the registry says (``always_xy``).

An *adjusted* system is a registered one whose coordinates a file wrote down wrongly in a linear way (axes swapped,
millimetres, a local origin): ``"EPSG:5186;affine=a,b,c,d,e,f"``, where x' = a x + b y + c and y' = d x + e y + f are
the coordinates in the registered system. Readers hand it on like any other name.
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
ADJUSTED = ";affine="
Affine = tuple[float, float, float, float, float, float]
SAME: Affine = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


def adjusted(crs: str, affine: Affine) -> str:
    """Name of the system whose coordinates are those of `crs` after the affine map (a, b, c, d, e, f)."""
    base, before = split_adjusted(crs)
    if before != SAME:
        affine = _product(before, affine)
    return base if affine == SAME else base + ADJUSTED + ",".join(repr(float(v)) for v in affine)


def split_adjusted(text: str) -> tuple[str, Affine]:
    """The registered system in the name of an adjusted one, and the map to it. Raises `UserError`."""
    base, mark, numbers = text.partition(ADJUSTED)
    if not mark:
        return text, SAME
    try:
        a, b, c, d, e, f = (float(v) for v in numbers.split(","))
    except ValueError:
        raise _unknown(text) from None
    if not all(map(math.isfinite, (a, b, c, d, e, f))) or a * e - b * d == 0.0:
        raise _unknown(text)
    return base, (a, b, c, d, e, f)


def _product(second: Affine, first: Affine) -> Affine:
    """The affine map that does `first`, then `second`."""
    a, b, c, d, e, f = second
    p, q, r, s, t, u = first
    return (a * p + b * s, a * q + b * t, a * r + b * u + c, d * p + e * s, d * q + e * t, d * r + e * u + f)


def _mapped(affine: Affine, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    a, b, c, d, e, f = affine
    return np.asarray(a * x + b * y + c), np.asarray(d * x + e * y + f)


def _inverse(affine: Affine) -> Affine:
    a, b, c, d, e, f = affine
    det = a * e - b * d
    return (e / det, -b / det, (b * f - e * c) / det, -d / det, a / det, (d * c - a * f) / det)


@lru_cache(maxsize=64)
def crs_of(text: str) -> CRS:
    """The pyproj CRS a string names; of an adjusted one the registered. Raises `UserError` for nonsense."""
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        return CRS.from_user_input(split_adjusted(text)[0])
    except CRSError as error:
        raise _unknown(text) from error


def _unknown(text: str) -> UserError:
    return UserError(
        f"'{text[:80]}' is not a coordinate system the program knows.",
        "It is neither an EPSG code nor a readable description.",
        "Use a code such as EPSG:5186.",
        code="crs.unknown",
        values={"crs": text[:80]},
    )


def canonical(text: str) -> str:
    """``"EPSG:n"`` for what names a registered CRS, else its WKT. Compound systems give their horizontal part."""
    base, affine = split_adjusted(text)
    crs = horizontal(crs_of(base))
    authority = crs.to_authority(min_confidence=70)
    return adjusted(f"{authority[0]}:{authority[1]}" if authority else str(crs.to_wkt()), affine)


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
    """Whether coordinates are degrees, longitude first; in an adjusted system only if they are no more than moved."""
    a, b, _, d, e, _ = split_adjusted(text)[1]
    return (a, b, d, e) == (1.0, 0.0, 0.0, 1.0) and bool(horizontal(crs_of(text)).is_geographic)


def title(text: str) -> str:
    """Name of a CRS for people."""
    return str(crs_of(text).name)


def metres_per_unit(text: str) -> float:
    """Length of one horizontal unit of a projected CRS [m]."""
    a, b, _, d, e, _ = split_adjusted(text)[1]
    scale = math.sqrt(abs(a * e - b * d))
    return scale * float(horizontal(crs_of(text)).axis_info[0].unit_conversion_factor)


def height_metres_per_unit(text: str) -> float:
    """Length of one height unit [m]: of the vertical part of a compound or 3D CRS, else 1."""
    crs = crs_of(text)
    if crs.is_compound:
        return float(crs.sub_crs_list[-1].axis_info[0].unit_conversion_factor)
    return float(crs.axis_info[2].unit_conversion_factor) if len(crs.axis_info) > 2 else 1.0


@lru_cache(maxsize=64)
def transformer(source: str, target: str) -> Transformer:
    """Horizontal transformation between registered systems, easting/longitude first."""
    from pyproj import Transformer
    from pyproj.exceptions import ProjError

    try:
        return Transformer.from_crs(horizontal(crs_of(source)), horizontal(crs_of(target)), always_xy=True)
    except ProjError as error:
        local = source if not has_place(source) else target
        raise UserError(
            f"{title(local)} is no place on Earth.",
            "It is a local or another system that no transformation leads to.",
            "Name the true system with --crs, for example --crs EPSG:5186.",
            code="crs.local",
            values={"crs": title(local)},
        ) from error


def has_place(text: str) -> bool:
    """Whether a system says where on Earth its coordinates lie: degrees or a map projection."""
    system = horizontal(crs_of(text))
    return bool(system.is_geographic or system.is_projected)


def transform(x: ArrayLike, y: ArrayLike, source: str, target: str) -> tuple[Floats, Floats]:
    """Points of any shape from one CRS to another; not-a-number where the transformation fails."""
    e, n = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    (source, before), (target, after) = split_adjusted(source), split_adjusted(target)
    if before != SAME:
        e, n = _mapped(before, e, n)
    if crs_of(source) != crs_of(target):
        moved = transformer(source, target).transform(e, n)
        e, n = np.asarray(moved[0], dtype=np.float64), np.asarray(moved[1], dtype=np.float64)
    elif before == after == SAME:
        return e, n
    if after != SAME:
        e, n = _mapped(_inverse(after), e, n)
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
    name = split_adjusted(canonical(crs))[0]
    system = horizontal(crs_of(name))
    # UTM-K (5179) shortens lengths by 0.04 %: data may come in it, but a project is not measured in it.
    if system.is_projected and abs(metres_per_unit(name) - 1.0) < 1e-9 and name not in ("EPSG:5179", "EPSG:3857"):
        return name
    lon, lat = (float(v) for v in to_lonlat(x, y, crs))
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
