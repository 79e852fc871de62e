"""Does new data lie on what the project holds? Measures a shift of outlines and a difference of heights.

A wrong datum moves data by 70 to 400 m, which no extent can show; the outlines of the same buildings or roads can.
The shift is found by correlating rasters of both outlines over all lags at once (Fourier transform), then refined by
nearest neighbours (Besl and McKay 1992, translation only). It counts only if the outlines then really coincide, much
better than before and than at any other lag: rows of equal blocks repeat, and a repeat must not pass for a proof.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.model import Geometry, Grid, Instances, Layer, Lines, Mesh, Points
from geo.validity import welded

Floats = NDArray[np.float64]
COMPARED = ("building", "road", "rail", "water", "parcel")  # themes whose outlines are drawn from the same things
REACH_M = 600.0
CELL_M = 2.0
SPACING_M = 1.0
WINDOW_M = 2_500.0
MATCH_M = 2.0
LEAST_POINTS = 300  # metres of outline: a handful of houses; less fits somewhere by chance
LEAST_SHARE = 0.35  # of the new outlines that must lie on old ones after the shift
LEAST_GAIN = 0.2
MOST_RIVAL = 0.85  # score of the second best lag over that of the best
CREASE = math.cos(math.radians(25.0))
MOST_FACES = 400_000
SOME = 100_000
MATCHED_POINTS = 20_000
MOST_POINTS = 2_000_000
HEIGHT_CELL_M = 5.0


@dataclass(frozen=True)
class Shift:
    """Where new outlines lie against those of the project.

    Attributes
    ----------
    east, north : float [m]
        New minus old; subtract it to repair.
    share, share_before : float
        Of the new outlines within `MATCH_M` of old ones, after and before subtracting the shift.
    rival : float
        Score of the best lag elsewhere over that of the best, 0 to 1.
    """

    east: float
    north: float
    share: float
    share_before: float
    rival: float

    @property
    def is_proven(self) -> bool:
        """Whether the outlines coincide after the shift, clearly better than before and than elsewhere."""
        return (
            self.share >= LEAST_SHARE
            and self.share - self.share_before >= LEAST_GAIN
            and self.rival <= MOST_RIVAL
            and math.hypot(self.east, self.north) > MATCH_M
        )


def shift_between(new: Sequence[Layer], old: Sequence[Layer]) -> Shift | None:
    """Shift of the outlines of `new` layers against `old` ones of the same theme; None without enough of both."""
    best: Shift | None = None
    for theme in COMPARED:
        if not any(layer.theme == theme for layer in old):
            continue
        mine, theirs = _outlines(new, theme, _window(new, old, theme)), np.zeros((0, 2))
        if len(mine) >= LEAST_POINTS:
            theirs = _outlines(old, theme, np.array([mine.min(axis=0) - REACH_M, mine.max(axis=0) + REACH_M]))
        found = outline_shift(mine, theirs)
        if found is not None and (best is None or found.share > best.share):
            best = found
    return best


def outline_shift(new: Floats, old: Floats) -> Shift | None:
    """Shift of points (n, 2) on outlines against points (m, 2) on outlines [local m], about `SPACING_M` apart."""
    new, old = _common(new, old)
    if len(new) < LEAST_POINTS or len(old) < LEAST_POINTS:
        return None
    lag, rival = _best_lag(new, old)
    return _refined(new, old, lag, rival)


def _common(new: Floats, old: Floats) -> tuple[Floats, Floats]:
    """Both cut to a window of `WINDOW_M` where the new points have old ones within reach."""
    if len(new) == 0 or len(old) == 0:
        return new, old
    low, high = old.min(axis=0) - REACH_M, old.max(axis=0) + REACH_M
    new = new[((new >= low) & (new <= high)).all(axis=1)]
    if len(new) == 0:
        return new, old
    centre = np.median(new, axis=0)
    new = new[(np.abs(new - centre) <= WINDOW_M / 2).all(axis=1)]
    return new, old[(np.abs(old - centre) <= WINDOW_M / 2 + REACH_M).all(axis=1)]


def _best_lag(new: Floats, old: Floats) -> tuple[Floats, float]:
    """Lag (2,) [m] to add to the new points, and the score of the best one elsewhere over its own."""
    low = np.minimum(new.min(axis=0), old.min(axis=0))
    size = np.ceil((np.maximum(new.max(axis=0), old.max(axis=0)) - low) / CELL_M).astype(int) + 1
    reach = int(REACH_M / CELL_M)
    shape = tuple(int(n) + reach for n in size[::-1])
    rasters = []
    for points in (new, old):
        index = np.floor((points - low) / CELL_M).astype(int)
        raster = np.zeros(shape)
        raster[index[:, 1], index[:, 0]] = 1.0
        rasters.append(raster)
    # One cell of blur, so that a lag between two cells does not fall through.
    old_wide = _blurred(rasters[1])
    product = np.fft.irfft2(np.fft.rfft2(old_wide) * np.conj(np.fft.rfft2(rasters[0])), s=shape)
    lags = np.arange(-reach, reach + 1)
    score = product[np.ix_(lags % shape[0], lags % shape[1])]
    row, col = np.unravel_index(int(np.argmax(score)), score.shape)
    best = float(score[row, col])
    level = float(np.median(score))
    near = 8
    rest = score.copy()
    rest[max(row - near, 0) : row + near + 1, max(col - near, 0) : col + near + 1] = -np.inf
    rival = (float(rest.max()) - level) / max(best - level, 1e-9)
    return np.array([lags[col], lags[row]]) * CELL_M, float(np.clip(rival, 0.0, 1.0))


def _blurred(raster: Floats) -> Floats:
    from scipy import ndimage

    return np.asarray(ndimage.maximum_filter(raster, size=3), dtype=np.float64)


def _refined(new: Floats, old: Floats, lag: Floats, rival: float) -> Shift:
    """The lag to a fraction of a cell, and how well the outlines coincide."""
    from scipy.spatial import cKDTree

    tree = cKDTree(old)
    new = new[:: max(1, len(new) // MATCHED_POINTS)]
    for limit in (6.0, 4.0, 3.0, 2.0, 2.0, 1.5, 1.5, 1.5):
        distance, nearest = tree.query(new + lag, distance_upper_bound=limit)
        hit = np.isfinite(distance)
        if hit.sum() < LEAST_POINTS // 2:
            break
        lag = lag + np.mean(old[nearest[hit]] - (new[hit] + lag), axis=0)
    share = float(np.isfinite(tree.query(new + lag, distance_upper_bound=MATCH_M)[0]).mean())
    before = float(np.isfinite(tree.query(new, distance_upper_bound=MATCH_M)[0]).mean())
    return Shift(-float(lag[0]), -float(lag[1]), share, before, rival)


# ---- outlines -----------------------------------------------------------------------------------------------------


def _window(new: Sequence[Layer], old: Sequence[Layer], theme: str) -> Floats:
    """Low and high corner (2, 2) of where to compare: the middle of the new data that have old ones within reach."""
    mine, theirs = _some_vertices(new, theme), _some_vertices(old, theme)
    if len(mine) == 0 or len(theirs) == 0:
        return np.zeros((2, 2))
    low, high = theirs.min(axis=0) - REACH_M, theirs.max(axis=0) + REACH_M
    mine = mine[((mine >= low) & (mine <= high)).all(axis=1)]
    if len(mine) == 0:
        return np.zeros((2, 2))
    centre = np.median(mine, axis=0)
    return np.array([centre - WINDOW_M / 2, centre + WINDOW_M / 2])


def _some_vertices(layers: Sequence[Layer], theme: str) -> Floats:
    """At most about `SOME` vertices of each layer of a theme, (n, 2)."""
    shapes = [layer.geometry for layer in layers if layer.theme == theme and isinstance(layer.geometry, Mesh | Lines)]
    pieces = [shape.vertices[:: max(1, len(shape.vertices) // SOME), :2] for shape in shapes]
    return np.concatenate(pieces) if pieces else np.zeros((0, 2))


def _outlines(layers: Sequence[Layer], theme: str, region: Floats) -> Floats:
    """Points along the outlines of a theme's layers, (n, 2), within a region given by two corners."""
    pieces = [
        outline_points(layer.geometry, region)
        for layer in layers
        if layer.theme == theme and layer.geometry is not None
    ]
    points = np.concatenate(pieces) if pieces else np.zeros((0, 2))
    if len(points):
        points = points[((points >= region[0]) & (points <= region[1])).all(axis=1)]
    return points


