"""What cameras on known places see of known visible targets: picture and density tested in one pass.

Import this module inside functions: it loads Numba. The kernels release the interpreter lock and run on one core each;
blocks of poles may run side by side. Prices are whole numbers, so that sums do not depend on any order.

The readings are those of `analysis.cctv.optics`, in the same order of operations: for a camera looking along forward f
with right r and up u, a target at d from the lens has depth ``z = d.f``, ``x = d.r``, ``y = d.u``; it is in the picture
if ``z > NEAR``, ``|x/z| <= tan(H/2)`` and ``|y/z| <= tan(V/2)``. Density of a person is ``f_px / z`` (a plane parallel
to the sensor). On a surface with normal n it is the smallest singular value of the picture's Jacobian on the surface:
with ``a = n.d`` and ``q = n.f`` the squares of both singular values over ``(f_px / z)^2`` add up to
``|d|^2 (1 - q^2) / z^2 + 2 q a / z``, and their product is ``(a / z)^2``. A fisheye follows ``r = f theta``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Ints = NDArray[np.int32]
Bools = NDArray[np.bool_]

NEAR = 0.1  # [m] depth below which nothing is in the picture
SLACK = 1.0 + 1e-9  # of quick tests that the exact ones follow


class Rows(NamedTuple):
    """Targets, and what is asked of each: its rows are ``row_ptr[j] .. row_ptr[j + 1] - 1``.

    xyz, normal : (n, 3), normal NaN for a person; row_ptr : (n + 1,); need : (rows,) [px/m]; least_cosine : (n,) of
    the angle between normal and ray; dark : (n,) seen only as far as the camera's own light; forbidden : (rows,) no
    camera may see it that well.
    """

    xyz: Floats
    normal: Floats
    row_ptr: Whole
    need: Floats
    least_cosine: Floats
    dark: Bools
    forbidden: Bools


class Lens(NamedTuple):
    """A grid of ways to look.

    right : (heads, p, 3); forward, up : (heads, p, t, 3); half a picture over the focal length and focal length [px]
    of the steps of zoom (k,), widest first; reach, light : how far it is used, and how far its own light reaches [m];
    all_round : whether it is a fisheye.
    """

    right: Floats
    forward: Floats
    up: Floats
    tan_width: Floats
    tan_height: Floats
    focal_px: Floats
    reach: float
    light: float
    all_round: bool


@njit(cache=True, nogil=True, inline="always")
def _dot(a: Floats, x: float, y: float, z: float) -> float:
    return float(x * a[0] + y * a[1] + z * a[2])


@njit(cache=True, nogil=True)
def smallest(both: float, product: float) -> float:
    """Smaller singular value from the sum of the squares of both and the square of their product."""
    rest = both * both - 4.0 * product
    largest = 0.5 * (both + np.sqrt(rest if rest > 0.0 else 0.0))
    return float(np.sqrt(product / largest)) if largest > 0.0 else 0.0


@njit(cache=True, nogil=True)
def shrink(normal: Floats, dx: float, dy: float, dz: float, square: float, z: float, forward: Floats) -> float:
    """Density on a surface over that on a plane parallel to the sensor."""
    a = _dot(normal, dx, dy, dz) / z
    facing = _dot(normal, forward[0], forward[1], forward[2])
    return smallest(square * (1.0 - facing * facing) / (z * z) + 2.0 * facing * a, a * a)


@njit(cache=True, nogil=True)
def shrink_round(normal: Floats, dx: float, dy: float, dz: float, square: float, z: float, forward: Floats) -> float:
    """Density on a surface over ``f / |d|`` in a fisheye's picture."""
    distance = np.sqrt(square)
    cosine = z / distance
    sine = np.sqrt(max(0.0, 1.0 - cosine * cosine))
    across = np.arccos(min(1.0, max(-1.0, cosine))) / sine if sine > 1e-9 else 1.0
    along = _dot(normal, dx, dy, dz) / distance
    turn = 0.0
    if sine > 1e-9:
        turn = (
            normal[0] * (forward[1] * dz - forward[2] * dy)
            + normal[1] * (forward[2] * dx - forward[0] * dz)
            + normal[2] * (forward[0] * dy - forward[1] * dx)
        ) / (distance * sine)
    radial = max(0.0, 1.0 - turn * turn - along * along)
    both = (1.0 - radial) + across * across * (1.0 - turn * turn)
    return smallest(both, across * across * along * along)


