"""What the standards say of every window, now and without the new project."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.kernels import sun
from analysis.kernels.overcast import vertical_sky_component
from analysis.kernels.rays import Occluder
from analysis.sunlight_rights.obstacles import Obstacles
from analysis.sunlight_rights.timeline import Spell, clock_of, light_of, spell_of
from analysis.sunlight_rights.windows import Windows
from analysis.sunlight_standards.declaration import StandardsInputs, StandardsParams
from analysis.sunlight_standards.exposure import Openings, SunMarks, exposure, marks_of, openings_of
from analysis.sunlight_standards.rules import Standards
from geo.model import Feedback

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

CENTRE = np.zeros(2)
ROUNDING = 1e-3 / 3600  # [h] a millisecond forgives the rounding of the sums
BLOCK = 2048  # windows at a time for the school limits: a million states
VSC_DOUBT = 0.1  # [%] what the directions of the sky can be off
TIME_DOUBT = 1.0 / 60.0  # [h] a minute, as in the right to sunlight


class Found(NamedTuple):
    """What was measured at windows (n), each None where it was not asked for.

    Attributes
    ----------
    hours, hours_before : (n,) float [h]
        Exposure to sunlight.
    vsc, vsc_before : (n,) float [%]
    school, school_before : Spell
        Sun by the limits of school reviews.
    new : (n,) bool
        Windows of the new project itself, which have no state before.
    """

    hours: Floats | None
    hours_before: Floats | None
    vsc: Floats | None
    vsc_before: Floats | None
    school: Spell | None
    school_before: Spell | None
    new: Bools


class Verdicts(NamedTuple):
    """By standard: whether windows (n) pass, and whether a minute or a tenth of a percent would change that."""

    passes: dict[str, Bools]
    borderline: Bools

    @property
    def all(self) -> Bools:
        """(n,) windows that pass every standard asked for."""
        return np.asarray(np.logical_and.reduce(list(self.passes.values())))


def measure(
    windows: Windows,
    obstacles: Obstacles,
    inputs: StandardsInputs,
    params: StandardsParams,
    rules: Standards,
    offset: float,
    feedback: Feedback,
) -> Found:
    """Measure what was asked for, now and, where there is a new project, before."""
    states = [obstacles.now] + ([obstacles.before] if obstacles.before is not None else [])
    marks, openings = None, None
    if params.sunlight:
        elevation = params.minimum_elevation
        marks = marks_of(inputs.frame, params.day, minimum_elevation=elevation, step=params.step, offset=offset)
        openings = openings_of(
            windows,
            sill=params.sill,
            depth=params.wall_depth,
            above_floor=rules.above_floor,
            above_sill=rules.above_sill,
        )
    hours, vsc, school = [], [], []
    for number, occluder in enumerate(states):
        share = feedback.part(number / len(states), (number + 1) / len(states))
        hours.append(_hours(occluder, openings, marks, share.part(0.0, 0.45)))
        vsc.append(_vsc(occluder, windows, params, share.part(0.45, 0.85)))
        school.append(_school(occluder, windows, inputs, params, rules, offset, share.part(0.85, 1.0)))
    if len(states) == 1:
        hours, vsc, school = [*hours, None], [*vsc, None], [*school, None]
    new = obstacles.new[windows.building]
    return Found(hours[0], hours[1], vsc[0], vsc[1], school[0], school[1], new)


def _hours(occluder: Occluder, openings: Openings | None, marks: SunMarks | None, feedback: Feedback) -> Floats | None:
    if openings is None or marks is None:
        return None
    return exposure(occluder, openings, marks, feedback)


def _vsc(occluder: Occluder, windows: Windows, params: StandardsParams, feedback: Feedback) -> Floats | None:
    if not params.daylight:
        return None
    return vertical_sky_component(occluder, windows.starts(CENTRE), windows.normal, feedback=feedback)


def _school(
    occluder: Occluder,
    windows: Windows,
    inputs: StandardsInputs,
    params: StandardsParams,
    rules: Standards,
    offset: float,
    feedback: Feedback,
) -> Spell | None:
    if params.judged != "schools":
        return None
    day = school_day(params, offset)
    clock = clock_of(inputs.frame, day, rules.school, step=params.step, time_basis=params.time_basis, offset=offset)
    parts, count = [], len(windows.id)
    for low in range(0, count, BLOCK):
        some = windows.kept(slice(low, min(low + BLOCK, count)))
        share = feedback.part(low / count, min(low + BLOCK, count) / count)
        light = light_of(occluder, some.starts(CENTRE), some.normal, clock, share)
        parts.append(spell_of(light.lit, light.edge, rules.school))
    return Spell(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def school_day(params: StandardsParams, offset: float) -> date:
    """The winter solstice of the year of the day given."""
    return sun.winter_solstice(params.day.year, offset)


def verdicts(found: Found, rules: Standards) -> Verdicts:
    """Which windows pass; a window whose daylight keeps 0.8 of its former value passes that standard too."""
    passes: dict[str, Bools] = {}
    close = np.zeros(len(found.new), dtype=bool)
    hours = found.hours
    if hours is not None:
        passes["sunlight"] = _exposed(hours, rules)
        close |= _changes(lambda by: _exposed(hours + by, rules), TIME_DOUBT)
    if found.vsc is not None:
        passes["daylight"] = _lit_enough(found, rules, 0.0)
        close |= _changes(lambda by: _lit_enough(found, rules, by), VSC_DOUBT)
    spell = found.school
    if spell is not None:
        passes["school"] = spell.passes(rules.school)
        close |= _changes(lambda by: spell.passes(rules.school, extra=by), TIME_DOUBT)
    return Verdicts(passes, close)


def _changes(verdict: Callable[[float], Bools], by: float) -> Bools:
    here, less, more = (verdict(change) for change in (0.0, -by, by))
    return np.asarray((here != less) | (here != more))


def _exposed(hours: Floats, rules: Standards) -> Bools:
    return np.asarray(hours + ROUNDING >= rules.levels["minimum"])


def _lit_enough(found: Found, rules: Standards, by: float) -> Bools:
    if found.vsc is None:
        raise ValueError("daylight was not measured")
    enough = np.asarray(found.vsc + by >= rules.vsc)
    if found.vsc_before is not None:
        enough |= ~found.new & (found.vsc + by >= rules.former * found.vsc_before)
    return enough


def level_names(hours: Floats, rules: Standards) -> NDArray[np.int8]:
    """(n,) 0 below the minimum, 1 minimum, 2 medium, 3 high."""
    limits = sorted(rules.levels.values())
    return np.searchsorted(limits, hours + ROUNDING, side="right").astype(np.int8)
