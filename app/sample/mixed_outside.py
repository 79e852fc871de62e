"""What the mixed-use building shows to the city: shop fronts, balconies, roof garden, plant; and its parking."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.sample.fittings import add_fitting
from app.sample.floor_plan import FloorPlan, Hole, Segment
from app.sample.ifc_compact import CompactModel
from app.sample.mixed_plan import BAY, CN, CORES, DEPTH, HOMES, LENGTH, TN, TOWER
from app.sample.storeys import Storey, add_box

if TYPE_CHECKING:
    from app.sample.ifc_model import Entity

PANEL = 1.5  # [m] about the width of a pane of the shop fronts
BALCONY = 1.4  # [m] depth
PARAPET = 1.2  # [m]
BAY_WIDTH, BAY_ACCESSIBLE, BAY_DEPTH = 2.5, 3.3, 5.0  # [m] 주차장법 시행규칙 제3조


def add(model: CompactModel, storey: Storey, plan: FloorPlan) -> None:
    """Everything outside the rooms of one storey, and what stands on the parking's floor."""
    for segment in plan.glazed:
        _curtain_wall(model, storey, segment)
    if storey.name in ("B2", "B1"):
        _parking(model, storey)
    elif storey.name == "1F":
        _canopies(model, storey)
    elif storey.name == "4F":
        _roof_garden(model, storey)
    elif storey.name in HOMES:
        _balconies(model, storey)
        _cladding(model, storey)
    elif storey.name == "RF":
        _roof(model, storey)


def _curtain_wall(model: CompactModel, storey: Storey, segment: Segment) -> None:
    """A glass front between (x0, y0) and (x1, y1): panes between posts, a transom above the door's height."""
    x0, y0, x1, y1 = segment
    length, clear = x1 - x0 + y1 - y0, storey.clear
    axis = (1.0, 0.0) if y0 == y1 else (0.0, 1.0)
    front = model.product(
        "IfcCurtainWall", f"{storey.name} 상가 유리벽", storey.entity, None, at=(x0, y0, 0.0), x_axis=axis,
        attributes={"PredefinedType": "NOTDEFINED"},
    )  # fmt: skip
    count = max(round(length / PANEL), 1)
    step = length / count
    parts = []
    for number in range(count + 1):
        x = min(max(number * step - 0.03, 0.0), length - 0.06)
        parts.append(
            _part(model, "IfcMember", front, "멀리언", (x, -0.07, 0.0), (0.06, 0.14, clear), "frame", "MULLION")
        )
    for z in (0.0, 2.7, clear - 0.12):
        parts.append(
            _part(model, "IfcMember", front, "트랜섬", (0.06, -0.05, z), (length - 0.12, 0.1, 0.12), "frame", "MULLION")
        )
    for z, top in ((0.12, 2.7), (2.82, clear - 0.12)):
        for number in range(count):
            at, size = (number * step + 0.03, -0.012, z), (step - 0.06, 0.024, top - z)
            parts.append(_part(model, "IfcPlate", front, "유리판", at, size, "glass", "CURTAIN_PANEL"))
    model.aggregate(front, parts)
    model.properties(front, "Pset_CurtainWallCommon", IsExternal=True, ThermalTransmittance=1.0, FireRating="해당없음")


def _part(
    model: CompactModel, kind: str, whole: Entity, name: str, at: tuple[float, float, float],
    size: tuple[float, float, float], colour: str, predefined: str,
) -> Entity:  # fmt: skip
    return model.product(
        kind, name, whole, model.box(size, colour), at=at, contained=False,
        material="로이복층유리" if colour == "glass" else "강재", attributes={"PredefinedType": predefined},
    )  # fmt: skip


def _canopies(model: CompactModel, storey: Storey) -> None:
    for x, length in ((0.5, 15.0), (16.5, 7.0), (24.5, 23.0)):
        deep = 2.4 if length < 10 else 1.4
        add_box(model, "IfcSlab", "상가 캐노피", storey, (x, -deep, 3.1), (length, deep, 0.18),
                "accent" if length < 10 else "frame", material="강재", PredefinedType="ROOF")  # fmt: skip
    add_box(model, "IfcSlab", "주차장 출입구 캐노피", storey, (LENGTH, 27.6, 3.3), (2.2, 6.2, 0.2), "accent",
            material="강재", PredefinedType="ROOF")  # fmt: skip


