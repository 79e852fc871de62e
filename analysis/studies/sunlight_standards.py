"""Daylight and sunlight by standards: EN 17037, BRE 209, and the limits of school reviews."""

from __future__ import annotations

from datetime import date

from analysis.contract import Reference, Result, Table, analysis
from analysis.kernels import sun
from analysis.studies.sunlight_hours import REDA_ANDREAS_2004, WALD_2014
from analysis.sunlight_rights.obstacles import obstacles_of
from analysis.sunlight_standards.declaration import StandardsInputs, StandardsParams
from analysis.sunlight_standards.gardens import gardens_of
from analysis.sunlight_standards.judge import measure, verdicts
from analysis.sunlight_standards.judged import judged_windows
from analysis.sunlight_standards.outcome import (
    ASSUMPTIONS,
    building_table,
    choices_made,
    garden_layer,
    garden_table,
    summary,
    window_columns,
    window_layer,
)
from analysis.sunlight_standards.rules import Standards, standards
from geo.model import Feedback, Frame, Issue, UserError

EN_17037 = Reference("en-17037", "EN 17037:2018+A1:2021: Daylight in buildings. CEN.")
BRE_209 = Reference(
    "bre-209",
    "P. J. Littlefair, S. King, G. Howlett, C. Ticleanu, A. Longfield: Site layout planning for daylight and sunlight: "
    "a guide to good practice (BR 209), 3rd edition. BRE, 2022.",
)
MOON_SPENCER_1942 = Reference(
    "moon-spencer-1942",
    "P. Moon, D. E. Spencer: Illumination from a nonuniform sky. Illuminating Engineering 37, 1942 (the overcast sky "
    "of the CIE).",
)


@analysis(
    id="sunlight.standards",
    title="Daylight and sunlight by standards",
    description=(
        "Exposure to sunlight by EN 17037, vertical sky component and gardens by BRE 209, and the limits of school "
        "reviews, for every window and garden, before and after a new project."
    ),
    version=1,
    inputs=StandardsInputs,
    params=StandardsParams,
    references=(EN_17037, BRE_209, MOON_SPENCER_1942, REDA_ANDREAS_2004, WALD_2014),
    headline=("day", "judged"),
)
def sunlight_standards(inputs: StandardsInputs, params: StandardsParams, feedback: Feedback) -> Result:
    """Judge windows and gardens by the standards chosen."""
    issues: list[Issue] = []
    rules = standards()
    feedback.step(0.0, "positions of the sun")
    if params.sunlight:
        _check_day(params.day, rules, inputs.frame)
    place = (inputs.frame.longitude, inputs.frame.latitude)
    offset = sun.utc_offset_of(*place) if params.utc_offset == "auto" else float(params.utc_offset)
    obstacles = obstacles_of(inputs, params.as_rights, issues, feedback.part(0.02, 0.08))
    windows = judged_windows(inputs, params, obstacles, issues, feedback.part(0.08, 0.12))
    gardens = gardens_of(inputs, params, obstacles, rules, issues, feedback.part(0.12, 0.3))
    asked = params.sunlight or params.daylight or params.judged == "schools"
    if gardens is None and (len(windows.id) == 0 or not asked):
        raise _nothing(params, asked=asked)
    layers, tables = [], []
    found = verdict = None
    if len(windows.id) and asked:
        found = measure(windows, obstacles, inputs, params, rules, offset, feedback.part(0.3, 0.98))
        verdict = verdicts(found, rules)
        columns = window_columns(windows, found, verdict, obstacles, rules, inputs.frame.convergence_deg)
        layers.append(window_layer(windows, found, verdict, columns, rules))
        tables += [
            Table("window_list", "Standards of every window", columns),
            building_table(windows, found, verdict, obstacles),
        ]
    if gardens is not None:
        layers.append(garden_layer(gardens))
        tables.append(garden_table(gardens))
    feedback.step(1.0, "done")
    return Result(
        layers=tuple(layers),
        summary=summary(found, verdict, gardens, rules),
        tables=tuple(tables),
        issues=(*choices_made(inputs, params, obstacles, rules, gardens, offset), *issues),
        assumptions=ASSUMPTIONS,
    )


def _check_day(day: date, rules: Standards, frame: Frame) -> None:
    """EN 17037 lets a day between 1 February and 21 March be chosen; in the south half a year later."""
    first, last = rules.first_day, rules.last_day
    if frame.latitude < 0:
        first, last = ((month + 6, number) for month, number in (first, last))
    if first <= (day.month, day.day) <= last:
        return
    raise UserError(
        f"Exposure to sunlight cannot be judged on {day}.",
        f"EN 17037 has it on a day from {first[0]:02d}-{first[1]:02d} to {last[0]:02d}-{last[1]:02d}.",
        "Choose another day, or leave that measure out.",
        code="sunlight.standards.day",
        values={
            "day": str(day),
            "first": f"{first[0]:02d}-{first[1]:02d}",
            "last": f"{last[0]:02d}-{last[1]:02d}",
        },
    )


def _nothing(params: StandardsParams, *, asked: bool) -> UserError:
    if not asked:
        return UserError(
            "No measure was chosen.",
            "Exposure to sunlight and vertical sky component are both off, and no garden was named.",
            "Switch one of them on, or name a layer of gardens.",
            code="sunlight.standards.nothing_asked",
        )
    return UserError(
        "No window was found that could be judged.",
        "The layers have no windows, and no facade of the buildings asked for could have one.",
        "Choose layers with such buildings, or a wider angle.",
        code="sunlight.standards.no_windows",
    )
