"""The tunnel as a mesh of faces, owners and neighbours, and the wind on it: the numbers of an OpenFOAM case.

Cells of air are numbered as they lie in the tunnel (x fastest). Faces inside come first, ordered by owner, then by
neighbour ("upper triangular"); those of the patches follow, patch by patch. The order of the corners turns with the
normal: from owner to neighbour, or outwards. Everything is in the tunnel's own axes.
"""

from __future__ import annotations

import hashlib
import math
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.wind.profile import Inflow
from analysis.wind.sample import Fields
from analysis.wind.surfaces import open_air
from analysis.wind.tunnel import GROUND, Tunnel

Floats = NDArray[np.float64]
Labels = NDArray[np.int32]
Bools = NDArray[np.bool_]
Role = Literal["inlet", "outlet", "slip", "wall"]
Quads = tuple[Labels, Labels]  # owners, corners

PATCHES = ("xmin", "xmax", "ymin", "ymax", "top", "ground", "buildings")
C_MU = 0.09
# Corners of the low face across an axis as steps (x, y, z), turning with the positive normal.
CORNERS = {
    0: ((0, 0, 0), (0, 1, 0), (0, 1, 1), (0, 0, 1)),
    1: ((0, 0, 0), (0, 0, 1), (1, 0, 1), (1, 0, 0)),
    2: ((0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0)),
}


class Patch(NamedTuple):
    """Consecutive faces of the border: name, number of the first, how many."""

    name: str
    start: int
    size: int


class Mesh(NamedTuple):
    """Faces, owners and neighbours.

    Attributes
    ----------
    points : (p, 3) float64 [m]
        Corners in use, in the tunnel's axes.
    faces : (f, 4) int32
    owner : (f,) int32
    neighbour : (i,) int32
        Of the faces inside, which come first.
    patches : tuple of Patch
        In the order of `PATCHES`, empty ones too.
    cells : (c,) int64
        Flat index in the tunnel of each cell.
    shape : (int, int, int)
        Of the tunnel.
    sealed : int
        Cells of air without a way out, which are left out.
    """

    points: Floats
    faces: Labels
    owner: Labels
    neighbour: Labels
    patches: tuple[Patch, ...]
    cells: NDArray[np.int64]
    shape: tuple[int, int, int]
    sealed: int

    def patch(self, name: str) -> Patch:
        """A patch by its name."""
        return self.patches[PATCHES.index(name)]

    def beside(self, name: str) -> Labels:
        """Cell beside each face of a patch."""
        found = self.patch(name)
        return self.owner[found.start : found.start + found.size]


class Wind(NamedTuple):
    """A wind on the mesh.

    Attributes
    ----------
    velocity : (c, 3) float64 [m/s]
        The inflow's profile above the ground of each cell, in the tunnel's axes; also what its face lists are made of.
    energy, dissipation : (c,) float64 [m2/s2, m2/s3]
    roles : mapping of patch -> Role
    """

    velocity: Floats
    energy: Floats
    dissipation: Floats
    roles: dict[str, Role]

    @property
    def frequency(self) -> Floats:
        """Specific dissipation ``e / (0.09 k)`` of k-omega models [1/s]."""
        return np.asarray(self.dissipation / (C_MU * self.energy))

    @property
    def viscosity(self) -> Floats:
        """Eddy viscosity ``0.09 k^2 / e`` [m2/s]."""
        return np.asarray(C_MU * self.energy**2 / self.dissipation)


def make_mesh(tunnel: Tunnel) -> Mesh:
    """The mesh of a tunnel's air; sealed cells are solid, as for the solver."""
    air, sealed = open_air(tunnel)
    cells = np.flatnonzero(air)
    label: Labels = np.full(air.shape, -1, np.int32)
    label.ravel()[cells] = np.arange(len(cells), dtype=np.int32)
    owner, neighbour, faces = _inside(label, air)
    quads = _border(tunnel, label, air)
    patches, start = [], len(owner)
    owners, corners = [owner], [faces]
    for name in PATCHES:
        mine, square = _joined(quads[name])
        patches.append(Patch(name, start, len(mine)))
        start += len(mine)
        owners.append(mine)
        corners.append(square)
    points, all_faces = _used_points(tunnel, np.concatenate(corners))
    return Mesh(points, all_faces, np.concatenate(owners), neighbour, tuple(patches), cells, tunnel.shape, sealed)


def _inside(label: Labels, air: Bools) -> tuple[Labels, Labels, Labels]:
    """Owners, neighbours and corners of the faces between two cells of air."""
    found = []
    for axis in range(3):
        after, before = _sides(2 - axis)
        k, j, i = np.nonzero(air[after] & air[before])
        step = np.zeros(3, np.int64)
        step[2 - axis] = 1
        low, high = label[before][k, j, i], label[after][k, j, i]
        found.append((low, high, _corners(axis, k + step[0], j + step[1], i + step[2], air.shape)))
    low, high, faces = (np.concatenate(parts) for parts in zip(*found, strict=True))
    order = np.lexsort((high, low))
    return low[order], high[order], faces[order]


