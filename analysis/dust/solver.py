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
        b, x = self.operator.field(right), self.operator.field(start)
        size = self._norm(b)
        if not np.isfinite(size):
            raise _unsolved(np.nan, goal)
        if size == 0.0:
            return Solution(np.zeros_like(b[INNER]), 0, 0.0)
        count, residual, work = 0, np.inf, _Work(*(np.zeros_like(b) for _ in range(6)))
        for _ in range(MOST_RESTARTS):
            count = self._improve(b, x, work, goal * size, count, most, feedback)
            residual = self._lacking(b, x, work.r) / size
            if residual <= SLACK * goal or count >= most or not np.isfinite(residual):
                break
        if not residual <= SLACK * goal:
            raise _unsolved(residual, goal)
        return Solution(x[INNER].copy(), count, residual)

    def _lacking(self, b: Field, x: Field, r: Field) -> float:
        """Residual, into r, and its norm."""
        from analysis.kernels.dust_transport import subtract_from

        self._times(x, r, r)
        self._crew.rows(subtract_from, b.shape, b, r, self._sums)
        return math.sqrt(self._told()[1])

    def _improve(self, b: Field, x: Field, work: _Work, goal: float, count: int, most: int, feedback: Feedback) -> int:
        """Iterate until the carried residual is small, the method breaks down, or the number is used up."""
        r, shadow, p, v, turned, t = work
        size = self._lacking(b, x, r)
        shadow[:] = r
        p[:], v[:] = 0, 0
        rho, before, alpha, omega = size**2, 1.0, 1.0, 1.0
        while size > goal and count < most:
            if rho == 0.0 or omega == 0.0:
                break
            feedback.step(count / most, "dust: solving")
            self._turn(p, rho / before * alpha / omega, omega, v, r)
            self._inverse.apply(p, turned, t)
            feedback.step(count / most, "dust: solving")
            along, _ = self._times(turned, v, shadow)
            if along == 0.0:
                break
            alpha = rho / along
            self._move(alpha, x, turned, r, v, shadow)
            feedback.step(count / most, "dust: solving")
            self._inverse.apply(r, turned, t)
            feedback.step(count / most, "dust: solving")
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


def _unsolved(residual: float, goal: float) -> UserError:
    return UserError(
        "The equations of the dust could not be solved.",
        f"The residual is {residual:.2g} of the right side; {goal:.0e} is wanted.",
        "Check that sources and wind are numbers, and calculate the wind again with more iterations.",
        code="dust.unsolved",
        values={"residual": residual, "goal": goal},
    )
