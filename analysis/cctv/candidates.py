"""Places for cameras found in the scene: along road edges and at crossings, on walls, under ceilings, or as given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from analysis.cctv.ceilings import poles_on_ceilings
from analysis.cctv.plan_shapes import (
    Box,
    Walk,
    closed_rings,
    inside_box,
    outline_of,
    part_within,
    surface_outline,
    triangles_of,
    walk_around,
    within,
)
from analysis.cctv.poles import (
    POLE_KINDS,
    Orientation,
    Orientations,
    Poles,
    drop_blocked,
    fine_grid,
    join_poles,
    make_poles,
    no_poles,
    thinned,
    without,
)
from analysis.kernels.rays import Occluder
from geo.model import Feedback, Issue, Layer, Lines, Mesh, Points
from geo.model.conventions import MOUNT, MOUNTS

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

__all__ = [
    "Orientation",
    "Orientations",
    "Poles",
    "drop_blocked",
    "fine_grid",
    "forbid",
    "join_poles",
    "make_poles",
    "near_targets",
    "no_poles",
    "poles_from_layer",
    "poles_on_ceilings",
    "poles_on_facades",
    "poles_on_roads",
    "thinned",
]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Heights = Callable[[Floats, Floats], Floats]

ROAD_SPACING = 20.0  # [m] street lights stand 15 to 25 m apart
ROAD_OFFSET = 0.5  # [m] from the kerb
ROAD_HEIGHT = 5.0  # [m] masts of municipal cameras: 4 to 6 m
ROAD_SMOOTH = 1.0  # [m] kerbs round a corner are drawn with few points
CROSSING_TURN = 28.0  # [degrees] a kerb that turns by more round the land beside it is the corner of a crossing
NEAR_KERB = 0.25  # of the spacing: masts nearer to each other are one
WALL_SPACING = 8.0  # [m]
WALL_OFFSET = 0.45  # [m] a bracket of 0.4 to 0.5 m
WALL_HEIGHT = 4.5  # [m] out of arm's reach; 3 to 6 m are usual
WALL_RISE = (3.0, 6.0)
WALL_REACH = 1.6  # [m] a wall further behind the outline than this (deep eaves, an arcade) carries no camera
WALL_SLACK = 10.0  # [degrees] from the wall itself that a picture's axis keeps
OPEN_SKY = 100.0  # [m]
FOOT = 0.1  # [m] above the ground, where a mast begins
WALL_ABOVE = 0.2  # [m] of wall above a bracket
NEAR_BRACKET = 0.25  # of the spacing: brackets nearer to each other are one
HALF_ROAD = 3.5  # [m] to either side of a centre line where no width is stated
ON_GROUND = 0.5  # [m] given points this near the ground are feet of masts, not lenses


def poles_on_roads(
    roads: Sequence[Layer],
    ground: Heights,
    *,
    buildings: Occluder | None = None,
    box: Box | None = None,
    spacing: float = ROAD_SPACING,
    offset: float = ROAD_OFFSET,
    height: float = ROAD_HEIGHT,
    cost: float = 0.0,
) -> tuple[Poles, tuple[Issue, ...]]:
    """Masts along the edges of roads and at the corners of crossings.

    Parameters
    ----------
    roads : sequence of Layer
        Areas (meshes) or centre lines with a column ``width`` [m].
    ground : callable (x, y) -> z [local m]
    buildings : Occluder, optional
        Masts under a roof or inside a building are left out.
    box : (low, high), optional [local m]
        Rectangle in plan that they must lie in.
    """
    shape, issues = _road_area(roads, box)
    if shape.is_empty:
        return no_poles(), issues
    walk = walk_around(shape, spacing, offset=offset, smooth=ROAD_SMOOTH)
    walk = walk.kept(inside_box(walk.xy, box))
    foot = ground(walk.xy[:, 0], walk.xy[:, 1])
    known = np.isfinite(foot)
    walk, foot = walk.kept(known), foot[known]
    poles = make_poles(
        np.column_stack([walk.xy, foot + height]), "road", height=height, mount="pole", cost=cost, name="road"
    )
    poles.kind[walk.turn < -CROSSING_TURN] = POLE_KINDS.index("crossing")
    poles = thinned(poles.kept(np.argsort(walk.turn, kind="stable")), NEAR_KERB * spacing)
    if not known.all():
        issues += (_no_ground(int((~known).sum())),)
    if buildings is not None and len(poles):
        poles, doubts = _in_the_open(poles, buildings, from_ground=True)
        issues += doubts
    return poles, issues


def _road_area(roads: Sequence[Layer], box: Box | None) -> tuple[BaseGeometry, tuple[Issue, ...]]:
    """All roads as one area, and what was taken for the width of centre lines."""
    import shapely

    parts, assumed = [], 0
    for layer in roads:
        if isinstance(layer.geometry, Mesh):
            parts.append(surface_outline(part_within(layer.geometry, box)))
        elif isinstance(layer.geometry, Lines):
            area, unknown = _buffered(layer, layer.geometry)
            parts.append(area)
            assumed += unknown
    area = shapely.union_all(parts) if parts else shapely.Polygon()
    if not assumed:
        return area, ()
    message = f"{assumed} roads state no width; {2 * HALF_ROAD:g} m are taken."
    return area, (Issue("cctv.candidates.road_width", message, "doubt", assumed, values={"width": 2 * HALF_ROAD}),)


def _buffered(layer: Layer, lines: Lines) -> tuple[BaseGeometry, int]:
    import shapely

    count = len(lines.line_element)
    column = layer.table.columns.get("width")
    half = np.full(count, np.nan)
    if column is not None and column.is_number and len(layer.table):
        half = column.values.astype(np.float64)[lines.line_element] / 2.0
    unknown = ~(np.isfinite(half) & (half > 0))
    shapes = [
        shapely.LineString(lines.vertices[first:last, :2])
        for first, last in zip(lines.offsets[:-1].tolist(), lines.offsets[1:].tolist(), strict=True)
        if last - first >= 2
    ]
    long = np.diff(lines.offsets) >= 2
    width = np.where(unknown, HALF_ROAD, half)[long]
    return shapely.union_all(shapely.buffer(shapes, width, cap_style="flat")), int((unknown & long).sum())


def _no_ground(count: int) -> Issue:
    message = f"{count} places for cameras lie where no ground is known; they are left out."
    return Issue("cctv.candidates.no_ground", message, "note", count, values={"count": count})


def _in_the_open(poles: Poles, buildings: Occluder, *, from_ground: bool = False) -> tuple[Poles, tuple[Issue, ...]]:
    """Without those that have a building overhead; `from_ground`: over the foot of their mast already."""
    starts = poles.xyz - (np.outer(poles.height - FOOT, [0.0, 0.0, 1.0]) if from_ground else 0.0)
    covered = buildings.occluded(starts, np.array([[0.0, 0.0, 1.0]]), OPEN_SKY)
    message = "places for cameras lie under a roof or inside a building; they are left out."
    return without(poles, covered, Issue("cctv.candidates.under_roof", message, "note"))


def poles_on_facades(
    buildings: Sequence[Layer],
    ground: Heights,
    *,
    occluder: Occluder,
    box: Box | None = None,
    spacing: float = WALL_SPACING,
    offset: float = WALL_OFFSET,
    height: float = WALL_HEIGHT,
    rise: tuple[float, float] = WALL_RISE,
    cost: float = 0.0,
    feedback: Feedback | None = None,
) -> tuple[Poles, tuple[Issue, ...]]:
    """Brackets on walls: at every corner and at most `spacing` [m] apart, `offset` [m] outward.

    The height is that above the **local** ground; on a wall that is not so tall it is the lowest of `rise`. A place
    counts only where a wall stands behind it at that height and nothing overhead, so that low sheds, arcades and
    places under a roof are left out.

    Parameters
    ----------
    buildings : sequence of Layer
        Meshes; of building models only the level faces are looked at.
    occluder : Occluder
        Of the same buildings.
    box : (low, high), optional [local m]
        Rectangle in plan that they must lie in.
    """
    import shapely

    feedback = feedback or Feedback()
    outlines = []
    for number, layer in enumerate(buildings):
        feedback.step(number / max(1, len(buildings)), "finding the walls")
        if isinstance(layer.geometry, Mesh):
            outlines.append(outline_of(_level_faces(part_within(layer.geometry, box))))
    area = shapely.union_all(outlines, grid_size=0.01) if outlines else shapely.Polygon()
    feedback.step(0.9, "finding the walls")
    walk = walk_around(area, spacing, offset=offset)
    walk = walk.kept(inside_box(walk.xy, box))
    if len(walk.xy) == 0:
        return no_poles(), ()
    foot = ground(walk.xy[:, 0], walk.xy[:, 1])
    known = np.isfinite(foot)
    issues: tuple[Issue, ...] = () if known.all() else (_no_ground(int((~known).sum())),)
    walk, foot = walk.kept(known), foot[known]
    low = np.full(len(foot), min(height, rise[0]))
    is_tall = _has_wall(walk, foot + height, occluder)
    heights = np.where(is_tall, height, low)
    poles = _wall_poles(walk, foot, height=heights, rise=rise, cost=cost)
    has_wall = is_tall | _has_wall(walk, foot + low, occluder)
    message = "places for cameras along outlines of buildings have no wall behind them; they are left out."
    poles, doubts = without(poles, ~has_wall, Issue("cctv.candidates.no_wall", message, "note"))
    issues += doubts
    if len(poles):
        poles, doubts = _in_the_open(poles, occluder)
        issues += doubts
        # Of several at one jag of a wall the one that may look around furthest.
        poles = thinned(poles.kept(np.argsort(-poles.sector_half, kind="stable")), NEAR_BRACKET * spacing)
    return poles, issues


def _level_faces(mesh: Mesh) -> Floats:
    """Faces that show in plan: roofs and slabs."""
    return triangles_of(mesh, np.abs(mesh.face_cross[:, 2]) > 0.1 * np.linalg.norm(mesh.face_cross, axis=1))


def _has_wall(walk: Walk, z: Floats, occluder: Occluder) -> Bools:
    """(n,) whether a wall stands right behind stations at heights [local m]."""
    inward = -np.column_stack([walk.outward, np.zeros(len(walk.xy))])
    return occluder.occluded(np.column_stack([walk.xy, z + WALL_ABOVE]), inward, WALL_REACH)


def _wall_poles(walk: Walk, foot: Floats, *, height: Floats, rise: tuple[float, float], cost: float) -> Poles:
    """Brackets whose cameras look away from the wall: 180 degrees on it, more round a corner, less in a nook."""
    middle = np.degrees(np.arctan2(walk.outward[:, 0], walk.outward[:, 1]))
    half = np.maximum(90.0 + walk.turn / 2.0 - WALL_SLACK, 0.0)
    along = np.where((walk.slide > 0)[:, None], np.column_stack([walk.outward[:, 1], -walk.outward[:, 0]]), 0.0)
    return make_poles(
        np.column_stack([walk.xy, foot + height]),
        "facade",
        height=height,
        mount="facade",
        sector=(middle, half),
        cost=cost,
        along=along,
        slide=np.maximum(walk.slide, 0.0),
        rise=rise,
        name="facade",
    )


def poles_from_layer(
    layer: Layer, ground: Heights, *, height: float = ROAD_HEIGHT, cost: float = 0.0
) -> tuple[Poles, tuple[Issue, ...]]:
    """Places that a layer of points gives (masts, street lights); feet on the ground are raised by `height` [m].

    A column ``cost`` [KRW] and a column of mounts are taken over.
    """
    points = layer.geometry
    if not isinstance(points, Points) or len(points.vertices) == 0:
        return no_poles(), ()
    xyz = np.array(points.vertices)
    foot = ground(xyz[:, 0], xyz[:, 1])
    above = xyz[:, 2] - foot
    feet = np.isfinite(foot) & (~np.isfinite(above) | (above < ON_GROUND))
    placeless = ~np.isfinite(xyz[:, 2]) & ~np.isfinite(foot)
    xyz[feet, 2] = foot[feet] + height
    above = np.where(np.isfinite(foot), xyz[:, 2] - foot, height)
    ids = layer.table.ids[points.element] if len(layer.table) else np.full(len(xyz), layer.id, dtype=object)
    poles = make_poles(xyz, "given", height=above, mount="pole", cost=_costs(layer, points, cost), name=ids)
    poles.mount[:] = _mounts(layer, points)
    issues: list[Issue] = []
    if feet.any():
        count = int(feet.sum())
        message = f"{count} given places lie on the ground; a mast of {height:g} m is taken there."
        values = {"count": count, "height": height}
        issues.append(Issue("cctv.candidates.raised", message, "note", count, values=values))
    if placeless.any():
        issues.append(_no_ground(int(placeless.sum())))
    return poles.kept(~placeless), tuple(issues)


def _costs(layer: Layer, points: Points, cost: float) -> Floats:
    column = layer.table.columns.get("cost")
    if column is None or not column.is_number:
        return np.full(len(points.vertices), cost)
    stated = column.values.astype(np.float64)[points.element]
    return np.where(np.isfinite(stated) & (stated >= 0), stated, cost)


def _mounts(layer: Layer, points: Points) -> NDArray[np.int8]:
    column = layer.table.columns.get(MOUNT)
    if column is None:
        return np.full(len(points.vertices), MOUNTS.index("pole"), dtype=np.int8)
    names = [str(value) for value in column.values[points.element]]
    return np.array([MOUNTS.index(name) if name in MOUNTS else MOUNTS.index("other") for name in names], dtype=np.int8)


def forbid(poles: Poles, zones: Sequence[Layer], *, margin: float = 0.0) -> tuple[Poles, tuple[Issue, ...]]:
    """Without the places in forbidden zones: areas (meshes) or closed lines, in plan, grown by `margin` [m]."""
    import shapely

    parts = []
    for layer in zones:
        if isinstance(layer.geometry, Mesh):
            parts.append(outline_of(triangles_of(layer.geometry)))
        elif isinstance(layer.geometry, Lines):
            parts.append(closed_rings(layer.geometry))
    area = shapely.union_all(parts) if parts else shapely.Polygon()
    if margin:
        area = shapely.buffer(area, margin)
    message = "places for cameras lie in forbidden zones; they are left out."
    return without(poles, within(area, poles.xyz[:, :2]), Issue("cctv.candidates.forbidden", message, "note"))


def near_targets(poles: Poles, xyz: Floats, reach: float) -> tuple[Poles, tuple[Issue, ...]]:
    """Without the places from which no target lies within `reach` [m]."""
    from scipy.spatial import cKDTree

    if len(poles) == 0 or len(xyz) == 0:
        return poles.kept(np.zeros(len(poles), dtype=np.bool_)), ()
    distance, _ = cKDTree(xyz).query(poles.xyz, distance_upper_bound=reach)
    message = "places for cameras have no target within reach; they are left out."
    return without(poles, ~np.isfinite(distance), Issue("cctv.candidates.far", message, "note"))
