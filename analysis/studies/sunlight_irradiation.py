"""What sun and sky bring to ground, facades and roofs in a year, and what modules could make of it."""

from __future__ import annotations

from analysis.contract import Reference, Result, analysis
from analysis.irradiation.declaration import IrradiationInputs, IrradiationParams
from analysis.studies.sunlight_hours import REDA_ANDREAS_2004, WALD_2014
from geo.model import Feedback, Issue, UserError

PEREZ_1990 = Reference(
    "perez-1990",
    "R. Perez, P. Ineichen, R. Seals, J. Michalsky, R. Stewart: Modeling daylight availability and irradiance "
    "components from direct and global irradiance. Solar Energy 44(5), 1990.",
    "10.1016/0038-092X(90)90055-H",
)
TREGENZA_1987 = Reference(
    "tregenza-1987",
    "P. R. Tregenza: Subdivision of the sky hemisphere for luminance measurements. Lighting Research and Technology "
    "19(1), 1987.",
    "10.1177/096032718701900103",
)
LINDBERG_GRIMMOND_2011 = Reference(
    "lindberg-grimmond-2011",
    "F. Lindberg, C. S. B. Grimmond: The influence of vegetation and building morphology on shadow patterns and mean "
    "radiant temperatures in urban areas. Theoretical and Applied Climatology 105, 2011.",
    "10.1007/s00704-010-0382-8",
)


@analysis(
    id="sunlight.irradiation",
    title="Irradiation and solar power",
    description=(
        "What sun and sky bring to every roof and facade by month and year, from hourly weather, and what photovoltaic "
        "modules could make of it."
    ),
    version=1,
    inputs=IrradiationInputs,
    params=IrradiationParams,
    references=(PEREZ_1990, TREGENZA_1987, REDA_ANDREAS_2004, LINDBERG_GRIMMOND_2011, WALD_2014),
    headline=("direct", "patches"),
)
def sunlight_irradiation(inputs: IrradiationInputs, params: IrradiationParams, feedback: Feedback) -> Result:
    """Trace the sun and the sky of a year over a city."""
    from analysis.irradiation.exposed import exposed
    from analysis.irradiation.modules import modules
    from analysis.irradiation.outcome import ASSUMPTIONS, Outcome, month_chart, result_layers, summary, tables
    from analysis.irradiation.sky import year_sky
    from analysis.irradiation.weather import check_height, hours_of
    from analysis.sunlight.city import city_of
    from analysis.sunlight.outcome import element_names

    _check(inputs, params)
    issues: list[Issue] = []
    feedback.step(0.0, "reading the weather")
    hours = hours_of(inputs.weather, inputs.station, inputs.frame, params.sun_clock, issues)
    feedback.step(0.03, "positions of the sun")
    division = 1 if params.patches == "145" else 2
    year = year_sky(hours, inputs.frame, issues, division=division, exact=params.direct == "exact")
    city = city_of(inputs, params, issues, feedback.part(0.05, 0.12))
    check_height(hours.station, inputs.frame.origin[2] + float(city.occluder.centre[2]), issues)
    found = exposed(city, year, params, issues, feedback.part(0.12, 0.97))
    names = element_names(city)
    yields = modules(found, params, len(names.unique))
    outcome = Outcome(inputs.frame, hours, year, found, yields, names)
    issues.append(
        Issue("irradiation.pv_unverified", "Usable share and performance ratio are usual values, not measured here.")
    )
    feedback.step(0.98, "writing the results")
    layers = result_layers(outcome)
    feedback.step(1.0, "done")
    return Result(
        layers=layers,
        summary=summary(outcome),
        tables=tables(outcome, params.best),
        charts=(month_chart(outcome),),
        issues=tuple(issues),
        assumptions=ASSUMPTIONS,
    )


def _check(inputs: IrradiationInputs, params: IrradiationParams) -> None:
    """Refuse to look at nothing."""
    if inputs.terrain is None and not inputs.blockers and not inputs.relief:
        raise UserError(
            "There is nothing the sun could fall on.",
            "The project has neither a terrain nor buildings.",
            "Import a terrain or buildings first.",
            code="sunlight.nothing",
        )
    if not params.ground and not (params.facades and inputs.blockers):
        raise UserError(
            "There is nothing to look at.",
            "The ground is switched off, and there are no facades and roofs, or they are switched off too.",
            "Switch the ground or the facades on.",
            code="irradiation.nothing_asked",
        )
