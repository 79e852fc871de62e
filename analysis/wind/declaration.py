"""What the studies of wind have in common: their layers, and the parameters of place, cells, ground and season."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from analysis.contract import Inputs, layer_input
from analysis.params import Params, choice, place, quantity
from geo.model import Layer

SOLID_THEMES = ("building", "bim")

Leaves = Literal["summer", "winter", "none"]
Exposure = Literal["A", "B", "C", "D"]


@dataclass(frozen=True)
class CityInputs(Inputs):
    """What stands in the wind."""

    terrain: Layer | None = layer_input("Terrain", kind="terrain", optional=True)
    relief: tuple[Layer, ...] = layer_input(
        "Terrain surface (triangles)", kind="mesh", theme="terrain", many=True, optional=True
    )
    buildings: tuple[Layer, ...] = layer_input(
        "Buildings and models", kind=("mesh", "instances"), theme=SOLID_THEMES, many=True, optional=True
    )
    trees: tuple[Layer, ...] = layer_input("Trees", kind=("mesh", "instances"), theme="tree", many=True, optional=True)


@dataclass(frozen=True)
class ClimateInputs(CityInputs):
    """What stands in the wind, and how it blows over the year."""

    weather: tuple[Layer, ...] = layer_input("Hourly weather", kind="table", theme="other", many=True, optional=True)


class AreaParams(Params):
    """Where it is studied."""

    area: str = place(
        "Study area",
        default="",
        help="Its middle (a place or an element), or two opposite corners separated by ';'. Empty: the buildings.",
    )
    size: float = quantity(
        "Width of the study area", "m", default=500.0, ge=20, le=10_000, help="Where its middle is given, or nothing."
    )


class TunnelParams(AreaParams):
    """The grid of the wind tunnel and what is in it."""

    cell: float = quantity(
        "Cell", "m", default=4.0, ge=0.5, le=50, help="Ten to a building's height and to a street's width are good."
    )
    exposure: Exposure = choice(
        "Terrain category around the site",
        default="B",
        help="KDS 41 12 00: A city centre, B suburb with blocks of 4 to 9 storeys, C low houses, D open country.",
    )
    ground_roughness: float = quantity(
        "Roughness length of the ground",
        "m",
        default=0.03,
        ge=0.0001,
        le=1.0,
        help="Paving 0.01, lawn 0.03, bushes 0.3.",
    )
    wall_roughness: float = quantity("Roughness length of walls", "m", default=0.005, ge=0.0001, le=0.1)
    leaves: Leaves = choice("Leaves", default="summer", help="In winter a fifth of the summer's; none: no trees.")
    leaf_density: float = quantity(
        "Leaf area in a crown",
        "1/m",
        default=1.0,
        ge=0.0,
        le=5.0,
        help="Leaf area density in summer: usually 0.5 to 2.",
    )
