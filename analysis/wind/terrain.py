"""Ground of the wind tunnel: heights below its columns, blended to their mean along the border."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.wind.domain import BLEND, Axes
from geo.model import Grid, Issue, Mesh, unique_rows

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

LEVEL_BASES = 2.0  # [m] buildings whose feet differ by less stand on a plain
CLIFF = 1.0  # rise over run: steeper than 45 degrees the steps of the grid say little
NEIGHBOURS = 8  # building feet that a height between them is taken from
MOST_CORNERS = 400_000


class Ground(NamedTuple):
    """Where the ground of the tunnel comes from: a grid, a surface of triangles, or the feet of the buildings.

    Attributes
    ----------
    grid : Grid or None
    surface : Mesh or None
    feet : (n, 3) float [local m]
        Feet of buildings, used where there is neither.
    plain : float or None
        Height of a plain [local m].
    """

    grid: Grid | None = None
    surface: Mesh | None = None
    feet: Floats = np.zeros((0, 3))
    plain: float | None = None

    @property
    def is_relief(self) -> bool:
        """Whether the heights were measured."""
        return self.grid is not None or self.surface is not None


def ground_of(grid: Grid | None, surface: Mesh | None, feet: Floats, issues: list[Issue]) -> Ground:
    """Choose where the ground comes from; what had to be assumed is added to `issues`."""
    if grid is not None or (surface is not None and len(surface.faces)):
        return Ground(grid, surface)
    if len(feet) == 0:
        issues.append(Issue("wind.flat_ground", "No terrain: the ground is a plain at height 0.", "doubt"))
        return Ground(plain=0.0)
    low, middle, high = np.quantile(feet[:, 2], [0.05, 0.5, 0.95])
    if high - low <= LEVEL_BASES:
        message = f"No terrain: the ground is a plain at the feet of the buildings, {middle:.1f} m."
        issues.append(Issue("wind.flat_ground", message, "doubt", values={"height": round(float(middle), 1)}))
        return Ground(plain=float(middle))
    message = f"No terrain: the ground was laid through the feet of {len(feet)} buildings, {low:.0f} to {high:.0f} m."
    values = {"low": round(float(low)), "high": round(float(high))}
    issues.append(Issue("wind.ground_from_feet", message, "doubt", len(feet), values=values))
    return Ground(feet=_steady(feet))


def _steady(feet: Floats) -> Floats:
    """Feet at the median height of their neighbours: a part of a house that begins on a roof makes no hill."""
    from scipy.spatial import cKDTree

    count = min(NEIGHBOURS + 1, len(feet))
    _, number = cKDTree(feet[:, :2]).query(feet[:, :2], k=count)
    return np.column_stack([feet[:, :2], np.median(feet[np.reshape(number, (len(feet), count)), 2], axis=1)])


def heights(ground: Ground, xy: Floats) -> Floats:
    """Height of the ground at scene positions (n, 2) [local m]; NaN where nothing is known."""
    if ground.plain is not None:
        return np.full(len(xy), ground.plain)
    found = np.full(len(xy), np.nan)
    if ground.grid is not None:
        found = ground.grid.sample(xy[:, 0], xy[:, 1])
    if ground.surface is not None and np.isnan(found).any():
        rest = np.isnan(found)
        found[rest] = _on_surface(ground.surface, xy[rest])
    if len(ground.feet):
        found = _between_feet(ground.feet, xy)
    return np.asarray(found, dtype=np.float64)


def _between_feet(feet: Floats, xy: Floats) -> Floats:
    """Mean of the nearest feet, weighted by the inverse square of their distance."""
    from scipy.spatial import cKDTree

    count = min(NEIGHBOURS, len(feet))
    distance, number = cKDTree(feet[:, :2]).query(xy, k=count)
    distance, number = np.reshape(distance, (len(xy), count)), np.reshape(number, (len(xy), count))
    weight = 1.0 / (distance + 5.0) ** 2  # 5 m: a foot is not a point
    return np.asarray((feet[number, 2] * weight).sum(axis=1) / weight.sum(axis=1))


def _on_surface(surface: Mesh, xy: Floats) -> Floats:
    """Height of a surface of triangles over points: between its nearest corners' planes, NaN beside it."""
    from scipy.interpolate import LinearNDInterpolator

    low, high = xy.min(axis=0) - 100.0, xy.max(axis=0) + 100.0
    used = np.unique(surface.faces)
    corners = surface.vertices[used]
    near = ((corners[:, :2] >= low) & (corners[:, :2] <= high)).all(axis=1)
    corners = corners[near]
    if len(corners) < 3:
        return np.full(len(xy), np.nan)
    corners = corners[:: max(1, len(corners) // MOST_CORNERS)]
    corners = corners[unique_rows(np.round(corners[:, :2], 3)).first]
    middle = corners[:, :2].mean(axis=0)
    return np.asarray(LinearNDInterpolator(corners[:, :2] - middle, corners[:, 2])(xy - middle), dtype=np.float64)


class Relief(NamedTuple):
    """Ground below the columns of one level.

    Attributes
    ----------
    height : (ny, nx) float64 [local m]
        Blended, known everywhere.
    unknown : float
        Share of the columns beside the terrain, 0 to 1.
    mean : float [local m]
        Along the border.
    """

    height: Floats
    unknown: float
    mean: float


def relief_below(ground: Ground, axes: Axes, x: Floats, y: Floats, window: Floats) -> Relief:
    """Ground at the middles of columns, taken over into its mean towards the border.

    Parameters
    ----------
    x, y : (nx + 1,), (ny + 1,) float [m]
        Faces in the tunnel's axes.
    window : (4,) float [m]
        Ground inside is never changed.
    """
    mx, my = 0.5 * (x[1:] + x[:-1]), 0.5 * (y[1:] + y[:-1])
    xx, yy = np.meshgrid(mx, my)
    found = heights(ground, axes.to_scene(np.column_stack([xx.ravel(), yy.ravel()]))).reshape(xx.shape)
    unknown = float(np.isnan(found).mean())
    found = _filled(found)
    weight = border_weight(x, y, mx, my, window)
    edge = np.concatenate([found[0], found[-1], found[:, 0], found[:, -1]])
    mean = float(edge.mean())
    return Relief(found + weight * (mean - found), unknown, mean)


def _filled(found: Floats) -> Floats:
    """No-data replaced by the nearest known height; all unknown: 0."""
    missing = np.isnan(found)
    if not missing.any():
        return found
    if missing.all():
        return np.zeros_like(found)
    from scipy.ndimage import distance_transform_edt

    _, index = distance_transform_edt(missing, return_indices=True)
    return np.asarray(found[tuple(index)])


def border_weight(x: Floats, y: Floats, mx: Floats, my: Floats, window: Floats) -> Floats:
    """(ny, nx) how far the ground is taken over into its mean: 1 along the border, 0 inside, smooth between."""

    def along(faces: Floats, middles: Floats, low: float, high: float) -> Floats:
        before = min(BLEND, max(low - faces[0], 1.0))
        after = min(BLEND, max(faces[-1] - high, 1.0))
        first, last = middles[0] - faces[0], faces[-1] - middles[-1]  # the outermost cells are wholly blended
        share = np.maximum(1.0 - (middles - faces[0] - first) / before, 1.0 - (faces[-1] - middles - last) / after)
        return np.asarray(np.clip(share, 0.0, 1.0))

    share = np.maximum(along(x, mx, window[0], window[2])[None, :], along(y, my, window[1], window[3])[:, None])
    return np.asarray(share * share * (3.0 - 2.0 * share))


def cliff_columns(height: Floats, x: Floats, y: Floats, inside: Bools) -> int:
    """Columns of the study area whose ground rises to a neighbour more steeply than 45 degrees."""
    mx, my = 0.5 * (x[1:] + x[:-1]), 0.5 * (y[1:] + y[:-1])
    steep = np.zeros(height.shape, dtype=bool)
    steep[:, 1:] |= np.abs(np.diff(height, axis=1)) > CLIFF * np.diff(mx)[None, :]
    steep[1:] |= np.abs(np.diff(height, axis=0)) > CLIFF * np.diff(my)[:, None]
    return int((steep & inside).sum())
