"""View factors by rays: of the sky, and of what hides it.

    F = 1/pi * integral over the hemisphere above the horizon of  max(0, n . d) * seen(d)  d omega

with directions of equal solid angle. An open level plate has a sky view factor of 1, an open upright wall of 1/2.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.kernels.rays import SURFACE_OFFSET, Occluder
from analysis.sunlight.city import City
from geo.model import Feedback

Floats = NDArray[np.float64]
GOLDEN_ANGLE = np.pi * (3.0 - np.sqrt(5.0))
GRAZING = 1e-3  # |n . d| below which a direction lies in the surface


class Obstacles(NamedTuple):
    """Occluders that hold more and more: the relief; buildings and other solids besides; trees besides.

    `solids` and `everything` are None where they would add nothing.
    """

    relief: Occluder
    solids: Occluder | None
    everything: Occluder | None


class Views(NamedTuple):
    """View factors (n,) float64 0..1: of the sky, of buildings, of trees, of the relief above the horizon."""

    sky: Floats
    buildings: Floats
    trees: Floats
    relief: Floats

    @property
    def above(self) -> Floats:
        """(n,) all that lies above the horizon in front of the surface: 1 for a level plate."""
        return self.sky + self.buildings + self.trees + self.relief


def sky_directions(count: int) -> Floats:
    """(count, 3) unit vectors of equal solid angle over the upper half of the sphere (Fibonacci spiral)."""
    height = (np.arange(count) + 0.5) / count
    turn = GOLDEN_ANGLE * np.arange(count)
    radius = np.sqrt(1.0 - height**2)
    return np.stack([radius * np.cos(turn), radius * np.sin(turn), height], axis=1)


def obstacles_of(city: City) -> Obstacles:
    """The obstacles of a city, sorted by what they are."""
    solid = [mesh for layer, mesh in city.obstacles if layer.theme != "tree"]
    trees = [mesh for layer, mesh in city.obstacles if layer.theme == "tree"]
    relief = Occluder([city.ground_mesh], city.occluder.centre)
    if not solid and not trees:
        return Obstacles(relief, None, None)
    with_solids = city.occluder if not trees else Occluder([city.ground_mesh, *solid], city.occluder.centre)
    return Obstacles(relief, with_solids, city.occluder if trees else None)


def views(obstacles: Obstacles, points: Floats, normals: Floats, *, directions: int, feedback: Feedback) -> Views:
    """What each point sees.

    What several obstacles hide goes to the firmest of them: the relief, then buildings, then trees.

    Parameters
    ----------
    points, normals : (n, 3) float64 [local m]
    """
    starts = points + SURFACE_OFFSET * normals
    found = np.zeros((4, len(points)))
    for number, way in enumerate(sky_directions(directions)):
        feedback.step(number / directions, "looking at the sky")
        facing = normals @ way
        rows = np.flatnonzero(facing > GRAZING)
        weight = 2.0 * facing[rows] / directions
        kind = _first_of(obstacles, starts[rows], way[None])
        for sort in range(4):
            mine = kind == sort
            found[sort, rows[mine]] += weight[mine]
    feedback.step(1.0, "looking at the sky")
    return Views(*found)


def _first_of(obstacles: Obstacles, starts: Floats, way: Floats) -> NDArray[np.int8]:
    """(n,) 0 sky, 1 buildings, 2 trees, 3 relief in one direction; each question is put only where the last was yes."""
    kind = np.zeros(len(starts), dtype=np.int8)
    left = np.arange(len(starts))
    for occluder, sort in ((obstacles.everything, 2), (obstacles.solids, 1), (obstacles.relief, 3)):
        if occluder is None or len(left) == 0:
            continue
        left = left[occluder.occluded(starts[left], way)]
        kind[left] = sort
    return kind
