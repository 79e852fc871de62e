"""Which buildings a model stands on top of: shares of footprints, counted in cells."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geo.model import Layer, Mesh, unique_rows

Floats = NDArray[np.float64]
CELL = 1.0  # [m]
SAMPLES_PER_CELL = 3.0
SHIFT = 1 << 31
LEVEL = 0.5  # |vertical part| of a unit normal above which a face belongs to a footprint
MOST_SAMPLES = 4_000_000
# Roberts (2018): additive recurrence with the plastic number, evenly spread without chance.
PLASTIC = np.array([0.7548776662466927, 0.5698402909980532])


def covered_shares(model: Mesh, buildings: Layer) -> Floats:
    """Share of each building's footprint that a model covers.

    Parameters
    ----------
    model : Mesh [local m]
    buildings : Layer
        Of a mesh; one value for each row of its table.

    Returns
    -------
    shares : (n,) float64
        0 .. 1, good to about a cell of `CELL` around the edge.
    """
    shape = buildings.geometry
    if not isinstance(shape, Mesh) or model.bounds is None or shape.bounds is None:
        return np.zeros(len(buildings.table))
    near = _near(shape, model)
    mine, _ = _cells(model, np.arange(len(model.faces)))
    own, element = _cells(shape, near)
    grown = np.unique(np.concatenate([mine + dx + dy * SHIFT for dx in (-1, 0, 1) for dy in (-1, 0, 1)]))
    pairs = unique_rows(np.stack([element.astype(np.int64), own], axis=1)).rows.T
    count = np.bincount(pairs[0], minlength=len(buildings.table))
    hit = np.bincount(pairs[0][np.isin(pairs[1], grown)], minlength=len(buildings.table))
    return np.divide(hit, count, out=np.zeros(len(count)), where=count > 0)


def _near(shape: Mesh, model: Mesh) -> NDArray[np.int64]:
    """Faces of the elements whose plan box touches that of the model."""
    if model.bounds is None or shape.bounds is None:
        return np.zeros(0, np.int64)
    low, high = np.array(model.bounds.low[:2]), np.array(model.bounds.high[:2])
    corners = shape.vertices[shape.faces][:, :, :2]
    touches = ((corners.max(axis=1) >= low) & (corners.min(axis=1) <= high)).all(axis=1)
    elements = np.unique(shape.face_element[touches])
    return np.flatnonzero(np.isin(shape.face_element, elements))


def _cells(mesh: Mesh, faces: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Numbers of the cells that level faces lie in, and the element of each; with repetitions."""
    level = faces[np.abs(mesh.face_normal[faces, 2]) > LEVEL]
    area = np.abs(mesh.face_cross[level, 2]) / 2
    number = np.ceil(area / CELL**2 * SAMPLES_PER_CELL).astype(np.int64) + 1
    if number.sum() > MOST_SAMPLES:
        number = np.maximum(number * (MOST_SAMPLES / number.sum()), 1).astype(np.int64)
    face = np.repeat(level, number)
    place = np.arange(len(face)) - np.repeat(np.cumsum(number) - number, number)
    u, v = ((place[:, None] + 0.5) * PLASTIC % 1.0).T
    folded = u + v > 1
    u, v = np.where(folded, 1 - u, u), np.where(folded, 1 - v, v)
    a, b, c = (mesh.vertices[mesh.faces[face, k], :2] for k in range(3))
    cell = np.floor((a + u[:, None] * (b - a) + v[:, None] * (c - a)) / CELL).astype(np.int64)
    return cell[:, 0] + cell[:, 1] * SHIFT, mesh.face_element[face]
