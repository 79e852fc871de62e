"""Walls of buildings: upright faces joined in planes, each with the height of its parts and whether it has windows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.sunlight_setback.declaration import SetbackParams

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

STEEP = 0.2  # vertical part of the normal of a wall at most
SAME_TURN = 1.0  # [degrees] walls turned less against one another are parallel
SAME_PLANE = 0.1  # [m] between planes that are one wall
LEAST_WIDTH, LEAST_HEIGHT = 2.0, 2.0  # [m] smaller is no wall that the rules speak of
RASTER = 0.01  # [m]
SOUTH_HALF = (90.0, 270.0)  # [degrees] true azimuths from here to there face the south half of the sky


class Wall(NamedTuple):
    """A wall: the part of a plane with one height.

    Attributes
    ----------
    normal : (2,) float
        Outward unit vector [local]. The wall lies at ``p . normal = offset``.
    start, stop : float [m]
        Along the wall, ``p . (normal_y, -normal_x)``.
    top : float [local m]
    kind : str
        ``window``, ``end`` (a narrow wall without windows) or ``blank`` (a wide one without windows).
    south : bool
        Whether it faces the south half of the sky, by true north.
    """

    normal: Floats
    offset: float
    start: float
    stop: float
    top: float
    kind: str
    south: bool


def walls_of(triangles: Floats, north: Floats, params: SetbackParams) -> list[Wall]:
    """The walls of a building of triangles (t, 3, 3), wide and high enough to count.

    `north`: unit vector to true north (2,) [local].
    """
    cross = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    size = np.linalg.norm(cross, axis=1)
    upright = (size > 1e-9) & (np.abs(cross[:, 2]) < STEEP * size)
    faces, plan = triangles[upright], cross[upright, :2]
    normal = plan / np.linalg.norm(plan, axis=1, keepdims=True)
    walls: list[Wall] = []
    for members in _planes(faces, normal):
        mean = plan[members].sum(axis=0)
        mean = mean / np.hypot(*mean)
        walls += _walls_in(faces[members], mean, north, params)
    return walls


def _planes(faces: Floats, normal: Floats) -> list[Indices]:
    """Groups of faces that lie in one plane and look the same way."""
    if len(faces) == 0:
        return []
    turn = np.degrees(np.arctan2(normal[:, 0], normal[:, 1]))
    groups: list[Indices] = []
    for same in _clusters(turn, SAME_TURN, period=360.0):
        mean = normal[same].mean(axis=0)
        offset = (faces[same][:, :, :2] @ (mean / np.hypot(*mean))).mean(axis=1)
        groups += [same[part] for part in _clusters(offset, SAME_PLANE)]
    return groups


def _clusters(values: Floats, gap: float, *, period: float = 0.0) -> list[Indices]:
    """Indices of values in groups with larger gaps between them."""
    order = np.argsort(values, kind="stable")
    breaks = np.flatnonzero(np.diff(values[order]) > gap) + 1
    groups = np.split(order, breaks)
    if period and len(groups) > 1 and values[order[0]] + period - values[order[-1]] <= gap:
        groups[0] = np.concatenate([groups.pop(), groups[0]])
    return groups


def _walls_in(faces: Floats, normal: Floats, north: Floats, params: SetbackParams) -> list[Wall]:
    """Walls of one plane: stretches without a gap, cut where the height changes."""
    along = np.array([normal[1], -normal[0]])
    t, z = np.round(faces[:, :, :2] @ along / RASTER) * RASTER, faces[:, :, 2]
    offset = float((faces[:, :, :2] @ normal).mean())
    marks = np.unique(t)
    pieces: list[tuple[float, float, float, float]] = []
    for low, high in zip(marks[:-1], marks[1:], strict=True):
        covering = (t.min(axis=1) <= low + RASTER / 2) & (t.max(axis=1) >= high - RASTER / 2)
        if covering.any():
            pieces.append(
                (float(low), float(high), _top(t[covering], z[covering], (low, high)), float(z[covering].min()))
            )
    south = SOUTH_HALF[0] <= true_azimuth(normal, north) <= SOUTH_HALF[1]
    walls = []
    for stretch in _stretches(pieces):
        width = stretch[-1][1] - stretch[0][0]
        if width < LEAST_WIDTH or max(p[2] for p in stretch) - min(p[3] for p in stretch) < LEAST_HEIGHT:
            continue
        kind = _kind(width, params, south=south)
        walls += [Wall(normal, offset, a, b, top, kind, south) for a, b, top in _by_height(stretch)]
    return walls


def _top(t: Floats, z: Floats, span: tuple[float, float]) -> float:
    """Greatest height of triangles (t, z) between two places along the wall."""
    best = -np.inf
    for place in span:
        for k in range(3):
            a, b, za, zb = t[:, k], t[:, k - 1], z[:, k], z[:, k - 1]
            crosses = (np.minimum(a, b) <= place + RASTER / 2) & (np.maximum(a, b) >= place - RASTER / 2)
            width = np.where(np.abs(b - a) > RASTER / 2, b - a, np.inf)
            level = za + np.clip((place - a) / width, 0.0, 1.0) * (zb - za)
            level = np.where(np.isinf(width), np.maximum(za, zb), level)
            best = max(best, float(level[crosses].max(initial=-np.inf)))
    return best


def _stretches(
    pieces: list[tuple[float, float, float, float]],
) -> list[list[tuple[float, float, float, float]]]:
    out: list[list[tuple[float, float, float, float]]] = []
    for piece in pieces:
        if out and piece[0] - out[-1][-1][1] < RASTER / 2:
            out[-1].append(piece)
        else:
            out.append([piece])
    return out


def _by_height(stretch: list[tuple[float, float, float, float]]) -> list[tuple[float, float, float]]:
    out: list[tuple[float, float, float]] = []
    for low, high, top, _ in stretch:
        if out and abs(out[-1][2] - top) < RASTER:
            out[-1] = (out[-1][0], high, out[-1][2])
        else:
            out.append((low, high, top))
    return out


def _kind(width: float, params: SetbackParams, *, south: bool) -> str:
    if width <= params.end_wall:
        return "end"
    return "window" if south or params.north_windows else "blank"


def true_azimuth(way: Floats, north: Floats) -> float:
    """Azimuth of a direction (2,) from true north, clockwise [degrees]; `north`: unit vector to it."""
    east = np.array([north[1], -north[0]])
    return float(np.degrees(np.arctan2(way @ east, way @ north))) % 360.0
