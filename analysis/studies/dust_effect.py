"""Whether an installed purifier worked: before and after, beside stations it does not reach."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.contract import Inputs, Reference, Result, analysis, layer_input
from analysis.dust import effect_outcome as outcome
from analysis.dust.before_after import Comparison, compared, units_of
from analysis.dust.declaration import SizeName
from analysis.dust.effect import WINDOW, Effect, effect
from analysis.dust.readings import readings_of
from analysis.params import Params, choice, quantity
from geo.model import Feedback, Issue, Layer

FEW_CONTROLS = 3

KUENSCH_1989 = Reference(
    "kuensch-1989",
    "H. R. Kuensch: The jackknife and the bootstrap for general stationary observations. Annals of Statistics 17, "
    "1989.",
    "10.1214/aos/1176347265",
)
IBRAGIMOV_MUELLER_2010 = Reference(
    "ibragimov-mueller-2010",
    "R. Ibragimov, U. K. Mueller: t-statistic based correlation and heterogeneity robust inference. Journal of "
    "Business & Economic Statistics 28, 2010.",
    "10.1198/jbes.2009.08046",
)
ABADIE_2010 = Reference(
    "abadie-2010",
    "A. Abadie, A. Diamond, J. Hainmueller: Synthetic control methods for comparative case studies. Journal of the "
    "American Statistical Association 105, 2010.",
    "10.1198/jasa.2009.ap08746",
)

# The translations count these from 0 (``dust.effect.assumption.0``): keep the order.
ASSUMPTIONS = (
    "Effect: the change at the station beside the unit, less the mean change of the control stations. Weather, season "
    "and the air from far away are taken to change all of them alike.",
    "Hours in which one of the stations did not measure are left out at all of them: a changing set of stations would "
    "look like an effect.",
    "The interval of 95 % is the widest of four: days drawn at random, long spells, changes at earlier dates, and "
    "changes of the control stations against each other.",
    "Detectable is what would be found in eight of ten cases; an effect that is not seen is not shown to be absent.",
    "What else changed near the station at the same time (traffic, works, a moved inlet, a serviced instrument) cannot "
    "be told from the unit's effect.",
    "A station tells of its own place only: how far the effect reaches is for the model to say.",
)


class EffectParams(Params):
    """Which stations, which day, and what was promised."""

    size_class: SizeName = choice("Particles", default="pm10")
    treated: str = choice(
        "Station beside the unit", default="", help="Its name in the table. Empty: the nearest to a purifier that runs."
    )
    controls: str = choice(
        "Control stations",
        default="",
        help="Names separated by ';': three or more, upwind or well away. Empty: those that went along best before.",
    )
    since: str = choice(
        "Day the unit began", default="", help="Such as 2024-03-15. Empty: as the purifier says (runs_since)."
    )
    pause: int = quantity(
        "Days left out from then on", "d", default=1, ge=0, le=60, help="Installing and trying belong to neither side."
    )
    window: int = quantity(
        "Days compared on each side",
        "d",
        default=WINDOW,
        ge=0,
        le=730,
        help="0: all. Longer ones bring more drift than certainty, unless they hold whole years.",
    )
    first_hour: int = quantity("From this hour", "h", default=0, ge=0, le=23, help="For a unit that runs by day only.")
    last_hour: int = quantity("To this hour", "h", default=24, ge=1, le=24)
    predicted: float = quantity(
        "Change that was predicted",
        "ug/m3",
        default=0.0,
        ge=-500.0,
        le=500.0,
        help="Below zero: cleaner. 0: from the map of a siting result if one is given, else none.",
    )


@dataclass(frozen=True)
class EffectInputs(Inputs):
    """Measurements, where their stations and the unit stand, and what the model promised."""

    measurements: tuple[Layer, ...] = layer_input("Measurements of dust", kind="table", theme="sensor", many=True)
    stations: tuple[Layer, ...] = layer_input(
        "Air quality stations", kind="points", theme="sensor", many=True, optional=True
    )
    purifiers: tuple[Layer, ...] = layer_input("Purifiers", kind="points", theme="purifier", many=True, optional=True)
    prediction: Layer | None = layer_input(
        "Map of the predicted reduction", kind="grid", theme="result", optional=True, named=True
    )


@analysis(
    id="dust.effect",
    title="Effect of a purifier, as measured",
    description=(
        "Did it work? Dust before and after a unit began at the station beside it and at stations it does not reach: "
        "first what such measurements could see at all, then the change with its interval, beside what was predicted."
    ),
    version=1,
    inputs=EffectInputs,
    params=EffectParams,
    references=(ABADIE_2010, IBRAGIMOV_MUELLER_2010, KUENSCH_1989),
    headline=("size_class", "since"),
)
def dust_effect(inputs: EffectInputs, params: EffectParams, feedback: Feedback) -> Result:
    """Choose stations and days, and compare."""
    issues: list[Issue] = []
    feedback.step(0.0, "reading the measurements")
    readings = readings_of(inputs.measurements, params.size_class, issues)
    readings = outcome.of_the_day(readings, params.first_hour, params.last_hour, issues)
    feedback.step(0.4, "choosing stations and days")
    chosen = compared(
        readings, inputs.stations, units_of(inputs.purifiers, issues), issues,
        treated=params.treated, controls=params.controls, since=params.since, pause=params.pause, window=params.window,
    )  # fmt: skip
    feedback.step(0.6, "comparing before and after")
    found = _effect(chosen, params.window, issues)
    predicted = outcome.predicted_change(params.predicted, inputs.prediction, chosen, issues)
    issues += _doubts(found, chosen, predicted)
    feedback.step(0.9, "tables and charts")
    layer = outcome.station_layer(chosen, params.window)
    return Result(
        layers=() if layer is None else (layer,),
        summary=outcome.summary(found, chosen, predicted),
        tables=outcome.tables(found, chosen, params.window),
        charts=outcome.charts(found, chosen, params.window, predicted),
        issues=(*outcome.plainly(found), *issues),
        assumptions=ASSUMPTIONS,
    )


def _effect(chosen: Comparison, window: int, issues: list[Issue]) -> Effect:
    used, value = chosen.used, chosen.readings.value
    return effect(
        value[used, chosen.treated], value[used][:, chosen.controls], chosen.readings.day[used], chosen.after[used],
        issues, window=window,
    )  # fmt: skip


def _doubts(found: Effect, chosen: Comparison, predicted: float | None) -> list[Issue]:
    issues = []
    if len(chosen.controls) < FEW_CONTROLS and len(found.earlier) < FEW_CONTROLS:
        message = (
            f"{len(chosen.controls)} control stations and a short time before say little about how stations drift by "
            "themselves: in Seoul an effect was found so at one of eight dates at which nothing was installed."
        )
        issues.append(Issue("dust.effect.few_controls", message, "doubt", len(chosen.controls)))
    if predicted is not None and abs(predicted) < found.detectable:
        message = (
            f"The change predicted ({predicted:+.3g} ug/m3) is smaller than what these measurements can see "
            f"({found.detectable:.3g} ug/m3): that it is not found proves nothing."
        )
        values = {"predicted": f"{predicted:+.3g}", "detectable": f"{found.detectable:.3g}"}
        issues.append(Issue("dust.effect.below_detectable", message, "doubt", values=values))
    if predicted is not None and not found.agrees_with(predicted):
        message = (
            f"The change predicted ({predicted:+.3g} ug/m3) lies outside the interval of what was measured "
            f"({found.low:+.3g} to {found.high:+.3g} ug/m3)."
        )
        values = {"predicted": f"{predicted:+.3g}", "low": f"{found.low:+.3g}", "high": f"{found.high:+.3g}"}
        issues.append(Issue("dust.effect.disagrees", message, "doubt", values=values))
    return issues
