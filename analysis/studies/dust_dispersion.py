"""Fine dust in the city: what comes in with the wind, what roads and sites add, and who breathes it."""

from __future__ import annotations

from typing import Literal

import numpy as np

from analysis.contract import Reference, Result, analysis
from analysis.dust import outcome, outcome_tables, rules
from analysis.dust.borders import WHOLE
from analysis.dust.declaration import DustInputs, DustParams
from analysis.dust.homes import streets_of
from analysis.dust.outcome import Dust, Row, row_of
from analysis.dust.run import CaseFields, Prepared, each_case, prepare
from analysis.params import choice, switch
from analysis.wind.sectors import ground_of
from geo.model import Feedback, Issue
from resources import load_json

Band = Literal["strongest", "all", "none"]

AP_42_ROADS = Reference("ap-42-13.2.1", "US EPA: AP-42, section 13.2.1, Paved Roads (January 2011).")
AP_42_SITES = Reference("ap-42-13.2.3", "US EPA: AP-42, section 13.2.3, Heavy Construction Operations (1995).")
FROMM_1968 = Reference(
    "fromm-1968",
    "J. E. Fromm: A method for reducing dispersion in convective difference schemes. J. Computational Physics 3, 1968.",
    "10.1016/0021-9991(68)90015-6",
)
VAN_DER_VORST_1992 = Reference(
    "van-der-vorst-1992",
    "H. A. van der Vorst: Bi-CGSTAB: A fast and smoothly converging variant of Bi-CG for the solution of nonsymmetric "
    "linear systems. SIAM J. Scientific and Statistical Computing 13, 1992.",
    "10.1137/0913035",
)
TOMINAGA_2007 = Reference(
    "tominaga-2007",
    "Y. Tominaga, T. Stathopoulos: Turbulent Schmidt numbers for CFD analysis with various types of flowfield. "
    "Atmospheric Environment 41, 2007.",
    "10.1016/j.atmosenv.2007.06.054",
)
ZHANG_2001 = Reference(
    "zhang-2001",
    "L. Zhang, S. Gong, J. Padro, L. Barrie: A size-segregated particle dry deposition scheme for an atmospheric "
    "aerosol module. Atmospheric Environment 35, 2001.",
    "10.1016/S1352-2310(00)00326-5",
)

# The translations count these from 0 (``dust.dispersion.assumption.0``): keep the order.
ASSUMPTIONS = (
    "Steady winds without buoyancy, one for each direction, carry the dust; a mean over the hours is the sum over "
    "directions and speeds by how often they blow.",
    "Each direction blows at its harmonic mean speed unless bands of speed are asked for: exact for dust that does not "
    "settle, and within a few percent for fine dust.",
    "In calm hours (below 0.5 m/s) a slow wind from all sides stands for what nobody knows: their part is indicative.",
    "Roads: dust whirled up from the carriageway by AP-42 only. Exhaust, brakes and tyres are not in it: state a "
    "strength where you know them.",
    "Emissions do not change with the hour or the wind; rain and wet roads are not in the model.",
    "Dust is carried, mixed, settles and is deposited on the ground and on leaves; walls take nothing, and nothing "
    "reacts.",
    "Mixing is the eddy viscosity over a turbulent Schmidt number; published numbers differ by a factor of six, and "
    "the band of 0.5 to 1.0 is told with the increment.",
    "People inside a building breathe the air of the nearest open ground; indoor air is not calculated. Around the "
    "study area cells grow: people and places there are counted, more roughly.",
    "Grades of the index are meant for means of a day; here they sort the mean over the chosen hours.",
    "Courtyards and lee sides are too calm in the wind field: levels there are not to be quoted. Hatched: fewer than "
    "ten cells to the neighbouring building's height or across the gap; crossed: fewer than five, indicative only.",
)


class DispersionParams(DustParams):
    """The dust map."""

    band: Band = choice(
        "Band of the Schmidt number",
        default="strongest",
        help="0.5 and 1.0 calculated too: in the wind that blows most, in all winds, or not.",
    )
    streets: bool = switch("Table of streets", default=True)
    space: bool = switch("In space too", default=True)


