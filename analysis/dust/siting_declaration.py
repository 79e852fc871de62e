"""What a user gives to ``dust.siting``, and what the study takes for granted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from analysis.contract import Reference, layer_input
from analysis.dust.declaration import DustInputs, DustParams
from analysis.params import choice, quantity, switch
from geo.model import Layer

Objective = Literal["people", "area"]
GroundName = Literal["auto", "zones", "pavements", "open"]
Turns = Literal["1", "2", "4", "8"]

REFERENCES = (
    Reference(
        "marchuk-1995",
        "G. I. Marchuk: Adjoint Equations and Analysis of Complex Systems. Kluwer, Dordrecht 1995.",
        "10.1007/978-94-017-0621-6",
    ),
    Reference(
        "minoux-1978",
        "M. Minoux: Accelerated greedy algorithms for maximizing submodular set functions. Lecture Notes in Control "
        "and Information Sciences 7, 1978.",
        "10.1007/BFb0006528",
    ),
    Reference(
        "tominaga-stathopoulos-2007",
        "Y. Tominaga, T. Stathopoulos: Turbulent Schmidt numbers for CFD analysis with various types of flowfield. "
        "Atmospheric Environment 41, 2007.",
        "10.1016/j.atmosenv.2007.06.054",
    ),
)

# The translations count these from 0 (``dust.siting.assumption.0``): keep the order.
ASSUMPTIONS = (
    "The wind is steady and neutral in each class; sources, background and units are the same at all hours, and units "
    "run all the time.",
    "Units move their flow without a jet: suction and blowing are in the wind, the reach of fast outlets is not.",
    "The bound adds up what each unit brings alone, where it was looked at closely, and its ceiling elsewhere: it "
    "holds as long as units do not help one another; single places passed their ceiling by 0.8 % of the best at most.",
    "Cost a year is running cost (power counted in) plus price over lifetime, without interest, ground, grid "
    "connection or removal.",
    "The band joins diffusivity, direction of the wind, sources and efficiency as if they were independent (root of "
    "the sum of squares, each side for itself).",
    "Diffusivity is varied in the four most frequent winds, and its factor taken for all; a wind turned by one class "
    "keeps its speed (benefit goes with one over the speed).",
    "Persons with more than 1 ug/m3 less are counted by the mean over all winds, where they are given; a shorter time "
    "of more is not seen in it.",
)


@dataclass(frozen=True)
class DustSitingInputs(DustInputs):
    """What stands in the wind, where dust comes from, who breathes it, and where units may stand."""

    purifiers: tuple[Layer, ...] = layer_input(
        "Purifiers", kind="points", theme="purifier", many=True, optional=True, default=True
    )
    places: tuple[Layer, ...] = layer_input(
        "Places for purifiers (stops, benches)", kind="points", many=True, optional=True, named=True, hidden=True,
        default=True,
    )  # fmt: skip
    allowed: tuple[Layer, ...] = layer_input(
        "Ground on which units may stand", kind=("mesh", "lines"), many=True, optional=True, named=True, hidden=True,
        default=True,
    )  # fmt: skip
    forbidden: tuple[Layer, ...] = layer_input(
        "Ground without units", kind=("mesh", "lines"), many=True, optional=True, named=True, hidden=True,
        default=True,
    )  # fmt: skip
    water: tuple[Layer, ...] = layer_input(
        "Water", kind="mesh", theme="water", many=True, optional=True, default=True
    )  # fmt: skip


class DustSitingParams(DustParams):
    """What a user can set."""

    models: str = choice(
        "Models", default="tower-30000", help="Ids of the catalogue, separated by commas; several may be mixed."
    )
    count: int = quantity("Units at most", "1", default=3, ge=1, le=30)
    budget: float = quantity("Budget", "KRW", default=0.0, ge=0.0, le=1e12, help="To buy them; 0: no limit.")
    objective: Objective = choice(
        "Clean air for",
        default="people",
        help="people: the mean over persons and the hours they spend there. area: every open square metre alike.",
    )
    home_weight: float = quantity("A person at home counts", "1", default=1.0, ge=0.0, le=100.0)
    school_weight: float = quantity("A person at school counts", "1", default=1.0, ge=0.0, le=100.0)
    stop_weight: float = quantity("A person at a stop counts", "1", default=1.0, ge=0.0, le=100.0)
    park_weight: float = quantity("A person in a park counts", "1", default=1.0, ge=0.0, le=100.0)
    ground: GroundName = choice(
        "Where units may stand",
        default="auto",
        help=(
            "zones: on the ground named. pavements: beside carriageways too. open: on all open ground. auto: zones if "
            "given, else pavements if there are roads, else open. Never in buildings, on carriageways or on water; if "
            "places are named, only there."
        ),
    )
    pavement: float = quantity("Pavement beside a carriageway", "m", default=4.0, ge=0.5, le=30.0)
    roofs: bool = switch("Roofs too", default=False, help="Their heights then count from the roof.")
    spacing: float = quantity("Distance between units", "m", default=20.0, ge=0.0, le=1000.0)
    turns: Turns = choice("Directions of the outlet that are tried", default="1")
    towards: float = quantity(
        "First direction of the outlet", "deg", default=0.0, ge=0.0, le=360.0, help="Clockwise from grid north."
    )
    existing: bool = switch(
        "Purifiers that are there run",
        default=True,
        help="Then all is told on top of what they do; else the city without them.",
    )
    boxes: int = quantity(
        "Places looked at closely at most", "1", default=300, ge=1, le=5000, help="The best by the screening first."
    )
    lifetime: float = quantity("Lifetime of a unit", "a", default=10.0, ge=1.0, le=50.0)
    detectable: float = quantity(
        "Smallest change that sensors would see",
        "ug/m3",
        default=1.0,
        ge=0.0,
        le=100.0,
        help="From a before-and-after study; 1 ug/m3 is what good sensors side by side tell apart.",
    )
    schmidt_band: bool = switch(
        "Calculate anew with other diffusivity",
        default=True,
        help="Schmidt numbers 0.5 and 1.0 in the four most frequent winds, for the band.",
    )
    source_doubt: float = quantity(
        "Doubt of the strengths of sources", "%", default=50.0, ge=0.0, le=200.0, help="Calibration makes it less."
    )
    efficiency_doubt: float = quantity("Doubt of the efficiency", "%", default=20.0, ge=0.0, le=100.0)
