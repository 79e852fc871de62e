"""Positions as x, y, z from the middle of the Earth (EPSG:4978) and as longitude, latitude, ellipsoidal height."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from geo import crs as coordinates
from geo.model import Frame

Floats = NDArray[np.float64]
# WGS 84, NIMA TR8350.2.
SEMI_MAJOR = 6_378_137.0
FLATTENING = 1 / 298.257223563
E2 = FLATTENING * (2 - FLATTENING)
SEMI_MINOR = SEMI_MAJOR * (1 - FLATTENING)
GEODETIC = "EPSG:4326"


def from_geodetic(longitude: Floats, latitude: Floats, height: Floats) -> Floats:
    """Geocentric positions (n, 3) [m] of longitudes, latitudes [degrees] and ellipsoidal heights [m]."""
    lon_rad, lat_rad = np.radians(longitude), np.radians(latitude)
    normal = SEMI_MAJOR / np.sqrt(1 - E2 * np.sin(lat_rad) ** 2)
    return np.stack(
        [
            (normal + height) * np.cos(lat_rad) * np.cos(lon_rad),
            (normal + height) * np.cos(lat_rad) * np.sin(lon_rad),
            (normal * (1 - E2) + height) * np.sin(lat_rad),
        ],
        axis=-1,
    )


def to_geodetic(points: Floats) -> tuple[Floats, Floats, Floats]:
    """Longitude, latitude [degrees] and ellipsoidal height [m] of geocentric positions (n, 3) [m].

    Bowring (1976), iterated: two rounds are exact to a micrometre for anything near the surface.
    """
    x, y, z = np.asarray(points, dtype=np.float64).T
    p = np.hypot(x, y)
    second = E2 / (1 - E2)
    beta = np.arctan2(z * SEMI_MAJOR, p * SEMI_MINOR)
    latitude = np.zeros_like(z)
    for _ in range(3):
        latitude = np.arctan2(z + second * SEMI_MINOR * np.sin(beta) ** 3, p - E2 * SEMI_MAJOR * np.cos(beta) ** 3)
        beta = np.arctan2((1 - FLATTENING) * np.sin(latitude), np.cos(latitude))
    normal = SEMI_MAJOR / np.sqrt(1 - E2 * np.sin(latitude) ** 2)
    height = p * np.cos(latitude) + z * np.sin(latitude) - SEMI_MAJOR**2 / normal
    return np.degrees(np.arctan2(y, x)), np.degrees(latitude), height


def to_local(points: Floats, frame: Frame) -> Floats:
    """Geocentric positions (n, 3) as local metres of a frame; heights stay those above the ellipsoid."""
    longitude, latitude, height = to_geodetic(points)
    east, north = coordinates.transform(longitude, latitude, GEODETIC, frame.crs)
    return frame.to_local(np.stack([east, north, height], axis=1))


def east_north_up(longitude: float, latitude: float, height: float) -> Floats:
    """(4, 4) matrix from metres east, north and up of a point to geocentric positions."""
    lon, lat = math.radians(longitude), math.radians(latitude)
    matrix = np.eye(4)
    matrix[:3, 0] = (-math.sin(lon), math.cos(lon), 0.0)
    matrix[:3, 1] = (-math.sin(lat) * math.cos(lon), -math.sin(lat) * math.sin(lon), math.cos(lat))
    matrix[:3, 2] = (math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat))
    matrix[:3, 3] = from_geodetic(np.array([longitude]), np.array([latitude]), np.array([height]))[0]
    return matrix
