"""Comfort and danger of the wind over the year: all directions of the rose, judged by published schemes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from analysis.contract import Reference, Result, analysis, layer_input
from analysis.params import choice, quantity, switch
from analysis.studies.wind_field import ITERATIONS, LAUNDER_SPALDING_1974, TOMINAGA_2008, Thoroughness
from analysis.wind import climate, comfort
from analysis.wind import comfort_outcome as outcome
from analysis.wind.comfort_places import place_layer, places_of
from analysis.wind.declaration import ClimateInputs, Exposure, TunnelParams
from analysis.wind.geometry import EXPOSURE_ROUGHNESS, build_tunnel
from analysis.wind.honesty import CHECKED
from analysis.wind.sectors import (
    REFERENCE_HEIGHT,
    Ground,
    SectorMap,
    Seen,
    Task,
    run_sectors,
    scalar_reference,
)
from analysis.wind.transfer import power_factor
from geo.model import Feedback, Issue, Layer, UserError

Floats = NDArray[np.float64]

SchemeName = Literal[
    "nen8100", "lawson2001", "lawson_lddc", "lawson_tvl", "city_of_london2019", "davenport", "murakami"
]
Season = Literal["year", "spring", "summer", "autumn", "winter"]
MONTHS: dict[str, tuple[int, ...]] = {
    "year": (), "spring": (3, 4, 5), "summer": (6, 7, 8), "autumn": (9, 10, 11), "winter": (12, 1, 2),
}  # fmt: skip
AT_ONCE = 20_000  # cells judged between two looks at the clock
FEWEST_GOOD = 12  # sectors (NEN 8100)

NEN_8100 = Reference("nen-8100", "NEN 8100:2006 Wind comfort and wind danger in the built environment.")
LAWSON_2001 = Reference("lawson-2001", "T. V. Lawson: Building Aerodynamics. Imperial College Press, 2001.")
MURAKAMI_1986 = Reference(
    "murakami-1986",
    "S. Murakami, Y. Iwasa, Y. Morikawa: Study on acceptable criteria for assessing wind environment at ground level "
    "based on residents' diaries. J. Wind Engineering and Industrial Aerodynamics 24, 1986.",
    "10.1016/0167-6105(86)90069-3",
)
KDS_41_12 = Reference("kds-41-12-00", "KDS 41 12 00:2022 건축물 설계하중 (지표면조도구분).")

# The translations count these from 0 (``wind.comfort.assumption.0``): keep the order.
ASSUMPTIONS = (
    "Every direction is a steady, neutral flow (RANS, standard k-epsilon): no buoyancy, no cold air, no single gusts; "
    "gusts come from the turbulent energy.",
    "The wind of the station is carried over by power laws through the gradient height of KDS 41 12 00 to 60 m above "
    "the site; speeds are in proportion to it.",
    "Speed is what a probe without direction feels, sqrt(|U|2 + 4/3 k); the gust equivalent mean is "
    "(|U| + 3 sigma) / 1.85.",
    "Hours below 0.5 m/s are calm: they exceed no threshold, count nothing in the mean, and what the air does then "
    "(cold air, warm facades) is not in this study.",
    "Shares are of the known hours of the chosen months and hours of the day: 5 % of a year are 438 h.",
    "Worst direction: that which brings the most hours above 5 m/s. Weighted ratio: mean speed over that outside at "
    "10 m, by the frequency of the directions.",
    CHECKED,
    "Lee and courtyards are too calm, and wakes two to two and a half times too long: calm zones are calm, their "
    "numbers are not.",
    "Hatched: fewer than ten cells to the neighbouring building's height or across the gap: compare only; crossed: "
    "fewer than five, indicative only. The grid is the same for all directions, and so is the trust.",
    "Little wind is comfortable and badly ventilated: read the share of weakly ventilated ground beside the classes.",
)


class ComfortParams(TunnelParams):
    """Which wind, and how it is judged."""

    scheme: SchemeName = choice("Comfort scheme", default="nen8100", help="The map is coloured by it.")
    all_schemes: bool = switch("All other schemes too", default=False)
    sectors: int = quantity("Wind directions", "1", default=16, ge=8, le=36, help="Twelve are the least (NEN 8100).")
    season: Season = choice("Months", default="year")
    first_hour: int = quantity("From this hour", "h", default=0, ge=0, le=23, help="22 to 6 is the night.")
    last_hour: int = quantity("To this hour", "h", default=24, ge=1, le=24)
    statistics: Literal["weibull", "hours"] = choice(
        "Frequencies by", default="weibull", help="A Weibull distribution for each direction, or the hours themselves."
    )
    station_exposure: Exposure = choice(
        "Terrain category of the station", default="D", help="KDS 41 12 00; an airport is D."
    )
    height: float = quantity("Height of the map above ground", "m", default=1.75, ge=0.2, le=100.0)
    thoroughness: Thoroughness = choice(
        "How far each direction is calculated",
        default="usual",
        help="Preview: ranks only. Usual: most of what settling brings. Settled: until the map no longer changes.",
    )


@dataclass(frozen=True)
class ComfortInputs(ClimateInputs):
    """What stands in the wind, how it blows, and the places people are at."""

    places: tuple[Layer, ...] = layer_input(
        "Places to judge (benches, crossings, parks)",
        kind=("points", "mesh", "lines", "instances"),
        many=True,
        optional=True,
        named=True,
        hidden=True,
    )
    networks: tuple[Layer, ...] = layer_input(
        "Doors of walking networks", kind="points", theme="network", many=True, optional=True, hidden=True
    )


@analysis(
    id="wind.comfort",
    title="Wind comfort over the year",
    description=(
        "Where people on foot are comfortable in the wind, and where it is dangerous: every direction of the wind rose "
        "through the city, weighted by how often and how strongly it blows, judged by published schemes."
    ),
    version=1,
    inputs=ComfortInputs,
    params=ComfortParams,
    references=(NEN_8100, LAWSON_2001, MURAKAMI_1986, KDS_41_12, LAUNDER_SPALDING_1974, TOMINAGA_2008),
    headline=("season", "cell", "thoroughness"),
)
def wind_comfort(inputs: ComfortInputs, params: ComfortParams, feedback: Feedback) -> Result:
    """Calculate every direction and judge the year."""
    issues: list[Issue] = []
    feedback.step(0.0, "reading the weather")
    hours = _hours(inputs, params, issues)
    station = climate.rose_of(hours, params.sectors, issues)
    factor = power_factor(params.station_exposure, params.exposure, site_height=REFERENCE_HEIGHT)
    task = _task(inputs, params, station)
    feedback.step(0.01, "making the grid")
    blowing = task.grid_from[np.asarray(task.order)]
    built = build_tunnel(inputs, params, feedback.part(0.01, 0.06), wind_from=blowing)
    to_ten = _to_ten(task)
    show = _shown(feedback, params, to_ten)
    ground, maps = run_sectors(built, task, feedback.part(0.06, 0.93), seen=show)
    year = comfort.Year(station.scaled(factor), hours, factor=factor, by_hours=params.statistics == "hours")
    judged = _judged(params, maps, year, feedback.part(0.93, 0.98))
    petals = climate.speed_classes(hours, params.sectors, outcome.PETALS)
    found = outcome.Outcome(ground, maps, year.rose, station, factor, to_ten, judged, petals, params.height)
    feedback.step(0.98, "drawing the map")
    places = place_layer(places_of(inputs.places, inputs.networks, issues), found, inputs.frame, issues)
    tables = [outcome.class_table(found), outcome.sector_table(found)]
    return Result(
        layers=(*outcome.map_layers(found), *([] if places is None else [places])),
        summary=outcome.summary(found, task.roughness),
        tables=tuple(tables),
        charts=outcome.charts(found),
        issues=(*issues, *built.issues, *_doubts(params, maps, judged)),
        assumptions=ASSUMPTIONS,
    )


def _hours(inputs: ComfortInputs, params: ComfortParams, issues: list[Issue]) -> climate.WindHours:
    """The chosen hours of the weather."""
    layer = climate.weather_layer(inputs.weather)
    if layer is None:
        raise UserError(
            "There is no weather with wind.",
            "Comfort is a matter of how often the wind blows, and no layer says so.",
            "Import a weather file (EPW), or an hourly table of the KMA with speed and direction.",
            code="wind.comfort.no_weather",
        )
    hours = climate.hours_of(layer)
    all_day = params.first_hour == 0 and params.last_hour == 24
    lacks_months = params.season != "year" and not (hours.month > 0).any()
    if lacks_months or (not all_day and not (hours.hour > 0).any()):
        message = f"{layer.name} does not say months and hours: all of it was taken."
        issues.append(Issue("wind.comfort.no_times", message, "doubt", values={"layer": layer.name}))
    times = None if all_day else (params.first_hour, params.last_hour)
    return climate.season(hours, MONTHS[params.season], times)


def _task(inputs: ComfortInputs, params: ComfortParams, rose: climate.Rose) -> Task:
    return Task(
        grid_from=np.asarray(inputs.frame.grid_azimuth(rose.wind_from), dtype=np.float64),
        order=[int(number) for number in rose.strongest_first],
        roughness=EXPOSURE_ROUGHNESS[params.exposure],
        cell=params.cell,
        height=params.height,
        iterations=ITERATIONS[params.thoroughness],
    )


def _to_ten(task: Task) -> float:
    """Wind outside at the reference height over that at 10 m, as a probe feels them."""
    wind = task.wind(task.order[0])
    return scalar_reference(wind, REFERENCE_HEIGHT) / scalar_reference(wind, 10.0)


def _shown(feedback: Feedback, params: ComfortParams, to_ten: float) -> Seen:
    """Shows each direction as it ends."""

    def show(ground: Ground, item: SectorMap, _whole: bool) -> None:
        if feedback.wants_partial:
            name = climate.sector_name(item.number, params.sectors)
            feedback.partial(outcome.sector_layers(ground, item, to_ten=to_ten, height=params.height, name=name))

    return show


def _judged(
    params: ComfortParams, maps: tuple[SectorMap, ...], year: comfort.Year, feedback: Feedback
) -> tuple[tuple[comfort.Scheme, comfort.Assessment], ...]:
    """What the schemes say; the chosen one first."""
    names: list[str] = [params.scheme]
    if params.all_schemes:
        names += [name for name in comfort.schemes() if name != params.scheme]
    mean, sigma = outcome.all_sectors(maps, params.sectors)
    out = []
    count = mean.shape[1]
    for number, name in enumerate(names):
        parts = []
        for start in range(0, count, AT_ONCE):
            feedback.step((number + start / count) / len(names), "judging the year")
            some = slice(start, start + AT_ONCE)
            parts.append(comfort.assess(comfort.scheme(name), comfort.Ratios(mean[:, some], sigma[:, some]), year))
        joined = comfort.Assessment(*(np.concatenate(values) for values in zip(*parts, strict=True)))
        # The tail of a distribution goes on for ever; a hundredth of an hour of a year is nothing.
        judged = joined._replace(exceedance=np.round(joined.exceedance, 4))
        out.append((comfort.scheme(name), judged))
    return tuple(out)


def _doubts(
    params: ComfortParams,
    maps: tuple[SectorMap, ...],
    judged: tuple[tuple[comfort.Scheme, comfort.Assessment], ...],
) -> list[Issue]:
    issues = []
    unsettled = [item for item in maps if not item.settled]
    if unsettled:
        worst = max(item.change for item in unsettled)
        percent = round(100.0 * worst, 2) if np.isfinite(worst) else 100.0
        message = (
            f"{len(unsettled)} of {len(maps)} directions had not settled; the map of one was still changing by "
            f"{percent:g} % in 20 iterations (settled: 0.5 %)."
        )
        values = {"percent": percent, "directions": len(maps)}
        issues.append(Issue("wind.comfort.not_settled", message, "doubt", len(unsettled), values=values))
    if params.sectors < FEWEST_GOOD:
        message = f"{params.sectors} directions are few: NEN 8100 asks for twelve or more."
        issues.append(Issue("wind.comfort.few_sectors", message, "doubt", values={"sectors": params.sectors}))
    doubtful = [rule.title for rule, _ in judged if not rule.verified]
    if doubtful:
        message = f"Figures or names of these schemes were not checked against their source: {', '.join(doubtful)}."
        given = {"schemes": ", ".join(doubtful)}
        issues.append(Issue("wind.comfort.unverified", message, "doubt", len(doubtful), values=given))
    return issues
