"""Which coordinate system a CityGML file names, and in which order its coordinates are written."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo import crs as coordinates
from geo.formats.city_objects import crs_text
from geo.formats.city_place import outside_area
from geo.model import Issue, UserError

Floats = NDArray[np.float64]
Axes = Literal["auto", "east_first", "north_first"]

_DEFINITION = re.compile(r"(urn:(x-)?ogc:def:crs|https?://[^#]*/def/crs[/,?-])", re.IGNORECASE)
_CRS84 = re.compile(r"CRS:?84(h?)\b", re.IGNORECASE)
# Names of the German surveys: horizontal system and zone, then the height system.
_ADV = re.compile(r"urn:adv:crs:(?:DE_)?([A-Z0-9]+)_(UTM|3GK)(\d+)?(?:\*(\w+))?", re.IGNORECASE)
_ADV_HEIGHTS = {"DE_DHHN92_NH": 5783, "DE_DHHN2016_NH": 7837, "DE_DHHN12_NOH": 5774}


class Reference(NamedTuple):
    """A srsName: text for pyproj, and whether it points to a definition whose order of axes counts."""

    crs: str
    by_definition: bool


def reference(name: str | None) -> Reference | None:
    """What a srsName says, None for nothing.

    Understands ``urn:ogc:def:crs:EPSG::6697``, compound URNs, http(s) addresses, ``EPSG:25832`` in any case,
    ``http://www.opengis.net/gml/srs/epsg.xml#25832``, CRS84 and the names of the German surveys.
    """
    text = (name or "").strip()
    if not text:
        return None
    if _CRS84.search(text):
        return Reference("EPSG:4326", by_definition=False)
    german = _ADV.match(text)
    if german:
        return _german(german) or Reference(text, by_definition=False)
    found = crs_text({"referenceSystem": text})
    return None if found is None else Reference(found, bool(_DEFINITION.match(text)))


def _german(match: re.Match[str]) -> Reference | None:
    datum, projection, zone, height = match.groups()
    if zone is None:
        return None
    if datum.upper() == "ETRS89" and projection.upper() == "UTM":
        code = 25800 + int(zone)
    elif datum.upper() == "DHDN" and projection.upper() == "3GK":
        code = 31464 + int(zone)
    else:
        return None
    vertical = _ADV_HEIGHTS.get((height or "").upper())
    return Reference(f"EPSG:{code}" + (f"+{vertical}" if vertical else ""), by_definition=False)


def north_comes_first(crs: str) -> bool:
    """Whether the definition of a CRS writes latitude or northing before longitude or easting."""
    return bool(coordinates.horizontal(coordinates.crs_of(crs)).axis_info[0].direction.lower() == "north")


def east_first(points: Floats, named: Reference, axes: Axes, crs: str | None = None) -> tuple[Floats, list[Issue]]:
    """Points (n, 3) with easting or longitude first, and a doubt where the order had to be concluded.

    A definition by URN or address has the order of the registry. A short name such as ``EPSG:25832`` is written
    easting first by most programs; it is taken the other way round when only then the points lie in the area the
    system is made for, and that is said.

    crs : the system to use when it is not the one named.
    """
    used = crs or named.crs
    if axes != "auto":
        return (_exchanged(points) if axes == "north_first" else points), []
    if named.by_definition:
        return (_exchanged(points) if north_comes_first(named.crs) else points), []
    if not _lies_outside(points, used) or _lies_outside(_exchanged(points), used):
        return points, []
    message = (
        "The name of the coordinate system does not fix the order of the axes. The coordinates fit its area only as "
        "northing (latitude) before easting (longitude), and were read so. The option axes tells it for certain."
    )
    return _exchanged(points), [Issue("citygml.axes_concluded", message, "doubt")]


def _exchanged(points: Floats) -> Floats:
    return np.ascontiguousarray(points[:, [1, 0, 2]])


def _lies_outside(points: Floats, crs: str) -> bool:
    finite = points[np.isfinite(points).all(axis=1)]
    if len(finite) == 0:
        return False
    centre = np.median(finite[:, :2], axis=0)
    geographic = coordinates.is_geographic(crs)
    if geographic and not (abs(centre[0]) <= 360.0 and abs(centre[1]) <= 90.0):
        return True
    return bool(outside_area(crs, centre))


def unify(
    points: Floats, runs: list[tuple[int, str | None]], axes: Axes, override: str | None
) -> tuple[Floats, str | None, bool, list[Issue]]:
    """All points easting first in one system.

    Parameters
    ----------
    points : (n, 3) as written
    runs : list of (first point, srsName)
        Which points use which name; the first run starts at 0.
    override : str or None
        System to use whatever the file says; the order of the axes stays that of the file.

    Returns
    -------
    points, crs, by_definition, issues
        `crs` is None where nothing is named.
    """
    references = [(first, reference(name)) for first, name in runs]
    named = next((found for _, found in references if found is not None), None)
    if named is None and override is None:
        return points, None, False, []
    if override is not None or all(found in (None, named) for _, found in references):
        used = named or Reference(override or "", by_definition=False)
        turned, issues = _tolerant(points, used, axes, override)
        return turned, override or used.crs, used.by_definition, issues
    return _mixed(points, references, named or Reference("", by_definition=False), axes)


def _tolerant(points: Floats, named: Reference, axes: Axes, override: str | None) -> tuple[Floats, list[Issue]]:
    """As `east_first`; as written where the name cannot be understood, which is told later."""
    try:
        return east_first(points, named, axes, override)
    except UserError as error:
        if error.code != "crs.unknown":
            raise
        if override is not None:
            return east_first(points, Reference(override, by_definition=False), axes)
        return points, []


def _mixed(
    points: Floats, references: list[tuple[int, Reference | None]], main: Reference, axes: Axes
) -> tuple[Floats, str | None, bool, list[Issue]]:
    limits = [*(first for first, _ in references), len(points)]
    pieces, issues, names = [], [], set()
    for number, (first, found) in enumerate(references):
        used = found or main
        names.add(used.crs)
        piece, doubts = _tolerant(points[first : limits[number + 1]], used, axes, None)
        issues += [doubt for doubt in doubts if doubt not in issues]
        if used.crs != main.crs:
            piece = piece.copy()
            try:
                piece[:, 0], piece[:, 1] = coordinates.transform(piece[:, 0], piece[:, 1], used.crs, main.crs)
            except UserError:
                piece[:] = np.nan
        pieces.append(piece)
    if len(names) > 1:
        told = ", ".join(sorted(names))
        message = (
            f"The file mixes coordinate systems ({told}). Everything was brought to {main.crs}; heights as written."
        )
        issues.append(
            Issue("citygml.mixed_crs", message, "doubt", len(names), values={"systems": told, "crs": main.crs})
        )
    return np.concatenate(pieces), main.crs, main.by_definition, issues
