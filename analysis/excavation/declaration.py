"""What a user gives to ``utility.excavation``: layers and parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from analysis.contract import Inputs, layer_input
from analysis.params import Params, choice, place, quantity
from geo.model import Layer


class ExcavationParams(Params):
    """What a user can set."""

    outline: str = place(
        "Outline", help="Corners of one more excavation: three places or more, separated by ;. Empty: only the layers."
    )
    depth: float = quantity(
        "Depth", "m", default=3.0, ge=0.1, le=100, help="Of the outline, and of drawn excavations that say none."
    )
    tree_pit: float = quantity(
        "Diameter of tree pits", "m", default=1.5, ge=0.3, le=10, help="Of trees whose table has no column 'pit'."
    )
    tree_pit_depth: float = quantity("Depth of tree pits", "m", default=1.0, ge=0.2, le=5)
    clearance: float = quantity("Added to the clearance of the rules", "m", default=0.0, ge=0, le=5)
    coverage: float = quantity(
        "Standard uncertainties counted", "1", default=2.0, ge=0, le=4, help="2 covers about 95 % of pipes."
    )
    dig_error: float = quantity(
        "Uncertainty of the excavation", "m", default=0.05, ge=0, le=2, help="One standard uncertainty of what is dug."
    )
    model: Literal["pit", "solids"] = choice(
        "A building model stands for",
        default="pit",
        help="pit: one hole around everything of it that lies below the ground. solids: its parts as they are.",
    )


@dataclass(frozen=True)
class ExcavationInputs(Inputs):
    """What it works on."""

    pipes: tuple[Layer, ...] = layer_input("Pipes and cables", kind="lines", theme="utility", many=True)
    excavations: tuple[Layer, ...] = layer_input(
        "Excavations", kind=("mesh", "lines", "points"), theme="excavation", many=True, optional=True
    )
    models: tuple[Layer, ...] = layer_input(
        "Models to be built in the ground", kind="mesh", theme=("bim", "building"), many=True, optional=True, named=True
    )
    trees: tuple[Layer, ...] = layer_input(
        "Trees to be planted", kind=("instances", "points"), theme="tree", many=True, optional=True, named=True
    )
    terrain: Layer | None = layer_input("Terrain", kind="terrain", optional=True)
