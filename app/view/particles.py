"""Particles that drift with the wind of a volume: pure NumPy, the same from the same seed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geo.model import Layer, Volume

Singles = NDArray[np.float32]

VELOCITY = ("east", "north", "up")  # fields of a volume of wind
CROSSING_S = 14.0  # seconds of a film in which a fast particle crosses the volume: much faster than the wind itself
LONGEST_MOVE = 0.45  # of a cell in one step: nothing jumps over a wall
LIFE_S = (2.0, 6.0)  # seconds of a film that a particle lives
MOST_STEPS = 8  # of one frame: after a long pause the particles do not race
NEAR_GROUND = 0.75  # share of particles set out within the lowest `LOW_CELLS` cells with air
LOW_CELLS = 4


class Wind:
    """Velocity in the cells of a volume, and where there is air.

    Attributes
    ----------
    velocity : (layers, rows, cols, 3) float32 [m/s]
        0 where there is none.
    air : (layers, rows, cols) bool
    start : (3,) [local m]
        Middle of the lowest south-west cell.
    cell : (3,) [m]
    """

    def __init__(self, volume: Volume, velocity: Singles) -> None:
        self.air = np.isfinite(velocity).all(axis=-1)
        self.velocity = np.where(self.air[..., None], velocity, np.float32(0.0))
        self.start = np.array([volume.x0, volume.y0, volume.z0])
        self.cell = np.array([volume.cell, volume.cell, volume.cell_z])
        self._flat = np.ascontiguousarray(self.velocity.reshape(-1, 3))
        self._shape = np.array(self.air.shape[::-1])

    def cells_of(self, points: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Flat number of the cell around each point (n, 3), and whether there is air in it."""
        place = np.floor((points - self.start) / self.cell + 0.5).astype(np.int64)
        inside = ((place >= 0) & (place < self._shape)).all(axis=1)
        place = np.where(inside[:, None], place, 0)
        number = (place[:, 2] * self._shape[1] + place[:, 1]) * self._shape[0] + place[:, 0]
        return number, inside & self.air.reshape(-1)[number]

    def at(self, points: NDArray[np.float64]) -> Singles:
        """(n, 3) velocity between the cells' middles; walls and what lies outside count as still air."""
        place = (points - self.start) / self.cell
        low = np.floor(place).astype(np.int64)
        share = (place - low).astype(np.float32)
        out = np.zeros((len(points), 3), dtype=np.float32)
        for corner in range(8):
            step = np.array([corner & 1, (corner >> 1) & 1, (corner >> 2) & 1])
            weight = np.prod(np.where(step > 0, share, 1.0 - share), axis=1)
            here = np.clip(low + step, 0, self._shape - 1)
            number = (here[:, 2] * self._shape[1] + here[:, 1]) * self._shape[0] + here[:, 0]
            out += weight[:, None] * self._flat[number]
        return out


def has_wind(layer: Layer) -> bool:
    """Whether a layer is a volume with a velocity."""
    shape = layer.geometry.values.shape if isinstance(layer.geometry, Volume) else None
    fields = [layer.field_named(name) for name in VELOCITY]
    return shape is not None and all(field is not None and field.values.shape == shape for field in fields)


def wind_of(layer: Layer) -> Wind | None:
    """The wind of a layer that is a volume with a velocity; None for others."""
    volume = layer.geometry
    if not isinstance(volume, Volume) or not has_wind(layer):
        return None
    parts = [field.values for name in VELOCITY if (field := layer.field_named(name)) is not None]
    wind = Wind(volume, np.stack([np.asarray(part, dtype=np.float32) for part in parts], axis=-1))
    return wind if wind.air.any() else None


class Particles:
    """Particles with their tails.

    Parameters
    ----------
    wind : Wind
    count : int
    tail : int
        Places of each particle that are kept, the newest first.
    seed : int

    Attributes
    ----------
    path : (tail, count, 3) float64 [local m]
    pace : (tail, count) float32 [m/s]
        Speed at each place of the path.
    """

    def __init__(self, wind: Wind, *, count: int, tail: int = 12, seed: int = 1) -> None:
        self.wind, self.tail = wind, tail
        self._random = np.random.default_rng(seed)
        self._open = np.flatnonzero(wind.air.reshape(-1))
        self._low = _low_cells(wind.air)
        speed = np.linalg.norm(wind.velocity[wind.air], axis=-1)
        typical = max(float(np.percentile(speed, 90.0)), 1e-3)
        across = float(max(wind.cell[0] * wind.air.shape[2], wind.cell[1] * wind.air.shape[1]))
        self.hurry = across / typical / CROSSING_S  # seconds of wind in one second of a film
        self._longest = LONGEST_MOVE * float(wind.cell.min()) / max(float(speed.max(initial=0.0)), 1e-3)
        self.path = np.zeros((tail, 0, 3))
        self.pace = np.zeros((tail, 0), dtype=np.float32)
        self._left = np.zeros(0)
        self.resize(count)

    @property
    def count(self) -> int:
        """Number of particles."""
        return self.path.shape[1]

    def resize(self, count: int) -> None:
        """Another number of particles; those that stay go on."""
        kept = min(count, self.count)
        more = count - kept
        path, pace = np.zeros((self.tail, more, 3)), np.zeros((self.tail, more), dtype=np.float32)
        self.path = np.concatenate([self.path[:, :kept], path], axis=1)
        self.pace = np.concatenate([self.pace[:, :kept], pace], axis=1)
        self._left = np.concatenate([self._left[:kept], np.zeros(more)])
        self._set_out(np.arange(kept, count))
        self._left[kept:] *= self._random.random(more)  # or all of them would end at once

    def step(self, seconds: float) -> None:
        """Go on by some seconds of a film; what meets a wall, leaves the volume or is old sets out elsewhere."""
        wanted = max(seconds, 0.0) * self.hurry
        steps = min(max(int(np.ceil(wanted / self._longest)), 1), MOST_STEPS)
        length = min(wanted / steps, self._longest)
        here = self.path[0].copy()
        lost = np.zeros(self.count, dtype=np.bool_)
        for _ in range(steps):
            middle = here + 0.5 * length * self.wind.at(here)
            moved = here + length * self.wind.at(middle)
            lost |= ~self.wind.cells_of(moved)[1]
            here[~lost] = moved[~lost]
        self.path = np.concatenate([here[None], self.path[:-1]])
        pace = np.linalg.norm(self.wind.at(here), axis=1).astype(np.float32)
        self.pace = np.concatenate([pace[None], self.pace[:-1]])
        self._left -= seconds
        self._set_out(np.flatnonzero(lost | (self._left <= 0.0)))

    def _set_out(self, rows: NDArray[np.int64]) -> None:
        """Put particles into the air anew, most of them low; they have no tail yet."""
        count = len(rows)
        if count == 0:
            return
        low = self._random.random(count) < NEAR_GROUND
        number = np.where(low, self._random.choice(self._low, count), self._random.choice(self._open, count))
        layer, row, col = np.unravel_index(number, self.wind.air.shape)
        offset = self._random.random((count, 3)) - 0.5
        places = self.wind.start + (np.stack([col, row, layer], axis=1) + 0.98 * offset) * self.wind.cell
        self.path[:, rows] = places
        self.pace[:, rows] = np.linalg.norm(self.wind.at(places), axis=1)
        self._left[rows] = self._random.uniform(*LIFE_S, count)


def _low_cells(air: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Flat numbers of the lowest cells with air of each column."""
    rank = np.cumsum(air, axis=0)
    return np.flatnonzero(air & (rank <= LOW_CELLS))
