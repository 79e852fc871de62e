"""Rooms as cells: a floor polygon and a range of heights; which cell holds a point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SNAP = 1e-4  # [m] corners nearer than this are one
SLIVER = 1e-3  # [m2] a part of a floor smaller than this is a fault of drawing
LEAST_FLOOR = 0.2  # share of the flat faces of a body that face down
BELOW, ABOVE = 0.35, 0.05  # [m] a point this far under the floor or over the ceiling still counts as inside


@dataclass(frozen=True, eq=False)
class Cell:
    """A room as the walking network sees it.

    Attributes
    ----------
    id, name, number, use, storey : str
        `name` is what a person calls it, `number` what stands on its door.
    floor : shapely Polygon or MultiPolygon [m]
        Seen from above.
    low, high : float [m]
        Heights of floor and ceiling.
    """

    id: str
    name: str
    floor: shapely.Geometry
    low: float
    high: float
    number: str = ""
    use: str = ""
    storey: str = ""

    @property
    def label(self) -> str:
        """Number and name, as far as there are any, else the id."""
        parts = list(dict.fromkeys(part for part in (self.number, self.name) if part))
        return " ".join(parts) or self.id


def floor_of_mesh(vertices: Floats, faces: NDArray[np.integer]) -> tuple[shapely.Geometry, float, float]:
    """Floor polygon, lowest and highest point of a closed body: the union of its triangles that face down.

    Parameters
    ----------
    vertices : (n, 3) float [m]
    faces : (m, 3) int
        Counter-clockwise seen from outside.
    """
    corners = vertices[faces]
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    length = np.linalg.norm(cross, axis=1)
    flat = np.abs(cross[:, 2]) > 0.1 * np.maximum(length, 1e-12)
    down = flat & (cross[:, 2] < 0)
    # Bodies whose faces are turned without order have hardly any floor that way; then all flat parts count.
    chosen = down if length[down].sum() > LEAST_FLOOR * length[flat].sum() else flat
    low, high = float(vertices[:, 2].min()), float(vertices[:, 2].max())
    return union_of_triangles(corners[chosen][:, :, :2]), low, high


def union_of_triangles(triangles: Floats) -> shapely.Geometry:
    """One polygon (or several) from triangles (m, 3, 2); slivers are left out."""
    if len(triangles) == 0:
        return shapely.Polygon()
    a, b, c = triangles[:, 0], triangles[:, 1], triangles[:, 2]
    twice = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]
    shapes = shapely.polygons(np.concatenate([triangles, triangles[:, :1]], axis=1)[np.abs(twice) > 1e-9])
    return cleaned(shapely.union_all(shapely.set_precision(shapes, SNAP)))


def cleaned(shape: shapely.Geometry) -> shapely.Geometry:
    """The polygons of a shape, valid, without slivers."""
    shape = shape if shapely.is_valid(shape) else shapely.make_valid(shape)
    parts = [p for p in shapely.get_parts(shape) if p.geom_type == "Polygon" and p.area > SLIVER]
    parts += [q for p in shapely.get_parts(shape) if p.geom_type == "MultiPolygon" for q in p.geoms if q.area > SLIVER]
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)


class CellFinder:
    """Finds the cell that holds a point."""

    def __init__(self, cells: Sequence[Cell]) -> None:
        self.cells = tuple(cells)
        self._floors = np.array([cell.floor for cell in cells], dtype=object)
        self._low = np.array([cell.low for cell in cells], dtype=np.float64)
        self._high = np.array([cell.high for cell in cells], dtype=np.float64)
        self._tree = shapely.STRtree(self._floors)

    def at(self, points: ArrayLike) -> Ints:
        """Number of the cell each point (n, 3) lies in, -1 for none; of several the one with the nearest floor."""
        points = np.asarray(points, dtype=np.float64).reshape(-1, 3)
        found = np.full(len(points), -1, dtype=np.int64)
        best = np.full(len(points), np.inf)
        if len(self.cells) == 0:
            return found
        which, cell = self._tree.query(shapely.points(points[:, :2]), predicate="intersects")
        z = points[which, 2]
        inside = (z >= self._low[cell] - BELOW) & (z <= self._high[cell] + ABOVE)
        for point, number in zip(which[inside].tolist(), cell[inside].tolist(), strict=True):
            away = abs(points[point, 2] - self._low[number])
            if away < best[point] - 1e-9:
                best[point], found[point] = away, number
        return found

    def touching(self, shape: shapely.Geometry) -> Ints:
        """Numbers of the cells whose floor touches a shape, ascending."""
        return np.sort(self._tree.query(shape, predicate="intersects")).astype(np.int64)


def standing_point(floor: shapely.Geometry) -> tuple[float, float]:
    """A point well inside a floor: the centroid of its largest part if that lies inside, else a point that does."""
    parts = [part for part in shapely.get_parts(floor) if not part.is_empty]
    if not parts:
        return (np.nan, np.nan)
    part = max(parts, key=lambda p: p.area)
    centre = part.centroid
    if not part.buffer(-0.2).contains(centre) and not part.contains(centre):
        centre = part.representative_point()
    return float(centre.x), float(centre.y)
