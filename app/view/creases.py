"""The lines that draw a building: edges where two faces of one element meet at an angle, or where a face ends."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from geo.model import Mesh

CITY_ANGLE, MODEL_ANGLE = 20.0, 25.0  # degrees between two faces from which their edge is drawn
DOWNWARD = -0.95  # z of a normal from which a face is an underside
WELD = 0.002  # metres within which corners are the same place


def crease_edges(
    mesh: Mesh, *, angle: float = CITY_ANGLE, feet: bool = True
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Edges of a mesh that are worth a line.

    Parameters
    ----------
    angle : float [degrees]
        Between the normals of two faces.
    feet : bool
        Also around downward faces: the foot of a building, which the ground cuts into dashes, is better left out.

    Returns
    -------
    pairs : (k, 2) int32
        Rows of the mesh's vertices.
    element : (k,) int32
        Element each edge belongs to; edges shared by two elements are not joined.
    """
    good = mesh.face_area > 1e-8
    faces, elements, normals = mesh.faces[good], mesh.face_element[good], mesh.face_normal[good]
    if len(faces) == 0:
        return np.zeros((0, 2), np.int32), np.zeros(0, np.int32)
    place = _places(mesh, faces, elements)
    start, stop = place.ravel(), np.roll(place, -1, axis=1).ravel()
    key = np.minimum(start, stop).astype(np.int64) * (int(place.max()) + 1) + np.maximum(start, stop)
    order = np.argsort(key, kind="stable")
    first = np.flatnonzero(np.diff(key[order], prepend=-1))
    count = np.diff(np.append(first, len(order)))
    face = order // 3
    reference = np.repeat(normals[face[first]], count, axis=0)
    # The absolute value: faces that were turned inside out by the file do not make a crease.
    agreement = np.abs(np.einsum("ij,ij->i", reference, normals[face]))
    if not feet:
        lowest = np.minimum.reduceat(normals[face, 2], first)
        count = np.where(lowest < DOWNWARD, 0, count)
        agreement = np.where(np.repeat(lowest < DOWNWARD, np.diff(np.append(first, len(order)))), 1.0, agreement)
    sharp = (np.minimum.reduceat(agreement, first) < math.cos(math.radians(angle))) | (count == 1)
    half_edge = order[first[sharp]]
    corner, next_corner = half_edge % 3, (half_edge + 1) % 3
    row = half_edge // 3
    return np.stack([faces[row, corner], faces[row, next_corner]], axis=1), elements[row]


def _places(mesh: Mesh, faces: NDArray[np.int32], elements: NDArray[np.int32]) -> NDArray[np.int64]:
    """(m, 3) number of the place of each corner; equal for corners of one element within `WELD`."""
    millimetres = np.rint(mesh.vertices / WELD).astype(np.int64)
    with np.errstate(over="ignore"):
        # A 64-bit mix instead of a sort of rows: two of a million places share a number once in ten million scenes.
        mixed = (
            millimetres[:, 0] * np.int64(-7046029254386353131)
            + millimetres[:, 1] * np.int64(2862933555777941757)
            + millimetres[:, 2] * np.int64(3202034522624059733)
        )
        corner = mixed[faces] + elements.astype(np.int64)[:, None] * np.int64(1181783497276652981)
    return np.unique(corner.ravel(), return_inverse=True)[1].reshape(-1, 3)


def vertex_normals(mesh: Mesh) -> NDArray[np.float32]:
    """(n, 3) unit normals of the vertices, faces weighted by area."""
    total = np.empty((len(mesh.vertices), 3))
    corners = mesh.faces.ravel()
    for axis in range(3):
        weights = np.repeat(mesh.face_cross[:, axis], 3)
        total[:, axis] = np.bincount(corners, weights=weights, minlength=len(mesh.vertices))
    length = np.linalg.norm(total, axis=1, keepdims=True)
    return np.where(length > 0, total / np.where(length > 0, length, 1.0), (0.0, 0.0, 1.0)).astype(np.float32)
