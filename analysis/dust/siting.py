"""Siting: from a prepared city to chosen units, the whole grid solved again with them, and what that means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.dust.ceiling import ceilings
from analysis.dust.near_field import Setting, screen
from analysis.dust.people import Exposure, Place, breathing_cells, exposure
from analysis.dust.run import CaseFields, Prepared, each_case
from analysis.dust.siting_band import (
    SCHMIDT_BAND,
    Band,
    band_of,
    of_diffusivity,
    of_direction,
    of_efficiency,
    of_sources,
)
from analysis.dust.siting_bound import Limits, Options
from analysis.dust.siting_candidates import Candidates, Intakes
from analysis.dust.siting_declaration import DustSitingParams
from analysis.dust.siting_instead import Alternative, Reach, alternatives_of
from analysis.dust.siting_search import Chosen, search
from analysis.dust.siting_worth import MARGIN, Worth, light_faces, setting_of
from analysis.dust.unit import PlacedUnit, Ports
from analysis.dust.units import resolve
from analysis.dust.winds import Case
from analysis.wind.crew import Crew
from geo.model import Feedback, Issue, UserError

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Indices = NDArray[np.int64]

NOTABLE = 1.0  # [ug/m3]
BAND_CASES = 4  # most frequent winds in which the diffusivity is varied: the factor hardly depends on the direction
LEAST = 1e-30  # [ug/m3] keeps a share of nothing a number


@dataclass(eq=False)
class Screened:
    """The city without new units, and what each candidate could bring at most.

    Attributes
    ----------
    cases : tuple of Case
        In the order in which they were solved; everything by case is in this order.
    settings : tuple of Setting
    bound : (n,) float [ug/m3]
        What each candidate could bring alone at most (`analysis.dust.ceiling`).
    from_sources : (cases, n) float
        Share of the dust at each intake that comes from the city's sources.
    reach : Reach
    map : (ny, nx) float [ug/m3]
        Screening of the first model at every open column, wherever units may stand.
    before : (nz, ny, nx) float32 [ug/m3]
        Mean over the cases.
    """

    cases: tuple[Case, ...]
    settings: tuple[Setting, ...]
    bound: Floats
    from_sources: Floats
    reach: Reach
    map: Floats
    before: Singles


class Placed(NamedTuple):
    """One chosen unit.

    Attributes
    ----------
    candidate : int
    unit : PlacedUnit
    alone, beside : float [ug/m3]
        What it brings alone, and beside the others, by its near field.
    intake, own_air : float [ug/m3], [1]
        Dust taken in, mean over the cases, over that of the place without any unit.
    removed : float [ug/s]
    """

    candidate: int
    unit: PlacedUnit
    alone: float
    beside: float
    intake: float
    own_air: float
    removed: float


class Group(NamedTuple):
    """People of one sort: how many, their mean before [ug/m3], and by how much it falls."""

    name: str
    persons: float
    before: float
    reduction: float


@dataclass(frozen=True, eq=False)
class Sited:
    """All that was found.

    Attributes
    ----------
    chosen : Chosen
        By near fields; `reduction` is what counts.
    placed : tuple of Placed
    reduction, before : float [ug/m3]
        Of the people's mean, from the whole grid with all units.
    by_case : tuple of float [ug/m3]
    cleaner : (nz, ny, nx) float32 [ug/m3]
        Above zero where it is cleaner, mean over the cases.
    groups : tuple of Group
    persons_notable : float
        With more than 1 ug/m3 less.
    band : Band
    alternatives : tuple of Alternative
    looked_at : dict of int to float
        What candidates bring alone, of those that were looked at closely.
    """

    chosen: Chosen
    placed: tuple[Placed, ...]
    reduction: float
    before: float
    by_case: tuple[float, ...]
    cleaner: Singles
    groups: tuple[Group, ...]
    persons_notable: float
    band: Band
    alternatives: tuple[Alternative, ...]
    looked_at: dict[int, float]


def weighted(prepared: Prepared, params: DustSitingParams, issues: list[Issue]) -> Prepared:
    """The people as the objective weighs them; every square metre alike where it asks for the area.

    It is told where the weights leave nobody.
    """
    factor = {
        "home": params.home_weight, "school": params.school_weight, "stop": params.stop_weight,
        "park": params.park_weight,
    }  # fmt: skip
    if params.objective == "area":
        places: tuple[Place, ...] = ()
    elif prepared.exposure.is_area or all(value == 1.0 for value in factor.values()):
        return prepared
    else:
        places = tuple(one._replace(persons=one.persons * factor.get(one.group, 1.0)) for one in prepared.places)
    told: list[Issue] = []
    people = exposure(places, prepared.winds.tunnel, told, height=params.height)
    if params.objective == "people" and people.is_area:
        message = "The weights leave nobody: the mean is over open ground."
        issues.append(Issue("dust.siting.nobody_weighted", message, "doubt"))
    return replace(prepared, exposure=people)


def screened(prepared: Prepared, candidates: Candidates, params: DustSitingParams, feedback: Feedback) -> Screened:
    """Solve every case forward and back, and screen all candidates."""
    shape = prepared.shape
    intakes = Intakes(candidates, int(np.prod(shape)))
    reach, bound = Reach(shape), np.zeros(len(candidates))
    before, plan = np.zeros(shape), np.zeros(shape[1:])
    cases, settings, from_sources = [], [], []
    model = candidates.units[0].model
    for fields in each_case(prepared, feedback, adjoint=True):
        setting = setting_of(prepared, fields)
        cases.append(fields.case)
        settings.append(setting)
        bound += setting.share * ceilings(setting, candidates.ports)
        plan += setting.share * screen(setting, model, prepared.winds.tunnel, params.size_class)
        taken_in = np.maximum(intakes.mean(setting.concentration), LEAST)
        from_sources.append(intakes.mean(fields.increment()) / taken_in)
        reach.add(setting.share, setting.adjoint, setting.ratio)
        before += setting.share * setting.concentration
    return Screened(
        tuple(cases), tuple(settings), bound, np.clip(np.array(from_sources), 0.0, 1.0), reach, plan,
        before.astype(np.float32),
    )  # fmt: skip


def choose(
    found: Screened,
    candidates: Candidates,
    params: DustSitingParams,
    fixed: Sequence[int],
    worth: Worth,
    feedback: Feedback,
) -> Chosen:
    """The best places found for the units; `fixed` ones are there already."""
    options = Options(found.bound * (1.0 + MARGIN), candidates.cost, candidates.site, candidates.xy)
    limits = Limits(params.count, params.budget or np.inf, params.spacing)
    return search(options, limits, worth, feedback, fixed=fixed, most=params.boxes)


class Solved(NamedTuple):
    """The whole grid with units, over all cases.

    Attributes
    ----------
    by_case : (cases,) float [ug/m3]
        Reduction of the people's mean.
    cleaner : (nz, ny, nx) float64 [ug/m3]
        Mean over the cases.
    intake, untouched : (cases, n) float [ug/m3]
    """

    by_case: Floats
    cleaner: Floats
    intake: Floats
    untouched: Floats


def solved_with(settings: Sequence[Setting], units: Sequence[Ports], people: Exposure, feedback: Feedback) -> Solved:
    """Solve every case anew with all units and their own flow."""
    cleaner = np.zeros(settings[0].concentration.shape)
    by_case, intake, untouched = [], [], []
    with Crew() as crew:
        for number, setting in enumerate(settings):
            part = feedback.part(number / len(settings), (number + 1) / len(settings))
            if units:
                one = resolve(setting, units, crew, part)
                by_case.append(-people.mean(one.change))
                cleaner -= setting.share * one.change
                intake.append(one.intake)
                untouched.append(one.untouched)
            else:
                by_case.append(0.0)
                intake.append(np.zeros(0))
                untouched.append(np.zeros(0))
    return Solved(np.array(by_case), cleaner, np.array(intake), np.array(untouched))


def outcome_of(
    prepared: Prepared,
    found: Screened,
    candidates: Candidates,
    chosen: Chosen,
    fixed: Sequence[int],
    worth: Worth,
    params: DustSitingParams,
    feedback: Feedback,
) -> Sited:
    """Solve the whole grid with what was chosen, and tell what it means."""
    there = [candidates.ports[k] for k in fixed]
    new = [candidates.ports[k] for k in chosen.options]
    people, share = prepared.exposure, np.array([one.share for one in found.settings])
    end = 0.4 if params.schmidt_band else 1.0
    without = solved_with(found.settings, there, people, feedback.part(0.0, end * 0.3 if there else 0.0))
    with_all = solved_with(found.settings, [*there, *new], people, feedback.part(end * 0.3 if there else 0.0, end))
    by_case = with_all.by_case - without.by_case
    reduction = float(share @ by_case)
    cleaner = with_all.cleaner - without.cleaner
    before = found.before - without.cleaner
    placed = _placed(candidates, chosen, fixed, worth, with_all, share)
    by_schmidt: dict[float, float] = {}
    if params.schmidt_band and new:
        by_schmidt = _by_schmidt(prepared, found.cases, there, new, by_case, feedback.part(end, 1.0))
    kept = max((one.efficiency for one in new), default=1.0)
    doubts = (
        of_diffusivity(reduction, by_schmidt),
        of_direction(found.cases, by_case.tolist()),
        of_sources(reduction, _from_sources(found, chosen, with_all, share, len(there)), params.source_doubt / 100.0),
        of_efficiency(reduction, kept, params.efficiency_doubt / 100.0),
    )
    ground = breathing_cells(prepared.winds.tunnel, 0.0)
    return Sited(
        chosen, placed, reduction, people.mean(before), tuple(by_case.tolist()), cleaner.astype(np.float32),
        groups_of(prepared, before, cleaner, params), persons_above(prepared, cleaner, params),
        band_of(reduction, doubts),
        alternatives_of(prepared, found.reach, reduction, ground) if reduction > 0.0 else (), dict(worth.known),
    )  # fmt: skip


def _placed(
    candidates: Candidates, chosen: Chosen, fixed: Sequence[int], worth: Worth, solved: Solved, share: Floats
) -> tuple[Placed, ...]:
    if not chosen.options:
        return ()
    beside = worth.parts((*fixed, *chosen.options))[len(fixed) :]
    out = []
    for number, option in enumerate(chosen.options):
        unit, column = candidates.ports[option], len(fixed) + number
        intake, untouched = float(share @ solved.intake[:, column]), float(share @ solved.untouched[:, column])
        out.append(
            Placed(
                option, candidates.units[option], worth.alone(option), beside[number], intake,
                intake / untouched if untouched > 0.0 else 1.0, unit.efficiency * unit.flow * intake,
            )
        )  # fmt: skip
    return tuple(out)


def _from_sources(found: Screened, chosen: Chosen, solved: Solved, share: Floats, there: int) -> float:
    """Of the dust that the new units take in, the share that comes from the city's sources."""
    if not chosen.options:
        return 0.0
    taken = share[:, None] * solved.intake[:, there:]
    part = found.from_sources[:, list(chosen.options)]
    return float((taken * part).sum() / taken.sum()) if taken.sum() > 0.0 else 0.0


