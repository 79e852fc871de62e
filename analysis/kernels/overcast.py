"""Vertical sky component: daylight on a wall from the overcast sky of the CIE, relative to that on open ground.

The sky's luminance at elevation g is  L = Lz (1 + 2 sin g) / 3  (Moon and Spencer). With the profile angle a above the
horizon, seen square to the wall, and the angle b along the wall, a direction is (cos b cos a) outward, (sin b) along
and (cos b sin a) up, its solid angle cos b db da, and

    VSC = 3 / (7 pi) * integral of  cos b cos a * (1 + 2 cos b sin a)  cos b  db da  over the free sky

An open wall has 3/(7 pi) (pi/2 + 4/3) = 39.62 %; behind an endless row of obstructions up to the profile angle t it has
3/(7 pi) (pi/2 (1 - sin t) + 4/3 cos2 t). Directions are drawn so that each stands for the same part of that integral,
on a lattice with a Fibonacci number of points: an edge of the obstruction is then missed by one point at most.

References
----------
P. Moon, D.E. Spencer, Illumination from a nonuniform sky. Illuminating Engineering 37, 1942. CIE S 011.
P.J. Littlefair et al., Site layout planning for daylight and sunlight (BR 209). BRE, 3rd edition 2022.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from analysis.kernels.rays import Occluder
from geo.model import Feedback

Floats = NDArray[np.float64]

OPEN_WALL = 300.0 / (7.0 * np.pi) * (np.pi / 2.0 + 4.0 / 3.0)  # [%] 39.62
DIRECTIONS = 1597  # a Fibonacci number
MOST_RAYS = 1_000_000  # traced at a time: some 0.2 s


def behind_row(angle_deg: float) -> float:
    """VSC [%] of a wall behind an endless parallel row of obstructions up to an angle above the horizon."""
    angle = np.radians(angle_deg)
    free = np.pi / 2.0 * (1.0 - np.sin(angle)) + 4.0 / 3.0 * np.cos(angle) ** 2
    return float(300.0 / (7.0 * np.pi) * free)


def overcast_directions(count: int = DIRECTIONS) -> Floats:
    """(count, 3) unit vectors (outward, along, up) in front of an upright wall, each with the same share of its light.

    Parameters
    ----------
    count : int
        A Fibonacci number.
    """
    previous = _fibonacci_before(count)
    first = (np.arange(count) + 0.5) / count
    second = ((np.arange(count) * previous) % count + 0.5) / count
    # share of the light up to a profile angle with sine s: (pi/2 s + 4/3 s2) / (pi/2 + 4/3)
    half, third = np.pi / 2.0, 4.0 / 3.0
    rise = (-half + np.sqrt(half**2 + 4.0 * third * first * (half + third))) / (2.0 * third)
    along = _angle_along(second, rise)
    outward = np.sqrt(1.0 - rise**2)
    return np.column_stack([np.cos(along) * outward, np.sin(along), np.cos(along) * rise])


def _fibonacci_before(count: int) -> int:
    """The Fibonacci number before `count`."""
    numbers = [1, 2]
    while numbers[-1] < count:
        numbers.append(numbers[-1] + numbers[-2])
    if numbers[-1] != count:
        raise ValueError(f"{count} is no Fibonacci number")
    return next(low for low, high in pairwise(numbers) if high == count)


def _angle_along(share: Floats, rise: Floats) -> Floats:
    """(n,) angle b up to which `share` of the light of a profile angle with sine `rise` lies, by bisection."""

    def up_to(angle: Floats) -> Floats:
        sine = np.sin(angle)
        return angle / 2.0 + np.sin(2.0 * angle) / 4.0 + 2.0 * rise * (sine - sine**3 / 3.0)

    low, high = np.full(len(share), -np.pi / 2.0), np.full(len(share), np.pi / 2.0)
    bottom, top = up_to(low), up_to(high)
    for _ in range(52):
        middle = (low + high) / 2.0
        below = up_to(middle) < bottom + share * (top - bottom)
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.asarray((low + high) / 2.0)


def vertical_sky_component(
    occluder: Occluder, starts: Floats, normals: Floats, *, count: int = DIRECTIONS, feedback: Feedback | None = None
) -> Floats:
    """(n,) VSC [%] at points in front of upright walls.

    Parameters
    ----------
    starts : (n, 3) float [local m]
        Just in front of the wall.
    normals : (n, 3) float
        Horizontal unit vectors, outward.
    """
    feedback = feedback or Feedback()
    local = overcast_directions(count)
    out = np.zeros(len(starts))
    size = max(1, MOST_RAYS // count)
    for low in range(0, len(starts), size):
        feedback.step(low / len(starts), "looking at the overcast sky")
        some = slice(low, low + size)
        normal = normals[some]
        side = np.column_stack([-normal[:, 1], normal[:, 0], np.zeros(len(normal))])
        ways = local[None, :, :1] * normal[:, None] + local[None, :, 1:2] * side[:, None]
        ways[:, :, 2] += local[None, :, 2]
        origins = np.repeat(starts[some], count, axis=0)
        blocked = occluder.occluded(origins, ways.reshape(-1, 3)).reshape(len(normal), count)
        out[some] = OPEN_WALL * (1.0 - blocked.mean(axis=1))
    feedback.step(1.0, "looking at the overcast sky")
    return out
