"""Privacy of a plan of cameras: what private things each sees and how well, masks, and the check list."""

from __future__ import annotations

from dataclasses import replace

from analysis.cctv.cameras import Camera, cameras_of
from analysis.cctv.catalogue import models_of
from analysis.cctv.privacy import find, near_cameras, placed, scene_for_privacy
from analysis.cctv.privacy_checks import answers
from analysis.cctv.privacy_declaration import PrivacyInputs, PrivacyParams
from analysis.cctv.privacy_outcome import (
    ASSUMPTIONS,
    camera_table,
    check_table,
    doubts,
    mask_table,
    private_layer,
    seen_table,
    summary,
)
from analysis.cctv.privacy_rules import privacy_rules
from analysis.cctv.private import private_of
from analysis.contract import Reference, Result, analysis
from geo.model import Feedback, Issue, Layer, UserError

PRIVACY_ACT = Reference("kr-pipa-25", "개인정보 보호법 제25조 (고정형 영상정보처리기기의 설치·운영 제한).")
SUTHERLAND_HODGMAN_1974 = Reference(
    "sutherland-hodgman-1974",
    "Sutherland, Hodgman (1974): Reentrant polygon clipping. Communications of the ACM 17, 32-42.",
    "10.1145/360767.360802",
)
IEC_62676_4 = Reference("iec-62676-4", "IEC 62676-4: Video surveillance systems, application guidelines.")


@analysis(
    id="cctv.privacy",
    title="Privacy of cameras",
    description=(
        "Which windows of homes, school rooms, baths and toilets each camera sees with how many pixels per metre, the "
        "masks that hide them in its picture, and the check list of the Korean privacy act."
    ),
    version=1,
    inputs=PrivacyInputs,
    params=PrivacyParams,
    references=(PRIVACY_ACT, IEC_62676_4, SUTHERLAND_HODGMAN_1974),
    headline=("purpose", "least_density"),
)
def cctv_privacy(inputs: PrivacyInputs, params: PrivacyParams, feedback: Feedback) -> Result:
    """Judge the cameras of a scene."""
    issues: list[Issue] = []
    feedback.step(0.0, "reading the cameras")
    cameras = _cameras(inputs, issues)
    inputs = replace(
        inputs,
        dwellings=tuple(near_cameras(layer, cameras, params.reach) for layer in inputs.dwellings),
        obstructions=tuple(near_cameras(layer, cameras, params.reach) for layer in inputs.obstructions),
    )
    private = private_of(inputs, params, issues, feedback.part(0.02, 0.4))
    if len(private) == 0:
        raise UserError(
            "Nothing private was found.",
            "The layers have no homes, no windows and no rooms of models.",
            "Choose layers with buildings or models.",
            code="cctv.privacy.nothing_private",
        )
    standing = _standing(inputs)
    scene = scene_for_privacy(
        standing, cameras, reach=params.reach, doors_open=params.doors_open, trees_hide=params.trees_hide,
        issues=issues, feedback=feedback.part(0.4, 0.6),
    )  # fmt: skip
    plan = find(
        placed(cameras, scene, issues), private, scene, least_density=params.least_density, reach=params.reach,
        feedback=feedback.part(0.6, 0.98),
    )  # fmt: skip
    found = answers(plan, private, purpose=params.purpose, rooms_known=bool(inputs.spaces))
    feedback.step(1.0, "done")
    return Result(
        layers=(private_layer(private, plan),),
        summary=summary(private, plan, found),
        tables=(camera_table(private, plan), seen_table(private, plan), mask_table(plan), check_table(found)),
        issues=(*issues, *doubts(private, plan, privacy_rules().unverified)),
        assumptions=ASSUMPTIONS,
    )


def _cameras(inputs: PrivacyInputs, issues: list[Issue]) -> list[Camera]:
    models, doubted = models_of(inputs.models)
    issues += doubted
    cameras: list[Camera] = []
    for layer in inputs.cameras:
        found, told = cameras_of(layer, models)
        cameras += [camera for camera in found if camera.state != "off"]
        issues += told
    if not cameras:
        raise UserError(
            "There is no camera to judge.",
            "The camera layers are empty, or none of their cameras can be used.",
            "Place a camera, or look at the notes of the layer.",
            code="cctv.privacy.no_cameras",
        )
    return cameras


def _standing(inputs: PrivacyInputs) -> list[Layer]:
    """All that may hide something, each layer once."""
    grounds = [*([inputs.terrain] if inputs.terrain is not None else []), *inputs.relief]
    chosen = [*grounds, *inputs.obstructions, *inputs.dwellings, *inputs.trees, *inputs.spaces]
    return list({layer.id: layer for layer in chosen}.values())
