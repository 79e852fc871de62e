"""Where purifiers help people most, by how much, at what cost, and when it is not worth it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from analysis.contract import Quantity, Result, analysis
from analysis.dust import honesty
from analysis.dust import siting_outcome as outcome
from analysis.dust.run import Prepared, prepare
from analysis.dust.siting import choose, outcome_of, screened, weighted
from analysis.dust.siting_candidates import Candidates, affordable, candidates_of, models_of, with_existing
from analysis.dust.siting_declaration import ASSUMPTIONS, REFERENCES, DustSitingInputs, DustSitingParams
from analysis.dust.siting_places import sites_of
from analysis.dust.siting_search import Chosen
from analysis.dust.siting_worth import Worth
from analysis.wind.sectors import ground_of
from geo.model import Feedback, Issue

PREPARED, SCREENED, CHOSEN, SOLVED = 0.5, 0.65, 0.8, 0.98
APART = 0.05  # near fields and whole grid differ by more than this: told


@analysis(
    id="dust.siting",
    title="Where to put purifiers",
    description=(
        "The places where purifiers take most dust out of the air that people breathe, for a number of units or a sum "
        "of money: by how much, with its band, who gains, what it costs, what the sources could do instead, and "
        "whether sensors would see it."
    ),
    version=1,
    inputs=DustSitingInputs,
    params=DustSitingParams,
    references=REFERENCES,
    headline=("models", "count", "objective"),
)
def dust_siting(inputs: DustSitingInputs, params: DustSitingParams, feedback: Feedback) -> Result:
    """Prepare, screen, look closely, choose, and solve the whole grid with what was chosen."""
    issues: list[Issue] = []
    feedback.step(0.0, "reading the models")
    models = affordable(models_of(params), params.budget)
    prepared = prepare(inputs, params, feedback.part(0.0, PREPARED), sources_needed=False)
    issues += prepared.issues
    _tell_sources(prepared, issues)
    persons = prepared.exposure.persons
    prepared = replace(weighted(prepared, params, issues), issues=())
    tunnel = prepared.winds.tunnel
    sites, _ = sites_of(inputs, params, tunnel, issues)
    part = feedback.part(PREPARED, PREPARED + 0.02)
    candidates = candidates_of(sites, models, params, tunnel, issues, part)
    candidates, fixed = with_existing(candidates, inputs, params, tunnel, issues)
    found = screened(prepared, candidates, params, feedback.part(PREPARED + 0.02, SCREENED))
    with Worth(found.settings, candidates) as worth:
        chosen = choose(found, candidates, params, fixed, worth, feedback.part(SCREENED, CHOSEN))
        sited = outcome_of(prepared, found, candidates, chosen, fixed, worth, params, feedback.part(CHOSEN, SOLVED))
        by_number = _by_number(worth, chosen, fixed)
    feedback.step(SOLVED, "drawing the map")
    calm = float(sum(case.share * case.calm_share for case in prepared.cases))
    told = outcome.Told(
        prepared, ground_of(tunnel, params.cell), candidates, found, sited, by_number, params, persons, calm
    )
    summary = outcome.summary_of(told)
    figures = honesty.figures_of(summary)
    said = honesty.statements(figures) if figures is not None else ()
    issues += _doubts(candidates, chosen, params, summary)
    feedback.step(1.0, "done")
    return Result(
        layers=outcome.layers_of(told),
        summary=summary,
        tables=outcome.tables_of(told, inputs.frame),
        charts=outcome.charts_of(told),
        issues=(*said, *issues),
        assumptions=ASSUMPTIONS,
    )


def _by_number(worth: Worth, chosen: Chosen, fixed: Sequence[int]) -> tuple[float, ...]:
    """What the first units bring together, from none to all."""
    start = worth.together(tuple(fixed))
    numbers = range(len(chosen.options) + 1)
    return tuple(worth.together((*fixed, *chosen.options[:count])) - start for count in numbers)


def _tell_sources(prepared: Prepared, issues: list[Issue]) -> None:
    if not prepared.emissions:
        message = "No source of dust is given: units clean the air that comes from outside, and only that."
        issues.append(Issue("dust.siting.no_sources", message, "doubt"))


def _doubts(
    candidates: Candidates, chosen: Chosen, params: DustSitingParams, summary: dict[str, Quantity]
) -> list[Issue]:
    issues = []
    if not chosen.proven:
        message = f"Only {params.boxes} places were looked at closely; another may be better, up to the bound."
        issues.append(Issue("dust.siting.cut_short", message, "doubt", values={"boxes": params.boxes}))
    if len(chosen.options) < params.count and params.budget == 0.0:
        count = len(chosen.options)
        message = f"Only {count} of {params.count} units were placed: no further place helps, or none is far enough."
        issues.append(Issue("dust.siting.fewer", message, "note", count, values={"wanted": params.count}))
    if params.directions == "one":
        message = "Only one wind was calculated: how the benefit turns with the wind is not known."
        issues.append(Issue("dust.siting.one_wind", message, "doubt"))
    ratio = summary.get("near_field_over_grid")
    if ratio is not None and isinstance(ratio.value, float) and abs(ratio.value - 1.0) > APART:
        percent = round(100.0 * (ratio.value - 1.0), 1)
        message = f"The near fields by which places were compared promise {percent:+g} % against the whole grid."
        issues.append(Issue("dust.siting.near_field", message, "doubt", values={"percent": percent}))
    doubtful = sorted({k.model.name for k in (candidates.units[n] for n in chosen.options) if not k.model.verified})
    if doubtful:
        names = ", ".join(doubtful)
        message = f"Figures of these models are not tested ones: {names}. Ask for type tests."
        issues.append(Issue("dust.siting.untested", message, "doubt", len(doubtful), values={"models": names}))
    return issues
