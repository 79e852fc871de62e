"""What cameras see of a city, how well, and what none of them sees."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from analysis.cctv.blind_spots import BlindSpot, blind_spots
from analysis.cctv.cameras import Camera, cameras_of
from analysis.cctv.catalogue import models_of
from analysis.cctv.classes import Edition, editions
from analysis.cctv.declaration import CoverageInputs, CoverageParams
from analysis.cctv.failure import redundancy
from analysis.cctv.looked_at import LookedAt, looked_at
from analysis.cctv.mask_tables import masks_of_cameras
from analysis.cctv.outcome import Values, blind_layers, facade_layer, ground_layer, point_layers, room_layer
from analysis.cctv.outlines import height_at
from analysis.cctv.scope import class_from, sight_box
from analysis.cctv.seen import PlanScore, Score
from analysis.cctv.sight import FAULTS, OK, SightScene, in_crowns, pole_faults, sight_scene
from analysis.cctv.tables import area_table, blind_table, camera_table, chart, class_table, summary
from analysis.cctv.targets import GROUND
from analysis.contract import Reference, Result, analysis
from geo.model import Feedback, Issue, UserError

IEC_62676_4 = Reference(
    "iec-62676-4", "IEC 62676-4: Video surveillance systems for use in security applications - Part 4: Application "
    "guidelines. Editions of 2014 and 2025."
)  # fmt: skip
WALD_2014 = Reference(
    "wald-2014",
    "I. Wald et al.: Embree, a kernel framework for efficient CPU ray tracing. 2014.",
    "10.1145/2601097.2601199",
)
MOST_NAMED = 8  # cameras an issue names
Severity = Literal["note", "doubt", "error"]

ASSUMPTIONS = (
    "People are points at the height looked at, upright and facing the camera; their pixels per metre are read as the "
    "parameter says.",
    "On facades, doors and plates the density is the least along any direction within the surface.",
    "Lenses are free of distortion (fisheyes: r = f theta); blur, compression, rain and dirt are not modelled.",
    "A line of sight is free or not: a target counts when at least half of the light comes through panes and crowns.",
    "Doors are closed as modelled; people and vehicles do not hide one another.",
    "Presets of cameras that turn are reachable, never seen at the same time.",
    "By night a camera sees what its own light reaches, and what is known to be lit.",
    "The longest unseen way is the longest of the shortest ways found within a blind spot: at least so long.",
)


@analysis(
    id="cctv.coverage",
    title="What cameras see",
    description=(
        "What a plan of cameras sees of the ground, of rooms, facades, entrances and number plates, in which class of "
        "picture quality, by day and by night; blind spots, what is seen twice, and what one camera's failure costs."
    ),
    version=1,
    inputs=CoverageInputs,
    params=CoverageParams,
    references=(IEC_62676_4, WALD_2014),
    headline=("edition", "season"),
)
def cctv_coverage(inputs: CoverageInputs, params: CoverageParams, feedback: Feedback) -> Result:
    """Trace every camera, look at its targets through its lens, and add up."""
    issues: list[Issue] = []
    edition = editions()[params.edition]
    least = float(edition.limits[class_from(params, edition)])
    cameras, layers = cameras_in(inputs, issues)
    feedback.step(0.02, "preparing the obstacles")
    scene = sight_scene(
        inputs.scene, season=params.season, pane=None if params.glass else 0.0, leaf_density=params.leaf_density,
        box=sight_box(cameras, params.around, least), issues=issues, feedback=feedback.part(0.02, 0.2),
    )  # fmt: skip
    cameras, layers, left_out = standing(scene, cameras, layers, issues)
    looked = looked_at(inputs, params, scene, cameras, edition, issues, feedback.part(0.2, 0.4))
    plan = PlanScore(
        scene,
        looked.targets,
        cameras,
        least=least,
        reading=params.reading,
        masks=masks_of_cameras(inputs.masks, cameras, issues),
        feedback=feedback.part(0.4, 0.8),
    )
    score = plan.score()
    _tell_blocked(plan, issues)
    feedback.step(0.82, "finding blind spots")
    spots = _blind(looked, score, inputs, params, least, feedback.part(0.82, 0.95))
    found = _result(inputs, params, plan, score, looked, spots, edition, layers, left_out=left_out)
    feedback.step(1.0, "done")
    return Result(**found, issues=tuple(issues), assumptions=ASSUMPTIONS)  # type: ignore[arg-type]


def cameras_in(inputs: CoverageInputs, issues: list[Issue]) -> tuple[list[Camera], list[str]]:
    """The cameras of all layers, and the name of the layer of each. Raises `UserError` where there is none."""
    models, doubts = models_of(inputs.models)
    issues += doubts
    cameras: list[Camera] = []
    layers: list[str] = []
    for layer in inputs.cameras:
        found, doubts = cameras_of(layer, models)
        issues += doubts
        cameras += found
        layers += [layer.name] * len(found)
    unverified = sorted({camera.model.id for camera in cameras if not camera.model.verified})
    if unverified:
        text = f"{len(unverified)} camera models were not compared with a data sheet: {', '.join(unverified)}."
        values = {"models": ", ".join(unverified)}
        issues.append(Issue("cctv.unverified_models", text, "note", len(unverified), values=values))
    if not cameras:
        raise UserError(
            "There are no cameras.",
            "No layer of cameras was given, or none of its points could be read as a camera.",
            "Place cameras in the scene, or import points as cameras.",
            code="cctv.no_cameras",
        )
    return cameras, layers


def standing(
    scene: SightScene, cameras: list[Camera], layers: list[str], issues: list[Issue]
) -> tuple[list[Camera], list[str], int]:
    """The cameras that can stand where they are, their layers, and how many cannot."""
    faults = pole_faults(scene, [camera.position for camera in cameras])
    texts = {
        "inside": "stand inside buildings", "underground": "lie under ground", "touching": "touch a surface",
    }  # fmt: skip
    for number, name in enumerate(FAULTS):
        wrong = [camera for camera, fault in zip(cameras, faults.tolist(), strict=True) if fault == number != OK]
        if wrong:
            issues.append(_about(f"cctv.camera_{name}", wrong, f"{texts[name]} and are left out", "error"))
    kept = [k for k, fault in enumerate(faults.tolist()) if fault == OK]
    if not kept:
        raise UserError(
            "None of the cameras can stand where it is.",
            "All of them are inside buildings, under ground, or touch a surface.",
            "Check the heights of the cameras and whether they and the buildings have the same coordinate system.",
            code="cctv.no_camera_stands",
        )
    return [cameras[k] for k in kept], [layers[k] for k in kept], len(cameras) - len(kept)


def _tell_blocked(plan: PlanScore, issues: list[Issue]) -> None:
    """Say which cameras hang in a tree and which see nothing at all."""
    hidden = in_crowns(plan.scene, [camera.position for camera in plan.cameras])
    hanging = [camera for camera, one in zip(plan.cameras, hidden.tolist(), strict=True) if one]
    if hanging:
        issues.append(_about("cctv.in_crown", hanging, "have their lens within the crown of a tree", "doubt"))
    blind = [camera for k, camera in enumerate(plan.cameras) if camera.state != "off" and len(plan.seen(k).target) == 0]
    if blind:
        issues.append(_about("cctv.sees_nothing", blind, "see nothing of what is looked at", "doubt"))


def _about(code: str, cameras: Sequence[Camera], what: str, severity: Severity) -> Issue:
    """An issue that names cameras."""
    names = ", ".join(camera.name for camera in cameras[:MOST_NAMED]) + (" ..." if len(cameras) > MOST_NAMED else "")
    text = f"{len(cameras)} cameras {what}: {names}."
    elements = tuple(camera.id for camera in cameras)
    return Issue(code, text, severity, len(cameras), elements, {"count": len(cameras), "cameras": names})


def _blind(
    looked: LookedAt, score: Score, inputs: CoverageInputs, params: CoverageParams, least: float, feedback: Feedback
) -> list[BlindSpot]:
    if looked.raster is None:
        return []
    targets = looked.targets
    unseen = (targets.kind == GROUND) & (score.density < np.float32(least))
    order = np.argsort(targets.number[unseen], kind="stable")
    cells, weight = targets.number[unseen][order], targets.weight[unseen][order]
    named = [layer for layer in (*inputs.buildings, *inputs.roads) if layer.theme in ("building", "road")]
    return blind_spots(looked.raster, cells, weight, smallest=params.blind_area, named=named, feedback=feedback)


def _result(
    inputs: CoverageInputs, params: CoverageParams, plan: PlanScore, score: Score, looked: LookedAt,
    spots: list[BlindSpot], edition: Edition, layers: list[str], *, left_out: int,
) -> dict[str, object]:  # fmt: skip
    values = Values(score, edition)
    lost = redundancy(score, looked.targets, len(plan.cameras))
    terrain = plan.scene.obstacles.terrain
    places = np.array([camera.position for camera in plan.cameras])
    below = plan.scene.opaque.first_hit(places, np.array([[0.0, 0.0, -1.0]])).distance
    height = np.where(np.isfinite(below), below, places[:, 2] - looked.level) - params.height
    maps = [ground_layer(looked, values), room_layer(looked, values), facade_layer(looked, values)]

    def level(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.nan_to_num(height_at(terrain, x, y, otherwise=looked.level), nan=looked.level)

    return {
        "layers": (
            *(layer for layer in maps if layer is not None),
            *point_layers(looked, values),
            *blind_layers(spots, looked.raster, level),
        ),
        "summary": summary(plan, score, lost, edition, spots, left_out=left_out),
        "tables": (
            class_table(score, looked.targets, edition),
            area_table(score, looked.targets, edition, plan.least),
            camera_table(plan, layers, lost, edition, height),
            blind_table(spots, inputs.frame),
        ),
        "charts": (chart(score, looked.targets, edition),),
    }
