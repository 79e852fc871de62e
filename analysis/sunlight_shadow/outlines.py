"""Exact outlines of shadows: a building's faces projected along the sun onto a plane, and joined.

Exact on a plane only. Where the ground under a shadow departs from the plane by more than `FLAT`, no outline is drawn
and the cells of the ground say what the shadow looks like.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.sunlight.ground import Heights, heights_of
from analysis.sunlight_rights.obstacles import Obstacles
from analysis.sunlight_shadow.declaration import ShadowParams
from analysis.sunlight_shadow.moments import Instant, Moments
from analysis.sunlight_shadow.targets import Looked
from geo.model import Column, ElementTable, Feedback, Field, Issue, Layer, Lines, Style

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

Floats = NDArray[np.float64]

FLAT = 0.5  # [m] of relief under a shadow for which a plane still gives its outline
LIFT = 0.15  # [m] above the ground at which outlines are drawn
LOWEST = 5.0  # [degrees] of the sun: below it a shadow reaches over ground that is no plane
PROBE = 4.0  # [m] between the heights of the ground that are looked at under a shadow
THIN = 1e-4  # [m2] of a projected face seen edge on
SNAP = 1e-3  # [m] coordinates are rounded to before joining: seams of neighbouring faces close


class Outline(NamedTuple):
    """The shadow of one building at one instant.

    Attributes
    ----------
    building : int
    instant : Instant
    rings : list of (m, 3) float [local m]
        A little above the ground.
    area : float [m2]
        Outside the building's own footprint.
    """

    building: int
    instant: Instant
    rings: list[Floats]
    area: float


def outlines_of(
    looked: Looked, params: ShadowParams, moments: Moments, issues: list[Issue], feedback: Feedback
) -> list[Outline]:
    """Outlines of the buildings asked for at all instants with a sun high enough."""
    chosen = _buildings(looked.obstacles, params)
    shown = [instant for instant in moments.instants if instant.altitude >= LOWEST]
    ground = heights_of(looked.city)
    found: list[Outline] = []
    uneven = 0
    for number, building in enumerate(chosen):
        triangles = _triangles(looked, building)
        if len(triangles) == 0:
            continue
        level = _level(ground, triangles)
        footprint = _joined(triangles, level, np.array([0.0, 0.0, 1.0]))
        for instant in shown:
            feedback.step(number / len(chosen), "drawing the outlines of shadows")
            shape = _joined(triangles, level, instant.towards)
            if not _is_flat(ground, shape, level):
                uneven += 1
                continue
            area = float(shape.difference(footprint).area)
            found.append(Outline(building, instant, _draped(ground, shape, level), area))
    if uneven:
        text = f"{uneven} shadows fall on ground that is not flat to {FLAT:g} m: no outline, the cells show them."
        issues.append(Issue("sunlight.shadow.not_flat", text, count=uneven, values={"limit": FLAT}))
    return found


def _buildings(obstacles: Obstacles, params: ShadowParams) -> list[int]:
    """Numbers of the buildings whose outlines are wanted; 0 is the terrain."""
    if params.outlines == "none":
        return []
    if params.outlines == "proposal":
        return np.flatnonzero(obstacles.new).tolist()
    return list(range(1, len(obstacles.name)))


def _triangles(looked: Looked, building: int) -> Floats:
    """Corners (k, 3, 3) of the faces of one building."""
    parts = []
    for layer, mesh in looked.city.obstacles:
        numbers = looked.obstacles.of_element.get(layer.id)
        if numbers is None:
            continue
        elements = np.flatnonzero(numbers == building)
        if len(elements):
            parts.append(mesh.vertices[mesh.faces[np.isin(mesh.face_element, elements)]])
    return np.concatenate(parts) if parts else np.zeros((0, 3, 3))


def _level(ground: Heights, triangles: Floats) -> float:
    """Height of the ground a building stands on [m]: the middle of it under the building's corners."""
    corners = triangles.reshape(-1, 3)
    heights = ground(corners[:, 0], corners[:, 1])
    known = np.isfinite(heights)
    return float(np.median(heights[known])) if known.any() else float(corners[:, 2].min())


