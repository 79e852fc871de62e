"""Headless. Which places a person sees, and which stand behind a building or under the ground."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from app.view.camera import Camera
from app.view.label_places import Floats, Sight
from app.view.obstacles import Obstacles
from app.view.picking import RayTarget, ray_target
from geo.model import Layer, Mesh

SLACK = 1.0  # metres by which a place may lie behind what hides it: the foot of a tree stands in its own crown
SOLID = ("building", "bim")


def sight_of(
    camera: Camera, layers: Sequence[Layer], target_of: Callable[[Layer], RayTarget | None] | None = None
) -> Sight | None:
    """Whether places are seen from a camera; None for plans, where nothing stands before anything.

    target_of : callable, optional
        Search structures that are there already; they are built without it.
    """
    if camera.is_parallel:
        return None
    solid = [layer for layer in layers if layer.style.visible and layer.theme in SOLID and layer.style.opacity == 1.0]
    targets = [target_of(layer) if target_of is not None else _built(layer) for layer in solid]
    obstacles = Obstacles(solid, targets)
    eye = np.asarray(camera.position, dtype=np.float64)

    def seen(points: Floats) -> NDArray[np.bool_]:
        away = points - eye
        distance = np.maximum(np.linalg.norm(away, axis=1), 1e-9)
        first = obstacles.cast(np.repeat(eye[None], len(points), axis=0), away / distance[:, None])
        return np.asarray(first > distance - SLACK)

    return seen


def _built(layer: Layer) -> RayTarget | None:
    return ray_target(layer.geometry, layer.theme) if isinstance(layer.geometry, Mesh) else None