def _parking(model: CompactModel, storey: Storey) -> None:
    """Bays between the columns; the wide blue ones are for wheelchairs."""
    rows = [(0.35, [(0.85, 2, True), *((8 * k + x, n, False) for k, x, n in (
        (1, 0.05, 2), (2, 0.65, 2), (3, 0.05, 3), (4, 0.65, 2), (5, 0.05, 2)))])]  # fmt: skip
    if storey.name == "B2":
        rows.append((15.8, [(16.65, 2, False), (32.65, 2, False)]))
    number = 0
    for south, fields in rows:
        for start, count, accessible in fields:
            width = BAY_ACCESSIBLE if accessible else BAY_WIDTH
            for place in range(count):
                number += 1
                _bay(model, storey, number, (start + place * width, south), accessible)


def _bay(model: CompactModel, storey: Storey, number: int, at: tuple[float, float], accessible: bool) -> None:
    width = BAY_ACCESSIBLE if accessible else BAY_WIDTH
    size = (width - 0.1, BAY_DEPTH - 0.1, 0.005)
    bay = add_box(
        model, "IfcCovering", f"{storey.name}-P{number:02d}", storey, (at[0] + 0.05, at[1] + 0.05, 0.0), size,
        "bay_access" if accessible else "bay", PredefinedType="FLOORING",
        ObjectType="장애인 주차면" if accessible else "주차면",
    )  # fmt: skip
    model.properties(bay, "Twin_ParkingBay", HandicapAccessible=accessible, Width=width, Length=BAY_DEPTH)


# Tower


def _balconies(model: CompactModel, storey: Storey) -> None:
    """Deep balconies in a chequered rhythm, glass rails before the other living rooms, fins between dwellings."""
    floor = int(storey.name[:-1])
    south = TOWER[1]
    for number in range(5):
        x = BAY * number + 0.5
        deep = BALCONY if (number + floor) % 2 == 0 else 0.0
        if deep:
            slab = add_box(model, "IfcSlab", f"{storey.name} 발코니", storey, (x, south - deep, -0.2), (4.2, deep, 0.2),
                           "white", material="철근콘크리트", PredefinedType="FLOOR")  # fmt: skip
            model.properties(slab, "Pset_SlabCommon", LoadBearing=True, IsExternal=True, FireRating="2시간")
        _rail(model, storey, (x, south - deep, 0.0), 4.2, deep)
    for number in range(6):
        x = min(max(BAY * number - 0.1, 0.0), TOWER[2] - 0.2)
        add_box(model, "IfcMember", f"{storey.name} 수직핀", storey, (x, south - 0.45, -0.25),
                (0.2, 0.45, storey.height), "accent", material="강재", PredefinedType="MEMBER")  # fmt: skip


def _cladding(model: CompactModel, storey: Storey) -> None:
    """Bands of brick up the end walls of the tower, from the podium's brick to the roof."""
    for x in (TOWER[0] - 0.06, TOWER[2]):
        for y in (3.6, 15.2):
            add_box(model, "IfcCovering", f"{storey.name} 측벽 벽돌", storey, (x, y, -0.25), (0.06, 3.2, storey.height),
                    "brick", material="점토벽돌", PredefinedType="CLADDING")  # fmt: skip


def _rail(model: CompactModel, storey: Storey, at: tuple[float, float, float], width: float, deep: float) -> None:
    def make() -> Entity:
        items = [(model.block(0.0, 0.0, 0.05, width, 0.024, 1.05), "glass"),
                 (model.block(0.0, -0.01, 1.10, width, 0.05, 0.05), "frame")]  # fmt: skip
        for x in (0.0, width - 0.024) if deep else ():
            items.append((model.block(x, 0.03, 0.05, 0.024, deep - 0.05, 1.05), "glass"))
            items.append((model.block(x - 0.01 if x else 0.0, 0.04, 1.10, 0.034, deep - 0.06, 0.05), "frame"))
        return model.shape(items)

    x, y, z = at
    model.product(
        "IfcRailing", f"{storey.name} 발코니 난간", storey.entity, model.once(("rail", width, deep), make),
        at=(x, y if deep else y - 0.06, z), material="로이복층유리", attributes={"PredefinedType": "GUARDRAIL"},
    )  # fmt: skip


