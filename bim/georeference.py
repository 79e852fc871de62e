"""Where a BIM model stands on Earth: the decision among what the file says, and the way into the scene's frame.

Order: a placement by hand; the map conversion (level 50); coordinates that are map coordinates already (30); the world
coordinate system (40); latitude and longitude (20); nothing. Levels after Clemen and Görne (2019), "Level of
Georeferencing (LoGeoRef) using IFC for BIM".
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bim.georeference_entities import Conversion, Facts, Site
from geo.model import Frame, Grid, Issue

if TYPE_CHECKING:
    import ifcopenshell

Floats = NDArray[np.float64]

LARGE_COORDINATE = 10_000.0  # [m] further from zero than any building: such numbers are map coordinates
NEAR_FRAME = 50_000.0  # [m] a latitude and longitude nearer than this to the scene is believed
SAME_PLACE = 1_000.0  # [m] beyond this latitude and longitude contradict the map conversion
FAR_HEIGHT = 50.0  # [m] a model that lies wholly above or below this has absolute heights
UNIT_TOLERANCE = 0.01  # a combined scale factor stays within a few parts in a thousand of 1
FOOT_TOLERANCE = 1e-4  # foot and survey foot differ by 2e-6
EARTH_RADIUS = 6_371_000.0  # [m] mean
# Latitude, longitude [degrees] that authoring programs write when nobody set a place (0.01 degrees about).
TEMPLATE_PLACES = (
    (42.3584, -71.0598),  # Boston, default of Revit up to 2011
    (42.3587, -71.0567),  # Boston, default of Revit since
)


@dataclass(frozen=True, eq=False)
class Georeference:
    """Model coordinates [m] to map coordinates, and how well that is known.

    Attributes
    ----------
    level : int
        50 map conversion, 40 world coordinate system, 30 placement coordinates, 20 latitude and longitude,
        10 postal address, 0 nothing. What was found in the file, also when it is placed otherwise.
    source : str
        Where it was found, in plain English.
    crs : str or None
        Of eastings and northings; None where the file gives no map coordinates.
    vertical : str
        Height datum as the file says it.
    eastings, northings : float [CRS unit]
    height : float [m]
        Map coordinates of the anchor.
    x_axis_abscissa, x_axis_ordinate : float
        Direction of the model's x axis on the map (east, north).
    scale : (x, y, z)
        CRS units per model metre along x and y, metres per model metre along z.
    anchor : (x, y, z) [model m]
        The point that comes to lie at eastings, northings, height.
    before : (4, 4) float64
        Applied to model coordinates first (world coordinate system).
    site : Site or None
        Latitude and longitude, as information where something better exists.
    true_north : (x, y) or None
        Direction of true north in model coordinates.
    issues : tuple of Issue
    """

    level: int
    source: str
    crs: str | None = None
    vertical: str = ""
    eastings: float = 0.0
    northings: float = 0.0
    height: float = 0.0
    x_axis_abscissa: float = 1.0
    x_axis_ordinate: float = 0.0
    scale: tuple[float, float, float] = (1.0, 1.0, 1.0)
    anchor: tuple[float, float, float] = (0.0, 0.0, 0.0)
    before: Floats = dataclasses.field(default_factory=lambda: np.eye(4))
    site: Site | None = None
    true_north: tuple[float, float] | None = None
    metres_per_unit: float = 1.0
    issues: tuple[Issue, ...] = ()

    @property
    def rotation_deg(self) -> float:
        """Anticlockwise turn from map east to the model's x axis [degrees]."""
        return math.degrees(math.atan2(self.x_axis_ordinate, self.x_axis_abscissa))

    @property
    def true_north_deg(self) -> float | None:
        """True north clockwise from the model's y axis [degrees], None if the file does not say."""
        return None if self.true_north is None else math.degrees(math.atan2(*self.true_north))

    @property
    def is_on_map(self) -> bool:
        """Whether the file itself gives map coordinates in a known CRS."""
        return self.crs is not None

    def to_map(self, points: Floats) -> Floats:
        """Model points (n, 3) [m] to easting, northing [CRS unit] and height [m].

        E = E0 + sx x cos t - sy y sin t,  N = N0 + sx x sin t + sy y cos t,  H = H0 + sz z  (IFC 4.3,
        IfcMapConversion and IfcMapConversionScaled), x, y, z counted from the anchor.
        """
        local = np.asarray(points, dtype=np.float64) @ self.before[:3, :3].T + self.before[:3, 3]
        local = (local - np.asarray(self.anchor)) * np.asarray(self.scale)
        turn = math.radians(self.rotation_deg)
        cosine, sine = math.cos(turn), math.sin(turn)
        return np.stack(
            [
                self.eastings + local[:, 0] * cosine - local[:, 1] * sine,
                self.northings + local[:, 0] * sine + local[:, 1] * cosine,
                self.height + local[:, 2],
            ],
            axis=1,
        )

    def to_frame(self, points: Floats, frame: Frame) -> Floats:
        """Model points (n, 3) [m] to local metres of the frame (n, 3). Heights are kept as heights."""
        from geo.crs import transform

        on_map = self.to_map(points)
        if self.crs is not None and self.crs != frame.crs:
            on_map[:, 0], on_map[:, 1] = transform(on_map[:, 0], on_map[:, 1], self.crs, frame.crs)
        return frame.to_local(on_map)

    def details(self) -> dict[str, object]:
        """What is worth showing of it, plain values."""
        site = self.site
        return {
            "georeference_level": self.level,
            "georeference_source": self.source,
            "rotation_deg": round(self.rotation_deg, 6),
            "true_north_deg": None if self.true_north_deg is None else round(self.true_north_deg, 6),
            "metres_per_unit": self.metres_per_unit,
            "latitude": None if site is None else site.latitude,
            "longitude": None if site is None else site.longitude,
            "elevation": None if site is None else site.elevation,
        }


