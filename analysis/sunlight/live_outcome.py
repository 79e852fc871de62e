"""The result of a live study: what the full study gives back, made from hours that are known already."""

from __future__ import annotations

from analysis.contract import Result
from analysis.kernels.rays import SunTime
from analysis.kernels.sampling import GroundPoints
from analysis.sunlight.city import City
from analysis.sunlight.day import Day
from analysis.sunlight.declaration import SunlightInputs, SunlightParams
from analysis.sunlight.outcome import (
    ASSUMPTIONS,
    building_table,
    choices_made,
    element_names,
    result_layers,
    summary,
)
from analysis.sunlight.surfaces import Surface
from geo.model import Feedback, Issue


def outcome_of(
    inputs: SunlightInputs,
    params: SunlightParams,
    day: Day,
    city: City,
    ground: tuple[GroundPoints, SunTime] | None,
    surfaces: dict[str, Surface],
    issues: list[Issue],
) -> Result:
    """As the study ``sunlight.hours`` puts its result together."""
    names = element_names(city)
    return Result(
        layers=result_layers(ground, surfaces, names, day),
        summary=summary(day, ground, surfaces),
        tables=(building_table(city, surfaces, names),),
        issues=(*choices_made(inputs, params, day), *issues),
        assumptions=ASSUMPTIONS,
    )


def full_run(inputs: SunlightInputs, params: SunlightParams, feedback: Feedback) -> Result:
    """The study itself."""
    from analysis.registry import get

    return get("sunlight.hours").run(inputs, params, feedback)
