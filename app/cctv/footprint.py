"""Headless. What a camera covers of the ground: a mesh in bands of density, and the edges of its field of view."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.cctv.optics import View, axes, density, in_view

Floats = NDArray[np.float64]
Heights = Callable[[Floats, Floats], Floats]
SeenAsk = Callable[[Floats], NDArray[np.bool_]]

ACROSS = 48  # strips of a footprint from its left to its right edge
LONGEST = 3.0  # [m] of a cell along the view, near the camera
GROWTH = 0.06  # share of its distance by which a cell may be longer
FLATTEST = 0.2  # least upward part of the picture's own up, from which rows go by depth
NEAREST = 0.1  # [m] in front of the lens that counts
ROUNDS = 3  # of fitting a footprint to ground that is not level
FINER = 6  # parts of a side of the cells at the rim of what is seen: a wall's foot is a line, no saw
LIFT = 0.5  # [m] over the ground at which a cell is looked at: feet, not the grain of the ground


@dataclass(frozen=True, eq=False)
class Footprint:
    """Ground in the field of view, in cells.

    Attributes
    ----------
    vertices : (n, 3) float [local m]
    faces : (m, 3) int
    classes : (m,) int8
        Which of the limits a triangle reaches, 0 the lowest.
    edges : (k, 2, 3) float [local m]
        Lines from the lens to the corners of what is seen, and around it.
    """

    vertices: Floats
    faces: NDArray[np.int32]
    classes: NDArray[np.int8]
    edges: Floats

    @property
    def areas(self) -> Floats:
        """(m,) of the triangles, seen from above [m2]."""
        a, b, c = (self.vertices[self.faces[:, k], :2] for k in range(3))
        ab, ac = b - a, c - a
        return np.asarray(np.abs(ab[:, 0] * ac[:, 1] - ab[:, 1] * ac[:, 0]) / 2)


def footprint(
    view: View, limits: Sequence[float], *, heights: Heights, reach: float, seen: SeenAsk | None = None
) -> Footprint:
    """The ground that a view covers with at least the lowest limit.

    Parameters
    ----------
    limits : ascending floats [px/m]
        Of the classes; the density is the one of a plane parallel to the sensor.
    heights : callable(x, y) -> z
        Of the ground, arrays [local m]; never NaN.
    reach : float [m]
        Farther nothing is shown.
    seen : callable((n, 3)) -> (n,) bool, optional
        Whether a point is in sight of the lens; all of them without.
    """
    points = _round_cells(view, limits, heights, reach) if view.equidistant else _cells(view, limits, heights, reach)
    rows, columns = points.shape[:2]
    quads = _quads(rows, columns)
    flat = points.reshape(-1, 3)
    middles = flat[quads].mean(axis=1)
    classes = _classes(view, middles, limits, reach)
    keep = (classes >= 0) & _has_area(flat, quads)
    if seen is not None and keep.any():
        wanted, keep = keep, _in_sight(middles, keep, heights, seen)
        rim = _rim(wanted, keep, (rows - 1, columns - 1))
        inner, first = keep & ~rim, len(flat)
        finer = _finer(flat[quads[rim]], heights)
        flat = np.concatenate([flat, finer.reshape(-1, 3)])
        small = first + _parts(int(rim.sum()))
        middles = flat[small].mean(axis=1)
        small_classes = _classes(view, middles, limits, reach)
        shown = _in_sight(middles, (small_classes >= 0) & _has_area(flat, small), heights, seen)
        quads = np.concatenate([quads[inner], small[shown]])
        classes = np.concatenate([classes[inner], small_classes[shown]])
    else:
        quads, classes = quads[keep], classes[keep]
    faces = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    edges = _round_edges(points) if view.equidistant else _edges(view, points)
    return Footprint(flat, faces.astype(np.int32), np.tile(classes, 2), edges)


def _in_sight(middles: Floats, asked: NDArray[np.bool_], heights: Heights, seen: SeenAsk) -> NDArray[np.bool_]:
    """Which of the cells that are asked for are in sight at their middle."""
    found = asked.copy()
    if asked.any():
        lifted = middles[asked]
        lifted[:, 2] = heights(lifted[:, 0], lifted[:, 1]) + LIFT
        found[asked] = seen(lifted)
    return found


def _rim(wanted: NDArray[np.bool_], seen: NDArray[np.bool_], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Cells of the field of view at whose side, or corner, sight begins or ends."""
    inside, lit = np.pad(wanted.reshape(shape), 1), np.pad(seen.reshape(shape), 1)
    rows, columns = shape
    any_seen, any_hidden = np.zeros(shape, dtype=np.bool_), np.zeros(shape, dtype=np.bool_)
    for down in range(3):
        for right in range(3):
            part = (slice(down, down + rows), slice(right, right + columns))
            any_seen |= lit[part]
            any_hidden |= inside[part] & ~lit[part]
    return np.asarray((wanted.reshape(shape) & any_seen & any_hidden).ravel())


