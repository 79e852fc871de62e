"""Builds a storey of a large sample building from its plan: walls with doors and windows, rooms, slab, columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.sample.fittings import add_fitting
from app.sample.floor_plan import Area, FloorPlan, Wall, wall_of
from app.sample.ifc_compact import CompactModel

if TYPE_CHECKING:
    from app.sample.ifc_model import Entity, Point2

SLAB = 0.25  # [m]
COLOURS = {
    "concrete": ((178, 178, 174), 0.0), "white": ((236, 234, 228), 0.0), "stone": ((126, 118, 108), 0.0),
    "brick": ((164, 106, 82), 0.0), "plaster": ((228, 226, 218), 0.0), "slab": ((198, 198, 194), 0.0),
    "glass": ((156, 192, 208), 0.6), "frame": ((62, 68, 74), 0.0), "wood": ((172, 128, 90), 0.0),
    "door_dark": ((70, 62, 58), 0.0), "door_grey": ((138, 144, 150), 0.0), "steel": ((120, 126, 132), 0.0),
    "space": ((150, 190, 220), 0.75), "solar": ((40, 52, 82), 0.0), "accent": ((196, 132, 60), 0.0),
    "green": ((112, 146, 84), 0.0), "deck": ((168, 138, 104), 0.0), "bay": ((232, 232, 228), 0.0),
    "bay_access": ((64, 116, 184), 0.0), "ramp": ((150, 148, 142), 0.0), "white_ware": ((246, 246, 244), 0.0),
    "water": ((60, 130, 200), 0.0), "sewage": ((122, 92, 62), 0.0), "gas": ((226, 190, 50), 0.0),
    "power": ((204, 70, 60), 0.0), "telecom": ((80, 160, 90), 0.0), "heat": ((220, 110, 140), 0.0),
    "furniture": ((196, 168, 130), 0.0), "sofa": ((112, 124, 138), 0.0), "storm": ((90, 150, 160), 0.0),
}  # fmt: skip
MATERIALS = (
    "철근콘크리트", "화강석", "점토벽돌", "경질우레탄 단열재", "석고보드", "경량철골", "로이복층유리", "목재", "강재",
    "동관", "PVC관", "주철관", "도기", "구리 케이블", "광케이블", "잔디", "태양전지",
)  # fmt: skip


@dataclass(frozen=True)
class Storey:
    """A storey under construction.

    Attributes
    ----------
    name, title : str
        Such as ``5F`` and ``지상 5층``.
    elevation, height : float [m]
        Of its floor above the building's zero, and to the next floor.
    entity : entity
    """

    name: str
    title: str
    elevation: float
    height: float
    entity: Entity

    @property
    def clear(self) -> float:
        """Room height below the slab above [m]."""
        return round(self.height - SLAB, 4)


def prepare(model: CompactModel) -> None:
    """Colours and materials that the parts use."""
    for name, (colour, transparency) in COLOURS.items():
        model.style(name, colour, transparency)
    for name in MATERIALS:
        model.material(name)
    insulation = ("경질우레탄 단열재", 0.09)
    model.material("외벽", [("화강석", 0.03), insulation, ("철근콘크리트", 0.18)])
    model.material("내벽", [("석고보드", 0.03), ("경량철골", 0.14), ("석고보드", 0.03)])
    model.material("내력벽", [("철근콘크리트", 0.20)])


def add_storeys(model: CompactModel, building: Entity, levels: Sequence[tuple[str, str, float, float]]) -> list[Storey]:
    """Storeys of a building from (name, title, elevation, height)."""
    made = []
    for name, title, elevation, height in levels:
        entity = model.file.create_entity(
            "IfcBuildingStorey", model.guid(), Name=name, LongName=title, Elevation=elevation,
            CompositionType="ELEMENT",
            ObjectPlacement=model.placement((0, 0, elevation), to=building.ObjectPlacement),
        )  # fmt: skip
        made.append(Storey(name, title, elevation, height, entity))
    model.aggregate(building, [storey.entity for storey in made])
    return made


@dataclass(frozen=True)
class WallStyle:
    """Colours of a storey's walls."""

    outer: str = "white"
    inner: str = "plaster"


def build(model: CompactModel, storey: Storey, plan: FloorPlan, style: WallStyle) -> dict[str, Entity]:
    """Walls, doors, windows and rooms; gives the rooms by their number."""
    walls = plan.walls()
    rooms = {area.number: _space(model, storey, area, plan.clear(area, walls)) for area in plan.areas}
    made = [_wall(model, storey, wall, plan, style) for wall in walls]
    for hole in plan.holes:
        wall = wall_of(walls, hole)
        at = (hole.x - wall.x0 if wall.along_x else hole.y - wall.y0) - hole.width / 2
        entity = add_fitting(model, made[walls.index(wall)], storey.entity, hole, at, wall.thickness)
        beside = [area for area in plan.beside(wall, hole.x, hole.y) if area is not None]
        for area in beside:
            model.boundary(rooms[area.number], entity, external=len(beside) == 1)
    return rooms


