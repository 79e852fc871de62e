"""From the tunnel to the scene: maps on cells along the scene's axes, arrows, streamlines and a volume."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.wind.domain import Axes
from analysis.wind.sample import Sampler
from analysis.wind.tunnel import AIR, Tunnel
from geo.model import Column, ElementTable, Field, Grid, Layer, Lines, Style, Volume

Floats = NDArray[np.float64]

ARROWS_ACROSS = 55  # of the longer side
HEAD, SPREAD_DEG = 0.35, 150.0  # length of an arrow's barbs over its own, and their angle from its way
STREAMS_ACROSS = 18
STREAM_STEPS, STREAM_STEP = 160, 0.7  # steps to each side, each of this many cells
SLOWEST = 0.02  # of the reference speed: a streamline ends
MOST_VOLUME = 1_500_000  # cells


class SceneMap(NamedTuple):
    """Square cells along the scene's axes over the study area.

    x0, y0 : middle of the south-west cell [local m]; place : (rows * cols, 2) middles in the tunnel's axes; inside :
    (rows, cols) cells of the study area.
    """

    x0: float
    y0: float
    cell: float
    place: Floats
    inside: NDArray[np.bool_]


def axes_of(tunnel: Tunnel) -> Axes:
    """The tunnel's axes in the scene."""
    return Axes(tunnel.turn_deg, tunnel.pivot)


def scene_map(tunnel: Tunnel, cell: float) -> SceneMap:
    """Cells of a size [m] over the rectangle around the study area."""
    x_low, y_low, x_high, y_high = tunnel.study
    corners = axes_of(tunnel).to_scene(np.array([[x_low, y_low], [x_high, y_low], [x_high, y_high], [x_low, y_high]]))
    # On the scene's own lattice of cells, so that maps of alternatives lie on each other.
    low, high = np.floor(corners.min(axis=0) / cell + 1e-9) * cell, corners.max(axis=0)
    count = np.maximum(np.ceil((high - low) / cell - 1e-9).astype(np.int64), 1)
    x, y = np.meshgrid(low[0] + cell * (np.arange(count[0]) + 0.5), low[1] + cell * (np.arange(count[1]) + 0.5))
    place = axes_of(tunnel).to_tunnel(np.column_stack([x.ravel(), y.ravel()]))
    slack = 1e-6 * cell
    inside = (place >= [x_low - slack, y_low - slack]) & (place <= [x_high + slack, y_high + slack])
    return SceneMap(low[0] + cell / 2, low[1] + cell / 2, cell, place, inside.all(axis=1).reshape(x.shape))


def _middles(faces: Floats) -> Floats:
    return np.asarray(0.5 * (faces[1:] + faces[:-1]))


def laid(values: NDArray[np.generic], tunnel: Tunnel, where: SceneMap) -> Floats:
    """(rows, cols) values of the tunnel's columns (ny, nx) on the scene's cells.

    Linear between the middles of columns that have a value; NaN outside the study area and where the column below has
    none.
    """
    x, y = _middles(tunnel.x), _middles(tunnel.y)
    number, share = [], []
    for axis, middles in ((0, x), (1, y)):
        low = np.clip(np.searchsorted(middles, where.place[:, axis]) - 1, 0, len(middles) - 2)
        number.append(low)
        share.append(np.clip((where.place[:, axis] - middles[low]) / (middles[low + 1] - middles[low]), 0.0, 1.0))
    known = np.isfinite(values)
    filled = np.where(known, values, 0.0).astype(np.float64)
    total, weight = np.zeros(len(where.place)), np.zeros(len(where.place))
    for right in (0, 1):
        for up in (0, 1):
            part = (share[0] if right else 1.0 - share[0]) * (share[1] if up else 1.0 - share[1])
            part = part * known[number[1] + up, number[0] + right]
            total += part * filled[number[1] + up, number[0] + right]
            weight += part
    there = known[nearest(tunnel, where)] & where.inside.ravel() & (weight > 0.0)
    out = np.divide(total, weight, out=np.full(len(total), np.nan), where=there)
    return np.asarray(out.reshape(where.inside.shape))


