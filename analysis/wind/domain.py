"""Axes and faces of the wind tunnel: turned to the streets, uniform over the study area, stretched to the borders."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.model import UserError

Floats = NDArray[np.float64]

STRETCH = 1.15  # of neighbouring cells in plan; more slows the multigrid down
STRETCH_UP = 1.12
WIDEST = 4.0  # the largest cell over the smallest, in plan and upwards
FINE_LAYERS = 8  # cells of the first height above the highest ground of the study area
MOST_FINE_LAYERS = 64
LEAST_AROUND = 100.0  # [m] of uniform cells around the study area
CONTEXT = 300.0  # [m] of real buildings around the study area (COST 732: 300 to 500 m)
BLEND = 200.0  # [m] along the border over which the ground goes over into its mean
EVEN = 8  # cells along an axis are a multiple of this, so that the multigrid can halve them
BYTES_PER_CELL = 170  # at the peak of a run that swings; 122 where none does
MEMORY_SHARE = 0.8  # of what is free that a run may take
UPSTREAM, DOWNSTREAM, ABOVE = 5.0, 10.0, 5.0  # heights of a high building (COST 732, AIJ: at least 5, 10, 5)
SPREAD = 3.0  # [degrees] within which walls count as of one direction


class Axes(NamedTuple):
    """The tunnel's axes in the scene: turned counter-clockwise by `turn_deg` [degrees] about `pivot` (2,) [local m]."""

    turn_deg: float
    pivot: Floats

    def to_tunnel(self, xy: Floats) -> Floats:
        """Scene positions (n, 2) [local m] in the tunnel's axes."""
        cos, sin = self._turn
        x, y = xy[:, 0] - self.pivot[0], xy[:, 1] - self.pivot[1]
        return np.column_stack([x * cos + y * sin, y * cos - x * sin])

    def to_scene(self, xy: Floats) -> Floats:
        """Positions (n, 2) in the tunnel's axes in the scene [local m]."""
        cos, sin = self._turn
        x, y = xy[:, 0], xy[:, 1]
        return np.column_stack([x * cos - y * sin + self.pivot[0], x * sin + y * cos + self.pivot[1]])

    @property
    def _turn(self) -> tuple[float, float]:
        """Cosine and sine; exact for quarter turns. Plain products: small matrices wait for BLAS' threads."""
        quarters = self.turn_deg / 90.0
        if quarters == round(quarters):
            return ((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))[round(quarters) % 4]
        turn_rad = math.radians(self.turn_deg)
        return math.cos(turn_rad), math.sin(turn_rad)


class Extent(NamedTuple):
    """How large the tunnel is, in its own axes; the same for every level.

    Attributes
    ----------
    study : (4,) float [m]
        x low, y low, x high, y high.
    uniform : (4,) float [m]
        Window with cells of one size.
    border : (4,) float [m]
        Outer faces.
    base : float [m]
        Scene height of z = 0, at or a little below the lowest ground.
    low, level, high : float [m]
        Lowest, middle and highest ground of the study area above `base`.
    top : float [m]
        Of the tunnel above `base`.
    cell : float [m]
        Of the finest level.
    """

    study: Floats
    uniform: Floats
    border: Floats
    base: float
    low: float
    level: float
    high: float
    top: float
    cell: float


def dominant_turn(direction: Floats, weight: Floats) -> float:
    """Direction of most walls, counter-clockwise from the scene's x axis [degrees, -45 to 45].

    direction : (n,) float [degrees]
        Of the walls in plan; a quarter turn makes no difference.
    weight : (n,) float
        Their areas.

    Walls within a few degrees of the fullest direction are averaged. Nearly the same in all directions: 0.
    """
    total = float(weight.sum())
    if total <= 0.0:
        return 0.0
    turn = np.mod(direction, 90.0)
    counts = np.bincount(np.floor(turn * 2.0 + 0.5).astype(np.int64) % 180, weight, 180)
    reach = np.arange(-int(2 * SPREAD), int(2 * SPREAD) + 1)
    smooth = sum(np.roll(counts, int(step)) * (1.0 - abs(step) / (2.0 * SPREAD + 1.0)) for step in reach)
    best = float(np.argmax(np.round(smooth / total, 9))) / 2.0
    apart = np.mod(turn - best + 45.0, 90.0) - 45.0
    near = np.abs(apart) <= SPREAD
    if weight[near].sum() < 0.05 * total:
        return 0.0
    found = best + float((apart[near] * weight[near]).sum() / weight[near].sum())
    return round(float(-(np.mod(-found + 45.0, 90.0) - 45.0)), 4) + 0.0


