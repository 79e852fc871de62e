"""Air that carries dust: volume fluxes through the faces of a grid that lose and gain nothing in any cell."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.wind.crew import Crew
from analysis.wind.flow import GHOSTS
from analysis.wind.levels import Solved
from geo.model import UserError

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

BALANCED = 1e-8  # sum of the cells' net flows over the inflow after the projection
NEEDED = 1e-6  # and the most at which a uniform concentration stays uniform
PASS_TOLERANCE, MOST_PASSES = 1e-4, 8
INNER = (slice(GHOSTS, -GHOSTS),) * 3


class Faces(NamedTuple):
    """Steady flow through the faces of a Cartesian grid.

    Attributes
    ----------
    x, y, z : (nx + 1,), (ny + 1,), (nz + 1,) float64 [m]
        Faces, rising.
    air : (nz, ny, nx) bool
    viscosity : (nz, ny, nx) float64 [m2/s]
        Turbulent, of the cells.
    east, north, up : (nz, ny, nx + 1), (nz, ny + 1, nx), (nz + 1, ny, nx) float64 [m3/s]
        Through the low face of each cell and the last faces, positive along the rising axis; 0 through walls. The
        first and last faces are the borders.
    """

    x: Floats
    y: Floats
    z: Floats
    air: Bools
    viscosity: Floats
    east: Floats
    north: Floats
    up: Floats

    @property
    def shape(self) -> tuple[int, int, int]:
        """Cells: (nz, ny, nx)."""
        return len(self.z) - 1, len(self.y) - 1, len(self.x) - 1

    @property
    def widths(self) -> tuple[Floats, Floats, Floats]:
        """Widths of the cells along x, y, z [m]."""
        return np.diff(self.x), np.diff(self.y), np.diff(self.z)

    def areas(self) -> tuple[Floats, Floats, Floats]:
        """Areas of the faces across x (nz, ny, 1), y (nz, 1, nx) and z (1, ny, nx) [m2]."""
        dx, dy, dz = self.widths
        east, north = dz[:, None, None] * dy[None, :, None], dz[:, None, None] * dx[None, None, :]
        return east, north, dy[None, :, None] * dx[None, None, :]

    def volumes(self) -> Floats:
        """(nz, ny, nx) volumes of the cells [m3]."""
        dx, dy, dz = self.widths
        return np.asarray(dz[:, None, None] * dy[None, :, None] * dx[None, None, :])

    def net(self) -> Floats:
        """(nz, ny, nx) what leaves each cell less what enters it [m3/s], 0 in solids."""
        out = np.diff(self.east, axis=2) + np.diff(self.north, axis=1) + np.diff(self.up, axis=0)
        return np.where(self.air, out, 0.0)

    def inflow(self) -> float:
        """Volume that enters through the borders [m3/s]."""
        total = 0.0
        for flux, axis in ((self.east, 2), (self.north, 1), (self.up, 0)):
            first, last = np.take(flux, 0, axis=axis), np.take(flux, -1, axis=axis)
            total += float(np.maximum(first, 0.0).sum() + np.maximum(-last, 0.0).sum())
        return total

    def imbalance(self) -> float:
        """Sum of the cells' net flows, without sign, over the inflow."""
        return float(np.abs(self.net()).sum()) / max(self.inflow(), 1e-30)


def faces_of(solved: Solved) -> Faces:
    """Fluxes of a solved wind, in the solver's mirror (`Solved.kept`): the wind blows towards +x and +y.

    Not yet free of sources: see `projected`.
    """
    flow, tunnel = solved.kept.flow, solved.kept.tunnel
    viscosity = flow.nut[INNER].astype(np.float64)
    return from_speeds(
        (tunnel.x, tunnel.y, tunnel.z),
        viscosity > 0.0,
        viscosity,
        (
            flow.u[GHOSTS:-GHOSTS, GHOSTS:-GHOSTS, GHOSTS : 1 - GHOSTS],
            flow.v[GHOSTS:-GHOSTS, GHOSTS : 1 - GHOSTS, GHOSTS:-GHOSTS],
            flow.w[GHOSTS : 1 - GHOSTS, GHOSTS:-GHOSTS, GHOSTS:-GHOSTS],
        ),
    )


