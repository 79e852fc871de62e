"""Operator: the steady equations of dust in moving air, cell by cell, of second order and linear.

``sum over faces of (F c - D dc) + sink c = S``: F the volume flux, D the conductance of mixing [m3/s], c [ug/m3], S
[ug/s]. Upwind values with the correction of Fromm; the transpose is exact, so that one transposed solution tells what
an emission anywhere changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.dust.faces import Faces, open_faces
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


class Share(NamedTuple):
    """Where dust enters and leaves the grid, per cell [m3/s], (nz, ny, nx) float64.

    ``inflow`` times the concentration outside enters; ``outflow`` and ``ground`` and ``leaves`` times that of the cell
    leave through the borders, to the surfaces below and to leaves.
    """

    inflow: Floats
    outflow: Floats
    ground: Floats
    leaves: Floats

    @property
    def sink(self) -> Floats:
        """All that leaves."""
        return self.outflow + self.ground + self.leaves


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
    _check(mixing, particle)
    fluxes = _fluxes(faces, particle.settling)
    passing = _conductances(faces, mixing)
    share = _share(faces, fluxes, particle, leaf_area)
    parts = [(np.maximum(f, 0.0) + d, np.maximum(-f, 0.0) + d) for f, d in zip(fluxes.inner, passing, strict=True)]
    air = np.zeros(tuple(n + 2 * GHOSTS for n in faces.shape), bool)
    air[INNER] = faces.air
    return Operator(
        faces, air, upwind_part(parts, share.sink, faces.air, dtype), _fromm(faces, fluxes.inner, dtype), share,
        np.dtype(dtype),
    )  # fmt: skip


class _Fluxes(NamedTuple):
    """Fluxes with settling: all of them, and without the borders and walls (those are 0)."""

    all: list[Floats]
    inner: list[Floats]


def _fluxes(faces: Faces, settling: float) -> _Fluxes:
    whole, inner = [], []
    for flux, axis, fall, area in zip(faces[5:], (2, 1, 0), (0.0, 0.0, settling), faces.areas(), strict=True):
        passable = open_faces(faces.air, axis)
        moved = np.where(passable, flux - fall * area, 0.0)
        if axis == 0:
            moved[0] = 0.0  # what settles on the ground is a sink
        whole.append(moved)
        kept = moved.copy()
        _ends(kept, axis, 0.0)
        inner.append(kept)
    return _Fluxes(whole, inner)


def _ends(a: Floats, axis: int, value: float) -> None:
    for end in (0, -1):
        where: list[Any] = [slice(None)] * 3
        where[axis] = end
        a[tuple(where)] = value


def _conductances(faces: Faces, mixing: Mixing) -> list[Floats]:
    """Area times diffusivity over distance [m3/s] of the faces between two cells of air, elsewhere 0."""
    diffusivity = np.maximum(faces.viscosity / mixing.schmidt, mixing.least)
    out = []
    for axis, area, width in zip((2, 1, 0), faces.areas(), faces.widths, strict=True):
        low, high = [slice(None)] * 3, [slice(None)] * 3
        low[axis], high[axis] = slice(None, -1), slice(1, None)
        between = (faces.air[tuple(low)] & faces.air[tuple(high)]) * 0.5
        mean = between * (diffusivity[tuple(low)] + diffusivity[tuple(high)])
        distance = ((width[1:] + width[:-1]) / 2).reshape([-1 if a == axis else 1 for a in range(3)])
        out.append(np.pad(mean * area / distance, [(1, 1) if a == axis else (0, 0) for a in range(3)]))
    return out


def _share(faces: Faces, fluxes: _Fluxes, particle: Particle, leaf_area: NDArray[np.float32] | None) -> Share:
    inflow, outflow = np.zeros(faces.shape), np.zeros(faces.shape)
    for flux, axis in zip(fluxes.all, (2, 1, 0), strict=True):
        for end, sign in ((0, 1.0), (-1, -1.0)):
            where: list[Any] = [slice(None)] * 3
            where[axis] = end
            entering = sign * flux[tuple(where)]
            inflow[tuple(where)] += np.maximum(entering, 0.0)
            outflow[tuple(where)] += np.maximum(-entering, 0.0)
    solid_below = np.ones(faces.shape, bool)
    solid_below[1:] = ~faces.air[:-1]
    ground = max(particle.deposition, particle.settling) * faces.areas()[2] * (faces.air & solid_below)
    leaves = np.zeros(faces.shape)
    if leaf_area is not None:
        leaves = particle.deposition * leaf_area * faces.volumes() * faces.air
    return Share(inflow * faces.air, outflow * faces.air, ground, leaves)


def upwind_part(parts: list[tuple[Floats, Floats]], sink: Floats, air: Bools, dtype: type[np.floating[Any]]) -> Upwind:
    """Arrays with ghosts; the diagonal is what leaves a cell, 1 in solids and ghosts."""
    from analysis.kernels.dust_transport import Upwind

    diagonal = sink.copy()
    arrays: list[Field] = []
    for (lo, hi), axis in zip(parts, (2, 1, 0), strict=True):
        first, last = [slice(None)] * 3, [slice(None)] * 3
        first[axis], last[axis] = slice(None, -1), slice(1, None)
        diagonal += lo[tuple(last)] + hi[tuple(first)]
        arrays += [_ghosted(lo, air.shape, dtype), _ghosted(hi, air.shape, dtype)]
    whole = np.ones(tuple(n + 2 * GHOSTS for n in air.shape), dtype)
    whole[INNER] = np.where(air & (diagonal > 0.0), diagonal, 1.0)
    east_lo, east_hi, north_lo, north_hi, up_lo, up_hi = arrays
    return Upwind(east_lo, east_hi, north_lo, north_hi, up_lo, up_hi, whole)


def _ghosted(values: Floats, shape: tuple[int, ...], dtype: type[np.floating[Any]]) -> Field:
    out = np.zeros(tuple(n + 2 * GHOSTS for n in shape), dtype)
    out[tuple(slice(GHOSTS, GHOSTS + n) for n in values.shape)] = values
    return out


def _fromm(faces: Faces, fluxes: list[Floats], dtype: type[np.floating[Any]]) -> Fromm:
    """Fluxes where the second cell upwind is air, with the weights of the axes."""
    from analysis.kernels.dust_transport import Fromm

    kept = []
    for flux, axis in zip(fluxes, (2, 1, 0), strict=True):
        padded = np.pad(faces.air, [(2, 2) if a == axis else (0, 0) for a in range(3)])
        behind, beyond = [slice(None)] * 3, [slice(None)] * 3
        behind[axis], beyond[axis] = slice(None, -3), slice(3, None)
        second = np.where(flux > 0.0, padded[tuple(behind)], padded[tuple(beyond)])
        kept.append(_ghosted(np.where(second, flux, 0.0), faces.shape, dtype))
    east, north, up = kept
    along_x, along_y, along_z = (_weights(width, dtype) for width in faces.widths)
    return Fromm(east, north, up, along_x, along_y, along_z)


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
