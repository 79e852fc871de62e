"""Which private things each camera sees and how well, and the masks that hide them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.cctv.cameras import Camera, views_of
from analysis.cctv.masks import NO_MASKS, Pieces, ViewMasks, hidden, masks_of
from analysis.cctv.optics import View, density, in_view
from analysis.cctv.private import Private
from analysis.cctv.sight import FAULTS, Sight, SightScene, pole_faults, sight_scene, trace
from analysis.cctv.targets import ROOM, Targets, make_targets
from geo.model import Bounds, Feedback, Issue, Layer, Mesh

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Bools = NDArray[np.bool_]

LEAST_LIGHT = 0.05  # share of light that must come through: glass hides nothing, a crown in leaf does
DOORS = ("IfcDoor",)
FAULT_WORDS = ("", "inside a building", "under the ground", "within 5 cm of a surface")  # as `FAULTS`


class Seen(NamedTuple):
    """What one camera sees of what is private.

    Attributes
    ----------
    item : (k,) int64
        Rows of `Private`.
    density : (k,) float [px/m]
        The best of any of its views, of a plane parallel to the sensor, before masks.
    distance : (k,) float [m]
        To the nearest point of it that is seen.
    hidden : (k,) bool
        Whether masks hide all points of it that are seen.
    """

    item: Indices
    density: Floats
    distance: Floats
    hidden: Bools


@dataclass(frozen=True, eq=False)
class CameraPrivacy:
    """One camera: its views, the masks of each, and what it sees of what is private."""

    camera: Camera
    views: tuple[View, ...]
    masks: tuple[ViewMasks, ...]
    seen: Seen

    @property
    def mask_count(self) -> int:
        """Masks of all its views together."""
        return sum(len(one.polygons) for one in self.masks)

    @property
    def masked_share(self) -> float:
        """The largest share of a picture that is masked."""
        return max((one.share for one in self.masks), default=0.0)


def scene_for_privacy(
    layers: Sequence[Layer],
    cameras: Sequence[Camera],
    *,
    reach: float,
    doors_open: bool,
    trees_hide: bool,
    issues: list[Issue],
    feedback: Feedback,
) -> SightScene:
    """What hides private things: not glass, not doors that may be open, and trees only if asked."""
    standing = [without_doors(layer) if doors_open else layer for layer in layers]
    season = "summer" if trees_hide else "none"
    places = np.array([camera.position for camera in cameras], dtype=np.float64).reshape(-1, 3)
    box = Bounds.of(np.concatenate([places - reach, places + reach]))
    return sight_scene(
        standing,
        season=season,  # type: ignore[arg-type]
        least_light=LEAST_LIGHT,
        box=box,
        issues=issues,
        feedback=feedback,
    )


def placed(cameras: Sequence[Camera], scene: SightScene, issues: list[Issue]) -> list[Camera]:
    """The cameras whose lens has a place to look from; the others are told."""
    faults = pole_faults(scene, [camera.position for camera in cameras])
    for camera, fault in zip(cameras, faults.tolist(), strict=True):
        if fault:
            text = f"Camera {camera.name} is {FAULT_WORDS[fault]}; it is left out."
            values = {"camera": camera.name}
            issues.append(Issue(f"cctv.privacy.{FAULTS[fault]}", text, "error", 1, (camera.id,), values))
    return [camera for camera, fault in zip(cameras, faults.tolist(), strict=True) if not fault]


def near_cameras(layer: Layer, cameras: Sequence[Camera], reach: float) -> Layer:
    """A layer of buildings without those that lie wholly farther from every camera than `reach` [m] in plan."""
    mesh = layer.geometry
    if layer.theme != "building" or not isinstance(mesh, Mesh) or len(mesh.faces) == 0:
        return layer
    count = int(mesh.face_element.max()) + 1
    low, high = np.full((count, 2), np.inf), np.full((count, 2), -np.inf)
    for corner in range(3):
        np.minimum.at(low, mesh.face_element, mesh.vertices[mesh.faces[:, corner], :2])
        np.maximum.at(high, mesh.face_element, mesh.vertices[mesh.faces[:, corner], :2])
    keep = np.zeros(count, dtype=bool)
    for camera in cameras:
        place = np.array(camera.position[:2])
        keep |= np.hypot(*(np.maximum(np.maximum(low - place, place - high), 0.0)).T) <= reach
    return _faces_kept(layer, mesh, keep[mesh.face_element])


def without_doors(layer: Layer) -> Layer:
    """A model without the faces of its doors."""
    column, mesh = layer.table.columns.get("class"), layer.geometry
    if layer.theme != "bim" or column is None or not isinstance(mesh, Mesh):
        return layer
    door = np.isin(column.values.astype(str), DOORS)
    return _faces_kept(layer, mesh, ~door[mesh.face_element])


def _faces_kept(layer: Layer, mesh: Mesh, keep: Bools) -> Layer:
    if keep.all():
        return layer
    fields = tuple(
        type(one)(one.name, one.unit, one.on, one.values[keep], one.categories, one.ramp, one.range)
        for one in layer.fields
        if one.on == "face"
    ) + tuple(one for one in layer.fields if one.on == "element")
    return layer.with_(geometry=Mesh(mesh.vertices, mesh.faces[keep], mesh.face_element[keep]), fields=fields)


def points_as_targets(pieces: Pieces) -> Targets:
    """The points of pieces in the order in which they are traced; `Targets.number` is their row."""
    number = np.arange(len(pieces.points))
    return make_targets(pieces.points, kind=ROOM, cell_area=1.0, normal=pieces.point_normal, number=number)


def find(
    cameras: Sequence[Camera],
    private: Private,
    scene: SightScene,
    *,
    least_density: float,
    reach: float,
    feedback: Feedback,
) -> list[CameraPrivacy]:
    """Ask every camera.

    Parameters
    ----------
    least_density : float [px/m]
        Of what may be seen faintly; what is hard counts at any density.
    reach : float [m]
    """
    targets = points_as_targets(private.pieces)
    poles = np.array([camera.position for camera in cameras], dtype=np.float64).reshape(-1, 3)
    sight = trace(scene, poles, targets, reach, feedback.part(0.0, 0.6))
    rows = private.item[private.pieces.point_piece]
    out = []
    for number, camera in enumerate(cameras):
        feedback.step(0.6 + 0.4 * number / len(cameras), "masking")
        visible = _visible_points(sight, number, targets, len(private.pieces.points))
        out.append(_of_camera(camera, private, rows, visible, least_density))
    feedback.step(1.0, "masking")
    return out


def _visible_points(sight: Sight, pole: int, targets: Targets, count: int) -> Bools:
    found = np.zeros(count, dtype=bool)
    found[targets.number[sight.row(pole)[0]]] = True
    return found


def _of_camera(camera: Camera, private: Private, rows: Indices, visible: Bools, least_density: float) -> CameraPrivacy:
    views = views_of(camera)
    spots = np.flatnonzero(visible)
    if len(spots) == 0:
        nothing = np.zeros(0)
        seen = Seen(np.zeros(0, np.int64), nothing, nothing, np.zeros(0, dtype=bool))
        return CameraPrivacy(camera, views, (NO_MASKS,) * len(views), seen)
    points, item = private.pieces.points[spots], rows[spots]
    distance = np.linalg.norm(points - np.asarray(camera.position), axis=1)
    best = np.zeros(len(private))
    shown = np.zeros(len(private), dtype=bool)
    bare = np.zeros(len(private), dtype=bool)
    masks = []
    for view in views:
        pictured = in_view(view, points)
        px = np.where(pictured, density(view, points), view.focal_px / np.maximum(distance, 1e-9))
        sharpest = np.zeros(len(private))
        np.maximum.at(sharpest, item, px)
        counts = private.hard | (sharpest >= least_density)
        asked = visible & counts[rows]
        mine = masks_of(
            view, private.pieces, asked, most_masks=camera.model.mask_count, most_corners=camera.model.mask_corners
        )
        masks.append(mine)
        in_picture = np.zeros(len(private), dtype=bool)
        in_picture[private.item[mine.pieces]] = True
        in_picture[item[pictured & counts[item]]] = True
        shown |= in_picture
        best = np.where(in_picture, np.maximum(best, sharpest), best)
        open_ = pictured & counts[item]
        bare[item[open_][~hidden(view, mine, points[open_])]] = True
    found = np.flatnonzero(shown)
    nearest = np.full(len(private), np.inf)
    np.minimum.at(nearest, item, distance)
    return CameraPrivacy(camera, views, tuple(masks), Seen(found, best[found], nearest[found], ~bare[found]))