def _by_schmidt(
    prepared: Prepared,
    all_cases: Sequence[Case],
    there: Sequence[Ports],
    new: Sequence[Ports],
    by_case: Floats,
    feedback: Feedback,
) -> dict[float, float]:
    """Factors of other Schmidt numbers on the benefit: city and units solved anew in the most frequent winds."""
    cases = sorted(all_cases, key=lambda case: -case.share)[:BAND_CASES]
    usual = sum(case.share * by_case[all_cases.index(case)] for case in cases)
    if not usual > 0.0:
        return {}
    out = {}
    quiet = Feedback(is_cancelled=lambda: feedback.cancelled)  # what is solved between two fields tells no progress
    for number, schmidt in enumerate(SCHMIDT_BAND):
        other = prepared.with_schmidt(schmidt)
        part = feedback.part(number / len(SCHMIDT_BAND), (number + 1) / len(SCHMIDT_BAND))
        total = 0.0
        for fields in each_case(other, part, cases=cases):
            setting = (_without_adjoint(other, fields),)
            less = solved_with(setting, [*there, *new], prepared.exposure, quiet).by_case[0]
            already = solved_with(setting, there, prepared.exposure, quiet).by_case[0]
            total += fields.case.share * float(less - already)
        out[schmidt] = total / usual
    return out


