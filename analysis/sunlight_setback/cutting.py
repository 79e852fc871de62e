"""Cutting triangles with planes, and convex areas with lines, exactly."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

NOTHING = 1e-9  # [m] nearer to the plane counts as on it


def cut(triangles: Floats, planes: Floats) -> tuple[Floats, Indices]:
    """The part of each triangle in the half-space ``n . p + c >= 0``.

    Parameters
    ----------
    triangles : (n, 3, 3) float [m]
    planes : (n, 4) float
        ``(nx, ny, nz, c)`` for each triangle.

    Returns
    -------
    parts : (m, 3, 3) float
        With the orientation of the triangles they come from; one that is cut gives one or two.
    origin : (m,) int64
        Triangle each comes from.
    """
    distance = np.einsum("nkj,nj->nk", triangles, planes[:, :3]) + planes[:, 3:4]
    inside = distance >= -NOTHING
    count = inside.sum(axis=1)
    touching = (distance > NOTHING).any(axis=1) | (count == 3)
    whole = np.flatnonzero((count == 3) & touching)
    parts, origin = [triangles[whole]], [whole]
    for corners in (1, 2):
        mine = np.flatnonzero((count == corners) & touching)
        if len(mine) == 0:
            continue
        # The corner that is alone on its side comes first; the order around the triangle stays.
        lone = np.argmax(inside[mine] if corners == 1 else ~inside[mine], axis=1)
        turn = (lone[:, None] + np.arange(3)) % 3
        points = np.take_along_axis(triangles[mine], turn[:, :, None], axis=1)
        level = np.take_along_axis(distance[mine], turn, axis=1)
        first = _between(points[:, 0], points[:, 1], level[:, 0], level[:, 1])
        second = _between(points[:, 0], points[:, 2], level[:, 0], level[:, 2])
        if corners == 1:
            parts.append(np.stack([points[:, 0], first, second], axis=1))
            origin.append(mine)
        else:
            parts.append(np.stack([first, points[:, 1], points[:, 2]], axis=1))
            parts.append(np.stack([first, points[:, 2], second], axis=1))
            origin += [mine, mine]
    return np.concatenate(parts), np.concatenate(origin)


def _between(a: Floats, b: Floats, level_a: Floats, level_b: Floats) -> Floats:
    share = level_a / np.where(level_a == level_b, 1.0, level_a - level_b)
    return np.asarray(a + np.clip(share, 0.0, 1.0)[:, None] * (b - a))


def cut_area(area: Floats, line: tuple[float, float, float]) -> Floats:
    """The part of a convex area (n, 2) where ``a x + b y + c >= 0``; fewer than three corners: nothing."""
    a, b, c = line
    points = area.tolist()
    levels = [a * x + b * y + c for x, y in points]
    out: list[tuple[float, float]] = []
    for k, (x, y) in enumerate(points):
        here, before = levels[k], levels[k - 1]
        if (here > 0 > before) or (here < 0 < before):
            share = before / (before - here)
            px, py = points[k - 1]
            out.append((px + share * (x - px), py + share * (y - py)))
        if here >= 0:
            out.append((x, y))
    return np.array(out) if len(out) >= 3 else np.zeros((0, 2))
