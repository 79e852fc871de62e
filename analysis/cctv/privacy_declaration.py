"""What a user gives to ``cctv.privacy``: layers and parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from analysis.contract import Inputs, layer_input
from analysis.params import Params, choice, quantity, switch
from analysis.sunlight.declaration import BLOCKING_THEMES
from geo.model import Layer


class PrivacyParams(Params):
    """What a user can set."""

    purpose: Literal["unanswered", "law", "crime", "facility", "enforcement", "traffic"] = choice(
        "Purpose of the cameras", default="unanswered", help="Goes into the check list and the text of the sign."
    )
    least_density: float = quantity(
        "Faintest picture that counts",
        "px/m",
        default=20.0,
        ge=1,
        le=500,
        help="Of windows and rooms of homes and schools. Baths, toilets and changing rooms count at any density.",
    )
    reach: float = quantity(
        "Farthest distance looked at", "m", default=200.0, ge=5, le=2000, help="From the lens, for all that is private."
    )
    doors_open: bool = switch(
        "Doors stand open", default=True, help="Doors of models do not hide what lies behind: one day they are open."
    )
    trees_hide: bool = switch("Trees hide", default=False, help="Leaves fall; without them trees hide nothing.")
    schools: bool = switch("Schools are private too", default=True, help="Windows of schools and their classrooms.")
    window_spacing: float = quantity(
        "Facade of one window", "m", default=4.0, ge=1, le=30, help="For homes whose data have no windows."
    )
    storey_height: float = quantity(
        "Storey height", "m", default=3.0, ge=2, le=8, help="Only for buildings that do not say their storeys."
    )
    sill: float = quantity("Sill above the floor", "m", default=0.9, ge=0, le=3, help="For made windows.")
    window_height: float = quantity("Window height", "m", default=1.4, ge=0.2, le=4, help="For made windows.")


@dataclass(frozen=True)
class PrivacyInputs(Inputs):
    """What it works on."""

    cameras: tuple[Layer, ...] = layer_input("Cameras", kind="points", theme="camera", many=True)
    dwellings: tuple[Layer, ...] = layer_input(
        "Buildings with homes", kind="mesh", theme=("building", "bim"), many=True, optional=True
    )
    obstructions: tuple[Layer, ...] = layer_input(
        "Buildings and other obstacles", kind=("mesh", "instances"), theme=BLOCKING_THEMES, many=True, optional=True
    )
    terrain: Layer | None = layer_input("Terrain", kind="terrain", optional=True)
    relief: tuple[Layer, ...] = layer_input(
        "Terrain surface (triangles)", kind="mesh", theme="terrain", many=True, optional=True
    )
    trees: tuple[Layer, ...] = layer_input("Trees", kind=("mesh", "instances"), theme="tree", many=True, optional=True)
    spaces: tuple[Layer, ...] = layer_input(
        "Rooms of models", kind="mesh", theme="space", many=True, optional=True, hidden=True, default=True
    )
    models: tuple[Layer, ...] = layer_input(
        "Camera models of one's own (table)", kind="table", many=True, optional=True, named=True, default=True
    )
