"""How a city stands in the way of the wind without any flow: built share, frontal area by direction, roughness.

Frontal area: the walls that face the wind, projected across it, of a city of columns; a part of a wall that a
neighbour touches is no wall. Roughness: Macdonald, Griffiths and Hall 1998.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.wind import voxels
from analysis.wind.domain import Axes
from analysis.wind.terrain import Ground, heights
from geo.model import Feedback, UserError

Floats = NDArray[np.float64]

PACKING = 4.43  # A of Macdonald et al. for staggered arrays
DRAG = 1.2  # Cd
CORRECTION = 1.0  # beta
KARMAN = 0.4
LEAST_HEIGHT = 0.5  # [m] what is lower is no building
MOST_COLUMNS = 60_000_000


class Cells(NamedTuple):
    """Square cells of the result, row 0 south.

    Attributes
    ----------
    low : (2,) float [local m]
        South-west corner.
    shape : (rows, cols)
    size : float [m]
    """

    low: Floats
    shape: tuple[int, int]
    size: float

    def number(self, xy: Floats) -> NDArray[np.int64]:
        """(n,) flat number of the cell each position lies in, -1 outside."""
        place = np.floor((xy - self.low) / self.size).astype(np.int64)
        inside = ((place >= 0) & (place < np.array(self.shape[::-1]))).all(axis=1)
        return np.asarray(np.where(inside, place[:, 1] * self.shape[1] + place[:, 0], -1), dtype=np.int64)

    @property
    def total(self) -> int:
        """How many."""
        return self.shape[0] * self.shape[1]

    @property
    def middle(self) -> Floats:
        """(2,) of all [local m]."""
        return np.asarray(self.low + 0.5 * self.size * np.array(self.shape[::-1]))


class Form(NamedTuple):
    """The city's form in each cell; arrays (rows, cols) or (directions, rows, cols).

    Attributes
    ----------
    built : float [1]
        Plan area density lambda_p.
    height : float [m]
        Mean of the buildings by plan area, 0 without.
    frontal, podium : float [1]
        Frontal area index lambda_f by direction; `podium` of the lowest metres only.
    """

    built: Floats
    height: Floats
    frontal: Floats
    podium: Floats


def cells_over(low: Floats, high: Floats, size: float) -> Cells:
    """Cells that cover a rectangle, about its middle."""
    count = np.maximum(np.ceil((high - low) / size - 1e-9), 1.0)
    start = 0.5 * (low + high) - 0.5 * size * count
    return Cells(start, (int(count[1]), int(count[0])), size)


def form_of(
    solids: voxels.Solids, ground: Ground, cells: Cells, wind_from: Sequence[float], *, fine: float, podium: float,
    feedback: Feedback,
) -> Form:  # fmt: skip
    """Built share, heights and frontal areas.

    Parameters
    ----------
    wind_from : sequence of float [degrees]
        Clockwise from **grid** north; n directions evenly apart, n even: each raster serves two opposite ones.
    fine : float [m]
        Columns the city is cut into.
    podium : float [m]
        Height of the podium layer.
    """
    feet = heights(ground, solids.feet[:, :2]) if len(solids) else np.zeros(0)
    feet = np.where(np.isnan(feet), solids.low[:, 2], feet)
    solids = solids.without_walls()
    half = len(wind_from) // 2
    frontal, low_frontal = (np.zeros((len(wind_from), cells.total)) for _ in range(2))
    flat = _raster(solids, feet, Axes(0.0, cells.middle), cells, fine, feedback.part(0.0, 1.0 / (half + 1)))
    built, height = _plan_shares(*flat, cells, fine)
    for number in range(half):
        part = feedback.part((number + 1) / (half + 1), (number + 2) / (half + 1))
        axes = Axes(float((270.0 - wind_from[number]) % 360.0), cells.middle)
        above, place = _raster(solids, feet, axes, cells, fine, part)
        for store, tall in ((frontal, above), (low_frontal, np.minimum(above, podium))):
            store[number], store[number + half] = (_frontal(tall, place, cells, fine, way) for way in (1, -1))
        part.step(1.0, "frontal areas")
    shape = (len(wind_from), *cells.shape)
    return Form(built, height, frontal.reshape(shape), low_frontal.reshape(shape))


def _raster(
    solids: voxels.Solids, feet: Floats, axes: Axes, cells: Cells, fine: float, feedback: Feedback
) -> tuple[Floats, NDArray[np.int64]]:
    """Height of the buildings above their feet (ny, nx) [m], x along the axes, and the cell of each column."""
    reach = 0.5 * cells.size * float(np.hypot(*cells.shape))
    half = 0.5 * cells.size * np.array(cells.shape[::-1]) if axes.turn_deg == 0.0 else np.full(2, reach)
    half = fine * (np.ceil(half / fine - 1e-9) + (0 if axes.turn_deg == 0.0 else 2))
    if 4.0 * half[0] * half[1] / fine**2 > MOST_COLUMNS:
        raise _too_fine(cells, fine)
    x, y = (np.arange(-round(side / fine), round(side / fine) + 1) * fine for side in half)
    top, element = voxels.roofs(solids, axes, x, y, feedback)
    above = np.where(element >= 0, top - np.append(feet, 0.0)[element], 0.0)
    above = np.where(above >= LEAST_HEIGHT, above, 0.0)
    xx, yy = np.meshgrid(0.5 * (x[1:] + x[:-1]), 0.5 * (y[1:] + y[:-1]))
    place = cells.number(axes.to_scene(np.column_stack([xx.ravel(), yy.ravel()])))
    return above, place.reshape(above.shape)


def _too_fine(cells: Cells, fine: float) -> UserError:
    width, height = (side * cells.size / 1000.0 for side in cells.shape[::-1])
    return UserError(
        f"A raster of {fine:g} m over {width:.1f} x {height:.1f} km is too large.",
        f"It would have more than {MOST_COLUMNS // 10**6} million columns.",
        "Choose a larger raster, or a smaller area.",
        code="wind.morphology.too_fine",
        values={"fine": fine, "width": round(width, 1), "height": round(height, 1), "most": MOST_COLUMNS // 10**6},
    )


def _plan_shares(above: Floats, place: NDArray[np.int64], cells: Cells, fine: float) -> tuple[Floats, Floats]:
    """Built share and mean height of each cell."""
    built = (above > 0.0) & (place >= 0)
    count = np.bincount(place[built], minlength=cells.total)
    everything = np.bincount(place[place >= 0], minlength=cells.total)
    total = np.bincount(place[built], above[built], cells.total)
    share = count / np.maximum(everything, 1)
    height = np.divide(total, count, out=np.zeros(cells.total), where=count > 0)
    return share.reshape(cells.shape), height.reshape(cells.shape)


def _frontal(above: Floats, place: NDArray[np.int64], cells: Cells, fine: float, way: int) -> Floats:
    """(cells,) area that faces a wind along +x (`way` 1) or -x (-1) over the cell's area."""
    edge = np.zeros((len(above), 1))
    rise = np.diff(np.concatenate([edge, above, edge], axis=1), axis=1) * way
    facing = rise[:, :-1] if way > 0 else rise[:, 1:]  # of the column that stands up
    seen = (facing > 0.0) & (place >= 0)
    return np.asarray(np.bincount(place[seen], facing[seen] * fine, cells.total) / cells.size**2)