def _wall(model: CompactModel, storey: Storey, wall: Wall, plan: FloorPlan, style: WallStyle) -> Entity:
    bearing = wall.outer or _bears(wall, plan)
    colour = style.outer if wall.outer else style.inner
    body = model.box((wall.length, wall.thickness, storey.clear), colour, at=(0.0, -wall.thickness / 2, 0.0))
    title = "외벽" if wall.outer else "내력벽" if bearing else "내벽"
    entity = model.product(
        "IfcWall", f"{storey.name} {title}", storey.entity, body, at=(wall.x0, wall.y0, 0.0),
        x_axis=(1.0, 0.0) if wall.along_x else (0.0, 1.0), material=title,
        attributes={"PredefinedType": "SOLIDWALL" if bearing else "PARTITIONING"},
    )  # fmt: skip
    model.properties(
        entity, "Pset_WallCommon", LoadBearing=bearing, IsExternal=wall.outer,
        FireRating="2시간" if bearing else "1시간", AcousticRating="Rw 55 dB" if bearing else "Rw 45 dB",
        ThermalTransmittance=0.17 if wall.outer else 1.2,
    )  # fmt: skip
    return entity


BEARING_USES = ("계단실", "승강로", "설비 샤프트")


def _bears(wall: Wall, plan: FloorPlan) -> bool:
    """Walls of cores and walls between dwellings are of concrete."""
    x, y = (wall.x0 + wall.x1) / 2, (wall.y0 + wall.y1) / 2
    sides = plan.beside(wall, x, y)
    if any(area is not None and area.use in BEARING_USES for area in sides):
        return True
    return len({"" if area is None else area.dwelling for area in sides}) > 1


def _space(model: CompactModel, storey: Storey, area: Area, clear: tuple[float, float, float, float]) -> Entity:
    west, south, east, north = clear
    body = model.box((east - west, north - south, storey.clear), "space")
    space = model.product(
        "IfcSpace", area.number, storey.entity, body, at=(west, south, 0.0),
        attributes={"LongName": area.name, "PredefinedType": area.kind, "CompositionType": "ELEMENT",
                    "ObjectType": area.use},
    )  # fmt: skip
    outside = area.kind == "EXTERNAL"
    model.properties(
        space, "Pset_SpaceCommon", Reference=area.use, IsExternal=outside, PubliclyAccessible=area.public,
        HandicapAccessible=area.use not in ("계단실", "설비 샤프트"),
    )  # fmt: skip
    if area.people:
        model.properties(space, "Pset_SpaceOccupancyRequirements", OccupancyType=area.use, OccupancyNumber=area.people)
    if area.dwelling:
        model.properties(space, "Twin_Dwelling", Dwelling=area.dwelling)
    size = round((east - west) * (north - south), 3)
    model.properties(space, "Qto_SpaceBaseQuantities", NetFloorArea=size, GrossFloorArea=size, Height=storey.clear)
    model.classify(space, CODES.get(area.use, "S-90 기타"))
    return space


CODES = {
    "거실": "S-11 거실", "침실": "S-12 침실", "주방": "S-13 주방", "욕실": "S-14 욕실", "현관": "S-15 현관",
    "다용도실": "S-16 다용도실", "사무실": "S-21 사무실", "회의실": "S-22 회의실", "상점": "S-31 상점",
    "로비": "S-41 로비", "복도": "S-42 복도", "계단실": "S-43 계단실", "승강로": "S-44 승강로",
    "승강기 홀": "S-45 승강기 홀", "설비 샤프트": "S-51 설비 샤프트", "기계실": "S-52 기계실", "주차장": "S-61 주차장",
    "주차 램프": "S-62 주차 램프", "화장실": "S-71 화장실", "휴게실": "S-81 휴게실",
}  # fmt: skip


def add_zones(model: CompactModel, areas: Sequence[Area], rooms: dict[str, Entity]) -> None:
    """A zone for each dwelling, of its rooms."""
    homes: dict[str, list[Entity]] = {}
    for area in areas:
        if area.dwelling:
            homes.setdefault(area.dwelling, []).append(rooms[area.number])
    for name, parts in homes.items():
        zone = model.file.create_entity("IfcZone", model.guid(), Name=name, LongName=name, ObjectType="세대")
        model.file.create_entity("IfcRelAssignsToGroup", model.guid(), RelatedObjects=parts, RelatingGroup=zone)


def add_slab(
    model: CompactModel, storey: Storey, outline: Sequence[Point2], holes: Sequence[tuple[float, float, float, float]],
    *, kind: str = "FLOOR", colour: str = "slab", thickness: float = SLAB,
) -> Entity:  # fmt: skip
    """The floor below a storey's rooms; holes are (west, south, east, north)."""
    key = ("slab", tuple(outline), colour, thickness)
    body = model.once(key, lambda: model.shape([(model.plate(outline, -thickness, thickness), colour)]))
    slab = model.product(
        "IfcSlab", f"{storey.name} 슬래브", storey.entity, body, material="철근콘크리트",
        attributes={"PredefinedType": kind},
    )  # fmt: skip
    model.properties(
        slab, "Pset_SlabCommon", LoadBearing=True, IsExternal=kind in ("BASESLAB", "ROOF"), FireRating="2시간",
        AcousticRating="경량 49 dB / 중량 49 dB", ThermalTransmittance={"BASESLAB": 0.22, "ROOF": 0.15}.get(kind, 0.81),
    )  # fmt: skip
    for west, south, east, north in holes:
        model.cut(slab, (west, south, -thickness - 0.1), (east - west, north - south, thickness + 0.2))
    return slab


def add_box(
    model: CompactModel, kind: str, name: str, storey: Storey, at: tuple[float, float, float],
    size: tuple[float, float, float], colour: str, *, material: str = "", contained: bool = True, **attributes: object,
) -> Entity:  # fmt: skip
    """A box-shaped product whose lowest corner lies at `at`."""
    return model.product(
        kind, name, storey.entity, model.box(size, colour), at=at, material=material, contained=contained,
        attributes=attributes,
    )  # fmt: skip
