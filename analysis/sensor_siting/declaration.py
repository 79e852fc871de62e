"""What the siting of sensors takes, and what it takes for granted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from analysis.contract import Inputs, Reference, layer_input
from analysis.params import Params, choice, quantity, switch
from geo.model import Layer

Mode = Literal["coverage", "representativeness", "service"]

REFERENCES = (
    Reference(
        "church-1974",
        "R. Church, C. ReVelle: The maximal covering location problem. Papers of the Regional Science Association 32, "
        "1974.",
        "10.1007/BF01942293",
    ),
    Reference(
        "krause-2008",
        "A. Krause, A. Singh, C. Guestrin: Near-optimal sensor placements in Gaussian processes. Journal of Machine "
        "Learning Research 9, 2008.",
    ),
    Reference(
        "schaefer-2005",
        "J. Schaefer, K. Strimmer: A shrinkage approach to large-scale covariance matrix estimation. Statistical "
        "Applications in Genetics and Molecular Biology 4, 2005.",
        "10.2202/1544-6115.1175",
    ),
    Reference(
        "hakimi-1964",
        "S. L. Hakimi: Optimum locations of switching centers and the absolute centers and medians of a graph. "
        "Operations Research 12, 1964.",
        "10.1287/opre.12.3.450",
    ),
)

# The translations count these from 0 (``sensor.siting.assumption.0``): keep the order.
ASSUMPTIONS = (
    "Coverage: a point is watched when it lies within the radius and, if asked, in the line of sight of a sensor; "
    "nothing in between counts half.",
    "Representativeness: the field is Gaussian with the covariance of the runs (correlations shrunk towards none after "
    "Schaefer and Strimmer) or an exponential one with the length stated; every sensor measures with the same error.",
    "Representativeness: chosen one after the other and then exchanged. That is a heuristic without a guarantee, for "
    "variance reduction is not submodular in general; the lower bound is that of the largest eigenvalues, which no set "
    "of sensors can go below.",
    "Service: distances are straight in plan, not along streets.",
    "People stand at the middles of the elements that carry their number; without a column every place counts alike.",
)


@dataclass(frozen=True)
class SensorInputs(Inputs):
    """What may be given; all of it may be left out but a ground to stand on."""

    terrain: Layer | None = layer_input("Terrain", kind="terrain", optional=True)
    relief: tuple[Layer, ...] = layer_input("Terrain surfaces", kind="mesh", theme="terrain", many=True, optional=True)
    buildings: tuple[Layer, ...] = layer_input(
        "Buildings and models", kind="mesh", theme=("building", "bim"), many=True, optional=True
    )
    maps: tuple[Layer, ...] = layer_input(
        "Maps of runs (wind, dust)", kind="grid", theme="result", many=True, optional=True, named=True
    )
    people: tuple[Layer, ...] = layer_input(
        "Elements with numbers of people", kind=("mesh", "points", "lines"), many=True, optional=True, named=True
    )
    existing: tuple[Layer, ...] = layer_input(
        "Sensors that are there", kind="points", theme="sensor", many=True, optional=True
    )
    places: tuple[Layer, ...] = layer_input(
        "Places for sensors", kind="points", many=True, optional=True, named=True, hidden=True
    )
    area: tuple[Layer, ...] = layer_input(
        "Area of study", kind=("mesh", "lines"), many=True, optional=True, named=True, hidden=True
    )
    zones: tuple[Layer, ...] = layer_input(
        "Forbidden zones", kind=("mesh", "lines"), many=True, optional=True, named=True, hidden=True
    )


class SensorParams(Params):
    """What a user can set."""

    mode: Mode = choice(
        "What the sensors are for",
        default="coverage",
        help="Coverage: see or reach as much as possible. Representativeness: tell a field of wind or dust best. "
        "Service: be near.",
    )
    count: int = quantity("Sensors to place", "1", default=5, ge=1, le=200)
    cell: float = quantity("Cell of the ground", "m", default=10.0, ge=1, le=200)
    spacing: float = quantity("Distance between possible places", "m", default=40.0, ge=2, le=1000)
    height: float = quantity("Height of the sensors above ground", "m", default=3.0, ge=0.2, le=60)
    radius: float = quantity("Reach of a sensor", "m", default=60.0, ge=1, le=5000, help="Coverage only.")
    line_of_sight: bool = switch("Only in line of sight", default=True, help="Coverage only.")
    watched_height: float = quantity("Height of what is watched above ground", "m", default=1.5, ge=0, le=50)
    covariance: Literal["runs", "exponential"] = choice(
        "How the field hangs together",
        default="runs",
        help="Runs: from the maps given. Exponential: it falls with the distance. Representativeness only.",
    )
    field: str = choice(
        "Name of the field",
        default="",
        help="Of the maps; * stands for any letters (frontal_*). Empty: the first field of the first map.",
    )
    length: float = quantity("Correlation length", "m", default=150.0, ge=1, le=20000, help="Exponential only.")
    noise: float = quantity(
        "Error of a sensor", "%", default=20.0, ge=0.1, le=200, help="Over the standard deviation of the field."
    )
    measure: Literal["median", "centre"] = choice(
        "Service distance", default="median", help="Median: the mean distance. Centre: the longest distance."
    )
    weight: str = choice(
        "Column of people", default="", help="A column of numbers of the elements given. Empty: every place alike."
    )
    seconds: float = quantity("Time limit of the search", "s", default=30.0, ge=1, le=3600)
    gap: float = quantity("Gap at which the search stops", "%", default=0.5, ge=0, le=20)
