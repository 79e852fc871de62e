"""Shortest paths inside a floor that cut no wall: a visibility graph over the corners that stick out.

The corners are those of the floor drawn in by the clearance of a body, so that a path keeps away from walls where the
room is wide enough; where it is not, smaller clearances are tried. Visibility graphs: Lozano-Pérez and Wesley (1979),
doi:10.1145/359156.359164. Shortest paths between all points: Floyd (1962), doi:10.1145/367766.368168.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

Floats = NDArray[np.float64]

CLEARANCES = (0.25, 0.1, 0.02)  # [m] tried one after another
SIMPLER = (0.02, 0.1, 0.3)  # [m] outlines with too many corners are simplified by this
MOST_CORNERS = 90
TOUCH = 0.02  # [m] a path may graze a wall by this much
NEAR_WALL = 0.6  # [m] how far outside a floor a point may stand and still be joined to it


class Paths(NamedTuple):
    """Paths between points of one floor.

    Attributes
    ----------
    length : (k, k) float64 [m]
        Infinite where there is no way inside the floor.
    lines : dict of (i, j) with i < j -> (n, 2) float64 [m]
    """

    length: Floats
    lines: dict[tuple[int, int], Floats]


def paths_within(floor: shapely.Geometry, points: Floats) -> Paths:
    """Shortest paths between all points (k, 2) of a floor.

    Points on or just outside the outline are joined to the nearest place inside.
    """
    count = len(points)
    length = np.full((count, count), np.inf)
    np.fill_diagonal(length, 0.0)
    lines: dict[tuple[int, int], Floats] = {}
    for clearance in CLEARANCES:
        if np.isfinite(length).all():
            break
        _fill(floor, points, clearance, length, lines)
    return Paths(length, lines)


def _fill(
    floor: shapely.Geometry, points: Floats, clearance: float, length: Floats, lines: dict[tuple[int, int], Floats]
) -> None:
    """Add the paths with a clearance for the pairs that have none yet."""
    count = len(points)
    nodes = np.concatenate([points, _corners(floor, clearance)])
    weight = _visible(_walkable(floor, points), nodes)
    total, following = _all_pairs(weight)
    for i in range(count):
        for j in range(i + 1, count):
            if np.isfinite(length[i, j]) or not np.isfinite(total[i, j]):
                continue
            length[i, j] = length[j, i] = total[i, j]
            lines[i, j] = nodes[_route(following, i, j)]


def _walkable(floor: shapely.Geometry, points: Floats) -> shapely.Geometry:
    """The floor, grown by what may be grazed, with a bridge to each point that stands in a doorway."""
    grown = floor.buffer(TOUCH)
    places = shapely.points(points)
    outside = [p for p in places if not grown.covers(p) and grown.distance(p) <= NEAR_WALL]
    if not outside:
        return grown
    bridges = [shapely.shortest_line(p, floor).buffer(2 * TOUCH) for p in outside]
    return shapely.union_all([grown, *bridges])


def _corners(floor: shapely.Geometry, clearance: float) -> Floats:
    """Corners (n, 2) at which a shortest path may turn."""
    found = np.zeros((0, 2))
    for tolerance in SIMPLER:
        inner = floor.simplify(tolerance).buffer(-clearance, join_style="mitre", mitre_limit=2.0)
        rings = [ring for part in shapely.get_parts(inner) if not part.is_empty for ring in _rings(part)]
        found = np.concatenate([_sticking_out(ring) for ring in rings]) if rings else np.zeros((0, 2))
        if len(found) <= MOST_CORNERS:
            break
    return found[:MOST_CORNERS]


def _rings(part: shapely.Geometry) -> list[Floats]:
    """Outer ring anticlockwise and holes clockwise, without the repeated last corner."""
    part = shapely.geometry.polygon.orient(part, 1.0)
    return [np.asarray(ring.coords)[:-1, :2] for ring in (part.exterior, *part.interiors)]


def _sticking_out(ring: Floats) -> Floats:
    """Corners at which the inside of the floor turns by more than half a circle."""
    before, after = ring - np.roll(ring, 1, axis=0), np.roll(ring, -1, axis=0) - ring
    return ring[before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0] < -1e-9]


def _visible(walkable: shapely.Geometry, nodes: Floats) -> Floats:
    """Distances (n, n) between nodes that see each other, infinite for others."""
    count = len(nodes)
    weight = np.full((count, count), np.inf)
    np.fill_diagonal(weight, 0.0)
    i, j = np.triu_indices(count, 1)
    if len(i):
        shapely.prepare(walkable)
        seen = shapely.covers(walkable, shapely.linestrings(np.stack([nodes[i], nodes[j]], axis=1)))
        distance = np.linalg.norm(nodes[i] - nodes[j], axis=1)
        weight[i[seen], j[seen]] = weight[j[seen], i[seen]] = distance[seen]
    return weight


def _all_pairs(weight: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """Shortest lengths (n, n) and the next node on the way."""
    total = weight.copy()
    following = np.where(np.isfinite(weight), np.arange(len(weight))[None, :], -1)
    for k in range(len(weight)):
        through = total[:, k, None] + total[None, k, :]
        better = through < total - 1e-9
        total = np.where(better, through, total)
        following = np.where(better, following[:, k, None], following)
    return total, following


def _route(following: NDArray[np.int64], start: int, goal: int) -> list[int]:
    nodes = [start]
    while nodes[-1] != goal:
        nodes.append(int(following[nodes[-1], goal]))
    return nodes