def _without_adjoint(prepared: Prepared, fields: CaseFields) -> Setting:
    case, total = fields.case, fields.total(prepared.outside.value)
    return Setting(
        light_faces(prepared, case), total, total, case.ratio, prepared.particle, prepared.mixing, prepared.leaf_area,
        case.share,
    )  # fmt: skip


def groups_of(
    prepared: Prepared, before: NDArray[np.floating], cleaner: NDArray[np.floating], params: DustSitingParams
) -> tuple[Group, ...]:
    """Mean before and reduction of each sort of people; of the open ground where no people are given."""
    out = []
    for name in dict.fromkeys(one.group for one in prepared.places if one.persons > 0.0):
        members = [one for one in prepared.places if one.group == name]
        try:
            people = exposure(members, prepared.winds.tunnel, [], height=params.height)
        except UserError:
            continue  # all of them are outside the field
        out.append(Group(name, people.persons, people.mean(before), people.mean(cleaner)))
    if not out or params.objective == "area":
        area = exposure((), prepared.winds.tunnel, [], height=params.height)
        out.append(Group("ground", 0.0, area.mean(before), area.mean(cleaner)))
    return tuple(out)


def persons_above(prepared: Prepared, cleaner: NDArray[np.floating], params: DustSitingParams) -> float:
    """People whose mean air has more than `NOTABLE` less; NaN where no people are given."""
    members = [one._replace(hours=24.0) for one in prepared.places if one.persons > 0.0]
    if not members or prepared.exposure.is_area and params.objective == "people":
        return float("nan")
    people = exposure(members, prepared.winds.tunnel, [], height=params.height)
    return people.persons * float(people.weight[cleaner.reshape(-1)[people.cell] > NOTABLE].sum())
