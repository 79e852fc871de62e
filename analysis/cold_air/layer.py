"""The layer of cold air: its state, and how it is carried through the night."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.wind.crew import Crew
from geo.model import Feedback, UserError

Floats = NDArray[np.float64]

COURANT = 0.4
FIRST_DRAG = 0.01  # in the first step, before any depth is known
LONGEST_STEP = 20.0  # [s] while hardly anything moves
LEAST_FALL = 0.001  # slope of the ground at the border below which it counts as level
BORDER_CELLS = 5  # over which that slope is taken
LOOK_EVERY = 25  # steps between two looks at the time, the user and the numbers


@dataclass(frozen=True, eq=False)
class Land:
    """What the cold air flows over, on square cells; arrays (ny, nx), row 0 south.

    Attributes
    ----------
    cell : float [m]
    ground : float [local m]
    built : float [m]
        Height of what the air must climb over: buildings; 0 where none.
    roughness : float [m]
    production : float [m/s]
        Depth of cold air made in a second.
    deficit : float [K]
        How much colder it is than the air above.
    walls : bool
        Whether the border is closed (a test's basin); else air leaves where the ground falls outwards.
    """

    cell: float
    ground: Floats
    built: Floats
    roughness: Floats
    production: Floats
    deficit: Floats
    walls: bool = False

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        rows, columns = self.ground.shape
        return rows, columns


def padded(values: Floats) -> Floats:
    """With one ghost cell on every side that repeats the border."""
    return np.ascontiguousarray(np.pad(np.asarray(values, dtype=np.float64), 1, mode="edge"))


@dataclass
class ColdLayer:
    """The state of the layer. Depth, deficit and flow are read by the properties, without ghost cells."""

    land: Land
    mixing: bool = True
    threads: int = 0
    time: float = 0.0
    produced: float = 0.0
    h: Floats = field(init=False)
    q: Floats = field(init=False)

    def __post_init__(self) -> None:
        land = self.land
        rows, columns = land.shape
        self.z, self.b, self.rough = padded(land.ground), padded(land.built), padded(land.roughness)
        self.source, self.fresh = padded(land.production), padded(land.deficit)
        self.h, self.q = np.zeros((rows + 2, columns + 2)), np.zeros((rows + 2, columns + 2))
        self.u, self.v, self.new_u, self.new_v = (np.zeros((rows + 3, columns + 3)) for _ in range(4))
        self.fx, self.fy = np.zeros((rows + 3, columns + 3)), np.zeros((rows + 3, columns + 3))
        self.rub = np.full((rows + 2, columns + 2), FIRST_DRAG)
        self.share, self.carried = np.ones((rows + 2, columns + 2)), np.zeros((rows + 2, columns + 2))
        self.fastest, self.gone, self.mixed = (np.zeros(rows + 3) for _ in range(3))
        self._sides = self._find_sides()

    def fill(self, depth: Floats, deficit: float) -> None:
        """Start with cold air of a depth (ny, nx) [m] and a deficit [K], at rest."""
        from analysis.kernels.cold_pool import GRAVITY, TEMPERATURE

        self.h[1:-1, 1:-1] = depth
        self.q[1:-1, 1:-1] = depth * deficit
        self.fastest[:] = np.sqrt(GRAVITY / TEMPERATURE * deficit * max(float(depth.max()), 0.0))

    @property
    def depth(self) -> Floats:
        """(ny, nx) [m]."""
        return self.h[1:-1, 1:-1].copy()

    @property
    def deficit(self) -> Floats:
        """(ny, nx) mean deficit of temperature [K]; 0 where there is no cold air."""
        h, q = self.h[1:-1, 1:-1], self.q[1:-1, 1:-1]
        return np.divide(q, h, out=np.zeros_like(h), where=h > 1e-4)

    @property
    def velocity(self) -> tuple[Floats, Floats]:
        """(ny, nx) east and north at the middles of the cells [m/s]."""
        rows, columns = self.land.shape
        u, v = self.u[1 : rows + 1], self.v[:, 1 : columns + 1]
        return 0.5 * (u[:, 1 : columns + 1] + u[:, 2 : columns + 2]), 0.5 * (v[1 : rows + 1] + v[2 : rows + 2])

    @property
    def volume(self) -> float:
        """Cold air there is [m3]."""
        return float(self.h[1:-1, 1:-1].sum()) * self.land.cell**2

    @property
    def left(self) -> float:
        """What has flown out through the border [m3]."""
        return float(self.gone.sum())

    @property
    def entrained(self) -> float:
        """Warm air mixed in from above [m3]."""
        return float(self.mixed.sum())

    def until(self, end: float, feedback: Feedback, look: Callable[[ColdLayer], None] | None = None) -> None:
        """Go on until `end` [s]; `look` is called about every `LOOK_EVERY` steps. Raises when the numbers break."""
        start, count = self.time, 0
        with Crew(self.threads) as crew:
            while self.time < end - 1e-9:
                dt = min(self._step_length(), end - self.time)
                self._step(crew, dt)
                count += 1
                if count % LOOK_EVERY == 0 or self.time >= end - 1e-9:
                    feedback.step((self.time - start) / max(end - start, 1e-9), "cold air flowing")
                    self._check()
                    if look is not None:
                        look(self)

    def _step_length(self) -> float:
        fastest = float(self.fastest.max())
        return min(LONGEST_STEP, COURANT * self.land.cell / fastest) if fastest > 0 else LONGEST_STEP / 4

    def _step(self, crew: Crew, dt: float) -> None:
        from analysis.kernels import cold_pool

        cell, rows = self.land.cell, self.land.shape[0]
        share = _rows(crew, rows, self.h.size)
        share(
            cold_pool.accelerate, dt, cell, self.h, self.q, self.z, self.b, self.rub,
            *(self.u, self.v, self.fx, self.fy, self.new_u, self.new_v),
        )  # fmt: skip
        self.u, self.new_u = self.new_u, self.u
        self.v, self.new_v = self.new_v, self.v
        self._borders(dt)
        share(cold_pool.fluxes, self.h, self.z, self.b, self.u, self.v, self.fx, self.fy)
        cold_pool.fluxes(rows + 1, rows + 2, self.h, self.z, self.b, self.u, self.v, self.fx, self.fy)
        share(cold_pool.spare, dt, cell, self.h, self.q, self.fx, self.fy, self.share, self.carried)
        share(
            cold_pool.settle, dt, cell, self.mixing, self.h, self.q, self.u, self.v, self.fx, self.fy,
            *(self.share, self.carried, self.source, self.fresh, self.rough, self.rub),
            *(self.fastest, self.gone, self.mixed),
        )  # fmt: skip
        self.time += dt
        self.produced += dt * float(self.source[1:-1, 1:-1].sum()) * cell**2

    def _borders(self, dt: float) -> None:
        """Air leaves down the slope of the ground at the border as fast as friction lets it; nothing comes in.

        Where the ground is level or rises outwards the border is a mirror: the land beyond is taken to be alike.
        """
        from analysis.kernels.cold_pool import DRY, GRAVITY, TEMPERATURE

        for velocity, place, sign, row, column, fall in self._sides:
            h, q, rub = self.h[row, column], self.q[row, column], self.rub[row, column]
            wet = h > DRY
            depth = np.maximum(h, 0.05)
            pushed = np.abs(velocity()[place]) + dt * GRAVITY / TEMPERATURE * q / np.maximum(h, DRY) * fall
            speed = pushed / (1.0 + dt * rub * pushed / depth)
            velocity()[place] = np.where(wet & (fall > 0.0), sign * speed, 0.0)

    def _find_sides(self) -> list[Any]:
        """Of each side: its velocities, where they stand, which way is out, its cells, and the fall of the ground."""
        rows, columns = self.land.shape
        inner_rows, inner_columns = slice(1, rows + 1), slice(1, columns + 1)
        ground, reach = self.land.ground + self.land.built, min(BORDER_CELLS, min(rows, columns) - 1)
        length = max(reach, 1) * self.land.cell
        closed = 0.0 if self.land.walls else 1.0

        def fall(inner: Floats, border: Floats) -> Floats:
            steep = (inner - border) / length
            return np.where(steep > LEAST_FALL, steep, 0.0) * closed

        return [
            (lambda: self.u, (inner_rows, 1), -1.0, inner_rows, 1, fall(ground[:, reach], ground[:, 0])),
            (
                lambda: self.u,
                (inner_rows, columns + 1),
                1.0,
                inner_rows,
                columns,
                fall(ground[:, -1 - reach], ground[:, -1]),
            ),
            (lambda: self.v, (1, inner_columns), -1.0, 1, inner_columns, fall(ground[reach], ground[0])),
            (lambda: self.v, (rows + 1, inner_columns), 1.0, rows, inner_columns, fall(ground[-1 - reach], ground[-1])),
        ]

    def _check(self) -> None:
        if np.isfinite(self.fastest).all() and np.isfinite(self.h.sum()):
            return
        row, column = np.argwhere(~np.isfinite(self.h))[0] if not np.isfinite(self.h).all() else (0, 0)
        raise UserError(
            "The flow of the cold air broke off.",
            f"The numbers became infinite after {self.time / 60:.0f} minutes in row {row}, column {column}.",
            "Choose a larger cell, or report the project.",
            code="cold_air.broken",
            values={"minutes": round(self.time / 60), "row": int(row), "column": int(column)},
        )


def _rows(crew: Crew, rows: int, size: int) -> Callable[..., None]:
    """Shares a kernel's inner rows (one ghost row on either side) among the crew."""

    def run(kernel: Callable[..., None], *arguments: object) -> None:
        crew._run(kernel, 1, rows + 1, size, arguments)

    return run
