"""What single cameras see of visible targets: densities, rows seen well enough, gains of turning, lists of candidates.

Import this module inside functions: it loads Numba. See `analysis.kernels.frustum` for the readings.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from analysis.kernels.frustum import Lens, Rows, density_of, is_open

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Ints = NDArray[np.int32]


@njit(cache=True, nogil=True)
def densities(
    position: Floats,
    axes: Floats,
    shape: tuple[float, float, float, bool],
    limits: tuple[float, float],
    targets: Ints,
    rows: Rows,
    out: Floats,
) -> None:
    """Best density [px/m] over the heads of one camera at each of `targets`, 0 where it is not seen; written to `out`.

    `axes` : (heads, 3, 3) right, forward, up. `shape`: half width and height over the focal length, focal length [px],
    whether round. `limits`: reach and own light [m].
    """
    wide, high, px, all_round = shape
    for k in range(len(targets)):
        target = targets[k]
        dx = rows.xyz[target, 0] - position[0]
        dy = rows.xyz[target, 1] - position[1]
        dz = rows.xyz[target, 2] - position[2]
        square = dx * dx + dy * dy + dz * dz
        out[k] = 0.0
        if not is_open(rows, target, dx, dy, dz, square, limits[0], limits[1]):
            continue
        for head in range(axes.shape[0]):
            three = (axes[head, 0], axes[head, 1], axes[head, 2])
            density = density_of(rows.normal[target], dx, dy, dz, square, three, wide, high, px, all_round)
            if density > out[k]:
                out[k] = density


@njit(cache=True, nogil=True)
def gains_of(
    position: Floats,
    axes: Floats,
    shapes: Floats,
    all_round: bool,
    limits: tuple[float, float],
    targets: Ints,
    rows: Rows,
    worth: Whole,
    lost: int,
    out: Whole,
) -> None:
    """Sums of `worth` (rows,) of what one camera sees well enough, turned in several ways; written to `out` (k,).

    `axes` : (k, heads, 3, 3), `shapes` : (k, 3), both as of `densities`. `lost`: where it sees what is forbidden.
    """
    out[:] = 0
    for t in range(len(targets)):
        target = targets[t]
        dx = rows.xyz[target, 0] - position[0]
        dy = rows.xyz[target, 1] - position[1]
        dz = rows.xyz[target, 2] - position[2]
        square = dx * dx + dy * dy + dz * dz
        if not is_open(rows, target, dx, dy, dz, square, limits[0], limits[1]):
            continue
        for k in range(len(shapes)):
            best = 0.0
            for head in range(axes.shape[1]):
                three = (axes[k, head, 0], axes[k, head, 1], axes[k, head, 2])
                wide, high, px = shapes[k, 0], shapes[k, 1], shapes[k, 2]
                best = max(best, density_of(rows.normal[target], dx, dy, dz, square, three, wide, high, px, all_round))
            if best > 0.0:
                for row in range(rows.row_ptr[target], rows.row_ptr[target + 1]):
                    if best >= rows.need[row]:
                        if rows.forbidden[row]:
                            out[k] = lost
                        elif out[k] != lost:
                            out[k] += worth[row]


@njit(cache=True, nogil=True)
def candidate_rows(
    first: int,
    last: int,
    pole: Ints,
    part: Ints,
    pole_xyz: Floats,
    ptr: Whole,
    idx: Ints,
    rows: Rows,
    lens: Lens,
    starts: Whole,
    out: Ints,
) -> None:
    """Rows that candidates `first` .. `last` - 1 see well enough.

    `part` : (m, 3) pan, tilt and focal step of each. With an empty `out` their numbers are written to `starts`
    (m + 1,), else the rows themselves from ``starts[k]`` on.
    """
    counting = len(out) == 0
    for k in range(first, last):
        here = pole[k]
        pan, tilt, focal = part[k, 0], part[k, 1], part[k, 2]
        wide, high, px = lens.tan_width[focal], lens.tan_height[focal], lens.focal_px[focal]
        count = 0
        for entry in range(ptr[here], ptr[here + 1]):
            target = idx[entry]
            dx = rows.xyz[target, 0] - pole_xyz[here, 0]
            dy = rows.xyz[target, 1] - pole_xyz[here, 1]
            dz = rows.xyz[target, 2] - pole_xyz[here, 2]
            square = dx * dx + dy * dy + dz * dz
            if not is_open(rows, target, dx, dy, dz, square, lens.reach, lens.light):
                continue
            best = 0.0
            for head in range(lens.forward.shape[0]):
                axes = (lens.right[head, pan], lens.forward[head, pan, tilt], lens.up[head, pan, tilt])
                best = max(
                    best, density_of(rows.normal[target], dx, dy, dz, square, axes, wide, high, px, lens.all_round)
                )
            if best > 0.0:
                for row in range(rows.row_ptr[target], rows.row_ptr[target + 1]):
                    if best >= rows.need[row]:
                        if not counting:
                            out[starts[k] + count] = row
                        count += 1
        if counting:
            starts[k + 1] = count
