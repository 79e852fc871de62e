"""Where stations of air quality stand, and what a field of dust is at their places."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.dust.columns import numbers_of
from analysis.dust.people import REACH, breathing_cells
from analysis.dust.readings import some
from analysis.wind.domain import Axes
from analysis.wind.tunnel import Tunnel
from geo.model import Issue, Layer, Points, UserError
from geo.model import conventions as words

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

HEIGHT = "height"  # [m] of the inlet above the ground, a column of stations


class Posts(NamedTuple):
    """Stations at known places.

    Attributes
    ----------
    name : tuple of str
    point : (k, 3) float [local m]
        As drawn; its height is that of the foot or of the inlet.
    height : (k,) float [m]
        Of the inlet above the ground; NaN unknown.
    """

    name: tuple[str, ...]
    point: Floats
    height: Floats

    def only(self, rows: Sequence[int]) -> Posts:
        """Some of them."""
        kept = list(rows)
        return Posts(tuple(self.name[k] for k in kept), self.point[kept], self.height[kept])


class Sampling(NamedTuple):
    """What each station takes of the cells: up to four around its place, at its height.

    Attributes
    ----------
    cell : (k, 4) int64
        Flat numbers in (nz, ny, nx).
    weight : (k, 4) float
        Rows add up to 1.
    """

    cell: Indices
    weight: Floats

    def of(self, field: NDArray[np.floating]) -> Floats:
        """(k,) values of a field (nz, ny, nx) at the stations."""
        flat = field.reshape(-1)[self.cell].astype(np.float64)
        return np.asarray((flat * self.weight).sum(axis=1))

    def on(self, number: int, shape: tuple[int, int, int]) -> Floats:
        """(nz, ny, nx) the weights of one station: right side of the transposed equations."""
        out = np.zeros(int(np.prod(shape)))
        np.add.at(out, self.cell[number], self.weight[number])
        return out.reshape(shape)


def posts_of(layers: Sequence[Layer]) -> Posts:
    """Stations of point layers, each at its first place. Their names are the column ``station``, else ``name``."""
    found: dict[str, tuple[Floats, float]] = {}
    for layer in layers:
        shape = layer.geometry
        column = next((layer.table.columns[key] for key in (words.STATION, "name") if key in layer.table.columns), None)
        if not isinstance(shape, Points) or len(shape.vertices) == 0:
            continue
        names = layer.table.ids if column is None else column.values
        height = numbers_of(layer, HEIGHT, "m")
        for row, point in zip(shape.element.tolist(), shape.vertices, strict=True):
            name = str(names[row] or "").strip()
            if name and np.isfinite(point[:2]).all():
                found.setdefault(name, (point, float(height[row])))
    point = np.array([place for place, _ in found.values()], dtype=np.float64).reshape(-1, 3)
    return Posts(tuple(found), point, np.array([height for _, height in found.values()], dtype=np.float64))


def placed(posts: Posts, stations: Sequence[str], issues: list[Issue]) -> Indices:
    """(stations,) row of each measuring station among the posts, -1 where its place is not known. Raises `UserError`.

    Names are compared without spaces and case.
    """
    rows = {_plain(name): row for row, name in enumerate(posts.name)}
    found = np.array([rows.get(_plain(name), -1) for name in stations], dtype=np.int64)
    lost = tuple(name for name, row in zip(stations, found, strict=True) if row < 0)
    if len(lost) == len(stations):
        raise UserError(
            "No station that measured has a place.",
            f"The tables name {some(stations)}; the scene has {some(posts.name) or 'no stations'}.",
            "Import the stations with their coordinates, or name the points of the scene as the table does "
            "(column 'station').",
            code="dust.posts.no_place",
            values={"stations": some(stations), "known": some(posts.name)},
        )
    if lost:
        message = f"{len(lost)} stations measured but have no place in the scene: {some(lost)}."
        issues.append(Issue("dust.posts.unplaced", message, "doubt", len(lost), lost, {"stations": some(lost)}))
    return found


def _plain(name: str) -> str:
    return "".join(name.split()).casefold()


def sampling(posts: Posts, tunnel: Tunnel, height: float, issues: list[Issue]) -> tuple[Sampling, Indices]:
    """How the stations take of the cells, and which of them lie in the field (rows of `posts`).

    Linear between the middles of open cells at the inlet's height above the ground, or `height` where it is not known.
    A station on a building or inside one breathes the nearest open ground, and is left out where that is far.
    """
    cells, weights, inside, moved, far = [], [], [], [], []
    local = Axes(tunnel.turn_deg, tunnel.pivot).to_tunnel(posts.point[:, :2])
    for row in range(len(posts.name)):
        if not _within(local[row], tunnel):
            far.append(posts.name[row])
            continue
        own = posts.height[row] if np.isfinite(posts.height[row]) else height
        level = breathing_cells(tunnel, float(own))
        cell, weight, away = _around(local[row], level, tunnel)
        if away > REACH:
            far.append(posts.name[row])
            continue
        if away > 0.0:
            moved.append(posts.name[row])
        cells.append(cell)
        weights.append(weight)
        inside.append(row)
    _tell(far, moved, issues)
    found = Sampling(np.array(cells, dtype=np.int64).reshape(-1, 4), np.array(weights).reshape(-1, 4))
    return found, np.array(inside, dtype=np.int64)


def _within(place: Floats, tunnel: Tunnel) -> bool:
    x, y = place
    return bool(tunnel.x[0] < x < tunnel.x[-1] and tunnel.y[0] < y < tunnel.y[-1])


def _around(place: Floats, level: Indices, tunnel: Tunnel) -> tuple[Indices, Floats, float]:
    """Four cells and their weights, and how far [m] the place was moved to open ground."""
    number, share = [], []
    for value, faces in ((place[0], tunnel.x), (place[1], tunnel.y)):
        middle = 0.5 * (faces[1:] + faces[:-1])
        low = int(np.clip(np.searchsorted(middle, value) - 1, 0, len(middle) - 2))
        number.append(low)
        share.append(float(np.clip((value - middle[low]) / (middle[low + 1] - middle[low]), 0.0, 1.0)))
    (ix, iy), (right, up) = number, share
    cell = np.array([level[iy, ix], level[iy, ix + 1], level[iy + 1, ix], level[iy + 1, ix + 1]])
    weight = np.array([(1 - right) * (1 - up), right * (1 - up), (1 - right) * up, right * up])
    own = level[int(np.searchsorted(tunnel.y, place[1])) - 1, int(np.searchsorted(tunnel.x, place[0])) - 1]
    weight = np.where(cell >= 0, weight, 0.0)
    if own >= 0 and weight.sum() > 0.0:
        return np.maximum(cell, 0), weight / weight.sum(), 0.0
    x, y = (0.5 * (faces[1:] + faces[:-1]) for faces in (tunnel.x, tunnel.y))
    away = np.where(level >= 0, np.hypot(x[None, :] - place[0], y[:, None] - place[1]), np.inf)
    nearest = int(np.argmin(away))
    return np.full(4, level.reshape(-1)[nearest]), np.array([1.0, 0.0, 0.0, 0.0]), float(away.reshape(-1)[nearest])


def _tell(far: Sequence[str], moved: Sequence[str], issues: list[Issue]) -> None:
    if far:
        message = f"{len(far)} stations lie outside the calculated field or far from open ground: {some(far)}."
        values = {"stations": some(far)}
        issues.append(Issue("dust.posts.outside", message, "note", len(far), tuple(far), values))
    if moved:
        message = (
            f"{len(moved)} stations stand on or in a building and were taken at the nearest open ground: {some(moved)}."
        )
        values = {"stations": some(moved)}
        issues.append(Issue("dust.posts.moved", message, "doubt", len(moved), tuple(moved), values))