@analysis(
    id="dust.dispersion",
    title="Fine dust in the city",
    description=(
        "Where fine dust comes from and who breathes it: traffic, building sites and the air from outside, carried by "
        "the winds of the year or by one wind through the streets."
    ),
    version=1,
    inputs=DustInputs,
    params=DispersionParams,
    references=(AP_42_ROADS, AP_42_SITES, FROMM_1968, VAN_DER_VORST_1992, TOMINAGA_2007, ZHANG_2001),
    headline=("size_class", "season", "directions", "cell", "thoroughness"),
)
def dust_dispersion(inputs: DustInputs, params: DispersionParams, feedback: Feedback) -> Result:
    """Calculate the dust of all winds and weigh it by how often they blow."""
    prepared = prepare(inputs, params, feedback.part(0.0, 0.7))
    issues = list(prepared.issues)
    found = _mean(prepared, params, feedback.part(0.7, 0.9))
    found = found._replace(band=_band(prepared, params, found, feedback.part(0.9, 0.97)))
    feedback.step(0.97, "drawing the map")
    streets = streets_of(inputs.roads) if params.streets else ()
    spots = outcome_tables.spots_of(found, (*prepared.places, *streets), issues)
    layers = [outcome.map_layer(found)]
    if params.space:
        layers.append(outcome.space_layer(found, params.cell))
    layers += outcome_tables.place_layers(found, spots, inputs.frame)
    tables = (
        outcome_tables.source_table(found),
        outcome_tables.group_table(found, spots),
        outcome_tables.grade_table(found),
        outcome_tables.case_table(found),
        *outcome_tables.place_tables(found, spots),
    )
    return Result(
        layers=tuple(layers),
        summary=outcome.summary(found),
        tables=tables,
        charts=outcome_tables.charts(found, spots),
        issues=(*issues, *_doubts(params, found)),
        assumptions=ASSUMPTIONS,
    )


def _mean(prepared: Prepared, params: DispersionParams, feedback: Feedback) -> Dust:
    """Weighted with how often the winds blow; shown as it grows."""
    share = np.zeros(prepared.shape)
    parts = [np.zeros(prepared.shape) for _ in prepared.emissions]
    rows: list[Row] = []
    tunnel = prepared.winds.tunnel
    ground = ground_of(tunnel, params.cell)
    cells = outcome.open_breathing_cells(tunnel, params.height)
    done = 0.0
    for fields in each_case(prepared, feedback):
        _add(fields, share, parts)
        rows.append(row_of(prepared, fields))
        done += fields.case.share
        if feedback.wants_partial:
            so_far = Dust(
                prepared, share / done, tuple(part / done for part in parts), tuple(rows), ground, cells, params.height
            )
            feedback.partial([outcome.map_layer(so_far)])
    return Dust(prepared, share, tuple(parts), tuple(rows), ground, cells, params.height)


def _add(fields: CaseFields, share: outcome.Floats, parts: list[outcome.Floats]) -> None:
    share += fields.case.share * fields.share.values
    for mean, part in zip(parts, fields.parts, strict=True):
        mean += fields.case.share * part.values


def _band(prepared: Prepared, params: DispersionParams, found: Dust, feedback: Feedback) -> tuple[float, float]:
    """Factors on the city's own increment of the exposure at the ends of the band of the Schmidt number."""
    if params.band == "none":
        return (1.0, 1.0)
    rule = load_json(rules.RULES)["mixing"]
    cases = prepared.cases if params.band == "all" else prepared.cases[:1]
    usual = sum(row.case.share * sum(row.parts) for row in found.rows if row.case in cases)
    if usual <= 0.0:
        return (1.0, 1.0)
    factors = []
    for number, schmidt in enumerate((rule["schmidt_low"], rule["schmidt_high"])):
        other, own = prepared.with_schmidt(float(schmidt)), 0.0
        part = feedback.part(number / 2, (number + 1) / 2)
        for fields in each_case(other, part, cases=cases):
            own += fields.case.share * sum(row_of(other, fields).parts)
        factors.append(own / usual)
    return (factors[0], factors[1])


def _doubts(params: DispersionParams, found: Dust) -> list[Issue]:
    issues = []
    if params.directions == "one":
        message = "One wind only: what lies downwind changes with the wind, so this is no mean and no basis for sites."
        issues.append(Issue("dust.one_wind", message, "doubt"))
    worst = max((abs(row.missing) for row in found.rows), default=0.0)
    if worst > WHOLE:
        message = f"{100 * worst:.2g} % of the dust is not accounted for in one wind."
        issues.append(Issue("dust.balance", message, "error", values={"percent": float(f"{100 * worst:.2g}")}))
    if params.band == "strongest" and len(found.rows) > 1:
        message = "The band of the Schmidt number was calculated in the wind that blows most, and taken for all."
        issues.append(Issue("dust.band_of_one", message, "note"))
    if parts := rules.unverified():
        message = f"Figures of these rules were not checked against their source: {', '.join(parts)}."
        issues.append(Issue("dust.unverified", message, "doubt", len(parts), values={"parts": ", ".join(parts)}))
    return issues
