"""Which pipe a line of sight meets: exact distances to capsules around the axes, all near runs at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.view.lines import line_pairs, segments_near
from app.view.sky import shown_elements
from app.view.sweep import radii_of
from geo.model import Layer, Lines

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class PipeHit:
    """Where a ray meets a pipe.

    Attributes
    ----------
    distance : float [m]
        Along the ray; of a tunnel its far side, so that what runs in it comes first.
    line, element : int
        Line of the geometry and row of the table.
    """

    distance: float
    line: int
    element: int


def capsule_distances(origin: Vector, direction: Vector, start: Vector, stop: Vector, radius: Vector) -> Vector:
    """Distance (k, 2) along a ray to where it enters and leaves capsules; inf where it misses.

    Parameters
    ----------
    origin, direction : (3,)
        The direction has unit length.
    start, stop : (k, 3)
        Ends of the axes [m].
    radius : (k,) [m]

    Notes
    -----
    A capsule is convex: the ray enters it at the least of what it enters of cylinder and balls, and leaves at the
    greatest. The cylinder counts only between the planes of its ends.
    """
    enter = np.full(len(start), np.inf)
    leave = np.full(len(start), -np.inf)
    for centre in (start, stop):
        offset = origin - centre
        b = offset @ direction
        root = b * b - ((offset**2).sum(axis=1) - radius**2)
        met = root >= 0
        half = np.sqrt(np.where(met, root, 0.0))
        enter = np.where(met, np.minimum(enter, -b - half), enter)
        leave = np.where(met, np.maximum(leave, -b + half), leave)
    axis = stop - start
    length = np.linalg.norm(axis, axis=1)
    unit = axis / np.maximum(length, 1e-12)[:, None]
    offset = origin - start
    slide = unit @ direction
    across = direction - slide[:, None] * unit
    beside = offset - (offset * unit).sum(axis=1)[:, None] * unit
    a, b = (across**2).sum(axis=1), (across * beside).sum(axis=1)
    root = b * b - a * ((beside**2).sum(axis=1) - radius**2)
    met = (root >= 0) & (a > 1e-14) & (length > 1e-9)
    safe = np.where(met, a, 1.0)
    half = np.sqrt(np.where(met, root, 0.0))
    for sign, better in ((-1.0, np.minimum), (1.0, np.maximum)):
        place = (-b + sign * half) / safe
        height = (offset * unit).sum(axis=1) + place * slide
        inside = met & (height >= 0) & (height <= length)
        target = enter if sign < 0 else leave
        target[inside] = better(target[inside], place[inside])
    missed = (leave < 0) | (enter > leave)
    enter, leave = np.where(missed, np.inf, np.maximum(enter, 0.0)), np.where(missed, np.inf, leave)
    return np.stack([enter, leave], axis=1)


def pipe_hit(
    layer: Layer, origin: Vector, direction: Vector, *, pixel: float, reach: tuple[float, float], parallel: bool = False
) -> PipeHit | None:
    """The pipe of a layer that a ray meets first.

    Parameters
    ----------
    pixel : float [m]
        Width of a pixel at a distance of a metre, or everywhere where lines of sight are parallel.
    reach : (least, most) [pixels]
        Radius that a pipe is drawn with at least, and from its axis how far a click may miss where nothing is met.
    """
    lines = layer.geometry
    if not isinstance(lines, Lines) or len(lines.vertices) == 0:
        return None
    radius, half_width, half_height = radii_of(layer)
    spread = 0.0 if parallel else 2 * reach[1] * pixel
    margin = float(radius.max(initial=0.1)) + (reach[1] * pixel if parallel else 0.0)
    rows = segments_near(lines, origin, direction, spread=spread, margin=margin)
    pairs, owner = (part[rows] for part in line_pairs(lines))
    element = lines.line_element[owner]
    shown = shown_elements(layer)[element]
    pairs, owner, element = pairs[shown], owner[shown], element[shown]
    if len(pairs) == 0:
        return None
    start, stop = lines.vertices[pairs[:, 0]], lines.vertices[pairs[:, 1]]
    box = np.isfinite(half_width[element])
    size = np.where(box, np.fmin(half_width, half_height)[element], radius[element])
    depth = np.ones(len(start)) if parallel else _depths(origin, direction, start, stop)
    for least in reach:
        met = capsule_distances(origin, direction, start, stop, np.maximum(size, least * pixel * depth))
        place = np.where(box, met[:, 1], met[:, 0])
        best = int(np.argmin(place))
        if np.isfinite(place[best]):
            return PipeHit(float(place[best]), int(owner[best]), int(element[best]))
    return None


def _depths(origin: Vector, direction: Vector, start: Vector, stop: Vector) -> Vector:
    """Distance along a ray to where it comes nearest to each segment [m], not behind the eye."""
    axis = stop - start
    offset = start - origin
    a, b, c = (axis**2).sum(axis=1), axis @ direction, (axis * offset).sum(axis=1)
    e = offset @ direction
    bottom = a - b * b
    share = np.where(bottom > 1e-9, (b * e - c) / np.where(bottom > 1e-9, bottom, 1.0), 0.0)
    near = offset + np.clip(share, 0.0, 1.0)[:, None] * axis
    return np.asarray(np.maximum(near @ direction, 0.0))
