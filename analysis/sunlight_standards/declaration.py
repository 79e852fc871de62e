"""What a user gives to ``sunlight.standards``: layers and parameters."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from pydantic import field_validator

from analysis.contract import layer_input
from analysis.kernels.sun import TimeBasis
from analysis.params import Params, choice, quantity, switch
from analysis.sunlight_rights.declaration import RightsInputs, RightsParams
from geo.model import Layer

Judged = Literal["dwellings", "schools", "all"]
# Parameters that mean the same as in ``sunlight.rights``.
SHARED = (
    *("time_basis", "utc_offset", "step", "facing", "storey_height", "sill", "window_height", "dwelling_width"),
    *("new_buildings", "trees_block"),
)


class StandardsParams(Params):
    """What a user can set."""

    judged: Judged = choice(
        "Buildings judged",
        default="dwellings",
        help="dwellings: homes, as the right to sunlight takes them. schools: also by the limits of school reviews.",
    )
    sunlight: bool = switch("Exposure to sunlight (EN 17037)", default=True)
    day: date = choice("Day of the exposure", default=date(2026, 3, 21), help="From 1 February to 21 March.")
    minimum_elevation: float = quantity(
        "Lowest sun", "deg", default=10.0, ge=0, le=45, help="Fixed per country in EN 17037; none is fixed for Korea."
    )
    wall_depth: float = quantity(
        "Depth of the wall", "m", default=0.3, ge=0, le=1.5, help="The sun is judged at its inner face."
    )
    daylight: bool = switch("Vertical sky component (BRE 209)", default=True)
    time_basis: TimeBasis = choice(
        "Time basis",
        default="clock",
        help="For school reviews. clock: legal time. solar: true solar time (진태양시), 12 h = sun in the south.",
    )
    utc_offset: str = choice(
        "Clock ahead of UTC",
        default="auto",
        help="Hours, such as 9 or 5.5. auto: 9 in Korea, else that of the meridian.",
    )
    step: float = quantity(
        "Time step", "min", default=2.0, ge=0.5, le=30, help="Edges of the sun are then refined to two seconds."
    )
    facing: float = quantity(
        "Rooms face south within", "deg", default=180.0, ge=10, le=180, help="Of true south, for made windows."
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
    trees_block: bool = switch("Trees block", default=False, help="BRE 209 leaves most trees out.")
    area_cell: float = quantity("Cell of gardens", "m", default=1.0, ge=0.25, le=20)
    area_words: str = choice(
        "Only gardens that say",
        default="",
        help="Words separated by commas, such as 공원, 정원; an area counts when one of its attributes has one.",
    )

    @field_validator("utc_offset")
    @classmethod
    def _known_offset(cls, text: str) -> str:
        if text != "auto" and not -12.0 <= float(text) <= 14.0:
            raise ValueError("must be auto or a number of hours from -12 to 14")
        return text

    @property
    def as_rights(self) -> RightsParams:
        """The parameters that find windows and obstacles."""
        return RightsParams(**{name: getattr(self, name) for name in SHARED}, rooms="all")


@dataclass(frozen=True)
class StandardsInputs(RightsInputs):
    """What it works on."""

    spaces: tuple[Layer, ...] = ()  # every room that is lived in counts here: the rooms are not asked for
    gardens: tuple[Layer, ...] = layer_input(
        "Gardens and open spaces (areas)",
        kind=("mesh", "lines"),
        many=True,
        optional=True,
        named=True,
        hidden=True,
        default=True,
    )
