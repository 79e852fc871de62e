"""Where a city model lies: its coordinate system, and doubts about coordinates that do not fit it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geo import crs as coordinates
from geo.formats.city_objects import MAX_IDS, CityFile
from geo.model import Frame, Issue, UserError

Floats = NDArray[np.float64]

# Coordinates of a city that all lie within one unit are degrees: nothing worth a file is smaller than a metre.
CITY_SMALLEST = 1.0
# Closer to 0, 0 than this a projected coordinate is rather a drawing's own origin [m].
NEAR_ORIGIN = 1000.0
AREA_MARGIN_DEG = 1.0
# No city reaches farther from its middle [m].
CITY_LARGEST = 100_000.0


def known_crs(text: str | None) -> tuple[str | None, str, list[Issue]]:
    """``"EPSG:n"`` or WKT of what the file names, the height datum in it, and a doubt where it cannot be understood."""
    if text is None:
        return None, "", []
    try:
        vertical = coordinates.vertical_name(text)
        if text.upper().startswith("EPSG:"):
            return text.upper(), vertical, []
        authority = coordinates.crs_of(text).to_authority(min_confidence=70)
        code = f"{authority[0]}:{authority[1]}" if authority else str(coordinates.crs_of(text).to_wkt())
        return code, vertical, []
    except UserError as error:
        doubt = Issue(
            "city.crs_unreadable",
            f"The file names a coordinate system that is not known: {text[:80]!r}. Name it with --crs.",
            "doubt",
            values={"crs": text[:80]},
        )
        return None, "", [doubt] if error.code == "crs.unknown" else []


def check_place(file: CityFile, crs: str) -> list[Issue]:
    """Doubts about where the coordinates lie. Raises `UserError` for degrees where metres are meant, or the reverse."""
    finite = file.vertices[np.isfinite(file.vertices).all(axis=1)]
    if len(finite) == 0:
        return []
    low, high = finite[:, :2].min(axis=0), finite[:, :2].max(axis=0)
    if coordinates.is_geographic(crs):
        return _check_degrees(file.name, crs, low, high)
    within_degrees = bool((np.abs([low, high]) <= [180.0, 90.0]).all())
    if within_degrees and bool((high - low < CITY_SMALLEST).all()) and bool((np.abs(low) > CITY_SMALLEST).any()):
        raise UserError(
            f"The coordinates of {file.name} look like degrees.",
            f"They lie around {low[0]:.4f}, {low[1]:.4f}, but {coordinates.title(crs)} is measured in metres.",
            "If they are longitude and latitude, read the file with --crs EPSG:4326.",
            code="city.degrees",
            values={"name": file.name, "x": f"{low[0]:.4f}", "y": f"{low[1]:.4f}", "crs": coordinates.title(crs)},
        )
    metres = np.abs([low, high]) * coordinates.metres_per_unit(crs)
    if bool((metres < NEAR_ORIGIN).all()):
        message = (
            "The coordinates lie at 0, 0: the file was probably drawn with its own origin and never placed on the map."
        )
        return [Issue("city.near_origin", message, "doubt", values={"x": float(low[0]), "y": float(low[1])})]
    return outside_area(crs, (low + high) / 2)


def _check_degrees(name: str, crs: str, low: Floats, high: Floats) -> list[Issue]:
    if bool((np.abs([low, high]) <= [360.0, 90.0]).all()):
        return []
    raise UserError(
        f"The coordinates of {name} are not degrees.",
        f"They reach {high[0]:.0f}, {high[1]:.0f}, but {coordinates.title(crs)} is measured in degrees.",
        "Name the coordinate system they are in with --crs, for example --crs EPSG:5186;"
        " latitude written before longitude must be exchanged.",
        code="city.not_degrees",
        values={"name": name, "x": f"{high[0]:.0f}", "y": f"{high[1]:.0f}", "crs": coordinates.title(crs)},
    )


def outside_area(crs: str, centre: Floats) -> list[Issue]:
    """A doubt about a point (2,) of the CRS outside the area the CRS is made for; margin 1 degree."""
    area = coordinates.crs_of(crs).area_of_use
    if area is None:
        return []
    longitude, latitude = (float(v) for v in coordinates.to_lonlat(centre[0], centre[1], crs))
    margin = AREA_MARGIN_DEG
    inside_south_north = area.south - margin <= latitude <= area.north + margin
    wraps = area.west > area.east
    inside = area.west - margin <= longitude <= area.east + margin
    around = longitude >= area.west - margin or longitude <= area.east + margin
    if inside_south_north and (around if wraps else inside):
        return []
    title = coordinates.title(crs)
    message = (
        f"The coordinates lie outside the area {title} is made for ({area.name}). "
        "The coordinate system or the order of the axes may be wrong; another can be named with --crs."
    )
    return [Issue("city.outside_area", message, "doubt", values={"crs": title, "area": area.name})]


def far_away(ids: list[str], boxes: Floats) -> list[Issue]:
    """A doubt about objects so far from the others that their coordinates are probably damaged.

    boxes : (n, 4) west, south, east, north of each object [local m], not-a-number for those without.
    """
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    known = np.isfinite(centre).all(axis=1)
    if known.sum() < 3:
        return []
    distance = np.linalg.norm(centre - np.median(centre[known], axis=0), axis=1)
    far = np.flatnonzero(known & (distance > CITY_LARGEST))
    if len(far) == 0:
        return []
    message = f"Objects more than {CITY_LARGEST / 1000:.0f} km from the middle of the others: {len(far)}."
    named = tuple(ids[row] for row in far[:MAX_IDS].tolist())
    values = {"km": round(CITY_LARGEST / 1000)}
    return [Issue("city.far_away", message, "doubt", len(far), named, values)]


def vertical_doubt(crs: str, file: CityFile, frame: Frame) -> list[Issue]:
    """A doubt when the file's height datum is another than the project's; heights are taken as they are."""
    name = coordinates.vertical_name(crs) or known_crs(file.crs)[1]
    if not name or not frame.vertical or name == frame.vertical:
        return []
    message = f"Heights in the file are {name}, heights in the project {frame.vertical}. They were taken as they are."
    return [Issue("crs.vertical_differs", message, "doubt", values={"file": name, "project": frame.vertical})]
