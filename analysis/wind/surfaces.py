"""Where air touches walls, ground and leaves: the short lists of faces and cells that the kernels work through."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.wind.tunnel import AIR, GROUND, Tunnel

Singles = NDArray[np.float32]
Places = NDArray[np.int32]
Bools = NDArray[np.bool_]

KAPPA = 0.41
LEAF_DRAG = 0.2  # of leaves, as in the kernels of turbulence
LEAST_LOG = 1.0  # floor of ln((d + z0) / z0): rougher ground than that is blurred by the cell
NEAREST, FARTHEST = 0.25, 1.25  # limits of the distance to sloping ground, in heights of the cell
GHOSTS = 2
AXIS = {"x": 2, "y": 1, "z": 0}


class RubbedFaces(NamedTuple):
    """Faces across one axis beside walls or in leaves: flat index of the cell after each, drag over speed [1/m]."""

    place: Places
    rub: Singles


class LeafCells(NamedTuple):
    """Cells with leaves: flat index, leaf area density [1/m]."""

    place: Places
    area: Singles


class WallCells(NamedTuple):
    """Cells that touch walls: flat index, (n, 3) mean 1/(d ln(d/z0)) by axis of the wall, mean 1/(kappa d)."""

    place: Places
    share: Singles
    per_length: Singles


class Surfaces(NamedTuple):
    """Everything the air touches; faces in the order x, y, z."""

    wall_faces: tuple[RubbedFaces, RubbedFaces, RubbedFaces]
    cells: WallCells
    leaf_faces: tuple[RubbedFaces, RubbedFaces, RubbedFaces]
    leaf_cells: LeafCells


def find_surfaces(tunnel: Tunnel, air: Bools) -> Surfaces:
    """Lists for a tunnel; `air` may be less than ``tunnel.solid == AIR`` (sealed rooms)."""
    cell, axis, distance, roughness, width = _walls(tunnel, air)
    log = np.maximum(np.log((distance + roughness) / roughness), LEAST_LOG)  # as in the inflow
    size = int(np.prod(air.shape))
    touched, count = np.unique(cell, return_counts=True)
    row = np.searchsorted(touched, cell)
    share = np.zeros((len(touched), 3))
    np.add.at(share, (row, axis), 1.0 / (distance * log))
    length = np.bincount(row, 1.0 / (KAPPA * distance), minlength=len(touched))
    rub = [np.zeros(size, np.float32) for _ in range(3)]  # drag over speed by axis of the wall
    for which in range(3):
        here = axis == which
        rub[which] = np.bincount(cell[here], KAPPA**2 / (log[here] ** 2 * width[here]), size).astype(np.float32)
    cells = WallCells(
        _padded_place(touched, air.shape),
        (share / count[:, None]).astype(np.float32),
        (length / count).astype(np.float32),
    )
    wall_faces = tuple(
        _rubbed((rub[(own + 1) % 3] + rub[(own + 2) % 3]).reshape(air.shape), air, 2 - own) for own in range(3)
    )
    leaf_faces, leaf_cells = _leaves(tunnel, air)
    return Surfaces(wall_faces, cells, leaf_faces, leaf_cells)  # type: ignore[arg-type]


def _padded_place(flat: NDArray[np.int64], shape: tuple[int, ...]) -> Places:
    """Flat index with ghosts of a flat index without."""
    k, j, i = np.unravel_index(flat, shape)
    return _place(k, j, i, shape)


def _place(k: NDArray[np.intp], j: NDArray[np.intp], i: NDArray[np.intp], shape: tuple[int, ...]) -> Places:
    rows, cols = shape[1] + 2 * GHOSTS, shape[2] + 2 * GHOSTS
    return (((k + GHOSTS) * rows + j + GHOSTS) * cols + i + GHOSTS).astype(np.int32)


def _walls(tunnel: Tunnel, air: Bools) -> tuple[Any, Any, Any, Any, Any]:
    """Each touch of an air cell and a wall: flat cell, axis (0 x, 1 y, 2 z), distance, roughness, width across [m]."""
    found = []
    for axis, faces in enumerate((tunnel.x, tunnel.y, tunnel.z)):
        where = 2 - axis
        widths = np.diff(faces)
        for step in (-1, 1):
            wall = np.zeros_like(air)
            inner, beyond = _shifted(where, step)
            wall[inner] = air[inner] & ~air[beyond]
            if axis == 2 and step == -1:
                wall[0] = air[0]
            k, j, i = np.nonzero(wall)
            own = (i, j, k)[axis]
            width = widths[own]
            distance = width / 2
            kind = np.full(len(k), GROUND) if len(k) else np.zeros(0, int)
            other = [k, j, i]
            other[where] = other[where] + step
            inside = other[where] >= 0
            kind[inside] = tunnel.solid[other[0][inside], other[1][inside], other[2][inside]]
            ground = kind == GROUND
            roughness = np.where(ground, tunnel.ground_roughness[other[1], other[2]], tunnel.building_roughness)
            if axis == 2 and step == -1:
                middle = (tunnel.z[k] + tunnel.z[k + 1]) / 2
                true = np.clip(middle - tunnel.ground[j, i], NEAREST * width, FARTHEST * width)
                distance = np.where(ground, true, distance)
            flat = np.ravel_multi_index((k, j, i), air.shape)
            found.append((flat, np.full(len(k), axis), distance, roughness.astype(float), width))
    joined = [np.concatenate(parts) for parts in zip(*found, strict=True)]
    return joined[0], joined[1], joined[2], joined[3], joined[4]


def _shifted(axis: int, step: int) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Slices of the cells that have a neighbour at `step` along an axis, and of these neighbours."""
    inner, beyond = [slice(None)] * 3, [slice(None)] * 3
    inner[axis] = slice(1, None) if step < 0 else slice(None, -1)
    beyond[axis] = slice(None, -1) if step < 0 else slice(1, None)
    return tuple(inner), tuple(beyond)


