"""How well each camera sees what is in sight, and what a plan of cameras sees together.

A `PlanScore` keeps the lines of sight of every camera: turning or zooming one traces nothing, moving one traces that
one alone, and the score is made anew from the kept rows, so that it is the same as that of a whole run to the bit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.cctv.cameras import Camera, reach_of, views_of
from analysis.cctv.classes import Edition, figure
from analysis.cctv.masks import hidden
from analysis.cctv.optics import Reading, View, density, face_angles, in_view, surface_angle
from analysis.cctv.sight import Sight, SightScene, retrace, trace
from analysis.cctv.targets import PLATE, Targets
from geo.model import Bounds, Feedback

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Bools = NDArray[np.bool_]
Numbers = NDArray[np.int32]
ViewPolygons = Sequence[Sequence[Floats]]


@dataclass(frozen=True)
class Limits:
    """Angles up to which faces and plates are seen well enough [deg], and light at night [lx]."""

    face_tilt: float
    face_yaw: float
    plate: float
    lux: float


def default_limits() -> Limits:
    """Those of the data file."""
    return Limits(
        figure("angles", "face_tilt"), figure("angles", "face_yaw"), figure("angles", "plate"), figure("night", "lux")
    )


class Seen(NamedTuple):
    """What one camera sees of the targets in its sight.

    Attributes
    ----------
    target : (k,) int32
        Ascending.
    density : (k,) float32 [px/m]
        Best of the views it has at once; 0 where only a preset reaches.
    reachable : (k,) float32 [px/m]
        Best of all views, presets among them.
    square : (k,) bool
        Whether the angles of a face (of a plate, for plates) are within their limits.
    lit : (k,) bool
        Whether it is seen at night: within reach of the camera's own light, or lit by others.
    through : (k,) bool
        Whether the line goes through glass or a crown.
    """

    target: Numbers
    density: Singles
    reachable: Singles
    square: Bools
    lit: Bools
    through: Bools


def seen_by(
    camera: Camera,
    sight: tuple[Numbers, NDArray[np.uint8]],
    targets: Targets,
    *,
    limits: Limits | None = None,
    reading: Reading = "parallel",
    least: float = 0.0,
    masks: ViewPolygons = (),
) -> Seen:
    """What a camera sees of the targets in its line of sight.

    Parameters
    ----------
    sight : (idx, through)
        A row of `Sight`, traced from the place of the camera.
    least : float [px/m]
        Targets seen with less are left out.
    masks : sequence of sequences of (k, 2) float [px]
        What is hidden in the picture of each view, in the order of `views_of`; empty for none.
    """
    limits = limits or default_limits()
    idx, through = sight
    xyz, normal = targets.xyz[idx], targets.normal[idx]
    now, ever = np.zeros(len(idx), np.float32), np.zeros(len(idx), np.float32)
    for number, view in enumerate(views_of(camera)):
        found = _density_in(view, xyz, normal, reading)
        if number < len(masks) and len(masks[number]):
            found[hidden(view, tuple(masks[number]), xyz)] = 0.0
        np.maximum(ever, found, out=ever)
        if not view.reachable:
            np.maximum(now, found, out=now)
    kept = (ever > 0) & (ever >= np.float32(least))
    rows = idx[kept]
    return Seen(
        rows,
        now[kept],
        ever[kept],
        _square(camera, targets, rows, limits),
        _lit(camera, targets, rows, limits),
        through[kept].astype(bool),
    )


def _density_in(view: View, xyz: Floats, normal: Floats, reading: Reading) -> Singles:
    """(k,) density in a view; 0 outside the picture."""
    out = np.zeros(len(xyz), dtype=np.float32)
    inside = np.flatnonzero(in_view(view, xyz))
    out[inside] = density(view, xyz[inside], normal[inside], reading=reading)
    return out


def _square(camera: Camera, targets: Targets, rows: Numbers, limits: Limits) -> Bools:
    xyz, normal = targets.xyz[rows], targets.normal[rows]
    tilt, yaw = face_angles(camera.position, xyz, normal)
    faces = (tilt <= limits.face_tilt) & (yaw <= limits.face_yaw)
    plates = targets.kind[rows] == PLATE
    if plates.any():
        faces[plates] = surface_angle(camera.position, xyz[plates], normal[plates]) <= limits.plate
    return np.asarray(faces)


def _lit(camera: Camera, targets: Targets, rows: Numbers, limits: Limits) -> Bools:
    away = targets.xyz[rows] - np.asarray(camera.position)
    near = (away**2).sum(axis=1) <= camera.model.ir_range_m**2
    with np.errstate(invalid="ignore"):
        return np.asarray(near | (targets.lux[rows] >= limits.lux))


@dataclass(frozen=True, eq=False)
class Score:
    """What a plan sees.

    Attributes
    ----------
    density : (n,) float32 [px/m]
        Best of all cameras for each target; 0 for none.
    reachable : (n,) float32 [px/m]
        With the presets of cameras that turn.
    square : (n,) float32 [px/m]
        Best of the cameras that see a face or plate within its angles.
    night : (n,) float32 [px/m]
        Best of the cameras that see it at night.
    views : (n,) int32
        Cameras that see it with at least the density counted from.
    only : (n,) int32
        The camera, where just one sees it so; else -1.
    """

    density: Singles
    reachable: Singles
    square: Singles
    night: Singles
    views: Numbers
    only: Numbers

    def coverage(self, targets: Targets, edition: Edition, *, density: Singles | None = None) -> Floats:
        """(c,) share (0..1) of the weight of all targets that is seen at least in each class."""
        number = edition.classify(self.density if density is None else density)
        total = int(targets.weight.sum())
        sums = np.array([int(targets.weight[number >= k].sum()) for k in range(len(edition.classes))], dtype=np.float64)
        return sums / total if total else np.zeros(len(sums))


class PlanScore:
    """A plan of cameras before a scene and targets, scored again cheaply after each change.

    Parameters
    ----------
    scene : SightScene
    targets : Targets
    cameras : sequence of Camera
    least : float [px/m]
        Density from which a view counts; lines of sight are traced as far as any camera reaches with it.
    limits, reading
        See `seen_by`.
    sight : Sight, optional
        Of these cameras, when they were traced before.
    masks : mapping of Camera, optional
        Of cameras as they are: one that is changed has none any more.
    """

    def __init__(
        self,
        scene: SightScene,
        targets: Targets,
        cameras: Sequence[Camera],
        *,
        least: float,
        limits: Limits | None = None,
        reading: Reading = "parallel",
        sight: Sight | None = None,
        masks: Mapping[Camera, ViewPolygons] | None = None,
        feedback: Feedback | None = None,
    ) -> None:
        self.scene, self.targets, self.least = scene, targets, least
        self.limits, self.reading = limits or default_limits(), reading
        self.cameras = list(cameras)
        self.masks = dict(masks or {})
        if sight is None:
            sight = self._traced(self.cameras, feedback)
        self._rows = [sight.row(k) for k in range(len(sight))]
        self._seen = [self._see(k) for k in range(len(self.cameras))]
        self.traced = len(self.cameras)

    def _traced(self, cameras: Sequence[Camera], feedback: Feedback | None = None) -> Sight:
        poles = np.array([camera.position for camera in cameras], dtype=np.float64).reshape(-1, 3)
        reach = np.array([reach_of(camera.model, self.least) for camera in cameras])
        return trace(self.scene, poles, self.targets, reach, feedback)

    def _see(self, number: int) -> Seen:
        return seen_by(
            self.cameras[number], self._rows[number], self.targets, limits=self.limits, reading=self.reading,
            least=self.least, masks=self.masks.get(self.cameras[number], ()),
        )  # fmt: skip

    def seen(self, number: int) -> Seen:
        """What one camera sees."""
        return self._seen[number]

    def sight(self, number: int) -> tuple[Numbers, NDArray[np.uint8]]:
        """The targets in the line of sight of one camera, wherever it looks."""
        return self._rows[number]

    def set_camera(self, number: int, camera: Camera) -> None:
        """Put a camera in the place of another: traced only when it stands elsewhere or reaches further."""
        before = self.cameras[number]
        self.cameras[number] = camera
        if _line_of(before) != _line_of(camera):
            self._rows[number] = self._traced([camera]).row(0)
            self.traced += 1
        self._seen[number] = self._see(number)

    def add(self, camera: Camera) -> int:
        """Add a camera; its number."""
        self.cameras.append(camera)
        self._rows.append(self._traced([camera]).row(0))
        self.traced += 1
        self._seen.append(self._see(len(self.cameras) - 1))
        return len(self.cameras) - 1

    def remove(self, number: int) -> None:
        """Take a camera away; those after it move up."""
        for kept in (self.cameras, self._rows, self._seen):
            del kept[number]

    def set_scene(self, scene: SightScene, boxes: Sequence[Bounds]) -> int:
        """Another scene that differs only within some boxes; how many lines were traced again.

        The two scenes must count about the same centre (`sight_scene(..., centre=before.opaque.centre)`).
        """
        self.scene = scene
        poles = np.array([camera.position for camera in self.cameras], dtype=np.float64).reshape(-1, 3)
        reach = np.array([reach_of(camera.model, self.least) for camera in self.cameras])
        counts = [len(row[0]) for row in self._rows]
        before = Sight(
            np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            np.concatenate([np.zeros(0, np.int32), *(row[0] for row in self._rows)]),
            np.concatenate([np.zeros(0, np.uint8), *(row[1] for row in self._rows)]),
        )
        sight, pairs = retrace(scene, before, poles, self.targets, reach, boxes)
        for number in range(len(self.cameras)):
            row = sight.row(number)
            if not np.array_equal(row[0], self._rows[number][0]) or not np.array_equal(row[1], self._rows[number][1]):
                self._rows[number] = row
                self._seen[number] = self._see(number)
        return pairs

    def score(self) -> Score:
        """The plan as it stands; cameras that are off do not count."""
        count = len(self.targets)
        best = [np.zeros(count, np.float32) for _ in range(4)]
        views, only = np.zeros(count, np.int32), np.full(count, -1, np.int32)
        for number, (camera, seen) in enumerate(zip(self.cameras, self._seen, strict=True)):
            if camera.state == "off":
                continue
            rows = seen.target
            dark = np.float32(0.0)
            values = (
                seen.density, seen.reachable, np.where(seen.square, seen.density, dark),
                np.where(seen.lit, seen.density, dark),
            )  # fmt: skip
            for kept, value in zip(best, values, strict=True):
                kept[rows] = np.maximum(kept[rows], value)
            counted = rows[seen.density >= max(np.float32(self.least), np.float32(1e-6))]
            views[counted] += 1
            only[counted] = number
        only[views != 1] = -1
        return Score(best[0], best[1], best[2], best[3], views, only)


def _line_of(camera: Camera) -> tuple[object, ...]:
    return camera.position, camera.model
