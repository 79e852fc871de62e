"""What an IFC file says about where it lies, as plain numbers: nothing is decided here.

Read are the coordinate operation (IFC4 and later), the property sets that stand in for it in IFC2x3, the projected
CRS, latitude and longitude of the site, true north and the world coordinate system.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bim.attributes import attribute, by_type, members, number, plain, related, text, unit_scale
from geo.model import Issue

if TYPE_CHECKING:
    import ifcopenshell
    from ifcopenshell import entity_instance

Matrix = NDArray[np.float64]
EPSG_CODE = re.compile(r"EPSG\W*(\d{4,6})\b", re.IGNORECASE)
PLACEMENT_DEPTH = 1000  # a chain longer than this is a circle
UNIT_NAMES = {"METRE": 1.0, "METER": 1.0, "M": 1.0, "MILLIMETRE": 0.001, "MM": 0.001, "FOOT": 0.3048, "FT": 0.3048}


@dataclass(frozen=True)
class Conversion:
    """A map conversion as the file writes it, in its own units."""

    source: str
    eastings: float
    northings: float
    height: float
    x_axis_abscissa: float = 1.0
    x_axis_ordinate: float = 0.0
    scale: float | None = None
    factors: tuple[float, float, float] = (1.0, 1.0, 1.0)
    in_degrees: bool = False


@dataclass(frozen=True)
class NamedCrs:
    """A coordinate system as the file names it; `map_unit` in metres, None if not declared."""

    name: str
    crs: str | None
    vertical: str = ""
    map_unit: float | None = None


@dataclass(frozen=True)
class Site:
    """Latitude, longitude [degrees] and elevation [m] of the site, and its place in model coordinates [m]."""

    latitude: float
    longitude: float
    elevation: float | None
    anchor: tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class Facts:
    """All that the file says about its place.

    Attributes
    ----------
    true_north : (x, y) or None
        Direction in model coordinates that points to true north.
    world : (4, 4) float64
        The world coordinate system of the model context [m].
    """

    metres_per_unit: float
    conversion: Conversion | None
    crs: NamedCrs | None
    site: Site | None
    true_north: tuple[float, float] | None
    world: Matrix
    has_address: bool
    issues: tuple[Issue, ...] = field(default=())


def read_facts(file: ifcopenshell.file, metres_per_unit: float) -> Facts:
    """Gather everything; attributes of the wrong type count as absent."""
    issues: list[Issue] = []
    sets = _property_sets(file)
    conversion = _operation(file) or _conversion_from_set(sets)
    crs = _projected_crs(file) or _crs_from_set(sets)
    if crs is not None and crs.crs is None:
        issues.append(_unnamed_crs(crs.name))
    return Facts(
        metres_per_unit,
        conversion,
        crs,
        _site(file, metres_per_unit, issues),
        _true_north(file, issues),
        _world(file, metres_per_unit),
        any(attribute(b, name) for kind, name in ADDRESSES for b in file.by_type(kind)),
        tuple(issues),
    )


ADDRESSES = (("IfcSite", "SiteAddress"), ("IfcBuilding", "BuildingAddress"))


def _unnamed_crs(name: str) -> Issue:
    if not name:
        return Issue(
            "ifc.crs_missing",
            "The file has a map conversion but does not name its coordinate system.",
            severity="doubt",
        )
    return Issue(
        "ifc.crs_unreadable",
        f"The file names its coordinate system '{name}', which the program does not know.",
        severity="doubt",
        values={"crs": name},
    )


def _operation(file: ifcopenshell.file) -> Conversion | None:
    found = [o for o in by_type(file, "IfcCoordinateOperation") if not _starts_at_crs(o)]
    # The model context's own operation goes before that of a plan.
    found.sort(key=lambda o: attribute(related(o, "SourceCRS"), "ContextType") != "Model")
    for operation in found:
        if operation.is_a("IfcMapConversion"):
            return _map_conversion(operation)
        if operation.is_a("IfcRigidOperation"):
            return _rigid_operation(operation, unit_scale(file, "PLANEANGLEUNIT"))
    return None


def _starts_at_crs(operation: entity_instance) -> bool:
    source = related(operation, "SourceCRS")
    return source is not None and bool(source.is_a("IfcCoordinateReferenceSystem"))


def _map_conversion(operation: entity_instance) -> Conversion:
    scale = attribute(operation, "Scale")
    return Conversion(
        operation.is_a(),
        number(attribute(operation, "Eastings")),
        number(attribute(operation, "Northings")),
        number(attribute(operation, "OrthogonalHeight")),
        number(attribute(operation, "XAxisAbscissa"), 1.0 if attribute(operation, "XAxisOrdinate") is None else 0.0),
        number(attribute(operation, "XAxisOrdinate")),
        None if scale is None else number(scale, 1.0),
        tuple(number(attribute(operation, name), 1.0) for name in ("FactorX", "FactorY", "FactorZ")),  # type: ignore[arg-type]
    )


def _rigid_operation(operation: entity_instance, radians_per_unit: float) -> Conversion:
    first, second = attribute(operation, "FirstCoordinate"), attribute(operation, "SecondCoordinate")
    if not (hasattr(first, "is_a") and first.is_a("IfcPlaneAngleMeasure")):
        return Conversion("IfcRigidOperation", number(first), number(second), number(attribute(operation, "Height")))
    to_degrees = math.degrees(radians_per_unit) if math.isfinite(radians_per_unit) else 1.0
    if abs(number(first)) * to_degrees > 90 or abs(number(second)) * to_degrees > 180:
        to_degrees = 1.0  # degrees were written although the project's unit is the radian
    return Conversion(
        "IfcRigidOperation",
        number(first) * to_degrees,
        number(second) * to_degrees,
        number(attribute(operation, "Height")),
        in_degrees=True,
    )


def _projected_crs(file: ifcopenshell.file) -> NamedCrs | None:
    found = by_type(file, "IfcCoordinateReferenceSystem")
    targets = [related(o, "TargetCRS") for o in by_type(file, "IfcCoordinateOperation") if not _starts_at_crs(o)]
    ordered = [*(t for t in targets if t is not None), *found]
    if not ordered:
        return None
    system = ordered[0]
    known_text = [text(w, "WellKnownText") for w in members(system, "WellKnownText")]
    name = (text(system, "Name") or "").strip()
    crs = _known_crs(name, text(system, "Description") or "", *filter(None, known_text))
    return NamedCrs(name, crs, _vertical(crs, text(system, "VerticalDatum") or ""), _map_unit(system))


def _map_unit(system: entity_instance) -> float | None:
    import ifcopenshell.util.unit

    unit = related(system, "MapUnit")
    if unit is None:
        return None
    try:
        scale = float(ifcopenshell.util.unit.get_unit_scale(unit))
    except (AttributeError, TypeError, KeyError, ValueError, RuntimeError):
        return None
    return scale if math.isfinite(scale) and scale > 0 else None


def _known_crs(*candidates: str) -> str | None:
    """``"EPSG:n"`` or WKT of the first text that names a known coordinate system."""
    from geo.crs import crs_of
    from geo.model import UserError

    for words in candidates:
        code = EPSG_CODE.search(words)
        for attempt in (f"EPSG:{code[1]}" if code else "", f"EPSG:{words}" if words.isdigit() else "", words):
            if not attempt:
                continue
            try:
                system = crs_of(attempt)
            except UserError:
                continue
            authority = system.to_authority(min_confidence=100)
            return f"{authority[0]}:{authority[1]}" if authority else str(system.to_wkt())
    return None


def _vertical(crs: str | None, stated: str) -> str:
    """Plain name of the height datum: of the compound CRS, of an EPSG code, or as the file writes it."""
    from geo.crs import crs_of, vertical_name
    from geo.model import UserError

    named = vertical_name(crs) if crs else ""
    if named:
        return named
    code = EPSG_CODE.search(stated)
    if code:
        try:
            return str(crs_of(f"EPSG:{code[1]}").name)
        except UserError:
            return stated
    return stated


def _property_sets(file: ifcopenshell.file) -> dict[str, tuple[str, Mapping[str, Any]]]:
    """The two georeferencing property sets by lower-case name: class they hang on, values by lower-case name.

    Programs put them on the project, the site or the building, and write the names in upper or lower case.
    """
    found: dict[str, tuple[str, Mapping[str, Any]]] = {}
    for kind in ("IfcProject", "IfcSite", "IfcBuilding"):
        for thing in file.by_type(kind):
            for definition in _definitions(thing):
                name = (text(definition, "Name") or "").lower()
                if name in ("epset_mapconversion", "epset_projectedcrs") and name not in found:
                    values = {
                        (text(p, "Name") or "").lower(): plain(attribute(p, "NominalValue"))
                        for p in members(definition, "HasProperties")
                    }
                    found[name] = (kind, values)
    return found


def _definitions(thing: entity_instance) -> Iterator[Any]:
    for relation in members(thing, "IsDefinedBy"):
        definition = related(relation, "RelatingPropertyDefinition")
        if definition is not None:
            yield definition


def _conversion_from_set(sets: Mapping[str, tuple[str, Mapping[str, Any]]]) -> Conversion | None:
    if "epset_mapconversion" not in sets:
        return None
    kind, values = sets["epset_mapconversion"]
    if not isinstance(values.get("eastings"), int | float) or not isinstance(values.get("northings"), int | float):
        return None
    scale = values.get("scale")
    return Conversion(
        f"ePSet_MapConversion on {kind}",
        number(values.get("eastings")),
        number(values.get("northings")),
        number(values.get("orthogonalheight")),
        number(values.get("xaxisabscissa"), 1.0 if values.get("xaxisordinate") is None else 0.0),
        number(values.get("xaxisordinate")),
        None if scale is None else number(scale, 1.0),
    )


def _crs_from_set(sets: Mapping[str, tuple[str, Mapping[str, Any]]]) -> NamedCrs | None:
    values: Mapping[str, Any] = {}
    for name in ("epset_projectedcrs", "epset_mapconversion"):
        values = {**(sets[name][1] if name in sets else {}), **values}
    name = str(values.get("name") or values.get("targetcrs") or "").strip()
    if not name and "epset_mapconversion" not in sets:
        return None
    crs = _known_crs(name, str(values.get("description") or ""))
    unit = UNIT_NAMES.get(str(values.get("mapunit") or "").strip().upper())
    return NamedCrs(name, crs, _vertical(crs, str(values.get("verticaldatum") or "")), unit)


def _angle(value: Any) -> float | None:
    """Degrees from (degrees, minutes, seconds[, millionths]); whole numbers or, against the schema, decimals."""
    if not isinstance(value, tuple | list) or not 1 <= len(value) <= 4:
        return None
    parts = [number(part, math.nan) for part in value]
    if not all(map(math.isfinite, parts)):
        return None
    # All parts should have the same sign; where they do not, the first that is not zero decides.
    sign = next((math.copysign(1.0, part) for part in parts if part != 0), 1.0)
    weights = (1.0, 60.0, 3600.0, 3.6e9)
    return sign * sum(abs(part) / weight for part, weight in zip(parts, weights, strict=False))


def _site(file: ifcopenshell.file, metres_per_unit: float, issues: list[Issue]) -> Site | None:
    for site in file.by_type("IfcSite"):
        latitude, longitude = _angle(attribute(site, "RefLatitude")), _angle(attribute(site, "RefLongitude"))
        if latitude is None or longitude is None or abs(latitude) > 90 or abs(longitude) > 180:
            continue
        if latitude == 0 and longitude == 0:
            issues.append(
                Issue("ifc.latlong_zero", "Latitude and longitude of the site are both zero; they are taken as absent.")
            )
            continue
        elevation = attribute(site, "RefElevation")
        matrix = placement_matrix(related(site, "ObjectPlacement"))
        anchor = (0.0, 0.0, 0.0) if matrix is None else tuple(float(v) * metres_per_unit for v in matrix[:3, 3])
        height = None if elevation is None else number(elevation) * metres_per_unit
        return Site(latitude, longitude, height, anchor)  # type: ignore[arg-type]
    return None


def _contexts(file: ifcopenshell.file) -> list[entity_instance]:
    found = list(file.by_type("IfcGeometricRepresentationContext", include_subtypes=False))
    return sorted(found, key=lambda c: attribute(c, "ContextType") != "Model")


def _true_north(file: ifcopenshell.file, issues: list[Issue]) -> tuple[float, float] | None:
    for context in _contexts(file):
        written = attribute(related(context, "TrueNorth"), "DirectionRatios")
        ratios = [number(v, math.nan) for v in written] if isinstance(written, tuple) else []
        if len(ratios) == 3 and ratios[2] != 0.0:
            # Some programs write the number of dimensions first: (2., 0., 1.) for (0., 1.).
            issues.append(
                Issue(
                    "ifc.true_north_3d",
                    f"True north is written with a height part {tuple(ratios)}; its last two numbers are used.",
                    severity="doubt",
                    values={"ratios": str(tuple(ratios))},
                )
            )
            ratios = ratios[1:]
        if len(ratios) >= 2 and math.isfinite(ratios[0] + ratios[1]) and math.hypot(ratios[0], ratios[1]) > 0:
            return ratios[0], ratios[1]
    return None


def _world(file: ifcopenshell.file, metres_per_unit: float) -> Matrix:
    for context in _contexts(file):
        matrix = _axis_matrix(related(context, "WorldCoordinateSystem"))
        if matrix is not None:
            matrix = matrix.copy()
            matrix[:3, 3] *= metres_per_unit
            return matrix
    return np.eye(4)


def _axis_matrix(placement: Any) -> Matrix | None:
    import ifcopenshell.util.placement

    # A placement along a curve would be worked out by the kernel: a hundredth of a second each.
    if placement is None or not (placement.is_a("IfcAxis2Placement3D") or placement.is_a("IfcAxis2Placement2D")):
        return None
    try:
        matrix = np.asarray(ifcopenshell.util.placement.get_axis2placement(placement), dtype=np.float64)
    except (AttributeError, TypeError, ValueError, IndexError, RuntimeError):
        return None
    return matrix if matrix.shape == (4, 4) and np.isfinite(matrix).all() else None


def placement_matrix(placement: Any, known: dict[int, Matrix | None] | None = None) -> Matrix | None:
    """(4, 4) placement in model coordinates [file units], None where the file gives none that can be read.

    A linear placement is taken from the Cartesian position that the file states beside it. `known` remembers
    placements already worked out.
    """
    known = {} if known is None else known
    chain: list[Any] = []
    while placement is not None and placement.id() not in known and len(chain) < PLACEMENT_DEPTH:
        chain.append(placement)
        placement = related(placement, "PlacementRelTo")
    if len(chain) == PLACEMENT_DEPTH:
        return None
    matrix: Matrix | None = np.eye(4) if placement is None else known[placement.id()]
    for link in reversed(chain):
        own = _axis_matrix(
            related(link, "CartesianPosition" if link.is_a("IfcLinearPlacement") else "RelativePlacement")
        )
        matrix = None if matrix is None or own is None else matrix @ own
        known[link.id()] = matrix
    return matrix
