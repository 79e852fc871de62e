"""Private windows and rooms as points that no planned camera should see."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.cctv.cameras import Camera
from analysis.cctv.catalogue import CameraModel
from analysis.cctv.privacy import near_cameras
from analysis.cctv.privacy_declaration import PrivacyInputs, PrivacyParams
from analysis.cctv.private import private_of
from analysis.cctv.siting_declaration import SitingInputs, SitingParams
from analysis.cctv.targets import WEIGHT_UNIT
from geo.model import Feedback, Issue

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

ANY_DENSITY = 1e-3  # [px/m]


class PrivatePoints(NamedTuple):
    """Points on what is private.

    Attributes
    ----------
    points, normals : (n, 3) float64
    penalty : (n,) int64
        Taken off the value of a camera that sees the point, in units of the targets' weights.
    forbidden : (n,) bool
        No camera may see it at all.
    need : (n,) float64 [px/m]
        From which it counts.
    """

    points: Floats
    normals: Floats
    penalty: Whole
    forbidden: NDArray[np.bool_]
    need: Floats


NO_PRIVATE_POINTS = PrivatePoints(
    np.zeros((0, 3)), np.zeros((0, 3)), np.zeros(0, np.int64), np.zeros(0, np.bool_), np.zeros(0)
)


def private_points(
    inputs: SitingInputs, params: SitingParams, middle: Floats, away: float, issues: list[Issue], feedback: Feedback
) -> PrivatePoints:
    """Windows of homes and schools, baths and other rooms within `away` [m] of the middle of the area."""
    here = Camera("middle", "middle", _ANY_MODEL, (float(middle[0]), float(middle[1]), 0.0))
    solid = tuple(layer for layer in inputs.buildings if layer.kind == "mesh" and layer.theme in ("building", "bim"))
    near = tuple(near_cameras(layer, [here], away) for layer in solid)
    asked = PrivacyInputs(
        frame=inputs.frame, cameras=(), dwellings=near, obstructions=near, terrain=inputs.terrain,
        relief=inputs.relief, trees=(), spaces=inputs.rooms,
    )  # fmt: skip
    found = private_of(asked, PrivacyParams(), issues, feedback)
    if len(found) == 0:
        text = "No windows of homes, no baths and no changing rooms were found: nothing private is avoided."
        issues.append(Issue("cctv.siting.nothing_private", text, "doubt"))
        return NO_PRIVATE_POINTS
    pieces = found.pieces
    item = found.item[pieces.point_piece]
    close = np.hypot(*(pieces.points[:, :2] - middle).T) <= away
    per_item = np.bincount(item, minlength=len(found))[item]
    hard = found.hard[item]
    # Who asks for all that can be seen cannot weigh windows against it: only what no camera may see is avoided.
    whole = 0.0 if params.objective == "full" else params.private_area * WEIGHT_UNIT
    penalty = np.where(hard, 0, np.maximum(np.rint(whole / per_item), 1.0 if whole > 0 else 0.0)).astype(np.int64)
    forbidden = hard | (params.privacy == "hard")
    need = np.where(hard, ANY_DENSITY, params.private_density)
    points = PrivatePoints(pieces.points, pieces.point_normal, np.where(forbidden, 0, penalty), forbidden, need)
    return PrivatePoints(*(part[close] for part in points))


_ANY_MODEL = CameraModel("-", "-", "fixed", 1.0, 1.0, 1, 1, 1.0, 1.0)
