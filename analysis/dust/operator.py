"""Operator: the steady equations of dust in moving air, cell by cell, of second order and linear.

``sum over faces of (F c - D dc) + sink c = S``: F the volume flux, D the conductance of mixing [m3/s], c [ug/m3], S
[ug/s]. Upwind values with the correction of Fromm; the transpose is exact, so that one transposed solution tells what
an emission anywhere changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.dust.faces import Faces
from analysis.wind.crew import Crew
from geo.model import UserError

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

    from analysis.kernels.dust_transport import Fromm, Upwind, Weights

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Field = NDArray[Any]

GHOSTS = 2
INNER = (slice(GHOSTS, -GHOSTS),) * 3
SCHMIDT = 0.7  # published values reach from 0.2 to 1.3: always run 0.5 and 1.0 as well
LEAST_MIXING = 0.01  # [m2/s]


class Mixing(NamedTuple):
    """Turbulent Schmidt number and least diffusivity [m2/s]."""

    schmidt: float = SCHMIDT
    least: float = LEAST_MIXING


class Particle(NamedTuple):
    """Speeds of settling through the air and of deposition on the ground and on leaves [m/s]."""

    settling: float = 0.0
    deposition: float = 0.0

    def in_wind(self, ratio: float) -> Particle:
        """The speeds that stand for this particle where the wind is `ratio` times the one the faces hold.

        Concentrations then follow from sources divided by the ratio: ``(L(u) + vd / s) c = S / s``.
        """
        return Particle(self.settling / ratio, self.deposition / ratio)


USUAL_MIXING, PASSIVE = Mixing(), Particle()


@dataclass(frozen=True)
class Share:
    """Where dust enters and leaves the grid, per cell [m3/s]: arrays (nz, ny, nx) float64, made when asked for.

    ``inflow`` times the concentration outside enters; ``outflow`` and ``ground`` and ``leaves`` times that of the cell
    leave through the borders, to the surfaces below and to leaves.
    """

    faces: Faces
    particle: Particle
    leaf_area: NDArray[np.float32] | None = None

    @property
    def inflow(self) -> Floats:
        """What enters through the borders, where the concentration is that outside."""
        out = np.zeros(self.faces.shape)
        for border, entering in self._borders():
            out[border] += np.maximum(entering, 0.0)
        return out

    @property
    def outflow(self) -> Floats:
        """What leaves through the borders."""
        out = np.zeros(self.faces.shape)
        for border, entering in self._borders():
            out[border] += np.maximum(-entering, 0.0)
        return out

    @property
    def ground(self) -> Floats:
        """What settles and deposits on surfaces below cells of air."""
        speed, air = max(self.particle.deposition, self.particle.settling), self.faces.air
        out = np.zeros(self.faces.shape)
        if speed > 0.0:
            area = speed * self.faces.areas()[2][0]
            out[0] = area * air[0]
            np.multiply(air[1:] & ~air[:-1], area, out=out[1:])
        return out

    @property
    def leaves(self) -> Floats:
        """What deposits on leaves."""
        if self.leaf_area is None or self.particle.deposition == 0.0:
            return np.zeros(self.faces.shape)
        out = np.multiply(self.faces.volumes(), self.leaf_area)
        out *= self.particle.deposition
        out *= self.faces.air
        return out

    @property
    def sink(self) -> Floats:
        """All that leaves."""
        out = self.ground
        if self.leaf_area is not None and self.particle.deposition > 0.0:
            out += self.leaves
        for border, entering in self._borders():
            out[border] += np.maximum(-entering, 0.0)
        return out

    def _borders(self) -> list[tuple[tuple[Any, ...], Floats]]:
        """Cells of the six borders, and the flux that enters them [m3/s]; nothing settles through the ground here."""
        found = []
        fall = self.particle.settling * self.faces.areas()[2][0]
        for flux, axis in zip(self.faces[5:], (2, 1, 0), strict=True):
            for end, sign in ((0, 1.0), (-1, -1.0)):
                where: list[Any] = [slice(None)] * 3
                where[axis] = end
                entering = sign * np.where(self.faces.air[tuple(where)], flux[tuple(where)], 0.0)
                if axis == 0:  # through the top dust falls in; what settles on the ground is a sink
                    entering = 0.0 * entering if end == 0 else entering + fall * self.faces.air[-1]
                found.append((tuple(where), entering))
        return found


@dataclass(frozen=True)
class Operator:
    """The equations on one grid for one wind and one kind of particle.

    Attributes
    ----------
    faces : Faces
    air : (nz + 4, ny + 4, nx + 4) bool
        With ghosts, which are no air.
    upwind : Upwind
        First-order part.
    fromm : Fromm
    share : Share
    dtype : numpy.dtype
        float32 for maps, float64 for tests and interaction of purifiers.
    """

    faces: Faces
    air: Bools
    upwind: Upwind
    fromm: Fromm
    share: Share
    dtype: np.dtype[Any]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Cells: (nz, ny, nx)."""
        return self.faces.shape

    def field(self, values: NDArray[Any] | None = None) -> Field:
        """An array with ghosts: zeros, or `values` (nz, ny, nx) in the air."""
        out = np.zeros(self.air.shape, self.dtype)
        if values is not None:
            out[INNER] = np.where(self.air[INNER], values, 0.0)
        return out


