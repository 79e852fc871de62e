"""City objects on their way to layers, whatever their format: level of detail, rings, repeated shapes, solids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo import crs as coordinates
from geo.formats.city_objects import CityObject, Dropped
from geo.formats.contract import MapBox
from geo.model import Frame, Instances, Mesh
from geo.polygons import Triangulation, triangulate_surfaces

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Box = tuple[float, float, float, float]  # west, south, east, north [local m]

# Half the circumference of the Earth, with room to spare [m].
FARTHEST = 3.0e7
# Length of a degree of latitude near the equator [m]; only the ratio of the steps matters.
METRES_PER_DEGREE = 111_319.5
HIGHEST = "highest"
# Area vectors of a closed surface cancel; coordinates rounded to millimetres leave about this share.
CLOSED_TOLERANCE = 1e-4


class UnusableError(Exception):
    """An object that has to be left out; `reason` is a key of `city_objects.REASONS`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass
class Chosen:
    """One object with the geometry of the level of detail that is used."""

    source: CityObject
    lod: str
    surfaces: list[Any] = field(default_factory=list)
    semantics: list[int] = field(default_factory=list)
    instances: list[dict[str, Any]] = field(default_factory=list)
    is_solid: bool = False


@dataclass
class Semantics:
    """Names of surface semantics as codes 0, 1, 2 ... in order of appearance; -1 where the file says nothing.

    Attributes
    ----------
    faulty : list of str
        Objects whose semantics do not fit their surfaces.
    """

    names: dict[str, int] = field(default_factory=dict)
    faulty: list[str] = field(default_factory=list)

    def number(self, name: str) -> int:
        """Code of a name, a new one for a new name."""
        return self.names.setdefault(name, len(self.names))


def lod_number(lod: Any) -> float:
    """Level of detail as a number; -1 for none."""
    try:
        return float(lod)
    except (TypeError, ValueError):
        return -1.0


def lod_text(lod: Any) -> str:
    """Level of detail as the file's text, without a trailing ``.0``."""
    return "" if lod is None else str(lod).removesuffix(".0")


def wanted_lod(available: Sequence[str], wanted: str) -> str:
    """Which of the available levels to use: the wanted one, else the next lower, else the lowest above it.

    A whole number means its family: ``"2"`` takes 2.3 before 2.2 before 2.
    """
    ordered = sorted(set(available), key=lod_number)
    if wanted == HIGHEST:
        return ordered[-1]
    limit = lod_number(wanted)
    ceiling = limit + 0.999 if "." not in wanted else limit
    below = [lod for lod in ordered if lod_number(lod) <= ceiling]
    return below[-1] if below else ordered[0]


def is_wanted(lod: str, wanted: str) -> bool:
    """Whether a level is what was asked for."""
    return wanted == HIGHEST or lod == wanted or ("." not in wanted and lod.split(".")[0] == wanted)


@dataclass(frozen=True)
class Rings:
    """Surfaces of many objects as arrays.

    Attributes
    ----------
    corners : (c,) int64
        Into the file's vertices.
    ring_start, surface_start : (r + 1,), (k + 1,) int64
        As `geo.polygons.triangulate_surfaces` takes them.
    surface_object, corner_object : (k,), (c,) int64
        Which of the objects.
    """

    corners: Indices
    ring_start: Indices
    surface_start: Indices
    surface_object: Indices
    corner_object: Indices


def drop(chosen: list[Chosen], dropped: Dropped, bad: dict[int, str]) -> None:
    """Take objects out of the list and note the reason of each."""
    for row, reason in bad.items():
        dropped.add(chosen[row].source.id, reason)
    chosen[:] = [one for row, one in enumerate(chosen) if row not in bad]


def boxes_of(rings: Rings, local: Floats, count: int) -> Floats:
    """(count, 4) west, south, east, north of each object's corners [local m]; not-a-number for those without."""
    found = np.full((count, 4), np.nan)
    if len(rings.corners):
        rows = np.flatnonzero(np.diff(rings.corner_object, prepend=-1))
        place = local[rings.corners, :2]
        objects = rings.corner_object[rows]
        found[objects, :2] = np.minimum.reduceat(place, rows)
        found[objects, 2:] = np.maximum.reduceat(place, rows)
    return found


def triangles(rings: Rings, local: Floats) -> Triangulation:
    """Triangles of all surfaces; faces index `local`."""
    return triangulate_surfaces(local, rings.corners, rings.ring_start, rings.surface_start)


def compact(local: Floats, faces: Indices, element: Indices) -> Mesh:
    """A mesh with only the vertices its faces use."""
    used = np.zeros(len(local), dtype=bool)
    used[faces.reshape(-1)] = True
    number = np.cumsum(used) - 1
    return Mesh(local[used], number[faces].astype(np.int32), element.astype(np.int32))