def _finer(corners: Floats, heights: Heights) -> Floats:
    """(n, FINER + 1, FINER + 1, 3) points of a finer grid in cells of four corners (n, 4, 3), on the ground."""
    share = np.linspace(0.0, 1.0, FINER + 1)
    u, v = share[None, :, None, None], share[None, None, :, None]
    a, b, c, d = (corners[:, k, None, None, :] for k in range(4))
    points = (1 - u) * ((1 - v) * a + v * b) + u * ((1 - v) * d + v * c)
    points[..., 2] = heights(points[..., 0].ravel(), points[..., 1].ravel()).reshape(points.shape[:-1])
    return np.asarray(points)


def _parts(count: int) -> NDArray[np.int64]:
    """Cells (count * FINER ** 2, 4) of that many finer grids that follow each other."""
    one = _quads(FINER + 1, FINER + 1)
    return np.asarray((one[None] + (FINER + 1) ** 2 * np.arange(count)[:, None, None]).reshape(-1, 4))


def _classes(view: View, points: Floats, limits: Sequence[float], reach: float) -> NDArray[np.int8]:
    """Class of each point, -1 where it is out of the picture, too far or too coarse."""
    found = np.searchsorted(np.asarray(limits), density(view, points) * (1 + 1e-9), side="right") - 1
    away = np.linalg.norm(points - np.asarray(view.position), axis=1) > reach
    found[away | ~in_view(_wider(view), points)] = -1
    return found.astype(np.int8)


def _wider(view: View) -> View:
    """A hair wider: cells of the rim have their middle inside, but not by more than rounding."""
    share = 1 + 1e-6
    return dataclasses.replace(
        view, tan_half_width=view.tan_half_width * share, tan_half_height=view.tan_half_height * share
    )


# ---- a plane picture


def _cells(view: View, limits: Sequence[float], heights: Heights, reach: float) -> Floats:
    """(rows, columns, 3) corners of cells on the ground: columns fan out, rows lie at one depth each."""
    forward, right, up = axes(view)
    place = np.asarray(view.position, dtype=np.float64)
    across = np.linspace(-view.tan_half_width, view.tan_half_width, ACROSS + 1)[None, :]
    farthest = min(reach, view.focal_px / float(limits[0]))
    by_depth = abs(float(up[2])) >= FLATTEST
    if by_depth:
        rows = _depths(NEAREST, farthest, [view.focal_px / float(limit) for limit in limits])[:, None]
    else:
        rows = np.linspace(-view.tan_half_height, view.tan_half_height, ACROSS + 1)[:, None]
    ground = np.full(np.broadcast_shapes(rows.shape, across.shape), heights(place[:1], place[1:2])[0])
    points = np.zeros((*ground.shape, 3))
    for _ in range(ROUNDS):
        fall = ground - place[2]
        if by_depth:
            depth, above = _by_depth(view, rows, across, fall, farthest)
        else:
            above = np.broadcast_to(rows, fall.shape)
            depth = _depth_of(forward, right, up, across, above, fall)
        depth = np.clip(depth, 0.0, farthest)
        ways = forward + across[..., None] * right + above[..., None] * up
        points = place + depth[..., None] * ways
        ground = heights(points[..., 0].ravel(), points[..., 1].ravel()).reshape(fall.shape)
    points[..., 2] = ground
    return points


