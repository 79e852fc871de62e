"""Shadow at an instant, over the hours of chosen days, and what a new project adds to it."""

from __future__ import annotations

from analysis.contract import Reference, Result, analysis
from analysis.studies.sunlight_hours import REDA_ANDREAS_2004, WALD_2014
from analysis.sunlight_shadow.declaration import ShadowInputs, ShadowParams
from analysis.sunlight_shadow.moments import moments_of
from analysis.sunlight_shadow.outcome import (
    ASSUMPTIONS,
    Found,
    area_chart,
    choices_made,
    ground_layer,
    instant_table,
    place_table,
    roof_table,
    summary,
    surface_layer,
)
from analysis.sunlight_shadow.outlines import outline_layer, outlines_of
from analysis.sunlight_shadow.places import places_of
from analysis.sunlight_shadow.targets import look
from analysis.sunlight_shadow.trace import trace
from geo.model import Feedback, Issue, UserError

BRE_209 = Reference(
    "bre-209-2022",
    "P. Littlefair et al.: Site layout planning for daylight and sunlight, BR 209, 3rd ed. BRE 2022 (overshadowing of "
    "open spaces by comparison of before and after).",
)


@analysis(
    id="sunlight.shadow",
    title="Shadow and new shadow",
    description=(
        "Shadow on ground, facades and roofs at each hour of the solstices, equinoxes or any day, how long each place "
        "lies in it, and what a new project adds for open spaces, schools and roofs."
    ),
    version=1,
    inputs=ShadowInputs,
    params=ShadowParams,
    references=(BRE_209, REDA_ANDREAS_2004, WALD_2014),
    headline=("days", "interval"),
)
def sunlight_shadow(inputs: ShadowInputs, params: ShadowParams, feedback: Feedback) -> Result:
    """Trace the shadows of a city."""
    if not (inputs.blockers or inputs.proposal):
        raise UserError(
            "There is nothing that could cast a shadow.",
            "The project has no buildings or other obstacles that are shown.",
            "Import buildings first, or show them.",
            code="sunlight.shadow.nothing",
        )
    if not (params.ground or params.facades):
        raise UserError(
            "Neither the ground nor the facades are to be looked at.",
            "Both are switched off.",
            "Switch one of them on.",
            code="sunlight.shadow.no_target",
        )
    issues: list[Issue] = []
    feedback.step(0.0, "positions of the sun")
    moments = moments_of(inputs.frame, params, issues)
    looked = look(inputs, params, issues, feedback.part(0.02, 0.2))
    compared = looked.obstacles.before is not None
    found: dict[str, Found] = {}
    if looked.ground is not None:
        targets = looked.ground_targets()
        found["ground"] = (targets, trace(targets, looked.obstacles, moments, feedback.part(0.2, 0.5)))
    for number, name in enumerate(looked.surfaces):
        targets = looked.surface_targets(name)
        share = feedback.part(0.5 + 0.2 * number, 0.7 + 0.2 * number)
        found[name] = (targets, trace(targets, looked.obstacles, moments, share))
    members = places_of(inputs, params, looked, issues, feedback.part(0.9, 0.93))
    outlines = outline_layer(outlines_of(looked, params, moments, issues, feedback.part(0.93, 0.99)), looked)
    layers = []
    for name, cells in looked.surfaces.items():
        if len(cells.area):
            layers.append(surface_layer(name, cells, found[name], looked, moments))
    if looked.ground is not None:
        layers.insert(0, ground_layer(looked.ground, found["ground"], moments, compared=compared))
    tables = [instant_table(moments, found.get("ground"))]
    if members and moments.courses:
        tables.append(place_table(members, found, compared=compared))
    if "roofs" in found and moments.courses and len(found["roofs"][0].area):
        tables.append(roof_table(looked, found["roofs"]))
    charts = (area_chart(moments, found["ground"], compared=compared),) if "ground" in found else ()
    feedback.step(1.0, "done")
    return Result(
        layers=(*layers, *((outlines,) if outlines is not None else ())),
        summary=summary(params, moments, found, compared=compared),
        tables=tuple(tables),
        charts=charts,
        issues=(*choices_made(inputs, params, looked, moments), *issues),
        assumptions=ASSUMPTIONS,
    )
