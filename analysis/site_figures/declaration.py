"""What a user gives to ``site.figures``."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.contract import Inputs, layer_input
from analysis.params import Params, choice, quantity
from geo.model import Layer


class FiguresParams(Params):
    """What the data do not say."""

    storey_height: float = quantity(
        "Storey height",
        "m",
        default=3.0,
        ge=2.0,
        le=8.0,
        help="Of buildings that do not say how many storeys they have.",
    )
    dwelling_area: float = quantity(
        "Floor area of a dwelling",
        "m2",
        default=110.0,
        ge=0.0,
        le=1000.0,
        help="With its share of stairs and halls; for homes whose dwellings are not told. 0: they are not estimated.",
    )
    zoning_column: str = choice("Column with the zoning of parcels", default="auto", help="auto: the usual names.")
    use_column: str = choice("Column with the use of buildings", default="auto", help="auto: the usual names.")
    plot: str = choice("Only this plot", default="", help="Id of a parcel; empty: all that are built on.")


@dataclass(frozen=True)
class FiguresInputs(Inputs):
    """Parcels and what stands on them."""

    parcels: tuple[Layer, ...] = layer_input("Parcels", kind=("lines", "mesh"), theme="parcel", many=True)
    buildings: tuple[Layer, ...] = layer_input(
        "Buildings", kind="mesh", theme=("building", "bim"), many=True, optional=True, replaced=True
    )
    terrain: Layer | None = layer_input("Terrain", kind="terrain", optional=True)
