"""Where a model with coordinates of its own stands on the map, and what moving it does to its layers.

Readers of such models (IFC, IndoorGML) note the pose on the layers they make; moving a model changes its layers and
the reader's options alike, so that opening the project again reads it to the same place. The file is never touched.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.model import Frame, Geometry, Instances, Issue, Layer, Lines, Mesh, Points, UserError

Floats = NDArray[np.float64]
NOTE = "model.pose"
OPTIONS = ("at_east", "at_north", "at_height", "rotation_deg")
# Doubts that a placement by hand settles.
SETTLED = ("ifc.not_georeferenced", "ifc.moved_to_scene", "ifc.placed_by_latlong")
SAME_POINT = 0.05  # [m] two points nearer than this give no direction


@dataclass(frozen=True)
class Pose:
    """Place of a model's zero point, and its turn.

    Attributes
    ----------
    east, north : float [m of the project CRS]
    height : float [m]
    rotation_deg : float
        Clockwise turn seen from above: grid azimuth of the model's y axis [degrees].
    """

    east: float
    north: float
    height: float
    rotation_deg: float

    def as_options(self) -> dict[str, float]:
        """The reader's options that put the model here."""
        return dict(zip(OPTIONS, (self.east, self.north, self.height, self.rotation_deg), strict=True))

    def local(self, frame: Frame) -> Floats:
        """The zero point (3,) in local metres of a frame."""
        return frame.to_local(np.array([self.east, self.north, self.height]))


def pose_note(pose: Pose, *, level: int, source: str) -> Issue:
    """The note by which a reader tells the pose of what it has read.

    Parameters
    ----------
    level : int
        Level of georeferencing of the file after Clemen and Görne (2019): 10, 20, 30, 40, 50, or 0 for none.
    source : str
        Where the file says it, in plain English.
    """
    return Issue(
        NOTE,
        f"The model's zero point stands at E {pose.east:.3f}, N {pose.north:.3f}, height {pose.height:.3f} m, turned "
        f"{pose.rotation_deg:.4f} degrees clockwise from grid north (georeferencing level {level}: {source}).",
        values={**dataclasses.asdict(pose), "level": level, "source": source},
    )


def pose_of(layers: Sequence[Layer]) -> tuple[Pose, Mapping[str, object]] | None:
    """The pose that the reader noted on one of a model's layers, and all the note says; None without a note."""
    for layer in layers:
        for issue in layer.issues:
            if issue.code == NOTE:
                values = {name: float(str(issue.values[name])) for name in ("east", "north", "height", "rotation_deg")}
                return Pose(**values), issue.values
    return None


def moved(layer: Layer, before: Pose, after: Pose, frame: Frame) -> Layer:
    """A layer of a model that goes from one pose to another: geometry, reader options and note."""
    turn = math.radians(before.rotation_deg - after.rotation_deg)  # anticlockwise
    cosine, sine = math.cos(turn), math.sin(turn)
    matrix = np.array([[cosine, -sine, 0.0], [sine, cosine, 0.0], [0.0, 0.0, 1.0]])
    shift = after.local(frame) - matrix @ before.local(frame)
    own = {**dict(layer.source.options.get("own") or {}), **after.as_options()}  # type: ignore[call-overload]
    issues = [
        pose_note(after, level=int(str(i.values["level"])), source=str(i.values["source"])) if i.code == NOTE else i
        for i in layer.issues
        if i.code not in SETTLED
    ]
    return layer.with_(
        geometry=None if layer.geometry is None else _turned(layer.geometry, matrix, shift),
        source=dataclasses.replace(layer.source, options={**layer.source.options, "own": own}),
        issues=tuple(issues),
    )


def _turned(shape: Geometry, matrix: Floats, shift: Floats) -> Geometry:
    if isinstance(shape, Mesh | Lines | Points):
        return dataclasses.replace(shape, vertices=shape.vertices @ matrix.T + shift)
    if isinstance(shape, Instances):
        turned = np.einsum("ij,kjl->kil", matrix, shape.transform)
        turned[:, :, 3] += shift
        return dataclasses.replace(shape, transform=turned)
    raise TypeError(f"a model has no {shape.kind}")


def two_point_pose(pose: Pose, frame: Frame, model: Floats, ground: Floats) -> tuple[Pose, float]:
    """The pose that brings two points of a model onto two points of the map: turn and shift, no stretch.

    Parameters
    ----------
    pose : Pose
        Of the model as it stands now.
    model : (2, 3) float [local m]
        Points on the model as it stands now.
    ground : (2, 3) float [local m]
        Where they belong. The first point comes to lie exactly, height included; the second fixes the direction.

    Returns
    -------
    pose : Pose
    misfit : float [m]
        How much longer the distance of the two points is on the map than on the model.
    """
    have, want = model[1, :2] - model[0, :2], ground[1, :2] - ground[0, :2]
    length, wanted = float(np.hypot(*have)), float(np.hypot(*want))
    if min(length, wanted) < SAME_POINT:
        raise UserError(
            "The two points lie on one another.",
            "Two different points are needed, on the model and on the map, to know how the model is turned.",
            "Choose points that lie far apart, such as two corners of the building.",
            code="pose.one_point",
        )
    turn = math.atan2(want[1], want[0]) - math.atan2(have[1], have[0])
    cosine, sine = math.cos(turn), math.sin(turn)
    zero = pose.local(frame) - model[0]
    moved_zero = np.array([cosine * zero[0] - sine * zero[1], sine * zero[0] + cosine * zero[1], zero[2]]) + ground[0]
    east, north, height = (float(v) for v in frame.to_map(moved_zero))
    rotation = (pose.rotation_deg - math.degrees(turn)) % 360.0
    return Pose(east, north, height, rotation), wanted - length
