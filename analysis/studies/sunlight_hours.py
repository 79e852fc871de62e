"""Hours of direct sun on the ground, the facades and the roofs on one day."""

from __future__ import annotations

from analysis.contract import Reference, Result, analysis
from analysis.sunlight.city import city_of
from analysis.sunlight.day import sun_of_day
from analysis.sunlight.declaration import SunlightInputs, SunlightParams
from analysis.sunlight.ground import ground_hours
from analysis.sunlight.outcome import (
    ASSUMPTIONS,
    building_table,
    choices_made,
    element_names,
    result_layers,
    summary,
)
from analysis.sunlight.surfaces import surface_hours
from geo.model import Feedback, Issue, UserError

REDA_ANDREAS_2004 = Reference(
    "reda-andreas-2004",
    "I. Reda, A. Andreas: Solar position algorithm for solar radiation applications. Solar Energy 76(5), 2004.",
    "10.1016/j.solener.2003.12.003",
)
WALD_2014 = Reference(
    "wald-2014",
    "I. Wald et al.: Embree, a kernel framework for efficient CPU ray tracing. 2014.",
    "10.1145/2601097.2601199",
)


@analysis(
    id="sunlight.hours",
    title="Hours of direct sun",
    description=(
        "Total hours of direct sun and the longest unbroken run on one day, on the ground and on every facade and roof."
    ),
    version=1,
    inputs=SunlightInputs,
    params=SunlightParams,
    references=(REDA_ANDREAS_2004, WALD_2014),
    headline=("day", "step"),
)
def sunlight_hours(inputs: SunlightInputs, params: SunlightParams, feedback: Feedback) -> Result:
    """Trace the sun of one day over a city."""
    if inputs.terrain is None and not inputs.blockers and not inputs.relief:
        raise UserError(
            "There is nothing the sun could fall on.",
            "The project has neither a terrain nor buildings.",
            "Import a terrain or buildings first.",
            code="sunlight.nothing",
        )
    issues: list[Issue] = []
    feedback.step(0.0, "positions of the sun")
    day = sun_of_day(inputs.frame, params)
    city = city_of(inputs, params, issues, feedback.part(0.02, 0.15))
    ground = ground_hours(city, day, params, feedback.part(0.15, 0.5))
    surfaces = surface_hours(city, day, params, issues, feedback.part(0.5, 0.97))
    names = element_names(city)
    layers = result_layers(ground, surfaces, names, day)
    feedback.step(1.0, "done")
    return Result(
        layers=layers,
        summary=summary(day, ground, surfaces),
        tables=(building_table(city, surfaces, names),),
        issues=(*choices_made(inputs, params, day), *issues),
        assumptions=ASSUMPTIONS,
    )
