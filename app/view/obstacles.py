"""What is in a walker's way: the triangles that picking has search structures of, and the ground."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from app.view.opened import classes_of
from app.view.picking import RayTarget
from app.view.sky import shown_elements
from geo.model import Grid, Layer

Vector = NDArray[np.float64]

SOLID_THEMES = frozenset({"building", "bim", "furniture", "terrain", "road", "other"})
PASSABLE = ("IfcDoor", "IfcOpeningElement", "IfcSpace", "IfcVirtualElement", "IfcAnnotation")
MOST_PASSED = 24  # doors and hidden faces that one ray goes through


class Obstacles:
    """Rays against what is solid. Doors are passable: a closed door in a model is one that opens.

    Parameters
    ----------
    layers : sequence of Layer
    targets : sequence of RayTarget or None
        The search structure of each layer, where it is ready.
    """

    def __init__(self, layers: Sequence[Layer], targets: Sequence[RayTarget | None]) -> None:
        pairs = [(a, b) for a, b in zip(layers, targets, strict=True) if a.style.visible and a.theme in SOLID_THEMES]
        self._grounds = [layer.geometry for layer, _ in pairs if isinstance(layer.geometry, Grid)]
        self._solids = [(target, _solid_elements(layer)) for layer, target in pairs if target is not None]

    def cast(self, origins: Vector, directions: Vector) -> Vector:
        """Distances (n,) [m] to the first solid thing; inf for none."""
        nearest = np.full(len(origins), np.inf)
        for target, solid in self._solids:
            nearest = np.minimum(nearest, _first_solid(target, solid, origins, directions))
        down = directions[:, 2] < -0.999
        for grid in self._grounds:
            away = origins[:, 2] - grid.sample(origins[:, 0], origins[:, 1])
            nearest = np.where(down & (away >= 0), np.fmin(nearest, away), nearest)
        return nearest


def _solid_elements(layer: Layer) -> NDArray[np.bool_]:
    solid = shown_elements(layer)
    classes = classes_of(layer)
    if classes is not None:
        for start in PASSABLE:
            solid[: len(classes)] &= ~np.char.startswith(classes, start)
    return solid


def _first_solid(target: RayTarget, solid: NDArray[np.bool_], origins: Vector, directions: Vector) -> Vector:
    away = np.full(len(origins), np.inf)
    start = np.zeros(len(origins))
    open_rows = np.arange(len(origins))
    for _ in range(MOST_PASSED):
        at = origins[open_rows] + start[open_rows, None] * directions[open_rows]
        found = target.occluder.first_hit(at, directions[open_rows])
        met = found.face >= 0
        open_rows, face = open_rows[met], found.face[met]
        start[open_rows] += found.distance[met]
        stops = solid[target.face_element[face]]
        away[open_rows[stops]] = start[open_rows[stops]]
        open_rows = open_rows[~stops]
        if len(open_rows) == 0:
            break
        start[open_rows] += 1e-3
    return away
