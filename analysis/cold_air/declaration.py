"""What a user gives to ``wind.cold_air``: layers and parameters."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.contract import layer_input
from analysis.params import quantity, switch
from analysis.wind.declaration import AreaParams, CityInputs
from geo.model import Layer


@dataclass(frozen=True)
class ColdAirInputs(CityInputs):
    """Hills, and what stands in the way of the air that flows down from them."""

    paved: tuple[Layer, ...] = layer_input(
        "Roads and squares", kind="mesh", theme=("road", "rail"), many=True, optional=True
    )
    water: tuple[Layer, ...] = layer_input("Water", kind="mesh", theme="water", many=True, optional=True)


class ColdAirParams(AreaParams):
    """The night and its air."""

    hours: float = quantity(
        "Length of the night", "h", default=8.0, ge=0.25, le=16.0, help="From an hour after sunset."
    )
    cell: float = quantity("Cell", "m", default=20.0, ge=2.0, le=200.0)
    catchment: float = quantity(
        "Land around the study area", "m", default=1000.0, ge=0.0, le=20_000.0, help="From whose slopes air flows in."
    )
    open_production: float = quantity(
        "Cold air made by open land",
        "m3/(m2 h)",
        default=14.0,
        ge=0.0,
        le=40.0,
        help="Meadows and fields on a clear night: 12 to 15 (VDI 3787-5). Other land in proportion.",
    )
    deficit: float = quantity(
        "How much colder fresh air is", "K", default=5.0, ge=0.5, le=15.0, help="Than the air above the layer."
    )
    mixing: bool = switch("Warm air is mixed in from above", default=True)
    dams: bool = switch(
        "Find the buildings that dam it", default=True, help="Runs the night once more without buildings."
    )
    checked: int = quantity(
        "Dams checked by leaving them out", "1", default=0, ge=0, le=10, help="One more run for each of the worst."
    )
