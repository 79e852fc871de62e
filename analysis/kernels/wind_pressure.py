"""Geometric multigrid for the potential of the projection: smoothing along vertical lines, restriction, prolongation.

Import this module inside functions: it loads Numba. Solves ``sum over faces of c (phi - phi_neighbour) = source`` on
the cells of a Cartesian grid with solids; c is open area over the distance of the centres [m]. Two ghost cells on every
side, the same index as the fields of the flow; cells beyond an outlet hold zero.

Trottenberg, U., Oosterlee, C. W. and Schueller, A. (2001), Multigrid, Academic Press, ch. 5 (line smoothing).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from analysis.kernels import wind_vectors  # noqa: F401  must come before the first compilation

Singles = NDArray[np.float32]
Floats = NDArray[np.float64]
Share = Callable[..., None]  # runs kernel(low, high, *arguments) over all rows, shared among threads

COARSEST_SWEEPS = 16
SMALLEST = 4  # cells in x and y of the coarsest level at most
NEAR, FAR = np.float32(0.75), np.float32(0.25)
SINGULAR = 1e-6  # pivots smaller than this share of the diagonal belong to cells without a way out


class Level(NamedTuple):
    """One level: conductances of the low faces [m], inverse pivots of the vertical lines, unknown and source."""

    east: Singles
    north: Singles
    up: Singles
    pivot: Singles
    phi: Singles
    source: Singles
    even: Singles  # 1, 0, 1, 0 ... along x


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def smooth_lines(low: int, high: int, colour: int, level: Level) -> None:
    """Solve the vertical lines of one colour, (i + j) mod 2, in rows low to high, all others held."""
    nz, nx = level.phi.shape[0] - 4, level.phi.shape[2] - 4
    line = np.zeros((nz + 1, nx), np.float32)
    for j in range(low, high):
        mine = level.even[(j + colour) % 2 :]
        for z in range(nz):
            k = z + 2
            phi_w, phi_e = level.phi[k, j][1:], level.phi[k, j][3:]
            phi_s, phi_n, source = level.phi[k, j - 1][2:], level.phi[k, j + 1][2:], level.source[k, j][2:]
            cw, ce, cs, cn = (
                level.east[k, j][2:],
                level.east[k, j][3:],
                level.north[k, j][2:],
                level.north[k, j + 1][2:],
            )
            cb, pivot, out = level.up[k, j][2:], level.pivot[k, j][2:], line[z]
            below = line[z - 1] if z > 0 else line[nz]
            for i in range(nx):
                around = cw[i] * phi_w[i] + ce[i] * phi_e[i] + cs[i] * phi_s[i] + cn[i] * phi_n[i]
                out[i] = (source[i] + around + cb[i] * below[i]) * pivot[i]
        for z in range(nz - 1, -1, -1):
            k = z + 2
            phi, ct, pivot, out, above = (
                level.phi[k, j][2:], level.up[k + 1, j][2:], level.pivot[k, j][2:], line[z], line[z + 1],
            )  # fmt: skip
            for i in range(nx):
                out[i] += ct[i] * pivot[i] * above[i]
                phi[i] = out[i] if mine[i] > 0 else phi[i]


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def residual_row(k: int, j: int, level: Level, out: Singles) -> None:
    """What the equation of each cell of a row lacks."""
    west, here, east = level.phi[k, j][1:], level.phi[k, j][2:], level.phi[k, j][3:]
    south, north, source = level.phi[k, j - 1][2:], level.phi[k, j + 1][2:], level.source[k, j][2:]
    below, above = level.phi[k - 1, j][2:], level.phi[k + 1, j][2:]
    cw, ce, cs, cn = level.east[k, j][2:], level.east[k, j][3:], level.north[k, j][2:], level.north[k, j + 1][2:]
    cb, ct = level.up[k, j][2:], level.up[k + 1, j][2:]
    for i in range(level.phi.shape[2] - 4):
        gone = cw[i] * (here[i] - west[i]) + ce[i] * (here[i] - east[i]) + cs[i] * (here[i] - south[i])
        gone += cn[i] * (here[i] - north[i]) + cb[i] * (here[i] - below[i]) + ct[i] * (here[i] - above[i])
        out[i] = source[i] - gone


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def restrict(low: int, high: int, fine: Level, coarse: Level) -> None:
    """Sum the residuals of the fine cells in each coarse cell of the coarse rows low to high; start from zero there."""
    nz, ny, nx = fine.phi.shape[0] - 4, fine.phi.shape[1] - 4, fine.phi.shape[2] - 4
    row, total = np.empty(nx, np.float32), np.empty(nx + 1, np.float32)
    for k in range(2, coarse.phi.shape[0] - 2):
        for j in range(low, high):
            total[:] = 0
            for kk in range(2 * k - 2, min(2 * k, nz + 2)):
                for jj in range(2 * j - 2, min(2 * j, ny + 2)):
                    residual_row(kk, jj, fine, row)
                    for i in range(nx):
                        total[i] += row[i]
            source, phi = coarse.source[k, j][2:], coarse.phi[k, j]
            for i in range((nx + 1) // 2):
                source[i] = total[2 * i] + total[2 * i + 1]
            phi[:] = 0


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def prolong(low: int, high: int, fine: Level, coarse: Level) -> None:
    """Add the coarse correction to the fine rows low to high, trilinear; solid neighbours lend the own value."""
    nz, nx = fine.phi.shape[0] - 4, fine.phi.shape[2] - 4
    nc = (nx + 1) // 2
    mixed = np.empty(nc, np.float32)
    for z in range(nz):
        k = z // 2 + 2
        kn = k + 2 * (z % 2) - 1
        for j in range(low, high):
            y = j - 2
            jc = y // 2 + 2
            jn = jc + 2 * (y % 2) - 1
            a, b, c, d = coarse.phi[k, jc][2:], coarse.phi[k, jn][2:], coarse.phi[kn, jc][2:], coarse.phi[kn, jn][2:]
            pb, pc, pd = coarse.pivot[k, jn][2:], coarse.pivot[kn, jc][2:], coarse.pivot[kn, jn][2:]
            for i in range(nc):
                vb = b[i] if pb[i] > 0 else a[i]
                vc = c[i] if pc[i] > 0 else a[i]
                vd = d[i] if pd[i] > 0 else a[i]
                mixed[i] = NEAR * (NEAR * a[i] + FAR * vb) + FAR * (NEAR * vc + FAR * vd)
            own, phi, pivot = coarse.pivot[k, jc][2:], fine.phi[z + 2, j][2:], fine.pivot[z + 2, j][2:]
            for i in range(nx):
                half = i // 2
                beside = half + 2 * (i % 2) - 1
                if pivot[i] > 0:
                    near = mixed[half]
                    far = mixed[beside] if 0 <= beside < nc and own[beside] > 0 else near
                    phi[i] += NEAR * near + FAR * far


class Hierarchy:
    """All levels for one geometry.

    Parameters
    ----------
    air : (nz, ny, nx) bool
    widths : (x, y, z) float64 [m]
    outlets : (east, north) bool
        Sides where the potential is zero half a cell beyond the last centre. All others are closed.
    share : callable
        Runs a kernel over rows.
    """

    def __init__(self, air: NDArray[np.bool_], widths: tuple[Floats, Floats, Floats], *, outlets: tuple[bool, bool],
                 share: Share) -> None:  # fmt: skip
        self._share = share
        self.levels: list[Level] = []
        areas = _open_areas(air, widths, outlets)
        while True:
            self.levels.append(_level(areas, widths))
            nz, ny, nx = (len(w) for w in (widths[2], widths[1], widths[0]))
            if max(nx, ny) <= SMALLEST:
                return
            areas = _coarser_areas(areas, (nz, ny, nx))
            widths = (_pairs(widths[0], 0), _pairs(widths[1], 0), _pairs(widths[2], 0))

    @property
    def finest(self) -> Level:
        """Where the source is put in and the potential read."""
        return self.levels[0]

    def cycle(self, *, before: int = 2, after: int = 1) -> None:
        """One V-cycle from what `finest.phi` holds."""
        for fine, coarse in zip(self.levels, self.levels[1:], strict=False):
            self._smooth(fine, before, False)
            self._share(restrict, coarse.phi.shape, fine, coarse)
        self._smooth(self.levels[-1], COARSEST_SWEEPS, False)
        for fine, coarse in zip(self.levels[-2::-1], self.levels[:0:-1], strict=False):
            self._share(prolong, fine.phi.shape, fine, coarse)
            self._smooth(fine, after, True)

    def _smooth(self, level: Level, sweeps: int, backward: bool) -> None:
        for _ in range(sweeps):
            for colour in (1, 0) if backward else (0, 1):
                self._share(smooth_lines, level.phi.shape, colour, level)

    def residual(self) -> Singles:
        """Residual of the finest level, with ghosts."""
        out = np.zeros_like(self.finest.phi)
        self._share(_residual_rows, out.shape, self.finest, out)
        return out

    def solve(self, tolerance: float, *, most: int = 100) -> int:
        """Conjugate gradients with the cycle as preconditioner, from zero; sums in float64.

        tolerance : float
            Norm of the residual over that of the source. Returns the number of iterations.
        """
        level = self.finest
        source = level.source.copy()
        answer, direction = np.zeros_like(source), np.zeros_like(source)
        residual = np.where(level.pivot > 0, source, np.float32(0))
        goal = tolerance * _norm(residual)
        before = 1.0
        old = np.zeros_like(source)
        count = 0
        while count < most and _norm(residual) > goal:
            level.source[:] = residual
            level.phi[:] = 0
            self.cycle()
            turned = level.phi
            now = _dot(turned, residual)
            share = (now - _dot(turned, old)) / before if count else 0.0  # flexible: the cycle is not symmetric
            direction = turned + np.float32(share) * direction
            level.phi[:] = direction
            level.source[:] = 0
            carried = -self.residual()
            step = np.float32(now / _dot(direction, carried))
            answer += step * direction
            old, residual = residual, residual - step * carried
            before = now
            count += 1
        level.source[:], level.phi[:] = source, answer
        return count


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def _residual_rows(low: int, high: int, level: Level, out: Singles) -> None:
    for k in range(2, level.phi.shape[0] - 2):
        for j in range(low, high):
            residual_row(k, j, level, out[k, j][2:])


def _dot(a: Singles, b: Singles) -> float:
    """In float64, not by the library for matrices: its threads wait for each other and take ten times as long."""
    return float(sum(np.einsum("i,i->", x.ravel(), y.ravel(), dtype=np.float64) for x, y in zip(a, b, strict=True)))


def _norm(a: Singles) -> float:
    return float(np.sqrt(_dot(a, a)))


def _pairs(a: NDArray[Any], axis: int) -> NDArray[Any]:
    """Sums of neighbours two by two along an axis; an odd last one stays alone."""
    return np.add.reduceat(a, np.arange(0, a.shape[axis], 2), axis=axis)


def _open_areas(
    air: NDArray[np.bool_], widths: tuple[Floats, Floats, Floats], outlets: tuple[bool, bool]
) -> list[Singles]:
    """Open area of the low faces in x, y, z [m2], with the last faces: one more along the face's own axis."""
    dx, dy, dz = (np.asarray(w, np.float32) for w in widths)
    nz, ny, nx = air.shape
    x, y, z = (
        np.zeros((nz, ny, nx + 1), np.float32),
        np.zeros((nz, ny + 1, nx), np.float32),
        np.zeros((nz + 1, ny, nx), np.float32),
    )
    x[:, :, 1:-1] = (air[:, :, 1:] & air[:, :, :-1]) * (dz[:, None, None] * dy[None, :, None])
    y[:, 1:-1] = (air[:, 1:] & air[:, :-1]) * (dz[:, None, None] * dx[None, None, :])
    z[1:-1] = (air[1:] & air[:-1]) * (dy[None, :, None] * dx[None, None, :])
    if outlets[0]:
        x[:, :, -1] = air[:, :, -1] * (dz[:, None] * dy[None, :])
    if outlets[1]:
        y[:, -1] = air[:, -1] * (dz[:, None] * dx[None, :])
    return [x, y, z]