class Solids(NamedTuple):
    """Rows of objects that the file calls solids but that are open, or closed and turned inside out."""

    open: Indices
    inside_out: Indices


def check_solids(vertices: Floats, faces: Indices, element: Indices, is_solid: NDArray[np.bool_]) -> Solids:
    """Which solids are open, and which enclose a negative volume.

    Parameters
    ----------
    vertices, faces, element : (n, 3), (m, 3), (m,)
        Triangles and the object of each.
    is_solid : (k,) bool
        Objects the file calls solids. Closed means that the area vectors add up to nothing.
    """
    count = len(is_solid)
    origin = np.zeros((count, 3))
    origin[element[::-1]] = vertices[faces[::-1, 0]]
    a, b, c = (vertices[faces[:, k]] - origin[element] for k in range(3))
    cross = np.cross(b - a, c - a)
    volume = np.bincount(element, np.einsum("ij,ij->i", a, cross), minlength=count) / 6.0
    area = np.bincount(element, np.linalg.norm(cross, axis=1), minlength=count)
    rest = np.stack([np.bincount(element, cross[:, k], minlength=count) for k in range(3)], axis=1)
    closed = np.linalg.norm(rest, axis=1) <= CLOSED_TOLERANCE * area
    return Solids(np.flatnonzero(is_solid & ~closed), np.flatnonzero(is_solid & closed & (volume < 0)))


class Placed(NamedTuple):
    """All repetitions of a file in local metres; `row` is the object, of `objects`, each belongs to."""

    meshes: tuple[Mesh, ...]
    shape: Indices
    transform: Floats
    row: Indices
    objects: int

    def of(self, element_of_row: Indices) -> Instances:
        """Instances of the objects whose element number is not negative."""
        element = element_of_row[self.row]
        mine = element >= 0
        shape, owner = self.shape[mine].astype(np.int32), element[mine].astype(np.int32)
        return Instances(self.meshes, shape, self.transform[mine], owner)


def jacobian(anchor: Floats, local: Floats, crs: str, frame: Frame) -> Floats:
    """(k, 3, 3) local metres per unit of the template's axes at each anchor.

    Templates have the unit of a projected system. With degrees they can only be metres; they are then turned to
    grid north without being stretched.
    """
    count = len(anchor)
    geographic = coordinates.is_geographic(crs)
    step = np.ones((count, 2))
    if geographic:
        step = np.stack([1.0 / np.cos(np.radians(anchor[:, 1])), np.ones(count)], axis=1) / METRES_PER_DEGREE
    columns = np.zeros((count, 3, 3))
    for axis in range(2):
        moved = anchor.copy()
        moved[:, axis] += step[:, axis]
        columns[:, :, axis] = coordinates.to_local(moved, crs, frame) - local
    columns[:, 2, :2] = 0.0
    if geographic:
        columns[:, :, :2] /= np.linalg.norm(columns[:, :, :2], axis=1, keepdims=True)
    columns[:, 2, 2] = 1.0 if geographic else coordinates.height_metres_per_unit(crs)
    return columns


def local_box(box: MapBox, frame: Frame) -> Box:
    """A rectangle of map coordinates in local metres."""
    east, north = frame.origin[:2]
    return (box.west - east, box.south - north, box.east - east, box.north - north)


def placed_on_earth(vertices: Floats, crs: str, frame: Frame) -> Floats:
    """Vertices in local metres; not-a-number where they lie nowhere on Earth."""
    local = coordinates.to_local(vertices, crs, frame)
    local[~(np.abs(local) <= FARTHEST).all(axis=1)] = np.nan
    return local


def touch(boxes: Floats, box: Box) -> NDArray[np.bool_]:
    """Which boxes (n, 4) touch the box."""
    west, south, east, north = boxes.T
    touching: NDArray[np.bool_] = (west <= box[2]) & (east >= box[0]) & (south <= box[3]) & (north >= box[1])
    return touching


def with_instances(boxes: Floats, placed: Placed) -> Floats:
    """Boxes (n, 4) of objects enlarged by the boxes of what they repeat."""
    for number, mesh in enumerate(placed.meshes):
        mine = placed.shape == number
        corners = np.einsum("kij,nj->kni", placed.transform[mine][:, :, :3], mesh.vertices)
        corners = (corners + placed.transform[mine][:, None, :, 3])[:, :, :2]
        for row, low, high in zip(placed.row[mine].tolist(), corners.min(axis=1), corners.max(axis=1), strict=True):
            boxes[row] = np.concatenate([np.fmin(boxes[row, :2], low), np.fmax(boxes[row, 2:], high)])
    return boxes
