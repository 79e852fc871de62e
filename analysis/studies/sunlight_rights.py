"""Right to sunlight (일조권): the verdict on every window on the winter solstice, and who takes its sun."""

from __future__ import annotations

from analysis.contract import Reference, Result, Table, analysis
from analysis.kernels import sun
from analysis.studies.sunlight_hours import REDA_ANDREAS_2004, WALD_2014
from analysis.sunlight_rights.declaration import RightsInputs, RightsParams
from analysis.sunlight_rights.judge import judge
from analysis.sunlight_rights.obstacles import obstacles_of
from analysis.sunlight_rights.outcome import (
    ASSUMPTIONS,
    building_table,
    choices_made,
    obstructor_table,
    summary,
    window_columns,
    window_layer,
)
from analysis.sunlight_rights.rules import rules
from analysis.sunlight_rights.timeline import clock_of
from analysis.sunlight_rights.windows import windows_of
from geo.model import Feedback, Issue, UserError

BUSAN_2023 = Reference(
    "busan-2021gahap46557",
    "부산지방법원 2023.12.13. 선고 2021가합46557 판결; 인천지방법원 2014가단3343 판결 "
    "(일조 수인한도: 동지일 08-16시 합계 4시간 또는 09-15시 연속 2시간).",
)
SUPREME_COURT = Reference(
    "supreme-court-sunlight",
    "대법원 2004다54282, 2006다35865(전원합의체), 2003다64602 판결 (일조권 침해와 수인한도, 공동불법행위).",
)


@analysis(
    id="sunlight.rights",
    title="Right to sunlight",
    description=(
        "Sun of every window on the winter solstice, in total from 8 to 16 and unbroken from 9 to 15, the verdict by "
        "the practice of Korean courts, before and after a new project, and who takes how many minutes."
    ),
    version=2,
    inputs=RightsInputs,
    params=RightsParams,
    references=(BUSAN_2023, SUPREME_COURT, REDA_ANDREAS_2004, WALD_2014),
    headline=("day", "time_basis"),
)
def sunlight_rights(inputs: RightsInputs, params: RightsParams, feedback: Feedback) -> Result:
    """Judge the windows of a city."""
    issues: list[Issue] = []
    feedback.step(0.0, "positions of the sun")
    limits = rules()
    place = (inputs.frame.longitude, inputs.frame.latitude)
    offset = sun.utc_offset_of(*place) if params.utc_offset == "auto" else float(params.utc_offset)
    day = sun.winter_solstice(params.day.year, offset) if params.solstice else params.day
    clock = clock_of(inputs.frame, day, limits, step=params.step, time_basis=params.time_basis, offset=offset)
    if not (clock.towards[:, 2] > 0).any():
        raise UserError(
            f"The sun is not up on {day} in the hours of the rules.",
            "It stays below the horizon.",
            "Choose another day.",
            code="sunlight.no_sun",
            values={"day": str(day)},
        )
    obstacles = obstacles_of(inputs, params, issues, feedback.part(0.02, 0.08))
    windows = windows_of(inputs, params, obstacles, issues, feedback.part(0.08, 0.12))
    if len(windows.id) == 0:
        raise UserError(
            "No window was found that could be judged.",
            "The layers have no windows, and no facade of a dwelling faces south within the limit.",
            "Choose layers with dwellings, or a wider limit.",
            code="sunlight.rights.no_windows",
        )
    found = judge(windows, obstacles, clock, limits, params, feedback.part(0.12, 0.98))
    columns = window_columns(windows, found, obstacles, inputs.frame.convergence_deg, limits)
    feedback.step(1.0, "done")
    return Result(
        layers=(window_layer(windows, found, obstacles, columns),),
        summary=summary(found, obstacles, limits, params, day, len(clock.hour), offset),
        tables=(
            Table("window_list", "Sun of every window", columns),
            building_table(windows, found, obstacles),
            obstructor_table(found, obstacles),
        ),
        issues=(*choices_made(inputs, params, obstacles, limits, day, offset), *issues),
        assumptions=ASSUMPTIONS,
    )
