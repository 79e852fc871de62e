"""What a user gives to ``sunlight.setback``: layers and parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from analysis.contract import Inputs, layer_input
from analysis.params import Params, choice, quantity, switch
from geo.model import Layer


class SetbackParams(Params):
    """What a user can set. The numbers are those of the decree; a local ordinance (건축조례) may ask for more."""

    north: bool = switch("Setback from the north", default=True, help="Decree article 86 (1) (정북 방향 높이 제한).")
    low_height: float = quantity(
        "Low parts up to", "m", default=10.0, ge=0, le=100, help="10 m since 12 September 2023, 9 m before."
    )
    low_distance: float = quantity("Distance of low parts", "m", default=1.5, ge=0, le=50)
    height_factor: float = quantity("Distance of higher parts per height", "1", default=0.5, ge=0.05, le=5)
    ground_level: Literal["both", "plot"] = choice(
        "Heights count from",
        default="both",
        help="both: the mean of the ground of the plot and of its neighbour. plot: the mean ground of the plot alone.",
    )
    district_plan: Literal["unknown", "yes", "no"] = choice(
        "In a district unit plan area",
        default="unknown",
        help="District unit plan (지구단위계획구역): plots on a wide road are free of the setback from the north.",
    )
    wide_road: float = quantity("A wide road is at least", "m", default=20.0, ge=1, le=200)
    agreement: bool = switch(
        "Building agreement with distances", default=False, help="The setback from the north is lifted (건축협정구역)."
    )
    special_district: bool = switch(
        "Special building district", default=False, help="What breaks a rule then needs review (특별건축구역)."
    )
    daylight: bool = switch("Windows and boundary", default=True, help="Apartments, article 86 (3) 1 (채광).")
    daylight_factor: float = quantity("Height per distance to the boundary", "1", default=2.0, ge=0.1, le=20)
    daylight_factor_commercial: float = quantity(
        "The same in neighbourhood commercial and semi-residential zones", "1", default=4.0, ge=0.1, le=20
    )
    spacing: bool = switch("Distance between buildings", default=True, help="Apartments, article 86 (3) 2 (인동간격).")
    urban_housing: bool = switch(
        "Urban-type housing", default=False, help="Half the distance in front of windows (도시형 생활주택)."
    )
    window_factor: float = quantity(
        "Distance in front of windows per height",
        "1",
        default=0.5,
        ge=0.05,
        le=5,
        help="Many ordinances ask for 0.8 or 1.",
    )
    opening_factor: float = quantity("The same, higher building faces a lower one", "1", default=0.5, ge=0.05, le=5)
    opening_distance: float = quantity("Least such distance", "m", default=10.0, ge=0, le=100)
    ancillary_factor: float = quantity("Distance per height of ancillary buildings", "1", default=1.0, ge=0.05, le=5)
    blank_distance: float = quantity("Wall without windows to end wall", "m", default=8.0, ge=0, le=100)
    end_distance: float = quantity("End wall to end wall", "m", default=4.0, ge=0, le=100)
    end_wall: float = quantity(
        "End walls are no wider than", "m", default=14.0, ge=1, le=100, help="Wider walls are taken to have windows."
    )
    north_windows: bool = switch(
        "Walls that face north have windows", default=True, help="Off: wide walls that face north are blank."
    )
    building_use: Literal["column", "apartment", "other"] = choice(
        "Use of the buildings", default="column", help="column: by the table of the layer. Else the same for all."
    )
    use_column: str = choice("Column with the use of buildings", default="auto", help="auto: the usual names.")
    zoning_column: str = choice("Column with the zoning of parcels", default="auto", help="auto: the usual names.")
    land_use_column: str = choice(
        "Column with the land use of parcels",
        default="auto",
        help="Roads, parks and rivers among the parcels are found by it. auto: the usual names.",
    )
    rooftop: bool = switch(
        "Small rooftop structures do not count", default=True, help="Lift houses up to 1/8 of the plan and 12 m high."
    )
    tolerance: float = quantity("Tolerance", "m", default=0.05, ge=0, le=1)
    drawn_height: float = quantity("Envelope drawn up to", "m", default=60.0, ge=5, le=500)


@dataclass(frozen=True)
class SetbackInputs(Inputs):
    """What it works on."""

    parcels: tuple[Layer, ...] = layer_input("Parcels", kind=("lines", "mesh"), theme="parcel", many=True)
    buildings: tuple[Layer, ...] = layer_input(
        "Buildings", kind="mesh", theme=("building", "bim"), many=True, optional=True, replaced=True
    )
    roads: tuple[Layer, ...] = layer_input(
        "Roads, railways and water", kind="mesh", theme=("road", "rail", "water"), many=True, optional=True
    )
    terrain: Layer | None = layer_input("Terrain", kind="terrain", optional=True)
