"""A small writer of IFC4 buildings: storeys, products with extruded bodies, openings, properties, materials, colours.

Lengths are metres. Coordinates are the building's own; a storey's products count their heights from its floor.
GlobalIds follow from the seed and the order of creation, so that the same house is the same file.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ifcopenshell

    Entity = ifcopenshell.entity_instance

NAMESPACE = uuid.UUID("5a3c1b52-5151-5186-8a11-51c0ffee5186")
TIME_STAMP = "2026-01-01T00:00:00"
Point2 = tuple[float, float]
Point3 = tuple[float, float, float]
Value = str | bool | int | float
MEASURES = {
    "ThermalTransmittance": "IfcThermalTransmittanceMeasure",
    "GlazingAreaFraction": "IfcPositiveRatioMeasure",
    "Slope": "IfcPlaneAngleMeasure",
    "ClearWidth": "IfcPositiveLengthMeasure",
    "NominalDiameter": "IfcPositiveLengthMeasure",
    "Length": "IfcPositiveLengthMeasure",
}  # of decimal properties; others are plain numbers


class IfcModel:
    """An IFC4 file under construction."""

    def __init__(self, project: str, description: str) -> None:
        import ifcopenshell
        import ifcopenshell.api.context
        import ifcopenshell.api.unit

        self.file = ifcopenshell.file(schema="IFC4")
        self.project = self.file.create_entity("IfcProject", self.guid(), Name=project, Description=description)
        length = ifcopenshell.api.unit.add_si_unit(self.file, unit_type="LENGTHUNIT")
        area = ifcopenshell.api.unit.add_si_unit(self.file, unit_type="AREAUNIT")
        volume = ifcopenshell.api.unit.add_si_unit(self.file, unit_type="VOLUMEUNIT")
        angle = self.file.create_entity("IfcSIUnit", UnitType="PLANEANGLEUNIT", Name="RADIAN")
        # assign_unit of the library keeps units in a set, whose order changes from run to run.
        self.project.UnitsInContext = self.file.create_entity("IfcUnitAssignment", [length, area, volume, angle])
        self.model = ifcopenshell.api.context.add_context(self.file, context_type="Model")
        self.body = ifcopenshell.api.context.add_context(
            self.file, context_type="Model", context_identifier="Body", target_view="MODEL_VIEW", parent=self.model
        )
        self._styles: dict[str, Entity] = {}
        self._materials: dict[str, Entity] = {}
        self._of_material: dict[str, list[Entity]] = defaultdict(list)
        self._of_storey: dict[int, list[Entity]] = defaultdict(list)
        self._of_properties: dict[tuple[str, tuple[tuple[str, Value], ...]], list[Entity]] = defaultdict(list)
        self._types: dict[tuple[object, ...], Entity] = {}
        self._of_type: dict[int, list[Entity]] = defaultdict(list)

    @staticmethod
    def guid() -> str:
        """A placeholder; `write` gives the lasting ids."""
        import ifcopenshell.guid

        return str(ifcopenshell.guid.new())

    def georeference(self, crs: str, east: float, north: float, height: float, angle_deg: float) -> None:
        """Where the origin lies in a projected CRS; `angle_deg` turns the x axis anticlockwise from grid east."""
        import math

        import ifcopenshell.api.georeference

        ifcopenshell.api.georeference.add_georeferencing(self.file)
        turn = math.radians(angle_deg)
        ifcopenshell.api.georeference.edit_georeferencing(
            self.file,
            coordinate_operation={
                "Eastings": east, "Northings": north, "OrthogonalHeight": height,
                "XAxisAbscissa": math.cos(turn), "XAxisOrdinate": math.sin(turn), "Scale": 1.0,
            },
            projected_crs={
                "Name": crs, "Description": "KGD2002 / Central Belt 2010", "GeodeticDatum": "KGD2002",
                "VerticalDatum": "KVD1964", "MapProjection": "Transverse Mercator",
            },
        )  # fmt: skip

    # Placement and shapes

    def placement(self, origin: Point3, *, to: Entity | None = None, x_axis: Point2 = (1.0, 0.0)) -> Entity:
        """A local placement whose x axis points along `x_axis`."""
        f = self.file
        axes = f.create_entity(
            "IfcAxis2Placement3D",
            f.create_entity("IfcCartesianPoint", tuple(map(float, origin))),
            f.create_entity("IfcDirection", (0.0, 0.0, 1.0)),
            f.create_entity("IfcDirection", (float(x_axis[0]), float(x_axis[1]), 0.0)),
        )
        return f.create_entity("IfcLocalPlacement", to, axes)

    def block(self, x: float, y: float, z: float, width: float, depth: float, height: float) -> Entity:
        """An upright box whose lowest south-west corner is (x, y, z)."""
        return self.plate([(x, y), (x + width, y), (x + width, y + depth), (x, y + depth)], z, height)

    def plate(self, points: Sequence[Point2], z: float, height: float) -> Entity:
        """A polygon extruded upward from z."""
        return self._extrusion(points, (0.0, 0.0, z), (0.0, 0.0, 1.0), (1.0, 0.0, 0.0), height)

    def side(self, points: Sequence[Point2], y: float, width: float) -> Entity:
        """A polygon in the vertical x-z plane, extruded along +y from y."""
        # The profile's own axes are x and z; their cross product points to -y, so it is drawn from the far side.
        return self._extrusion(points, (0.0, y + width, 0.0), (0.0, -1.0, 0.0), (1.0, 0.0, 0.0), width)

    def _extrusion(
        self, points: Sequence[Point2], origin: Point3, axis: Point3, x_axis: Point3, depth: float
    ) -> Entity:
        f = self.file
        corners = [f.create_entity("IfcCartesianPoint", (float(x), float(y))) for x, y in points]
        curve = f.create_entity("IfcPolyline", [*corners, corners[0]])
        profile = f.create_entity("IfcArbitraryClosedProfileDef", "AREA", None, curve)
        place = f.create_entity(
            "IfcAxis2Placement3D",
            f.create_entity("IfcCartesianPoint", origin),
            f.create_entity("IfcDirection", axis),
            f.create_entity("IfcDirection", x_axis),
        )
        up = f.create_entity("IfcDirection", (0.0, 0.0, 1.0))
        return f.create_entity("IfcExtrudedAreaSolid", profile, place, up, float(depth))

    def style(self, name: str, colour: tuple[int, int, int], transparency: float = 0.0) -> None:
        """Declare a colour under a name."""
        f = self.file
        rgb = f.create_entity("IfcColourRgb", None, *(round(c / 255, 4) for c in colour))
        shading = f.create_entity("IfcSurfaceStyleShading", rgb, transparency)
        self._styles[name] = f.create_entity("IfcSurfaceStyle", name, "BOTH", [shading])

    def shape(self, items: Sequence[tuple[Entity, str]]) -> Entity:
        """A body of (solid, colour name)."""
        for item, colour in items:
            self.file.create_entity("IfcStyledItem", item, [self._styles[colour]], None)
        solids = [item for item, _ in items]
        return self.file.create_entity("IfcShapeRepresentation", self.body, "Body", "SweptSolid", solids)

    # Things

    def product(
        self, kind: str, name: str, parent: Entity, shape: Entity | None, *,
        at: Point3 = (0.0, 0.0, 0.0), x_axis: Point2 = (1.0, 0.0), material: str = "", contained: bool = True,
        attributes: dict[str, object] | None = None,
    ) -> Entity:  # fmt: skip
        """A product placed relative to `parent` (a storey or another product) and contained in it if it is a storey.

        `shape` is a representation, or a definition that other products may have too.
        """
        definition = shape
        if shape is not None and shape.is_a() != "IfcProductDefinitionShape":  # type: ignore[no-untyped-call]
            definition = self.file.create_entity("IfcProductDefinitionShape", None, None, [shape])
        entity = self.file.create_entity(
            kind, self.guid(), Name=name, ObjectPlacement=self.placement(at, to=parent.ObjectPlacement, x_axis=x_axis),
            Representation=definition, **(attributes or {}),
        )  # fmt: skip
        if contained:
            self._of_storey[parent.id()].append(entity)
        if material:
            self._of_material[material].append(entity)
        return entity

    def mapped(self, key: tuple[object, ...], kind: str, name: str, shape: Entity | None = None) -> Entity:
        """A representation that repeats the body of a type; `shape` is needed the first time."""
        f = self.file
        if key not in self._types:
            origin = f.create_entity("IfcAxis2Placement3D", f.create_entity("IfcCartesianPoint", (0.0, 0.0, 0.0)))
            shape_map = f.create_entity("IfcRepresentationMap", origin, shape)
            extra = {"PartitioningType": "NOTDEFINED"} if kind == "IfcWindowType" else {}
            extra |= {"OperationType": "SINGLE_SWING_LEFT"} if kind == "IfcDoorType" else {}
            predefined = {"IfcDoorType": "DOOR", "IfcWindowType": "WINDOW"}.get(kind, "NOTDEFINED")
            attributes = (
                {"PredefinedType": predefined, **extra}
                if kind != "IfcFurnitureType"
                else {"AssemblyPlace": "NOTDEFINED"}
            )
            self._types[key] = f.create_entity(
                kind, self.guid(), Name=name, RepresentationMaps=[shape_map], **attributes
            )
        target = f.create_entity(
            "IfcCartesianTransformationOperator3D", None, None,
            f.create_entity("IfcCartesianPoint", (0.0, 0.0, 0.0)), None, None,
        )  # fmt: skip
        item = f.create_entity("IfcMappedItem", self._types[key].RepresentationMaps[0], target)
        return f.create_entity("IfcShapeRepresentation", self.body, "Body", "MappedRepresentation", [item])

    def has_type(self, key: tuple[object, ...]) -> bool:
        """Whether a type was made already."""
        return key in self._types

    def typed(self, entity: Entity, key: tuple[object, ...]) -> None:
        """The type that an occurrence follows."""
        self._of_type[self._types[key].id()].append(entity)

    def contain(self, entity: Entity, storey: Entity) -> None:
        """Say in which storey something lies that is placed relative to something else."""
        self._of_storey[storey.id()].append(entity)

    def release(self, entity: Entity, storey: Entity) -> None:
        """Take something out of a storey again, because it is part of a whole that lies there."""
        self._of_storey[storey.id()].remove(entity)

    def opening(self, host: Entity, box: tuple[float, float, float, float, float, float]) -> Entity:
        """A hole (x, y, z, width, depth, height in the host's axes) in a wall or slab."""
        x, y, z, width, depth, height = box
        solid = self.block(0.0, 0.0, 0.0, width, depth, height)
        shape = self.file.create_entity("IfcShapeRepresentation", self.body, "Body", "SweptSolid", [solid])
        hole = self.product(
            "IfcOpeningElement", f"{host.Name} 개구부", host, shape, at=(x, y, z), contained=False,
            attributes={"PredefinedType": "OPENING"},
        )  # fmt: skip
        self.file.create_entity(
            "IfcRelVoidsElement", self.guid(), RelatingBuildingElement=host, RelatedOpeningElement=hole
        )
        return hole

    def fill(self, hole: Entity, element: Entity) -> None:
        """Door or window in a hole."""
        self.file.create_entity(
            "IfcRelFillsElement", self.guid(), RelatingOpeningElement=hole, RelatedBuildingElement=element
        )

    def aggregate(self, whole: Entity, parts: Sequence[Entity]) -> None:
        """Parts of a whole, such as storeys of a building and flights of a stair."""
        self.file.create_entity("IfcRelAggregates", self.guid(), RelatingObject=whole, RelatedObjects=list(parts))

    def properties(self, entity: Entity, name: str, **values: Value) -> None:
        """A property set; products with equal values share one. Text, truth, whole and decimal values."""
        self._of_properties[name, tuple(values.items())].append(entity)

    def material(self, name: str, layers: Sequence[tuple[str, float]] = ()) -> None:
        """Declare a material, or a set of layers (material, thickness [m])."""
        f = self.file
        if not layers:
            self._materials[name] = f.create_entity("IfcMaterial", name)
            return
        made = [
            f.create_entity("IfcMaterialLayer", self._materials[of], thickness, None, of) for of, thickness in layers
        ]
        self._materials[name] = f.create_entity("IfcMaterialLayerSet", made, name)

    # Finish

    def write(self, path: Path, *, seed: int) -> None:
        """Write relations, lasting ids and the file."""
        import ifcopenshell.guid

        self._relations()
        for number, entity in enumerate(sorted(self.file.by_type("IfcRoot"), key=lambda e: e.id())):
            entity.GlobalId = ifcopenshell.guid.compress(uuid.uuid5(NAMESPACE, f"{seed}-{number}").hex)
        header = self.file.header
        header.file_name.name = path.name
        header.file_name.time_stamp = TIME_STAMP
        self.file.write(str(path))

    def _relations(self) -> None:
        f = self.file
        for storey, products in self._of_storey.items():
            is_space = [str(p.is_a()) == "IfcSpace" for p in products]  # type: ignore[no-untyped-call]
            elements = [p for p, space in zip(products, is_space, strict=True) if not space]
            spaces = [p for p, space in zip(products, is_space, strict=True) if space]
            if elements:
                f.create_entity(
                    "IfcRelContainedInSpatialStructure", self.guid(), RelatedElements=elements,
                    RelatingStructure=f.by_id(storey),
                )  # fmt: skip
            if spaces:
                self.aggregate(f.by_id(storey), spaces)
        for name, products in self._of_material.items():
            f.create_entity(
                "IfcRelAssociatesMaterial",
                self.guid(),
                RelatedObjects=products,
                RelatingMaterial=self._materials[name],
            )
        for type_id, products in self._of_type.items():
            f.create_entity("IfcRelDefinesByType", self.guid(), RelatedObjects=products, RelatingType=f.by_id(type_id))
        for (name, values), products in self._of_properties.items():
            self._property_set(name, values, products)

    def _property_set(self, name: str, values: tuple[tuple[str, Value], ...], products: list[Entity]) -> None:
        f = self.file
        made = []
        for key, value in values:
            kind = _measure(key, value)
            if name.startswith("Qto_"):
                attribute, quantity = (
                    ("LengthValue", "IfcQuantityLength") if "Height" in key else ("AreaValue", "IfcQuantityArea")
                )
                made.append(f.create_entity(quantity, Name=key, **{attribute: float(value)}))
            else:
                made.append(f.create_entity("IfcPropertySingleValue", key, None, f.create_entity(kind, value), None))
        if name.startswith("Qto_"):
            definition = f.create_entity("IfcElementQuantity", self.guid(), Name=name, Quantities=made)
        else:
            definition = f.create_entity("IfcPropertySet", self.guid(), Name=name, HasProperties=made)
        f.create_entity(
            "IfcRelDefinesByProperties", self.guid(), RelatedObjects=products, RelatingPropertyDefinition=definition
        )


def _measure(key: str, value: Value) -> str:
    """IFC value type of a property."""
    if isinstance(value, bool):
        return "IfcBoolean"
    if isinstance(value, int):
        return "IfcInteger"
    if isinstance(value, float):
        return MEASURES.get(key, "IfcReal")
    return "IfcIdentifier" if key == "Reference" else "IfcLabel"
