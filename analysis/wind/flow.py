"""Solver: steady wind in one tunnel by pseudo-time steps of the RANS equations with standard k-epsilon.

The wind always blows towards +x and +y: whoever makes a solver flips the tunnel first (`flipped`). Fields are float32,
``[z, y, x]`` with two ghost cells on every side.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.wind.crew import Crew
from analysis.wind.profile import Inflow
from analysis.wind.surfaces import GHOSTS as GHOSTS
from analysis.wind.surfaces import find_surfaces, open_air
from analysis.wind.tunnel import Tunnel
from geo.model import UserError

if TYPE_CHECKING:
    from analysis.kernels.wind_momentum import Spacing

Singles = NDArray[np.float32]
Floats = NDArray[np.float64]

HEADROOM = 1.3  # fastest flow expected over the speed at the top of the tunnel
RUNAWAY = 5.0  # times the speed at the top: the calculation has failed
SETTLING_STEPS, SETTLING_CFL = 20, 1.5  # gentle start of a cold run
INSIDE = (slice(GHOSTS, -GHOSTS),) * 3


class Flow(NamedTuple):
    """State of the air, with ghosts: velocities on the low faces [m/s], p [m2/s2], k [m2/s2], epsilon [m2/s3]."""

    u: Singles
    v: Singles
    w: Singles
    p: Singles
    k: Singles
    e: Singles
    nut: Singles


@dataclass(frozen=True)
class Heading:
    """Where the wind blows in the axes of a tunnel, and how the tunnel is flipped for it.

    Attributes
    ----------
    along_x, along_y : float
        Parts of the unit vector in the flipped tunnel, neither below zero.
    flip_x, flip_y : bool
    """

    along_x: float
    along_y: float
    flip_x: bool
    flip_y: bool

    @staticmethod
    def of(tunnel: Tunnel, wind_from: float) -> Heading:
        """Heading of a wind given from grid north [degrees]."""
        angle_rad = math.radians(tunnel.wind_angle(wind_from))
        x, y = round(math.cos(angle_rad), 9) + 0.0, round(math.sin(angle_rad), 9) + 0.0
        return Heading(abs(x), abs(y), x < 0, y < 0)


def flipped(tunnel: Tunnel, heading: Heading) -> Tunnel:
    """The tunnel seen in a mirror, so that the wind blows towards +x and +y; contiguous copies."""
    flat = (
        slice(None, None, -1) if heading.flip_y else slice(None),
        slice(None, None, -1) if heading.flip_x else slice(None),
    )
    low_x, low_y, high_x, high_y = tunnel.study
    if heading.flip_x:
        low_x, high_x = -high_x, -low_x
    if heading.flip_y:
        low_y, high_y = -high_y, -low_y
    copy = np.ascontiguousarray
    return tunnel._replace(
        x=copy(-tunnel.x[::-1]) if heading.flip_x else tunnel.x,
        y=copy(-tunnel.y[::-1]) if heading.flip_y else tunnel.y,
        solid=copy(tunnel.solid[(slice(None), *flat)]),
        ground=copy(tunnel.ground[flat]),
        leaf_area=None if tunnel.leaf_area is None else copy(tunnel.leaf_area[(slice(None), *flat)]),
        ground_roughness=copy(tunnel.ground_roughness[flat]),
        building=copy(tunnel.building[flat]),
        study=np.array([low_x, low_y, high_x, high_y]),
    )


class Solver:
    """The equations on one flipped tunnel for one wind.

    Parameters
    ----------
    tunnel : Tunnel
        Flipped for the heading.
    wind : Inflow
    heading : Heading
    crew : Crew
    cfl : float
        Pseudo-time step: ``cfl dx / (1.3 U_top)``.
    start : Flow, optional
        Where to begin; otherwise the inflow profile everywhere.

    Attributes
    ----------
    flow : Flow
    air : (nz, ny, nx) bool
    sealed : int
        Cells of air without a way out, taken as solid.
    """

    def __init__(
        self, tunnel: Tunnel, wind: Inflow, heading: Heading, crew: Crew, *, cfl: float = 3.0, start: Flow | None = None
    ) -> None:
        from analysis.kernels.wind_pressure import Hierarchy

        self.tunnel, self.wind, self.heading, self.crew, self.cfl = tunnel, wind, heading, crew, cfl
        self.air, self.sealed = open_air(tunnel)
        self.shape = tuple(n + 2 * GHOSTS for n in tunnel.shape)
        self._surfaces = find_surfaces(tunnel, self.air)
        self._space = _spacing(tunnel)
        self._top_speed = float(np.max(wind.speed(np.linspace(0.0, float(tunnel.z[-1] - tunnel.z[0]), 200))))
        self._cell = float(min(np.diff(tunnel.x).min(), np.diff(tunnel.y).min()))
        self._west, self._south = heading.along_x > 0, heading.along_y > 0
        widths = (np.diff(tunnel.x), np.diff(tunnel.y), np.diff(tunnel.z))
        self._potential = Hierarchy(self.air, widths, outlets=(self._west, self._south), share=crew.rows)
        self.steps = 0
        self._warm = start is not None
        self.flow = self._first(start)
        self._next = [a.copy() for a in (self.flow.u, self.flow.v, self.flow.w, self.flow.k, self.flow.e)]
        for own in range(3):
            self._leave_sides(self._next[own], own)

    @property
    def cells(self) -> int:
        """Cells of the tunnel, solid or not."""
        return int(np.prod(self.tunnel.shape))

    def iterate(self) -> None:
        """One step: momentum, projection, turbulence."""
        gentle = not self._warm and self.steps < SETTLING_STEPS
        cfl = min(self.cfl, SETTLING_CFL) if gentle else self.cfl
        dt = np.float32(cfl * self._cell / (HEADROOM * self._top_speed))
        self._momentum(dt)
        self._project(dt)
        self._turbulence(dt)
        self.steps += 1

    def imbalance(self) -> float:
        """Sum of the cells' net flows over the flow through the inlets, both without sign."""
        from analysis.kernels.wind_momentum import divergence

        out = self._potential.finest.source
        self.crew.rows(divergence, self.shape, *self.flow[:3], self._space, out)
        net = float(sum(np.abs(plane[2:-2, 2:-2]).sum(dtype=np.float64) for plane in out[2:-2]))
        return net / max(self._inflow(), 1e-30)

    def tighten(self, tolerance: float = 1e-5) -> int:
        """Make the velocities free of divergence to a tolerance by conjugate gradients; returns the iterations."""
        from analysis.kernels.wind_momentum import divergence

        self.crew.rows(divergence, self.shape, *self.flow[:3], self._space, self._potential.finest.source)
        count = self._potential.solve(tolerance)
        self._apply(*self.flow[:3], np.float32(0.0))
        return count

    def check(self) -> None:
        """Raise `UserError` where the flow has run away or is no number."""
        for name, field in zip("uvw", self.flow[:3], strict=True):
            worst = max(float(field.max()), -float(field.min()))
            if not worst <= RUNAWAY * self._top_speed:
                raise self._failed(name, field)

    def _failed(self, name: str, field: Singles) -> UserError:
        k, j, i = np.unravel_index(np.argmax(np.nan_to_num(np.abs(field), nan=np.inf, posinf=np.inf)), field.shape)
        nz, ny, nx = self.tunnel.shape
        x = float(self.tunnel.x[np.clip(i - 2, 0, nx)]) * (-1 if self.heading.flip_x else 1)
        y = float(self.tunnel.y[np.clip(j - 2, 0, ny)]) * (-1 if self.heading.flip_y else 1)
        z = float(self.tunnel.z[np.clip(k - 2, 0, nz)])
        turn_rad = math.radians(self.tunnel.turn_deg)
        scene_x = float(self.tunnel.pivot[0]) + x * math.cos(turn_rad) - y * math.sin(turn_rad)
        scene_y = float(self.tunnel.pivot[1]) + x * math.sin(turn_rad) + y * math.cos(turn_rad)
        return UserError(
            f"The calculation of the wind failed at x {scene_x:.1f}, y {scene_y:.1f}, {z:.1f} m above the lowest "
            "ground.",
            f"The velocity {name} there is {float(field[k, j, i]):.3g} m/s; the wind enters with "
            f"{self._top_speed:.3g} m/s at most.",
            "Look at the geometry there, or take another cell size or a smaller step.",
            code="wind.failed",
            values={"x": scene_x, "y": scene_y, "z": z, "speed": float(field[k, j, i]), "most": self._top_speed},
        )

    def _momentum(self, dt: np.float32) -> None:
        from analysis.kernels.wind_momentum import step_u, step_v, step_w
        from analysis.kernels.wind_turbulence import friction

        flow, rows, plane = self.flow, self.shape[2], self.shape[1] * self.shape[2]
        backs = (1, rows, plane)
        flat = [a.reshape(-1) for a in flow[:3]]
        for own, step in enumerate((step_u, step_v, step_w)):
            new = self._next[own]
            self.crew.rows(_clear, self.shape, new, own)
            one, two = (own + 1) % 3, (own + 2) % 3
            for faces in (self._surfaces.wall_faces[own], self._surfaces.leaf_faces[own]):
                if len(faces.place):
                    self.crew.items(friction, len(faces.place), faces.place, faces.rub, backs[own], flat[own],
                                    flat[one], backs[one], flat[two], backs[two], new.reshape(-1))  # fmt: skip
            self.crew.rows(step, self.shape, *flow[:4], flow.nut, new, dt, self._space)

    def _project(self, dt: np.float32) -> None:
        from analysis.kernels.wind_momentum import divergence

        u, v, w = self._next[:3]
        self._leave(u, v)
        level = self._potential.finest
        self.crew.rows(divergence, self.shape, u, v, w, self._space, level.source)
        level.phi[:] = 0
        self._potential.cycle()
        self._apply(u, v, w, np.float32(1.0) / dt)
        self._next[:3] = list(self.flow[:3])
        self.flow = self.flow._replace(u=u, v=v, w=w)

    def _leave(self, u: Singles, v: Singles) -> None:
        from analysis.kernels.wind_boundary import leave_east, leave_north

        if self._west:
            leave_east(u, self.flow.nut)
        if self._south:
            leave_north(v, self.flow.nut)

    def _apply(self, u: Singles, v: Singles, w: Singles, per_dt: np.float32) -> None:
        """Subtract the gradient of the potential and refresh the ghosts."""
        from analysis.kernels.wind_boundary import correct_outlet
        from analysis.kernels.wind_momentum import correct

        phi, space = self._potential.finest.phi, self._space
        self.crew.rows(correct, self.shape, u, v, w, self.flow.p, phi, self.flow.nut, per_dt, space)
        per_x = float(2 * space.cell_x[-3]) if self._west else 0.0
        per_y = float(2 * space.cell_y[-3]) if self._south else 0.0
        correct_outlet(u, v, phi, self.flow.nut, per_x, per_y)
        for own, a in enumerate((u, v, w)):
            self._leave_sides(a, own)

    def _leave_sides(self, a: Singles, own: int) -> None:
        """Ghosts of the velocity along an axis."""
        from analysis.kernels.wind_boundary import extend

        nz, ny, nx = (n + 1 for n in self.tunnel.shape)
        extend(a, nz + (own == 2), ny + (own == 1), nx + (own == 0), not self._west, not self._south)

    def _cell_sides(self, a: Singles) -> None:
        """Ghosts of a field of the cells."""
        from analysis.kernels.wind_boundary import extend

        nz, ny, nx = (n + 1 for n in self.tunnel.shape)
        extend(a, nz, ny, nx, not self._west, not self._south)

    def _turbulence(self, dt: np.float32) -> None:
        from analysis.kernels import wind_turbulence as kernels

        flow, cells, leaves = self.flow, self._surfaces.cells, self._surfaces.leaf_cells
        made, (k, e) = self._potential.finest.source, self._next[3:]
        row, plane = self.shape[2], self.shape[1] * self.shape[2]
        run, items = self.crew.rows, self.crew.items
        velocity = tuple(a.reshape(-1) for a in flow[:3])
        run(kernels.production, self.shape, *flow[:3], flow.nut, made, k, e, self._space)
        items(kernels.wall_production, len(cells.place), cells.place, cells.share, *velocity, flow.k.reshape(-1), row,
              plane, made.reshape(-1))  # fmt: skip
        if len(leaves.place):
            items(kernels.leaf_production, len(leaves.place), leaves.place, leaves.area, *velocity, row, plane,
                  made.reshape(-1), k.reshape(-1), e.reshape(-1))  # fmt: skip
        run(kernels.step_turbulence, self.shape, *flow[:3], flow.k, flow.e, flow.nut, made, k, e, dt, self._space)
        items(kernels.wall_dissipation, len(cells.place), cells.place, cells.per_length, k.reshape(-1), e.reshape(-1))
        self._cell_sides(k)
        self._cell_sides(e)
        run(kernels.renew_viscosity, self.shape, k, e, flow.nut)
        self._cell_sides(flow.nut)
        self._next[3:] = [flow.k, flow.e]
        self.flow = flow._replace(k=k, e=e)

    def _inflow(self) -> float:
        """Volume that enters [m3/s]."""
        dx, dy, dz = (np.diff(a) for a in (self.tunnel.x, self.tunnel.y, self.tunnel.z))
        total = 0.0
        if self._west:
            total += float((self.flow.u[2:-2, 2:-2, 2].astype(float) * dz[:, None] * dy[None, :]).sum())
        if self._south:
            total += float((self.flow.v[2:-2, 2, 2:-2].astype(float) * dz[:, None] * dx[None, :]).sum())
        return total

    def _first(self, start: Flow | None) -> Flow:
        """The inflow everywhere, with the inlets and the mask; inside it whatever `start` brings."""
        above = self._height_above_ground()
        speed = self.wind.speed(above)
        fields = [
            speed * self.heading.along_x,
            speed * self.heading.along_y,
            np.zeros(self.shape),
            np.zeros(self.shape),
        ]
        energy, lost = self.wind.energy(above), self.wind.dissipation(above)
        u, v, w, p, k, e = (np.asarray(a, np.float32) for a in (*fields, energy, lost))
        nut = (0.09 * k**2 / e).astype(np.float32)
        if start is not None:
            inlets = u[:, :, GHOSTS].copy(), v[:, GHOSTS].copy()
            for mine, theirs in zip((u, v, w, p, k, e, nut), start, strict=True):
                mine[INSIDE] = theirs[INSIDE]
            u[:, :, GHOSTS], v[:, GHOSTS] = inlets  # these faces are the inflow and never change
        solid = np.zeros(self.shape, bool)
        solid[INSIDE] = ~self.air
        solid[:GHOSTS] = True
        nut[~solid] = np.maximum(nut[~solid], 1e-7)
        nut[solid] = 0.0
        for a, axis in ((u, 2), (v, 1), (w, 0)):
            blocked = solid.copy()
            later, earlier = [slice(None)] * 3, [slice(None)] * 3
            later[axis], earlier[axis] = slice(1, None), slice(None, -1)
            blocked[tuple(later)] |= solid[tuple(earlier)]
            a[blocked] = 0.0
        self._close_sides(u, v, w)
        flow = Flow(*(np.ascontiguousarray(a) for a in (u, v, w, p, k, e, nut)))
        for a in (k, e, nut):
            self._cell_sides(a)
        return flow

    def _close_sides(self, u: Singles, v: Singles, w: Singles) -> None:
        """No flow through sides along the wind nor through the top."""
        w[:3] = 0.0
        w[-2:] = 0.0
        if not self._west:
            u[:, :, :3] = 0.0
            u[:, :, -2:] = 0.0
        if not self._south:
            v[:, :3] = 0.0
            v[:, -2:] = 0.0

    def _height_above_ground(self) -> Floats:
        """Height of each cell centre above the ground of its column, with ghosts; not below zero."""
        middle = (self.tunnel.z[1:] + self.tunnel.z[:-1]) / 2
        step = self.tunnel.z[-1] - self.tunnel.z[-2]
        z = np.concatenate([[0.0, 0.0], middle, middle[-1] + step * np.arange(1, 3)])
        ground = np.pad(self.tunnel.ground.astype(np.float64), GHOSTS, mode="edge")
        return np.maximum(z[:, None, None] - ground[None], 0.0)


def _clear(low: int, high: int, a: Singles, own: int) -> None:
    """No drag yet on the faces that are solved for; the first face along the own axis is a side of the tunnel."""
    a[2:-2, max(low, GHOSTS + (own == 1)) : high, GHOSTS + (own == 0) : -GHOSTS] = 0.0


def _spacing(tunnel: Tunnel) -> Spacing:
    """One over the lengths of the grid, ghosts as wide as their neighbours."""
    from analysis.kernels.wind_momentum import Spacing

    cell, face, wide = [], [], []
    for faces in (tunnel.x, tunnel.y, tunnel.z):
        width = np.pad(np.diff(faces), GHOSTS, mode="edge")
        between = np.concatenate([width[:1], (width[1:] + width[:-1]) / 2])
        apart = between + np.concatenate([between[1:], between[-1:]])
        cell.append((1 / width).astype(np.float32))
        face.append((1 / between).astype(np.float32))
        wide.append((1 / apart).astype(np.float32))
    return Spacing(*cell, *face, *wide)
