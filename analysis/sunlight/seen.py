"""Everywhere the sun is looked for: ground, facades and roofs, named surfaces, open spaces."""

from __future__ import annotations

from typing import Generic, NamedTuple, TypeVar

import numpy as np

from analysis.kernels.sampling import FaceCells, GroundPoints
from analysis.sunlight.areas import Areas, areas_of
from analysis.sunlight.city import City
from analysis.sunlight.crowns import screens_of
from analysis.sunlight.declaration import HoursInputs, SunlightParams, words_in
from analysis.sunlight.ground import look_at_ground
from analysis.sunlight.named import NamedSurface, look_at_named
from analysis.sunlight.period import DayTime, crown_time, plain_time
from analysis.sunlight.surfaces import look_at_surfaces
from analysis.sunlight.trace import Trace
from geo.model import Feedback, Issue

Found = TypeVar("Found")


class Seen(NamedTuple, Generic[Found]):
    """What was found on the open ground, on ``facades`` and ``roofs``, on named surfaces and in open spaces."""

    ground: tuple[GroundPoints, Found] | None
    surfaces: dict[str, tuple[FaceCells, Found]]
    named: list[NamedSurface[Found]]
    areas: tuple[Areas, Found] | None


def look(
    city: City,
    inputs: HoursInputs,
    params: SunlightParams,
    trace: Trace[Found],
    issues: list[Issue],
    feedback: Feedback,
) -> Seen[Found]:
    """Look everywhere that was asked for."""
    rest = 0.8 if inputs.surfaces or inputs.areas else 1.0
    ground = look_at_ground(city, params, trace, feedback.part(0.0, 0.42 * rest))
    surfaces = look_at_surfaces(city, params, trace, issues, feedback.part(0.42 * rest, rest))
    named = look_at_named(city, inputs, params, trace, issues, feedback.part(rest, 0.5 + rest / 2))
    areas = None
    if inputs.areas:
        share = feedback.part(0.5 + rest / 2, 1.0)
        words = words_in(params.area_words)
        found = areas_of(city, inputs.areas, params.area_cell, words, issues, share.part(0.0, 0.3))
        square = np.full(len(found.ground.points), params.area_cell**2)
        areas = found, trace(found.ground.points, None, square, share.part(0.3, 1.0))
    return Seen(ground, surfaces, named, areas)


def time_of(
    city: City, inputs: HoursInputs, params: SunlightParams, issues: list[Issue], feedback: Feedback
) -> DayTime:
    """Hours of a day: crowns let some of the sun through where that is asked for."""
    if not (params.trees_block and params.crown_light and inputs.trees):
        return plain_time(city.occluder)
    southern = inputs.frame.latitude < 0
    screens = screens_of(city, southern=southern, feedback=feedback)
    shares = {"in_leaf": f"{100 * screens.leaves.in_leaf:g}", "bare": f"{100 * screens.leaves.bare:g}"}
    text = (
        f"A crown lets {shares['in_leaf']} % of the sun through in leaf and {shares['bare']} % when bare; the longest "
        "run counts full sun alone. Not for legal checks."
    )
    issues.append(Issue("sunlight.crown_light", text, "doubt", values=shares))
    if screens.evergreen is screens.solids:
        text = "No tree says that it keeps its leaves: all count as bare in winter."
        issues.append(Issue("sunlight.no_evergreens", text))
    return crown_time(screens)