class Roughness(NamedTuple):
    """Of the surface a city makes: zero-plane displacement and roughness length [m]."""

    displacement: Floats
    length: Floats


def macdonald(built: Floats, frontal: Floats, height: Floats, *, ground: float) -> Roughness:
    """Roughness of buildings (Macdonald, Griffiths, Hall 1998, doi:10.1016/S1352-2310(97)00403-2).

    ``d/H = 1 + A^(-lambda_p) (lambda_p - 1)`` and
    ``z0/H = (1 - d/H) exp(-(0.5 beta Cd / kappa^2 (1 - d/H) lambda_f)^(-1/2))``.

    Parameters
    ----------
    built, frontal : float arrays
        lambda_p and lambda_f.
    height : float array [m]
        Mean height of the buildings.
    ground : float [m]
        Roughness length of the ground: the least there is.
    """
    share = 1.0 + PACKING ** (-built) * (built - 1.0)
    drag = 0.5 * CORRECTION * DRAG / KARMAN**2 * (1.0 - share) * frontal
    with np.errstate(divide="ignore"):
        length = (1.0 - share) * np.exp(-1.0 / np.sqrt(np.maximum(drag, 0.0)))
    return Roughness(np.asarray(share * height), np.asarray(np.maximum(length * height, ground)))
