"""What the element names of CityGML 1.0 to 3.0 and of its extensions mean to the reader."""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import NamedTuple


class Kind(Enum):
    """Roles of elements."""

    DATA = auto()  # a property or data type: its text becomes an attribute
    OBJECT = auto()  # a city object with a row of its own
    SURFACE = auto()  # a thematic surface: the meaning of polygons of the object around it
    GEOMETRY = auto()  # a property that holds geometry of a level of detail
    IMPLICIT = auto()  # a property that repeats a shape
    APPEARANCE = auto()
    ADDRESS = auto()
    GENERIC = auto()  # a generic attribute
    GENERIC_SET = auto()
    POLYGON = auto()
    AGGREGATE = auto()  # a geometry made of surfaces
    LOOSE = auto()  # points and lines
    ORIENTABLE = auto()
    MEMBER = auto()  # a property within geometry
    IGNORED = auto()


class Role(NamedTuple):
    """What a tag means: its kind, local name, and for geometry the level of detail and the rest of the name."""

    kind: Kind
    name: str
    lod: str = ""
    rest: str = ""


_OBJECTS = """
    Building BuildingPart BuildingInstallation IntBuildingInstallation Room BuildingFurniture BuildingRoom
    BuildingUnit Storey BuildingConstructiveElement OtherConstruction Bridge BridgePart BridgeInstallation
    IntBridgeInstallation BridgeConstructionElement BridgeConstructiveElement BridgeRoom BridgeFurniture Tunnel
    TunnelPart TunnelInstallation IntTunnelInstallation TunnelConstructiveElement HollowSpace TunnelFurniture
    TransportationComplex Track Road Railway Square Waterway Section Intersection TrafficSpace
    AuxiliaryTrafficSpace ClearanceSpace TrafficArea AuxiliaryTrafficArea Marking Hole SolitaryVegetationObject
    PlantCover WaterBody LandUse CityFurniture GenericCityObject CityObjectGroup GenericLogicalSpace
    GenericOccupiedSpace GenericUnoccupiedSpace GenericThematicSurface ReliefFeature TINRelief MassPointRelief
    BreaklineRelief RasterRelief
"""
OBJECTS = frozenset(_OBJECTS.split())
_SURFACES = """
    RoofSurface WallSurface GroundSurface ClosureSurface FloorSurface InteriorWallSurface CeilingSurface
    OuterCeilingSurface OuterFloorSurface Window Door WindowSurface DoorSurface HoleSurface WaterSurface
    WaterGroundSurface WaterClosureSurface
"""
SURFACES = frozenset(_SURFACES.split())
POLYGONS = frozenset(["Polygon", "Triangle", "Rectangle", "PolygonPatch"])
_AGGREGATES = """
    MultiSurface CompositeSurface Solid CompositeSolid MultiSolid Surface PolyhedralSurface TriangulatedSurface
    Tin MultiGeometry GeometricComplex Shell MultiPolygon
"""
AGGREGATES = frozenset(_AGGREGATES.split())
SOLIDS = frozenset(("Solid", "CompositeSolid", "MultiSolid"))
_LOOSE = """
    Point MultiPoint LineString MultiCurve Curve CompositeCurve OrientableCurve MultiLineString PointCloud
"""
LOOSE = frozenset(_LOOSE.split())
_MEMBERS = """
    surfaceMember surfaceMembers exterior interior solidMember solidMembers patches polygonPatches
    trianglePatches baseSurface geometryMember geometryMembers shell
"""
MEMBERS = frozenset(_MEMBERS.split())
# Values of these are names of classes, even where they look like numbers and no code list is given.
_CODES = """
    class function usage roofType species mimeType surfaceMaterial trafficDirection
"""
CODES = frozenset(_CODES.split())

# Other properties begin with a level too: lod1HeightType is an attribute.
_LOD = re.compile(
    r"lod([0-4])(Solid|MultiSolid|CompositeSolid|MultiSurface|CompositeSurface|Surface|Geometry|FootPrint|RoofEdge"
    r"|MultiCurve|Curve|MultiPoint|Point|PointCloud|Network|ImplicitRepresentation|TerrainIntersection\w*)"
)
_GEOMETRY = frozenset(("tin", "reliefPoints", "ridgeOrValleyLines", "breaklines", "geometry"))
_GENERIC = re.compile(r"(string|int|double|date|uri|measure|String|Int|Double|Date|Uri|Measure|Code|code)Attribute")
_GML = ("http://www.opengis.net/gml", "http://www.opengis.net/gml/3.2")
_PLATEAU = "geospatial.jp/iur/"


class Roles(dict[object, Role]):
    """Role of each tag, found once."""

    def __missing__(self, tag: object) -> Role:
        role = _role(tag) if isinstance(tag, str) else Role(Kind.IGNORED, "")
        self[tag] = role
        return role


def is_extension_object(tag: str, own_id: str | None) -> bool:
    """Whether a nested element of an extension is an object: in i-UR they are data types, others name their objects."""
    if own_id is None:
        return False
    namespace, _, local = tag[1:].rpartition("}")
    foreign = not namespace.startswith(_GML) and "citygml/" not in namespace.replace("citygml.org", "")
    return foreign and local[:1].isupper() and _PLATEAU not in namespace and "xAL" not in namespace


def version_of(namespace: str) -> str:
    """``"2.0"`` from the namespace of the root."""
    return namespace.rsplit("/", 1)[-1]


def _role(tag: str) -> Role:
    namespace, _, local = tag[1:].rpartition("}") if tag.startswith("{") else ("", "", tag)
    if namespace in _GML:
        return Role(_gml_kind(local), local)
    match = _LOD.fullmatch(local)
    if match:
        lod, rest = match[1], match[2]
        if rest.startswith("TerrainIntersection"):
            return Role(Kind.IGNORED, local)
        return Role(Kind.IMPLICIT if rest == "ImplicitRepresentation" else Kind.GEOMETRY, local, lod, rest)
    return Role(_city_kind(namespace, local), local)


def _gml_kind(local: str) -> Kind:
    for kind, names in (
        (Kind.POLYGON, POLYGONS),
        (Kind.AGGREGATE, AGGREGATES),
        (Kind.LOOSE, LOOSE),
        (Kind.MEMBER, MEMBERS),
    ):
        if local in names:
            return kind
    if local == "OrientableSurface":
        return Kind.ORIENTABLE
    return Kind.IGNORED if local in ("boundedBy", "metaDataProperty", "location") else Kind.DATA


def _city_kind(namespace: str, local: str) -> Kind:
    if "opengis.net/citygml/" not in namespace and "citygml.org/citygml/" not in namespace:
        return Kind.DATA
    if local in OBJECTS:
        return Kind.OBJECT
    if local in SURFACES:
        return Kind.SURFACE
    if local == "Appearance":
        return Kind.APPEARANCE
    if local in _GEOMETRY:
        return Kind.GEOMETRY
    if local in ("address", "xalAddress"):
        return Kind.ADDRESS
    if "/generics/" in namespace and _GENERIC.fullmatch(local):
        return Kind.GENERIC
    return Kind.GENERIC_SET if local in ("genericAttributeSet", "GenericAttributeSet") else Kind.DATA
