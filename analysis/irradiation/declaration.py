"""What a user gives to ``sunlight.irradiation``: layers and parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from analysis.contract import layer_input
from analysis.params import Params, choice, quantity, switch
from analysis.sunlight.declaration import SunlightInputs
from geo.model import Layer

SunClock = Literal["auto", "middle", "end"]
Direct = Literal["grouped", "exact"]
PatchCount = Literal["145", "577"]


class IrradiationParams(Params):
    """What a user can set."""

    facades: bool = switch("Facades and roofs", default=True)
    facade_spacing: float = quantity("Facade cell", "m", default=3.0, ge=0.5, le=20)
    ground: bool = switch("Ground", default=False)
    ground_cell: float = quantity("Ground cell", "m", default=4.0, ge=0.5, le=50)
    margin: float = quantity("Ground around the buildings", "m", default=50.0, ge=0, le=2000)
    direct: Direct = choice(
        "Direct sun",
        default="grouped",
        help="exact: a ray for every hour. grouped: hours with nearly the same sun share one, a tenth of the time.",
    )
    patches: PatchCount = choice(
        "Sky patches", default="577", help="577 (Reinhart), or 145 (Tregenza): a third less time, twice the error."
    )
    sun_clock: SunClock = choice(
        "Sun of an hour",
        default="auto",
        help="middle: half an hour before its label, as EPW demands. end: at its label. auto: what the file fits.",
    )
    ground_albedo: float = quantity(
        "Albedo of the ground", "1", default=0.2, ge=0.0, le=1.0, help="0.2 is usual for towns; snow 0.6 to 0.8."
    )
    facade_albedo: float = quantity(
        "Albedo of buildings", "1", default=0.2, ge=0.0, le=1.0, help="What facades and roofs throw back. Assumed."
    )
    trees_block: bool = switch("Trees shade", default=True, help="As crowns that let a part of the light through.")
    leaves_from: int = quantity("Leaves from month", "1", default=4, ge=1, le=12)
    leaves_to: int = quantity("Leaves to month", "1", default=10, ge=1, le=12)
    through_summer: float = quantity(
        "Light through leaves", "1", default=0.03, ge=0.0, le=1.0, help="3 % as in SOLWEIG (UMEP)."
    )
    through_winter: float = quantity(
        "Light through bare crowns", "1", default=0.5, ge=0.0, le=1.0, help="50 % as in SOLWEIG (UMEP)."
    )
    pv_facades: bool = switch("Modules on facades too", default=False)
    pv_share: float = quantity(
        "Usable share of a surface", "1", default=0.5, ge=0.0, le=1.0, help="Not verified: measure your roofs."
    )
    pv_threshold: float = quantity(
        "Least irradiation for modules",
        "kWh/m2",
        default=800.0,
        ge=0.0,
        le=3000.0,
        help="Cells that get less in a year stay free. 800 is usual (City Energy Analyst).",
    )
    pv_efficiency: float = quantity(
        "Efficiency of modules", "1", default=0.2, ge=0.01, le=0.5, help="At standard test conditions; data sheet."
    )
    pv_performance: float = quantity(
        "Performance ratio",
        "1",
        default=0.8,
        ge=0.1,
        le=1.0,
        help="Heat, wiring, inverter: 0.75 to 0.85. Not verified.",
    )
    best: int = quantity("Best roofs", "1", default=10, ge=1, le=1000, help="How many roofs are listed.")


@dataclass(frozen=True)
class IrradiationInputs(SunlightInputs):
    """What it works on."""

    weather: tuple[Layer, ...] = layer_input("Hourly weather (EPW)", kind="table", theme="other", many=True)
    station: tuple[Layer, ...] = layer_input("Weather station", kind="points", theme="sensor", many=True, optional=True)
