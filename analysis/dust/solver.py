"""Solver: concentrations from emissions, and by the transposed equations what an emission anywhere changes.

BiCGStab (van der Vorst, H. A. (1992), SIAM Journal on Scientific and Statistical Computing 13, 631-644) with the
hierarchy of blocks as right preconditioner. Sums are made row by row in float64 and in a fixed order, so that the
answer has the same bits for any number of threads.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.dust.hierarchy import Hierarchy, swapped
from analysis.dust.operator import INNER, Operator
from analysis.wind.crew import Crew
from geo.model import Feedback, UserError

Field = NDArray[Any]

TOLERANCE = {4: 1e-5, 8: 1e-8}  # of the residual over the right side, by bytes of a number
MOST_ITERATIONS = 100
MOST_RESTARTS = 4
LARGEST = 1e30  # factor of a direction: beyond it the method has broken down
SAID = "dust: solving"
SLACK = 1.5  # the true residual may exceed the carried one by rounding


class Solution(NamedTuple):
    """An answer: values (nz, ny, nx), iterations, and the true residual over the right side."""

    values: Field
    iterations: int
    residual: float


class _Work(NamedTuple):
    """Room: residual, its shadow, direction, its image, what the inverse makes of either, and the image of that."""

    r: Field
    shadow: Field
    p: Field
    v: Field
    turned: Field
    t: Field


class Transport:
    """Solves an operator's equations, or the transposed ones, for any number of right sides.

    Parameters
    ----------
    operator : Operator
    crew : Crew
    transpose : bool
    """

    def __init__(self, operator: Operator, crew: Crew, *, transpose: bool = False) -> None:
        self.operator, self._crew, self._transpose = operator, crew, transpose
        self._inverse = Hierarchy(operator, crew, transpose=transpose)
        self._equations = tuple(swapped(operator.upwind) if transpose else operator.upwind)
        self._fromm = tuple(a if isinstance(a, np.ndarray) else tuple(a) for a in operator.fromm)
        self._sums = np.zeros((2, *operator.air.shape[:2]))

    def times(self, x: Field, out: Field) -> None:
        """The equations times x, arrays with ghosts; 0 in ghosts and solids of x."""
        self._times(x, out, out)

    def _times(self, x: Field, out: Field, other: Field) -> tuple[float, float]:
        """The equations times x, with the products of that with another field and with itself."""
        from analysis.kernels.dust_transport import times

        self._crew.rows(times, x.shape, self._equations, self._fromm, self._transpose, x, out, other, self._sums)
        return self._told()

    def _told(self) -> tuple[float, float]:
        """The two products that the last kernel left row by row."""
        one, two = self._sums.reshape(2, -1).sum(axis=1)
        return float(one), float(two)

    def solve(
        self,
        right: NDArray[Any],
        feedback: Feedback,
        *,
        tolerance: float | None = None,
        start: NDArray[Any] | None = None,
        most: int = MOST_ITERATIONS,
    ) -> Solution:
        """Solve for one right side.

        Parameters
        ----------
        right : (nz, ny, nx)
            Emissions [ug/s] and inflow; transposed: weights of the cells in the objective.
        tolerance : float, optional
            Of the residual over the right side; 1e-5 for float32, 1e-8 for float64.
        start : (nz, ny, nx), optional
            An earlier answer.
        """
        goal = TOLERANCE[self.operator.dtype.itemsize] if tolerance is None else tolerance
        scale = self._scale(right)
        if scale is None:
            raise _unsolved(np.nan, goal)
        feedback.step(0.0, SAID)
        b, x = self._scaled(right, 1.0 / scale), self._scaled(start, 1.0 / scale)
        size = self._norm(b)
        if size == 0.0:
            return Solution(np.zeros_like(b[INNER]), 0, 0.0)
        work = _Work(*(np.zeros_like(b) for _ in range(6)))
        count = self._improve(b, x, work, goal * size, 0, most, feedback)
        residual = self._lacking(b, x, work.r) / size
        if not residual <= SLACK * goal and np.isfinite(residual):
            x, count, residual = self._refined(b, x, work, (goal, size), count, most, feedback)
        if not residual <= SLACK * goal:
            raise self._sealed(right) or _unsolved(residual, goal)
        return Solution(np.multiply(x[INNER], scale, dtype=b.dtype, casting="unsafe"), count, residual)

    def _scale(self, right: NDArray[Any]) -> float | None:
        """A power of two near the largest number in the air, so that none is too large or small; None if not finite."""
        air = self.operator.faces.air
        peak = max(float(np.max(right, where=air, initial=0.0)), -float(np.min(right, where=air, initial=0.0)))
        if not np.isfinite(peak):
            return None
        return float(2.0 ** np.clip(np.frexp(peak)[1], -1000, 1000)) if peak > 0.0 else 1.0

    def _scaled(self, values: NDArray[Any] | None, factor: float) -> Field:
        """An array with ghosts: values times a factor in the air, zeros without."""
        out = self.operator.field()
        if values is not None:
            np.multiply(values, factor, out=out[INNER], where=self.operator.faces.air, casting="unsafe")
        return out

    def _refined(
        self, b: Field, x: Field, work: _Work, wanted: tuple[float, float], count: int, most: int, feedback: Feedback
    ) -> tuple[Field, int, float]:
        """Add answers to what is lacking, kept in float64: where strong mixing hides what single precision can tell.

        wanted: residual over the norm of the right side, and that norm. Also starts over where the method broke down.
        """
        goal, size = wanted
        whole, rest = x.astype(np.float64), np.zeros(b.shape)
        residual = self._lacking(b, whole, rest) / size
        for _ in range(MOST_RESTARTS):
            if residual <= SLACK * goal or count >= most or not np.isfinite(residual):
                break
            x[:] = 0
            count = self._improve(rest.astype(b.dtype), x, work, goal * size, count, most, feedback)
            whole += x
            residual = self._lacking(b, whole, rest) / size
        return whole, count, residual

    def _sealed(self, right: NDArray[Any]) -> UserError | None:
        """What to tell where dust is emitted in air that has no way out and takes none away."""
        from scipy.ndimage import label

        numbers, count = label(self.operator.faces.air)
        leaving = np.bincount(numbers.ravel(), self.operator.share.sink.ravel(), count + 1)
        closed = np.flatnonzero(leaving == 0.0)
        cells = int(np.count_nonzero(np.isin(numbers, closed[closed > 0]) & (np.asarray(right) != 0.0)))
        return _no_way_out(cells) if cells else None

    def _lacking(self, b: Field, x: Field, r: Field) -> float:
        """Residual, into r, and its norm."""
        from analysis.kernels.dust_transport import subtract_from

        self._times(x, r, r)
        self._crew.rows(subtract_from, b.shape, b, r, self._sums)
        return math.sqrt(self._told()[1])

    def _improve(self, b: Field, x: Field, work: _Work, goal: float, count: int, most: int, feedback: Feedback) -> int:
        """Iterate until the carried residual is small, the method breaks down, or the number is used up."""
        r, shadow, p, v, turned, t = work
        feedback.step(count / most, SAID)
        size = self._lacking(b, x, r)
        shadow[:] = r
        p[:], v[:] = 0, 0
        rho, before, alpha, omega = size**2, 1.0, 1.0, 1.0
        while size > goal and count < most:
            if rho == 0.0 or omega == 0.0 or abs(rho * alpha) > LARGEST * abs(before * omega):
                break
            feedback.step(count / most, SAID)
            self._turn(p, rho / before * alpha / omega, omega, v, r)
            self._inverse.apply(p, turned, t)
            feedback.step(count / most, SAID)
            along, _ = self._times(turned, v, shadow)
            if along == 0.0:
                break
            alpha = rho / along
            self._move(alpha, x, turned, r, v, shadow)
            feedback.step(count / most, SAID)
            self._inverse.apply(r, turned, t)
            feedback.step(count / most, SAID)
            mixed, length = self._times(turned, t, r)
            omega = mixed / length if length > 0.0 else 0.0
            before = rho
            rho, square = self._move(omega, x, turned, r, t, shadow)
            size, count = math.sqrt(square), count + 1
            if not np.isfinite(size):
                break
        return count

    def _turn(self, p: Field, beta: float, omega: float, v: Field, r: Field) -> None:
        from analysis.kernels.dust_transport import turn

        number = p.dtype.type
        self._crew.rows(turn, p.shape, p, number(beta), number(omega), v, r)

    def _move(self, step: float, x: Field, y: Field, r: Field, v: Field, other: Field) -> tuple[float, float]:
        """``x += step y`` and ``r -= step v``; the products of r with another field and with itself."""
        from analysis.kernels.dust_transport import move

        self._crew.rows(move, x.shape, x.dtype.type(step), x, y, r, v, other, self._sums)
        return self._told()

    def _norm(self, a: Field) -> float:
        from analysis.kernels.dust_transport import square

        self._crew.rows(square, a.shape, a, self._sums)
        return math.sqrt(self._told()[1])


def _no_way_out(cells: int) -> UserError:
    return UserError(
        "Dust is emitted where it cannot leave.",
        f"{cells} emitting cells lie in air that no wind reaches, and nothing deposits there.",
        "Move the sources into the open, or give the dust a speed of deposition.",
        code="dust.no_way_out",
        values={"cells": cells},
    )


def _unsolved(residual: float, goal: float) -> UserError:
    return UserError(
        "The equations of the dust could not be solved.",
        f"The residual is {residual:.2g} of the right side; {goal:.0e} is wanted.",
        "Check that sources and wind are numbers, and calculate the wind again with more iterations.",
        code="dust.unsolved",
        values={"residual": residual, "goal": goal},
    )