def _joined(triangles: Floats, level: float, towards: Floats) -> BaseGeometry:
    """The union of the triangles as the sun throws them onto the plane z = level."""
    import shapely

    # What is buried throws no shadow: walls are cut off at the plane.
    reach = np.maximum(triangles[:, :, 2] - level, 0.0) / towards[2]
    flat = triangles[:, :, :2] - reach[:, :, None] * towards[:2]
    one, two = flat[:, 1] - flat[:, 0], flat[:, 2] - flat[:, 0]
    flat = flat[np.abs(one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]) > 2 * THIN]
    rings = np.concatenate([flat, flat[:, :1]], axis=1)
    return shapely.union_all(shapely.polygons(rings), grid_size=SNAP)


def _rings(shape: BaseGeometry) -> list[Floats]:
    """All rings of polygons, outer and inner."""
    import shapely

    polygons = [part for part in shapely.get_parts(shape) if part.geom_type == "Polygon"]
    rings = [ring for polygon in polygons for ring in (polygon.exterior, *polygon.interiors)]
    return [np.asarray(ring.coords)[:, :2] for ring in rings]


def _draped(ground: Heights, shape: BaseGeometry, level: float) -> list[Floats]:
    """The rings (m, 3) laid over the ground, with a corner every few metres so that they follow it."""
    import shapely

    draped = []
    for ring in _rings(shapely.segmentize(shape, PROBE)):
        known = ground(ring[:, 0], ring[:, 1])
        draped.append(np.column_stack([ring, np.where(np.isfinite(known), known, level) + LIFT]))
    return draped


def _is_flat(ground: Heights, shape: BaseGeometry, level: float) -> bool:
    """Whether the ground under a shadow lies at the plane's height."""
    import shapely

    if shape.is_empty:
        return False
    west, south, east, north = shape.bounds
    x, y = np.meshgrid(np.arange(west, east + PROBE, PROBE), np.arange(south, north + PROBE, PROBE))
    inside = shapely.contains_xy(shape, x.ravel(), y.ravel())
    edge = np.concatenate(_rings(shape))
    heights = ground(np.concatenate([x.ravel()[inside], edge[:, 0]]), np.concatenate([y.ravel()[inside], edge[:, 1]]))
    return bool(np.isfinite(heights).all() and np.abs(heights - level).max() <= FLAT)


def outline_layer(outlines: list[Outline], looked: Looked) -> Layer | None:
    """The outlines as lines, a row for each building and instant; None when there are none."""
    if not outlines:
        return None
    rings = [(ring, row) for row, outline in enumerate(outlines) for ring in outline.rings]
    offsets = np.cumsum([0, *(len(ring) for ring, _ in rings)])
    lines = Lines(np.concatenate([ring for ring, _ in rings]), offsets, np.array([row for _, row in rings]))
    names = [str(looked.obstacles.name[outline.building]) for outline in outlines]
    heights = [np.ptp(_triangles(looked, number)[:, :, 2]) for number in (o.building for o in outlines)]
    table = ElementTable(
        [f"{name} {outline.instant.name}" for name, outline in zip(names, outlines, strict=True)],
        {
            "building": Column(np.array(names, dtype=object)),
            "instant": Column(np.array([outline.instant.name for outline in outlines], dtype=object)),
            "shadow_area": Column(np.array([outline.area for outline in outlines]), "m2"),
            "shadow_length": Column(
                np.array(
                    [
                        height / np.tan(np.radians(outline.instant.altitude))
                        for height, outline in zip(heights, outlines, strict=True)
                    ]
                ),
                "m",
            ),
            "shadow_azimuth": Column(np.array([(o.instant.azimuth + 180.0) % 360.0 for o in outlines]), "deg"),
        },
    )
    hours = Field("hour", "h", "element", np.array([outline.instant.hour for outline in outlines]), ramp="viridis")
    return Layer(
        "outlines", "Outlines of shadows", "result", lines, table=table, fields=(hours,), style=Style(colour_by="hour")
    )
