"""The result of a live study of the right to sunlight: what the full study gives back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from analysis.contract import Result, Table
from analysis.sunlight_rights.declaration import RightsInputs, RightsParams
from analysis.sunlight_rights.judge import Judgement
from analysis.sunlight_rights.obstacles import Obstacles
from analysis.sunlight_rights.outcome import (
    ASSUMPTIONS,
    building_table,
    choices_made,
    obstructor_table,
    summary,
    window_columns,
    window_layer,
)
from analysis.sunlight_rights.rules import Rules
from analysis.sunlight_rights.windows import Windows
from geo.model import Feedback, Issue


def outcome_of(
    inputs: RightsInputs,
    params: RightsParams,
    limits: Rules,
    dated: tuple[date, float, int],
    obstacles: Obstacles,
    windows: Windows,
    found: Judgement,
    issues: Sequence[Issue],
) -> Result:
    """As the study puts its result together. `dated`: the day, clock minus UTC [h], number of marks."""
    day, offset, marks = dated
    columns = window_columns(windows, found, obstacles, inputs.frame.convergence_deg, limits)
    return Result(
        layers=(window_layer(windows, found, obstacles, columns),),
        summary=summary(found, obstacles, limits, params, day, marks, offset),
        tables=(
            Table("window_list", "Sun of every window", columns),
            building_table(windows, found, obstacles),
            obstructor_table(found, obstacles),
        ),
        issues=(*choices_made(inputs, params, obstacles, limits, day, offset), *issues),
        assumptions=ASSUMPTIONS,
    )


def full_run(inputs: RightsInputs, params: RightsParams, feedback: Feedback) -> Result:
    """The study itself."""
    from analysis.registry import get

    return get("sunlight.rights").run(inputs, params, feedback)
