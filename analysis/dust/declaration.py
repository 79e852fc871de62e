"""What the studies of dust have in common: their layers, and the parameters of wind, particles and sources."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Literal

from analysis.contract import layer_input
from analysis.params import choice, quantity, switch
from analysis.wind.declaration import ClimateInputs, Exposure, TunnelParams
from geo.model import Layer

SizeName = Literal["pm10", "pm25"]
Season = Literal["year", "spring", "summer", "autumn", "winter"]
Directions = Literal["all", "strongest8", "one"]
Thoroughness = Literal["preview", "usual", "settled"]

ITERATIONS: dict[str, tuple[int, ...]] = {
    "preview": (150, 80, 40),
    "usual": (200, 150, 150),
    "settled": (200, 150, 800),
}
MONTHS: dict[str, tuple[int, ...]] = {
    "year": (), "spring": (3, 4, 5), "summer": (6, 7, 8), "autumn": (9, 10, 11), "winter": (12, 1, 2),
}  # fmt: skip


@dataclass(frozen=True)
class DustInputs(ClimateInputs):
    """What stands in the wind, how it blows, where dust comes from, who breathes it, and who measures it."""

    roads: tuple[Layer, ...] = layer_input(
        "Roads with traffic", kind=("lines", "mesh"), theme="road", many=True, optional=True
    )
    sources: tuple[Layer, ...] = layer_input(
        "Sources of dust", kind=("points", "lines", "mesh"), theme="emission", many=True, optional=True
    )
    people: tuple[Layer, ...] = layer_input(
        "Places with people", kind=("points", "mesh", "instances"), many=True, optional=True, named=True
    )
    stations: tuple[Layer, ...] = layer_input(
        "Air quality stations", kind="points", theme="sensor", many=True, optional=True
    )
    measurements: tuple[Layer, ...] = layer_input(
        "Measurements of dust", kind="table", theme="sensor", many=True, optional=True
    )
    _: KW_ONLY
    calibration: Layer | None = layer_input(
        "Strengths of a calibration", kind="table", theme="result", optional=True, named=True, default=True
    )


class DustParams(TunnelParams):
    """Which wind, which particles, and what the city adds to."""

    cell: float = quantity(
        "Cell", "m", default=8.0, ge=0.5, le=50, help="Five or more across a street are needed for its own increment."
    )
    size_class: SizeName = choice("Particles", default="pm10")
    traffic: float = quantity(
        "Traffic of roads without a count",
        "1/d",
        default=0.0,
        ge=0.0,
        le=200_000.0,
        help="Vehicles a day, both ways; told as assumed. 0: roads without a count are left out.",
    )
    factors: str = choice(
        "Factors of source groups",
        default="",
        help="As a calibration prints them: roads=1.4; site=0.8. They count before those of its table.",
    )
    background: float = quantity(
        "Background outside the city",
        "ug/m3",
        default=0.0,
        ge=0.0,
        le=1000.0,
        help="0: from the stations given; where there are none the annual limit, told as assumed.",
    )
    season: Season = choice("Months", default="year")
    first_hour: int = quantity("From this hour", "h", default=0, ge=0, le=23, help="22 to 6 is the night.")
    last_hour: int = quantity("To this hour", "h", default=24, ge=1, le=24)
    directions: Directions = choice(
        "Winds", default="all", help="All 16 directions of the weather, its eight strongest, or the one given below."
    )
    wind_from: float = quantity(
        "One wind from", "deg", default=315.0, ge=0.0, le=360.0, help="Clockwise from true north, for 'one' only."
    )
    speed: float = quantity("One wind's speed at 10 m", "m/s", default=2.0, ge=0.3, le=30.0)
    banded: bool = switch(
        "Each band of speed for itself", default=False, help="Else each direction at its harmonic mean speed."
    )
    station_exposure: Exposure = choice(
        "Terrain category of the weather station", default="D", help="KDS 41 12 00; an airport is D."
    )
    thoroughness: Thoroughness = choice("How far each wind is calculated", default="usual")
    schmidt: float = quantity(
        "Turbulent Schmidt number",
        "1",
        default=0.7,
        ge=0.2,
        le=1.3,
        help="Published values reach from 0.2 to 1.3; the band of 0.5 to 1.0 is told with every result.",
    )
    height: float = quantity("Breathing height", "m", default=1.5, ge=0.5, le=10.0)