def read_georeference(
    file: ifcopenshell.file, metres_per_unit: float, *, centre: Floats | None = None, crs: str | None = None
) -> Georeference:
    """Decide where the file says it lies.

    Parameters
    ----------
    centre : (3,) float or None
        Middle of the model [model m]; tells map coordinates from building coordinates.
    crs : str or None
        The user's word, in place of the CRS the file names.
    """
    from bim.georeference_entities import read_facts

    return decide(read_facts(file, metres_per_unit), centre=centre, crs=crs)


def decide(facts: Facts, *, centre: Floats | None = None, crs: str | None = None) -> Georeference:
    """The decision of `read_georeference` on facts already read."""
    named = facts.crs
    system = crs or (named.crs if named else None)
    geographic = _is_geographic(system)
    issues = [i for i in facts.issues if not (crs and i.code in ("ifc.crs_missing", "ifc.crs_unreadable"))]
    base = Georeference(
        0,
        "nothing in the file",
        vertical=named.vertical if named else "",
        site=facts.site,
        true_north=facts.true_north,
        metres_per_unit=facts.metres_per_unit,
        issues=tuple(issues),
    )
    if geographic and facts.conversion is not None and not facts.conversion.in_degrees:
        base = _with(base, _geographic(str(system)))
    if geographic:
        system = None
    middle = np.zeros(3) if centre is None else np.asarray(centre, dtype=np.float64)
    if facts.conversion is not None and not facts.conversion.in_degrees:
        return _from_conversion(base, facts, facts.conversion, system, middle)
    if facts.conversion is not None:
        return _from_degrees(base, facts.conversion)
    if system is not None and _is_large(middle):
        return _checked_site(_plain_map(base, system, 30, "coordinates of the placements"))
    if system is not None and _is_large(facts.world[:3, 3]):
        return _checked_site(
            dataclasses.replace(_plain_map(base, system, 40, "world coordinate system"), before=facts.world)
        )
    if crs is not None:
        base = _with(base, _crs_not_used(crs))
    if facts.site is not None:
        return _from_site(base, facts.site, middle)
    if _is_large(middle):
        base = _with(base, _unnamed_map_coordinates(middle))
    return dataclasses.replace(base, level=10, source="postal address") if facts.has_address else base


def _with(georeference: Georeference, *issues: Issue) -> Georeference:
    return dataclasses.replace(georeference, issues=georeference.issues + issues)


def _is_large(point: Floats) -> bool:
    return math.hypot(float(point[0]), float(point[1])) > LARGE_COORDINATE


def _is_geographic(system: str | None) -> bool:
    from geo.crs import is_geographic

    return system is not None and is_geographic(system)


def _geographic(system: str) -> Issue:
    return Issue(
        "ifc.crs_geographic",
        f"The map conversion names {system}, a system of degrees, for eastings and northings; it cannot be used.",
        severity="doubt",
        values={"crs": system[:80]},
    )


def _crs_not_used(crs: str) -> Issue:
    return Issue(
        "ifc.crs_not_used",
        f"{crs} was named, but the model has no map coordinates that it could belong to.",
        severity="doubt",
        values={"crs": crs[:80]},
    )


def _unnamed_map_coordinates(middle: Floats) -> Issue:
    return Issue(
        "ifc.coordinates_without_crs",
        f"The model lies at {middle[0]:.0f}, {middle[1]:.0f}: these look like map coordinates, but no coordinate "
        "system is named. If you know it, import with --crs.",
        severity="doubt",
        values={"x": f"{middle[0]:.0f}", "y": f"{middle[1]:.0f}"},
    )


