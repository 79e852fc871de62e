"""Points that stay while a building moves: open ground, and cells of walls and roofs, with what can change on them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.kernels import sun
from analysis.kernels.rays import SunTime
from analysis.kernels.sampling import FaceCells, GroundPoints
from analysis.kernels.sampling_parts import cells_of_faces
from analysis.kernels.swept import Met, Solid, SunBits
from analysis.sunlight.city import City, element_count
from analysis.sunlight.day import Day
from analysis.sunlight.declaration import Sampling
from analysis.sunlight.ground import _cells_on_the_ground, is_open_ground
from analysis.sunlight.surfaces import SORTS, _selected, _sky_directions
from geo.model import Feedback, Mesh

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Bools = NDArray[np.bool_]

IN_VIEW = 0.02  # n . d above which a direction of the sky counts as in front of a wall, as in `surfaces`


class Changed(NamedTuple):
    """New hours of points that can have changed.

    Attributes
    ----------
    index : (k,) int64
        Ground: flat number of the cell in the grid. Walls and roofs: number of the cell that stays.
    total, longest : (k,) float [h]
        Not-a-number where the point is gone: under the building, or without any sky.
    """

    index: Indices  # type: ignore[assignment]  # the name of a method of tuples
    total: Floats
    longest: Floats


class Shaded(NamedTuple):
    """What a building does to points from one place.

    Attributes
    ----------
    met : Met
        Points that it shades, and when.
    total, longest : (k,) float [h]
        Hours of those points.
    asked : (q,) int64
        Points whose presence the building decides.
    present : (q,) bool
    """

    met: Met
    total: Floats
    longest: Floats
    asked: Indices
    present: Bools


class _Points:
    """Points with bits, their hours without the building, and whether they are there without it."""

    def __init__(self, bits: SunBits, weights: Floats, present: Bools) -> None:
        self.bits, self.weights, self.present = bits, weights, present
        self.total, self.longest = bits.time(None, np.zeros_like(bits.free), weights)

    def shaded(self, met: Met, asked: Indices, present: Bools) -> Shaded:
        """The hours of points met."""
        total, longest = self.bits.time(met.point, met.bits, self.weights)
        return Shaded(met, total, longest, asked, present)

    def change(self, old: Shaded, new: Shaded) -> Changed:
        """Points, by their own number, that the building can have changed from one place to the other."""
        union = np.unique(np.concatenate([old.met.point, new.met.point, old.asked, new.asked]))
        was, there = self._presence(union, old), self._presence(union, new)
        met = np.isin(union, old.met.point) | np.isin(union, new.met.point)
        keep = (was != there) | (met & there)
        union, there = union[keep], there[keep]
        total, longest = self._hours(union, new)
        return Changed(union, np.where(there, total, np.nan), np.where(there, longest, np.nan))

    def hours(self, state: Shaded) -> tuple[Floats, Floats, Bools]:
        """Total and longest run of all points, and whether each is there."""
        total, longest, present = self.total.copy(), self.longest.copy(), self.present.copy()
        total[state.met.point], longest[state.met.point] = state.total, state.longest
        present[state.asked] = state.present
        return total, longest, present

    def _presence(self, points: Indices, state: Shaded) -> Bools:
        out = self.present[points]
        place, found = _places(points, state.asked)
        out[found] = state.present[place[found]]
        return out

    def _hours(self, points: Indices, state: Shaded) -> tuple[Floats, Floats]:
        total, longest = self.total[points], self.longest[points]
        place, found = _places(points, state.met.point)
        total[found], longest[found] = state.total[place[found]], state.longest[place[found]]
        return total, longest


def _places(points: Indices, among: Indices) -> tuple[Indices, Bools]:
    """Where points lie in the sorted array `among`, and whether they do."""
    if len(among) == 0:
        return np.zeros(len(points), dtype=np.int64), np.zeros(len(points), dtype=bool)
    place = np.minimum(np.searchsorted(among, points), len(among) - 1)
    return place, np.asarray(among[place] == points)


class StandingGround:
    """All cells of the ground, also those under buildings.

    Parameters
    ----------
    city : City
        Without what moves.
    params : Sampling
    day : Day
    feedback : Feedback
    """

    def __init__(self, city: City, params: Sampling, day: Day, feedback: Feedback) -> None:
        self.cells: GroundPoints = _cells_on_the_ground(city, params)
        is_open = is_open_ground(city, self.cells.points, feedback.part(0.0, 0.2))
        bits = SunBits(city.occluder, self.cells.points, day.towards_sun, feedback=feedback.part(0.2, 1.0))
        self.points = _Points(bits, day.instants.weights, is_open)

    def shaded(self, city: City, solid: Solid, boxes: list[Mesh], feedback: Feedback) -> Shaded:
        """What the solid does from its place; `city` has it, `boxes` are the meshes that move."""
        asked = self._below(boxes)
        present = is_open_ground(city, self.cells.points[asked], feedback.part(0.0, 0.2))
        met = self.points.bits.meeting(solid, feedback.part(0.2, 1.0))
        return self.points.shaded(met, asked, present)

    def _below(self, meshes: list[Mesh]) -> Indices:
        """Points straight above or below the boxes of meshes, and a hand's breadth around."""
        found = np.zeros(len(self.cells.points), dtype=bool)
        x, y = self.cells.points[:, 0], self.cells.points[:, 1]
        for box in (mesh.bounds for mesh in meshes):
            if box is not None:
                inside = (x > box.low[0] - 0.1) & (x < box.high[0] + 0.1)
                found |= inside & (y > box.low[1] - 0.1) & (y < box.high[1] + 0.1)
        return np.flatnonzero(found)

    def change(self, old: Shaded, new: Shaded) -> Changed:
        """Cells of the grid that can have changed."""
        found = self.points.change(old, new)
        return found._replace(index=self.cells.number[found.index])

    def hours(self, state: Shaded) -> tuple[GroundPoints, SunTime]:
        """Open ground and its hours, as the full study has them."""
        total, longest, present = self.points.hours(state)
        cells = self.cells._replace(points=self.cells.points[present], number=self.cells.number[present])
        rays = int(present.sum()) * len(self.points.bits.ways)
        return cells, SunTime(total[present], longest[present], rays)


