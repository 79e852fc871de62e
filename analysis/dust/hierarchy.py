"""Hierarchy: an approximate inverse of the first-order part by sums over ever larger blocks of cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.dust.operator import GHOSTS, Operator, upwind_part
from analysis.wind.crew import Crew

if TYPE_CHECKING:
    from analysis.kernels.dust_transport import Upwind

Field = NDArray[Any]

SMALLEST = 12  # cells a side of the coarsest level at most
COARSEST_SWEEPS = 5
HALVED = 0.5  # of mixing between blocks: their values differ over twice the distance


class Level(NamedTuple):
    """One level: its equations, cells of air and inverse pivots."""

    equations: tuple[Field, ...]  # plain tuples: kernels are called ten times faster with them than with named ones
    air: NDArray[np.bool_]
    inverse: Field


class Hierarchy:
    """All levels of an operator, for the equations or their transpose.

    Parameters
    ----------
    operator : Operator
    crew : Crew
        Threads; what is computed does not depend on their number.
    transpose : bool
    """

    def __init__(self, operator: Operator, crew: Crew, *, transpose: bool = False) -> None:
        self._crew, self._transpose = crew, transpose
        self.levels = [self._level(operator.upwind, operator.air)]
        self._room: list[tuple[Field, Field, Field]] = []  # right side, value, correction of all but the finest
        air, sink, mixed = operator.air, operator.field(operator.share.sink), None
        upwind = operator.upwind
        while max(air.shape) - 2 * GHOSTS > SMALLEST:
            upwind, mixed, air, sink = _coarser(upwind, mixed, air, sink, crew)
            self.levels.append(self._level(upwind, air))
            self._room.append((np.zeros_like(sink), np.zeros_like(sink), np.zeros_like(sink)))

    def apply(self, right: Field, out: Field, room: Field) -> None:
        """Approximate solution for a right side, into `out`; both and `room` with ghosts, which hold 0."""
        self._cycle(0, right, out, room)

    def _level(self, equations: Upwind, air: NDArray[np.bool_]) -> Level:
        from analysis.kernels.dust_multigrid import factorise

        if self._transpose:
            equations = swapped(equations)
        inverse = np.zeros_like(equations.diagonal)
        self._slabs(factorise, inverse, tuple(equations), air, inverse)
        return Level(tuple(equations), air, inverse)

    def _slabs(self, kernel: Any, like: Field, *arguments: object) -> None:
        """Share slabs of rows among the threads: for the crew they are rows, with as many cells as a slab has."""
        from analysis.kernels.dust_multigrid import SLAB_ROWS

        planes, rows, columns = (n - 2 * GHOSTS for n in like.shape)
        count = -(-rows // SLAB_ROWS)
        self._crew.rows(kernel, (planes * rows // count, count + 2 * GHOSTS, columns), *arguments)

    def _improve(self, level: Level, right: Field, value: Field, room: Field) -> None:
        """Add the incomplete factors' answer to what is lacking."""
        from analysis.kernels.dust_multigrid import backward, forward_of_lack

        equations, _, inverse = level
        self._slabs(forward_of_lack, value, equations, inverse, right, value, room)
        self._slabs(backward, value, equations, inverse, room, value, True)

    def _cycle(self, number: int, right: Field, value: Field, room: Field) -> None:
        """Down to the coarsest level and back, from zero."""
        from analysis.kernels.dust_multigrid import backward, forward, gather_lack, spread

        level = self.levels[number]
        self._slabs(forward, value, level.equations, level.inverse, right, value)
        self._slabs(backward, value, level.equations, level.inverse, value, value, False)
        if number == len(self._room):
            for _ in range(COARSEST_SWEEPS - 1):
                self._improve(level, right, value, room)
            return
        coarse = self._room[number]
        self._crew.rows(gather_lack, coarse[0].shape, level.equations, right, value, coarse[0])
        self._cycle(number + 1, *coarse)
        self._crew.rows(spread, coarse[0].shape, coarse[1], level.air, value)
        self._improve(level, right, value, room)


def swapped(equations: Upwind) -> Upwind:
    """The transposed equations: what went up an axis goes down."""
    lo_hi = equations[:6]
    return type(equations)(lo_hi[1], lo_hi[0], lo_hi[3], lo_hi[2], lo_hi[5], lo_hi[4], equations.diagonal)


Faces = tuple[Field, Field, Field]  # across x, y, z


def _coarser(
    fine: Upwind, mixed: Faces | None, air: NDArray[np.bool_], sink: Field, crew: Crew
) -> tuple[Upwind, Faces, NDArray[np.bool_], Field]:
    """Equations of blocks of two cells a side, what mixes between them, blocks with air, and what sinks in them."""
    from analysis.kernels.dust_equations import block_faces, blocks

    form = tuple((n - 2 * GHOSTS + 1) // 2 + 2 * GHOSTS for n in air.shape)
    lo, hi, both = ([np.zeros(form, sink.dtype) for _ in range(3)] for _ in range(3))
    coarse_air, coarse_sink = np.zeros(form, bool), np.zeros(form, sink.dtype)
    crew.rows(blocks, form, sink, air, coarse_sink, coarse_air)
    for n, axis in enumerate((2, 1, 0)):
        own = fine[2 * n], fine[2 * n + 1], fine[2 * n] if mixed is None else mixed[n]
        crew.rows(block_faces, form, axis, HALVED, own, mixed is None, (lo[n], hi[n], both[n]))
    return upwind_part(lo, hi, coarse_sink, coarse_air, crew), (both[0], both[1], both[2]), coarse_air, coarse_sink
