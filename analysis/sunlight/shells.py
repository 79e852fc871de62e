"""Damaged shells: closed ones whose faces look inwards, and faces that are there twice.

The sun would fall on the inside of the walls of the first; the second would count the same wall again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from geo.model import Issue, Mesh

CLOSED = 1e-4  # share of the area that the vector areas of a closed shell may be short of cancelling out
ROOM = 1e-6  # volume over (half the area)^1.5 below which a shell encloses nothing


ODD = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio: multiplying by it spreads the bits (Knuth)
MILLIMETRE = 1e-3  # corners nearer than this are the same
_REPEATED: WeakKeyDictionary[Mesh, NDArray[np.bool_]] = WeakKeyDictionary()
_KNOWN: WeakKeyDictionary[Mesh, NDArray[np.bool_]] = WeakKeyDictionary()  # a drag asks for the same meshes again


def inside_out(mesh: Mesh) -> NDArray[np.bool_]:
    """(e,) elements that are closed shells with a negative volume.

    The vector areas of a closed shell cancel out, and by the divergence theorem a sixth of the triple products of its
    corners is its volume, positive when the faces look outwards. Nothing is said of open shells: what is their outside
    cannot be told.
    """
    known = _KNOWN.get(mesh)
    if known is None:
        known = _KNOWN[mesh] = _inside_out(mesh)
    return known


def _inside_out(mesh: Mesh) -> NDArray[np.bool_]:
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


def repeated(mesh: Mesh) -> NDArray[np.bool_]:
    """(m,) faces that lie on an earlier face of the same element, corner by corner, and look the same way."""
    known = _REPEATED.get(mesh)
    if known is None:
        known = _REPEATED[mesh] = _repeated(mesh)
    return known


def _repeated(mesh: Mesh) -> NDArray[np.bool_]:
    again = np.zeros(len(mesh.faces), dtype=bool)
    if not len(mesh.faces):
        return again
    spot = np.rint((mesh.vertices - mesh.vertices[0]) / MILLIMETRE).astype(np.int64).astype(np.uint64)
    # one number for each spot, then three for each face, the least first: turning a face about leaves its order
    corner = _mixed(spot.T)[mesh.faces]
    start = np.argmin(corner, axis=1)[:, None]
    ring = np.take_along_axis(corner, (start + np.arange(3)) % 3, axis=1)
    key = _mixed([mesh.face_element.astype(np.uint64), *ring.T])
    order = np.argsort(key, kind="stable")
    again[order[1:]] = key[order[1:]] == key[order[:-1]]
    return again


def _mixed(parts: Iterable[NDArray[np.uint64]]) -> NDArray[np.uint64]:
    """(n,) one number of 64 bits for numbers that belong together: two alike by chance once in 10^7 cities."""
    found: NDArray[np.uint64] | None = None
    for part in parts:
        found = part * ODD if found is None else (found ^ part) * ODD
        found = found ^ (found >> np.uint64(32))
    return np.zeros(0, np.uint64) if found is None else found


def tell_repeated(meshes: Sequence[Mesh], issues: list[Issue]) -> None:
    """Say how many faces are left out because they are there twice."""
    count = sum(int(repeated(mesh).sum()) for mesh in meshes)
    if count:
        text = f"{count} faces of buildings lie exactly on others; each was counted once."
        issues.append(Issue("sunlight.repeated_faces", text, "doubt", count=count, values={"count": count}))
