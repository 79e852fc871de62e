"""Headless. Measures between points of the scene: lengths, rise, slope, areas, sight, and the ground along a line."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.contract import Chart, Series
from geo.model import Frame, Grid, Layer, Mesh, UserError

Floats = NDArray[np.float64]
Cast = Callable[[Floats, Floats], Floats]  # origins and unit directions (n, 3) -> distances to what is solid (n,)

PROFILE_STEP, MOST_STEPS = 0.5, 4000  # [m] between heights of the ground, and most of them
LIFT = 0.05  # [m] off the surface a line of sight starts and ends
MOST_TRIANGLES = 200_000  # of two things whose distance is measured, together


class Leg(NamedTuple):
    """From one point to the next.

    Attributes
    ----------
    plan, length : float [m]
        Seen from above, and in space.
    rise : float [m]
        Upward.
    slope : float [%]
        Of the plan length; NaN straight up.
    bearing : float [degrees]
        Clockwise from true north; NaN straight up.
    """

    plan: float
    length: float
    rise: float
    slope: float
    bearing: float


class Area(NamedTuple):
    """A ring of points.

    Attributes
    ----------
    plan : float [m2]
        Seen from above.
    tilted : float [m2]
        In the plane that fits the ring: what a roof or a slope measures.
    around : float [m]
        Length of the ring in space.
    lowest, highest : float [m]
        Heights above the map's zero.
    """

    plan: float
    tilted: float
    around: float
    lowest: float
    highest: float


class Sight(NamedTuple):
    """A line of sight.

    Attributes
    ----------
    is_free : bool
    distance : float [m]
        Between the two ends.
    blocked_at : (3,) float [local m]
        Where it first meets something; NaN where it is free.
    blocked_by : str
        ``""``, ``"ground"`` or ``"solid"``.
    """

    is_free: bool
    distance: float
    blocked_at: Floats
    blocked_by: str


def plan_length(points: Floats) -> float:
    """Length of a line over (n, 3) points, seen from above [m]."""
    return float(np.hypot(*np.diff(points[:, :2], axis=0).T).sum()) if len(points) > 1 else 0.0


def legs_of(points: Floats, frame: Frame | None) -> tuple[Leg, ...]:
    """Legs of a line over (n, 3) points [local m]."""
    out = []
    for first, second in zip(points[:-1], points[1:], strict=True):
        east, north, up = (float(value) for value in second - first)
        plan = math.hypot(east, north)
        bearing = math.nan
        if plan > 0.0:
            grid = math.degrees(math.atan2(east, north)) % 360.0
            convergence = float(frame.grid_azimuth(np.array([0.0]))[0]) if frame is not None else 0.0
            bearing = (grid - convergence) % 360.0
        slope = 100.0 * up / plan if plan > 0.0 else math.nan
        out.append(Leg(plan, math.sqrt(plan * plan + up * up), up, slope, bearing))
    return tuple(out)


def area_of(points: Floats, frame: Frame | None) -> Area:
    """Area inside a ring of (n, 3) points [local m] that closes itself."""
    about = points - points.mean(axis=0)
    # Newell's sum: its length is twice the area in the plane that fits best, its z part twice the plan.
    normal = np.cross(about, np.roll(about, -1, axis=0)).sum(axis=0) / 2.0
    around = float(np.linalg.norm(points - np.roll(points, -1, axis=0), axis=1).sum())
    zero = float(frame.origin[2]) if frame is not None else 0.0
    heights = points[:, 2] + zero
    return Area(
        abs(float(normal[2])), float(np.linalg.norm(normal)), around, float(heights.min()), float(heights.max())
    )


def sight_between(start: Floats, stop: Floats, *, cast: Cast, grounds: Sequence[Grid]) -> Sight:
    """Whether one sees one point from another; both a little off what they lie on."""
    way = stop - start
    distance = float(np.linalg.norm(way))
    nowhere = np.full(3, np.nan)
    if distance <= 2.0 * LIFT:
        return Sight(True, distance, nowhere, "")
    direction = way / distance
    origin = start + LIFT * direction
    solid = float(cast(origin[None], direction[None])[0]) + LIFT
    ground = min((_into_ground(grid, start, way) * distance for grid in grounds), default=math.inf)
    first = min(solid, ground)
    if first >= distance - LIFT:
        return Sight(True, distance, nowhere, "")
    return Sight(False, distance, start + direction * first, "ground" if ground < solid else "solid")


def _into_ground(grid: Grid, start: Floats, way: Floats) -> float:
    """Share of a way at which it first dips below the ground; inf where it never does."""
    count = int(np.clip(np.hypot(way[0], way[1]) / (0.5 * grid.cell), 16, MOST_STEPS))
    share = (np.arange(count) + 0.5) / count
    points = start + share[:, None] * way
    below = points[:, 2] + LIFT < grid.sample(points[:, 0], points[:, 1])
    return float(share[np.argmax(below)]) if below.any() else math.inf


def along_line(points: Floats) -> tuple[Floats, Floats]:
    """Places (m, 2) along a line in plan, and how far each is from its start (m,) [m]."""
    flat = points[:, :2]
    length = np.hypot(*np.diff(flat, axis=0).T)
    ends = np.concatenate([[0.0], np.cumsum(length)])
    total = float(ends[-1])
    if total == 0.0:
        raise _no_length()
    count = int(np.clip(math.ceil(total / PROFILE_STEP), 2, MOST_STEPS)) + 1
    along = np.linspace(0.0, total, count)
    return np.column_stack([np.interp(along, ends, flat[:, axis]) for axis in range(2)]), along


def ground_profile(points: Floats, grounds: Sequence[Grid], *, cast: Cast, top: float, zero: float) -> Chart:
    """Ground and what stands on it along a line, as a chart of heights over the way.

    Parameters
    ----------
    top : float [local m]
        Above everything.
    zero : float [m]
        Height of the scene's zero in the map's datum.
    """
    places, along = along_line(points)
    ground = np.full(len(places), np.nan)
    for grid in grounds:
        found = np.asarray(grid.sample(places[:, 0], places[:, 1]), dtype=np.float64)
        ground = np.where(np.isnan(ground), found, ground)
    if np.isnan(ground).all():
        raise UserError(
            "There is no ground along this line.",
            "No terrain covers it.",
            "Import a terrain, or draw the line over it.",
            code="measure.no_ground",
        )
    origins = np.column_stack([places, np.full(len(places), top)])
    away = cast(origins, np.tile([0.0, 0.0, -1.0], (len(places), 1)))
    surface = np.where(np.isfinite(away), top - away, np.nan)
    surface = np.fmax(surface, ground)
    series = [Series("ground", along, ground + zero)]
    if np.nanmax(np.where(np.isnan(surface), 0.0, surface - np.nan_to_num(ground))) > LIFT:
        series.insert(0, Series("surface", along, surface + zero, role="dashed"))
    return Chart("ground_profile", "Ground along the line", "Distance", "m", "Height", "m", tuple(series))


def profile_figures(points: Floats, grounds: Sequence[Grid]) -> dict[str, float]:
    """Of the ground along a line: lowest and highest [local m], climb and fall in all [m], steepest 10 m [%]."""
    places, along = along_line(points)
    ground = np.full(len(places), np.nan)
    for grid in grounds:
        found = np.asarray(grid.sample(places[:, 0], places[:, 1]), dtype=np.float64)
        ground = np.where(np.isnan(ground), found, ground)
    known = np.isfinite(ground)
    height, way = ground[known], along[known]
    steps = np.diff(height)
    window = max(int(round(10.0 / (along[1] - along[0]))), 1)
    steepest = np.nan
    if len(height) > window:
        steepest = float(np.max(np.abs(height[window:] - height[:-window]) / (way[window:] - way[:-window])) * 100.0)
    return {
        "lowest": float(height.min()), "highest": float(height.max()), "climb": float(steps[steps > 0].sum()),
        "fall": float(-steps[steps < 0].sum()), "steepest": steepest,
    }  # fmt: skip


def clearance(first: tuple[Layer, str], second: tuple[Layer, str]) -> tuple[float, Floats, Floats]:
    """Least distance between the surfaces of two elements [m], and the middle of the triangles it lies between.

    Exact between triangles (`analysis.kernels.clashes`); 0 where they touch or cross. Raises `UserError` where an
    element has no triangles, or both have too many to do at once.
    """
    from analysis.kernels.clashes import surfaces_distance

    shapes = [_triangles(layer, name) for layer, name in (first, second)]
    if sum(len(shape) for shape in shapes) > MOST_TRIANGLES:
        raise UserError(
            "These two things are too detailed to measure between.",
            f"They have {sum(len(shape) for shape in shapes):,} triangles; {MOST_TRIANGLES:,} is the most.",
            "Select smaller parts, such as a wall instead of a building.",
            code="measure.too_many",
        )
    distance, a, b = surfaces_distance(shapes[0], shapes[1])
    return distance, shapes[0][a].mean(axis=0), shapes[1][b].mean(axis=0)


def _triangles(layer: Layer, element_id: str) -> Floats:
    row = layer.table.index.get(element_id)
    mesh = layer.geometry
    mine = np.flatnonzero(mesh.face_element == row) if isinstance(mesh, Mesh) and row is not None else np.zeros(0, int)
    if len(mine) == 0 or not isinstance(mesh, Mesh):
        raise UserError(
            f"{element_id} has no surface to measure from.",
            "Distances are measured between surfaces: buildings, parts of models, pipes drawn as solids.",
            "Select something with a surface, or measure between two points.",
            code="measure.no_surface",
            values={"element": element_id},
        )
    return np.ascontiguousarray(mesh.vertices[mesh.faces[mine]])


def _no_length() -> UserError:
    return UserError(
        "The line has no length.",
        "Both points are at the same place.",
        "Click two different points.",
        code="measure.no_length",
    )