@njit(cache=True, nogil=True, inline="always")
def is_open(
    rows: Rows, target: int, dx: float, dy: float, dz: float, square: float, reach: float, light: float
) -> bool:
    """Whether a target can count at all from here: within reach, lit, not seen too flat."""
    if rows.dark[target] and light < reach:
        reach = light
    if square > reach * reach:
        return False
    normal = rows.normal[target]
    if normal[0] == normal[0]:
        cosine = -_dot(normal, dx, dy, dz) / np.sqrt(square)
        return bool(cosine > 0.0 and cosine >= rows.least_cosine[target])
    return True


@njit(cache=True, nogil=True)
def density_of(
    normal: Floats,
    dx: float,
    dy: float,
    dz: float,
    square: float,
    axes: tuple[Floats, Floats, Floats],
    tan_width: float,
    tan_height: float,
    focal_px: float,
    all_round: bool,
) -> float:
    """Density [px/m] at one target for one view; 0 outside the picture. `axes`: right, forward, up (3,)."""
    right, forward, up = axes
    x, y, z = _dot(right, dx, dy, dz), _dot(up, dx, dy, dz), _dot(forward, dx, dy, dz)
    is_surface = normal[0] == normal[0]
    if all_round:
        across = np.hypot(x, y)
        angle = np.arctan2(across, z)
        share = angle / across if across > 0.0 else 1.0
        if angle > 0.5 * np.pi or square <= NEAR * NEAR:
            return 0.0
        if abs(share * x) > tan_width or abs(share * y) > tan_height:
            return 0.0
        density = focal_px / np.sqrt(square)
        return float(density * shrink_round(normal, dx, dy, dz, square, z, forward)) if is_surface else float(density)
    if z <= NEAR or abs(x / z) > tan_width or abs(y / z) > tan_height:
        return 0.0
    density = focal_px / z
    return float(density * shrink(normal, dx, dy, dz, square, z, forward)) if is_surface else float(density)


@njit(cache=True, nogil=True)
def put(values: Whole, numbers: Whole, value: int, number: int) -> None:
    """Insert into a list of the best, best first; of equals the earlier one stays before."""
    place = len(values)
    while place > 0 and value > values[place - 1]:
        place -= 1
    if place == len(values):
        return
    for k in range(len(values) - 1, place, -1):
        values[k] = values[k - 1]
        numbers[k] = numbers[k - 1]
    values[place] = value
    numbers[place] = number


@njit(cache=True, nogil=True)
def price_poles(
    first: int,
    last: int,
    pole_xyz: Floats,
    allowed: Bools,
    ptr: Whole,
    idx: Ints,
    rows: Rows,
    lens: Lens,
    prices: Whole,
    least: int,
    charge: Whole,
    start: int,
    value: Whole,
    number: Whole,
) -> None:
    """Put the best orientations of poles `first` .. `last` - 1 into `value` and `number` (poles, wanted), best first.

    What stands there already (of other models) competes. `prices` : (rows,). `charge` : (poles,) taken off the values.
    `start` is added to the numbers. A pole whose whole sum stays below `least` gets that sum and no orientation.
    """
    pans, tilts, focals = lens.forward.shape[1], lens.forward.shape[2], len(lens.tan_width)
    gain = np.zeros((pans, tilts, focals), dtype=np.int64)
    bad = np.zeros((pans, tilts, focals), dtype=np.bool_)
    best = np.zeros((tilts, focals))
    plain = lens.forward.shape[0] == 1 and not lens.all_round
    for pole in range(first, last):
        whole = _whole_sum(pole, pole_xyz, ptr, idx, rows, lens, prices) - charge[pole]
        if whole < least:
            for _ in range(value.shape[1]):
                put(value[pole], number[pole], whole, -1)
            continue
        gain[:] = 0
        bad[:] = False
        for entry in range(ptr[pole], ptr[pole + 1]):
            target = idx[entry]
            dx = rows.xyz[target, 0] - pole_xyz[pole, 0]
            dy = rows.xyz[target, 1] - pole_xyz[pole, 1]
            dz = rows.xyz[target, 2] - pole_xyz[pole, 2]
            square = dx * dx + dy * dy + dz * dz
            if not is_open(rows, target, dx, dy, dz, square, lens.reach, lens.light):
                continue
            if plain:
                _look(rows, lens, target, dx, dy, dz, square, allowed[pole], prices, gain, bad)
            else:
                _look_around(rows, lens, target, dx, dy, dz, square, allowed[pole], prices, gain, bad, best)
        for pan in range(pans):
            if allowed[pole, pan]:
                for tilt in range(tilts):
                    for focal in range(focals):
                        if not bad[pan, tilt, focal]:
                            here = start + (pan * tilts + tilt) * focals + focal
                            put(value[pole], number[pole], gain[pan, tilt, focal] - charge[pole], here)


