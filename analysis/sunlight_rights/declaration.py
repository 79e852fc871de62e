"""What a user gives to ``sunlight.rights``: layers and parameters."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from pydantic import field_validator

from analysis.contract import Inputs, layer_input
from analysis.kernels.sun import TimeBasis
from analysis.params import Params, choice, quantity, switch
from analysis.sunlight.declaration import BLOCKING_THEMES
from geo.model import Layer


class RightsParams(Params):
    """What a user can set."""

    day: date = choice("Day", default=date(2026, 12, 22), help="Only its year counts while the solstice is taken.")
    solstice: bool = switch(
        "Winter solstice of that year", default=True, help="The day (동지) is computed: 21 or 22 December."
    )
    time_basis: TimeBasis = choice(
        "Time basis",
        default="clock",
        help="clock: legal time. solar: true solar time (진태양시), 12 h = sun in the south. No rule fixes which.",
    )
    utc_offset: str = choice(
        "Clock ahead of UTC",
        default="auto",
        help="Hours, such as 9 or 5.5. auto: 9 in Korea, else that of the meridian.",
    )
    step: float = quantity(
        "Time step", "min", default=1.0, ge=0.5, le=30, help="Edges of the sun are then refined to two seconds."
    )
    points: Literal["1", "3", "5", "9"] = choice(
        "Points per window", default="1", help="The centre decides; more points show how much of the window agrees."
    )
    facing: float = quantity(
        "Living rooms face south within", "deg", default=100.0, ge=10, le=180, help="Of true south, for made windows."
    )
    storey_height: float = quantity(
        "Storey height", "m", default=3.0, ge=2, le=8, help="Only for buildings that do not say their storeys."
    )
    sill: float = quantity("Sill above the floor", "m", default=0.9, ge=0, le=3, help="For made windows.")
    window_height: float = quantity("Window height", "m", default=1.2, ge=0.2, le=4, help="For made windows.")
    dwelling_width: float = quantity(
        "Facade of one dwelling", "m", default=10.0, ge=2, le=50, help="One window is made per this length of facade."
    )
    new_buildings: str = choice(
        "New buildings",
        default="",
        help="Ids of buildings, separated by commas, that count as the proposal besides the layers chosen for it.",
    )
    rooms: Literal["living", "all"] = choice(
        "Windows of models",
        default="living",
        help="living: only those of living rooms, in models whose rooms name some. all: of every room.",
    )
    trees_block: bool = switch("Trees block the sun", default=False, help="Korean appraisals leave trees out.")

    @field_validator("utc_offset")
    @classmethod
    def _known_offset(cls, text: str) -> str:
        if text != "auto" and not -12.0 <= float(text) <= 14.0:
            raise ValueError("must be auto or a number of hours from -12 to 14")
        return text


@dataclass(frozen=True)
class RightsInputs(Inputs):
    """What it works on."""

    dwellings: tuple[Layer, ...] = layer_input(
        "Buildings whose windows are judged", kind="mesh", theme=("building", "bim"), many=True, optional=True
    )
    obstructions: tuple[Layer, ...] = layer_input(
        "Buildings and other obstacles", kind=("mesh", "instances"), theme=BLOCKING_THEMES, many=True, optional=True
    )
    proposal: tuple[Layer, ...] = layer_input(
        "New project (the rest is the state before)",
        kind=("mesh", "instances"),
        theme=BLOCKING_THEMES,
        many=True,
        optional=True,
        named=True,
    )
    terrain: Layer | None = layer_input("Terrain", kind="terrain", optional=True)
    relief: tuple[Layer, ...] = layer_input(
        "Terrain surface (triangles)", kind="mesh", theme="terrain", many=True, optional=True
    )
    trees: tuple[Layer, ...] = layer_input("Trees", kind=("mesh", "instances"), theme="tree", many=True, optional=True)
    spaces: tuple[Layer, ...] = layer_input(
        "Rooms of models", kind="mesh", theme="space", many=True, optional=True, hidden=True, default=True
    )
