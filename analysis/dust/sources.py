"""Sources of dust on the cells of a grid: roads, sites, points. What falls into walls or outside is told, not lost.

Every source is spread over two cells at least: the second-order scheme undershoots beside sharper ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.dust.rules import RULES
from analysis.wind.domain import Axes
from analysis.wind.tunnel import AIR, GROUND, Tunnel
from geo.model import Issue, UserError
from resources import load_json

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

FINEST = 3  # samples along and across a cell
LEAST_WIDTH = 2.0  # cells
TOLD = 0.001  # share lost below which nothing is said


class Source(NamedTuple):
    """One source.

    Attributes
    ----------
    group, name : str
        Sources of a group are scaled together.
    points : (n, 2) float [local m]
        Samples that share the strength evenly.
    low, high : float [m above the ground]
    strength : float [ug/s]
    """

    group: str
    name: str
    points: Floats
    low: float
    high: float
    strength: float


class Emission(NamedTuple):
    """A group on the cells.

    Attributes
    ----------
    group : str
    cell : (m,) int64
        Flat numbers in (nz, ny, nx), rising, each once.
    strength : (m,) float [ug/s]
    lost : float [ug/s]
        In walls or outside the grid.
    beyond : float
        Part of what is lost that lies outside the grid, 0 to 1.
    """

    group: str
    cell: Indices
    strength: Floats
    lost: float
    beyond: float = 0.0

    def on(self, shape: tuple[int, int, int]) -> Floats:
        """(nz, ny, nx) [ug/s]."""
        out = np.zeros(int(np.prod(shape)))
        out[self.cell] = self.strength
        return out.reshape(shape)


def road_source(group: str, name: str, line: Floats, *, width: float, per_metre: float, cell: float) -> Source:
    """A road: its carriageway and `beside_m` on each side, up to `top_m`.

    Parameters
    ----------
    line : (n, 2 or 3) float [local m]
        Centre line.
    width : float [m]
        Of the carriageway.
    per_metre : float [ug/(s m)]
    cell : float [m]
        Of the grid.
    """
    zone = load_json(RULES)["road_zone"]
    broad = max(width + 2.0 * zone["beside_m"], LEAST_WIDTH * cell)
    points, length = _ribbon(np.asarray(line, dtype=np.float64)[:, :2], broad, cell / FINEST)
    return Source(group, name, points, 0.0, zone["top_m"], per_metre * length)


def area_source(group: str, name: str, triangles: Floats, *, per_area: float, cell: float) -> Source:
    """A site or a field: triangles (m, 3, 2 or 3) [local m] that emit `per_area` [ug/(s m2)], up to `top_m`."""
    flat = np.asarray(triangles, dtype=np.float64)[:, :, :2]
    (ax, ay), (bx, by) = (flat[:, 1] - flat[:, 0]).T, (flat[:, 2] - flat[:, 0]).T
    area = 0.5 * np.abs(ax * by - ay * bx)
    points = _over(flat, area, cell / FINEST)
    return Source(group, name, points, 0.0, load_json(RULES)["road_zone"]["top_m"], per_area * float(area.sum()))


def point_source(group: str, name: str, place: Floats, *, height: float, strength: float, cell: float) -> Source:
    """A chimney or an outlet `height` metres above the ground at `place` (2,) [local m], over 2 x 2 cells."""
    side = (np.arange(2 * FINEST) + 0.5) / (2 * FINEST) - 0.5
    across, along = np.meshgrid(side * LEAST_WIDTH * cell, side * LEAST_WIDTH * cell)
    points = np.asarray(place, dtype=np.float64)[:2] + np.column_stack([across.ravel(), along.ravel()])
    return Source(group, name, points, height, height, strength)


def _ribbon(line: Floats, broad: float, step: float) -> tuple[Floats, float]:
    """Samples over a band along a line, and the line's length."""
    leg = np.diff(line, axis=0)
    length = np.hypot(leg[:, 0], leg[:, 1])
    real = length > 0.0
    start, leg, length = line[:-1][real], leg[real], length[real]
    rows = max(int(np.ceil(broad / step)), 1)
    across = ((np.arange(rows) + 0.5) / rows - 0.5) * broad
    total = float(length.sum())
    if total == 0.0:
        return np.zeros((0, 2)), 0.0
    count = max(int(np.ceil(total / step)), 1)
    along = (np.arange(count) + 0.5) / count * total
    ends = np.cumsum(length)
    number = np.minimum(np.searchsorted(ends, along, side="left"), len(length) - 1)
    unit = leg[number] / length[number][:, None]
    middle = start[number] + unit * (along - (ends - length)[number])[:, None]
    normal = np.column_stack([-unit[:, 1], unit[:, 0]])
    return (middle[:, None, :] + across[None, :, None] * normal[:, None, :]).reshape(-1, 2), total


def _over(flat: Floats, area: Floats, step: float) -> Floats:
    """Samples evenly over triangles: as many in each as its area asks for."""
    total = float(area.sum())
    if total == 0.0:
        return np.zeros((0, 2))
    ends = np.cumsum(area)
    count = max(int(np.ceil(total / step**2)), 4)
    place = (np.arange(count) + 0.5) / count * total
    number = np.minimum(np.searchsorted(ends, place, side="left"), len(area) - 1)
    # Two low-discrepancy numbers a sample (plastic ratio, Roberts 2018), folded into the triangle.
    first, second = ((np.arange(count) + 0.5) * ratio % 1.0 for ratio in (0.7548776662466927, 0.5698402909980532))
    folded = first + second > 1.0
    first, second = np.where(folded, 1.0 - first, first), np.where(folded, 1.0 - second, second)
    corner = flat[number]
    return np.asarray(
        corner[:, 0] + first[:, None] * (corner[:, 1] - corner[:, 0]) + second[:, None] * (corner[:, 2] - corner[:, 0])
    )


