"""Closed shells whose faces look inwards: the sun would fall on the inside of their walls, and none on the outside."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from geo.model import Issue, Mesh

CLOSED = 1e-4  # share of the area that the vector areas of a closed shell may be short of cancelling out
ROOM = 1e-6  # volume over (half the area)^1.5 below which a shell encloses nothing


def inside_out(mesh: Mesh) -> NDArray[np.bool_]:
    """(e,) elements that are closed shells with a negative volume.

    The vector areas of a closed shell cancel out, and by the divergence theorem a sixth of the triple products of its
    corners is its volume, positive when the faces look outwards. Nothing is said of open shells: what is their outside
    cannot be told.
    """
    count = int(mesh.face_element.max()) + 1 if len(mesh.faces) else 0
    if count == 0:
        return np.zeros(0, dtype=bool)
    owner = mesh.face_element
    first = np.zeros((count, 3))
    first[owner] = mesh.vertices[mesh.faces[:, 0]]  # about a corner of its own, so that map coordinates cost no digits
    corners = mesh.vertices[mesh.faces] - first[owner][:, None]
    cross = mesh.face_cross
    volume = np.bincount(owner, np.einsum("ij,ij->i", corners[:, 0], cross) / 6.0, count)
    area = np.bincount(owner, np.sqrt((cross**2).sum(axis=1)), count)
    open_part = np.sqrt(sum(np.bincount(owner, cross[:, k], count) ** 2 for k in range(3)))
    return np.asarray((area > 0) & (open_part <= CLOSED * area) & (volume < -ROOM * (area / 2.0) ** 1.5))


def outward(mesh: Mesh) -> Mesh:
    """The mesh with the faces of shells that are inside out turned; the same object where there are none."""
    wrong = inside_out(mesh)
    if not wrong.any():
        return mesh
    faces = mesh.faces.copy()
    turned = wrong[mesh.face_element]
    faces[turned] = faces[turned][:, [0, 2, 1]]
    return Mesh(mesh.vertices, faces, mesh.face_element)


def turned_shells(meshes: Sequence[Mesh | None], issues: list[Issue]) -> None:
    """Say how many shells of meshes as the files give them are inside out."""
    count = sum(int(inside_out(mesh).sum()) for mesh in meshes if mesh is not None)
    if count:
        text = f"{count} closed shells are inside out; they were taken with their faces outwards."
        issues.append(Issue("sunlight.turned_shells", text, "doubt", count=count, values={"count": count}))
