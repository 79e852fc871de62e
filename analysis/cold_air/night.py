"""One night of cold air: what is kept of it on the way, and the buildings that dam it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.cold_air.land import Site, without
from analysis.cold_air.layer import ColdLayer, Land
from geo.model import Feedback

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

ARRIVED = 1.0  # [m] of cold air, from which a place is reached
LAST_HOUR = 3600.0  # [s] over which the flow at the end is averaged
SECONDS = 3600.0
NEAR_WALL = 6  # cells within which held air belongs to the nearest row of buildings
HELD = 0.1  # [m] more air than without buildings counts as held


@dataclass(frozen=True, eq=False)
class Night:
    """What a night leaves. Arrays (ny, nx).

    Attributes
    ----------
    depth : float [m]
        At the end.
    deficit : float [K]
    east, north : float [m/s]
        Mean velocity over the last hour.
    flow : float [m3/(s m)]
        Size of the mean flux over the last hour.
    arrival : float [h]
        When the depth first reached a metre; not-a-number where it never did.
    hourly : list of float [m]
        Depth at each full hour.
    hours, held, made, left, mixed : float
        Hours looked at, and volumes then [m3]: in place, made, flowed out, mixed in.
    study_depth : float [m]
        Mean depth in the study area then.
    """

    depth: Floats
    deficit: Floats
    east: Floats
    north: Floats
    flow: Floats
    arrival: Floats
    hourly: list[Floats]
    hours: Floats
    held: Floats
    made: Floats
    left: Floats
    mixed: Floats
    study_depth: Floats

    @property
    def balance_error(self) -> float:
        """What is missing or too much, as a share of all that was made."""
        there = self.held[-1] + self.left[-1] - self.made[-1] - self.mixed[-1]
        return float(abs(there) / max(self.made[-1] + self.mixed[-1], 1e-9))


class _Watch:
    """Keeps what is wanted of a night while it goes on."""

    def __init__(self, land: Land, inside: Bools, end: float) -> None:
        self.inside, self.end = inside, end
        self.arrival = np.full(land.shape, np.nan)
        self.rows: list[tuple[float, ...]] = []
        self.flux = [np.zeros(land.shape), np.zeros(land.shape)]
        self.speed = [np.zeros(land.shape), np.zeros(land.shape)]
        self.weight, self.before = 0.0, 0.0

    def look(self, layer: ColdLayer) -> None:
        depth = layer.depth
        self.arrival[np.isnan(self.arrival) & (depth >= ARRIVED)] = layer.time / SECONDS
        mean = float(depth[self.inside].mean()) if self.inside.any() else 0.0
        self.rows.append((layer.time / SECONDS, layer.volume, layer.produced, layer.left, layer.entrained, mean))
        step = layer.time - max(self.before, self.end - LAST_HOUR)
        if step > 0.0:
            for number, speed in enumerate(layer.velocity):
                self.speed[number] += step * speed
                self.flux[number] += step * speed * depth
            self.weight += step
        self.before = layer.time


def run_night(land: Land, inside: Bools, hours: float, *, mixing: bool, feedback: Feedback, threads: int = 0) -> Night:
    """Carry the cold air of a land through the night, from none at its beginning."""
    layer = ColdLayer(land, mixing, threads)
    end = hours * SECONDS
    watch = _Watch(land, inside, end)
    marks = [float(hour) for hour in np.arange(1.0, hours - 1e-9)] + [hours]
    hourly: list[Floats] = []
    for number, mark in enumerate(marks):
        layer.until(mark * SECONDS, feedback.part(number / len(marks), (number + 1) / len(marks)), watch.look)
        hourly.append(layer.depth)
    columns = [np.array(column) for column in zip(*watch.rows, strict=True)]
    flux, speed = ([part / watch.weight for part in parts] for parts in (watch.flux, watch.speed))
    return Night(layer.depth, layer.deficit, speed[0], speed[1], np.hypot(*flux), watch.arrival, hourly, *columns)


@dataclass(frozen=True, eq=False)
class Dam:
    """A row of buildings that holds cold air back.

    Attributes
    ----------
    buildings : tuple of str
    cells : (ny, nx) bool
        Its walls.
    held : float [m3]
        Cold air near it that would not be there without any buildings.
    highest : float [m]
        Most of it.
    width : float [m]
        Of its walls across the flow.
    freed : float [m3]
        How much less is held near it when it alone is left out; not-a-number when that was not tried.
    """

    buildings: tuple[str, ...]
    cells: Bools
    held: float
    highest: float
    width: float
    freed: float = float("nan")


def find_dams(site: Site, night: Night, free: Night) -> tuple[list[Dam], Floats]:
    """Rows of touching buildings by the cold air they hold, the most first; and (ny, nx) depth held [m].

    `free` is the night on the same land without buildings.
    """
    from scipy.ndimage import distance_transform_edt, label

    walls = site.land.built > 0
    more = np.where(walls, 0.0, night.depth - free.depth)
    groups, count = label(walls, structure=np.ones((3, 3)))
    if count == 0:
        return [], more
    distance, (row, column) = distance_transform_edt(~walls, return_indices=True)
    owner = groups[row, column]
    own = (distance <= NEAR_WALL) & ~walls & (more > HELD)
    volume = np.bincount(owner[own], more[own], count + 1) * site.land.cell**2
    dams = []
    for number in np.argsort(-volume, kind="stable"):
        if volume[number] <= 0.0:
            break
        mine = own & (owner == number)
        cells = groups == number
        dams.append(
            Dam(
                _names(site, cells),
                cells,
                float(volume[number]),
                float(more[mine].max()),
                _width_across(site, cells, free, mine),
            )
        )
    return dams, more


def _names(site: Site, cells: Bools) -> tuple[str, ...]:
    rows = np.unique(site.building[cells])
    return tuple(str(site.names[row]) for row in rows if row >= 0)


def _width_across(site: Site, cells: Bools, free: Night, near: Bools) -> float:
    """Extent of a row of buildings across the flow that would be there without it [m]."""
    east, north = float((free.east * free.depth)[near].sum()), float((free.north * free.depth)[near].sum())
    size = np.hypot(east, north)
    row, column = np.nonzero(cells)
    if size == 0.0:
        return float(max(np.ptp(row), np.ptp(column)) + 1) * site.land.cell
    across = (-north * column + east * row) / size
    return float(np.ptp(across) + 1.0) * site.land.cell


def check_dam(site: Site, night: Night, dam: Dam, hours: float, *, mixing: bool, feedback: Feedback) -> float:
    """Cold air [m3] that goes when this row of buildings alone is left out, near it."""
    from scipy.ndimage import distance_transform_edt

    alone = run_night(without(site.land, dam.cells), site.inside, hours, mixing=mixing, feedback=feedback)
    near = (distance_transform_edt(~dam.cells) <= NEAR_WALL) & ~(site.land.built > 0)
    more = (night.depth - alone.depth)[near]
    return float(more[more > HELD].sum()) * site.land.cell**2
