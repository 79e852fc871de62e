"""How strong the sources of dust are, learned from measurements; stations left out say how far to trust it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from analysis.contract import Reference, Result, analysis
from analysis.dust import calibrate_outcome as outcome
from analysis.dust.calibrate import SENSOR_ERROR, calibrate
from analysis.dust.calibrating import Stations, breathed, check_places, next_sensor, stations_of, whole
from analysis.dust.declaration import MONTHS, DustInputs, DustParams
from analysis.dust.factors import factors_of
from analysis.dust.pairing import Paired, pair, wind_layer
from analysis.dust.posts import Sampling, sampling
from analysis.dust.readings import readings_of
from analysis.dust.reference import Rows, rows_of
from analysis.dust.run import Prepared, each_case, prepare
from analysis.dust.transfer import Mix, Seen, mix_of, seen_at
from analysis.params import choice, quantity, switch
from geo.model import Feedback, Issue

Floats = NDArray[np.float64]

# Nobody breathes in a calibration, and its air outside is that of its hours.
NOT_OF_INTEREST = ("dust.no_people", "dust.people_outside", "dust.background")

MENKE_2018 = Reference("menke-2018", "W. Menke: Geophysical Data Analysis. Elsevier, 2018.", "10.1016/C2016-0-05203-5")
HANNA_CHANG_2012 = Reference(
    "hanna-chang-2012",
    "S. Hanna, J. Chang: Acceptance criteria for urban dispersion model evaluation. Meteorology and Atmospheric "
    "Physics 116, 2012.",
    "10.1007/s00703-011-0177-1",
)
LAWSON_HANSON_1995 = Reference(
    "lawson-hanson-1995", "C. L. Lawson, R. J. Hanson: Solving Least Squares Problems. SIAM, 1995.",
    "10.1137/1.9781611971217",
)  # fmt: skip

# The translations count these from 0 (``dust.calibrate.assumption.0``): keep the order.
ASSUMPTIONS = (
    "Each group of sources has one factor for all hours: the rhythm of the day and of the week is not in it.",
    "The wind of each hour is mixed from steady winds of 16 directions, with a meander of 0.3 m/s; hours below 0.5 m/s "
    "blow evenly from everywhere and are indicative only.",
    "The air outside is what the reference station of the hour measured, less what the sources add there; what the "
    "hours have in common beyond that is the offset of the background.",
    "The model is taken to be wrong by 30 % of what it adds, hour by hour and independently; the standard error is the "
    "larger of what follows from that and of what leaving out stations one by one shows; what the stations do not "
    "decide is as unknown as before, 100 %.",
    "Scores are of stations that were left out one at a time; a reference station of an hour is not scored in it.",
    "Good scores prove the map, not the strengths: a group whose resolution is below 0.5 stays near what was assumed, "
    "whatever the scores are.",
    "Limits: |FB| <= 0.67, NMSE <= 6, FAC2 >= 0.30, for dispersion in cities.",
    "Where a further sensor would teach most is a hint: it counts what the model can see, and an error that all places "
    "share is not in it.",
)


class CalibrateParams(DustParams):
    """Which hours, what the air outside is, and how well sensors measure."""

    background_from: Literal["upwind", "lowest", "given"] = choice(
        "Air outside from",
        default="upwind",
        help="The station of each hour that the sources add least to, or that measured least, or the background given.",
    )
    background_stations: str = choice(
        "Background stations", default="", help="Names separated by ';'. Where given, their mean is the air outside."
    )
    sensor_error: float = quantity(
        "Error of a sensor",
        "ug/m3",
        default=SENSOR_ERROR,
        ge=0.1,
        le=50.0,
        help="Of one value of an hour: about 2 for a reference monitor, 5 to 10 for light-scattering sensors.",
    )
    other_year: bool = switch(
        "Weather of another year may stand in",
        default=False,
        help="A typical year does not say how the wind blew in a measured hour: for trying things out only.",
    )
    hint: bool = switch("Map of where a further sensor would teach most", default=True)


@analysis(
    id="dust.calibrate",
    title="Calibration of dust sources",
    description=(
        "How strong the sources of dust are, from measurements beside the wind of the same hours: a factor for each "
        "group with its error, whether the stations can tell it at all, scores of stations that were left out, and "
        "where a further sensor would teach most."
    ),
    version=1,
    inputs=DustInputs,
    params=CalibrateParams,
    references=(MENKE_2018, HANNA_CHANG_2012, LAWSON_HANSON_1995),
    headline=("size_class", "season", "cell"),
)
def dust_calibrate(inputs: DustInputs, params: CalibrateParams, feedback: Feedback) -> Result:
    """Pair measurements with winds, calculate what the groups add, and fit."""
    issues: list[Issue] = []
    feedback.step(0.0, "reading the measurements")
    stations, paired = _paired(inputs, params, issues)
    check_places(inputs, params, stations, feedback.part(0.01, 0.02))
    prepared = prepare(_of_these_hours(inputs, paired), _all_hours(params), feedback.part(0.02, 0.6))
    issues += [issue for issue in prepared.issues if not issue.code.startswith(NOT_OF_INTEREST)]
    posts = stations.posts
    looked, inside = sampling(posts, prepared.winds.tunnel, params.height, issues)
    mix = mix_of(paired, prepared.cases, factor=prepared.winds.factor)
    seen, maps = _calculated(prepared, params, looked, feedback.part(0.6, 0.9))
    every = [whole(one, inside, len(posts.name)) for one in seen]
    rows = _rows(paired, stations, mix, every, params, issues)
    feedback.step(0.9, "fitting the strengths")
    answer = calibrate(rows.measured, issues, sensor_error=params.sensor_error)
    found = outcome.Found(
        answer, rows, paired.readings, posts, prepared.groups, _given(inputs, params, prepared),
        np.array([1e-6 * float(one.strength.sum()) for one in prepared.emissions]),
    )  # fmt: skip
    layers = [layer for layer in (outcome.station_layer(found),) if layer is not None]
    if maps:
        tunnel = prepared.winds.tunnel
        gain, error = next_sensor(maps, mix, answer, params.sensor_error, feedback.part(0.92, 1.0))
        layers.append(outcome.next_sensor_layer(gain, error, tunnel, params.cell, params.height))
    feedback.step(1.0, "done")
    return Result(
        layers=tuple(layers),
        summary=outcome.summary(found),
        tables=outcome.tables(found),
        charts=outcome.charts(found),
        issues=(*outcome.plainly(found), *issues),
        assumptions=ASSUMPTIONS,
    )


def _paired(inputs: DustInputs, params: CalibrateParams, issues: list[Issue]) -> tuple[Stations, Paired]:
    """Stations and the hours that have both dust and wind."""
    readings = readings_of(inputs.measurements, params.size_class, issues)
    stations = stations_of(inputs, readings, params.background_stations, issues)
    layer = wind_layer(inputs.weather, inputs.measurements, stations.readings, issues)
    times = None if (params.first_hour, params.last_hour) == (0, 24) else (params.first_hour, params.last_hour)
    paired = pair(
        stations.readings, layer, issues, other_year=params.other_year, months=MONTHS[params.season], times=times
    )
    return stations, paired


def _of_these_hours(inputs: DustInputs, paired: Paired) -> DustInputs:
    """The same city with the wind of the measured hours alone."""
    return replace(inputs, weather=(paired.weather(),), measurements=())


def _all_hours(params: CalibrateParams) -> CalibrateParams:
    """Hours were chosen when they were paired."""
    return params.model_copy(update={"season": "year", "first_hour": 0, "last_hour": 24})


def _calculated(
    prepared: Prepared, params: CalibrateParams, looked: Sampling, feedback: Feedback
) -> tuple[list[Seen], list[Floats]]:
    """What the stations see of each case in the order of the cases, and the maps a further sensor is judged by."""
    order = {case: number for number, case in enumerate(prepared.cases)}
    found: list[tuple[int, Seen, Floats | None]] = []
    for fields in each_case(prepared, feedback):
        map_of = breathed(fields, prepared, params.height) if params.hint else None
        found.append((order[fields.case], seen_at(fields, looked), map_of))
    found.sort(key=lambda one: one[0])
    return [seen for _, seen, _ in found], [one for _, _, one in found if one is not None]


def _rows(
    paired: Paired, stations: Stations, mix: Mix, seen: Sequence[Seen], params: CalibrateParams, issues: list[Issue]
) -> Rows:
    value = np.where(mix.known[:, None], paired.readings.value, np.nan)
    lost = int((~mix.known).sum())
    if lost:
        message = f"{lost} of {len(mix.known)} times were left out: their winds blow from directions not calculated."
        issues.append(Issue("dust.calibrate.other_winds", message, "doubt", lost, values={"times": len(mix.known)}))
    return rows_of(
        value, mix.parts(seen), mix.shares(seen), issues, origin=params.background_from, given=params.background,
        named=stations.named,
    )  # fmt: skip


def _given(inputs: DustInputs, params: CalibrateParams, prepared: Prepared) -> Floats:
    """(groups,) factors that the strengths were already taken times."""
    given = factors_of(params.factors, inputs.calibration)
    return np.array([given.get(group, 1.0) for group in prepared.groups])
