"""Pipes and cables in space: the axis of each from its plan, its size and its cover, inverts or own heights.

    axis = ground - cover - outer diameter / 2

at every vertex, the cover linear between the two ends. Where an invert is given the pipe runs straight from end to
end, through invert + inner diameter / 2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo import terrain
from geo.model import Grid, Lines

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
Flags = NDArray[np.bool_]
LEAST_STEP = 10.0  # [m] between vertices added so that a pipe follows the ground
DEEPEST = 80.0  # [m] below the ground that an invert can lie
ABOVE = 1.0  # [m] an invert may lie above the ground (pipe bridges, embankments)
EQUAL = 0.005  # [m] within which two depths or two falls are the same


@dataclass(frozen=True)
class Course:
    """Lines in plan, vertex by vertex, elements in order.

    Attributes
    ----------
    points : (n, 3) float [local m]
        z as the file has it, NaN where it has none.
    offsets : (k + 1,) int
    line_element : (k,) int
    element : (n,) int
        Of each vertex, rising.
    share : (n,) float
        Place along its element in plan, 0 at its first and 1 at its last vertex.
    count : int
        Elements.
    """

    points: Floats
    offsets: Rows
    line_element: Rows
    element: Rows
    share: Floats
    count: int

    @property
    def first(self) -> Rows:
        """First vertex of each element; meaningless where `empty`."""
        return np.minimum(np.searchsorted(self.element, np.arange(self.count)), max(len(self.element) - 1, 0))

    @property
    def last(self) -> Rows:
        """Last vertex of each element; meaningless where `empty`."""
        return np.maximum(np.searchsorted(self.element, np.arange(self.count), side="right") - 1, 0)

    @property
    def empty(self) -> Flags:
        """Which elements have no line."""
        return np.bincount(self.element, minlength=self.count) == 0


def course_of(points: Floats, line: Rows, line_element: Rows, *, count: int, step: float = 0.0) -> Course:
    """Lines without repeated vertices and lines of no length, and with vertices at least every `step` metres.

    Parameters
    ----------
    points : (n, 3) float [local m]
    line : (n,) int
        Line of each vertex, rising.
    line_element : (k,) int
        Element of each line, rising.
    step : float [m]
        0: no vertices are added.
    """
    same = np.zeros(len(points), dtype=bool)
    flat = np.nan_to_num(points)
    same[1:] = (line[1:] == line[:-1]) & (flat[1:] == flat[:-1]).all(axis=1)
    points, line = points[~same], line[~same]
    number = np.bincount(line, minlength=len(line_element))
    alive = number > 1
    keep = alive[line]
    points, line = points[keep], (np.cumsum(alive) - 1)[line[keep]]
    line_element = line_element[alive]
    if step > 0:
        points, line = _densified(points, line, step)
    offsets = np.concatenate([[0], np.cumsum(np.bincount(line, minlength=len(line_element)))]).astype(np.int64)
    element = line_element[line]
    return Course(points, offsets, line_element, element, _shares(points, line, element, count), count)


def _densified(points: Floats, line: Rows, step: float) -> tuple[Floats, Rows]:
    """Vertices added on long segments, equally spaced."""
    leg = np.zeros(len(points))
    leg[:-1] = np.where(line[1:] == line[:-1], np.hypot(*np.diff(points[:, :2], axis=0).T), 0.0)
    pieces = np.maximum(np.ceil(leg / step - 1e-9).astype(np.int64), 1)
    if (pieces == 1).all():
        return points, line
    start = np.repeat(np.arange(len(points)), pieces)
    within = np.arange(len(start)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    share = (within / pieces[start])[:, None]
    following = points[np.minimum(start + 1, len(points) - 1)]
    moved = points[start] + share * (following - points[start])
    return np.where(share == 0, points[start], moved), line[start]


def _shares(points: Floats, line: Rows, element: Rows, count: int) -> Floats:
    leg = np.zeros(len(points))
    leg[1:] = np.where(line[1:] == line[:-1], np.hypot(*np.diff(points[:, :2], axis=0).T), 0.0)
    total = np.bincount(element, weights=leg, minlength=count)
    along = np.cumsum(leg)
    start = np.searchsorted(element, np.arange(count))
    before = np.concatenate([along, [0.0]])[start]
    length = total[element]
    return np.where(length > 0, (along - before[element]) / np.where(length > 0, length, 1.0), 0.0)


def own_heights(course: Course) -> Flags:
    """Which elements (count,) have heights of their own: all finite and not all 0."""
    z = course.points[:, 2]
    unknown = np.bincount(course.element, weights=~np.isfinite(z), minlength=course.count)
    other = np.bincount(course.element, weights=np.nan_to_num(z) != 0, minlength=course.count)
    return (unknown == 0) & (other > 0)


@dataclass(frozen=True)
class Ends:
    """Cover at the two ends of each element (n,) [m], and how many were turned by what (see `ordered_ends`)."""

    begin: Floats
    end: Floats
    by_fall: int = 0
    by_level: int = 0
    as_drawn: int = 0


def ordered_ends(least: Floats, greatest: Floats, ground: tuple[Floats, Floats], gravity: Flags) -> Ends:
    """Which end has the least and which the greatest cover.

    A gravity pipe falls in the direction it is drawn: the order that lets it fall, or falls more gently, wins. Another
    pipe lies as level as it can. Where both orders are alike the greatest cover is at the last vertex.

    Parameters
    ----------
    least, greatest : (n,) float [m]
        NaN where unknown; where only one is known it counts at both ends.
    ground : two of (n,) float [local m]
        At the first and the last vertex.
    gravity : (n,) bool
    """
    low, high = np.fmin(least, greatest), np.fmax(least, greatest)
    fall = ground[0] - ground[1]  # of the ground, along the line
    straight, turned = fall - low + high, fall - high + low  # of the pipe: last end deeper, first end deeper
    alike = ~(high - low > EQUAL)
    # On flat ground only the straight order falls; where both fall the turned one is always the gentler.
    is_turned = ~alike & np.where(gravity, turned >= 0, np.abs(turned) < np.abs(straight) - EQUAL)
    tie = ~alike & ~gravity & (np.abs(np.abs(turned) - np.abs(straight)) <= EQUAL)
    decided = ~alike & ~tie
    return Ends(
        np.where(is_turned, high, low),
        np.where(is_turned, low, high),
        by_fall=int((decided & gravity).sum()),
        by_level=int((decided & ~gravity).sum()),
        as_drawn=int(tie.sum()),
    )


@dataclass(frozen=True)
class Pipes:
    """Pipes in space.

    Attributes
    ----------
    lines : Lines
    cover : (count,) float [m]
        Mean over the length; NaN without a terrain below it.
    invert_up, invert_down : (count,) float [local m]
        As given, else NaN.
    off_ground : (count,) bool
        Whether the terrain does not reach all along.
    """

    lines: Lines
    cover: Floats
    invert_up: Floats
    invert_down: Floats
    off_ground: Flags


@dataclass(frozen=True)
class Depths:
    """What says how deep each element lies: covers at its ends [m], inverts [local m], and whether its own z counts."""

    cover_begin: Floats
    cover_end: Floats
    invert_begin: Floats
    invert_end: Floats
    own_z: Flags


def ground_along(course: Course, grid: Grid | None) -> tuple[Floats, Flags]:
    """Ground under every vertex (n,) [local m], and which elements (count,) reach beyond the terrain."""
    ground, real = terrain.ground_or_nearest(grid, course.points[:, 0], course.points[:, 1])
    beyond = np.bincount(course.element, weights=~real, minlength=course.count) > 0
    return ground, beyond


def place_pipes(
    course: Course, ground: Floats, depths: Depths, *, outer: Floats, inner: Floats, has_ground: bool, off: Flags
) -> Pipes:
    """The axis of every pipe.

    Parameters
    ----------
    ground : (n,) float [local m]
    outer, inner : (count,) float [m]
        Outer and inner height of the pipe's section, 0 where unknown.
    """
    element, share = course.element, course.share
    half = (outer / 2)[element]
    cover = depths.cover_begin[element] * (1 - share) + depths.cover_end[element] * share
    z = ground - cover - half
    by_invert = np.isfinite(depths.invert_begin) | np.isfinite(depths.invert_end)
    if by_invert.any() and len(z):
        begin = np.where(np.isfinite(depths.invert_begin), depths.invert_begin + inner / 2, z[course.first])
        end = np.where(np.isfinite(depths.invert_end), depths.invert_end + inner / 2, z[course.last])
        straight = begin[element] * (1 - share) + end[element] * share
        z = np.where(by_invert[element], straight, z)
    z = np.where(depths.own_z[element], course.points[:, 2], z)
    lines = Lines(
        np.column_stack([course.points[:, :2], z]),
        course.offsets.astype(np.int32),
        course.line_element.astype(np.int32),
    )
    if has_ground:
        mean = _mean(course, ground - z - half)
    else:
        mean = np.where(by_invert | depths.own_z, np.nan, (depths.cover_begin + depths.cover_end) / 2)
    return Pipes(lines, mean, depths.invert_begin, depths.invert_end, off)


def _mean(course: Course, values: Floats) -> Floats:
    """Mean of vertex values over the length of each element; NaN for one without lines."""
    leg = np.diff(course.share)
    inside = (np.diff(course.element) == 0) & (leg > 0)
    middle = (values[1:] + values[:-1]) / 2
    total = np.bincount(course.element[1:][inside], weights=(middle * leg)[inside], minlength=course.count)
    length = np.bincount(course.element[1:][inside], weights=leg[inside], minlength=course.count)
    return np.where(length > 0, total / np.where(length > 0, length, 1.0), np.nan)


def believable_inverts(invert: Floats, ground: Floats) -> Flags:
    """Which inverts (count,) can be heights of a pipe under that ground; NaN counts as believable."""
    return ~np.isfinite(invert) | ((invert < ground + ABOVE) & (invert > ground - DEEPEST))
