"""Shapes that a city model repeats: geometry templates and their instances."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo import crs as coordinates
from geo.formats import cityjson_geometry as shapes
from geo.formats.cityjson_file import CityFile
from geo.model import Frame, Instances, Mesh

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

# Length of a degree of latitude near the equator [m]; only the ratio of the steps matters.
METRES_PER_DEGREE = 111_319.5


class Placement(NamedTuple):
    """One repetition: which template, the vertex it stands on, and its (3, 4) matrix in the template's coordinates."""

    template: int
    anchor: int
    matrix: Floats


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


def place(chosen: list[shapes.Chosen], file: CityFile, local: Floats, crs: str, frame: Frame) -> Placed:
    """Matrices of all instances. Objects with a damaged one are taken out of `chosen` and noted as dropped."""
    meshes: dict[int, Mesh | None] = {}
    found: list[tuple[shapes.Chosen, Placement]] = []
    bad: dict[int, str] = {}
    for row, one in enumerate(chosen):
        for geometry in one.instances:
            placement = _resolve(one, geometry, file, local, meshes)
            if isinstance(placement, str):
                bad.setdefault(row, placement)
            else:
                found.append((one, placement))
    shapes.drop(chosen, file.dropped, bad)
    row_of = {id(one): row for row, one in enumerate(chosen)}
    kept = [(row_of[id(one)], placement) for one, placement in found if id(one) in row_of]
    used = sorted({placement.template for _, placement in kept})
    numbers = {template: number for number, template in enumerate(used)}
    anchor = np.array([placement.anchor for _, placement in kept], dtype=np.int64)
    matrix = np.array([placement.matrix for _, placement in kept], dtype=np.float64).reshape(-1, 3, 4)
    transform = _jacobian(file.vertices[anchor], local[anchor], crs, frame) @ matrix
    transform[:, :, 3] += local[anchor]
    return Placed(
        tuple(mesh for mesh in (meshes[template] for template in used) if mesh is not None),
        np.array([numbers[placement.template] for _, placement in kept], dtype=np.int64),
        transform,
        np.array([row for row, _ in kept], dtype=np.int64),
        len(chosen),
    )


def _resolve(
    one: shapes.Chosen, geometry: dict[str, Any], file: CityFile, local: Floats, meshes: dict[int, Mesh | None]
) -> Placement | str:
    """The placement of an instance, or the reason why there is none."""
    read = shapes.instance_placement(geometry)
    number = geometry.get("template")
    if read is None or type(number) is not int or not 0 <= number < len(file.templates):
        return "template"
    anchor, matrix = read
    if not 0 <= anchor < one.source.count:
        return "vertex_range"
    anchor += one.source.first
    if not np.isfinite(file.vertices[anchor]).all():
        return "vertex_invalid"
    if not np.isfinite(local[anchor]).all():
        return "outside_crs"
    if number not in meshes:
        meshes[number] = shapes.template_mesh(file, number)
    return "template" if meshes[number] is None else Placement(number, anchor, matrix)


def _jacobian(anchor: Floats, local: Floats, crs: str, frame: Frame) -> Floats:
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
