"""Headless. Where the coordinates of a topic lie in the scene, and the camera and section it stands for.

BCF gives metres in the frame of the model a topic is about. A topic about no model has coordinates of the map.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

import numpy as np
from numpy.typing import NDArray

from app.look import MOST_PLANES, NO_SECTION, ClipPlane, Section
from app.model_view import is_model_layer
from app.view.camera import Camera
from bim.bcf.model import Eye, Plane, Topic, Vector, Viewpoint
from geo.model import Bounds, Frame, Layer, UserError
from geo.pose import Pose, pose_of

Floats = NDArray[np.float64]

FAR = 10_000.0  # metres from zero beyond which coordinates are those of a map, not of a building
NEAR_MODEL = 100.0  # metres around a model within which a new topic is about it
LOOKED_AT = 20.0  # metres to what is looked at, where nothing tells
NEAREST = 1.5
STEEP = 0.9999  # sine of the pitch from which the direction up decides which way the picture is turned
TILT = 1e-3


@dataclass(frozen=True)
class Anchor:
    """From the coordinates of a topic to the scene: ``local = turn @ point + zero``.

    Attributes
    ----------
    model : str
        Name of the model's file; ``""`` for the map.
    """

    model: str
    turn: Floats
    zero: Floats

    def to_scene(self, point: Vector | Floats) -> Floats:
        """Points (..., 3) in local metres."""
        return np.asarray(point, dtype=np.float64) @ self.turn.T + self.zero

    def from_scene(self, point: Vector | Floats) -> Vector:
        """A point (3,) of the scene in coordinates of the topic."""
        return _triple((np.asarray(point, dtype=np.float64) - self.zero) @ self.turn)

    def direction_to_scene(self, direction: Vector) -> Floats:
        """A direction (3,) in the scene."""
        return np.asarray(self.turn @ np.asarray(direction), dtype=np.float64)

    def direction_from_scene(self, direction: Vector | Floats) -> Vector:
        """A direction (3,) in coordinates of the topic."""
        return _triple(np.asarray(direction) @ self.turn)


def map_anchor(frame: Frame) -> Anchor:
    """Coordinates of the map."""
    return Anchor("", np.eye(3), frame.to_local(np.zeros(3)))


def model_anchor(name: str, pose: Pose, frame: Frame) -> Anchor:
    """Coordinates of a model that stands so."""
    turn = math.radians(pose.rotation_deg)
    cosine, sine = math.cos(turn), math.sin(turn)
    return Anchor(name, np.array([[cosine, sine, 0.0], [-sine, cosine, 0.0], [0.0, 0.0, 1.0]]), pose.local(frame))


def models_in(layers: Sequence[Layer]) -> dict[Path, list[Layer]]:
    """The layers of each model that says where it stands."""
    found: dict[Path, list[Layer]] = {}
    for layer in layers:
        if layer.source.path and pose_of([layer]) is not None:
            found.setdefault(Path(layer.source.path), []).append(layer)
    return found


def anchor_of(topic: Topic, view: Viewpoint | None, layers: Sequence[Layer], frame: Frame | None) -> Anchor:
    """How the coordinates of a topic lie in the scene.

    Its model is found by the name that the topic gives, then by the elements it names; coordinates far from zero
    are those of the map; and of one model only there is no doubt. Raises `UserError` where none is there.
    """
    if frame is None:
        raise _no_model(topic)
    models = models_in(layers)
    if topic.on_map or not (models or _is_far(view)):
        if topic.on_map:
            return map_anchor(frame)
        raise _no_model(topic)
    named = {PurePath(file.name).stem.casefold() for file in topic.files if file.name}
    path = next((path for path in models if path.stem.casefold() in named), None)
    path = path or _model_with(view, models)
    if path is None and _is_far(view):
        return map_anchor(frame)
    if path is None and topic.on_map is False and named:
        raise _no_model(topic)
    path = path or next(iter(models))
    pose = pose_of(models[path])
    if pose is None:
        raise _no_model(topic)
    return model_anchor(path.name, pose[0], frame)


def anchor_for_new(
    layers: Sequence[Layer], frame: Frame, *, chosen: Sequence[str] = (), focus: Floats | None = None
) -> Anchor:
    """What a new topic is about: the model of chosen layers, else the one that stands where one looks, else the map."""
    models = models_in(layers)
    mine = next((p for p, group in models.items() if any(layer.id in chosen for layer in group)), None)
    if mine is None and focus is not None:
        mine = next((path for path, group in models.items() if _is_near(group, focus)), None)
    pose = pose_of(models[mine]) if mine is not None else None
    return map_anchor(frame) if mine is None or pose is None else model_anchor(mine.name, pose[0], frame)


def _is_near(layers: Sequence[Layer], focus: Floats) -> bool:
    box = Bounds.union([layer.geometry.bounds for layer in layers if layer.geometry and layer.geometry.bounds])
    if box is None:
        return False
    away = np.maximum(np.maximum(np.array(box.low) - focus, focus - np.array(box.high)), 0.0)
    return float(np.linalg.norm(away)) <= NEAR_MODEL


def _is_far(view: Viewpoint | None) -> bool:
    return view is not None and view.eye is not None and math.hypot(*view.eye.position[:2]) > FAR


def _model_with(view: Viewpoint | None, models: dict[Path, list[Layer]]) -> Path | None:
    """The model that has most of the elements which a viewpoint names."""
    if view is None:
        return None
    wanted = {c.ifc_guid for c in (*view.selected, *view.exceptions) if c.ifc_guid}
    counts = {
        path: sum(guid in layer.table.index for layer in group if is_model_layer(layer) for guid in wanted)
        for path, group in models.items()
    }
    best = max(counts, key=lambda path: counts[path], default=None)
    return best if best is not None and counts[best] else None


def _no_model(topic: Topic) -> UserError:
    names = ", ".join(dict.fromkeys(file.name for file in topic.files if file.name)) or "?"
    return UserError(
        f"The view of '{topic.title}' cannot be shown.",
        f"It is given in the coordinates of a model that is not in the scene ({names}).",
        "Import that model first.",
        code="topics.no_model",
        values={"title": topic.title, "models": names},
    )


def camera_of(eye: Eye, anchor: Anchor, looked_at: Bounds | None, *, aspect: float = math.inf) -> Camera:
    """The camera of the scene that sees what a viewpoint saw.

    Parameters
    ----------
    looked_at : Bounds or None [local m]
        What is likely to be looked at; it tells how far away the point is that one turns about.
    aspect : float
        Width of our picture over its height. Where it is less than the viewpoint's, more is shown above and below so
        that nothing is lost at the sides (BCF 3.0, aspect ratio adjustment).
    """
    position = anchor.to_scene(eye.position)
    forward, up = anchor.direction_to_scene(eye.direction), anchor.direction_to_scene(eye.up)
    if abs(forward[2]) > STEEP:  # our cameras have up = +z: of a plan the azimuth is kept by a tilt nobody sees
        forward = forward - math.copysign(TILT, forward[2]) * up
        forward /= np.linalg.norm(forward)
    distance = eye.distance or _distance(position, forward, looked_at)
    widened = max(eye.aspect / aspect, 1.0)
    fov = 2 * math.degrees(math.atan(math.tan(math.radians(eye.fov) / 2) * widened)) if widened > 1.0 else eye.fov
    return Camera(_triple(position), _triple(position + forward * distance), fov, eye.parallel_height * widened)


def _distance(position: Floats, forward: Floats, looked_at: Bounds | None) -> float:
    if looked_at is None:
        return LOOKED_AT
    ahead = float((np.array(looked_at.centre) - position) @ forward)
    return ahead if ahead > NEAREST else LOOKED_AT


def eye_of(camera: Camera, anchor: Anchor, *, aspect: float) -> Eye:
    """A camera of the scene for a topic."""
    _, up, forward = camera.basis
    return Eye(
        position=anchor.from_scene(camera.position),
        direction=anchor.direction_from_scene(forward),
        up=anchor.direction_from_scene(up),
        fov=camera.fov,
        parallel_height=camera.parallel_height,
        aspect=aspect,
        distance=camera.distance,
    )


def section_of(planes: Sequence[Plane], anchor: Anchor) -> Section:
    """What cuts the scene as the planes of a viewpoint do; at most as many as can be drawn."""
    if not planes:
        return NO_SECTION
    made = [ClipPlane(_triple(anchor.to_scene(p.point)), _triple(anchor.direction_to_scene(p.normal))) for p in planes]
    return Section(planes=tuple(made[:MOST_PLANES]))


def planes_of(section: Section, anchor: Anchor) -> tuple[Plane, ...]:
    """The planes, the box and the storey that cut the scene, for a topic."""
    cuts = [*section.planes, *(section.box.planes if section.box else ())]
    cuts += [section.storey.plane] if section.storey else []
    return tuple(Plane(anchor.from_scene(c.point), anchor.direction_from_scene(c.normal)) for c in cuts)


def _triple(values: Floats | Sequence[float]) -> Vector:
    x, y, z = (float(v) for v in values)
    return x, y, z
