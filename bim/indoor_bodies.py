"""Triangles of chosen products in model metres: from what was tessellated already, or made now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

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
    chosen = np.flatnonzero(np.isin(shapes.product, np.array(wanted, dtype=np.int64)))
    parts: dict[int, list[Body]] = {}
    for number in chosen:
        shape, matrix = shapes.store.shape(int(shapes.shape[number])), shapes.matrix[number]
        if len(shape.faces) == 0:
            continue
        points = shape.vertices @ matrix[:, :3].T + matrix[:, 3]
        faces = shape.faces[:, ::-1] if np.linalg.det(matrix[:, :3]) < 0 else shape.faces
        parts.setdefault(int(shapes.product[number]), []).append(Body(points, faces.astype(np.int64)))
    return {product: _joined(bodies) for product, bodies in parts.items()}


def _joined(bodies: list[Body]) -> Body:
    start = np.cumsum([0] + [len(body.vertices) for body in bodies[:-1]])
    return Body(
        np.concatenate([body.vertices for body in bodies]),
        np.concatenate([body.faces + first for body, first in zip(bodies, start, strict=True)]),
    )


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
    import shapely

    flat = vertices[:, :2]
    ring = shapely.minimum_rotated_rectangle(shapely.MultiPoint(flat))
    if ring.geom_type != "Polygon":
        low, high = flat.min(axis=0), flat.max(axis=0)
        ring = shapely.box(low[0], low[1], max(high[0], low[0] + THINNEST), max(high[1], low[1] + THINNEST))
    corners = np.asarray(ring.exterior.coords)[:4]
    first, second = corners[1] - corners[0], corners[2] - corners[1]
    sizes = np.array([np.linalg.norm(first), np.linalg.norm(second)])
    near = np.abs(sizes - stated_length) <= WIDTH_TOLERANCE
    longer = int(np.argmax(near)) if near.sum() == 1 else int(np.argmax(sizes))
    along = (first, second)[longer] / max(sizes[longer], 1e-12)
    low, high = float(vertices[:, 2].min()), float(vertices[:, 2].max())
    across = np.array([-along[1], along[0]])
    return PlanBox(corners.mean(axis=0), along, across, float(sizes[longer]), float(sizes[1 - longer]), low, high)
