"""Hours of direct sun on the ground, the facades and the roofs, on one day or over many."""

from __future__ import annotations

from analysis.contract import Reference, Result, analysis
from analysis.sunlight.city import city_of
from analysis.sunlight.day import Day, DaySun, clock_offset, sun_of_day
from analysis.sunlight.declaration import HoursInputs, SunlightParams
from analysis.sunlight.more import more_of_day, more_of_period
from analysis.sunlight.outcome import (
    ASSUMPTIONS,
    building_table,
    choices_at,
    choices_made,
    element_names,
    result_layers,
    summary,
)
from analysis.sunlight.period import Days, days_of, one_day_trace, period_trace
from analysis.sunlight.period_outcome import as_days, period_chart, period_issues, period_layers, period_summary
from analysis.sunlight.seen import look, time_of
from analysis.sunlight.surfaces import Surface
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

LINDBERG_2018 = Reference(
    "lindberg-2018",
    "F. Lindberg et al.: Urban Multi-scale Environmental Predictor (UMEP). Environmental Modelling & Software 99, 2018 "
    "(light through crowns).",
    "10.1016/j.envsoft.2017.09.020",
)


@analysis(
    id="sunlight.hours",
    title="Hours of direct sun",
    description=(
        "Hours of direct sun and the longest unbroken run, on one day or over many, on the ground, on every facade and "
        "roof and on any surface named, and the sunlit share of open spaces and schoolyards."
    ),
    version=1,
    inputs=HoursInputs,
    params=SunlightParams,
    references=(REDA_ANDREAS_2004, WALD_2014, LINDBERG_2018),
    headline=("day", "period", "step"),
)
def sunlight_hours(inputs: HoursInputs, params: SunlightParams, feedback: Feedback) -> Result:
    """Trace the sun of one day, or of many, over a city."""
    if inputs.terrain is None and not inputs.blockers and not inputs.relief:
        raise UserError(
            "There is nothing the sun could fall on.",
            "The project has neither a terrain nor buildings.",
            "Import a terrain or buildings first.",
            code="sunlight.nothing",
        )
    feedback.step(0.0, "positions of the sun")
    if params.period == "day":
        return _on_one_day(inputs, params, sun_of_day(inputs.frame, params), feedback)
    return _over_days(inputs, params, days_of(inputs.frame, params), feedback)


def _on_one_day(inputs: HoursInputs, params: SunlightParams, day: Day, feedback: Feedback) -> Result:
    issues: list[Issue] = []
    city = city_of(inputs, params, issues, feedback.part(0.02, 0.15))
    time = time_of(city, inputs, params, issues, feedback.part(0.15, 0.16))
    trace = one_day_trace(time, DaySun(params.day, day.towards_sun, day.instants.weights))
    seen = look(city, inputs, params, trace, issues, feedback.part(0.16, 0.97))
    surfaces = {name: Surface(cells, hours) for name, (cells, hours) in seen.surfaces.items()}
    names = element_names(city)
    more = more_of_day(inputs, params, seen, day)
    feedback.step(1.0, "done")
    return Result(
        layers=(*result_layers(seen.ground, surfaces, names, day), *more.layers),
        summary={**summary(day, seen.ground, surfaces), **more.summary},
        tables=(building_table(city, surfaces, names), *more.tables),
        issues=(*choices_made(inputs, params, day), *issues, *more.issues),
        assumptions=ASSUMPTIONS,
    )


def _over_days(inputs: HoursInputs, params: SunlightParams, days: Days, feedback: Feedback) -> Result:
    issues: list[Issue] = []
    city = city_of(inputs, params, issues, feedback.part(0.02, 0.1))
    time = time_of(city, inputs, params, issues, feedback.part(0.1, 0.11))
    seen = look(city, inputs, params, period_trace(time, days.suns), issues, feedback.part(0.11, 0.97))
    names = element_names(city)
    more = more_of_period(params, seen, days)
    feedback.step(1.0, "done")
    made = [*choices_at(inputs, params, clock_offset(inputs.frame, params)), *period_issues(days)]
    return Result(
        layers=(*period_layers(seen.ground, seen.surfaces, names, days), *more.layers),
        summary={**period_summary(seen.ground, seen.surfaces, days), **more.summary},
        tables=(building_table(city, as_days(seen.surfaces), names), *more.tables),
        charts=period_chart(seen.ground, seen.surfaces, days),
        issues=(*made, *issues, *more.issues),
        assumptions=ASSUMPTIONS,
    )
