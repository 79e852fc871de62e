"""Where cameras see most, or see enough for least, with a proven bound on any plan of the same grid."""

from __future__ import annotations

from analysis.cctv.classes import editions
from analysis.cctv.looked_at import LookedAt
from analysis.cctv.seen import PlanScore
from analysis.cctv.siting_declaration import ASSUMPTIONS, REFERENCES, SitingInputs, SitingParams
from analysis.cctv.siting_outcome import (
    all_cameras,
    chart_of,
    doubts_of,
    layers_of,
    plan_table,
    summary_of,
    unreachable_table,
)
from analysis.cctv.siting_scene import Siting, siting_of, view_class_of
from analysis.cctv.siting_search import Found, search
from analysis.cctv.tables import area_table, class_table
from analysis.contract import Result, analysis
from geo.model import Feedback, Issue

PREPARED, SOLVED = 0.3, 0.92


@analysis(
    id="cctv.siting",
    title="Where to put cameras",
    description=(
        "The places, directions and lenses with which a number of cameras, or a sum of money, sees most; or the "
        "cheapest that see a share. With a proven bound on every plan of the same grid, and the gap to it."
    ),
    version=1,
    inputs=SitingInputs,
    params=SitingParams,
    references=REFERENCES,
    headline=("objective", "edition", "view_class"),
)
def cctv_siting(inputs: SitingInputs, params: SitingParams, feedback: Feedback) -> Result:
    """Prepare, search, turn freely, and score the plan as the study of coverage does."""
    issues: list[Issue] = []
    feedback.step(0.0, "reading the cameras")
    edition = editions()[params.edition]
    view_class = view_class_of(params, edition)
    siting: Siting = siting_of(inputs, params, edition, view_class, issues, feedback.part(0.0, PREPARED))
    found: Found = search(siting, params, feedback.part(PREPARED, SOLVED))
    feedback.step(SOLVED, "scoring the plan")
    looked: LookedAt = siting.looked
    least = float(edition.limits[view_class])
    plan = PlanScore(
        siting.scene, looked.targets, all_cameras(siting, found), least=least, reading="parallel",
        masks=siting.masks,
        feedback=feedback.part(SOLVED, 0.98),
    )  # fmt: skip
    score = plan.score()
    feedback.step(1.0, "done")
    return Result(
        layers=layers_of(siting, found, score, edition),
        summary=summary_of(siting, found, params),
        tables=(
            plan_table(siting, found, inputs.frame),
            class_table(score, looked.targets, edition),
            area_table(score, looked.targets, edition, least),
            unreachable_table(siting),
        ),
        charts=(chart_of(siting, found, params),),
        issues=(*issues, *doubts_of(siting, found, params)),
        assumptions=ASSUMPTIONS,
    )