def _sides(axis: int) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Slices of the cells after and before each inner face across an axis of the array."""
    after, before = [slice(None)] * 3, [slice(None)] * 3
    after[axis], before[axis] = slice(1, None), slice(None, -1)
    return tuple(after), tuple(before)


def _corners(
    axis: int, k: NDArray[np.int64], j: NDArray[np.int64], i: NDArray[np.int64], shape: tuple[int, ...]
) -> Labels:
    """(n, 4) numbers, in the full lattice, of the corners of the low faces of cells."""
    rows, cols = shape[1] + 1, shape[2] + 1
    found = [((k + z) * rows + j + y) * cols + i + x for x, y, z in CORNERS[axis]]
    return np.stack(found, axis=1).astype(np.int32)


def _border(tunnel: Tunnel, label: Labels, air: Bools) -> dict[str, list[Quads]]:
    """Faces with a cell of air on one side only, by patch; corners turn with the outward normal."""
    out: dict[str, list[Quads]] = {name: [] for name in PATCHES}
    for axis in range(3):
        for high in (False, True):
            k, j, i = _ends(air, 2 - axis, high=high)
            place, beyond = [k, j, i], [k, j, i]
            if high:
                place[2 - axis] = place[2 - axis] + 1
            square = _corners(axis, place[0], place[1], place[2], air.shape)
            square = square if high else square[:, ::-1]
            beyond[2 - axis] = beyond[2 - axis] + (1 if high else -1)
            outside = (beyond[2 - axis] < 0) | (beyond[2 - axis] >= air.shape[2 - axis])
            beyond[2 - axis] = np.clip(beyond[2 - axis], 0, air.shape[2 - axis] - 1)
            ground = ~outside & (tunnel.solid[beyond[0], beyond[1], beyond[2]] == GROUND)
            mine = label[k, j, i]
            end = (("xmin", "xmax"), ("ymin", "ymax"), ("ground", "top"))[axis][high]
            for name, chosen in ((end, outside), ("ground", ground), ("buildings", ~outside & ~ground)):
                out[name].append((mine[chosen], square[chosen]))
    return out


def _ends(air: Bools, axis: int, *, high: bool) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Cells of air with none beyond their high or low side along an axis of the array."""
    beyond = np.zeros_like(air)
    after, before = _sides(axis)
    if high:
        beyond[before] = air[after]
    else:
        beyond[after] = air[before]
    k, j, i = np.nonzero(air & ~beyond)
    return k, j, i


def _joined(parts: list[Quads]) -> Quads:
    """Faces of a patch in the order of their cells."""
    owner = np.concatenate([mine for mine, _ in parts])
    order = np.argsort(owner, kind="stable")
    return owner[order], np.concatenate([square for _, square in parts])[order]


def _used_points(tunnel: Tunnel, faces: Labels) -> tuple[Floats, Labels]:
    """Corners in use and the faces by their new numbers."""
    rows, cols = len(tunnel.y), len(tunnel.x)
    used = np.zeros(len(tunnel.z) * rows * cols, bool)
    used[faces.ravel()] = True
    number = np.cumsum(used, dtype=np.int32) - 1
    place = np.flatnonzero(used)
    k, rest = np.divmod(place, rows * cols)
    j, i = np.divmod(rest, cols)
    return np.column_stack([tunnel.x[i], tunnel.y[j], tunnel.z[k]]), number[faces]


def wind_on(mesh: Mesh, tunnel: Tunnel, wind: Inflow) -> Wind:
    """The inflow at the middle of each cell, and what each patch is for it."""
    angle_rad = math.radians(tunnel.wind_angle(wind.wind_from))
    along = (round(math.cos(angle_rad), 9) + 0.0, round(math.sin(angle_rad), 9) + 0.0)
    above = heights(mesh, tunnel)
    speed = wind.speed(above)
    velocity = np.column_stack([speed * along[0], speed * along[1], np.zeros(len(speed))])
    roles: dict[str, Role] = {"top": "slip", "ground": "wall", "buildings": "wall"}
    for part, low, high in ((along[0], "xmin", "xmax"), (along[1], "ymin", "ymax")):
        roles[low] = "slip" if part == 0 else "inlet" if part > 0 else "outlet"
        roles[high] = "slip" if part == 0 else "outlet" if part > 0 else "inlet"
    return Wind(velocity, np.asarray(wind.energy(above)), np.asarray(wind.dissipation(above)), roles)


def heights(mesh: Mesh, tunnel: Tunnel) -> Floats:
    """(c,) height of each cell's middle above the ground of its column, not below zero [m]."""
    k, column = np.divmod(mesh.cells, mesh.shape[1] * mesh.shape[2])
    middle = (tunnel.z[1:] + tunnel.z[:-1]) / 2
    return np.asarray(np.maximum(middle[k] - tunnel.ground.ravel()[column], 0.0))


def roughness(mesh: Mesh, tunnel: Tunnel, name: str) -> Floats:
    """z0 of each face of a wall [m]."""
    column = mesh.cells[mesh.beside(name)] % (mesh.shape[1] * mesh.shape[2])
    if name == "ground":
        return np.asarray(tunnel.ground_roughness.ravel()[column], np.float64)
    return np.full(len(column), tunnel.building_roughness)


def as_fields(mesh: Mesh, velocity: Floats, energy: Floats) -> Fields:
    """Values of the mesh's cells, (c, 3) and (c,), on the tunnel's; zero in solids."""
    out = []
    for values in (*velocity.T, energy):
        whole = np.zeros(int(np.prod(mesh.shape)), np.float32)
        whole[mesh.cells] = values
        out.append(whole.reshape(mesh.shape))
    return Fields(*out)


def fingerprint(mesh: Mesh, tunnel: Tunnel) -> str:
    """Tells meshes apart: of a result that comes back it is asked whether it is of the same grid."""
    digest = hashlib.sha256()
    for array in (tunnel.x, tunnel.y, tunnel.z, mesh.cells):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:32]