def nearest(tunnel: Tunnel, where: SceneMap) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Row and column of the tunnel below the middle of each scene cell."""
    column = np.clip(np.searchsorted(tunnel.x, where.place[:, 0], side="right") - 1, 0, len(tunnel.x) - 2)
    row = np.clip(np.searchsorted(tunnel.y, where.place[:, 1], side="right") - 1, 0, len(tunnel.y) - 2)
    return row, column


def laid_codes(codes: NDArray[np.int8], tunnel: Tunnel, where: SceneMap) -> NDArray[np.int8]:
    """(rows, cols) classes of the column below each cell; -1 outside the study area."""
    found = codes[nearest(tunnel, where)].reshape(where.inside.shape)
    return np.where(where.inside, found, -1).astype(np.int8)


def turned(u: Floats, v: Floats, tunnel: Tunnel) -> tuple[Floats, Floats]:
    """A velocity in the tunnel's axes as east and north of the scene."""
    turn_rad = np.radians(tunnel.turn_deg)
    return u * np.cos(turn_rad) - v * np.sin(turn_rad), u * np.sin(turn_rad) + v * np.cos(turn_rad)


def grid_of(where: SceneMap, values: Floats, height: float) -> Grid:
    """A map as a grid at a height [local m]."""
    return Grid(values, where.x0, where.y0, where.cell, z=height)