def from_speeds(
    grid: tuple[Floats, Floats, Floats],
    air: Bools,
    viscosity: Floats,
    speeds: tuple[NDArray[Any], NDArray[Any], NDArray[Any]],
) -> Faces:
    """Fluxes from speeds across the faces [m/s]; walls and the ground let nothing through.

    grid : faces along x, y, z [m]. speeds : across the faces, one more along the own axis than there are cells.
    """
    x, y, z = (np.asarray(a, np.float64) for a in grid)
    bare = Faces(x, y, z, air, viscosity, np.zeros(0), np.zeros(0), np.zeros(0))
    fluxes = []
    for speed, area, axis in zip(speeds, bare.areas(), (2, 1, 0), strict=True):
        fluxes.append(np.where(open_faces(air, axis), speed.astype(np.float64) * area, 0.0))
    fluxes[2][0] = 0.0
    return bare._replace(east=fluxes[0], north=fluxes[1], up=fluxes[2])


def open_faces(air: Bools, axis: int) -> Bools:
    """Faces across an axis of the array with air on both sides, or beside the border."""
    wide = [(1, 1) if a == axis else (0, 0) for a in range(3)]
    padded = np.pad(air, wide, constant_values=True)
    low, high = [slice(None)] * 3, [slice(None)] * 3
    low[axis], high[axis] = slice(None, -1), slice(1, None)
    return np.asarray(padded[tuple(low)] & padded[tuple(high)])


def projected(faces: Faces, *, tolerance: float = BALANCED) -> Faces:
    """The nearest flow that neither loses nor gains air in any cell; what the borders let in stays as it is.

    The borders at the end of x and y through which air leaves take up the difference. Net flows are summed in float64,
    the potential is solved for in float32, and this is repeated (defect correction).
    """
    from analysis.kernels.wind_pressure import Hierarchy

    if faces.inflow() <= 0.0:
        raise _no_wind()
    outlets = bool(faces.east[:, :, -1].sum() > 0.0), bool(faces.north[:, -1].sum() > 0.0)
    if not any(outlets):
        raise ValueError("the wind must leave through the end of x or y: flip the grid first")
    with Crew() as crew:
        potential = Hierarchy(faces.air, faces.widths, outlets=outlets, share=crew.rows)
        for _ in range(MOST_PASSES):
            if faces.imbalance() <= tolerance:
                break
            net = faces.net()
            scale = float(np.abs(net).max())  # float32 keeps its digits whatever the size
            potential.finest.source[:] = 0.0
            potential.finest.source[INNER] = -net / scale
            potential.solve(PASS_TOLERANCE)
            faces = _moved(faces, potential.finest, scale)
    if not faces.imbalance() <= NEEDED:
        raise _unbalanced(faces.imbalance())
    return faces


def _moved(faces: Faces, level: NamedTuple, scale: float) -> Faces:
    """Add the flow from high to low potential through every open face."""
    phi = level.phi.astype(np.float64) * scale  # type: ignore[attr-defined]
    fluxes = []
    for flux, passing, axis in zip(faces[5:], level[:3], (2, 1, 0), strict=True):
        here, before = ([slice(GHOSTS, -GHOSTS)] * 3 for _ in range(2))
        here[axis], before[axis] = slice(GHOSTS, 1 - GHOSTS), slice(GHOSTS - 1, -GHOSTS)
        fluxes.append(flux + passing[tuple(here)] * (phi[tuple(before)] - phi[tuple(here)]))
    return faces._replace(east=fluxes[0], north=fluxes[1], up=fluxes[2])


def _no_wind() -> UserError:
    return UserError(
        "There is no wind to carry the dust.",
        "No air enters the borders of the wind result.",
        "Calculate a wind with a speed above zero first.",
        code="dust.no_wind",
    )


def _unbalanced(left: float) -> UserError:
    return UserError(
        "The wind result cannot carry dust.",
        f"Its cells gain or lose {left:.2g} of the inflow; at most {NEEDED:.0e} is allowed.",
        "Calculate the wind again with more iterations.",
        code="dust.unbalanced",
        values={"left": left, "most": NEEDED},
    )
