"""The surface under a pixel: where it is and which way it faces, for what is mounted on it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF

from app.view.picking import Hit
from geo.model import Mesh

if TYPE_CHECKING:
    from app.view.viewport import Viewport

Vector = NDArray[np.float64]

WALL_SLOPE = 0.5  # |z| of a normal below which a surface is a wall
FROM_WALL = 0.4  # [m] of a lens before its wall


@dataclass(frozen=True, eq=False)
class Surface:
    """What was clicked.

    Attributes
    ----------
    point : (3,) [local m]
    normal : (3,) unit vector, toward the eye
    hit : Hit
    """

    point: Vector
    normal: Vector
    hit: Hit

    @property
    def is_wall(self) -> bool:
        """Upright, and part of a building."""
        return abs(float(self.normal[2])) < WALL_SLOPE and self.hit.layer.theme in ("building", "bim")

    @property
    def is_ceiling(self) -> bool:
        """Seen from below."""
        return float(self.normal[2]) < -WALL_SLOPE

    @classmethod
    def under(cls, picture: Viewport, place: QPointF) -> Surface | None:
        """The surface under a pixel, None over the sky or where nothing has a surface."""
        hits = [hit for hit in picture.hits_at(place) if hit.layer.kind in ("mesh", "instances", "terrain")]
        if not hits:
            return None
        hit = next((one for one in hits if one.layer.theme != "result"), hits[0])
        normal = _normal(hit)
        if float(normal @ (hit.point - picture.camera.eye)) > 0:
            normal = -normal
        return cls(np.asarray(hit.point, dtype=np.float64), normal, hit)


def _normal(hit: Hit) -> Vector:
    shape = hit.layer.geometry
    if not isinstance(shape, Mesh) or hit.face < 0:
        return np.array([0.0, 0.0, 1.0])
    a, b, c = shape.vertices[shape.faces[hit.face]]
    normal = np.cross(b - a, c - a)
    return np.asarray(normal / max(float(np.linalg.norm(normal)), 1e-12))


def wall_mount(surface: Surface) -> tuple[tuple[float, float, float], float]:
    """Place of a lens before a wall [local m], and the direction outward [deg from grid north]."""
    outward = np.array([surface.normal[0], surface.normal[1], 0.0])
    outward /= max(float(np.linalg.norm(outward)), 1e-9)
    x, y, z = (surface.point + FROM_WALL * outward).tolist()
    return (x, y, z), math.degrees(math.atan2(outward[0], outward[1])) % 360.0
