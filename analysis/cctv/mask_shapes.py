"""Areas of a picture as few polygons of few corners that cover at least as much: what a camera can be told to hide.

Pictures are in pixels, u to the right and v downward from the top left corner. Every step here only adds area.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SLACK_SHARE = 4.0 / 1000.0  # of half the width of the picture: a mast that sways, a mount that settles
LEAST_SLACK = 2.0  # [pixels]
MITRE = 3.0  # times the slack: how far a pointed corner is drawn out where an outline is widened
LEAST_CORNERS = 4  # what a rectangle needs; no camera takes fewer
TIGHT = 1e-6  # [pixels] by which a corner may lie beside the edge that it is tested against
MOST_PAIRED = 40  # polygons of which every pair is looked at; more are first joined with their neighbours
MOST_TRIALS = 60  # reflex corners tried, the cheapest first, before a polygon is taken as its hull


def slack(pixels_wide: int) -> float:
    """Width by which masks are made larger [pixels]."""
    return max(SLACK_SHARE * pixels_wide / 2.0, LEAST_SLACK)


def mask_polygons(
    patches: Sequence[Floats], size: tuple[int, int], *, most_masks: int, most_corners: int
) -> list[Floats]:
    """Polygons (k, 2) [pixels] that cover the patches with slack, at most so many with at most so many corners.

    Parameters
    ----------
    patches : sequence of (k, 2) float [pixels]
        Convex outlines of what must not be seen, within the picture.
    size : (width, height) [pixels]
    most_masks, most_corners : int
        What the camera can be told; fewer than four corners count as four.
    """
    import shapely

    frame = shapely.box(0.0, 0.0, float(size[0]), float(size[1]))
    hulls = [shapely.convex_hull(shapely.multipoints(patch)) for patch in patches if len(patch)]
    if not hulls:
        return []
    hull = np.array(hulls, dtype=object)
    wide = shapely.buffer(hull, slack(size[0]), join_style="mitre", mitre_limit=MITRE)
    joined = shapely.intersection(shapely.union_all(wide), frame)
    parts = _few(_filled(joined), max(most_masks, 1))
    simple = [simplified(part, max(most_corners, LEAST_CORNERS), frame) for part in parts]
    return [np.asarray(shapely.get_coordinates(part.exterior)[:-1]) for part in simple]


def _filled(area: Any) -> list[Any]:
    """Polygons of an area without their holes, largest first."""
    import shapely

    parts = [part for part in shapely.get_parts(area) if shapely.get_dimensions(part) == 2]
    solid = [shapely.Polygon(part.exterior) for part in parts]
    solid = list(shapely.get_parts(shapely.union_all(solid))) if solid else []
    return sorted((shapely.Polygon(part.exterior) for part in solid), key=lambda part: -part.area)


def _few(parts: list[Any], most: int) -> list[Any]:
    """At most so many polygons: the two whose common hull adds least are joined, again and again."""
    reach = 4.0
    while len(parts) > max(MOST_PAIRED, most):
        parts, reach = _grouped(parts, reach), 2.0 * reach
    while len(parts) > most:
        first, second = np.triu_indices(len(parts), 1)
        best = int(np.argmin(_hull_costs(parts, first, second)))
        parts = _joined(parts, int(first[best]), int(second[best]))
    return parts


def _hull_costs(parts: list[Any], first: NDArray[np.int64], second: NDArray[np.int64]) -> Floats:
    """(k,) area that the common hull of each pair adds."""
    import shapely

    shapes = np.array(parts, dtype=object)
    area = shapely.area(shapes)
    pairs = shapely.geometrycollections(np.column_stack([shapes[first], shapes[second]]))
    return np.asarray(shapely.area(shapely.convex_hull(pairs)) - area[first] - area[second])


def _joined(parts: list[Any], first: int, second: int) -> list[Any]:
    """The parts with two of them as their common hull, and with all that this hull meets."""
    import shapely

    hull = shapely.convex_hull(shapely.union(parts[first], parts[second]))
    rest = [part for number, part in enumerate(parts) if number not in (first, second)]
    touched = shapely.intersects(hull, np.array(rest, dtype=object)) if rest else np.zeros(0, dtype=bool)
    if not touched.any():
        return [*rest, hull]
    apart = [part for part, met in zip(rest, touched, strict=True) if not met]
    return apart + _filled(shapely.union_all([hull, *(part for part, met in zip(rest, touched, strict=True) if met)]))


def _grouped(parts: list[Any], reach: float) -> list[Any]:
    """The hulls of those parts that lie within twice a distance of each other."""
    import shapely

    near = shapely.get_parts(shapely.union_all(shapely.buffer(np.array(parts, dtype=object), reach)))
    owner = shapely.STRtree(near).query(shapely.point_on_surface(np.array(parts, dtype=object)), "within")
    groups = [[parts[k] for k in owner[0][owner[1] == number]] for number in range(len(near))]
    return _filled(shapely.union_all([shapely.convex_hull(shapely.union_all(group)) for group in groups if group]))


def simplified(polygon: Any, most_corners: int, frame: Any) -> Any:
    """A polygon within `frame` that covers the given one and has at most so many corners (four or more)."""
    import shapely

    shape = shapely.Polygon(_without_idle(shapely.get_coordinates(polygon.exterior)[:-1]))
    trials = 0
    while _corners(shape) > most_corners and trials < MOST_TRIALS:
        filled = _cheapest_filled(shape)
        if filled is None:
            break
        shape, trials = filled, trials + 1
    if _corners(shape) > most_corners:
        shape = shapely.convex_hull(shape)
    corners = _without_idle(_counter_clockwise(shapely.get_coordinates(shape.exterior)[:-1]))
    low, high = np.array(frame.bounds[:2]), np.array(frame.bounds[2:])
    while len(corners) > most_corners:
        fewer = _one_edge_less(corners, low, high)
        if fewer is None:
            return shapely.box(*shape.bounds)
        corners = fewer
    return shapely.Polygon(corners)


def _corners(shape: Any) -> int:
    return len(shape.exterior.coords) - 1


def _counter_clockwise(corners: Floats) -> Floats:
    x, y = corners[:, 0], corners[:, 1]
    area = float((x * np.roll(y, -1) - y * np.roll(x, -1)).sum())
    return corners if area > 0 else corners[::-1]


def _without_idle(corners: Floats) -> Floats:
    """Corners that turn: those that lie on the straight line of their neighbours to the bit of a pixel are left out."""
    while len(corners) > 3:
        before, after = np.roll(corners, 1, axis=0), np.roll(corners, -1, axis=0)
        along = after - before
        length = np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-12)
        offset = corners - before
        beside = np.abs(along[:, 0] * offset[:, 1] - along[:, 1] * offset[:, 0]) / length
        idle = np.flatnonzero(beside < 1e-9)
        if len(idle) == 0:
            return corners
        corners = np.delete(corners, idle[0], axis=0)
    return corners


def _cheapest_filled(shape: Any) -> Any:
    """The polygon with the smallest bay filled by a straight edge; None where it has none that can be filled."""
    import shapely

    corners = _counter_clockwise(shapely.get_coordinates(shape.exterior)[:-1])
    before, after = np.roll(corners, 1, axis=0), np.roll(corners, -1, axis=0)
    ahead, behind = corners - before, after - corners
    turn = ahead[:, 0] * behind[:, 1] - ahead[:, 1] * behind[:, 0]
    for number in sorted(np.flatnonzero(turn < 0), key=lambda k: -turn[k]):
        wider = shapely.Polygon(np.delete(corners, number, axis=0))
        if wider.is_valid and wider.area > shape.area and shapely.covers(shapely.buffer(wider, TIGHT), shape):
            return wider
    return None


def _one_edge_less(corners: Floats, low: Floats, high: Floats) -> Floats | None:
    """A convex polygon with the edge left out that costs least area: its neighbours meet beyond it, in the frame."""
    start, end = corners, np.roll(corners, -1, axis=0)
    before, after = np.roll(corners, 1, axis=0), np.roll(corners, -2, axis=0)
    along, back = start - before, end - after  # both edges run on towards the corner where they meet
    cross = along[:, 0] * back[:, 1] - along[:, 1] * back[:, 0]
    gap = end - start
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = (gap[:, 0] * back[:, 1] - gap[:, 1] * back[:, 0]) / cross
        other = (gap[:, 0] * along[:, 1] - gap[:, 1] * along[:, 0]) / cross
    meets = np.isfinite(reach) & np.isfinite(other) & (reach >= 0) & (other >= 0)
    tip = start + np.where(meets, reach, 0.0)[:, None] * along
    inside = ((tip >= low - TIGHT) & (tip <= high + TIGHT)).all(axis=1)
    side = tip - start
    cost = np.where(meets & inside, np.abs(gap[:, 0] * side[:, 1] - gap[:, 1] * side[:, 0]), np.inf)
    best = int(np.argmin(cost))
    if not np.isfinite(cost[best]):
        return None
    new = corners.copy()
    new[best] = np.clip(tip[best], low, high)
    return np.delete(new, (best + 1) % len(corners), axis=0)
