"""Camera and its movements: pure NumPy, no window. Pixels run right and down from the top left corner."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from geo.model import Bounds

Vector = NDArray[np.float64]

CITY_FOV = 30.0
LOWEST_PITCH, HIGHEST_PITCH = -89.0, -4.0  # degrees; the city is looked at from above
NEAREST = 1.5  # metres between the eye and the point zoomed toward
ZOOM_NOTCH = 0.85
ABOVE_PLAN = 500.0  # metres by which the eye of a plan stands over what it looks at, clear of what is beside it
LARGEST_PLAN = 100_000.0  # metres of height of a parallel picture
VIEWS = {  # azimuth looked toward, pitch [degrees]
    "home": (20.0, -38.0),
    "iso": (20.0, -38.0),
    "top": (0.0, -89.0),
    "north": (0.0, -12.0),
    "east": (90.0, -12.0),
    "south": (180.0, -12.0),
    "west": (270.0, -12.0),
}


@dataclass(frozen=True)
class Camera:
    """Where the eye is and where it looks; up is always +z.

    Attributes
    ----------
    position, focus : (3,) tuples [local m]
    fov : float [degrees]
        Vertical angle of view.
    parallel_height : float [m]
        Height of the picture in the scene when lines of sight are parallel, as in a plan; 0 = in perspective.
    """

    position: tuple[float, float, float]
    focus: tuple[float, float, float]
    fov: float = CITY_FOV
    parallel_height: float = 0.0

    @property
    def is_parallel(self) -> bool:
        """Whether lines of sight are parallel."""
        return bool(self.parallel_height > 0.0)

    @property
    def eye(self) -> Vector:
        """The position as an array."""
        return np.array(self.position)

    @property
    def distance(self) -> float:
        """From the eye to the focus [m]."""
        return float(np.linalg.norm(np.subtract(self.focus, self.position)))

    @property
    def forward(self) -> Vector:
        """Unit vector of the direction of view."""
        return np.subtract(self.focus, self.position) / max(self.distance, 1e-9)

    @property
    def azimuth(self) -> float:
        """Direction looked toward, clockwise from grid north [degrees]."""
        right = self.basis[0]
        return math.degrees(math.atan2(-right[1], right[0])) % 360.0

    @property
    def pitch(self) -> float:
        """Angle of the direction of view above the horizon [degrees]; negative looking down."""
        return math.degrees(math.asin(min(max(float(self.forward[2]), -1.0), 1.0)))

    @property
    def basis(self) -> tuple[Vector, Vector, Vector]:
        """Unit vectors right, up (of the picture) and forward."""
        forward = self.forward
        right = np.array([forward[1], -forward[0], 0.0])
        length = float(np.linalg.norm(right))
        right = right / length if length > 1e-9 else np.array([1.0, 0.0, 0.0])
        return right, np.cross(right, forward), forward


def looking(focus: Vector, *, azimuth: float, pitch: float, distance: float, fov: float = CITY_FOV) -> Camera:
    """A camera that looks at a point toward an azimuth (from grid north, clockwise) with a pitch [degrees]."""
    azimuth_rad, pitch_rad = math.radians(azimuth), math.radians(min(max(pitch, LOWEST_PITCH), 89.0))
    forward = np.array(
        [
            math.cos(pitch_rad) * math.sin(azimuth_rad),
            math.cos(pitch_rad) * math.cos(azimuth_rad),
            math.sin(pitch_rad),
        ]
    )
    return Camera(_triple(focus - forward * distance), _triple(np.asarray(focus, dtype=np.float64)), fov)


def fitted(
    bounds: Bounds,
    *,
    azimuth: float,
    pitch: float,
    aspect: float,
    fov: float = CITY_FOV,
    margin: float = 1.04,
    points: Vector | None = None,
) -> Camera:
    """A camera that shows all of a box, looking toward an azimuth with a pitch [degrees]; aspect = width / height.

    With `points` (n, 3) it shows these instead of the corners of the box, which a round or slanting town leaves empty.
    """
    corners = _corners(bounds) if points is None or len(points) == 0 else points
    middle = corners.mean(axis=0)
    right, up, forward = looking(middle, azimuth=azimuth, pitch=pitch, distance=1.0, fov=fov).basis
    tangent = math.tan(math.radians(fov) / 2) / margin
    tangents = (tangent * max(aspect, 1e-3), tangent)
    distance = 4 * NEAREST
    for _ in range(6):  # the near corners look larger: bring the middle of the picture over what is seen
        offset = corners - middle
        depth = offset @ forward
        across = [offset @ axis / slope for axis, slope in zip((right, up), tangents, strict=True)]
        distance = max(float((np.maximum(*np.abs(across)) - depth).max()), 4 * NEAREST)
        for axis, slope, place in zip((right, up), tangents, across, strict=True):
            seen = place / (distance + depth)
            middle = middle + axis * float(seen.max() + seen.min()) / 2 * slope * distance
    offset = corners - middle
    reach = np.maximum(np.abs(offset @ right) / tangents[0], np.abs(offset @ up) / tangents[1])
    distance = max(float((reach - offset @ forward).max()), 4 * NEAREST)
    return looking(middle, azimuth=azimuth, pitch=pitch, distance=distance, fov=fov)


def view_of(bounds: Bounds, name: str, *, aspect: float, points: Vector | None = None) -> Camera:
    """One of the named views of `VIEWS`, fitted to a box or to points."""
    azimuth, pitch = VIEWS[name]
    return fitted(bounds, azimuth=azimuth, pitch=pitch, aspect=aspect, points=points)


def ray(camera: Camera, pixel: tuple[float, float], size: tuple[int, int]) -> tuple[Vector, Vector]:
    """Origin and unit direction of the line of sight through a pixel of a picture of (width, height)."""
    width, height = max(size[0], 1), max(size[1], 1)
    if camera.is_parallel:
        right, up, forward = camera.basis
        metres = camera.parallel_height / height
        offset = (pixel[0] - width / 2) * metres * right + (height / 2 - pixel[1]) * metres * up
        return camera.eye + offset, forward
    tangent = math.tan(math.radians(camera.fov) / 2)
    across = (2.0 * pixel[0] / width - 1.0) * tangent * width / height
    above = (1.0 - 2.0 * pixel[1] / height) * tangent
    right, up, forward = camera.basis
    direction = forward + across * right + above * up
    return camera.eye, direction / np.linalg.norm(direction)


def project(camera: Camera, points: Vector, size: tuple[int, int]) -> tuple[Vector, Vector]:
    """Pixels (n, 2) of points (n, 3), and their depth along the view [m] (negative behind the eye)."""
    width, height = max(size[0], 1), max(size[1], 1)
    right, up, forward = camera.basis
    offset = np.asarray(points, dtype=np.float64) - camera.eye
    depth = offset @ forward
    safe = np.where(np.abs(depth) > 1e-9, depth, 1e-9)
    if camera.is_parallel:
        scale = np.full(np.shape(depth), height / camera.parallel_height)
    else:
        scale = height / 2 / math.tan(math.radians(camera.fov) / 2) / safe
    return np.stack([width / 2 + (offset @ right) * scale, height / 2 - (offset @ up) * scale], axis=-1), depth


def orbit(camera: Camera, pivot: Vector, *, turn: float, tilt: float) -> Camera:
    """Turn about a point that stays where it is in the picture.

    `turn` swings the eye counter-clockwise seen from above, `tilt` raises the direction of view [degrees];
    the pitch is held between -89° and -4°.
    """
    pitch = camera.pitch
    low, high = min(LOWEST_PITCH, pitch), max(HIGHEST_PITCH, pitch)
    tilt = min(max(pitch + tilt, low), high) - pitch
    about_up = _rotation(np.array([0.0, 0.0, 1.0]), turn)
    about_right = _rotation(camera.basis[0], tilt)
    rotation = about_up @ about_right
    eye = pivot + rotation @ (camera.eye - pivot)
    forward = rotation @ camera.forward
    return replace(camera, position=_triple(eye), focus=_triple(eye + forward * camera.distance))


def pan(camera: Camera, grabbed: Vector, pixel: tuple[float, float], size: tuple[int, int]) -> Camera:
    """Move level so that the grabbed point comes under a pixel; nothing happens above the horizon."""
    origin, direction = ray(camera, pixel, size)
    fall = direction[2]
    if abs(fall) < 0.02 or (grabbed[2] - origin[2]) / fall <= 0:
        return _pan_in_picture(camera, grabbed, pixel, size)
    under = origin + direction * ((grabbed[2] - origin[2]) / fall)
    return _moved(camera, grabbed - under)


def _pan_in_picture(camera: Camera, grabbed: Vector, pixel: tuple[float, float], size: tuple[int, int]) -> Camera:
    """Move in the plane of the picture at the depth of the grabbed point: near the horizon a level move explodes."""
    origin, direction = ray(camera, pixel, size)
    forward = camera.forward
    depth = max(float((grabbed - origin) @ forward), NEAREST)
    under = origin + direction * (depth / max(float(direction @ forward), 1e-6))
    return _moved(camera, grabbed - under)


def zoom(camera: Camera, point: Vector, *, notches: float) -> Camera:
    """Come nearer to a point (positive notches) or go away; the point stays where it is in the picture."""
    factor = ZOOM_NOTCH**notches
    if camera.is_parallel:
        return _zoom_parallel(camera, point, factor)
    distance = float(np.linalg.norm(point - camera.eye))
    if factor < 1.0 and distance * factor < NEAREST:
        factor = min(1.0, NEAREST / max(distance, 1e-9))
    eye = point + (camera.eye - point) * factor
    return replace(
        camera,
        position=_triple(eye),
        focus=_triple(eye + camera.forward * max(camera.distance * factor, NEAREST)),
    )


def _zoom_parallel(camera: Camera, point: Vector, factor: float) -> Camera:
    """The picture shows less of the scene; the point stays where it is in it."""
    height = min(max(camera.parallel_height * factor, NEAREST), LARGEST_PLAN)
    right, up, _ = camera.basis
    away = (point - camera.eye) * (1.0 - height / camera.parallel_height)
    return replace(_moved(camera, right * (right @ away) + up * (up @ away)), parallel_height=height)


def plan_of(bounds: Bounds, *, level: float, aspect: float, margin: float = 1.1) -> Camera:
    """A plan: from straight above, north up, parallel lines of sight; `level` [local m] is what it looks at."""
    width, depth = bounds.size[0], bounds.size[1]
    height = max(depth, width / max(aspect, 1e-3), NEAREST) * margin
    x, y, _ = bounds.centre
    above = max(bounds.high[2] - level, 0.0) + ABOVE_PLAN
    return Camera((x, y, level + above), (x, y, level), CITY_FOV, float(height))


def clipping(camera: Camera, bounds: Bounds | None) -> tuple[float, float]:
    """Near and far plane [m]: the far one behind the scene, the near one as far out as it may be."""
    if bounds is None:
        return (0.1, 10_000.0)
    eye = camera.eye
    if camera.is_parallel:
        depth = (_corners(bounds) - eye) @ camera.forward
        near = max(float(depth.min()) - 1.0, 0.1)
        return (near, max(float(depth.max()) + 1.0, near + 1.0))
    far = float(np.linalg.norm(_corners(bounds) - eye, axis=1).max()) * 1.02
    outside = np.maximum(np.maximum(np.array(bounds.low) - eye, eye - np.array(bounds.high)), 0.0)
    near = max(0.5 * float(np.linalg.norm(outside)), far / 20_000.0, 0.05)
    return (near, max(far, near * 2))


def boxes_in_view(camera: Camera, low: Vector, high: Vector, *, aspect: float) -> NDArray[np.bool_]:
    """(k,) whether boxes (k, 3) to (k, 3) may be in the picture; aspect = width / height. Never a false no."""
    right, up, forward = camera.basis
    if camera.is_parallel:
        middle, half = (low + high) / 2 - camera.eye, (high - low) / 2
        reach = np.array([camera.parallel_height * aspect / 2, camera.parallel_height / 2])
        axes = np.stack([right, up])
        return np.asarray((np.abs(middle @ axes.T) - half @ np.abs(axes).T <= reach).all(axis=1))
    tangent = math.tan(math.radians(camera.fov) / 2)
    walls = np.array(
        [
            forward * tangent * aspect + right,
            forward * tangent * aspect - right,
            forward * tangent + up,
            forward * tangent - up,
            forward,
        ]
    )
    middle, half = (low + high) / 2 - camera.eye, (high - low) / 2
    return np.asarray((middle @ walls.T + half @ np.abs(walls).T >= 0).all(axis=1))


def distances_to(camera: Camera, low: Vector, high: Vector) -> Vector:
    """(k,) distance from the eye to the nearest point of each box [m]; 0 inside."""
    outside = np.maximum(np.maximum(low - camera.eye, camera.eye - high), 0.0)
    return np.asarray(np.linalg.norm(outside, axis=1))


def pixels_per_metre(camera: Camera, distance: Vector, *, height: int) -> Vector:
    """Length on the screen of a metre across the view at distances [m]."""
    if camera.is_parallel:
        return np.full(np.shape(distance), height / camera.parallel_height)
    return height / (2 * math.tan(math.radians(camera.fov) / 2) * np.maximum(distance, NEAREST))


def metres_per_pixel(camera: Camera, height: int) -> float:
    """Length of one pixel at the focus [m]."""
    if camera.is_parallel:
        return camera.parallel_height / max(height, 1)
    return 2 * camera.distance * math.tan(math.radians(camera.fov) / 2) / max(height, 1)


def _moved(camera: Camera, offset: Vector) -> Camera:
    return replace(camera, position=_triple(camera.eye + offset), focus=_triple(np.add(camera.focus, offset)))


def _rotation(axis: Vector, angle: float) -> NDArray[np.float64]:
    """Right-handed rotation about a unit axis by an angle [degrees] (Rodrigues)."""
    angle_rad = math.radians(angle)
    x, y, z = axis
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    return np.eye(3) + math.sin(angle_rad) * cross + (1 - math.cos(angle_rad)) * (cross @ cross)


def _corners(bounds: Bounds) -> NDArray[np.float64]:
    low, high = np.array(bounds.low), np.array(bounds.high)
    choice = np.array([[(k >> axis) & 1 for axis in range(3)] for k in range(8)])
    return np.where(choice == 1, high, low)


def _triple(vector: Vector) -> tuple[float, float, float]:
    return (float(vector[0]), float(vector[1]), float(vector[2]))