class StandingCells:
    """Cells of the walls (``facades``) or ``roofs`` of all that stays.

    Cells of BIM models that see no sky are left out; whether they do can hang on the building that moves.
    """

    def __init__(self, city: City, params: Sampling, name: str, day: Day, feedback: Feedback) -> None:
        feedback.step(0.0, "cutting the facades into cells")
        cells = cells_of_faces(_selected(city, SORTS[name]), params.facade_spacing, feedback=feedback.part(0.0, 0.2))
        bim = np.flatnonzero(np.isin(cells.element, _bim_elements(city)))
        self.sky: SunBits | None = None
        if len(bim):
            cells, bim = self._with_sky(city, cells, bim, feedback.part(0.2, 0.5))
        self.cells: FaceCells = cells
        self._bim = bim
        bits = SunBits(
            city.occluder, cells.points, day.towards_sun, normals=cells.normals, feedback=feedback.part(0.5, 1.0)
        )
        self.points = _Points(bits, day.instants.weights, np.ones(len(cells.area), dtype=bool))

    def _with_sky(self, city: City, cells: FaceCells, bim: Indices, feedback: Feedback) -> tuple[FaceCells, Indices]:
        """Cells without those that never see the sky, and which of them are of BIM models."""
        ways = np.concatenate([sun.sun_vectors(*spot) for spot in _sky_directions()])
        sky = SunBits(
            city.occluder, cells.points[bim], ways, normals=cells.normals[bim], least=IN_VIEW, feedback=feedback
        )
        keep = np.ones(len(cells.area), dtype=bool)
        keep[bim] = sky.free.any(axis=1)
        self.sky = sky
        self._sky_number = np.flatnonzero(keep[bim])
        return cells.kept(keep), np.flatnonzero(np.isin(np.flatnonzero(keep), bim))

    def shaded(self, solid: Solid, feedback: Feedback) -> Shaded:
        """What the solid does from its place."""
        asked, present = self._bim[:0], np.zeros(0, dtype=bool)
        if self.sky is not None:
            met = self.sky.meeting(solid, feedback.part(0.0, 0.2))
            dark = met.point[~(self.sky.free[met.point] & ~met.bits).any(axis=1)]
            place, found = _places(dark, self._sky_number)
            asked = self._bim[place[found]]
            present = np.zeros(len(asked), dtype=bool)
        met = self.points.bits.meeting(solid, feedback.part(0.2, 1.0))
        return self.points.shaded(met, asked, present)

    def change(self, old: Shaded, new: Shaded) -> Changed:
        """Cells that can have changed."""
        return self.points.change(old, new)

    def hours(self, state: Shaded) -> tuple[SunTime, Bools]:
        """Hours of the cells that see the sky, and (n,) which these are."""
        total, longest, present = self.points.hours(state)
        rays = int(self.points.bits.front[present].sum(dtype=np.int64))
        return SunTime(total[present], longest[present], rays), present


def _bim_elements(city: City) -> Indices:
    """Numbers of the elements of BIM models through all building layers."""
    first, found = 0, [np.zeros(0, dtype=np.int64)]
    for layer, mesh, _ in city.buildings:
        count = element_count(layer, mesh)
        if layer.theme == "bim":
            found.append(np.arange(first, first + count))
        first += count
    return np.concatenate(found)
