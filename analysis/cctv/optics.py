"""Where a camera pictures a point, and with how many pixels per metre: closed forms in float64.

A camera looks along ``forward``; pan runs clockwise from grid north, tilt downward from level, roll clockwise as the
camera looks. With ``d = point - position``: depth ``z = d . forward``, ``x = d . right``, ``y = d . up``.

Rectilinear lenses picture ``(x/z, y/z)`` times the focal length in pixels; fisheyes (equidistant, r = f theta) the
angle from the axis times the focal length in pixels per radian.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Reading = Literal["parallel", "slant", "radial"]

NEAREST = 0.1  # [m] of depth: what is nearer to the lens is not pictured
FISHEYE_HALF = math.pi / 2  # [rad] a half sphere


@dataclass(frozen=True)
class View:
    """One head of one camera in one direction.

    Attributes
    ----------
    position : (3,) float [local m]
    pan, tilt, roll : float [deg]
        See the module.
    tan_half_width, tan_half_height : float
        Half the picture over the focal length: the tangent of half the field of a rectilinear lens.
    focal_px : float
        [px], fisheye: [px/rad].
    pixels_wide, pixels_high : int
    equidistant : bool
        A fisheye.
    reachable : bool
        A preset that the camera can turn to, not where it looks.
    """

    position: tuple[float, float, float]
    pan: float
    tilt: float
    roll: float
    tan_half_width: float
    tan_half_height: float
    focal_px: float
    pixels_wide: int
    pixels_high: int
    equidistant: bool = False
    reachable: bool = False


def view_at(
    position: ArrayLike,
    pan: float,
    tilt: float,
    roll: float,
    *,
    focal_px: float,
    pixels: tuple[int, int],
    equidistant: bool = False,
    reachable: bool = False,
) -> View:
    """A view from its focal length [px] and its picture (wide, high)."""
    x, y, z = (float(value) for value in np.asarray(position, dtype=np.float64))
    return View(
        (x, y, z), float(pan), float(tilt), float(roll), pixels[0] / (2.0 * focal_px), pixels[1] / (2.0 * focal_px),
        float(focal_px), int(pixels[0]), int(pixels[1]), equidistant, reachable,
    )  # fmt: skip


def axes(view: View) -> tuple[Floats, Floats, Floats]:
    """Unit vectors forward, right and up of the picture, (3,) each."""
    pan, tilt, roll = (math.radians(angle) for angle in (view.pan, view.tilt, view.roll))
    sp, cp, st, ct, sr, cr = (*_sin_cos(pan), *_sin_cos(tilt), *_sin_cos(roll))
    forward = np.array([sp * ct, cp * ct, -st])
    right, up = np.array([cp, -sp, 0.0]), np.array([sp * st, cp * st, ct])
    return forward, cr * right - sr * up, cr * up + sr * right


def _sin_cos(angle: float) -> tuple[float, float]:
    return math.sin(angle), math.cos(angle)


def in_camera(view: View, xyz: ArrayLike) -> tuple[Floats, Floats, Floats]:
    """X to the right, y up and depth z (n,) [m] of points (n, 3)."""
    away = np.asarray(xyz, dtype=np.float64).reshape(-1, 3) - np.asarray(view.position)
    # written out: a matrix product may differ in the last bit with the number of points
    x, y, z = (away[:, 0] * axis[0] + away[:, 1] * axis[1] + away[:, 2] * axis[2] for axis in _right_up_forward(view))
    return x, y, z


def _right_up_forward(view: View) -> tuple[Floats, Floats, Floats]:
    forward, right, up = axes(view)
    return right, up, forward


def _pictured(view: View, xyz: ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Place in the picture to the right and up, in focal lengths, and depth; not-a-number behind a rectilinear lens."""
    x, y, z = in_camera(view, xyz)
    if view.equidistant:
        across = np.hypot(x, y)
        angle = np.arctan2(across, z)
        share = np.divide(angle, across, out=np.ones_like(across), where=across > 0)
        return share * x, share * y, z
    ahead = z > 0.0
    depth = np.where(ahead, z, np.nan)
    return x / depth, y / depth, z


