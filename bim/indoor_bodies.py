"""Triangles of chosen products in model metres: from what was tessellated already, or made now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bim.shapes import rows_of
from bim.tessellation import Selection, Tessellation, tessellate
from geo.model import Feedback

if TYPE_CHECKING:
    import ifcopenshell

Floats = NDArray[np.float64]
THINNEST = 1e-3  # [m]
WIDTH_TOLERANCE = 0.15  # [m] between the width a door states and its opening


@dataclass(frozen=True, eq=False)
class Body:
    """A closed body: vertices (n, 3) float64 [model m], faces (m, 3) int."""

    vertices: Floats
    faces: NDArray[np.int64]


def bodies_of(
    file: ifcopenshell.file, shapes: Tessellation | None, products: Iterable[int], feedback: Feedback
) -> dict[int, Body]:
    """Bodies by step id; products without a shape are left out."""
    wanted = list(dict.fromkeys(products))
    found = {} if shapes is None else _gathered(shapes, wanted)
    missing = [product for product in wanted if product not in found]
    if missing:
        made = tessellate(file, Selection((), tuple(missing), (), 0, 0), feedback)
        found.update(_gathered(made, missing))
    return found


def _gathered(shapes: Tessellation, wanted: Sequence[int]) -> dict[int, Body]:
    """All bodies of each product together."""
    store = shapes.store
    chosen = np.isin(shapes.product, np.array(wanted, dtype=np.int64)) & (store.face_count[shapes.shape] > 0)
    order = np.flatnonzero(chosen)
    order = order[np.argsort(shapes.product[order], kind="stable")]
    number, matrix = shapes.shape[order], shapes.matrix[order]
    corners, triangles = store.vertex_count[number], store.face_count[number]
    turn = np.repeat(matrix, corners, axis=0)
    own = store.vertices[rows_of(store.vertex_stop, store.vertex_count, number)]
    points = np.einsum("nij,nj->ni", turn[:, :, :3], own) + turn[:, :, 3]
    faces = store.faces[rows_of(store.face_stop, store.face_count, number)].astype(np.int64)
    mirrored = np.repeat(np.linalg.det(matrix[:, :, :3]) < 0, triangles)
    faces[mirrored] = faces[mirrored][:, ::-1]
    products, head = np.unique(shapes.product[order], return_index=True)
    if len(products) == 0:
        return {}
    corner_first, face_first = np.cumsum(corners) - corners, np.cumsum(triangles) - triangles
    # Faces count the points of all bodies of their product.
    start = np.repeat(corner_first[head], np.diff(np.append(head, len(order))))
    faces += np.repeat(corner_first - start, triangles)[:, None]
    parts = zip(
        products.tolist(),
        np.split(points, corner_first[head][1:]),
        np.split(faces, face_first[head][1:]),
        strict=True,
    )
    return {product: Body(vertices, own_faces) for product, vertices, own_faces in parts}


@dataclass(frozen=True, eq=False)
class PlanBox:
    """The upright box around a body, turned as the body is.

    Attributes
    ----------
    centre : (2,) float64 [model m]
    along, across : (2,) float64
        Unit directions of the longer side of a flight, or of the width of a door, and at right angles to it.
    length, width : float [m]
        Extent along and across.
    low, high : float [m]
    """

    centre: Floats
    along: Floats
    across: Floats
    length: float
    width: float
    low: float
    high: float


def plan_box(vertices: Floats, *, stated_length: float = np.nan) -> PlanBox:
    """Smallest upright box around points (n, 3); its long side is `along`.

    Parameters
    ----------
    stated_length : float [m]
        The side that comes nearest to this is `along`, where only one comes near.
    """
    return plan_boxes([vertices], [stated_length])[0]


def plan_boxes(bodies: Sequence[Floats], stated_lengths: Sequence[float]) -> list[PlanBox]:
    """As `plan_box` for the points (n, 3) of many bodies."""
    import shapely

    if not bodies:
        return []
    count = np.array([len(vertices) for vertices in bodies], dtype=np.int64)
    points, first = np.concatenate(bodies), np.cumsum(count) - count
    low, high = np.minimum.reduceat(points, first), np.maximum.reduceat(points, first)
    clouds = shapely.multipoints(shapely.points(points[:, :2]), indices=np.repeat(np.arange(len(bodies)), count))
    rings = shapely.minimum_rotated_rectangle(clouds)
    thin = shapely.get_type_id(rings) != int(shapely.GeometryType.POLYGON)
    wide = np.maximum(high, low + THINNEST)
    rings[thin] = shapely.box(low[thin, 0], low[thin, 1], wide[thin, 0], wide[thin, 1])
    corners = shapely.get_coordinates(rings).reshape(-1, 5, 2)[:, :4]
    sides = np.stack([corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 1]], axis=1)
    sizes = np.linalg.norm(sides, axis=2)
    near = np.abs(sizes - np.asarray(stated_lengths, dtype=np.float64)[:, None]) <= WIDTH_TOLERANCE
    longer = np.where(near.sum(axis=1) == 1, near.argmax(axis=1), sizes.argmax(axis=1))
    row = np.arange(len(bodies))
    along = sides[row, longer] / np.maximum(sizes[row, longer], 1e-12)[:, None]
    across = np.column_stack([-along[:, 1], along[:, 0]])
    length, width = sizes[row, longer].tolist(), sizes[row, 1 - longer].tolist()
    heights = zip(low[:, 2].tolist(), high[:, 2].tolist(), strict=True)
    return [
        PlanBox(*turned, *size, *height)
        for turned, size, height in zip(
            zip(corners.mean(axis=1), along, across, strict=True), zip(length, width, strict=True), heights, strict=True
        )
    ]