# Roofs


def _parapets(model: CompactModel, storey: Storey, box: tuple[float, float, float, float], colour: str) -> None:
    west, south, east, north = box
    thick = 0.2
    sides = ((west, south, east - west, thick), (west, north - thick, east - west, thick),
             (west, south + thick, thick, north - south - 2 * thick),
             (east - thick, south + thick, thick, north - south - 2 * thick))  # fmt: skip
    for x, y, width, depth in sides:
        wall = add_box(model, "IfcWall", f"{storey.name} 파라펫", storey, (x, y, 0.0), (width, depth, PARAPET), colour,
                       material="외벽", PredefinedType="PARAPET")  # fmt: skip
        model.properties(wall, "Pset_WallCommon", LoadBearing=False, IsExternal=True, FireRating="해당없음")


def _roof_garden(model: CompactModel, storey: Storey) -> None:
    """Parapets where the podium's roof is open, lawns, timber deck and planters on it."""
    thick = 0.2
    west, south, east, north = TOWER
    for x, y, width, depth in (
        (0.0, 0.0, LENGTH, thick), (0.0, DEPTH - thick, LENGTH, thick),
        (LENGTH - thick, thick, thick, DEPTH - 2 * thick),
        (0.0, north, thick, DEPTH - north - thick), (0.0, thick, thick, south - thick),
    ):  # fmt: skip
        wall = add_box(model, "IfcWall", "4F 파라펫", storey, (x, y, 0.0), (width, depth, PARAPET), "brick",
                       material="외벽", PredefinedType="PARAPET")  # fmt: skip
        model.properties(wall, "Pset_WallCommon", LoadBearing=False, IsExternal=True, FireRating="해당없음")
    for name, x, y, width, depth, height, colour in (
        ("잔디", 1.2, 24.0, 14.0, 8.6, 0.12, "green"), ("잔디", 18.0, 26.0, 12.0, 6.6, 0.12, "green"),
        ("목재 데크", 31.0, 22.0, 15.8, 10.8, 0.06, "deck"), ("목재 데크", 41.0, 3.0, 5.8, 18.0, 0.06, "deck"),
        ("화단", 18.0, 23.2, 12.0, 1.6, 0.5, "green"), ("화단", 44.6, 4.0, 1.8, 8.0, 0.5, "green"),
        ("화단", 33.0, 31.0, 12.0, 1.4, 0.5, "green"),
    ):  # fmt: skip
        add_box(model, "IfcCovering", f"옥상정원 {name}", storey, (x, y, 0.06 if name == "화단" and x > 30 else 0.0),
                (width, depth, height), colour, material="목재" if colour == "deck" else "잔디",
                PredefinedType="ROOFING")  # fmt: skip
    for x in (32.0, 36.0, 40.0, 44.0):
        for y in (24.0, 28.0):
            add_box(model, "IfcColumn", "파고라 기둥", storey, (x, y, 0.06), (0.15, 0.15, 2.6), "frame",
                    material="강재", PredefinedType="COLUMN")  # fmt: skip
    for number in range(14):
        add_box(model, "IfcMember", "파고라 보", storey, (32.0 + 0.93 * number, 23.6, 2.66), (0.1, 5.0, 0.16), "wood",
                material="목재", PredefinedType="MEMBER")  # fmt: skip


