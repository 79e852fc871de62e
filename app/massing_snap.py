"""Headless. Where a corner of a footprint goes: to parcels, to angles of what is drawn, or where it is clicked."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.model import Layer, Lines, Mesh, unique_rows

Floats = NDArray[np.float64]
SnapKind = Literal["corner", "edge", "right", "parallel", "closing", "meeting"]
Heights = Callable[[float, float], float | None]
Pixels = Callable[[Floats], Floats]

CORNER_REACH, LINE_REACH = 12.0, 9.0  # [pixels] around a corner; beside a line
NEAR = 60.0  # [m] in plan: what lies further from the cursor is not looked at
SHORTEST = 0.05  # [m] an edge below this has no direction
SAME_WAY = math.sin(math.radians(3.0))  # lines that meet at less than this have no clear crossing
STRAIGHT = math.cos(math.radians(3.0))  # edges that turn by less than 3 degrees make no corner
FLAT = 1e-9


class Line(NamedTuple):
    """A line that a corner can be put on, without ends: a point of it, its direction, and what it is."""

    kind: SnapKind
    start: Floats
    along: Floats


@dataclass(frozen=True, eq=False)
class Snapped:
    """Where a corner goes.

    Attributes
    ----------
    point : (3,) float [local m]
    kind : str
        What it was put on; ``meeting`` where two lines cross.
    guides : (n, 2, 3) float [local m]
        Lines to be shown.
    """

    point: Floats
    kind: SnapKind
    guides: Floats


def plan_segments(layers: Iterable[Layer]) -> Floats:
    """Edges (n, 2, 2) [local m] in plan of the parcels among layers that are shown."""
    found = [_segments(layer) for layer in layers if layer.theme == "parcel" and layer.style.visible]
    edges = np.concatenate(found) if found else np.zeros((0, 2, 2))
    length = np.hypot(*(edges[:, 1] - edges[:, 0]).T)
    return np.asarray(edges[length > SHORTEST])


def _segments(layer: Layer) -> Floats:
    shape = layer.geometry
    if isinstance(shape, Lines):
        inside = np.ones(max(len(shape.vertices) - 1, 0), dtype=bool)
        inside[shape.offsets[1:-1] - 1] = False  # from the end of one line to the start of the next there is no edge
        ends = np.stack([shape.vertices[:-1, :2], shape.vertices[1:, :2]], axis=1)
        return np.asarray(ends[inside])
    if isinstance(shape, Mesh):
        return _outline_of(shape)
    return np.zeros((0, 2, 2))


def _outline_of(mesh: Mesh) -> Floats:
    """Edges that one triangle of an element has alone."""
    sides = np.concatenate([mesh.faces[:, [0, 1]], mesh.faces[:, [1, 2]], mesh.faces[:, [2, 0]]])
    owner = np.tile(mesh.face_element, 3)
    key = np.column_stack([owner, np.sort(sides, axis=1)])
    found = unique_rows(key)
    return np.asarray(mesh.vertices[sides[found.first[found.times == 1]]][:, :, :2])


class FootprintSnap:
    """Puts corners of a footprint where they are meant.

    Parameters
    ----------
    edges : (n, 2, 2) float [local m]
        Of parcels, in plan.
    heights : callable(x, y) -> float or None
        Of the ground [local m].
    pixels : callable((n, 3)) -> (n, 2)
        Where points of the scene are in the picture.
    """

    def __init__(self, edges: Floats, heights: Heights, pixels: Pixels) -> None:
        self._edges, self._heights, self._pixels = edges, heights, pixels

    def __call__(self, point: Floats, drawn: Floats, place: tuple[float, float]) -> Snapped | None:
        """Where a corner under the cursor goes; None where nothing is near.

        Parameters
        ----------
        point : (3,) float [local m]
            What lies under the cursor.
        drawn : (n, 3) float [local m]
            The corners so far.
        place : (x, y)
            The cursor [pixels].
        """
        cursor = np.asarray(place, dtype=np.float64)
        near = self._near(point)
        return self._corner(point, near, cursor) or self._line(point, drawn, near, cursor)

    def _near(self, point: Floats) -> Floats:
        low, high = self._edges.min(axis=1), self._edges.max(axis=1)
        about = ((low - NEAR <= point[:2]) & (point[:2] <= high + NEAR)).all(axis=1)
        return np.asarray(self._edges[about])

    def _raised(self, plan: Floats, level: float) -> Floats:
        """(n, 3) points on the ground, or at a level where it is not known."""
        heights = [self._heights(float(x), float(y)) for x, y in plan]
        return np.column_stack([plan, [level if height is None else height for height in heights]])

    def _apart(self, points: Floats, cursor: Floats) -> Floats:
        """Pixels from the cursor."""
        return np.asarray(np.hypot(*(self._pixels(points) - cursor).T))

    def _corner(self, point: Floats, near: Floats, cursor: Floats) -> Snapped | None:
        corners = corners_of(near)
        corners = corners[np.hypot(*(corners - point[:2]).T) <= NEAR]
        if len(corners) == 0:
            return None
        raised = self._raised(corners, float(point[2]))
        apart = self._apart(raised, cursor)
        best = int(np.argmin(apart))
        if apart[best] > CORNER_REACH:
            return None
        return Snapped(raised[best], "corner", np.zeros((0, 2, 3)))

    def _line(self, point: Floats, drawn: Floats, near: Floats, cursor: Floats) -> Snapped | None:
        """On the nearest line, or where the two nearest cross."""
        lines = [*lines_of(drawn, near), *_edge_lines(near, point)]
        if not lines:
            return None
        feet = self._raised(np.array([_foot(point[:2], line) for line in lines]), float(point[2]))
        apart = self._apart(feet, cursor)
        order = [int(k) for k in np.argsort(apart, kind="stable") if apart[k] <= LINE_REACH]
        if not order:
            return None
        first = order[0]
        for second in order[1:]:
            crossing = _crossing(lines[first], lines[second])
            if crossing is None:
                continue
            raised = self._raised(crossing[None], float(point[2]))
            if self._apart(raised, cursor)[0] <= CORNER_REACH:
                guides = [_guide(lines[k], raised[0]) for k in (first, second)]
                return Snapped(raised[0], "meeting", np.array(guides))
        return Snapped(feet[first], lines[first].kind, _guide(lines[first], feet[first])[None])


def corners_of(edges: Floats) -> Floats:
    """(n, 2) ends of edges (k, 2, 2) where something turns or ends; points along a straight line are none."""
    ends, _, place, count = unique_rows(np.round(edges.reshape(-1, 2), 6))
    way = edges[:, 1] - edges[:, 0]
    # Twice the angle: both senses of a line are one. All edges at an end run one way where the mean has length 1.
    turned = np.repeat(np.exp(2j * np.arctan2(way[:, 1], way[:, 0])), 2)
    total = np.bincount(place, weights=turned.real, minlength=len(ends)) + 1j * np.bincount(
        place, weights=turned.imag, minlength=len(ends)
    )
    return np.asarray(ends[(count == 1) | (np.abs(total) < count * STRAIGHT)])


def lines_of(drawn: Floats, near: Floats) -> list[Line]:
    """Lines that follow from the corners so far: parallel and square to the last edge, and square to the first.

    While there is one corner only, the parcel edges `near` (n, 2, 2) that it lies on give the directions.
    """
    if len(drawn) == 0:
        return []
    last = drawn[-1, :2]
    ways = _directions(drawn, near)
    out = [line for way in ways for line in (Line("parallel", last, way), Line("right", last, _left(way)))]
    if len(drawn) > 1:
        first = drawn[1, :2] - drawn[0, :2]
        if np.hypot(*first) > SHORTEST:
            out.append(Line("closing", drawn[0, :2], _left(first / np.hypot(*first))))
    return out


def _directions(drawn: Floats, near: Floats) -> list[Floats]:
    if len(drawn) > 1:
        edge = drawn[-1, :2] - drawn[-2, :2]
        return [edge / np.hypot(*edge)] if np.hypot(*edge) > SHORTEST else []
    out: list[Floats] = []
    for start, stop in near:
        length = float(np.hypot(*(stop - start)))
        way = (stop - start) / length
        along = float(np.clip((drawn[0, :2] - start) @ way, 0.0, length))
        if np.hypot(*(start + along * way - drawn[0, :2])) <= SHORTEST:
            out.append(way)
    return out


def _edge_lines(near: Floats, point: Floats) -> list[Line]:
    """Parcel edges beside which the point lies, not before or behind them; the nearest ones."""
    if len(near) == 0:
        return []
    along = near[:, 1] - near[:, 0]
    length = np.hypot(*along.T)
    way = along / length[:, None]
    about = point[:2] - near[:, 0]
    share = (about * way).sum(axis=1)
    beside = np.abs(about[:, 0] * way[:, 1] - about[:, 1] * way[:, 0])
    good = np.flatnonzero((share >= 0.0) & (share <= length))
    return [Line("edge", near[k, 0], way[k]) for k in good[np.argsort(beside[good])][:4]]


def _left(way: Floats) -> Floats:
    return np.array([-way[1], way[0]])


def _foot(point: Floats, line: Line) -> Floats:
    return np.asarray(line.start + float((point - line.start) @ line.along) * line.along)


def _crossing(one: Line, other: Line) -> Floats | None:
    across = float(one.along[0] * other.along[1] - one.along[1] * other.along[0])
    if abs(across) < SAME_WAY:
        return None
    gap = other.start - one.start
    return np.asarray(one.start + (gap[0] * other.along[1] - gap[1] * other.along[0]) / across * one.along)


def _guide(line: Line, point: Floats) -> Floats:
    """(2, 3) from where the line begins to the corner, both at the height of the corner."""
    return np.array([[*line.start, point[2]], point])


def at_length(start: Floats, toward: Floats, length: float) -> Floats | None:
    """(3,) point at a length in plan from a point toward another; None where they are one."""
    way = toward[:2] - start[:2]
    apart = float(np.hypot(*way))
    if apart < FLAT:
        return None
    return np.array([*(start[:2] + way / apart * length), start[2]])