@njit(cache=True, nogil=True)
def _whole_sum(pole: int, pole_xyz: Floats, ptr: Whole, idx: Ints, rows: Rows, lens: Lens, prices: Whole) -> int:
    """All that a camera here could gain at most."""
    total = 0
    for entry in range(ptr[pole], ptr[pole + 1]):
        target = idx[entry]
        dx = rows.xyz[target, 0] - pole_xyz[pole, 0]
        dy = rows.xyz[target, 1] - pole_xyz[pole, 1]
        dz = rows.xyz[target, 2] - pole_xyz[pole, 2]
        if is_open(rows, target, dx, dy, dz, dx * dx + dy * dy + dz * dz, lens.reach, lens.light):
            for row in range(rows.row_ptr[target], rows.row_ptr[target + 1]):
                if prices[row] > 0:
                    total += prices[row]
    return total


@njit(cache=True, nogil=True)
def _look(
    rows: Rows,
    lens: Lens,
    target: int,
    dx: float,
    dy: float,
    dz: float,
    square: float,
    allowed: Bools,
    prices: Whole,
    gain: Whole,
    bad: Bools,
) -> None:
    """Add the prices of one target's rows to every orientation that sees it well enough."""
    begin, end = rows.row_ptr[target], rows.row_ptr[target + 1]
    normal = rows.normal[target]
    is_surface = normal[0] == normal[0]
    wide, high = lens.tan_width[0], lens.tan_height[0]
    # No tilt brings a target into the picture that lies further to the side than this.
    aside = SLACK * wide / np.sqrt(1.0 + wide * wide) * np.sqrt(square)
    for pan in range(lens.forward.shape[1]):
        x = abs(_dot(lens.right[0, pan], dx, dy, dz))
        if x > aside or not allowed[pan]:
            continue
        for tilt in range(lens.forward.shape[2]):
            forward = lens.forward[0, pan, tilt]
            z = _dot(forward, dx, dy, dz)
            if z <= NEAR or x > z * wide * SLACK:
                continue
            y = abs(_dot(lens.up[0, pan, tilt], dx, dy, dz))
            if y > z * high * SLACK:
                continue
            across, upward = x / z, y / z
            factor = 1.0
            if is_surface:
                factor = shrink(normal, dx, dy, dz, square, z, forward)
            for focal in range(len(lens.tan_width)):
                if across > lens.tan_width[focal] or upward > lens.tan_height[focal]:
                    break
                density = lens.focal_px[focal] / z
                if is_surface:
                    density *= factor
                for row in range(begin, end):
                    if density >= rows.need[row]:
                        gain[pan, tilt, focal] += prices[row]
                        if rows.forbidden[row]:
                            bad[pan, tilt, focal] = True


@njit(cache=True, nogil=True)
def _look_around(
    rows: Rows,
    lens: Lens,
    target: int,
    dx: float,
    dy: float,
    dz: float,
    square: float,
    allowed: Bools,
    prices: Whole,
    gain: Whole,
    bad: Bools,
    best: Floats,
) -> None:
    """As `_look` for devices with several heads or a round picture: the best head counts."""
    for pan in range(lens.forward.shape[1]):
        if not allowed[pan]:
            continue
        best[:] = 0.0
        for head in range(lens.forward.shape[0]):
            for tilt in range(lens.forward.shape[2]):
                axes = (lens.right[head, pan], lens.forward[head, pan, tilt], lens.up[head, pan, tilt])
                for focal in range(len(lens.tan_width)):
                    wide, high, px = lens.tan_width[focal], lens.tan_height[focal], lens.focal_px[focal]
                    density = density_of(rows.normal[target], dx, dy, dz, square, axes, wide, high, px, lens.all_round)
                    if density > best[tilt, focal]:
                        best[tilt, focal] = density
        for tilt in range(lens.forward.shape[2]):
            for focal in range(len(lens.tan_width)):
                if best[tilt, focal] > 0.0:
                    for row in range(rows.row_ptr[target], rows.row_ptr[target + 1]):
                        if best[tilt, focal] >= rows.need[row]:
                            gain[pan, tilt, focal] += prices[row]
                            if rows.forbidden[row]:
                                bad[pan, tilt, focal] = True


@njit(cache=True, nogil=True)
def rows_seen(targets: Ints, density: Floats, rows: Rows, out: Ints) -> int:
    """Write the rows whose need is met to `out`; their number. Those that need nothing must still be in the picture."""
    count = 0
    for k in range(len(targets)):
        if density[k] > 0.0:
            target = targets[k]
            for row in range(rows.row_ptr[target], rows.row_ptr[target + 1]):
                if density[k] >= rows.need[row]:
                    out[count] = row
                    count += 1
    return count
