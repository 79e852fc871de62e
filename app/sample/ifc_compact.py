"""A writer of large IFC4 buildings: bodies of equal size are written once; ports, systems, classes, boundaries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from app.sample.ifc_model import IfcModel, Point2, Point3

if TYPE_CHECKING:
    from app.sample.ifc_model import Entity

CLASSES = "건축물 용도별 공간분류 (합성)"


class CompactModel(IfcModel):
    """An IFC4 file whose repeated directions, axes and bodies are shared by all that use them."""

    def __init__(self, project: str, description: str) -> None:
        super().__init__(project, description)
        self._directions: dict[Point3, Entity] = {}
        self._axes: dict[tuple[Point3, Point2], Entity] = {}
        self._bodies: dict[tuple[object, ...], Entity] = {}
        self._systems: dict[str, Entity] = {}
        self._in_system: dict[str, list[Entity]] = defaultdict(list)
        self._classes: dict[str, list[Entity]] = defaultdict(list)

    def placement(self, origin: Point3, *, to: Entity | None = None, x_axis: Point2 = (1.0, 0.0)) -> Entity:
        """A local placement whose x axis points along `x_axis`; equal axes are written once."""
        key = (_rounded(origin), (round(float(x_axis[0]), 9), round(float(x_axis[1]), 9)))
        if key not in self._axes:
            self._axes[key] = self.file.create_entity(
                "IfcAxis2Placement3D",
                self.file.create_entity("IfcCartesianPoint", key[0]),
                self.direction((0.0, 0.0, 1.0)),
                self.direction((*key[1], 0.0)),
            )
        return self.file.create_entity("IfcLocalPlacement", to, self._axes[key])

    def direction(self, ratios: Point3) -> Entity:
        """A direction, written once."""
        if ratios not in self._directions:
            self._directions[ratios] = self.file.create_entity("IfcDirection", ratios)
        return self._directions[ratios]

    # Bodies

    def once(self, key: tuple[object, ...], make: Callable[[], Entity]) -> Entity:
        """The body of a key (a shape or its definition); `make` gives the shape the first time."""
        if key not in self._bodies:
            self._bodies[key] = self.file.create_entity("IfcProductDefinitionShape", None, None, [make()])
        return self._bodies[key]

    def box(self, size: Point3, colour: str, *, at: Point3 = (0.0, 0.0, 0.0)) -> Entity:
        """Definition of a box whose lowest corner lies at `at`; equal boxes are one."""
        size, at = _rounded(size), _rounded(at)
        return self.once(("box", size, colour, at), lambda: self.shape([(self.block(*at, *size), colour)]))

    def rod(self, radius: float, along: Point3, colour: str) -> Entity:
        """Definition of a round rod from the origin to `along`."""
        along = _rounded(along)
        key = ("rod", round(radius, 4), along, colour)
        return self.once(key, lambda: self.shape([(self.cylinder(radius, (0.0, 0.0, 0.0), along), colour)]))

    def cylinder(self, radius: float, start: Point3, along: Point3) -> Entity:
        """A round solid from `start` by the vector `along`."""
        length = sum(v * v for v in along) ** 0.5
        axis: Point3 = (along[0] / length, along[1] / length, along[2] / length)
        aside: Point3 = (1.0, 0.0, 0.0) if abs(axis[2]) > 0.9 else (0.0, 0.0, 1.0)
        f = self.file
        place = f.create_entity(
            "IfcAxis2Placement3D",
            f.create_entity("IfcCartesianPoint", start),
            self.direction(axis),
            self.direction(aside),
        )
        profile = f.create_entity("IfcCircleProfileDef", "AREA", None, None, float(radius))
        return f.create_entity("IfcExtrudedAreaSolid", profile, place, self.direction((0.0, 0.0, 1.0)), float(length))

    def kind(
        self, key: tuple[object, ...], kind: str, name: str, make: Callable[[], Entity], **attributes: object
    ) -> Entity:
        """The body of a type as its occurrences use it (mapped); the type is written the first time."""
        f = self.file
        if key not in self._types:
            origin = f.create_entity("IfcAxis2Placement3D", f.create_entity("IfcCartesianPoint", (0.0, 0.0, 0.0)))
            shape_map = f.create_entity("IfcRepresentationMap", origin, make())
            self._types[key] = f.create_entity(
                kind, self.guid(), Name=name, RepresentationMaps=[shape_map], **attributes
            )
        return self.once(("mapped", *key), lambda: self._occurrence(key))

    def _occurrence(self, key: tuple[object, ...]) -> Entity:
        f = self.file
        target = f.create_entity(
            "IfcCartesianTransformationOperator3D", None, None,
            f.create_entity("IfcCartesianPoint", (0.0, 0.0, 0.0)), None, None,
        )  # fmt: skip
        item = f.create_entity("IfcMappedItem", self._types[key].RepresentationMaps[0], target)
        return f.create_entity("IfcShapeRepresentation", self.body, "Body", "MappedRepresentation", [item])

    def cut(self, host: Entity, at: Point3, size: Point3) -> Entity:
        """A hole of a size in a wall or slab, its lowest corner at `at` in the host's axes."""
        key = ("hole", _rounded(size))

        def make() -> Entity:
            solid = self.block(0.0, 0.0, 0.0, *size)
            return self.file.create_entity("IfcShapeRepresentation", self.body, "Body", "SweptSolid", [solid])

        hole = self.product(
            "IfcOpeningElement", "개구부", host, self.once(key, make), at=at, contained=False,
            attributes={"PredefinedType": "OPENING"},
        )  # fmt: skip
        self.file.create_entity(
            "IfcRelVoidsElement", self.guid(), RelatingBuildingElement=host, RelatedOpeningElement=hole
        )
        return hole

    # Rooms and classes

    def boundary(self, space: Entity, element: Entity, *, external: bool) -> None:
        """Say that a door or window bounds a space."""
        self.file.create_entity(
            "IfcRelSpaceBoundary", self.guid(), RelatingSpace=space, RelatedBuildingElement=element,
            PhysicalOrVirtualBoundary="PHYSICAL", InternalOrExternalBoundary="EXTERNAL" if external else "INTERNAL",
        )  # fmt: skip

    def classify(self, entity: Entity, code: str) -> None:
        """The class of a space or building, by its code."""
        self._classes[code].append(entity)

    # Services

    def system(self, key: str, name: str, kind: str) -> None:
        """Declare a distribution system."""
        self._systems[key] = self.file.create_entity(
            "IfcDistributionSystem", self.guid(), Name=name, LongName=name, PredefinedType=kind
        )

    def in_system(self, entity: Entity, key: str) -> None:
        """Count an element among a system's."""
        self._in_system[key].append(entity)

    def port(self, element: Entity, name: str, flow: str, *, at: Point3, kind: str, system: str) -> Entity:
        """An end of a segment, fitting or terminal."""
        return self.file.create_entity(
            "IfcDistributionPort", self.guid(), Name=name, FlowDirection=flow, PredefinedType=kind, SystemType=system,
            ObjectPlacement=self.placement(at, to=element.ObjectPlacement),
        )  # fmt: skip

    def nest(self, element: Entity, ports: Sequence[Entity]) -> None:
        """The ports of an element."""
        self.file.create_entity("IfcRelNests", self.guid(), RelatingObject=element, RelatedObjects=list(ports))

    def connect(self, first: Entity, second: Entity) -> None:
        """Two ports that meet."""
        self.file.create_entity("IfcRelConnectsPorts", self.guid(), RelatingPort=first, RelatedPort=second)

    def _relations(self) -> None:
        super()._relations()
        buildings = self.file.by_type("IfcBuilding")
        for key, parts in self._in_system.items():
            self.file.create_entity(
                "IfcRelAssignsToGroup", self.guid(), RelatedObjects=parts, RelatingGroup=self._systems[key]
            )
            self.file.create_entity(
                "IfcRelServicesBuildings", self.guid(), RelatingSystem=self._systems[key],
                RelatedBuildings=list(buildings),
            )  # fmt: skip
        if self._classes:
            self._classification()

    def _classification(self) -> None:
        f = self.file
        system = f.create_entity("IfcClassification", Source="합성 자료 (synthetic)", Edition="1", Name=CLASSES)
        f.create_entity(
            "IfcRelAssociatesClassification", self.guid(), RelatedObjects=[self.project], RelatingClassification=system
        )
        for code, entities in self._classes.items():
            reference = f.create_entity(
                "IfcClassificationReference", Identification=code.split(" ")[0], Name=code.partition(" ")[2],
                ReferencedSource=system,
            )  # fmt: skip
            f.create_entity(
                "IfcRelAssociatesClassification", self.guid(), RelatedObjects=entities,
                RelatingClassification=reference,
            )  # fmt: skip


def _rounded(point: Point3) -> Point3:
    x, y, z = (round(float(value), 4) + 0.0 for value in point)
    return x, y, z
