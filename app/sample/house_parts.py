"""Measures of the community building, and how its walls, windows and doors are made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.sample.ifc_model import IfcModel, Point2

if TYPE_CHECKING:
    from app.sample.ifc_model import Entity

LENGTH, DEPTH = 30.0, 18.0
OUTER, INNER, SLAB = 0.30, 0.20, 0.20  # [m] thickness of outer and inner walls and of slabs
COLUMN, BEAM_WIDTH, BEAM_DEPTH = 0.5, 0.35, 0.6
SOUTH_WALL, NORTH_WALL = 7.0, 11.0  # [m] y of the corridor's walls
AXES_X = (0.4, 6.0, 12.0, 18.0, 24.0, 29.6)
# Columns stand on the room side of the walls, so that walls and columns do not run through each other.
AXES_Y = (0.4, SOUTH_WALL - 0.35, NORTH_WALL + 0.35, 17.6)
STAIR_A, STAIR_B, STAIR_Y = 1.6, 25.4, 11.8  # [m] south-west corners of the stair wells
STAIR_WIDTH, STAIR_RUN = 2.8, 4.8
LIFT_SHAFT = (4.6, 15.5, 1.2, 1.8)  # [m] west, south, width, depth


@dataclass(frozen=True)
class Level:
    """A storey: its name, floor height and height to the next floor [m]."""

    name: str
    title: str
    elevation: float
    height: float


LEVELS = (
    Level("B1", "지하 1층", -4.2, 4.2),
    Level("1F", "지상 1층", 0.0, 4.2),
    Level("2F", "지상 2층", 4.2, 4.2),
    Level("3F", "지상 3층", 8.4, 4.2),
    Level("RF", "옥상층", 12.6, 3.6),
)


def add_wall(
    model: IfcModel,
    name: str,
    storey: Entity,
    start: Point2,
    length: float,
    axis: Point2,
    height: float,
    *,
    outer: bool,
) -> Entity:
    """A wall from `start` along `axis`, its middle on that line."""
    thickness = OUTER if outer else INNER
    solid = model.block(0, -thickness / 2, 0, length, thickness, height)
    wall = model.product(
        "IfcWall", name, storey, model.shape([(solid, "brick" if outer else "plaster")]), at=(*start, 0.0),
        x_axis=axis, material="외벽" if outer else "내벽",
        attributes={"PredefinedType": "SOLIDWALL" if outer else "PARTITIONING"},
    )  # fmt: skip
    model.properties(
        wall, "Pset_WallCommon", LoadBearing=outer, IsExternal=outer, FireRating="2시간" if outer else "1시간",
        ThermalTransmittance=0.17 if outer else 1.2,
    )  # fmt: skip
    return wall


def add_window(model: IfcModel, hole: Entity, storey: Entity, level: str, width: float, height: float) -> None:
    """A two-leaf window in a hole of an outer wall."""
    key = ("window", width, height)
    shape = None if model.has_type(key) else _window_shape(model, width, height)
    mapped = model.mapped(key, "IfcWindowType", f"시스템창 {width:.1f} x {height:.1f}", shape)
    window = model.product(
        "IfcWindow", f"{level} 창", hole, mapped, at=(0.0, OUTER / 2, 0.0), contained=False, material="로이복층유리",
        attributes={"OverallWidth": width, "OverallHeight": height, "PredefinedType": "WINDOW"},
    )  # fmt: skip
    model.contain(window, storey)
    model.typed(window, key)
    model.fill(hole, window)
    model.properties(
        window,
        "Pset_WindowCommon",
        IsExternal=True,
        ThermalTransmittance=1.0,
        FireRating="해당없음",
        GlazingAreaFraction=0.86,
    )


def _window_shape(model: IfcModel, width: float, height: float) -> Entity:
    m, frame, deep = model, 0.06, 0.10
    bars = [(0.0, 0.0, width, frame), (0.0, height - frame, width, frame), (0.0, frame, frame, height - 2 * frame)]
    bars += [(width - frame, frame, frame, height - 2 * frame), (width / 2 - 0.03, frame, 0.06, height - 2 * frame)]
    items = [(m.block(x, 0.0, z, w, deep, h), "frame") for x, z, w, h in bars]
    items.append((m.block(frame, deep / 2 - 0.012, frame, width - 2 * frame, 0.024, height - 2 * frame), "glass"))
    return m.shape(items)


def add_door(
    model: IfcModel,
    hole: Entity,
    storey: Entity,
    name: str,
    width: float,
    height: float,
    *,
    glazed: bool = False,
    fire: bool = False,
) -> None:
    """A door in a hole; `fire` closes a fire compartment, `glazed` leads outside."""
    key = ("door", width, height, glazed)
    shape = None if model.has_type(key) else _door_shape(model, width, height, glazed)
    mapped = model.mapped(key, "IfcDoorType", f"{'유리문' if glazed else '여닫이문'} {width:.1f} x {height:.1f}", shape)
    door = model.product(
        "IfcDoor", name, hole, mapped, at=(0.0, 0.1, 0.0), contained=False,
        material="로이복층유리" if glazed else "목재",
        attributes={"OverallWidth": width, "OverallHeight": height, "PredefinedType": "DOOR"},
    )  # fmt: skip
    model.contain(door, storey)
    model.typed(door, key)
    model.fill(hole, door)
    model.properties(
        door, "Pset_DoorCommon", IsExternal=glazed, FireRating="60분+ 방화문" if fire else "해당없음",
        FireExit=fire or glazed, HandicapAccessible=width >= 0.9,
    )  # fmt: skip


def _door_shape(model: IfcModel, width: float, height: float, glazed: bool) -> Entity:
    m, frame = model, 0.05
    items = [
        (m.block(0, 0, 0, frame, 0.1, height), "frame"), (m.block(width - frame, 0, 0, frame, 0.1, height), "frame"),
        (m.block(frame, 0, height - frame, width - 2 * frame, 0.1, frame), "frame"),
        (m.block(frame, 0.03, 0.01, width - 2 * frame, 0.04, height - frame - 0.01), "glass" if glazed else "wood"),
    ]  # fmt: skip
    return m.shape(items)