def _depths(nearest: float, farthest: float, wanted: Sequence[float]) -> Floats:
    """Depths from near to far [m], those of the classes among them, cells between them of bearable length."""
    steps = [nearest]
    while steps[-1] < farthest:
        steps.append(steps[-1] + max(LONGEST, GROWTH * steps[-1]))
    inside = [depth for depth in wanted if nearest < depth < farthest]
    return np.unique([*(step for step in steps if step < farthest), *inside, farthest])


def _depth_of(forward: Floats, right: Floats, up: Floats, across: Floats, above: Floats, fall: Floats) -> Floats:
    """Depth at which lines of sight meet a level `fall` above the lens [m]; infinite where they never do."""
    rise = forward[2] + across * right[2] + above * up[2]
    with np.errstate(divide="ignore", invalid="ignore"):
        depth = fall / rise
    return np.where(np.isfinite(depth) & (depth > 0), depth, np.inf)


def _by_depth(view: View, rows: Floats, across: Floats, fall: Floats, farthest: float) -> tuple[Floats, Floats]:
    """Depths of the rows, kept within the picture, and the height in the picture at which the ground is met there."""
    forward, right, up = axes(view)
    top, foot = (
        _depth_of(forward, right, up, across, np.full((1, 1), sign * view.tan_half_height), fall) for sign in (1, -1)
    )
    low, high = np.minimum(top, foot), np.maximum(top, foot)
    depth = np.clip(rows, np.minimum(low, farthest), np.minimum(high, farthest))
    depth = np.maximum(depth, NEAREST)
    above = (fall / depth - forward[2] - across * right[2]) / up[2]
    return depth, above


def _edges(view: View, points: Floats) -> Floats:
    """Lens to the four corners, and the rim from corner to corner along the ground."""
    place = np.asarray(view.position, dtype=np.float64)
    corners = points[[0, 0, -1, -1], [0, -1, -1, 0]]
    rim = np.concatenate([points[0], points[1:, -1], points[-1, ::-1][1:], points[::-1, 0][1:]])
    rays = np.stack([np.broadcast_to(place, (4, 3)), corners], axis=1)
    return np.concatenate([rays, np.stack([rim[:-1], rim[1:]], axis=1)])


# ---- a fisheye


def _round_cells(view: View, limits: Sequence[float], heights: Heights, reach: float) -> Floats:
    """(rows, columns, 3) corners of cells on the ground around the lens, from its foot outward."""
    place = np.asarray(view.position, dtype=np.float64)
    farthest = min(reach, view.focal_px / float(limits[0]))
    rows = _depths(0.0, farthest, [view.focal_px / float(limit) for limit in limits])[:, None]
    angle = np.linspace(0.0, 2 * np.pi, 2 * ACROSS + 1)[None, :]
    x, y = place[0] + rows * np.sin(angle), place[1] + rows * np.cos(angle)
    ground = heights(x.ravel(), y.ravel()).reshape(x.shape)
    return np.stack([x, y, ground], axis=-1)


def _round_edges(points: Floats) -> Floats:
    rim = points[-1]
    return np.stack([rim[:-1], rim[1:]], axis=1)


def _quads(rows: int, columns: int) -> NDArray[np.int64]:
    number = np.arange(rows * columns).reshape(rows, columns)
    return np.stack([number[:-1, :-1], number[:-1, 1:], number[1:, 1:], number[1:, :-1]], axis=-1).reshape(-1, 4)


def _has_area(points: Floats, quads: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether a cell is more than a line: rows that were drawn to the rim fall together."""
    one, two = points[quads[:, 2], :2] - points[quads[:, 0], :2], points[quads[:, 3], :2] - points[quads[:, 1], :2]
    return np.asarray(np.abs(one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]) > 1e-6)