def project(view: View, xyz: ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Pixels and depth of points (n, 3) [local m].

    Returns
    -------
    u, v : (n,) float [px]
        From the top left corner of the picture, v downward; not-a-number behind a rectilinear lens. The pixel is the
        whole number below.
    z : (n,) float [m]
        Depth along the optical axis.
    """
    a, b, z = _pictured(view, xyz)
    return view.pixels_wide / 2.0 + view.focal_px * a, view.pixels_high / 2.0 - view.focal_px * b, z


def in_view(view: View, xyz: ArrayLike) -> Bools:
    """(n,) whether points (n, 3) [local m] lie within the picture."""
    a, b, z = _pictured(view, xyz)
    if view.equidistant:
        away = np.asarray(xyz, dtype=np.float64).reshape(-1, 3) - np.asarray(view.position)
        ahead = (np.hypot(a, b) <= FISHEYE_HALF) & ((away**2).sum(axis=1) > NEAREST**2)
    else:
        ahead = z > NEAREST
    with np.errstate(invalid="ignore"):
        return np.asarray(ahead & (np.abs(a) <= view.tan_half_width) & (np.abs(b) <= view.tan_half_height))


def density(view: View, xyz: ArrayLike, normal: ArrayLike | None = None, *, reading: Reading = "parallel") -> Floats:
    """(n,) pixels per metre at points (n, 3) [local m]; not-a-number behind the lens.

    Parameters
    ----------
    normal : (n, 3) float, optional
        Outward unit normals of the surfaces: the density is then that along the worst direction in the surface (the
        smallest singular value of the projection's Jacobian). Rows of not-a-number stand for people, who are taken as
        facing the camera and read by `reading`, as all points are without normals.
    reading : {"parallel", "slant", "radial"}
        Of rectilinear pictures of people: a plane parallel to the sensor (f/z), the slant distance (f/d, the least),
        or a plane facing the camera along the radial direction (f d / z^2, the most). A fisheye has f/d along the
        radius and more across it; f/d is taken.
    """
    points = np.asarray(xyz, dtype=np.float64).reshape(-1, 3)
    people = _facing_density(view, points, reading)
    if normal is None:
        return people
    normals = np.asarray(normal, dtype=np.float64).reshape(-1, 3)
    flat = np.isfinite(normals[:, 0])
    if flat.any():
        people = people.copy()
        people[flat] = _surface_density(view, points[flat], normals[flat])
    return people


def _facing_density(view: View, points: Floats, reading: Reading) -> Floats:
    x, y, z = in_camera(view, points)
    distance = np.sqrt(x * x + y * y + z * z)
    if view.equidistant:
        return np.divide(view.focal_px, distance, out=np.full_like(distance, np.nan), where=distance > 0)
    depth = np.where(z > 0.0, z, np.nan)
    if reading == "slant":
        return np.where(z > 0.0, view.focal_px / np.where(distance > 0, distance, np.nan), np.nan)
    if reading == "radial":
        return np.asarray(view.focal_px * distance / (depth * depth))
    return np.asarray(view.focal_px / depth)


def jacobian(view: View, xyz: ArrayLike) -> Floats:
    """(n, 2, 3) pixels to the right and up per metre along x, y, z of the map at points (n, 3)."""
    x, y, z = in_camera(view, xyz)
    right, up, forward = _right_up_forward(view)
    if not view.equidistant:
        depth = np.where(z > 0.0, z, np.nan)
        rows = [(axis[None] - (side / depth)[:, None] * forward[None]) for axis, side in ((right, x), (up, y))]
        return np.asarray(view.focal_px * np.stack(rows, axis=1) / depth[:, None, None])
    across, distance2 = np.hypot(x, y), x * x + y * y + z * z
    axis = across < 1e-12 * np.sqrt(distance2)
    rho = np.where(axis, 1.0, across)
    angle = np.arctan2(across, z)
    cosine, sine = np.where(axis, 1.0, x / rho), np.where(axis, 0.0, y / rho)
    # along the radius: d theta = (z d rho - rho d z) / d^2; across it: theta times the turn
    radial = (z[:, None] * (cosine[:, None] * right + sine[:, None] * up) - across[:, None] * forward) / distance2[
        :, None
    ]
    turn = np.where(axis, 1.0 / np.where(z > 0, z, np.nan), angle / rho)[:, None] * (
        cosine[:, None] * up - sine[:, None] * right
    )
    rows = [cosine[:, None] * radial - sine[:, None] * turn, sine[:, None] * radial + cosine[:, None] * turn]
    return np.asarray(view.focal_px * np.stack(rows, axis=1))


def density_along(view: View, xyz: ArrayLike, tangent: ArrayLike) -> Floats:
    """(n,) pixels per metre along unit vectors (n, 3) or (3,): ``(f/z) |(t.r - (x/z) t.f, t.u - (y/z) t.f)|``."""
    way = np.broadcast_to(np.asarray(tangent, dtype=np.float64), np.asarray(xyz, dtype=np.float64).reshape(-1, 3).shape)
    return np.asarray(np.linalg.norm(np.einsum("nij,nj->ni", jacobian(view, xyz), way), axis=1))


def _surface_density(view: View, points: Floats, normals: Floats) -> Floats:
    """Smallest singular value of the Jacobian within the surface."""
    full = jacobian(view, points)
    across = np.einsum("nij,nj->ni", full, normals)
    a, b, c = ((full[:, i] * full[:, j]).sum(axis=1) - across[:, i] * across[:, j] for i, j in ((0, 0), (0, 1), (1, 1)))
    largest = 0.5 * (a + c + np.hypot(a - c, 2.0 * b))
    product = np.maximum(a * c - b * b, 0.0)
    return np.asarray(np.sqrt(np.divide(product, largest, out=np.zeros_like(largest), where=largest > 0)))


def face_angles(view_position: ArrayLike, xyz: ArrayLike, normal: ArrayLike | None = None) -> tuple[Floats, Floats]:
    """Angles under which faces are seen from a camera.

    Returns
    -------
    tilt : (n,) float [deg]
        Of the line of sight from level, whether from above or below.
    yaw : (n,) float [deg]
        Between that line in plan and the way the person looks, which is the normal; 0 without one (the person is
        taken as looking to the camera).
    """
    towards = np.asarray(view_position, dtype=np.float64) - np.asarray(xyz, dtype=np.float64).reshape(-1, 3)
    level = np.hypot(towards[:, 0], towards[:, 1])
    tilt = np.degrees(np.arctan2(np.abs(towards[:, 2]), level))
    if normal is None:
        return tilt, np.zeros(len(tilt))
    way = np.asarray(normal, dtype=np.float64).reshape(-1, 3)
    along = way[:, 0] * towards[:, 0] + way[:, 1] * towards[:, 1]
    beside = np.abs(way[:, 0] * towards[:, 1] - way[:, 1] * towards[:, 0])
    yaw = np.degrees(np.arctan2(beside, along))
    level_way = np.isfinite(way[:, 0]) & (np.hypot(way[:, 0], way[:, 1]) > 1e-6)
    return tilt, np.asarray(np.where(level_way, yaw, 0.0))


def surface_angle(view_position: ArrayLike, xyz: ArrayLike, normal: ArrayLike) -> Floats:
    """(n,) angle [deg] between the normals of surfaces and the directions to the camera (plates)."""
    towards = np.asarray(view_position, dtype=np.float64) - np.asarray(xyz, dtype=np.float64).reshape(-1, 3)
    way = np.asarray(normal, dtype=np.float64).reshape(-1, 3)
    dot = (towards * way).sum(axis=1)
    beside = np.linalg.norm(np.cross(way, towards), axis=1)
    return np.asarray(np.degrees(np.arctan2(beside, dot)))


def half_fields(view: View) -> tuple[float, float]:
    """Half the horizontal and half the vertical field [deg]."""
    if view.equidistant:
        half = (min(view.tan_half_width, FISHEYE_HALF), min(view.tan_half_height, FISHEYE_HALF))
        return math.degrees(half[0]), math.degrees(half[1])
    return math.degrees(math.atan(view.tan_half_width)), math.degrees(math.atan(view.tan_half_height))


def footprint(height: float, tilt: float, vertical_field: float) -> tuple[float, float]:
    """Nearest and furthest distance in plan [m] on the level `height` below the lens, straight ahead.

    ``h / tan(t + v/2)`` and ``h / tan(t - v/2)``: 0 where the picture reaches straight down, infinite where its upper
    edge reaches the horizon; not-a-number where the level lies above the lens.

    Parameters
    ----------
    tilt, vertical_field : float [deg]
    """
    if not height > 0:
        return math.nan, math.nan
    low, high = tilt + vertical_field / 2.0, tilt - vertical_field / 2.0
    near = 0.0 if low >= 90.0 else (math.inf if low <= 0.0 else height / math.tan(math.radians(low)))
    if high <= 0.0:
        return near, math.inf
    return near, height / math.tan(math.radians(high)) if high < 90.0 else 0.0


def dead_zone(view: View, height: float) -> float:
    """Distance in plan [m] within which nothing is seen straight ahead, on the level `height` [m] below the lens."""
    return footprint(height, view.tilt, 2.0 * half_fields(view)[1])[0]


def furthest(focal_px: float, pixels: tuple[int, int], least_px_per_m: float, *, equidistant: bool = False) -> float:
    """Distance [m] beyond which no point of the picture has the density: the corner of the picture reaches furthest."""
    if equidistant:
        return focal_px / least_px_per_m
    return math.sqrt(focal_px**2 + (pixels[0] / 2.0) ** 2 + (pixels[1] / 2.0) ** 2) / least_px_per_m