def outline_points(geometry: Geometry, region: Floats | None = None) -> Floats:
    """Points (n, 2) about `SPACING_M` apart along lines, or along the edges one sees of a mesh from above.

    region : (2, 2) low and high corner outside which faces need not be looked at, or None.
    """
    if isinstance(geometry, Lines):
        inner = np.ones(max(len(geometry.vertices) - 1, 0), dtype=bool)
        ends = geometry.offsets[1:-1]
        inner[ends[(ends > 0) & (ends < len(geometry.vertices))] - 1] = False
        start = np.flatnonzero(inner)
        return _sampled(geometry.vertices[start, :2], geometry.vertices[start + 1, :2])
    if isinstance(geometry, Mesh) and len(geometry.faces):
        edges, vertices = _seen_edges(geometry, region)
        return _sampled(vertices[edges[:, 0], :2], vertices[edges[:, 1], :2])
    return np.zeros((0, 2))


def _seen_edges(mesh: Mesh, region: Floats | None) -> tuple[NDArray[np.int64], Floats]:
    """Edges of one face only or between faces at an angle, (k, 2), and the vertices they index."""
    kept = np.arange(len(mesh.faces))
    if region is not None:
        inside = ((mesh.vertices[:, :2] >= region[0]) & (mesh.vertices[:, :2] <= region[1])).all(axis=1)
        kept = np.flatnonzero(inside[mesh.faces].any(axis=1))
    kept = kept[:MOST_FACES]
    faces = mesh.faces[kept]
    points = mesh.vertices[faces.ravel()]
    used, inverse = welded(points)
    corner = inverse.reshape(-1, 3)
    edges = np.sort(corner[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    face = np.repeat(np.arange(len(faces)), 3)
    normals = Mesh(mesh.vertices, faces, np.zeros(len(faces), np.int32)).face_normal
    key = edges[:, 0] * len(used) + edges[:, 1]
    order = np.argsort(key, kind="stable")
    key, edges, normal = key[order], edges[order], normals[face[order]]
    first = np.flatnonzero(np.r_[True, key[1:] != key[:-1]]) if len(key) else np.zeros(0, dtype=np.int64)
    count = np.diff(np.r_[first, len(key)])
    second = np.minimum(first + 1, len(key) - 1)
    flat = (count == 2) & ((normal[first] * normal[second]).sum(axis=1) > CREASE)
    return edges[first[~flat]], points[used]


def _sampled(start: Floats, end: Floats) -> Floats:
    """Points along segments, (n, 2); very short ones (upright edges seen from above) give none."""
    length = np.linalg.norm(end - start, axis=1)
    keep = (length > 0.3) & np.isfinite(length)
    start, end, length = start[keep], end[keep], length[keep]
    count = np.ceil(length / SPACING_M).astype(int)
    which = np.repeat(np.arange(len(count)), count)
    rank = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
    part = ((rank + 0.5) / count[which])[:, None] if len(which) else np.zeros((0, 1))
    return np.asarray(start[which] + part * (end - start)[which], dtype=np.float64)


# ---- heights --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class HeightDifference:
    """How high data stand above a terrain: median and spread (1.4826 x median absolute deviation) [m], of `count`."""

    median: float
    spread: float
    count: int


def height_above(layers: Sequence[Layer], terrain: Grid) -> HeightDifference | None:
    """Height of building bases, points, lines or another terrain above a terrain; None without common ground."""
    pieces = [_feet(layer) for layer in layers if layer.theme not in ("bim", "space", "utility", "result")]
    feet = np.concatenate(pieces) if pieces else np.zeros((0, 3))
    above = feet[:, 2] - terrain.sample(feet[:, 0], feet[:, 1])
    above = above[np.isfinite(above)]
    if len(above) == 0:
        return None
    median = float(np.median(above))
    return HeightDifference(median, 1.4826 * float(np.median(np.abs(above - median))), len(above))


def _feet(layer: Layer) -> Floats:
    """Points (n, 3) where the layer's content should touch the ground."""
    geometry = layer.geometry
    if isinstance(geometry, Mesh) and len(geometry.faces):
        return _lowest(geometry)
    if isinstance(geometry, Points):
        step = max(1, len(geometry.vertices) // MOST_POINTS)
        return _lowest_of_cells(geometry.vertices[::step])
    if isinstance(geometry, Lines):
        return geometry.vertices
    if isinstance(geometry, Instances):
        return np.asarray(geometry.transform[:, :, 3])
    if isinstance(geometry, Grid) and layer.kind == "terrain":
        step = max(1, int(max(geometry.values.shape) / 200))
        x, y = np.meshgrid(geometry.x[::step], geometry.y[::step])
        return np.stack([x.ravel(), y.ravel(), geometry.values[::step, ::step].ravel()], axis=1)
    return np.zeros((0, 3))


def _lowest(mesh: Mesh) -> Floats:
    """Middle of each element at its lowest height, (k, 3)."""
    element = np.repeat(mesh.face_element, 3)
    points = mesh.vertices[mesh.faces.ravel()]
    count = int(element.max()) + 1
    weight = np.bincount(element, minlength=count)
    middle = np.stack([np.bincount(element, points[:, k], count) / np.maximum(weight, 1) for k in (0, 1)], axis=1)
    lowest = np.full(count, np.inf)
    np.minimum.at(lowest, element, points[:, 2])
    return np.column_stack([middle, lowest])[weight > 0]


def _lowest_of_cells(points: Floats) -> Floats:
    """Lowest point of every square of `HEIGHT_CELL_M`, (k, 3): mostly ground, wherever any is seen."""
    if len(points) == 0:
        return points
    cell = np.floor(points[:, :2] / HEIGHT_CELL_M).astype(np.int64)
    order = np.lexsort((points[:, 2], cell[:, 1], cell[:, 0]))
    changed = np.r_[True, (np.diff(cell[order], axis=0) != 0).any(axis=1)]
    return np.asarray(points[order[changed]])
