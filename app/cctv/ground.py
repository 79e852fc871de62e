"""Headless. The ground that cameras stand over: the terrain, or a plain where there is none."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from app.document import Document
from geo.model import Bounds, Grid, Instances, Layer, Mesh, one_ground

BEYOND = 1000.0  # [m] that the plain reaches beyond what stands on it


def camera_ground(layers: Sequence[Layer]) -> Grid | None:
    """Heights of the ground that is shown; without a terrain a level one, by the rule of ``cctv.coverage``.

    None where nothing tells of it, or where the terrain is a surface of triangles.
    """
    from analysis.cctv.obstacles import SOLID_THEMES
    from analysis.cctv.plain import plain_level

    layers = _told_by(layers)
    terrain = [layer.geometry for layer in layers if layer.theme == "terrain"]
    if terrain:
        return one_ground([grid for grid in terrain if isinstance(grid, Grid)])
    solid = [layer for layer in layers if layer.theme in SOLID_THEMES and isinstance(layer.geometry, Mesh | Instances)]
    boxes = [layer.geometry.bounds for layer in solid if isinstance(layer.geometry, Mesh | Instances)]
    whole = Bounds.union(box for box in boxes if box is not None)
    if whole is None:
        return None
    level, _ = plain_level(solid, [layer for layer in layers if layer.theme == "network"], None)
    x, y = (whole.low[axis] - BEYOND for axis in range(2))
    size = max(high - low for low, high in zip(whole.low[:2], whole.high[:2], strict=True)) + 2 * BEYOND
    return Grid(np.full((2, 2), level), x, y, size)


def _told_by(layers: Sequence[Layer]) -> list[Layer]:
    """Terrain, buildings and models that are shown, and walking networks, which seldom are."""
    shown = ("terrain", "building", "bim")
    return [layer for layer in layers if layer.theme == "network" or (layer.theme in shown and layer.style.visible)]


class CameraGround:
    """The ground of a document, sought anew only when what it is taken from has changed."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self._key: object = None
        self._grid: Grid | None = None

    @property
    def grid(self) -> Grid | None:
        """Heights, or None where they are not known."""
        layers = _told_by(tuple(self.document.scene))
        key = tuple(id(layer.geometry) for layer in layers)
        if key != self._key:
            self._key, self._grid = key, camera_ground(layers)
        return self._grid

    def height(self, x: float, y: float) -> float | None:
        """Height of the ground at a place [local m], or None where it is not known."""
        grid = self.grid
        height = float(grid.sample(x, y)) if grid is not None else math.nan
        return height if math.isfinite(height) else None