def make_operator(
    faces: Faces,
    *,
    mixing: Mixing = USUAL_MIXING,
    particle: Particle = PASSIVE,
    leaf_area: NDArray[np.float32] | None = None,
    dtype: type[np.floating[Any]] = np.float32,
) -> Operator:
    """Equations from projected faces.

    Parameters
    ----------
    leaf_area : (nz, ny, nx) float32 [1/m], optional
        Leaf area density: leaves take ``leaf_area * deposition * volume``.
    """
    from analysis.kernels.dust_equations import low_faces
    from analysis.kernels.dust_transport import Fromm

    _check(mixing, particle)
    _check_faces(faces)
    air = np.zeros(tuple(n + 2 * GHOSTS for n in faces.shape), bool)
    air[INNER] = faces.air
    lo, hi, second = (tuple(np.zeros(air.shape, dtype) for _ in range(3)) for _ in range(3))
    share = Share(faces, particle, leaf_area)
    numbers = float(mixing.schmidt), float(mixing.least), float(particle.settling)
    with Crew() as crew:
        crew.rows(low_faces, air.shape, faces[5:], faces.viscosity, air, faces.widths, numbers, lo, hi, second)
        upwind = upwind_part(lo, hi, _ghosted(share.sink, air.shape, dtype), air, crew)
    along_x, along_y, along_z = (_weights(width, dtype) for width in faces.widths)
    fromm = Fromm(second[0], second[1], second[2], along_x, along_y, along_z)
    return Operator(faces, air, upwind, fromm, share, np.dtype(dtype))


def upwind_part(lo: Sequence[Field], hi: Sequence[Field], sink: Field, air: Bools, crew: Crew) -> Upwind:
    """The first-order part: the diagonal is what leaves a cell, 1 in solids and ghosts. All arrays with ghosts."""
    from analysis.kernels.dust_equations import diagonals
    from analysis.kernels.dust_transport import Upwind

    equations = Upwind(lo[0], hi[0], lo[1], hi[1], lo[2], hi[2], np.ones(air.shape, sink.dtype))
    crew.rows(diagonals, air.shape, equations, sink, air)
    return equations


def _ghosted(values: NDArray[Any], shape: tuple[int, ...], dtype: type[np.floating[Any]]) -> Field:
    out = np.zeros(shape, dtype)
    out[INNER] = values
    return out


def _weights(width: Floats, dtype: type[np.floating[Any]]) -> Weights:
    """Half the way from the upwind centre to the face, over the distances of the centres, by the cell after a face."""
    from analysis.kernels.dust_transport import Weights

    h = np.pad(width, GHOSTS, mode="edge")
    out = np.zeros((4, len(h)), dtype)
    at = np.arange(GHOSTS, len(h) - 1)
    before, here, second, after = h[at - 1], h[at], h[at - 2], h[at + 1]
    out[:, at] = (
        before / (2 * (before + here)),
        before / (2 * (second + before)),
        here / (2 * (before + here)),
        here / (2 * (here + after)),
    )
    return Weights(*out)


def assembled(operator: Operator) -> csr_matrix:
    """The same equations as a sparse matrix over all cells, 1 on the diagonal of solids; for checks and small grids."""
    from scipy.sparse import coo_matrix

    shape = operator.shape
    number = np.full(operator.air.shape, -1)
    number[INNER] = np.arange(np.prod(shape)).reshape(shape)
    rows, columns, values = [], [], []

    def put(row: Field, column: Field, value: Field) -> None:
        known = (row >= 0) & (column >= 0) & (value != 0)
        rows.append(row[known])
        columns.append(column[known])
        values.append(value[known].astype(np.float64))

    put(number, number, operator.upwind.diagonal)
    for axis, lo, hi, flux, weights in _axes(operator):
        shifted = [np.roll(number, by, axis) for by in (2, 1, 0, -1)]  # ghosts are -1: nothing comes round
        far, low, high, beyond = shifted
        put(high, low, -lo)
        put(low, high, -hi)
        form = [-1 if a == axis else 1 for a in range(3)]
        a, b, c, d = (np.where(np.isfinite(w), w, 0.0).reshape(form) for w in weights)
        forth, back = np.maximum(flux, 0), np.minimum(flux, 0)
        for row, sign in ((low, 1.0), (high, -1.0)):
            put(row, high, sign * (forth * a + back * (d - c)))
            put(row, low, sign * (forth * (b - a) + back * c))
            put(row, far, -sign * forth * b)
            put(row, beyond, -sign * back * d)
    count = int(np.prod(shape))
    flat = (np.concatenate(rows), np.concatenate(columns))
    return coo_matrix((np.concatenate(values), flat), shape=(count, count)).tocsr()


def _axes(operator: Operator) -> list[tuple[int, Field, Field, Field, Weights]]:
    first, second = operator.upwind, operator.fromm
    return [
        (2, first.east_lo, first.east_hi, second.east, second.along_x),
        (1, first.north_lo, first.north_hi, second.north, second.along_y),
        (0, first.up_lo, first.up_hi, second.up, second.along_z),
    ]


def _check_faces(faces: Faces) -> None:
    for name, values in (("east", faces.east), ("north", faces.north), ("up", faces.up),
                         ("viscosity", faces.viscosity)):  # fmt: skip
        if not np.isfinite(values.sum()):
            raise UserError(
                "The wind result cannot carry dust.",
                f"It holds values that are no numbers ({name}).",
                "Calculate the wind again.",
                code="dust.no_numbers",
                values={"name": name},
            )


def _check(mixing: Mixing, particle: Particle) -> None:
    for name, value, positive in (
        ("schmidt", mixing.schmidt, True),
        ("least", mixing.least, True),
        ("settling", particle.settling, False),
        ("deposition", particle.deposition, False),
    ):
        if not np.isfinite(value) or value < 0.0 or (positive and value == 0.0):
            raise UserError(
                "Dust cannot be calculated with these numbers.",
                f"{name} is {value:g}; it must be a number {'above' if positive else 'not below'} zero.",
                "Correct it.",
                code="dust.number",
                values={"name": name, "value": value},
            )
