"""What a user gives to ``cctv.siting``: layers and parameters, and what the study takes for granted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from analysis.cctv.declaration import AUTO, CoverageInputs, Ground, SightParams
from analysis.contract import Reference, layer_input
from analysis.params import choice, place, quantity, switch
from geo.model import Layer

Objective = Literal["count", "budget", "cost", "fewest", "full"]

REFERENCES = (
    Reference(
        "iec-62676-4",
        "IEC 62676-4: Video surveillance systems for use in security applications - Part 4: Application guidelines. "
        "Editions of 2014 and 2025.",
    ),
    Reference(
        "church-revelle-1974",
        "R. Church, C. ReVelle: The maximal covering location problem. Papers of the Regional Science Association 32, "
        "1974.",
        "10.1007/BF01942293",
    ),
    Reference(
        "applegate-2021",
        "D. Applegate et al.: Practical large-scale linear programming using primal-dual hybrid gradient. NeurIPS, "
        "2021.",
    ),
    Reference(
        "huangfu-hall-2018",
        "Q. Huangfu, J. A. J. Hall: Parallelizing the dual revised simplex method. Mathematical Programming "
        "Computation 10, 2018.",
        "10.1007/s12532-017-0130-5",
    ),
)

# The translations count these from 0 (``cctv.siting.assumption.0``): keep the order.
ASSUMPTIONS = (
    "The bound is proven against every camera on these places with this grid of pan, tilt and zoom; other places, "
    "models or angles between those of the grid may see more.",
    "Targets are points that stand for a cell each; a camera sees all of a cell or nothing of it.",
    "Pixels per metre of people are those of a plane parallel to the sensor, whatever reading a later study uses.",
    "Faces at entrances and plates count within one angle to their normal; the smaller angle from above is told by the "
    "study of what cameras see, it is not asked for here.",
    "Cameras that turn are placed with one view; presets are not planned.",
    "The cost of a place is counted for every camera on it.",
    "Doors are closed as modelled; people and vehicles do not hide one another.",
)


class SitingParams(SightParams):
    """What a user can set."""

    objective: Objective = choice(
        "What is wanted",
        default="count",
        help=(
            "count: most coverage with a number of cameras. budget: most coverage for a sum. cost, fewest: least cost, "
            "or fewest cameras, that see a share. full: fewest cameras that see all that can be seen."
        ),
    )
    count: int = quantity("Cameras", "1", default=10, ge=1, le=300)
    budget: float = quantity("Budget", "KRW", default=20_000_000.0, ge=0.0, le=1e11)
    share: float = quantity("Share to be seen", "%", default=80.0, ge=1.0, le=100.0)
    view_class: str = choice(
        "Class from which a view counts",
        default=AUTO,
        help="Id of a class of the edition, such as discern or detect. auto: the one asked for on the ground.",
    )
    reading: Literal["parallel"] = choice(
        "Reading of pixels per metre", default="parallel", help="Of people: parallel to the sensor (f/z)."
    )
    ground: Ground = choice(
        "People on the ground",
        default="open",
        help="open: all ground outside buildings. roads: roads and squares only.",
    )
    ground_cell: float = quantity("Ground cell", "m", default=2.0, ge=0.25, le=20.0)
    height: float = quantity(
        "Height of what is looked at", "m", default=1.6, ge=0.0, le=3.0, help="A face: 1.5 to 1.7."
    )
    facades: bool = switch("Facades", default=False)
    facade_cell: float = quantity("Facade cell", "m", default=3.0, ge=0.5, le=20.0)
    entrances: bool = switch("Faces at entrances", default=True)
    entrance_weight: float = quantity("An entrance counts as", "m2", default=10.0, ge=0.0, le=10_000.0)
    plates: bool = switch("Number plates along roads", default=False)
    plate_spacing: float = quantity("Distance between plates", "m", default=10.0, ge=2.0, le=100.0)
    plate_weight: float = quantity("A plate counts as", "m2", default=5.0, ge=0.0, le=10_000.0)
    room_cell: float = quantity("Cell of rooms", "m", default=0.5, ge=0.1, le=5.0)
    street_light: float = quantity(
        "Light on roads at night",
        "lx",
        default=0.0,
        ge=0.0,
        le=1000.0,
        help="0: unknown; then only what the cameras' own light reaches counts at night, or a map of light is given.",
    )
    quality: Literal["view", "asked", "steps"] = choice(
        "When a target counts",
        default="view",
        help=(
            "view: in the class from which a view counts. asked: in the class asked for (entrances: faces). steps: "
            "half in the one, all in the other."
        ),
    )
    night: bool = switch(
        "By night", default=False, help="Only what is known to be lit, or lies within a camera's own light, counts."
    )
    views: int = quantity(
        "Views that count", "1", default=1, ge=1, le=3, help="2: a second view of a target counts too."
    )
    again: float = quantity("A further view counts", "%", default=50.0, ge=0.0, le=100.0, help="Of the view before it.")
    site: str = place(
        "Middle of the study area",
        default="",
        help="Where no area is named. Empty: the middle of the cameras that are there, else of the buildings.",
    )
    around: float = quantity(
        "Half the side of the study area", "m", default=100.0, ge=5.0, le=1000.0, help="Where no area is named."
    )
    indoors: Literal["none", "all"] = choice("Rooms", default="none", help="all: floors of rooms in the area.")
    storey: str = choice(
        "Storeys", default="", help="Names or parts of names, separated by commas; empty: all. Only for rooms."
    )
    camera_models: str = choice(
        "Camera models", default="bullet-4mp", help="Ids of the catalogue or of a table of one's own, by commas."
    )
    on_roads: bool = switch("Masts along roads", default=True)
    on_walls: bool = switch("Brackets on walls", default=True)
    on_ceilings: bool = switch("Under ceilings", default=True, help="Where rooms are looked at.")
    road_spacing: float = quantity("Distance of masts", "m", default=20.0, ge=2.0, le=200.0)
    wall_spacing: float = quantity("Distance of brackets", "m", default=8.0, ge=1.0, le=100.0)
    mast_height: float = quantity("Height of cameras on masts", "m", default=5.0, ge=2.0, le=20.0)
    wall_height: float = quantity("Height of cameras on walls", "m", default=4.5, ge=2.0, le=20.0)
    beyond: float = quantity("Places beyond the area up to", "m", default=20.0, ge=0.0, le=500.0)
    most_places: int = quantity(
        "Places at most", "1", default=1000, ge=1, le=5000, help="Of more, so many are drawn by lot, spread evenly."
    )
    per_place: int = quantity("Cameras at one place", "1", default=2, ge=1, le=4)
    mast_cost: float = quantity("A mast costs", "KRW", default=2_000_000.0, ge=0.0, le=1e9)
    wall_cost: float = quantity("A bracket costs", "KRW", default=300_000.0, ge=0.0, le=1e9)
    ceiling_cost: float = quantity("A fixing under a ceiling costs", "KRW", default=150_000.0, ge=0.0, le=1e9)
    pan_step: float = quantity("Step of pan", "deg", default=10.0, ge=5.0, le=90.0)
    tilt_step: float = quantity("Step of tilt", "deg", default=5.0, ge=2.5, le=40.0, help="From 5 to 45 degrees.")
    zooms: int = quantity("Steps of zoom", "1", default=6, ge=1, le=12)
    privacy: Literal["none", "penalty", "hard"] = choice(
        "Windows of homes",
        default="penalty",
        help=(
            "penalty: each window seen takes off what it counts, camera by camera. hard: no camera that sees one. "
            "Baths and changing rooms are never seen with either. Where all is asked for, penalty spares only these."
        ),
    )
    private_density: float = quantity(
        "Faintest picture of a window that counts", "px/m", default=20.0, ge=1.0, le=500.0
    )
    private_area: float = quantity("A window takes off", "m2", default=5.0, ge=0.0, le=10_000.0)
    keep: Literal["existing", "all", "none"] = choice(
        "Cameras that are there",
        default="existing",
        help="existing: they stay, movable ones are set anew. all: planned ones stay too. none: none is there.",
    )
    refined: bool = switch(
        "Turned freely at the end", default=True, help="Pan, tilt and zoom between the steps of the grid."
    )
    seconds: float = quantity("Time limit of the search", "s", default=60.0, ge=1.0, le=3600.0)
    gap: float = quantity("Close enough", "%", default=1.0, ge=0.0, le=50.0, help="Distance from the proven bound.")
    seed: int = quantity("Seed of the search", "1", default=0, ge=0, le=1_000_000)


@dataclass(frozen=True)
class SitingInputs(CoverageInputs):
    """What it works on."""

    places: tuple[Layer, ...] = layer_input(
        "Places for cameras (masts, street lights)", kind="points", many=True, optional=True, named=True, hidden=True,
        default=True,
    )  # fmt: skip
    forbidden: tuple[Layer, ...] = layer_input(
        "Zones without cameras", kind=("mesh", "lines"), many=True, optional=True, named=True, hidden=True,
        default=True,
    )  # fmt: skip
