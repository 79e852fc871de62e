"""Walking: a body that stands on floors, climbs steps and stops at walls. Pure NumPy; obstacles are asked for."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from app.view.camera import Camera

Vector = NDArray[np.float64]
# Distances (n,) [m] along unit rays from origins (n, 3) to the first thing in the way, inf where there is none.
Cast = Callable[[Vector, Vector], Vector]

EYE_HEIGHT = 1.6  # metres
WALK_FOV = 60.0  # degrees
STEP = 0.5  # metres that a body climbs or its legs reach over
BODY_RADIUS = 0.3  # metres kept from walls
SHOULDER = 0.2  # metres to both sides of the middle at which walls are felt: a door of 0.7 m is wide enough
FEELERS = (0.6, 1.1, 1.6)  # metres above the feet at which walls are felt: over a step, waist, head
WALK_SPEED, RUN_FACTOR = 2.0, 3.0  # metres a second: brisk, for a picture has no tired legs
CLIMB_SPEED, FALL_SPEED = 3.0, 8.0  # metres a second, up and down: the eye glides over steps
SLIDES = (0.0, 35.0, -35.0, 70.0, -70.0)  # degrees to the side, tried in turn: along a wall, not against it
ROUND = 8  # directions in which a body feels what is beside it
HIGHEST_LOOK = 80.0  # degrees of pitch


@dataclass(frozen=True)
class Walker:
    """Where somebody stands and looks.

    Attributes
    ----------
    feet : (3,) [local m]
    azimuth : float [degrees]
        Looked toward, clockwise from grid north.
    pitch : float [degrees]
        Above the horizon.
    """

    feet: tuple[float, float, float]
    azimuth: float = 0.0
    pitch: float = 0.0

    @property
    def camera(self) -> Camera:
        """What they see."""
        azimuth_rad, pitch_rad = math.radians(self.azimuth), math.radians(self.pitch)
        level = math.cos(pitch_rad)
        eye = np.array(self.feet) + (0.0, 0.0, EYE_HEIGHT)
        ahead = np.array([math.sin(azimuth_rad) * level, math.cos(azimuth_rad) * level, math.sin(pitch_rad)])
        return Camera(_triple(eye), _triple(eye + 5.0 * ahead), WALK_FOV)


def looked(walker: Walker, *, turn: float, tilt: float) -> Walker:
    """After the head turned to the right and up [degrees]."""
    pitch = min(max(walker.pitch + tilt, -HIGHEST_LOOK), HIGHEST_LOOK)
    return replace(walker, azimuth=(walker.azimuth + turn) % 360.0, pitch=pitch)


def landed(place: Vector, cast: Cast, *, azimuth: float = 0.0) -> Walker | None:
    """Somebody who stands at a place: on what lies under it or within a step above; None over nothing."""
    floor = _floor_under(np.asarray(place, dtype=np.float64), cast)
    if floor is None:
        return None
    return Walker((float(place[0]), float(place[1]), floor), azimuth)


def walked(
    walker: Walker,
    cast: Cast,
    *,
    ahead: float,
    right: float,
    seconds: float,
    fast: bool = False,
    through_walls: bool = False,
) -> Walker:
    """After some time of walking.

    Parameters
    ----------
    ahead, right : float
        Wish of direction, -1..1 each.
    seconds : float [s]
    fast : bool
        Three times as fast.
    through_walls : bool
        Nothing is in the way; floors still carry.
    """
    wish = math.hypot(ahead, right)
    feet = np.array(walker.feet)
    if wish > 0.0:
        length = WALK_SPEED * (RUN_FACTOR if fast else 1.0) * seconds * min(wish, 1.0)
        heading = math.radians(walker.azimuth) + math.atan2(right, ahead)
        feet = feet + _level_move(feet, heading, length, cast=None if through_walls else cast)
        feet = feet if through_walls else _kept_off(feet, cast)
    return replace(walker, feet=_triple(_on_floor(feet, cast, seconds)))


def _level_move(feet: Vector, heading: float, length: float, *, cast: Cast | None) -> Vector:
    """How far one gets: ahead, else along the wall."""
    if cast is None:
        return length * _level(heading)
    best = np.zeros(3)
    for slide in SLIDES:
        direction = _level(heading + math.radians(slide))
        wanted = length * math.cos(math.radians(slide))
        free = min(wanted, _free_way(feet, direction, cast))
        if free >= 0.999 * wanted:
            return wanted * direction
        if free * math.cos(math.radians(slide)) > np.linalg.norm(best) + 1e-6:
            best = free * direction
    return best


def _free_way(feet: Vector, direction: Vector, cast: Cast) -> float:
    """Metres to go before the body touches something higher than a step."""
    side = np.array([direction[1], -direction[0], 0.0])
    origins = np.array([feet + (0.0, 0.0, up) + shift * side for up in FEELERS for shift in (-SHOULDER, 0.0, SHOULDER)])
    away = cast(origins, np.tile(direction, (len(origins), 1)))
    return max(float(away.min()) - BODY_RADIUS, 0.0)


def _kept_off(feet: Vector, cast: Cast) -> Vector:
    """Pushed back from walls that are nearer than the body is wide, as after sliding along one; halfway between two."""
    ways = np.array([_level(2 * math.pi * n / ROUND) for n in range(ROUND)])
    origins = np.array([feet + (0.0, 0.0, up) for up in FEELERS[:2] for _ in ways])
    away = cast(origins, np.tile(ways, (2, 1))).reshape(2, ROUND).min(axis=0)
    push = -(np.maximum(BODY_RADIUS - away, 0.0)[:, None] * ways)
    return np.asarray(feet + push.max(axis=0) + push.min(axis=0))


def _on_floor(feet: Vector, cast: Cast, seconds: float) -> Vector:
    floor = _floor_under(feet, cast)
    if floor is None:
        return feet
    rise = min(max(floor - feet[2], -FALL_SPEED * seconds), CLIMB_SPEED * seconds)
    return np.array([feet[0], feet[1], feet[2] + rise])


def _floor_under(place: Vector, cast: Cast) -> float | None:
    """Height of the highest surface not more than a step above a place."""
    origin = place + (0.0, 0.0, STEP)
    away = float(cast(origin[None], np.array([[0.0, 0.0, -1.0]]))[0])
    return float(origin[2]) - away if math.isfinite(away) else None


def _level(heading_rad: float) -> Vector:
    return np.array([math.sin(heading_rad), math.cos(heading_rad), 0.0])


def _triple(vector: Vector) -> tuple[float, float, float]:
    return (float(vector[0]), float(vector[1]), float(vector[2]))
