"""Validity of solids in the sense of ISO 19107, counted by the codes of val3dity where it has one.

Triangles are judged, since that is what is in the scene. Faults of the polygons they were cut from (open, repeated or
not flat) are found and reported by the readers, which still have them. A thin triangle along collinear corners comes
from cutting and is no fault.

Reference: H. Ledoux (2018), val3dity: validation of 3D GIS primitives according to the international standards,
Open Geospatial Data, Software and Standards 3:1, doi:10.1186/s40965-018-0043-x.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.model import Mesh, unique_rows

SNAP_DIGITS = 3  # vertices closer than 1 mm are one, as val3dity's snap tolerance
ZERO_VOLUME_M3 = 1e-6
MIXERS = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], dtype=np.uint64)  # odd, of xxHash64
# code -> (number of val3dity or 0, what it means)
CODES = {
    "zero_area": (104, "faces collapsed to a line or point"),
    "duplicate_face": (0, "faces there twice"),
    "open_edge": (302, "edges of one face only: the shell is not closed"),
    "non_manifold_edge": (303, "edges of more than two faces"),
    "wrong_orientation": (307, "neighbouring faces that look to opposite sides"),
    "inside_out": (405, "closed shells whose faces look inwards"),
    "no_volume": (0, "closed shells without volume"),
}


@dataclass(frozen=True)
class Validity:
    """What `check_solids` found.

    Attributes
    ----------
    elements, valid : int
        Elements with faces, and those without a fault.
    counts : mapping from code to number of faces, edges or shells concerned
    faulty : mapping from code to element rows (sorted) that have it
    volume : (elements,) float64 [m3]
        Signed volume of every element row; meaningful for closed ones.
    """

    elements: int
    valid: int
    counts: dict[str, int]
    faulty: dict[str, NDArray[np.int64]]
    volume: NDArray[np.float64]


def check_solids(mesh: Mesh, *, expect_closed: bool = True) -> Validity:
    """Check every element of a mesh as a solid; `expect_closed=False` for surfaces, where open edges are no fault.

    Works on all elements at once: no loop over buildings.
    """
    rows = int(mesh.face_element.max()) + 1 if len(mesh.faces) else 0
    present = np.bincount(mesh.face_element, minlength=rows) > 0
    corner, element = _snapped(mesh), mesh.face_element.astype(np.int64)
    flat = _collapsed(corner)
    found: dict[str, NDArray[np.int64]] = {"zero_area": element[flat]}
    corner, element, cross = corner[~flat], element[~flat], mesh.face_cross[~flat]
    first = mesh.vertices[mesh.faces[~flat, 0]]
    twice = _repeated(corner, element)
    found["duplicate_face"] = element[twice]
    corner, element, cross, first = corner[~twice], element[~twice], cross[~twice], first[~twice]
    edge_faults, closed = _edges(corner, element, rows)
    found |= edge_faults if expect_closed else {k: v for k, v in edge_faults.items() if k != "open_edge"}
    volume = _volumes(cross, first, element, rows)
    if expect_closed:
        closed &= present
        found["inside_out"] = np.flatnonzero(closed & (volume < -ZERO_VOLUME_M3))
        found["no_volume"] = np.flatnonzero(closed & (np.abs(volume) <= ZERO_VOLUME_M3))
    bad = np.zeros(rows, dtype=bool)
    for which in found.values():
        bad[which] = True
    return Validity(
        elements=int(present.sum()),
        valid=int((present & ~bad).sum()),
        counts={code: len(which) for code, which in found.items() if len(which)},
        faulty={code: np.unique(which) for code, which in found.items() if len(which)},
        volume=volume,
    )


def welded(points: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which points (n, 3) stand for all within a millimetre of them, and (n,) which of those each one is.

    Sorting one number made of three is ten times quicker than sorting rows; should two places ever make the same
    number, rows are sorted after all.
    """
    steps = np.round(points * 10.0**SNAP_DIGITS).astype(np.int64)
    with np.errstate(over="ignore"):
        key = (steps.astype(np.uint64) * MIXERS).sum(axis=1, dtype=np.uint64)
    _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    inverse = inverse.reshape(-1)
    if not np.array_equal(steps[first][inverse], steps):
        _, first, inverse, _ = unique_rows(steps)
    return np.asarray(first, dtype=np.int64), np.asarray(inverse.reshape(-1), dtype=np.int64)


def _snapped(mesh: Mesh) -> NDArray[np.int64]:
    """Faces (m, 3) with coinciding vertices made one."""
    return np.asarray(welded(mesh.vertices)[1][mesh.faces], dtype=np.int64)


def _collapsed(corner: NDArray[np.int64]) -> NDArray[np.bool_]:
    a, b, c = corner.T
    return np.asarray((a == b) | (b == c) | (c == a), dtype=np.bool_)


def _repeated(corner: NDArray[np.int64], element: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Faces with the corners of an earlier face of the same element, whichever way round."""
    key = np.column_stack([element, np.sort(corner, axis=1)])
    if len(key) == 0:
        return np.zeros(0, dtype=bool)
    again = np.ones(len(key), dtype=bool)
    again[unique_rows(key).first] = False
    return again


def _edges(
    corner: NDArray[np.int64], element: NDArray[np.int64], rows: int
) -> tuple[dict[str, NDArray[np.int64]], NDArray[np.bool_]]:
    """Element of every faulty edge by code, and (rows,) which elements are closed."""
    ends = corner[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    owner = np.repeat(element, 3)
    forward = ends[:, 0] < ends[:, 1]
    if len(ends) == 0:
        return {}, np.zeros(rows, dtype=bool)
    low, high = np.sort(ends, axis=1).T
    # Which edge of the mesh, then which element's edge: two sorts of one number each.
    edge = np.unique(low * (int(high.max()) + 1) + high, return_inverse=True)[1].reshape(-1)
    key = edge * rows + owner
    _, first, which, count = np.unique(key, return_index=True, return_inverse=True, return_counts=True)
    balance = np.bincount(which.reshape(-1), np.where(forward, 1, -1), minlength=len(count))
    holder = owner[first]
    closed = np.ones(rows, dtype=bool)
    # An edge of four faces, two each way, joins two solids at a line: not a 2-manifold, but nothing is open there.
    closed[holder[count % 2 == 1]] = False
    return {
        "open_edge": holder[count == 1],
        "non_manifold_edge": holder[count > 2],
        "wrong_orientation": holder[(count == 2) & (balance != 0)],
    }, closed


def _volumes(
    cross: NDArray[np.float64], first: NDArray[np.float64], element: NDArray[np.int64], rows: int
) -> NDArray[np.float64]:
    """(rows,) signed volume by the divergence theorem, each element about its own first corner."""
    base = np.zeros((rows, 3))
    base[element[::-1]] = first[::-1]
    share = ((first - base[element]) * cross).sum(axis=1) / 6.0
    return np.asarray(np.bincount(element, share, minlength=rows), dtype=np.float64)
