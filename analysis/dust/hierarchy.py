"""Hierarchy: an approximate inverse of the first-order part by sums over ever larger blocks of cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.dust.operator import GHOSTS, INNER, Operator
from analysis.wind.crew import Crew

if TYPE_CHECKING:
    from analysis.kernels.dust_transport import Upwind

Field = NDArray[Any]

SMALLEST = 12  # cells a side of the coarsest level at most
COARSEST_SWEEPS = 5
HALVED = 0.5  # of mixing between blocks: their values differ over twice the distance


class Level(NamedTuple):
    """One level: its equations, cells of air, inverse pivots, and room for a residual and an answer."""

    equations: Upwind
    air: NDArray[np.bool_]
    inverse: Field
    lack: Field
    answer: Field


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
        self._coarse: list[tuple[Field, Field]] = []  # right side and value of all levels but the finest
        parts, sink, air = _finest_parts(operator), operator.share.sink, operator.air[INNER]
        while max(air.shape) > SMALLEST:
            parts = [_coarser(part, axis) for part, axis in zip(parts, (2, 1, 0), strict=True)]
            sink, air = _blocks(sink), _blocks(air.astype(np.int64)) > 0
            self.levels.append(self._level(_equations(parts, sink, air, operator.dtype), np.pad(air, GHOSTS)))
            like = self.levels[-1].lack
            self._coarse.append((np.zeros_like(like), np.zeros_like(like)))

    def apply(self, right: Field, out: Field) -> None:
        """Approximate solution for a right side, into `out` (with ghosts, which stay 0)."""
        self._cycle(0, right, out)

    def _level(self, equations: Upwind, air: NDArray[np.bool_]) -> Level:
        from analysis.kernels.dust_multigrid import factorise

        if self._transpose:
            equations = swapped(equations)
        inverse = np.zeros_like(equations.diagonal)
        self._slabs(factorise, inverse, equations, air, inverse)
        return Level(equations, air, inverse, np.zeros_like(inverse), np.zeros_like(inverse))

    def _slabs(self, kernel: Any, like: Field, *arguments: object) -> None:
        """Share slabs of rows among the threads: for the crew they are rows, with as many cells as a slab has."""
        from analysis.kernels.dust_multigrid import SLAB_ROWS

        planes, rows, columns = (n - 2 * GHOSTS for n in like.shape)
        count = -(-rows // SLAB_ROWS)
        self._crew.rows(kernel, (planes * rows // count, count + 2 * GHOSTS, columns), *arguments)

    def _improve(self, level: Level, right: Field, value: Field) -> None:
        """Add the incomplete factors' answer to what is lacking."""
        from analysis.kernels.dust_multigrid import sweep
        from analysis.kernels.dust_transport import add, lack

        self._crew.rows(lack, value.shape, level.equations, right, value, level.lack)
        self._slabs(sweep, value, level.equations, level.inverse, level.lack, level.answer)
        self._crew.rows(add, value.shape, value, value.dtype.type(1), level.answer)

    def _cycle(self, number: int, right: Field, value: Field) -> None:
        """Down to the coarsest level and back, from zero."""
        from analysis.kernels.dust_multigrid import gather, spread, sweep
        from analysis.kernels.dust_transport import lack

        level = self.levels[number]
        self._slabs(sweep, value, level.equations, level.inverse, right, value)
        if number == len(self._coarse):
            for _ in range(COARSEST_SWEEPS - 1):
                self._improve(level, right, value)
            return
        coarse_right, coarse_value = self._coarse[number]
        self._crew.rows(lack, value.shape, level.equations, right, value, level.lack)
        self._crew.rows(gather, coarse_right.shape, level.lack, coarse_right)
        self._cycle(number + 1, coarse_right, coarse_value)
        self._crew.rows(spread, value.shape, coarse_value, level.air, value)
        self._improve(level, right, value)


def swapped(equations: Upwind) -> Upwind:
    """The transposed equations: what went up an axis goes down."""
    lo_hi = equations[:6]
    return type(equations)(lo_hi[1], lo_hi[0], lo_hi[3], lo_hi[2], lo_hi[5], lo_hi[4], equations.diagonal)


class _Parts(NamedTuple):
    """Of the faces across one axis, one more than cells: carried up, carried down, mixed [m3/s]."""

    up: Field
    down: Field
    mixed: Field


def _finest_parts(operator: Operator) -> list[_Parts]:
    parts = []
    first = operator.upwind
    pairs = ((first.east_lo, first.east_hi), (first.north_lo, first.north_hi), (first.up_lo, first.up_hi))
    for (lo, hi), axis in zip(pairs, (2, 1, 0), strict=True):
        inside = tuple(slice(GHOSTS, (1 if a == axis else 0) - GHOSTS) for a in range(3))
        mixed = np.minimum(lo[inside], hi[inside])  # the air goes one way only, so one of them has nothing else
        parts.append(_Parts(lo[inside] - mixed, hi[inside] - mixed, mixed))
    return parts


def _coarser(parts: _Parts, axis: int) -> _Parts:
    """Faces between blocks: every second one, summed over the four in it; mixing halved."""
    cells = parts.up.shape[axis] - 1
    keep = [*range(0, cells, 2), cells]
    out = []
    for values in parts:
        kept = np.take(values, keep, axis=axis)
        for other in {0, 1, 2} - {axis}:
            kept = np.add.reduceat(kept, np.arange(0, kept.shape[other], 2), axis=other)
        out.append(kept)
    return _Parts(out[0], out[1], out[2] * kept.dtype.type(HALVED))


def _blocks(values: Field) -> Field:
    """Sums over blocks of two cells a side."""
    for axis in range(3):
        values = np.add.reduceat(values, np.arange(0, values.shape[axis], 2), axis=axis)
    return values


def _equations(parts: list[_Parts], sink: Field, air: NDArray[np.bool_], dtype: np.dtype[Any]) -> Upwind:
    from analysis.dust.operator import upwind_part

    pairs = [(part.up + part.mixed, part.down + part.mixed) for part in parts]
    return upwind_part(pairs, sink, air, dtype.type)