def _open_faces(air: Bools, axis: int) -> tuple[Bools, tuple[slice, ...], tuple[slice, ...]]:
    """Faces between two air cells, and the slices of the cells after and before them."""
    after, before = _shifted(axis, -1)
    return air[after] & air[before], after, before


def _rubbed(rub: Singles, air: Bools, axis: int) -> RubbedFaces:
    """Open faces across an axis with the mean of what their two cells bring: a face half along a wall feels half."""
    is_open, after, before = _open_faces(air, axis)
    mean = (rub[after] + rub[before]) / 2
    k, j, i = np.nonzero(is_open & (mean > 0))
    value = mean[k, j, i].astype(np.float32)
    k, j, i = (n + (1 if a == axis else 0) for a, n in enumerate((k, j, i)))
    return RubbedFaces(_place(k, j, i, air.shape), value)


def _leaves(tunnel: Tunnel, air: Bools) -> tuple[tuple[RubbedFaces, RubbedFaces, RubbedFaces], LeafCells]:
    if tunnel.leaf_area is None or not tunnel.leaf_area.any():
        none = RubbedFaces(np.zeros(0, np.int32), np.zeros(0, np.float32))
        return (none, none, none), LeafCells(*none)
    area = np.where(air, tunnel.leaf_area, np.float32(0))
    drag = np.asarray(np.float32(LEAF_DRAG) * area, np.float32)
    k, j, i = np.nonzero(area > 0)
    faces = (_rubbed(drag, air, 2), _rubbed(drag, air, 1), _rubbed(drag, air, 0))
    return faces, LeafCells(_place(k, j, i, air.shape), area[k, j, i])


def open_air(tunnel: Tunnel) -> tuple[Bools, int]:
    """Cells with air that has a way out, and the number of sealed ones that had none."""
    from scipy.ndimage import label

    air = tunnel.solid == AIR
    numbers, count = label(air)
    if count <= 1:
        return air, 0
    rim = np.zeros(count + 1, bool)
    for side in (numbers[-1], numbers[:, 0], numbers[:, -1], numbers[:, :, 0], numbers[:, :, -1]):
        rim[np.unique(side)] = True
    rim[0] = False
    kept = rim[numbers]
    return kept, int(air.sum() - kept.sum())