def arrows(east: Floats, north: Floats, z: Floats, where: SceneMap, *, unit: str = "m/s") -> Layer | None:
    """Arrows of even density over a map; `east`, `north`, `z` are (rows, cols), NaN where there is none."""
    rows, columns = east.shape
    step = max(1, round(max(rows, columns) / ARROWS_ACROSS))
    row, column = (part.ravel() for part in np.mgrid[step // 2 : rows : step, step // 2 : columns : step])
    speed = np.hypot(east[row, column], north[row, column])
    use = np.isfinite(speed) & (speed > 0.0) & np.isfinite(z[row, column])
    if not use.any():
        return None
    row, column, speed = row[use], column[use], speed[use]
    way = np.column_stack([east[row, column], north[row, column]]) / speed[:, None]
    length = step * where.cell * (0.3 + 0.6 * np.sqrt(np.clip(speed / np.percentile(speed, 98.0), 0.0, 1.0)))
    middle = np.column_stack([where.x0 + where.cell * column, where.y0 + where.cell * row])
    vertices = arrow_points(middle, way, length, z[row, column])
    count = len(row)
    shape = Lines(vertices, 5 * np.arange(count + 1, dtype=np.int32), np.arange(count, dtype=np.int32))
    table = ElementTable([f"arrow-{number}" for number in range(count)], {"speed": Column(speed, unit)})
    field = Field("speed", unit, "element", speed, ramp="wind")
    return Layer("arrows", "Wind arrows", "result", shape, table=table, fields=(field,), style=Style(colour="#20405f"))


def arrow_points(middle: Floats, way: Floats, length: Floats, z: Floats) -> Floats:
    """(5 n, 3) corners of arrows: tail, tip, barb, tip, barb. `way`: (n, 2) unit vectors."""
    tail, tip = middle - 0.5 * length[:, None] * way, middle + 0.5 * length[:, None] * way
    barbs = []
    for sign in (1.0, -1.0):
        angle = np.radians(sign * SPREAD_DEG)
        cos, sin = np.cos(angle), np.sin(angle)
        turn = np.column_stack([way[:, 0] * cos - way[:, 1] * sin, way[:, 0] * sin + way[:, 1] * cos])
        barbs.append(tip + HEAD * length[:, None] * turn)
    order = [tail, tip, barbs[0], tip, barbs[1]]
    return np.stack([np.column_stack([part, z]) for part in order], axis=1).reshape(-1, 3)


def streamlines(
    sampler: Sampler, tunnel: Tunnel, cell: float, heights: tuple[float, ...], slowest: float
) -> Layer | None:
    """Lines along the mean wind through a lattice of points at heights above ground [m], coloured by speed."""
    x_low, y_low, x_high, y_high = tunnel.study
    spacing = max(x_high - x_low, y_high - y_low) / STREAMS_ACROSS
    x, y = np.meshgrid(np.arange(x_low + spacing / 2, x_high, spacing), np.arange(y_low + spacing / 2, y_high, spacing))
    xy = np.column_stack([x.ravel(), y.ravel()])
    row = np.clip(np.searchsorted(tunnel.y, xy[:, 1]) - 1, 0, tunnel.shape[1] - 1)
    column = np.clip(np.searchsorted(tunnel.x, xy[:, 0]) - 1, 0, tunnel.shape[2] - 1)
    seeds = np.concatenate([np.column_stack([xy, tunnel.ground[row, column] + height]) for height in heights])
    back, forth = (_traced(sampler, seeds, sign * STREAM_STEP * cell, slowest) for sign in (-1.0, 1.0))
    points, speeds, counts = [], [], []
    for number in range(len(seeds)):
        path = np.concatenate([back[0][number][::-1], forth[0][number][1:]])
        pace = np.concatenate([back[1][number][::-1], forth[1][number][1:]])
        if len(path) > 3:
            points.append(path)
            speeds.append(float(pace.mean()))
            counts.append(len(path))
    if not points:
        return None
    corners = np.concatenate(points)
    scene = axes_of(tunnel).to_scene(corners[:, :2])
    vertices = np.column_stack([scene, corners[:, 2] + tunnel.base])
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    speed = np.array(speeds)
    table = ElementTable([f"stream-{number}" for number in range(len(speed))], {"speed": Column(speed, "m/s")})
    shape = Lines(vertices, offsets, np.arange(len(speed), dtype=np.int32))
    field = Field("speed", "m/s", "element", speed, ramp="wind")
    return Layer(
        "streams",
        "Streamlines",
        "result",
        shape,
        table=table,
        fields=(field,),
        style=Style(colour_by="speed", visible=False),
    )


def _traced(sampler: Sampler, seeds: Floats, step: float, slowest: float) -> tuple[list[Floats], list[Floats]]:
    """Paths from the seeds with steps of one length (second order); each ends in a wall, outside or where air rests."""
    here, alive = seeds.copy(), np.ones(len(seeds), dtype=bool)
    paths, paces = [here.copy()], [np.linalg.norm(np.nan_to_num(sampler.at(here)[:, :3]), axis=1)]
    lengths = np.ones(len(seeds), dtype=np.int64)
    for _ in range(STREAM_STEPS):
        rows = np.flatnonzero(alive)
        if len(rows) == 0:
            break
        first, pace = _way(sampler, here[rows], slowest)
        second, _ = _way(sampler, here[rows] + 0.5 * step * first, slowest)
        good = np.isfinite(first).all(axis=1) & np.isfinite(second).all(axis=1)
        alive[rows[~good]] = False
        rows = rows[good]
        here[rows] += step * second[good]
        lengths[rows] += 1
        paths.append(here.copy())
        whole = paces[-1].copy()
        whole[rows] = pace[good]
        paces.append(whole)
    path, pace = np.stack(paths), np.stack(paces)
    return (
        [path[:count, number] for number, count in enumerate(lengths)],
        [pace[:count, number] for number, count in enumerate(lengths)],
    )


def _way(sampler: Sampler, points: Floats, slowest: float) -> tuple[Floats, Floats]:
    velocity = sampler.at(points)[:, :3]
    speed = np.linalg.norm(velocity, axis=1)
    way = np.where((speed > slowest)[:, None], velocity / np.maximum(speed, 1e-12)[:, None], np.nan)
    return way, np.nan_to_num(speed)


def volume(sampler: Sampler, tunnel: Tunnel, cell: float, top: float) -> Layer:
    """Speed, velocity and turbulent energy in cubes over the study area, up to `top` [m] above the lowest ground."""
    while True:
        where = scene_map(tunnel, cell)
        levels = max(2, int(np.ceil(top / cell)))
        if where.inside.size * levels <= MOST_VOLUME:
            break
        cell *= 1.25
    z = cell * (np.arange(levels) + 0.5)
    found = np.stack(
        [sampler.at(np.column_stack([where.place, np.full(len(where.place), height)])) for height in z]
    ).reshape(levels, *where.inside.shape, 4)
    found[:, ~where.inside] = np.nan
    u, v = turned(found[..., 0], found[..., 1], tunnel)
    speed = np.sqrt(u**2 + v**2 + found[..., 2] ** 2)
    shape = Volume(speed, where.x0, where.y0, tunnel.base + cell / 2, cell, cell)
    named = (("speed", speed), ("east", u), ("north", v), ("up", found[..., 2]))
    fields = [Field(name, "m/s", "cell", values, ramp="wind") for name, values in named]
    fields.append(Field("turbulent_energy", "m2/s2", "cell", found[..., 3], ramp="wind"))
    style = Style(colour_by="speed", visible=False)
    return Layer("volume", "Wind in space", "result", shape, fields=tuple(fields), style=style)


def open_columns(tunnel: Tunnel) -> NDArray[np.bool_]:
    """(ny, nx) columns of the study area without a building."""
    x, y = _middles(tunnel.x), _middles(tunnel.y)
    x_low, y_low, x_high, y_high = tunnel.study
    inside = ((y > y_low) & (y < y_high))[:, None] & ((x > x_low) & (x < x_high))[None, :]
    return np.asarray(inside & (tunnel.building < 0) & (tunnel.solid == AIR).any(axis=0))
