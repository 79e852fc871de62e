"""Where sensors of the environment stand best: coverage, telling for a field, or service distance."""

from __future__ import annotations

import math

import numpy as np

from analysis.contract import Chart, Quantity, Result, analysis
from analysis.sensor_siting import outcome
from analysis.sensor_siting.coverage import cover
from analysis.sensor_siting.declaration import ASSUMPTIONS, REFERENCES, SensorInputs, SensorParams
from analysis.sensor_siting.field import MOST_FIELD_CELLS
from analysis.sensor_siting.represent import represent
from analysis.sensor_siting.scene import Scene, scene_of
from analysis.sensor_siting.service import serve
from geo.model import Feedback, Issue, Layer

Told = tuple[outcome.Placed, list[Layer], Chart, dict[str, Quantity]]
CLOSE_GAP = 1e-9


@analysis(
    id="sensor.siting",
    title="Siting of sensors",
    description=(
        "Where sensors of the environment (dust, wind, noise, smart lights) stand best: so that they watch as much as "
        "possible, tell a field of wind or dust best, or are near to people; with what a perfect plan could reach."
    ),
    version=1,
    inputs=SensorInputs,
    params=SensorParams,
    references=REFERENCES,
    headline=("mode", "count"),
)
def sensor_siting(inputs: SensorInputs, params: SensorParams, feedback: Feedback) -> Result:
    """Find the ground and the places, and choose."""
    issues: list[Issue] = []
    if params.mode == "representativeness":
        told = _represented(inputs, params, issues, feedback)
    else:
        scene = scene_of(inputs, params, issues, feedback.part(0.0, 0.3))
        told = _chosen(scene, params, issues, feedback.part(0.3, 0.95))
    placed, layers, chart, summary = told
    if len(placed.order) < params.count:
        count = len(placed.order)
        message = f"Only {count} of {params.count} sensors were placed: no further place would help."
        values = {"count": count, "wanted": params.count}
        issues.append(Issue("sensor.siting.fewer", message, "note", count, values=values))
    feedback.step(1.0, "done")
    return Result(
        layers=(outcome.sensor_layer(placed), *layers),
        summary=summary,
        tables=(outcome.sensor_table(placed, inputs.frame),),
        charts=(chart,),
        issues=tuple(issues),
        assumptions=ASSUMPTIONS,
    )


def _chosen(scene: Scene, params: SensorParams, issues: list[Issue], feedback: Feedback) -> Told:
    if params.mode == "service":
        served = serve(scene, params, feedback)
        if not np.isfinite(served.bound):
            message = "Nothing was proven in the time given; the plan was found by exchanges."
            issues.append(Issue("sensor.siting.heuristic", message, "note"))
        return outcome.of_service(served, scene, params.measure)
    covered = cover(scene, params, feedback)
    if covered.plan.stopped == "time" and covered.plan.gap > params.gap / 100.0 + CLOSE_GAP:
        percent = round(100.0 * covered.plan.gap, 2)
        message = f"The time was over at a gap of {percent} %; the plan is the best so far."
        issues.append(Issue("sensor.siting.time", message, "doubt", values={"percent": percent}))
    return outcome.of_coverage(covered, scene)


def _represented(inputs: SensorInputs, params: SensorParams, issues: list[Issue], feedback: Feedback) -> Told:
    if params.covariance == "runs":
        return represent(inputs, params, None, issues, feedback)
    scene = scene_of(inputs, params, issues, feedback.part(0.0, 0.3))
    count = len(scene.ground.points)
    if count > MOST_FIELD_CELLS:
        # Every pair of cells counts: a finer ground would tell no more than the correlation length does.
        cell = params.cell * math.ceil(math.sqrt(count / MOST_FIELD_CELLS))
        message = f"The ground was coarsened to cells of {cell:g} m."
        issues.append(Issue("sensor.siting.coarsened", message, "note", values={"cell": cell}))
        scene = scene_of(inputs, params.model_copy(update={"cell": cell}), [], feedback.part(0.2, 0.3))
    return represent(inputs, params, scene, issues, feedback.part(0.3, 1.0))