def _roof(model: CompactModel, storey: Storey) -> None:
    """Parapets, the houses of stairs and lifts, cooling towers, solar panels, a frame that crowns the front."""
    _parapets(model, storey, TOWER, "white")
    for name, x in CORES:
        _penthouse(model, storey, name, x)
    for number, x in enumerate((17.4, 33.4), start=1):
        tower = add_box(model, "IfcCoolingTower", f"냉각탑 {number}", storey, (x, 15.4, 0.3), (4.6, 3.6, 2.4), "steel",
                        material="강재", PredefinedType="MECHANICALINDUCEDDRAFT")  # fmt: skip
        model.properties(tower, "Pset_CoolingTowerTypeCommon", Reference="CT-150")
    panel = model.once(
        ("panel",),
        lambda: model.shape([(model.side([(0, 0.3), (1.7, 1.1), (1.7, 1.15), (0, 0.35)], 0.0, 3.6), "solar")]),
    )
    for number in range(27):
        x, y = 2.0 + 4.1 * (number % 9), 3.4 + 3.0 * (number // 9)
        model.product(
            "IfcSolarDevice", f"태양광 패널 {number + 1}", storey.entity, panel, at=(x + 3.6, y, 0.0),
            x_axis=(0.0, 1.0), material="태양전지", attributes={"PredefinedType": "SOLARPANEL"},
        )  # fmt: skip
    for number in range(6):
        x = min(max(BAY * number - 0.1, 0.0), TOWER[2] - 0.2)
        add_box(model, "IfcMember", "옥상 수직핀", storey, (x, TOWER[1] - 0.45, -0.25), (0.2, 0.45, 2.2), "accent",
                material="강재", PredefinedType="MEMBER")  # fmt: skip
    add_box(model, "IfcMember", "옥상 수평핀", storey, (0.0, TOWER[1] - 0.45, 1.95), (TOWER[2], 0.45, 0.2), "accent",
            material="강재", PredefinedType="MEMBER")  # fmt: skip


def _penthouse(model: CompactModel, storey: Storey, name: str, x: float) -> None:
    clear, thick = storey.clear, 0.2
    west, east, south, north = x - 0.1, x + 8.1, CN - 0.1, TN - 0.25
    for number, (wx, wy, length, axis) in enumerate((
        (west, south + thick / 2, east - west, (1.0, 0.0)), (west, north - thick / 2, east - west, (1.0, 0.0)),
        (west + thick / 2, south + thick, north - south - 2 * thick, (0.0, 1.0)),
        (east - thick / 2, south + thick, north - south - 2 * thick, (0.0, 1.0)),
        (x + 3.0, south + thick, north - south - 2 * thick, (0.0, 1.0)),
    )):  # fmt: skip
        body = model.box((length, thick, clear), "frame", at=(0.0, -thick / 2, 0.0))
        wall = model.product(
            "IfcWall", f"옥탑 {name} 벽", storey.entity, body, at=(wx, wy, 0.0), x_axis=axis, material="내력벽",
            attributes={"PredefinedType": "SOLIDWALL"},
        )  # fmt: skip
        model.properties(
            wall, "Pset_WallCommon", LoadBearing=True, IsExternal=number < 4, FireRating="2시간",
            ThermalTransmittance=0.3,
        )  # fmt: skip
        if number == 0:
            add_fitting(model, wall, storey.entity, Hole("roof", f"옥상 출입문 {name}", 0, 0, 1.1, 2.1), 1.1, thick)
            add_fitting(
                model, wall, storey.entity, Hole("roof", f"승강기 기계실 문 {name}", 0, 0, 1.1, 2.1), 5.1, thick
            )
    for key, title, w, e, use in (
        ("1", "계단실", x + 0.1, x + 2.9, "계단실"),
        ("2", "승강기 기계실", x + 3.1, x + 7.9, "기계실"),
    ):
        space = model.product(
            "IfcSpace", f"RF-{name}{key}", storey.entity, model.box((e - w, north - south - 0.4, clear), "space"),
            at=(w, south + 0.2, 0.0),
            attributes={"LongName": f"옥탑 {title} {name}", "PredefinedType": "INTERNAL", "CompositionType": "ELEMENT",
                        "ObjectType": use},
        )  # fmt: skip
        area = round((e - w) * (north - south - 0.4), 3)
        model.properties(space, "Pset_SpaceCommon", Reference=use, IsExternal=False, PubliclyAccessible=False)
        model.properties(space, "Qto_SpaceBaseQuantities", NetFloorArea=area, GrossFloorArea=area, Height=clear)
    roof = add_box(model, "IfcSlab", f"옥탑 지붕 {name}", storey, (west - 0.2, south - 0.2, clear),
                   (east - west + 0.4, north - south + 0.4, 0.25), "frame", material="철근콘크리트",
                   PredefinedType="ROOF")  # fmt: skip
    model.properties(roof, "Pset_SlabCommon", LoadBearing=True, IsExternal=True, FireRating="2시간")
