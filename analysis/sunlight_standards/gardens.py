"""Gardens and open spaces by BRE 209: the share of each with two hours of sun on 21 March, before and after."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.kernels.rays import sun_time
from analysis.sunlight.area_outcome import shares
from analysis.sunlight.areas import Areas, areas_of
from analysis.sunlight.city import city_of
from analysis.sunlight.day import sun_of_day
from analysis.sunlight.declaration import SunlightInputs, SunlightParams, words_in
from analysis.sunlight_rights.obstacles import Obstacles
from analysis.sunlight_standards.declaration import StandardsInputs, StandardsParams
from analysis.sunlight_standards.rules import Standards
from geo.model import Feedback, Issue

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

GARDEN_STEP = 5.0  # [min]


class Gardens(NamedTuple):
    """What was found in gardens (g).

    Attributes
    ----------
    areas : Areas
    day : date
    hours, before : (n,) float [h]
        Per cell, now and without the new project; `before` is None where there is none.
    share, former : (g,) float [%]
        Of the open ground with enough sun.
    passes : (g,) bool
    """

    areas: Areas
    day: date
    hours: Floats
    before: Floats | None
    share: Floats
    former: Floats | None
    passes: Bools


def gardens_of(
    inputs: StandardsInputs,
    params: StandardsParams,
    obstacles: Obstacles,
    rules: Standards,
    issues: list[Issue],
    feedback: Feedback,
) -> Gardens | None:
    """The gardens named; None when there are none. The ground open now is looked at in both states."""
    if not inputs.gardens:
        return None
    day = date(params.day.year, *rules.garden_day)
    chosen = {layer.id: layer for layer in (*inputs.obstructions, *inputs.dwellings, *inputs.proposal)}
    city_inputs = SunlightInputs(inputs.frame, inputs.terrain, inputs.relief, tuple(chosen.values()), inputs.trees)
    city_params = SunlightParams(
        day=day, step=GARDEN_STEP, utc_offset=params.utc_offset, trees_block=params.trees_block, ground=False
    )
    said: list[Issue] = []  # the obstacles have said the same already
    city = city_of(city_inputs, city_params, said, feedback.part(0.0, 0.2))
    words = words_in(params.area_words)
    areas = areas_of(city, inputs.gardens, params.area_cell, words, issues, feedback.part(0.2, 0.4))
    suns = sun_of_day(inputs.frame, city_params)
    towards, weights, points = suns.towards_sun, suns.instants.weights, areas.ground.points
    hours = sun_time(obstacles.now, points, towards, weights, feedback=feedback.part(0.4, 0.7)).total
    before = None
    if obstacles.before is not None:
        before = sun_time(obstacles.before, points, towards, weights, feedback=feedback.part(0.7, 1.0)).total
    share = shares(areas, hours, rules.garden_hours)
    former = None if before is None else shares(areas, before, rules.garden_hours)
    passes = share >= rules.garden_share
    if former is not None:
        # a rounding of the shares is no loss
        passes |= share >= rules.former * former - 1e-9
    return Gardens(areas, day, hours, before, share, former, passes)
