"""Rooms as cells: a floor polygon and a range of heights; which cell holds a point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from geo.indoor.room_labels import room_label

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SNAP = 1e-4  # [m] corners nearer than this are one
SLIVER = 1e-3  # [m2] a part of a floor smaller than this is a fault of drawing
POLYGON = int(shapely.GeometryType.POLYGON)
LEAST_FLOOR = 0.2  # share of the flat faces of a body that face down
QUERIED = 20_000  # points looked for at a time
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
        """Number and name as far as there are any, else the id."""
        return room_label(self.number, self.name) or self.id


def floor_of_mesh(vertices: Floats, faces: NDArray[np.integer]) -> tuple[shapely.Geometry, float, float]:
    """Floor polygon, lowest and highest point of a closed body: the union of its triangles that face down.

    Parameters
    ----------
    vertices : (n, 3) float [m]
    faces : (m, 3) int
        Counter-clockwise seen from outside.
    """
    floors, low, high = floors_of_meshes([(vertices, faces)])
    return floors[0], float(low[0]), float(high[0])


def floors_of_meshes(
    meshes: Sequence[tuple[Floats, NDArray[np.integer]]],
) -> tuple[NDArray[np.object_], Floats, Floats]:
    """As `floor_of_mesh` for many bodies at once: floors (k,), lowest (k,) and highest points (k,) [m]."""
    count = np.array([len(vertices) for vertices, _ in meshes], dtype=np.int64)
    first = np.cumsum(count) - count
    points = np.concatenate([vertices for vertices, _ in meshes])
    corners = points[np.concatenate([faces + start for (_, faces), start in zip(meshes, first, strict=True)])]
    owner = np.repeat(np.arange(len(meshes)), [len(faces) for _, faces in meshes])
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    length = np.linalg.norm(cross, axis=1)
    flat = np.abs(cross[:, 2]) > 0.1 * np.maximum(length, 1e-12)
    down = flat & (cross[:, 2] < 0)
    # Bodies whose faces are turned without order have hardly any floor that way; then all flat parts count.
    area_down, area_flat = (np.bincount(owner, length * which, minlength=len(meshes)) for which in (down, flat))
    chosen = np.where((area_down > LEAST_FLOOR * area_flat)[owner], down, flat)
    z = points[:, 2]
    floors = unions_of_triangles(corners[chosen][:, :, :2], owner[chosen], len(meshes))
    return floors, np.minimum.reduceat(z, first), np.maximum.reduceat(z, first)


def unions_of_triangles(triangles: Floats, owner: Ints, count: int) -> NDArray[np.object_]:
    """One polygon (or several) for each owner from its triangles (m, 3, 2); slivers are left out.

    Parameters
    ----------
    owner : (m,) int
        Ascending, below `count`.
    """
    snapped = np.round(triangles / SNAP) * SNAP
    a, b, c = snapped[:, 0], snapped[:, 1], snapped[:, 2]
    kept = np.abs((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]) > 1e-9
    shapes = shapely.polygons(np.concatenate([snapped, snapped[:, :1]], axis=1)[kept])
    together = np.full(count, shapely.MultiPolygon(), dtype=object)
    if len(shapes):
        shapely.multipolygons(shapes, indices=owner[kept], out=together)
    found = shapely.union_all(together[:, None], grid_size=SNAP, axis=1)
    fine = (shapely.get_type_id(found) == POLYGON) & shapely.is_valid(found) & (shapely.area(found) > SLIVER)
    for number in np.flatnonzero(~fine):
        found[number] = cleaned(found[number])
    return found


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
        self.floors = np.array([cell.floor for cell in cells], dtype=object)
        self.low = np.array([cell.low for cell in cells], dtype=np.float64)
        self.high = np.array([cell.high for cell in cells], dtype=np.float64)
        shapely.prepare(self.floors)
        self._tree = shapely.STRtree(self.floors)

    def at(self, points: ArrayLike) -> Ints:
        """Number of the cell each point (n, 3) lies in, -1 for none; of several the one with the nearest floor."""
        points = np.asarray(points, dtype=np.float64).reshape(-1, 3)
        parts = [self._at(points[k : k + QUERIED]) for k in range(0, len(points), QUERIED)]
        return np.concatenate([np.zeros(0, np.int64), *parts])

    def _at(self, points: Floats) -> Ints:
        found = np.full(len(points), -1, dtype=np.int64)
        places = shapely.points(points[:, :2])
        # By their boxes alone first: of the rooms over one another, the heights leave one.
        which, cell = self._tree.query(places)
        z = points[which, 2]
        inside = (z >= self.low[cell] - BELOW) & (z <= self.high[cell] + ABOVE)
        which, cell = which[inside], cell[inside]
        hit = shapely.intersects(self.floors[cell], places[which])
        which, cell = which[hit], cell[hit]
        away = np.round(np.abs(points[which, 2] - self.low[cell]), 9)
        order = np.lexsort((cell, away, which))
        first = np.ones(len(order), dtype=bool)
        first[1:] = which[order][1:] != which[order][:-1]
        found[which[order][first]] = cell[order][first]
        return found

    def near(self, reach: float) -> tuple[Ints, Ints]:
        """Pairs of cells (i < j) whose boxes in plan, the first grown by `reach` [m], meet; in ascending order."""
        boxes = shapely.bounds(self.floors) + [-reach, -reach, reach, reach]
        i, j = self._tree.query(shapely.box(*boxes.T))
        i, j = i[j > i], j[j > i]
        order = np.lexsort((j, i))
        return i[order].astype(np.int64), j[order].astype(np.int64)

    def touching(self, shape: shapely.Geometry) -> Ints:
        """Numbers of the cells whose floor touches a shape, ascending."""
        return np.sort(self._tree.query(shape, predicate="intersects")).astype(np.int64)


def standing_point(floor: shapely.Geometry) -> tuple[float, float]:
    """A point well inside a floor: the centroid of its largest part if that lies inside, else a point that does."""
    x, y = standing_points(np.array([floor], dtype=object))[0].tolist()
    return x, y


def standing_points(floors: NDArray[np.object_]) -> Floats:
    """As `standing_point` for floors (k,): points (k, 2), not-a-number for an empty floor."""
    parts, owner = shapely.get_parts(floors, return_index=True)
    order = np.lexsort((-shapely.area(parts), owner))
    first = np.ones(len(order), dtype=bool)
    first[1:] = owner[order][1:] != owner[order][:-1]
    largest, owner = parts[order][first], owner[order][first]
    centre = shapely.centroid(largest)
    outside = ~shapely.contains(largest, centre)
    centre[outside] = shapely.point_on_surface(largest[outside])
    found = np.full((len(floors), 2), np.nan)
    found[owner] = np.column_stack([shapely.get_x(centre), shapely.get_y(centre)])
    return found