def _plain_map(base: Georeference, system: str, level: int, source: str) -> Georeference:
    """Model coordinates that are map coordinates, in metres or the CRS's own unit."""
    from geo.crs import metres_per_unit

    unit = metres_per_unit(system)
    return dataclasses.replace(base, level=level, source=source, crs=system, scale=(1.0 / unit, 1.0 / unit, 1.0))


def _from_site(base: Georeference, site: Site, middle: Floats) -> Georeference:
    found = dataclasses.replace(base, level=20, source="latitude and longitude of IfcSite")
    if is_template(site):
        found = _with(
            found,
            Issue(
                "ifc.latlong_template",
                f"Latitude {site.latitude:.4f}, longitude {site.longitude:.4f} are what an authoring program writes "
                "when nobody set a place; the model probably stands elsewhere.",
                severity="doubt",
                values={"latitude": f"{site.latitude:.4f}", "longitude": f"{site.longitude:.4f}"},
            ),
        )
    return _with(found, _unnamed_map_coordinates(middle)) if _is_large(middle) else found


def _from_degrees(base: Georeference, conversion: Conversion) -> Georeference:
    """A rigid operation into a geographic CRS: latitude first, as the registered systems have it."""
    site = Site(conversion.eastings, conversion.northings, conversion.height, (0.0, 0.0, 0.0))
    if abs(site.latitude) > 90 or abs(site.longitude) > 180:
        return base
    return dataclasses.replace(base, level=20, source=conversion.source, site=site)


def is_template(site: Site) -> bool:
    """Whether latitude and longitude are the default of an authoring program."""
    return any(abs(site.latitude - a) < 0.01 and abs(site.longitude - b) < 0.01 for a, b in TEMPLATE_PLACES)


def _from_conversion(
    base: Georeference, facts: Facts, conversion: Conversion, system: str | None, middle: Floats
) -> Georeference:
    from geo.crs import metres_per_unit

    declared = facts.crs.map_unit if facts.crs else None
    unit = metres_per_unit(system) if system else (declared or 1.0)
    issues: list[Issue] = []
    scale = _metres_to_map(conversion, facts.metres_per_unit, unit, issues)
    to_unit = _offset_unit(conversion, system, unit, declared, facts.metres_per_unit, issues)
    abscissa, ordinate = conversion.x_axis_abscissa, conversion.x_axis_ordinate
    if math.hypot(abscissa, ordinate) == 0:
        abscissa, ordinate = 1.0, 0.0
    x, y, z = conversion.factors
    found = dataclasses.replace(
        base,
        level=50,
        source=conversion.source,
        crs=system,
        eastings=conversion.eastings * to_unit,
        northings=conversion.northings * to_unit,
        height=conversion.height * to_unit * unit,
        x_axis_abscissa=abscissa,
        x_axis_ordinate=ordinate,
        scale=(scale * x, scale * y, scale * z * unit),
        issues=base.issues + tuple(issues),
    )
    if not np.allclose(facts.world, np.eye(4)):
        found = _in_world(found, facts.world)
    return _checked_site(_not_twice(found, middle, unit)) if system else found


def _metres_to_map(conversion: Conversion, metres_per_unit: float, unit: float, issues: list[Issue]) -> float:
    """CRS units per model metre. Scale carries the units; where it plainly does not, the units are put right."""
    true_size = metres_per_unit / unit
    written = true_size if conversion.scale is None else conversion.scale
    if conversion.scale is None and abs(true_size - 1.0) > UNIT_TOLERANCE:
        issues.append(
            Issue(
                "ifc.scale_absent",
                f"The map conversion has no scale although the file's unit is {metres_per_unit:g} m and that of the "
                f"map {unit:g} m; the model keeps its true size.",
                severity="doubt",
                values={"file_unit": f"{metres_per_unit:g}", "map_unit": f"{unit:g}"},
            )
        )
    if written <= 0 or abs(written / true_size - 1.0) > UNIT_TOLERANCE:
        issues.append(
            Issue(
                "ifc.scale_units",
                f"The map conversion's scale {written:g} does not fit the units (file {metres_per_unit:g} m, map "
                f"{unit:g} m: {true_size:g} expected); the model keeps its true size.",
                severity="doubt",
                values={"scale": f"{written:g}", "expected": f"{true_size:g}"},
            )
        )
        written = true_size
    return written / metres_per_unit


