"""Doors and windows of the large sample buildings: what each look is made of, and setting one into a wall."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.sample.floor_plan import Hole
from app.sample.ifc_compact import CompactModel

if TYPE_CHECKING:
    from app.sample.ifc_model import Entity, Value

FRAME = 0.05  # [m] of a door on either side
DEEP = 0.10  # [m] of doors and windows through the wall


@dataclass(frozen=True)
class DoorLook:
    """How a kind of door is made and what it promises."""

    title: str
    leaf: str
    operation: str
    material: str
    fire: str = "해당없음"
    leaves: int = 1
    escape: bool = False
    external: bool = False


@dataclass(frozen=True)
class WindowLook:
    """How a kind of window is made."""

    title: str
    leaves: int
    bar: float
    sound: str


DOORS = {
    "entrance": DoorLook("세대 현관문", "door_dark", "SINGLE_SWING_LEFT", "강재", "60분+ 방화문"),
    "inner": DoorLook("실내문", "wood", "SINGLE_SWING_LEFT", "목재"),
    "bath": DoorLook("욕실문", "wood", "SINGLE_SWING_LEFT", "목재"),
    "office": DoorLook("사무실 유리문", "glass", "SINGLE_SWING_LEFT", "로이복층유리"),
    "fire": DoorLook("방화문", "door_grey", "SINGLE_SWING_LEFT", "강재", "60분+ 방화문", escape=True),
    "roof": DoorLook("옥상 출입문", "door_grey", "SINGLE_SWING_LEFT", "강재", "60분+ 방화문", 1, True, True),
    "lift": DoorLook("승강기 문", "steel", "DOUBLE_DOOR_SLIDING", "강재", "60분 방화문", 2),
    "service": DoorLook("점검문", "door_grey", "SINGLE_SWING_LEFT", "강재", "60분 방화문"),
    "glass": DoorLook("자동문", "glass", "DOUBLE_DOOR_SLIDING", "로이복층유리", "해당없음", 2, True, True),
    "gate": DoorLook("셔터", "steel", "ROLLINGUP", "강재", "해당없음", 1, False, True),
}
WINDOWS = {
    "living": WindowLook("거실 시스템창", 2, 0.06, "Rw 37 dB"),
    "window": WindowLook("시스템창", 2, 0.05, "Rw 35 dB"),
    "strip": WindowLook("업무시설 띠창", 3, 0.05, "Rw 35 dB"),
    "stair": WindowLook("계단실 창", 1, 0.05, "Rw 30 dB"),
}


def clear_width(width: float) -> float:
    """Free passage of a door whose opening in the wall is `width` [m] wide."""
    return round(width - 2 * FRAME, 3)


def add_fitting(model: CompactModel, host: Entity, storey: Entity, hole: Hole, at: float, thickness: float) -> Entity:
    """Cut a hole into a wall, `at` metres from the wall's start, and set the door or window into it."""
    opening = model.cut(host, (at, -thickness / 2 - 0.05, hole.sill), (hole.width, thickness + 0.1, hole.height))
    door = hole.look in DOORS
    body, key = _door(model, hole) if door else _window(model, hole)
    entity = model.product(
        "IfcDoor" if door else "IfcWindow", hole.name, opening, body, at=(0.0, (thickness + 0.1 - DEEP) / 2, 0.0),
        contained=False, material=DOORS[hole.look].material if door else "로이복층유리",
        attributes=_attributes(hole, door),
    )  # fmt: skip
    model.contain(entity, storey)
    model.typed(entity, key)
    model.fill(opening, entity)
    if door:
        _door_properties(model, entity, hole)
    else:
        _window_properties(model, entity, hole)
    return entity


def _attributes(hole: Hole, door: bool) -> dict[str, object]:
    size = {"OverallWidth": hole.width, "OverallHeight": hole.height}
    if door:
        return {**size, "PredefinedType": "DOOR", "OperationType": DOORS[hole.look].operation}
    return {**size, "PredefinedType": "WINDOW"}


def _door_properties(model: CompactModel, door: Entity, hole: Hole) -> None:
    look = DOORS[hole.look]
    clear = clear_width(hole.width)
    common: dict[str, Value] = {
        "IsExternal": look.external, "FireRating": look.fire, "FireExit": look.escape,
        "HandicapAccessible": clear >= 0.9 and hole.look not in ("gate", "service"), "AcousticRating": "Rw 30 dB",
    }  # fmt: skip
    model.properties(door, "Pset_DoorCommon", **common)
    model.properties(door, "Twin_Door", ClearWidth=clear)


def _window_properties(model: CompactModel, window: Entity, hole: Hole) -> None:
    look = WINDOWS[hole.look]
    share = (hole.width - 2 * look.bar) * (hole.height - 2 * look.bar) / (hole.width * hole.height)
    model.properties(
        window, "Pset_WindowCommon", IsExternal=True, ThermalTransmittance=0.9, FireRating="해당없음",
        AcousticRating=look.sound, GlazingAreaFraction=round(share, 3),
    )  # fmt: skip


def _door(model: CompactModel, hole: Hole) -> tuple[Entity, tuple[object, ...]]:
    look = DOORS[hole.look]
    key = ("door", hole.look, hole.width, hole.height)

    def make() -> Entity:
        m, width, height = model, hole.width, hole.height
        bars = [(0.0, 0.0, FRAME, height), (width - FRAME, 0.0, FRAME, height)]
        bars.append((FRAME, height - FRAME, width - 2 * FRAME, FRAME))
        items = [(m.block(x, 0, z, w, DEEP, h), "frame") for x, z, w, h in bars]
        if look.operation == "ROLLINGUP":
            return m.shape([*items, (m.block(FRAME, 0, height - 0.35, width - 2 * FRAME, DEEP, 0.30), look.leaf)])
        leaf = (width - 2 * FRAME) / look.leaves
        for number in range(look.leaves):
            x = FRAME + number * leaf + 0.005
            items.append((m.block(x, 0.03, 0.01, leaf - 0.01, 0.04, height - FRAME - 0.02), look.leaf))
            if look.leaf == "glass":
                items.append((m.block(x + 0.02, 0.02, 0.95, 0.04, 0.06, 0.3), "steel"))
        return m.shape(items)

    body = model.kind(
        key, "IfcDoorType", f"{look.title} {hole.width:.2f} x {hole.height:.1f}", make, PredefinedType="DOOR",
        OperationType=look.operation,
    )  # fmt: skip
    return body, key


def _window(model: CompactModel, hole: Hole) -> tuple[Entity, tuple[object, ...]]:
    look = WINDOWS[hole.look]
    key = ("window", hole.look, hole.width, hole.height)

    def make() -> Entity:
        m, width, height, bar = model, hole.width, hole.height, look.bar
        bars = [(0.0, 0.0, width, bar), (0.0, height - bar, width, bar)]
        bars += [(x, bar, bar, height - 2 * bar) for x in (0.0, width - bar)]
        step = width / look.leaves
        bars += [(n * step - bar / 2, bar, bar, height - 2 * bar) for n in range(1, look.leaves)]
        items = [(m.block(x, 0.0, z, w, DEEP, h), "frame") for x, z, w, h in bars]
        items.append((m.block(bar, DEEP / 2 - 0.012, bar, width - 2 * bar, 0.024, height - 2 * bar), "glass"))
        return m.shape(items)

    body = model.kind(
        key, "IfcWindowType", f"{look.title} {hole.width:.1f} x {hole.height:.1f}", make, PredefinedType="WINDOW",
        PartitioningType="NOTDEFINED",
    )  # fmt: skip
    return body, key
