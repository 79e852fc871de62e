"""Who breathes what: weights of people on the cells at breathing height, so that ``J = sum w c`` is their mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.dust.sources import columns_of
from analysis.wind.tunnel import AIR, GROUND, Tunnel
from geo.model import Issue, UserError

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

BREATHING = 1.5  # [m]
REACH = 40.0  # [m] from a place inside a building to the open ground whose air comes in; and two cells at least
LEAST_CELLS = 2.0


class Place(NamedTuple):
    """Where people are.

    Attributes
    ----------
    group, name : str
        Such as homes, schools, stops, parks.
    points : (n, 2) float [local m]
        All over the place; each takes an even part of the people.
    persons : float
    hours : float
        A day that they spend there, 24 for all of it.
    """

    group: str
    name: str
    points: Floats
    persons: float
    hours: float = 24.0


class Exposure(NamedTuple):
    """People on the cells.

    Attributes
    ----------
    cell : (m,) int64
        Flat numbers in (nz, ny, nx), rising, each once.
    weight : (m,) float
        Persons times hours, together 1.
    persons, lost : float
        Counted, and left out because they are outside or far from open ground; 0 where areas were taken.
    is_area : bool
        No people were given: every square metre of open ground in the study counts the same.
    """

    cell: Indices
    weight: Floats
    persons: float
    lost: float
    is_area: bool

    def mean(self, concentration: NDArray[Any]) -> float:
        """Mean over the people of a field (nz, ny, nx)."""
        return float((self.weight * concentration.reshape(-1)[self.cell]).sum(dtype=np.float64))

    def on(self, shape: tuple[int, int, int]) -> Floats:
        """(nz, ny, nx) the weights."""
        out = np.zeros(int(np.prod(shape)))
        out[self.cell] = self.weight
        return out.reshape(shape)


def breathing_cells(tunnel: Tunnel, height: float = BREATHING) -> Indices:
    """(ny, nx) flat number of the cell `height` above the ground of each column, -1 where that is no air."""
    nz, ny, nx = tunnel.shape
    ground = tunnel.z[np.argmin(tunnel.solid == GROUND, axis=0)]
    layer = np.clip(np.searchsorted(tunnel.z, ground + height, side="right") - 1, 0, nz - 1)
    rows, columns = np.indices((ny, nx))
    is_air = tunnel.solid[layer, rows, columns] == AIR
    return np.asarray(np.where(is_air, (layer * ny + rows) * nx + columns, -1), dtype=np.int64)


def exposure(places: Sequence[Place], tunnel: Tunnel, issues: list[Issue], *, height: float = BREATHING) -> Exposure:
    """Weights of the people, of the open ground of the study where there are none. Raises `UserError`.

    People inside a building breathe the air of the nearest open ground.
    """
    cells = breathing_cells(tunnel, height)
    counted = [place for place in places if place.persons > 0.0 and place.hours > 0.0 and len(place.points)]
    if not counted:
        issues.append(Issue("dust.no_people", "No people are given: the mean is over open ground.", "doubt"))
        return _by_area(cells, tunnel)
    found, weights, lost = [], [], 0.0
    for place, taken in zip(counted, _breathed(counted, cells, tunnel), strict=True):
        found.append(taken)
        weights.append(np.full(len(taken), place.persons * place.hours / len(place.points)))
        lost += place.persons * (1.0 - len(taken) / len(place.points))
    cell, number = np.unique(np.concatenate(found), return_inverse=True)
    if len(cell) == 0:
        raise _nobody(len(counted))
    weight = np.bincount(number, np.concatenate(weights)).astype(np.float64)
    persons = sum(place.persons for place in counted) - lost
    if lost > 0.0:
        message = f"{lost:.0f} people are outside the field or far from open ground and were left out."
        issues.append(Issue("dust.people_outside", message, "doubt", values={"lost": round(lost)}))
    return Exposure(cell.astype(np.int64), weight / weight.sum(), persons, lost, False)


def breathed(places: Sequence[Place], tunnel: Tunnel, *, height: float = BREATHING) -> list[Indices]:
    """Flat number of the cell whose air each point of each place breathes; points far from open ground are missing."""
    return _breathed(places, breathing_cells(tunnel, height), tunnel)


def _breathed(places: Sequence[Place], cells: Indices, tunnel: Tunnel) -> list[Indices]:
    nearest, distance = _nearest_open(cells, tunnel)
    dx, dy = np.diff(tunnel.x), np.diff(tunnel.y)
    found = []
    for place in places:
        ix, iy, inside = columns_of(place.points, tunnel)
        reach = np.maximum(REACH, LEAST_CELLS * np.maximum(dx[ix], dy[iy]))
        near = inside & (distance[iy, ix] <= reach)
        found.append(nearest[iy[near], ix[near]])
    return found


def _by_area(cells: Indices, tunnel: Tunnel) -> Exposure:
    """Every square metre of open ground in the window of the study."""
    west, south, east, north = tunnel.study
    x, y = 0.5 * (tunnel.x[1:] + tunnel.x[:-1]), 0.5 * (tunnel.y[1:] + tunnel.y[:-1])
    within = ((x > west) & (x < east))[None, :] & ((y > south) & (y < north))[:, None] & (cells >= 0)
    if not within.any():
        raise _nobody(0)
    area = (np.diff(tunnel.y)[:, None] * np.diff(tunnel.x)[None, :])[within]
    order = np.argsort(cells[within])
    return Exposure(cells[within][order], (area / area.sum())[order], 0.0, 0.0, True)


def _nearest_open(cells: Indices, tunnel: Tunnel) -> tuple[Indices, Floats]:
    """(ny, nx) breathing cell of the nearest open column and how far away it is [m]."""
    from scipy.spatial import KDTree

    x, y = 0.5 * (tunnel.x[1:] + tunnel.x[:-1]), 0.5 * (tunnel.y[1:] + tunnel.y[:-1])
    spots = np.stack(np.meshgrid(x, y), axis=-1)
    is_open = cells >= 0
    nearest, distance = cells.copy(), np.zeros(cells.shape)
    if is_open.any() and not is_open.all():
        far, number = KDTree(spots[is_open]).query(spots[~is_open])
        nearest[~is_open], distance[~is_open] = cells[is_open][number], far
    if not is_open.any():
        distance[:] = np.inf
    return nearest, distance


def _nobody(count: int) -> UserError:
    return UserError(
        "Nobody is inside this wind field.",
        f"All {count} places lie outside the field or far from open ground.",
        "Check the layer of the people, or calculate the wind around them.",
        code="dust.people.nobody",
        values={"count": count},
    )
