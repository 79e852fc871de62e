"""How high a building may be at a distance: cells with a plane each, and what of a building lies above them.

A rule says for every distance how high a part may be, in bands of distance with a straight line each. A strip of a plot
and a band make a cell: a convex area over which the greatest height is a plane. All of it is exact: triangles are cut
at the edges of the cells, and as distance and height are linear on a piece, its corners have the extremes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.sunlight_setback.ahead import Strip
from analysis.sunlight_setback.cutting import cut, cut_area

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

FAR = 1e5  # [m] further than any boundary
LEAST = 1e-6  # [m2] of a cell
TIE = 1e-9  # of a height [m]: decides between places that lack the same
PAIRS = 4_000_000  # tests of boxes at a time


class Band(NamedTuple):
    """Between the distances `near` and `far` [m] a part may be ``rise * distance + base`` high [m].

    `closed`: nothing may stand there at all.
    """

    near: float
    far: float
    rise: float
    base: float
    closed: bool = False


class Cell(NamedTuple):
    """A convex area (n, 2) counter-clockwise in turned coordinates, and its plane ``z = a x + b y + c``."""

    area: Floats
    plane: tuple[float, float, float]
    strip: int
    closed: bool


class Place(NamedTuple):
    """Where a building comes nearest to breaking a rule in a strip.

    Attributes
    ----------
    body, strip : int
    shortage : float [m]
        Distance that lacks; negative where there is more than is asked for.
    measured, required, height : float [m]
    too_high : float [m]
        By how much the part rises above what is allowed at its distance.
    point : (3,) float
        In turned coordinates.
    """

    body: int
    strip: int
    shortage: float
    measured: float
    required: float
    height: float
    too_high: float
    point: Floats


def north_bands(low_height: float, low_distance: float, height_factor: float) -> tuple[Band, ...]:
    """The setback from the north: a fixed distance for low parts, a share of the height for higher ones.

    Parameters
    ----------
    low_height, low_distance : float [m]
    height_factor : float
        Distance per height of the parts above `low_height`.
    """
    turn = max(low_distance, height_factor * low_height)
    bands = [Band(-FAR, low_distance, 0.0, 0.0, closed=True)]
    if turn > low_distance:
        bands.append(Band(low_distance, turn, 0.0, low_height))
    return (*bands, Band(turn, FAR, 1.0 / height_factor, 0.0))


def slope_bands(factor: float) -> tuple[Band, ...]:
    """Height up to `factor` times the distance."""
    return (Band(-FAR, FAR, factor, 0.0),)


def cells_of(
    strips: Sequence[Strip], bands: Sequence[Band], levels: Sequence[float], floor: float
) -> tuple[list[Cell], Floats]:
    """All cells, and the limit line of each as (n, 2) slope and height.

    Parameters
    ----------
    levels : sequence of float [local m]
        Height of the ground that heights in a strip count from.
    floor : float [local m]
        Below it nothing counts as built.
    """
    cells, lines = [], []
    for number, (strip, level) in enumerate(zip(strips, levels, strict=True)):
        corners = [
            (x, line[0] * x + line[1])
            for line, ends in ((strip.bottom, (strip.x0, strip.x1)), (strip.top, (strip.x1, strip.x0)))
            for x in ends
        ]
        slope, height = strip.limit
        for band in bands:
            area = cut_area(np.array(corners), (slope, -1.0, height - band.near))
            area = cut_area(area, (-slope, 1.0, band.far - height))
            if len(area) < 3 or _area(area) < LEAST:
                continue
            plane = (band.rise * slope, -band.rise, level + band.base + band.rise * height)
            cells.append(Cell(area, (0.0, 0.0, floor) if band.closed else plane, number, band.closed))
            lines.append(strip.limit)
    return cells, np.array(lines).reshape(-1, 2)


def _area(area: Floats) -> float:
    x, y = area.T
    return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2)


class Pieces(NamedTuple):
    """Triangles of buildings cut at the cells: (m, 3, 3), body and cell of each."""

    triangles: Floats
    body: Indices
    cell: Indices


def pieces_over(triangles: Floats, body: Indices, cells: Sequence[Cell], floor: float) -> Pieces:
    """The parts of triangles (n, 3, 3) over each cell and above the floor, in turned coordinates."""
    if len(triangles) == 0 or not cells:
        return Pieces(np.zeros((0, 3, 3)), np.zeros(0, np.int64), np.zeros(0, np.int64))
    row, cell = _overlapping(triangles, cells, floor)
    parts, body = triangles[row], body[row]
    longest = max(len(c.area) for c in cells)
    for edge in range(longest):
        planes = np.tile([0.0, 0.0, 0.0, 1.0], (len(cells), 1))
        for number, c in enumerate(cells):
            if edge < len(c.area):
                planes[number] = _inward(c.area, edge)
        parts, origin = cut(parts, planes[cell])
        body, cell = body[origin], cell[origin]
    parts, origin = cut(parts, np.tile([0.0, 0.0, 1.0, -floor], (len(parts), 1)))
    return Pieces(parts, body[origin], cell[origin])


def _overlapping(triangles: Floats, cells: Sequence[Cell], floor: float) -> tuple[Indices, Indices]:
    """Pairs of triangles and cells whose boxes meet."""
    low, high = triangles[:, :, :2].min(axis=1), triangles[:, :, :2].max(axis=1)
    alive = np.flatnonzero(triangles[:, :, 2].max(axis=1) > floor)
    box = np.array([[*c.area.min(axis=0), *c.area.max(axis=0)] for c in cells])
    rows, found = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    step = max(1, PAIRS // len(cells))
    for start in range(0, len(alive), step):
        part = alive[start : start + step]
        meets = (low[part, None, 0] <= box[:, 2]) & (high[part, None, 0] >= box[:, 0])
        meets &= (low[part, None, 1] <= box[:, 3]) & (high[part, None, 1] >= box[:, 1])
        row, cell = np.nonzero(meets)
        rows.append(part[row])
        found.append(cell)
    return np.concatenate(rows), np.concatenate(found)


def _inward(area: Floats, edge: int) -> tuple[float, float, float, float]:
    a, b = area[edge], area[(edge + 1) % len(area)]
    along = (b - a) / max(float(np.hypot(*(b - a))), 1e-12)
    normal = np.array([-along[1], along[0]])
    return float(normal[0]), float(normal[1]), 0.0, float(-normal @ a)


def worst_places(
    pieces: Pieces,
    cells: Sequence[Cell],
    lines: Floats,
    levels: Sequence[float],
    *,
    needed: Callable[[Floats], Floats],
    group: Sequence[int],
) -> list[Place]:
    """For each body and group of strips the place with the greatest shortage.

    Parameters
    ----------
    needed : callable
        Distance [m] asked for a part of a height [m].
    group : sequence of int
        Group of each strip.
    """
    if len(pieces.cell) == 0:
        return []
    strip = np.array([c.strip for c in cells])[pieces.cell]
    x, y, z = np.moveaxis(pieces.triangles, 2, 0)
    line = lines[pieces.cell]
    distance = line[:, :1] * x + line[:, 1:] - y
    height = z - np.asarray(levels)[strip][:, None]
    required = needed(height)
    shortage = required - distance
    plane = np.array([c.plane for c in cells])[pieces.cell]
    allowed = plane[:, :1] * x + plane[:, 1:2] * y + plane[:, 2:]
    member = np.asarray(group)[strip]
    return _most(pieces, shortage, (distance, required, height, z - allowed), member, strip)


def _most(
    pieces: Pieces, shortage: Floats, said: tuple[Floats, Floats, Floats, Floats], member: Indices, strip: Indices
) -> list[Place]:
    # Where all corners lack the same, as along the wall of a low part, the highest speaks for them.
    corner = (np.round(shortage, 6) + TIE * said[2]).argmax(axis=1)
    row = np.arange(len(corner))
    most = shortage[row, corner]
    high = said[3].max(axis=1)
    order = np.lexsort((-np.round(most, 6) - TIE * said[2][row, corner], member, pieces.body))
    key = np.column_stack([pieces.body[order], member[order]])
    first = np.flatnonzero(np.concatenate([[True], (np.diff(key, axis=0) != 0).any(axis=1)]))
    highest = np.maximum.reduceat(high[order], first)
    places = []
    for number, here in enumerate(order[first]):
        c = corner[here]
        measured, required, height = (float(values[here, c]) for values in said[:3])
        point = pieces.triangles[here, c]
        found = (float(most[here]), measured, required, height, float(highest[number]))
        places.append(Place(int(pieces.body[here]), int(strip[here]), *found, point))
    return places


def beyond(pieces: Pieces, cells: Sequence[Cell]) -> Pieces:
    """What of the pieces lies above the planes of their cells."""
    if len(pieces.cell) == 0:
        return pieces
    plane = np.array([c.plane for c in cells])[pieces.cell]
    half_space = np.column_stack([-plane[:, :2], np.ones(len(plane)), -plane[:, 2]])
    parts, origin = cut(pieces.triangles, half_space)
    large = np.linalg.norm(np.cross(parts[:, 1] - parts[:, 0], parts[:, 2] - parts[:, 0]), axis=1) > LEAST
    return Pieces(parts[large], pieces.body[origin][large], pieces.cell[origin][large])