def columns_of(points: Floats, tunnel: Tunnel) -> tuple[Indices, Indices, NDArray[np.bool_]]:
    """Column (ix, iy) of each scene position and whether it lies in the grid; numbers outside mean nothing."""
    local = Axes(tunnel.turn_deg, tunnel.pivot).to_tunnel(np.asarray(points, dtype=np.float64))
    ix = np.searchsorted(tunnel.x, local[:, 0], side="right") - 1
    iy = np.searchsorted(tunnel.y, local[:, 1], side="right") - 1
    inside = (ix >= 0) & (ix < len(tunnel.x) - 1) & (iy >= 0) & (iy < len(tunnel.y) - 1)
    return np.where(inside, ix, 0), np.where(inside, iy, 0), inside


def emissions(sources: Sequence[Source], tunnel: Tunnel, issues: list[Issue]) -> tuple[Emission, ...]:
    """The groups on the cells, in the order they first come. Raises `UserError`.

    A source without strength is left out and told; one below zero, and none at all, is refused.
    """
    for one in sources:
        _check(one)
    empty = [one.name for one in sources if one.strength == 0.0 or len(one.points) == 0]
    if empty:
        message = f"{len(empty)} sources emit nothing and were left out, such as {empty[0]}."
        issues.append(Issue("dust.no_strength", message, "doubt", len(empty), values={"source": empty[0]}))
    found = []
    for group in dict.fromkeys(one.group for one in sources):
        members = [one for one in sources if one.group == group and one.strength > 0.0 and len(one.points)]
        if members:
            found.append(_emission(group, members, tunnel))
    given = sum(float(one.strength.sum()) + one.lost for one in found)
    kept = sum(float(one.strength.sum()) for one in found)
    if kept == 0.0:
        raise _nothing(len(sources), given)
    _tell_lost(found, issues)
    return tuple(found)


def _emission(group: str, members: Sequence[Source], tunnel: Tunnel) -> Emission:
    cells, strengths, lost, beyond = [], [], 0.0, 0.0
    for one in members:
        cell, strength, inside = _spread(one, tunnel)
        cells.append(cell)
        strengths.append(strength)
        lost += one.strength - float(strength.sum())
        beyond += one.strength * (1.0 - inside)
    cell, number = np.unique(np.concatenate(cells), return_inverse=True)
    strength = np.bincount(number, np.concatenate(strengths), len(cell)).astype(np.float64)
    part = min(beyond / lost, 1.0) if lost > 0.0 else 0.0
    return Emission(group, cell.astype(np.int64), strength, max(lost, 0.0), part)


def _spread(one: Source, tunnel: Tunnel) -> tuple[Indices, Floats, float]:
    """Cells of a source, what each gets, and the share inside the grid; what is in walls or outside is missing."""
    nz, ny, nx = tunnel.shape
    ix, iy, inside = columns_of(one.points, tunnel)
    column, count = np.unique(iy[inside] * nx + ix[inside], return_counts=True)
    share = one.strength * count / len(one.points)
    solid = tunnel.solid.reshape(nz, -1)[:, column]
    # The ground is a step: heights count from the top of its highest cell in the column.
    ground = tunnel.z[np.argmin(solid == GROUND, axis=0)]
    if one.high > one.low:
        low = np.clip(tunnel.z[:-1, None] - ground, one.low, one.high)
        part = (np.clip(tunnel.z[1:, None] - ground, one.low, one.high) - low) / (one.high - one.low)
    else:
        above = ground + one.high
        part = ((tunnel.z[:-1, None] <= above) & (above < tunnel.z[1:, None])).astype(np.float64)
    part = np.where(solid == AIR, part, 0.0)
    layer, which = np.nonzero(part)
    cells = np.asarray(layer * (ny * nx) + column[which], dtype=np.int64)
    return cells, part[layer, which] * share[which], float(inside.mean())


def _check(one: Source) -> None:
    if np.isfinite(one.strength) and one.strength >= 0.0 and np.isfinite(one.points).all():
        return
    raise UserError(
        f"The source {one.name} cannot be used.",
        f"Its strength is {one.strength:g} micrograms per second, or it has no place; nothing takes dust out this way.",
        "Give it a strength above zero and a place.",
        code="dust.source.wrong",
        values={"source": one.name, "strength": f"{one.strength:g}"},
    )


def _nothing(count: int, given: float) -> UserError:
    return UserError(
        "No source emits into the air of this wind field.",
        f"All {count} sources lie inside buildings or outside the field, or emit nothing "
        f"(together {given:g} micrograms per second).",
        "Check the places and strengths of the sources, or calculate the wind around them.",
        code="dust.source.nothing",
        values={"count": count, "given": f"{given:g}"},
    )


def _tell_lost(found: Sequence[Emission], issues: list[Issue]) -> None:
    """What lies in walls is a doubt; what lies beyond the field belongs to a city that is larger than the study."""
    for one in found:
        total = float(one.strength.sum()) + one.lost
        walls, beyond = one.lost * (1.0 - one.beyond), one.lost * one.beyond
        if walls > TOLD * total:
            percent = round(100.0 * walls / total, 1)
            message = f"{percent} % of {one.group} lies inside buildings and was left out."
            values = {"group": one.group, "percent": percent, "lost": round(walls, 3)}
            issues.append(Issue("dust.source_lost", message, "doubt", values=values))
        if beyond > TOLD * total:
            percent = round(100.0 * beyond / total, 1)
            message = f"{percent} % of {one.group} lies outside the field and was left out."
            values = {"group": one.group, "percent": percent, "lost": round(beyond, 3)}
            issues.append(Issue("dust.source_beyond", message, "note", values=values))
