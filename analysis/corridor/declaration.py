"""What the study of ventilation corridors takes, and what it takes for granted."""

from __future__ import annotations

from typing import Literal

from analysis.contract import Reference
from analysis.params import choice, place, quantity, switch
from analysis.studies.wind_field import Thoroughness
from analysis.wind.declaration import TunnelParams
from analysis.wind.honesty import CHECKED

REFERENCES = (
    Reference(
        "mayer-1994",
        "H. Mayer, W. Beckroege, A. Matzarakis: Bestimmung von stadtklimarelevanten Luftleitbahnen. UVP-report 5, "
        "1994; VDI 3787 Part 5: Local cold air, 2003.",
    ),
    Reference(
        "ng-2009",
        "E. Ng: Policies and technical guidelines for urban planning of high-density cities - air ventilation "
        "assessment (AVA) of Hong Kong. Building and Environment 44(7), 2009.",
        "10.1016/j.buildenv.2008.06.013",
    ),
    Reference(
        "wong-2010",
        "M. S. Wong, J. E. Nichol, P. H. To, J. Wang: A simple method for designation of urban ventilation corridors "
        "and its application to urban heat island analysis. Building and Environment 45(8), 2010.",
        "10.1016/j.buildenv.2010.02.019",
    ),
    Reference(
        "hang-2009",
        "J. Hang, M. Sandberg, Y. Li: Age of air and air exchange efficiency in idealized city models. Building and "
        "Environment 44(8), 2009.",
        "10.1016/j.buildenv.2008.11.013",
    ),
    Reference(
        "macdonald-1998",
        "R. W. Macdonald, R. F. Griffiths, D. J. Hall: An improved method for the estimation of surface roughness of "
        "obstacle arrays. Atmospheric Environment 32(11), 1998.",
        "10.1016/S1352-2310(97)00403-2",
    ),
)

# The translations count these from 0 (``wind.corridor.assumption.0``): keep the order.
ASSUMPTIONS = (
    "Steady, neutral flow (RANS, standard k-epsilon): no cold air, no buoyancy; calm hours are outside this study.",
    "Velocity ratios are mean scalar speeds over the wind outside at the reference height, by the logarithmic profile "
    "of the terrain category; they are weighted with the directions that were calculated.",
    "A lane is the way from the windward to the leeward edge that costs least: by the flow, the time the air takes "
    "along its way; by the form, the frontal area index it passes.",
    "Width is measured between the walls that stand at a lane's sides; trees and passages through buildings do not "
    "count.",
    "Age of the air: time since it came over the study area, at the wind speed given; half the wind doubles it.",
    "Criteria of lanes are figures of the literature (VDI 3787-5, Mayer et al. 1994) for whole cities, not of a law.",
    "Blame is ranked by form; only rows marked as checked were left out and the wind solved again, and both flows were "
    "carried on by the same number of iterations.",
    "Lee and courtyards are too calm, and wakes two to two and a half times too long: ratios there are too low and "
    "ages too high. Compare alternatives with them.",
    CHECKED,
)


class CorridorParams(TunnelParams):
    """What a user can set."""

    directions: Literal["rose", "one"] = choice(
        "Wind directions", default="rose", help="Rose: the most frequent of the weather file. One: the one given."
    )
    most_directions: int = quantity("Directions at most", "1", default=3, ge=1, le=16)
    share: float = quantity(
        "Share of the windy hours to reach", "%", default=50.0, ge=5, le=100, help="Directions are added until then."
    )
    wind_from: float = quantity(
        "Wind from", "deg", default=315.0, ge=0.0, le=360.0, help="Without weather, or for one direction."
    )
    speed: float = quantity(
        "Wind speed outside at 10 m", "m/s", default=2.0, ge=0.1, le=40.0, help="Ages hold for it; ratios for any."
    )
    height: float = quantity("Height of the map above ground", "m", default=1.75, ge=0.2, le=100.0)
    reference_height: float = quantity(
        "Height of the reference wind", "m", default=500.0, ge=10, le=1000, help="Above the boundary layer: about 500."
    )
    thoroughness: Thoroughness = choice("How far it is calculated", default="usual")
    site: str = place(
        "Site",
        default="",
        help="Buildings, or two opposite corners separated by ';', for the ratio around it. Empty: the study area.",
    )
    lanes: int = quantity("Lanes of each direction", "1", default=4, ge=1, le=20)
    cost: Literal["flow", "form"] = choice(
        "Lanes found by", default="flow", help="Flow: the solved wind. Form: the frontal area index alone."
    )
    form_cell: float = quantity("Cell of the city's form", "m", default=100.0, ge=25, le=200)
    layer: float = quantity(
        "Layer of sections", "m", default=15.0, ge=2, le=200, help="Open share of sections across the wind below it."
    )
    strip: float = quantity("Depth of the strips", "m", default=50.0, ge=5, le=500)
    age: bool = switch("Age of the air", default=True)
    checked: int = quantity(
        "Closing rows checked by leaving them out", "1", default=1, ge=0, le=10, help="Each is one more calculation."
    )