def _offset_unit(
    conversion: Conversion,
    system: str | None,
    unit: float,
    declared: float | None,
    metres_per_unit: float,
    issues: list[Issue],
) -> float:
    """Factor from the unit of the written eastings to CRS units."""
    if declared is not None and abs(declared / unit - 1.0) > FOOT_TOLERANCE:
        return declared / unit
    if declared is not None and declared != unit:
        issues.append(
            Issue(
                "ifc.map_unit",
                f"The file declares a map unit of {declared:.9g} m, the coordinate system has {unit:.9g} m; the latter "
                "is used.",
                values={"declared": f"{declared:.9g}", "unit": f"{unit:.9g}"},
            )
        )
    ratio = metres_per_unit / unit
    if declared is None and abs(ratio - 1.0) > UNIT_TOLERANCE and (conversion.eastings or conversion.northings):
        in_file_unit = system is not None and _inside(system, conversion.eastings * ratio, conversion.northings * ratio)
        in_map_unit = system is None or _inside(system, conversion.eastings, conversion.northings)
        use_file = in_file_unit and not in_map_unit
        issues.append(
            Issue(
                "ifc.offset_unit",
                f"The file's unit is {metres_per_unit:g} m and no map unit is declared; eastings "
                f"{conversion.eastings:g} is taken in {'file units' if use_file else 'units of the map'}.",
                severity="doubt",
                values={"eastings": f"{conversion.eastings:g}", "file_unit": f"{metres_per_unit:g}"},
            )
        )
        return ratio if use_file else 1.0
    return 1.0


def _inside(system: str, east: float, north: float) -> bool:
    """Whether map coordinates lie in the area of use of a CRS, two degrees about it included."""
    from geo.crs import crs_of, to_lonlat

    area = crs_of(system).area_of_use
    longitude, latitude = (float(v) for v in to_lonlat(east, north, system))
    if not (math.isfinite(longitude) and math.isfinite(latitude)):
        return False
    if area is None or area.west > area.east:
        return True
    return area.west - 2 <= longitude <= area.east + 2 and area.south - 2 <= latitude <= area.north + 2


def _in_world(found: Georeference, world: Floats) -> Georeference:
    """The map conversion starts at the world coordinate system: coordinates are first expressed in it."""
    return _with(
        dataclasses.replace(found, before=np.linalg.inv(world)),
        Issue(
            "ifc.world_system",
            "The file has a world coordinate system of its own beside the map conversion; the conversion is taken to "
            "start there.",
            severity="doubt",
            values={"x": f"{world[0, 3]:.1f}", "y": f"{world[1, 3]:.1f}"},
        ),
    )


def _not_twice(found: Georeference, middle: Floats, unit: float) -> Georeference:
    """Undo an offset that the placements contain already."""
    offset = np.array([found.eastings, found.northings])
    if not _is_large(middle) or not _is_large(offset * unit):
        return found
    if math.hypot(*(middle[:2] / unit - offset)) * unit > LARGE_COORDINATE:
        return found
    issue = Issue(
        "ifc.placed_twice",
        "The placements contain the map coordinates already and the map conversion would add them again; it is left "
        "out.",
        severity="doubt",
    )
    plain = dataclasses.replace(
        found, eastings=0.0, northings=0.0, height=0.0, x_axis_abscissa=1.0, x_axis_ordinate=0.0
    )
    return _with(plain, issue)


def _checked_site(found: Georeference) -> Georeference:
    """Say so where latitude and longitude contradict the map coordinates; the latter win."""
    from geo.crs import to_lonlat

    if found.site is None or found.crs is None:
        return found
    place = found.to_map(np.array([found.site.anchor]))[0]
    longitude, latitude = (float(v) for v in to_lonlat(place[0], place[1], found.crs))
    away = distance(longitude, latitude, found.site.longitude, found.site.latitude)
    if math.isfinite(away) and away <= SAME_PLACE:
        return found
    return _with(
        found,
        Issue(
            "ifc.latlong_conflict",
            f"Latitude and longitude of the site lie {away / 1000:.0f} km from the map coordinates; the map "
            "coordinates are used.",
            severity="doubt",
            values={"distance": f"{away / 1000:.0f}"},
        ),
    )


def distance(longitude_a: float, latitude_a: float, longitude_b: float, latitude_b: float) -> float:
    """Great-circle distance of two points given in degrees [m]."""
    a, b, half = math.radians(latitude_a), math.radians(latitude_b), math.radians(longitude_b - longitude_a) / 2
    chord = math.sin((b - a) / 2) ** 2 + math.cos(a) * math.cos(b) * math.sin(half) ** 2
    return 2 * EARTH_RADIUS * math.asin(math.sqrt(min(max(chord, 0.0), 1.0)))


def ground_at(terrain: Grid | None, x: float, y: float) -> float | None:
    """Height of the terrain at a local point [m], None without one there."""
    if terrain is None:
        return None
    height = float(terrain.sample(x, y))
    return height if math.isfinite(height) else None
