"""Cells of very large meshes, cut some elements at a time, so that ten million cells fit into four gigabytes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analysis.kernels.sampling import FaceCells, face_cells
from geo.model import Feedback, Mesh

PART_CELLS = 500_000  # cut at a time: some 400 MB on the way


def cells_of_faces(mesh: Mesh, spacing: float, *, feedback: Feedback | None = None) -> FaceCells:
    """As `face_cells`: the same cells in the same order; of large meshes the triangles come element by element.

    Parameters
    ----------
    mesh : Mesh
    spacing : float [m]
    """
    feedback = feedback or Feedback()
    groups = _groups(mesh, spacing)
    if len(groups) < 2:
        return face_cells(mesh, spacing, feedback=feedback)
    parts = []
    for number, (first, last) in enumerate(groups):
        share = feedback.part(number / len(groups), (number + 1) / len(groups))
        faces = (mesh.face_element >= first) & (mesh.face_element < last)
        part = Mesh(mesh.vertices, mesh.faces[faces], mesh.face_element[faces])
        parts.append(face_cells(part, spacing, feedback=share))
    return _joined(parts)


def _groups(mesh: Mesh, spacing: float) -> list[tuple[int, int]]:
    """Runs of elements (first, past the last) with about `PART_CELLS` cells each."""
    if len(mesh.faces) == 0:
        return []
    per_face = 1.0 + mesh.face_area / spacing**2
    reached = np.cumsum(np.bincount(mesh.face_element, per_face))
    if reached[-1] <= PART_CELLS:
        return [(0, len(reached))]
    number = np.floor(reached / PART_CELLS).astype(np.int64)
    cuts = np.flatnonzero(np.diff(number)) + 1
    edges = [0, *cuts.tolist(), len(reached)]
    return list(zip(edges[:-1], edges[1:], strict=True))


def _joined(parts: list[FaceCells]) -> FaceCells:
    """Parts as one; each column is joined and its pieces let go before the next is touched."""
    vertices_before = np.cumsum([0, *(len(part.mesh.vertices) for part in parts)])
    cells_before = np.cumsum([0, *(len(part.area) for part in parts)])
    columns: list[list[NDArray[np.generic]]] = [
        [part.mesh.vertices for part in parts],
        [part.mesh.faces + np.int32(start) for part, start in zip(parts, vertices_before, strict=False)],
        [part.mesh.face_element for part in parts],
        [part.cell_of_face + start for part, start in zip(parts, cells_before, strict=False)],
        [part.points for part in parts],
        [part.normals for part in parts],
        [part.area for part in parts],
        [part.element for part in parts],
    ]
    parts.clear()

    def taken() -> NDArray[np.generic]:
        return np.concatenate(columns.pop(0))

    mesh = Mesh(taken(), taken(), taken())  # type: ignore[arg-type]
    return FaceCells(mesh, taken(), taken(), taken(), taken(), taken())  # type: ignore[arg-type]
