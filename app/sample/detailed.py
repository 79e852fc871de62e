"""Where the detailed building models stand: which blocks of the city they replace, and how those are reshaped."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import shapely
from shapely import Polygon

from app.sample.mixed_plan import DEPTH, HEIGHT, LENGTH, LEVELS, TOWER
from app.sample.plan import Building, Ground, Plan
from app.sample.site import upright
from app.sample.solids import Stack, Strip, moved

MIXED_NAME = "합강 스마트 복합타워"
MIXED_DWELLINGS = 64
FLOOR_ABOVE_GROUND = 0.02  # [m] a step that a wheelchair takes
LOT_EDGE = 2.5  # [m] free between the lot's edge and the building
APARTMENT_UNITS = (1, 2, 3)


def reserve(plan: Plan) -> None:
    """Choose the blocks that get a model of their own; the mixed-use block takes the outline of its model."""
    _reserve_mixed(plan)
    _reserve_apartments(plan)


def city_object(number: int) -> str:
    """Id in the city model of the building with this number (from 0) of the plan."""
    return f"HG-{number + 1:04d}"


def level_of(building: Building, ground: Ground) -> float:
    """Height of the ground floor of a building's model [m]."""
    middle = building.form.polygon.representative_point()
    height = float(ground.sample(np.array([middle.x]), np.array([middle.y]))[0])
    return round(height + FLOOR_ABOVE_GROUND, 3)


def _reserve_mixed(plan: Plan) -> None:
    parcels = {parcel.id: parcel.polygon for parcel in plan.parcels}
    house = np.array(plan.house_place[:2])
    best: tuple[float, int, tuple[float, float, float]] | None = None
    for number, building in enumerate(plan.buildings):
        if "타워" not in building.name or not isinstance(building.form, Stack):
            continue
        lot, middle = parcels[building.parcel], parcels[building.parcel].centroid
        angle = upright(lot)
        place = _corner((middle.x, middle.y), angle)
        away = float(np.hypot(*(house - (middle.x, middle.y))))
        if lot.buffer(-LOT_EDGE).contains(_outline(place)) and (best is None or away < best[0]):
            best = (away, number, place)
    if best is None:
        raise ValueError("no lot of the district holds the mixed-use building")
    _, plan.mixed_building, plan.mixed_place = best
    old = plan.buildings[plan.mixed_building]
    plan.buildings[plan.mixed_building] = replace(
        old, use="주상복합", form=_mixed_form(plan.mixed_place), storeys_above=12, storeys_below=2,
        dwellings=MIXED_DWELLINGS,
    )  # fmt: skip


def _corner(middle: tuple[float, float], angle: float) -> tuple[float, float, float]:
    turn = np.radians(angle)
    half = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ [LENGTH / 2, DEPTH / 2]
    # Whole millimetres, so that the georeference says exactly where the block stands.
    return round(float(middle[0] - half[0]), 3), round(float(middle[1] - half[1]), 3), round(angle, 6)


def _outline(place: tuple[float, float, float]) -> Polygon:
    x, y, angle = place
    return moved(Stack(shapely.box(0.0, 0.0, LENGTH, DEPTH), 1.0), angle, (x, y)).polygon


def _mixed_form(place: tuple[float, float, float]) -> Stack:
    base = 0.3  # the block's base lies below the ground floor
    podium, roof = LEVELS[5][2] + base, LEVELS[-1][2] + base
    houses = tuple(Stack(shapely.box(x, 14.0, x + 8.0, 20.6), round(HEIGHT + base, 2)) for x in (8.0, 24.0))
    west, south, east, north = TOWER
    # A form's upper part lies strictly inside the lower one; the tower is flush with the podium's west wall.
    tower = Stack(shapely.box(west + 0.35, south, east, north), round(roof, 2), houses, parapet=1.2)
    form = Stack(shapely.box(0.0, 0.0, LENGTH, DEPTH), round(podium, 2), (tower,), parapet=1.2)
    x, y, angle = place
    shape = moved(form, angle, (x, y))
    if not isinstance(shape, Stack):
        raise TypeError("a moved stack is a stack")
    return shape


def _reserve_apartments(plan: Plan) -> None:
    """Two straight slabs of one estate with the fewest dwellings, but at least 60."""
    estates: dict[str, list[int]] = {}
    for number, building in enumerate(plan.buildings):
        form = building.form
        if isinstance(form, Strip) and len(form.tops) in APARTMENT_UNITS and _straight(form):
            estates.setdefault(building.parcel, []).append(number)
    best: tuple[int, tuple[int, int]] | None = None
    for numbers in estates.values():
        for place, first in enumerate(numbers):
            for second in numbers[place + 1 :]:
                homes = plan.buildings[first].dwellings + plan.buildings[second].dwellings
                if homes >= 60 and (best is None or homes < best[0]):
                    best = (homes, (first, second))
    if best is None:
        raise ValueError("no estate of the district has two straight slabs")
    plan.apartment_buildings = best[1]


def _straight(form: Strip) -> bool:
    steps = np.diff(form.front, axis=0)
    steps /= np.linalg.norm(steps, axis=1)[:, None]
    return bool((steps @ steps[0] > 1.0 - 1e-9).all())
