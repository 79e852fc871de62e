"""Headless. Flying: where an eye is that moves freely through the scene, with nothing in its way."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from app.view.camera import CITY_FOV, Camera

HIGHEST_LOOK = 88.0  # degrees of pitch, up and down
SLOWEST, FASTEST = 3.0, 600.0  # metres a second
SPEED_BY_HEIGHT = 0.6  # metres a second for each metre above the ground: low means near things, and slow
FAST = 4.0  # times as fast, with Shift


@dataclass(frozen=True)
class Flight:
    """Where the eye is and looks.

    Attributes
    ----------
    eye : (3,) [local m]
    azimuth : float [degrees]
        Looked toward, clockwise from grid north.
    pitch : float [degrees]
        Above the horizon.
    distance : float [m]
        To the point that the picture turns about afterwards.
    fov : float [degrees]
    """

    eye: tuple[float, float, float]
    azimuth: float = 0.0
    pitch: float = 0.0
    distance: float = 100.0
    fov: float = CITY_FOV

    @property
    def ahead(self) -> np.ndarray:
        """Unit vector (3,) of the direction of view."""
        azimuth, pitch = math.radians(self.azimuth), math.radians(self.pitch)
        level = math.cos(pitch)
        return np.array([math.sin(azimuth) * level, math.cos(azimuth) * level, math.sin(pitch)])

    @property
    def camera(self) -> Camera:
        """What is seen."""
        focus = np.array(self.eye) + self.distance * self.ahead
        return Camera(self.eye, (float(focus[0]), float(focus[1]), float(focus[2])), self.fov)


def flight_of(camera: Camera) -> Flight:
    """Where a camera is; that of a plan comes down to where it shows as much in perspective."""
    pitch = min(max(camera.pitch, -HIGHEST_LOOK), HIGHEST_LOOK)
    flight = Flight(camera.position, camera.azimuth, pitch, camera.distance, camera.fov)
    if not camera.is_parallel:
        return flight
    distance = camera.parallel_height / 2 / math.tan(math.radians(camera.fov) / 2)
    eye = np.array(camera.focus) - distance * flight.ahead
    return replace(flight, eye=(float(eye[0]), float(eye[1]), float(eye[2])), distance=distance)


def turned(flight: Flight, *, turn: float, tilt: float) -> Flight:
    """After looking to the right and up [degrees]."""
    pitch = min(max(flight.pitch + tilt, -HIGHEST_LOOK), HIGHEST_LOOK)
    return replace(flight, azimuth=(flight.azimuth + turn) % 360.0, pitch=pitch)


def flown(flight: Flight, *, ahead: float, right: float, up: float, metres: float) -> Flight:
    """After moving `metres` in a direction: ahead goes where one looks, up is straight up."""
    azimuth = math.radians(flight.azimuth)
    aside = np.array([math.cos(azimuth), -math.sin(azimuth), 0.0])
    way = ahead * flight.ahead + right * aside + up * np.array([0.0, 0.0, 1.0])
    length = float(np.linalg.norm(way))
    if length < 1e-9:
        return flight
    eye = np.array(flight.eye) + way / length * metres
    return replace(flight, eye=(float(eye[0]), float(eye[1]), float(eye[2])))


def speed_at(height: float, *, factor: float = 1.0, fast: bool = False) -> float:
    """Metres a second at a height above the ground [m]; the same below the ground as above it."""
    usual = min(max(SPEED_BY_HEIGHT * abs(height), SLOWEST), FASTEST / FAST)
    return min(max(usual * factor * (FAST if fast else 1.0), SLOWEST / FAST), FASTEST)
