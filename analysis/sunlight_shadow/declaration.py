"""What a user gives to ``sunlight.shadow``: layers and parameters."""

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

Days = Literal["winter", "summer", "equinox", "seasons", "day"]
Outlines = Literal["proposal", "all", "none"]


class ShadowParams(Params):
    """What a user can set."""

    days: Days = choice(
        "Days",
        default="winter",
        help="Solstices and equinoxes are computed for the year of the day; seasons: equinox, summer and winter.",
    )
    day: date = choice("Day", default=date(2026, 12, 22), help="Its year counts; the day itself only for 'day'.")
    start: float = quantity("From", "h", default=8.0, ge=0, le=24, help="Hour of the day.")
    stop: float = quantity("To", "h", default=16.0, ge=0, le=24, help="The same as the start: one instant.")
    interval: float = quantity(
        "A picture every", "min", default=60.0, ge=5, le=720, help="Each instant becomes a field to step through."
    )
    step: float = quantity("Time step of durations", "min", default=10.0, ge=1, le=60)
    time_basis: TimeBasis = choice(
        "Time basis",
        default="clock",
        help="clock: legal time. solar: true solar time (진태양시). Instants are named by the clock either way.",
    )
    utc_offset: str = choice(
        "Clock ahead of UTC",
        default="auto",
        help="Hours, such as 9 or 5.5. auto: 9 in Korea, else that of the meridian.",
    )
    ground_cell: float = quantity("Ground cell", "m", default=2.0, ge=0.25, le=50)
    margin: float = quantity("Ground around the buildings", "m", default=50.0, ge=0, le=2000)
    ground: bool = switch("Ground", default=True)
    facades: bool = switch("Facades and roofs", default=True, help="With self-shadow apart from cast shadow.")
    facade_spacing: float = quantity("Facade cell", "m", default=3.0, ge=0.5, le=20)
    outlines: Outlines = choice(
        "Outlines of shadows",
        default="proposal",
        help="Exact outlines per building at each instant, where the ground is flat enough.",
    )
    new_buildings: str = choice(
        "New buildings",
        default="",
        help="Ids of buildings, separated by commas, that count as the proposal besides the layers chosen for it.",
    )
    place_words: str = choice(
        "Only places that say",
        default="",
        help="Words such as 공원, 학교, separated by commas: of the places only those whose attributes hold one.",
    )
    trees_block: bool = switch("Trees block the sun", default=False, help="Korean appraisals leave trees out.")

    @field_validator("utc_offset")
    @classmethod
    def _known_offset(cls, text: str) -> str:
        if text != "auto" and not -12.0 <= float(text) <= 14.0:
            raise ValueError("must be auto or a number of hours from -12 to 14")
        return text


@dataclass(frozen=True)
class ShadowInputs(Inputs):
    """What it works on."""

    blockers: tuple[Layer, ...] = layer_input(
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
    places: tuple[Layer, ...] = layer_input(
        "Open spaces, schools, areas for solar panels", kind=("mesh", "lines"), many=True, optional=True, named=True
    )
    terrain: Layer | None = layer_input("Terrain", kind="terrain", optional=True)
    relief: tuple[Layer, ...] = layer_input(
        "Terrain surface (triangles)", kind="mesh", theme="terrain", many=True, optional=True
    )
    trees: tuple[Layer, ...] = layer_input("Trees", kind=("mesh", "instances"), theme="tree", many=True, optional=True)
