"""Shapes that a city model repeats: geometry templates and their instances."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.formats import cityjson_geometry as shapes
from geo.formats.city_objects import CityFile
from geo.formats.city_shapes import Chosen, Placed, drop, jacobian
from geo.model import Frame, Mesh

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]


class Placement(NamedTuple):
    """One repetition: which template, the vertex it stands on, and its (3, 4) matrix in the template's coordinates."""

    template: int
    anchor: int
    matrix: Floats


def place(chosen: list[Chosen], file: CityFile, local: Floats, crs: str, frame: Frame) -> Placed:
    """Matrices of all instances. Objects with a damaged one are taken out of `chosen` and noted as dropped."""
    meshes: dict[int, Mesh | None] = {}
    found: list[tuple[Chosen, Placement]] = []
    bad: dict[int, str] = {}
    for row, one in enumerate(chosen):
        for geometry in one.instances:
            placement = _resolve(one, geometry, file, local, meshes)
            if isinstance(placement, str):
                bad.setdefault(row, placement)
            else:
                found.append((one, placement))
    drop(chosen, file.dropped, bad)
    row_of = {id(one): row for row, one in enumerate(chosen)}
    kept = [(row_of[id(one)], placement) for one, placement in found if id(one) in row_of]
    used = sorted({placement.template for _, placement in kept})
    numbers = {template: number for number, template in enumerate(used)}
    anchor = np.array([placement.anchor for _, placement in kept], dtype=np.int64)
    matrix = np.array([placement.matrix for _, placement in kept], dtype=np.float64).reshape(-1, 3, 4)
    transform = jacobian(file.vertices[anchor], local[anchor], crs, frame) @ matrix
    transform[:, :, 3] += local[anchor]
    return Placed(
        tuple(mesh for mesh in (meshes[template] for template in used) if mesh is not None),
        np.array([numbers[placement.template] for _, placement in kept], dtype=np.int64),
        transform,
        np.array([row for row, _ in kept], dtype=np.int64),
        len(chosen),
    )


def _resolve(
    one: Chosen, geometry: dict[str, Any], file: CityFile, local: Floats, meshes: dict[int, Mesh | None]
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
