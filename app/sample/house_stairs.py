"""Stairs, lift and roof of the community building."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.sample.house_parts import (
    BEAM_DEPTH,
    DEPTH,
    INNER,
    LENGTH,
    LIFT_SHAFT,
    OUTER,
    SLAB,
    STAIR_A,
    STAIR_B,
    STAIR_Y,
    Level,
    add_door,
    add_wall,
)
from app.sample.ifc_model import IfcModel, Point2

if TYPE_CHECKING:
    from app.sample.ifc_model import Entity

RISERS, GOING = 12, 0.28  # of a flight; going [m]


def add_stairs(model: IfcModel, number: int, level: Level, storey: Entity) -> None:
    """Two half-turn stairs (only the first goes on to the roof) and the lift."""
    for x, name in ((STAIR_A, "A"), (STAIR_B, "B")):
        if level.name == "3F" and name == "B":
            continue
        stair = model.product(
            "IfcStair",
            f"{level.name} 계단 {name}",
            storey,
            None,
            at=(x, STAIR_Y, 0.0),
            attributes={"PredefinedType": "HALF_TURN_STAIR"},
        )
        model.aggregate(stair, _flights(model, stair, level, name))
        model.properties(
            stair, "Pset_StairCommon", NumberOfRiser=24, FireRating="2시간", FireExit=True, IsExternal=False
        )
    _lift(model, level, storey)
    if number == 1:
        west, south, _, _ = LIFT_SHAFT
        cabin = model.shape([(model.block(0, 0, 0, 1.0, 1.5, 2.3), "steel")])
        model.product(
            "IfcTransportElement", "승강기", storey, cabin, at=(west + 0.1, south + 0.15, 0.0),
            attributes={"PredefinedType": "ELEVATOR"},
        )  # fmt: skip


def _lift(model: IfcModel, level: Level, storey: Entity) -> None:
    """Two shaft walls, the other sides being the partition and the outer wall, and the landing door."""
    west, south, width, _ = LIFT_SHAFT
    clear, half = level.height - SLAB, INNER / 2
    add_wall(model, f"{level.name} 승강로 벽 서측", storey, (west - half, south), 1.8, (0.0, 1.0), clear, outer=False)
    # The front wall ends below the beam that it meets in the east.
    front = add_wall(
        model, f"{level.name} 승강로 벽 남측", storey, (west - INNER, south - half), width + INNER + 0.1, (1.0, 0.0),
        clear - BEAM_DEPTH, outer=False,
    )  # fmt: skip
    hole = model.opening(front, (INNER + 0.1, -half - 0.05, 0.0, 0.9, INNER + 0.1, 2.1))
    add_door(model, hole, storey, f"{level.name} 승강기 문", 0.9, 2.1, fire=True)


def _flights(model: IfcModel, stair: Entity, level: Level, name: str) -> list[Entity]:
    """Two flights of twelve risers with a landing between, side by side, and a rail on each."""
    rise, run = level.height / 2 / RISERS, RISERS * GOING
    # A flight is drawn in the vertical plane along its run and stands on the stair's axes turned by 90 degrees.
    places = (((1.3, 0.0, 0.0), (0.0, 1.0)), ((1.5, run, RISERS * rise), (0.0, -1.0)))
    parts: list[Entity] = []
    for number, (origin, axis) in enumerate(places, start=1):
        parts.append(
            model.product(
                "IfcStairFlight", f"{level.name} 계단 {name}-{number}", stair, _flight_shape(model, rise), at=origin,
                x_axis=axis, contained=False, material="철근콘크리트",
                attributes={"NumberOfRisers": RISERS, "RiserHeight": round(rise, 4), "TreadLength": GOING,
                            "PredefinedType": "STRAIGHT"},
            )
        )  # fmt: skip
        low, high = 0.9 + rise, 0.9 + RISERS * rise
        rail = model.side([(0.0, low), (run, high), (run, high + 0.06), (0.0, low + 0.06)], 0.0, 0.05)
        parts.append(
            model.product(
                "IfcRailing", f"{level.name} 난간 {name}-{number}", stair, model.shape([(rail, "steel")]), at=origin,
                x_axis=axis, contained=False, material="강재", attributes={"PredefinedType": "HANDRAIL"},
            )
        )  # fmt: skip
    landing = model.shape([(model.block(0.05, run, RISERS * rise - 0.2, 2.7, 1.4, 0.2), "concrete")])
    parts.append(
        model.product(
            "IfcSlab", f"{level.name} 계단참 {name}", stair, landing, contained=False, material="철근콘크리트",
            attributes={"PredefinedType": "LANDING"},
        )
    )  # fmt: skip
    return parts


def _flight_shape(model: IfcModel, rise: float) -> Entity:
    """Saw-toothed steps over a sloping underside."""
    steps: list[Point2] = [(0.0, 0.0)]
    for i in range(RISERS):
        steps += [(i * GOING, (i + 1) * rise), ((i + 1) * GOING, (i + 1) * rise)]
    steps += [(RISERS * GOING, RISERS * rise - 0.25), (0.3, 0.0)]
    return model.shape([(model.side(steps, 0.0, 1.25), "concrete")])


def add_roof(model: IfcModel, level: Level, storey: Entity) -> None:
    """Parapets, the stair's house and rows of solar panels."""
    m, half = model, OUTER / 2
    parapets = (
        ((-half, 0.0), LENGTH + OUTER, (1.0, 0.0)), ((LENGTH, half), DEPTH - OUTER, (0.0, 1.0)),
        ((LENGTH + half, DEPTH), LENGTH + OUTER, (-1.0, 0.0)), ((0.0, DEPTH - half), DEPTH - OUTER, (0.0, -1.0)),
    )  # fmt: skip
    for number, (start, length, axis) in enumerate(parapets, start=1):
        add_wall(model, f"파라펫 {number}", storey, start, length, axis, 1.2, outer=True)
    _penthouse(model, level, storey)
    for number in range(15):
        x, y = 7.5 + 4.2 * (number % 5), 1.6 + 2.7 * (number // 5)
        panel = m.side([(0, 0.3), (1.7, 1.1), (1.7, 1.15), (0, 0.35)], 0.0, 3.6)
        # The panels face south: their slope runs along the building's y axis.
        m.product(
            "IfcSolarDevice", f"태양광 패널 {number + 1}", storey, m.shape([(panel, "solar")]), at=(x + 3.6, y, 0.0),
            x_axis=(0.0, 1.0), attributes={"PredefinedType": "SOLARPANEL"},
        )  # fmt: skip


def add_canopy(model: IfcModel, storey: Entity) -> None:
    """The roof over the entrance, on two posts."""
    south = -OUTER / 2
    shape = model.shape([(model.block(0, 0, 0, 7.0, 3.0, 0.25), "roof")])
    model.product(
        "IfcSlab", "현관 캐노피", storey, shape, at=(11.5, south - 3.0, 3.2), material="강재",
        attributes={"PredefinedType": "ROOF"},
    )  # fmt: skip
    for x in (11.9, 17.8):
        post = model.shape([(model.block(0, 0, 0, 0.2, 0.2, 3.2), "steel")])
        model.product(
            "IfcColumn", "캐노피 기둥", storey, post, at=(x, south - 2.9, 0.0), material="강재",
            attributes={"PredefinedType": "COLUMN"},
        )  # fmt: skip


def _penthouse(model: IfcModel, level: Level, storey: Entity) -> None:
    """The stair's house on the roof, with its door."""
    west, east, south, north = 0.6, 5.8, 10.6, 17.2
    sides = (
        ((west, south), east - west, (1.0, 0.0)), ((east, south + INNER / 2), north - south - INNER, (0.0, 1.0)),
        ((east, north), east - west, (-1.0, 0.0)), ((west, north - INNER / 2), north - south - INNER, (0.0, -1.0)),
    )  # fmt: skip
    for number, (start, length, axis) in enumerate(sides, start=1):
        wall = add_wall(model, f"옥탑 벽 {number}", storey, start, length, axis, level.height - SLAB, outer=False)
        if number == 1:
            hole = model.opening(wall, (3.4, -INNER / 2 - 0.05, 0.0, 1.0, INNER + 0.1, 2.1))
            add_door(model, hole, storey, "옥상 출입문", 1.0, 2.1, fire=True)
    _penthouse_room(model, level, storey, (west + INNER / 2, south + INNER / 2, east - INNER / 2, north - INNER / 2))
    solid = model.block(west - 0.4, south - 0.4, level.height - SLAB, east - west + 0.8, north - south + 0.8, SLAB)
    slab = model.product(
        "IfcSlab",
        "옥탑 지붕",
        storey,
        model.shape([(solid, "roof")]),
        material="철근콘크리트",
        attributes={"PredefinedType": "ROOF"},
    )
    model.properties(
        slab, "Pset_SlabCommon", LoadBearing=True, IsExternal=True, FireRating="2시간", ThermalTransmittance=0.15
    )


def _penthouse_room(
    model: IfcModel, level: Level, storey: Entity, clear: tuple[float, float, float, float]
) -> None:  # fmt: skip
    """The room in the stair's house: with it the door to the roof belongs to a way."""
    west, south, east, north = clear
    height = level.height - SLAB
    shape = model.shape([(model.block(west, south, 0, east - west, north - south, height), "space")])
    space = model.product(
        "IfcSpace", "RF-01", storey, shape,
        attributes={"LongName": "옥탑 계단실", "PredefinedType": "INTERNAL", "CompositionType": "ELEMENT",
                    "ObjectType": "계단실"},
    )  # fmt: skip
    model.properties(space, "Pset_SpaceCommon", Reference="계단실", IsExternal=False, PubliclyAccessible=False)
    area = round((east - west) * (north - south), 2)
    model.properties(space, "Qto_SpaceBaseQuantities", NetFloorArea=area, Height=height)
