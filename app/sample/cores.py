"""Stairs and lifts of the large sample buildings."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from app.sample.ifc_compact import CompactModel
from app.sample.storeys import Storey

if TYPE_CHECKING:
    from app.sample.ifc_model import Entity, Point2

GOING = 0.28  # [m]
HIGHEST_RISER = 0.18  # [m] of stairs for the public (건축물의 피난·방화구조 등의 기준에 관한 규칙 제15조)
FLIGHT, GAP = 1.30, 0.20  # [m] width of a flight, gap between flights
LANDING = 1.40  # [m] depth of the landing at the floor


def risers(height: float) -> int:
    """Risers of each of the two flights between storeys `height` [m] apart."""
    return math.ceil(height / 2 / HIGHEST_RISER - 1e-9)


def add_stair(model: CompactModel, storey: Storey, name: str, west: float, south: float, depth: float) -> Entity:
    """A half-turn stair to the next storey in a well whose clear corner is (west, south) and clear depth `depth`."""
    count = risers(storey.height)
    rise, run = storey.height / 2 / count, count * GOING
    stair = model.product(
        "IfcStair", f"{storey.name} 계단 {name}", storey.entity, None, at=(west, south + LANDING, 0.0),
        attributes={"PredefinedType": "HALF_TURN_STAIR"},
    )  # fmt: skip
    places: tuple[tuple[tuple[float, float, float], Point2], ...] = (
        ((FLIGHT, 0.0, 0.0), (0.0, 1.0)),
        ((FLIGHT + GAP, run, count * rise), (0.0, -1.0)),
    )
    parts = []
    for number, (origin, axis) in enumerate(places, start=1):
        parts.append(
            model.product(
                "IfcStairFlight", f"{storey.name} 계단 {name}-{number}", stair, _flight(model, count, rise),
                at=origin, x_axis=axis, contained=False, material="철근콘크리트",
                attributes={"NumberOfRisers": count, "RiserHeight": round(rise, 4), "TreadLength": GOING,
                            "PredefinedType": "STRAIGHT"},
            )
        )  # fmt: skip
        parts.append(
            model.product(
                "IfcRailing", f"{storey.name} 난간 {name}-{number}", stair, _rail(model, count, rise), at=origin,
                x_axis=axis, contained=False, material="강재", attributes={"PredefinedType": "HANDRAIL"},
            )
        )  # fmt: skip
    landing = model.box((2 * FLIGHT + GAP, depth - LANDING - run, 0.2), "concrete", at=(0.0, run, -0.2))
    parts.append(
        model.product(
            "IfcSlab", f"{storey.name} 계단참 {name}", stair, landing, at=(0.0, 0.0, count * rise), contained=False,
            material="철근콘크리트", attributes={"PredefinedType": "LANDING"},
        )
    )  # fmt: skip
    model.aggregate(stair, parts)
    model.properties(
        stair, "Pset_StairCommon", NumberOfRiser=2 * count, FireRating="2시간", FireExit=True, IsExternal=False,
        HandicapAccessible=False,
    )  # fmt: skip
    return stair


def well(west: float, south: float, depth: float) -> tuple[float, float, float, float]:
    """The hole that a stair needs in the slab above it: west, south, east, north [m]."""
    return west, south + LANDING, west + 2 * FLIGHT + GAP, south + depth


def _flight(model: CompactModel, count: int, rise: float) -> Entity:
    def make() -> Entity:
        steps: list[Point2] = [(0.0, 0.0)]
        for i in range(count):
            steps += [(i * GOING, (i + 1) * rise), ((i + 1) * GOING, (i + 1) * rise)]
        steps += [(count * GOING, count * rise - 0.25), (0.35, 0.0)]
        return model.shape([(model.side(steps, 0.0, FLIGHT), "concrete")])

    return model.once(("flight", count, round(rise, 4)), make)


def _rail(model: CompactModel, count: int, rise: float) -> Entity:
    def make() -> Entity:
        run = count * GOING
        low, high = 0.9 + rise, 0.9 + count * rise
        bar = model.side([(0.0, low), (run, high), (run, high + 0.05), (0.0, low + 0.05)], 0.02, 0.04)
        posts = [model.block(i * GOING + 0.12, 0.03, (i + 1) * rise, 0.02, 0.02, 0.9) for i in range(0, count, 2)]
        return model.shape([(bar, "steel"), *((post, "steel") for post in posts)])

    return model.once(("rail", count, round(rise, 4)), make)


def add_lift(
    model: CompactModel, name: str, stops: Sequence[Storey], at: tuple[float, float, float, float], cab_at: Storey
) -> Entity:  # fmt: skip
    """A lift in a clear shaft (west, south, width, depth): guide rails from the lowest stop up, its cab at one stop."""
    west, south, width, depth = at
    low, high = stops[0].elevation, stops[-1].elevation + stops[-1].clear
    base = cab_at.elevation

    def make() -> Entity:
        cab = model.block(0.25, 0.15, 0.0, width - 0.5, depth - 0.7, 2.3)
        rails = [model.block(x, depth / 2, low - base, 0.08, 0.08, high - low) for x in (0.05, width - 0.13)]
        return model.shape([(cab, "steel"), *((rail, "steel") for rail in rails)])

    lift = model.product(
        "IfcTransportElement", name, cab_at.entity, model.once(("lift", width, depth, low - base, high - low), make),
        at=(west, south, 0.0), material="강재", attributes={"PredefinedType": "ELEVATOR"},
    )  # fmt: skip
    model.properties(lift, "Pset_TransportElementCommon", Reference="승객용 13인승 (장애인 겸용)")
    model.properties(
        lift, "Twin_Lift", Stops=", ".join(storey.name for storey in stops), NumberOfStops=len(stops), ClearWidth=0.9
    )
    return lift
