"""Hours of sun on the open ground."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from analysis.kernels.rays import SURFACE_OFFSET, Occluder, SunTime
from analysis.kernels.sampling import GroundPoints, ground_points, surface_height
from analysis.sunlight.city import City
from analysis.sunlight.day import Day
from analysis.sunlight.declaration import Sampling, SunlightParams
from analysis.sunlight.trace import Trace, day_trace
from geo.model import Feedback, Grid, Mesh

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Heights = Callable[[Floats, Floats], Floats]
Found = TypeVar("Found")

FLOOR_STEP = 1.5  # [m] a building's floor this near the ground counts as standing on it
PROBED_POINTS = 50_000  # probed for buildings at a time: some 50 ms
MOST_FLOAT = 10.0  # [m] a ground surface this near above the terrain still belongs to a building standing there


def ground_hours(
    city: City, day: Day, params: SunlightParams, feedback: Feedback
) -> tuple[GroundPoints, SunTime] | None:
    """Open ground and its hours; None when the ground is not asked for."""
    return look_at_ground(city, params, day_trace(city.occluder, day.towards_sun, day.instants.weights), feedback)


def look_at_ground(
    city: City, params: SunlightParams, trace: Trace[Found], feedback: Feedback
) -> tuple[GroundPoints, Found] | None:
    """Open ground and what `trace` finds there; None when the ground is not asked for."""
    if not params.ground:
        return None
    ground = open_ground(city, params, feedback.part(0.0, 0.05))
    area = np.full(len(ground.points), ground.cell**2)
    return ground, trace(ground.points, None, area, feedback.part(0.05, 1.0))


def open_ground(city: City, params: Sampling, feedback: Feedback) -> GroundPoints:
    """Cells of the ground that no building stands on."""
    everywhere = _cells_on_the_ground(city, params)
    feedback.step(0.0, "finding the open ground")
    is_open = ~_under_buildings(city, everywhere.points, feedback)
    return everywhere._replace(points=everywhere.points[is_open], number=everywhere.number[is_open])


def is_open_ground(city: City, points: Floats, feedback: Feedback) -> Bools:
    """(n,) whether points on the ground (n, 3) [local m] lie outside all buildings."""
    return ~_under_buildings(city, points, feedback)


def ground_height(city: City, x: Floats, y: Floats) -> Floats:
    """(n,) height of the ground [local m] at points; not-a-number where there is none."""
    return heights_of(city)(x, y)


def heights_of(city: City) -> Heights:
    """What `ground_height` asks, made ready to be asked many times."""
    terrain = city.terrain
    if isinstance(terrain, Grid):
        return partial(surface_height, terrain)
    if not isinstance(terrain, Mesh):
        return lambda x, y: np.full(len(x), float(terrain))
    box, relief = terrain.bounds, Occluder([terrain])
    top = (box.high[2] if box is not None else 0.0) + 1.0

    def below(x: Floats, y: Floats) -> Floats:
        starts = np.column_stack([x, y, np.full(len(x), top)])
        distance = relief.first_hit(starts, np.array([[0.0, 0.0, -1.0]])).distance
        return np.asarray(np.where(np.isfinite(distance), top - distance, np.nan))

    return below


def _cells_on_the_ground(city: City, params: Sampling) -> GroundPoints:
    """Cells on a grid, a plain, or the uppermost triangles of a terrain surface."""
    if not isinstance(city.terrain, Mesh):
        return ground_points(city.terrain, params.ground_cell, city.low, city.high)
    box = city.terrain.bounds
    top = (box.high[2] if box is not None else 0.0) + 1.0
    flat = ground_points(top, params.ground_cell, city.low, city.high)
    distance = Occluder([city.terrain]).first_hit(flat.points, np.array([[0.0, 0.0, -1.0]])).distance
    there = np.isfinite(distance)
    points = flat.points[there] - np.outer(distance[there], [0.0, 0.0, 1.0])
    return flat._replace(points=points, number=flat.number[there])


def _under_buildings(city: City, points: Floats, feedback: Feedback) -> Bools:
    """(n,) whether a point of the ground lies inside a building.

    Inside: straight up the first face of a building is met from behind (a roof from within), or is its ground surface
    (a building that floats a little); or the point stands on (or just under) a building's floor with more of the
    building overhead. A bridge or a canopy leaves it outside.
    """
    inside = np.zeros(len(points), dtype=bool)
    up, down = np.array([[0.0, 0.0, 1.0]]), np.array([[0.0, 0.0, -1.0]])
    for start in range(0, len(points) if len(city.solid) else 0, PROBED_POINTS):  # without a face nothing is inside
        feedback.step(start / len(points), "finding the open ground")
        part = points[start : start + PROBED_POINTS]
        hit = city.occluder.first_hit(part + [0, 0, SURFACE_OFFSET], up)
        floating = (hit.face >= 0) & city.base[hit.face] & (hit.distance < MOST_FLOAT)
        from_behind = (_solid(city, hit.face) & (city.normal_z[hit.face] > 0)) | floating
        head = part + [0, 0, FLOOR_STEP]
        floor = city.occluder.first_hit(head, down, 2 * FLOOR_STEP).face
        overhead = city.occluder.first_hit(head, up).face
        inside[start : start + PROBED_POINTS] = from_behind | (_solid(city, floor) & _solid(city, overhead))
    return inside


def _solid(city: City, face: NDArray[np.int64]) -> Bools:
    return (face >= 0) & city.solid[face]
