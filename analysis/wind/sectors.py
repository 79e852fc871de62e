"""All directions of a wind rose through one tunnel, the strongest first; of each only the map is kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.wind import honesty, scene_map
from analysis.wind.climate import sector_name
from analysis.wind.geometry import Built
from analysis.wind.levels import Settings, Solved, solve
from analysis.wind.profile import Inflow, log_inflow
from analysis.wind.timing import estimate_seconds
from analysis.wind.tunnel import Tunnel
from geo.model import Feedback

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Codes = NDArray[np.int8]

REFERENCE_HEIGHT = 60.0  # [m] where the wind outside is known: the ground's roughness is hardly felt there
SPEED = 5.0  # [m/s] there; ratios hardly depend on it
PEAK_FACTOR = 3.0


class SectorMap(NamedTuple):
    """What is kept of one direction, at the cells with open ground.

    Attributes
    ----------
    number : int
        Of the sector.
    mean : (n,) float32
        Mean scalar speed over that of the wind outside at `REFERENCE_HEIGHT`.
    sigma : (n,) float32
        Over the same; such that ``mean + 3 sigma`` is the flow's own gust ``|U| + 3 sqrt(2/3 k)``.
    east, north : (n,) float32
        Velocity over the same.
    change : float
        Of the map over the last 20 iterations.
    settled : bool
    iterations : int
    """

    number: int
    mean: Singles
    sigma: Singles
    east: Singles
    north: Singles
    change: float
    settled: bool
    iterations: int


@dataclass(frozen=True, eq=False)
class Ground:
    """The cells the maps are about.

    Attributes
    ----------
    where : SceneMap
    cells : (n,) int64
        Numbers of the cells with open ground, row by row.
    height : (rows, cols) float [local m]
        Of the ground; NaN outside.
    trust, resolution : (rows, cols)
        Of the grid (`analysis.wind.honesty`): the same for all directions.
    """

    where: scene_map.SceneMap
    cells: NDArray[np.int64]
    height: Floats
    trust: Codes
    resolution: Floats

    def __len__(self) -> int:
        return len(self.cells)

    @property
    def points(self) -> Floats:
        """(n, 3) middles of the cells [local m]."""
        row, column = np.divmod(self.cells, self.where.inside.shape[1])
        x, y = self.where.x0 + self.where.cell * column, self.where.y0 + self.where.cell * row
        return np.column_stack([x, y, self.height.ravel()[self.cells]])

    def laid(self, values: NDArray[np.generic]) -> Floats:
        """(rows, cols) values of the cells, NaN elsewhere."""
        out = np.full(self.where.inside.size, np.nan)
        out[self.cells] = values
        return out.reshape(self.where.inside.shape)

    def laid_codes(self, codes: Codes) -> Codes:
        """(rows, cols) classes of the cells, -1 elsewhere."""
        out = np.full(self.where.inside.size, -1, dtype=np.int8)
        out[self.cells] = codes
        return out.reshape(self.where.inside.shape)

    def trust_of_cells(self) -> Codes:
        """(n,) classes of trust."""
        return np.asarray(self.trust.ravel()[self.cells], dtype=np.int8)


class Task(NamedTuple):
    """What is to be calculated.

    Attributes
    ----------
    grid_from : (sectors,) float [degrees]
        Where each sector's wind comes from, clockwise from **grid** north.
    order : sequence of int
        Sectors to calculate, in this order.
    roughness : float [m]
        Around the site: that of the profile.
    cell, height : float [m]
        Of the map, and above ground.
    iterations : tuple of int
    """

    grid_from: Floats
    order: Sequence[int]
    roughness: float
    cell: float
    height: float
    iterations: tuple[int, ...]

    def wind(self, sector: int) -> Inflow:
        """The wind of a sector."""
        return log_inflow(float(self.grid_from[sector]), speed=SPEED, height=REFERENCE_HEIGHT, roughness=self.roughness)


def scalar_reference(wind: Inflow, height: float) -> float:
    """Mean scalar speed of the wind outside at a height [m/s]."""
    z = np.array([height])
    return float(np.sqrt(wind.speed(z)[0] ** 2 + 4.0 / 3.0 * wind.energy(z)[0]))


Seen = Callable[[Ground, SectorMap, bool], None]


def run_sectors(
    built: Built, task: Task, feedback: Feedback, *, seen: Seen | None = None
) -> tuple[Ground, tuple[SectorMap, ...]]:
    """Calculate the sectors one after the other.

    Parameters
    ----------
    seen : callable(ground, map, whole), optional
        Told of each sector as it ends (`whole`), and of the coarser levels of the first one.

    Returns
    -------
    ground : Ground
    maps : tuple of SectorMap
        In the order they were calculated.
    """
    settings = Settings(iterations=task.iterations, map_height=task.height)
    ground = ground_of(built.finest, task.cell)
    maps: list[SectorMap] = []
    feedback.step(0.0, "timing the machine")
    promised = estimate_seconds(built.levels, settings) * len(task.order)
    began = time.perf_counter()
    for number, sector in enumerate(task.order):
        wind = task.wind(sector)

        def show(_level: int, solved: Solved, *, first: bool = number == 0, sector: int = sector) -> None:
            if first and seen is not None and solved.tunnel is not built.finest:
                here = ground_of(solved.tunnel, task.cell)
                seen(here, _map_of(solved, here, task, sector), False)

        left = _left(number, len(task.order), time.perf_counter() - began, promised)
        name = sector_name(sector, len(task.grid_from))
        part = _told(feedback, number, len(task.order), f"wind from {name}, {number + 1} of {len(task.order)}{left}")
        solved = solve(built.levels, wind, settings=settings, feedback=part, on_level=show)
        maps.append(_map_of(solved, ground, task, sector))
        if seen is not None:
            seen(ground, maps[-1], True)
    return ground, tuple(maps)


def _left(done: int, count: int, seconds: float, promised: float) -> str:
    """How long the rest takes: promised before the first sector, then as long as those that have ended took."""
    left = seconds / done * (count - done) if done else promised
    return f", about {left:.0f} s left" if left < 100.0 else f", about {left / 60.0:.0f} min left"


def _told(feedback: Feedback, number: int, count: int, message: str) -> Feedback:
    """A part of the whole that says which sector it is, and not which iteration."""
    part = feedback.part(number / count, (number + 1) / count)
    return Feedback(lambda fraction, _: part.step(fraction, message), lambda: feedback.cancelled)


def ground_of(tunnel: Tunnel, cell: float) -> Ground:
    """The cells of the map over a tunnel, and how far they can be trusted."""
    where = scene_map.scene_map(tunnel, cell)
    height = scene_map.laid(tunnel.ground, tunnel, where) + tunnel.base
    open_columns = np.where(tunnel.building >= 0, np.nan, 1.0)
    cells = np.flatnonzero(np.isfinite(scene_map.laid(open_columns, tunnel, where)))
    resolution = honesty.resolution(tunnel)
    trust = scene_map.laid_codes(honesty.trust(resolution), tunnel, where)
    return Ground(where, cells, height, trust, scene_map.laid(resolution, tunnel, where))


def _map_of(solved: Solved, ground: Ground, task: Task, sector: int) -> SectorMap:
    tunnel, found = solved.tunnel, solved.map_at(task.height)
    outside = scalar_reference(solved.wind, REFERENCE_HEIGHT)

    def on(values: NDArray[np.generic]) -> Singles:
        over = np.where(tunnel.building >= 0, np.nan, values)
        laid = scene_map.laid(over, tunnel, ground.where).ravel()[ground.cells]
        return np.asarray(laid / outside, dtype=np.float32)

    sigma = found.sigma - (found.scalar_speed - found.speed) / np.float32(PEAK_FACTOR)
    east, north = scene_map.turned(on(found.u).astype(np.float64), on(found.v).astype(np.float64), tunnel)
    return SectorMap(
        sector, on(found.scalar_speed), on(sigma), east.astype(np.float32), north.astype(np.float32),
        solved.change, solved.converged, sum(solved.iterations),
    )  # fmt: skip