def stretched(length: float, start: float, most: float, *, factor: float, multiple: int = 1, offset: int = 0) -> Floats:
    """Cells that grow from `start` towards `most` and fill `length` exactly [m].

    Their number plus `offset` is a multiple of `multiple`; the growth is the least that makes them fit.
    """
    if length <= 0.0:
        return np.zeros(0)

    def cells(count: int, growth: float) -> Floats:
        return np.asarray(np.minimum(start * growth ** np.arange(1, count + 1), most))

    count = 1
    while cells(count, factor).sum() < length and count < 100_000:
        count += 1
    count += -(count + offset) % multiple
    low, high = 0.5, factor
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if cells(count, middle).sum() < length else (low, middle)
    found = cells(count, high)
    return np.asarray(found * (length / found.sum()))


def plan_faces(extent: Extent, axis: int, cell: float) -> Floats:
    """Faces along x (0) or y (1) of a level with cells of `cell` [m]."""
    low, high = extent.uniform[axis], extent.uniform[axis + 2]
    count = round((high - low) / cell)
    offset = count // 2 % EVEN  # each side makes up for half of the uniform cells
    half = EVEN // 2
    before = stretched(low - extent.border[axis], cell, WIDEST * cell, factor=STRETCH, multiple=half, offset=offset)
    after = stretched(extent.border[axis + 2] - high, cell, WIDEST * cell, factor=STRETCH, multiple=half, offset=offset)
    steps = low + cell * np.arange(count + 1)
    left = low - np.cumsum(before)[::-1]
    right = high + np.cumsum(after)
    faces = np.concatenate([left, steps, right])
    faces[0], faces[-1] = extent.border[axis], extent.border[axis + 2]
    return np.asarray(faces)


def first_layer(cell: float, level: int) -> float:
    """Height of the cells at the ground [m] for the finest `cell` [m], on level 0 (finest), 1, 2."""
    return float(min(cell / 2.0, 1.0) * 2**level)


def upright_faces(extent: Extent, level: int) -> Floats:
    """Faces along z of a level: fine from the lowest to above the highest ground of the study area, then stretched.

    The middle ground lies on a face. Far below the study area (a valley at its border) cells grow as well.
    """
    layer = first_layer(extent.cell, level)
    most = WIDEST * extent.cell * 2**level
    below = max(0, math.floor((extent.level - extent.low) / layer)) + 1
    bottom = extent.level - below * layer
    under = np.zeros(0)
    if bottom > 8.0 * layer:
        under = stretched(bottom, layer, most, factor=STRETCH_UP)[::-1]
    else:
        bottom = 0.0
    count = math.ceil((extent.high - bottom) / layer - 1e-6) + FINE_LAYERS
    count = min(count, MOST_FINE_LAYERS + FINE_LAYERS)
    fine = np.full(count, layer)
    done = len(under) + count
    over = stretched(extent.top - bottom - count * layer, layer, most, factor=STRETCH_UP, multiple=EVEN, offset=done)
    faces = np.concatenate([np.zeros(1), np.cumsum(np.concatenate([under, fine, over]))])
    faces[-1] = extent.top
    return faces


def uniform_window(study: Floats, cell: float, high_building: float) -> Floats:
    """The study area with a building's height around it, a multiple of eight finest cells wide, about its middle."""
    around = max(LEAST_AROUND, high_building)
    middle = 0.5 * (study[:2] + study[2:])
    unit = 16.0 * cell
    half = 0.5 * unit * np.ceil((study[2:] - study[:2] + 2.0 * around) / unit - 1e-9)
    return np.asarray(np.concatenate([middle - half, middle + half]))


