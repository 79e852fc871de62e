"""Rooms that run into one another: floors that touch at one level without a wall between."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.indoor.cells import Cell, CellFinder
from geo.indoor.network import Passage, Side

Floats = NDArray[np.float64]

TOUCHING = 0.05  # [m] between floors
LONG_ENOUGH = 0.8  # [m] of common outline
SAME_LEVEL = 0.25  # [m]
TALL_ENOUGH = 1.9  # [m] of common height
STANDING = 0.3  # [m] inside a room from its outline


def touching_passages(finder: CellFinder, joined: set[tuple[int, int]]) -> list[Passage]:
    """Open sides between floors that touch at the same level, but for pairs joined already."""
    found = []
    cells, low, high = finder.cells, finder.low, finder.high
    first, second = finder.near(TOUCHING)
    level = np.abs(low[first] - low[second]) <= SAME_LEVEL
    level &= np.minimum(high[first], high[second]) - np.maximum(low[first], low[second]) >= TALL_ENOUGH
    first, second = first[level], second[level]
    touch = shapely.dwithin(finder.floors[first], finder.floors[second], TOUCHING)
    for i, j in zip(first[touch].tolist(), second[touch].tolist(), strict=True):
        if (i, j) in joined:
            continue
        passage = passage_between(cells, i, j, f"{cells[i].id}|{cells[j].id}", derived=True, least=LONG_ENOUGH)
        if passage is not None:
            found.append(passage)
    return found


def passage_between(cells: Sequence[Cell], i: int, j: int, name: str, *, derived: bool, least: float) -> Passage | None:
    """The passage through the longest straight part that two floors have in common, if it is long enough."""
    a, b = cells[i], cells[j]
    line = common_outline(a, b)
    if line is None or np.linalg.norm(line[1] - line[0]) < max(least, 1e-3):
        if least > 0:
            return None
        line = _nearest(a, b)
    middle = line.mean(axis=0)
    z = max(a.low, b.low)
    width = float(np.linalg.norm(line[1] - line[0]))
    sides = tuple(Side(k, np.array([*_into(cells[k], middle, line), cells[k].low])) for k in (i, j))
    title = f"{a.label} - {b.label}"
    centre = np.array([middle[0], middle[1], z])
    return Passage(name, title, "opening", centre, sides, width if width > 0.05 else np.nan, derived, a.storey)


def common_outline(a: Cell, b: Cell) -> Floats | None:
    """Ends (2, 2) of the longest straight part of one floor's outline that runs along the other's."""
    shared = shapely.intersection(a.floor.boundary, b.floor.buffer(TOUCHING, cap_style="flat", join_style="mitre"))
    merged = shapely.line_merge(shared) if shared.geom_type == "MultiLineString" else shared
    best: Floats | None = None
    for part in shapely.get_parts(merged):
        coordinates = shapely.get_coordinates(part)
        for start, end in zip(coordinates[:-1], coordinates[1:], strict=True):
            if best is None or np.linalg.norm(end - start) > np.linalg.norm(best[1] - best[0]) + 1e-9:
                best = np.stack([start, end])
    return best


def _nearest(a: Cell, b: Cell) -> Floats:
    return np.asarray(shapely.get_coordinates(shapely.shortest_line(a.floor, b.floor)))


def _into(cell: Cell, middle: Floats, line: Floats) -> Floats:
    """A point a step inside a room from the middle of its open side."""
    along = line[1] - line[0]
    size = float(np.hypot(*along))
    if size > 1e-6:
        across = np.array([-along[1], along[0]]) / size
        for sign in (1.0, -1.0):
            point = middle + sign * STANDING * across
            if cell.floor.contains(shapely.Point(point)):
                return np.asarray(point)
    nearest = shapely.get_coordinates(shapely.shortest_line(cell.floor, shapely.Point(middle)))
    return np.asarray(nearest[0])