def _coarser_areas(areas: list[Singles], shape: tuple[int, int, int]) -> list[Singles]:
    """Open areas of the next level: every second face, and the last; summed over the four faces in it."""
    out = []
    for area, axis in zip(areas, (2, 1, 0), strict=True):
        keep = [*range(0, shape[axis], 2), shape[axis]]
        kept = np.take(area, keep, axis=axis)
        for other in {0, 1, 2} - {axis}:
            kept = _pairs(kept, other)
        out.append(np.asarray(kept, np.float32))
    return out


def _level(areas: list[Singles], widths: tuple[Floats, Floats, Floats]) -> Level:
    """Conductances and pivots from open areas and widths."""
    nz, ny, nx = areas[0].shape[0], areas[0].shape[1], areas[1].shape[2]
    shape = (nz + 4, ny + 4, nx + 4)
    faces: list[Singles] = []
    for area, axis in zip(areas, (2, 1, 0), strict=True):
        width = widths[2 - axis]
        distance = np.concatenate([[width[0] / 2], (width[1:] + width[:-1]) / 2, [width[-1] / 2]]).astype(np.float32)
        c = np.zeros(shape, np.float32)
        c[tuple(slice(2, 2 + n) for n in area.shape)] = area / distance.reshape(
            [-1 if a == axis else 1 for a in range(3)]
        )
        faces.append(c)
    even = np.zeros(nx + 4, np.float32)
    even[::2] = 1
    east, north, up = faces
    return Level(
        east, north, up, _pivots(east, north, up), np.zeros(shape, np.float32), np.zeros(shape, np.float32), even
    )


def _pivots(east: Singles, north: Singles, up: Singles) -> Singles:
    """Inverse pivots of the elimination along z, zero where a cell has no open face or its line no way out."""
    out = np.zeros_like(up)
    inner = (slice(2, -2), slice(2, -2))
    last = np.zeros(up[0][inner].shape)
    for k in range(2, up.shape[0] - 2):
        diagonal = (east[k, 2:-2, 2:-2].astype(np.float64) + east[k, 2:-2, 3:-1] + north[k, 2:-2, 2:-2]
                    + north[k, 3:-1, 2:-2] + up[k][inner] + up[k + 1][inner])  # fmt: skip
        pivot = diagonal - up[k][inner].astype(np.float64) ** 2 * last
        good = pivot > SINGULAR * diagonal
        last = np.where(good, 1.0 / np.where(good, pivot, 1.0), 0.0)
        out[k][inner] = last
    return out