def border_window(study: Floats, uniform: Floats, high_building: float, blows_to: Floats | None) -> Floats:
    """Outer faces: 5 heights upstream and beside, 10 downstream, never nearer than the real buildings need.

    blows_to : (n,) float [degrees] or None
        Directions the wind will blow towards, counter-clockwise from the tunnel's x axis; None = all.
    """
    towards = np.arange(0.0, 360.0, 22.5) if blows_to is None else np.asarray(blows_to, dtype=np.float64)
    along = np.stack([np.cos(np.radians(towards)), np.sin(np.radians(towards))])
    leaves = np.concatenate([(-along).max(axis=1), along.max(axis=1)]) > 0.2
    heights = np.where(leaves, DOWNSTREAM, UPSTREAM) * high_building
    free = np.maximum(heights, CONTEXT + clear_strip(high_building))
    sides = np.array([-1.0, -1.0, 1.0, 1.0])
    wanted = study + sides * free
    least = uniform + sides * high_building  # some stretched cells in any case
    return np.asarray(np.where(sides < 0, np.minimum(wanted, least), np.maximum(wanted, least)))


def clear_strip(high_building: float) -> float:
    """Width along the border without buildings, where the wind comes in and goes out [m]."""
    return max(60.0, 2.0 * high_building)


def columns_within(x: Floats, y: Floats, window: Floats) -> NDArray[np.bool_]:
    """(ny, nx) columns whose middle lies in a window."""
    mx, my = 0.5 * (x[1:] + x[:-1]), 0.5 * (y[1:] + y[:-1])
    across = (mx > window[0]) & (mx < window[2])
    return np.asarray(across[None, :] & ((my > window[1]) & (my < window[3]))[:, None])


class Size(NamedTuple):
    """Cells of the levels, coarse to fine, and the memory [bytes] of a run."""

    cells: tuple[int, ...]
    memory: int


def size_of(extent: Extent, levels: int = 3) -> Size:
    """How large the tunnel will be, before anything is put into it."""
    cells = []
    for level in reversed(range(levels)):
        cell = extent.cell * 2**level
        faces = (plan_faces(extent, 0, cell), plan_faces(extent, 1, cell), upright_faces(extent, level))
        cells.append(math.prod(len(along) - 1 for along in faces))
    return Size(tuple(cells), cells[-1] * BYTES_PER_CELL)


def free_memory() -> int | None:
    """Memory that a run may take now [bytes], what the system keeps to reuse included; None where it does not say."""
    import psutil

    found = int(psutil.virtual_memory().available)
    return found if found > 0 else None


def check_memory(extent: Extent, free: int | None) -> None:
    """Refuse a tunnel that does not fit into the memory, and say which cell does. None: not known, nothing is said."""
    if free is None:
        return
    limit = MEMORY_SHARE * free
    need = size_of(extent).memory
    if need <= limit:
        return
    fits = extent.cell
    while size_of(with_cell(extent, fits)).memory > limit and fits < 100.0:
        fits *= 1.1
    fits = math.ceil(2.0 * fits) / 2.0
    raise UserError(
        f"The wind tunnel would need {need / 2**30:.1f} GB of memory; {free / 2**30:.1f} GB are free.",
        f"Cells of {extent.cell:g} m over this area are {need // BYTES_PER_CELL / 1e6:.0f} million.",
        f"Choose cells of {fits:g} m, or a smaller study area.",
        code="wind.memory",
        values={
            "need": round(need / 2**30, 1),
            "free": round(free / 2**30, 1),
            "cell": extent.cell,
            "cells": round(need / BYTES_PER_CELL / 1e6),
            "fits": fits,
        },
    )


def with_cell(extent: Extent, cell: float) -> Extent:
    """The same tunnel with cells of another size; the uniform window grows to a whole number of them."""
    unit = 16.0 * cell
    middle = 0.5 * (extent.uniform[:2] + extent.uniform[2:])
    half = 0.5 * unit * np.ceil((extent.uniform[2:] - extent.uniform[:2]) / unit - 1e-9)
    uniform = np.concatenate([middle - half, middle + half])
    sides = np.array([-1.0, -1.0, 1.0, 1.0])
    border = np.where(sides < 0, np.minimum(extent.border, uniform), np.maximum(extent.border, uniform))
    return extent._replace(cell=cell, uniform=uniform, border=border)
